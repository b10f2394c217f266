/* SPDX-License-Identifier: Apache-2.0 */
/* Which extensions are there, and those whose value says nothing of the holder. */
#include <openssl/err.h>
#include <string.h>
#include <strings.h>

#include "db/audit/der/canonical.h"
#include "db/audit/der/der.h"
#include "db/audit/lint/case.h"

static void
oid_at(const struct lint_case *c, int i, char out[LINT_OID_MAX])
{
    lint_oid_text(X509_EXTENSION_get_object(X509_get_ext(c->certificate, i)), out);
}

/* RFC 5280 4.2: not more than one instance of an extension. */
enum lint_outcome
lint_ext_once(const struct lint_case *c, struct err *why)
{
    const int n = X509_get_ext_count(c->certificate);

    for (int i = 0; i < n; i++) {
        for (int j = i + 1; j < n; j++) {
            char a[LINT_OID_MAX];
            char b[LINT_OID_MAX];

            oid_at(c, i, a);
            oid_at(c, j, b);
            if (strcmp(a, b) == 0) {
                return LINT_FAIL(why, "%s is there twice", a);
            }
        }
    }
    return LINT_PASSED;
}

enum lint_outcome
lint_ext_allowed(const struct lint_case *c, struct err *why)
{
    for (int i = 0; i < X509_get_ext_count(c->certificate); i++) {
        char oid[LINT_OID_MAX];
        cfg_t *known;

        oid_at(c, i, oid);
        known = lint_table_extension(c->profile->table, oid);
        if (known == NULL || (!lint_has(c->profile->class, "must", cfg_title(known)) &&
                              !lint_has(c->profile->class, "may", cfg_title(known)))) {
            return LINT_FAIL(why, "%s is not for such certificates",
                             known == NULL ? oid : cfg_title(known));
        }
    }
    return LINT_PASSED;
}

enum lint_outcome
lint_ext_missing(const struct lint_case *c, struct err *why)
{
    for (unsigned i = 0; i < cfg_size(c->profile->class, "must"); i++) {
        const char *name = cfg_getnstr(c->profile->class, "must", i);

        if (lint_case_extension(c, name) == NULL) {
            return LINT_FAIL(why, "%s is missing", name);
        }
    }
    return LINT_PASSED;
}

enum lint_outcome
lint_ext_critical(const struct lint_case *c, struct err *why)
{
    for (int i = 0; i < X509_get_ext_count(c->certificate); i++) {
        char oid[LINT_OID_MAX];
        cfg_t *known;

        oid_at(c, i, oid);
        known = lint_table_extension(c->profile->table, oid);
        if (known != NULL && (X509_EXTENSION_get_critical(X509_get_ext(c->certificate, i)) != 0) !=
                                 (cfg_getbool(known, "critical") == cfg_true)) {
            return LINT_FAIL(why, "%s is %scritical", cfg_title(known),
                             cfg_getbool(known, "critical") == cfg_true ? "not " : "");
        }
    }
    return LINT_PASSED;
}

/* Is it a value of this extension, which is the same when it is written again? Of one that OpenSSL
 * does not know, another lint asks. */
static bool
value_has_form(X509_EXTENSION *extension)
{
    const X509V3_EXT_METHOD *method = X509V3_EXT_get(extension);
    const struct span value = lint_extension_value(extension);
    const unsigned char *p = value.p;
    ASN1_VALUE *read;
    unsigned char *again = NULL;
    int n;
    bool same;

    if (method == NULL || method->it == NULL) {
        return true;
    }
    read = ASN1_item_d2i(NULL, &p, (long)value.n, ASN1_ITEM_ptr(method->it));
    if (read == NULL) {
        return false;
    }
    n = ASN1_item_i2d(read, &again, ASN1_ITEM_ptr(method->it));
    same = n > 0 && span_equal(span_of(again, (size_t)n), value);
    OPENSSL_free(again);
    ASN1_item_free(read, ASN1_ITEM_ptr(method->it));
    return same;
}

/* X.690 11.2.2: of bits that have names, those behind the last one that is set are left out. */
static bool
usage_has_form(X509_EXTENSION *extension)
{
    struct span value = lint_extension_value(extension);
    struct span bits;

    return OBJ_obj2nid(X509_EXTENSION_get_object(extension)) != NID_key_usage ||
           (audit_take(&value, DER_BIT_STRING, &bits, NULL) && bits.n >= 2 && bits.p[0] <= 7 &&
            (bits.p[bits.n - 1] >> bits.p[0] & 1) != 0);
}

enum lint_outcome
lint_ext_form(const struct lint_case *c, struct err *why)
{
    for (int i = 0; i < X509_get_ext_count(c->certificate); i++) {
        X509_EXTENSION *extension = X509_get_ext(c->certificate, i);
        const bool good = value_has_form(extension) && usage_has_form(extension);
        char oid[LINT_OID_MAX];

        ERR_clear_error();
        if (audit_der_canonical(lint_extension_value(extension), why) != 0) {
            return LINT_FAILED;
        }
        if (!good) {
            oid_at(c, i, oid);
            return LINT_FAIL(why, "%s has no value of its kind", oid);
        }
    }
    return LINT_PASSED;
}

/* No certificate in this record is another authority's. */
enum lint_outcome
lint_bc_end_entity(const struct lint_case *c, struct err *why)
{
    bool unread = false;
    BASIC_CONSTRAINTS *found =
        certificate_extension(c->certificate, NID_basic_constraints, &unread);
    const bool good = !unread && (found == NULL || found->ca == 0);

    BASIC_CONSTRAINTS_free(found);
    ERR_clear_error();
    return good ? LINT_PASSED : LINT_FAIL(why, "it is of a CA, or what it says cannot be read");
}

/* ---- where revocation is told ---- */

static bool
is_place(const GENERAL_NAME *name)
{
    static const char *const schemes[] = {"http://", "ldap://", "https://", "ldaps://"};

    if (name->type != GEN_URI) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        const int n = ASN1_STRING_length(name->d.uniformResourceIdentifier);

        if (n > (int)strlen(schemes[i]) &&
            strncasecmp((const char *)ASN1_STRING_get0_data(name->d.uniformResourceIdentifier),
                        schemes[i], strlen(schemes[i])) == 0) {
            return true;
        }
    }
    return false;
}

static bool
point_has_form(const DIST_POINT *point)
{
    if (point->distpoint == NULL || point->distpoint->type != 0 || point->reasons != NULL ||
        point->CRLissuer != NULL || sk_GENERAL_NAME_num(point->distpoint->name.fullname) < 1) {
        return false;
    }
    for (int i = 0; i < sk_GENERAL_NAME_num(point->distpoint->name.fullname); i++) {
        if (!is_place(sk_GENERAL_NAME_value(point->distpoint->name.fullname, i))) {
            return false;
        }
    }
    return true;
}

/* TS 33.310 6.1.3c.3: an LDAP or HTTP URI. RFC 5280 4.2.1.13: one CRL for all reasons, by whoever
 * issued the certificate. */
enum lint_outcome
lint_crldp_form(const struct lint_case *c, struct err *why)
{
    bool unread = false;
    CRL_DIST_POINTS *points =
        certificate_extension(c->certificate, NID_crl_distribution_points, &unread);
    bool good = points != NULL && sk_DIST_POINT_num(points) > 0;

    if (points == NULL && !unread) {
        return LINT_APART;
    }
    for (int i = 0; good && i < sk_DIST_POINT_num(points); i++) {
        good = point_has_form(sk_DIST_POINT_value(points, i));
    }
    CRL_DIST_POINTS_free(points);
    ERR_clear_error();
    return good ? LINT_PASSED : LINT_FAIL(why, "it is not a URI of HTTP or LDAP for all reasons");
}

/* RFC 9608 2, 4: what cannot be revoked says so, and names no place. */
enum lint_outcome
lint_status_one(const struct lint_case *c, struct err *why)
{
    const bool never = cfg_getbool(c->profile->profile, "no_rev_avail") == cfg_true;
    X509_EXTENSION *no = lint_case_extension(c, "noRevAvail");
    const bool place = lint_case_extension(c, "cRLDistributionPoints") != NULL;

    if (no != NULL && !span_equal(lint_extension_value(no), SPAN_LITERAL("\x05\x00"))) {
        return LINT_FAIL(why, "noRevAvail is not NULL");
    }
    if ((no != NULL) == place) {
        return place ? LINT_FAIL(why, "it has both noRevAvail and cRLDistributionPoints")
                     : LINT_FAIL(why, "it has neither noRevAvail nor cRLDistributionPoints");
    }
    return (no != NULL) == never ? LINT_PASSED
                                 : LINT_FAIL(why, "it has %s, its profile the other one",
                                             place ? "cRLDistributionPoints" : "noRevAvail");
}

/* RFC 5280 4.2.1.4: those of the profile, without qualifiers. */
enum lint_outcome
lint_policies_value(const struct lint_case *c, struct err *why)
{
    bool unread = false;
    CERTIFICATEPOLICIES *found =
        certificate_extension(c->certificate, NID_certificate_policies, &unread);
    const int n = found == NULL ? 0 : sk_POLICYINFO_num(found);
    bool good = !unread && n == (int)cfg_size(c->profile->profile, "policies");

    for (int i = 0; good && i < n; i++) {
        const POLICYINFO *one = sk_POLICYINFO_value(found, i);
        char oid[LINT_OID_MAX];

        lint_oid_text(one->policyid, oid);
        good = one->qualifiers == NULL && lint_has(c->profile->profile, "policies", oid);
    }
    CERTIFICATEPOLICIES_free(found);
    ERR_clear_error();
    return good ? LINT_PASSED : LINT_FAIL(why, "they are not those of the profile");
}
