#!/usr/bin/env bash
# Many registrations under one signature: 10,000 in one call while a network function enrols, all or
# nothing for a document that is wrong, and again after a kill.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"

batch() { python3 "$root_dir/tests/support/batch.py" "$@"; }
sign_manifest() { # sign_manifest FILE: FILE.manifest and FILE.p7s
  "$bin/nfpki-ractl" manifest "$1" >"$1.manifest"
  openssl cms -sign -binary -nodetach -md sha256 -in "$1.manifest" -outform DER -signer oam/registrar.pem \
    -inkey oam/registrar.key -out "$1.p7s"
}
column() { awk -v c="$1" '{print $c}' "$2" | sort | uniq -c | awk '{print $2 " " $1}'; } # counts of a column

# 10,000 in one call, while a network function enrols
batch 10000 many '{"kind":"mac"}' >many
sign_manifest many
[[ $(<many.manifest) == "{\"version\":1,\"batch\":{\"registrations\":10000,\"root\":\"$(batch --root many)\"}}" ]] ||
  fail "the manifest: $(<many.manifest)"
start=$SECONDS
ractl import --secrets many.secrets many.p7s many >many.rows 2>many.said &
importing=$!
cmp -cmd ir -ref "$NFPKI_REFERENCE" -secret "pass:$NFPKI_SECRET" -subject /CN=x -newkey nf/key.pem -certout meanwhile.pem >meanwhile.log 2>&1 &&
  fail 'a key of another network function enrolled' # smf1 asks for amf1's key: judged, and refused, meanwhile
new_key meanwhile.key
register meanwhile AMF 1
cmp -cmd ir -ref "$reference" -secret "pass:$secret" -subject /CN=x -newkey meanwhile.key -certout meanwhile.pem
wait "$importing" || fail "import: $(cat many.said)"
echo "10,000 registrations in $((SECONDS - start)) s: $(<many.said)"
[[ $(column 4 many.rows) == 'registered 10000' ]] || fail "rows: $(column 4 many.rows)"
[[ $(wc -l <many.secrets) -eq 10000 && $(stat -c %a many.secrets) == 600 ]] || fail 'the file of the secrets'
! grep -q "$(sed -nE '1s/.*"secret":"([^"]*)".*/\1/p' many.secrets)" many.rows many.said || fail 'a secret on stdout'

# one of them enrols
line=$(sed -n 4711p many.secrets)
part() { sed -nE "s/.*\"$1\":\"([^\"]*)\".*/\1/p" <<<"$line"; }
new_key one.key
cmp -cmd ir -ref "$(part reference)" -secret "pass:$(part secret)" -subject /CN=x -newkey one.key -certout one.pem
openssl x509 -in one.pem -noout -ext subjectAltName | finds "$(part nfInstanceId)" || fail 'whose certificate is this?'
audit show --json "$(part id)" | finds '"batch"' || fail 'the record lacks the evidence'

# again: the same ids, nothing new, no secret
ractl import --secrets again.secrets many.p7s many >again.rows 2>again.said || fail "again: $(<again.said)"
[[ $(column 4 again.rows) == 'known 10000' && ! -e again.secrets ]] || fail "again: $(column 4 again.rows)"
diff <(awk '{print $2}' many.rows | sort) <(awk '{print $2}' again.rows | sort) || fail 'other ids'
if ractl import --secrets many.secrets many.p7s many 2>exists.txt; then
  fail 'the secrets were overwritten'
fi
grep -q 'name a new file' exists.txt || fail "$(<exists.txt)"

# one document that is wrong: its member is named, and nothing happens
batch 50 wrong '{"kind":"mac"}' >wrong
sed -i "43s/\"wrong42\\.smf\\.5gc\\.mnc012/\"wrong42.smf.5gc.mnc013/" wrong
! ractl manifest wrong >/dev/null 2>wrong.txt || fail 'a manifest of a wrong document'
grep -q '^wrong:43: registrations\[42\]\.fqdns\[0\]: ' wrong.txt || fail "$(<wrong.txt)"
root=$(batch --root wrong)
echo "{\"version\":1,\"batch\":{\"registrations\":50,\"root\":\"$root\"}}" >wrong.manifest
openssl cms -sign -binary -nodetach -md sha256 -in wrong.manifest -outform DER -signer oam/registrar.pem \
  -inkey oam/registrar.key -out wrong.p7s
before=$(ractl list --json | grep -c '"id"')
! ractl import wrong.p7s wrong >/dev/null 2>wrong.txt || fail 'a wrong document was imported'
grep -q 'registrations\[42\]\.fqdns\[0\]: ' wrong.txt || fail "$(<wrong.txt)"
# a line that the registrar did not sign, and a line too many
sed '7s/"SMF"/"AMF"/' many >changed
! ractl import many.p7s changed >/dev/null 2>changed.txt || fail 'a changed line was imported'
grep -q 'changed after the manifest was signed' changed.txt || fail "$(<changed.txt)"
head -n 9999 many >fewer
! ractl import many.p7s fewer >/dev/null 2>changed.txt || fail 'a shorter file was imported'
# a manifest of somebody who is no registrar
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj /CN=rogue -days 2 -keyout rogue.key -out rogue.pem 2>/dev/null
openssl cms -sign -binary -nodetach -md sha256 -in many.manifest -outform DER -signer rogue.pem -inkey rogue.key -out rogue.p7s
! ractl import rogue.p7s many >/dev/null 2>rogue.txt || fail 'a rogue registrar'
[[ $(ractl list --json | grep -c '"id"') -eq $before ]] || fail 'something was registered'

# a conflict refuses one row, not the batch; the owner is named
batch 3 conflict '{"kind":"mac"}' >conflict
owner=$(sed -n 3p conflict | sed -nE 's/.*"nfInstanceId":"([^"]*)".*/\1/p')
sed -n 3p conflict | sed 's/"certificates":1/"certificates":2/' >oam/owner.json
sign_registration owner
ractl register oam/owner.p7s >/dev/null
owner_id=$(openssl dgst -sha256 -r oam/owner.p7s | cut -c1-32)
sign_manifest conflict
! ractl import --secrets conflict.secrets conflict.p7s conflict >conflict.rows 2>conflict.said || fail 'a conflict is no success'
[[ $(grep -c ' registered' conflict.rows) -eq 2 ]] || fail "$(<conflict.rows)"
grep "$owner" conflict.rows | finds "refused.*live registration $owner_id: cancel" || fail "$(<conflict.rows)"

# killed in the middle: the same call again makes the rest
batch 3000 killed '{"kind":"mac"}' >killed
sign_manifest killed
ractl import --secrets killed.secrets killed.p7s killed >killed.rows 2>killed.said &
importing=$!
for ((i = 0; i < 600; i++)); do
  [[ $(wc -l <killed.secrets) -lt 300 ]] || break
  sleep 0.05
done
kill_daemon ra
! wait "$importing" || fail 'an import from a killed RA is no success'
start_daemon ra
ractl import --secrets rest.secrets killed.p7s killed >rest.rows 2>rest.said || fail "the rest: $(<rest.said)"
[[ $(ractl list --json | grep -c '"id"') -eq $((before + 3 + 3000)) ]] || fail 'not each once'
audit verify
