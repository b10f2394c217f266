#!/usr/bin/env bash
# First figures: enrolments/s over HTTP beside what the same machine gives raw, all from one run.
#   tests/bench/run.sh [COUNT [CONNECTIONS]]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source ceremony/packages.sh
install_packages "${build_packages[@]}" "${run_packages[@]}" "${test_packages[@]}"
cmake --preset bench >/dev/null
cmake --build --preset bench >/dev/null
bin=$PWD/build/bench/bin
count=${1:-2000} connections=${2:-16}
source tests/support/pki.sh
pki_start

declare -A value
measure() { # measure PREFIX COMMAND...: its "name value unit" lines into value[PREFIX.name]
  local prefix=$1 name number
  shift
  "$@" >"$pki/figures"
  while read -r name number _; do
    value[$prefix.$name]=$number
  done <"$pki/figures"
}

cpu_ticks() { # of every process of ours, by name
  local pid stat
  for pid in $(pgrep -f "$bin/nfpki-(ra|ca|signer).*$pki"); do
    stat=$(</proc/"$pid"/stat)
    # shellcheck disable=SC2086
    set -- ${stat##*) }
    echo "$(tr '\0' ' ' </proc/"$pid"/cmdline | sed -E 's#.*/(nfpki-[a-z]+) .*/([a-z]+-signer|nfpki-[a-z]+)\.conf.*#\1 \2#')" $((${12} + ${13}))
  done | sort
}

rss_kib() {
  local pid
  for pid in $(pgrep -f "$bin/nfpki-(ra|ca|signer).*$pki"); do
    echo "$(tr '\0' ' ' </proc/"$pid"/cmdline | sed -E 's#.*/(nfpki-[a-z]+) .*/([a-z]+-signer|nfpki-[a-z]+)\.conf.*#\1 \2#')" \
      "$(awk '/^VmRSS/ {print $2}' /proc/"$pid"/status)"
  done | sort
}

run_load() { # run_load NAME COUNT [bench.enrol options]: the load, and the CPU that each process took
  local name=$1 count=$2
  shift 2
  cpu_ticks >"$pki/before"
  measure "$name" "$bin/bench.enrol" "$@" 127.0.0.1 "$port" "$path" "$pki/credentials.txt" "$count" "$connections"
  cpu_ticks >"$pki/after"
  join -j 1 <(sed 's/ /~/' "$pki/before") <(sed 's/ /~/' "$pki/after") |
    awk -v n="$count" '{printf "%-34s %8.0f us CPU per enrolment\n", $1, ($3 - $2) * 10000 / n}' |
    sed 's/~/ /' >"$pki/cpu.$name"
}

# what the machine gives
token_serial=$(<"$pki/ceremony/issuing-keys/nfpki-issuing.serial")
key_id=$(<"$pki/ceremony/issuing-keys/issuing.id")
measure yard env SOFTHSM2_CONF="$pki/ca/softhsm2.conf" CREDENTIALS_DIRECTORY="$pki/ca/credentials" \
  "$bin/bench.yardsticks" /usr/lib/softhsm/libsofthsm2.so nfpki-issuing "$token_serial" "$key_id" \
  "$pki/ceremony/issuing-keys/issuing.spki.pem" nfpki-issuing.pin "$pki/ca/state"

# MAC protected: registrations with many certificates each
: >"$pki/credentials.txt"
registrations=20
few=$((count < 400 ? count : 400)) # six times, below
for ((i = 0; i < registrations; i++)); do
  register "bench$i" AMF $(((count + 6 * few) / registrations + 100))
  echo "$reference $secret" >>"$pki/credentials.txt"
done
run_load mac "$count"
# The same few clients alone, and while four addresses send as many iterations as are taken; with the
# budgets that the product has (the quickstart has none: one machine plays everybody). The flood is
# niced: its own work is not what is measured.
sed -i 's/^budget_address = .*/budget_address = "100\/1000"/' "$pki/ra/nfpki-ra.conf"
stop_daemon ra
start_daemon ra
several() { measure "$1" "$bin/bench.enrol" 127.0.0.1 "$port" "$path" "$pki/credentials.txt" "$few" 4; }
nice -n 19 "$bin/bench.flood" 127.0.0.1 "$port" "$path" "$reference" 300000 600 8 127.0.0.{2..5} >"$pki/flood" &
flood=$!
trap 'kill -KILL "$flood" 2>/dev/null || true; pki_end' EXIT # it must not outlive a run that failed
kill -STOP "$flood"
for ((i = 0; i < 3; i++)); do
  several "alone$i"
  kill -CONT "$flood"
  sleep 15 # its first burst is over, its budgets are used up, the lane is full
  several "flooded$i"
  kill -STOP "$flood"
  sleep 5
done
kill -KILL "$flood"
wait "$flood" 2>/dev/null || true
sed -i 's/^budget_address = .*/budget_address = "0"/' "$pki/ra/nfpki-ra.conf"
stop_daemon ra
start_daemon ra
# signature protected: an initial certificate of the NF's, pinned in the registration
initial initial
sig_count=$((count < 1000 ? count : 1000)) # a registration allows no more certificates
registration benchsig AMF $sig_count "{\"kind\":\"certificate\",\"sha256\":\"$fingerprint\"}"
ractl register --json "$pki/oam/benchsig.p7s" >/dev/null
run_load sig "$sig_count" -s "$pki/initial.pem" "$pki/initial.key"
rss_kib >"$pki/rss"
audit verify >/dev/null

floor() { # floor SIGNATURES VERIFICATIONS MACS: microseconds
  awk -v s="$1" -v v="$2" -v m="$3" -v c="${value[yard.c_sign]}" -v w="${value[yard.sw_verify]}" \
    -v p="${value[yard.pbm_500]}" 'BEGIN {printf "%.0f", s * 1e6 / c + v * w + m * p}'
}
# MAC: C_Sign of the certificate; verified: proof of possession twice, the signature by its signer
# and by the CA; one key derivation. Heads of the RA's queue and checkpoints are signed once for
# many: left out
mac_floor=$(floor 1 4 1)
# signature: also two answers signed (and verified by the signer), two requests verified twice
sig_floor=$(floor 3 10 0)
cores=$(nproc)
cat <<TABLE

nfpki $(git rev-parse --short HEAD 2>/dev/null || echo -), $cores cores, $(openssl version | cut -d' ' -f1,2), SoftHSM, P-256
$count MAC and $sig_count signature protected enrolments (ir, ip, certConf, pkiConf), $connections connections,
client on the same cores

yardsticks of this run
  raw C_Sign, same token             ${value[yard.c_sign]} /s
  write + fdatasync, state directory ${value[yard.fsync]} /s
  P-256 verification in software     ${value[yard.sw_verify]} us
  PBM key derivation, 500 iterations ${value[yard.pbm_500]} us

                        enrolments/s   p50 ms   p99 ms   crypto floor per enrolment   of the floor's rate
  MAC protected         $(printf '%12s %8s %8s' "${value[mac.rate]}" "${value[mac.p50]}" "${value[mac.p99]}")        $mac_floor us, $((cores * 1000000 / mac_floor)) /s on $cores cores      $((${value[mac.rate]} * 100 / (cores * 1000000 / mac_floor))) %
  signature protected   $(printf '%12s %8s %8s' "${value[sig.rate]}" "${value[sig.p50]}" "${value[sig.p99]}")        $sig_floor us, $((cores * 1000000 / sig_floor)) /s on $cores cores      $((${value[sig.rate]} * 100 / (cores * 1000000 / sig_floor))) %

$few MAC protected enrolments over 4 connections, alone and while 127.0.0.2 to 127.0.0.5 send PBMAC1 with
300000 iterations over 8 connections each, three times
                                 p50 ms   p99 ms
$(for ((i = 0; i < 3; i++)); do
    for how in alone flooded; do
      printf '  %-28s %8s %8s\n' "$how" "${value[$how$i.p50]}" "${value[$how$i.p99]}"
    done
  done)

CPU per enrolment, MAC protected
$(sed 's/^/  /' "$pki/cpu.mac")
CPU per enrolment, signature protected
$(sed 's/^/  /' "$pki/cpu.sig")
resident memory after $((count + sig_count)) enrolments
$(awk '{printf "  %-34s %8.1f MiB\n", $1 " " $2, $3 / 1024; sum += $3} END {printf "  %-34s %8.1f MiB (aim: 64)\n", "together", sum / 1024}' "$pki/rss")
TABLE
