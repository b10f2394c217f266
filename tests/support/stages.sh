# For tests that kill a daemon when something is about to begin a stage of its way, while a client asks until it
# has its certificate; sourced after pki.sh, used in the directory of the PKI.
# shellcheck shell=bash disable=SC2154

# begin_asking CREDENTIALS [OPTION ...]: enrolment number $n begins; out/$n/0.der is what it gets
begin_asking() {
  mkdir -p "out/$n"
  "$bin/bench.enrol" -p "${@:2}" -o "out/$n" 127.0.0.1 "$port" "$path" "$1" 1 1 >"load$n.log" 2>&1 &
  client=$!
}

end_enrolment() { # end_enrolment WHAT
  wait "$client" || { cat "load$n.log"; fail "$1: the client did not get its certificate"; }
  [[ $(find "out/$n" -name '*.der' | wc -l) -eq 1 ]] || fail "$1: not one certificate"
}

# kill_at ca|ra STAGE [PASS]: arms the running daemon; as many pass as PASS says, less one
kill_at() {
  local i
  rm -f gdb.log
  gdb -q -nx -batch -p "$(<"$1.pid")" -ex "break $2" -ex "ignore 1 $((${3:-1} - 1))" -ex continue -ex kill \
    >gdb.log 2>&1 </dev/null &
  debugger=$!
  for ((i = 0; i < 600; i++)); do
    grep -q '^Breakpoint 1 at' gdb.log 2>/dev/null && return
    kill -0 "$debugger" 2>/dev/null || break
    sleep 0.1
  done
  cat gdb.log
  fail "$2: the debugger is not there"
}

# wait_killed STAGE WHAT. Nobody gets there any more when the client has ended: that is told, not waited for.
wait_killed() {
  local first='' status=0
  wait -n -p first "$debugger" "$client" || status=$?
  if [[ $first != "$debugger" ]]; then
    kill "$debugger" 2>/dev/null || true
    cat "load$n.log" gdb.log || true
    fail "$2: the client ended with status $status, and the stage was not reached"
  fi
  [[ $status -eq 0 ]] || { cat gdb.log; fail "$2: the debugger failed"; }
  grep -q "Breakpoint 1, $1 " gdb.log || { cat gdb.log; fail "$2: was not reached"; }
}
