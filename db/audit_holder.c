/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit_holder.h"

#include <string.h>

#include "db/audit_certificate.h"

struct audit_holders {
    const char *role;
    struct audit_holder *first;
};

struct audit_holders *
audit_holders_new(const char *role)
{
    struct audit_holders *h = mem_zalloc(1, sizeof(*h));

    h->role = role;
    return h;
}

void
audit_holders_free(struct audit_holders *h)
{
    if (h == NULL) {
        return;
    }
    while (h->first != NULL) {
        struct audit_holder *one = h->first;

        h->first = one->next;
        mem_free(one->serial);
        X509_free(one->certificate);
        mem_free(one);
    }
    mem_free(h);
}

static struct audit_holder *
find(const struct audit_holders *h, const char *serial)
{
    struct audit_holder *one = h->first;

    while (one != NULL && strcmp(one->serial, serial) != 0) {
        one = one->next;
    }
    return one;
}

/* The first INTENT of a certificate says what it is; a network function's is nobody's. */
static void
note_intent(struct audit_holders *h, const struct leaf *leaf)
{
    const char *serial = leaf_text(leaf, "serial");

    if (strcmp(leaf_text(leaf, "profile"), h->role) == 0 &&
        leaf_text(leaf, "registration") == NULL && find(h, serial) == NULL) {
        struct audit_holder *one = mem_zalloc(1, sizeof(*one));

        one->serial = mem_strdup(serial);
        one->next = h->first;
        h->first = one;
    }
}

static int
note_issued(const struct audit_holders *h, const struct leaf *leaf, struct err *e)
{
    struct audit_holder *one = find(h, leaf_text(leaf, "serial"));

    if (one == NULL || one->certificate != NULL) {
        return 0;
    }
    one->certificate = audit_certificate(leaf, e);
    return one->certificate == NULL ? -1 : 0;
}

static void
note_revoked(const struct audit_holders *h, const struct leaf *leaf)
{
    struct audit_holder *one = find(h, leaf_text(leaf, "serial"));

    if (one != NULL) {
        one->revoked = true;
    }
}

int
audit_holders_note(struct audit_holders *h, const struct leaf *leaf, struct err *e)
{
    switch (leaf_kind(leaf)) {
    case LEAF_INTENT:
        note_intent(h, leaf);
        return 0;
    case LEAF_ISSUED:
        return note_issued(h, leaf, e);
    case LEAF_REVOKED:
        note_revoked(h, leaf);
        return 0;
    case LEAF_START:
    case LEAF_STOP:
    case LEAF_CONFIG:
    case LEAF_REGISTRATION:
    case LEAF_CANCEL:
    case LEAF_REQUEST:
    case LEAF_REFUSAL:
    case LEAF_CONFIRMED:
    case LEAF_REJECTED:
    case LEAF_CRL:
    case LEAF_RECOVERED:
    case LEAF_CEREMONY:
    case LEAF_APPROVAL:
    case LEAF_AGAIN:
    case LEAF_KINDS:
        break;
    }
    return 0;
}

const struct audit_holder *
audit_holders_find(const struct audit_holders *h, const char *serial)
{
    const struct audit_holder *one = find(h, serial);

    return one == NULL || one->certificate == NULL || one->revoked ? NULL : one;
}
