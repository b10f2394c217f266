#!/usr/bin/env bash
# The three signers as services of users of their own: a network function enrols, a signer that goes away is waited
# for, and whoever owns nfpki-ca or nfpki-ra reaches neither PIN nor token nor journal.
# Two users are real when root runs this; else all have the same one, which log and status must say.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
signers=()
stop_signers() {
  local pid
  for pid in "${signers[@]}"; do
    end_process "$pid" || kill -9 "$pid" 2>/dev/null || true
  done
}
pki_start
trap 'stop_signers; pki_end' EXIT
stop_daemon ra
stop_daemon ca

if [[ $(id -u) -eq 0 ]]; then
  real=yes ca=61011 ra=61012 ca_signer=61001 ra_signer=61002
else
  real=no ca=$(id -u) ra=$(id -u) ca_signer=$(id -u) ra_signer=$(id -u)
fi
as() { # as USER[,GROUP] COMMAND...: becomes that user for good
  local user=${1%%,*} groups=$1
  shift
  if [[ $real == yes ]]; then
    exec setpriv --reuid "$user" --regid "$user" --groups "$groups" --no-new-privs "$@"
  fi
  exec "$@"
}
own() { # own USER[:GROUP] MODE FILE...: with what is in it
  local user=$1 mode=$2
  shift 2
  chmod "$mode" "$@"
  [[ $real == no ]] || chown -R "$user" "$@"
}

# ---- what belongs to whom ------------------------------------------------------------------------

mkdir -p "$pki/bin" "$pki/run/issuing" "$pki/run/log" "$pki/run/ra"
cp "$bin"/nfpki-{ca,ra,signer} "$pki/bin" # the build's folder may be closed to others
chmod 711 "$pki"
chmod 755 "$pki/bin" "$pki/ca" "$pki/ra" "$pki/bin"/*
chmod -R a+rX "$pki/ceremony"
chmod 1777 "$pki/run"
for side in ca ra; do
  user=${side}_signer
  mkdir "$pki/$side/journal"
  mv "$pki/$side"/state/*.journal "$pki/$side/journal"
  own "${!user}" 700 "$pki/$side"/{tokens,credentials,journal}
  own "${!user}" 600 "$pki/$side/softhsm2.conf"
  own "${!side}" 700 "$pki/$side/state"
  chmod 644 "$pki/$side"/nfpki-*.conf
done
own "$ca" 755 "$pki/crl" "$pki/ledger"
chmod 644 "$pki/ra/ra.pem"
for name in issuing log ra; do
  side=ca
  [[ $name != ra ]] || side=ra
  user=${side}_signer
  own "${!user}:${!side}" 2710 "$pki/run/$name" # a socket there gets the client's group
  sed -i "s,^journal = .*,journal = \"$pki/$side/journal/$name.journal\"\nclient_user = \"${!side}\"," \
    "$pki/$side/$name-signer.conf"
  chmod 644 "$pki/$side/$name-signer.conf"
done
sed -i -e "s,^issuing_policy = .*,issuing_socket = \"$pki/run/issuing/signer.sock\"," \
  -e "s,^log_policy = .*,log_socket = \"$pki/run/log/signer.sock\"," -e '/^signer_program/d' \
  -e "s/^link_users = .*/link_users = {\"$ra\"}/" "$pki/ca/nfpki-ca.conf"
sed -i -e "s,^signer_policy = .*,signer_socket = \"$pki/run/ra/signer.sock\"," -e '/^signer_program/d' "$pki/ra/nfpki-ra.conf"

# ---- processes -----------------------------------------------------------------------------------

lines() { grep -c "\"event\":\"$2\"" "$pki/log/$1.log" 2>/dev/null || true; } # lines LOG EVENT
wait_line() { # wait_line LOG EVENT COUNT
  local i
  for ((i = 0; i < 1200; i++)); do
    [[ $(lines "$1" "$2") -lt $3 ]] || return 0
    sleep 0.05
  done
  tail -n 5 "$pki/log/$1.log"
  fail "$1 does not say $2"
}
start() { # start NAME USER PROGRAM ARGUMENT...: in the background; $! is its process
  local name=$1 user=$2
  shift 2
  (as "$user" "$@") >>"$pki/log/$name.log" 2>&1 </dev/null &
}
declare -A signer_pid
start_signer() { # start_signer NAME
  local name=$1 side=ca user before
  [[ $name != ra ]] || side=ra
  user=${side}_signer
  before=$(lines "signer-$name" session-ready)
  start "signer-$name" "${!user}" env -u SOFTHSM2_CONF CREDENTIALS_DIRECTORY="$pki/$side/credentials" \
    "$pki/bin/nfpki-signer" --policy "$pki/$side/$name-signer.conf" --listen "$pki/run/$name/signer.sock"
  signer_pid[$name]=$!
  signers+=("$!")
  wait_line "signer-$name" session-ready $((before + 1))
}
start_service() { # start_service ca|ra: which has no credentials and no token
  local side=$1 groups=$1 before
  groups=${!side}
  [[ $side != ra ]] || groups=$ra,$ca # the link's socket has the CA's group
  before=$(lines "nfpki-$side" ready)
  start "nfpki-$side" "$groups" env -u SOFTHSM2_CONF -u CREDENTIALS_DIRECTORY \
    "$pki/bin/nfpki-$side" --config "$pki/$side/nfpki-$side.conf"
  echo "$!" >"$pki/$side.pid"
  wait_line "nfpki-$side" ready $((before + 1))
}
session_of() { sed -nE 's/.*"session-ready","text":"process ([0-9]+)".*/\1/p' "$pki/log/signer-$1.log" | tail -n 1; }

enrol() { # enrol NAME
  register "$1" AMF 1
  new_key "$pki/$1.key"
  cmp -cmd ir -ref "$reference" -secret "pass:$secret" -subject /CN=x -newkey "$pki/$1.key" -certout "$pki/$1.pem" \
    >"$pki/$1.log" 2>&1 || { cat "$pki/$1.log"; return 1; }
  openssl verify -CAfile "$NFPKI_TRUST" -untrusted "$pki/ceremony/sub-issue/issuing.cert.pem" "$pki/$1.pem"
}

rm -f "$pki"/log/nfpki-*.log
for name in issuing log ra; do
  start_signer "$name"
done
start_service ca
start_service ra
for name in issuing log ra; do
  expect "socket of $name" 660 "$(stat -c %a "$pki/run/$name/signer.sock")"
done

# ---- an enrolment, and what is said of the signers -------------------------------------------------

enrol first
# the log's, and the issuing key's: of all of them, and of each
apart=$(cactl status | grep -oE '"apart": *(true|false)' | grep -oE 'true|false' | sort | uniq -c | sed 's/^ *//')
if [[ $real == yes ]]; then
  expect 'signers apart' '3 true' "$apart"
  expect 'the CA is silent about them' 0 "$(lines nfpki-ca signer-within-reach)"
  expect 'the RA too' 0 "$(lines nfpki-ra signer-within-reach)"
else
  expect 'signers apart' '3 false' "$apart"
  expect 'the CA says so' 2 "$(lines nfpki-ca signer-within-reach)"
  expect 'the RA too' 1 "$(lines nfpki-ra signer-within-reach)"
fi

# ---- out of reach --------------------------------------------------------------------------------

may() { (as "$@") >/dev/null 2>&1; } # may USER COMMAND...
for side in ca ra; do
  user=${side}_signer
  files=("$pki/$side"/credentials/*.pin "$pki/$side"/journal/*.journal "$pki/$side/softhsm2.conf"
    "$(find "$pki/$side/tokens" -name '*.object' | sed -n 1p)")
  [[ ${#files[@]} -eq $([[ $side == ca ]] && echo 5 || echo 4) && -s ${files[-1]} ]] || fail "files of the $side signer: ${files[*]}"
  for file in "${files[@]}"; do
    may "${!user}" cat "$file" || fail "$file cannot be read by its own user"
    case $real in
      yes) ! may "${!side}" cat "$file" || fail "$file can be read by nfpki-$side" ;;
      no)
        [[ $(stat -c %a "$file") == 600 ]] || [[ $(stat -c %a "$(dirname "$file")") == 700 ]] || fail "$file is open to others"
        ;;
    esac
  done
  [[ $real == no ]] || ! may "${!side}" ls "$pki/$side/tokens" || fail "nfpki-$side sees the token's folder"
done
if [[ $real == yes ]]; then
  session=$(session_of issuing)
  for pid in "${signer_pid[issuing]}" "$session"; do
    may "$ca_signer" kill -0 "$pid" || fail "process $pid is not the signer's"
    ! may "$ca" kill -0 "$pid" || fail 'nfpki-ca can send its signer signals'
    ! may "$ca" cat "/proc/$pid/mem" "/proc/$pid/environ" || fail 'nfpki-ca can look into its signer'
  done
  # nor does it get a signer of its own going, or the RA to the CA's signers
  ! may "$ca" env CREDENTIALS_DIRECTORY="$pki/ca/credentials" \
    "$pki/bin/nfpki-signer" --policy "$pki/ca/issuing-signer.conf" || fail 'nfpki-ca starts a signer'
  may "$ca" test -w "$pki/run/issuing/signer.sock" || fail 'nfpki-ca cannot connect'
  ! may "$ra" test -w "$pki/run/issuing/signer.sock" || fail 'nfpki-ra can connect to the issuing signer'
  ! may "$ca" rm "$pki/run/issuing/signer.sock" || fail 'nfpki-ca can replace the socket'
  echo 'ok: PIN, token, journal and process of the signers are out of reach'
fi

# ---- signers that go away ------------------------------------------------------------------------

# away NAME LOG EVENT: its supervisor is killed; an enrolment waits and goes on when it is there again
away() {
  local name=$1 rest waiting before i
  kill -9 "${signer_pid[$name]}"
  wait "${signer_pid[$name]}" 2>/dev/null || true
  rest=$(session_of "$name")
  for ((i = 0; i < 400; i++)); do
    running "$rest" || break
    sleep 0.05
  done
  ! running "$rest" || fail "the session of $name outlives its supervisor"
  before=$(lines "$2" "$3")
  enrol "without-$name" & # is told to wait, and polls
  waiting=$!
  wait_line "$2" "$3" $((before + 1))
  kill -0 "$waiting" || fail "the enrolment did not wait for the signer of $name"
  start_signer "$name"
  wait "$waiting" || fail "an enrolment while the signer of $name was away"
  echo "ok: an enrolment without $name waited for it"
}
away issuing nfpki-ca not-signed
away log nfpki-ca checkpoint-not-signed
away ra nfpki-ra not-wrapped

for name in issuing log ra; do # the supervisor starts another session
  before=$(lines "signer-$name" session-ready)
  kill -9 "$(session_of "$name")"
  wait_line "signer-$name" session-ready $((before + 1))
  enrol "after-$name"
done
audit verify

# ---- the end -------------------------------------------------------------------------------------

stop_daemon ra
stop_daemon ca
stop_signers
signers=()
for name in issuing log ra; do
  [[ ! -e $pki/run/$name/signer.sock ]] || fail "the socket of $name is left over"
  ! running "$(session_of "$name")" || fail "the session of $name is left over"
done
audit verify
