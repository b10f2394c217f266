/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/secret/row_seals.h"

#include <assert.h>
#include <inttypes.h>
#include <openssl/hmac.h>

#include "base/log.h"
#include "base/ossl.h"
#include "db/requests/requests.h"
#include "db/requests/seals.h"
#include "db/store/schema.h"
#include "ra/secret/seal.h"

/* A key of its own, derived from the one that encrypts: one key, one use. */
static int
derive(struct span key, struct buf *out, struct err *e)
{
    static const unsigned char purpose[] = "nfpki-ra: key that seals the rows of ra.db, 1";
    uint8_t *room = buf_extend(out, SEALED_KEY_SIZE, e);

    assert(key.n == SEAL_KEY_SIZE);
    return room != NULL && HMAC(EVP_sha256(), key.p, (int)key.n, purpose, sizeof(purpose) - 1, room,
                                NULL) != NULL
               ? 0
               : ossl_err(e, ERR_CRYPTO, "HMAC");
}

int
row_seals_new(struct ra *ra, bool of_token, struct err *e)
{
    CLEANUP(buf_free) struct buf key = BUF_SECRET(SEALED_KEY_SIZE);
    struct sealed_options options = {
        .file = "ra.db",
        .program = "nfpki-ra",
        .token = "the RA's signer (section seal)",
        .tables = requests_tables,
        .n = REQUESTS_TABLES,
    };

    if (of_token && derive(buf_span(&ra->seal_key), &key, e) != 0) {
        return -1;
    }
    options.key = buf_span(&key);
    ra->row_seals = sealed_new(&options, e);
    return ra->row_seals == NULL ? -1 : 0;
}

void
row_seals_free(struct ra *ra)
{
    sealed_free(ra->row_seals);
    ra->row_seals = NULL;
}

/* In a new one there is nothing to believe. */
static int
check_unsealed(struct store_db *db, bool may_seal, bool *is_new, struct err *e)
{
    if (requests_is_new(db, is_new, e) != 0) {
        return -1;
    }
    return may_seal || *is_new
               ? 0
               : err_set(
                     e, ERR_STALE,
                     "ra.db has rows and no seals: somebody took them; or, if this is the first "
                     "start with a version that seals, or with its key in the RA's token, start "
                     "once with --seal: nfpki-ra(8), From an earlier version");
}

/* What the file says of itself (its schema, that it has no seals) was written by whoever wrote it:
 * that it is from before is on a person's word alone. */
static int
check_state(enum sealed_state state, struct store_db *db, bool may_seal, struct err *e)
{
    bool is_new;

    switch (state) {
    case SEALED_CLOSED:
    case SEALED_NO_KEY:
    case SEALED_ENDED:
        break;
    case SEALED_NOT_YET:
        return check_unsealed(db, may_seal, &is_new, e);
    case SEALED_ON:
        return !may_seal ? 0
                         : err_set(e, ERR_INPUT,
                                   "--seal, and ra.db is sealed: start without it; no row was "
                                   "sealed");
    }
    return !may_seal ? 0
                     : err_set(e, ERR_INPUT,
                               "--seal, and the RA's signer gives no key that seals: name one in "
                               "its policy (section seal), see nfpki-ra(8)");
}

struct opening {
    struct store_op op;
    bool may_seal;
};

static int
run_open(struct store_op *op, struct store_db *db, struct err *e)
{
    static const struct store_migration *const schemas[STORE_SCHEMAS_MAX] = {ra_migrations};
    const struct opening *o = CONTAINER_OF(op, struct opening, op);
    enum sealed_state state;

    return sealed_open(db, &state, e) != 0 ||
                   store_require_schema(db, schemas, "ra.db", "see nfpki-ra(8)", e) != 0
               ? -1
               : check_state(state, db, o->may_seal, e);
}

int
row_seals_open(struct ra *ra, struct err *e)
{
    struct opening o = {.op.run = run_open, .may_seal = ra->may_seal};

    return store_call(ra->store, &o.op, e);
}

struct beginning {
    struct store_op op;
    bool may_seal;
    bool sealed;
    bool is_new;
    uint64_t rows;
};

static int
run_begin(struct store_op *op, struct store_db *db, struct err *e)
{
    struct beginning *b = CONTAINER_OF(op, struct beginning, op);

    if (sealed_state(db) != SEALED_NOT_YET) {
        return 0;
    }
    b->sealed = true;
    /* Again: what is sealed now is what is there now. */
    return check_unsealed(db, b->may_seal, &b->is_new, e) != 0 ? -1 : sealed_begin(db, &b->rows, e);
}

int
row_seals_begin(struct ra *ra, struct err *e)
{
    struct beginning b = {.op.run = run_begin, .may_seal = ra->may_seal};

    if (store_call(ra->store, &b.op, e) != 0) {
        return -1;
    }
    if (b.sealed && b.is_new) {
        log_event(LOG_INFO, "sealed", "ra.db is a new one");
    } else if (b.sealed) {
        log_event(LOG_WARNING, "sealed",
                  "%" PRIu64 " rows of ra.db as they were: what they say is believed from now on",
                  b.rows);
    }
    return 0;
}

const char *
row_seals_state(const struct store_db *db, uint64_t *rows)
{
    *rows = sealed_rows(db);
    return sealed_state_name(sealed_state(db));
}
