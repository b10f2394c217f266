#!/usr/bin/env bash
# Requests that are right but for one thing: each gets its answer and failInfo (RFC 9483 3.5, 3.6), those
# of known vulnerabilities among them, and no certificate but the one that is due.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"
issued() { audit list --json | grep -o '"serial"' | wc -l; }

mkdir credentials
register mac AMF 100
(umask 077 && echo "$reference" >credentials/mac.reference && echo "$secret" >credentials/mac.secret)
initial pinned
registration pinned AMF 100 "{\"kind\":\"certificate\",\"sha256\":\"$fingerprint\"}"
ractl register oam/pinned.p7s
cp pinned.pem pinned.key credentials

before=$(issued)
"$bin/conformance" "$host" "$port" "$path" credentials
[[ $(issued) -eq $((before + 1)) ]] || fail "$(($(issued) - before)) certificates instead of 1"
audit verify
