#!/usr/bin/env bash
# Installs what the tests need, builds everything and runs every test; a skipped test is a failure.
#   tests/run.sh [CTEST-ARGUMENT ...]          for example: tests/run.sh -R unit.base
#   tests/run.sh --slow [CTEST-ARGUMENT ...]   with hand-overs delayed at random (support/slow.c); not in CI
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source ceremony/packages.sh

step() { printf '\n== %s\n' "$*"; }

step 'packages'
install_packages "${build_packages[@]}" "${run_packages[@]}" "${test_packages[@]}"

if [[ ${1:-} == --slow ]]; then
  step 'units, flows, faults and interop, without sanitizers, with hand-overs that are delayed'
  cmake --preset coverage -D PATIENCE=6
  cmake --build --preset coverage
  export LD_PRELOAD=$PWD/build/coverage/bin/slow.so
  exec ctest --preset coverage -LE 'check|bench|fuzz' -j "$((4 * $(nproc)))" "${@:2}"
fi

if [[ $# -eq 0 ]]; then
  step 'clang, libFuzzer and sanitizers: build everything, fuzz each target for a while'
  cmake --workflow --preset fuzz
fi

step 'gcc, AddressSanitizer and UndefinedBehaviorSanitizer: build everything, run every test'
cmake --preset dev
cmake --build --preset dev
log=build/dev/tests.log
# Units share the processors, two for each, since half of their time is waiting (signers, clocks, back-off); what
# starts daemons and clients of its own takes the place of two units; what measures or loads them runs alone.
ctest --preset dev -j "$((2 * $(nproc)))" "$@" 2>&1 | tee "$log"
if grep -qE '\(Skipped\)|Not Run|Disabled' "$log"; then
  echo 'a test was skipped: that is a failure' >&2
  exit 1
fi
