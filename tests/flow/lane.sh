#!/usr/bin/env bash
# Shared secrets whose key costs much: PBMAC1 with what today's clients say enrols, with one
# derivation in a transaction; who is unknown is told what everybody is told, and who comes when there
# is no place comes again.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"
say() { "$bin/cmp_say" --reference "$reference" --secret "$secret" "$@" "$host" "$port" "$path"; }
turns() { grep -c '"event":"turn"' log/nfpki-ra.log || true; }

register dear AMF 20
before=$(turns)
echo "$reference $secret" >credential.txt
"$bin/bench.enrol" -1 262144 "$host" "$port" "$path" credential.txt 1 1 >enrolled.txt || fail "262144 iterations: $(<enrolled.txt)"
# ir and certConf are of one transaction, and have the same salt: the key is derived once
expect '262144 iterations, ir to pkiConf' 1 "$(($(turns) - before))"
expect '300000 iterations' 'genp mac pvno 2' "$(say --info 17 --pbmac1 --iterations 300000)"
expect 'has a turn' "$((before + 2))" "$(turns)"
before=$(turns)
expect '10000 iterations' 'genp mac pvno 2' "$(say --info 17 --pbmac1 --iterations 10000)"
expect '10000 iterations need no turn' "$before" "$(turns)"

# a key longer than any HMAC has, as CmpRaComponent asks for it: it costs as much as its blocks
expect 'keyLength 4096' 'genp mac pvno 2' "$(say --info 17 --pbmac1 --iterations 1000 --key-size 4096)"
expect 'has a turn' "$((before + 1))" "$(turns)"
expect 'keyLength 4096 and too many' 'error badAlg signature pvno 2' \
  "$(say --info 17 --pbmac1 --iterations 12000 --key-size 4096 2>text.txt)"
grep -q '^PBMAC1 with keyLength 4096 and 12000 iterations, fewer are taken here' text.txt || fail "$(<text.txt)"

# another salt inside the transaction is another key
printf '\x30\x05\x30\x03\x02\x01\x00' >poll.der
expect 'ir' 'ip mac pvno 2' "$(say --body ir --pbmac1 --iterations 20000 --out ip.der)"
before=$(turns)
expect 'pollReq with another salt' 'ip mac pvno 2' "$(say --body pollReq --content poll.der --pbmac1 --iterations 20000 --continue ip.der)"
expect 'has a turn' "$((before + 1))" "$(turns)"

# nobody learns who is registered
true_secret=$secret
secret=0123456789abcdef
expect 'a wrong secret' 'error badMessageCheck signature pvno 2' "$(say --body ir --pbmac1 --iterations 20000 2>text.txt)"
mv text.txt wrong.txt
secret=$true_secret
true_reference=$reference
reference=nobody
expect 'an unknown reference' 'error badMessageCheck signature pvno 2' "$(say --body ir --pbmac1 --iterations 20000 2>text.txt)"
diff wrong.txt text.txt || fail 'the texts differ'
reference=$true_reference
cancel "$registration_id" >/dev/null
expect 'a cancelled one' 'error badMessageCheck signature pvno 2' "$(say --body ir --pbmac1 --iterations 20000 2>text.txt)"
diff wrong.txt text.txt || fail 'the texts differ'

# forty at once, of which the lane takes some
say --body ir --pbmac1 --iterations 100000 --request-out dear.der >/dev/null 2>&1 || true
python3 - "$host" "$port" "$path" dear.der <<'PY' || fail 'no place in the lane'
import socket, sys
host, port, path, message = sys.argv[1], int(sys.argv[2]), sys.argv[3], open(sys.argv[4], 'rb').read()
head = f'POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/pkixcmp\r\nContent-Length: {len(message)}\r\nConnection: close\r\n\r\n'
sockets = []
for _ in range(40):
    s = socket.create_connection((host, port), timeout=120)
    s.sendall(head.encode() + message)
    sockets.append(s)
served = refused = 0
for s in sockets:
    answer = b''
    while part := s.recv(65536):
        answer += part
    status = answer.split(b' ')[1]
    if status == b'503':
        refused += 1
        assert b'\r\nretry-after: ' in answer.lower(), answer
    else:
        assert status == b'200', answer
        served += 1
print(f'ok: {served} had their turns, {refused} were told to come again')
sys.exit(0 if served > 0 and refused > 0 else 1)
PY

# a stop does not wait for those who wait
python3 - "$host" "$port" "$path" dear.der <<'PY' &
import socket, sys
host, port, path, message = sys.argv[1], int(sys.argv[2]), sys.argv[3], open(sys.argv[4], 'rb').read()
head = f'POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/pkixcmp\r\nContent-Length: {len(message)}\r\n\r\n'
sockets = []
for _ in range(8):
    s = socket.create_connection((host, port), timeout=120)
    s.sendall(head.encode() + message)
    sockets.append(s)
open('sent', 'w').close()
answers = sorted(s.recv(65536).split(b' ')[1] for s in sockets)
assert set(answers) <= {b'200', b'503'}, answers
PY
waiters=$!
while [[ ! -e sent ]]; do sleep 0.05; done
kill "$(<ra.pid)"
wait "$waiters" || fail 'somebody got no answer when the RA stopped'
while running "$(<ra.pid)"; do sleep 0.05; done
grep -q '"event":"stopped","text":"nothing under way"' log/nfpki-ra.log || fail "$(tail -n 3 log/nfpki-ra.log)"
audit verify >/dev/null
