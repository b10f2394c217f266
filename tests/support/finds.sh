# What scripts under pipefail ask of a pipe; sourced.
# shellcheck shell=bash

# finds ARGUMENT...: grep -q that reads to the end. One that ends at its first match closes the pipe, and who
# still writes there dies by SIGPIPE now and then, which pipefail takes for a failure.
finds() { [[ $(grep -c "$@") -gt 0 ]]; }
