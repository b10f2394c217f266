/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   register: worker verifies -> store: known already? -> link REGISTER -> store: insert -> answer
 *   cancel:   store: cancel here -> link CANCEL -> answer
 *
 * A kill between the CA's REGISTERED and our insert is mended by registering the same file again:
 * its id is the hash of its octets, so the CA gives the same answer (PROTOCOL.md).
 */
#include "ra/register.h"

#include <string.h>

#include "base/log.h"
#include "base/ossl.h"
#include "ca/link/msg.h"
#include "ca/registration/registration.h"
#include "db/requests.h"
#include "ra/queue.h"
#include "ra/seal.h"

enum { LIST_MAX = 10000 };

struct command {
    struct task task;
    struct store_op op;
    struct ra *ra;
    struct admin_call *call;
    json_t *answer;
    struct err e;
    int result;
    /* register */
    struct buf input;
    struct registration_signed *registration;
    struct buf secret;
    char reference[SEAL_REFERENCE_SIZE + 1];
    uint8_t hash[SHA256_SIZE];
    bool known;
    /* show, cancel */
    char id[REQUESTS_ID_SIZE];
};

static void
command_free(struct command *c)
{
    json_decref(c->answer);
    buf_free(&c->input);
    buf_free(&c->secret);
    registration_signed_free(c->registration);
    mem_free(c);
}

static void
refuse(struct command *c, const struct err *why)
{
    log_err(LOG_WARNING, "command-refused", why, "user %u", admin_caller(c->call));
    admin_refuse(c->call, why);
    if (why->code == ERR_STORE) {
        ra_fail(c->ra, why);
    }
    command_free(c);
}

static void
on_store(struct command *c, int (*run)(struct store_op *, struct store_db *, struct err *),
         void (*done)(struct task *))
{
    c->op = (struct store_op){.task.done = done, .run = run};
    store_submit(c->ra->store, &c->op);
}

static struct command *
command_of_op(struct task *task)
{
    return CONTAINER_OF(task, struct command, op.task);
}

/* ---- list and show ---- */

static const char *
registration_state(const struct requests_registration *r)
{
    if (r->cancelled) {
        return "cancelled";
    }
    return r->used >= r->certificates ? "used" : "open";
}

static json_t *
row_json(const struct requests_registration *r)
{
    char registered[TIME_TEXT_SIZE];
    char not_after[TIME_TEXT_SIZE];
    json_t *o;

    time_format((time_t)r->registered, registered);
    time_format((time_t)r->not_after, not_after);
    o = json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:s}", "id", r->id, "nfInstanceId",
                  r->nf_instance, "proof", proof_kind_name((enum proof_kind)r->proof), "state",
                  registration_state(r), "used", r->used, "certificates", r->certificates,
                  "registered", registered, "notAfter", not_after);
    if (r->reference[0] != '\0') {
        (void)json_object_set_new(o, "reference", json_string(r->reference));
    }
    return o;
}

static void
list_visit(void *arg, const struct requests_registration *r)
{
    (void)json_array_append_new(arg, row_json(r));
}

static int
list_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct command *c = CONTAINER_OF(op, struct command, op);
    json_t *rows = json_array();
    int open = 0;

    c->answer = json_object();
    (void)json_object_set_new(c->answer, "registrations", rows);
    if (requests_count_open(db, &open, e) != 0) {
        return -1;
    }
    (void)json_object_set_new(c->answer, "queued", json_integer(open));
    return requests_registration_each(db, LIST_MAX, list_visit, rows, e);
}

static int
show_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct command *c = CONTAINER_OF(op, struct command, op);
    CLEANUP(requests_registration_clear) struct requests_registration r = {0};
    bool found = false;

    if (requests_registration_by_id(db, c->id, &r, &found, e) != 0) {
        return -1;
    }
    if (!found) {
        return err_set(e, ERR_NOTFOUND, "no registration %s; 'list' shows them all", c->id);
    }
    c->answer = row_json(&r);
    (void)json_object_set_new(
        c->answer, "registration",
        json_loadb((const char *)r.json.p, r.json.n, JSON_REJECT_DUPLICATES, NULL));
    return 0;
}

static void
answer_done(struct task *task)
{
    struct command *c = command_of_op(task);

    if (c->op.result != 0) {
        refuse(c, &c->op.e);
        return;
    }
    admin_answer(c->call, TAKE(c->answer));
    command_free(c);
}

/* ---- cancel ---- */

static void
cancel_replied(void *arg, const struct link_message *answer)
{
    struct command *c = arg;
    struct err e;

    if (answer != NULL && answer->type == LINK_CANCELLED) {
        log_event(LOG_INFO, "cancelled", "registration %s by user %u", c->id,
                  admin_caller(c->call));
        admin_answer(c->call, json_pack("{s:s}", "id", c->id));
        command_free(c);
        return;
    }
    if (answer != NULL && answer->type == LINK_REFUSED) {
        (void)err_set(&e, ERR_DENIED, "cancelled here, but the CA says: %.*s",
                      (int)answer->phrase.n, (const char *)answer->phrase.p);
    } else {
        (void)err_set(&e, ERR_BUSY,
                      "cancelled here, but the CA did not answer: repeat the command");
    }
    refuse(c, &e);
}

static int
cancel_run(struct store_op *op, struct store_db *db, struct err *e)
{
    return requests_cancel(db, CONTAINER_OF(op, struct command, op)->id, e);
}

static void
cancel_done(struct task *task)
{
    struct command *c = command_of_op(task);
    uint8_t id[LINK_REGISTRATION_SIZE] = {0};
    const struct link_message m = {.type = LINK_CANCEL, .id = span_of(id, sizeof(id))};

    if (c->op.result != 0) {
        refuse(c, &c->op.e);
    } else if (hex_parse(c->id, id, sizeof(id), &c->e) != 0) {
        refuse(c, &c->e);
    } else if (queue_ask(c->ra->queue, &m, cancel_replied, c, &c->e) != 0) {
        (void)err_wrap(&c->e, "cancelled here, but not at the CA, repeat the command");
        refuse(c, &c->e);
    }
}

/* ---- register ---- */

static int
insert_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct command *c = CONTAINER_OF(op, struct command, op);
    CLEANUP(requests_registration_clear) struct requests_registration row = {0};
    const struct registration_signed *s = c->registration;
    const struct proof *proof = &s->content.proof;

    memcpy(row.id, s->id, sizeof(row.id));
    memcpy(row.nf_instance, s->content.nf.instance_id, sizeof(row.nf_instance));
    row.proof = (int)proof->kind;
    row.not_after = s->content.not_after;
    row.certificates = s->content.certificates;
    row.registered = clock_now();
    row.cms = BUF_INIT(REGISTRATION_MAX);
    row.json = BUF_INIT(REGISTRATION_JSON_MAX);
    row.sealed = BUF_INIT(SEAL_OVERHEAD + SEAL_SECRET_SIZE);
    row.fingerprint = BUF_INIT(SHA256_SIZE);
    row.public_key = BUF_INIT(SHA256_SIZE);
    if (buf_set(&row.cms, buf_span(&s->cms), e) != 0 ||
        buf_set(&row.json, buf_span(&s->json), e) != 0) {
        return -1;
    }
    if (proof->kind == PROOF_MAC) {
        memcpy(row.reference, c->reference, sizeof(c->reference));
        if (seal_close(buf_span(&c->ra->seal_key), row.id, buf_span(&c->secret), &row.sealed, e) !=
            0) {
            return -1;
        }
    } else if (proof->kind == PROOF_CERTIFICATE) {
        if (buf_set(&row.fingerprint, span_of(proof->sha256, sizeof(proof->sha256)), e) != 0) {
            return -1;
        }
    } else if (proof->kind == PROOF_PUBLIC_KEY) {
        if (buf_set(&row.public_key, span_of(proof->sha256, sizeof(proof->sha256)), e) != 0) {
            return -1;
        }
    } else if (proof->kind == PROOF_VENDOR) {
        row.issuer = mem_strdup(proof->issuer);
        row.subject = mem_strdup(proof->subject);
    }
    return requests_register(db, &row, e);
}

static void
insert_done(struct task *task)
{
    struct command *c = command_of_op(task);
    const struct registration *r = &c->registration->content;
    json_t *answer;

    if (c->op.result != 0) {
        refuse(c, &c->op.e);
        return;
    }
    log_event(LOG_INFO, "registered", "registration %s of %s by user %u", c->registration->id,
              r->nf.instance_id, admin_caller(c->call));
    answer = json_pack("{s:s, s:s, s:s}", "id", c->registration->id, "nfInstanceId",
                       r->nf.instance_id, "proof", proof_kind_name(r->proof.kind));
    if (r->proof.kind == PROOF_MAC) {
        (void)json_object_set_new(answer, "reference", json_string(c->reference));
        (void)json_object_set_new(answer, "secret",
                                  json_stringn((const char *)c->secret.p, c->secret.n));
    }
    admin_answer(c->call, answer);
    command_free(c);
}

static void
register_replied(void *arg, const struct link_message *answer)
{
    struct command *c = arg;

    if (answer != NULL && answer->type == LINK_REGISTERED) {
        on_store(c, insert_run, insert_done);
        return;
    }
    if (answer != NULL && answer->type == LINK_REFUSED) {
        (void)err_set(&c->e, ERR_DENIED, "the CA says: %.*s", (int)answer->phrase.n,
                      (const char *)answer->phrase.p);
    } else {
        (void)err_set(&c->e, ERR_BUSY, "the CA did not answer: repeat the command");
    }
    refuse(c, &c->e);
}

static int
known_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct command *c = CONTAINER_OF(op, struct command, op);
    CLEANUP(requests_registration_clear) struct requests_registration r = {0};

    return requests_registration_by_id(db, c->registration->id, &r, &c->known, e);
}

static void
known_done(struct task *task)
{
    struct command *c = command_of_op(task);
    struct link_message m = {.type = LINK_REGISTER, .id = span_of(c->hash, sizeof(c->hash))};

    if (c->op.result != 0) {
        refuse(c, &c->op.e);
        return;
    }
    if (c->known) {
        (void)err_set(&c->e, ERR_CONFLICT,
                      "this file is registered already as %s; its secret was shown then and is not "
                      "shown again: cancel it and sign a new one",
                      c->registration->id);
        refuse(c, &c->e);
        return;
    }
    m.body = buf_span(&c->registration->cms);
    if (queue_ask(c->ra->queue, &m, register_replied, c, &c->e) != 0) {
        refuse(c, &c->e);
    }
}

static void
verify_run(struct task *task)
{
    struct command *c = CONTAINER_OF(task, struct command, task);
    const struct credentials *credentials = &c->ra->credentials;
    enum proof_kind kind;

    c->result = -1;
    c->registration = registration_verify(buf_span(&c->input), credentials->issuing,
                                          credentials->root, clock_now(), NULL, &c->e);
    if (c->registration == NULL) {
        return;
    }
    kind = c->registration->content.proof.kind;
    if (kind == PROOF_VENDOR && !trust_has_initial(credentials->trust)) {
        (void)err_set(&c->e, ERR_DENIED, "proof kind vendor needs 'vendor_roots' in nfpki-ra.conf");
        return;
    }
    c->secret = BUF_SECRET(SEAL_SECRET_SIZE);
    if (sha256(buf_span(&c->registration->cms), c->hash, &c->e) != 0 ||
        seal_make_secret(&c->secret, &c->e) != 0 || seal_make_reference(c->reference, &c->e) != 0) {
        return;
    }
    c->result = 0;
}

static void
verify_done(struct task *task)
{
    struct command *c = CONTAINER_OF(task, struct command, task);

    if (c->result != 0) {
        refuse(c, &c->e);
        return;
    }
    on_store(c, known_run, known_done);
}

static void
begin_register(struct command *c, const json_t *request)
{
    const char *text = json_string_value(json_object_get(request, "cms"));

    c->input = BUF_INIT(REGISTRATION_MAX);
    if (text == NULL) {
        (void)err_set(&c->e, ERR_INPUT, "register: \"cms\" (base64) is missing");
        refuse(c, &c->e);
        return;
    }
    if (base64_parse(text, &c->input, &c->e) != 0) {
        (void)err_wrap(&c->e, "register");
        refuse(c, &c->e);
        return;
    }
    c->task = (struct task){.run = verify_run, .done = verify_done};
    pool_submit(c->ra->pool, &c->task);
}

/* "id" of the request into c->id. */
static int
take_id(struct command *c, const json_t *request)
{
    const char *id = json_string_value(json_object_get(request, "id"));
    uint8_t octets[LINK_REGISTRATION_SIZE];

    if (id == NULL || hex_parse(id, octets, sizeof(octets), &c->e) != 0) {
        return err_set(&c->e, ERR_INPUT, "\"id\" must be the 32 hex digits of a registration");
    }
    hex_format(span_of(octets, sizeof(octets)), c->id);
    return 0;
}

void
register_handle(void *arg, struct admin_call *call, const char *command, const json_t *request)
{
    struct command *c = mem_zalloc(1, sizeof(*c));

    c->ra = arg;
    c->call = call;
    if (strcmp(command, "register") == 0) {
        begin_register(c, request);
    } else if (strcmp(command, "list") == 0) {
        on_store(c, list_run, answer_done);
    } else if (strcmp(command, "show") == 0 || strcmp(command, "cancel") == 0) {
        if (take_id(c, request) != 0) {
            refuse(c, &c->e);
        } else if (command[0] == 's') {
            on_store(c, show_run, answer_done);
        } else {
            on_store(c, cancel_run, cancel_done);
        }
    } else {
        (void)err_set(&c->e, ERR_INPUT, "unknown command");
        refuse(c, &c->e);
    }
}
