/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/story/looking.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "db/audit/der/certificate.h"

void
looking_say(const struct looking *l, enum asked_verdict verdict, const char *fmt, ...)
{
    char *text = NULL;
    va_list args;

    va_start(args, fmt);
    if (vasprintf(&text, fmt, args) >= 0) {
        l->a->told(l->a->arg, l->leaf, text, verdict);
        free(text);
    }
    va_end(args);
}

int
looking_issued(const struct looking *l, const char *serial, X509 **certificate, struct buf *der,
               struct err *e)
{
    CLEANUP(story_leaf_free) struct story_leaf issued = {0};
    bool found = false;
    uint64_t index = 0;

    *certificate = NULL;
    if (serial == NULL || serial[0] == '\0' ||
        story_issued(l->a->mirror, serial, &found, &index, e) != 0) {
        return serial == NULL || serial[0] == '\0' ? 0 : -1;
    }
    if (!found) {
        return 0;
    }
    if (story_leaf_load(l->a->mirror, index, &issued, e) != 0) {
        return -1;
    }
    *certificate = audit_certificate(issued.leaf, e);
    return *certificate == NULL ? -1 : OSSL_ENCODE(X509, *certificate, der, e);
}

const struct leaf *
looking_leaf(const struct looking *l, enum leaf_kind kind)
{
    const struct story_leaf *found = story_find(l->a->story, kind);

    return found == NULL ? NULL : found->leaf;
}
