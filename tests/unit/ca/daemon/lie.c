/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/daemon/lie.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/der_edit.h"

enum { DAY = 24 * 60 * 60, LIES_MAX = 64 };

struct nf
lie_nf(struct world *w, const struct lie_terms *terms)
{
    struct nf n = {.key = pki_key("P-256")};
    CLEANUP(answer_free) struct answer answer = {0};
    CLEANUP(mem_cleanup) char *json = NULL;
    char uuid[NF_INSTANCE_ID_SIZE];
    char begin[TIME_TEXT_SIZE];
    char end[TIME_TEXT_SIZE];
    struct err e = {0};

    n.algorithm = BUF_INIT(256);
    assert_ok(cmp_client_pbm(NID_sha256, 500, NID_hmacWithSHA256, &n.algorithm, &e), &e);
    nf_uuid(uuid);
    time_format(clock_now() + (terms->opens_in != 0 ? terms->opens_in : -60), begin);
    time_format(clock_now() + DAY, end);
    json =
        mem_printf("{\"version\":1,\"nfInstanceId\":\"%s\",\"nfTypes\":[\"AMF\"],"
                   "\"fqdns\":[\"" LIE_FQDN "\"],"
                   "\"homeDomain\":\"5gc.mnc012.mcc345.3gppnetwork.org\",\"country\":\"SE\","
                   "\"profiles\":%s,\"notBefore\":\"%s\",\"notAfter\":\"%s\",\"certificates\":%d,"
                   "\"proof\":%s}",
                   uuid,
                   terms->profiles != NULL ? terms->profiles
                                           : "[{\"name\":\"nf-tls\",\"maxValidityDays\":30}]",
                   begin, end, terms->certificates != 0 ? terms->certificates : 1,
                   terms->proof != NULL ? terms->proof : MAC);
    n.cms = pki_cms(span_str(json), w->registrar, w->registrar_key);
    world_registration_id(buf_span(&n.cms), n.id);
    world_register(w, buf_span(&n.cms), &answer);
    if (answer.m.type != LINK_REGISTERED) {
        fail_msg("%s: %.*s", link_type_name(answer.m.type), (int)answer.m.phrase.n,
                 (const char *)answer.m.phrase.p);
    }
    n.client = (struct cmp_client){.reference = "reference",
                                   .secret = SPAN_LITERAL("a secret that the RA alone has"),
                                   .algorithm = buf_span(&n.algorithm),
                                   .key = n.key};
    return n;
}

/* What policy/scene.h wants to know of this world. */
static struct scene
view(const struct world *w, const struct nf *of)
{
    return (struct scene){
        .key = of->key,
        .algorithm = {.p = of->algorithm.p, .n = of->algorithm.n},
        .held = w->vendor, /* its name, which has neither C nor O, is as good as any */
        .policy = {.name = X509_get_subject_name(w->issuing), .issuing = w->issuing}};
}

struct buf
lie_message(const struct world *w, const struct nf *of)
{
    const struct scene s = view(w, of);
    const struct scene_request request = {.registration = of->id, .received = clock_now()};

    return scene_message(&s, &request);
}

static struct buf
handed_in(const struct world *w, const struct lie *l, const struct scene *s,
          const struct scene_request *request, struct span message)
{
    X509 *ra = l->ra != NULL ? l->ra : w->ra;
    EVP_PKEY *key = l->ra_key != NULL ? l->ra_key : w->ra_key;
    CLEANUP(submit_free) struct submit submit = {0};

    if (l->before) {
        return scene_wrap_before(s, request, message, ra, key,
                                 l->ca != NULL ? X509_get_subject_name(l->ca) : NULL);
    }
    submit = scene_submit(s, request, message, ra, key, l->ca);
    if (l->twist != NULL) {
        l->twist(l, &submit);
    }
    return submit_der(&submit);
}

void
lie_hand_in(struct world *w, const struct lie *l, uint8_t rid[SHA256_SIZE])
{
    const struct scene s = view(w, l->of);
    struct scene_request request = l->request;
    CLEANUP(buf_free) struct buf message = {0};
    CLEANUP(buf_free) struct buf nested = {0};
    struct link_message m = {.type = LINK_SUBMIT, .id = span_of(rid, SHA256_SIZE)};
    struct err e = {0};

    if (request.registration == NULL) {
        request.registration = l->of->id;
    }
    if (request.received == 0) {
        request.received = clock_now();
    }
    message = scene_message(&s, &request);
    request.first = w->sequence + 1;
    w->sequence += SCENE_BATCH;
    nested = handed_in(w, l, &s, &request, buf_span(&message));
    if (l->damaged != NULL) {
        struct buf damaged = BUF_INIT(CMP_NESTED_MAX);

        assert_ok(der_edit(buf_span(&nested), l->damaged, l->by, &damaged, &e), &e);
        buf_free(&nested);
        nested = damaged;
    }
    assert_ok(sha256(buf_span(&message), rid, &e), &e);
    rid[SHA256_SIZE - 1] ^= l->other_rid ? 1 : 0;
    m.body = buf_span(&nested);
    world_send(w, &m);
}

static void
check_answer(const struct lie *l, const struct link_message *m)
{
    const enum link_type wanted = l->reason != NULL ? LINK_REFUSED : LINK_DEFERRED;

    if (m->type != wanted || m->fail_info != (unsigned)l->failure ||
        memmem(m->phrase.p, m->phrase.n, l->words, strlen(l->words)) == NULL) {
        fail_msg("%s: %s, %s: %.*s", l->name, link_type_name(m->type),
                 cmp_failure_name((enum cmp_failure)m->fail_info), (int)m->phrase.n,
                 (const char *)m->phrase.p);
    }
}

/* Answers come as they are ready. */
static void
hear(struct world *w, const struct lie *lies, const struct record_refusal *rows, size_t n)
{
    bool heard[LIES_MAX] = {false};

    for (size_t i = 0; i < n; i++) {
        CLEANUP(answer_free) struct answer answer = {0};
        size_t k = 0;

        world_receive(w, &answer);
        while (k < n && (heard[k] || !span_equal(answer.m.id, span_of(rows[k].rid, SHA256_SIZE)))) {
            k++;
        }
        if (k == n) {
            fail_msg("%s: about nothing that was asked", link_type_name(answer.m.type));
        }
        heard[k] = true;
        check_answer(&lies[k], &answer.m);
    }
}

void
lies_are_found_out(struct world *w, const struct lie *lies, size_t n)
{
    const struct record before = record_read(w);
    struct record_refusal rows[LIES_MAX];
    struct record_refusal refused[LIES_MAX];
    size_t n_refused = 0;

    assert_true(n <= LIES_MAX);
    for (size_t i = 0; i < n; i++) {
        rows[i] = (struct record_refusal){
            .row = lies[i].name, .failure = lies[i].failure, .reason = lies[i].reason};
        lie_hand_in(w, &lies[i], rows[i].rid);
        if (lies[i].reason != NULL) {
            refused[n_refused++] = rows[i];
        }
    }
    hear(w, lies, rows, n);
    record_has_refusals(w, &before, refused, n_refused);
}

void
lie_is_found_out(struct world *w, const struct lie *l)
{
    lies_are_found_out(w, l, 1);
}

X509 *
lie_is_granted(struct world *w, const struct lie *l)
{
    CLEANUP(answer_free) struct answer answer = {0};
    uint8_t rid[SHA256_SIZE];

    lie_hand_in(w, l, rid);
    world_receive(w, &answer);
    if (answer.m.type != LINK_ISSUED) {
        fail_msg("%s: %s", l->name, link_type_name(answer.m.type));
    }
    return nf_issued(&answer);
}
