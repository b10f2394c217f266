/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/print.h"

#include <inttypes.h>
#include <string.h>

#include "base/ossl.h"
#include "db/audit/der/certificate.h"
#include "db/audit/der/queue_entry.h"

static void
put_bytes(FILE *out, struct span bytes)
{
    for (size_t i = 0; i < bytes.n; i++) {
        if (bytes.p[i] >= ' ' && bytes.p[i] <= '~') {
            (void)fputc(bytes.p[i], out);
        } else {
            (void)fprintf(out, "\\x%02x", (unsigned)bytes.p[i]);
        }
    }
}

static void
put(FILE *out, const char *text)
{
    put_bytes(out, span_str(text));
}

static void
line(FILE *out, const char *label, const char *text)
{
    (void)fprintf(out, "  %-12s ", label);
    put(out, text);
    (void)fputc('\n', out);
}

/* ---- verify ---- */

/* Whoever reads a verdict sees what it rests on. */
static void
print_key(FILE *out, const struct audit_log *log)
{
    char id[2 * LOG_KEY_ID + 1];

    hex_format(span_of(audit_key(log)->id, LOG_KEY_ID), id);
    (void)fprintf(out, "  %-12s %s, %s\n", "log key", id,
                  audit_key_is_given(log) ? "given" : "FROM THE LEDGER ITSELF: give it with --key");
}

static void
print_checkpoint(FILE *out, const struct audit_log *log)
{
    const struct checkpoint *checkpoint = audit_checkpoint(log);
    CLEANUP(mem_cleanup) char *root = base64_dup(span_of(checkpoint->root.octets, MERKLE_HASH));

    line(out, "log", checkpoint->origin);
    (void)fprintf(out, "  %-12s %" PRIu64 " leaves\n", "size", checkpoint->size);
    line(out, "root", root);
    print_key(out, log);
}

/* Nobody takes for verified what was not. */
static void
print_signatures(FILE *out, const struct audit_signatures *s)
{
    if (s->verified > 0) {
        (void)fprintf(out, "  %-12s %zu certificates and %zu CRLs, verified with the issuing key\n",
                      "signatures", s->verified, s->crls);
    }
    if (s->unverified > 0) {
        (void)fprintf(out,
                      "  %-12s %zu certificates are NOT VERIFIED with the issuing key: give its "
                      "certificate with --issuer\n",
                      "signatures", s->unverified);
    }
}

/* Nothing is said of times that are in order. */
static void
print_times(FILE *out, const struct audit_times *t)
{
    if (t->back > 0) {
        (void)fprintf(out, "  %-12s %zu, by %lld s at most\n", "times back", t->back,
                      (long long)t->most);
    }
    if (t->taken > 0) {
        (void)fprintf(out, "  %-12s %zu\n", "set back", t->taken);
    }
    if (t->findings > 0) {
        (void)fprintf(out, "  %-12s %zu\n", "findings", t->findings);
    }
}

void
audit_print_findings(FILE *out, const struct audit_figures *figures)
{
    const struct audit_times *t = &figures->times;

    for (size_t i = 0; i < t->findings && i < AUDIT_TIMES_KEPT; i++) {
        const struct audit_time_back *b = &t->found[i];
        char at[TIME_TEXT_SIZE];

        time_format(b->at, at);
        (void)fprintf(out,
                      "nfpki-audit: finding: leaf %" PRIu64 " is dated %s, %lld s before the leaf "
                      "before it: the clock was set back while the authority ran, or it is not of "
                      "its date\n",
                      b->leaf, at, (long long)(b->before - b->at));
    }
    if (t->findings > AUDIT_TIMES_KEPT) {
        (void)fprintf(out, "nfpki-audit: finding: there are more\n");
    }
}

void
audit_print_verdict(FILE *out, const struct audit_log *log, const struct audit_verdict *verdict)
{
    const struct audit_figures *figures = verdict->figures;
    char newest[TIME_TEXT_SIZE] = "-";

    (void)fprintf(out, "verified: checkpoint, tiles and every leaf\n");
    print_checkpoint(out, log);
    if (figures->newest != 0) {
        time_format(figures->newest, newest);
    }
    line(out, "last leaf", newest);
    (void)fprintf(out, "  %-12s", "leaves");
    for (int kind = 0; kind < LEAF_KINDS; kind++) {
        if (figures->kinds[kind] != 0) {
            (void)fprintf(out, " %s %" PRIu64, leaf_kind_name((enum leaf_kind)kind),
                          figures->kinds[kind]);
        }
    }
    (void)fprintf(out, "\n  %-12s %zu\n", "open intents", figures->open);
    (void)fprintf(out, "  %-12s %zu\n", "unapproved", figures->waiting);
    if (figures->twice > 0) {
        (void)fprintf(out, "  %-12s %zu\n", "queue twice", figures->twice);
    }
    if (figures->acknowledged > 0) {
        (void)fprintf(out, "  %-12s %zu: a key of the CA may have signed what the record has not\n",
                      "acknowledged", figures->acknowledged);
    }
    print_times(out, &figures->times);
    print_signatures(out, &figures->signatures);
    if (verdict->state != NULL && verdict->known) {
        (void)fprintf(out, "  %-12s consistent with the remembered size %" PRIu64 "\n", "state",
                      verdict->earlier);
    } else if (verdict->state != NULL) {
        (void)fprintf(out, "  %-12s remembered for the first time\n", "state");
    }
    if (verdict->certificate) {
        (void)fprintf(out,
                      "  %-12s leaf %" PRIu64 ", %s, inclusion proof verified against checkpoint "
                      "size %" PRIu64 "\n",
                      "certificate", verdict->leaf, audit_status_name(verdict->status),
                      audit_checkpoint(log)->size);
    }
}

/* ---- list ---- */

void
audit_print_list(FILE *out, const struct audit_log *log, const struct audit_index *index)
{
    (void)fprintf(out, "%-32s  %-36s  %-14s  %-9s  %s\n", "serial", "NF", "profile", "status",
                  "notAfter");
    for (size_t i = 0; i < audit_index_size(index); i++) {
        const struct audit_row *row = audit_index_row(index, i);

        (void)fprintf(out, "%-32s  ", row->serial);
        put(out, row->nf == NULL ? "-" : row->nf);
        (void)fprintf(out, "%*s  ", row->nf == NULL ? 35 : 36 - (int)strnlen(row->nf, 36), "");
        put(out, row->profile);
        (void)fprintf(out, "%*s  %-9s  %s\n", 14 - (int)strnlen(row->profile, 14), "",
                      audit_status_name(row->status), row->not_after);
    }
    (void)fprintf(out, "\nVerified\n");
    print_checkpoint(out, log);
}

/* ---- show ---- */

static void
member(FILE *out, const struct leaf *leaf, const char *name, const char *label)
{
    const char *text = leaf_text(leaf, name);

    if (text != NULL) {
        (void)fprintf(out, "%s ", label);
        put(out, text);
    }
}

static const char *
reason_name(int64_t reason)
{
    /* RFC 5280 5.3.1 */
    static const char *const names[] = {
        "unspecified",   "keyCompromise",        "cACompromise",    "affiliationChanged",
        "superseded",    "cessationOfOperation", "certificateHold", "",
        "removeFromCRL", "privilegeWithdrawn",   "aACompromise",
    };

    return reason >= 0 && reason < (int64_t)ARRAY_LEN(names) ? names[reason] : "unknown reason";
}

/* A new line below what a leaf says. */
#define BELOW "\n               "

/* What its RA signed of it, and when it came there. */
static void
print_attested(FILE *out, const struct leaf *leaf)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(LEAF_MAX);
    const char *text = leaf_text(leaf, "entry");
    struct audit_entry entry;
    char at[TIME_TEXT_SIZE];
    struct err e;

    if (text != NULL && base64_parse(text, &der, &e) == 0 &&
        audit_entry_read(buf_span(&der), &entry, &e) == 0) {
        time_format(entry.received, at);
        (void)fprintf(out, BELOW "came to the RA at %s, place %" PRId64 " of its queue", at,
                      leaf_int(leaf, "qseq", 0));
        member(out, leaf, "head", BELOW "head");
    }
}

static void
print_restored(FILE *out, const struct leaf *leaf)
{
    (void)fprintf(out,
                  BELOW "leaves %" PRId64 " to %" PRId64 " were read back: %" PRId64
                        " registrations, %" PRId64 " certificates, %" PRId64
                        " revocations, %" PRId64 " CRLs",
                  leaf_int(leaf, "from", 0), leaf_int(leaf, "to", 0) - 1,
                  leaf_int(leaf, "registrations", 0), leaf_int(leaf, "certificates", 0),
                  leaf_int(leaf, "revocations", 0), leaf_int(leaf, "crls", 0));
    (void)fprintf(out,
                  BELOW "intents given up: %" PRId64 ", requests refused: %" PRId64
                        ", secrets void: %" PRId64 ", revoked as a CRL says: %" PRId64,
                  leaf_int(leaf, "abandoned", 0), leaf_int(leaf, "refused", 0),
                  leaf_int(leaf, "void", 0), leaf_int(leaf, "fromCrl", 0));
    if (leaf_text(leaf, "previousOrigin") != NULL) {
        member(out, leaf, "previousOrigin", BELOW "goes on from the log");
        (void)fprintf(out, ", whose key had signed %" PRId64 " leaves: %" PRId64 " are lost",
                      leaf_int(leaf, "signed", 0),
                      leaf_int(leaf, "signed", 0) - leaf_int(leaf, "to", 0));
    }
    (void)fprintf(out, BELOW "adopted: %" PRId64, leaf_int(leaf, "adopted", 0));
    member(out, leaf, "officer", BELOW "signed by the officers with serial");
    member(out, leaf, "secondOfficer", BELOW "and");
}

/* What a leaf says; the serial only where the story is not about one certificate. */
static void
print_facts(FILE *out, const struct leaf *leaf, bool serial)
{
    if (serial) {
        member(out, leaf, "serial", BELOW "serial");
    }
    switch (leaf_kind(leaf)) {
    case LEAF_REGISTRATION:
        member(out, leaf, "registration", BELOW "registration");
        member(out, leaf, "nfInstanceId", BELOW "NF");
        member(out, leaf, "proof", BELOW "proves itself by");
        (void)fprintf(out, ", %" PRId64 " initial certificate(s)",
                      leaf_int(leaf, "certificates", 0));
        member(out, leaf, "notBefore", BELOW "good from");
        member(out, leaf, "notAfter", " to");
        member(out, leaf, "supersedes", BELOW "replaces registration");
        return;
    case LEAF_REQUEST:
        member(out, leaf, "profile", BELOW "profile");
        member(out, leaf, "assurance", ", assurance");
        member(out, leaf, "rid", BELOW "request");
        print_attested(out, leaf);
        if (leaf_int(leaf, "approvals", 0) > 0) {
            (void)fprintf(out, BELOW "waits for the approval of %" PRId64 " officer(s)",
                          leaf_int(leaf, "approvals", 0));
        }
        return;
    case LEAF_APPROVAL:
        member(out, leaf, "decision", BELOW "decision");
        member(out, leaf, "subject", ", by");
        member(out, leaf, "officer", BELOW "serial");
        member(out, leaf, "reason", BELOW "reason:");
        return;
    case LEAF_REFUSAL:
        member(out, leaf, "rid", BELOW "request");
        member(out, leaf, "reason", BELOW "refused:");
        (void)fprintf(out, " (PKIFailureInfo bit %" PRId64 ")", leaf_int(leaf, "failInfo", -1));
        return;
    case LEAF_INTENT:
        member(out, leaf, "profile", BELOW "profile");
        member(out, leaf, "notBefore", ", valid");
        member(out, leaf, "notAfter", " to");
        member(out, leaf, "updates", BELOW "updates");
        member(out, leaf, "renews", BELOW "takes the place of");
        member(out, leaf, "messageTime", BELOW "asked for at");
        member(out, leaf, "insteadOf", BELOW "a further try, for the use of");
        member(out, leaf, "profileFile", BELOW "file of profiles, SHA-256");
        return;
    case LEAF_QUEUE_HEAD:
        member(out, leaf, "ra", BELOW "signed by the RA with serial");
        member(out, leaf, "head", BELOW "head");
        return;
    case LEAF_AGAIN:
        member(out, leaf, "again", BELOW "request");
        member(out, leaf, "messageTime", BELOW "of");
        return;
    case LEAF_ISSUED:
    case LEAF_CONFIRMED:
        return;
    case LEAF_REVOKED:
        (void)fprintf(out, BELOW "reason %s", reason_name(leaf_int(leaf, "reason", -1)));
        member(out, leaf, "by", ", by");
        member(out, leaf, "revocationDate", ", as of");
        member(out, leaf, "supersededBy", BELOW "superseded by");
        member(out, leaf, "rr", BELOW "asked for by request");
        member(out, leaf, "invalidityDate", BELOW "suspect since");
        return;
    case LEAF_CANCEL:
        member(out, leaf, "by", BELOW "by");
        member(out, leaf, "registrar", BELOW "signed by the registrar with serial");
        member(out, leaf, "reason", BELOW "reason:");
        return;
    case LEAF_REJECTED:
    case LEAF_STOP:
        member(out, leaf, "reason", BELOW "reason:");
        return;
    case LEAF_RESTORED:
        print_restored(out, leaf);
        return;
    case LEAF_ADOPTED:
        member(out, leaf, "from", BELOW "known by");
        return;
    case LEAF_ACKNOWLEDGED:
        (void)fprintf(out, BELOW "line %" PRId64, leaf_int(leaf, "line", -1));
        member(out, leaf, "object", ", kind");
        member(out, leaf, "sha256", BELOW "SHA-256");
        member(out, leaf, "reason", BELOW "reason:");
        return;
    case LEAF_START:
    case LEAF_CONFIG:
    case LEAF_CRL:
    case LEAF_CRL_INTENT:
    case LEAF_RECOVERED:
    case LEAF_CEREMONY:
    case LEAF_SEALED:
    case LEAF_KINDS:
        break;
    }
    (void)fprintf(out, BELOW);
    put_bytes(out, leaf_body(leaf));
}

static const char *
fact_name(enum leaf_kind kind)
{
    switch (kind) {
    case LEAF_REGISTRATION:
        return "registered";
    case LEAF_CANCEL:
        return "cancelled";
    case LEAF_REQUEST:
        return "asked";
    case LEAF_QUEUE_HEAD:
        return "attested";
    case LEAF_APPROVAL:
        return "decided";
    case LEAF_REFUSAL:
        return "refused";
    case LEAF_INTENT:
        return "intent";
    case LEAF_ISSUED:
        return "issued";
    case LEAF_AGAIN:
        return "asked again";
    case LEAF_CONFIRMED:
        return "confirmed";
    case LEAF_REJECTED:
        return "rejected";
    case LEAF_REVOKED:
        return "revoked";
    case LEAF_RESTORED:
        return "restored";
    case LEAF_ADOPTED:
        return "adopted";
    case LEAF_ACKNOWLEDGED:
        return "acknowledged";
    case LEAF_START:
    case LEAF_STOP:
    case LEAF_CONFIG:
    case LEAF_CRL:
    case LEAF_CRL_INTENT:
    case LEAF_RECOVERED:
    case LEAF_CEREMONY:
    case LEAF_SEALED:
    case LEAF_KINDS:
        break;
    }
    return leaf_kind_name(kind);
}

static int
print_certificate(FILE *out, const struct story *story, const struct leaf *issued, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *certificate = audit_certificate(issued, e);
    CLEANUP(audit_summary_free) struct audit_summary summary = {0};

    if (certificate == NULL || audit_summarize(certificate, &summary, e) != 0) {
        return -1;
    }
    (void)fprintf(out, "Certificate\n");
    line(out, "serial", leaf_text(issued, "serial"));
    line(out, "status", audit_status_name(story->status));
    line(out, "subject", summary.subject);
    line(out, "issuer", summary.issuer);
    line(out, "names", summary.names);
    (void)fprintf(out, "  %-12s %s to %s\n", "valid", summary.not_before, summary.not_after);
    line(out, "key", summary.key);
    line(out, "SHA-256", summary.sha256);
    return 0;
}

/* Who signed the registration: the certificate that the ledger has under the serial that the
 * REGISTRATION leaf names. */
static int
print_registrar(FILE *out, const struct story *story, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    CLEANUP(audit_summary_free) struct audit_summary summary = {0};

    if (story->names.registrar[0] == '\0') {
        return 0;
    }
    (void)fprintf(out, "  %-12s ", "registrar");
    if (story->registrar.leaf != NULL) {
        certificate = audit_certificate(story->registrar.leaf, e);
        if (certificate == NULL || audit_summarize(certificate, &summary, e) != 0) {
            return -1;
        }
        put(out, summary.subject);
        (void)fprintf(out, BELOW "serial %s, issued as leaf %" PRIu64 "\n", story->names.registrar,
                      story->registrar.index);
        return 0;
    }
    (void)fprintf(out, "serial %s, whose certificate is not in this ledger\n",
                  story->names.registrar);
    return 0;
}

int
audit_print_story(FILE *out, const struct audit_log *log, const struct story *story, struct err *e)
{
    const struct story_leaf *issued = story_find(story, LEAF_ISSUED);

    if (issued != NULL && story->names.serial[0] != '\0' &&
        print_certificate(out, story, issued->leaf, e) != 0) {
        return -1;
    }
    (void)fprintf(out, "Record\n");
    for (size_t i = 0; i < story->n; i++) {
        const struct story_leaf *leaf = &story->leaves[i];
        char time[TIME_TEXT_SIZE];

        time_format(leaf_time(leaf->leaf), time);
        (void)fprintf(out, "  %-12s %s  leaf %" PRIu64, fact_name(leaf_kind(leaf->leaf)), time,
                      leaf->index);
        print_facts(out, leaf->leaf, story->names.serial[0] == '\0');
        (void)fputc('\n', out);
        if (leaf_kind(leaf->leaf) == LEAF_REGISTRATION && print_registrar(out, story, e) != 0) {
            return -1;
        }
    }
    (void)fprintf(out, "Proof\n");
    for (size_t i = 0; i < story->n; i++) {
        (void)fprintf(
            out,
            "  leaf %" PRIu64 ": inclusion proof verified against checkpoint size %" PRIu64
            " (%zu hashes)\n",
            story->leaves[i].index, audit_checkpoint(log)->size, story->leaves[i].proof.n);
    }
    print_checkpoint(out, log);
    return 0;
}
