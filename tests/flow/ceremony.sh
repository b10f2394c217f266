#!/usr/bin/env bash
# All ceremonies, rehearsed with the sample definitions; what the token says about the keys; what
# others say about the certificates and the CRL; what the verifier says about damage; a production
# run typed at a terminal; stops.
set -euo pipefail
bin=$1
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$tests/support/finds.sh"
dir=$(mktemp -d "${TMPDIR:-/tmp}/nfpki-ceremony-XXXXXX")
trap 'rm -rf "$dir"' EXIT
cd "$dir"

fail() { echo "FAILED: $*" >&2; exit 1; }
expect() { # expect STATUS COMMAND...: its output is in out.txt
  local wanted=$1 status=0
  shift
  "$@" >out.txt 2>&1 || status=$?
  [[ $status -eq $wanted ]] || { cat out.txt; fail "$* exits $status, not $wanted"; }
}
says() { grep -qE -- "$1" out.txt || { cat out.txt; fail "nothing says: $1"; }; }
tokens() { # tokens NAME: a SoftHSM configuration with a folder of its own
  mkdir -p "$1-tokens"
  printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' \
    "$dir/$1-tokens" >"$1-softhsm2.conf"
}
ceremony() { expect 0 "$bin/nfpki-ceremony" check "$1" && expect 0 "$bin/nfpki-ceremony" rehearse "$1"; }
verify() { "$bin/nfpki-ceremony-verify" "$@"; }

echo "== five kinds of ceremony, rehearsed"
cp "$tests"/../ceremony/samples/*.conf .
for token in root issuing ra; do tokens $token; done
ceremony root-generate.conf
says 'REHEARSAL: NOT PRODUCTION'
ceremony key-generate-issuing.conf
sed -i "s/0\{64\}/$(sha256sum <bundles/issuing-keys/issuing.csr.pem | cut -d' ' -f1)/" sub-issue.conf
ceremony sub-issue.conf
ceremony root-crl.conf
ceremony key-generate-ra.conf
# a token from before gets its seal key
sed -i "s/serial = \"0*\"/serial = \"$(<bundles/issuing-keys/nfpki-issuing.serial)\"/" secret-generate.conf
ceremony secret-generate.conf
says 'secret key seal: found by a fresh process'
[[ $(<bundles/issuing-seal/seal.id) != "$(<bundles/issuing-keys/seal.id)" ]] || fail 'the same identifier'
line=(bundles/root bundles/issuing bundles/crl-1)
all=(bundles/root bundles/issuing-keys bundles/issuing bundles/crl-1 bundles/ra-key bundles/issuing-seal)
expect 3 verify "${all[@]}"
says 'NOT PRODUCTION: a rehearsal'
says 'NOT PRODUCTION: a software token'

echo "== the second CRL revokes the issuing CA, by its serial number with colons, and keeps the number going"
serial=$(openssl x509 -in bundles/issuing/issuing.cert.pem -noout -serial | cut -d= -f2)
sed -e 's/root-g1-crl-1/root-g1-crl-2/; s,bundles/crl-1,bundles/crl-2,; s,bundles/issuing",bundles/crl-1",' \
  -e "s/^crl {/crl {\n    revoke \"$(sed "s,..,&:,g; s,:$,," <<<"$serial")\" { time = 2026-11-23T09:00:00Z reason = \"superseded\" }/" \
  root-crl.conf >root-crl-2.conf
ceremony root-crl-2.conf
expect 3 verify "${line[@]}" bundles/crl-2
openssl crl -in bundles/crl-2/root.crl.pem -noout -text >crl.txt
grep -q 'Superseded' crl.txt || fail 'the entry has no reason'
grep -A1 'X509v3 CRL Number' crl.txt | finds -E '^ +2$' || fail 'the number is not 2'
expect 1 "$bin/nfpki-ceremony" rehearse root-crl-2.conf
says 'exists; a bundle is written once'

echo "== what the tokens say (pkcs11-tool)"
attributes() { # attributes TOKEN LABEL KEY ALWAYS-AUTHENTICATE BUNDLE
  local pin
  pin=$(<"credentials/$2.pin")
  SOFTHSM2_CONF=$dir/$1-softhsm2.conf pkcs11-tool --module /usr/lib/softhsm/libsofthsm2.so \
    --token-label "$2" --login --pin "$pin" --list-objects --type privkey >out.txt 2>&1
  grep -A8 "label: *$3\$" out.txt >key.txt
  grep -qE 'Usage: +sign$' key.txt || { cat out.txt; fail "$3: more usages than sign"; }
  grep -qE 'Allowed mechanisms: ECDSA$' key.txt || { cat out.txt; fail "$3: other mechanisms"; }
  for word in sensitive 'always sensitive' 'never extractable' local; do
    grep -qE "Access:.*$word" key.txt || { cat out.txt; fail "$3 is not: $word"; }
  done
  if [[ $(grep -ciE 'always authenticate' key.txt) -eq 0 ]]; then
    [[ $4 == no ]] || { cat out.txt; fail "$3 does not want its PIN for each signature"; }
  else
    [[ $4 == yes ]] || fail "$3 wants its PIN for each signature"
  fi
  grep -qE "ID: +$(<"bundles/$5/$3.id")" key.txt || fail "$3 has another CKA_ID than its bundle says"
}
attributes root nfpki-root root yes root
attributes issuing nfpki-issuing issuing no issuing-keys
attributes issuing nfpki-issuing log no issuing-keys
attributes ra nfpki-ra ra no ra-key
[[ $(stat -c %a credentials/nfpki-root.pin credentials/nfpki-root.so-pin) == $'600\n600' ]] || fail 'modes'

echo "== what openssl says"
openssl verify -x509_strict -check_ss_sig -CAfile bundles/root/root.cert.pem bundles/root/root.cert.pem
openssl verify -x509_strict -CAfile bundles/root/root.cert.pem bundles/issuing/issuing.cert.pem
openssl crl -in bundles/crl-1/root.crl.der -inform DER -CAfile bundles/root/root.cert.pem -noout 2>&1 |
  grep -q 'verify OK'
openssl verify -x509_strict -crl_check -CRLfile bundles/crl-1/root.crl.pem \
  -CAfile bundles/root/root.cert.pem bundles/issuing/issuing.cert.pem
if openssl verify -crl_check -CRLfile bundles/crl-2/root.crl.pem -CAfile bundles/root/root.cert.pem \
  bundles/issuing/issuing.cert.pem >/dev/null 2>&1; then
  fail 'the revoked certificate verifies'
fi
openssl req -in bundles/issuing-keys/issuing.csr.pem -verify -noout 2>&1 | finds 'verify OK'
openssl req -in bundles/ra-key/ra.csr.pem -verify -noout 2>&1 | finds 'verify OK'
openssl x509 -in bundles/root/root.cert.pem -noout -subject | finds 'CN = REHEARSAL ' || fail 'no mark'
openssl x509 -in bundles/issuing/issuing.cert.pem -noout -ext basicConstraints | finds 'CA:TRUE, pathlen:0'
openssl x509 -in bundles/root/root.cert.pem -noout -checkend $((7 * 86400)) >/dev/null &&
  fail 'the rehearsed root lives longer than 7 days'

echo "== no secret in what a ceremony leaves"
for pin in credentials/*pin; do
  ! grep -rqF -- "$(<"$pin")" bundles ./*.conf || fail "$pin is in a bundle"
done

echo "== damage"
damaged() { # damaged FILE OFFSET: one bit of one octet
  rm -rf damaged && cp -r bundles/issuing damaged
  python3 - "damaged/$1" "$2" <<'PYTHON'
import sys
with open(sys.argv[1], "r+b") as f:
    data = bytearray(f.read())
    data[int(sys.argv[2]) % len(data)] ^= 1
    f.seek(0)
    f.write(data)
PYTHON
  expect 1 verify bundles/root damaged
  says 'FAILED: damaged'
}
for file in transcript.jsonl definition.conf head.txt issuing.cert.pem root.cert.pem nfpki-root.serial; do
  size=$(stat -c %s "bundles/issuing/$file")
  for offset in 0 1 $((size / 3)) $((size / 2)) $((size - 1)); do
    damaged $file $offset
  done
done
rm -rf damaged && cp -r bundles/issuing damaged && head -c -10 bundles/issuing/transcript.jsonl >damaged/transcript.jsonl
expect 1 verify bundles/root damaged
says 'torn'
head -n -1 bundles/issuing/transcript.jsonl >damaged/transcript.jsonl
expect 1 verify bundles/root damaged
says 'not sealed'
expect 1 verify bundles/root bundles/crl-1
says 'not among the bundles'
expect 1 verify bundles/root bundles/issuing bundles/issuing
says 'the same bundle'
expect 2 verify

echo "== refused before anything changes"
sed 's,bundles/root",bundles/other",' root-generate.conf >again.conf
expect 1 "$bin/nfpki-ceremony" rehearse again.conf
says "is there already"
sed 's,bundles/issuing",bundles/other",; s/Issuing CA 1/Issuing CA 2/' sub-issue.conf >other.conf
expect 1 "$bin/nfpki-ceremony" check other.conf
says "is not the definition's"
sed 's/sha256 = "./sha256 = "x/' sub-issue.conf >wrong.conf
expect 1 "$bin/nfpki-ceremony" check wrong.conf
says '^nfpki-ceremony: wrong.conf:[0-9]+: csr.sha256'
sed '/^key "log"/,/^}/s/P-256/P-384/; s,output = .*,output = "bundles/none",' key-generate-issuing.conf >log.conf
expect 1 "$bin/nfpki-ceremony" check log.conf
says 'key.log.attributes: a log key is P-256'
for wrong in 's/"ra-seal-v1"/"ra-signing-v1"/;secret.seal.attributes: .ra-signing-v1.: a secret key has ra-seal-v1 or ca-seal-v1' \
  's/^secret "seal"/secret "ra"/;secret.ra: a key has this label already'; do
  sed "${wrong%;*}; s,output = .*,output = \"bundles/none\"," key-generate-ra.conf >secret.conf
  expect 1 "$bin/nfpki-ceremony" check secret.conf
  says "${wrong#*;}"
done
expect 1 "$bin/nfpki-ceremony" run root-crl-2.conf
expect 4 "$bin/nfpki-ceremony" frobnicate
expect 4 "$bin/nfpki-ceremony" check
[[ ! -e bundles/other ]] || fail 'a refused ceremony left a bundle'

echo "== a production run, typed at a terminal"
stamp() { date -u -d "$1" +%Y-%m-%dT%H:%M:%SZ; }
tokens real
sed -e 's,^output.*,output = "bundles/real"\nsoftware_token_accepted = true\nnetwork_accepted = true\nswap_accepted = true,' \
  -e 's/nfpki-root/real-root/; s/root-softhsm2/real-softhsm2/; s/root-tokens/real-tokens/; /^credentials/d' \
  -e "/^certificate/,/^}/s/not_before.*/not_before = $(stamp -1minute)/" \
  -e "/^clock/,/^}/s/not_before.*/not_before = $(stamp -1hour)/" \
  -e "/^clock/,/^}/s/not_after.*/not_after = $(stamp +1hour)/" root-generate.conf >real.conf
cat >answers <<'ANSWERS'
type '([a-z]+)' if you are present\.	\1
The time \(UTC\)|the time \(UTC\)[^?]*\?	@NOW@
the approved paper says\?	@HASH@
New security officer's PIN of token real-root \(not shown\): 	so-secret-1
The same security officer's PIN again \(not shown\): 	so-secret-1
New user PIN of token real-root \(not shown\): 	user-secret-1
The same user PIN again \(not shown\): 	user-secret-1
User PIN of the token \(not shown\): 	user-secret-1
User PIN, for this one signature \(not shown\): 	user-secret-1
type '((initialise|generate|sign) [^']*)'[^.]*\.	\1
ANSWERS
typed() { # typed ANSWERS DEFINITION: `run` with these answers
  sed "s/@HASH@/$(sha256sum <"$2" | cut -c49-64)/" "$1" >answers.now
  "$tests/support/type_at.py" answers.now "$bin/nfpki-ceremony" run "$2"
}
expect 0 typed answers real.conf
! grep -q 'secret-1' out.txt || fail 'a PIN was echoed'
! grep -rq 'secret-1' bundles/real || fail 'a PIN was recorded'
expect 3 verify bundles/real
says 'NOT PRODUCTION: a software token'
! grep -q 'a rehearsal' out.txt || fail 'a production run is called a rehearsal'
openssl x509 -in bundles/real/root.cert.pem -noout -subject | finds 'CN = Example Root G1$' || fail 'subject'
sed 's/software_token_accepted = true/software_token_accepted = false/; s/real-root/real-2/; s,bundles/real,bundles/real-2,' \
  real.conf >real-2.conf
expect 1 typed answers real-2.conf
says 'software token, which is no place'

echo "== stops"
# stop N RULE: a run with the token stop-N, in which RULE replaces the exact words
stop() {
  sed "s,bundles/real,bundles/stop-$1,; s/real-root/stop-$1/" real.conf >"stop-$1.conf"
  sed "s/real-root/stop-$1/; /initialise|generate|sign/d" answers >"answers-$1"
  printf '%b\n' "$2" >>"answers-$1"
}
stop 1 "type '(initialise [^']*)'[^.]*\\\\.\\tyes"
expect 2 typed answers-1 stop-1.conf
says "STOPPED: step token: the answer was not 'initialise stop-1'"
says 'Nothing was changed on any token'
expect 1 verify bundles/stop-1
says 'the ceremony was stopped'
stop 2 "type '(initialise [^']*)'[^.]*\\\\.\\t\\\\1\\ntype '(generate [^']*)'[^.]*\\\\.\\t@INT@"
expect 3 typed answers-2 stop-2.conf
says 'STOPPED: step keys: stopped by the administrator'
says 'a fresh token without keys'
stop 3 "type '((initialise|generate) [^']*)'[^.]*\\\\.\\t\\\\1\\ntype '(sign [^']*)'[^.]*\\\\.\\tsign it"
expect 3 typed answers-3 stop-3.conf
says 'STOPPED: step certificate'
says 'holds good keys that nothing was made of'

echo "== killed at any moment: what is not sealed does not verify, and a new ceremony works"
for i in 1 2 3 4 5 6 7 8; do
  tokens "kill-$i"
  sed "s,bundles/root,bundles/kill-$i,; s/nfpki-root/kill-$i/; s/root-softhsm2/kill-$i-softhsm2/; s/root-tokens/kill-$i-tokens/" \
    root-generate.conf >"kill-$i.conf"
  "$bin/nfpki-ceremony" rehearse "kill-$i.conf" >/dev/null 2>&1 &
  pid=$!
  sleep "0.$(printf %03d $((i * 45)))"
  kill -9 $pid 2>/dev/null || true
  wait $pid 2>/dev/null || true
  if [[ -e bundles/kill-$i/head.txt ]]; then
    expect 3 verify "bundles/kill-$i"
  else
    expect 1 verify "bundles/kill-$i"
  fi
done
tokens kill-8
rm -rf kill-8-tokens credentials/kill-8.* bundles/kill-8 && tokens kill-8
ceremony kill-8.conf

echo "flow.ceremony: passed"
