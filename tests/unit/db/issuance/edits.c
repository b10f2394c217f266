/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever can write the file of ca.db (tests/unit/db/edited.h): all that the CA asks of it (uses.h)
 * it says as before, until the edit is found. */
#include "tests/unit/db/edited.h"
#include "tests/unit/db/issuance/uses.h"

static const struct edited_allowed allowed[] = {
    {"attempted", NULL, EDITED_SCRUB,
     "what has a line in a signer's journal is asked when that is compared: journals.c of the "
     "daemon"},
    {"page", NULL, EDITED_SCRUB, "of an index that no question here goes by"},
    {"leaf", NULL, EDITED_SCRUB, "on a page with leaves that no question here reads"},
    {"dictionary", NULL, EDITED_SCRUB, "asked when something is read that is packed with it"},
};

static const struct edited_allowed left_out[] = {
    {"checkpoint", NULL, EDITED_SCRUB,
     "nobody signs one here: tests/unit/db/ledger/check.c and start.c have a key"},
};

struct asking {
    struct whole *w;
    const struct use *use;
    uint8_t n;
    struct buf *out;
};

static int
ask_use(void *arg, struct store_db *db, struct buf *out, struct err *e)
{
    const struct asking *a = arg;

    return a->use->run(db, a->w, a->n, out, e);
}

static int
ask_all(struct store_db *db, void *arg, struct err *e)
{
    struct asking *a = arg;

    for (size_t i = 0; i < uses_n; i++) {
        a->use = &uses[i];
        for (size_t k = 0; k < uses[i].n; k++) {
            a->n = (uint8_t)uses[i].of[k];
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
    struct whole *w = arg;
    struct asking a = {.w = w, .out = says};
    enum edited_found at = EDITED_NEVER;

    if (scene_try_reopen(w->s, whole_key, e) != 0) {
        at = EDITED_OPEN;
    } else if (verb_call(w->s->store, ask_all, &a, e) != 0) {
        at = EDITED_USE;
    } else if (verb_call(w->s->store, do_pages, NULL, e) != 0) {
        at = EDITED_SCRUB;
    }
    store_free(w->s->store);
    w->s->store = NULL;
    return at;
}

static void
nothing_rests_on_what_was_edited(void **state)
{
    const struct whole *w = *state;
    const struct edited edits = {.path = w->path,
                                 .original = w->original,
                                 .older = w->older,
                                 .allowed = allowed,
                                 .n_allowed = ARRAY_LEN(allowed),
                                 .left_out = left_out,
                                 .n_left_out = ARRAY_LEN(left_out),
                                 .look = look,
                                 .arg = *state};

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
