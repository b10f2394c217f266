/* SPDX-License-Identifier: Apache-2.0 */
/* Which registration a message is looked up under. */
#include <string.h>

#include "base/ossl.h"
#include "tests/unit/ra/fixture.h"

#define NF(n) "1d5b94b1-35ad-49bb-b118-8e8fc24abf" n

static struct {
    EVP_PKEY *key;
    X509 *holder;    /* of FIXTURE_NF */
    X509 *pinned;    /* ours, of NF("02"); registered itself, under NF("01") */
    X509 *cancelled; /* the same, but that was cancelled */
    X509 *device;
    char id[REGISTRATION_ID_SIZE];        /* of FIXTURE_NF */
    char of_two[REGISTRATION_ID_SIZE];    /* of NF("02"), by MAC */
    char pin[REGISTRATION_ID_SIZE];       /* of NF("01") */
    char of_device[REGISTRATION_ID_SIZE]; /* of NF("03") */
} w;

static int
set_up(void **state)
{
    struct fixture *f = fixture_new(PKI_NOW);
    char id[REGISTRATION_ID_SIZE];

    *state = f;
    w.key = pki_key("P-256");
    w.holder = fixture_certificate(f, NULL, w.key);
    w.pinned = fixture_certificate(f, NF("02"), w.key);
    w.cancelled = fixture_certificate(f, NF("02"), w.key);
    w.device = fixture_device(f, "device", w.key);
    fixture_register(f, &(struct fixture_registration){.reference = "amf-1"}, w.id);
    fixture_register(f, &(struct fixture_registration){.reference = "amf-2", .instance = NF("02")},
                     w.of_two);
    fixture_register(f,
                     &(struct fixture_registration){
                         .proof = PROOF_CERTIFICATE, .certificate = w.pinned, .instance = NF("01")},
                     w.pin);
    fixture_register(f,
                     &(struct fixture_registration){.proof = PROOF_CERTIFICATE,
                                                    .certificate = w.cancelled,
                                                    .instance = NF("04"),
                                                    .cancelled = true},
                     id);
    fixture_register(f,
                     &(struct fixture_registration){
                         .proof = PROOF_VENDOR, .certificate = w.device, .instance = NF("03")},
                     w.of_device);
    fixture_deliver(f, w.holder, w.id, "nf-tls");
    return 0;
}

static int
tear_down(void **state)
{
    X509_free(w.holder);
    X509_free(w.pinned);
    X509_free(w.cancelled);
    X509_free(w.device);
    EVP_PKEY_free(w.key);
    return fixture_teardown(state);
}

static void
each_message_is_looked_up_under_its_registration(void **state)
{
    const struct {
        const char *name;
        const char *reference; /* NULL: signed by this one */
        X509 *by;
        enum cmp_body body;
        const char *id; /* NULL: none */
    } rows[] = {
        {"a reference", "amf-2", NULL, CMP_IR, w.of_two},
        {"a reference that is not known", "amf-9", NULL, CMP_IR, NULL},
        {"the begin of one", "amf-", NULL, CMP_IR, NULL},
        {"a device", NULL, w.device, CMP_IR, w.of_device},
        {"a holder's kur", NULL, w.holder, CMP_KUR, w.id},
        {"a holder's ir", NULL, w.holder, CMP_IR, w.id},
        {"an ir that is pinned", NULL, w.pinned, CMP_IR, w.pin},
        {"a kur that is pinned: its holder's", NULL, w.pinned, CMP_KUR, w.of_two},
        {"an ir whose pin was cancelled: its holder's", NULL, w.cancelled, CMP_IR, w.of_two},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct cmp_client mac = fixture_mac(f, rows[i].reference);
        const struct cmp_client signer = fixture_signer(f, rows[i].by, w.key);
        CLEANUP(buf_free)
        struct buf message = fixture_ask(f, rows[i].by == NULL ? &mac : &signer, rows[i].body);
        struct job *job = fixture_job(f, buf_span(&message));

        fixture_look_up(job);
        if (job->registered != (rows[i].id != NULL) ||
            (rows[i].id != NULL && strcmp(job->registration.id, rows[i].id) != 0)) {
            fail_msg("%s: %s", rows[i].name, job->registration.id);
        }
        assert_false(job->seen);
        assert_string_equal(job->held.profile, rows[i].by == w.holder ? "nf-tls" : "");
        job_free(job);
    }
}

struct remembering {
    const char *identity;
    struct span transaction_id;
};

static int
verb_remember(struct store_db *db, void *arg, struct err *e)
{
    const struct remembering *r = arg;

    return requests_remember(db, r->identity, r->transaction_id, INT64_MAX, e);
}

/* By whom, and which: the same transactionID of somebody else is another one. */
static void
a_transaction_id_is_seen_once(void **state)
{
    struct fixture *f = *state;
    const struct cmp_client c = fixture_mac(f, "amf-1");
    CLEANUP(buf_free) struct buf message = fixture_ask(f, &c, CMP_IR);
    const char *const identities[] = {"mac:amf-2", "mac:amf-1"};

    for (size_t i = 0; i < ARRAY_LEN(identities); i++) {
        struct job *job = fixture_job(f, buf_span(&message));
        struct remembering r = {.identity = identities[i]};

        assert_int_equal(judge_form(job), 0);
        r.transaction_id = cmp_msg_transaction_id(job->msg);
        fixture_call(f, verb_remember, &r);
        job_free(job);
        job = fixture_job(f, buf_span(&message));
        fixture_look_up(job);
        assert_int_equal(job->seen, i == 1);
        job_free(job);
    }
}

/* Its transaction, and whether these very octets are in the queue. */
static void
a_later_message_finds_its_transaction(void **state)
{
    struct fixture *f = *state;
    const struct cmp_client c = fixture_mac(f, "amf-1");
    struct cmp_client_state going = {.recip_nonce_size = CMP_NONCE_SIZE, .recip_nonce = "nonce"};
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    assert_ok(cmp_client_body_certconf(w.holder, true, &body, &e), &e);
    for (int same = 0; same <= 1; same++) {
        CLEANUP(buf_free) struct buf message = {0};
        struct job *job;

        going.transaction_id[0] = (uint8_t)(1 + same);
        message = fixture_message(f, &c, buf_span(&body), &(struct fixture_message){.later = true},
                                  &going);
        fixture_enrol(f, &(struct fixture_enrolment){.identity = "mac:amf-1",
                                                     .registration = w.id,
                                                     .body = CMP_IR,
                                                     .certificate = w.holder,
                                                     .state = REQUESTS_CONFIRMING,
                                                     .was = &going,
                                                     .certconf = same ? buf_span(&message)
                                                                      : (struct span){0}});
        job = fixture_job(f, buf_span(&message));
        fixture_look_up(job);
        assert_true(job->found);
        assert_true(job->registered);
        assert_string_equal(job->registration.id, w.id);
        assert_int_equal(job->enrolment.state, REQUESTS_CONFIRMING);
        assert_int_equal(job->facts.confirmation.queued, same);
        job_free(job);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_message_is_looked_up_under_its_registration),
        cmocka_unit_test(a_transaction_id_is_seen_once),
        cmocka_unit_test(a_later_message_finds_its_transaction),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
