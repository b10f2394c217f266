/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/tbs/tbs.h"

#include <string.h>

#include "ca/x509/der.h"
#include "ca/x509/profile/entitlement.h"
#include "ca/x509/pubkey.h"

/* An http URL of visible ASCII with a host. The rest is the operator's matter. */
static int
url_check(const char *url, struct err *e)
{
    static const char scheme[] = "http://";
    size_t n = strlen(url);

    if (n > CRL_URL_MAX || strncmp(url, scheme, sizeof(scheme) - 1) != 0 || n < sizeof(scheme) ||
        url[sizeof(scheme) - 1] == '/') {
        return err_set(e, ERR_INPUT, "crl_url: must be http://host/... of at most %d characters",
                       CRL_URL_MAX);
    }
    for (size_t i = 0; i < n; i++) {
        if (url[i] <= ' ' || url[i] > '~') {
            return err_set(e, ERR_INPUT, "crl_url: only visible ASCII characters");
        }
    }
    return 0;
}

/* Does the request have the fields of its profile, and no others? */
static int
fields_check(const struct tbs_request *request, struct err *e)
{
    bool root = request->profile->class == PROFILE_ROOT;

    if (root != (request->issuer == NULL)) {
        return err_set(e, ERR_INPUT, "issuer: a root has none, everything else has one");
    }
    if ((root || request->profile->no_rev_avail) != (request->crl_url == NULL)) {
        return err_set(e, ERR_INPUT,
                       "crl_url: a root and what has noRevAvail have none, all others one");
    }
    if (profile_is_nf(request->profile) != (request->nf != NULL) ||
        profile_is_nf(request->profile) == (request->subject != NULL)) {
        return err_set(e, ERR_INPUT, "subject: NF profiles take an NF identity, others a name");
    }
    if (!serial_is_shaped(request->serial)) {
        return err_set(e, ERR_INPUT, "serialNumber: not of the form 01xxxxxx");
    }
    return request->crl_url == NULL ? 0 : url_check(request->crl_url, e);
}

static int
subject_check(const struct tbs_request *request, struct err *e)
{
    struct nf_identity nf;
    bool marked;

    if (request->nf != NULL) {
        nf = *request->nf;
        if (nf_identity_check(&nf, request->nf_rules, e) != 0) {
            return -1;
        }
        if (!nf_identity_equal(&nf, request->nf)) {
            return err_set(e, ERR_INPUT, "nf: has upper-case letters; check it before");
        }
        return entitlement_check(request->profile, &nf, e);
    }
    if (request->subject->common_name[0] == '\0') {
        return err_set(e, ERR_INPUT, "subject: profile %s needs a CN", request->profile->name);
    }
    marked =
        strncmp(request->subject->common_name, REHEARSAL_PREFIX, sizeof(REHEARSAL_PREFIX) - 1) == 0;
    if (profile_is_ca(request->profile) && marked != request->rehearsal) {
        return err_set(e, ERR_DENIED,
                       "subject: the CN of a CA begins with \"%s\" in a rehearsal, "
                       "and only there",
                       REHEARSAL_PREFIX);
    }
    return 0;
}

static int
validity_check(const struct tbs_request *request, struct err *e)
{
    time_t most = request->rehearsal ? (time_t)REHEARSAL_DAYS_MAX * PROFILE_DAY
                                     : request->profile->max_validity;
    time_t until = request->not_after;

    if (request->not_before >= request->not_after) {
        return err_set(e, ERR_INPUT, "notAfter: not after notBefore");
    }
    if (request->rehearsal && request->profile->max_validity < most) {
        most = request->profile->max_validity;
    }
    if (until - request->not_before > most) {
        return err_set(e, ERR_DENIED, "notAfter: more than %lld seconds of validity",
                       (long long)most);
    }
    if (request->issuer != NULL &&
        ASN1_TIME_cmp_time_t(X509_get0_notBefore(request->issuer), request->not_before) > 0) {
        return err_set(e, ERR_DENIED, "notBefore: before the issuer's certificate begins");
    }
    if (request->issuer != NULL &&
        ASN1_TIME_cmp_time_t(X509_get0_notAfter(request->issuer), until) < 0) {
        return err_set(e, ERR_DENIED, "notAfter: past the end of the issuer's certificate");
    }
    return 0;
}

/* A CA certificate must be able to have issued this: an issuing CA the end entities, a root the
 * issuing CA. */
static int
issuer_check(const struct tbs_request *request, struct err *e)
{
    if (request->issuer == NULL) {
        return 0;
    }
    if (X509_check_ca(request->issuer) != 1 ||
        (X509_get_key_usage(request->issuer) & KU_KEY_CERT_SIGN) == 0) {
        return err_set(e, ERR_INPUT, "issuer: not a CA certificate that may sign certificates");
    }
    if (profile_is_ca(request->profile) && X509_get_pathlen(request->issuer) == 0) {
        return err_set(e, ERR_DENIED, "issuer: pathLenConstraint 0 allows no CA below it");
    }
    return 0;
}

static int
request_check(const struct tbs_request *request, struct err *e)
{
    if (fields_check(request, e) != 0 || subject_check(request, e) != 0 ||
        issuer_check(request, e) != 0 || validity_check(request, e) != 0 ||
        profile_check_key(request->profile, request->spki, e) != 0) {
        return -1;
    }
    return 0;
}

static void
extension_begin(struct der *w, const char *oid, bool critical)
{
    der_begin(w, DER_SEQUENCE);
    der_put_oid(w, oid);
    if (critical) {
        der_put_true(w);
    }
    der_begin(w, DER_OCTET_STRING);
}

static void
extension_end(struct der *w)
{
    der_end(w);
    der_end(w);
}

static void
nf_types_put(struct der *w, const struct nf_identity *nf)
{
    extension_begin(w, "1.3.6.1.5.5.7.1.34", false);
    if (w->result == 0) {
        w->result = nf_types_encode(nf, w->out, w->e);
    }
    extension_end(w);
}

static void
basic_constraints_put(struct der *w, bool issuing)
{
    extension_begin(w, "2.5.29.19", true);
    der_begin(w, DER_SEQUENCE);
    der_put_true(w);
    if (issuing) {
        der_put_uint(w, 0);
    }
    der_end(w);
    extension_end(w);
}

/* RFC 5280 4.2.1.3: a named bit list, bit 0 first, without zeros at its end (X.690 11.2.2). */
static void
key_usage_put(struct der *w, unsigned key_usage)
{
    uint8_t bits[2] = {7, 0};

    for (unsigned bit = 0; bit < 8; bit++) {
        if ((key_usage & 1U << bit) != 0) {
            bits[0] = (uint8_t)(7 - bit);
            bits[1] |= (uint8_t)(0x80 >> bit);
        }
    }
    extension_begin(w, "2.5.29.15", true);
    der_put(w, DER_BIT_STRING, span_of(bits, sizeof(bits)));
    extension_end(w);
}

static void
extended_key_usage_put(struct der *w, const struct profile *profile)
{
    extension_begin(w, "2.5.29.37", false);
    der_begin(w, DER_SEQUENCE);
    for (size_t i = 0; i < PROFILE_EKU_MAX && profile->eku[i] != NULL; i++) {
        der_put_oid(w, profile->eku[i]);
    }
    der_end(w);
    extension_end(w);
}

/* RFC 5280 4.2.1.4: without qualifiers. */
static void
policies_put(struct der *w, const struct profile *profile)
{
    extension_begin(w, "2.5.29.32", false);
    der_begin(w, DER_SEQUENCE);
    for (size_t i = 0; i < CERT_POLICIES_MAX && profile->policies[i] != NULL; i++) {
        der_begin(w, DER_SEQUENCE); /* PolicyInformation */
        der_put_oid(w, profile->policies[i]);
        der_end(w);
    }
    der_end(w);
    extension_end(w);
}

static void
key_identifiers_put(struct der *w, struct span own, struct span issuers)
{
    extension_begin(w, "2.5.29.14", false);
    der_put(w, DER_OCTET_STRING, own);
    extension_end(w);
    extension_begin(w, "2.5.29.35", false);
    der_begin(w, DER_SEQUENCE);
    der_put(w, DER_CONTEXT, issuers);
    der_end(w);
    extension_end(w);
}

static void
crl_url_put(struct der *w, const char *url)
{
    extension_begin(w, "2.5.29.31", false);
    der_begin(w, DER_SEQUENCE);           /* CRLDistributionPoints */
    der_begin(w, DER_SEQUENCE);           /* DistributionPoint */
    der_begin(w, DER_CONSTRUCTED);        /* distributionPoint */
    der_begin(w, DER_CONSTRUCTED);        /* fullName */
    der_put_str(w, DER_CONTEXT + 6, url); /* uniformResourceIdentifier */
    der_end(w);
    der_end(w);
    der_end(w);
    der_end(w);
    extension_end(w);
}

/* RFC 9608 2: who issues it says that nobody will ever say more. */
static void
no_rev_avail_put(struct der *w)
{
    extension_begin(w, "2.5.29.56", false);
    der_put_raw(w, SPAN_LITERAL("\x05\x00"));
    extension_end(w);
}

/* The FQDNs, then the one URI, urn:uuid:<nfInstanceId>: relying parties take the first URI. */
static void
subject_alt_name_put(struct der *w, const struct profile *profile, const struct nf_identity *nf)
{
    extension_begin(w, "2.5.29.17", true);
    der_begin(w, DER_SEQUENCE);
    for (size_t i = 0; i < nf->n_fqdns; i++) {
        if (entitlement_has_fqdn(profile, nf->fqdns[i])) {
            der_put_str(w, DER_CONTEXT + 2, nf->fqdns[i]);
        }
    }
    for (size_t i = 0; profile->extra_dns_nf_type && i < nf->n_types; i++) {
        der_put_str(w, DER_CONTEXT + 2, nf->types[i]);
    }
    der_begin(w, DER_CONTEXT + 6);
    der_put_raw(w, SPAN_LITERAL("urn:uuid:"));
    der_put_raw(w, span_str(nf->instance_id));
    der_end(w);
    der_end(w);
    extension_end(w);
}

struct parts {
    struct span algorithm;
    struct span issuer; /* DER Name */
    struct span authority_key_id;
    uint8_t key_id[SKI_SIZE];
    struct buf subject; /* DER Name */
};

static int
own_parts(const struct tbs_request *request, struct parts *parts, struct err *e)
{
    struct name nf_subject;
    const struct name *subject = request->subject;

    if (request->nf != NULL) {
        /* TS 33.310 6.1.3c.3: C=<Country>, O=<Home Domain Name>, no CN */
        if (name_set(&nf_subject, request->nf->country, request->nf->home_domain, NULL, e) != 0) {
            return -1;
        }
        subject = &nf_subject;
    }
    if (name_encode(subject, &parts->subject, e) != 0) {
        return -1;
    }
    return pubkey_ski(request->spki, parts->key_id, e);
}

static int
issuer_parts(const struct tbs_request *request, struct parts *parts, struct err *e)
{
    const ASN1_OCTET_STRING *key_id;
    EVP_PKEY *key;

    if (request->issuer == NULL) {
        CLEANUP(evp_pkey_cleanup) EVP_PKEY *own = pubkey_parse(request->spki, NULL, e);

        parts->issuer = buf_span(&parts->subject);
        parts->authority_key_id = span_of(parts->key_id, SKI_SIZE);
        return own == NULL ? -1 : pubkey_signature_algorithm(own, &parts->algorithm, NULL, e);
    }
    key = X509_get0_pubkey(request->issuer);
    key_id = X509_get0_subject_key_id(request->issuer);
    if (key == NULL || key_id == NULL) {
        return ossl_err(e, ERR_INPUT, "issuer: no usable key or no subjectKeyIdentifier");
    }
    parts->authority_key_id =
        span_of(ASN1_STRING_get0_data(key_id), (size_t)ASN1_STRING_length(key_id));
    if (name_der(X509_get_subject_name(request->issuer), &parts->issuer, e) != 0) {
        return -1;
    }
    return pubkey_signature_algorithm(key, &parts->algorithm, NULL, e);
}

/* The order is that of RFC 9310 Appendix B. */
static void
extensions_put(struct der *w, const struct tbs_request *request, const struct parts *parts)
{
    const struct profile *profile = request->profile;

    der_begin(w, DER_CONSTRUCTED + 3);
    der_begin(w, DER_SEQUENCE);
    if (request->nf != NULL) {
        nf_types_put(w, request->nf);
    }
    if (profile_is_ca(profile)) {
        basic_constraints_put(w, profile->class == PROFILE_ISSUING);
    }
    key_usage_put(w, profile->key_usage);
    if (profile->eku[0] != NULL) {
        extended_key_usage_put(w, profile);
    }
    if (profile->policies[0] != NULL) {
        policies_put(w, profile);
    }
    key_identifiers_put(w, span_of(parts->key_id, SKI_SIZE), parts->authority_key_id);
    if (request->crl_url != NULL) {
        crl_url_put(w, request->crl_url);
    }
    if (profile->no_rev_avail) {
        no_rev_avail_put(w);
    }
    if (request->nf != NULL) {
        subject_alt_name_put(w, profile, request->nf);
    }
    der_end(w);
    der_end(w);
}

int
tbs_build(const struct tbs_request *request, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf bytes = BUF_INIT(TBS_MAX);
    struct parts parts = {.subject = BUF_INIT(NAME_DER_MAX)};
    struct der w = DER_WRITER(&bytes, e);
    int result = -1;

    if (request_check(request, e) != 0) {
        return err_wrap(e, "profile %s", request->profile->name);
    }
    if (own_parts(request, &parts, e) == 0 && issuer_parts(request, &parts, e) == 0) {
        der_begin(&w, DER_SEQUENCE);
        der_begin(&w, DER_CONSTRUCTED);
        der_put_uint(&w, 2); /* v3 */
        der_end(&w);
        der_put_unsigned(&w, span_of(request->serial, SERIAL_SIZE));
        der_put_raw(&w, parts.algorithm);
        der_put_raw(&w, parts.issuer);
        der_begin(&w, DER_SEQUENCE);
        der_put_time(&w, request->not_before);
        der_put_time(&w, request->not_after);
        der_end(&w);
        der_put_raw(&w, buf_span(&parts.subject));
        der_put_raw(&w, request->spki);
        extensions_put(&w, request, &parts);
        der_end(&w);
        result = der_finish(&w);
    }
    buf_free(&parts.subject);
    if (result != 0) {
        return err_wrap(e, "profile %s", request->profile->name);
    }
    return buf_append(out, buf_span(&bytes), e);
}
