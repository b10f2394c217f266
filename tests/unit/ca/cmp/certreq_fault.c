/* SPDX-License-Identifier: Apache-2.0 */
/* One row for each fault of a CRMF request: it is changed in one thing before it is encoded. */
#include "ca/cmp/certreq.h"

#include "ca/cmp/message/asn1.h"
#include "ca/cmp/message/der.h"
#include "ca/cmp/message/field.h"
#include "tests/unit/ca/cmp/fixture.h"

/* A change to a good request before it is encoded. */
typedef void change_fn(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request);

static void
nothing(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    (void)messages;
    (void)request;
}

static void
two_requests(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    (void)request;
    assert_true(sk_CMP_REQ_MSG_push(messages, ASN1_item_dup(ASN1_ITEM_rptr(CMP_REQ_MSG),
                                                            sk_CMP_REQ_MSG_value(messages, 0))) >
                0);
}

static void
no_requests(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    (void)request;
    CMP_REQ_MSG_free(sk_CMP_REQ_MSG_pop(messages));
}

static void
id_1(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    (void)messages;
    assert_int_equal(ASN1_INTEGER_set_int64(request->cert_req_id, 1), 1);
}

static void
id_below_0(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    (void)messages;
    assert_int_equal(ASN1_INTEGER_set_int64(request->cert_req_id, -1), 1);
}

static void
no_subject(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    (void)messages;
    X509_NAME_free(request->template->subject);
    request->template->subject = NULL;
}

static void
null_dn(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    no_subject(messages, request);
    request->template->subject = X509_NAME_new();
}

static void
null_dn_with_san(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    X509_EXTENSION *san =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:amf.5gc.example");

    null_dn(messages, request);
    request->template->extensions = sk_X509_EXTENSION_new_null();
    assert_true(sk_X509_EXTENSION_push(request->template->extensions, san) > 0);
}

static void
no_key(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    (void)messages;
    CMP_SPKI_free(request->template->public_key);
    request->template->public_key = NULL;
}

/* RFC 9483 4.1.6: an algorithm that is wished for, and an empty key */
static void
empty_key(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    (void)messages;
    assert_int_equal(ASN1_BIT_STRING_set(request->template->public_key->key, NULL, 0), 1);
}

static void
broken_key(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    (void)messages;
    /* no longer a point of the curve */
    request->template->public_key->key->data[20] ^= 1;
}

static void
unknown_key(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    (void)messages;
    assert_int_equal(X509_ALGOR_set0(request->template->public_key->algorithm, OBJ_nid2obj(NID_dsa),
                                     V_ASN1_NULL, NULL),
                     1);
}

static void
other_curve(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    (void)messages;
    assert_int_equal(X509_ALGOR_set0(request->template->public_key->algorithm,
                                     OBJ_nid2obj(NID_X9_62_id_ecPublicKey), V_ASN1_OBJECT,
                                     OBJ_nid2obj(NID_secp256k1)),
                     1);
}

static void
version_1(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    (void)messages;
    request->template->version = ASN1_INTEGER_new();
    assert_int_equal(ASN1_INTEGER_set_int64(request->template->version, 0), 1);
}

static void
version_3(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    (void)messages;
    request->template->version = ASN1_INTEGER_new();
    assert_int_equal(ASN1_INTEGER_set_int64(request->template->version, 2), 1);
}

static void
serial_number(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    (void)messages;
    request->template->serial = ASN1_INTEGER_new();
    assert_int_equal(ASN1_INTEGER_set_int64(request->template->serial, 7), 1);
}

static void
signing_alg(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    (void)messages;
    request->template->signing_alg = X509_ALGOR_dup(request->template->public_key->algorithm);
}

static void
pop_wrong(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    (void)request;
    sk_CMP_REQ_MSG_value(messages, 0)->pop->d.signature->signature->data[12] ^= 1;
}

static void
pop_with_sha1(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    (void)request;
    assert_int_equal(X509_ALGOR_set0(sk_CMP_REQ_MSG_value(messages, 0)->pop->d.signature->algorithm,
                                     OBJ_nid2obj(NID_ecdsa_with_SHA1), V_ASN1_UNDEF, NULL),
                     1);
}

static void
pop_of_rsa(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    (void)request;
    assert_int_equal(X509_ALGOR_set0(sk_CMP_REQ_MSG_value(messages, 0)->pop->d.signature->algorithm,
                                     OBJ_nid2obj(NID_sha256WithRSAEncryption), V_ASN1_NULL, NULL),
                     1);
}

static void
pop_with_input(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    ASN1_TYPE *null = ASN1_TYPE_new();

    (void)request;
    ASN1_TYPE_set(null, V_ASN1_NULL, NULL);
    sk_CMP_REQ_MSG_value(messages, 0)->pop->d.signature->input = sk_ASN1_TYPE_new_null();
    assert_true(
        sk_ASN1_TYPE_push(sk_CMP_REQ_MSG_value(messages, 0)->pop->d.signature->input, null) > 0);
}

static void
pop_by_encryption(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    CMP_REQ_MSG *one = sk_CMP_REQ_MSG_value(messages, 0);

    (void)request;
    CMP_POP_free(one->pop);
    one->pop = CMP_POP_new();
    one->pop->type = CMP_POP_ENCIPHERMENT;
    one->pop->d.other = ASN1_TYPE_new();
    ASN1_TYPE_set(one->pop->d.other, V_ASN1_NULL, NULL);
}

static void
control_push(CMP_CERT_REQUEST *request, int nid, int type)
{
    CMP_CONTROL *control = CMP_CONTROL_new();
    CMP_CERT_ID *id = CMP_CERT_ID_new();
    CLEANUP(buf_free) struct buf der = BUF_INIT(1000);
    const unsigned char *in;
    struct err e = {0};

    GENERAL_NAME_free(id->issuer);
    id->issuer = GENERAL_NAME_new();
    if (type == GEN_DIRNAME) {
        GENERAL_NAME_set0_value(id->issuer, GEN_DIRNAME, name_of("issuer"));
    } else {
        ASN1_IA5STRING *text = ASN1_IA5STRING_new();

        assert_int_equal(ASN1_STRING_set(text, "x", 1), 1);
        GENERAL_NAME_set0_value(id->issuer, type, text);
    }
    assert_ok(field_encode(ASN1_ITEM_rptr(CMP_CERT_ID), id, &der, &e), &e);
    CMP_CERT_ID_free(id);
    ASN1_OBJECT_free(control->type);
    control->type = OBJ_nid2obj(nid);
    ASN1_TYPE_free(control->value);
    in = der.p;
    control->value = d2i_ASN1_TYPE(NULL, &in, (long)der.n);
    assert_non_null(control->value);
    if (request->controls == NULL) {
        request->controls = sk_CMP_CONTROL_new_null();
    }
    assert_true(sk_CMP_CONTROL_push(request->controls, control) > 0);
}

static void
old_cert(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    (void)messages;
    control_push(request, NID_id_regCtrl_oldCertID, GEN_DIRNAME);
}

static void
two_old_certs(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    old_cert(messages, request);
    old_cert(messages, request);
}

static void
two_other_controls(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    (void)messages;
    control_push(request, NID_id_regCtrl_regToken, GEN_DIRNAME);
    control_push(request, NID_id_regCtrl_regToken, GEN_DIRNAME);
}

static void
old_cert_of_dns(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    (void)messages;
    control_push(request, NID_id_regCtrl_oldCertID, GEN_DNS);
}

static void
old_cert_of_uri(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    (void)messages;
    control_push(request, NID_id_regCtrl_oldCertID, GEN_URI);
}

static void
old_cert_of_null(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    old_cert(messages, request);
    ASN1_TYPE_set(sk_CMP_CONTROL_value(request->controls, 0)->value, V_ASN1_NULL, NULL);
}

static void
issuer_uid(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    (void)messages;
    request->template->issuer_uid = ASN1_BIT_STRING_new();
}

static void
subject_uid(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    (void)messages;
    request->template->subject_uid = ASN1_BIT_STRING_new();
}

static void
id_too_big(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    (void)messages;
    assert_int_equal(ASN1_INTEGER_set_int64(request->cert_req_id, (int64_t)INT32_MAX + 1), 1);
}

static void
pop_by_agreement(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    CMP_REQ_MSG *one = sk_CMP_REQ_MSG_value(messages, 0);

    (void)request;
    CMP_POP_free(one->pop);
    one->pop = CMP_POP_new();
    one->pop->type = CMP_POP_ENCIPHERMENT + 1;
    one->pop->d.other = ASN1_TYPE_new();
    ASN1_TYPE_set(one->pop->d.other, V_ASN1_NULL, NULL);
}

static void
template_changed_after_the_proof(CMP_REQ_MSGS *messages, CMP_CERT_REQUEST *request)
{
    null_dn_with_san(messages, request);
}

/* Body of an ir with the change, given to the reader and, when that accepts, to the POP check. */
static enum cmp_failure
try_change(const struct world *w, change_fn *change, bool *read)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf request_der_ = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf changed = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf wrapped = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    CLEANUP(cmp_certreq_cleanup) struct cmp_certreq *r = NULL;
    enum cmp_failure failure = CMP_SYSTEM_FAILURE;
    struct err e = {0};
    struct der inner;
    CMP_REQ_MSGS *messages;
    CMP_CERT_REQUEST *request;
    CMP_REQ_MSG *one;
    ASN1_TYPE *raw;
    struct cmp_header h;

    assert_ok(cmp_client_body_request(CMP_IR, w->key, w->subject, &body, &e), &e);
    assert_true(der_only(buf_span(&body), DER_CONTEXT | CMP_IR, &inner));
    messages = field_decode(ASN1_ITEM_rptr(CMP_REQ_MSGS), inner.content, "test", &e);
    assert_non_null(messages);
    one = sk_CMP_REQ_MSG_value(messages, 0);
    request = field_decode(ASN1_ITEM_rptr(CMP_CERT_REQUEST), field_raw(one->request), "test", &e);
    assert_non_null(request);
    change(messages, request);
    assert_ok(field_encode(ASN1_ITEM_rptr(CMP_CERT_REQUEST), request, &request_der_, &e), &e);
    raw = field_decode(ASN1_ITEM_rptr(ASN1_ANY), buf_span(&request_der_), "test", &e);
    if (sk_CMP_REQ_MSG_num(messages) > 0) {
        ASN1_TYPE_free(one->request);
        one->request = raw;
    } else {
        ASN1_TYPE_free(raw);
    }
    assert_ok(field_encode(ASN1_ITEM_rptr(CMP_REQ_MSGS), messages, &changed, &e), &e);
    assert_ok(der_append(&wrapped, DER_CONTEXT | CMP_IR, buf_span(&changed), &e), &e);
    sk_CMP_REQ_MSG_pop_free(messages, CMP_REQ_MSG_free);
    CMP_CERT_REQUEST_free(request);

    assert_ok(cmp_header_first(&h, &e), &e);
    msg = sealed(&w->mac, &h, buf_span(&wrapped));
    r = cmp_certreq_read(msg, &failure, &e);
    *read = r != NULL;
    if (r != NULL) {
        (void)cmp_certreq_check_pop(r, &failure, &e);
    }
    return failure;
}

static void
each_fault_of_a_request_gives_its_failinfo(void **state)
{
    static const struct {
        const char *name;
        change_fn *change;
        enum cmp_failure failure;
        bool read; /* the reader accepts, the proof is what is wrong */
    } rows[] = {
        {"good", nothing, CMP_NO_FAILURE, true},
        {"two requests", two_requests, CMP_BAD_REQUEST, false},
        {"no requests", no_requests, CMP_BAD_REQUEST, false},
        {"certReqId 1, after the proof", id_1, CMP_BAD_POP, true}, /* 0 or not is the RA's to say */
        {"certReqId -1", id_below_0, CMP_BAD_REQUEST, false},
        {"no subject", no_subject, CMP_BAD_CERT_TEMPLATE, false},
        {"NULL-DN", null_dn, CMP_BAD_CERT_TEMPLATE, false},
        {"no key", no_key, CMP_BAD_CERT_TEMPLATE, false},
        {"key that the CA shall make", empty_key, CMP_BAD_CERT_TEMPLATE, false},
        {"key that is no point", broken_key, CMP_BAD_CERT_TEMPLATE, false},
        {"DSA key", unknown_key, CMP_BAD_CERT_TEMPLATE, false},
        {"secp256k1", other_curve, CMP_BAD_CERT_TEMPLATE, false},
        {"version v1", version_1, CMP_BAD_CERT_TEMPLATE, false},
        {"version v3, after the proof", version_3, CMP_BAD_POP, true},
        {"serialNumber", serial_number, CMP_BAD_CERT_TEMPLATE, false},
        {"signingAlg", signing_alg, CMP_BAD_CERT_TEMPLATE, false},
        {"wrong proof", pop_wrong, CMP_BAD_POP, true},
        {"proof with SHA-1", pop_with_sha1, CMP_BAD_ALG, true},
        {"proof of another algorithm", pop_of_rsa, CMP_BAD_POP, true},
        {"poposkInput", pop_with_input, CMP_BAD_POP, false},
        {"keyEncipherment", pop_by_encryption, CMP_BAD_POP, false},
        {"keyAgreement", pop_by_agreement, CMP_BAD_POP, false},
        {"certReqId above an int", id_too_big, CMP_BAD_REQUEST, false},
        {"issuerUID", issuer_uid, CMP_BAD_CERT_TEMPLATE, false},
        {"subjectUID", subject_uid, CMP_BAD_CERT_TEMPLATE, false},
        {"oldCertID, after the proof", old_cert, CMP_BAD_POP, true},
        {"other controls, after the proof", two_other_controls, CMP_BAD_POP, true},
        {"two oldCertID", two_old_certs, CMP_BAD_DATA_FORMAT, false},
        {"oldCertID of a dNSName", old_cert_of_dns, CMP_BAD_DATA_FORMAT, false},
        {"oldCertID of a URI", old_cert_of_uri, CMP_BAD_DATA_FORMAT, false},
        {"oldCertID that is NULL", old_cert_of_null, CMP_BAD_DATA_FORMAT, false},
        {"changed after the proof", template_changed_after_the_proof, CMP_BAD_POP, true},
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool read;
        enum cmp_failure failure = try_change(w, rows[i].change, &read);

        if (failure != rows[i].failure || read != rows[i].read) {
            fail_msg("%s: %s, expected %s", rows[i].name, cmp_failure_name(failure),
                     cmp_failure_name(rows[i].failure));
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_of_a_request_gives_its_failinfo),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
