/* SPDX-License-Identifier: Apache-2.0 */
/* Somebody sets the clock while the CA runs. */
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/unit/ca/daemon/world.h"

static bool
has_said(const struct world *w, const char *event)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.log", w->dir);
    CLEANUP(buf_free) struct buf text = BUF_INIT(16 << 20);
    struct err e = {0};

    assert_ok(file_read(path, &text, &e), &e);
    return memmem(text.p, text.n, event, strlen(event)) != NULL;
}

/* In two steps, of which neither is worth a word: what they come to is. */
static void
a_clock_that_is_set_is_in_the_record(void **state)
{
    struct world *w = *state;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/clock", w->dir);
    int before;
    struct err e = {0};

    assert_int_equal(world_stop(w), 0);
    before = world_leaves(w, "CLOCK", "", "");
    assert_ok(file_write(path, SPAN_LITERAL("+0\n"), 0600, &e), &e);
    w->clock_file = path;
    world_start(w);
    assert_ok(file_write(path, SPAN_LITERAL("+40\n"), 0600, &e), &e);
    (void)usleep(12 * 1000 * 1000); /* it has looked, as a rule */
    assert_false(has_said(w, "\"clock-set\""));
    assert_ok(file_write(path, SPAN_LITERAL("+80\n"), 0600, &e), &e);
    for (int i = 0; i < 600 && !has_said(w, "\"clock-set\""); i++) {
        (void)usleep(100 * 1000);
    }
    assert_true(has_said(w, "\"clock-set\""));
    assert_int_equal(world_stop(w), 0);
    w->clock_file = NULL;
    assert_int_equal(world_leaves(w, "CLOCK", "\"expected\":", ""), before + 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_is_set_is_in_the_record),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
