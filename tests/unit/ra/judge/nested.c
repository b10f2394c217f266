/* SPDX-License-Identifier: Apache-2.0 */
/* What another RA has signed is opened when it is one, with a good certificate, and what it wraps
 * is one message with the same identifiers; and then the message inside is judged as if it came
 * alone. */
#include "ra/judge/nested.h"

#include <string.h>
#include <unistd.h>

#include "base/ossl.h"
#include "ca/cmp/message/der.h"
#include "tests/support/der_edit.h"
#include "tests/unit/ra/fixture.h"

#define REFERENCE "amf-1"
#define CMC_RA "extendedKeyUsage=1.3.6.1.5.5.7.3.28"

/* Who signs the wrapper. */
enum wrapped_by {
    OURS, /* an RA of our CA */
    OURS_EXPIRED,
    OUR_NF,
    OUR_REGISTRAR,
    ITSELF,           /* this RA */
    ITSELF_BEFORE,    /* another certificate for its key */
    PARTNER,          /* an RA under an anchor of purpose ra */
    PARTNER_NO_RA,    /* another end entity of it */
    PARTNER_NO_SIGNS, /* a key that may not sign */
    PARTNER_ENDS,     /* its last second is now */
    PARTNER_ENDED,    /* it was the one before */
    PARTNER_BEGINS,
    PARTNER_EARLY,
    VENDOR, /* id-kp-cmcRA under an anchor of another purpose */
    NOBODY, /* self-signed */
    SIGNERS,
};

static struct {
    EVP_PKEY *key; /* of all but our own */
    EVP_PKEY *other_key;
    X509 *of[SIGNERS];
    struct cmp_client nf;
    struct buf inner; /* an ir of it */
    struct cmp_msg *msg;
    struct buf body; /* nested { inner } */
} w;

/* ---- the scene ---- */

static X509 *
forge_of(const struct fixture *f, X509 *issuer, const char *usage, const char *eku, int from,
         int until)
{
    const struct forge forge = {.subject = "O=Partner/CN=Partner RA",
                                .key = w.key,
                                .issuer = issuer,
                                .issuer_key = issuer == NULL ? NULL : f->vendor_key,
                                .not_before = f->now + from,
                                .not_after = f->now + until,
                                .extensions = {"basicConstraints=critical,CA:FALSE", usage, eku}};

    return forge_certificate(&forge);
}

static X509 *
partner(const struct fixture *f, X509 *issuer, int from, int until)
{
    return forge_of(f, issuer, "keyUsage=critical,digitalSignature", CMC_RA, from, until);
}

static X509 *
expired_ra(const struct fixture *f)
{
    struct forge forge = {.subject = "C=SE/O=Example Operator/CN=Old RA",
                          .key = w.key,
                          .issuer = f->pki->issuing,
                          .issuer_key = f->pki->issuing_key,
                          .not_before = f->now - 2,
                          .not_after = f->now - 1,
                          .extensions = {FORGE_LEAF, CMC_RA}};

    return forge_certificate(&forge);
}

static void
make_signers(struct fixture *f)
{
    w.of[OURS] = pki_issue_officer(f->pki, "ra-cmp", w.key);
    w.of[OURS_EXPIRED] = expired_ra(f);
    w.of[OUR_NF] = fixture_certificate(f, NULL, w.key);
    w.of[OUR_REGISTRAR] = pki_issue_officer(f->pki, "registrar", w.key);
    w.of[ITSELF] = X509_dup(f->ra.credentials.certificate);
    w.of[ITSELF_BEFORE] = pki_issue_officer(f->pki, "ra-cmp", f->ra_key);
    w.of[PARTNER] = partner(f, f->upstream, -1000, 1000);
    w.of[PARTNER_NO_RA] = forge_of(f, f->upstream, "keyUsage=critical,digitalSignature",
                                   "extendedKeyUsage=clientAuth", -1000, 1000);
    w.of[PARTNER_NO_SIGNS] =
        forge_of(f, f->upstream, "keyUsage=critical,keyAgreement", CMC_RA, -1000, 1000);
    w.of[PARTNER_ENDS] = partner(f, f->upstream, -1000, 0);
    w.of[PARTNER_ENDED] = partner(f, f->upstream, -1000, -1);
    w.of[PARTNER_BEGINS] = partner(f, f->upstream, 0, 1000);
    w.of[PARTNER_EARLY] = partner(f, f->upstream, 1, 1000);
    w.of[VENDOR] = partner(f, f->vendor, -1000, 1000);
    w.of[NOBODY] = partner(f, NULL, -1000, 1000);
}

/* nested [20] SEQUENCE OF these. */
static struct buf
nest(const struct span *messages, size_t n)
{
    CLEANUP(buf_free) struct buf all = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf sequence = BUF_INIT(CMP_MESSAGE_MAX);
    struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    for (size_t i = 0; i < n; i++) {
        assert_ok(buf_append(&all, messages[i], &e), &e);
    }
    assert_ok(der_append(&sequence, DER_SEQUENCE, buf_span(&all), &e), &e);
    assert_ok(der_append(&body, (uint8_t)(DER_CONTEXT | CMP_NESTED), buf_span(&sequence), &e), &e);
    return body;
}

static int
set_up(void **state)
{
    struct fixture *f = fixture_new(PKI_NOW);
    char id[REGISTRATION_ID_SIZE];
    struct span inner;
    struct err e = {0};

    *state = f;
    w.key = pki_key("P-256");
    w.other_key = pki_key("P-256");
    make_signers(f);
    fixture_register(f, &(struct fixture_registration){.reference = REFERENCE}, id);
    w.nf = fixture_mac(f, REFERENCE);
    w.inner = fixture_ask(f, &w.nf, CMP_IR);
    inner = buf_span(&w.inner);
    w.msg = cmp_msg_parse(inner, CMP_MESSAGE_MAX, &e);
    assert_non_null(w.msg);
    w.body = nest(&inner, 1);
    fixture_crl(f, NULL, 1000);
    return 0;
}

static int
tear_down(void **state)
{
    for (size_t i = 0; i < SIGNERS; i++) {
        X509_free(w.of[i]);
    }
    EVP_PKEY_free(w.key);
    EVP_PKEY_free(w.other_key);
    buf_free(&w.inner);
    buf_free(&w.body);
    cmp_msg_free(w.msg);
    return fixture_teardown(state);
}

static struct cmp_client
client_of(struct fixture *f, enum wrapped_by signer)
{
    return fixture_signer(f, w.of[signer],
                          signer == ITSELF || signer == ITSELF_BEFORE ? f->ra_key : w.key);
}

static int
expect(struct fixture *f, const struct cmp_client *by, struct span body,
       const struct fixture_message *how, const struct fixture_verdict *verdict, const char *row)
{
    CLEANUP(buf_free) struct buf message = fixture_message(f, by, body, how, NULL);
    struct job *job = fixture_job(f, buf_span(&message));
    int wrong;

    wrong = fixture_expect(job, verdict, row);
    if ((job->outer != NULL && job->upstream != NULL) != (verdict->stage != FIXTURE_FORM)) {
        print_error("%s: the wrapper is%s kept\n", row, job->outer == NULL ? " not" : "");
        wrong = 1;
    }
    job_free(job);
    return wrong;
}

static const struct fixture_verdict taken = {FIXTURE_TAKEN, CMP_NO_FAILURE, NULL, PHRASE_NONE};

/* ---- who ---- */

static void
only_another_ra_with_a_good_certificate_may_wrap(void **state)
{
    static const struct {
        const char *name;
        enum wrapped_by signer;
        struct fixture_verdict verdict;
    } rows[] = {
        {"an RA of ours", OURS, {FIXTURE_TAKEN, CMP_NO_FAILURE, NULL, PHRASE_NONE}},
        {"a partner's RA", PARTNER, {FIXTURE_TAKEN, CMP_NO_FAILURE, NULL, PHRASE_NONE}},
        {"in its last second", PARTNER_ENDS, {FIXTURE_TAKEN, CMP_NO_FAILURE, NULL, PHRASE_NONE}},
        {"in its first second", PARTNER_BEGINS, {FIXTURE_TAKEN, CMP_NO_FAILURE, NULL, PHRASE_NONE}},
        {"ours, expired",
         OURS_EXPIRED,
         {FIXTURE_FORM, CMP_SIGNER_NOT_TRUSTED, "expired", PHRASE_NONE}},
        {"a partner's, expired",
         PARTNER_ENDED,
         {FIXTURE_FORM, CMP_SIGNER_NOT_TRUSTED, "expired", PHRASE_NONE}},
        {"a partner's, not yet valid",
         PARTNER_EARLY,
         {FIXTURE_FORM, CMP_SIGNER_NOT_TRUSTED, "not yet valid", PHRASE_NONE}},
        {"a network function",
         OUR_NF,
         {FIXTURE_FORM, CMP_SIGNER_NOT_TRUSTED, "extendedKeyUsage", PHRASE_NONE}},
        {"a registrar",
         OUR_REGISTRAR,
         {FIXTURE_FORM, CMP_SIGNER_NOT_TRUSTED, "extendedKeyUsage", PHRASE_NONE}},
        {"a partner's, no RA",
         PARTNER_NO_RA,
         {FIXTURE_FORM, CMP_SIGNER_NOT_TRUSTED, "extendedKeyUsage", PHRASE_NONE}},
        {"a key that may not sign",
         PARTNER_NO_SIGNS,
         {FIXTURE_FORM, CMP_SIGNER_NOT_TRUSTED, "keyUsage", PHRASE_NONE}},
        {"an RA of a vendor's",
         VENDOR,
         {FIXTURE_FORM, CMP_SIGNER_NOT_TRUSTED, "unable to get local issuer", PHRASE_NONE}},
        {"nobody", NOBODY, {FIXTURE_FORM, CMP_SIGNER_NOT_TRUSTED, "self-signed", PHRASE_NONE}},
        {"this RA", ITSELF, {FIXTURE_FORM, CMP_NOT_AUTHORIZED, "nested by ourselves", PHRASE_NONE}},
        {"this RA's key",
         ITSELF_BEFORE,
         {FIXTURE_FORM, CMP_NOT_AUTHORIZED, "nested by ourselves", PHRASE_NONE}},
    };
    struct fixture *f = *state;
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct cmp_client by = client_of(f, rows[i].signer);

        wrong += expect(f, &by, buf_span(&w.body), &(struct fixture_message){.around = w.msg},
                        &rows[i].verdict, rows[i].name);
    }
    assert_int_equal(wrong, 0);
}

/* ---- is it not revoked? ---- */

enum status {
    GOOD,
    REVOKED,
    STALE,
    LAST_SECOND,
    NEVER_ENDS, /* no nextUpdate */
    NOT_THERE,
    OF_ANOTHER,      /* another issuer's */
    BEHIND_ANOTHERS, /* another issuer's stands before it */
    FORGED,          /* our issuer's name, another key */
    NO_FOLDER,
    NOT_CONFIGURED,
};

static void
remove_crls(const struct fixture *f)
{
    static const char *const names[] = {"a.crl", "issuing.crl"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", f->settings->crl_dir, names[i]);

        (void)unlink(path);
    }
}

static void
put_crl(const struct fixture *f, const char *name, X509 *issuer, EVP_PKEY *key)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", f->settings->crl_dir, name);
    const struct forge_crl forge = {.issuer = issuer,
                                    .issuer_key = key,
                                    .this_update = f->now - FIXTURE_DAY,
                                    .next_update = f->now + FIXTURE_DAY,
                                    .number = "1"};
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = forge_crl(&forge);

    forge_crl_write(crl, path);
}

static void
set_status(struct fixture *f, enum status status)
{
    remove_crls(f);
    switch (status) {
    case GOOD:
    case NO_FOLDER:
    case NOT_CONFIGURED:
        fixture_crl(f, w.of[OUR_NF], 1000);
        return;
    case REVOKED:
        fixture_crl(f, w.of[OURS], 1000);
        return;
    case STALE:
        fixture_crl(f, NULL, -1);
        return;
    case LAST_SECOND:
        fixture_crl(f, NULL, 0);
        return;
    case NEVER_ENDS:
        fixture_crl(f, NULL, FIXTURE_NO_END);
        return;
    case NOT_THERE:
        return;
    case OF_ANOTHER:
        put_crl(f, "a.crl", f->upstream, f->vendor_key);
        return;
    case BEHIND_ANOTHERS:
        put_crl(f, "a.crl", f->upstream, f->vendor_key);
        fixture_crl(f, w.of[OURS], 1000);
        return;
    case FORGED:
        put_crl(f, "a.crl", f->pki->issuing, w.other_key);
        return;
    }
}

static void
an_ra_of_ours_needs_a_good_crl(void **state)
{
    static const struct {
        const char *name;
        enum status status;
        enum wrapped_by signer;
        struct fixture_verdict verdict;
    } rows[] = {
        {"another one is in it", GOOD, OURS, {FIXTURE_TAKEN, CMP_NO_FAILURE, NULL, PHRASE_NONE}},
        {"it is in it",
         REVOKED,
         OURS,
         {FIXTURE_FORM, CMP_CERT_REVOKED, "the upstream RA's certificate is revoked", PHRASE_NONE}},
        {"behind another issuer's",
         BEHIND_ANOTHERS,
         OURS,
         {FIXTURE_FORM, CMP_CERT_REVOKED, "the upstream RA's certificate is revoked", PHRASE_NONE}},
        {"stale",
         STALE,
         OURS,
         {FIXTURE_FORM, CMP_SIGNER_NOT_TRUSTED, "no good CRL of the upstream RA's", PHRASE_NONE}},
        {"in its last second",
         LAST_SECOND,
         OURS,
         {FIXTURE_TAKEN, CMP_NO_FAILURE, NULL, PHRASE_NONE}},
        {"without an end",
         NEVER_ENDS,
         OURS,
         {FIXTURE_FORM, CMP_SIGNER_NOT_TRUSTED, "no good CRL of the upstream RA's", PHRASE_NONE}},
        {"none",
         NOT_THERE,
         OURS,
         {FIXTURE_FORM, CMP_SIGNER_NOT_TRUSTED, "no good CRL of the upstream RA's", PHRASE_NONE}},
        {"another issuer's alone",
         OF_ANOTHER,
         OURS,
         {FIXTURE_FORM, CMP_SIGNER_NOT_TRUSTED, "no good CRL of the upstream RA's", PHRASE_NONE}},
        {"forged",
         FORGED,
         OURS,
         {FIXTURE_FORM, CMP_SIGNER_NOT_TRUSTED, "no good CRL of the upstream RA's", PHRASE_NONE}},
        {"a folder that is not there",
         NO_FOLDER,
         OURS,
         {FIXTURE_FORM, CMP_SYSTEM_FAILURE, "No such file", PHRASE_NONE}},
        {"no folder is configured",
         NOT_CONFIGURED,
         OURS,
         {FIXTURE_TAKEN, CMP_NO_FAILURE, NULL, PHRASE_NONE}},
        {"a partner's RA needs none of ours",
         NOT_THERE,
         PARTNER,
         {FIXTURE_TAKEN, CMP_NO_FAILURE, NULL, PHRASE_NONE}},
    };
    struct fixture *f = *state;
    int wrong = 0;
    char *dir = f->settings->crl_dir;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct cmp_client by = client_of(f, rows[i].signer);

        set_status(f, rows[i].status);
        if (rows[i].status == NO_FOLDER) {
            f->settings->crl_dir = f->settings->link; /* a path where nothing is */
        } else if (rows[i].status == NOT_CONFIGURED) {
            f->settings->crl_dir = NULL;
        }
        wrong += expect(f, &by, buf_span(&w.body), &(struct fixture_message){.around = w.msg},
                        &rows[i].verdict, rows[i].name);
        f->settings->crl_dir = dir;
    }
    set_status(f, GOOD);
    assert_int_equal(wrong, 0);
}

/* ---- the wrapper itself ---- */

/* Sender, senderKID, time and protection of the outer message. */
static void
a_wrapper_is_protected_as_any_signed_message(void **state)
{
    static const uint8_t nobody[] = {0xa4, 0x02, 0x30, 0x00};
    static const uint8_t dns[] = {0x82, 0x01, 'a'};
    struct fixture *f = *state;
    int wrong = 0;
    const int window = f->settings->message_time_window;
    const struct {
        const char *name;
        struct fixture_message how;
        struct fixture_verdict verdict;
    } rows[] = {
        {"right", {.around = w.msg}, taken},
        {"one bit of the signature",
         {.around = w.msg, .broken = true},
         {FIXTURE_FORM, CMP_BAD_MESSAGE_CHECK, "signature", PHRASE_NONE}},
        {"no sender",
         {.around = w.msg, .edit = "0.1", .with = span_of(nobody, sizeof(nobody))},
         {FIXTURE_FORM, CMP_BAD_MESSAGE_CHECK, "sender", PHRASE_NONE}},
        {"a sender of another kind",
         {.around = w.msg, .edit = "0.1", .with = span_of(dns, sizeof(dns))},
         {FIXTURE_FORM, CMP_BAD_MESSAGE_CHECK, "sender is not a directoryName", PHRASE_SENDER}},
        {"no senderKID",
         {.around = w.msg, .kid = {.p = nobody}},
         {FIXTURE_FORM, CMP_BAD_MESSAGE_CHECK, "senderKID is missing", PHRASE_NO_SENDER_KID}},
        {"another senderKID",
         {.around = w.msg, .kid = SPAN_LITERAL("12345678901234567890")},
         {FIXTURE_FORM, CMP_BAD_MESSAGE_CHECK, "senderKID", PHRASE_NONE}},
        {"not protected",
         {.around = w.msg, .unprotected = true},
         {FIXTURE_FORM, CMP_BAD_MESSAGE_CHECK, "not protected", PHRASE_UNPROTECTED}},
        {"as old as may be", {.around = w.msg, .time = f->now - window}, taken},
        {"older",
         {.around = w.msg, .time = f->now - window - 1},
         {FIXTURE_FORM, CMP_BAD_TIME, "messageTime is off by -301 s", PHRASE_TIME_OFF}},
        {"as new as may be", {.around = w.msg, .time = f->now + window}, taken},
        {"newer",
         {.around = w.msg, .time = f->now + window + 1},
         {FIXTURE_FORM, CMP_BAD_TIME, "messageTime is off by 301 s", PHRASE_TIME_OFF}},
        {"older, and nobody knows whose",
         {.around = w.msg, .time = f->now - window - 1, .broken = true},
         {FIXTURE_FORM, CMP_BAD_TIME, "signature", PHRASE_NONE}},
    };
    const struct cmp_client by = client_of(f, PARTNER);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        wrong += expect(f, &by, buf_span(&w.body), &rows[i].how, &rows[i].verdict, rows[i].name);
    }
    assert_int_equal(wrong, 0);
}

static void
a_wrapper_is_signed_with_the_key_of_its_certificate(void **state)
{
    static const struct fixture_verdict bad = {FIXTURE_FORM, CMP_BAD_MESSAGE_CHECK, "signature",
                                               PHRASE_NONE};
    static const struct fixture_verdict mac = {FIXTURE_FORM, CMP_WRONG_INTEGRITY,
                                               "nested, but not signed", PHRASE_NONE};
    struct fixture *f = *state;
    int wrong = 0;
    const struct fixture_message how = {.around = w.msg};
    const struct cmp_client other = fixture_signer(f, w.of[PARTNER], w.other_key);

    wrong += expect(f, &other, buf_span(&w.body), &how, &bad, "another key");
    wrong += expect(f, &w.nf, buf_span(&w.body), &how, &mac, "a MAC");
    assert_int_equal(wrong, 0);
}

/* It says who it is from in extraCerts alone. */
static void
a_wrapper_brings_its_certificate(void **state)
{
    static const struct fixture_verdict none = {FIXTURE_FORM, CMP_BAD_MESSAGE_CHECK,
                                                "no extraCerts", PHRASE_NONE};
    struct fixture *f = *state;
    const struct cmp_client by = client_of(f, PARTNER);
    const struct fixture_message how = {.around = w.msg};
    CLEANUP(buf_free) struct buf whole = fixture_message(f, &by, buf_span(&w.body), &how, NULL);
    CLEANUP(buf_free) struct buf bare = BUF_INIT(CMP_MESSAGE_MAX);
    struct job *job;
    struct err e = {0};

    assert_ok(der_edit(buf_span(&whole), "3", (struct span){0}, &bare, &e), &e);
    job = fixture_job(f, buf_span(&bare));
    assert_int_equal(fixture_expect(job, &none, "no extraCerts"), 0);
    job_free(job);
}

/* ---- what is inside ---- */

static void
exactly_one_message_is_inside(void **state)
{
    struct fixture *f = *state;
    int wrong = 0;
    const struct cmp_client by = client_of(f, PARTNER);
    const struct fixture_message how = {.around = w.msg};
    CLEANUP(buf_free) struct buf wrapper = fixture_message(f, &by, buf_span(&w.body), &how, NULL);
    const struct span two[] = {buf_span(&w.inner), buf_span(&w.inner)};
    const struct span nested = buf_span(&wrapper);
    const struct span integer = SPAN_LITERAL("\x02\x01\x01");
    const struct span empty = SPAN_LITERAL("\x30\x00");
    const struct {
        const char *name;
        struct buf body;
        struct fixture_verdict verdict;
    } rows[] = {
        {"none",
         nest(NULL, 0),
         {FIXTURE_FORM, CMP_BAD_REQUEST, "exactly one message is accepted", PHRASE_NESTED}},
        {"two",
         nest(two, 2),
         {FIXTURE_FORM, CMP_BAD_REQUEST, "exactly one message is accepted", PHRASE_NESTED}},
        {"another wrapper",
         nest(&nested, 1),
         {FIXTURE_FORM, CMP_BAD_REQUEST, "nested in nested", PHRASE_NONE}},
        {"a number",
         nest(&integer, 1),
         {FIXTURE_FORM, CMP_BAD_DATA_FORMAT, "not a PKIMessage", PHRASE_NONE}},
        {"an empty message",
         nest(&empty, 1),
         {FIXTURE_FORM, CMP_BAD_DATA_FORMAT, "PKIMessage does not decode", PHRASE_NONE}},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf body = rows[i].body;

        wrong += expect(f, &by, buf_span(&body), &how, &rows[i].verdict, rows[i].name);
        buf_free(&body);
    }
    assert_int_equal(wrong, 0);
}

/* RFC 9483 5.2.2.1: transactionID and senderNonce are those of the message inside; so is recipNonce
 * when there is one. */
static void
the_wrapper_repeats_the_identifiers_of_the_message(void **state)
{
    static const char other[] = "0123456789abcdef";
    static const uint8_t tid[] = {0xa4, 0x12, 0x04, 0x10};
    static const uint8_t nonce[] = {0xa5, 0x12, 0x04, 0x10};
    const struct fixture_verdict differ = {
        FIXTURE_FORM, CMP_BAD_REQUEST,
        "transactionID and nonces are not those of the message inside", PHRASE_NONE};
    struct fixture *f = *state;
    int wrong = 0;
    const struct cmp_client by = client_of(f, PARTNER);
    CLEANUP(buf_free) struct buf with_tid = BUF_INIT(64);
    CLEANUP(buf_free) struct buf with_nonce = BUF_INIT(64);
    struct err e = {0};

    assert_ok(buf_append(&with_tid, span_of(tid, sizeof(tid)), &e), &e);
    assert_ok(buf_append(&with_tid, span_str(other), &e), &e);
    assert_ok(buf_append(&with_nonce, span_of(nonce, sizeof(nonce)), &e), &e);
    assert_ok(buf_append(&with_nonce, span_str(other), &e), &e);
    wrong += expect(
        f, &by, buf_span(&w.body),
        &(struct fixture_message){.around = w.msg, .edit = "0.6", .with = buf_span(&with_tid)},
        &differ, "another transactionID");
    wrong += expect(
        f, &by, buf_span(&w.body),
        &(struct fixture_message){.around = w.msg, .edit = "0.7", .with = buf_span(&with_nonce)},
        &differ, "another senderNonce");
    assert_int_equal(wrong, 0);
}

/* Of a later message there is a recipNonce, which is the same outside when it is there. */
static void
the_wrapper_of_a_later_message_repeats_its_nonce(void **state)
{
    static const uint8_t other[] = {0xa6, 0x12, 0x04, 0x10, 'o', 't', 'h', 'e', 'r', 'o',
                                    't',  'h',  'e',  'r',  'o', 't', 'h', 'e', 'r', 'o'};
    const struct fixture_verdict differ = {
        FIXTURE_FORM, CMP_BAD_REQUEST,
        "transactionID and nonces are not those of the message inside", PHRASE_NONE};
    const struct fixture_verdict opened = {FIXTURE_REQUESTER, CMP_BAD_REQUEST,
                                           "pollReq without its transaction",
                                           PHRASE_NO_TRANSACTION};
    struct fixture *f = *state;
    int wrong = 0;
    const struct cmp_client by = client_of(f, PARTNER);
    struct cmp_client_state going = {.recip_nonce_size = CMP_NONCE_SIZE};
    CLEANUP(buf_free) struct buf poll = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf later = {0};
    CLEANUP(buf_free) struct buf body = {0};
    CLEANUP(buf_free) struct buf both = BUF_INIT(64);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    struct span raw;
    struct err e = {0};

    assert_ok(cmp_client_body_pollreq(0, &poll, &e), &e);
    later = fixture_message(f, &w.nf, buf_span(&poll), &(struct fixture_message){.later = true},
                            &going);
    raw = buf_span(&later);
    body = nest(&raw, 1);
    msg = cmp_msg_parse(raw, CMP_MESSAGE_MAX, &e);
    assert_non_null(msg);
    wrong += expect(f, &by, buf_span(&body), &(struct fixture_message){.around = msg}, &opened,
                    "the same");
    wrong += expect(f, &by, buf_span(&body),
                    &(struct fixture_message){.around = msg, .edit = "0.8"}, &opened, "left out");
    wrong += expect(f, &by, buf_span(&body),
                    &(struct fixture_message){
                        .around = msg, .edit = "0.8", .with = span_of(other, sizeof(other))},
                    &differ, "another one");
    /* Outside alone: behind a senderNonce that is right. */
    assert_ok(buf_append(&both, SPAN_LITERAL("\xa5\x12\x04\x10"), &e), &e);
    assert_ok(buf_append(&both, cmp_msg_sender_nonce(w.msg), &e), &e);
    assert_ok(buf_append(&both, span_of(other, sizeof(other)), &e), &e);
    wrong +=
        expect(f, &by, buf_span(&w.body),
               &(struct fixture_message){.around = w.msg, .edit = "0.7", .with = buf_span(&both)},
               &differ, "outside alone");
    assert_int_equal(wrong, 0);
}

/* It proves nothing of what is inside. */
static void
the_message_inside_is_judged_as_if_it_came_alone(void **state)
{
    static const struct fixture_verdict bad = {FIXTURE_REQUESTER, CMP_BAD_MESSAGE_CHECK, "MAC",
                                               PHRASE_NONE};
    struct fixture *f = *state;
    int wrong = 0;
    const struct cmp_client by = client_of(f, PARTNER);
    CLEANUP(buf_free) struct buf request = fixture_body(f, CMP_IR, NULL);
    CLEANUP(buf_free)
    struct buf broken = fixture_message(f, &w.nf, buf_span(&request),
                                        &(struct fixture_message){.broken = true}, NULL);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    struct span raw = buf_span(&broken);
    CLEANUP(buf_free) struct buf body = nest(&raw, 1);
    struct err e = {0};

    msg = cmp_msg_parse(raw, CMP_MESSAGE_MAX, &e);
    assert_non_null(msg);
    wrong += expect(f, &by, buf_span(&body), &(struct fixture_message){.around = msg}, &bad,
                    "another MAC inside");
    assert_int_equal(wrong, 0);
}

/* It comes on the path for wrappers, or on that of what is inside. */
static void
a_wrapper_has_a_path_of_its_own(void **state)
{
    static const struct {
        const char *name;
        int path;
        struct fixture_verdict verdict;
    } rows[] = {
        {"that for nested", CMP_NESTED, FIXTURE_GOOD},
        {"that for all", -1, FIXTURE_GOOD},
        {"that for ir", CMP_IR, FIXTURE_GOOD},
        {"that for cr",
         CMP_CR,
         {FIXTURE_FORM, CMP_BAD_REQUEST, "ir on a path for another operation",
          PHRASE_PATH_OPERATION}},
    };
    struct fixture *f = *state;
    const struct cmp_client by = client_of(f, PARTNER);
    CLEANUP(buf_free)
    struct buf message = fixture_message(f, &by, buf_span(&w.body),
                                         &(struct fixture_message){.around = w.msg}, NULL);
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct job *job = fixture_job(f, buf_span(&message));

        job->route.body = rows[i].path;
        wrong += fixture_expect(job, &rows[i].verdict, rows[i].name);
        job_free(job);
    }
    assert_int_equal(wrong, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_another_ra_with_a_good_certificate_may_wrap),
        cmocka_unit_test(an_ra_of_ours_needs_a_good_crl),
        cmocka_unit_test(a_wrapper_is_protected_as_any_signed_message),
        cmocka_unit_test(a_wrapper_is_signed_with_the_key_of_its_certificate),
        cmocka_unit_test(a_wrapper_brings_its_certificate),
        cmocka_unit_test(exactly_one_message_is_inside),
        cmocka_unit_test(the_wrapper_repeats_the_identifiers_of_the_message),
        cmocka_unit_test(the_wrapper_of_a_later_message_repeats_its_nonce),
        cmocka_unit_test(a_wrapper_has_a_path_of_its_own),
        cmocka_unit_test(the_message_inside_is_judged_as_if_it_came_alone),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
