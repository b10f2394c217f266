#!/usr/bin/env bash
# db/LEDGER.md has each kind of leaf, its members and their types as db/ledger/leaf.c has them, and the version.
set -euo pipefail
code=$(awk '
  /\[LEAF_[A-Z_]+\] = \{"/ { match($0, /\{"[A-Z-]+"/); kind = substr($0, RSTART + 2, RLENGTH - 3) }
  kind { line = $0
    while (match(line, /\{"[a-zA-Z0-9]+", MEMBER_[A-Z0-9]+, (true|false)\}/)) {
      split(substr(line, RSTART + 1, RLENGTH - 2), part, /, /)
      gsub(/"/, "", part[1]); sub(/MEMBER_/, "", part[2])
      print kind, part[1], tolower(part[2]) (part[3] == "true" ? "?" : "")
      line = substr(line, RSTART + RLENGTH) } }
  /^};/ { kind = "" }' db/ledger/leaf.c | sort)
text=$(awk '
  /^## / { kind = "" }
  /^### / { kind = $2 }
  kind && /^\| `/ { name = $2; gsub(/`/, "", name); print kind, name, $4 }' db/LEDGER.md | sort)
[[ -n $code ]] || { echo "no kinds of leaves in db/ledger/leaf.c"; exit 1; }
diff <(echo "$code") <(echo "$text") || { echo '^ < db/ledger/leaf.c, > db/LEDGER.md'; exit 1; }
version=$(grep -oE 'LEAF_RECORD_VERSION = [0-9]+' db/ledger/leaf.h | grep -oE '[0-9]+')
grep -qE "^\| $version \|" db/LEDGER.md || { echo "db/LEDGER.md does not have version $version"; exit 1; }
if grep -qE "^\| $((version + 1)) \|" db/LEDGER.md; then
  echo "db/LEDGER.md has a version that db/ledger/leaf.h has not"
  exit 1
fi
