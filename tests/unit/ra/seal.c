/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/seal.h"

#include <string.h>

#include "tests/support/test.h"

static const uint8_t key_octets[SEAL_KEY_SIZE] = {1, 2, 3};

static struct span
key(void)
{
    return span_of(key_octets, sizeof(key_octets));
}

static void
a_sealed_secret_opens_under_its_key_and_id_only(void **state)
{
    CLEANUP(buf_free) struct buf secret = BUF_SECRET(SEAL_SECRET_SIZE);
    CLEANUP(buf_free) struct buf sealed = BUF_INIT(SEAL_SECRET_SIZE + SEAL_OVERHEAD);
    CLEANUP(buf_free) struct buf opened = BUF_SECRET(SEAL_SECRET_SIZE);
    uint8_t other[SEAL_KEY_SIZE] = {1, 2, 4};
    struct err e;

    (void)state;
    assert_ok(seal_make_secret(&secret, &e), &e);
    assert_int_equal(secret.n, SEAL_SECRET_SIZE);
    assert_ok(seal_close(key(), "id", buf_span(&secret), &sealed, &e), &e);
    assert_null(memmem(sealed.p, sealed.n, secret.p, 8));
    assert_ok(seal_open(key(), "id", buf_span(&sealed), &opened, &e), &e);
    assert_true(span_equal_secret(buf_span(&secret), buf_span(&opened)));
    assert_err(seal_open(key(), "di", buf_span(&sealed), &opened, &e), ERR_CRYPTO, &e);
    assert_int_equal(opened.n, 0);
    assert_err(seal_open(span_of(other, sizeof(other)), "id", buf_span(&sealed), &opened, &e),
               ERR_CRYPTO, &e);
}

static void
every_flipped_octet_and_every_cut_is_noticed(void **state)
{
    CLEANUP(buf_free) struct buf sealed = BUF_INIT(SEAL_SECRET_SIZE + SEAL_OVERHEAD);
    CLEANUP(buf_free) struct buf opened = BUF_SECRET(SEAL_SECRET_SIZE);
    struct err e;

    (void)state;
    assert_ok(seal_close(key(), "id", SPAN_LITERAL("a secret of the right kind"), &sealed, &e), &e);
    for (size_t i = 0; i < sealed.n; i++) {
        sealed.p[i] ^= 1;
        assert_err(seal_open(key(), "id", buf_span(&sealed), &opened, &e), ERR_CRYPTO, &e);
        sealed.p[i] ^= 1;
        assert_err(seal_open(key(), "id", span_of(sealed.p, i), &opened, &e), ERR_CRYPTO, &e);
    }
    assert_ok(seal_open(key(), "id", buf_span(&sealed), &opened, &e), &e);
}

static void
references_are_short_and_differ(void **state)
{
    char a[SEAL_REFERENCE_SIZE + 1];
    char b[SEAL_REFERENCE_SIZE + 1];
    struct err e;

    (void)state;
    assert_ok(seal_make_reference(a, &e), &e);
    assert_ok(seal_make_reference(b, &e), &e);
    assert_int_equal(strlen(a), SEAL_REFERENCE_SIZE);
    assert_string_not_equal(a, b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sealed_secret_opens_under_its_key_and_id_only),
        cmocka_unit_test(every_flipped_octet_and_every_cut_is_noticed),
        cmocka_unit_test(references_are_short_and_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
