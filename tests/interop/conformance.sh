#!/usr/bin/env bash
# Requests that are right but for one thing: each gets its answer and failInfo (RFC 9483 3.5, 3.6), those
# of known vulnerabilities among them, and no certificate but the one that is due.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"
issued() { audit list --json | grep -o '"serial"' | wc -l; }

mkdir credentials
register mac AMF 100
(umask 077 && echo "$reference" >credentials/mac.reference && echo "$secret" >credentials/mac.secret)
initial pinned
registration pinned AMF 100 "{\"kind\":\"certificate\",\"sha256\":\"$fingerprint\"}"
ractl register oam/pinned.p7s
cp pinned.pem pinned.key credentials

before=$(issued)
"$bin/conformance" "$host" "$port" "$path" credentials
[[ $(issued) -eq $((before + 1)) ]] || fail "$(($(issued) - before)) certificates instead of 1"

# What other servers let the holder of a right certificate do that it may not.
holder() { # holder NAME: $1.{key,pem}, an NF with a certificate of ours
  register "$1" AMF 1
  new_key "$1.key"
  cmp -cmd ir -ref "$reference" -secret "pass:$secret" -subject /CN=x -newkey "$1.key" -certout "$1.pem"
}
refused() { # refused 'what' 'BODY FAILINFO' CMP-ARGUMENT...
  local what=$1 wanted=$2
  shift 2
  rm -f said.der
  if cmp "$@" -rspout said.der -certout none.pem >refused.log 2>&1; then
    fail "$what: granted"
  fi
  [[ -s said.der && $("$bin/cmp_show" said.der) == "$wanted" ]] ||
    fail "$what: not '$wanted' but '$("$bin/cmp_show" said.der)': $(cat refused.log)"
  echo "ok: $what: $wanted"
}
holder mine
holder theirs
new_key new.key
before=$(issued)
mine=(-cert mine.pem -key mine.key)
theirs=(-oldcert theirs.pem -newkey new.key)
refused "CVE-2021-20179: a kur for another's certificate" 'kup badCertId' -cmd kur "${mine[@]}" "${theirs[@]}" -san_nodefault -subject ''
refused "CVE-2021-40088: an rr for another's certificate" 'rp notAuthorized' -cmd rr "${mine[@]}" -oldcert theirs.pem -revreason 1
refused 'CVE-2025-66406: an rr by a secret' 'rp wrongIntegrity' -cmd rr -ref "$reference" -secret "pass:$secret" \
  -oldcert theirs.pem -revreason 1
refused "CVE-2025-66406: an rr by a vendor's certificate" 'rp notAuthorized' -cmd rr -cert pinned.pem -key pinned.key \
  -oldcert theirs.pem -revreason 1
refused 'an ir with a certificate of ours, for a name that is not its holder'"'"'s' 'ip notAuthorized' -cmd ir "${mine[@]}" -newkey new.key -sans evil.example.net
cmp -cmd rr "${mine[@]}" -oldcert mine.pem -revreason 1
refused 'CVE-2020-25276: a kur with a revoked certificate' 'kup certRevoked' -cmd kur "${mine[@]}" -newkey new.key
refused 'CVE-2020-25276: a cr with a revoked certificate' 'cp certRevoked' -cmd cr "${mine[@]}" -newkey new.key -subject /CN=x
refused 'CVE-2020-25276: an rr with a revoked certificate' 'rp certRevoked' -cmd rr "${mine[@]}" -oldcert mine.pem -revreason 1
[[ $(issued) -eq $before && ! -s none.pem ]] || fail "$(($(issued) - before)) certificates instead of none"
[[ $(audit verify | grep -oE 'REVOKED [0-9]+') == 'REVOKED 1' ]] || fail "not exactly one certificate is revoked: $(audit verify)"
audit verify
