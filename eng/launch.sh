#!/bin/sh
# Builds the program for the script mixpanel in the root, one build at a time, each into a separate folder, so that running programs
# keep their files. artifacts/launch/current contains the name of the build and the .NET that runs it; its file time is the start of the build.
#   sh eng/launch.sh ROOT CURRENT   with what current contained when it was found out of date
set -u
cd "$1" || exit 1
launch=artifacts/launch
mkdir -p "$launch" || exit 1

build() {
  . eng/sdk.sh
  use_sdk || return 1
  dotnet=$(command -v dotnet)
  case $dotnet in /*) ;; *) dotnet=$PWD/$dotnet ;; esac
  : > "$launch/began"
  echo "Building mixpanel, since its sources are new or have changed: about a minute ..."
  # Without build servers, which would keep running, and without the analyzers, which are for contributors. 8: the lock is not inherited.
  dotnet build src/MixpanelConnector.Tool -c Release --artifacts-path "$launch/build" -p:RunAnalyzers=false -p:UseSharedCompilation=false \
    -nodeReuse:false -v quiet -nologo > "$launch/log" 2>&1 8>&- || { cat "$launch/log"; return 1; }
  name=$(mktemp -d "$launch/run-XXXXXXXX") && chmod 755 "$name" || return 1
  cp -R "$launch/build/bin/MixpanelConnector.Tool/release/." "$name" || return 1
  printf '%s\n%s\n' "${name##*/}" "$dotnet" > "$launch/current.new" && touch -r "$launch/began" "$launch/current.new" && mv "$launch/current.new" "$launch/current" || return 1
  clean
}

clean() { # takes older builds away that nothing runs; where the system cannot tell, those before the last five
  for each in "$launch"/run-*; do
    [ "$each" = "$name" ] && continue
    if command -v flock > /dev/null; then (flock -n -x 7 && rm -rf "$each") 7< "$each/mixpanel.dll"
    else rm -rf $(ls -dt "$launch"/run-* | tail -n +6)
    fi
  done 2> /dev/null
  :
}

before=$2
if command -v flock > /dev/null; then
  exec 8> "$launch/lock"
  flock -n 8 || { echo "Waiting for another build of mixpanel ..."; flock 8; }
elif [ $# -lt 3 ] && command -v lockf > /dev/null; then # macOS
  exec lockf -k "$launch/lock" sh eng/launch.sh . "$before" locked
fi
[ "$(cat "$launch/current" 2> /dev/null)" = "$before" ] || exit 0 # another process has just built it: whoever asked looks again
build
