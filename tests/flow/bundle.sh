#!/usr/bin/env bash
# The onboarding bundle: its command lines, as they are printed, enrol a network function, for each
# kind of proof, and renew, ask and revoke.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"

restart_ra() {
  kill "$(<ra.pid)"
  for ((i = 0; i < 200; i++)); do
    [[ -e /proc/$(<ra.pid) ]] || break
    sleep 0.05
  done
  start_daemon ra
}
commands() { # commands BUNDLE HEADING: the commands below "# HEADING", up to the next blank line
  awk -v heading="# $2" 'on && $0 == "" {exit} on && !/^#/ {print} index($0, heading) == 1 {on = 1}' "$1"
}
run() { # run DIR HEADING: as printed
  local text
  text=$(commands "$1/bundle.sh" "$2")
  [[ $text == *'openssl cmp'* || $text == cat* ]] || fail "no commands for $2: $(cat "$1/bundle.sh")"
  (cd "$1" && sh -ec "$text") >"$1.log" 2>&1 || fail "$2: $(cat "$1.log")"
}
is_ours() { # is_ours DIR CERTIFICATE
  (cd "$1" && openssl verify -CAfile root.pem -untrusted issuing.pem "$2" >/dev/null) || fail "$1/$2"
}

# without public_url it says what is missing
url=$(grep '^public_url' ra/nfpki-ra.conf)
sed -i '/^public_url/d' ra/nfpki-ra.conf
restart_ra
register shared AMF 2
ractl bundle "$registration_id" 2>said.txt && fail 'a bundle without a URL'
grep -q public_url said.txt || fail "$(<said.txt)"
echo "$url" >>ra/nfpki-ra.conf
restart_ra

# by MAC: ir, then renewal, question, revocation
ractl bundle --output shared "$registration_id"
[[ $(stat -c %a shared/bundle.sh) == 600 ]] || fail 'mode of the bundle'
! grep -q "$secret" shared/bundle.sh || fail 'the secret is in the bundle'
for wanted in "$registration_id" "$reference" /crl/issuing.crl 'Demo Issuing CA 1' nf-tls-client "${NFPKI_CMP_URL%/p/*}"; do
  grep -qF "$wanted" shared/bundle.sh || fail "the bundle lacks $wanted: $(cat shared/bundle.sh)"
done
(umask 077 && printf '%s' "$secret" >shared/secret.txt)
run shared 'trust anchor'
cmp_files() { command cmp -s "$1" "$2"; }
openssl x509 -in "$NFPKI_TRUST" -out anchor.pem
cmp_files shared/root.pem anchor.pem || fail 'another trust anchor'
run shared 'enrol (ir)'
! grep -q grantedWithMods shared.log || fail "the bundle asks for what is not given: $(<shared.log)"
is_ours shared nf.pem
run shared 'ask'
run shared 'renew'
is_ours shared new.pem
[[ $(openssl x509 -in shared/new.pem -noout -pubkey) == "$(openssl pkey -in shared/new.key -pubout)" ]] || fail 'the renewed key'
# the renewed one is what lives now
mv shared/new.pem shared/nf.pem && mv shared/new.key shared/nf.key
run shared 'revoke'
serial=$(openssl x509 -in shared/nf.pem -noout -serial | cut -d= -f2)
for ((i = 0; i < 200; i++)); do
  openssl crl -inform DER -in crl/issuing.crl -noout -text | grep -qi "Serial Number: $serial" && break
  sleep 0.05
done
openssl crl -inform DER -in crl/issuing.crl -noout -text | grep -qi "Serial Number: $serial" || fail 'not on the CRL'

# another profile, PKCS #10
register other SMF 1
ractl bundle --profile nf-tls-client --output other "$registration_id"
(umask 077 && printf '%s' "$secret" >other/secret.txt)
run other 'trust anchor'
new_key other/nf.key
run other 'enrol with PKCS #10'
is_ours other nf.pem
openssl x509 -in other/nf.pem -noout -ext extendedKeyUsage | grep -q 'Client' || fail 'another profile'
ractl bundle --profile nowhere "$registration_id" 2>said.txt && fail 'a profile that is not registered'
grep -q 'not registered' said.txt || fail "$(<said.txt)"

# by a pinned certificate, by the key itself
initial pinned
registration pinned AMF 1 "{\"kind\":\"certificate\",\"sha256\":\"$fingerprint\"}"
ractl register oam/pinned.p7s
ractl bundle --output pinned-dir "$(openssl dgst -sha256 -r oam/pinned.p7s | cut -c1-32)"
run pinned-dir 'trust anchor'
cp pinned.pem pinned-dir/initial.pem && cp pinned.key pinned-dir/initial.key
run pinned-dir 'enrol (ir)'
is_ours pinned-dir nf.pem
mkdir keyed
new_key keyed/nf.key
registration keyed AMF 1 "{\"kind\":\"publicKey\",\"sha256\":\"$(openssl pkey -in keyed/nf.key -pubout -outform DER | sha256sum | cut -d' ' -f1)\"}"
ractl register oam/keyed.p7s
ractl bundle --output keyed "$(openssl dgst -sha256 -r oam/keyed.p7s | cut -c1-32)"
run keyed 'trust anchor'
run keyed 'enrol (ir)'
is_ours keyed nf.pem

# by a vendor's certificate
initial device
"$root_dir/ceremony/quickstart.sh" --dir "$pki" --stop >/dev/null
sed -i '/^vendor_roots/d' ra/nfpki-ra.conf ca/nfpki-ca.conf
echo "vendor_roots = {\"$pki/vendor.pem\"}" | tee -a ra/nfpki-ra.conf >>ca/nfpki-ca.conf
start_daemon ca
start_daemon ra
registration device AMF 1 '{"kind":"vendor","issuer":"CN=Root,O=Vendor","subject":"CN=device,O=Vendor"}'
ractl register oam/device.p7s
ractl bundle --output device-dir "$(openssl dgst -sha256 -r oam/device.p7s | cut -c1-32)"
run device-dir 'trust anchor'
cp device.pem device-dir/initial.pem && cp device.key device-dir/initial.key
cp device.pem device-dir/vendor-chain.pem # no CA stands in between
run device-dir 'enrol (ir)'
is_ours device-dir nf.pem

# over HTTPS the anchor of TLS comes with it
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj /CN=tls -days 2 -keyout tls.key -out tls.pem 2>/dev/null
sed -i '/^public_url/d' ra/nfpki-ra.conf
echo 'public_url = {"https://ra.example:8443/.well-known/cmp"}' >>ra/nfpki-ra.conf
! "$bin/nfpki-ra" --config ra/nfpki-ra.conf --check 2>said.txt || fail 'https without an anchor'
grep -q public_tls_root said.txt || fail "$(<said.txt)"
echo "public_tls_root = \"$pki/tls.pem\"" >>ra/nfpki-ra.conf
restart_ra
ractl bundle "$(openssl dgst -sha256 -r oam/keyed.p7s | cut -c1-32)" >https.sh
grep -q -- '-tls_used -tls_trusted tls-root.pem' https.sh || fail "$(<https.sh)"
mkdir over && (cd over && sh -ec "$(commands ../https.sh 'trust anchor')")
cmp_files over/tls-root.pem tls.pem || fail 'another TLS anchor'
sh -n https.sh || fail 'the bundle is no shell script'
audit verify
