/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of a network function as a relying party reads them out of the octets: which they are,
 * where a wildcard is, in what order, and which PLMNs they speak of.
 */
#include <string.h>

#include "ca/x509/lint/extensions.h"

#define URN "urn:uuid:"
#define SUFFIX ".3gppnetwork.org"

static bool
text_equal(const ASN1_STRING *found, const char *wanted)
{
    size_t n = strlen(wanted);

    return (size_t)ASN1_STRING_length(found) == n &&
           memcmp(ASN1_STRING_get0_data(found), wanted, n) == 0;
}

static bool
is_registered(const ASN1_STRING *name, const struct tbs_request *expected)
{
    const struct nf_identity *nf = expected->nf;

    for (size_t i = 0; i < nf->n_fqdns; i++) {
        if (text_equal(name, nf->fqdns[i])) {
            return true;
        }
    }
    for (size_t i = 0; expected->profile->extra_dns_nf_type && i < nf->n_types; i++) {
        if (text_equal(name, nf->types[i])) {
            return true;
        }
    }
    return false;
}

static bool
has_type(const struct nf_identity *nf, const char *type)
{
    for (size_t i = 0; i < nf->n_types; i++) {
        if (strcmp(nf->types[i], type) == 0) {
            return true;
        }
    }
    return false;
}

/* "mnc012.mcc345" of ....5gc.mnc012.mcc345.3gppnetwork.org; NULL when the name has no such end. */
static const char *
plmn_part(const char *p, size_t n)
{
    const size_t part = strlen("mnc012.mcc345");
    const size_t tail = part + strlen(SUFFIX);

    if (n <= tail + strlen(".5gc.") ||
        memcmp(p + n - strlen(SUFFIX), SUFFIX, strlen(SUFFIX)) != 0 ||
        memcmp(p + n - tail - strlen(".5gc."), ".5gc.", strlen(".5gc.")) != 0) {
        return NULL;
    }
    return p + n - tail;
}

/* TS 33.501 13.1.2: each name is in a registered PLMN; *seen: bit k for the k-th one. */
static int
check_plmn(const ASN1_STRING *name, const struct nf_identity *nf, unsigned *seen, struct err *e)
{
    const char *part =
        plmn_part((const char *)ASN1_STRING_get0_data(name), (size_t)ASN1_STRING_length(name));

    for (size_t k = 0; part != NULL && k < nf->n_plmns; k++) {
        CLEANUP(mem_cleanup)
        char *wanted = mem_printf("mnc%s.mcc%s", nf->plmns[k].mnc, nf->plmns[k].mcc);

        if (memcmp(part, wanted, strlen(wanted)) == 0) {
            *seen |= 1U << k;
            return 0;
        }
    }
    return lint_departs(e, "subjectAltName", "a dNSName that is in no registered PLMN");
}

static int
check_dns(const ASN1_STRING *name, const struct tbs_request *expected, unsigned *seen,
          struct err *e)
{
    const char *p = (const char *)ASN1_STRING_get0_data(name);
    size_t n = (size_t)ASN1_STRING_length(name);
    const char *star = memchr(p, '*', n);

    if (!is_registered(name, expected)) {
        return lint_departs(e, "subjectAltName", "a dNSName that is not registered");
    }
    /* TS 33.501 13.1.1.0: the whole first label, of a SEPP */
    if (star != NULL && (star != p || n < 2 || p[1] != '.' || memchr(p + 1, '*', n - 1) != NULL ||
                         !expected->profile->wildcard || !has_type(expected->nf, "SEPP"))) {
        return lint_departs(e, "subjectAltName", "a wildcard that is not allowed");
    }
    return expected->profile->plmns ? check_plmn(name, expected->nf, seen, e) : 0;
}

static int
check_uri(const ASN1_STRING *name, const struct nf_identity *nf, struct err *e)
{
    size_t n = (size_t)ASN1_STRING_length(name);
    const size_t prefix = strlen(URN);

    /* Relying parties take the first URI (free5GC does); ours is the only one. */
    return n == prefix + strlen(nf->instance_id) &&
                   memcmp(ASN1_STRING_get0_data(name), URN, prefix) == 0 &&
                   memcmp(ASN1_STRING_get0_data(name) + prefix, nf->instance_id, n - prefix) == 0
               ? 0
               : lint_departs(e, "subjectAltName", "the first URI is not urn:uuid:<nfInstanceId>");
}

int
lint_names(X509 *certificate, const struct tbs_request *expected, struct err *e)
{
    CLEANUP(general_names_cleanup)
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    const unsigned all = (1U << expected->nf->n_plmns) - 1;
    unsigned seen = 0;
    int dns = 0;
    int uris = 0;

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type == GEN_DNS) {
            dns++;
            if (check_dns(name->d.dNSName, expected, &seen, e) != 0) {
                return -1;
            }
        } else if (name->type == GEN_URI && uris++ == 0) {
            if (check_uri(name->d.uniformResourceIdentifier, expected->nf, e) != 0) {
                return -1;
            }
        } else {
            return lint_departs(e, "subjectAltName", "a name of another kind, or a second URI");
        }
    }
    if (uris == 0 || (dns == 0 && expected->profile->server)) {
        return lint_departs(e, "subjectAltName", "no urn:uuid, or no dNSName of a server");
    }
    return expected->profile->plmns && (seen != all || all == 0)
               ? lint_departs(e, "subjectAltName", "a registered PLMN without a dNSName")
               : 0;
}
