/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/daemon/holder.h"

#include <string.h>

time_t holder_time;

struct nf
holder_asking(struct world *w, const struct nf *of, enum cmp_body body, X509 *holder,
              EVP_PKEY *holder_key, EVP_PKEY *key)
{
    struct nf n = {.key = key != NULL ? key : pki_key("P-256"), .certificate = holder};
    struct err e = {0};

    if (key != NULL) {
        assert_int_equal(EVP_PKEY_up_ref(key), 1);
    }
    assert_int_equal(X509_up_ref(holder), 1);
    memcpy(n.id, of->id, sizeof(n.id));
    n.client = (struct cmp_client){.certificate = holder, .key = holder_key, .time = holder_time};
    n.request = BUF_INIT(CMP_MESSAGE_MAX);
    assert_ok(cmp_client_request(&n.client, body, n.key, X509_get_subject_name(holder), &n.state,
                                 &n.request, &e),
              &e);
    n.nested = world_wrap(w, buf_span(&n.request), n.id, CMP_ASSURANCE_SIGNATURE, w->ra_key, w->ra);
    return n;
}

void
holder_asks_again(struct world *w, struct nf *n, enum cmp_body body, enum cmp_assurance assurance)
{
    struct err e = {0};

    assert_ok(cmp_client_request(&n->client, body, n->key, X509_get_subject_name(n->certificate),
                                 &n->state, &n->request, &e),
              &e);
    buf_free(&n->nested);
    n->nested = world_wrap(w, buf_span(&n->request), n->id, assurance, w->ra_key, w->ra);
}

void
holder_submit(struct world *w, struct nf *n, struct answer *answer)
{
    world_submit(w, buf_span(&n->request), buf_span(&n->nested), answer);
}

struct nf
holder_enrolled(struct world *w, int certificates, X509 **certificate)
{
    struct nf n = nf_new(w, BY_MAC, certificates);

    *certificate = nf_enrol(w, &n);
    return n;
}

void
holder_is_refused(struct world *w, struct nf *n, enum cmp_failure failure)
{
    CLEANUP(answer_free) struct answer answer = {0};

    holder_submit(w, n, &answer);
    nf_is_refused(&answer, failure);
}

struct buf
holder_certconf(struct nf *n, X509 *certificate, bool accept)
{
    struct buf message = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    assert_ok(cmp_client_certconf(&n->client, certificate, accept, &n->state, &message, &e), &e);
    return message;
}

void
holder_confirm(struct world *w, struct nf *n, X509 *certificate, bool accept, struct answer *answer)
{
    CLEANUP(buf_free) struct buf message = holder_certconf(n, certificate, accept);
    CLEANUP(buf_free)
    struct buf nested = world_wrap(
        w, buf_span(&message), n->id,
        n->certificate == NULL ? CMP_ASSURANCE_MAC : CMP_ASSURANCE_SIGNATURE, w->ra_key, w->ra);

    world_submit(w, buf_span(&message), buf_span(&nested), answer);
}

void
holder_confirms(struct world *w, struct nf *n, X509 *certificate, bool accept)
{
    CLEANUP(answer_free) struct answer answer = {0};

    holder_confirm(w, n, certificate, accept, &answer);
    assert_int_equal(answer.m.type, LINK_CONFIRMED);
}

void
holder_is_live(struct world *w, const struct nf *of, X509 *holder, EVP_PKEY *key)
{
    CLEANUP(nf_free) struct nf probe = holder_asking(w, of, CMP_KUR, holder, key, key);

    holder_is_refused(w, &probe, CMP_BAD_CERT_TEMPLATE);
}

void
holder_is_revoked(struct world *w, const struct nf *of, X509 *holder, EVP_PKEY *key)
{
    CLEANUP(nf_free) struct nf probe = holder_asking(w, of, CMP_KUR, holder, key, key);

    holder_is_refused(w, &probe, CMP_CERT_REVOKED);
}
