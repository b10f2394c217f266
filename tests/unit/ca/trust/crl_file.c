/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/trust/crl_file.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/support/forge.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

static long
number_of(X509_CRL *crl)
{
    CLEANUP(asn1_integer_cleanup)
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);

    return ASN1_INTEGER_get(number);
}

static void
a_file_is_read_when_it_has_changed_and_only_then(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/x.crl", dir);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    const struct forge root = {.subject = "O=Vendor/CN=Root",
                               .key = key,
                               .not_before = clock_now() - 1000,
                               .not_after = clock_now() + 1000,
                               .extensions = {FORGE_CA}};
    CLEANUP(x509_cleanup) X509 *issuer = forge_certificate(&root);
    struct forge_crl first = {.issuer = issuer,
                              .issuer_key = key,
                              .this_update = clock_now() - 10,
                              .next_update = clock_now() + 1000,
                              .number = "1"};
    CLEANUP(x509_crl_cleanup) X509_CRL *one = forge_crl(&first);
    CLEANUP(x509_crl_cleanup) X509_CRL *two = NULL;
    CLEANUP(x509_crl_cleanup) X509_CRL *a = NULL;
    CLEANUP(x509_crl_cleanup) X509_CRL *b = NULL;
    CLEANUP(x509_crl_cleanup) X509_CRL *c = NULL;
    X509_CRL *none = NULL;
    struct crl_file *f = crl_file_new(path);
    struct err e = {0};

    (void)state;
    assert_string_equal(crl_file_path(f), path);
    assert_int_equal(crl_file_get(f, &none, &e), CRL_FILE_MISSING);
    forge_crl_write(one, path);
    assert_int_equal(crl_file_get(f, &a, &e), CRL_FILE_GOOD);
    assert_int_equal(crl_file_get(f, &b, &e), CRL_FILE_GOOD);
    assert_ptr_equal(a, b); /* not read twice */
    first.number = "2";
    two = forge_crl(&first);
    forge_crl_write(two, path); /* by a rename: another inode */
    assert_int_equal(crl_file_get(f, &c, &e), CRL_FILE_GOOD);
    assert_int_equal(number_of(a), 1);
    assert_int_equal(number_of(c), 2);
    assert_ok(file_write(path, SPAN_LITERAL("not a CRL"), 0644, &e), &e);
    assert_int_equal(crl_file_get(f, &none, &e), CRL_FILE_BAD);
    assert_null(none);
    forge_crl_write(one, path);
    X509_CRL_free(c);
    c = NULL;
    assert_int_equal(crl_file_get(f, &c, &e), CRL_FILE_GOOD);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(crl_file_get(f, &none, &e), CRL_FILE_MISSING);
    crl_file_free(f);
}

static void
what_is_no_good_crl_is_bad(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/x.crl", dir);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    const struct forge root = {.subject = "O=Vendor/CN=Root",
                               .key = key,
                               .not_before = clock_now() - 1000,
                               .not_after = clock_now() + 1000,
                               .extensions = {FORGE_CA}};
    CLEANUP(x509_cleanup) X509 *issuer = forge_certificate(&root);
    const struct forge_crl numberless = {.issuer = issuer,
                                         .issuer_key = key,
                                         .this_update = clock_now() - 10,
                                         .next_update = clock_now() + 1000};
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = forge_crl(&numberless);
    struct crl_file *f = crl_file_new(path);
    X509_CRL *none = NULL;
    struct err e = {0};

    (void)state;
    forge_crl_write(crl, path);
    assert_int_equal(crl_file_get(f, &none, &e), CRL_FILE_BAD);
    assert_non_null(strstr(e.text, "cRLNumber"));
    forge_certificate_write(issuer, path);
    assert_int_equal(crl_file_get(f, &none, &e), CRL_FILE_BAD);
    crl_file_free(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_when_it_has_changed_and_only_then),
        cmocka_unit_test(what_is_no_good_crl_is_bad),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
