/* SPDX-License-Identifier: Apache-2.0 */
/* Rows are sealed, so a start does not look at all of them: what nobody uses is found by the
 * comparison that goes on then, which ends the daemon. */
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/link/admin.h"
#include "tests/unit/ca/daemon/holder.h"

enum { LOG_MAX = 16 * 1024 * 1024, STALE = 3 };

static bool sealed; /* by the world's token: or a start looks at all rows, as forge.c has it */

static void
look(struct world *w)
{
    CLEANUP(admin_json_cleanup) json_t *status = NULL;
    struct err e = {0};

    status = world_ask(w, json_pack("{s:s}", "command", "status"), &e);
    assert_non_null(status);
    sealed = strcmp(json_string_value(json_object_get(json_object_get(status, "seals"), "state")),
                    "sealed") == 0;
}

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
    look(w);
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

static bool
says(const struct world *w, size_t from, const char *one, const char *other)
{
    size_t again = from;

    return was_logged(w, &from, one) || (other != NULL && was_logged(w, &again, other));
}

static void
edit_and_start(struct world *w)
{
    static const struct {
        const char *edit;
        const char *mend;
        const char *says;  /* in the event, */
        const char *other; /* or this, where a leaf knows, too; else NULL */
    } rows[] = {
        {"DROP TRIGGER request_fixed; UPDATE request SET evidence = CAST(evidence || x'00' AS "
         "BLOB) WHERE registration IS NOT NULL",
         "DROP TRIGGER request_fixed; UPDATE request SET evidence = CAST(substr(evidence, 1, "
         "length(evidence) - 1) AS BLOB) WHERE registration IS NOT NULL",
         "ca.db: request ", NULL},
        {"INSERT INTO public_key VALUES(x'00', 'x')", "DELETE FROM public_key WHERE owner = 'x'",
         "ca.db: public_key 00: ", NULL},
        {"UPDATE public_key SET owner = owner || 'x' WHERE owner <> 'infrastructure'",
         "UPDATE public_key SET owner = substr(owner, 1, 36) WHERE owner <> 'infrastructure'",
         "ca.db: public_key ", "a certificate whose key ca.db has not"},
        {"DROP TRIGGER confirmation_fixed;"
         "INSERT INTO confirmation VALUES(zeroblob(32), (SELECT rid FROM request WHERE state = 1 "
         "LIMIT 1), 1, x'00', 1, 1)",
         "DROP TRIGGER confirmation_kept; DELETE FROM confirmation WHERE rid = zeroblob(32)",
         "confirmation 0000000000000000000000000000000000000000000000000000000000000000", NULL},
    };
    CLEANUP(mem_cleanup) char *mark = mem_printf("%s/state/ca.db-edited", w->dir);
    size_t at = 0;
    size_t edited = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int status;

        (void)was_logged(w, &at, "");
        edited = at;
        world_edit(w, rows[i].edit);
        status = world_run(w);
        if (status != STALE || access(mark, F_OK) != 0) {
            world_show_log(w);
            fail_msg("%s: %d", rows[i].edit, status);
        }
        if (!was_logged(w, &at, "\"event\":\"edited\"") ||
            !says(w, edited, rows[i].says, rows[i].other)) {
            fail_msg("%s: not by the comparison", rows[i].edit);
        }
        /* From now on nobody is served before all of it was looked at, with the leaves first. */
        status = world_run(w);
        if (status != STALE || was_logged(w, &at, "\"event\":\"ready\"")) {
            fail_msg("%s: %d, again", rows[i].edit, status);
        }
        world_edit(w, rows[i].mend);
        world_start(w);
        assert_int_not_equal(access(mark, F_OK), 0);
        assert_int_equal(world_stop(w), 0);
    }
}

static void
what_a_start_does_not_look_at_ends_the_daemon(void **state)
{
    if (!sealed) {
        skip();
    }
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
