#!/usr/bin/env bash
# Takes screenshots of every page of the console with the sample data, wide and narrow, light and dark: eng/pictures.sh FOLDER
# Needs the program built for Release, Chromium, and npm ci in tests/EndToEnd/clients.
set -euo pipefail
folder=$(mkdir -p "${1:?a folder for the pictures}" && cd "$1" && pwd)
cd "$(dirname "$0")/.."
home=$(mktemp -d)
HOME=$home dotnet src/MixpanelConnector.Tool/bin/Release/net10.0/mixpanel.dll emulator --port 0 --data :memory: > "$home/said" &
emulator=$!
trap 'kill $emulator; wait $emulator || true; rm -rf "$home"' EXIT
until address=$(grep -o '"address":"[^"]*' "$home/said" | cut -d'"' -f4) && [ -n "$address" ]; do kill -0 $emulator; sleep 0.1; done
node tests/EndToEnd/clients/console.mjs pictures "$address/" "$folder"
ls "$folder"
