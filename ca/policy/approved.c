/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/policy/approved.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "ca/x509/serial.h"

enum { SERIAL_MAX = 32 };

void
approved_free(struct approved *a)
{
    for (size_t i = 0; i < a->n; i++) {
        buf_free(&a->list[i].cms);
        buf_free(&a->list[i].officer);
    }
    a->n = 0;
}

static int
add(void *arg, const struct issuance_approval *row, struct err *e)
{
    struct approved *a = arg;

    if (!row->approves || !row->valid || a->n == APPROVED_MAX) {
        return 0;
    }
    a->list[a->n].cms = BUF_INIT(APPROVAL_CMS_MAX);
    a->list[a->n].officer = BUF_INIT(SERIAL_MAX);
    a->list[a->n].created = row->created;
    a->n++;
    return buf_set(&a->list[a->n - 1].officer, row->officer, e) != 0
               ? -1
               : buf_set(&a->list[a->n - 1].cms, row->cms, e);
}

int
approved_load(struct store_db *db, struct span rid, struct approved *out, struct err *e)
{
    return issuance_approval_each(db, rid, add, out, e);
}

void
approved_request_of_row(const struct issuance_pending *p, struct approval *out)
{
    memset(out, 0, sizeof(*out));
    memcpy(out->rid, p->rid, sizeof(out->rid));
    memcpy(out->public_key, p->spki_sha256, sizeof(out->public_key));
    (void)snprintf(out->registration, sizeof(out->registration), "%s", p->registration);
    (void)snprintf(out->nf_instance, sizeof(out->nf_instance), "%s", p->nf_instance);
    (void)snprintf(out->profile, sizeof(out->profile), "%s", p->profile);
}

void
approved_request_of_grant(struct span rid, const char *registration, const struct policy_grant *g,
                          struct approval *out)
{
    memset(out, 0, sizeof(*out));
    assert(rid.n == sizeof(out->rid));
    memcpy(out->rid, rid.p, sizeof(out->rid));
    memcpy(out->public_key, g->spki_sha256, sizeof(out->public_key));
    (void)snprintf(out->registration, sizeof(out->registration), "%s", registration);
    (void)snprintf(out->nf_instance, sizeof(out->nf_instance), "%s",
                   g->registration.nf.instance_id);
    (void)snprintf(out->profile, sizeof(out->profile), "%s", g->request.profile->name);
}

static struct registration_signed *
open_registration(const struct policy *p, const struct issuance_registration *row, struct err *e)
{
    /* At the time when it was taken in: the registrar's certificate may have expired since. */
    return registration_verify(buf_span(&row->cms), p->issuing, p->root, row->registered, &p->rules,
                               NULL, e);
}

int
approved_check_eyes(const struct policy *p, const struct issuance_registration *row,
                    const X509 *officer, struct err *e)
{
    CLEANUP(registration_signed_cleanup)
    struct registration_signed *registered = open_registration(p, row, e);

    if (registered == NULL) {
        return -1;
    }
    return approval_same_person(registered->signer, officer)
               ? err_set(e, ERR_DENIED,
                         "who registered the network function does not decide about its request")
               : 0;
}

/* Does this one count, beside those that do already? */
static bool
counts(const struct approval_signed *a, const struct approval *request, const X509 *registrar,
       struct approval_signed *const *others, size_t n, time_t now, struct err *e)
{
    if (!a->content.approves || approval_binds(&a->content, request, e) != 0 ||
        approval_check_window(&a->content, now, e) != 0 ||
        approval_same_person(a->officer, registrar)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (approval_same_person(a->officer, others[i]->officer)) {
            return false;
        }
    }
    return true;
}

int
approved_count(const struct policy *p, const struct issuance_registration *row,
               const struct approval *request, const struct approved *approved, time_t now,
               int *count, struct err *e)
{
    struct approval_signed *good[APPROVED_MAX];
    size_t n = 0;
    CLEANUP(registration_signed_cleanup)
    struct registration_signed *registered = open_registration(p, row, e);

    *count = 0;
    if (registered == NULL) {
        return -1;
    }
    for (size_t i = 0; i < approved->n; i++) {
        struct span officer = buf_span(&approved->list[i].officer);
        struct err why = {0};
        struct approval_signed *a = approval_verify(buf_span(&approved->list[i].cms), p->issuing,
                                                    p->root, approved->list[i].created, &why);

        /* Whose role was found in the record is who signed. */
        if (a != NULL && !span_equal(serial_of(a->officer), officer)) {
            (void)err_set(&why, ERR_DENIED, "signed by another certificate than the row says");
        } else if (a != NULL && counts(a, request, registered->signer, good, n, now, &why)) {
            good[n++] = a;
            continue;
        }
        log_err(LOG_WARNING, "approval-not-counted", &why, "%s", request->registration);
        approval_signed_free(a);
    }
    *count = (int)n;
    for (size_t i = 0; i < n; i++) {
        approval_signed_free(good[i]);
    }
    return 0;
}
