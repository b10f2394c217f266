#!/usr/bin/env bash
# What may be said in which form: versions, limits of MACs, keys and proofs that we do not do, and
# messages that another RA hands on (RFC 9483 5.2.2.1).
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"
say() { "$bin/cmp_say" --reference "$reference" --secret "$secret" "$@" "$host" "$port" "$path"; }
phrase() { # phrase 'what' 'WORDS': the last answer's text says so
  grep -q "$2" text.txt || fail "$1: the text says '$(<text.txt)'"
}

register speaks AMF 5
# versions (RFC 9810 7): what we do not speak is answered with the nearest that we do
for row in 1:2 4:3 99:3; do
  expect "pvno ${row%:*}" "error unsupportedVersion signature pvno ${row#*:}" "$(say --body ir --pvno "${row%:*}" 2>text.txt)"
done
expect 'pvno 3' 'ip mac pvno 3' "$(say --body ir --pvno 3)"
expect 'genm of pvno 3' 'genp mac pvno 3' "$(say --info 17 --pvno 3)"

# MACs: limits by configuration, each kind its own; the phrase says which
for count in 10001 1000000; do
  expect "$count iterations" 'error badAlg signature pvno 2' "$(say --info 17 --iterations "$count" 2>text.txt)"
  phrase "$count iterations" "^PasswordBasedMac with $count iterations, at most 10000 are taken here"
done
for count in 300001 1000000; do
  expect "PBMAC1, $count iterations" 'error badAlg signature pvno 2' "$(say --info 17 --pbmac1 --iterations "$count" 2>text.txt)"
  phrase "PBMAC1, $count iterations" "^PBMAC1 with $count iterations, at most 300000 are taken here"
done
for count in 100 10000; do
  expect "$count iterations" 'genp mac pvno 2' "$(say --info 17 --iterations "$count")"
  expect "PBMAC1, $count iterations" 'genp mac pvno 2' "$(say --info 17 --pbmac1 --iterations "$count")"
done
cp ra/nfpki-ra.conf plain.conf
kill_daemon ra
{ grep -v '^pbm' plain.conf && echo 'pbm_min_iterations = 1000' && echo 'pbm_max_iterations = 2000' && echo 'pbmac1_max_iterations = 1000000'; } >ra/nfpki-ra.conf
start_daemon ra
for row in 999:'error badAlg signature' 1000:'genp mac' 2000:'genp mac' 2001:'error badAlg signature'; do
  expect "configured limits, ${row%%:*}" "${row#*:} pvno 2" "$(say --info 17 --iterations "${row%%:*}" 2>text.txt)"
done
for row in 999:'error badAlg signature' 2001:'genp mac' 1000000:'genp mac' 1000001:'error badAlg signature'; do
  expect "configured limits, PBMAC1, ${row%%:*}" "${row#*:} pvno 2" "$(say --info 17 --pbmac1 --iterations "${row%%:*}" 2>text.txt)"
done
kill_daemon ra
cp plain.conf ra/nfpki-ra.conf
start_daemon ra

# what this CA does not do
expect 'a key that the CA shall make' 'ip badCertTemplate mac pvno 2' "$(say --body ir --central 2>text.txt)"
phrase 'a key that the CA shall make' 'keys are not made here'
expect 'raVerified' 'ip notAuthorized mac pvno 2' "$(say --body ir --ra-verified 2>text.txt)"

# another RA, with a certificate of ours
new_key upstream.key
openssl req -new -key upstream.key -subj /CN=x -out upstream.csr
cactl issue --profile ra-cmp --subject-cn 'upstream RA' --days 3 upstream.csr >upstream.pem
nested() { say --upstream upstream.pem --upstream-key upstream.key "$@"; }
expect 'nested ir' 'ip mac pvno 2' "$(nested --body ir --request-out nested.der)"
expect 'nested genm' 'genp mac pvno 2' "$(nested --info 17)"
expect 'nested genm of pvno 3' 'genp mac pvno 3' "$(nested --info 17 --pvno 3)"
path=/.well-known/cmp/nested
expect 'nested on its own path' 'genp mac pvno 2' "$(nested --info 17)"
expect 'not nested on that path' 'error badRequest signature pvno 2' "$(say --info 17 2>text.txt)"
path=/.well-known/cmp
true_secret=$secret
secret=0123456789abcdef
expect 'nested with a wrong secret inside' 'error badMessageCheck signature pvno 2' "$(nested --body ir 2>text.txt)"
secret=$true_secret
expect 'nested raVerified' 'ip notAuthorized mac pvno 2' "$(nested --body ir --ra-verified 2>text.txt)"
for broken in id nonce two twice; do
  expect "nested, $broken" 'error badRequest signature pvno 2' "$(nested --body ir --broken "$broken" 2>text.txt)"
done
expect 'the nested ir again' 'error transactionIdInUse' "$(
  curl -sS -o answer.der -H 'Content-Type: application/pkixcmp' --data-binary @nested.der "$NFPKI_CMP_URL"
  "$bin/cmp_show" answer.der
)"
# a signed message inside keeps its own signer
initial inner
registration pinned SMF 1 "{\"kind\":\"certificate\",\"sha256\":\"$fingerprint\"}"
ractl register "$pki/oam/pinned.p7s" >/dev/null
expect 'nested and signed inside' 'ip signature pvno 2' \
  "$("$bin/cmp_say" --certificate inner.pem --key inner.key --body ir --upstream upstream.pem --upstream-key upstream.key "$host" "$port" "$path")"

# whoever is no RA cannot nest
registrar=(--upstream oam/registrar.pem --upstream-key oam/registrar.key)
expect 'nested by a registrar' 'error signerNotTrusted signature pvno 2' "$(say --body ir "${registrar[@]}" 2>text.txt)"
expect 'nested by a stranger' 'error signerNotTrusted signature pvno 2' \
  "$(say --body ir --upstream inner.pem --upstream-key inner.key 2>text.txt)"
# another operator's RA, by its anchor
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj /CN=Foreign -days 2 -addext keyUsage=critical,keyCertSign \
  -keyout foreign-root.key -out foreign-root.pem 2>/dev/null
foreign() { # foreign NAME EKU
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj "/CN=$1" -days 2 -CA foreign-root.pem \
    -CAkey foreign-root.key -addext basicConstraints=critical,CA:FALSE -addext keyUsage=critical,digitalSignature \
    -addext "extendedKeyUsage=$2" -keyout "$1.key" -out "$1.pem" 2>/dev/null
}
foreign ra-of-others 1.3.6.1.5.5.7.3.28
foreign no-ra clientAuth
by() { say --info 17 --upstream "$1.pem" --upstream-key "$1.key" 2>text.txt; }
expect 'an RA of others, unknown' 'error signerNotTrusted signature pvno 2' "$(by ra-of-others)"
kill_daemon ra
{ cat plain.conf && echo "upstream_ra_roots = {\"$pki/foreign-root.pem\"}"; } >ra/nfpki-ra.conf
start_daemon ra
expect 'an RA of others, configured' 'genp mac pvno 2' "$(by ra-of-others)"
expect 'no RA of others' 'error signerNotTrusted signature pvno 2' "$(by no-ra)"
# revoked: the CRL that the CA writes says so
serial=$(openssl x509 -in upstream.pem -noout -serial | cut -d= -f2)
cactl revoke --reason keyCompromise "$serial" >/dev/null
crl=$(sed -nE 's/^crl_dir *= *"(.*)"/\1/p' plain.conf)/issuing.crl
for ((i = 0; i < 300; i++)); do
  openssl crl -inform DER -in "$crl" -noout -text | finds -i "$serial" && break
  sleep 0.1
done
expect 'a revoked RA' 'error certRevoked signature pvno 2' "$(nested --info 17 2>text.txt)"
audit verify >/dev/null
