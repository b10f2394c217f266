/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What its network function rejected is not made again and again: the same profile under the same
 * registration has the same content, and a client that asks again by itself would use up all that
 * is registered. So the last word about a profile counts: after a rejection there is no other
 * initial certificate of it, but for one further try, where policy allows that.
 */
#include <string.h>

#include "db/issuance/rows.h"

/* The serial number of the certificate, when the last word about this profile is a rejection;
 * *found = false otherwise. */
static int
find_rejected(struct store_db *db, const struct issuance_intent *i,
              uint8_t serial[ISSUANCE_SERIAL_SIZE], bool *found, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    /* Rejected by a certConf, and since then none was confirmed, or confirmed by what it asked for;
     * one that was not confirmed in time says nothing about its content. */
    if (store_query(db, &rows,
                    "SELECT q.serial FROM request q WHERE q.registration = ?1 AND q.profile = ?2 "
                    "AND q.renews IS NULL AND q.state = 4 AND EXISTS (SELECT 1 FROM confirmation c "
                    "WHERE c.request = q.rid AND c.accepted = 0) AND NOT EXISTS (SELECT 1 FROM "
                    "request o WHERE o.registration = q.registration AND o.profile = q.profile AND "
                    "o.renews IS NULL AND (o.state = 3 OR (o.state = 1 AND o.confirm = 0)) AND "
                    "o.leaf > q.leaf) ORDER BY q.leaf DESC LIMIT 1",
                    STORE_VALUES(store_text(i->registration), store_text(i->profile)), e) != 0 ||
        store_next(&rows, found, e) != 0) {
        return -1;
    }
    return *found ? row_copy_octets(&rows, 0, serial, ISSUANCE_SERIAL_SIZE, e) : 0;
}

static int
was_retried(struct store_db *db, const char *registration, bool *retried, struct err *e)
{
    return store_has_row(
        db,
        "SELECT 1 FROM request WHERE registration = ?1 AND instead_of IS NOT NULL AND "
        "state IN (0, 1, 3, 4)",
        STORE_VALUES(store_text(registration)), retried, e);
}

int
issuance_judge_retry(struct store_db *db, const struct issuance_intent *i,
                     struct issuance_place *place, enum issuance_outcome *outcome, struct err *e)
{
    bool rejected;
    bool retried = false;

    if (find_rejected(db, i, place->instead_of, &rejected, e) != 0 ||
        (rejected && was_retried(db, i->registration, &retried, e) != 0)) {
        return -1;
    }
    if (rejected && (retried || !i->retry_rejected)) {
        *outcome = ISSUANCE_UNWANTED;
    }
    place->is_retry = rejected && *outcome == ISSUANCE_DONE;
    return 0;
}
