# The administrators' door of a PKI that tests/support/pki.sh started; sourced after pki_start.
# shellcheck shell=bash disable=SC2154

# admin_start: the RA listens for administrators, too; sets $admin_port. curl trusts ra/admin-tls.pem.
admin_start() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj /CN=ra.example -days 2 \
    -addext subjectAltName=IP:127.0.0.1 -addext extendedKeyUsage=serverAuth -addext basicConstraints=critical,CA:FALSE \
    -keyout "$pki/ra/credentials/admin-tls-key" -out "$pki/ra/admin-tls.pem" 2>/dev/null
  chmod 600 "$pki/ra/credentials/admin-tls-key"
  admin_port=$(free_port)
  cat >>"$pki/ra/nfpki-ra.conf" <<CONF
admin_listen = {"127.0.0.1:$admin_port"}
admin_tls_certificate = "admin-tls.pem"
admin_crls = {"$pki/crl/issuing.crl", "$pki/crl/root.crl"}
CONF
  restart ra
}

# admin CURL-ARGUMENT...: as the registrar
admin() { curl -sS --cacert "$pki/ra/admin-tls.pem" --cert "$pki/oam/registrar.pem" --key "$pki/oam/registrar.key" "$@"; }
