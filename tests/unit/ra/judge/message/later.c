/* SPDX-License-Identifier: Apache-2.0 */
/* certConf, pollReq and error: whose transaction, which nonce, and what it says in which state. */
#include <string.h>

#include "base/ossl.h"
#include "tests/unit/ra/fixture.h"

#define NONCE "0123456789abcdef"
#define BEFORE "fedcba9876543210"

static struct {
    char id[REGISTRATION_ID_SIZE];
    EVP_PKEY *key;
    X509 *certificate; /* that was issued */
    X509 *device;      /* another one that is registered */
    struct cmp_client client;
    struct buf accepts;
    struct buf rejects;
    unsigned count;
} w;

static int
set_up(void **state)
{
    struct fixture *f = fixture_new(PKI_NOW);
    char id[REGISTRATION_ID_SIZE];
    struct err e = {0};

    *state = f;
    w.key = pki_key("P-256");
    w.certificate = fixture_certificate(f, NULL, w.key);
    w.device = fixture_device(f, "device", w.key);
    fixture_register(f, &(struct fixture_registration){.reference = "amf-1"}, w.id);
    fixture_register(
        f, &(struct fixture_registration){.reference = "amf-2", .instance = FIXTURE_OTHER_NF}, id);
    fixture_register(
        f,
        &(struct fixture_registration){.proof = PROOF_VENDOR,
                                       .certificate = w.device,
                                       .instance = "2d5b94b1-35ad-49bb-b118-8e8fc24abf82"},
        id);
    w.client = fixture_mac(f, "amf-1");
    w.accepts = BUF_INIT(CMP_MESSAGE_MAX);
    w.rejects = BUF_INIT(CMP_MESSAGE_MAX);
    assert_ok(cmp_client_body_certconf(w.certificate, true, &w.accepts, &e), &e);
    assert_ok(cmp_client_body_certconf(w.certificate, false, &w.rejects, &e), &e);
    return 0;
}

static int
tear_down(void **state)
{
    EVP_PKEY_free(w.key);
    X509_free(w.certificate);
    X509_free(w.device);
    buf_free(&w.accepts);
    buf_free(&w.rejects);
    return fixture_teardown(state);
}

/* A transaction that has got an answer with the nonce NONCE. */
static struct cmp_client_state
transaction(void)
{
    struct cmp_client_state state = {.recip_nonce_size = CMP_NONCE_SIZE};

    memcpy(state.recip_nonce, NONCE, CMP_NONCE_SIZE);
    w.count++;
    state.transaction_id[0] = (uint8_t)(w.count >> 8);
    state.transaction_id[1] = (uint8_t)w.count;
    return state;
}

static struct buf
poll_of(int id)
{
    struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    assert_ok(cmp_client_body_pollreq(id, &body, &e), &e);
    return body;
}

/* ---- whose transaction ---- */

/* RFC 9483 3.2, 3.5: neither the kind of protection nor the credentials change. */
static void
a_transaction_belongs_to_who_began_it(void **state)
{
    static const struct fixture_verdict good = FIXTURE_GOOD;
    static const struct fixture_verdict nobody = {FIXTURE_REQUESTER, CMP_BAD_REQUEST,
                                                  "pollReq without its transaction",
                                                  PHRASE_NO_TRANSACTION};
    static const struct fixture_verdict kind = {FIXTURE_REQUESTER, CMP_WRONG_INTEGRITY,
                                                "pollReq protected in another way than its request",
                                                PHRASE_OTHER_PROTECTION};
    static const struct fixture_verdict credentials = {
        FIXTURE_REQUESTER, CMP_BAD_MESSAGE_CHECK,
        "pollReq under other credentials than its request", PHRASE_OTHER_CREDENTIALS};
    struct fixture *f = *state;
    CLEANUP(buf_free) struct buf algorithm = BUF_INIT(1024);
    CLEANUP(buf_free) struct buf poll = poll_of(0);
    struct cmp_client_state going = transaction();
    struct cmp_client_state other = transaction();
    struct cmp_client pbmac1 = w.client;
    const struct cmp_client neighbour = fixture_mac(f, "amf-2");
    const struct cmp_client device = fixture_signer(f, w.device, w.key);
    int wrong = 0;
    struct err e = {0};

    assert_ok(cmp_client_pbmac1(NID_hmacWithSHA256, 100, NID_hmacWithSHA256, &algorithm, &e), &e);
    pbmac1.algorithm = buf_span(&algorithm);
    fixture_enrol(f, &(struct fixture_enrolment){.identity = "mac:amf-1",
                                                 .registration = w.id,
                                                 .body = CMP_IR,
                                                 .state = REQUESTS_QUEUED,
                                                 .was = &going});
    wrong += fixture_row_later(f, &w.client, buf_span(&poll), &going, &good, "its own");
    wrong += fixture_row_later(f, &w.client, buf_span(&poll), &other, &nobody, "none");
    wrong += fixture_row_later(f, &pbmac1, buf_span(&poll), &going, &kind, "another kind of MAC");
    wrong += fixture_row_later(f, &device, buf_span(&poll), &going, &kind, "a signature");
    wrong += fixture_row_later(f, &neighbour, buf_span(&poll), &going, &credentials, "another's");
    assert_int_equal(wrong, 0);
}

/* ---- which nonce ---- */

static void
a_later_message_answers_our_last_message_or_the_one_before(void **state)
{
    static const struct fixture_verdict good = FIXTURE_GOOD;
    static const struct fixture_verdict bad = {FIXTURE_REQUESTER, CMP_BAD_RECIPIENT_NONCE,
                                               "recipNonce is none of our senderNonces",
                                               PHRASE_NONE};
    static const struct {
        const char *name;
        const char *nonce;
        size_t n;
        bool answered;
        const char *before;
        bool taken;
    } rows[] = {
        {"the last", NONCE, CMP_NONCE_SIZE, true, NULL, true},
        {"the one before", BEFORE, CMP_NONCE_SIZE, true, BEFORE, true},
        {"one that was never sent", BEFORE, CMP_NONCE_SIZE, true, NULL, false},
        {"all but its last octet", NONCE, CMP_NONCE_SIZE - 1, true, BEFORE, false},
        {"another last octet", "0123456789abcdeF", CMP_NONCE_SIZE, true, BEFORE, false},
        {"another first octet", "X123456789abcdef", CMP_NONCE_SIZE, true, BEFORE, false},
        {"none", "", 0, true, BEFORE, true},
        {"one, though no answer left", NONCE, CMP_NONCE_SIZE, false, NULL, false},
    };
    struct fixture *f = *state;
    CLEANUP(buf_free) struct buf poll = poll_of(0);
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cmp_client_state was = transaction();
        struct cmp_client_state going = was;

        fixture_enrol(f, &(struct fixture_enrolment){.identity = "mac:amf-1",
                                                     .registration = w.id,
                                                     .body = CMP_IR,
                                                     .certificate = w.certificate,
                                                     .state = rows[i].answered ? REQUESTS_SENT
                                                                               : REQUESTS_ANSWERED,
                                                     .nonce_before = rows[i].before,
                                                     .was = &was});
        memcpy(going.recip_nonce, rows[i].nonce, rows[i].n);
        going.recip_nonce_size = rows[i].n;
        wrong += fixture_row_later(f, &w.client, buf_span(&poll), &going,
                                   rows[i].taken ? &good : &bad, rows[i].name);
    }
    assert_int_equal(wrong, 0);
}

/* A certConf always has one (its form); an empty one of ours is never it. */
static void
a_certconf_before_any_answer_answers_nothing(void **state)
{
    static const struct fixture_verdict bad = {FIXTURE_REQUESTER, CMP_BAD_RECIPIENT_NONCE,
                                               "recipNonce is none of our senderNonces",
                                               PHRASE_NONE};
    struct fixture *f = *state;
    struct cmp_client_state going = transaction();

    fixture_enrol(f, &(struct fixture_enrolment){.identity = "mac:amf-1",
                                                 .registration = w.id,
                                                 .body = CMP_IR,
                                                 .certificate = w.certificate,
                                                 .state = REQUESTS_ANSWERED,
                                                 .was = &going});
    assert_int_equal(
        fixture_row_later(f, &w.client, buf_span(&w.accepts), &going, &bad, "no answer"), 0);
}

/* ---- pollReq ---- */

/* RFC 9483 4.4: the certReqId of the request, or -1. */
static void
a_poll_names_its_request(void **state)
{
    static const struct fixture_verdict good = FIXTURE_GOOD;
    static const struct fixture_verdict bad = {FIXTURE_REQUESTER, CMP_BAD_REQUEST,
                                               "pollReq: certReqId is not that of the request",
                                               PHRASE_POLL_ID};
    static const struct {
        int of;
        int named;
        bool taken;
    } rows[] = {{0, 0, true},   {0, -1, true}, {0, 1, false}, {-1, -1, true},
                {-1, 0, false}, {3, 3, true},  {3, -1, true}, {3, 0, false}};
    struct fixture *f = *state;
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf poll = poll_of(rows[i].named);
        CLEANUP(mem_cleanup) char *name = mem_printf("%d for %d", rows[i].named, rows[i].of);
        struct cmp_client_state going = transaction();

        fixture_enrol(f, &(struct fixture_enrolment){.identity = "mac:amf-1",
                                                     .registration = w.id,
                                                     .body = rows[i].of == -1 ? CMP_RR : CMP_IR,
                                                     .cert_req_id = rows[i].of,
                                                     .state = REQUESTS_QUEUED,
                                                     .was = &going});
        wrong += fixture_row_later(f, &w.client, buf_span(&poll), &going,
                                   rows[i].taken ? &good : &bad, name);
    }
    assert_int_equal(wrong, 0);
}

static void
a_poll_without_a_number_is_none(void **state)
{
    static const struct fixture_verdict bad = {FIXTURE_REQUESTER, CMP_BAD_REQUEST,
                                               "exactly one certReqId", PHRASE_POLL_ID};
    struct fixture *f = *state;
    struct cmp_client_state going = transaction();

    fixture_enrol(f, &(struct fixture_enrolment){.identity = "mac:amf-1",
                                                 .registration = w.id,
                                                 .body = CMP_IR,
                                                 .state = REQUESTS_QUEUED,
                                                 .was = &going});
    assert_int_equal(fixture_row_later(f, &w.client, SPAN_LITERAL("\xb9\x02\x30\x00"), &going, &bad,
                                       "an empty list"),
                     0);
}

/* ---- error ---- */

static void
an_error_ends_a_transaction_when_it_is_one(void **state)
{
    static const struct fixture_verdict good = FIXTURE_GOOD;
    static const struct fixture_verdict bad = {FIXTURE_REQUESTER, CMP_BAD_DATA_FORMAT, "error",
                                               PHRASE_NONE};
    struct fixture *f = *state;
    CLEANUP(buf_free) struct buf error = BUF_INIT(CMP_MESSAGE_MAX);
    struct cmp_client_state going = transaction();
    int wrong = 0;
    struct err e = {0};

    assert_ok(cmp_body_error(CMP_BAD_REQUEST, "a client's text", &error, &e), &e);
    fixture_enrol(f, &(struct fixture_enrolment){.identity = "mac:amf-1",
                                                 .registration = w.id,
                                                 .body = CMP_IR,
                                                 .certificate = w.certificate,
                                                 .state = REQUESTS_SENT,
                                                 .was = &going});
    wrong += fixture_row_later(f, &w.client, buf_span(&error), &going, &good, "error");
    wrong += fixture_row_later(f, &w.client, SPAN_LITERAL("\xb7\x02\x30\x00"), &going, &bad,
                               "nothing in it");
    assert_int_equal(wrong, 0);
}

/* ---- certConf ---- */

struct conf_row {
    const char *name;
    enum requests_state state;
    bool implicit;
    bool rejected; /* by the certConf before */
    bool rejects;  /* by this one */
    bool no_cert;  /* nothing was issued */
    bool same;     /* these very octets are in the queue */
    bool entry;    /* it goes to the CA */
    const char *nonce;
    struct fixture_verdict verdict;
};

static int
check_conf(struct fixture *f, const struct conf_row *r)
{
    struct cmp_client_state was = transaction();
    struct cmp_client_state going = was;
    CLEANUP(buf_free) struct buf message = {0};
    struct fixture_enrolment x = {.identity = "mac:amf-1",
                                  .registration = w.id,
                                  .body = CMP_IR,
                                  .certificate = r->no_cert ? NULL : w.certificate,
                                  .state = r->state,
                                  .implicit = r->implicit,
                                  .rejects = r->rejected,
                                  .nonce_before = BEFORE,
                                  .was = &was};
    struct job *job;
    int wrong;

    memcpy(going.recip_nonce, r->nonce == NULL ? NONCE : r->nonce, CMP_NONCE_SIZE);
    message = fixture_message(f, &w.client, buf_span(r->rejects ? &w.rejects : &w.accepts),
                              &(struct fixture_message){.later = true}, &going);
    if (r->same) {
        x.certconf = buf_span(&message);
    }
    fixture_enrol(f, &x);
    job = fixture_job(f, buf_span(&message));
    wrong = fixture_expect(job, &r->verdict, r->name);
    if ((job->entry.n > 0) != r->entry || (r->entry && strcmp(job->profile, "nf-tls") != 0) ||
        (r->entry && job->facts.confirmation.certconf.accepted == r->rejects)) {
        print_error("%s: an entry of %zu octets\n", r->name, job->entry.n);
        wrong = 1;
    }
    job_free(job);
    return wrong;
}

#define OVER                                                                                       \
    {                                                                                              \
        FIXTURE_REQUESTER, CMP_CERT_CONFIRMED, "certConf after the end of the transaction",        \
            PHRASE_NONE                                                                            \
    }
#define ANOTHER                                                                                    \
    {                                                                                              \
        FIXTURE_REQUESTER, CMP_CERT_CONFIRMED, "another certConf than the one before", PHRASE_NONE \
    }

/* It is taken once; said again it changes nothing, and another one is refused. */
static void
a_certconf_counts_once(void **state)
{
    static const struct conf_row rows[] = {
        {.name = "accepted", .state = REQUESTS_SENT, .entry = true, .verdict = FIXTURE_GOOD},
        {.name = "rejected",
         .state = REQUESTS_SENT,
         .rejects = true,
         .entry = true,
         .verdict = FIXTURE_GOOD},
        {.name = "accepted again", .state = REQUESTS_CONFIRMING, .verdict = FIXTURE_GOOD},
        {.name = "rejected again",
         .state = REQUESTS_CONFIRMING,
         .rejected = true,
         .rejects = true,
         .verdict = FIXTURE_GOOD},
        {.name = "accepted, then rejected",
         .state = REQUESTS_CONFIRMING,
         .rejects = true,
         .verdict = ANOTHER},
        {.name = "rejected, then accepted",
         .state = REQUESTS_CONFIRMING,
         .rejected = true,
         .verdict = ANOTHER},
        {.name = "after the end", .state = REQUESTS_CONFIRMED, .verdict = OVER},
        {.name = "the same octets after the end: its pkiConf never left",
         .state = REQUESTS_CONFIRMED,
         .same = true,
         .verdict = FIXTURE_GOOD},
        {.name = "the same octets, of an earlier answer",
         .state = REQUESTS_CONFIRMED,
         .same = true,
         .nonce = BEFORE,
         .verdict = OVER},
        {.name = "where none is needed",
         .state = REQUESTS_CONFIRMED,
         .implicit = true,
         .verdict = OVER},
        {.name = "after the end by the rejection",
         .state = REQUESTS_REJECTED,
         .rejected = true,
         .rejects = true,
         .verdict = OVER},
        {.name = "the same octets after that",
         .state = REQUESTS_REJECTED,
         .rejected = true,
         .rejects = true,
         .same = true,
         .verdict = OVER},
        {.name = "before there is anything",
         .state = REQUESTS_QUEUED,
         .verdict = {FIXTURE_REQUESTER, CMP_BAD_REQUEST, "certConf without a certificate",
                     PHRASE_NOTHING_TO_CONFIRM}},
        {.name = "where there is no certificate",
         .state = REQUESTS_SENT,
         .no_cert = true,
         .verdict = {FIXTURE_REQUESTER, CMP_BAD_REQUEST, "certConf without a certificate",
                     PHRASE_NOTHING_TO_CONFIRM}},
    };
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        wrong += check_conf(*state, &rows[i]);
    }
    assert_int_equal(wrong, 0);
}

/* ra.db is damaged: that is our failure. */
static void
a_certificate_that_cannot_be_read_is_not_confirmed(void **state)
{
    struct fixture *f = *state;
    struct cmp_client_state going = transaction();
    const struct fixture_enrolment x = {.identity = "mac:amf-1",
                                        .registration = w.id,
                                        .body = CMP_IR,
                                        .certificate = w.certificate,
                                        .state = REQUESTS_SENT,
                                        .was = &going};
    CLEANUP(buf_free) struct buf message = {0};
    struct job *job;

    fixture_enrol(f, &x);
    message = fixture_message(f, &w.client, buf_span(&w.accepts),
                              &(struct fixture_message){.later = true}, &going);
    job = fixture_job(f, buf_span(&message));
    fixture_look_up(job);
    buf_truncate(&job->enrolment.certificate, 3);
    assert_int_equal(judge_requester(job), -1);
    assert_int_equal(job->failure, CMP_SYSTEM_FAILURE);
    assert_non_null(strstr(job->e.text, "names no hash"));
    job_free(job);
}

static void
a_certconf_is_about_the_certificate(void **state)
{
    static const struct fixture_verdict hash = {FIXTURE_REQUESTER, CMP_BAD_CERT_ID,
                                                "certHash is not the hash", PHRASE_CERT_HASH};
    static const struct fixture_verdict number = {FIXTURE_REQUESTER, CMP_BAD_REQUEST,
                                                  "certReqId is not 5", PHRASE_CERT_REQ_ID};
    static const struct fixture_verdict none = {FIXTURE_REQUESTER, CMP_BAD_REQUEST, "0 CertStatus",
                                                PHRASE_CERT_STATUS};
    static const struct fixture_verdict form = {FIXTURE_REQUESTER, CMP_BAD_DATA_FORMAT, "certConf",
                                                PHRASE_NONE};
    struct fixture *f = *state;
    CLEANUP(buf_free) struct buf other = BUF_INIT(CMP_MESSAGE_MAX);
    const struct {
        const char *name;
        int id;
        struct span body;
        const struct fixture_verdict *verdict;
    } rows[] = {
        {"another certificate", 0, {0}, &hash},
        {"another number", 5, buf_span(&w.accepts), &number},
        {"nothing", 0, SPAN_LITERAL("\xb8\x02\x30\x00"), &none},
        {"no list", 0, SPAN_LITERAL("\xb8\x02\x05\x00"), &form},
    };
    int wrong = 0;
    struct err e = {0};

    assert_ok(cmp_client_body_certconf(w.device, true, &other, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cmp_client_state going = transaction();

        fixture_enrol(f, &(struct fixture_enrolment){.identity = "mac:amf-1",
                                                     .registration = w.id,
                                                     .body = CMP_IR,
                                                     .cert_req_id = rows[i].id,
                                                     .certificate = w.certificate,
                                                     .state = REQUESTS_SENT,
                                                     .was = &going});
        wrong += fixture_row_later(f, &w.client, i == 0 ? buf_span(&other) : rows[i].body, &going,
                                   rows[i].verdict, rows[i].name);
    }
    assert_int_equal(wrong, 0);
}

/* A MAC or a signature first: nobody else is told anything of a transaction. */
static void
a_later_message_is_authenticated_before_it_is_read(void **state)
{
    static const struct fixture_verdict bad = {FIXTURE_REQUESTER, CMP_BAD_MESSAGE_CHECK,
                                               "MAC does not verify", PHRASE_NONE};
    static const struct fixture_verdict late = {FIXTURE_REQUESTER, CMP_BAD_TIME,
                                                "without its transaction", PHRASE_NONE};
    struct fixture *f = *state;
    struct cmp_client_state going = transaction();
    struct cmp_client_state other = transaction();
    const struct fixture_message broken = {.later = true, .broken = true};
    const struct fixture_message untimely = {.later = true, .time = f->now - FIXTURE_DAY};
    CLEANUP(buf_free) struct buf message = {0};
    CLEANUP(buf_free) struct buf stray = {0};
    struct job *job;

    fixture_enrol(f, &(struct fixture_enrolment){.identity = "mac:amf-1",
                                                 .registration = w.id,
                                                 .body = CMP_IR,
                                                 .certificate = w.certificate,
                                                 .state = REQUESTS_SENT,
                                                 .was = &going});
    message = fixture_message(f, &w.client, buf_span(&w.accepts), &broken, &going);
    job = fixture_job(f, buf_span(&message));
    assert_int_equal(fixture_expect(job, &bad, "one bit"), 0);
    assert_false(job->authenticated);
    job_free(job);
    stray = fixture_message(f, &w.client, buf_span(&w.accepts), &untimely, &other);
    job = fixture_job(f, buf_span(&stray));
    assert_int_equal(fixture_expect(job, &late, "of no transaction, and late"), 0);
    job_free(job);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transaction_belongs_to_who_began_it),
        cmocka_unit_test(a_later_message_answers_our_last_message_or_the_one_before),
        cmocka_unit_test(a_certconf_before_any_answer_answers_nothing),
        cmocka_unit_test(a_poll_names_its_request),
        cmocka_unit_test(a_poll_without_a_number_is_none),
        cmocka_unit_test(an_error_ends_a_transaction_when_it_is_one),
        cmocka_unit_test(a_certconf_counts_once),
        cmocka_unit_test(a_certificate_that_cannot_be_read_is_not_confirmed),
        cmocka_unit_test(a_certconf_is_about_the_certificate),
        cmocka_unit_test(a_later_message_is_authenticated_before_it_is_read),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
