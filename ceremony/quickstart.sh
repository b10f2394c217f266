#!/usr/bin/env bash
# nfpki in one command: packages, build, rehearsed ceremonies, CA and RA, an enrolled NF.
set -euo pipefail
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$source_dir/ceremony/packages.sh"
source "$source_dir/ceremony/process.sh"

usage() {
  cat <<'USAGE'
usage: ceremony/quickstart.sh [--dir DIR] [--port PORT] [--bin DIR] [--once | --stop | --remove]

Sets up a complete demonstration PKI on SoftHSM and enrols a network function.

  --dir DIR    where everything goes (default ~/nfpki-demo)
  --port PORT  TCP port of the RA on 127.0.0.1 (default: that of the last run in DIR, else 8829;
               0 takes a free one)
  --bin DIR    use the programs in DIR instead of installing packages and building
  --once       stop everything at the end (for CI)
  --stop       stop the CA and the RA that run in DIR
  --remove     stop them and remove DIR
USAGE
}

die() { echo "quickstart: $*" >&2; exit 1; }

dir=~/nfpki-demo port='' bin='' action=run once=no
while [[ $# -gt 0 ]]; do
  case $1 in
    --dir | --port | --bin)
      [[ $# -ge 2 && -n $2 ]] || { usage >&2; die "$1 needs a value"; }
      declare "${1#--}=$2"
      shift 2
      ;;
    --once) once=yes; shift ;;
    --stop | --remove) action=${1#--}; shift ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; die "unknown argument: $1" ;;
  esac
done
[[ -z $port || $port =~ ^(0|[1-9][0-9]{0,4})$ && $port -le 65535 ]] || die "--port $port: not a TCP port"
dir=$(realpath -m -- "$dir")
# Names of files in DIR stand in configuration files, shell scripts and in lists of openssl cmp, where
# a blank or a comma ends a name; the name of a Unix socket has 107 octets at most.
[[ $dir =~ ^[A-Za-z0-9_./@%+-]+$ ]] ||
  die "--dir $dir: use letters, digits and _./@%+- only (openssl cmp takes a blank or comma as the end of a name)"
[[ ${#dir} -le 88 ]] || die "--dir $dir: at most 88 characters, because Unix sockets in it have 107"

# ---- stopping -----------------------------------------------------------------------------------

stop_daemon() { # stop_daemon NAME: SIGTERM, and SIGKILL when that does not help
  local file=$dir/$1.pid pid
  [[ -f $file ]] || return 0
  pid=$(<"$file")
  # after a restart of the machine the number may be another process's
  if [[ $(cat "/proc/$pid/comm" 2>/dev/null) == nfpki-* ]] && grep -qF "$dir/" "/proc/$pid/cmdline"; then
    end_process "$pid" || kill -9 "$pid" 2>/dev/null || true
  fi
  rm -f "$file"
}

stop_all() {
  stop_daemon ra
  stop_daemon ca
}

case $action in
  stop)
    [[ -f $dir/.nfpki-demo ]] || die "$dir holds no demonstration"
    stop_all
    echo "stopped; start again with: ceremony/quickstart.sh --dir $dir"
    exit 0
    ;;
  remove)
    [[ -e $dir ]] || { echo "$dir is not there"; exit 0; }
    [[ -f $dir/.nfpki-demo ]] || die "$dir holds no demonstration: not removed"
    stop_all
    rm -rf "$dir"
    echo "removed $dir"
    exit 0
    ;;
esac

# ---- steps, each with a log of its own ----------------------------------------------------------

step_number=0
step() { # step 'what' command...: runs it with its output in a log; a failure shows the log's end
  local what=$1 log start=$SECONDS status
  shift
  step_number=$((step_number + 1))
  log=$(printf '%s/log/%02d-%s.log' "$dir" "$step_number" "$1")
  printf '[%2d] %-66s ' "$step_number" "$what"
  set +e # not in a condition: there the shell would go on after a failed command inside
  (
    set -e
    "$@"
  ) >"$log" 2>&1 9>&- # 9: the lock is this shell's, not the daemons'
  status=$?
  set -e
  if [[ $status -eq 0 ]]; then
    printf 'ok  %3d s\n' $((SECONDS - start))
  else
    printf 'FAILED\n\n'
    tail -n 15 "$log" >&2
    stop_all
    die "step $step_number ($what) failed; its log is $log"
  fi
}

packages() { install_packages "${build_packages[@]}" "${run_packages[@]}"; }

build() {
  cd "$source_dir"
  cmake --workflow --preset release
}

# ---- ceremonies: three hosts, each with tokens that the others cannot reach ----------------------

module=/usr/lib/softhsm/libsofthsm2.so

host_token() { # host_token HOST: a SoftHSM configuration of that host's own
  mkdir -p "$dir/$1/tokens" "$dir/$1/credentials"
  chmod 700 "$dir/$1" "$dir/$1/tokens" "$dir/$1/credentials"
  cat >"$dir/$1/softhsm2.conf" <<CONF
directories.tokendir = $dir/$1/tokens
objectstore.backend = file
log.level = ERROR
slots.removable = false
CONF
}

on_host() { # on_host HOST COMMAND...: with that host's tokens and credentials
  local host=$1
  shift
  SOFTHSM2_CONF=$dir/$host/softhsm2.conf CREDENTIALS_DIRECTORY=$dir/$host/credentials "$@"
}

definition() { # definition NAME HOST TYPE PREV TOKEN EXPECT SERIAL-LINE: the part that all have
  cat >"$dir/ceremony/$1.conf" <<CONF
ceremony = 1
id = "demo-$1"
type = "$3"
cps = "demonstration, no practice statement"
prev = "$4"
output = "$dir/ceremony/$1"
credentials = "$dir/$2/credentials"
software_token_accepted = true
person "alice" { name = "Alice Andersson" role = "administrator" }
person "bob" { name = "Bob Bengtsson" role = "officer" }
person "walter" { name = "Walter Wik" role = "witness" }
token {
    module = "$module"
    config = "$dir/$2/softhsm2.conf"
    directory = "$dir/$2/tokens"
    label = "$5"
    expect = "$6"
    $7
}
clock {
    not_before = "$(date -u -d '-1 hour' +%Y-%m-%dT%H:%M:%SZ)"
    not_after = "$(date -u -d '+1 hour' +%Y-%m-%dT%H:%M:%SZ)"
}
CONF
}

ceremony() { # ceremony HOST NAME: check and rehearse, unless its bundle is there from an earlier run
  local host=$1 name=$2 bundle=$dir/ceremony/$2
  if [[ -f $bundle/head.txt ]]; then
    echo "$bundle is there already"
    return 0
  fi
  if [[ -d $bundle ]]; then
    echo "$bundle is damaged, and the CA has used its keys: remove $dir (--remove) and begin again"
    return 1
  fi
  "define_${name//-/_}"
  "$bin/nfpki-ceremony" check "$dir/ceremony/$name.conf"
  on_host "$host" "$bin/nfpki-ceremony" rehearse "$dir/ceremony/$name.conf"
}

# From the day before on: a client whose clock is behind enrols, too.
validity() {
  echo "not_before = \"$(date -u -d '-23 hours' +%Y-%m-%dT%H:%M:%SZ)\""
  echo "    not_after = \"$(date -u -d '+6 days' +%Y-%m-%dT%H:%M:%SZ)\""
}

define_root_generate() {
  definition root-generate root root-generate none nfpki-root fresh ''
  cat >>"$dir/ceremony/root-generate.conf" <<CONF
key "root" {
    algorithm = "P-384"
    attributes = "root-signing-v1"
}
certificate {
    profile = "root"
    subject = "C=SE, O=nfpki demonstration, CN=Demo Root G1"
    $(validity)
}
CONF
}

define_issuing_keys() {
  definition issuing-keys ca key-generate none nfpki-issuing fresh ''
  cat >>"$dir/ceremony/issuing-keys.conf" <<CONF
key "issuing" {
    algorithm = "P-256"
    attributes = "issuing-signing-v1"
    subject = "C=SE, O=nfpki demonstration, CN=Demo Issuing CA 1"
}
key "log" {
    algorithm = "P-256"
    attributes = "log-signing-v1"
}
secret "seal" { attributes = "ca-seal-v1" }
CONF
}

# Where the token is from an earlier version.
define_seal_key() {
  definition seal-key ca secret-generate none nfpki-issuing keys \
    "serial = \"$(serial_of issuing-keys nfpki-issuing)\""
  echo 'secret "seal" { attributes = "ca-seal-v1" }' >>"$dir/ceremony/seal-key.conf"
}

define_sub_issue() {
  definition sub-issue root sub-issue "$dir/ceremony/root-generate" nfpki-root root 'serial = "previous"'
  cat >>"$dir/ceremony/sub-issue.conf" <<CONF
csr {
    file = "$dir/ceremony/issuing-keys/issuing.csr.pem"
    sha256 = "$(sha256sum <"$dir/ceremony/issuing-keys/issuing.csr.pem" | cut -d' ' -f1)"
}
certificate {
    profile = "issuing"
    subject = "C=SE, O=nfpki demonstration, CN=Demo Issuing CA 1"
    $(validity)
    crl_url = "http://127.0.0.1:$port/crl/root.crl"
}
CONF
}

define_root_crl() {
  definition root-crl root root-crl "$dir/ceremony/sub-issue" nfpki-root root 'serial = "previous"'
  cat >>"$dir/ceremony/root-crl.conf" <<CONF
crl {
    this_update = "$(date -u -d '-23 hours' +%Y-%m-%dT%H:%M:%SZ)"
    next_update = "$(date -u -d '+6 days' +%Y-%m-%dT%H:%M:%SZ)"
}
CONF
}

define_ra_keys() {
  definition ra-keys ra key-generate none nfpki-ra fresh ''
  cat >>"$dir/ceremony/ra-keys.conf" <<CONF
key "ra" {
    algorithm = "P-256"
    attributes = "ra-signing-v1"
    subject = "C=SE, O=nfpki demonstration, CN=Demo RA 1"
}
secret "seal" { attributes = "ra-seal-v1" }
CONF
}

# Exit status 3 says that everything is right and that it is a rehearsal: NOT PRODUCTION.
verify_ceremonies() {
  local status=0
  "$bin/nfpki-ceremony-verify" "$dir/ceremony/root-generate" "$dir/ceremony/sub-issue" \
    "$dir/ceremony/root-crl" || status=$?
  [[ $status -eq 3 ]] || return 1
  for name in issuing-keys ra-keys; do
    status=0
    "$bin/nfpki-ceremony-verify" "$dir/ceremony/$name" || status=$?
    [[ $status -eq 3 ]] || return 1
  done
}

serial_of() { cat "$dir/ceremony/$1/$2.serial"; } # serial_of BUNDLE TOKEN-LABEL
key_id_of() { cat "$dir/ceremony/$1/$2.id"; }     # key_id_of BUNDLE KEY-LABEL
has_seal_key() { [[ -s $dir/ceremony/issuing-keys/seal.id ]]; }
seal_bundle() { if has_seal_key; then echo issuing-keys; else echo seal-key; fi; }

# ---- configuration files -------------------------------------------------------------------------

signer_policy() { # signer_policy FILE HOST BUNDLE TOKEN KEY ATTRIBUTES: the part that all have
  cat >"$1" <<CONF
module = "$module"
module_config = "$dir/$2/softhsm2.conf"
token = "$4"
serial = "$(serial_of "$3" "$4")"
key_id = "$(key_id_of "$3" "$5")"
public_key = "$dir/ceremony/$3/$5.spki.pem"
attributes = "$6"
credential = "$4.pin"
journal = "$dir/$2/state/$5.journal"
CONF
}

configure_ca() {
  mkdir -p "$dir/ca/state" "$dir/crl" "$dir/ledger"
  chmod 755 "$dir/crl" "$dir/ledger"
  signer_policy "$dir/ca/issuing-signer.conf" ca issuing-keys nfpki-issuing issuing issuing-signing-v1
  cat >>"$dir/ca/issuing-signer.conf" <<CONF
certificate_authority {
    issuer = "$dir/ceremony/sub-issue/issuing.cert.pem"
    objects = {"certificate", "crl"}
    max_validity = 1095
    max_crl_validity = 7
}
ledger {
    origin = "$log_origin"
    public_key = "$dir/ceremony/issuing-keys/log.spki.pem"
}
seal { key_id = "$(key_id_of "$(seal_bundle)" seal)" }
CONF
  signer_policy "$dir/ca/log-signer.conf" ca issuing-keys nfpki-issuing log log-signing-v1
  cat >>"$dir/ca/log-signer.conf" <<CONF
log {
    origin = "$log_origin"
}
seal { key_id = "$(key_id_of "$(seal_bundle)" seal)" }
CONF
  cat >"$dir/ca/nfpki-ca.conf" <<CONF
state_dir = "$dir/ca/state"
ledger_dir = "$dir/ledger"
log_origin = "$log_origin"
issuing_certificate = "$dir/ceremony/sub-issue/issuing.cert.pem"
root_certificate = "$dir/ceremony/root-generate/root.cert.pem"
root_crl = "$dir/ceremony/root-crl/root.crl.der"
signer_program = "$bin/nfpki-signer"
issuing_policy = "$dir/ca/issuing-signer.conf"
log_policy = "$dir/ca/log-signer.conf"
link_socket = "$dir/run/link.sock"
link_users = {"$(id -un)"}
admin_socket = "$dir/run/ca-admin.sock"
crl_dir = "$dir/crl"
crl_url = "http://127.0.0.1:$port/crl/issuing.crl"
# so that a renewal can be tried at once
renewal_window = 0
CONF
}

configure_ra() {
  mkdir -p "$dir/ra/state"
  signer_policy "$dir/ra/ra-signer.conf" ra ra-keys nfpki-ra ra ra-signing-v1
  cat >>"$dir/ra/ra-signer.conf" <<CONF
cmp {
    sender = "$dir/ra/ra.pem"
    bodies = {"ip", "cp", "kup", "rp", "pkiconf", "genp", "error", "pollRep"}
    queue_heads = true
}
seal { key_id = "$(key_id_of ra-keys seal)" }
CONF
  cat >"$dir/ra/nfpki-ra.conf" <<CONF
listen = {"127.0.0.1:$port"}
state_dir = "$dir/ra/state"
link_socket = "$dir/run/link.sock"
admin_socket = "$dir/run/ra-admin.sock"
signer_program = "$bin/nfpki-signer"
signer_policy = "$dir/ra/ra-signer.conf"
ra_certificate = "$dir/ra/ra.pem"
issuing_certificate = "$dir/ceremony/sub-issue/issuing.cert.pem"
root_certificate = "$dir/ceremony/root-generate/root.cert.pem"
vendor_roots = {}
crl_dir = "$dir/crl"
ledger_dir = "$dir/ledger"
public_url = {"http://127.0.0.1:$port/.well-known/cmp"}
# here one machine plays all network functions, and tests measure: no budgets
budget_address = "0"
budget_registration = "0"
CONF
}

configure() { configure_ca && configure_ra && write_start_script; }

# ---- daemons -------------------------------------------------------------------------------------

# DIR/start ca|ra [OPTION]: starts that daemon in the background and waits until it says that it is ready.
write_start_script() {
  cat >"$dir/start" <<SCRIPT
#!/usr/bin/env bash
# start ca|ra [OPTION]: nfpki-ca or nfpki-ra of this demonstration, in the background
host=\$1 log="$dir/log/nfpki-\$1.log"
export SOFTHSM2_CONF="$dir/\$1/softhsm2.conf" CREDENTIALS_DIRECTORY="$dir/\$1/credentials"
before=\$(stat -c %s "\$log" 2>/dev/null || echo 0)
setsid "$bin/nfpki-\$host" --config "$dir/\$host/nfpki-\$host.conf" "\${@:2}" >>"\$log" 2>&1 </dev/null &
pid=\$!
echo "\$pid" >"$dir/\$host.pid"
for ((i = 0; i < 600; i++)); do
  if [[ \$(tail -c +\$((before + 1)) "\$log" | grep -c '"event":"ready"') -gt 0 ]]; then
    if [[ -f "$dir/env" ]]; then
      sed -i "s/^export NFPKI_PID_\${host^^}=.*/export NFPKI_PID_\${host^^}=\"\$pid\"/" "$dir/env"
    fi
    exit 0
  fi
  [[ -e /proc/\$pid ]] || break
  sleep 0.05
done
tail -c +\$((before + 1)) "\$log" | tail -n 5
echo "nfpki-\$host did not get ready"
exit 1
SCRIPT
  chmod 755 "$dir/start"
}

start_daemon() { "$dir/start" "$1"; }

cactl() { "$bin/nfpki-cactl" --socket "$dir/run/ca-admin.sock" "$@"; }
ractl() { "$bin/nfpki-ractl" --socket "$dir/run/ra-admin.sock" "$@"; }

ra_certificate() {
  [[ -s $dir/ra/ra.pem ]] && return 0
  cactl issue --profile ra-cmp --subject-cn "nfpki demo RA" --days 5 \
    "$dir/ceremony/ra-keys/ra.csr.pem" >"$dir/ra/ra.pem.new"
  mv "$dir/ra/ra.pem.new" "$dir/ra/ra.pem"
}

# The record says which ceremonies there were, each once: the CA verifies its bundle.
record_ceremonies() {
  local name
  for name in root-generate issuing-keys seal-key sub-issue root-crl ra-keys; do
    [[ -d $dir/ceremony/$name && ! -s $dir/ceremony/$name.recorded ]] || continue
    cactl ceremony add "$dir/ceremony/$name" >"$dir/ceremony/recorded.new"
    mv "$dir/ceremony/recorded.new" "$dir/ceremony/$name.recorded"
  done
}

# The operator's OAM: the registrar whose signature makes a registration.
registrar() {
  [[ -s $dir/oam/registrar.pem ]] && return 0
  mkdir -p "$dir/oam"
  chmod 700 "$dir/oam"
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj "/CN=nfpki demo OAM" \
    -keyout "$dir/oam/registrar.key" -out "$dir/oam/registrar.csr"
  cactl issue --profile registrar --subject-cn "nfpki demo OAM" --days 5 \
    "$dir/oam/registrar.csr" >"$dir/oam/registrar.pem.new"
  mv "$dir/oam/registrar.pem.new" "$dir/oam/registrar.pem"
}

certificates() { ra_certificate && registrar; }

# register NAME NFTYPE: makes, signs and hands in the registration of one NF; writes
# DIR/oam/NAME.{json,p7s,reference,secret}
register() {
  local name=$1 type=$2 id
  id=$(</proc/sys/kernel/random/uuid)
  cat >"$dir/oam/$name.json" <<JSON
{
  "version": 1,
  "nfInstanceId": "$id",
  "nfTypes": ["$type"],
  "fqdns": ["$name.${type,,}.$home_domain"],
  "homeDomain": "$home_domain",
  "country": "SE",
  "profiles": [{"name": "nf-tls", "maxValidityDays": 2}],
  "notBefore": "$(date -u -d '-1 minute' +%Y-%m-%dT%H:%M:%SZ)",
  "notAfter": "$(date -u -d '+1 day' +%Y-%m-%dT%H:%M:%SZ)",
  "certificates": 1,
  "proof": {"kind": "mac"}
}
JSON
  openssl cms -sign -binary -nodetach -md sha256 -in "$dir/oam/$name.json" \
    -signer "$dir/oam/registrar.pem" -inkey "$dir/oam/registrar.key" -outform DER -out "$dir/oam/$name.p7s"
  (umask 077 && ractl register --json "$dir/oam/$name.p7s" >"$dir/oam/$name.answer")
  (umask 077 && sed -nE 's/.*"secret": *"([^"]*)".*/\1/p' "$dir/oam/$name.answer" >"$dir/oam/$name.secret" &&
    sed -nE 's/.*"reference": *"([^"]*)".*/\1/p' "$dir/oam/$name.answer" >"$dir/oam/$name.reference")
  rm "$dir/oam/$name.answer"
  [[ -s $dir/oam/$name.reference && -s $dir/oam/$name.secret ]]
}

registrations() { register "$first" AMF && register "$second" SMF; }

enrol() { # enrol NAME: what an NF does, with nothing but the reference, the secret and the root
  local name=$1
  mkdir -p "$dir/nf"
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$dir/nf/key.pem"
  openssl cmp -cmd ir -server "$cmp_url" -ref "$(<"$dir/oam/$name.reference")" \
    -secret "file:$dir/oam/$name.secret" -subject "/C=SE/O=$home_domain" -newkey "$dir/nf/key.pem" \
    -certout "$dir/nf/cert.pem" -chainout "$dir/nf/chain.pem" \
    -trusted "$dir/ceremony/root-generate/root.cert.pem"
}

show_certificate() {
  openssl x509 -in "$dir/nf/cert.pem" -noout -text
  openssl crl -inform DER -in <(curl -sS --fail "http://127.0.0.1:$port/crl/issuing.crl") \
    -out "$dir/nf/issuing.crl.pem"
  openssl crl -inform DER -in <(curl -sS --fail "http://127.0.0.1:$port/crl/root.crl") \
    -out "$dir/nf/root.crl.pem"
  openssl verify -x509_strict -crl_check_all -CAfile "$dir/ceremony/root-generate/root.cert.pem" \
    -untrusted "$dir/nf/chain.pem" -CRLfile "$dir/nf/issuing.crl.pem" -CRLfile "$dir/nf/root.crl.pem" \
    "$dir/nf/cert.pem"
}

# The auditor's key of the log, made from the ceremony's bundle and not from the ledger that it is to
# check: origin + key id + base64(0x02 || SubjectPublicKeyInfo) (C2SP signed-note).
log_key() {
  local spki=$dir/ceremony/issuing-keys/log.spki.der
  openssl pkey -pubin -in "$dir/ceremony/issuing-keys/log.spki.pem" -outform DER -out "$spki"
  printf '%s+%s+%s\n' "$log_origin" "$(sha256sum <"$spki" | cut -c1-8)" \
    "$({ printf '\002'; cat "$spki"; } | base64 -w 0)" >"$dir/log.vkey"
  rm "$spki"
}

show_record() {
  local serial
  log_key
  published
  serial=$(openssl x509 -in "$dir/nf/cert.pem" -noout -serial | cut -d= -f2 | tr A-F a-f)
  "$bin/nfpki-audit" --ledger "$dir/ledger" --key "$dir/log.vkey" verify --certificate "$dir/nf/cert.pem"
  "$bin/nfpki-audit" --ledger "$dir/ledger" --key "$dir/log.vkey" show "$serial"
}

write_env() {
  (umask 077 && cat >"$dir/env.new") <<ENV
export NFPKI_CMP_URL="$cmp_url"
export NFPKI_TRUST="$dir/ceremony/root-generate/root.cert.pem"
export NFPKI_REFERENCE="$(<"$dir/oam/$1.reference")"
export NFPKI_SECRET="$(<"$dir/oam/$1.secret")"
export NFPKI_LEDGER="$dir/ledger"
export NFPKI_BIN="$bin"
export NFPKI_PID_RA="$(<"$dir/ra.pid")"
export NFPKI_PID_CA="$(<"$dir/ca.pid")"
ENV
  mv "$dir/env.new" "$dir/env"
}

free_port() {
  local candidate
  for candidate in $(shuf -i 20000-30000 -n 50); do
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$candidate") 2>/dev/null; then
      echo "$candidate"
      return 0
    fi
  done
  return 1
}

# ---- the whole -----------------------------------------------------------------------------------

if [[ -e $dir && ! -f $dir/.nfpki-demo && -n $(ls -A "$dir" 2>/dev/null) ]]; then
  die "$dir exists and holds something else: give another --dir"
fi
[[ -z $bin || -x $bin/nfpki-ca ]] || die "$bin holds no nfpki programs"
mkdir -p "$dir/log" "$dir/run" "$dir/ceremony" || die "$dir cannot be made: give another --dir"
chmod 700 "$dir"
exec 9>>"$dir/.nfpki-demo"
flock -n 9 || die "another quickstart is at work in $dir"
rm -f "$dir"/log/[0-9]*.log
trap 'stop_all; die "interrupted; the same command goes on, --remove clears away"' INT TERM HUP
for certificate in ceremony/root-generate/root.cert.pem ceremony/sub-issue/issuing.cert.pem ra/ra.pem; do
  if [[ -s $dir/$certificate ]] && ! openssl x509 -in "$dir/$certificate" -noout -checkend 90000 >/dev/null; then
    die "$dir/$certificate ends within a day; a rehearsal lasts a week: --remove, then begin again"
  fi
done
echo "nfpki demonstration in $dir (logs in $dir/log)"
echo "SoftHSM is for rehearsal, tests and demonstrations only: the keys are files here."

if [[ -z $bin ]]; then
  step 'Debian packages' packages
  step 'build: release, hardened' build
  bin=$source_dir/build/release/bin
fi
bin=$(cd "$bin" && pwd)
stop_all
if [[ -z $port || $port == 0 && -s $dir/port ]]; then # it stands in the certificates' CRL addresses
  port=$(cat "$dir/port" 2>/dev/null || echo 8829)
fi
if [[ $port -eq 0 ]]; then
  port=$(free_port) || die 'no free TCP port found: give one with --port'
elif (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
  die "port $port on 127.0.0.1 is taken: give another with --port"
fi
if [[ -s $dir/port && $(<"$dir/port") != "$port" ]]; then
  echo "note: the issuing certificate says that the root's CRL is at port $(<"$dir/port")"
fi
echo "$port" >"$dir/port"
home_domain=5gc.mnc012.mcc345.3gppnetwork.org
log_origin=ca.$home_domain/ledger
cmp_url=http://127.0.0.1:$port/.well-known/cmp/p/nf-tls

# A rehearsal that was interrupted is begun anew: no CA has used its keys yet.
for name in root-generate issuing-keys sub-issue root-crl ra-keys; do
  if [[ ! -f $dir/ceremony/$name/head.txt && ! -d $dir/ca/state && -d $dir/root ]]; then
    echo "an earlier rehearsal stopped before $name was done: its tokens and bundles are made anew"
    rm -rf "$dir/root" "$dir/ca" "$dir/ra" "$dir/ceremony"
    mkdir "$dir/ceremony"
  fi
done
for host in root ca ra; do
  host_token "$host"
done
step 'ceremony: root key (P-384) and self-signed root' ceremony root root-generate
step 'ceremony: issuing, log and seal key in the issuing token, CSR' ceremony ca issuing-keys
has_seal_key || step 'ceremony: seal key in the issuing token of an earlier version' ceremony ca seal-key
step 'ceremony: the root certifies the issuing key (pathLen 0)' ceremony root sub-issue
step 'ceremony: first root CRL' ceremony root root-crl
step 'ceremony: RA key in a token of its own, CSR' ceremony ra ra-keys
step 'all transcripts verified without PKCS #11' verify_ceremonies
step 'configuration of CA and RA' configure
step 'nfpki-ca starts' start_daemon ca
step 'the ceremonies are recorded in the ledger' record_ceremonies
step 'certificates for the RA (cmcRA) and the registrar (OAM)' certificates
step 'nfpki-ra starts' start_daemon ra

count=$(($(cat "$dir/oam/count" 2>/dev/null || echo 0) + 1))
echo "$count" >"$dir/oam/count"
first=amf$count second=smf$count
step "registration of $first (AMF) and $second (SMF), signed by the OAM" registrations
step "$first enrols: openssl cmp, MAC protected" enrol "$first"
step 'certificate verified with both CRLs (fetched by HTTP)' show_certificate
step 'its record verified against the signed checkpoint' show_record
write_env "$second"

printf '\n== the certificate\n'
cat "$dir"/log/*-show_certificate.log
printf '\n== its record\n'
cat "$dir"/log/*-show_record.log

if [[ $once == yes ]]; then
  step 'stop' stop_all
  echo "done; everything is in $dir"
  exit 0
fi
cat <<TEXT

== running
RA   $cmp_url   (pid $(<"$dir/ra.pid"), log $dir/log/nfpki-ra.log)
CA   (pid $(<"$dir/ca.pid"), log $dir/log/nfpki-ca.log)
NF   $dir/nf/cert.pem key.pem chain.pem

Enrol the next NF, which is registered already:
  . $dir/env
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out nf.key
  openssl cmp -cmd ir -server "\$NFPKI_CMP_URL" -ref "\$NFPKI_REFERENCE" -secret "pass:\$NFPKI_SECRET" \\
    -subject "/C=SE/O=$home_domain" -newkey nf.key -certout nf.pem -trusted "\$NFPKI_TRUST"
Look at the record:
  "\$NFPKI_BIN"/nfpki-audit --ledger "\$NFPKI_LEDGER" --key $dir/log.vkey list
  "\$NFPKI_BIN"/nfpki-audit --ledger "\$NFPKI_LEDGER" --key $dir/log.vkey verify
and as an auditor elsewhere does, who fetches it from the RA into a database of his own:
  "\$NFPKI_BIN"/nfpki-audit --key $dir/log.vkey mirror --init ${cmp_url%/.well-known/*}/ledger audit.db
  "\$NFPKI_BIN"/nfpki-audit --mirror audit.db list certificates
What the operator of another NF needs, with all its commands (REGISTRATION: from the list below):
  $bin/nfpki-ractl --socket $dir/run/ra-admin.sock bundle REGISTRATION
Ask the daemons:
  $bin/nfpki-cactl --socket $dir/run/ca-admin.sock status
  $bin/nfpki-ractl --socket $dir/run/ra-admin.sock list
Stop one daemon and start it again (the RA answers "waiting" while the CA is away):
  kill "\$NFPKI_PID_CA"; $dir/start ca
Stop, and remove:
  ceremony/quickstart.sh --dir $dir --stop
  ceremony/quickstart.sh --dir $dir --remove
TEXT
