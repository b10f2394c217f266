#!/usr/bin/env bash
# circles.sh BUILD: no two objects need each other, not by way of others either; nor do two folders;
# and a global name has one home.
set -euo pipefail
build=$(realpath "${1:?usage: circles.sh BUILD}")
cd "$(dirname "$0")/../.."
exec python3 -B tests/check/circles.py "$build"
