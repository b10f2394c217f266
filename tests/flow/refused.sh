#!/usr/bin/env bash
# What a client should not send: every type of body, headers that are not right, forged confirmations
# around a true enrolment. Each gets its failInfo (RFC 9483 3.5), and nothing of it is recorded.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"

register probed AMF 1
mine=("$reference" "$secret")
register other SMF 1
before=$(leaves)
"$bin/cmp_probe" "$host" "$port" "$path" "${mine[@]}" "$reference" "$secret" >said.txt
{
  for body in ip cp popdecc popdecr kup krr krp rp ccr ccp ckuann cann rann crlann pkiConf genp certConf pollReq \
    pollRep; do
    echo "$body: error badRequest signature"
  done
  cat <<'TEXT'
cr: cp badCertTemplate mac
p10cr: cp badDataFormat mac
kur: kup wrongIntegrity mac
rr: rp wrongIntegrity mac
genm: error badDataFormat mac
nested: error wrongIntegrity signature
error: error badRecipientNonce signature
two hours old: error badTime mac
from the future: error badTime mac
two hours old, with a wrong MAC: error badTime signature
recipNonce: error badRecipientNonce signature
short senderNonce: error badSenderNonce signature
a million iterations: error badAlg signature
ir: ip mac
certConf with a wrong MAC: error badMessageCheck signature
certConf of somebody else: error badMessageCheck signature
certConf with a wrong recipNonce: error badRecipientNonce mac
certConf: pkiConf mac
the same certConf again: error certConfirmed mac
TEXT
} | sort >wanted.txt
sort said.txt | diff wanted.txt - || fail 'an answer is not the one that belongs'
# the one true enrolment left QUEUE-HEAD, REQUEST, INTENT, ISSUED and CONFIRMED; the rest left nothing
[[ $(($(leaves) - before)) -eq 5 ]] || fail "$(($(leaves) - before)) leaves instead of 5"

# what the RA lets through and the CA does not: the key is another NF's. The refusal is recorded.
new_key shared.key
register owner AMF 1
cmp -cmd ir -ref "$reference" -secret "pass:$secret" -subject /CN=x -newkey shared.key -certout owner.pem -reqout owner.der,confirm.der
register thief AMF 1
if cmp -cmd ir -ref "$reference" -secret "pass:$secret" -subject /CN=x -newkey shared.key -certout thief.pem \
  -rspout thief.der; then
  fail 'a key was certified to two'
fi
[[ $("$bin/cmp_show" thief.der) == 'ip badCertTemplate' ]] || fail "a key of another NF: $("$bin/cmp_show" thief.der)"
audit verify | finds 'REFUSAL 1' || fail 'no REFUSAL leaf'

# what the RA refused by itself, it tells the CA: how many, why, and under which registration, signed
reports() { # what the RA has said so far
  audit verify >verified.txt
  python3 - "$pki/ledger" <<'PY'
import base64, glob, json, sys
for path in sorted(glob.glob(sys.argv[1] + '/tile/entries/**', recursive=True)):
    try: data = open(path, 'rb').read()
    except IsADirectoryError: continue
    while data:
        n = int.from_bytes(data[:2], 'big')
        leaf, data = json.loads(data[2:2 + n]), data[2 + n:]
        if leaf['kind'] == 'RA-REPORT':
            print(base64.b64decode(leaf['text']).decode())
PY
}
for _ in 1 2 3 4 5; do # a stop is told when the CA answers within ten seconds
  restart ra
  reports >reports.txt
  ! grep -q '^stop ' reports.txt || break
done
grep -qE 'RA-REPORT +[1-9]' verified.txt || fail 'no report of the RA'
for line in 'start .* [0-9a-f]{64} [0-9a-f]{64}$' 'stop .* told to$' "refused [0-9]+ 1 " 'did .* register done [0-9a-f]{32} uid '; do
  grep -qE "^$line" reports.txt || fail "no report says: $line"
done

# a transactionID is remembered through a kill of the RA
kill_daemon ra
start_daemon ra
for sent in owner:transactionIdInUse confirm:certConfirmed; do
  curl -sS -o answer.der -H 'Content-Type: application/pkixcmp' --data-binary "@${sent%:*}.der" "$NFPKI_CMP_URL"
  [[ $("$bin/cmp_show" answer.der) == "error ${sent#*:}" ]] || fail "${sent%:*} again: $("$bin/cmp_show" answer.der)"
done

# a request that was queued while the CA was away is judged when the CA is back: cancelled meanwhile
register gone AMF 1
gone=$registration_id
register late AMF 1
late=$registration_id
cancel "$gone" # so that the RA has heard from the CA whose signature this is
kill_daemon ca
new_key late.key
cmp -cmd ir -ref "$reference" -secret "pass:$secret" -subject /CN=x -newkey late.key -certout late.pem \
  -rspout late1.der,late2.der,late3.der,late4.der,late5.der,late6.der -total_timeout 60 >late.log 2>&1 &
client=$!
for ((i = 0; i < 300; i++)); do
  [[ -s late2.der ]] && break
  sleep 0.1
done
cancel "$late" >cancel.log 2>&1 || true # the CA cannot be told now
if wait "$client"; then
  fail 'a cancelled registration enrolled'
fi
start_daemon ca
for ((i = 0; i < 300; i++)); do
  cancel "$late" >cancel.log 2>&1 && break # repeated, as it said
  sleep 0.1
done
audit show --json "$late" >late.json
grep -q CANCEL late.json || fail 'the CA does not know of the cancellation'
! grep -q INTENT late.json || fail 'a certificate was made for a cancelled registration'
audit verify
