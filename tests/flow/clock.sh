#!/usr/bin/env bash
# Clients whose clocks are not ours (RFC 5280 4.1.2.5, 5.1.2.4; RFC 9483 3.5): those that are behind by
# as much as message_time_window enrol, by implicitConfirm and by certConf, and find the certificate and
# the newest CRL valid; those beyond it hear by how much. Only openssl runs with another clock.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
command -v faketime >/dev/null || fail 'faketime is not installed'
pki_start
cd "$pki"
cat "$NFPKI_TRUST" ceremony/sub-issue/issuing.cert.pem >chain.pem
at() { with_clock "$1s" "${@:2}"; } # at OFFSET COMMAND...
seconds() { date -u -d "$1" +%s; }
begins() { seconds "$(openssl x509 -in "$1" -noout -startdate | cut -d= -f2)"; }
ends() { seconds "$(openssl x509 -in "$1" -noout -enddate | cut -d= -f2)"; }
crl_field() { openssl crl -inform DER -in crl/issuing.crl -noout "-$1" | cut -d= -f2; }
newest_crl() { openssl crl -inform DER -in crl/issuing.crl -out newest.crl; }
verifies() { # verifies OFFSET NAME: what that clock says of the certificate, by the newest CRL
  newest_crl
  at "$1" openssl verify -CAfile chain.pem -crl_check -CRLfile newest.crl "$2.pem" 2>&1
}

# enrol OFFSET NAME [ARGUMENT...]: the client itself verifies its new certificate. On a machine that is
# busy a message may arrive when it is not within the window any more: it is sent again then.
enrol() {
  local offset=$1 name=$2 try
  shift 2
  [[ -f $name.key ]] || new_key "$name.key"
  for ((try = 0; try < 20; try++)); do
    rm -f "$name.pem"
    if at "$offset" openssl cmp -server "$host:$port" -path "$path" -trusted "$NFPKI_TRUST" \
      -out_trusted "$NFPKI_TRUST" -cmd ir -ref "$reference" -secret "pass:$secret" -subject /CN=x \
      -newkey "$name.key" -certout "$name.pem" "$@" >"$name.log" 2>&1; then
      return 0
    fi
    grep -q badTime "$name.log" || break
  done
  fail "$name at $offset s: $(<"$name.log")"
}

cactl crl >/dev/null
n=0
for offset in -2 -60 -299 +299; do
  register "clock$((n += 1))" AMF 2
  enrol "$offset" "implicit$offset" -implicit_confirm
  enrol "$offset" "confirmed$offset"
  for name in implicit confirmed; do
    [[ $(verifies "$offset" "$name$offset") == *': OK' ]] || fail "$name$offset: $(verifies "$offset" "$name$offset")"
  done
  echo "ok: $offset s: enrolled, and good by the newest CRL"
done
audit list | grep -c confirmed >confirmed.txt || true
[[ $(<confirmed.txt) -ge 4 ]] || fail "not confirmed: $(audit list)"

# what begins 5 minutes before it is made lives as long as before
begun=$(begins implicit-299.pem)
audit show --json "$(openssl x509 -in implicit-299.pem -noout -serial | cut -d= -f2 | tr '[:upper:]' '[:lower:]')" >shown.json
intent=$(python3 -c 'import json
for entry in json.load(open("shown.json"))["leaves"]:
    leaf = entry["leaf"]
    if leaf["kind"] == "INTENT":
        print(leaf["time"], leaf["notBefore"])')
expect 'the INTENT says from when' "$begun" "$(seconds "${intent#* }")"
(($(seconds "${intent% *}") - begun >= 300)) || fail "not 300 s before it was made: $intent"
expect 'lifetime' $((2 * 86400)) $(($(ends implicit-299.pem) - begun))

# a revocation, and at once another: the CRL is as good for a clock that is behind
before=$(seconds "$(crl_field lastupdate)")
for name in implicit-2 implicit-60; do
  cactl revoke --reason superseded "$(openssl x509 -in "$name.pem" -noout -serial | cut -d= -f2)" >/dev/null
done
after=$(seconds "$(crl_field lastupdate)")
((after >= before)) || fail 'thisUpdate went back'
now=$(date -u +%s)
((now - after >= 300)) || fail "thisUpdate is $((now - after)) s ago"
openssl crl -inform DER -in crl/issuing.crl -noout -text | sed -nE 's/ *Revocation Date: //p' >dates.txt
expect 'entries' 2 "$(wc -l <dates.txt)"
while read -r date; do
  (($(seconds "$date") <= after)) || fail "revoked at $date, after thisUpdate"
done <dates.txt
for offset in -299 +299; do
  [[ $(verifies "$offset" "confirmed$offset") == *': OK' ]] || fail "a new CRL: $(verifies "$offset" "confirmed$offset")"
  [[ $(verifies "$offset" implicit-2) == *'certificate revoked'* ]] || fail "revoked: $(verifies "$offset" implicit-2)"
done

# beyond the window: who is known hears by how much, others do not; nothing of it is remembered, since a
# copy of something old may be anybody's
register far AMF 1
new_key far.key
for row in '-310 behind' '+330 ahead of'; do
  offset=${row%% *}
  if at "$offset" openssl cmp -server "$host:$port" -path "$path" -trusted "$NFPKI_TRUST" -cmd ir -ref "$reference" \
    -secret "pass:$secret" -subject /CN=x -newkey far.key -certout far.pem >far.log 2>&1; then
    fail "$offset s: enrolled"
  fi
  grep -q badTime far.log || fail "$offset s: $(<far.log)"
  grep -Eq "messageTime is 3[0-9]{2} s ${row#* } the time here: set the clock" far.log ||
    fail "$offset s: $(<far.log)"
done
at -310 openssl cmp -server "$host:$port" -path "$path" -trusted "$NFPKI_TRUST" -cmd ir -ref "$reference" \
  -secret pass:wrong -subject /CN=x -newkey far.key -certout far.pem -unprotected_errors >far.log 2>&1 || true
grep -q badTime far.log || fail "a stranger: $(<far.log)"
! grep -Eq '[0-9] s (behind|ahead)' far.log || fail 'a stranger heard what time it is'
stop_daemon ra
expect 'remembered' 0 "$(sqlite3 -cmd '.timeout 5000' ra/state/ra.db "SELECT count(*) FROM seen WHERE identity = 'mac:$reference'")"
start_daemon ra
enrol +0 far # the refusals took nothing

# a CA that begins less far back than the RA's window: nobody enrols who could not take the certificate
echo 'backdate = 60' >>ca/nfpki-ca.conf
restart ca
for ((i = 0; i < 300; i++)); do
  grep -q backdate-short log/nfpki-ra.log && break
  sleep 0.1
done
grep -q 'begin 60 s before they are made, less than message_time_window' log/nfpki-ra.log || fail 'no warning'
if at -120 openssl cmp -server "$host:$port" -path "$path" -trusted "$NFPKI_TRUST" -cmd genm -infotype caCerts \
  -ref "$reference" -secret "pass:$secret" >far.log 2>&1; then
  fail '120 s behind, and the CA is but 60 s'
fi
grep -Eq 'messageTime is 12[0-9] s behind the time here' far.log || fail "narrower: $(<far.log)"

# a fraction of a second is read: the time decides
curl -sS -o fraction.answer -H 'Content-Type: application/pkixcmp' \
  --data-binary "@$root_dir/tests/fuzz/corpus/cmp/time-fraction" "$NFPKI_CMP_URL"
expect 'messageTime with a fraction' 'error badTime' "$("$bin/cmp_show" fraction.answer)"
audit verify
