/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explain.h - how one certificate came about, and what became of it, in sentences: each with its
 * leaf, which is proven, with the signature behind it, verified again, and with the message that
 * somebody asked with (asked.h); and what the record cannot show.
 */
#pragma once

#include "db/audit/out/sink.h"
#include "db/audit/print_leaf.h"
#include "db/audit/rules/issuer.h"
#include "db/audit/story/story.h"

struct explanation {
    struct mirror *mirror;
    const struct story *story; /* of one certificate or request */
    struct audit_issuers *issuers;
    STACK_OF(X509) * vendors; /* roots of those whose devices may ask */
    const struct basis *basis;
    time_t now;
    struct span key; /* JSON, as in query.h */
};
/* Told of each sentence: time, kind, text, signature, and the leaf, which is CELL_NONE for what no
 * leaf says. */
typedef void explain_told(void *arg, const struct cell *, size_t n);
/* ERR_INPUT: the story is of several; ERR_CRYPTO: something does not verify. */
int explain_tell(const struct explanation *, explain_told *, void *arg, struct err *e);
int explain(const struct explanation *, enum sink_format, FILE *, struct err *e);
