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

# the record has each ceremony that was rehearsed, once
ceremonies() { # in the order of the record: name, type, production, hash of the bundle
  audit list ceremonies --format jsonl >"$pki/ceremonies.json"
  python3 - "$pki/ceremonies.json" <<'PYTHON'
import json
import sys
with open(sys.argv[1]) as f:
    for line in f:
        row = json.loads(line)
        if "name" in row:
            print(row["name"], row["type"], row["production"], row["sha256"])
PYTHON
}
for name in root-generate issuing-keys sub-issue root-crl ra-keys; do
  cd "$pki/ceremony/$name"
  echo "demo-$name $(sed -n 's/^type = "\(.*\)"/\1/p' definition.conf) False $(LC_ALL=C sha256sum -- * | sha256sum | cut -d' ' -f1)"
done >"$pki/bundles.txt"
ceremonies >"$pki/recorded.txt"
diff "$pki/bundles.txt" "$pki/recorded.txt" || fail 'the record has other ceremonies'

# once more in the same directory, named from somewhere else; the port stays
url=$NFPKI_CMP_URL
cd "${pki%/*}"
first=$(sha256sum <"$pki/nf/cert.pem")
"$quickstart" --bin "$bin" --dir "./${pki##*/}" >"$pki/second.log" || { cat "$pki/second.log"; fail 'second run'; }
[[ $(sha256sum <"$pki/nf/cert.pem") != "$first" ]] || fail 'the second run enrolled nothing'
audit verify
ceremonies | diff "$pki/bundles.txt" - || fail 'after the second run the record has other ceremonies'
[[ $(source "$pki/env" && echo "$NFPKI_CMP_URL") == "$url" ]] || fail 'another port'

"$quickstart" --dir "$pki" --stop
source "$pki/env"
if running "$NFPKI_PID_RA" || running "$NFPKI_PID_CA"; then
  fail '--stop left something running'
fi
for ((i = 0; i < 200; i++)); do # a signer ends when its daemon has
  pgrep -f "nfpki-signer.*$pki" || break
  sleep 0.05
done
[[ $i -lt 200 ]] || fail '--stop left a signer running'

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
refused 'not a TCP port' --port 08
refused 'not a TCP port' --port 22000000000000000000000
refused 'letters, digits' --dir "$pki/a b"
refused 'letters, digits' --dir "$pki/a\$(b)"
refused 'at most 88 characters' --dir "$pki/$(printf 'x%.0s' {1..80})"
(
  flock 9
  refused 'another quickstart is at work' --bin "$bin" --dir "$pki"
) 9>>"$pki/.nfpki-demo"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj /CN=x -days 1 \
  -keyout /dev/null -out "$pki/old.pem" 2>/dev/null
cp "$pki/ra/ra.pem" "$pki/ra.pem" && cp "$pki/old.pem" "$pki/ra/ra.pem"
refused 'ra.pem ends within a day' --bin "$bin" --dir "$pki"
cp "$pki/ra.pem" "$pki/ra/ra.pem"
refused 'holds no nfpki programs' --bin /usr/bin --dir "$pki"
refused 'holds something else' --bin "$bin" --dir "$root_dir/ceremony"
refused 'not removed' --dir "$root_dir/ceremony" --remove
refused 'holds no demonstration' --dir "$root_dir/ceremony" --stop
# interrupted in or right after the first ceremony: the next run begins the rehearsal anew
other=$pki/other
"$quickstart" --bin "$bin" --dir "$other" --port 0 >"$pki/interrupted.log" 2>&1 &
starter=$!
while [[ ! -d $other/ceremony/root-generate ]]; do sleep 0.02; done
kill -TERM "$starter"
wait "$starter" && fail 'the interrupted run says that all is well'
"$quickstart" --bin "$bin" --dir "$other" --port 0 --once >"$pki/interrupted.log" 2>&1 ||
  { cat "$pki/interrupted.log"; fail 'after an interruption'; }
grep -q 'earlier rehearsal stopped' "$pki/interrupted.log" || fail 'the stopped rehearsal was not begun anew'

"$quickstart" --dir "$pki/none/x" --remove
[[ ! -e $pki/none ]] || fail '--remove made a directory'
"$quickstart" --dir "$pki" --remove
[[ ! -e $pki ]] || fail '--remove left the directory'
