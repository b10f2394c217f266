#!/usr/bin/env bash
# What a network function is told is a row of ca/cmp/message/phrase.c, whoever says it; and each row is said.
set -euo pipefail
bad=0
files=$(git ls-files 'ca/*.c' 'ra/*.c' 'db/*.c')
if grep -nE "(phrase|told) = (SPAN_LITERAL\(|\"|')" $files ||
  grep -nE '(cmp_body_(error|rejected|not_revoked|pollrep)|issue_end_refused|ca_refusal)\([^;]*"' $files; then
  echo '^ a text for a network function outside of ca/cmp/message/phrase.c'
  bad=1
fi
for row in $(grep -oE '^    PHRASE_[A-Z0-9_]+' ca/cmp/message/phrase.h | grep -vE 'PHRASE_(NONE|COUNT|MAX|SIZE)$'); do
  if ! grep -qw "$row" $(grep -vx 'ca/cmp/message/phrase.c' <<<"$files"); then
    echo "$row is in the table, and nobody says it"
    bad=1
  fi
  grep -q "\[$row\] =" ca/cmp/message/phrase.c || { echo "$row has no row"; bad=1; }
done
exit $bad
