/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/db/issuance/uses.h"

#include <stdio.h>
#include <string.h>

#include "db/issuance/life/approval.h"
#include "db/issuance/rows.h"
#include "db/issuance/scrub.h"

static int say(struct buf *out, struct err *e, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int
say(struct buf *out, struct err *e, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return buf_append_str(out, text, e);
}

static int
say_octets(struct buf *out, struct span octets, struct err *e)
{
    CLEANUP(mem_cleanup) char *hex = hex_dup(octets);

    return buf_append_str(out, hex, e) != 0 ? -1 : buf_append_str(out, ";", e);
}

/* ---- who asks ---- */

static int
role(struct store_db *db, const struct whole *w, uint8_t n, struct buf *out, struct err *e)
{
    enum issuance_role now;
    enum issuance_role recorded;
    enum issuance_role by_hash;
    uint8_t hash[SHA256_SIZE];

    (void)w;
    return issuance_role_of(db, whole_der(n), &now, e) != 0 ||
                   issuance_role_recorded(db, whole_der(n), &recorded, e) != 0 ||
                   sha256(whole_der(n), hash, e) != 0 ||
                   issuance_role_find(db, span_of(hash, sizeof(hash)), NOW, &by_hash, e) != 0
               ? -1
               : say(out, e, "%d %d %d;", now, recorded, by_hash);
}

struct seeing {
    struct buf *out;
    struct err *e;
    int result;
};

static void
see_der(void *arg, struct span der)
{
    struct seeing *s = arg;

    s->result = s->result != 0 ? -1 : say_octets(s->out, der, s->e);
}

static int
infrastructure(struct store_db *db, const struct whole *w, uint8_t n, struct buf *out,
               struct err *e)
{
    struct seeing s = {.out = out, .e = e};

    (void)w;
    return issuance_infrastructure_each(db, (enum issuance_role)n, NOW, see_der, &s, e) != 0
               ? -1
               : s.result;
}

static int
holder(struct store_db *db, const struct whole *w, uint8_t n, struct buf *out, struct err *e)
{
    struct issuance_holder h;
    bool found;

    (void)w;
    return issuance_holder_find(db, whole_serial(n), whole_der(n), &h, &found, e) != 0
               ? -1
               : say(out, e, "%d %s %s %s %s %d;", found, h.nf_instance, h.profile, h.registration,
                     h.governs, h.revoked);
}

/* ---- what there is ---- */

static int
registered(struct store_db *db, const struct whole *w, uint8_t n, struct buf *out, struct err *e)
{
    CLEANUP(issuance_registration_free) struct issuance_registration r = {0};
    bool found;

    return issuance_registration_find(db, w->ids[n], &r, &found, e) != 0 ||
                   say(out, e, "%d %s %lld %lld %d %d %d %lld %d;", found, r.nf_instance,
                       (long long)r.not_before, (long long)r.not_after, r.certificates, r.used,
                       r.state, (long long)r.registered, r.by_registrar) != 0 ||
                   say_octets(out, buf_span(&r.cms), e) != 0 ||
                   say_octets(out, buf_span(&r.json), e) != 0
               ? -1
               : say_octets(out, buf_span(&r.registrar), e);
}

static int
say_request(struct buf *out, const struct issuance_request *r, bool found, struct err *e)
{
    return say(out, e, "%d %d %s %s %s %d %d %d %s %lld %lld %llu %d;", found, r->state,
               r->registration, r->nf_instance, r->profile, r->assurance, r->cert_req_id,
               r->fail_info, r->phrase, (long long)r->created, (long long)r->not_before,
               (unsigned long long)r->leaf, r->revoked) != 0 ||
                   say_octets(out, buf_span(&r->requester), e) != 0 ||
                   say_octets(out, buf_span(&r->tbs), e) != 0 ||
                   say_octets(out, span_of(r->serial, sizeof(r->serial)), e) != 0
               ? -1
               : say_octets(out, buf_span(&r->certificate), e);
}

static int
request(struct store_db *db, const struct whole *w, uint8_t n, struct buf *out, struct err *e)
{
    CLEANUP(issuance_request_free) struct issuance_request r = {0};
    bool found;

    (void)w;
    return issuance_find(db, whole_rid(n), &r, &found, e) != 0 ? -1
                                                               : say_request(out, &r, found, e);
}

static int
transaction(struct store_db *db, const struct whole *w, uint8_t n, struct buf *out, struct err *e)
{
    CLEANUP(issuance_request_free) struct issuance_request r = {0};
    const struct intend i = whole_asks(w, n < 10 ? 0 : 1, n);
    bool found;

    return issuance_find_transaction(db, i.intent.registration, i.intent.transaction_id, &r, &found,
                                     e) != 0
               ? -1
               : say_request(out, &r, found, e);
}

static int
evidence(struct store_db *db, const struct whole *w, uint8_t n, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf octets = BUF_INIT(1024);

    (void)w;
    return issuance_evidence(db, whole_rid(n), &octets, e) != 0
               ? -1
               : say_octets(out, buf_span(&octets), e);
}

static int
target(struct store_db *db, const struct whole *w, uint8_t n, struct buf *out, struct err *e)
{
    CLEANUP(issuance_target_free) struct issuance_target t = {0};
    bool found;

    (void)w;
    return issuance_target_find(db, whole_serial(n), &t, &found, e) != 0 ||
                   say(out, e, "%d %s %d %lld;", found, t.nf_instance, t.revoked,
                       (long long)t.not_after) != 0
               ? -1
               : say_octets(out, buf_span(&t.certificate), e);
}

static int
answers(struct store_db *db, const struct whole *w, uint8_t n, struct buf *out, struct err *e)
{
    uint64_t confirmed;
    uint64_t asked;
    bool is_confirmed;
    bool is_asked;
    bool cancelled;

    (void)w;
    return issuance_confirmation_find(db, whole_rid((uint8_t)(n + 100)), &confirmed, &is_confirmed,
                                      e) != 0 ||
                   issuance_asked_find(db, whole_rid((uint8_t)(n + 100)), &asked, &is_asked, e) !=
                       0 ||
                   issuance_is_cancelled(db, whole_rid(n), &cancelled, e) != 0
               ? -1
               : say(out, e, "%d %llu %d %llu %d;", is_confirmed, (unsigned long long)confirmed,
                     is_asked, (unsigned long long)asked, cancelled);
}

static void
see_open(void *arg, const struct issuance_request *row)
{
    struct seeing *s = arg;

    s->result = s->result != 0 ? -1 : say_request(s->out, row, true, s->e);
}

static int
open_intents(struct store_db *db, const struct whole *w, uint8_t n, struct buf *out, struct err *e)
{
    struct seeing s = {.out = out, .e = e};

    (void)w;
    (void)n;
    return issuance_open_each(db, LATER, 9, see_open, &s, e) != 0 ? -1 : s.result;
}

/* ---- what is decided ---- */

static int
size(struct store_db *db, struct buf *out, struct err *e)
{
    uint64_t leaves;

    return ledger_size(db, &leaves, e) != 0 ? -1 : say(out, e, "%llu;", (unsigned long long)leaves);
}

static int
intends(struct store_db *db, const struct intend *i, struct buf *out, struct err *e)
{
    enum issuance_outcome outcome;

    return issuance_intend(db, &i->intent, &outcome, e) != 0 || say(out, e, "%d;", outcome) != 0
               ? -1
               : size(db, out, e);
}

static int
enrols(struct store_db *db, const struct whole *w, uint8_t n, struct buf *out, struct err *e)
{
    struct intend i = whole_asks(w, n % 3, 50);

    i.intent.attested = whole_attested(n / 3);
    i.intent.queue_previous = whole_head(n / 3);
    i.intent.retry_rejected = true;
    return intends(db, &i, out, e);
}

static int
enrols_again(struct store_db *db, const struct whole *w, uint8_t n, struct buf *out, struct err *e)
{
    struct intend i = whole_asks(w, 1, 51);

    i.intent.profile = n == 0 ? "nf-other" : "nf-tls";
    if (n == 1) { /* a transaction that is used */
        i.intent.transaction_id = whole_asks(w, 1, 11).intent.transaction_id;
    }
    return intends(db, &i, out, e);
}

/* A key that somebody else has. */
static int
takes_a_key(struct store_db *db, const struct whole *w, uint8_t n, struct buf *out, struct err *e)
{
    struct intend i = whole_asks(w, n < 10 || n >= 200 ? 1 : 0, 52);

    i.intent.spki_sha256 = whole_asks(w, 0, n).intent.spki_sha256;
    i.intent.certificates = 9;
    return intends(db, &i, out, e);
}

static int
renews(struct store_db *db, const struct whole *w, uint8_t n, struct buf *out, struct err *e)
{
    struct intend i = whole_asks(w, 1, 53);

    i.intent.holder = whole_serial(n);
    i.intent.renews = whole_serial(n);
    i.intent.is_update = true;
    i.intent.confirm = ISSUANCE_REQUIRED;
    i.intent.message_time = NOW;
    return intends(db, &i, out, e);
}

static int
registers(struct store_db *db, const struct whole *w, uint8_t n, struct buf *out, struct err *e)
{
    static const char *const uuids[] = {UUID_1, UUID_2, "b5f0a1de-5b0e-4a6c-9f5e-0d4f8f2f0003"};
    struct registering r = scene_registration(uuids[n % 3], n < 3 ? "new" : "first", 1);
    int result;

    (void)w;
    result = issuance_register(db, &r.row, r.registrar, r.now, &r.outcome, e) != 0
                 ? -1
                 : say(out, e, "%d %s %d;", r.outcome, r.row.owner, r.row.state);
    issuance_registration_free(&r.row);
    return result;
}

static int
cancels(struct store_db *db, const struct whole *w, uint8_t n, struct buf *out, struct err *e)
{
    const struct issuance_cancellation c = {.id = w->ids[n],
                                            .registrar_der = REGISTRAR,
                                            .registrar = whole_serial(201),
                                            .cms = SPAN_LITERAL("cancel"),
                                            .signed_at = NOW,
                                            .when = WHEN};
    enum issuance_outcome outcome;
    uint64_t leaf;
    int revoked;

    return issuance_cancel(db, &c, &leaf, &revoked, &outcome, e) != 0
               ? -1
               : say(out, e, "%d %d %llu;", outcome, revoked, (unsigned long long)leaf);
}

static int
revokes(struct store_db *db, const struct whole *w, uint8_t n, struct buf *out, struct err *e)
{
    enum issuance_outcome outcome;
    uint64_t leaf = 0;

    (void)w;
    return issuance_revoke(db, whole_serial(n), SUPERSEDED, "uid 0", WHEN, &leaf, &outcome, e) != 0
               ? -1
               : say(out, e, "%d;", outcome);
}

static int
confirms(struct store_db *db, const struct whole *w, uint8_t n, struct buf *out, struct err *e)
{
    const struct issuance_confirmation c = {.rid = whole_rid(60),
                                            .ra_der = RA,
                                            .request = whole_rid(n),
                                            .accepted = true,
                                            .evidence = SPAN_LITERAL("certConf"),
                                            .when = WHEN};
    enum issuance_outcome outcome;
    uint64_t leaf;
    bool revoked;

    (void)w;
    return issuance_confirm(db, &c, &leaf, &revoked, &outcome, e) != 0
               ? -1
               : say(out, e, "%d %d;", outcome, revoked);
}

static int
ends(struct store_db *db, const struct whole *w, uint8_t n, struct buf *out, struct err *e)
{
    int ended;

    (void)w;
    (void)n;
    return issuance_end_unconfirmed(db, NOW + 1, ISSUANCE_EXPECTED, 9, WHEN, &ended, e) != 0
               ? -1
               : say(out, e, "%d;", ended);
}

static int
issues(struct store_db *db, const struct whole *w, uint8_t n, struct buf *out, struct err *e)
{
    uint64_t leaf;

    (void)w;
    return issuance_issue(db, whole_rid(n), whole_der(n), NOW, &leaf, e) != 0
               ? -1
               : say(out, e, "issued;");
}

/* ---- officers ---- */

static int
pending(struct store_db *db, const struct whole *w, uint8_t n, struct buf *out, struct err *e)
{
    CLEANUP(issuance_pending_free) struct issuance_pending p = {0};
    bool found;

    (void)w;
    return issuance_pending_find(db, whole_rid(n), &p, &found, e) != 0 ||
                   say(out, e, "%d %s %s %s %d %d %d %lld %lld %llu %d %d %llu;", found,
                       p.registration, p.nf_instance, p.profile, p.assurance, p.approvals,
                       p.approved, (long long)p.created, (long long)p.expires,
                       (unsigned long long)p.leaf, p.open, p.registered,
                       (unsigned long long)p.queue_sequence) != 0 ||
                   say_octets(out, buf_span(&p.requester), e) != 0 ||
                   say_octets(out, buf_span(&p.evidence), e) != 0 ||
                   say_octets(out, span_of(p.queue_previous, sizeof(p.queue_previous)), e) != 0
               ? -1
               : say_octets(out, span_of(p.spki_sha256, sizeof(p.spki_sha256)), e);
}

static int
see_approval(void *arg, const struct issuance_approval *a, struct err *e)
{
    struct buf *out = arg;

    return say(out, e, "%d %d %s %lld;", a->approves, a->valid, a->subject,
               (long long)a->created) != 0 ||
                   say_octets(out, a->officer, e) != 0
               ? -1
               : say_octets(out, a->cms, e);
}

static int
approvals(struct store_db *db, const struct whole *w, uint8_t n, struct buf *out, struct err *e)
{
    (void)w;
    return issuance_approval_each(db, whole_rid(n), see_approval, out, e);
}

/* 16 waits for two, and has one. */
static int
approved(struct store_db *db, const struct whole *w, uint8_t n, struct buf *out, struct err *e)
{
    struct intend i = whole_asks(w, 1, n);

    i.intent.approvals = 2;
    return intends(db, &i, out, e);
}

static int
decides(struct store_db *db, const struct whole *w, uint8_t n, struct buf *out, struct err *e)
{
    CLEANUP(issuance_pending_free) struct issuance_pending after = {0};
    const struct issuance_decision d = whole_decision(16, n, true);
    enum issuance_outcome outcome;
    uint64_t leaf;

    (void)w;
    return issuance_decide(db, &d, &leaf, &after, &outcome, e) != 0
               ? -1
               : say(out, e, "%d %d;", outcome, after.approved);
}

/* ---- CRLs and the rest ---- */

static void
see_entry(void *arg, struct span serial, time_t date, int reason)
{
    struct seeing *s = arg;

    s->result = s->result != 0 || say_octets(s->out, serial, s->e) != 0
                    ? -1
                    : say(s->out, s->e, "%lld %d;", (long long)date, reason);
}

static int
crl(struct store_db *db, const struct whole *w, uint8_t n, struct buf *out, struct err *e)
{
    struct seeing s = {.out = out, .e = e};
    time_t last;
    time_t passed;
    uint64_t number;

    (void)w;
    (void)n;
    if (issuance_crl_last(db, &last, e) != 0 || issuance_crl_passed(db, LATER, &passed, e) != 0 ||
        issuance_crl_each(db, NOW, see_entry, &s, e) != 0 || s.result != 0 ||
        issuance_crl_reserve(db, last, NOW + 7200, &number, e) != 0) {
        return -1;
    }
    return say(out, e, "%lld %lld %llu;", (long long)last, (long long)passed,
               (unsigned long long)number);
}

/* What was announced is stored. */
static int
stores_a_crl(struct store_db *db, const struct whole *w, uint8_t n, struct buf *out, struct err *e)
{
    const struct issuance_crl c = {.number = n, .tbs = SPAN_LITERAL("TBS"), .now = NOW};
    uint64_t leaf;

    (void)w;
    return issuance_crl_store(db, &c, SPAN_LITERAL("CRL"), &leaf, e) != 0 ? -1
                                                                          : say(out, e, "stored;");
}

static int
setting(struct store_db *db, const struct whole *w, uint8_t n, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf before = BUF_INIT(64);
    bool changed;

    (void)w;
    return issuance_setting(db, n == 0 ? "profiles" : "config", SPAN_LITERAL("x"), &before,
                            &changed, e) != 0
               ? -1
               : say_octets(out, buf_span(&before), e);
}

static int
position(struct store_db *db, const struct whole *w, uint8_t n, struct buf *out, struct err *e)
{
    struct issuance_scrub at = {0};

    (void)w;
    (void)n;
    return issuance_scrub_load(db, &at, e) != 0 ? -1
                                                : say(out, e, "%lld %llu %d;", (long long)at.begun,
                                                      (unsigned long long)at.leaf, at.table);
}

static int
journal(struct store_db *db, const struct whole *w, uint8_t n, struct buf *out, struct err *e)
{
    struct issuance_journal j = whole_journal(n);
    bool found;

    (void)w;
    return issuance_journal_find(db, &j, &found, e) != 0 ||
                   say(out, e, "%d %llu %llu %llu %llu %llu;", found, (unsigned long long)j.exempt,
                       (unsigned long long)j.compared, (unsigned long long)j.again,
                       (unsigned long long)j.stored, (unsigned long long)j.checked) != 0
               ? -1
               : say_octets(out, span_of(j.chain, sizeof(j.chain)), e);
}

#define OF(numbers) (numbers), sizeof(numbers) - 1
#define REQUESTS "\1\2\13\14\15\16\17\20\21\25\22\23\24\26"
#define CERTIFICATES "\1\2\13\14\17\21\25\22\310\311\312\313\314"

const struct use uses[] = {
    {"role", role, OF("\310\311\312\313\314\1\13")},
    {"infrastructure", infrastructure, OF("\1\2\3")},
    {"a registration", registered, OF("\0\1\2")},
    {"a request", request, OF(REQUESTS)},
    {"a transaction", transaction, OF("\1\2\13\22\23\24\63")},
    {"evidence", evidence, OF("\1\2\13\14\15\16\17")},
    {"a target", target, OF(CERTIFICATES)},
    {"a holder", holder, OF(CERTIFICATES)},
    {"answers", answers, OF(REQUESTS)},
    {"open intents", open_intents, OF("\0")},
    {"what waits", pending, OF("\17\20")},
    {"approvals", approvals, OF("\17\20")},
    {"approved", approved, OF("\20")},
    {"decides", decides, OF("\312\313\314")},
    {"enrols", enrols, OF("\0\1\2\4")},
    {"enrols again", enrols_again, OF("\0\1")},
    {"takes a key", takes_a_key, OF("\1\2\13\14\16\17\21\25\22\26\310\311\312\313\314")},
    {"renews", renews, OF("\13\21\22")},
    {"registers", registers, OF("\0\1\2\3")},
    {"cancels", cancels, OF("\0\1\2")},
    {"revokes", revokes, OF(CERTIFICATES)},
    {"confirms", confirms, OF("\2\22\17")},
    {"ends what is not confirmed", ends, OF("\0")},
    {"issues", issues, OF("\26")},
    {"a CRL", crl, OF("\0")},
    {"stores a CRL", stores_a_crl, OF("\4")},
    {"a setting", setting, OF("\0\1")},
    {"the scrub", position, OF("\0")},
    {"a journal", journal, OF("\0\1")},
};
const size_t uses_n = sizeof(uses) / sizeof(uses[0]);
