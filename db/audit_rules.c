/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit_rules.h"

#include <string.h>

#include "base/ossl.h"
#include "db/audit_approval.h"
#include "db/audit_certificate.h"

struct intent {
    char *serial;
    char *rid;
    char *tbs;
};

/* An intent to update a certificate (kur). */
struct update {
    char *serial;
    char *old;
};

struct audit_rules {
    struct intent *open; /* oldest first: the next answer is nearly always at the front */
    size_t n;
    size_t capacity;
    struct audit_approvals *approvals;
    struct update *updates; /* that are not confirmed yet */
    size_t n_updates;
    size_t updates_capacity;
    struct update confirmed; /* what the leaf before confirmed: `old` is NULL unless an update */
};

static void
intent_free(struct intent *intent)
{
    mem_free(intent->serial);
    mem_free(intent->rid);
    mem_free(intent->tbs);
}

static void
update_free(struct update *update)
{
    mem_free(update->serial);
    mem_free(update->old);
    *update = (struct update){0};
}

void
audit_rules_free(struct audit_rules *rules)
{
    if (rules != NULL) {
        for (size_t i = 0; i < rules->n_updates; i++) {
            update_free(&rules->updates[i]);
        }
        mem_free(rules->updates);
        update_free(&rules->confirmed);
        for (size_t i = 0; i < rules->n; i++) {
            intent_free(&rules->open[i]);
        }
        audit_approvals_free(rules->approvals);
        mem_free(rules->open);
        mem_free(rules);
    }
}

struct audit_rules *
audit_rules_new(void)
{
    struct audit_rules *rules = mem_zalloc(1, sizeof(*rules));

    rules->approvals = audit_approvals_new();
    return rules;
}

size_t
audit_rules_open(const struct audit_rules *rules)
{
    return rules->n;
}

size_t
audit_rules_waiting(const struct audit_rules *rules)
{
    return audit_approvals_waiting(rules->approvals);
}

static struct intent *
intent_find(const struct audit_rules *rules, const char *serial)
{
    for (size_t i = 0; i < rules->n; i++) {
        if (strcmp(rules->open[i].serial, serial) == 0) {
            return &rules->open[i];
        }
    }
    return NULL;
}

static void
intent_close(struct audit_rules *rules, struct intent *intent)
{
    size_t behind = rules->n - (size_t)(intent - rules->open) - 1;

    intent_free(intent);
    memmove(intent, intent + 1, behind * sizeof(*intent));
    rules->n--;
}

static int
intent_check(struct audit_rules *rules, const struct leaf *leaf, struct err *e)
{
    const char *serial = leaf_text(leaf, "serial");

    if (intent_find(rules, serial) != NULL) {
        return err_set(e, ERR_CRYPTO, "a second INTENT for serial %s", serial);
    }
    rules->open = mem_grow(rules->open, &rules->capacity, rules->n + 1, sizeof(rules->open[0]));
    rules->open[rules->n++] = (struct intent){
        .serial = mem_strdup(serial),
        .rid = mem_strdup(leaf_text(leaf, "rid")),
        .tbs = mem_strdup(leaf_text(leaf, "tbs")),
    };
    if (leaf_text(leaf, "updates") != NULL) {
        rules->updates = mem_grow(rules->updates, &rules->updates_capacity, rules->n_updates + 1,
                                  sizeof(rules->updates[0]));
        rules->updates[rules->n_updates++] = (struct update){
            .serial = mem_strdup(serial), .old = mem_strdup(leaf_text(leaf, "updates"))};
    }
    return 0;
}

/* Takes the update of this serial out of those that wait; all NULL when there is none. */
static struct update
update_take(struct audit_rules *rules, const char *serial)
{
    struct update taken = {0};

    for (size_t i = 0; i < rules->n_updates; i++) {
        if (strcmp(rules->updates[i].serial, serial) == 0) {
            taken = rules->updates[i];
            rules->n_updates--;
            memmove(&rules->updates[i], &rules->updates[i + 1],
                    (rules->n_updates - i) * sizeof(taken));
            break;
        }
    }
    return taken;
}

static void
confirmed_note(struct audit_rules *rules, const struct leaf *leaf)
{
    rules->confirmed = update_take(rules, leaf_text(leaf, "serial"));
    if (rules->confirmed.serial == NULL) {
        rules->confirmed.serial = mem_strdup(leaf_text(leaf, "serial"));
    }
}

static void
rejected_note(struct audit_rules *rules, const struct leaf *leaf)
{
    struct intent *intent = intent_find(rules, leaf_text(leaf, "serial"));
    struct update update = update_take(rules, leaf_text(leaf, "serial"));

    update_free(&update);
    if (intent != NULL) {
        intent_close(rules, intent); /* given up before a signature was stored */
    }
}

/* Superseded is a certificate by the confirmation of its successor, in the same step. */
static int
revoked_check(struct audit_rules *rules, const struct leaf *leaf, struct err *e)
{
    const char *by = leaf_text(leaf, "supersededBy");
    struct update *confirmed = &rules->confirmed;

    if (by == NULL) {
        return 0;
    }
    if (confirmed->serial == NULL || strcmp(confirmed->serial, by) != 0) {
        return err_set(e, ERR_CRYPTO, "serial %s was superseded by %s before that was confirmed",
                       leaf_text(leaf, "serial"), by);
    }
    if (confirmed->old != NULL && strcmp(confirmed->old, leaf_text(leaf, "serial")) != 0) {
        return err_set(e, ERR_CRYPTO, "serial %s was superseded by %s, which updates another one",
                       leaf_text(leaf, "serial"), by);
    }
    /* What follows was live under the registration that this one's replaces. */
    mem_free(confirmed->old);
    confirmed->old = NULL;
    return 0;
}

/* The signature was made over what the INTENT recorded before it. */
static int
issued_check(struct audit_rules *rules, const struct leaf *leaf, struct err *e)
{
    const char *serial = leaf_text(leaf, "serial");
    struct intent *intent = intent_find(rules, serial);
    CLEANUP(x509_cleanup) X509 *certificate = audit_certificate(leaf, e);
    CLEANUP(mem_cleanup) char *own = NULL;
    CLEANUP(mem_cleanup) char *tbs = NULL;

    if (certificate == NULL) {
        return -1;
    }
    own = audit_certificate_serial(certificate);
    if (strcmp(own, serial) != 0) {
        return err_set(e, ERR_CRYPTO, "the certificate has serial %s, its ISSUED leaf %s", own,
                       serial);
    }
    if (intent == NULL) {
        return err_set(e, ERR_CRYPTO, "serial %s was issued without an INTENT before", serial);
    }
    tbs = audit_certificate_tbs(certificate, e);
    if (tbs == NULL) {
        return -1;
    }
    if (strcmp(intent->rid, leaf_text(leaf, "rid")) != 0 || strcmp(intent->tbs, tbs) != 0) {
        return err_set(e, ERR_CRYPTO,
                       "serial %s was issued with another content than its INTENT says", serial);
    }
    intent_close(rules, intent);
    return 0;
}

int
audit_rules_check(struct audit_rules *rules, const struct leaf *leaf, struct err *e)
{
    if (leaf_kind(leaf) != LEAF_REVOKED) {
        update_free(&rules->confirmed);
    }
    if (audit_approvals_check(rules->approvals, leaf, e) != 0) {
        return -1;
    }
    switch (leaf_kind(leaf)) {
    case LEAF_INTENT:
        return intent_check(rules, leaf, e);
    case LEAF_ISSUED:
        return issued_check(rules, leaf, e);
    case LEAF_CONFIRMED:
        confirmed_note(rules, leaf);
        return 0;
    case LEAF_REJECTED:
        rejected_note(rules, leaf);
        return 0;
    case LEAF_REVOKED:
        return revoked_check(rules, leaf, e);
    case LEAF_START:
    case LEAF_STOP:
    case LEAF_CONFIG:
    case LEAF_REGISTRATION:
    case LEAF_CANCEL:
    case LEAF_REQUEST:
    case LEAF_REFUSAL:
    case LEAF_CRL:
    case LEAF_RECOVERED:
    case LEAF_CEREMONY:
    case LEAF_APPROVAL:
    case LEAF_KINDS:
        break;
    }
    return 0;
}
