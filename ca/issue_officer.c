/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate for a process or a person of ours, that an officer asks for. */
#include <limits.h>

#include "ca/issue.h"
#include "ca/x509/csr.h"

static void
run_officer(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, work);

    j->result = policy_grant_officer(&j->ca->policy, buf_span(&j->asked), j->profile,
                                     j->common_name, j->days, j->now, &j->grant, &j->e);
}

static void
on_officer_judged(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, work);

    if (j->result != 0) {
        issue_refuse(j);
        return;
    }
    j->is_granted = true;
    issue_intend(j);
}

void
issue_officer(struct ca *ca, struct admin_call *call, const json_t *request)
{
    const char *csr = json_string_value(json_object_get(request, "csr"));
    const char *profile = json_string_value(json_object_get(request, "profile"));
    const char *common_name = json_string_value(json_object_get(request, "commonName"));
    json_int_t days = json_integer_value(json_object_get(request, "days"));
    struct flight *busy = NULL;
    struct flight *flight;
    CLEANUP(csr_cleanup) struct csr *parsed = NULL;
    uint8_t rid[SHA256_SIZE];
    struct issue *j;
    struct err e = {0};

    if (csr == NULL || profile == NULL || common_name == NULL || days < INT_MIN || days > INT_MAX) {
        (void)err_set(&e, ERR_INPUT, "issue: csr, profile, commonName and days are needed");
        admin_refuse(call, &e);
        return;
    }
    parsed = csr_parse(span_str(csr), &e);
    if (parsed == NULL || sha256(csr_der(parsed), rid, &e) != 0) {
        admin_refuse(call, &e);
        return;
    }
    flight = ca_flight_begin(ca, span_of(rid, sizeof(rid)), 0, &busy);
    if (flight == NULL) {
        (void)err_set(&e, ERR_BUSY, "this request is being worked on");
        admin_refuse(call, &e);
        return;
    }
    j = issue_new(ca, flight, csr_der(parsed));
    j->call = call;
    j->profile = mem_strdup(profile);
    j->common_name = mem_strdup(common_name);
    j->days = (int)days;
    issue_work(j, run_officer, on_officer_judged);
}

/* ---- an officer's intent that a stop left behind ---- */

static void
run_officer_again(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, work);
    const struct issuance_request *q = &j->found;

    policy_grant_free(&j->grant);
    j->grant = (struct policy_grant){.request.not_before = q->not_before};
    j->result = policy_grant_officer(&j->ca->policy, buf_span(&j->asked), j->profile,
                                     j->common_name, j->days, q->created, &j->grant, &j->e);
    if (j->result == 0) {
        j->result =
            policy_same(&j->grant, span_of(q->serial, sizeof(q->serial)), buf_span(&q->tbs), &j->e);
    }
}

static void
on_officer_again(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, work);

    if (j->result != 0) {
        (void)err_wrap(&j->e, "this request was used before, for something else");
        issue_refuse(j);
        return;
    }
    issue_sign(j);
}

void
issue_officer_again(struct issue *j)
{
    issue_work(j, run_officer_again, on_officer_again);
}
