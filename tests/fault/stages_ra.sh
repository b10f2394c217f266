#!/usr/bin/env bash
# kill -9 of the RA when a message is about to begin each stage of its way, the request's as well as
# the certConf's, with a MAC and signed: nothing is lost, nothing is issued twice, all of it is logged.
#   tests/fault/stages_ra.sh BIN
bin=$1
source "$(dirname "$0")/../support/pki.sh"
source "$(dirname "$0")/../support/stages.sh"
pki_start
cd "$pki"

# Not on the way of an enrolment that nobody hinders: a turn for a dear key, and what is said instead
# of an answer.
mapfile -t stages < <(sed -nE 's/.*\[STAGE_[A-Z_]+\] = \{"[a-z-]+", .* (start_[a-z_]+)\},?$/\1/p' \
  "$root_dir/ra/transaction/transaction.c" | grep -vxE 'start_(turn|excuse|forget)' | awk '!seen[$0]++')
[[ ${#stages[@]} -ge 10 ]] || fail "the table of stages is not read: ${stages[*]}"
n=0
issued() { audit list --json | grep -c '"profile":"nf-tls' || true; }
before=$(issued)

# begin_enrolment mac|signature
begin_enrolment() {
  local with=()
  n=$((n + 1))
  if [[ $1 == mac ]]; then
    register "stage$n" AMF 1
  else
    initial "initial$n"
    registration "stage$n" AMF 1 "{\"kind\":\"certificate\",\"sha256\":\"$fingerprint\"}"
    ractl register --json "$pki/oam/stage$n.p7s" >registered.json
    with=(-s "initial$n.pem" "initial$n.key")
  fi
  echo "${reference:-} ${secret:-}" >"credentials$n.txt"
  begin_asking "credentials$n.txt" "${with[@]}"
}

for protection in mac signature; do
  for message in 1 2; do
    for stage in "${stages[@]}"; do
      # an answer with a MAC is not signed, and its nonce is durable with the message
      [[ $stage =~ ^start_(protect|sent)$ && $protection == mac ]] && continue
      what="$protection, message $message, ${stage#start_}"
      kill_at ra "$stage" "$message"
      begin_enrolment "$protection"
      wait_killed "$stage" "$what"
      start_daemon ra
      end_enrolment "$what"
      echo "ok: $what"
    done
  done
done

audit verify
expect 'open intents' 0 "$(audit verify | sed -nE 's/^ *open intents *//p')"
delivered=$(find out -name '*.der' -exec sha256sum {} + | cut -d' ' -f1 | sort -u | wc -l)
expect 'certificates, each another one' "$n" "$delivered"
expect 'certificates in the record' "$n" "$(($(issued) - before))"
echo "ok: ${#stages[@]} stages, $n enrolments, each exactly once"
