#!/usr/bin/env bash
# Follows every guide in docs/ literally, each in an empty folder: its commands and its files, with packages packed from the commit, the tool
# installed from them, and the embedded Mixpanel instead of the real one. Fails where a reader would.
#   bash eng/guides.sh                 packs first
#   bash eng/guides.sh FOLDER          with packages that eng/pack.sh has created
set -euo pipefail
cd "$(dirname "$0")/.."

command -v curl >/dev/null || { echo "The guides use curl: please install it." >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
packages=${1:-}
if [ -z "$packages" ]; then
  packages=$work/packages
  bash eng/pack.sh --version 0.1.0 "$packages"   # a reader gets a version without asking for one that is not done
fi
dotnet run eng/guides.cs "$(cd "$packages" && pwd)" "$work/readers"
