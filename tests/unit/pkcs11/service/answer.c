/* SPDX-License-Identifier: Apache-2.0 */
/* When the answers of a batch leave: together, and none later than 4 milliseconds behind the last
 * ones that left (client/PROTOCOL.md). */
#include "pkcs11/service/answer.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "tests/support/test.h"

enum { TOGETHER_MS = 4, TRIES = 200 };

static struct serve serving;
static int parent;

static int
setup(void **state)
{
    const struct held none = {0};
    int ends[2];

    (void)state;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return -1;
    }
    memset(&serving, 0, sizeof(serving));
    serve_init(&serving, &none, ends[0], -1);
    parent = ends[1];
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    buf_free(&serving.out);
    buf_free(&serving.frames);
    (void)close(serving.fd);
    (void)close(parent);
    return 0;
}

static void
answer(uint64_t number)
{
    struct err e = {0};

    assert_ok(serve_answer(&serving, SIGNER_SIGNED, 0, number, SPAN_LITERAL("signature"), &e), &e);
}

static bool
has_left(void)
{
    struct pollfd p = {.fd = parent, .events = POLLIN};

    return poll(&p, 1, 0) == 1;
}

/* These frames, in their order, and no more. */
static void
must_have(uint64_t first, uint64_t last)
{
    for (uint64_t number = first; number <= last; number++) {
        CLEANUP(buf_free) struct buf body = BUF_INIT(SIGNER_ANSWER_MAX);
        struct signer_frame frame;
        struct err e = {0};

        assert_ok(frame_read(parent, SIGNER_ANSWER_MAX, &body, 1000, &e), &e);
        assert_ok(signer_frame_decode(buf_span(&body), &frame, &e), &e);
        assert_int_equal(frame.number, number);
    }
    assert_false(has_left());
}

/* What is quick waits for the end of its batch; a try that was interrupted longer says nothing. */
static void
answers_of_a_batch_leave_together(void **state)
{
    struct err e = {0};
    int good = 0;

    (void)state;
    for (int i = 0; i < TRIES && good == 0; i++) {
        int64_t began;

        serve_gather(&serving);
        began = serving.left;
        answer(1);
        answer(2);
        answer(3);
        if (clock_monotonic_ms() - began < TOGETHER_MS) {
            assert_false(has_left());
            good++;
        }
        assert_ok(serve_end_gather(&serving, &e), &e);
        must_have(1, 3);
    }
    assert_int_equal(good, 1);
}

/* With a token that takes long, and a batch that has not ended. */
static void
none_waits_longer_than_four_milliseconds(void **state)
{
    struct err e = {0};

    (void)state;
    serve_gather(&serving);
    answer(1);
    (void)poll(NULL, 0, TOGETHER_MS + 1);
    answer(2);
    must_have(1, 2);
    (void)poll(NULL, 0, TOGETHER_MS + 1);
    answer(3);
    must_have(3, 3);
    assert_ok(serve_end_gather(&serving, &e), &e);
    assert_false(has_left());
}

static void
outside_a_batch_an_answer_leaves_at_once(void **state)
{
    (void)state;
    answer(7);
    must_have(7, 7);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_of_a_batch_leave_together, setup, teardown),
        cmocka_unit_test_setup_teardown(none_waits_longer_than_four_milliseconds, setup, teardown),
        cmocka_unit_test_setup_teardown(outside_a_batch_an_answer_leaves_at_once, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
