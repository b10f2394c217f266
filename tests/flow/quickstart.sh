#!/usr/bin/env bash
# The quickstart: runs twice, --stop, --remove, its env file; and clear words for bad arguments.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
quickstart=$root_dir/ceremony/quickstart.sh

for f in nf/cert.pem nf/key.pem nf/chain.pem env; do
  [[ -s $pki/$f ]] || fail "$f is missing"
done
for name in NFPKI_CMP_URL NFPKI_TRUST NFPKI_REFERENCE NFPKI_SECRET NFPKI_LEDGER NFPKI_BIN NFPKI_PID_RA NFPKI_PID_CA; do
  [[ -n ${!name} ]] || fail "env does not set $name"
done
kill -0 "$NFPKI_PID_RA" && kill -0 "$NFPKI_PID_CA" || fail 'CA or RA is not running'

# the next NF, as the closing text says
new_key "$pki/next.key"
openssl cmp -cmd ir -server "$NFPKI_CMP_URL" -ref "$NFPKI_REFERENCE" -secret "pass:$NFPKI_SECRET" \
  -subject /CN=smf1 -newkey "$pki/next.key" -certout "$pki/next.pem" -trusted "$NFPKI_TRUST"

# once more in the same directory
first=$(sha256sum <"$pki/nf/cert.pem")
"$quickstart" --bin "$bin" --dir "$pki" --port 0 >"$pki/second.log" || { cat "$pki/second.log"; fail 'second run'; }
[[ $(sha256sum <"$pki/nf/cert.pem") != "$first" ]] || fail 'the second run enrolled nothing'
audit verify

"$quickstart" --dir "$pki" --stop
source "$pki/env"
if kill -0 "$NFPKI_PID_RA" 2>/dev/null || kill -0 "$NFPKI_PID_CA" 2>/dev/null; then
  fail '--stop left something running'
fi
if pgrep -f "nfpki-signer.*$pki"; then
  fail '--stop left a signer running'
fi

refused() { # refused 'words' ARGUMENT...
  local words=$1 output
  shift
  if output=$("$quickstart" "$@" 2>&1); then
    fail "accepted: $*"
  fi
  [[ $output == *"$words"* ]] || fail "$*: $output"
}
refused 'unknown argument: --onec' --onec
refused '--dir needs a value' --dir
refused 'not a TCP port' --port 99999
refused 'holds no nfpki programs' --bin /usr/bin --dir "$pki"
refused 'holds something else' --bin "$bin" --dir "$root_dir/ceremony"
refused 'not removed' --dir "$root_dir/ceremony" --remove
refused 'holds no demonstration' --dir "$root_dir/ceremony" --stop
"$quickstart" --dir "$pki" --remove
[[ ! -e $pki ]] || fail '--remove left the directory'
