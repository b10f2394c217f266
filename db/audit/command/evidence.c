/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>

#include "db/audit/command/answer.h"
#include "db/audit/command/ask.h"
#include "db/audit/command/commands.h"
#include "db/audit/evidence/evidence.h"

int
evidence_run(int argc, char **argv)
{
    CLEANUP(mirror_cleanup) struct mirror *mirror = NULL;
    struct query_result result = {0};
    enum sink_format format;
    size_t found = 0;
    struct err e = {0};
    int status;

    if (ask_parse(argc, argv) != 0 || optind < argc - 1 || !ask_only(ASK_JSON | ASK_FORMAT)) {
        return ask_usage("evidence");
    }
    if (ask_format(&format, &e) != 0) {
        return ask_misuse(e.text);
    }
    status = ask_mirror(&mirror);
    if (status != EXIT_VERIFIED) {
        return status;
    }
    if (evidence_write(mirror_sqlite(mirror), optind < argc ? argv[optind] : NULL, format, stdout,
                       &found, &e) != 0) {
        return ask_failed(&e);
    }
    result.rows = found;
    return answer_end(mirror, "clause", format, 0, &result);
}
