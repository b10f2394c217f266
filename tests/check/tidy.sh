#!/usr/bin/env bash
# clang-tidy 14 over the product's sources, with the tree's .clang-tidy; warnings are errors.
set -euo pipefail
build=$1
mapfile -t sources < <(git ls-files 'base/*.c' 'pkcs11/*.c' 'db/*.c' 'ca/*.c' 'ra/*.c' 'ceremony/*.c')
# The compilation database may be gcc's: what clang does not know of it is no finding.
printf '%s\0' "${sources[@]}" | xargs -0 -n 1 -P "$(nproc)" clang-tidy --quiet -p "$build" \
  --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-ignored-optimization-argument 2>&1 |
  { grep -vE '^[0-9]+ warnings? generated|^Suppressed|^Use -header-filter' || true; }
exit "${PIPESTATUS[1]}"
