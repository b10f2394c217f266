/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "ceremony/fact.h"
#include "ceremony/transcript.h"
#include "tests/support/tmpdir.h"

enum { FILE_MAX = 64 * 1024 };

struct fixture {
    char *dir;
    char *path;
    struct buf bytes; /* of a good transcript */
    uint8_t head[SHA256_SIZE];
};

static int
set_up(void **state)
{
    struct fixture *f = mem_zalloc(1, sizeof(*f));
    struct err e = {0};
    json_t *header = json_pack("{s:s,s:s}", "format", TRANSCRIPT_FORMAT, "id", "test");
    struct recorder *r;

    f->dir = tmpdir_new();
    f->path = mem_printf("%s/transcript.jsonl", f->dir);
    f->bytes = BUF_INIT(FILE_MAX);
    r = recorder_open(f->path, header, &e);
    json_decref(header);
    if (r == NULL) {
        return -1;
    }
    for (int i = 0; i < 4; i++) {
        if (recorder_add(r, LEVEL_NORMAL, json_pack("{s:s,s:i}", "type", "number", "value", i),
                         &e) != 0) {
            return -1;
        }
    }
    recorder_head(r, f->head);
    recorder_close(r);
    *state = f;
    return file_read(f->path, &f->bytes, &e);
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    tmpdir_remove(f->dir);
    mem_free(f->path);
    buf_free(&f->bytes);
    mem_free(f);
    return 0;
}

/* Without fsync: thousands of damaged files are written here. */
static void
overwrite(const char *path, struct span bytes)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes.p, 1, bytes.n, file), bytes.n);
    assert_int_equal(fclose(file), 0);
}

/* Writes `bytes` in place of the transcript and loads it; true when it is accepted with the head
 * that the recorder gave. */
static bool
accepted(const struct fixture *f, struct span bytes)
{
    CLEANUP(transcript_cleanup) struct transcript *t = NULL;
    uint8_t head[SHA256_SIZE];
    struct err e = {0};

    overwrite(f->path, bytes);
    t = transcript_load(f->path, &e);
    if (t == NULL) {
        return false;
    }
    transcript_head(t, head);
    return memcmp(head, f->head, sizeof(head)) == 0;
}

static void
what_was_recorded_is_read(void **state)
{
    const struct fixture *f = *state;
    struct err e = {0};
    CLEANUP(transcript_cleanup) struct transcript *t = transcript_load(f->path, &e);
    uint8_t head[SHA256_SIZE];
    json_int_t value;

    assert_non_null(t);
    assert_int_equal(transcript_count(t), 4);
    assert_string_equal(transcript_at(t, 3)->type, "number");
    assert_int_equal(transcript_at(t, 3)->line, 5);
    assert_ok(fact_number(transcript_at(t, 3)->fact, "value", &value, &e), &e);
    assert_int_equal(value, 3);
    transcript_head(t, head);
    assert_memory_equal(head, f->head, sizeof(head));
}

static void
a_transcript_is_never_overwritten(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(json_cleanup) json_t *header = json_pack("{s:s}", "format", TRANSCRIPT_FORMAT);
    struct err e = {0};

    assert_null(recorder_open(f->path, header, &e));
    assert_int_equal(e.code, ERR_CONFLICT);
}

static void
the_flip_of_every_byte_is_found(void **state)
{
    const struct fixture *f = *state;

    assert_true(accepted(f, buf_span(&f->bytes)));
    for (size_t i = 0; i < f->bytes.n; i++) {
        for (int bit = 0; bit < 8; bit += 7) {
            f->bytes.p[i] ^= (uint8_t)(1 << bit);
            if (accepted(f, buf_span(&f->bytes))) {
                fail_msg("octet %zu, bit %d: not found", i, bit);
            }
            f->bytes.p[i] ^= (uint8_t)(1 << bit);
        }
    }
}

static void
a_torn_tail_is_found_wherever_it_tears(void **state)
{
    const struct fixture *f = *state;

    for (size_t n = 0; n < f->bytes.n; n++) {
        if (accepted(f, span_of(f->bytes.p, n))) {
            fail_msg("cut to %zu octets: not found", n);
        }
    }
}

/* The place of line `n`, counted from 0. */
static struct span
line_of(struct span bytes, size_t n)
{
    for (; n > 0; n--) {
        const uint8_t *end = memchr(bytes.p, '\n', bytes.n);

        bytes = span_of(end + 1, bytes.n - (size_t)(end + 1 - bytes.p));
    }
    return span_of(bytes.p,
                   (size_t)((const uint8_t *)memchr(bytes.p, '\n', bytes.n) - bytes.p) + 1);
}

static void
a_line_removed_repeated_or_moved_is_found(void **state)
{
    const struct fixture *f = *state;
    static const size_t orders[][6] = {
        {0, 1, 2, 4, 99, 99}, {0, 1, 2, 2, 3, 4}, {0, 2, 1, 3, 4, 99}, {1, 2, 3, 4, 99, 99}};

    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        CLEANUP(buf_free) struct buf bytes = BUF_INIT(FILE_MAX);
        struct err e = {0};

        for (size_t k = 0; k < 6 && orders[i][k] != 99; k++) {
            assert_ok(buf_append(&bytes, line_of(buf_span(&f->bytes), orders[i][k]), &e), &e);
        }
        if (accepted(f, buf_span(&bytes))) {
            fail_msg("order %zu: not found", i);
        }
    }
}

static void
equal_facts_have_different_salts(void **state)
{
    const struct fixture *f = *state;
    struct span first = line_of(buf_span(&f->bytes), 1);
    struct span second = line_of(buf_span(&f->bytes), 2);
    const char *salt = "\"salt\":\"";
    const uint8_t *a = memmem(first.p, first.n, salt, strlen(salt));
    const uint8_t *b = memmem(second.p, second.n, salt, strlen(salt));

    assert_non_null(a);
    assert_non_null(b);
    assert_memory_not_equal(a + strlen(salt), b + strlen(salt), 32);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_recorded_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_transcript_is_never_overwritten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_flip_of_every_byte_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_torn_tail_is_found_wherever_it_tears, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_removed_repeated_or_moved_is_found, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(equal_facts_have_different_salts, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
