#!/usr/bin/env bash
# What network functions sign with: each kind of key and signature that is taken gets a certificate,
# pinned and by a vendor's root, each other one its failInfo (RFC 9483 3.5, RFC 9481 3). OpenSSL's
# client where it can sign so, ours else.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"

key() { # key NAME KIND
  local options=()
  case $2 in
  P-*) options=(-algorithm EC -pkeyopt "ec_paramgen_curve:$2") ;;
  RSA-PSS-*) options=(-algorithm RSA-PSS -pkeyopt "rsa_keygen_bits:${2#RSA-PSS-}") ;;
  RSA-*) options=(-algorithm RSA -pkeyopt "rsa_keygen_bits:${2#RSA-}") ;;
  secp*) options=(-algorithm EC -pkeyopt "ec_paramgen_curve:$2") ;;
  *) options=(-algorithm "$2") ;;
  esac
  openssl genpkey "${options[@]}" -out "$1.key" 2>/dev/null
}
certificate() { # certificate NAME SUBJECT EXTENSION [ARGUMENT...]: of $1.key
  local name=$1 subject=$2 usage=$3
  shift 3
  openssl req -x509 -new -key "$name.key" -subj "$subject" -days 2 -addext "keyUsage=critical,$usage" "$@" -out "$name.pem"
}
root() { # root NAME KIND [ARGUMENT...]
  local name=$1
  key "$name" "$2"
  shift 2
  certificate "$name" "/O=Vendor $name/CN=Root" keyCertSign,cRLSign "$@"
}
device() { # device NAME KIND ROOT [ARGUMENT...]
  local name=$1 root=$3
  key "$name" "$2"
  shift 3
  certificate "$name" "/O=Vendor $root/CN=$name" digitalSignature -CA "$root.pem" -CAkey "$root.key" \
    -addext basicConstraints=critical,CA:FALSE "$@"
}
vendor() { # vendor NAME ROOT: registered by issuer and subject
  registration "$1" AMF 2 "{\"kind\":\"vendor\",\"issuer\":\"CN=Root,O=Vendor $2\",\"subject\":\"CN=$1,O=Vendor $2\"}"
  ractl register "$pki/oam/$1.p7s" >/dev/null
}
pinned() { # pinned NAME: registered by its fingerprint
  registration "$1" AMF 2 "{\"kind\":\"certificate\",\"sha256\":\"$(openssl x509 -in "$1.pem" -outform DER | sha256sum | cut -d' ' -f1)\"}"
  ractl register "$pki/oam/$1.p7s" >/dev/null
}
enrols() { # enrols NAME [ARGUMENT...]: with the real client
  local name=$1
  shift
  new_key "$name-nf.key"
  cmp -cmd ir -cert "$name.pem" -key "$name.key" -subject /CN=x -newkey "$name-nf.key" -certout "$name-nf.pem" "$@" \
    >"$name.log" 2>&1 || fail "$name: $(<"$name.log")"
  openssl verify -CAfile "$NFPKI_TRUST" -untrusted nf/chain.pem "$name-nf.pem" >/dev/null
  echo "ok: $name enrols"
}
says() { # says NAME WANTED: with ours
  local got
  got=$("$bin/cmp_say" --certificate "$1.pem" --key "$1.key" --body ir "$host" "$port" "$path" 2>said.txt)
  [[ $got == "$2 signature pvno 2" ]] || fail "$1: expected '$2', got '$got'"
  echo "ok: $1: $got"
}
refused() { # refused NAME WANTED ARGUMENT...: with the real client
  local name=$1 wanted=$2
  shift 2
  new_key refused.key
  rm -f answer.der
  if cmp -cmd ir -cert "$name.pem" -key "$name.key" -subject /CN=x -newkey refused.key -certout refused.pem \
    -rspout answer.der "$@" >"$name.log" 2>&1; then
    fail "$name $*: enrolled"
  fi
  [[ $("$bin/cmp_show" answer.der) == "$wanted" && ! -e refused.pem ]] ||
    fail "$name $*: expected '$wanted', got '$("$bin/cmp_show" answer.der)'"
  echo "ok: $name $*: $wanted"
}

# roots whose own keys are of each kind, and devices below them whose keys are
declare -A digest=([P-384]=384 [P-521]=512)
kinds=(P-256 P-384 P-521 RSA-2048 RSA-PSS-2048 ED25519 ED448)
sed -i '/^vendor_roots/d' ra/nfpki-ra.conf ca/nfpki-ca.conf
for kind in "${kinds[@]}"; do
  root "$kind" "$kind"
  device "vendor-$kind" "$kind" "$kind"
  device "pinned-$kind" "$kind" "$kind"
  roots+=", \"$pki/$kind.pem\""
done
echo "vendor_roots = {${roots#, }}" | tee -a ra/nfpki-ra.conf >>ca/nfpki-ca.conf
kill_daemon ca
kill_daemon ra
start_daemon ca
start_daemon ra
for kind in "${kinds[@]}"; do
  vendor "vendor-$kind" "$kind"
  pinned "pinned-$kind"
  for name in "vendor-$kind" "pinned-$kind"; do
    case $kind in
    P-384 | P-521) enrols "$name" -digest "sha${digest[$kind]}" ;;
    P-* | RSA-2048) enrols "$name" ;;
    *) ;; # this client cannot sign so
    esac
    says "$name" ip
  done
done

# what is too weak, wherever it stands
device sha1 P-256 P-256
vendor sha1 P-256
refused sha1 'error badAlg' -digest sha1
device sha1-rsa RSA-2048 RSA-2048
vendor sha1-rsa RSA-2048
refused sha1-rsa 'error badAlg' -digest sha1
device weak RSA-1024 RSA-2048
pinned weak
refused weak 'error badAlg'
device signed-sha1 P-256 RSA-2048 -sha1
vendor signed-sha1 RSA-2048
refused signed-sha1 'error signerNotTrusted'
device curve secp256k1 P-256
pinned curve
refused curve 'error badAlg'
audit verify >/dev/null
