/* SPDX-License-Identifier: Apache-2.0 */
/* Which heads of a queue the key signs, and that a head is no other object. */
#include "tests/support/test.h"

#include "base/tlog/queue_head.h"

#include <string.h>

#include "base/ossl.h"
#include "pkcs11/signer/object.h"
#include "tests/support/der_text.h"
#include "tests/unit/pkcs11/signer/scene.h"

#define PART                                                                                       \
    "30{30{02{02}a4{" SCENE_NAME("RA") "}a4{" SCENE_NAME("5gc.example") "}a1{" SCENE_P256          \
                                                                        "}}a3{30{0500}}}"

static struct policy *
allowing(void)
{
    struct policy *p = scene_policy(POLICY_CMP);

    p->queue_heads = true;
    return p;
}

static void
text_of(const struct policy *p, struct buf *out)
{
    struct queue_head h = {.first = 42, .size = 7, .time = SCENE_FROM};
    struct err e = {0};

    *out = BUF_INIT(1024);
    assert_ok(sha256(buf_span(&p->spki), h.ra, &e), &e);
    assert_ok(queue_head_format(&h, out, &e), &e);
}

static int
check(const struct policy *p, uint8_t kind, struct span text, struct err *e)
{
    struct tree_head out = {0};

    return object_check(p, kind, text, span_of(NULL, 0), NULL, &out, e);
}

/* Each changed after it was right. */
static void
what_is_no_head_of_this_key_is_refused(void **state)
{
    enum { WHOLE = 1024 };
    static const struct {
        const char *name;
        const char *line; /* whose value's first octet is `octet`; NULL: none */
        uint8_t octet;
        size_t keep; /* octets of it */
        const char *more;
        enum err_code code;
        const char *reason; /* NULL: it is signed */
    } rows[] = {
        {"right", NULL, 0, WHOLE, "", ERR_NONE, NULL},
        {"another key", "\nra ", '~', WHOLE, "", ERR_DENIED,
         "queue head: ra is not the key of this signer"},
        {"ra that is no hash", "\nra ", 'g', WHOLE, "", ERR_INPUT,
         "queue head: ra is not 64 hex digits"},
        {"ca that is no hash", "\nca ", 'g', WHOLE, "", ERR_INPUT,
         "queue head: ca is not 64 hex digits"},
        {"ca in capitals", "\nca ", 'A', WHOLE, "", ERR_INPUT, "not written as it must be"},
        {"another ca", "\nca ", 'a', WHOLE, "", ERR_NONE, NULL},
        {"first with a zero in front", "\nfirst ", '0', WHOLE, "", ERR_INPUT,
         "not written as it must be"},
        {"size 0", "\nsize ", '0', WHOLE, "", ERR_INPUT, "size is not 1 to 256"},
        {"root that is no hash", "\nroot ", ' ', WHOLE, "", ERR_INPUT, "root is not 64 hex digits"},
        {"previous that is no hash", "\nprevious ", 'x', WHOLE, "", ERR_INPUT,
         "previous is not 64 hex digits"},
        {"a year before 1970", "\ntime ", '1', WHOLE, "", ERR_INPUT, "time is before 1970"},
        {"without its last octet", NULL, 0, 1, "", ERR_INPUT, "no line 'time'"},
        {"a line more", NULL, 0, WHOLE, "more\n", ERR_INPUT, "not written as it must be"},
    };
    CLEANUP(policy_cleanup) struct policy *p = allowing();
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf text = {0};
        struct err e = {0};

        text_of(p, &text);
        if (rows[i].line != NULL) {
            uint8_t *at = memmem(text.p, text.n, rows[i].line, strlen(rows[i].line));

            assert_non_null(at);
            at += strlen(rows[i].line);
            *at = rows[i].octet == '~' ? (*at == '0' ? '1' : '0') : rows[i].octet;
        }
        if (rows[i].keep != WHOLE) {
            buf_truncate(&text, text.n - rows[i].keep);
        }
        assert_ok(buf_append_str(&text, rows[i].more, &e), &e);
        good += scene_expect(rows[i].name, check(p, 'Q', buf_span(&text), &e), &e, rows[i].code,
                             rows[i].reason);
    }
    assert_int_equal(good, ARRAY_LEN(rows));
}

static void
a_head_is_no_other_object_and_none_is_a_head(void **state)
{
    CLEANUP(policy_cleanup) struct policy *p = allowing();
    CLEANUP(policy_cleanup) struct policy *log = scene_policy(POLICY_LOG);
    CLEANUP(buf_free) struct buf text = {0};
    CLEANUP(buf_free) struct buf part = BUF_INIT(4096);
    size_t good = 0;
    struct err e = {0};

    (void)state;
    p->seals = true;
    text_of(p, &text);
    der_text(PART, &part);
    good += scene_expect("a ProtectedPart is right", check(p, 'P', buf_span(&part), &e), &e,
                         ERR_NONE, NULL);
    good += scene_expect("a ProtectedPart as a head", check(p, 'Q', buf_span(&part), &e), &e,
                         ERR_INPUT, "queue head: does not begin as one");
    good += scene_expect("a head as a CMP message", check(p, 'P', buf_span(&text), &e), &e,
                         ERR_INPUT, "ProtectedPart: ");
    good += scene_expect("a head as what seals", check(p, 'S', buf_span(&text), &e), &e, ERR_DENIED,
                         "a MAC over another text");
    good += scene_expect("what seals as a head", check(p, 'Q', SIGNER_SEAL_TEXT_RA, &e), &e,
                         ERR_INPUT, "queue head: does not begin as one");
    good += scene_expect("a head as a checkpoint", check(log, 'K', buf_span(&text), &e), &e,
                         ERR_INPUT, "checkpoint: ");
    good += scene_expect("a checkpoint as a head",
                         check(p, 'Q', SPAN_LITERAL("log.example\n0\n47DEQpj8HBSa\n"), &e), &e,
                         ERR_INPUT, "queue head: does not begin as one");
    assert_int_equal(good, 7);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_head_of_this_key_is_refused),
        cmocka_unit_test(a_head_is_no_other_object_and_none_is_a_head),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
