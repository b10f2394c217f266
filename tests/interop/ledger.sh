#!/usr/bin/env bash
# The record as strangers read it, who have no line of ours: a verifier in Python's standard library, written from
# db/LEDGER.md, and golang.org/x/mod's sumdb, which reads signed notes and tiles.
set -euo pipefail
bin=$1
root_dir=$(cd "$(dirname "$0")/../.." && pwd)
pki=$(mktemp -d)
trap 'rm -rf "$pki"' EXIT
source "$root_dir/tests/support/go.sh"

go_build "$pki/ledger_reader" "$root_dir/tests/interop/ledger_reader/main.go"
python3 -B "$root_dir/tests/interop/ledger.py" "$root_dir" "$pki" "$bin"
