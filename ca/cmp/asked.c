/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/asked.h"

#include "ca/cmp/asn1.h"
#include "ca/cmp/field.h"

DEFINE_CLEANUP(template_cleanup, CMP_TEMPLATE, CMP_TEMPLATE_free)

static bool
is_named(const X509_NAME *name)
{
    return name != NULL && X509_NAME_entry_count(name) > 0; /* the NULL-DN asks for nothing */
}

static bool
same_name(const X509_NAME *asked, const X509_NAME *given)
{
    return !is_named(asked) || X509_NAME_cmp(asked, given) == 0;
}

static bool
same_time(const ASN1_TIME *asked, const ASN1_TIME *given)
{
    return asked == NULL || ASN1_TIME_compare(asked, given) == 0;
}

static bool
same_validity(const CMP_VALIDITY *asked, const X509 *given)
{
    return asked == NULL || (same_time(asked->not_before, X509_get0_notBefore(given)) &&
                             same_time(asked->not_after, X509_get0_notAfter(given)));
}

static bool
has_extension(const X509 *given, X509_EXTENSION *asked)
{
    int at = X509_get_ext_by_OBJ(given, X509_EXTENSION_get_object(asked), -1);

    return at >= 0 && ASN1_OCTET_STRING_cmp(X509_EXTENSION_get_data(X509_get_ext(given, at)),
                                            X509_EXTENSION_get_data(asked)) == 0;
}

int
cmp_asked_is_granted(struct span asked, const X509 *certificate, bool *granted, struct err *e)
{
    CLEANUP(template_cleanup) CMP_TEMPLATE *t = NULL;

    *granted = asked.n == 0;
    if (*granted) {
        return 0;
    }
    t = field_decode(ASN1_ITEM_rptr(CMP_TEMPLATE), asked, "what was asked for", e);
    if (t == NULL) {
        return -1;
    }
    *granted = same_name(t->issuer, X509_get_issuer_name(certificate)) &&
               same_name(t->subject, X509_get_subject_name(certificate)) &&
               same_validity(t->validity, certificate);
    for (int i = 0; *granted && i < sk_X509_EXTENSION_num(t->extensions); i++) {
        *granted = has_extension(certificate, sk_X509_EXTENSION_value(t->extensions, i));
    }
    return 0;
}
