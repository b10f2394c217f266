/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>

#include "db/audit/command/ask.h"
#include "db/audit/command/commands.h"
#include "db/audit/command/judged.h"
#include "db/audit/print.h"
#include "db/audit/verify.h"

int
lint_run(int argc, char **argv)
{
    CLEANUP(judged_close) struct judged on = {0};
    CLEANUP(findings_cleanup) struct findings *findings = findings_new();
    CLEANUP(lint_table_cleanup) struct lint_table *table = NULL;
    CLEANUP(lint_judge_cleanup) struct lint_judge *judge = NULL;
    struct audit_figures figures;
    enum sink_format format;
    struct err e = {0};
    int status;

    if (ask_parse(argc, argv) != 0 || optind != argc ||
        !ask_only(ASK_STATE | ASK_PROFILES | ASK_ISSUER | ASK_CERTIFICATES | ASK_FORMAT |
                  ASK_JSON)) {
        return ask_usage("lint");
    }
    table = judged_table(&e);
    judge = table == NULL ? NULL : judged_by(table, findings, &e);
    if (judge == NULL || ask_format(&format, &e) != 0) {
        return ask_misuse(e.text);
    }
    status = judged_open(&on);
    if (status != EXIT_VERIFIED) {
        return status;
    }
    if (judged_since(&on, judge, false, &e) != 0) {
        return ask_failed(&e);
    }
    lint_judge_from(judge, on.from);
    if (judged_verify(&on, NULL, lint_judge_leaf, judge, &figures, &e) != 0) {
        return ask_failed(&e);
    }
    lint_judge_end(judge);
    audit_print_findings(stderr, &figures);
    status = ask_finish(judged_write(stdout, format, &on, judge, findings, &e), &e);
    if (status == EXIT_VERIFIED && judged_remember(&on, false, findings, &e) != 0) {
        return ask_misuse(e.text); /* it is verified, and judged */
    }
    return judged_status(&on, findings, status);
}
