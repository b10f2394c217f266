# Programs with another clock, by libfaketime; sourced by pki.sh.
# shellcheck shell=bash

# forget_clocks: libfaketime names what its processes share by their PIDs, and who was killed leaves that
# behind: whoever gets the PID again, as happens after 32,768 processes, could not start.
forget_clocks() {
  local file
  for file in /dev/shm/{sem.faketime_sem,faketime_shm}_*; do
    [[ -e /proc/${file##*_} ]] || rm -f "$file"
  done
}

# with_clock DIFFERENCE COMMAND...
with_clock() {
  forget_clocks
  faketime -f "$1" "${@:2}"
}

# with_wall_clock DIFFERENCE COMMAND...: a program of ours, whose monotonic clock goes on as it is
with_wall_clock() {
  local library
  library=$(find /usr/lib -name libfaketime.so.1 -print -quit)
  forget_clocks
  LD_PRELOAD=$library${LD_PRELOAD:+:$LD_PRELOAD} FAKETIME=$1 FAKETIME_DONT_FAKE_MONOTONIC=1 \
    ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0 "${@:2}"
}
