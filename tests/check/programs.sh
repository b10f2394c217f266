#!/usr/bin/env bash
# What each program may have in its address space (README: who trusts whom).
set -euo pipefail
bin=$1
bad=0
must_not() { # must_not PROGRAM 'symbols or libraries' 'reason'
  if { nm -D --undefined-only "$bin/$1"; nm "$bin/$1"; ldd "$bin/$1"; } 2>/dev/null | grep -E "$2"; then
    echo "^ $1: $3"
    bad=1
  fi
}
links_only() { # links_only PROGRAM 'libraries' 'reason': no others, but what a sanitizer brings
  local more
  more=$(readelf -d "$bin/$1" | sed -nE 's/.*\(NEEDED\).*\[lib([^]]+)\.so.*/\1/p' | grep -vxE "c|m|asan|ubsan|$2" || true)
  [[ -z $more ]] || { printf '%s\n^ %s: %s\n' "$more" "$1" "$3"; bad=1; }
}
for program in nfpki-ca nfpki-ra nfpki-cactl nfpki-ractl nfpki-ceremony-verify nfpki-audit; do
  [[ -x $bin/$program ]] || { echo "$program was not built"; bad=1; continue; }
  must_not "$program" ' p11_(module|session|key)_' 'must not contain the PKCS #11 layer'
done
must_not nfpki-signer 'sqlite3|libevent' 'needs no database and no network'
must_not nfpki-ceremony 'sqlite3|libevent' 'needs no database and no network'
must_not nfpki-ceremony-verify 'sqlite3|libevent' 'reads a bundle and nothing else'
links_only nfpki-audit 'crypto|ssl|sqlite3|zstd|jansson|confuse|curl|event_core-2\.1|event_openssl-2\.1' \
  'one who verifies: curl is the network of fetch, event the loopback of serve'
exit $bad
