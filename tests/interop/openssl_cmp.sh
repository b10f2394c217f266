#!/usr/bin/env bash
# OpenSSL's 265 cases of its own CMP client (tests/vectors/openssl-cmp) against a live RA: each has the
# result that its line says, but for those that a strict server must refuse (table in openssl_cmp.py).
bin=$1 only=${2:-}
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"
mkdir cases results
tar -xJf "$root_dir/tests/vectors/openssl-cmp/openssl-cmp-http-cases.tar.xz" -C cases --strip-components 1
mock=cases/Mock

# The device that asks has a vendor's certificate. The cases' own chain will not do: its CA certificates
# have no critical basicConstraints (RFC 5280 4.2.1.9); names and key are the same. All keys of the cases
# are one RSA key, hence one NF (R36), but for the case with a secret, which is another one's.
"$root_dir/ceremony/quickstart.sh" --dir "$pki" --stop >/dev/null
vendor=/C=AU/ST=Some-State/O=Internet\ Widgits\ Pty\ Ltd
certificate() { # certificate NAME SUBJECT KEY ISSUER USAGE...: cases/NAME.crt; ISSUER '-' for a root
  local name=$1 subject=$2 key=$3 issuer=(-CA "cases/$4.crt" -CAkey "cases/$4.key") usage=()
  [[ $4 != - ]] || issuer=()
  shift 4
  for extension in "$@"; do
    usage+=(-addext "$extension")
  done
  openssl req -x509 -new -key "$key" -subj "$subject" -days 2 "${issuer[@]}" "${usage[@]}" -out "cases/$name.crt"
}
for name in vendor-root vendor-issuing; do
  new_key cases/$name.key
done
certificate vendor-root "$vendor/CN=rootCA" cases/vendor-root.key - keyUsage=critical,keyCertSign
certificate vendor-issuing "$vendor/CN=subinterCA" cases/vendor-issuing.key vendor-root keyUsage=critical,keyCertSign
certificate device "$vendor/CN=leaf" $mock/signer.key vendor-issuing basicConstraints=critical,CA:FALSE \
  keyUsage=critical,digitalSignature
cat cases/device.crt cases/vendor-issuing.crt >$mock/signer.crt
p12() { # p12 CERTIFICATES OUT: with the key of all cases
  openssl pkcs12 -export -in "$1" -inkey $mock/signer.key -out "$2" -passout pass:12345
}
p12 $mock/signer.crt $mock/signer.p12
sed -i '/^vendor_roots/d' ra/nfpki-ra.conf
echo "vendor_roots = {\"$pki/cases/vendor-root.crt\"}" | tee -a ra/nfpki-ra.conf >>ca/nfpki-ca.conf
sed -i '/^allow_same_key_renewal/d' ca/nfpki-ca.conf
echo 'allow_same_key_renewal = true' >>ca/nfpki-ca.conf # the cases have one key for everything
echo 'retry_rejected = true' >>ca/nfpki-ca.conf           # and in three of them the client rejects what it gets
# and names that nobody registers: localhost, addresses
sed 's/^profile "nf-tls.*/&\n    unregistered_names = replace/' "$root_dir/ca/x509/nfpki-profiles.conf" >cases/profiles.conf
echo "profiles = \"$pki/cases/profiles.conf\"" | tee -a ra/nfpki-ra.conf >>ca/nfpki-ca.conf
if grep -qE '^0{31}1 ' /proc/net/if_inet6; then
  sed -i "s/^listen = .*/listen = {\"127.0.0.1:$port\", \"[::1]:$port\"}/" ra/nfpki-ra.conf
fi
start_daemon ca
start_daemon ra
domain=5gc.mnc012.mcc345.3gppnetwork.org
registration device AMF 1000 '{"kind":"vendor",
  "issuer":"CN=subinterCA,O=Internet Widgits Pty Ltd,ST=Some-State,C=AU",
  "subject":"CN=leaf,O=Internet Widgits Pty Ltd,ST=Some-State,C=AU"}'
ractl register oam/device.p7s
register secret AMF 1000
new_key $mock/secret.key

# cr, p10cr and rr are for those who have a certificate of ours already (RFC 9483 4.1.2, 4.2): one of
# another profile than the cases ask for, so that what they get is no renewal of it.
openssl cmp -cmd ir -server "$host:$port" -path "${path%/*}/nf-tls-client" -trusted "$NFPKI_TRUST" \
  -cert $mock/signer.crt -key $mock/signer.key -newkey $mock/signer.key -subject "/C=SE/O=$domain" \
  -certout cases/own.crt
cat cases/own.crt ceremony/sub-issue/issuing.cert.pem >$mock/own.crt
p12 $mock/own.crt $mock/own.p12

# What the cases know of a server (section [Mock]) is ours now.
dn() { openssl x509 -in "$1" -noout -subject -nameopt compat | sed 's/^subject=//'; }
set_mock() { # set_mock NAME VALUE: in the section that describes the server
  sed -i "/^\[Mock\]/,/^\[connection\]/s|^$1 *=.*|$1 = $2|" $mock/test.cnf
}
set_mock server_port "$port"
set_mock server_path "${path#/}"
set_mock ca_dn "$(dn ceremony/sub-issue/issuing.cert.pem)"
set_mock server_dn "$(dn ra/ra.pem)"
set_mock subject "/C=SE/O=$domain" # what our certificates say, and so what a kur must say
set_mock pbm_ref "$reference"
set_mock pbm_secret "pass:$secret"
cp ceremony/root-generate/root.cert.pem $mock/root.crt
for file in trusted signer_root; do
  cp $mock/root.crt $mock/$file.crt
done
cat $mock/root.crt >>$mock/big_root.crt
cp ceremony/sub-issue/issuing.cert.pem $mock/issuing.crt
cp ra/ra.pem $mock/server.crt
openssl req -new -key $mock/new.key -subj "/C=SE/O=$domain" -out $mock/csr.pem

python3 "$root_dir/tests/interop/openssl_cmp.py" cases results "$only"
audit verify | tee verified.log
[[ -n $only ]] || grep -q 'REJECTED 3' verified.log || fail 'not exactly three certificates were rejected'
