#!/usr/bin/env bash
# The onboarding bundle: what is printed for a client, run whole, enrols a network function once, for
# each kind of proof, and renews; revocation is a text of its own. Of a batch, a folder for each.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"

run() { # run DIR [enrol | renew]: the script as it is printed
  local dir=$1
  shift
  (cd "$dir" && sh bundle.sh "$@") >"$dir.log" 2>&1 || fail "$dir $*: $(cat "$dir.log")"
  ! grep -q grantedWithMods "$dir.log" || fail "the bundle asks for what is not given: $(<"$dir.log")"
}
serial_of() { openssl x509 -in "$1" -noout -serial | cut -d= -f2; }
id_of() { openssl dgst -sha256 -r "oam/$1.p7s" | cut -c1-32; }
renews() { # renews DIR: another certificate and another key, which belong together
  local before
  before=$(serial_of "$1/nf.pem")
  run "$1" renew
  is_ours "$1" nf.pem
  [[ $(serial_of "$1/nf.pem") != "$before" && ! -e $1/new.pem && ! -e $1/new.key ]] || fail "$1 was not renewed"
  [[ $(openssl x509 -in "$1/nf.pem" -noout -pubkey) == "$(openssl pkey -in "$1/nf.key" -pubout)" ]] || fail "$1: the renewed key"
}
on_crl() { # on_crl SERIAL: within some time
  for ((i = 0; i < 200; i++)); do
    openssl crl -inform DER -in crl/issuing.crl -noout -text | finds -i "Serial Number: $1" && return
    sleep 0.05
  done
  fail "$1 is not on the CRL"
}
is_ours() { # is_ours DIR CERTIFICATE
  (cd "$1" && openssl verify -CAfile root.pem -untrusted issuing.pem "$2" >/dev/null) || fail "$1/$2"
}

# without public_url it says what is missing
url=$(grep '^public_url' ra/nfpki-ra.conf)
sed -i '/^public_url/d' ra/nfpki-ra.conf
restart ra
register shared AMF 2
ractl bundle "$registration_id" 2>said.txt && fail 'a bundle without a URL'
grep -q public_url said.txt || fail "$(<said.txt)"
echo "$url" >>ra/nfpki-ra.conf
restart ra

# by MAC: the script whole enrols once, and again does nothing; then renewal; revocation is apart
ractl bundle --output shared "$registration_id"
[[ $(stat -c %a shared/bundle.sh) == 600 ]] || fail 'mode of the bundle'
! grep -q "$secret" shared/bundle.sh || fail 'the secret is in the bundle'
! grep -qE -- '-cmd rr|revreason' shared/bundle.sh || fail 'the bundle revokes'
for wanted in "$registration_id" "$reference" /crl/issuing.crl 'Demo Issuing CA 1' nf-tls-client "${NFPKI_CMP_URL%/p/*}"; do
  grep -qF "$wanted" shared/bundle.sh || fail "the bundle lacks $wanted: $(cat shared/bundle.sh)"
done
! (cd shared && sh bundle.sh) >shared.log 2>&1 || fail 'it enrols without the secret'
grep -q secret.txt shared.log || fail "$(<shared.log)"
(umask 077 && printf '%s' "$secret" >shared/secret.txt)
run shared
cmp_files() { command cmp -s "$1" "$2"; }
openssl x509 -in "$NFPKI_TRUST" -out anchor.pem
cmp_files shared/root.pem anchor.pem || fail 'another trust anchor'
is_ours shared nf.pem
[[ $(stat -c %a shared/nf.key) == 600 ]] || fail 'mode of the key'
first=$(serial_of shared/nf.pem)
run shared
[[ $(serial_of shared/nf.pem) == "$first" ]] || fail 'it enrolled twice'
renews shared
! (cd shared && sh bundle.sh revoke) >shared.log 2>&1 || fail 'the script revokes'
# a renewal that was interrupted between its two files is finished
cp shared/nf.pem whole.pem && cp shared/nf.key whole.key
mv shared/nf.pem shared/new.pem && cp whole.pem shared/nf.pem
run shared renew
cmp_files shared/nf.pem whole.pem && cmp_files shared/nf.key whole.key || fail 'an interrupted renewal'
ractl bundle --revocation --output shared "$registration_id"
(cd shared && sh -e revoke.sh) >shared.log 2>&1 || fail "$(<shared.log)"
on_crl "$(serial_of shared/nf.pem)"
# what is there is not overwritten
! ractl bundle --output shared "$registration_id" 2>said.txt || fail 'a bundle was overwritten'

# OpenSSL 3.2 and later differ in what comes before a renewal, which 3.0 does not have
ractl bundle --client openssl-3.2 "$registration_id" >newer.sh
sh -n newer.sh || fail 'openssl-3.2 is no shell script'
grep -q -- '-infotype caCerts -cacertsout' newer.sh || fail "$(<newer.sh)"

# another profile
register other SMF 1
ractl bundle --profile nf-tls-client --output other "$registration_id"
(umask 077 && printf '%s' "$secret" >other/secret.txt)
run other
is_ours other nf.pem
openssl x509 -in other/nf.pem -noout -ext extendedKeyUsage | finds 'Client' || fail 'another profile'
! ractl bundle --profile nowhere "$registration_id" 2>said.txt || fail 'a profile that is not registered'
grep -q 'not registered' said.txt || fail "$(<said.txt)"
! ractl bundle --client nobody "$registration_id" 2>said.txt || fail 'an unknown client'
grep -q 'there are openssl, openssl-3.2, gencmpclient, cmpracomponent, bouncycastle, cert-manager' said.txt || fail "$(<said.txt)"

# clients that are not Debian's: gencmpclient reads a file with the options of openssl cmp
mkdir stand-ins
printf '#!/bin/sh\nexec openssl cmp "$@"\n' >stand-ins/cmpClient
printf '#!/bin/sh\nshift 3\nexec python3 %s cmpracomponent "$@"\n' "$root_dir/tests/support/bundle_clients.py" >stand-ins/java
chmod +x stand-ins/*
PATH=$pki/stand-ins:$PATH
for client in gencmpclient cmpracomponent; do
  register "$client" AMF 1
  ractl bundle --client "$client" --output "$client" "$registration_id"
  (umask 077 && printf '%s' "$secret" >"$client/secret.txt")
  run "$client"
  is_ours "$client" nf.pem
  renews "$client"
  ! grep -rqF "$secret" "$client" --exclude=secret.txt --exclude=stand-in.secret || fail "$client leaves the secret"
done
ractl bundle --client gencmpclient --revocation --output gencmpclient "$(id_of gencmpclient)"
(cd gencmpclient && sh -e revoke.sh) >revoked.log 2>&1 || fail "$(<revoked.log)"
on_crl "$(serial_of gencmpclient/nf.pem)"

# cert-manager: YAML whose every key is one of the CRDs'
register kubernetes AMF 1
ractl bundle --client cert-manager --output kubernetes "$registration_id"
(umask 077 && printf '%s' "$secret" >kubernetes/secret.txt)
"$root_dir/tests/support/bundle_clients.py" cert-manager kubernetes/bundle.yaml kubernetes/secret.txt kubernetes/nf >kubernetes.log 2>&1 ||
  fail "$(<kubernetes.log)"
! grep -q grantedWithMods kubernetes.log || fail "$(<kubernetes.log)"
cp kubernetes/nf/root.pem kubernetes/nf/new.pem kubernetes && openssl x509 -in shared/issuing.pem -out kubernetes/issuing.pem
is_ours kubernetes new.pem

# by a pinned certificate, by the key itself
initial pinned
registration pinned AMF 1 "{\"kind\":\"certificate\",\"sha256\":\"$fingerprint\"}"
ractl register oam/pinned.p7s
for client in openssl gencmpclient cmpracomponent bouncycastle cert-manager; do
  ractl bundle --client "$client" --output "pinned-$client" "$(id_of pinned)"
done
cp pinned.pem pinned-gencmpclient/initial.pem && cp pinned.key pinned-gencmpclient/initial.key
run pinned-gencmpclient
is_ours pinned-gencmpclient nf.pem
mkdir keyed
new_key keyed/nf.key
registration keyed AMF 1 "{\"kind\":\"publicKey\",\"sha256\":\"$(openssl pkey -in keyed/nf.key -pubout -outform DER | sha256sum | cut -d' ' -f1)\"}"
ractl register oam/keyed.p7s
ractl bundle --output keyed "$(id_of keyed)"
run keyed
is_ours keyed nf.pem
for client in cmpracomponent bouncycastle cert-manager; do
  ! ractl bundle --client "$client" "$(id_of keyed)" >nothing.txt 2>said.txt || fail "$client with a registered key"
  [[ ! -s nothing.txt ]] && grep -q 'another proof' said.txt || fail "$(<said.txt)"
done

# a batch: a folder for each that is open, each secret once, in its own file
register batch1 AMF 1
printf '{"id":"%s","nfInstanceId":"x","reference":"%s","secret":"%s"}\n' "$registration_id" "$reference" "$secret" >secrets.jsonl
one=$registration_id one_secret=$secret
register batch2 SMF 1
cancel "$(id_of other)" >/dev/null
ractl bundle --all --output batch --secrets secrets.jsonl 2>said.txt || fail "$(<said.txt)"
open=$(ractl list --state open | tail -n +2 | awk '{print $1}' | sort)
[[ $(ls batch | grep -v index.jsonl | sort) == "$open" ]] || fail "the batch has $(ls batch), open are $open"
python3 - batch <<'PY' || fail 'the index'
import json, os, sys
rows = [json.loads(line) for line in open(sys.argv[1] + '/index.jsonl')]
for row in rows:
    assert set(row) == {'id', 'nfInstanceId', 'proof', 'profile', 'file', 'secret'}, row
    assert os.path.exists(os.path.join(sys.argv[1], row['file'])), row
    assert os.path.exists(os.path.join(sys.argv[1], row['id'], 'secret.txt')) == row['secret'], row
assert sum(row['secret'] for row in rows) == 1
PY
[[ $(<"batch/$one/secret.txt") == "$one_secret" && $(stat -c %a "batch/$one/secret.txt") == 600 ]] || fail 'the secret of a batch'
! grep -rqF "$one_secret" batch --exclude=secret.txt || fail 'the secret is elsewhere'
cp -r "batch/$one" one
run one
is_ours one nf.pem
! ractl bundle --all 2>said.txt || fail 'a batch into no folder'
grep -q -- '--all --output DIR' said.txt || fail "a batch into no folder: $(<said.txt)"
! ractl bundle --all --output batch 2>said.txt || fail 'a batch into a folder that is not empty'
grep -q 'not empty' said.txt || fail "$(<said.txt)"
for wrong in '--all' '--all --output x y' '--all --output x --revocation' '--secrets f x'; do
  # shellcheck disable=SC2086
  ! ractl bundle $wrong 2>/dev/null || fail "bundle $wrong"
done
echo '{}' >wrong.jsonl
! ractl bundle --all --output wrong --secrets wrong.jsonl 2>said.txt || fail 'secrets without any'
grep -q 'wrong.jsonl:1:' said.txt || fail "$(<said.txt)"
! ractl bundle "$(id_of other)" 2>said.txt || fail 'the bundle of a cancelled one'
grep -q cancelled said.txt || fail "$(<said.txt)"
! ractl bundle 00000000000000000000000000000000 2>said.txt || fail 'the bundle of nobody'

# by a vendor's certificate
initial device
sed -i '/^vendor_roots/d' ra/nfpki-ra.conf ca/nfpki-ca.conf
echo "vendor_roots = {\"$pki/vendor.pem\"}" | tee -a ra/nfpki-ra.conf >>ca/nfpki-ca.conf
restart_both
registration device AMF 1 '{"kind":"vendor","issuer":"CN=Root,O=Vendor","subject":"CN=device,O=Vendor"}'
ractl register oam/device.p7s
ractl bundle --output device-dir "$(id_of device)"
cp device.pem device-dir/initial.pem && cp device.key device-dir/initial.key
cp device.pem device-dir/vendor-chain.pem # no CA stands in between
run device-dir
is_ours device-dir nf.pem
renews device-dir

# over HTTPS the anchor of TLS comes with it
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj /CN=tls -days 2 -keyout tls.key -out tls.pem 2>/dev/null
sed -i '/^public_url/d' ra/nfpki-ra.conf
echo 'public_url = {"https://ra.example:8443/.well-known/cmp"}' >>ra/nfpki-ra.conf
! "$bin/nfpki-ra" --config ra/nfpki-ra.conf --check 2>said.txt || fail 'https without an anchor'
grep -q public_tls_root said.txt || fail "$(<said.txt)"
echo "public_tls_root = \"$pki/tls.pem\"" >>ra/nfpki-ra.conf
restart ra
ractl bundle "$(id_of keyed)" >https.sh
grep -q -- '-tls_used -tls_trusted tls-root.pem' https.sh || fail "$(<https.sh)"
sh -n https.sh || fail 'the bundle is no shell script'
sed '/^case /,$d' https.sh >trust.sh
mkdir over && (cd over && sh ../trust.sh)
cmp_files over/tls-root.pem tls.pem || fail 'another TLS anchor'
for client in openssl-3.2 gencmpclient cmpracomponent bouncycastle; do
  ractl bundle --client "$client" "$(id_of pinned)" >https.sh
  sh -n https.sh || fail "$client is no shell script"
  grep -q tls-root.pem https.sh || fail "$client: no anchor of TLS"
done
ractl bundle --client cert-manager "$(id_of pinned)" | finds 'key: tls-root.crt' || fail 'cert-manager: no anchor of TLS'
audit verify
