/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/rules/approval.h"

#include <inttypes.h>
#include <jansson.h>
#include <openssl/err.h>
#include <string.h>

#include "base/ossl.h"
#include "base/validity.h"
#include "db/audit/rules/holder.h"
#include "db/audit/rules/signed.h"

enum { CMS_MAX = LEAF_MAX, PEOPLE_MAX = 64, JUDGED_S = 60 };

struct waiting {
    char *rid;
    int64_t approvals;
    const struct audit_holder *people[PEOPLE_MAX]; /* who approved */
    size_t n;
    bool rejected;
};

struct audit_approvals {
    struct audit_holders *officers;
    struct waiting *waiting;
    size_t n_waiting;
    size_t waiting_capacity;
};

struct audit_approvals *
audit_approvals_new(void)
{
    struct audit_approvals *a = mem_new(sizeof(*a));

    a->officers = audit_holders_new("officer");
    return a;
}

void
audit_approvals_free(struct audit_approvals *a)
{
    if (a == NULL) {
        return;
    }
    for (size_t i = 0; i < a->n_waiting; i++) {
        mem_free(a->waiting[i].rid);
    }
    audit_holders_free(a->officers);
    mem_free(a->waiting);
    mem_free(a);
}

size_t
audit_approvals_waiting(const struct audit_approvals *a)
{
    return a->n_waiting;
}

/* ---- requests ---- */

static struct waiting *
waiting_find(const struct audit_approvals *a, const char *rid)
{
    for (size_t i = 0; i < a->n_waiting; i++) {
        if (strcmp(a->waiting[i].rid, rid) == 0) {
            return &a->waiting[i];
        }
    }
    return NULL;
}

static void
waiting_end(struct audit_approvals *a, struct waiting *w)
{
    mem_free(w->rid);
    mem_remove(a->waiting, &a->n_waiting, w, sizeof(*w));
}

static int
request_check(struct audit_approvals *a, const struct leaf *leaf, struct err *e)
{
    int64_t approvals = leaf_int(leaf, "approvals", 0);
    const char *rid = leaf_text(leaf, "rid");

    if (approvals <= 0) {
        return 0;
    }
    if (waiting_find(a, rid) != NULL) {
        return err_set(e, ERR_CRYPTO, "a second REQUEST %s", rid);
    }
    a->waiting =
        mem_grow(a->waiting, &a->waiting_capacity, a->n_waiting + 1, sizeof(a->waiting[0]));
    a->waiting[a->n_waiting++] = (struct waiting){.rid = mem_strdup(rid), .approvals = approvals};
    return 0;
}

/* ---- approvals ---- */

static bool
says(const json_t *document, const char *name, const char *expected)
{
    const char *text = json_string_value(json_object_get(document, name));

    return text != NULL && strcmp(text, expected) == 0;
}

/* What was signed names this request and this decision. */
static int
document_check(struct span content, const struct leaf *leaf, struct err *e)
{
    json_t *document = json_loadb((const char *)content.p, content.n, JSON_REJECT_DUPLICATES, NULL);
    bool fits = says(document, "kind", "approval") &&
                says(document, "rid", leaf_text(leaf, "rid")) &&
                says(document, "registration", leaf_text(leaf, "registration")) &&
                says(document, "decision", leaf_text(leaf, "decision"));

    json_decref(document);
    return fits ? 0
                : err_set(e, ERR_CRYPTO,
                          "the officer signed something else than the APPROVAL of %s says",
                          leaf_text(leaf, "rid"));
}

static int
signature_check(const struct leaf *leaf, X509 *officer, struct err *e)
{
    CLEANUP(buf_free) struct buf content = BUF_INIT(CMS_MAX);

    if (audit_signed_content(leaf, officer, &content, e) != 0) {
        return err_wrap(e, "request %s", leaf_text(leaf, "rid"));
    }
    return document_check(buf_span(&content), leaf, e);
}

/* It was judged just before its leaf was written. */
static bool
was_valid(const X509 *certificate, time_t at)
{
    return validity_has(certificate, at) || validity_has(certificate, at - JUDGED_S);
}

static int
approval_check(struct audit_approvals *a, const struct leaf *leaf, struct err *e)
{
    const char *rid = leaf_text(leaf, "rid");
    const char *serial = leaf_text(leaf, "officer");
    struct waiting *w = waiting_find(a, rid);
    const struct audit_holder *o = audit_holders_find(a->officers, serial);

    if (w == NULL) {
        return err_set(e, ERR_CRYPTO, "an APPROVAL of %s, which does not wait for any", rid);
    }
    if (o == NULL || !was_valid(o->certificate, leaf_time(leaf))) {
        return err_set(e, ERR_CRYPTO, "an APPROVAL of %s by serial %s, which is no officer%s", rid,
                       serial, o == NULL ? "" : " then");
    }
    if (signature_check(leaf, o->certificate, e) != 0) {
        return -1;
    }
    if (strcmp(leaf_text(leaf, "decision"), "approve") != 0) {
        w->rejected = true;
    } else if (w->n < PEOPLE_MAX) {
        w->people[w->n++] = o;
    }
    return 0;
}

static int64_t
count_people(const struct waiting *w)
{
    int64_t n = 0;

    for (size_t i = 0; i < w->n; i++) {
        const struct audit_holder *o = w->people[i];
        bool counts = !o->revoked;

        for (size_t k = 0; k < i && counts; k++) {
            counts = w->people[k]->revoked || !audit_holder_is_same_person(o, w->people[k]);
        }
        n += counts ? 1 : 0;
    }
    return n;
}

static int
intent_check(struct audit_approvals *a, const struct leaf *leaf, struct err *e)
{
    const char *rid = leaf_text(leaf, "rid");
    struct waiting *w = waiting_find(a, rid);
    int64_t needed = leaf_int(leaf, "approvals", 0);
    int64_t approved = w == NULL ? 0 : count_people(w);

    if (w != NULL && w->rejected) {
        return err_set(e, ERR_CRYPTO, "request %s was intended although an officer rejected it",
                       rid);
    }
    if (w != NULL && w->approvals > needed) {
        needed = w->approvals;
    }
    if (approved < needed) {
        return err_set(e, ERR_CRYPTO,
                       "request %s was intended with %" PRId64 " of %" PRId64 " approvals", rid,
                       approved, needed);
    }
    if (w != NULL) {
        waiting_end(a, w);
    }
    return 0;
}

static int
refusal_note(struct audit_approvals *a, const struct leaf *leaf, struct err *e)
{
    struct waiting *w = waiting_find(a, leaf_text(leaf, "rid"));

    (void)e;
    if (w != NULL) {
        waiting_end(a, w);
    }
    return 0;
}

typedef int check_leaf(struct audit_approvals *, const struct leaf *, struct err *);

/* The other kinds are about no request that waits, but maybe about an officer. */
static check_leaf *const CHECKS[LEAF_KINDS] = {
    [LEAF_REQUEST] = request_check,
    [LEAF_APPROVAL] = approval_check,
    [LEAF_INTENT] = intent_check,
    [LEAF_REFUSAL] = refusal_note,
};

int
audit_approvals_check(struct audit_approvals *a, const struct leaf *leaf, struct err *e)
{
    check_leaf *check = CHECKS[leaf_kind(leaf)];

    if (audit_holders_note(a->officers, leaf, e) != 0) {
        return -1;
    }
    return check == NULL ? 0 : check(a, leaf, e);
}

static void
person_state(struct audit_approvals *a, const struct audit_holder **person, struct state *s)
{
    CLEANUP(mem_cleanup) char *serial = s->saves ? mem_strdup((*person)->serial) : NULL;

    state_text(s, "serial", &serial);
    *person = serial == NULL ? NULL : audit_holders_any(a->officers, serial);
    if (*person == NULL || (*person)->certificate == NULL) {
        state_spoil(s);
    }
}

static void
waiting_state(struct audit_approvals *a, struct waiting *w, struct state *s)
{
    state_text(s, "rid", &w->rid);
    state_int(s, "approvals", &w->approvals);
    state_bool(s, "rejected", &w->rejected);
    w->n = state_length(s, "people", w->n);
    if (w->n > PEOPLE_MAX) {
        w->n = 0;
        state_spoil(s);
    }
    for (size_t i = 0; i < w->n; i++) {
        struct state person = state_element(s, "people", i);

        person_state(a, &w->people[i], &person);
    }
}

void
audit_approvals_state(struct audit_approvals *a, struct state *s)
{
    const size_t n = state_length(s, "waiting", a->n_waiting);

    audit_holders_state(a->officers, s);
    if (!s->saves && n > 0) {
        a->waiting = mem_grow(a->waiting, &a->waiting_capacity, n, sizeof(*a->waiting));
        memset(a->waiting, 0, n * sizeof(*a->waiting));
    }
    a->n_waiting = n;
    for (size_t i = 0; i < n; i++) {
        struct state element = state_element(s, "waiting", i);

        waiting_state(a, &a->waiting[i], &element);
    }
}
