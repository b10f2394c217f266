/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csr.h - PKCS #10 requests (RFC 2986): strict reading with proof of possession, and the part that
 * a token's key signs when we make one. Pure and thread-safe.
 */
#pragma once

#include "base/ossl.h"
#include "ca/x509/name.h"
#include "ca/x509/pubkey.h"

enum { CSR_MAX = 16 * 1024 };

struct csr;
void csr_free(struct csr *);
/*
 * DER or PEM, exactly one, nothing behind it (PEM: blanks only). Accepted: version 1, canonical
 * DER, a key that pubkey_parse() and weak_key_check() accept, a signature with SHA-256 or better
 * that verifies under this key. ERR_INPUT for form, ERR_CRYPTO when possession is not proven.
 * Attributes are not read: what is issued comes from elsewhere.
 */
struct csr *csr_parse(struct span bytes, struct err *e) OWNED(csr_free);
DEFINE_CLEANUP(csr_cleanup, struct csr, csr_free)

/* All borrowed until csr_free(). */
struct span csr_der(const struct csr *);
struct span csr_spki(const struct csr *);
enum pubkey_kind csr_key_kind(const struct csr *);
const X509_NAME *csr_subject(const struct csr *);

/* Appends the DER CertificationRequestInfo (no attributes). Sign it, then signed_assemble() with
 * SIGNED_CSR. */
int csr_info_build(const struct name *subject, struct span spki, struct buf *out, struct err *e);
