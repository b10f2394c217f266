/* SPDX-License-Identifier: Apache-2.0 */
/* Who may ask what with a genm, and who waits for a CRL. */
#include "ra/judge/message/support.h"

#include "tests/unit/ra/judge/message/asked.h"

/* ---- questions ---- */

/* ---- what is asked ---- */

static void
a_question_that_is_none_is_refused(void **state)
{
    struct fixture *f = *state;
    const struct cmp_client client = fixture_mac(f, OPEN);
    CLEANUP(buf_free) struct buf root = BUF_INIT(CONTENT_MAX);
    CLEANUP(buf_free) struct buf name = asked_uri("http://pki.example/crl/other.crl");
    struct wish many[CMP_CRL_STATUS_MAX + 1];
    CLEANUP(buf_free) struct buf most = {0};
    CLEANUP(buf_free) struct buf more = {0};
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        many[i] = (struct wish){.name = buf_span(&name)};
    }
    most = asked_wishes(many, CMP_CRL_STATUS_MAX);
    more = asked_wishes(many, CMP_CRL_STATUS_MAX + 1);
    assert_ok(OSSL_ENCODE(X509, f->pki->root, &root, &e), &e);
    {
        const struct {
            const char *name;
            size_t n; /* questions */
            uint8_t arc;
            struct span value;
            struct fixture_verdict verdict;
        } rows[] = {
            {"caCerts", 1, CA_CERTS, {0}, {FIXTURE_TAKEN, CMP_NO_FAILURE, "", PHRASE_NONE}},
            {"none", 0, CA_CERTS, {0}, {FIXTURE_REQUEST, CMP_BAD_REQUEST, "", PHRASE_GENM}},
            {"two", 2, CA_CERTS, {0}, {FIXTURE_REQUEST, CMP_BAD_REQUEST, "", PHRASE_GENM}},
            {"an unknown one", 1, 99, {0}, {FIXTURE_REQUEST, CMP_BAD_REQUEST, "", PHRASE_GENM}},
            {"caCerts with a value",
             1,
             CA_CERTS,
             SPAN_LITERAL("\x30\x00"),
             {FIXTURE_REQUEST, CMP_BAD_REQUEST, "", PHRASE_GENM}},
            {"rootCaCert, of any", 1, ROOT, {0}, {FIXTURE_TAKEN, CMP_NO_FAILURE, "", PHRASE_NONE}},
            {"rootCaCert, of this",
             1,
             ROOT,
             buf_span(&root),
             {FIXTURE_TAKEN, CMP_NO_FAILURE, "", PHRASE_NONE}},
            {"rootCaCert, of no certificate",
             1,
             ROOT,
             SPAN_LITERAL("\x30\x03\x02\x01\x01"),
             {FIXTURE_REQUEST, CMP_BAD_DATA_FORMAT, "not an X.509 certificate", PHRASE_NONE}},
            {"crlStatusList, of 16",
             1,
             CRLS,
             buf_span(&most),
             {FIXTURE_TAKEN, CMP_NO_FAILURE, "", PHRASE_NONE}},
            {"crlStatusList, of 17",
             1,
             CRLS,
             buf_span(&more),
             {FIXTURE_REQUEST, CMP_BAD_REQUEST, "", PHRASE_NONE}},
            {"crlStatusList, of nothing",
             1,
             CRLS,
             SPAN_LITERAL("\x30\x00"),
             {FIXTURE_REQUEST, CMP_BAD_DATA_FORMAT, "", PHRASE_NONE}},
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            CLEANUP(buf_free) struct buf infos = BUF_INIT(CONTENT_MAX);
            CLEANUP(buf_free) struct buf raw = {0};
            struct job *job;

            for (size_t k = 0; k < rows[i].n; k++) {
                asked_add(&infos, rows[i].arc, rows[i].value);
            }
            raw = asked_genm(f, &client, buf_span(&infos));
            job = fixture_job(f, buf_span(&raw));
            assert_int_equal(fixture_expect(job, &rows[i].verdict, rows[i].name), 0);
            assert_false(job->in_body); /* genp has no place for a refusal */
            job_free(job);
        }
    }
}

/* A secret ends with its registration; who has a certificate may ask on. */
static void
a_secret_asks_as_long_as_its_registration_is_open(void **state)
{
    struct fixture *f = *state;
    const struct {
        const char *reference;
        struct fixture_verdict verdict;
    } rows[] = {
        {ENDS_AT_NOW, {FIXTURE_TAKEN, CMP_NO_FAILURE, "", PHRASE_NONE}},
        {ENDED, {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED, "the registration has ended", PHRASE_ENDED}},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct cmp_client client = fixture_mac(f, rows[i].reference);
        CLEANUP(buf_free) struct buf infos = BUF_INIT(CONTENT_MAX);
        CLEANUP(buf_free) struct buf raw = {0};
        struct job *job;

        asked_add(&infos, CA_CERTS, span_of(NULL, 0));
        raw = asked_genm(f, &client, buf_span(&infos));
        job = fixture_job(f, buf_span(&raw));
        assert_int_equal(fixture_expect(job, &rows[i].verdict, rows[i].reference), 0);
        job_free(job);
    }
}

/* ---- a CRL that is not there yet ---- */

static void
who_asks_for_our_crl_waits_for_a_current_one(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buf_free) struct buf ours = asked_directory(X509_get_subject_name(f->pki->issuing));
    CLEANUP(buf_free) struct buf others = asked_directory(X509_get_subject_name(f->pki->root));
    CLEANUP(buf_free) struct buf point = asked_uri("http://pki.example/crl/issuing.crl");
    CLEANUP(buf_free) struct buf other_point = asked_uri("http://pki.example/crl/root.crl");
    enum { NONE = -1, CURRENT = 60, AT_NOW = 0, STALE = -1000 };
    const struct {
        const char *name;
        uint8_t arc;
        struct wish wish;
        int crl; /* what is there: seconds until its end */
        bool waits;
    } rows[] = {
        {"currentCRL, none", CURRENT_CRL, {0}, NONE, true},
        {"currentCRL, current", CURRENT_CRL, {0}, CURRENT, false},
        {"currentCRL, to its last second", CURRENT_CRL, {0}, AT_NOW, false},
        {"currentCRL, stale", CURRENT_CRL, {0}, STALE, true},
        {"our issuer", CRLS, {.of_issuer = true, .name = buf_span(&ours)}, STALE, true},
        {"our issuer, current", CRLS, {.of_issuer = true, .name = buf_span(&ours)}, CURRENT, false},
        {"our point by its name", CRLS, {.name = buf_span(&ours)}, STALE, true},
        {"our point", CRLS, {.name = buf_span(&point)}, STALE, true},
        {"an issuer of that URI",
         CRLS,
         {.of_issuer = true, .name = buf_span(&point)},
         STALE,
         false},
        {"another issuer", CRLS, {.of_issuer = true, .name = buf_span(&others)}, STALE, false},
        {"another point", CRLS, {.name = buf_span(&other_point)}, STALE, false},
        {"caCerts", CA_CERTS, {0}, NONE, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf raw = {0};
        CLEANUP(buf_free) struct buf value = {0};
        struct job *job;

        asked_remove_crls(f);
        if (rows[i].crl != NONE) {
            fixture_crl(f, NULL, rows[i].crl);
        }
        if (rows[i].arc == CRLS) {
            value = asked_wishes(&rows[i].wish, 1);
        }
        job = asked(f, rows[i].arc, buf_span(&value), &raw);
        if (job->facts.question.waits != rows[i].waits) {
            fail_msg("%s", rows[i].name);
        }
        job_free(job);
    }
    asked_remove_crls(f);
}

/* No folder, or one that cannot be read: nobody waits for what will not come. */
static void
without_a_folder_of_crls_nobody_waits(void **state)
{
    struct fixture *f = *state;
    char *dir = f->settings->crl_dir;
    static char nowhere[] = "/nonexistent/crl";
    CLEANUP(buf_free) struct buf raw = {0};
    CLEANUP(buf_free) struct buf again = {0};
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_SUPPORT_MAX);
    CLEANUP(buf_free) struct buf other = BUF_INIT(CMP_SUPPORT_MAX);
    struct job *without;
    struct job *unreadable;
    struct err e = {0};

    f->settings->crl_dir = NULL;
    without = asked(f, CURRENT_CRL, span_of(NULL, 0), &raw);
    assert_false(without->facts.question.waits);
    assert_ok(support_body(without, &body, &e), &e);
    assert_int_equal(without->failure, CMP_NO_FAILURE);
    assert_true(body.n < 40); /* the type alone */
    f->settings->crl_dir = nowhere;
    unreadable = asked(f, CURRENT_CRL, span_of(NULL, 0), &again);
    assert_false(unreadable->facts.question.waits);
    assert_int_equal(support_body(unreadable, &other, &e), -1);
    assert_int_equal(unreadable->failure, CMP_SYSTEM_FAILURE);
    f->settings->crl_dir = dir;
    job_free(without);
    job_free(unreadable);
}

static void
a_poll_asks_the_kept_question_again(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buf_free) struct buf raw = {0};
    struct job *job = asked(f, CURRENT_CRL, span_of(NULL, 0), &raw);
    struct err e = {0};

    assert_true(job->facts.question.waits);
    job->enrolment.question = BUF_INIT(CONTENT_MAX);
    assert_ok(buf_set(&job->enrolment.question, cmp_msg_content(job->msg), &e), &e);
    fixture_crl(f, NULL, 60);
    job->facts.question.genm = (struct cmp_genm){0};
    assert_int_equal(support_poll(job), 0);
    assert_int_equal(job->facts.question.genm.info, CMP_INFO_CURRENT_CRL);
    assert_false(job->facts.question.waits);
    asked_remove_crls(f);
    assert_int_equal(support_poll(job), 0);
    assert_true(job->facts.question.waits);
    buf_truncate(&job->enrolment.question, 1);
    assert_int_equal(support_poll(job), -1);
    assert_int_equal(job->failure, CMP_SYSTEM_FAILURE);
    job_free(job);
}

/* ---- answers ---- */

/* A secret ends with the registration that it was made for, a certificate does not. */
static void
who_has_a_certificate_asks_when_the_registration_has_ended(void **state)
{
    struct fixture *f = *state;
    CLEANUP(x509_cleanup) X509 *certificate = fixture_certificate(f, FIXTURE_OTHER_NF, f->key);
    const struct cmp_client client = fixture_signer(f, certificate, f->key);
    CLEANUP(buf_free) struct buf infos = BUF_INIT(CONTENT_MAX);
    CLEANUP(buf_free) struct buf raw = {0};
    char id[REGISTRATION_ID_SIZE];
    struct job *job;

    fixture_register(f,
                     &(struct fixture_registration){.reference = "certified",
                                                    .instance = FIXTURE_OTHER_NF,
                                                    .not_after = f->now - 1},
                     id);
    fixture_deliver(f, certificate, id, "nf-tls");
    asked_add(&infos, CA_CERTS, span_of(NULL, 0));
    raw = asked_genm(f, &client, buf_span(&infos));
    job = fixture_job(f, buf_span(&raw));
    assert_int_equal(fixture_expect(job, &(struct fixture_verdict)FIXTURE_GOOD, "a certificate"),
                     0);
    job_free(job);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_that_is_none_is_refused),
        cmocka_unit_test(a_secret_asks_as_long_as_its_registration_is_open),
        cmocka_unit_test(who_asks_for_our_crl_waits_for_a_current_one),
        cmocka_unit_test(without_a_folder_of_crls_nobody_waits),
        cmocka_unit_test(a_poll_asks_the_kept_question_again),
        cmocka_unit_test(who_has_a_certificate_asks_when_the_registration_has_ended),
    };

    return cmocka_run_group_tests(tests, asked_setup, fixture_teardown);
}
