/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/rules/retry.h"

#include <string.h>

struct rejected {
    char *serial;
    char *registration;
    char *retry; /* serial of what took its place; NULL: nothing did */
    bool issued; /* that */
};

struct audit_retries {
    struct rejected *all;
    size_t n;
    size_t capacity;
};

void
audit_retries_free(struct audit_retries *r)
{
    if (r != NULL) {
        for (size_t i = 0; i < r->n; i++) {
            mem_free(r->all[i].serial);
            mem_free(r->all[i].registration);
            mem_free(r->all[i].retry);
        }
        mem_free(r->all);
        mem_free(r);
    }
}

struct audit_retries *
audit_retries_new(void)
{
    return mem_new(sizeof(struct audit_retries));
}

/* What this one is a further try of; NULL: of nothing. */
static struct rejected *
retry_find(const struct audit_retries *r, const char *serial)
{
    for (size_t i = 0; i < r->n; i++) {
        if (r->all[i].retry != NULL && strcmp(r->all[i].retry, serial) == 0) {
            return &r->all[i];
        }
    }
    return NULL;
}

static int
intent_check(struct audit_retries *r, const struct leaf *leaf, struct err *e)
{
    const char *serial = leaf_text(leaf, "serial");
    const char *of = leaf_text(leaf, "insteadOf");
    const char *registration = leaf_text(leaf, "registration");
    struct rejected *found = NULL;

    if (of == NULL) {
        return 0;
    }
    for (size_t i = 0; i < r->n; i++) {
        struct rejected *x = &r->all[i];

        if (registration == NULL || strcmp(x->registration, registration) != 0) {
            continue;
        }
        if (x->retry != NULL) {
            return err_set(e, ERR_CRYPTO,
                           "serial %s is no use of registration %s, which had its further try by "
                           "%s",
                           serial, registration, x->retry);
        }
        found = strcmp(x->serial, of) == 0 ? x : found;
    }
    if (found == NULL) {
        return err_set(e, ERR_CRYPTO,
                       "serial %s is no use of its registration for %s, which no network function "
                       "rejected under it",
                       serial, of);
    }
    found->retry = mem_strdup(serial);
    return 0;
}

static int
issued_note(struct audit_retries *r, const struct leaf *leaf, struct err *e)
{
    struct rejected *x = retry_find(r, leaf_text(leaf, "serial"));

    (void)e;
    if (x != NULL) {
        x->issued = true;
    }
    return 0;
}

static int
rejected_note(struct audit_retries *r, const struct leaf *leaf, struct err *e)
{
    struct rejected *x = retry_find(r, leaf_text(leaf, "serial"));

    (void)e;
    if (x != NULL && !x->issued) {
        mem_free(x->retry); /* given up before a signature was stored: it was none */
        x->retry = NULL;
    }
    if (leaf_text(leaf, "registration") != NULL) {
        r->all = mem_grow(r->all, &r->capacity, r->n + 1, sizeof(r->all[0]));
        r->all[r->n++] =
            (struct rejected){.serial = mem_strdup(leaf_text(leaf, "serial")),
                              .registration = mem_strdup(leaf_text(leaf, "registration"))};
    }
    return 0;
}

typedef int check_leaf(struct audit_retries *, const struct leaf *, struct err *);

/* The other kinds are about no further try. */
static check_leaf *const CHECKS[LEAF_KINDS] = {
    [LEAF_INTENT] = intent_check,
    [LEAF_ISSUED] = issued_note,
    [LEAF_REJECTED] = rejected_note,
};

int
audit_retries_check(struct audit_retries *r, const struct leaf *leaf, struct err *e)
{
    check_leaf *check = CHECKS[leaf_kind(leaf)];

    return check == NULL ? 0 : check(r, leaf, e);
}

static void
rejected_state(void *element, struct state *s)
{
    struct rejected *x = element;

    state_text(s, "serial", &x->serial);
    state_text(s, "registration", &x->registration);
    state_text(s, "retry", &x->retry);
    state_bool(s, "issued", &x->issued);
}

void
audit_retries_state(struct audit_retries *r, struct state *s)
{
    r->all =
        state_list(s, "rejected", r->all, &r->n, &r->capacity, sizeof(*r->all), rejected_state);
}
