/* SPDX-License-Identifier: Apache-2.0 */
/* signed.h - what somebody signed, as a leaf has it. Private to the auditor. */
#pragma once

#include "base/ossl.h"
#include "db/ledger/leaf.h"

/* What is signed in `der`, a CMS SignedData, with the key of `signer`; what certificates it carries
 * is not looked at. ERR_CRYPTO. */
int audit_signed_octets(struct span der, X509 *signer, struct buf *content, struct err *e);
/* The same of a member of the leaf, */
int audit_signed_member(const struct leaf *, const char *member, X509 *signer, struct buf *content,
                        struct err *e);
/* and of its member cms. */
int audit_signed_content(const struct leaf *, X509 *signer, struct buf *content, struct err *e);
