/* SPDX-License-Identifier: Apache-2.0 */
#include "db/requests/requests.h"

#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

/* Each check runs as one store op, so a verb that fails leaves nothing behind. */
struct check_op {
    struct store_op op;
    int (*verb)(struct store_db *, void *arg, struct err *);
    void *arg;
};

static int
check_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct check_op *c = CONTAINER_OF(op, struct check_op, op);

    return c->verb(db, c->arg, e);
}

static int
call(struct store *store, int (*verb)(struct store_db *, void *, struct err *), void *arg,
     struct err *e)
{
    struct check_op c = {.op.run = check_run, .verb = verb, .arg = arg};

    return store_call(store, &c.op, e);
}

static struct store *
open_in(const char *dir)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ra.db", dir);
    const struct store_options options = {
        .path = path, .application = REQUESTS_APPLICATION, .schemas = {ra_migrations}};
    struct store *store;
    struct err e;

    store = store_open(&options, &e);
    if (store == NULL) {
        fail_msg("%s", e.text);
    }
    return store;
}

#define ID "00112233445566778899aabbccddeeff"

static void
fill(struct buf *b, const char *text)
{
    struct err e;

    *b = BUF_INIT(1024);
    assert_ok(buf_append_str(b, text, &e), &e);
}

struct registering {
    const char *id;
    const char *reference;
    const char *fingerprint;
    const char *subject;
    int certificates;
    int64_t registered;
    const char *public_key; /* NULL: none */
};

static int
verb_register(struct store_db *db, void *arg, struct err *e)
{
    const struct registering *in = arg;
    CLEANUP(requests_registration_clear) struct requests_registration r = {0};

    (void)snprintf(r.id, sizeof(r.id), "%s", in->id);
    (void)snprintf(r.nf_instance, sizeof(r.nf_instance), "nf");
    (void)snprintf(r.reference, sizeof(r.reference), "%s", in->reference);
    fill(&r.cms, "cms");
    fill(&r.json, "{}");
    fill(&r.sealed, in->reference[0] != '\0' ? "sealed" : "");
    fill(&r.fingerprint, in->fingerprint);
    fill(&r.public_key, in->public_key == NULL ? "" : in->public_key);
    if (in->subject != NULL) {
        r.issuer = mem_strdup("CN=Vendor");
        r.subject = mem_strdup(in->subject);
    }
    r.not_after = 5000;
    r.certificates = in->certificates;
    r.registered = in->registered;
    return requests_register(db, &r, e);
}

static void
put_registration(struct store *store, const char *id, const char *reference, int certificates)
{
    struct registering in = {id, reference, "", NULL, certificates, 1, NULL};
    struct err e;

    assert_ok(call(store, verb_register, &in, &e), &e);
}

struct admitting {
    const char *identity;
    const char *tid;
    uint8_t rid[REQUESTS_RID_SIZE];
    bool implicit;
    bool uncounted;
    int64_t enrolment;
    struct requests_entry entry;
};

static int
verb_admit(struct store_db *db, void *arg, struct err *e)
{
    struct admitting *in = arg;
    const struct requests_admission a = {
        .identity = in->identity,
        .transaction_id = span_str(in->tid),
        .registration = ID,
        .profile = "nf-tls",
        .implicit = in->implicit,
        .uncounted = in->uncounted,
        .until = 1000,
        .rid = span_of(in->rid, sizeof(in->rid)),
        .nested = SPAN_LITERAL("nested"),
        .asked = SPAN_LITERAL("asked"),
    };

    return requests_admit(db, &a, &in->enrolment, &in->entry, e);
}

static struct admitting
admitting(const char *tid, uint8_t rid)
{
    struct admitting in = {.identity = "mac:ref", .tid = tid};

    memset(in.rid, rid, sizeof(in.rid));
    return in;
}

struct state_query {
    const char *tid;
    struct requests_enrolment out;
    enum requests_owner owner;
    const char *identity;
};

static int
verb_find(struct store_db *db, void *arg, struct err *e)
{
    struct state_query *q = arg;

    return requests_enrolment_find(db, q->identity, span_str(q->tid), &q->out, &q->owner, e);
}

static struct requests_enrolment
find(struct store *store, const char *tid)
{
    struct state_query q = {.tid = tid, .identity = "mac:ref"};
    struct err e;

    assert_ok(call(store, verb_find, &q, &e), &e);
    assert_int_equal(q.owner, REQUESTS_SELF);
    return q.out;
}

static void
assert_state(struct store *store, const char *tid, enum requests_state state)
{
    CLEANUP(requests_enrolment_clear) struct requests_enrolment x = find(store, tid);

    assert_string_equal(requests_state_name(x.state), requests_state_name(state));
}

static int
verb_count(struct store_db *db, void *arg, struct err *e)
{
    return requests_count_open(db, arg, e);
}

static int
count_open(struct store *store)
{
    struct err e;
    int open = -1;

    assert_ok(call(store, verb_count, &open, &e), &e);
    return open;
}

static int
verb_issued(struct store_db *db, void *arg, struct err *e)
{
    return requests_issued(db, span_of(arg, REQUESTS_RID_SIZE), SPAN_LITERAL("certificate"), e);
}

static int
verb_issued_other(struct store_db *db, void *arg, struct err *e)
{
    return requests_issued(db, span_of(arg, REQUESTS_RID_SIZE), SPAN_LITERAL("another"), e);
}

static int
verb_refused(struct store_db *db, void *arg, struct err *e)
{
    return requests_refused(db, span_of(arg, REQUESTS_RID_SIZE), 23, "not allowed", e);
}

static int
verb_done(struct store_db *db, void *arg, struct err *e)
{
    return requests_done(db, span_of(arg, REQUESTS_RID_SIZE), e);
}

static int
verb_confirmed(struct store_db *db, void *arg, struct err *e)
{
    return requests_confirmed(db, span_of(arg, REQUESTS_RID_SIZE), e);
}

struct sending {
    int64_t enrolment;
    const char *nonce;
};

static int
verb_close(struct store_db *db, void *arg, struct err *e)
{
    const struct sending *s = arg;

    return requests_close(db, s->enrolment, e);
}

static int
verb_sent(struct store_db *db, void *arg, struct err *e)
{
    const struct sending *s = arg;

    return requests_sent(db, s->enrolment, span_str(s->nonce), true, 100, e);
}

struct confirming {
    int64_t enrolment;
    bool accepted;
    uint8_t rid[REQUESTS_RID_SIZE];
    struct requests_entry entry;
};

static int
verb_confirm(struct store_db *db, void *arg, struct err *e)
{
    struct confirming *c = arg;

    return requests_admit_confirmation(db, c->enrolment, c->accepted,
                                       span_of(c->rid, sizeof(c->rid)), SPAN_LITERAL("nested2"),
                                       &c->entry, e);
}

static int
verb_remember(struct store_db *db, void *arg, struct err *e)
{
    return requests_remember(db, "mac:ref", span_str(arg), 1000, e);
}

static int
verb_seen(struct store_db *db, void *arg, struct err *e)
{
    bool seen = true;

    if (requests_is_seen(db, "mac:ref", span_str(arg), &seen, e) != 0) {
        return -1;
    }
    return seen ? 0 : err_set(e, ERR_NOTFOUND, "it was not seen");
}

static int
verb_chain(struct store_db *db, void *arg, struct err *e)
{
    (void)arg;
    return requests_verify_chain(db, e);
}

static int
verb_damage(struct store_db *db, void *arg, struct err *e)
{
    (void)arg;
    return store_exec(db, "UPDATE queue SET nested = x'00' WHERE sequence = 1", STORE_NO_VALUES, e);
}

struct expiring {
    int64_t now;
    int overdue;
};

static int
verb_expire(struct store_db *db, void *arg, struct err *e)
{
    struct expiring *x = arg;

    return requests_expire(db, x->now, &x->overdue, e);
}

/* ---- tests ---- */

static void
a_transaction_id_is_used_once_per_identity(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(store_cleanup) struct store *store = open_in(dir);
    struct admitting first = admitting("tid", 1);
    struct admitting again = admitting("tid", 2);
    struct admitting same_octets = admitting("other", 1);
    struct admitting stranger = admitting("tid", 3);
    struct err e;

    (void)state;
    put_registration(store, ID, "ref", 5);
    assert_ok(call(store, verb_admit, &first, &e), &e);
    assert_err(call(store, verb_admit, &again, &e), ERR_CONFLICT, &e);
    assert_err(call(store, verb_admit, &same_octets, &e), ERR_CONFLICT, &e);
    assert_int_equal(count_open(store), 1);
    stranger.identity = "cert:00";
    assert_ok(call(store, verb_admit, &stranger, &e), &e);
}

static void
a_refused_first_message_is_remembered_too(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(store_cleanup) struct store *store = open_in(dir);
    struct admitting in = admitting("tid", 1);
    char tid[] = "tid";
    struct err e;

    (void)state;
    put_registration(store, ID, "ref", 5);
    assert_err(call(store, verb_seen, tid, &e), ERR_NOTFOUND, &e);
    assert_ok(call(store, verb_remember, tid, &e), &e);
    assert_ok(call(store, verb_seen, tid, &e), &e);
    assert_err(call(store, verb_remember, tid, &e), ERR_CONFLICT, &e);
    assert_err(call(store, verb_admit, &in, &e), ERR_CONFLICT, &e);
    assert_int_equal(count_open(store), 0);
}

static void
a_registration_is_used_as_often_as_it_says(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(store_cleanup) struct store *store = open_in(dir);
    struct admitting first = admitting("a", 1);
    struct admitting second = admitting("b", 2);
    struct err e;

    (void)state;
    put_registration(store, ID, "ref", 1);
    assert_ok(call(store, verb_admit, &first, &e), &e);
    assert_err(call(store, verb_admit, &second, &e), ERR_DENIED, &e);
    /* The CA refuses: the use comes back, and the answer again changes nothing. */
    assert_ok(call(store, verb_refused, first.rid, &e), &e);
    assert_ok(call(store, verb_refused, first.rid, &e), &e);
    assert_state(store, "a", REQUESTS_REJECTED);
    second = admitting("c", 3);
    assert_ok(call(store, verb_admit, &second, &e), &e);
}

static void
an_enrolment_goes_through_its_states(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(store_cleanup) struct store *store = open_in(dir);
    struct admitting in = admitting("tid", 1);
    struct confirming c = {.accepted = true};
    struct sending s = {.nonce = "nonce-1"};
    struct err e;

    (void)state;
    put_registration(store, ID, "ref", 1);
    assert_ok(call(store, verb_admit, &in, &e), &e);
    assert_state(store, "tid", REQUESTS_QUEUED);
    s.enrolment = c.enrolment = in.enrolment;
    memset(c.rid, 9, sizeof(c.rid));
    assert_err(call(store, verb_confirm, &c, &e), ERR_CONFLICT, &e);
    assert_ok(call(store, verb_issued, in.rid, &e), &e);
    assert_state(store, "tid", REQUESTS_ANSWERED);
    assert_ok(call(store, verb_sent, &s, &e), &e);
    assert_state(store, "tid", REQUESTS_SENT);
    s.nonce = "nonce-2";
    assert_ok(call(store, verb_sent, &s, &e), &e);
    assert_ok(call(store, verb_sent, &s, &e), &e); /* said again, nothing moves on */
    {
        CLEANUP(requests_enrolment_clear) struct requests_enrolment x = find(store, "tid");

        assert_true(span_equal(buf_span(&x.nonce), SPAN_LITERAL("nonce-2")));
        assert_true(span_equal(buf_span(&x.nonce_before), SPAN_LITERAL("nonce-1")));
        assert_true(span_equal(buf_span(&x.certificate), SPAN_LITERAL("certificate")));
        assert_true(span_equal(buf_span(&x.asked), SPAN_LITERAL("asked")));
    }
    assert_ok(call(store, verb_confirm, &c, &e), &e);
    assert_state(store, "tid", REQUESTS_CONFIRMING);
    assert_int_equal(count_open(store), 1);
    assert_ok(call(store, verb_confirmed, c.rid, &e), &e);
    assert_ok(call(store, verb_confirmed, c.rid, &e), &e);
    assert_state(store, "tid", REQUESTS_CONFIRMED);
    assert_err(call(store, verb_confirm, &c, &e), ERR_CONFLICT, &e);
    assert_int_equal(count_open(store), 0);
}

static void
a_rejecting_certconf_ends_in_rejected(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(store_cleanup) struct store *store = open_in(dir);
    struct admitting in = admitting("tid", 1);
    struct confirming c = {.accepted = false};
    struct sending s = {.nonce = "n"};
    struct err e;

    (void)state;
    put_registration(store, ID, "ref", 1);
    assert_ok(call(store, verb_admit, &in, &e), &e);
    s.enrolment = c.enrolment = in.enrolment;
    memset(c.rid, 9, sizeof(c.rid));
    assert_ok(call(store, verb_issued, in.rid, &e), &e);
    assert_ok(call(store, verb_sent, &s, &e), &e);
    assert_ok(call(store, verb_confirm, &c, &e), &e);
    assert_ok(call(store, verb_confirmed, c.rid, &e), &e);
    assert_state(store, "tid", REQUESTS_REJECTED);
}

static int
verb_cancel(struct store_db *db, void *arg, struct err *e)
{
    return requests_cancel(db, arg, SPAN_LITERAL("signed"), "cancelled", e);
}

static int
verb_used(struct store_db *db, void *arg, struct err *e)
{
    CLEANUP(requests_registration_clear) struct requests_registration r = {0};
    bool found;

    if (requests_registration_by_id(db, ID, &r, &found, e) != 0) {
        return -1;
    }
    *(int *)arg = r.used;
    return 0;
}

/* Whether it may be tried again is the CA's to say: it knows why not, and "used up" would be
 * untrue. */
static void
what_was_rejected_may_be_asked_for_again_though_it_is_used_up(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(store_cleanup) struct store *store = open_in(dir);
    struct admitting in = admitting("tid", 1);
    struct admitting next = admitting("next", 2);
    struct admitting after = admitting("after", 3);
    char id[] = ID;
    int used = 0;
    struct confirming c = {.accepted = false};
    struct sending s = {.nonce = "n"};
    struct err e;

    (void)state;
    put_registration(store, ID, "ref", 1);
    assert_ok(call(store, verb_admit, &in, &e), &e);
    assert_err(call(store, verb_admit, &next, &e), ERR_DENIED, &e);
    s.enrolment = c.enrolment = in.enrolment;
    memset(c.rid, 9, sizeof(c.rid));
    assert_ok(call(store, verb_issued, in.rid, &e), &e);
    assert_ok(call(store, verb_sent, &s, &e), &e);
    assert_ok(call(store, verb_confirm, &c, &e), &e);
    assert_ok(call(store, verb_confirmed, c.rid, &e), &e);
    assert_ok(call(store, verb_admit, &next, &e), &e);
    /* refused by the CA, it gives no use back: it took none */
    assert_ok(call(store, verb_refused, next.rid, &e), &e);
    assert_ok(call(store, verb_used, &used, &e), &e);
    assert_int_equal(used, 1);
    assert_ok(call(store, verb_cancel, id, &e), &e);
    assert_err(call(store, verb_admit, &after, &e), ERR_DENIED, &e);
}

/* An answer got lost, and a later request got the same certificate. */
static void
what_is_confirmed_ends_the_earlier_transactions_about_it(void **state)
{
    static const char *const tids[] = {"lost", "other", "later"};
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(store_cleanup) struct store *store = open_in(dir);
    struct confirming c = {.accepted = true};
    struct err e;

    (void)state;
    put_registration(store, ID, "ref", 3);
    for (size_t i = 0; i < ARRAY_LEN(tids); i++) {
        struct admitting in = admitting(tids[i], (uint8_t)(1 + i));
        struct sending s = {.nonce = "n"};

        assert_ok(call(store, verb_admit, &in, &e), &e);
        assert_ok(call(store, i == 1 ? verb_issued_other : verb_issued, in.rid, &e), &e);
        s.enrolment = c.enrolment = in.enrolment;
        assert_ok(call(store, verb_sent, &s, &e), &e);
    }
    memset(c.rid, 9, sizeof(c.rid));
    assert_ok(call(store, verb_confirm, &c, &e), &e);
    assert_ok(call(store, verb_confirmed, c.rid, &e), &e);
    assert_state(store, "later", REQUESTS_CONFIRMED);
    assert_state(store, "lost", REQUESTS_CONFIRMED);
    assert_state(store, "other", REQUESTS_SENT);
}

static void
a_client_that_gives_up_ends_its_transaction(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(store_cleanup) struct store *store = open_in(dir);
    struct admitting in = admitting("tid", 1);
    struct confirming c = {.accepted = true};
    struct sending s = {.nonce = "n"};
    struct err e;

    (void)state;
    put_registration(store, ID, "ref", 1);
    assert_ok(call(store, verb_admit, &in, &e), &e);
    s.enrolment = c.enrolment = in.enrolment;
    memset(c.rid, 9, sizeof(c.rid));
    assert_ok(call(store, verb_close, &s, &e), &e);
    assert_state(store, "tid", REQUESTS_REJECTED);
    assert_ok(call(store, verb_issued, in.rid, &e), &e); /* too late, and not lost at the CA */
    assert_state(store, "tid", REQUESTS_REJECTED);
    assert_err(call(store, verb_confirm, &c, &e), ERR_CONFLICT, &e);
    /* What has ended stays as it ended. */
    in = admitting("other", 2);
    in.uncounted = in.implicit = true;
    assert_ok(call(store, verb_admit, &in, &e), &e);
    s.enrolment = in.enrolment;
    assert_ok(call(store, verb_issued, in.rid, &e), &e);
    assert_ok(call(store, verb_sent, &s, &e), &e);
    assert_ok(call(store, verb_close, &s, &e), &e);
    assert_state(store, "other", REQUESTS_CONFIRMED);
}

static void
implicit_confirmation_ends_with_the_answer(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(store_cleanup) struct store *store = open_in(dir);
    struct admitting in = admitting("tid", 1);
    struct sending s = {.nonce = "n"};
    struct err e;

    (void)state;
    in.implicit = true;
    put_registration(store, ID, "ref", 1);
    assert_ok(call(store, verb_admit, &in, &e), &e);
    s.enrolment = in.enrolment;
    assert_ok(call(store, verb_issued, in.rid, &e), &e);
    assert_ok(call(store, verb_sent, &s, &e), &e);
    assert_state(store, "tid", REQUESTS_CONFIRMED);
}

static void
what_is_no_enrolment_takes_no_certificate_and_ends_with_its_answer(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(store_cleanup) struct store *store = open_in(dir);
    struct admitting first = admitting("a", 1);
    struct admitting done = admitting("b", 2);
    struct admitting refused = admitting("c", 3);
    struct admitting more = admitting("d", 4);
    uint8_t unasked[REQUESTS_RID_SIZE] = {0};
    struct sending s = {.nonce = "n"};
    struct err e;

    (void)state;
    put_registration(store, ID, "ref", 1);
    assert_ok(call(store, verb_admit, &first, &e), &e); /* uses it up */
    done.uncounted = refused.uncounted = true;
    done.implicit = refused.implicit = true;
    assert_ok(call(store, verb_admit, &done, &e), &e);
    assert_ok(call(store, verb_admit, &refused, &e), &e);
    s.enrolment = done.enrolment;
    assert_ok(call(store, verb_done, done.rid, &e), &e);
    assert_state(store, "b", REQUESTS_ANSWERED);
    assert_ok(call(store, verb_sent, &s, &e), &e);
    assert_state(store, "b", REQUESTS_CONFIRMED);
    assert_ok(call(store, verb_done, done.rid, &e), &e); /* the same again */
    assert_state(store, "b", REQUESTS_CONFIRMED);
    assert_err(call(store, verb_done, unasked, &e), ERR_NOTFOUND, &e);
    /* What was not taken is not given back. */
    assert_ok(call(store, verb_refused, refused.rid, &e), &e);
    assert_err(call(store, verb_admit, &more, &e), ERR_DENIED, &e);
}

static int
verb_ask(struct store_db *db, void *arg, struct err *e)
{
    struct admitting *in = arg;
    const struct requests_admission a = {
        .identity = in->identity,
        .transaction_id = span_str(in->tid),
        .registration = ID,
        .profile = "nf-tls",
        .body = 21,
        .cert_req_id = -1,
        .until = 1000,
    };

    return requests_ask(db, &a, SPAN_LITERAL("question"), &in->enrolment, e);
}

static void
a_question_is_kept_for_its_polls_and_asks_the_ca_nothing(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(store_cleanup) struct store *store = open_in(dir);
    CLEANUP(requests_enrolment_clear) struct requests_enrolment x = {0};
    struct admitting in = admitting("tid", 1);
    struct sending s = {.nonce = "n"};
    struct err e;

    (void)state;
    put_registration(store, ID, "ref", 1);
    assert_ok(call(store, verb_ask, &in, &e), &e);
    assert_err(call(store, verb_ask, &in, &e), ERR_CONFLICT, &e);
    assert_int_equal(count_open(store), 0);
    x = find(store, "tid");
    assert_int_equal(x.state, REQUESTS_ANSWERED);
    assert_true(span_equal(buf_span(&x.question), SPAN_LITERAL("question")));
    s.enrolment = in.enrolment;
    assert_ok(call(store, verb_sent, &s, &e), &e);
    assert_state(store, "tid", REQUESTS_CONFIRMED);
}

static void
two_certificates_for_one_request_are_a_conflict(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(store_cleanup) struct store *store = open_in(dir);
    struct admitting in = admitting("tid", 1);
    uint8_t stranger[REQUESTS_RID_SIZE] = {0};
    struct err e;

    (void)state;
    put_registration(store, ID, "ref", 1);
    assert_ok(call(store, verb_admit, &in, &e), &e);
    assert_ok(call(store, verb_issued, in.rid, &e), &e);
    assert_ok(call(store, verb_issued, in.rid, &e), &e);
    assert_err(call(store, verb_issued_other, in.rid, &e), ERR_CONFLICT, &e);
    assert_err(call(store, verb_issued, stranger, &e), ERR_NOTFOUND, &e);
    assert_err(call(store, verb_refused, stranger, &e), ERR_NOTFOUND, &e);
}

static void
a_transaction_of_another_credential_is_known_but_not_found(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(store_cleanup) struct store *store = open_in(dir);
    struct admitting in = admitting("tid", 1);
    static const struct {
        const char *identity;
        enum requests_owner owner;
    } rows[] = {
        {"mac:ref", REQUESTS_SELF},         {"mac:ref2", REQUESTS_SAME_KIND},
        {"mac:", REQUESTS_SAME_KIND},       {"pbmac1:ref", REQUESTS_ANOTHER_KIND},
        {"cert:00", REQUESTS_ANOTHER_KIND},
    };
    struct state_query q = {.tid = "tid"};
    struct err e;

    (void)state;
    put_registration(store, ID, "ref", 1);
    assert_ok(call(store, verb_admit, &in, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        q.identity = rows[i].identity;
        assert_ok(call(store, verb_find, &q, &e), &e);
        assert_int_equal(q.owner, rows[i].owner);
        requests_enrolment_clear(&q.out);
    }
    q.tid = "nobody's";
    assert_ok(call(store, verb_find, &q, &e), &e);
    assert_int_equal(q.owner, REQUESTS_NOBODY);
}

struct seen {
    uint64_t sequences[8];
    size_t n;
};

static void
see(void *arg, const struct requests_entry *entry)
{
    struct seen *s = arg;

    assert_true(span_equal(buf_span(&entry->nested), SPAN_LITERAL("nested")));
    s->sequences[s->n++] = entry->sequence;
}

static int
verb_open(struct store_db *db, void *arg, struct err *e)
{
    return requests_open_each(db, 1, INT64_MAX, 8, see, arg, e);
}

static void
the_queue_survives_a_restart_in_order(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(store_cleanup) struct store *store = open_in(dir);
    struct admitting rows[] = {admitting("a", 1), admitting("b", 2), admitting("c", 3),
                               admitting("d", 4)};
    struct seen seen = {.n = 0};
    struct err e;

    (void)state;
    put_registration(store, ID, "ref", 9);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_ok(call(store, verb_admit, &rows[i], &e), &e);
        assert_int_equal(rows[i].entry.sequence, i + 1);
    }
    assert_ok(call(store, verb_issued, rows[2].rid, &e), &e);
    store_free(TAKE(store));
    store = open_in(dir);
    assert_ok(call(store, verb_open, &seen, &e), &e);
    assert_int_equal(seen.n, 2);
    assert_int_equal(seen.sequences[0], 2);
    assert_int_equal(seen.sequences[1], 4);
    assert_ok(call(store, verb_chain, NULL, &e), &e);
    assert_err(call(store, verb_admit, &rows[0], &e), ERR_CONFLICT, &e);
}

struct waits {
    const uint8_t *rid;
    int64_t now;
    int64_t until;
    struct seen seen;
    struct requests_enrolment enrolment;
    bool found;
};

static int
verb_waiting(struct store_db *db, void *arg, struct err *e)
{
    struct waits *w = arg;

    return requests_waiting(
        db, span_of(w->rid, REQUESTS_RID_SIZE),
        &(struct requests_wait){
            .check_after = 60, .phrase = "waiting for approval", .again_at = 1000, .until = 5000},
        e);
}

static int
verb_open_at(struct store_db *db, void *arg, struct err *e)
{
    struct waits *w = arg;

    w->seen.n = 0;
    return requests_open_each(db, 0, w->now, 8, see, &w->seen, e);
}

static int
verb_rest_until(struct store_db *db, void *arg, struct err *e)
{
    struct waits *w = arg;

    return requests_rest_until(db, w->now, &w->until, e);
}

static int
verb_of_rid(struct store_db *db, void *arg, struct err *e)
{
    struct waits *w = arg;

    return requests_enrolment_by_rid(db, span_of(w->rid, REQUESTS_RID_SIZE), &w->enrolment,
                                     &w->found, e);
}

static void
what_waits_for_people_rests_and_is_remembered(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(store_cleanup) struct store *store = open_in(dir);
    struct admitting in = admitting("a", 1);
    struct admitting again = admitting("a", 2);
    struct admitting last = admitting("b", 3);
    struct waits w = {.rid = in.rid};
    struct err e;

    (void)state;
    put_registration(store, ID, "ref", 9);
    assert_err(call(store, verb_waiting, &w, &e), ERR_NOTFOUND, &e);
    assert_ok(call(store, verb_admit, &in, &e), &e);
    assert_ok(call(store, verb_open_at, &w, &e), &e);
    assert_int_equal(w.seen.n, 1);
    assert_ok(call(store, verb_waiting, &w, &e), &e);
    store_free(TAKE(store));
    store = open_in(dir);
    w.now = 999;
    assert_ok(call(store, verb_open_at, &w, &e), &e);
    assert_int_equal(w.seen.n, 0);
    assert_ok(call(store, verb_rest_until, &w, &e), &e);
    assert_int_equal(w.until, 1000);
    w.now = 1000;
    assert_ok(call(store, verb_open_at, &w, &e), &e);
    assert_int_equal(w.seen.n, 1);
    assert_ok(call(store, verb_rest_until, &w, &e), &e);
    assert_int_equal(w.until, 0);
    assert_ok(call(store, verb_of_rid, &w, &e), &e);
    assert_int_equal(w.enrolment.state, REQUESTS_QUEUED);
    assert_int_equal(w.enrolment.check_after, 60);
    assert_string_equal(w.enrolment.phrase, "waiting for approval");
    /* the answer comes after all, unasked, when the request's own time has passed (1000) */
    assert_ok(call(store, verb_issued, in.rid, &e), &e);
    w.now = 999;
    assert_ok(call(store, verb_rest_until, &w, &e), &e);
    assert_int_equal(w.until, 0);                      /* of what is answered nothing rests */
    assert_ok(call(store, verb_admit, &last, &e), &e); /* the last entry always stays */
    assert_ok(call(store, verb_expire, &(struct expiring){.now = 4999}, &e), &e);
    assert_ok(call(store, verb_of_rid, &w, &e), &e);
    assert_int_equal(w.enrolment.state, REQUESTS_ANSWERED);
    assert_err(call(store, verb_waiting, &w, &e), ERR_NOTFOUND, &e); /* too late */
    assert_err(call(store, verb_admit, &again, &e), ERR_CONFLICT, &e);
    assert_ok(call(store, verb_expire, &(struct expiring){.now = 5001}, &e), &e);
    assert_ok(call(store, verb_of_rid, &w, &e), &e);
    assert_false(w.found);
    requests_enrolment_clear(&w.enrolment);
}

struct defers {
    const uint8_t *rid;
    bool untimely;
    struct requests_entry open; /* the first entry that may be sent at `now` */
    int64_t now;
    const char *tid;
    struct requests_enrolment enrolment;
    bool found;
};

static int
verb_deferred(struct store_db *db, void *arg, struct err *e)
{
    const struct defers *d = arg;

    return requests_deferred(db, span_of(d->rid, REQUESTS_RID_SIZE), 1000, d->untimely, e);
}

static int
verb_rewrapped(struct store_db *db, void *arg, struct err *e)
{
    const struct defers *d = arg;

    return requests_rewrapped(db, span_of(d->rid, REQUESTS_RID_SIZE), SPAN_LITERAL("anew"), e);
}

static void
keep_open(void *arg, const struct requests_entry *entry)
{
    struct defers *d = arg;
    struct err e;

    requests_entry_clear(&d->open);
    d->open = *entry;
    d->open.nested = BUF_INIT(16);
    assert_ok(buf_set(&d->open.nested, buf_span(&entry->nested), &e), &e);
}

static int
verb_first_open(struct store_db *db, void *arg, struct err *e)
{
    struct defers *d = arg;

    requests_entry_clear(&d->open);
    return requests_open_each(db, 0, d->now, 1, keep_open, d, e);
}

static int
verb_unanswered(struct store_db *db, void *arg, struct err *e)
{
    struct defers *d = arg;
    const struct requests_admission a = {.identity = "mac:ref",
                                         .transaction_id = span_str(d->tid),
                                         .rid = span_of(d->rid, REQUESTS_RID_SIZE)};

    return requests_enrolment_unanswered(db, &a, span_of(NULL, 0), &d->enrolment, &d->found, e);
}

static int
verb_queued(struct store_db *db, void *arg, struct err *e)
{
    struct defers *d = arg;

    return requests_queued(db, d->enrolment.id, span_of(d->rid, REQUESTS_RID_SIZE), &d->found, e);
}

static int
verb_forget(struct store_db *db, void *arg, struct err *e)
{
    return requests_forget(db, "mac:ref", span_str(arg), e);
}

static void
what_is_deferred_rests_and_is_wrapped_anew_beside_the_chain(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(store_cleanup) struct store *store = open_in(dir);
    struct admitting in = admitting("a", 1);
    struct admitting next = admitting("b", 2);
    struct defers d = {.rid = in.rid, .untimely = true, .now = 999};
    struct err e;

    (void)state;
    put_registration(store, ID, "ref", 9);
    assert_ok(call(store, verb_deferred, &d, &e), &e); /* no such entry */
    assert_ok(call(store, verb_admit, &in, &e), &e);
    assert_ok(call(store, verb_deferred, &d, &e), &e);
    assert_ok(call(store, verb_first_open, &d, &e), &e);
    assert_int_equal(d.open.sequence, 0);
    d.now = 1000;
    assert_ok(call(store, verb_first_open, &d, &e), &e);
    assert_true(d.open.untimely);
    assert_true(span_equal(buf_span(&d.open.nested), SPAN_LITERAL("nested")));
    assert_ok(call(store, verb_rewrapped, &d, &e), &e);
    assert_ok(call(store, verb_first_open, &d, &e), &e);
    assert_int_equal(d.open.sequence, 1);
    assert_false(d.open.untimely);
    assert_true(span_equal(buf_span(&d.open.nested), SPAN_LITERAL("anew")));
    assert_ok(call(store, verb_admit, &next, &e), &e);
    assert_ok(call(store, verb_chain, NULL, &e), &e);
    /* what was answered stays as it is */
    assert_ok(call(store, verb_issued, in.rid, &e), &e);
    assert_ok(call(store, verb_deferred, &d, &e), &e);
    assert_ok(call(store, verb_chain, NULL, &e), &e);
    requests_entry_clear(&d.open);
}

static void
the_same_octets_go_on_until_an_answer_has_left(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(store_cleanup) struct store *store = open_in(dir);
    struct admitting in = admitting("a", 1);
    struct admitting other = admitting("a", 2);
    struct defers d = {.rid = in.rid, .tid = "a"};
    struct err e;

    (void)state;
    put_registration(store, ID, "ref", 9);
    assert_ok(call(store, verb_unanswered, &d, &e), &e);
    assert_false(d.found);
    assert_ok(call(store, verb_admit, &in, &e), &e);
    assert_ok(call(store, verb_unanswered, &d, &e), &e);
    assert_true(d.found && d.enrolment.id == in.enrolment);
    d.found = false;
    assert_ok(call(store, verb_queued, &d, &e), &e);
    assert_true(d.found);
    d.rid = other.rid; /* other octets in the same transaction */
    assert_ok(call(store, verb_queued, &d, &e), &e);
    assert_false(d.found);
    assert_ok(call(store, verb_unanswered, &d, &e), &e);
    assert_false(d.found);
    d.rid = in.rid;
    assert_ok(call(store, verb_sent,
                   &(struct sending){.enrolment = in.enrolment, .nonce = "nonce-1"}, &e),
              &e);
    assert_ok(call(store, verb_unanswered, &d, &e), &e);
    assert_false(d.found);
    requests_enrolment_clear(&d.enrolment);
}

static void
what_nobody_saw_an_answer_to_is_forgotten(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(store_cleanup) struct store *store = open_in(dir);
    struct admitting in = admitting("a", 1);
    char tid[] = "a";
    struct err e;

    (void)state;
    put_registration(store, ID, "ref", 9);
    assert_ok(call(store, verb_forget, tid, &e), &e); /* there is none */
    assert_ok(call(store, verb_remember, tid, &e), &e);
    assert_err(call(store, verb_admit, &in, &e), ERR_CONFLICT, &e);
    assert_ok(call(store, verb_forget, tid, &e), &e);
    assert_ok(call(store, verb_admit, &in, &e), &e);
}

static void
a_changed_queue_entry_breaks_the_chain(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(store_cleanup) struct store *store = open_in(dir);
    struct admitting a = admitting("a", 1);
    struct admitting b = admitting("b", 2);
    struct err e;

    (void)state;
    put_registration(store, ID, "ref", 9);
    assert_ok(call(store, verb_admit, &a, &e), &e);
    assert_ok(call(store, verb_admit, &b, &e), &e);
    assert_ok(call(store, verb_chain, NULL, &e), &e);
    assert_ok(call(store, verb_damage, NULL, &e), &e);
    assert_err(call(store, verb_chain, NULL, &e), ERR_STORE, &e);
    assert_non_null(strstr(e.text, "entry 1"));
}

static void
what_is_overdue_becomes_unconfirmed_and_the_old_is_forgotten(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(store_cleanup) struct store *store = open_in(dir);
    struct admitting in = admitting("tid", 1);
    struct admitting waits = admitting("waits", 2);
    struct admitting last = admitting("last", 3);
    struct admitting again = admitting("tid", 4);
    struct sending s = {.nonce = "n"};
    struct expiring x = {.now = 100};
    struct state_query q = {.tid = "tid", .identity = "mac:ref"};
    struct err e;

    (void)state;
    put_registration(store, ID, "ref", 9);
    assert_ok(call(store, verb_admit, &in, &e), &e);
    assert_ok(call(store, verb_admit, &waits, &e), &e);
    assert_ok(call(store, verb_issued, in.rid, &e), &e);
    s.enrolment = in.enrolment;
    assert_ok(call(store, verb_sent, &s, &e), &e);
    assert_ok(call(store, verb_expire, &x, &e), &e);
    assert_int_equal(x.overdue, 0); /* confirm_by is 100: not yet over */
    x.now = 101;
    assert_ok(call(store, verb_expire, &x, &e), &e);
    assert_int_equal(x.overdue, 1);
    assert_state(store, "tid", REQUESTS_UNCONFIRMED);
    assert_err(call(store, verb_admit, &again, &e), ERR_CONFLICT, &e);
    x.now = 1001;
    assert_ok(call(store, verb_expire, &x, &e), &e);
    assert_ok(call(store, verb_find, &q, &e), &e);
    assert_int_equal(q.owner, REQUESTS_NOBODY);
    assert_state(store, "waits", REQUESTS_QUEUED); /* the CA still owes an answer */
    assert_ok(call(store, verb_admit, &last, &e), &e);
    assert_ok(call(store, verb_chain, NULL, &e), &e);
}

static void
what_ended_is_forgotten_behind_what_waits_and_the_chain_holds(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(store_cleanup) struct store *store = open_in(dir);
    struct admitting waits = admitting("waits", 1);
    struct admitting ended = admitting("ended", 2);
    struct admitting later = admitting("later", 3);
    struct state_query q = {.tid = "ended", .identity = "mac:ref"};
    struct expiring x = {.now = 1001};
    struct err e;

    (void)state;
    put_registration(store, ID, "ref", 9);
    assert_ok(call(store, verb_admit, &waits, &e), &e);
    assert_ok(call(store, verb_admit, &ended, &e), &e);
    assert_ok(call(store, verb_admit, &later, &e), &e);
    assert_ok(call(store, verb_refused, ended.rid, &e), &e);
    assert_ok(call(store, verb_expire, &x, &e), &e);
    assert_ok(call(store, verb_find, &q, &e), &e);
    assert_int_equal(q.owner, REQUESTS_NOBODY);
    assert_ok(call(store, verb_chain, NULL, &e), &e);
}

struct lookup {
    const char *reference;
    const char *fingerprint;
    const char *subject;
    const char *public_key;
    struct requests_registration out;
    bool found;
};

static int
verb_lookup(struct store_db *db, void *arg, struct err *e)
{
    struct lookup *l = arg;
    struct requests_signer signer;

    if (l->reference != NULL) {
        return requests_registration_by_reference(db, span_str(l->reference), &l->out, &l->found,
                                                  e);
    }
    signer = (struct requests_signer){span_str(l->fingerprint),
                                      span_str(l->public_key == NULL ? "" : l->public_key),
                                      "CN=Vendor", l->subject};
    return requests_registration_by_signer(db, &signer, &l->out, &l->found, e);
}

static void
a_registration_is_found_by_what_the_message_shows(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(store_cleanup) struct store *store = open_in(dir);
    struct registering rows[] = {
        {"mac", "ref", "", NULL, 1, 1, NULL},
        {"pinned", "", "fingerprint", NULL, 1, 2, NULL},
        {"vendor-old", "", "", "CN=NF", 1, 3, NULL},
        {"vendor-new", "", "", "CN=NF", 1, 4, NULL},
        {"key", "", "", NULL, 1, 5, "spki"},
    };
    struct {
        struct lookup query;
        const char *expected;
    } lookups[] = {
        {{.reference = "ref"}, "mac"},
        {{.reference = "re"}, NULL},
        {{.reference = ""}, NULL},
        {{.reference = "0123456789012345678901234567890123456789"}, NULL},
        {{.fingerprint = "fingerprint", .subject = "CN=NF"}, "pinned"},
        {{.fingerprint = "other", .subject = "CN=NF"}, "vendor-new"},
        {{.fingerprint = "other", .subject = "CN=nf"}, NULL},
        {{.fingerprint = "other", .subject = "CN=NF", .public_key = "spki"}, "key"},
        {{.fingerprint = "other", .subject = "CN=nf", .public_key = "spk"}, NULL},
    };
    struct lookup old = {.fingerprint = "x", .subject = "CN=NF"};
    struct lookup other = {.fingerprint = "fingerprint", .subject = "CN=NF"};
    char cancelled[] = "vendor-new";
    char pinned[] = "pinned";
    char nobody[] = "nobody";
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_ok(call(store, verb_register, &rows[i], &e), &e);
        assert_err(call(store, verb_register, &rows[i], &e), ERR_CONFLICT, &e);
    }
    for (size_t i = 0; i < ARRAY_LEN(lookups); i++) {
        struct lookup *l = &lookups[i].query;

        assert_ok(call(store, verb_lookup, l, &e), &e);
        assert_int_equal(l->found, lookups[i].expected != NULL);
        if (l->found) {
            assert_string_equal(l->out.id, lookups[i].expected);
        }
        requests_registration_clear(&l->out);
    }
    assert_ok(call(store, verb_cancel, cancelled, &e), &e);
    assert_ok(call(store, verb_cancel, cancelled, &e), &e);
    assert_err(call(store, verb_cancel, nobody, &e), ERR_NOTFOUND, &e);
    assert_ok(call(store, verb_lookup, &old, &e), &e);
    assert_string_equal(old.out.id, "vendor-old");
    requests_registration_clear(&old.out);
    assert_ok(call(store, verb_cancel, pinned, &e), &e);
    assert_ok(call(store, verb_lookup, &other, &e), &e);
    assert_string_equal(other.out.id, "vendor-old"); /* not the cancelled one that is pinned */
    requests_registration_clear(&other.out);
}

struct page {
    struct requests_filter filter;
    char ids[256];
};

static void
page_visit(void *arg, const struct requests_registration *r)
{
    struct page *page = arg;
    size_t n = strlen(page->ids);

    assert_int_equal(r->json.n, 0);
    (void)snprintf(page->ids + n, sizeof(page->ids) - n, "%s ", r->id);
}

static int
verb_page(struct store_db *db, void *arg, struct err *e)
{
    struct page *page = arg;

    page->ids[0] = '\0';
    return requests_registration_each(db, &page->filter, page_visit, page, e);
}

static void
registrations_are_listed_by_page_and_by_what_they_are(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(store_cleanup) struct store *store = open_in(dir);
    struct registering rows[] = {
        {ID, "ref", "", NULL, 1, 1, NULL}, {"b", "", "", NULL, 1, 2, NULL},
        {"d", "", "", NULL, 1, 3, NULL},   {"c", "", "", NULL, 1, 3, NULL},
        {"e", "", "", NULL, 1, 4, NULL},
    };
    struct {
        struct requests_filter filter;
        const char *expected;
    } pages[] = {
        {{.limit = 2}, "e d "},
        {{.limit = 2, .after = "d"}, "c b "}, /* the same second does not end a page early */
        {{.limit = 2, .after = "b"}, ID " "},
        {{.limit = 2, .after = ID}, ""},
        {{.limit = 9, .standing = REQUESTS_CANCELLED}, "c "},
        {{.limit = 9, .standing = REQUESTS_USED}, ID " "},
        {{.limit = 9, .standing = REQUESTS_OPEN}, "e d b "},
        {{.limit = 9, .standing = REQUESTS_EXPIRED}, ""},
        {{.limit = 9, .standing = REQUESTS_EXPIRED, .now = 5001}, "e d b " ID " "},
        {{.limit = 9, .nf_instance = "nf"}, "e d c b " ID " "},
        {{.limit = 9, .nf_instance = "another"}, ""},
    };
    struct page unknown = {.filter = {.limit = 1, .after = "nobody"}};
    struct admitting in = {.identity = "mac:ref", .tid = "tid", .rid = {1}};
    char cancelled[] = "c";
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_ok(call(store, verb_register, &rows[i], &e), &e);
    }
    assert_ok(call(store, verb_admit, &in, &e), &e);
    assert_ok(call(store, verb_cancel, cancelled, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        struct page page = {.filter = pages[i].filter};

        assert_ok(call(store, verb_page, &page, &e), &e);
        assert_string_equal(page.ids, pages[i].expected);
    }
    assert_err(call(store, verb_page, &unknown, &e), ERR_NOTFOUND, &e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transaction_id_is_used_once_per_identity),
        cmocka_unit_test(a_refused_first_message_is_remembered_too),
        cmocka_unit_test(a_registration_is_used_as_often_as_it_says),
        cmocka_unit_test(an_enrolment_goes_through_its_states),
        cmocka_unit_test(a_rejecting_certconf_ends_in_rejected),
        cmocka_unit_test(what_was_rejected_may_be_asked_for_again_though_it_is_used_up),
        cmocka_unit_test(what_is_confirmed_ends_the_earlier_transactions_about_it),
        cmocka_unit_test(a_client_that_gives_up_ends_its_transaction),
        cmocka_unit_test(implicit_confirmation_ends_with_the_answer),
        cmocka_unit_test(what_is_no_enrolment_takes_no_certificate_and_ends_with_its_answer),
        cmocka_unit_test(a_question_is_kept_for_its_polls_and_asks_the_ca_nothing),
        cmocka_unit_test(two_certificates_for_one_request_are_a_conflict),
        cmocka_unit_test(a_transaction_of_another_credential_is_known_but_not_found),
        cmocka_unit_test(the_queue_survives_a_restart_in_order),
        cmocka_unit_test(what_waits_for_people_rests_and_is_remembered),
        cmocka_unit_test(a_changed_queue_entry_breaks_the_chain),
        cmocka_unit_test(what_is_deferred_rests_and_is_wrapped_anew_beside_the_chain),
        cmocka_unit_test(the_same_octets_go_on_until_an_answer_has_left),
        cmocka_unit_test(what_nobody_saw_an_answer_to_is_forgotten),
        cmocka_unit_test(what_is_overdue_becomes_unconfirmed_and_the_old_is_forgotten),
        cmocka_unit_test(what_ended_is_forgotten_behind_what_waits_and_the_chain_holds),
        cmocka_unit_test(a_registration_is_found_by_what_the_message_shows),
        cmocka_unit_test(registrations_are_listed_by_page_and_by_what_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
