/* SPDX-License-Identifier: Apache-2.0 */
/* Notes that come back from witnesses: which are published, and which are not. */
#include "db/ledger/witnesses.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/ossl.h"
#include "tests/support/test.h"
#include "tests/unit/db/ledger/scene.h"

enum { WITNESSES = 2, NOW = 1800000000 };

struct fixture {
    struct scene *s;
    EVP_PKEY *keys[WITNESSES];
    struct cosigner of[WITNESSES];
};

static int
set_up(void **state)
{
    struct fixture *f = mem_zalloc(1, sizeof(*f));
    struct err e = {0};
    void *scene;
    int result = scene_set_up(&scene);

    f->s = scene;
    for (size_t i = 0; i < WITNESSES; i++) {
        CLEANUP(mem_cleanup) char *name = mem_printf("w%zu.example", i);

        f->keys[i] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        assert_ok(cosigner_of(&f->of[i], name, f->keys[i], &e), &e);
    }
    *state = f;
    return result;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    void *scene = f->s;

    for (size_t i = 0; i < WITNESSES; i++) {
        EVP_PKEY_free(f->keys[i]);
    }
    mem_free(f);
    return scene_tear_down(&scene);
}

/* ---- what a witness does ---- */

static void
read_published(const struct fixture *f, const char *name, struct buf *out)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", f->s->folder, name);
    struct err e = {0};

    assert_ok(file_read(path, out, &e), &e);
}

/* Adds the line of this witness over the text of the note. */
static void
cosign(const struct fixture *f, size_t witness, time_t now, struct buf *octets)
{
    CLEANUP(buf_free) struct buf line = BUF_INIT(NOTE_MAX);
    struct note note;
    struct err e = {0};

    assert_ok(note_parse(buf_span(octets), &note, &e), &e);
    assert_ok(cosigner_sign(&f->of[witness], f->keys[witness], note.text, now, &line, &e), &e);
    assert_ok(buf_append(octets, buf_span(&line), &e), &e);
}

static char *
name_of(const struct fixture *f, size_t witness)
{
    const uint8_t *id = f->of[witness].id;

    return mem_printf("witness/%02x%02x%02x%02x", id[0], id[1], id[2], id[3]);
}

/* ---- what the authority does ---- */

struct call {
    const struct fixture *f;
    struct span note;
    size_t n;
    struct ledger_witnessed w;
    int result;
    struct err e;
    struct store_op op;
};

static int
run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct call *c = (struct call *)(void *)((char *)op - offsetof(struct call, op));

    (void)e;
    c->result = ledger_witness(c->f->s->ledger, db, c->note, c->f->of, c->n, &c->w, &c->e);
    return 0;
}

static void *
call(void *arg)
{
    struct call *c = arg;
    struct err e = {0};

    c->op = (struct store_op){.run = run};
    if (store_call(c->f->s->store, &c->op, &e) != 0) {
        c->result = -1;
        c->e = e;
    }
    return NULL;
}

static struct call
submit(const struct fixture *f, const struct buf *note)
{
    struct call c = {.f = f, .note = buf_span(note), .n = WITNESSES};

    (void)call(&c);
    return c;
}

/* A note over so many leaves. */
static void
checkpoint(const struct fixture *f, unsigned from, unsigned to, struct buf *out)
{
    scene_append(f->s, from, to);
    scene_checkpoint(f->s, to);
    read_published(f, "checkpoint", out);
}

/* ---- tests ---- */

static void
the_newest_of_each_is_published_alone(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(buf_free) struct buf small = BUF_INIT(NOTE_MAX);
    CLEANUP(buf_free) struct buf large = BUF_INIT(NOTE_MAX);
    CLEANUP(buf_free) struct buf there = BUF_INIT(NOTE_MAX);
    CLEANUP(mem_cleanup) char *first = name_of(f, 0);
    CLEANUP(mem_cleanup) char *second = name_of(f, 1);
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", f->s->folder, first);
    struct cosigned seen;
    struct note note;
    struct stat st;
    struct err e = {0};
    struct call c;

    checkpoint(f, 0, 3, &small);
    checkpoint(f, 3, 300, &large);
    cosign(f, 0, NOW, &small);
    cosign(f, 0, NOW, &large);
    cosign(f, 1, NOW, &large);
    assert_ok(buf_append_str(&large, NOTE_DASH "stranger.example AAAAAQE=\n", &e), &e);
    c = submit(f, &small);
    assert_ok(c.result, &c.e);
    assert_true(c.w.size == 3 && c.w.kept == 1 && c.w.older == 0);
    read_published(f, first, &there);
    assert_true(span_equal(buf_span(&there), buf_span(&small)));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    *strrchr(path, '/') = '\0';
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);

    c = submit(f, &large);
    assert_ok(c.result, &c.e);
    assert_true(c.w.size == 300 && c.w.kept == 2);
    read_published(f, second, &there);
    assert_ok(note_parse(buf_span(&there), &note, &e), &e);
    assert_int_equal(note.n, 2); /* the log's line, and that of the witness */
    assert_ok(cosigner_verify(&f->of[1], &note, &seen, &e), &e);
    assert_true(seen.found);

    c = submit(f, &small);
    assert_ok(c.result, &c.e);
    assert_true(c.w.kept == 0 && c.w.older == 1);
    read_published(f, first, &there);
    assert_ok(note_parse(buf_span(&there), &note, &e), &e);
    assert_int_equal(memcmp(note.text.p, large.p, note.text.n), 0);

    /* the same size again, at a later time, and at the same */
    cosign(f, 0, NOW + 60, &large);
    c = submit(f, &large);
    assert_ok(c.result, &c.e);
    assert_true(c.w.kept == 1 && c.w.older == 1);
    c = submit(f, &large);
    assert_true(c.w.kept == 0 && c.w.older == 2);
}

/* Who writes what is published there is replaced by who may. */
static void
what_is_no_note_there_is_replaced(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(buf_free) struct buf note = BUF_INIT(NOTE_MAX);
    CLEANUP(buf_free) struct buf there = BUF_INIT(NOTE_MAX);
    CLEANUP(mem_cleanup) char *name = name_of(f, 0);
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", f->s->folder, name);
    struct err e = {0};
    struct call c;

    checkpoint(f, 0, 3, &note);
    cosign(f, 0, NOW, &note);
    c = submit(f, &note);
    assert_ok(c.result, &c.e);
    assert_ok(file_write(path, SPAN_LITERAL("x"), 0644, &e), &e);
    c = submit(f, &note);
    assert_ok(c.result, &c.e);
    assert_true(c.w.kept == 1);
    read_published(f, name, &there);
    assert_true(span_equal(buf_span(&there), buf_span(&note)));
}

/* Two that come at once, in either order: the newest stays. */
static void
two_at_once(void **state)
{
    enum { ROUNDS = 20 };
    const struct fixture *f = *state;
    CLEANUP(mem_cleanup) char *name = name_of(f, 0);
    CLEANUP(buf_free) struct buf last = BUF_INIT(NOTE_MAX);

    checkpoint(f, 0, 1, &last);
    for (unsigned i = 1; i <= ROUNDS; i++) {
        CLEANUP(buf_free) struct buf next = BUF_INIT(NOTE_MAX);
        CLEANUP(buf_free) struct buf there = BUF_INIT(NOTE_MAX);
        struct call calls[2];
        pthread_t threads[2];
        struct err e = {0};

        checkpoint(f, i, i + 1, &next);
        cosign(f, 0, NOW, &last);
        cosign(f, 0, NOW, &next);
        calls[i % 2] = (struct call){.f = f, .note = buf_span(&last), .n = WITNESSES};
        calls[1 - i % 2] = (struct call){.f = f, .note = buf_span(&next), .n = WITNESSES};
        for (size_t k = 0; k < 2; k++) {
            assert_int_equal(pthread_create(&threads[k], NULL, call, &calls[k]), 0);
        }
        for (size_t k = 0; k < 2; k++) {
            assert_int_equal(pthread_join(threads[k], NULL), 0);
            assert_ok(calls[k].result, &calls[k].e);
        }
        read_published(f, name, &there);
        assert_true(span_equal(buf_span(&there), buf_span(&next)));
        buf_free(&last);
        read_published(f, "checkpoint", &next);
        assert_ok(buf_set(&last, buf_span(&next), &e), &e);
    }
}

static void
what_is_refused(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(buf_free) struct buf note = BUF_INIT(NOTE_MAX);
    CLEANUP(buf_free) struct buf text = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(128);
    CLEANUP(buf_free) struct buf lie = BUF_INIT(NOTE_MAX);
    CLEANUP(mem_cleanup) char *folder = mem_printf("%s/witness", f->s->folder);
    struct checkpoint other;
    struct stat st;
    struct err e = {0};
    struct call c;

    checkpoint(f, 0, 3, &note);
    c = submit(f, &note); /* by nobody but the log */
    assert_int_equal(c.e.code, ERR_DENIED);
    cosign(f, 1, NOW, &note);
    c = (struct call){.f = f, .note = buf_span(&note), .n = 1};
    (void)call(&c); /* by somebody whom the configuration does not name */
    assert_int_equal(c.e.code, ERR_DENIED);
    c = (struct call){.f = f, .note = SPAN_LITERAL("x\n"), .n = 1};
    (void)call(&c);
    assert_int_equal(c.e.code, ERR_INPUT);

    /* one good line, one wrong: neither */
    cosign(f, 0, NOW, &note);
    note.p[note.n - 8] = note.p[note.n - 8] == 'A' ? 'B' : 'A';
    c = submit(f, &note);
    assert_int_equal(c.e.code, ERR_CRYPTO);
    assert_int_not_equal(stat(folder, &st), 0);

    /* the log's key signed another history: somebody must hear of it */
    other = scene_published(f->s);
    other.root = merkle_leaf(SPAN_LITERAL("another past"));
    for (uint64_t size = 3; size <= 4; size++) {
        other.size = size;
        assert_ok(checkpoint_text(&other, &text, &e), &e);
        scene_sign(f->s->private, buf_span(&text), &signature);
        assert_ok(checkpoint_seal(ledger_key(f->s->ledger), buf_span(&text), buf_span(&signature),
                                  &lie, &e),
                  &e);
        cosign(f, 0, NOW, &lie);
        c = submit(f, &lie);
        assert_int_equal(c.e.code, ERR_STALE);
        assert_int_not_equal(stat(folder, &st), 0);
        buf_free(&text);
        buf_free(&lie);
    }
}

static void
a_folder_that_cannot_be_written(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(buf_free) struct buf note = BUF_INIT(NOTE_MAX);
    CLEANUP(mem_cleanup) char *folder = mem_printf("%s/witness", f->s->folder);
    struct err e = {0};
    struct call c;

    checkpoint(f, 0, 3, &note);
    cosign(f, 0, NOW, &note);
    assert_ok(file_write(folder, SPAN_LITERAL("no folder"), 0644, &e), &e);
    c = submit(f, &note);
    assert_int_equal(c.e.code, ERR_IO);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_newest_of_each_is_published_alone),
        TEST(what_is_no_note_there_is_replaced),
        TEST(two_at_once),
        TEST(what_is_refused),
        TEST(a_folder_that_cannot_be_written),
    };

    (void)umask(077); /* as the programs do */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
