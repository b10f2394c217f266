#!/usr/bin/env bash
# An NF enrols with the real client, by MAC and by signature; a replay, a flipped bit, a stranger and
# a wrong secret get nothing, and no row of theirs reaches the CA.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"

issued() { audit list --json | grep -o '"serial"' | wc -l; }
post() { # post FILE: prints what the answer says
  curl -sS -o answer.der -H 'Content-Type: application/pkixcmp' --data-binary "@$1" "$NFPKI_CMP_URL"
  "$bin/cmp_show" answer.der
}

# the certificate that the quickstart enrolled equals the profile (TS 33.310 6.1.3c.3)
text=$(openssl x509 -in nf/cert.pem -noout -text -certopt no_pubkey,no_sigdump -nameopt oneline)
for wanted in 'Version: 3 (0x2)' 'Subject: C = SE, O = 5gc.mnc012.mcc345.3gppnetwork.org' \
  'X509v3 Key Usage: critical' 'Digital Signature' \
  'X509v3 Subject Alternative Name: critical' 'DNS:amf1.amf.5gc.mnc012.mcc345.3gppnetwork.org' 'URI:urn:uuid:' \
  'TLS Web Server Authentication, TLS Web Client Authentication' 'X509v3 Authority Key Identifier' \
  'X509v3 Subject Key Identifier' 'X509v3 CRL Distribution Points' '/crl/issuing.crl' '1.3.6.1.5.5.7.1.34'; do
  [[ $text == *"$wanted"* ]] || fail "the certificate lacks: $wanted"$'\n'"$text"
done
[[ $text != *'Basic Constraints'* && $text != *'CN ='*'Subject Public'* ]] || fail 'surplus in the certificate'
[[ $(openssl x509 -in nf/cert.pem -outform DER | od -An -v -tx1 | tr -d ' \n') == *06082b06010505070122040730051603414d46* ]] ||
  fail 'nfTypes is not {AMF}, not critical'
echo 'ok: fields of the certificate'

# each profile has its own EKU
register eku AMF 3
for profile in nf-tls-client:clientAuth nf-tls-server:serverAuth; do
  new_key k.pem
  openssl cmp -cmd ir -server "$host:$port" -path ".well-known/cmp/p/${profile%:*}" -trusted "$NFPKI_TRUST" \
    -ref "$reference" -secret "pass:$secret" -subject /CN=x -newkey k.pem -certout c.pem
  eku=$(openssl x509 -in c.pem -noout -ext extendedKeyUsage)
  [[ $profile == *clientAuth && $eku == *Client* && $eku != *Server* ||
    $profile == *serverAuth && $eku == *Server* && $eku != *Client* ]] || fail "$profile: $eku"
done
echo 'ok: profiles by path'

# a subject, a validity or an extension that is not given makes an answer of another status (RFC 9810 5.2.3)
registered=/C=SE/O=5gc.mnc012.mcc345.3gppnetwork.org
register status AMF 9
new_key k.pem
status() { # status accepted|grantedWithMods COMMAND ARGUMENT...
  cmp -cmd "$2" -ref "$reference" -secret "pass:$secret" -certout c.pem "${@:3}" >status.log 2>&1 || fail "$(<status.log)"
  if grep -q grantedWithMods status.log; then given=grantedWithMods; else given=accepted; fi
  expect "$*" "$1" "$given"
}
status accepted ir -newkey k.pem -subject "$registered"
status accepted ir -newkey k.pem -subject /O=5GC.mnc012.mcc345.3gppnetwork.org/C=se # as a set, without case
status grantedWithMods ir -newkey k.pem -subject /CN=x
status grantedWithMods ir -newkey k.pem -subject "$registered" -days 1
status grantedWithMods ir -newkey k.pem -subject "$registered" -sans status.amf.5gc.mnc012.mcc345.3gppnetwork.org
openssl req -new -key k.pem -subj "$registered" -addext extendedKeyUsage=clientAuth,serverAuth -out k.csr
status accepted p10cr -csr k.csr
openssl req -new -key k.pem -subj "$registered" -addext extendedKeyUsage=clientAuth -out k.csr
status grantedWithMods p10cr -csr k.csr
status grantedWithMods cr -newkey k.pem -subject /CN=x
new_key k2.pem
cmp -cmd kur -cert c.pem -key k.pem -extracerts nf/chain.pem -newkey k2.pem -certout c2.pem >status.log 2>&1 || fail "$(<status.log)"
! grep -q grantedWithMods status.log || fail "kur: $(<status.log)"

# the same request twice
register twice AMF 2
new_key twice.key
cmp -cmd ir -ref "$reference" -secret "pass:$secret" -subject /CN=x -newkey twice.key -certout twice.pem \
  -reqout twice.der,twice-conf.der
before=$(issued)
expect 'the same request again' 'error transactionIdInUse' "$(post twice.der)"
expect 'no second certificate' "$before" "$(issued)"
expect 'the same certConf again' 'error certConfirmed' "$(post twice-conf.der)"

# one flipped bit; the request itself was never sent
register flipped AMF 1
new_key flipped.key
request() { # request FILE ARGUMENT...: writes the request that the client would send
  local file=$1
  shift
  openssl cmp -cmd ir -server 127.0.0.1:1 -subject /CN=x -newkey flipped.key -certout none.pem \
    -reqout "$file" "$@" >/dev/null 2>&1 || [[ -s $file ]]
}
request good.der -ref "$reference" -secret "pass:$secret"
before=$(leaves)
for part in header body protection; do
  python3 "$root_dir/tests/support/flip.py" good.der bad.der "$part"
  expect "one bit flipped in the $part" 'error badMessageCheck' "$(post bad.der)"
done
# nobody knows this reference; this secret is wrong: the same answer
request stranger.der -ref no-such-reference -secret pass:0123456789abcdef
expect 'an unregistered NF' 'error badMessageCheck' "$(post stranger.der)"
request wrong.der -ref "$reference" -secret pass:0123456789abcdef
expect 'a wrong secret' 'error badMessageCheck' "$(post wrong.der)"
head -c 100 good.der >short.der
expect 'half a message' 'error badDataFormat' "$(post short.der)"
expect 'no leaf came of all that' "$before" "$(leaves)"
expect 'the true request still works' 'ip' "$(post good.der)"

# by signature: a pinned certificate
initial initial
registration pinned AMF 1 "{\"kind\":\"certificate\",\"sha256\":\"$fingerprint\"}"
ractl register "$pki/oam/pinned.p7s"
new_key pinned.key
cmp -cmd ir -cert initial.pem -key initial.key -subject /CN=x -newkey pinned.key -certout pinned.pem
openssl verify -CAfile "$NFPKI_TRUST" -untrusted nf/chain.pem pinned.pem
initial rogue
if cmp -cmd ir -cert rogue.pem -key rogue.key -subject /CN=x -newkey pinned.key -certout rogue-nf.pem; then
  fail 'a certificate that nobody registered enrolled'
fi
[[ ! -s rogue-nf.pem ]] || fail 'a rogue certificate was issued'

# used up: certificates = 1
new_key again.key
if cmp -cmd ir -cert initial.pem -key initial.key -subject /CN=x -newkey again.key -certout again.pem; then
  fail 'a used-up registration enrolled again'
fi
audit verify
audit list
