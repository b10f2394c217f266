/* SPDX-License-Identifier: Apache-2.0 */
#include "ceremony/bundle/verifier.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "ceremony/transcript/fact.h"

int
verifier_bad(const struct verifier *v, struct err *e, const char *fmt, ...)
{
    const struct transcript *t = v->bundle->transcript;
    const struct record *r = transcript_at(t, v->next == 0 ? 0 : v->next - 1);
    char reason[256];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(reason, sizeof(reason), fmt, ap);
    va_end(ap);
    return err_set(e, ERR_INPUT, "%s:%zu: %s: %s", transcript_path(t), r->line, r->type, reason);
}

int
verifier_wrap(const struct verifier *v, struct err *e)
{
    const struct transcript *t = v->bundle->transcript;
    const struct record *r = transcript_at(t, v->next == 0 ? 0 : v->next - 1);

    return err_wrap(e, "%s:%zu: %s", transcript_path(t), r->line, r->type);
}

const json_t *
verifier_take(struct verifier *v, const char *type, struct err *e)
{
    const struct transcript *t = v->bundle->transcript;
    const struct record *r;

    if (v->next >= transcript_count(t)) {
        (void)err_set(e, ERR_INPUT, "%s: ends where a record `%s` must follow: not sealed",
                      transcript_path(t), type);
        return NULL;
    }
    r = transcript_at(t, v->next++);
    if (strcmp(r->type, type) == 0) {
        return r->fact;
    }
    (void)verifier_bad(v, e, "stands where a record `%s` must", type);
    return NULL;
}

int
verifier_take_prompt(struct verifier *v, const char *expected, struct err *e)
{
    const json_t *fact = verifier_take(v, "prompt", e);

    if (fact == NULL) {
        return -1;
    }
    if (!fact_is(fact, "answer", v->bundle->rehearsal ? REHEARSED_ANSWER : expected)) {
        return verifier_bad(v, e, "the answer is not '%s'",
                            v->bundle->rehearsal ? REHEARSED_ANSWER : expected);
    }
    return 0;
}

/* The file in the bundle is what the transcript says. */
static int
check_file(struct verifier *v, const json_t *fact, struct span content, struct err *e)
{
    const char *file = fact_text(fact, "file");
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", v->bundle->directory, file);
    CLEANUP(buf_free) struct buf expected = BUF_INIT((size_t)2 * ARTIFACT_MAX);
    CLEANUP(buf_free) struct buf found = BUF_INIT((size_t)2 * ARTIFACT_MAX);
    uint8_t hash[SHA256_SIZE];
    uint8_t recorded[SHA256_SIZE];

    if (artifact_file(fact_text(fact, "form"), content, &expected, e) != 0 ||
        sha256(buf_span(&expected), hash, e) != 0 ||
        fact_hex(fact, "sha256", recorded, sizeof(recorded), e) != 0) {
        return verifier_wrap(v, e);
    }
    if (memcmp(hash, recorded, sizeof(hash)) != 0) {
        return verifier_bad(v, e, "%s: the hash is not the content's", file);
    }
    if (file_read(path, &found, e) != 0) {
        return verifier_wrap(v, e);
    }
    if (!span_equal(buf_span(&expected), buf_span(&found))) {
        return err_set(e, ERR_INPUT, "%s: differs from the artifact in the transcript", path);
    }
    (void)json_array_append_new(v->artifacts, json_pack("{s:s,s:o}", "file", file, "sha256",
                                                        fact_of_hex(span_of(hash, sizeof(hash)))));
    return 0;
}

int
verifier_read_artifact(struct verifier *v, const char *file, const char *form, struct buf *content,
                       struct err *e)
{
    const json_t *fact = verifier_take(v, "artifact", e);

    if (fact == NULL) {
        return -1;
    }
    if (!fact_is(fact, "file", file) || !fact_is(fact, "form", form)) {
        return verifier_bad(v, e, "%s stands where %s (%s) must", fact_text(fact, "file"), file,
                            form);
    }
    buf_truncate(content, 0);
    if (fact_base64(fact, "content", content, e) != 0) {
        return verifier_wrap(v, e);
    }
    return check_file(v, fact, buf_span(content), e);
}

int
verifier_take_artifact(struct verifier *v, const char *file, const char *form, struct span content,
                       struct err *e)
{
    CLEANUP(buf_free) struct buf found = BUF_INIT(ARTIFACT_MAX);

    if (verifier_read_artifact(v, file, form, &found, e) != 0) {
        return -1;
    }
    if (!span_equal(buf_span(&found), content)) {
        return verifier_bad(v, e, "%s is not what the facts before it give", file);
    }
    return 0;
}
