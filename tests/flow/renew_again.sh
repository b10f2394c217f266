#!/usr/bin/env bash
# A kup gets lost: the next kur does not wait until the lost certificate counts as unconfirmed. For the same
# key it gets the same certificate, for another one its own, and the lost one is revoked; but not for ever.
bin=$1
source "$(dirname "$0")/../support/pki.sh"
pki_start
cd "$pki"

serial() { openssl x509 -in "$1" -noout -serial | cut -d= -f2 | tr '[:upper:]' '[:lower:]'; }
state_of() { audit list | grep "^$(serial "$1")"; }
revoked() { audit verify | sed -nE 's/.*REVOKED ([0-9]+).*/\1/p' | grep . || echo 0; }
enrol() { # enrol NAME
  register "$1" AMF 1
  new_key "$1.key"
  cmp -cmd ir -ref "$reference" -secret "pass:$secret" -subject /CN=x -newkey "$1.key" -certout "$1.pem" -implicit_confirm
}
newer() { # messageTime has seconds: until the next one begins
  local from now
  printf -v from '%(%s)T' -1
  until printf -v now '%(%s)T' -1 && ((now > from)); do sleep 0.02; done
}
kur() { # kur OF KEY OUT [ARGUMENT...]
  cmp -cmd kur -cert "$1.pem" -key "$1.key" -newkey "$2.key" -certout "$3.pem" "${@:4}"
}
lost() { kur "$@" -disable_confirm >/dev/null 2>&1 || true; } # the answer comes, and its client is gone
refused() { # refused 'what' FAILINFO TEXT OF KEY
  local log
  rm -f none.pem
  if log=$(kur "$4" "$5" none 2>&1); then fail "$1: accepted"; fi
  [[ $log == *"$2"* && $log == *"$3"* && ! -e none.pem ]] || fail "$1: expected $2, $3"$'\n'"$log"
  echo "ok: $1: $2"
}

# the same key, over a crash of both: the certificate that was lost, and the other transaction confirms it
enrol one
new_key two.key
lost one two lost
kill_daemon ca
kill_daemon ra
start_daemon ca
start_daemon ra
newer
kur one two two
expect 'the certificate that was lost' "$(serial lost.pem)" "$(serial two.pem)"
[[ $(state_of two.pem) == *confirmed* && $(state_of one.pem) == *revoked* ]] || fail "$(audit list)"
story=$(audit show "$(serial two.pem)")
[[ $story == *'asked again'* && $story == *"updates $(serial one.pem)"* ]] || fail "$story"
expect 'only what was updated is revoked' 1 "$(revoked)"
again=$(sed -nE '/asked again/,/of/s/.*request ([0-9a-f]{64}).*/\1/p' <<<"$story")
[[ $(audit show "$again") == *"$(serial two.pem)"* ]] || fail "the request that asked again is not found: $again"

# another key: the lost one makes room
new_key three.key
lost two three lost
new_key four.key
newer
kur two four four
[[ $(state_of lost.pem) == *revoked* && $(state_of two.pem) == *revoked* && $(state_of four.pem) == *confirmed* ]] ||
  fail "$(audit list)"
expect 'what was lost and what was updated are revoked' 3 "$(revoked)"
echo 'ok: another key'

# but a client that never confirms, or rejects each time, does not fill the CRL
enrol loop
before=$(revoked)
for n in 1 2 3 4; do
  new_key "loop$n.key"
  newer
  lost loop "loop$n" "loop$n"
done
new_key loop5.key
newer
refused 'the fourth to be replaced' systemUnavail 'the next is possible from 2' loop loop5
expect 'revoked at most' $((before + 3)) "$(revoked)"
kur loop loop4 loop4again
expect 'and for the same key again' "$(serial loop4.pem)" "$(serial loop4again.pem)"
enrol picky
before=$(revoked)
for n in 1 2 3 4; do
  new_key "picky$n.key"
  # what it trusts does not verify what it gets, so the client rejects it
  if ((n < 4)) && kur picky "picky$n" picky-none -out_trusted oam/registrar.pem >picky.log 2>&1; then
    fail 'the client did not reject'
  fi
done
refused 'the fourth to be rejected' systemUnavail 'the next is possible from 2' picky picky4
expect 'rejected at most' $((before + 3)) "$(revoked)"
kill_daemon ca
start_daemon ca
refused 'and after a restart' systemUnavail 'the next is possible from 2' picky picky4
[[ $(state_of picky.pem) == *issued* ]] || fail "$(state_of picky.pem)"

# a certificate that was renewed by cr is told its successor
enrol many
new_key successor.key
cmp -cmd cr -cert many.pem -key many.key -subject /CN=x -newkey successor.key -certout successor.pem
new_key many2.key
refused 'what has a successor' duplicateCertReq "sign with its successor $(serial successor.pem)" many many2
new_key next.key
kur successor next next
audit verify
