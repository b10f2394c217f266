/* SPDX-License-Identifier: Apache-2.0 */
#include "db/issuance/scrub.h"

#include <inttypes.h>
#include <string.h>

static int
one_leaf(struct store_db *db, struct issuance_scrub *s, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows, "SELECT body FROM leaf WHERE idx = ?1",
                        STORE_VALUES(store_int((int64_t)s->leaf)), e) != 0 ||
        compare_leaf(db, row_blob(&rows, 0), &s->seen, e) != 0) {
        (void)err_wrap(e, "leaf %" PRIu64, s->leaf);
        e->code = ERR_STORE;
        return -1;
    }
    s->leaf++;
    return 0;
}

/* With one row for each leaf, as many rows as leaves are exactly those. */
static int
check_count(const struct issuance_scrub *s, struct err *e)
{
    const int64_t expected = origin_expected(s->table, &s->seen);

    return expected < 0 || s->rows[s->table] == expected
               ? 0
               : err_set(e, ERR_STORE,
                         "ca.db has rows that the record has not: %s has %" PRId64
                         ", the record %" PRId64,
                         origin_name(s->table), s->rows[s->table], expected);
}

static int
one_row(struct store_db *db, struct issuance_scrub *s, struct err *e)
{
    bool found;
    bool counts;

    if (origin_next(db, s->table, &s->ends, &s->place, &found, &counts, e) != 0) {
        return -1;
    }
    if (found) {
        s->rows[s->table] += counts ? 1 : 0;
        return 0;
    }
    if (check_count(s, e) != 0) {
        return -1;
    }
    s->table++;
    memset(&s->place, 0, sizeof(s->place));
    return 0;
}

int
issuance_scrub_one(struct store_db *db, struct issuance_scrub *s, bool *done, struct err *e)
{
    if (!s->begun) {
        if (origin_ends_get(db, &s->ends, e) != 0) {
            return -1;
        }
        s->begun = true;
    }
    if ((s->leaf < s->ends.leaves   ? one_leaf(db, s, e)
         : s->table < ORIGIN_TABLES ? one_row(db, s, e)
                                    : 0) != 0) {
        return err_wrap(e, "the database does not agree with its record: it was edited");
    }
    *done = s->leaf == s->ends.leaves && s->table == ORIGIN_TABLES;
    return 0;
}

int
issuance_check(struct store_db *db, struct err *e)
{
    struct issuance_scrub s = {0};
    bool done = false;

    while (!done) {
        if (issuance_scrub_one(db, &s, &done, e) != 0) {
            return -1;
        }
    }
    return 0;
}
