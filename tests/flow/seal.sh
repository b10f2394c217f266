#!/usr/bin/env bash
# One-time secrets are sealed under a key that the RA's token derives: no file has it, another token is
# of no use, and what was sealed under a file in earlier times moves over.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"

enrol() { # enrol NAME REFERENCE SECRET
  new_key "$1.key"
  cmp -cmd ir -ref "$2" -secret "pass:$3" -subject /CN=x -newkey "$1.key" -certout "$1.pem" >"$1.log" 2>&1 ||
    fail "$1: $(cat "$1.log")"
}
refuses_to_start() { # refuses_to_start PATTERN [OPTION]
  local before
  before=$(wc -l <log/nfpki-ra.log)
  start_daemon ra "${@:2}" >/dev/null 2>&1 && fail "started: $1"
  tail -n "+$((before + 1))" log/nfpki-ra.log | finds -- "$1" || fail "$(tail -n 3 log/nfpki-ra.log)"
}

# nothing but the PIN is a file, and the secret is nowhere in the clear
[[ $(ls ra/credentials) == *nfpki-ra.pin* && ! -e ra/credentials/ra-seal-key ]] || fail "credentials: $(ls ra/credentials)"
register kept AMF 1
kept=("$reference" "$secret")
restart ra # also brings the WAL into the file
! grep -rqF "${kept[1]}" ra/state log || fail 'the secret is on the disk in the clear'
grep -rqF "${kept[0]}" ra/state || fail 'the search finds nothing at all'
enrol kept "${kept[@]}"

# the policy without the section, and no file
register later AMF 1
later=("$reference" "$secret")
cp ra/ra-signer.conf ra/with.conf
stop_daemon ra
sed -i '/^seal /d' ra/ra-signer.conf
refuses_to_start 'section seal'
# a key that is not there
sed 's/^seal .*/seal { key_id = "00000000000000000000000000000000" }/' ra/with.conf >ra/ra-signer.conf
refuses_to_start 'no secret key with CKA_ID'

# an RA of earlier times: a file seals
mv ra/state ra/state.token
mkdir -m 700 ra/state
cp ra/state.token/*.journal ra/state/
sed '/^seal /d' ra/with.conf >ra/ra-signer.conf
(umask 077 && openssl rand 32 >ra/credentials/ra-seal-key)
start_daemon ra
grep -q '"event":"seal-key-in-file"' log/nfpki-ra.log || fail 'no warning about the file'
ractl status | finds -Ex 'ra.db      no key, [0-9]+ pages' || fail "$(ractl status)"
register old AMF 1
old=("$reference" "$secret")
register older AMF 1
older=("$reference" "$secret")
# where nothing seals pages nothing is to be sealed
stop_daemon ra
refuses_to_start 'seal, and the RA.s signer gives no key' --seal
# it moves over at the first start with the section, when somebody says so, and the file can go
cp ra/with.conf ra/ra-signer.conf
cp -a ra/state ra/state.file
refuses_to_start 'ra.db has no seals'
! grep -q '"event":"resealed"' log/nfpki-ra.log || fail 'a start that was refused has changed something'
start_daemon ra --seal
grep '"event":"resealed"' log/nfpki-ra.log | finds '2 one-time secrets' || fail "$(tail -n 3 log/nfpki-ra.log)"
grep '"event":"sealed"' log/nfpki-ra.log | finds '"level":"warning".* pages of ra.db as they were' || fail 'nobody says it'
enrol old "${old[@]}"
rm ra/credentials/ra-seal-key
restart ra
enrol older "${older[@]}"

# what another key sealed does not start
stop_daemon ra
rm -rf ra/state
mv ra/state.file ra/state
refuses_to_start 'another key than that of the RA.s token' --seal

# and the first ra.db, which is this token's, goes on
rm -rf ra/state
mv ra/state.token ra/state
start_daemon ra
enrol later "${later[@]}"
audit verify

# a file that somebody else wrote
register used AMF 1
used=("$reference" "$secret")
enrol used "${used[@]}"
register spare AMF 1
spare=("$reference" "$secret")
register other AMF 1
other=("$reference" "$secret")
verify() { # verify STATUS PATTERN: what nfpki-ra --verify says
  local status=0 said
  said=$(env SOFTHSM2_CONF="$PWD/ra/softhsm2.conf" CREDENTIALS_DIRECTORY="$PWD/ra/credentials" \
    "$bin/nfpki-ra" --config ra/nfpki-ra.conf --verify 2>>log/verify.log) || status=$?
  expect "nfpki-ra --verify: $said" "$1" "$status"
  grep -q -- "$2" <<<"$said" || fail "no '$2'"
}
verify 1 'stop the daemon'
kill_daemon ra # what is in the WAL is looked at, too
verify 0 'pages compared in .* no difference'
close_ra
verify 0 'pages compared in .* no difference'
cp -a ra/state ra/state.good
again() { rm -rf ra/state; cp -a ra/state.good ra/state; }
ends_with_3() { # ends_with_3 PATTERN: the start, or the scrub, may find it first: another start is no use either way
  local status=0 before
  before=$(wc -l <log/nfpki-ra.log)
  env SOFTHSM2_CONF="$PWD/ra/softhsm2.conf" CREDENTIALS_DIRECTORY="$PWD/ra/credentials" timeout 60 \
    "$bin/nfpki-ra" --config ra/nfpki-ra.conf >>log/nfpki-ra.log 2>&1 || status=$?
  expect "how an RA ends: $1" 3 "$status"
  tail -n "+$((before + 1))" log/nfpki-ra.log | grep -E '"event":"(start|store)-failed"' | finds -- "$1" ||
    fail "$(tail -n 3 log/nfpki-ra.log)"
}
sqlite3 ra/state/ra.db 'UPDATE enrolment SET until = until + 1'
verify 3 'page [0-9]'
ends_with_3 'page [0-9]'
# one that was put back, with all that was sealed then, is no page of now
again
start_daemon ra
enrol other "${other[@]}"
stop_daemon ra
cp ra/state/ra.db newer.db
again
cp newer.db ra/state/ra.db
ends_with_3 'page [0-9]'
# nor is one without seals taken for one from before, whatever it says of its age, and whatever file is there
no_tables='PRAGMA user_version = 16'
(umask 077 && openssl rand 32 >ra/credentials/ra-seal-key)
for edit in '' "$no_tables" 'UPDATE enrolment SET until = until + 1'; do
  again
  rm ra/state/ra.db-seal
  sqlite3 ra/state/ra.db "$edit"
  refuses_to_start 'ra.db has no seals'
  refuses_to_start 'ra.db has no seals'
done
verify 1 'not sealed'
# a start that was to seal and found something else wrong is started so again
echo short >ra/credentials/ra-seal-key
again
rm ra/state/ra.db-seal
refuses_to_start 'must be 32 octets' --seal
rm ra/credentials/ra-seal-key
refuses_to_start 'ra.db has no seals'
start_daemon ra --seal
stop_daemon ra
refuses_to_start 'ra.db is sealed: start without it' --seal
start_daemon ra
enrol spare "${spare[@]}"
stop_daemon ra
again
rm ra/state/ra.db-seal
sqlite3 ra/state/ra.db 'CREATE TRIGGER mine AFTER INSERT ON seen BEGIN DELETE FROM seen; END'
refuses_to_start 'trigger mine: not ours' --seal
rm -rf ra/state
mv ra/state.good ra/state
start_daemon ra
# and what is whole says so
for ((i = 0; i < 300; i++)); do
  ractl status >status.txt
  ! grep -q '^last pass  none' status.txt || { sleep 0.1; continue; }
  break
done
grep -qEx 'ra.db      sealed, [1-9][0-9]* pages' status.txt || fail "$(<status.txt)"
grep -q '^last pass  [1-9][0-9]* pages, ended ' status.txt || fail "$(<status.txt)"
