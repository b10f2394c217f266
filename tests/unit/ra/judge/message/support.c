/* SPDX-License-Identifier: Apache-2.0 */
/* What a question is answered. */
#include "ra/judge/message/support.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/x509/name.h"
#include "tests/unit/ra/judge/message/asked.h"

static bool
has(const struct buf *body, struct span what)
{
    return memmem(body->p, body->n, what.p, what.n) != NULL;
}

static void
ca_certs_are_the_issuing_one(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buf_free) struct buf raw = {0};
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_SUPPORT_MAX);
    struct job *job = asked(f, CA_CERTS, span_of(NULL, 0), &raw);
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
        struct job *job = asked(f, ROOT,
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
            struct job *job =
                asked(f, template ? TEMPLATE : SIGN_KEY_TYPES, span_of(NULL, 0), &raw);

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
    struct job *job = asked(f, SIGN_KEY_TYPES, span_of(NULL, 0), &raw);
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
    CLEANUP(buf_free) struct buf ours = asked_directory(X509_get_subject_name(f->pki->issuing));
    CLEANUP(buf_free) struct buf others = asked_directory(X509_get_subject_name(f->pki->root));
    CLEANUP(buf_free) struct buf point = asked_uri("http://pki.example/crl/issuing.crl");
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
        CLEANUP(buf_free) struct buf value = asked_wishes(&rows[i].wish, 1);
        struct job *job = asked(f, CRLS, buf_span(&value), &raw);

        assert_ok(support_body(job, &body, &e), &e);
        if (has(&body, buf_span(&crl)) != rows[i].given) {
            fail_msg("%s", rows[i].name);
        }
        job_free(job);
    }
    asked_remove_crls(f);
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
    struct job *job = asked(f, CURRENT_CRL, span_of(NULL, 0), &raw);
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
    asked_remove_crls(f);
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

        asked_remove_crls(f);
        if (there) {
            fixture_crl(f, NULL, 60);
            assert_ok(file_read(path, &ours, &e), &e);
        }
        assert_ok(file_read(other, &of_other, &e), &e);
        job = asked(f, CURRENT_CRL, span_of(NULL, 0), &raw);
        assert_int_equal(job->facts.question.waits, !there);
        assert_ok(support_body(job, &body, &e), &e);
        assert_int_equal(job->failure, CMP_NO_FAILURE);
        assert_false(has(&body, buf_span(&of_other)));
        assert_int_equal(there && has(&body, buf_span(&ours)), there);
        assert_true(there || body.n < 40); /* the type alone */
        job_free(job);
    }
    (void)unlink(other);
    asked_remove_crls(f);
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
        CLEANUP(buf_free) struct buf name = asked_uri("http://pki.example/crl/issuing.crl");
        CLEANUP(buf_free) struct buf value = {0};
        CLEANUP(buf_free) struct buf raw = {0};
        CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_SUPPORT_MAX);
        struct job *job;
        struct err e = {0};

        if (rows[i].arc == CRLS) {
            value = asked_wishes(&(struct wish){.name = buf_span(&name)}, 1);
        }
        job = asked(f, rows[i].arc, buf_span(&value), &raw);
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
    CLEANUP(buf_free) struct buf name = asked_uri("http://pki.example/crl/issuing.crl");
    CLEANUP(buf_free) struct buf wish = asked_wishes(&(struct wish){.name = buf_span(&name)}, 1);
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

        asked_remove_crls(f);
        if ((rows[i].with & CRL) != 0) {
            fixture_crl(f, NULL, 60);
        }
        u->there = (rows[i].with & ROOT_UPDATE) != 0;
        job = asked(f, rows[i].arc, rows[i].value, &raw);
        f->settings->crl_dir = (rows[i].with & NO_FOLDER) != 0 ? NULL : dir;
        if (support_body(job, &body, &e) != -1 || job->failure != CMP_SYSTEM_FAILURE) {
            fail_msg("row %zu", i);
        }
        f->settings->crl_dir = dir;
        job_free(job);
    }
    root_update_free(u);
    asked_remove_crls(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ca_certs_are_the_issuing_one),
        cmocka_unit_test(a_new_root_is_for_who_has_the_old_one),
        cmocka_unit_test(the_keys_are_those_that_the_profile_takes),
        cmocka_unit_test(a_kind_of_key_stands_there_once),
        cmocka_unit_test(a_crl_is_given_to_who_has_an_older_one),
        cmocka_unit_test(a_crl_that_is_too_long_is_said_to_be),
        cmocka_unit_test(the_current_crl_is_ours),
        cmocka_unit_test(what_cannot_be_answered_is_a_failure_of_ours),
        cmocka_unit_test(an_answer_that_has_no_room_is_none),
    };

    return cmocka_run_group_tests(tests, asked_setup, fixture_teardown);
}
