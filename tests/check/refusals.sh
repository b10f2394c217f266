#!/usr/bin/env bash
# Every refusal has a test that sees it happen: builds the preset coverage, runs tests, counts.
#   refusals.sh units             the unit tests; no more may be unseen than refusals.max says (CI)
#   refusals.sh whole             every test; none may be unseen but for those in refusals.tsv
#   refusals.sh report [PATH ...] what the tests run so far have left: for example ctest --preset coverage -R
#                                 unit.ra, then refusals.sh report ra/judge/message/requester.c
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=build/coverage
out=$build/refusals.txt
count() { python3 tests/check/refusals.py "$build" "$@"; }
why() { # what each failed test said: the assertions and errors, and the end of all of it
  local at=$build/Testing/Temporary name said
  [[ -r $at/LastTestsFailed.log ]] || return 0
  while IFS=: read -r _ name; do
    said=$(sed -n "\\|^[0-9]*/[0-9]* Testing: $name\$|,\\|^<end of output>\$|p" "$at/LastTest.log")
    printf '\n---- %s\n' "$name"
    grep -E '^\[ +(ERROR|LINE|FAILED) |"level":"error"' <<<"$said" | head -n 30 || true
    printf '...\n%s\n' "$(tail -n 60 <<<"$said")"
  done <"$at/LastTestsFailed.log"
}
measure() { # measure CTEST-ARGUMENT ...: builds, and runs the tests with counters that begin at 0
  cmake --preset coverage >/dev/null
  cmake --build --preset coverage >"$build/build.log" || { tail -n 30 "$build/build.log"; return 1; }
  rm -rf "$build/profile"
  ctest --preset coverage "$@" >"$build/tests.log" || { tail -n 30 "$build/tests.log"; why; return 1; }
}
unseen() { sed -nE 's/^refusals: .* unseen: ([0-9]+)$/\1/p' "$out"; }

case ${1:-} in
units)
  measure -L unit -j "$((2 * $(nproc)))" # as tests/run.sh
  count --allowed tests/check/refusals.tsv >"$out"
  tail -n 3 "$out"
  may=$(<tests/check/refusals.max)
  if (($(unseen) > may)); then
    cat "$out"
    echo "no unit test sees $(unseen) refusals happen, and refusals.max says $may: add the missing rows"
    exit 1
  fi
  (($(unseen) == may)) || echo "refusals.max can fall from $may to $(unseen)"
  ;;
whole)
  measure -LE check
  count --allowed tests/check/refusals.tsv | tee "$out"
  (($(unseen) == 0))
  ;;
report)
  count --allowed tests/check/refusals.tsv "${@:2}"
  ;;
*)
  sed -n '2,/^[^#]/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
  exit 2
  ;;
esac
