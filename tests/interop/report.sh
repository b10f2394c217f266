#!/usr/bin/env bash
# The page of `nfpki-audit report` in a real browser: what is in it is shown, and nothing else happens.
set -euo pipefail
bin=$1
root_dir=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

TMPDIR=$work "$bin/history" "$work/ledger"
as_of=$(sed -nE 's/^as_of //p' "$work/ledger.told")
"$bin/nfpki-audit" --ledger "$work/ledger" --key "$work/ledger/log.vkey" report --as-of "$as_of" \
  --html "$work/report.html" --data "$work/data" --check --issuer "$work/ledger.issuing.pem"
python3 -B "$root_dir/tests/interop/report.py" "$work" "${SHOTS:-}"
