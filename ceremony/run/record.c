/* SPDX-License-Identifier: Apache-2.0 */
/* What every step records, before and after it happens. */
#include <string.h>

#include "base/file.h"
#include "ceremony/run/run.h"

int
run_record(struct run *r, json_t *fact, struct err *e)
{
    return recorder_add(r->recorder, LEVEL_NORMAL, fact, e);
}

int
run_confirm(struct run *r, const char *question, const char *word, struct err *e)
{
    char answer[DESK_ANSWER_SIZE];
    const char *wanted = r->rehearsal ? REHEARSED_ANSWER : word;
    bool right;

    if (desk_ask(&r->desk, question, answer, e) != 0) {
        return -1;
    }
    right = strcmp(answer, wanted) == 0;
    /* A wrong answer may be a PIN typed at the wrong prompt: it is not recorded. */
    if (recorder_add(r->recorder, right ? LEVEL_NORMAL : LEVEL_ATTENTION,
                     json_pack("{s:s,s:s,s:s}", "type", "prompt", "question", question, "answer",
                               right ? answer : "(another answer)"),
                     e) != 0) {
        return -1;
    }
    return right ? 0 : err_set(e, ERR_DENIED, "the answer was not '%s'", word);
}

int
run_artifact(struct run *r, const char *file, const char *form, struct span content, struct err *e)
{
    CLEANUP(buf_free) struct buf bytes = BUF_INIT((size_t)2 * ARTIFACT_MAX);
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", r->d->output, file);
    uint8_t hash[SHA256_SIZE];

    if (artifact_file(form, content, &bytes, e) != 0 || sha256(buf_span(&bytes), hash, e) != 0 ||
        run_record(r,
                   json_pack("{s:s,s:s,s:s,s:o,s:o}", "type", "artifact", "file", file, "form",
                             form, "content", fact_of_base64(content), "sha256",
                             fact_of_hex(span_of(hash, sizeof(hash)))),
                   e) != 0 ||
        file_create(path, buf_span(&bytes), 0644, e) != 0) {
        return -1;
    }
    (void)json_array_append_new(r->artifacts, json_pack("{s:s,s:o}", "file", file, "sha256",
                                                        fact_of_hex(span_of(hash, sizeof(hash)))));
    return 0;
}

static int
record_call(struct run *r, const char *type, const char *function, json_t *detail, struct err *e)
{
    CLEANUP(json_cleanup) json_t *owned = detail;
    json_t *fact = json_pack("{s:s,s:s}", "type", type, "function", function);

    (void)json_object_update(fact, owned);
    return run_record(r, fact, e);
}

int
run_intent(struct run *r, const char *function, json_t *detail, struct err *e)
{
    return record_call(r, "p11.intent", function, detail, e);
}

int
run_done(struct run *r, const char *function, json_t *detail, struct err *e)
{
    (void)json_object_set_new(detail, "result", json_string("CKR_OK"));
    return record_call(r, "p11.done", function, detail, e);
}
