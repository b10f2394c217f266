/* SPDX-License-Identifier: Apache-2.0 */
/* The log that is at its end: what is said of it must fit to what is published of it. */
#include "ca/restore/previous.h"

#include <string.h>

#include "base/file.h"
#include "base/ossl.h"
#include "tests/support/notes.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

enum { PUBLISHED = 7, ROOT = 0x41, OTHER_ROOT = 0x42 };

#define OLD "test.example/ca"
#define NEW "test.example/ca/2"

struct scene {
    char *dir;
    struct notes old;
    struct notes fresh;
};

static void
put(const struct scene *s, const char *name, struct span octets)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", s->dir, name);
    struct err e = {0};

    assert_ok(file_write(path, octets, 0644, &e), &e);
}

static int
setup(void **state)
{
    struct scene *s = mem_zalloc(1, sizeof(*s));
    CLEANUP(buf_free) struct buf note = {0};

    s->dir = tmpdir_new();
    s->old = notes_new(OLD);
    s->fresh = notes_new(NEW);
    note = notes_sign(&s->old, PUBLISHED, ROOT);
    put(s, "log.vkey", span_str(s->old.vkey));
    put(s, "checkpoint", buf_span(&note));
    *state = s;
    return 0;
}

static int
teardown(void **state)
{
    struct scene *s = *state;

    notes_free(&s->old);
    notes_free(&s->fresh);
    tmpdir_remove(s->dir);
    mem_free(s);
    return 0;
}

/* "SIZE:ROOT"; mem_free() it. */
static char *
head(int size, int root)
{
    struct merkle_hash hash;
    CLEANUP(mem_cleanup) char *text = NULL;

    memset(hash.octets, root, sizeof(hash.octets));
    text = base64_dup(span_of(hash.octets, sizeof(hash.octets)));
    return mem_printf("%d:%s", size, text);
}

static void
refuses(const struct scene *s, const char *signed_head, const struct log_key *key,
        enum err_code code, const char *says)
{
    CLEANUP(previous_free) struct previous p = {0};
    struct err e = {0};

    assert_err(previous_read(s->dir, signed_head, key, &p, &e), code, &e);
    if (strstr(e.text, says) == NULL) {
        fail_msg("--signed %s: \"%s\", not \"%s\"", signed_head, e.text, says);
    }
}

static void
what_was_signed_is_what_is_published_or_more(void **state)
{
    static const int sizes[] = {PUBLISHED, PUBLISHED + 2};
    struct scene *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        CLEANUP(mem_cleanup)
        char *text = head(sizes[i], sizes[i] == PUBLISHED ? ROOT : OTHER_ROOT);
        CLEANUP(previous_free) struct previous p = {0};
        struct err e = {0};

        assert_ok(previous_read(s->dir, text, &s->fresh.log, &p, &e), &e);
        assert_int_equal(p.published.size, PUBLISHED);
        assert_int_equal(p.signed_size, sizes[i]);
    }
}

/* What witnesses signed, too, would be more than a leaf holds. */
static void
the_note_is_kept_as_the_log_alone_signed_it(void **state)
{
    static const char line[] = "\xe2\x80\x94 w.example AAAAAQE=\n";
    struct scene *s = *state;
    CLEANUP(buf_free) struct buf alone = notes_sign(&s->old, PUBLISHED, ROOT);
    CLEANUP(buf_free) struct buf cosigned = BUF_INIT(NOTE_MAX);
    CLEANUP(mem_cleanup) char *text = head(PUBLISHED, ROOT);
    CLEANUP(previous_free) struct previous p = {0};
    struct err e = {0};

    assert_ok(buf_set(&cosigned, buf_span(&alone), &e), &e);
    assert_ok(buf_append_str(&cosigned, line, &e), &e);
    put(s, "checkpoint", buf_span(&cosigned));
    assert_ok(previous_read(s->dir, text, &s->fresh.log, &p, &e), &e);
    assert_true(span_equal(buf_span(&p.note), buf_span(&alone)));
    put(s, "checkpoint", buf_span(&alone));
}

static void
less_or_another_root_than_published_is_refused(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *less = head(PUBLISHED - 1, OTHER_ROOT);
    CLEANUP(mem_cleanup) char *other = head(PUBLISHED, OTHER_ROOT);

    refuses(s, less, &s->fresh.log, ERR_INPUT,
            "--signed: 6 leaves, and 7 are published: take the last line of the old log signer's "
            "journal");
    refuses(s, other, &s->fresh.log, ERR_INPUT,
            "--signed: another root than the published checkpoint");
}

static void
a_head_of_another_form_is_refused(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *right = head(PUBLISHED, ROOT);
    CLEANUP(mem_cleanup) char *negative = mem_printf("-%s", right);
    CLEANUP(mem_cleanup) char *longer = head(PUBLISHED, ROOT);
    CLEANUP(mem_cleanup) char *great = mem_printf("99999999999999999999%s", right);
    const char *const heads[] = {
        "",    "7",      ":", "7:", "7:?", "7:QUJD", negative, "0:QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=",
        great, "7 :QUJD"};

    longer[strlen(longer) - 1] = '\0';
    refuses(s, longer, &s->fresh.log, ERR_INPUT, "SIZE:ROOT");
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        refuses(s, heads[i], &s->fresh.log, ERR_INPUT,
                "what a start says of the log signer's journal is wanted, SIZE:ROOT");
    }
}

static void
the_old_ones_key_or_origin_is_no_new_log(void **state)
{
    static const char says[] = "the new log has the old one's key or origin: make a key by the "
                               "ceremony key-generate, and give it another log_origin";
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *right = head(PUBLISHED, ROOT);
    CLEANUP(log_key_free) struct log_key same_key = {0};
    CLEANUP(log_key_free) struct log_key same_origin = {0};
    struct err e = {0};

    assert_ok(log_key_set(&same_key, NEW, span_of(s->old.log.spki, s->old.log.spki_n), &e), &e);
    assert_ok(log_key_set(&same_origin, OLD, span_of(s->fresh.log.spki, s->fresh.log.spki_n), &e),
              &e);
    refuses(s, right, &s->old.log, ERR_CONFLICT, says);
    refuses(s, right, &same_key, ERR_CONFLICT, says);
    refuses(s, right, &same_origin, ERR_CONFLICT, says);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_signed_is_what_is_published_or_more),
        cmocka_unit_test(the_note_is_kept_as_the_log_alone_signed_it),
        cmocka_unit_test(less_or_another_root_than_published_is_refused),
        cmocka_unit_test(a_head_of_another_form_is_refused),
        cmocka_unit_test(the_old_ones_key_or_origin_is_no_new_log),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
