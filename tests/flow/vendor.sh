#!/usr/bin/env bash
# Initial trust by a vendor's certificate (TS 33.310 9.5.3): issuer and subject are registered, the
# path goes through an intermediate CA to a configured root, its status is known from CRLs.
# Everything that is not quite so gets its failInfo (RFC 9483 3.5) and no certificate.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"

ca() { # ca NAME SUBJECT ISSUER: a CA certificate of the vendor; ISSUER '-' for a root
  local issuer=()
  [[ $3 == - ]] || issuer=(-CA "$3.pem" -CAkey "$3.key")
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj "$2" -days 2 "${issuer[@]}" \
    -addext keyUsage=critical,keyCertSign,cRLSign -keyout "$1.key" -out "$1.pem" 2>/dev/null
}
crl() { # crl CA [ARGUMENT...]: $1.crl at once; revoked is what `revoke CA NAME` has named
  local ca=$1
  shift
  [[ -f $ca.index ]] || { : >"$ca.index" && echo 01 >"$ca.number"; }
  printf '[ca]\ndefault_ca=d\n[d]\ndatabase=%s.index\ncrlnumber=%s.number\ndefault_md=sha256\ndefault_crl_days=1\ncrl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid:always\n' \
    "$ca" "$ca" >"$ca.cnf"
  openssl ca -config "$ca.cnf" -keyfile "$ca.key" -cert "$ca.pem" -gencrl -out "$ca.crl.new" "$@" 2>/dev/null
  mv "$ca.crl.new" "$ca.crl"
}
revoke() { openssl ca -config "$1.cnf" -keyfile "$1.key" -cert "$1.pem" -revoke "$2.pem" 2>/dev/null; }
device() { # device NAME SUBJECT ISSUER KEYUSAGE [ARGUMENT...]: $1.{key,pem}; $more: an extension
  local name=$1 subject=$2 issuer=$3 usage=$4
  shift 4
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj "$subject" -keyout "$name.key" \
    -out "$name.csr" 2>/dev/null
  printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,%s\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n%s\n' \
    "$usage" "${more:-}" >"$name.ext"
  [[ $# -gt 0 ]] || set -- -days 2
  openssl x509 -req -in "$name.csr" -CA "$issuer.pem" -CAkey "$issuer.key" -extfile "$name.ext" "$@" -out "$name.pem" \
    2>/dev/null
}
vendor() { # vendor NAME SUBJECT-RFC2253 [ISSUER-RFC2253]: registers
  registration "$1" AMF 1 "{\"kind\":\"vendor\",\"issuer\":\"${3:-CN=Device CA,O=Vendor}\",\"subject\":\"$2\"}"
  ractl register "$pki/oam/$1.p7s"
}
enrol() { # enrol NAME [CHAIN]: $1-nf.pem; what the RA said in $said
  local status=0
  new_key "$1-nf.key"
  rm -f answer.der "$1-nf.pem"
  cmp -cmd ir -cert "$1.pem" -key "$1.key" -extracerts "${2:-device-ca.pem}" -subject /CN=x -newkey "$1-nf.key" \
    -certout "$1-nf.pem" -rspout answer.der,confirmed.der >"$1.log" 2>&1 || status=$?
  said=$("$bin/cmp_show" answer.der)
  return "$status"
}
refused() { # refused 'what' WANTED NAME [CHAIN]
  if enrol "$3" "${4:-device-ca.pem}"; then
    fail "$1: enrolled"
  fi
  [[ $said == "$2" && ! -s $3-nf.pem ]] || fail "$1: expected '$2', got '$said'"
  echo "ok: $1: $said"
}

ca vendor-root /O=Vendor/CN=Root -
ca device-ca '/O=Vendor/CN=Device CA' vendor-root
ca forged-root /O=Vendor/CN=Root -
ca forged-ca '/O=Vendor/CN=Device CA' forged-root
ca branch-ca '/O=Vendor/CN=Branch CA' vendor-root

# a registration of this kind needs a root
registration early AMF 1 '{"kind":"vendor","issuer":"CN=Device CA,O=Vendor","subject":"CN=early,O=Vendor"}'
if ractl register oam/early.p7s 2>early.txt; then
  fail 'registered without vendor_roots'
fi
grep -q vendor_roots early.txt || fail "the message does not help: $(cat early.txt)"
sed -i '/^vendor_roots/d' ra/nfpki-ra.conf ca/nfpki-ca.conf
echo "vendor_roots = {\"$pki/vendor-root.pem\"}" | tee -a ra/nfpki-ra.conf >>ca/nfpki-ca.conf
restart_both

device good /O=Vendor/CN=good device-ca digitalSignature
vendor good 'CN=good,O=Vendor'
enrol good || fail "the registered device: $(cat good.log)"
openssl verify -CAfile "$NFPKI_TRUST" -untrusted nf/chain.pem good-nf.pem
request=$(audit list --json | tail -n 1 | sed -nE 's/.*"serial":"([0-9a-f]+)".*/\1/p')
audit show --json "$request" | finds '"assurance": *"signature"' || fail 'the record does not say that a signature stood for it'
# the device's own message is published, and verified again
told() { # told 'what' STATUS TEXT ARGUMENT...
  local status=0
  "$bin/nfpki-audit" --key log.vkey explain "$request" "${@:4}" >told.txt 2>&1 || status=$?
  [[ $status -eq $2 ]] && grep -qF "$3" told.txt || fail "$1: $status: $(<told.txt)"
}
published
for words in 'it is signed by CN=good,O=Vendor: verified again' 'its certificate was issued by the vendor, and was valid then: verified again' \
  'whoever asked had the private key: verified again' 'the certificate is for the key that it asks for: verified again' \
  'it has the hash of this certificate: verified again'; do
  told "$words" 0 "$words" --ledger ledger --vendor vendor-root.pem
done
told 'no root' 0 "that a vendor's device asked: give the vendor's root" --ledger ledger
told 'another root' 1 'has no path' --ledger ledger --vendor forged-root.pem
cp -r ledger edited
for file in edited/tile/messages/000*/*; do # the end of the newest one: what confirmed the certificate
  [[ -s $file ]] || continue                # there was nothing to name yet
  python3 -c 'import sys; f = open(sys.argv[1], "r+b"); o = f.read(); f.seek(-1, 2); f.write(bytes([o[-1] ^ 1]))' "$file"
done
told 'an edited message' 1 'names is another one' --ledger edited
rm -r edited/tile/messages
told 'no messages' 0 'is not published, or was not fetched' --ledger edited
echo "ok: the device's own message"
refused 'used up' 'ip notAuthorized' good

# one proof, one registration that is live: another network function's is refused until that is cancelled
good_id=$(ractl list | sed -n 2p | cut -d' ' -f1) # the newest
registration second AMF 1 '{"kind":"vendor","issuer":"CN=Device CA,O=Vendor","subject":"CN=good,O=Vendor"}'
! ractl register oam/second.p7s 2>second.said || fail 'two registrations with one proof'
grep -q "the proof is that of the live registration $good_id: cancel that" second.said || fail "$(<second.said)"

device stranger /O=Vendor/CN=stranger device-ca digitalSignature
refused 'a device that nobody registered' 'error notAuthorized' stranger

device expired /O=Vendor/CN=expired device-ca digitalSignature -not_before 20250101000000Z -not_after 20250201000000Z 2>/dev/null ||
  device expired /O=Vendor/CN=expired device-ca digitalSignature -days -1
vendor expired 'CN=expired,O=Vendor'
refused 'an expired certificate' 'error signerNotTrusted' expired

device forged /O=Vendor/CN=forged forged-ca digitalSignature
vendor forged 'CN=forged,O=Vendor'
refused 'the right names under another root' 'error signerNotTrusted' forged forged-ca.pem

device branch /O=Vendor/CN=branch branch-ca digitalSignature
vendor branch 'CN=branch,O=Vendor'
refused 'an issuer that is not the registered one' 'error notAuthorized' branch branch-ca.pem

device agreeing /O=Vendor/CN=agreeing device-ca keyAgreement
vendor agreeing 'CN=agreeing,O=Vendor'
refused 'no digitalSignature' 'error signerNotTrusted' agreeing

device lonely /O=Vendor/CN=lonely device-ca digitalSignature
vendor lonely 'CN=lonely,O=Vendor'
: >nothing.pem
refused 'without the CA in between' 'error signerNotTrusted' lonely good.pem
enrol lonely || fail "the same device with its chain: $(cat lonely.log)"

more=1.2.3.4=critical,ASN1:NULL device unknown /O=Vendor/CN=unknown device-ca digitalSignature
vendor unknown 'CN=unknown,O=Vendor'
refused 'a critical extension that nobody knows' 'error signerNotTrusted' unknown

cp device-ca.pem long.pem
issuer=device-ca
for i in 1 2 3 4 5 6; do
  ca "long-$i" "/O=Vendor/CN=Long $i" "$issuer"
  issuer=long-$i
  cat "$issuer.pem" >>long.pem
done
device long /O=Vendor/CN=long "$issuer" digitalSignature
vendor long 'CN=long,O=Vendor' 'CN=Long 6,O=Vendor'
refused 'a path that is too long' 'error signerNotTrusted' long long.pem

# two vendors, each for its own names, one with CRLs
ca other-root /O=Other/CN=Root -
ca other-ca '/O=Vendor/CN=Device CA' other-root
crl vendor-root
crl device-ca
sed -i '/^vendor_roots/d' ra/nfpki-ra.conf ca/nfpki-ca.conf
tee -a ra/nfpki-ra.conf >>ca/nfpki-ca.conf <<CONF
trust "vendor" {
  purpose = "vendor"
  roots = {"$pki/vendor-root.pem"}
  crls = {"$pki/vendor-root.crl", "$pki/device-ca.crl"}
  crl_policy = "require"
  crl_max_age_hours = 48
  names = {"O=Vendor"}
}
trust "other" {
  purpose = "vendor"
  roots = {"$pki/other-root.pem"}
  names = {"O=Other"}
}
CONF
restart_both

device listed /O=Vendor/CN=listed device-ca digitalSignature
vendor listed 'CN=listed,O=Vendor'
enrol listed || fail "with CRLs: $(cat listed.log)"

device stolen /O=Vendor/CN=stolen other-ca digitalSignature
vendor stolen 'CN=stolen,O=Vendor'
refused "a name of another vendor's" 'error signerNotTrusted' stolen other-ca.pem

device revoked /O=Vendor/CN=revoked device-ca digitalSignature
vendor revoked 'CN=revoked,O=Vendor'
revoke device-ca revoked
crl device-ca
refused 'a revoked certificate' 'ip certRevoked' revoked

device late /O=Vendor/CN=late device-ca digitalSignature
vendor late 'CN=late,O=Vendor'
crl device-ca -crl_lastupdate 20250101000000Z -crl_nextupdate 20250102000000Z
refused 'a stale CRL' 'error signerNotTrusted' late
grep -q 'device-ca.crl: its nextUpdate has passed' log/nfpki-ra.log || fail 'the log does not name the file'
rm device-ca.crl
for host_of in ra ca; do # a missing CRL is said, a missing root is an error
  "$bin/nfpki-$host_of" --config "$host_of/nfpki-$host_of.conf" --check 2>check.txt || fail "--check: $(<check.txt)"
  grep -q 'device-ca.crl: does not exist' check.txt || fail "nfpki-$host_of --check: $(<check.txt)"
  sed "s|$pki/other-root.pem|$pki/gone.pem|" "$host_of/nfpki-$host_of.conf" >"$host_of/check.conf"
  if "$bin/nfpki-$host_of" --config "$host_of/check.conf" --check 2>check.txt; then
    fail "nfpki-$host_of --check takes a root that is not there"
  fi
  grep -q 'trust .*other.*gone.pem' check.txt || fail "nfpki-$host_of --check: $(<check.txt)"
done
refused 'without the CRL' 'error signerNotTrusted' late
grep -q 'device-ca.crl: does not exist' log/nfpki-ra.log || fail 'the log does not name the file'
crl device-ca
enrol late || fail "with a new CRL, without a start: $(cat late.log)"

# a root in the middle of its roll-over: the new key's certificates in any order, the self-signed one
# first, between a device of a CA that the new root has issued and the old root, which is the anchor
ca new-root /O=Vendor/CN=Root -
openssl req -new -key new-root.key -subj /O=Vendor/CN=Root -out new-root.csr
printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n' \
  >cross.ext
openssl x509 -req -in new-root.csr -CA vendor-root.pem -CAkey vendor-root.key -extfile cross.ext -days 2 \
  -out new-with-old.pem 2>/dev/null
ca next-ca '/O=Vendor/CN=Device CA' new-root
crl new-root
crl next-ca
for host_of in ra ca; do
  sed -i "s|crls = {|&\"$pki/new-root.crl\", \"$pki/next-ca.crl\", |" "$host_of/nfpki-$host_of.conf"
done
restart_both
turn=0
for order in 'new-root new-with-old next-ca' 'next-ca new-root new-with-old' 'new-with-old next-ca new-root'; do
  turn=$((turn + 1))
  device "turn$turn" "/O=Vendor/CN=turn$turn" next-ca digitalSignature
  vendor "turn$turn" "CN=turn$turn,O=Vendor"
  for link in $order; do cat "$link.pem"; done >order.pem
  enrol "turn$turn" order.pem || fail "roll-over, $order: $(cat "turn$turn.log")"
  echo "ok: roll-over: $order"
done

# what a vendor's certificates have wrong, by name
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj /O=Vendor/CN=odd -keyout odd.key \
  -out odd.csr 2>/dev/null
printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nauthorityKeyIdentifier=none\n' >odd.ext
openssl x509 -req -in odd.csr -CA device-ca.pem -CAkey device-ca.key -extfile odd.ext -days 2 -set_serial 0 \
  -out odd.pem 2>/dev/null
vendor odd 'CN=odd,O=Vendor'
refused 'serial number 0, no key identifier' 'error signerNotTrusted' odd
for host_of in ra ca; do
  sed -i 's/^  names = {"O=Vendor"}/&\n  allow = {"no-aki", "serial-zero"}/' "$host_of/nfpki-$host_of.conf"
done
restart_both
enrol odd || fail "with allow: $(cat odd.log)"

# an anchor under which nothing verifies
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj /O=Old/CN=Root -keyout ended.key -out ended.csr \
  2>/dev/null
with_clock -3d openssl x509 -req -in ended.csr -key ended.key -extfile cross.ext -days 1 -out ended.pem 2>/dev/null
for host_of in ra ca; do
  "$bin/nfpki-$host_of" --config "$host_of/nfpki-$host_of.conf" --check 2>check.txt || fail "--check: $(<check.txt)"
  sed "s|$pki/other-root.pem|$pki/ended.pem|" "$host_of/nfpki-$host_of.conf" >"$host_of/check.conf"
  ! "$bin/nfpki-$host_of" --config "$host_of/check.conf" --check 2>check.txt ||
    fail "nfpki-$host_of --check takes a root that has ended"
  grep -q 'check.conf:[0-9]*: trust .*other.*ended.pem: nothing verifies under it.*expired' check.txt ||
    fail "nfpki-$host_of --check: $(<check.txt)"
done

# the CA asks for itself, whatever the RA has let through
sed -i 's/crl_policy = "require"/crl_policy = "none"/' ra/nfpki-ra.conf
restart_both
refused 'a revoked certificate, at the CA' 'ip certRevoked' revoked

audit verify
