/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/message/revoke.h"

#include <assert.h>
#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/message/asn1.h"
#include "ca/cmp/message/field.h"
#include "ca/cmp/message/phrase.h"
#include "ca/x509/name.h"

static void
request_release(CMP_REV_REQ **request)
{
    sk_CMP_REV_DETAILS_pop_free(*request, CMP_REV_DETAILS_free);
}

static void
enumerated_release(ASN1_ENUMERATED **value)
{
    ASN1_ENUMERATED_free(*value);
}

static void
time_release(ASN1_GENERALIZEDTIME **value)
{
    ASN1_GENERALIZEDTIME_free(*value);
}

static int
read_key(const CMP_TEMPLATE *t, struct cmp_revreq *out, enum cmp_failure *failure, struct err *e)
{
    CLEANUP(buf_free) struct buf spki = BUF_INIT(CMP_MESSAGE_MAX);

    if (t->public_key == NULL) {
        return 0;
    }
    *failure = CMP_SYSTEM_FAILURE;
    out->has_key = true;
    return field_encode(ASN1_ITEM_rptr(CMP_SPKI), t->public_key, &spki, e) != 0
               ? -1
               : sha256(buf_span(&spki), out->spki_sha256, e);
}

static int
read_certificate(const CMP_TEMPLATE *t, const X509_NAME *issuer, struct cmp_revreq *out,
                 enum cmp_failure *failure, struct err *e)
{
    struct span serial;

    if (t->issuer == NULL || t->serial == NULL) {
        return cmp_fault(failure, CMP_ADD_INFO_NOT_AVAILABLE, e,
                         "rr without issuer or serialNumber");
    }
    if (issuer != NULL && !name_equal_as_set(t->issuer, issuer)) {
        return cmp_fault(failure, CMP_BAD_CERT_ID, e, "rr for a certificate of another issuer");
    }
    serial = field_span(t->serial);
    if (serial.n == 0 || serial.n > sizeof(out->serial) ||
        ASN1_STRING_type(t->serial) != V_ASN1_INTEGER) {
        return cmp_fault(failure, CMP_BAD_CERT_ID, e,
                         "rr for a serial number that none of ours is");
    }
    memcpy(out->serial, serial.p, serial.n);
    out->serial_size = serial.n;
    return read_key(t, out, failure, e);
}

/* RFC 5280 5.3.1, as far as it is about end entities. A compromise that is reported under the name
 * for CAs or attribute authorities is one all the same: no label keeps a key in use. */
static int
take_reason(long reason, int *out, enum cmp_failure *failure, struct err *e)
{
    switch (reason) {
    case CRL_REASON_CA_COMPROMISE:
    case CRL_REASON_AA_COMPROMISE:
        *out = CRL_REASON_KEY_COMPROMISE;
        return 0;
    case CRL_REASON_UNSPECIFIED:
    case CRL_REASON_KEY_COMPROMISE:
    case CRL_REASON_AFFILIATION_CHANGED:
    case CRL_REASON_SUPERSEDED:
    case CRL_REASON_CESSATION_OF_OPERATION:
    case CRL_REASON_PRIVILEGE_WITHDRAWN:
        *out = (int)reason;
        return 0;
    case CRL_REASON_CERTIFICATE_HOLD:
    case CRL_REASON_REMOVE_FROM_CRL:
        return cmp_fault(failure, CMP_BAD_REQUEST, e, "hold and its end are not done here");
    default:
        return cmp_fault(failure, CMP_BAD_DATA_FORMAT, e, "reasonCode %ld", reason);
    }
}

static int
read_reason(STACK_OF(X509_EXTENSION) * extensions, struct cmp_revreq *out,
            enum cmp_failure *failure, struct err *e)
{
    int critical = -1;
    CLEANUP(enumerated_release)
    ASN1_ENUMERATED *reason = X509V3_get_d2i(extensions, NID_crl_reason, &critical, NULL);

    if (reason == NULL && critical == -1) {
        return cmp_fault(failure, CMP_ADD_INFO_NOT_AVAILABLE, e, "rr without reasonCode");
    }
    if (reason == NULL) {
        /* -2: twice (RFC 9483 4.2: exactly one) */
        (void)ossl_err(e, ERR_INPUT, "rr with two reasonCodes, or one that does not decode");
        *failure = CMP_BAD_DATA_FORMAT;
        return -1;
    }
    return take_reason(ASN1_ENUMERATED_get(reason), &out->reason, failure, e);
}

static int
read_invalidity(STACK_OF(X509_EXTENSION) * extensions, struct cmp_revreq *out,
                enum cmp_failure *failure, struct err *e)
{
    int critical = -1;
    CLEANUP(time_release)
    ASN1_GENERALIZEDTIME *date = X509V3_get_d2i(extensions, NID_invalidity_date, &critical, NULL);

    if (date == NULL && critical == -1) {
        return 0;
    }
    *failure = CMP_BAD_DATA_FORMAT;
    if (date == NULL) {
        return ossl_err(e, ERR_INPUT, "rr with two invalidityDates, or one that does not decode");
    }
    out->has_invalidity = true;
    return field_time(date, &out->invalidity_date, e);
}

static int
check_others(const STACK_OF(X509_EXTENSION) * extensions, enum cmp_failure *failure, struct err *e)
{
    for (int i = 0; i < sk_X509_EXTENSION_num(extensions); i++) {
        X509_EXTENSION *extension = sk_X509_EXTENSION_value(extensions, i);
        int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));

        if (nid != NID_crl_reason && nid != NID_invalidity_date &&
            X509_EXTENSION_get_critical(extension) != 0) {
            return cmp_fault(failure, CMP_UNACCEPTED_EXTENSION, e,
                             "rr with a critical extension that is not known");
        }
    }
    return 0;
}

int
cmp_revreq_read(const struct cmp_msg *msg, const X509_NAME *issuer, struct cmp_revreq *out,
                enum cmp_failure *failure, struct err *e)
{
    CLEANUP(request_release) CMP_REV_REQ *request = NULL;
    const CMP_REV_DETAILS *details;

    assert(cmp_msg_body(msg) == CMP_RR);
    *out = (struct cmp_revreq){0};
    *failure = CMP_BAD_DATA_FORMAT;
    request = field_decode(ASN1_ITEM_rptr(CMP_REV_REQ), cmp_msg_content(msg), "rr", e);
    if (request == NULL) {
        return -1;
    }
    if (sk_CMP_REV_DETAILS_num(request) != 1) {
        return cmp_fault(failure, CMP_BAD_REQUEST, e, "%d RevDetails; exactly one is accepted",
                         sk_CMP_REV_DETAILS_num(request));
    }
    details = sk_CMP_REV_DETAILS_value(request, 0);
    if (read_certificate(details->certificate, issuer, out, failure, e) != 0 ||
        read_reason(details->entry, out, failure, e) != 0 ||
        read_invalidity(details->entry, out, failure, e) != 0 ||
        check_others(details->entry, failure, e) != 0) {
        return -1;
    }
    *failure = CMP_NO_FAILURE;
    return 0;
}

int
cmp_revreq_check_key(const struct cmp_revreq *r, const uint8_t spki_sha256[SHA256_SIZE],
                     enum cmp_failure *failure, struct err *e)
{
    if (r->has_key && memcmp(r->spki_sha256, spki_sha256, SHA256_SIZE) != 0) {
        return phrase_refuse(failure, PHRASE_REVOKE_KEY, e,
                             "rr names another key than the certificate's");
    }
    *failure = CMP_NO_FAILURE;
    return 0;
}
