/* SPDX-License-Identifier: Apache-2.0 */
#include "db/checkpoint.h"

#include <openssl/ec.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "tests/support/test.h"

static const char origin[] = "log.test/one";

struct fixture {
    EVP_PKEY *private;
    struct buf spki;
    struct log_key key;
    struct checkpoint checkpoint;
    struct buf text;
    struct buf signature;
    struct buf note;
};

static void
sign(EVP_PKEY *key, struct span text, struct buf *signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    struct err e = {0};
    uint8_t der[128];
    size_t n = sizeof(der);

    assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, "SHA2-256", NULL, NULL, key, NULL), 1);
    assert_int_equal(EVP_DigestSign(ctx, der, &n, text.p, text.n), 1);
    assert_ok(buf_set(signature, span_of(der, n), &e), &e);
    EVP_MD_CTX_free(ctx);
}

static int
set_up(void **state)
{
    struct fixture *f = mem_zalloc(1, sizeof(*f));
    struct err e = {0};

    f->spki = BUF_INIT(1024);
    f->text = BUF_INIT(CHECKPOINT_MAX);
    f->signature = BUF_INIT(128);
    f->note = BUF_INIT(CHECKPOINT_MAX);
    f->private = EVP_EC_gen("P-256");
    assert_ok(OSSL_ENCODE(PUBKEY, f->private, &f->spki, &e), &e);
    assert_ok(log_key_set(&f->key, origin, buf_span(&f->spki), &e), &e);
    f->checkpoint = (struct checkpoint){.size = 1234, .root = merkle_leaf(SPAN_LITERAL("x"))};
    memcpy(f->checkpoint.origin, origin, sizeof(origin));
    assert_ok(checkpoint_text(&f->checkpoint, &f->text, &e), &e);
    sign(f->private, buf_span(&f->text), &f->signature);
    assert_ok(checkpoint_seal(&f->key, buf_span(&f->text), buf_span(&f->signature), &f->note, &e),
              &e);
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    buf_free(&f->spki);
    buf_free(&f->text);
    buf_free(&f->signature);
    buf_free(&f->note);
    log_key_free(&f->key);
    EVP_PKEY_free(f->private);
    mem_free(f);
    return 0;
}

static void
a_note_has_the_form_of_c2sp(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(mem_cleanup)
    char *note = mem_printf("%.*s", (int)f->note.n, (const char *)f->note.p);
    static const char begin[] = "log.test/one\n1234\n";
    static const char line[] = "\n\n\xe2\x80\x94 log.test/one ";

    assert_memory_equal(note, begin, strlen(begin));
    assert_non_null(strstr(note, line));
    assert_int_equal(note[f->note.n - 1], '\n');
}

static void
a_note_that_was_sealed_opens(void **state)
{
    const struct fixture *f = *state;
    struct checkpoint opened;
    struct err e = {0};

    assert_ok(checkpoint_open(&f->key, buf_span(&f->note), &opened, &e), &e);
    assert_int_equal(opened.size, 1234);
    assert_string_equal(opened.origin, origin);
    assert_true(merkle_equal(&opened.root, &f->checkpoint.root));
}

static void
every_flipped_bit_of_a_note_is_refused(void **state)
{
    const struct fixture *f = *state;
    struct checkpoint opened;
    struct err e = {0};
    CLEANUP(buf_free) struct buf changed = BUF_INIT(CHECKPOINT_MAX);

    for (size_t i = 0; i < 8 * f->note.n; i++) {
        assert_ok(buf_set(&changed, buf_span(&f->note), &e), &e);
        changed.p[i / 8] = (uint8_t)(changed.p[i / 8] ^ 1U << i % 8);
        if (checkpoint_open(&f->key, buf_span(&changed), &opened, &e) == 0) {
            fail_msg("bit %zu of octet %zu", i % 8, i / 8);
        }
    }
    for (size_t n = 0; n < f->note.n; n++) {
        assert_int_equal(checkpoint_open(&f->key, span_of(f->note.p, n), &opened, &e), -1);
    }
    assert_ok(buf_set(&changed, buf_span(&f->note), &e), &e);
    assert_ok(buf_append_str(&changed, "\n", &e), &e);
    assert_int_equal(checkpoint_open(&f->key, buf_span(&changed), &opened, &e), -1);
}

static void
another_log_and_another_key_are_refused(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other = EVP_EC_gen("P-256");
    CLEANUP(buf_free) struct buf spki = BUF_INIT(1024);
    CLEANUP(log_key_free) struct log_key key = {0};
    CLEANUP(buf_free) struct buf note = BUF_INIT(CHECKPOINT_MAX);
    struct checkpoint opened;
    struct err e = {0};

    assert_ok(log_key_set(&key, "log.test/two", buf_span(&f->spki), &e), &e);
    assert_err(checkpoint_open(&key, buf_span(&f->note), &opened, &e), ERR_CRYPTO, &e);
    assert_ok(OSSL_ENCODE(PUBKEY, other, &spki, &e), &e);
    assert_ok(log_key_set(&key, origin, buf_span(&spki), &e), &e);
    assert_err(checkpoint_open(&key, buf_span(&f->note), &opened, &e), ERR_CRYPTO, &e);
    assert_err(checkpoint_seal(&key, buf_span(&f->text), buf_span(&f->signature), &note, &e),
               ERR_CRYPTO, &e);
}

/* The key of this log under the text of another: only a stolen or misused key can make it. */
static void
the_text_of_another_log_under_our_signature_is_refused(void **state)
{
    const struct fixture *f = *state;
    struct checkpoint other = f->checkpoint;
    struct checkpoint opened;
    CLEANUP(buf_free) struct buf text = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(buf_free) struct buf note = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(128);
    CLEANUP(mem_cleanup) char *encoded = NULL;
    CLEANUP(mem_cleanup) char *line = NULL;
    struct err e = {0};

    (void)snprintf(other.origin, sizeof(other.origin), "log.test/two");
    assert_ok(checkpoint_text(&other, &text, &e), &e);
    sign(f->private, buf_span(&text), &signature);
    assert_err(checkpoint_seal(&f->key, buf_span(&text), buf_span(&signature), &note, &e),
               ERR_CRYPTO, &e);
    assert_ok(buf_set(&note, span_of(f->key.id, LOG_KEY_ID), &e), &e);
    assert_ok(buf_append(&note, buf_span(&signature), &e), &e);
    encoded = base64_dup(buf_span(&note));
    line = mem_printf("\n\xe2\x80\x94 %s %s\n", origin, encoded);
    assert_ok(buf_set(&note, buf_span(&text), &e), &e);
    assert_ok(buf_append_str(&note, line, &e), &e);
    assert_err(checkpoint_open(&f->key, buf_span(&note), &opened, &e), ERR_CRYPTO, &e);
    assert_non_null(strstr(e.text, "another log"));
}

static void
a_text_that_is_no_checkpoint_is_refused(void **state)
{
    static const char root[] = "uP0dyz8xcBLzMRBTlZ2mLmKUJUHEpZ0vhPlUdL4v6Yk=";
    static const char *const forms[] = {
        "log.test/one\n0x1\n%s\n",
        "log.test/one\n01\n%s\n",
        "log.test/one\n-1\n%s\n",
        "log.test/one\n+1\n%s\n",
        "log.test/one\n 1\n%s\n",
        "log.test/one\n\n%s\n",
        "log.test/one\n1\n%s",
        "log.test/one\n1\n%s\nmore\n",
        "log.test/one\r\n1\n%s\n",
        "log test/one\n1\n%s\n",
        "log+one\n1\n%s\n",
        "\n1\n%s\n",
        "log.test/one\n1\n\n",
        "log.test/one\n1\nAAAA\n",
        "log.test/one\n9999999999999999999\n%s\n",
    };
    struct checkpoint parsed;
    struct err e = {0};
    CLEANUP(mem_cleanup) char *good = mem_printf("log.test/one\n0\n%s\n", root);

    (void)state;
    assert_ok(checkpoint_parse(span_str(good), &parsed, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        const char *hole = strstr(forms[i], "%s");
        CLEANUP(mem_cleanup)
        char *text = hole == NULL
                         ? mem_strdup(forms[i])
                         : mem_printf("%.*s%s%s", (int)(hole - forms[i]), forms[i], root, hole + 2);

        if (checkpoint_parse(span_str(text), &parsed, &e) == 0) {
            fail_msg("%s", text);
        }
    }
}

static void
a_verifier_key_comes_back_as_it_was_written(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(mem_cleanup) char *text = log_key_format(&f->key);
    CLEANUP(log_key_free) struct log_key key = {0};
    uint8_t hash[SHA256_SIZE];
    char id[2 * LOG_KEY_ID + 1];
    struct checkpoint opened;
    struct err e = {0};

    assert_ok(sha256(buf_span(&f->spki), hash, &e), &e);
    hex_format(span_of(hash, LOG_KEY_ID), id);
    assert_memory_equal(text, origin, strlen(origin));
    assert_int_equal(text[strlen(origin)], '+');
    assert_memory_equal(text + strlen(origin) + 1, id, strlen(id));
    assert_ok(log_key_parse(&key, span_str(text), &e), &e);
    assert_ok(checkpoint_open(&key, buf_span(&f->note), &opened, &e), &e);
    assert_ok(log_key_parse(&key, span_of(text, strlen(text) - 1), &e), &e);
    for (size_t i = 0; i < 8 * (strlen(text) - 1); i++) {
        CLEANUP(mem_cleanup) char *changed = mem_strdup(text);
        bool in_origin = i / 8 < strlen(origin);

        changed[i / 8] = (char)(changed[i / 8] ^ 1 << i % 8);
        /* Another origin is another log's name, and then its notes are refused. */
        if (!in_origin && log_key_parse(&key, span_of(changed, strlen(text)), &e) == 0) {
            fail_msg("bit %zu of octet %zu", i % 8, i / 8);
        }
    }
}

static void
a_log_key_is_a_p256_key(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *p384 = EVP_EC_gen("P-384");
    CLEANUP(buf_free) struct buf spki = BUF_INIT(1024);
    CLEANUP(log_key_free) struct log_key key = {0};
    struct err e = {0};

    (void)state;
    assert_ok(OSSL_ENCODE(PUBKEY, p384, &spki, &e), &e);
    assert_err(log_key_set(&key, origin, buf_span(&spki), &e), ERR_INPUT, &e);
    assert_err(log_key_set(&key, origin, SPAN_LITERAL("no DER"), &e), ERR_INPUT, &e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_note_has_the_form_of_c2sp),
        cmocka_unit_test(a_note_that_was_sealed_opens),
        cmocka_unit_test(every_flipped_bit_of_a_note_is_refused),
        cmocka_unit_test(another_log_and_another_key_are_refused),
        cmocka_unit_test(the_text_of_another_log_under_our_signature_is_refused),
        cmocka_unit_test(a_text_that_is_no_checkpoint_is_refused),
        cmocka_unit_test(a_verifier_key_comes_back_as_it_was_written),
        cmocka_unit_test(a_log_key_is_a_p256_key),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
