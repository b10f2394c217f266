/* SPDX-License-Identifier: Apache-2.0 */
/* Where a pass is, in the database. */
#include <string.h>

#include "db/issuance/scrub.h"

/* What is stored is the struct as it is: for this program on this machine. Another form is no
 * position, and a new pass begins. */
enum { FORM = 3 };
struct position {
    int64_t form;
    struct issuance_scrub at;
};

static bool
is_position(const struct position *p, uint64_t leaves)
{
    const struct issuance_scrub *s = &p->at;

    return p->form == FORM && s->ends.leaves <= leaves && s->leaf <= s->ends.leaves &&
           s->table <= ORIGIN_TABLES && s->place.key_n <= sizeof(s->place.key);
}

int
issuance_scrub_load(struct store_db *db, struct issuance_scrub *s, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    struct position p = {0};
    uint64_t leaves;
    bool row;

    *s = (struct issuance_scrub){0};
    if (ledger_size(db, &leaves, e) != 0 ||
        store_query(db, &rows, "SELECT position, begun, ended, leaves, requests FROM scrub",
                    STORE_NO_VALUES, e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    if (!row) {
        return 0;
    }
    if (row_blob(&rows, 0).n == sizeof(p)) {
        memcpy(&p, row_blob(&rows, 0).p, sizeof(p));
    }
    if (is_position(&p, leaves)) {
        *s = p.at;
    }
    s->last = (struct issuance_pass){.begun = (time_t)row_int(&rows, 1),
                                     .ended = (time_t)row_int(&rows, 2),
                                     .leaves = (uint64_t)row_int(&rows, 3),
                                     .requests = row_int(&rows, 4)};
    return 0;
}

int
issuance_scrub_store(struct store_db *db, const struct issuance_scrub *s, struct err *e)
{
    struct position p;

    memset(&p, 0, sizeof(p)); /* what is between members, too */
    p.form = FORM;
    p.at = *s;
    return store_exec(
        db,
        "INSERT INTO scrub(one, position, begun, ended, leaves, requests) VALUES(1, ?1, "
        "?2, ?3, ?4, ?5) ON CONFLICT(one) DO UPDATE SET position = excluded.position, begun = "
        "excluded.begun, ended = excluded.ended, leaves = excluded.leaves, requests = "
        "excluded.requests",
        STORE_VALUES(store_blob(span_of(&p, sizeof(p))), store_int(s->last.begun),
                     store_int(s->last.ended), store_int((int64_t)s->last.leaves),
                     store_int(s->last.requests)),
        e);
}
