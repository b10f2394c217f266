/* SPDX-License-Identifier: Apache-2.0 */
/* certConf (RFC 9483 4.1.1): the network function takes its certificate, or does not. */
#include <string.h>

#include "ca/confirmation.h"
#include "ca/crl_maker.h"
#include "ca/issue.h"

static int
run_confirm(struct store_op *op, struct store_db *db, struct err *e)
{
    struct issue *j = CONTAINER_OF(op, struct issue, op);
    const struct issuance_confirmation c = {
        .rid = issue_rid(j),
        .ra_der = issue_ra_der(j),
        .request = span_of(j->first.rid, sizeof(j->first.rid)),
        .accepted = j->confirmation.accepted,
        .evidence = buf_span(&j->asked),
        .reason = j->confirmation_reason,
        .now = j->now,
    };

    return issuance_confirm(db, &c, &j->found.leaf, &j->is_revoked, &j->outcome, e);
}

static void
on_confirmed(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, op.task);

    ca_check_store(&j->op, "store a confirmation");
    if (j->outcome != ISSUANCE_DONE && j->outcome != ISSUANCE_KNOWN) {
        issue_refuse_change(j, "certConf", CMP_CERT_CONFIRMED);
        return;
    }
    if (j->outcome == ISSUANCE_DONE && j->is_revoked) {
        crl_make(j->ca->crl, NULL); /* this one, or the one that it supersedes */
    }
    issue_release_confirmed(j);
}

static void
run_judge(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, work);
    CLEANUP(cmp_queued_cleanup)
    struct cmp_queued *first = cmp_queued_parse(buf_span(&j->first_evidence), &j->e);
    CLEANUP(x509_cleanup) X509 *certificate = NULL;

    j->result = -1;
    j->failure = CMP_SYSTEM_FAILURE;
    if (first == NULL) {
        return;
    }
    certificate = certificate_parse_keyless(buf_span(&j->first.certificate), &j->e);
    if (certificate == NULL) {
        return;
    }
    j->result =
        confirmation_judge(j->queued, first, j->first.assurance == ISSUANCE_MAC,
                           j->first.cert_req_id, certificate, &j->confirmation, &j->failure, &j->e);
    j->confirmation_reason =
        mem_printf("rejected by the network function: %s", j->confirmation.status.text);
    ca_printable(j->confirmation_reason);
}

static void
on_judged(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, work);

    if (j->result != 0) {
        issue_refuse(j);
        return;
    }
    issue_store(j, run_confirm, on_confirmed);
}

void
issue_confirm(struct issue *j)
{
    switch (j->first_evidence.n == 0 ? ISSUANCE_REFUSED : j->first.state) {
    case ISSUANCE_ISSUED:
        issue_work(j, run_judge, on_judged);
        return;
    case ISSUANCE_REJECTED:
        (void)phrase_refuse(&j->failure, PHRASE_NOT_KEPT, &j->e,
                            "certConf: the certificate was rejected, replaced or given up");
        issue_refuse(j);
        return;
    case ISSUANCE_CONFIRMED:
        j->failure = CMP_CERT_CONFIRMED;
        break;
    case ISSUANCE_INTENT:
    case ISSUANCE_REFUSED:
    case ISSUANCE_ABANDONED:
        (void)phrase_refuse(&j->failure, PHRASE_NOTHING_TO_CONFIRM, &j->e,
                            "certConf: nothing waits for a confirmation");
        issue_refuse(j);
        return;
    }
    (void)err_set(&j->e, ERR_DENIED, "certConf: the certificate is confirmed or rejected already");
    issue_refuse(j);
}
