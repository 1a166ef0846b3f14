#!/usr/bin/env bash
# Long runs that are too long for the tests.
#   bash eng/campaign.sh fuzz [MINUTES] [TARGET...]   fuzzing, guided by coverage; MINUTES for each target (2)
# TARGETs of fuzz: Decoder Validator Gzip State Replies. MIXPANEL_FUZZ_SEED chooses other inputs.
set -euo pipefail
cd "$(dirname "$0")/.."

fuzz() {
  local minutes=${1:-2}; shift || true
  local targets=("$@"); [ ${#targets[@]} -gt 0 ] || targets=(Decoder Validator Gzip State Replies)
  local work; work=$(mktemp -d)
  trap "rm -rf '$work'" EXIT
  dotnet build tests/Fuzz -c Release -v quiet -nologo -p:RunAnalyzers=false
  cp -r tests/Fuzz/bin/Release/net10.0 "$work/fuzz"
  dotnet tool install SharpFuzz.CommandLine --version 2.3.0 --tool-path "$work/tool" >/dev/null
  for assembly in MixpanelConnector MixpanelConnector.Sqlite; do "$work/tool/sharpfuzz" "$work/fuzz/$assembly.dll"; done
  local status=0
  for target in "${targets[@]}"; do
    MIXPANEL_FUZZ_SECONDS=$(awk "BEGIN { print $minutes * 60 }") "$work/fuzz/MixpanelConnector.Fuzz" -method "MixpanelConnector.Fuzz.FuzzTests.$target" -showLiveOutput -noColor || status=1
  done
  return $status
}

case "${1:-}" in
  fuzz) shift; fuzz "$@" ;;
  *) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 2 ;;
esac
