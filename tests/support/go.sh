# Go programs of tests; sourced after pki.sh.
# shellcheck shell=bash disable=SC2154

# go_build PROGRAM SOURCE: with nothing fetched and a cache of the test's own. Without cgo, which none of
# them needs, the packages of the standard library come as Debian has compiled them.
go_build() {
  CGO_ENABLED=0 GO111MODULE=off GOTOOLCHAIN=local GOFLAGS=-mod= GOPROXY=off GOPATH=$pki/go:/usr/share/gocode GOCACHE=$pki/go/cache \
    /usr/bin/go build -ldflags='-s -w' -o "$1" "$2"
}
