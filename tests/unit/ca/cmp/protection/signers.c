/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of protection certificates is decoded once; and nothing else is taken for it. */
#include "ca/cmp/protection/signers.h"

#include <string.h>

#include "ca/cmp/protection/protect.h"
#include "tests/unit/ca/cmp/fixture.h"

static struct buf
der_of(const char *file)
{
    CLEANUP(x509_cleanup) X509 *certificate = vector_cert(file);
    struct buf der = BUF_INIT(SIGNERS_SIZE_MAX);
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, certificate, &der, &e), &e);
    return der;
}

/* Of the same octets two times: are they one object? */
static bool
is_decoded_once(struct span der)
{
    struct err e = {0};
    CLEANUP(x509_cleanup) X509 *one = cmp_signer_decode(der, &e);
    CLEANUP(x509_cleanup) X509 *two = cmp_signer_decode(der, &e);

    assert_non_null(one);
    assert_non_null(two);
    assert_int_equal(X509_cmp(one, two), 0);
    assert_non_null(X509_get0_pubkey(two));
    return one == two;
}

static void
they_are_decoded_once_as_long_as_they_are_kept(void **state)
{
    CLEANUP(buf_free) struct buf der = der_of("dev.crt");

    (void)state;
    assert_false(is_decoded_once(buf_span(&der)));
    signers_keep();
    assert_true(is_decoded_once(buf_span(&der)));
    signers_forget();
    assert_false(is_decoded_once(buf_span(&der)));
}

static void
each_octet_counts(void **state)
{
    CLEANUP(buf_free) struct buf der = der_of("dev.crt");
    struct err e = {0};

    (void)state;
    signers_keep();
    assert_true(is_decoded_once(buf_span(&der)));
    for (size_t i = 0; i < der.n; i += 7) {
        CLEANUP(x509_cleanup) X509 *kept = cmp_signer_decode(buf_span(&der), &e);
        CLEANUP(x509_cleanup) X509 *other = NULL;

        der.p[i] ^= 1;
        other = cmp_signer_decode(buf_span(&der), &e); /* or it does not decode */
        der.p[i] ^= 1;
        assert_non_null(kept);
        assert_ptr_not_equal(other, kept);
    }
    assert_null(cmp_signer_decode(span_of(der.p, der.n - 1), &e));
    signers_forget();
}

static void
so_many_are_kept_and_no_large_ones(void **state)
{
    CLEANUP(x509_cleanup) X509 *first = vector_cert("dev.crt");
    CLEANUP(x509_cleanup) X509 *second = vector_cert("rsa.crt");
    uint8_t hash[SHA256_SIZE] = {1};
    uint8_t same_place[SHA256_SIZE] = {1 + SIGNERS_KEPT};
    X509 *found;

    (void)state;
    signers_keep();
    signers_add(hash, SIGNERS_SIZE_MAX + 1, first);
    assert_null(signers_find(hash));
    signers_add(hash, SIGNERS_SIZE_MAX, first);
    found = signers_find(hash);
    assert_ptr_equal(found, first);
    X509_free(found);
    assert_null(signers_find(same_place));
    signers_add(same_place, 1, second);
    assert_null(signers_find(hash));
    found = signers_find(same_place);
    assert_ptr_equal(found, second);
    X509_free(found);
    signers_forget();
    assert_null(signers_find(same_place));
    signers_add(hash, 1, first);
    assert_null(signers_find(hash));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_decoded_once_as_long_as_they_are_kept),
        cmocka_unit_test(each_octet_counts),
        cmocka_unit_test(so_many_are_kept_and_no_large_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
