/* SPDX-License-Identifier: Apache-2.0 */
/* What every answer of nfpki-audit says of itself, and checkpoints that witnesses signed. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/tlog/checkpoint.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/program_scene.h"

/* What an answer rests on is in the answer: with a key that was given, and with the ledger's own.
 */
static void
each_answer_says_which_key_it_rests_on(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *key = scene_key(s);
    const char *const questions[][3] = {
        {"verify", NULL}, {"list", NULL}, {"show", s->confirmed.serial, NULL}};
    CLEANUP(mem_cleanup) char *line = NULL;
    CLEANUP(mem_cleanup) char *proof = NULL;
    CLEANUP(mem_cleanup) char *given = NULL;
    CLEANUP(buf_free) struct buf vkey = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(log_key_free) struct log_key log = {0};
    struct err e = {0};
    char id[2 * LOG_KEY_ID + 1];

    assert_ok(file_read(key, &vkey, &e), &e);
    assert_ok(log_key_parse(&log, buf_span(&vkey), &e), &e);
    hex_format(span_of(log.id, LOG_KEY_ID), id);
    line = mem_printf("\n  log key      %s, ", id);
    for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
        CLEANUP(mem_cleanup) char *by_key = mem_printf("%sgiven\n", line);
        CLEANUP(mem_cleanup) char *own = mem_printf("%sFROM THE LEDGER ITSELF", line);
        const char *const *q = questions[i];

        assert_int_equal(RUN(s, "--ledger", s->l.dir, "--key", key, q[0], q[1]), 0);
        assert_says(s->out, by_key);
        assert_int_equal(RUN(s, "--ledger", s->l.dir, q[0], q[1]), 0);
        assert_says(s->out, own);
        assert_int_equal(RUN(s, "--ledger", s->l.dir, "--key", key, "--json", q[0], q[1]), 0);
        assert_says(s->out, "\"from\":\"given\"");
        assert_says(s->out, id);
        assert_int_equal(RUN(s, "--ledger", s->l.dir, "--json", q[0], q[1]), 0);
        assert_says(s->out, "\"from\":\"from the ledger\"");
    }
    proof = scene_path(s, "proof");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "--key", key, "prove", "0"), 0);
    assert_ok(file_write(proof, span_str(s->out), 0644, &e), &e);
    given = mem_printf("%sgiven\n", line);
    assert_int_equal(RUN(s, "--key", key, "check-proof", proof), 0);
    assert_says(s->out, given);
    assert_int_equal(RUN(s, "--key", key, "--json", "check-proof", proof), 0);
    assert_says(s->out, "\"from\":\"given\"");
    assert_says(s->out, id);
}

/* A published checkpoint that witnesses signed, too (C2SP signed-note). */
static void
a_cosigned_checkpoint_verifies(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/checkpoint", s->l.dir);
    CLEANUP(mem_cleanup) char *remembered = scene_path(s, "state");
    CLEANUP(buf_free) struct buf note = BUF_INIT(NOTE_MAX);
    CLEANUP(mem_cleanup) char *signature = mem_zalloc(1, 3001);
    struct err e = {0};

    memset(signature, 'A', 3000);
    assert_ok(file_read(path, &note, &e), &e);
    for (int i = 0; i < 16; i++) {
        CLEANUP(mem_cleanup)
        char *line = mem_printf("\xe2\x80\x94 w%d.example %s\n", i, signature);

        assert_ok(buf_append_str(&note, line, &e), &e);
    }
    assert_ok(file_write(path, buf_span(&note), 0644, &e), &e);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify", "--state", remembered), 0);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify", "--state", remembered), 0);
    assert_says(s->out, "consistent with the remembered size 19");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(each_answer_says_which_key_it_rests_on),
        SCENE(a_cosigned_checkpoint_verifies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
