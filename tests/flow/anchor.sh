#!/usr/bin/env bash
# Two CAs on copies of one state, with one token: the first ends, and both say why. An older copy of
# everything but the token does not start. A policy can say that nothing is kept there.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"

anchor() { # anchor NAME: a figure of what the token knows
  cactl status | tr -d ' \n' | grep -oE '"anchor":\{[^}]*' | grep -oE "\"$1\":[0-9]+" | cut -d: -f2
}
says() { # says LOG PATTERN
  grep -q -- "$2" "$1" || { tail -n 5 "$1"; fail "$1 does not say: $2"; }
}
gone() { # gone PID: waits
  for _ in $(seq 6000); do
    running "$1" || return 0
    sleep 0.02
  done
  fail "process $1 goes on"
}
refused() { # refused TIMES PATTERN: nfpki-ca ends with status 3 and changes nothing
  local before after status
  before=$(find ca/state ledger crl -type f -exec sha256sum {} + | sort)
  for _ in $(seq "$1"); do
    status=0
    (
      export SOFTHSM2_CONF=$pki/ca/softhsm2.conf CREDENTIALS_DIRECTORY=$pki/ca/credentials
      exec "$bin/nfpki-ca" --config "$pki/ca/nfpki-ca.conf"
    ) >start.log 2>&1 || status=$?
    [[ $status -eq 3 ]] || { cat start.log; fail "a start ends with $status"; }
    says start.log "$2"
  done
  after=$(find ca/state ledger crl -type f -exec sha256sum {} + | sort)
  [[ $after == "$before" ]] || fail 'a start that is refused left a trace'
}

# ---- what is kept, and when ------------------------------------------------------------------------
# at the start; with a CRL; at the stop, and again by the next run
first=$(anchor generation)
[[ $first -ge 1 && $(anchor leaves) -ge 1 ]] || fail 'nothing is kept'
cactl crl >/dev/null
for _ in $(seq 500); do [[ $(anchor generation) -gt $first ]] && break; sleep 0.02; done
[[ $(anchor generation) -gt $first ]] || fail 'a CRL is not kept'
second=$(anchor generation)
restart ca
[[ $(anchor generation) -ge $((second + 2)) ]] || fail "generation $(anchor generation) after $second"

# ---- two CAs on one copy ---------------------------------------------------------------------------
cp -a ca/state ca-state.old && cp -a ledger ledger.old && cp -a crl crl.old # of a CA that stands still
mkdir -m 700 other
cp -a ca/state ledger crl other/
for file in nfpki-ca log-signer issuing-signer; do
  sed -e "s,$pki/ca/state,$pki/other/state,; s,$pki/ledger,$pki/other/ledger,; s,crl_dir = .*,crl_dir = \"$pki/other/crl\"," \
    -e "s,$pki/run/link,$pki/run/link-2,; s,$pki/run/ca-admin,$pki/run/ca-admin-2,; s,$pki/ca/\(log\|issuing\)-signer,$pki/other/\1-signer," \
    "ca/$file.conf" >"other/$file.conf"
done
SOFTHSM2_CONF=$pki/ca/softhsm2.conf CREDENTIALS_DIRECTORY=$pki/ca/credentials \
  "$bin/nfpki-ca" --config "$pki/other/nfpki-ca.conf" >other.log 2>&1 &
other=$!
for _ in $(seq 1500); do
  grep -q '"event":"ready"' other.log && break
  running "$other" || { cat other.log; fail 'the second CA does not start'; }
  sleep 0.02
done
# the second has taken the log over; the first finds it when it signs
says other.log '"event":"anchor-taken".* of run .* now; the run before was [0-9a-f]'
pid=$(<ca.pid)
cactl crl >/dev/null 2>&1 && fail 'the first CA signs still'
gone "$pid"
says log/nfpki-ca.log '"event":"anchor-lost".*another signer has taken this log over'
says log/nfpki-ca.log '"event":"stop","code":"stale".*another signer has taken this log over'
running "$other" || fail 'the second CA ended, too'
"$bin/nfpki-cactl" --socket "$pki/run/ca-admin-2.sock" crl >/dev/null || fail 'the second CA does not sign'
# and it does not come back beside it, nor behind it
refused 3 'knows a checkpoint'
end_process "$other" || fail 'the second CA does not stop'
refused 3 'knows a checkpoint'

# ---- an older copy of everything but the token -----------------------------------------------------
rm -rf ca/state ledger crl
cp -a other/state ca/state && cp -a other/ledger ledger && cp -a other/crl crl # what the token knows
start_daemon ca
restart ca
stop_daemon ca
rm -rf ca/state.new && mv ca/state ca-state.new && mv ledger ledger.new && mv crl crl.new
cp -a ca-state.old ca/state && cp -a ledger.old ledger && cp -a crl.old crl
refused 30 'knows a checkpoint of [0-9]* leaves, the journal ends at [0-9]*: this is an older copy'

# ---- a token that keeps nothing --------------------------------------------------------------------
sed -i "s/^log {/log {\n    anchor = \"none\"/" ca/log-signer.conf
stop_daemon ra  # which remembers, too, and a CA that it shows that to ends
start_daemon ca # which is what it gives up
says log/nfpki-ca.log '"event":"no-anchor"'
[[ $(cactl status | tr -d ' \n') == *'"anchor":"none"'* ]] || fail 'status does not say none'
stop_daemon ca
# with a token that remembers it does not go on from there
sed -i '/anchor = "none"/d' ca/log-signer.conf
refused 1 'knows a checkpoint of'
rm -rf ca/state ledger crl
mv ca-state.new ca/state && mv ledger.new ledger && mv crl.new crl
start_daemon ca
