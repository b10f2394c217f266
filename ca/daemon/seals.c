/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/daemon/seals.h"

#include <inttypes.h>

#include "db/issuance/on_trust.h"
#include "db/issuance/sealed.h"

/* A log's signer from before has no such key. */
int
ca_seals_key(struct ca *ca, struct err *e)
{
    ca->seal_key = BUF_SECRET(SIGNATURE_MAX);
    if (signer_seal_key(ca->log, SIGNER_SEAL_TEXT_CA, &ca->seal_key, e) == 0) {
        return 0;
    }
    if (e->code != ERR_DENIED) {
        return err_wrap(e, "signer %s: the key that seals ca.db", ca_signer_name(&ca->conf.log));
    }
    log_event(LOG_WARNING, "no-seal-key",
              "%s has no section seal: make the key in the token of the log's key, see nfpki-ca(8)",
              ca_signer_name(&ca->conf.log));
    return 0;
}

/* The seals that an earlier version gave to rows are not read any more. */
static int
check_earlier(const struct ca *ca, struct store_db *db, struct err *e)
{
    if (store_seal_state(db) == STORE_NO_KEY) {
        return err_set(
            e, ERR_DENIED,
            "an earlier version sealed ca.db, and the log's signer gives no key (section "
            "seal): see nfpki-ca(8)");
    }
    return ca->may_seal ? 0
                        : err_set(e, ERR_DENIED,
                                  "an earlier version sealed the rows of ca.db: start once with "
                                  "--seal, which compares them with the record, see nfpki-ca(8)");
}

int
ca_seals_check(const struct ca *ca, struct store_db *db, struct err *e)
{
    enum issuance_sealed sealed;

    if (store_seal_state(db) == STORE_SEALED) {
        return ca->may_seal ? err_set(e, ERR_CONFLICT, "ca.db is sealed: start without --seal") : 0;
    }
    if (store_is_new(db)) {
        return 0;
    }
    if (issuance_sealed(db, &sealed, e) != 0) {
        return -1;
    }
    switch (sealed) {
    case ISSUANCE_NEVER_SEALED:
        return 0;
    case ISSUANCE_ROWS_SEALED:
        return check_earlier(ca, db, e);
    case ISSUANCE_PAGES_SEALED:
        break;
    }
    return err_set(
        e, ERR_STALE,
        "the record says that ca.db is sealed, and ca.db-seal is not there: put it back, "
        "or restore, see nfpki-ca(8)");
}

struct begin_op {
    struct store_op op;
    bool to_seal;
    uint64_t pages;
    struct buf names;
};

/* What the rows were not compared for yet, and what nobody can compare. */
static int
run_begin(struct store_op *op, struct store_db *db, struct err *e)
{
    struct begin_op *o = CONTAINER_OF(op, struct begin_op, op);

    o->to_seal = store_seal_state(db) == STORE_NOT_SEALED;
    o->pages = store_pages(db);
    return !o->to_seal                                ? 0
           : issuance_settings_check(db, e) != 0      ? -1
           : issuance_on_trust(db, &o->names, e) != 0 ? -1
                                                      : 0;
}

static void
say_begun(const struct begin_op *o)
{
    if (o->names.n == 0) {
        log_event(LOG_INFO, "sealed", "ca.db, %" PRIu64 " pages", o->pages);
        return;
    }
    log_event(LOG_WARNING, "sealed",
              "ca.db, %" PRIu64 " pages; taken on trust, since no leaf has it: %.*s", o->pages,
              (int)o->names.n, (const char *)o->names.p);
}

int
ca_seals_begin(struct ca *ca, struct err *e)
{
    struct begin_op o = {.op = {.run = run_begin}, .names = BUF_INIT(ISSUANCE_ON_TRUST_MAX)};
    int result = store_call(ca->store, &o.op, e);

    if (result == 0 && o.to_seal) {
        result = store_seal(ca->store, e);
    }
    if (result != 0) {
        (void)err_wrap(e, "ca.db is not sealed");
    } else if (o.to_seal) {
        say_begun(&o);
    }
    buf_free(&o.names);
    return result;
}

int
ca_seals_say(struct store_db *db, time_t now, struct err *e)
{
    return store_seal_state(db) == STORE_SEALED ? issuance_sealed_say(db, now, e) : 0;
}

json_t *
ca_seals_status(const struct store_db *db)
{
    const enum store_seal state = store_seal_state(db);

    return json_pack("{s:s,s:I}", "state", store_seal_name(state), "pages",
                     (json_int_t)(state == STORE_SEALED ? store_pages(db) : 0));
}
