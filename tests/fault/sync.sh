#!/usr/bin/env bash
# A sync of the disk fails under a request: the daemon ends at once, and the next start has brought what
# it read to the disk before it listens. Nothing is lost, nothing is issued twice.
#   tests/fault/sync.sh BIN
bin=$1
source "$(dirname "$0")/../support/pki.sh"
export ASAN_OPTIONS=detect_leaks=0 # LeakSanitizer does not look at what somebody else does
pki_start
cd "$pki"
rounds=3

for ((n = 1; n <= 2 * rounds; n++)); do
  register "sync$n" AMF 1
  echo "$reference $secret" >"credentials$n.txt"
  mkdir -p "out/$n"
done
n=0

begin_enrolment() { # a client that asks until it has its certificate, out/$n/0.der
  n=$((n + 1))
  "$bin/bench.enrol" -p -o "out/$n" 127.0.0.1 "$port" "$path" "credentials$n.txt" 1 1 >"load$n.log" 2>&1 &
  client=$!
}

wait_for() { # wait_for 'what' COMMAND...
  local what=$1 i
  shift
  for ((i = 0; i < 600; i++)); do
    "$@" && return
    sleep 0.1
  done
  fail "$what"
}

is_gone() { ! kill -0 "$1" 2>/dev/null; }

# fail_sync ca|ra N: the N-th sync that this process asks for fails
fail_sync() {
  local pid
  pid=$(<"$1.pid")
  : >attach.log
  strace -f -o "failed-$1.trace" -e trace=fsync,fdatasync -e "inject=fsync,fdatasync:error=EIO:when=$2" -p "$pid" \
    2>attach.log &
  tracer=$!
  wait_for "strace does not attach to nfpki-$1: $(cat attach.log)" grep -q attached attach.log
}

# comes_before FILE FIRST SECOND: extended regular expressions, of lines that are both there
comes_before() {
  local first second
  first=$(grep -nE "$2" "$1" | sed -n 1p | cut -d: -f1 || true)
  second=$(grep -nE "$3" "$1" | sed -n 1p | cut -d: -f1 || true)
  [[ -n $first && -n $second && $first -lt $second ]] || fail "$1: not '$2' before '$3'"
}

# whole_calls: strace's lines; a call that another process interrupted is one line, where it ended
whole_calls() {
  awk '/<unfinished \.\.\.>$/ { sub(/ *<unfinished \.\.\.>$/, ""); begun[$1] = $0; next }
    match($0, /<\.\.\. [a-z]+ resumed>/) { $0 = begun[$1] substr($0, RSTART + RLENGTH) }
    { print }'
}

# start_traced ca|ra FILE...: and each of these is synced before it listens
start_traced() {
  local daemon=$1 file
  shift
  strace -D -f -y -o "start-$daemon.raw" -e trace=fsync,fdatasync,syncfs,bind,listen "./start" "$daemon"
  whole_calls <"start-$daemon.raw" >"start-$daemon.trace"
  for file in "$@"; do
    comes_before "start-$daemon.trace" "(fdatasync|fsync|syncfs)\([0-9]+<[^>]*/$file>\) += 0" 'listen\('
  done
  echo "ok: nfpki-$daemon listens behind $# syncs: $*"
}

for ((round = 1; round <= rounds; round++)); do
  fail_sync ca "$round"
  begin_enrolment
  wait_for "nfpki-ca goes on behind a sync that failed" is_gone "$(<ca.pid)"
  wait "$tracer" || true
  grep -q 'EIO.*INJECTED' failed-ca.trace || fail 'no sync failed'
  start_traced ca ca.db ca.db-wal issuing.journal log.journal ledger
  wait "$client" || { cat "load$n.log"; fail "the client did not get its certificate"; }
  kill_daemon ca # who is traced is slow
  start_daemon ca

  fail_sync ra "$round"
  begin_enrolment
  wait_for "nfpki-ra goes on behind a sync that failed" is_gone "$(<ra.pid)"
  wait "$tracer" || true
  grep -q 'EIO.*INJECTED' failed-ra.trace || fail 'no sync failed'
  start_traced ra ra.db ra.db-wal ra.journal
  wait "$client" || { cat "load$n.log"; fail "the client did not get its certificate"; }
  kill_daemon ra
  start_daemon ra
done

audit verify
expect 'open intents' 0 "$(audit verify | sed -nE 's/^ *open intents *//p')"
delivered=$(find out -name '*.der' -exec sha256sum {} + | cut -d' ' -f1 | sort -u | wc -l)
expect 'certificates, each another one' "$n" "$delivered"
