/* SPDX-License-Identifier: Apache-2.0 */
/* What status says, over the local socket, of an RA whose rows are sealed under its token's key. */
#include "ra/admin/status.h"

#include <string.h>

#include "base/ossl.h"
#include "ca/link/admin.h"
#include "db/requests/seals.h"
#include "ra/queue/queue.h"
#include "ra/secret/row_scrub.h"
#include "tests/unit/ra/admin/asking.h"
#include "tests/unit/ra/lot.h"

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
    row_scrub_stop(w->ra.row_scrub);
    running_settle(w);
    row_scrub_free(w->ra.row_scrub);
    w->ra.row_scrub = row_scrub_new(&w->ra);
}

static bool
has_passed(struct running *w)
{
    return row_scrub_status(w->ra.row_scrub).last.ended != 0;
}

static bool
is_at_seals(struct running *w)
{
    return strcmp(row_scrub_status(w->ra.row_scrub).at, "seal") == 0;
}

static bool
is_at_registrations(struct running *w)
{
    return strcmp(row_scrub_status(w->ra.row_scrub).at, requests_table_registration.name) == 0;
}

static void
rows_are_sealed_and_a_pass_has_seen_them_all(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(admin_json_cleanup) json_t *before = NULL;
    CLEANUP(admin_json_cleanup) json_t *after = NULL;
    int64_t rows;

    scrub_anew(w);
    row_scrub_stop(w->ra.row_scrub); /* before its first step */
    before = status(w);
    assert_string_equal(json_string_value(json_object_get(before, "version")), NFPKI_VERSION);
    assert_string_equal(text(before, "seals", "state"), "sealed");
    rows = running_number(w, "SELECT count(*) FROM seal", STORE_NO_VALUES);
    assert_true(rows >= 2); /* the registration, and the end of the queue */
    assert_int_equal(number(before, "seals", "rows"), rows);
    assert_int_equal(running_number(w, "SELECT count(*) FROM registration WHERE id = ?",
                                    STORE_VALUES(store_text(m.id))),
                     1);
    assert_string_equal(text(before, "scrub", "at"), "rest");
    assert_true(json_is_null(json_object_get(json_object_get(before, "scrub"), "begun")));
    assert_true(json_is_null(json_object_get(json_object_get(before, "scrub"), "lastBegun")));
    assert_true(json_is_null(json_object_get(json_object_get(before, "scrub"), "lastEnded")));
    assert_true(json_is_null(json_object_get(json_object_get(before, "scrub"), "lastAge")));
    assert_int_equal(number(before, "scrub", "lastSeen"), 0);
    scrub_anew(w);
    running_until(w, has_passed);
    after = status(w);
    assert_string_equal(text(after, "scrub", "at"), "rest");
    assert_true(json_is_null(json_object_get(json_object_get(after, "scrub"), "begun")));
    assert_int_equal(number(after, "scrub", "seen"), 0);
    assert_int_equal(number(after, "scrub", "lastSeen"), 2 * rows); /* with its seal, each */
    is_time(text(after, "scrub", "lastBegun"));
    is_time(text(after, "scrub", "lastEnded"));
    assert_in_range(number(after, "scrub", "lastAge"), 0, 3600);
}

/* Of more rows than a few steps see. */
static void
a_pass_under_way_says_where_it_is(void **state)
{
    struct running *w = *state;
    const struct {
        bool (*is_there)(struct running *);
        const char *at;
    } rows[] = {{is_at_seals, "seal"}, {is_at_registrations, "registration"}};
    CLEANUP(lot_free) struct lot l = lot_good(w, 120);
    CLEANUP(mem_cleanup) char *manifest = base64_dup(buf_span(&l.manifest));
    CLEANUP(admin_json_cleanup) json_t *outcomes = NULL;
    CLEANUP(admin_json_cleanup) json_t *summary = NULL;
    struct err e = {0};

    summary =
        running_ask_rows(w, json_pack("{s:s, s:s}", "command", "import", "manifest", manifest),
                         buf_span(&l.text), &outcomes, &e);
    assert_int_equal(json_integer_value(json_object_get(summary, "registered")), 120);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(admin_json_cleanup) json_t *answer = NULL;

        scrub_anew(w);
        running_until(w, rows[i].is_there);
        row_scrub_stop(w->ra.row_scrub); /* where it is */
        answer = status(w);
        assert_string_equal(text(answer, "scrub", "at"), rows[i].at);
        is_time(text(answer, "scrub", "begun"));
        assert_true(number(answer, "scrub", "seen") > 0);
        assert_true(number(answer, "scrub", "seen") < 2 * number(answer, "seals", "rows"));
        assert_true(json_is_null(json_object_get(json_object_get(answer, "scrub"), "lastEnded")));
    }
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
        {"ALTER TABLE queue RENAME COLUMN answered TO gone",
         "ALTER TABLE queue RENAME COLUMN gone TO answered"},
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
    running_seal_rows();
    return running_setup(state);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(rows_are_sealed_and_a_pass_has_seen_them_all, asking_reset),
        cmocka_unit_test_setup(a_pass_under_way_says_where_it_is, asking_reset),
        cmocka_unit_test_setup(the_link_is_up_down_or_held, asking_reset),
        cmocka_unit_test_setup(a_database_that_is_gone_is_no_status, asking_reset),
        cmocka_unit_test_setup(what_waits_for_the_ca_is_counted, asking_reset),
    };

    return cmocka_run_group_tests(tests, setup, running_teardown);
}
