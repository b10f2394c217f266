/* SPDX-License-Identifier: Apache-2.0 */
/* The RA cannot: its certificate, its signer, its database. */
#include "ra/transaction/transaction.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "ca/cmp/message/body.h"
#include "pkcs11/client/pool.h"
#include "ra/daemon/budget.h"
#include "ra/start.h"
#include "tests/support/forge.h"
#include "tests/support/kill.h"
#include "tests/unit/ra/transaction/talking.h"

static bool
is_not_wrapped(struct running *w)
{
    (void)w;
    return tap_has("\"not-wrapped\"");
}

static bool
has_failed(struct running *w)
{
    return w->ra.failed;
}

/* ---- when the RA cannot ---- */

static void
nobody_could_verify_what_the_ra_signs(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(member_free) struct member n = running_member(w);
    CLEANUP(heard_free) struct heard garbage = {0};
    CLEANUP(heard_free) struct heard kup = {0};
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer later = {0};

    member_enrols(w, &n);
    n.client.certificate = n.certificate;
    member_requests(&n, CMP_KUR);
    w->ra.own.refused_until = clock_now() + 1000;
    garbage = running_post(w, SPAN_LITERAL("hello"));
    talking_is_bare(&garbage, "Retry-After: 60");
    kup = running_post(w, buf_span(&n.message));
    talking_is_bare(&kup, "Retry-After: 60");
    member_requests(&m, CMP_IR); /* a MAC needs no certificate; the CA takes it and says so */
    talking_hears(w, &m, CMP_IP);
    assert_int_equal(w->ra.own.refused_until, 0);
    later = member_asks(w, &n); /* the same octets, which left nothing behind */
    assert_int_equal(later.body, CMP_KUP);
}

/* Stopped, it answers to nobody. */
static void
the_signer_hangs(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(member_free) struct member n = running_member(w);
    CLEANUP(heard_free) struct heard kup = {0};
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer later = {0};
    const pid_t signer = signer_pid(signer_pool_first(w->ra.signers));

    member_enrols(w, &n);
    n.client.certificate = n.certificate;
    member_requests(&n, CMP_KUR);
    w->asked[LINK_SUBMIT] = 0;
    w->settings->sync_wait = TALKING_WAIT_MS;
    assert_int_equal(test_kill(signer, SIGSTOP), 0);
    kup = running_post(w, buf_span(&n.message));
    talking_is_bare(&kup, "Retry-After: 5");
    assert_int_equal(talking_tokens_left(w, &n), TALKING_BURST - 1);
    tap_need("the signer does not answer");
    member_requests(&m, CMP_IR);
    talking_hears_waiting(w, &m, CMP_IP);
    assert_int_equal(w->asked[LINK_SUBMIT], 0);
    assert_int_equal(test_kill(signer, SIGCONT), 0);
    running_until(w, running_is_submitted); /* signed by now */
    w->settings->sync_wait = 60000;
    running_settle(w);
    running_becomes(w, &m, REQUESTS_ANSWERED);
    talking_polls(&m, 0);
    talking_hears(w, &m, CMP_IP);
    later = member_asks(w, &n);
    assert_int_equal(later.body, CMP_KUP);
}

/* ---- its database, its signer ---- */

/* A reason of an administrator's or of ours that cannot be stored: the client may ask again. */
static void
what_the_store_does_not_take_is_a_failure_of_ours(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(heard_free) struct heard h = {0};

    running_sql(
        w,
        "CREATE TRIGGER no_more BEFORE INSERT ON queue BEGIN UPDATE registration SET used = "
        "-1; END", /* which a CHECK forbids */
        STORE_NO_VALUES);
    member_requests(&m, CMP_IR);
    h = running_post(w, buf_span(&m.message));
    running_sql(w, "DROP TRIGGER no_more", STORE_NO_VALUES);
    tap_need("\"no-answer\"");
    assert_int_equal(h.status, 503);
    talking_is_error(&h, CMP_SYSTEM_FAILURE);
    assert_true(heard_has(&h, "Retry-After: 5"));
    assert_false(w->ra.failed);
    talking_hears(w, &m, CMP_IP); /* nothing of it is left */
}

/* The signer's key is not that of the certificate. */
static void
an_ra_does_not_start_with_somebody_elses_certificate(void **state)
{
    struct running *w = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *other = running_officer(w, "ra-cmp", "RA 2", key);
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/other.der", w->dir);
    CLEANUP(mem_cleanup)
    char *why =
        mem_printf("%s is not the certificate of the key that %s/other.conf names", path, w->dir);
    char *configured = w->settings->certificate;
    char *policy = w->settings->signers[0];
    CLEANUP(mem_cleanup) char *other_policy = mem_printf("%s/other.conf", w->dir);
    CLEANUP(buf_free) struct buf text = BUF_INIT(4096);
    CLEANUP(mem_cleanup) struct ra *ra = mem_zalloc(1, sizeof(*ra));
    struct err e = {0};

    forge_certificate_write(other, path);
    w->settings->certificate = path;
    assert_ok(file_read(policy, &text, &e), &e); /* with a journal of its own */
    memcpy((uint8_t *)memmem(text.p, text.n, "ra.journal", 10), "rb", 2);
    assert_ok(file_write(other_policy, buf_span(&text), 0600, &e), &e);
    w->settings->signers[0] = other_policy;
    assert_int_equal(ra_open(ra, w->settings, &e), -1);
    w->settings->certificate = configured;
    w->settings->signers[0] = policy;
    ra_close(ra);
    assert_int_equal(e.code, ERR_INPUT);
    assert_string_equal(e.text, why);
}

/* It was remembered before its answer was to be signed; nobody has seen anything of it. */
static void
what_could_not_be_signed_may_come_again(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(mem_cleanup) char *elsewhere = mem_printf("%s.gone", w->settings->signers[0]);
    CLEANUP(heard_free) struct heard h = {0};
    CLEANUP(heard_free) struct heard garbage = {0};
    static const uint8_t ca_certs[] = {0xb5, 0x0e, 0x30, 0x0c, 0x30, 0x0a, 0x06, 0x08,
                                       0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x04, 0x11};
    int status = 0;

    member_enrols(w, &m);
    m.client.certificate = m.certificate;
    member_says(&m, true, span_of(ca_certs, sizeof(ca_certs)));
    assert_int_equal(rename(w->settings->signers[0], elsewhere), 0);
    assert_int_equal(test_kill(signer_pid(signer_pool_first(w->ra.signers)), SIGKILL), 0);
    h = running_post(w, buf_span(&m.message));
    talking_is_bare(&h, "Retry-After: 5");
    garbage = running_post(w, SPAN_LITERAL("hello"));
    talking_is_bare(&garbage, "Retry-After: 5");
    running_settle(w);
    assert_int_equal(rename(elsewhere, w->settings->signers[0]), 0);
    for (int i = 0; i < 100 && status != 200; i++) { /* it is started again after a pause */
        CLEANUP(heard_free) struct heard again = running_post(w, buf_span(&m.message));

        status = again.status;
        if (status == 200) {
            CLEANUP(cmp_msg_cleanup) struct cmp_msg *genp = NULL;
            struct err e = {0};

            genp = cmp_msg_parse(again.body, CMP_MESSAGE_MAX, &e);
            assert_non_null(genp);
            assert_int_equal(cmp_msg_body(genp), CMP_GENP);
        } else {
            running_for(w, 100);
        }
    }
    assert_int_equal(status, 200);
}

/* Wherever it happens on the way, the RA ends, and nobody is answered as if nothing were. */
static void
a_database_that_is_gone_ends_the_ra(void **state)
{
    struct running *w = *state;
    enum what {
        REQUEST,
        SIGNED_REQUEST,
        REFUSED_REQUEST,
        QUESTION,
        LATER_QUESTION,
        CONFIRMATION,
        END,
        COPY
    };
    static const struct {
        const char *name;
        const char *spoil;
        const char *mend;
        enum what what;
    } rows[] = {
        {"known", "ALTER TABLE seen RENAME COLUMN identity TO gone",
         "ALTER TABLE seen RENAME COLUMN gone TO identity", REQUEST},
        {"admit", "ALTER TABLE queue RENAME COLUMN entry TO gone",
         "ALTER TABLE queue RENAME COLUMN gone TO entry", REQUEST},
        {"sent", "ALTER TABLE enrolment RENAME COLUMN confirm_by TO gone",
         "ALTER TABLE enrolment RENAME COLUMN gone TO confirm_by", SIGNED_REQUEST},
        {"remember", "ALTER TABLE seen RENAME COLUMN until TO gone",
         "ALTER TABLE seen RENAME COLUMN gone TO until", REFUSED_REQUEST},
        {"remember a question", "ALTER TABLE seen RENAME COLUMN until TO gone",
         "ALTER TABLE seen RENAME COLUMN gone TO until", QUESTION},
        {"admit a certConf", "ALTER TABLE queue RENAME COLUMN entry TO gone",
         "ALTER TABLE queue RENAME COLUMN gone TO entry", CONFIRMATION},
        {"keep a question", "ALTER TABLE enrolment RENAME COLUMN question TO gone",
         "ALTER TABLE enrolment RENAME COLUMN gone TO question", LATER_QUESTION},
        {"the end", "ALTER TABLE enrolment RENAME COLUMN confirm_by TO gone",
         "ALTER TABLE enrolment RENAME COLUMN gone TO confirm_by", END},
        {"a copy of what is signed", "ALTER TABLE enrolment RENAME COLUMN question TO gone",
         "ALTER TABLE enrolment RENAME COLUMN gone TO question", COPY},
    };
    static const uint8_t current_crl[] = {0xb5, 0x0e, 0x30, 0x0c, 0x30, 0x0a, 0x06, 0x08,
                                          0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x04, 0x06};
    static const uint8_t ca_certs[] = {0xb5, 0x0e, 0x30, 0x0c, 0x30, 0x0a, 0x06, 0x08,
                                       0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x04, 0x11};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(member_free)
        struct member m = rows[i].what == SIGNED_REQUEST ? talking_signer(w) : running_member(w);
        CLEANUP(cmp_client_answer_free) struct cmp_client_answer ip = {0};
        CLEANUP(heard_free) struct heard h = {0};
        CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
        struct err e = {0};

        member_requests(&m, CMP_IR);
        if (rows[i].what == REFUSED_REQUEST) {
            assert_ok(cmp_client_body_request(CMP_IR, m.key, X509_get_subject_name(w->officer),
                                              &body, &e),
                      &e);
            member_says(&m, true, buf_span(&body));
        } else if (rows[i].what == QUESTION) {
            member_says(&m, true, span_of(ca_certs, sizeof(ca_certs)));
        } else if (rows[i].what == LATER_QUESTION) {
            member_says(&m, true, span_of(current_crl, sizeof(current_crl)));
        } else if (rows[i].what == CONFIRMATION) {
            ip = member_asks(w, &m);
            talking_confirms(&m, &ip.certificate, true);
        } else if (rows[i].what == END) {
            ip = member_asks(w, &m);
            assert_ok(cmp_body_error(CMP_BAD_CERT_TEMPLATE, "no", &body, &e), &e);
            member_says(&m, false, buf_span(&body));
        } else if (rows[i].what == COPY) {
            member_enrols(w, &m);
            m.client.certificate = m.certificate;
            member_requests(&m, CMP_KUR);
            talking_hears(w, &m, CMP_KUP);
        }
        running_sql(w, rows[i].spoil, STORE_NO_VALUES);
        h = running_post(w, buf_span(&m.message));
        running_sql(w, rows[i].mend, STORE_NO_VALUES);
        if (!w->ra.failed || h.status != 503 || h.body.n != 0 || !heard_has(&h, "Retry-After: 5")) {
            fail_msg("%s: %d", rows[i].name, h.status);
        }
        w->ra.failed = false;
    }
}

/* An answer of the CA that cannot be kept, and a queue that cannot be read. */
static void
a_queue_that_is_gone_ends_the_ra(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    running_sql(w, "ALTER TABLE certificate RENAME COLUMN not_after TO gone", STORE_NO_VALUES);
    w->settings->sync_wait = TALKING_WAIT_MS;
    member_requests(&m, CMP_IR);
    talking_hears_waiting(w, &m, CMP_IP);
    running_until(w, has_failed);
    running_sql(w, "ALTER TABLE certificate RENAME COLUMN gone TO not_after", STORE_NO_VALUES);
    w->ra.failed = false;
    running_ca_goes(w);
    running_until(w, running_is_down);
    running_sql(w, "ALTER TABLE queue RENAME COLUMN again_at TO gone", STORE_NO_VALUES);
    running_ca_comes(w);
    running_until(w, has_failed);
    running_sql(w, "ALTER TABLE queue RENAME COLUMN gone TO again_at", STORE_NO_VALUES);
    w->ra.failed = false;
    running_ca_goes(w);
    running_until(w, running_is_down);
    running_ca_comes(w);
    running_becomes(w, &m, REQUESTS_ANSWERED);
}

/* What has a MAC waits as it is, and is tried again until somebody signs. */
static void
what_waits_unsigned_is_sent_when_somebody_signs(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(mem_cleanup) char *elsewhere = mem_printf("%s.gone", w->settings->signers[0]);

    assert_int_equal(rename(w->settings->signers[0], elsewhere), 0);
    assert_int_equal(test_kill(signer_pid(signer_pool_first(w->ra.signers)), SIGKILL), 0);
    w->settings->sync_wait = TALKING_WAIT_MS;
    member_requests(&m, CMP_IR);
    talking_hears_waiting(w, &m, CMP_IP);
    running_until(w, is_not_wrapped);
    assert_int_equal(w->asked[LINK_SUBMIT], 0);
    assert_int_equal(rename(elsewhere, w->settings->signers[0]), 0);
    running_becomes(w, &m, REQUESTS_ANSWERED);
    assert_int_equal(w->asked[LINK_SUBMIT], 1);
    assert_int_equal(tap_count("\"not-wrapped\""), 1); /* said once, however often it is tried */
    assert_false(tap_has("\"submit-failed\""));
}

#define TEST(name) cmocka_unit_test_setup(name, running_reset)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nobody_could_verify_what_the_ra_signs),
        TEST(the_signer_hangs),
        TEST(what_the_store_does_not_take_is_a_failure_of_ours),
        TEST(an_ra_does_not_start_with_somebody_elses_certificate),
        TEST(what_could_not_be_signed_may_come_again),
        TEST(a_database_that_is_gone_ends_the_ra),
        TEST(a_queue_that_is_gone_ends_the_ra),
        TEST(what_waits_unsigned_is_sent_when_somebody_signs),
    };

    return cmocka_run_group_tests(tests, talking_setup, running_teardown);
}
