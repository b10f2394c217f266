#!/usr/bin/env bash
# The benchmarks run to their end, small; nothing is said about time.
#   tests/bench/smoke.sh BIN
set -euo pipefail
bin=$(cd "$1" && pwd)
here=$(dirname "$0")
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

"$here/grow.sh" --bin "$bin" --sizes '0 40' --enrolments 10 --connections 4 --json "$out/growth.json" --plots "$out" | tail -n 30
[[ $(jq -c '[.[] | .size]' "$out/growth.json") == '[0,40]' ]] || { echo 'FAILED: growth.json'; exit 1; }
jq -e 'all(.[]; .enrolled_per_s > 0 and .ca_rss_kib > 0 and .ledger > 0)' "$out/growth.json" >/dev/null

"$here/run.sh" --bin "$bin" --quick --overload 1 --soak 1 --json "$out/run.json" --plots "$out" |
  tail -n 30
[[ $(jq -c '[.runs[] | .kind + " " + .confirm]' "$out/run.json") == \
  '["mac certConf","mac implicit","sig certConf","sig implicit"]' ]] || { echo 'FAILED: run.json'; exit 1; }
jq -e 'all(.runs[]; .per_s > 0 and .server_us > 0 and .signatures > 1) and (.processes | length == 20)' "$out/run.json" >/dev/null
jq -e '(.overload | length == 4) and all(.overload[]; .n > 0 and .drained_per_s > 0) and
  all(.soak[]; .enrolled > 0 and .ra_descriptors > 0)' "$out/run.json" >/dev/null
"$here/mirror.sh" --bin "$bin" --sizes 40 --json "$out/mirror.json" | tail -n 45
jq -e 'length == 1 and all(.[]; .size == 40 and .leaves > 160 and .leaves_per_s > 0 and .peak_kib > 0 and .waiting_ms > 0 and
  .incremental_leaves > 900)' "$out/mirror.json" >/dev/null || { echo 'FAILED: mirror.json'; exit 1; }

for plot in rate latency cpu overload soak-latency soak-memory growth-rate growth-latency growth-memory growth-disk; do
  python3 -c 'import sys, xml.dom.minidom as x; sys.exit(not x.parse(sys.argv[1]).getElementsByTagName("path"))' \
    "$out/$plot.svg" || { echo "FAILED: $plot.svg"; exit 1; }
done
