/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/rules/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"

/* The version of the record from which on each CRL is announced, rows are sealed, a line that
 * belongs to nothing can be acknowledged, it is said that the clock was set back, pages are sealed
 * in place of rows, and it is named what confirmed or rejected. */
enum {
    CRL_ANNOUNCED = 2,
    ROWS_SEALED = 3,
    LINES_ACKNOWLEDGED = 4,
    SET_BACK_SAID = 4,
    PAGES_SEALED = 5,
    CERT_CONF_NAMED = 7
};

/* What the newest CRL-INTENT said. */
struct announced {
    bool open; /* and no CRL has come of it */
    int64_t number, entries;
    char this_update[TIME_TEXT_SIZE], next_update[TIME_TEXT_SIZE];
    char tbs[2 * SHA256_SIZE + 1];
};

struct audit_record {
    int64_t version;
    uint64_t n;  /* leaves */
    time_t last; /* time of the leaf before */
    struct audit_times times;
    time_t unsaid; /* the time that a finding came from since a leaf that could say it; 0: none */
    struct announced crl;
    size_t acknowledged;
};

void
audit_record_free(struct audit_record *r)
{
    mem_free(r);
}

struct audit_record *
audit_record_new(void)
{
    struct audit_record *r = mem_new(sizeof(*r));

    r->version = 1;
    return r;
}

int64_t
audit_record_version(const struct audit_record *r)
{
    return r->version;
}

/* What this leaf, or what a START had to finish before, is dated before: the last leaf of then. */
static int
set_back_check(struct audit_record *r, const struct leaf *leaf, struct err *e)
{
    const char *text = leaf_text(leaf, "clockSetBack");
    const time_t unsaid = r->unsaid;
    time_t from;

    r->unsaid = 0;
    if (text == NULL) {
        return 0;
    }
    if (r->version < SET_BACK_SAID) {
        return err_set(e, ERR_CRYPTO, "a leaf %s says clockSetBack in a record of version %" PRId64,
                       leaf_kind_name(leaf_kind(leaf)), r->version);
    }
    if (time_parse(text, &from, e) != 0) {
        return -1;
    }
    if (unsaid != 0 && from == unsaid) {
        r->times.findings--; /* the last of them */
        r->times.taken++;
    }
    return 0;
}

static int
start_check(struct audit_record *r, const struct leaf *leaf, struct err *e)
{
    const int64_t version = leaf_int(leaf, "record", 1);

    if (version > LEAF_RECORD_VERSION) {
        return err_set(e, ERR_INPUT,
                       "the record has version %" PRId64 ", this program knows up to %d: take a "
                       "newer one",
                       version, LEAF_RECORD_VERSION);
    }
    if (version < r->version) {
        return err_set(e, ERR_CRYPTO,
                       "the version of the record goes back from %" PRId64 " to %" PRId64,
                       r->version, version);
    }
    r->version = version;
    return set_back_check(r, leaf, e);
}

static void
copy(char *out, size_t size, const struct leaf *leaf, const char *name)
{
    const char *text = leaf_text(leaf, name);

    (void)snprintf(out, size, "%s", text == NULL ? "" : text);
}

static bool
is(const struct leaf *leaf, const char *name, const char *text)
{
    const char *found = leaf_text(leaf, name);

    return found != NULL && strcmp(found, text) == 0;
}

/* RFC 5280 5.2.3: greater numbers only; times are texts of one form, so they are in their order. */
static int
crl_intent_check(struct audit_record *r, const struct leaf *leaf, struct err *e)
{
    const int64_t number = leaf_int(leaf, "number", 0);

    if (r->version < CRL_ANNOUNCED) {
        return err_set(e, ERR_CRYPTO, "a CRL-INTENT in a record of version %" PRId64, r->version);
    }
    if (number <= r->crl.number) {
        return err_set(e, ERR_CRYPTO,
                       "the CRL-INTENT for number %" PRId64 " is behind that for %" PRId64, number,
                       r->crl.number);
    }
    if (strcmp(leaf_text(leaf, "thisUpdate"), r->crl.this_update) < 0) {
        return err_set(e, ERR_CRYPTO,
                       "thisUpdate of the CRL-INTENT for number %" PRId64 " goes back", number);
    }
    r->crl =
        (struct announced){.open = true, .number = number, .entries = leaf_int(leaf, "entries", 0)};
    copy(r->crl.this_update, sizeof(r->crl.this_update), leaf, "thisUpdate");
    copy(r->crl.next_update, sizeof(r->crl.next_update), leaf, "nextUpdate");
    copy(r->crl.tbs, sizeof(r->crl.tbs), leaf, "tbs");
    return 0;
}

static int
crl_check(struct audit_record *r, const struct leaf *leaf, struct err *e)
{
    const int64_t number = leaf_int(leaf, "number", 0);

    if (r->version < CRL_ANNOUNCED) {
        return 0;
    }
    if (!r->crl.open || r->crl.number != number) {
        return err_set(e, ERR_CRYPTO,
                       "CRL number %" PRId64 " was signed without a CRL-INTENT before", number);
    }
    if (r->crl.entries != leaf_int(leaf, "entries", -1) ||
        !is(leaf, "thisUpdate", r->crl.this_update) ||
        !is(leaf, "nextUpdate", r->crl.next_update) || !is(leaf, "tbs", r->crl.tbs)) {
        return err_set(e, ERR_CRYPTO,
                       "CRL number %" PRId64 " was signed with another content than its CRL-INTENT "
                       "says",
                       number);
    }
    r->crl.open = false;
    return 0;
}

static int
sealed_check(struct audit_record *r, const struct leaf *leaf, struct err *e)
{
    const char *const wanted = r->version < PAGES_SEALED ? "rows" : "pages";
    const char *const other = r->version < PAGES_SEALED ? "pages" : "rows";

    return r->version >= ROWS_SEALED && leaf_int(leaf, wanted, -1) >= 0 &&
                   leaf_int(leaf, other, -1) < 0
               ? 0
               : err_set(e, ERR_CRYPTO, "such a SEALED in a record of version %" PRId64,
                         r->version);
}

static int
acknowledged_check(struct audit_record *r, const struct leaf *leaf, struct err *e)
{
    if (start_check(r, leaf, e) != 0) {
        return -1;
    }
    r->acknowledged++;
    return r->version >= LINES_ACKNOWLEDGED
               ? 0
               : err_set(e, ERR_CRYPTO, "an ACKNOWLEDGED in a record of version %" PRId64,
                         r->version);
}

/* Confirmed by a message; what was rejected may have been so by time. */
static int
named_check(struct audit_record *r, const struct leaf *leaf, struct err *e)
{
    const bool is_named = leaf_text(leaf, "certConf") != NULL;
    const bool must = leaf_kind(leaf) == LEAF_CONFIRMED && r->version >= CERT_CONF_NAMED;

    if (is_named && r->version < CERT_CONF_NAMED) {
        return err_set(e, ERR_CRYPTO, "a %s with a certConf in a record of version %" PRId64,
                       leaf_kind_name(leaf_kind(leaf)), r->version);
    }
    return must && !is_named ? err_set(e, ERR_CRYPTO, "a CONFIRMED that names no certConf") : 0;
}

typedef int check_leaf(struct audit_record *, const struct leaf *, struct err *);
static check_leaf *const CHECKS[LEAF_KINDS] = {
    [LEAF_START] = start_check,
    [LEAF_RESTORED] = start_check,
    [LEAF_ACKNOWLEDGED] = acknowledged_check,
    [LEAF_CRL] = crl_check,
    [LEAF_CRL_INTENT] = crl_intent_check,
    [LEAF_SEALED] = sealed_check,
    [LEAF_CONFIRMED] = named_check,
    [LEAF_REJECTED] = named_check,
};

static void
time_back(struct audit_record *r, time_t at)
{
    struct audit_times *t = &r->times;
    const time_t by = r->last - at;

    t->back++;
    t->most = by > t->most ? by : t->most;
    if (by <= LEAF_BACK_MAX) {
        return;
    }
    if (r->version < SET_BACK_SAID) {
        t->taken++;
        return;
    }
    if (t->findings < AUDIT_TIMES_KEPT) {
        t->found[t->findings] = (struct audit_time_back){.leaf = r->n, .at = at, .before = r->last};
    }
    t->findings++;
    r->unsaid = r->last;
}

size_t
audit_record_acknowledged(const struct audit_record *r)
{
    return r->acknowledged;
}

static void
time_note(struct audit_record *r, const struct leaf *leaf)
{
    if (r->n > 0 && leaf_time(leaf) < r->last) {
        time_back(r, leaf_time(leaf));
    }
    r->last = leaf_time(leaf);
    r->n++;
}

const struct audit_times *
audit_record_times(const struct audit_record *r)
{
    return &r->times;
}

int
audit_record_check(struct audit_record *r, const struct leaf *leaf, struct err *e)
{
    check_leaf *check = CHECKS[leaf_kind(leaf)];

    time_note(r, leaf);
    return check == NULL ? 0 : check(r, leaf, e);
}

static void
announced_state(struct announced *a, struct state *s)
{
    state_bool(s, "open", &a->open);
    state_int(s, "number", &a->number);
    state_int(s, "entries", &a->entries);
    state_chars(s, "thisUpdate", a->this_update, sizeof(a->this_update));
    state_chars(s, "nextUpdate", a->next_update, sizeof(a->next_update));
    state_chars(s, "tbs", a->tbs, sizeof(a->tbs));
}

static void
times_state(struct audit_times *t, struct state *s)
{
    size_t kept = state_length(
        s, "found", t->findings < AUDIT_TIMES_KEPT ? t->findings : (size_t)AUDIT_TIMES_KEPT);

    state_size(s, "back", &t->back);
    state_time(s, "most", &t->most);
    state_size(s, "taken", &t->taken);
    state_size(s, "findings", &t->findings);
    if (kept > AUDIT_TIMES_KEPT) {
        kept = 0;
        state_spoil(s);
    }
    for (size_t i = 0; i < kept; i++) {
        struct state one = state_element(s, "found", i);

        state_number(&one, "leaf", &t->found[i].leaf);
        state_time(&one, "at", &t->found[i].at);
        state_time(&one, "before", &t->found[i].before);
    }
}

void
audit_record_state(struct audit_record *r, struct state *s)
{
    struct state crl = state_object(s, "crl");
    struct state times = state_object(s, "times");

    state_int(s, "version", &r->version);
    state_number(s, "leaves", &r->n);
    state_time(s, "last", &r->last);
    state_time(s, "unsaid", &r->unsaid);
    state_size(s, "acknowledged", &r->acknowledged);
    announced_state(&r->crl, &crl);
    times_state(&r->times, &times);
}
