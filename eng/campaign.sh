#!/usr/bin/env bash
# Runs a campaign against the importer: longer than a test, and repeatable by its seed. The last lines tell the result.
#   bash eng/campaign.sh kills [N] [SEED]        N imports' processes are killed at random moments (1000)
#   bash eng/campaign.sh operations [STRIDE]     killed before every STRIDE-th operation on disk or network (1: each)
#   bash eng/campaign.sh soak [EVENTS] [SEED]    one import of so many events, one request in thirty with a fault (20000000)
set -uo pipefail
cd "$(dirname "$0")/.."

usage() { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }

faults() { # faults CLASS: runs one class of tests/Faults, whose progress comes through a file
  dotnet build tests/Faults -c Release -v quiet -nologo || exit 1
  CAMPAIGN_LOG=$(mktemp); export CAMPAIGN_LOG
  tail -f -n +1 "$CAMPAIGN_LOG" & local tail=$!
  tests/Faults/bin/Release/net10.0/MixpanelConnector.Faults -class "*$1" > "$CAMPAIGN_LOG.tests"
  local status=$?
  [ $status -eq 0 ] || cat "$CAMPAIGN_LOG.tests"
  sync; kill $tail; wait $tail 2>/dev/null
  echo; tail -n 3 "$CAMPAIGN_LOG"
  [ $status -eq 0 ] && echo "$1: passed" || echo "$1: FAILED"
  rm -f "$CAMPAIGN_LOG" "$CAMPAIGN_LOG.tests"
  return $status
}

case "${1:-}" in
  kills) CAMPAIGN_KILLS=${2:-1000} CAMPAIGN_SEED=${3:-20261123} faults F01_KillTests ;;
  operations) CAMPAIGN_EVERY=${2:-1} faults F02_EveryOperationTests ;;
  soak) CAMPAIGN_EVENTS=${2:-20000000} CAMPAIGN_SEED=${3:-20261123} faults SoakTests ;;
  # a further campaign, such as fuzz, is a further case here, and a line of the usage above
  *) usage ;;
esac
