#!/usr/bin/env bash
# With the CA stopped the RA answers `waiting`; after its restart the client's poll gets the certificate.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"

register waits AMF 1
kill_daemon ca
new_key waits.key
cmp -cmd ir -ref "$reference" -secret "pass:$secret" -subject /CN=x -newkey waits.key -certout waits.pem \
  -rspout first.der,second.der,third.der,fourth.der,fifth.der,sixth.der -total_timeout 60 >client.log 2>&1 &
client=$!
for ((i = 0; i < 300; i++)); do
  [[ -s second.der ]] && break
  sleep 0.1
done
[[ $("$bin/cmp_show" first.der) == ip* && $("$bin/cmp_show" second.der) == pollRep ]] ||
  fail 'no waiting, no pollRep while the CA is away'
start_daemon ca
source "$pki/env"
kill -0 "$NFPKI_PID_CA" || fail 'the env file does not know the new process'
wait "$client" || fail "the client failed: $(cat client.log)"
# what a poll gets has the status that an answer at once would have had
grep -q grantedWithMods client.log || fail "the polled answer says accepted to another subject: $(cat client.log)"
openssl verify -CAfile "$NFPKI_TRUST" -untrusted nf/chain.pem waits.pem
audit verify --certificate waits.pem
