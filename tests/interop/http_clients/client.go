// SPDX-License-Identifier: Apache-2.0

// What a Go program with the standard library's net/http, crypto/tls and crypto/x509 does with an RA:
//
//	client cmp URL IR ANSWER            posts a CMP message, twice on one connection
//	client crl URL ISSUER               HEAD, GET, both conditions; verifies the CRL
//	client api URL ROOT CERT KEY DOCUMENT   a registrar: registers and looks
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func expect(what string, wanted, got interface{}) {
	if wanted != got {
		must(fmt.Errorf("%s: expected %v, got %v", what, wanted, got))
	}
	fmt.Printf("ok: %s: %v\n", what, got)
}

func read(path string) []byte {
	octets, err := os.ReadFile(path)
	must(err)
	return octets
}

func certificate(path string) *x509.Certificate {
	block, _ := pem.Decode(read(path))
	if block == nil {
		must(fmt.Errorf("%s: no PEM", path))
	}
	parsed, err := x509.ParseCertificate(block.Bytes)
	must(err)
	return parsed
}

// send gives the answer with its content, read to the end so that the connection is used again.
func send(client *http.Client, method, url string, body []byte, fields ...string) (*http.Response, []byte) {
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	request, err := http.NewRequest(method, url, reader)
	must(err)
	for i := 0; i+1 < len(fields); i += 2 {
		request.Header.Set(fields[i], fields[i+1])
	}
	response, err := client.Do(request)
	must(err)
	content, err := io.ReadAll(response.Body)
	must(err)
	must(response.Body.Close())
	return response, content
}

func cmp(url, ir, answer string) {
	var first []byte
	for i := 0; i < 2; i++ { // the second one, on the same connection, is answered as a replay
		response, content := send(http.DefaultClient, "POST", url, read(ir), "Content-Type", "application/pkixcmp")
		expect("POST of CMP", 200, response.StatusCode)
		expect("its type", "application/pkixcmp", response.Header.Get("Content-Type"))
		if first == nil {
			first = content
		}
	}
	must(os.WriteFile(answer, first, 0o600))
}

func crl(url, issuer string) {
	response, content := send(http.DefaultClient, "GET", url, nil)
	expect("GET of a CRL", 200, response.StatusCode)
	list, err := x509.ParseRevocationList(content)
	must(err)
	must(list.CheckSignatureFrom(certificate(issuer)))
	head, nothing := send(http.DefaultClient, "HEAD", url, nil)
	expect("HEAD of it", 200, head.StatusCode)
	expect("its Content-Length", int64(len(content)), head.ContentLength)
	expect("without content", 0, len(nothing))
	expect("its ETag", response.Header.Get("ETag"), head.Header.Get("ETag"))
	again, _ := send(http.DefaultClient, "GET", url, nil, "If-None-Match", response.Header.Get("ETag"))
	expect("If-None-Match", 304, again.StatusCode)
	again, _ = send(http.DefaultClient, "GET", url, nil, "If-Modified-Since", response.Header.Get("Last-Modified"))
	expect("If-Modified-Since", 304, again.StatusCode)
}

func api(url, root, cert, key, document string) {
	own, err := tls.LoadX509KeyPair(cert, key)
	must(err)
	certificate(cert) // crypto/tls parses it, too; an OAM looks at its own certificate
	anchors := x509.NewCertPool()
	anchors.AddCert(certificate(root))
	client := &http.Client{Transport: &http.Transport{
		ForceAttemptHTTP2: true,
		TLSClientConfig:   &tls.Config{RootCAs: anchors, Certificates: []tls.Certificate{own}},
	}}
	cms := read(document)
	made, _ := send(client, "POST", url+"/v1/registrations", cms, "Content-Type", "application/cms")
	expect("register", 201, made.StatusCode)
	one := made.Header.Get("Location")
	list, content := send(client, "GET", url+"/v1/registrations?limit=10", nil)
	expect("list", 200, list.StatusCode)
	expect("in the list", true, strings.Contains(string(content), one[strings.LastIndex(one, "/")+1:]))
	show, _ := send(client, "GET", url+one, nil)
	expect("show", 200, show.StatusCode)
	head, nothing := send(client, "HEAD", url+one, nil)
	expect("HEAD of it", 200, head.StatusCode)
	expect("without content", 0, len(nothing))
	again, _ := send(client, "POST", url+"/v1/registrations", cms, "Content-Type", "application/cms")
	expect("the same again", 409, again.StatusCode)
}

func main() {
	switch a := os.Args[1:]; a[0] {
	case "cmp":
		cmp(a[1], a[2], a[3])
	case "crl":
		crl(a[1], a[2])
	case "api":
		api(a[1], a[2], a[3], a[4], a[5])
	default:
		must(fmt.Errorf("no command %s", a[0]))
	}
}
