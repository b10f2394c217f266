/* SPDX-License-Identifier: Apache-2.0 */
/* Which checkpoints the key signs: three lines, one history. */
#include "tests/support/test.h"

#include "pkcs11/signer/object.h"

#include <string.h>

#include "base/ossl.h"
#include "tests/unit/pkcs11/signer/scene.h"

#define TEXT(text) (text), sizeof(text) - 1
/* 32 octets of 0. */
#define ROOT "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define NO_ROOT "the root hash of a checkpoint is base64 of 32 octets"
#define THREE "a checkpoint has three lines, each with its line break"
#define DECIMAL "the size of a checkpoint is a decimal"

static void
the_text_is_three_lines_of_their_form(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        size_t n;
        enum err_code code;
        const char *reason;
    } rows[] = {
        {"right", TEXT("log.example\n7\n" ROOT "\n"), ERR_NONE, NULL},
        {"nothing", TEXT(""), ERR_INPUT, THREE},
        {"one line, no line break", TEXT("log.example"), ERR_INPUT, THREE},
        {"one line", TEXT("log.example\n"), ERR_INPUT, THREE},
        {"two lines", TEXT("log.example\n7\n"), ERR_INPUT, THREE},
        {"no last line break", TEXT("log.example\n7\n" ROOT), ERR_INPUT, THREE},
        {"an extension line", TEXT("log.example\n7\n" ROOT "\nmore\n"), ERR_INPUT,
         "a checkpoint with extension lines"},
        {"an octet behind", TEXT("log.example\n7\n" ROOT "\n\n"), ERR_INPUT,
         "a checkpoint with extension lines"},

        {"no origin", TEXT("\n7\n" ROOT "\n"), ERR_DENIED, "the origin is not"},
        {"another origin", TEXT("log.exampla\n7\n" ROOT "\n"), ERR_DENIED,
         "the origin is not 'log.example'"},
        {"a longer origin", TEXT("log.example2\n7\n" ROOT "\n"), ERR_DENIED, "the origin is not"},
        {"a shorter origin", TEXT("log.exampl\n7\n" ROOT "\n"), ERR_DENIED, "the origin is not"},

        {"size 0", TEXT("log.example\n0\n" ROOT "\n"), ERR_NONE, NULL},
        {"size 10", TEXT("log.example\n10\n" ROOT "\n"), ERR_NONE, NULL},
        {"size of 19 digits", TEXT("log.example\n9999999999999999999\n" ROOT "\n"), ERR_NONE, NULL},
        {"size of 20 digits", TEXT("log.example\n10000000000000000000\n" ROOT "\n"), ERR_INPUT,
         DECIMAL " without leading zeros"},
        {"no size", TEXT("log.example\n\n" ROOT "\n"), ERR_INPUT, DECIMAL " without leading zeros"},
        {"a leading zero", TEXT("log.example\n07\n" ROOT "\n"), ERR_INPUT,
         DECIMAL " without leading zeros"},
        {"the character before 0", TEXT("log.example\n7/\n" ROOT "\n"), ERR_INPUT,
         DECIMAL " number"},
        {"the character behind 9", TEXT("log.example\n:7\n" ROOT "\n"), ERR_INPUT,
         DECIMAL " number"},
        {"a sign", TEXT("log.example\n-7\n" ROOT "\n"), ERR_INPUT, DECIMAL " number"},

        {"root of 43 characters",
         TEXT("log.example\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"), ERR_INPUT, NO_ROOT},
        {"root of 45 characters", TEXT("log.example\n7\n" ROOT "=\n"), ERR_INPUT, NO_ROOT},
        {"no root", TEXT("log.example\n7\n\n"), ERR_INPUT, NO_ROOT},
        {"root of 33 octets",
         TEXT("log.example\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"), ERR_INPUT,
         NO_ROOT},
        {"root of 31 octets",
         TEXT("log.example\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n"), ERR_INPUT,
         NO_ROOT},
        {"root outside the alphabet",
         TEXT("log.example\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA!A=\n"), ERR_INPUT,
         "root hash: base64"},
        {"root with a NUL", TEXT("log.example\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\0=\n"),
         ERR_INPUT, NO_ROOT},
        {"root that ends in a NUL",
         TEXT("log.example\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\0\0\0\0\n"), ERR_INPUT,
         NO_ROOT},
        {"root with other bits behind the last octet",
         TEXT("log.example\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n"), ERR_INPUT,
         "root hash: base64"},
    };
    CLEANUP(policy_cleanup) struct policy *p = scene_policy(POLICY_LOG);
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct tree_head out = {0};
        struct err e = {0};

        good += scene_expect(
            rows[i].name,
            object_check_checkpoint(p, span_of(rows[i].text, rows[i].n), NULL, &out, &e), &e,
            rows[i].code, rows[i].reason);
    }
    assert_int_equal(good, ARRAY_LEN(rows));
}

/* "log.example", this size and root. */
static char *
note(uint64_t size, const uint8_t root[32])
{
    CLEANUP(mem_cleanup) char *base64 = base64_dup(span_of(root, 32));

    return mem_printf("log.example\n%llu\n%s\n", (unsigned long long)size, base64);
}

static void
size_and_root_are_told(void **state)
{
    CLEANUP(policy_cleanup) struct policy *p = scene_policy(POLICY_LOG);
    uint8_t root[32];
    struct tree_head out = {.size = 5, .root = {6}}; /* what was there does not matter */
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(root); i++) {
        root[i] = (uint8_t)(0xe0 + i);
    }
    {
        CLEANUP(mem_cleanup) char *text = note(9876543210987654321ULL, root);

        assert_ok(object_check_checkpoint(p, span_str(text), NULL, &out, &e), &e);
    }
    assert_true(out.size == 9876543210987654321ULL);
    assert_memory_equal(out.root, root, sizeof(root));
}

static void
a_log_has_one_history(void **state)
{
    static const struct {
        const char *name;
        uint64_t size;
        int differs; /* octet of the root; -1: none */
        const char *reason;
    } rows[] = {
        {"the same again", 100, -1, NULL},
        {"one more, the same root", 101, -1, NULL},
        {"one more, another root", 101, 31, NULL},
        {"one less, the same root", 99, -1, "roll-back: size 99 after 100"},
        {"one less, another root", 99, 0, "roll-back: size 99 after 100"},
        {"nothing", 0, -1, "roll-back: size 0 after 100"},
        {"first octet of the root", 100, 0, "fork: another root for size 100"},
        {"last octet of the root", 100, 31, "fork: another root for size 100"},
    };
    CLEANUP(policy_cleanup) struct policy *p = scene_policy(POLICY_LOG);
    const struct tree_head last = {.size = 100, .root = {1, 2, 3}};
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct tree_head next = last;
        struct tree_head out = {0};
        CLEANUP(mem_cleanup) char *text = NULL;
        struct err e = {0};

        if (rows[i].differs >= 0) {
            next.root[rows[i].differs] ^= 1;
        }
        text = note(rows[i].size, next.root);
        good +=
            scene_expect(rows[i].name, object_check_checkpoint(p, span_str(text), &last, &out, &e),
                         &e, ERR_DENIED, rows[i].reason);
    }
    assert_int_equal(good, ARRAY_LEN(rows));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_is_three_lines_of_their_form),
        cmocka_unit_test(size_and_root_are_told),
        cmocka_unit_test(a_log_has_one_history),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
