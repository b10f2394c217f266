/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "ca/daemon/record.h"
#include "ca/policy/registered.h"
#include "ca/restore/state.h"
#include "db/issuance/rebuild/restored.h"

enum { AT_ONCE = 4096 /* leaves in one commit */ };

static int
signed_octets(void *arg, struct span cms, time_t at, struct buf *json, struct err *e)
{
    const struct restore *r = arg;
    const struct policy *p = &r->ca->policy;
    CLEANUP(registration_signed_cleanup)
    struct registration_signed *v = registration_verify(
        cms, p->issuing, p->root, at, &p->stored_rules, registered_manifests(r->ca->registered), e);

    return v == NULL ? err_wrap(e, "a registration in the ledger")
                     : buf_set(json, buf_span(&v->json), e);
}

static int
run_look(struct store_op *op, struct store_db *db, struct err *e)
{
    struct restore *r = restore_of(op);

    if (ledger_size(db, &r->plan.from, e) != 0 ||
        ledger_root(db, r->plan.from, r->plan.from_root.octets, e) != 0) {
        return -1;
    }
    if (r->plan.from > r->plan.log.size && r->plan.previous != NULL) {
        return err_set(e, ERR_STALE,
                       "%s has %" PRIu64 " leaves, and %" PRIu64 " are published: move it away, "
                       "and keep it, to restore without it",
                       r->ca->conf.database, r->plan.from, r->plan.log.size);
    }
    return r->plan.from < r->plan.log.size || r->plan.previous != NULL
               ? 0
               : err_set(e, ERR_CONFLICT,
                         "%s has all %" PRIu64 " leaves that were signed: nothing is lost, start "
                         "nfpki-ca",
                         r->ca->conf.database, r->plan.log.size);
}

/* What the database has is the beginning of what is published. */
static int
check_beginning(const struct restore *r, struct err *e)
{
    const struct merkle_hash root = published_root(r->published);

    return merkle_equal(&root, &r->plan.from_root)
               ? 0
               : err_set(e, ERR_STALE,
                         "%s has another history than %s: move it away, and keep it, to restore "
                         "without it",
                         r->ca->conf.database, r->ca->conf.ledger_dir);
}

static int
take_leaf(struct restore *r, struct store_db *db, uint64_t index, struct span body, struct err *e)
{
    const bool is_left = index < r->plan.from;
    CLEANUP(leaf_cleanup) struct leaf *leaf = NULL;

    if (is_left && r->is_sealed) {
        return 0;
    }
    leaf = leaf_parse(body, e);
    if (leaf == NULL) {
        return err_wrap(e, "the published leaf %" PRIu64, index);
    }
    if (restore_check_unsealed(r, leaf, e) != 0) {
        return -1;
    }
    if (is_left) {
        return 0;
    }
    return ledger_append(db, leaf, NULL, e) != 0 ? -1
                                                 : rebuild_leaf(r->rebuild, db, leaf, index, e);
}

static int
run_read(struct store_op *op, struct store_db *db, struct err *e)
{
    struct restore *r = restore_of(op);
    struct span body;

    for (int i = 0; i < AT_ONCE; i++) {
        const uint64_t index = published_size(r->published);

        if ((index == r->plan.from && check_beginning(r, e) != 0) ||
            published_next(r->published, &body, &r->more, e) != 0) {
            return -1;
        }
        if (!r->more) {
            return rebuild_end(r->rebuild, db, e);
        }
        if (take_leaf(r, db, index, body, e) != 0) {
            return -1;
        }
    }
    return 0;
}

int
step_read(struct restore *r, struct err *e)
{
    r->source = (struct rebuild_source){.content = signed_octets,
                                        .arg = r,
                                        .crl = buf_span(&r->crl.der),
                                        .phrase = phrase_text(PHRASE_GIVEN_UP)};
    r->rebuild = rebuild_new(&r->source);
    r->more = true;
    if (restore_in_store(r, run_look, e) != 0) {
        return -1;
    }
    while (r->more) {
        if (restore_in_store(r, run_read, e) != 0) {
            return -1;
        }
    }
    return published_end(r->published, e);
}

/* What only the CRL has: of which the record knows the number, or will, or knows nothing. */
static int
count_crl(struct restore *r, struct store_db *db, struct err *e)
{
    struct restore_plan *p = &r->plan;
    int64_t unknown;

    if (newest_crl_missing(&r->crl, db, &r->adoption, &p->from_crl, &unknown, e) != 0) {
        return -1;
    }
    if (unknown > 0 && p->previous == NULL) {
        return err_set(e, ERR_STALE,
                       "the published CRL number %" PRIu64 " has %" PRId64
                       " serial numbers that the ledger does not have: they are not of one CA, or "
                       "not of one history",
                       p->crl_number, unknown);
    }
    p->adopted = (int64_t)r->adoption.n + unknown;
    p->abandoned -= (int64_t)r->adoption.n_intended;
    return 0;
}

/* The leaves once more, from their octets in the database, against what was signed; and what else
 * there is to say of them. */
static int
run_compare(struct store_op *op, struct store_db *db, struct err *e)
{
    struct restore *r = restore_of(op);
    struct restore_plan *p = &r->plan;

    p->back = rebuild_counts(r->rebuild);
    p->on_trust = (const char *)r->on_trust.p;
    return (p->previous == NULL ? published_store(r->published, db, e)
                                : published_succeed(db, e)) != 0 ||
                   ledger_check(r->ca->ledger, db, &r->last, true, e) != 0 ||
                   ca_record_check_clock(r->ca, db, e) != 0 ||
                   rebuild_lost_intents(db, &p->abandoned, e) != 0 ||
                   rebuild_lost_pendings(db, &p->refused, e) != 0 ||
                   restored_void_count(db, p->from, &p->voided, e) != 0 ||
                   adoption_settle(&r->adoption, db, e) != 0
               ? -1
               : count_crl(r, db, e);
}

int
step_compare(struct restore *r, struct err *e)
{
    return restore_in_store(r, run_compare, e);
}
