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

int
row_seals_admit(void *arg, struct store_db *db, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    struct ra *ra = arg;

    if (store_query_one(db, &rows, "PRAGMA user_version", STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    ra->may_seal = ra->may_seal || row_int(&rows, 0) < REQUESTS_SEALED_SINCE;
    return 0;
}

struct opening {
    struct store_op op;
    enum sealed_state state;
};

static int
run_open(struct store_op *op, struct store_db *db, struct err *e)
{
    static const struct store_migration *const schemas[STORE_SCHEMAS_MAX] = {ra_migrations};
    struct opening *o = CONTAINER_OF(op, struct opening, op);

    return sealed_open(db, &o->state, e) != 0
               ? -1
               : store_require_schema(db, schemas, "ra.db", "see nfpki-ra(8)", e);
}

int
row_seals_open(struct ra *ra, struct err *e)
{
    struct opening o = {.op.run = run_open};

    return store_call(ra->store, &o.op, e);
}

struct beginning {
    struct store_op op;
    bool may_seal;
    bool sealed;
    uint64_t rows;
};

/* Nothing is in a new one but the end of its queue. */
static int
check_before(struct store_db *db, bool may_seal, struct err *e)
{
    uint64_t rows;

    if (sealed_count(db, &rows, e) != 0) {
        return -1;
    }
    return may_seal || rows == 1
               ? 0
               : err_set(e, ERR_STALE,
                         "ra.db has no seals, and the RA that wrote it makes some: somebody took "
                         "them, see nfpki-ra(8)");
}

static int
run_begin(struct store_op *op, struct store_db *db, struct err *e)
{
    struct beginning *b = CONTAINER_OF(op, struct beginning, op);

    if (sealed_state(db) != SEALED_NOT_YET) {
        return 0;
    }
    b->sealed = true;
    return check_before(db, b->may_seal, e) != 0 ? -1 : sealed_begin(db, &b->rows, e);
}

int
row_seals_begin(struct ra *ra, struct err *e)
{
    struct beginning b = {.op.run = run_begin, .may_seal = ra->may_seal};

    if (store_call(ra->store, &b.op, e) != 0) {
        return -1;
    }
    if (b.sealed) {
        log_event(LOG_INFO, "sealed", "%" PRIu64 " rows of ra.db as they were", b.rows);
    }
    return 0;
}

const char *
row_seals_state(const struct store_db *db, uint64_t *rows)
{
    *rows = sealed_rows(db);
    return sealed_state_name(sealed_state(db));
}
