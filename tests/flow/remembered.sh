#!/usr/bin/env bash
# Everything that a CA has is put back: database, ledger, CRLs, journals, token. Nothing on its side tells.
# The RA was told more, also before its own restart: that CA ends, and issues nothing more. The right one
# goes on.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"

gone() { # gone PID: waits
  for _ in $(seq 3000); do
    running "$1" || return 0
    sleep 0.02
  done
  fail "process $1 goes on"
}
enrol() { # enrol NAME
  [[ -f $1.key ]] || new_key "$1.key"
  timeout 20 openssl cmp -server "$host:$port" -path "$path" -trusted "$NFPKI_TRUST" -cmd ir -ref "$reference" \
    -secret "pass:$secret" -subject /CN=x -newkey "$1.key" -certout "$1.pem" -implicit_confirm \
    -total_timeout "${2:-15}" >"$1.log" 2>&1
}
put() { # put FROM TO: all that is the CA's
  rm -rf "$2/ca" "$2/ledger" "$2/crl"
  cp -a "$1/ca" "$1/ledger" "$1/crl" "$2/"
}
kept() { sqlite3 -cmd '.timeout 5000' ra/state/ra.db 'SELECT max(size) FROM ca_log'; } # while the RA is stopped

register first AMF 1
mkdir yesterday today
stop_daemon ca
put . yesterday
start_daemon ca
enrol first || fail "$(<first.log)"
old=$(sqlite3 yesterday/ca/state/ca.db 'SELECT count(*) FROM leaf')
for _ in $(seq 60); do # a checkpoint is told each second
  sleep 1
  kill_daemon ra
  close_ra
  [[ $(kept) -gt $old ]] && break
  start_daemon ra
done
stop_daemon ca
[[ $(kept) -gt $old ]] || fail "the RA has kept $(kept)"
put . today

put yesterday .
: >log/nfpki-ca.log
"$pki/start" ca || true # it may have ended before it is looked at
start_daemon ra || true
gone "$(<ca.pid)"
grep -q 'the checkpoint that an RA remembers' log/nfpki-ca.log || fail "$(tail -n 5 log/nfpki-ca.log)"
! enrol first 3 || fail 'issued again'
issued=$(sqlite3 ca/state/ca.db "SELECT count(*) FROM leaf WHERE kind = 'ISSUED'")
expect 'issued in the copy' "$(sqlite3 yesterday/ca/state/ca.db "SELECT count(*) FROM leaf WHERE kind = 'ISSUED'")" "$issued"

put today .
ups=$(grep -c '"link-up"' log/nfpki-ra.log) || true
start_daemon ca
for _ in $(seq 1500); do [[ $(grep -c '"link-up"' log/nfpki-ra.log) -gt $ups ]] && break; sleep 0.02; done
register second AMF 1
enrol second || fail "$(<second.log)"
audit verify
echo 'ok: the right one goes on'
