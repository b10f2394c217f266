#!/usr/bin/env bash
# Certificates are revoked with the real client: by their holders, by an RA and by the OAM; nobody
# else can, and what is revoked is on the CRL and gets nothing any more.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"

serial() { openssl x509 -in "$1" -noout -serial | cut -d= -f2; }
crl() { openssl crl -inform DER -in "$pki/crl/issuing.crl" -noout -text; }
on_crl() { # on_crl FILE: why its certificate is on the published CRL
  crl | awk -v serial="$(serial "$1")" '$1 == "Serial" { on = $3 == serial } on && /Reason Code/ { getline; print; on = 0 }'
}
rr() { cmp -cmd rr "$@" >rr.log 2>&1; }
refused() { # refused 'what' FAILINFO ARGUMENT...
  local what=$1 wanted=$2
  shift 2
  if rr "$@"; then
    fail "$what: accepted"
  fi
  grep -q "$wanted" rr.log || fail "$what: expected $wanted"$'\n'"$(<rr.log)"
  echo "ok: $what: $wanted"
}
accepted() { # accepted 'what' ARGUMENT...
  local what=$1
  shift
  rr "$@" || fail "$what"$'\n'"$(<rr.log)"
  echo "ok: $what"
}
enrol() { # enrol NAME: $pki/NAME.{key,pem}
  register "$1" AMF 1
  new_key "$1.key"
  cmp -cmd ir -ref "$reference" -secret "pass:$secret" -subject /CN=x -newkey "$1.key" -certout "$1.pem"
}

enrol a
enrol b
refused 'without a reason' addInfoNotAvailable -cert a.pem -key a.key -oldcert a.pem
refused "somebody else's certificate" notAuthorized -cert a.pem -key a.key -oldcert b.pem -revreason 1
refused 'hold' badRequest -cert a.pem -key a.key -oldcert a.pem -revreason 6
refused 'removal from the CRL' badRequest -cert a.pem -key a.key -oldcert a.pem -revreason 8
refused 'another issuer' badCertId -cert a.pem -key a.key -oldcert "$NFPKI_TRUST" -revreason 1
register mac AMF 1
refused 'by MAC' wrongIntegrity -ref "$reference" -secret "pass:$secret" -oldcert a.pem -revreason 1
initial device
registration pinned AMF 1 "{\"kind\":\"certificate\",\"sha256\":\"$fingerprint\"}"
ractl register "$pki/oam/pinned.p7s"
refused "by a vendor's certificate" notAuthorized -cert device.pem -key device.key -oldcert a.pem -revreason 1
[[ $(crl) == *'No Revoked Certificates'* ]] || fail 'a refused request revoked something'

accepted 'by its holder, with the name that a compromise has for CAs' -cert a.pem -key a.key -oldcert a.pem -revreason 2
[[ $(on_crl a.pem) == *'Key Compromise'* ]] || fail "a.pem is not on the CRL: $(crl)"
refused 'what is revoked already' certRevoked -cert a.pem -key a.key -oldcert a.pem -revreason 1
new_key x.key
if cmp -cmd kur -cert a.pem -key a.key -newkey x.key -certout x.pem >x.log 2>&1 || ! grep -q certRevoked x.log; then
  fail "kur with a revoked certificate: $(<x.log)"
fi
if cmp -cmd genm -cert a.pem -key a.key -infotype caCerts -cacertsout x.pem >x.log 2>&1 || ! grep -q certRevoked x.log; then
  fail "genm with a revoked certificate: $(<x.log)"
fi
echo 'ok: it gets nothing any more'

# a compromise is one, also when it is called a CA's
enrol called
accepted 'a reason of CAs' -cert called.pem -key called.key -oldcert called.pem -revreason 2
[[ $(on_crl called.pem) == *'Key Compromise'* ]] || fail "the reason of CAs: $(on_crl called.pem)"

# by the OAM, and by another RA
accepted 'by a registrar' -cert oam/registrar.pem -key oam/registrar.key -oldcert b.pem -revreason 5
[[ $(on_crl b.pem) == *'Cessation Of Operation'* ]] || fail 'b.pem is not on the CRL'
refused 'by a registrar, again' certRevoked -cert oam/registrar.pem -key oam/registrar.key -oldcert b.pem -revreason 5
new_key upstream.key
openssl req -new -key upstream.key -subj /CN=upstream -out upstream.csr
cactl issue --profile ra-cmp --subject-cn 'upstream RA' --days 2 upstream.csr >upstream.pem
enrol c
accepted 'by an RA' -cert upstream.pem -key upstream.key -oldcert c.pem -revreason 9
[[ $(on_crl c.pem) == *'Privilege Withdrawn'* ]] || fail 'c.pem is not on the CRL'
refused "an RA's own certificate" badCertId -cert upstream.pem -key upstream.key -oldcert upstream.pem -revreason 1
refused "the registrar's certificate" badCertId -cert upstream.pem -key upstream.key -oldcert oam/registrar.pem -revreason 1
# as other programs print the number; what is none is answered with what is taken
! cactl revoke "$(serial upstream.pem)0" --reason cessationOfOperation 2>serial.txt || fail 'a serial of 33 digits'
grep -q '32 hexadecimal digits are wanted' serial.txt || fail "a bad serial: $(cat serial.txt)"
typed=$(openssl x509 -in upstream.pem -noout -text -certopt no_pubkey,no_sigdump | sed -n '/Serial Number/{n;s/ //g;p}')
[[ $typed == ??:*:?? ]] || fail "no colons: $typed"
for form in "$typed" "0x$(serial upstream.pem)" "${typed^^}"; do
  audit show "$form" | finds -i "$(serial upstream.pem)" || fail "audit show $form"
done
cactl revoke "0x${typed^^}" --reason cessationOfOperation
enrol d
refused 'by an RA that is revoked' certRevoked -cert upstream.pem -key upstream.key -oldcert d.pem -revreason 1

# while the CA is away it waits, and a poll gets the answer
kill_daemon ca
rr -cert d.pem -key d.key -oldcert d.pem -revreason 4 -total_timeout 3 -reqout d-rr.der \
  -rspout d-rp.der,d-poll.der && fail 'answered without a CA' || true
[[ $("$bin/cmp_show" d-rp.der) == error* ]] || fail "waiting: $("$bin/cmp_show" d-rp.der)"
start_daemon ca
for _ in $(seq 200); do
  [[ $(on_crl d.pem) == *Superseded* ]] && break
  sleep 0.1
done
[[ $(on_crl d.pem) == *Superseded* ]] || fail 'what waited was not revoked'
# the answer can be fetched, again when it was lost (RFC 9483 4.4)
printf '\x30\x05\x30\x03\x02\x01\xff' >poll.der
[[ ! -s d-poll.der ]] || mv d-poll.der d-rp.der # newer clients have polled by themselves
for _ in 1 2; do
  said=$("$bin/cmp_say" --certificate d.pem --key d.key --body pollReq --content poll.der --continue d-rp.der \
    "$host" "$port" "$path")
  [[ $said == 'rp signature pvno 2' ]] || fail "the poll of an rr: $said"
done
echo 'ok: it waits for the CA'

# cancel closes and revokes: both certificates, also with an officer's command, also when the CA is away
wait_for_reason() { # wait_for_reason FILE REASON
  for _ in $(seq 200); do
    [[ $(on_crl "$1") == *"$2"* ]] && return
    sleep 0.1
  done
  fail "$1 is not on the CRL as $2"
}
enrol e
first_id=$registration_id
new_key e2.key
cmp -cmd kur -cert e.pem -key e.key -newkey e2.key -certout e2.pem
cancel "$first_id"
[[ $(on_crl e2.pem) == *'Cessation Of Operation'* && $(on_crl e.pem) == *Superseded* ]] || fail "cancel: $(crl)"
if cmp -cmd kur -cert e2.pem -key e2.key -newkey x.key -certout x.pem >x.log 2>&1 || ! grep -q certRevoked x.log; then
  fail "kur after cancel: $(<x.log)"
fi
cancel "$first_id"
# only a registrar ends a registration, and only with what it signed about this one
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj /CN=officer -keyout oam/officer.key \
  -out officer.csr 2>/dev/null
cactl issue --profile officer --subject-cn officer --days 2 officer.csr >oam/officer.pem
enrol f
cp f.pem oam/f.pem && cp f.key oam/f.key
for signer in officer f; do
  cancellation "$registration_id" "$signer"
  if ractl cancel "oam/cancel-$registration_id.p7s" 2>x.log; then fail "cancelled by $signer"; fi
  echo "ok: $(<x.log)"
done
cmp -cmd kur -cert f.pem -key f.key -newkey x.key -certout f2.pem || fail 'what nobody cancelled does not work any more'
cactl cancel "$registration_id" | finds '"revoked": 1' || fail 'cactl cancel'
[[ $(on_crl f2.pem) == *'Cessation Of Operation'* ]] || fail 'cancelled by an officer, and not on the CRL'
cactl cancel "$registration_id" | finds '"already": true' || fail 'cactl cancel, again'
! ractl list --state cancelled | finds "$registration_id" || fail 'the RA lists what only the CA cancelled'
cancel "$registration_id"
ractl list --state cancelled | finds "$registration_id" || fail 'cancelled at both'
if cactl cancel 00000000000000000000000000000000 2>x.log; then fail 'cancelled nothing'; fi
enrol g
cancel "$first_id" # so that the RA has heard whose signature this is
kill_daemon ca
if cancel "$registration_id" 2>x.log; then fail 'cancelled without a CA'; fi
grep -q 'is told' x.log || fail "cancel without a CA: $(<x.log)"
kill_daemon ra
start_daemon ca
start_daemon ra
wait_for_reason g.pem 'Cessation Of Operation'
echo 'ok: cancel closes and revokes'

# an auditor elsewhere: what the RA serves, as files and as a database; a witness, whose word is published
elsewhere() { "$bin/nfpki-audit" --key "$pki/log.vkey" "$@"; }
"$bin/nfpki-audit" witness-key --key-file witness.key auditor.example >witness.vkey
echo "witnesses = {\"$(<witness.vkey)\"}" | cat - ca/nfpki-ca.conf >with-witness.conf
mv with-witness.conf ca/nfpki-ca.conf
restart ca
published
url=${NFPKI_CMP_URL%/.well-known/*}/ledger
elsewhere fetch "$url/" fetched
elsewhere --ledger fetched witness --key-file witness.key --state witness.state >cosigned
cactl witness add cosigned
printf 'log %s\nwitness auditor %s\nquorum auditor\n' "$(<log.vkey)" "$(<witness.vkey)" >policy
for ((i = 0; i < 300; i++)); do # it is published within a second
  elsewhere fetch --policy policy "$url" fetched
  ! elsewhere --ledger fetched verify --policy policy >verified.txt 2>verified.log || break
  sleep 0.1
done
grep -q auditor.example verified.txt || fail "the witness: $(<verified.txt) $(<verified.log)"
elsewhere mirror --init "$url" audit.db >mirrored.txt || fail "$(<mirrored.txt)"
"$bin/nfpki-audit" --mirror audit.db list certificates --status revoked >revoked.txt
for one in a.pem b.pem c.pem f2.pem; do
  grep -qi "$(serial "$one")" revoked.txt || fail "$one is not in the mirror: $(<revoked.txt)"
done
echo 'ok: fetched from the RA, cosigned, mirrored'

# and what signed it: each certificate, and the CRL that is out
stop_daemon ca
audit verify --issuer ceremony/sub-issue/issuing.cert.pem --crl crl/issuing.crl >verified.txt || fail "$(<verified.txt)"
grep -q ' and 1 CRLs, verified with the issuing key' verified.txt || fail "$(<verified.txt)"
! grep -q 'NOT VERIFIED' verified.txt || fail "$(<verified.txt)"
python3 -B "$root_dir/tests/interop/ledger_rules.py" "$root_dir/db/LEDGER.md" ledger "$pki/log.vkey"
python3 -B "$root_dir/tests/interop/ledger_messages.py" ledger >messages.txt || fail 'a message is another one'
grep -q ', 0 missing$' messages.txt || fail "$(<messages.txt)"
# the record says who
story=$(audit show "$first_id")
[[ $story == *"signed by the registrar with serial $(serial oam/registrar.pem | tr '[:upper:]' '[:lower:]')"* ]] || fail "$story"
story=$(audit show "$(serial f2.pem | tr '[:upper:]' '[:lower:]')")
[[ $story == *"by uid $UID ($(id -un))"* ]] || fail "$story"
story=$(audit show "$(serial c.pem | tr '[:upper:]' '[:lower:]')")
[[ $story == *'privilegeWithdrawn, by rr of ra-cmp'* && $story == *'asked for by request'* ]] || fail "$story"

# and what all of this has left in the database agrees with it
stop_daemon ca
SOFTHSM2_CONF=$pki/ca/softhsm2.conf CREDENTIALS_DIRECTORY=$pki/ca/credentials \
  "$bin/nfpki-ca" --verify --config ca/nfpki-ca.conf >verify.txt 2>verify.log || fail "$(<verify.txt) $(<verify.log)"
grep -q ' compared in .*: no difference$' verify.txt || fail "$(<verify.txt)"
start_daemon ca
echo "ok: $(tail -n 1 verify.txt)"
# and who asked is who may: the certificate itself, a registrar, an RA
for row in a:'from the holder of this certificate' b:'from who has a certificate of profile registrar' c:'from who has a certificate of profile ra-cmp'; do
  audit explain "$(serial "${row%%:*}.pem")" >told.txt || fail "explain ${row%%:*}.pem: $(<told.txt)"
  grep -q "it is ${row#*:}: verified again" told.txt || fail "explain ${row%%:*}.pem: $(<told.txt)"
done
