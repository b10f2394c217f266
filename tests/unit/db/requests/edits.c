/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever can write the file of ra.db (tests/unit/db/edited.h): all that the RA asks of it (uses.h)
 * it says as before, until the edit is found. */
#include "tests/unit/db/edited.h"

#include "tests/support/test.h"
#include "tests/unit/db/requests/uses.h"

struct asking {
    const struct use *use;
    unsigned n;
    struct buf *out;
};

static int
ask_use(void *arg, struct store_db *db, struct buf *out, struct err *e)
{
    const struct asking *a = arg;

    return a->use->run(db, a->n, out, e);
}

static int
ask_all(struct store_db *db, void *arg, struct err *e)
{
    struct asking *a = arg;

    for (size_t i = 0; i < uses_n; i++) {
        a->use = &uses[i];
        for (a->n = 0; a->n < a->use->n; a->n++) {
            if (edited_ask(db, a->use->name, a->n, ask_use, a, a->out, e) != 0) {
                return -1;
            }
        }
    }
    return 0;
}

static enum edited_found
look(void *arg, struct buf *says, struct err *e)
{
    const struct whole *w = arg;
    struct asking a = {.out = says};
    struct store *store = verb_try_store(w->dir, e);
    enum edited_found at = EDITED_NEVER;

    if (store == NULL) {
        return EDITED_OPEN;
    }
    if (verb_call(store, ask_all, &a, e) != 0) {
        at = EDITED_USE;
    } else if (verb_call(store, verb_scrub, NULL, e) != 0) {
        at = EDITED_SCRUB;
    }
    store_free(store);
    return at;
}

static void
nothing_rests_on_what_was_edited(void **state)
{
    const struct whole *w = *state;
    const struct edited edits = {
        .path = w->path, .original = w->original, .older = w->older, .look = look, .arg = *state};

    edited_sweep(&edits);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_rests_on_what_was_edited, whole_setup,
                                        whole_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
