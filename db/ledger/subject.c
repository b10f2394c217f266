/* SPDX-License-Identifier: Apache-2.0 */
#include "db/ledger/subject.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "db/ledger/ledger.h"

enum { NAME_SIZE = 32, NUMBER_SIZE = 24 };

/* db/ledger/ledger.sql has the same for leaves of before; of the last two there were none. */
static const struct {
    enum leaf_kind kind;
    bool is_number;
    const char *member;
} found_by[] = {
    {LEAF_INTENT, false, "serial"},       {LEAF_ISSUED, false, "serial"},
    {LEAF_REVOKED, false, "serial"},      {LEAF_REGISTRATION, false, "registration"},
    {LEAF_ACKNOWLEDGED, false, "sha256"}, {LEAF_CRL, true, "number"},
    {LEAF_CRL_INTENT, true, "number"},    {LEAF_RA_REPORT, false, "report"},
    {LEAF_CEREMONY, false, "head"},
};

/* The octets of a hex member; *octets is the caller's to free. */
static int
hex_value(const char *hex, uint8_t **octets, struct store_value *value, struct err *e)
{
    const size_t n = strlen(hex) / 2;

    *octets = mem_new(n + 1);
    *value = store_blob(span_of(*octets, n));
    return hex_parse(hex, *octets, n, e);
}

int
subject_insert(struct store_db *db, uint64_t index, const struct leaf *leaf, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(found_by); i++) {
        const char *member = found_by[i].member;
        CLEANUP(mem_cleanup) uint8_t *octets = NULL;
        struct store_value subject = store_int(leaf_int(leaf, member, 0));

        if (found_by[i].kind != leaf_kind(leaf)) {
            continue;
        }
        if (!found_by[i].is_number &&
            hex_value(leaf_text(leaf, member), &octets, &subject, e) != 0) {
            return -1;
        }
        return store_exec(db, "INSERT INTO leaf_subject(idx, subject) VALUES(?1, ?2)",
                          STORE_VALUES(store_int((int64_t)index), subject), e);
    }
    return 0;
}

int
ledger_find(struct store_db *db, enum leaf_kind kind, struct span subject, uint64_t *index,
            bool *found, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query(db, &rows,
                    "SELECT o.idx FROM leaf_subject o JOIN leaf l ON l.idx = o.idx WHERE "
                    "o.subject = ?1 AND l.kind = ?2 ORDER BY o.idx DESC LIMIT 1",
                    STORE_VALUES(store_blob(subject), store_text(leaf_kind_name(kind))), e) != 0 ||
        store_next(&rows, found, e) != 0) {
        return -1;
    }
    *index = *found ? (uint64_t)row_int(&rows, 0) : 0;
    return 0;
}

/* ---- what the octets say ---- */

/* The value of a member behind its colon and quote, empty when there is none: quotes within a text
 * are escaped, so what has this form is a member. */
static struct span
member(struct span body, const char *name, const char *quote)
{
    char key[NAME_SIZE];
    const int n = snprintf(key, sizeof(key), "\"%s\":%s", name, quote);
    const uint8_t *found = memmem(body.p, body.n, key, (size_t)n);
    const uint8_t *end;

    if (found == NULL) {
        return span_of(NULL, 0);
    }
    found += n;
    for (end = found; end < body.p + body.n && *end != '"' && *end != ',' && *end != '}'; end++) {
    }
    return span_of(found, (size_t)(end - found));
}

struct span
subject_text(struct span body, const char *name)
{
    return member(body, name, "\"");
}

/* The value as the octets have it. */
static bool
says(struct span value, const struct store_value *subject)
{
    if (subject->type == STORE_BLOB) {
        CLEANUP(mem_cleanup) char *hex = hex_dup(subject->bytes);

        return span_equal(value, span_str(hex));
    }
    char number[NUMBER_SIZE];

    (void)snprintf(number, sizeof(number), "%" PRId64, subject->number);
    return span_equal(value, span_str(number));
}

int
subject_check_kind(struct span body, const char *kind, struct err *e)
{
    return kind != NULL && span_equal(member(body, "kind", "\""), span_str(kind))
               ? 0
               : err_set(e, ERR_STALE, "it is of another kind or time than its row says");
}

int
subject_check(struct span body, const char *kind, const struct store_value *subject, struct err *e)
{
    if (subject_check_kind(body, kind, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < ARRAY_LEN(found_by); i++) {
        const enum store_type type = found_by[i].is_number ? STORE_INT : STORE_BLOB;

        if (strcmp(kind, leaf_kind_name(found_by[i].kind)) != 0) {
            continue;
        }
        return subject->type == type &&
                       says(member(body, found_by[i].member, found_by[i].is_number ? "" : "\""),
                            subject)
                   ? 0
                   : err_set(e, ERR_STALE, "its row in leaf_subject says another %s, or is missing",
                             found_by[i].member);
    }
    return subject->type == STORE_NULL
               ? 0
               : err_set(e, ERR_STALE, "it has a row in leaf_subject, which its kind has not");
}

int
subject_check_row(const struct store_rows *rows, struct span body, int kind, int subject,
                  struct err *e)
{
    const struct store_value value = row_value(rows, subject);

    return subject_check(body, row_text(rows, kind), &value, e);
}

int
subject_check_end(struct store_db *db, uint64_t size, struct err *e)
{
    bool more;

    if (store_has_row(db, "SELECT 1 FROM leaf_subject WHERE idx < 0 OR idx >= ?1 LIMIT 1",
                      STORE_VALUES(store_int((int64_t)size)), &more, e) != 0) {
        return -1;
    }
    return more ? err_set(e, ERR_STALE, "leaf_subject has rows of leaves that there are not") : 0;
}
