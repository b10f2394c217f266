#!/usr/bin/env bash
# The RA's front as clients see it: TLS with and without client certificates, IPv6, HTTP/1.0, alias
# paths, budgets (503, Retry-After, systemUnavail), a renewed and a broken certificate (SIGHUP), and
# a request that is under way at SIGTERM.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"
conf=ra/nfpki-ra.conf log=log/nfpki-ra.log

# ---- certificates of the operator's usual CA ----

authority() { # authority NAME
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj "/CN=$1" -days 2 \
    -addext keyUsage=critical,keyCertSign -keyout "$1.key" -out "$1.pem" 2>/dev/null
}
issue() { # issue NAME CA EXTENSION...: NAME.pem with NAME.key, which is made when it is not there
  local name=$1 ca=$2 extensions=()
  shift 2
  [[ -f $name.key ]] || (umask 077 && new_key "$name.key")
  for extension in "$@"; do extensions+=(-addext "$extension"); done
  openssl req -x509 -key "$name.key" -subj "/CN=$name" -days 1 -CA "$ca.pem" -CAkey "$ca.key" \
    -addext basicConstraints=critical,CA:FALSE -addext keyUsage=critical,digitalSignature \
    "${extensions[@]}" -out "$name.pem" 2>/dev/null
}
server() { issue tls tls-ca extendedKeyUsage=serverAuth subjectAltName=IP:127.0.0.1,IP:::1; }
authority tls-ca
authority client-ca
authority other-ca
server
issue nf client-ca extendedKeyUsage=clientAuth
issue stranger other-ca extendedKeyUsage=clientAuth
install -m 600 tls.key ra/credentials/ra-tls.key

# ---- the RA ----

restart_ra() { # restart_ra: then `since` is where its log begins
  stop_daemon ra
  since=$(stat -c %s "$log")
  start_daemon ra || fail 'the RA did not start'
}
since_start() { tail -c +$((since + 1)) "$log"; }
listener() { # listener ADDRESS N: the port of the Nth TLS listener on that address
  since_start | grep '"listening"' | grep 'with TLS' | grep -F "$1:" | sed -n "$2p" |
    sed -E 's/.*:([0-9]+) with TLS.*/\1/'
}
has_ipv6=no
if grep -q '^0\{31\}1 ' /proc/net/if_inet6 2>/dev/null; then has_ipv6=yes; fi
v6='' && [[ $has_ipv6 == yes ]] && v6=', "[::1]:0"'

cp "$conf" plain.conf
cat >>"$conf" <<CONF
tls "public" {
    listen = {"127.0.0.1:0"$v6}
    certificate = "$pki/tls.pem"
    credential = "ra-tls.key"
}
tls "mutual" {
    listen = {"127.0.0.1:0"}
    certificate = "$pki/tls.pem"
    credential = "ra-tls.key"
    client_certificate = "require"
    client_roots = {"$pki/client-ca.pem"}
}
alias "/ejbca/publicweb/cmp/nf" {
    profile = "nf-tls"
    operation = "initialization"
}
CONF
restart_ra
public=$(listener 127.0.0.1 1) mutual=$(listener 127.0.0.1 2)
crl=/crl/root.crl

# ---- enrolment over TLS ----

tls_cmp() { # tls_cmp PORT ARGUMENT...
  local to=$1
  shift
  openssl cmp -server "127.0.0.1:$to" -path "$path" -trusted "$NFPKI_TRUST" -tls_used \
    -tls_trusted tls-ca.pem "$@"
}
enrol_over() { # enrol_over PORT NAME ARGUMENT...
  local to=$1 name=$2
  shift 2
  register "$name" AMF 1
  new_key "$name.key"
  tls_cmp "$to" -cmd ir -ref "$reference" -secret "pass:$secret" -subject /CN=x -newkey "$name.key" \
    -certout "$name.pem" "$@"
}
enrol_over "$public" tls1 2>client.log || fail "enrolment over TLS: $(cat client.log)"
openssl verify -CAfile "$NFPKI_TRUST" -untrusted nf/chain.pem tls1.pem
enrol_over "$mutual" tls2 -tls_cert nf.pem -tls_key nf.key 2>client.log ||
  fail "enrolment with a client certificate: $(cat client.log)"
if enrol_over "$mutual" tls3 2>client.log; then fail 'no client certificate was asked for'; fi
if enrol_over "$mutual" tls4 -tls_cert stranger.pem -tls_key stranger.key 2>client.log; then
  fail 'a stranger came in'
fi
grep -q '"handshake-failed".*certificate verify failed' "$log" || fail 'the log does not say why'

# ---- protocols and families ----

get() { curl -sS --fail --cacert tls-ca.pem -o /dev/null "$@"; }
get --tlsv1.2 --tls-max 1.2 "https://127.0.0.1:$public$crl"
get --tlsv1.3 "https://127.0.0.1:$public$crl"
old=$(openssl s_client -connect "127.0.0.1:$public" -tls1_1 -cipher 'ALL:@SECLEVEL=0' </dev/null 2>&1) &&
  fail 'TLS 1.1 is spoken'
grep -qi 'alert protocol version' <<<"$old" || fail "TLS 1.1 got another refusal: $old"
if [[ $has_ipv6 == yes ]]; then
  get "https://[::1]:$(listener '[::1]' 1)$crl"
fi
get "http://127.0.0.1:$port$crl"
if curl -sS --fail -o /dev/null "http://127.0.0.1:$public$crl" 2>/dev/null; then
  fail 'plain HTTP on a TLS port'
fi

# ---- alias, HTTP/1.0 ----

register alias AMF 1
new_key alias.key
openssl cmp -cmd ir -server "127.0.0.1:$port" -path /ejbca/publicweb/cmp/nf -trusted "$NFPKI_TRUST" \
  -ref "$reference" -secret "pass:$secret" -subject /CN=x -newkey alias.key -certout alias.pem \
  -reqout alias-ir.der,alias-conf.der 2>client.log || fail "alias path: $(cat client.log)"
post() { # post FILE ARGUMENT...: headers into `headers`, body into answer.der
  local file=$1
  shift
  headers=$(curl -sS -D - -o answer.der --cacert tls-ca.pem -H 'Content-Type: application/pkixcmp' \
    --data-binary "@$file" "$@" | tr -d '\r')
}
post alias-ir.der -0 "http://127.0.0.1:$port/ejbca/publicweb/cmp/nf"
grep -q '^HTTP/1.1 200 ' <<<"$headers" && grep -qi '^Connection: close' <<<"$headers" ||
  fail "HTTP/1.0: $headers"
[[ $("$bin/cmp_show" answer.der) == 'error transactionIdInUse' ]] || fail 'the replay was taken'
post alias-ir.der -0 -H 'Connection: keep-alive' "https://127.0.0.1:$public/ejbca/publicweb/cmp/nf"
grep -qi '^Connection: keep-alive' <<<"$headers" || fail "HTTP/1.0 with keep-alive: $headers"

cp "$conf" good.conf
refused_at() { # refused_at LINE-TEXT WORD: a configuration that --check names
  local out status=0
  { cat good.conf; printf '%s\n' "$1"; } >bad.conf
  out=$("$bin/nfpki-ra" --config bad.conf --check 2>&1) || status=$?
  [[ $status -eq 2 && $out == *"bad.conf:"*"$2"* ]] || fail "configuration: $status $out"
}
refused_at 'alias "/crl/x" { profile = "nf-tls" }' 'meaning already'
refused_at 'alias "/a" { profile = "no-such" }' 'no-such'
refused_at 'alias "/a" { profile = "ra-cmp" }' 'ra-cmp'
refused_at 'alias "/ejbca/publicweb/cmp/nf" { profile = "nf-tls" }' 'duplicate'

# ---- SIGHUP ----

shown() { # the serial number that a new connection sees
  openssl s_client -connect "127.0.0.1:$public" -CAfile tls-ca.pem </dev/null 2>/dev/null |
    openssl x509 -noout -serial
}
reload() { # reload: SIGHUP, then waits until it is done
  local before
  before=$(grep -c '"event":"reloaded"' "$log" || true)
  kill -HUP "$(<ra.pid)"
  until [[ $(grep -c '"event":"reloaded"' "$log") -gt $before ]]; do sleep 0.05; done
}
first=$(shown)
rm tls.key
server
renewed=$(openssl x509 -in tls.pem -noout -serial)
[[ $(shown) == "$first" ]] || fail 'renewed without being asked'
reload # the key is the old one still
[[ $(shown) == "$first" ]] && grep -q '"reload-failed".*not the certificate of the key' "$log" ||
  fail 'a certificate without its key'
install -m 600 tls.key ra/credentials/ra-tls.key
reload
[[ $(shown) == "$renewed" && $renewed != "$first" ]] || fail 'SIGHUP does not renew'
echo broken >tls.pem
reload
[[ $(shown) == "$renewed" ]] || fail 'a broken file took the certificate away'
get "https://127.0.0.1:$public$crl"
server

# ---- budgets ----

budgets() { # budgets ADDRESS REGISTRATION
  sed -E -e "s,^budget_address.*,budget_address = \"$1\"," \
    -e "s,^budget_registration.*,budget_registration = \"$2\"," plain.conf >"$conf"
  restart_ra
}
url=http://127.0.0.1:$port$path
busy() { # busy FAILINFO: the last answer was 503, an honest time, and that error
  local seconds
  seconds=$(sed -nE 's/^Retry-After: ([0-9]+)$/\1/p' <<<"$headers")
  grep -q '^HTTP/1.1 503 ' <<<"$headers" && [[ ${seconds:-0} -ge 1 && $seconds -le 100 ]] ||
    fail "over budget: $headers"
  grep -qi '^Content-Type: application/pkixcmp' <<<"$headers" || fail "no CMP answer: $headers"
  [[ $("$bin/cmp_show" answer.der) == "error $1" ]] || fail "$("$bin/cmp_show" answer.der)"
}
budgets 0.01/3 0
for _ in 1 2 3; do
  post alias-ir.der "$url"
  grep -q '^HTTP/1.1 200 ' <<<"$headers" || fail "within the budget: $headers"
done
post alias-ir.der "$url"
busy systemUnavail
curl -sS -D headers -o /dev/null "http://127.0.0.1:$port$crl"
grep -q '503' headers && grep -qi '^Retry-After: ' headers || fail 'the budget is for every request'

budgets 0.01/2 0
for _ in 1 2 3 4; do
  expect 'what is no request' 405 "$(curl -sS -o /dev/null -w '%{http_code}' -X TRACE "$url")"
done
expect 'lines of it within the budget' 2 "$(since_start | grep -c '"request-refused"')"

budgets 0 0.01/2
register twice AMF 3
enrol_twice() { # enrol_twice NAME
  new_key "$1.key"
  cmp -cmd ir -ref "$reference" -secret "pass:$secret" -subject /CN=x -newkey "$1.key" \
    -certout "$1.pem" -reqout "$1-ir.der,$1-conf.der" >client.log 2>&1
}
enrol_twice one || fail "within the registration's budget: $(cat client.log)"
for _ in 1 2 3 4 5; do # somebody sends its message again
  post one-ir.der "$url"
  [[ $("$bin/cmp_show" answer.der) == 'error transactionIdInUse' ]] || fail 'a replay'
done
enrol_twice two || fail "replays used the budget up: $(cat client.log)"
if enrol_twice three; then fail 'over the budget of the registration'; fi
post three-ir.der "$url"
busy systemUnavail
post one-ir.der "$url" # not even while it is used up: a copy is known before anybody pays for it
[[ $("$bin/cmp_show" answer.der) == 'error transactionIdInUse' ]] || fail 'a replay asks the budget'
register other AMF 1
enrol_twice other || fail "another registration has its own budget: $(cat client.log)"

# ---- nothing can be signed ----

unsent() { # unsent FILE NAME: an ir that nobody has sent yet, since its client finds nobody at port 1
  new_key "$2.key"
  openssl cmp -cmd ir -server 127.0.0.1:1 -ref "$reference" -secret "pass:$secret" -subject /CN=x \
    -newkey "$2.key" -certout "$2.pem" -reqout "$1" >/dev/null 2>&1 || true
  [[ -s $1 ]] || fail 'no ir'
}
register away AMF 1
unsent away-ir.der away
mv ra/tokens ra/tokens.away # the signer finds no token when it is started again
pkill -9 -P "$(<ra.pid)" -x nfpki-signer
post away-ir.der "$url" # what can be protected with the client's secret is: it waits (to its end: flow/ra_certificate)
[[ $("$bin/cmp_show" answer.der) == ip ]] || fail "a MAC without a signer: $("$bin/cmp_show" answer.der)"
reference=nobody
unsent stranger-ir.der stranger2
post stranger-ir.der "$url" # what the RA would have to sign is not
grep -q '^HTTP/1.1 503 ' <<<"$headers" && grep -q '^Retry-After: [1-9]' <<<"$headers" &&
  grep -q '^Content-Length: 0' <<<"$headers" || fail "no signer: $headers"
mv ra/tokens.away ra/tokens
until post stranger-ir.der "$url" && grep -q '^HTTP/1.1 200 ' <<<"$headers"; do sleep 0.2; done
[[ $("$bin/cmp_show" answer.der) == 'error badMessageCheck' ]] || fail "$("$bin/cmp_show" answer.der)"

# ---- the end ----

register last AMF 1
unsent last-ir.der last
stop_daemon ra
kill_daemon ca # the RA waits for it, for sync_wait
SOFTHSM2_CONF=$pki/ra/softhsm2.conf CREDENTIALS_DIRECTORY=$pki/ra/credentials \
  "$bin/nfpki-ra" --config "$conf" 2>last.log &
ra=$!
echo "$ra" >ra.pid
until grep -q '"event":"ready"' last.log; do
  kill -0 "$ra" || fail "the RA ended: $(cat last.log)"
  sleep 0.05
done
curl -sS -o answer.der -D last.headers --trace-ascii trace -H 'Content-Type: application/pkixcmp' \
  --data-binary @last-ir.der "$url" &
client=$!
until grep -q 'Send data' trace 2>/dev/null; do
  kill -0 "$client" || fail 'curl ended'
  sleep 0.01
done
kill -TERM "$ra"
wait "$client" || fail 'no answer to what was sent before the end'
grep -qi '^Connection: close' last.headers || fail "$(cat last.headers)"
[[ $("$bin/cmp_show" answer.der) == ip* ]] || fail "$("$bin/cmp_show" answer.der)"
status=0
wait "$ra" || status=$?
[[ $status -eq 0 ]] || fail "exit status $status: $(tail -n 3 last.log)"
grep -q '"stopped".*nothing under way' last.log || fail "$(tail -n 3 last.log)"
