#!/usr/bin/env bash
# Every C file is formatted by clang-format 14 with the tree's .clang-format.
set -euo pipefail
git ls-files -z '*.c' '*.h' | xargs -0 clang-format --dry-run --Werror
