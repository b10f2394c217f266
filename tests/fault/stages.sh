#!/usr/bin/env bash
# kill -9 of the CA when a request is about to begin each stage of its way, and again at each stage of
# the start that finishes what was left: nothing is lost, nothing is issued twice, all of it is logged.
#   tests/fault/stages.sh BIN
bin=$1
source "$(dirname "$0")/../support/pki.sh"
source "$(dirname "$0")/../support/stages.sh"
pki_start
cd "$pki"

mapfile -t stages < <(sed -nE 's/.*\[STAGE_[A-Z_]+\] = \{"[a-z-]+", .* (start_[a-z_]+)\},?$/\1/p' \
  "$root_dir/ca/request/stages.c")
[[ ${#stages[@]} -ge 11 ]] || fail "the table of stages is not read: ${stages[*]}"
n=0

begin_enrolment() {
  n=$((n + 1))
  register "stage$n" AMF 1
  echo "$reference $secret" >"credentials$n.txt"
  begin_asking "credentials$n.txt"
}

# killed_start STAGE: a start that is killed there
killed_start() {
  SOFTHSM2_CONF="$pki/ca/softhsm2.conf" CREDENTIALS_DIRECTORY="$pki/ca/credentials" \
    gdb -q -nx -batch -ex "break $1" -ex run -ex kill --args "$bin/nfpki-ca" --config ca/nfpki-ca.conf \
    >gdb.log 2>&1 </dev/null &
  debugger=$!
  wait_killed "$1" "a start, $1"
}

# A request is proven in the commit of the checkpoint that covers it; by a start, in a stage.
ways=("${stages[@]/#start_prove/prove_intent}")
for stage in "${ways[@]}"; do
  kill_at ca "$stage"
  begin_enrolment
  wait_killed "$stage" "$stage"
  start_daemon ca
  end_enrolment "$stage"
  echo "ok: killed before ${stage#start_}, finished after a start"
done

for stage in "${stages[@]}"; do
  [[ $stage == start_intend ]] && continue # an intent is what it is about
  kill_at ca start_sign
  begin_enrolment
  wait_killed start_sign "start_sign, for $stage"
  killed_start "$stage"
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
