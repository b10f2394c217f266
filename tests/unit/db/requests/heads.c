/* SPDX-License-Identifier: Apache-2.0 */
/* One head over what is committed together: what it says, whether it holds, what is forgotten. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/db/requests/verb.h"

enum { MANY = QUEUE_HEAD_SIZE_MAX + 1, WITHDRAWN_UNTIL = 500 };

/* ---- verbs ---- */

static int
verb_chain(struct store_db *db, void *arg, struct err *e)
{
    (void)arg;
    return requests_verify_chain(db, e);
}

static int
verb_sql(struct store_db *db, void *arg, struct err *e)
{
    const char *const *sql = arg;

    return store_exec(db, *sql, STORE_NO_VALUES, e);
}

static void
sql(struct store *store, const char *text)
{
    struct err e;

    assert_ok(verb_call(store, verb_sql, &text, &e), &e);
}

struct number {
    const char *sql;
    int64_t value;
};

static int
verb_number(struct store_db *db, void *arg, struct err *e)
{
    struct number *n = arg;
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows, n->sql, STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    n->value = row_int(&rows, 0);
    return 0;
}

static int64_t
number(struct store *store, const char *text)
{
    struct number n = {.sql = text};
    struct err e;

    assert_ok(verb_call(store, verb_number, &n, &e), &e);
    return n.value;
}

/* Admitted together: one operation, one head. */
struct group {
    size_t from;
    size_t n;
    struct requests_head head;
};

static int
verb_group(struct store_db *db, void *arg, struct err *e)
{
    struct group *g = arg;

    for (size_t i = g->from; i < g->from + g->n; i++) {
        CLEANUP(mem_cleanup) char *message = mem_printf("message %zu", i);
        uint8_t rid[REQUESTS_RID_SIZE];
        CLEANUP(buf_free) struct buf entry = {0};
        struct requests_admission a = {.identity = "mac:ref",
                                       .transaction_id = span_str(message),
                                       .registration = ID,
                                       .profile = "nf-tls",
                                       .until = 1000,
                                       .message = span_str(message)};
        int64_t enrolment;
        uint64_t sequence;

        if (sha256(a.message, rid, e) != 0) {
            return -1;
        }
        entry = verb_entry(rid);
        a.rid = span_of(rid, sizeof(rid));
        a.entry = buf_span(&entry);
        if (requests_admit(db, &a, &enrolment, &sequence, e) != 0) {
            return -1;
        }
    }
    return requests_put_head(db, &verb_author, &g->head, e);
}

static void
admit(struct store *store, size_t from, size_t n, struct queue_head *says)
{
    struct group g = {.from = from, .n = n};
    struct err e;

    assert_ok(verb_call(store, verb_group, &g, &e), &e);
    assert_ok(queue_head_parse(buf_span(&g.head.text), says, &e), &e);
    requests_head_clear(&g.head);
}

struct finding {
    uint64_t sequence;
    struct requests_head head;
};

static int
verb_head_of(struct store_db *db, void *arg, struct err *e)
{
    struct finding *f = arg;

    return requests_head_of(db, f->sequence, &f->head, e);
}

static void
rid_of(size_t i, uint8_t rid[REQUESTS_RID_SIZE])
{
    CLEANUP(mem_cleanup) char *message = mem_printf("message %zu", i);
    struct err e;

    assert_ok(sha256(span_str(message), rid, &e), &e);
}

static int
verb_withdraw(struct store_db *db, void *arg, struct err *e)
{
    uint8_t rid[REQUESTS_RID_SIZE];

    rid_of(*(size_t *)arg, rid);
    return requests_withdraw(db, span_of(rid, sizeof(rid)), WITHDRAWN_UNTIL, e);
}

static int
verb_expire(struct store_db *db, void *arg, struct err *e)
{
    int overdue;
    bool more;

    return requests_expire(db, *(int64_t *)arg, &overdue, &more, e);
}

static void
answer(struct store *store, size_t i)
{
    uint8_t rid[REQUESTS_RID_SIZE];
    struct err e;

    rid_of(i, rid);
    assert_ok(verb_call(store, verb_refused, rid, &e), &e);
}

/* ---- what it says ---- */

static void
what_is_committed_together_has_one_head(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    static const uint8_t none[QUEUE_HEAD_ID] = {0};
    struct queue_head first;
    struct queue_head second;
    struct group g = {.n = 0};
    struct finding f = {.sequence = 5};
    uint8_t hash[SHA256_SIZE];
    struct err e;

    (void)state;
    verb_registration(store, ID, "ref", 9);
    admit(store, 0, 3, &first);
    admit(store, 3, 2, &second);
    assert_int_equal(first.first, 1);
    assert_int_equal(first.size, 3);
    assert_int_equal(first.time, 100);
    assert_memory_equal(first.ra, verb_author.ra, sizeof(first.ra));
    assert_memory_equal(first.ca, verb_author.ca, sizeof(first.ca));
    assert_memory_equal(first.previous, none, sizeof(none));
    assert_int_equal(second.first, 4);
    assert_int_equal(second.size, 2);
    assert_ok(verb_call(store, verb_group, &g, &e), &e); /* nothing: no head */
    assert_int_equal(g.head.first, 0);
    assert_int_equal(number(store, "SELECT count(*) FROM head"), 2);
    assert_ok(verb_call(store, verb_head_of, &f, &e), &e);
    assert_int_equal(f.head.first, 4);
    assert_ok(sha256(buf_span(&f.head.text), hash, &e), &e);
    assert_memory_equal(f.head.stamp, hash, sizeof(hash)); /* the author's */
    for (f.sequence = 1; f.sequence <= 3; f.sequence++) {
        assert_ok(verb_call(store, verb_head_of, &f, &e), &e);
        assert_int_equal(f.head.first, 1);
    }
    assert_ok(sha256(buf_span(&f.head.text), hash, &e), &e);
    assert_memory_equal(second.previous, hash, sizeof(hash));
    f.sequence = 6;
    assert_err(verb_call(store, verb_head_of, &f, &e), ERR_STORE, &e);
    f.sequence = 0;
    assert_err(verb_call(store, verb_head_of, &f, &e), ERR_STORE, &e);
    assert_ok(verb_call(store, verb_chain, NULL, &e), &e);
    requests_head_clear(&f.head);
}

/* Then nothing of them is there. */
static void
more_than_a_head_can_cover_are_not_committed(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    struct group g = {.n = MANY};
    struct queue_head says;
    struct err e;

    (void)state;
    verb_registration(store, ID, "ref", 999);
    assert_int_equal(verb_call(store, verb_group, &g, &e), -1);
    requests_head_clear(&g.head);
    assert_int_equal(number(store, "SELECT count(*) FROM queue"), 0);
    assert_int_equal(number(store, "SELECT used FROM registration"), 0);
    admit(store, 0, MANY - 1, &says);
    assert_int_equal(says.size, QUEUE_HEAD_SIZE_MAX);
    assert_ok(verb_call(store, verb_chain, NULL, &e), &e);
}

/* ---- is it what it was? ---- */

#define OF_HEAD(n) " WHERE first = " n

static void
what_is_damaged_is_found_with_its_name(void **state)
{
    static const struct {
        const char *damage;
        const char *why;
    } rows[] = {
        {"UPDATE head SET text = x'00'" OF_HEAD("1"),
         "the queue's head at entry 1: queue head: does not begin as one"},
        {"UPDATE head SET text = CAST(replace(CAST(text AS TEXT), 'size 3', 'size 2') AS "
         "BLOB)" OF_HEAD("1"),
         "the queue's head at entry 1: the leaves are not those of the text"},
        {"UPDATE head SET text = CAST(replace(CAST(text AS TEXT), 'first 4', 'first 5') AS "
         "BLOB)" OF_HEAD("4"),
         "the queue's head at entry 4: the leaves are not those of the text"},
        {"UPDATE head SET leaves = (SELECT leaves FROM head WHERE first = 6)" OF_HEAD("4"),
         "the queue's head at entry 4: the leaves are not those of the text"},
        {"UPDATE head SET leaves = x'00'" OF_HEAD("4"),
         "the queue's head at entry 4: queue head: 1 octets of leaf hashes"},
        /* another text that fits its leaves: its time, which the next one chains */
        {"UPDATE head SET text = CAST(replace(CAST(text AS TEXT), '00:01:40Z', '00:01:41Z') AS "
         "BLOB)" OF_HEAD("1"),
         "the queue's head at entry 4: the chain breaks"},
        {"UPDATE queue SET entry = CAST(entry || x'00' AS BLOB) WHERE sequence = 2",
         "queue entry 2 is not the leaf of its head"},
        {"UPDATE queue SET message = CAST(message || x'00' AS BLOB) WHERE sequence = 3",
         "queue entry 3 is about another message"},
        {"UPDATE queue SET rid = randomblob(32) WHERE sequence = 3",
         "queue entry 3 is about another message"},
        {"UPDATE queue SET sequence = 9 WHERE sequence = 3", "queue entry 9 is under no head"},
        {"DELETE FROM head" OF_HEAD("6"), "queue entry 6 is under no head"},
        {"DELETE FROM head" OF_HEAD("1"), "queue entry 1 is under no head"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
        CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
        struct queue_head says;
        struct err e;

        verb_registration(store, ID, "ref", 9);
        admit(store, 0, 3, &says);
        admit(store, 3, 2, &says);
        admit(store, 5, 2, &says);
        assert_ok(verb_call(store, verb_chain, NULL, &e), &e);
        sql(store, rows[i].damage);
        if (verb_call(store, verb_chain, NULL, &e) == 0 || e.code != ERR_STORE ||
            strstr(e.text, rows[i].why) == NULL) {
            fail_msg("%s: %s", rows[i].damage, e.text);
        }
    }
}

/* No place is given a second time, and no head begins a second chain. */
static void
a_queue_that_lost_its_end_goes_no_further(void **state)
{
    static const struct {
        const char *damage;
        const char *why;
    } rows[] = {
        {"DELETE FROM head WHERE first = 4", "the queue's last head, at entry 4, is missing"},
        {"UPDATE queue_end SET next = next + 1", "an entry of the queue before 7 is missing"},
        {"DELETE FROM queue WHERE sequence = 5", NULL}, /* under its head it may be over */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
        CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
        struct group g = {.from = 5, .n = 1};
        struct queue_head says;
        struct err e = {0};
        int result;

        verb_registration(store, ID, "ref", 9);
        admit(store, 0, 3, &says);
        admit(store, 3, 2, &says);
        sql(store, rows[i].damage);
        result = verb_call(store, verb_group, &g, &e);
        requests_head_clear(&g.head);
        if ((result == 0) != (rows[i].why == NULL) ||
            (result != 0 && (e.code != ERR_STORE || strstr(e.text, rows[i].why) == NULL))) {
            fail_msg("%s: %s", rows[i].damage, e.text);
        }
    }
}

/* ---- what leaves ---- */

static void
what_is_withdrawn_leaves_nothing_but_its_leaf(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    struct queue_head says;
    size_t second = 1;
    size_t third = 2;
    struct sending s = {.enrolment = 3, .nonce = "n"};
    int64_t id;
    struct err e;

    (void)state;
    verb_registration(store, ID, "ref", 9);
    admit(store, 0, 3, &says);
    assert_ok(verb_call(store, verb_withdraw, &second, &e), &e);
    assert_int_equal(number(store, "SELECT count(*) FROM queue"), 2);
    assert_int_equal(number(store, "SELECT count(*) FROM enrolment WHERE identity <> ''"), 2);
    assert_int_equal(number(store, "SELECT count(*) FROM seen"), 2);
    assert_int_equal(number(store, "SELECT used FROM registration"), 2);
    assert_ok(verb_call(store, verb_chain, NULL, &e), &e);
    assert_ok(verb_call(store, verb_withdraw, &second, &e), &e); /* there is none */
    assert_int_equal(number(store, "SELECT used FROM registration"), 2);
    id = number(store, "SELECT max(id) FROM enrolment");
    assert_int_equal(id, 3); /* the last one's */
    assert_ok(verb_call(store, verb_withdraw, &third, &e), &e);
    assert_err(verb_call(store, verb_sent, &s, &e), ERR_NOTFOUND, &e);
    admit(store, 1, 2, &says); /* the same octets come again: another place, another number */
    assert_int_equal(says.first, 4);
    assert_int_equal(number(store, "SELECT count(*) FROM enrolment WHERE id > 3"), 2);
    assert_int_equal(number(store, "SELECT used FROM registration"), 3);
    assert_ok(verb_call(store, verb_chain, NULL, &e), &e);
}

static void
what_is_uncounted_gives_no_use_back_when_it_is_withdrawn(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    struct queue_head says;
    size_t first = 0;
    struct err e;

    (void)state;
    verb_registration(store, ID, "ref", 9);
    admit(store, 0, 2, &says);
    sql(store, "UPDATE enrolment SET uncounted = 1 WHERE id = 1");
    assert_ok(verb_call(store, verb_withdraw, &first, &e), &e);
    assert_int_equal(number(store, "SELECT used FROM registration"), 2);
    assert_int_equal(number(store, "SELECT count(*) FROM enrolment WHERE identity <> ''"), 1);
}

static void
what_somebody_was_told_of_is_not_withdrawn(void **state)
{
    static const char *const rows[] = {
        "DELETE FROM queue",
        "UPDATE enrolment SET nonce = x'00'",
        "UPDATE enrolment SET state = 5",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
        CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
        struct queue_head says;
        size_t first = 0;
        struct err e;

        verb_registration(store, ID, "ref", 9);
        admit(store, 0, 1, &says);
        sql(store, rows[i]);
        assert_ok(verb_call(store, verb_withdraw, &first, &e), &e);
        if (number(store, "SELECT count(*) FROM enrolment WHERE rid NOT NULL") != 1 ||
            number(store, "SELECT count(*) FROM enrolment WHERE identity <> ''") != 1 ||
            number(store, "SELECT used FROM registration") != 1) {
            fail_msg("%s", rows[i]);
        }
    }
}

/* But the last one, which the next chains; however old the entries are that wait before it. */
static void
a_head_goes_with_the_last_of_its_entries(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    struct queue_head says;
    int64_t now = 1001;
    struct err e;

    (void)state;
    verb_registration(store, ID, "ref", 9);
    admit(store, 0, 1, &says); /* waits */
    admit(store, 1, 2, &says);
    admit(store, 3, 1, &says);
    answer(store, 1);
    assert_int_equal(number(store, "SELECT count(*) FROM head"), 3);
    answer(store, 2);
    assert_int_equal(number(store, "SELECT count(*) FROM head"), 2);
    answer(store, 3);
    assert_ok(verb_call(store, verb_expire, &now, &e), &e);
    assert_int_equal(number(store, "SELECT count(*) FROM queue"), 1);
    assert_int_equal(number(store, "SELECT count(*) FROM head"), 2);
    assert_int_equal(number(store, "SELECT count(*) FROM head WHERE first = 2"), 0);
    assert_ok(verb_call(store, verb_chain, NULL, &e), &e);
    admit(store, 4, 1, &says);
    assert_int_equal(says.first, 5); /* no sequence comes twice */
    assert_ok(verb_call(store, verb_chain, NULL, &e), &e);
    answer(store, 0);
    answer(store, 4);
    admit(store, 5, 1, &says);
    assert_ok(verb_call(store, verb_expire, &now, &e), &e);
    assert_int_equal(number(store, "SELECT count(*) FROM head"), 1);
    assert_ok(verb_call(store, verb_chain, NULL, &e), &e);
}

static void
a_head_goes_with_a_registration_that_is_cancelled(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    struct queue_head says;
    char id[] = ID;
    struct err e;

    (void)state;
    verb_registration(store, ID, "ref", 9);
    admit(store, 0, 2, &says);
    admit(store, 2, 1, &says);
    admit(store, 3, 1, &says);
    assert_int_equal(number(store, "SELECT count(*) FROM head"), 3);
    assert_ok(verb_call(store, verb_cancel, id, &e), &e);
    assert_int_equal(number(store, "SELECT count(*) FROM queue"), 0);
    assert_int_equal(number(store, "SELECT count(*) FROM head"), 1);
    assert_ok(verb_call(store, verb_chain, NULL, &e), &e);
}

/* Nobody signs for a night, and whoever asks comes again and again. */
static void
what_is_withdrawn_does_not_pile_up(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    struct queue_head says;
    size_t first = 0;
    int64_t now = WITHDRAWN_UNTIL;
    struct err e;

    (void)state;
    verb_registration(store, ID, "ref", 9);
    for (uint64_t i = 1; i <= 5; i++) {
        admit(store, 0, 1, &says);
        assert_int_equal(says.first, i); /* no sequence comes twice */
        assert_ok(verb_call(store, verb_withdraw, &first, &e), &e);
        assert_int_equal(number(store, "SELECT count(*) FROM head"), 1);
        assert_ok(verb_call(store, verb_chain, NULL, &e), &e);
    }
    assert_ok(verb_call(store, verb_expire, &now, &e), &e);
    assert_int_equal(number(store, "SELECT count(*) FROM enrolment"), 5);
    now++;
    assert_ok(verb_call(store, verb_expire, &now, &e), &e);
    assert_int_equal(number(store, "SELECT count(*) FROM enrolment"), 0);
}

/* ---- from before there were heads ---- */

struct old {
    struct store_op op;
    struct span wrapped;
    struct span again;
};

/* The tables of migration 13. */
static struct store *
old_store(const char *dir)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ra.db", dir);
    struct store_migration old[14] = {{0}};
    const struct store_options options = {
        .path = path, .application = REQUESTS_APPLICATION, .schemas = {old}};
    struct store *store;
    struct err e;

    for (size_t i = 0; ra_migrations[i].version != 14; i++) {
        old[i] = ra_migrations[i];
    }
    store = store_open(&options, &e);
    if (store == NULL) {
        fail_msg("%s", e.text);
    }
    return store;
}

static void
what_was_wrapped_by_itself_is_kept(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = old_store(dir);
    struct queue_head says;
    int64_t now = 1001;
    struct err e;

    (void)state;
    sql(store, "INSERT INTO registration (id, cms, json, nf_instance, proof, reference, sealed, "
               "not_after, certificates, registered) VALUES ('" ID
               "', x'0c', x'0d', 'nf', 0, 'ref', x'0e', 5000, 9, 1)");
    sql(store, "INSERT INTO enrolment (id, identity, transaction_id, registration, profile, body, "
               "cert_req_id, implicit, state, until, certificate) VALUES (1, 'mac:ref', x'01', '" ID
               "', 'nf-tls', 0, 0, 0, 0, 1000, NULL), (2, 'mac:ref', x'02', '" ID
               "', 'nf-tls', 0, 0, 0, 0, 1000, NULL), (3, 'mac:ref', x'03', '" ID
               "', 'nf-tls', 0, 0, 0, 5, 1000, x'0f')");
    sql(store, "INSERT INTO queue (sequence, rid, enrolment, nested, previous, hash, answered, "
               "again_at, rewrapped, untimely) VALUES (7, x'07', 1, x'70', x'00', x'00', 0, 5, "
               "NULL, 1), (8, x'08', 2, x'80', x'00', x'00', 0, 0, x'81', 0), "
               "(9, x'09', 3, x'90', x'00', x'00', 1, 0, NULL, 0), "
               "(10, x'0a', 3, x'a0', x'00', x'00', 1, 0, NULL, 0)");
    verb_end(TAKE(store));
    store = verb_store(dir);
    assert_int_equal(number(store, "SELECT count(*) FROM queue WHERE entry IS NULL"), 2);
    assert_int_equal(number(store, "SELECT count(*) FROM enrolment WHERE rid NOT NULL"), 3);
    assert_int_equal(number(store, "SELECT rid = x'09' AND confirmation = x'0a' AND certificate = "
                                   "x'0f' FROM enrolment JOIN issued ON id = issued.enrolment"),
                     1);
    assert_int_equal(number(store, "SELECT cms = x'0c' AND json = x'0d' FROM registration JOIN "
                                   "signed ON number = signed"),
                     1);
    assert_int_equal(number(store, "SELECT count(*) FROM seen WHERE enrolment BETWEEN 1 AND 3"), 3);
    assert_int_equal(number(store, "SELECT count(*) FROM queue WHERE sequence = 7 AND rid = x'07' "
                                   "AND enrolment = 1 AND message = x'70' AND "
                                   "again_at = 5 AND untimely = 1"),
                     1);
    assert_int_equal(number(store, "SELECT count(*) FROM queue WHERE sequence = 8 AND "
                                   "message = x'81' AND untimely = 0"),
                     1);
    assert_ok(verb_call(store, verb_chain, NULL, &e), &e);
    assert_ok(verb_call(store, verb_expire, &now, &e), &e);
    assert_int_equal(number(store, "SELECT max(sequence) FROM queue"), 8);
    admit(store, 0, 2, &says);
    assert_int_equal(says.first, 11); /* no place is given again */
    assert_int_equal(says.size, 2);
    assert_ok(verb_call(store, verb_chain, NULL, &e), &e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_committed_together_has_one_head),
        cmocka_unit_test(more_than_a_head_can_cover_are_not_committed),
        cmocka_unit_test(what_is_damaged_is_found_with_its_name),
        cmocka_unit_test(what_is_withdrawn_leaves_nothing_but_its_leaf),
        cmocka_unit_test(what_is_uncounted_gives_no_use_back_when_it_is_withdrawn),
        cmocka_unit_test(what_somebody_was_told_of_is_not_withdrawn),
        cmocka_unit_test(a_queue_that_lost_its_end_goes_no_further),
        cmocka_unit_test(a_head_goes_with_the_last_of_its_entries),
        cmocka_unit_test(a_head_goes_with_a_registration_that_is_cancelled),
        cmocka_unit_test(what_is_withdrawn_does_not_pile_up),
        cmocka_unit_test(what_was_wrapped_by_itself_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
