#!/usr/bin/env bash
# HTTP on both live fronts, octet by octet: every form that a client may write a request in, everything
# that is refused all the same (the list of nfpki-ra.conf(5)), idle connections that hold all places, and
# what caches are told about CRLs.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
source "$(dirname "$0")/../support/admin.sh"
pki_start
cd "$pki"
admin_start
registration raw AMF 1 '{"kind":"mac"}'
ractl register oam/raw.p7s >/dev/null
raw() { REPOSITORY=$root_dir python3 "$root_dir/tests/flow/http.py" "$@"; }

raw taken cmp="$port" admin="$admin_port"
raw refused cmp="$port" admin="$admin_port"

# ---- CRLs ----

crl=http://$host:$port/crl/issuing.crl
get() { # get CURL-ARGUMENT...: sets $status, and $size of the content; headers in `headers`, without CR
  read -r status size < <(curl -sS -D headers.raw -o content -w '%{http_code} %{size_download}\n' "$@" "$crl")
  tr -d '\r' <headers.raw >headers
}
field() { sed -nE "s/^$1: (.*)$/\1/ip" headers; }
get
expect 'the CRL' 200 "$status"
expect 'its type' application/pkix-crl "$(field content-type)"
etag=$(field etag)
expect 'ETag' "\"$(openssl dgst -sha256 -r crl/issuing.crl | cut -d' ' -f1)\"" "$etag"
expect 'Cache-Control' 'max-age=60, must-revalidate' "$(field cache-control)"
get -I
expect 'HEAD' 200 "$status"
expect 'its Content-Length' "$(stat -c %s crl/issuing.crl)" "$(field content-length)"
expect 'its ETag' "$etag" "$(field etag)"
expect 'no content' 0 "$size"
get -H "If-None-Match: $etag"
expect 'If-None-Match' 304 "$status"
expect 'content of a 304' 0 "$size"
expect 'ETag of a 304' "$etag" "$(field etag)"
expect 'Cache-Control of a 304' 'max-age=60, must-revalidate' "$(field cache-control)"
get -H "If-None-Match: \"other\", W/$etag"
expect 'a list' 304 "$status"
get -H 'If-None-Match: *'
expect 'any' 304 "$status"
get -I -H "If-None-Match: $etag"
expect 'HEAD with a condition' 304 "$status"
get -H 'If-None-Match: "other"' -H "If-Modified-Since: $(date -uR -d '-1 second' | sed 's/+0000/GMT/')"
expect 'the tag decides' 200 "$status"
# the second in which the file came to be there is over by now, or it will be
until get && modified=$(field last-modified) && [[ $(field date) != "$modified" ]]; do sleep 0.1; done
get -H "If-Modified-Since: $modified"
expect 'If-Modified-Since' 304 "$status"
get -H "If-Modified-Since: $(date -uR -d "$modified - 1 second" | sed 's/+0000/GMT/')"
expect 'a second earlier' 200 "$status"
get -H 'If-Modified-Since: yesterday'
expect 'no date' 200 "$status"

# two CRLs may share a second: here they differ in nothing but the entry and the signature
cp crl/issuing.crl before.crl
register shared AMF 1
new_key shared.key
cmp -cmd ir -ref "$reference" -secret "pass:$secret" -subject /CN=x -newkey shared.key -certout shared.pem
number() { openssl crl -inform DER -in crl/issuing.crl -noout -crlnumber; }
old=$(number)
serial=$(openssl x509 -in shared.pem -noout -serial | cut -d= -f2 | tr A-F a-f)
cactl revoke --reason keyCompromise "$serial" >/dev/null
until [[ $(number) != "$old" ]]; do sleep 0.05; done
get -H "If-None-Match: $etag"
expect 'a revocation, by its tag' 200 "$status"
[[ $(field etag) != "$etag" ]] || fail 'two CRLs with one tag'
get -H "If-Modified-Since: $modified"
expect 'a revocation, by its date' 200 "$status"
# the clock of a client that goes by the time of its own request, which is later than thisUpdate
asked=$(field date)
cp crl/issuing.crl next.crl && mv next.crl crl/issuing.crl
get -H "If-Modified-Since: $asked"
expect 'another file in the same second, or later' 200 "$status"

for method in POST DELETE; do
  get -X "$method" -H 'Content-Length: 0'
  expect "$method of a CRL" 405 "$status"
done
get -X POST -H 'Content-Length: 0'
expect 'Allow of a CRL' 'GET, HEAD' "$(field allow)"
crl=http://$host:$port$path get
expect 'GET of CMP' '405 POST' "$status $(field allow)"
crl=http://$host:$port$path get -I
expect 'HEAD of CMP' '405 POST' "$status $(field allow)"
crl=http://$host:$port/crl/none.crl get -I
expect 'HEAD of nothing' 404 "$status"

# ---- the administrators' HEAD ----

list=https://127.0.0.1:$admin_port/v1/registrations
expect 'HEAD of the list' 200 "$(admin -I -o headers -w '%{http_code}' "$list")"
expect 'as long as GET' "$(admin "$list" | wc -c)" "$(sed -nE 's/^Content-Length: ([0-9]+).*/\1/p' headers)"
grep -qi '^Cache-Control: no-store' headers || fail 'registrations in a cache'
expect 'HEAD of an import' 405 "$(admin -I -o headers -w '%{http_code}' "https://127.0.0.1:$admin_port/v1/imports")"

# ---- never beyond nextUpdate, and by option ----

short_crl() { # short_crl SECONDS: served as test.crl; nextUpdate so many seconds from now
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj /CN=crl -days 2 -keyout c.key -out c.pem 2>/dev/null
  : >c.index
  printf '[ca]\ndefault_ca = c\n[c]\ndatabase = c.index\ndefault_md = sha256\ncrl_extensions = x\n[x]\nauthorityKeyIdentifier = keyid\n' >c.conf
  openssl ca -config c.conf -gencrl -cert c.pem -keyfile c.key -crlsec "$1" -out c.crl 2>/dev/null
  openssl crl -in c.crl -outform DER -out crl/test.crl
}
short_crl 30
crl=http://$host:$port/crl/test.crl get
age=$(field cache-control | sed -nE 's/^max-age=([0-9]+), must-revalidate$/\1/p')
[[ ${age:-99} -ge 1 && $age -le 30 ]] || fail "nextUpdate in 30 s: $(field cache-control)"
short_crl 1
crl=http://$host:$port/crl/test.crl
until get && [[ $(field cache-control) == no-cache ]]; do sleep 0.2; done # it is over in a second
crl=http://$host:$port/crl/issuing.crl
cp ra/nfpki-ra.conf usual.conf
echo 'crl_max_age = 0' >>ra/nfpki-ra.conf
restart ra
get
expect 'crl_max_age = 0' no-cache "$(field cache-control)"
stop_daemon ra
cp usual.conf ra/nfpki-ra.conf
for wrong in -1 86401; do
  sed "\$acrl_max_age = $wrong" usual.conf >ra/wrong.conf
  ! "$bin/nfpki-ra" --config ra/wrong.conf --check 2>wrong.txt || fail "crl_max_age = $wrong"
  grep -q crl_max_age wrong.txt || fail "$(<wrong.txt)"
done

# ---- places ----

(ulimit -n 512 && start_daemon ra) # 384 connections, 96 for one address
raw short admin="$admin_port" 150
raw short cmp="$port" 130
grep -q '"connections-short","text":"[0-9]* connections without' log/nfpki-ra.log || fail 'nobody is told that places run short'
grep -q '"connections-short","text":"[0-9]* administrators' log/nfpki-ra.log || fail 'nor of those of administrators'
[[ $(grep -c connections-short log/nfpki-ra.log) -lt 10 ]] || fail 'told too often'
