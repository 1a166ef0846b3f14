#!/usr/bin/env bash
# Runs everything that must pass: format, build without warnings, the programs compiled ahead of time, and all tests.
# Installs what the tests need: packages from the lock files, and if missing the .NET SDK (into .dotnet in this clone),
# Node.js, Chromium and a C linker.
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

. eng/sdk.sh
use_sdk || fail "The .NET SDK that global.json names is needed: https://dotnet.microsoft.com/download"
need node nodejs
need npm npm
need python3 python3      # runs the example for Python
need curl curl            # comes through the proxy
need gcc gcc libc6-dev   # links the NativeAOT test program, and compiles the shim of tests/Faults
need prlimit util-linux  # with unshare and setpriv, for tests/Faults
[ -n "${CHROMIUM:-}" ] || command -v chromium-headless-shell chromium > /dev/null || need chromium-headless-shell chromium-headless-shell   # runs the console, and a page with Mixpanel's own script

export DOTNET_TieredPGO=0   # what runs once, analyzers and tests, is not measured for the optimizer, which takes a fifth of the time
(for packages in tests/EndToEnd/clients src/MixpanelConnector.Console; do (cd $packages && npm ci --silent --no-audit --no-fund) || exit 1; done) & npm=$!
dotnet restore MixpanelConnector.slnx --locked-mode -v quiet || fail "Restore failed."
with_one_compiler dotnet build MixpanelConnector.slnx -c Release --no-restore -v quiet -nologo || fail "The build has errors or warnings."
wait $npm || fail "The npm packages of the tests could not be installed."
# Each line of jobs() runs its jobs one after the other, and one more line runs at a time than there are processors, because much of the time
# is spent waiting. What compiles ahead of time is on the longest path and has priority. No test depends on how fast it runs: each has a limit
# of an hour. Each program has one too, so that only the one that hangs is stopped.
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
export NATIVE_TOOL=$PWD/artifacts/native/MixpanelConnector.Tool.Native/mixpanel LOGS=$logs LIMIT=40m
step() { # step COMPLAINT COMMAND...: what is no program of tests
  local complaint=$1 log; shift
  log=$(mktemp -p "$LOGS")
  "$@" > "$log" 2>&1 || { cat "$log"; echo "--- $complaint"; echo "$complaint" >> "$LOGS/broken"; }
}
cpu() { # cpu BEFORE AFTER: the seconds of processor time of a shell's children between two outputs of times
  awk 'FNR == 2 { gsub(/s/, ""); split($1, u, "m"); split($2, s, "m"); spent = 60 * (u[1] + s[1]) + u[2] + s[2] - spent } END { printf "%.0f s", spent }' "$@"
}
run() { # run JOB ARGUMENT...: what failed is shown, what passed is counted
  local job=$1 name log status; shift
  case $job in
    native)
      step "The program could not be compiled ahead of time, or with warnings." bash eng/native.sh src/MixpanelConnector.Tool.Native
      touch "$LOGS/native"
      return ;;
    programs)
      step "The test program could not be compiled ahead of time, or with warnings." bash eng/native.sh tests/NativeAot
      step "The libraries could not be built for .NET 8, or with warnings." bash eng/net8.sh
      return ;;
    format)   # the build holds style and analyzers, whose warnings are errors; only white space is left
      step "The format differs: run dotnet format." env DOTNET_TieredCompilation=0 dotnet format whitespace . --folder --verify-no-changes --exclude '**/bin/' --exclude '**/obj/' --exclude '**/node_modules/'
      return ;;
    *:native) # tests that start the tool hundreds of times: the program that starts at once says and does what the other does, as NativeToolTests see
      export MIXPANEL_TOOL=$NATIVE_TOOL
      while [ ! -e "$LOGS/native" ]; do sleep 1; done ;;
  esac
  case $job in
    *EndToEnd:native) set -- "$@" -trait tool=native ;;
    *EndToEnd:managed) set -- "$@" -trait- tool=native ;;
  esac
  name=$(basename "$job") log=$LOGS/$name.log
  times > "$log.before"
  # If interrupted, stops its program; timeout has its own process group, and stops all of it. A shell ignores SIGINT for what it runs in the
  # background, and what it starts inherits that; the tests send it.
  timeout --kill-after 1m "$LIMIT" env --default-signal=INT,QUIT "${job%:*}" -noColor -longRunning 60 "$@" > "$log" 2>&1 &
  trap "kill $!" INT TERM
  wait $!; status=$?
  if [ $status -ne 0 ]; then
    echo "--- $name: exit $status"; cat "$log"
    [ $status -ne 124 ] && [ $status -ne 137 ] || { echo "--- $name was ended after $LIMIT. Its tests that had run for more than a minute:"; grep 'Long Running Test' "$log" | tail -n 20; }
    grep -qE 'Total: .*(Errors|Failed): [1-9]' "$log" || echo "$name" >> "$LOGS/broken"   # it did not end as it should
  fi
  times > "$log.after"
  echo "$name: $(grep -o "Total: .*" "$log" | tail -n 1), CPU: $(cpu "$log.before" "$log.after")"
}
export -f run step cpu
jobs() { # a line for each slot, in the order of starting
  local project name tests=bin/Release/net10.0
  local emulator=tests/MixpanelConnector.Emulator.Tests/$tests/MixpanelConnector.Emulator.Tests kafka=tests/MixpanelConnector.Kafka.Tests/$tests/MixpanelConnector.Kafka.Tests
  local faults=tests/Faults/$tests/MixpanelConnector.Faults end_to_end=tests/EndToEnd/$tests/MixpanelConnector.EndToEnd
  printf '%s\n' "native $faults:native" "$end_to_end:managed" "$emulator" "programs $end_to_end:native" "$kafka"
  for project in $(grep -l TestingPlatformDotnetTestSupport tests/*/*.csproj); do
    name=$(basename "$project" .csproj)
    name=${project%/*}/$tests/$name
    case $name in "$emulator" | "$kafka" | "$faults" | "$end_to_end") ;; *) echo "$name" ;; esac
  done
  echo format
}
slot() { # slot JOBS ARGUMENT...
  local job all=$1; shift
  case $all in native*) ;; *) renice -n 5 $BASHPID > /dev/null ;; esac
  for job in $all; do run "$job" "$@"; done
}
export -f slot
jobs | xargs -P $(($(nproc) + 1)) -I JOBS bash -c 'slot "$@"' - JOBS "$@"

count() { sed -n "s/.* Total: \(.*\)/Total: \1/p" "$logs"/MixpanelConnector.* | sed -n "s/.*$1: \([0-9]*\).*/\1/p" | awk '{ sum += $1 } END { print sum + 0 }'; }
total=$(count Total)
broken=$(cat "$logs/broken" 2>/dev/null | wc -l)   # a program that broke is a failure too
failed=$(($(count Failed) + $(count Errors)))
echo "$((total - failed - $(count Skipped))) passed, $((failed + broken)) failed"
[ "$total" -gt 0 ] && [ $((failed + broken)) -eq 0 ]
