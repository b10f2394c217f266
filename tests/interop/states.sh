#!/usr/bin/env bash
# Every body of CMP in every state of a transaction, against a live RA with its CA, and while the CA is
# away.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"

# many messages of one network function in a short time; what waits is told so at once
kill_daemon ra
{ grep -vE '^(budget_|sync_wait)' ra/nfpki-ra.conf
  printf 'budget_address = "10000/10000"\nbudget_registration = "10000/10000"\nsync_wait = 10000\n'
} >many.conf
cp many.conf ra/nfpki-ra.conf
start_daemon ra
register states AMF 1000
"$bin/states" "$host" "$port" "$path" "$reference" "$secret" up || fail 'with the CA'

kill_daemon ca
kill_daemon ra
sed 's/^sync_wait.*/sync_wait = 1/' many.conf >ra/nfpki-ra.conf
start_daemon ra
"$bin/states" "$host" "$port" "$path" "$reference" "$secret" down || fail 'without the CA'
start_daemon ca
audit verify >/dev/null
