/* SPDX-License-Identifier: Apache-2.0 */
/* What is refused whatever the header says: bodies outside the rules, MACs beyond their limits,
 * other algorithms, a sender that is none. */
#include "ca/cmp/protection/check.h"

#include "ca/cmp/message/phrase.h"
#include "tests/unit/ca/cmp/fixture.h"
#include "tests/unit/ca/cmp/protection/rules.h"

static void
bodies_outside_the_rules_are_bad_requests(void **state)
{
    static const struct {
        const char *file;
        enum cmp_failure failure;
    } files[] = {
        {"pbm-ir.der", CMP_NO_FAILURE},        {"pbm512-ir.der", CMP_NO_FAILURE},
        {"sig-ir.der", CMP_NO_FAILURE},        {"rsa-ir.der", CMP_NO_FAILURE},
        {"sig-cr.der", CMP_BAD_REQUEST},       {"sig-kur.der", CMP_BAD_REQUEST},
        {"sig-rr.der", CMP_BAD_REQUEST},       {"pbm-genm.der", CMP_BAD_REQUEST},
        {"pbm-p10cr.der", CMP_BAD_REQUEST},    {"unprotected-ir.der", CMP_BAD_MESSAGE_CHECK},
        {"mock-ip.der", CMP_BAD_REQUEST},      {"mock-pollreq.der", CMP_BAD_RECIPIENT_NONCE},
        {"mock-pkiconf.der", CMP_BAD_REQUEST},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = vector_msg(files[i].file);
        enum cmp_failure failure = CMP_NO_FAILURE;
        struct err e = {0};

        (void)cmp_check_first(msg, &rules, &failure, &e);
        if (failure != files[i].failure) {
            fail_msg("%s: %s %s", files[i].file, cmp_failure_name(failure), e.text);
        }
    }
}

static void
mac_limits_are_checked_before_any_secret(void **state)
{
    static const struct {
        const char *name;
        int owf;
        uint32_t count;
        int mac;
        enum cmp_failure failure;
    } algorithms[] = {
        {"99 iterations", NID_sha256, 99, NID_hmac_sha1, CMP_BAD_ALG},
        {"100 iterations", NID_sha256, 100, NID_hmac_sha1, CMP_NO_FAILURE},
        {"10000 iterations", NID_sha256, 10000, NID_hmac_sha1, CMP_NO_FAILURE},
        {"10001 iterations", NID_sha256, 10001, NID_hmac_sha1, CMP_BAD_ALG},
        {"MD5 as OWF", NID_md5, 500, NID_hmac_sha1, CMP_BAD_ALG},
        {"HMAC-MD5", NID_sha256, 500, NID_hmac_md5, CMP_BAD_ALG},
        {"SHA-1", NID_sha1, 500, NID_hmac_sha1, CMP_NO_FAILURE},
        {"SHA-512 and HMAC-SHA512", NID_sha512, 500, NID_hmacWithSHA512, CMP_NO_FAILURE},
        {"SHA3 as OWF", NID_sha3_256, 500, NID_hmac_sha1, CMP_BAD_ALG},
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
        CLEANUP(buf_free) struct buf algorithm = BUF_INIT(1024);
        enum cmp_failure failure = CMP_SYSTEM_FAILURE;
        struct err e = {0};

        assert_ok(cmp_client_pbm(algorithms[i].owf, algorithms[i].count, algorithms[i].mac,
                                 &algorithm, &e),
                  &e);
        (void)cmp_mac_algorithm_check(buf_span(&algorithm), &(struct cmp_mac_limits){0}, &failure,
                                      &e);
        if (failure != algorithms[i].failure) {
            fail_msg("%s: %s %s", algorithms[i].name, cmp_failure_name(failure), e.text);
        }
    }
    (void)w;
}

/* CVE-2026-63076: protectionAlg whose parameters are of another type than its object identifier
 * says. */
static void
parameters_of_another_type_are_bad_algorithms(void **state)
{
#define PBM_OID "\x06\x09\x2a\x86\x48\x86\xf6\x7d\x07\x42\x0d"
#define PBMAC1_OID "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0e"
#define PSS_OID "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"
#define ECDSA_OID "\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
#define MD5_RSA_OID "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"
#define SHA1_RSA_OID "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"
    const struct {
        const char *name;
        struct span content;
    } confusions[] = {
        {"PBM without", SPAN_LITERAL(PBM_OID)},
        {"PBM with NULL", SPAN_LITERAL(PBM_OID "\x05\x00")},
        {"PBM with INTEGER", SPAN_LITERAL(PBM_OID "\x02\x01\x01")},
        {"PBM with BOOLEAN", SPAN_LITERAL(PBM_OID "\x01\x01\xff")},
        {"PBM with OID", SPAN_LITERAL(PBM_OID "\x06\x01\x2a")},
        {"PBM with OCTET STRING", SPAN_LITERAL(PBM_OID "\x04\x02\x30\x00")},
        {"PBM with empty SEQUENCE", SPAN_LITERAL(PBM_OID "\x30\x00")},
        {"PBM with SET", SPAN_LITERAL(PBM_OID "\x31\x00")},
        {"PBMAC1 without", SPAN_LITERAL(PBMAC1_OID)},
        {"PBMAC1 with NULL", SPAN_LITERAL(PBMAC1_OID "\x05\x00")},
        {"PBMAC1 with INTEGER", SPAN_LITERAL(PBMAC1_OID "\x02\x01\x01")},
        {"PBMAC1 with empty SEQUENCE", SPAN_LITERAL(PBMAC1_OID "\x30\x00")},
        {"PSS without", SPAN_LITERAL(PSS_OID)},
        {"PSS with INTEGER", SPAN_LITERAL(PSS_OID "\x02\x01\x01")},
        {"PSS with defaults, which are SHA-1", SPAN_LITERAL(PSS_OID "\x30\x00")},
        {"ECDSA with NULL", SPAN_LITERAL(ECDSA_OID "\x05\x00")},
        {"RSA with MD5", SPAN_LITERAL(MD5_RSA_OID "\x05\x00")},
        {"RSA with SHA-1", SPAN_LITERAL(SHA1_RSA_OID "\x05\x00")},
        {"unknown", SPAN_LITERAL("\x06\x01\x2a")},
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(confusions); i++) {
        CLEANUP(buf_free) struct buf algorithm = BUF_INIT(1024);
        CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(buf_free) struct buf part = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
        CLEANUP(cmp_mac_key_cleanup) struct cmp_mac_key *key = NULL;
        enum cmp_failure failure = CMP_NO_FAILURE;
        struct cmp_header h;
        struct err e = {0};

        assert_ok(cmp_header_first(&h, &e), &e);
        h.sender_kid = SPAN_LITERAL(REFERENCE);
        assert_ok(buf_append(&algorithm, SPAN_LITERAL("0"), &e), &e);
        *buf_extend(&algorithm, 1, &e) = (uint8_t)confusions[i].content.n;
        assert_ok(buf_append(&algorithm, confusions[i].content, &e), &e);
        h.algorithm = buf_span(&algorithm);
        assert_ok(cmp_client_body_request(CMP_IR, w->key, w->subject, &body, &e), &e);
        assert_ok(cmp_build_part(&h, buf_span(&body), &part, &e), &e);
        assert_ok(cmp_build_finish(buf_span(&part), span_of("12345678", 8), NULL, 0, &der, &e), &e);
        msg = parse_ok(buf_span(&der));
        assert_int_equal(cmp_check_first(msg, &rules, &failure, &e), -1);
        if (failure != CMP_BAD_ALG) {
            fail_msg("%s: %s %s", confusions[i].name, cmp_failure_name(failure), e.text);
        }
        key = cmp_mac_key_new(buf_span(&algorithm), SPAN_LITERAL(SECRET), NULL, &failure, &e);
        assert_null(key);
        assert_int_equal(failure, CMP_BAD_ALG);
    }
}

static void
a_sender_that_is_no_directory_name_fails_the_message_check(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf der = {0};
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    enum cmp_failure failure;
    struct err e = {0};
    size_t at = 0;

    /* The sender's [4] directoryName becomes [0] otherName with the same content. */
    request_der(w, &w->mac, &der);
    while (der.p[at] != 0xa4) {
        at++;
    }
    der.p[at] = 0xa0;
    msg = parse_ok(buf_span(&der));
    assert_int_equal(cmp_check_first(msg, &rules, &failure, &e), -1);
    assert_int_equal(failure, CMP_BAD_MESSAGE_CHECK);
}

static void
the_first_fault_in_order_wins(void **state)
{
    struct world *w = *state;
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *cr = vector_msg("sig-cr.der");
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *poll = vector_msg("mock-pollreq.der");
    enum cmp_failure failure;
    struct err e = {0};

    (void)w;
    /* body type before recipNonce, recipNonce before a messageTime that is missing; how old it is
     * waits for who asks */
    assert_int_equal(cmp_check_first(cr, &rules, &failure, &e), -1);
    assert_int_equal(failure, CMP_BAD_REQUEST);
    assert_int_equal(cmp_check_first(poll, &rules, &failure, &e), -1);
    assert_int_equal(failure, CMP_BAD_RECIPIENT_NONCE);
    assert_ok(cmp_check_later(poll, &rules, &failure, &e), &e);
}

static void
every_failure_has_its_name_and_a_phrase(void **state)
{
    (void)state;
    for (int i = 0; i < CMP_FAILURE_COUNT; i++) {
        assert_true(strlen(cmp_failure_name((enum cmp_failure)i)) > 5);
        assert_true(strlen(phrase_text(phrase_of_failure((enum cmp_failure)i))) > 10);
    }
    assert_string_equal(cmp_failure_name(CMP_BAD_POP), "badPOP");
    assert_string_equal(cmp_failure_name(CMP_DUPLICATE_CERT_REQ), "duplicateCertReq");
    assert_string_equal(cmp_failure_name(CMP_NO_FAILURE), "none");
}

static void
certconf_pollreq_and_error_go_on_with_a_transaction(void **state)
{
    (void)state;
    for (int body = 0; body < CMP_BODY_COUNT; body++) {
        const uint8_t octets[] = {0x30, 0x04, 0x30, 0x00, (uint8_t)(0xa0 + body), 0x00};

        assert_true(cmp_is_later((enum cmp_body)body) ==
                    (body == CMP_CERTCONF || body == CMP_POLLREQ || body == CMP_ERROR));
        assert_true(cmp_looks_later(span_of(octets, sizeof(octets))) ==
                    cmp_is_later((enum cmp_body)body));
        for (size_t n = 0; n < sizeof(octets); n++) {
            assert_false(cmp_looks_later(span_of(octets, n)));
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certconf_pollreq_and_error_go_on_with_a_transaction),
        cmocka_unit_test(bodies_outside_the_rules_are_bad_requests),
        cmocka_unit_test(mac_limits_are_checked_before_any_secret),
        cmocka_unit_test(parameters_of_another_type_are_bad_algorithms),
        cmocka_unit_test(a_sender_that_is_no_directory_name_fails_the_message_check),
        cmocka_unit_test(the_first_fault_in_order_wins),
        cmocka_unit_test(every_failure_has_its_name_and_a_phrase),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
