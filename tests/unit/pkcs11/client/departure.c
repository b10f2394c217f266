/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/pkcs11/client/departure.h"

#include <openssl/ec.h>

#include "base/ossl.h"
#include "tests/support/test.h"
#include "tests/unit/pkcs11/client/world.h"

/* Purposes, and where revocation is told. */
static void
make_purpose(X509 *x, enum departure d)
{
    const bool none = d == NO_REV_AVAIL || d == NO_REV_AVAIL_AND_OCSP ||
                      d == NO_REV_AVAIL_CRITICAL || d == NO_REV_AVAIL_VALUE;

    if (d != NO_PURPOSE) {
        world_add_extension(x, NID_ext_key_usage,
                            d == ANY_PURPOSE    ? "serverAuth,anyExtendedKeyUsage"
                            : d == OCSP_PURPOSE ? "serverAuth,OCSPSigning"
                                                : "serverAuth");
    }
    if (d == POLICY_FOREIGN || d == POLICY_QUALIFIED) {
        /* anyPolicy; and one with a cPSuri */
        world_add_extension(
            x, NID_certificate_policies,
            d == POLICY_FOREIGN
                ? "DER:30:08:30:06:06:04:55:1d:20:00"
                : "DER:30:20:30:1e:06:08:2b:06:01:04:01:86:8d:1f:30:12:30:10:06:08:2b:06:"
                  "01:05:05:07:02:01:16:04:68:3a:2f:2f");
    }
    if (d != NO_POINT && !none) {
        world_add_extension(x, NID_crl_distribution_points,
                            "URI:http://pki.example/crl/issuing.crl");
    }
    if (none || d == NO_REV_AVAIL_AND_POINT) {
        int nid = OBJ_txt2nid("2.5.29.56");

        nid = nid != NID_undef ? nid : OBJ_create("2.5.29.56", "noRevAvail", "noRevAvail");
        world_add_extension(x, nid,
                            d == NO_REV_AVAIL_CRITICAL ? "critical,DER:05:00"
                            : d == NO_REV_AVAIL_VALUE  ? "DER:04:00"
                                                       : "DER:05:00");
    }
    if (d == NO_REV_AVAIL_AND_OCSP) {
        world_add_extension(x, NID_info_access, "OCSP;URI:http://ocsp.example/");
    }
}

static void
make_extensions(X509 *x, enum departure d)
{
    if (d == VERSION_1) {
        return;
    }
    if (d != NO_KEY_USAGE) {
        world_add_extension(x, NID_key_usage,
                            d == CERT_SIGN      ? "critical,digitalSignature,keyCertSign"
                            : d == ENCIPHERMENT ? "critical,keyEncipherment"
                                                : "critical,digitalSignature");
    }
    if (d != NO_AKI) {
        world_add_extension(x, NID_authority_key_identifier, "keyid:always");
    }
    if (d == CA_TRUE) {
        world_add_extension(x, NID_basic_constraints, "critical,CA:TRUE");
    }
    if (d == UNKNOWN_CRITICAL) {
        world_add_extension(x, NID_name_constraints, "critical,permitted;DNS:example");
    }
    make_purpose(x, d);
    world_add_extension(x, NID_subject_alt_name,
                        d == WILDCARD ? "critical,DNS:*.sepp.example" : "critical,DNS:amf.example");
    if (d == TWICE) {
        world_add_extension(x, NID_subject_alt_name, "DNS:smf.example");
    }
}

void
departure_make(enum departure d, struct buf *tbs)
{
    CLEANUP(x509_cleanup) X509 *x = X509_new();
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *subject = EVP_EC_gen("P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *p384 = EVP_EC_gen("P-384");
    struct err e = {0};
    unsigned char *der = NULL;
    long days = d == TOO_LONG ? 101 : 100;
    int n;

    (void)X509_set_version(x, d == VERSION_1 ? X509_VERSION_1 : X509_VERSION_3);
    world_set_serial(x, d == SERIAL_SHORT ? 15 : 16, d == SERIAL_FORM ? 0x3f : 0x7f);
    if (d == SERIAL_NEGATIVE) {
        X509_get_serialNumber(x)->type = V_ASN1_NEG_INTEGER;
    }
    world_set_name(X509_get_issuer_name(x), d == WRONG_ISSUER ? "Other CA" : "Issuing CA");
    world_set_name(X509_get_subject_name(x), d == SELF_ISSUED ? "Issuing CA" : "5gc.example");
    (void)X509_gmtime_adj(X509_getm_notBefore(x),
                          d == BEYOND_ISSUER ? (ISSUER_DAYS - 99L) * DAY : 0);
    (void)X509_gmtime_adj(X509_getm_notAfter(x),
                          (d == BEYOND_ISSUER ? ISSUER_DAYS + 1L : days) * DAY);
    (void)X509_set_pubkey(x, d == OWN_KEY ? X509_get0_pubkey(world.issuer) : subject);
    make_extensions(x, d);
    if (d == WRONG_ALGORITHM) {
        assert_true(X509_sign(x, p384, EVP_sha384()) > 0);
    } else {
        world_sign_dummy(x);
    }
    n = i2d_re_X509_tbs(x, &der);
    assert_true(n > 0);
    assert_ok(buf_set(tbs, span_of(der, (size_t)n), &e), &e);
    OPENSSL_free(der);
}

int
departure_sign(struct signer *s, struct span tbs, struct buf *signature, struct err *e)
{
    CLEANUP(buf_free) struct buf evidence = BUF_INIT(EVIDENCE_MAX);

    scene_log_announce(&world.ledger, tbs, &evidence);
    return signer_sign_logged(s, SIGNER_CERTIFICATE, tbs, buf_span(&evidence), signature, e);
}
