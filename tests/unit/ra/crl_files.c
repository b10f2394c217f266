/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/crl_files.h"

#include <string.h>

#include "base/file.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

enum { THEN = 1795464000 };

static X509_NAME *
name_of(const char *common_name)
{
    X509_NAME *name = X509_NAME_new();

    assert_int_equal(X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                                (const unsigned char *)common_name, -1, -1, 0),
                     1);
    return name;
}

/* DER of an empty CRL of this issuer. */
static void
write_crl(const char *dir, const char *file, const char *issuer)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", dir, file);
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = X509_CRL_new();
    CLEANUP(x509_name_cleanup) X509_NAME *name = name_of(issuer);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(buf_free) struct buf der = BUF_INIT(4096);
    ASN1_TIME *t = ASN1_TIME_set(NULL, THEN);
    struct err e;

    assert_int_equal(X509_CRL_set_version(crl, X509_CRL_VERSION_2), 1);
    assert_int_equal(X509_CRL_set_issuer_name(crl, name), 1);
    assert_int_equal(X509_CRL_set1_lastUpdate(crl, t), 1);
    ASN1_TIME_free(t);
    t = ASN1_TIME_set(NULL, THEN + 60);
    if (strcmp(issuer, "a") == 0) {
        assert_int_equal(X509_CRL_set1_nextUpdate(crl, t), 1);
    }
    ASN1_TIME_free(t);
    assert_true(X509_CRL_sign(crl, key, EVP_sha256()) > 0);
    assert_ok(OSSL_ENCODE(X509_CRL, crl, &der, &e), &e);
    assert_ok(file_write(path, buf_span(&der), 0600, &e), &e);
}

static void
every_crl_of_the_folder_is_read_and_nothing_else(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *broken = mem_printf("%s/broken.crl", dir);
    CLEANUP(mem_cleanup) char *other = mem_printf("%s/readme.txt", dir);
    CLEANUP(crl_files_cleanup) struct crl_files *c = NULL;
    CLEANUP(x509_name_cleanup) X509_NAME *a = name_of("a");
    struct err e;

    (void)state;
    write_crl(dir, "second.crl", "b");
    write_crl(dir, "first.crl", "a");
    assert_ok(file_write(broken, SPAN_LITERAL("0"), 0600, &e), &e);
    assert_ok(file_write(other, SPAN_LITERAL("text"), 0600, &e), &e);
    c = crl_files_read(dir, &e);
    if (c == NULL) {
        fail_msg("%s", e.text);
        return;
    }
    assert_int_equal(c->n, 2);
    assert_string_equal(c->files[0].name, "first.crl");
    assert_string_equal(c->files[1].name, "second.crl");
    assert_int_equal(c->files[0].this_update, THEN);
    assert_int_equal(c->files[0].next_update, THEN + 60);
    assert_int_equal(c->files[1].next_update, 0);
    assert_true(crl_file_is_of(&c->files[0], a));
    assert_false(crl_file_is_of(&c->files[1], a));
}

static void
a_distribution_point_names_a_file_by_its_last_part(void **state)
{
    const struct crl_file file = {.name = "issuing.crl"};

    (void)state;
    assert_true(crl_file_is_at(&file, SPAN_LITERAL("http://pki.example/crl/issuing.crl")));
    assert_false(crl_file_is_at(&file, SPAN_LITERAL("http://pki.example/crl/non-issuing.crl")));
    assert_false(crl_file_is_at(&file, SPAN_LITERAL("issuing.crl")));
    assert_false(crl_file_is_at(&file, SPAN_LITERAL("http://pki.example/crl/issuing.crl?x")));
    assert_false(crl_file_is_at(&file, SPAN_LITERAL("")));
}

static void
a_folder_that_is_not_there_is_an_error(void **state)
{
    struct err e;

    (void)state;
    assert_null(crl_files_read("/nonexistent/nfpki", &e));
    assert_int_equal(e.code, ERR_IO);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_crl_of_the_folder_is_read_and_nothing_else),
        cmocka_unit_test(a_distribution_point_names_a_file_by_its_last_part),
        cmocka_unit_test(a_folder_that_is_not_there_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
