#!/usr/bin/env bash
# registration.schema.json and the parser agree on a table of documents.
set -euo pipefail
bin=$1
root_dir=$(cd "$(dirname "$0")/../.." && pwd)
python3 "$root_dir/tests/support/registration_schema.py" "$root_dir/ca/registration/registration.schema.json" "$bin/nfpki-ractl"
# the test sees a difference
sed 's/"maximum": 1095/"maximum": 1094/' "$root_dir/ca/registration/registration.schema.json" >"${TMPDIR:-/tmp}/nfpki-schema-$$.json"
trap 'rm -f "${TMPDIR:-/tmp}/nfpki-schema-$$.json"' EXIT
if python3 "$root_dir/tests/support/registration_schema.py" "${TMPDIR:-/tmp}/nfpki-schema-$$.json" "$bin/nfpki-ractl"; then
  echo 'FAILED: a schema that differs passed'
  exit 1
fi
