#!/usr/bin/env bash
# Builds the libraries for .NET 8, and a program with the .NET 8 runtime included, which the tests start: into artifacts/net8. A warning fails.
# The analyzers have seen the same sources for .NET 10, but for the 160 internal lines of Compatibility/, and would take most of the time.
set -euo pipefail
cd "$(dirname "$0")/.."

. eng/sdk.sh
with_one_compiler dotnet publish tests/Net8 -c Release -p:Net8=true -p:RunAnalyzers=false --artifacts-path artifacts/net8 -o artifacts/net8/program -warnaserror -v quiet -nologo
touch artifacts/net8/program/MixpanelConnector.Net8   # of now, also where nothing had changed
