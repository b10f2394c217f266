#!/usr/bin/env bash
# Every file of the corpora and 20,000 mutants go to a live RA: no crash, no certificate, memory flat,
# sanitizers silent, and afterwards an NF enrols.
#   tests/interop/mutants.sh BIN [MUTANTS [SEED]]
bin=$1 mutants=${2:-20000} seed=${3:-20261125}
source "$(dirname "$0")/../support/pki.sh"
# What is freed is kept for a while by AddressSanitizer, to notice its use: little here, so that memory
# that grows is the daemon's own.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=8:thread_local_quarantine_size_kb=64
pki_start
cd "$pki"
issued() { audit list --json | grep -o '"serial"' | wc -l; }

mkdir corpora
for archive in openssl-fuzz/openssl-fuzz-corpora-part openssl-cmp/openssl-cmp-http-cases pkits/nist-pkits; do
  tar -xJf "$root_dir/tests/vectors/$archive.tar.xz" -C corpora
done
rm corpora/LICENSE.txt

# Credentials that authenticate and are good for no certificate: two that are used up, and one whose
# requests are for a key that belongs to another NF, which only the CA can know.
mkdir credentials
credentials() { (umask 077 && printf '%s\n' "$reference" >"credentials/$1.reference" && printf '%s\n' "$secret" >"credentials/$1.secret"); }
register spent AMF 1
credentials spent
new_key credentials/taken.key
cmp -cmd ir -ref "$reference" -secret "pass:$secret" -subject /CN=x -newkey credentials/taken.key -certout spent.pem
register open AMF 1000
credentials open
initial pinned
registration pinned AMF 1 "{\"kind\":\"certificate\",\"sha256\":\"$fingerprint\"}"
ractl register oam/pinned.p7s
new_key pinned-nf.key
cmp -cmd ir -cert pinned.pem -key pinned.key -subject /CN=x -newkey pinned-nf.key -certout pinned-nf.pem
cp pinned.pem pinned.key credentials

# right messages of the real client with these credentials, of every kind that it makes
mkdir corpora/recorded
openssl req -new -key pinned-nf.key -subj /CN=x -out pinned-nf.csr
record() { # record NAME ARGUMENT...
  local name=$1 command
  shift
  for command in ir cr p10cr kur rr genm; do
    openssl cmp -cmd "$command" -server 127.0.0.1:1 -csr pinned-nf.csr -newkey pinned-nf.key -oldcert pinned-nf.pem \
      -revreason 1 -infotype caCerts -subject /CN=x -certout none.pem -reqout "corpora/recorded/$command-$name" "$@" \
      >record.log 2>&1 || true # nobody is there
    [[ -s corpora/recorded/$command-$name ]] || fail "no $command: $(cat record.log)"
  done
}
for digest in sha256 sha512; do
  record "mac-$digest" -ref "$(<credentials/spent.reference)" -secret file:credentials/spent.secret -digest "$digest"
  record "signed-$digest" -cert pinned.pem -key pinned.key -digest "$digest"
done

before=$(issued)
echo "seed $seed"
"$bin/mutants" "$host" "$port" "$path" "$seed" "$mutants" $((mutants / 4)) "$(<ra.pid),$(<ca.pid)" credentials \
  corpora "$root_dir"/tests/fuzz/corpus "$root_dir"/tests/vectors | tee said.txt || {
  cp failed.der "$bin/../failed.der"
  fail "the message is in $bin/../failed.der"
}
[[ $(sed -nE 's/^([0-9]+) corpus files.*/\1/p' said.txt) -ge 4000 ]] || fail 'the corpora are not whole'
[[ $(issued) -eq $before ]] || fail "$(($(issued) - before)) certificates were issued to mutants"

# Flat: no leak of even one small block for each message.
while read -r _ pid warm end; do
  [[ $((end - warm)) -lt 12288 ]] || fail "process $pid grew from $warm to $end KiB"
done < <(grep '^rss ' said.txt)

register control AMF 1
new_key control.key
cmp -cmd ir -ref "$reference" -secret "pass:$secret" -subject /CN=x -newkey control.key -certout control.pem
[[ $(issued) -eq $((before + 1)) ]] || fail 'the NF that may did not get its certificate'
audit verify

"$root_dir/ceremony/quickstart.sh" --dir "$pki" --stop >/dev/null
for daemon in ra ca; do
  grep -q '"event":"stopped"' <(tail -n 1 "log/nfpki-$daemon.log") ||
    fail "nfpki-$daemon did not stop in order: $(tail -n 5 "log/nfpki-$daemon.log")"
done
! grep -HE 'Sanitizer|runtime error|Assertion' log/nfpki-*.log || fail 'a sanitizer has complained'
echo ok
