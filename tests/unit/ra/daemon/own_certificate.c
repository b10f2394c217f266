/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/daemon/own_certificate.h"

#include "base/ossl.h"
#include "ra/daemon/ra.h"
#include "tests/support/tap.h"
#include "tests/support/test.h"

enum { FROM = 1000, UNTIL = 2000 };

static struct settings settings = {.certificate = (char[]){"ra.pem"}};

/* Both ends are within its validity. */
static void
it_is_good_from_its_begin_to_its_end(void **state)
{
    static const struct {
        const char *name;
        time_t now;
        time_t refused_until;
        enum own_certificate_state is;
    } rows[] = {
        {"before it begins", FROM - 1, 0, OWN_CERTIFICATE_EARLY},
        {"its first second", FROM, 0, OWN_CERTIFICATE_GOOD},
        {"its last second", UNTIL, 0, OWN_CERTIFICATE_GOOD},
        {"after its end", UNTIL + 1, 0, OWN_CERTIFICATE_ENDED},
        {"refused by the CA", 1500, 1501, OWN_CERTIFICATE_REFUSED},
        {"which has lapsed", 1500, 1500, OWN_CERTIFICATE_GOOD},
        {"refused, and before it begins", FROM - 1, 1501, OWN_CERTIFICATE_EARLY},
        {"refused, and after its end", UNTIL + 1, 9000, OWN_CERTIFICATE_ENDED},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct own_certificate own = {
            .not_before = FROM, .not_after = UNTIL, .refused_until = rows[i].refused_until};

        if (own_certificate_at(&own, rows[i].now) != rows[i].is) {
            fail_msg("%s", rows[i].name);
        }
    }
}

static struct ra
ra_of(int from, int until)
{
    return (struct ra){.settings = &settings,
                       .own = {.not_before = clock_now() + from, .not_after = clock_now() + until}};
}

/* Was something said since the last time that this was asked? */
static bool
is_said(void)
{
    const bool said = tap_has("own-certificate");

    tap_mark();
    return said;
}

/* Each change is said once. */
static void
a_change_is_logged_once(void **state)
{
    struct ra ra = ra_of(-1000, 1000);

    (void)state;
    tap_mark();
    assert_int_equal(own_certificate_look(&ra), OWN_CERTIFICATE_GOOD);
    assert_false(is_said());
    ra.own.not_after = clock_now() - 500;
    assert_int_equal(own_certificate_look(&ra), OWN_CERTIFICATE_ENDED);
    tap_need("issue another one (nfpki-cactl issue ra-cmp) and restart");
    assert_true(is_said());
    assert_int_equal(own_certificate_look(&ra), OWN_CERTIFICATE_ENDED);
    assert_false(is_said());
    ra.own.not_after = clock_now() + 1000;
    assert_int_equal(own_certificate_look(&ra), OWN_CERTIFICATE_GOOD);
    tap_need("ra.pem is good again");
    assert_true(is_said());
    ra.own.not_before = clock_now() + 500;
    assert_int_equal(own_certificate_look(&ra), OWN_CERTIFICATE_EARLY);
    tap_need("look at the clock");
    assert_true(is_said());
}

/* The CA's word is said when it comes and when the CA takes it again; not when it lapses. */
static void
what_the_ca_says_lapses(void **state)
{
    struct ra ra = ra_of(-1000, 1000);

    (void)state;
    tap_mark();
    own_certificate_taken(&ra);
    assert_false(is_said());
    own_certificate_refused(&ra, SPAN_LITERAL("revoked, say"));
    tap_need("the CA does not accept ra.pem: revoked, say");
    assert_true(is_said());
    assert_true(ra.own.refused_until >= clock_now() + OWN_CERTIFICATE_RETRY_S - 20);
    assert_true(ra.own.refused_until <= clock_now() + OWN_CERTIFICATE_RETRY_S);
    assert_int_equal(own_certificate_look(&ra), OWN_CERTIFICATE_REFUSED);
    own_certificate_refused(&ra, SPAN_LITERAL("revoked, say"));
    assert_false(is_said());
    ra.own.refused_until = clock_now() - 1;
    assert_int_equal(own_certificate_look(&ra), OWN_CERTIFICATE_GOOD);
    assert_false(is_said());
    own_certificate_taken(&ra);
    tap_need("ra.pem is good again");
    assert_true(is_said());
    assert_int_equal(ra.own.refused_until, 0);
    own_certificate_taken(&ra);
    assert_false(is_said());
}

/* Whatever the CA has said before. */
static void
the_end_of_what_was_refused_is_news(void **state)
{
    struct ra ra = ra_of(-1000, 1000);

    (void)state;
    own_certificate_refused(&ra, SPAN_LITERAL("revoked, say"));
    tap_mark();
    ra.own.not_after = clock_now() - 500;
    assert_int_equal(own_certificate_look(&ra), OWN_CERTIFICATE_ENDED);
    tap_need("ra.pem ended at ");
    tap_mark();
    ra.own.not_after = clock_now() + 1000; /* the clock was wrong; the refusal stands */
    assert_int_equal(own_certificate_look(&ra), OWN_CERTIFICATE_REFUSED);
    assert_false(is_said());
    ra.own.refused_until = 0;
    assert_int_equal(own_certificate_look(&ra), OWN_CERTIFICATE_GOOD);
    assert_false(is_said());
}

/* That it has ended was said already. */
static void
a_refusal_of_what_has_ended_is_no_news(void **state)
{
    struct ra ra = ra_of(-1000, -500);

    (void)state;
    assert_int_equal(own_certificate_look(&ra), OWN_CERTIFICATE_ENDED);
    tap_mark();
    own_certificate_refused(&ra, SPAN_LITERAL("ended"));
    own_certificate_taken(&ra);
    assert_false(is_said());
    assert_int_equal(ra.own.refused_until, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_good_from_its_begin_to_its_end),
        cmocka_unit_test(a_change_is_logged_once),
        cmocka_unit_test(what_the_ca_says_lapses),
        cmocka_unit_test(the_end_of_what_was_refused_is_news),
        cmocka_unit_test(a_refusal_of_what_has_ended_is_no_news),
    };

    tap_open();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
