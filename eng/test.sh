#!/usr/bin/env bash
# Runs everything that must be green: format, build without warnings, and all tests.
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
dotnet format MixpanelConnector.slnx --verify-no-changes --no-restore || fail "The format differs: run dotnet format."

log=$(mktemp)
trap 'rm -f "$log"' EXIT
dotnet test --solution MixpanelConnector.slnx -c Release --no-build "$@" 2>&1 | tee "$log"
status=${PIPESTATUS[0]}
count() { sed -n "s/^ *$1: *\([0-9]*\).*/\1/p" "$log" | tail -n 1; }
passed=$(count succeeded); failed=$(count failed)
[ "$status" -eq 0 ] || [ "${failed:-0}" -gt 0 ] || failed=1   # a runner that broke is a failure too
echo "${passed:-0} passed, ${failed:-1} failed"
[ "$status" -eq 0 ] && [ "${passed:-0}" -gt 0 ] && [ "${failed:-1}" -eq 0 ]
