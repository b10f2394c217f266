/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of journals that belong to nothing but what two officers signed. */
#include <string.h>

#include "db/issuance/journal.h"
#include "db/ledger/ledger.h"

static int
take_number(struct store_db *db, uint64_t number, time_t now, struct err *e)
{
    return store_exec(db,
                      "INSERT INTO crl(number, this_update, next_update) SELECT ?1, ?2, ?2 "
                      "WHERE ?1 > (SELECT coalesce(max(number), 0) FROM crl)",
                      STORE_VALUES(store_int((int64_t)number), store_int(now)), e);
}

int
issuance_acknowledge(struct store_db *db, const struct issuance_acknowledgement *a, time_t now,
                     struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_ACKNOWLEDGED, now);
    const char object[] = {a->object, '\0'};

    leaf_set_int(leaf, "record", LEAF_RECORD_VERSION);
    leaf_set_hex(leaf, "key", span_of(a->key, ISSUANCE_JOURNAL_HASH));
    leaf_set_int(leaf, "line", (int64_t)a->line);
    leaf_set_text(leaf, "object", object);
    leaf_set_hex(leaf, "sha256", span_of(a->hash, ISSUANCE_JOURNAL_HASH));
    if (a->serial.n > 0) {
        leaf_set_hex(leaf, "serial", a->serial);
    }
    if (a->number > 0) {
        leaf_set_int(leaf, "number", (int64_t)a->number);
    }
    leaf_set_text(leaf, "reason", a->reason);
    leaf_set_hex(leaf, "plan", a->plan);
    leaf_set_hex(leaf, "officer", a->officers[0].serial);
    leaf_set_base64(leaf, "cms", a->officers[0].cms);
    leaf_set_hex(leaf, "secondOfficer", a->officers[1].serial);
    leaf_set_base64(leaf, "secondCms", a->officers[1].cms);
    if (a->went_back_from != 0) {
        leaf_set_time(leaf, "clockSetBack", a->went_back_from);
    }
    return ledger_append(db, leaf, NULL, e) != 0 ? -1 : take_number(db, a->number, now, e);
}

static bool
is_of(const struct leaf *leaf, const char *key, uint64_t line, char object)
{
    const char *letter = leaf_text(leaf, "object");

    return leaf_kind(leaf) == LEAF_ACKNOWLEDGED && strcmp(leaf_text(leaf, "key"), key) == 0 &&
           leaf_int(leaf, "line", -1) == (int64_t)line && letter[0] == object && letter[1] == '\0';
}

int
issuance_journal_acknowledged(struct store_db *db, const struct issuance_journal *j, uint64_t line,
                              char object, const uint8_t hash[ISSUANCE_JOURNAL_HASH],
                              struct leaf **out, uint64_t *index, struct err *e)
{
    CLEANUP(mem_cleanup) char *key = hex_dup(span_of(j->key, sizeof(j->key)));
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row = true;

    *out = NULL;
    *index = 0;
    if (store_query(
            db, &rows,
            "SELECT unpacked(l.body), l.idx FROM leaf_subject o JOIN leaf l ON l.idx = o.idx WHERE "
            "o.subject = ?1 AND l.kind = 'ACKNOWLEDGED' ORDER BY o.idx",
            STORE_VALUES(store_blob(span_of(hash, ISSUANCE_JOURNAL_HASH))), e) != 0) {
        return -1;
    }
    while (store_next(&rows, &row, e) == 0) {
        CLEANUP(leaf_cleanup) struct leaf *leaf = NULL;

        if (!row) {
            return 0;
        }
        leaf = leaf_parse(row_blob(&rows, 0), e);
        if (leaf == NULL) {
            return -1;
        }
        if (is_of(leaf, key, line, object)) {
            *index = (uint64_t)row_int(&rows, 1);
            *out = TAKE(leaf);
            return 0;
        }
    }
    return -1;
}
