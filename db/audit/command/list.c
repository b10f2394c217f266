/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>

#include "db/audit/command/ask.h"
#include "db/audit/command/commands.h"
#include "db/audit/print.h"

static void
list_look(void *arg, uint64_t index, const struct leaf *leaf)
{
    audit_index_add(arg, index, leaf);
}

int
list_run(int argc, char **argv)
{
    CLEANUP(audit_log_cleanup) struct audit_log *log = NULL;
    CLEANUP(audit_index_cleanup) struct audit_index *rows = NULL;
    struct audit_figures figures;
    struct err e = {0};
    int status;

    if (ask_parse(argc, argv) != 0 || optind != argc || !ask_only(ASK_NF | ASK_JSON)) {
        return ask_usage("list");
    }
    status = ask_ledger(&log);
    if (status != EXIT_VERIFIED) {
        return status;
    }
    rows = audit_index_new(asked.nf);
    if (audit_verify(log, list_look, rows, &figures, &e) != 0) {
        return ask_failed(&e);
    }
    audit_print_findings(stderr, &figures);
    if (audit_index_size(rows) == 0) {
        (void)fprintf(stderr, "nfpki-audit: no certificate%s%s in this ledger\n",
                      asked.nf == NULL ? "" : " of NF ", asked.nf == NULL ? "" : asked.nf);
        return EXIT_NOTHING;
    }
    if (asked.json) {
        return ask_finish(audit_json_list(stdout, log, rows, &e), &e);
    }
    audit_print_list(stdout, log, rows);
    return ask_finish(0, &e);
}
