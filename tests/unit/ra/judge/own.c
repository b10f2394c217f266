/* SPDX-License-Identifier: Apache-2.0 */
/* Holders of certificates of ours: whose it is, as what it counts, and what they may ask for. */
#include "ra/judge/own.h"

#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/update.h"
#include "tests/unit/ra/fixture.h"

#define URN "urn:uuid:"

static struct {
    EVP_PKEY *key;
    X509 *holder;
    X509 *device;
    char id[REGISTRATION_ID_SIZE];
} w;

static int
set_up(void **state)
{
    struct fixture *f = fixture_new(PKI_NOW);
    char id[REGISTRATION_ID_SIZE];

    *state = f;
    w.key = pki_key("P-256");
    w.holder = fixture_certificate(f, NULL, w.key);
    w.device = fixture_device(f, "device", w.key);
    fixture_register(f,
                     &(struct fixture_registration){.reference = "amf-1",
                                                    .profiles = "{\"name\":\"nf-tls\"},"
                                                                "{\"name\":\"nf-tls-client\"}"},
                     w.id);
    fixture_register(f,
                     &(struct fixture_registration){.proof = PROOF_VENDOR,
                                                    .certificate = w.device,
                                                    .instance = FIXTURE_OTHER_NF},
                     id);
    return 0;
}

static int
tear_down(void **state)
{
    EVP_PKEY_free(w.key);
    X509_free(w.holder);
    X509_free(w.device);
    return fixture_teardown(state);
}

/* ---- whose it is ---- */

static X509 *
of_ours(struct fixture *f, const char *alt_name)
{
    const struct forge forge = {.subject = "C=SE/O=x",
                                .key = w.key,
                                .issuer = f->pki->issuing,
                                .issuer_key = f->pki->issuing_key,
                                .not_before = f->now - FIXTURE_DAY,
                                .not_after = f->now + FIXTURE_DAY,
                                .extensions = {FORGE_LEAF, alt_name}};

    return forge_certificate(&forge);
}

/* A GeneralName of any other kind, and a URI of any other form, is nobody's. */
static void
the_network_function_is_the_one_in_its_uri(void **state)
{
    static const struct {
        const char *name;
        const char *alt_name; /* NULL: there is none */
        const char *instance;
    } rows[] = {
        {"its URI", "subjectAltName=URI:" URN FIXTURE_NF, FIXTURE_NF},
        {"behind other names", "subjectAltName=DNS:a,IP:10.0.0.1,URI:" URN FIXTURE_NF, FIXTURE_NF},
        {"before another URI", "subjectAltName=URI:" URN FIXTURE_NF ",URI:http://a.example/",
         FIXTURE_NF},
        {"none", NULL, ""},
        {"a DNS name that reads like it", "subjectAltName=DNS:" URN FIXTURE_NF, ""},
        {"a mail address that reads like it", "subjectAltName=email:" URN FIXTURE_NF, ""},
        {"a directory name", "subjectAltName=dirName:d", ""},
        {"an IP address", "subjectAltName=IP:10.0.0.1", ""},
        {"a registered ID", "subjectAltName=RID:1.2.3.4", ""},
        {"an otherName", "subjectAltName=otherName:1.2.3.4;UTF8:" URN FIXTURE_NF, ""},
        {"one character less", "subjectAltName=URI:" URN "9c5b94b1-35ad-49bb-b118-8e8fc24abf8", ""},
        {"one character more", "subjectAltName=URI:" URN FIXTURE_NF "0", ""},
        {"another scheme", "subjectAltName=URI:urn:guid:" FIXTURE_NF, ""},
        {"as long, another begin", "subjectAltName=URI:Xrn:uuid:" FIXTURE_NF, ""},
        {"as long, another end of the prefix", "subjectAltName=URI:urn:uuid;" FIXTURE_NF, ""},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct job job = {.ra = &f->ra, .signer = of_ours(f, rows[i].alt_name)};

        judge_own_identify(&job);
        if (!job.own || strcmp(job.own_instance, rows[i].instance) != 0) {
            fail_msg("%s: \"%s\"", rows[i].name, job.own_instance);
        }
        X509_free(job.signer);
    }
}

static void
another_issuers_certificate_is_not_ours(void **state)
{
    struct fixture *f = *state;
    struct job job = {.ra = &f->ra, .signer = w.device};

    judge_own_identify(&job);
    assert_false(job.own);
    assert_string_equal(job.own_instance, "");
    /* Whatever names it has. */
    job.signer = forge_certificate(
        &(struct forge){.subject = "O=Vendor/CN=x",
                        .key = w.key,
                        .issuer = f->vendor,
                        .issuer_key = f->vendor_key,
                        .not_before = f->now - FIXTURE_DAY,
                        .not_after = f->now + FIXTURE_DAY,
                        .extensions = {FORGE_LEAF, "subjectAltName=URI:" URN FIXTURE_NF}});
    judge_own_identify(&job);
    assert_false(job.own);
    assert_string_equal(job.own_instance, "");
    X509_free(job.signer);
    job.signer = w.holder;
    judge_own_identify(&job);
    assert_true(job.own);
    assert_string_equal(job.own_instance, FIXTURE_NF);
}

/* ---- as what it counts ---- */

static void
fill(struct buf *b, const uint8_t octets[SHA256_SIZE])
{
    struct err e = {0};

    *b = BUF_INIT(SHA256_SIZE);
    assert_ok(buf_set(b, span_of(octets, SHA256_SIZE), &e), &e);
}

static void
what_is_registered_itself_is_pinned(void **state)
{
    static const struct {
        const char *name;
        bool registered;
        enum proof_kind proof;
        int differs; /* 1: the first octet, 2: the last one */
        bool pinned;
    } rows[] = {
        {"the certificate", true, PROOF_CERTIFICATE, 0, true},
        {"the key", true, PROOF_PUBLIC_KEY, 0, true},
        {"not registered", false, PROOF_CERTIFICATE, 0, false},
        {"not registered, the key", false, PROOF_PUBLIC_KEY, 0, false},
        {"another certificate", true, PROOF_CERTIFICATE, 1, false},
        {"another certificate, at its end", true, PROOF_CERTIFICATE, 2, false},
        {"another key", true, PROOF_PUBLIC_KEY, 1, false},
        {"another key, at its end", true, PROOF_PUBLIC_KEY, 2, false},
        {"a vendor", true, PROOF_VENDOR, 0, false},
        {"a secret", true, PROOF_MAC, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct job job = {.registered = rows[i].registered, .own = true, .body = CMP_IR};
        uint8_t certificate[SHA256_SIZE] = {1, [SHA256_SIZE - 1] = 1};
        uint8_t key[SHA256_SIZE] = {2, [SHA256_SIZE - 1] = 2};

        memcpy(job.fingerprint, certificate, sizeof(certificate));
        memcpy(job.signer_key, key, sizeof(key));
        if (rows[i].differs != 0) {
            certificate[rows[i].differs == 1 ? 0 : SHA256_SIZE - 1] ^= 0x80;
            key[rows[i].differs == 1 ? 0 : SHA256_SIZE - 1] ^= 0x80;
        }
        job.registration.proof = (int)rows[i].proof;
        fill(&job.registration.fingerprint, certificate);
        fill(&job.registration.public_key, key);
        if (judge_own_is_pinned(&job) != rows[i].pinned ||
            judge_own_applies(&job) == rows[i].pinned) {
            fail_msg("%s", rows[i].name);
        }
        /* As a holder's it counts for everything but an ir, and for the polls of one. */
        job.body = CMP_KUR;
        assert_true(judge_own_applies(&job));
        job.found = true;
        job.enrolment.body = CMP_IR;
        assert_int_equal(judge_own_applies(&job), !rows[i].pinned);
        job.own = false;
        assert_false(judge_own_applies(&job));
        requests_registration_clear(&job.registration);
    }
}

static void
the_profile_of_a_holder_is_that_of_its_certificate(void **state)
{
    struct job job = {.own = true, .body = CMP_KUR, .held = {.profile = "nf-tls-client"}};

    (void)state;
    assert_string_equal(judge_own_profile(&job), "nf-tls-client");
    job.own = false;
    assert_string_equal(judge_own_profile(&job), "");
}

static void
a_holder_signs_until_its_certificate_ends_and_some_days(void **state)
{
    struct fixture *f = *state;
    struct job job = {.ra = &f->ra, .own = true};

    assert_int_equal(judge_own_until(&job), 0);
    job.signer = w.holder;
    assert_int_equal(judge_own_until(&job), f->now + (time_t)30 * FIXTURE_DAY);
    f->settings->expired_renewal_days = 2;
    assert_int_equal(judge_own_until(&job), f->now + (time_t)32 * FIXTURE_DAY);
    f->settings->expired_renewal_days = 0;
    job.own = false;
    assert_int_equal(judge_own_until(&job), 0);
}

/* ---- how long ---- */

/* A kur is taken until expired_renewal_days after the end, and nothing else is. */
static void
a_certificate_that_ended_renews_itself_and_nothing_else(void **state)
{
    static const struct {
        const char *name;
        enum cmp_body body;
        int days;  /* expired_renewal_days */
        int after; /* seconds after its end */
        bool taken;
    } rows[] = {
        {"kur, before its end", CMP_KUR, 0, -1, true},
        {"kur, in its last second", CMP_KUR, 0, 0, true},
        {"kur, after it", CMP_KUR, 0, 1, false},
        {"kur, within the days", CMP_KUR, 2, 1, true},
        {"kur, in the last second of them", CMP_KUR, 2, 2 * FIXTURE_DAY, true},
        {"kur, after them", CMP_KUR, 2, 2 * FIXTURE_DAY + 1, false},
        {"cr, in its last second", CMP_CR, 2, 0, true},
        {"cr, within the days", CMP_CR, 2, 1, false},
        {"ir, within the days", CMP_IR, 2, 1, false},
    };
    struct fixture *f = *state;
    const time_t now = f->now;
    const time_t end = now + (time_t)30 * FIXTURE_DAY;
    const struct cmp_client c = fixture_signer(f, w.holder, w.key);
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf body = fixture_body(f, rows[i].body, NULL);
        CLEANUP(buf_free) struct buf message = {0};
        struct job *job;

        f->settings->expired_renewal_days = rows[i].days;
        f->now = end + rows[i].after;
        message = fixture_message(f, &c, buf_span(&body), NULL, NULL);
        job = fixture_job(f, buf_span(&message));
        fixture_look_up(job);
        if ((judge_own_path(job) == 0) != rows[i].taken ||
            job->failure != (rows[i].taken ? CMP_NO_FAILURE : CMP_SIGNER_NOT_TRUSTED) ||
            (!rows[i].taken && strstr(job->e.text, "expired") == NULL)) {
            print_error("%s: failInfo %d, \"%s\"\n", rows[i].name, (int)job->failure, job->e.text);
            wrong++;
        }
        job_free(job);
    }
    f->now = now;
    f->settings->expired_renewal_days = 0;
    assert_int_equal(wrong, 0);
}

static void
a_certificate_that_has_not_begun_signs_nothing(void **state)
{
    static const struct fixture_verdict early = {FIXTURE_REQUESTER, CMP_SIGNER_NOT_TRUSTED,
                                                 "not yet valid", PHRASE_NONE};
    struct fixture *f = *state;
    CLEANUP(x509_cleanup) X509 *holder = fixture_certificate_at(f, NULL, w.key, 1, 2);
    const struct cmp_client c = fixture_signer(f, holder, w.key);
    CLEANUP(buf_free) struct buf body = fixture_body(f, CMP_KUR, NULL);

    f->settings->expired_renewal_days = 2;
    assert_int_equal(fixture_row(f, &c, buf_span(&body), NULL, &early, "early"), 0);
    f->settings->expired_renewal_days = 0;
}

/* ---- what it may ask for ---- */

static void
who_may_ask_for_what(void **state)
{
    struct fixture *f = *state;
    const struct cmp_client mac = fixture_mac(f, "amf-1");
    const struct cmp_client holder = fixture_signer(f, w.holder, w.key);
    const struct cmp_client device = fixture_signer(f, w.device, w.key);
    const struct {
        const char *name;
        enum cmp_body body;
        const struct cmp_client *by;
        struct fixture_verdict verdict;
    } rows[] = {
        {"ir with a secret", CMP_IR, &mac, FIXTURE_GOOD},
        {"cr with a secret", CMP_CR, &mac, FIXTURE_GOOD}, /* RFC 9483 4.1.5 */
        {"kur with a secret",
         CMP_KUR,
         &mac,
         {FIXTURE_REQUEST, CMP_WRONG_INTEGRITY, "a kur is signed with what it updates",
          PHRASE_UPDATE_MAC}},
        {"ir of a device", CMP_IR, &device, FIXTURE_GOOD},
        {"cr of a device",
         CMP_CR,
         &device,
         {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED, "cr signed with a certificate that is not ours",
          PHRASE_NOT_OURS}},
        {"kur of a device",
         CMP_KUR,
         &device,
         {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED, "kur signed with a certificate that is not ours",
          PHRASE_NOT_OURS}},
        {"ir of a holder", CMP_IR, &holder, FIXTURE_GOOD},
        {"cr of a holder", CMP_CR, &holder, FIXTURE_GOOD},
        {"kur of a holder", CMP_KUR, &holder, FIXTURE_GOOD},
    };
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf body = fixture_body(f, rows[i].body, NULL);

        wrong += fixture_row(f, rows[i].by, buf_span(&body), NULL, &rows[i].verdict, rows[i].name);
    }
    assert_int_equal(wrong, 0);
}

/* RFC 9483 4.1.3: the same names, the same certificate. */
static void
a_kur_asks_for_nothing_new(void **state)
{
    struct fixture *f = *state;
    const struct cmp_client holder = fixture_signer(f, w.holder, w.key);
    CLEANUP(x509_name_cleanup) X509_NAME *more = X509_NAME_dup(f->subject);
    ASN1_INTEGER *other = ASN1_INTEGER_new();
    const X509_NAME *issuer = X509_get_issuer_name(w.holder);
    int wrong = 0;

    assert_int_equal(ASN1_INTEGER_set(other, 4711), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(more, "OU", MBSTRING_ASC,
                                                (const unsigned char *)"more", -1, -1, 0),
                     1);
    {
        const struct {
            const char *name;
            enum cmp_body body;
            struct cmp_client_wish wish;
            struct fixture_verdict verdict;
        } rows[] = {
            {"its own names", CMP_KUR, {.subject = f->subject}, FIXTURE_GOOD},
            {"its own certificate",
             CMP_KUR,
             {.subject = f->subject,
              .old_issuer = issuer,
              .old_serial = X509_get0_serialNumber(w.holder)},
             FIXTURE_GOOD},
            {"another certificate",
             CMP_KUR,
             {.subject = f->subject, .old_issuer = issuer, .old_serial = other},
             {FIXTURE_REQUEST, CMP_BAD_CERT_ID, "", PHRASE_OLD_CERT}},
            {"another subject",
             CMP_KUR,
             {.subject = more},
             {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED, "", PHRASE_UPDATE_NAMES}},
            {"the same in a cr", CMP_CR, {.subject = more}, FIXTURE_GOOD},
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            CLEANUP(buf_free) struct buf body = fixture_body(f, rows[i].body, &rows[i].wish);

            wrong += fixture_row(f, &holder, buf_span(&body), NULL, &rows[i].verdict, rows[i].name);
        }
    }
    ASN1_INTEGER_free(other);
    assert_int_equal(wrong, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_network_function_is_the_one_in_its_uri),
        cmocka_unit_test(another_issuers_certificate_is_not_ours),
        cmocka_unit_test(what_is_registered_itself_is_pinned),
        cmocka_unit_test(the_profile_of_a_holder_is_that_of_its_certificate),
        cmocka_unit_test(a_holder_signs_until_its_certificate_ends_and_some_days),
        cmocka_unit_test(a_certificate_that_ended_renews_itself_and_nothing_else),
        cmocka_unit_test(a_certificate_that_has_not_begun_signs_nothing),
        cmocka_unit_test(who_may_ask_for_what),
        cmocka_unit_test(a_kur_asks_for_nothing_new),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
