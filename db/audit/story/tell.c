/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/story/tell.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "base/typed.h"
#include "db/audit/der/certificate.h"
#include "db/audit/der/queue_entry.h"
#include "db/audit/out/terms.h"
#include "db/audit/query/cells.h"
#include "db/audit/query/filter.h"

struct telling {
    struct mirror *mirror;
    const struct leaf *leaf;
    FILE *out;
};

static const char *
text_of(const struct telling *t, const char *name)
{
    const char *text = leaf_text(t->leaf, name);

    return text == NULL ? "?" : text;
}

/* ", because of X", when the leaf has it. */
static void
also(const struct telling *t, const char *before, const char *name)
{
    const char *text = leaf_text(t->leaf, name);

    if (text != NULL) {
        (void)fprintf(t->out, "%s%s", before, text);
    }
}

/* "O=Registrar One (serial 5a01)" */
static void
who(const struct telling *t, const char *name)
{
    CLEANUP(statement_cleanup) sqlite3_stmt *statement = NULL;
    const struct filters serial = {.typed[FILTER_SERIAL] = text_of(t, name)};
    const unsigned char *subject = NULL;
    struct err e;

    if (sqlite3_prepare_v2(mirror_sqlite(t->mirror),
                           "SELECT subject FROM staff WHERE serial = :serial", -1, &statement,
                           NULL) == SQLITE_OK &&
        filters_bind(&serial, 0, statement, &e) == 0 && sqlite3_step(statement) == SQLITE_ROW) {
        subject = sqlite3_column_text(statement, 0);
    }
    (void)fprintf(t->out, "%s (serial %s)",
                  subject == NULL ? "somebody whose certificate the record does not have"
                                  : (const char *)subject,
                  text_of(t, name));
}

/* ---- kinds ---- */

static void
registration(const struct telling *t)
{
    who(t, "registrar");
    (void)fprintf(t->out,
                  " registered the network function %s under registration %s: %" PRId64
                  " initial certificate(s) from %s to %s, for who proves himself by %s",
                  text_of(t, "nfInstanceId"), text_of(t, "registration"),
                  leaf_int(t->leaf, "certificates", 0), text_of(t, "notBefore"),
                  text_of(t, "notAfter"), text_of(t, "proof"));
    also(t, "; it replaces registration ", "supersedes");
}

static void
cancel(const struct telling *t)
{
    if (leaf_text(t->leaf, "registrar") != NULL) {
        who(t, "registrar");
    } else {
        (void)fputs(text_of(t, "by"), t->out);
    }
    (void)fprintf(t->out, " ended registration %s", text_of(t, "registration"));
    also(t, ", because: ", "reason");
}

static void
request(const struct telling *t)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(LEAF_MAX);
    const char *encoded = leaf_text(t->leaf, "entry");
    const int64_t approvals = leaf_int(t->leaf, "approvals", 0);
    struct audit_entry entry;
    char at[TIME_TEXT_SIZE];
    struct err e;

    (void)fprintf(t->out,
                  "The network function asked for a certificate of profile %s, with request %s",
                  text_of(t, "profile"), text_of(t, "rid"));
    if (encoded != NULL && base64_parse(encoded, &der, &e) == 0 &&
        audit_entry_read(buf_span(&der), &entry, &e) == 0) {
        time_format(entry.received, at);
        (void)fprintf(t->out, "; it came to the RA at %s, to place %" PRId64 " of its queue", at,
                      leaf_int(t->leaf, "qseq", 0));
    }
    (void)fputs(strcmp(text_of(t, "assurance"), "mac") == 0
                    ? "; it proved itself by the one-time secret of its registration"
                    : "; it proved itself by its signature, which the CA verified",
                t->out);
    if (approvals > 0) {
        (void)fprintf(t->out, "; %" PRId64 " officer(s) had to approve", approvals);
    }
}

static void
approval(const struct telling *t)
{
    who(t, "officer");
    (void)fprintf(t->out, " %s request %s",
                  strcmp(text_of(t, "decision"), "approve") == 0 ? "approved" : "rejected",
                  text_of(t, "rid"));
    also(t, ", handed in by ", "by");
    also(t, ": ", "reason");
}

static void
refusal(const struct telling *t)
{
    const char *name = term_fail_info(leaf_int(t->leaf, "failInfo", -1));

    (void)fprintf(t->out, "Request %s was refused (%s): %s", text_of(t, "rid"),
                  name == NULL ? "no PKIFailureInfo" : name, text_of(t, "reason"));
}

static void
intent(const struct telling *t)
{
    (void)fprintf(t->out,
                  "The CA decided to issue the certificate %s under profile %s, valid from %s to "
                  "%s, and recorded the hash of what it was about to sign",
                  text_of(t, "serial"), text_of(t, "profile"), text_of(t, "notBefore"),
                  text_of(t, "notAfter"));
    also(t, "; profiles were those of the file with SHA-256 ", "profileFile");
    also(t, "; it updates ", "updates");
    also(t, "; it takes the place of ", "renews");
    also(t, "; it is a further try, for the use of ", "insteadOf");
    also(t, "; it was asked for by ", "by");
}

static int
issued(const struct telling *t, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *certificate = audit_certificate(t->leaf, e);
    CLEANUP(audit_summary_free) struct audit_summary summary = {0};

    if (certificate == NULL || audit_summarize(certificate, &summary, e) != 0) {
        return -1;
    }
    (void)fprintf(t->out,
                  "The issuing key signed it, as it was intended: subject %s; %s%s%skey %s; "
                  "issuer %s; SHA-256 %s",
                  summary.subject, summary.names[0] == '\0' ? "" : "names ", summary.names,
                  summary.names[0] == '\0' ? "" : "; ", summary.key, summary.issuer,
                  summary.sha256);
    return 0;
}

static void
revoked(const struct telling *t)
{
    const char *name = term_crl_reason(leaf_int(t->leaf, "reason", -1));

    (void)fprintf(t->out, "The certificate %s was revoked: %s", text_of(t, "serial"),
                  name == NULL ? "for an unknown reason" : name);
    also(t, ", by ", "by");
    also(t, ", as of ", "revocationDate");
    also(t, "; its successor is ", "supersededBy");
    also(t, "; request ", "rr");
    also(t, "; it is suspect since ", "invalidityDate");
}

static void
crl(const struct telling *t)
{
    (void)fprintf(t->out,
                  "CRL number %" PRId64 " was issued, from %s to %s, with %" PRId64
                  " entries, SHA-256 %s",
                  leaf_int(t->leaf, "number", 0), text_of(t, "thisUpdate"),
                  text_of(t, "nextUpdate"), leaf_int(t->leaf, "entries", 0), text_of(t, "sha256"));
}

static void
operation(const struct telling *t)
{
    (void)fprintf(t->out, "%s asked the CA for %s", text_of(t, "by"), text_of(t, "command"));
    also(t, " of ", "object");
    (void)fprintf(t->out, ": %s", text_of(t, "outcome"));
    also(t, ": ", "reason");
}

static int
tell(const struct telling *t, struct err *e)
{
    switch (leaf_kind(t->leaf)) {
    case LEAF_REGISTRATION:
        registration(t);
        return 0;
    case LEAF_CANCEL:
        cancel(t);
        return 0;
    case LEAF_QUEUE_HEAD:
        who(t, "ra");
        (void)fprintf(t->out, ", an RA, signed the head %s of its queue", text_of(t, "head"));
        return 0;
    case LEAF_REQUEST:
        request(t);
        return 0;
    case LEAF_APPROVAL:
        approval(t);
        return 0;
    case LEAF_REFUSAL:
        refusal(t);
        return 0;
    case LEAF_INTENT:
        intent(t);
        return 0;
    case LEAF_ISSUED:
        return issued(t, e);
    case LEAF_CONFIRMED:
        (void)fputs("Whoever asked confirmed that he has it", t->out);
        return 0;
    case LEAF_REJECTED:
        (void)fprintf(t->out, "It was not wanted, or given up: %s", text_of(t, "reason"));
        return 0;
    case LEAF_AGAIN:
        (void)fprintf(t->out, "It was given once more, to the newer request %s",
                      text_of(t, "again"));
        return 0;
    case LEAF_REVOKED:
        revoked(t);
        return 0;
    case LEAF_CRL:
        crl(t);
        return 0;
    case LEAF_ADOPTED:
        (void)fprintf(t->out, "The record had lost it; it is known by: %s", text_of(t, "from"));
        return 0;
    case LEAF_OPERATION:
        operation(t);
        return 0;
    case LEAF_START:
    case LEAF_STOP:
    case LEAF_CONFIG:
    case LEAF_RA_REPORT:
    case LEAF_CLOCK:
    case LEAF_RECOVERED:
    case LEAF_CEREMONY:
    case LEAF_CRL_INTENT:
    case LEAF_SEALED:
    case LEAF_RESTORED:
    case LEAF_ACKNOWLEDGED:
    case LEAF_KINDS:
        break;
    }
    (void)fprintf(t->out, "%s: %.*s", leaf_kind_name(leaf_kind(t->leaf)), (int)leaf_body(t->leaf).n,
                  (const char *)leaf_body(t->leaf).p);
    return 0;
}

char *
tell_leaf(struct mirror *m, const struct leaf *leaf, struct err *e)
{
    char *text = NULL;
    size_t n = 0;
    const struct telling t = {.mirror = m, .leaf = leaf, .out = open_memstream(&text, &n)};
    int failed;

    assert(t.out != NULL);
    failed = tell(&t, e);
    (void)fputc('.', t.out);
    if (fclose(t.out) != 0 || failed != 0) {
        mem_free(text);
        return NULL;
    }
    return text;
}
