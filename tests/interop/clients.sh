#!/usr/bin/env bash
# What other people's clients send: gencmpclient, CmpRaComponent's, base stations of RFC 4210 on a
# listener of their own (cmp_strictness), each taken where it may come and nowhere else.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"

cat >>ra/nfpki-ra.conf <<'CONF'
plain "base-stations" {
    listen = {"127.0.0.1:0"}
    cmp_strictness = "rfc4210"
}
CONF
sed -i 's/^message_time_required.*/message_time_required = true/' ra/nfpki-ra.conf
grep -q '^message_time_required = true' ra/nfpki-ra.conf || echo 'message_time_required = true' >>ra/nfpki-ra.conf
kill_daemon ra
since=$(stat -c %s log/nfpki-ra.log)
start_daemon ra
ports=$(tail -c +$((since + 1)) log/nfpki-ra.log | sed -nE 's/.*"event":"listening","text":"127.0.0.1:([0-9]+)".*/\1/p')
old=$(sed -n 1p <<<"$ports") # sections come first
[[ $(wc -l <<<"$ports") -eq 2 && $old != "$port" ]] || fail "two listeners are not there: $ports"
grep -qx "$port" <<<"$ports" || fail "the RA is not where it was: $ports"

mkdir credentials
register mac AMF 100
(umask 077 && echo "$reference" >credentials/mac.reference && echo "$secret" >credentials/mac.secret)
for name in pinned second; do
  initial "$name"
  registration "$name" AMF 100 "{\"kind\":\"certificate\",\"sha256\":\"$fingerprint\"}"
  ractl register "oam/$name.p7s"
  cp "$name.pem" "$name.key" credentials
done
register held AMF 1
new_key credentials/held.key
cmp -cmd ir -ref "$reference" -secret "pass:$secret" -subject /CN=x -newkey credentials/held.key -certout credentials/held.pem
for of in ra issuing; do
  openssl x509 -in "$(sed -nE "s/^${of}_certificate = \"(.*)\"/\1/p" ra/nfpki-ra.conf)" -out "credentials/$of.pem"
done
"$bin/clients" "$host" "$port" "$old" "$path" credentials
audit verify
