#!/usr/bin/env bash
# Builds everything in a release that this system can build, from the current commit, into artifacts/release: the NuGet packages; an archive of the
# program for each platform, compiled ahead of time for this one; a bill of materials (CycloneDX); checksums; manifests for Homebrew and winget.
#   bash eng/release.sh [--version V] [--url URL] [--native-archives FOLDER]
# The version is derived from the tags unless --version specifies another; URL is where the archives will be published; FOLDER contains archives of the
# program compiled ahead of time on other systems, as mixpanel-native-PLATFORM.tar.gz.
set -euo pipefail
cd "$(dirname "$0")/.."

version= url=https://example.invalid natives=
while [ $# -gt 0 ]; do
  case $1 in
    --version) shift; version=$1 ;;
    --url) shift; url=${1%/} ;;
    --native-archives) shift; natives=$1 ;;
    *) sed -n '2,7{s/^# \{0,1\}//p}' "$0" >&2; exit 2 ;;
  esac
  shift
done
version=${version:-$(bash eng/version.sh)}
out=$PWD/artifacts/release
rm -rf "$out"
mkdir -p "$out/packages"

native=--native
[ -z "$natives" ] || native=
bash eng/pack.sh --version "$version" --single-file $native "$out/packages"
[ -z "$natives" ] || cp "$natives"/mixpanel-native-*.tar.gz "$out"
# A program compiled ahead of time starts three times as fast, so it is preferred where there is one.
for archive in "$out"/mixpanel-native-*.tar.gz; do mv "$archive" "$out/mixpanel-${archive##*/mixpanel-native-}"; done
for archive in "$out"/mixpanel-*.tar.gz; do
  platform=${archive##*/mixpanel-} platform=${platform%.tar.gz}
  case $platform in
    win-*)
      work=$(mktemp -d)
      tar -xzf "$archive" -C "$work"
      (cd "$work" && python3 -m zipfile -c "$out/mixpanel-$version-$platform.zip" ./*)
      rm -r "$work" "$archive" ;;
    *) mv "$archive" "$out/mixpanel-$version-$platform.tar.gz" ;;
  esac
done

dotnet tool restore > /dev/null
# Uses the committed lock files only: nothing else is looked up.
dotnet dotnet-CycloneDX src/MixpanelConnector.Tool/MixpanelConnector.Tool.csproj --output "$out" --filename mixpanel.cdx.json --output-format Json \
  --disable-package-restore --exclude-dev --set-name mixpanel --set-version "$version" --set-type Application > /dev/null

(cd "$out" && sha256sum mixpanel* packages/*.nupkg > SHA256SUMS)

cp -r packaging "$out/packaging"
rm "$out/packaging/README.md"
find "$out/packaging" -type f | while read -r manifest; do
  sed -i "s|@VERSION@|$version|g; s|@URL@|$url|g" "$manifest"
  while read -r sum archive; do
    platform=${archive#mixpanel-"$version"-} platform=${platform%.tar.gz} platform=${platform%.zip}
    sed -i "s|@SHA256:$platform@|$sum|" "$manifest"
  done < "$out/SHA256SUMS"
  ! grep -n '@[A-Z0-9:a-z-]*@' "$manifest" || { echo "$manifest: nothing to put in there" >&2; exit 1; }
done
ls -l "$out"
