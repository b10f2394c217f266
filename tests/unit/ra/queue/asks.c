/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/queue/asks.h"

#include <string.h>

#include "tests/support/test.h"

static struct {
    size_t told;
    size_t without; /* of these, with no answer */
    void *arg;
} heard;

static void
reply(void *arg, const struct link_message *answer)
{
    heard.told++;
    heard.without += answer == NULL;
    heard.arg = arg;
}

static struct span
id_of(size_t i, uint8_t octets[REQUESTS_RID_SIZE])
{
    memset(octets, 0, REQUESTS_RID_SIZE);
    octets[REQUESTS_RID_SIZE - 1] = (uint8_t)i;
    return span_of(octets, REQUESTS_RID_SIZE);
}

static void
so_many_may_ask_and_no_more(void **state)
{
    CLEANUP(mem_cleanup) struct asks *asks = mem_zalloc(1, sizeof(*asks));
    uint8_t octets[REQUESTS_RID_SIZE];
    struct err e = {0};

    (void)state;
    memset(&heard, 0, sizeof(heard));
    for (size_t i = 0; i < ASKS_MAX; i++) {
        struct span id = id_of(i, octets);
        struct ask *place = asks_place(asks, id, &e);

        assert_non_null(place);
        ask_put(place, id, reply, asks);
    }
    assert_null(asks_place(asks, id_of(ASKS_MAX, octets), &e));
    assert_int_equal(e.code, ERR_BUSY);
    assert_string_equal(e.text, "too many commands wait for the CA");
    for (size_t i = 0; i < ASKS_MAX; i++) { /* the last octet, too */
        assert_null(asks_place(asks, id_of(i, octets), &e));
        assert_string_equal(e.text, "somebody else is asking the CA the same");
    }
    assert_true(asks_answer(asks, &(struct link_message){.id = id_of(7, octets)}));
    assert_int_equal(heard.told, 1);
    assert_ptr_equal(heard.arg, asks);
    assert_false(asks_answer(asks, &(struct link_message){.id = id_of(7, octets)}));
    assert_non_null(asks_place(asks, id_of(ASKS_MAX, octets), &e));
    asks_give_up(asks);
    assert_int_equal(heard.told, ASKS_MAX);
    assert_int_equal(heard.without, ASKS_MAX - 1);
    asks_give_up(asks);
    assert_int_equal(heard.told, ASKS_MAX);
}

/* A registrationId has 16 octets, a hash 32. */
static void
an_answer_is_for_the_whole_id(void **state)
{
    CLEANUP(mem_cleanup) struct asks *asks = mem_zalloc(1, sizeof(*asks));
    uint8_t octets[REQUESTS_RID_SIZE];
    struct span id = id_of(1, octets);
    struct err e = {0};

    (void)state;
    memset(&heard, 0, sizeof(heard));
    ask_put(asks_place(asks, span_of(octets, 16), &e), span_of(octets, 16), reply, NULL);
    assert_non_null(asks_place(asks, id, &e));
    assert_false(asks_answer(asks, &(struct link_message){.id = id}));
    assert_false(asks_answer(asks, &(struct link_message){.id = {0}}));
    assert_false(asks_answer(asks, &(struct link_message){.id = span_of(octets, 15)}));
    assert_true(asks_answer(asks, &(struct link_message){.id = span_of(octets, 16)}));
    assert_int_equal(heard.told, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(so_many_may_ask_and_no_more),
        cmocka_unit_test(an_answer_is_for_the_whole_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
