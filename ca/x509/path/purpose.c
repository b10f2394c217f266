/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/path/purpose.h"

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
    case PATH_PERSON:
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
    if (purpose == PATH_PERSON &&
        ossl_has_extension(X509_get0_extensions(leaf), NID_subject_alt_name)) {
        return err_set(e, ERR_DENIED, "subjectAltName: a network function's, not a person's");
    }
    if (eku != NULL && !has_eku(leaf, eku)) {
        return err_set(e, ERR_DENIED, "extendedKeyUsage without %s", eku);
    }
    return 0;
}
