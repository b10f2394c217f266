/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   worker: manifest, lines, tree -> CA: its signer's role -> worker: documents, CHECK_CHUNK at a
 * time -> pump: WINDOW at a time through enlist.c, a row for each -> done
 *
 * Chunks and window leave the workers, the store and the link to network functions in between.
 */
#include "ra/admin/import.h"

#include <string.h>

#include "base/log.h"
#include "ca/registration/batch.h"
#include "ca/x509/pem.h"
#include "ra/admin/enlist.h"
#include "ra/queue/roles.h"

enum { CHECK_CHUNK = 100, WINDOW = 64 };

enum outcome { OUTCOME_REGISTERED, OUTCOME_KNOWN, OUTCOME_REFUSED, OUTCOME_BUSY, N_OUTCOMES };

static const char *const outcomes[] = {"registered", "known", "refused", "busy"};

struct slot {
    struct enlisting x;
    struct import *import;
    size_t i;
    struct slot *next; /* free ones */
};

struct import {
    struct import_request request;
    struct task task;
    struct buf manifest; /* DER */
    struct batch *batch;
    uint8_t signer[SHA256_SIZE]; /* of the manifest: its certificate's */
    struct role_waiter waiter;
    bool asked; /* who that is */
    size_t checked;
    size_t next; /* to be enlisted */
    size_t under_way;
    size_t count[N_OUTCOMES];
    struct slot slots[WINDOW];
    struct slot *free;
    int result;
    struct err e;
};

static void pump(struct import *m);

static void
import_free(struct import *m)
{
    batch_free(m->batch);
    buf_free(&m->manifest);
    buf_free(&m->request.manifest);
    buf_free(&m->request.text);
    mem_free(m);
}

static void
finish(struct import *m)
{
    json_t *summary = json_pack("{s:I}", "registrations", (json_int_t)batch_count(m->batch));

    for (size_t i = 0; i < N_OUTCOMES; i++) {
        (void)json_object_set_new(summary, outcomes[i], json_integer((json_int_t)m->count[i]));
    }
    log_event(LOG_INFO, "imported", "%zu registrations: %zu new, %zu known, %zu refused by %s",
              batch_count(m->batch), m->count[OUTCOME_REGISTERED], m->count[OUTCOME_KNOWN],
              m->count[OUTCOME_REFUSED] + m->count[OUTCOME_BUSY], m->request.who);
    m->request.done(m->request.arg, summary, NULL);
    import_free(m);
}

/* ---- one after the other ---- */

static enum outcome
outcome_of(const struct enlisting *x)
{
    if (x->result == 0) {
        return OUTCOME_REGISTERED;
    }
    return x->known ? OUTCOME_KNOWN : x->e.code == ERR_BUSY ? OUTCOME_BUSY : OUTCOME_REFUSED;
}

static json_t *
row_json(const struct slot *slot, enum outcome outcome)
{
    const struct registration_signed *s = slot->x.registration;
    json_t *row =
        json_pack("{s:I, s:s}", "index", (json_int_t)slot->i, "result", outcomes[outcome]);

    if (s != NULL) {
        (void)json_object_set_new(row, "id", json_string(s->id));
        (void)json_object_set_new(row, "nfInstanceId", json_string(s->content.nf.instance_id));
        (void)json_object_set_new(row, "proof",
                                  json_string(proof_kind_name(s->content.proof.kind)));
    }
    if (outcome == OUTCOME_REFUSED || outcome == OUTCOME_BUSY) {
        (void)json_object_set_new(row, "reason", json_string(slot->x.e.text));
    }
    if (outcome == OUTCOME_REGISTERED && s != NULL && s->content.proof.kind == PROOF_MAC) {
        (void)json_object_set_new(row, "reference", json_string(slot->x.reference));
        (void)json_object_set_new(row, "secret",
                                  json_stringn((const char *)slot->x.secret.p, slot->x.secret.n));
    }
    return row;
}

static void
slot_done(struct enlisting *x)
{
    struct slot *slot = CONTAINER_OF(x, struct slot, x);
    struct import *m = slot->import;
    enum outcome outcome = outcome_of(x);

    m->count[outcome]++;
    if (outcome == OUTCOME_REGISTERED) {
        log_event(LOG_INFO, "registered", "registration %s of %s by %s", x->registration->id,
                  x->registration->content.nf.instance_id, m->request.who);
    } else if (outcome != OUTCOME_KNOWN) {
        log_err(LOG_WARNING, "registration-refused", &x->e, "registrations[%zu] by %s", slot->i,
                m->request.who);
    }
    m->request.row(m->request.arg, row_json(slot, outcome));
    enlisting_clear(x);
    slot->next = m->free;
    m->free = slot;
    m->under_way--;
    pump(m);
}

static int
start(struct import *m, struct slot *slot)
{
    slot->x = (struct enlisting){
        .ra = m->request.ra, .done = slot_done, .input = BUF_INIT(REGISTRATION_MAX)};
    slot->i = m->next++;
    return batch_element(m->batch, buf_span(&m->manifest), slot->i, &slot->x.input, &slot->x.e);
}

/* enlist() calls back later, never from here. */
static void
pump(struct import *m)
{
    while (m->free != NULL && m->next < batch_count(m->batch)) {
        struct slot *slot = m->free;

        if (start(m, slot) != 0) {
            m->count[OUTCOME_REFUSED]++; /* longer than REGISTRATION_MAX */
            slot->x.result = -1;
            m->request.row(m->request.arg, row_json(slot, OUTCOME_REFUSED));
            enlisting_clear(&slot->x);
            continue;
        }
        m->free = slot->next;
        m->under_way++;
        enlist(&slot->x);
    }
    if (m->under_way == 0) {
        finish(m);
    }
}

/* ---- all or nothing ---- */

static int
open_batch(struct import *m)
{
    static const char *const labels[] = {"CMS", "PKCS7", NULL};
    const struct credentials *c = &m->request.ra->credentials;
    CLEANUP(x509_cleanup) X509 *signer = NULL;
    CLEANUP(buf_free) struct buf der = BUF_INIT(BATCH_MANIFEST_MAX);
    struct batch_manifest manifest;
    struct merkle_hash root;

    if (pem_unwrap(buf_span(&m->request.manifest), labels, "manifest", &m->manifest, &m->e) != 0 ||
        batch_manifest_verify(buf_span(&m->manifest), c->issuing, c->root, clock_now(),
                              m->request.ra->manifests, &manifest, &signer, &m->e) != 0 ||
        OSSL_ENCODE(X509, signer, &der, &m->e) != 0 ||
        sha256(buf_span(&der), m->signer, &m->e) != 0) {
        return -1;
    }
    m->batch = batch_new(buf_span(&m->request.text), &m->e);
    if (m->batch == NULL) {
        return -1;
    }
    if (batch_count(m->batch) != manifest.registrations) {
        return err_set(&m->e, ERR_INPUT,
                       "batch.registrations: the manifest says %llu, the file has %zu: not this "
                       "file was signed",
                       (unsigned long long)manifest.registrations, batch_count(m->batch));
    }
    root = batch_root(m->batch);
    return merkle_equal(&root, &manifest.root)
               ? 0
               : err_set(&m->e, ERR_INPUT,
                         "batch.root: the file was changed after the manifest was signed");
}

static int
check_some(struct import *m)
{
    size_t n = batch_count(m->batch);

    for (size_t i = 0; i < CHECK_CHUNK && m->checked < n; i++, m->checked++) {
        if (batch_check(m->batch, m->checked, NULL, &m->e) != 0) {
            return -1;
        }
    }
    return 0;
}

static void
check_run(struct task *task)
{
    struct import *m = CONTAINER_OF(task, struct import, task);

    m->result = m->batch == NULL ? open_batch(m) : check_some(m);
}

static void
refuse(struct import *m)
{
    m->request.done(m->request.arg, NULL, &m->e);
    import_free(m);
}

/* The CA refuses each registration of whoever is no registrar: then none is sent. When it does not
 * answer, each registration says so. */
static void
on_role(struct role_waiter *w, enum role role)
{
    struct import *m = CONTAINER_OF(w, struct import, waiter);

    if (role != ROLE_REGISTRAR && role != ROLE_UNKNOWN) {
        (void)err_set(&m->e, ERR_DENIED,
                      "manifest: the signer's role is %s by the CA's record: a registrar signs",
                      role_name(role));
        refuse(m);
        return;
    }
    pool_submit(m->request.ra->pool, &m->task);
}

static void
check_done(struct task *task)
{
    struct import *m = CONTAINER_OF(task, struct import, task);

    if (m->result != 0) {
        refuse(m);
    } else if (!m->asked) {
        m->asked = true;
        m->waiter.done = on_role;
        roles_ask(m->request.ra->roles, m->signer, true, &m->waiter);
    } else if (m->checked < batch_count(m->batch)) {
        pool_submit(m->request.ra->pool, &m->task);
    } else {
        pump(m);
    }
}

void
import_begin(struct import_request *request)
{
    struct import *m = mem_new(sizeof(*m));

    m->request = *request;
    request->manifest = (struct buf){0};
    request->text = (struct buf){0};
    m->manifest = BUF_INIT(BATCH_MANIFEST_MAX);
    for (size_t i = 0; i < WINDOW; i++) {
        m->slots[i].import = m;
        m->slots[i].next = m->free;
        m->free = &m->slots[i];
    }
    m->task = (struct task){.run = check_run, .done = check_done};
    pool_submit(request->ra->pool, &m->task);
}
