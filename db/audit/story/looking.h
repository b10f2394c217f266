/* SPDX-License-Identifier: Apache-2.0 */
/* looking.h - one message that is looked at: what asked.c and asker.c share. */
#pragma once

#include "db/audit/message/outline.h"
#include "db/audit/story/asked.h"

enum { LOOKING_MAX = 64 * 1024 /* octets of what is encoded meanwhile */ };

struct looking {
    const struct asking *a;
    const struct story_leaf *leaf;
    struct span octets;
    struct message_outline m;
    bool is_pkcs10; /* of an officer: m is empty */
};

void looking_say(const struct looking *, enum asked_verdict, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The certificate that the record has under this serial (NULL or empty: none), and its DER; NULL
 * and no error: there is none. */
int looking_issued(const struct looking *, const char *serial, X509 **certificate, struct buf *der,
                   struct err *e);
/* The leaf of this kind that came last in the story, or NULL. */
const struct leaf *looking_leaf(const struct looking *, enum leaf_kind);
