#!/usr/bin/env bash
# Breaks the product in one place at a time and sees which tests notice.
#   tests/check/mutants.sh N SEED [FOLDER or FILE ...] [--units] [--list]
# N single mutants, drawn by SEED, in C files of base, pkcs11, db, ca, ra and ceremony, each against the
# tests that reach its line: units first, then flows; --units stops after the units. Prints survivors with
# the changed line, then killed, survived and equivalent per folder. Works on copies in build/mutants;
# equivalent mutants are listed, each with its reason, in equivalent-mutants.tsv beside this script.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../../ceremony/packages.sh"
install_packages "${build_packages[@]}" "${run_packages[@]}" "${test_packages[@]}"
exec python3 -B "$here/mutants/run.py" "$@"
