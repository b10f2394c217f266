/* SPDX-License-Identifier: Apache-2.0 */
/* The first stage: what has no form is refused before anybody is looked up, and who a message says
 * it is from is told by its octets alone. */
#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/message/der.h"
#include "ca/x509/name.h"
#include "tests/support/der_edit.h"
#include "tests/unit/ra/fixture.h"

#define REFERENCE "amf-1"

static struct {
    EVP_PKEY *key;
    X509 *device;
    struct cmp_client mac;
    struct cmp_client signer;
    struct buf ir;
} w;

static int
set_up(void **state)
{
    struct fixture *f = fixture_new(PKI_NOW);

    *state = f;
    w.key = pki_key("P-256");
    w.device = fixture_device(f, "device", w.key);
    w.mac = fixture_mac(f, REFERENCE);
    w.signer = fixture_signer(f, w.device, w.key);
    w.ir = fixture_body(f, CMP_IR, NULL);
    return 0;
}

static int
tear_down(void **state)
{
    EVP_PKEY_free(w.key);
    X509_free(w.device);
    buf_free(&w.ir);
    return fixture_teardown(state);
}

/* Does the form of these octets hold? Else the reason. */
static int
form_of(struct job *job, enum cmp_failure failure, const char *why, enum phrase phrase,
        const char *row)
{
    int result = judge_form(job);

    if ((result == 0) != (failure == CMP_NO_FAILURE) || job->failure != failure ||
        (failure != CMP_NO_FAILURE && strstr(job->e.text, why) == NULL) ||
        (phrase != PHRASE_NONE && (enum phrase)job->e.said != phrase)) {
        print_error("%s: %d, failInfo %d, phrase %d, \"%s\"\n", row, result, (int)job->failure,
                    (int)job->e.said, job->e.text);
        return 1;
    }
    return 0;
}

/* ---- octets ---- */

static void
what_is_no_message_is_answered_as_far_as_it_can_be_read(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buf_free) struct buf whole = fixture_message(f, &w.mac, buf_span(&w.ir), NULL, NULL);
    const struct {
        const char *name;
        struct span raw;
        bool has_id; /* the transactionID could be read */
    } rows[] = {
        {"nothing", {.p = whole.p, .n = 0}, false},
        {"one octet", {.p = whole.p, .n = 1}, false},
        {"all but one octet", {.p = whole.p, .n = whole.n - 1}, true},
        {"text", SPAN_LITERAL("hello"), false},
    };
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct job *job = fixture_job(f, rows[i].raw);

        wrong += form_of(job, CMP_BAD_DATA_FORMAT, "is not DER", PHRASE_NONE, rows[i].name);
        assert_null(job->msg);
        if ((job->echo.transaction_id.n == CMP_NONCE_SIZE) != rows[i].has_id) {
            print_error("%s: transactionID of %zu octets\n", rows[i].name,
                        job->echo.transaction_id.n);
            wrong++;
        }
        job_free(job);
    }
    assert_int_equal(wrong, 0);
}

/* ---- bodies and paths ---- */

static struct buf
body_of(enum cmp_body body)
{
    CLEANUP(buf_free) struct buf sequence = BUF_INIT(64);
    struct buf out = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    assert_ok(der_append(&sequence, DER_SEQUENCE, (struct span){0}, &e), &e);
    assert_ok(der_append(&out, (uint8_t)(DER_CONTEXT | (unsigned)body), buf_span(&sequence), &e),
              &e);
    return out;
}

/* RFC 9810 5.1.2: what an end entity asks, and what goes on with it; nothing else. */
static void
each_body_is_taken_or_refused(void **state)
{
    static const uint32_t taken =
        CMP_BODY_BIT(CMP_IR) | CMP_BODY_BIT(CMP_CR) | CMP_BODY_BIT(CMP_P10CR) |
        CMP_BODY_BIT(CMP_KUR) | CMP_BODY_BIT(CMP_RR) | CMP_BODY_BIT(CMP_GENM) |
        CMP_BODY_BIT(CMP_CERTCONF) | CMP_BODY_BIT(CMP_POLLREQ) | CMP_BODY_BIT(CMP_ERROR);
    struct fixture *f = *state;
    struct cmp_client_state going = {.recip_nonce_size = CMP_NONCE_SIZE};
    int wrong = 0;

    for (enum cmp_body body = CMP_IR; body <= CMP_POLLREP; body++) {
        const struct fixture_message how = {.later = cmp_is_later(body)};
        CLEANUP(buf_free) struct buf b = body_of(body);
        CLEANUP(buf_free)
        struct buf message = fixture_message(f, &w.mac, buf_span(&b), &how, &going);
        struct job *job;

        if (body == CMP_NESTED) {
            continue; /* nested.c */
        }
        job = fixture_job(f, buf_span(&message));
        wrong += (taken & CMP_BODY_BIT(body)) != 0
                     ? form_of(job, CMP_NO_FAILURE, "", PHRASE_NONE, cmp_body_name(body))
                     : form_of(job, CMP_BAD_REQUEST, cmp_body_name(body), PHRASE_BODY,
                               cmp_body_name(body));
        if ((taken & CMP_BODY_BIT(body)) != 0) {
            assert_int_equal(job->body, body);
        }
        job_free(job);
    }
    assert_int_equal(wrong, 0);
}

/* A first message has no nonce of ours, a later one has; a client that polls may know none. */
static void
recip_nonce_goes_with_the_body(void **state)
{
    static const struct {
        enum cmp_body body;
        bool with;
        enum cmp_failure failure;
        const char *why;
    } rows[] = {
        {CMP_IR, false, CMP_NO_FAILURE, ""},
        {CMP_IR, true, CMP_BAD_RECIPIENT_NONCE, "recipNonce in a first message"},
        {CMP_RR, true, CMP_BAD_RECIPIENT_NONCE, "recipNonce in a first message"},
        {CMP_CERTCONF, true, CMP_NO_FAILURE, ""},
        {CMP_CERTCONF, false, CMP_BAD_RECIPIENT_NONCE, "recipNonce is missing"},
        {CMP_ERROR, false, CMP_BAD_RECIPIENT_NONCE, "recipNonce is missing"},
        {CMP_POLLREQ, true, CMP_NO_FAILURE, ""},
        {CMP_POLLREQ, false, CMP_NO_FAILURE, ""},
    };
    struct fixture *f = *state;
    struct cmp_client_state going = {.recip_nonce_size = CMP_NONCE_SIZE};
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct fixture_message how = {.later = rows[i].with};
        CLEANUP(buf_free) struct buf b = body_of(rows[i].body);
        CLEANUP(buf_free)
        struct buf message = fixture_message(f, &w.mac, buf_span(&b), &how, &going);
        struct job *job = fixture_job(f, buf_span(&message));

        wrong +=
            form_of(job, rows[i].failure, rows[i].why, PHRASE_NONE, cmp_body_name(rows[i].body));
        job_free(job);
    }
    assert_int_equal(wrong, 0);
}

/* What an answer names, for polls (RFC 9483 4.4). */
static void
the_number_of_a_request_is_kept_for_its_polls(void **state)
{
    static const struct {
        const char *name;
        enum cmp_body body;
        int id;
        bool old;
        int kept;
    } rows[] = {
        {"ir", CMP_IR, 0, false, 0},
        {"cr", CMP_CR, 0, false, 0},
        {"ir of another number", CMP_IR, 7, false, 0},
        {"the same on a listener for RFC 4210", CMP_IR, 7, true, 7},
        {"kur there", CMP_KUR, 3, true, 3},
        {"p10cr", CMP_P10CR, 0, false, -1},
        {"p10cr there", CMP_P10CR, 0, true, -1},
        {"rr", CMP_RR, 0, false, -1},
        {"rr there", CMP_RR, 0, true, -1},
        {"genm", CMP_GENM, 0, false, -1},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct cmp_client_wish wish = {.cert_req_id = rows[i].id, .subject = f->subject};
        bool template = rows[i].body == CMP_IR || rows[i].body == CMP_CR || rows[i].body == CMP_KUR;
        CLEANUP(buf_free)
        struct buf body = template ? fixture_body(f, rows[i].body, &wish) : body_of(rows[i].body);
        CLEANUP(buf_free)
        struct buf message = fixture_message(f, &w.mac, buf_span(&body), NULL, NULL);
        struct job *job = fixture_job(f, buf_span(&message));

        job->rules = rows[i].old ? &f->ra.old_rules : &f->ra.rules;
        assert_int_equal(form_of(job, CMP_NO_FAILURE, "", PHRASE_NONE, rows[i].name), 0);
        if (job->cert_req_id != rows[i].kept) {
            fail_msg("%s: %d", rows[i].name, job->cert_req_id);
        }
        job_free(job);
    }
}

/* RFC 9483 6.1: each operation has its path; a later message comes on any. */
static void
a_message_comes_on_the_path_of_its_operation(void **state)
{
    static const struct {
        const char *name;
        enum cmp_body body;
        int path;
        bool refused;
    } rows[] = {
        {"ir on its path", CMP_IR, CMP_IR, false},
        {"ir on the path of all", CMP_IR, -1, false},
        {"ir on that for cr", CMP_IR, CMP_CR, true},
        {"ir on that for nested", CMP_IR, CMP_NESTED, true},
        {"rr on that for ir", CMP_RR, CMP_IR, true},
        {"pollReq on that for ir", CMP_POLLREQ, CMP_IR, false},
    };
    struct fixture *f = *state;
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf b = body_of(rows[i].body);
        CLEANUP(buf_free) struct buf message = fixture_message(f, &w.mac, buf_span(&b), NULL, NULL);
        struct job *job = fixture_job(f, buf_span(&message));

        job->route.body = rows[i].path;
        wrong += rows[i].refused ? form_of(job, CMP_BAD_REQUEST, "on a path for another operation",
                                           PHRASE_PATH_OPERATION, rows[i].name)
                                 : form_of(job, CMP_NO_FAILURE, "", PHRASE_NONE, rows[i].name);
        job_free(job);
    }
    assert_int_equal(wrong, 0);
}

/* ---- with a MAC ---- */

/* A reference is 1 to 32 visible characters, and a text column keeps it. */
static void
sender_kid_is_a_reference(void **state)
{
    static const char longest[] = "0123456789abcdef0123456789abcdef0";
    static const char id_max[] =
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0";
    const struct {
        const char *name;
        struct span kid;
        enum cmp_failure failure;
        const char *why;
    } rows[] = {
        {"none", {.p = (const uint8_t *)longest, .n = 0}, CMP_BAD_MESSAGE_CHECK, "is missing"},
        {"1", span_of(longest, 1), CMP_NO_FAILURE, ""},
        {"32", span_of(longest, 32), CMP_NO_FAILURE, ""},
        {"33", span_of(longest, 33), CMP_BAD_MESSAGE_CHECK, "of 33 octets is no reference"},
        {"64", span_of(id_max, 64), CMP_BAD_MESSAGE_CHECK, "of 64 octets is no reference"},
        {"65", span_of(id_max, 65), CMP_BAD_DATA_FORMAT, ""},
        {"!", SPAN_LITERAL("a!"), CMP_NO_FAILURE, ""},
        {"~", SPAN_LITERAL("~a"), CMP_NO_FAILURE, ""},
        {"a blank", SPAN_LITERAL("a b"), CMP_BAD_MESSAGE_CHECK, "senderKID is no reference"},
        {"a blank behind it", SPAN_LITERAL("a "), CMP_BAD_MESSAGE_CHECK, "is no reference"},
        {"DEL", SPAN_LITERAL("a\x7f"), CMP_BAD_MESSAGE_CHECK, "senderKID is no reference"},
        {"NUL", SPAN_LITERAL("a\0b"), CMP_BAD_MESSAGE_CHECK, "senderKID is no reference"},
        {"UTF-8", SPAN_LITERAL("\xc3\xa4"), CMP_BAD_MESSAGE_CHECK, "senderKID is no reference"},
    };
    struct fixture *f = *state;
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct fixture_message how = {.kid = rows[i].kid};
        CLEANUP(buf_free)
        struct buf message = fixture_message(f, &w.mac, buf_span(&w.ir), &how, NULL);
        CLEANUP(mem_cleanup)
        char *identity = mem_printf("mac:%.*s", (int)rows[i].kid.n, (const char *)rows[i].kid.p);
        struct job *job = fixture_job(f, buf_span(&message));

        wrong +=
            form_of(job, rows[i].failure, rows[i].why,
                    rows[i].failure == CMP_BAD_MESSAGE_CHECK ? PHRASE_NO_REFERENCE : PHRASE_NONE,
                    rows[i].name);
        assert_string_equal(job->identity, rows[i].failure == CMP_NO_FAILURE ? identity : "");
        job_free(job);
    }
    assert_int_equal(wrong, 0);
}

/* One kind of MAC through a transaction (RFC 9483 3.2): the kind is part of who it is. */
static void
the_kind_of_mac_is_part_of_the_identity(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buf_free) struct buf pbmac1 = BUF_INIT(1024);
    struct cmp_client other = w.mac;
    CLEANUP(buf_free) struct buf message = {0};
    struct job *job;
    struct err e = {0};

    assert_ok(cmp_client_pbmac1(NID_hmacWithSHA256, 100, NID_hmacWithSHA256, &pbmac1, &e), &e);
    other.algorithm = buf_span(&pbmac1);
    message = fixture_message(f, &other, buf_span(&w.ir), NULL, NULL);
    job = fixture_job(f, buf_span(&message));
    assert_int_equal(form_of(job, CMP_NO_FAILURE, "", PHRASE_NONE, "pbmac1"), 0);
    assert_string_equal(job->identity, "pbmac1:" REFERENCE);
    assert_int_equal(job->turn.work.steps, 100);
    assert_int_equal(job->protection, CMP_PROTECTION_MAC);
    job_free(job);
}

/* ---- what says nothing of who it is from ---- */

static void
what_is_not_protected_or_otherwise_is_refused_at_once(void **state)
{
    static const uint8_t unknown[] = {0xa1, 0x05, 0x30, 0x03, 0x06, 0x01, 0x2a};
    static const uint8_t dns[] = {0x82, 0x01, 'a'};
    static const uint8_t uri[] = {0x86, 0x01, 'a'};
    static const uint8_t email[] = {0x81, 0x01, 'a'};
    static const uint8_t address[] = {0x87, 0x04, 10, 0, 0, 1};
    static const uint8_t registered[] = {0x88, 0x01, 0x2a};
    static const uint8_t other_name[] = {0xa0, 0x08, 0x06, 0x01, 0x2a,
                                         0xa0, 0x03, 0x02, 0x01, 0x01};
    const struct {
        const char *name;
        struct fixture_message how;
        enum cmp_failure failure;
        const char *why;
        enum phrase phrase;
    } rows[] = {
        {"not protected",
         {.unprotected = true},
         CMP_BAD_MESSAGE_CHECK,
         "not protected",
         PHRASE_UNPROTECTED},
        {"an algorithm that nobody knows",
         {.edit = "0.4", .with = span_of(unknown, sizeof(unknown))},
         CMP_BAD_ALG,
         "protectionAlg",
         PHRASE_PROTECTION_ALG},
        {"a DNS name as sender",
         {.edit = "0.1", .with = span_of(dns, sizeof(dns))},
         CMP_BAD_MESSAGE_CHECK,
         "sender is not a directoryName",
         PHRASE_SENDER},
        {"a URI as sender",
         {.edit = "0.1", .with = span_of(uri, sizeof(uri))},
         CMP_BAD_MESSAGE_CHECK,
         "sender is not a directoryName",
         PHRASE_SENDER},
        {"a mail address as sender",
         {.edit = "0.1", .with = span_of(email, sizeof(email))},
         CMP_BAD_MESSAGE_CHECK,
         "sender is not a directoryName",
         PHRASE_SENDER},
        {"an IP address as sender",
         {.edit = "0.1", .with = span_of(address, sizeof(address))},
         CMP_BAD_MESSAGE_CHECK,
         "sender is not a directoryName",
         PHRASE_SENDER},
        {"a registeredID as sender",
         {.edit = "0.1", .with = span_of(registered, sizeof(registered))},
         CMP_BAD_MESSAGE_CHECK,
         "sender is not a directoryName",
         PHRASE_SENDER},
        {"an otherName as sender",
         {.edit = "0.1", .with = span_of(other_name, sizeof(other_name))},
         CMP_BAD_MESSAGE_CHECK,
         "sender is not a directoryName",
         PHRASE_SENDER},
    };
    struct fixture *f = *state;
    const struct cmp_client *const by[] = {&w.mac, &w.signer};
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows) * ARRAY_LEN(by); i++) {
        size_t row = i / ARRAY_LEN(by);
        CLEANUP(buf_free)
        struct buf message =
            fixture_message(f, by[i % ARRAY_LEN(by)], buf_span(&w.ir), &rows[row].how, NULL);
        struct job *job = fixture_job(f, buf_span(&message));

        wrong += form_of(job, rows[row].failure, rows[row].why, rows[row].phrase, rows[row].name);
        job_free(job);
    }
    assert_int_equal(wrong, 0);
}

/* ---- with a signature ---- */

static void
who_signs_is_in_extra_certs(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buf_free)
    struct buf message = fixture_message(f, &w.signer, buf_span(&w.ir), NULL, NULL);
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf spki = pki_spki(w.key);
    CLEANUP(mem_cleanup) char *issuer = name_text(X509_get_issuer_name(w.device));
    CLEANUP(mem_cleanup) char *subject = name_text(X509_get_subject_name(w.device));
    struct job *job = fixture_job(f, buf_span(&message));
    uint8_t hash[SHA256_SIZE];
    char identity[REQUESTS_IDENTITY_SIZE] = "cert:";
    struct err e = {0};

    assert_int_equal(form_of(job, CMP_NO_FAILURE, "", PHRASE_NONE, "signed"), 0);
    assert_int_equal(job->protection, CMP_PROTECTION_SIGNATURE);
    assert_ok(OSSL_ENCODE(X509, w.device, &der, &e), &e);
    assert_ok(sha256(buf_span(&der), hash, &e), &e);
    assert_memory_equal(job->fingerprint, hash, sizeof(hash));
    hex_format(span_of(hash, sizeof(hash)), identity + strlen(identity));
    assert_string_equal(job->identity, identity);
    assert_ok(sha256(buf_span(&spki), hash, &e), &e);
    assert_memory_equal(job->signer_key, hash, sizeof(hash));
    assert_string_equal(job->signer_issuer, issuer);
    assert_string_equal(job->signer_subject, subject);
    assert_false(job->own);
    job_free(job);
}

/* The message with its extraCerts as `with`. */
static int
signed_row(struct fixture *f, const struct fixture_message *how, const char *edit, struct span with,
           bool old, enum cmp_failure failure, const char *why, enum phrase phrase, const char *row)
{
    CLEANUP(buf_free)
    struct buf message = fixture_message(f, &w.signer, buf_span(&w.ir), how, NULL);
    CLEANUP(buf_free) struct buf edited = BUF_INIT(CMP_MESSAGE_MAX);
    struct job *job;
    int wrong;
    struct err e = {0};

    assert_ok(edit != NULL ? der_edit(buf_span(&message), edit, with, &edited, &e)
                           : buf_set(&edited, buf_span(&message), &e),
              &e);
    job = fixture_job(f, buf_span(&edited));
    job->rules = old ? &f->ra.old_rules : &f->ra.rules;
    wrong = form_of(job, failure, why, phrase, row);
    job_free(job);
    return wrong;
}

/* Its SubjectPublicKeyInfo with a key of so many octets that there is no such key. */
static struct buf
long_key(const X509 *x, size_t n)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf key = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf bits = BUF_INIT(CMP_MESSAGE_MAX);
    struct buf out = BUF_INIT(CMP_MESSAGE_MAX);
    uint8_t *p;
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, x, &der, &e), &e);
    p = buf_extend(&bits, n, &e);
    assert_non_null(p);
    memset(p, 0, n);
    assert_ok(der_append(&key, DER_BIT_STRING, buf_span(&bits), &e), &e);
    assert_ok(der_edit(buf_span(&der), "0.6.1", buf_span(&key), &out, &e), &e);
    return out;
}

static void
a_protection_certificate_is_the_first_and_readable(void **state)
{
    static const uint8_t nothing[] = {0x30, 0x00};
    const struct span no_certificate = span_of(nothing, sizeof(nothing));
    struct fixture *f = *state;
    CLEANUP(buf_free) struct buf other = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf mine = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf both = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf huge = long_key(w.device, PUBKEY_SPKI_MAX + 100);
    const struct fixture_message usual = {0};
    const struct fixture_message no_kid = {.kid = {.p = nothing}};
    int wrong = 0;
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, f->vendor, &other, &e), &e);
    assert_ok(OSSL_ENCODE(X509, w.device, &mine, &e), &e);
    assert_ok(buf_append(&both, buf_span(&other), &e), &e);
    assert_ok(buf_append(&both, buf_span(&mine), &e), &e);
    wrong += signed_row(f, &usual, "3", (struct span){0}, false, CMP_BAD_MESSAGE_CHECK,
                        "no extraCerts", PHRASE_NO_SIGNER, "none");
    wrong += signed_row(f, &usual, "3.0.0", no_certificate, false, CMP_BAD_MESSAGE_CHECK,
                        "protection certificate", PHRASE_NO_SIGNER, "an empty SEQUENCE");
    wrong += signed_row(f, &usual, "3.0.0", buf_span(&huge), false, CMP_BAD_MESSAGE_CHECK, "",
                        PHRASE_NONE, "a key longer than any");
    wrong += signed_row(f, &no_kid, NULL, (struct span){0}, false, CMP_BAD_MESSAGE_CHECK,
                        "senderKID is missing", PHRASE_NO_SENDER_KID, "no senderKID");
    wrong += signed_row(f, &no_kid, NULL, (struct span){0}, true, CMP_NO_FAILURE, "", PHRASE_NONE,
                        "no senderKID on a listener for RFC 4210");
    assert_int_equal(wrong, 0);
}

/* RFC 9483 3.3; clients of RFC 4210 put it anywhere. */
static void
the_listener_says_where_the_protection_certificate_stands(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buf_free)
    struct buf message = fixture_message(f, &w.signer, buf_span(&w.ir), NULL, NULL);
    CLEANUP(buf_free) struct buf other = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf both = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf edited = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, f->vendor, &other, &e), &e);
    assert_ok(buf_append(&both, buf_span(&other), &e), &e);
    assert_ok(buf_append(&both, der_at(buf_span(&message), "3.0.0"), &e), &e);
    assert_ok(der_edit(buf_span(&message), "3.0.0", buf_span(&both), &edited, &e), &e);
    for (int old = 0; old <= 1; old++) {
        struct job *job = fixture_job(f, buf_span(&edited));

        job->rules = old ? &f->ra.old_rules : &f->ra.rules;
        assert_int_equal(form_of(job, CMP_NO_FAILURE, "", PHRASE_NONE, "behind another"), 0);
        assert_int_equal(X509_cmp(job->signer, old ? w.device : f->vendor), 0);
        job_free(job);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_message_is_answered_as_far_as_it_can_be_read),
        cmocka_unit_test(each_body_is_taken_or_refused),
        cmocka_unit_test(recip_nonce_goes_with_the_body),
        cmocka_unit_test(the_number_of_a_request_is_kept_for_its_polls),
        cmocka_unit_test(a_message_comes_on_the_path_of_its_operation),
        cmocka_unit_test(sender_kid_is_a_reference),
        cmocka_unit_test(the_kind_of_mac_is_part_of_the_identity),
        cmocka_unit_test(what_is_not_protected_or_otherwise_is_refused_at_once),
        cmocka_unit_test(who_signs_is_in_extra_certs),
        cmocka_unit_test(a_protection_certificate_is_the_first_and_readable),
        cmocka_unit_test(the_listener_says_where_the_protection_certificate_stands),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
