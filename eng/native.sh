#!/usr/bin/env bash
# Compiles ahead of time, from what the build made, the programs that the tests start: into artifacts/native/PROJECT. A warning fails.
#   bash eng/native.sh                 after dotnet build MixpanelConnector.slnx -c Release
set -euo pipefail
cd "$(dirname "$0")/.."

for project in tests/NativeAot tests/NativeAotWeb src/MixpanelConnector.Tool.Native; do
  dotnet publish "$project" -c Release -o "artifacts/native/$(basename "$project")" -p:BuildProjectReferences=false -warnaserror -v quiet -nologo
done
