#!/usr/bin/env bash
# An installation from before ca.db was sealed: its token gets the secret key in a ceremony of its own, as
# nfpki-ca(8), The key that seals, says; what was registered before enrols, and all that was there is sealed.
bin=$1
source "$(dirname "$0")/../support/pki.sh"

# ---- before: the quickstart without that key

now=$root_dir
root_dir=$(mktemp -d "${TMPDIR:-/tmp}/nfpki-flow-XXXXXX")
mkdir "$root_dir/ceremony"
cp "$now"/ceremony/{packages,process}.sh "$root_dir/ceremony"
sed '/^secret "seal" { attributes = "ca-seal-v1" }$/d; /^seal { key_id = "$(key_id_of "$(seal_bundle)" seal)" }$/d
  /^has_seal_key || step /d' "$now/ceremony/quickstart.sh" >"$root_dir/ceremony/quickstart.sh"
chmod 755 "$root_dir/ceremony/quickstart.sh"
expect 'four lines of the quickstart are about the key' 4 \
  "$(diff "$now/ceremony/quickstart.sh" "$root_dir/ceremony/quickstart.sh" | grep -c '^<')"
pki_start
rm -rf "$root_dir"
root_dir=$now
cd "$pki"
status() { cactl status | python3 -c 'import json, sys; print(json.load(sys.stdin)["seals"]["state"])'; }
grep -q '"event":"no-seal-key"' log/nfpki-ca.log || fail 'the start does not say that there is no key'
expect 'the status' 'no key' "$(status)"
register early AMF 1
early=("$reference" "$secret")
restart_both
expect 'and after a restart' 'no key' "$(status)"
enrol() { # enrol NAME REFERENCE SECRET
  new_key "$1.key"
  cmp -cmd ir -ref "$2" -secret "pass:$3" -subject /CN=x -newkey "$1.key" -certout "$1.pem" >"$1.log" 2>&1 ||
    fail "$1: $(<"$1.log")"
}

# ---- the ceremony, the policy, both anew: the quickstart does it with a directory of before

rows=$(find ceremony -name seal.id | wc -l)
"$root_dir/ceremony/quickstart.sh" --bin "$bin" --dir "$pki" >second.log 2>&1 || { cat second.log; fail 'quickstart'; }
expect 'one more secret key' $((rows + 1)) "$(find ceremony -name seal.id | wc -l)"
verified=0
"$bin/nfpki-ceremony-verify" ceremony/seal-key >/dev/null || verified=$?
expect 'its transcript, a rehearsal' 3 "$verified"
grep -q '"event":"sealed"' log/nfpki-ca.log || fail 'nothing was sealed'
expect 'the status' sealed "$(status)"
enrol early "${early[@]}"
source ./env
enrol later "$NFPKI_REFERENCE" "$NFPKI_SECRET"

# ---- all of it agrees, and there is no way back

verify() {
  SOFTHSM2_CONF=$pki/ca/softhsm2.conf CREDENTIALS_DIRECTORY=$pki/ca/credentials \
    "$bin/nfpki-ca" --verify --config ca/nfpki-ca.conf
}
stop_daemon ra
stop_daemon ca
verify >verify.txt 2>verify.log || fail "$(<verify.txt) $(<verify.log)"
grep -q ' pages compared in .*: no difference$' verify.txt || fail "$(<verify.txt)"
! grep -q ' 0 pages\|not sealed\|not compared' verify.txt || fail "$(<verify.txt)"
cp ca/log-signer.conf with.conf
sed -i '/^seal /d' ca/log-signer.conf
! start_daemon ca >/dev/null 2>&1 || fail 'started without the key'
cp with.conf ca/log-signer.conf
start_daemon ca
start_daemon ra
audit verify | finds ' SEALED 1' || fail 'no SEALED, or more than one'
