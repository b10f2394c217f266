/* SPDX-License-Identifier: Apache-2.0 */
/* nfpki-audit mirror, as a person runs it. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/program_scene.h"

static void
a_mirror_is_made_and_follows_its_ledger(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *key = scene_key(s);
    CLEANUP(mem_cleanup) char *db = scene_path(s, "mirror.db");
    struct audit_enrolment more = {0};

    assert_int_equal(RUN(s, "--key", key, "mirror", s->l.dir, db), 2);
    assert_says(s->errors, "--init makes a new one");
    assert_int_not_equal(access(db, F_OK), 0);
    /* The clock of the scene is years away. */
    assert_int_equal(RUN(s, "--key", key, "mirror", "--init", "--stale", "999999", s->l.dir, db),
                     0);
    assert_says(s->out, "mirror.db: accepted");
    assert_says(s->out, "19 leaves, 19 of them new");
    assert_says(s->out, ", given");
    assert_int_equal(RUN(s, "mirror", "--stale", "999999", "--json", s->l.dir, db), 0);
    assert_says(s->out, "\"result\":\"nothing new\"");
    assert_says(s->out, "\"from\":\"given\"");
    audit_ledger_enrol(&s->l, 6, true, &more);
    audit_ledger_publish(&s->l);
    assert_int_equal(RUN(s, "mirror", "--stale", "999999", "--progress", s->l.dir, db), 0);
    assert_says(s->out, "22 leaves, 3 of them new");
    assert_int_equal(RUN(s, "--mirror", db, "list", "certificates"), 0);
    assert_says(s->out, more.serial);
    assert_int_equal(RUN(s, "--key", key, "mirror", "--init", s->l.dir, db), 2);
    assert_says(s->errors, "is there");
    buf_free(&more.certificate);
}

/* An old ledger, and one that was put back: what `--json` says, and the exit status. */
static void
what_is_wrong_has_its_name_and_its_exit_status(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *db = scene_path(s, "mirror.db");
    CLEANUP(mem_cleanup) char *checkpoint = scene_path(s, "ledger/checkpoint");
    CLEANUP(buf_free) struct buf old = BUF_INIT(65536);
    struct audit_enrolment more = {0};
    struct err e = {0};

    assert_int_equal(RUN(s, "mirror", "--init", "--stale", "0", s->l.dir, db),
                     clock_now() > s->l.now ? 4 : 0);
    assert_says(s->errors, "warning: the log key was read from the ledger itself");
    assert_ok(file_read(checkpoint, &old, &e), &e);
    audit_ledger_enrol(&s->l, 6, true, &more);
    audit_ledger_publish(&s->l);
    assert_int_equal(RUN(s, "mirror", "--stale", "999999", s->l.dir, db), 0);
    assert_ok(file_write(checkpoint, buf_span(&old), 0644, &e), &e);
    assert_int_equal(RUN(s, "mirror", "--json", s->l.dir, db), 1);
    assert_says(s->errors, "NOT VERIFIED");
    assert_says(s->errors, "rolled back: its checkpoint covers 19 leaves, and 22 were signed");
    assert_says(s->errors, "both checkpoints are in ");
    assert_says(s->out, "\"result\":\"rolled back\"");
    assert_says(s->out, "\"verified\":false");
    assert_says(s->out, "\"evidence\":\"");
    buf_free(&more.certificate);
}

static void
misuse_says_what_to_do(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *db = scene_path(s, "mirror.db");

    assert_int_equal(RUN(s, "mirror", s->l.dir), 2);
    assert_int_equal(RUN(s, "mirror", "--stale", "soon", s->l.dir, db), 2);
    assert_int_equal(RUN(s, "mirror", "--init", "ftp://ra.example/ledger", db), 2);
    assert_says(s->errors, "a source is a folder, or a URL of http or https");
    assert_int_equal(RUN(s, "mirror", "--init", s->l.base, db), 2);
    assert_says(s->errors, "log.vkey");
    assert_int_equal(RUN(s, "--key", "no+key", "mirror", "--init", s->l.dir, db), 2);
    assert_says(s->errors, "--key: ");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(a_mirror_is_made_and_follows_its_ledger),
        SCENE(what_is_wrong_has_its_name_and_its_exit_status),
        SCENE(misuse_says_what_to_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
