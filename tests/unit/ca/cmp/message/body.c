/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/message/body.h"

#include "ca/cmp/message/der.h"
#include "tests/unit/ca/cmp/fixture.h"

static struct cmp_msg *
body_msg(const struct world *w, int pvno, struct span body)
{
    struct cmp_header h;
    struct err e = {0};

    assert_ok(cmp_header_first(&h, &e), &e);
    h.pvno = pvno;
    return sealed(&w->mac, &h, body);
}

static int
matches(const struct cmp_certconf *conf, X509 *certificate, enum cmp_failure *failure,
        struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);

    assert_ok(OSSL_ENCODE(X509, certificate, &der, e), e);
    return cmp_certconf_match(conf, buf_span(&der), failure, e);
}

static void
certconf_of_openssl_matches_its_certificate_only(void **state)
{
    struct world *w = *state;
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = vector_msg("mock-certconf.der");
    CLEANUP(x509_cleanup) X509 *certificate = vector_cert("rsp.crt");
    struct cmp_certconf conf;
    enum cmp_failure failure;
    struct err e = {0};

    assert_ok(cmp_certconf_read(msg, 0, &conf, &failure, &e), &e);
    assert_true(conf.accepted);
    assert_int_equal(conf.hash_nid, NID_undef);
    assert_ok(matches(&conf, certificate, &failure, &e), &e);
    assert_int_equal(matches(&conf, w->device, &failure, &e), -1);
    assert_int_equal(failure, CMP_BAD_CERT_ID);
    assert_int_equal(cmp_certconf_read(msg, -1, &conf, &failure, &e), -1);
    assert_int_equal(failure, CMP_BAD_REQUEST);
}

static void
a_rejection_in_certconf_is_told(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    struct cmp_certconf conf;
    enum cmp_failure failure;
    struct err e = {0};

    assert_ok(cmp_client_body_certconf(w->device, false, &body, &e), &e);
    msg = body_msg(w, 2, buf_span(&body));
    assert_ok(cmp_certconf_read(msg, 0, &conf, &failure, &e), &e);
    assert_false(conf.accepted);
    assert_int_equal(conf.status.status, CMP_REJECTION);
    assert_ok(matches(&conf, w->device, &failure, &e), &e);
}

#define HASH "\x04\x04hash"
#define ID_0 "\x02\x01\x00"
#define SHA256_ALG "\xa0\x0d\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01"
#define MD5_ALG "\xa0\x0e\x30\x0c\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x05\x05\x00"

static void
each_fault_of_a_certconf_gives_its_failinfo(void **state)
{
    const struct {
        const char *name;
        struct span statuses; /* inside the SEQUENCE OF */
        int pvno;
        enum cmp_failure failure;
    } rows[] = {
        {"good", SPAN_LITERAL("\x30\x09" HASH ID_0), 2, CMP_NO_FAILURE},
        {"none", SPAN_LITERAL(""), 2, CMP_BAD_REQUEST},
        {"two", SPAN_LITERAL("\x30\x09" HASH ID_0 "\x30\x09" HASH ID_0), 2, CMP_BAD_REQUEST},
        {"certReqId 1", SPAN_LITERAL("\x30\x09" HASH "\x02\x01\x01"), 2, CMP_BAD_REQUEST},
        {"empty hash", SPAN_LITERAL("\x30\x05\x04\x00" ID_0), 2, CMP_BAD_CERT_ID},
        {"accepted", SPAN_LITERAL("\x30\x0e" HASH ID_0 "\x30\x03" ID_0), 2, CMP_NO_FAILURE},
        {"accepted with a failInfo",
         SPAN_LITERAL("\x30\x12" HASH ID_0 "\x30\x07" ID_0 "\x03\x02\x06\x40"), 2, CMP_BAD_REQUEST},
        {"accepted with a bit of failInfo that nobody knows",
         SPAN_LITERAL("\x30\x15" HASH ID_0 "\x30\x0a" ID_0 "\x03\x05\x00\x00\x00\x00\x01"), 2,
         CMP_BAD_REQUEST},
        {"rejection with a failInfo",
         SPAN_LITERAL("\x30\x12" HASH ID_0 "\x30\x07\x02\x01\x02\x03\x02\x06\x40"), 2,
         CMP_NO_FAILURE},
        {"waiting", SPAN_LITERAL("\x30\x0e" HASH ID_0 "\x30\x03\x02\x01\x03"), 2, CMP_BAD_REQUEST},
        {"grantedWithMods", SPAN_LITERAL("\x30\x0e" HASH ID_0 "\x30\x03\x02\x01\x01"), 2,
         CMP_BAD_REQUEST},
        {"rejection", SPAN_LITERAL("\x30\x0e" HASH ID_0 "\x30\x03\x02\x01\x02"), 2, CMP_NO_FAILURE},
        {"keyUpdateWarning", SPAN_LITERAL("\x30\x0e" HASH ID_0 "\x30\x03\x02\x01\x06"), 2,
         CMP_BAD_REQUEST},
        {"status 7", SPAN_LITERAL("\x30\x0e" HASH ID_0 "\x30\x03\x02\x01\x07"), 2,
         CMP_BAD_DATA_FORMAT},
        {"status -1", SPAN_LITERAL("\x30\x0e" HASH ID_0 "\x30\x03\x02\x01\xff"), 2,
         CMP_BAD_DATA_FORMAT},
        {"a status that no integer holds",
         SPAN_LITERAL("\x30\x16" HASH ID_0 "\x30\x0b\x02\x09\x01zzzzzzzz"), 2, CMP_BAD_DATA_FORMAT},
        {"a certReqId that no integer holds", SPAN_LITERAL("\x30\x11" HASH "\x02\x09\x01zzzzzzzz"),
         2, CMP_BAD_REQUEST},
        {"hashAlg, pvno 3", SPAN_LITERAL("\x30\x18" HASH ID_0 SHA256_ALG), 3, CMP_NO_FAILURE},
        {"hashAlg, pvno 2", SPAN_LITERAL("\x30\x18" HASH ID_0 SHA256_ALG), 2, CMP_BAD_REQUEST},
        {"hashAlg MD5", SPAN_LITERAL("\x30\x19" HASH ID_0 MD5_ALG), 3, CMP_BAD_ALG},
        {"no hash", SPAN_LITERAL("\x30\x03" ID_0), 2, CMP_BAD_DATA_FORMAT},
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf sequence = BUF_INIT(1000);
        CLEANUP(buf_free) struct buf body = BUF_INIT(1000);
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
        enum cmp_failure failure = CMP_SYSTEM_FAILURE;
        struct cmp_certconf conf;
        struct err e = {0};

        assert_ok(der_append(&sequence, DER_SEQUENCE, rows[i].statuses, &e), &e);
        assert_ok(der_append(&body, DER_CONTEXT | CMP_CERTCONF, buf_span(&sequence), &e), &e);
        msg = body_msg(w, rows[i].pvno, buf_span(&body));
        (void)cmp_certconf_read(msg, 0, &conf, &failure, &e);
        if (failure != rows[i].failure) {
            fail_msg("%s: %s %s", rows[i].name, cmp_failure_name(failure), e.text);
        }
    }
}

static void
a_hash_is_as_long_as_the_longest(void **state)
{
    static const uint8_t zeros[CMP_HASH_MAX + 1];
    struct world *w = *state;

    for (size_t n = CMP_HASH_MAX; n <= CMP_HASH_MAX + 1; n++) {
        CLEANUP(buf_free) struct buf status = BUF_INIT(1000);
        CLEANUP(buf_free) struct buf one = BUF_INIT(1000);
        CLEANUP(buf_free) struct buf sequence = BUF_INIT(1000);
        CLEANUP(buf_free) struct buf body = BUF_INIT(1000);
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
        enum cmp_failure failure = CMP_SYSTEM_FAILURE;
        struct cmp_certconf conf;
        struct err e = {0};

        assert_ok(der_append(&status, 0x04, span_of(zeros, n), &e), &e);
        assert_ok(buf_append(&status, SPAN_LITERAL(ID_0), &e), &e);
        assert_ok(der_append(&one, DER_SEQUENCE, buf_span(&status), &e), &e);
        assert_ok(der_append(&sequence, DER_SEQUENCE, buf_span(&one), &e), &e);
        assert_ok(der_append(&body, DER_CONTEXT | CMP_CERTCONF, buf_span(&sequence), &e), &e);
        msg = body_msg(w, 2, buf_span(&body));
        (void)cmp_certconf_read(msg, 0, &conf, &failure, &e);
        assert_int_equal(failure, n <= CMP_HASH_MAX ? CMP_NO_FAILURE : CMP_BAD_CERT_ID);
        if (n > CMP_HASH_MAX) {
            assert_string_equal(e.text, "certConf: certHash of 65 octets");
        }
    }
}

/* The last octet of SHA-2's object identifiers: 256, 384, 512, 224; then SHA-512/224 and SHA3. */
static void
hash_alg_is_of_sha2(void **state)
{
    static const struct {
        uint8_t last;
        int nid; /* 0: badAlg */
    } rows[] = {{1, NID_sha256}, {2, NID_sha384}, {3, NID_sha512}, {4, NID_sha224}, {5, 0}, {8, 0}};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char status[] = "\x30\x1a\x30\x18" HASH ID_0 SHA256_ALG;
        CLEANUP(buf_free) struct buf body = BUF_INIT(1000);
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
        enum cmp_failure failure = CMP_SYSTEM_FAILURE;
        struct cmp_certconf conf;
        struct err e = {0};

        status[sizeof(status) - 2] = (char)rows[i].last;
        assert_ok(
            der_append(&body, DER_CONTEXT | CMP_CERTCONF, span_of(status, sizeof(status) - 1), &e),
            &e);
        msg = body_msg(w, 3, buf_span(&body));
        (void)cmp_certconf_read(msg, 0, &conf, &failure, &e);
        assert_int_equal(failure, rows[i].nid == 0 ? CMP_BAD_ALG : CMP_NO_FAILURE);
        if (rows[i].nid != 0) {
            assert_int_equal(conf.hash_nid, rows[i].nid);
        }
    }
}

static void
nested_is_a_sequence_of_one_sequence(void **state)
{
    const struct {
        struct span content;
        enum cmp_failure failure;
        const char *says;
    } rows[] = {
        {SPAN_LITERAL("\x05\x00"), CMP_BAD_DATA_FORMAT, "nested: not a SEQUENCE of messages"},
        {SPAN_LITERAL("\x30\x00\x30\x00"), CMP_BAD_DATA_FORMAT, "not a SEQUENCE of messages"},
        {SPAN_LITERAL("\x30\x02\x05\x00"), CMP_BAD_DATA_FORMAT, "nested: not a PKIMessage"},
        {SPAN_LITERAL("\x30\x00"), CMP_BAD_REQUEST, "nested: exactly one message is accepted"},
        {SPAN_LITERAL("\x30\x04\x30\x00\x30\x00"), CMP_BAD_REQUEST, "exactly one message"},
        {SPAN_LITERAL("\x30\x02\x30\x00"), CMP_NO_FAILURE, NULL},
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf body = BUF_INIT(1000);
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
        enum cmp_failure failure = CMP_SYSTEM_FAILURE;
        struct span inner;
        struct err e = {0};

        assert_ok(der_append(&body, DER_CONTEXT | CMP_NESTED, rows[i].content, &e), &e);
        msg = body_msg(w, 2, buf_span(&body));
        (void)cmp_nested_read(msg, &inner, &failure, &e);
        if (failure != rows[i].failure ||
            (rows[i].says != NULL && strstr(e.text, rows[i].says) == NULL)) {
            fail_msg("row %zu: %s: %s", i, cmp_failure_name(failure), e.text);
        }
    }
}

static void
each_failure_has_its_name(void **state)
{
    (void)state;
    for (int i = 0; i < CMP_FAILURE_COUNT; i++) {
        assert_string_not_equal(cmp_failure_name((enum cmp_failure)i), "none");
    }
    assert_string_equal(cmp_failure_name(CMP_NO_FAILURE), "none");
    assert_string_equal(cmp_failure_name((enum cmp_failure)CMP_FAILURE_COUNT), "none");
    assert_string_equal(cmp_failure_name(CMP_BAD_ALG), "badAlg");
    assert_string_equal(cmp_failure_name(CMP_DUPLICATE_CERT_REQ), "duplicateCertReq");
}

static void
hash_alg_decides_over_the_certificates_own(void **state)
{
    struct world *w = *state;
    struct cmp_certconf conf = {.hash_nid = NID_sha384, .accepted = true};
    unsigned n = 0;
    enum cmp_failure failure;
    struct err e = {0};

    assert_int_equal(X509_digest(w->device, EVP_sha384(), conf.hash, &n), 1);
    conf.hash_size = n;
    assert_ok(matches(&conf, w->device, &failure, &e), &e);
    conf.hash_nid = NID_undef;
    assert_int_equal(matches(&conf, w->device, &failure, &e), -1);
    assert_int_equal(failure, CMP_BAD_CERT_ID);
}

/* Ed25519 hashes by itself; what is no certificate has no algorithm at all. */
static void
a_certificate_that_names_no_hash_is_not_confirmed_without_one(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    CLEANUP(x509_cleanup) X509 *certificate = X509_new();
    const struct cmp_certconf conf = {.hash_nid = NID_undef, .accepted = true};
    enum cmp_failure failure = CMP_NO_FAILURE;
    struct err e = {0};

    (void)state;
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), 60));
    assert_true(X509_sign(certificate, key, NULL) > 0);
    assert_int_equal(matches(&conf, certificate, &failure, &e), -1);
    assert_int_equal(failure, CMP_SYSTEM_FAILURE);
    failure = CMP_NO_FAILURE;
    assert_int_equal(cmp_certconf_match(&conf, SPAN_LITERAL("\x30\x00"), &failure, &e), -1);
    assert_int_equal(failure, CMP_SYSTEM_FAILURE);
}

static void
pollreq_names_exactly_one_id(void **state)
{
    const struct {
        const char *name;
        struct span ids;
        enum cmp_failure failure;
        int id;
    } rows[] = {
        {"0", SPAN_LITERAL("\x30\x03\x02\x01\x00"), CMP_NO_FAILURE, 0},
        {"-1", SPAN_LITERAL("\x30\x03\x02\x01\xff"), CMP_NO_FAILURE, -1},
        {"1", SPAN_LITERAL("\x30\x03\x02\x01\x01"), CMP_NO_FAILURE, 1},
        {"-2", SPAN_LITERAL("\x30\x03\x02\x01\xfe"), CMP_BAD_REQUEST, 9},
        {"huge", SPAN_LITERAL("\x30\x0b\x02\x09\x7f\x01\x01\x01\x01\x01\x01\x01\x01"),
         CMP_BAD_REQUEST, 9},
        {"none", SPAN_LITERAL(""), CMP_BAD_REQUEST, 9},
        {"two", SPAN_LITERAL("\x30\x03\x02\x01\x00\x30\x03\x02\x01\x00"), CMP_BAD_REQUEST, 9},
        {"empty", SPAN_LITERAL("\x30\x00"), CMP_BAD_DATA_FORMAT, 9},
    };
    struct world *w = *state;
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *real = vector_msg("mock-pollreq.der");
    enum cmp_failure failure;
    struct err e = {0};
    int id = 9;

    assert_ok(cmp_pollreq_read(real, &id, &failure, &e), &e);
    assert_int_equal(id, 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf sequence = BUF_INIT(1000);
        CLEANUP(buf_free) struct buf body = BUF_INIT(1000);
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;

        id = 9;
        assert_ok(der_append(&sequence, DER_SEQUENCE, rows[i].ids, &e), &e);
        assert_ok(der_append(&body, DER_CONTEXT | CMP_POLLREQ, buf_span(&sequence), &e), &e);
        msg = body_msg(w, 2, buf_span(&body));
        (void)cmp_pollreq_read(msg, &id, &failure, &e);
        if (failure != rows[i].failure || id != rows[i].id) {
            fail_msg("%s: %s %d", rows[i].name, cmp_failure_name(failure), id);
        }
    }
}

static void
nested_has_exactly_one_message(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf inner = {0};
    CLEANUP(buf_free) struct buf twice = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    request_der(w, &w->mac, &inner);
    assert_ok(buf_append(&twice, buf_span(&inner), &e), &e);
    assert_ok(buf_append(&twice, buf_span(&inner), &e), &e);
    for (int n = 0; n <= 2; n++) {
        CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
        enum cmp_failure failure;
        struct span found;

        assert_ok(cmp_body_nested(span_of(twice.p, (size_t)n * inner.n), &body, &e), &e);
        msg = body_msg(w, 2, buf_span(&body));
        if (n == 1) {
            assert_ok(cmp_nested_read(msg, &found, &failure, &e), &e);
            assert_true(span_equal(found, buf_span(&inner)));
        } else {
            assert_int_equal(cmp_nested_read(msg, &found, &failure, &e), -1);
            assert_int_equal(failure, CMP_BAD_REQUEST);
        }
    }
}

static void
text_of_an_error_is_made_printable(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    struct cmp_status_info info;
    enum cmp_failure failure;
    struct err e = {0};

    assert_ok(cmp_body_error(CMP_BAD_TIME, "a\x1b[2Jb\nc\xc3\xa4", &body, &e), &e);
    msg = body_msg(w, 2, buf_span(&body));
    assert_ok(cmp_error_read(msg, &info, &failure, &e), &e);
    assert_int_equal(info.status, CMP_REJECTION);
    assert_int_equal(info.failures, 1U << CMP_BAD_TIME);
    assert_string_equal(info.text, "a?[2Jb?c??");
}

static void
text_of_an_error_is_cut_at_its_limit(void **state)
{
    struct world *w = *state;

    for (size_t n = CMP_STATUS_TEXT_MAX - 2; n <= CMP_STATUS_TEXT_MAX + 1; n++) {
        CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
        char text[CMP_STATUS_TEXT_MAX + 2];
        struct cmp_status_info info;
        enum cmp_failure failure;
        struct err e = {0};

        memset(text, '~', n);
        text[0] = ' ';
        text[n] = '\0';
        assert_ok(cmp_body_error(CMP_BAD_TIME, text, &body, &e), &e);
        msg = body_msg(w, 2, buf_span(&body));
        assert_ok(cmp_error_read(msg, &info, &failure, &e), &e);
        assert_int_equal(strlen(info.text), n < CMP_STATUS_TEXT_MAX ? n : CMP_STATUS_TEXT_MAX - 1);
        assert_memory_equal(info.text, text, strlen(info.text));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certconf_of_openssl_matches_its_certificate_only),
        cmocka_unit_test(a_rejection_in_certconf_is_told),
        cmocka_unit_test(each_fault_of_a_certconf_gives_its_failinfo),
        cmocka_unit_test(a_hash_is_as_long_as_the_longest),
        cmocka_unit_test(hash_alg_is_of_sha2),
        cmocka_unit_test(nested_is_a_sequence_of_one_sequence),
        cmocka_unit_test(each_failure_has_its_name),
        cmocka_unit_test(a_certificate_that_names_no_hash_is_not_confirmed_without_one),
        cmocka_unit_test(hash_alg_decides_over_the_certificates_own),
        cmocka_unit_test(pollreq_names_exactly_one_id),
        cmocka_unit_test(nested_has_exactly_one_message),
        cmocka_unit_test(text_of_an_error_is_made_printable),
        cmocka_unit_test(text_of_an_error_is_cut_at_its_limit),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
