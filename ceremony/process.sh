# Ends daemons of a demonstration; sourced by quickstart.sh and the tests.
# shellcheck shell=bash

# running PID: and not only what is left of a process until its parent asks, as it stays for long
# in a container whose first process is no init
running() { grep -qs '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$1"/task/*/status; }

# end_process PID: SIGTERM; fails when it has not ended after 30 s
end_process() {
  kill "$1" 2>/dev/null || true
  for _ in $(seq 1500); do
    running "$1" || return 0
    sleep 0.02
  done
  return 1
}
