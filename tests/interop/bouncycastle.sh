#!/usr/bin/env bash
# A network function whose CMP stack is not OpenSSL's: Bouncy Castle enrols by both MACs and by
# signature, and checks protection, header and certification path of every answer itself.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"
jars=/usr/share/java/bcpkix.jar:/usr/share/java/bcprov.jar:/usr/share/java/bcutil.jar
# -path: Debian's jars name others in their manifests, which are for S/MIME
javac -Xlint:all,-path -Werror -cp "$jars" -d classes "$root_dir"/tests/interop/bouncycastle/*.java

nf() { java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "classes:$jars" NfClient "$NFPKI_CMP_URL" "$NFPKI_TRUST" "$@"; }
refused() { # refused 'what' BIT NF-ARGUMENT...: of PKIFailureInfo
  local what=$1 bit=$2 status=0
  shift 2
  nf "$@" 2>refused.txt || status=$?
  [[ $status -eq 3 && $(cat refused.txt) == *"failInfo $bit" ]] || fail "$what: exit status $status: $(cat refused.txt)"
  echo "ok: $what: $(cat refused.txt)"
}
verify() { # verify NAME: with OpenSSL, too, and recorded
  openssl verify -x509_strict -CAfile "$NFPKI_TRUST" -untrusted nf/chain.pem "$1.pem"
  audit verify --certificate "$1.pem" >/dev/null || fail "$1.pem is not in the record"
  echo "ok: $1"
}

for mac in pbm pbmac1; do
  register "$mac" AMF 1
  (umask 077 && echo "$secret" >"$mac.secret")
  nf "enrol-$mac" "$reference" "$mac.secret" "bc-$mac"
  verify "bc-$mac"
  refused "$mac, used up" 23 "enrol-$mac" "$reference" "$mac.secret" again
done
# its onboarding bundle, run as it is printed
register bundled AMF 1
ractl bundle --client bouncycastle --output bundled "$registration_id"
(umask 077 && printf '%s' "$secret" >bundled/secret.txt)
export NFPKI_CLIENT=$root_dir/tests/interop/bouncycastle
for step in '' renew; do
  # shellcheck disable=SC2086
  (cd bundled && sh bundle.sh $step) || fail "the bundle, $step"
  serials+=" $(openssl x509 -in bundled/nf.pem -noout -serial)"
  cp bundled/nf.pem bundled.pem
  verify bundled
done
[[ $(tr ' ' '\n' <<<"$serials" | sort -u | grep -c serial) == 2 ]] || fail 'the bundle did not renew'

echo 0123456789abcdef0123456789abcdef >wrong.secret
refused 'a wrong secret' 1 enrol-pbm "$reference" wrong.secret again

initial device
registration device AMF 1 "{\"kind\":\"certificate\",\"sha256\":\"$fingerprint\"}"
ractl register oam/device.p7s
nf enrol device.pem device.key bc-signed
verify bc-signed

# what only the holder of a certificate may: renew it, and ask for CA certificates
nf renew bc-signed.pem bc-signed.key bc-renewed
verify bc-renewed
refused 'a certificate that was renewed already' 10 renew bc-signed.pem bc-signed.key again
nf cacerts bc-renewed.pem bc-renewed.key | tee cacerts.txt
grep -q 'Issuing CA' cacerts.txt || fail 'no issuing CA among the CA certificates'

# a renewal supersedes when it is confirmed; what is revoked can do nothing any more
nf revoke bc-renewed.pem bc-renewed.key 1
curl -sS -o issuing.crl "http://$host:$port/crl/issuing.crl"
serial=$(openssl x509 -in bc-renewed.pem -noout -serial | cut -d= -f2)
openssl crl -in issuing.crl -inform DER -noout -text | grep -A 4 -i "$serial" | finds 'Key Compromise' ||
  fail 'the CRL does not say that the certificate is revoked, and why'
refused 'a revocation of what is revoked' 10 revoke bc-renewed.pem bc-renewed.key 1
refused 'a renewal of what is revoked' 10 renew bc-renewed.pem bc-renewed.key again

initial stranger
refused 'a stranger' 20 enrol stranger.pem stranger.key again
[[ ! -e again.pem ]] || fail 'a certificate where there should be none'
audit verify
