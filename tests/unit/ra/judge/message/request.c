/* SPDX-License-Identifier: Apache-2.0 */
/* What a first message asks for, and what is given on to the CA. */
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "tests/support/der_edit.h"
#include "tests/unit/ra/judge/message/people.h"

/* ---- weak keys ---- */

static void
weak_keys_are_refused(void **state)
{
    static const struct fixture_verdict listed = {FIXTURE_REQUEST, CMP_SIGNER_NOT_TRUSTED, NULL,
                                                  PHRASE_SIGNER_LISTED};
    static const struct fixture_verdict asked = {FIXTURE_REQUEST, CMP_BAD_CERT_TEMPLATE, NULL,
                                                 PHRASE_KEY_LISTED};
    static const struct fixture_verdict good = FIXTURE_GOOD;
    struct fixture *f = *state;
    const struct cmp_client signer = people_client(f, LISTED);
    const struct cmp_client mac = fixture_mac(f, "amf-1");
    EVP_PKEY *before = f->key;
    CLEANUP(buf_free) struct buf strong = fixture_body(f, CMP_IR, NULL);
    CLEANUP(buf_free) struct buf weak = {0};
    int wrong = 0;

    f->key = people.listed;
    weak = fixture_body(f, CMP_IR, NULL);
    f->key = before;
    wrong += fixture_row(f, &signer, buf_span(&strong), NULL, &good, "before it is listed");
    wrong += fixture_row(f, &mac, buf_span(&weak), NULL, &good, "asked for, before");
    fixture_block(f, people.listed);
    wrong += fixture_row(f, &signer, buf_span(&strong), NULL, &listed, "it signs");
    wrong += fixture_row(f, &mac, buf_span(&weak), NULL, &asked, "it is asked for");
    wrong += fixture_row(f, &mac, buf_span(&strong), NULL, &good, "another is asked for");
    assert_int_equal(wrong, 0);
}

/* ---- the profile ---- */

static void
the_profile_is_the_one_that_is_named_and_registered(void **state)
{
    static const struct {
        const char *name;
        const char *wish; /* certProfile; NULL: none */
        const char *path;
        bool holder; /* signs; else a secret */
        enum cmp_body body;
        const char *profile; /* NULL: refused */
        struct fixture_verdict verdict;
    } rows[] = {
        {"nobody names one", NULL, "", false, CMP_IR, "nf-tls", FIXTURE_GOOD},
        {"certProfile", "nf-tls-client", "", false, CMP_IR, "nf-tls-client", FIXTURE_GOOD},
        {"the path", NULL, "nf-tls-client", false, CMP_IR, "nf-tls-client", FIXTURE_GOOD},
        {"both the same", "nf-tls-client", "nf-tls-client", false, CMP_IR, "nf-tls-client",
         FIXTURE_GOOD},
        {"both, and they disagree",
         "nf-tls-client",
         "nf-tls",
         false,
         CMP_IR,
         NULL,
         {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED,
          "certProfile is nf-tls-client and the path's profile nf-tls", PHRASE_PATH_PROFILE}},
        {"one that is not registered",
         "nf-tls-server",
         "",
         false,
         CMP_IR,
         NULL,
         {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED, "profile nf-tls-server is not registered",
          PHRASE_PROFILE}},
        {"the same by its path",
         NULL,
         "nf-tls-server",
         false,
         CMP_IR,
         NULL,
         {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED, "profile nf-tls-server is not registered",
          PHRASE_PROFILE}},
        {"a name that none can have",
         "NF TLS",
         "",
         false,
         CMP_IR,
         NULL,
         {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED, NULL, PHRASE_PROFILE_NAME}},
        {"kur", NULL, "", true, CMP_KUR, "nf-tls-client", FIXTURE_GOOD},
        {"kur, the same is named", "nf-tls-client", "", true, CMP_KUR, "nf-tls-client",
         FIXTURE_GOOD},
        {"kur for another profile",
         "nf-tls",
         "",
         true,
         CMP_KUR,
         NULL,
         {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED, "a kur for another profile than its certificate's",
          PHRASE_PROFILE_HELD}},
        {"cr for another profile", "nf-tls", "", true, CMP_CR, "nf-tls", FIXTURE_GOOD},
        {"cr", NULL, "", true, CMP_CR, "nf-tls-client", FIXTURE_GOOD},
    };
    struct fixture *f = *state;
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cmp_client c = rows[i].holder ? people_client(f, HOLDER) : fixture_mac(f, "amf-1");
        CLEANUP(buf_free) struct buf body = fixture_body(f, rows[i].body, NULL);
        CLEANUP(buf_free) struct buf message = {0};
        struct job *job;

        c.profile = rows[i].wish;
        message = fixture_message(f, &c, buf_span(&body), NULL, NULL);
        job = fixture_job(f, buf_span(&message));
        (void)snprintf(job->route.profile, sizeof(job->route.profile), "%s", rows[i].path);
        wrong += fixture_expect(job, &rows[i].verdict, rows[i].name);
        if (rows[i].profile != NULL && strcmp(job->profile, rows[i].profile) != 0) {
            print_error("%s: %s\n", rows[i].name, job->profile);
            wrong++;
        }
        assert_true(job->in_body);
        assert_int_equal(job->uncounted, rows[i].holder);
        job_free(job);
    }
    assert_int_equal(wrong, 0);
}

/* What was delivered, and is not known any more, may be updated to any registered one. */
static void
a_kur_of_what_is_not_known_names_its_profile(void **state)
{
    static const struct fixture_verdict good = FIXTURE_GOOD;
    struct fixture *f = *state;
    CLEANUP(x509_cleanup) X509 *holder = fixture_certificate(f, NULL, people.key);
    struct cmp_client c = fixture_signer(f, holder, people.key);
    CLEANUP(buf_free) struct buf body = fixture_body(f, CMP_KUR, NULL);

    c.profile = "nf-tls";
    assert_int_equal(fixture_row(f, &c, buf_span(&body), NULL, &good, "not known"), 0);
    c.profile = NULL;
    assert_int_equal(fixture_row(f, &c, buf_span(&body), NULL, &good, "not known, default"), 0);
}

/* ---- the request ---- */

static void
what_is_asked_for_is_judged_before_it_goes_to_the_ca(void **state)
{
    struct fixture *f = *state;
    CLEANUP(x509_name_cleanup) X509_NAME *other = X509_NAME_new();
    STACK_OF(X509_EXTENSION) *names = sk_X509_EXTENSION_new_null();
    const struct cmp_client_wish usual = {.subject = f->subject};
    const struct cmp_client c = fixture_mac(f, "amf-1");
    int wrong = 0;

    assert_int_equal(X509_NAME_add_entry_by_txt(other, "O", MBSTRING_ASC,
                                                (const unsigned char *)"elsewhere", -1, -1, 0),
                     1);
    assert_true(sk_X509_EXTENSION_push(
                    names, fixture_extension(NID_subject_alt_name, "DNS:elsewhere.example")) > 0);
    {
        const struct {
            const char *name;
            struct cmp_client_wish wish;
            bool old;
            const char *edit;
            struct span with;
            struct fixture_verdict verdict;
        } rows[] = {
            {"right", usual, false, NULL, {0}, FIXTURE_GOOD},
            {"another number",
             {.subject = f->subject, .cert_req_id = 1},
             false,
             NULL,
             {0},
             {FIXTURE_REQUEST, CMP_BAD_REQUEST, "certReqId is not 0", PHRASE_CERT_REQ_ID}},
            {"another number, of RFC 4210",
             {.subject = f->subject, .cert_req_id = 1},
             true,
             NULL,
             {0},
             FIXTURE_GOOD},
            {"another subject",
             {.subject = other},
             false,
             NULL,
             {0},
             {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED, "the subject asked for", PHRASE_SUBJECT}},
            {"another name",
             {.subject = f->subject, .extensions = names},
             false,
             NULL,
             {0},
             {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED, "a subjectAltName asked for", PHRASE_ALT_NAME}},
            {"no proof of possession",
             usual,
             false,
             "1.0.0.1",
             {0},
             {FIXTURE_REQUEST, CMP_BAD_POP, "no proof of possession", PHRASE_NO_POP}},
            {"raVerified",
             usual,
             false,
             "1.0.0.1",
             SPAN_LITERAL("\x80\x00"),
             {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED, "raVerified", PHRASE_RA_VERIFIED}},
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            CLEANUP(buf_free) struct buf body = fixture_body(f, CMP_IR, &rows[i].wish);
            const struct fixture_message how = {.edit = rows[i].edit, .with = rows[i].with};
            CLEANUP(buf_free)
            struct buf message = fixture_message(f, &c, buf_span(&body), &how, NULL);
            struct job *job = fixture_job(f, buf_span(&message));

            job->rules = rows[i].old ? &f->ra.old_rules : &f->ra.rules;
            wrong += fixture_expect(job, &rows[i].verdict, rows[i].name);
            job_free(job);
        }
    }
    sk_X509_EXTENSION_pop_free(names, X509_EXTENSION_free);
    assert_int_equal(wrong, 0);
}

/* The template was signed, and then another subject put into it. */
static void
the_proof_of_possession_is_over_the_request(void **state)
{
    static const struct fixture_verdict bad = {FIXTURE_REQUEST, CMP_BAD_POP, NULL, PHRASE_POP};
    struct fixture *f = *state;
    const struct cmp_client c = fixture_mac(f, "amf-1");
    CLEANUP(buf_free) struct buf body = fixture_body(f, CMP_IR, NULL);
    CLEANUP(buf_free)
    struct buf other =
        fixture_body(f, CMP_IR, &(struct cmp_client_wish){.subject = f->subject, .cert_req_id = 0});
    struct fixture_message how = {.edit = "1.0.0.1"};

    /* The proof of another request for the same key: ECDSA is random, so it is not the same. */
    {
        CLEANUP(buf_free)
        struct buf third = fixture_body(
            f, CMP_IR, &(struct cmp_client_wish){.subject = f->subject, .cert_req_id = 1});

        how.with = der_at(buf_span(&third), "0.0.1");
        assert_int_equal(fixture_row(f, &c, buf_span(&body), &how, &bad, "of another request"), 0);
    }
    how.with = der_at(buf_span(&other), "0.0.1");
    {
        static const struct fixture_verdict good = FIXTURE_GOOD;

        assert_int_equal(fixture_row(f, &c, buf_span(&body), &how, &good, "of the same"), 0);
    }
}

/* PKCS #10 has no certReqId (RFC 9483 4.1.4). */
static void
a_p10cr_is_judged_like_the_others(void **state)
{
    static const struct fixture_verdict good = FIXTURE_GOOD;
    struct fixture *f = *state;
    const struct cmp_client c = fixture_mac(f, "amf-1");
    CLEANUP(buf_free) struct buf body = fixture_p10cr(f);

    assert_int_equal(fixture_row(f, &c, buf_span(&body), NULL, &good, "p10cr"), 0);
}

/* ---- what goes to the CA, and what is kept ---- */

static void
the_entry_says_what_was_found_out(void **state)
{
    static const struct fixture_verdict good = FIXTURE_GOOD;
    struct fixture *f = *state;
    const struct cmp_client by[] = {fixture_mac(f, "amf-1"), people_client(f, HOLDER)};

    for (size_t i = 0; i < ARRAY_LEN(by); i++) {
        CLEANUP(buf_free) struct buf body = fixture_body(f, CMP_CR, NULL);
        CLEANUP(buf_free)
        struct buf message = fixture_message(f, &by[i], buf_span(&body), NULL, NULL);
        struct job *job = fixture_job(f, buf_span(&message));
        struct cmp_queue_entry entry;
        uint8_t rid[SHA256_SIZE];
        struct err e = {0};

        assert_int_equal(fixture_expect(job, &good, "good"), 0);
        assert_true(job->facts.enrolment.asked.n > 0);
        assert_ok(cmp_queue_entry_decode(buf_span(&job->entry), &entry, &e), &e);
        assert_string_equal(entry.registration_id, people.id);
        assert_string_equal(entry.profile, i == 0 ? "nf-tls" : "nf-tls-client");
        assert_int_equal(entry.assurance, i == 0 ? CMP_ASSURANCE_MAC : CMP_ASSURANCE_SIGNATURE);
        assert_int_equal(entry.received_at, f->now);
        assert_ok(sha256(buf_span(&message), rid, &e), &e);
        assert_memory_equal(job->rid, rid, sizeof(rid));
        assert_memory_equal(entry.rid, rid, sizeof(rid));
        job_free(job);
    }
}

static void
a_registration_that_replaces_another_needs_a_confirmation(void **state)
{
    static const struct fixture_verdict good = FIXTURE_GOOD;
    struct fixture *f = *state;
    CLEANUP(buf_free) struct buf ir = fixture_body(f, CMP_IR, NULL);
    const char *const more[] = {NULL, "\"supersedes\":\"00112233445566778899aabbccddeeff\""};
    const char *const references[] = {"first", "second"};

    for (size_t i = 0; i < ARRAY_LEN(more); i++) {
        const struct cmp_client c = fixture_mac(f, references[i]);
        CLEANUP(buf_free) struct buf message = {0};
        char id[REGISTRATION_ID_SIZE];
        struct job *job;

        fixture_register(f,
                         &(struct fixture_registration){
                             .reference = references[i], .instance = NF("20"), .more = more[i]},
                         id);
        message = fixture_message(f, &c, buf_span(&ir), NULL, NULL);
        job = fixture_job(f, buf_span(&message));
        assert_int_equal(fixture_expect(job, &good, references[i]), 0);
        assert_int_equal(job->facts.enrolment.superseding, i == 1);
        job_free(job);
    }
}

/* ---- genm ---- */

/* Meant for somebody else: nothing of it is judged. */
static void
a_request_for_another_authority_goes_no_further(void **state)
{
    static const struct fixture_verdict other = {FIXTURE_REQUEST, CMP_WRONG_AUTHORITY,
                                                 "recipient is none of us", PHRASE_RECIPIENT};
    struct fixture *f = *state;
    struct cmp_client c = fixture_mac(f, "amf-1");
    CLEANUP(buf_free) struct buf ir = fixture_body(f, CMP_IR, NULL);

    c.recipient = X509_get_subject_name(f->vendor);
    assert_int_equal(fixture_row(f, &c, buf_span(&ir), NULL, &other, "another"), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_profile_is_the_one_that_is_named_and_registered),
        cmocka_unit_test(a_kur_of_what_is_not_known_names_its_profile),
        cmocka_unit_test(what_is_asked_for_is_judged_before_it_goes_to_the_ca),
        cmocka_unit_test(the_proof_of_possession_is_over_the_request),
        cmocka_unit_test(a_p10cr_is_judged_like_the_others),
        cmocka_unit_test(the_entry_says_what_was_found_out),
        cmocka_unit_test(a_registration_that_replaces_another_needs_a_confirmation),
        cmocka_unit_test(a_request_for_another_authority_goes_no_further),
        cmocka_unit_test(weak_keys_are_refused),
    };

    return cmocka_run_group_tests(tests, people_set_up, people_tear_down);
}
