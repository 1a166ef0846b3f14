#!/usr/bin/env bash
# Runs everything that must be green: format, build without warnings, the programs compiled ahead of time, and all tests.
# Installs what the tests need: packages from the lock files, Node.js, Chromium and a C linker where they are missing.
# The last line reads "N passed, N failed". Arguments are passed on to the test runner.
set -uo pipefail
cd "$(dirname "$0")/.."

fail() { echo "$*" >&2; echo "0 passed, 1 failed"; exit 1; }

need() { # need COMMAND DEBIAN-PACKAGE...
  local command=$1; shift
  command -v "$command" >/dev/null && return
  command -v apt-get >/dev/null || fail "The tests need $command: please install it."
  local sudo=; [ "$(id -u)" -eq 0 ] || sudo=sudo
  echo "Installing $* ..."
  { $sudo apt-get update -qq && $sudo apt-get install -y -qq "$@" >/dev/null; } || fail "$command is missing and could not be installed."
}

command -v dotnet >/dev/null || fail "The .NET 10 SDK is needed: https://dotnet.microsoft.com/download"
need node nodejs
need npm npm
need gcc gcc libc6-dev   # links the NativeAOT test program, and compiles the shim of tests/Faults
need prlimit util-linux  # with unshare and setpriv, for tests/Faults
need chromium chromium    # runs a page with Mixpanel's own script

(cd tests/EndToEnd/clients && npm ci --silent --no-audit --no-fund) && (cd src/MixpanelConnector.Console && npm ci --silent --no-audit --no-fund) || fail "The npm packages of the tests could not be installed."
dotnet restore MixpanelConnector.slnx --locked-mode -v quiet || fail "Restore failed."
dotnet build MixpanelConnector.slnx -c Release --no-restore -v quiet -nologo || fail "The build has errors or warnings."
# The build holds style and analyzers, whose warnings are errors; only white space is left.
dotnet format whitespace MixpanelConnector.slnx --verify-no-changes --no-restore || fail "The format differs: run dotnet format."

bash eng/native.sh || fail "The programs that are compiled ahead of time could not be, or with warnings."

# One program for each processor, those that take longest first. No test has a limit of time but an hour, so it is the same how they share the machine.
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
# The imports of tests/Faults are started hundreds of times: the program that starts at once says and does what the other does, as NativeToolTests see.
export NATIVE_TOOL=$PWD/artifacts/native/MixpanelConnector.Tool.Native/mixpanel LOGS=$logs
run() { # run PROGRAM ARGUMENT...: what failed is shown, what passed is counted
  local name log status; name=$(basename "$1"); log=$LOGS/$name
  case $name in *.Faults) export MIXPANEL_TOOL=$NATIVE_TOOL ;; esac
  "$@" -noColor > "$log" 2>&1; status=$?
  [ $status -eq 0 ] || { echo "--- $name: exit $status"; cat "$log"; echo "$name" >> "$LOGS/failed"; }
  echo "$name: $(grep -o "Total: .*" "$log" | tail -n 1)"
}
export -f run
programs() { # the test programs, those that take longest first
  local project folder
  for project in tests/{Faults,EndToEnd,MixpanelConnector.Emulator.Tests,MixpanelConnector.Tool.Tests}/*.csproj $(grep -l TestingPlatformDotnetTestSupport tests/*/*.csproj); do
    folder=${project%/*}
    echo "$folder/bin/Release/net10.0/MixpanelConnector.${folder##*/}" | sed 's/MixpanelConnector\.MixpanelConnector\./MixpanelConnector./'
  done | awk '!seen[$0]++'
}
programs | xargs -P "$(nproc)" -I PROGRAM bash -c 'run "$@"' - PROGRAM "$@"

count() { sed -n "s/.* Total: .*$1: \([0-9]*\).*/\1/p" "$logs"/MixpanelConnector.* | awk '{ sum += $1 } END { print sum + 0 }'; }
total=$(sed -n "s/.* Total: \([0-9]*\).*/\1/p" "$logs"/MixpanelConnector.* | awk '{ sum += $1 } END { print sum + 0 }')
failed=$(($(count Failed) + $(count Errors)))
[ ! -s "$logs/failed" ] || [ "$failed" -gt 0 ] || failed=$(wc -l < "$logs/failed")   # a program that broke is a failure too
echo "$((total - $(count Failed) - $(count Errors) - $(count Skipped))) passed, $failed failed"
[ "$total" -gt 0 ] && [ "$failed" -eq 0 ]
