/* SPDX-License-Identifier: Apache-2.0 */
/* A first message against its registration: proof, window and document. Later messages are in
 * later.c. */
#include <string.h>

#include "base/ossl.h"
#include "tests/unit/ra/judge/message/people.h"

/* ---- the proof ---- */

/* What the document says counts, which a registrar signed, not the columns beside it. */
static void
the_proof_is_the_one_in_the_signed_document(void **state)
{
    static const struct {
        const char *name;
        const char *says;
    } macs[] = {{"certificate", SAYS_CERTIFICATE}, {"key", SAYS_KEY}, {"vendor", SAYS_VENDOR}};
    static const struct fixture_verdict another = {
        FIXTURE_REQUEST, CMP_WRONG_INTEGRITY, "the registration wants another proof", PHRASE_PROOF};
    static const struct fixture_verdict other_certificate = {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED,
                                                             NULL, PHRASE_OTHER_CERTIFICATE};
    static const struct fixture_verdict good = FIXTURE_GOOD;
    struct fixture *f = *state;
    const struct {
        const char *name;
        enum who who;
        const struct fixture_verdict *verdict;
    } rows[] = {
        {"a device", DEVICE, &good},
        {"a device of other names", DEVICE_OTHER, &other_certificate},
        {"a device that should have a secret", DEVICE_BY_MAC, &another},
        {"a certificate", PINNED, &good},
        {"another certificate", PINNED_OTHER, &other_certificate},
        {"a key", KEY, &good},
    };
    CLEANUP(buf_free) struct buf ir = fixture_body(f, CMP_IR, NULL);
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct cmp_client c = people_client(f, rows[i].who);

        wrong += fixture_row(f, &c, buf_span(&ir), NULL, rows[i].verdict, rows[i].name);
    }
    for (size_t i = 0; i < ARRAY_LEN(macs); i++) {
        CLEANUP(mem_cleanup) char *reference = mem_printf("says-%s", macs[i].name);
        const struct cmp_client c = fixture_mac(f, reference);
        char id[REGISTRATION_ID_SIZE];

        fixture_register(f,
                         &(struct fixture_registration){
                             .reference = reference, .instance = NF("30"), .says = macs[i].says},
                         id);
        wrong += fixture_row(f, &c, buf_span(&ir), NULL, &another, macs[i].name);
    }
    assert_int_equal(wrong, 0);
}

/* The registered key protects the request and is what the request asks for. */
static void
a_registered_key_is_asked_for_by_itself(void **state)
{
    static const struct fixture_verdict good = FIXTURE_GOOD;
    static const struct fixture_verdict not_itself = {
        FIXTURE_REQUEST, CMP_NOT_AUTHORIZED,
        "the request is not protected by the key that it asks for", PHRASE_KEY_REGISTERED};
    static const struct fixture_verdict other = {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED, NULL,
                                                 PHRASE_KEY_REGISTERED};
    struct fixture *f = *state;
    const struct cmp_client key = people_client(f, KEY);
    const struct cmp_client key_other = people_client(f, KEY_OTHER);
    EVP_PKEY *before = f->key;
    CLEANUP(buf_free) struct buf own = fixture_body(f, CMP_IR, NULL);
    CLEANUP(buf_free) struct buf others = {0};
    int wrong = 0;

    f->key = people.key_other;
    others = fixture_body(f, CMP_IR, NULL);
    f->key = before;
    wrong += fixture_row(f, &key, buf_span(&own), NULL, &good, "its own key");
    wrong += fixture_row(f, &key, buf_span(&others), NULL, &not_itself, "another key");
    wrong += fixture_row(f, &key_other, buf_span(&others), NULL, &other, "another hash");
    assert_int_equal(wrong, 0);
}

static void
a_registered_key_is_itself_to_the_last_octet_of_its_hash(void **state)
{
    struct fixture *f = *state;
    const struct cmp_client key = people_client(f, KEY);
    CLEANUP(buf_free) struct buf message = fixture_ask(f, &key, CMP_IR);
    struct job *job = fixture_job(f, buf_span(&message));

    fixture_look_up(job);
    assert_int_equal(judge_requester(job), 0);
    job->signer_key[SHA256_SIZE - 1] ^= 1;
    assert_int_equal(judge_request(job), -1);
    assert_int_equal(job->failure, CMP_NOT_AUTHORIZED);
    assert_non_null(strstr(job->e.text, "not protected by the key that it asks for"));
    job_free(job);
}

/* Who has a certificate of ours renews it for a new key. */
static void
a_holder_is_not_bound_to_the_registered_key(void **state)
{
    static const struct fixture_verdict good = FIXTURE_GOOD;
    struct fixture *f = *state;
    CLEANUP(x509_cleanup) X509 *holder = fixture_certificate(f, NF("06"), people.key_other);
    const struct cmp_client c = fixture_signer(f, holder, people.key_other);
    CLEANUP(buf_free) struct buf body = fixture_body(f, CMP_CR, NULL);

    assert_int_equal(fixture_row(f, &c, buf_span(&body), NULL, &good, "another key"), 0);
}

/* ---- the window ---- */

/* Both ends are within it; it is for initial certificates. */
static void
a_registration_is_used_within_its_window(void **state)
{
    struct fixture *f = *state;
    const struct fixture_verdict early = {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED, NULL,
                                          PHRASE_NOT_OPEN};
    const struct fixture_verdict late = {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED, NULL, PHRASE_ENDED};
    const struct fixture_verdict good = FIXTURE_GOOD;
    const struct {
        const char *name;
        const char *reference;
        time_t from;
        time_t until;
        const struct fixture_verdict *verdict;
    } rows[] = {
        {"it begins", "w-1", f->now, f->now + 1000, &good},
        {"it begins in a second", "w-2", f->now + 1, f->now + 1000, &early},
        {"it ends", "w-3", f->now - 1000, f->now, &good},
        {"it ended a second ago", "w-4", f->now - 1000, f->now - 1, &late},
    };
    CLEANUP(buf_free) struct buf ir = fixture_body(f, CMP_IR, NULL);
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct cmp_client c = fixture_mac(f, rows[i].reference);
        char id[REGISTRATION_ID_SIZE];

        fixture_register(f,
                         &(struct fixture_registration){.reference = rows[i].reference,
                                                        .instance = NF("10"),
                                                        .not_before = rows[i].from,
                                                        .not_after = rows[i].until},
                         id);
        wrong += fixture_row(f, &c, buf_span(&ir), NULL, rows[i].verdict, rows[i].name);
    }
    {
        CLEANUP(x509_cleanup) X509 *holder = fixture_certificate(f, NF("10"), people.key);
        const struct cmp_client c = fixture_signer(f, holder, people.key);
        CLEANUP(buf_free) struct buf cr = fixture_body(f, CMP_CR, NULL);

        wrong += fixture_row(f, &c, buf_span(&cr), NULL, &good, "a holder, after it");
    }
    assert_int_equal(wrong, 0);
}

/* ---- a registration that is not good any more ---- */

static void
a_document_that_does_not_parse_is_nobodys_fault_out_there(void **state)
{
    static const struct fixture_verdict broken = {FIXTURE_REQUEST, CMP_SYSTEM_FAILURE, "JSON",
                                                  PHRASE_NONE};
    static const struct fixture_verdict denied = {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED,
                                                  "fqdns[0]: not below", PHRASE_NONE};
    struct fixture *f = *state;
    const struct {
        const char *reference;
        const char *json;
        const struct fixture_verdict *verdict;
    } rows[] = {
        {"broken-1", "{", &broken},
        {"broken-2",
         "{\"version\":1,\"nfInstanceId\":\"" FIXTURE_NF "\",\"nfTypes\":[\"AMF\"],\"fqdns\":["
         "\"amf1.elsewhere.example\"],\"homeDomain\":\"5gc.mnc012.mcc345.3gppnetwork.org\","
         "\"country\":\"SE\",\"profiles\":[{\"name\":\"nf-tls\"}],\"notBefore\":"
         "\"2026-09-01T00:00:00Z\",\"notAfter\":\"2026-10-10T00:00:00Z\",\"proof\":{\"kind\":"
         "\"mac\"}}",
         &denied},
    };
    CLEANUP(buf_free) struct buf ir = fixture_body(f, CMP_IR, NULL);
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct cmp_client c = fixture_mac(f, rows[i].reference);
        char id[REGISTRATION_ID_SIZE];

        fixture_register(f,
                         &(struct fixture_registration){.reference = rows[i].reference,
                                                        .instance = NF("31"),
                                                        .json = rows[i].json},
                         id);
        wrong += fixture_row(f, &c, buf_span(&ir), NULL, rows[i].verdict, rows[i].reference);
    }
    assert_int_equal(wrong, 0);
}

/* ---- genm ---- */

/* genm [21] SEQUENCE OF { infoType, no value }. */
static struct buf
genm_of(const char *oid)
{
    struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    assert_ok(buf_append_str(&body, oid, &e), &e);
    return body;
}

static void
a_question_needs_the_proof_and_sometimes_a_profile(void **state)
{
    /* certReqTemplate (id-it 19) and caCerts (17) */
    static const char template[] =
        "\xb5\x0e\x30\x0c\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x04\x13";
    static const char ca_certs[] =
        "\xb5\x0e\x30\x0c\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x04\x11";
    static const struct fixture_verdict good = {FIXTURE_TAKEN, CMP_NO_FAILURE, NULL, PHRASE_NONE};
    static const struct fixture_verdict another = {
        FIXTURE_REQUEST, CMP_WRONG_INTEGRITY, "the registration wants another proof", PHRASE_PROOF};
    static const struct fixture_verdict unknown = {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED,
                                                   "profile nf-tls-server is not registered",
                                                   PHRASE_PROFILE};
    struct fixture *f = *state;
    const struct {
        const char *name;
        const char *question;
        bool other_proof;
        const char *profile;
        const struct fixture_verdict *verdict;
    } rows[] = {
        {"CA certificates", ca_certs, false, NULL, &good},
        {"CA certificates, whatever the profile", ca_certs, false, "nf-tls-server", &good},
        {"CA certificates, another proof", ca_certs, true, NULL, &another},
        {"a template", template, false, NULL, &good},
        {"a template of another profile", template, false, "nf-tls-server", &unknown},
        {"a template, another proof", template, true, NULL, &another},
    };
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cmp_client c =
            rows[i].other_proof ? people_client(f, DEVICE_BY_MAC) : fixture_mac(f, "amf-1");
        CLEANUP(buf_free) struct buf body = genm_of(rows[i].question);
        CLEANUP(buf_free) struct buf message = {0};
        struct job *job;

        c.profile = rows[i].profile;
        message = fixture_message(f, &c, buf_span(&body), NULL, NULL);
        job = fixture_job(f, buf_span(&message));
        wrong += fixture_expect(job, rows[i].verdict, rows[i].name);
        assert_false(job->in_body); /* RFC 9483 3.6.2: an error */
        assert_int_equal(job->facts.question.keys != 0,
                         rows[i].question == template && rows[i].verdict == &good);
        assert_int_equal(job->entry.n, 0);
        job_free(job);
    }
    assert_int_equal(wrong, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_proof_is_the_one_in_the_signed_document),
        cmocka_unit_test(a_registered_key_is_asked_for_by_itself),
        cmocka_unit_test(a_registered_key_is_itself_to_the_last_octet_of_its_hash),
        cmocka_unit_test(a_holder_is_not_bound_to_the_registered_key),
        cmocka_unit_test(a_registration_is_used_within_its_window),
        cmocka_unit_test(a_document_that_does_not_parse_is_nobodys_fault_out_there),
        cmocka_unit_test(a_question_needs_the_proof_and_sometimes_a_profile),
    };

    return cmocka_run_group_tests(tests, people_set_up, people_tear_down);
}
