/* SPDX-License-Identifier: Apache-2.0 */
/* The negative probes: which there are for each kind of key, and a token that allows one of them.
 */
#include "tests/support/test.h"

#include "pkcs11/key.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/softhsm.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/pkcs11/hsm.h"

enum kind { EC, RSA, ROOT, KINDS }; /* ROOT: wants its PIN for each signature, P-384 */

static struct {
    struct hsm hsm;
    struct key *keys[KINDS];
    struct buf spki[KINDS];
} world;

/* Written down a second time: probe, the fault that allows it, and for which keys it is made. */
static const struct {
    const char *probe;
    const char *fault;
    bool ec, rsa, root;
} PROBES[] = {
    {"read CKA_VALUE", "allows:C_GetAttributeValue:11", true, false, true},
    {"read CKA_PRIVATE_EXPONENT", "allows:C_GetAttributeValue:123", false, true, false},
    {"read CKA_PRIME_1", "allows:C_GetAttributeValue:124", false, true, false},
    {"set CKA_EXTRACTABLE TRUE", "allows:C_SetAttributeValue:162", true, true, true},
    {"set CKA_SENSITIVE FALSE", "allows:C_SetAttributeValue:103", true, true, true},
    {"set CKA_MODIFIABLE TRUE", "allows:C_SetAttributeValue:170", true, true, true},
    {"set CKA_UNWRAP TRUE", "allows:C_SetAttributeValue:107", true, true, true},
    {"set CKA_DECRYPT TRUE", "allows:C_SetAttributeValue:105", true, true, true},
    {"set CKA_DERIVE TRUE", "allows:C_SetAttributeValue:10c", true, true, true},
    {"copy with CKA_EXTRACTABLE TRUE", "allows:C_CopyObject", true, true, true},
    {"wrap under a session AES key", "allows:C_WrapKey", true, true, true},
    {"sign with CKM_ECDSA_SHA1", "allows:C_SignInit:1042", true, true, true},
    {"sign with CKM_ECDSA", "allows:C_SignInit:1041", false, true, false},
    {"sign with CKM_RSA_PKCS", "allows:C_SignInit:1", true, false, true},
    {"sign with CKM_RSA_X_509", "allows:C_SignInit:3", true, true, true},
    {"sign with CKM_SHA1_RSA_PKCS", "allows:C_SignInit:6", true, true, true},
    {"sign with CKM_SHA256_RSA_PKCS", "allows:C_SignInit:40", true, true, true},
    {"sign without context-specific login", "allows:C_Sign", false, false, true},
};

static bool
applies(size_t probe, enum kind kind)
{
    return kind == EC ? PROBES[probe].ec : kind == RSA ? PROBES[probe].rsa : PROBES[probe].root;
}

static int
setup(void **state)
{
    static const char *const policies[] = {"issuing-signing-v1", "ra-signing-v1",
                                           "root-signing-v1"};
    static const enum key_algorithm algorithms[] = {KEY_P256, KEY_RSA3072, KEY_P384};
    struct err e = {0};

    (void)state;
    hsm_open(&world.hsm);
    for (size_t i = 0; i < KINDS; i++) {
        const struct key_policy *policy = key_policy_find(policies[i], &e);
        uint8_t id[KEY_ID_SIZE];

        world.spki[i] = BUF_INIT(SPKI_MAX);
        assert_ok(
            key_generate(world.hsm.session, policy, algorithms[i], "x", id, &world.spki[i], &e),
            &e);
        world.keys[i] = key_find(world.hsm.session, policy, span_of(id, sizeof(id)),
                                 buf_span(&world.spki[i]), &e);
        assert_non_null(world.keys[i]);
    }
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        key_free(world.keys[i]);
        buf_free(&world.spki[i]);
    }
    hsm_close(&world.hsm);
    return 0;
}

struct seen {
    enum kind kind;
    size_t next; /* of PROBES */
    const char *allowed;
    size_t n;
};

/* All that apply come, in their order. */
static int
see(void *context, const char *probe, const char *ckr, bool refused, struct err *e)
{
    struct seen *seen = context;

    (void)e;
    while (seen->next < ARRAY_LEN(PROBES) && !applies(seen->next, seen->kind)) {
        seen->next++;
    }
    assert_true(seen->next < ARRAY_LEN(PROBES));
    assert_string_equal(probe, PROBES[seen->next].probe);
    seen->next++;
    seen->n++;
    assert_true(refused == (strcmp(ckr, "CKR_OK") != 0));
    if (!refused) {
        assert_null(seen->allowed);
        seen->allowed = probe;
    }
    return 0;
}

static size_t
count(enum kind kind)
{
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(PROBES); i++) {
        n += applies(i, kind) ? 1 : 0;
    }
    return n;
}

static void
each_kind_of_key_has_its_probes_and_all_are_refused(void **state)
{
    (void)state;
    for (enum kind kind = EC; kind < KINDS; kind++) {
        struct seen seen = {.kind = kind};
        struct inventory before;
        struct inventory after;
        struct err e = {0};

        assert_ok(session_inventory(world.hsm.session, &before, &e), &e);
        assert_ok(key_probe(world.keys[kind], see, &seen, &e), &e);
        assert_int_equal(seen.n, count(kind));
        assert_ok(key_probe(world.keys[kind], NULL, NULL, &e), &e);
        assert_ok(session_inventory(world.hsm.session, &after, &e), &e);
        assert_int_equal(before.objects, after.objects);
    }
}

static void
a_probe_that_is_allowed_is_told_after_all_were_run(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(PROBES) * KINDS; i++) {
        const size_t probe = i / KINDS;
        const enum kind kind = (enum kind)(i % KINDS);
        CLEANUP(mem_cleanup)
        char *told = mem_printf("token 't' allowed 1 of the forbidden: %s", PROBES[probe].probe);
        struct seen seen = {.kind = kind};
        struct err e = {0};

        if (!applies(probe, kind)) {
            continue;
        }
        assert_int_equal(setenv("FAULTP11", PROBES[probe].fault, 1), 0);
        if (key_probe(world.keys[kind], see, &seen, &e) == 0 || e.code != ERR_TOKEN ||
            strcmp(e.text, told) != 0 || seen.n != count(kind) || seen.allowed == NULL ||
            strcmp(seen.allowed, PROBES[probe].probe) != 0) {
            fail_msg("'%s', key %d: %s", PROBES[probe].probe, (int)kind, e.text);
        }
        assert_int_equal(unsetenv("FAULTP11"), 0);
    }
}

static void
the_first_of_several_is_named(void **state)
{
    struct err e = {0};

    (void)state;
    assert_int_equal(setenv("FAULTP11",
                            "allows:C_WrapKey allows:C_CopyObject allows:C_SetAttributeValue:105",
                            1),
                     0);
    assert_err(key_probe(world.keys[EC], NULL, NULL, &e), ERR_TOKEN, &e);
    assert_string_equal(e.text, "token 't' allowed 3 of the forbidden: set CKA_DECRYPT TRUE");
    assert_int_equal(unsetenv("FAULTP11"), 0);
}

static int
stop(void *context, const char *probe, const char *ckr, bool refused, struct err *e)
{
    (void)probe;
    (void)ckr;
    (void)refused;
    return --*(int *)context == 0 ? err_set(e, ERR_IO, "stop") : 0;
}

static void
whoever_looks_on_can_stop_it_at_each(void **state)
{
    (void)state;
    for (enum kind kind = EC; kind < KINDS; kind++) {
        for (int n = 1; n <= (int)count(kind); n++) {
            struct err e = {0};
            int left = n;

            assert_err(key_probe(world.keys[kind], stop, &left, &e), ERR_IO, &e);
            assert_int_equal(left, 0);
        }
    }
}

static void
a_session_that_cannot_be_had_is_no_refusal(void **state)
{
    struct err e = {0};

    (void)state;
    assert_int_equal(setenv("FAULTP11", "fails:C_OpenSession", 1), 0);
    assert_err(key_probe(world.keys[EC], NULL, NULL, &e), ERR_TOKEN, &e);
    assert_int_equal(strncmp(e.text, "C_OpenSession: CKR_DEVICE_ERROR", 31), 0);
    assert_int_equal(unsetenv("FAULTP11"), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_key_has_its_probes_and_all_are_refused),
        cmocka_unit_test(a_probe_that_is_allowed_is_told_after_all_were_run),
        cmocka_unit_test(the_first_of_several_is_named),
        cmocka_unit_test(whoever_looks_on_can_stop_it_at_each),
        cmocka_unit_test(a_session_that_cannot_be_had_is_no_refusal),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
