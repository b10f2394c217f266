# A PKI of the test's own, made by the quickstart itself; sourced by flows, the kill loop and the
# benchmark. Needs $bin (folder of the programs). Everything is below $pki.
# shellcheck shell=bash disable=SC2154
set -euo pipefail
bin=$(cd "$bin" && pwd)
root_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root_dir/ceremony/process.sh"
source "$root_dir/tests/support/finds.sh"
source "$root_dir/tests/support/clock.sh"

fail() { echo "FAILED: $*" >&2; exit 1; }
expect() { # expect 'what' WANTED GOT
  [[ $3 == "$2" ]] || fail "$1: expected '$2', got '$3'"
  echo "ok: $1: $3"
}

# free_port: a TCP port of 127.0.0.1 that nobody has. Tests that run at once have a range of their own each: a
# port is free, too, while the daemon that had it is started again.
free_port() {
  local candidate
  for candidate in $(shuf -i "${PORTS:-20000-30000}" -n 50); do
    (exec 3<>"/dev/tcp/127.0.0.1/$candidate") 2>/dev/null || { echo "$candidate"; return; }
  done
  fail 'no free TCP port'
}

# pki_start: a running PKI in a temporary directory, stopped and removed when the test ends
pki_start() {
  pki=$(mktemp -d "${TMPDIR:-/tmp}/nfpki-flow-XXXXXX")
  trap pki_end EXIT
  "$root_dir/ceremony/quickstart.sh" --bin "$bin" --dir "$pki" --port "$(free_port)" >"$pki.log" 2>&1 ||
    { cat "$pki.log"; fail 'quickstart'; }
  # shellcheck disable=SC1091
  source "$pki/env"
  host=127.0.0.1
  port=${NFPKI_CMP_URL#http://127.0.0.1:}
  port=${port%%/*}
  path=/${NFPKI_CMP_URL#http://*/}
}

pki_end() {
  local status=$?
  if [[ $status -ne 0 ]]; then
    tail -n 20 "$pki"/log/nfpki-*.log 2>/dev/null || true
  fi
  "$root_dir/ceremony/quickstart.sh" --dir "$pki" --remove >/dev/null 2>&1 || true
  rm -rf "$pki" "$pki.log"
  return "$status"
}

cactl() { "$bin/nfpki-cactl" --socket "$pki/run/ca-admin.sock" "$@"; }
ractl() { "$bin/nfpki-ractl" --socket "$pki/run/ra-admin.sock" "$@"; }
audit() { published; "$bin/nfpki-audit" --ledger "$pki/ledger" --key "$pki/log.vkey" "$@"; }
leaves() { # what is in the record, but what the RA says of itself, which comes at any time
  audit verify >verified.txt
  awk '{ if (match($0, /size[^0-9]*[0-9]+/)) { t = substr($0, RSTART, RLENGTH); gsub(/[^0-9]/, "", t); if (!size) size = t }
    if (match($0, /RA-REPORT +[0-9]+/)) { t = substr($0, RSTART, RLENGTH); gsub(/[^0-9]/, "", t); reports = t } }
    END { print size - reports }' verified.txt
}
kill_daemon() { kill -9 "$(<"$pki/$1.pid")"; } # kill_daemon ca|ra
runs() { [[ -s $pki/$1.pid ]] && running "$(<"$pki/$1.pid")"; } # runs ca|ra
connections() { grep -c '"event":"ra-connected"' "$pki/log/nfpki-ca.log" || true; }
start_daemon() { # start_daemon ca|ra [OPTION]: when both run, also until the RA knows that the CA is there
  local before=0 i
  [[ $1 == ra ]] || before=$(connections)
  "$pki/start" "$@" || return
  for ((i = 0; i < 600; i++)); do
    runs ca && runs ra || return 0
    if [[ $1 == ra || $(connections) -gt $before ]]; then
      ractl status 2>/dev/null | finds '^CA  *down' || return 0
    fi
    sleep 0.05
  done
}
stop_daemon() { # stop_daemon ca|ra: in order, as a service manager does
  end_process "$(<"$pki/$1.pid")" || fail "nfpki-$1 does not stop"
}
restart() { # restart ca|ra: in order, with what its configuration says now
  stop_daemon "$1"
  start_daemon "$1"
}
edit_rows() { # edit_rows SQL: in the ra.db of an RA that was stopped in order, and starts as the first one that seals
  rm "$pki/ra/state/ra.db-seal"
  sqlite3 -cmd '.timeout 5000' "$pki/ra/state/ra.db" "$1"
  start_daemon ra --seal
}
close_ra() { # after a kill: its WAL comes into the file, where anybody can read it
  start_daemon ra
  stop_daemon ra
}
restart_both() {
  stop_daemon ra
  restart ca
  start_daemon ra
}

# registration NAME TYPE CERTIFICATES PROOF-JSON [MEMBER-JSON]: writes and signs $pki/oam/NAME.p7s
registration() {
  local name=$1 type=$2 domain=5gc.mnc012.mcc345.3gppnetwork.org
  cat >"$pki/oam/$name.json" <<JSON
{"version":1,"nfInstanceId":"$(</proc/sys/kernel/random/uuid)","nfTypes":["$type"],
 "fqdns":["$name.${type,,}.$domain"],"homeDomain":"$domain","country":"SE",
 "profiles":[{"name":"nf-tls","maxValidityDays":2},{"name":"nf-tls-client","maxValidityDays":2},
             {"name":"nf-tls-server","maxValidityDays":2}],
 "notBefore":"$(date -u -d '-1 minute' +%Y-%m-%dT%H:%M:%SZ)",
 "notAfter":"$(date -u -d '+1 day' +%Y-%m-%dT%H:%M:%SZ)","certificates":$3,"proof":$4}
JSON
  sign_registration "$name"
}

sign_registration() {
  openssl cms -sign -binary -nodetach -md sha256 -in "$pki/oam/$1.json" -outform DER \
    -signer "$pki/oam/registrar.pem" -inkey "$pki/oam/registrar.key" -out "$pki/oam/$1.p7s"
}
# cancellation ID [SIGNER]: $pki/oam/cancel-ID.p7s, what the registrar (or oam/SIGNER) signs to end a registration
cancellation() {
  "$bin/nfpki-ractl" cancellation "$1" >"$pki/oam/cancel-$1.json"
  openssl cms -sign -binary -nodetach -md sha256 -in "$pki/oam/cancel-$1.json" -outform DER \
    -signer "$pki/oam/${2:-registrar}.pem" -inkey "$pki/oam/${2:-registrar}.key" -out "$pki/oam/cancel-$1.p7s"
}
# cancel ID: signed and handed in
cancel() {
  cancellation "$1"
  ractl cancel "$pki/oam/cancel-$1.p7s"
}

# register NAME TYPE CERTIFICATES: by shared secret; sets $reference, $secret and $registration_id
register() {
  local answer
  registration "$1" "$2" "$3" '{"kind":"mac"}'
  answer=$(ractl register --json "$pki/oam/$1.p7s")
  reference=$(sed -nE 's/.*"reference": *"([^"]*)".*/\1/p' <<<"$answer")
  secret=$(sed -nE 's/.*"secret": *"([^"]*)".*/\1/p' <<<"$answer")
  registration_id=$(openssl dgst -sha256 -r "$pki/oam/$1.p7s" | cut -c1-32)
  [[ -n $reference && -n $secret ]] || fail "register $1: $answer"
}

new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }

# cmp ARGUMENT...: the real client against our RA
cmp() { openssl cmp -server "$host:$port" -path "$path" -trusted "$NFPKI_TRUST" "$@"; }

# initial NAME: $pki/NAME.{key,pem}, an initial certificate from a vendor's CA ($pki/vendor.pem); sets
# $fingerprint
initial() {
  if [[ ! -f $pki/vendor.pem ]]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj /O=Vendor/CN=Root -days 2 \
      -addext keyUsage=critical,keyCertSign -keyout "$pki/vendor.key" -out "$pki/vendor.pem" 2>/dev/null
  fi
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj "/O=Vendor/CN=$1" -days 2 \
    -CA "$pki/vendor.pem" -CAkey "$pki/vendor.key" -addext basicConstraints=critical,CA:FALSE \
    -addext keyUsage=critical,digitalSignature -keyout "$pki/$1.key" -out "$pki/$1.pem" 2>/dev/null
  # shellcheck disable=SC2034
  fingerprint=$(openssl x509 -in "$pki/$1.pem" -outform DER | sha256sum | cut -d' ' -f1)
}
