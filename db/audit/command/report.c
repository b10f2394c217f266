/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/audit/check/record.h"
#include "db/audit/command/ask.h"
#include "db/audit/command/commands.h"
#include "db/audit/command/judged.h"
#include "db/audit/report/report.h"

/* A page that is not whole is none: it gets its name at the end. */
static int
page_write(const struct report *r, const char *path, struct err *e)
{
    CLEANUP(mem_cleanup) char *temporary = mem_printf("%s.new", path);
    FILE *out = fopen(temporary, "we");
    int result;

    if (out == NULL) {
        return err_errno(e, ERR_IO, errno, "%s", temporary);
    }
    result = report_page(r, out, e);
    if (fclose(out) != 0 || result != 0 || rename(temporary, path) != 0) {
        result = result != 0 ? result : err_errno(e, ERR_IO, errno, "%s", path);
        (void)unlink(temporary);
    }
    return result;
}

static int
data_write(const struct report *r, const char *folder, struct err *e)
{
    if (mkdir(folder, 0755) != 0 && errno != EEXIST) {
        return err_errno(e, ERR_IO, errno, "%s", folder);
    }
    return report_data(r, folder, e);
}

/* ---- --check ---- */

struct checking {
    struct lint_judge *judge;
    struct record *record;
};

static int
leaf_check(void *arg, uint64_t index, struct span body, struct err *e)
{
    struct checking *c = arg;
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_parse(body, e);

    if (leaf == NULL) {
        return -1;
    }
    lint_judge_leaf(c->judge, index, leaf);
    record_leaf(c->record, index, leaf);
    return 0;
}

/* The rules were asked when the mirror was made: what they found is in it. */
static int
check_all(struct mirror *mirror, struct lint_judge *judge, struct findings *findings, struct err *e)
{
    CLEANUP(record_cleanup) struct record *record = record_new(findings);
    struct checking c = {.judge = judge, .record = record};
    const struct log_key *key = mirror_key(mirror);

    if (record_log_key(record, span_of(key->spki, key->spki_n), e) != 0 ||
        mirror_each(mirror, NULL, leaf_check, &c, e) != 0) {
        return -1;
    }
    lint_judge_end(judge);
    record_end(record);
    return 0;
}

/* The record is verified, and it is the file that cannot be made, or it is not. */
static int
not_written(const struct err *e)
{
    if (e->code != ERR_IO) {
        return ask_failed(e);
    }
    (void)fprintf(stderr, "nfpki-audit: there is no report: %s\n", e->text);
    return EXIT_MISUSE;
}

int
report_run(int argc, char **argv)
{
    CLEANUP(mirror_cleanup) struct mirror *mirror = NULL;
    CLEANUP(findings_cleanup) struct findings *findings = findings_new();
    CLEANUP(lint_table_cleanup) struct lint_table *table = NULL;
    CLEANUP(lint_judge_cleanup) struct lint_judge *judge = NULL;
    struct report r = {0};
    struct err e = {0};
    int status;

    if (ask_parse(argc, argv) != 0 || optind != argc ||
        !ask_only(ASK_HTML | ASK_DATA | ASK_AS_OF | ASK_CHECK | ASK_PROFILES | ASK_ISSUER) ||
        (asked.html == NULL && asked.data == NULL)) {
        return ask_usage("report");
    }
    if (!asked.check && (asked.n_profiles > 0 || asked.n_issuers > 0)) {
        return ask_misuse("--profiles and --issuer are for --check");
    }
    table = judged_table(&e);
    judge = table == NULL ? NULL : judged_by(table, findings, &e);
    if (judge == NULL || ask_as_of(&r.now, &e) != 0) {
        return ask_misuse(e.text);
    }
    status = ask_mirror(&mirror);
    if (status != EXIT_VERIFIED) {
        return status;
    }
    r.mirror = mirror;
    r.key_is_given = ask_key_is_given(mirror);
    r.checked = asked.check ? findings : NULL;
    if (asked.check && check_all(mirror, judge, findings, &e) != 0) {
        return ask_failed(&e);
    }
    if ((asked.html != NULL && page_write(&r, asked.html, &e) != 0) ||
        (asked.data != NULL && data_write(&r, asked.data, &e) != 0)) {
        return not_written(&e);
    }
    return EXIT_VERIFIED;
}
