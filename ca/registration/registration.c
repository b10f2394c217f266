/* SPDX-License-Identifier: Apache-2.0 */
/* The content: JSON to struct, and the questions about it. The signature is in signed.c. */
#include "ca/registration/registration.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "ca/registration/document.h"
#include "ca/x509/name.h"

enum { DAY = 24 * 60 * 60 };

DEFINE_CLEANUP(json_cleanup, json_t, json_decref)

static const char *const kinds[] = {
    [PROOF_MAC] = "mac",
    [PROOF_CERTIFICATE] = "certificate",
    [PROOF_VENDOR] = "vendor",
    [PROOF_PUBLIC_KEY] = "publicKey",
};

const char *
proof_kind_name(enum proof_kind kind)
{
    return kinds[kind];
}

static int
string_copy(struct document_at at, const char *key, char *out, size_t size, struct err *e)
{
    const char *text;
    size_t n;

    if (document_string_get(at, key, &text, e) != 0) {
        return -1;
    }
    n = strlen(text);
    if (n == 0 || n >= size) {
        return err_set(e, ERR_INPUT, "%s%s: must have 1..%zu characters", at.prefix, key, size - 1);
    }
    (void)snprintf(out, size, "%s", text);
    return 0;
}

static int
time_get(struct document_at at, const char *key, time_t *out, struct err *e)
{
    const char *text;

    if (document_string_get(at, key, &text, e) != 0) {
        return -1;
    }
    if (time_parse(text, out, e) != 0) {
        return err_set(e, ERR_INPUT, "%s%s: must be a time like 2026-11-23T20:00:00Z", at.prefix,
                       key);
    }
    return 0;
}

static int
strings_read(struct document_at at, const char *key, struct nf_identity *nf,
             int (*add)(struct nf_identity *, const char *, struct err *), struct err *e)
{
    const json_t *array;

    if (document_array_get(at, key, &array, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *element = json_array_get(array, i);

        if (!json_is_string(element)) {
            return err_set(e, ERR_INPUT, "%s[%zu]: must be a string", key, i);
        }
        if (add(nf, json_string_value(element), e) != 0) {
            return -1;
        }
    }
    return 0;
}

static int
nf_read(struct document_at at, const struct nf_rules *rules, struct nf_identity *nf, struct err *e)
{
    if (string_copy(at, "nfInstanceId", nf->instance_id, sizeof(nf->instance_id), e) != 0 ||
        strings_read(at, "nfTypes", nf, nf_identity_add_type, e) != 0 ||
        strings_read(at, "fqdns", nf, nf_identity_add_fqdn, e) != 0 ||
        string_copy(at, "homeDomain", nf->home_domain, sizeof(nf->home_domain), e) != 0 ||
        document_plmns(at, nf, e) != 0 ||
        string_copy(at, "country", nf->country, sizeof(nf->country), e) != 0) {
        return -1;
    }
    return nf_identity_check(nf, rules, e);
}

static int
fingerprint_read(struct document_at at, struct proof *proof, struct err *e)
{
    static const char *const names[] = {"kind", "sha256", NULL};
    const char *text;

    if (document_members_check(at, names, e) != 0 ||
        document_string_get(at, "sha256", &text, e) != 0) {
        return -1;
    }
    if (hex_parse(text, proof->sha256, sizeof(proof->sha256), e) != 0) {
        return err_set(e, ERR_INPUT, "proof.sha256: must be 64 hexadecimal digits");
    }
    return 0;
}

static int
proof_read(struct document_at top, struct proof *proof, struct err *e)
{
    static const char *const only_kind[] = {"kind", NULL};
    static const char *const of_vendor[] = {"kind", "issuer", "subject", NULL};
    json_t *object = json_object_get(top.object, "proof");
    struct document_at at = {object, "proof."};
    const char *text;
    size_t kind = 0;

    if (!json_is_object(object)) {
        return err_set(e, ERR_INPUT, "proof: %s", object == NULL ? "missing" : "must be an object");
    }
    if (document_string_get(at, "kind", &text, e) != 0) {
        return -1;
    }
    while (kind < ARRAY_LEN(kinds) && strcmp(kinds[kind], text) != 0) {
        kind++;
    }
    if (kind == ARRAY_LEN(kinds)) {
        return err_set(e, ERR_INPUT, "proof.kind: must be mac, certificate, vendor or publicKey");
    }
    proof->kind = (enum proof_kind)kind;
    switch (proof->kind) {
    case PROOF_MAC:
        return document_members_check(at, only_kind, e);
    case PROOF_CERTIFICATE:
    case PROOF_PUBLIC_KEY:
        return fingerprint_read(at, proof, e);
    case PROOF_VENDOR:
        break;
    }
    if (document_members_check(at, of_vendor, e) != 0 ||
        string_copy(at, "issuer", proof->issuer, sizeof(proof->issuer), e) != 0 ||
        string_copy(at, "subject", proof->subject, sizeof(proof->subject), e) != 0) {
        return -1;
    }
    return 0;
}

/* The registration that this one takes the place of. */
static int
supersedes_read(struct document_at at, struct registration *out, struct err *e)
{
    const json_t *value = json_object_get(at.object, "supersedes");
    const char *text = json_string_value(value);

    if (value == NULL) {
        return 0;
    }
    if (text == NULL || json_string_length(value) != REGISTRATION_ID_SIZE - 1 ||
        strspn(text, "0123456789abcdef") != REGISTRATION_ID_SIZE - 1) {
        return err_set(
            e, ERR_INPUT,
            "supersedes: must be the 32 lower-case hexadecimal digits of a registration");
    }
    memcpy(out->supersedes, text, REGISTRATION_ID_SIZE);
    return 0;
}

static int
document_read(struct document_at at, const struct nf_rules *rules, struct registration *out,
              struct err *e)
{
    static const char *const names[] = {
        "version",      "nfInstanceId", "nfTypes",    "fqdns",     "homeDomain",
        "plmns",        "country",      "profiles",   "notBefore", "notAfter",
        "certificates", "proof",        "supersedes", NULL};
    int version;

    if (document_members_check(at, names, e) != 0 ||
        document_integer_get(at, "version", 1, 1, &version, e) != 0 ||
        nf_read(at, rules, &out->nf, e) != 0 || proof_read(at, &out->proof, e) != 0 ||
        document_profiles(at, rules, out, e) != 0 ||
        time_get(at, "notBefore", &out->not_before, e) != 0 ||
        time_get(at, "notAfter", &out->not_after, e) != 0) {
        return -1;
    }
    if (out->not_after <= out->not_before) {
        return err_set(e, ERR_INPUT, "notAfter: not after notBefore");
    }
    out->certificates = 1;
    if (json_object_get(at.object, "certificates") != NULL &&
        document_integer_get(at, "certificates", 1, REGISTRATION_CERTIFICATES_MAX,
                             &out->certificates, e) != 0) {
        return -1;
    }
    return supersedes_read(at, out, e);
}

int
registration_parse(struct span json, const struct nf_rules *rules, struct registration *out,
                   struct err *e)
{
    CLEANUP(json_cleanup) json_t *document = NULL;
    json_error_t why;

    memset(out, 0, sizeof(*out));
    if (json.n > REGISTRATION_JSON_MAX) {
        return err_set(e, ERR_INPUT, "registration: longer than %d octets", REGISTRATION_JSON_MAX);
    }
    document = json_loadb((const char *)json.p, json.n, JSON_REJECT_DUPLICATES, &why);
    if (document == NULL) {
        return err_set(e, ERR_INPUT, "registration: JSON, line %d column %d: %s", why.line,
                       why.column, why.text);
    }
    if (!json_is_object(document)) {
        return err_set(e, ERR_INPUT, "registration: must be an object");
    }
    return document_read((struct document_at){document, ""}, rules, out, e);
}

size_t
registration_error_member(const char *text)
{
    /* What is said about the whole begins with one of these. */
    static const char *const whole[] = {"registration", "manifest", "cancellation", NULL};
    size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.[]");

    if (n == 0 || strncmp(text + n, ": ", 2) != 0) {
        return 0;
    }
    for (size_t i = 0; whole[i] != NULL; i++) {
        if (strlen(whole[i]) == n && strncmp(whole[i], text, n) == 0) {
            return 0;
        }
    }
    return n;
}

bool
registration_is_closed(const struct registration *registration, time_t now, bool *ended, char *when,
                       size_t size)
{
    char at[TIME_TEXT_SIZE];

    *ended = now > registration->not_after;
    if (*ended) {
        time_format(registration->not_after, at);
        (void)snprintf(when, size, "%s, %lld s ago", at,
                       (long long)(now - registration->not_after));
        return true;
    }
    if (now < registration->not_before) {
        time_format(registration->not_before, at);
        (void)snprintf(when, size, "%s, in %lld s", at,
                       (long long)(registration->not_before - now));
        return true;
    }
    return false;
}

int
registration_allows(const struct registration *registration, const struct profile *profile,
                    time_t now, struct err *e)
{
    if (now < registration->not_before) {
        return err_set(e, ERR_DENIED, "registration: not open yet");
    }
    if (now > registration->not_after) {
        return err_set(e, ERR_DENIED, "registration: expired");
    }
    if (registration_profile(registration, profile->name) == NULL) {
        return err_set(e, ERR_DENIED, "registration: not for profile %s", profile->name);
    }
    return 0;
}

int
registration_not_after(const struct registration *registration, const struct profile *profile,
                       time_t not_before, X509 *issuer, time_t *out, struct err *e)
{
    const struct registered_profile *registered = registration_profile(registration, profile->name);
    struct tm tm;
    time_t issuers_end;
    time_t validity;

    if (registered == NULL) {
        return err_set(e, ERR_DENIED, "registration: not for profile %s", profile->name);
    }
    if (ASN1_TIME_to_tm(X509_get0_notAfter(issuer), &tm) != 1) {
        return ossl_err(e, ERR_INPUT, "registration: the issuer's notAfter");
    }
    issuers_end = timegm(&tm);
    validity = registered->max_days == 0 ? profile->validity : (time_t)registered->max_days * DAY;
    if (validity > profile->max_validity) {
        validity = profile->max_validity;
    }
    *out = not_before + validity;
    if (*out > issuers_end) {
        *out = issuers_end;
    }
    return *out > not_before ? 0
                             : err_set(e, ERR_DENIED,
                                       "registration: the issuer's certificate has "
                                       "ended; make a new one in a ceremony");
}

int
registration_matches_certificate(const struct registration *registration, X509 *certificate,
                                 struct err *e)
{
    const struct proof *proof = &registration->proof;
    uint8_t hash[SHA256_SIZE];
    unsigned int n = 0;

    switch (proof->kind) {
    case PROOF_CERTIFICATE:
        if (X509_digest(certificate, EVP_sha256(), hash, &n) != 1 || n != sizeof(hash)) {
            return ossl_err(e, ERR_CRYPTO, "fingerprint");
        }
        return memcmp(hash, proof->sha256, sizeof(hash)) == 0
                   ? 0
                   : err_set(e, ERR_DENIED, "registration: pins another certificate");
    case PROOF_VENDOR: {
        CLEANUP(mem_cleanup) char *issuer = name_text(X509_get_issuer_name(certificate));
        CLEANUP(mem_cleanup) char *subject = name_text(X509_get_subject_name(certificate));

        return strcmp(issuer, proof->issuer) == 0 && strcmp(subject, proof->subject) == 0
                   ? 0
                   : err_set(e, ERR_DENIED, "registration: names another vendor certificate");
    }
    case PROOF_MAC:
    case PROOF_PUBLIC_KEY:
        break;
    }
    return err_set(e, ERR_DENIED, "registration: its proof is %s, not a certificate",
                   proof_kind_name(proof->kind));
}

int
registration_matches_spki(const struct registration *registration, struct span spki, struct err *e)
{
    uint8_t hash[SHA256_SIZE];

    if (registration->proof.kind != PROOF_PUBLIC_KEY) {
        return err_set(e, ERR_DENIED, "registration: its proof is %s, not a public key",
                       proof_kind_name(registration->proof.kind));
    }
    if (sha256(spki, hash, e) != 0) {
        return -1;
    }
    return memcmp(hash, registration->proof.sha256, sizeof(hash)) == 0
               ? 0
               : err_set(e, ERR_DENIED, "registration: pins another public key");
}
