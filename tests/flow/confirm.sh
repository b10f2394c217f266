#!/usr/bin/env bash
# How an enrolment ends (RFC 9483 4.1.1): implicitConfirm or confirmWaitTime, certConf with a hash of its
# own (pvno 3), handed on by another RA, rejecting; and which answers bring the trust anchor.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"
expect() { # expect 'what' WANTED GOT
  [[ $3 == "$2" ]] || fail "$1: expected '$2', got '$3'"
  echo "ok: $1: $3"
}
say() { "$bin/cmp_say" --reference "$reference" --secret "$secret" "$@" "$host" "$port" "$path" 2>text.txt; }
ask() { # ask NAME COMMAND [ARGUMENT...]: $1.{key,pem}, $1.{answer,roots}
  local name=$1 command=$2
  shift 2
  [[ -f $name.key ]] || new_key "$name.key"
  rm -f "$name.pem" "$name.roots"
  cmp -cmd "$command" -newkey "$name.key" -certout "$name.pem" -cacertsout "$name.roots" -rspout "$name.answer" "$@" \
    >"$name.log" 2>&1 || fail "$name: $(<"$name.log")"
}
by_mac() { ask "$1" "$2" -ref "$reference" -secret "pass:$secret" -subject /CN=x "${@:3}"; }
info() { # info NAME: which of the two its answer has
  openssl asn1parse -inform DER -in "$1.answer" | grep -oE 'id-it-(implicitConfirm|confirmWaitTime)' | tr '\n' ' '
}
roots() { cat "$1.roots" 2>/dev/null | grep -c BEGIN || true; }
certconf() { # certconf NAME HASH [MEMBER...]: confirm.der
  printf 'asn1=SEQUENCE:list\n[list]\none=SEQUENCE:status\n[status]\nhash=FORMAT:HEX,OCTETSTRING:%s\nid=INTEGER:0\n' \
    "$(openssl x509 -in "$1.pem" -outform DER | openssl dgst "-$2" -r | cut -d' ' -f1)" >confirm.cnf
  printf '%s\n' "${@:3}" >>confirm.cnf
  openssl asn1parse -genconf confirm.cnf -noout -out confirm.der
}
with_hash=('alg=EXPLICIT:0,SEQUENCE:algorithm' '[algorithm]' 'oid=OID:sha512')
state_of() { audit list | grep "^$(openssl x509 -in "$1.pem" -noout -serial | cut -d= -f2 | tr '[:upper:]' '[:lower:]')"; }

register ends AMF 12
by_mac plain ir
expect 'ir' 'id-it-confirmWaitTime ' "$(info plain)"
expect 'ir: the root, and no other' 1 "$(roots plain)"
openssl x509 -in plain.roots | diff - <(openssl x509 -in "$NFPKI_TRUST") || fail 'caPubs is not the root'
by_mac implicit ir -implicit_confirm
expect 'implicitConfirm' 'id-it-implicitConfirm ' "$(info implicit)"
by_mac cr cr
expect 'cr: no caPubs' 0 "$(roots cr)"
new_key p10.key
openssl req -new -key p10.key -subj /CN=x -out p10.csr
by_mac p10 p10cr -csr p10.csr
expect 'p10cr: no caPubs' 0 "$(roots p10)"
ask kur kur -cert plain.pem -key plain.key -implicit_confirm
expect 'kur: no caPubs' 0 "$(roots kur)"
expect 'kur: implicitConfirm is not granted' 'id-it-confirmWaitTime ' "$(info kur)"

# a hash that the certificate's signature does not name
by_mac hashed ir -disable_confirm
certconf hashed sha512 "${with_hash[@]}"
expect 'another hash than it says' 'error badCertId mac pvno 3' "$(
  certconf hashed sha384 "${with_hash[@]}"
  say --body certConf --pvno 3 --content confirm.der --continue hashed.answer --out next.der
)"
certconf hashed sha512 "${with_hash[@]}"
expect 'certConf with hashAlg' 'pkiConf mac pvno 3' \
  "$(say --body certConf --pvno 3 --content confirm.der --continue hashed.answer)"

# through another RA
new_key upstream.key
openssl req -new -key upstream.key -subj /CN=x -out upstream.csr
cactl issue --profile ra-cmp --subject-cn 'upstream RA' --days 3 upstream.csr >upstream.pem
by_mac handed ir -disable_confirm
certconf handed sha256
expect 'nested certConf' 'pkiConf mac pvno 2' \
  "$(say --upstream upstream.pem --upstream-key upstream.key --body certConf --content confirm.der --continue handed.answer)"

# not wanted
by_mac rejected ir -disable_confirm
certconf rejected sha256 'status=SEQUENCE:info' '[info]' 'status=INTEGER:2'
expect 'certConf that rejects' 'pkiConf mac pvno 2' "$(say --body certConf --content confirm.der --continue rejected.answer)"
for ((i = 0; i < 300; i++)); do
  openssl crl -inform DER -in crl/issuing.crl -noout -text | finds "$(openssl x509 -in rejected.pem -noout -serial | cut -d= -f2)" && break
  sleep 0.1
done
for row in plain:revoked implicit:issued hashed:confirmed handed:confirmed rejected:revoked; do
  [[ $(state_of "${row%:*}") == *"${row#*:}"* ]] || fail "${row%:*}: not ${row#*:}: $(state_of "${row%:*}")"
done

# what was rejected is not made again and again: the last word about a profile counts
unwanted() { # unwanted 'what': the next ir is refused, and no use
  new_key again.key
  rm -f again.pem
  if cmp -cmd ir -ref "$reference" -secret "pass:$secret" -subject /CN=x -newkey again.key -certout again.pem >again.log 2>&1; then
    fail "$1: accepted"
  fi
  grep -q 'notAuthorized.*register it anew' again.log || fail "$1: $(<again.log)"
  [[ ! -e again.pem ]] || fail "$1: a certificate came"
  echo "ok: $1: register it anew"
}
rejecting() { # rejecting NAME: the client gets it, and rejects it, since what it trusts does not verify it
  new_key "$1.key"
  if cmp -cmd ir -ref "$reference" -secret "pass:$secret" -subject /CN=x -newkey "$1.key" -certout "$1.pem" \
    -out_trusted oam/registrar.pem >"$1.log" 2>&1; then
    fail "$1: the client did not reject"
  fi
}
unwanted 'ir after a rejection'
new_key client.key
cmp -cmd ir -ref "$reference" -secret "pass:$secret" -path .well-known/cmp/p/nf-tls-client -subject /CN=x -newkey client.key -certout client.pem
echo 'ok: another profile after a rejection'
register picky SMF 1
rejecting picky1
unwanted 'ir after the only one was rejected'
kill_daemon ca
echo 'retry_rejected = true' >>ca/nfpki-ca.conf
start_daemon ca
by_mac picky2 ir
[[ $(state_of picky2) == *confirmed* ]] || fail "the further try: $(state_of picky2)"
[[ $(audit show "$(openssl x509 -in picky2.pem -noout -serial | cut -d= -f2)") == *'a further try, for the use of'* ]] ||
  fail 'the record does not tell of the further try'
echo 'ok: one further try by option'
register pickier SMF 1
rejecting pickier1
rejecting pickier2
unwanted 'ir after the further try was rejected'
audit verify >/dev/null

# an RA that grants none
register granted AMF 1
kill_daemon ra
sed -i '/^implicit_confirm/d' ra/nfpki-ra.conf
echo 'implicit_confirm = false' >>ra/nfpki-ra.conf
start_daemon ra
by_mac not-granted ir -implicit_confirm
expect 'implicitConfirm that is not granted' 'id-it-confirmWaitTime ' "$(info not-granted)"
[[ $(state_of not-granted) == *confirmed* ]] || fail "the client did not confirm: $(state_of not-granted)"
audit verify >/dev/null

# what each of them asked with is in the ledger
for name in plain cr p10 kur hashed handed rejected picky2; do
  audit explain "$(openssl x509 -in "$name.pem" -noout -serial | cut -d= -f2)" >told.txt || fail "$name: $(<told.txt)"
  grep -q 'the certificate is for the key that it asks for: verified again' told.txt || fail "$name: $(<told.txt)"
done
grep -q 'it is protected with the one-time secret: the RA' told.txt || fail "$(<told.txt)"
audit explain "$(openssl x509 -in kur.pem -noout -serial | cut -d= -f2)" >told.txt
grep -q 'its certificate is of this record: ' told.txt || fail "$(<told.txt)"
