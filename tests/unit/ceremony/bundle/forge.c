/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include "tests/unit/ceremony/bundle/forge.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "ceremony/bundle/bundle.h"
#include "ceremony/transcript/fact.h"

enum { FILE_MAX = 4 * 1024 * 1024, PLACE_MAX = 200 };

void
forge_free(struct forge *f)
{
    for (size_t i = 0; i < f->n_files; i++) {
        mem_free(f->files[i].name);
        buf_free(&f->files[i].bytes);
    }
    json_decref(f->header);
    json_decref(f->records);
    mem_free(f->directory);
    mem_free(f);
}

static void
hash_of(uint8_t tag, struct span bytes, char out[2 * SHA256_SIZE + 1])
{
    CLEANUP(buf_free) struct buf all = BUF_INIT(FILE_MAX);
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    assert_ok(buf_append(&all, span_of(&tag, 1), &e), &e);
    assert_ok(buf_append(&all, bytes, &e), &e);
    assert_ok(sha256(buf_span(&all), hash, &e), &e);
    hex_format(span_of(hash, sizeof(hash)), out);
}

static void
plain_hash(struct span bytes, char out[2 * SHA256_SIZE + 1])
{
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    assert_ok(sha256(bytes, hash, &e), &e);
    hex_format(span_of(hash, sizeof(hash)), out);
}

static void
parse_transcript(struct forge *f, struct span text)
{
    const char *p = (const char *)text.p;
    const char *end = p + text.n;

    for (size_t n = 0; p < end; n++) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        const char *tab = memchr(p, '\t', (size_t)(lf - p));
        CLEANUP(json_cleanup) json_t *b = NULL;

        if (n == 0) {
            f->header = json_loadb(p, (size_t)(lf - p), 0, NULL);
        } else {
            b = json_loadb(tab + 1, (size_t)(lf - tab - 1), 0, NULL);
            hash_of(1, span_of(p, (size_t)(tab - p)), f->head);
            assert_int_equal(json_array_append_new(
                                 f->records, json_pack("{s:o,s:O}", "a",
                                                       json_loadb(p, (size_t)(tab - p), 0, NULL),
                                                       "fact", json_object_get(b, "fact"))),
                             0);
        }
        p = lf + 1;
    }
}

struct forge *
forge_load(const char *from, const char *to)
{
    struct forge *f = mem_zalloc(1, sizeof(*f));
    DIR *dir = opendir(from);
    const struct dirent *entry;
    struct err e = {0};

    assert_non_null(dir);
    f->directory = mem_strdup(to);
    f->records = json_array();
    while ((entry = readdir(dir)) != NULL) {
        CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", from, entry->d_name);
        struct buf bytes = BUF_INIT(FILE_MAX);

        if (entry->d_name[0] == '.') {
            continue;
        }
        assert_ok(file_read(path, &bytes, &e), &e);
        if (strcmp(entry->d_name, BUNDLE_TRANSCRIPT) == 0) {
            parse_transcript(f, buf_span(&bytes));
            buf_free(&bytes);
        } else {
            assert_true(f->n_files < FORGE_FILES_MAX);
            f->files[f->n_files].name = mem_strdup(entry->d_name);
            f->files[f->n_files++].bytes = bytes;
        }
    }
    (void)closedir(dir);
    return f;
}

struct forge *
forge_dup(const struct forge *from)
{
    struct forge *f = mem_zalloc(1, sizeof(*f));
    struct err e = {0};

    memcpy(f->head, from->head, sizeof(f->head));
    f->directory = mem_strdup(from->directory);
    f->header = json_deep_copy(from->header);
    f->records = json_deep_copy(from->records);
    for (size_t i = 0; i < from->n_files; i++) {
        f->files[i].name = mem_strdup(from->files[i].name);
        f->files[i].bytes = BUF_INIT(FILE_MAX);
        assert_ok(buf_set(&f->files[i].bytes, buf_span(&from->files[i].bytes), &e), &e);
    }
    f->n_files = from->n_files;
    return f;
}

size_t
forge_count(const struct forge *f)
{
    return json_array_size(f->records);
}

json_t *
forge_fact(const struct forge *f, size_t i)
{
    return json_object_get(json_array_get(f->records, i), "fact");
}

const char *
forge_type(const struct forge *f, size_t i)
{
    return fact_text(forge_fact(f, i), "type");
}

/* ---- changes ----------------------------------------------------------------------------------
 */

static struct buf *
file_of(struct forge *f, const char *name)
{
    for (size_t i = 0; i < f->n_files; i++) {
        if (strcmp(f->files[i].name, name) == 0) {
            return &f->files[i].bytes;
        }
    }
    fail_msg("no file %s", name);
    abort(); /* it does not return, which compilers do not know */
}

static void
replace_all(struct buf *text, const char *from, const char *to)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(FILE_MAX);
    size_t n = strlen(from);
    struct err e = {0};

    for (size_t at = 0; at < text->n;) {
        if (text->n - at >= n && memcmp(text->p + at, from, n) == 0) {
            assert_ok(buf_append_str(&out, to, &e), &e);
            at += n;
        } else {
            assert_ok(buf_append(&out, span_of(text->p + at, 1), &e), &e);
            at++;
        }
    }
    assert_ok(buf_set(text, buf_span(&out), &e), &e);
}

static json_t *
replace_in(json_t *json, const char *from, const char *to)
{
    char *text = json_dumps(json, JSON_COMPACT);
    CLEANUP(buf_free) struct buf bytes = BUF_INIT(FILE_MAX);
    json_t *changed;
    struct err e = {0};

    assert_ok(buf_append_str(&bytes, text, &e), &e);
    free(text);
    replace_all(&bytes, from, to);
    changed = json_loadb((const char *)bytes.p, bytes.n, 0, NULL);
    assert_non_null(changed);
    json_decref(json);
    return changed;
}

static void
edit_definition(struct forge *f, const char *from, const char *to)
{
    struct buf *text = file_of(f, BUNDLE_DEFINITION);
    char before[2 * SHA256_SIZE + 1];
    char after[2 * SHA256_SIZE + 1];
    const uint8_t *at = memmem(text->p, text->n, from, strlen(from));
    CLEANUP(mem_cleanup) char *changed = NULL;
    struct err e = {0};

    if (at == NULL) {
        fail_msg("no `%s` in the definition", from);
        return;
    }
    plain_hash(buf_span(text), before);
    changed = mem_printf("%.*s%s%.*s", (int)(at - text->p), (const char *)text->p, to,
                         (int)(text->n - (size_t)(at - text->p) - strlen(from)),
                         (const char *)at + strlen(from));
    assert_ok(buf_set(text, span_str(changed), &e), &e);
    plain_hash(buf_span(text), after);
    f->header = replace_in(f->header, before, after);
    f->records = replace_in(f->records, before, after);
    /* also what the witness read from paper: the last 16 digits */
    f->records = replace_in(f->records, before + 48, after + 48);
    replace_all(file_of(f, BUNDLE_HEAD), before, after);
}

/* "type#n": the place of that record. *rest is what stands behind it. */
static size_t
find(const struct forge *f, const char *place, const char **rest)
{
    size_t n_type = strcspn(place, "#");
    char *end;
    unsigned long n = strtoul(place + n_type + 1, &end, 10);

    *rest = end;
    for (size_t i = 0; i < forge_count(f); i++) {
        const char *type = forge_type(f, i);

        if (strlen(type) == n_type && strncmp(type, place, n_type) == 0 && n-- == 0) {
            return i;
        }
    }
    fail_msg("no record %s", place);
    return 0;
}

static json_t *
child_of(json_t *parent, const char *name)
{
    return json_is_array(parent) ? json_array_get(parent, strtoul(name, NULL, 10))
                                 : json_object_get(parent, name);
}

static json_t *
flipped(const json_t *text, bool base64)
{
    CLEANUP(buf_free) struct buf bytes = BUF_INIT(FILE_MAX);
    const char *before = json_string_value(text);
    struct err e = {0};

    assert_non_null(before);
    if (base64) {
        assert_ok(base64_parse(before, &bytes, &e), &e);
    } else {
        uint8_t *to = buf_extend(&bytes, strlen(before) / 2, &e);

        assert_ok(hex_parse(before, to, strlen(before) / 2, &e), &e);
    }
    bytes.p[bytes.n - 1] ^= 1;
    return base64 ? fact_of_base64(buf_span(&bytes)) : fact_of_hex(buf_span(&bytes));
}

/* "/a/b/0" below `object`: the last name, and what holds it. */
static json_t *
walk(json_t *object, const char *path, char last[PLACE_MAX])
{
    char names[PLACE_MAX];
    char *save = NULL;
    char *name;

    (void)snprintf(names, sizeof(names), "%s", path);
    name = strtok_r(names, "/", &save);
    for (;;) {
        char *next = strtok_r(NULL, "/", &save);

        if (next == NULL) {
            break;
        }
        object = child_of(object, name);
        name = next;
    }
    assert_non_null(object);
    (void)snprintf(last, PLACE_MAX, "%s", name);
    return object;
}

static json_t *
value_of(const struct forge *f, json_t *before, const char *value)
{
    json_t *parsed;

    if (strcmp(value, "^") == 0 || strcmp(value, "+") == 0) {
        return flipped(before, value[0] == '^');
    }
    if (value[0] == '=') {
        char last[PLACE_MAX];
        const char *rest;
        size_t i = find(f, value + 1, &rest);

        return json_deep_copy(child_of(walk(forge_fact(f, i), rest, last), last));
    }
    parsed = json_loads(value, JSON_DECODE_ANY, NULL);
    if (parsed == NULL) {
        fail_msg("not JSON: %s", value);
    }
    return parsed;
}

static void
put(const struct forge *f, json_t *object, const char *path, const char *value)
{
    char last[PLACE_MAX];
    json_t *parent = walk(object, path, last);
    size_t i = strtoul(last, NULL, 10);
    json_t *now = value == NULL ? NULL : value_of(f, child_of(parent, last), value);
    int result;

    if (json_is_array(parent)) {
        result = now == NULL                    ? json_array_remove(parent, i)
                 : i == json_array_size(parent) ? json_array_append_new(parent, now)
                                                : json_array_set_new(parent, i, now);
    } else {
        result =
            now == NULL ? json_object_del(parent, last) : json_object_set_new(parent, last, now);
    }
    if (result != 0) {
        fail_msg("%s is not there", path);
    }
}

static json_t *
new_record(const struct forge *f, size_t like, const char *value)
{
    return json_pack("{s:o,s:o}", "a",
                     json_deep_copy(json_object_get(json_array_get(f->records, like), "a")), "fact",
                     value_of(f, NULL, value));
}

static void
reseal(struct forge *f)
{
    json_t *seal = NULL;

    for (size_t i = 0; i < forge_count(f); i++) {
        seal = strcmp(forge_type(f, i), "seal") == 0 ? forge_fact(f, i) : seal;
    }
    for (size_t i = 0, k = 0; i < forge_count(f); i++) {
        json_t *fact = forge_fact(f, i);
        CLEANUP(buf_free) struct buf content = BUF_INIT(FILE_MAX);
        char before[2 * SHA256_SIZE + 1];
        char hex[2 * SHA256_SIZE + 1];
        struct buf *file;
        struct err e = {0};

        if (strcmp(forge_type(f, i), "artifact") != 0) {
            continue;
        }
        file = file_of(f, fact_text(fact, "file"));
        plain_hash(buf_span(file), before);
        assert_ok(fact_base64(fact, "content", &content, &e), &e);
        buf_truncate(file, 0);
        assert_ok(artifact_file(fact_text(fact, "form"), buf_span(&content), file, &e), &e);
        plain_hash(buf_span(file), hex);
        assert_int_equal(json_object_set_new(fact, "sha256", json_string(hex)), 0);
        assert_int_equal(json_object_set_new(json_array_get(json_object_get(seal, "artifacts"), k),
                                             "sha256", json_string(hex)),
                         0);
        replace_all(file_of(f, BUNDLE_HEAD), before, hex);
        k++;
    }
}

void
forge_edit(struct forge *f, const char *at, const char *value)
{
    const char *rest;
    size_t i;

    if (strncmp(at, "definition:", 11) == 0) {
        edit_definition(f, at + 11, value);
    } else if (strncmp(at, "file:", 5) == 0) {
        struct buf *file = file_of(f, at + 5);
        struct err e = {0};

        buf_free(file);
        file->max = value == NULL ? 0 : FILE_MAX; /* 0: not written */
        assert_ok(value == NULL ? 0 : buf_append_str(file, value, &e), &e);
    } else if (strncmp(at, "header/", 7) == 0) {
        put(f, f->header, at + 6, value);
    } else if (strcmp(at, "end") == 0) {
        i = forge_count(f) - 1;
        assert_int_equal(json_array_append_new(f->records, new_record(f, i, value)), 0);
    } else if (strcmp(at, "reseal") == 0) {
        reseal(f);
    } else if (strncmp(at, "*@", 2) == 0) {
        for (i = 1; i < forge_count(f); i++) {
            put(f, json_object_get(json_array_get(f->records, i), "a"), at + 2, value);
        }
    } else {
        i = find(f, at, &rest);
        if (*rest == '@') {
            put(f, json_object_get(json_array_get(f->records, i), "a"), rest + 1, value);
        } else if (*rest == '/') {
            put(f, forge_fact(f, i), rest, value);
        } else if (value == NULL) {
            assert_int_equal(json_array_remove(f->records, i), 0);
        } else {
            assert_int_equal(json_array_insert_new(f->records, i, new_record(f, i, value)), 0);
        }
    }
}

/* ---- writing ----------------------------------------------------------------------------------
 */

/* Without fsync: hundreds of bundles are written. */
static void
save(const struct forge *f, const char *name, struct span bytes)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", f->directory, name);
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_int_equal(bytes.n == 0 ? 0 : fwrite(bytes.p, 1, bytes.n, file), bytes.n);
    assert_int_equal(fclose(file), 0);
}

static void
append_record(struct buf *out, json_t *record, json_int_t n, char head[2 * SHA256_SIZE + 1])
{
    CLEANUP(json_cleanup)
    json_t *b = json_pack("{s:s,s:O}", "salt", "00000000000000000000000000000000", "fact",
                          json_object_get(record, "fact"));
    json_t *a = json_object_get(record, "a");
    char *b_text = json_dumps(b, JSON_COMPACT);
    char leaf[2 * SHA256_SIZE + 1];
    char *a_text;
    struct err e = {0};

    hash_of(0, span_str(b_text), leaf);
    assert_int_equal(
        json_object_update_new(a, json_pack("{s:I,s:s,s:s}", "n", n, "leaf", leaf, "prev", head)),
        0);
    a_text = json_dumps(a, JSON_COMPACT);
    hash_of(1, span_str(a_text), head);
    assert_ok(buf_append_str(out, a_text, &e), &e);
    assert_ok(buf_append_str(out, "\t", &e), &e);
    assert_ok(buf_append_str(out, b_text, &e), &e);
    assert_ok(buf_append_str(out, "\n", &e), &e);
    free(a_text);
    free(b_text);
}

void
forge_write(struct forge *f)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(FILE_MAX);
    char *header = json_dumps(f->header, JSON_COMPACT);
    char head[2 * SHA256_SIZE + 1];
    struct err e = {0};

    hash_of(2, span_str(header), head);
    assert_ok(buf_append_str(&out, header, &e), &e);
    assert_ok(buf_append_str(&out, "\n", &e), &e);
    free(header);
    for (size_t i = 0; i < forge_count(f); i++) {
        append_record(&out, json_array_get(f->records, i), (json_int_t)i + 1, head);
    }
    assert_ok(file_mkdirs(f->directory, 0700, &e), &e);
    save(f, BUNDLE_TRANSCRIPT, buf_span(&out));
    for (size_t i = 0; i < f->n_files; i++) {
        CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", f->directory, f->files[i].name);

        if (f->files[i].bytes.max == 0) {
            (void)unlink(path);
            continue;
        }
        if (strcmp(f->files[i].name, BUNDLE_HEAD) == 0) {
            replace_all(&f->files[i].bytes, f->head, head);
        }
        save(f, f->files[i].name, buf_span(&f->files[i].bytes));
    }
    memcpy(f->head, head, sizeof(head));
}
