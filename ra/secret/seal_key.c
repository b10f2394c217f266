/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/secret/seal_key.h"

#include "base/log.h"
#include "base/ossl.h"
#include "base/proc.h"
#include "db/requests/requests.h"
#include "pkcs11/client/pool.h"
#include "ra/secret/seal.h"

#define CREDENTIAL "ra-seal-key"

enum { SECRET_MAX = 128 };

/* The file of earlier times; *there is false when it is not there. */
static int
read_file(struct buf *key, bool *there, struct err *e)
{
    struct err why;

    *there = secret_read(-1, CREDENTIAL, key, &why) == 0;
    if (!*there) {
        *e = why;
        return why.code == ERR_NOTFOUND ? 0 : -1;
    }
    if (key->n == SEAL_KEY_SIZE - 1 && buf_append(key, SPAN_LITERAL("\n"), e) != 0) {
        return -1; /* 32 random octets may end like a line, and secret_read() has taken that off */
    }
    return key->n == SEAL_KEY_SIZE
               ? 0
               : err_set(e, ERR_INPUT, "credential " CREDENTIAL " must be 32 octets, not %zu",
                         key->n);
}

struct resealing {
    struct store_op op;
    struct span from; /* empty: there is no other key */
    struct span to;
    int changed;
};

/* From the one key to the other, unless it opens with the other already. */
static int
reseal(void *arg, const char *id, struct span sealed, struct buf *out, bool *changed, struct err *e)
{
    struct resealing *r = arg;
    CLEANUP(buf_free) struct buf secret = BUF_SECRET(SECRET_MAX);

    *changed = false;
    if (seal_open(r->to, id, sealed, &secret, e) == 0) {
        return 0;
    }
    if (r->from.n == 0 || seal_open(r->from, id, sealed, &secret, e) != 0) {
        return err_wrap(e, "registration %s", id);
    }
    *changed = true;
    r->changed++;
    return seal_close(r->to, id, buf_span(&secret), out, e);
}

/* What is under neither of them is not ours, and stays so. */
static int
restamp(void *arg, struct span text, uint8_t stamp[REQUESTS_STAMP_SIZE], bool *changed,
        struct err *e)
{
    const struct resealing *r = arg;
    uint8_t old[SEAL_STAMP_SIZE];

    if (seal_stamp(r->from, text, old, e) != 0) {
        return -1;
    }
    *changed = span_equal_secret(span_of(old, sizeof(old)), span_of(stamp, REQUESTS_STAMP_SIZE));
    return *changed ? seal_stamp(r->to, text, stamp, e) : 0;
}

static int
run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct resealing *r = CONTAINER_OF(op, struct resealing, op);

    /* Without another key one of them tells whether this is the token of this ra.db. */
    if (requests_reseal(db, r->from.n == 0 ? 1 : 0, reseal, r, e) != 0) {
        return -1;
    }
    return r->from.n == 0 ? 0 : requests_restamp(db, restamp, r, e);
}

int
seal_key_settle(struct ra *ra, bool derived, struct err *e)
{
    CLEANUP(buf_free) struct buf file = BUF_SECRET(SEAL_KEY_SIZE);
    struct resealing r = {.op.run = run};
    struct err missing = {0};
    bool there = false;

    if (read_file(&file, &there, &missing) != 0) {
        *e = missing;
        return -1;
    }
    if (!derived && !there) {
        return err_set(e, ERR_NOTFOUND,
                       "no key seals one-time secrets: %s needs a section seal with the key_id of "
                       "the secret key in the RA's token",
                       settings_signer_name(ra->settings));
    }
    if (!derived) {
        log_event(LOG_WARNING, "seal-key-in-file",
                  "one-time secrets are sealed under the file " CREDENTIAL
                  ": make a secret key in the RA's token, see nfpki-ra(8)");
        return buf_set(&ra->seal_key, buf_span(&file), e);
    }
    r.to = buf_span(&ra->seal_key);
    r.from = there ? buf_span(&file) : (struct span){0};
    if (store_call(ra->store, &r.op, e) != 0) {
        return e->code != ERR_CRYPTO
                   ? -1
                   : err_wrap(e, "ra.db is sealed under another key than that of the RA's token");
    }
    if (there) {
        log_event(LOG_WARNING, "resealed",
                  "%d one-time secrets are under the token's key now: remove the file " CREDENTIAL,
                  r.changed);
    }
    return 0;
}

int
seal_key_ask(struct ra *ra, bool *derived, struct err *e)
{
    ra->seal_key = BUF_SECRET(SIGNATURE_MAX);
    *derived =
        signer_seal_key(signer_pool_first(ra->signers), SIGNER_SEAL_TEXT_RA, &ra->seal_key, e) == 0;
    return *derived || e->code == ERR_DENIED ? 0
                                             : err_wrap(e, "the key that seals one-time secrets");
}
