/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>

#include "db/audit/command/answer.h"
#include "db/audit/command/ask.h"
#include "db/audit/command/commands.h"
#include "db/audit/story/print.h"

int
show_run(int argc, char **argv)
{
    CLEANUP(mirror_cleanup) struct mirror *mirror = NULL;
    CLEANUP(story_free) struct story story = {0};
    struct basis basis;
    struct err e = {0};
    int status;

    if (ask_parse(argc, argv) != 0 || optind != argc - 1 || argv[optind][0] == '\0' ||
        !ask_only(ASK_JSON)) {
        return ask_usage("show");
    }
    status = ask_mirror(&mirror);
    if (status != EXIT_VERIFIED) {
        return status;
    }
    if (story_of(mirror, argv[optind], &story, &e) != 0) {
        return e.code == ERR_INPUT ? ask_misuse(e.text) : ask_failed(&e);
    }
    if (story.n == 0) {
        return ask_nothing("nothing about", argv[optind]);
    }
    basis = answer_basis(mirror);
    return ask_finish(asked.json ? story_json(stdout, &basis, mirror, &story, &e)
                                 : story_print(stdout, &basis, mirror, &story, &e),
                      &e);
}
