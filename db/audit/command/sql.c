/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>

#include "db/audit/command/answer.h"
#include "db/audit/command/ask.h"
#include "db/audit/command/commands.h"
#include "db/audit/query/apart.h"
#include "db/audit/query/guarded.h"

/* What was written so far may not be all: nobody takes it for an answer. */
static int
unfinished(const struct err *reason)
{
    (void)fflush(stdout);
    (void)fprintf(stderr, "nfpki-audit: NO WHOLE ANSWER: %s\n", reason->text);
    return EXIT_FAILED;
}

struct asking {
    struct guarded question;
    enum sink_format format;
};

/* In a process of its own: the mirror is opened, or imported, and from then on it can do nothing
 * but answer. */
static int
answer(void *arg)
{
    CLEANUP(mirror_cleanup) struct mirror *mirror = NULL;
    const struct asking *a = arg;
    struct query_result result;
    struct err e = {0};
    const int status = ask_mirror(&mirror);

    if (status != EXIT_VERIFIED) {
        return status;
    }
    if (apart_confine(a->question.ms, GUARDED_PROCESS_MEMORY, &e) != 0 ||
        guarded_ask(mirror_sqlite(mirror), &a->question, a->format, stdout, &result, &e) != 0) {
        return e.code == ERR_INPUT ? ask_misuse(e.text) : unfinished(&e);
    }
    return answer_end(mirror, "rows", a->format, a->question.now, &result);
}

int
sql_run(int argc, char **argv)
{
    struct asking a = {0};
    uint64_t ms;
    struct err e = {0};
    int status;

    if (ask_parse(argc, argv) != 0 || optind != argc - 1 ||
        !ask_only(ASK_JSON | ASK_FORMAT | ASK_LIMIT | ASK_AS_OF | ASK_TIMEOUT)) {
        return ask_usage("sql");
    }
    a.question.sql = argv[optind];
    if (ask_format(&a.format, &e) != 0 || ask_as_of(&a.question.now, &e) != 0 ||
        ask_number("--limit", asked.limit, GUARDED_ROWS, GUARDED_ROWS_MAX, &a.question.limit, &e) !=
            0 ||
        ask_number("--timeout", asked.timeout, GUARDED_MS, GUARDED_MS_MAX, &ms, &e) != 0) {
        return ask_misuse(e.text);
    }
    a.question.ms = (int64_t)ms;
    status = apart_ask(answer, &a, &e);
    return status < 0 ? unfinished(&e) : status;
}
