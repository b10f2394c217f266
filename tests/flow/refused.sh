#!/usr/bin/env bash
# What a client should not send: every type of body, headers that are not right, forged confirmations
# around a true enrolment. Each gets its failInfo (RFC 9483 3.5), and nothing of it is recorded.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"
leaves() { audit verify | sed -nE 's/.*size[^0-9]*([0-9]+).*/\1/p' | head -n 1; }

register probed AMF 1
mine=("$reference" "$secret")
register other SMF 1
before=$(leaves)
"$bin/cmp_probe" "$host" "$port" "$path" "${mine[@]}" "$reference" "$secret" >said.txt
{
  for body in ip cr cp p10cr popdecc popdecr kur kup krr krp rr rp ccr ccp ckuann cann rann crlann pkiConf \
    nested genm genp error certConf pollReq pollRep; do
    echo "$body: error badRequest signature"
  done
  cat <<'TEXT'
two hours old: error badTime signature
from the future: error badTime signature
recipNonce: error badRecipientNonce signature
short senderNonce: error badSenderNonce signature
a million iterations: error badAlg signature
ir: ip mac
certConf with a wrong MAC: error badMessageCheck signature
certConf of somebody else: error wrongIntegrity signature
certConf with a wrong recipNonce: error badRecipientNonce mac
certConf: pkiConf mac
the same certConf again: error certConfirmed mac
TEXT
} | sort >wanted.txt
sort said.txt | diff wanted.txt - || fail 'an answer is not the one that belongs'
# the one true enrolment left REQUEST, INTENT, ISSUED and CONFIRMED; the rest left nothing
[[ $(($(leaves) - before)) -eq 4 ]] || fail "$(($(leaves) - before)) leaves instead of 4"
