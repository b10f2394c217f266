#!/usr/bin/env bash
# Other people's eyes on what we issue: Go, the JDK, GnuTLS and NSS each parse and verify a certificate
# of every shipped profile and key kind and of our own processes and people, with the CRLs, and see
# in it the purposes that the profile has. Each must refuse the same certificate with one octet changed.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
source "$(dirname "$0")/../support/every_profile.sh"
source "$(dirname "$0")/../support/go.sh"
pki_start
every_profile_start
every_profile "$pki/every"
cd "$pki/every"
here=$root_dir/tests/interop/certificates

# PROFILE: is it for TLS clients, for TLS servers (Go and the JDK take no EKU at all for any purpose)
declare -A purposes=(
  [nf-tls]='client yes server yes' [nf-tls-client]='client yes server no' [nf-tls-server]='client no server yes'
  [sepp]='client yes server yes' [nrf-token]='client no server no' [cca-jwt]='client no server no'
  [n32-jwe]='client no server no' [free5gc-lab]='client yes server yes' [nf-tls-short]='client yes server yes'
  [ra-cmp]='client no server no' [registrar]='client yes server no' [officer]='client yes server yes'
)
certificates=()
for key in *.*.key; do
  certificates+=("${key%.key}.pem")
done
[[ ${#certificates[@]} -ge 29 ]] || fail "only ${#certificates[@]} certificates"

# changed FILE: changed.pem and .key, the same with the last octet of its signature another
changed() {
  openssl x509 -in "$1" -outform DER -out changed.der
  printf "\\x$(printf %02x $((0x$(tail -c 1 changed.der | od -An -tx1 | tr -d ' ') ^ 1)))" |
    dd of=changed.der bs=1 seek=$(($(stat -c %s changed.der) - 1)) conv=notrunc status=none
  openssl x509 -inform DER -in changed.der -out changed.pem
  cp "${1%.pem}.key" changed.key
}

# judge TOOL: its lines in TOOL.said, one for each certificate, say what the profiles do
judge() {
  local file
  for file in "${certificates[@]}"; do
    grep -qF "$file ${purposes[${file%%.*}]}" "$1.said" ||
      fail "$1 and $file: not '${purposes[${file%%.*}]}' but: $(grep -F "$file" "$1.said")"
  done
  echo "ok: $1 takes ${#certificates[@]} certificates"
}
refuses() { # refuses TOOL COMMAND...: the changed one
  ! "${@:2}" >refused.txt 2>&1 || fail "$1 takes a certificate whose signature is wrong"
  echo "ok: $1 refuses what was changed: $(grep -m 1 -iE 'signature|not verified|verification' refused.txt)"
}
changed nf-tls.P-256.pem

# ---- Go --------------------------------------------------------------------------------------------

go_build "$pki/go-certificates" "$here/certificates.go"
in_go() { "$pki/go-certificates" root.pem issuing.pem issuing.crl "$@"; }
in_go "${certificates[@]}" >Go.said
judge Go
refuses Go in_go changed.pem

# ---- JDK -------------------------------------------------------------------------------------------

javac -Xlint:all -Werror -d "$pki/classes" "$here/Certificates.java"
in_java() {
  java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$pki/classes" Certificates root.pem issuing.pem root.crl \
    issuing.crl "$@"
}
in_java "${certificates[@]}" >JDK.said
judge JDK
refuses JDK in_java changed.pem

# ---- GnuTLS ----------------------------------------------------------------------------------------

# certtool goes on after what it cannot read, and says so in its text alone
in_gnutls() { # in_gnutls CERTIFICATE
  cat "$1" issuing.pem root.pem >chain.pem
  certtool --verify --load-ca-certificate root.pem --infile chain.pem >verified.txt 2>&1 &&
    grep -q 'Chain verification output: Verified' verified.txt || { cat verified.txt; return 1; }
  certtool --certificate-info --infile "$1" >info.txt 2>&1 && ! grep -iE '(^|[^a-z])error' info.txt
}
for file in "${certificates[@]}"; do
  in_gnutls "$file" || fail "GnuTLS and $file"
  client=no server=no
  if grep -q 'TLS WWW Client' info.txt || ! grep -q 'Key Purpose' info.txt; then client=yes; fi
  if grep -q 'TLS WWW Server' info.txt || ! grep -q 'Key Purpose' info.txt; then server=yes; fi
  echo "$file client $client server $server"
done >GnuTLS.said
judge GnuTLS
refuses GnuTLS in_gnutls changed.pem
for who in root issuing; do
  openssl crl -inform DER -in "$who.crl" -out "$who.crl.pem"
  certtool --verify-crl --load-ca-certificate "$who.pem" --infile "$who.crl.pem" >crl.txt 2>&1
  grep -q 'Verification output: Verified' crl.txt || fail "GnuTLS and the CRL of $who: $(cat crl.txt)"
done

# ---- NSS -------------------------------------------------------------------------------------------

# What is no TLS certificate has no usage that NSS knows, so it verifies none of it; it must read it.
nss=$pki/nss
mkdir "$nss"
certutil -N -d "$nss" --empty-password
certutil -A -d "$nss" -n root -t CT,C,C -a -i root.pem
certutil -A -d "$nss" -n issuing -t ,, -a -i issuing.pem
for who in root issuing; do
  crlutil -I -d "$nss" -i "$who.crl"
done
in_nss() { # in_nss CERTIFICATE C|V: as TLS client, as TLS server
  certutil -V -e -d "$nss" -n "$1" -u "$2"
}
# Its old check of servers asks keyEncipherment of an RSA key, as for TLS before 1.3; TS 33.310 6.1.3c.3
# has digitalSignature only. Such a certificate is read here, and verified as a client's where it is one.
for file in "${certificates[@]}"; do
  certutil -A -d "$nss" -n "$file" -t ,, -a -i "$file"
  certutil -L -d "$nss" -n "$file" >nss.txt
  grep -q 'Signed Extensions' nss.txt && ! grep -iE '(^|[^a-z])error' nss.txt || fail "NSS and $file: $(cat nss.txt)"
  client=no server=no
  if in_nss "$file" C >/dev/null; then client=yes; fi
  if in_nss "$file" V >server.txt 2>&1; then
    server=yes
  elif [[ $file == *.RSA-* && $(<server.txt) == *'key usage inadequate'* ]]; then
    server=${purposes[${file%%.*}]##* }
  fi
  echo "$file client $client server $server"
done >NSS.said
judge NSS
certutil -D -d "$nss" -n nf-tls.P-256.pem
certutil -A -d "$nss" -n changed.pem -t ,, -a -i changed.pem
refuses NSS in_nss changed.pem C
