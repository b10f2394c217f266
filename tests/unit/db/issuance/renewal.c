/* SPDX-License-Identifier: Apache-2.0 */
/* One renewal at a time, and what the next request for it gets. */
#include "db/issuance/renewal.h"

#include <string.h>

#include "tests/unit/db/issuance/scene.h"

enum { HOUR = 60 * 60, REQUESTS_MAX = 16 };

/* A request of the holder `old`, or its certificate. */
struct one {
    struct octets o;
    uint8_t transaction[1];
    struct buf certificate;
};

struct play {
    struct scene *s;
    struct octets old;
    EVP_PKEY *keys[2];
    uint8_t spki[2][SHA256_SIZE];
    uint8_t n; /* of the next request */
    struct one made[REQUESTS_MAX];
};

static struct span
rid_of(const struct octets *o)
{
    return span_of(o->rid, sizeof(o->rid));
}

static struct span
serial_of(const struct octets *o)
{
    return span_of(o->serial, sizeof(o->serial));
}

/* A certificate with this key; nothing else of it matters here. */
static struct buf
certificate_for(EVP_PKEY *key, uint8_t number)
{
    CLEANUP(x509_cleanup) X509 *certificate = X509_new();
    struct buf der = BUF_INIT(4096);
    struct err e = {0};

    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(certificate), number), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), HOUR));
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    assert_ok(OSSL_ENCODE(X509, certificate, &der, &e), &e);
    return der;
}

static void
issue(struct play *p, const struct one *x)
{
    struct issue done = {.rid = rid_of(&x->o), .certificate = buf_span(&x->certificate)};
    struct err e = {0};

    assert_ok(verb_call(p->s->store, do_issue, &done, &e), &e);
}

static void
begin(struct play *p, struct scene *s)
{
    const uint8_t first = 1;
    struct err e = {0};

    *p = (struct play){.s = s, .old = scene_octets(first), .n = 10};
    for (size_t i = 0; i < ARRAY_LEN(p->keys); i++) {
        CLEANUP(buf_free) struct buf spki = BUF_INIT(512);

        p->keys[i] = EVP_EC_gen("P-256");
        assert_non_null(p->keys[i]);
        assert_ok(OSSL_ENCODE(PUBKEY, p->keys[i], &spki, &e), &e);
        assert_ok(sha256(buf_span(&spki), p->spki[i], &e), &e);
    }
    {
        struct intend i = scene_nf(&p->old, s->id, span_of(&first, 1));
        struct issue done = {.rid = rid_of(&p->old),
                             .certificate = scene_certificate_of(rid_of(&p->old))};

        assert_ok(verb_call(s->store, do_intend, &i, &e), &e);
        assert_int_equal(i.outcome, ISSUANCE_DONE);
        assert_ok(verb_call(s->store, do_issue, &done, &e), &e);
    }
}

static void
end(struct play *p)
{
    for (size_t i = 0; i < ARRAY_LEN(p->keys); i++) {
        EVP_PKEY_free(p->keys[i]);
    }
    for (size_t i = 0; i < REQUESTS_MAX; i++) {
        buf_free(&p->made[i].certificate);
    }
}

/* What a request of the holder for this key is; NULL `k` is a kur. */
struct kind {
    bool is_cr;
    enum issuance_confirm confirm; /* of a cr */
    time_t kept_before;
    time_t now; /* 0: NOW */
    bool unsigned_yet;
    struct span transaction; /* empty: a new one */
};

/* A request with this messageTime; signed when there is something to sign. */
static enum issuance_outcome
ask(struct play *p, size_t key, time_t at, const struct kind *kind, struct one **made)
{
    static const struct kind kur;
    const struct kind *k = kind != NULL ? kind : &kur;
    struct one *x = &p->made[p->n - 10];
    struct intend i;
    struct err e = {0};

    assert_in_range(p->n, 10, 10 + REQUESTS_MAX - 1);
    *x = (struct one){.o = scene_octets(p->n), .transaction = {p->n}};
    x->certificate = certificate_for(p->keys[key], p->n);
    p->n++;
    i = scene_nf(&x->o, p->s->id, span_of(x->transaction, 1));
    if (k->transaction.n > 0) {
        i.intent.transaction_id = k->transaction;
    }
    i.intent.holder = serial_of(&p->old);
    i.intent.renews = serial_of(&p->old);
    i.intent.is_update = !k->is_cr;
    i.intent.confirm = k->is_cr ? k->confirm : ISSUANCE_REQUIRED;
    i.intent.spki_sha256 = span_of(p->spki[key], SHA256_SIZE);
    i.intent.message_time = at;
    i.intent.kept_before = k->kept_before;
    i.intent.now = k->now != 0 ? k->now : NOW;
    i.intent.date = i.intent.now - 300;
    i.intent.not_before = i.intent.now;
    i.intent.judged = i.intent.now;
    assert_ok(verb_call(p->s->store, do_intend, &i, &e), &e);
    if ((i.outcome == ISSUANCE_DONE || i.outcome == ISSUANCE_REPLACED) && !k->unsigned_yet) {
        issue(p, x);
    }
    if (made != NULL) {
        *made = x;
    }
    return i.outcome;
}

static struct issuance_request
find(struct play *p, const struct one *x)
{
    struct find f = {.rid = rid_of(&x->o)};
    struct err e = {0};

    assert_ok(verb_call(p->s->store, do_find, &f, &e), &e);
    assert_true(f.is_found);
    return f.found;
}

static void
is_state(struct play *p, const struct one *x, enum issuance_state state, bool revoked)
{
    CLEANUP(issuance_request_free) struct issuance_request q = find(p, x);

    assert_int_equal(q.state, state);
    assert_int_equal(q.revoked, revoked);
}

static enum issuance_outcome
confirm(struct play *p, const struct one *x, bool accepted)
{
    const struct octets o = scene_octets((uint8_t)(100 + x->transaction[0]));
    struct confirming c = {.c = {.rid = rid_of(&o),
                                 .ra_der = RA,
                                 .request = rid_of(&x->o),
                                 .accepted = accepted,
                                 .evidence = SPAN_LITERAL("certConf"),
                                 .reason = "not wanted",
                                 .when = WHEN}};
    struct err e = {0};

    assert_ok(verb_call(p->s->store, do_confirm, &c, &e), &e);
    return c.outcome;
}

static int
do_check(struct store_db *db, void *arg, struct err *e)
{
    (void)arg;
    return issuance_check(db, e);
}

static void
agrees(struct play *p)
{
    struct err e = {0};

    assert_ok(verb_call(p->s->store, do_check, NULL, &e), &e);
}

struct transaction {
    const char *registration;
    struct span id;
    struct issuance_request found;
    bool is_found;
};

static int
do_find_transaction(struct store_db *db, void *arg, struct err *e)
{
    struct transaction *t = arg;

    return issuance_find_transaction(db, t->registration, t->id, &t->found, &t->is_found, e);
}

static void
a_newer_request_for_the_same_key_gets_the_same_certificate(void **state)
{
    CLEANUP(end) struct play p;
    CLEANUP(issuance_request_free) struct issuance_request q = {0};
    struct transaction t = {0};
    struct one *first;
    struct one *second;
    struct err e = {0};
    uint64_t leaves;

    begin(&p, *state);
    assert_int_equal(ask(&p, 0, NOW, NULL, &first), ISSUANCE_DONE);
    leaves = scene_leaves(p.s->store);
    assert_int_equal(ask(&p, 0, NOW, NULL, NULL), ISSUANCE_RENEWED);
    assert_int_equal(ask(&p, 0, NOW - 1, NULL, NULL), ISSUANCE_RENEWED);
    assert_int_equal(ask(&p, 0, 0, NULL, NULL), ISSUANCE_RENEWED);
    assert_int_equal(scene_leaves(p.s->store), leaves);
    assert_int_equal(ask(&p, 0, NOW + 2, NULL, &second), ISSUANCE_AGAIN);
    assert_int_equal(scene_leaves(p.s->store), leaves + 1);
    q = find(&p, second);
    assert_true(span_equal(buf_span(&q.certificate), buf_span(&first->certificate)));
    assert_int_equal(q.leaf, leaves);
    /* it is known, and its transaction leads to what a certConf confirms */
    t = (struct transaction){.registration = p.s->id, .id = span_of(second->transaction, 1)};
    assert_ok(verb_call(p.s->store, do_find_transaction, &t, &e), &e);
    assert_true(t.is_found);
    assert_memory_equal(t.found.rid, first->o.rid, sizeof(t.found.rid));
    issuance_request_free(&t.found);
    assert_int_equal(ask(&p, 0, NOW + 9, &(struct kind){.transaction = t.id}, NULL),
                     ISSUANCE_TRANSACTION_IN_USE);
    /* newer than the newest */
    assert_int_equal(ask(&p, 0, NOW + 1, NULL, NULL), ISSUANCE_RENEWED);
    assert_int_equal(ask(&p, 0, NOW + 3, NULL, NULL), ISSUANCE_AGAIN);
    agrees(&p);
    assert_int_equal(confirm(&p, first, true), ISSUANCE_DONE);
    assert_int_equal(ask(&p, 0, NOW + 4, NULL, NULL), ISSUANCE_HOLDER_REVOKED);
    is_state(&p, second, ISSUANCE_CONFIRMED, false);
    agrees(&p);
}

/* An officer revoked it before it was confirmed. */
static void
what_is_revoked_is_not_given_again(void **state)
{
    CLEANUP(end) struct play p;
    struct revoking r = {0};
    struct one *first;
    struct one *second;
    struct err e = {0};

    begin(&p, *state);
    assert_int_equal(ask(&p, 0, NOW, NULL, &first), ISSUANCE_DONE);
    r.serial = serial_of(&first->o);
    assert_ok(verb_call(p.s->store, do_revoke, &r, &e), &e);
    assert_int_equal(ask(&p, 0, NOW + 1, NULL, &second), ISSUANCE_REPLACED);
    is_state(&p, first, ISSUANCE_REJECTED, true);
    is_state(&p, second, ISSUANCE_ISSUED, false);
    agrees(&p);
}

static void
what_said_no_time_is_not_given_again(void **state)
{
    CLEANUP(end) struct play p;

    begin(&p, *state);
    assert_int_equal(ask(&p, 0, 0, NULL, NULL), ISSUANCE_DONE);
    assert_int_equal(ask(&p, 0, NOW, NULL, NULL), ISSUANCE_RENEWED);
    assert_int_equal(ask(&p, 1, NOW, NULL, NULL), ISSUANCE_RENEWED);
    agrees(&p);
}

static void
another_key_takes_the_place_of_what_is_not_confirmed_three_times_an_hour(void **state)
{
    CLEANUP(end) struct play p;
    struct one *made[4];
    struct one *late;
    uint64_t leaves;

    begin(&p, *state);
    assert_int_equal(ask(&p, 0, NOW, NULL, &made[0]), ISSUANCE_DONE);
    for (int i = 1; i <= ISSUANCE_UNWANTED_MAX; i++) {
        leaves = scene_leaves(p.s->store);
        assert_int_equal(ask(&p, (size_t)(i % 2), NOW + i, NULL, &made[i]), ISSUANCE_REPLACED);
        assert_int_equal(scene_leaves(p.s->store),
                         leaves + 5); /* REJECTED REVOKED REQUEST INTENT ISSUED */
        is_state(&p, made[i - 1], ISSUANCE_REJECTED, true);
        is_state(&p, made[i], ISSUANCE_ISSUED, false);
    }
    leaves = scene_leaves(p.s->store);
    assert_int_equal(ask(&p, 0, NOW + 9, NULL, NULL), ISSUANCE_TOO_OFTEN);
    assert_int_equal(scene_leaves(p.s->store), leaves);
    is_state(&p, made[3], ISSUANCE_ISSUED, false);
    /* the same again costs nothing */
    assert_int_equal(ask(&p, 1, NOW + 9, NULL, NULL), ISSUANCE_AGAIN);
    assert_int_equal(ask(&p, 0, NOW + HOUR, &(struct kind){.now = NOW + HOUR - 1}, NULL),
                     ISSUANCE_TOO_OFTEN);
    assert_int_equal(ask(&p, 0, NOW + HOUR, &(struct kind){.now = NOW + HOUR}, &late),
                     ISSUANCE_REPLACED);
    assert_int_equal(confirm(&p, late, true), ISSUANCE_DONE);
    agrees(&p);
}

static int
do_end(struct store_db *db, void *arg, struct err *e)
{
    int n;

    (void)arg;
    return issuance_end_unconfirmed(db, NOW + 1, ISSUANCE_REQUIRED, 10, WHEN, &n, e);
}

static void
rejections_and_time_outs_share_the_quota(void **state)
{
    CLEANUP(end) struct play p;
    struct one *made;
    struct err e = {0};

    begin(&p, *state);
    for (int i = 0; i < ISSUANCE_UNWANTED_MAX; i++) {
        assert_int_equal(ask(&p, 0, NOW, NULL, &made), ISSUANCE_DONE);
        if (i == 1) {
            assert_ok(verb_call(p.s->store, do_end, NULL, &e), &e);
        } else {
            assert_int_equal(confirm(&p, made, false), ISSUANCE_DONE);
        }
    }
    assert_int_equal(ask(&p, 1, NOW + 1, NULL, NULL), ISSUANCE_TOO_OFTEN);
    agrees(&p);
}

/* Those are limited by what is registered. */
static void
initial_certificates_are_not_in_the_quota(void **state)
{
    CLEANUP(end) struct play p;
    struct one *made;

    begin(&p, *state);
    p.made[0] = (struct one){.o = scene_octets(50), .transaction = {50}};
    {
        const struct one *x = &p.made[0];
        struct intend i = scene_nf(&x->o, p.s->id, span_of(x->transaction, 1));
        struct issue done = {.rid = rid_of(&x->o),
                             .certificate = scene_certificate_of(rid_of(&x->o))};
        struct err e = {0};

        assert_ok(verb_call(p.s->store, do_intend, &i, &e), &e);
        assert_int_equal(i.outcome, ISSUANCE_DONE);
        assert_ok(verb_call(p.s->store, do_issue, &done, &e), &e);
        assert_int_equal(confirm(&p, x, false), ISSUANCE_DONE);
    }
    p.n++;
    for (int i = 1; i <= ISSUANCE_UNWANTED_MAX; i++) {
        assert_int_equal(ask(&p, 0, NOW, NULL, &made), ISSUANCE_DONE);
        assert_int_equal(confirm(&p, made, false), ISSUANCE_DONE);
    }
    assert_int_equal(ask(&p, 1, NOW + 1, NULL, NULL), ISSUANCE_TOO_OFTEN);
}

static void
who_has_a_successor_hears_so(void **state)
{
    const struct kind implicit = {.is_cr = true, .confirm = ISSUANCE_IMPLICIT};
    const struct kind expected = {.is_cr = true, .confirm = ISSUANCE_EXPECTED};
    const struct kind kept = {.kept_before = NOW + 1};
    CLEANUP(end) struct play p;
    struct one *made;

    begin(&p, *state);
    assert_int_equal(ask(&p, 0, NOW, &expected, &made), ISSUANCE_DONE);
    assert_int_equal(ask(&p, 1, NOW + 1, &kept, NULL), ISSUANCE_SUCCEEDED);
    /* a cr that is not confirmed is replaced, also for the same key: its own answer is another */
    assert_int_equal(ask(&p, 0, NOW + 1, NULL, NULL), ISSUANCE_REPLACED);
    assert_int_equal(ask(&p, 0, NOW + 2, &expected, &made), ISSUANCE_REPLACED);
    assert_int_equal(confirm(&p, made, true), ISSUANCE_DONE);
    assert_int_equal(ask(&p, 0, NOW + 3, NULL, NULL), ISSUANCE_SUCCEEDED);
    assert_int_equal(ask(&p, 1, NOW + 3, &expected, NULL), ISSUANCE_SUCCEEDED);
    p.old = made->o; /* the successor in its turn: what is confirmed by what it asks for */
    assert_int_equal(ask(&p, 0, NOW, &implicit, NULL), ISSUANCE_DONE);
    assert_int_equal(ask(&p, 0, NOW + 1, &implicit, NULL), ISSUANCE_SUCCEEDED);
    agrees(&p);
}

static void
what_is_being_signed_is_waited_for(void **state)
{
    const struct kind unsigned_yet = {.unsigned_yet = true};
    CLEANUP(end) struct play p;
    struct one *made;

    begin(&p, *state);
    assert_int_equal(ask(&p, 0, NOW, &unsigned_yet, &made), ISSUANCE_DONE);
    assert_int_equal(ask(&p, 0, NOW + 1, NULL, NULL), ISSUANCE_SIGNING);
    assert_int_equal(ask(&p, 1, NOW + 1, NULL, NULL), ISSUANCE_SIGNING);
    issue(&p, made);
    assert_int_equal(ask(&p, 0, NOW + 1, NULL, NULL), ISSUANCE_AGAIN);
}

static int
do_edit(struct store_db *db, void *arg, struct err *e)
{
    return store_exec(db, *(const char *const *)arg, STORE_NO_VALUES, e);
}

static void
an_answer_that_was_edited_is_found_at_start(void **state)
{
    static const char *const edits[][2] = {
        {"DROP TRIGGER again_fixed", "UPDATE again SET message_time = message_time - 1"},
        {"DROP TRIGGER again_kept", "DELETE FROM again"},
        {"DROP TRIGGER request_fixed_message_time",
         "UPDATE request SET message_time = 1 WHERE renews IS NOT NULL"},
    };
    struct scene *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
        const char *first = edits[i][0];
        const char *then = edits[i][1];
        CLEANUP(end) struct play p;
        struct err e = {0};

        begin(&p, s);
        assert_int_equal(ask(&p, 0, NOW, NULL, NULL), ISSUANCE_DONE);
        assert_int_equal(ask(&p, 0, NOW + 1, NULL, NULL), ISSUANCE_AGAIN);
        agrees(&p);
        assert_ok(verb_call(s->store, do_edit, &first, &e), &e);
        assert_ok(verb_call(s->store, do_edit, &then, &e), &e);
        assert_err(verb_call(s->store, do_check, NULL, &e), ERR_STALE, &e);
        if (i + 1 < ARRAY_LEN(edits)) {
            void *fresh = NULL;

            (void)scene_teardown(&(void *){s});
            assert_int_equal(scene_setup(&fresh), 0);
            s = fresh;
            *state = s;
        }
    }
}

#define IN_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_setup, scene_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCENE(a_newer_request_for_the_same_key_gets_the_same_certificate),
        IN_SCENE(what_is_revoked_is_not_given_again),
        IN_SCENE(what_said_no_time_is_not_given_again),
        IN_SCENE(another_key_takes_the_place_of_what_is_not_confirmed_three_times_an_hour),
        IN_SCENE(rejections_and_time_outs_share_the_quota),
        IN_SCENE(initial_certificates_are_not_in_the_quota),
        IN_SCENE(who_has_a_successor_hears_so),
        IN_SCENE(what_is_being_signed_is_waited_for),
        IN_SCENE(an_answer_that_was_edited_is_found_at_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
