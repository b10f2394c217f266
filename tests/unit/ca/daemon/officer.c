/* SPDX-License-Identifier: Apache-2.0 */
/* An officer's certificates through the admin socket: what is refused, what is asked twice, and
 * what a CA that was killed between intent and signature is asked for again. */
#include <openssl/pem.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/link/admin.h"
#include "ca/link/frame.h"
#include "ca/x509/name.h"
#include "ca/x509/serial.h"
#include "tests/unit/ca/daemon/lie.h"

enum { DAY = 24 * 60 * 60, TEXT_MAX = 64 * 1024 };

static char *
csr_of(EVP_PKEY *key)
{
    CLEANUP(x509_req_cleanup) X509_REQ *csr = X509_REQ_new();
    CLEANUP(bio_cleanup) BIO *out = BIO_new(BIO_s_mem());
    char *text = NULL;
    long n;

    assert_int_equal(X509_REQ_set_version(csr, X509_REQ_VERSION_1), 1);
    assert_int_equal(X509_REQ_set_pubkey(csr, key), 1);
    assert_true(X509_REQ_sign(csr, key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_bio_X509_REQ(out, csr), 1);
    n = BIO_get_mem_data(out, &text);
    return mem_printf("%.*s", (int)n, text);
}

static json_t *
wants(const char *csr, const char *profile, const char *name, int days)
{
    return json_pack("{s:s,s:s,s:s,s:i,s:s}", "command", "issue", "profile", profile, "commonName",
                     name, "days", days, "csr", csr);
}

static void
is_refused(struct world *w, const char *row, json_t *request, enum err_code code, const char *says)
{
    struct err e = {0};
    CLEANUP(admin_json_cleanup) json_t *answer = world_ask(w, request, &e);

    if (answer != NULL || e.code != code || strstr(e.text, says) == NULL) {
        fail_msg("%s: \"%s\" (%s) instead of \"%s\"", row, answer != NULL ? "done" : e.text,
                 err_code_name(e.code), says);
    }
}

static char *
serial_in(json_t *answer, const struct err *e)
{
    if (answer == NULL) {
        fail_msg("%s", e->text);
    }
    return mem_strdup(json_string_value(json_object_get(answer, "serial")));
}

/* The serial number of what the officer gets. */
static char *
is_issued(struct world *w, json_t *request)
{
    struct err e = {0};
    CLEANUP(admin_json_cleanup) json_t *answer = world_ask(w, request, &e);

    return serial_in(answer, &e);
}

/* ---- what is refused ---- */

static void
what_an_officer_may_not_have_leaves_no_trace(void **state)
{
    struct world *w = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(mem_cleanup) char *csr = csr_of(key);
    const struct record before = record_read(w);
    static const char needed[] = "issue: csr, profile, commonName and days are needed";

    is_refused(w, "no csr",
               json_pack("{s:s,s:s,s:s,s:i}", "command", "issue", "profile", "ra-cmp", "commonName",
                         "RA", "days", 1),
               ERR_INPUT, needed);
    is_refused(w, "no profile",
               json_pack("{s:s,s:s,s:s,s:i}", "command", "issue", "csr", csr, "commonName", "RA",
                         "days", 1),
               ERR_INPUT, needed);
    is_refused(w, "no name",
               json_pack("{s:s,s:s,s:s,s:i}", "command", "issue", "csr", csr, "profile", "ra-cmp",
                         "days", 1),
               ERR_INPUT, needed);
    is_refused(w, "a name that is a number",
               json_pack("{s:s,s:s,s:s,s:i,s:i}", "command", "issue", "csr", csr, "profile",
                         "ra-cmp", "commonName", 1, "days", 1),
               ERR_INPUT, needed);
    is_refused(w, "more days than a number has",
               json_pack("{s:s,s:s,s:s,s:s,s:I}", "command", "issue", "csr", csr, "profile",
                         "ra-cmp", "commonName", "RA", "days", (json_int_t)1 + INT32_MAX),
               ERR_INPUT, needed);
    is_refused(w, "fewer",
               json_pack("{s:s,s:s,s:s,s:s,s:I}", "command", "issue", "csr", csr, "profile",
                         "ra-cmp", "commonName", "RA", "days", (json_int_t)INT32_MIN - 1),
               ERR_INPUT, needed);
    is_refused(w, "the most days that a number has", wants(csr, "ra-cmp", "RA", INT32_MAX),
               ERR_INPUT, "days: 1 to 1095");
    is_refused(w, "no days",
               json_pack("{s:s,s:s,s:s,s:s}", "command", "issue", "csr", csr, "profile", "ra-cmp",
                         "commonName", "RA"),
               ERR_INPUT, "days: 1 to 1095");
    is_refused(w, "not a request", wants("hello", "ra-cmp", "RA", 1), ERR_INPUT, "CSR");
    is_refused(w, "a network function's", wants(csr, "nf-tls", "RA", 1), ERR_DENIED,
               "profile 'nf-tls': an officer issues ra-cmp, registrar and officer");
    is_refused(w, "a command that nobody knows", json_pack("{s:s}", "command", "give"), ERR_INPUT,
               "unknown command");
    record_is_unchanged(w, "refused", &before);
}

static const struct record_change one_certificate[] = {
    {RECORD_LEAVES, 2},       {RECORD_REQUESTS, 1},    {RECORD_INTENTS, 1},
    {RECORD_CERTIFICATES, 1}, {RECORD_PUBLIC_KEYS, 1}, {RECORD_LEAVES, 0}};

static void
a_request_that_was_used_gives_the_same_or_nothing(void **state)
{
    static const char used[] = "this request was used before, for something else: make a new one";
    struct world *w = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(mem_cleanup) char *csr = csr_of(key);
    const struct record before = record_read(w);
    CLEANUP(mem_cleanup) char *first = is_issued(w, wants(csr, "registrar", "OAM 3", 30));
    CLEANUP(mem_cleanup) char *second = is_issued(w, wants(csr, "registrar", "OAM 3", 30));

    assert_string_equal(first, second);
    record_changed(w, "twice the same", &before, one_certificate);
    is_refused(w, "another name", wants(csr, "registrar", "OAM 4", 30), ERR_CONFLICT, used);
    is_refused(w, "a longer name", wants(csr, "registrar", "OAM 33", 30), ERR_CONFLICT, used);
    is_refused(w, "another profile", wants(csr, "ra-cmp", "OAM 3", 30), ERR_CONFLICT, used);
    record_changed(w, "used", &before, one_certificate);
    {
        struct err e = {0};
        CLEANUP(admin_json_cleanup)
        json_t *done = world_ask(w,
                                 json_pack("{s:s,s:s,s:s}", "command", "revoke", "serial", first,
                                           "reason", "superseded"),
                                 &e);

        assert_non_null(done);
    }
    is_refused(w, "revoked", wants(csr, "registrar", "OAM 3", 30), ERR_CONFLICT, used);
    /* a key of our own processes stays one of theirs */
    {
        CLEANUP(nf_free) struct nf n = lie_nf(w, &(struct lie_terms){0});

        lie_is_found_out(w, &(struct lie){.name = "an officer's key",
                                          .of = &n,
                                          .request = {.asked = key},
                                          .failure = CMP_BAD_CERT_TEMPLATE,
                                          .words = "certified to another network function",
                                          .reason = "certified to another owner"});
    }
    {
        CLEANUP(nf_free) struct nf n = lie_nf(w, &(struct lie_terms){0});
        CLEANUP(mem_cleanup) char *of_nf = csr_of(n.key);

        X509_free(lie_is_granted(w, &(struct lie){.name = "a network function", .of = &n}));
        is_refused(w, "its key", wants(of_nf, "officer", "A", 30), ERR_INPUT,
                   "the public key is certified to another owner");
    }
}

/* ---- between intent and signature ---- */

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

/* The issuing key's signer, which waits from now on. */
static pid_t
stop_signer(struct world *w)
{
    pid_t signer = (pid_t)status_of(w, "signers", "issuing", "pid");

    assert_true(signer > 1);
    assert_int_equal(kill(signer, SIGSTOP), 0);
    return signer;
}

/* Sends, and does not wait for the answer. */
static int
send_only(const struct world *w, json_t *request)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/admin.sock", w->dir);
    char *text = json_dumps(request, JSON_COMPACT);
    struct err e = {0};
    int fd = unix_connect(path, true, &e);

    assert_true(fd >= 0);
    assert_ok(frame_write(fd, span_str(text), -1, &e), &e);
    json_decref(request);
    free(text);
    return fd;
}

static json_t *
hear(int fd)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(TEXT_MAX);
    struct err e = {0};
    json_t *answer;

    assert_ok(frame_read(fd, TEXT_MAX, &body, -1, &e), &e);
    answer = json_loadb((const char *)body.p, body.n, 0, NULL);
    assert_non_null(answer);
    (void)close(fd);
    return answer;
}

static void
wait_for_intents(struct world *w, json_int_t n)
{
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};

    while (world_record(w, "open") < n) {
        (void)nanosleep(&pause, NULL);
    }
}

static void
what_is_being_worked_on_is_not_begun_twice(void **state)
{
    struct world *w = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(mem_cleanup) char *csr = csr_of(key);
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
    CLEANUP(answer_free) struct answer busy = {0};
    CLEANUP(answer_free) struct answer issued = {0};
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;
    const struct record before = record_read(w);
    pid_t signer = stop_signer(w);
    int fd = send_only(w, wants(csr, "ra-cmp", "RA 9", 30));
    struct world other = *w; /* the same RA on another connection */

    wait_for_intents(w, 1);
    is_refused(w, "the same", wants(csr, "ra-cmp", "RA 9", 30), ERR_BUSY,
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
    assert_int_equal(kill(signer, SIGCONT), 0);
    world_receive(&other, &issued);
    X509_free(nf_issued(&issued));
    (void)close(other.link);
    answer = hear(fd);
    assert_non_null(json_object_get(answer, "certificate"));
    record_changed(w, "one of each", &before,
                   (const struct record_change[]){{RECORD_LEAVES, 2 + 3},
                                                  {RECORD_REQUESTS, 2},
                                                  {RECORD_INTENTS, 2},
                                                  {RECORD_CERTIFICATES, 2},
                                                  {RECORD_PUBLIC_KEYS, 2},
                                                  {RECORD_USED, 1},
                                                  {RECORD_LEAVES, 0}});
}

/* The CA is killed when the intent is stored and its signature is not there. */
static void
a_kill_before_the_signature_leaves_one_certificate(void **state)
{
    struct world *w = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(mem_cleanup) char *csr = csr_of(key);
    CLEANUP(mem_cleanup) char *first = NULL;
    CLEANUP(mem_cleanup) char *second = NULL;
    json_int_t certificates = world_record(w, "certificates");
    pid_t signer = stop_signer(w);
    int fd = send_only(w, wants(csr, "officer", "B. Person", 30));

    wait_for_intents(w, 1);
    world_kill(w);
    (void)kill(signer, SIGKILL);
    (void)close(fd);
    world_start(w);
    assert_int_equal(world_record(w, "open"), 1); /* an officer must ask again */
    assert_int_equal(world_record(w, "certificates"), certificates);
    is_refused(w, "for another name", wants(csr, "officer", "C. Person", 30), ERR_DENIED,
               "this request was used before, for something else: the stored TBS is not what");
    is_refused(w, "for longer", wants(csr, "officer", "B. Person", 31), ERR_DENIED,
               "this request was used before, for something else: the stored TBS is not what");
    is_refused(w, "as another", wants(csr, "registrar", "B. Person", 30), ERR_DENIED,
               "this request was used before, for something else: the stored TBS is not what");
    is_refused(w, "as nothing of ours", wants(csr, "nf-tls", "B. Person", 30), ERR_DENIED,
               "an officer issues");
    assert_int_equal(world_record(w, "open"), 1);
    first = is_issued(w, wants(csr, "officer", "B. Person", 30));
    second = is_issued(w, wants(csr, "officer", "B. Person", 30));
    assert_string_equal(first, second);
    assert_int_equal(world_record(w, "open"), 0);
    assert_int_equal(world_record(w, "certificates"), certificates + 1);
    assert_int_equal(world_stop(w), 0);
    world_start(w); /* the rows agree with the record */
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
    assert_ok(serial_new(t.serial, &e), &e);
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

static void
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
        uint8_t rid[SHA256_SIZE] = {0xd0, (uint8_t)i};
        json_int_t open = world_record(w, "open");
        json_int_t revoked = world_record(w, "revoked");

        assert_int_equal(world_stop(w), 0);
        leave_intent(w, key, span_of(rid, sizeof(rid)), rows[i].age);
        world_start(w);
        if (world_record(w, "open") != open + (rows[i].given_up ? 0 : 1) ||
            world_record(w, "revoked") != revoked + (rows[i].given_up ? 1 : 0)) {
            fail_msg("%s: %s", rows[i].name, rows[i].given_up ? "kept" : "given up");
        }
        if (rows[i].given_up) {
            record_has_leaf(w, rows[i].name, span_of(rid, sizeof(rid)), LEAF_REJECTED, "reason",
                            "not resolved in time after a restart");
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_officer_may_not_have_leaves_no_trace),
        cmocka_unit_test(a_request_that_was_used_gives_the_same_or_nothing),
        cmocka_unit_test(what_is_being_worked_on_is_not_begun_twice),
        cmocka_unit_test(a_kill_before_the_signature_leaves_one_certificate),
        cmocka_unit_test(what_no_officer_asks_for_again_within_a_day_is_given_up),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
