/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left of the database, before anything is taken over from it. Leaves say little of some
 * rows and nothing of others (rebuild.h), and what is restored is sealed as it is: an edit from
 * before would get a seal that is good for ever. So each row has its seal, whole, under the key of
 * the token, and each seal its row; or the record knows of no seals yet. And its tables are this
 * program's: a trigger of somebody else would act with each row that is read back. A file of which
 * one row is not believed is none: all of it comes back from the leaves.
 *
 * What was looked at stays open from then on until it is sealed again (step_seal): nobody else
 * changes what a store has read (db/pages/pages.h), but while it is closed whoever can write the
 * copy might.
 */
#include "ca/daemon/record.h"
#include "ca/restore/state.h"
#include "db/issuance/on_trust.h"

enum { AT_ONCE = 4096 /* rows in one operation */ };

static int
not_believed(const struct restore *r, struct err *e)
{
    return err_wrap(e, "%s is not believed: move it away, and keep it, to restore without it",
                    r->ca->conf.database);
}

static int
run_open(struct store_op *op, struct store_db *db, struct err *e)
{
    struct restore *r = restore_of(op);
    enum sealed_state state;

    if (sealed_open(db, &state, e) != 0 || ca_record_check_schema(db, e) != 0) {
        return -1;
    }
    r->had_seals = state == SEALED_ON;
    r->more = r->had_seals;
    return 0;
}

static int
run_scrub(struct store_op *op, struct store_db *db, struct err *e)
{
    struct restore *r = restore_of(op);
    size_t seen;
    bool end;

    if (sealed_scrub(db, &r->cursor, AT_ONCE, &seen, &end, e) != 0) {
        return -1;
    }
    r->more = !end;
    return 0;
}

static int
look(struct restore *r, struct err *e)
{
    if (restore_open(r, e) != 0 || restore_in_store(r, run_open, e) != 0) {
        return -1;
    }
    while (r->more) {
        if (restore_in_store(r, run_scrub, e) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Of rows that never had seals officers are told what nobody can compare. */
static int
run_unseal(struct store_op *op, struct store_db *db, struct err *e)
{
    struct restore *r = restore_of(op);

    return (!r->had_seals && issuance_on_trust(db, &r->on_trust, e) != 0) ||
                   buf_append(&r->on_trust, span_of("", 1), e) != 0
               ? -1
               : sealed_end(db, e);
}

int
step_believe(struct restore *r, struct err *e)
{
    if (look(r, e) != 0) {
        return r->work.fd < 0 ? -1 : not_believed(r, e);
    }
    return restore_in_store(r, run_unseal, e);
}

int
restore_check_unsealed(const struct restore *r, const struct leaf *leaf, struct err *e)
{
    if (r->work.fd < 0 || r->had_seals || leaf_kind(leaf) != LEAF_SEALED) {
        return 0;
    }
    (void)err_set(e, ERR_STALE, "its rows have no seals, and by the ledger they have");
    return not_believed(r, e);
}
