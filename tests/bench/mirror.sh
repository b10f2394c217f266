#!/usr/bin/env bash
# How fast nfpki-audit takes a ledger into a mirror and answers from it, at each size on the way: a state of so many
# certificates is written through the verbs of ca.db (bench.fill), published, and mirrored.
#   tests/bench/mirror.sh [CERTIFICATES] [--sizes "10000 ..."] [--keep DIR] [--json FILE] [--bin DIR]
# Sizes are 10,000, and ten times as many each up to CERTIFICATES (100,000; 1000000 takes its time). What was aimed at
# stands beside what was measured. --keep DIR: the last ledger and mirror are left there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source tests/bench/lib.sh

usage() { sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2; }
bin='' sizes='' largest=100000 json='' keep=''
while [[ $# -gt 0 ]]; do
  case $1 in
    --bin | --sizes | --json | --keep)
      [[ $# -ge 2 ]] || usage
      declare "${1#--}=$2"
      shift 2
      ;;
    [0-9]*) largest=$1; shift ;;
    *) usage ;;
  esac
done
if [[ -z $sizes ]]; then
  for ((n = 10000; n < largest; n *= 10)); do sizes+=" $n"; done
  sizes+=" $largest"
fi
[[ -z $json ]] || json=$(realpath -m -- "$json")
[[ -z $keep ]] || keep=$(realpath -m -- "$keep")
[[ -n $bin ]] || bench_programs
source tests/support/pki.sh
pki_start
stop_daemon ra
stop_daemon ca
mkdir -m 700 "$pki/credentials"
cp -p "$pki"/{ca,ra}/credentials/*.pin "$pki/credentials/"

names=(size leaves verify_s mirror_s leaves_per_s cpu_s cpu_us_per_leaf peak_kib ledger db octets_per_leaf nothing_new_ms
  incremental_leaves incremental_ms serial_ms nf_ms window_ms revoked_ms days_ms profiles_ms outages_ms prove_ms
  status_ms live_ms expires_ms since_ms reason_ms ra_ms waiting_ms never_used_ms events_ms events_since_ms subject_ms
  start_ms load)
lists='status live expires since reason ra waiting never_used events events_since'
declare -A value aim=([leaves_per_s]='>= 20000' [cpu_us_per_leaf]='< 100 on two cores' [peak_kib]='<= 131072, and flat' [serial_ms]='< 50' [nf_ms]='< 50'
  [window_ms]='< 50' [revoked_ms]='< 50' [days_ms]='< 50' [outages_ms]='< 50' [prove_ms]='< 50' [subject_ms]='reads all subjects')
for name in $lists; do aim[${name}_ms]='< 50'; done

# timed COMMAND...: wall and CPU seconds, and the largest resident size in KiB, into $pki/timed
timed() {
  python3 - "$pki/timed" "$@" <<'PYTHON'
import resource, subprocess, sys, time
start = time.monotonic()
status = subprocess.run(sys.argv[2:], stdout=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as out:
    print(round(time.monotonic() - start, 3), round(used.ru_utime + used.ru_stime, 3), used.ru_maxrss, file=out)
sys.exit(status)
PYTHON
}
mirror() { timed "$bin/nfpki-audit" --key "$pki/log.vkey" mirror --stale 999999 "$@" "$pki/ledger" "$db"; }
question() { "$bin/nfpki-audit" --mirror "$db" "$@"; }
answered() { # answered NAME QUESTION...: milliseconds, with the start of the program; the median of 5, where they count
  local name=$1 i n=$((value[size] < 1000 ? 1 : 5))
  shift
  value[$name]=$(for ((i = 0; i < n; i++)); do took question "$@" 2>/dev/null; done | median)
}
fill() {
  CREDENTIALS_DIRECTORY=$pki/credentials "$bin/bench.fill" "$pki" "$1" 2 >"$pki/filled" 2>"$pki/filled.log" ||
    fail "bench.fill: $(tail -n 1 "$pki/filled.log")"
}
leaves() { sed -n 2p "$pki/ledger/checkpoint"; }

db=$pki/mirror.db
has=0
(IFS=$'\t'; echo "${names[*]}") >"$pki/mirror.tsv"
for size in $sizes; do
  fill $((size - has))
  has=$size
  value[size]=$size value[leaves]=$(leaves)
  timed "$bin/nfpki-audit" --ledger "$pki/ledger" --key "$pki/log.vkey" verify || [[ $? -eq 4 ]]
  read -r value[verify_s] _ <"$pki/timed"
  rm -f "$db"*
  mirror --init || [[ $? -eq 4 ]]
  read -r value[mirror_s] value[cpu_s] value[peak_kib] <"$pki/timed"
  value[leaves_per_s]=$(awk -v n="${value[leaves]}" -v s="${value[mirror_s]}" 'BEGIN {printf "%.0f", n / s}')
  value[cpu_us_per_leaf]=$(awk -v n="${value[leaves]}" -v s="${value[cpu_s]}" 'BEGIN {printf "%.1f", 1e6 * s / n}')
  value[db]=$(stat -c %s "$db") value[ledger]=$(find "$pki/ledger" -type f -printf '%s\n' | awk '{s += $1} END {print s}')
  value[octets_per_leaf]=$((value[db] / value[leaves]))
  mirror || [[ $? -eq 4 ]]
  value[nothing_new_ms]=$(awk '{print $1 * 1000}' "$pki/timed")
  before=$(leaves)
  fill 250
  has=$((has + 250))
  mirror || [[ $? -eq 4 ]]
  value[incremental_leaves]=$(($(leaves) - before)) value[incremental_ms]=$(awk '{print $1 * 1000}' "$pki/timed")

  question sql --format csv "SELECT lower(hex(serial)) AS s, nf FROM certificates
    WHERE nf IS NOT NULL AND leaf > $((value[leaves] / 2)) LIMIT 1" >"$pki/one"
  IFS=, read -r serial nf < <(sed -n 2p "$pki/one" | tr -d '"\r')
  serial=${serial#0x}
  answered start_ms sql 'SELECT 1'
  answered serial_ms list certificates --serial "$serial"
  answered nf_ms list certificates --nf "$nf"
  answered window_ms sql "SELECT serial, nf FROM certificates WHERE not_after BETWEEN
    (SELECT not_after FROM certificates WHERE serial = x'$serial') AND
    (SELECT not_after FROM certificates WHERE serial = x'$serial') + 60 LIMIT 100"
  answered revoked_ms sql 'SELECT reason, sum(n) FROM days WHERE kind = '"'REVOKED'"' GROUP BY 1'
  answered days_ms sql 'SELECT time, kind, sum(n) FROM days GROUP BY 1, 2'
  answered profiles_ms sql 'SELECT profile, sum(n) FROM days GROUP BY 1'
  answered outages_ms sql 'SELECT kind, count(*), sum(seconds) FROM outages GROUP BY 1'
  answered prove_ms sql "SELECT hash FROM leaves WHERE leaf = $((value[leaves] / 3))"
  # what few or no rows pass is looked for in all of them, unless an index knows
  answered status_ms list certificates --status rejected --limit 100
  answered live_ms list certificates --status live --limit 100
  answered expires_ms list certificates --expires-within 1 --limit 100
  answered since_ms list certificates --since 2100-01-01 --limit 100
  answered reason_ms list certificates --reason aACompromise --limit 100
  answered ra_ms list certificates --ra nobody --limit 100
  answered waiting_ms list requests --status waiting --limit 100
  answered never_used_ms list registrations --never-used --limit 100
  answered events_ms list events --limit 100
  answered events_since_ms list events --since 2100-01-01 --limit 100
  answered subject_ms list certificates --subject nobody --limit 100
  value[load]=$(awk '{print $1}' /proc/loadavg)
  line=()
  for name in "${names[@]}"; do line+=("${value[$name]:--}"); done
  (IFS=$'\t'; echo "${line[*]}") >>"$pki/mirror.tsv"
  echo "$size certificates: ${value[leaves_per_s]} leaves/s, ${value[peak_kib]} KiB"
done

echo
echo "nfpki $(git rev-parse --short HEAD 2>/dev/null || echo -), $(nproc) cores, SQLite $(sqlite3 --version | cut -d' ' -f1); questions with"
echo "the start of the program (start_ms), medians of 5; octets for ledger and db"
echo
for name in "${names[@]}"; do
  printf '%-20s' "$name"
  awk -F '\t' -v n="$name" 'NR == 1 {for (i = 1; i <= NF; i++) if ($i == n) c = i; next} {printf " %14s", $c}' "$pki/mirror.tsv"
  echo "${aim[$name]:+   aim ${aim[$name]}}"
done
if [[ -n $json ]]; then
  to_json "$pki/mirror.tsv" >"$json"
fi
if [[ -n $keep ]]; then
  mkdir -p "$keep"
  rm -rf "$keep/ledger"
  cp -r "$pki/ledger" "$keep/"
  cp "$db" "$pki/log.vkey" "$keep/"
fi
