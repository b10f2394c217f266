/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/daemon/nf.h"

#include <stdio.h>

#include "ca/registration/registration.h"
#include "ca/x509/name.h"
#include "ca/x509/profile/profiles.h"

enum { DAY = 24 * 60 * 60, DAYS = 30 /* of world_registration() */ };

void
nf_free(struct nf *n)
{
    buf_free(&n->cms);
    EVP_PKEY_free(n->key);
    X509_free(n->certificate);
    buf_free(&n->algorithm);
    buf_free(&n->request);
    buf_free(&n->nested);
}

void
nf_uuid(char out[NF_INSTANCE_ID_SIZE])
{
    uint8_t o[16];
    char hex[33];
    struct err e = {0};

    assert_ok(random_bytes(o, sizeof(o), &e), &e);
    o[6] = (uint8_t)(0x40 | (o[6] & 0x0f));
    o[8] = (uint8_t)(0x80 | (o[8] & 0x3f));
    hex_format(span_of(o, sizeof(o)), hex);
    (void)snprintf(out, NF_INSTANCE_ID_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
                   hex + 16, hex + 20);
}

void
nf_request(struct world *w, struct nf *n)
{
    struct err e = {0};

    buf_free(&n->request);
    buf_free(&n->nested);
    n->request = BUF_INIT(CMP_MESSAGE_MAX);
    assert_ok(cmp_client_request(&n->client, CMP_IR, n->key, X509_get_subject_name(w->vendor),
                                 &n->state, &n->request, &e),
              &e);
    n->nested = world_wrap(w, buf_span(&n->request), n->id,
                           n->certificate == NULL ? CMP_ASSURANCE_MAC : CMP_ASSURANCE_SIGNATURE,
                           w->ra_key, w->ra);
}

/* The JSON of how this network function proves itself. */
static char *
make_proof(const struct nf *n, enum proof_by by)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(4096);
    CLEANUP(mem_cleanup) char *issuer = NULL;
    CLEANUP(mem_cleanup) char *subject = NULL;
    char hex[2 * SHA256_SIZE + 1];
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    if (by == BY_MAC) {
        return mem_strdup(MAC);
    }
    if (by == BY_VENDOR) {
        issuer = name_text(X509_get_issuer_name(n->certificate));
        subject = name_text(X509_get_subject_name(n->certificate));
        return mem_printf("{\"kind\":\"vendor\",\"issuer\":\"%s\",\"subject\":\"%s\"}", issuer,
                          subject);
    }
    assert_ok(OSSL_ENCODE(X509, n->certificate, &der, &e), &e);
    assert_ok(sha256(buf_span(&der), hash, &e), &e);
    hex_format(span_of(hash, sizeof(hash)), hex);
    return mem_printf("{\"kind\":\"certificate\",\"sha256\":\"%s\"}", hex);
}

/* Registered, with its first request ready. */
struct nf
nf_new(struct world *w, enum proof_by by, int certificates)
{
    struct nf n = {.key = pki_key("P-256")};
    CLEANUP(answer_free) struct answer answer = {0};
    CLEANUP(mem_cleanup) char *proof = NULL;
    char uuid[NF_INSTANCE_ID_SIZE];
    struct err e = {0};

    n.algorithm = BUF_INIT(256);
    assert_ok(cmp_client_pbm(NID_sha256, 500, NID_hmacWithSHA256, &n.algorithm, &e), &e);
    nf_uuid(uuid);
    if (by != BY_MAC) { /* a device of its own: no two are registered by one proof */
        n.certificate = world_vendor(w->vendor, w->vendor_key, n.key, uuid);
    }
    proof = make_proof(&n, by);
    n.cms = world_registration(w, uuid, certificates, proof);
    world_registration_id(buf_span(&n.cms), n.id);
    world_register(w, buf_span(&n.cms), &answer);
    assert_int_equal(answer.m.type, LINK_REGISTERED);
    n.client = (struct cmp_client){.reference = "reference",
                                   .secret = SPAN_LITERAL("a secret that the RA alone has"),
                                   .algorithm = buf_span(&n.algorithm),
                                   .certificate = n.certificate,
                                   .key = n.key};
    nf_request(w, &n);
    return n;
}

X509 *
nf_issued(const struct answer *a)
{
    struct err e = {0};
    X509 *certificate;

    if (a->m.type != LINK_ISSUED) {
        fail_msg("%s %u %.*s", link_type_name(a->m.type), a->m.fail_info, (int)a->m.phrase.n,
                 (const char *)a->m.phrase.p);
    }
    certificate = certificate_parse(a->m.body, &e);
    assert_non_null(certificate);
    return certificate;
}

void
nf_is_deferred(const struct answer *a, enum cmp_failure failure, const char *why)
{
    if (a->m.type != LINK_DEFERRED ||
        memmem(a->m.phrase.p, a->m.phrase.n, why, strlen(why)) == NULL) {
        fail_msg("%s %.*s, not %s", link_type_name(a->m.type), (int)a->m.phrase.n,
                 (const char *)a->m.phrase.p, why);
    }
    assert_int_equal(a->m.fail_info, failure);
    assert_int_equal(a->m.check_after, 10);
}

void
nf_is_refused(const struct answer *a, enum cmp_failure failure)
{
    if (a->m.type != LINK_REFUSED) {
        fail_msg("%s", link_type_name(a->m.type));
    }
    assert_int_equal(a->m.fail_info, failure);
}

void
nf_leave_intent(struct world *w, const struct nf *n, int backdate)
{
    CLEANUP(registration_signed_cleanup) struct registration_signed *v = NULL;
    CLEANUP(buf_free) struct buf spki = pki_spki(n->key);
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
    CLEANUP(buf_free) struct buf ra = BUF_INIT(LINK_CERTIFICATE_MAX);
    static const uint8_t previous[SHA256_SIZE];
    static const uint8_t file[SHA256_SIZE] = {1};
    uint8_t rid[SHA256_SIZE];
    uint8_t spki_hash[SHA256_SIZE];
    const time_t now = clock_now();
    const time_t from = now - backdate;
    struct cmp_msg *message;
    struct tbs_request t;
    struct err e = {0};

    v = registration_verify(buf_span(&n->cms), w->issuing, w->pki->root, now, NULL, NULL, &e);
    assert_non_null(v);
    t = (struct tbs_request){.profile = profile_by_name("nf-tls"),
                             .issuer = w->issuing,
                             .nf = &v->content.nf,
                             .spki = buf_span(&spki),
                             .not_before = from,
                             .not_after = from + (time_t)DAYS * DAY,
                             .crl_url = "http://pki.example/crl/issuing.crl"};
    assert_ok(serial_new(t.serial, clock_now(), &e), &e);
    assert_ok(tbs_build(&t, &tbs, &e), &e);
    assert_ok(OSSL_ENCODE(X509, w->ra, &ra, &e), &e);
    assert_ok(sha256(buf_span(&n->request), rid, &e), &e);
    assert_ok(sha256(buf_span(&spki), spki_hash, &e), &e);
    message = cmp_msg_parse(buf_span(&n->request), CMP_MESSAGE_MAX, &e);
    assert_non_null(message);
    world_intend(w, &(struct issuance_intent){.rid = span_of(rid, sizeof(rid)),
                                              .registration = n->id,
                                              .ra_der = buf_span(&ra),
                                              .nf_instance = v->content.nf.instance_id,
                                              .transaction_id = cmp_msg_transaction_id(message),
                                              .queue_previous = span_of(previous, sizeof(previous)),
                                              .profile = "nf-tls",
                                              .profile_file = span_of(file, sizeof(file)),
                                              .evidence = buf_span(&n->nested),
                                              .spki_sha256 = span_of(spki_hash, sizeof(spki_hash)),
                                              .serial = span_of(t.serial, sizeof(t.serial)),
                                              .tbs = buf_span(&tbs),
                                              .not_before = t.not_before,
                                              .judged = now,
                                              .not_after = t.not_after,
                                              .certificates = 1,
                                              .now = now});
    cmp_msg_free(message);
}

void
nf_is_refused_for(const struct answer *answer, enum cmp_failure failure, const char *words)
{
    nf_is_refused(answer, failure);
    if (memmem(answer->m.phrase.p, answer->m.phrase.n, words, strlen(words)) == NULL) {
        fail_msg("\"%.*s\" instead of \"%s\"", (int)answer->m.phrase.n,
                 (const char *)answer->m.phrase.p, words);
    }
}

X509 *
nf_enrol(struct world *w, const struct nf *n)
{
    CLEANUP(answer_free) struct answer answer = {0};

    world_submit(w, buf_span(&n->request), buf_span(&n->nested), &answer);
    return nf_issued(&answer);
}
