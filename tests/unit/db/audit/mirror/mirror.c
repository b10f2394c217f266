/* SPDX-License-Identifier: Apache-2.0 */
/* A folder becomes a mirror in memory: what its views say, and what its leaves prove. */
#include "db/audit/mirror/mirror.h"

#include <string.h>

#include "base/ossl.h"
#include "db/audit/mirror/import.h"
#include "db/ledger/leaf.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/here.h"
#include "tests/unit/db/audit/program_scene.h"

/* All rows of a question, a line each: columns with a blank between. */
static char *
ask(struct mirror *m, const char *question)
{
    sqlite3_stmt *stmt = NULL;
    char *all = mem_strdup("");

    if (sqlite3_prepare_v2(mirror_sqlite(m), question, -1, &stmt, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", question, sqlite3_errmsg(mirror_sqlite(m)));
    }
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(stmt); i++) {
            const char *text = (const char *)sqlite3_column_text(stmt, i);
            char *more = mem_printf("%s%s%s", all, i == 0 ? "" : " ", text == NULL ? "-" : text);

            mem_free(all);
            all = more;
        }
        {
            char *more = mem_printf("%s\n", all);

            mem_free(all);
            all = more;
        }
    }
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    return all;
}

static void
assert_answer(struct mirror *m, const char *question, const char *wanted)
{
    CLEANUP(mem_cleanup) char *all = ask(m, question);

    if (strcmp(all, wanted) != 0) {
        fail_msg("%s\n%sinstead of\n%s", question, all, wanted);
    }
}

static void
each_certificate_has_its_status_and_the_leaves_of_its_life(void **state)
{
    struct scene *s = *state;
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_here(s->l.dir);

    assert_int_equal(mirror_checkpoint(m)->size, 19);
    assert_false(mirror_key_is_given(m));
    assert_answer(m, "SELECT status, leaf, issued, confirmed, rejected, revoked FROM certificates",
                  "issued 0 1 - - -\n"
                  "revoked 4 5 6 - 18\n"
                  "confirmed 8 9 16 - -\n"
                  "rejected 11 12 - 17 -\n"
                  "issued 14 15 - - -\n");
    assert_answer(m, "SELECT role, status, leaf FROM staff", "registrar issued 0\n");
}

/* Every view can be asked, and no kind is without its name. */
static void
every_view_answers(void **state)
{
    static const char *const views[] = {
        "leaves",      "certificates", "names", "registrations", "requests",   "refusals",
        "revocations", "approvals",    "staff", "crls",          "ceremonies", "changes",
        "outages",     "findings",     "days",  "activity",
    };
    struct scene *s = *state;
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_here(s->l.dir);

    for (size_t i = 0; i < ARRAY_LEN(views); i++) {
        CLEANUP(mem_cleanup) char *question = mem_printf("SELECT * FROM %s", views[i]);
        CLEANUP(mem_cleanup) char *all = ask(m, question);

        assert_non_null(all);
    }
    assert_answer(m, "SELECT count(*) FROM sqlite_schema WHERE type = 'view'", "16\n");
    assert_answer(m, "SELECT count(*), count(kind), count(hash) FROM leaves", "19 19 19\n");
    assert_answer(m, "SELECT kind, profile, sum(n) FROM days WHERE kind = 'INTENT' GROUP BY 1, 2",
                  "INTENT nf-tls 4\nINTENT registrar 1\n");
    assert_answer(m, "SELECT used, certificates, status FROM registrations", "4 1 live\n");
    assert_answer(m, "SELECT status FROM requests", "revoked\nconfirmed\nrejected\nissued\n");
}

static void
each_leaf_has_its_octets_and_its_proof(void **state)
{
    struct scene *s = *state;
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_here(s->l.dir);
    CLEANUP(buf_free) struct buf body = BUF_INIT(LEAF_MAX);
    struct merkle_proof proof;
    struct err e = {0};

    for (uint64_t i = 0; i < 19; i++) {
        CLEANUP(leaf_cleanup) struct leaf *leaf = NULL;

        assert_ok(mirror_leaf(m, i, &body, &e), &e);
        leaf = leaf_parse(buf_span(&body), &e);
        assert_ok(leaf == NULL ? -1 : 0, &e);
        assert_ok(mirror_prove(m, i, &proof, &e), &e);
    }
    assert_err(mirror_leaf(m, 19, &body, &e), ERR_NOTFOUND, &e);
    assert_err(mirror_prove(m, 19, &proof, &e), ERR_NOTFOUND, &e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(each_certificate_has_its_status_and_the_leaves_of_its_life),
        SCENE(every_view_answers),
        SCENE(each_leaf_has_its_octets_and_its_proof),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
