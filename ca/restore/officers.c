/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/registration/restore_plan.h"
#include "ca/restore/state.h"

static int
run_officers(struct store_op *op, struct store_db *db, struct err *e)
{
    return plan_approvals_check(db, restore_of(op)->approvals, e);
}

int
step_officers(struct restore *r, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(r->approvals); i++) {
        struct plan_approval *a = &r->approvals[i];

        if (plan_approval_read(r->options->approvals[i], RESTORE_PLAN_KIND, &r->ca->policy, r->now,
                               a, e) != 0) {
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
    return restore_in_store(r, run_officers, e);
}
