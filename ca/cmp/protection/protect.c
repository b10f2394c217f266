/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/protection/protect.h"

#include <openssl/err.h>

#include "base/ossl.h"
#include "ca/cmp/message/field.h"
#include "ca/cmp/message/phrase.h"
#include "ca/cmp/protection/mac.h"
#include "ca/cmp/protection/signature.h"
#include "ca/cmp/protection/signers.h"

DEFINE_CLEANUP(bit_string_cleanup, ASN1_BIT_STRING, ASN1_BIT_STRING_free)

enum cmp_protection
cmp_protection_of(const struct cmp_msg *msg)
{
    const X509_ALGOR *algorithm = cmp_msg_protection_algorithm(msg);

    if (cmp_msg_protection(msg).n == 0 || algorithm == NULL) {
        return CMP_UNPROTECTED;
    }
    switch (OBJ_obj2nid(algorithm->algorithm)) {
    case NID_id_PasswordBasedMAC:
    case NID_pbmac1:
        return CMP_PROTECTION_MAC;
    default:
        return signature_is_known(algorithm) ? CMP_PROTECTION_SIGNATURE : CMP_PROTECTION_UNKNOWN;
    }
}

int
cmp_signature_algorithm_check(struct span algorithm, enum cmp_failure *failure, struct err *e)
{
    CLEANUP(x509_algor_cleanup)
    X509_ALGOR *decoded = field_decode(ASN1_ITEM_rptr(X509_ALGOR), algorithm, "protectionAlg", e);

    if (decoded == NULL) {
        *failure = CMP_BAD_ALG;
        return -1;
    }
    return signature_check_algorithm(decoded, failure, e);
}

/* One that has an identifier which cannot be read agrees with nothing. */
static bool
agrees_with_kid(const struct cmp_msg *msg, X509 *signer)
{
    const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(signer);
    struct span kid = cmp_msg_sender_kid(msg);

    if (ski == NULL && X509_get_ext_by_NID(signer, NID_subject_key_identifier, -1) >= 0) {
        return false;
    }
    return ski == NULL || kid.n == 0 || span_equal(kid, field_span(ski));
}

/* RFC 9483 3.1: sender is the subject of the protection certificate, senderKID its SKI. One that is
 * not there says nothing, and is the listener's to refuse (check.h). */
static int
check_identity(const struct cmp_msg *msg, X509 *signer, enum cmp_failure *failure, struct err *e)
{
    CLEANUP(x509_name_cleanup) X509_NAME *sender = cmp_msg_sender_name(msg, e);

    if (sender == NULL || X509_NAME_cmp(sender, X509_get_subject_name(signer)) != 0) {
        return cmp_fault(failure, CMP_BAD_MESSAGE_CHECK, e,
                         "sender is not the subject of the protection certificate");
    }
    if (!agrees_with_kid(msg, signer)) {
        return cmp_fault(failure, CMP_BAD_MESSAGE_CHECK, e,
                         "senderKID is not the subjectKeyIdentifier of the protection certificate");
    }
    return 0;
}

int
cmp_signature_verify(const struct cmp_msg *msg, X509 *signer, enum cmp_failure *failure,
                     struct err *e)
{
    CLEANUP(buf_free) struct buf part = BUF_INIT(CMP_NESTED_MAX);
    CLEANUP(bit_string_cleanup) ASN1_BIT_STRING *signature = NULL;
    EVP_PKEY *key = X509_get0_pubkey(signer);

    switch (cmp_protection_of(msg)) {
    case CMP_PROTECTION_SIGNATURE:
        break;
    case CMP_PROTECTION_UNKNOWN:
        return phrase_refuse(failure, PHRASE_PROTECTION_ALG, e, "protectionAlg is not known");
    case CMP_UNPROTECTED:
    case CMP_PROTECTION_MAC:
        return cmp_fault(failure, CMP_BAD_MESSAGE_CHECK, e, "message is not signed");
    }
    if (key == NULL) {
        return cmp_fault(failure, CMP_BAD_ALG, e,
                         "key of the protection certificate does not decode");
    }
    if (check_identity(msg, signer, failure, e) != 0) {
        return -1;
    }
    *failure = CMP_SYSTEM_FAILURE;
    if (cmp_msg_protected_part(msg, &part, e) != 0) {
        return -1;
    }
    signature = ASN1_BIT_STRING_new();
    if (signature == NULL || ASN1_STRING_set(signature, cmp_msg_protection(msg).p,
                                             (int)cmp_msg_protection(msg).n) != 1) {
        return ossl_err(e, ERR_CRYPTO, "signature");
    }
    return signature_verify(cmp_msg_protection_algorithm(msg), signature, buf_span(&part), key,
                            CMP_BAD_MESSAGE_CHECK, failure, e);
}

/* ---- which one ---- */

enum { SIGNERS_TRIED = 4 };

/* As agrees_with_kid(), of this extension alone; -1: memory is too short to tell. */
static int
may_agree_with_kid(const struct cmp_msg *msg, const X509 *one, bool *may, struct err *e)
{
    const int at = X509_get_ext_by_NID(one, NID_subject_key_identifier, -1);
    CLEANUP(asn1_octet_string_cleanup) ASN1_OCTET_STRING *ski = NULL;
    struct span kid = cmp_msg_sender_kid(msg);

    *may = at < 0;
    if (at < 0 || X509_get_ext_by_NID(one, NID_subject_key_identifier, at) >= 0) {
        return 0;
    }
    ERR_clear_error();
    ski = X509V3_EXT_d2i(X509_get_ext(one, at));
    if (ski == NULL) {
        return ossl_code(ERR_INPUT) == ERR_BUSY ? ossl_err(e, ERR_BUSY, "subjectKeyIdentifier") : 0;
    }
    *may = kid.n == 0 || span_equal(kid, field_span(ski));
    return 0;
}

/* -1 as there. */
static int
may_have_signed(const struct cmp_msg *msg, const X509_NAME *sender, size_t i, bool *may,
                struct err *e)
{
    CLEANUP(x509_cleanup) X509 *one = certificate_parse_keyless(cmp_msg_extra(msg, i), e);

    *may = false;
    if (one == NULL) {
        return e->code == ERR_BUSY ? -1 : 0;
    }
    if (X509_NAME_cmp(sender, X509_get_subject_name(one)) != 0) {
        return 0;
    }
    return may_agree_with_kid(msg, one, may, e);
}

static bool
has_signed(const struct cmp_msg *msg, size_t i)
{
    enum cmp_failure failure;
    struct err e = {0};
    CLEANUP(x509_cleanup) X509 *one = certificate_parse(cmp_msg_extra(msg, i), &e);

    return one != NULL && cmp_signature_verify(msg, one, &failure, &e) == 0;
}

int
cmp_signer_find(const struct cmp_msg *msg, struct span *der, struct err *e)
{
    CLEANUP(x509_name_cleanup) X509_NAME *sender = cmp_msg_sender_name(msg, e);
    size_t found[SIGNERS_TRIED] = {0};
    size_t n = 0;

    if (sender == NULL && e->code == ERR_BUSY) {
        return -1;
    }
    for (size_t i = 0; sender != NULL && i < cmp_msg_extra_count(msg) && n < SIGNERS_TRIED; i++) {
        bool may;

        if (may_have_signed(msg, sender, i, &may, e) != 0) {
            return -1;
        }
        if (may) {
            found[n++] = i;
        }
    }
    for (size_t k = 0; n > 1 && k < n; k++) {
        if (has_signed(msg, found[k])) {
            *der = cmp_msg_extra(msg, found[k]);
            return 0;
        }
    }
    *der = cmp_msg_extra(msg, found[0]);
    return 0;
}

X509 *
cmp_signer_decode(struct span der, struct err *e)
{
    uint8_t hash[SHA256_SIZE];
    X509 *signer;

    if (der.n == 0) {
        (void)err_set(e, ERR_INPUT, "no extraCerts: the protection certificate must be there");
        return NULL;
    }
    if (sha256(der, hash, e) != 0) {
        return NULL;
    }
    signer = signers_find(hash);
    if (signer == NULL) {
        signer = field_decode(ASN1_ITEM_rptr(X509), der, "protection certificate", e);
        if (signer != NULL) {
            signers_add(hash, der.n, signer);
        }
    }
    return signer;
}

X509 *
cmp_signer_parse(const struct cmp_msg *msg, struct err *e)
{
    struct span der;

    return cmp_signer_find(msg, &der, e) != 0 ? NULL : cmp_signer_decode(der, e);
}
