/* SPDX-License-Identifier: Apache-2.0 */
/* What begins before it is made, so that clocks that are behind take it: certificates and CRLs. */
#include <string.h>

#include "base/file.h"
#include "base/validity.h"
#include "ca/link/admin.h"
#include "tests/unit/ca/daemon/nf.h"
#include "tests/unit/ca/daemon/record.h"

enum { DAY = 24 * 60 * 60, DAYS = 30 /* of a registration, of an officer's request */ };

/* Between `before` and now it was made, `backdate` earlier it begins, and lives for DAYS. */
static void
begins(const X509 *certificate, time_t before, int backdate)
{
    time_t from;
    time_t until;
    struct err e = {0};

    assert_ok(validity_read(certificate, &from, &until, &e), &e);
    assert_true(from >= before - backdate && from <= clock_now() - backdate);
    assert_int_equal(until - from, (time_t)DAYS * DAY);
}

static void
certificates_begin_before_they_are_made(void **state)
{
    static const struct {
        const char *more;
        int backdate;
    } rows[] = {{"", 300}, {"backdate = 60\n", 60}, {"backdate = 3600\n", 3600}};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        time_t before = clock_now();
        CLEANUP(x509_cleanup) X509 *certificate = NULL;
        CLEANUP(x509_cleanup) X509 *officer = NULL;
        CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
        CLEANUP(nf_free) struct nf n = {0};
        CLEANUP(answer_free) struct answer answer = {0};

        world_restart(w, rows[i].more);
        n = nf_new(w, BY_MAC, 1);
        world_submit(w, buf_span(&n.request), buf_span(&n.nested), &answer);
        certificate = nf_issued(&answer);
        begins(certificate, before, rows[i].backdate);
        officer = world_officer(w, "officer", "Alice", key);
        begins(officer, before, rows[i].backdate);
    }
    world_restart(w, "");
}

/* Another backdate in the configuration does not give up what was promised; a row that says what
 * no configuration could is given up. */
static void
an_intent_is_finished_from_when_it_says(void **state)
{
    static const struct {
        int backdate;
        bool finished;
    } rows[] = {{0, true},    {60, true},    {300, true},
                {3600, true}, {3601, false}, {12 * 3600, false}};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
        CLEANUP(answer_free) struct answer answer = {0};
        CLEANUP(x509_cleanup) X509 *certificate = NULL;
        const time_t before = clock_now();
        json_int_t certificates = world_record(w, "certificates");

        assert_int_equal(world_stop(w), 0);
        nf_leave_intent(w, &n, rows[i].backdate);
        world_start(w);
        assert_int_equal(world_record(w, "open"), 0);
        assert_int_equal(world_record(w, "certificates"), certificates + rows[i].finished);
        world_submit(w, buf_span(&n.request), buf_span(&n.nested), &answer);
        if (rows[i].finished) {
            certificate = nf_issued(&answer);
            begins(certificate, before, rows[i].backdate);
        } else {
            nf_is_refused(&answer, CMP_SYSTEM_FAILURE);
        }
    }
}

static time_t
unix_time(const ASN1_TIME *t)
{
    struct tm tm = {0};

    assert_int_equal(ASN1_TIME_to_tm(t, &tm), 1);
    return timegm(&tm);
}

static X509_CRL *
crl_new(struct world *w)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/crl/issuing.crl", w->dir);
    CLEANUP(admin_json_cleanup) json_t *made = NULL;
    CLEANUP(buf_free) struct buf der = BUF_INIT(1024 * 1024);
    X509_CRL *crl;
    const unsigned char *p;
    struct err e = {0};

    made = world_ask(w, json_pack("{s:s}", "command", "crl"), &e);
    assert_non_null(made);
    assert_ok(file_read(path, &der, &e), &e);
    p = der.p;
    crl = d2i_X509_CRL(NULL, &p, (long)der.n);
    assert_non_null(crl);
    return crl;
}

/* Makes a CRL. Everything on it was revoked by its thisUpdate. */
static time_t
this_update(struct world *w, int *entries, time_t *next_update)
{
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = crl_new(w);
    STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(crl);
    const time_t at = unix_time(X509_CRL_get0_lastUpdate(crl));

    *next_update = unix_time(X509_CRL_get0_nextUpdate(crl));
    *entries = 0;
    for (int i = 0; i < sk_X509_REVOKED_num(revoked); i++) {
        const ASN1_TIME *date = X509_REVOKED_get0_revocationDate(sk_X509_REVOKED_value(revoked, i));

        assert_true(unix_time(date) <= at);
        *entries += 1;
    }
    return at;
}

static void
revoke_one(struct world *w)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *certificate = world_officer(w, "officer", "Bob", key);

    world_revoke(w, certificate, "superseded");
}

static void
crls_begin_before_they_are_made_and_never_before_the_last(void **state)
{
    static const struct {
        const char *more;
        int backdate;
    } rows[] = {{"backdate = 3600\n", 3600}, {"backdate = 60\n", 60}, {"backdate = 3600\n", 3600}};
    struct world *w = *state;
    int before;
    time_t next;
    time_t last = this_update(w, &before, &next);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const time_t start = clock_now();
        time_t least = start - rows[i].backdate;
        time_t at;
        int entries;

        world_restart(w, rows[i].more);
        (void)this_update(w, &before, &next);
        revoke_one(w);
        at = this_update(w, &entries, &next);
        assert_int_equal(entries, before + 1);
        least = least > last ? least : last;
        if (at < least || (at > clock_now() - rows[i].backdate && at != last)) {
            fail_msg("row %zu: thisUpdate %lld", i, (long long)at);
        }
        assert_int_equal(next - at, 168 * 3600);
        last = at;
    }
    world_restart(w, "");
}

/* Makes a CRL; when this was revoked, by it; 0: it is not there. */
static time_t
date_on_next(struct world *w, const ASN1_INTEGER *serial, time_t *begins)
{
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = crl_new(w);
    CLEANUP(asn1_integer_cleanup) ASN1_INTEGER *wanted = ASN1_INTEGER_dup(serial);
    X509_REVOKED *entry = NULL;

    *begins = unix_time(X509_CRL_get0_lastUpdate(crl));
    return X509_CRL_get0_by_serial(crl, &entry, wanted) == 1
               ? unix_time(X509_REVOKED_get0_revocationDate(entry))
               : 0;
}

struct revoked_op {
    struct store_op op;
    uint8_t serial[ISSUANCE_SERIAL_SIZE];
    time_t revoked;
    time_t not_after;
};

/* An intent that was given up then, with the dates of that. */
static int
run_revoked(struct store_op *op, struct store_db *db, struct err *e)
{
    const struct revoked_op *r = CONTAINER_OF(op, struct revoked_op, op);
    const struct issuance_when when = {.now = r->revoked, .date = r->revoked};
    uint8_t rid[SHA256_SIZE];
    struct issuance_intent i = {.profile = "officer",
                                .evidence = SPAN_LITERAL("PKCS #10"),
                                .serial = span_of(r->serial, sizeof(r->serial)),
                                .tbs = SPAN_LITERAL("TBS"),
                                .not_before = r->revoked,
                                .not_after = r->not_after,
                                .judged = r->revoked,
                                .now = r->revoked,
                                .date = r->revoked};
    enum issuance_outcome outcome;
    uint64_t leaf;

    if (sha256(i.serial, rid, e) != 0) {
        return -1;
    }
    i.rid = span_of(rid, sizeof(rid));
    i.spki_sha256 = i.rid;
    if (issuance_intend(db, &i, &outcome, e) != 0) {
        return -1;
    }
    assert_int_equal(outcome, ISSUANCE_DONE);
    return issuance_abandon(db, i.rid, 25, "given up", "given up", when, &leaf, e);
}

/* The daemon is started again. */
static ASN1_INTEGER *
revoked_row(struct world *w, uint8_t last, time_t revoked, time_t not_after)
{
    struct revoked_op r = {.op = {.run = run_revoked},
                           .serial = {0x7e, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, last},
                           .revoked = revoked,
                           .not_after = not_after};
    ASN1_INTEGER *serial = ASN1_INTEGER_new();

    assert_int_equal(ASN1_STRING_set(serial, r.serial, sizeof(r.serial)), 1);
    assert_int_equal(world_stop(w), 0);
    world_call(w, &r.op);
    world_start(w);
    return serial;
}

static void
what_is_revoked_has_one_date_on_every_crl(void **state)
{
    static const char *const mores[] = {"backdate = 60\n", "backdate = 3600\n", "backdate = 60\n"};
    struct world *w = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    time_t before;
    time_t date;
    time_t begins;

    world_restart(w, mores[0]);
    certificate = world_officer(w, "officer", "Carol", key);
    before = clock_now();
    world_revoke(w, certificate, "superseded");
    date = date_on_next(w, X509_get0_serialNumber(certificate), &begins);
    assert_true(date >= before - 60 && date <= clock_now() - 60);
    for (size_t i = 0; i < ARRAY_LEN(mores); i++) {
        world_restart(w, mores[i]);
        assert_int_equal(date_on_next(w, X509_get0_serialNumber(certificate), &begins), date);
        assert_true(begins >= date);
    }
}

/* One whose date does not lie back, as they once were, or that was recorded under a smaller
 * backdate and has no CRL yet: the CRL begins then. */
static void
a_crl_begins_when_the_newest_of_its_entries_was_revoked(void **state)
{
    struct world *w = *state;
    const time_t now = clock_now();
    CLEANUP(asn1_integer_cleanup) ASN1_INTEGER *serial = revoked_row(w, 1, now, now + DAY);
    time_t begins;

    assert_int_equal(date_on_next(w, serial, &begins), now);
    assert_int_equal(begins, now);
    world_restart(w, "");
}

/* RFC 5280 3.3, however long the CA stood still: that validity has passed is not enough. */
static void
an_entry_stays_until_a_crl_from_after_its_end_has_run_out(void **state)
{
    struct world *w = *state;
    const time_t past = clock_now() - 100 * (time_t)DAY;
    CLEANUP(asn1_integer_cleanup) ASN1_INTEGER *serial = revoked_row(w, 2, past - DAY, past);
    CLEANUP(asn1_integer_cleanup) ASN1_INTEGER *live = NULL;
    time_t begins;

    assert_int_equal(date_on_next(w, serial, &begins), past - DAY);
    w->clock = "+8d"; /* and that CRL has run out */
    world_restart(w, "");
    live = revoked_row(w, 3, past - DAY, clock_now() + 30 * (time_t)DAY);
    assert_int_equal(date_on_next(w, serial, &begins), 0);
    assert_int_equal(date_on_next(w, live, &begins), past - DAY);
}

static size_t
times_logged(const struct world *w, const char *what)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.log", w->dir);
    CLEANUP(buf_free) struct buf log = BUF_INIT(8 * 1024 * 1024);
    const uint8_t *at;
    size_t n = 0;
    struct err e = {0};

    assert_ok(file_read(path, &log, &e), &e);
    at = log.p;
    while ((at = memmem(at, (size_t)(log.p + log.n - at), what, strlen(what))) != NULL) {
        at += strlen(what);
        n++;
    }
    return n;
}

/* Nobody could tell what was before what. Whoever knows that it is right says so, and so does the
 * record; and no CRL begins before the one before it. */
static void
a_clock_that_is_behind_the_last_leaf_is_refused(void **state)
{
    struct world *w = *state;
    CLEANUP(admin_json_cleanup) json_t *crl = NULL;
    struct err e = {0};
    size_t ahead;
    int leaves;

    assert_int_equal(world_stop(w), 0);
    leaves = world_leaves(w, "START", "", "");
    w->clock = "-1h";
    assert_int_equal(world_start_status(w), 1);
    assert_int_equal(times_logged(w, "s behind the last leaf: set it right, or wait"), 1);
    assert_int_equal(world_leaves(w, "START", "", ""), leaves);
    w->clock = "-100";
    world_start(w);
    assert_int_equal(world_stop(w), 0);
    w->clock = "-1h";
    world_configure(w, "clock_set_back = true\n");
    world_start(w);
    ahead = times_logged(w, "\"event\":\"crl-ahead\"");
    crl = world_ask(w, json_pack("{s:s}", "command", "crl"), &e);
    assert_non_null(crl);
    assert_true(times_logged(w, "\"event\":\"crl-ahead\"") > ahead);
    assert_int_equal(world_stop(w), 0);
    assert_int_equal(world_leaves(w, "START", "\"clockSetBack\":\"", ""), 1);
    w->clock = NULL;
    world_configure(w, "");
    world_start(w);
    assert_int_equal(world_stop(w), 0);
    assert_int_equal(world_leaves(w, "START", "\"clockSetBack\":\"", ""), 1);
    world_start(w);
}

static void
a_backdate_that_does_no_good_is_refused(void **state)
{
    static const char *const bad[] = {
        "backdate = 59\n",
        "backdate = 3601\n",
        "backdate = -1\n",
        "backdate = 1801\ncrl_validity_hours = 2\ncrl_overlap_hours = 1\n",
    };
    struct world *w = *state;

    assert_int_equal(world_stop(w), 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        world_configure(w, bad[i]);
        assert_true(world_start_fails(w));
    }
    world_configure(w, "backdate = 1800\ncrl_validity_hours = 2\ncrl_overlap_hours = 1\n");
    world_start(w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crls_begin_before_they_are_made_and_never_before_the_last),
        cmocka_unit_test(what_is_revoked_has_one_date_on_every_crl),
        cmocka_unit_test(certificates_begin_before_they_are_made),
        cmocka_unit_test(an_intent_is_finished_from_when_it_says),
        cmocka_unit_test(a_crl_begins_when_the_newest_of_its_entries_was_revoked),
        cmocka_unit_test(a_clock_that_is_behind_the_last_leaf_is_refused),
        cmocka_unit_test(a_backdate_that_does_no_good_is_refused),
        cmocka_unit_test(an_entry_stays_until_a_crl_from_after_its_end_has_run_out),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
