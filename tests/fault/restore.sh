#!/usr/bin/env bash
# The restore drill: the CA's database is put back to a copy from before, or lost, and what it lost is read back
# from the published ledger when two officers have signed the plan of it. Killed before each of its steps it
# leaves the state from before or the new one, and a second run finishes.
#   tests/fault/restore.sh BIN          (NFPKI_RESTORE_ALL=1: each step, and with a database that is lost, too)
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"

serial() { openssl x509 -in "$1" -noout -serial | cut -d= -f2; }
crl_number() { printf '%d' "$(openssl crl -inform DER -in crl/issuing.crl -noout -crlnumber | cut -d= -f2)"; }
on_crl() { openssl crl -inform DER -in crl/issuing.crl -noout -text | finds "Serial Number: $(serial "$1")"; }
enrol() { # enrol NAME [ARGUMENT...]: $pki/NAME.{key,pem}
  local name=$1
  register "$name" AMF 1
  new_key "$name.key"
  cmp -cmd ir -ref "$reference" -secret "pass:$secret" -subject /CN=x -newkey "$name.key" -certout "$name.pem" "${@:2}" \
    2>"$name.log" || fail "enrol $name: $(<"$name.log")"
}
links() { grep -c '"event":"link-up"' log/nfpki-ra.log; }
start_ca() { # and its RA is connected with it (again)
  local before
  before=$(links)
  start_daemon ca
  running "$(<ra.pid)" || start_daemon ra
  for _ in $(seq 400); do
    [[ $(links) -gt $before ]] && return
    sleep 0.05
  done
  fail 'the RA does not connect'
}
officer() { # officer FILE NAME [PROFILE]
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj /CN=x -keyout "$1.key" -out "$1.csr" 2>/dev/null
  cactl issue --profile "${3:-officer}" --subject-cn "$2" --days 3 "$1.csr" >"$1.pem"
}
on_ca() { SOFTHSM2_CONF="$pki/ca/softhsm2.conf" CREDENTIALS_DIRECTORY="$pki/ca/credentials" "$@"; }
restore() { on_ca "$bin/nfpki-ca" --restore --config ca/nfpki-ca.conf "$@"; }
wrong() { # wrong STATUS 'TEXT' COMMAND...
  local wanted=$1 text=$2 status=0
  shift 2
  "$@" >wrong.out 2>&1 || status=$?
  [[ $status -eq $wanted ]] || fail "$*: exit status $status instead of $wanted: $(<wrong.out)"
  grep -qF -- "$text" wrong.out || fail "$*: does not say '$text': $(<wrong.out)"
  echo "ok: $text"
}
sign() { # sign OFFICER: $pki/OFFICER.p7s
  rm -f "$1.p7s"
  "$bin/nfpki-cactl" sign --certificate "$1.pem" --key "$1.key" --out "$1.p7s" --yes plan.json 2>sign.log || fail "sign: $(<sign.log)"
}
plan() { # the plan, signed by alice and bob
  restore >plan.json 2>plan.log || fail "plan: $(<plan.log)"
  sign alice
  sign bob
}
figure() { jq -r "$1" plan.json; }

# A profile that officers approve, so that something waits when the window is lost.
cp "$root_dir/ca/x509/nfpki-profiles.conf" profiles.conf
cat >>profiles.conf <<'CONF'
profile "nf-approved" {
    key_usage = {"digitalSignature"}
    extended_key_usage = {"serverAuth", "clientAuth"}
    server = true
    keys = {"P-256"}
    max_validity_days = 30
    approvals = 2
}
CONF
printf 'profiles = "%s"\napproval_check_after = 1\n' "$pki/profiles.conf" >>ca/nfpki-ca.conf
printf 'profiles = "%s"\n' "$pki/profiles.conf" >>ra/nfpki-ra.conf
restart_both
apply() { # apply NAME: a client that polls for a certificate of that profile; sets $client and $rid
  registration "$1" AMF 1 '{"kind":"mac"}'
  sed -i 's/nf-tls-client/nf-approved/' "oam/$1.json"
  sign_registration "$1"
  ractl register --json "oam/$1.p7s" >"$1.answer"
  registration_id=$(openssl dgst -sha256 -r "oam/$1.p7s" | cut -c1-32)
  new_key "$1.key"
  openssl cmp -cmd ir -server "$host:$port" -path /.well-known/cmp/p/nf-approved -trusted "$NFPKI_TRUST" \
    -ref "$(jq -r .reference "$1.answer")" -secret "pass:$(jq -r .secret "$1.answer")" -subject /CN=x \
    -newkey "$1.key" -certout "$1.pem" -total_timeout 600 >"$1.log" 2>&1 &
  client=$!
  for _ in $(seq 200); do
    rid=$(cactl pending --json | jq -r --arg id "$registration_id" '.[] | select(.registration == $id).rid')
    [[ -n $rid ]] && return
    sleep 0.05
  done
  fail "nothing waits: $(cactl pending)"
}

# ---- yesterday ----
officer alice 'Alice Andersson'
officer bob 'Bob Bengtsson'
officer mallory 'Mallory Malm'
officer second 'Second OAM' registrar
enrol a
enrol b
enrol i
enrol cancelled
cancelled_id=$registration_id
initial pinned # what it is registered by comes back, too
registration pinned AMF 1 "{\"kind\":\"certificate\",\"sha256\":\"$fingerprint\"}"
ractl register oam/pinned.p7s >/dev/null
new_key p.key
cmp -cmd ir -cert pinned.pem -key pinned.key -subject /CN=x -newkey p.key -certout p.pem 2>p.log || fail "p: $(<p.log)"
stop_daemon ca
cp -a ca/state yesterday
cp -a ledger ledger.yesterday
start_ca

# ---- the window that gets lost ----
enrol c
enrol d -implicit_confirm
enrol gone
new_key a2.key
cmp -cmd kur -cert a.pem -key a.key -newkey a2.key -certout a2.pem 2>/dev/null || fail 'kur'
apply approved
for who in alice bob; do
  cactl approve --certificate "$who.pem" --key "$who.key" --yes "$rid" >/dev/null 2>approve.log || fail "$(<approve.log)"
done
wait "$client" || fail "approved: $(<approved.log)"
apply waits
disown "$client"
kill "$client"
cmp -cmd rr -cert i.pem -key i.key -oldcert i.pem -revreason 1 2>rr.log || fail "rr: $(<rr.log)"
cancel "$cancelled_id" >/dev/null
register unwanted AMF 1
new_key unwanted.key
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj /CN=other -keyout x.key -out other.pem -days 2 2>/dev/null
if cmp -cmd ir -ref "$reference" -secret "pass:$secret" -subject /CN=x -newkey unwanted.key -certout unwanted.pem \
  -out_trusted other.pem 2>unwanted.log; then
  fail 'a certificate of another CA than it trusts was taken'
fi
register unused AMF 1
unused_reference=$reference unused_secret=$secret
cactl revoke "$(serial b.pem)" --reason keyCompromise >/dev/null
cactl revoke "$(serial mallory.pem)" --reason cessationOfOperation >/dev/null
cactl revoke "$(serial gone.pem)" --reason superseded >/dev/null
officer carol 'Carol Carlsson'
published
ractl export-certificates --output known.pem 2>export.log || fail "export: $(<export.log)" # the CA may be gone: the RA answers alone
stop_daemon ra
stop_daemon ca
before=$(crl_number)
cp -a ra/state ra.today
cp -a ca/state today
cp -a ledger ledger.today
cp -a crl crl.today
cp -a ca/tokens tokens.today
audit verify >verify.out
leaves=$(sed -nE 's/^ *size *([0-9]+) leaves/\1/p' verify.out)
messages_there() { sed -nE 's/^ *messages .*: ([0-9]+) there.*/\1/p' verify.out; }
messages=$(messages_there)

back_to() { # back_to STATE: the CA's database as in that copy; "lost": none. Journals and ledger stay
  rm -rf ca/state/ca.db*
  [[ $1 == lost ]] || cp -a "$1"/ca.db* ca/state/
}
refuses() {
  local status=0
  on_ca "$bin/nfpki-ca" --config ca/nfpki-ca.conf >refuses.log 2>&1 || status=$?
  [[ $status -eq 3 ]] || fail "a start with the older state: status $status: $(<refuses.log)"
}

wrong 1 'nothing is lost, start nfpki-ca' restore
back_to yesterday
refuses
plan
expect 'leaves of the ledger' "$leaves" "$(figure .log.leaves)"
expect 'certificates to read back: c, d, gone, approved, unwanted, a2, carol' 7 "$(figure '."read back".certificates')"
expect 'registrations: c, d, gone, approved, waits, unwanted, unused' 7 "$(figure '."read back".registrations')"
expect 'revocations: b, a (superseded), mallory, gone, i, cancelled, unwanted' 7 "$(figure '."read back".revocations')"
expect 'one-time secrets that are void: unused, waits' 2 "$(figure .void)"
expect 'on trust, of a file that has its seals' '' "$(figure '."on trust"')"
expect 'requests that waited' 1 "$(figure .refused)"

# ---- what does not count ----
sign second; sign mallory
cp alice.p7s copy.p7s
wrong 1 'of one person' restore --approval alice.p7s --approval copy.p7s
wrong 1 'is no officer' restore --approval alice.p7s --approval second.p7s
wrong 1 'or is revoked' restore --approval mallory.p7s --approval bob.p7s
wrong 2 'usage' restore --approval alice.p7s
sed -i 's/"void": 2/"void": 0/' plan.json; sign bob
wrong 1 'not the plan of this state' restore --approval alice.p7s --approval bob.p7s
plan
refuses
edit() { python3 -c 'import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.executescript(sys.argv[2])' ca/state/ca.db "$1"; }
edit "DELETE FROM public_key"
wrong 3 'is not believed: move it away, and keep it' restore --approval alice.p7s --approval bob.p7s
back_to yesterday
rm ca/state/ca.db-seal
wrong 3 'by the ledger it has' restore --approval alice.p7s --approval bob.p7s
back_to yesterday
plan

# ---- it works ----
check_restored() {
  start_ca
  audit verify >verify.out || fail "audit: $(<verify.out)"
  grep -q 'RESTORED 1' verify.out || fail "no RESTORED leaf: $(<verify.out)"
  [[ $(messages_there) -ge $messages ]] || fail "messages that were published are not: $(<verify.out)"
  grep -Eq 'open intents +0' verify.out || fail "open intents: $(<verify.out)"
  [[ $(crl_number) -gt $before ]] || fail "the CRL's number is $(crl_number), and $before was out"
  for ended in a b mallory gone i cancelled; do
    on_crl "$ended.pem" || fail "$ended.pem is not on the CRL"
  done
  on_crl c.pem && fail 'c.pem is on the CRL'
  return 0
}
restore --approval alice.p7s --approval bob.p7s >done.json 2>restore.log || fail "$(<restore.log)"
diff plan.json done.json || fail 'another plan was done than the one that was signed'
check_restored
echo 'ok: read back; the auditor agrees, what is revoked is on a CRL with a greater number'
new_key c2.key
cmp -cmd kur -cert c.pem -key c.key -newkey c2.key -certout c2.pem 2>renew.log || fail "c does not renew: $(<renew.log)"
new_key d2.key
cmp -cmd kur -cert d.pem -key d.key -newkey d2.key -certout d2.pem 2>renew.log || fail "d does not renew: $(<renew.log)"
echo 'ok: network functions of the lost window renew'
new_key unused.key
if cmp -cmd ir -ref "$unused_reference" -secret "pass:$unused_secret" -subject /CN=x -newkey unused.key -certout unused.pem \
  2>void.log; then
  fail 'a one-time secret of the lost window was taken'
fi
echo "ok: a one-time secret of the lost window is void"
new_key taken.key
enrol e
echo 'ok: another one enrols'
stop_daemon ca
start_ca
audit verify >/dev/null || fail 'audit after another start'

# ---- killed before each step ----
mapfile -t steps < <(sed -nE '/^static step \*const (PLAN|DO)/,/;/p' "$root_dir/ca/restore/restore.c" | grep -oE 'step_[a-z_]+')
[[ ${#steps[@]} -ge 13 ]] || fail "the table of steps is not read: ${steps[*]}"
today() { # as it was when the window was lost
  stop_daemon ra 2>/dev/null || true
  stop_daemon ca 2>/dev/null || true
  rm -rf ledger crl ca/state ca/tokens ra/state
  cp -a ra.today ra/state # with the checkpoint that it remembers
  cp -a tokens.today ca/tokens
  cp -a ledger.today ledger
  cp -a crl.today crl
  cp -a today ca/state
  back_to "$1"
}
same_leaves() { # as before: no more and no fewer leaves (that a start refuses them is shown above)
  local wanted=0
  [[ $state == lost ]] || wanted=$(sqlite "$state/ca.db")
  [[ $state == lost && ! -e ca/state/ca.db ]] || expect 'leaves, as before' "$wanted" "$(sqlite ca/state/ca.db)"
}
sqlite() { python3 -c 'import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute("SELECT count(*) FROM leaf").fetchone()[0])' "$1"; }
kill_at() { # kill_at FUNCTION [CALLS]: before that function runs, or runs again after so many calls
  on_ca gdb -q -nx -batch -ex "break $1" -ex "ignore 1 ${2-0}" -ex run -ex kill --args "$bin/nfpki-ca" --restore --config ca/nfpki-ca.conf \
    --approval alice.p7s --approval bob.p7s >gdb.log 2>&1 </dev/null || true
  grep -q "Breakpoint 1, $1 " gdb.log || { cat gdb.log; fail "$1: was not reached"; }
}
copy_is_no_database() { # what no officer signed yet was written by nfpki-ca, and is not started with
  local part status=0
  cp -a ca/state copy.state
  rm -f ca/state/ca.db ca/state/ca.db-seal ca/state/ca.db-wal
  for part in '' -seal -wal; do
    [[ ! -e ca/state/ca.db.restore$part ]] || mv "ca/state/ca.db.restore$part" "ca/state/ca.db$part"
  done
  on_ca "$bin/nfpki-ca" --config ca/nfpki-ca.conf >refuses.log 2>&1 || status=$?
  expect 'status of a start with the copy' 1 "$status"
  grep -q 'ca.db is the database of another program' refuses.log || fail "the copy: $(<refuses.log)"
  rm -rf ca/state
  mv copy.state ca/state
}
lost='yesterday lost'
if [[ -z ${NFPKI_RESTORE_ALL-} ]]; then
  lost=yesterday
  steps=("${steps[@]: -10}") # those before change nothing but the WAL
fi
for state in $lost; do
  today "$state"
  plan
  for step in "${steps[@]}"; do
    today "$state"
    kill_at "$step"
    if [[ $step == step_record ]]; then
      copy_is_no_database
    fi
    if [[ $step == step_tell ]]; then
      wrong 1 'nothing is lost, start nfpki-ca' restore --approval alice.p7s --approval bob.p7s
    else
      same_leaves
      restore --approval alice.p7s --approval bob.p7s >done.json 2>restore.log || fail "$step: $(<restore.log)"
    fi
    echo "ok: $state, killed before ${step#step_}"
  done
  check_restored
done

# ---- killed between the two files that take their places ----
for ((renamed = 0; renamed <= 2; renamed++)); do
  today yesterday
  plan
  kill_at rename_one "$renamed"
  if [[ $renamed -lt 2 ]]; then
    state=yesterday same_leaves
    restore --approval alice.p7s --approval bob.p7s >done.json 2>restore.log || fail "rename $renamed: $(<restore.log)"
  fi
  check_restored
  [[ ! -e ca/state/ca.db-seal.restored ]] || fail 'the swap did not come to its end'
  echo "ok: killed when $renamed files had their new names"
done

# ---- nothing is left of it, and relying parties have a newer CRL ----
today lost
plan
expect 'leaves that are left' 0 "$(figure .database.leaves)"
expect 'of the CRL alone' 0 "$(figure '."from the CRL"')"
restore --approval alice.p7s --approval bob.p7s >done.json 2>restore.log || fail "lost: $(<restore.log)"
rows=$(python3 "$root_dir/tests/support/restored_rows.py" today/ca.db ca/state/ca.db) || fail "rows: $rows"
echo "ok: rows are what they were, but for what no leaf has: $rows"
check_restored
enrol f
new_key b2.key
if cmp -cmd kur -cert b.pem -key b.key -newkey b2.key -certout b2.pem 2>renew.log; then
  fail 'what is revoked renews'
fi
echo 'ok: without a database everything is read back'
cactl revoke "$(serial c.pem)" --reason keyCompromise >/dev/null
cp crl/issuing.crl newer.crl
newer=$(crl_number)
today yesterday
cp newer.crl crl/issuing.crl
plan
expect 'of the CRL alone: c' 1 "$(figure '."from the CRL"')"
restore --approval alice.p7s --approval bob.p7s >done.json 2>restore.log || fail "newer CRL: $(<restore.log)"
start_ca
[[ $(crl_number) -gt $newer ]] || fail "the CRL's number is $(crl_number), and $newer was out"
on_crl c.pem || fail 'what the newest CRL had is not on the next'
audit verify >/dev/null || fail 'the auditor, of what a CRL had'
echo 'ok: what only the newest published CRL has comes back as a revocation'

# ---- leaves that nobody has any more: the log is at its end, and a new one goes on ----
today yesterday
rm -rf ledger
cp -a ledger.yesterday ledger
status=0
on_ca "$bin/nfpki-ca" --config ca/nfpki-ca.conf >refuses.log 2>&1 || status=$?
expect 'status of a start with neither database nor ledger of today' 3 "$status"
signed=$(sed -nE "s/.*journal ends at ([0-9]+), root ([^ :]+):.*/\1:\2/p" refuses.log)
[[ $signed == "$leaves":* ]] || fail "what was signed: '$signed' of $(<refuses.log)"
wrong 3 'missing for good' restore
mkdir -p log2/tokens log2/credentials log2/state ledger2
chmod 700 log2 log2/tokens log2/credentials
sed "s|$pki/ca/|$pki/log2/|" ca/softhsm2.conf >log2/softhsm2.conf
sed -e '/^key "issuing"/,/^}/d' -e "s|$pki/ca/|$pki/log2/|; s|issuing-keys|log2-keys|; s|nfpki-issuing|nfpki-log2|" \
  ceremony/issuing-keys.conf >ceremony/log2-keys.conf
SOFTHSM2_CONF="$pki/log2/softhsm2.conf" CREDENTIALS_DIRECTORY="$pki/log2/credentials" \
  "$bin/nfpki-ceremony" rehearse ceremony/log2-keys.conf >ceremony2.log 2>&1 || fail "key-generate: $(<ceremony2.log)"
cp log2/credentials/nfpki-log2.pin ca/credentials/
origin=$(sed -nE 's/^ *origin = "(.*)"/\1/p' ca/log-signer.conf)
for file in ca/log-signer.conf ca/issuing-signer.conf ca/nfpki-ca.conf; do cp "$file" "$file.old"; done
keys=ceremony/log2-keys
sed -i -e "s|^module_config = .*|module_config = \"$pki/log2/softhsm2.conf\"|; s|^token = .*|token = \"nfpki-log2\"|" \
  -e "s|^serial = .*|serial = \"$(<$keys/nfpki-log2.serial)\"|; s|^key_id = .*|key_id = \"$(<$keys/log.id)\"|" \
  -e "s|^public_key = .*|public_key = \"$pki/$keys/log.spki.pem\"|; s|^credential = .*|credential = \"nfpki-log2.pin\"|" \
  -e "s|^journal = .*|journal = \"$pki/log2/state/log.journal\"|; s|\"$origin\"|\"$origin/2\"|" \
  -e "s|^seal .*|seal { key_id = \"$(<$keys/seal.id)\" }|" ca/log-signer.conf
sed -i -e "s|\"$origin\"|\"$origin/2\"|; s|$pki/ceremony/issuing-keys/log.spki.pem|$pki/$keys/log.spki.pem|" ca/issuing-signer.conf
sed -i -e "s|\"$origin\"|\"$origin/2\"|; s|\"$pki/ledger\"|\"$pki/ledger2\"|" ca/nfpki-ca.conf
wrong 1 'it is sealed under another key' restore --old-ledger ledger --signed "$signed" # of the other token
back_to lost
new_log() { restore --adopt lost.pem --old-ledger ledger --signed "$signed" "$@"; }
cat known.pem carol.pem >lost.pem # what the RA has, and what a person has
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj /CN=x -keyout x.key -days 2 2>/dev/null |
  cat c.pem - >foreign.pem
wrong 1 'not signed by the issuing key' restore --adopt foreign.pem --old-ledger ledger --signed "$signed"
wrong 2 'SIZE:ROOT' restore --old-ledger ledger --signed "${signed%%:*}"
wrong 2 'usage' restore --old-ledger ledger
new_log >plan.json 2>plan.log || fail "plan: $(<plan.log)"
sign alice
sign bob
expect 'leaves of the log that is at its end' "$(sed -n 2p ledger/checkpoint)" "$(figure .log.leaves)"
expect 'leaves that its key had signed' "$leaves" "$(figure '."new log".signed')"
expect 'adopted: c, d, a2, approved, gone, unwanted, carol' 7 "$(figure .adopted.certificates)"
expect 'of the CRL alone: a, b, mallory, gone, i, cancelled, unwanted' 7 "$(figure '."from the CRL"')"
cp -a ledger ledger.frozen
new_log --approval alice.p7s --approval bob.p7s >done.json 2>restore.log || fail "new log: $(<restore.log)"
start_daemon ca
printf 'log_key = "%s"\n' "$pki/ledger2/log.vkey" >>ra/nfpki-ra.conf
start_daemon ra
published
"$bin/nfpki-audit" --ledger ledger2 --key ledger2/log.vkey verify >verify.out || fail "audit of the new log: $(<verify.out)"
grep -q 'RESTORED 1 ADOPTED 7' verify.out || fail "what the new log has: $(<verify.out)"
diff -r ledger ledger.frozen || fail 'the old log was changed'
"$bin/nfpki-audit" --ledger ledger --key log.vkey verify >/dev/null || fail 'the old log does not verify any more'
[[ $(crl_number) -gt $before ]] || fail "the CRL's number is $(crl_number), and $before was out"
for ended in a b mallory gone; do
  on_crl "$ended.pem" || fail "$ended.pem is not on the CRL"
done
cactl revoke "$(serial d.pem)" --reason keyCompromise >/dev/null || fail 'what was adopted is not revoked'
on_crl d.pem || fail 'd.pem is not on the CRL'
enrol h
restart ca
"$bin/nfpki-audit" --ledger ledger2 --key ledger2/log.vkey verify >/dev/null || fail 'audit of the new log, after another start'
echo 'ok: a new log goes on from the old one; what was adopted can be revoked'
