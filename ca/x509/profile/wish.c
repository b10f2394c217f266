/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/profile/wish.h"

#include <string.h>

#include "base/ossl.h"

enum { OID_TEXT_MAX = 80 };

#define NF_TYPES "1.3.6.1.5.5.7.1.34"

DEFINE_CLEANUP(purposes_cleanup, EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free)
DEFINE_CLEANUP(bits_cleanup, ASN1_BIT_STRING, ASN1_BIT_STRING_free)
DEFINE_CLEANUP(constraints_cleanup, BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free)

static bool
is_registered(const struct nf_identity *nf, const char *type)
{
    for (size_t i = 0; i < nf->n_types; i++) {
        if (strcmp(nf->types[i], type) == 0) {
            return true;
        }
    }
    return false;
}

static int
check_nf_types(X509_EXTENSION *extension, const struct nf_identity *nf, struct err *e)
{
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(extension);
    struct nf_identity asked = {0};

    if (nf_types_decode(span_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)),
                        &asked, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < asked.n_types; i++) {
        if (!is_registered(nf, asked.types[i])) {
            return err_set(e, ERR_DENIED, "an NF type is asked for that is not registered");
        }
    }
    return 0;
}

static bool
has_purpose(const struct profile *profile, const ASN1_OBJECT *purpose)
{
    char oid[OID_TEXT_MAX];
    int n = OBJ_obj2txt(oid, sizeof(oid), purpose, 1);

    for (size_t i = 0; i < PROFILE_EKU_MAX && profile->eku[i] != NULL; i++) {
        if (n > 0 && n < (int)sizeof(oid) && strcmp(profile->eku[i], oid) == 0) {
            return true;
        }
    }
    return false;
}

static bool
purposes_agree(X509_EXTENSION *extension, const struct profile *profile)
{
    CLEANUP(purposes_cleanup) EXTENDED_KEY_USAGE *asked = X509V3_EXT_d2i(extension);
    bool agree = sk_ASN1_OBJECT_num(asked) > 0;

    for (int i = 0; i < sk_ASN1_OBJECT_num(asked); i++) {
        agree = agree && has_purpose(profile, sk_ASN1_OBJECT_value(asked, i));
    }
    return agree;
}

static bool
usage_agrees(X509_EXTENSION *extension, const struct profile *profile)
{
    CLEANUP(bits_cleanup) ASN1_BIT_STRING *asked = X509V3_EXT_d2i(extension);
    bool agree = asked != NULL;

    for (int bit = 0; agree && bit < 9; bit++) {
        agree = ASN1_BIT_STRING_get_bit(asked, bit) == 0 || (profile->key_usage >> bit & 1) != 0;
    }
    return agree;
}

static bool
is_no_authority(X509_EXTENSION *extension)
{
    CLEANUP(constraints_cleanup) BASIC_CONSTRAINTS *asked = X509V3_EXT_d2i(extension);

    return asked != NULL && asked->ca == 0;
}

static bool
agrees(X509_EXTENSION *extension, const struct profile *profile)
{
    switch (OBJ_obj2nid(X509_EXTENSION_get_object(extension))) {
    case NID_subject_alt_name:
    case NID_subject_key_identifier:
        return true;
    case NID_ext_key_usage:
        return purposes_agree(extension, profile);
    case NID_key_usage:
        return usage_agrees(extension, profile);
    case NID_basic_constraints:
        return is_no_authority(extension);
    default:
        return false;
    }
}

int
wish_check(const struct profile *profile, const struct nf_identity *nf,
           const STACK_OF(X509_EXTENSION) * extensions, struct err *e)
{
    for (int i = 0; i < sk_X509_EXTENSION_num(extensions); i++) {
        X509_EXTENSION *extension = sk_X509_EXTENSION_value(extensions, i);
        char oid[OID_TEXT_MAX] = "";

        (void)OBJ_obj2txt(oid, sizeof(oid), X509_EXTENSION_get_object(extension), 1);
        if (strcmp(oid, NF_TYPES) == 0) {
            if (check_nf_types(extension, nf, e) != 0) {
                return -1;
            }
        } else if (profile->reject_unknown && !agrees(extension, profile)) {
            return err_set(e, ERR_INPUT,
                           "profile %s: an extension %s, or this value of it, is not given",
                           profile->name, oid);
        }
    }
    return 0;
}
