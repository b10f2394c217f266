/* SPDX-License-Identifier: Apache-2.0 */
/* What waits for officers, as they are shown it before they sign. */
#include <string.h>

#include "ca/office/approve.h"
#include "db/issuance/life/approval.h"

enum { LIST_MAX = 1000 };

struct listing {
    struct ca *ca;
    struct admin_call *call;
    struct store_op op;
    uint8_t rid[ISSUANCE_RID_SIZE];
    bool is_one;
    json_t *list;
};

static void
listing_free(struct listing *l)
{
    l->ca->jobs--;
    json_decref(l->list);
    mem_free(l);
}

/* Who is registered: what a person recognizes. */
static void
add_identity(json_t *entry, const struct issuance_pending *p)
{
    static const char *const names[] = {"nfTypes", "fqdns", "homeDomain", "country"};
    json_t *registered = json_loadb((const char *)p->registered_json.p, p->registered_json.n,
                                    JSON_REJECT_DUPLICATES, NULL);

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        json_t *value = json_object_get(registered, names[i]);

        if (value != NULL) {
            (void)json_object_set(entry, names[i], value);
        }
    }
    json_decref(registered);
}

static void
add_pending(void *arg, const struct issuance_pending *p)
{
    struct listing *l = arg;
    CLEANUP(mem_cleanup) char *rid = hex_dup(span_of(p->rid, sizeof(p->rid)));
    CLEANUP(mem_cleanup) char *key = hex_dup(span_of(p->spki_sha256, sizeof(p->spki_sha256)));
    CLEANUP(mem_cleanup) char *requester = hex_dup(buf_span(&p->requester));
    char since[TIME_TEXT_SIZE];
    char expires[TIME_TEXT_SIZE];
    json_t *entry;

    time_format(p->created, since);
    time_format(p->expires, expires);
    entry = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:i,s:i}", "rid", rid, "registration",
                      p->registration, "nfInstanceId", p->nf_instance, "profile", p->profile,
                      "publicKey", key, "requester", requester, "since", since, "expires", expires,
                      "approvals", p->approvals, "approved", p->approved, "missing",
                      p->approved < p->approvals ? p->approvals - p->approved : 0);
    (void)json_object_set_new(
        entry, "assurance", json_string(p->assurance == ISSUANCE_SIGNATURE ? "signature" : "mac"));
    add_identity(entry, p);
    (void)json_array_append_new(l->list, entry);
}

static int
add_decision(void *arg, const struct issuance_approval *a, struct err *e)
{
    json_t *decisions = arg;
    CLEANUP(mem_cleanup) char *serial = hex_dup(a->officer);
    char time[TIME_TEXT_SIZE];

    (void)e;
    time_format(a->created, time);
    return json_array_append_new(decisions,
                                 json_pack("{s:s,s:s,s:s,s:s,s:b}", "subject", a->subject, "serial",
                                           serial, "decision", a->approves ? "approve" : "reject",
                                           "time", time, "counts", a->valid));
}

static int
add_decisions(struct store_db *db, json_t *list, struct err *e)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *entry = json_array_get(list, i);
        json_t *decisions = json_array();
        uint8_t rid[ISSUANCE_RID_SIZE];

        (void)json_object_set_new(entry, "decisions", decisions);
        if (hex_parse(json_string_value(json_object_get(entry, "rid")), rid, sizeof(rid), e) != 0 ||
            issuance_approval_each(db, span_of(rid, sizeof(rid)), add_decision, decisions, e) !=
                0) {
            return -1;
        }
    }
    return 0;
}

static int
run_list(struct store_op *op, struct store_db *db, struct err *e)
{
    struct listing *l = CONTAINER_OF(op, struct listing, op);
    CLEANUP(issuance_pending_free) struct issuance_pending p = {0};
    bool found;

    if (!l->is_one) {
        return issuance_pending_each(db, LIST_MAX, add_pending, l, e) != 0
                   ? -1
                   : add_decisions(db, l->list, e);
    }
    if (issuance_pending_find(db, span_of(l->rid, sizeof(l->rid)), &p, &found, e) != 0) {
        return -1;
    }
    if (found && p.open) {
        add_pending(l, &p);
    }
    return add_decisions(db, l->list, e);
}

static void
on_listed(struct task *task)
{
    struct listing *l = CONTAINER_OF(task, struct listing, op.task);
    struct err e = {0};

    ca_check_store(&l->op, "list what waits");
    if (l->is_one && json_array_size(l->list) == 0) {
        (void)err_set(&e, ERR_NOTFOUND, "nothing waits under this rid: see nfpki-cactl pending");
        admin_refuse(l->call, &e);
    } else {
        admin_answer(l->call, json_pack("{s:O}", "pending", l->list));
    }
    listing_free(l);
}

void
pending_officer(struct ca *ca, struct admin_call *call, const json_t *request)
{
    const char *rid = json_string_value(json_object_get(request, "rid"));
    struct listing *l = mem_new(sizeof(*l));
    struct err e = {0};

    l->ca = ca;
    l->call = call;
    l->list = json_array();
    ca->jobs++;
    l->is_one = rid != NULL;
    if (l->is_one && hex_parse(rid, l->rid, sizeof(l->rid), &e) != 0) {
        (void)err_wrap(&e, "rid");
        admin_refuse(call, &e);
        listing_free(l);
        return;
    }
    l->op = (struct store_op){.run = run_list, .task = {.done = on_listed}};
    store_submit(ca->store, &l->op);
}
