/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/profile/ignored.h"

#include <openssl/objects.h>
#include <string.h>

/* RFC 4519, RFC 5280 Appendix A.1 and RFC 2985: what clients are known to write. */
static const struct {
    const char *name;
    int nid;
} attributes[] = {
    {"CN", NID_commonName},
    {"OU", NID_organizationalUnitName},
    {"L", NID_localityName},
    {"ST", NID_stateOrProvinceName},
    {"street", NID_streetAddress},
    {"serialNumber", NID_serialNumber},
    {"dnQualifier", NID_dnQualifier},
    {"title", NID_title},
    {"DC", NID_domainComponent},
    {"UID", NID_userId},
    {"emailAddress", NID_pkcs9_emailAddress},
};

unsigned
ignored_bit(const char *attribute)
{
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
        if (strcmp(attributes[i].name, attribute) == 0) {
            return 1U << i;
        }
    }
    return 0;
}

const char *
ignored_list(void)
{
    return "CN, OU, L, ST, street, serialNumber, dnQualifier, title, DC, UID, emailAddress";
}

static unsigned
bit_of(const X509_NAME_ENTRY *entry)
{
    int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));

    for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
        if (attributes[i].nid == nid) {
            return 1U << i;
        }
    }
    return 0;
}

X509_NAME *
ignored_leave_out(unsigned bits, const X509_NAME *asked, const X509_NAME *given)
{
    CLEANUP(x509_name_cleanup) X509_NAME *rest = X509_NAME_dup(asked);

    if (rest == NULL) {
        return NULL;
    }
    for (int i = X509_NAME_entry_count(rest) - 1; i >= 0; i--) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(rest, i);

        if ((bit_of(entry) & bits) != 0 &&
            X509_NAME_get_index_by_OBJ(given, X509_NAME_ENTRY_get_object(entry), -1) < 0) {
            X509_NAME_ENTRY_free(X509_NAME_delete_entry(rest, i));
        }
    }
    return TAKE(rest);
}
