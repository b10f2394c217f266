/* SPDX-License-Identifier: Apache-2.0 */
/* What certificates, CRLs and requests are made with and judged by, while memory is short inside
 * OpenSSL: the same answer or none, and nothing granted that would be refused. */
#include <string.h>

#include "ca/x509/csr.h"
#include "ca/x509/lint/lint.h"
#include "ca/x509/profile/wish.h"
#include "ca/x509/signed.h"
#include "ca/x509/tbs/crl.h"
#include "ca/x509/tbs/tbs.h"
#include "ca/x509/weak_key.h"
#include "tests/support/forge.h"
#include "tests/support/pki.h"
#include "tests/support/starve.h"
#include "tests/support/test.h"

enum { DAY = 24 * 60 * 60, DER_MAX = 64 * 1024 };

/* One for each kind that a call needs; all constant after make(). */
static struct {
    struct pki *pki;
    EVP_PKEY *key;
    struct buf spki;
    struct buf rsa_spki;
    struct nf_identity nf;
    struct tbs_request request;
    struct crl_request crl;
    struct buf tbs;
    struct buf signature;
    struct buf certificate;
    struct buf pem;
    struct buf crl_tbs;
    struct buf crl_signature;
    struct buf crl_der;
    struct buf csr_info;
    struct buf csr_signature;
    struct buf csr;
    struct buf forged_csr;
    struct name name;
} w;

static const struct crl_entry entries[] = {
    {.serial = {0x05}, .serial_size = 1, .revoked_at = PKI_NOW - 100, .reason = CRL_SUPERSEDED},
    {.serial = {0x41, 2, 3}, .serial_size = 3, .revoked_at = PKI_NOW, .reason = CRL_KEY_COMPROMISE},
};

static void
make_csr(void)
{
    struct err e = {0};

    assert_ok(csr_info_build(&w.name, buf_span(&w.spki), &w.csr_info, &e), &e);
    w.csr_signature = pki_sign(w.key, buf_span(&w.csr_info));
    assert_ok(signed_assemble(SIGNED_CSR, buf_span(&w.csr_info), buf_span(&w.csr_signature), w.key,
                              &w.csr, &e),
              &e);
    w.forged_csr = BUF_INIT(DER_MAX);
    assert_ok(buf_append(&w.forged_csr, buf_span(&w.csr), &e), &e);
    w.forged_csr.p[w.forged_csr.n - 1] ^= 1;
}

static void
make_pem(void)
{
    CLEANUP(mem_cleanup) char *text = base64_dup(buf_span(&w.certificate));
    CLEANUP(mem_cleanup)
    char *pem = mem_printf("-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n", text);
    struct err e = {0};

    w.pem = BUF_INIT(DER_MAX);
    assert_ok(buf_append_str(&w.pem, pem, &e), &e);
}

static int
make(void **state)
{
    EVP_PKEY *rsa = pki_key("RSA-2048");
    struct err e = {0};

    (void)state;
    w.tbs = w.certificate = w.crl_tbs = w.crl_der = w.csr_info = w.csr = BUF_INIT(DER_MAX);
    w.pki = pki_new("P-256", "P-256");
    w.key = pki_key("P-256");
    w.spki = pki_spki(w.key);
    w.rsa_spki = pki_spki(rsa);
    EVP_PKEY_free(rsa);
    w.nf = pki_nf();
    w.request = pki_request(w.pki, &w.nf, buf_span(&w.spki));
    w.crl = (struct crl_request){.issuer = w.pki->issuing,
                                 .number = 7,
                                 .this_update = PKI_NOW,
                                 .next_update = PKI_NOW + DAY,
                                 .entries = entries,
                                 .n_entries = ARRAY_LEN(entries)};
    assert_ok(tbs_build(&w.request, &w.tbs, &e), &e);
    w.signature = pki_sign(w.pki->issuing_key, buf_span(&w.tbs));
    assert_ok(signed_assemble(SIGNED_CERTIFICATE, buf_span(&w.tbs), buf_span(&w.signature),
                              w.pki->issuing_key, &w.certificate, &e),
              &e);
    assert_ok(crl_build(&w.crl, &w.crl_tbs, &e), &e);
    w.crl_signature = pki_sign(w.pki->issuing_key, buf_span(&w.crl_tbs));
    assert_ok(signed_assemble(SIGNED_CRL, buf_span(&w.crl_tbs), buf_span(&w.crl_signature),
                              w.pki->issuing_key, &w.crl_der, &e),
              &e);
    assert_ok(name_set(&w.name, "SE", "Operator", "Issuing", &e), &e);
    make_csr();
    make_pem();
    return 0;
}

static int
drop(void **state)
{
    (void)state;
    pki_free(w.pki);
    EVP_PKEY_free(w.key);
    buf_free(&w.spki);
    buf_free(&w.rsa_spki);
    buf_free(&w.tbs);
    buf_free(&w.signature);
    buf_free(&w.certificate);
    buf_free(&w.pem);
    buf_free(&w.crl_tbs);
    buf_free(&w.crl_signature);
    buf_free(&w.crl_der);
    buf_free(&w.csr_info);
    buf_free(&w.csr_signature);
    buf_free(&w.csr);
    buf_free(&w.forged_csr);
    return 0;
}

/* ---- what is made ---- */

static int
certificate_is_built(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    return tbs_build(&w.request, out, e);
}

static int
root_is_built(const void *arg, struct buf *out, struct err *e)
{
    struct tbs_request r = w.request;

    (void)arg;
    r.profile = profile_by_name("root");
    r.issuer = NULL;
    r.nf = NULL;
    r.subject = &w.name;
    r.crl_url = NULL;
    return tbs_build(&r, out, e);
}

static int
crl_is_built(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    return crl_build(&w.crl, out, e);
}

/* Nothing is appended that was not verified. */
static int
assembled(enum signed_kind kind, const struct buf *tbs, const struct buf *signature, EVP_PKEY *key,
          struct buf *out, struct err *e)
{
    int result = signed_assemble(kind, buf_span(tbs), buf_span(signature), key, out, e);

    assert_true(result == 0 || out->n == 0);
    return result;
}

static int
certificate_is_assembled(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    return assembled(SIGNED_CERTIFICATE, &w.tbs, &w.signature, w.pki->issuing_key, out, e);
}

static int
crl_is_assembled(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    return assembled(SIGNED_CRL, &w.crl_tbs, &w.crl_signature, w.pki->issuing_key, out, e);
}

static int
request_is_assembled(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    return assembled(SIGNED_CSR, &w.csr_info, &w.csr_signature, w.key, out, e);
}

static int
certificate_is_assembled_with_another_signature(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    return assembled(SIGNED_CERTIFICATE, &w.tbs, &w.crl_signature, w.pki->issuing_key, out, e);
}

static int
request_is_assembled_with_another_signature(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    return assembled(SIGNED_CSR, &w.csr_info, &w.signature, w.key, out, e);
}

static int
certificate_is_encoded(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    return OSSL_ENCODE(X509, w.pki->root, out, e);
}

/* ---- what is read ---- */

static int
certificate_out(X509 *certificate, struct buf *out, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *owned = certificate;

    starve_pause();
    return owned == NULL ? -1 : OSSL_ENCODE(X509, owned, out, e);
}

static int
certificate_is_parsed(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    return certificate_out(certificate_parse(buf_span(&w.certificate), e), out, e);
}

static int
certificate_is_parsed_from_pem(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    return certificate_out(certificate_parse(buf_span(&w.pem), e), out, e);
}

static int
certificate_is_parsed_without_its_key(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    return certificate_out(certificate_parse_keyless(buf_span(&w.certificate), e), out, e);
}

static int
request_is_parsed(const void *arg, struct buf *out, struct err *e)
{
    const struct buf *der = arg;
    CLEANUP(csr_cleanup) struct csr *csr = csr_parse(buf_span(der), e);
    CLEANUP(mem_cleanup) char *subject = NULL;

    starve_pause();
    if (csr == NULL) {
        return -1;
    }
    subject = name_text(csr_subject(csr));
    return buf_append(out, csr_der(csr), e) == 0 && buf_append(out, csr_spki(csr), e) == 0 &&
                   buf_append_str(out, subject, e) == 0
               ? 0
               : -1;
}

static int
key_out(EVP_PKEY *key, struct buf *out, struct err *e)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *owned = key;

    starve_pause();
    return owned == NULL ? -1 : OSSL_ENCODE(PUBKEY, owned, out, e);
}

static int
key_is_parsed(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    return key_out(pubkey_parse(buf_span(&w.spki), NULL, e), out, e);
}

static int
rsa_key_is_parsed(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    return key_out(pubkey_parse(buf_span(&w.rsa_spki), NULL, e), out, e);
}

static int
key_is_identified(const void *arg, struct buf *out, struct err *e)
{
    uint8_t ski[SKI_SIZE];

    (void)arg;
    return pubkey_ski(buf_span(&w.spki), ski, e) == 0 ? buf_append(out, span_of(ski, SKI_SIZE), e)
                                                      : -1;
}

static int
rsa_key_is_sound(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    (void)out;
    return weak_key_check(buf_span(&w.rsa_spki), NULL, NULL, e);
}

/* ---- what is judged ---- */

static int
certificate_is_linted(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    (void)out;
    return lint_tbs(buf_span(&w.tbs), &w.request, e);
}

static int
crl_is_linted(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    (void)out;
    return crl_lint(buf_span(&w.crl_tbs), &w.crl, e);
}

static int
certificate_is_verified(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    (void)out;
    return signed_verify(SIGNED_CERTIFICATE, buf_span(&w.certificate), buf_span(&w.tbs),
                         w.pki->issuing_key, e);
}

static int
certificate_is_verified_with_another_key(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    (void)out;
    return signed_verify(SIGNED_CERTIFICATE, buf_span(&w.certificate), buf_span(&w.tbs),
                         w.pki->root_key, e);
}

/* Each departs from what was decided in one thing. */
static int
certificate_is_linted_that_departs(const void *arg, struct buf *out, struct err *e)
{
    const int *change = arg;
    struct nf_identity nf = w.nf;
    struct profile profile = *w.request.profile;
    struct tbs_request r = w.request;

    (void)out;
    r.nf = &nf;
    r.profile = &profile;
    switch (*change) {
    case 0:
        r.serial[SERIAL_SIZE - 1] ^= 1;
        break;
    case 1:
        r.not_after++;
        break;
    case 2:
        nf.fqdns[0][3]++;
        break;
    case 3:
        nf.types[0][0]++;
        break;
    case 4:
        nf.country[0]--;
        break;
    case 5:
        r.spki = buf_span(&w.rsa_spki);
        break;
    case 6:
        r.crl_url = "http://pki.example/crl/another.crl";
        break;
    case 7:
        r.issuer = w.pki->root;
        break;
    case 8:
        profile.key_usage = KEY_USAGE_NON_REPUDIATION;
        break;
    case 9:
        profile.eku[1] = NULL;
        break;
    case 10:
        profile.max_validity = DAY;
        break;
    case 11:
        profile.ec_keys = 1U << PUBKEY_P384;
        break;
    default:
        profile.no_rev_avail = true;
        r.crl_url = NULL;
        break;
    }
    return lint_tbs(buf_span(&w.tbs), &r, e);
}

static int
crl_is_linted_that_departs(const void *arg, struct buf *out, struct err *e)
{
    const int *change = arg;
    struct crl_entry others[ARRAY_LEN(entries)];
    struct crl_request r = w.crl;

    (void)out;
    memcpy(others, entries, sizeof(others));
    r.entries = others;
    switch (*change) {
    case 0:
        r.number++;
        break;
    case 1:
        r.next_update++;
        break;
    case 2:
        r.issuer = w.pki->root;
        break;
    case 3:
        r.n_entries--;
        break;
    case 4:
        others[1].reason = CRL_UNSPECIFIED;
        break;
    default:
        others[0].revoked_at++;
        break;
    }
    return crl_lint(buf_span(&w.crl_tbs), &r, e);
}

struct wish {
    const char *oid;
    const char *value;
};

static int
wish_is_checked(const void *arg, struct buf *out, struct err *e)
{
    const struct wish *wish = arg;
    struct profile profile = *profile_by_name("nf-tls");
    CLEANUP(x509_extension_cleanup) X509_EXTENSION *one = NULL;
    STACK_OF(X509_EXTENSION) * list;
    X509V3_CTX ctx;
    int result;

    (void)out;
    starve_pause();
    X509V3_set_ctx_nodb(&ctx);
    one = X509V3_EXT_conf(NULL, &ctx, wish->oid, wish->value);
    list = sk_X509_EXTENSION_new_null();
    assert_true(sk_X509_EXTENSION_push(list, one) > 0);
    profile.reject_unknown = true;
    starve_resume();
    result = wish_check(&profile, &w.nf, list, e);
    sk_X509_EXTENSION_free(list);
    return result;
}

/* Is the issuing CA's name within these? */
static int
name_is_judged(const void *arg, struct buf *out, struct err *e)
{
    (void)out;
    return name_is_within(X509_get_subject_name(w.pki->issuing), arg)
               ? 0
               : err_set(e, ERR_DENIED, "outside");
}

static int
name_is_written(const void *arg, struct buf *out, struct err *e)
{
    CLEANUP(mem_cleanup) char *text = name_text(X509_get_subject_name(w.pki->issuing));

    (void)arg;
    return strcmp(text, NAME_UNWRITTEN) == 0 ? err_set(e, ERR_CRYPTO, "no text")
                                             : buf_append_str(out, text, e);
}

/* With its parts the other way round, and with another one. */
static int
name_is_compared(const void *arg, struct buf *out, struct err *e)
{
    static const int nids[] = {NID_commonName, NID_organizationName, NID_countryName};
    const char *const values[] = {arg, "Example Operator", "SE"};
    CLEANUP(x509_name_cleanup) X509_NAME *name = NULL;

    (void)out;
    starve_pause();
    name = X509_NAME_new();
    for (size_t i = 0; i < ARRAY_LEN(nids); i++) {
        assert_int_equal(X509_NAME_add_entry_by_NID(name, nids[i], MBSTRING_UTF8,
                                                    (const unsigned char *)values[i], -1, -1, 0),
                         1);
    }
    starve_resume();
    return name_equal_as_set(X509_get_subject_name(w.pki->issuing), name)
               ? 0
               : err_set(e, ERR_DENIED, "another name");
}

#define WISH(oid, value) ((const struct wish[]){{oid, value}})
#define N(n) ((const int[]){n})

static void
each_call_is_right_or_refused(void **state)
{
    const struct starve rows[] = {
        {"tbs_build", certificate_is_built, NULL, NULL, 0},
        {"tbs_build of a root", root_is_built, NULL, NULL, 0},
        {"crl_build", crl_is_built, NULL, NULL, 0},
        {"signed_assemble, certificate", certificate_is_assembled, NULL, NULL, 0},
        {"signed_assemble, CRL", crl_is_assembled, NULL, NULL, 0},
        {"signed_assemble, request", request_is_assembled, NULL, NULL, 0},
        {"signed_assemble, certificate, forged", certificate_is_assembled_with_another_signature,
         "verify", NULL, 0},
        {"signed_assemble, request, forged", request_is_assembled_with_another_signature, "verify",
         NULL, 0},
        {"signed_verify", certificate_is_verified, NULL, NULL, 0},
        {"signed_verify, another key", certificate_is_verified_with_another_key, "verify", NULL, 0},
        {"ossl_encode", certificate_is_encoded, NULL, NULL, 0},
        {"certificate_parse", certificate_is_parsed, NULL, NULL, 0},
        {"certificate_parse, PEM", certificate_is_parsed_from_pem, NULL, NULL, 0},
        {"certificate_parse_keyless", certificate_is_parsed_without_its_key, NULL, NULL, 0},
        {"csr_parse", request_is_parsed, NULL, &w.csr, 0},
        {"csr_parse, forged", request_is_parsed, "possession", &w.forged_csr, 0},
        {"pubkey_parse", key_is_parsed, NULL, NULL, 0},
        {"pubkey_parse, RSA", rsa_key_is_parsed, NULL, NULL, 0},
        {"pubkey_ski", key_is_identified, NULL, NULL, 0},
        {"weak_key_check", rsa_key_is_sound, NULL, NULL, 0},
        {"name_text", name_is_written, NULL, NULL, 0},
        {"name_is_within", name_is_judged, NULL, "O=Example Operator,C=SE", 0},
        {"name_is_within, not", name_is_judged, "outside", "O=Operator,C=SE", 0},
        {"name_equal_as_set", name_is_compared, NULL, "Example Issuing", 0},
        {"name_equal_as_set, not", name_is_compared, "another", "Example", 0},
    };

    (void)state;
    assert_int_equal(starve_sweep(rows, ARRAY_LEN(rows)), 0);
}

static void
what_departs_is_never_released(void **state)
{
    const struct starve rows[] = {
        {"lint_tbs", certificate_is_linted, NULL, NULL, 0},
        {"lint_tbs, serial", certificate_is_linted_that_departs, "serialNumber", N(0), 0},
        {"lint_tbs, end", certificate_is_linted_that_departs, "notAfter", N(1), 0},
        {"lint_tbs, name", certificate_is_linted_that_departs, "subjectAltName", N(2), 0},
        {"lint_tbs, type", certificate_is_linted_that_departs, "nfTypes", N(3), 0},
        {"lint_tbs, country", certificate_is_linted_that_departs, "subject", N(4), 0},
        {"lint_tbs, key", certificate_is_linted_that_departs, "subjectPublicKeyInfo", N(5), 0},
        {"lint_tbs, CRL", certificate_is_linted_that_departs, "cRLDistributionPoints", N(6), 0},
        {"lint_tbs, issuer", certificate_is_linted_that_departs, "issuer", N(7), 0},
        {"lint_tbs, usage", certificate_is_linted_that_departs, "keyUsage", N(8), 0},
        {"lint_tbs, purpose", certificate_is_linted_that_departs, "extKeyUsage", N(9), 0},
        {"lint_tbs, length", certificate_is_linted_that_departs, "longer", N(10), 0},
        {"lint_tbs, curve", certificate_is_linted_that_departs, "subjectPublicKeyInfo", N(11), 0},
        {"lint_tbs, noRevAvail", certificate_is_linted_that_departs, "noRevAvail", N(12), 0},
        {"crl_lint", crl_is_linted, NULL, NULL, 0},
        {"crl_lint, number", crl_is_linted_that_departs, "cRLNumber", N(0), 0},
        {"crl_lint, end", crl_is_linted_that_departs, "nextUpdate", N(1), 0},
        {"crl_lint, issuer", crl_is_linted_that_departs, "issuer", N(2), 0},
        {"crl_lint, entries", crl_is_linted_that_departs, "number of entries", N(3), 0},
        {"crl_lint, reason", crl_is_linted_that_departs, "[1]", N(4), 0},
        {"crl_lint, date", crl_is_linted_that_departs, "[0]", N(5), 0},
        {"wish_check, usage", wish_is_checked, NULL, WISH("keyUsage", "digitalSignature"), 0},
        {"wish_check, another", wish_is_checked, "2.5.29.15", WISH("keyUsage", "keyCertSign"), 0},
        {"wish_check, purpose", wish_is_checked, NULL, WISH("extendedKeyUsage", "clientAuth"), 0},
        {"wish_check, another", wish_is_checked, "2.5.29.37",
         WISH("extendedKeyUsage", "clientAuth,codeSigning"), 0},
        {"wish_check, CA", wish_is_checked, "2.5.29.19", WISH("basicConstraints", "CA:TRUE"), 0},
    };

    (void)state;
    assert_int_equal(starve_sweep(rows, ARRAY_LEN(rows)), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_call_is_right_or_refused),
        cmocka_unit_test(what_departs_is_never_released),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
