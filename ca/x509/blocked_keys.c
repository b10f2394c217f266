/* SPDX-License-Identifier: Apache-2.0 */
/* Invariant: `list` is sorted, and no entry is the beginning of another: so at most one matches,
 * and all before it are less than what it matches. */
#include "ca/x509/blocked_keys.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { DIGITS_MIN = 30, DIGITS_MAX = 2 * SHA256_SIZE };

struct entry {
    uint8_t hash[SHA256_SIZE]; /* zeros behind its end */
    uint8_t n;
};

struct blocked_keys {
    struct entry *list;
    size_t n;
    uint8_t file[SHA256_SIZE];
};

static void
destroy(struct blocked_keys **p)
{
    if (*p != NULL) {
        mem_free((*p)->list);
        mem_free(*p);
        *p = NULL;
    }
}

void
blocked_keys_free(struct blocked_keys *b)
{
    destroy(&b);
}

static int
compare_entries(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    int order = memcmp(x->hash, y->hash, sizeof(x->hash));

    return order != 0 ? order : (int)x->n - (int)y->n;
}

static void
sort(struct blocked_keys *b)
{
    size_t kept = 0;

    qsort(b->list, b->n, sizeof(b->list[0]), compare_entries);
    for (size_t i = 0; i < b->n; i++) {
        const struct entry *last = kept > 0 ? &b->list[kept - 1] : NULL;

        if (last == NULL || memcmp(last->hash, b->list[i].hash, last->n) != 0) {
            b->list[kept++] = b->list[i];
        }
    }
    b->n = kept;
}

/* One line without its end. */
static int
read_line(struct span line, struct blocked_keys *b, struct err *e)
{
    char text[DIGITS_MAX + 1] = "";
    struct entry *entry = &b->list[b->n];
    size_t n = 0;

    while (line.n > 0 && isspace(line.p[0])) {
        line = span_of(line.p + 1, line.n - 1);
    }
    if (line.n == 0 || line.p[0] == '#') {
        return 0;
    }
    while (n < line.n && !isspace(line.p[n]) && line.p[n] != '#') {
        n++;
    }
    if (n < DIGITS_MIN || n > DIGITS_MAX || n % 2 != 0) {
        return err_set(e, ERR_INPUT,
                       "%zu characters: the SHA-256 of a SubjectPublicKeyInfo is wanted, %d "
                       "hexadecimal digits, or an even number of them from the first on, %d at "
                       "least",
                       n, DIGITS_MAX, DIGITS_MIN);
    }
    if (b->n == BLOCKED_KEYS_MAX) {
        return err_set(e, ERR_INPUT, "more than %d keys", BLOCKED_KEYS_MAX);
    }
    memcpy(text, line.p, n);
    entry->n = (uint8_t)(n / 2);
    if (hex_parse(text, entry->hash, entry->n, e) != 0) {
        return -1;
    }
    b->n++;
    return 0;
}

static int
read_lines(struct span text, const char *path, struct blocked_keys *b, struct err *e)
{
    for (size_t number = 1; text.n > 0; number++) {
        const uint8_t *end = memchr(text.p, '\n', text.n);
        size_t n = end == NULL ? text.n : (size_t)(end - text.p);

        if (read_line(span_of(text.p, n), b, e) != 0) {
            return err_wrap(e, "%s:%zu", path, number);
        }
        n += end == NULL ? 0 : 1;
        text = span_of(text.p + n, text.n - n);
    }
    return b->n > 0
               ? 0
               : err_set(e, ERR_INPUT,
                         "%s: no key in it: leave blocked_keys out of the configuration, or fetch "
                         "the list again",
                         path);
}

/* One more than the ends of lines, which is enough for all of them. */
static size_t
count_lines(struct span text)
{
    size_t n = 1;

    for (size_t i = 0; i < text.n; i++) {
        n += text.p[i] == '\n';
    }
    return n;
}

struct blocked_keys *
blocked_keys_load(const char *path, struct err *e)
{
    CLEANUP(destroy) struct blocked_keys *b = mem_new(sizeof(*b));
    CLEANUP(buf_free) struct buf text = BUF_INIT(BLOCKED_KEYS_FILE_MAX);
    size_t lines;

    if (file_read(path, &text, e) != 0 || sha256(buf_span(&text), b->file, e) != 0) {
        return NULL;
    }
    lines = count_lines(buf_span(&text));
    b->list = mem_zalloc(lines < BLOCKED_KEYS_MAX ? lines : BLOCKED_KEYS_MAX, sizeof(b->list[0]));
    if (read_lines(buf_span(&text), path, b, e) != 0) {
        return NULL;
    }
    sort(b);
    return TAKE(b);
}

int
blocked_keys_read(cfg_t *cfg, struct blocked_keys **out, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = NULL;

    *out = NULL;
    if (cfg_getstr(cfg, "blocked_keys") == NULL) {
        return 0;
    }
    path = conf_path(cfg, "blocked_keys", e);
    *out = path == NULL ? NULL : blocked_keys_load(path, e);
    return *out == NULL ? -1 : 0;
}

static int
compare_with_entry(const void *hash, const void *entry)
{
    const struct entry *y = entry;

    return memcmp(hash, y->hash, y->n);
}

bool
blocked_keys_has(const struct blocked_keys *b, const uint8_t spki_sha256[SHA256_SIZE])
{
    return b != NULL &&
           bsearch(spki_sha256, b->list, b->n, sizeof(b->list[0]), compare_with_entry) != NULL;
}

size_t
blocked_keys_count(const struct blocked_keys *b)
{
    return b == NULL ? 0 : b->n;
}

int
blocked_keys_hash(const struct blocked_keys *b, uint8_t out[SHA256_SIZE], struct err *e)
{
    if (b != NULL) {
        memcpy(out, b->file, SHA256_SIZE);
        return 0;
    }
    return sha256((struct span){0}, out, e);
}
