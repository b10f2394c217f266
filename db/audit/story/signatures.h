/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signatures.h - who signed what a leaf says, verified once more, from proven leaves alone: the
 * registrar's CMS, the RA's head and what is under it, the officers' CMS, the issuing key's
 * certificate. That they had that role then is what the import verified (db/audit/rules/).
 */
#pragma once

#include "db/audit/rules/issuer.h"
#include "db/audit/story/story.h"

enum signature {
    SIGNATURE_NONE,     /* nobody signs such a leaf but the log */
    SIGNATURE_VERIFIED, /* again, now */
    SIGNATURE_ABSENT,   /* somebody did, and the record does not have it */
    SIGNATURE_UNASKED,  /* of an issuing certificate that was not given */
};
/* "verified again" */
const char *signature_name(enum signature);

struct signatures;
void signatures_free(struct signatures *);
/* The issuers are borrowed. */
struct signatures *signatures_new(struct mirror *, struct audit_issuers *) OWNED(signatures_free);
DEFINE_CLEANUP(signatures_cleanup, struct signatures, signatures_free)
/* Of the leaves of a story, one after the other. ERR_CRYPTO: one that does not verify. */
int signatures_check(struct signatures *, const struct story_leaf *, enum signature *,
                     struct err *e);
