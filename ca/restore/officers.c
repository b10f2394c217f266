/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/registration/approval.h"
#include "ca/restore/state.h"
#include "ca/x509/serial.h"
#include "db/issuance/role.h"

static int
check_officer(struct store_db *db, const struct plan_approval *a, struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(LINK_CERTIFICATE_MAX);
    CLEANUP(mem_cleanup) char *serial = hex_dup(serial_of(a->officer));
    enum issuance_role role;

    if (OSSL_ENCODE(X509, a->officer, &der, e) != 0 ||
        issuance_role_of(db, buf_span(&der), &role, e) != 0) {
        return -1;
    }
    return role == ISSUANCE_OFFICER
               ? 0
               : err_set(e, ERR_DENIED,
                         "serial %s, which signed an approval, is no officer's by the restored "
                         "record, or is revoked",
                         serial);
}

static int
run_officers(struct store_op *op, struct store_db *db, struct err *e)
{
    const struct restore *r = restore_of(op);

    return check_officer(db, &r->approvals[0], e) != 0 ||
                   check_officer(db, &r->approvals[1], e) != 0
               ? -1
               : 0;
}

int
step_officers(struct restore *r, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(r->approvals); i++) {
        struct plan_approval *a = &r->approvals[i];

        if (plan_approval_read(r->options->approvals[i], &r->ca->policy, r->now, a, e) != 0) {
            return -1;
        }
        r->plan.time = a->time;
        mem_free(r->text);
        r->text = plan_format(&r->plan);
        if (!span_equal(buf_span(&a->text), span_str(r->text))) {
            return err_set(e, ERR_DENIED,
                           "%s: what was signed is not the plan of this state: make a new one",
                           r->options->approvals[i]);
        }
    }
    if (approval_same_person(r->approvals[0].officer, r->approvals[1].officer)) {
        return err_set(e, ERR_DENIED, "both approvals are of one person: two officers must sign");
    }
    return restore_in_store(r, run_officers, e);
}
