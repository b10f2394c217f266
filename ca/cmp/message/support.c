/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/message/support.h"

#include <assert.h>
#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/message/der.h"
#include "ca/cmp/message/field.h"
#include "ca/cmp/message/phrase.h"

enum {
    ID_IT_SIGN_KEY_PAIR_TYPES = 2,
    ID_IT_CURRENT_CRL = 6,
    ID_IT_CA_CERTS = 17,
    ID_IT_ROOT_CA_KEY_UPDATE = 18,
    ID_IT_CERT_REQ_TEMPLATE = 19,
    ID_IT_ROOT_CA_CERT = 20,
    ID_IT_CRL_STATUS_LIST = 22,
    ID_IT_CRLS = 23,
    DER_UTF8_STRING = 0x0c,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    TEMPLATE_SUBJECT = DER_CONTEXT | 5,
};

/* id-it: 1.3.6.1.5.5.7.4, and one more arc below 128 */
static const uint8_t id_it[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x04};
/* id-regCtrl-algId and -rsaKeyLen (RFC 9810 5.3.19.16): 1.3.6.1.5.5.7.5.1.11 and 12 */
static const uint8_t alg_id[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x05, 0x01, 0x0b};
static const uint8_t rsa_key_len[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x05, 0x01, 0x0c};

static const struct {
    const char *name;
    uint8_t question;
    uint8_t answer;
    bool takes_value;
    bool needs_value;
} infos[] = {
    [CMP_INFO_SIGN_KEY_TYPES] = {"signKeyPairTypes", ID_IT_SIGN_KEY_PAIR_TYPES,
                                 ID_IT_SIGN_KEY_PAIR_TYPES, false, false},
    [CMP_INFO_CURRENT_CRL] = {"currentCRL", ID_IT_CURRENT_CRL, ID_IT_CURRENT_CRL, false, false},
    [CMP_INFO_CA_CERTS] = {"caCerts", ID_IT_CA_CERTS, ID_IT_CA_CERTS, false, false},
    [CMP_INFO_ROOT_UPDATE] = {"rootCaCert", ID_IT_ROOT_CA_CERT, ID_IT_ROOT_CA_KEY_UPDATE, true,
                              false},
    [CMP_INFO_TEMPLATE] = {"certReqTemplate", ID_IT_CERT_REQ_TEMPLATE, ID_IT_CERT_REQ_TEMPLATE,
                           false, false},
    [CMP_INFO_CRLS] = {"crlStatusList", ID_IT_CRL_STATUS_LIST, ID_IT_CRLS, true, true},
};

const char *
cmp_info_name(enum cmp_info info)
{
    return (size_t)info < ARRAY_LEN(infos) ? infos[info].name : "unknown";
}

/* ---- genm ---- */

static int
malformed(enum cmp_failure *failure, struct err *e, const char *what)
{
    (void)phrase_refuse(failure, PHRASE_FORM, e, "%s is malformed", what);
    return phrase_value(e, "%s", what);
}

/* Which question is it? */
static int
find_info(struct span oid, enum cmp_info *out, enum cmp_failure *failure, struct err *e)
{
    if (oid.n == sizeof(id_it) + 1 && memcmp(oid.p, id_it, sizeof(id_it)) == 0) {
        for (size_t i = 0; i < ARRAY_LEN(infos); i++) {
            if (infos[i].question == oid.p[sizeof(id_it)]) {
                *out = (enum cmp_info)i;
                return 0;
            }
        }
    }
    return cmp_fault(failure, CMP_BAD_REQUEST, e, "genm: this infoType is not answered here");
}

int
cmp_genm_read(const struct cmp_msg *msg, struct cmp_genm *out, enum cmp_failure *failure,
              struct err *e)
{
    assert(cmp_msg_body(msg) == CMP_GENM);
    return cmp_genm_parse(cmp_msg_content(msg), out, failure, e);
}

int
cmp_genm_parse(struct span content, struct cmp_genm *out, enum cmp_failure *failure, struct err *e)
{
    struct der list;
    struct der info;
    struct der oid;

    if (!der_only(content, DER_SEQUENCE, &list)) {
        return malformed(failure, e, "genm");
    }
    /* RFC 9483 4.3: one element. None is the PKI message that asks for everything (RFC 9810
     * 5.3.19), which nobody answers in full. */
    if (!der_next(&list.content, &info) || list.content.n != 0) {
        return cmp_fault(failure, CMP_BAD_REQUEST, e, "genm: exactly one infoType is accepted");
    }
    if (info.tag != DER_SEQUENCE || !der_next(&info.content, &oid) || oid.tag != DER_OID) {
        return malformed(failure, e, "genm");
    }
    if (find_info(oid.content, &out->info, failure, e) != 0) {
        return -1;
    }
    out->value = info.content;
    if (out->value.n == 0) {
        return infos[out->info].needs_value
                   ? cmp_fault(failure, CMP_BAD_REQUEST, e, "genm: %s without its list",
                               infos[out->info].name)
                   : 0;
    }
    if (!infos[out->info].takes_value) {
        return cmp_fault(failure, CMP_BAD_REQUEST, e, "genm: %s has no value",
                         infos[out->info].name);
    }
    return der_only(out->value, DER_SEQUENCE, &info) ? 0 : malformed(failure, e, "genm");
}

/* Time ::= CHOICE { utcTime, generalTime }, both with seconds and Z (RFC 5280 4.1.2.5). */
static int
read_time(const struct der *d, time_t *out)
{
    CLEANUP(asn1_time_cleanup) ASN1_TIME *t = NULL;
    struct tm tm = {0};
    const size_t n =
        d->tag == DER_UTC_TIME ? sizeof("YYMMDDHHMMSSZ") - 1 : sizeof("YYYYMMDDHHMMSSZ") - 1;
    struct err e;

    if ((d->tag != DER_UTC_TIME && d->tag != DER_GENERALIZED_TIME) || d->content.n != n) {
        return -1;
    }
    t = field_decode(ASN1_ITEM_rptr(ASN1_TIME), d->whole, "time", &e);
    if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1) {
        return -1;
    }
    *out = timegm(&tm);
    return 0;
}

/* CRLSource ::= CHOICE { dpn [0] DistributionPointName, issuer [1] GeneralNames }, explicit tags;
 * DistributionPointName ::= CHOICE { fullName [0], nameRelativeToCRLIssuer [1] }, implicit ones */
static int
read_source(const struct der *source, struct cmp_crl_status *out)
{
    struct der names;

    out->is_issuer = source->tag == (DER_CONTEXT | 1);
    if (out->is_issuer) {
        if (!der_only(source->content, DER_SEQUENCE, &names)) {
            return -1;
        }
        out->names = names.content;
        return 0;
    }
    if (source->tag != DER_CONTEXT) {
        return -1;
    }
    if (der_only(source->content, DER_CONTEXT, &names)) {
        out->names = names.content;
        return 0;
    }
    return der_only(source->content, DER_CONTEXT | 1, &names) ? 0 : -1;
}

int
cmp_crl_status_read(struct span value, struct cmp_crl_status out[CMP_CRL_STATUS_MAX], size_t *n,
                    enum cmp_failure *failure, struct err *e)
{
    struct der list;
    struct der status;
    struct der part;

    *n = 0;
    if (!der_only(value, DER_SEQUENCE, &list) || list.content.n == 0) {
        return malformed(failure, e, "crlStatusList");
    }
    while (list.content.n != 0) {
        struct cmp_crl_status *s = &out[*n];

        if (*n == CMP_CRL_STATUS_MAX) {
            return cmp_fault(failure, CMP_BAD_REQUEST, e, "crlStatusList: more than %d CRLs",
                             CMP_CRL_STATUS_MAX);
        }
        *s = (struct cmp_crl_status){0};
        if (!der_next(&list.content, &status) || status.tag != DER_SEQUENCE ||
            !der_next(&status.content, &part) || read_source(&part, s) != 0) {
            return malformed(failure, e, "crlStatusList");
        }
        if (status.content.n != 0 && (!der_next(&status.content, &part) || status.content.n != 0 ||
                                      read_time(&part, &s->this_update) != 0)) {
            return malformed(failure, e, "crlStatusList");
        }
        (*n)++;
    }
    return 0;
}

int
cmp_profile_read(const struct cmp_msg *msg, char out[CMP_PROFILE_NAME_MAX + 1],
                 enum cmp_failure *failure, struct err *e)
{
    struct span value;
    struct der list;
    struct der name;

    out[0] = '\0';
    if (cmp_msg_info_count(msg) == 0 || !cmp_msg_info(msg, CMP_OID_CERT_PROFILE, &value)) {
        return 0;
    }
    if (!der_only(value, DER_SEQUENCE, &list) || !der_next(&list.content, &name) ||
        name.tag != DER_UTF8_STRING) {
        return malformed(failure, e, "certProfile");
    }
    /* RFC 9810 5.1.1.4: one for each CertReqMsg, and there is one */
    if (list.content.n != 0) {
        return cmp_fault(failure, CMP_BAD_REQUEST, e, "certProfile: exactly one name is accepted");
    }
    if (name.content.n == 0 || name.content.n > CMP_PROFILE_NAME_MAX) {
        return phrase_refuse(failure, PHRASE_PROFILE_NAME, e, "certProfile names no profile");
    }
    for (size_t i = 0; i < name.content.n; i++) {
        char c = (char)name.content.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) {
            return phrase_refuse(failure, PHRASE_PROFILE_NAME, e, "certProfile names no profile");
        }
        out[i] = c;
    }
    out[name.content.n] = '\0';
    return 0;
}

/* ---- genp ---- */

int
cmp_body_genp_one(enum cmp_info info, struct span value, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf content = BUF_INIT(out->max);
    CLEANUP(buf_free) struct buf itav = BUF_INIT(out->max);
    CLEANUP(buf_free) struct buf list = BUF_INIT(out->max);
    uint8_t oid[sizeof(id_it) + 1];

    memcpy(oid, id_it, sizeof(id_it));
    oid[sizeof(id_it)] = infos[info].answer;
    buf_truncate(out, 0);
    if (der_append(&content, DER_OID, span_of(oid, sizeof(oid)), e) != 0 ||
        (value.n != 0 && buf_append(&content, value, e) != 0) ||
        der_append(&itav, DER_SEQUENCE, buf_span(&content), e) != 0 ||
        der_append(&list, DER_SEQUENCE, buf_span(&itav), e) != 0) {
        return err_wrap(e, "genp");
    }
    return der_append(out, (uint8_t)(DER_CONTEXT | (unsigned)CMP_GENP), buf_span(&list), e);
}

int
cmp_body_genp_none(enum cmp_info info, struct buf *out, struct err *e)
{
    return cmp_body_genp_one(info, span_of(NULL, 0), out, e);
}

int
cmp_body_genp_list(enum cmp_info info, const struct span *values, size_t n, struct buf *out,
                   struct err *e)
{
    CLEANUP(buf_free) struct buf content = BUF_INIT(out->max);
    CLEANUP(buf_free) struct buf list = BUF_INIT(out->max);

    if (n == 0) {
        return cmp_body_genp_none(info, out, e); /* SIZE (1..MAX) */
    }
    for (size_t i = 0; i < n; i++) {
        if (buf_append(&content, values[i], e) != 0) {
            return err_wrap(e, "genp");
        }
    }
    return der_append(&list, DER_SEQUENCE, buf_span(&content), e) != 0
               ? -1
               : cmp_body_genp_one(info, buf_span(&list), out, e);
}

/* RootCaKeyUpdateContent ::= SEQUENCE { newWithNew, newWithOld [0] OPTIONAL, oldWithNew [1]
 * OPTIONAL } (RFC 9810 5.3.19.15) */
int
cmp_body_genp_root(struct span new_with_new, struct span new_with_old, struct span old_with_new,
                   struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf content = BUF_INIT(out->max);
    CLEANUP(buf_free) struct buf update = BUF_INIT(out->max);

    if (buf_append(&content, new_with_new, e) != 0 ||
        der_append(&content, DER_CONTEXT, new_with_old, e) != 0 ||
        der_append(&content, DER_CONTEXT | 1, old_with_new, e) != 0 ||
        der_append(&update, DER_SEQUENCE, buf_span(&content), e) != 0) {
        return err_wrap(e, "genp");
    }
    return cmp_body_genp_one(CMP_INFO_ROOT_UPDATE, buf_span(&update), out, e);
}

/* AttributeTypeAndValue */
static int
append_control(struct buf *out, struct span oid, struct span value, struct err *e)
{
    CLEANUP(buf_free) struct buf content = BUF_INIT(out->max);

    if (der_append(&content, DER_OID, oid, e) != 0 || buf_append(&content, value, e) != 0) {
        return -1;
    }
    return der_append(out, DER_SEQUENCE, buf_span(&content), e);
}

static int
append_rsa_bits(struct buf *out, int bits, struct err *e)
{
    const uint8_t octets[] = {(uint8_t)((unsigned)bits >> 8), (uint8_t)((unsigned)bits & 0xffU)};
    CLEANUP(buf_free) struct buf integer = BUF_INIT(16);

    assert(bits >= 256 && bits < 32768);
    if (der_append(&integer, DER_INTEGER, span_of(octets, sizeof(octets)), e) != 0) {
        return -1;
    }
    return append_control(out, span_of(rsa_key_len, sizeof(rsa_key_len)), buf_span(&integer), e);
}

int
cmp_body_genp_template(struct span subject, const struct cmp_key_spec *spec, struct buf *out,
                       struct err *e)
{
    CLEANUP(buf_free) struct buf field = BUF_INIT(out->max);
    CLEANUP(buf_free) struct buf controls = BUF_INIT(out->max);
    CLEANUP(buf_free) struct buf content = BUF_INIT(out->max);
    CLEANUP(buf_free) struct buf value = BUF_INIT(out->max);

    for (size_t i = 0; i < spec->n_algorithms; i++) {
        if (append_control(&controls, span_of(alg_id, sizeof(alg_id)), spec->algorithms[i], e) !=
            0) {
            return err_wrap(e, "genp");
        }
    }
    for (size_t i = 0; i < spec->n_rsa_bits; i++) {
        if (append_rsa_bits(&controls, spec->rsa_bits[i], e) != 0) {
            return err_wrap(e, "genp");
        }
    }
    /* CertTemplate { subject [5] }: explicit, because Name is a CHOICE. Its publicKey is absent, as
     * RFC 9483 4.3.3 wants with a keySpec. */
    if (der_append(&field, TEMPLATE_SUBJECT, subject, e) != 0 ||
        der_append(&content, DER_SEQUENCE, buf_span(&field), e) != 0 ||
        (controls.n != 0 && der_append(&content, DER_SEQUENCE, buf_span(&controls), e) != 0) ||
        der_append(&value, DER_SEQUENCE, buf_span(&content), e) != 0) {
        return err_wrap(e, "genp");
    }
    return cmp_body_genp_one(CMP_INFO_TEMPLATE, buf_span(&value), out, e);
}
