# One certificate of every shipped profile and key kind, and of our own processes and people, for
# those who look at certificates with other eyes than ours. Sourced after pki.sh.
# shellcheck shell=bash disable=SC2154

# every_profile_start: the PKI goes on with the shipped file of profiles, all of them allowed
every_profile_start() {
  sed '/^profile "nf-tls-short"/,/^}/s/enabled = false/enabled = true/' \
    "$root_dir/ca/x509/nfpki-profiles.conf" >"$pki/profiles.conf"
  for host_of in ca ra; do
    echo "profiles = \"$pki/profiles.conf\"" >>"$pki/$host_of/nfpki-$host_of.conf"
  done
  echo 'lab_profiles = true' >>"$pki/ca/nfpki-ca.conf"
  # what the signer of the issuing key must allow for them (nfpki-signer.conf(5))
  sed -i 's/^    max_validity = 1095/&\n    key_usage = {"digitalSignature", "keyEncipherment"}\n    wildcard = true\n    no_rev_avail = true/' \
    "$pki/ca/issuing-signer.conf"
  restart_both
}

every_key() { # every_key FILE P-256|P-384|RSA-bits
  case $2 in
    RSA-*) openssl genpkey -algorithm RSA -pkeyopt "rsa_keygen_bits:${2#RSA-}" -out "$1" 2>/dev/null ;;
    *) openssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:$2" -out "$1" 2>/dev/null ;;
  esac
}

# every_registration NAME TYPE PROFILES-JSON FQDNS-JSON [MEMBER]: for four certificates; sets $reference and
# $secret, or fails with why in $said
every_registration() {
  local answer
  cat >"$pki/oam/$1.json" <<JSON
{"version":1,"nfInstanceId":"$(</proc/sys/kernel/random/uuid)","nfTypes":["$2"],"fqdns":$4,
 "homeDomain":"5gc.mnc012.mcc345.3gppnetwork.org","country":"SE",${5:-}"profiles":$3,
 "certificates":4,"proof":{"kind":"mac"},
 "notBefore":"$(date -u -d '-1 minute' +%Y-%m-%dT%H:%M:%SZ)",
 "notAfter":"$(date -u -d '+1 day' +%Y-%m-%dT%H:%M:%SZ)"}
JSON
  sign_registration "$1"
  answer=$(ractl register --json "$pki/oam/$1.p7s" 2>&1) || { said=$answer; return 1; }
  reference=$(sed -nE 's/.*"reference": *"([^"]*)".*/\1/p' <<<"$answer")
  secret=$(sed -nE 's/.*"secret": *"([^"]*)".*/\1/p' <<<"$answer")
}

# every_profile DIR: DIR/PROFILE.KIND.pem and .key each, DIR/{root,issuing}.pem, DIR/{root,issuing}.crl (DER)
every_profile() {
  local dir=$1 domain=5gc.mnc012.mcc345.3gppnetwork.org other=5gc.mnc013.mcc345.3gppnetwork.org
  local profile type kinds names member kind
  mkdir -p "$dir"
  while read -r profile type kinds; do
    names="[\"nf1.$domain\"]" member=''
    if [[ $type == SEPP ]]; then
      names="[\"*.sepp1.$domain\",\"sepp1.$domain\",\"sepp1.$other\"]"
      member='"plmns":[{"mcc":"345","mnc":"12"},{"mcc":"345","mnc":"13"}],'
    fi
    every_registration "every-$profile" "$type" "[{\"name\":\"$profile\"}]" "$names" "$member" || fail "$profile: $said"
    for kind in $kinds; do
      every_key "$dir/$profile.$kind.key" "$kind"
      openssl cmp -cmd ir -server "$host:$port" -path ".well-known/cmp/p/$profile" -trusted "$NFPKI_TRUST" \
        -ref "$reference" -secret "pass:$secret" -subject "/C=SE/O=$domain" -newkey "$dir/$profile.$kind.key" \
        -certout "$dir/$profile.$kind.pem" >"$dir/log" 2>&1 || fail "$profile, $kind: $(cat "$dir/log")"
    done
  done <<'ROWS'
nf-tls AMF P-256 P-384 RSA-2048
nf-tls-client SMF P-256 P-384 RSA-2048
nf-tls-server UDR P-256 P-384 RSA-2048
sepp SEPP P-256 P-384 RSA-3072
nrf-token NRF P-256 P-384 RSA-3072
cca-jwt AMF P-256 P-384 RSA-3072
n32-jwe SEPP RSA-3072
free5gc-lab AMF RSA-2048 P-256
nf-tls-short AMF P-256 P-384
ROWS
  for profile in ra-cmp registrar officer; do
    for kind in P-256 P-384; do
      every_key "$dir/$profile.$kind.key" "$kind"
      openssl req -new -key "$dir/$profile.$kind.key" -subj "/CN=x" -out "$dir/csr"
      cactl issue --profile "$profile" --subject-cn "every $profile $kind" --days 2 "$dir/csr" \
        >"$dir/$profile.$kind.pem"
    done
  done
  cp "$NFPKI_TRUST" "$dir/root.pem"
  cp "$pki/ceremony/sub-issue/issuing.cert.pem" "$dir/issuing.pem"
  for kind in root issuing; do
    curl -sS --fail -o "$dir/$kind.crl" "http://$host:$port/crl/$kind.crl"
  done
  rm -f "$dir/csr" "$dir/log"
}
