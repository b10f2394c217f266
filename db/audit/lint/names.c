/* SPDX-License-Identifier: Apache-2.0 */
/* Whose it is: subject and subjectAltName, by themselves and by what the registrar signed. */
#include <ctype.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "db/audit/lint/case.h"

enum {
    FQDN_MAX = 253, /* octets of a domain name as text, RFC 1035 2.3.4 */
    LABEL_MAX = 63,
    URN_SIZE = 45, /* urn:uuid: and 36 */
    UUID_SIZE = 36,
    UUID_VERSION = 14, /* where its digit is, */
    UUID_VARIANT = 19, /* and that of the variant */
    DOMAIN_SIZE = 64,
};
#define URN "urn:uuid:"

/* ---- subject ---- */

static const char *
attribute_of(const X509_NAME_ENTRY *entry)
{
    return OBJ_nid2sn(OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)));
}

/* RFC 5280 4.1.2.4: PrintableString or UTF8String; a country is PrintableString (Appendix A.1). */
static bool
value_has_form(const X509_NAME_ENTRY *entry, const char *attribute)
{
    const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
    const int type = ASN1_STRING_type(value);

    return ASN1_STRING_length(value) > 0 &&
           (type == V_ASN1_PRINTABLESTRING ||
            (type == V_ASN1_UTF8STRING && strcmp(attribute, "C") != 0));
}

static int
place_in(cfg_t *class, const char *attribute)
{
    for (unsigned i = 0; i < cfg_size(class, "subject"); i++) {
        if (strcmp(cfg_getnstr(class, "subject", i), attribute) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* TS 33.310 6.1, 6.1.3c.3: these attributes, in this order, each once and alone in its RDN. */
enum lint_outcome
lint_subject_form(const struct lint_case *c, struct err *why)
{
    const X509_NAME *subject = X509_get_subject_name(c->certificate);
    int last = -1;

    for (int i = 0; i < X509_NAME_entry_count(subject); i++) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(subject, i);
        const char *attribute = attribute_of(entry);
        const int place = place_in(c->profile->class, attribute);

        if (place <= last || X509_NAME_ENTRY_set(entry) != i || !value_has_form(entry, attribute)) {
            return LINT_FAIL(why, "%s is not for it, not at its place, or of another type",
                             attribute);
        }
        last = place;
    }
    for (unsigned i = 0; i < cfg_size(c->profile->class, "subject_must"); i++) {
        const char *attribute = cfg_getnstr(c->profile->class, "subject_must", i);

        if (X509_NAME_get_index_by_NID(subject, OBJ_sn2nid(attribute), -1) < 0) {
            return LINT_FAIL(why, "%s is missing", attribute);
        }
    }
    return LINT_PASSED;
}

static bool
subject_says(const struct lint_case *c, int nid, const char *wanted)
{
    const X509_NAME *subject = X509_get_subject_name(c->certificate);
    const int at = X509_NAME_get_index_by_NID(subject, nid, -1);
    const ASN1_STRING *value;

    if (at < 0 || wanted == NULL) {
        return false;
    }
    value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    return (size_t)ASN1_STRING_length(value) == strlen(wanted) &&
           strncasecmp((const char *)ASN1_STRING_get0_data(value), wanted, strlen(wanted)) == 0;
}

/* TS 33.310 6.1: the subject belongs to the administrative domain. */
enum lint_outcome
lint_subject_registered(const struct lint_case *c, struct err *why)
{
    return subject_says(c, NID_countryName, lint_document_text(c, "country")) &&
                   subject_says(c, NID_organizationName, lint_document_text(c, "homeDomain"))
               ? LINT_PASSED
               : LINT_FAIL(why, "it is not the registered country and home domain");
}

/* ---- subjectAltName ---- */

/* A look at each name, until one of them fails. */
typedef enum lint_outcome look(const struct lint_case *, const char *text, struct err *why);

static GENERAL_NAMES *
alt_names(const struct lint_case *c)
{
    bool unread = false;
    GENERAL_NAMES *names = certificate_extension(c->certificate, NID_subject_alt_name, &unread);

    ERR_clear_error();
    return names;
}

/* Each dNSName; LINT_APART when there is none. */
static enum lint_outcome
each_dns(const struct lint_case *c, look *at, struct err *why)
{
    CLEANUP(general_names_cleanup) GENERAL_NAMES *names = alt_names(c);
    enum lint_outcome outcome = LINT_APART;

    for (int i = 0; outcome != LINT_FAILED && i < sk_GENERAL_NAME_num(names); i++) {
        CLEANUP(mem_cleanup) char *text = lint_dns_text(sk_GENERAL_NAME_value(names, i));

        if (text != NULL) {
            outcome = at(c, text, why);
        }
    }
    return outcome;
}

enum lint_outcome
lint_san_kinds(const struct lint_case *c, struct err *why)
{
    CLEANUP(general_names_cleanup) GENERAL_NAMES *names = alt_names(c);

    if (lint_case_extension(c, "subjectAltName") == NULL) {
        return LINT_APART;
    }
    if (sk_GENERAL_NAME_num(names) < 1) {
        return LINT_FAIL(why, "it has no name that can be read");
    }
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const int type = sk_GENERAL_NAME_value(names, i)->type;
        const char *kind = type == GEN_DNS ? "DNS" : type == GEN_URI ? "URI" : "";

        if (!lint_has(c->profile->class, "names", kind)) {
            return LINT_FAIL(why, "a name is of a kind that is not for it");
        }
    }
    return LINT_PASSED;
}

/* What free5GC looks for: NF types as names, where the profile says so. */
static bool
is_type_name(const struct lint_case *c, const char *text)
{
    return cfg_getbool(c->profile->profile, "extra_dns_nf_type") == cfg_true &&
           strchr(text, '.') == NULL;
}

static bool
label_has_form(const char *label, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const unsigned char octet = (unsigned char)label[i];

        if (islower(octet) == 0 && isdigit(octet) == 0 && octet != '-') {
            return false;
        }
    }
    return n > 0 && n <= LABEL_MAX && label[0] != '-' && label[n - 1] != '-';
}

/* RFC 5280 4.2.1.6, RFC 1034 3.5: two labels at least of letters, digits and hyphens; in lower
 * case, and what is not ASCII as A-labels. The wildcard is another lint's. */
static enum lint_outcome
dns_look(const struct lint_case *c, const char *text, struct err *why)
{
    const char *label = strncmp(text, "*.", 2) == 0 ? text + 2 : text;
    size_t labels = 0;

    if (is_type_name(c, text)) {
        return LINT_PASSED;
    }
    while (label_has_form(label, strcspn(label, "."))) {
        labels++;
        label += strcspn(label, ".");
        if (*label == '\0') {
            return labels >= 2 && strlen(text) <= FQDN_MAX
                       ? LINT_PASSED
                       : LINT_FAIL(why, "%.260s has one label, or is too long", text);
        }
        label++;
    }
    return LINT_FAIL(why, "%.260s is no domain name in lower case", text);
}

enum lint_outcome
lint_san_dns(const struct lint_case *c, struct err *why)
{
    return each_dns(c, dns_look, why);
}

static enum lint_outcome
wildcard_look(const struct lint_case *c, const char *text, struct err *why)
{
    const char *star = strchr(text, '*');

    if (star == NULL) {
        return LINT_PASSED;
    }
    return cfg_getbool(c->profile->profile, "wildcard") == cfg_true && star == text &&
                   text[1] == '.' && strchr(text + 1, '*') == NULL
               ? LINT_PASSED
               : LINT_FAIL(why, "%.260s is a wildcard", text);
}

/* TS 33.501 13.1.1.0: for a SEPP's telescopic names alone. */
enum lint_outcome
lint_san_wildcard(const struct lint_case *c, struct err *why)
{
    return each_dns(c, wildcard_look, why);
}

/* ---- urn:uuid ---- */

static bool
uuid_has_form(const char *uuid)
{
    static const char dashes[] = "\x08\x0d\x12\x17";

    for (int i = 0; i < UUID_SIZE; i++) {
        const bool dash = memchr(dashes, i, sizeof(dashes) - 1) != NULL;

        if (dash ? uuid[i] != '-' : strchr("0123456789abcdef", uuid[i]) == NULL) {
            return false;
        }
    }
    return uuid[UUID_VERSION] == '4' && strchr("89ab", uuid[UUID_VARIANT]) != NULL;
}

/* TS 33.310 6.1.3c with TS 29.571: one URI, which is the NF instance's UUID of version 4. */
enum lint_outcome
lint_san_uuid(const struct lint_case *c, struct err *why)
{
    CLEANUP(general_names_cleanup) GENERAL_NAMES *names = alt_names(c);
    char urn[URN_SIZE + 1] = "";
    int uris = 0;

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type == GEN_URI) {
            const ASN1_STRING *uri = name->d.uniformResourceIdentifier;

            uris++;
            if (ASN1_STRING_length(uri) == URN_SIZE) {
                memcpy(urn, ASN1_STRING_get0_data(uri), URN_SIZE);
            }
        }
    }
    if (uris != 1 || strlen(urn) != URN_SIZE || strncmp(urn, URN, sizeof(URN) - 1) != 0 ||
        !uuid_has_form(urn + sizeof(URN) - 1)) {
        return LINT_FAIL(why, "it has not exactly one URI, urn:uuid: and a UUID of version 4");
    }
    return strcasecmp(urn + sizeof(URN) - 1, leaf_text(c->intent, "nfInstanceId")) == 0
               ? LINT_PASSED
               : LINT_FAIL(why, "it is of %s, not of the NF instance in the INTENT", urn);
}

/* ---- as registered ---- */

static enum lint_outcome
registered_look(const struct lint_case *c, const char *text, struct err *why)
{
    return lint_list_has(lint_document_list(c, "fqdns"), text) ||
                   (is_type_name(c, text) && lint_list_has(lint_document_list(c, "nfTypes"), text))
               ? LINT_PASSED
               : LINT_FAIL(why, "%.260s is not registered", text);
}

static bool
has_dns(const GENERAL_NAMES *names, const char *wanted)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        CLEANUP(mem_cleanup) char *text = lint_dns_text(sk_GENERAL_NAME_value(names, i));

        if (text != NULL && strcasecmp(text, wanted) == 0) {
            return true;
        }
    }
    return false;
}

/* All that are registered, and no others; a wildcard only under a profile that has one. */
enum lint_outcome
lint_san_registered(const struct lint_case *c, struct err *why)
{
    CLEANUP(general_names_cleanup) GENERAL_NAMES *names = alt_names(c);
    const json_t *fqdns = lint_document_list(c, "fqdns");
    const bool wildcard = cfg_getbool(c->profile->profile, "wildcard") == cfg_true;

    for (size_t i = 0; i < json_array_size(fqdns); i++) {
        const char *fqdn = json_string_value(json_array_get(fqdns, i));

        if (fqdn != NULL && (wildcard || strchr(fqdn, '*') == NULL) && !has_dns(names, fqdn)) {
            return LINT_FAIL(why, "%.260s is registered and not there", fqdn);
        }
    }
    return each_dns(c, registered_look, why) == LINT_FAILED ? LINT_FAILED : LINT_PASSED;
}

static bool
is_within(const char *name, const char *domain)
{
    const size_t n = strlen(name);
    const size_t m = strlen(domain);

    return n >= m && strcasecmp(name + n - m, domain) == 0 && (n == m || name[n - m - 1] == '.');
}

/* TS 23.003 28.2: "5gc.mnc012.mcc345.3gppnetwork.org". */
static bool
is_of_plmn(const struct lint_case *c, const char *name)
{
    const json_t *plmns = lint_document_list(c, "plmns");

    for (size_t i = 0; i < json_array_size(plmns); i++) {
        const char *mcc = json_string_value(json_object_get(json_array_get(plmns, i), "mcc"));
        const char *mnc = json_string_value(json_object_get(json_array_get(plmns, i), "mnc"));
        char domain[DOMAIN_SIZE];

        if (mcc != NULL && mnc != NULL) {
            (void)snprintf(domain, sizeof(domain), "5gc.mnc%s%s.mcc%s.3gppnetwork.org",
                           strlen(mnc) == 2 ? "0" : "", mnc, mcc);
            if (is_within(name, domain)) {
                return true;
            }
        }
    }
    return false;
}

static enum lint_outcome
domain_look(const struct lint_case *c, const char *text, struct err *why)
{
    const char *home = lint_document_text(c, "homeDomain");

    return is_type_name(c, text) || (home != NULL && is_within(text, home)) || is_of_plmn(c, text)
               ? LINT_PASSED
               : LINT_FAIL(why, "%.260s is not below %.64s", text, home == NULL ? "?" : home);
}

/* An operator may have agreed on other domains (fqdn_suffixes), which the record does not have. */
enum lint_outcome
lint_san_domain(const struct lint_case *c, struct err *why)
{
    return each_dns(c, domain_look, why);
}

static enum lint_outcome
any_look(const struct lint_case *c, const char *text, struct err *why)
{
    (void)c;
    (void)text;
    (void)why;
    return LINT_PASSED;
}

/* TS 33.310 6.1.3c.3: a TLS server is named by an FQDN. */
enum lint_outcome
lint_san_server(const struct lint_case *c, struct err *why)
{
    if (cfg_getbool(c->profile->profile, "server") != cfg_true) {
        return LINT_APART;
    }
    return each_dns(c, any_look, why) == LINT_PASSED ? LINT_PASSED
                                                     : LINT_FAIL(why, "it has no dNSName");
}

enum lint_outcome
lint_registration_nf(const struct lint_case *c, struct err *why)
{
    const char *registered = lint_document_text(c, "nfInstanceId");

    return registered != NULL && strcasecmp(registered, leaf_text(c->intent, "nfInstanceId")) == 0
               ? LINT_PASSED
               : LINT_FAIL(why, "another NF instance is registered");
}
