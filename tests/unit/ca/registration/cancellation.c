/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/registration/cancellation.h"

#include <string.h>

#include "tests/support/pki.h"
#include "tests/support/test.h"

enum { DAY = 24 * 60 * 60 };

#define ID "00112233445566778899aabbccddeeff"

static void
a_document_comes_back_as_it_went(void **state)
{
    const struct cancellation c = {.registration = ID, .time = PKI_NOW};
    CLEANUP(mem_cleanup) char *text = cancellation_format(&c);
    struct cancellation back = {0};
    struct err e = {0};

    (void)state;
    assert_string_equal(text, "{\"version\":1,\"cancel\":{\"registrationId\":\"" ID "\","
                              "\"time\":\"2026-09-21T14:13:20Z\"}}\n");
    assert_ok(cancellation_parse(span_str(text), &back, &e), &e);
    assert_string_equal(back.registration, ID);
    assert_int_equal(back.time, PKI_NOW);
}

static void
another_document_is_refused_and_says_why(void **state)
{
    static const struct {
        const char *text;
        const char *says;
    } rows[] = {
        {"", "not JSON"},
        {"[]", "cancellation"},
        {"{\"version\":1}", "cancel"},
        {"{\"version\":2,\"cancel\":{\"registrationId\":\"" ID
         "\",\"time\":\"2026-09-21T14:13:20Z\"}}",
         "version"},
        {"{\"version\":1,\"cancel\":{\"registrationId\":\"" ID "\"}}", "time"},
        {"{\"version\":1,\"cancel\":{\"time\":\"2026-09-21T14:13:20Z\"}}", "registrationId"},
        {"{\"version\":1,\"cancel\":{\"registrationId\":\"00\",\"time\":\"2026-09-21T14:13:20Z\"}}",
         "cancel.registrationId"},
        {"{\"version\":1,\"cancel\":{\"registrationId\":\"" ID "\",\"time\":\"yesterday\"}}",
         "cancel.time"},
        {"{\"version\":0,\"cancel\":{\"registrationId\":\"" ID
         "\",\"time\":\"2026-09-21T14:13:20Z\"}}",
         "version"},
        {"{\"version\":1,\"cancel\":{\"registrationId\":\"" ID
         "0\",\"time\":\"2026-09-21T14:13:20Z\"}}",
         "cancel.registrationId: must be 32"},
        {"{\"version\":1,\"cancel\":{\"registrationId\":\"" ID
         "\",\"time\":\"2026-09-31T14:13:20Z\"}}",
         "cancel.time: must be a time"},
        {"{\"version\":1,\"more\":1,\"cancel\":{\"registrationId\":\"" ID
         "\",\"time\":\"2026-09-21T14:13:20Z\"}}",
         "more"},
        {"{\"version\":1,\"cancel\":{\"registrationId\":\"" ID
         "\",\"time\":\"2026-09-21T14:13:20Z\",\"also\":1}}",
         "also"},
        {"{\"version\":1,\"version\":1,\"cancel\":{\"registrationId\":\"" ID
         "\",\"time\":\"2026-09-21T14:13:20Z\"}}",
         "duplicate"},
        {"{\"version\":1,\"cancel\":{\"registrationId\":\"" ID
         "\",\"time\":\"2026-09-21T14:13:20Z\"}}x",
         "not JSON"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cancellation c;
        struct err e = {0};

        assert_err(cancellation_parse(span_str(rows[i].text), &c, &e), ERR_INPUT, &e);
        if (strstr(e.text, rows[i].says) == NULL) {
            fail_msg("row %zu: %s", i, e.text);
        }
    }
}

static void
it_is_good_for_seven_days_and_with_some_skew(void **state)
{
    static const struct {
        time_t signed_at; /* against PKI_NOW + 10 days */
        const char *says; /* NULL: good */
    } rows[] = {
        {0, NULL},
        {CANCELLATION_SKEW_S, NULL},
        {CANCELLATION_SKEW_S + 1, "in the future"},
        {-(time_t)CANCELLATION_DAYS * DAY, NULL},
        {-(time_t)CANCELLATION_DAYS * DAY - 1, "days ago"},
    };
    const time_t at = PKI_NOW + (time_t)10 * DAY;
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-256", "P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *registrar = pki_issue_officer(pki, "registrar", key);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct cancellation c = {.registration = ID, .time = at + rows[i].signed_at};
        CLEANUP(mem_cleanup) char *text = cancellation_format(&c);
        CLEANUP(buf_free) struct buf cms = pki_cms(span_str(text), registrar, key);
        struct err e = {0};
        CLEANUP(cancellation_signed_cleanup)
        struct cancellation_signed *signed_ =
            cancellation_verify(buf_span(&cms), pki->issuing, pki->root, at, &e);

        if ((signed_ != NULL) != (rows[i].says == NULL) ||
            (signed_ == NULL && strstr(e.text, rows[i].says) == NULL)) {
            fail_msg("row %zu: %s", i, e.text);
        }
    }
}

/* A cancellation must fit into a leaf of the record, though an envelope may be longer. */
static void
it_is_taken_up_to_its_limit(void **state)
{
    const struct cancellation c = {.registration = ID, .time = PKI_NOW};
    CLEANUP(mem_cleanup) char *text = cancellation_format(&c);
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-256", "P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *registrar = pki_issue_officer(pki, "registrar", key);

    (void)state;
    for (size_t over = 0; over < 2; over++) {
        const size_t wanted = CANCELLATION_CMS_MAX + over;
        CLEANUP(buf_free) struct buf cms = pki_cms(span_str(text), registrar, key);
        CLEANUP(cancellation_signed_cleanup) struct cancellation_signed *got = NULL;
        size_t blanks = wanted - cms.n - 8;
        struct err e = {0};

        /* The length of a signature differs by an octet or two. */
        for (int tries = 0; cms.n != wanted; tries++) {
            CLEANUP(buf_free) struct buf document = BUF_INIT((size_t)2 * CANCELLATION_CMS_MAX);

            assert_true(tries < 100);
            assert_ok(buf_append_str(&document, text, &e), &e);
            memset(buf_extend(&document, blanks, &e), ' ', blanks);
            buf_free(&cms);
            cms = pki_cms(buf_span(&document), registrar, key);
            blanks = blanks + wanted - cms.n;
        }
        got = cancellation_verify(buf_span(&cms), pki->issuing, pki->root, PKI_NOW, &e);
        if (over == 0) {
            assert_non_null(got);
        } else {
            assert_null(got);
            assert_int_equal(e.code, ERR_INPUT);
            assert_string_equal(e.text, "cancellation: longer than 16384 octets");
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_comes_back_as_it_went),
        cmocka_unit_test(another_document_is_refused_and_says_why),
        cmocka_unit_test(it_is_good_for_seven_days_and_with_some_skew),
        cmocka_unit_test(it_is_taken_up_to_its_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
