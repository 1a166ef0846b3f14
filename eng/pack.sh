#!/usr/bin/env bash
# Packs what is committed: the libraries, and the tool for each platform, into a folder (default: artifacts/packages).
# With --single-file it also publishes the tool as one file for each platform, into artifacts/mixpanel-PLATFORM.
# A clone is packed, so that the work in this folder and its restored packages stay as they are.
set -euo pipefail
cd "$(dirname "$0")/.."

platforms="linux-x64 linux-arm64 win-x64 osx-arm64"
single=
if [ "${1:-}" = --single-file ]; then single=1; shift; fi
out=$(mkdir -p "${1:-artifacts/packages}" && cd "${1:-artifacts/packages}" && pwd)
clone=$(mktemp -d)
trap 'rm -rf "$clone"' EXIT
git clone -q . "$clone"
origin=$(git remote get-url origin 2>/dev/null || true)
if [ -n "$origin" ]; then git -C "$clone" remote set-url origin "$origin"; else git -C "$clone" remote remove origin; fi
cd "$clone"
find . -name packages.lock.json -delete

# The lock files know nothing of other platforms than the one that builds.
common=(-c Release -nologo -v quiet -p:RestorePackagesWithLockFile=false -p:ContinuousIntegrationBuild=true)
for project in MixpanelConnector MixpanelConnector.Sqlite MixpanelConnector.Formats MixpanelConnector.Emulator; do
  dotnet pack "src/$project" -o "$out" "${common[@]}"
done

# A package for each platform, with the native libraries of that platform only, and one that points to them.
dotnet pack src/MixpanelConnector.Tool -o "$out" "${common[@]}" -p:PackForPlatforms=true

if [ -n "$single" ]; then
  for platform in $platforms; do
    dotnet publish src/MixpanelConnector.Tool -o "$out/../mixpanel-$platform" "${common[@]}" -r "$platform" --self-contained \
      -p:PublishSingleFile=true -p:IncludeNativeLibrariesForSelfExtract=true -p:EnableCompressionInSingleFile=true -p:DebugType=embedded
  done
fi
ls -l "$out"
