/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/publish/crl.h"

#include <event2/event.h>
#include <openssl/pem.h>

#include "base/file.h"
#include "ca/daemon/published.h"
#include "ca/publish/checkpoint.h"
#include "ca/publish/committed.h"
#include "ca/publish/crl_list.h"
#include "ca/publish/inclusion.h"
#include "ca/x509/signed.h"
#include "ca/x509/tbs/crl.h"
#include "pkcs11/client/evidence.h"

enum { RETRY_S = 10, ROOT_CRL_MAX = 1024 * 1024 };

struct crl_maker {
    struct ca *ca;
    struct event *timer;
    struct task work;
    struct store_op op;
    struct signer_job sign;
    struct release_item release;
    struct crl_list list;
    struct buf tbs;
    struct buf inclusion; /* what shows the signer that it is announced */
    struct buf der;
    char *path;
    uint64_t leaf;
    uint8_t digest[SHA256_SIZE];
    bool busy;
    bool again;
    struct crl_waiter *waiting; /* for the one that is being made */
    struct crl_waiter *next;    /* for the one after it */
    int result;
    struct err e;
};

static void begin(struct crl_maker *c);

static void
schedule(struct crl_maker *c, time_t seconds)
{
    const struct timeval pause = {.tv_sec = seconds};

    (void)event_add(c->timer, &pause);
}

/* crl_overlap_hours before nextUpdate, which counts from thisUpdate; in the middle where a
 * rehearsal leaves no room for so many. */
static time_t
pause_until_next(const struct crl_maker *c)
{
    const struct ca_conf *conf = &c->ca->conf;
    const time_t length = c->list.request.next_update - c->list.request.this_update;
    const time_t overlap = conf->crl_overlap_s < length ? conf->crl_overlap_s : length / 2;
    const time_t left = c->list.request.next_update - overlap - clock_now();
    const time_t most = length - overlap; /* also when the clock was put back */

    return left > most ? most : left > RETRY_S ? left : RETRY_S;
}

static void
finish(struct crl_maker *c, const struct err *why)
{
    struct crl_waiter *waiting = c->waiting;
    const uint64_t number = c->list.request.number;

    buf_free(&c->tbs);
    buf_free(&c->inclusion);
    buf_free(&c->der);
    buf_free(&c->sign.signature);
    c->waiting = NULL;
    c->busy = false;
    c->ca->jobs--;
    if (why == NULL) {
        schedule(c, pause_until_next(c));
        committed_say(c->ca->committed);
        log_event(LOG_INFO, "crl", "number %llu with %zu entries", (unsigned long long)number,
                  c->list.request.n_entries);
    } else {
        log_err(LOG_ERROR, "crl-failed", why, "again in %d s", RETRY_S);
        schedule(c, RETRY_S);
    }
    while (waiting != NULL) {
        struct crl_waiter *w = waiting;

        waiting = w->next;
        w->done(w, number, why);
    }
    if (c->again && !c->busy) {
        begin(c);
    }
}

/* ---- publish ---- */

static void
run_write(struct task *task)
{
    struct crl_maker *c = CONTAINER_OF(task, struct crl_maker, work);

    c->result = file_write(c->path, buf_span(&c->der), 0644, &c->e);
}

static void
on_written(struct task *task)
{
    struct crl_maker *c = CONTAINER_OF(task, struct crl_maker, work);

    finish(c, c->result == 0 ? NULL : &c->e);
}

static void
work(struct crl_maker *c, void (*run)(struct task *), void (*done)(struct task *))
{
    c->work = (struct task){.run = run, .done = done};
    pool_submit(c->ca->pool, &c->work);
}

static void
on_released(struct release_item *item)
{
    work(CONTAINER_OF(item, struct crl_maker, release), run_write, on_written);
}

/* ---- store ---- */

static struct issuance_crl
record_of(const struct crl_maker *c)
{
    return (struct issuance_crl){
        .number = c->list.request.number,
        .tbs = buf_span(&c->tbs),
        .entries = c->list.request.n_entries,
        .up_to = c->list.up_to,
        .digest = span_of(c->digest, sizeof(c->digest)),
        .expired_before = c->list.expired_before,
        .now = clock_now(), /* of the leaf; a signer may have been away since it was begun */
    };
}

static int
run_store(struct store_op *op, struct store_db *db, struct err *e)
{
    struct crl_maker *c = CONTAINER_OF(op, struct crl_maker, op);
    const struct issuance_crl crl = record_of(c);

    return issuance_crl_store(db, &crl, buf_span(&c->der), &c->leaf, e);
}

static void
on_stored(struct task *task)
{
    struct crl_maker *c = CONTAINER_OF(task, struct crl_maker, op.task);

    ca_check_store(&c->op, "store a CRL");
    c->release = (struct release_item){.leaf = c->leaf, .released = on_released};
    release_wait(c->ca->release, &c->release);
}

/* ---- sign and verify ---- */

static void
run_seal(struct task *task)
{
    struct crl_maker *c = CONTAINER_OF(task, struct crl_maker, work);

    c->der = BUF_INIT(c->tbs.n + SIGNED_OVERHEAD);
    c->result = signed_assemble(SIGNED_CRL, buf_span(&c->tbs), buf_span(&c->sign.signature),
                                c->ca->policy.issuing_key, &c->der, &c->e);
}

static void
on_sealed(struct task *task)
{
    struct crl_maker *c = CONTAINER_OF(task, struct crl_maker, work);

    if (c->result != 0) {
        finish(c, &c->e);
        return;
    }
    c->op = (struct store_op){.run = run_store, .task = {.done = on_stored}};
    store_submit(c->ca->store, &c->op);
}

static void
on_signed(struct task *task)
{
    struct crl_maker *c = CONTAINER_OF(task, struct crl_maker, sign.task);

    if (c->sign.result != 0) {
        c->e = c->sign.e;
        finish(c, &c->e);
        return;
    }
    work(c, run_seal, on_sealed);
}

/* ---- announce: what is signed is in the ledger before (request/kind/request.h) ---- */

static int
run_prove(struct store_op *op, struct store_db *db, struct err *e)
{
    struct crl_maker *c = CONTAINER_OF(op, struct crl_maker, op);
    CLEANUP(buf_free) struct buf note = BUF_INIT(EVIDENCE_NOTE_MAX);
    uint64_t size;

    return ledger_newest(c->ca->ledger, db, &note, &size, e) != 0
               ? -1
               : inclusion_prove(db, c->leaf, buf_span(&note), size, &c->inclusion, e);
}

static void
on_proved(struct task *task)
{
    struct crl_maker *c = CONTAINER_OF(task, struct crl_maker, op.task);

    ca_check_store(&c->op, "prove the intent of a CRL");
    c->sign = (struct signer_job){.task = {.done = on_signed},
                                  .object = SIGNER_CRL,
                                  .tbs = buf_span(&c->tbs),
                                  .evidence = buf_span(&c->inclusion)};
    signer_submit(signer_pool_first(c->ca->issuing), &c->sign);
}

static void
on_announced(struct release_item *item)
{
    struct crl_maker *c = CONTAINER_OF(item, struct crl_maker, release);

    c->op = (struct store_op){.run = run_prove, .task = {.done = on_proved}};
    store_submit(c->ca->store, &c->op);
}

static int
run_intend(struct store_op *op, struct store_db *db, struct err *e)
{
    struct crl_maker *c = CONTAINER_OF(op, struct crl_maker, op);
    const struct issuance_crl crl = record_of(c);

    return issuance_crl_intend(db, &crl, &c->leaf, e);
}

static void
on_intended(struct task *task)
{
    struct crl_maker *c = CONTAINER_OF(task, struct crl_maker, op.task);

    ca_check_store(&c->op, "announce a CRL");
    c->release = (struct release_item){.leaf = c->leaf, .released = on_announced};
    release_wait(c->ca->release, &c->release);
}

/* ---- build ---- */

static void
run_build(struct task *task)
{
    struct crl_maker *c = CONTAINER_OF(task, struct crl_maker, work);

    c->tbs = BUF_INIT(CRL_TBS_MAX);
    c->result = crl_build(&c->list.request, &c->tbs, &c->e) != 0 ||
                        crl_lint(buf_span(&c->tbs), &c->list.request, &c->e) != 0
                    ? -1
                    : crl_digest(&c->list.request, c->digest, &c->e);
}

static void
on_built(struct task *task)
{
    struct crl_maker *c = CONTAINER_OF(task, struct crl_maker, work);

    if (c->result != 0) {
        finish(c, &c->e);
        return;
    }
    c->op = (struct store_op){.run = run_intend, .task = {.done = on_intended}};
    store_submit(c->ca->store, &c->op);
}

static int
run_reserve(struct store_op *op, struct store_db *db, struct err *e)
{
    struct crl_maker *c = CONTAINER_OF(op, struct crl_maker, op);

    return crl_list_reserve(&c->list, c->ca, db, e);
}

static void
on_reserved(struct task *task)
{
    struct crl_maker *c = CONTAINER_OF(task, struct crl_maker, op.task);

    ca_check_store(&c->op, "reserve a CRL number");
    work(c, run_build, on_built);
}

static void
begin(struct crl_maker *c)
{
    c->busy = true;
    c->again = false;
    c->waiting = c->next;
    c->next = NULL;
    c->ca->jobs++;
    c->list.now = clock_now();
    c->op = (struct store_op){.run = run_reserve, .task = {.done = on_reserved}};
    store_submit(c->ca->store, &c->op);
}

void
crl_make(struct crl_maker *c, struct crl_waiter *waiter)
{
    if (waiter != NULL) {
        waiter->next = c->next;
        c->next = waiter;
    }
    c->again = true;
    if (!c->busy) {
        begin(c);
    }
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct crl_maker *c = arg;

    (void)fd;
    (void)what;
    if (!c->ca->stopping) {
        crl_make(c, NULL);
    }
}

static int
read_root(const struct ca *ca, struct buf *der, struct err *e)
{
    CLEANUP(buf_free) struct buf octets = BUF_INIT(ROOT_CRL_MAX);
    CLEANUP(bio_cleanup) BIO *in = NULL;
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = NULL;

    if (file_read(ca->conf.root_crl, &octets, e) != 0) {
        return -1;
    }
    in = BIO_new_mem_buf(octets.p, (int)octets.n);
    if (in != NULL) {
        crl = octets.n > 0 && octets.p[0] == 0x30 ? d2i_X509_CRL_bio(in, NULL)
                                                  : PEM_read_bio_X509_CRL(in, NULL, NULL, NULL);
    }
    if (crl == NULL || X509_CRL_verify(crl, X509_get0_pubkey(ca->policy.root)) != 1) {
        return ossl_err(e, ERR_CRYPTO, "%s: not a CRL that the root signed", ca->conf.root_crl);
    }
    return OSSL_ENCODE(X509_CRL, crl, der, e);
}

int
crl_check_root(const struct ca *ca, struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(ROOT_CRL_MAX);

    return read_root(ca, &der, e);
}

int
crl_publish_root(struct ca *ca, struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(ROOT_CRL_MAX);
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/root.crl", ca->conf.crl_dir);

    return read_root(ca, &der, e) != 0 ? -1 : file_write(path, buf_span(&der), 0644, e);
}

struct crl_maker *
crl_maker_new(struct ca *ca)
{
    struct crl_maker *c = mem_new(sizeof(*c));

    c->ca = ca;
    c->path = published_crl_path(&ca->conf);
    c->timer = ca_timer(ca, on_timer, c);
    return c;
}

void
crl_maker_free(struct crl_maker *c)
{
    if (c == NULL) {
        return;
    }
    event_free(c->timer);
    crl_list_free(&c->list);
    mem_free(c->path);
    mem_free(c);
}
