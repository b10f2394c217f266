/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logged.h - is what is to be signed announced in the ledger, for everybody to see? The log's key
 * and origin are pinned in the policy; all else comes from the one who wants the signature, and is
 * computed again.
 */
#pragma once

#include "pkcs11/signer/object.h"

/* A checkpoint that the pinned key signed covers the leaf, and that is the INTENT of this
 * TBSCertificate. ERR_INPUT what has not its form, ERR_DENIED what is otherwise; both name the
 * field: checkpoint, path or leaf. `tbs` was decoded before. */
int logged_check_certificate(const struct policy *, struct span tbs, struct span evidence,
                             struct err *e);
/* The same of the CRL-INTENT of a TBSCertList, which says what object_check_crl() read there:
 * auditors compare it with what was revoked, and do not see the CRL. */
int logged_check_crl(const struct policy *, struct span tbs, const struct crl_said *,
                     struct span evidence, struct err *e);
