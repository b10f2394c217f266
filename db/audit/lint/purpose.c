/* SPDX-License-Identifier: Apache-2.0 */
/* What it is for: key usage, purposes, NF types and the profile that was registered. */
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "db/audit/der/der.h"
#include "db/audit/lint/case.h"

enum {
    KEY_USAGES = 9,
    IA5_STRING = 0x16,
    TYPE_MAX = 32, /* octets of an NFType */
    GRAPHIC_FIRST = 33,
    GRAPHIC_LAST = 126,
};
/* Below it is what an operator has agreed with nobody but itself. */
#define OWN_ARC "1.3.6.1.4.1."
#define ANY_PURPOSE "2.5.29.37.0"

static const char *const KEY_USAGE_NAMES[KEY_USAGES] = {
    "digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
    "keyCertSign",      "cRLSign",        "encipherOnly",    "decipherOnly",
};

/* contentCommitment is nonRepudiation since X.509 (2005). */
static bool
lists_usage(cfg_t *section, int bit)
{
    return lint_has(section, "key_usage", KEY_USAGE_NAMES[bit]) ||
           (bit == 1 && lint_has(section, "key_usage", "contentCommitment"));
}

static ASN1_BIT_STRING *
key_usage(const struct lint_case *c)
{
    bool unread = false;

    return certificate_extension(c->certificate, NID_key_usage, &unread);
}

enum lint_outcome
lint_ku_value(const struct lint_case *c, struct err *why)
{
    ASN1_BIT_STRING *found = key_usage(c);
    bool good = found != NULL;

    for (int bit = 0; good && bit < KEY_USAGES; bit++) {
        good = (ASN1_BIT_STRING_get_bit(found, bit) == 1) == lists_usage(c->profile->profile, bit);
    }
    ASN1_BIT_STRING_free(found);
    ERR_clear_error();
    return good ? LINT_PASSED : LINT_FAIL(why, "it is not that of the profile");
}

static EXTENDED_KEY_USAGE *
purposes(const struct lint_case *c)
{
    bool unread = false;

    return certificate_extension(c->certificate, NID_ext_key_usage, &unread);
}

static bool
has_purpose(const EXTENDED_KEY_USAGE *found, const char *wanted)
{
    for (int i = 0; i < sk_ASN1_OBJECT_num(found); i++) {
        char oid[LINT_OID_MAX];

        lint_oid_text(sk_ASN1_OBJECT_value(found, i), oid);
        if (strcmp(oid, wanted) == 0) {
            return true;
        }
    }
    return false;
}

/* The same purposes, each once; no extension where there are none. */
enum lint_outcome
lint_eku_value(const struct lint_case *c, struct err *why)
{
    EXTENDED_KEY_USAGE *found = purposes(c);
    const unsigned n = cfg_size(c->profile->profile, "extended_key_usage");
    bool good = found == NULL ? n == 0 : sk_ASN1_OBJECT_num(found) == (int)n;

    for (unsigned i = 0; good && i < n; i++) {
        good = has_purpose(
            found, lint_table_purpose_oid(c->profile->table, cfg_getnstr(c->profile->profile,
                                                                         "extended_key_usage", i)));
    }
    EXTENDED_KEY_USAGE_free(found);
    ERR_clear_error();
    return good ? LINT_PASSED : LINT_FAIL(why, "its purposes are not those of the profile");
}

enum lint_outcome
lint_eku_any(const struct lint_case *c, struct err *why)
{
    EXTENDED_KEY_USAGE *found = purposes(c);
    const bool any = found != NULL && has_purpose(found, ANY_PURPOSE);

    EXTENDED_KEY_USAGE_free(found);
    ERR_clear_error();
    return any ? LINT_FAIL(why, "it is for any purpose") : LINT_PASSED;
}

/* ---- NF types ---- */

/* The next of the NF types of the certificate, at most 32 octets; false: no more, or no form. */
static bool
take_type(struct span *in, char out[TYPE_MAX + 1])
{
    struct span content;

    if (!audit_take(in, IA5_STRING, &content, NULL) || content.n == 0 || content.n > TYPE_MAX) {
        return false;
    }
    for (size_t i = 0; i < content.n; i++) {
        if (content.p[i] < GRAPHIC_FIRST || content.p[i] > GRAPHIC_LAST) {
            return false;
        }
    }
    (void)snprintf(out, TYPE_MAX + 1, "%.*s", (int)content.n, (const char *)content.p);
    return true;
}

/* What is in the extension; false: there is none, or nothing of its form. */
static bool
open_types(const struct lint_case *c, struct span *in)
{
    X509_EXTENSION *extension = lint_case_extension(c, "nfTypes");
    struct span value;

    if (extension == NULL) {
        return false;
    }
    value = lint_extension_value(extension);
    return audit_take(&value, DER_SEQUENCE, in, NULL) && value.n == 0 && in->n > 0;
}

/* RFC 9310 3: 1 to 32 printable octets each, none twice, in ascending order. */
enum lint_outcome
lint_nftypes_form(const struct lint_case *c, struct err *why)
{
    char last[TYPE_MAX + 1] = "";
    char type[TYPE_MAX + 1];
    struct span in;

    if (lint_case_extension(c, "nfTypes") == NULL) {
        return LINT_APART;
    }
    if (!open_types(c, &in)) {
        return LINT_FAIL(why, "it is no list of NF types");
    }
    while (in.n > 0) {
        if (!take_type(&in, type)) {
            return LINT_FAIL(why, "one of them is no text of 1 to 32 printable octets");
        }
        if (strcmp(last, type) >= 0) {
            return LINT_FAIL(why, "%s is not behind %s", type, last);
        }
        memcpy(last, type, sizeof(last));
    }
    return LINT_PASSED;
}

static bool
has_type(const struct lint_case *c, const char *wanted)
{
    char type[TYPE_MAX + 1];
    struct span in;

    if (!open_types(c, &in)) {
        return false;
    }
    while (in.n > 0 && take_type(&in, type)) {
        if (strcmp(type, wanted) == 0) {
            return true;
        }
    }
    return false;
}

enum lint_outcome
lint_nftypes_registered(const struct lint_case *c, struct err *why)
{
    const json_t *registered = lint_document_list(c, "nfTypes");
    char type[TYPE_MAX + 1];
    size_t n = 0;
    struct span in;

    if (lint_case_extension(c, "nfTypes") == NULL) {
        return LINT_APART;
    }
    if (!open_types(c, &in)) {
        return LINT_FAIL(why, "it is no list of NF types");
    }
    while (in.n > 0 && take_type(&in, type)) {
        if (!lint_list_has(registered, type)) {
            return LINT_FAIL(why, "%s is not registered", type);
        }
        n++;
    }
    return n == json_array_size(registered) ? LINT_PASSED
                                            : LINT_FAIL(why, "not all that are registered are in");
}

/* ---- which go together ---- */

static enum lint_outcome
purpose_fits(const struct lint_case *c, cfg_t *purpose, const ASN1_BIT_STRING *usage,
             struct err *why)
{
    const char *type = cfg_getstr(purpose, "nf_type");

    for (int bit = 0; bit < KEY_USAGES; bit++) {
        if (ASN1_BIT_STRING_get_bit(usage, bit) == 1 && !lists_usage(purpose, bit)) {
            return LINT_FAIL(why, "%s does not go with %s", KEY_USAGE_NAMES[bit],
                             cfg_title(purpose));
        }
    }
    return type[0] == '\0' || has_type(c, type)
               ? LINT_PASSED
               : LINT_FAIL(why, "%s is for %s alone", cfg_title(purpose), type);
}

static enum lint_outcome
purposes_fit(const struct lint_case *c, const EXTENDED_KEY_USAGE *found,
             const ASN1_BIT_STRING *usage, struct err *why)
{
    const char *group = NULL;

    for (int i = 0; i < sk_ASN1_OBJECT_num(found); i++) {
        char oid[LINT_OID_MAX];
        cfg_t *purpose;
        const char *own;

        lint_oid_text(sk_ASN1_OBJECT_value(found, i), oid);
        purpose = lint_table_purpose(c->profile->table, oid);
        if (purpose == NULL && strncmp(oid, OWN_ARC, sizeof(OWN_ARC) - 1) != 0) {
            return LINT_FAIL(why, "%s is no purpose of certificates of this authority", oid);
        }
        own = purpose == NULL ? OWN_ARC : cfg_getstr(purpose, "group");
        if (group != NULL && strcmp(group, own) != 0) {
            return LINT_FAIL(why, "purposes that are not for one key");
        }
        group = own;
        if (purpose != NULL && purpose_fits(c, purpose, usage, why) != LINT_PASSED) {
            return LINT_FAILED;
        }
    }
    return LINT_PASSED;
}

/* RFC 9509 1, 5; RFC 5480 3: keyEncipherment MUST NOT be with id-ecPublicKey. Whatever a profile
 * says. */
enum lint_outcome
lint_eku_pair(const struct lint_case *c, struct err *why)
{
    EXTENDED_KEY_USAGE *found = purposes(c);
    ASN1_BIT_STRING *usage = key_usage(c);
    EVP_PKEY *key = X509_get0_pubkey(c->certificate);
    enum lint_outcome outcome = LINT_APART;

    if (usage != NULL && ASN1_BIT_STRING_get_bit(usage, 2) == 1 && key != NULL &&
        EVP_PKEY_is_a(key, "EC") == 1) {
        outcome = LINT_FAIL(why, "keyEncipherment does not go with a key of an elliptic curve");
    } else if (found != NULL && usage != NULL) {
        outcome = purposes_fit(c, found, usage, why);
    }
    EXTENDED_KEY_USAGE_free(found);
    ASN1_BIT_STRING_free(usage);
    ERR_clear_error();
    return outcome;
}

/* ---- the profile ---- */

/* What was adopted was made under a profile that nobody knows any more; the rules ask that it was
 * (db/audit/rules/restored.h). */
enum lint_outcome
lint_profile_known(const struct lint_case *c, struct err *why)
{
    if (strcmp(leaf_text(c->intent, "profile"), LINT_ADOPTED) == 0) {
        return LINT_APART;
    }
    if (lint_is_nf(c) && leaf_text(c->intent, "profileFile") == NULL) {
        return LINT_FAIL(why, "its INTENT is of a network function and names no file of profiles");
    }
    if (c->no_profile) {
        return LINT_FAIL(why, "%s", c->unknown);
    }
    if (c->profile == NULL) {
        (void)err_text(why, ERR_NOTFOUND, "%s", c->unknown);
        return LINT_NOT_RUN;
    }
    return LINT_PASSED;
}

enum lint_outcome
lint_profile_enabled(const struct lint_case *c, struct err *why)
{
    return cfg_getbool(c->profile->profile, "enabled") == cfg_true
               ? LINT_PASSED
               : LINT_FAIL(why, "%s is switched off in the file of profiles",
                           cfg_title(c->profile->profile));
}

enum lint_outcome
lint_profile_registered(const struct lint_case *c, struct err *why)
{
    const json_t *profiles = lint_document_list(c, "profiles");
    const char *wanted = leaf_text(c->intent, "profile");

    for (size_t i = 0; i < json_array_size(profiles); i++) {
        const char *name = json_string_value(json_object_get(json_array_get(profiles, i), "name"));

        if (name != NULL && strcmp(name, wanted) == 0) {
            return LINT_PASSED;
        }
    }
    return LINT_FAIL(why, "%s is not registered", wanted);
}

/* One of those that the profile is for is registered. */
enum lint_outcome
lint_profile_types(const struct lint_case *c, struct err *why)
{
    const unsigned n = cfg_size(c->profile->profile, "nf_types");

    for (unsigned i = 0; i < n; i++) {
        if (lint_list_has(lint_document_list(c, "nfTypes"),
                          cfg_getnstr(c->profile->profile, "nf_types", i))) {
            return LINT_PASSED;
        }
    }
    return n == 0 ? LINT_APART : LINT_FAIL(why, "no NF type that it is for is registered");
}
