/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/message/der.h"
#include "ca/x509/pubkey.h"
#include "tests/support/der_edit.h"
#include "tests/unit/ra/fixture.h"

/* ---- messages ---- */

struct cmp_client
fixture_mac(struct fixture *f, const char *reference)
{
    return (struct cmp_client){.reference = reference,
                               .secret = SPAN_LITERAL(FIXTURE_SECRET),
                               .algorithm = buf_span(&f->pbm)};
}

struct cmp_client
fixture_signer(struct fixture *f, X509 *certificate, EVP_PKEY *key)
{
    (void)f;
    return (struct cmp_client){.certificate = certificate, .key = key};
}

static void
header_of(struct fixture *f, const struct fixture_message *m, struct cmp_client_state *state,
          struct cmp_header *h)
{
    if (m->time != -1) {
        h->time = m->time != 0 ? m->time : f->now;
    } else {
        h->time = 0;
    }
    if (m->kid.p != NULL) {
        h->sender_kid = m->kid;
    }
    if (m->around != NULL) {
        h->transaction_id = cmp_msg_transaction_id(m->around);
        h->sender_nonce = cmp_msg_sender_nonce(m->around);
        h->recip_nonce = cmp_msg_recip_nonce(m->around);
    }
    if (m->later) {
        h->implicit_confirm = false;
        h->info_oid = NULL;
        h->transaction_id = span_of(state->transaction_id, CMP_NONCE_SIZE);
        h->recip_nonce = span_of(state->recip_nonce, state->recip_nonce_size);
    } else if (state != NULL) {
        memcpy(state->transaction_id, h->transaction_id.p, CMP_NONCE_SIZE);
    }
    if (state != NULL) {
        memcpy(state->sender_nonce, h->sender_nonce.p, h->sender_nonce.n);
        state->sender_nonce_size = h->sender_nonce.n;
    }
}

/* The ProtectedPart with its one other element. */
static void
edit_part(const struct fixture_message *m, struct buf *part)
{
    CLEANUP(buf_free) struct buf edited = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    if (m->edit != NULL) {
        assert_ok(der_edit(buf_span(part), m->edit, m->with, &edited, &e), &e);
        assert_ok(buf_set(part, buf_span(&edited), &e), &e);
    }
}

/* PKIMessage { header, body } of a ProtectedPart is that. */
static void
protect(const struct cmp_client *c, const struct fixture_message *m, struct span part,
        struct buf *out)
{
    struct err e = {0};

    *out = BUF_INIT(CMP_MESSAGE_MAX);
    if (m->unprotected) {
        assert_ok(buf_set(out, part, &e), &e);
        return;
    }
    assert_ok(cmp_client_protect(c, part, m->extra, m->n_extra, out, &e), &e);
}

/* Of `protection [0] BIT STRING`, the third field. */
static void
damage(struct buf *message)
{
    struct span protection = der_at(buf_span(message), "2.0");

    assert_true(protection.n > 0);
    message->p[(size_t)(protection.p - message->p) + protection.n - 1] ^= 1;
}

struct buf
fixture_message(struct fixture *f, const struct cmp_client *c, struct span body,
                const struct fixture_message *m, struct cmp_client_state *state)
{
    CLEANUP(x509_name_cleanup) X509_NAME *name = NULL;
    CLEANUP(buf_free) struct buf recipient = {0};
    CLEANUP(buf_free) struct buf part = BUF_INIT(CMP_MESSAGE_MAX);
    static const struct fixture_message usual;
    struct buf out = {0};
    struct span algorithm = c->algorithm;
    const EVP_MD *md;
    struct cmp_header h;
    struct err e = {0};

    m = m == NULL ? &usual : m;
    assert_ok(cmp_header_first(&h, &e), &e);
    assert_ok(cmp_client_header(c, &h, &name, &recipient, &e), &e);
    if (c->certificate != NULL) {
        assert_ok(pubkey_signature_algorithm(c->key, &algorithm, &md, &e), &e);
    }
    h.algorithm = m->unprotected ? (struct span){0} : algorithm;
    h.pvno = c->pvno != 0 ? c->pvno : h.pvno;
    header_of(f, m, state, &h);
    assert_ok(cmp_build_part(&h, body, &part, &e), &e);
    edit_part(m, &part);
    protect(c, m, buf_span(&part), &out);
    if (m->broken) {
        damage(&out);
    }
    return out;
}

struct buf
fixture_body(struct fixture *f, enum cmp_body type, const struct cmp_client_wish *wish)
{
    const struct cmp_client_wish usual = {.subject = f->subject};
    struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    assert_ok(cmp_client_body_wish(type, f->key, wish == NULL ? &usual : wish, &body, &e), &e);
    return body;
}

struct buf
fixture_p10cr(struct fixture *f)
{
    X509_REQ *request = X509_REQ_new();
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
    struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    assert_non_null(request);
    assert_int_equal(X509_REQ_set_version(request, X509_REQ_VERSION_1), 1);
    assert_int_equal(X509_REQ_set_subject_name(request, f->subject), 1);
    assert_int_equal(X509_REQ_set_pubkey(request, f->key), 1);
    assert_true(X509_REQ_sign(request, f->key, EVP_sha256()) > 0);
    assert_ok(OSSL_ENCODE(X509_REQ, request, &der, &e), &e);
    assert_ok(der_append(&body, (uint8_t)(DER_CONTEXT | CMP_P10CR), buf_span(&der), &e), &e);
    X509_REQ_free(request);
    return body;
}

X509_EXTENSION *
fixture_extension(int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *extension;

    X509V3_set_ctx_test(&ctx);
    extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    if (extension == NULL) {
        fail_msg("%s", value);
    }
    return extension;
}

struct buf
fixture_ask(struct fixture *f, const struct cmp_client *c, enum cmp_body type)
{
    CLEANUP(buf_free) struct buf body = fixture_body(f, type, NULL);

    return fixture_message(f, c, buf_span(&body), NULL, NULL);
}

/* ---- what becomes of them ---- */

struct job *
fixture_job(struct fixture *f, struct span raw)
{
    static const struct http_address nowhere;
    struct job *job = mem_zalloc(1, sizeof(*job));

    f->ra.jobs++;
    job->ra = &f->ra;
    job->raw = raw;
    job->address = &nowhere;
    job->route.body = -1;
    job->rules = &f->ra.rules;
    job->now = f->now;
    job->behind_s = f->ra.behind_s;
    job->failure = CMP_NO_FAILURE;
    return job;
}

static int
verb_known(struct store_db *db, void *arg, struct err *e)
{
    return judge_known(arg, db, e);
}

void
fixture_known(struct job *job)
{
    fixture_call(CONTAINER_OF(job->ra, struct fixture, ra), verb_known, job);
}

void
fixture_look_up(struct job *job)
{
    if (judge_form(job) != 0) {
        fail_msg("%s", job->e.text);
    }
    fixture_known(job);
}

enum fixture_stage
fixture_judge(struct job *job)
{
    struct fixture *f = CONTAINER_OF(job->ra, struct fixture, ra);

    if (judge_form(job) != 0) {
        return FIXTURE_FORM;
    }
    fixture_call(f, verb_known, job);
    if (judge_requester(job) != 0) {
        return FIXTURE_REQUESTER;
    }
    return !cmp_is_later(job->body) && judge_request(job) != 0 ? FIXTURE_REQUEST : FIXTURE_TAKEN;
}

static const char *
stage_name(enum fixture_stage stage)
{
    static const char *const names[] = {"form", "requester", "request", "taken"};

    return names[stage];
}

int
fixture_expect(struct job *job, const struct fixture_verdict *verdict, const char *row)
{
    enum fixture_stage stage = fixture_judge(job);

    if (stage != verdict->stage || job->failure != verdict->failure ||
        (verdict->why != NULL && strstr(job->e.text, verdict->why) == NULL) ||
        (verdict->phrase != PHRASE_NONE && (enum phrase)job->e.said != verdict->phrase)) {
        print_error("%s: %s, failInfo %d, phrase %d, \"%s\"; not %s, %d, %d, \"%s\"\n", row,
                    stage_name(stage), (int)job->failure, (int)job->e.said, job->e.text,
                    stage_name(verdict->stage), (int)verdict->failure, (int)verdict->phrase,
                    verdict->why == NULL ? "" : verdict->why);
        return 1;
    }
    return 0;
}

int
fixture_row(struct fixture *f, const struct cmp_client *c, struct span body,
            const struct fixture_message *how, const struct fixture_verdict *verdict,
            const char *row)
{
    CLEANUP(buf_free) struct buf message = fixture_message(f, c, body, how, NULL);
    struct job *job = fixture_job(f, buf_span(&message));
    int wrong = fixture_expect(job, verdict, row);

    job_free(job);
    return wrong;
}

int
fixture_row_later(struct fixture *f, const struct cmp_client *c, struct span body,
                  struct cmp_client_state *state, const struct fixture_verdict *verdict,
                  const char *row)
{
    CLEANUP(buf_free)
    struct buf message =
        fixture_message(f, c, body, &(struct fixture_message){.later = true}, state);
    struct job *job = fixture_job(f, buf_span(&message));
    int wrong = fixture_expect(job, verdict, row);

    job_free(job);
    return wrong;
}
