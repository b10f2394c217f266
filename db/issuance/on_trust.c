/* SPDX-License-Identifier: Apache-2.0 */
#include "db/issuance/on_trust.h"

#include <string.h>

#include "base/ossl.h"
#include "db/issuance/rows.h"
#include "db/ledger/leaf.h"

/* ---- settings ---- */

/* What the newest leaf of this name says, as hex. */
struct setting {
    char *name;
    char *value;
};
struct said {
    struct setting *all;
    size_t n, capacity;
};

static void
said_free(struct said *s)
{
    for (size_t i = 0; i < s->n; i++) {
        mem_free(s->all[i].name);
        mem_free(s->all[i].value);
    }
    mem_free(s->all);
}

/* NULL: no leaf says anything of it. */
static struct setting *
find(const struct said *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++) {
        if (strcmp(s->all[i].name, name) == 0) {
            return &s->all[i];
        }
    }
    return NULL;
}

static void
say(struct said *s, const char *name, const char *value)
{
    struct setting *one = find(s, name);

    if (one == NULL) {
        s->all = mem_grow(s->all, &s->capacity, s->n + 1, sizeof(s->all[0]));
        one = &s->all[s->n++];
        *one = (struct setting){.name = mem_strdup(name)};
    }
    mem_free(one->value);
    one->value = mem_strdup(value);
}

static int
read_leaf(struct said *s, struct span body, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_parse(body, e);

    if (leaf == NULL) {
        return -1;
    }
    if (leaf_kind(leaf) == LEAF_CONFIG) {
        say(s, leaf_text(leaf, "file"), leaf_text(leaf, "sha256"));
    } else if (leaf_text(leaf, "crl") != NULL) {
        say(s, ISSUANCE_RESTORED_CRL, leaf_text(leaf, "crl"));
    }
    return 0;
}

/* `kind` beside the octets was compared with them (scrub.h). */
static int
read_leaves(struct store_db *db, struct said *s, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;

    if (store_query(
            db, &rows,
            "SELECT unpacked(body) FROM leaf WHERE kind IN ('CONFIG', 'RESTORED') ORDER BY idx",
            STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    while (store_next(&rows, &row, e) == 0) {
        if (!row) {
            return 0;
        }
        if (read_leaf(s, row_blob(&rows, 0), e) != 0) {
            return -1;
        }
    }
    return -1;
}

static int
check_said(struct store_db *db, const struct said *s, struct err *e)
{
    for (size_t i = 0; i < s->n; i++) {
        bool there;

        if (store_has_row(db, "SELECT 1 FROM setting WHERE name = ?1 AND lower(hex(value)) = ?2",
                          STORE_VALUES(store_text(s->all[i].name), store_text(s->all[i].value)),
                          &there, e) != 0) {
            return -1;
        }
        if (!there) {
            return err_set(e, ERR_STALE,
                           "the record has a setting that ca.db has not, or another one: %s",
                           s->all[i].name);
        }
    }
    return 0;
}

static int
check_rows(struct store_db *db, const struct said *s, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;

    if (store_query(db, &rows, "SELECT name FROM setting WHERE name <> 'shared-proofs'",
                    STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    while (store_next(&rows, &row, e) == 0) {
        if (!row) {
            return 0;
        }
        if (find(s, row_text(&rows, 0)) == NULL) {
            return err_set(e, ERR_STALE, "ca.db has a setting that the record has not: %s",
                           row_text(&rows, 0));
        }
    }
    return -1;
}

int
issuance_settings_check(struct store_db *db, struct err *e)
{
    CLEANUP(said_free) struct said s = {0};

    return read_leaves(db, &s, e) != 0 || check_said(db, &s, e) != 0 ? -1 : check_rows(db, &s, e);
}

/* ---- what nobody can compare ---- */

#define ROWS_OF(table) "SELECT 1 FROM " table " LIMIT 1"

static const struct {
    const char *rows; /* are there any? */
    const char *names;
} on_trust[] = {
    {ROWS_OF("request"),
     "request.transaction_id, request.cert_req_id, request.requester, request.evidence, "
     "request.queue_sequence, request.queue_previous, request.fail_info, request.phrase, "
     "request.confirm, request.message_time"},
    {ROWS_OF("request WHERE state = 2"), "what else is said of refused requests"},
    {ROWS_OF("confirmation"), "confirmation.rid, confirmation.evidence"},
    {ROWS_OF("pending"),
     "pending.transaction_id, pending.requester, pending.spki_sha256, pending.evidence, "
     "pending.queue_previous, pending.expires, pending.renews"},
    {ROWS_OF("again"), "again.transaction_id, again.cert_req_id, again.evidence"},
    {ROWS_OF("revocation_request"), "revocation_request.evidence"},
    /* Of a certificate's it is compared. */
    {ROWS_OF("public_key"), "keys of no certificate"},
    {ROWS_OF("crl WHERE der IS NULL"), "reserved numbers of CRLs"},
    {ROWS_OF("setting WHERE name = 'shared-proofs'"), "setting shared-proofs"},
    /* Of what leaves are packed with it is compared. */
    {ROWS_OF("dictionary"), "dictionary"},
    {ROWS_OF("journal"), "journal"},
    {ROWS_OF("scrub"), "scrub"},
};

int
issuance_on_trust(struct store_db *db, struct buf *names, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(on_trust); i++) {
        bool there;

        if (store_has_row(db, on_trust[i].rows, STORE_NO_VALUES, &there, e) != 0) {
            return -1;
        }
        if (there && ((names->n > 0 && buf_append_str(names, ", ", e) != 0) ||
                      buf_append_str(names, on_trust[i].names, e) != 0)) {
            return -1;
        }
    }
    return 0;
}
