/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/story/signatures.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "db/audit/der/certificate.h"
#include "db/audit/query/cells.h"
#include "db/audit/rules/attested.h"
#include "db/audit/rules/evidence.h"
#include "db/audit/rules/signed.h"

enum { SERIAL_SIZE = 2 * 64 + 1 };

struct signatures {
    struct mirror *mirror;
    struct audit_issuers *issuers;
    struct audit_evidence *evidence;
    struct audit_attested *attested;
    char ra[SERIAL_SIZE]; /* whose certificate `attested` has seen last */
};

const char *
signature_name(enum signature signature)
{
    switch (signature) {
    case SIGNATURE_NONE:
        return "of the log alone";
    case SIGNATURE_VERIFIED:
        return "verified again";
    case SIGNATURE_ABSENT:
        return "not in the record";
    case SIGNATURE_UNASKED:
        return "not verified: give the issuing certificate with --issuer";
    }
    assert(false);
    return "";
}

void
signatures_free(struct signatures *s)
{
    if (s != NULL) {
        audit_evidence_free(s->evidence);
        audit_attested_free(s->attested);
        mem_free(s);
    }
}

struct signatures *
signatures_new(struct mirror *m, struct audit_issuers *issuers)
{
    struct signatures *s = mem_new(sizeof(*s));

    s->mirror = m;
    s->issuers = issuers;
    s->evidence = audit_evidence_new();
    s->attested = audit_attested_new();
    return s;
}

/* ---- other leaves ---- */

/* A number by a leaf's index; `missing` when there is none. */
static int
ask(struct signatures *s, const char *sql, uint64_t index, int64_t missing, int64_t *out,
    struct err *e)
{
    CLEANUP(statement_cleanup) sqlite3_stmt *statement = NULL;

    if (statement_prepare(mirror_sqlite(s->mirror), sql, &statement, e) != 0) {
        return -1;
    }
    (void)sqlite3_bind_int64(statement, 1, (int64_t)index);
    *out = sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL
               ? sqlite3_column_int64(statement, 0)
               : missing;
    return 0;
}

/* The record's version there: of the last leaf that says one. */
static int
version_at(struct signatures *s, uint64_t index, int64_t *version, struct err *e)
{
    return ask(s,
               "SELECT record FROM (SELECT leaf, coalesce(record, 1) AS record FROM operation "
               "WHERE issuer IS NOT NULL UNION ALL SELECT leaf, record FROM signed) WHERE leaf < ? "
               "ORDER BY leaf DESC LIMIT 1",
               index, 1, version, e);
}

/* The certificate that the record has under this serial. */
static X509 *
certificate_of(struct signatures *s, const char *serial, struct err *e)
{
    CLEANUP(story_leaf_free) struct story_leaf issued = {0};
    bool found = false;
    uint64_t index = 0;

    if (story_issued(s->mirror, serial, &found, &index, e) != 0) {
        return NULL;
    }
    if (!found) {
        (void)err_set(e, ERR_CRYPTO, "the certificate of serial %s is not in the record", serial);
        return NULL;
    }
    return story_leaf_load(s->mirror, index, &issued, e) == 0 ? audit_certificate(issued.leaf, e)
                                                              : NULL;
}

/* ---- what people signed ---- */

static int
registration_check(struct signatures *s, const struct leaf *leaf, enum signature *out,
                   struct err *e)
{
    CLEANUP(x509_cleanup) X509 *registrar = NULL;

    *out = SIGNATURE_ABSENT;
    if (leaf_text(leaf, "cms") == NULL && leaf_text(leaf, "batch") == NULL) {
        return 0;
    }
    registrar = certificate_of(s, leaf_text(leaf, "registrar"), e);
    if (registrar == NULL || audit_evidence_check(s->evidence, leaf, registrar, e) != 0) {
        return -1;
    }
    *out = SIGNATURE_VERIFIED;
    return 0;
}

/* A CMS of whoever the member `by` names, where there is one. */
static int
person_check(struct signatures *s, const struct leaf *leaf, const char *by, const char *cms,
             enum signature *out, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *person = NULL;
    CLEANUP(buf_free) struct buf content = BUF_INIT(LEAF_MAX);

    *out = SIGNATURE_ABSENT;
    if (leaf_text(leaf, by) == NULL || leaf_text(leaf, cms) == NULL) {
        return 0;
    }
    person = certificate_of(s, leaf_text(leaf, by), e);
    if (person == NULL || audit_signed_member(leaf, cms, person, &content, e) != 0) {
        return -1;
    }
    *out = SIGNATURE_VERIFIED;
    return 0;
}

static int
officers_check(struct signatures *s, const struct leaf *leaf, enum signature *out, struct err *e)
{
    return person_check(s, leaf, "officer", "cms", out, e) == 0 && *out == SIGNATURE_VERIFIED
               ? person_check(s, leaf, "secondOfficer", "secondCms", out, e)
               : -1;
}

/* ---- what programs signed ---- */

static int
show(struct signatures *s, uint64_t index, int64_t version, struct err *e)
{
    CLEANUP(story_leaf_free) struct story_leaf leaf = {0};

    return story_leaf_load(s->mirror, index, &leaf, e) == 0
               ? audit_attested_check(s->attested, version, leaf.leaf, e)
               : -1;
}

/* The START in force says for which CA; INTENT and ISSUED, whose key it is. */
static int
show_ra(struct signatures *s, const struct story_leaf *head, int64_t version, struct err *e)
{
    const char *serial = leaf_text(head->leaf, "ra");
    bool found = false;
    uint64_t issued = 0;
    int64_t start;
    int64_t intent;

    if (ask(s, "SELECT max(leaf) FROM operation WHERE issuer IS NOT NULL AND leaf < ?", head->index,
            -1, &start, e) != 0 ||
        (start >= 0 && show(s, (uint64_t)start, version, e) != 0)) {
        return -1;
    }
    if (strcmp(s->ra, serial) == 0) {
        return 0;
    }
    (void)snprintf(s->ra, sizeof(s->ra), "%s", serial);
    if (story_issued(s->mirror, serial, &found, &issued, e) != 0 ||
        ask(s, "SELECT leaf FROM certificate WHERE issued = ?", issued, -1, &intent, e) != 0) {
        return -1;
    }
    return !found ||
                   (show(s, (uint64_t)intent, version, e) == 0 && show(s, issued, version, e) == 0)
               ? 0
               : -1;
}

static int
attested_check(struct signatures *s, const struct story_leaf *leaf, enum signature *out,
               struct err *e)
{
    const bool is_head = leaf_kind(leaf->leaf) == LEAF_QUEUE_HEAD;
    int64_t version;

    *out = SIGNATURE_ABSENT;
    if (leaf_text(leaf->leaf, "head") == NULL) {
        return 0;
    }
    if (version_at(s, leaf->index, &version, e) != 0 ||
        (is_head && show_ra(s, leaf, version, e) != 0) ||
        audit_attested_check(s->attested, version, leaf->leaf, e) != 0) {
        return -1;
    }
    *out = SIGNATURE_VERIFIED;
    return 0;
}

static int
issuer_check(struct signatures *s, const struct story_leaf *leaf, enum signature *out,
             struct err *e)
{
    CLEANUP(story_leaf_free) struct story_leaf start = {0};
    const size_t before = audit_issuers_count(s->issuers).verified;
    int64_t index;

    if (ask(s, "SELECT max(leaf) FROM operation WHERE issuer IS NOT NULL AND leaf < ?", leaf->index,
            -1, &index, e) != 0 ||
        (index >= 0 && (story_leaf_load(s->mirror, (uint64_t)index, &start, e) != 0 ||
                        audit_issuers_check(s->issuers, start.leaf, e) != 0)) ||
        audit_issuers_check(s->issuers, leaf->leaf, e) != 0) {
        return -1;
    }
    *out =
        audit_issuers_count(s->issuers).verified > before ? SIGNATURE_VERIFIED : SIGNATURE_UNASKED;
    return 0;
}

int
signatures_check(struct signatures *s, const struct story_leaf *leaf, enum signature *out,
                 struct err *e)
{
    *out = SIGNATURE_NONE;
    switch (leaf_kind(leaf->leaf)) {
    case LEAF_REGISTRATION:
        return registration_check(s, leaf->leaf, out, e);
    case LEAF_CANCEL:
        if (leaf_text(leaf->leaf, "registrar") == NULL) {
            *out = SIGNATURE_ABSENT; /* an officer at the CA's socket, whose name it is */
            return 0;
        }
        return person_check(s, leaf->leaf, "registrar", "cms", out, e);
    case LEAF_APPROVAL:
        return person_check(s, leaf->leaf, "officer", "cms", out, e);
    case LEAF_RESTORED:
    case LEAF_ACKNOWLEDGED:
        return officers_check(s, leaf->leaf, out, e);
    case LEAF_QUEUE_HEAD:
    case LEAF_REQUEST:
    case LEAF_AGAIN:
        return attested_check(s, leaf, out, e);
    case LEAF_ISSUED:
        return issuer_check(s, leaf, out, e);
    case LEAF_RA_REPORT:
        *out = SIGNATURE_UNASKED; /* the import has verified it (reported.h) */
        return 0;
    case LEAF_START:
    case LEAF_STOP:
    case LEAF_CONFIG:
    case LEAF_REFUSAL:
    case LEAF_INTENT:
    case LEAF_CONFIRMED:
    case LEAF_REJECTED:
    case LEAF_REVOKED:
    case LEAF_CRL:
    case LEAF_RECOVERED:
    case LEAF_CEREMONY:
    case LEAF_CRL_INTENT:
    case LEAF_SEALED:
    case LEAF_ADOPTED:
    case LEAF_OPERATION:
    case LEAF_CLOCK:
    case LEAF_KINDS:
        break;
    }
    return 0;
}
