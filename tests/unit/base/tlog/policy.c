/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tlog/policy.h"

#include <openssl/ec.h>
#include <string.h>

#include "base/ossl.h"
#include "tests/support/test.h"

enum { KEYS = TLOG_POLICY_EACH + 1 };

/* Keys of witnesses, and a log's. */
struct fixture {
    char *keys[KEYS];
    struct log_key log;
    char *log_key;
    char *text; /* of the policy of last */
};

static int
set_up(void **state)
{
    struct fixture *f = mem_zalloc(1, sizeof(*f));
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(buf_free) struct buf spki = BUF_INIT(1024);
    struct err e = {0};

    for (size_t i = 0; i < KEYS; i++) {
        CLEANUP(evp_pkey_cleanup) EVP_PKEY *one = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        struct cosigner c;

        assert_ok(cosigner_of(&c, "w.example", one, &e), &e);
        f->keys[i] = cosigner_format(&c);
        f->keys[i][strlen(f->keys[i]) - 1] = '\0';
    }
    assert_ok(OSSL_ENCODE(PUBKEY, key, &spki, &e), &e);
    assert_ok(log_key_set(&f->log, "log.test/one", buf_span(&spki), &e), &e);
    f->log_key = log_key_format(&f->log);
    f->log_key[strlen(f->log_key) - 1] = '\0';
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < KEYS; i++) {
        mem_free(f->keys[i]);
    }
    log_key_free(&f->log);
    mem_free(f->log_key);
    mem_free(f);
    return 0;
}

/* What stands in the form, with $L the log's key and %A, %B, ... keys of witnesses. */
static void
fill(const struct fixture *f, const char *form, struct buf *out)
{
    struct err e = {0};

    for (; *form != '\0'; form++) {
        if (form[0] == '$') {
            form++;
            assert_ok(buf_append_str(out, *form == 'L' ? f->log_key : f->keys[*form - 'A'], &e),
                      &e);
        } else {
            assert_ok(buf_append(out, span_of(form, 1), &e), &e);
        }
    }
}

static struct tlog_policy *
parse(const struct fixture *f, const char *form, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(2 * TLOG_POLICY_MAX);

    fill(f, form, &text);
    return tlog_policy_parse(buf_span(&text), e);
}

#define WITNESSES                                                                                  \
    "witness X1 $A\nwitness X2 $B https://w.example/\nwitness X3 $C\nwitness Y1 $D\n"              \
    "witness Y2 $E\n"

static void
a_quorum_is_reached_or_not(void **state)
{
    static const struct {
        const char *rest;
        const char *cosigned; /* of X1 X2 X3 Y1 Y2 */
        bool met;
    } rows[] = {
        {"quorum none\n", "00000", true},
        {"quorum X2\n", "10111", false},
        {"quorum X2\n", "01000", true},
        {"group g all X1 X2\nquorum g\n", "10111", false},
        {"group g all X1 X2\nquorum g\n", "11000", true},
        {"group g any X1 X2\nquorum g\n", "00111", false},
        {"group g any X1 X2\nquorum g\n", "01000", true},
        {"group X 2 X1 X2 X3\ngroup Y any Y1 Y2\ngroup both all X Y\nquorum both\n", "11000",
         false},
        {"group X 2 X1 X2 X3\ngroup Y any Y1 Y2\ngroup both all X Y\nquorum both\n", "10011",
         false},
        {"group X 2 X1 X2 X3\ngroup Y any Y1 Y2\ngroup both all X Y\nquorum both\n", "10101", true},
        {" # quorum none\n#\n\n \t\n  group\tg  3   X1 X2 X3 Y1 Y2\t\nquorum g # 1\n", "", false},
        {"group #g 3 X1 X2 X3 Y1 Y2\nquorum #g\n", "01011", true},
    };
    const struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *form = mem_printf(WITNESSES "%s", rows[i].rest);
        bool cosigned[TLOG_POLICY_EACH] = {false};
        struct err e = {0};
        CLEANUP(tlog_policy_cleanup) struct tlog_policy *p = parse(f, form, &e);

        if (rows[i].cosigned[0] == '\0') {
            assert_null(p); /* a comment begins a line */
            continue;
        }
        assert_non_null(p);
        assert_int_equal(tlog_policy_witnesses(p), 5);
        assert_string_equal(tlog_policy_witness(p, 3)->name, "Y1");
        for (size_t k = 0; rows[i].cosigned[k] != '\0'; k++) {
            cosigned[k] = rows[i].cosigned[k] == '1';
        }
        if (tlog_policy_met(p, cosigned) != rows[i].met) {
            fail_msg("row %zu", i);
        }
    }
}

static void
its_logs_are_known_by_name_and_key(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(tlog_policy_cleanup) struct tlog_policy *with = NULL;
    CLEANUP(tlog_policy_cleanup) struct tlog_policy *without = NULL;
    struct log_key other = f->log;
    struct err e = {0};

    with = parse(f,
                 "log example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n"
                 "log $L https://log.test/\nquorum none\n",
                 &e);
    assert_non_null(with);
    assert_true(tlog_policy_has_logs(with));
    assert_true(tlog_policy_has_log(with, &f->log));
    other.origin[0] = 'L';
    assert_false(tlog_policy_has_log(with, &other));
    without = parse(f, "quorum none\n", &e);
    assert_non_null(without);
    assert_false(tlog_policy_has_logs(without));
    assert_string_equal(tlog_policy_quorum(without), "none");
}

static void
what_is_no_policy(void **state)
{
    static const struct {
        const char *form;
        const char *reason;
    } rows[] = {
        {"", "no line break at its end"},
        {"quorum none", "no line break at its end"},
        {"quorum none\r\n", "control characters"},
        {"quorum none\n\x7f\n", "control characters"},
        {"# nothing\n", "no line \"quorum"},
        {"quorum none\nquorum none\n", "line 2: not one line"},
        {"quorum\n", "line 1: not one line"},
        {"quorum a b\n", "line 1: not one line"},
        {"quorum a\n", "line 1: a quorum that no line before it defines"},
        {"quorum a\nwitness a $A\n", "line 1: a quorum that no line before"},
        {"Quorum none\n", "line 1: neither log, witness, group nor quorum"},
        {"log\n", "line 1: not \"log"},
        {"log $L a b\n", "line 1: not \"log"},
        {"log x\n", "line 1: not a verifier key"},
        {"log x+00000000+\n", "line 1: verifier key"},
        {"log $A\n", "line 1: verifier key: not an ECDSA key"},
        {"log $L\nlog $L\n", "line 2: a log with this key"},
        {"witness a\n", "line 1: not \"witness"},
        {"witness a $A b c\n", "line 1: not \"witness"},
        {"witness a $L\n", "line 1: verifier key: not an Ed25519 key"},
        {"witness none $A\n", "line 1: this name is taken"},
        {"witness a $A\nwitness a $B\n", "line 2: this name is taken"},
        {"witness a $A\nwitness b $A\n", "line 2: a witness with this key"},
        {"witness a $A\ngroup a all a\n", "line 2: this name is taken"},
        {"group g all\n", "line 1: not \"group"},
        {"witness a $A\ngroup g 0 a\n", "line 2: neither all, any nor"},
        {"witness a $A\ngroup g 2 a\n", "line 2: neither all, any nor"},
        {"witness a $A\ngroup g 01 a\n", "line 2: neither all, any nor"},
        {"witness a $A\ngroup g 1x a\n", "line 2: neither all, any nor"},
        {"witness a $A\ngroup g 18446744073709551617 a\n", "line 2: neither all, any nor"},
        {"group g any a\n", "line 1: a member that no line before it"},
        {"group g any none\n", "line 1: a member that no line before it"},
        {"group g any g\n", "line 1: a member that no line before it"},
        {"witness a $A\ngroup g any a a\n", "line 2: a member that is in a group"},
        {"witness a $A\ngroup g any a\ngroup h any a\n", "line 3: a member that is in a group"},
    };
    const struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};
        CLEANUP(tlog_policy_cleanup) struct tlog_policy *p = parse(f, rows[i].form, &e);

        if (p != NULL || e.code != ERR_INPUT || strstr(e.text, rows[i].reason) == NULL) {
            fail_msg("%s: %s", rows[i].form, e.text);
        }
    }
}

/* `n` witnesses, in `groups` groups of one each. */
static struct tlog_policy *
many(const struct fixture *f, size_t n, size_t groups, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(TLOG_POLICY_MAX);

    for (size_t i = 0; i < n; i++) {
        CLEANUP(mem_cleanup) char *line = mem_printf("witness w%zu %s\n", i, f->keys[i]);

        assert_ok(buf_append_str(&text, line, e), e);
    }
    for (size_t i = 0; i < groups; i++) {
        CLEANUP(mem_cleanup)
        char *line = mem_printf("group g%zu any %s%zu\n", i, i < n ? "w" : "g", i < n ? i : i - n);

        assert_ok(buf_append_str(&text, line, e), e);
    }
    assert_ok(buf_append_str(&text, "quorum none\n", e), e);
    return tlog_policy_parse(buf_span(&text), e);
}

static void
thirty_two_of_each_and_no_more(void **state)
{
    const struct fixture *f = *state;
    struct err e = {0};
    CLEANUP(tlog_policy_cleanup)
    struct tlog_policy *most = many(f, TLOG_POLICY_EACH, TLOG_POLICY_EACH, &e);
    CLEANUP(tlog_policy_cleanup) struct tlog_policy *witnesses = NULL;
    CLEANUP(tlog_policy_cleanup) struct tlog_policy *groups = NULL;
    CLEANUP(mem_cleanup) char *items = mem_zalloc(1, 1024);
    CLEANUP(tlog_policy_cleanup) struct tlog_policy *wide = NULL;

    assert_non_null(most);
    witnesses = many(f, TLOG_POLICY_EACH + 1, 0, &e);
    assert_null(witnesses);
    assert_non_null(strstr(e.text, "line 33: more than 32 of this kind"));
    groups = many(f, 2, TLOG_POLICY_EACH + 1, &e);
    assert_null(groups);
    assert_non_null(strstr(e.text, "line 35: more than 32 of this kind"));
    for (size_t i = 0; i < 70; i++) {
        memcpy(items + 2 * i, "a ", 2);
    }
    memcpy(items + 2 * 70, "\n", 1);
    wide = tlog_policy_parse(span_str(items), &e);
    assert_null(wide);
    assert_non_null(strstr(e.text, "line 1: more than 67 items"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_quorum_is_reached_or_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(its_logs_are_known_by_name_and_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_policy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(thirty_two_of_each_and_no_more, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
