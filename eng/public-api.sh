#!/usr/bin/env bash
# Writes the public API of the libraries into their PublicAPI.Unshipped.txt files: adds what the analyzer reports as missing, and removes what no longer exists.
set -euo pipefail
cd "$(dirname "$0")/.."
for project in $(cd src && ls -d */PublicAPI.Unshipped.txt | xargs -n 1 dirname | grep -vx MixpanelConnector.Tool); do   # every library
  file=src/$project/PublicAPI.Unshipped.txt
  echo '#nullable enable' > "$file"
  log=$(dotnet build "src/$project" -c Release --no-incremental -nologo 2>&1 || true)
  grep -oP "^.*src/$project/.*error RS0016: Symbol '\K.*(?=' is not part of the declared public API)" <<< "$log" | sort -u >> "$file" || true
  dotnet build "src/$project" -c Release --no-incremental -nologo -v quiet
done
