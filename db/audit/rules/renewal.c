/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/rules/renewal.h"

#include <string.h>

#include "base/ossl.h"

/* An intent to update a certificate. */
struct update {
    char *serial;
    char *old;
    char *rid;
    char *registration;
    time_t asked; /* messageTime of the newest request that it is the answer to; 0: not said */
    bool issued;
    bool revoked;
};

struct audit_renewals {
    struct update *updates; /* that are not confirmed yet */
    size_t n;
    size_t capacity;
    struct update confirmed; /* what the leaf before confirmed: `old` is NULL unless an update */
};

static void
update_free(struct update *update)
{
    mem_free(update->serial);
    mem_free(update->old);
    mem_free(update->rid);
    mem_free(update->registration);
    *update = (struct update){0};
}

void
audit_renewals_free(struct audit_renewals *r)
{
    if (r != NULL) {
        for (size_t i = 0; i < r->n; i++) {
            update_free(&r->updates[i]);
        }
        update_free(&r->confirmed);
        mem_free(r->updates);
        mem_free(r);
    }
}

struct audit_renewals *
audit_renewals_new(void)
{
    return mem_new(sizeof(struct audit_renewals));
}

static struct update *
update_find(const struct audit_renewals *r, const char *serial)
{
    for (size_t i = 0; i < r->n; i++) {
        if (strcmp(r->updates[i].serial, serial) == 0) {
            return &r->updates[i];
        }
    }
    return NULL;
}

/* Takes the update of this serial out of those that wait; all NULL when there is none. */
static struct update
update_take(struct audit_renewals *r, const char *serial)
{
    struct update *update = update_find(r, serial);
    struct update taken = {0};

    if (update != NULL) {
        taken = *update;
        mem_remove(r->updates, &r->n, update, sizeof(*update));
    }
    return taken;
}

/* 0: the leaf says none */
static time_t
asked_at(const struct leaf *leaf)
{
    const char *text = leaf_text(leaf, "messageTime");
    time_t at = 0;
    struct err e;

    return text != NULL && time_parse(text, &at, &e) == 0 ? at : 0;
}

static char *
dup_or_empty(const char *text)
{
    return mem_strdup(text != NULL ? text : "");
}

static int
intent_check(struct audit_renewals *r, const struct leaf *leaf, struct err *e)
{
    const char *old = leaf_text(leaf, "updates");

    if (old == NULL) {
        return 0;
    }
    for (size_t i = 0; i < r->n; i++) {
        if (strcmp(r->updates[i].old, old) == 0) {
            return err_set(e, ERR_CRYPTO, "a second update of serial %s, while that by %s waits",
                           old, r->updates[i].serial);
        }
    }
    r->updates = mem_grow(r->updates, &r->capacity, r->n + 1, sizeof(r->updates[0]));
    r->updates[r->n++] =
        (struct update){.serial = mem_strdup(leaf_text(leaf, "serial")),
                        .old = mem_strdup(old),
                        .rid = mem_strdup(leaf_text(leaf, "rid")),
                        .registration = dup_or_empty(leaf_text(leaf, "registration")),
                        .asked = asked_at(leaf)};
    return 0;
}

/* The same certificate, to a newer request of the same registration, while it waits. */
static int
again_check(struct audit_renewals *r, const struct leaf *leaf, struct err *e)
{
    const char *serial = leaf_text(leaf, "serial");
    struct update *update = update_find(r, serial);

    if (update == NULL || !update->issued) {
        return err_set(e, ERR_CRYPTO,
                       "serial %s was given again, which is no update that waits to be confirmed",
                       serial);
    }
    if (update->revoked) {
        return err_set(e, ERR_CRYPTO, "serial %s was given again after it was revoked", serial);
    }
    if (strcmp(update->rid, leaf_text(leaf, "rid")) != 0 ||
        strcmp(update->registration, leaf_text(leaf, "registration")) != 0) {
        return err_set(e, ERR_CRYPTO,
                       "serial %s was given again under another request or registration", serial);
    }
    if (update->asked == 0 || asked_at(leaf) <= update->asked) {
        return err_set(e, ERR_CRYPTO, "serial %s was given again to a request that is not newer",
                       serial);
    }
    update->asked = asked_at(leaf);
    return 0;
}

static int
issued_note(struct audit_renewals *r, const struct leaf *leaf, struct err *e)
{
    struct update *update = update_find(r, leaf_text(leaf, "serial"));

    (void)e;
    if (update != NULL) {
        update->issued = true;
    }
    return 0;
}

static int
confirmed_note(struct audit_renewals *r, const struct leaf *leaf, struct err *e)
{
    (void)e;
    r->confirmed = update_take(r, leaf_text(leaf, "serial"));
    if (r->confirmed.serial == NULL) {
        r->confirmed.serial = mem_strdup(leaf_text(leaf, "serial"));
    }
    return 0;
}

static int
rejected_note(struct audit_renewals *r, const struct leaf *leaf, struct err *e)
{
    struct update update = update_take(r, leaf_text(leaf, "serial"));

    (void)e;
    update_free(&update);
    return 0;
}

/* Superseded is a certificate by the confirmation of its successor, in the same step. */
static int
revoked_check(struct audit_renewals *r, const struct leaf *leaf, struct err *e)
{
    const char *serial = leaf_text(leaf, "serial");
    const char *by = leaf_text(leaf, "supersededBy");
    struct update *update = update_find(r, serial);
    struct update *confirmed = &r->confirmed;

    if (update != NULL) {
        update->revoked = true;
    }
    if (by == NULL) {
        return 0;
    }
    if (confirmed->serial == NULL || strcmp(confirmed->serial, by) != 0) {
        return err_set(e, ERR_CRYPTO, "serial %s was superseded by %s before that was confirmed",
                       serial, by);
    }
    if (confirmed->old != NULL && strcmp(confirmed->old, serial) != 0) {
        return err_set(e, ERR_CRYPTO, "serial %s was superseded by %s, which updates another one",
                       serial, by);
    }
    /* What follows was live under the registration that this one's replaces. */
    mem_free(confirmed->old);
    confirmed->old = NULL;
    return 0;
}

typedef int check_leaf(struct audit_renewals *, const struct leaf *, struct err *);

/* The other kinds are about no update. */
static check_leaf *const CHECKS[LEAF_KINDS] = {
    [LEAF_INTENT] = intent_check,    [LEAF_ISSUED] = issued_note,
    [LEAF_AGAIN] = again_check,      [LEAF_CONFIRMED] = confirmed_note,
    [LEAF_REJECTED] = rejected_note, [LEAF_REVOKED] = revoked_check,
};

int
audit_renewals_check(struct audit_renewals *r, const struct leaf *leaf, struct err *e)
{
    check_leaf *check = CHECKS[leaf_kind(leaf)];

    if (leaf_kind(leaf) != LEAF_REVOKED) {
        update_free(&r->confirmed);
    }
    return check == NULL ? 0 : check(r, leaf, e);
}

static void
update_state(void *element, struct state *s)
{
    struct update *u = element;

    state_text(s, "serial", &u->serial);
    state_text(s, "old", &u->old);
    state_text(s, "rid", &u->rid);
    state_text(s, "registration", &u->registration);
    state_time(s, "asked", &u->asked);
    state_bool(s, "issued", &u->issued);
    state_bool(s, "revoked", &u->revoked);
}

void
audit_renewals_state(struct audit_renewals *r, struct state *s)
{
    struct state confirmed = state_object(s, "confirmed");

    update_state(&r->confirmed, &confirmed);
    r->updates = state_list(s, "updates", r->updates, &r->n, &r->capacity, sizeof(*r->updates),
                            update_state);
}
