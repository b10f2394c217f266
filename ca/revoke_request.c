/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rr (RFC 9483 4.2, 5.3.2): a network function gives its own certificate back, or the operator's
 * OAM (a registrar) or an RA revokes one for it. All of it is judged from the requester's octets
 * and ca.db; the RA that passes it on is believed in nothing.
 */
#include <string.h>

#include "ca/cmp/protect.h"
#include "ca/issue.h"
#include "ca/x509/pubkey.h"

void
issue_revoke_read(struct issue *j)
{
    struct err e = {0};

    if (cmp_revreq_read(cmp_queued_inner(j->queued), j->ca->policy.name, &j->revreq,
                        &j->revreq_failure, &e) != 0) {
        j->e = e; /* it is said when we know who asks */
    }
}

int
issue_revoke_look(struct issue *j, struct store_db *db, struct err *e)
{
    if (issuance_asked_find(db, issue_rid(j), &j->found.leaf, &j->is_confirmed, e) != 0) {
        return -1;
    }
    return j->revreq_failure != CMP_NO_FAILURE
               ? 0
               : issuance_target_find(db, span_of(j->revreq.serial, j->revreq.serial_size),
                                      &j->target, &j->is_target, e);
}

/* ---- answer ---- */

static void
released_revoked(struct release_item *item)
{
    issue_end_revoked(CONTAINER_OF(item, struct issue, release));
}

void
issue_release_revoked(struct issue *j)
{
    issue_release(j, j->found.leaf, released_revoked);
}

/* What the network function hears is what relying parties can see by then. When the token is away
 * the CRL comes later; the revocation is in the record, and that is what counts. */
static void
on_published(struct crl_waiter *waiter, uint64_t number, const struct err *why)
{
    struct issue *j = CONTAINER_OF(waiter, struct issue, crl);

    (void)number;
    if (why != NULL) {
        log_err(LOG_WARNING, "revoked", why, "the CRL follows");
    }
    issue_release_revoked(j);
}

/* ---- record ---- */

static int
run_revoke(struct store_op *op, struct store_db *db, struct err *e)
{
    struct issue *j = CONTAINER_OF(op, struct issue, op);
    const struct issuance_asked a = {
        .rid = issue_rid(j),
        .ra_der = issue_ra_der(j),
        .holder = span_of(j->holder.serial, sizeof(j->holder.serial)),
        .serial = span_of(j->revreq.serial, j->revreq.serial_size),
        .reason = j->revreq.reason,
        .by = j->by,
        .has_invalidity = j->revreq.has_invalidity,
        .invalidity_date = j->revreq.invalidity_date,
        .evidence = buf_span(&j->asked),
        .now = j->now,
    };

    return issuance_revoke_asked(db, &a, &j->found.leaf, &j->outcome, e);
}

static void
on_revoked(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, op.task);

    ca_check_store(&j->op, "store a revocation");
    if (j->outcome == ISSUANCE_DONE) {
        j->crl.done = on_published;
        crl_make(j->ca->crl, &j->crl);
    } else if (j->outcome == ISSUANCE_KNOWN) {
        issue_release_revoked(j);
    } else {
        issue_refuse_change(j, "rr", CMP_BAD_CERT_ID);
    }
}

/* ---- judge ---- */

static int
fail(struct issue *j, enum cmp_failure failure)
{
    j->failure = failure;
    return -1;
}

/* An end entity speaks for its own certificate; a registrar and an RA for those of network
 * functions, never for ours. */
static int
check_right(struct issue *j)
{
    const struct trust *trust = j->ca->policy.trust;
    const struct cmp_msg *m = cmp_queued_inner(j->queued);
    const struct issuance_holder *h = &j->holder;
    struct span serial = span_of(j->revreq.serial, j->revreq.serial_size);

    if (h->nf_instance[0] != '\0') {
        if (trust_check_own(trust, m, j->requester, j->now, &j->failure, &j->e) != 0) {
            return -1;
        }
        if (j->is_target && !span_equal(serial, span_of(h->serial, sizeof(h->serial)))) {
            return phrase_refuse(&j->failure, PHRASE_REVOKE_OTHERS, &j->e,
                                 "rr for somebody else's certificate");
        }
        j->by = mem_strdup("rr of its holder");
        return 0;
    }
    if (strcmp(h->profile, "ra-cmp") != 0 && strcmp(h->profile, "registrar") != 0) {
        (void)err_set(&j->e, ERR_DENIED, "rr signed under profile %s", h->profile);
        return fail(j, CMP_NOT_AUTHORIZED);
    }
    if ((strcmp(h->profile, "ra-cmp") == 0 ? trust_check_ra : trust_check_person)(
            trust, m, j->requester, j->now, &j->failure, &j->e) != 0) {
        return -1;
    }
    if (j->is_target && j->target.nf_instance[0] == '\0') {
        return phrase_refuse(&j->failure, PHRASE_REVOKE_OTHERS, &j->e,
                             "rr for a certificate of our own processes or officers");
    }
    {
        char hex[2 * ISSUANCE_SERIAL_SIZE + 1];

        hex_format(span_of(h->serial, sizeof(h->serial)), hex);
        j->by = mem_printf("rr of %s %s", h->profile, hex);
    }
    return 0;
}

static int
check_key(struct issue *j)
{
    struct span der = buf_span(&j->target.certificate);
    CLEANUP(x509_cleanup) X509 *certificate = certificate_parse_keyless(der, &j->e);
    CLEANUP(buf_free) struct buf spki = BUF_INIT(PUBKEY_SPKI_MAX);
    uint8_t hash[SHA256_SIZE];

    if (certificate == NULL ||
        OSSL_ENCODE(X509_PUBKEY, X509_get_X509_PUBKEY(certificate), &spki, &j->e) != 0 ||
        sha256(buf_span(&spki), hash, &j->e) != 0) {
        return fail(j, CMP_SYSTEM_FAILURE);
    }
    return cmp_revreq_check_key(&j->revreq, hash, &j->failure, &j->e);
}

static int
check_target(struct issue *j)
{
    if (!j->is_target) {
        return phrase_refuse(&j->failure, PHRASE_REVOKE_UNKNOWN, &j->e,
                             "rr for a certificate that was not issued here");
    }
    if (check_key(j) != 0) {
        return -1;
    }
    if (j->target.revoked) {
        return phrase_refuse(&j->failure, PHRASE_REVOKE_AGAIN, &j->e,
                             "rr for what is revoked already");
    }
    if (j->target.not_after < j->now) {
        return phrase_refuse(&j->failure, PHRASE_REVOKE_EXPIRED, &j->e, "rr for what has expired");
    }
    return 0;
}

static int
judge(struct issue *j)
{
    const struct cmp_msg *m = cmp_queued_inner(j->queued);
    const struct err malformed = j->e;

    if (cmp_protection_of(m) != CMP_PROTECTION_SIGNATURE ||
        cmp_queued_entry(j->queued)->assurance != CMP_ASSURANCE_SIGNATURE) {
        return phrase_refuse(&j->failure, PHRASE_REVOKE_MAC, &j->e,
                             "rr that is not signed, or not attested so");
    }
    j->requester = cmp_signer_parse(m, &j->e);
    if (j->requester == NULL) {
        return phrase_say(&j->failure, PHRASE_NO_SIGNER, &j->e);
    }
    if (cmp_signature_verify(m, j->requester, &j->failure, &j->e) != 0) {
        return -1;
    }
    if (!j->is_held) {
        (void)phrase_refuse(&j->failure, PHRASE_NOT_OURS, &j->e,
                            "rr signed with a certificate that is not ours");
        return phrase_value(&j->e, "rr");
    }
    if (j->holder.revoked) {
        (void)err_set(&j->e, ERR_DENIED, "rr signed with a certificate that is revoked");
        return fail(j, CMP_CERT_REVOKED);
    }
    if (j->revreq_failure != CMP_NO_FAILURE) {
        j->e = malformed;
        return fail(j, j->revreq_failure);
    }
    return check_right(j) != 0 ? -1 : check_target(j);
}

static void
run_judge(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, work);

    j->result = judge(j);
}

static void
on_judged(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, work);

    if (j->result != 0) {
        issue_refuse(j);
        return;
    }
    issue_store(j, run_revoke, on_revoked);
}

void
issue_revoke(struct issue *j)
{
    issue_work(j, run_judge, on_judged);
}
