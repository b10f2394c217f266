/* SPDX-License-Identifier: Apache-2.0 */
/* What status says, over the local socket, of an RA whose ra.db is sealed under its token's key. */
#include "ra/admin/status.h"

#include <string.h>

#include "base/ossl.h"
#include "ca/link/admin.h"
#include "ra/queue/queue.h"
#include "ra/secret/page_scrub.h"
#include "tests/unit/ra/admin/asking.h"

static json_t *
status(struct running *w)
{
    return asking_is_taken(w, json_pack("{s:s}", "command", "status"));
}

static const char *
text(const json_t *answer, const char *object, const char *member)
{
    const char *value = json_string_value(json_object_get(json_object_get(answer, object), member));

    return value == NULL ? "-" : value;
}

static int64_t
number(const json_t *answer, const char *object, const char *member)
{
    const json_t *value = json_object_get(json_object_get(answer, object), member);

    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

/* Times are texts of one form: their order is that of time. */
static void
is_time(const char *value)
{
    char now[TIME_TEXT_SIZE];
    char before[TIME_TEXT_SIZE];

    time_format(clock_now(), now);
    time_format(clock_now() - 3600, before);
    if (strlen(value) != strlen(now) || strcmp(value, now) > 0 || strcmp(value, before) < 0) {
        fail_msg("\"%s\", and it is %s", value, now);
    }
}

/* ---- the seals, and their scrub ---- */

/* It begins anew, as with a start of the program. */
static void
scrub_anew(struct running *w)
{
    page_scrub_stop(w->ra.page_scrub);
    running_settle(w);
    page_scrub_free(w->ra.page_scrub);
    w->ra.page_scrub = page_scrub_new(&w->ra);
}

static bool
has_passed(struct running *w)
{
    return page_scrub_status(w->ra.page_scrub).last.ended != 0;
}

static bool
is_under_way(struct running *w)
{
    return page_scrub_status(w->ra.page_scrub).seen > 0;
}

/* So much at once that the WAL, of 8,000 pages, comes into the file. */
static void
fill(struct running *w)
{
    running_sql(w,
                "INSERT OR IGNORE INTO head (first, text, leaves, stamp) VALUES (1000000, "
                "zeroblob(40000000), x'', zeroblob(32))",
                STORE_NO_VALUES);
    running_sql(w, "DELETE FROM head WHERE first = 1000000", STORE_NO_VALUES);
}

static void
pages_are_sealed_and_a_pass_has_seen_them_all(void **state)
{
    struct running *w = *state;
    CLEANUP(admin_json_cleanup) json_t *before = NULL;
    CLEANUP(admin_json_cleanup) json_t *after = NULL;
    int64_t pages;

    fill(w);
    scrub_anew(w);
    page_scrub_stop(w->ra.page_scrub); /* before its first step */
    before = status(w);
    assert_string_equal(json_string_value(json_object_get(before, "version")), NFPKI_VERSION);
    assert_string_equal(text(before, "seals", "state"), "sealed");
    assert_int_equal(json_array_size(json_object_get(before, "signers")), 1);
    assert_string_equal(json_string_value(json_object_get(
                            json_array_get(json_object_get(before, "signers"), 0), "name")),
                        w->settings->signers[0]);
    assert_true(
        json_is_true(json_object_get(json_array_get(json_object_get(before, "signers"), 0), "up")));
    pages = number(before, "seals", "pages");
    assert_true(pages > 8000);
    assert_true(json_is_null(json_object_get(json_object_get(before, "scrub"), "begun")));
    assert_true(json_is_null(json_object_get(json_object_get(before, "scrub"), "lastBegun")));
    assert_true(json_is_null(json_object_get(json_object_get(before, "scrub"), "lastEnded")));
    assert_true(json_is_null(json_object_get(json_object_get(before, "scrub"), "lastAge")));
    assert_int_equal(number(before, "scrub", "lastSeen"), 0);
    scrub_anew(w);
    running_until(w, has_passed);
    after = status(w);
    assert_true(json_is_null(json_object_get(json_object_get(after, "scrub"), "begun")));
    assert_int_equal(number(after, "scrub", "seen"), 0);
    assert_int_equal(number(after, "scrub", "lastSeen"), pages);
    is_time(text(after, "scrub", "lastBegun"));
    is_time(text(after, "scrub", "lastEnded"));
    assert_in_range(number(after, "scrub", "lastAge"), 0, 3600);
}

/* Of more pages than a few steps see. */
static void
a_pass_under_way_says_where_it_is(void **state)
{
    struct running *w = *state;
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;

    fill(w);
    scrub_anew(w);
    running_until(w, is_under_way);
    page_scrub_stop(w->ra.page_scrub); /* where it is */
    answer = status(w);
    is_time(text(answer, "scrub", "begun"));
    assert_in_range(number(answer, "scrub", "seen"), 1, number(answer, "seals", "pages") - 1);
    assert_true(json_is_null(json_object_get(json_object_get(answer, "scrub"), "lastEnded")));
}

/* ---- the CA ---- */

/* Since when, too. */
static void
link_is(struct running *w, const char *state, char since[TIME_TEXT_SIZE])
{
    CLEANUP(admin_json_cleanup) json_t *answer = status(w);

    assert_string_equal(text(answer, "link", "state"), state);
    is_time(text(answer, "link", "since"));
    memcpy(since, text(answer, "link", "since"), TIME_TEXT_SIZE);
    assert_int_equal(json_integer_value(json_object_get(answer, "jobs")), 0);
}

static bool
another_ca_is_there(struct running *w)
{
    (void)w;
    return tap_has("\"wrong-ca\"");
}

static void
the_link_is_up_down_or_held(void **state)
{
    struct running *w = *state;
    const struct link_message good = w->welcome;

    char since[TIME_TEXT_SIZE];
    char still[TIME_TEXT_SIZE];

    link_is(w, "up", since);
    running_ca_goes(w);
    running_until(w, running_is_down);
    link_is(w, "down", since);
    running_for(w, 1700); /* tries to connect, the last after 1.5 s */
    link_is(w, "down", still);
    assert_string_equal(since, still);
    w->welcome.root = good.body;
    w->ca_is_mute = true; /* so that nobody waits for its being up */
    running_ca_comes(w);
    w->ca_is_mute = false;
    running_until(w, another_ca_is_there);
    link_is(w, "held", since);
    running_ca_goes(w);
    running_until(w, running_is_down);
    w->welcome = good;
    running_ca_comes(w);
    link_is(w, "up", since);
}

static void
what_waits_for_the_ca_is_counted(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(member_free) struct member n = running_member(w);
    CLEANUP(admin_json_cleanup) json_t *none = status(w);
    CLEANUP(admin_json_cleanup) json_t *one = NULL;
    struct cmp_client_answer a;

    assert_int_equal(number(none, "queue", "open"), 0);
    assert_int_equal(number(none, "queue", "cancellations"), 0);
    asking_ca.silent = LINK_SUBMIT;
    w->settings->sync_wait = 50;
    member_requests(&m, CMP_IR);
    a = member_asks(w, &m);
    assert_int_equal(a.status.status, CMP_WAITING);
    cmp_client_answer_free(&a);
    asking_ca.busy = LINK_CANCEL;
    asking_cancels_in_vain(w, n.id, ERR_BUSY, "cancelled here; the CA did not answer");
    one = status(w);
    assert_int_equal(number(one, "queue", "open"), 1);
    assert_int_equal(number(one, "queue", "cancellations"), 1);
}

/* ---- ra.db ---- */

static void
a_database_that_is_gone_is_no_status(void **state)
{
    struct running *w = *state;
    static const struct {
        const char *spoil;
        const char *mend;
    } rows[] = {
        {"ALTER TABLE queue RENAME TO gone", "ALTER TABLE gone RENAME TO queue"},
        {"ALTER TABLE registration RENAME COLUMN cancellation TO gone",
         "ALTER TABLE registration RENAME COLUMN gone TO cancellation"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        running_sql(w, rows[i].spoil, STORE_NO_VALUES);
        asking_is_refused(w, json_pack("{s:s}", "command", "status"), ERR_STORE, "");
        assert_true(w->ra.failed);
        w->ra.failed = false;
        running_sql(w, rows[i].mend, STORE_NO_VALUES);
    }
}

static int
setup(void **state)
{
    running_seal_file();
    return running_setup(state);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(pages_are_sealed_and_a_pass_has_seen_them_all, asking_reset),
        cmocka_unit_test_setup(a_pass_under_way_says_where_it_is, asking_reset),
        cmocka_unit_test_setup(the_link_is_up_down_or_held, asking_reset),
        cmocka_unit_test_setup(a_database_that_is_gone_is_no_status, asking_reset),
        cmocka_unit_test_setup(what_waits_for_the_ca_is_counted, asking_reset),
    };

    return cmocka_run_group_tests(tests, setup, running_teardown);
}
