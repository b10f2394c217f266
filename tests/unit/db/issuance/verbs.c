/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/db/issuance/verbs.h"

#include <string.h>

#include "db/issuance/life/approval.h"
#include "db/issuance/renewal.h"

#define UUID_3 "b5f0a1de-5b0e-4a6c-9f5e-0d4f8f2f0003"

static struct story {
    struct octets one;   /* issued, its certConf is awaited */
    struct octets two;   /* INTENT */
    struct octets three; /* waits for officers */
    struct octets officer;
    struct octets fresh;
    char id[ISSUANCE_ID_SIZE];
    uint64_t leaf;
    enum issuance_outcome outcome;
    bool flag;
    int n;
} t;

static struct span
rid(const struct octets *o)
{
    return span_of(o->rid, sizeof(o->rid));
}

static struct span
serial(const struct octets *o)
{
    return span_of(o->serial, sizeof(o->serial));
}

static struct intend
asks(const struct octets *o, struct span transaction_id)
{
    struct intend i = scene_nf(o, t.id, transaction_id);

    i.intent.nf_instance = UUID_2;
    i.intent.certificates = 9;
    i.intent.confirm = ISSUANCE_EXPECTED;
    return i;
}

static struct intend
waits(const struct octets *o)
{
    struct intend i = asks(o, SPAN_LITERAL("3"));

    i.intent.approvals = 1;
    return i;
}

static int
pend(struct store_db *db, void *arg, struct err *e)
{
    struct intend *i = arg;

    return issuance_pend(db, &i->intent, NOW + 1000, &t.leaf, &i->outcome, e);
}

int
verbs_setup(void **state)
{
    struct registering r = scene_registration(UUID_2, "of nine", 9);
    struct scene *s;
    struct intend i;
    struct issue done;
    struct err e = {0};

    assert_int_equal(scene_setup(state), 0);
    s = *state;
    assert_ok(verb_call(s->store, do_register, &r, &e), &e);
    memcpy(t.id, r.row.id, sizeof(t.id));
    issuance_registration_free(&r.row);
    t.one = scene_octets(1);
    t.two = scene_octets(2);
    t.three = scene_octets(3);
    t.officer = scene_octets(202);
    t.fresh = scene_octets(4);
    i = asks(&t.one, SPAN_LITERAL("1"));
    done = (struct issue){.rid = i.intent.rid, .certificate = scene_certificate_of(i.intent.rid)};
    assert_ok(verb_call(s->store, do_intend, &i, &e), &e);
    assert_int_equal(i.outcome, ISSUANCE_DONE);
    assert_ok(verb_call(s->store, do_issue, &done, &e), &e);
    i = waits(&t.three);
    assert_ok(verb_call(s->store, pend, &i, &e), &e);
    assert_int_equal(i.outcome, ISSUANCE_DONE);
    i = asks(&t.two, SPAN_LITERAL("2"));
    assert_ok(verb_call(s->store, do_intend, &i, &e), &e);
    assert_int_equal(i.outcome, ISSUANCE_DONE);
    scene_issue(s->store, 202, "officer", SCENE_CERTIFICATE("\312"));
    return 0;
}

static void
see_registration(void *arg, const struct issuance_registration *r)
{
    (void)arg;
    (void)r;
}

static void
see_pending(void *arg, const struct issuance_pending *p)
{
    (void)arg;
    (void)p;
}

static void
see_rid(void *arg, struct span bytes)
{
    (void)arg;
    (void)bytes;
}

static void
see_revoked(void *arg, struct span bytes, time_t revoked, int reason)
{
    (void)arg;
    (void)bytes;
    (void)revoked;
    (void)reason;
}

static int
see_approval(void *arg, const struct issuance_approval *a, struct err *e)
{
    (void)arg;
    (void)a;
    (void)e;
    return 0;
}

static int
find_registration(struct store_db *db, struct err *e)
{
    CLEANUP(issuance_registration_free) struct issuance_registration r = {0};

    return issuance_registration_find(db, t.id, &r, &t.flag, e);
}

static int
each_registration(struct store_db *db, struct err *e)
{
    return issuance_registration_each(db, 9, see_registration, NULL, e);
}

static int
registers(struct store_db *db, struct err *e)
{
    struct registering x = scene_registration(UUID_3, "another", 1);
    int result = do_register(db, &x, e);

    issuance_registration_free(&x.row);
    return result;
}

static int
cancels(struct store_db *db, struct err *e)
{
    const struct issuance_cancellation c = {.id = t.id, .by = "an officer", .when = WHEN};

    return issuance_cancel(db, &c, &t.leaf, &t.n, &t.outcome, e);
}

static int
find_request(struct store_db *db, struct err *e)
{
    CLEANUP(issuance_request_free) struct issuance_request r = {0};

    return issuance_find(db, rid(&t.one), &r, &t.flag, e);
}

static int
find_transaction(struct store_db *db, struct err *e)
{
    CLEANUP(issuance_request_free) struct issuance_request r = {0};

    return issuance_find_transaction(db, t.id, SPAN_LITERAL("1"), &r, &t.flag, e);
}

static void
see_open(void *arg, const struct issuance_request *row)
{
    (void)arg;
    (void)row;
}

static int
open_each(struct store_db *db, struct err *e)
{
    return issuance_open_each(db, NOW, 1, see_open, NULL, e);
}

static int
evidence(struct store_db *db, struct err *e)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(64);

    return issuance_evidence(db, rid(&t.one), &out, e);
}

static int
find_holder(struct store_db *db, struct err *e)
{
    struct issuance_holder h;

    return issuance_holder_find(db, serial(&t.one), SPAN_LITERAL("certificate"), &h, &t.flag, e);
}

static int
find_former(struct store_db *db, struct err *e)
{
    struct issuance_former f;

    return issuance_former_find(db, serial(&t.one), &f, &t.flag, e);
}

static int
renewal_waits(struct store_db *db, struct err *e)
{
    time_t until;

    return issuance_renewal_waits(db, t.id, NOW, &until, e);
}

static int
is_cancelled(struct store_db *db, struct err *e)
{
    return issuance_is_cancelled(db, rid(&t.one), &t.flag, e);
}

static int
intends(struct store_db *db, struct err *e)
{
    struct intend i = asks(&t.fresh, SPAN_LITERAL("4"));

    return issuance_intend(db, &i.intent, &i.outcome, e);
}

static int
pends(struct store_db *db, struct err *e)
{
    struct intend i = waits(&t.fresh);

    return issuance_pend(db, &i.intent, NOW + 1000, &t.leaf, &i.outcome, e);
}

static int
refuses(struct store_db *db, struct err *e)
{
    const struct issuance_refusal r = {.rid = rid(&t.fresh),
                                       .ra_der = RA,
                                       .registration = t.id,
                                       .profile = "nf-tls",
                                       .queue_previous = rid(&t.fresh),
                                       .fail_info = 23,
                                       .phrase = "not authorized",
                                       .reason = "no",
                                       .evidence = SPAN_LITERAL("x"),
                                       .now = NOW};

    return issuance_refuse(db, &r, &t.leaf, &t.outcome, e);
}

static int
issues(struct store_db *db, struct err *e)
{
    return issuance_issue(db, rid(&t.two), SPAN_LITERAL("another"), NOW, &t.leaf, e);
}

static int
abandons(struct store_db *db, struct err *e)
{
    return issuance_abandon(db, rid(&t.two), 25, "system failure", "no", WHEN, &t.leaf, e);
}

static int
confirms(struct store_db *db, struct err *e)
{
    const struct issuance_confirmation c = {.rid = rid(&t.fresh),
                                            .ra_der = RA,
                                            .request = rid(&t.one),
                                            .accepted = true,
                                            .evidence = SPAN_LITERAL("certConf"),
                                            .when = WHEN};

    return issuance_confirm(db, &c, &t.leaf, &t.flag, &t.outcome, e);
}

static int
find_confirmation(struct store_db *db, struct err *e)
{
    return issuance_confirmation_find(db, rid(&t.one), &t.leaf, &t.flag, e);
}

static int
end_unconfirmed(struct store_db *db, struct err *e)
{
    return issuance_end_unconfirmed(db, LATER, ISSUANCE_EXPECTED, 9, WHEN, &t.n, e);
}

static int
revokes(struct store_db *db, struct err *e)
{
    return issuance_revoke(db, serial(&t.one), SUPERSEDED, "an officer", WHEN, &t.leaf, &t.outcome,
                           e);
}

static int
find_target(struct store_db *db, struct err *e)
{
    CLEANUP(issuance_target_free) struct issuance_target target = {0};

    return issuance_target_find(db, serial(&t.one), &target, &t.flag, e);
}

static int
revokes_what_was_asked(struct store_db *db, struct err *e)
{
    const struct issuance_asked a = {.rid = rid(&t.fresh),
                                     .ra_der = RA,
                                     .holder = serial(&t.one),
                                     .serial = serial(&t.one),
                                     .reason = SUPERSEDED,
                                     .by = "itself",
                                     .evidence = SPAN_LITERAL("rr"),
                                     .when = WHEN};

    return issuance_revoke_asked(db, &a, &t.leaf, &t.outcome, e);
}

static int
find_asked(struct store_db *db, struct err *e)
{
    return issuance_asked_find(db, rid(&t.one), &t.leaf, &t.flag, e);
}

static int
last_crl(struct store_db *db, struct err *e)
{
    time_t this_update;

    return issuance_crl_last(db, &this_update, e);
}

static int
reserves_and_stores_a_crl(struct store_db *db, struct err *e)
{
    const uint8_t digest[SHA256_SIZE] = {1};
    struct issuance_crl crl = {
        .tbs = SPAN_LITERAL("TBS"), .digest = span_of(digest, sizeof(digest)), .now = NOW};

    return issuance_crl_reserve(db, NOW, NOW + 100, &crl.number, e) != 0 ||
                   issuance_crl_intend(db, &crl, &t.leaf, e) != 0
               ? -1
               : issuance_crl_store(db, &crl, SPAN_LITERAL("CRL"), &t.leaf, e);
}

static int
each_revoked(struct store_db *db, struct err *e)
{
    return issuance_crl_each(db, NOW, see_revoked, NULL, e);
}

static int
counts(struct store_db *db, struct err *e)
{
    struct issuance_counts n;

    return issuance_count(db, &n, e);
}

static int
remembers(struct store_db *db, struct err *e)
{
    CLEANUP(buf_free) struct buf before = BUF_INIT(64);

    return issuance_setting(db, "profiles", SPAN_LITERAL("x"), &before, &t.flag, e);
}

static int
find_pending(struct store_db *db, struct err *e)
{
    CLEANUP(issuance_pending_free) struct issuance_pending p = {0};

    return issuance_pending_find(db, rid(&t.three), &p, &t.flag, e);
}

static int
each_pending(struct store_db *db, struct err *e)
{
    return issuance_pending_each(db, 9, see_pending, NULL, e);
}

static int
due(struct store_db *db, struct err *e)
{
    return issuance_pending_due(db, LATER, 9, see_rid, NULL, e);
}

static int
count_pending(struct store_db *db, struct err *e)
{
    int64_t open;

    return issuance_pending_count(db, &open, e);
}

static int
decide(struct store_db *db, bool approves, struct err *e)
{
    CLEANUP(issuance_pending_free) struct issuance_pending after = {0};
    const struct issuance_decision d = {.rid = rid(&t.three),
                                        .approves = approves,
                                        .officer = serial(&t.officer),
                                        .officer_der = SCENE_CERTIFICATE("\312"),
                                        .subject = "CN=Alice",
                                        .key_sha256 = rid(&t.officer),
                                        .cms = SPAN_LITERAL("CMS"),
                                        .reason = "",
                                        .by = "uid 0 (root)",
                                        .fail_info = 23,
                                        .phrase = "not approved",
                                        .now = NOW};

    return issuance_decide(db, &d, &t.leaf, &after, &t.outcome, e);
}

static int
approves(struct store_db *db, struct err *e)
{
    return decide(db, true, e);
}

static int
disapproves(struct store_db *db, struct err *e)
{
    return decide(db, false, e);
}

static int
approves_and_looks(struct store_db *db, struct err *e)
{
    return decide(db, true, e) != 0
               ? -1
               : issuance_approval_each(db, rid(&t.three), see_approval, NULL, e);
}

static int
refuses_what_waits(struct store_db *db, struct err *e)
{
    return issuance_pending_refuse(db, rid(&t.three), 23, "not authorized", "too late", NOW,
                                   &t.leaf, &t.outcome, e);
}

const struct verb verbs[] = {
    {"find a registration", find_registration, "registration"},
    {"list registrations", each_registration, "registration"},
    {"register", registers, "registration"},
    {"cancel", cancels, "registration"},
    {"find a request", find_request, "request"},
    {"find a transaction", find_transaction, "request"},
    {"the next that is open", open_each, "request"},
    {"evidence", evidence, "request"},
    {"find a holder", find_holder, "certificate"},
    {"find what is renewed", find_former, "request"},
    {"how long renewals wait", renewal_waits, "request"},
    {"is it cancelled", is_cancelled, "registration"},
    {"intend", intends, "public_key"},
    {"pend", pends, "pending"},
    {"refuse", refuses, "request"},
    {"issue", issues, "certificate"},
    {"abandon", abandons, "revocation"},
    {"confirm", confirms, "confirmation"},
    {"find a confirmation", find_confirmation, "confirmation"},
    {"end what nobody confirms", end_unconfirmed, "revocation"},
    {"revoke", revokes, "revocation"},
    {"find what is to be revoked", find_target, "certificate"},
    {"revoke what was asked", revokes_what_was_asked, "revocation_request"},
    {"find an rr", find_asked, "revocation_request"},
    {"the last CRL", last_crl, "crl"},
    {"a CRL", reserves_and_stores_a_crl, "crl"},
    {"each that is revoked", each_revoked, "revocation"},
    {"count", counts, "registration"},
    {"remember", remembers, "setting"},
    {"find what waits", find_pending, "pending"},
    {"list what waits", each_pending, "pending"},
    {"what is due", due, "pending"},
    {"count what waits", count_pending, "pending"},
    {"approve", approves, "approval"},
    {"disapprove", disapproves, "approval"},
    {"approvals", approves_and_looks, "approval"},
    {"refuse what waits", refuses_what_waits, "pending"},
};

const size_t verbs_n = ARRAY_LEN(verbs);
