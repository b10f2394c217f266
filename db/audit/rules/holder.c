/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/rules/holder.h"

#include <string.h>

#include "base/ossl.h"
#include "db/audit/der/certificate.h"

struct audit_holders {
    const char *role;
    struct audit_holder *first;
};

struct audit_holders *
audit_holders_new(const char *role)
{
    struct audit_holders *h = mem_new(sizeof(*h));

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
static int
note_intent(struct audit_holders *h, const struct leaf *leaf, struct err *e)
{
    const char *serial = leaf_text(leaf, "serial");

    (void)e;
    if (strcmp(leaf_text(leaf, "profile"), h->role) == 0 &&
        leaf_text(leaf, "registration") == NULL && find(h, serial) == NULL) {
        struct audit_holder *one = mem_new(sizeof(*one));

        one->serial = mem_strdup(serial);
        one->next = h->first;
        h->first = one;
    }
    return 0;
}

static int
note_issued(struct audit_holders *h, const struct leaf *leaf, struct err *e)
{
    struct audit_holder *one = find(h, leaf_text(leaf, "serial"));

    if (one == NULL || one->certificate != NULL) {
        return 0;
    }
    one->certificate = audit_certificate(leaf, e);
    return one->certificate == NULL ? -1 : 0;
}

static int
note_revoked(struct audit_holders *h, const struct leaf *leaf, struct err *e)
{
    struct audit_holder *one = find(h, leaf_text(leaf, "serial"));

    (void)e;
    if (one != NULL) {
        one->revoked = true;
    }
    return 0;
}

typedef int check_leaf(struct audit_holders *, const struct leaf *, struct err *);

/* The other kinds are about no certificate. */
static check_leaf *const CHECKS[LEAF_KINDS] = {
    [LEAF_INTENT] = note_intent,
    [LEAF_ISSUED] = note_issued,
    [LEAF_REVOKED] = note_revoked,
};

int
audit_holders_note(struct audit_holders *h, const struct leaf *leaf, struct err *e)
{
    check_leaf *check = CHECKS[leaf_kind(leaf)];

    return check == NULL ? 0 : check(h, leaf, e);
}

const struct audit_holder *
audit_holders_find(const struct audit_holders *h, const char *serial)
{
    const struct audit_holder *one = find(h, serial);

    return one == NULL || one->certificate == NULL || one->revoked ? NULL : one;
}

bool
audit_holder_is_same_person(const struct audit_holder *a, const struct audit_holder *b)
{
    return X509_NAME_cmp(X509_get_subject_name(a->certificate),
                         X509_get_subject_name(b->certificate)) == 0 ||
           EVP_PKEY_eq(X509_get0_pubkey(a->certificate), X509_get0_pubkey(b->certificate)) == 1;
}

const struct audit_holder *
audit_holders_any(const struct audit_holders *h, const char *serial)
{
    return find(h, serial);
}

/* ---- state ---- */

static void
certificate_state(struct audit_holder *one, struct state *s)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(LEAF_MAX);
    struct err e;

    if (one->certificate != NULL && OSSL_ENCODE(X509, one->certificate, &der, &e) != 0) {
        state_spoil(s);
    }
    state_buf(s, "certificate", &der, LEAF_MAX);
    if (!s->saves && der.n > 0) {
        one->certificate = certificate_parse(buf_span(&der), &e);
    }
    if (der.n > 0 && one->certificate == NULL) {
        state_spoil(s);
    }
}

static void
holder_state(struct audit_holder *one, struct state *s)
{
    state_text(s, "serial", &one->serial);
    certificate_state(one, s);
    state_bool(s, "revoked", &one->revoked);
}

static void
holders_save(struct audit_holders *h, struct state *s)
{
    size_t n = 0;

    for (const struct audit_holder *one = h->first; one != NULL; one = one->next) {
        n++;
    }
    (void)state_length(s, h->role, n);
    n = 0;
    for (struct audit_holder *one = h->first; one != NULL; one = one->next) {
        struct state element = state_element(s, h->role, n++);

        holder_state(one, &element);
    }
}

void
audit_holders_state(struct audit_holders *h, struct state *s)
{
    struct audit_holder **end = &h->first;
    size_t n;

    if (s->saves) {
        holders_save(h, s);
        return;
    }
    n = state_length(s, h->role, 0);
    for (size_t i = 0; i < n; i++, end = &(*end)->next) {
        struct state element = state_element(s, h->role, i);

        *end = mem_new(sizeof(**end));
        holder_state(*end, &element);
        if ((*end)->serial == NULL) {
            (*end)->serial = mem_strdup("");
        }
    }
}
