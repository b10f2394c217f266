#!/usr/bin/env bash
# HTTP stacks that are not OpenSSL's CMP client's, each with its defaults: the JDK's HttpClient, which
# offers HTTP/2 by Upgrade; curl with --http2, by way of a proxy, which sends the absolute form; and Go.
# Each posts a CMP message, reads the CRL and asks the registrar API.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
source "$(dirname "$0")/../support/admin.sh"
source "$(dirname "$0")/../support/go.sh"
pki_start
cd "$pki"
admin_start
sources=$root_dir/tests/interop/http_clients
api=https://127.0.0.1:$admin_port
openssl pkcs12 -export -in oam/registrar.pem -inkey oam/registrar.key -passout pass:client -out registrar.p12

javac -Xlint:all -Werror -d classes "$sources/WebClient.java"
go_build client-go "$sources/client.go"

java_client() { java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp classes WebClient "$@"; }
go_client() { ./client-go "$@"; }

unsent() { # unsent NAME: $NAME-ir.der, which nobody has sent, since its client finds nobody at port 1
  register "$1" AMF 1
  new_key "$1.key"
  openssl cmp -cmd ir -server 127.0.0.1:1 -ref "$reference" -secret "pass:$secret" -subject /CN=x \
    -newkey "$1.key" -certout "$1.pem" -reqout "$1-ir.der" >/dev/null 2>&1 || true
  [[ -s $1-ir.der ]] || fail 'no ir'
}
is_ip() { [[ $("$bin/cmp_show" "$1") == ip* ]] || fail "$1: $("$bin/cmp_show" "$1")"; }
settled() { # the second in which the CRL came to be there is over, so that its date means something
  until curl -sS -I "http://$host:$port/crl/issuing.crl" | tr -d '\r' |
    awk -F': ' 'tolower($1) == "date" { d = $2 } tolower($1) == "last-modified" { m = $2 } END { exit d == m }'; do
    sleep 0.1
  done
}
settled

for client in java go; do
  unsent "$client"
  "${client}_client" cmp "$NFPKI_CMP_URL" "$client-ir.der" "$client-ip.der"
  is_ip "$client-ip.der"
  "${client}_client" crl "http://$host:$port/crl/issuing.crl" nf/chain.pem
  echo "ok: $client: CMP and CRL"
done
registration java-api AMF 1 '{"kind":"mac"}'
registration go-api AMF 1 '{"kind":"mac"}'
java_client api "$api" ra/admin-tls.pem registrar.p12 oam/java-api.p7s
go_client api "$api" ra/admin-tls.pem oam/registrar.pem oam/registrar.key oam/go-api.p7s

# the RA is its own proxy: what curl sends to one
unsent curl
proxied() { curl -sS --http2 --proxy "http://$host:$port" -D headers.raw "$@"; }
field() { tr -d '\r' <headers.raw | sed -nE "s/^$1: (.*)$/\1/ip"; }
[[ $(proxied -o curl-ip.der -w '%{http_code}' -H 'Content-Type: application/pkixcmp' --data-binary @curl-ir.der \
  "http://ra.example:8829$path") == 200 ]] || fail "$(<headers.raw)"
is_ip curl-ip.der
register proxied AMF 1
new_key proxied.key
openssl cmp -server ra.example:8829 -path "$path" -proxy "http://$host:$port" -no_proxy none -trusted "$NFPKI_TRUST" \
  -cmd ir -ref "$reference" -secret "pass:$secret" -subject /CN=x -newkey proxied.key -certout proxied.pem 2>proxied.log ||
  fail "openssl cmp by way of a proxy: $(<proxied.log)"
openssl verify -CAfile "$NFPKI_TRUST" -untrusted nf/chain.pem proxied.pem
crl=http://ra.example/crl/issuing.crl
expect 'GET by way of a proxy' 200 "$(proxied -o issuing.crl -w '%{http_code}' "$crl")"
command cmp issuing.crl crl/issuing.crl || fail 'another CRL'
etag=$(field etag) modified=$(field last-modified)
expect 'HEAD' "200 $etag" "$(proxied -I -o /dev/null -w '%{http_code}' "$crl") $(field etag)"
expect 'If-None-Match' 304 "$(proxied -o /dev/null -w '%{http_code}' -H "If-None-Match: $etag" "$crl")"
expect 'If-Modified-Since' 304 "$(proxied -o /dev/null -w '%{http_code}' -z "$modified" "$crl")"
expect 'HTTP/1.0' 200 "$(proxied -0 -o /dev/null -w '%{http_code}' "$crl")"
registration curl-api AMF 1 '{"kind":"mac"}'
expect 'register' 201 "$(admin --http2 -o answer.json -w '%{http_code}' -H 'Content-Type: application/cms' \
  --data-binary @oam/curl-api.p7s "$api/v1/registrations")"
expect 'list' 200 "$(admin --http2 -o answer.json -w '%{http_code}' "$api/v1/registrations?limit=10")"
