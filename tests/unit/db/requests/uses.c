/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/db/requests/uses.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"

enum { AT = 200 /* now */ };

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

    return say(out, e, "%s;", hex);
}

/* ---- registrations ---- */

static int
say_registration(struct buf *out, const struct requests_registration *r, bool found, struct err *e)
{
    if (!found) {
        return say(out, e, "none;");
    }
    return say(out, e, "%s %s %d %s %s %s %lld %d %d %d %lld;", r->id, r->nf_instance, r->proof,
               r->reference, r->issuer == NULL ? "-" : r->issuer,
               r->subject == NULL ? "-" : r->subject, (long long)r->not_after, r->certificates,
               r->used, r->cancelled, (long long)r->registered) != 0 ||
                   say_octets(out, buf_span(&r->cms), e) != 0 ||
                   say_octets(out, buf_span(&r->json), e) != 0 ||
                   say_octets(out, buf_span(&r->sealed), e) != 0 ||
                   say_octets(out, buf_span(&r->fingerprint), e) != 0
               ? -1
               : say_octets(out, buf_span(&r->public_key), e);
}

static int
by_reference(struct store_db *db, unsigned n, struct buf *out, struct err *e)
{
    static const char *const references[] = {"ref", "ref4", "none"};
    CLEANUP(requests_registration_clear) struct requests_registration r = {0};
    bool found;

    return requests_registration_by_reference(db, span_str(references[n]), &r, &found, e) != 0
               ? -1
               : say_registration(out, &r, found, e);
}

static int
by_signer(struct store_db *db, unsigned n, struct buf *out, struct err *e)
{
    const struct requests_signer nobody = {
        .fingerprint = span_str("none"), .issuer = "CN=Vendor", .subject = "CN=none"};
    const struct requests_signer signer = n == 0 ? nobody : whole_signer(n);
    CLEANUP(requests_registration_clear) struct requests_registration r = {0};
    bool found;

    return requests_registration_by_signer(db, &signer, &r, &found, e) != 0
               ? -1
               : say_registration(out, &r, found, e);
}

static int
by_instance(struct store_db *db, unsigned n, struct buf *out, struct err *e)
{
    CLEANUP(requests_registration_clear) struct requests_registration r = {0};
    bool found;

    return requests_registration_by_instance(db, n == 4 ? "nobody" : whole_nfs[n], &r, &found, e) !=
                   0
               ? -1
               : say_registration(out, &r, found, e);
}

/* As who comes with a registration that pins the same. */
static int
proven(struct store_db *db, unsigned n, struct buf *out, struct err *e)
{
    const struct requests_signer pins = whole_signer(n + 1);
    CLEANUP(requests_registration_clear) struct requests_registration r = {0};
    char other[REQUESTS_ID_SIZE] = "";
    bool found;

    (void)snprintf(r.nf_instance, sizeof(r.nf_instance), "another");
    r.fingerprint = BUF_INIT(64);
    r.public_key = BUF_INIT(64);
    r.issuer = pins.issuer == NULL ? NULL : mem_strdup(pins.issuer);
    r.subject = pins.subject == NULL ? NULL : mem_strdup(pins.subject);
    return buf_set(&r.fingerprint, pins.fingerprint, e) != 0 ||
                   buf_set(&r.public_key, pins.public_key, e) != 0 ||
                   requests_registration_proven(db, &r, AT, other, &found, e) != 0
               ? -1
               : say(out, e, "%d %s;", found, other);
}

static int
registers(struct store_db *db, unsigned n, struct buf *out, struct err *e)
{
    struct registering in = {whole_ids[n], "", "fingerprint", NULL, 1, 9, NULL, whole_nfs[n]};

    return verb_register(db, &in, e) != 0 ? -1 : say(out, e, "taken;");
}

struct telling {
    struct buf *out;
    struct err *e;
    int result;
};

static void
tell_registration(void *arg, const struct requests_registration *r)
{
    struct telling *t = arg;

    t->result = t->result != 0 ? -1 : say_registration(t->out, r, true, t->e);
}

static void
tell_closing(void *arg, const char *id, struct span cms)
{
    struct telling *t = arg;

    t->result =
        t->result != 0 || say(t->out, t->e, "%s ", id) != 0 ? -1 : say_octets(t->out, cms, t->e);
}

/* What ends one: who is told, and what is delivered under it. */
static int
ends(struct store_db *db, unsigned n, struct buf *out, struct err *e)
{
    const struct requests_certificate c = whole_certificate(1);
    struct telling t = {.out = out, .e = e};
    struct requests_certificate held;
    bool found;

    if ((n < WHOLE_REGISTRATIONS &&
         requests_cancel(db, whole_ids[n], SPAN_LITERAL("signed"), "phrase", e) != 0) ||
        requests_closing_each(db, 10, tell_closing, &t, e) != 0 || t.result != 0 ||
        (n < WHOLE_REGISTRATIONS && requests_closed(db, whole_ids[n], e) != 0) ||
        requests_certificate_find(db, span_of(c.fingerprint, sizeof(c.fingerprint)), &held, &found,
                                  e) != 0) {
        return -1;
    }
    return say(out, e, "%d %d;", found, held.revoked);
}

static int
reseal_one(void *arg, const char *id, struct span sealed, struct buf *again, bool *changed,
           struct err *e)
{
    struct telling *t = arg;

    (void)again;
    *changed = false;
    return say(t->out, e, "%s ", id) != 0 ? -1 : say_octets(t->out, sealed, e);
}

/* ---- messages ---- */

static int
say_enrolment(struct buf *out, const struct requests_enrolment *x, struct err *e)
{
    return say(out, e, "%lld %s %s %d %d %d %d %d %s %d %d;", (long long)x->id, x->registration,
               x->profile, x->body, x->cert_req_id, x->implicit, x->state, x->fail_info, x->phrase,
               x->accepted, x->check_after) != 0 ||
                   say_octets(out, buf_span(&x->nonce), e) != 0 ||
                   say_octets(out, buf_span(&x->nonce_before), e) != 0 ||
                   say_octets(out, buf_span(&x->certificate), e) != 0 ||
                   say_octets(out, buf_span(&x->question), e) != 0
               ? -1
               : say_octets(out, buf_span(&x->asked), e);
}

static int
find(struct store_db *db, unsigned n, struct requests_enrolment *x, enum requests_owner *owner,
     struct err *e)
{
    const struct admitting in = whole_admitting(n);

    return requests_enrolment_find(db, in.identity, span_str(in.tid), x, owner, e);
}

/* As judge/message/known.c does. */
static int
later(struct store_db *db, unsigned n, struct buf *out, struct err *e)
{
    CLEANUP(requests_enrolment_clear) struct requests_enrolment x = {0};
    CLEANUP(requests_registration_clear) struct requests_registration r = {0};
    const struct admitting in = whole_admitting(n + 20);
    enum requests_owner owner;
    bool queued;
    bool found;

    if (find(db, n, &x, &owner, e) != 0 || say(out, e, "%d;", owner) != 0) {
        return -1;
    }
    if (owner != REQUESTS_SELF) {
        return 0;
    }
    return requests_queued(db, x.id, span_of(in.rid, sizeof(in.rid)), &queued, e) != 0 ||
                   requests_registration_by_id(db, x.registration, &r, &found, e) != 0 ||
                   say(out, e, "%d;", queued) != 0 || say_enrolment(out, &x, e) != 0
               ? -1
               : say_registration(out, &r, found, e);
}

static int
seen(struct store_db *db, unsigned n, struct buf *out, struct err *e)
{
    static const char *const tids[] = {"nothing", "nothing else", "t1", "t5", "t8", "never"};
    bool is_seen;

    return requests_is_seen(db, "mac:ref", span_str(tids[n]), &is_seen, e) != 0
               ? -1
               : say(out, e, "%d;", is_seen);
}

static int
say_certificate(struct buf *out, const struct requests_certificate *c, bool found, struct err *e)
{
    return say(out, e, "%d %s %s %lld %d;", found, c->registration, c->profile,
               (long long)c->not_after, c->revoked) != 0 ||
                   say_octets(out, span_of(c->fingerprint, sizeof(c->fingerprint)), e) != 0
               ? -1
               : say_octets(out, span_of(c->serial, c->serial_size), e);
}

/* Who signs with it is of network function "nf". */
static int
held(struct store_db *db, unsigned n, struct buf *out, struct err *e)
{
    const struct requests_certificate c = whole_certificate(n);
    CLEANUP(requests_registration_clear) struct requests_registration r = {0};
    struct requests_certificate a;
    struct requests_certificate b;
    bool one;
    bool other;
    bool found;

    return requests_certificate_find(db, span_of(c.fingerprint, sizeof(c.fingerprint)), &a, &one,
                                     e) != 0 ||
                   requests_certificate_by_serial(db, span_of(c.serial, c.serial_size), &b, &other,
                                                  e) != 0 ||
                   requests_registration_by_instance(db, "nf", &r, &found, e) != 0 ||
                   say_certificate(out, &a, one, e) != 0
               ? -1
               : say_certificate(out, &b, other, e);
}

/* A new one of each, and what was there before. */
static int
admits(struct store_db *db, unsigned n, struct buf *out, struct err *e)
{
    CLEANUP(requests_registration_clear) struct requests_registration r = {0};
    CLEANUP(requests_head_clear) struct requests_head head = {0};
    struct admitting in = whole_admitting(n);
    bool found;

    if (n == 9) {
        in.uncounted = false;
    }
    return whole_admit(db, &in, e) != 0 ||
                   requests_registration_by_id(db, whole_registration_of(n), &r, &found, e) != 0 ||
                   requests_head_of(db, in.sequence, &head, e) != 0 ||
                   say(out, e, "%lld %llu;", (long long)in.enrolment,
                       (unsigned long long)in.sequence) != 0 ||
                   say_registration(out, &r, found, e) != 0
               ? -1
               : say_octets(out, buf_span(&head.text), e);
}

static int
again(struct store_db *db, unsigned n, struct buf *out, struct err *e)
{
    CLEANUP(requests_enrolment_clear) struct requests_enrolment x = {0};
    const struct admitting in = whole_admitting(n);
    const struct requests_admission a = {.identity = in.identity,
                                         .transaction_id = span_str(in.tid),
                                         .rid = span_of(in.rid, sizeof(in.rid))};
    bool found;

    if (requests_enrolment_unanswered(db, &a, span_of(NULL, 0), &x, &found, e) != 0) {
        return -1;
    }
    return found ? say_enrolment(out, &x, e) : say(out, e, "answered;");
}

static int
confirms(struct store_db *db, unsigned n, struct buf *out, struct err *e)
{
    CLEANUP(requests_enrolment_clear) struct requests_enrolment x = {0};
    CLEANUP(requests_head_clear) struct requests_head head = {0};
    const struct admitting in = whole_admitting(n + 20);
    CLEANUP(buf_free) struct buf entry = verb_entry(in.rid);
    const struct requests_item item = {.rid = span_of(in.rid, sizeof(in.rid)),
                                       .message = span_str(in.message),
                                       .entry = buf_span(&entry)};
    enum requests_owner owner;
    uint64_t sequence;

    return find(db, n, &x, &owner, e) != 0 ||
                   requests_admit_confirmation(db, x.id, true, &item, &sequence, e) != 0 ||
                   requests_put_head(db, &verb_author, &head, e) != 0 ||
                   verb_answer(db, item.rid, requests_confirmed, e) != 0 ||
                   find(db, n, &x, &owner, e) != 0 || say_enrolment(out, &x, e) != 0
               ? -1
               : say_octets(out, buf_span(&head.text), e);
}

static int
moves(struct store_db *db, unsigned n, struct buf *out, struct err *e)
{
    CLEANUP(requests_enrolment_clear) struct requests_enrolment x = {0};
    const struct admitting in = whole_admitting(n / 3);
    enum requests_owner owner;

    if (find(db, n / 3, &x, &owner, e) != 0 || (n % 3 == 0 && requests_close(db, x.id, e) != 0) ||
        (n % 3 == 1 && requests_sent(db, x.id, SPAN_LITERAL("another"), true, 300, e) != 0) ||
        (n % 3 == 2 && requests_withdraw(db, span_of(in.rid, sizeof(in.rid)), 1, e) != 0) ||
        find(db, n / 3, &x, &owner, e) != 0 || say(out, e, "%d;", owner) != 0) {
        return -1;
    }
    return say_enrolment(out, &x, e);
}

/* ---- the queue ---- */

enum { ISSUED, DONE, REVOKED, WAITING, DEFERRED, CONFIRMED, REFUSED, ANSWERS };

static int
answer(struct store_db *db, struct requests_asked *asked, unsigned which, struct err *e)
{
    const struct requests_wait wait = {
        .check_after = 9, .phrase = "still people", .again_at = 60, .until = 1200};
    const struct requests_certificate c = whole_certificate(8);

    switch (which) {
    case ISSUED:
        return requests_issued(db, asked, SPAN_LITERAL("message 8"), &c, e);
    case DONE:
        return requests_done(db, asked, e);
    case REVOKED:
        return requests_revoked(db, asked, e);
    case WAITING:
        return requests_waiting(db, asked, &wait, e);
    case CONFIRMED:
        return requests_confirmed(db, asked, e);
    default:
        return requests_refused(db, asked, 2, "no", e) != 0 ? -1
                                                            : requests_signer_revoked(db, asked, e);
    }
}

static int
answers(struct store_db *db, unsigned n, struct buf *out, struct err *e)
{
    CLEANUP(requests_registration_clear) struct requests_registration r = {0};
    const struct admitting in = whole_admitting(n / ANSWERS + 1);
    CLEANUP(requests_asked_clear) struct requests_asked asked = {0};
    const struct span rid = span_of(in.rid, sizeof(in.rid));
    bool found;

    if (verb_asked(db, rid, &asked, e) != 0 ||
        (n % ANSWERS == DEFERRED ? requests_deferred(db, rid, 70, true, e)
                                 : answer(db, &asked, n % ANSWERS, e)) != 0 ||
        verb_asked(db, rid, &asked, e) != 0) {
        return -1;
    }
    return say_enrolment(out, &asked.enrolment, e) != 0 ||
                   requests_registration_by_id(db, asked.enrolment.registration, &r, &found, e) != 0
               ? -1
               : say_registration(out, &r, found, e);
}

static void
tell_entry(void *arg, const struct requests_entry *entry)
{
    struct telling *t = arg;

    t->result = t->result != 0 ||
                        say(t->out, t->e, "%llu %d;", (unsigned long long)entry->sequence,
                            entry->untimely) != 0 ||
                        say_octets(t->out, span_of(entry->rid, sizeof(entry->rid)), t->e) != 0 ||
                        say_octets(t->out, buf_span(&entry->message), t->e) != 0
                    ? -1
                    : say_octets(t->out, buf_span(&entry->entry), t->e);
}

static int
head(struct store_db *db, unsigned n, struct buf *out, struct err *e)
{
    static const uint64_t open[] = {4, 8, 9}; /* that have no answer: their heads are here */
    CLEANUP(requests_head_clear) struct requests_head h = {0};

    return requests_head_of(db, open[n], &h, e) != 0 ||
                   say_octets(out, buf_span(&h.text), e) != 0 ||
                   say_octets(out, buf_span(&h.leaves), e) != 0
               ? -1
               : say_octets(out, span_of(h.stamp, sizeof(h.stamp)), e);
}

static int
place(struct store_db *db, unsigned n, struct buf *out, struct err *e)
{
    CLEANUP(requests_head_clear) struct requests_head h = {0};
    const struct admitting in = whole_admitting(n);
    CLEANUP(buf_free) struct buf entry = verb_entry(in.rid);
    const struct requests_item item = {.rid = span_of(in.rid, sizeof(in.rid)),
                                       .message = span_str(in.message),
                                       .entry = buf_span(&entry)};
    bool taken;

    return requests_take_place(db, &item, &taken, e) != 0 ||
                   requests_put_head(db, &verb_author, &h, e) != 0 || say(out, e, "%d;", taken) != 0
               ? -1
               : say_octets(out, buf_span(&h.text), e);
}

/* ---- the rest ---- */

static int
ca_log(struct store_db *db, unsigned n, struct buf *out, struct err *e)
{
    CLEANUP(requests_ca_log_clear) struct requests_ca_log log = {0};
    bool found;

    if ((n == 3 &&
         requests_ca_log_keep(db, whole_vkey(1), 8, SPAN_LITERAL("an older note"), e) != 0) ||
        (n == 4 && requests_ca_log_keep(db, "log+2+key", 1, SPAN_LITERAL("a new one"), e) != 0) ||
        requests_ca_log_find(db, n < 2 ? whole_vkey(n) : NULL, &log, &found, e) != 0) {
        return -1;
    }
    return say(out, e, "%d %llu;", found, (unsigned long long)log.size) != 0 ||
                   say_octets(out, buf_span(&log.vkey), e) != 0
               ? -1
               : say_octets(out, buf_span(&log.note), e);
}

/* After each has ended, one after the other. */
static int
expires(struct store_db *db, unsigned n, struct buf *out, struct err *e)
{
    static const int64_t times[] = {150, 1001, 2000};
    bool more = true;
    bool is_seen;
    int overdue;

    while (more) {
        if (requests_expire(db, times[n], &overdue, &more, e) != 0) {
            return -1;
        }
    }
    return requests_is_seen(db, "mac:ref", SPAN_LITERAL("t1"), &is_seen, e) != 0
               ? -1
               : say(out, e, "%d %d;", overdue, is_seen);
}

/* What goes to the CA, to administrators, and to another key. */
static int
lists(struct store_db *db, unsigned n, struct buf *out, struct err *e)
{
    const struct requests_filter filter = {.limit = 100, .now = AT};
    struct telling t = {.out = out, .e = e};

    if ((n == 0 && requests_open_each(db, 0, INT64_MAX, 100, tell_entry, &t, e) != 0) ||
        (n == 1 && requests_registration_each(db, &filter, tell_registration, &t, e) != 0) ||
        (n == 2 && requests_reseal(db, 0, reseal_one, &t, e) != 0) ||
        (n == 3 && requests_verify_chain(db, e) != 0)) {
        return -1;
    }
    return t.result;
}

/* What is given to a CA that lost it. */
static void
tell_held(void *arg, const struct requests_held *h)
{
    struct telling *t = arg;

    t->result = t->result != 0 || say(t->out, t->e, "%lld %s %s %d ", (long long)h->id,
                                      h->registration, h->profile, h->revoked) != 0
                    ? -1
                    : say_octets(t->out, h->der, t->e);
}

static int
exports(struct store_db *db, unsigned n, struct buf *out, struct err *e)
{
    struct telling t = {.out = out, .e = e};

    return requests_held_each(db, n, 100, tell_held, &t, e) != 0 ? -1 : t.result;
}

/* What looks at least is first: the others would find what it does not. */
const struct use uses[] = {
    {"later", later, WHOLE_MESSAGES},
    {"seen", seen, 6},
    {"ca_log", ca_log, 5},
    {"head", head, 3},
    {"held", held, 9},
    {"again", again, WHOLE_MESSAGES},
    {"by reference", by_reference, 3},
    {"by signer", by_signer, 5},
    {"by instance", by_instance, 5},
    {"proven", proven, 3},
    {"registers", registers, WHOLE_REGISTRATIONS},
    {"admits", admits, WHOLE_MESSAGES},
    {"confirms", confirms, WHOLE_MESSAGES},
    {"moves", moves, 3 * WHOLE_MESSAGES},
    {"answers", answers, 8 * ANSWERS},
    {"place", place, WHOLE_MESSAGES},
    {"ends", ends, WHOLE_REGISTRATIONS + 1},
    {"lists", lists, 4},
    {"exports", exports, 2}, /* what is missing is given to nobody */
    {"expires", expires, 3},
};
const size_t uses_n = ARRAY_LEN(uses);
