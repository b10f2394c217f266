/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "db/audit/check/messages.h"
#include "db/audit/command/ask.h"
#include "db/audit/command/ask_policy.h"
#include "db/audit/command/brought.h"
#include "db/audit/command/commands.h"
#include "db/audit/der/certificate.h"
#include "db/audit/print.h"
#include "db/audit/print_leaf.h"

/* The certificate of --certificate, while the leaves go by. */
struct wanted {
    char *base64; /* NULL: none is wanted */
    char *serial;
    bool found;
    uint64_t leaf;
    struct merkle_hash hash;
    enum audit_status status;
};

static void
wanted_look(struct wanted *wanted, uint64_t index, const struct leaf *leaf)
{
    const char *serial = leaf_text(leaf, "serial");

    if (wanted->base64 == NULL || serial == NULL || strcmp(serial, wanted->serial) != 0) {
        return;
    }
    if (leaf_kind(leaf) == LEAF_ISSUED &&
        strcmp(leaf_text(leaf, "certificate"), wanted->base64) == 0) {
        wanted->found = true;
        wanted->leaf = index;
        wanted->hash = merkle_leaf(leaf_body(leaf));
    }
    wanted->status = audit_status_next(wanted->status, leaf_kind(leaf));
}

static int
wanted_load(struct wanted *wanted, struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(LEAF_MAX);
    CLEANUP(x509_cleanup) X509 *certificate = certificate_load(asked.certificate, e);

    if (certificate == NULL || OSSL_ENCODE(X509, certificate, &der, e) != 0) {
        return -1;
    }
    wanted->base64 = base64_dup(buf_span(&der));
    wanted->serial = audit_certificate_serial(certificate);
    return 0;
}

/* ---- messages ---- */

/* lint_messages_load, of the folder. */
static int
messages_load(void *arg, uint64_t n, struct buf *out, struct err *e)
{
    struct audit_log *const *log = arg;

    return audit_read_messages(*log, n, out, e);
}

/* Those that are another than their leaves say; what is missing is counted, and no more. */
static void
messages_tell(const struct findings *findings)
{
    for (size_t i = 0; findings_at(findings, i) != NULL; i++) {
        const struct finding *f = findings_at(findings, i);

        if (f->kind->severity == SEVERITY_ERROR) {
            (void)fprintf(stderr, "nfpki-audit: finding: leaf %" PRIu64 ": ", f->leaf);
            print_text(stderr, f->text);
            (void)fputc('\n', stderr);
        }
    }
}

/* ---- all of it ---- */

/* Who is told of each leaf. */
struct verifying {
    struct wanted wanted;
    struct lint_messages *messages;
};

static void
verifying_free(struct verifying *v)
{
    mem_free(v->wanted.base64);
    mem_free(v->wanted.serial);
}

static void
leaf_look(void *arg, uint64_t index, const struct leaf *leaf)
{
    struct verifying *v = arg;

    wanted_look(&v->wanted, index, leaf);
    lint_messages_leaf(v->messages, index, leaf);
}

/* The remembered state first: it names what happened when the log was replaced as a whole. */
static int
state_check(struct audit_log *log, struct audit_verdict *verdict, struct err *e)
{
    struct checkpoint earlier;

    if (asked.state == NULL) {
        return 0;
    }
    verdict->state = asked.state;
    if (audit_state_load(asked.state, audit_key(log), &verdict->known, &earlier, e) != 0) {
        return -1;
    }
    verdict->earlier = earlier.size;
    return verdict->known ? audit_consistency(log, &earlier, e) : 0;
}

/* Before all that takes long. */
static int
witnesses_check(const struct tlog_policy *policy, struct audit_log *log, struct witnessed *w,
                struct audit_verdict *verdict, struct err *e)
{
    if (policy == NULL) {
        return 0;
    }
    verdict->witnessed = w;
    return ask_policy_check(policy, log, w, e);
}

static int
verify_all(struct audit_log *log, struct audit_issuers *issuers, struct verifying *v,
           struct audit_verdict *verdict, struct audit_figures *figures, struct err *e)
{
    const struct wanted *wanted = &v->wanted;
    struct merkle_proof proof;

    if (audit_verify(log, issuers, leaf_look, v, figures, e) != 0) {
        return -1;
    }
    lint_messages_end(v->messages);
    verdict->messages = lint_messages_count(v->messages);
    if (wanted->found) {
        verdict->certificate = true;
        verdict->leaf = wanted->leaf;
        verdict->status = wanted->status;
        if (audit_inclusion(log, wanted->leaf, &wanted->hash, &proof, e) != 0) {
            return -1;
        }
    }
    return 0;
}

/* The status. */
static int
tell(const struct audit_log *log, const struct audit_verdict *verdict, const struct wanted *wanted)
{
    const struct audit_figures *figures = verdict->figures;
    struct err e = {0};
    int status;

    audit_print_findings(stderr, figures);
    if (asked.json) {
        status = ask_finish(audit_json_verdict(stdout, log, verdict, &e), &e);
    } else {
        audit_print_verdict(stdout, log, verdict);
        status = ask_finish(0, &e);
    }
    if (status == EXIT_VERIFIED && asked.certificate != NULL && !wanted->found) {
        (void)fprintf(stderr, "nfpki-audit: %s is not in this ledger\n", asked.certificate);
        return EXIT_NOTHING;
    }
    return status == EXIT_VERIFIED && (figures->times.findings > 0 || verdict->messages.wrong > 0)
               ? EXIT_FINDINGS
               : status;
}

int
verify_run(int argc, char **argv)
{
    CLEANUP(audit_log_cleanup) struct audit_log *log = NULL;
    CLEANUP(findings_cleanup) struct findings *findings = findings_new();
    CLEANUP(lint_messages_cleanup)
    struct lint_messages *messages = lint_messages_new(findings, messages_load, &log);
    CLEANUP(verifying_free) struct verifying v = {.messages = messages};
    CLEANUP(audit_issuers_cleanup) struct audit_issuers *issuers = audit_issuers_new();
    CLEANUP(tlog_policy_cleanup) struct tlog_policy *policy = NULL;
    struct witnessed witnessed;
    struct audit_figures figures;
    struct audit_verdict verdict = {.figures = &figures};
    struct err e = {0};
    int status;

    if (ask_parse(argc, argv) != 0 || optind != argc ||
        !ask_only(ASK_STATE | ASK_POLICY | ASK_CERTIFICATE | ASK_ISSUER | ASK_CRL | ASK_JSON)) {
        return ask_usage("verify");
    }
    if (asked.n_crls > 0 && asked.n_issuers == 0) {
        return ask_misuse("--crl needs --issuer FILE: who signed it?");
    }
    if ((asked.certificate != NULL && wanted_load(&v.wanted, &e) != 0) ||
        brought_issuers(issuers, &e) != 0) {
        return ask_misuse(e.text);
    }
    status = ask_policy(&policy);
    if (status == EXIT_VERIFIED) {
        status = ask_policy_ledger(policy, &log);
    }
    if (status != EXIT_VERIFIED) {
        return status;
    }
    if (state_check(log, &verdict, &e) != 0 ||
        witnesses_check(policy, log, &witnessed, &verdict, &e) != 0 ||
        verify_all(log, issuers, &v, &verdict, &figures, &e) != 0) {
        return ask_failed(&e);
    }
    if (asked.state != NULL && audit_state_save(asked.state, audit_note(log), &e) != 0) {
        return ask_misuse(e.text); /* the ledger is verified */
    }
    messages_tell(findings);
    return tell(log, &verdict, &v.wanted);
}
