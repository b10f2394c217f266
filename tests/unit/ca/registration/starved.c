/* SPDX-License-Identifier: Apache-2.0 */
/* What people sign, while memory is short inside OpenSSL: verified or refused, and what is refused
 * is never taken. Elements of a batch are not among it: its tree ends the process when memory is
 * short (base/tlog/merkle.h). */
#include <string.h>

#include "ca/registration/approval.h"
#include "ca/registration/cancellation.h"
#include "tests/support/pki.h"
#include "tests/support/starve.h"
#include "tests/support/test.h"

enum { DAY = 24 * 60 * 60, SIGNED_RUNS = 8 };

#define ID "00112233445566778899aabbccddeeff"
#define UUID "9c5b94b1-35ad-49bb-b118-8e8fc24abf80"

/* Signed by ours, with its last octet changed, by a registrar of another CA of the same name, and
 * with the certificate of a network function. */
struct evidence {
    struct buf good;
    struct buf forged;
    struct buf foreign;
    struct buf of_nf;
};

static struct {
    struct pki *pki;
    struct pki *other_pki;
    EVP_PKEY *key;
    X509 *person;
    X509 *foreign;
    X509 *nf;
    struct evidence registration;
    struct buf approval;
    struct buf cancellation;
} s;

static const char document[] =
    "{\"version\":1,\"nfInstanceId\":\"" UUID "\",\"nfTypes\":[\"AMF\"],"
    "\"fqdns\":[\"amf1.5gc.mnc012.mcc345.3gppnetwork.org\"],"
    "\"homeDomain\":\"5gc.mnc012.mcc345.3gppnetwork.org\",\"country\":\"SE\","
    "\"profiles\":[{\"name\":\"nf-tls\",\"maxValidityDays\":30}],"
    "\"notBefore\":\"2026-09-21T00:00:00Z\",\"notAfter\":\"2026-10-21T00:00:00Z\","
    "\"proof\":{\"kind\":\"mac\"}}";

static void
evidence_make(struct evidence *v, const char *text)
{
    v->good = pki_cms(span_str(text), s.person, s.key);
    v->forged = pki_cms(span_str(text), s.person, s.key);
    v->forged.p[v->forged.n - 1] ^= 1;
    v->foreign = pki_cms(span_str(text), s.foreign, s.key);
    v->of_nf = pki_cms(span_str(text), s.nf, s.key);
}

static void
evidence_free(struct evidence *v)
{
    buf_free(&v->good);
    buf_free(&v->forged);
    buf_free(&v->foreign);
    buf_free(&v->of_nf);
}

static int
make(void **state)
{
    const struct approval approval = {.approves = true,
                                      .rid = {1, 2, 3},
                                      .registration = ID,
                                      .nf_instance = UUID,
                                      .profile = "nf-tls",
                                      .public_key = {4, 5, 6},
                                      .time = PKI_NOW - 10,
                                      .expires = PKI_NOW + DAY};
    const struct cancellation cancellation = {.registration = ID, .time = PKI_NOW};
    CLEANUP(mem_cleanup) char *approves = approval_format(&approval);
    CLEANUP(mem_cleanup) char *cancels = cancellation_format(&cancellation);
    CLEANUP(buf_free) struct buf spki = {0};
    struct nf_identity nf = pki_nf();
    struct tbs_request request;

    (void)state;
    s.pki = pki_new("P-256", "P-256");
    s.other_pki = pki_new("P-256", "P-256");
    s.key = pki_key("P-256");
    s.person = pki_issue_officer(s.pki, "registrar", s.key);
    s.foreign = pki_issue_officer(s.other_pki, "registrar", s.key);
    spki = pki_spki(s.key);
    request = pki_request(s.pki, &nf, buf_span(&spki));
    s.nf = pki_issue(&request, s.pki->issuing_key);
    evidence_make(&s.registration, document);
    s.approval = pki_cms(span_str(approves), s.person, s.key);
    s.cancellation = pki_cms(span_str(cancels), s.person, s.key);
    return 0;
}

static int
drop(void **state)
{
    (void)state;
    pki_free(s.pki);
    pki_free(s.other_pki);
    EVP_PKEY_free(s.key);
    X509_free(s.person);
    X509_free(s.foreign);
    X509_free(s.nf);
    evidence_free(&s.registration);
    buf_free(&s.approval);
    buf_free(&s.cancellation);
    return 0;
}

static int
registration_is_verified(const void *arg, struct buf *out, struct err *e)
{
    const struct buf *evidence = arg;
    CLEANUP(registration_signed_cleanup)
    struct registration_signed *r = registration_verify(buf_span(evidence), s.pki->issuing,
                                                        s.pki->root, PKI_NOW, NULL, NULL, e);

    starve_pause();
    return r == NULL || buf_append_str(out, r->id, e) != 0 ||
                   buf_append(out, span_of(r->content_hash, SHA256_SIZE), e) != 0 ||
                   buf_append(out, buf_span(&r->json), e) != 0 ||
                   OSSL_ENCODE(X509, r->signer, out, e) != 0
               ? -1
               : 0;
}

static int
approval_is_verified(const void *arg, struct buf *out, struct err *e)
{
    const struct buf *evidence = arg;
    CLEANUP(approval_signed_cleanup)
    struct approval_signed *a =
        approval_verify(buf_span(evidence), s.pki->issuing, s.pki->root, PKI_NOW, e);

    starve_pause();
    return a == NULL || buf_append_str(out, a->subject, e) != 0 ||
                   buf_append(out, span_of(a->key_hash, SHA256_SIZE), e) != 0 ||
                   buf_append(out, buf_span(&a->cms), e) != 0 ||
                   buf_append_str(out, a->content.registration, e) != 0 ||
                   OSSL_ENCODE(X509, a->officer, out, e) != 0
               ? -1
               : 0;
}

static int
cancellation_is_verified(const void *arg, struct buf *out, struct err *e)
{
    const struct buf *evidence = arg;
    CLEANUP(cancellation_signed_cleanup)
    struct cancellation_signed *c =
        cancellation_verify(buf_span(evidence), s.pki->issuing, s.pki->root, PKI_NOW, e);

    starve_pause();
    return c == NULL || buf_append_str(out, c->content.registration, e) != 0 ||
                   OSSL_ENCODE(X509, c->signer, out, e) != 0
               ? -1
               : 0;
}

/* ---- who signs, and for whom it is ---- */

/* A signature is another one each time: it is good, or there is none. Or nobody takes it: OpenSSL
 * signs without what was to be attached when it cannot copy it, and writes a SET OF as it is when
 * it cannot sort it. */
static int
approval_is_signed(const void *arg, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf cms = BUF_INIT(APPROVAL_CMS_MAX);
    CLEANUP(approval_signed_cleanup) struct approval_signed *a = NULL;
    CLEANUP(mem_cleanup) char *text = NULL;
    struct approval approval = {.rid = {1},
                                .registration = ID,
                                .nf_instance = UUID,
                                .profile = "nf-tls",
                                .time = PKI_NOW,
                                .expires = PKI_NOW + DAY};

    (void)arg;
    text = approval_format(&approval);
    if (approval_sign(span_str(text), s.person, s.key, &cms, e) != 0) {
        return -1;
    }
    starve_pause();
    a = approval_verify(buf_span(&cms), s.pki->issuing, s.pki->root, PKI_NOW, e);
    return a == NULL ? -1 : buf_append_str(out, a->content.registration, e);
}

static int
certificate_matches(const void *arg, struct buf *out, struct err *e)
{
    const struct proof *proof = arg;
    struct registration r = {.proof = *proof};

    (void)out;
    return registration_matches_certificate(&r, s.person, e);
}

static int
key_matches(const void *arg, struct buf *out, struct err *e)
{
    const struct proof *proof = arg;
    struct registration r = {.proof = *proof};

    (void)out;
    return registration_matches_spki(&r, SPAN_LITERAL("key"), e);
}

static void
what_is_signed_is_verified_or_refused(void **state)
{
    const struct starve rows[] = {
        {"registration", registration_is_verified, NULL, &s.registration.good, SIGNED_RUNS},
        {"registration, forged", registration_is_verified, "does not verify",
         &s.registration.forged, SIGNED_RUNS},
        {"registration, foreign", registration_is_verified, "signer", &s.registration.foreign,
         SIGNED_RUNS},
        {"registration, of an NF", registration_is_verified, "subjectAltName",
         &s.registration.of_nf, SIGNED_RUNS},
        {"approval", approval_is_verified, NULL, &s.approval, SIGNED_RUNS},
        {"cancellation", cancellation_is_verified, NULL, &s.cancellation, SIGNED_RUNS},
    };

    (void)state;
    assert_int_equal(starve_sweep(rows, ARRAY_LEN(rows)), 0);
}

static void
who_it_is_about_is_known_or_refused(void **state)
{
    struct proof pinned = {.kind = PROOF_CERTIFICATE};
    const struct proof another = {.kind = PROOF_CERTIFICATE};
    const struct proof vendor = {.kind = PROOF_VENDOR,
                                 .issuer = "CN=Example Issuing,O=Example Operator,C=SE",
                                 .subject = "CN=registrar,O=Example Operator,C=SE"};
    const struct proof another_vendor = {.kind = PROOF_VENDOR,
                                         .issuer = "CN=Example Issuing,O=Example Operator,C=SE",
                                         .subject = "CN=officer,O=Example Operator,C=SE"};
    const struct proof nameless = {.kind = PROOF_VENDOR};
    struct proof key = {.kind = PROOF_PUBLIC_KEY};
    const struct proof another_key = {.kind = PROOF_PUBLIC_KEY};
    const struct starve rows[] = {
        {"approval_sign", approval_is_signed, NULL, NULL, 0},
        {"matches, fingerprint", certificate_matches, NULL, &pinned, 0},
        {"matches, another", certificate_matches, "pins another", &another, 0},
        {"matches, vendor", certificate_matches, NULL, &vendor, 0},
        {"matches, another vendor", certificate_matches, "names another", &another_vendor, 0},
        {"matches, no names", certificate_matches, "names another", &nameless, 0},
        {"matches, key", key_matches, NULL, &key, 0},
        {"matches, another key", key_matches, "pins another", &another_key, 0},
    };
    unsigned n = SHA256_SIZE;
    struct err e = {0};

    (void)state;
    assert_int_equal(X509_digest(s.person, EVP_sha256(), pinned.sha256, &n), 1);
    assert_ok(sha256(SPAN_LITERAL("key"), key.sha256, &e), &e);
    assert_int_equal(starve_sweep(rows, ARRAY_LEN(rows)), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_signed_is_verified_or_refused),
        cmocka_unit_test(who_it_is_about_is_known_or_refused),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
