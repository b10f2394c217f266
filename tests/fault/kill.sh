#!/usr/bin/env bash
# kill -9 of the RA or the CA, 50 times under load: nothing is lost, nothing is issued twice.
#   tests/fault/kill.sh BIN [KILLS [ENROLMENTS]]
bin=$1 kills=${2:-50} count=${3:-2000}
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"
mkdir out

: >credentials.txt
for ((i = 0; i < 10; i++)); do
  register "kill$i" AMF $((count / 10 + 1))
  echo "$reference $secret" >>credentials.txt
done
before=$(audit list --json | grep -o '"serial"' | wc -l)
"$bin/bench.enrol" -p -o out 127.0.0.1 "$port" "$path" credentials.txt "$count" 8 >load.log 2>&1 &
load=$!
for ((i = 0; i < kills; i++)); do
  sleep "0.$((RANDOM % 25 + 5))"
  victim=$( ((RANDOM % 2)) && echo ca || echo ra)
  kill_daemon "$victim"
  start_daemon "$victim" || fail "kill $i: $victim did not come back"
  if ((i == kills / 2)) && ! kill -0 "$load" 2>/dev/null; then
    fail "the load ended after $i kills: raise ENROLMENTS"
  fi
done
wait "$load" || { cat load.log; fail 'a client did not get its certificate'; }
cat load.log

audit verify
after=$(audit list --json | grep -o '"serial"' | wc -l)
delivered=$(find out -name '*.der' | wc -l)
different=$(sha256sum out/*.der | cut -d' ' -f1 | sort -u | wc -l)
[[ $delivered -eq $count && $different -eq $count ]] || fail "$count asked, $delivered delivered, $different different"
[[ $((after - before)) -eq $count ]] || fail "$count delivered, $((after - before)) recorded: something was issued twice or lost"
for f in out/0.der out/$((count / 2)).der out/$((count - 1)).der; do
  audit verify --certificate "$f" >/dev/null || fail "$f is not in the record"
done
echo "ok: $kills kills, $count enrolments, each exactly once"
