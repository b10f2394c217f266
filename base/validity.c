/* SPDX-License-Identifier: Apache-2.0 */
#include "base/validity.h"

int
validity_read(const X509 *certificate, time_t *from, time_t *until, struct err *e)
{
    struct tm from_tm;
    struct tm until_tm;

    if (ASN1_TIME_to_tm(X509_get0_notBefore(certificate), &from_tm) != 1 ||
        ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &until_tm) != 1) {
        return ossl_err(e, ERR_INPUT, "validity");
    }
    *from = timegm(&from_tm);
    *until = timegm(&until_tm);
    return 0;
}

bool
validity_is_past(const ASN1_TIME *end, time_t at)
{
    int order = end == NULL ? -2 : ASN1_TIME_cmp_time_t(end, at);

    return order < 0; /* -2: no time */
}

bool
validity_has(const X509 *certificate, time_t at)
{
    int begun = ASN1_TIME_cmp_time_t(X509_get0_notBefore(certificate), at);

    return (begun == -1 || begun == 0) && !validity_is_past(X509_get0_notAfter(certificate), at);
}

static bool
is_at(const ASN1_TIME *end, X509_STORE_CTX *ctx)
{
    X509_VERIFY_PARAM *parameters = X509_STORE_CTX_get0_param(ctx);
    const bool is_set = (X509_VERIFY_PARAM_get_flags(parameters) & X509_V_FLAG_USE_CHECK_TIME) != 0;
    const time_t at = is_set ? X509_VERIFY_PARAM_get_time(parameters) : clock_now();

    return end != NULL && ASN1_TIME_cmp_time_t(end, at) == 0;
}

bool
validity_is_last_second(X509_STORE_CTX *ctx)
{
    const X509 *certificate = X509_STORE_CTX_get_current_cert(ctx);
    const X509_CRL *crl = X509_STORE_CTX_get0_current_crl(ctx);
    bool is_last = false;

    switch (X509_STORE_CTX_get_error(ctx)) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        is_last = certificate != NULL && is_at(X509_get0_notAfter(certificate), ctx);
        break;
    case X509_V_ERR_CRL_HAS_EXPIRED:
        is_last = crl != NULL && is_at(X509_CRL_get0_nextUpdate(crl), ctx);
        break;
    default:
        break;
    }
    if (is_last) {
        X509_STORE_CTX_set_error(ctx, X509_V_OK);
    }
    return is_last;
}

int
validity_on_verify(int ok, X509_STORE_CTX *ctx)
{
    return ok == 1 || validity_is_last_second(ctx) ? 1 : 0;
}
