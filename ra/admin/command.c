/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   register: enlist.c
 *   import:   import.c
 *   cancel:   cancel.c
 *   status:   status.c
 */
#include "ra/admin/command.h"

#include <ctype.h>
#include <string.h>

#include "base/log.h"
#include "base/ossl.h"
#include "ca/link/msg.h"
#include "ra/admin/cancel.h"
#include "ra/admin/enlist.h"
#include "ra/admin/import.h"
#include "ra/admin/status.h"
#include "ra/report/report.h"

struct command {
    struct store_op op;
    struct ra *ra;
    struct command_request request;
    struct command_door door;
    json_t *answer;
    struct err e;
    struct enlisting enlisting;
    struct cancelling cancelling;
    size_t rows; /* list */
    char last[REQUESTS_ID_SIZE];
};

static void
command_free(struct command *c)
{
    c->ra->jobs--;
    json_decref(c->answer);
    buf_free(&c->request.document);
    buf_free(&c->request.manifest);
    enlisting_clear(&c->enlisting);
    cancelling_clear(&c->cancelling);
    mem_free(c);
}

/* What changes nothing is told to nobody. */
static const char *
told_name(const struct command *c)
{
    switch (c->request.kind) {
    case COMMAND_REGISTER:
        return "register";
    case COMMAND_CANCEL:
        return "cancel";
    case COMMAND_IMPORT:
        return "import";
    case COMMAND_BUNDLE: /* shows nothing that is secret */
    case COMMAND_LIST:
    case COMMAND_SHOW:
    case COMMAND_HELD:
    case COMMAND_STATUS:
        break;
    }
    return NULL;
}

static void
tell(const struct command *c, bool done)
{
    const char *object = NULL;

    if (c->enlisting.registration != NULL) {
        object = c->enlisting.registration->id;
    } else if (c->cancelling.cancellation != NULL) {
        object = c->cancelling.cancellation->content.registration;
    }
    if (told_name(c) != NULL) {
        report_did(c->ra->report, told_name(c), done, object, c->request.who);
    }
}

static void
refuse(struct command *c, const struct err *why)
{
    tell(c, false);
    log_err(LOG_WARNING, "command-refused", why, "%s", c->request.who);
    c->door.refuse(c->door.arg, why);
    if (ra_store_is_lost(why)) {
        ra_fail(c->ra, why);
    }
    command_free(c);
}

static void
answer(struct command *c, json_t *object)
{
    tell(c, true);
    c->door.answer(c->door.arg, object);
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

static json_t *
row_json(const struct requests_registration *r, int64_t now)
{
    char registered[TIME_TEXT_SIZE];
    char not_after[TIME_TEXT_SIZE];
    json_t *o;

    time_format((time_t)r->registered, registered);
    time_format((time_t)r->not_after, not_after);
    o = json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:s}", "id", r->id, "nfInstanceId",
                  r->nf_instance, "proof", proof_kind_name((enum proof_kind)r->proof), "state",
                  requests_standing_name(requests_registration_standing(r, now)), "used", r->used,
                  "certificates", r->certificates, "registered", registered, "notAfter", not_after);
    if (r->reference[0] != '\0') {
        (void)json_object_set_new(o, "reference", json_string(r->reference));
    }
    return o;
}

static void
list_visit(void *arg, const struct requests_registration *r)
{
    struct command *c = arg;

    (void)json_array_append_new(json_object_get(c->answer, "registrations"),
                                row_json(r, c->request.filter.now));
    c->rows++;
    memcpy(c->last, r->id, sizeof(c->last));
}

static int
list_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct command *c = CONTAINER_OF(op, struct command, op);
    const struct requests_filter *filter = &c->request.filter;
    int open = 0;

    if (requests_count_open(db, &open, e) != 0) {
        return -1;
    }
    c->answer = json_pack("{s:[], s:i}", "registrations", "queued", open);
    if (requests_registration_each(db, filter, list_visit, c, e) != 0) {
        return -1;
    }
    if (c->rows == (size_t)filter->limit) {
        (void)json_object_set_new(c->answer, "next", json_string(c->last));
    }
    return 0;
}

static int
show_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct command *c = CONTAINER_OF(op, struct command, op);
    CLEANUP(requests_registration_clear) struct requests_registration r = {0};
    const char *id = c->request.id;
    bool found = false;

    if (requests_registration_by_id(db, id, &r, &found, e) != 0) {
        return -1;
    }
    if (!found) {
        return err_set(e, ERR_NOTFOUND, "no registration %s; 'list' shows them all", id);
    }
    c->answer = row_json(&r, clock_now());
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
    answer(c, TAKE(c->answer));
}

static int
held_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct command *c = CONTAINER_OF(op, struct command, op);

    c->answer = held_answer(db, &c->request.page, e);
    return c->answer == NULL ? -1 : 0;
}

static int
status_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct command *c = CONTAINER_OF(op, struct command, op);

    c->answer = status_stored(db, e);
    return c->answer == NULL ? -1 : 0;
}

static void
status_done(struct task *task)
{
    struct command *c = command_of_op(task);

    if (c->op.result == 0) {
        status_complete(c->ra, c->answer);
    }
    answer_done(task);
}

/* ---- bundle ---- */

static void
set_base64(json_t *object, const char *name, struct span octets)
{
    CLEANUP(mem_cleanup) char *text = base64_dup(octets);

    (void)json_object_set_new(object, name, json_string(text));
}

static int
bundle_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct command *c = CONTAINER_OF(op, struct command, op);
    const struct settings *s = c->ra->settings;
    const struct credentials *credentials = &c->ra->credentials;
    json_t *urls;

    if (s->public_url.n == 0) {
        return err_set(e, ERR_DENIED,
                       "a bundle says where to ask: set 'public_url' in nfpki-ra.conf");
    }
    if (show_run(op, db, e) != 0) {
        return -1;
    }
    urls = json_array();
    for (size_t i = 0; i < s->public_url.n; i++) {
        (void)json_array_append_new(urls, json_string(s->public_url.items[i]));
    }
    (void)json_object_set_new(c->answer, "publicUrls", urls);
    set_base64(c->answer, "root", buf_span(&credentials->root_der));
    set_base64(c->answer, "issuing", buf_span(&credentials->issuing_der));
    set_base64(c->answer, "ra", buf_span(&credentials->certificate_der));
    if (credentials->tls_root.n > 0) {
        (void)json_object_set_new(
            c->answer, "tlsRoot",
            json_stringn((const char *)credentials->tls_root.p, credentials->tls_root.n));
    }
    return 0;
}

/* ---- cancel ---- */

static void
cancel_finished(struct cancelling *x)
{
    struct command *c = CONTAINER_OF(x, struct command, cancelling);
    const char *id;

    if (x->result != 0) {
        refuse(c, &x->e);
        return;
    }
    id = x->cancellation->content.registration;
    log_event(LOG_INFO, "cancelled", "registration %s by %s", id, c->request.who);
    answer(c, json_pack("{s:s}", "id", id));
}

/* ---- register ---- */

static void
register_done(struct enlisting *x)
{
    struct command *c = CONTAINER_OF(x, struct command, enlisting);
    const struct registration *r;
    json_t *object;

    if (x->result != 0) {
        refuse(c, &x->e);
        return;
    }
    r = &x->registration->content;
    log_event(LOG_INFO, "registered", "registration %s of %s by %s", x->registration->id,
              r->nf.instance_id, c->request.who);
    object = json_pack("{s:s, s:s, s:s}", "id", x->registration->id, "nfInstanceId",
                       r->nf.instance_id, "proof", proof_kind_name(r->proof.kind));
    if (r->proof.kind == PROOF_MAC) {
        (void)json_object_set_new(object, "reference", json_string(x->reference));
        (void)json_object_set_new(object, "secret",
                                  json_stringn((const char *)x->secret.p, x->secret.n));
    }
    answer(c, object);
}

/* ---- import ---- */

static void
import_row(void *arg, json_t *row)
{
    struct command *c = arg;

    c->door.row(c->door.arg, row);
}

static void
import_done(void *arg, json_t *summary, const struct err *why)
{
    struct command *c = arg;

    if (why != NULL) {
        refuse(c, why);
        return;
    }
    answer(c, summary);
}

static void
begin_import(struct command *c)
{
    struct import_request r = {.ra = c->ra,
                               .manifest = c->request.manifest,
                               .text = c->request.document,
                               .who = c->request.who,
                               .row = import_row,
                               .done = import_done,
                               .arg = c};

    c->request.manifest = c->request.document = (struct buf){0};
    import_begin(&r);
}

int
command_parse_id(const char *text, char id[REQUESTS_ID_SIZE], struct err *e)
{
    uint8_t octets[LINK_REGISTRATION_SIZE];

    if (text == NULL || hex_parse(text, octets, sizeof(octets), e) != 0) {
        return err_set(e, ERR_INPUT, "id: must be the 32 hexadecimal digits of a registration");
    }
    hex_format(span_of(octets, sizeof(octets)), id);
    return 0;
}

/* As the registrations have it: lower case. */
static int
uuid_copy(const char *text, char out[REQUESTS_NF_SIZE], struct err *e)
{
    size_t n = strlen(text);

    if (n != REQUESTS_NF_SIZE - 1) {
        return err_set(e, ERR_INPUT, "nfInstanceId: must be a UUID");
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = (char)tolower((unsigned char)text[i]);
    }
    out[n] = '\0';
    return 0;
}

int
command_parse_filter(const char *state, const char *nf_instance, const char *after, int64_t limit,
                     struct requests_filter *out, struct err *e)
{
    *out = (struct requests_filter){.limit = (int)limit};
    if (limit < 1 || limit > COMMAND_PAGE_MAX) {
        return err_set(e, ERR_INPUT, "limit: must be 1..%d", (int)COMMAND_PAGE_MAX);
    }
    for (int s = REQUESTS_OPEN; state != NULL && s <= REQUESTS_CANCELLED; s++) {
        if (strcmp(state, requests_standing_name((enum requests_standing)s)) == 0) {
            out->standing = (enum requests_standing)s;
        }
    }
    if (state != NULL && out->standing == REQUESTS_ANY) {
        return err_set(e, ERR_INPUT, "state: must be open, used, expired or cancelled");
    }
    if (nf_instance != NULL && uuid_copy(nf_instance, out->nf_instance, e) != 0) {
        return -1;
    }
    return after == NULL || command_parse_id(after, out->after, e) == 0
               ? 0
               : err_set(e, ERR_INPUT, "after: must be the id of a registration");
}

void
command_run(struct ra *ra, struct command_request *request, const struct command_door *door)
{
    struct command *c = mem_new(sizeof(*c));

    c->ra = ra;
    c->request = *request;
    request->document = request->manifest = (struct buf){0};
    c->door = *door;
    ra->jobs++;
    switch (request->kind) {
    case COMMAND_REGISTER:
        c->enlisting.ra = ra;
        c->enlisting.done = register_done;
        buf_move(&c->enlisting.input, &c->request.document);
        enlist(&c->enlisting);
        break;
    case COMMAND_LIST:
        c->request.filter.now = clock_now();
        on_store(c, list_run, answer_done);
        break;
    case COMMAND_BUNDLE:
        on_store(c, bundle_run, answer_done);
        break;
    case COMMAND_SHOW:
        on_store(c, show_run, answer_done);
        break;
    case COMMAND_HELD:
        on_store(c, held_run, answer_done);
        break;
    case COMMAND_STATUS:
        on_store(c, status_run, status_done);
        break;
    case COMMAND_IMPORT:
        begin_import(c);
        break;
    case COMMAND_CANCEL:
        c->cancelling.ra = ra;
        c->cancelling.done = cancel_finished;
        buf_move(&c->cancelling.input, &c->request.document);
        cancel(&c->cancelling);
        break;
    }
}
