#!/usr/bin/env bash
# The operator's file of profiles: the real client enrols under each shipped one and under one of the
# operator's own, by path; what a profile does not allow is refused; the record names the file; bad
# files are refused at start with file and line.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
source "$(dirname "$0")/../support/every_profile.sh"
pki_start
cd "$pki"
domain=5gc.mnc012.mcc345.3gppnetwork.org
other=5gc.mnc013.mcc345.3gppnetwork.org

# ask PROFILE KIND [ARGUMENT...]: an ir by path with a new key; the certificate is in PROFILE.pem
ask() {
  local profile=$1
  every_key "$1.key" "$2"
  shift 2
  rm -f "$profile.pem"
  openssl cmp -cmd ir -server "$host:$port" -path ".well-known/cmp/p/$profile" -trusted "$NFPKI_TRUST" \
    -ref "$reference" -secret "pass:$secret" -subject /CN=x -newkey "$profile.key" -certout "$profile.pem" "$@" \
    >"$profile.log" 2>&1
}

has() { # has PROFILE TEXT...: the certificate says all that
  local text profile=$1
  text=$(openssl x509 -in "$profile.pem" -noout -text -certopt no_pubkey,no_sigdump)
  shift
  for wanted in "$@"; do
    [[ $text == *"$wanted"* ]] || fail "$profile: the certificate lacks '$wanted'"$'\n'"$text"
  done
  openssl verify -CAfile "$NFPKI_TRUST" -untrusted nf/chain.pem "$profile.pem" >/dev/null ||
    fail "$profile: the certificate does not verify"
  echo "ok: $profile"
}

refused() { # refused 'what' FAILINFO PROFILE KIND [ARGUMENT...]
  local what=$1 failure=$2
  shift 2
  ! ask "$@" || fail "$what: got a certificate"
  grep -q "$failure" "$1.log" || fail "$what: no $failure in: $(cat "$1.log")"
  echo "ok: $what: $failure"
}

# ---- without a file: the built-in ones, and no others ---------------------------------------------

! every_registration nobody SEPP '[{"name":"sepp"}]' "[\"sepp1.$domain\"]" || fail 'sepp without a file'
grep -q 'profiles\[0\].name: not a profile' <<<"$said" || fail "sepp without a file: $said"

# ---- bad files: refused at start and by --check, with file and line --------------------------------

shipped=$root_dir/ca/x509/nfpki-profiles.conf
for host_of in ca ra; do
  cp "$host_of/nfpki-$host_of.conf" "$host_of.good"
  sed "\$aprofiles = \"$pki/bad.conf\"" "$host_of.good" >"$host_of/bad.conf"
done
bad() { # bad 'what' LINE:REASON SED-SCRIPT: of the shipped file
  sed "$3" "$shipped" >bad.conf
  for host_of in ca ra; do
    for check in '' --check; do
      # shellcheck disable=SC2086
      ! SOFTHSM2_CONF=$pki/$host_of/softhsm2.conf CREDENTIALS_DIRECTORY=$pki/$host_of/credentials \
        timeout 60 "$bin/nfpki-$host_of" --config "$pki/$host_of/bad.conf" $check >bad.log 2>&1 ||
        fail "$1: nfpki-$host_of $check takes it"
      grep -qF "$pki/bad.conf:$2" bad.log || fail "$1: nfpki-$host_of $check: $(cat bad.log)"
    done
  done
  echo "ok: $1 is refused with file and line"
}
first=$(grep -n '^profile "nf-tls" {' "$shipped" | cut -d: -f1)
bad 'an unknown option' "$((first + 1)): no such option 'colour'" "${first}a colour = blue"
bad 'a CA certificate' "$((first + 1)): key_usage: 'keyCertSign'" "$((first + 1))s/digitalSignature/keyCertSign/"
bad 'any purpose' "$((first + 2)): profile nf-tls: extended_key_usage" "$((first + 2))s/\"serverAuth\"/\"2.5.29.37.0\"/"
bad 'a wildcard of an AMF' "$((first + 1)): profile nf-tls: wildcard" "${first}a wildcard = true"
bad 'ten years' "$((first + 5)): max_validity_days: at most three years" "$((first + 5))s/1095/3650/"
bad 'an option twice' "$((first + 2)): option 'server' stands there twice" "${first}a server = true\nserver = false"

# ---- the shipped file with an own profile ----------------------------------------------------------

{
  sed '/^profile "nf-tls-short"/,/^}/s/enabled = false/enabled = true/' "$shipped"
  cat <<'CONF'
profile "udm-tls" {
    extended_key_usage = {"serverAuth", "clientAuth"}
    nf_types = {"UDM"}
    server = true
    keys = {"P-384"}
    max_validity_hours = 36
    unknown_extensions = "reject"
    unregistered_names = "replace"
    ignored = {"CN"}
    implicit_confirm = false
}
CONF
} >profiles.conf
for host_of in ca ra; do
  sed "\$aprofiles = \"$pki/profiles.conf\"" "$host_of.good" >"$host_of/nfpki-$host_of.conf"
  "$bin/nfpki-$host_of" --config "$host_of/nfpki-$host_of.conf" --check || fail "nfpki-$host_of --check"
done
restart_both
! grep -q profiles-differ log/nfpki-ra.log || fail 'the RA says that the files differ'

dns="[\"nf1.$domain\"]"
for row in nf-tls:AMF:P-256 nf-tls-client:SMF:P-384 nf-tls-server:UDR:RSA-2048; do
  IFS=: read -r profile type kind <<<"$row"
  every_registration "$profile" "$type" "[{\"name\":\"$profile\",\"maxValidityDays\":2}]" "$dns" || fail "$profile: $said"
  ask "$profile" "$kind" || fail "$profile: $(cat "$profile.log")"
  has "$profile" "DNS:nf1.$domain, URI:urn:uuid:" 'X509v3 CRL Distribution Points'
done

every_registration nrf NRF '[{"name":"nrf-token"},{"name":"cca-jwt"}]' "$dns" || fail "NRF: $said"
ask nrf-token P-256 || fail "nrf-token: $(cat nrf-token.log)"
has nrf-token '1.3.6.1.5.5.7.3.39' 'Digital Signature'
ask cca-jwt P-384 || fail "cca-jwt: $(cat cca-jwt.log)"
has cca-jwt '1.3.6.1.5.5.7.3.37' 'Digital Signature'
refused 'an RSA key below the profile' badCertTemplate nrf-token RSA-2048
grep -q 'the profile does not take a key of this kind or size' nrf-token.log || fail "no phrase: $(cat nrf-token.log)"
refused 'a profile that is not registered' notAuthorized nf-tls P-256
! every_registration amf AMF '[{"name":"nrf-token"}]' "$dns" || fail 'an AMF was registered for tokens'
grep -q 'nfTypes: profile nrf-token is for NRF' <<<"$said" || fail "tokens for an AMF: $said"
echo 'ok: tokens are for NRFs'

# many at once name them, too
printf '%s' "$(tr -d '\n' <oam/nrf.json)" >site.jsonl
echo >>site.jsonl
! ractl manifest site.jsonl >/dev/null 2>manifest.log || fail 'manifest knows nrf-token without the file'
grep -q 'site.jsonl:1: .*profiles\[0\].name: not a profile' manifest.log || fail "manifest: $(cat manifest.log)"
ractl manifest --profiles profiles.conf site.jsonl >/dev/null

# ---- SEPP: the signer of the issuing key has the last word ----------------------------------------

names="[\"*.sepp1.$domain\",\"sepp1.$domain\",\"sepp1.$other\"]"
plmns='"plmns":[{"mcc":"345","mnc":"12"},{"mcc":"345","mnc":"13"}],'
! every_registration less SEPP '[{"name":"sepp"}]' "$names" '"plmns":[{"mcc":"345","mnc":"12"}],' ||
  fail 'a PLMN that is not registered'
! every_registration more SEPP '[{"name":"sepp"}]' "[\"sepp1.$domain\"]" "$plmns" || fail 'a PLMN without a name'
grep -q 'plmns\[1\]: no FQDN' <<<"$said" || fail "a PLMN without a name: $said"
every_registration sepp SEPP '[{"name":"sepp"},{"name":"n32-jwe"}]' "$names" "$plmns" || fail "SEPP: $said"
refused 'a wildcard that the policy of the signer has not' systemFailure sepp P-256
refused 'keyEncipherment that the policy of the signer has not' systemFailure n32-jwe RSA-3072
refused 'an elliptic curve for keyEncipherment' badCertTemplate n32-jwe P-256
sed -i 's/^    max_validity = 1095/&\n    key_usage = {"digitalSignature", "keyEncipherment"}\n    wildcard = true\n    no_rev_avail = true/' \
  ca/issuing-signer.conf
sed -i '$alab_profiles = true' ca/nfpki-ca.conf
! every_registration lab AMF '[{"name":"free5gc-lab"}]' "$dns" || fail 'a laboratory without leave'
grep -q 'the CA says: profiles\[0\].name: free5gc-lab is for lab' <<<"$said" || fail "a laboratory: $said"
restart_both
every_registration sepp2 SEPP '[{"name":"sepp"},{"name":"n32-jwe"}]' "$names" "$plmns" || fail "SEPP: $said"
ask sepp P-256 || fail "sepp: $(cat sepp.log)"
has sepp "DNS:*.sepp1.$domain, DNS:sepp1.$domain, DNS:sepp1.$other, URI:urn:uuid:" \
  'TLS Web Server Authentication, TLS Web Client Authentication'
ask n32-jwe RSA-3072 || fail "n32-jwe: $(cat n32-jwe.log)"
has n32-jwe '1.3.6.1.5.5.7.3.38' 'Key Encipherment' "DNS:sepp1.$domain, DNS:sepp1.$other, URI:urn:uuid:"

# ---- laboratories, short lives, an own profile ----------------------------------------------------

every_registration lab2 AMF '[{"name":"free5gc-lab"}]' "$dns" || fail "lab: $said"
ask free5gc-lab RSA-2048 -sans AMF || fail "free5gc-lab: $(cat free5gc-lab.log)"
has free5gc-lab "DNS:nf1.$domain, DNS:AMF, URI:urn:uuid:"

every_registration short AMF '[{"name":"nf-tls-short"}]' "$dns" || fail "short: $said"
ask nf-tls-short P-256 || fail "nf-tls-short: $(cat nf-tls-short.log)"
has nf-tls-short "DNS:nf1.$domain"
# noRevAvail, not critical, NULL
[[ $(openssl x509 -in nf-tls-short.pem -outform DER | od -An -v -tx1 | tr -d ' \n') == *0603551d3804020500* ]] ||
  fail 'nf-tls-short: no noRevAvail'
! openssl x509 -in nf-tls-short.pem -noout -text | finds 'CRL Distribution' || fail 'a CRL for a short life'
openssl x509 -in nf-tls-short.pem -noout -checkend $((11 * 3600)) >/dev/null || fail 'nf-tls-short: too short'
! openssl x509 -in nf-tls-short.pem -noout -checkend $((13 * 3600)) >/dev/null || fail 'nf-tls-short: too long'

every_registration names AMF '[{"name":"nf-tls"}]' "$dns" || fail "AMF: $said"
refused 'a name that is not registered' notAuthorized nf-tls P-256 -sans "nf2.$domain"
# cert-manager's CMP issuer rejects whatever is not "accepted"; its CSR has a CN, which no certificate
# of ours has, names, usages and purposes in its own order
as_cert_manager() { # as_cert_manager PROFILE SUBJECT
  local profile=$1
  every_key cm.key P-384
  openssl req -new -key cm.key -subj "$2" -addext "subjectAltName=URI:urn:uuid:${instance^^},DNS:NF1.$domain" \
    -addext keyUsage=critical,digitalSignature -addext extendedKeyUsage=clientAuth,serverAuth \
    -addext basicConstraints=critical,CA:FALSE -out cm.csr
  openssl cmp -cmd p10cr -server "$host:$port" -path ".well-known/cmp/p/$profile" -trusted "$NFPKI_TRUST" \
    -ref "$reference" -secret "pass:$secret" -csr cm.csr -certout cm.pem >cm.log 2>&1 || fail "$profile: $(cat cm.log)"
}
every_registration cm AMF '[{"name":"nf-tls"}]' "$dns" || fail "AMF: $said"
instance=$(sed -nE 's/.*"nfInstanceId":"([^"]*)".*/\1/p' oam/cm.json)
as_cert_manager nf-tls "/CN=nf1.$domain"
grep -q 'granted with modifications' cm.log || fail "a CN was dropped in silence: $(cat cm.log)"
as_cert_manager nf-tls "/O=$domain/C=SE"
! grep -q 'granted with modifications' cm.log || fail "what was asked for is what was given: $(cat cm.log)"
every_registration udm UDM '[{"name":"udm-tls"}]' "$dns" || fail "UDM: $said"
refused 'another curve than the own profile has' badCertTemplate udm-tls P-256
cat >wish.cnf <<'CONF'
[policy]
certificatePolicies = 1.2.3.4
CONF
refused 'an extension that is not given' badCertTemplate udm-tls P-384 -config wish.cnf -reqexts policy
ask udm-tls P-384 -sans 127.0.0.1 || fail "a name that is replaced: $(cat udm-tls.log)"
grep -q 'granted with modifications' udm-tls.log || fail "a name was replaced in silence: $(cat udm-tls.log)"
! openssl x509 -in udm-tls.pem -noout -ext subjectAltName | finds 127 || fail 'a name that is not registered'

instance=$(sed -nE 's/.*"nfInstanceId":"([^"]*)".*/\1/p' oam/udm.json)
as_cert_manager udm-tls "/CN=nf1.$domain"
! grep -qi 'grantedWithMods\|granted with modifications' cm.log || fail "a CN that is ignored: $(cat cm.log)"
! openssl x509 -in cm.pem -noout -subject | finds CN || fail 'a CN was given'
new_key kur.key
if cmp -cmd kur -cert udm-tls.pem -key udm-tls.key -newkey kur.key -sans 127.0.0.1 -certout kur.pem >kur.log 2>&1; then
  fail 'a kur for a name that is not registered'
fi
grep -q notAuthorized kur.log || fail "a kur for a name that is not registered: $(cat kur.log)"
ask udm-tls P-384 -implicit_confirm || fail "udm-tls: $(cat udm-tls.log)"
has udm-tls 'TLS Web Server Authentication' "DNS:nf1.$domain"
openssl x509 -in udm-tls.pem -noout -checkend $((35 * 3600)) >/dev/null || fail 'udm-tls: too short'
! openssl x509 -in udm-tls.pem -noout -checkend $((37 * 3600)) >/dev/null || fail 'udm-tls: too long'
serial=$(openssl x509 -in udm-tls.pem -noout -serial | cut -d= -f2 | tr A-F a-f)
audit list | grep "^$serial" | finds confirmed || fail 'implicitConfirm was granted against the profile'

# ---- the record ------------------------------------------------------------------------------------

hash=$(sha256sum profiles.conf | cut -d' ' -f1)
audit show "$serial" >show.txt
grep -q "$hash" show.txt || fail "the record does not name the file: $(cat show.txt)"
audit verify >/dev/null
cp profiles.conf profiles.before.conf
echo '# another comment' >>profiles.conf
restart_both
every_registration after AMF '[{"name":"nf-tls"}]' "$dns" || fail "after: $said"
ask nf-tls P-256 || fail "after: $(cat nf-tls.log)"
serial=$(openssl x509 -in nf-tls.pem -noout -serial | cut -d= -f2)
audit show "$serial" | finds "$(sha256sum profiles.conf | cut -d' ' -f1)" || fail 'the record names the old file'
[[ $(cat ledger/tile/entries/* ledger/tile/entries/*/* 2>/dev/null | grep -a -o "\"file\":\"profiles\",\"kind\":\"CONFIG\",\"previous\":\"$hash\"" | wc -l) -ge 1 ]] ||
  fail 'no CONFIG leaf names the change'
audit verify
echo 'ok: the record names the file of each issuance, and its change'

# what nothing of the CA judges: each certificate of each of these profiles, by the auditor's own table
status=0
audit check --issuer ceremony/sub-issue/issuing.cert.pem --crl crl/issuing.crl --profiles profiles.before.conf \
  --profiles profiles.conf --json >checked.jsonl || status=$?
[[ $status -eq 4 ]] || fail "check: $status" # the key is in a software token
! grep '"severity":"error"' checked.jsonl || fail 'check finds what must not be'
! grep '"id":"lint' checked.jsonl || fail 'lint finds something'
grep -q '"notAsked":\[\]' checked.jsonl || fail "not all was asked: $(tail -n1 checked.jsonl)"
grep -q '"id":"check.token.software"' checked.jsonl || fail 'a software token is not told'
echo "ok: all that was issued is as it must be: $(tail -n1 checked.jsonl)"

# ---- the RA has another file -----------------------------------------------------------------------

sed -i '/^profiles/d' ra/nfpki-ra.conf
restart ra
for ((i = 0; i < 200; i++)); do
  ! grep -q profiles-differ log/nfpki-ra.log || break
  sleep 0.05
done
grep -q profiles-differ log/nfpki-ra.log || fail 'the RA does not say that the files differ'
echo 'ok: files that differ are told'
