/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/message/names.h"

#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <strings.h>

#include "base/ossl.h"
#include "ca/cmp/message/phrase.h"

static bool
is_own_fqdn(const struct nf_identity *nf, const char *name, size_t n)
{
    for (size_t i = 0; i < nf->n_fqdns; i++) {
        if (strlen(nf->fqdns[i]) == n && strncasecmp(nf->fqdns[i], name, n) == 0) {
            return true;
        }
    }
    return false;
}

/* The subject is a suggested name (RFC 9810 5.3.1; TS 33.310 9.5.4.2), and the certificate says
 * what the registration says: a country or an organization that is not the registered one is a
 * request that went to the wrong place; all other parts, which no certificate of ours has, are
 * passed over. */
static bool
subject_part_agrees(const struct nf_identity *nf, const X509_NAME_ENTRY *entry)
{
    const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
    const char *text = (const char *)ASN1_STRING_get0_data(value);
    size_t n = (size_t)ASN1_STRING_length(value);

    switch (OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry))) {
    case NID_countryName:
        return n == strlen(nf->country) && strncasecmp(text, nf->country, n) == 0;
    case NID_organizationName:
        return n == strlen(nf->home_domain) && strncasecmp(text, nf->home_domain, n) == 0;
    default:
        return true;
    }
}

/* What a certificate of the profile names besides the FQDNs. */
static bool
is_own_type(const struct nf_identity *nf, const struct profile *profile, const char *name, size_t n)
{
    for (size_t i = 0; profile->extra_dns_nf_type && i < nf->n_types; i++) {
        if (strlen(nf->types[i]) == n && memcmp(nf->types[i], name, n) == 0) {
            return true;
        }
    }
    return false;
}

static bool
name_agrees(const struct nf_identity *nf, const struct profile *profile, const GENERAL_NAME *name)
{
    static const char prefix[] = "urn:uuid:";
    const ASN1_IA5STRING *text;
    const char *p;
    size_t n;

    if (name->type != GEN_DNS && name->type != GEN_URI) {
        return false;
    }
    text = name->d.ia5;
    p = (const char *)ASN1_STRING_get0_data(text);
    n = (size_t)ASN1_STRING_length(text);
    if (name->type == GEN_DNS) {
        return is_own_fqdn(nf, p, n) || is_own_type(nf, profile, p, n);
    }
    return n == sizeof(prefix) - 1 + strlen(nf->instance_id) &&
           strncasecmp(p, prefix, sizeof(prefix) - 1) == 0 &&
           strncasecmp(p + sizeof(prefix) - 1, nf->instance_id, strlen(nf->instance_id)) == 0;
}

/* A certificate has the registered names, whatever is asked for. To ask for another one is refused
 * unless the profile has it so (RFC 9810 5.2.3, grantedWithMods); a kur asks for what the old
 * certificate has, or for nothing (RFC 9483 4.1.3). */
static int
check_alt_names(const struct cmp_names *asked, const struct nf_identity *nf,
                const struct profile *profile, enum cmp_failure *failure, struct err *e)
{
    CLEANUP(general_names_cleanup)
    GENERAL_NAMES *names = X509V3_get_d2i(asked->extensions, NID_subject_alt_name, NULL, NULL);

    if (names == NULL && X509v3_get_ext_by_NID(asked->extensions, NID_subject_alt_name, -1) >= 0) {
        return phrase_refuse(failure, PHRASE_ALT_NAME, e,
                             "the subjectAltName asked for does not decode, or is there twice");
    }
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        if (!name_agrees(nf, profile, sk_GENERAL_NAME_value(names, i))) {
            return phrase_refuse(failure, PHRASE_ALT_NAME, e,
                                 "a subjectAltName asked for is not registered");
        }
    }
    return 0;
}

int
cmp_names_check(const struct cmp_names *asked, const struct nf_identity *nf,
                const struct profile *profile, enum cmp_failure *failure, struct err *e)
{
    for (int i = 0; i < X509_NAME_entry_count(asked->subject); i++) {
        if (!subject_part_agrees(nf, X509_NAME_get_entry(asked->subject, i))) {
            return phrase_refuse(failure, PHRASE_SUBJECT, e,
                                 "the subject asked for is not the registered one");
        }
    }
    return profile->replace_names && !asked->is_update
               ? 0
               : check_alt_names(asked, nf, profile, failure, e);
}
