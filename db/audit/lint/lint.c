/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/lint/lint.h"

#define E SEVERITY_ERROR
#define W SEVERITY_WARNING
#define PROFILE LINT_NEEDS_PROFILE
#define ISSUER LINT_NEEDS_ISSUER
#define DOCUMENT LINT_NEEDS_DOCUMENT
#define NF LINT_NEEDS_NF

/* The name of a function whose question is whether OpenSSL reads it at all. */
static enum lint_outcome
der_parse(const struct lint_case *c, struct err *why)
{
    return c->certificate != NULL ? LINT_PASSED
                                  : LINT_FAIL(why, "it is no certificate that OpenSSL reads");
}

static const struct lint table[] = {
    /* ---- octets ---- */
    {{"lint.der.parse", E, "RFC 5280 4.1"},
     LINT_NEEDS_OCTETS,
     "the octets are a certificate",
     der_parse},
    {{"lint.der.canonical", E, "RFC 5280 4.1, X.690 10, 11"},
     0,
     "they are DER throughout",
     lint_der_canonical},
    {{"lint.version.v3", E, "TS 33.310 6.1, RFC 5280 4.1.2.1"},
     0,
     "it is of version 3",
     lint_version},
    {{"lint.serial.positive", E, "RFC 5280 4.1.2.2"},
     0,
     "the serial number is positive",
     lint_serial_positive},
    {{"lint.serial.size", E, "RFC 5280 4.1.2.2, BR 7.1"},
     0,
     "it has 8 to 20 octets",
     lint_serial_size},
    {{"lint.serial.twice", E, "RFC 5280 4.1.2.2"},
     0,
     "no other certificate has it",
     lint_serial_twice},
    {{"lint.serial.intent", E, "db/LEDGER.md"}, 0, "it is that of the INTENT", lint_serial_intent},
    {{"lint.tbs.intent", E, "db/LEDGER.md"},
     0,
     "what was signed is what was intended",
     lint_tbs_intent},
    {{"lint.signature.algorithm", E, "TS 33.310 6.1.1, RFC 5280 4.1.1.2"},
     0,
     "ECDSA or RSA with SHA-256 or SHA-384, named alike inside and outside",
     lint_signature_algorithm},
    {{"lint.signature.issuer", E, "RFC 5280 4.1.1.3"},
     ISSUER,
     "the issuing key signed it",
     lint_signature_issuer},
    {{"lint.unique_id.absent", E, "RFC 5280 4.1.2.8"},
     0,
     "it has no unique identifiers",
     lint_unique_ids},

    /* ---- issuer and validity ---- */
    {{"lint.issuer.name", E, "RFC 5280 4.1.2.4, 7.1"},
     ISSUER,
     "the issuer is the issuing certificate's subject, octet for octet",
     lint_issuer_name},
    {{"lint.validity.form", E, "RFC 5280 4.1.2.5"},
     0,
     "UTCTime through 2049, GeneralizedTime after",
     lint_validity_form},
    {{"lint.validity.order", E, "RFC 5280 4.1.2.5"},
     0,
     "notAfter is after notBefore",
     lint_validity_order},
    {{"lint.validity.cap", E, "TS 33.310 6.1.3c.3"},
     PROFILE,
     "it lasts no longer than its profile says",
     lint_validity_cap},
    {{"lint.validity.issuer", E, "RFC 5280 6.1"},
     ISSUER,
     "it is within the issuing certificate's",
     lint_validity_issuer},
    {{"lint.validity.recorded", E, "db/LEDGER.md"},
     0,
     "it begins within 6 hours of its leaf",
     lint_validity_recorded},
    {{"lint.validity.intent", E, "db/LEDGER.md"},
     0,
     "it is that of the INTENT",
     lint_validity_intent},
    {{"lint.validity.registration", E, "nfpki-registration(5)"},
     DOCUMENT,
     "it lasts no longer than is registered",
     lint_validity_registration},

    /* ---- key ---- */
    {{"lint.key.kind", E, "TS 33.310 6.1.1"},
     PROFILE,
     "the key is of a kind that the profile takes",
     lint_key_kind},
    {{"lint.key.valid", E, "TS 33.310 6.1.1, RFC 5480 2.2"},
     0,
     "an uncompressed point of its curve",
     lint_key_valid},
    {{"lint.key.rsa", E, "RFC 8017 3.1"},
     0,
     "2048 bits, an odd exponent of 65537, no small factor",
     lint_key_rsa},
    {{"lint.key.issuer", E, "TS 33.310 6.1.1"},
     ISSUER,
     "it is not the issuing key",
     lint_key_issuer},
    {{"lint.key.owner", E, "BR 6.1.1.3"},
     0,
     "nobody else had it in a certificate before",
     lint_key_owner},
    {{"lint.ski.value", E, "TS 33.310 6.1.3c.3, RFC 5280 4.2.1.2"},
     0,
     "subjectKeyIdentifier is method (1)",
     lint_ski_value},
    {{"lint.aki.form", E, "TS 33.310 6.1.3c.3, RFC 5280 4.2.1.1"},
     0,
     "authorityKeyIdentifier is a keyIdentifier alone",
     lint_aki_form},
    {{"lint.aki.value", E, "TS 33.310 6.1.3c.3, RFC 5280 4.2.1.1"},
     ISSUER,
     "it is the issuing certificate's subjectKeyIdentifier",
     lint_aki_value},

    /* ---- extensions ---- */
    {{"lint.ext.once", E, "RFC 5280 4.2"}, 0, "each extension is there once", lint_ext_once},
    {{"lint.ext.allowed", E, "TS 33.310 6.1.3c.3"},
     PROFILE,
     "none that is not for such certificates",
     lint_ext_allowed},
    {{"lint.ext.missing", E, "TS 33.310 6.1.3c.3"},
     PROFILE,
     "none that must be there is missing",
     lint_ext_missing},
    {{"lint.ext.critical", E, "TS 33.310 6.1.3c.3, RFC 9310 3"},
     PROFILE,
     "those that must be critical are, and no others",
     lint_ext_critical},
    {{"lint.ext.form", E, "RFC 5280 4.2.1, X.690 10, 11"},
     0,
     "their values are of their kinds, in DER",
     lint_ext_form},
    {{"lint.bc.end_entity", E, "RFC 5280 4.2.1.9"}, 0, "it is of no CA", lint_bc_end_entity},
    {{"lint.crldp.form", E, "TS 33.310 6.1.3c.3, RFC 5280 4.2.1.13"},
     0,
     "cRLDistributionPoints is a URI of HTTP or LDAP, for all reasons",
     lint_crldp_form},
    {{"lint.status.one", E, "TS 33.310 6.1.3c.3, RFC 9608 4"},
     PROFILE,
     "cRLDistributionPoints, or noRevAvail where the profile has that",
     lint_status_one},
    {{"lint.policies.value", E, "RFC 5280 4.2.1.4"},
     PROFILE,
     "certificatePolicies are the profile's, without qualifiers",
     lint_policies_value},

    /* ---- purpose ---- */
    {{"lint.ku.value", E, "TS 33.310 6.1.3c.3, RFC 9509 5"},
     PROFILE,
     "keyUsage is the profile's",
     lint_ku_value},
    {{"lint.eku.value", E, "TS 33.310 6.1.3c.3, RFC 9509 5"},
     PROFILE,
     "the purposes are the profile's",
     lint_eku_value},
    {{"lint.eku.any", E, "RFC 9509 6"}, 0, "it is not for any purpose", lint_eku_any},
    {{"lint.eku.pair", E, "RFC 9509 1, 5, RFC 5480 3"},
     PROFILE,
     "purposes, key usage, key and NF types go together",
     lint_eku_pair},
    {{"lint.nftypes.form", E, "RFC 9310 3"},
     PROFILE,
     "nfTypes are 1 to 32 printable octets each, in ascending order",
     lint_nftypes_form},
    {{"lint.nftypes.registered", E, "RFC 9310 5"},
     PROFILE | DOCUMENT,
     "they are those that are registered",
     lint_nftypes_registered},
    {{"lint.profile.known", E, "TS 33.310 6.1.3c.3"},
     0,
     "the file of profiles that the INTENT names has the profile",
     lint_profile_known},
    {{"lint.profile.enabled", E, "nfpki-profiles.conf(5)"},
     PROFILE,
     "the profile is not switched off",
     lint_profile_enabled},
    {{"lint.profile.registered", E, "TS 33.310 6.1"},
     DOCUMENT,
     "the profile is registered",
     lint_profile_registered},
    {{"lint.profile.nf_types", E, "RFC 9509 5"},
     PROFILE | DOCUMENT,
     "an NF type that the profile is for is registered",
     lint_profile_types},

    /* ---- names ---- */
    {{"lint.subject.form", E, "TS 33.310 6.1, 6.1.3c.3"},
     PROFILE,
     "the subject has its class's attributes, in order",
     lint_subject_form},
    {{"lint.subject.registered", E, "TS 33.310 6.1"},
     DOCUMENT,
     "it is the registered country and home domain",
     lint_subject_registered},
    {{"lint.san.kinds", E, "TS 33.310 6.1.3c.3"},
     PROFILE | NF,
     "subjectAltName has dNSName and URI alone",
     lint_san_kinds},
    {{"lint.san.dns", E, "RFC 5280 4.2.1.6, RFC 1034 3.5"},
     PROFILE | NF,
     "a dNSName is a domain name in lower case, in A-labels",
     lint_san_dns},
    {{"lint.san.wildcard", E, "TS 33.501 13.1.1.0"},
     PROFILE | NF,
     "a wildcard is the first label, under a profile that has one",
     lint_san_wildcard},
    {{"lint.san.uuid", E, "TS 33.310 6.1.3c, TS 29.571"},
     NF,
     "one URI, urn:uuid: and the NF instance of the INTENT",
     lint_san_uuid},
    {{"lint.san.registered", E, "TS 33.310 6.1"},
     PROFILE | DOCUMENT,
     "the dNSNames are those that are registered",
     lint_san_registered},
    {{"lint.san.domain", W, "TS 33.310 6.1.3c, TS 23.003 28.2"},
     PROFILE | DOCUMENT,
     "they are in the home domain, or in a registered PLMN's",
     lint_san_domain},
    {{"lint.san.server", E, "TS 33.310 6.1.3c.3"},
     PROFILE | NF,
     "a TLS server has a dNSName",
     lint_san_server},
    {{"lint.registration.nf", E, "TS 33.310 6.1"},
     DOCUMENT,
     "the registration is of this NF instance",
     lint_registration_nf},
};
_Static_assert(ARRAY_LEN(table) <= LINTS_MAX, "one bit of 64 each (judge.h)");

const struct lint *
lint_at(size_t i)
{
    return i < ARRAY_LEN(table) ? &table[i] : NULL;
}

/* What it needs and is not there. */
static const char *
lack_of(const struct lint *lint, const struct lint_case *c)
{
    if ((lint->needs & LINT_NEEDS_OCTETS) == 0 && c->certificate == NULL) {
        return "no certificate that can be read";
    }
    if ((lint->needs & LINT_NEEDS_PROFILE) != 0 && c->profile == NULL) {
        return c->unknown;
    }
    if ((lint->needs & LINT_NEEDS_ISSUER) != 0 && c->issuer == NULL) {
        return "the issuing certificate is not here: give it with --issuer";
    }
    if ((lint->needs & LINT_NEEDS_DOCUMENT) != 0 && c->document == NULL) {
        return "what the registrar signed is not in the record";
    }
    return NULL;
}

enum lint_outcome
lint_ask(const struct lint *lint, const struct lint_case *c, struct err *why)
{
    const char *lack;

    if ((lint->needs & (LINT_NEEDS_NF | LINT_NEEDS_DOCUMENT)) != 0 && !lint_is_nf(c)) {
        return LINT_APART;
    }
    lack = lack_of(lint, c);
    if (lack != NULL) {
        (void)err_text(why, ERR_NOTFOUND, "%s", lack);
        return LINT_NOT_RUN;
    }
    return lint->check(c, why);
}
