/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/rules/crl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/ossl.h"

enum { WHOLE = 2 }; /* the version of the record from which on a CRL-INTENT says it all */

struct audit_crls {
    const struct audit_past *past; /* NULL: nobody else knows */
    struct audit_endings
        *endings; /* of each certificate that was intended, when nobody else does */
    struct audit_revoked *entries; /* the first `sorted` by their serial numbers, the others as they
                                      came */
    size_t n, sorted, capacity;
    uint64_t leaves; /* so far */
    uint64_t looked; /* at the last CRL or CRL-INTENT: so many */
    time_t left_out; /* what ended before is on no CRL any more */
    time_t last_crl; /* its thisUpdate; 0: there was none */
};

void
audit_crls_free(struct audit_crls *c)
{
    if (c != NULL) {
        audit_endings_free(c->endings);
        mem_free(c->entries);
        mem_free(c);
    }
}

struct audit_crls *
audit_crls_new(void)
{
    struct audit_crls *c = mem_new(sizeof(*c));

    c->endings = audit_endings_new();
    return c;
}

/* What is known of this serial number from the leaves before this one. */
static int
ending_find(const struct audit_crls *c, const struct audit_serial *serial, struct audit_ending *out,
            bool *found, struct err *e)
{
    const struct audit_ending *ending;

    if (c->past != NULL) {
        return c->past->ending(c->past->arg, serial, c->leaves - 1, out, found, e);
    }
    ending = audit_endings_find(c->endings, serial);
    *found = ending != NULL;
    if (ending != NULL) {
        *out = *ending;
    }
    return 0;
}

/* A certificate that can be on a CRL is the one of its serial number: of two nobody could say which
 * one is revoked. */
static int
intent_check(struct audit_crls *c, const struct leaf *leaf, struct err *e)
{
    struct audit_serial serial;
    struct audit_ending before = {0};
    bool found = false;
    time_t end;

    if (audit_serial_parse(leaf_text(leaf, "serial"), &serial, e) != 0 ||
        time_parse(leaf_text(leaf, "notAfter"), &end, e) != 0 ||
        ending_find(c, &serial, &before, &found, e) != 0) {
        return -1;
    }
    if (found && before.issued && before.not_after >= c->left_out) {
        return err_set(e, ERR_CRYPTO, "an INTENT for serial %s, which was issued before",
                       leaf_text(leaf, "serial"));
    }
    if (c->past == NULL) {
        audit_endings_add(c->endings, &serial, end, c->left_out);
    }
    return 0;
}

static int
issued_note(const struct audit_crls *c, const struct leaf *leaf, struct err *e)
{
    struct audit_serial serial;
    struct audit_ending *ending;

    if (audit_serial_parse(leaf_text(leaf, "serial"), &serial, e) != 0) {
        return -1;
    }
    ending = audit_endings_find(c->endings, &serial);
    if (ending != NULL) {
        ending->issued = true;
    }
    return 0;
}

/* ---- what is revoked ---- */

/* The date that CRLs have; once it was the leaf's own time. */
static int
date_of(int64_t version, const struct leaf *leaf, time_t *date, struct err *e)
{
    const char *said = leaf_text(leaf, "revocationDate");

    *date = leaf_time(leaf);
    if (said != NULL && time_parse(said, date, e) != 0) {
        return -1;
    }
    if (version < WHOLE) {
        return 0;
    }
    if (said == NULL) {
        return err_set(e, ERR_CRYPTO, "the REVOKED for serial %s has no date",
                       leaf_text(leaf, "serial"));
    }
    return *date <= leaf_time(leaf) && leaf_time(leaf) - *date <= LEAF_BACKDATE_MAX
               ? 0
               : err_set(e, ERR_CRYPTO,
                         "the REVOKED for serial %s is dated %s, which is not when it was recorded",
                         leaf_text(leaf, "serial"), said);
}

/* When its certificate ends, and whether it was revoked before; from here on it is. *found false:
 * it ended before what CRLs leave out, or was never issued, so it is on no CRL. */
static int
ending_take(const struct audit_crls *c, const struct audit_serial *serial, struct audit_ending *out,
            bool *found, struct err *e)
{
    struct audit_ending *ending = audit_endings_find(c->endings, serial);

    if (ending_find(c, serial, out, found, e) != 0) {
        return -1;
    }
    if (ending != NULL) {
        ending->revoked = true;
    }
    return 0;
}

static void
entry_add(struct audit_crls *c, const struct audit_revoked *entry)
{
    c->entries = mem_grow(c->entries, &c->capacity, c->n + 1, sizeof(*c->entries));
    c->entries[c->n++] = *entry;
}

static int
revoked_note(struct audit_crls *c, int64_t version, const struct leaf *leaf, struct err *e)
{
    struct audit_revoked entry = {.reason = (int)leaf_int(leaf, "reason", 0),
                                  .leaf = c->leaves - 1};
    struct audit_ending ending = {0};
    bool found = false;

    if (audit_serial_parse(leaf_text(leaf, "serial"), &entry.serial, e) != 0 ||
        date_of(version, leaf, &entry.date, e) != 0 ||
        ending_take(c, &entry.serial, &ending, &found, e) != 0) {
        return -1;
    }
    if (!found) {
        return 0;
    }
    if (ending.revoked) {
        return err_set(e, ERR_CRYPTO, "a second REVOKED for serial %s", leaf_text(leaf, "serial"));
    }
    entry.not_after = ending.not_after;
    entry_add(c, &entry);
    return 0;
}

static int
by_serial(const void *a, const void *b)
{
    return audit_serial_compare(&((const struct audit_revoked *)a)->serial,
                                &((const struct audit_revoked *)b)->serial);
}

/* Sorts what came since, and forgets what no CRL has any more. */
static void
settle(struct audit_crls *c)
{
    const size_t fresh = c->n - c->sorted;
    struct audit_revoked *all = mem_zalloc(c->n + 1, sizeof(*all));
    size_t n = 0;

    if (fresh > 0) {
        qsort(c->entries + c->sorted, fresh, sizeof(*c->entries), by_serial);
    }
    for (size_t a = 0, b = c->sorted; a < c->sorted || b < c->n;) {
        const bool old =
            b == c->n || (a < c->sorted && by_serial(&c->entries[a], &c->entries[b]) < 0);
        const struct audit_revoked *next = &c->entries[old ? a++ : b++];

        if (next->not_after >= c->left_out) {
            all[n++] = *next;
        }
    }
    mem_free(c->entries);
    c->entries = all;
    c->capacity = c->n + 1;
    c->sorted = n;
    c->n = n;
}

/* ---- what a CRL must have ---- */

/* As LEDGER.md says: for each a line of serial number, date and reason. */
static int
digest(const struct audit_crls *c, uint64_t up_to, int64_t *n, uint8_t out[SHA256_SIZE],
       struct err *e)
{
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx != NULL && EVP_DigestInit_ex2(ctx, EVP_sha256(), NULL) == 1;

    *n = 0;
    for (size_t i = 0; good && i < c->n; i++) {
        const struct audit_revoked *entry = &c->entries[i];
        char serial[2 * AUDIT_SERIAL_MAX + 1];
        char date[TIME_TEXT_SIZE];
        CLEANUP(mem_cleanup) char *line = NULL;

        if (entry->leaf >= up_to) {
            continue;
        }
        hex_format(span_of(entry->serial.octets, entry->serial.n), serial);
        time_format(entry->date, date);
        line = mem_printf("%s %s %d\n", serial, date, entry->reason);
        good = EVP_DigestUpdate(ctx, line, strlen(line)) == 1;
        *n += 1;
    }
    return good && EVP_DigestFinal_ex(ctx, out, NULL) == 1
               ? 0
               : ossl_err(e, ERR_CRYPTO, "digest of a CRL's entries");
}

static int
entries_check(const struct audit_crls *c, const struct leaf *leaf, uint64_t up_to, struct err *e)
{
    const int64_t number = leaf_int(leaf, "number", 0);
    const int64_t said = leaf_int(leaf, "entries", -1);
    uint8_t hash[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];
    int64_t n;

    if (digest(c, up_to, &n, hash, e) != 0) {
        return -1;
    }
    if (n != said) {
        return err_set(e, ERR_CRYPTO,
                       "the CRL-INTENT for number %" PRId64 " has %" PRId64 " entries, and %" PRId64
                       " certificates are revoked",
                       number, said, n);
    }
    hex_format(span_of(hash, sizeof(hash)), hex);
    return strcmp(hex, leaf_text(leaf, "revocations")) == 0
               ? 0
               : err_set(e, ERR_CRYPTO,
                         "the CRL-INTENT for number %" PRId64 " has another certificate, date or "
                         "reason than what is revoked",
                         number);
}

/* RFC 5280 3.3: what has ended stays until it was on a CRL from after its end. */
static int
left_out_check(struct audit_crls *c, const struct leaf *leaf, struct err *e)
{
    const char *said = leaf_text(leaf, "expiredBefore");
    const int64_t number = leaf_int(leaf, "number", 0);
    time_t before = 0;

    if (said != NULL && time_parse(said, &before, e) != 0) {
        return -1;
    }
    if (before > c->last_crl) {
        return err_set(e, ERR_CRYPTO,
                       "the CRL-INTENT for number %" PRId64
                       " leaves out what no CRL had beyond its end: all that ended before %s",
                       number, said);
    }
    if (before < c->left_out) {
        return err_set(e, ERR_CRYPTO,
                       "expiredBefore of the CRL-INTENT for number %" PRId64 " goes back", number);
    }
    c->left_out = before;
    return 0;
}

static int
crl_intent_check(struct audit_crls *c, const struct leaf *leaf, struct err *e)
{
    const int64_t number = leaf_int(leaf, "number", 0);
    const int64_t up_to = leaf_int(leaf, "upTo", -1);

    if (up_to < 0 || (uint64_t)up_to >= c->leaves || (uint64_t)up_to < c->looked) {
        return err_set(e, ERR_CRYPTO,
                       "the CRL-INTENT for number %" PRId64 " looks at %" PRId64
                       " leaves: at least %" PRIu64 " and at most %" PRIu64 " must it be",
                       number, up_to, c->looked, c->leaves - 1);
    }
    if (left_out_check(c, leaf, e) != 0) {
        return -1;
    }
    c->looked = c->leaves;
    settle(c);
    return entries_check(c, leaf, (uint64_t)up_to, e);
}

static int
crl_note(struct audit_crls *c, const struct leaf *leaf, struct err *e)
{
    c->looked = c->leaves;
    return time_parse(leaf_text(leaf, "thisUpdate"), &c->last_crl, e);
}

int
audit_crls_check(struct audit_crls *c, int64_t version, const struct leaf *leaf, struct err *e)
{
    const enum leaf_kind kind = leaf_kind(leaf);

    c->leaves++;
    return kind == LEAF_INTENT       ? intent_check(c, leaf, e)
           : kind == LEAF_ISSUED     ? issued_note(c, leaf, e)
           : kind == LEAF_REVOKED    ? revoked_note(c, version, leaf, e)
           : kind == LEAF_CRL        ? crl_note(c, leaf, e)
           : kind == LEAF_CRL_INTENT ? crl_intent_check(c, leaf, e)
                                     : 0;
}

/* ---- state ---- */

void
audit_crls_use(struct audit_crls *c, const struct audit_past *past)
{
    c->past = past;
}

void
audit_crls_state(struct audit_crls *c, struct state *s)
{
    state_number(s, "leaves", &c->leaves);
    state_number(s, "looked", &c->looked);
    state_time(s, "leftOut", &c->left_out);
    state_time(s, "lastCrl", &c->last_crl);
}

static int
entry_load(void *arg, const struct audit_revoked *entry)
{
    entry_add(arg, entry);
    return 0;
}

int
audit_crls_load(struct audit_crls *c, struct err *e)
{
    return c->past->revoked(c->past->arg, c->leaves, c->left_out, entry_load, c, e);
}
