/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ra/judge/message/asked.h"

#include <unistd.h>

#include "ca/cmp/message/der.h"
#include "ca/x509/name.h"

void
asked_add(struct buf *infos, uint8_t arc, struct span value)
{
    const uint8_t oid[] = {0x2b, 6, 1, 5, 5, 7, 4, arc};
    CLEANUP(buf_free) struct buf info = BUF_INIT(CONTENT_MAX);
    struct err e = {0};

    assert_ok(der_append(&info, DER_OID, span_of(oid, sizeof(oid)), &e), &e);
    assert_ok(buf_append(&info, value, &e), &e);
    assert_ok(der_append(infos, DER_SEQUENCE, buf_span(&info), &e), &e);
}

struct buf
asked_genm(struct fixture *f, const struct cmp_client *client, struct span infos)
{
    CLEANUP(buf_free) struct buf list = BUF_INIT(CONTENT_MAX);
    CLEANUP(buf_free) struct buf body = BUF_INIT(CONTENT_MAX);
    struct err e = {0};

    assert_ok(der_append(&list, DER_SEQUENCE, infos, &e), &e);
    assert_ok(der_append(&body, (uint8_t)(DER_CONTEXT | CMP_GENM), buf_span(&list), &e), &e);
    return fixture_message(f, client, buf_span(&body), NULL, NULL);
}

struct job *
asked(struct fixture *f, uint8_t arc, struct span value, struct buf *raw)
{
    const struct cmp_client client = fixture_mac(f, OPEN);
    CLEANUP(buf_free) struct buf infos = BUF_INIT(CONTENT_MAX);
    struct job *job;

    asked_add(&infos, arc, value);
    *raw = asked_genm(f, &client, buf_span(&infos));
    job = fixture_job(f, buf_span(raw));
    assert_int_equal(fixture_expect(job, &(struct fixture_verdict)FIXTURE_GOOD, "a question"), 0);
    return job;
}

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

struct buf
asked_wishes(const struct wish *all, size_t n)
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

struct buf
asked_directory(const X509_NAME *name)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(NAME_DER_MAX);
    struct buf out = BUF_INIT(NAME_DER_MAX + 16);
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509_NAME, name, &der, &e), &e);
    assert_ok(der_append(&out, DER_CONTEXT | 4, buf_span(&der), &e), &e);
    return out;
}

struct buf
asked_uri(const char *text)
{
    struct buf out = BUF_INIT(256);
    struct err e = {0};

    assert_ok(der_append(&out, 0x86, span_str(text), &e), &e);
    return out;
}

void
asked_remove_crls(struct fixture *f)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/issuing.crl", f->settings->crl_dir);

    (void)unlink(path);
}

int
asked_setup(void **state)
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
