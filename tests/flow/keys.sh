#!/usr/bin/env bash
# No private key outside the token directories; the attributes that another PKCS #11 tool sees; each
# host's configuration reaches its own tokens only.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"
module=/usr/lib/softhsm/libsofthsm2.so

# NF and registrar keys are theirs to keep; what is ours is on a token, and nowhere as PEM or DER
found=$(grep -rlE 'PRIVATE KEY' --exclude-dir=tokens . | grep -vE '^\./(nf/key.pem|oam/registrar.key)$' || true)
[[ -z $found ]] || fail "private keys outside the tokens: $found"
for host in root ca ra; do
  [[ -n $(ls -A "$host/tokens") ]] || fail "$host has no token"
done
# PINs and secrets are in no log, no configuration, no argument, no environment of a daemon
while read -r pin; do
  value=$(cat "$pin")
  found=$(grep -rlF --exclude-dir=tokens -- "$value" . | grep -v '/credentials/' || true)
  [[ -z $found ]] || fail "$pin stands in $found"
  for pid in $(pgrep -f "$bin/nfpki.*$pki"); do
    if grep -qaF -- "$value" "/proc/$pid/cmdline" "/proc/$pid/environ"; then
      fail "$pin is visible in process $pid"
    fi
  done
done < <(find . -path '*/credentials/*pin')

objects() { # objects HOST TOKEN: what pkcs11-tool lists with that host's configuration
  SOFTHSM2_CONF=$pki/$1/softhsm2.conf pkcs11-tool --module $module --token-label "$2" --login \
    --pin "$(cat ./*/credentials/"$2.pin")" --list-objects 2>/dev/null
}
for row in 'root nfpki-root' 'ca nfpki-issuing' 'ra nfpki-ra'; do
  read -r host token <<<"$row"
  listing=$(objects "$host" "$token")
  [[ $listing == *'Private Key Object'* ]] || fail "$token: no private key: $listing"
  while read -r usage; do
    [[ $usage == 'Usage: sign' || $usage == 'Usage: verify' ]] || fail "$token: $usage"
  done < <(sed '/^Secret Key/,/^[A-Z]/{/Usage:/d}' <<<"$listing" | grep -o 'Usage:.*' | sed -E 's/ +/ /g')
  # pkcs11-tool does not show that a secret key may sign, which is all that ours may
  while read -r usage; do
    [[ $host != root && $usage == 'Usage: none' ]] || fail "$token: secret key: $usage"
  done < <(sed -n '/^Secret Key/,/^[A-Z]/p' <<<"$listing" | grep -o 'Usage:.*' | sed -E 's/ +/ /g')
  access=$(grep 'Access:' <<<"$listing" | grep -v 'Access: *local' || true)
  [[ $access == *'always sensitive'* && $access == *'never extractable'* ]] || fail "$token: $access"
  echo "ok: $token: sign only, always sensitive, never extractable"
done
[[ $(objects root nfpki-root) == *'always authenticate'* ]] || fail 'the root key does not ask for each signature'
if objects ca nfpki-root | finds Object; then
  fail "the CA host reaches the root's token"
fi
