/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/message/support.h"

#include "ca/cmp/message/der.h"
#include "tests/unit/ca/cmp/fixture.h"

#define ID_IT(arc) "\x06\x08\x2b\x06\x01\x05\x05\x07\x04" arc
#define BYTES(text) ((struct span){(const uint8_t *)(text), sizeof(text) - 1})

static struct cmp_msg *
message(const struct world *w, enum cmp_body type, struct span content, const char *oid,
        struct span info)
{
    CLEANUP(x509_name_cleanup) X509_NAME *name = NULL;
    CLEANUP(buf_free) struct buf recipient = {0};
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
    struct cmp_header h;
    struct cmp_msg *msg;
    struct err e = {0};

    assert_ok(cmp_header_first(&h, &e), &e);
    assert_ok(cmp_client_header(&w->mac, &h, &name, &recipient, &e), &e);
    h.info_oid = oid;
    h.info_value = info;
    assert_ok(der_append(&body, (uint8_t)(DER_CONTEXT | (unsigned)type), content, &e), &e);
    assert_ok(cmp_client_seal(&w->mac, &h, buf_span(&body), &der, &e), &e);
    msg = cmp_msg_parse(buf_span(&der), CMP_MESSAGE_MAX, &e);
    if (msg == NULL) {
        fail_msg("%s", e.text);
    }
    return msg;
}

static void
each_question_is_read_and_nothing_else(void **state)
{
    const struct {
        const char *what;
        struct span content;
        int failure; /* -1: read */
        enum cmp_info info;
    } rows[] = {
        {"signKeyPairTypes", BYTES("\x30\x0c\x30\x0a" ID_IT("\x02")), -1, CMP_INFO_SIGN_KEY_TYPES},
        {"currentCRL", BYTES("\x30\x0c\x30\x0a" ID_IT("\x06")), -1, CMP_INFO_CURRENT_CRL},
        {"caCerts", BYTES("\x30\x0c\x30\x0a" ID_IT("\x11")), -1, CMP_INFO_CA_CERTS},
        {"rootCaCert", BYTES("\x30\x0c\x30\x0a" ID_IT("\x14")), -1, CMP_INFO_ROOT_UPDATE},
        {"rootCaCert with one", BYTES("\x30\x0e\x30\x0c" ID_IT("\x14") "\x30\x00"), -1,
         CMP_INFO_ROOT_UPDATE},
        {"certReqTemplate", BYTES("\x30\x0c\x30\x0a" ID_IT("\x13")), -1, CMP_INFO_TEMPLATE},
        {"crlStatusList", BYTES("\x30\x0e\x30\x0c" ID_IT("\x16") "\x30\x00"), -1, CMP_INFO_CRLS},
        {"crlStatusList without", BYTES("\x30\x0c\x30\x0a" ID_IT("\x16")), CMP_BAD_REQUEST, 0},
        {"caCerts with a value", BYTES("\x30\x0e\x30\x0c" ID_IT("\x11") "\x30\x00"),
         CMP_BAD_REQUEST, 0},
        {"an answer's type", BYTES("\x30\x0c\x30\x0a" ID_IT("\x17")), CMP_BAD_REQUEST, 0},
        {"another arc", BYTES("\x30\x05\x30\x03\x06\x01\x2a"), CMP_BAD_REQUEST, 0},
        {"another arc of the same length",
         BYTES("\x30\x0c\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x05\x11"), CMP_BAD_REQUEST, 0},
        {"an arc below", BYTES("\x30\x0d\x30\x0b\x06\x09\x2b\x06\x01\x05\x05\x07\x04\x11\x01"),
         CMP_BAD_REQUEST, 0},
        {"not a SEQUENCE", BYTES("\x30\x0c\x31\x0a" ID_IT("\x11")), CMP_BAD_DATA_FORMAT, 0},
        {"empty", BYTES("\x30\x02\x30\x00"), CMP_BAD_DATA_FORMAT, 0},
        {"none", BYTES("\x30\x00"), CMP_BAD_REQUEST, 0},
        {"two", BYTES("\x30\x18\x30\x0a" ID_IT("\x11") "\x30\x0a" ID_IT("\x11")), CMP_BAD_REQUEST,
         0},
        {"no list", BYTES("\x02\x01\x01"), CMP_BAD_DATA_FORMAT, 0},
        {"no type", BYTES("\x30\x02\x30\x00"), CMP_BAD_DATA_FORMAT, 0},
        {"rootCaCert that is none", BYTES("\x30\x0f\x30\x0d" ID_IT("\x14") "\x02\x01\x01"),
         CMP_BAD_DATA_FORMAT, 0},
    };
    const struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(cmp_msg_cleanup)
        struct cmp_msg *msg = message(w, CMP_GENM, rows[i].content, NULL, span_of(NULL, 0));
        enum cmp_failure failure = CMP_NO_FAILURE;
        struct cmp_genm genm;
        struct err e = {0};
        int result = cmp_genm_read(msg, &genm, &failure, &e);

        if (result != (rows[i].failure < 0 ? 0 : -1) ||
            (result != 0 ? (int)failure != rows[i].failure : genm.info != rows[i].info)) {
            fail_msg("%s: %d %s", rows[i].what, result, cmp_failure_name(failure));
        }
    }
}

#define UTC                                                                                        \
    "\x17\x0d"                                                                                     \
    "261123200000Z"
#define GENERALIZED                                                                                \
    "\x18\x0f"                                                                                     \
    "20261123200000Z"
#define URI                                                                                        \
    "\x86\x03"                                                                                     \
    "a/b"

static void
a_status_list_says_which_crl_and_since_when(void **state)
{
    const struct {
        const char *what;
        struct span value;
        size_t n; /* 0: malformed */
        bool is_issuer;
        size_t names;
        time_t time;
    } rows[] = {
        {"point", BYTES("\x30\x0d\x30\x0b\xa0\x07\xa0\x05" URI "\x17\x00"), 0, false, 0, 0},
        {"point", BYTES("\x30\x0b\x30\x09\xa0\x07\xa0\x05" URI), 1, false, 5, 0},
        {"point, UTCTime", BYTES("\x30\x1a\x30\x18\xa0\x07\xa0\x05" URI UTC), 1, false, 5,
         1795464000},
        {"issuer, GeneralizedTime", BYTES("\x30\x1c\x30\x1a\xa1\x07\x30\x05" URI GENERALIZED), 1,
         true, 5, 1795464000},
        {"relative name", BYTES("\x30\x08\x30\x06\xa0\x04\xa1\x02\x31\x00"), 1, false, 0, 0},
        {"something behind", BYTES("\x30\x1c\x30\x1a\xa0\x07\xa0\x05" URI UTC "\x05\x00"), 0, false,
         0, 0},
        {"empty list", BYTES("\x30\x00"), 0, false, 0, 0},
        {"no source", BYTES("\x30\x02\x30\x00"), 0, false, 0, 0},
        {"another tag", BYTES("\x30\x06\x30\x04\xa2\x02\x30\x00"), 0, false, 0, 0},
        {"a source of no kind", BYTES("\x30\x06\x30\x04\xa0\x02\x30\x00"), 0, false, 0, 0},
        {"an issuer of no SEQUENCE", BYTES("\x30\x06\x30\x04\xa1\x02\x31\x00"), 0, false, 0, 0},
        {"a status of no SEQUENCE", BYTES("\x30\x0b\x31\x09\xa0\x07\xa0\x05" URI), 0, false, 0, 0},
        {"no list", BYTES("\x31\x0b\x30\x09\xa0\x07\xa0\x05" URI), 0, false, 0, 0},
        {"UTCTime without seconds",
         BYTES("\x30\x18\x30\x16\xa0\x07\xa0\x05" URI "\x17\x0b"
               "2611232000Z"),
         0, false, 0, 0},
        {"GeneralizedTime with a fraction",
         BYTES("\x30\x1e\x30\x1c\xa0\x07\xa0\x05" URI "\x18\x11"
               "20261123200000.5Z"),
         0, false, 0, 0},
        {"a time that is an OCTET STRING",
         BYTES("\x30\x1c\x30\x1a\xa0\x07\xa0\x05" URI "\x04\x0f"
               "20261123200000Z"),
         0, false, 0, 0},
        {"one without a source", BYTES("\x30\x02\x30\x00"), 0, false, 0, 0},
        {"one without a source behind one with",
         BYTES("\x30\x0d\x30\x09\xa0\x07\xa0\x05" URI "\x30\x00"), 0, false, 0, 0},
        {"month 13",
         BYTES("\x30\x1a\x30\x18\xa0\x07\xa0\x05" URI "\x17\x0d"
               "261323200000Z"),
         0, false, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cmp_crl_status list[CMP_CRL_STATUS_MAX];
        enum cmp_failure failure = CMP_NO_FAILURE;
        struct err e = {0};
        size_t n;
        int result = cmp_crl_status_read(rows[i].value, list, &n, &failure, &e);

        if (rows[i].n == 0) {
            if (result == 0 || failure != CMP_BAD_DATA_FORMAT) {
                fail_msg("row %zu (%s) was read", i, rows[i].what);
            }
        } else if (result != 0 || n != rows[i].n || list[0].is_issuer != rows[i].is_issuer ||
                   list[0].names.n != rows[i].names || list[0].this_update != rows[i].time) {
            fail_msg("row %zu (%s): %s %lld", i, rows[i].what, e.text,
                     (long long)list[0].this_update);
        }
    }
}

static void
too_many_crls_are_a_bad_request(void **state)
{
    CLEANUP(buf_free) struct buf content = BUF_INIT(1024);
    CLEANUP(buf_free) struct buf value = BUF_INIT(1024);
    struct cmp_crl_status list[CMP_CRL_STATUS_MAX];
    enum cmp_failure failure = CMP_NO_FAILURE;
    struct err e = {0};
    size_t n;

    (void)state;
    for (int i = 0; i < CMP_CRL_STATUS_MAX; i++) {
        assert_ok(buf_append(&content, BYTES("\x30\x09\xa0\x07\xa0\x05" URI), &e), &e);
    }
    assert_ok(der_append(&value, DER_SEQUENCE, buf_span(&content), &e), &e);
    assert_ok(cmp_crl_status_read(buf_span(&value), list, &n, &failure, &e), &e);
    assert_int_equal(n, CMP_CRL_STATUS_MAX);
    buf_truncate(&value, 0);
    assert_ok(buf_append(&content, BYTES("\x30\x09\xa0\x07\xa0\x05" URI), &e), &e);
    assert_ok(der_append(&value, DER_SEQUENCE, buf_span(&content), &e), &e);
    assert_int_equal(cmp_crl_status_read(buf_span(&value), list, &n, &failure, &e), -1);
    assert_int_equal(failure, CMP_BAD_REQUEST);
}

static void
cert_profile_is_one_name(void **state)
{
    const struct {
        struct span value;
        const char *name;
        int failure;
    } rows[] = {
        {BYTES("\x30\x08\x0c\x06nf-tls"), "nf-tls", -1},
        {BYTES("\x30\x10\x0c\x06nf-tls\x0c\x06nf-tls"), "", CMP_BAD_REQUEST},
        {BYTES("\x30\x08\x0c\x06NF-TLS"), "", CMP_NOT_AUTHORIZED},
        {BYTES("\x30\x02\x0c\x00"), "", CMP_NOT_AUTHORIZED},
        {BYTES("\x30\x05\x0c\x03"
               "a\0b"),
         "", CMP_NOT_AUTHORIZED},
        {BYTES("\x30\x00"), "", CMP_BAD_DATA_FORMAT},
        {BYTES("\x30\x03\x13\x01"
               "a"),
         "", CMP_BAD_DATA_FORMAT},
        {BYTES("\x05\x00"), "", CMP_BAD_DATA_FORMAT},
    };
    const struct world *w = *state;
    char name[CMP_PROFILE_NAME_MAX + 1];
    enum cmp_failure failure;
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(cmp_msg_cleanup)
        struct cmp_msg *msg =
            message(w, CMP_GENM, BYTES("\x30\x00"), CMP_OID_CERT_PROFILE, rows[i].value);
        int result;

        failure = CMP_NO_FAILURE;
        result = cmp_profile_read(msg, name, &failure, &e);
        if (result != (rows[i].failure < 0 ? 0 : -1) || (int)failure != rows[i].failure) {
            fail_msg("row %zu: %s", i, cmp_failure_name(failure));
        }
        if (result == 0) {
            assert_string_equal(name, rows[i].name);
        }
    }
    {
        CLEANUP(cmp_msg_cleanup)
        struct cmp_msg *msg = message(w, CMP_GENM, BYTES("\x30\x00"), NULL, span_of(NULL, 0));

        assert_ok(cmp_profile_read(msg, name, &failure, &e), &e);
        assert_string_equal(name, "");
    }
}

static void
answers_are_the_octets_of_the_standard(void **state)
{
    const struct span values[] = {BYTES("\x30\x00"), BYTES("\x30\x00")};
    const struct span curve = BYTES("\x30\x03\x06\x01\x2a");
    const int bits = 2048;
    const struct cmp_key_spec spec = {&curve, 1, &bits, 1};
    const struct cmp_key_spec none = {0};
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_SUPPORT_MAX);
    struct err e = {0};

    (void)state;
    assert_ok(cmp_body_genp_none(CMP_INFO_ROOT_UPDATE, &body, &e), &e);
    assert_true(span_equal(buf_span(&body), BYTES("\xb6\x0e\x30\x0c\x30\x0a" ID_IT("\x12"))));
    assert_ok(cmp_body_genp_list(CMP_INFO_CRLS, values, 2, &body, &e), &e);
    assert_true(span_equal(buf_span(&body), BYTES("\xb6\x14\x30\x12\x30\x10" ID_IT(
                                                "\x17") "\x30\x04\x30\x00\x30\x00")));
    assert_ok(cmp_body_genp_list(CMP_INFO_CRLS, values, 0, &body, &e), &e);
    assert_true(span_equal(buf_span(&body), BYTES("\xb6\x0e\x30\x0c\x30\x0a" ID_IT("\x17"))));
    assert_ok(cmp_body_genp_one(CMP_INFO_CURRENT_CRL, values[0], &body, &e), &e);
    assert_true(
        span_equal(buf_span(&body), BYTES("\xb6\x10\x30\x0e\x30\x0c" ID_IT("\x06") "\x30\x00")));
    assert_ok(cmp_body_genp_root(values[0], values[0], values[0], &body, &e), &e);
    assert_true(span_equal(buf_span(&body),
                           BYTES("\xb6\x1a\x30\x18\x30\x16" ID_IT(
                               "\x12") "\x30\x0a\x30\x00\xa0\x02\x30\x00\xa1\x02\x30\x00")));
    assert_ok(cmp_body_genp_template(values[0], &none, &body, &e), &e);
    assert_true(span_equal(buf_span(&body), BYTES("\xb6\x16\x30\x14\x30\x12" ID_IT(
                                                "\x13") "\x30\x06\x30\x04\xa5\x02\x30\x00")));
    assert_ok(cmp_body_genp_template(values[0], &spec, &body, &e), &e);
    assert_true(span_equal(
        buf_span(&body),
        BYTES("\xb6\x3b\x30\x39\x30\x37" ID_IT(
            "\x13") "\x30\x2b\x30\x04\xa5\x02\x30\x00\x30\x23"
                    "\x30\x10\x06\x09\x2b\x06\x01\x05\x05\x07\x05\x01\x0b\x30\x03\x06\x01\x2a"
                    "\x30\x0f\x06\x09\x2b\x06\x01\x05\x05\x07\x05\x01\x0c\x02\x02\x08\x00")));
}

#define LONG "a value that is longer than the wrapper around it"

static int
make_one(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    return cmp_body_genp_one(CMP_INFO_CURRENT_CRL, SPAN_LITERAL(LONG), out, e);
}

static int
make_list(const void *arg, struct buf *out, struct err *e)
{
    const struct span values[] = {SPAN_LITERAL(LONG LONG), SPAN_LITERAL(LONG)};

    (void)arg;
    return cmp_body_genp_list(CMP_INFO_CRLS, values, 2, out, e);
}

static int
make_root(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    return cmp_body_genp_root(SPAN_LITERAL(LONG LONG LONG LONG LONG LONG LONG LONG),
                              SPAN_LITERAL(LONG LONG LONG), SPAN_LITERAL(LONG), out, e);
}

static int
make_template(const void *arg, struct buf *out, struct err *e)
{
    const struct span algorithms[] = {SPAN_LITERAL(LONG LONG LONG), SPAN_LITERAL(LONG LONG)};
    const int bits[] = {256, 32767};
    const struct cmp_key_spec spec = {algorithms, 2, bits, 2};

    return cmp_body_genp_template(SPAN_LITERAL(LONG), arg == NULL ? &spec : arg, out, e);
}

static void
an_answer_is_whole_or_there_is_none(void **state)
{
    static const struct cmp_key_spec none;
    static const int bits[] = {2048, 3072};
    static const struct cmp_key_spec lengths = {NULL, 0, bits, 2};

    (void)state;
    needs_its_room("one", make_one, NULL);
    needs_its_room("list", make_list, NULL);
    needs_its_room("root", make_root, NULL);
    needs_its_room("template", make_template, NULL);
    needs_its_room("template without controls", make_template, &none);
    needs_its_room("template with lengths", make_template, &lengths);
}

static void
a_profile_s_name_is_taken_up_to_its_limit(void **state)
{
    const struct world *w = *state;
    char text[CMP_PROFILE_NAME_MAX + 1];

    memset(text, 'z', sizeof(text));
    text[0] = '9';
    for (size_t n = CMP_PROFILE_NAME_MAX; n <= CMP_PROFILE_NAME_MAX + 1; n++) {
        CLEANUP(buf_free) struct buf string = BUF_INIT(1024);
        CLEANUP(buf_free) struct buf value = BUF_INIT(1024);
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
        char name[CMP_PROFILE_NAME_MAX + 1];
        enum cmp_failure failure = CMP_NO_FAILURE;
        struct err e = {0};

        assert_ok(der_append(&string, 0x0c, span_of(text, n), &e), &e);
        assert_ok(der_append(&value, DER_SEQUENCE, buf_span(&string), &e), &e);
        msg = message(w, CMP_GENM, BYTES("\x30\x00"), CMP_OID_CERT_PROFILE, buf_span(&value));
        if (n <= CMP_PROFILE_NAME_MAX) {
            assert_ok(cmp_profile_read(msg, name, &failure, &e), &e);
            assert_int_equal(strlen(name), n);
        } else {
            assert_int_equal(cmp_profile_read(msg, name, &failure, &e), -1);
            assert_int_equal(failure, CMP_NOT_AUTHORIZED);
        }
    }
}

static void
each_question_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(cmp_info_name(CMP_INFO_SIGN_KEY_TYPES), "signKeyPairTypes");
    assert_string_equal(cmp_info_name(CMP_INFO_CRLS), "crlStatusList");
    assert_string_equal(cmp_info_name((enum cmp_info)(CMP_INFO_CRLS + 1)), "unknown");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_question_is_read_and_nothing_else),
        cmocka_unit_test(a_status_list_says_which_crl_and_since_when),
        cmocka_unit_test(too_many_crls_are_a_bad_request),
        cmocka_unit_test(cert_profile_is_one_name),
        cmocka_unit_test(answers_are_the_octets_of_the_standard),
        cmocka_unit_test(an_answer_is_whole_or_there_is_none),
        cmocka_unit_test(a_profile_s_name_is_taken_up_to_its_limit),
        cmocka_unit_test(each_question_has_a_name),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
