/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/db/audit/lint/bad.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <string.h>

#include "db/audit/der/der.h"
#include "tests/support/test.h"

static void
edit_critical(struct buf *tbs)
{
    uint8_t *at = memmem(tbs->p, tbs->n, "\x55\x1d\x0f\x01\x01\xff", 6);

    assert_non_null(at);
    at[5] = 1;
}

/* An extension whose value is no OCTET STRING: nobody but a decoder of all of it notices. */
static void
edit_extension(struct buf *tbs)
{
    uint8_t *at = memmem(tbs->p, tbs->n, "\x55\x1d\x0f\x01\x01\xff\x04", 7);

    assert_non_null(at);
    at[6] = 0x05;
}

/* ecdsa-with-SHA384 inside, SHA256 outside. */
static void
edit_algorithm(struct buf *tbs)
{
    uint8_t *at = memmem(tbs->p, tbs->n, "\xce\x3d\x04\x03\x02", 5);

    assert_non_null(at);
    at[4] = 3;
}

/* issuerUniqueID behind the key. */
static void
edit_unique_id(struct buf *tbs)
{
    static const uint8_t id[] = {0x81, 0x02, 0x00, 0xaa};
    uint8_t *extensions = memmem(tbs->p, tbs->n, "\xa3\x81", 2);
    CLEANUP(buf_free) struct buf rest = BUF_INIT(16384);
    struct err e = {0};
    size_t at;

    if (extensions == NULL) {
        extensions = memmem(tbs->p, tbs->n, "\xa3\x82", 2);
    }
    assert_non_null(extensions);
    at = (size_t)(extensions - tbs->p);
    assert_ok(buf_append(&rest, span_of(tbs->p + at, tbs->n - at), &e), &e);
    buf_truncate(tbs, at);
    tbs->max += sizeof(id);
    assert_ok(buf_append(tbs, span_of(id, sizeof(id)), &e), &e);
    assert_ok(buf_append(tbs, buf_span(&rest), &e), &e);
    assert_int_equal(tbs->p[1], 0x82); /* its length is of two octets */
    at = (size_t)tbs->p[2] << 8 | tbs->p[3];
    at += sizeof(id);
    tbs->p[2] = (uint8_t)(at >> 8);
    tbs->p[3] = (uint8_t)at;
}

static EVP_PKEY *
compressed_new(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");

    assert_int_equal(EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                                    "compressed"),
                     1);
    return key;
}

static EVP_PKEY *
exponent_3_new(void)
{
    CLEANUP(evp_pkey_ctx_cleanup)
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    CLEANUP(bn_cleanup) BIGNUM *exponent = BN_new();
    EVP_PKEY *key = NULL;

    assert_int_equal(BN_set_word(exponent, 3), 1);
    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048), 1);
    assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, exponent), 1);
    assert_int_equal(EVP_PKEY_generate(context, &key), 1);
    return key;
}

#define D(nf, types, fqdns, profiles)                                                              \
    "{\"version\":1,\"nfInstanceId\":\"" nf "\",\"nfTypes\":[" types "],\"fqdns\":[" fqdns         \
    "],\"homeDomain\":\"" MADE_HOME "\",\"country\":\"SE\",\"profiles\":[" profiles "]}"
#define AMF "\"AMF\""
#define FQDN "\"" MADE_FQDN "\""
#define ANY "{\"name\":\"nf-tls\"}"
#define OWN "{\"name\":\"own\"}"

#define CHANGE(name) static void name(struct bad *r)

CHANGE(parse)
{
    r->m.edit = edit_extension;
}
CHANGE(canonical)
{
    r->m.edit = edit_critical;
}
CHANGE(version)
{
    r->m.version = 1;
}
CHANGE(serial_zero)
{
    r->m.serial = "00";
    r->besides[0] = "lint.serial.size";
}
CHANGE(serial_size)
{
    r->m.serial = "41424344";
}
CHANGE(serial_twice)
{
    r->twice = true;
    r->besides[0] = "lint.key.owner";
}
CHANGE(serial_intent)
{
    r->m.leaf_serial = "60616263646566676869707172737475";
}
CHANGE(tbs_intent)
{
    r->m.tbs = MADE_BUILT_IN;
}
CHANGE(signature_algorithm)
{
    r->m.md = EVP_sha512();
}
CHANGE(signature_inside)
{
    r->m.edit = edit_algorithm;
    r->besides[0] = "lint.signature.issuer"; /* OpenSSL looks, too */
}
CHANGE(signature_issuer)
{
    r->m.signer = r->by->other;
}
CHANGE(unique_id)
{
    r->m.edit = edit_unique_id;
}
CHANGE(issuer_name)
{
    r->m.issuer_text = "Another CA";
}
CHANGE(validity_form)
{
    r->m.generalized = true;
}
CHANGE(validity_order)
{
    r->m.until = r->m.from - 1;
}
CHANGE(validity_cap)
{
    r->m.until = r->m.from + (time_t)1095 * MADE_DAY + 1;
    r->m.document = D(MADE_NF, AMF, FQDN, ANY);
}
CHANGE(validity_issuer)
{
    r->m.from = MADE_AT - 5 * 3600;
    r->m.until = MADE_AT;
}
CHANGE(validity_recorded)
{
    r->m.from = MADE_AT + 7 * 3600;
    r->m.until = r->m.from + MADE_DAY;
}
CHANGE(validity_intent)
{
    r->m.leaf_until = r->m.until + 1;
}
CHANGE(validity_registration)
{
    r->m.until = r->m.from + 2 * MADE_DAY + 1;
}
CHANGE(key_kind)
{
    r->m.kind = "P-521";
}
CHANGE(key_valid)
{
    r->key = r->m.key = compressed_new();
}
CHANGE(key_rsa)
{
    r->key = r->m.key = exponent_3_new();
}
CHANGE(key_issuer)
{
    r->m.key = r->by->key;
}
CHANGE(key_owner)
{
    r->twice = true;
    r->m.serial = "41414141414141414141414141414141";
}
CHANGE(ski_value)
{
    made_set(&r->m, "subjectKeyIdentifier",
             "DER:04:14:00:01:02:03:04:05:06:07:08:09:00:01:02:03:04:"
             "05:06:07:08:09");
}
CHANGE(aki_form)
{
    made_set(&r->m, "authorityKeyIdentifier", "keyid:always,issuer:always");
}
CHANGE(aki_value)
{
    made_set(&r->m, "authorityKeyIdentifier",
             "DER:30:16:80:14:00:01:02:03:04:05:06:07:08:09:00:01:02:03:04:05:06:07:08:09");
}
CHANGE(ext_once)
{
    made_set(&r->m, "2.5.29.14", "DER:04:01:00");
    r->besides[0] = "lint.ski.value";
}
CHANGE(ext_allowed)
{
    made_set(&r->m, "nsComment", "hello");
}
CHANGE(ext_missing)
{
    made_set(&r->m, "1.3.6.1.5.5.7.1.34", NULL);
}
CHANGE(ext_critical)
{
    made_set(&r->m, "keyUsage", "digitalSignature");
}
CHANGE(ext_critical_too_much)
{
    made_set(&r->m, "1.3.6.1.5.5.7.1.34", "critical,DER:30:05:16:03:41:4d:46");
}
CHANGE(ext_form_behind)
{
    made_set(&r->m, "keyUsage", "critical,DER:03:02:07:80:00");
}
CHANGE(ext_form_bits)
{
    made_set(&r->m, "keyUsage", "critical,DER:03:02:06:80");
}
CHANGE(ext_form_boolean)
{
    made_set(&r->m, "crlDistributionPoints", "DER:30:00");
    r->lint = "lint.crldp.form";
}
CHANGE(bc_end_entity)
{
    made_set(&r->m, "basicConstraints", "critical,CA:TRUE");
    r->besides[0] = "lint.ext.allowed";
}
CHANGE(crldp_form)
{
    made_set(&r->m, "crlDistributionPoints", "URI:ftp://crl.example/issuing.crl");
}
CHANGE(status_none)
{
    made_set(&r->m, "crlDistributionPoints", NULL);
}
CHANGE(status_both)
{
    made_set(&r->m, "2.5.29.56", "DER:05:00");
}
CHANGE(status_other)
{
    made_set(&r->m, "crlDistributionPoints", NULL);
    made_set(&r->m, "2.5.29.56", "DER:05:00");
}
CHANGE(policies)
{
    made_set(&r->m, "certificatePolicies", "DER:30:0d:30:0b:06:09:2b:06:01:04:01:86:8d:1f:01");
}
CHANGE(ku_value)
{
    r->m = made_person("officer");
    made_set(&r->m, "keyUsage", "critical,digitalSignature,nonRepudiation");
}
CHANGE(eku_value)
{
    made_set(&r->m, "extendedKeyUsage", "serverAuth");
}
CHANGE(eku_any)
{
    made_set(&r->m, "extendedKeyUsage", "serverAuth,clientAuth,anyExtendedKeyUsage");
    r->besides[0] = "lint.eku.value";
    r->besides[1] = "lint.eku.pair";
}
CHANGE(eku_pair_usage)
{
    r->operators = "profile \"own\" {\n key_usage = {\"digitalSignature\", \"nonRepudiation\"}\n"
                   " extended_key_usage = {\"serverAuth\", \"clientAuth\"}\n}\n";
    made_set(&r->m, "keyUsage", "critical,digitalSignature,nonRepudiation");
}
CHANGE(eku_pair_group)
{
    r->operators =
        "profile \"own\" {\n extended_key_usage = {\"clientAuth\", \"1.3.6.1.5.5.7.3.37\"}\n}\n";
    made_set(&r->m, "extendedKeyUsage", "clientAuth,1.3.6.1.5.5.7.3.37");
}
CHANGE(eku_pair_type)
{
    r->operators = "profile \"own\" {\n extended_key_usage = {\"oauthAccessTokenSigning\"}\n}\n";
    made_set(&r->m, "extendedKeyUsage", "1.3.6.1.5.5.7.3.39");
}
CHANGE(eku_pair_curve)
{
    r->operators = "profile \"own\" {\n key_usage = {\"keyEncipherment\"}\n"
                   " extended_key_usage = {\"1.3.6.1.4.1.99999.3\"}\n}\n";
    made_set(&r->m, "keyUsage", "critical,keyEncipherment");
    made_set(&r->m, "extendedKeyUsage", "1.3.6.1.4.1.99999.3");
}
CHANGE(nftypes_form)
{
    made_set(&r->m, "1.3.6.1.5.5.7.1.34", "DER:30:0a:16:03:53:4d:46:16:03:41:4d:46");
    r->m.document = D(MADE_NF, AMF ",\"SMF\"", FQDN, ANY);
}
CHANGE(nftypes_registered)
{
    r->m.document = D(MADE_NF, "\"SMF\"", FQDN, ANY);
}
CHANGE(nftypes_fewer)
{
    r->m.document = D(MADE_NF, AMF ",\"SMF\"", FQDN, ANY);
}
CHANGE(profile_unknown)
{
    r->m.profile = "unknown";
    r->m.document = D(MADE_NF, AMF, FQDN, "{\"name\":\"unknown\"}");
}
CHANGE(profile_of_no_file)
{
    r->m.profile_file = NULL;
}
CHANGE(profile_of_people)
{
    r->m.profile = "officer";
    r->m.document = D(MADE_NF, AMF, FQDN, "{\"name\":\"officer\"}");
}
CHANGE(profile_enabled)
{
    r->operators = "profile \"own\" {\n enabled = false\n"
                   " extended_key_usage = {\"serverAuth\", \"clientAuth\"}\n}\n";
}
CHANGE(profile_registered)
{
    r->m.document = D(MADE_NF, AMF, FQDN, OWN);
}
CHANGE(profile_types)
{
    r->operators = "profile \"own\" {\n nf_types = {\"NRF\"}\n"
                   " extended_key_usage = {\"serverAuth\", \"clientAuth\"}\n}\n";
}
CHANGE(subject_order)
{
    const struct made m = r->m;

    memcpy(&r->m.subject[0], &m.subject[1], sizeof(m.subject[0]));
    memcpy(&r->m.subject[1], &m.subject[0], sizeof(m.subject[0]));
}
CHANGE(subject_joined)
{
    r->m.subject[1].joined = true;
}
CHANGE(subject_type)
{
    r->m.subject[0].type = V_ASN1_UTF8STRING;
}
CHANGE(subject_missing)
{
    r->m = made_person("officer");
    r->m.subject[1].attribute = NULL;
}
CHANGE(subject_registered)
{
    r->m.subject[1].text = "5gc.mnc099.mcc345.3gppnetwork.org";
}
CHANGE(san_kinds)
{
    made_set(&r->m, "subjectAltName",
             "critical,DNS:" MADE_FQDN ",email:a@b.example,URI:urn:uuid:" MADE_NF);
}
CHANGE(san_case)
{
    made_set(&r->m, "subjectAltName", "critical,DNS:AMF1.amf." MADE_HOME ",URI:urn:uuid:" MADE_NF);
}
CHANGE(san_dot)
{
    made_set(&r->m, "subjectAltName", "critical,DNS:" MADE_FQDN ".,URI:urn:uuid:" MADE_NF);
    r->m.document = D(MADE_NF, AMF, "\"" MADE_FQDN ".\"", ANY);
    r->besides[0] = "lint.san.domain";
}
CHANGE(san_wildcard)
{
    made_set(&r->m, "subjectAltName", "critical,DNS:*.amf." MADE_HOME ",URI:urn:uuid:" MADE_NF);
    r->m.document = D(MADE_NF, AMF, "\"*.amf." MADE_HOME "\"", ANY);
}
CHANGE(san_uuid_case)
{
    made_set(&r->m, "subjectAltName",
             "critical,DNS:" MADE_FQDN ",URI:urn:uuid:6BA7B810-9DAD-41D1-80B4-00C04FD430C8");
}
CHANGE(san_uuid_other)
{
    made_set(&r->m, "subjectAltName",
             "critical,DNS:" MADE_FQDN ",URI:urn:uuid:7ba7b810-9dad-41d1-80b4-00c04fd430c8");
}
CHANGE(san_uuid_version)
{
    r->m.nf = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
    made_set(&r->m, "subjectAltName",
             "critical,DNS:" MADE_FQDN ",URI:urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8");
    r->m.document = D("6ba7b810-9dad-11d1-80b4-00c04fd430c8", AMF, FQDN, ANY);
}
CHANGE(san_registered_more)
{
    made_set(&r->m, "subjectAltName",
             "critical,DNS:" MADE_FQDN ",DNS:smf1.smf." MADE_HOME ",URI:urn:uuid:" MADE_NF);
}
CHANGE(san_registered_fewer)
{
    r->m.document = D(MADE_NF, AMF, FQDN ",\"smf1.smf." MADE_HOME "\"", ANY);
}
CHANGE(san_domain)
{
    made_set(&r->m, "subjectAltName", "critical,DNS:amf1.elsewhere.example,URI:urn:uuid:" MADE_NF);
    r->m.document = D(MADE_NF, AMF, "\"amf1.elsewhere.example\"", ANY);
}
CHANGE(san_server)
{
    made_set(&r->m, "subjectAltName", "critical,URI:urn:uuid:" MADE_NF);
    r->m.document = D(MADE_NF, AMF, "", ANY);
}
CHANGE(registration_nf)
{
    r->m.document = D("7ba7b810-9dad-41d1-80b4-00c04fd430c8", AMF, FQDN, ANY);
}

const struct bad_row bad_rows[] = {
    {"lint.der.parse", parse},
    {"lint.der.canonical", canonical},
    {"lint.version.v3", version},
    {"lint.serial.positive", serial_zero},
    {"lint.serial.size", serial_size},
    {"lint.serial.twice", serial_twice},
    {"lint.serial.intent", serial_intent},
    {"lint.tbs.intent", tbs_intent},
    {"lint.signature.algorithm", signature_algorithm},
    {"lint.signature.algorithm", signature_inside},
    {"lint.signature.issuer", signature_issuer},
    {"lint.unique_id.absent", unique_id},
    {"lint.issuer.name", issuer_name},
    {"lint.validity.form", validity_form},
    {"lint.validity.order", validity_order},
    {"lint.validity.cap", validity_cap},
    {"lint.validity.issuer", validity_issuer},
    {"lint.validity.recorded", validity_recorded},
    {"lint.validity.intent", validity_intent},
    {"lint.validity.registration", validity_registration},
    {"lint.key.kind", key_kind},
    {"lint.key.valid", key_valid},
    {"lint.key.rsa", key_rsa},
    {"lint.key.issuer", key_issuer},
    {"lint.key.owner", key_owner},
    {"lint.ski.value", ski_value},
    {"lint.aki.form", aki_form},
    {"lint.aki.value", aki_value},
    {"lint.ext.once", ext_once},
    {"lint.ext.allowed", ext_allowed},
    {"lint.ext.missing", ext_missing},
    {"lint.ext.critical", ext_critical},
    {"lint.ext.critical", ext_critical_too_much},
    {"lint.ext.form", ext_form_behind},
    {"lint.ext.form", ext_form_bits},
    {"lint.crldp.form", ext_form_boolean},
    {"lint.bc.end_entity", bc_end_entity},
    {"lint.crldp.form", crldp_form},
    {"lint.status.one", status_none},
    {"lint.status.one", status_both},
    {"lint.status.one", status_other},
    {"lint.policies.value", policies},
    {"lint.ku.value", ku_value},
    {"lint.eku.value", eku_value},
    {"lint.eku.any", eku_any},
    {"lint.eku.pair", eku_pair_usage},
    {"lint.eku.pair", eku_pair_group},
    {"lint.eku.pair", eku_pair_type},
    {"lint.eku.pair", eku_pair_curve},
    {"lint.nftypes.form", nftypes_form},
    {"lint.nftypes.registered", nftypes_registered},
    {"lint.nftypes.registered", nftypes_fewer},
    {"lint.profile.known", profile_unknown},
    {"lint.profile.known", profile_of_no_file},
    {"lint.profile.known", profile_of_people},
    {"lint.profile.enabled", profile_enabled},
    {"lint.profile.registered", profile_registered},
    {"lint.profile.nf_types", profile_types},
    {"lint.subject.form", subject_order},
    {"lint.subject.form", subject_joined},
    {"lint.subject.form", subject_type},
    {"lint.subject.form", subject_missing},
    {"lint.subject.registered", subject_registered},
    {"lint.san.kinds", san_kinds},
    {"lint.san.dns", san_case},
    {"lint.san.dns", san_dot},
    {"lint.san.wildcard", san_wildcard},
    {"lint.san.uuid", san_uuid_case},
    {"lint.san.uuid", san_uuid_other},
    {"lint.san.uuid", san_uuid_version},
    {"lint.san.registered", san_registered_more},
    {"lint.san.registered", san_registered_fewer},
    {"lint.san.domain", san_domain},
    {"lint.san.server", san_server},
    {"lint.registration.nf", registration_nf},
};
const size_t n_bad_rows = ARRAY_LEN(bad_rows);
