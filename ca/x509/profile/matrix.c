/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/profile/matrix.h"

#include <openssl/objects.h>
#include <string.h>

#include "base/mem.h"

enum {
    OID_TEXT_MAX = 128,
    NO_REV_AVAIL_MAX = 7 * PROFILE_DAY, /* what cannot be revoked does not live longer */
    HOUR = 60 * 60,
    SIGNING = KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_NON_REPUDIATION,
};

/* A key for one group is not one for another: RFC 9509 1, cross-protocol attacks. */
enum group { GROUP_TLS, GROUP_JWT, GROUP_TOKEN, GROUP_ENCRYPT, GROUP_OWN };

struct purpose {
    const char *oid;
    const char *name;
    enum group group;
    unsigned key_usage;  /* may be */
    const char *nf_type; /* must be entitled; NULL: any may be */
};

static const struct purpose purposes[] = {
    {EKU_SERVER_AUTH, "serverAuth", GROUP_TLS, KEY_USAGE_DIGITAL_SIGNATURE, NULL},
    {EKU_CLIENT_AUTH, "clientAuth", GROUP_TLS, KEY_USAGE_DIGITAL_SIGNATURE, NULL},
    {EKU_JWT, "jwt", GROUP_JWT, SIGNING, NULL},
    {EKU_OAUTH_TOKEN_SIGNING, "oauthAccessTokenSigning", GROUP_TOKEN, SIGNING, "NRF"},
    {EKU_HTTP_CONTENT_ENCRYPT, "httpContentEncrypt", GROUP_ENCRYPT, KEY_USAGE_KEY_ENCIPHERMENT,
     "SEPP"},
};

/* Enterprise numbers: what an operator has agreed with nobody but itself. */
#define OWN_ARC "1.3.6.1.4.1."
static const struct purpose own = {NULL, NULL, GROUP_OWN, KEY_USAGE_DIGITAL_SIGNATURE, NULL};

static const struct purpose *
purpose_find(const char *oid)
{
    for (size_t i = 0; i < ARRAY_LEN(purposes); i++) {
        if (strcmp(purposes[i].oid, oid) == 0) {
            return &purposes[i];
        }
    }
    return strncmp(oid, OWN_ARC, sizeof(OWN_ARC) - 1) == 0 ? &own : NULL;
}

const char *
profile_purpose(const char *text)
{
    char again[OID_TEXT_MAX];
    ASN1_OBJECT *oid;
    bool same;

    for (size_t i = 0; i < ARRAY_LEN(purposes); i++) {
        if (strcmp(purposes[i].name, text) == 0) {
            return purposes[i].oid;
        }
    }
    oid = OBJ_txt2obj(text, 1);
    same = oid != NULL && OBJ_obj2txt(again, sizeof(again), oid, 1) > 0 && strcmp(again, text) == 0;
    ASN1_OBJECT_free(oid);
    return same ? text : NULL;
}

const char *
profile_purpose_name(const char *oid)
{
    const struct purpose *p = purpose_find(oid);

    return p == NULL || p->name == NULL ? oid : p->name;
}

static bool
has_purpose(const struct profile *p, const char *oid)
{
    for (size_t i = 0; i < PROFILE_EKU_MAX && p->eku[i] != NULL; i++) {
        if (strcmp(p->eku[i], oid) == 0) {
            return true;
        }
    }
    return false;
}

/* The list is exactly this type. */
static bool
is_only_for(const struct profile *p, const char *nf_type)
{
    return p->nf_types[0] != NULL && p->nf_types[1] == NULL && strcmp(p->nf_types[0], nf_type) == 0;
}

static int
check_purposes(const struct profile *p, const char **option, struct err *e)
{
    const struct purpose *first = NULL;

    *option = "extended_key_usage";
    for (size_t i = 0; i < PROFILE_EKU_MAX && p->eku[i] != NULL; i++) {
        const struct purpose *purpose = purpose_find(p->eku[i]);

        if (purpose == NULL) {
            return err_set(
                e, ERR_INPUT,
                "purpose %s is none of a network function: serverAuth, "
                "clientAuth, jwt, oauthAccessTokenSigning, httpContentEncrypt, or an OID "
                "below " OWN_ARC,
                p->eku[i]);
        }
        if (i > 0 && strcmp(p->eku[i - 1], p->eku[i]) == 0) {
            return err_set(e, ERR_INPUT, "purpose %s stands there twice", p->eku[i]);
        }
        if (first != NULL && first->group != purpose->group) {
            return err_set(e, ERR_INPUT, "%s and %s are not for one key (RFC 9509 1)",
                           profile_purpose_name(p->eku[0]), profile_purpose_name(p->eku[i]));
        }
        first = purpose;
    }
    return first != NULL ? 0 : err_set(e, ERR_INPUT, "a purpose is needed (TS 33.310 6.1.3c.3)");
}

static int
check_key_usage(const struct profile *p, const char **option, struct err *e)
{
    const struct purpose *purpose = purpose_find(p->eku[0]);

    *option = "key_usage";
    if (p->key_usage == 0 || (p->key_usage & ~purpose->key_usage) != 0) {
        return err_set(e, ERR_INPUT, "%s goes with %s (RFC 9509 4, TS 33.310 6.1.3c.3)",
                       profile_purpose_name(p->eku[0]),
                       purpose->key_usage == SIGNING ? "digitalSignature or nonRepudiation"
                       : purpose->key_usage == KEY_USAGE_KEY_ENCIPHERMENT
                           ? "keyEncipherment alone"
                           : "digitalSignature alone");
    }
    *option = "keys";
    if (p->ec_keys == 0 && p->rsa_bits == 0) {
        return err_set(e, ERR_INPUT, "a kind of key is needed");
    }
    /* RFC 5480 3: keyEncipherment MUST NOT be with id-ecPublicKey */
    if ((p->key_usage & KEY_USAGE_KEY_ENCIPHERMENT) != 0 && p->ec_keys != 0) {
        return err_set(e, ERR_INPUT, "keyEncipherment is for RSA keys only (RFC 5480 3)");
    }
    return p->rsa_bits == 0 || p->rsa_bits >= PUBKEY_RSA_BITS_MIN
               ? 0
               : err_set(e, ERR_INPUT, "RSA keys have %d bits or more", PUBKEY_RSA_BITS_MIN);
}

static int
check_entitlement(const struct profile *p, const char **option, struct err *e)
{
    const struct purpose *purpose = purpose_find(p->eku[0]);

    *option = "nf_types";
    if (purpose->nf_type != NULL && !is_only_for(p, purpose->nf_type)) {
        return err_set(e, ERR_INPUT, "%s is for %s only: nf_types = {\"%s\"}",
                       profile_purpose_name(p->eku[0]), purpose->nf_type, purpose->nf_type);
    }
    *option = "plmns";
    if (p->plmns && !is_only_for(p, "SEPP")) {
        return err_set(e, ERR_INPUT, "PLMN ids are for SEPPs only: nf_types = {\"SEPP\"}");
    }
    *option = "wildcard";
    if (p->wildcard && (!is_only_for(p, "SEPP") || !p->plmns || !has_purpose(p, EKU_SERVER_AUTH))) {
        return err_set(e, ERR_INPUT,
                       "a wildcard is for TLS servers of SEPPs only (TS 33.501 13.1.1.0): nf_types "
                       "= {\"SEPP\"}, plmns = true, serverAuth");
    }
    *option = "server";
    if (has_purpose(p, EKU_SERVER_AUTH) && !p->server) {
        return err_set(e, ERR_INPUT,
                       "serverAuth needs server = true: a TLS server is named by its FQDN "
                       "(TS 33.310 6.1.3c.3)");
    }
    *option = "extra_dns_nf_type";
    return !p->extra_dns_nf_type || p->lab
               ? 0
               : err_set(e, ERR_INPUT, "is for laboratories: lab = true");
}

static int
check_validity(const struct profile *p, const char **option, struct err *e)
{
    *option = "max_validity_hours";
    if (p->max_validity < HOUR || p->max_validity > PROFILE_NF_MAX) {
        *option = "max_validity_days";
        return err_set(e, ERR_INPUT,
                       "the longest validity is one hour to three years (TS 33.310 6.1.3c.3)");
    }
    if (p->no_rev_avail && p->max_validity > NO_REV_AVAIL_MAX) {
        *option = "no_rev_avail";
        return err_set(e, ERR_INPUT,
                       "what cannot be revoked is valid for 7 days at most: "
                       "max_validity_hours = 168 or less");
    }
    *option = "validity_hours";
    if (p->validity < HOUR || p->validity > p->max_validity) {
        return err_set(e, ERR_INPUT, "the validity is one hour to the longest one");
    }
    *option = "approvals";
    return p->approvals >= 0 && p->approvals <= PROFILE_APPROVALS_MAX
               ? 0
               : err_set(e, ERR_INPUT, "0 to %d are possible", PROFILE_APPROVALS_MAX);
}

int
profile_matrix_check(const struct profile *p, const char **option, struct err *e)
{
    return check_purposes(p, option, e) != 0 || check_key_usage(p, option, e) != 0 ||
                   check_entitlement(p, option, e) != 0 || check_validity(p, option, e) != 0
               ? -1
               : 0;
}
