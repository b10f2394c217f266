/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever can write the file of ca.db (tests/unit/db/edits.h): all that the CA asks of it (uses.h)
 * it says as before, until the edit is found. */
#include "tests/unit/db/edits.h"
#include "tests/unit/db/issuance/uses.h"

/* ---- what need not be found at the start or at a use ---- */

static const struct edits_allowed record[] = {
    /* ledger_check() of each start: tests/unit/db/ledger/check.c and start.c, which have a key. */
    {"leaf", NULL, EDITS_NEVER,
     "the octets of leaves, their hashes and checkpoints are under the log's signature"},
    {"leaf_subject", NULL, EDITS_NEVER, "the same, which compares it with the octets"},
    {"node", NULL, EDITS_NEVER, "the same"},
    {"checkpoint", NULL, EDITS_NEVER, "the same"},
};

static const struct edits_allowed allowed[] = {
    {"crl", NULL, EDITS_SCRUB,
     "the newest decides at its use; of the others only when one ran out, and by an older one "
     "entries stay longer"},
    {"attempted", NULL, EDITS_NEVER,
     "what has a line in a signer's journal: what is not there any more has none, which stops the "
     "CA; one too many hides a line that is missing from a file which is the signer's alone"},
    {"sqlite_sequence", NULL, EDITS_NEVER,
     "the number of a CRL is the one behind the newest, whatever is said here"},
};

/* ---- what it is asked then ---- */

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
            if (edits_ask(db, a->use->name, a->n, ask_use, a, a->out, e) != 0) {
                return -1;
            }
        }
    }
    return 0;
}

static int
do_scrub(struct store_db *db, void *arg, struct err *e)
{
    CLEANUP(sealed_cursor_free) struct sealed_cursor cursor = {0};
    size_t seen;
    bool over = false;

    (void)arg;
    return sealed_scrub(db, &cursor, SIZE_MAX, &seen, &over, e) != 0 ? -1 : issuance_check(db, e);
}

static int
do_rows(struct store_db *db, void *arg, struct err *e)
{
    return edits_ask_rows(db, arg, e);
}

static enum edits_found
look(void *arg, const struct sealed_table *inserted, struct buf *says, struct err *e)
{
    struct whole *w = arg;
    union {
        const struct sealed_table *in;
        void *out;
    } constant = {.in = inserted};
    struct asking a = {.w = w, .out = says};
    enum sealed_state state;
    enum edits_found at = EDITS_NEVER;

    if (scene_try_reopen(w->s, whole_key, &state, e) != 0 || state != SEALED_ON) {
        at = EDITS_OPEN;
    } else if (verb_call(w->s->store, ask_all, &a, e) != 0 ||
               (inserted != NULL && verb_call(w->s->store, do_rows, constant.out, e) != 0)) {
        at = EDITS_USE;
    } else if (verb_call(w->s->store, do_scrub, NULL, e) != 0) {
        at = EDITS_SCRUB;
    }
    if (w->s->store != NULL) {
        store_free(w->s->store);
        w->s->store = NULL;
    }
    return at;
}

static void
nothing_rests_on_what_was_edited(void **state)
{
    const struct whole *w = *state;
    const struct edits edits = {.path = w->path,
                                .original = w->original,
                                .older = w->older,
                                .tables = issuance_tables,
                                .n = ISSUANCE_TABLES,
                                .allowed = allowed,
                                .n_allowed = ARRAY_LEN(allowed),
                                .left_out = record,
                                .n_left_out = ARRAY_LEN(record),
                                .look = look,
                                .arg = *state};

    edits_sweep(&edits);
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
