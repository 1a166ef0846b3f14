#!/usr/bin/env bash
# Builds a site from the pages and the public API, into a folder (default: artifacts/site): bash eng/site.sh [FOLDER]
# A broken link fails with exit code 1. To view it: dotnet docfx serve artifacts/site
set -euo pipefail
cd "$(dirname "$0")/.."

out=$(realpath -m "${1:-artifacts/site}")
dotnet tool restore > /dev/null
dotnet build MixpanelConnector.slnx -c Release -v quiet -nologo
work=artifacts/site-work   # as eng/site/docfx.json has it
rm -rf "$work" "$out"
mkdir -p "$work/assemblies" "$work/references"
for project in src/MixpanelConnector.Tool tests/Conventions tests/Hosting; do cp "$project"/bin/Release/net10.0/*.dll "$work/references"; done   # what the libraries refer to
rm "$work"/references/{MixpanelConnector*,mixpanel.dll}
for project in $(cd src && ls -d */PublicAPI.Unshipped.txt | xargs -n 1 dirname | grep -vx MixpanelConnector.Tool); do   # every library
  cp "src/$project/bin/Release/net10.0/$project".{dll,xml} "$work/assemblies"
done
for page in docs/*.md; do grep -q "/$page$" eng/site/toc.yml || { echo "eng/site/toc.yml does not name $page" >&2; exit 1; }; done
dotnet docfx eng/site/docfx.json --output "$out" --warningsAsErrors
cp "$out/README.html" "$out/index.html"
rm -rf "$work"
