# The Debian 12 packages that nfpki needs; sourced by quickstart.sh and tests/run.sh.
# shellcheck shell=bash disable=SC2034
build_packages=(gcc libc6-dev cmake ninja-build pkg-config libssl-dev libsqlite3-dev libzstd-dev libevent-dev
  node-llhttp libjansson-dev libcurl4-openssl-dev libconfuse-dev libp11-kit-dev)
run_packages=(openssl softhsm2 opensc curl ca-certificates)
test_packages=(git clang clang-format clang-tidy libclang-rt-14-dev llvm libcmocka-dev mandoc sqlite3 gdb strace
  jq gnuplot-nox python3 python3-jsonschema python3-yaml procps xz-utils binutils
  default-jdk-headless libbcpkix-java golang-go golang-golang-x-mod-dev tshark p11-kit-modules faketime gnutls-bin libnss3-tools
  chromium)

# install_packages PACKAGE...: what is not there yet, as root or with sudo
install_packages() {
  local missing=() package sudo=()
  for package in "$@"; do
    if [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) != installed ]]; then
      missing+=("$package")
    fi
  done
  if [[ ${#missing[@]} -eq 0 ]]; then
    return 0
  fi
  if [[ $EUID -ne 0 ]]; then
    if ! command -v sudo >/dev/null; then
      echo "missing packages: ${missing[*]}; run this as root or install sudo" >&2
      return 1
    fi
    sudo=(sudo)
  fi
  echo "installing: ${missing[*]}"
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
}
