#!/usr/bin/env bash
# Enrolments over HTTP, each of a network function of its own, beside what the same machine gives raw in
# the same run.
#   tests/bench/run.sh [--connections "1 8 32 128 512"] [--kinds "mac sig"] [--confirms "certConf implicit"]
#                      [--count N] [--overload SECONDS] [--soak MINUTES] [--flood] [--json FILE] [--plots DIR]
#                      [--quick] [--bin DIR]
# For each number of connections: MAC and signature protected, with certConf and with implicitConfirm; N (2000)
# enrolments each, a third of it over one connection.
# --overload: then, of each kind, for so long as many a second begin as are five times the most that were
#   enrolled a second; who is refused comes again when he was told to, until all are enrolled
# --soak: at four fifths of the most, MAC with certConf, a line a minute: time, memory, descriptors, databases
# --flood: what becomes of few clients while four addresses send what costs most
# --quick: a few over 4 connections, to see that all of it runs
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source tests/bench/lib.sh

usage() { sed -n '2,15s/^# \{0,1\}//p' "$0"; exit 2; }
bin='' connections='1 8 32 128 512' count=2000 json='' plots='' flood=no kinds='mac sig' confirms='certConf implicit' syncs=200
overload=0 soak=0 minute=60
while [[ $# -gt 0 ]]; do
  case $1 in
    --bin | --connections | --kinds | --confirms | --count | --overload | --soak | --json | --plots)
      [[ $# -ge 2 ]] || usage
      declare "${1#--}=$2"
      shift 2
      ;;
    --quick) connections=4 count=24 syncs=8 minute=2; shift ;;
    --flood) flood=yes; shift ;;
    *) usage ;;
  esac
done
[[ -z $json ]] || json=$(realpath -m -- "$json")
if [[ -n $plots ]]; then
  plots=$(realpath -m -- "$plots")
  install_packages gnuplot-nox
  mkdir -p "$plots"
fi
[[ -n $bin ]] || bench_programs
source tests/support/pki.sh
pki_start

declare -A value
figures() { # figures PREFIX FILE: its "name value unit" lines into value[PREFIX.name]
  local name number
  while read -r name number _; do
    value[$1.$name]=$number
  done <"$2"
}

# ---- what processes took ----

counters() { # "NAME ticks switches written wchar" of each process of ours; all threads
  local pid name stat
  while read -r pid name; do
    stat=$(<"/proc/$pid/stat")
    # shellcheck disable=SC2086
    set -- ${stat##*) }
    echo "$name $((${12} + ${13}))" \
      "$(cat "/proc/$pid"/task/*/status | awk '/ctxt_switches/ {s += $2} END {print s}')" \
      "$(awk '/^write_bytes/ {b = $2} /^wchar/ {c = $2} END {print b, c}' "/proc/$pid/io")"
  done < <(processes)
}

signatures() { # lines of attempts in all journals
  cat "$pki"/{ca,ra}/state/*.journal | grep -vc ' N '
}

per_enrolment() { # per_enrolment N: from $pki/before and $pki/after, each process and then all
  join "$pki/before" "$pki/after" | awk -v n="$1" -v t="$(getconf CLK_TCK)" '
    {cpu = ($6 - $2) * 1e6 / t / n; sw = ($7 - $3) / n; wr = ($8 - $4) / n; ch = ($9 - $5) / n
     printf "%s %.0f %.1f %.0f %.0f\n", $1, cpu, sw, wr, ch; a += cpu; b += sw; c += wr; d += ch}
    END {printf "all %.0f %.1f %.0f %.0f\n", a, b, c, d}'
}

# ---- one load ----

prepare() { # prepare KIND CONFIRM N: as many network functions, registered; their arguments into client=()
  client=()
  [[ $2 != implicit ]] || client+=(-i)
  if [[ $1 == sig ]]; then
    rm -f "$pki/identities"
    "$bin/bench.enrol" -g "$pki/identities" "$3" >"$pki/fingerprints"
    client+=(-S "$pki/identities")
    register_many "$3" "$pki/fingerprints"
  else
    register_many "$3"
  fi
}

load() { # load N CONNECTIONS: bench.enrol with client=(), figures into $pki/figures
  "$bin/bench.enrol" "${client[@]}" 127.0.0.1 "$port" "$path" "$pki/credentials.txt" "$1" "$2" >"$pki/figures"
}

# A run of its own under strace, which is slow: only the calls are counted.
count_syncs() { # count_syncs KIND CONFIRM CONNECTIONS: syncing calls per enrolment; - where nobody may trace
  local arguments=() pid tracer
  prepare "$1" "$2" "$syncs"
  for pid in $(processes | cut -d' ' -f1); do arguments+=(-p "$pid"); done
  strace -f -qq -e trace=fsync,fdatasync,sync_file_range,msync -o "$pki/trace" "${arguments[@]}" 2>"$pki/strace.log" &
  tracer=$!
  sleep 1
  load "$syncs" "$3" || true
  kill -INT "$tracer" 2>/dev/null || { echo -; return 0; }
  wait "$tracer" 2>/dev/null || true
  awk -v n="$syncs" '/sync/ && !/resumed/ {s++} END {printf "%.2f\n", s / n}' "$pki/trace"
}

columns=(kind confirm connections n per_s p50_ms p99_ms client_us server_us switches written wchar signatures syncs
  refusals floor_us of_floor ca_us ra_us issuing_us log_us ra_signer_us c_sign fsync load)
(IFS=$'\t'; echo "${columns[*]}") >"$pki/runs.tsv"
printf 'kind\tconfirm\tconnections\tprocess\tcpu_us\tswitches\twritten\twchar\n' >"$pki/processes.tsv"

floor() { # floor SIGNATURES VERIFICATIONS MACS: microseconds
  awk -v s="$1" -v v="$2" -v m="$3" -v c="${value[yard.c_sign]}" -v w="${value[yard.sw_verify]}" \
    -v p="${value[yard.pbm_500]}" 'BEGIN {printf "%.0f", s * 1e6 / c + v * w + m * p}'
}
# MAC: C_Sign of the certificate; verified: proof of possession twice, the signature by its signer
# and by the CA; one key derivation. Heads of the RA's queue and checkpoints are signed once for
# many: left out. Signature: also the answers signed (and verified by the signer), the requests
# verified twice
floor_of() { # floor_of KIND CONFIRM
  case $1.$2 in
    mac.*) floor 1 4 1 ;;
    sig.certConf) floor 3 10 0 ;;
    sig.implicit) floor 2 7 0 ;;
  esac
}

of() { awk -v p="$1" '$1 == p {print $2}' "$pki/each"; }

measure() { # measure KIND CONFIRM CONNECTIONS
  local kind=$1 confirm=$2 at=$3 n=$count before line each=()
  [[ $at -gt 1 ]] || n=$(((count + 2) / 3))
  yardsticks >"$pki/yardsticks"
  figures yard "$pki/yardsticks"
  prepare "$kind" "$confirm" "$n"
  before=$(signatures)
  counters | sort >"$pki/before"
  load "$n" "$at"
  counters | sort >"$pki/after"
  per_enrolment "$n" >"$pki/each"
  figures run "$pki/figures"
  value[run.signatures]=$(awk -v s=$(($(signatures) - before)) -v n="$n" 'BEGIN {printf "%.2f", s / n}')
  value[run.floor]=$(floor_of "$kind" "$confirm")
  each=($(awk '$1 == "all" {print $2, $3, $4, $5}' "$pki/each"))
  value[run.syncs]=$(count_syncs "$kind" "$confirm" "$at")
  line=("$kind" "$confirm" "$at" "$n" "${value[run.rate]}" "${value[run.p50]}" "${value[run.p99]}" "${value[run.client]}"
    "${each[@]}" "${value[run.signatures]}" "${value[run.syncs]}"
    "${value[run.refusals]}" "${value[run.floor]}"
    "$(awk -v r="${value[run.rate]}" -v f="${value[run.floor]}" -v c="$(nproc)" 'BEGIN {printf "%.1f", r * f / c / 1e4}')"
    "$(of nfpki-ca)" "$(of nfpki-ra)" "$(of nfpki-signer/issuing)" "$(of nfpki-signer/log)" "$(of nfpki-signer/ra)"
    "${value[yard.c_sign]}" "${value[yard.fsync]}" "${value[yard.load]}")
  (IFS=$'\t'; echo "${line[*]}") >>"$pki/runs.tsv"
  awk -v k="$kind" -v c="$confirm" -v a="$at" '$1 != "all" {print k "\t" c "\t" a "\t" $1 "\t" $2 "\t" $3 "\t" $4 "\t" $5}' \
    "$pki/each" >>"$pki/processes.tsv"
  echo "$kind $confirm over $at: ${value[run.rate]}/s, p50 ${value[run.p50]} ms"
}

# ---- more than can be served ----

# most KIND CONFIRM: enrolments a second, the highest of the runs so far; 2 at least
most() {
  awk -F '\t' -v k="$1" -v c="$2" '$1 == k && $2 == c && $5 > m {m = $5} END {print m < 2 ? 2 : m}' "$pki/runs.tsv"
}

many=1024 # connections of those who do not wait for each other

overloads=(kind confirm max_per_s offered_per_s n served_per_s p50_ms p99_ms at_once refusals refusal_max_ms
  whole_p50_ms whole_p99_ms whole_max_ms late_max_ms drained_per_s)
overload() { # overload KIND CONFIRM
  local max rate n line
  max=$(most "$1" "$2")
  rate=$((5 * max)) n=$((5 * max * overload))
  prepare "$1" "$2" "$n"
  client+=(-r "$rate")
  load "$n" "$many" || fail "$1 $2, $rate a second: $(head -n 3 "$pki/figures")"
  figures over "$pki/figures"
  line=("$1" "$2" "$max" "$rate" "$n" "${value[over.during]}" "${value[over.p50]}" "${value[over.p99]}"
    "${value[over.at_once]}" "${value[over.refusals]}" "${value[over.refusal_max]}" "${value[over.whole_p50]}"
    "${value[over.whole_p99]}" "${value[over.whole_max]}" "${value[over.late_max]}" "${value[over.rate]}")
  (IFS=$'\t'; echo "${line[*]}") >>"$pki/overload.tsv"
  echo "$1 $2, $rate a second for $overload s: ${value[over.during]}/s of at most $max, p99 ${value[over.p99]} ms, all $n enrolled"
}

# ---- for long ----

soaked=(minute offered_per_s enrolled p50_ms p99_ms refusals ca_rss_kib ra_rss_kib signers_rss_kib ca_descriptors
  ra_descriptors ca_db ra_db)
resident() { # resident PATTERN: KiB of all processes of these names
  processes | awk -v p="$1" '$2 ~ p {print $1}' | while read -r pid; do
    awk '/^VmRSS/ {print $2}' "/proc/$pid/status"
  done | awk '{s += $1} END {print s + 0}'
}
descriptors() { # descriptors NAME
  find "/proc/$(processes | awk -v n="$1" '$2 == n {print $1}')/fd" -mindepth 1 | wc -l
}
soak() {
  local i rate n line
  rate=$(($(most mac certConf) * 4 / 5))
  n=$((rate * minute))
  for ((i = 1; i <= soak; i++)); do
    prepare mac certConf "$n"
    client+=(-r "$rate")
    load "$n" "$many" || fail "minute $i: $(head -n 3 "$pki/figures")"
    figures soak "$pki/figures"
    line=("$i" "$rate" "$n" "${value[soak.p50]}" "${value[soak.p99]}" "${value[soak.refusals]}"
      "$(resident nfpki-ca)" "$(resident nfpki-ra)" "$(resident nfpki-signer)" "$(descriptors nfpki-ca)"
      "$(descriptors nfpki-ra)" "$(stat -c %s "$pki/ca/state/ca.db")" "$(stat -c %s "$pki/ra/state/ra.db")")
    (IFS=$'\t'; echo "${line[*]}") >>"$pki/soak.tsv"
    echo "minute $i at $rate/s: p50 ${value[soak.p50]} ms, p99 ${value[soak.p99]} ms"
  done
}

table() { # table TSV
  awk -F '\t' '{for (i = 1; i <= NF; i++) printf i < 4 ? "%-14s" : "%16s", $i; print ""}' "$1"
}

# ---- few clients while others send as many iterations as are taken ----

# With the budgets that the product has (the quickstart has none: one machine plays everybody). The
# flood is niced: its own work is not what is measured.
flood() {
  local few=$((count < 400 ? count : 400)) i
  sed -i 's/^budget_address = .*/budget_address = "100\/1000"/' "$pki/ra/nfpki-ra.conf"
  restart ra
  register flooded AMF 1
  nice -n 19 "$bin/bench.flood" 127.0.0.1 "$port" "$path" "$reference" 300000 600 8 127.0.0.{2..5} >"$pki/flood" &
  flood=$!
  trap 'kill -KILL "$flood" 2>/dev/null || true; pki_end' EXIT # it must not outlive a run that failed
  kill -STOP "$flood"
  for ((i = 0; i < 3; i++)); do
    prepare mac certConf "$few"
    load "$few" 4
    figures "alone$i" "$pki/figures"
    prepare mac certConf "$few"
    kill -CONT "$flood"
    sleep 15 # its first burst is over, its budgets are used up, the lane is full
    load "$few" 4
    figures "flooded$i" "$pki/figures"
    kill -STOP "$flood"
    sleep 5
  done
  kill -KILL "$flood"
  wait "$flood" 2>/dev/null || true
  echo
  echo "$few MAC protected enrolments over 4 connections, alone and while 127.0.0.2 to 127.0.0.5 send PBMAC1 with"
  echo "300000 iterations over 8 connections each, three times: p50 and p99 in ms"
  for ((i = 0; i < 3; i++)); do
    for how in alone flooded; do
      printf '  %-28s %8s %8s\n' "$how" "${value[$how$i.p50]}" "${value[$how$i.p99]}"
    done
  done
}

# ---- the whole ----

ulimit -n 8192 2>/dev/null || true
for at in $connections; do
  for kind in $kinds; do
    for confirm in $confirms; do
      measure "$kind" "$confirm" "$at"
    done
  done
done
(IFS=$'\t'; echo "${overloads[*]}") >"$pki/overload.tsv"
if [[ $overload -gt 0 ]]; then
  for kind in $kinds; do
    for confirm in $confirms; do
      overload "$kind" "$confirm"
    done
  done
fi
(IFS=$'\t'; echo "${soaked[*]}") >"$pki/soak.tsv"
[[ $soak -eq 0 ]] || soak
audit verify >/dev/null
processes | while read -r pid name; do
  awk -v n="$name" '/^VmRSS/ {printf "%s %.1f\n", n, $2 / 1024}' "/proc/$pid/status"
done >"$pki/rss"

cat <<TABLE

nfpki $(git rev-parse --short HEAD 2>/dev/null || echo -), $(nproc) cores, $(openssl version | cut -d' ' -f1,2), SoftHSM, P-256, client on the same cores
raw, between the runs (last): C_Sign ${value[yard.c_sign]}/s, write + fdatasync ${value[yard.fsync]}/s, P-256 verification \
${value[yard.sw_verify]} us, PBM key derivation of 500 iterations ${value[yard.pbm_500]} us
of one enrolment: client_us is the client's own CPU, server_us that of all processes, then each; switches of all
threads; written to the block layer and wchar to anything, octets; syncs in a run of its own under strace;
refusals: how often one was told to come again; floor_us the crypto floor, of_floor the rate in percent of what all cores could do of it

$(table "$pki/runs.tsv")

resident memory at the end
$(awk '{printf "  %-34s %8.1f MiB\n", $1, $2; sum += $2} END {printf "  %-34s %8.1f MiB (aim: 64)\n", "together", sum}' "$pki/rss")
TABLE
if [[ $overload -gt 0 ]]; then
  echo
  echo "five times the most for $overload s, over up to $many connections: served meanwhile; p50 and p99 of the try that was"
  echo "not refused; at_once: never refused; the longest that a refusal took; whole: from when it was due first"
  echo
  table "$pki/overload.tsv"
fi
if [[ $soak -gt 0 ]]; then
  echo
  echo "four fifths of the most, $soak times $minute s; before each its registrations"
  echo
  table "$pki/soak.tsv"
fi
[[ $flood == no ]] || flood
if [[ -n $json ]]; then
  jq -n --argjson runs "$(to_json "$pki/runs.tsv")" --argjson processes "$(to_json "$pki/processes.tsv")" \
    --argjson overload "$(to_json "$pki/overload.tsv")" --argjson soak "$(to_json "$pki/soak.tsv")" \
    --arg revision "$(git rev-parse --short HEAD 2>/dev/null || echo -)" \
    --arg cores "$(nproc)" '{revision: $revision, cores: ($cores | tonumber), runs: $runs, processes: $processes, overload: $overload,
      soak: $soak}' >"$json"
fi
if [[ -n $plots ]]; then
  series=()
  for kind in $kinds; do
    for confirm in $confirms; do
      awk -F '\t' -v k="$kind" -v c="$confirm" 'NR == 1 || $1 == k && $2 == c {print $3 "\t" $5 "\t" $6 "\t" $7 "\t" $9}' \
        "$pki/runs.tsv" >"$pki/$kind-$confirm.tsv"
      series+=("$kind-$confirm")
    done
  done
  plot "$plots/rate.svg" 'enrolments a second' connections '1/s' \
    "for [s in '${series[*]}'] '$pki/'.s.'.tsv' using 1:2 with linespoints title s"
  plot "$plots/latency.svg" 'time of an enrolment, median and 99 %' connections ms \
    "for [s in '${series[*]}'] '$pki/'.s.'.tsv' using 1:3 with linespoints title s.' p50', \
     for [s in '${series[*]}'] '$pki/'.s.'.tsv' using 1:4 with linespoints dashtype 2 title s.' p99'"
  plot "$plots/cpu.svg" 'CPU of the server for an enrolment' connections us \
    "for [s in '${series[*]}'] '$pki/'.s.'.tsv' using 1:5 with linespoints title s"
  if [[ $overload -gt 0 ]]; then
    plot "$plots/overload.svg" 'five times the most: at most, and served meanwhile' 'enrolments a second at most' '1/s' \
      "'$pki/overload.tsv' using 3:3 with points title 'at most', '' using 3:6 with points title 'served'" linear
  fi
  if [[ $soak -gt 0 ]]; then
    plot "$plots/soak-latency.svg" 'an enrolment at four fifths of the most' minute ms \
      "for [i=4:5] '$pki/soak.tsv' using 1:i with linespoints" linear
    plot "$plots/soak-memory.svg" 'resident at four fifths of the most' minute KiB \
      "for [i=7:9] '$pki/soak.tsv' using 1:i with linespoints" linear
  fi
fi
