/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/secret/seal.h"

#include <openssl/hmac.h>
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

/* 1 to 128 octets are sealed, and what is opened replaces what was there. */
static void
a_secret_has_a_size(void **state)
{
    static const struct {
        size_t n;
        bool sealed;
    } rows[] = {{0, false}, {1, true}, {128, true}, {129, false}};
    uint8_t octets[129] = {7};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf sealed = BUF_INIT(256);
        CLEANUP(buf_free) struct buf opened = BUF_SECRET(256);
        struct err e;

        assert_ok(buf_append_str(&sealed, "before", &e), &e);
        assert_ok(buf_append_str(&opened, "before", &e), &e);
        if (!rows[i].sealed) {
            assert_err(seal_close(key(), "id", span_of(octets, rows[i].n), &sealed, &e), ERR_INPUT,
                       &e);
            assert_non_null(strstr(e.text, "a secret of"));
            continue;
        }
        assert_ok(seal_close(key(), "id", span_of(octets, rows[i].n), &sealed, &e), &e);
        assert_int_equal(sealed.n, SEAL_OVERHEAD + rows[i].n);
        assert_ok(seal_open(key(), "id", buf_span(&sealed), &opened, &e), &e);
        assert_true(span_equal(buf_span(&opened), span_of(octets, rows[i].n)));
    }
}

/* What cannot be one of ours is not even tried. */
static void
what_is_sealed_has_a_form(void **state)
{
    uint8_t octets[SEAL_OVERHEAD + 129] = {1};
    CLEANUP(buf_free) struct buf opened = BUF_SECRET(256);
    CLEANUP(buf_free) struct buf small = BUF_SECRET(4);
    CLEANUP(buf_free) struct buf sealed = BUF_INIT(256);
    static const struct {
        const char *name;
        size_t n;
        uint8_t version;
        const char *why;
    } rows[] = {
        {"nothing", 0, 1, "is not one of ours"},
        {"no secret in it", SEAL_OVERHEAD, 1, "is not one of ours"},
        {"one octet", SEAL_OVERHEAD + 1, 1, "does not open"},
        {"the most", SEAL_OVERHEAD + 128, 1, "does not open"},
        {"one more", SEAL_OVERHEAD + 129, 1, "is not one of ours"},
        {"another version", SEAL_OVERHEAD + 32, 2, "is not one of ours"},
        {"version 0", SEAL_OVERHEAD + 32, 0, "is not one of ours"},
    };
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        octets[0] = rows[i].version;
        assert_err(seal_open(key(), "id", span_of(octets, rows[i].n), &opened, &e), ERR_CRYPTO, &e);
        if (strstr(e.text, rows[i].why) == NULL) {
            fail_msg("%s: %s", rows[i].name, e.text);
        }
    }
    assert_ok(seal_close(key(), "id", SPAN_LITERAL("longer"), &sealed, &e), &e);
    assert_int_equal(seal_open(key(), "id", buf_span(&sealed), &small, &e), -1);
    assert_int_equal(seal_close(key(), "id", SPAN_LITERAL("longer"), &small, &e), -1);
}

static void
the_same_secret_is_sealed_otherwise_each_time(void **state)
{
    CLEANUP(buf_free) struct buf one = BUF_INIT(256);
    CLEANUP(buf_free) struct buf two = BUF_INIT(256);
    struct err e;

    (void)state;
    assert_ok(seal_close(key(), "id", SPAN_LITERAL("secret"), &one, &e), &e);
    assert_ok(seal_close(key(), "id", SPAN_LITERAL("secret"), &two, &e), &e);
    assert_memory_not_equal(one.p + 1, two.p + 1, 12); /* the nonce */
}

/* Each character of its alphabet, and no other one: 192 and 60 bits. */
static void
secrets_and_references_use_all_of_their_alphabet(void **state)
{
    static const char secrets[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    static const char references[] = "abcdefghijklmnopqrstuvwxyz234567";
    size_t seen[256] = {0};
    size_t seen_in_references[256] = {0};
    struct err e;

    (void)state;
    for (int i = 0; i < 300; i++) {
        CLEANUP(buf_free) struct buf secret = BUF_SECRET(SEAL_SECRET_SIZE);
        char reference[SEAL_REFERENCE_SIZE + 1];

        assert_ok(seal_make_secret(&secret, &e), &e);
        assert_ok(seal_make_secret(&secret, &e), &e); /* replaces */
        assert_int_equal(secret.n, SEAL_SECRET_SIZE);
        assert_ok(seal_make_reference(reference, &e), &e);
        for (size_t k = 0; k < secret.n; k++) {
            seen[secret.p[k]]++;
        }
        for (size_t k = 0; k < SEAL_REFERENCE_SIZE; k++) {
            seen_in_references[(uint8_t)reference[k]]++;
        }
    }
    for (int c = 0; c < 256; c++) {
        assert_int_equal(seen[c] > 0, c != 0 && strchr(secrets, c) != NULL);
        assert_int_equal(seen_in_references[c] > 0, c != 0 && strchr(references, c) != NULL);
    }
}

/* HMAC-SHA-256 under a key that is itself one of the seal key: one key, one use. */
static void
a_stamp_is_made_with_a_key_of_its_own(void **state)
{
    static const char purpose[] = "nfpki-ra: what is not signed yet";
    uint8_t own[SEAL_STAMP_SIZE];
    uint8_t expected[SEAL_STAMP_SIZE];
    uint8_t stamp[SEAL_STAMP_SIZE];
    struct err e;

    (void)state;
    assert_non_null(HMAC(EVP_sha256(), key_octets, sizeof(key_octets),
                         (const unsigned char *)purpose, strlen(purpose), own, NULL));
    assert_non_null(
        HMAC(EVP_sha256(), own, sizeof(own), (const unsigned char *)"octets", 6, expected, NULL));
    assert_ok(seal_stamp(key(), SPAN_LITERAL("octets"), stamp, &e), &e);
    assert_memory_equal(stamp, expected, sizeof(stamp));
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
        cmocka_unit_test(a_secret_has_a_size),
        cmocka_unit_test(what_is_sealed_has_a_form),
        cmocka_unit_test(the_same_secret_is_sealed_otherwise_each_time),
        cmocka_unit_test(secrets_and_references_use_all_of_their_alphabet),
        cmocka_unit_test(a_stamp_is_made_with_a_key_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
