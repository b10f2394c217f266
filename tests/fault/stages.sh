#!/usr/bin/env bash
# kill -9 of the CA when a request is about to begin each stage of its way, and again at each stage of
# the start that finishes what was left: nothing is lost, nothing is issued twice, all of it is logged.
#   tests/fault/stages.sh BIN
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"

mapfile -t stages < <(sed -nE 's/.*\[STAGE_[A-Z_]+\] = \{"[a-z-]+", .* (start_[a-z_]+)\},?$/\1/p' \
  "$root_dir/ca/request/stages.c")
[[ ${#stages[@]} -ge 11 ]] || fail "the table of stages is not read: ${stages[*]}"
n=0

# begin_enrolment: a client that asks until it has its certificate, out/$n/0.der
begin_enrolment() {
  n=$((n + 1))
  register "stage$n" AMF 1
  echo "$reference $secret" >"credentials$n.txt"
  mkdir -p "out/$n"
  "$bin/bench.enrol" -p -o "out/$n" 127.0.0.1 "$port" "$path" "credentials$n.txt" 1 1 >"load$n.log" 2>&1 &
  client=$!
}

end_enrolment() { # end_enrolment WHAT
  wait "$client" || { cat "load$n.log"; fail "$1: the client did not get its certificate"; }
  [[ $(find "out/$n" -name '*.der' | wc -l) -eq 1 ]] || fail "$1: not one certificate"
}

wait_for() { # wait_for 'what' COMMAND...
  local what=$1 i
  shift
  for ((i = 0; i < 600; i++)); do
    "$@" && return
    sleep 0.1
  done
  cat gdb.log
  fail "$what"
}

# kill_at STAGE: arms the running CA
kill_at() {
  rm -f gdb.log
  gdb -q -nx -batch -p "$(<ca.pid)" -ex "break $1" -ex continue -ex kill >gdb.log 2>&1 </dev/null &
  debugger=$!
  wait_for "$1: the debugger is not there" grep -q '^Breakpoint 1 at' gdb.log
}

wait_killed() { # wait_killed STAGE
  wait "$debugger" || { cat gdb.log; fail "$1: the debugger failed"; }
  grep -q "Breakpoint 1, $1 " gdb.log || { cat gdb.log; fail "$1: was not reached"; }
}

for stage in "${stages[@]}"; do
  kill_at "$stage"
  begin_enrolment
  wait_killed "$stage"
  start_daemon ca
  end_enrolment "$stage"
  echo "ok: killed before ${stage#start_}, finished after a start"
done

for stage in "${stages[@]}"; do
  [[ $stage == start_intend ]] && continue # an intent is what it is about
  kill_at start_sign
  begin_enrolment
  wait_killed start_sign
  SOFTHSM2_CONF="$pki/ca/softhsm2.conf" CREDENTIALS_DIRECTORY="$pki/ca/credentials" \
    gdb -q -nx -batch -ex "break $stage" -ex run -ex kill --args "$bin/nfpki-ca" --config ca/nfpki-ca.conf \
    >gdb.log 2>&1 </dev/null || true
  grep -q "Breakpoint 1, $stage " gdb.log || { cat gdb.log; fail "$stage: a start does not get there"; }
  start_daemon ca
  end_enrolment "$stage"
  echo "ok: a start that was killed before ${stage#start_} was finished by the next"
done

audit verify
expect 'open intents' 0 "$(audit verify | sed -nE 's/^ *open intents *//p')"
issued=$(audit list --json | grep -c '"serial"' || true)
delivered=$(find out -name '*.der' -exec sha256sum {} + | cut -d' ' -f1 | sort -u | wc -l)
expect 'certificates, each another one' "$n" "$delivered"
echo "ok: ${#stages[@]} stages, $n enrolments, each exactly once; $issued serial numbers in the record"
