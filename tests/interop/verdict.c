/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/interop/verdict.h"

#include <stdio.h>
#include <stdlib.h>

void
verdict_stop(const char *what, const char *why)
{
    (void)fprintf(stderr, "%s: %s\n", what, why);
    (void)fflush(NULL);
    _Exit(1);
}

void
verdict_must(int result, const char *what, const struct err *e)
{
    if (result != 0) {
        verdict_stop(what, e->text);
    }
}

void
verdict_read(const char *what, const struct cmp_msg *m, struct cmp_client_answer *answer,
             struct buf *said)
{
    struct err e = {0};

    answer->body = cmp_msg_body(m);
    verdict_must(buf_append_str(said, cmp_body_name(answer->body), &e), what, &e);
    verdict_must(cmp_client_read_body(m, answer, &e), what, &e);
    for (int bit = 0; bit < CMP_FAILURE_COUNT; bit++) {
        if ((answer->status.failures >> bit & 1U) != 0) {
            verdict_must(buf_append_str(said, " ", &e), what, &e);
            verdict_must(buf_append_str(said, cmp_failure_name((enum cmp_failure)bit), &e), what,
                         &e);
        }
    }
}

void
verdict_compare(struct verdict *v, const char *what, const char *wanted, struct span said)
{
    v->count++;
    if (span_equal(said, span_str(wanted))) {
        (void)printf("ok: %s: %s\n", what, wanted);
    } else {
        v->wrong++;
        (void)printf("WRONG: %s: %.*s, not %s\n", what, (int)said.n, (const char *)said.p, wanted);
    }
}

int
verdict_end(const struct verdict *v)
{
    (void)printf("%d messages, %d wrong\n", v->count, v->wrong);
    return v->wrong == 0 ? 0 : 1;
}
