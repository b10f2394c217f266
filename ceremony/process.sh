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

# published: the files of the ledger, which follow within a second, have all that was answered. Needs
# cactl; when there is no CA, they have what they have.
published() {
  local status
  while status=$(cactl status 2>/dev/null | tr -d ' \n'); do
    [[ $status =~ \"stored\":([0-9]+) ]] && [[ $status != *"\"published\":${BASH_REMATCH[1]},"* ]] || return 0
    sleep 0.05
  done
}
