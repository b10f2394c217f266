#!/usr/bin/env bash
# A profile that demands two officers' approvals: the real client polls, people sign, and nothing
# less than two different officers' signatures under this very request lets it through.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"
path=/.well-known/cmp/p/nf-approved

# ---- the profile, the officers ----
cp "$root_dir/ca/x509/nfpki-profiles.conf" profiles.conf
cat >>profiles.conf <<'CONF'
profile "nf-approved" {
    key_usage = {"digitalSignature"}
    extended_key_usage = {"serverAuth", "clientAuth"}
    server = true
    keys = {"P-256"}
    max_validity_days = 30
    policies = {"1.3.6.1.4.1.99999.7.1"}
    approvals = 2
}
CONF
printf 'profiles = "%s"\napproval_check_after = 4\napproval_days = 1\n' "$pki/profiles.conf" >>ca/nfpki-ca.conf
printf 'profiles = "%s"\n' "$pki/profiles.conf" >>ra/nfpki-ra.conf
restart() { # restart ca|ra: at once, as after a power cut
  kill_daemon "$1"
  start_daemon "$1"
}
restart ca
restart ra
officer() { # officer FILE NAME PASSPHRASE [PROFILE]
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -passout "pass:$3" -subj /CN=x \
    -keyout "$1.key" -out "$1.csr" 2>/dev/null
  cactl issue --profile "${4:-officer}" --subject-cn "$2" --days 3 "$1.csr" >"$1.pem"
}
officer alice 'Alice Andersson' 'correct horse'
officer bob 'Bob Bengtsson' 'battery staple'
officer oam 'nfpki demo OAM' 'the registrar, as an officer'
officer second 'Second OAM' 'a registrar is no officer' registrar

decide() { # decide approve|reject OFFICER PASSPHRASE RID [OPTION...]
  cactl "$1" --certificate "$2.pem" --key "$2.key" --passphrase-fd 3 --yes "${@:5}" "$4" 3<<<"$3" 2>decide.err
}
wrong() { # wrong STATUS 'TEXT' COMMAND...: ends with STATUS and says TEXT
  local wanted=$1 text=$2 status=0
  shift 2
  rm -f decide.err
  "$@" >wrong.out 2>&1 || status=$?
  cat decide.err >>wrong.out 2>/dev/null || true
  [[ $status -eq $wanted ]] || fail "$*: exit status $status instead of $wanted: $(cat wrong.out)"
  grep -qF -- "$text" wrong.out || fail "$*: does not say '$text': $(cat wrong.out)"
  echo "ok: $(grep -F -- "$text" wrong.out | sed -n 1p | cut -c1-150)"
}

# apply NAME: registers, and a client that polls in the background; sets $client and $rid
apply() {
  registration "$1" AMF 1 '{"kind":"mac"}'
  sed -i 's/nf-tls-client/nf-approved/' "oam/$1.json"
  sign_registration "$1"
  ractl register --json "oam/$1.p7s" >"$1.answer"
  registration_id=$(openssl dgst -sha256 -r "oam/$1.p7s" | cut -c1-32)
  new_key "$1.key"
  openssl cmp -cmd ir -server "$host:$port" -path "$path" -trusted "$NFPKI_TRUST" -keep_alive 0 \
    -ref "$(sed -nE 's/.*"reference": *"([^"]*)".*/\1/p' "$1.answer")" \
    -secret "pass:$(sed -nE 's/.*"secret": *"([^"]*)".*/\1/p' "$1.answer")" -subject /CN=x \
    -newkey "$1.key" -certout "$1.pem" -rspout "$(printf "$1%03d.der," $(seq 200) | sed 's/,$//')" \
    -total_timeout 600 >"$1.log" 2>&1 &
  client=$!
  rid=''
  for ((i = 0; i < 600; i++)); do
    rid=$(cactl pending --json | python3 -c 'import json, sys
print("".join(p["rid"] for p in json.load(sys.stdin) if p["registration"] == sys.argv[1]))' "$registration_id")
    [[ -n $rid && -s ${1}002.der ]] && return 0
    kill -0 "$client" 2>/dev/null || fail "the client does not wait: $(cat "$1.log")"
    sleep 0.1
  done
  fail "nothing waits: $(cactl pending)"
}
shows() { # shows 'TEXT': what waits
  cactl pending "$rid" | finds -F -- "$1" || fail "pending does not show '$1': $(cactl pending "$rid")"
}
# The client is held between two polls, so that no exchange of its is cut off.
held() { # held COMMAND...
  local last
  last=$(find . -maxdepth 1 -name 'first*.der' | wc -l)
  for ((i = 0; i < 600; i++)); do
    [[ $(find . -maxdepth 1 -name 'first*.der' | wc -l) -gt $last ]] && break
    sleep 0.05
  done
  kill -STOP "$client"
  "$@"
  kill -CONT "$client"
}

# ---- two approvals, with both daemons killed in between ----
apply first
other_rid=$rid
[[ $("$bin/cmp_show" first001.der) == ip* && $("$bin/cmp_show" first002.der) == pollRep* ]] ||
  fail 'no waiting, no pollRep'
openssl asn1parse -inform DER -in first002.der >poll.txt
grep -A3 'INTEGER *:00' poll.txt >poll # certReqId, then what the configuration says, and why
grep -q 'INTEGER *:04' poll || fail "checkAfter: $(cat poll.txt)"
grep -q ':waiting for approval' poll || fail "pollRep has no reason: $(cat poll.txt)"
shows '0 of 2, 2 missing'
shows nf-approved
shows "$(openssl pkey -in first.key -pubout -outform DER | sha256sum | cut -d' ' -f1)"
shows first.amf.5gc.mnc012.mcc345.3gppnetwork.org
decide approve alice 'correct horse' "$rid" --reason 'change 4711' | finds '"state": "waiting"' || fail alice
decide approve alice 'correct horse' "$rid" | finds '"already": true' || fail 'alice once more'
shows '1 of 2, 1 missing'
shows 'approve CN=Alice Andersson,O=nfpki demonstration,C=SE'
held restart ra
held restart ca
shows '1 of 2, 1 missing'

wrong 2 'passphrase' decide approve bob 'wrong one' "$rid"
wrong 1 'who registered' decide approve oam 'the registrar, as an officer' "$rid"
wrong 1 'who registered' cactl approve --certificate oam/registrar.pem --key oam/registrar.key --yes "$rid"
wrong 1 'not one of ours in this role' decide approve second 'a registrar is no officer' "$rid"
wrong 2 'not that of the certificate' cactl approve --certificate alice.pem --key first.key --yes "$rid"
wrong 2 'give --yes' cactl approve --certificate oam/registrar.pem --key oam/registrar.key "$rid" </dev/null
wrong 1 'nothing waits' decide approve bob 'battery staple' "${rid//[0-9]/a}"
wrong 2 'rid' decide approve bob 'battery staple' 1234
wrong 2 'usage' cactl approve "$rid"
# signed elsewhere: by a stranger, for another request, something else than the command says
sign_document() { # sign_document OFFICER PASSPHRASE FILE
  openssl cms -sign -binary -nodetach -md sha256 -in "$3.json" -signer "$1.pem" -inkey "$1.key" \
    -passin "pass:$2" -outform DER -out "$3.p7s"
}
cactl pending --document "$rid" >good.json
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -passout pass:x -subj /CN=Bob -keyout mallory.key \
  -out mallory.pem 2>/dev/null
cp good.json foreign.json
sign_document mallory x foreign
wrong 1 'signer' cactl approve --signed foreign.p7s
sed 's/"publicKey": "./"publicKey": "f/; s/"publicKey": "f0/"publicKey": "f1/' good.json >key.json
sed -i 's/"publicKey": "\(.\{62\}\)../"publicKey": "\1ab/' key.json
sign_document bob 'battery staple' key
wrong 1 'publicKey is not that of the request' cactl approve --signed key.p7s
sed 's/"profile": "[^"]*"/"profile": "nf-tls"/' good.json >profile.json
sign_document bob 'battery staple' profile
wrong 1 'profile is not that of the request' cactl approve --signed profile.p7s
cp good.json good_reject.json
sign_document bob 'battery staple' good_reject
wrong 2 'says "approve"' cactl reject --signed good_reject.p7s
python3 - <<'PYTHON'
data = bytearray(open("good_reject.p7s", "rb").read())
data[-1] ^= 1
open("flipped.p7s", "wb").write(data)
PYTHON
wrong 1 'does not verify' cactl approve --signed flipped.p7s
shows '1 of 2, 1 missing'
kill -0 "$client" || fail "the client does not wait any more: $(cat first.log)"

sign_document bob 'battery staple' good
cactl approve --signed good.p7s | finds '"state": "approved"' || fail bob
wait "$client" || fail "the client failed: $(cat first.log)"
openssl verify -CAfile "$NFPKI_TRUST" -untrusted nf/chain.pem first.pem
[[ $(openssl x509 -in first.pem -noout -ext certificatePolicies) == *'Policy: 1.3.6.1.4.1.99999.7.1' ]] ||
  fail "the operator's policy: $(openssl x509 -in first.pem -noout -ext certificatePolicies)"
audit verify --certificate first.pem
serial=$(openssl x509 -in first.pem -noout -serial | sed 's/.*=//' | tr A-F a-f)
audit show "$serial" >story
[[ $(grep -c 'decision approve' story) -eq 2 ]] || fail "the record: $(cat story)"
for text in 'CN=Alice Andersson' 'CN=Bob Bengtsson' 'change 4711' 'approval of 2 officer'; do
  grep -qF "$text" story || fail "the record does not have '$text': $(cat story)"
done
cactl approve --signed good.p7s >again.out
grep -q '"already": true' again.out && grep -q '"state": "closed"' again.out || fail "once more: $(cat again.out)"

# ---- one rejection ----
apply second
sed "s/$other_rid/$rid/" good.json >replayed.json # what was approved for another request
sign_document bob 'battery staple' replayed
wrong 1 'registration is not that of the request' cactl approve --signed replayed.p7s
# at a terminal: a question, and the passphrase
at_terminal() { # at_terminal ANSWER
  printf 'Type yes: $\t%s\nPassphrase of the key: $\tcorrect horse\n' "$1" >answers
  "$root_dir/tests/support/type_at.py" answers "$bin/nfpki-cactl" --socket "$pki/run/ca-admin.sock" \
    approve --certificate alice.pem --key alice.key "$rid"
}
wrong 1 'nothing was signed' at_terminal no
shows '0 of 2, 2 missing'
at_terminal yes >terminal.out || fail "at a terminal: $(cat terminal.out)"
! grep -q 'correct horse' terminal.out || fail 'the passphrase was shown'
shows '1 of 2, 1 missing'
decide reject bob 'battery staple' "$rid" --reason 'unknown site' | finds '"state": "refused"' || fail reject
! wait "$client" || fail 'a rejected request enrolled'
grep -q 'rejected by an officer' second.log || fail "the client was not told: $(cat second.log)"
grep -q notAuthorized second.log || fail "failInfo: $(cat second.log)"
audit show "$rid" >story
grep -q 'rejected by an officer: unknown site' story || fail 'the record of the rejection'
wrong 1 'nothing waits' decide approve alice 'correct horse' "$rid"

# ---- too late: a day later, by the CA's clock ----
apply third
decide approve alice 'correct horse' "$rid" >/dev/null
kill_daemon ca
with_wall_clock +25h start_daemon ca
! wait "$client" || fail 'what was not approved in time enrolled'
grep -q 'not approved in time' third.log || fail "the client was not told: $(cat third.log)"
audit show "$rid" >story
grep -q 'not approved in time' story || fail 'the record of the refusal'
[[ -z $(cactl pending) ]] || fail "something waits still: $(cactl pending)"

# ---- and the clock is right again: the operator says so, for leaves are a day ahead of it ----
kill_daemon ca
wrong 1 'clock_set_back' start_daemon ca
echo 'clock_set_back = true' >>ca/nfpki-ca.conf
start_daemon ca
grep -q '"event":"clock-set-back"' log/nfpki-ca.log || fail 'the log does not say that the clock was set back'

# ---- who is to come back in a minute is told that this connection will not be there any more ----
connection() { # connection SECONDS: what the answer to a poll says of it
  sed -i '/^approval_check_after/d' ca/nfpki-ca.conf
  echo "approval_check_after = $1" >>ca/nfpki-ca.conf
  restart ca
  registration "polls$1" AMF 1 '{"kind":"mac"}'
  sed -i 's/nf-tls-client/nf-approved/' "oam/polls$1.json"
  sign_registration "polls$1"
  for ((i = 0; i < 600; i++)); do # until RA and CA have found each other
    ractl register --json "oam/polls$1.p7s" >answer && break
    sleep 0.1
  done
  new_key polls.key
  openssl cmp -cmd ir -server "$host:$port" -path "$path" -trusted "$NFPKI_TRUST" -total_timeout 600 \
    -ref "$(sed -nE 's/.*"reference": *"([^"]*)".*/\1/p' answer)" \
    -secret "pass:$(sed -nE 's/.*"secret": *"([^"]*)".*/\1/p' answer)" -subject /CN=x -newkey polls.key \
    -certout polls.pem -reqout "ask$1.der,poll$1.der" -rspout "asked$1.der,polled$1.der" >polls.log 2>&1 &
  client=$!
  for ((i = 0; i < 600; i++)); do
    [[ -s polled$1.der ]] && break
    sleep 0.1
  done
  kill "$client"
  wait "$client" || true
  curl -sS -D header -o answer.der -H 'Content-Type: application/pkixcmp' --data-binary "@poll$1.der" "$NFPKI_CMP_URL"
  [[ $("$bin/cmp_show" answer.der) == pollRep* ]] || fail "no pollRep: $("$bin/cmp_show" answer.der)"
  if grep -qi '^Connection: close' header; then echo close; else echo keep; fi
}
[[ $(connection 60) == *close ]] || fail "a poll in a minute on the same connection: $(cat header)"
[[ $(connection 29) == *keep ]] || fail "a poll at once on another connection: $(cat header)"
audit verify
