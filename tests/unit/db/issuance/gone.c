/* SPDX-License-Identifier: Apache-2.0 */
/* A database that lacks what a verb reads: each verb against each table, taken away for one
 * operation. What does not find its rows says so, and never that they are not there. */
#include <string.h>

#include "tests/unit/db/issuance/verbs.h"

/* The statements that were prepared keep their text until the store is gone. */
static const struct {
    const char *name;
    const char *take;
} tables[] = {
    {"registration", "ALTER TABLE registration RENAME TO gone"},
    {"public_key", "ALTER TABLE public_key RENAME TO gone"},
    {"request", "ALTER TABLE request RENAME TO gone"},
    {"certificate", "ALTER TABLE certificate RENAME TO gone"},
    {"revocation", "ALTER TABLE revocation RENAME TO gone"},
    {"confirmation", "ALTER TABLE confirmation RENAME TO gone"},
    {"crl", "ALTER TABLE crl RENAME TO gone"},
    {"setting", "ALTER TABLE setting RENAME TO gone"},
    {"pending", "ALTER TABLE pending RENAME TO gone"},
    {"approval", "ALTER TABLE approval RENAME TO gone"},
    {"revocation_request", "ALTER TABLE revocation_request RENAME TO gone"},
    {"again", "ALTER TABLE again RENAME TO gone"},
    {"leaf", "ALTER TABLE leaf RENAME TO gone"},
};

struct trial {
    const struct verb *verb;
    const char *take; /* NULL: nothing */
    int result;
    struct err why;
};

/* It fails in the end, so that the table and the rows are there again. */
static int
try(struct store_db *db, void *arg, struct err *e)
{
    struct trial *x = arg;

    if (x->take != NULL) {
        assert_ok(store_exec(db, x->take, STORE_NO_VALUES, e), e);
    }
    x->result = x->verb->run(db, &x->why);
    return err_set(e, ERR_DENIED, "not to be kept");
}

/* verbs[verb] without tables[table]. */
static void
without(struct scene *s, size_t verb, size_t table)
{
    struct trial x = {.verb = &verbs[verb], .take = tables[table].take};
    bool needed = strcmp(verbs[verb].needs, tables[table].name) == 0;
    struct err e = {0};

    assert_err(verb_call(s->store, try, &x, &e), ERR_DENIED, &e);
    if (x.result == 0 ? needed
                      : x.why.code != ERR_STORE || strstr(x.why.text, "/ca.db: ") == NULL) {
        fail_msg("%s without %s: %d \"%s\"", verbs[verb].name, tables[table].name, x.result,
                 x.why.text);
    }
}

static void
without_each(struct scene *s, size_t verb)
{
    for (size_t table = 0; table < ARRAY_LEN(tables); table++) {
        without(s, verb, table);
    }
}

/* No statement was prepared yet. */
static void
what_cannot_be_asked_is_an_error(void **state)
{
    for (size_t verb = 0; verb < verbs_n; verb++) {
        size_t table = 0;

        while (strcmp(verbs[verb].needs, tables[table].name) != 0) {
            table++;
        }
        without(*state, verb, table);
    }
}

/* All were prepared when their table was there. */
static void
what_cannot_be_read_is_an_error(void **state)
{
    struct scene *s = *state;
    struct err e = {0};

    for (size_t verb = 0; verb < verbs_n; verb++) {
        struct trial whole = {.verb = &verbs[verb]};

        assert_err(verb_call(s->store, try, &whole, &e), ERR_DENIED, &e);
        if (whole.result != 0) {
            fail_msg("%s: %s", verbs[verb].name, whole.why.text);
        }
        without_each(s, verb);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_asked_is_an_error),
        cmocka_unit_test(what_cannot_be_read_is_an_error),
    };

    return cmocka_run_group_tests(tests, verbs_setup, scene_teardown);
}
