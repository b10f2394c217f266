/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/update.h"

#include "tests/unit/ca/cmp/fixture.h"

/* The kur of the vectors is signed with dev.crt and names it in oldCertId. */
static void
a_kur_is_about_the_certificate_that_signs_it(void **state)
{
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = vector_msg("sig-kur.der");
    CLEANUP(x509_cleanup) X509 *certificate = vector_cert("dev.crt");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(x509_cleanup) X509 *other = certificate_of(key, "other");
    CLEANUP(cmp_certreq_cleanup) struct cmp_certreq *asked = NULL;
    enum cmp_failure failure = CMP_NO_FAILURE;
    struct err e = {0};

    (void)state;
    asked = cmp_certreq_read(msg, &failure, &e);
    assert_non_null(asked);
    assert_ok(cmp_certreq_check_update(asked, certificate, &failure, &e), &e);
    assert_int_equal(cmp_certreq_check_update(asked, other, &failure, &e), -1);
    assert_int_equal(failure, CMP_BAD_CERT_ID);
}

static struct cmp_msg *
kur(const X509_NAME *subject, EVP_PKEY *key, X509 *certificate)
{
    const struct cmp_client client = {.certificate = certificate, .key = key};
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
    struct cmp_client_state state;
    struct cmp_msg *msg;
    struct err e = {0};

    assert_ok(cmp_client_request(&client, CMP_KUR, key, subject, &state, &der, &e), &e);
    msg = cmp_msg_parse(buf_span(&der), CMP_MESSAGE_MAX, &e);
    assert_non_null(msg);
    return msg;
}

static void
its_names_are_absent_or_the_same(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(x509_cleanup) X509 *certificate = certificate_of(key, "nf");
    CLEANUP(x509_name_cleanup) X509_NAME *other = name_of("another");
    const struct {
        const X509_NAME *subject;
        enum cmp_failure failure;
    } rows[] = {
        {NULL, CMP_NO_FAILURE},
        {X509_get_subject_name(certificate), CMP_NO_FAILURE},
        {other, CMP_NOT_AUTHORIZED},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = kur(rows[i].subject, key, certificate);
        CLEANUP(cmp_certreq_cleanup) struct cmp_certreq *asked = NULL;
        enum cmp_failure failure = CMP_NO_FAILURE;
        struct err e = {0};

        print_message("row %zu\n", i);
        asked = cmp_certreq_read(msg, &failure, &e);
        assert_non_null(asked);
        assert_int_equal(cmp_certreq_check_update(asked, certificate, &failure, &e),
                         rows[i].failure == CMP_NO_FAILURE ? 0 : -1);
        assert_int_equal(failure, rows[i].failure);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kur_is_about_the_certificate_that_signs_it),
        cmocka_unit_test(its_names_are_absent_or_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
