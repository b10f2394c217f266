#!/usr/bin/env bash
# tshark, whose CMP dissector is nobody's of ours, reads every kind of message that we send, from the
# octets that went over the wire, without a complaint, and sees in them what was meant.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"

python3 "$root_dir/tests/interop/relay.py" relay.port "$host" "$port" all.pcap &
relay=$!
trap 'kill "$relay"; pki_end' EXIT
for ((i = 0; i < 300; i++)); do
  [[ -s relay.port ]] && break
  sleep 0.1
done
ra=127.0.0.1:$(<relay.port)
through() { openssl cmp -server "$ra" -path "$path" -trusted "$NFPKI_TRUST" -subject /CN=x "$@"; }
post() { curl -sS -o answer.der -H 'Content-Type: application/pkixcmp' --data-binary "@$1" "http://$ra$2"; }
key() { new_key "$1.key" && echo "$1.key"; }
wanted=()

# by MAC, then the same again, then once too often
register first AMF 1
mac=(-ref "$reference" -secret "pass:$secret")
through -cmd ir "${mac[@]}" -newkey "$(key first)" -certout first.pem -reqout ir.der,certconf.der
wanted+=(ir ip certConf pkiconf)
post ir.der "$path"
wanted+=(ir error)
through -cmd ir "${mac[@]}" -newkey "$(key second)" -certout second.pem && fail 'used up, and enrolled'
wanted+=(ir ip)

# by signature, implicitly confirmed
initial initial
registration pinned AMF 1 "{\"kind\":\"certificate\",\"sha256\":\"$fingerprint\"}"
ractl register oam/pinned.p7s
through -cmd ir -cert initial.pem -key initial.key -implicit_confirm -newkey "$(key pinned)" -certout pinned.pem
wanted+=(ir ip)

# with a certificate of ours: another one, in both forms, a renewal, and what genm asks for
register holder AMF 5
client=(-path "${path%/*}/nf-tls-client") # so that what the others ask for is no renewal of it
through -cmd ir "${client[@]}" -ref "$reference" -secret "pass:$secret" -newkey "$(key holder)" \
  -certout holder.pem
wanted+=(ir ip certConf pkiconf)
own=(-cert holder.pem -key holder.key)
through -cmd cr "${own[@]}" -newkey "$(key cr)" -certout cr.pem
wanted+=(cr cp certConf pkiconf)
subject=$(openssl x509 -in holder.pem -noout -subject -nameopt compat | sed 's/^subject=//')
openssl req -new -key "$(key p10)" -subj "$subject" -out p10.csr
through -cmd p10cr "${own[@]}" -csr p10.csr -certout p10.pem
wanted+=(p10cr cp certConf pkiconf)
through -cmd kur "${client[@]}" "${own[@]}" -subject "$subject" -newkey "$(key kur)" -certout kur.pem
wanted+=(kur kup certConf pkiconf)
for type in caCerts signKeyPairTypes currentCRL; do
  through -cmd genm -infotype "$type" -cert kur.pem -key kur.key
  wanted+=(genm genp)
done

through -cmd rr -cert kur.pem -key kur.key -oldcert kur.pem -revreason 1
wanted+=(rr rp)

# the CA is away: waiting, pollReq, pollRep, and the certificate
register late AMF 1
kill_daemon ca
through -cmd ir -ref "$reference" -secret "pass:$secret" -newkey "$(key late)" -certout late.pem -total_timeout 120 \
  -rspout late1.der,late2.der,late3.der,late4.der,late5.der,late6.der,late7.der,late8.der &
client=$!
for ((i = 0; i < 600; i++)); do
  [[ -s late2.der ]] && break
  sleep 0.1
done
start_daemon ca
wait "$client"
wanted+=(ir ip 'pollReq pollRep' pollReq ip certConf pkiconf)

[[ -z ${CAPTURE:-} ]] || cp all.pcap "$CAPTURE" # to look at it
said=$(python3 "$root_dir/tests/interop/dissect.py" all.pcap "$port") || fail "tshark complains; it read: $said"
said=$(sed -E 's/(pollReq pollRep )+/pollReq pollRep /' <<<"$said")
[[ $said == "${wanted[*]}" ]] || fail "tshark reads '$said', sent was '${wanted[*]}'"
echo "ok: $said"
