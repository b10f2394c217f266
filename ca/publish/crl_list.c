/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/publish/crl_list.h"

#include <assert.h>
#include <string.h>

#include "base/validity.h"
#include "ca/policy/backdate.h"

enum { REHEARSAL_S = REHEARSAL_DAYS_MAX * 24 * 60 * 60 };

void
crl_list_free(struct crl_list *l)
{
    mem_free(l->entries);
    *l = (struct crl_list){0};
}

static void
add_entry(void *arg, struct span serial, time_t revoked, int reason)
{
    struct crl_list *l = arg;
    struct crl_request *r = &l->request;
    struct crl_entry *entry;

    l->entries = mem_grow(l->entries, &l->capacity, r->n_entries + 1, sizeof(*l->entries));
    entry = &l->entries[r->n_entries];
    memset(entry, 0, sizeof(*entry));
    /* Leaving one out in silence would be worse than any stop: the tables are written with serials
     * of ours alone. */
    assert(serial.n <= sizeof(entry->serial));
    memcpy(entry->serial, serial.p, serial.n);
    entry->serial_size = serial.n;
    /* As it was recorded: no CRL has another date. It moves what begins before it, as with a larger
     * backdate than then. */
    entry->revoked_at = revoked;
    entry->reason = (enum crl_reason)reason;
    r->n_entries++;
    if (revoked > r->this_update) {
        r->this_update = revoked;
    }
}

/* Peers whose clocks are behind must not find the newest CRL not yet valid, nor anybody one that
 * is older than the one before (RFC 5280 5.1.2.4). */
static int
set_begin(struct crl_list *l, const struct ca *ca, struct store_db *db, struct err *e)
{
    const struct policy *p = &ca->policy;
    struct crl_request *r = &l->request;
    time_t last;

    if (backdate_begin(p->issuing, p->backdate_s, l->now, &r->this_update, e) != 0 ||
        issuance_crl_last(db, &last, e) != 0) {
        return -1;
    }
    r->this_update = r->this_update < last ? last : r->this_update;
    return 0;
}

static void
set_end(struct crl_list *l, const struct ca *ca)
{
    struct crl_request *r = &l->request;
    time_t validity = ca->conf.crl_validity_s;

    if (r->rehearsal && validity > REHEARSAL_S) {
        validity = REHEARSAL_S;
    }
    r->next_update = r->this_update + validity;
    if (r->this_update > l->now) {
        log_event(
            LOG_WARNING, "crl-ahead",
            "the CRL before, or what is on it, begins %lld s after the time here, so this one "
            "does, too: was the clock set back?",
            (long long)(r->this_update - l->now));
    }
}

int
crl_list_reserve(struct crl_list *l, const struct ca *ca, struct store_db *db, struct err *e)
{
    struct crl_request *r = &l->request;

    *r = (struct crl_request){.issuer = ca->policy.issuing, .rehearsal = ca->policy.rehearsal};
    /* RFC 5280 3.3: an entry stays until it was on a CRL after its certificate has ended, here
     * until that has run out. */
    if (set_begin(l, ca, db, e) != 0 || ledger_size(db, &l->up_to, e) != 0 ||
        issuance_crl_passed(db, r->this_update, &l->expired_before, e) != 0 ||
        issuance_crl_each(db, l->expired_before, add_entry, l, e) != 0) {
        return -1;
    }
    r->entries = l->entries;
    set_end(l, ca);
    return issuance_crl_reserve(db, r->this_update, r->next_update, &r->number, e);
}
