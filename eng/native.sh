#!/usr/bin/env bash
# Compiles the programs that the tests start ahead of time, from the output of the build: into artifacts/native/PROJECT. A warning fails.
#   bash eng/native.sh [PROJECT...]    after dotnet build MixpanelConnector.slnx -c Release
set -euo pipefail
cd "$(dirname "$0")/.."

[ $# -gt 0 ] || set -- src/MixpanelConnector.Tool.Native tests/NativeAot
for project; do
  options=(-p:NativeDebugSymbols=false)   # which change no instruction
  case $project in tests/*) options+=(-p:Optimize=false) ;; esac   # what it shows, that the library needs no reflection, does not need the optimizer
  dotnet publish "$project" -c Release -o "artifacts/native/$(basename "$project")" -p:BuildProjectReferences=false -warnaserror -v quiet -nologo "${options[@]}"
done
