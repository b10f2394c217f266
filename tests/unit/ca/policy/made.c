/* SPDX-License-Identifier: Apache-2.0 */
/* When a request was made, and whether it could be for its registration. */
#include "ca/policy/made.h"

#include <string.h>

#include "ca/cmp/message/phrase.h"
#include "tests/unit/ca/policy/scene.h"

enum { MINUTE = 60, HOUR = 3600, WINDOW = 300, BEHIND = 120, APART = 300 };

/* All of them are received at PKI_NOW; the times are from there. */
struct row {
    const char *name;
    int made; /* messageTime */
    bool no_time;
    bool required;
    int begins;
    int ends; /* 0: none */
    enum cmp_failure failure;
    enum phrase phrase;
    const char *why;
};

#define FINE .failure = CMP_NO_FAILURE
#define OFF .failure = CMP_BAD_TIME, .phrase = PHRASE_TIME_OFF, .why = "messageTime is off by "
#define BEFORE(whose)                                                                              \
    .failure = CMP_BAD_TIME, .phrase = PHRASE_MADE_BEFORE,                                         \
    .why = ", says the " whose ": before the registration, which is of "
#define AFTER(whose)                                                                               \
    .failure = CMP_NOT_AUTHORIZED, .phrase = PHRASE_ENDED,                                         \
    .why = ", says the " whose ": after the registration, which ended at "

static void
judge(const struct scene *s, const struct row *row)
{
    const struct scene_request request = {.made = PKI_NOW + row->made, .no_time = row->no_time};
    CLEANUP(cmp_queued_cleanup) struct cmp_queued *queued = scene_queued(s, &request);
    const struct made_question q = {.queued = queued,
                                    .begins = PKI_NOW + row->begins,
                                    .ends = row->ends != 0 ? PKI_NOW + row->ends : 0,
                                    .window_s = WINDOW,
                                    .required = row->required,
                                    .behind_s = BEHIND};
    enum cmp_failure failure = CMP_NO_FAILURE;
    struct made made;
    struct err e = {0};
    const int result = made_judge(&q, &made, &failure, &e);

    if (result != (row->failure == CMP_NO_FAILURE ? 0 : -1) || failure != row->failure ||
        e.said != (int)row->phrase || (row->why != NULL && strstr(e.text, row->why) == NULL)) {
        fail_msg("%s: %d, %s: %s (%d)", row->name, result, cmp_failure_name(failure), e.text,
                 e.said);
    }
    if (result == 0) {
        assert_int_equal(made.by_requester, !row->no_time);
        assert_int_equal(made.at, PKI_NOW + (row->no_time ? 0 : row->made));
    }
}

static void
a_message_time_is_within_the_window_and_the_life(void **state)
{
    static const struct row rows[] = {
        {.name = "as received", .begins = -HOUR, .ends = HOUR, FINE},
        {.name = "at the begin of the window", .made = -WINDOW, .begins = -HOUR, FINE},
        {.name = "a second before", .made = -WINDOW - 1, .begins = -HOUR, OFF},
        {.name = "at its end", .made = WINDOW, .begins = -HOUR, FINE},
        {.name = "a second behind it", .made = WINDOW + 1, .begins = -HOUR, OFF},
        {.name = "years ago", .made = -10 * 365 * SCENE_DAY, .begins = -HOUR, OFF},
        {.name = "when it was registered", .begins = 0, FINE},
        {.name = "by a clock that is behind", .made = -BEHIND, .begins = 0, FINE},
        {.name = "by one that is a second more",
         .made = -BEHIND - 1,
         .begins = 0,
         BEFORE("requester")},
        {.name = "before a registration made later", .begins = MINUTE, FINE},
        {.name = "before one made much later", .begins = HOUR, BEFORE("requester")},
        {.name = "at its end", .made = 10, .begins = -HOUR, .ends = 10, FINE},
        {.name = "a second after it", .made = 11, .begins = -HOUR, .ends = 10, AFTER("requester")},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        judge(*state, &rows[i]);
    }
}

static void
without_one_the_time_of_the_entry_counts(void **state)
{
    static const struct row rows[] = {
        {.name = "when it was registered", .no_time = true, .begins = 0, FINE},
        {.name = "by an RA's clock that is behind", .no_time = true, .begins = APART, FINE},
        {.name = "a second more", .no_time = true, .begins = APART + 1, BEFORE("RA")},
        {.name = "at its end", .no_time = true, .begins = -HOUR, .ends = 1, FINE},
        {.name = "after it", .no_time = true, .begins = -HOUR, .ends = -1, AFTER("RA")},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        judge(*state, &rows[i]);
    }
}

static void
it_can_be_demanded(void **state)
{
    static const struct row rows[] = {
        {.name = "there", .required = true, .begins = 0, FINE},
        {.name = "missing",
         .required = true,
         .no_time = true,
         .begins = 0,
         .failure = CMP_BAD_TIME,
         .phrase = PHRASE_NO_TIME,
         .why = "messageTime is missing"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        judge(*state, &rows[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_time_is_within_the_window_and_the_life),
        cmocka_unit_test(without_one_the_time_of_the_entry_counts),
        cmocka_unit_test(it_can_be_demanded),
    };

    return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
