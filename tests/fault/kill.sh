#!/usr/bin/env bash
# kill -9 of the RA or the CA, 50 times under load: nothing is lost, nothing is issued twice.
#   tests/fault/kill.sh BIN [KILLS]
bin=$1 kills=${2:-50} batch=250
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"
mkdir out

: >credentials.txt
for ((i = 0; i < 20; i++)); do
  register "kill$i" AMF 1000
  echo "$reference $secret" >>credentials.txt
done
before=$(audit list --json | grep -o '"serial"' | wc -l)

# One batch of enrolments after the other until the kills are over: no clock decides how many.
load() {
  local n
  for ((n = 0; n < 20000 / batch; n++)); do
    [[ -e stop ]] && break
    mkdir "out/$n"
    "$bin/bench.enrol" -p -o "out/$n" 127.0.0.1 "$port" "$path" credentials.txt "$batch" 8 || return 1
    echo "$((n + 1))" >batches
  done
}
load >load.log 2>&1 &
load=$!
for ((i = 0; i < kills; i++)); do
  sleep "0.$((RANDOM % 25 + 5))"
  victim=$( ((RANDOM % 2)) && echo ca || echo ra)
  kill_daemon "$victim"
  start_daemon "$victim" || fail "kill $i: $victim did not come back"
done
touch stop
wait "$load" || { cat load.log; fail 'a client did not get its certificate'; }
count=$(($(<batches) * batch))

audit verify
after=$(audit list --json | grep -o '"serial"' | wc -l)
delivered=$(find out -name '*.der' | wc -l)
different=$(find out -name '*.der' -exec sha256sum {} + | cut -d' ' -f1 | sort -u | wc -l)
[[ $delivered -eq $count && $different -eq $count ]] || fail "$count asked, $delivered delivered, $different different"
[[ $((after - before)) -eq $count ]] || fail "$count delivered, $((after - before)) recorded: something was issued twice or lost"
for f in out/0/0.der out/0/$((batch - 1)).der; do
  audit verify --certificate "$f" >/dev/null || fail "$f is not in the record"
done
echo "ok: $kills kills, $count enrolments, each exactly once"
