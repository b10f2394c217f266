#!/usr/bin/env bash
# Keys that are too weak to be certified: the real client gets badCertTemplate and the reason, by RA
# and by CA alone, for each way of asking; nothing of it is issued; a sound key is. An officer's
# request fails with the same reasons.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"
weak=$root_dir/tests/vectors/weak-keys
spki_hash() { openssl pkey -in "$1" -pubout -outform DER | sha256sum; }

refused() { # refused 'what' FAILINFO PHRASE ARGUMENT...: the answer's kind is ip, cp or kup, never error
  local what=$1 failure=$2 phrase=$3
  shift 3
  rm -f got.pem answer.der
  ! cmp "$@" -certout got.pem -rspout answer.der >said.log 2>&1 || fail "$what: got a certificate"
  [[ $("$bin/cmp_show" answer.der) == [ick]*p" $failure" ]] || fail "$what: $("$bin/cmp_show" answer.der)"
  grep -qF "$phrase" said.log || fail "$what: no '$phrase' in: $(cat said.log)"
  echo "ok: $what: $failure, $phrase"
}

# ---- by the RA -------------------------------------------------------------------------------------

before=$(audit verify | sed -nE 's/.*ISSUED ([0-9]+).*/\1/p')
register weak AMF 1
mine=(-ref "$reference" -secret "pass:$secret" -subject /CN=x)
while read -r name phrase; do
  refused "$name" badCertTemplate "$phrase" -cmd ir "${mine[@]}" -newkey "$weak/$name.pem"
done <<'TEXT'
exponent-3 weak key: the RSA exponent must be odd, from 65537 to 2^64
small-factor weak key: the RSA modulus has a small factor
roca weak key: its generator has the flaw ROCA (CVE-2017-15361)
close-primes weak key: the primes of the RSA modulus are too close
prime weak key: the RSA modulus is a prime
TEXT
openssl req -new -key "$weak/roca.pem" -subj /CN=x -out roca.csr
refused 'ROCA in a p10cr' badCertTemplate 'ROCA' -cmd p10cr "${mine[@]:0:4}" -csr roca.csr
! grep -q 'the CA says' log/nfpki-ra.log || fail 'a weak key went to the CA'

# ---- the operator's list: in the CA alone, which decides; then in the RA, too ------------------------

new_key blocked.key
{
  echo '# printed in the manual of a router'
  spki_hash blocked.key
} >blocked-keys
sed -i "\$ablocked_keys = \"$pki/blocked-keys\"" ca/nfpki-ca.conf
restart ca
for host_of in ca ra; do
  refused "a blocked key, by the $host_of" badCertTemplate 'it is on the list of keys that others know' \
    -cmd ir "${mine[@]}" -newkey blocked.key
  said=$(grep -c 'the CA says' log/nfpki-ra.log) || true
  expect "refusals by the CA, after that of the $host_of" 1 "$said"
  [[ $host_of == ra ]] && break
  register "weak-$host_of" AMF 1
  mine=(-ref "$reference" -secret "pass:$secret" -subject /CN=x)
  sed -i "\$ablocked_keys = \"$pki/blocked-keys\"" ra/nfpki-ra.conf
  restart ra
done

# a sound key uses the same registration, and renews; not to a weak one, nor when it became known
cmp -cmd ir "${mine[@]}" -newkey "$weak/sound.pem" -certout nf.pem >said.log 2>&1 || fail "sound: $(cat said.log)"
renewal=(-cmd kur -cert nf.pem -key "$weak/sound.pem")
refused 'ROCA in a kur' badCertTemplate ROCA "${renewal[@]}" -newkey "$weak/roca.pem"
spki_hash "$weak/sound.pem" >>blocked-keys
new_key next.key
restart ca
refused 'signed with a blocked key, by the ca' signerNotTrusted 'the key that signs is on the list' \
  "${renewal[@]}" -newkey next.key
restart ra
refused 'signed with a blocked key, by the ra' signerNotTrusted 'the key that signs is on the list' \
  "${renewal[@]}" -newkey next.key
cmp -cmd rr -oldcert nf.pem -cert nf.pem -key "$weak/sound.pem" -revreason 1 >said.log 2>&1 ||
  fail "a blocked key revokes itself: $(cat said.log)"

# ---- officers' requests ------------------------------------------------------------------------------

for name in roca close-primes prime; do
  openssl req -new -key "$weak/$name.pem" -subj /CN=x -out officer.csr
  ! cactl issue --profile ra-cmp --subject-cn ra9 --days 1 officer.csr >officer.log 2>&1 || fail "issued for $name"
  grep -q 'RSA modulus' officer.log || fail "$name: $(cat officer.log)"
done
openssl req -new -key blocked.key -subj /CN=x -out officer.csr
! cactl issue --profile ra-cmp --subject-cn ra9 --days 1 officer.csr >officer.log 2>&1 || fail 'issued for a blocked key'
grep -q 'one of blocked_keys' officer.log || fail "blocked: $(cat officer.log)"

# ---- a list that cannot be read ----------------------------------------------------------------------

echo 0123 >>blocked-keys
for host_of in ca ra; do
  ! "$bin/nfpki-$host_of" --config "$host_of/nfpki-$host_of.conf" --check >check.log 2>&1 || fail "$host_of takes it"
  grep -q "$pki/blocked-keys:4: 4 characters" check.log || fail "$host_of: $(cat check.log)"
done

issued=$(audit verify | sed -nE 's/.*ISSUED ([0-9]+).*/\1/p')
expect 'certificates besides those of the installation' 1 "$((issued - before))"
