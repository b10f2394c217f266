/* SPDX-License-Identifier: Apache-2.0 */
/* Between intent and signature: the signer stands still, dies, or the CA does. */
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/cmp/message/phrase.h"
#include "ca/link/admin.h"
#include "ca/x509/csr.h"
#include "ca/x509/serial.h"
#include "tests/support/kill.h"
#include "tests/unit/ca/daemon/officer.h"

enum { DAY = 24 * 60 * 60 };

/* ---- between intent and signature ---- */

enum { TRIES = 20 };

static json_int_t
status_of(struct world *w, const char *object, const char *inner, const char *name)
{
    struct err e = {0};
    CLEANUP(admin_json_cleanup)
    json_t *status = world_ask(w, json_pack("{s:s}", "command", "status"), &e);
    const json_t *at = json_object_get(status, object);

    return json_integer_value(
        json_object_get(inner != NULL ? json_object_get(at, inner) : at, name));
}

static void
wait_for_intents(struct world *w, json_int_t n)
{
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};

    while (world_record(w, "open") < n) {
        (void)nanosleep(&pause, NULL);
    }
}

/* They are in the ledger, and the signer has been asked. */
static void
wait_for_signer(struct world *w, json_int_t n)
{
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};

    while (status_of(w, "signers", "issuing", "waiting") < n) {
        (void)nanosleep(&pause, NULL);
    }
}

void
what_is_being_worked_on_is_not_begun_twice(void **state)
{
    struct world *w = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(mem_cleanup) char *csr = world_csr(key);
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
    CLEANUP(answer_free) struct answer busy = {0};
    CLEANUP(answer_free) struct answer issued = {0};
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;
    const struct record before = record_read(w);
    pid_t signer = world_hold_signer(w, "issuing");
    int fd = officer_sends(w, officer_wants(csr, "ra-cmp", "RA 9", 30));
    struct world other = *w; /* the same RA on another connection */

    wait_for_intents(w, 1);
    officer_is_refused(w, "the same", officer_wants(csr, "ra-cmp", "RA 9", 30), ERR_BUSY,
                       "this request is being worked on");
    /* and from the link: on one connection, and on another, which gets the answer then */
    world_send_submit(w, buf_span(&n.request), buf_span(&n.nested));
    wait_for_intents(w, 2);
    world_send_submit(w, buf_span(&n.request), buf_span(&n.nested));
    world_receive(w, &busy);
    assert_int_equal(busy.m.type, LINK_BUSY);
    world_connect(&other);
    world_send_submit(&other, buf_span(&n.request), buf_span(&n.nested));
    world_receive(w, &busy);
    assert_int_equal(busy.m.type, LINK_BUSY);
    assert_int_equal(test_kill(signer, SIGCONT), 0);
    world_receive(&other, &issued);
    X509_free(nf_issued(&issued));
    (void)close(other.link);
    answer = officer_hears(fd);
    assert_non_null(json_object_get(answer, "certificate"));
    record_changed(w, "one of each", &before,
                   (const struct record_change[]){
                       {RECORD_LEAVES, 2 + 4}, /* of the network function with QUEUE-HEAD */
                       {RECORD_REQUESTS, 2},
                       {RECORD_INTENTS, 2},
                       {RECORD_CERTIFICATES, 2},
                       {RECORD_PUBLIC_KEYS, 2},
                       {RECORD_USED, 1},
                       {RECORD_FIGURES, 0}});
}

/* The CA is killed when the intent is stored and its signature is not there. */
void
a_kill_before_the_signature_leaves_one_certificate(void **state)
{
    struct world *w = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(mem_cleanup) char *csr = world_csr(key);
    CLEANUP(mem_cleanup) char *first = NULL;
    CLEANUP(mem_cleanup) char *second = NULL;
    json_int_t certificates = world_record(w, "certificates");
    pid_t signer = world_hold_signer(w, "issuing");
    int fd = officer_sends(w, officer_wants(csr, "officer", "B. Person", 30));

    wait_for_intents(w, 1);
    world_kill(w);
    (void)test_kill(signer, SIGKILL);
    (void)close(fd);
    world_start(w);
    assert_int_equal(world_record(w, "open"), 1); /* an officer must ask again */
    assert_int_equal(world_record(w, "certificates"), certificates);
    officer_is_refused(
        w, "for another name", officer_wants(csr, "officer", "C. Person", 30), ERR_DENIED,
        "this request was used before, for something else: the stored TBS is not what");
    officer_is_refused(
        w, "for longer", officer_wants(csr, "officer", "B. Person", 31), ERR_DENIED,
        "this request was used before, for something else: the stored TBS is not what");
    officer_is_refused(
        w, "as another", officer_wants(csr, "registrar", "B. Person", 30), ERR_DENIED,
        "this request was used before, for something else: the stored TBS is not what");
    officer_is_refused(w, "as nothing of ours", officer_wants(csr, "nf-tls", "B. Person", 30),
                       ERR_DENIED, "an officer issues");
    assert_int_equal(world_record(w, "open"), 1);
    first = officer_is_issued(w, officer_wants(csr, "officer", "B. Person", 30));
    second = officer_is_issued(w, officer_wants(csr, "officer", "B. Person", 30));
    assert_string_equal(first, second);
    assert_int_equal(world_record(w, "open"), 0);
    assert_int_equal(world_record(w, "certificates"), certificates + 1);
    assert_int_equal(world_stop(w), 0);
    world_start(w); /* the rows agree with the record */
}

/* Was an officer told so? Else the signer died before what waits for it was sent, and the one that
 * came up behind it signed. Both get their certificate at last. */
static bool
is_refused_by_a_dying_signer(struct world *w, const char *csr, const char *name)
{
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
    CLEANUP(answer_free) struct answer answer = {0};
    CLEANUP(admin_json_cleanup) json_t *heard = NULL;
    CLEANUP(mem_cleanup) char *serial = NULL;
    json_int_t certificates = world_record(w, "certificates");
    pid_t signer = world_hold_signer(w, "issuing");
    int fd = officer_sends(w, officer_wants(csr, "ra-cmp", name, 30));
    const json_t *error;

    wait_for_signer(w, 1);
    world_send_submit(w, buf_span(&n.request), buf_span(&n.nested));
    wait_for_signer(w, 2);
    (void)test_kill(signer, SIGKILL);
    heard = officer_hears(fd);
    error = json_object_get(heard, "error");
    if (error != NULL) {
        assert_string_equal(json_string_value(json_object_get(error, "text")),
                            "the token does not sign now: see the log, try again");
    }
    world_receive(w, &answer); /* or the new one has signed it by then */
    assert_true(answer.m.type == LINK_BUSY || answer.m.type == LINK_ISSUED);
    do {
        world_submit(w, buf_span(&n.request), buf_span(&n.nested), &answer);
    } while (answer.m.type == LINK_BUSY);
    X509_free(nf_issued(&answer));
    serial = officer_is_issued(w, officer_wants(csr, "ra-cmp", name, 30));
    assert_int_equal(world_record(w, "certificates"), certificates + 2);
    return error != NULL;
}

/* The signer of the issuing key dies while it is asked. */
void
what_cannot_be_signed_now_is_asked_for_again(void **state)
{
    struct world *w = *state;
    bool refused = false;

    for (int i = 0; !refused && i < TRIES; i++) {
        CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
        CLEANUP(mem_cleanup) char *csr = world_csr(key);
        CLEANUP(mem_cleanup) char *name = mem_printf("RA 10.%d", i);

        refused = is_refused_by_a_dying_signer(w, csr, name);
    }
    assert_true(refused);
}

/* A certificate and a CRL wait for the signer, which is held, when the daemon is told to stop. They
 * come to their end; on a connection that is there and on a new one nothing begins. */
void
a_daemon_that_stops_ends_what_it_began_and_begins_nothing(void **state)
{
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
    struct world *w = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(mem_cleanup) char *csr = world_csr(key);
    CLEANUP(admin_json_cleanup) json_t *certificate = NULL;
    CLEANUP(admin_json_cleanup) json_t *crl = NULL;
    CLEANUP(fd_cleanup) int there = officer_connects(w);
    pid_t signer = world_hold_signer(w, "issuing");
    int certificate_fd = officer_sends(w, officer_wants(csr, "ra-cmp", "RA 11", 30));
    int crl_fd;
    struct err e = {0};

    wait_for_signer(w, 1);
    crl_fd = officer_sends(w, json_pack("{s:s}", "command", "crl"));
    wait_for_signer(w, 2);
    assert_int_equal(test_kill(w->daemon, SIGTERM), 0);
    do { /* until it noticed */
        CLEANUP(admin_json_cleanup) json_t *status = NULL;
        const json_t *refused;

        officer_says(there, json_pack("{s:s}", "command", "status"));
        status = officer_reads(there);
        refused = json_object_get(status, "error");
        if (refused != NULL) {
            assert_string_equal(json_string_value(json_object_get(refused, "code")), "busy");
            assert_string_equal(json_string_value(json_object_get(refused, "text")),
                                "the daemon is stopping");
            break;
        }
        (void)nanosleep(&pause, NULL);
    } while (true);
    assert_null(world_ask(w, json_pack("{s:s}", "command", "status"), &e));
    assert_int_equal(e.code, ERR_BUSY);
    assert_string_equal(e.text, "the daemon is stopping");
    assert_int_equal(test_kill(signer, SIGCONT), 0);
    certificate = officer_hears(certificate_fd);
    assert_non_null(json_object_get(certificate, "certificate"));
    crl = officer_hears(crl_fd);
    assert_non_null(json_object_get(crl, "crlNumber"));
    assert_int_equal(world_stop(w), 0);
    world_start(w);
}

/* ---- a day later ---- */

/* An intent of this age, as a CA that was killed leaves it. */
static void
leave_intent(struct world *w, EVP_PKEY *key, struct span rid, int age)
{
    CLEANUP(buf_free) struct buf spki = pki_spki(key);
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
    struct name subject;
    uint8_t spki_hash[SHA256_SIZE];
    struct err e = {0};
    const time_t judged = clock_now() - age;
    struct tbs_request t = {.profile = profile_by_name("officer"),
                            .issuer = w->issuing,
                            .subject = &subject,
                            .spki = buf_span(&spki),
                            .not_before = clock_now(), /* nobody looks: it is too old */
                            .not_after = clock_now() + (time_t)30 * DAY,
                            .crl_url = "http://pki.example/crl/issuing.crl"};

    assert_ok(name_set(&subject, "SE", "Example Operator", "D. Person", &e), &e);
    assert_ok(serial_new(t.serial, clock_now(), &e), &e);
    assert_ok(tbs_build(&t, &tbs, &e), &e);
    assert_ok(sha256(buf_span(&spki), spki_hash, &e), &e);
    world_intend(w, &(struct issuance_intent){.rid = rid,
                                              .profile = "officer",
                                              .evidence = SPAN_LITERAL("a request"),
                                              .spki_sha256 = span_of(spki_hash, sizeof(spki_hash)),
                                              .serial = span_of(t.serial, sizeof(t.serial)),
                                              .tbs = buf_span(&tbs),
                                              .not_before = judged,
                                              .judged = judged,
                                              .not_after = t.not_after,
                                              .now = clock_now()});
}

void
what_no_officer_asks_for_again_within_a_day_is_given_up(void **state)
{
    static const struct {
        const char *name;
        int age;
        bool given_up;
    } rows[] = {{"a minute less than a day", DAY - 60, false}, {"a minute more", DAY + 60, true}};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
        CLEANUP(mem_cleanup) char *csr = world_csr(key);
        CLEANUP(csr_cleanup) struct csr *parsed = NULL;
        uint8_t rid[SHA256_SIZE];
        struct err e = {0};
        json_int_t open = world_record(w, "open");
        json_int_t revoked = world_record(w, "revoked");

        parsed = csr_parse(span_str(csr), &e);
        assert_ok(sha256(csr_der(parsed), rid, &e), &e);
        assert_int_equal(world_stop(w), 0);
        leave_intent(w, key, span_of(rid, sizeof(rid)), rows[i].age);
        world_start(w);
        if (world_record(w, "open") != open + (rows[i].given_up ? 0 : 1) ||
            world_record(w, "revoked") != revoked + (rows[i].given_up ? 1 : 0)) {
            fail_msg("%s: %s", rows[i].name, rows[i].given_up ? "kept" : "given up");
        }
        officer_is_refused(w, "asked for again", officer_wants(csr, "officer", "E. Person", 30),
                           ERR_DENIED,
                           rows[i].given_up ? phrase_text(PHRASE_GIVEN_UP)
                                            : "this request was used before, for something else");
        if (rows[i].given_up) {
            record_has_leaf(w, rows[i].name, span_of(rid, sizeof(rid)), LEAF_REJECTED, "reason",
                            "not resolved in time after a restart");
        }
    }
}
