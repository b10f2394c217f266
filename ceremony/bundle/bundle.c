/* SPDX-License-Identifier: Apache-2.0 */
#include "ceremony/bundle/bundle.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "ceremony/bundle/steps.h"
#include "ceremony/transcript/fact.h"

enum { HEAD_MAX = 64 * 1024 };

void
bundle_free(struct bundle *b)
{
    if (b == NULL) {
        return;
    }
    state_clear(&b->before);
    state_clear(&b->after);
    definition_free(b->definition);
    transcript_free(b->transcript);
    mem_free(b->directory);
    mem_free(b);
}

/* ---- taking facts -----------------------------------------------------------------------------
 */

/* ---- the bundle -------------------------------------------------------------------------------
 */

static int
check_header(struct bundle *b, struct err *e)
{
    const json_t *header = transcript_header(b->transcript);
    const char *path = transcript_path(b->transcript);
    uint8_t hash[SHA256_SIZE];

    if (fact_hex(header, "definition", hash, sizeof(hash), e) != 0) {
        return err_wrap(e, "%s:1", path);
    }
    if (memcmp(hash, b->definition->hash, sizeof(hash)) != 0) {
        return err_set(e, ERR_INPUT, "%s:1: the transcript is of another definition than %s", path,
                       b->definition->path);
    }
    if (!fact_is(header, "id", b->definition->id) ||
        !fact_is(header, "type", ceremony_type_name(b->definition->type))) {
        return err_set(e, ERR_INPUT, "%s:1: id or type is not the definition's", path);
    }
    if (!json_is_boolean(json_object_get(header, "rehearsal")) ||
        !json_is_boolean(json_object_get(header, "software_token"))) {
        return err_set(e, ERR_INPUT, "%s:1: rehearsal or software_token is missing", path);
    }
    b->rehearsal = fact_is_true(header, "rehearsal");
    b->software = fact_is_true(header, "software_token");
    b->circumstances.rehearsal = b->rehearsal;
    b->has_prev = b->definition->prev != NULL;
    if (!b->has_prev) {
        return fact_is(header, "prev", "none")
                   ? 0
                   : err_set(e, ERR_INPUT, "%s:1: prev is not \"none\"", path);
    }
    return fact_hex(header, "prev", b->prev_head, sizeof(b->prev_head), e) == 0
               ? 0
               : err_wrap(e, "%s:1", path);
}

/* The wall clock may not have been set during the ceremony: it moves as the machine's own. */
static int
check_times(const struct bundle *b, struct err *e)
{
    const struct record *first = transcript_at(b->transcript, 0);

    for (size_t i = 0; i < transcript_count(b->transcript); i++) {
        const struct record *r = transcript_at(b->transcript, i);
        int64_t drift = (r->time - first->time) - (r->up - first->up);
        bool outside =
            r->time < b->definition->clock.not_before || r->time > b->definition->clock.not_after;

        if (drift > b->definition->clock.skew_max || drift < -b->definition->clock.skew_max) {
            return err_set(e, ERR_INPUT, "%s:%zu: the clock was set by %lld s during the ceremony",
                           transcript_path(b->transcript), r->line, (long long)drift);
        }
        if (outside && !b->rehearsal) {
            return err_set(e, ERR_INPUT, "%s:%zu: the time is outside the definition's window",
                           transcript_path(b->transcript), r->line);
        }
    }
    return 0;
}

/* A stop is the last thing that is said, and the reason for whatever is missing. */
static int
check_not_stopped(const struct bundle *b, struct err *e)
{
    const struct record *last = transcript_at(b->transcript, transcript_count(b->transcript) - 1);

    if (strcmp(last->type, "stopped") != 0) {
        return 0;
    }
    return err_set(e, ERR_INPUT, "%s:%zu: the ceremony was stopped: %s",
                   transcript_path(b->transcript), last->line, fact_text(last->fact, "reason"));
}

static int
check_steps(struct verifier *v, struct err *e)
{
    enum ceremony_type type = v->bundle->definition->type;

    for (size_t i = 0; i < step_count(type); i++) {
        const struct step *step = step_at(type, i);
        const json_t *fact = verifier_take(v, "step", e);

        if (fact == NULL) {
            return -1;
        }
        if (!fact_is(fact, "step", step->name)) {
            return verifier_bad(v, e, "'%s' stands where the step '%s' must",
                                fact_text(fact, "step"), step->name);
        }
        if (verifier_step(v, step->id, e) != 0) {
            return -1;
        }
    }
    if (v->next != transcript_count(v->bundle->transcript)) {
        v->next++;
        return verifier_bad(v, e, "a record behind the seal");
    }
    return 0;
}

struct listed {
    const char *file;
    char sha256[2 * SHA256_SIZE + 1];
};

static int
by_name(const void *a, const void *b)
{
    const struct listed *one = a;
    const struct listed *other = b;

    return strcmp(one->file, other->file);
}

static struct listed
listed(const char *file, const uint8_t hash[SHA256_SIZE])
{
    struct listed l = {.file = file};

    hex_format(span_of(hash, SHA256_SIZE), l.sha256);
    return l;
}

/* Of what was read and compared, whatever stands in the directory by now. */
static int
hash_files(const struct verifier *v, struct span head_text, struct err *e)
{
    struct bundle *b = v->bundle;
    const size_t n = json_array_size(v->artifacts) + 3;
    CLEANUP(mem_cleanup) struct listed *files = mem_zalloc(n, sizeof(*files));
    CLEANUP(buf_free) struct buf lines = BUF_INIT(HEAD_MAX);
    uint8_t hash[SHA256_SIZE];

    files[0] = listed(BUNDLE_DEFINITION, b->definition->hash);
    transcript_file_hash(b->transcript, hash);
    files[1] = listed(BUNDLE_TRANSCRIPT, hash);
    if (sha256(head_text, hash, e) != 0) {
        return -1;
    }
    files[2] = listed(BUNDLE_HEAD, hash);
    for (size_t i = 3; i < n; i++) {
        const json_t *artifact = json_array_get(v->artifacts, i - 3);

        if (fact_hex(artifact, "sha256", hash, sizeof(hash), e) != 0) {
            return -1;
        }
        files[i] = listed(fact_text(artifact, "file"), hash);
    }
    qsort(files, n, sizeof(*files), by_name);
    for (size_t i = 0; i < n; i++) {
        CLEANUP(mem_cleanup) char *line = mem_printf("%s  %s\n", files[i].sha256, files[i].file);

        if (buf_append_str(&lines, line, e) != 0) {
            return -1;
        }
    }
    return sha256(buf_span(&lines), b->sha256, e);
}

static int
check_head(struct verifier *v, struct err *e)
{
    struct bundle *b = v->bundle;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/" BUNDLE_HEAD, b->directory);
    CLEANUP(buf_free) struct buf expected = BUF_INIT(HEAD_MAX);
    CLEANUP(buf_free) struct buf found = BUF_INIT(HEAD_MAX);

    transcript_head(b->transcript, b->head);
    if (plan_head_text(b->definition, b->rehearsal, b->software, b->head, v->artifacts, &expected,
                       e) != 0 ||
        file_read(path, &found, e) != 0) {
        return -1;
    }
    if (!span_equal(buf_span(&expected), buf_span(&found))) {
        return err_set(e, ERR_INPUT,
                       "%s: is not the head of this transcript: one of the two was changed", path);
    }
    return hash_files(v, buf_span(&found), e);
}

static void
verifier_clear(struct verifier *v)
{
    for (size_t i = 0; i < ARRAY_LEN(v->keys); i++) {
        buf_free(&v->keys[i].spki);
    }
    buf_free(&v->subject_spki);
    json_decref(v->artifacts);
}

struct bundle *
bundle_load(const char *directory, struct err *e)
{
    CLEANUP(bundle_cleanup) struct bundle *b = mem_new(sizeof(*b));
    CLEANUP(mem_cleanup) char *definition = mem_printf("%s/" BUNDLE_DEFINITION, directory);
    CLEANUP(mem_cleanup) char *transcript = mem_printf("%s/" BUNDLE_TRANSCRIPT, directory);
    struct verifier v = {.bundle = b};
    int result;

    b->directory = mem_strdup(directory);
    b->definition = definition_load(definition, e);
    b->transcript = b->definition == NULL ? NULL : transcript_load(transcript, e);
    if (b->transcript == NULL || check_header(b, e) != 0 || check_times(b, e) != 0 ||
        check_not_stopped(b, e) != 0) {
        return NULL;
    }
    v.artifacts = json_array();
    v.subject_spki = BUF_INIT(PUBKEY_SPKI_MAX);
    for (size_t i = 0; i < ARRAY_LEN(v.keys); i++) {
        v.keys[i].spki = BUF_INIT(PUBKEY_SPKI_MAX);
    }
    result = check_steps(&v, e);
    if (result == 0) {
        result = check_head(&v, e);
    }
    verifier_clear(&v);
    return result == 0 ? TAKE(b) : NULL;
}

int
bundle_check_follows(const struct bundle *b, const struct bundle *prev, struct err *e)
{
    if (!b->has_prev || memcmp(b->prev_head, prev->head, SHA256_SIZE) != 0) {
        return err_set(e, ERR_INPUT, "%s does not follow %s", b->directory, prev->directory);
    }
    if (b->rehearsal != prev->rehearsal) {
        return err_set(e, ERR_DENIED,
                       "%s: a rehearsal and a production ceremony cannot follow each other",
                       b->directory);
    }
    if (!state_equal(&b->before, &prev->after)) {
        return err_set(e, ERR_INPUT, "%s: the register is not the one that %s left", b->directory,
                       prev->directory);
    }
    return 0;
}
