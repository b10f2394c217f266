// SPDX-License-Identifier: Apache-2.0

// certificates ROOT ISSUING CRL CERTIFICATE...: what Go's crypto/x509 thinks of them. Each is parsed,
// verified to the root for any purpose, checked against the CRL of its issuer, loaded with its key as
// a TLS client or server would (NAME.key beside NAME.pem), and said in one line.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
)

func fail(format string, arguments ...interface{}) {
	fmt.Fprintf(os.Stderr, format+"\n", arguments...)
	os.Exit(1)
}

func read(file string) []byte {
	octets, err := os.ReadFile(file)
	if err != nil {
		fail("%v", err)
	}
	return octets
}

func certificate(file string) *x509.Certificate {
	block, _ := pem.Decode(read(file))
	if block == nil {
		fail("%s: no PEM", file)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		fail("%s: %v", file, err)
	}
	return c
}

// says what the certificate is good for, as Go sees it
func verify(c *x509.Certificate, root, issuing *x509.CertPool, usage x509.ExtKeyUsage) error {
	_, err := c.Verify(x509.VerifyOptions{Roots: root, Intermediates: issuing, KeyUsages: []x509.ExtKeyUsage{usage}})
	return err
}

func main() {
	if len(os.Args) < 5 {
		fail("usage: certificates ROOT ISSUING CRL CERTIFICATE...")
	}
	root, issuing := x509.NewCertPool(), x509.NewCertPool()
	issuer := certificate(os.Args[2])
	root.AddCert(certificate(os.Args[1]))
	issuing.AddCert(issuer)
	crl, err := x509.ParseRevocationList(read(os.Args[3]))
	if err != nil {
		fail("%s: %v", os.Args[3], err)
	}
	if err := crl.CheckSignatureFrom(issuer); err != nil {
		fail("%s: %v", os.Args[3], err)
	}
	for _, file := range os.Args[4:] {
		c := certificate(file)
		if err := verify(c, root, issuing, x509.ExtKeyUsageAny); err != nil {
			fail("%s: %v", file, err)
		}
		for _, revoked := range crl.RevokedCertificates {
			if revoked.SerialNumber.Cmp(c.SerialNumber) == 0 {
				fail("%s: revoked", file)
			}
		}
		if _, err := tls.LoadX509KeyPair(file, strings.TrimSuffix(file, ".pem")+".key"); err != nil {
			fail("%s: %v", file, err)
		}
		client, server := verify(c, root, issuing, x509.ExtKeyUsageClientAuth), verify(c, root, issuing, x509.ExtKeyUsageServerAuth)
		fmt.Printf("%s client %s server %s, names %d, URIs %d, unhandled %d\n", file, yes(client), yes(server), len(c.DNSNames),
			len(c.URIs), len(c.UnhandledCriticalExtensions))
	}
}

func yes(err error) string {
	if err == nil {
		return "yes"
	}
	return "no"
}
