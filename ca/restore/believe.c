/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left of the database, before anything is taken over from it. Leaves say little of some
 * rows and nothing of others (rebuild.h), and what is restored is sealed as it is: an edit from
 * before would get a seal that is good for ever. So each page has its seal, under the key of the
 * token; or the record knows of no seals yet. And its tables are this program's: a trigger of
 * somebody else would act with each row that is read back. A file of which one page is not believed
 * is none: all of it comes back from the leaves.
 */
#include "ca/daemon/record.h"
#include "ca/restore/state.h"
#include "db/issuance/on_trust.h"

enum { AT_ONCE = 4096 /* pages in one operation */ };

static int
not_believed(const struct restore *r, struct err *e)
{
    return err_wrap(e, "%s is not believed: move it away, and keep it, to restore without it",
                    r->ca->conf.database);
}

/* Of a file that never had seals officers are told what nobody can compare. */
static int
run_open(struct store_op *op, struct store_db *db, struct err *e)
{
    struct restore *r = restore_of(op);

    r->is_sealed = store_seal_state(db) == STORE_SEALED;
    r->more = r->is_sealed;
    return ca_record_check_schema(db, e) != 0 || restore_mark_copy(db, e) != 0 ||
                   (!r->is_sealed && issuance_on_trust(db, &r->on_trust, e) != 0)
               ? -1
               : buf_append(&r->on_trust, span_of("", 1), e);
}

static int
run_scrub(struct store_op *op, struct store_db *db, struct err *e)
{
    struct restore *r = restore_of(op);
    uint64_t seen;
    bool end;

    if (store_scrub(db, &r->page, AT_ONCE, &seen, &end, e) != 0) {
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

int
step_believe(struct restore *r, struct err *e)
{
    return look(r, e) == 0 ? 0 : r->work.fd < 0 ? -1 : not_believed(r, e);
}

int
restore_check_unsealed(const struct restore *r, const struct leaf *leaf, struct err *e)
{
    if (r->is_sealed || leaf_kind(leaf) != LEAF_SEALED) {
        return 0;
    }
    if (r->work.fd < 0) {
        return err_set(e, ERR_DENIED,
                       "by the ledger it is sealed, and the log's signer gives no key (section "
                       "seal)");
    }
    (void)err_set(e, ERR_STALE, "it has no seals, and by the ledger it has");
    return not_believed(r, e);
}
