#!/usr/bin/env bash
# Initial trust by registration: each kind of proof that needs no vendor (vendor.sh has that one), and
# what an operator is told when something is not right.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"

# enrol NAME KEY [ARGUMENT...]: NAME.{key,crt} protects, KEY is asked for; sets $said. The client leaves
# its own certificate out of extraCerts when that is self-signed, unless it is told to send it.
enrol() {
  local name=$1 key=$2 status=0
  shift 2
  rm -f answer.der nf.pem
  cmp -cmd ir -cert "$name.crt" -key "$name.key" -extracerts "$name.crt" -subject /CN=x -newkey "$key" -certout nf.pem \
    -rspout answer.der,confirmed.der "$@" >enrol.log 2>&1 || status=$?
  said=$("$bin/cmp_show" answer.der)
  return "$status"
}
refused() { # refused 'what' WANTED NAME KEY
  if enrol "$3" "$4"; then
    fail "$1: enrolled"
  fi
  [[ $said == "$2" && ! -s nf.pem ]] || fail "$1: expected '$2', got '$said'"
  echo "ok: $1: $said"
}
self_signed() { # self_signed NAME: NAME.{key,crt}; sets $key_hash
  new_key "$1.key"
  openssl req -x509 -new -key "$1.key" -subj "/CN=$1" -days 2 -addext basicConstraints=critical,CA:FALSE \
    -addext keyUsage=critical,digitalSignature -out "$1.crt"
  key_hash=$(openssl pkey -in "$1.key" -pubout -outform DER | sha256sum | cut -d' ' -f1)
}
serial_of_last() { audit list --json | tail -n 1 | sed -nE 's/.*"serial":"([0-9a-f]+)".*/\1/p'; }

# publicKey: the key that protects the request is the registered one, and is what is asked for
self_signed keyed
registration keyed AMF 1 "{\"kind\":\"publicKey\",\"sha256\":\"$key_hash\"}"
ractl register oam/keyed.p7s
self_signed stranger
refused 'a key that nobody registered' 'error signerNotTrusted' stranger stranger.key
refused 'the registered key, but another is asked for' 'ip notAuthorized' keyed stranger.key
enrol keyed keyed.key || fail "the registered key: $(cat enrol.log)"
openssl verify -CAfile "$NFPKI_TRUST" -untrusted nf/chain.pem nf.pem
[[ $(openssl x509 -in nf.pem -noout -pubkey) == "$(openssl pkey -in keyed.key -pubout)" ]] || fail 'another key was certified'
audit show --json "$(serial_of_last)" | finds '"assurance": *"signature"' ||
  fail 'the record does not say that a signature stood for it'
refused 'used up' 'ip notAuthorized' keyed keyed.key

# the same key under another certificate is the same proof: the key is what was registered
self_signed renamed
registration renamed SMF 1 "{\"kind\":\"publicKey\",\"sha256\":\"$key_hash\"}"
ractl register oam/renamed.p7s
openssl req -x509 -new -key renamed.key -subj /CN=another -days 1 -addext basicConstraints=critical,CA:FALSE \
  -addext keyUsage=critical,digitalSignature -out renamed.crt
enrol renamed renamed.key || fail "the registered key in another certificate: $(cat enrol.log)"

# a registration for a certificate does not take a MAC, and one for a MAC takes no certificate
register shared AMF 1
if enrol stranger stranger.key -ref "$reference"; then
  fail 'a stranger enrolled with a reference in senderKID'
fi
audit verify
