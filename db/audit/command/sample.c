/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/ossl.h"
#include "db/audit/command/answer.h"
#include "db/audit/command/ask.h"
#include "db/audit/command/commands.h"
#include "db/audit/evidence/sample.h"

/* How anybody draws it again. */
static void
rule_print(FILE *out, const struct sample *s)
{
    CLEANUP(mem_cleanup) char *root = hex_dup(span_of(s->root.octets, MERKLE_HASH));

    (void)fprintf(out,
                  "nfpki-audit: %zu of %zu: the lowest 3 %% by SHA-256(root || serial), root %s of "
                  "the checkpoint over %" PRIu64 " leaves, the first with one behind the period\n",
                  s->drawn, s->issued, root, s->size);
}

/* It is drawn from all that was issued then: another filter would be a part that somebody chose. */
static bool
is_of_all(void)
{
    for (int f = 0; f < FILTERS; f++) {
        if (asked.filters.typed[f] != NULL && f != FILTER_SINCE && f != FILTER_UNTIL) {
            return false;
        }
    }
    return true;
}

int
sample_run(int argc, char **argv)
{
    CLEANUP(mirror_cleanup) struct mirror *mirror = NULL;
    struct query_result result = {0};
    enum sink_format format;
    struct sample sample;
    const char *const *typed = asked.filters.typed;
    time_t since;
    time_t until;
    struct err e = {0};
    int status;

    if (ask_parse(argc, argv) != 0 || optind != argc ||
        !ask_only(ASK_FILTERS | ASK_JSON | ASK_FORMAT) || typed[FILTER_SINCE] == NULL ||
        typed[FILTER_UNTIL] == NULL || !is_of_all()) {
        return ask_usage("sample");
    }
    if (ask_format(&format, &e) != 0 ||
        filter_time_parse(typed[FILTER_SINCE], false, &since, &e) != 0 ||
        filter_time_parse(typed[FILTER_UNTIL], true, &until, &e) != 0) {
        return ask_misuse(e.text);
    }
    status = ask_mirror(&mirror);
    if (status != EXIT_VERIFIED) {
        return status;
    }
    if (sample_write(mirror_sqlite(mirror), since, until, format, stdout, &sample, &e) != 0) {
        if (e.code == ERR_NOTFOUND) {
            (void)fprintf(stderr, "nfpki-audit: %s\n", e.text);
            return EXIT_NOTHING;
        }
        return ask_failed(&e);
    }
    rule_print(stderr, &sample);
    result.rows = sample.drawn;
    return answer_end(mirror, "certificate", format, 0, &result);
}
