/* SPDX-License-Identifier: Apache-2.0 */
/* Who has the one-time secret of a registration, and nobody else; whose key is derived when; and an
 * unknown reference looks like a wrong secret. */
#include "ra/judge/mac.h"

#include <string.h>

#include "base/ossl.h"
#include "ra/secret/mac_cache.h"
#include "ra/secret/seal.h"
#include "tests/unit/ra/fixture.h"

#define KNOWN "amf-1"
#define UNKNOWN "amf-0"
#define CANCELLED "amf-2"

static struct {
    char id[REGISTRATION_ID_SIZE];
    struct buf ir;
    struct buf costly; /* PBMAC1 that gets a turn in the lane */
} w;

static int
set_up(void **state)
{
    struct fixture *f = fixture_new(PKI_NOW);
    char id[REGISTRATION_ID_SIZE];
    struct err e = {0};

    *state = f;
    fixture_register(f, &(struct fixture_registration){.reference = KNOWN}, w.id);
    fixture_register(f, &(struct fixture_registration){.reference = CANCELLED, .cancelled = true},
                     id);
    w.ir = fixture_body(f, CMP_IR, NULL);
    w.costly = BUF_INIT(1024);
    assert_ok(
        cmp_client_pbmac1(NID_hmacWithSHA256, LANE_STEPS_MIN, NID_hmacWithSHA256, &w.costly, &e),
        &e);
    return 0;
}

static int
tear_down(void **state)
{
    buf_free(&w.ir);
    buf_free(&w.costly);
    return fixture_teardown(state);
}

/* ---- who ---- */

/* An unknown and a cancelled reference are told what a wrong secret is told. */
static void
who_has_the_secret_is_who_is_registered(void **state)
{
    const struct {
        const char *name;
        const char *reference;
        struct span secret;
        bool broken;
        struct fixture_verdict verdict;
    } rows[] = {
        {"right", KNOWN, SPAN_LITERAL(FIXTURE_SECRET), false, FIXTURE_GOOD},
        {"one bit of the MAC",
         KNOWN,
         SPAN_LITERAL(FIXTURE_SECRET),
         true,
         {FIXTURE_REQUESTER, CMP_BAD_MESSAGE_CHECK, "MAC does not verify", PHRASE_NONE}},
        {"another secret",
         KNOWN,
         SPAN_LITERAL("another secret"),
         false,
         {FIXTURE_REQUESTER, CMP_BAD_MESSAGE_CHECK, "MAC does not verify", PHRASE_NONE}},
        {"nobody",
         UNKNOWN,
         SPAN_LITERAL(FIXTURE_SECRET),
         false,
         {FIXTURE_REQUESTER, CMP_BAD_MESSAGE_CHECK, "MAC does not verify", PHRASE_NONE}},
        {"cancelled",
         CANCELLED,
         SPAN_LITERAL(FIXTURE_SECRET),
         false,
         {FIXTURE_REQUESTER, CMP_BAD_MESSAGE_CHECK, "MAC does not verify", PHRASE_NONE}},
    };
    struct fixture *f = *state;
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cmp_client c = fixture_mac(f, rows[i].reference);
        const struct fixture_message how = {.broken = rows[i].broken};
        CLEANUP(buf_free) struct buf message = {0};
        struct job *job;
        char told[PHRASE_SIZE];

        c.secret = rows[i].secret;
        message = fixture_message(f, &c, buf_span(&w.ir), &how, NULL);
        job = fixture_job(f, buf_span(&message));
        wrong += fixture_expect(job, &rows[i].verdict, rows[i].name);
        assert_int_equal(job->authenticated, i == 0);
        assert_int_equal(job_is_mac(job), i == 0);
        if (i > 0) {
            phrase_tell(job->failure, &job->e, told);
            assert_string_equal(told, phrase_text(phrase_of_failure(CMP_BAD_MESSAGE_CHECK)));
        }
        job_free(job);
    }
    assert_int_equal(wrong, 0);
}

/* Iterations out of the limits are refused before anything is derived. */
static void
iterations_have_limits(void **state)
{
    static const struct {
        const char *name;
        bool pbmac1;
        uint32_t count;
        struct fixture_verdict verdict;
    } rows[] = {
        {"PasswordBasedMac, one less than the least",
         false,
         199,
         {FIXTURE_FORM, CMP_BAD_ALG, "200", PHRASE_PBM}},
        {"PasswordBasedMac, the least", false, 200, FIXTURE_GOOD},
        {"PasswordBasedMac, the most", false, 300, FIXTURE_GOOD},
        {"PasswordBasedMac, one more", false, 301, {FIXTURE_FORM, CMP_BAD_ALG, "300", PHRASE_PBM}},
        {"PBMAC1, one less than the least",
         true,
         199,
         {FIXTURE_FORM, CMP_BAD_ALG, "200", PHRASE_PBMAC1}},
        {"PBMAC1, the least", true, 200, FIXTURE_GOOD},
        {"PBMAC1, the most", true, 400, FIXTURE_GOOD},
        {"PBMAC1, one more", true, 401, {FIXTURE_FORM, CMP_BAD_ALG, "400", PHRASE_PBMAC1}},
    };
    struct fixture *f = *state;
    const struct cmp_mac_limits before = f->ra.rules.mac;
    int wrong = 0;

    f->ra.rules.mac =
        (struct cmp_mac_limits){.count_min = 200, .count_max = 300, .pbmac1_max = 400};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cmp_client c = fixture_mac(f, KNOWN);
        CLEANUP(buf_free) struct buf algorithm = BUF_INIT(1024);
        struct err e = {0};

        assert_ok(rows[i].pbmac1 ? cmp_client_pbmac1(NID_hmacWithSHA256, rows[i].count,
                                                     NID_hmacWithSHA256, &algorithm, &e)
                                 : cmp_client_pbm(NID_sha256, rows[i].count, NID_hmacWithSHA256,
                                                  &algorithm, &e),
                  &e);
        c.algorithm = buf_span(&algorithm);
        wrong += fixture_row(f, &c, buf_span(&w.ir), NULL, &rows[i].verdict, rows[i].name);
    }
    f->ra.rules.mac = before;
    assert_int_equal(wrong, 0);
}

/* The seal key is another one: that is no fault of the network function. */
static void
a_secret_that_does_not_open_is_our_own_fault(void **state)
{
    static const struct fixture_verdict ours = {FIXTURE_REQUESTER, CMP_SYSTEM_FAILURE,
                                                "does not open", PHRASE_NONE};
    struct fixture *f = *state;
    const struct cmp_client c = fixture_mac(f, KNOWN);

    f->ra.seal_key.p[0] ^= 1;
    assert_int_equal(fixture_row(f, &c, buf_span(&w.ir), NULL, &ours, "another seal key"), 0);
    f->ra.seal_key.p[0] ^= 1;
}

/* However the key came to be there: without a registration it opens nothing. */
static void
a_right_mac_without_a_registration_is_nobodys(void **state)
{
    static const char *const names[] = {"not registered", "cancelled", "no secret"};
    struct fixture *f = *state;
    const struct cmp_client c = fixture_mac(f, KNOWN);
    CLEANUP(buf_free) struct buf message = fixture_message(f, &c, buf_span(&w.ir), NULL, NULL);

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct job *job = fixture_job(f, buf_span(&message));

        fixture_look_up(job);
        job->key = cmp_mac_key_new(c.algorithm, c.secret, &f->ra.rules.mac, &job->failure, &job->e);
        assert_non_null(job->key);
        job->registered = i != 0;
        job->registration.cancelled = i == 1;
        if (i == 2) {
            buf_truncate(&job->registration.sealed, 0);
        }
        if (judge_mac(job) != -1 || job->failure != CMP_BAD_MESSAGE_CHECK ||
            strstr(job->e.text, "nobody is registered under this reference") == NULL ||
            job->authenticated) {
            fail_msg("%s: %s", names[i], job->e.text);
        }
        job_free(job);
    }
}

/* ---- which key ---- */

/* Another key than the registration's, in the cache: who looks there has it. */
static void
cache_another(struct fixture *f, struct span algorithm)
{
    enum cmp_failure failure;
    struct err e = {0};
    CLEANUP(cmp_mac_key_cleanup)
    struct cmp_mac_key *key =
        cmp_mac_key_new(algorithm, SPAN_LITERAL("another"), &f->ra.rules.mac, &failure, &e);

    assert_non_null(key);
    mac_cache_forget(f->ra.mac_cache, w.id);
    mac_cache_put(f->ra.mac_cache, w.id, key, f->now);
}

/* A first message derives in any case: it does not show that its reference is known. */
static void
only_a_transaction_under_way_looks_into_the_cache(void **state)
{
    static const struct fixture_verdict taken = FIXTURE_GOOD;
    static const struct fixture_verdict wrong = {FIXTURE_REQUESTER, CMP_BAD_MESSAGE_CHECK,
                                                 "MAC does not verify", PHRASE_NONE};
    struct fixture *f = *state;
    const struct cmp_client c = fixture_mac(f, KNOWN);
    struct cmp_client_state going = {.recip_nonce_size = CMP_NONCE_SIZE, .recip_nonce = "nonce"};
    CLEANUP(buf_free) struct buf poll = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf first = {0};
    struct err e = {0};

    cache_another(f, c.algorithm);
    first = fixture_message(f, &c, buf_span(&w.ir), NULL, &going);
    {
        struct job *job = fixture_job(f, buf_span(&first));

        assert_int_equal(fixture_expect(job, &taken, "a first message"), 0);
        job_free(job);
    }
    fixture_enrol(f, &(struct fixture_enrolment){.identity = "mac:" KNOWN,
                                                 .registration = w.id,
                                                 .body = CMP_IR,
                                                 .was = &going,
                                                 .state = REQUESTS_QUEUED});
    assert_ok(cmp_client_body_pollreq(0, &poll, &e), &e);
    cache_another(f, c.algorithm);
    assert_int_equal(fixture_row_later(f, &c, buf_span(&poll), &going, &wrong, "a poll"), 0);
    mac_cache_forget(f->ra.mac_cache, w.id);
    assert_int_equal(fixture_row_later(f, &c, buf_span(&poll), &going, &taken, "a poll, derived"),
                     0);
}

static bool
is_cached(struct fixture *f, struct span algorithm)
{
    CLEANUP(cmp_mac_key_cleanup)
    struct cmp_mac_key *key = mac_cache_get(f->ra.mac_cache, w.id, algorithm, f->now);

    return key != NULL;
}

/* Kept when another message will come, or when deriving again would cost much. */
static void
a_key_is_kept_for_what_comes_next(void **state)
{
    const struct {
        const char *name;
        enum cmp_body body;
        bool implicit;
        struct span algorithm; /* empty: the usual one */
        bool broken;
        bool kept;
    } rows[] = {
        {"ir", CMP_IR, false, {0}, false, true},
        {"ir that needs no certConf", CMP_IR, true, {0}, false, false},
        {"the same, and a costly key", CMP_IR, true, buf_span(&w.costly), false, true},
        {"rr", CMP_RR, false, {0}, false, false},
        {"rr with a costly key", CMP_RR, false, buf_span(&w.costly), false, true},
        {"a wrong MAC", CMP_IR, false, {0}, true, false},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct fixture_message how = {.broken = rows[i].broken};
        struct cmp_client c = fixture_mac(f, KNOWN);
        CLEANUP(buf_free) struct buf rr = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(buf_free) struct buf message = {0};
        struct job *job;
        struct err e = {0};

        mac_cache_forget(f->ra.mac_cache, w.id);
        assert_ok(cmp_client_body_rr(X509_get_subject_name(f->pki->issuing),
                                     X509_get0_serialNumber(f->pki->issuing), 0, &rr, &e),
                  &e);
        c.implicit_confirm = rows[i].implicit;
        c.algorithm = rows[i].algorithm.n > 0 ? rows[i].algorithm : c.algorithm;
        message = fixture_message(f, &c, rows[i].body == CMP_RR ? buf_span(&rr) : buf_span(&w.ir),
                                  &how, NULL);
        job = fixture_job(f, buf_span(&message));
        fixture_look_up(job);
        assert_int_equal(judge_mac(job), rows[i].broken ? -1 : 0);
        if (is_cached(f, c.algorithm) != rows[i].kept) {
            fail_msg("%s: the key is%s kept", rows[i].name, rows[i].kept ? " not" : "");
        }
        job_free(job);
    }
}

/* ---- a turn in the lane ---- */

static struct job *
job_of(struct fixture *f, const char *reference, struct span algorithm, struct span body,
       const struct fixture_message *how, struct cmp_client_state *going, struct buf *message)
{
    struct cmp_client c = fixture_mac(f, reference);
    struct job *job;

    c.algorithm = algorithm;
    *message = fixture_message(f, &c, body, how, going);
    job = fixture_job(f, buf_span(message));
    fixture_look_up(job);
    return job;
}

static void
only_what_costs_much_waits_for_a_turn(void **state)
{
    struct fixture *f = *state;
    const struct http_address address = {.octets = {10, 0, 0, 7}};
    const struct {
        const char *name;
        const char *reference;
        struct span algorithm;
        bool waits;
        bool nobody;
    } rows[] = {
        {"cheap", KNOWN, buf_span(&f->pbm), false, false},
        {"cheap, unknown", UNKNOWN, buf_span(&f->pbm), false, false},
        {"costly", KNOWN, buf_span(&w.costly), true, false},
        {"costly, unknown", UNKNOWN, buf_span(&w.costly), true, true},
        {"costly, cancelled", CANCELLED, buf_span(&w.costly), true, true},
    };

    mac_cache_forget(f->ra.mac_cache, w.id);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf message = {0};
        struct job *job =
            job_of(f, rows[i].reference, rows[i].algorithm, buf_span(&w.ir), NULL, NULL, &message);

        job->address = &address;
        if (judge_mac_wants_turn(job) != rows[i].waits ||
            (rows[i].waits && (job->turn.nobody != rows[i].nobody ||
                               memcmp(&job->turn.address, &address, sizeof(address)) != 0 ||
                               job->turn.reference != job->identity))) {
            fail_msg("%s", rows[i].name);
        }
        assert_null(job->key);
        job_free(job);
    }
}

static void
what_is_signed_waits_for_no_turn(void **state)
{
    struct fixture *f = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *device = fixture_device(f, "device", key);
    const struct cmp_client c = fixture_signer(f, device, key);
    CLEANUP(buf_free) struct buf message = fixture_message(f, &c, buf_span(&w.ir), NULL, NULL);
    struct job *job = fixture_job(f, buf_span(&message));

    fixture_look_up(job);
    job->turn.work.steps = LANE_STEPS_MIN;
    assert_false(judge_mac_wants_turn(job));
    job_free(job);
}

/* A later message of a transaction waits unless its key was kept; of none it waits for nothing. */
static void
a_transaction_under_way_has_its_key(void **state)
{
    struct fixture *f = *state;
    struct cmp_client_state going = {.recip_nonce_size = CMP_NONCE_SIZE,
                                     .recip_nonce = "nonce2",
                                     .transaction_id = "another one"};
    const struct fixture_message later = {.later = true};
    CLEANUP(buf_free) struct buf poll = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    assert_ok(cmp_client_body_pollreq(0, &poll, &e), &e);
    mac_cache_forget(f->ra.mac_cache, w.id);
    for (int step = 0; step < 3; step++) {
        CLEANUP(buf_free) struct buf message = {0};
        struct job *job;

        if (step == 1) {
            fixture_enrol(f, &(struct fixture_enrolment){.identity = "pbmac1:" KNOWN,
                                                         .registration = w.id,
                                                         .body = CMP_IR,
                                                         .was = &going,
                                                         .state = REQUESTS_QUEUED});
        } else if (step == 2) {
            cache_another(f, buf_span(&w.costly));
        }
        job = job_of(f, KNOWN, buf_span(&w.costly), buf_span(&poll), &later, &going, &message);
        assert_int_equal(judge_mac_wants_turn(job), step == 1);
        assert_int_equal(job->key != NULL, step == 2);
        job_free(job);
    }
    mac_cache_forget(f->ra.mac_cache, w.id);
}

/* Its turn is over without a key: nothing is derived any more. */
static void
who_is_nobody_has_had_a_turn_for_nothing(void **state)
{
    struct fixture *f = *state;

    for (int had = 0; had <= 1; had++) {
        CLEANUP(buf_free) struct buf message = {0};
        struct job *job =
            job_of(f, KNOWN, buf_span(&w.costly), buf_span(&w.ir), NULL, NULL, &message);

        job->had_turn = had == 1;
        assert_int_equal(judge_mac(job), had == 1 ? -1 : 0);
        assert_int_equal(job->failure, had == 1 ? CMP_BAD_MESSAGE_CHECK : CMP_NO_FAILURE);
        job_free(job);
    }
    /* With its key the turn was for something. */
    for (int right = 0; right <= 1; right++) {
        CLEANUP(buf_free) struct buf message = {0};
        struct job *job = job_of(f, right ? KNOWN : UNKNOWN, buf_span(&w.costly), buf_span(&w.ir),
                                 NULL, NULL, &message);

        judge_mac_derive(job);
        assert_non_null(job->key);
        job->had_turn = true;
        assert_int_equal(judge_mac(job), right ? 0 : -1);
        job_free(job);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_the_secret_is_who_is_registered),
        cmocka_unit_test(iterations_have_limits),
        cmocka_unit_test(a_secret_that_does_not_open_is_our_own_fault),
        cmocka_unit_test(a_right_mac_without_a_registration_is_nobodys),
        cmocka_unit_test(only_a_transaction_under_way_looks_into_the_cache),
        cmocka_unit_test(a_key_is_kept_for_what_comes_next),
        cmocka_unit_test(only_what_costs_much_waits_for_a_turn),
        cmocka_unit_test(what_is_signed_waits_for_no_turn),
        cmocka_unit_test(a_transaction_under_way_has_its_key),
        cmocka_unit_test(who_is_nobody_has_had_a_turn_for_nothing),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
