/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/file.h"
#include "ceremony/transcript/fact.h"
#include "ceremony/transcript/transcript.h"
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

/* ---- why
 * ------------------------------------------------------------------------------------------
 */

/* A record as it should be, number `n` behind `head`, which becomes its own. */
struct record_text {
    const char *a; /* members of A besides leaf, as JSON; NULL: as they should be */
    const char *b; /* NULL: as it should be */
    const char *leaf;
    const char *prev;
};

static void
hash_hex(uint8_t tag, const char *text, char out[2 * SHA256_SIZE + 1])
{
    CLEANUP(mem_cleanup) char *all = mem_printf("%c%s", tag == 0 ? 'x' : tag, text);
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    all[0] = (char)tag;
    assert_ok(sha256(span_of(all, strlen(text) + 1), hash, &e), &e);
    hex_format(span_of(hash, sizeof(hash)), out);
}

#define HEADER "{\"format\":\"" TRANSCRIPT_FORMAT "\"}"
#define GOOD_A "\"n\":%d,\"t\":\"2026-11-23T20:00:00Z\",\"up\":7,\"lvl\":20"
#define GOOD_B "{\"salt\":\"00\",\"fact\":{\"type\":\"x\"}}"

/* Line `n` of a file whose chain is right unless the row says otherwise. */
static char *
line_with(const struct record_text *r, int n, char head[2 * SHA256_SIZE + 1])
{
    const char *b = r->b == NULL ? GOOD_B : r->b;
    CLEANUP(mem_cleanup) char *good = mem_printf(GOOD_A, n);
    CLEANUP(mem_cleanup) char *a = NULL;
    char leaf[2 * SHA256_SIZE + 1];

    hash_hex(0, b, leaf);
    a = mem_printf("{%s,\"leaf\":%s%s%s,\"prev\":%s%s%s}", r->a == NULL ? good : r->a,
                   r->leaf == NULL ? "\"" : "", r->leaf == NULL ? leaf : r->leaf,
                   r->leaf == NULL ? "\"" : "", r->prev == NULL ? "\"" : "",
                   r->prev == NULL ? head : r->prev, r->prev == NULL ? "\"" : "");
    hash_hex(1, a, head);
    return mem_printf("%s\t%s\n", a, b);
}

static const char *
said(const struct fixture *f, struct span bytes, struct err *e)
{
    CLEANUP(transcript_cleanup) struct transcript *t = NULL;

    *e = (struct err){0};
    overwrite(f->path, bytes);
    t = transcript_load(f->path, e);
    if (t == NULL && e->code != ERR_INPUT) {
        fail_msg("%s: %s", err_code_name(e->code), e->text);
    }
    return t == NULL ? e->text : "";
}

/* One record is good; what stands in the next is wrong in one thing. */
static void
what_is_wrong_in_a_record_is_named_with_its_line(void **state)
{
#define A(n, t, up, level) "\"n\":" n ",\"t\":" t ",\"up\":" up ",\"lvl\":" level
#define NOON "\"2026-11-23T12:00:00Z\""
    static const struct {
        struct record_text record;
        const char *reason; /* NULL: good */
    } rows[] = {
        {{.a = A("2", NOON, "7", "10")}, NULL},
        {{.a = A("2", NOON, "7", "20")}, NULL},
        {{.a = A("2", NOON, "8", "30")}, NULL},
        {{.a = A("1", NOON, "7", "20")}, ":3: the record has another number than its place"},
        {{.a = A("3", NOON, "7", "20")}, ":3: the record has another number than its place"},
        {{.a = A("\"2\"", NOON, "7", "20")}, ":3: the record has another number than its place"},
        {{.a = A("2", NOON, "7", "20,\"more\":1")}, ":3: the record has another number"},
        {{.prev = "1"}, ":3: does not follow the line before it (prev)"},
        {{.prev = "\"00\""}, ":3: does not follow the line before it (prev)"},
        {{.a = A("2", NOON, "7", "0")}, ":3: unknown level"},
        {{.a = A("2", NOON, "7", "11")}, ":3: unknown level"},
        {{.a = A("2", NOON, "7", "40")}, ":3: unknown level"},
        {{.a = A("2", NOON, "6", "20")}, ":3: the machine's own clock went back (up)"},
        {{.a = A("2", NOON, "-1", "20")}, ":3: the machine's own clock went back (up)"},
        {{.a = A("2", NOON, "7.5", "20")}, ":3: the machine's own clock went back (up)"},
        {{.a = A("2", "7", "7", "20")}, ":3: no time (t)"},
        {{.a = A("2", "\"noon\"", "7", "20")}, ":3: no time (t)"},
        {{.leaf = "1"}, ":3: the fact was changed (leaf)"},
        {{.leaf = "\"00\""}, ":3: the fact was changed (leaf)"},
        {{.b = "{\"salt\":\"\",\"fact\":{}}"}, ":3: no fact with a type"},
        {{.b = "{\"salt\":\"\",\"fact\":{\"type\":1}}"}, ":3: no fact with a type"},
        {{.b = "{\"fact\":{\"type\":\"x\"}}"}, ":3: no fact with a type"},
        {{.b = "{\"salt\":\"\",\"fact\":{\"type\":\"x\"},\"more\":1}"}, ":3: no fact with a type"},
        {{.b = "[]"}, ":3: not a JSON object"},
        {{.b = "{"}, ":3: not a JSON object"},
        {{.b = "{\"salt\":1,\"salt\":1,\"fact\":{\"type\":\"x\"}}"}, ":3: not a JSON object"},
        {{.a = "\"n\":2,\"n\":2"}, ":3: not a JSON object"},
    };
    const struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        static const struct record_text good;
        char head[2 * SHA256_SIZE + 1];
        CLEANUP(mem_cleanup) char *first = NULL;
        CLEANUP(mem_cleanup) char *second = NULL;
        CLEANUP(mem_cleanup) char *all = NULL;
        struct err e;

        hash_hex(2, HEADER, head);
        first = line_with(&good, 1, head);
        second = line_with(&rows[i].record, 2, head);
        all = mem_printf(HEADER "\n%s%s", first, second);
        if (rows[i].reason == NULL ? said(f, span_str(all), &e)[0] != '\0'
                                   : strstr(said(f, span_str(all), &e), rows[i].reason) == NULL) {
            fail_msg("row %zu: not '%s' but '%s'", i, rows[i].reason, e.text);
        }
    }
#undef A
#undef NOON
}

static void
the_first_record_may_have_any_time_since_the_start(void **state)
{
    const struct fixture *f = *state;
    static const struct {
        struct record_text record;
        const char *reason;
    } rows[] = {
        {{.a = "\"n\":1,\"t\":\"2026-11-23T20:00:00Z\",\"up\":0,\"lvl\":20"}, ""},
        {{.a = "\"n\":1,\"t\":\"2026-11-23T20:00:00Z\",\"up\":-1,\"lvl\":20"},
         ":2: the machine's own clock went back (up)"},
        {{.a = "\"n\":0,\"t\":\"2026-11-23T20:00:00Z\",\"up\":0,\"lvl\":20"},
         ":2: the record has another number than its place"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char head[2 * SHA256_SIZE + 1];
        CLEANUP(mem_cleanup) char *line = NULL;
        CLEANUP(mem_cleanup) char *all = NULL;
        struct err e;

        hash_hex(2, HEADER, head);
        line = line_with(&rows[i].record, 1, head);
        all = mem_printf(HEADER "\n%s", line);
        if (strstr(said(f, span_str(all), &e), rows[i].reason) == NULL ||
            (rows[i].reason[0] == '\0' && e.text[0] != '\0')) {
            fail_msg("row %zu: '%s'", i, e.text);
        }
    }
}

static void
what_is_no_transcript_is_told_so(void **state)
{
    static const struct {
        const char *text;
        const char *reason;
    } rows[] = {
        {"", ":1: no record"},
        {HEADER "\n", ":2: no record"},
        {HEADER, ":1: torn: the last line has no end"},
        {HEADER "\n{}", ":2: torn: the last line has no end"},
        {HEADER "\n{}\n", ":2: not a record: no tab"},
        {HEADER "\n\n", ":2: not a record: no tab"},
        {"\n", ":1: not a JSON object"},
        {"[]\n", ":1: not a JSON object"},
        {"{}\n", ":1: not a transcript of format nfpki-ceremony-1"},
        {"{\"format\":1}\n", ":1: not a transcript of format nfpki-ceremony-1"},
        {"{\"format\":\"nfpki-ceremony-2\"}\n", ":1: not a transcript of format"},
        {"{\"format\":\"nfpki-ceremony-1\",\"format\":\"nfpki-ceremony-1\"}\n",
         ":1: not a JSON object"},
    };
    const struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e;

        if (strstr(said(f, span_str(rows[i].text), &e), rows[i].reason) == NULL) {
            fail_msg("row %zu: not '%s' but '%s'", i, rows[i].reason, e.text);
        }
    }
}

static void
what_is_torn_in_a_record_is_told_so_and_what_ends_with_one_has_another_head(void **state)
{
    const struct fixture *f = *state;

    for (size_t n = line_of(buf_span(&f->bytes), 0).n + 1; n < f->bytes.n; n++) {
        bool whole = f->bytes.p[n - 1] == '\n';
        struct err e;

        if (strstr(said(f, span_of(f->bytes.p, n), &e), ": torn: the last line has no end; what "
                                                        "follows it was never recorded") == NULL &&
            (!whole || e.text[0] != '\0')) {
            fail_msg("cut to %zu octets: '%s'", n, e.text);
        }
    }
}

/* A fact whose record is `n` octets of B. */
static json_t *
fact_of_size(size_t n)
{
    /* {"salt":"32 digits","fact":{"type":"x","y":"..."}} */
    size_t rest = n - strlen("{\"salt\":\"\",\"fact\":{\"type\":\"x\",\"y\":\"\"}}") - 32;
    char *text = mem_zalloc(rest + 1, 1);
    json_t *fact;

    memset(text, 'y', rest);
    fact = json_pack("{s:s,s:s}", "type", "x", "y", text);
    mem_free(text);
    return fact;
}

static void
a_record_has_its_longest_size(void **state)
{
    const struct fixture *f = *state;
    enum { LIMIT = TRANSCRIPT_LINE_MAX - 1024 };
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/long.jsonl", f->dir);
    CLEANUP(json_cleanup) json_t *header = json_pack("{s:s}", "format", TRANSCRIPT_FORMAT);
    CLEANUP(transcript_cleanup) struct transcript *t = NULL;
    struct err e = {0};
    CLEANUP(recorder_cleanup) struct recorder *r = recorder_open(path, header, &e);

    assert_err(recorder_add(r, LEVEL_NORMAL, fact_of_size(LIMIT + 1), &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "long.jsonl: a record of 16776193 octets is too long"));
    assert_ok(recorder_add(r, LEVEL_NORMAL, fact_of_size(LIMIT), &e), &e);
    t = transcript_load(path, &e);
    assert_non_null(t);
    assert_int_equal(transcript_count(t), 1);
}

/* As a medium that is full: only a part of the line is written. */
static void
a_line_that_does_not_fit_on_the_medium_is_torn(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/full.jsonl", f->dir);
    CLEANUP(json_cleanup) json_t *header = json_pack("{s:s}", "format", TRANSCRIPT_FORMAT);
    CLEANUP(transcript_cleanup) struct transcript *t = NULL;
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    struct rlimit all;
    struct rlimit little;
    struct err e = {0};
    CLEANUP(recorder_cleanup) struct recorder *r = recorder_open(path, header, &e);
    int torn;
    int full;
    struct err full_e = {0};

    assert_ok(recorder_add(r, LEVEL_NORMAL, json_pack("{s:s}", "type", "x"), &e), &e);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &all), 0);
    little = (struct rlimit){.rlim_cur = 500, .rlim_max = all.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    torn = recorder_add(r, LEVEL_NORMAL, json_pack("{s:s}", "type", "y"), &e);
    full = recorder_add(r, LEVEL_NORMAL, json_pack("{s:s}", "type", "z"), &full_e);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
    (void)signal(SIGXFSZ, before);
    assert_int_equal(torn, -1);
    assert_non_null(strstr(e.text, "full.jsonl: the medium is full; the last line is torn"));
    assert_int_equal(full, -1);
    assert_int_equal(full_e.code, ERR_IO);
    t = transcript_load(path, &e);
    assert_null(t);
    assert_non_null(strstr(e.text, ":3: torn: the last line has no end"));
}

static void
a_line_has_its_longest_size(void **state)
{
    const struct fixture *f = *state;
    char *text = mem_zalloc(TRANSCRIPT_LINE_MAX + 3, 1);
    struct err e;

    memset(text, ' ', TRANSCRIPT_LINE_MAX + 2);
    text[0] = '[';
    text[1] = ']';
    text[TRANSCRIPT_LINE_MAX] = '\n';
    (void)said(f, span_of(text, TRANSCRIPT_LINE_MAX + 1), &e);
    assert_non_null(strstr(e.text, ":1: not a JSON object"));
    text[TRANSCRIPT_LINE_MAX] = ' ';
    text[TRANSCRIPT_LINE_MAX + 1] = '\n';
    (void)said(f, span_of(text, TRANSCRIPT_LINE_MAX + 2), &e);
    assert_non_null(strstr(e.text, ":1: the line is too long"));
    mem_free(text);
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
        cmocka_unit_test_setup_teardown(what_is_wrong_in_a_record_is_named_with_its_line, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_first_record_may_have_any_time_since_the_start, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_transcript_is_told_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_is_torn_in_a_record_is_told_so_and_what_ends_with_one_has_another_head, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(a_record_has_its_longest_size, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_that_does_not_fit_on_the_medium_is_torn, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_line_has_its_longest_size, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
