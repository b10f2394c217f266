/* SPDX-License-Identifier: Apache-2.0 */
/* signed.h - what somebody signed, as a leaf has it. Private to the auditor. */
#pragma once

#include "base/ossl.h"
#include "db/ledger/leaf.h"

/* The content of a member of the leaf (CMS SignedData), signed with the key of `signer`; what
 * certificates it carries is not looked at. ERR_CRYPTO. */
int audit_signed_member(const struct leaf *, const char *member, X509 *signer, struct buf *content,
                        struct err *e);
/* The same of the member cms. */
int audit_signed_content(const struct leaf *, X509 *signer, struct buf *content, struct err *e);
