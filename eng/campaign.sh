#!/usr/bin/env bash
# Long runs that are no part of the tests. `campaign.sh tracker` kills a process that tracks durably, and counts what was lost:
# 10 kills and 100,000 events by default; as many as you like with --kills 200 --events 2000000 --seed 1.
set -euo pipefail
cd "$(dirname "$0")/.."
case "${1:-}" in
  tracker)
    shift
    dotnet build bench/MixpanelConnector.Bench -c Release -v quiet -nologo
    settings=("$@")
    [[ " $* " == *" --events "* ]] || settings+=(--events 100000)
    dotnet bench/MixpanelConnector.Bench/bin/Release/net10.0/MixpanelConnector.Bench.dll campaign "${settings[@]}"
    ;;
  *)
    echo "campaign.sh: say tracker" >&2
    exit 2
    ;;
esac
