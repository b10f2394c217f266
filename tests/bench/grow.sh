#!/usr/bin/env bash
# How everything is when the record is large: a state of so many certificates, written through the verbs
# of ca.db (bench.fill), and at each size on the way what an operator and a network function wait for.
#   tests/bench/grow.sh [CERTIFICATES] [--sizes "0 10000 ..."] [--enrolments N] [--connections N]
#                       [--json FILE] [--plots DIR] [--bin DIR]
# Sizes are 0, 10,000, and ten times as many each up to CERTIFICATES (10,000). One in a hundred is revoked.
# ra.db has what is enrolled here over CMP, and nothing of what is filled.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source tests/bench/lib.sh

usage() { sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2; }
bin='' sizes='' largest=10000 enrolments=500 connections=16 json='' plots=''
while [[ $# -gt 0 ]]; do
  case $1 in
    --bin | --sizes | --enrolments | --connections | --json | --plots)
      [[ $# -ge 2 ]] || usage
      declare "${1#--}=$2"
      shift 2
      ;;
    [0-9]*) largest=$1; shift ;;
    *) usage ;;
  esac
done
if [[ -z $sizes ]]; then
  sizes=0
  for ((n = 10000; n < largest; n *= 10)); do sizes+=" $n"; done
  [[ $largest -eq 0 ]] || sizes+=" $largest"
fi
[[ -z $json ]] || json=$(realpath -m -- "$json")
if [[ -n $plots ]]; then
  plots=$(realpath -m -- "$plots")
  install_packages gnuplot-nox
  mkdir -p "$plots"
fi
[[ -n $bin ]] || bench_programs
source tests/support/pki.sh
pki_start

names=(size filled_per_s start_ms start_ra_ms enrolled_per_s p50_ms p99_ms revoke_ms status_ms crl_ms crl_octets
  audit_s show_s ca_rss_kib ca_peak_kib ra_rss_kib issuing_rss_kib log_rss_kib ca_db ra_db issuing_journal
  log_journal ledger wal c_sign fsync load)
declare -A value
(IFS=$'\t'; echo "${names[*]}") >"$pki/growth.tsv"

# The fill needs both hosts' PINs.
mkdir -m 700 "$pki/credentials"
cp -p "$pki"/{ca,ra}/credentials/*.pin "$pki/credentials/"

fill() { # fill COUNT: the daemons are stopped
  CREDENTIALS_DIRECTORY=$pki/credentials "$bin/bench.fill" "$pki" "$1" 1 >"$pki/filled" 2>"$pki/filled.log" ||
    fail "bench.fill: $(tail -n 1 "$pki/filled.log")"
  value[filled_per_s]=$(awk '/^rate/ {print $2}' "$pki/filled")
}

ready() { grep -c '"event":"ready"' "$pki/log/nfpki-$1.log"; }

start_patiently() { # start_patiently ca|ra: a large record may take longer than the start script waits
  local before
  before=$(ready "$1") || true
  start_daemon "$1" >/dev/null || while [[ $(ready "$1") -eq $before ]]; do
    running "$(<"$pki/$1.pid")" || fail "nfpki-$1 does not start"
    sleep 0.2
  done
}

ready_ms() { # ready_ms ca|ra: started, until it says that it is ready
  local start
  start=$(now_ms)
  start_patiently "$1"
  echo $(($(date -d "$(grep '"event":"ready"' "$pki/log/nfpki-$1.log" | tail -n 1 |
    sed -E 's/.*"time":"([^"]*)".*/\1/')" +%s%3N) - start))
}

octets() { # octets FILE...: with all that is in folders
  find "$@" -type f -printf '%s\n' 2>/dev/null | awk '{s += $1} END {print s + 0}'
}

memory() { # memory NAME FIELD: KiB
  local pid
  pid=$(processes | awk -v n="$1" '$2 == n {print $1}' | sed -n 1p)
  awk -v f="$2:" '$1 == f {print $2}' "/proc/$pid/status"
}

issue_rate() {
  local name number
  register_many "$enrolments"
  "$bin/bench.enrol" -o "$pki/new" 127.0.0.1 "$port" "$path" "$pki/credentials.txt" "$enrolments" "$connections" \
    >"$pki/figures"
  while read -r name number _; do
    value[$name]=$number
  done <"$pki/figures"
  value[enrolled_per_s]=${value[rate]} value[p50_ms]=${value[p50]} value[p99_ms]=${value[p99]}
}

serial_of() { openssl x509 -inform DER -in "$pki/new/$1.der" -noout -serial | cut -d= -f2 | tr A-F a-f; }

operator() { # what an operator waits for: a new CRL is out when revoke ends
  local i
  value[revoke_ms]=$(for ((i = 0; i < 5; i++)); do took cactl revoke "$(serial_of $i)" --reason superseded; done | median)
  value[status_ms]=$(for ((i = 0; i < 5; i++)); do took cactl status; done | median)
  value[crl_ms]=$(for ((i = 0; i < 3; i++)); do took cactl crl; done | median)
  value[crl_octets]=$(stat -c %s "$pki/crl/issuing.crl")
  published
  value[audit_s]=$(took audit verify | awk '{print $1 / 1000}')
  value[show_s]=$(took audit show "$(serial_of 7)" | awk '{print $1 / 1000}')
}

space() {
  value[ca_rss_kib]=$(memory nfpki-ca VmRSS) value[ca_peak_kib]=$(memory nfpki-ca VmHWM)
  value[ra_rss_kib]=$(memory nfpki-ra VmRSS)
  value[issuing_rss_kib]=$(memory nfpki-signer/issuing VmRSS) value[log_rss_kib]=$(memory nfpki-signer/log VmRSS)
  value[ca_db]=$(octets "$pki/ca/state/ca.db") value[ra_db]=$(octets "$pki/ra/state/ra.db")
  value[wal]=$(octets "$pki/ca/state/ca.db-wal")
  value[issuing_journal]=$(octets "$pki/ca/state/issuing.journal")
  value[log_journal]=$(octets "$pki/ca/state/log.journal")
  value[ledger]=$(octets "$pki/ledger")
}

measure() { # measure SIZE: what the PKI has now
  local name number line=()
  value[size]=$1
  yardsticks >"$pki/yardsticks"
  while read -r name number _; do
    value[$name]=$number
  done <"$pki/yardsticks"
  value[start_ms]=$(ready_ms ca)
  value[start_ra_ms]=$(ready_ms ra)
  mkdir -p "$pki/new"
  issue_rate
  operator
  space
  for name in "${names[@]}"; do
    line+=("${value[$name]:--}")
  done
  (IFS=$'\t'; echo "${line[*]}") >>"$pki/growth.tsv"
  echo "$1 certificates: start ${value[start_ms]} ms, ${value[enrolled_per_s]}/s, revoke ${value[revoke_ms]} ms"
}

has=0
for size in $sizes; do
  stop_daemon ra
  stop_daemon ca
  value[filled_per_s]=-
  if [[ $size -gt $has ]]; then
    fill $((size - has))
    has=$size
    start_patiently ca # compares what was filled with the journal, once
    stop_daemon ca
  fi
  measure "$size"
done

echo
echo "nfpki $(git rev-parse --short HEAD 2>/dev/null || echo -), $(nproc) cores, $(openssl version | cut -d' ' -f1,2), SoftHSM; $enrolments MAC"
echo "protected enrolments over $connections connections at each size; c_sign, fsync: /s, raw, in the same minute"
echo
awk -F '\t' '{for (i = 1; i <= NF; i++) cell[NR, i] = $i; n = NF}
  END {for (i = 1; i <= n; i++) {printf "%-18s", cell[1, i]; for (r = 2; r <= NR; r++) printf " %14s", cell[r, i]; print ""}}' \
  "$pki/growth.tsv"
if [[ -n $json ]]; then
  to_json "$pki/growth.tsv" >"$json"
fi
if [[ -n $plots ]]; then
  t=$pki/growth.tsv
  plot "$plots/growth-rate.svg" 'enrolments a second' 'certificates in ca.db' '1/s' "'$t' using (\$1+1):5 with linespoints"
  plot "$plots/growth-latency.svg" 'what is waited for' 'certificates in ca.db' 'ms' \
    "for [i in '3 6 7 8 9 10'] '$t' using (\$1+1):int(i) with linespoints"
  plot "$plots/growth-memory.svg" 'resident memory' 'certificates in ca.db' 'KiB' \
    "for [i=14:18] '$t' using (\$1+1):i with linespoints"
  plot "$plots/growth-disk.svg" 'on disk' 'certificates in ca.db' 'octets' "for [i=19:23] '$t' using (\$1+1):i with linespoints"
fi
