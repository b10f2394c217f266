/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an RA remembers of the CA's log, when all that the CA has was put back: database, ledger,
 * CRLs, both journals, the token. Nothing on the CA's side tells, so it starts; and then an RA
 * connects.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/unix.h"
#include "ca/link/admin.h"
#include "tests/support/notes.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/ca/daemon/copies.h"
#include "tests/unit/ca/daemon/nf.h"

enum { STARTS = 8, REFUSED = 3, LOG_MAX = 8 * 1024 * 1024 };

static void
copy(struct buf *to, const struct buf *from)
{
    struct err e = {0};

    *to = BUF_INIT(LINK_CHECKPOINT_MAX);
    assert_ok(buf_set(to, buf_span(from), &e), &e);
}

static uint64_t
size_of(const struct buf *note)
{
    const char *line = memchr(note->p, '\n', note->n);

    assert_non_null(line);
    return strtoull(line + 1, NULL, 10);
}

/* Until the CA has told a newer one. */
static void
hear_newer(struct world *w)
{
    const uint64_t before = size_of(&w->remembered);

    while (size_of(&w->remembered) <= before) {
        CLEANUP(buf_free) struct buf frame = BUF_INIT(LINK_FRAME_MAX);
        struct link_message m;
        struct err e = {0};

        assert_ok(frame_read(w->link, LINK_FRAME_MAX, &frame, -1, &e), &e);
        assert_ok(link_decode(buf_span(&frame), &m, &e), &e);
        assert_int_equal(m.type, LINK_CHECKPOINT);
        assert_ok(buf_set(&w->remembered, m.checkpoint, &e), &e);
    }
}

static void
what_is_stored_is_told(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
    CLEANUP(admin_json_cleanup) json_t *status = NULL;
    struct err e = {0};

    X509_free(nf_enrol(w, &n));
    hear_newer(w);
    status = world_ask(w, json_pack("{s:s}", "command", "status"), &e);
    assert_true((json_int_t)size_of(&w->remembered) <=
                json_integer_value(json_object_get(status, "stored")));
}

/* A request, unless the other end has closed by now. */
static void
may_submit(struct world *w, const struct nf *n)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(LINK_FRAME_MAX);
    uint8_t rid[SHA256_SIZE] = {0};
    const struct link_message m = {
        .type = LINK_SUBMIT, .id = span_of(rid, sizeof(rid)), .body = buf_span(&n->nested)};
    struct err e = {0};

    assert_ok(sha256(buf_span(&n->request), rid, &e), &e);
    assert_ok(link_encode(&m, &body, &e), &e);
    (void)frame_write(w->link, buf_span(&body), -1, &e);
}

/* HELLO and a request that is good there, and the daemon ends with this. */
static void
must_end(struct world *w, const struct nf *n)
{
    const struct link_message hello = {.type = LINK_HELLO, .checkpoint = buf_span(&w->remembered)};
    int status = 0;

    world_start_silently(w);
    world_send(w, &hello);
    may_submit(w, n);
    assert_true(world_hung_up(w));
    assert_int_equal(waitpid(w->daemon, &status, 0), w->daemon);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != REFUSED) {
        world_show_log(w);
        fail_msg("status %d", status);
    }
    world_kill(w); /* what is left of it here */
}

static void
must_have_said(const struct world *w, const char *says)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.log", w->dir);
    CLEANUP(buf_free) struct buf log = BUF_INIT(LOG_MAX);
    struct err e = {0};

    assert_ok(file_read(path, &log, &e), &e);
    if (memmem(log.p, log.n, says, strlen(says)) == NULL) {
        fail_msg("not said: %s", says);
    }
}

static void
a_state_put_back_with_all_its_files_never_issues(void **state)
{
    struct world *w = *state;
    CLEANUP(tmpdir_cleanup) char *yesterday = tmpdir_new();
    CLEANUP(tmpdir_cleanup) char *today = tmpdir_new();
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
    int issued;

    world_kill(w);
    copy_parts(w->dir, yesterday, ALL | TOKEN);
    world_start(w);
    X509_free(nf_enrol(w, &n));
    hear_newer(w);
    for (int i = 0; i < STARTS / 2; i++) { /* so that the copy needs some starts to be as long */
        world_restart(w, "");
    }
    assert_int_equal(world_stop(w), 0);
    copy_parts(w->dir, today, ALL | TOKEN);
    copy_parts(yesterday, w->dir, ALL | TOKEN);
    issued = world_leaves(w, "ISSUED", "", "");
    for (int i = 0; i < STARTS; i++) {
        must_end(w, &n);
    }
    assert_int_equal(world_leaves(w, "ISSUED", "", ""), issued);
    must_have_said(w, "the checkpoint that an RA remembers: it covers ");
    must_have_said(w, "the checkpoint that an RA remembers: over ");
    copy_parts(today, w->dir, ALL | TOKEN);
    w->remembers = true;
    world_start(w);
    w->remembers = false;
}

/* By whoever can connect: what our key did not sign says nothing about us. */
static void
a_checkpoint_that_is_not_ours_ends_that_connection_alone(void **state)
{
    struct world *w = *state;
    struct notes thief = notes_new("test.example/ca");
    CLEANUP(buf_free) struct buf forged = notes_sign(&thief, UINT32_MAX, 1);
    CLEANUP(buf_free) struct buf flipped = {0};
    const int first = w->link;

    copy(&flipped, &w->remembered);
    flipped.p[flipped.n - 5] ^= 1;
    const struct span rows[] = {buf_span(&forged), buf_span(&flipped), SPAN_LITERAL("no note")};
    w->remembers = true;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct link_message hello = {.type = LINK_HELLO, .checkpoint = rows[i]};
        CLEANUP(mem_cleanup) char *path = mem_printf("%s/link.sock", w->dir);
        struct err e = {0};

        w->link = unix_connect(path, true, &e);
        assert_true(w->link >= 0);
        world_send(w, &hello);
        assert_true(world_hung_up(w));
        (void)close(w->link);
    }
    must_have_said(w, "it remembers another log's checkpoint, see log_key in nfpki-ra.conf(5)");
    world_connect(w);
    (void)close(w->link);
    w->link = first;
    w->remembers = false;
    notes_free(&thief);
}

static void
an_older_one_is_no_news(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf older = {0};
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);

    copy(&older, &w->remembered);
    X509_free(nf_enrol(w, &n));
    assert_int_equal(world_stop(w), 0);
    buf_move(&w->remembered, &older);
    w->remembers = true;
    world_start(w);
    w->remembers = false;
    assert_true(size_of(&w->remembered) > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_stored_is_told),
        cmocka_unit_test(a_checkpoint_that_is_not_ours_ends_that_connection_alone),
        cmocka_unit_test(an_older_one_is_no_news),
        cmocka_unit_test(a_state_put_back_with_all_its_files_never_issues),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
