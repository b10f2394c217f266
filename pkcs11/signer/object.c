/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/signer/object.h"

#include "pkcs11/client/attempted.h"
#include "pkcs11/signer/logged.h"

static int
check_size(struct span tbs, size_t max, struct err *e)
{
    if (tbs.n == 0 || tbs.n > max) {
        return err_set(e, ERR_INPUT, "an object of %zu octets, allowed are 1 to %zu", tbs.n, max);
    }
    return 0;
}

static int
off_purpose(const char *what, struct err *e)
{
    return err_set(e, ERR_DENIED, "the policy of this key does not allow to sign %s", what);
}

static bool
may_sign(const struct policy *p, bool object)
{
    return p->purpose == POLICY_CERTIFICATE_AUTHORITY && object;
}

static int
off_objects(const struct policy *p, const char *what, const char *object, struct err *e)
{
    return p->purpose == POLICY_CERTIFICATE_AUTHORITY
               ? err_set(e, ERR_DENIED,
                         "objects: the policy of this signer has no %s, so it does not sign %s",
                         object, what)
               : off_purpose(what, e);
}

static int
off_queue_heads(const struct policy *p, struct err *e)
{
    return p->purpose == POLICY_CMP
               ? err_set(e, ERR_DENIED,
                         "queue_heads: the policy of this signer does not say true, so it does not "
                         "sign heads of a queue")
               : off_purpose("heads of a queue", e);
}

static int
check_certificate(const struct policy *p, struct span tbs, struct span evidence, struct err *e)
{
    if (!may_sign(p, p->certificates)) {
        return off_objects(p, "certificates", "certificate", e);
    }
    return check_size(tbs, OBJECT_CERTIFICATE_MAX, e) != 0 ||
                   object_check_certificate(p, tbs, e) != 0
               ? -1
               : logged_check_certificate(p, tbs, evidence, e);
}

static int
check_crl(const struct policy *p, struct span tbs, struct span evidence, struct err *e)
{
    struct crl_said said;

    if (!may_sign(p, p->crls)) {
        return off_objects(p, "CRLs", "crl", e);
    }
    return check_size(tbs, OBJECT_CRL_MAX, e) != 0 || object_check_crl(p, tbs, &said, e) != 0
               ? -1
               : logged_check_crl(p, tbs, &said, evidence, e);
}

static int
check_checkpoint(const struct policy *p, struct span text, struct span evidence,
                 const struct tree_head *last, struct tree_head *out, struct err *e)
{
    if (p->purpose != POLICY_LOG) {
        return off_purpose("checkpoints", e);
    }
    return check_size(text, OBJECT_CHECKPOINT_MAX, e) != 0
               ? -1
               : object_check_checkpoint(p, text, evidence, last, out, e);
}

static int
check_seal(const struct policy *p, struct span text, struct err *e)
{
    if (!p->seals) {
        return err_set(e, ERR_DENIED, "the policy of this signer has no section seal");
    }
    /* That of a certificate authority is for snapshots of its journal alone. */
    return p->purpose != POLICY_CERTIFICATE_AUTHORITY &&
                   span_equal(text,
                              p->purpose == POLICY_LOG ? SIGNER_SEAL_TEXT_CA : SIGNER_SEAL_TEXT_RA)
               ? 0
               : err_set(e, ERR_DENIED, "a MAC over another text than the one that seals");
}

static int
check_last(const struct policy *p, struct span text, struct err *e)
{
    if (p->purpose != POLICY_LOG) {
        return err_set(e, ERR_DENIED, "the key of this signer is no log's");
    }
    return span_equal(text, SIGNER_LAST_TEXT)
               ? 0
               : err_set(e, ERR_DENIED, "another question than what was signed last");
}

/* Of any key; whose journal goes that far is for the caller. */
static int
check_attempted(struct span question, struct err *e)
{
    uint64_t first;

    return attempted_asked(question, &first, e);
}

static int
check_anchor(const struct policy *p, struct span text, struct err *e)
{
    if (p->purpose != POLICY_LOG) {
        return err_set(e, ERR_DENIED, "the key of this signer is no log's");
    }
    if (!p->anchors) {
        return err_set(e, ERR_DENIED, "anchor: the policy of this signer says none");
    }
    return span_equal(text, SIGNER_ANCHOR_TEXT)
               ? 0
               : err_set(e, ERR_DENIED, "another text than that what was signed last is committed");
}

static int
check_cmp(const struct policy *p, struct span part, struct err *e)
{
    if (p->purpose != POLICY_CMP) {
        return off_purpose("CMP messages", e);
    }
    return check_size(part, OBJECT_CMP_MAX, e) != 0 ? -1 : object_check_cmp(p, part, e);
}

static int
check_queue_head(const struct policy *p, struct span text, struct err *e)
{
    if (p->purpose != POLICY_CMP || !p->queue_heads) {
        return off_queue_heads(p, e);
    }
    return check_size(text, OBJECT_QUEUE_HEAD_MAX, e) != 0 ? -1
                                                           : object_check_queue_head(p, text, e);
}

/* Who says whom he asked about says whom he refused. */
static int
check_ra_report(const struct policy *p, struct span text, struct err *e)
{
    if (p->purpose != POLICY_CMP || !p->queue_heads) {
        return off_queue_heads(p, e);
    }
    return check_size(text, OBJECT_RA_REPORT_MAX, e) != 0 ? -1 : object_check_ra_report(p, text, e);
}

static bool
stands_alone(uint8_t kind)
{
    return kind == SIGNER_SEAL || kind == SIGNER_LAST || kind == SIGNER_ANCHOR ||
           kind == SIGNER_ATTEMPTED || kind == SIGNER_CMP || kind == SIGNER_QUEUE_HEAD ||
           kind == SIGNER_RA_REPORT;
}

int
object_check(const struct policy *p, uint8_t kind, struct span tbs, struct span evidence,
             const struct tree_head *last, struct tree_head *checkpoint, struct err *e)
{
    if (stands_alone(kind) && evidence.n > 0) {
        return err_set(e, ERR_INPUT, "evidence of %zu octets, where none belongs", evidence.n);
    }
    switch (kind) {
    case SIGNER_CERTIFICATE:
        return check_certificate(p, tbs, evidence, e);
    case SIGNER_CRL:
        return check_crl(p, tbs, evidence, e);
    case SIGNER_CHECKPOINT:
        return check_checkpoint(p, tbs, evidence, last, checkpoint, e);
    case SIGNER_SEAL:
        return check_seal(p, tbs, e);
    case SIGNER_LAST:
        return check_last(p, tbs, e);
    case SIGNER_ANCHOR:
        return check_anchor(p, tbs, e);
    case SIGNER_ATTEMPTED:
        return check_attempted(tbs, e);
    case SIGNER_CMP:
        return check_cmp(p, tbs, e);
    case SIGNER_QUEUE_HEAD:
        return check_queue_head(p, tbs, e);
    case SIGNER_RA_REPORT:
        return check_ra_report(p, tbs, e);
    default:
        return err_set(e, ERR_INPUT, "an object of unknown kind 0x%02x", kind);
    }
}
