#!/usr/bin/env bash
# Prints the version of the current commit, derived from its tags: v1.2.3 is 1.2.3; seven commits after it is 1.2.4-alpha.0.7; without a tag, 0.1.0-alpha.0.N.
set -euo pipefail
cd "$(dirname "$0")/.."
dotnet tool restore > /dev/null
dotnet minver --tag-prefix v --minimum-major-minor 0.1 --verbosity error
