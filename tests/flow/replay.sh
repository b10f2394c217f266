#!/usr/bin/env bash
# Messages again (RFC 9483 3.5): the same octets, and another kind of MAC inside a transaction. How long
# the RA remembers, and that it forgets then.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"
say() { "$bin/cmp_say" --reference "$reference" --secret "$secret" "$@" "$host" "$port" "$path" 2>text.txt; }
holder() { "$bin/cmp_say" --certificate nf/cert.pem --key nf/key.pem "$@" "$host" "$port" "$path" 2>text.txt; }
post() { # post FILE: its octets again
  curl -sS -o again.der -H 'Content-Type: application/pkixcmp' --data-binary "@$1" "$NFPKI_CMP_URL"
  "$bin/cmp_show" again.der
}
sql() { sqlite3 -cmd '.timeout 5000' ra/state/ra.db "$1"; } # while the RA is stopped
seen() { sql "SELECT max(until) FROM seen WHERE identity LIKE '$1:%'"; }

sed -i '/^expired_renewal_days/d' ra/nfpki-ra.conf
echo 'expired_renewal_days = 30' >>ra/nfpki-ra.conf
kill_daemon ra
start_daemon ra
register repeats AMF 9
path=/.well-known/cmp/p/nf-tls

# one kind of MAC through a transaction; what is wrong does no harm
printf '\x30\x05\x30\x03\x02\x01\x00' >poll.der
for kinds in ':--pbmac1' '--pbmac1:'; do
  # shellcheck disable=SC2086
  expect "ir ${kinds%:*}" 'ip mac pvno 2' "$(say --body ir ${kinds%:*} --out ip.der --request-out ir.der)"
  # shellcheck disable=SC2086
  expect "pollReq ${kinds#*:}" 'error wrongIntegrity signature pvno 2' \
    "$(say --body pollReq --content poll.der ${kinds#*:} --continue ip.der)"
  # shellcheck disable=SC2086
  expect "pollReq ${kinds%:*}" 'ip mac pvno 2' "$(say --body pollReq --content poll.der ${kinds%:*} --continue ip.der)"
  expect 'the same octets' 'error transactionIdInUse' "$(post ir.der)"
done

# a client that lost our only answer polls without recipNonce; copies of that poll do it no harm
expect 'ir' 'ip mac pvno 2' "$(say --body ir --out lost.der)"
expect 'a poll without recipNonce' 'ip mac pvno 2' \
  "$(say --body pollReq --content poll.der --continue lost.der --no-nonce --request-out first-poll.der --out polled.der)"
for _ in 1 2 3; do
  expect 'the same poll' ip "$(post first-poll.der)"
done
expect 'its client goes on' 'ip mac pvno 2' "$(say --body pollReq --content poll.der --continue polled.der)"

# remembered for as long as it could be sent again: a week with messageTime, else as long as what signed
# it can sign what is taken here
expect 'with messageTime' 'genp mac pvno 2' "$(say --info 17 --request-out timed.der)"
expect 'without messageTime' 'genp mac pvno 2' "$(say --info 17 --no-time --pbmac1 --request-out timeless.der)"
expect 'a holder, without messageTime' 'genp signature pvno 2' "$(holder --info 17 --no-time --request-out holder.der)"
end=$(($(date -d "$(openssl x509 -in nf/cert.pem -noout -enddate | cut -d= -f2)" +%s) + 30 * 86400))
kill_daemon ra
close_ra
[[ $(seen cert) -eq $end ]] || fail "a holder's message is remembered until $(seen cert), not until $end"
start_daemon ra
for file in timed timeless holder; do
  expect "$file, after a kill" 'error transactionIdInUse' "$(post $file.der)"
done

# and forgotten: nothing that clients send stays for ever
stop_daemon ra
rows() { sql 'SELECT (SELECT count(*) FROM seen) + (SELECT count(*) FROM enrolment) + (SELECT count(*) FROM issued) + (SELECT count(*) FROM queue)'; }
[[ $(rows) -gt 8 ]] || fail "$(rows) rows before"
edit_rows 'UPDATE seen SET until = 1; UPDATE enrolment SET until = 1, confirm_by = CASE state WHEN 2 THEN 1 ELSE confirm_by END'
for ((i = 0; i < 300; i++)); do
  [[ $(post timed.der) == genp* ]] && break
  sleep 0.2
done
stop_daemon ra
# the last entry of the queue, which the next one chains, its enrolment, and what was asked just now
[[ $(rows) -le 3 ]] || fail "$(rows) rows are never forgotten"
echo "ok: $(rows) rows are left"
start_daemon ra
expect 'an enrolment after that' 'ip mac pvno 2' "$(say --body ir)"
audit verify >/dev/null
