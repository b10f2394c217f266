/* SPDX-License-Identifier: Apache-2.0 */
/* What the RA keeps of certificates that it delivered, and of registrations that end. */
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/db/requests/verb.h"

#define OTHER "ffeeddccbbaa99887766554433221100"

enum { IR = 0, KUR = 7, RR = 11, DAY = 86400 };

struct scene {
    char *dir;
    struct store *store;
};

static void
call(struct scene *s, int (*verb)(struct store_db *, void *, struct err *), void *arg)
{
    struct err e = {0};

    assert_ok(verb_call(s->store, verb, arg, &e), &e);
}

/* A request on its way to the CA; `n` makes its transaction and rid. */
struct request {
    uint8_t n;
    int body;
    const char *identity;
    struct span target;
};

static int
verb_request(struct store_db *db, void *arg, struct err *e)
{
    const struct request *q = arg;
    uint8_t rid[REQUESTS_RID_SIZE];
    uint64_t sequence;
    int64_t enrolment;

    memset(rid, q->n, sizeof(rid));
    return requests_admit(db,
                          &(struct requests_admission){
                              .identity = q->identity,
                              .transaction_id = span_of(&q->n, 1),
                              .registration = ID,
                              .profile = "nf-tls",
                              .body = q->body,
                              .implicit = q->body == RR,
                              .uncounted = q->body != IR,
                              .target = q->target,
                              .until = 1000,
                              .rid = span_of(rid, sizeof(rid)),
                              .message = SPAN_LITERAL("message"),
                              .entry = SPAN_LITERAL("entry"),
                          },
                          &enrolment, &sequence, e);
}

static struct requests_certificate
certificate(uint8_t n)
{
    struct requests_certificate c = {.serial = {n, n}, .serial_size = 2, .not_after = 4000};
    struct err e = {0};

    assert_ok(sha256(span_of(&n, 1), c.fingerprint, &e), &e);
    return c;
}

/* The CA's answer: the certificate is the octet `n`. */
static int
verb_issue(struct store_db *db, void *arg, struct err *e)
{
    const uint8_t *n = arg;
    const struct requests_certificate c = certificate(*n);
    CLEANUP(requests_asked_clear) struct requests_asked asked = {0};
    uint8_t rid[REQUESTS_RID_SIZE];

    memset(rid, *n, sizeof(rid));
    return verb_asked(db, span_of(rid, sizeof(rid)), &asked, e) != 0
               ? -1
               : requests_issued(db, &asked, span_of(n, 1), &c, e);
}

struct confirming {
    uint8_t n;
    const char *identity;
    bool accepted;
};

static int
verb_confirm(struct store_db *db, void *arg, struct err *e)
{
    const struct confirming *c = arg;
    CLEANUP(requests_enrolment_clear) struct requests_enrolment x = {0};
    uint8_t rid[REQUESTS_RID_SIZE] = {0};
    const struct requests_item item = {.rid = span_of(rid, sizeof(rid)),
                                       .message = SPAN_LITERAL("message"),
                                       .entry = SPAN_LITERAL("entry")};
    uint64_t sequence;
    enum requests_owner owner;

    memset(rid, c->n + 100, sizeof(rid));
    if (requests_enrolment_find(db, c->identity, span_of(&c->n, 1), &x, &owner, e) != 0 ||
        requests_sent(db, x.id, SPAN_LITERAL("0123456789abcdef"), true, 2000, e) != 0 ||
        requests_admit_confirmation(db, x.id, c->accepted, &item, &sequence, e) != 0) {
        return -1;
    }
    return verb_answer(db, span_of(rid, sizeof(rid)), requests_confirmed, e);
}

struct looking {
    uint8_t n;
    struct requests_certificate out;
    bool found;
};

static int
verb_look(struct store_db *db, void *arg, struct err *e)
{
    struct looking *l = arg;
    const struct requests_certificate c = certificate(l->n);
    struct requests_certificate by_serial;
    bool found;

    if (requests_certificate_find(db, span_of(c.fingerprint, sizeof(c.fingerprint)), &l->out,
                                  &l->found, e) != 0 ||
        requests_certificate_by_serial(db, span_of(c.serial, c.serial_size), &by_serial, &found,
                                       e) != 0) {
        return -1;
    }
    assert_int_equal(found, l->found);
    assert_int_equal(by_serial.revoked, l->out.revoked);
    return 0;
}

static struct looking
look(struct scene *s, uint8_t n)
{
    struct looking l = {.n = n};

    call(s, verb_look, &l);
    return l;
}

static char *
identity_of(uint8_t n)
{
    const struct requests_certificate c = certificate(n);
    char hex[2 * SHA256_SIZE + 1];

    hex_format(span_of(c.fingerprint, sizeof(c.fingerprint)), hex);
    return mem_printf("cert:%s", hex);
}

static void
deliver(struct scene *s, uint8_t n, int body, const char *identity)
{
    struct request q = {.n = n, .body = body, .identity = identity};

    call(s, verb_request, &q);
    call(s, verb_issue, &n);
}

static void
what_is_delivered_is_kept_with_its_registration(void **state)
{
    struct scene *s = *state;
    struct looking l;
    uint8_t n = 1;

    assert_false(look(s, 1).found);
    deliver(s, 1, IR, "mac:ref");
    l = look(s, 1);
    assert_true(l.found);
    assert_string_equal(l.out.registration, ID);
    assert_string_equal(l.out.profile, "nf-tls");
    assert_int_equal(l.out.not_after, 4000);
    assert_false(l.out.revoked);
    call(s, verb_issue, &n); /* the same again */
}

static void
a_kur_supersedes_when_it_is_confirmed(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *identity = identity_of(1);
    struct confirming rejects = {.n = 2, .identity = identity, .accepted = false};
    struct confirming accepts = {.n = 3, .identity = identity, .accepted = true};

    deliver(s, 1, IR, "mac:ref");
    deliver(s, 2, KUR, identity);
    assert_false(look(s, 1).out.revoked);
    call(s, verb_confirm, &rejects);
    assert_false(look(s, 1).out.revoked);
    assert_true(look(s, 2).out.revoked);
    deliver(s, 3, KUR, identity);
    call(s, verb_confirm, &accepts);
    assert_true(look(s, 1).out.revoked);
    assert_false(look(s, 3).out.revoked);
}

static int
verb_revoked(struct store_db *db, void *arg, struct err *e)
{
    uint8_t rid[REQUESTS_RID_SIZE];

    memset(rid, *(const uint8_t *)arg, sizeof(rid));
    return verb_answer(db, span_of(rid, sizeof(rid)), requests_revoked, e);
}

static void
an_rr_revokes_what_it_means(void **state)
{
    struct scene *s = *state;
    static const uint8_t serial[] = {1, 1};
    struct request rr = {
        .n = 9, .body = RR, .identity = "cert:00", .target = {serial, sizeof(serial)}};
    uint8_t n = 9;

    deliver(s, 1, IR, "mac:ref");
    call(s, verb_request, &rr);
    assert_false(look(s, 1).out.revoked);
    call(s, verb_revoked, &n);
    assert_true(look(s, 1).out.revoked);
}

struct holding {
    int64_t after;
    int limit;
    char seen[8]; /* of each certificate its octet, an upper one when it is revoked */
    size_t n;
    int64_t last;
};

static void
visit_held(void *arg, const struct requests_held *h)
{
    struct holding *x = arg;

    assert_string_equal(h->registration, ID);
    assert_string_equal(h->profile, "nf-tls");
    assert_int_equal(h->der.n, 1);
    x->seen[x->n++] = (char)((h->revoked ? 'A' : 'a') + h->der.p[0]);
    x->last = h->id;
}

static int
verb_held(struct store_db *db, void *arg, struct err *e)
{
    struct holding *x = arg;

    return requests_held_each(db, x->after, x->limit, visit_held, x, e);
}

static void
what_is_held_comes_page_by_page(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *identity = identity_of(1);
    struct confirming rejects = {.n = 3, .identity = identity, .accepted = false};
    struct request waits = {.n = 4, .body = KUR, .identity = identity};
    struct holding none = {.limit = 9};
    struct holding first = {.limit = 2};
    struct holding second = {.limit = 2};

    call(s, verb_held, &none);
    assert_string_equal(none.seen, "");
    deliver(s, 1, IR, "mac:ref");
    deliver(s, 2, KUR, identity);
    deliver(s, 3, KUR, identity);
    call(s, verb_confirm, &rejects);
    call(s, verb_request, &waits);
    call(s, verb_held, &first);
    assert_string_equal(first.seen, "bc");
    second.after = first.last;
    call(s, verb_held, &second);
    assert_string_equal(second.seen, "D");
}

struct closing {
    char ids[4][REQUESTS_ID_SIZE];
    int n;
};

static void
visit(void *arg, const char *id, struct span cms)
{
    struct closing *c = arg;

    assert_true(span_equal(cms, SPAN_LITERAL("signed")));
    (void)snprintf(c->ids[c->n++], REQUESTS_ID_SIZE, "%s", id);
}

static int
verb_closing(struct store_db *db, void *arg, struct err *e)
{
    return requests_closing_each(db, 4, visit, arg, e);
}

static int
verb_endd(struct store_db *db, void *arg, struct err *e)
{
    return requests_closed(db, arg, e);
}

static int
verb_not_closed(struct store_db *db, void *arg, struct err *e)
{
    return requests_not_closed(db, arg, e);
}

static int
verb_open_count(struct store_db *db, void *arg, struct err *e)
{
    return requests_count_open(db, arg, e);
}

static int
verb_count_closing(struct store_db *db, void *arg, struct err *e)
{
    return requests_count_closing(db, arg, e);
}

static void
a_cancelled_registration_is_closed_by_the_ca(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *identity = identity_of(1);
    struct request waits = {.n = 2, .body = KUR, .identity = identity};
    struct closing before = {.n = 0};
    struct closing refused = {.n = 0};
    struct closing after = {.n = 0};
    char id[] = ID;
    int open = -1;
    uint8_t late = 2;

    deliver(s, 1, IR, "mac:ref");
    call(s, verb_request, &waits);
    call(s, verb_cancel, id);
    call(s, verb_open_count, &open);
    assert_int_equal(open, 0);  /* what waited is refused */
    call(s, verb_issue, &late); /* and its late answer changes nothing */
    call(s, verb_closing, &before);
    assert_int_equal(before.n, 1);
    assert_string_equal(before.ids[0], ID);
    call(s, verb_count_closing, &open);
    assert_int_equal(open, 1);
    assert_false(look(s, 1).out.revoked); /* the CA has not said so */
    call(s, verb_not_closed, id);
    call(s, verb_closing, &refused);
    assert_int_equal(refused.n, 0); /* it does not take what was signed: it is not told again */
    call(s, verb_count_closing, &open);
    assert_int_equal(open, 0);
    assert_false(look(s, 1).out.revoked);
    call(s, verb_cancel, id); /* until something else is signed */
    call(s, verb_endd, id);
    assert_true(look(s, 1).out.revoked);
    call(s, verb_closing, &after);
    assert_int_equal(after.n, 0);
    call(s, verb_count_closing, &open);
    assert_int_equal(open, 0);
}

struct governing {
    struct requests_registration out;
    bool found;
};

static int
verb_govern(struct store_db *db, void *arg, struct err *e)
{
    struct governing *g = arg;

    return requests_registration_by_instance(db, "nf", &g->out, &g->found, e);
}

static void
the_newest_registration_that_is_not_cancelled_governs(void **state)
{
    struct scene *s = *state;
    struct governing g = {.found = false};
    char other[] = OTHER;

    verb_registration(s->store, other, "", 1);
    call(s, verb_govern, &g);
    assert_true(g.found);
    assert_string_equal(g.out.id, OTHER);
    call(s, verb_cancel, other);
    call(s, verb_govern, &g);
    assert_string_equal(g.out.id, ID);
    requests_registration_clear(&g.out);
}

static int
verb_expire(struct store_db *db, void *arg, struct err *e)
{
    int overdue;
    bool more;

    return requests_expire(db, *(const int64_t *)arg, &overdue, &more, e);
}

static void
what_expired_long_ago_is_forgotten(void **state)
{
    struct scene *s = *state;
    int64_t early = 4000 + (int64_t)367 * DAY;
    int64_t late = 4000 + (int64_t)401 * DAY;

    deliver(s, 1, IR, "mac:ref");
    call(s, verb_expire, &early);
    assert_true(look(s, 1).found); /* an expired certificate may be renewed for a year */
    call(s, verb_expire, &late);
    assert_false(look(s, 1).found);
}

struct damage {
    const char *sql;
    const char *says;
};

static int
verb_damaged(struct store_db *db, void *arg, struct err *e)
{
    const struct damage *d = arg;
    const struct requests_certificate c = certificate(1);
    struct requests_certificate out;
    struct err why = {0};
    bool found;

    assert_ok(store_exec(db, d->sql, STORE_NO_VALUES, e), e);
    if (d->says == NULL) {
        assert_ok(requests_certificate_find(db, span_of(c.fingerprint, sizeof(c.fingerprint)), &out,
                                            &found, &why),
                  &why);
        assert_true(found);
        return 0;
    }
    assert_err(requests_certificate_find(db, span_of(c.fingerprint, sizeof(c.fingerprint)), &out,
                                         &found, &why),
               ERR_STORE, &why);
    assert_string_equal(why.text, d->says);
    return 0;
}

/* A serial number has at most 20 octets (RFC 5280 4.1.2.2). */
static void
a_serial_that_no_certificate_has_is_not_copied(void **state)
{
    struct scene *s = *state;
    struct damage most = {"UPDATE certificate SET serial = zeroblob(20)", NULL};
    struct damage more = {"UPDATE certificate SET serial = zeroblob(21)",
                          "certificate: a serial number of 21 octets"};

    deliver(s, 1, IR, "mac:ref");
    call(s, verb_damaged, &most);
    call(s, verb_damaged, &more);
}

static int
setup(void **state)
{
    struct scene *s = mem_zalloc(1, sizeof(*s));

    s->dir = tmpdir_new();
    s->store = verb_store(s->dir);
    verb_registration(s->store, ID, "", 1);
    *state = s;
    return 0;
}

static int
teardown(void **state)
{
    struct scene *s = *state;

    verb_end(s->store);
    tmpdir_remove(s->dir);
    mem_free(s);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_delivered_is_kept_with_its_registration),
        TEST(a_kur_supersedes_when_it_is_confirmed),
        TEST(an_rr_revokes_what_it_means),
        TEST(what_is_held_comes_page_by_page),
        TEST(a_cancelled_registration_is_closed_by_the_ca),
        TEST(the_newest_registration_that_is_not_cancelled_governs),
        TEST(what_expired_long_ago_is_forgotten),
        TEST(a_serial_that_no_certificate_has_is_not_copied),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
