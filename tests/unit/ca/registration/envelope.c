/* SPDX-License-Identifier: Apache-2.0 */
/* What signed.c's tests of a whole registration do not show: limits, algorithms, BER. */
#include "ca/registration/envelope.h"

#include <openssl/cms.h>
#include <string.h>

#include "tests/support/pki.h"
#include "tests/support/test.h"

enum { CMS_MAX = 64 * 1024 };

struct fixture {
    struct pki *pki;
    EVP_PKEY *key;
    X509 *registrar;
    EVP_PKEY *rsa;
    X509 *by_rsa;
};

static int
make(void **state)
{
    struct fixture *f = mem_zalloc(1, sizeof(*f));

    f->pki = pki_new("P-256", "P-256");
    f->key = pki_key("P-256");
    f->registrar = pki_issue_officer(f->pki, "registrar", f->key);
    f->rsa = pki_key("RSA-3072");
    f->by_rsa = pki_issue_officer(f->pki, "registrar", f->rsa);
    *state = f;
    return 0;
}

static int
drop(void **state)
{
    struct fixture *f = *state;

    pki_free(f->pki);
    EVP_PKEY_free(f->key);
    X509_free(f->registrar);
    EVP_PKEY_free(f->rsa);
    X509_free(f->by_rsa);
    mem_free(f);
    return 0;
}

static struct envelope *
opened(const struct fixture *f, struct span cms, struct err *e)
{
    const struct envelope_rules rules = {
        .what = "thing", .issuing = f->pki->issuing, .root = f->pki->root, .at = PKI_NOW};

    return envelope_open(cms, &rules, e);
}

/* SignedData over n blanks with this digest. */
static struct buf
sealed(const struct fixture *f, size_t n, bool rsa, const EVP_MD *md, unsigned flags)
{
    CLEANUP(mem_cleanup) char *text = mem_zalloc(n + 1, 1);
    CLEANUP(bio_cleanup) BIO *bio = NULL;
    CLEANUP(cms_cleanup) CMS_ContentInfo *cms = NULL;
    struct buf out = BUF_INIT(CMS_MAX);
    struct err e = {0};

    memset(text, ' ', n);
    bio = BIO_new_mem_buf(text, (int)n);
    cms = CMS_sign(NULL, NULL, NULL, bio, CMS_PARTIAL | CMS_BINARY);
    assert_non_null(cms);
    assert_non_null(
        CMS_add1_signer(cms, rsa ? f->by_rsa : f->registrar, rsa ? f->rsa : f->key, md, flags));
    assert_int_equal(CMS_final(cms, bio, NULL, CMS_BINARY), 1);
    assert_ok(OSSL_ENCODE(CMS_ContentInfo, cms, &out, &e), &e);
    return out;
}

static void
each_algorithm_is_taken_or_refused(void **state)
{
    const struct fixture *f = *state;
    const struct {
        bool rsa;
        const EVP_MD *md;
        unsigned flags;
        const char *says; /* NULL: taken */
    } rows[] = {
        {false, EVP_sha256(), 0, NULL},
        {false, EVP_sha384(), 0, NULL},
        {false, EVP_sha512(), 0, NULL},
        {true, EVP_sha256(), 0, NULL},
        {true, EVP_sha384(), 0, NULL},
        {true, EVP_sha512(), CMS_NOATTR, NULL},
        {false, EVP_sha1(), 0, "thing: digest must be SHA-256, 384 or 512"},
        {false, EVP_sha224(), 0, "thing: digest must be SHA-256, 384 or 512"},
        {true, EVP_sha1(), 0, "thing: digest must be SHA-256, 384 or 512"},
        {true, EVP_md5(), 0, "thing: digest must be SHA-256, 384 or 512"},
        {true, EVP_sha256(), CMS_KEY_PARAM, "thing: signature must be ECDSA or RSA with SHA-2"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf cms = {0};
        CLEANUP(envelope_cleanup) struct envelope *got = NULL;
        struct err e = {0};

        if (rows[i].flags == CMS_KEY_PARAM) {
            /* sha256WithRSAEncryption in the place of rsaEncryption (RFC 5754 3.2), with SHA-1 */
            uint8_t *at;

            cms = sealed(f, 1, true, EVP_sha256(), 0);
            at = memmem(cms.p + cms.n - 3072 / 8 - 32, 32,
                        "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", 11);
            assert_non_null(at);
            at[10] = 5; /* sha1WithRSAEncryption */
        } else {
            cms = sealed(f, 1, rows[i].rsa, rows[i].md, rows[i].flags);
        }
        got = opened(f, buf_span(&cms), &e);
        if (rows[i].says == NULL
                ? got == NULL
                : got != NULL || e.code != ERR_INPUT || strcmp(e.text, rows[i].says) != 0) {
            fail_msg("row %zu: %s", i, got != NULL ? "taken" : e.text);
        }
    }
}

static void
content_is_taken_up_to_its_limit(void **state)
{
    const struct fixture *f = *state;
    static const struct {
        size_t n;
        const char *says;
    } rows[] = {
        {0, NULL},
        {1, NULL},
        {ENVELOPE_CONTENT_MAX, NULL},
        {ENVELOPE_CONTENT_MAX + 1, "thing: content longer than 16384 octets"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf cms = sealed(f, rows[i].n, false, EVP_sha256(), 0);
        struct err e = {0};
        CLEANUP(envelope_cleanup) struct envelope *got = opened(f, buf_span(&cms), &e);

        if (rows[i].says == NULL
                ? got == NULL || got->content.n != rows[i].n
                : got != NULL || e.code != ERR_INPUT || strcmp(e.text, rows[i].says) != 0) {
            fail_msg("row %zu: %s", i, got != NULL ? "taken" : e.text);
        }
    }
}

/* The outermost length has an octet more than it needs. */
static void
ber_is_refused(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(buf_free) struct buf cms = sealed(f, 1, false, EVP_sha256(), 0);
    CLEANUP(buf_free) struct buf ber = BUF_INIT(CMS_MAX);
    struct err e = {0};

    assert_int_equal(cms.p[1], 0x82);
    assert_ok(buf_append(&ber, SPAN_LITERAL("\x30\x83\x00"), &e), &e);
    assert_ok(buf_append(&ber, span_of(cms.p + 2, cms.n - 2), &e), &e);
    assert_null(opened(f, buf_span(&ber), &e));
    assert_int_equal(e.code, ERR_INPUT);
    assert_string_equal(e.text, "thing: CMS is not in DER; sign it without streaming");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_algorithm_is_taken_or_refused),
        cmocka_unit_test(content_is_taken_up_to_its_limit),
        cmocka_unit_test(ber_is_refused),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
