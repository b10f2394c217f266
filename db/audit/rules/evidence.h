/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence.h - what a registrar signed, and whether the REGISTRATION says that: the leaf is named
 * by the octets of its evidence, a CMS or an element of a batch (ca/link/PROTOCOL.md), whose
 * signature verifies with the registrar's key; and whom it is about, how he proves himself, how
 * many certificates, and until when, is what the document has.
 *
 * Memory: the manifest that was verified last; the elements of a batch come one after the other.
 */
#pragma once

#include <openssl/x509.h>

#include "db/ledger/leaf.h"

struct audit_evidence;
void audit_evidence_free(struct audit_evidence *);
struct audit_evidence *audit_evidence_new(void) OWNED(audit_evidence_free);

/* Of a REGISTRATION that has any. ERR_CRYPTO with what does not fit. */
int audit_evidence_check(struct audit_evidence *, const struct leaf *, X509 *registrar,
                         struct err *e);

/* The document of a REGISTRATION that has evidence and was checked. ERR_CRYPTO: it has none. */
int audit_evidence_document(const struct leaf *, struct buf *document, struct err *e);
