/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/path/names.h"

#include <ctype.h>
#include <string.h>

enum { DNS_MAX = 253, LABEL_MAX = 63 };

DEFINE_CLEANUP(constraints_cleanup, NAME_CONSTRAINTS, NAME_CONSTRAINTS_free)

static struct span
octets(const ASN1_STRING *s)
{
    return span_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

static bool
is_label(const uint8_t *p, size_t n)
{
    if (n == 0 || n > LABEL_MAX || p[0] == '-' || p[n - 1] == '-') {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!(isascii(p[i]) && isalnum(p[i])) && p[i] != '-') {
            return false;
        }
    }
    return true;
}

/* No top-level domain consists of digits (RFC 3696 2): then it is an IPv4 address. */
static bool
is_number(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9') {
            return false;
        }
    }
    return true;
}

static bool
is_dns_name(struct span name, bool wildcard)
{
    size_t start = 0;
    bool number = false;

    if (wildcard && name.n > 2 && name.p[0] == '*' && name.p[1] == '.') {
        start = 2;
    }
    if (name.n > DNS_MAX) {
        return false;
    }
    for (size_t i = start; i <= name.n; i++) {
        if (i == name.n || name.p[i] == '.') {
            if (!is_label(name.p + start, i - start)) {
                return false;
            }
            number = is_number(name.p + start, i - start);
            start = i + 1;
        }
    }
    return !number;
}

static bool
is_mailbox(struct span name)
{
    const uint8_t *at = name.n == 0 ? NULL : memchr(name.p, '@', name.n);
    size_t local = at == NULL ? 0 : (size_t)(at - name.p);

    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] <= ' ' || name.p[i] > '~') {
            return false;
        }
    }
    return local > 0 && is_dns_name(span_of(name.p + local + 1, name.n - local - 1), false);
}

static bool
is_in_form(const GENERAL_NAME *name)
{
    switch (name->type) {
    case GEN_DNS:
        return is_dns_name(octets(name->d.dNSName), true);
    case GEN_EMAIL:
        return is_mailbox(octets(name->d.rfc822Name));
    case GEN_IPADD:
        return ASN1_STRING_length(name->d.iPAddress) == 4 ||
               ASN1_STRING_length(name->d.iPAddress) == 16;
    default:
        return true;
    }
}

static bool
is_subtree_in_form(const GENERAL_NAME *name)
{
    switch (name->type) {
    case GEN_DNS: /* an empty one stands for all names */
        return ASN1_STRING_length(name->d.dNSName) == 0 ||
               is_dns_name(octets(name->d.dNSName), false);
    case GEN_IPADD:
        return ASN1_STRING_length(name->d.iPAddress) == 8 ||
               ASN1_STRING_length(name->d.iPAddress) == 32;
    default:
        return true;
    }
}

static bool
are_subtrees_in_form(const STACK_OF(GENERAL_SUBTREE) * subtrees)
{
    for (int i = 0; i < sk_GENERAL_SUBTREE_num(subtrees); i++) {
        if (!is_subtree_in_form(sk_GENERAL_SUBTREE_value(subtrees, i)->base)) {
            return false;
        }
    }
    return true;
}

int
path_check_names(X509 *certificate, struct err *e)
{
    bool unread[2];
    CLEANUP(general_names_cleanup)
    GENERAL_NAMES *names = certificate_extension(certificate, NID_subject_alt_name, &unread[0]);
    CLEANUP(constraints_cleanup)
    NAME_CONSTRAINTS *constraints =
        certificate_extension(certificate, NID_name_constraints, &unread[1]);

    if (unread[0] || unread[1]) {
        return ossl_err(e, ERR_DENIED, "%s cannot be read",
                        unread[0] ? "subjectAltName" : "nameConstraints");
    }
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        if (!is_in_form(sk_GENERAL_NAME_value(names, i))) {
            return err_set(e, ERR_DENIED, "subjectAltName: name %d is not in the form of its kind",
                           i + 1);
        }
    }
    if (constraints != NULL && (!are_subtrees_in_form(constraints->permittedSubtrees) ||
                                !are_subtrees_in_form(constraints->excludedSubtrees))) {
        return err_set(e, ERR_DENIED, "nameConstraints: a subtree is not in the form of its kind");
    }
    return 0;
}

bool
path_has_wildcard(X509 *certificate)
{
    bool unread;
    CLEANUP(general_names_cleanup)
    GENERAL_NAMES *names = certificate_extension(certificate, NID_subject_alt_name, &unread);

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type == GEN_DNS && ASN1_STRING_length(name->d.dNSName) > 0 &&
            memchr(ASN1_STRING_get0_data(name->d.dNSName), '*',
                   (size_t)ASN1_STRING_length(name->d.dNSName)) != NULL) {
            return true;
        }
    }
    return unread;
}

static bool
has_dns(const STACK_OF(GENERAL_SUBTREE) * subtrees)
{
    for (int i = 0; i < sk_GENERAL_SUBTREE_num(subtrees); i++) {
        if (sk_GENERAL_SUBTREE_value(subtrees, i)->base->type == GEN_DNS) {
            return true;
        }
    }
    return false;
}

bool
path_constrains_dns(X509 *certificate)
{
    bool unread;
    CLEANUP(constraints_cleanup)
    NAME_CONSTRAINTS *constraints =
        certificate_extension(certificate, NID_name_constraints, &unread);

    return constraints == NULL
               ? unread
               : has_dns(constraints->permittedSubtrees) || has_dns(constraints->excludedSubtrees);
}
