/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include <string.h>

#include "ceremony/transcript/plan.h"
#include "tests/unit/ceremony/root.h"

enum { DAY = 24 * 60 * 60 };

static time_t
at(const char *text)
{
    struct err e = {0};
    time_t t = 0;

    assert_ok(time_parse(text, &t, &e), &e);
    return t;
}

static void
issuing_definition(struct definition *d)
{
    struct err e = {0};

    *d = (struct definition){.type = SUB_ISSUE};
    memcpy(d->id, "sub", 4);
    assert_ok(name_set(&d->certificate.subject, "SE", "Example", "Issuing", &e), &e);
    d->certificate.not_before = at("2026-11-24T12:00:00Z");
    d->certificate.not_after = at("2031-11-23T11:59:59Z");
    memcpy(d->certificate.crl_url, "http://x/root.crl", sizeof("http://x/root.crl"));
}

static void
serials_follow_from_public_seeds(void **state)
{
    struct definition d = {.type = SUB_ISSUE, .id = "a"};
    struct circumstances c = {.rehearsal = true};
    uint8_t rehearsed[SERIAL_SIZE];
    uint8_t again[SERIAL_SIZE];
    uint8_t real[SERIAL_SIZE];
    uint8_t other[SERIAL_SIZE];
    struct err e = {0};

    (void)state;
    assert_ok(plan_serial(&d, &c, rehearsed, &e), &e);
    assert_true(serial_is_shaped(rehearsed));
    /* In a rehearsal the token's randomness plays no part, the definition does. */
    c.token_random[3] ^= 1;
    assert_ok(plan_serial(&d, &c, again, &e), &e);
    assert_memory_equal(rehearsed, again, SERIAL_SIZE);
    d.hash[31] ^= 1;
    assert_ok(plan_serial(&d, &c, again, &e), &e);
    assert_memory_not_equal(rehearsed, again, SERIAL_SIZE);
    /* In production it is the other way round. */
    c.rehearsal = false;
    assert_ok(plan_serial(&d, &c, real, &e), &e);
    d.hash[31] ^= 1;
    assert_ok(plan_serial(&d, &c, other, &e), &e);
    assert_memory_equal(real, other, SERIAL_SIZE);
    c.kernel_random[31] ^= 0x80;
    assert_ok(plan_serial(&d, &c, other, &e), &e);
    assert_memory_not_equal(real, other, SERIAL_SIZE);
}

static void
a_rehearsal_is_marked_and_short(void **state)
{
    CLEANUP(state_clear) struct state s = {0};
    struct circumstances c = {.rehearsal = true, .now = at("2026-12-01T09:00:00Z")};
    struct definition d;
    struct tbs_request plan;
    struct name subject;
    struct err e = {0};

    (void)state;
    test_root(&s);
    issuing_definition(&d);
    assert_ok(plan_certificate(&d, &c, s.root, span_str("key"), &subject, &plan, &e), &e);
    assert_string_equal(subject.common_name, "REHEARSAL Issuing");
    assert_true(plan.rehearsal);
    assert_int_equal(plan.not_before, c.now);
    assert_int_equal(plan.not_after, c.now + 7 * DAY - 1);
    /* on the definition's day with its dates: good for clocks that are behind */
    c.now = d.certificate.not_before + DAY;
    assert_ok(plan_certificate(&d, &c, s.root, span_str("key"), &subject, &plan, &e), &e);
    assert_int_equal(plan.not_before, d.certificate.not_before);
    assert_int_equal(plan.not_after, plan.not_before + 7 * DAY - 1);
    c.now++;
    assert_ok(plan_certificate(&d, &c, s.root, span_str("key"), &subject, &plan, &e), &e);
    assert_int_equal(plan.not_before, c.now);
    /* never before the root's beginning */
    c.now = at("2026-11-19T12:00:10Z");
    d.certificate.not_before = at("2026-11-18T13:00:00Z");
    assert_ok(plan_certificate(&d, &c, s.root, span_str("key"), &subject, &plan, &e), &e);
    assert_true(ASN1_TIME_cmp_time_t(X509_get0_notBefore(s.root), plan.not_before) == 0);
    /* never past its end */
    c.now = at("2046-11-15T11:59:59Z");
    assert_ok(plan_certificate(&d, &c, s.root, span_str("key"), &subject, &plan, &e), &e);
    assert_int_equal(plan.not_after, at("2046-11-18T11:59:59Z"));
}

static void
production_takes_the_dates_of_the_definition_on_its_day_only(void **state)
{
    CLEANUP(state_clear) struct state s = {0};
    struct circumstances c = {.now = at("2026-11-24T13:00:00Z")};
    struct definition d;
    struct tbs_request plan;
    struct name subject;
    struct err e = {0};

    (void)state;
    test_root(&s);
    issuing_definition(&d);
    assert_ok(plan_certificate(&d, &c, s.root, span_str("key"), &subject, &plan, &e), &e);
    assert_string_equal(subject.common_name, "Issuing");
    assert_int_equal(plan.not_before, d.certificate.not_before);
    assert_int_equal(plan.not_after, d.certificate.not_after);
    c.now = d.certificate.not_before - 1;
    assert_err(plan_certificate(&d, &c, s.root, span_str("key"), &subject, &plan, &e), ERR_DENIED,
               &e);
    c.now = d.certificate.not_before + DAY + 1;
    assert_err(plan_certificate(&d, &c, s.root, span_str("key"), &subject, &plan, &e), ERR_DENIED,
               &e);
}

static void
crls_count_up_and_forget_nothing(void **state)
{
    CLEANUP(state_clear) struct state s = {0};
    struct circumstances c = {.rehearsal = true, .now = at("2026-12-01T09:00:00Z")};
    struct definition d = {.type = ROOT_CRL};
    static const uint8_t serial[SERIAL_SIZE] = {0x41};
    struct crl_request plan;
    struct err e = {0};

    (void)state;
    test_root(&s);
    assert_ok(state_add_issued(&s, serial, span_str("key"), 0, &e), &e);
    d.crl.this_update = at("2026-11-24T12:00:00Z");
    d.crl.next_update = at("2027-11-23T12:00:00Z");
    d.crl.revoked[0] =
        (struct crl_entry){.serial = {0x41}, .serial_size = SERIAL_SIZE, .reason = CRL_SUPERSEDED};
    d.crl.n_revoked = 1;
    assert_ok(plan_crl(&d, &c, &s, &plan, &e), &e);
    assert_int_equal(plan.number, 1);
    assert_int_equal(plan.n_entries, 1);
    assert_int_equal(plan.next_update, c.now + 7 * DAY - 1);
    /* The next one names nothing new, in the same second. */
    d.crl.n_revoked = 0;
    assert_ok(plan_crl(&d, &c, &s, &plan, &e), &e);
    assert_int_equal(plan.number, 2);
    assert_int_equal(plan.n_entries, 1);
    assert_int_equal(plan.this_update, c.now + 1);
    /* A number that a stopped ceremony used up stays unused. */
    d.crl.skip = 2;
    assert_ok(plan_crl(&d, &c, &s, &plan, &e), &e);
    assert_int_equal(plan.number, 5);
    /* In production a CRL is later than the one before it. */
    c.rehearsal = false;
    c.now = d.crl.this_update;
    s.crl_this_update = 0;
    d.crl.next_update = at("2046-11-19T00:00:00Z"); /* the root ends before */
    assert_err(plan_crl(&d, &c, &s, &plan, &e), ERR_DENIED, &e);
    d.crl.next_update = at("2027-11-23T12:00:00Z");
    s.crl_this_update = c.now;
    assert_err(plan_crl(&d, &c, &s, &plan, &e), ERR_DENIED, &e);
}

static void
a_crl_wants_a_root_that_lives_and_a_later_time(void **state)
{
    CLEANUP(state_clear) struct state s = {0};
    struct circumstances c = {.now = at("2026-11-24T12:00:00Z")};
    struct definition d = {.type = ROOT_CRL};
    struct crl_request plan;
    struct err e = {0};

    (void)state;
    d.crl.this_update = c.now;
    d.crl.next_update = at("2027-11-23T12:00:00Z");
    assert_err(plan_crl(&d, &c, &s, &plan, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "the previous ceremonies made no root: wrong bundle in prev");
    test_root(&s);
    s.crl_this_update = d.crl.this_update;
    assert_err(plan_crl(&d, &c, &s, &plan, &e), ERR_DENIED, &e);
    assert_string_equal(e.text, "crl.this_update is not after the previous CRL's");
    s.crl_this_update = d.crl.this_update - 1;
    assert_ok(plan_crl(&d, &c, &s, &plan, &e), &e);
    assert_int_equal(s.crl_this_update, d.crl.this_update);
    s.crl_this_update = 0;
    d.crl.next_update = at("2046-11-18T11:59:59Z"); /* the root's last second */
    assert_ok(plan_crl(&d, &c, &s, &plan, &e), &e);
    s.crl_this_update = 0;
    d.crl.next_update++;
    assert_err(plan_crl(&d, &c, &s, &plan, &e), ERR_DENIED, &e);
    assert_string_equal(e.text, "crl.next_update is past the end of the root's certificate");
    /* a rehearsal ends with the root then */
    c.rehearsal = true;
    c.now = at("2046-11-17T00:00:00Z");
    assert_ok(plan_crl(&d, &c, &s, &plan, &e), &e);
    assert_int_equal(plan.next_update, at("2046-11-18T11:59:59Z"));
    /* and never begins before it */
    c.now = at("2026-11-23T11:00:00Z");
    s.crl_this_update = 0;
    d.crl.this_update = c.now;
    assert_ok(plan_crl(&d, &c, &s, &plan, &e), &e);
    assert_int_equal(plan.this_update, at("2026-11-23T12:00:00Z"));
}

static void
dates_are_taken_within_the_day(void **state)
{
    static const struct {
        int after;
        bool taken;
    } rows[] = {{0, true}, {DAY, true}, {-1, false}, {DAY + 1, false}};
    CLEANUP(state_clear) struct state s = {0};

    (void)state;
    test_root(&s);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct circumstances c = {0};
        struct definition d;
        struct tbs_request plan;
        struct crl_request crl;
        struct name subject;
        struct err e = {0};

        issuing_definition(&d);
        d.crl.this_update = d.certificate.not_before;
        d.crl.next_update = d.crl.this_update + 10 * (time_t)DAY;
        s.crl_this_update = 0;
        c.now = d.certificate.not_before + rows[i].after;
        if ((plan_certificate(&d, &c, s.root, span_str("key"), &subject, &plan, &e) == 0) !=
                rows[i].taken ||
            (!rows[i].taken &&
             strstr(e.text, "certificate.not_before must lie within the day before now (20") ==
                 NULL)) {
            fail_msg("row %zu: %s", i, e.text);
        }
        if ((plan_crl(&d, &c, &s, &crl, &e) == 0) != rows[i].taken ||
            (!rows[i].taken &&
             strstr(e.text, "crl.this_update must lie within the day before now (20") == NULL)) {
            fail_msg("row %zu: %s", i, e.text);
        }
    }
}

static void
what_is_over_is_not_signed(void **state)
{
    CLEANUP(state_clear) struct state s = {0};

    (void)state;
    test_root(&s);
    for (int more = 0; more < 2; more++) {
        struct circumstances c = {0};
        struct definition d;
        struct tbs_request plan;
        struct crl_request crl;
        struct name subject;
        struct err e = {0};

        issuing_definition(&d);
        d.certificate.not_after = d.certificate.not_before + 60;
        d.crl.this_update = d.certificate.not_before;
        d.crl.next_update = d.certificate.not_after;
        s.crl_this_update = 0;
        c.now = d.certificate.not_after + more;
        assert_int_equal(plan_certificate(&d, &c, s.root, span_str("key"), &subject, &plan, &e),
                         -more);
        assert_true(more == 0 || strstr(e.text, "certificate.not_after is over (now: 2026-11-24T"));
        assert_int_equal(plan_crl(&d, &c, &s, &crl, &e), -more);
        assert_true(more == 0 || strstr(e.text, "crl.next_update is over (now: 2026-11-24T"));
        /* a rehearsal has its own dates */
        c.rehearsal = true;
        assert_ok(plan_certificate(&d, &c, s.root, span_str("key"), &subject, &plan, &e), &e);
    }
}

static void
a_name_that_has_no_place_for_the_mark_is_refused(void **state)
{
    char cn[65];
    struct name subject;
    struct name out;
    struct err e = {0};

    (void)state;
    memset(cn, 'x', sizeof(cn) - 1);
    cn[64] = '\0';
    assert_ok(name_set(&subject, "SE", "Example", cn, &e), &e);
    assert_ok(plan_subject(&subject, false, &out, &e), &e);
    assert_err(plan_subject(&subject, true, &out, &e), ERR_INPUT, &e);
    cn[64 - strlen(REHEARSAL_PREFIX)] = '\0';
    assert_ok(name_set(&subject, "SE", "Example", cn, &e), &e);
    assert_ok(plan_subject(&subject, true, &out, &e), &e);
}

static void
the_words_to_type_belong_to_one_object(void **state)
{
    struct definition d = {0};
    struct key_plan key = {.label = "issuing"};
    uint8_t hash[SHA256_SIZE] = {0xab, 0xcd};
    CLEANUP(mem_cleanup) char *sign = plan_word_sign(hash);
    CLEANUP(mem_cleanup) char *generate = plan_word_generate(&key);
    CLEANUP(mem_cleanup) char *definition = NULL;

    (void)state;
    d.hash[31] = 0x7f;
    definition = plan_word_definition(&d);
    assert_string_equal(sign, "sign abcd000000000000");
    assert_string_equal(generate, "generate issuing");
    assert_string_equal(definition, "000000000000007f");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serials_follow_from_public_seeds),
        cmocka_unit_test(a_rehearsal_is_marked_and_short),
        cmocka_unit_test(production_takes_the_dates_of_the_definition_on_its_day_only),
        cmocka_unit_test(crls_count_up_and_forget_nothing),
        cmocka_unit_test(a_crl_wants_a_root_that_lives_and_a_later_time),
        cmocka_unit_test(dates_are_taken_within_the_day),
        cmocka_unit_test(what_is_over_is_not_signed),
        cmocka_unit_test(a_name_that_has_no_place_for_the_mark_is_refused),
        cmocka_unit_test(the_words_to_type_belong_to_one_object),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
