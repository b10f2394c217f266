# What run.sh and grow.sh share; sourced. Needs $bin and a PKI that runs (tests/support/pki.sh).
# shellcheck shell=bash disable=SC2154
source ceremony/packages.sh

# bench_programs: installs, builds with the preset `bench`, and sets $bin; with --bin they are there
bench_programs() {
  install_packages "${build_packages[@]}" "${run_packages[@]}" "${test_packages[@]}"
  cmake --preset bench >/dev/null
  # what is measured, and what measures: none of the tests
  cmake --build --preset bench --target nfpki-{ca,ra,signer,cactl,ractl,audit,ceremony,ceremony-verify} \
    bench.{enrol,fill,flood,yardsticks} cmp_{show,probe,say} >&2
  bin=$PWD/build/bench/bin
}

# register_many COUNT [FILE]: as many network functions, for one certificate each, in batches under one signature
# each; by shared secret, with "reference secret" lines into $pki/credentials.txt; or by the certificates whose
# SHA-256 FILE has, a line each
register_many() {
  local left=$1 file=${2:-} n proof='{"kind":"mac"}'
  [[ -z $file ]] || proof=@$pki/pinned
  : >"$pki/credentials.txt"
  while [[ $left -gt 0 ]]; do
    n=$((left < 10000 ? left : 10000)) left=$((left - n))
    registered=$((${registered:-0} + 1))
    [[ -z $file ]] || tail -n +$(($1 - left - n + 1)) "$file" | head -n "$n" >"$pki/pinned"
    python3 "$root_dir/tests/support/batch.py" "$n" "b$registered-" "$proof" >"$pki/batch"
    import_batch
    [[ -n $file ]] || sed -nE 's/.*"reference":"([^"]*)".*"secret":"([^"]*)".*/\1 \2/p' "$pki/secrets" >>"$pki/credentials.txt"
  done
}

import_batch() { # $pki/batch, signed; secrets into $pki/secrets
  "$bin/nfpki-ractl" manifest "$pki/batch" >"$pki/manifest"
  openssl cms -sign -binary -nodetach -md sha256 -in "$pki/manifest" -outform DER \
    -signer "$pki/oam/registrar.pem" -inkey "$pki/oam/registrar.key" -out "$pki/manifest.p7s"
  rm -f "$pki/secrets"
  ractl import --secrets "$pki/secrets" "$pki/manifest.p7s" "$pki/batch" >"$pki/rows" 2>"$pki/imported" ||
    fail "import: $(<"$pki/imported")"
}

# processes: "PID NAME" of every process of this PKI
processes() {
  local pid name
  for pid in $(pgrep -f "$bin/nfpki-(ra|ca|signer).*$pki"); do
    name=$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null |
      sed -E 's#.*/(nfpki-[a-z]+) .*/(([a-z]+)-signer|nfpki-[a-z]+)\.conf.*#\1/\3#; s#/$##') || continue
    echo "$pid $name"
  done | sort -k 2
}

# now_ms, and how long a command takes: took COMMAND...
now_ms() { date +%s%3N; }
took() {
  local start
  start=$(now_ms)
  "$@" >/dev/null
  echo $(($(now_ms) - start))
}

median() { sort -n | awk '{v[NR] = $1} END {print NR == 0 ? "-" : v[int((NR + 1) / 2)]}'; }

# yardsticks: what the machine gives now, raw: "name value unit" lines
yardsticks() {
  SOFTHSM2_CONF=$pki/ca/softhsm2.conf CREDENTIALS_DIRECTORY=$pki/ca/credentials \
    "$bin/bench.yardsticks" /usr/lib/softhsm/libsofthsm2.so nfpki-issuing \
    "$(<"$pki/ceremony/issuing-keys/nfpki-issuing.serial")" "$(<"$pki/ceremony/issuing-keys/issuing.id")" \
    "$pki/ceremony/issuing-keys/issuing.spki.pem" nfpki-issuing.pin "$pki/ca/state"
  awk '{print "load", $1, "processes"}' /proc/loadavg
}

# to_json TSV: an array with an object for each line, whose members the first line names
to_json() {
  jq -Rsc 'split("\n") | map(select(length > 0) | split("\t")) | .[0] as $names | .[1:] |
    map([$names, map(tonumber? // .)] | transpose | map({(.[0]): .[1]}) | add)' "$1"
}

# plot FILE.svg TITLE X-LABEL Y-LABEL GNUPLOT-PLOT [linear]
plot() {
  gnuplot <<PLOT
set terminal svg size 800,480 dynamic background "white"
set output "$1"
set title "$2"
set xlabel "$3"
set ylabel "$4"
set datafile separator "\t"
set key autotitle columnhead left top
set yrange [0:*]
set grid
$([[ ${6:-} == linear ]] || echo 'set logscale x')
plot $5
PLOT
}
