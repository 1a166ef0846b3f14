#!/usr/bin/env bash
# Runs a campaign: longer than a test, and reproducible by its seed. The last lines show the result.
#   bash eng/campaign.sh kills [N] [SEED]             the processes of N imports are killed at random times (1000), then others of every format and type
#   bash eng/campaign.sh exports [N] [SEED]           N kills of exports of each format (100), each of which must produce the files of an undisturbed export
#   bash eng/campaign.sh migrations [N] [SEED]        N kills of migrations (100), each of which must end with the same events on both sides
#   bash eng/campaign.sh operations [STRIDE]          kills before every STRIDE-th operation on disk or network (1: each)
#   bash eng/campaign.sh soak [EVENTS] [SEED]         one import of EVENTS events, with a fault in one of thirty requests (20000000)
#   bash eng/campaign.sh tracker [KILLS] [EVENTS] [SEED]   a process with a durable tracker is killed KILLS times (10) during EVENTS events (100000)
#   bash eng/campaign.sh outbox [STRIDE]              a process with a durable tracker crashes, or loses power, before every STRIDE-th operation (7)
#   bash eng/campaign.sh queues [KILLS] [LEADERS] [SEED]   consumers of RabbitMQ are killed KILLS times (200); leaders of three nodes are killed or frozen (12)
#   bash eng/campaign.sh connectors                   the n8n node is linted and built, and n8n itself runs a workflow with it: installs n8n, 3 GB in the temporary folder
#   bash eng/campaign.sh native                       tests/EndToEnd and tests/Faults with the tool compiled ahead of time
#   bash eng/campaign.sh reports [SEEDS]              the reports on SEEDS random projects (200), compared with simple computations
#   bash eng/campaign.sh records [N]                  the validation of records compared with the base library's parser, for N mutated records (200000)
#   bash eng/campaign.sh fuzz [MINUTES] [TARGET...]   coverage-guided fuzzing; MINUTES for each target (2)
# With MIXPANEL_TOOL=FILE, kills, operations and soak start another build of the tool.
# TARGETs of fuzz: Decoder Validator Gzip Avro State Replies. MIXPANEL_FUZZ_SEED selects other inputs.
set -uo pipefail
cd "$(dirname "$0")/.."

usage() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0" >&2; exit 2; }

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

fuzz() { # fuzz MINUTES TARGET...: on copies of the assemblies that count where they have been
  local minutes=${1:-2}; shift || true
  local targets=("$@"); [ ${#targets[@]} -gt 0 ] || targets=(Decoder Validator Gzip Avro State Replies)
  local work; work=$(mktemp -d)
  trap "rm -rf '$work'" EXIT
  dotnet build tests/Fuzz -c Release -v quiet -nologo -p:RunAnalyzers=false || exit 1
  cp -r tests/Fuzz/bin/Release/net10.0 "$work/fuzz"
  dotnet tool install SharpFuzz.CommandLine --version 2.3.0 --tool-path "$work/tool" >/dev/null || exit 1
  for assembly in MixpanelConnector MixpanelConnector.Formats MixpanelConnector.Sqlite; do "$work/tool/sharpfuzz" "$work/fuzz/$assembly.dll" || exit 1; done
  local status=0
  for target in "${targets[@]}"; do
    MIXPANEL_FUZZ_SECONDS=$(awk "BEGIN { print $minutes * 60 }") "$work/fuzz/MixpanelConnector.Fuzz" -method "MixpanelConnector.Fuzz.FuzzTests.$target" -showLiveOutput -noColor || status=1
  done
  return $status
}

native() { # what starts processes, with the tool compiled ahead of time
  local work; work=$(mktemp -d)
  trap "rm -rf '$work'" EXIT
  dotnet build MixpanelConnector.slnx -c Release -v quiet -nologo || exit 1
  dotnet publish src/MixpanelConnector.Tool.Native -c Release -v quiet -nologo -o "$work" || exit 1
  local status=0 suite
  for suite in EndToEnd Faults; do
    MIXPANEL_TOOL=$work/mixpanel "tests/$suite/bin/Release/net10.0/MixpanelConnector.$suite" -noColor > "$work/log" || { status=1; cat "$work/log"; }
    tail -n 1 "$work/log"
  done
  return $status
}

case "${1:-}" in
  kills) export CAMPAIGN_KILLS=${2:-1000} CAMPAIGN_SEED=${3:-20261123}; faults KillTests && faults KindTests ;;
  exports) CAMPAIGN_EXPORT_KILLS=${2:-100} CAMPAIGN_SEED=${3:-20261123} faults ExportKillTests ;;
  migrations) CAMPAIGN_MIGRATION_KILLS=${2:-100} CAMPAIGN_SEED=${3:-20261123} faults MigrationKillTests ;;
  operations) CAMPAIGN_EVERY=${2:-1} faults EveryOperationTests ;;
  outbox) CAMPAIGN_EVERY=${2:-7} faults TrackerTests ;;
  soak) CAMPAIGN_EVENTS=${2:-20000000} CAMPAIGN_SEED=${3:-20261123} faults SoakTests ;;
  tracker)
    dotnet build bench/MixpanelConnector.Bench -c Release -v quiet -nologo || exit 1
    dotnet bench/MixpanelConnector.Bench/bin/Release/net10.0/MixpanelConnector.Bench.dll campaign --kills "${2:-10}" --events "${3:-100000}" --seed "${4:-1}"
    ;;
  queues)
    [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || { apt-get update && apt-get install -y rabbitmq-server; } || exit 1
    dotnet build tests/MixpanelConnector.RabbitMq.Tests -c Release -v quiet -nologo && dotnet build src/MixpanelConnector.Tool -c Release -v quiet -nologo || exit 1
    CAMPAIGN_QUEUE_KILLS=${2:-200} CAMPAIGN_QUEUE_LEADERS=${3:-12} CAMPAIGN_SEED=${4:-20261129} tests/MixpanelConnector.RabbitMq.Tests/bin/Release/net10.0/MixpanelConnector.RabbitMq.Tests -noColor
    ;;
  connectors) dotnet build src/MixpanelConnector.Tool -c Release -v quiet -nologo && bash eng/n8n.sh ;;
  native) native ;;
  reports)
    dotnet build tests/MixpanelConnector.Emulator.Tests -c Release -v quiet -nologo || exit 1
    CAMPAIGN_SEEDS=${2:-200} tests/MixpanelConnector.Emulator.Tests/bin/Release/net10.0/MixpanelConnector.Emulator.Tests -noColor -class '*RandomReportTests'
    ;;
  records)
    dotnet build tests/MixpanelConnector.Tests -c Release -v quiet -nologo || exit 1
    CAMPAIGN_MUTATIONS=${2:-200000} tests/MixpanelConnector.Tests/bin/Release/net10.0/MixpanelConnector.Tests -noColor -class '*JsonScannerTests'
    ;;
  fuzz) shift; fuzz "$@" ;;
  *) usage ;;
esac
