/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/trust/crl_file.h"

#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>
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

static X509 *
root_of(EVP_PKEY *key)
{
    const struct forge root = {.subject = "O=Vendor/CN=Root",
                               .key = key,
                               .not_before = clock_now() - 1000,
                               .not_after = clock_now() + 1000,
                               .extensions = {FORGE_CA}};

    return forge_certificate(&root);
}

static void
a_file_is_read_when_it_has_changed_and_only_then(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/x.crl", dir);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(x509_cleanup) X509 *issuer = root_of(key);
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
    CLEANUP(x509_cleanup) X509 *issuer = root_of(key);
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

/* A good CRL with something behind it, in another label, as a folder. */
static void
a_file_is_one_crl_and_no_more(void **state)
{
    static const struct {
        const char *name;
        const char *says; /* NULL: good */
    } rows[] = {
        {"as it is", NULL},
        {"an octet more", "octets behind the CRL"},
        {"an octet less", "not a CRL"},
        {"PEM", NULL},
        {"PEM of another label", "CRL: the PEM block is not labelled X509 CRL"},
        {"nothing", "CRL: neither DER nor PEM"},
        {"a folder", ""},
    };
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(x509_cleanup) X509 *issuer = root_of(key);
    const struct forge_crl f = {.issuer = issuer,
                                .issuer_key = key,
                                .this_update = clock_now() - 10,
                                .next_update = clock_now() + 1000,
                                .number = "1"};
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = forge_crl(&f);
    CLEANUP(buf_free) struct buf der = BUF_INIT(64 * 1024);
    struct err e = {0};

    (void)state;
    assert_ok(OSSL_ENCODE(X509_CRL, crl, &der, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *path = mem_printf("%s/%zu.crl", dir, i);
        CLEANUP(buf_free) struct buf octets = BUF_INIT(64 * 1024);
        CLEANUP(bio_cleanup) BIO *bio = BIO_new(BIO_s_mem());
        CLEANUP(x509_crl_cleanup) X509_CRL *got = NULL;
        struct crl_file *file = crl_file_new(path);
        char *text;
        long n;
        enum crl_file_state found;

        assert_ok(buf_append(&octets, buf_span(&der), &e), &e);
        switch (i) {
        case 1:
            assert_ok(buf_append(&octets, SPAN_LITERAL("\0"), &e), &e);
            break;
        case 2:
            buf_truncate(&octets, octets.n - 1);
            break;
        case 3:
        case 4:
            assert_true(PEM_write_bio(bio, i == 3 ? "X509 CRL" : "CRL", "", der.p, (long)der.n) >
                        0);
            n = BIO_get_mem_data(bio, &text);
            assert_ok(buf_set(&octets, span_of(text, (size_t)n), &e), &e);
            break;
        case 5:
            buf_truncate(&octets, 0);
            break;
        default:
            break;
        }
        if (i == 6) {
            assert_int_equal(mkdir(path, 0700), 0);
        } else {
            assert_ok(file_write(path, buf_span(&octets), 0644, &e), &e);
        }
        e = (struct err){0};
        found = crl_file_get(file, &got, &e);
        if (found != (rows[i].says == NULL ? CRL_FILE_GOOD : CRL_FILE_BAD) ||
            (rows[i].says != NULL && strstr(e.text, rows[i].says) == NULL)) {
            fail_msg("%s: %d: %s", rows[i].name, (int)found, e.text);
        }
        crl_file_free(file);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_when_it_has_changed_and_only_then),
        cmocka_unit_test(what_is_no_good_crl_is_bad),
        cmocka_unit_test(a_file_is_one_crl_and_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
