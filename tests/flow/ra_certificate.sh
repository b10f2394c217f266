#!/usr/bin/env bash
# What network functions see when the RA is at fault: its certificate is revoked, has ended, has not begun
# yet, the clocks differ, its signer is away. Nobody hears that its message is wrong: what has a MAC waits,
# what is signed gets 503, and both go on when the RA is mended.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"
path=/.well-known/cmp/p/nf-tls
printf '\x30\x05\x30\x03\x02\x01\x00' >poll.der
sed -i 's/^sync_wait = .*//; s/^message_time_required.*//' ra/nfpki-ra.conf
# at first longer than a CA that is slow takes
printf 'sync_wait = 3000\nmessage_time_required = false\n' >>ra/nfpki-ra.conf

say() { "$bin/cmp_say" --no-time "$@" "$host" "$port" "$path" 2>text.txt; }
by_mac() { say --reference "$reference" --secret "$secret" "$@"; }
signed() { say --certificate "$nf.pem" --key "$nf.key" "$@"; }
post() { # post FILE: its octets; status, Retry-After, and the answer when there is one
  local status
  status=$(curl -sS -D head.txt -o body.der -w '%{http_code}' -H 'Content-Type: application/pkixcmp' \
    --data-binary "@$1" "http://$host:$port$path")
  if [[ -s body.der ]]; then
    echo "$status $("$bin/cmp_show" body.der)"
  else
    echo "$status $(tr -d '\r' <head.txt | sed -n 's/^Retry-After: //p')"
  fi
}
restart_ra() { kill_daemon ra; start_daemon ra; }
logged() { # logged 'what' REGEX: so many times
  grep -cE "$1" log/nfpki-ra.log || true
}
until_logged() { # until_logged 'what' REGEX: the RA knows it
  for ((i = 0; i < 600; i++)); do
    [[ $(logged "$2") -gt 0 ]] && return 0
    sleep 0.1
  done
  fail "$1: not in the log"
}
goes_on() { # goes_on 'what' FILE: its octets are taken; how soon the CA is there is another matter
  local answer
  answer=$(post "$2")
  expect "$1" '200 ip' "${answer% waiting}"
}
certified() { # certified 'what' FILE: the poll for it gets a certificate in the end
  local answer
  for ((i = 0; i < 300; i++)); do
    answer=$(by_mac --body pollReq --content poll.der --continue "$2" --out "$2.polled")
    [[ $answer == ip\ mac* ]] && break
    cp "$2.polled" "$2"
    sleep 0.1
  done
  expect "$1" 'ip mac pvno 2' "$answer"
}
# new_ra_certificate: for the key that the RA has. The same request again would be the same certificate, so it
# has the other one of the two signatures that ECDSA has for each: (r, -s).
new_ra_certificate() {
  openssl req -in ceremony/ra-keys/ra.csr.pem -outform DER -out ra.csr.der
  python3 - <<'PY'
der = open("ra.csr.der", "rb").read()
order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
def tlv(tag, content):
    n = len(content)
    return bytes([tag]) + (bytes([n]) if n < 128 else bytes([0x81, n]) if n < 256 else
                           bytes([0x82, n >> 8, n & 255])) + content
def read(data):
    n, at = data[1], 2
    if n >= 128:
        at += n - 128
        n = int.from_bytes(data[2:at], "big")
    return data[at:at + n], data[at + n:], data[:at + n]
def number(n):
    return tlv(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))
body, _, _ = read(der)
_, rest, info = read(body)
_, rest, algorithm = read(rest)
bits, _, _ = read(rest)
pair, _, _ = read(bits[1:])
r, rest, _ = read(pair)
s, _, _ = read(rest)
other = tlv(0x30, number(int.from_bytes(r, "big")) + number(order - int.from_bytes(s, "big")))
open("ra2.csr.der", "wb").write(tlv(0x30, info + algorithm + tlv(3, b"\0" + other)))
PY
  openssl req -inform DER -in ra2.csr.der -out ra2.csr
  cactl issue --profile ra-cmp --subject-cn 'nfpki demo RA' --days 5 ra2.csr >ra2.pem
  cp ra2.pem ra/ra.pem
}

# long NAME TYPE PROOF-JSON: a registration that is open whatever the clocks say
long() {
  registration "$1" "$2" 9 "$3"
  sed -i "s/\"notBefore\":\"[^\"]*\"/\"notBefore\":\"$(date -u -d '-3 days' +%Y-%m-%dT%H:%M:%SZ)\"/
    s/\"notAfter\":\"[^\"]*\"/\"notAfter\":\"$(date -u -d '+20 days' +%Y-%m-%dT%H:%M:%SZ)\"/" "oam/$1.json"
  sign_registration "$1"
  ractl register --json "oam/$1.p7s"
}
initial pinned
nf=pinned
restart_ra
long pinned SMF "{\"kind\":\"certificate\",\"sha256\":\"$fingerprint\"}" >/dev/null
long waits AMF '{"kind":"mac"}' >answer
reference=$(sed -nE 's/.*"reference": *"([^"]*)".*/\1/p' answer)
secret=$(sed -nE 's/.*"secret": *"([^"]*)".*/\1/p' answer)

# ---- revoked: the CA says so

serial=$(openssl x509 -in ra/ra.pem -noout -serial | cut -d= -f2)
cactl revoke --reason superseded "$serial" >/dev/null
# this one is in the queue before the RA knows
expect 'a signature, the first to come' 'HTTP 503' \
  "$(signed --body ir --request-out first-ir.der 2>/dev/null || true)"
expect 'and once more' '503 60' "$(post first-ir.der)"
expect 'a MAC, the RA is revoked' 'ip waiting mac pvno 2' "$(by_mac --body ir --out revoked.der)"
expect 'a signature' '503 60' "$(signed --body ir --request-out revoked-ir.der >/dev/null 2>&1 || true; post revoked-ir.der)"
expect 'and again' '503 60' "$(post revoked-ir.der)"
expect 'the wrong secret hears no more' '503 60' \
  "$(by_mac --secret wrong --body ir --request-out wrong.der >/dev/null 2>&1 || true; post wrong.der)"
expect 'in the log, once' 1 "$(logged '"event":"own-certificate".*does not accept.*is revoked.*nfpki-cactl issue ra-cmp')"
new_ra_certificate
sed -i 's/^sync_wait = .*/sync_wait = 300/' ra/nfpki-ra.conf
restart_ra
certified 'the MAC goes on under the new certificate' revoked.der
goes_on 'so does the signature that is in the queue, with the same octets' first-ir.der
expect 'which are no more than once' '200 error transactionIdInUse' "$(post first-ir.der)"
goes_on 'and the other signature, with the same octets' revoked-ir.der
expect 'which are no more than once' '200 error transactionIdInUse' "$(post revoked-ir.der)"

# ---- the signer is away: it fails, and it does not answer

printf '#!/bin/sh\n[ -e "%s/away" ] && exit 1\nexec "%s/nfpki-signer" "$@"\n' "$pki" "$bin" >signer
chmod 755 signer
sed -i "s|^signer_program = .*|signer_program = \"$pki/signer\"|" ra/nfpki-ra.conf
restart_ra
signer_of_ra() { pgrep -P "$(<ra.pid)"; }
expect 'a certificate by signature' 'ip signature pvno 2' "$(signed --body ir --out confirmed.der)"
for how in KILL STOP; do
  [[ $how == STOP ]] || touch away
  kill -"$how" "$(signer_of_ra)"
  expect "a MAC, signer: $how" 'ip waiting mac pvno 2' "$(by_mac --body ir --out "$how.der")"
  if [[ $how == KILL ]]; then
    expect 'a signature' '503 5' "$(signed --body ir --request-out ir.der >/dev/null 2>&1 || true; post ir.der)"
    expect 'a question' '503 5' "$(signed --info 17 --request-out genm.der >/dev/null 2>&1 || true; post genm.der)"
    expect 'a poll' '503 5' "$(signed --body pollReq --content poll.der --continue confirmed.der \
      --request-out poll-again.der >/dev/null 2>&1 || true; post poll-again.der)"
    rm away
  else
    kill -CONT "$(signer_of_ra)"
  fi
  certified "the MAC goes on" "$how.der"
  if [[ $how == KILL ]]; then
    goes_on 'and the signature, with the same octets' ir.der
    expect 'the question' '200 genp' "$(post genm.der)"
    expect 'and the poll' '200 ip' "$(post poll-again.der)"
  fi
done
expect 'the log has it' 1 "$(logged '"event":"not-wrapped"')"

# ---- the clock of the RA goes wrong, and is set right again: its certificate ends, or has not begun

wrong_clock() { with_wall_clock "$1" start_daemon "$2"; } # wrong_clock DIFFERENCE ca|ra

new_key sent.key
openssl cmp -server "$host:$port" -path "$path" -trusted "$NFPKI_TRUST" -cmd ir -cert "$nf.pem" -key "$nf.key" \
  -newkey sent.key -subject /CN=x -certout sent.pem -disable_confirm -rspout sent.der >sent.log 2>&1 || fail "$(<sent.log)"
printf 'asn1=SEQUENCE:list\n[list]\none=SEQUENCE:status\n[status]\nhash=FORMAT:HEX,OCTETSTRING:%s\nid=INTEGER:0\n' \
  "$(openssl x509 -in sent.pem -outform DER | sha256sum | cut -d' ' -f1)" >confirm.cnf
openssl asn1parse -genconf confirm.cnf -noout -out confirm.der

kill_daemon ra
wrong_clock +5d ra
expect 'a certConf, and its pkiConf does not leave' '503 60' "$(signed --body certConf --content confirm.der \
  --continue sent.der --request-out confirm-sent.der >/dev/null 2>&1 || true; post confirm-sent.der)"
expect 'a MAC, the certificate has ended' 'ip waiting mac pvno 2' "$(by_mac --body ir --out ended.der)"
expect 'a signature' '503 60' "$(signed --body ir --request-out ended-ir.der >/dev/null 2>&1 || true; post ended-ir.der)"
expect 'what is no message' '503 60' "$(post poll.der)"
expect 'in the log, once' 1 "$(logged '"event":"own-certificate".*ra.pem ended at .*nfpki-cactl issue ra-cmp')"
expect 'and that the clocks differ' 1 "$(logged '"event":"deferred".*timeNotAvailable.*the clocks of RA and CA differ')"
restart_ra
certified 'the MAC goes on' ended.der
goes_on 'and the signature, with the same octets' ended-ir.der
expect 'and the certConf' '200 pkiConf' "$(post confirm-sent.der)"
expect 'which is answered once' '200 error certConfirmed' "$(post confirm-sent.der)"

kill_daemon ra
wrong_clock -20h ra
expect 'a signature, the certificate has not begun' '503 60' \
  "$(signed --body ir --request-out early-ir.der >/dev/null 2>&1 || true; post early-ir.der)"
expect 'in the log, once' 1 "$(logged '"event":"own-certificate".*ra.pem begins at ')"
restart_ra
goes_on 'it goes on, with the same octets' early-ir.der

# ---- and that of the CA

kill_daemon ca
wrong_clock +5d ca
kill -STOP "$(<ca.pid)" # it may be slower than sync_wait: until it has spoken a signature is told to wait, and that is its answer
expect 'a MAC, for the CA the certificate has ended' 'ip waiting mac pvno 2' "$(by_mac --body ir --out late.der)"
kill -CONT "$(<ca.pid)"
until_logged 'the RA hears it' '"event":"own-certificate".*does not accept.*certificate ended at '
expect 'a signature' '503 60' "$(signed --body ir --request-out late-ir.der >/dev/null 2>&1 || true; post late-ir.der)"
expect 'in the log, once' 1 "$(logged '"event":"own-certificate".*does not accept.*certificate ended at ')"
kill_daemon ca
echo 'clock_set_back = true' >>ca/nfpki-ca.conf # it is right now
start_daemon ca
certified 'the MAC goes on' late.der
goes_on 'and the signature, with the same octets' late-ir.der
audit verify
