#!/usr/bin/env bash
# Compiles the programs that the tests start ahead of time, from the output of the build: into artifacts/native/PROJECT. A warning fails.
#   bash eng/native.sh                 after dotnet build MixpanelConnector.slnx -c Release
set -euo pipefail
cd "$(dirname "$0")/.."

# Without symbols, which change no instruction. The test program proves that the library needs no reflection, which does not require the optimizer.
publish() {
  local project=$1; shift
  dotnet publish "$project" -c Release -o "artifacts/native/$(basename "$project")" -p:BuildProjectReferences=false -p:NativeDebugSymbols=false -warnaserror -v quiet -nologo "$@"
}
publish src/MixpanelConnector.Tool.Native
publish tests/NativeAot -p:Optimize=false
