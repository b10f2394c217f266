#!/usr/bin/env bash
# How many certificates a second nfpki-audit lints and checks: of a ledger of so many certificates, written through the
# verbs of ca.db (bench.fill), its folder and a mirror of it; and of 250 more with --state, which judges these alone.
#   tests/bench/check.sh [CERTIFICATES] [--keep DIR] [--ledger DIR] [--bin DIR]
# 50,000 certificates. --keep DIR: the ledger is left there, and can be given with --ledger DIR, without the 250 more.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source tests/bench/lib.sh

usage() { sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 2; }
bin='' size=50000 keep='' ledger=''
while [[ $# -gt 0 ]]; do
  case $1 in
    --bin | --keep | --ledger)
      [[ $# -ge 2 ]] || usage
      declare "${1#--}=$(realpath -m -- "$2")"
      shift 2
      ;;
    [0-9]*) size=$1; shift ;;
    *) usage ;;
  esac
done
[[ -n $bin ]] || bench_programs

# judged WHAT COMMAND...: certificates a second, with all that is read and verified for it
judged() {
  local what=$1 start end
  shift
  start=$(date +%s%N)
  "$bin/nfpki-audit" --key "$work/log.vkey" "$@" >"$work/out" 2>"$work/errors" || [[ $? -eq 4 ]] || fail "$what: $(<"$work/errors")"
  end=$(date +%s%N)
  awk -v what="$what" -v s=$(((end - start) / 1000)) '$1 == "judged:" {
    printf "%-32s %7d certificates in %8.3f s: %7.0f/s\n", what, $2, s / 1e6, 1e6 * $2 / s}' "$work/out"
}

if [[ -n $ledger ]]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  fail() { echo "FAILED: $*"; exit 1; }
  cp -r "$ledger"/* "$work"
else
  source tests/support/pki.sh
  pki_start
  stop_daemon ra
  stop_daemon ca
  work=$pki
  mkdir -m 700 "$pki/credentials"
  cp -p "$pki"/{ca,ra}/credentials/*.pin "$pki/credentials/"
  cp "$pki/ceremony/sub-issue/issuing.cert.pem" "$pki/issuing.pem"
fi
fill() {
  CREDENTIALS_DIRECTORY=$pki/credentials "$bin/bench.fill" "$pki" "$1" 2 >"$pki/filled" 2>"$pki/filled.log" ||
    fail "bench.fill: $(tail -n 1 "$pki/filled.log")"
}
[[ -n $ledger ]] || fill "$size"
if [[ -n $keep ]]; then
  mkdir -p "$keep"
  cp -r "$work"/{ledger,log.vkey,issuing.pem} "$keep/"
fi

issuer=(--issuer "$work/issuing.pem")
judged 'lint, folder' --ledger "$work/ledger" lint "${issuer[@]}"
judged 'check, folder' --ledger "$work/ledger" check "${issuer[@]}" --state "$work/folder.state"
"$bin/nfpki-audit" --key "$work/log.vkey" mirror --init --stale 999999 "$work/ledger" "$work/check.db" >/dev/null || [[ $? -eq 4 ]]
judged 'lint, mirror' --mirror "$work/check.db" lint "${issuer[@]}"
judged 'check, mirror' --mirror "$work/check.db" check "${issuer[@]}" --state "$work/mirror.state"
if [[ -z $ledger ]]; then
  fill 250
  "$bin/nfpki-audit" --key "$work/log.vkey" mirror --stale 999999 "$work/ledger" "$work/check.db" >/dev/null || [[ $? -eq 4 ]]
  judged 'check, folder, 250 more' --ledger "$work/ledger" check "${issuer[@]}" --state "$work/folder.state"
  judged 'check, mirror, 250 more' --mirror "$work/check.db" check "${issuer[@]}" --state "$work/mirror.state"
fi
echo "nfpki $(git rev-parse --short HEAD 2>/dev/null || echo -), $(nproc) cores, load $(awk '{print $1}' /proc/loadavg)"
