#!/usr/bin/env bash
# Tools that Debian 12 has not, beside those of the ordinary tests; it installs them, from source, as
# the user who runs it, below TOOLS (default ~/.cache/nfpki-more).
#   tests/interop/more.sh BIN [--tools DIR] [lint|openssl ...]     BIN: folder of the programs
# lint     zlint and pkilint over a certificate of every shipped profile and key kind and the CRLs;
#          what they find is what certificates/findings.tsv expects, each with its reason, no more, no less
# openssl  a newer OpenSSL as the client of the flows, beside Debian's 3.0
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
zlint_version=v3.7.3 pkilint_version=0.13.3 openssl_crate='=300.5.5'
[[ $# -ge 1 && -x $1/nfpki-ca ]] || { echo 'usage: more.sh BIN [--tools DIR] [lint|openssl ...]' >&2; exit 2; }
bin=$(cd "$1" && pwd)
shift
tools=${XDG_CACHE_HOME:-$HOME/.cache}/nfpki-more
if [[ ${1:-} == --tools ]]; then
  [[ $# -ge 2 ]] || { echo 'more.sh: --tools needs a folder' >&2; exit 2; }
  tools=$2
  shift 2
fi
[[ $# -gt 0 ]] || set -- lint openssl
mkdir -p "$tools"

needs() { # needs COMMAND PACKAGE
  command -v "$1" >/dev/null || { echo "more.sh: $1 is not installed (Debian package $2, or a newer one)" >&2; exit 1; }
}

# ---- zlint and pkilint ------------------------------------------------------------------------------

install_lint() {
  needs go golang-go
  needs python3 python3-venv
  [[ -x $tools/go/bin/zlint ]] ||
    GOPATH=$tools/go GOFLAGS=-modcacherw go install "github.com/zmap/zlint/v3/cmd/zlint@$zlint_version"
  if [[ ! -x $tools/pkilint/bin/lint_pkix_cert ]]; then
    python3 -m venv "$tools/pkilint"
    "$tools/pkilint/bin/pip" install -q "pkilint==$pkilint_version"
  fi
}

# found FILE: lines "TOOL FINDING" of a certificate
found() {
  "$tools/go/bin/zlint" "$1" 2>/dev/null | python3 -c '
import json, sys
text = sys.stdin.read()
for name, said in (json.loads(text) if text else {"unreadable": {"result": "fatal"}}).items():
    if said["result"] not in ("pass", "NA", "NE"):
        print("zlint", name)'
  "$tools/pkilint/bin/lint_pkix_cert" lint -s INFO -f CSV "$1" >pkilint.csv || true # its status counts findings
  codes pkilint.csv
}
codes() { # codes FILE: "pkilint FINDING" of its table
  python3 -c '
import csv, sys
for row in csv.DictReader(open(sys.argv[1])):
    print("pkilint", row["code"])' "$1"
}

lint() (
  install_lint
  source "$here/../support/pki.sh"
  source "$here/../support/every_profile.sh"
  pki_start
  every_profile_start
  every_profile "$pki/every"
  cd "$pki/every"
  for file in *.pem; do
    { found "$file" || fail "$file"; } | sed "s|\$| ${file%%.*}|"
  done | sort -u >found.txt
  for who in root issuing; do
    "$tools/pkilint/bin/lint_crl" lint -t "$([[ $who == root ]] && echo ARL || echo CRL)" -p PKIX -s INFO -f CSV \
      "$who.crl" >crl.csv || true
    codes crl.csv | sed "s|\$| $who.crl|"
  done | sort -u >>found.txt
  python3 "$here/certificates/findings.py" "$here/certificates/findings.tsv" found.txt
)

# ---- a newer OpenSSL --------------------------------------------------------------------------------

# Its source is what a crate carries that others build it from.
install_openssl() {
  local source
  [[ ! -x $tools/openssl/bin/openssl ]] || return 0
  needs cargo cargo
  needs perl perl
  needs make make
  mkdir -p "$tools/crate/src"
  : >"$tools/crate/src/lib.rs"
  printf '[package]\nname = "source"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\nopenssl-src = "%s"\n' \
    "$openssl_crate" >"$tools/crate/Cargo.toml"
  (cd "$tools/crate" && cargo vendor -q vendor >/dev/null)
  source=$tools/crate/vendor/openssl-src/openssl
  (
    cd "$source"
    ./Configure no-shared no-tests no-docs no-module --prefix="$tools/openssl" --openssldir=/etc/ssl
    make build_generated
    make -j"$(nproc)" apps/openssl
  ) >"$tools/openssl.log" 2>&1 || { tail -n 20 "$tools/openssl.log"; return 1; }
  mkdir -p "$tools/openssl/bin"
  cp "$source/apps/openssl" "$tools/openssl/bin/"
}

newer() (
  local flow failed=0
  install_openssl
  export PATH=$tools/openssl/bin:$PATH
  openssl version
  for flow in flow/{enrol,algorithms,confirm,renew,revoke,replay,waiting,support,vendor,https,bundle,messages,profiles} \
    interop/openssl_cmp; do
    if bash "$here/../$flow.sh" "$bin" >"$tools/flow.log" 2>&1; then
      echo "ok: $flow"
    else
      failed=1
      echo "FAILED: $flow"
      grep -v '^{' "$tools/flow.log" | tail -n 8
    fi
  done
  return "$failed"
)

status=0
for what in "$@"; do
  case $what in
    lint) lint || status=1 ;;
    openssl) newer || status=1 ;;
    *) echo "more.sh: $what: lint or openssl" >&2; exit 2 ;;
  esac
done
exit "$status"
