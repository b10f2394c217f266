/* SPDX-License-Identifier: Apache-2.0 */
/* What a token gives as signature and public half, in the forms that others read. */
#include "tests/support/test.h"

#include "pkcs11/key_public.h"

#include <stdlib.h>
#include <string.h>

#include "base/ossl.h"
#include "pkcs11/key.h"
#include "tests/support/der_text.h"
#include "tests/support/softhsm.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/pkcs11/hsm.h"
#include "tests/unit/pkcs11/signer/scene.h"

static struct {
    struct hsm hsm;
    CK_OBJECT_HANDLE public[KEY_RSA3072 + 1]; /* one key of each algorithm */
    struct buf spki[KEY_RSA3072 + 1];
} world;

static void
make(enum key_algorithm algorithm, CK_OBJECT_HANDLE *public, struct buf *spki)
{
    struct err e = {0};
    const struct key_policy *policy = key_policy_find("issuing-signing-v1", &e);
    uint8_t id[KEY_ID_SIZE];
    CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_ID, id, sizeof(id)}};
    const CK_FUNCTION_LIST *f = module_functions(world.hsm.module);
    CK_SESSION_HANDLE session = session_handle(world.hsm.session);
    CK_ULONG n = 0;

    assert_ok(key_generate(world.hsm.session, policy, algorithm, "x", id, spki, &e), &e);
    assert_int_equal(f->C_FindObjectsInit(session, template, ARRAY_LEN(template)), CKR_OK);
    assert_int_equal(f->C_FindObjects(session, public, 1, &n), CKR_OK);
    assert_int_equal(n, 1);
    assert_int_equal(f->C_FindObjectsFinal(session), CKR_OK);
}

static int
setup(void **state)
{

    (void)state;
    hsm_open(&world.hsm);
    for (enum key_algorithm a = KEY_P256; a <= KEY_RSA3072; a++) {
        world.spki[a] = BUF_INIT(SPKI_MAX);
        make(a, &world.public[a], &world.spki[a]);
    }
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(world.spki); i++) {
        buf_free(&world.spki[i]);
    }
    hsm_close(&world.hsm);
    return 0;
}

/* r || s, each as long as the digest (PKCS #11 v2.40 2.3.1), as ECDSA-Sig-Value. */
static void
a_raw_signature_has_one_length(void **state)
{
    static const struct {
        const char *name;
        enum key_algorithm algorithm;
        const char *raw;
        const char *der;
        const char *reason;
    } rows[] = {
        {"P-256", KEY_P256, "01*32 02*32", "30{02{01*32}02{02*32}}", NULL},
        {"P-256, zeros in front", KEY_P256, "00*31 05 00*30 80 00", "30{0201 05 02{008000}}", NULL},
        {"P-256, high bits", KEY_P256, "ff*32 80*32", "30{02{00 ff*32}02{00 80*32}}", NULL},
        {"P-384", KEY_P384, "01*48 02*48", "30{02{01*48}02{02*48}}", NULL},
        {"RSA-3072", KEY_RSA3072, "07*384", "07*384", NULL},
        {"P-256, nothing", KEY_P256, "", NULL, "an ECDSA signature of 0 octets"},
        {"P-256, 63 octets", KEY_P256, "01*63", NULL, "an ECDSA signature of 63 octets"},
        {"P-256, 65 octets", KEY_P256, "01*65", NULL, "an ECDSA signature of 65 octets"},
        {"P-384, 95 octets", KEY_P384, "01*95", NULL, "an ECDSA signature of 95 octets"},
        {"P-384, 64 octets", KEY_P384, "01*64", NULL, "an ECDSA signature of 64 octets"},
        {"P-384, 97 octets", KEY_P384, "01*97", NULL, "an ECDSA signature of 97 octets"},
        {"RSA, 383 octets", KEY_RSA3072, "07*383", NULL, "an RSA signature of 383 octets"},
        {"RSA, 385 octets", KEY_RSA3072, "07*385", NULL, "an RSA signature of 385 octets"},
    };
    CLEANUP(buf_free) struct buf raw = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(buf_free) struct buf expected = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(buf_free) struct buf der = BUF_INIT(SIGNATURE_MAX);
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};

        der_text(rows[i].raw, &raw);
        assert_ok(buf_set(&der, SPAN_LITERAL("what was there"), &e), &e);
        good += scene_expect(rows[i].name,
                             key_signature_der(rows[i].algorithm, buf_span(&raw), &der, &e), &e,
                             ERR_TOKEN, rows[i].reason);
        if (rows[i].reason == NULL) {
            der_text(rows[i].der, &expected);
            assert_true(span_equal(buf_span(&der), buf_span(&expected)));
        }
    }
    assert_int_equal(good, ARRAY_LEN(rows));
}

/* What cannot be read, and what is another key than it was. */
static void
a_public_half_is_read_whole(void **state)
{
    static const struct {
        enum key_algorithm algorithm;
        const char *fault;
        const char *reason; /* NULL: another key */
    } rows[] = {
        {KEY_P256, "gone:2:181", "CKA_EC_POINT of the public key"},
        {KEY_P256, "wrong:2:181", "CKA_EC_POINT is not a DER OCTET STRING"},
        {KEY_P384, "gone:2:181", "CKA_EC_POINT of the public key"},
        {KEY_RSA3072, "gone:2:120", "CKA_MODULUS of the public key"},
        {KEY_RSA3072, "gone:2:122", "CKA_PUBLIC_EXPONENT of the public key"},
        {KEY_RSA3072, "wrong:2:120", NULL},
        {KEY_RSA3072, "wrong:2:122", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const CK_OBJECT_HANDLE public = world.public[rows[i].algorithm];
        const struct span spki = buf_span(&world.spki[rows[i].algorithm]);
        CLEANUP(buf_free) struct buf again = BUF_INIT(SPKI_MAX);
        enum key_algorithm algorithm = KEY_P256;
        struct err e = {0};
        CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = NULL;

        key = key_public_parse(spki, &algorithm, &e);
        assert_non_null(key);
        assert_int_equal(algorithm, rows[i].algorithm);
        assert_ok(buf_set(&again, SPAN_LITERAL("what was there"), &e), &e);
        assert_ok(key_public_read(world.hsm.session, algorithm, public, &again, &e), &e);
        assert_true(span_equal(spki, buf_span(&again)));
        assert_int_equal(setenv("FAULTP11", rows[i].fault, 1), 0);
        if (rows[i].reason == NULL) {
            assert_ok(key_public_read(world.hsm.session, algorithm, public, &again, &e), &e);
            assert_false(span_equal(spki, buf_span(&again)));
        } else {
            assert_err(key_public_read(world.hsm.session, algorithm, public, &again, &e), ERR_TOKEN,
                       &e);
            if (strstr(e.text, rows[i].reason) == NULL) {
                fail_msg("%s: %s", rows[i].fault, e.text);
            }
        }
        assert_int_equal(unsetenv("FAULTP11"), 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_raw_signature_has_one_length),
        cmocka_unit_test(a_public_half_is_read_whole),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
