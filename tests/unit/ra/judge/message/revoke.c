/* SPDX-License-Identifier: Apache-2.0 */
/* Who may revoke what: a holder its own certificate, an RA and the operator's people any. */
#include "ra/judge/message/revoke.h"

#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/message/der.h"
#include "tests/support/der_edit.h"
#include "tests/unit/ra/fixture.h"

enum { KEY_COMPROMISE = 1 };

static struct {
    EVP_PKEY *key;
    EVP_PKEY *other_key;
    X509 *holder;  /* delivered */
    X509 *sibling; /* the same network function's, delivered */
    X509 *other;   /* another's, delivered */
    X509 *revoked; /* the same, and revoked */
    X509 *fresh;   /* nothing is known of it, but of its holder */
    X509 *stray;   /* nothing of its holder either */
    X509 *device;  /* a vendor's, registered */
    X509 *ra;
    X509 *registrar;
    X509 *officer;
    X509 *named_ra; /* with a DNS name */
    X509 *server;   /* of ours, and nobody that may revoke */
    char id[REGISTRATION_ID_SIZE];
    char other_id[REGISTRATION_ID_SIZE];
} w;

/* Neither a network function's nor a person's. */
static X509 *
of_a_server(const struct fixture *f, const char *purpose)
{
    const struct forge forge = {
        .subject = "C=SE/O=Example Operator/CN=server",
        .key = w.key,
        .issuer = f->pki->issuing,
        .issuer_key = f->pki->issuing_key,
        .not_before = f->now - FIXTURE_DAY,
        .not_after = f->now + FIXTURE_DAY,
        .serial = "77",
        .extensions = {FORGE_LEAF, purpose, "subjectAltName=DNS:server.example"}};

    return forge_certificate(&forge);
}

static void
make_certificates(struct fixture *f)
{
    w.key = pki_key("P-256");
    w.other_key = pki_key("P-256");
    w.holder = fixture_certificate(f, NULL, w.key);
    w.sibling = fixture_certificate(f, NULL, w.other_key);
    w.other = fixture_certificate(f, FIXTURE_OTHER_NF, w.key);
    w.revoked = fixture_certificate(f, FIXTURE_OTHER_NF, w.key);
    w.fresh = fixture_certificate(f, NULL, w.key);
    w.stray = fixture_certificate(f, "2d5b94b1-35ad-49bb-b118-8e8fc24abf82", w.key);
    w.device = fixture_device(f, "device", w.key);
    w.ra = pki_issue_officer(f->pki, "ra-cmp", w.key);
    w.registrar = pki_issue_officer(f->pki, "registrar", w.key);
    w.officer = pki_issue_officer(f->pki, "officer", w.key);
    w.server = of_a_server(f, "extendedKeyUsage=serverAuth");
    w.named_ra = of_a_server(f, "extendedKeyUsage=1.3.6.1.5.5.7.3.28");
}

static int
set_up(void **state)
{
    struct fixture *f = fixture_new(PKI_NOW);
    char id[REGISTRATION_ID_SIZE];

    *state = f;
    make_certificates(f);
    fixture_register(f, &(struct fixture_registration){.reference = "amf-1"}, w.id);
    fixture_register(
        f, &(struct fixture_registration){.reference = "amf-2", .instance = FIXTURE_OTHER_NF},
        w.other_id);
    fixture_register(
        f,
        &(struct fixture_registration){.proof = PROOF_VENDOR,
                                       .certificate = w.device,
                                       .instance = "3d5b94b1-35ad-49bb-b118-8e8fc24abf83"},
        id);
    fixture_deliver(f, w.holder, w.id, "nf-tls");
    fixture_deliver(f, w.sibling, w.id, "nf-tls");
    fixture_deliver(f, w.other, w.other_id, "nf-tls-client");
    fixture_deliver(f, w.revoked, w.other_id, "nf-tls");
    fixture_revoked(f, w.revoked);
    return 0;
}

static int
tear_down(void **state)
{
    X509 *const all[] = {w.holder, w.sibling, w.other,     w.revoked, w.fresh,  w.stray,
                         w.device, w.ra,      w.registrar, w.officer, w.server, w.named_ra};

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        X509_free(all[i]);
    }
    EVP_PKEY_free(w.key);
    EVP_PKEY_free(w.other_key);
    return fixture_teardown(state);
}

static struct buf
rr_of(const X509 *target)
{
    struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    assert_ok(cmp_client_body_rr(X509_get_issuer_name(target), X509_get0_serialNumber(target),
                                 KEY_COMPROMISE, &body, &e),
              &e);
    return body;
}

/* ---- who, and what ---- */

static void
who_may_revoke_which_certificate(void **state)
{
    const struct {
        const char *name;
        X509 *by; /* NULL: a secret */
        X509 *target;
        struct fixture_verdict verdict;
        const char *profile; /* of the entry */
        const char *registration;
    } rows[] = {
        {"a holder its own", w.holder, w.holder, FIXTURE_GOOD, "nf-tls", w.id},
        {"a holder its own that we did not deliver", w.fresh, w.fresh, FIXTURE_GOOD, "revocation",
         w.id},
        {"a holder its other one",
         w.holder,
         w.sibling,
         {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED, "rr for somebody else's certificate",
          PHRASE_REVOKE_OTHERS},
         NULL,
         NULL},
        {"a holder another's",
         w.holder,
         w.other,
         {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED, "rr for somebody else's certificate",
          PHRASE_REVOKE_OTHERS},
         NULL,
         NULL},
        {"a holder one that is not known",
         w.holder,
         w.stray,
         {FIXTURE_REQUEST, CMP_BAD_CERT_ID, "rr for a certificate that is not known",
          PHRASE_REVOKE_UNKNOWN},
         NULL,
         NULL},
        {"a holder that is not registered",
         w.stray,
         w.stray,
         {FIXTURE_REQUEST, CMP_BAD_CERT_ID, "rr for a certificate that is not known",
          PHRASE_REVOKE_UNKNOWN},
         NULL,
         NULL},
        {"with a secret",
         NULL,
         w.holder,
         {FIXTURE_REQUEST, CMP_WRONG_INTEGRITY, "an rr is signed", PHRASE_REVOKE_MAC},
         NULL,
         NULL},
        {"a device",
         w.device,
         w.holder,
         {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED, "rr signed with a certificate that is not ours",
          PHRASE_NOT_OURS},
         NULL,
         NULL},
        {"an RA", w.ra, w.other, FIXTURE_GOOD, "nf-tls-client", w.other_id},
        {"an RA with a name", w.named_ra, w.other, FIXTURE_GOOD, "nf-tls-client", w.other_id},
        {"a registrar", w.registrar, w.other, FIXTURE_GOOD, "nf-tls-client", w.other_id},
        {"an officer", w.officer, w.other, FIXTURE_GOOD, "nf-tls-client", w.other_id},
        {"a server of ours",
         w.server,
         w.other,
         {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED, "rr signed by neither an RA nor a registrar",
          PHRASE_REVOKE_OTHERS},
         NULL,
         NULL},
        {"an RA one that is not known",
         w.ra,
         w.stray,
         {FIXTURE_REQUEST, CMP_BAD_CERT_ID, "rr for a certificate that is not known",
          PHRASE_REVOKE_UNKNOWN},
         NULL,
         NULL},
        {"an RA one that is revoked",
         w.ra,
         w.revoked,
         {FIXTURE_REQUEST, CMP_CERT_REVOKED, "rr for what is revoked already", PHRASE_REVOKE_AGAIN},
         NULL,
         NULL},
    };
    struct fixture *f = *state;
    const struct cmp_client mac = fixture_mac(f, "amf-1");
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct cmp_client signer = fixture_signer(f, rows[i].by, w.key);
        CLEANUP(buf_free) struct buf body = rr_of(rows[i].target);
        CLEANUP(buf_free)
        struct buf message =
            fixture_message(f, rows[i].by == NULL ? &mac : &signer, buf_span(&body), NULL, NULL);
        struct job *job = fixture_job(f, buf_span(&message));

        wrong += fixture_expect(job, &rows[i].verdict, rows[i].name);
        if (rows[i].profile != NULL && (strcmp(job->profile, rows[i].profile) != 0 ||
                                        strcmp(job->registration.id, rows[i].registration) != 0)) {
            print_error("%s: %s of %s\n", rows[i].name, job->profile, job->registration.id);
            wrong++;
        }
        assert_true(job->in_body);
        job_free(job);
    }
    assert_int_equal(wrong, 0);
}

/* ---- what is wrong with the request ---- */

/* It is told when it is known who asks: to nobody else. */
static void
a_malformed_request_is_told_to_who_may_know(void **state)
{
    struct fixture *f = *state;
    const X509_NAME *issuer = X509_get_issuer_name(w.holder);
    const ASN1_INTEGER *serial = X509_get0_serialNumber(w.holder);
    const struct {
        const char *name;
        const X509_NAME *issuer;
        const ASN1_INTEGER *serial;
        int reason;
        struct fixture_verdict verdict;
    } rows[] = {
        {"no issuer",
         NULL,
         serial,
         KEY_COMPROMISE,
         {FIXTURE_REQUEST, CMP_ADD_INFO_NOT_AVAILABLE, "rr without issuer or serialNumber",
          PHRASE_NONE}},
        {"no serial number",
         issuer,
         NULL,
         KEY_COMPROMISE,
         {FIXTURE_REQUEST, CMP_ADD_INFO_NOT_AVAILABLE, "rr without issuer or serialNumber",
          PHRASE_NONE}},
        {"no reason",
         issuer,
         serial,
         -1,
         {FIXTURE_REQUEST, CMP_ADD_INFO_NOT_AVAILABLE, "rr without reasonCode", PHRASE_NONE}},
        {"another issuer",
         X509_get_subject_name(f->vendor),
         serial,
         KEY_COMPROMISE,
         {FIXTURE_REQUEST, CMP_BAD_CERT_ID, "rr for a certificate of another issuer", PHRASE_NONE}},
        {"on hold",
         issuer,
         serial,
         6,
         {FIXTURE_REQUEST, CMP_BAD_REQUEST, "hold and its end are not done here", PHRASE_NONE}},
        {"no such reason",
         issuer,
         serial,
         7,
         {FIXTURE_REQUEST, CMP_BAD_DATA_FORMAT, "reasonCode 7", PHRASE_NONE}},
    };
    const struct cmp_client holder = fixture_signer(f, w.holder, w.key);
    const struct cmp_client device = fixture_signer(f, w.stray, w.other_key);
    const struct fixture_verdict stranger = {FIXTURE_REQUESTER, CMP_BAD_MESSAGE_CHECK, "signature",
                                             PHRASE_NONE};
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
        struct err e = {0};

        assert_ok(cmp_client_body_rr(rows[i].issuer, rows[i].serial, rows[i].reason, &body, &e),
                  &e);
        wrong += fixture_row(f, &holder, buf_span(&body), NULL, &rows[i].verdict, rows[i].name);
        wrong += fixture_row(f, &device, buf_span(&body), NULL, &stranger, rows[i].name);
    }
    assert_int_equal(wrong, 0);
}

/* RFC 9810 5.2.3: a key beside the serial number is the certificate's. */
static void
a_key_that_is_named_is_the_certificates_own(void **state)
{
    static const struct fixture_verdict good = FIXTURE_GOOD;
    static const struct fixture_verdict other = {FIXTURE_REQUEST, CMP_BAD_CERT_ID, NULL,
                                                 PHRASE_REVOKE_KEY};
    struct fixture *f = *state;
    const struct cmp_client holder = fixture_signer(f, w.holder, w.key);
    CLEANUP(buf_free) struct buf body = rr_of(w.holder);
    EVP_PKEY *const keys[] = {w.key, w.other_key};
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        CLEANUP(buf_free) struct buf spki = pki_spki(keys[i]);
        CLEANUP(buf_free) struct buf both = BUF_INIT(CMP_MESSAGE_MAX);
        struct span issuer = der_at(buf_span(&body), "0.0.0.1");
        struct err e = {0};

        spki.p[0] = 0xa6; /* [6] of CertTemplate (RFC 4211 5), implicit */
        assert_ok(buf_append(&both, issuer, &e), &e);
        assert_ok(buf_append(&both, buf_span(&spki), &e), &e);
        wrong +=
            fixture_row(f, &holder, buf_span(&body),
                        &(struct fixture_message){.edit = "1.0.0.0.1", .with = buf_span(&both)},
                        i == 0 ? &good : &other, i == 0 ? "its own key" : "another key");
    }
    assert_int_equal(wrong, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_may_revoke_which_certificate),
        cmocka_unit_test(a_malformed_request_is_told_to_who_may_know),
        cmocka_unit_test(a_key_that_is_named_is_the_certificates_own),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
