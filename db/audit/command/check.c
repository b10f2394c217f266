/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <inttypes.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "db/audit/check/messages.h"
#include "db/audit/command/ask.h"
#include "db/audit/command/brought.h"
#include "db/audit/command/commands.h"
#include "db/audit/command/judged.h"
#include "db/audit/der/outline.h"
#include "db/audit/verify.h"

enum { PEM_MAX = 2 * LEAF_MAX };

/* Who is told of each leaf. */
struct checking {
    struct lint_judge *judge;
    struct record *record;
    struct lint_messages *messages;
    enum sink_format format;
};

static void
leaf_check(void *arg, uint64_t index, const struct leaf *leaf)
{
    struct checking *c = arg;

    lint_judge_leaf(c->judge, index, leaf);
    record_leaf(c->record, index, leaf);
    lint_messages_leaf(c->messages, index, leaf);
}

/* lint_messages_load, of what is judged. */
static int
messages_load(void *arg, uint64_t n, struct buf *out, struct err *e)
{
    struct judged *on = arg;

    return on->log == NULL ? mirror_messages(on->mirror, n, out, e)
                           : audit_read_messages(on->log, n, out, e);
}

/* ---- what the rules count, as findings ---- */

static const struct finding_kind BACK = {"check.clock.back", SEVERITY_WARNING, "ISO A.8.17"};
static const struct finding_kind TWICE = {"check.queue.twice", SEVERITY_WARNING, "db/LEDGER.md"};
static const struct finding_kind MISSING = {"check.report.missing", SEVERITY_WARNING,
                                            "db/LEDGER.md"};

static void
figures_note(struct findings *findings, const struct audit_figures *figures, uint64_t size)
{
    const struct audit_times *t = &figures->times;

    for (size_t i = 0; i < t->findings && i < AUDIT_TIMES_KEPT; i++) {
        findings_add(findings, &BACK, t->found[i].leaf, NULL,
                     "it is dated %lld s before the leaf before it",
                     (long long)(t->found[i].before - t->found[i].at));
    }
    if (t->findings > AUDIT_TIMES_KEPT) {
        findings_add(findings, &BACK, size - 1, NULL, "and %zu more up to here",
                     t->findings - AUDIT_TIMES_KEPT);
    }
    if (figures->twice > 0) {
        findings_add(findings, &TWICE, size - 1, NULL,
                     "%zu heads of an RA up to here have places that another one has, too: it has "
                     "lost its queue, or its key is used twice",
                     figures->twice);
    }
    if (figures->missing > 0) {
        findings_add(findings, &MISSING, size - 1, NULL,
                     "%zu reports of an RA up to here name another one before them than the record "
                     "has, or begin without a start: one was left out, or never came",
                     figures->missing);
    }
}

/* ---- --export ---- */

struct exporting {
    int result;
    struct err *e;
};

static int
pem_write(uint64_t index, const struct leaf *leaf, struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(LEAF_MAX);
    CLEANUP(bio_cleanup) BIO *pem = BIO_new(BIO_s_mem());
    CLEANUP(mem_cleanup)
    char *path = mem_printf("%s/leaf-%010" PRIu64 ".pem", asked.export, index);
    char *text = NULL;
    long n;

    if (audit_outline_octets(leaf, &der, e) != 0) {
        return -1;
    }
    /* The octets as they are: other linters judge these. */
    if (pem == NULL || PEM_write_bio(pem, "CERTIFICATE", "", der.p, (long)der.n) <= 0) {
        return ossl_err(e, ERR_CRYPTO, "%s", path);
    }
    n = BIO_get_mem_data(pem, &text);
    return file_write(path, span_of(text, n < 0 ? 0 : (size_t)n), 0644, e);
}

static void
leaf_export(void *arg, uint64_t index, const struct leaf *leaf)
{
    struct exporting *x = arg;

    if (leaf_kind(leaf) == LEAF_ISSUED && x->result == 0) {
        x->result = pem_write(index, leaf, x->e);
    }
}

/* Only what was verified is written, so all is read once more. */
static int
export_all(struct judged *on, struct err *e)
{
    struct audit_figures figures;
    struct err failed = {0};
    struct exporting x = {.e = &failed};

    if (asked.export == NULL) {
        return 0;
    }
    if (judged_verify(on, NULL, leaf_export, &x, &figures, e) != 0) {
        return -1;
    }
    if (x.result != 0) {
        *e = failed;
    }
    return x.result;
}

/* ---- the command ---- */

static int
check_all(struct judged *on, struct audit_issuers *issuers, struct checking *c,
          struct findings *findings, struct err *e)
{
    const struct log_key *key;
    struct audit_figures figures;

    if (judged_since(on, c->judge, true, e) != 0) {
        return -1;
    }
    lint_judge_from(c->judge, on->from);
    (void)findings_from(findings, on->from);
    audit_issuers_elsewhere(issuers);
    key = judged_basis(on).key;
    if (record_log_key(c->record, span_of(key->spki, key->spki_n), e) != 0 ||
        judged_verify(on, issuers, leaf_check, c, &figures, e) != 0 ||
        judged_signed(c->judge, e) != 0) {
        return -1;
    }
    record_end(c->record);
    lint_messages_end(c->messages);
    figures_note(findings, &figures, judged_basis(on).checkpoint->size);
    return export_all(on, e) != 0 || judged_write(stdout, c->format, on, c->judge, findings, e) != 0
               ? -1
               : 0;
}

int
check_run(int argc, char **argv)
{
    CLEANUP(judged_close) struct judged on = {0};
    CLEANUP(audit_issuers_cleanup) struct audit_issuers *issuers = audit_issuers_new();
    CLEANUP(findings_cleanup) struct findings *findings = findings_new();
    CLEANUP(lint_table_cleanup) struct lint_table *table = NULL;
    CLEANUP(lint_judge_cleanup) struct lint_judge *judge = NULL;
    CLEANUP(record_cleanup) struct record *record = record_new(findings);
    CLEANUP(lint_messages_cleanup)
    struct lint_messages *messages = lint_messages_new(findings, messages_load, &on);
    struct checking c = {.record = record, .messages = messages};
    struct err e = {0};
    int status;

    if (ask_parse(argc, argv) != 0 || optind != argc ||
        !ask_only(ASK_STATE | ASK_PROFILES | ASK_ISSUER | ASK_CRL | ASK_CERTIFICATES | ASK_EXPORT |
                  ASK_FORMAT | ASK_JSON)) {
        return ask_usage("check");
    }
    if (asked.n_crls > 0 && asked.n_issuers == 0) {
        return ask_misuse("--crl needs --issuer FILE: who signed it?");
    }
    table = judged_table(&e);
    judge = table == NULL ? NULL : judged_by(table, findings, &e);
    if (judge == NULL || ask_format(&c.format, &e) != 0 || brought_issuers(issuers, &e) != 0 ||
        brought_crls(record, &e) != 0) {
        return ask_misuse(e.text);
    }
    if (asked.export != NULL && access(asked.export, W_OK | X_OK) != 0) {
        return ask_misuse("--export DIR: there is no such folder that can be written");
    }
    status = judged_open(&on);
    if (status != EXIT_VERIFIED) {
        return status;
    }
    c.judge = judge;
    status = ask_finish(check_all(&on, issuers, &c, findings, &e), &e);
    if (status == EXIT_VERIFIED && judged_remember(&on, true, findings, &e) != 0) {
        return ask_misuse(e.text); /* it is verified, and judged */
    }
    return judged_status(&on, findings, status);
}
