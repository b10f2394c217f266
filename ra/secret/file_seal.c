/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/secret/file_seal.h"

#include <assert.h>
#include <inttypes.h>
#include <openssl/hmac.h>
#include <string.h>

#include "base/log.h"
#include "base/ossl.h"
#include "ra/secret/seal.h"

/* A key of its own, derived from the one that encrypts: one key, one use. */
int
file_seal_key(const struct ra *ra, struct buf *out, struct err *e)
{
    static const unsigned char purpose[] = "nfpki-ra: key that seals the pages of ra.db, 1";
    const struct span key = buf_span(&ra->seal_key);
    uint8_t *room = buf_extend(out, STORE_KEY_SIZE, e);

    assert(key.n == SEAL_KEY_SIZE);
    return room != NULL && HMAC(EVP_sha256(), key.p, (int)key.n, purpose, sizeof(purpose) - 1, room,
                                NULL) != NULL
               ? 0
               : ossl_err(e, ERR_CRYPTO, "HMAC");
}

int
file_seal_integrity(struct store_db *db, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows, "PRAGMA integrity_check", STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    return strcmp(row_text(&rows, 0), "ok") == 0
               ? 0
               : err_set(e, ERR_STORE, "ra.db is damaged: %s", row_text(&rows, 0));
}

/* What the file says of itself was written by whoever wrote it: that it is from before is on a
 * person's word alone. In a new one there is nothing to believe. */
static int
check_unsealed(const struct ra *ra, struct store_db *db, struct err *e)
{
    return ra->may_seal || store_is_new(db)
               ? file_seal_integrity(db, e)
               : err_set(
                     e, ERR_STALE,
                     "ra.db has no seals, ra.db-seal: somebody took it away; or, if this is the "
                     "first start with a version that seals pages, or with its key in the RA's "
                     "token, start once with --seal: nfpki-ra(8), From an earlier version");
}

int
file_seal_admit(void *arg, struct store_db *db, struct err *e)
{
    const struct ra *ra = arg;

    switch (store_seal_state(db)) {
    case STORE_NOT_SEALED:
        return check_unsealed(ra, db, e);
    case STORE_SEALED:
        return !ra->may_seal ? 0
                             : err_set(e, ERR_INPUT,
                                       "--seal, and ra.db is sealed: start without it; nothing was "
                                       "sealed");
    case STORE_NO_KEY:
        break;
    }
    return !ra->may_seal ? file_seal_integrity(db, e)
                         : err_set(e, ERR_INPUT,
                                   "--seal, and the RA's signer gives no key that seals: name one "
                                   "in its policy (section seal), see nfpki-ra(8)");
}

struct looking {
    struct store_op op;
    enum store_seal state;
    uint64_t pages;
};

static int
run_look(struct store_op *op, struct store_db *db, struct err *e)
{
    struct looking *l = CONTAINER_OF(op, struct looking, op);

    (void)e;
    l->state = store_seal_state(db);
    l->pages = store_pages(db);
    return 0;
}

int
file_seal_begin(struct ra *ra, struct err *e)
{
    struct looking l = {.op.run = run_look};

    if (store_call(ra->store, &l.op, e) != 0) {
        return -1;
    }
    if (l.state != STORE_NOT_SEALED) {
        return 0;
    }
    if (store_seal(ra->store, e) != 0) {
        return err_wrap(e, "seal ra.db");
    }
    log_event(LOG_WARNING, "sealed",
              "%" PRIu64 " pages of ra.db as they were: what they say is believed from now on",
              l.pages);
    return 0;
}
