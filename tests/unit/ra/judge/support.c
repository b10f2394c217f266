/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/judge/support.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/cmp/message/der.h"
#include "ca/x509/name.h"
#include "tests/unit/ra/fixture.h"

enum { LARGE = 128 * 1024, CONTENT_MAX = 16 * 1024 };

#define ENDS_AT_NOW "ends-now"
#define ENDED "ended"
#define OPEN "support"

/* ---- questions ---- */

/* id-it and its value: content of a genm. */
static void
add_info(struct buf *infos, uint8_t arc, struct span value)
{
    const uint8_t oid[] = {0x2b, 6, 1, 5, 5, 7, 4, arc};
    CLEANUP(buf_free) struct buf info = BUF_INIT(CONTENT_MAX);
    struct err e = {0};

    assert_ok(der_append(&info, DER_OID, span_of(oid, sizeof(oid)), &e), &e);
    assert_ok(buf_append(&info, value, &e), &e);
    assert_ok(der_append(infos, DER_SEQUENCE, buf_span(&info), &e), &e);
}

static struct buf
genm_of(struct fixture *f, const struct cmp_client *client, struct span infos)
{
    CLEANUP(buf_free) struct buf list = BUF_INIT(CONTENT_MAX);
    CLEANUP(buf_free) struct buf body = BUF_INIT(CONTENT_MAX);
    struct err e = {0};

    assert_ok(der_append(&list, DER_SEQUENCE, infos, &e), &e);
    assert_ok(der_append(&body, (uint8_t)(DER_CONTEXT | CMP_GENM), buf_span(&list), &e), &e);
    return fixture_message(f, client, buf_span(&body), NULL, NULL);
}

/* One question of the one who is registered under this reference, judged; job_free() it. `raw`
 * keeps its octets. */
static struct job *
asks(struct fixture *f, uint8_t arc, struct span value, struct buf *raw)
{
    const struct cmp_client client = fixture_mac(f, OPEN);
    CLEANUP(buf_free) struct buf infos = BUF_INIT(CONTENT_MAX);
    struct job *job;

    add_info(&infos, arc, value);
    *raw = genm_of(f, &client, buf_span(&infos));
    job = fixture_job(f, buf_span(raw));
    assert_int_equal(fixture_expect(job, &(struct fixture_verdict)FIXTURE_GOOD, "a question"), 0);
    return job;
}

enum { SIGN_KEY_TYPES = 2, CURRENT_CRL = 6, CA_CERTS = 17, TEMPLATE = 19, ROOT = 20, CRLS = 22 };

/* A CRLStatus: of a distribution point, or of an issuer; `known` 0: none is. */
struct wish {
    bool of_issuer;
    struct span name; /* GeneralName */
    time_t known;
};

static void
add_wish(struct buf *list, const struct wish *wish)
{
    CLEANUP(buf_free) struct buf names = BUF_INIT(CONTENT_MAX);
    CLEANUP(buf_free) struct buf source = BUF_INIT(CONTENT_MAX);
    CLEANUP(buf_free) struct buf status = BUF_INIT(CONTENT_MAX);
    struct tm tm;
    char text[16];
    struct err e = {0};

    assert_ok(der_append(&names, wish->of_issuer ? DER_SEQUENCE : DER_CONTEXT | 0, wish->name, &e),
              &e);
    assert_ok(der_append(&source, (uint8_t)(DER_CONTEXT | (wish->of_issuer ? 1 : 0)),
                         wish->of_issuer ? buf_span(&names) : buf_span(&names), &e),
              &e);
    assert_ok(buf_append(&status, buf_span(&source), &e), &e);
    if (wish->known != 0) {
        assert_non_null(gmtime_r(&wish->known, &tm));
        assert_true(strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", &tm) > 0);
        assert_ok(der_append(&status, 0x18, span_str(text), &e), &e);
    }
    assert_ok(der_append(list, DER_SEQUENCE, buf_span(&status), &e), &e);
}

static struct buf
wishes(const struct wish *all, size_t n)
{
    CLEANUP(buf_free) struct buf list = BUF_INIT(CONTENT_MAX);
    struct buf value = BUF_INIT(CONTENT_MAX);
    struct err e = {0};

    for (size_t i = 0; i < n; i++) {
        add_wish(&list, &all[i]);
    }
    assert_ok(der_append(&value, DER_SEQUENCE, buf_span(&list), &e), &e);
    return value;
}

/* GeneralName directoryName. */
static struct buf
directory(const X509_NAME *name)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(NAME_DER_MAX);
    struct buf out = BUF_INIT(NAME_DER_MAX + 16);
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509_NAME, name, &der, &e), &e);
    assert_ok(der_append(&out, DER_CONTEXT | 4, buf_span(&der), &e), &e);
    return out;
}

static struct buf
uri(const char *text)
{
    struct buf out = BUF_INIT(256);
    struct err e = {0};

    assert_ok(der_append(&out, 0x86, span_str(text), &e), &e);
    return out;
}

static bool
has(const struct buf *body, struct span what)
{
    return memmem(body->p, body->n, what.p, what.n) != NULL;
}

static void
remove_crls(struct fixture *f)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/issuing.crl", f->settings->crl_dir);

    (void)unlink(path);
}

static int
setup(void **state)
{
    struct fixture *f;
    char id[REGISTRATION_ID_SIZE];

    (void)fixture_setup(state);
    f = *state;
    fixture_register(f, &(struct fixture_registration){.reference = OPEN}, id);
    fixture_register(
        f, &(struct fixture_registration){.reference = ENDS_AT_NOW, .not_after = f->now}, id);
    fixture_register(f, &(struct fixture_registration){.reference = ENDED, .not_after = f->now - 1},
                     id);
    return 0;
}

/* ---- what is asked ---- */

static void
a_question_that_is_none_is_refused(void **state)
{
    struct fixture *f = *state;
    const struct cmp_client client = fixture_mac(f, OPEN);
    CLEANUP(buf_free) struct buf root = BUF_INIT(CONTENT_MAX);
    CLEANUP(buf_free) struct buf name = uri("http://pki.example/crl/other.crl");
    struct wish many[CMP_CRL_STATUS_MAX + 1];
    CLEANUP(buf_free) struct buf most = {0};
    CLEANUP(buf_free) struct buf more = {0};
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        many[i] = (struct wish){.name = buf_span(&name)};
    }
    most = wishes(many, CMP_CRL_STATUS_MAX);
    more = wishes(many, CMP_CRL_STATUS_MAX + 1);
    assert_ok(OSSL_ENCODE(X509, f->pki->root, &root, &e), &e);
    {
        const struct {
            const char *name;
            size_t n; /* questions */
            uint8_t arc;
            struct span value;
            struct fixture_verdict verdict;
        } rows[] = {
            {"caCerts", 1, CA_CERTS, {0}, {FIXTURE_TAKEN, CMP_NO_FAILURE, "", PHRASE_NONE}},
            {"none", 0, CA_CERTS, {0}, {FIXTURE_REQUEST, CMP_BAD_REQUEST, "", PHRASE_GENM}},
            {"two", 2, CA_CERTS, {0}, {FIXTURE_REQUEST, CMP_BAD_REQUEST, "", PHRASE_GENM}},
            {"an unknown one", 1, 99, {0}, {FIXTURE_REQUEST, CMP_BAD_REQUEST, "", PHRASE_GENM}},
            {"caCerts with a value",
             1,
             CA_CERTS,
             SPAN_LITERAL("\x30\x00"),
             {FIXTURE_REQUEST, CMP_BAD_REQUEST, "", PHRASE_GENM}},
            {"rootCaCert, of any", 1, ROOT, {0}, {FIXTURE_TAKEN, CMP_NO_FAILURE, "", PHRASE_NONE}},
            {"rootCaCert, of this",
             1,
             ROOT,
             buf_span(&root),
             {FIXTURE_TAKEN, CMP_NO_FAILURE, "", PHRASE_NONE}},
            {"rootCaCert, of no certificate",
             1,
             ROOT,
             SPAN_LITERAL("\x30\x03\x02\x01\x01"),
             {FIXTURE_REQUEST, CMP_BAD_DATA_FORMAT, "not an X.509 certificate", PHRASE_NONE}},
            {"crlStatusList, of 16",
             1,
             CRLS,
             buf_span(&most),
             {FIXTURE_TAKEN, CMP_NO_FAILURE, "", PHRASE_NONE}},
            {"crlStatusList, of 17",
             1,
             CRLS,
             buf_span(&more),
             {FIXTURE_REQUEST, CMP_BAD_REQUEST, "", PHRASE_NONE}},
            {"crlStatusList, of nothing",
             1,
             CRLS,
             SPAN_LITERAL("\x30\x00"),
             {FIXTURE_REQUEST, CMP_BAD_DATA_FORMAT, "", PHRASE_NONE}},
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            CLEANUP(buf_free) struct buf infos = BUF_INIT(CONTENT_MAX);
            CLEANUP(buf_free) struct buf raw = {0};
            struct job *job;

            for (size_t k = 0; k < rows[i].n; k++) {
                add_info(&infos, rows[i].arc, rows[i].value);
            }
            raw = genm_of(f, &client, buf_span(&infos));
            job = fixture_job(f, buf_span(&raw));
            assert_int_equal(fixture_expect(job, &rows[i].verdict, rows[i].name), 0);
            assert_false(job->in_body); /* genp has no place for a refusal */
            job_free(job);
        }
    }
}

/* A secret ends with its registration; who has a certificate may ask on. */
static void
a_secret_asks_as_long_as_its_registration_is_open(void **state)
{
    struct fixture *f = *state;
    const struct {
        const char *reference;
        struct fixture_verdict verdict;
    } rows[] = {
        {ENDS_AT_NOW, {FIXTURE_TAKEN, CMP_NO_FAILURE, "", PHRASE_NONE}},
        {ENDED, {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED, "the registration has ended", PHRASE_ENDED}},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct cmp_client client = fixture_mac(f, rows[i].reference);
        CLEANUP(buf_free) struct buf infos = BUF_INIT(CONTENT_MAX);
        CLEANUP(buf_free) struct buf raw = {0};
        struct job *job;

        add_info(&infos, CA_CERTS, span_of(NULL, 0));
        raw = genm_of(f, &client, buf_span(&infos));
        job = fixture_job(f, buf_span(&raw));
        assert_int_equal(fixture_expect(job, &rows[i].verdict, rows[i].reference), 0);
        job_free(job);
    }
}

/* ---- a CRL that is not there yet ---- */

static void
who_asks_for_our_crl_waits_for_a_current_one(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buf_free) struct buf ours = directory(X509_get_subject_name(f->pki->issuing));
    CLEANUP(buf_free) struct buf others = directory(X509_get_subject_name(f->pki->root));
    CLEANUP(buf_free) struct buf point = uri("http://pki.example/crl/issuing.crl");
    CLEANUP(buf_free) struct buf other_point = uri("http://pki.example/crl/root.crl");
    enum { NONE = -1, CURRENT = 60, AT_NOW = 0, STALE = -1000 };
    const struct {
        const char *name;
        uint8_t arc;
        struct wish wish;
        int crl; /* what is there: seconds until its end */
        bool waits;
    } rows[] = {
        {"currentCRL, none", CURRENT_CRL, {0}, NONE, true},
        {"currentCRL, current", CURRENT_CRL, {0}, CURRENT, false},
        {"currentCRL, to its last second", CURRENT_CRL, {0}, AT_NOW, false},
        {"currentCRL, stale", CURRENT_CRL, {0}, STALE, true},
        {"our issuer", CRLS, {.of_issuer = true, .name = buf_span(&ours)}, STALE, true},
        {"our issuer, current", CRLS, {.of_issuer = true, .name = buf_span(&ours)}, CURRENT, false},
        {"our point by its name", CRLS, {.name = buf_span(&ours)}, STALE, true},
        {"our point", CRLS, {.name = buf_span(&point)}, STALE, true},
        {"an issuer of that URI",
         CRLS,
         {.of_issuer = true, .name = buf_span(&point)},
         STALE,
         false},
        {"another issuer", CRLS, {.of_issuer = true, .name = buf_span(&others)}, STALE, false},
        {"another point", CRLS, {.name = buf_span(&other_point)}, STALE, false},
        {"caCerts", CA_CERTS, {0}, NONE, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf raw = {0};
        CLEANUP(buf_free) struct buf value = {0};
        struct job *job;

        remove_crls(f);
        if (rows[i].crl != NONE) {
            fixture_crl(f, NULL, rows[i].crl);
        }
        if (rows[i].arc == CRLS) {
            value = wishes(&rows[i].wish, 1);
        }
        job = asks(f, rows[i].arc, buf_span(&value), &raw);
        if (job->facts.question.waits != rows[i].waits) {
            fail_msg("%s", rows[i].name);
        }
        job_free(job);
    }
    remove_crls(f);
}

/* No folder, or one that cannot be read: nobody waits for what will not come. */
static void
without_a_folder_of_crls_nobody_waits(void **state)
{
    struct fixture *f = *state;
    char *dir = f->settings->crl_dir;
    static char nowhere[] = "/nonexistent/crl";
    CLEANUP(buf_free) struct buf raw = {0};
    CLEANUP(buf_free) struct buf again = {0};
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_SUPPORT_MAX);
    CLEANUP(buf_free) struct buf other = BUF_INIT(CMP_SUPPORT_MAX);
    struct job *without;
    struct job *unreadable;
    struct err e = {0};

    f->settings->crl_dir = NULL;
    without = asks(f, CURRENT_CRL, span_of(NULL, 0), &raw);
    assert_false(without->facts.question.waits);
    assert_ok(support_body(without, &body, &e), &e);
    assert_int_equal(without->failure, CMP_NO_FAILURE);
    assert_true(body.n < 40); /* the type alone */
    f->settings->crl_dir = nowhere;
    unreadable = asks(f, CURRENT_CRL, span_of(NULL, 0), &again);
    assert_false(unreadable->facts.question.waits);
    assert_int_equal(support_body(unreadable, &other, &e), -1);
    assert_int_equal(unreadable->failure, CMP_SYSTEM_FAILURE);
    f->settings->crl_dir = dir;
    job_free(without);
    job_free(unreadable);
}

static void
a_poll_asks_the_kept_question_again(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buf_free) struct buf raw = {0};
    struct job *job = asks(f, CURRENT_CRL, span_of(NULL, 0), &raw);
    struct err e = {0};

    assert_true(job->facts.question.waits);
    job->enrolment.question = BUF_INIT(CONTENT_MAX);
    assert_ok(buf_set(&job->enrolment.question, cmp_msg_content(job->msg), &e), &e);
    fixture_crl(f, NULL, 60);
    job->facts.question.genm = (struct cmp_genm){0};
    assert_int_equal(support_poll(job), 0);
    assert_int_equal(job->facts.question.genm.info, CMP_INFO_CURRENT_CRL);
    assert_false(job->facts.question.waits);
    remove_crls(f);
    assert_int_equal(support_poll(job), 0);
    assert_true(job->facts.question.waits);
    buf_truncate(&job->enrolment.question, 1);
    assert_int_equal(support_poll(job), -1);
    assert_int_equal(job->failure, CMP_SYSTEM_FAILURE);
    job_free(job);
}

/* ---- answers ---- */

static void
ca_certs_are_the_issuing_one(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buf_free) struct buf raw = {0};
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_SUPPORT_MAX);
    struct job *job = asks(f, CA_CERTS, span_of(NULL, 0), &raw);
    struct err e = {0};

    assert_ok(support_body(job, &body, &e), &e);
    assert_true(has(&body, buf_span(&f->ra.credentials.issuing_der)));
    assert_false(has(&body, buf_span(&f->ra.credentials.root_der)));
    job_free(job);
}

static void
a_new_root_is_for_who_has_the_old_one(void **state)
{
    struct fixture *f = *state;
    struct root_update *u = &f->ra.credentials.root_update;
    CLEANUP(buf_free) struct buf old = BUF_INIT(CONTENT_MAX);
    CLEANUP(buf_free) struct buf other = BUF_INIT(CONTENT_MAX);
    struct err e = {0};
    const struct {
        const char *name;
        struct span value;
        bool configured;
        bool given;
    } rows[] = {{"not configured", {0}, false, false},
                {"of any", {0}, true, true},
                {"of the old one", {old.p, 0}, true, true},
                {"of another one", {other.p, 0}, true, false}};

    assert_ok(OSSL_ENCODE(X509, f->pki->root, &old, &e), &e);
    assert_ok(OSSL_ENCODE(X509, f->vendor, &other, &e), &e);
    u->new_with_new = u->new_with_old = u->old_with_new = BUF_INIT(64);
    assert_ok(buf_set(&u->new_with_new, SPAN_LITERAL("\x04\x02NN"), &e), &e);
    assert_ok(buf_set(&u->new_with_old, SPAN_LITERAL("\x04\x02NO"), &e), &e);
    assert_ok(buf_set(&u->old_with_new, SPAN_LITERAL("\x04\x02ON"), &e), &e);
    u->old_spki = pki_spki(f->pki->root_key);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf raw = {0};
        CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_SUPPORT_MAX);
        struct job *job = asks(f, ROOT,
                               i == 2   ? buf_span(&old)
                               : i == 3 ? buf_span(&other)
                                        : span_of(NULL, 0),
                               &raw);

        u->there = rows[i].configured;
        assert_ok(support_body(job, &body, &e), &e);
        if (has(&body, SPAN_LITERAL("\x04\x02NN")) != rows[i].given ||
            has(&body, SPAN_LITERAL("\x04\x02NO")) != rows[i].given ||
            has(&body, SPAN_LITERAL("\x04\x02ON")) != rows[i].given) {
            fail_msg("%s", rows[i].name);
        }
        job_free(job);
    }
    root_update_free(u);
}

static void
the_keys_are_those_that_the_profile_takes(void **state)
{
    struct fixture *f = *state;
    const struct span p256 = SPAN_LITERAL("\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07");
    const struct span p384 = SPAN_LITERAL("\x06\x05\x2b\x81\x04\x00\x22");
    const struct span rsa = SPAN_LITERAL("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01");
    const struct {
        const char *name;
        unsigned keys;
        bool p256, p384, rsa;
    } rows[] = {{"all", 0x1f, true, true, true},
                {"P-256", 0x01, true, false, false},
                {"P-384", 0x02, false, true, false},
                {"RSA of 4096 bits", 0x10, false, false, true}};
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (int template = 0; template <2; template ++) {
            CLEANUP(buf_free) struct buf raw = {0};
            CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_SUPPORT_MAX);
            CLEANUP(buf_free) struct buf subject = BUF_INIT(NAME_DER_MAX);
            struct job *job = asks(f, template ? TEMPLATE : SIGN_KEY_TYPES, span_of(NULL, 0), &raw);

            assert_true(support_asks_keys(job));
            if (i == 0) {
                assert_int_equal(job->facts.question.keys, 0x1f); /* of nf-tls */
            }
            job->facts.question.keys = rows[i].keys;
            assert_ok(support_body(job, &body, &e), &e);
            assert_ok(OSSL_ENCODE(X509_NAME, f->subject, &subject, &e), &e);
            if (has(&body, p256) != rows[i].p256 || has(&body, p384) != rows[i].p384 ||
                (!template && has(&body, rsa) != rows[i].rsa) ||
                has(&body, buf_span(&subject)) != template ||
                (template && has(&body, SPAN_LITERAL("\x02\x02\x10\x00")) != rows[i].rsa)) {
                fail_msg("%s: %s", template ? "template" : "types", rows[i].name);
            }
            job_free(job);
        }
    }
}

/* RSA stands there once, however many lengths there are. */
static void
a_kind_of_key_stands_there_once(void **state)
{
    struct fixture *f = *state;
    const struct span rsa = SPAN_LITERAL("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01");
    CLEANUP(buf_free) struct buf raw = {0};
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_SUPPORT_MAX);
    struct job *job = asks(f, SIGN_KEY_TYPES, span_of(NULL, 0), &raw);
    const uint8_t *first;
    struct err e = {0};

    assert_ok(support_body(job, &body, &e), &e);
    first = memmem(body.p, body.n, rsa.p, rsa.n);
    assert_non_null(first);
    assert_null(memmem(first + 1, body.n - (size_t)(first + 1 - body.p), rsa.p, rsa.n));
    job_free(job);
}

/* RFC 9483 4.3.4: those that are newer than the asker's. */
static void
a_crl_is_given_to_who_has_an_older_one(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buf_free) struct buf ours = directory(X509_get_subject_name(f->pki->issuing));
    CLEANUP(buf_free) struct buf others = directory(X509_get_subject_name(f->pki->root));
    CLEANUP(buf_free) struct buf point = uri("http://pki.example/crl/issuing.crl");
    const time_t at = f->now - FIXTURE_DAY; /* thisUpdate of the one that is there */
    const struct {
        const char *name;
        struct wish wish;
        bool given;
    } rows[] = {
        {"of no time", {.of_issuer = true, .name = buf_span(&ours)}, true},
        {"older", {.of_issuer = true, .name = buf_span(&ours), .known = at - 1}, true},
        {"the same", {.of_issuer = true, .name = buf_span(&ours), .known = at}, false},
        {"newer", {.of_issuer = true, .name = buf_span(&ours), .known = at + 1}, false},
        {"the point, older", {.name = buf_span(&point), .known = at - 1}, true},
        {"the point, the same", {.name = buf_span(&point), .known = at}, false},
        {"another issuer", {.of_issuer = true, .name = buf_span(&others)}, false},
    };
    CLEANUP(buf_free) struct buf crl = BUF_INIT(CONTENT_MAX);
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/issuing.crl", f->settings->crl_dir);
    struct err e = {0};

    fixture_crl(f, NULL, 60);
    assert_ok(file_read(path, &crl, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf raw = {0};
        CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_SUPPORT_MAX);
        CLEANUP(buf_free) struct buf value = wishes(&rows[i].wish, 1);
        struct job *job = asks(f, CRLS, buf_span(&value), &raw);

        assert_ok(support_body(job, &body, &e), &e);
        if (has(&body, buf_span(&crl)) != rows[i].given) {
            fail_msg("%s", rows[i].name);
        }
        job_free(job);
    }
    remove_crls(f);
}

/* A CRL that has no place in an answer is no reason to say that there is none. */
static void
a_crl_that_is_too_long_is_said_to_be(void **state)
{
    struct fixture *f = *state;
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = X509_CRL_new();
    CLEANUP(asn1_time_cleanup) ASN1_TIME *at = ASN1_TIME_set(NULL, f->now);
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/issuing.crl", f->settings->crl_dir);
    CLEANUP(buf_free) struct buf raw = {0};
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_SUPPORT_MAX);
    struct job *job = asks(f, CURRENT_CRL, span_of(NULL, 0), &raw);
    struct err e = {0};

    assert_int_equal(X509_CRL_set_version(crl, X509_CRL_VERSION_2), 1);
    assert_int_equal(X509_CRL_set_issuer_name(crl, X509_get_subject_name(f->pki->issuing)), 1);
    assert_int_equal(X509_CRL_set1_lastUpdate(crl, at), 1);
    assert_int_equal(X509_CRL_set1_nextUpdate(crl, at), 1);
    for (int i = 0; i < 5000; i++) {
        X509_REVOKED *entry = X509_REVOKED_new();
        ASN1_INTEGER *serial = ASN1_INTEGER_new();

        assert_int_equal(ASN1_INTEGER_set_int64(serial, 1000000 + i), 1);
        assert_int_equal(X509_REVOKED_set_serialNumber(entry, serial), 1);
        assert_int_equal(X509_REVOKED_set_revocationDate(entry, at), 1);
        assert_int_equal(X509_CRL_add0_revoked(crl, entry), 1);
        ASN1_INTEGER_free(serial);
    }
    assert_true(X509_CRL_sign(crl, f->pki->issuing_key, EVP_sha256()) > 0);
    forge_crl_write(crl, path);
    assert_int_equal(support_body(job, &body, &e), -1);
    assert_int_equal(job->failure, CMP_SYSTEM_FAILURE);
    assert_int_equal(job->e.said, PHRASE_LONG_CRL);
    job_free(job);
    remove_crls(f);
}

/* A secret ends with the registration that it was made for, a certificate does not. */
static void
who_has_a_certificate_asks_when_the_registration_has_ended(void **state)
{
    struct fixture *f = *state;
    CLEANUP(x509_cleanup) X509 *certificate = fixture_certificate(f, FIXTURE_OTHER_NF, f->key);
    const struct cmp_client client = fixture_signer(f, certificate, f->key);
    CLEANUP(buf_free) struct buf infos = BUF_INIT(CONTENT_MAX);
    CLEANUP(buf_free) struct buf raw = {0};
    char id[REGISTRATION_ID_SIZE];
    struct job *job;

    fixture_register(f,
                     &(struct fixture_registration){.reference = "certified",
                                                    .instance = FIXTURE_OTHER_NF,
                                                    .not_after = f->now - 1},
                     id);
    fixture_deliver(f, certificate, id, "nf-tls");
    add_info(&infos, CA_CERTS, span_of(NULL, 0));
    raw = genm_of(f, &client, buf_span(&infos));
    job = fixture_job(f, buf_span(&raw));
    assert_int_equal(fixture_expect(job, &(struct fixture_verdict)FIXTURE_GOOD, "a certificate"),
                     0);
    job_free(job);
}

/* Of several CRLs the one that was meant; none, when there is none. */
static void
the_current_crl_is_ours(void **state)
{
    struct fixture *f = *state;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/issuing.crl", f->settings->crl_dir);
    CLEANUP(mem_cleanup) char *other = mem_printf("%s/a.crl", f->settings->crl_dir);
    const struct forge_crl forge = {.issuer = f->pki->root,
                                    .issuer_key = f->pki->root_key,
                                    .this_update = f->now - FIXTURE_DAY,
                                    .next_update = f->now + FIXTURE_DAY,
                                    .number = "1"};
    CLEANUP(x509_crl_cleanup) X509_CRL *of_root = forge_crl(&forge);
    CLEANUP(buf_free) struct buf ours = BUF_INIT(CONTENT_MAX);
    CLEANUP(buf_free) struct buf of_other = BUF_INIT(CONTENT_MAX);
    struct err e = {0};

    forge_crl_write(of_root, other);
    for (int there = 0; there <= 1; there++) {
        CLEANUP(buf_free) struct buf raw = {0};
        CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_SUPPORT_MAX);
        struct job *job;

        remove_crls(f);
        if (there) {
            fixture_crl(f, NULL, 60);
            assert_ok(file_read(path, &ours, &e), &e);
        }
        assert_ok(file_read(other, &of_other, &e), &e);
        job = asks(f, CURRENT_CRL, span_of(NULL, 0), &raw);
        assert_int_equal(job->facts.question.waits, !there);
        assert_ok(support_body(job, &body, &e), &e);
        assert_int_equal(job->failure, CMP_NO_FAILURE);
        assert_false(has(&body, buf_span(&of_other)));
        assert_int_equal(there && has(&body, buf_span(&ours)), there);
        assert_true(there || body.n < 40); /* the type alone */
        job_free(job);
    }
    (void)unlink(other);
    remove_crls(f);
}

/* What was judged and what is answered is the same; if it were not, nothing would be said. */
static void
what_cannot_be_answered_is_a_failure_of_ours(void **state)
{
    struct fixture *f = *state;
    static const struct {
        uint8_t arc;
        bool breaks_registration; /* else the question */
    } rows[] = {{TEMPLATE, true}, {ROOT, false}, {CRLS, false}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf name = uri("http://pki.example/crl/issuing.crl");
        CLEANUP(buf_free) struct buf value = {0};
        CLEANUP(buf_free) struct buf raw = {0};
        CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_SUPPORT_MAX);
        struct job *job;
        struct err e = {0};

        if (rows[i].arc == CRLS) {
            value = wishes(&(struct wish){.name = buf_span(&name)}, 1);
        }
        job = asks(f, rows[i].arc, buf_span(&value), &raw);
        if (rows[i].breaks_registration) {
            buf_truncate(&job->registration.json, 1);
        } else {
            job->facts.question.genm.value = SPAN_LITERAL("\x30\x03\x02\x01\x01");
        }
        if (support_body(job, &body, &e) != -1 || job->failure == CMP_NO_FAILURE) {
            fail_msg("row %zu", i);
        }
        job_free(job);
    }
}

/* Half an answer is none. */
static void
an_answer_that_has_no_room_is_none(void **state)
{
    struct fixture *f = *state;
    struct root_update *u = &f->ra.credentials.root_update;
    char *dir = f->settings->crl_dir;
    CLEANUP(buf_free) struct buf name = uri("http://pki.example/crl/issuing.crl");
    CLEANUP(buf_free) struct buf wish = wishes(&(struct wish){.name = buf_span(&name)}, 1);
    enum { CRL = 1, ROOT_UPDATE = 2, NO_FOLDER = 4 };
    const struct {
        uint8_t arc;
        struct span value;
        int with;
    } rows[] = {
        {CA_CERTS, {0}, 0},           {ROOT, {0}, 0},
        {ROOT, {0}, ROOT_UPDATE},     {TEMPLATE, {0}, 0},
        {SIGN_KEY_TYPES, {0}, 0},     {CURRENT_CRL, {0}, 0},
        {CURRENT_CRL, {0}, CRL},      {CURRENT_CRL, {0}, NO_FOLDER},
        {CRLS, buf_span(&wish), CRL},
    };

    u->new_with_new = u->new_with_old = u->old_with_new = BUF_INIT(64);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf raw = {0};
        CLEANUP(buf_free) struct buf body = BUF_INIT(8);
        struct err e = {0};
        struct job *job;

        remove_crls(f);
        if ((rows[i].with & CRL) != 0) {
            fixture_crl(f, NULL, 60);
        }
        u->there = (rows[i].with & ROOT_UPDATE) != 0;
        job = asks(f, rows[i].arc, rows[i].value, &raw);
        f->settings->crl_dir = (rows[i].with & NO_FOLDER) != 0 ? NULL : dir;
        if (support_body(job, &body, &e) != -1 || job->failure != CMP_SYSTEM_FAILURE) {
            fail_msg("row %zu", i);
        }
        f->settings->crl_dir = dir;
        job_free(job);
    }
    root_update_free(u);
    remove_crls(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_that_is_none_is_refused),
        cmocka_unit_test(a_secret_asks_as_long_as_its_registration_is_open),
        cmocka_unit_test(who_asks_for_our_crl_waits_for_a_current_one),
        cmocka_unit_test(without_a_folder_of_crls_nobody_waits),
        cmocka_unit_test(a_poll_asks_the_kept_question_again),
        cmocka_unit_test(ca_certs_are_the_issuing_one),
        cmocka_unit_test(a_new_root_is_for_who_has_the_old_one),
        cmocka_unit_test(the_keys_are_those_that_the_profile_takes),
        cmocka_unit_test(a_kind_of_key_stands_there_once),
        cmocka_unit_test(a_crl_is_given_to_who_has_an_older_one),
        cmocka_unit_test(a_crl_that_is_too_long_is_said_to_be),
        cmocka_unit_test(who_has_a_certificate_asks_when_the_registration_has_ended),
        cmocka_unit_test(the_current_crl_is_ours),
        cmocka_unit_test(what_cannot_be_answered_is_a_failure_of_ours),
        cmocka_unit_test(an_answer_that_has_no_room_is_none),
    };

    return cmocka_run_group_tests(tests, setup, fixture_teardown);
}
