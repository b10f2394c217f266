/* SPDX-License-Identifier: Apache-2.0 */
/* The CA that does as a test says. */
#include "tests/unit/ra/running.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/ossl.h"
#include "ca/cmp/certreq.h"
#include "ca/cmp/queue.h"
#include "ra/queue/queue.h"

enum { DAY = 24 * 60 * 60 };

struct buf
running_ca_issues(struct running *w, struct span submission)
{
    CLEANUP(cmp_queued_cleanup) struct cmp_queued *q = NULL;
    CLEANUP(cmp_certreq_cleanup) struct cmp_certreq *asked = NULL;
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    struct nf_identity nf = pki_nf();
    struct tbs_request request;
    struct buf der = BUF_INIT(LINK_CERTIFICATE_MAX);
    enum cmp_failure failure;
    struct err e = {0};

    q = cmp_queued_parse(submission, &e);
    assert_non_null(q);
    asked = cmp_certreq_read(cmp_queued_inner(q), &failure, &e);
    assert_non_null(asked);
    for (size_t i = 0; i < w->n_known; i++) {
        if (strcmp(w->known[i].id, cmp_queued_entry(q)->registration_id) == 0) {
            (void)snprintf(nf.instance_id, sizeof(nf.instance_id), "%s", w->known[i].instance);
        }
    }
    request = pki_request(w->pki, &nf, cmp_certreq_spki(asked));
    request.not_before = clock_now() - 60;
    request.not_after = clock_now() + (time_t)30 * DAY;
    certificate = pki_issue(&request, w->pki->issuing_key);
    assert_ok(OSSL_ENCODE(X509, certificate, &der, &e), &e);
    return der;
}

static void
answer_submit(struct running *w, link_peer peer, const struct link_message *m)
{
    CLEANUP(cmp_queued_cleanup) struct cmp_queued *q = NULL;
    CLEANUP(buf_free) struct buf certificate = {0};
    struct link_message answer = {.type = LINK_CONFIRMED, .id = m->id};
    CLEANUP(buf_free) struct buf issuing = BUF_INIT(LINK_CERTIFICATE_MAX);
    uint8_t hash[SHA256_SIZE] = {0};
    const struct cmp_parties ours = {.ra = w->certificate,
                                     .ca = X509_get_subject_name(w->pki->issuing),
                                     .ca_hash = span_of(hash, sizeof(hash))};
    struct err e = {0};
    enum cmp_body body;

    q = cmp_queued_parse(m->body, &e);
    assert_non_null(q);
    assert_ok(OSSL_ENCODE(X509, w->pki->issuing, &issuing, &e), &e);
    assert_ok(sha256(buf_span(&issuing), hash, &e), &e);
    assert_ok(cmp_queued_verify(q, &ours, &e), &e);
    body = cmp_msg_body(cmp_queued_inner(q));
    if (body == CMP_RR) {
        answer.type = LINK_REVOKED;
    } else if (body != CMP_CERTCONF) {
        certificate = running_ca_issues(w, m->body);
        answer.type = LINK_ISSUED;
        answer.body = buf_span(&certificate);
    }
    link_server_answer(w->ca, peer, &answer);
}

/* Who it is by its record: it has the certificates of the set-up. */
static const char *
role_of(const struct running *w, struct span fingerprint)
{
    const struct {
        X509 *certificate;
        const char *role;
    } rows[] = {{w->certificate, "ra-cmp"}, {w->registrar, "registrar"}, {w->officer, "officer"}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf der = BUF_INIT(LINK_CERTIFICATE_MAX);
        uint8_t hash[SHA256_SIZE];
        struct err e = {0};

        assert_ok(OSSL_ENCODE(X509, rows[i].certificate, &der, &e), &e);
        assert_ok(sha256(buf_span(&der), hash, &e), &e);
        if (span_equal(fingerprint, span_of(hash, sizeof(hash)))) {
            return rows[i].role;
        }
    }
    return "none";
}

void
running_ca_does(struct running *w, link_peer peer, const struct link_message *m)
{
    struct link_message answer = {.id = m->id};

    if (m->type == LINK_SUBMIT) {
        answer_submit(w, peer, m);
        return;
    }
    answer.type = m->type == LINK_REGISTER ? LINK_REGISTERED
                  : m->type == LINK_CANCEL ? LINK_CANCELLED
                  : m->type == LINK_REPORT ? LINK_REPORTED
                                           : LINK_ROLE_IS;
    if (m->type == LINK_ROLE) {
        answer.phrase = span_str(role_of(w, m->id));
    }
    link_server_answer(w->ca, peer, &answer);
}

void
running_ca_says(struct running *w, const struct link_message *m)
{
    link_server_answer(w->ca, w->peer, m);
}

static void
on_request(void *arg, link_peer peer, const struct link_message *m)
{
    struct running *w = arg;
    struct err e = {0};

    w->peer = peer;
    w->asked[m->type]++;
    if (m->type == LINK_HELLO) {
        assert_ok(buf_set(&w->shown, m->checkpoint, &e), &e);
        if (!w->ca_is_mute) {
            link_server_answer(w->ca, peer, &w->welcome);
        }
        return;
    }
    if (m->type != LINK_REPORT) { /* which comes by itself */
        assert_ok(buf_set(&w->last, m->body, &e), &e);
        memcpy(w->last_id, m->id.p, m->id.n);
    }
    (w->ca_does == NULL ? running_ca_does : w->ca_does)(w, peer, m);
}

static void
on_closed(void *arg, link_peer peer, const struct err *why)
{
    (void)arg;
    (void)peer;
    (void)why;
}

void
running_ca_goes(struct running *w)
{
    link_server_free(w->ca);
    w->ca = NULL;
}

bool
running_is_up(struct running *w)
{
    return queue_is_up(w->ra.queue);
}

bool
running_is_down(struct running *w)
{
    return !queue_is_up(w->ra.queue);
}

void
running_ca_comes(struct running *w)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/link.sock", w->dir);
    const uid_t uid = geteuid();
    const struct link_server_options options = {.base = w->ra.base,
                                                .path = path,
                                                .uids = &uid,
                                                .n_uids = 1,
                                                .open_max = w->open_max,
                                                .request = on_request,
                                                .closed = on_closed,
                                                .arg = w};
    struct err e = {0};

    if (w->ra.queue != NULL) {
        running_until(w, running_is_down);
    }
    w->ca = link_server_new(&options, &e);
    assert_non_null(w->ca);
    if (w->ra.queue != NULL && !w->ca_is_mute) {
        running_until(w, running_is_up);
    }
}
