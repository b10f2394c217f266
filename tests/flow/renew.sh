#!/usr/bin/env bash
# An NF renews with the real client: kur with the certificate that it updates, cr and p10cr with a
# live one. The old certificate lives until the new one is confirmed; nobody gets more than they had.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"

serial() { openssl x509 -in "$1" -noout -serial | cut -d= -f2 | tr '[:upper:]' '[:lower:]'; }
names() { openssl x509 -in "$1" -noout -subject -ext subjectAltName,1.3.6.1.5.5.7.1.34; }
on_crl() { # on_crl FILE: is its certificate on the published CRL, and why?
  openssl crl -inform DER -in "$pki/crl/issuing.crl" -noout -text |
    awk -v serial="$(serial "$1" | tr '[:lower:]' '[:upper:]')" \
      '$1 == "Serial" { on = $3 == serial } on && /Reason Code/ { getline; print; exit }'
}
wait_for_crl() { # wait_for_crl FILE REASON
  for _ in $(seq 200); do
    [[ $(on_crl "$1") == *"$2"* ]] && return
    sleep 0.1
  done
  fail "$1 is not on the CRL as $2"
}
refused() { # refused 'what' FAILINFO ARGUMENT...: the client is refused with this
  local what=$1 wanted=$2 log
  shift 2
  new_key refused.key
  if log=$(cmp -newkey refused.key -certout refused.pem "$@" 2>&1); then
    fail "$what: accepted"
  fi
  [[ $log == *"$wanted"* ]] || fail "$what: expected $wanted"$'\n'"$log"
  [[ ! -e refused.pem ]] || fail "$what: a certificate came"
  echo "ok: $what: $wanted"
}
enrol() { # enrol NAME TYPE CERTIFICATES [ARGUMENT...]: $pki/NAME.{key,pem}
  local name=$1
  register "$1" "$2" "$3"
  shift 3
  new_key "$name.key"
  cmp -cmd ir -ref "$reference" -secret "pass:$secret" -subject /CN=x -newkey "$name.key" \
    -certout "$name.pem" "$@"
}

# kur: same names, another key, no use of the registration; the old one is superseded
enrol one AMF 1
new_key two.key
cmp -cmd kur -cert one.pem -key one.key -newkey two.key -certout two.pem
[[ $(names one.pem) == "$(names two.pem)" && $(serial one.pem) != "$(serial two.pem)" ]] || fail 'names of the update'
openssl verify -CAfile "$NFPKI_TRUST" -untrusted nf/chain.pem two.pem
wait_for_crl one.pem Superseded
echo 'ok: kur'

# the new one is updated in its turn, also when implicitConfirm is asked for
new_key three.key
cmp -cmd kur -cert two.pem -key two.key -newkey three.key -certout three.pem -implicit_confirm
wait_for_crl two.pem Superseded
echo 'ok: kur with implicitConfirm is confirmed all the same'

refused 'what was superseded' certRevoked -cmd kur -cert two.pem -key two.key
new_key p.key
openssl req -new -key p.key -subj /CN=x -out p.csr
refused 'p10cr with what was superseded' certRevoked -cmd p10cr -cert two.pem -key two.key -csr p.csr
refused 'ir with what was superseded' certRevoked -cmd ir -cert two.pem -key two.key -subject /CN=x
refused 'cr with what was superseded' certRevoked -cmd cr -cert two.pem -key two.key -subject /CN=x

# what a kur must not
enrol other SMF 1
refused 'oldCertId of another' badCertId -cmd kur -cert three.pem -key three.key -oldcert other.pem \
  -subject "$(openssl x509 -in three.pem -noout -subject -nameopt compat | sed 's/^subject= *//')" \
  -san_nodefault
refused 'another subject' notAuthorized -cmd kur -cert three.pem -key three.key -subject /C=SE/O=other
refused 'another name' notAuthorized -cmd kur -cert three.pem -key three.key -sans evil.example.net
register mac AMF 1
refused 'kur by MAC' wrongIntegrity -cmd kur -ref "$reference" -secret "pass:$secret" -oldcert three.pem
if cmp -cmd kur -cert three.pem -key three.key -newkey three.key -certout same.pem >same.log 2>&1; then
  fail 'the same key was certified again'
fi
grep -q badCertTemplate same.log || fail "the same key: $(<same.log)"
[[ -z $(on_crl three.pem) ]] || fail 'a refused kur revoked something'
echo 'ok: the same key: badCertTemplate'

# an unconfirmed update leaves the old one alone
new_key unconfirmed.key
cmp -cmd kur -cert three.pem -key three.key -newkey unconfirmed.key -certout unconfirmed.pem \
  -disable_confirm || true
[[ -z $(on_crl three.pem) ]] || fail 'superseded before the confirmation'
echo 'ok: an update that is not confirmed'

# cr and p10cr with a live certificate; with MAC they are initial enrolments; with a vendor's: p10cr only
refused 'cr for another purpose, used up' notAuthorized -cmd cr -cert three.pem -key three.key \
  -path .well-known/cmp/p/nf-tls-client -subject /CN=x
enrol many AMF 4
new_key cr.key
cmp -cmd cr -cert many.pem -key many.key -path .well-known/cmp/p/nf-tls-client -subject /CN=x -newkey cr.key -certout cr.pem
[[ $(openssl x509 -in cr.pem -noout -ext extendedKeyUsage) != *Server* ]] || fail 'cr: profile of the path'
new_key p10.key
openssl req -new -key p10.key -subj /CN=x -out p10.csr
cmp -cmd p10cr -cert many.pem -key many.key -csr p10.csr -certout p10.pem
[[ $(names p10.pem) == "$(names many.pem)" ]] || fail 'p10cr: names'
[[ -z $(on_crl many.pem) ]] || fail 'p10cr superseded something'

# ir with a live certificate is cr by another name (RFC 9483 4.1.2): its answer brings no caPubs
enrol known AMF 2
new_key ir.key
cmp -cmd ir -cert known.pem -key known.key -subject /CN=x -newkey ir.key -certout ir.pem -cacertsout ir.roots
[[ $(names ir.pem) == "$(names known.pem)" && ! -s ir.roots ]] || fail 'ir: names, or caPubs'
refused 'ir in the place of what has a successor' duplicateCertReq -cmd ir -cert known.pem -key known.key -subject /CN=x
[[ -z $(on_crl known.pem) ]] || fail 'ir superseded something'
new_key ir2.key
cmp -cmd ir -cert known.pem -key known.key -path .well-known/cmp/p/nf-tls-client -subject /CN=x -newkey ir2.key -certout ir2.pem
refused 'ir beyond what is registered' notAuthorized -cmd ir -cert known.pem -key known.key \
  -path .well-known/cmp/p/nf-tls-server -subject /CN=x
# but first of all it is for the registration that pins its certificate
fingerprint=$(openssl x509 -in ir.pem -outform DER | sha256sum | cut -d' ' -f1)
registration another SMF 1 "{\"kind\":\"certificate\",\"sha256\":\"$fingerprint\"}"
ractl register oam/another.p7s
new_key another.key
cmp -cmd ir -cert ir.pem -key ir.key -subject /CN=x -san_nodefault -newkey another.key -certout another.pem -cacertsout another.roots
[[ $(names another.pem) == *another.smf* && -s another.roots ]] || fail 'ir with a pinned certificate'
echo 'ok: ir with a certificate of this PKI'

register macs AMF 2
new_key m1.key
cmp -cmd cr -ref "$reference" -secret "pass:$secret" -subject /CN=x -newkey m1.key -certout m1.pem
new_key m2.key
openssl req -new -key m2.key -subj /CN=x -out m2.csr
cmp -cmd p10cr -ref "$reference" -secret "pass:$secret" -csr m2.csr -certout m2.pem
initial device
registration pinned AMF 2 "{\"kind\":\"certificate\",\"sha256\":\"$fingerprint\"}"
ractl register "$pki/oam/pinned.p7s"
refused "cr with a vendor's certificate" notAuthorized -cmd cr -cert device.pem -key device.key -subject /CN=x
refused "kur with a vendor's certificate" notAuthorized -cmd kur -cert device.pem -key device.key -subject /CN=x
new_key p3.key
openssl req -new -key p3.key -subj /CN=x -out p3.csr
cmp -cmd p10cr -cert device.pem -key device.key -csr p3.csr -certout p3.pem
echo 'ok: cr and p10cr'

# keys are lost: the same network function is registered again, on purpose only
enrol lost AMF 1
lost_id=$registration_id
sed 's/"certificates":1/"certificates":2/' oam/lost.json >oam/again.json
sign_registration again
if ractl register oam/again.p7s >x.log 2>&1; then fail 'two owners of one nfInstanceId'; fi
grep -q "live registration $lost_id: cancel that, or supersede it" x.log || fail "$(<x.log)"
sed "s/\"certificates\":2/\"certificates\":1,\"supersedes\":\"$lost_id\"/" oam/again.json >oam/anew.json
sign_registration anew
answer=$(ractl register --json oam/anew.p7s)
new_key anew.key
cmp -cmd ir -ref "$(sed -nE 's/.*"reference": *"([^"]*)".*/\1/p' <<<"$answer")" \
  -secret "pass:$(sed -nE 's/.*"secret": *"([^"]*)".*/\1/p' <<<"$answer")" -subject /CN=x -newkey anew.key \
  -certout anew.pem -implicit_confirm
wait_for_crl lost.pem Superseded
refused 'kur with lost keys' certRevoked -cmd kur -cert lost.pem -key lost.key
new_key anew2.key
cmp -cmd kur -cert anew.pem -key anew.key -newkey anew2.key -certout anew2.pem
echo 'ok: registered anew'

# the window
sed -i 's/^renewal_window = .*/renewal_window = 66/' ca/nfpki-ca.conf
kill_daemon ca
start_daemon ca
refused 'too early' 'too early: this certificate may be updated from 2' -cmd kur -cert anew2.pem -key anew2.key

# after a restart of both everything is as it was, and the record tells it
kill_daemon ca
kill_daemon ra
start_daemon ca
start_daemon ra
refused 'what was superseded, after a restart' certRevoked -cmd kur -cert two.pem -key two.key
audit verify
story=$(audit show "$(serial two.pem)")
[[ $story == *"updates $(serial one.pem)"* && $story == *"superseded by $(serial three.pem)"* ]] || fail "$story"
