/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include "pkcs11/key.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/softhsm.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/pkcs11/hsm.h"

#define TEXT SPAN_LITERAL("to be signed")

static struct {
    struct hsm hsm;
    const CK_FUNCTION_LIST *f;
} world;

static int
setup(void **state)
{

    (void)state;
    hsm_open(&world.hsm);
    world.f = module_functions(world.hsm.module);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    hsm_close(&world.hsm);
    return 0;
}

static int
give_pin(void *context, struct buf *pin, struct err *e)
{
    (*(int *)context)++;
    return buf_set(pin, USER_PIN, e);
}

static int
count_attribute(void *context, const char *half, const char *attribute, const char *value,
                struct err *e)
{
    (void)e;
    assert_non_null(half);
    assert_int_equal(strncmp(attribute, "CKA_", 4), 0);
    assert_true(strlen(value) > 0);
    (*(int *)context)++;
    return 0;
}

static struct key *
make(const char *policy_name, enum key_algorithm algorithm, struct buf *spki)
{
    struct err e = {0};
    const struct key_policy *policy = key_policy_find(policy_name, &e);
    uint8_t id[KEY_ID_SIZE];
    struct key *key;

    assert_non_null(policy);
    assert_ok(key_generate(world.hsm.session, policy, algorithm, "test", id, spki, &e), &e);
    key = key_find(world.hsm.session, policy, span_of(id, sizeof(id)), buf_span(spki), &e);
    if (key == NULL) {
        fail_msg("%s", e.text);
    }
    return key;
}

static void
each_algorithm_generates_reads_back_signs_and_verifies(void **state)
{
    static const enum key_algorithm algorithms[] = {KEY_P256, KEY_P384, KEY_RSA3072};
    static const char *const policies[] = {"issuing-signing-v1", "log-signing-v1", "ra-signing-v1"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct err e = {0};
        CLEANUP(buf_free) struct buf spki = BUF_INIT(SPKI_MAX);
        CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
        CLEANUP(key_cleanup) struct key *key = make(policies[i], algorithms[i], &spki);
        int seen = 0;

        assert_int_equal(key_get_algorithm(key), algorithms[i]);
        assert_ok(key_read_back(key, count_attribute, &seen, &e), &e);
        assert_true(seen >= 35);
        assert_ok(key_sign(key, TEXT, &signature, &e), &e);
        assert_ok(
            key_public_verify(key_get_public(key), algorithms[i], TEXT, buf_span(&signature), &e),
            &e);
        assert_err(key_public_verify(key_get_public(key), algorithms[i], SPAN_LITERAL("other"),
                                     buf_span(&signature), &e),
                   ERR_CRYPTO, &e);
    }
}

static void
a_digest_of_the_wrong_length_never_reaches_the_token(void **state)
{
    static const size_t wrong[] = {0, 20, 31, 33, 48, 64};
    struct err e = {0};
    CLEANUP(buf_free) struct buf spki = BUF_INIT(SPKI_MAX);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(key_cleanup) struct key *key = make("issuing-signing-v1", KEY_P256, &spki);
    uint8_t digest[64] = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_err(key_sign_digest(key, span_of(digest, wrong[i]), &signature, &e), ERR_INPUT, &e);
    }
    assert_ok(key_sign_digest(key, span_of(digest, 32), &signature, &e), &e);
}

static void
the_root_key_wants_its_pin_for_each_signature(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf spki = BUF_INIT(SPKI_MAX);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(key_cleanup) struct key *key = make("root-signing-v1", KEY_P384, &spki);
    int asked = 0;

    (void)state;
    assert_err(key_sign(key, TEXT, &signature, &e), ERR_PIN, &e);
    key_set_pin_source(key, give_pin, &asked);
    assert_ok(key_sign(key, TEXT, &signature, &e), &e);
    assert_ok(key_sign(key, TEXT, &signature, &e), &e);
    assert_int_equal(asked, 2);
}

static void
a_wrong_signature_of_the_token_is_not_released(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf spki = BUF_INIT(SPKI_MAX);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(key_cleanup) struct key *key = make("issuing-signing-v1", KEY_P256, &spki);

    (void)state;
    assert_int_equal(setenv("FAULTP11", "bad-sign", 1), 0);
    assert_err(key_sign(key, TEXT, &signature, &e), ERR_CRYPTO, &e);
    assert_int_equal(signature.n, 0);
    assert_int_equal(setenv("FAULTP11", "sign-fails", 1), 0);
    assert_err(key_sign(key, TEXT, &signature, &e), ERR_TOKEN, &e);
    assert_non_null(strstr(e.text, "C_Sign: CKR_DEVICE_ERROR"));
    assert_non_null(strstr(e.text, "token t)"));
}

static void
a_key_is_found_by_id_and_public_half_only(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf spki = BUF_INIT(SPKI_MAX);
    CLEANUP(buf_free) struct buf other_spki = BUF_INIT(SPKI_MAX);
    CLEANUP(key_cleanup) struct key *key = make("issuing-signing-v1", KEY_P256, &spki);
    CLEANUP(key_cleanup) struct key *other = make("issuing-signing-v1", KEY_P256, &other_spki);
    const struct key_policy *policy = key_get_policy(key);
    uint8_t unknown[KEY_ID_SIZE] = {1};

    (void)state;
    assert_null(key_find(world.hsm.session, policy, key_get_id(key), key_get_spki(other), &e));
    assert_int_equal(e.code, ERR_DENIED);
    assert_null(key_find(world.hsm.session, policy, span_of(unknown, sizeof(unknown)),
                         key_get_spki(key), &e));
    assert_int_equal(e.code, ERR_NOTFOUND);
    assert_null(key_find(world.hsm.session, policy, span_of(unknown, 4), key_get_spki(key), &e));
    assert_int_equal(e.code, ERR_INPUT);
    /* The right key under a policy that it was not born with. */
    assert_null(key_find(world.hsm.session, key_policy_find("root-signing-v1", &e), key_get_id(key),
                         key_get_spki(key), &e));
    assert_int_equal(e.code, ERR_TOKEN);
    assert_non_null(strstr(e.text, "CKA_ALWAYS_AUTHENTICATE"));
}

/* A pair as a careless tool would make it: the policy's template with one value turned round. */
static void
make_with(CK_ATTRIBUTE_TYPE type, enum key_half half, CK_BBOOL value, uint8_t id[KEY_ID_SIZE],
          CK_OBJECT_HANDLE *public)
{
    struct err e = {0};
    const struct key_policy *policy = key_policy_find("issuing-signing-v1", &e);
    CK_MECHANISM mechanism = {key_generation_mechanism(KEY_P256), NULL, 0};
    CK_ATTRIBUTE templates[2][KEY_TEMPLATE_MAX + 1];
    size_t n[2];
    CK_OBJECT_HANDLE private;
    CK_RV rv;

    for (int h = 0; h < 2; h++) {
        n[h] = key_policy_template(policy, KEY_P256, (enum key_half)h, templates[h]);
        templates[h][n[h]++] = (CK_ATTRIBUTE){CKA_ID, id, KEY_ID_SIZE};
        for (size_t i = 0; i < n[h]; i++) {
            if (h == (int)half && templates[h][i].type == type) {
                templates[h][i].pValue = &value;
            }
        }
    }
    rv = world.f->C_GenerateKeyPair(session_handle(world.hsm.session), &mechanism,
                                    templates[KEY_PUBLIC], n[KEY_PUBLIC], templates[KEY_PRIVATE],
                                    n[KEY_PRIVATE], public, &private);
    assert_int_equal(rv, CKR_OK);
}

static void
read_spki(CK_OBJECT_HANDLE public, struct buf *spki)
{
    static const uint8_t head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
    struct err e = {0};
    uint8_t point[67];
    CK_ATTRIBUTE a = {CKA_EC_POINT, point, sizeof(point)};

    assert_int_equal(world.f->C_GetAttributeValue(session_handle(world.hsm.session), public, &a, 1),
                     CKR_OK);
    assert_ok(buf_set(spki, span_of(head, sizeof(head)), &e), &e);
    assert_ok(buf_append(spki, span_of(point + 2, 65), &e), &e);
}

static void
every_weaker_attribute_is_found(void **state)
{
    static const struct {
        CK_ATTRIBUTE_TYPE type;
        const char *name;
        enum key_half half;
        CK_BBOOL value;
    } rows[] = {
        {CKA_SENSITIVE, "CKA_SENSITIVE", KEY_PRIVATE, CK_FALSE},
        {CKA_EXTRACTABLE, "CKA_EXTRACTABLE", KEY_PRIVATE, CK_TRUE},
        {CKA_MODIFIABLE, "CKA_MODIFIABLE", KEY_PRIVATE, CK_TRUE},
        {CKA_COPYABLE, "CKA_COPYABLE", KEY_PRIVATE, CK_TRUE},
        {CKA_DESTROYABLE, "CKA_DESTROYABLE", KEY_PRIVATE, CK_FALSE},
        {CKA_SIGN_RECOVER, "CKA_SIGN_RECOVER", KEY_PRIVATE, CK_TRUE},
        {CKA_DECRYPT, "CKA_DECRYPT", KEY_PRIVATE, CK_TRUE},
        {CKA_UNWRAP, "CKA_UNWRAP", KEY_PRIVATE, CK_TRUE},
        {CKA_DERIVE, "CKA_DERIVE", KEY_PRIVATE, CK_TRUE},
        {CKA_WRAP_WITH_TRUSTED, "CKA_WRAP_WITH_TRUSTED", KEY_PRIVATE, CK_FALSE},
        {CKA_ALWAYS_AUTHENTICATE, "CKA_ALWAYS_AUTHENTICATE", KEY_PRIVATE, CK_TRUE},
        {CKA_PRIVATE, "CKA_PRIVATE", KEY_PUBLIC, CK_TRUE},
        {CKA_MODIFIABLE, "CKA_MODIFIABLE", KEY_PUBLIC, CK_TRUE},
        {CKA_COPYABLE, "CKA_COPYABLE", KEY_PUBLIC, CK_TRUE},
        {CKA_VERIFY_RECOVER, "CKA_VERIFY_RECOVER", KEY_PUBLIC, CK_TRUE},
        {CKA_ENCRYPT, "CKA_ENCRYPT", KEY_PUBLIC, CK_TRUE},
        {CKA_WRAP, "CKA_WRAP", KEY_PUBLIC, CK_TRUE},
    };
    struct err e = {0};
    const struct key_policy *policy = key_policy_find("issuing-signing-v1", &e);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf spki = BUF_INIT(SPKI_MAX);
        uint8_t id[KEY_ID_SIZE] = {(uint8_t)(i + 1)};
        CK_OBJECT_HANDLE public = 0;

        make_with(rows[i].type, rows[i].half, rows[i].value, id, &public);
        read_spki(public, &spki);
        if (key_find(world.hsm.session, policy, span_of(id, sizeof(id)), buf_span(&spki), &e) !=
            NULL) {
            fail_msg("%s was not noticed", rows[i].name);
        }
        if (e.code != ERR_TOKEN || strstr(e.text, rows[i].name) == NULL) {
            fail_msg("%s: %s", rows[i].name, e.text);
        }
    }
}

static void
two_keys_with_one_id_are_refused(void **state)
{
    struct err e = {0};
    const struct key_policy *policy = key_policy_find("issuing-signing-v1", &e);
    CLEANUP(buf_free) struct buf spki = BUF_INIT(SPKI_MAX);
    uint8_t id[KEY_ID_SIZE] = {7};
    CK_OBJECT_HANDLE public = 0;

    (void)state;
    make_with(CKA_TOKEN, KEY_PUBLIC, CK_TRUE, id, &public);
    read_spki(public, &spki);
    key_free(key_find(world.hsm.session, policy, span_of(id, sizeof(id)), buf_span(&spki), &e));
    assert_int_equal(e.code, ERR_NONE);
    make_with(CKA_TOKEN, KEY_PUBLIC, CK_TRUE, id, &public);
    assert_null(key_find(world.hsm.session, policy, span_of(id, sizeof(id)), buf_span(&spki), &e));
    assert_int_equal(e.code, ERR_CONFLICT);
}

static int
probe_refused(void *context, const char *probe, const char *ckr, bool refused, struct err *e)
{
    (void)e;
    if (!refused) {
        fail_msg("%s: %s", probe, ckr);
    }
    (*(int *)context)++;
    return 0;
}

static void
the_negative_probes_are_all_refused(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf spki = BUF_INIT(SPKI_MAX);
    CLEANUP(buf_free) struct buf root_spki = BUF_INIT(SPKI_MAX);
    CLEANUP(key_cleanup) struct key *key = make("issuing-signing-v1", KEY_RSA3072, &spki);
    CLEANUP(key_cleanup) struct key *root = make("root-signing-v1", KEY_P384, &root_spki);
    struct inventory before;
    struct inventory after;
    int seen = 0;

    (void)state;
    assert_ok(session_inventory(world.hsm.session, &before, &e), &e);
    assert_ok(key_probe(key, probe_refused, &seen, &e), &e);
    assert_ok(key_probe(root, probe_refused, &seen, &e), &e);
    assert_true(seen >= 25);
    assert_ok(session_inventory(world.hsm.session, &after, &e), &e);
    assert_int_equal(before.objects, after.objects);
}

static void
a_key_survives_close_and_sync(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf spki = BUF_INIT(SPKI_MAX);
    CLEANUP(mem_cleanup) char *tokens = mem_printf("%s/tokens", world.hsm.dir);
    struct key *key = make("issuing-signing-v1", KEY_P384, &spki);
    CLEANUP(key_cleanup) struct key *again = NULL;
    const struct key_policy *policy = key_get_policy(key);
    struct token t = *session_token(world.hsm.session);
    uint8_t id[KEY_ID_SIZE];

    (void)state;
    memcpy(id, key_get_id(key).p, sizeof(id));
    key_free(key);
    session_close(world.hsm.session);
    module_close(world.hsm.module);
    assert_ok(key_sync(tokens, &e), &e);
    assert_ok(key_sync(NULL, &e), &e);
    world.hsm.module = module_open(SOFTHSM_MODULE, NULL, &e);
    world.hsm.session = session_open(world.hsm.module, "t", t.serial, SESSION_READ_ONLY, &e);
    assert_non_null(world.hsm.session);
    assert_ok(session_login(world.hsm.session, USER_PIN, &e), &e);
    again = key_find(world.hsm.session, policy, span_of(id, sizeof(id)), buf_span(&spki), &e);
    assert_non_null(again);
}

static void
label_and_identifier_have_their_limits(void **state)
{
    static const struct {
        size_t n;
        bool good;
    } labels[] = {{0, false}, {1, true}, {KEY_LABEL_MAX, true}, {KEY_LABEL_MAX + 1, false}};
    struct err e = {0};
    const struct key_policy *policy = key_policy_find("issuing-signing-v1", &e);
    CLEANUP(buf_free) struct buf spki = BUF_INIT(SPKI_MAX);
    uint8_t id[KEY_ID_SIZE + 1];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
        char label[KEY_LABEL_MAX + 2] = "";

        memset(label, 'x', labels[i].n);
        if (labels[i].good) {
            assert_ok(key_generate(world.hsm.session, policy, KEY_P256, label, id, &spki, &e), &e);
        } else {
            assert_err(key_generate(world.hsm.session, policy, KEY_P256, label, id, &spki, &e),
                       ERR_INPUT, &e);
            assert_non_null(strstr(e.text, "must have 1 to 64 octets"));
        }
    }
    for (size_t n = KEY_ID_SIZE - 1; n <= KEY_ID_SIZE + 1; n++) {
        struct key *key = key_find(world.hsm.session, policy, span_of(id, n), buf_span(&spki), &e);

        assert_true((key != NULL) == (n == KEY_ID_SIZE));
        if (key != NULL) {
            assert_err(key_policy_check(world.hsm.session, policy, KEY_P256, KEY_PRIVATE,
                                        key_get_private(key), span_of(id, n - 1), NULL, NULL, &e),
                       ERR_INPUT, &e);
            assert_err(key_policy_check(world.hsm.session, policy, KEY_P256, KEY_PRIVATE,
                                        key_get_private(key), span_of(id, n + 1), NULL, NULL, &e),
                       ERR_INPUT, &e);
        } else {
            assert_int_equal(e.code, ERR_INPUT);
        }
        assert_true(key != NULL || strstr(e.text, "octets, 16 are needed") != NULL);
        key_free(key);
    }
}

/* The half of this class with the key's identifier. */
static void
destroy(CK_OBJECT_CLASS class, const uint8_t id[KEY_ID_SIZE])
{
    uint8_t copy[KEY_ID_SIZE];
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_ID, copy, sizeof(copy)}};
    CK_SESSION_HANDLE session = session_handle(world.hsm.session);
    CK_OBJECT_HANDLE object = 0;
    CK_ULONG n = 0;

    memcpy(copy, id, sizeof(copy));
    assert_int_equal(world.f->C_FindObjectsInit(session, template, ARRAY_LEN(template)), CKR_OK);
    assert_int_equal(world.f->C_FindObjects(session, &object, 1, &n), CKR_OK);
    assert_int_equal(world.f->C_FindObjectsFinal(session), CKR_OK);
    assert_int_equal(n, 1);
    assert_int_equal(world.f->C_DestroyObject(session, object), CKR_OK);
}

static void
a_half_that_is_missing_or_twice_is_named(void **state)
{
    static const struct {
        CK_OBJECT_CLASS class;
        const char *half;
    } halves[] = {{CKO_PRIVATE_KEY, "private"}, {CKO_PUBLIC_KEY, "public"}};
    struct err e = {0};
    const struct key_policy *policy = key_policy_find("issuing-signing-v1", &e);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(halves); i++) {
        CLEANUP(mem_cleanup) char *no = mem_printf("token 't' has no %s key with", halves[i].half);
        CLEANUP(mem_cleanup)
        char *more = mem_printf("token 't' has more than one %s key with", halves[i].half);
        CLEANUP(buf_free) struct buf spki = BUF_INIT(SPKI_MAX);
        CK_OBJECT_HANDLE public = 0;
        uint8_t id[KEY_ID_SIZE] = {(uint8_t)(0x80 + i)};
        uint8_t twice[KEY_ID_SIZE] = {(uint8_t)(0x90 + i)};

        make_with(CKA_TOKEN, KEY_PUBLIC, CK_TRUE, id, &public);
        read_spki(public, &spki);
        destroy(halves[i].class, id);
        assert_null(
            key_find(world.hsm.session, policy, span_of(id, sizeof(id)), buf_span(&spki), &e));
        assert_int_equal(e.code, ERR_NOTFOUND);
        assert_int_equal(strncmp(e.text, no, strlen(no)), 0);
        make_with(CKA_TOKEN, KEY_PUBLIC, CK_TRUE, twice, &public);
        make_with(CKA_TOKEN, KEY_PUBLIC, CK_TRUE, twice, &public);
        /* Two of this half, and one of the other. */
        destroy(halves[1 - i].class, twice);
        assert_null(key_find(world.hsm.session, policy, span_of(twice, sizeof(twice)),
                             buf_span(&spki), &e));
        assert_int_equal(e.code, ERR_CONFLICT);
        assert_int_equal(strncmp(e.text, more, strlen(more)), 0);
    }
}

static int
no_pin(void *context, struct buf *pin, struct err *e)
{
    (void)context;
    (void)pin;
    return err_set(e, ERR_IO, "nobody types");
}

static int
wrong_pin(void *context, struct buf *pin, struct err *e)
{
    (void)context;
    return buf_set(pin, SPAN_LITERAL("wrong-pin"), e);
}

static void
a_root_key_does_not_sign_without_its_pin(void **state)
{
    static const struct {
        key_pin_source *source;
        enum err_code code;
        const char *reason;
    } rows[] = {
        {NULL, ERR_PIN, "the key wants its PIN for each signature, and there is none"},
        {no_pin, ERR_IO, "nobody types"},
        {wrong_pin, ERR_PIN, "CKR_PIN_INCORRECT"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};
        CLEANUP(buf_free) struct buf spki = BUF_INIT(SPKI_MAX);
        CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
        CLEANUP(key_cleanup) struct key *key = make("root-signing-v1", KEY_P256, &spki);
        char *serial = mem_strdup(session_token(world.hsm.session)->serial);

        key_set_pin_source(key, rows[i].source, NULL);
        assert_ok(buf_set(&signature, SPAN_LITERAL("what was there"), &e), &e);
        assert_err(key_sign(key, TEXT, &signature, &e), rows[i].code, &e);
        assert_non_null(strstr(e.text, rows[i].reason));
        assert_int_equal(signature.n, 0);
        /* What was begun in this session ends with it. */
        session_close(world.hsm.session);
        world.hsm.session = session_open(world.hsm.module, "t", serial, SESSION_READ_WRITE, &e);
        mem_free(serial);
        assert_non_null(world.hsm.session);
        assert_ok(session_login(world.hsm.session, USER_PIN, &e), &e);
    }
}

static void
a_token_that_fails_is_told(void **state)
{
    static const struct {
        const char *fault;
        bool finds;
        const char *reason;
    } rows[] = {
        {"fails:C_FindObjectsInit", false, "C_FindObjectsInit: CKR_DEVICE_ERROR"},
        {"fails:C_FindObjects", false, "C_FindObjects: CKR_DEVICE_ERROR"},
        {"fails:C_SignInit", true, "C_SignInit: CKR_DEVICE_ERROR"},
        {"short-sign", true, "an ECDSA signature of 63 octets"},
    };
    struct err e = {0};
    CLEANUP(buf_free) struct buf spki = BUF_INIT(SPKI_MAX);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(key_cleanup) struct key *key = make("issuing-signing-v1", KEY_P256, &spki);
    uint8_t id[KEY_ID_SIZE];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct key *again;

        assert_int_equal(setenv("FAULTP11", rows[i].fault, 1), 0);
        again = key_find(world.hsm.session, key_get_policy(key), key_get_id(key), key_get_spki(key),
                         &e);
        assert_true((again != NULL) == rows[i].finds);
        key_free(again);
        assert_ok(buf_set(&signature, SPAN_LITERAL("what was there"), &e), &e);
        if (rows[i].finds) {
            assert_err(key_sign(key, TEXT, &signature, &e), ERR_TOKEN, &e);
            assert_int_equal(signature.n, 0);
        }
        assert_int_equal(e.code, ERR_TOKEN);
        assert_int_equal(strncmp(e.text, rows[i].reason, strlen(rows[i].reason)), 0);
    }
    assert_int_equal(setenv("FAULTP11", "fails:C_GenerateKeyPair", 1), 0);
    assert_err(key_generate(world.hsm.session, key_get_policy(key), KEY_P256, "x", id, &spki, &e),
               ERR_TOKEN, &e);
    assert_int_equal(strncmp(e.text, "C_GenerateKeyPair: CKR_DEVICE_ERROR", 35), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_algorithm_generates_reads_back_signs_and_verifies,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_digest_of_the_wrong_length_never_reaches_the_token, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_root_key_wants_its_pin_for_each_signature, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_wrong_signature_of_the_token_is_not_released, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_key_is_found_by_id_and_public_half_only, setup, teardown),
        cmocka_unit_test_setup_teardown(every_weaker_attribute_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(two_keys_with_one_id_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(the_negative_probes_are_all_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_key_survives_close_and_sync, setup, teardown),
        cmocka_unit_test_setup_teardown(label_and_identifier_have_their_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(a_half_that_is_missing_or_twice_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(a_root_key_does_not_sign_without_its_pin, setup, teardown),
        cmocka_unit_test_setup_teardown(a_token_that_fails_is_told, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
