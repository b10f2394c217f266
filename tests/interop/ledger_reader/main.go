// SPDX-License-Identifier: Apache-2.0

// ledger_reader FOLDER: the record as golang.org/x/mod's sumdb reads one: its signed notes (with a verifier for P-256, as
// that package has Ed25519 alone), its tiles, which it proves from the root down, and each leaf under them.
package main

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type key struct {
	name string
	id   uint32
	ec   *ecdsa.PublicKey
}

func (k key) Name() string    { return k.name }
func (k key) KeyHash() uint32 { return k.id }
func (k key) Verify(text, signature []byte) bool {
	hash := sha256.Sum256(text)
	return ecdsa.VerifyASN1(k.ec, hash[:], signature)
}

func readKey(text string) (k key, err error) {
	part := strings.SplitN(strings.TrimSuffix(text, "\n"), "+", 3)
	if len(part) != 3 {
		return k, errors.New("key: not three parts")
	}
	octets, err := base64.StdEncoding.DecodeString(part[2])
	if err != nil || len(octets) < 2 || octets[0] != 2 {
		return k, errors.New("key: not of type 2")
	}
	public, err := x509.ParsePKIXPublicKey(octets[1:])
	if err != nil {
		return k, err
	}
	ec, ok := public.(*ecdsa.PublicKey)
	hash := sha256.Sum256(octets[1:])
	if !ok || fmt.Sprintf("%x", hash[:4]) != part[1] {
		return k, errors.New("key: another id")
	}
	return key{part[0], binary.BigEndian.Uint32(hash[:4]), ec}, nil
}

// The folder as tlog sees it: its names have the height of tiles, C2SP's have not.
type folder string

func (f folder) Height() int                         { return 8 }
func (f folder) SaveTiles(_ []tlog.Tile, _ [][]byte) {}
func (f folder) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	for _, t := range tiles {
		octets, err := f.read(strings.Replace(t.Path(), "tile/8/", "tile/", 1))
		if err != nil {
			return nil, err
		}
		if len(octets) != t.W*tlog.HashSize && len(octets) != 256*tlog.HashSize {
			return nil, fmt.Errorf("%s: %d octets", t.Path(), len(octets))
		}
		data = append(data, octets[:t.W*tlog.HashSize])
	}
	return data, nil
}

// A partial file, or the full one that took its place.
func (f folder) read(name string) ([]byte, error) {
	octets, err := os.ReadFile(filepath.Join(string(f), name))
	if at := strings.Index(name, ".p/"); errors.Is(err, os.ErrNotExist) && at >= 0 {
		return os.ReadFile(filepath.Join(string(f), name[:at]))
	}
	return octets, err
}

func (f folder) entries(size, first int64) (bodies [][]byte, err error) {
	tile := tlog.Tile{H: 8, L: -1, N: first / 256, W: 256}
	if size-first < 256 {
		tile.W = int(size - first)
	}
	octets, err := f.read(strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1))
	for err == nil && len(octets) > 0 {
		n := 0
		if len(octets) > 1 {
			n = 2 + int(binary.BigEndian.Uint16(octets))
		}
		if n == 0 || n > len(octets) {
			return nil, errors.New("entries: cut")
		}
		bodies, octets = append(bodies, octets[2:n]), octets[n:]
	}
	if err == nil && len(bodies) != tile.W && len(bodies) != 256 {
		err = fmt.Errorf("entries: %d, not %d", len(bodies), tile.W)
	}
	return bodies, err
}

func verify(f folder) (string, error) {
	text, err := f.read("log.vkey")
	if err != nil {
		return "", err
	}
	k, err := readKey(string(text))
	if err != nil {
		return "", err
	}
	if text, err = f.read("checkpoint"); err != nil {
		return "", err
	}
	signed, err := note.Open(text, note.VerifierList(k))
	if err != nil {
		return "", err
	}
	line := strings.Split(signed.Text, "\n")
	if len(line) != 4 || line[0] != k.name {
		return "", errors.New("checkpoint: not three lines of this log")
	}
	size, err := strconv.ParseInt(line[1], 10, 64)
	if err != nil {
		return "", err
	}
	root, err := tlog.ParseHash(line[2])
	if err != nil {
		return "", err
	}
	hashes := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, f)
	for first := int64(0); first < size; first += 256 {
		bodies, err := f.entries(size, first)
		if err != nil {
			return "", err
		}
		for i := first; i < first+256 && i < size; i++ {
			found, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, i)})
			if err != nil {
				return "", err
			}
			if found[0] != tlog.RecordHash(bodies[i-first]) {
				return "", fmt.Errorf("leaf %d is another one", i)
			}
		}
	}
	return fmt.Sprintf("verified: %s, %d leaves", k.name, size), nil
}

func main() {
	said, err := verify(folder(os.Args[1]))
	if err != nil {
		fmt.Fprintln(os.Stderr, "NOT VERIFIED:", err)
		os.Exit(1)
	}
	fmt.Println(said)
}
