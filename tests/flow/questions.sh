#!/usr/bin/env bash
# Each question of nfpki-audit(1), asked as the page says, about a record whose answers are known.
set -euo pipefail
bin=$1
root_dir=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

TMPDIR=$work "$bin/history" "$work/ledger"
python3 -B "$root_dir/tests/flow/questions.py" "$root_dir/db/nfpki-audit.1" "$work" "$bin/nfpki-audit"
