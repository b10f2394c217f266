#!/usr/bin/env bash
# What officers do: issue, revoke, make a CRL; register, show, cancel. What they do wrong is refused
# with the reason and the right exit status (2: what was typed or handed in, 1: everything else).
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"

wrong() { # wrong STATUS 'TEXT' COMMAND...: ends with STATUS and says TEXT
  local wanted=$1 text=$2 status=0
  shift 2
  "$@" >wrong.out 2>&1 || status=$?
  [[ $status -eq $wanted ]] || fail "$*: exit status $status instead of $wanted: $(cat wrong.out)"
  grep -qF -- "$text" wrong.out || fail "$*: does not say '$text': $(cat wrong.out)"
  echo "ok: $(sed -n 1p wrong.out | cut -c1-150)"
}
crl() { curl -sS --fail "http://$host:$port/crl/issuing.crl" | openssl crl -inform DER -out "$1"; }
serial() { openssl x509 -in "$1" -noout -serial | sed 's/.*=//' | tr A-F a-f; }
csr() { # csr NAME ARGUMENT...
  openssl req -new -newkey "${@:2}" -noenc -subj /CN=x -keyout "$1.key" -out "$1.csr" 2>/dev/null
}
ec=(ec -pkeyopt ec_paramgen_curve:P-256)

# ---- revoke: on the CRL that the certificate points to ----
grep -q "URI:http://$host:$port/crl/issuing.crl" <(openssl x509 -in nf/cert.pem -noout -text) || fail 'CRLDP'
crl before.crl
openssl verify -crl_check -CAfile "$NFPKI_TRUST" -untrusted nf/chain.pem -CRLfile before.crl nf/cert.pem
number=$(serial nf/cert.pem)
wrong 2 '32 hexadecimal digits are wanted' cactl revoke 1234 --reason superseded
wrong 2 'reason: must be' cactl revoke "$number" --reason boredom
wrong 2 'usage' cactl revoke "$number"
wrong 1 'no certificate with this serial' cactl revoke 40000000000000000000000000000000 --reason superseded
cactl revoke "$number" --reason keyCompromise
crl after.crl
openssl crl -in after.crl -noout -text | finds -i "Serial Number: $number" || fail 'not on the CRL'
wrong 2 'certificate revoked' openssl verify -crl_check -CAfile "$NFPKI_TRUST" -untrusted nf/chain.pem -CRLfile after.crl nf/cert.pem
cactl revoke "$number" --reason keyCompromise | finds '"already": true' || fail 'a second time'
audit show --json "$number" | finds REVOKED || fail 'no REVOKED leaf'
audit list | grep -i "$number" | finds revoked || fail 'the list does not say revoked'
first=$(openssl crl -in after.crl -noout -crlnumber)
cactl crl
crl next.crl
[[ $(openssl crl -in next.crl -noout -crlnumber) != "$first" ]] || fail 'no new CRL'

# ---- issue ----
csr good "${ec[@]}"
csr weak rsa:1024
csr curve ec -pkeyopt ec_paramgen_curve:secp256k1
openssl req -in good.csr -outform DER -out good.der
python3 - <<'PYTHON'
data = bytearray(open("good.der", "rb").read())
data[-1] ^= 1
open("stolen.der", "wb").write(data)
PYTHON
cactl issue --profile registrar --subject-cn 'Second OAM' --days 3 good.csr >second.pem
openssl verify -CAfile "$NFPKI_TRUST" -untrusted nf/chain.pem second.pem
cactl issue --profile registrar --subject-cn 'Second OAM' --days 3 good.csr | diff second.pem - || fail 'the same request again'
wrong 1 'used before, for something else' cactl issue --profile ra-cmp --subject-cn 'Second OAM' --days 3 good.csr
wrong 1 'used before, for something else' cactl issue --profile registrar --subject-cn 'Third OAM' --days 3 good.csr
wrong 1 'an officer issues' cactl issue --profile nf-tls --subject-cn x --days 3 good.csr
wrong 2 'days: 1 to' cactl issue --profile registrar --subject-cn x --days 99999 good.csr
openssl req -inform DER -in stolen.der -out stolen.csr
wrong 1 'possession' cactl issue --profile registrar --subject-cn x --days 3 stolen.csr
wrong 2 'not PEM' cactl issue --profile registrar --subject-cn x --days 3 good.der
wrong 2 'RSA' cactl issue --profile registrar --subject-cn x --days 3 weak.csr
wrong 2 'neither P-256 nor P-384' cactl issue --profile registrar --subject-cn x --days 3 curve.csr
wrong 2 'CSR' cactl issue --profile registrar --subject-cn x --days 3 nf/cert.pem

# ---- register ----
proof='{"kind":"mac"}'
registration plain AMF 1 "$proof"
wrong 2 'openssl cms -sign' ractl register oam/plain.json
member() { # member NAME SED-PROGRAM: a registration with one thing changed
  cp oam/plain.json "oam/$1.json"
  sed -i "$2" "oam/$1.json"
  sign_registration "$1"
}
member uuid 's/"nfInstanceId":"[^"]*"/"nfInstanceId":"not-a-uuid"/'
wrong 2 nfInstanceId ractl register oam/uuid.p7s
member type 's/"AMF"/"COFFEE"/'
wrong 1 nfTypes ractl register oam/type.p7s
member days 's/"maxValidityDays":2/"maxValidityDays":0/'
wrong 2 'profiles[0].maxValidityDays' ractl register oam/days.p7s
member more 's/"version":1/"version":1,"colour":"blue"/'
wrong 2 colour ractl register oam/more.p7s
member twice 's/"version":1/"version":1,"version":1/'
wrong 2 'version' ractl register oam/twice.p7s
# signed by somebody else: a certificate of the same CA that is no registrar's, and one of nobody
openssl cms -sign -binary -nodetach -md sha256 -in oam/plain.json -outform DER -signer nf/cert.pem -inkey nf/key.pem -out nf.p7s
wrong 1 signer ractl register nf.p7s
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj /CN=nobody -keyout nobody.key -out nobody.pem 2>/dev/null
openssl cms -sign -binary -nodetach -md sha256 -in oam/plain.json -outform DER -signer nobody.pem -inkey nobody.key -out nobody.p7s
wrong 1 signer ractl register nobody.p7s
python3 - <<'PYTHON'
data = open("oam/plain.p7s", "rb").read()
open("changed.p7s", "wb").write(data.replace(b'"certificates":1', b'"certificates":9'))
PYTHON
wrong 1 'signature does not verify' ractl register changed.p7s

register mine AMF 1
wrong 1 'registered already' ractl register oam/mine.p7s
sed 's/"certificates":1/"certificates":2/' oam/mine.json >oam/rival.json
sign_registration rival
wrong 1 'live registration' ractl register oam/rival.p7s
cp oam/mine.json oam/again.json
sign_registration again
wrong 1 'same content' ractl register oam/again.p7s

# ---- show, list, cancel ----
uuid=$(sed -nE 's/.*"nfInstanceId":"([^"]*)".*/\1/p' oam/mine.json)
id=$(ractl list | grep "$uuid" | cut -d' ' -f1)
ractl show "$id" | finds "$id" || fail show
wrong 2 '32 hexadecimal digits' ractl show 00
wrong 1 'no registration' ractl show 00000000000000000000000000000000
cancellation 00000000000000000000000000000000
wrong 1 'no registration' ractl cancel oam/cancel-00000000000000000000000000000000.p7s
wrong 2 'not signed' ractl cancel oam/cancel-00000000000000000000000000000000.json
wrong 2 'not the 32 hexadecimal digits' ractl cancellation xyz
cancel "$id"
cancel "$id"
new_key mine.key
wrong 1 'badMessageCheck' cmp -cmd ir -ref "$reference" -secret "pass:$secret" -subject /CN=x -newkey mine.key -certout mine.pem
[[ ! -s mine.pem ]] || fail 'a cancelled registration enrolled'
audit show --json "$id" | finds CANCEL || fail 'no CANCEL leaf'
wrong 1 'same content' ractl register oam/again.p7s
ractl register oam/rival.p7s >/dev/null # what is cancelled makes room

# a revoked registrar signs nothing any more
cactl revoke "$(serial second.pem)" --reason cessationOfOperation >/dev/null
registration late AMF 1 "$proof"
openssl cms -sign -binary -nodetach -md sha256 -in oam/late.json -outform DER -signer second.pem -inkey good.key -out late.p7s
wrong 1 'revoked' ractl register late.p7s

# nobody else is served, even where the folders would let them in
chmod 711 "$pki" "$pki/run"
chmod 666 "$pki/run/ca-admin.sock" "$pki/run/ra-admin.sock"
if [[ $(id -u) -eq 0 ]]; then
  for question in cactl:status ractl:list; do
    tool=${question%:*}
    install -m 755 "$bin/nfpki-$tool" "$pki/run/$tool"
    wrong 1 "${tool%ctl}-admin.sock" setpriv --reuid 65534 --regid 65534 --clear-groups "$pki/run/$tool" \
      --socket "$pki/run/${tool%ctl}-admin.sock" "${question#*:}"
  done
fi
audit verify
