/* SPDX-License-Identifier: Apache-2.0 */
/*
 * states HOST PORT PATH REFERENCE SECRET up|down: every body of CMP in every state of a
 * transaction, against a live RA. `down`: the CA is away, so that what is asked waits. Run by
 * states.sh.
 *
 * The table has one row for each body and one column for each state; a place that is left out fails
 * the test. After whatever was refused, the transaction must go on as if it had not been said.
 */
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/message/der.h"
#include "ca/cmp/protection/protect.h"
#include "tests/support/cmp_client.h"
#include "tests/support/http_client.h"
#include "tests/support/test.h"

enum { TIMEOUT_MS = 60000, PBM_COUNT = 200 };

/* Of the transaction that the message names. */
enum state {
    NONE,      /* nobody has such a transaction */
    WAITING,   /* ip with status waiting */
    ISSUED,    /* ip with the certificate */
    CONFIRMED, /* and pkiConf */
    REFUSED,   /* ip with a rejection by us */
    ABANDONED, /* an error of the client's, and pkiConf */
    STATES
};
static const char *const state_names[STATES] = {"none",      "waiting", "issued",
                                                "confirmed", "refused", "abandoned"};

enum { UNSET, OK, FAIL };
struct expected {
    int set;
    enum cmp_body answer;
    int failure; /* -1: accepted, or waiting */
};

#define YES(body)                                                                                  \
    {                                                                                              \
        OK, body, -1                                                                               \
    }
#define NO(body, bit)                                                                              \
    {                                                                                              \
        FAIL, body, bit                                                                            \
    }
#define IN_USE NO(CMP_ERROR, CMP_TRANSACTION_ID_IN_USE)
#define BAD NO(CMP_ERROR, CMP_BAD_REQUEST)
/* What nobody may say, whenever. */
#define NEVER                                                                                      \
    {                                                                                              \
        BAD, BAD, BAD, BAD, BAD, BAD                                                               \
    }
/* What begins a transaction, and nothing else. */
#define FIRST(answer)                                                                              \
    {                                                                                              \
        answer, IN_USE, IN_USE, IN_USE, IN_USE, IN_USE                                             \
    }

/* RFC 9483 3.5, 3.6 and 4; columns as in enum state. The client has a one-time secret. */
static const struct expected table[CMP_BODY_COUNT][STATES] = {
    [CMP_IR] = FIRST(YES(CMP_IP)),
    [CMP_IP] = NEVER,
    [CMP_CR] = FIRST(YES(CMP_CP)),
    [CMP_CP] = NEVER,
    [CMP_P10CR] = FIRST(YES(CMP_CP)),
    [CMP_POPDECC] = NEVER,
    [CMP_POPDECR] = NEVER,
    [CMP_KUR] = FIRST(NO(CMP_KUP, CMP_WRONG_INTEGRITY)),
    [CMP_KUP] = NEVER,
    [CMP_KRR] = NEVER,
    [CMP_KRP] = NEVER,
    [CMP_RR] = FIRST(NO(CMP_RP, CMP_WRONG_INTEGRITY)),
    [CMP_RP] = NEVER,
    [CMP_CCR] = NEVER,
    [CMP_CCP] = NEVER,
    [CMP_CKUANN] = NEVER,
    [CMP_CANN] = NEVER,
    [CMP_RANN] = NEVER,
    [CMP_CRLANN] = NEVER,
    [CMP_PKICONF] = NEVER,
    [CMP_NESTED] = {NO(CMP_ERROR, CMP_WRONG_INTEGRITY), NO(CMP_ERROR, CMP_WRONG_INTEGRITY),
                    NO(CMP_ERROR, CMP_WRONG_INTEGRITY), NO(CMP_ERROR, CMP_WRONG_INTEGRITY),
                    NO(CMP_ERROR, CMP_WRONG_INTEGRITY), NO(CMP_ERROR, CMP_WRONG_INTEGRITY)},
    [CMP_GENM] = FIRST(YES(CMP_GENP)),
    [CMP_GENP] = NEVER,
    [CMP_ERROR] = {BAD, YES(CMP_PKICONF), YES(CMP_PKICONF), YES(CMP_PKICONF), BAD,
                   YES(CMP_PKICONF)},
    [CMP_CERTCONF] = {BAD, BAD, YES(CMP_PKICONF), NO(CMP_ERROR, CMP_CERT_CONFIRMED), BAD,
                      NO(CMP_ERROR, CMP_CERT_CONFIRMED)},
    [CMP_POLLREQ] = {BAD, YES(CMP_POLLREP), YES(CMP_IP), YES(CMP_IP), BAD, YES(CMP_PKICONF)},
    [CMP_POLLREP] = NEVER,
};

static struct {
    struct http_client http;
    const char *path;
    struct cmp_client client;
    bool down;
    X509 *some; /* a certificate, where there is none to confirm */
} world;

/* One transaction. */
struct transaction {
    struct cmp_client_state state;
    X509 *certificate;
};

static void
transaction_release(struct transaction *t)
{
    X509_free(t->certificate);
}

static X509_NAME *
subject(void)
{
    X509_NAME *name = X509_NAME_new();

    assert_int_equal(X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                                (const unsigned char *)"x", -1, -1, 0),
                     1);
    return name;
}

static void
request_body(enum cmp_body type, struct buf *body)
{
    CLEANUP(x509_name_cleanup) X509_NAME *name = subject();
    struct err e = {0};
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = cmp_client_key(&e);

    assert_non_null(key);
    assert_ok(cmp_client_body_request(type, key, name, body, &e), &e);
}

static void
p10cr_body(struct buf *body)
{
    CLEANUP(x509_name_cleanup) X509_NAME *name = subject();
    CLEANUP(x509_req_cleanup) X509_REQ *request = X509_REQ_new();
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = cmp_client_key(&e);

    assert_int_equal(X509_REQ_set_subject_name(request, name), 1);
    assert_int_equal(X509_REQ_set_pubkey(request, key), 1);
    assert_true(X509_REQ_sign(request, key, EVP_sha256()) > 0);
    assert_ok(OSSL_ENCODE(X509_REQ, request, &der, &e), &e);
    assert_ok(der_append(body, DER_CONTEXT | 4, buf_span(&der), &e), &e);
}

/* What this body would be if it were right to send it. */
static void
body_of(enum cmp_body type, const struct transaction *t, struct buf *body)
{
    static const uint8_t ca_certs[] = {0xb5, 0x0e, 0x30, 0x0c, 0x30, 0x0a, 0x06, 0x08,
                                       0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x04, 0x11};
    const X509 *certificate = t->certificate != NULL ? t->certificate : world.some;
    struct err e = {0};

    buf_truncate(body, 0);
    if (type == CMP_P10CR) {
        p10cr_body(body);
    } else if (type == CMP_GENM) {
        assert_ok(buf_append(body, span_of(ca_certs, sizeof(ca_certs)), &e), &e);
    } else if (type == CMP_CERTCONF) {
        assert_ok(cmp_client_body_certconf(certificate, true, body, &e), &e);
    } else if (type == CMP_POLLREQ) {
        assert_ok(cmp_client_body_pollreq(0, body, &e), &e);
    } else if (type == CMP_ERROR) {
        assert_ok(cmp_body_error(CMP_SYSTEM_FAILURE, "the test gives up", body, &e), &e);
    } else {
        request_body(type, body); /* its content is looked at only where it belongs */
    }
}

static bool
is_later(enum cmp_body type)
{
    return type == CMP_CERTCONF || type == CMP_POLLREQ || type == CMP_ERROR;
}

/* Says it inside the transaction (or begins one) and reads the answer. Moves the transaction on
 * only when `moves`: what was refused must not. */
static struct cmp_client_answer
say(struct transaction *t, const struct cmp_client *c, bool first, struct span body, bool moves)
{
    CLEANUP(buf_free) struct buf message = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf answer = BUF_INIT(2 * CMP_MESSAGE_MAX);
    struct cmp_client_state state = t->state;
    struct cmp_client_answer a;
    struct err e = {0};
    int status = 0;

    assert_ok(cmp_client_message(c, first, body, &state, &message, &e), &e);
    assert_ok(http_client_post(&world.http, world.path, buf_span(&message), &status, &answer, &e),
              &e);
    assert_int_equal(status, 200);
    /* Signed answers to those whose secret was a guess are for anybody. */
    assert_ok(cmp_client_read(c, buf_span(&answer), NULL, &state, &a, &e), &e);
    if (moves) {
        t->state = state;
    }
    return a;
}

/* The same for a body that begins transactions, with the transactionID of one that there is. */
static struct cmp_client_answer
say_first_again(struct transaction *t, struct span body)
{
    struct cmp_client_state before = t->state;
    struct cmp_client_answer a;

    t->state.recip_nonce_size = 0; /* as a first message: no recipNonce */
    a = say(t, &world.client, false, body, false);
    t->state = before;
    return a;
}

static X509 *
certificate_of(const struct cmp_client_answer *a)
{
    struct err e = {0};
    X509 *certificate = certificate_parse(buf_span(&a->certificate), &e);

    assert_non_null(certificate);
    return certificate;
}

static void
begin(struct transaction *t)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};

    request_body(CMP_IR, &body);
    a = say(t, &world.client, true, buf_span(&body), true);
    assert_int_equal(a.body, CMP_IP);
    if (world.down) {
        assert_int_equal(a.status.status, CMP_WAITING);
    } else {
        /* another subject was asked for */
        assert_int_equal(a.status.status, CMP_GRANTED_WITH_MODS);
        t->certificate = certificate_of(&a);
    }
}

static void
go_on(struct transaction *t, enum cmp_body type, enum cmp_body answer)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};

    body_of(type, t, &body);
    a = say(t, &world.client, false, buf_span(&body), true);
    if (a.body != answer) {
        fail_msg("after %s: %s instead of %s (%s)", cmp_body_name(type), cmp_body_name(a.body),
                 cmp_body_name(answer), a.status.text);
    }
}

/* An ir whose proof of possession is wrong. */
static void
begin_refused(struct transaction *t)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};

    request_body(CMP_IR, &body);
    body.p[body.n - 1] ^= 1;
    a = say(t, &world.client, true, buf_span(&body), true);
    assert_int_equal(a.body, CMP_IP);
    assert_int_equal(a.status.failures, 1U << CMP_BAD_POP);
}

static void
bring_into(struct transaction *t, enum state state)
{
    *t = (struct transaction){0};
    switch (state) {
    case NONE: {
        struct err e = {0};

        assert_ok(random_bytes(t->state.transaction_id, CMP_NONCE_SIZE, &e), &e);
        assert_ok(random_bytes(t->state.recip_nonce, CMP_NONCE_SIZE, &e), &e);
        t->state.recip_nonce_size = CMP_NONCE_SIZE;
        break;
    }
    case WAITING:
    case ISSUED:
        begin(t);
        break;
    case CONFIRMED:
        begin(t);
        go_on(t, CMP_CERTCONF, CMP_PKICONF);
        break;
    case REFUSED:
        begin_refused(t);
        break;
    case ABANDONED:
        begin(t);
        go_on(t, CMP_ERROR, CMP_PKICONF);
        break;
    case STATES:
        fail();
        break;
    }
}

/* Nothing that was refused has moved it: the next right step is still taken. */
static void
is_unhurt(struct transaction *t, enum state state)
{
    switch (state) {
    case WAITING:
        go_on(t, CMP_POLLREQ, CMP_POLLREP);
        break;
    case ISSUED:
        go_on(t, CMP_CERTCONF, CMP_PKICONF);
        break;
    case CONFIRMED:
        go_on(t, CMP_POLLREQ, CMP_IP);
        break;
    case ABANDONED:
        go_on(t, CMP_POLLREQ, CMP_PKICONF);
        break;
    case NONE:
    case REFUSED:
        go_on(t, CMP_POLLREQ, CMP_ERROR);
        break;
    case STATES:
        fail();
        break;
    }
}

static void
check(enum cmp_body type, enum state state)
{
    const struct expected *x = &table[type][state];
    CLEANUP(transaction_release) struct transaction t;
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};

    if (x->set == UNSET) {
        fail_msg("the table has nothing for %s when %s", cmp_body_name(type), state_names[state]);
    }
    bring_into(&t, state);
    body_of(type, &t, &body);
    a = is_later(type) ? say(&t, &world.client, false, buf_span(&body), x->set == OK)
                       : say_first_again(&t, buf_span(&body));
    if (a.body != x->answer ||
        (x->set == OK ? a.status.failures != 0
                      : a.status.failures != UINT32_C(1) << (unsigned)x->failure)) {
        fail_msg("%s when %s: %s 0x%x (%s)", cmp_body_name(type), state_names[state],
                 cmp_body_name(a.body), a.status.failures, a.status.text);
    }
    if (x->set == FAIL) {
        is_unhurt(&t, state);
    }
}

static void
every_body_in_every_state_gets_its_answer(void **unused)
{
    int checked = 0;

    (void)unused;
    for (int state = 0; state < STATES; state++) {
        if ((state == WAITING) != world.down) {
            continue;
        }
        for (int type = 0; type < CMP_BODY_COUNT; type++) {
            check((enum cmp_body)type, (enum state)state);
            checked++;
        }
    }
    print_message("%d messages\n", checked);
    assert_int_equal(checked, CMP_BODY_COUNT * (world.down ? 1 : STATES - 1));
}

/* Right transactionID and nonce, wrong secret: refused, and nothing has changed. */
static void
forgeries_do_not_hurt_the_true_one(void **unused)
{
    static const enum cmp_body types[] = {CMP_CERTCONF, CMP_POLLREQ, CMP_ERROR};
    const enum state state = world.down ? WAITING : ISSUED;
    struct cmp_client forger = world.client;

    (void)unused;
    forger.secret = SPAN_LITERAL("a guess");
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        CLEANUP(transaction_release) struct transaction t;
        CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};

        bring_into(&t, state);
        body_of(types[i], &t, &body);
        a = say(&t, &forger, false, buf_span(&body), false);
        assert_int_equal(a.body, CMP_ERROR);
        assert_int_equal(a.status.failures, 1U << CMP_BAD_MESSAGE_CHECK);
        is_unhurt(&t, state);
    }
}

/* RFC 9810 5.3.18, 7: hashAlg needs pvno 3; at RA and CA. */
static void
hash_alg_comes_with_pvno_3(void **unused)
{
    CLEANUP(transaction_release) struct transaction t = {0};
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer old = {0};
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer wrong = {0};
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer right = {0};
    struct cmp_client client = world.client;
    struct err e = {0};

    (void)unused;
    if (world.down) {
        return;
    }
    begin(&t);
    assert_ok(cmp_client_body_certconf_with(t.certificate, EVP_sha512(), true, &body, &e), &e);
    old = say(&t, &client, false, buf_span(&body), false);
    assert_int_equal(old.body, CMP_ERROR);
    assert_int_equal(old.status.failures, 1U << CMP_BAD_REQUEST);
    client.pvno = 3;
    assert_ok(cmp_client_body_certconf_with(world.some, EVP_sha512(), true, &body, &e), &e);
    wrong = say(&t, &client, false, buf_span(&body), false);
    assert_int_equal(wrong.body, CMP_ERROR);
    assert_int_equal(wrong.status.failures, 1U << CMP_BAD_CERT_ID);
    assert_ok(cmp_client_body_certconf_with(t.certificate, EVP_sha512(), true, &body, &e), &e);
    right = say(&t, &client, false, buf_span(&body), true);
    assert_int_equal(right.body, CMP_PKICONF);
}

static int
setup(void **unused)
{
    CLEANUP(transaction_release) struct transaction t = {0};
    struct err e = {0};
    EVP_PKEY *key = cmp_client_key(&e);

    (void)unused;
    if (world.down) {
        world.some = X509_new();
        if (key == NULL || world.some == NULL || X509_set_pubkey(world.some, key) != 1 ||
            X509_sign(world.some, key, EVP_sha256()) <= 0) {
            return -1;
        }
    } else {
        begin(&t);
        world.some = TAKE(t.certificate);
    }
    EVP_PKEY_free(key);
    return 0;
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_body_in_every_state_gets_its_answer),
        cmocka_unit_test(forgeries_do_not_hurt_the_true_one),
        cmocka_unit_test(hash_alg_comes_with_pvno_3),
    };
    CLEANUP(buf_free) struct buf algorithm = BUF_INIT(512);
    struct err e = {0};
    int failed;

    if (argc != 7) {
        print_error("usage: states HOST PORT PATH REFERENCE SECRET up|down\n");
        return 2;
    }
    if (ossl_init(&e) != 0 ||
        cmp_client_pbm(NID_sha256, PBM_COUNT, NID_hmacWithSHA256, &algorithm, &e) != 0) {
        print_error("%s\n", e.text);
        return 1;
    }
    world.http = (struct http_client){.host = argv[1],
                                      .port = (int)strtol(argv[2], NULL, 10),
                                      .fd = -1,
                                      .timeout_ms = TIMEOUT_MS};
    world.path = argv[3];
    world.client = (struct cmp_client){
        .reference = argv[4], .secret = span_str(argv[5]), .algorithm = buf_span(&algorithm)};
    world.down = strcmp(argv[6], "down") == 0;
    failed = cmocka_run_group_tests(tests, setup, NULL);
    X509_free(world.some);
    http_client_close(&world.http);
    OPENSSL_cleanup();
    return failed;
}
