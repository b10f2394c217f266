/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/pem.h"

#include <openssl/pem.h>
#include <string.h>

#include "base/ossl.h"
#include "tests/support/test.h"

enum { OUT_MAX = 1024 };

static const char *const labels[] = {"CMS", "PKCS7", NULL};

/* A PEM block of n octets with something behind it. */
static struct buf
block(const char *label, const char *header, size_t n, const char *behind)
{
    static const uint8_t octets[OUT_MAX + 1];
    CLEANUP(bio_cleanup) BIO *bio = BIO_new(BIO_s_mem());
    struct buf out = BUF_INIT((size_t)4 * OUT_MAX);
    struct err e = {0};
    char *text;
    long size;

    assert_true(PEM_write_bio(bio, label, header, octets, (long)n) > 0);
    size = BIO_get_mem_data(bio, &text);
    assert_ok(buf_append(&out, span_of(text, (size_t)size), &e), &e);
    assert_ok(buf_append_str(&out, behind, &e), &e);
    return out;
}

static void
one_block_with_its_label_is_taken(void **state)
{
    static const struct {
        const char *label;
        const char *header;
        size_t n;
        const char *behind;
        const char *says; /* NULL: taken */
    } rows[] = {
        {"CMS", "", 1, "", NULL},
        {"PKCS7", "", 1, " \t\r\n", NULL},
        {"CMS", "", OUT_MAX, "", NULL},
        {"CMS", "", OUT_MAX + 1, "", "1024"},
        {"CMS", "", 1, "x", "thing: something behind the PEM block"},
        {"CMS", "", 1, "\n\n\v", "thing: something behind the PEM block"},
        {"CMS", "", 1, " \t\r\nx", "thing: something behind the PEM block"},
        {"CERTIFICATE", "", 1, "", "thing: the PEM block is not labelled CMS"},
        {"CMSX", "", 1, "", "thing: the PEM block is not labelled CMS"},
        {"CM", "", 1, "", "thing: the PEM block is not labelled CMS"},
        {"CMS", "Proc-Type: 4,CLEAR\n", 1, "", "thing: the PEM block is not labelled CMS"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free)
        struct buf text = block(rows[i].label, rows[i].header, rows[i].n, rows[i].behind);
        CLEANUP(buf_free) struct buf out = BUF_INIT(OUT_MAX);
        struct err e = {0};
        int result = pem_unwrap(buf_span(&text), labels, "thing", &out, &e);

        if (rows[i].says == NULL
                ? result != 0 || out.n != rows[i].n
                : result == 0 || e.code != ERR_INPUT || strstr(e.text, rows[i].says) == NULL) {
            fail_msg("row %zu: %s", i, result == 0 ? "taken" : e.text);
        }
    }
}

static void
der_is_taken_as_it_is(void **state)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(OUT_MAX);
    struct err e = {0};

    (void)state;
    assert_ok(pem_unwrap(SPAN_LITERAL("\x30\x00"), labels, "thing", &out, &e), &e);
    assert_true(span_equal(buf_span(&out), SPAN_LITERAL("\x30\x00")));
}

static void
what_is_neither_is_refused(void **state)
{
    const struct {
        struct span bytes;
        const char *says;
    } rows[] = {
        {{NULL, 0}, "thing: neither DER nor PEM"},
        {SPAN_LITERAL("\x31\x00"), "thing: neither DER nor PEM"},
        {SPAN_LITERAL("-----BEGIN CMS-----\n"), "thing: neither DER nor PEM"},
        /* OpenSSL counts in int; nothing of it is looked at */
        {{(const uint8_t *)"-", (size_t)INT32_MAX + 1}, "thing: too long"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf out = BUF_INIT(OUT_MAX);
        struct err e = {0};

        if (pem_unwrap(rows[i].bytes, labels, "thing", &out, &e) == 0 || e.code != ERR_INPUT ||
            strstr(e.text, rows[i].says) == NULL) {
            fail_msg("row %zu: %s", i, e.text);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_block_with_its_label_is_taken),
        cmocka_unit_test(der_is_taken_as_it_is),
        cmocka_unit_test(what_is_neither_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
