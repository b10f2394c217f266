/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/print_leaf.h"

#include <inttypes.h>
#include <string.h>

#include "base/ossl.h"
#include "base/tlog/ra_report.h"
#include "db/audit/der/certificate.h"
#include "db/audit/der/queue_entry.h"
#include "db/audit/out/escape.h"
#include "db/audit/out/terms.h"

void
print_text(FILE *out, const char *text)
{
    escape_write_str(out, ESCAPE_TERMINAL, text);
}

void
print_line(FILE *out, const char *label, const char *text)
{
    (void)fprintf(out, "  %-12s ", label);
    print_text(out, text);
    (void)fputc('\n', out);
}

/* Whoever reads a verdict sees what it rests on. */
void
print_key(FILE *out, const uint8_t id[LOG_KEY_ID], bool given)
{
    char hex[2 * LOG_KEY_ID + 1];

    hex_format(span_of(id, LOG_KEY_ID), hex);
    (void)fprintf(out, "  %-12s %s, %s\n", "log key", hex,
                  given ? "given" : "FROM THE LEDGER ITSELF: give it with --key");
}

void
print_messages(FILE *out, const struct message_count *m)
{
    if (m->named == 0) {
        return;
    }
    (void)fprintf(out, "  %-12s %" PRIu64 " that leaves name: %" PRIu64 " there", "messages",
                  m->named, m->named - m->missing - m->wrong);
    if (m->missing > 0) {
        (void)fprintf(out, ", %" PRIu64 " missing", m->missing);
    }
    if (m->wrong > 0) {
        (void)fprintf(out, ", %" PRIu64 " OTHER THAN NAMED", m->wrong);
    }
    (void)fputc('\n', out);
}

void
print_basis(FILE *out, const struct basis *basis)
{
    const struct checkpoint *checkpoint = basis->checkpoint;
    CLEANUP(mem_cleanup) char *root = base64_dup(span_of(checkpoint->root.octets, MERKLE_HASH));

    print_line(out, "log", checkpoint->origin);
    (void)fprintf(out, "  %-12s %" PRIu64 " leaves\n", "size", checkpoint->size);
    print_line(out, "root", root);
    print_key(out, basis->key->id, basis->given);
    if (basis->cosigned >= 0) {
        (void)fprintf(
            out, "  %-12s the quorum has cosigned the first %" PRId64 " of %" PRIu64 " leaves\n",
            "witnesses", basis->cosigned, checkpoint->size);
    }
}

void
print_checkpoint(FILE *out, const struct audit_log *log)
{
    const struct basis basis = {audit_checkpoint(log), audit_key(log), audit_key_is_given(log), -1};

    print_basis(out, &basis);
}

static void
member(FILE *out, const struct leaf *leaf, const char *name, const char *label)
{
    const char *text = leaf_text(leaf, name);

    if (text != NULL) {
        (void)fprintf(out, "%s ", label);
        print_text(out, text);
    }
}

static void
print_reason(FILE *out, const struct leaf *leaf)
{
    const char *name = term_crl_reason(leaf_int(leaf, "reason", -1));

    (void)fprintf(out, PRINT_BELOW "reason %s", name == NULL ? "unknown reason" : name);
}

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
        (void)fprintf(out, PRINT_BELOW "came to the RA at %s, place %" PRId64 " of its queue", at,
                      leaf_int(leaf, "qseq", 0));
        member(out, leaf, "head", PRINT_BELOW "head");
    }
}

static void
print_restored(FILE *out, const struct leaf *leaf)
{
    (void)fprintf(out,
                  PRINT_BELOW "leaves %" PRId64 " to %" PRId64 " were read back: %" PRId64
                              " registrations, %" PRId64 " certificates, %" PRId64
                              " revocations, %" PRId64 " CRLs",
                  leaf_int(leaf, "from", 0), leaf_int(leaf, "to", 0) - 1,
                  leaf_int(leaf, "registrations", 0), leaf_int(leaf, "certificates", 0),
                  leaf_int(leaf, "revocations", 0), leaf_int(leaf, "crls", 0));
    (void)fprintf(out,
                  PRINT_BELOW "intents given up: %" PRId64 ", requests refused: %" PRId64
                              ", secrets void: %" PRId64 ", revoked as a CRL says: %" PRId64,
                  leaf_int(leaf, "abandoned", 0), leaf_int(leaf, "refused", 0),
                  leaf_int(leaf, "void", 0), leaf_int(leaf, "fromCrl", 0));
    if (leaf_text(leaf, "previousOrigin") != NULL) {
        member(out, leaf, "previousOrigin", PRINT_BELOW "goes on from the log");
        (void)fprintf(out, ", whose key had signed %" PRId64 " leaves: %" PRId64 " are lost",
                      leaf_int(leaf, "signed", 0),
                      leaf_int(leaf, "signed", 0) - leaf_int(leaf, "to", 0));
    }
    (void)fprintf(out, PRINT_BELOW "adopted: %" PRId64, leaf_int(leaf, "adopted", 0));
    member(out, leaf, "officer", PRINT_BELOW "signed by the officers with serial");
    member(out, leaf, "secondOfficer", PRINT_BELOW "and");
}

/* Its lines, as the RA signed them. */
static void
print_report(FILE *out, const struct leaf *leaf)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(LEAF_MAX);
    struct ra_report report;
    struct span lines;
    struct err e;

    member(out, leaf, "ra", PRINT_BELOW "signed by the RA with serial");
    if (base64_parse(leaf_text(leaf, "text"), &text, &e) != 0 ||
        ra_report_parse(buf_span(&text), &report, &lines, &e) != 0) {
        return;
    }
    while (lines.n > 0) {
        const uint8_t *end = memchr(lines.p, '\n', lines.n);
        const size_t n = (size_t)(end - lines.p);

        (void)fprintf(out, PRINT_BELOW);
        escape_write(out, ESCAPE_TERMINAL, span_of(lines.p, n));
        lines = span_of(end + 1, lines.n - n - 1);
    }
}

void
print_facts(FILE *out, const struct leaf *leaf, bool serial)
{
    if (serial) {
        member(out, leaf, "serial", PRINT_BELOW "serial");
    }
    switch (leaf_kind(leaf)) {
    case LEAF_REGISTRATION:
        member(out, leaf, "registration", PRINT_BELOW "registration");
        member(out, leaf, "nfInstanceId", PRINT_BELOW "NF");
        member(out, leaf, "proof", PRINT_BELOW "proves itself by");
        (void)fprintf(out, ", %" PRId64 " initial certificate(s)",
                      leaf_int(leaf, "certificates", 0));
        member(out, leaf, "notBefore", PRINT_BELOW "good from");
        member(out, leaf, "notAfter", " to");
        member(out, leaf, "supersedes", PRINT_BELOW "replaces registration");
        return;
    case LEAF_REQUEST:
        member(out, leaf, "profile", PRINT_BELOW "profile");
        member(out, leaf, "assurance", ", assurance");
        member(out, leaf, "rid", PRINT_BELOW "request");
        print_attested(out, leaf);
        if (leaf_int(leaf, "approvals", 0) > 0) {
            (void)fprintf(out, PRINT_BELOW "waits for the approval of %" PRId64 " officer(s)",
                          leaf_int(leaf, "approvals", 0));
        }
        return;
    case LEAF_APPROVAL:
        member(out, leaf, "decision", PRINT_BELOW "decision");
        member(out, leaf, "subject", ", by");
        member(out, leaf, "officer", PRINT_BELOW "serial");
        member(out, leaf, "by", PRINT_BELOW "handed in by");
        member(out, leaf, "reason", PRINT_BELOW "reason:");
        return;
    case LEAF_REFUSAL:
        member(out, leaf, "rid", PRINT_BELOW "request");
        member(out, leaf, "reason", PRINT_BELOW "refused:");
        (void)fprintf(out, " (PKIFailureInfo bit %" PRId64 ")", leaf_int(leaf, "failInfo", -1));
        return;
    case LEAF_INTENT:
        member(out, leaf, "profile", PRINT_BELOW "profile");
        member(out, leaf, "notBefore", ", valid");
        member(out, leaf, "notAfter", " to");
        member(out, leaf, "updates", PRINT_BELOW "updates");
        member(out, leaf, "renews", PRINT_BELOW "takes the place of");
        member(out, leaf, "messageTime", PRINT_BELOW "asked for at");
        member(out, leaf, "insteadOf", PRINT_BELOW "a further try, for the use of");
        member(out, leaf, "by", PRINT_BELOW "asked for by");
        member(out, leaf, "profileFile", PRINT_BELOW "file of profiles, SHA-256");
        return;
    case LEAF_QUEUE_HEAD:
        member(out, leaf, "ra", PRINT_BELOW "signed by the RA with serial");
        member(out, leaf, "head", PRINT_BELOW "head");
        return;
    case LEAF_AGAIN:
        member(out, leaf, "again", PRINT_BELOW "request");
        member(out, leaf, "messageTime", PRINT_BELOW "of");
        return;
    case LEAF_ISSUED:
    case LEAF_CONFIRMED:
        return;
    case LEAF_REVOKED:
        print_reason(out, leaf);
        member(out, leaf, "by", ", by");
        member(out, leaf, "revocationDate", ", as of");
        member(out, leaf, "supersededBy", PRINT_BELOW "superseded by");
        member(out, leaf, "rr", PRINT_BELOW "asked for by request");
        member(out, leaf, "invalidityDate", PRINT_BELOW "suspect since");
        return;
    case LEAF_CANCEL:
        member(out, leaf, "by", PRINT_BELOW "by");
        member(out, leaf, "registrar", PRINT_BELOW "signed by the registrar with serial");
        member(out, leaf, "reason", PRINT_BELOW "reason:");
        return;
    case LEAF_REJECTED:
    case LEAF_STOP:
        member(out, leaf, "reason", PRINT_BELOW "reason:");
        return;
    case LEAF_RESTORED:
        print_restored(out, leaf);
        return;
    case LEAF_ADOPTED:
        member(out, leaf, "from", PRINT_BELOW "known by");
        return;
    case LEAF_ACKNOWLEDGED:
        (void)fprintf(out, PRINT_BELOW "line %" PRId64, leaf_int(leaf, "line", -1));
        member(out, leaf, "object", ", kind");
        member(out, leaf, "sha256", PRINT_BELOW "SHA-256");
        member(out, leaf, "reason", PRINT_BELOW "reason:");
        return;
    case LEAF_RA_REPORT:
        print_report(out, leaf);
        return;
    case LEAF_OPERATION:
        member(out, leaf, "command", PRINT_BELOW "command");
        member(out, leaf, "object", ", about");
        member(out, leaf, "outcome", ",");
        member(out, leaf, "by", PRINT_BELOW "by");
        member(out, leaf, "reason", PRINT_BELOW "reason:");
        return;
    case LEAF_CEREMONY:
        member(out, leaf, "name", PRINT_BELOW "name");
        member(out, leaf, "type", ", of type");
        member(out, leaf, "head", PRINT_BELOW "head");
        member(out, leaf, "by", PRINT_BELOW "handed in by");
        return;
    case LEAF_CLOCK:
        member(out, leaf, "expected", PRINT_BELOW "the clock was set: it would have shown");
        return;
    case LEAF_START:
    case LEAF_CONFIG:
    case LEAF_CRL:
    case LEAF_CRL_INTENT:
    case LEAF_RECOVERED:
    case LEAF_SEALED:
    case LEAF_KINDS:
        break;
    }
    (void)fprintf(out, PRINT_BELOW);
    escape_write(out, ESCAPE_TERMINAL, leaf_body(leaf));
}

const char *
print_fact_name(enum leaf_kind kind)
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
    case LEAF_RA_REPORT:
        return "the RA says";
    case LEAF_OPERATION:
        return "done at the CA";
    case LEAF_START:
    case LEAF_STOP:
    case LEAF_CONFIG:
    case LEAF_CRL:
    case LEAF_CRL_INTENT:
    case LEAF_RECOVERED:
    case LEAF_CEREMONY:
    case LEAF_CLOCK:
    case LEAF_SEALED:
    case LEAF_KINDS:
        break;
    }
    return leaf_kind_name(kind);
}

int
print_certificate(FILE *out, const struct leaf *issued, const char *status, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *certificate = audit_certificate(issued, e);
    CLEANUP(audit_summary_free) struct audit_summary summary = {0};

    if (certificate == NULL || audit_summarize(certificate, &summary, e) != 0) {
        return -1;
    }
    (void)fprintf(out, "Certificate\n");
    print_line(out, "serial", leaf_text(issued, "serial"));
    if (status != NULL) {
        print_line(out, "status", status);
    }
    print_line(out, "subject", summary.subject);
    print_line(out, "issuer", summary.issuer);
    print_line(out, "names", summary.names);
    (void)fprintf(out, "  %-12s %s to %s\n", "valid", summary.not_before, summary.not_after);
    print_line(out, "key", summary.key);
    print_line(out, "SHA-256", summary.sha256);
    return 0;
}
