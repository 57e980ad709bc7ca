#!/usr/bin/env bash
# Starts the demo clinic with the demo patient's report: in a terminal until Ctrl-C, elsewhere in the background.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

start=(.venv/bin/vertebro clinic --demo --case demo-output/case)
if [ -t 1 ]; then
    exec "${start[@]}"
fi

log=demo-output/clinic.log
setsid "${start[@]}" >"$log" 2>&1 </dev/null &
clinic=$!
for _ in $(seq 300); do
    if grep -q "The clinic is at" "$log" || ! kill -0 "$clinic" 2>/dev/null; then break; fi
    sleep 1
done
cat "$log"
if ! kill -0 "$clinic" 2>/dev/null; then
    echo "The demo clinic did not start." >&2
    exit 1
fi
echo "There is no terminal here, so the clinic goes on in the background. Stop it with: kill $clinic"
