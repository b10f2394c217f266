/* SPDX-License-Identifier: Apache-2.0 */
#include "ceremony/transcript/transcript.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

enum { SALT_SIZE = 16, HEX_SIZE = 2 * SHA256_SIZE + 1 };

/* What stands in front of the hashed octets: three kinds of input never give the same hash. */
static const uint8_t TAG_LEAF = 0x00;
static const uint8_t TAG_RECORD = 0x01;
static const uint8_t TAG_HEADER = 0x02;

static int
tagged_hash(uint8_t tag, struct span bytes, uint8_t out[SHA256_SIZE], struct err *e)
{
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    if (ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1 ||
        EVP_DigestUpdate(ctx, &tag, 1) != 1 || EVP_DigestUpdate(ctx, bytes.p, bytes.n) != 1 ||
        EVP_DigestFinal_ex(ctx, out, NULL) != 1) {
        return ossl_err(e, ERR_CRYPTO, "SHA-256");
    }
    return 0;
}

/* ---- writing ----------------------------------------------------------------------------------
 */

struct recorder {
    int fd;
    char *path;
    json_int_t n;
    uint8_t head[SHA256_SIZE];
};

void
recorder_close(struct recorder *r)
{
    if (r == NULL) {
        return;
    }
    fd_cleanup(&r->fd);
    mem_free(r->path);
    mem_free(r);
}

/* One write(2) per line: with O_APPEND and O_DSYNC it is on the medium when this returns; a power
 * cut leaves at most one torn line, which transcript_load() finds. */
static int
write_line(struct recorder *r, struct span line, struct err *e)
{
    ssize_t n = write(r->fd, line.p, line.n);

    if (n < 0) {
        return err_errno(e, ERR_IO, errno, "write %s", r->path);
    }
    if ((size_t)n != line.n) {
        return err_set(e, ERR_IO, "write %s: the medium is full; the last line is torn", r->path);
    }
    return 0;
}

static char *
dump(const json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);

    assert(text != NULL);
    return text;
}

struct recorder *
recorder_open(const char *path, const json_t *header, struct err *e)
{
    CLEANUP(recorder_cleanup) struct recorder *r = mem_new(sizeof(*r));
    CLEANUP(mem_cleanup) char *text = dump(header);
    CLEANUP(mem_cleanup) char *line = mem_printf("%s\n", text);

    r->path = mem_strdup(path);
    r->fd =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_DSYNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (r->fd < 0) {
        (void)err_errno(e, errno == EEXIST ? ERR_CONFLICT : ERR_IO, errno, "create %s", path);
        return NULL;
    }
    if (tagged_hash(TAG_HEADER, span_str(text), r->head, e) != 0 ||
        write_line(r, span_str(line), e) != 0) {
        return NULL;
    }
    return TAKE(r);
}

static int64_t
seconds_since_boot(void)
{
    struct timespec now = {0};

    /* Counts sleep as well, and nobody can set it: the order of records hangs on it. */
    (void)clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec;
}

int
recorder_add(struct recorder *r, int level, json_t *fact, struct err *e)
{
    CLEANUP(json_cleanup) json_t *owned = fact;
    CLEANUP(json_cleanup) json_t *a = NULL;
    CLEANUP(json_cleanup) json_t *b = NULL;
    CLEANUP(mem_cleanup) char *a_text = NULL;
    CLEANUP(mem_cleanup) char *b_text = NULL;
    CLEANUP(mem_cleanup) char *line = NULL;
    uint8_t salt[SALT_SIZE];
    uint8_t leaf[SHA256_SIZE];
    uint8_t head[SHA256_SIZE];
    char salt_hex[2 * SALT_SIZE + 1];
    char leaf_hex[HEX_SIZE];
    char prev_hex[HEX_SIZE];
    char time_text[TIME_TEXT_SIZE];

    assert(json_string_value(json_object_get(fact, "type")) != NULL);
    if (random_bytes(salt, sizeof(salt), e) != 0) {
        return -1;
    }
    hex_format(span_of(salt, sizeof(salt)), salt_hex);
    b = json_pack("{s:s,s:O}", "salt", salt_hex, "fact", owned);
    b_text = dump(b);
    if (strlen(b_text) > TRANSCRIPT_LINE_MAX - 1024) {
        return err_set(e, ERR_INPUT, "%s: a record of %zu octets is too long", r->path,
                       strlen(b_text));
    }
    if (tagged_hash(TAG_LEAF, span_str(b_text), leaf, e) != 0) {
        return -1;
    }
    hex_format(span_of(leaf, sizeof(leaf)), leaf_hex);
    hex_format(span_of(r->head, sizeof(r->head)), prev_hex);
    time_format(clock_now(), time_text);
    a = json_pack("{s:I,s:s,s:I,s:i,s:s,s:s}", "n", r->n + 1, "t", time_text, "up",
                  (json_int_t)seconds_since_boot(), "lvl", level, "leaf", leaf_hex, "prev",
                  prev_hex);
    a_text = dump(a);
    line = mem_printf("%s\t%s\n", a_text, b_text);
    if (tagged_hash(TAG_RECORD, span_str(a_text), head, e) != 0 ||
        write_line(r, span_str(line), e) != 0) {
        return -1;
    }
    memcpy(r->head, head, sizeof(head));
    r->n++;
    return 0;
}

void
recorder_head(const struct recorder *r, uint8_t out[SHA256_SIZE])
{
    memcpy(out, r->head, SHA256_SIZE);
}

/* ---- reading ----------------------------------------------------------------------------------
 */

struct transcript {
    char *path;
    json_t *header;
    struct record *records;
    json_t **lines; /* each B, which its record borrows from */
    size_t n;
    size_t capacity;
    size_t lines_capacity;
    uint8_t head[SHA256_SIZE];
    uint8_t file[SHA256_SIZE];
};

void
transcript_free(struct transcript *t)
{
    if (t == NULL) {
        return;
    }
    for (size_t i = 0; i < t->n; i++) {
        json_decref(t->lines[i]);
    }
    json_decref(t->header);
    mem_free(t->lines);
    mem_free(t->records);
    mem_free(t->path);
    mem_free(t);
}

static int
bad(const struct transcript *t, size_t line, const char *what, struct err *e)
{
    return err_set(e, ERR_INPUT, "%s:%zu: %s", t->path, line, what);
}

static json_t *
parse_object(const struct transcript *t, size_t line, struct span text, struct err *e)
{
    json_error_t reason;
    json_t *object = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &reason);

    if (object == NULL || !json_is_object(object)) {
        json_decref(object);
        (void)bad(t, line, "not a JSON object", e);
        return NULL;
    }
    return object;
}

static bool
hash_equals(const json_t *object, const char *member, const uint8_t expected[SHA256_SIZE])
{
    const char *text = json_string_value(json_object_get(object, member));
    char hex[HEX_SIZE];

    hex_format(span_of(expected, SHA256_SIZE), hex);
    return text != NULL && strcmp(text, hex) == 0;
}

/* A: numbers, times and the chain. */
static int
check_a(const struct transcript *t, size_t line, const json_t *a, struct record *out, struct err *e)
{
    const char *text = json_string_value(json_object_get(a, "t"));
    json_int_t level = json_integer_value(json_object_get(a, "lvl"));

    if (json_object_size(a) != 6 ||
        json_integer_value(json_object_get(a, "n")) != (json_int_t)t->n + 1) {
        return bad(t, line, "the record has another number than its place", e);
    }
    if (!hash_equals(a, "prev", t->head)) {
        return bad(t, line, "does not follow the line before it (prev)", e);
    }
    if (level != LEVEL_DETAIL && level != LEVEL_NORMAL && level != LEVEL_ATTENTION) {
        return bad(t, line, "unknown level", e);
    }
    out->up = json_integer_value(json_object_get(a, "up"));
    if (!json_is_integer(json_object_get(a, "up")) || out->up < 0 ||
        (t->n > 0 && out->up < t->records[t->n - 1].up)) {
        return bad(t, line, "the machine's own clock went back (up)", e);
    }
    if (text == NULL || time_parse(text, &out->time, e) != 0) {
        return bad(t, line, "no time (t)", e);
    }
    return 0;
}

static int
add_record(struct transcript *t, size_t line, struct span text, struct err *e)
{
    const uint8_t *tab = memchr(text.p, '\t', text.n);
    CLEANUP(json_cleanup) json_t *a = NULL;
    CLEANUP(json_cleanup) json_t *b = NULL;
    struct record record = {.line = line};
    struct span a_text;
    struct span b_text;
    uint8_t leaf[SHA256_SIZE];

    if (tab == NULL || t->n >= TRANSCRIPT_RECORDS_MAX) {
        return bad(t, line, tab == NULL ? "not a record: no tab" : "too many records", e);
    }
    a_text = span_of(text.p, (size_t)(tab - text.p));
    b_text = span_of(tab + 1, text.n - a_text.n - 1);
    a = parse_object(t, line, a_text, e);
    b = a == NULL ? NULL : parse_object(t, line, b_text, e);
    if (b == NULL || check_a(t, line, a, &record, e) != 0 ||
        tagged_hash(TAG_LEAF, b_text, leaf, e) != 0 ||
        tagged_hash(TAG_RECORD, a_text, t->head, e) != 0) {
        return -1;
    }
    if (!hash_equals(a, "leaf", leaf)) {
        return bad(t, line, "the fact was changed (leaf)", e);
    }
    record.fact = json_object_get(b, "fact");
    record.type = json_string_value(json_object_get(record.fact, "type"));
    if (record.type == NULL || json_object_size(b) != 2) {
        return bad(t, line, "no fact with a type", e);
    }
    t->records = mem_grow(t->records, &t->capacity, t->n + 1, sizeof(*t->records));
    t->lines = mem_grow(t->lines, &t->lines_capacity, t->n + 1, sizeof(json_t *));
    t->records[t->n] = record;
    t->lines[t->n] = TAKE(b);
    t->n++;
    return 0;
}

static int
add_line(struct transcript *t, size_t line, struct span text, struct err *e)
{
    const char *format;

    if (text.n > TRANSCRIPT_LINE_MAX) {
        return bad(t, line, "the line is too long", e);
    }
    if (line > 1) {
        return add_record(t, line, text, e);
    }
    t->header = parse_object(t, line, text, e);
    if (t->header == NULL || tagged_hash(TAG_HEADER, text, t->head, e) != 0) {
        return -1;
    }
    format = json_string_value(json_object_get(t->header, "format"));
    if (format == NULL || strcmp(format, TRANSCRIPT_FORMAT) != 0) {
        return bad(t, line, "not a transcript of format " TRANSCRIPT_FORMAT, e);
    }
    return 0;
}

struct transcript *
transcript_load(const char *path, struct err *e)
{
    CLEANUP(transcript_cleanup) struct transcript *t = mem_new(sizeof(*t));
    CLEANUP(buf_free) struct buf text = BUF_INIT(TRANSCRIPT_MAX);
    size_t line = 0;

    t->path = mem_strdup(path);
    if (file_read(path, &text, e) != 0 || sha256(buf_span(&text), t->file, e) != 0) {
        return NULL;
    }
    for (size_t at = 0; at < text.n;) {
        const uint8_t *start = text.p + at;
        const uint8_t *end = memchr(start, '\n', text.n - at);

        line++;
        if (end == NULL) {
            (void)bad(t, line, "torn: the last line has no end; what follows it was never recorded",
                      e);
            return NULL;
        }
        if (add_line(t, line, span_of(start, (size_t)(end - start)), e) != 0) {
            return NULL;
        }
        at = (size_t)(end - text.p) + 1;
    }
    if (t->n == 0) {
        (void)bad(t, line + 1, "no record", e);
        return NULL;
    }
    return TAKE(t);
}

const char *
transcript_path(const struct transcript *t)
{
    return t->path;
}

const json_t *
transcript_header(const struct transcript *t)
{
    return t->header;
}

size_t
transcript_count(const struct transcript *t)
{
    return t->n;
}

const struct record *
transcript_at(const struct transcript *t, size_t i)
{
    assert(i < t->n);
    return &t->records[i];
}

void
transcript_head(const struct transcript *t, uint8_t out[SHA256_SIZE])
{
    memcpy(out, t->head, SHA256_SIZE);
}

void
transcript_file_hash(const struct transcript *t, uint8_t out[SHA256_SIZE])
{
    memcpy(out, t->file, SHA256_SIZE);
}
