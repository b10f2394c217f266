#!/usr/bin/env bash
# The page of `nfpki-audit report`, and those of `serve`, in a real browser: what is in them is shown, and nothing else happens.
set -euo pipefail
bin=$1
root_dir=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
serve=
trap '[[ -z $serve ]] || kill "$serve" 2>/dev/null || true; rm -rf "$work"' EXIT

TMPDIR=$work "$bin/history" "$work/ledger"
as_of=$(sed -nE 's/^as_of //p' "$work/ledger.told")
"$bin/nfpki-audit" --ledger "$work/ledger" --key "$work/ledger/log.vkey" report --as-of "$as_of" \
  --html "$work/report.html" --data "$work/data" --check --issuer "$work/ledger.issuing.pem"
"$bin/nfpki-audit" --key "$work/ledger/log.vkey" mirror --init "$work/ledger" "$work/audit.db" >/dev/null 2>&1 || [[ $? -eq 4 ]]
"$bin/nfpki-audit" --mirror "$work/audit.db" serve --listen 127.0.0.1:0 --issuer "$work/ledger.issuing.pem" >"$work/ready" 2>/dev/null &
serve=$!
until grep -q READY "$work/ready"; do
  kill -0 "$serve" || { echo "serve ended"; exit 1; }
  sleep 0.1
done
NFPKI_SERVED=$(sed -n 's/^READY //p' "$work/ready") python3 -B "$root_dir/tests/interop/report.py" "$work" "${SHOTS:-}"
kill "$serve"
wait "$serve" || { echo "serve did not stop in order: $?"; exit 1; }
serve=
