/* SPDX-License-Identifier: Apache-2.0 */
/* Pages are sealed, so a start does not look at all of them: what nobody uses is found by the
 * comparison that goes on then, which ends the daemon. */
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/link/admin.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/ca/daemon/copies.h"
#include "tests/unit/ca/daemon/holder.h"

enum { LOG_MAX = 16 * 1024 * 1024, STALE = 3 };

static int
setup(void **state)
{
    X509 *certificate = NULL;
    struct world *w;
    struct nf nf;

    (void)world_setup(state);
    w = *state;
    nf = holder_enrolled(w, 1, &certificate);
    X509_free(certificate);
    nf_free(&nf);
    return world_stop(w);
}

/* What was logged from `at` on, which moves to its end, has this. */
static bool
was_logged(const struct world *w, size_t *at, const char *says)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.log", w->dir);
    CLEANUP(buf_free) struct buf text = BUF_INIT(LOG_MAX);
    const size_t from = *at;
    struct err e = {0};

    assert_ok(file_read(path, &text, &e), &e);
    *at = text.n;
    return memmem(text.p + from, text.n - from, says, strlen(says)) != NULL;
}

static void
edit_and_start(struct world *w)
{
    static const struct {
        void (*edit)(struct world *, const char *sql);
        const char *sql;
        const char *says; /* in the event */
        int status;
    } rows[] = {
        {world_edit, "INSERT INTO public_key VALUES(x'00', 'x')",
         " is not what its seal says: it was edited, or put back", STALE},
        {world_edit, "UPDATE public_key SET owner = owner || 'x' WHERE owner <> 'infrastructure'",
         " is not what its seal says: it was edited, or put back", STALE},
        /* Whoever has the key, too: a leaf says another thing. */
        {world_edit_as_ca,
         "UPDATE public_key SET owner = owner || 'x' WHERE owner <> 'infrastructure'",
         "a certificate whose key ca.db has not, or as another owner's", STALE},
        {world_edit_as_ca,
         "INSERT INTO confirmation VALUES(zeroblob(32), (SELECT rid FROM request WHERE state = 1 "
         "LIMIT 1), 1, x'00', 1, 1)",
         "confirmation 0000000000000000000000000000000000000000000000000000000000000000", STALE},
        {world_edit_as_ca,
         "DROP TRIGGER leaf_stays; UPDATE leaf SET hash = zeroblob(32) WHERE kind = 'STOP'",
         "its hash is not that of its octets", STALE},
    };
    CLEANUP(mem_cleanup) char *mark = mem_printf("%s/state/ca.db-edited", w->dir);
    CLEANUP(tmpdir_cleanup) char *kept = tmpdir_new();
    struct err e = {0};
    size_t at = 0;

    copy_parts(w->dir, kept, ALL | TOKEN);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int status;

        (void)was_logged(w, &at, "");
        rows[i].edit(w, rows[i].sql);
        status = world_run(w);
        if (status != rows[i].status || access(mark, F_OK) != 0) {
            world_show_log(w);
            fail_msg("%s: %d", rows[i].sql, status);
        }
        if (!was_logged(w, &at, rows[i].says)) {
            fail_msg("%s: not found as that", rows[i].sql);
        }
        /* From now on nobody is served before all of it was looked at. */
        status = world_run(w);
        if (status != rows[i].status || was_logged(w, &at, "\"event\":\"ready\"")) {
            fail_msg("%s: %d, again", rows[i].sql, status);
        }
        copy_parts(kept, w->dir, ALL | TOKEN);
        assert_ok(file_write(mark, SPAN_LITERAL("it was edited"), 0600, &e), &e);
        world_start(w); /* and finds that it is whole */
        assert_int_not_equal(access(mark, F_OK), 0);
        assert_int_equal(world_stop(w), 0);
        copy_parts(kept, w->dir, ALL | TOKEN);
    }
}

static void
what_a_start_does_not_look_at_ends_the_daemon(void **state)
{
    edit_and_start(*state);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_start_does_not_look_at_ends_the_daemon),
    };

    return cmocka_run_group_tests(tests, setup, world_teardown);
}
