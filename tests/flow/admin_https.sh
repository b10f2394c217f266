#!/usr/bin/env bash
# Administration over HTTPS with mutual TLS: what ra/openapi.yaml says, every answer of it, and that
# nobody comes in who may not. The local socket takes the same documents and gives the same answers.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"

document=$root_dir/ra/openapi.yaml schema=$root_dir/ca/registration/registration.schema.json
openapi() { local c=$1; shift; python3 "$root_dir/tests/support/openapi.py" "$c" "$document" "$schema" "$@"; }
openapi check

# a TLS server's certificate of the operator's own, and an officer
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj /CN=ra.example -days 2 \
  -addext subjectAltName=IP:127.0.0.1 -addext extendedKeyUsage=serverAuth -addext basicConstraints=critical,CA:FALSE \
  -keyout ra/credentials/admin-tls-key -out ra/admin-tls.pem 2>/dev/null
chmod 600 ra/credentials/admin-tls-key
person() { # person NAME PROFILE: oam/NAME.{key,pem}
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj "/CN=$1" -keyout "oam/$1.key" \
    -out "oam/$1.csr" 2>/dev/null
  cactl issue --profile "$2" --subject-cn "$1" --days 2 "oam/$1.csr" >"oam/$1.pem"
}
person officer officer
person second registrar

# the option without what it needs
cp ra/nfpki-ra.conf ra/plain.conf
echo 'admin_listen = {"127.0.0.1:0"}' >>ra/plain.conf
! "$bin/nfpki-ra" --config ra/plain.conf --check 2>check.txt || fail 'a door without a certificate'
grep -q admin_tls_certificate check.txt || fail "$(<check.txt)"
admin_port=$(free_port)
cat >>ra/nfpki-ra.conf <<CONF
admin_listen = {"127.0.0.1:$admin_port"}
admin_tls_certificate = "admin-tls.pem"
admin_crls = {"$pki/crl/issuing.crl", "$pki/crl/root.crl"}
CONF
restart ra

who=registrar
call() { # call METHOD TEMPLATE PATH [CURL-ARGUMENT...]: sets $status; the body is in answer.json
  local method=$1 template=$2 path=$3
  shift 3
  status=$(curl -sS --cacert ra/admin-tls.pem --cert "oam/$who.pem" --key "oam/$who.key" -X "$method" -D headers.txt \
    -o answer.json -w '%{http_code}' "https://127.0.0.1:$admin_port$path" "$@")
  [[ $template == - ]] || openapi response "$method" "$template" "$status" headers.txt answer.json "$pki/seen.txt"
}
expect() { # expect 'what' STATUS [PATTERN]
  [[ $status == "$2" ]] || fail "$1: $status instead of $2: $(<answer.json)"
  [[ -z ${3:-} ]] || grep -q -- "$3" answer.json || fail "$1: $(<answer.json)"
  echo "ok: $1: $status"
}
post() { # post FILE [TYPE]
  call POST /v1/registrations /v1/registrations -H "Content-Type: ${2:-application/pkcs7-mime}" --data-binary "@$1"
}
value() { sed -nE "s/.*\"$1\":\"([^\"]*)\".*/\1/p" answer.json; }
rows() { ractl list --json | grep -c '"id"'; }

# register, and enrol with what came
registration https AMF 1 '{"kind":"mac"}'
post oam/https.p7s
expect 'registered' 201 '"secret"'
id=$(value id)
[[ $id == "$(openssl dgst -sha256 -r oam/https.p7s | cut -c1-32)" ]] || fail 'the id is not the hash'
grep -qi "^location: /v1/registrations/$id" headers.txt || fail "no Location: $(<headers.txt)"
new_key https.key
cmp -cmd ir -ref "$(value reference)" -secret "pass:$(value secret)" -subject /CN=x -newkey https.key -certout https.pem
post oam/https.p7s application/cms
expect 'the same again' 409 'registered already'
ractl register oam/https.p7s 2>again.txt && fail 'the same by the socket'
grep -q "$(sed -nE 's/.*"detail":"([^"]*)".*/\1/p' answer.json)" again.txt || fail "another answer by the socket: $(<again.txt)"

# the same document is worth the same by both ways
registration socket SMF 1 '{"kind":"mac"}'
ractl register --json oam/socket.p7s >socket.json
post oam/socket.p7s
expect 'registered by the socket before' 409
call GET '/v1/registrations/{id}' "/v1/registrations/$(openssl dgst -sha256 -r oam/socket.p7s | cut -c1-32)"
expect 'show' 200 '"registration"'
python3 - <<'PY' || fail 'show differs from nfpki-ractl show'
import json, subprocess, os
a = json.load(open("answer.json"))
b = json.loads(subprocess.run([os.environ["NFPKI_BIN"] + "/nfpki-ractl", "--socket", "run/ra-admin.sock", "--json", "show",
                               a["id"]], capture_output=True, check=True).stdout)
b.pop("ok")
raise SystemExit(a != b)
PY

# what a document is refused for
sed 's/"certificates":1/"certificates":1001/' oam/https.json >oam/wrong.json
sign_registration wrong
post oam/wrong.p7s
expect 'a wrong member' 422 '"member":"certificates"'
sed 's/"fqdns":\["https.amf.5gc/"fqdns":["x.example/' oam/https.json >oam/wrong.json
sign_registration wrong
post oam/wrong.p7s
expect 'a wrong element' 422 '"member":"fqdns\[0\]"'
post oam/https.json
expect 'not CMS' 400
post oam/https.p7s application/json
expect 'another type' 415
head -c 70000 /dev/zero >big
post big
expect 'too long' 413
# signed by somebody who is no registrar, brought by one who is
openssl cms -sign -binary -nodetach -md sha256 -in oam/https.json -outform DER -signer oam/officer.pem -inkey oam/officer.key -out rogue.p7s
post rogue.p7s
expect 'signed by an officer' 403

# an officer looks, but neither registers nor cancels
who=officer
registration second SMF 1 '{"kind":"mac"}'
post oam/second.p7s
expect 'an officer registers' 403
call POST /v1/imports /v1/imports -H 'Content-Type: application/x-ndjson' --data-binary @oam/second.p7s
expect 'an officer imports' 403
call GET /v1/registrations /v1/registrations
expect 'an officer lists' 200
call GET /v1/status /v1/status
expect 'an officer looks how the RA is' 200 '"state":"sealed"'
end() { # end ID [SIGNER] [TYPE]: POST of a cancellation that the registrar, or SIGNER, signed
  cancellation "$1" "${2:-registrar}"
  call POST /v1/cancellations /v1/cancellations -H "Content-Type: ${3:-application/pkcs7-mime}" \
    --data-binary "@oam/cancel-$1.p7s"
}
end "$id"
expect 'an officer brings what a registrar signed' 403
who=registrar
end "$id" officer
expect 'a registrar brings what an officer signed' 403 'a registrar cancels'
call POST /v1/cancellations /v1/cancellations -H 'Content-Type: application/cms' --data-binary @oam/https.p7s
expect 'a registration in the place of a cancellation' 400
call GET '/v1/registrations/{id}' "/v1/registrations/$id"
expect 'not cancelled' 200 '"state":"used"'
call DELETE - "/v1/registrations/$id"
expect 'the way that it was' 405 'a registrar signs'
end "$id" registrar application/json
expect 'another type' 415
sed -i 's/"time":"20[0-9][0-9]/"time":"2020/' "oam/cancel-$id.json"
openssl cms -sign -binary -nodetach -md sha256 -in "oam/cancel-$id.json" -outform DER -signer oam/registrar.pem \
  -inkey oam/registrar.key -out old.p7s
call POST /v1/cancellations /v1/cancellations -H 'Content-Type: application/cms' --data-binary @old.p7s
expect 'an old one' 422 '"member":"cancel.time"'
call POST /v1/cancellations /v1/cancellations -H 'Content-Type: application/cms' --data-binary @big
expect 'too long' 413
end "$id" registrar application/cms
expect 'a registrar cancels' 200 "$id"
call GET '/v1/registrations/{id}' "/v1/registrations/$id"
expect 'cancelled' 200 '"state":"cancelled"'

# list: pages, filters, nonsense
call GET /v1/registrations '/v1/registrations?limit=2'
expect 'first page' 200 '"next"'
call GET /v1/registrations "/v1/registrations?limit=2&after=$(value next)"
expect 'second page' 200
call GET /v1/registrations '/v1/registrations?state=cancelled'
expect 'a filter' 200 "$id"
[[ $(grep -o '"id"' answer.json | wc -l) -eq 1 ]] || fail 'more than the cancelled one'
for query in 'limit=0' 'limit=x' 'state=lost' 'state=open&state=used' 'colour=red' 'state' 'after=1' 'nfInstanceId=7'; do
  call GET /v1/registrations "/v1/registrations?$query"
  expect "$query" 400
done
call GET /v1/registrations "/v1/registrations?after=00000000000000000000000000000000"
expect 'behind nothing' 404
call GET '/v1/registrations/{id}' /v1/registrations/00000000000000000000000000000000
expect 'nobody' 404
end 00000000000000000000000000000000
expect 'cancel nobody' 404
call GET - /v1/cancellations
expect 'a list of cancellations' 405
for path in / /v2/registrations /v1/registrations/ /v1/registrations/xyz /v1/registrations/$id/secret; do
  call GET - "$path"
  expect "$path" 404
done
call PUT - /v1/registrations -H 'Content-Type: application/cms' --data-binary x
expect 'PUT' 405
tr -d '\r' <headers.txt | finds -x 'Allow: GET, HEAD, POST' || fail "$(<headers.txt)" # and nothing that is not taken
call DELETE - /v1/registrations
expect 'DELETE of all' 405
grep -qi '^allow: GET, HEAD, POST' headers.txt || fail "$(<headers.txt)"
call GET - "/v1/registrations/$id?x=1"
expect 'a query where none is' 400

# a batch
batch=$root_dir/tests/support/batch.py
python3 "$batch" 300 site '{"kind":"mac"}' >site
"$bin/nfpki-ractl" manifest site >site.manifest
openssl cms -sign -binary -nodetach -md sha256 -in site.manifest -outform DER -signer oam/registrar.pem \
  -inkey oam/registrar.key -out site.p7s
{ echo "{\"manifest\":\"$(base64 -w 0 site.p7s)\"}"; cat site; } >site.ndjson
import() { call POST /v1/imports /v1/imports -H "Content-Type: ${2:-application/x-ndjson}" --data-binary "@$1"; }
before=$(rows)
import site.ndjson
expect 'a batch' 200 '"registered":300'
[[ $(grep -o '"secret"' answer.json | wc -l) -eq 300 ]] || fail 'secrets'
[[ $(rows) -eq $((before + 300)) ]] || fail 'not 300 more'
import site.ndjson
expect 'the batch again' 200 '"known":300'
ractl import site.p7s site >site.rows 2>/dev/null || fail 'the batch by the socket'
[[ $(grep -c known site.rows) -eq 300 ]] || fail 'known by the socket'
sed '5s/"SMF"/"XYZ"/' site.ndjson >wrong.ndjson
import wrong.ndjson
expect 'a changed line' 422 '"member":"batch.root"'
import site.ndjson application/json
expect 'another type' 415
import site
expect 'without a manifest' 400
head -c 1000 /dev/urandom >nonsense
import nonsense
expect 'nonsense' 400
openssl cms -sign -binary -nodetach -md sha256 -in site.manifest -outform DER -signer oam/officer.pem -inkey oam/officer.key -out officer.p7s
{ echo "{\"manifest\":\"$(base64 -w 0 officer.p7s)\"}"; cat site; } >officer.ndjson
import officer.ndjson
expect 'a manifest of an officer' 403
sed -i 's/"manifest":"...../"manifest":"AAAAA/' officer.ndjson
import officer.ndjson
expect 'a broken manifest' 400

# who may not come in
before=$(rows) record=$(leaves)
tls() { # tls 'what' [CURL-ARGUMENT...]: refused in the handshake
  local what=$1
  shift
  if curl -sS --cacert ra/admin-tls.pem "$@" "https://127.0.0.1:$admin_port/v1/registrations" >/dev/null 2>tls.txt; then
    fail "$what came in"
  fi
  echo "ok: $what: $(<tls.txt)"
}
tls 'without a certificate'
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj '/CN=nfpki demo OAM' -days 2 \
  -keyout rogue.key -out rogue.pem 2>/dev/null
tls 'a certificate of nobody' --cert rogue.pem --key rogue.key
tls 'without TLS 1.2' --cert oam/registrar.pem --key oam/registrar.key --tls-max 1.1
! curl -sS "http://127.0.0.1:$admin_port/v1/registrations" >plain.txt 2>&1 || fail 'plain HTTP'
# a network function has a certificate of the same CA
cp https.pem oam/nf.pem && cp https.key oam/nf.key
who=nf
call GET /v1/registrations /v1/registrations
expect 'a network function' 401
call GET '/v1/registrations/{id}' "/v1/registrations/$id"
expect 'a network function' 401
call GET /v1/status /v1/status
expect 'a network function' 401
end "$id" registrar
expect 'a network function' 401
post oam/second.p7s
expect 'a network function' 401
import site.p7s
expect 'a network function' 401
# a registrar whose certificate was revoked
who=second
call GET /v1/registrations /v1/registrations
expect 'a second registrar' 200
number() { openssl crl -inform DER -in crl/issuing.crl -noout -crlnumber; }
crl=$(number)
cactl revoke --reason keyCompromise "$(openssl x509 -in oam/second.pem -noout -serial | cut -d= -f2 | tr A-F a-f)"
for ((i = 0; i < 200; i++)); do
  [[ $(number) == "$crl" ]] || break
  sleep 0.05
done
call GET /v1/registrations /v1/registrations
expect 'a revoked registrar' 401 revoked
[[ $(rows) -eq $before ]] || fail 'something was registered'
[[ $(leaves) -eq $((record + 3)) ]] || fail "$(leaves) leaves after $record: more than REVOKED, CRL-INTENT and CRL"
# without a CRL nobody may do anything
who=registrar
mv crl/issuing.crl crl/away.crl
call GET /v1/registrations /v1/registrations
expect 'without a CRL' 401
mv crl/away.crl crl/issuing.crl
call GET /v1/registrations /v1/registrations
expect 'with the CRL again' 200

# who somebody is the CA's record says, not a certificate: before its first answer nobody is anybody
kill_daemon ca
restart ra
call GET /v1/registrations /v1/registrations
expect 'a registrar whom nobody knows yet' 503
grep -qi '^retry-after: ' headers.txt || fail "$(<headers.txt)"
call GET '/v1/registrations/{id}' "/v1/registrations/$id"
expect 'nor shows one' 503
call GET /v1/status /v1/status
expect 'nor is told how the RA is' 503
head -n 3 site.ndjson >few.ndjson
import few.ndjson
expect 'nor imports' 503
call POST - /v1/imports -H 'Content-Type: application/x-ndjson' --data-binary @site.ndjson
expect 'nor sends more than anybody' 503
grep -qi '^retry-after: ' headers.txt || fail "$(<headers.txt)"
start_daemon ca
for ((i = 0; i < 200; i++)); do
  call GET /v1/registrations /v1/registrations
  [[ $status == 503 ]] || break
  sleep 0.1
done
expect 'with the CA there' 200
for who in registrar officer; do
  openssl x509 -in "oam/$who.pem" -noout -text >"$who.txt"
  grep -F 2.25. "$who.txt" && fail 'an arc that others cannot read'
done
who=registrar
[[ $(openssl x509 -in oam/registrar.pem -noout -ext extendedKeyUsage) == *$'\n'*'TLS Web Client Authentication' ]] ||
  fail "a registrar has another purpose than clientAuth: $(<registrar.txt)"
grep -F 'TLS Web' officer.txt && fail 'an officer has a purpose of TLS'

# while the CA is away nothing is registered
kill_daemon ca
registration away AMF 1 '{"kind":"mac"}'
post oam/away.p7s
expect 'without the CA' 503
grep -qi '^retry-after: ' headers.txt || fail "$(<headers.txt)"
end "$id"
expect 'cancel without the CA' 503
start_daemon ca
for ((i = 0; i < 200; i++)); do
  post oam/away.p7s
  [[ $status == 503 ]] || break
  sleep 0.1
done
expect 'with the CA again' 201
# the CA says no to a cancellation: it never heard of that one
stop_daemon ra
edit_rows "INSERT INTO registration (id, signed, nf_instance, proof, not_after, certificates, registered)
  SELECT '0123456789abcdef0123456789abcdef', signed, nf_instance, 1, not_after, 1, registered FROM registration LIMIT 1"
end 0123456789abcdef0123456789abcdef
expect 'cancel what the CA does not know' 403
# nothing that leaves RA and CA has the arc of 128 bits that others cannot read: neither plain nor in base64
python3 - ledger crl nf oam ra/*.pem ca/*.pem <<'PY' || fail 'an arc of ours left the CA'
import base64, os, re, sys
n, octets = 146746973955696582463241471912985749617, b""
while n:
    octets, n = bytes([n & 127 | (128 if octets else 0)]) + octets, n >> 7
arc = bytes([2 * 40 + 25]) + octets
files = [os.path.join(d, f) for top in sys.argv[1:] for d, _, names in os.walk(top) for f in names]
files += [f for f in sys.argv[1:] if os.path.isfile(f)]
looked = 0
for name in files:
    data = open(name, "rb").read()
    texts = re.findall(rb"[A-Za-z0-9+/]{40,}={0,2}", data.replace(b"\n", b""))
    for part in [data] + [base64.b64decode(t[:len(t) // 4 * 4]) for t in texts]:
        looked += 1
        if arc in part or b"2.25.1467469" in part:
            raise SystemExit(name)
raise SystemExit(0 if looked > 100 else "too little was looked at")
PY
openapi coverage seen.txt
audit verify
