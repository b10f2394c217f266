#!/usr/bin/env bash
# What each host gets: `cmake --install BUILD --component ca|ra|ceremony|audit`, file by file.
set -euo pipefail
build=$1
there=$(mktemp -d "${TMPDIR:-/tmp}/nfpki-install-XXXXXX")
trap 'rm -rf "$there"' EXIT

want() { # want COMPONENT FILE...: below the prefix; license and README come with each
  local component=$1 difference
  shift
  cmake --install "$build" --prefix "$there/$component" --component "$component" >/dev/null
  difference=$(diff <(printf '%s\n' share/doc/nfpki/LICENSE share/doc/nfpki/README.md "$@" | LC_ALL=C sort) \
    <(cd "$there/$component" && find . -type f | sed 's,^\./,,' | LC_ALL=C sort)) || {
    printf '%s: < missing, > not expected\n%s\n' "$component" "$difference"
    exit 1
  }
  for program in "$there/$component"/{bin,sbin,libexec/nfpki}/*; do
    [[ ! -e $program || -x $program ]] || { echo "$program cannot be run"; exit 1; }
  done
}

signer=(libexec/nfpki/nfpki-signer share/man/man8/nfpki-signer.8 share/man/man5/nfpki-signer.conf.5)
examples=share/doc/nfpki/examples
want ca sbin/nfpki-ca sbin/nfpki-cactl "${signer[@]}" share/man/man8/nfpki-ca.8 \
  share/man/man5/nfpki-ca.conf.5 share/man/man8/nfpki-cactl.8 \
  share/man/man5/nfpki-profiles.conf.5 "$examples"/{nfpki-ca,nfpki-profiles,issuing-signer,log-signer}.conf
want ra sbin/nfpki-ra bin/nfpki-ractl "${signer[@]}" share/man/man8/nfpki-ra.8 \
  share/man/man5/nfpki-ra.conf.5 share/man/man1/nfpki-ractl.1 share/man/man5/nfpki-registration.5 \
  share/nfpki/openapi.yaml share/nfpki/registration.schema.json \
  share/nfpki/bouncycastle/{Credential,NfClient,Pbmac1,Transaction}.java \
  share/man/man5/nfpki-profiles.conf.5 "$examples"/{nfpki-ra,nfpki-profiles,ra-signer}.conf
want ceremony sbin/nfpki-ceremony bin/nfpki-ceremony-verify share/man/man8/nfpki-ceremony.8 \
  share/man/man8/nfpki-ceremony-verify.8 share/man/man5/nfpki-ceremony.conf.5 \
  "$examples"/ceremony/{root-generate,key-generate-issuing,key-generate-ra,secret-generate,sub-issue,root-crl}.conf
want audit bin/nfpki-audit share/man/man1/nfpki-audit.1
