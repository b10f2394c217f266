/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/update.h"

#include "base/ossl.h"
#include "ca/cmp/message/field.h"
#include "ca/cmp/message/phrase.h"
#include "ca/x509/alt_names.h"
#include "ca/x509/name.h"

/* RFC 9483 4.1.3: the control is optional and says what the protection says. */
static int
check_old_cert(const struct cmp_certreq *asked, const X509 *old, enum cmp_failure *failure,
               struct err *e)
{
    const X509_NAME *issuer;
    const ASN1_INTEGER *serial;

    if (!cmp_certreq_old_cert(asked, &issuer, &serial)) {
        return 0;
    }
    /* It says which certificate is meant, and that is known by its protection: some clients write
     * the issuer's RDNs from the end (CmpRaComponent's does). */
    if (!name_equal_as_set(issuer, X509_get_issuer_name(old)) ||
        ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(old)) != 0) {
        return phrase_refuse(failure, PHRASE_OLD_CERT, e,
                             "oldCertId is not the certificate that protects the request");
    }
    return 0;
}

static int
check_names(const struct cmp_certreq *asked, const X509 *old, enum cmp_failure *failure,
            struct err *e)
{
    CLEANUP(general_names_cleanup) GENERAL_NAMES *wanted = NULL;
    CLEANUP(general_names_cleanup) GENERAL_NAMES *have = NULL;

    if (!ossl_has_extension(cmp_certreq_extensions(asked), NID_subject_alt_name)) {
        return 0;
    }
    wanted = X509V3_get_d2i(cmp_certreq_extensions(asked), NID_subject_alt_name, NULL, NULL);
    have = X509_get_ext_d2i(old, NID_subject_alt_name, NULL, NULL);
    if (wanted == NULL || have == NULL || !alt_names_equal(wanted, have)) {
        (void)phrase_refuse(failure, PHRASE_UPDATE_NAMES, e,
                            "the update asks for another subjectAltName");
        return phrase_value(e, "subjectAltName");
    }
    return 0;
}

int
cmp_certreq_check_update(const struct cmp_certreq *asked, X509 *old, enum cmp_failure *failure,
                         struct err *e)
{
    const X509_NAME *subject = cmp_certreq_subject(asked);

    if (check_old_cert(asked, old, failure, e) != 0) {
        return -1;
    }
    if (X509_NAME_entry_count(subject) > 0 &&
        !name_equal_as_set(subject, X509_get_subject_name(old))) {
        (void)phrase_refuse(failure, PHRASE_UPDATE_NAMES, e, "the update asks for another subject");
        return phrase_value(e, "subject");
    }
    return check_names(asked, old, failure, e);
}
