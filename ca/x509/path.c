/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/path.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include "base/oid.h"
#include "ca/x509/name.h"

enum { SERIAL_OCTETS_MAX = 20, AUTH_LEVEL = 2 /* 112 bits */ };

/* RFC 5280 4.2: MUST or MUST NOT be critical. */
static const struct {
    int nid;
    bool critical;
} criticality[] = {
    {NID_authority_key_identifier, false}, /* 4.2.1.1 */
    {NID_subject_key_identifier, false},   /* 4.2.1.2 */
    {NID_name_constraints, true},          /* 4.2.1.10 */
    {NID_policy_constraints, true},        /* 4.2.1.11 */
    {NID_inhibit_any_policy, true},        /* 4.2.1.14 */
    {NID_freshest_crl, false},             /* 4.2.1.15 */
    {NID_info_access, false},              /* 4.2.2.1 */
    {NID_sinfo_access, false},             /* 4.2.2.2 */
};

static int
serial_check(const X509 *certificate, struct err *e)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
    CLEANUP(bn_cleanup) BIGNUM *n = ASN1_INTEGER_to_BN(serial, NULL);

    /* Twenty octets of INTEGER hold 159 bits of a positive number. */
    if (n == NULL || BN_is_zero(n) || BN_is_negative(n) ||
        BN_num_bits(n) >= 8 * SERIAL_OCTETS_MAX) {
        return err_set(e, ERR_DENIED, "serial number not positive or above 20 octets");
    }
    return 0;
}

static int
extensions_check(const X509 *certificate, struct err *e)
{
    int n = X509_get_ext_count(certificate);

    for (int i = 0; i < n; i++) {
        X509_EXTENSION *extension = X509_get_ext(certificate, i);
        const ASN1_OBJECT *oid = X509_EXTENSION_get_object(extension);
        int nid = OBJ_obj2nid(oid);

        if (X509_get_ext_by_OBJ(certificate, oid, i) >= 0) {
            return err_set(e, ERR_DENIED, "an extension stands there twice"); /* RFC 5280 4.2 */
        }
        for (size_t k = 0; k < ARRAY_LEN(criticality); k++) {
            if (criticality[k].nid == nid &&
                criticality[k].critical != (X509_EXTENSION_get_critical(extension) != 0)) {
                return err_set(e, ERR_DENIED, "extension %s must %sbe critical", OBJ_nid2sn(nid),
                               criticality[k].critical ? "" : "not ");
            }
        }
    }
    return 0;
}

static bool
has_eku(X509 *certificate, const char *dotted)
{
    EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(certificate, NID_ext_key_usage, NULL, NULL);
    ASN1_OBJECT *wanted = OBJ_txt2obj(dotted, 1);
    bool found = false;

    for (int i = 0; wanted != NULL && i < sk_ASN1_OBJECT_num(usages); i++) {
        if (OBJ_cmp(sk_ASN1_OBJECT_value(usages, i), wanted) == 0) {
            found = true;
        }
    }
    ASN1_OBJECT_free(wanted);
    EXTENDED_KEY_USAGE_free(usages);
    return found;
}

int
path_check_purpose(X509 *leaf, enum path_purpose purpose, struct err *e)
{
    const char *eku = NULL;
    bool usage_needed = true;
    uint32_t flags = X509_get_extension_flags(leaf);

    switch (purpose) {
    case PATH_REQUESTER:
        usage_needed = false;
        break;
    case PATH_OWN:
        break;
    case PATH_RA_CMP:
        eku = "1.3.6.1.5.5.7.3.28";
        break;
    case PATH_REGISTRAR:
        eku = NFPKI_OID_KP_REGISTRAR;
        break;
    case PATH_OFFICER:
        eku = NFPKI_OID_KP_OFFICER;
        break;
    }
    if ((flags & EXFLAG_INVALID) != 0) {
        return err_set(e, ERR_DENIED, "certificate with a malformed extension");
    }
    if ((flags & EXFLAG_CA) != 0) {
        return err_set(e, ERR_DENIED, "a CA certificate where an end entity's belongs");
    }
    if (((flags & EXFLAG_KUSAGE) != 0 || usage_needed) &&
        ((flags & EXFLAG_KUSAGE) == 0 || (X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE) == 0)) {
        return err_set(e, ERR_DENIED, "keyUsage without digitalSignature");
    }
    if (eku != NULL && !has_eku(leaf, eku)) {
        return err_set(e, ERR_DENIED, "extendedKeyUsage without %s", eku);
    }
    return 0;
}

static int
store_fill(X509_STORE *store, const struct path_request *request)
{
    for (size_t i = 0; i < request->n_anchors; i++) {
        if (X509_STORE_add_cert(store, request->anchors[i]) != 1) {
            return -1;
        }
    }
    for (size_t i = 0; i < request->n_crls; i++) {
        if (X509_STORE_add_crl(store, request->crls[i]) != 1) {
            return -1;
        }
    }
    return 0;
}

static void
parameters_set(X509_VERIFY_PARAM *parameters, const struct path_request *request)
{
    unsigned long flags = X509_V_FLAG_X509_STRICT;

    if (request->pinned) {
        flags |= X509_V_FLAG_PARTIAL_CHAIN;
    }
    if (request->n_crls > 0) {
        flags |= X509_V_FLAG_CRL_CHECK;
    }
    (void)X509_VERIFY_PARAM_set_flags(parameters, flags);
    X509_VERIFY_PARAM_set_time(parameters, request->at);
    X509_VERIFY_PARAM_set_depth(parameters, PATH_LENGTH_MAX);
    X509_VERIFY_PARAM_set_auth_level(parameters, AUTH_LEVEL);
}

/* What OpenSSL leaves out, on everything below the anchor (whose form was the operator's choice);
 * the leaf is always checked. */
static int
chain_check(X509_STORE_CTX *ctx, struct err *e)
{
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
    int n = sk_X509_num(chain);

    for (int i = 0; i == 0 || i < n - 1; i++) {
        X509 *certificate = sk_X509_value(chain, i);

        if (X509_get_version(certificate) != X509_VERSION_3) {
            return err_set(e, ERR_DENIED, "depth %d: not an X.509 version 3 certificate", i);
        }
        if (serial_check(certificate, e) != 0 || extensions_check(certificate, e) != 0) {
            return err_wrap(e, "depth %d", i);
        }
    }
    return 0;
}

/* Which of OpenSSL's reasons mean that no anchor was reached. */
static bool
is_without_anchor(int why)
{
    switch (why) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return true;
    default:
        return false;
    }
}

static enum path_verdict
refusal(X509_STORE_CTX *ctx, struct err *e)
{
    int why = X509_STORE_CTX_get_error(ctx);
    X509 *certificate = X509_STORE_CTX_get_current_cert(ctx);
    CLEANUP(mem_cleanup)
    char *subject = certificate == NULL ? NULL : name_text(X509_get_subject_name(certificate));

    ERR_clear_error();
    (void)err_set(e, ERR_DENIED, "depth %d, %s: %s", X509_STORE_CTX_get_error_depth(ctx),
                  subject == NULL ? "no certificate" : subject, X509_verify_cert_error_string(why));
    if (why == X509_V_ERR_OUT_OF_MEM || why == X509_V_ERR_UNSPECIFIED) {
        e->code = ERR_CRYPTO;
        return PATH_FAILED;
    }
    if (why == X509_V_ERR_CERT_REVOKED) {
        return PATH_REVOKED;
    }
    return is_without_anchor(why) ? PATH_NO_ANCHOR : PATH_REFUSED;
}

static enum path_verdict
verify(X509_STORE *store, STACK_OF(X509) * untrusted, X509 *leaf,
       const struct path_request *request, struct err *e)
{
    CLEANUP(x509_store_ctx_cleanup) X509_STORE_CTX *ctx = X509_STORE_CTX_new();

    if (ctx == NULL || X509_STORE_CTX_init(ctx, store, leaf, untrusted) != 1) {
        (void)ossl_err(e, ERR_CRYPTO, "certification path");
        return PATH_FAILED;
    }
    parameters_set(X509_STORE_CTX_get0_param(ctx), request);
    if (X509_verify_cert(ctx) != 1) {
        return refusal(ctx, e);
    }
    return chain_check(ctx, e) == 0 ? PATH_GOOD : PATH_REFUSED;
}

static enum path_verdict
judge(X509 *leaf, const struct path_request *request, struct err *e)
{
    CLEANUP(x509_store_cleanup) X509_STORE *store = X509_STORE_new();
    STACK_OF(X509) *untrusted = sk_X509_new_null();
    enum path_verdict verdict = PATH_GOOD;

    if (request->n_untrusted > PATH_UNTRUSTED_MAX) {
        (void)err_set(e, ERR_DENIED, "more than %d certificates", PATH_UNTRUSTED_MAX);
        verdict = PATH_REFUSED;
    } else if (store == NULL || untrusted == NULL || store_fill(store, request) != 0) {
        (void)ossl_err(e, ERR_CRYPTO, "out of memory");
        verdict = PATH_FAILED;
    }
    for (size_t i = 0; verdict == PATH_GOOD && i < request->n_untrusted; i++) {
        if (sk_X509_push(untrusted, request->untrusted[i]) <= 0) {
            (void)ossl_err(e, ERR_CRYPTO, "out of memory");
            verdict = PATH_FAILED;
        }
    }
    if (verdict == PATH_GOOD) {
        verdict = verify(store, untrusted, leaf, request, e);
    }
    sk_X509_free(untrusted); /* the certificates are borrowed */
    if (verdict == PATH_GOOD && path_check_purpose(leaf, request->purpose, e) != 0) {
        verdict = PATH_REFUSED;
    }
    return verdict;
}

enum path_verdict
path_judge(X509 *leaf, const struct path_request *request, struct err *e)
{
    enum path_verdict verdict = judge(leaf, request, e);

    if (verdict != PATH_GOOD) {
        (void)err_wrap(e, "certification path");
    }
    return verdict;
}

int
path_verify(X509 *leaf, const struct path_request *request, struct err *e)
{
    return path_judge(leaf, request, e) == PATH_GOOD ? 0 : -1;
}
