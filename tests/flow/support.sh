#!/usr/bin/env bash
# Support messages (RFC 9483 4.3): the real client and ours ask; the answers are what the RA's files
# and the registration say. certProfile, and what the path says of the profile.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"
say() { "$bin/cmp_say" --reference "$reference" --secret "$secret" "$@" "$host" "$port" "$path"; }
der() { openssl asn1parse -genconf "$1" -noout -out "$2"; }

register asks AMF 3
tail_of() { tail -c "$(stat -c %s "$1")" "$2"; } # as many octets from the end of $2 as $1 has

# every question, with our client
for question in 2:signKeyPairTypes 6:currentCRL 17:caCerts 19:certReqTemplate 20:rootCaCert; do
  expect "${question#*:}" 'genp mac pvno 2' "$(say --info "${question%:*}" --value-out "${question#*:}.der")"
done
option() { sed -nE "s/^$1 *= *\"(.*)\"/\\1/p" ra/nfpki-ra.conf; }
openssl x509 -in "$(option issuing_certificate)" -outform DER -out issuing.der
tail_of issuing.der caCerts.der | diff - issuing.der || fail 'caCerts is not the issuing certificate'
crl=$(option crl_dir)/issuing.crl
diff currentCRL.der "$crl" || fail 'currentCRL is not the file that the CA wrote'
[[ ! -s rootCaCert.der ]] || fail 'an update of a root that has none'
types=$(openssl asn1parse -inform DER -in signKeyPairTypes.der)
for type in prime256v1 secp384r1 rsaEncryption; do
  [[ $types == *":$type"* ]] || fail "signKeyPairTypes lacks $type"
done
template=$(openssl asn1parse -inform DER -in certReqTemplate.der)
for part in :SE :5gc.mnc012.mcc345.3gppnetwork.org ':(1.3.6.1.5.5.7.5.1.11|id-regCtrl-algId)' :prime256v1 :secp384r1 \
  ':(1.3.6.1.5.5.7.5.1.12|id-regCtrl-rsaKeyLen)' :0C00; do # newer clients have names for them
  [[ $template =~ $part ]] || fail "certReqTemplate lacks $part: $template"
done
echo 'ok: the template has the registered subject and the keys'

# and with the real one
for question in caCerts currentCRL signKeyPairTypes; do
  cmp -cmd genm -infotype "$question" -ref "$reference" -secret "pass:$secret" -cacertsout genm.pem >genm.log 2>&1 ||
    fail "$question: $(cat genm.log)"
  # newer ones save what they understand, and say nothing
  grep -qE "genp (contains ITAV of type: |infoType=)id-it-$question" genm.log || [[ $question == caCerts && -s genm.pem ]] ||
    fail "$question: $(cat genm.log)"
done

# crlStatusList: what is newer, of those that are named
this_update=$(openssl crl -inform DER -in "$crl" -noout -lastupdate)
utc() { date -u -d "${this_update#*=} $1" +%y%m%d%H%M%SZ; }
status_list() { # status_list FILE SOURCE-SECTION [TIME]
  cat >status.cnf <<CNF
asn1 = SEQUENCE:list
[list]
one = SEQUENCE:status
[status]
source = $2
${3:+time = UTCTIME:$3}
[point]
full = EXPLICIT:0,SEQWRAP,NULL
[names]
uri = IMPLICIT:6,IA5STRING:http://example.org/crl/issuing.crl
[other]
uri = IMPLICIT:6,IA5STRING:http://example.org/crl/other.crl
CNF
  der status.cnf "$1"
}
status_list by-point.der 'EXPLICIT:0,IMPLICIT:0,SEQUENCE:names'
status_list by-point-old.der 'EXPLICIT:0,IMPLICIT:0,SEQUENCE:names' "$(utc '-1 hour')"
status_list by-point-same.der 'EXPLICIT:0,IMPLICIT:0,SEQUENCE:names' "$(utc '')"
status_list unknown.der 'EXPLICIT:0,IMPLICIT:0,SEQUENCE:other'
for list in by-point by-point-old; do
  expect "crlStatusList $list" 'genp mac pvno 2' "$(say --info 22 --value "$list.der" --value-out crls.der)"
  tail_of "$crl" crls.der | diff - "$crl" || fail "$list: not the CRL"
done
for list in by-point-same unknown; do
  rm -f crls.der
  expect "crlStatusList $list" 'genp mac pvno 2' "$(say --info 22 --value "$list.der" --value-out crls.der)"
  [[ ! -s crls.der ]] || fail "$list: a CRL that is no news"
done

# the CRL is not there, because the CA is away: the question waits, and a poll gets it, twice when the
# first answer is lost
printf '\x30\x05\x30\x03\x02\x01\xff' >poll.der
mv "$crl" hidden.crl
expect 'currentCRL without a CRL' 'error waiting mac pvno 2' "$(say --info 6 --out waits.der)"
expect 'crlStatusList without a CRL' 'error waiting mac pvno 2' "$(say --info 22 --value by-point.der)"
expect 'another CRL' 'genp mac pvno 2' "$(say --info 22 --value unknown.der)"
expect 'its poll' 'pollRep mac pvno 2' "$(say --body pollReq --content poll.der --continue waits.der --out again.der)"
printf '\x30\x05\x30\x03\x02\x01\x00' >poll-0.der
expect 'a poll for a certificate' 'error badRequest mac pvno 2' \
  "$(say --body pollReq --content poll-0.der --continue again.der 2>/dev/null)"
kill_daemon ra
start_daemon ra
expect 'after a kill' 'pollRep mac pvno 2' "$(say --body pollReq --content poll.der --continue again.der --out last.der)"
mv hidden.crl "$crl"
rm -f currentCRL.der
for _ in 1 2; do
  expect 'the poll gets it' 'genp mac pvno 2' \
    "$(say --body pollReq --content poll.der --continue last.der --value-out currentCRL.der)"
  diff currentCRL.der "$crl" || fail 'the poll got another CRL'
done

# a root on its way out: the three certificates are configured
ca_cert() { # ca_cert KEY SUBJECT SIGNER-KEY SIGNER-SUBJECT OUT
  openssl req -new -key "$1" -subj "/CN=$2" -out req.pem
  openssl req -x509 -new -key "$3" -subj "/CN=$4" -days 2 -out signer.pem
  openssl x509 -req -in req.pem -CA signer.pem -CAkey "$3" -days 2 -set_serial 1 -out "$5" \
    -extfile <(echo basicConstraints=critical,CA:TRUE) 2>/dev/null
}
new_key old.key
new_key new.key
ca_cert new.key Root new.key Root new-with-new.pem
ca_cert new.key Root old.key Root new-with-old.pem
ca_cert old.key Root new.key Root old-with-new.pem
openssl req -x509 -new -key old.key -subj /CN=Root -days 2 -outform DER -out old-root.der
openssl x509 -in new-with-new.pem -outform DER -out new-root.der
cp ra/nfpki-ra.conf plain.conf
kill_daemon ra
echo "root_update = {\"$pki/new-with-new.pem\", \"$pki/old-with-new.pem\", \"$pki/new-with-old.pem\"}" >>ra/nfpki-ra.conf
if start_daemon ra >start.log 2>&1; then
  fail 'an update with its certificates in the wrong order is taken'
fi
grep -q 'root_update' start.log log/nfpki-ra.log || fail 'nobody says what is wrong with root_update'
cp plain.conf ra/nfpki-ra.conf
echo "root_update = {\"$pki/new-with-new.pem\", \"$pki/new-with-old.pem\", \"$pki/old-with-new.pem\"}" >>ra/nfpki-ra.conf
start_daemon ra
for root in old new; do
  rm -f update.der
  expect "rootCaCert, the $root one" 'genp mac pvno 2' \
    "$(say --info 20 --value "$root-root.der" --value-out update.der)"
  [[ $root == old && -s update.der || $root == new && ! -s update.der ]] || fail "update of the $root root"
done
expect 'rootCaCert without one' 'genp mac pvno 2' "$(say --info 20 --value-out update.der)"
[[ -s update.der ]] || fail 'no update'

# what is not answered; each is remembered
expect 'an infoType of an answer' 'error badRequest mac pvno 2' "$(say --info 23)"
expect 'encKeyPairTypes' 'error badRequest mac pvno 2' "$(say --info 3)"
expect 'a value that is none' 'error badDataFormat mac pvno 2' "$(say --info 22 --value old-root.der)"
expect 'caCerts' 'genp mac pvno 2' "$(say --info 17 --request-out asked.der)"
post() {
  curl -sS -o answer.der -H 'Content-Type: application/pkixcmp' --data-binary "@$1" "$NFPKI_CMP_URL"
  "$bin/cmp_show" answer.der
}
expect 'the same genm again' 'error transactionIdInUse' "$(post asked.der)"
kill_daemon ra
start_daemon ra
expect 'the same genm after a kill' 'error transactionIdInUse' "$(post asked.der)"
true_secret=$secret
secret=0123456789abcdef
expect 'a wrong secret' 'error badMessageCheck signature pvno 2' "$(say --info 17)"
secret=$true_secret

# by certificate; and who is not registered gets nothing
initial asks
registration pinned SMF 1 "{\"kind\":\"certificate\",\"sha256\":\"$fingerprint\"}"
ractl register "$pki/oam/pinned.p7s" >/dev/null
cert() { "$bin/cmp_say" --certificate "$1.pem" --key "$1.key" --info 17 "$host" "$port" "$path"; }
expect 'signed' 'genp signature pvno 2' "$(cert asks)"
initial rogue
expect 'signed by a stranger' 'error signerNotTrusted signature pvno 2' "$(cert rogue)"

# certProfile
path=/.well-known/cmp
expect 'certProfile' 'ip mac pvno 2' "$(say --body ir --profile nf-tls-client --out profile.der)"
expect 'certProfile that is not registered' 'ip notAuthorized mac pvno 2' "$(say --body ir --profile registrar)"
path=/.well-known/cmp/p/nf-tls
expect 'certProfile against the path' 'ip notAuthorized mac pvno 2' "$(say --body ir --profile nf-tls-client)"
expect 'certProfile with the path' 'ip mac pvno 2' "$(say --body ir --profile nf-tls)"
audit verify >/dev/null
