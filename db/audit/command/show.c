/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>

#include "db/audit/command/ask.h"
#include "db/audit/command/commands.h"
#include "db/audit/print.h"

static void
show_look(void *arg, uint64_t index, const struct leaf *leaf)
{
    story_search(arg, index, leaf);
}

int
show_run(int argc, char **argv)
{
    CLEANUP(audit_log_cleanup) struct audit_log *log = NULL;
    CLEANUP(story_free) struct story story = {0};
    struct story_search search = {0};
    struct audit_figures figures;
    struct err e = {0};
    int status;

    if (ask_parse(argc, argv) != 0 || optind != argc - 1 || !ask_only(ASK_JSON)) {
        return ask_usage("show");
    }
    if (story_target_parse(argv[optind], &search.target, &e) != 0) {
        return ask_misuse(e.text);
    }
    status = ask_ledger(&log);
    if (status != EXIT_VERIFIED) {
        return status;
    }
    if (audit_verify(log, show_look, &search, &figures, &e) != 0) {
        return ask_failed(&e);
    }
    audit_print_findings(stderr, &figures);
    if (!search.found) {
        (void)fprintf(stderr, "nfpki-audit: nothing about %s in this ledger\n", argv[optind]);
        return EXIT_NOTHING;
    }
    if (story_collect(log, &search, &story, &e) != 0) {
        return ask_failed(&e);
    }
    return ask_finish(asked.json ? audit_json_story(stdout, log, &story, &e)
                                 : audit_print_story(stdout, log, &story, &e),
                      &e);
}
