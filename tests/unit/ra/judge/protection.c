/* SPDX-License-Identifier: Apache-2.0 */
/* Whose signature counts: a registered certificate, key or vendor, or a holder of ours. */
#include "ra/judge/protection.h"

#include <string.h>

#include "base/ossl.h"
#include "tests/unit/ra/fixture.h"

/* Who signs. */
enum who {
    PINNED, /* registered itself, self-signed */
    PINNED_ENDED,
    PINNED_CANCELLED,
    PINNED_VENDORS_CANCELLED, /* below the vendor's root */
    KEY,                      /* its key is registered */
    DEVICE,                   /* of the vendor, registered by its names */
    DEVICE_STRANGE,           /* under another root, registered by its names */
    DEVICE_UNKNOWN,           /* of the vendor, not registered */
    STRICT,                   /* of a vendor with CRLs */
    STRICT_REVOKED,
    HOLDER, /* a certificate of ours */
    HOLDER_ENDED,
    HOLDER_UNKNOWN, /* whose network function is not registered */
    HOLDER_FORGED,  /* our issuer's name, another key */
    HOLDER_PINNED,  /* registered itself, though it is ours */
    PEOPLE,
};

static struct {
    EVP_PKEY *key;
    EVP_PKEY *pinned_key;
    EVP_PKEY *other;
    X509 *of[PEOPLE];
    struct buf body[CMP_BODY_COUNT];
    char holder[REGISTRATION_ID_SIZE];
} w;

#define NF(n) "1d5b94b1-35ad-49bb-b118-8e8fc24abf" n

static X509 *
forge_leaf(const struct fixture *f, const char *subject, X509 *issuer, EVP_PKEY *issuer_key,
           EVP_PKEY *key, const char *serial, int until)
{
    const struct forge forge = {.subject = subject,
                                .key = key,
                                .issuer = issuer,
                                .issuer_key = issuer_key,
                                .not_before = f->now - 2 * FIXTURE_DAY,
                                .not_after = f->now + until,
                                .serial = serial,
                                .extensions = {FORGE_LEAF}};

    return forge_certificate(&forge);
}

static void
enlist(struct fixture *f, enum proof_kind proof, enum who who, const char *instance, bool cancelled)
{
    char id[REGISTRATION_ID_SIZE];

    fixture_register(f,
                     &(struct fixture_registration){.proof = proof,
                                                    .certificate = w.of[who],
                                                    .key = w.pinned_key,
                                                    .instance = instance,
                                                    .cancelled = cancelled},
                     id);
}

static X509 *
forged_holder(struct fixture *f)
{
    CLEANUP(x509_cleanup) X509 *ca = NULL;
    struct forge forge = {.subject = "C=SE/O=Example Operator/CN=Example Issuing",
                          .key = w.other,
                          .not_before = f->now - FIXTURE_DAY,
                          .not_after = f->now + FIXTURE_DAY,
                          .extensions = {FORGE_CA}};

    ca = forge_certificate(&forge);
    assert_int_equal(X509_set_subject_name(ca, X509_get_subject_name(f->pki->issuing)), 1);
    forge = (struct forge){.subject = "C=SE/O=nobody",
                           .key = w.key,
                           .issuer = ca,
                           .issuer_key = w.other,
                           .not_before = f->now - FIXTURE_DAY,
                           .not_after = f->now + FIXTURE_DAY,
                           .extensions = {FORGE_LEAF, "subjectAltName=URI:urn:uuid:" FIXTURE_NF}};
    return forge_certificate(&forge);
}

static void
make_people(struct fixture *f)
{
    w.of[PINNED] = forge_leaf(f, "CN=pinned", NULL, NULL, w.key, "11", 100);
    w.of[PINNED_ENDED] = forge_leaf(f, "CN=pinned", NULL, NULL, w.key, "12", -1);
    w.of[PINNED_CANCELLED] = forge_leaf(f, "CN=pinned", NULL, NULL, w.key, "13", 100);
    w.of[PINNED_VENDORS_CANCELLED] =
        forge_leaf(f, "O=Vendor/CN=p", f->vendor, f->vendor_key, w.key, "14", 100);
    w.of[KEY] = forge_leaf(f, "CN=key", NULL, NULL, w.pinned_key, "15", 100);
    w.of[DEVICE] = fixture_device(f, "device", w.key);
    w.of[DEVICE_STRANGE] = forge_leaf(f, "O=Vendor/CN=strange", NULL, NULL, w.key, "16", 100);
    w.of[DEVICE_UNKNOWN] = fixture_device(f, "unknown", w.key);
    w.of[STRICT] = forge_leaf(f, "O=Strict/CN=s", f->strict, f->vendor_key, w.key, "17", 100);
    w.of[STRICT_REVOKED] =
        forge_leaf(f, "O=Strict/CN=r", f->strict, f->vendor_key, w.key, "0bad", 100);
    w.of[HOLDER] = fixture_certificate(f, NULL, w.key);
    w.of[HOLDER_ENDED] = fixture_certificate_at(f, NULL, w.key, -1, 1);
    w.of[HOLDER_UNKNOWN] = fixture_certificate(f, FIXTURE_OTHER_NF, w.key);
    w.of[HOLDER_FORGED] = forged_holder(f);
    w.of[HOLDER_PINNED] = fixture_certificate(f, NF("a0"), w.key);
}

static int
set_up(void **state)
{
    static const enum cmp_body bodies[] = {CMP_IR, CMP_CR, CMP_KUR};
    struct fixture *f = fixture_new(PKI_NOW);
    struct err e = {0};

    *state = f;
    w.key = pki_key("P-256");
    w.pinned_key = pki_key("P-256");
    w.other = pki_key("P-256");
    make_people(f);
    fixture_register(f, &(struct fixture_registration){.reference = "amf-1"}, w.holder);
    enlist(f, PROOF_CERTIFICATE, PINNED, NF("01"), false);
    enlist(f, PROOF_CERTIFICATE, PINNED_ENDED, NF("02"), false);
    enlist(f, PROOF_CERTIFICATE, PINNED_CANCELLED, NF("03"), true);
    enlist(f, PROOF_CERTIFICATE, PINNED_VENDORS_CANCELLED, NF("04"), true);
    enlist(f, PROOF_PUBLIC_KEY, KEY, NF("05"), false);
    enlist(f, PROOF_VENDOR, DEVICE, NF("06"), false);
    enlist(f, PROOF_VENDOR, DEVICE_STRANGE, NF("07"), false);
    enlist(f, PROOF_VENDOR, STRICT, NF("08"), false);
    enlist(f, PROOF_VENDOR, STRICT_REVOKED, NF("09"), false);
    enlist(f, PROOF_CERTIFICATE, HOLDER_PINNED, NF("0a"), false);
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        w.body[bodies[i]] = fixture_body(f, bodies[i], NULL);
    }
    w.body[CMP_RR] = BUF_INIT(CMP_MESSAGE_MAX);
    assert_ok(cmp_client_body_rr(X509_get_issuer_name(w.of[HOLDER]),
                                 X509_get0_serialNumber(w.of[HOLDER]), 1, &w.body[CMP_RR], &e),
              &e);
    return 0;
}

static int
tear_down(void **state)
{
    for (size_t i = 0; i < PEOPLE; i++) {
        X509_free(w.of[i]);
    }
    for (size_t i = 0; i < CMP_BODY_COUNT; i++) {
        buf_free(&w.body[i]);
    }
    EVP_PKEY_free(w.key);
    EVP_PKEY_free(w.pinned_key);
    EVP_PKEY_free(w.other);
    return fixture_teardown(state);
}

/* What judge_signature() says of it. */
static int
row(struct fixture *f, enum who who, enum cmp_body body, bool broken, enum cmp_failure failure,
    const char *why, bool in_body, const char *name)
{
    const struct cmp_client c = fixture_signer(f, w.of[who], who == KEY ? w.pinned_key : w.key);
    CLEANUP(buf_free)
    struct buf message = fixture_message(f, &c, buf_span(&w.body[body]),
                                         &(struct fixture_message){.broken = broken}, NULL);
    struct job *job = fixture_job(f, buf_span(&message));
    int result;
    int wrong;

    fixture_look_up(job);
    job->failure = CMP_NO_FAILURE;
    result = judge_signature(job);
    wrong = (result == 0) != (failure == CMP_NO_FAILURE) || job->failure != failure ||
            (result != 0 && strstr(job->e.text, why) == NULL) || job->in_body != in_body ||
            job->authenticated != (result == 0);
    if (wrong) {
        print_error("%s: failInfo %d, in body %d, \"%s\"\n", name, (int)job->failure, job->in_body,
                    result == 0 ? "" : job->e.text);
    }
    job_free(job);
    return wrong;
}

static void
a_signature_counts_when_its_certificate_is_registered_or_ours(void **state)
{
    static const struct {
        const char *name;
        enum who who;
        enum cmp_body body;
        bool broken;
        enum cmp_failure failure;
        const char *why;
        bool in_body;
    } rows[] = {
        {"a registered certificate", PINNED, CMP_IR, false, CMP_NO_FAILURE, "", false},
        {"one bit of the signature", PINNED, CMP_IR, true, CMP_BAD_MESSAGE_CHECK, "signature",
         false},
        {"a registered one that ended", PINNED_ENDED, CMP_IR, false, CMP_SIGNER_NOT_TRUSTED,
         "expired", false},
        {"cancelled, nobody's root", PINNED_CANCELLED, CMP_IR, false, CMP_SIGNER_NOT_TRUSTED,
         "self-signed", false},
        {"cancelled, a vendor's root", PINNED_VENDORS_CANCELLED, CMP_IR, false, CMP_NOT_AUTHORIZED,
         "nobody is registered with this certificate", false},
        {"a registered key", KEY, CMP_IR, false, CMP_NO_FAILURE, "", false},
        {"a registered device", DEVICE, CMP_IR, false, CMP_NO_FAILURE, "", false},
        {"its name, another root", DEVICE_STRANGE, CMP_IR, false, CMP_SIGNER_NOT_TRUSTED,
         "self-signed", false},
        {"a device that is not registered", DEVICE_UNKNOWN, CMP_IR, false, CMP_NOT_AUTHORIZED,
         "nobody is registered with this certificate", false},
        {"the same, rr", DEVICE_UNKNOWN, CMP_RR, false, CMP_NOT_AUTHORIZED,
         "nobody is registered with this certificate", false},
        {"a vendor with CRLs", STRICT, CMP_IR, false, CMP_NO_FAILURE, "", false},
        {"revoked there, ir", STRICT_REVOKED, CMP_IR, false, CMP_CERT_REVOKED, "revoked", true},
        {"revoked there, rr", STRICT_REVOKED, CMP_RR, false, CMP_CERT_REVOKED, "revoked", false},
        {"a holder", HOLDER, CMP_KUR, false, CMP_NO_FAILURE, "", false},
        {"a holder's ir", HOLDER, CMP_IR, false, CMP_NO_FAILURE, "", false},
        {"a holder's rr", HOLDER, CMP_RR, false, CMP_NO_FAILURE, "", false},
        {"a holder whose certificate ended", HOLDER_ENDED, CMP_KUR, false, CMP_NO_FAILURE, "",
         false}, /* in this very second; own.c has the others */
        {"our issuer's name", HOLDER_FORGED, CMP_KUR, false, CMP_SIGNER_NOT_TRUSTED, "", false},
        {"a holder who is not registered", HOLDER_UNKNOWN, CMP_KUR, false, CMP_NOT_AUTHORIZED,
         "nobody is registered with this certificate", false},
        {"the same, ir", HOLDER_UNKNOWN, CMP_IR, false, CMP_NOT_AUTHORIZED,
         "nobody is registered with this certificate", false},
        {"the same, rr: what it may is asked later", HOLDER_UNKNOWN, CMP_RR, false, CMP_NO_FAILURE,
         "", false},
        {"ours, and registered itself", HOLDER_PINNED, CMP_IR, false, CMP_NO_FAILURE, "", false},
        {"the same, kur: not its holder's", HOLDER_PINNED, CMP_KUR, false, CMP_NOT_AUTHORIZED,
         "nobody is registered with this certificate", false},
    };
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        wrong += row(*state, rows[i].who, rows[i].body, rows[i].broken, rows[i].failure,
                     rows[i].why, rows[i].in_body, rows[i].name);
    }
    assert_int_equal(wrong, 0);
}

/* That it is revoked is said also when nobody is registered any more. */
static void
a_revoked_holder_is_authenticated(void **state)
{
    struct fixture *f = *state;
    static const struct fixture_verdict revoked = {FIXTURE_REQUEST, CMP_CERT_REVOKED,
                                                   "signed with a certificate that is revoked",
                                                   PHRASE_NONE};
    CLEANUP(x509_cleanup) X509 *holder = fixture_certificate(f, FIXTURE_OTHER_NF, w.key);
    const struct cmp_client c = fixture_signer(f, holder, w.key);
    CLEANUP(buf_free)
    struct buf message = fixture_message(f, &c, buf_span(&w.body[CMP_KUR]), NULL, NULL);
    struct job *job;

    fixture_deliver(f, holder, w.holder, "nf-tls");
    fixture_revoked(f, holder);
    job = fixture_job(f, buf_span(&message));
    assert_int_equal(fixture_expect(job, &revoked, "revoked"), 0);
    assert_true(job->in_body);
    job_free(job);
}

/* What signs its polls is still one of ours, and so is its path; and that is all. */
static void
a_pinned_holder_whose_registration_was_cancelled_polls_for_nothing(void **state)
{
    struct fixture *f = *state;
    CLEANUP(x509_cleanup) X509 *holder = fixture_certificate(f, NF("a1"), w.key);
    const struct cmp_client c = fixture_signer(f, holder, w.key);
    struct cmp_client_state going = {.recip_nonce_size = CMP_NONCE_SIZE, .recip_nonce = "nonce"};
    static const struct fixture_verdict nobody = {FIXTURE_REQUESTER, CMP_NOT_AUTHORIZED,
                                                  "nobody is registered with this certificate",
                                                  PHRASE_NOT_REGISTERED};
    static const struct fixture_verdict good = FIXTURE_GOOD;
    char id[REGISTRATION_ID_SIZE];
    CLEANUP(buf_free) struct buf poll = BUF_INIT(CMP_MESSAGE_MAX);
    char identity[REQUESTS_IDENTITY_SIZE];
    CLEANUP(buf_free) struct buf first = {0};
    struct job *job;
    struct err e = {0};

    fixture_register(f,
                     &(struct fixture_registration){
                         .proof = PROOF_CERTIFICATE, .certificate = holder, .instance = NF("0b")},
                     id);
    first = fixture_message(f, &c, buf_span(&w.body[CMP_IR]), NULL, &going);
    job = fixture_job(f, buf_span(&first));
    assert_int_equal(judge_form(job), 0);
    memcpy(identity, job->identity, sizeof(identity));
    job_free(job);
    fixture_enrol(f, &(struct fixture_enrolment){.identity = identity,
                                                 .registration = id,
                                                 .body = CMP_IR,
                                                 .state = REQUESTS_QUEUED,
                                                 .was = &going});
    assert_ok(cmp_client_body_pollreq(0, &poll, &e), &e);
    assert_int_equal(fixture_row_later(f, &c, buf_span(&poll), &going, &good, "before"), 0);
    fixture_cancel(f, id);
    assert_int_equal(fixture_row_later(f, &c, buf_span(&poll), &going, &nobody, "after"), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_counts_when_its_certificate_is_registered_or_ours),
        cmocka_unit_test(a_revoked_holder_is_authenticated),
        cmocka_unit_test(a_pinned_holder_whose_registration_was_cancelled_polls_for_nothing),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
