/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   worker verifies -> store: known already? -> link REGISTER -> store: insert -> done
 *
 * A kill between the CA's REGISTERED and our insert is mended by registering the same file again:
 * its id is the hash of its octets, so the CA gives the same answer (PROTOCOL.md).
 */
#include "ra/admin/enlist.h"

#include <string.h>

#include "ca/cmp/message/failure.h"
#include "ca/link/msg.h"
#include "ra/queue/queue.h"

void
enlisting_clear(struct enlisting *x)
{
    buf_free(&x->input);
    buf_free(&x->secret);
    registration_signed_free(x->registration);
    x->registration = NULL;
}

static void
end(struct enlisting *x, int result)
{
    x->result = result;
    if (result != 0 && ra_store_is_lost(&x->e)) {
        ra_fail(x->ra, &x->e);
    }
    x->done(x);
}

static struct enlisting *
enlisting_of_op(struct task *task)
{
    return CONTAINER_OF(task, struct enlisting, op.task);
}

static void
on_store(struct enlisting *x, int (*run)(struct store_op *, struct store_db *, struct err *),
         void (*done)(struct task *))
{
    x->op = (struct store_op){.task.done = done, .run = run};
    store_submit(x->ra->store, &x->op);
}

/* What it pins; nothing for a MAC. */
static int
fill_pins(const struct enlisting *x, struct requests_registration *row, struct err *e)
{
    const struct proof *proof = &x->registration->content.proof;
    struct span sha256 = span_of(proof->sha256, sizeof(proof->sha256));

    row->fingerprint = BUF_INIT(SHA256_SIZE);
    row->public_key = BUF_INIT(SHA256_SIZE);
    switch (proof->kind) {
    case PROOF_MAC:
        return 0;
    case PROOF_CERTIFICATE:
        return buf_set(&row->fingerprint, sha256, e);
    case PROOF_PUBLIC_KEY:
        return buf_set(&row->public_key, sha256, e);
    case PROOF_VENDOR:
        break;
    }
    row->issuer = mem_strdup(proof->issuer);
    row->subject = mem_strdup(proof->subject);
    return 0;
}

static int
fill_secret(const struct enlisting *x, struct requests_registration *row, struct err *e)
{
    row->sealed = BUF_INIT(SEAL_OVERHEAD + SEAL_SECRET_SIZE);
    if (x->registration->content.proof.kind != PROOF_MAC) {
        return 0;
    }
    memcpy(row->reference, x->reference, sizeof(x->reference));
    return seal_close(buf_span(&x->ra->seal_key), row->id, buf_span(&x->secret), &row->sealed, e);
}

static int
insert_run(struct store_op *op, struct store_db *db, struct err *e)
{
    const struct enlisting *x = CONTAINER_OF(op, struct enlisting, op);
    CLEANUP(requests_registration_clear) struct requests_registration row = {0};
    const struct registration_signed *s = x->registration;

    memcpy(row.id, s->id, sizeof(row.id));
    memcpy(row.nf_instance, s->content.nf.instance_id, sizeof(row.nf_instance));
    row.proof = (int)s->content.proof.kind;
    row.not_after = s->content.not_after;
    row.certificates = s->content.certificates;
    row.registered = clock_now();
    row.cms = BUF_INIT(REGISTRATION_MAX);
    row.json = BUF_INIT(REGISTRATION_JSON_MAX);
    if (buf_set(&row.cms, buf_span(&s->cms), e) != 0 ||
        buf_set(&row.json, buf_span(&s->json), e) != 0 || fill_pins(x, &row, e) != 0 ||
        fill_secret(x, &row, e) != 0) {
        return -1;
    }
    return requests_register(db, &row, e);
}

static void
insert_done(struct task *task)
{
    struct enlisting *x = enlisting_of_op(task);

    if (x->op.result != 0) {
        x->e = x->op.e;
    }
    end(x, x->op.result);
}

static void
on_reply(void *arg, const struct link_message *answer)
{
    struct enlisting *x = arg;

    if (answer != NULL && answer->type == LINK_REGISTERED) {
        on_store(x, insert_run, insert_done);
        return;
    }
    if (answer != NULL && answer->type == LINK_REFUSED) {
        (void)err_set(&x->e,
                      answer->fail_info == CMP_DUPLICATE_CERT_REQ ? ERR_CONFLICT : ERR_DENIED,
                      "the CA says: %.*s", (int)answer->phrase.n, (const char *)answer->phrase.p);
    } else {
        (void)err_set(&x->e, ERR_BUSY, "the CA did not answer: repeat the command");
    }
    end(x, -1);
}

static int
known_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct enlisting *x = CONTAINER_OF(op, struct enlisting, op);
    CLEANUP(requests_registration_clear) struct requests_registration r = {0};
    CLEANUP(requests_registration_clear) struct requests_registration pins = {0};

    if (requests_registration_by_id(db, x->registration->id, &r, &x->known, e) != 0 ||
        fill_pins(x, &pins, e) != 0) {
        return -1;
    }
    memcpy(pins.nf_instance, x->registration->content.nf.instance_id, sizeof(pins.nf_instance));
    return requests_registration_proven(db, &pins, clock_now(), x->proven, &x->is_proven, e);
}

static void
refuse_known(struct enlisting *x)
{
    (void)err_set(&x->e, ERR_CONFLICT,
                  "this file is registered already as %s; its secret was shown then and is not "
                  "shown again: cancel it and sign a new one",
                  x->registration->id);
    end(x, -1);
}

/* As the CA would. */
static void
refuse_proven(struct enlisting *x)
{
    (void)err_set(&x->e, ERR_CONFLICT,
                  "the proof is that of the live registration %s: cancel that, or register another "
                  "proof",
                  x->proven);
    end(x, -1);
}

static void
known_done(struct task *task)
{
    struct enlisting *x = enlisting_of_op(task);
    struct link_message m = {.type = LINK_REGISTER, .id = span_of(x->hash, sizeof(x->hash))};

    if (x->op.result != 0) {
        x->e = x->op.e;
        end(x, -1);
        return;
    }
    if (x->known) {
        refuse_known(x);
        return;
    }
    if (x->is_proven) {
        refuse_proven(x);
        return;
    }
    m.body = buf_span(&x->registration->cms);
    if (queue_ask(x->ra->queue, &m, on_reply, x, &x->e) != 0) {
        end(x, -1);
    }
}

static int
verify(struct enlisting *x)
{
    const struct credentials *credentials = &x->ra->credentials;
    enum proof_kind kind;

    x->registration =
        registration_verify(buf_span(&x->input), credentials->issuing, credentials->root,
                            clock_now(), &x->ra->registration_rules, x->ra->manifests, &x->e);
    if (x->registration == NULL) {
        return -1;
    }
    kind = x->registration->content.proof.kind;
    if (kind == PROOF_VENDOR && !trust_has_initial(credentials->trust)) {
        return err_set(
            &x->e, ERR_DENIED,
            "proof kind vendor needs 'vendor_roots' or a trust section in nfpki-ra.conf");
    }
    if (kind == PROOF_MAC && (seal_make_secret(&x->secret, &x->e) != 0 ||
                              seal_make_reference(x->reference, &x->e) != 0)) {
        return -1;
    }
    return sha256(buf_span(&x->registration->cms), x->hash, &x->e);
}

static void
verify_run(struct task *task)
{
    struct enlisting *x = CONTAINER_OF(task, struct enlisting, task);

    x->result = verify(x);
}

static void
verify_done(struct task *task)
{
    struct enlisting *x = CONTAINER_OF(task, struct enlisting, task);

    if (x->result != 0) {
        end(x, -1);
        return;
    }
    on_store(x, known_run, known_done);
}

void
enlist(struct enlisting *x)
{
    x->secret = BUF_SECRET(SEAL_SECRET_SIZE);
    x->task = (struct task){.run = verify_run, .done = verify_done};
    pool_submit(x->ra->pool, &x->task);
}
