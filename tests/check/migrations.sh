#!/usr/bin/env bash
# The migrations of each database, which may stand in several files, are numbered from 1 without a gap, each number once: of two
# with one number only the first would ever run.
set -euo pipefail
for files in "db/ledger/ledger.sql db/issuance/ca.sql" "db/requests/ra.sql"; do
  # shellcheck disable=SC2086 # several
  numbers=$(sed -nE 's/^-- migration ([0-9]+)$/\1/p' $files | sort -n)
  diff <(seq 1 "$(tail -n 1 <<<"$numbers")") <(echo "$numbers") || { echo "^ > migrations of $files"; exit 1; }
done
