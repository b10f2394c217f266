/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/build.h"

#include <openssl/cmp.h>

#include "ca/cmp/message/phrase.h"
#include "ca/cmp/protection/check.h"
#include "ca/cmp/protection/protect.h"
#include "tests/unit/ca/cmp/fixture.h"

/* One transaction of the client, and an answer to it with this body. */
static struct cmp_client_answer
answer_to(const struct world *w, const struct cmp_client *c, struct span body, struct buf *out)
{
    CLEANUP(buf_free) struct buf request = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    CLEANUP(cmp_mac_key_cleanup) struct cmp_mac_key *key = NULL;
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *answer = NULL;
    struct cmp_client_state state;
    struct cmp_client_answer read;
    struct cmp_header h;
    enum cmp_failure failure;
    struct err e = {0};

    assert_ok(cmp_client_request(c, CMP_IR, w->key, w->subject, &state, &request, &e), &e);
    msg = parse_ok(buf_span(&request));
    assert_ok(cmp_header_reply(msg, &h, &e), &e);
    h.sender = w->subject;
    h.sender_kid = cmp_msg_sender_kid(msg);
    key = cmp_mac_key_new(cmp_msg_protection_alg(msg), c->secret, NULL, &failure, &e);
    assert_non_null(key);
    *out = BUF_INIT(CMP_MESSAGE_MAX);
    assert_ok(cmp_build_mac(&h, body, key, NULL, 0, out, &e), &e);

    answer = parse_ok(buf_span(out));
    assert_true(span_equal(cmp_msg_recipient(answer), cmp_msg_sender(msg)));
    assert_true(span_equal(cmp_msg_protection_alg(answer), cmp_msg_protection_alg(msg)));
    assert_int_equal(cmp_msg_sender_nonce(answer).n, CMP_NONCE_SIZE);
    assert_false(span_equal(cmp_msg_sender_nonce(answer), cmp_msg_sender_nonce(msg)));
    assert_ok(cmp_client_read(c, buf_span(out), NULL, &state, &read, &e), &e);
    assert_int_equal(state.recip_nonce_size, CMP_NONCE_SIZE);
    return read;
}

/* OpenSSL's own decoder must agree that it is a CMP message of that type. */
static void
openssl_reads_it_as(int type, const struct buf *der)
{
    const unsigned char *p = der->p;
    OSSL_CMP_MSG *msg = d2i_OSSL_CMP_MSG(NULL, &p, (long)der->n);

    assert_non_null(msg);
    assert_ptr_equal(p, der->p + der->n);
    assert_int_equal(OSSL_CMP_MSG_get_bodytype(msg), type);
    OSSL_CMP_MSG_free(msg);
}

static void
an_issued_certificate_comes_back_octet_for_octet(void **state)
{
    static const enum cmp_body types[] = {CMP_IP, CMP_CP, CMP_KUP};
    static const enum cmp_status status[] = {CMP_ACCEPTED, CMP_GRANTED_WITH_MODS, CMP_ACCEPTED};
    struct world *w = *state;
    CLEANUP(buf_free) struct buf cert = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};
    struct span root;

    assert_ok(OSSL_ENCODE(X509, w->device, &cert, &e), &e);
    root = buf_span(&cert);
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(buf_free) struct buf der = {0};
        CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};

        assert_ok(cmp_body_issued(types[i], 0, status[i], buf_span(&cert), &root,
                                  types[i] == CMP_IP ? 1 : 0, &body, &e),
                  &e);
        a = answer_to(w, &w->mac, buf_span(&body), &der);
        assert_int_equal(a.body, types[i]);
        assert_int_equal(a.status.status, status[i]);
        assert_int_equal(a.cert_req_id, 0);
        assert_true(span_equal(buf_span(&a.certificate), buf_span(&cert)));
        openssl_reads_it_as((int)types[i], &der);
    }
}

static void
each_failure_reaches_the_client_as_its_bit(void **state)
{
    struct world *w = *state;
    struct err e = {0};

    for (int i = 0; i < CMP_FAILURE_COUNT; i++) {
        for (int error = 0; error <= 1; error++) {
            CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
            CLEANUP(buf_free) struct buf der = {0};
            CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};
            enum cmp_failure failure = (enum cmp_failure)i;

            assert_ok(error == 1 ? cmp_body_error(failure, NULL, &body, &e)
                                 : cmp_body_rejected(CMP_IP, 0, failure, NULL, &body, &e),
                      &e);
            a = answer_to(w, &w->mac, buf_span(&body), &der);
            assert_int_equal(a.body, error == 1 ? CMP_ERROR : CMP_IP);
            assert_int_equal(a.status.status, CMP_REJECTION);
            assert_int_equal(a.status.failures, UINT32_C(1) << (unsigned)i);
            assert_string_equal(a.status.text, phrase_text(phrase_of_failure(failure)));
            openssl_reads_it_as((int)a.body, &der);
        }
    }
}

static void
waiting_pollrep_and_pkiconf_are_read_as_such(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    for (int i = 0; i < 5; i++) {
        CLEANUP(buf_free) struct buf der = {0};
        CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};

        switch (i) {
        case 0:
            assert_ok(cmp_body_waiting(CMP_IP, 0, &body, &e), &e);
            a = answer_to(w, &w->mac, buf_span(&body), &der);
            assert_int_equal(a.body, CMP_IP);
            assert_int_equal(a.status.status, CMP_WAITING);
            assert_int_equal(a.status.failures, 0);
            break;
        case 1:
            assert_ok(cmp_body_pollrep(0, 100000, "not yet", &body, &e), &e);
            a = answer_to(w, &w->mac, buf_span(&body), &der);
            assert_int_equal(a.body, CMP_POLLREP);
            assert_int_equal(a.check_after, 100000);
            break;
        case 2:
            assert_ok(cmp_body_pkiconf(&body, &e), &e);
            a = answer_to(w, &w->mac, buf_span(&body), &der);
            assert_int_equal(a.body, CMP_PKICONF);
            break;
        case 3:
            assert_ok(cmp_body_error_waiting(&body, &e), &e);
            a = answer_to(w, &w->mac, buf_span(&body), &der);
            assert_int_equal(a.body, CMP_ERROR);
            assert_int_equal(a.status.status, CMP_WAITING);
            break;
        default:
            assert_ok(cmp_body_waiting(CMP_CP, -1, &body, &e), &e);
            a = answer_to(w, &w->mac, buf_span(&body), &der);
            assert_int_equal(a.cert_req_id, -1);
            break;
        }
        openssl_reads_it_as((int)a.body, &der);
    }
}

static void
a_signature_made_elsewhere_completes_a_message(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf request = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *answer = NULL;
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};
    struct cmp_client_state nf;
    struct cmp_header h;
    enum cmp_failure failure;
    struct err e = {0};

    assert_ok(cmp_client_request(&w->mac, CMP_IR, w->key, w->subject, &nf, &request, &e), &e);
    msg = parse_ok(buf_span(&request));
    assert_ok(cmp_header_reply(msg, &h, &e), &e);
    h.sender = X509_get_subject_name(w->device);
    h.sender_kid = span_of(ASN1_STRING_get0_data(X509_get0_subject_key_id(w->device)),
                           (size_t)ASN1_STRING_length(X509_get0_subject_key_id(w->device)));
    h.implicit_confirm = true;
    assert_ok(cmp_body_error(CMP_BAD_MESSAGE_CHECK, NULL, &body, &e), &e);
    assert_ok(cmp_client_seal(&w->signature, &h, buf_span(&body), &der, &e), &e);
    answer = parse_ok(buf_span(&der));
    assert_ok(cmp_signature_verify(answer, w->device, &failure, &e), &e);
    assert_int_equal(cmp_msg_extra_count(answer), 1);
    assert_ok(cmp_client_read(&w->mac, buf_span(&der), w->device, &nf, &a, &e), &e);
    assert_true(a.implicit_confirm);
}

static void
the_nearest_version_is_answered(void **state)
{
    static const int versions[][2] = {{0, 2}, {1, 2}, {2, 2}, {3, 3}, {4, 3}, {1000, 3}};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
        static const uint8_t body[] = {0xa0, 2, 5, 0};
        struct cmp_header h;
        struct err e = {0};

        assert_ok(cmp_header_first(&h, &e), &e);
        h.pvno = versions[i][0];
        msg = sealed(&w->mac, &h, span_of(body, sizeof(body)));
        assert_ok(cmp_header_reply(msg, &h, &e), &e);
        assert_int_equal(h.pvno, versions[i][1]);
    }
}

static void
what_could_not_be_decoded_is_answered_with_a_fresh_transaction(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    struct cmp_header h;
    struct err e = {0};

    assert_ok(cmp_header_echo(&(struct cmp_echo){.pvno = CMP_PVNO_2000}, &h, &e), &e);
    assert_ok(cmp_body_error(CMP_BAD_DATA_FORMAT, NULL, &body, &e), &e);
    msg = sealed(&w->mac, &h, buf_span(&body));
    assert_int_equal(cmp_msg_transaction_id(msg).n, CMP_NONCE_SIZE);
    assert_null(cmp_msg_recip_nonce(msg).p);
    assert_true(span_equal(cmp_msg_recipient(msg), SPAN_LITERAL("\xa4\x02\x30\x00")));
}

static void
confirm_wait_time_is_a_generalized_time(void **state)
{
    static const uint8_t expected[] = "\x18\x0f"
                                      "20261123205251Z";
    struct world *w = *state;
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    struct cmp_header h;
    struct span value;
    struct err e = {0};

    assert_ok(cmp_header_first(&h, &e), &e);
    h.confirm_wait = 1795467171;
    assert_ok(cmp_body_pkiconf(&body, &e), &e);
    msg = sealed(&w->mac, &h, buf_span(&body));
    assert_true(cmp_msg_info(msg, CMP_OID_CONFIRM_WAIT_TIME, &value));
    assert_true(span_equal(value, span_of(expected, sizeof(expected) - 1)));
}

static void
answers_to_requests_have_their_type(void **state)
{
    (void)state;
    assert_int_equal(cmp_body_answer(CMP_IR), CMP_IP);
    assert_int_equal(cmp_body_answer(CMP_CR), CMP_CP);
    assert_int_equal(cmp_body_answer(CMP_P10CR), CMP_CP);
    assert_int_equal(cmp_body_answer(CMP_KUR), CMP_KUP);
    assert_int_equal(cmp_body_answer(CMP_RR), CMP_RP);
    assert_int_equal(cmp_body_answer(CMP_GENM), CMP_GENP);
    assert_true(cmp_body_asks_certificate(CMP_P10CR));
    assert_false(cmp_body_asks_certificate(CMP_RR));
}

static void
rp_says_revoked_or_why_not(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    for (int revoked = 0; revoked < 2; revoked++) {
        CLEANUP(buf_free) struct buf der = {0};
        CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};

        assert_ok(revoked == 1 ? cmp_body_revoked(&body, &e)
                               : cmp_body_not_revoked(CMP_CERT_REVOKED, NULL, &body, &e),
                  &e);
        a = answer_to(w, &w->mac, buf_span(&body), &der);
        assert_int_equal(a.body, CMP_RP);
        assert_int_equal(a.status.status, revoked == 1 ? CMP_ACCEPTED : CMP_REJECTION);
        assert_int_equal(a.status.failures, revoked == 1 ? 0 : 1U << CMP_CERT_REVOKED);
        openssl_reads_it_as(CMP_RP, &der);
    }
}

static void
a_message_over_the_maximum_is_refused(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf small = BUF_INIT(100);
    struct cmp_header h;
    struct err e = {0};

    assert_ok(cmp_client_body_request(CMP_IR, w->key, w->subject, &body, &e), &e);
    assert_ok(cmp_header_first(&h, &e), &e);
    assert_err(cmp_build_part(&h, buf_span(&body), &small, &e), ERR_INPUT, &e);
}

#define PART "\x30\x3a" PART_CONTENT
#define PART_CONTENT "0123456789abcdef0123456789abcdef0123456789abcdef0123456789"
#define LONG "octets that are more than those of the wrapper around them"

static int
make_finish(const void *arg, struct buf *out, struct err *e)
{
    const struct span extra[] = {SPAN_LITERAL(LONG LONG), SPAN_LITERAL(LONG)};

    (void)arg;
    return cmp_build_finish(SPAN_LITERAL(PART), SPAN_LITERAL(LONG), extra, ARRAY_LEN(extra), out,
                            e);
}

static int
make_protected(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    return cmp_build_finish(SPAN_LITERAL(PART), SPAN_LITERAL(LONG LONG), NULL, 0, out, e);
}

static int
make_part(const void *arg, struct buf *out, struct err *e)
{
    return cmp_build_part(arg, SPAN_LITERAL(LONG), out, e);
}

static int
make_name(const void *arg, struct buf *out, struct err *e)
{
    return cmp_general_name(arg, out, e);
}

static int
make_mac(const void *arg, struct buf *out, struct err *e)
{
    const struct world *w = arg;
    enum cmp_failure failure;
    struct cmp_header h;
    CLEANUP(cmp_mac_key_cleanup)
    struct cmp_mac_key *key = cmp_mac_key_new(w->mac.algorithm, w->mac.secret, NULL, &failure, e);

    assert_non_null(key);
    assert_ok(cmp_header_first(&h, e), e);
    return cmp_build_mac(&h, SPAN_LITERAL(LONG), key, NULL, 0, out, e);
}

static void
a_message_is_whole_or_there_is_none(void **state)
{
    struct world *w = *state;
    struct cmp_header h;
    struct err e = {0};

    assert_ok(cmp_header_first(&h, &e), &e);
    h.sender = w->subject;
    needs_its_room("finish", make_finish, NULL);
    needs_its_room("protected", make_protected, NULL);
    needs_its_room("part", make_part, &h);
    needs_its_room("a name", make_name, w->subject);
    needs_its_room("the NULL-DN", make_name, NULL);
    needs_its_room("by MAC", make_mac, w);
}

/* What is in generalInfo besides has 4096 octets at most, with its type. */
static void
general_info_has_its_limit(void **state)
{
    enum { HEADERS = 4 + 4 + 10 /* two SEQUENCEs or OCTET STRINGs, and the OID */ };
    static uint8_t value[4096] = {0x04, 0x82};
    struct cmp_header h;
    struct err e = {0};

    (void)state;
    assert_ok(cmp_header_first(&h, &e), &e);
    h.info_oid = CMP_OID_CONFIRM_WAIT_TIME;
    for (size_t n = 4096 - HEADERS; n <= 4096 - HEADERS + 1; n++) {
        CLEANUP(buf_free) struct buf out = BUF_INIT(CMP_MESSAGE_MAX);

        value[2] = (uint8_t)(n >> 8);
        value[3] = (uint8_t)n;
        h.info_value = span_of(value, 4 + n);
        if (n == 4096 - HEADERS) {
            assert_ok(cmp_build_part(&h, SPAN_LITERAL("\xa0\x00"), &out, &e), &e);
        } else {
            assert_err(cmp_build_part(&h, SPAN_LITERAL("\xa0\x00"), &out, &e), ERR_INPUT, &e);
            assert_non_null(strstr(e.text, "generalInfo"));
        }
    }
}

static void
what_is_no_protected_part_is_not_finished(void **state)
{
    const struct span rows[] = {SPAN_LITERAL(""), SPAN_LITERAL("\x31\x00"),
                                SPAN_LITERAL("\x30\x00\x30\x00"), SPAN_LITERAL("\x30\x01")};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf out = BUF_INIT(100);
        struct err e = {0};

        assert_err(cmp_build_finish(rows[i], span_of("x", 1), NULL, 0, &out, &e), ERR_INPUT, &e);
        assert_string_equal(e.text, "build a message: this is not a ProtectedPart");
        assert_int_equal(out.n, 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_issued_certificate_comes_back_octet_for_octet),
        cmocka_unit_test(each_failure_reaches_the_client_as_its_bit),
        cmocka_unit_test(waiting_pollrep_and_pkiconf_are_read_as_such),
        cmocka_unit_test(rp_says_revoked_or_why_not),
        cmocka_unit_test(a_signature_made_elsewhere_completes_a_message),
        cmocka_unit_test(the_nearest_version_is_answered),
        cmocka_unit_test(what_could_not_be_decoded_is_answered_with_a_fresh_transaction),
        cmocka_unit_test(confirm_wait_time_is_a_generalized_time),
        cmocka_unit_test(answers_to_requests_have_their_type),
        cmocka_unit_test(a_message_over_the_maximum_is_refused),
        cmocka_unit_test(a_message_is_whole_or_there_is_none),
        cmocka_unit_test(general_info_has_its_limit),
        cmocka_unit_test(what_is_no_protected_part_is_not_finished),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
