#!/usr/bin/env bash
# Packs the current commit: the libraries, and the tool for each platform, into a folder (default: artifacts/packages), and checks the packages.
#   bash eng/pack.sh [--version V] [--single-file] [--native] [--twice] [FOLDER]
# Their version is derived from the tags (eng/version.sh), unless --version specifies another.
# With --single-file it also publishes the tool as a single file for each platform, into mixpanel-PLATFORM.tar.gz next to the folder.
# With --native it publishes the tool compiled ahead of time for this platform, into mixpanel-native-PLATFORM.tar.gz there.
# With --twice it packs a second time from another folder, and fails unless every file in every package is identical.
# A clone is packed, so that the work in this folder and its restored packages are not changed.
set -euo pipefail
cd "$(dirname "$0")/.."

platforms="linux-x64 linux-arm64 win-x64 osx-arm64"
single= native= twice= version=
while [[ "${1:-}" == --* ]]; do
  case $1 in
    --version) shift; version=$1 ;;
    --single-file) single=1 ;;
    --native) native=1 ;;
    --twice) twice=1 ;;
    *) sed -n '2,8{s/^# \{0,1\}//p}' "$0" >&2; exit 2 ;;
  esac
  shift
done
out=$(mkdir -p "${1:-artifacts/packages}" && cd "${1:-artifacts/packages}" && pwd)
rm -f "$out"/MixpanelConnector*.nupkg "$out"/MixpanelConnector*.snupkg
origin=$(git remote get-url origin 2>/dev/null || true)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The lock files contain only the platform that builds.
common=(-c Release -nologo -v quiet -p:RestorePackagesWithLockFile=false -p:ContinuousIntegrationBuild=true)
common+=(-p:RunAnalyzers=false)   # eng/test.sh runs them, and they take most of the time
common+=(-p:Version="${version:=$(bash eng/version.sh)}")
# Without the repository's address, source links are not possible: then the sources are embedded in the symbols.
[ -n "$origin" ] || common+=(-p:EmbedAllSources=true)

clone() { # clone FOLDER
  git clone -q . "$1"
  if [ -n "$origin" ]; then git -C "$1" remote set-url origin "$origin"; else git -C "$1" remote remove origin; fi
  (cd "$1" && find . -name packages.lock.json -delete)
}

pack() { # pack CLONE FOLDER
  local project
  for project in $(cd src && ls -d */PublicAPI.Unshipped.txt | xargs -n 1 dirname | grep -vx MixpanelConnector.Tool); do   # every library
    (cd "$1" && dotnet pack "src/$project" -o "$2" "${common[@]}" -p:Net8=true)
  done
  # A package for each platform, with only the native libraries of that platform, and one that refers to them.
  (cd "$1" && dotnet pack src/MixpanelConnector.Tool -o "$2" "${common[@]}" -p:PackForPlatforms=true)
}

clone "$work/clone"
pack "$work/clone" "$out"
if [ -n "$twice" ]; then
  clone "$work/elsewhere/again"
  pack "$work/elsewhere/again" "$work/packages"
fi
dotnet run eng/check-packages.cs "$out" ${twice:+"$work/packages"}

if [ -n "$single" ]; then
  for platform in $platforms; do
    # Not compressed: decompressing at each start would cost 100 MB of memory and a fifth of the CPU time of an import.
    (cd "$work/clone" && dotnet publish src/MixpanelConnector.Tool -o "$work/mixpanel-$platform" "${common[@]}" -r "$platform" --self-contained \
      -p:PublishSingleFile=true -p:IncludeNativeLibrariesForSelfExtract=true -p:DebugType=embedded)
    tar -czf "$out/../mixpanel-$platform.tar.gz" -C "$work/mixpanel-$platform" --exclude='*.pdb' .
  done
fi

if [ -n "$native" ]; then
  project=src/MixpanelConnector.Tool.Native
  platform=$(cd "$work/clone" && dotnet msbuild $project -getProperty:NETCoreSdkPortableRuntimeIdentifier)
  (cd "$work/clone" && dotnet publish $project -o "$work/native" "${common[@]}")
  tar -czf "$out/../mixpanel-native-$platform.tar.gz" -C "$work/native" .
fi
[ -z "$single$native" ] || ls -l "$out"/../mixpanel-*.tar.gz
