#!/usr/bin/env bash
# Every program and every configuration file has a manual page, and each page passes the linter.
set -euo pipefail
bad=0
mapfile -t pages < <(git ls-files '*.[158]')
list=$(printf '%s\n' "${pages[@]}") # not through a pipe: grep -q closes it early, which pipefail takes for a failure
for page in "${pages[@]}"; do
  if ! mandoc -Tlint -Wwarning "$page"; then
    echo "^ $page"
    bad=1
  fi
done
for program in nfpki-ra nfpki-ca nfpki-signer nfpki-ceremony nfpki-ceremony-verify nfpki-audit \
  nfpki-cactl nfpki-ractl; do
  if ! grep -qE "/$program\.[18]$" <<<"$list"; then
    echo "no manual page for $program"
    bad=1
  fi
done
while read -r sample; do
  if ! grep -qE "/$(basename "$sample")\.5$" <<<"$list"; then
    echo "no manual page for $sample"
    bad=1
  fi
done < <(git ls-files '*/nfpki-*.conf')
exit $bad
