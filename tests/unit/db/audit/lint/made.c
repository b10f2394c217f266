/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/db/audit/lint/made.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/file.h"
#include "db/audit/der/outline.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

enum { TBS_MAX = 16384 };

/* ---- the authority ---- */

static void
name_add(X509_NAME *name, const char *attribute, int type, const char *text, bool joined)
{
    assert_int_equal(X509_NAME_add_entry_by_txt(name, attribute, type, (const unsigned char *)text,
                                                -1, -1, joined ? -1 : 0),
                     1);
}

static void
extension_add(X509 *issuer, X509 *certificate, const char *name, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509V3_set_ctx_nodb(&context);
    extension = X509V3_EXT_nconf(NULL, &context, name, value);
    if (extension == NULL) {
        fail_msg("%s = %s", name, value);
    }
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

void
made_begin(struct made_authority *a)
{
    X509_NAME *name = X509_NAME_new();

    *a = (struct made_authority){.key = EVP_EC_gen("P-256"), .other = EVP_EC_gen("P-256")};
    assert_non_null(a->key);
    a->certificate = X509_new();
    name_add(name, "C", V_ASN1_PRINTABLESTRING, "SE", false);
    name_add(name, "CN", V_ASN1_UTF8STRING, "Issuing CA", false);
    assert_int_equal(X509_set_version(a->certificate, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(a->certificate), 1), 1);
    assert_int_equal(X509_set_subject_name(a->certificate, name), 1);
    assert_int_equal(X509_set_issuer_name(a->certificate, name), 1);
    X509_NAME_free(name);
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(a->certificate), MADE_AT - 4 * 3600));
    assert_non_null(
        ASN1_TIME_set(X509_getm_notAfter(a->certificate), MADE_AT + (time_t)3650 * MADE_DAY));
    assert_int_equal(X509_set_pubkey(a->certificate, a->key), 1);
    extension_add(a->certificate, a->certificate, "subjectKeyIdentifier", "hash");
    assert_true(X509_sign(a->certificate, a->key, EVP_sha256()) > 0);
    made_again(a, NULL, NULL);
}

static void
forget(struct made_authority *a)
{
    lint_judge_free(a->judge);
    findings_free(a->findings);
    lint_table_free(a->table);
}

void
made_end(struct made_authority *a)
{
    forget(a);
    X509_free(a->certificate);
    EVP_PKEY_free(a->key);
    EVP_PKEY_free(a->other);
}

uint64_t
made_tell(struct made_authority *a, struct leaf *leaf)
{
    struct err e = {0};

    assert_ok(leaf_seal(leaf, &e), &e);
    if (a->each != NULL) {
        a->each(a->arg, a->leaves, leaf);
    } else {
        lint_judge_leaf(a->judge, a->leaves, leaf);
    }
    leaf_free(leaf);
    return a->leaves++;
}

static void
start_judge(struct made_authority *a)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(TBS_MAX);
    struct leaf *leaf = leaf_new(LEAF_START, MADE_AT);
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, a->certificate, &der, &e), &e);
    assert_ok(sha256(buf_span(&der), hash, &e), &e);
    leaf_set_text(leaf, "program", "nfpki-ca");
    leaf_set_text(leaf, "version", "0");
    leaf_set_text(leaf, "config", MADE_BUILT_IN);
    leaf_set_bool(leaf, "softwareToken", false);
    leaf_set_hex(leaf, "issuer", span_of(hash, sizeof(hash)));
    (void)made_tell(a, leaf);
}

void
made_again(struct made_authority *a, const char *profiles, char hash[2 * SHA256_SIZE + 1])
{
    struct err e = {0};

    forget(a);
    a->leaves = 0;
    a->findings = findings_new();
    a->table = lint_table_new(&e);
    if (a->table == NULL) {
        fail_msg("%s", e.text);
    }
    if (profiles != NULL) {
        char *base = tmpdir_new();
        CLEANUP(mem_cleanup) char *path = mem_printf("%s/profiles.conf", base);
        uint8_t octets[SHA256_SIZE];

        assert_ok(file_write(path, span_str(profiles), 0600, &e), &e);
        assert_ok(lint_table_add(a->table, path, &e), &e);
        assert_ok(sha256(span_str(profiles), octets, &e), &e);
        hex_format(span_of(octets, sizeof(octets)), hash);
        tmpdir_remove(base);
    }
    a->judge = lint_judge_new(a->table, a->findings);
    assert_ok(lint_judge_issuer(a->judge, a->certificate, &e), &e);
    start_judge(a);
}

/* ---- good ones ---- */

#define SERIAL "40414243444546474849505152535455"
#define DOCUMENT(nf, types, fqdns, profiles)                                                       \
    "{\"version\":1,\"nfInstanceId\":\"" nf "\",\"nfTypes\":[" types "],\"fqdns\":[" fqdns         \
    "],\"homeDomain\":\"" MADE_HOME "\",\"country\":\"SE\",\"profiles\":[" profiles "]}"
#define ANY_PROFILE                                                                                \
    "{\"name\":\"nf-tls\",\"maxValidityDays\":2},{\"name\":\"nf-tls-client\"},"                    \
    "{\"name\":\"nf-tls-server\"},{\"name\":\"own\"}"

static struct made
made_any(const char *profile)
{
    return (struct made){
        .profile = profile,
        .version = X509_VERSION_3,
        .serial = SERIAL,
        .kind = "P-256",
        .md = EVP_sha256(),
        .from = MADE_AT - 300,
        .until = MADE_AT - 300 + 2 * MADE_DAY,
        .extensions = {{"keyUsage", "critical,digitalSignature"},
                       {"subjectKeyIdentifier", "hash"},
                       {"authorityKeyIdentifier", "keyid:always"},
                       {"crlDistributionPoints", "URI:http://crl.example/issuing.crl"}},
    };
}

struct made
made_nf(const char *profile)
{
    struct made m = made_any(profile);

    m.profile_file = MADE_BUILT_IN;
    m.nf = MADE_NF;
    m.document = DOCUMENT(MADE_NF, "\"AMF\"", "\"" MADE_FQDN "\"", ANY_PROFILE);
    m.subject[0].attribute = "C";
    m.subject[0].type = V_ASN1_PRINTABLESTRING;
    m.subject[0].text = "SE";
    m.subject[1].attribute = "O";
    m.subject[1].type = V_ASN1_UTF8STRING;
    m.subject[1].text = MADE_HOME;
    made_set(&m, "extendedKeyUsage",
             strcmp(profile, "nf-tls-client") == 0   ? "clientAuth"
             : strcmp(profile, "nf-tls-server") == 0 ? "serverAuth"
                                                     : "serverAuth,clientAuth");
    made_set(&m, "subjectAltName", "critical,DNS:" MADE_FQDN ",URI:urn:uuid:" MADE_NF);
    made_set(&m, "1.3.6.1.5.5.7.1.34", "DER:30:05:16:03:41:4d:46");
    return m;
}

struct made
made_person(const char *profile)
{
    struct made m = made_any(profile);

    m.subject[0].attribute = "O";
    m.subject[0].type = V_ASN1_UTF8STRING;
    m.subject[0].text = "Operator";
    m.subject[1].attribute = "CN";
    m.subject[1].type = V_ASN1_UTF8STRING;
    m.subject[1].text = "Somebody";
    if (strcmp(profile, "ra-cmp") == 0) {
        made_set(&m, "extendedKeyUsage", "1.3.6.1.5.5.7.3.28");
    } else if (strcmp(profile, "registrar") == 0) {
        made_set(&m, "extendedKeyUsage", "clientAuth");
    }
    return m;
}

void
made_set(struct made *m, const char *name, const char *value)
{
    size_t i = 0;

    while (m->extensions[i].name != NULL && strcmp(m->extensions[i].name, name) != 0) {
        i++;
    }
    assert_true(i < MADE_EXTENSIONS - 1);
    m->extensions[i].name = name;
    m->extensions[i].value = value;
}

/* ---- one ---- */

static EVP_PKEY *
key_of(const struct made *m)
{
    if (m->key != NULL) {
        assert_int_equal(EVP_PKEY_up_ref(m->key), 1);
        return m->key;
    }
    return strcmp(m->kind, "RSA") == 0 ? EVP_RSA_gen(2048) : EVP_EC_gen(m->kind);
}

static X509_NAME *
subject_of(const struct made *m)
{
    X509_NAME *name = X509_NAME_new();

    for (size_t i = 0; i < MADE_NAMES && m->subject[i].attribute != NULL; i++) {
        name_add(name, m->subject[i].attribute, m->subject[i].type, m->subject[i].text,
                 m->subject[i].joined);
    }
    return name;
}

static void
serial_set(X509 *certificate, const char *hex)
{
    BIGNUM *number = NULL;

    assert_true(BN_hex2bn(&number, hex) > 0);
    assert_non_null(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)));
    BN_free(number);
}

static X509 *
certificate_new(const struct made_authority *a, const struct made *m)
{
    X509 *certificate = X509_new();
    EVP_PKEY *key = key_of(m);
    X509_NAME *subject = subject_of(m);

    assert_int_equal(X509_set_version(certificate, m->version), 1);
    serial_set(certificate, m->serial);
    assert_int_equal(X509_set_subject_name(certificate, subject), 1);
    assert_int_equal(X509_set_issuer_name(certificate, X509_get_subject_name(a->certificate)), 1);
    if (m->issuer_text != NULL) {
        X509_NAME *other = X509_NAME_new();

        name_add(other, "CN", V_ASN1_UTF8STRING, m->issuer_text, false);
        assert_int_equal(X509_set_issuer_name(certificate, other), 1);
        X509_NAME_free(other);
    }
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(certificate), m->from));
    if (m->generalized) {
        assert_non_null(ASN1_GENERALIZEDTIME_set(X509_getm_notAfter(certificate), m->until));
    } else {
        assert_non_null(ASN1_TIME_set(X509_getm_notAfter(certificate), m->until));
    }
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    for (size_t i = 0; m->extensions[i].name != NULL; i++) {
        if (m->extensions[i].value != NULL) {
            extension_add(a->certificate, certificate, m->extensions[i].name,
                          m->extensions[i].value);
        }
    }
    assert_true(X509_sign(certificate, m->signer == NULL ? a->key : m->signer, m->md) > 0);
    X509_NAME_free(subject);
    EVP_PKEY_free(key);
    return certificate;
}

static void
wrap(uint8_t tag, struct span content, struct buf *out)
{
    const uint8_t head[] = {tag, 0x82, (uint8_t)(content.n >> 8), (uint8_t)content.n};
    struct err e = {0};

    assert_true(content.n > 0xff);
    assert_ok(buf_append(out, span_of(head, sizeof(head)), &e), &e);
    assert_ok(buf_append(out, content, &e), &e);
}

/* The certificate with another TBSCertificate, of 256 octets or more, signed by the authority. */
static void
edited(const struct made_authority *a, const struct made *m, struct buf *der)
{
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
    CLEANUP(buf_free) struct buf all = BUF_INIT(TBS_MAX);
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *context = EVP_MD_CTX_new();
    /* ecdsa-with-SHA256 */
    static const uint8_t algorithm[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                        0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
    uint8_t bits[128] = {0x03, 0, 0};
    size_t n = sizeof(bits) - 3;
    struct audit_outline outline;
    struct err e = {0};

    assert_ok(audit_outline_read(buf_span(der), &outline, &e), &e);
    assert_ok(buf_append(&tbs, outline.tbs, &e), &e);
    m->edit(&tbs);
    assert_int_equal(EVP_DigestSignInit(context, NULL, m->md, NULL, a->key), 1);
    assert_int_equal(EVP_DigestSign(context, bits + 3, &n, tbs.p, tbs.n), 1);
    bits[1] = (uint8_t)(n + 1);
    assert_ok(buf_append(&all, buf_span(&tbs), &e), &e);
    assert_ok(buf_append(&all, span_of(algorithm, sizeof(algorithm)), &e), &e);
    assert_ok(buf_append(&all, span_of(bits, n + 3), &e), &e);
    buf_free(der);
    wrap(0x30, buf_span(&all), der);
}

static struct leaf *
intent_of(const struct made *m, struct span der)
{
    struct leaf *leaf = leaf_new(LEAF_INTENT, MADE_AT);
    CLEANUP(mem_cleanup) char *serial = NULL;
    struct audit_outline outline;
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    assert_ok(audit_outline_read(der, &outline, &e), &e);
    assert_ok(sha256(outline.tbs, hash, &e), &e);
    serial = hex_dup(outline.serial);
    leaf_set_text(leaf, "rid", MADE_BUILT_IN);
    leaf_set_text(leaf, "serial", m->leaf_serial != NULL ? m->leaf_serial : serial);
    leaf_set_text(leaf, "profile", m->profile);
    if (m->tbs != NULL) {
        leaf_set_text(leaf, "tbs", m->tbs);
    } else {
        leaf_set_hex(leaf, "tbs", span_of(hash, sizeof(hash)));
    }
    leaf_set_time(leaf, "notBefore", m->from);
    leaf_set_time(leaf, "notAfter", m->leaf_until != 0 ? m->leaf_until : m->until);
    if (m->nf != NULL) {
        leaf_set_text(leaf, "nfInstanceId", m->nf);
        leaf_set_text(leaf, "registration", "00112233445566778899aabbccddeeff");
        leaf_set_text(leaf, "assurance", "mac");
        if (m->profile_file != NULL) {
            leaf_set_text(leaf, "profileFile", m->profile_file);
        }
    }
    assert_ok(leaf_seal(leaf, &e), &e);
    return leaf;
}

/* Whoever signed it is not asked here. */
static void
registration_judge(struct made_authority *a, const struct made *m)
{
    struct leaf *leaf = leaf_new(LEAF_REGISTRATION, MADE_AT);
    CLEANUP(bio_cleanup) BIO *content = BIO_new_mem_buf(m->document, -1);
    CLEANUP(cms_cleanup)
    CMS_ContentInfo *cms = CMS_sign(a->certificate, a->key, NULL, content, CMS_BINARY);
    CLEANUP(buf_free) struct buf der = BUF_INIT(TBS_MAX);
    struct err e = {0};

    assert_non_null(cms);
    assert_ok(OSSL_ENCODE(CMS_ContentInfo, cms, &der, &e), &e);
    leaf_set_text(leaf, "registration", "00112233445566778899aabbccddeeff");
    leaf_set_text(leaf, "sha256", MADE_BUILT_IN);
    leaf_set_text(leaf, "nfInstanceId", m->nf);
    leaf_set_text(leaf, "registrar", SERIAL);
    leaf_set_text(leaf, "proof", "mac");
    leaf_set_int(leaf, "certificates", 1);
    leaf_set_time(leaf, "notBefore", MADE_AT);
    leaf_set_time(leaf, "notAfter", MADE_AT + MADE_DAY);
    leaf_set_base64(leaf, "cms", buf_span(&der));
    (void)made_tell(a, leaf);
}

void
made_issue(struct made_authority *a, const struct made *m)
{
    CLEANUP(x509_cleanup) X509 *certificate = certificate_new(a, m);
    CLEANUP(buf_free) struct buf der = BUF_INIT(TBS_MAX);
    struct leaf *intent;
    struct leaf *leaf = leaf_new(LEAF_ISSUED, MADE_AT);
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, certificate, &der, &e), &e);
    if (m->edit != NULL) {
        edited(a, m, &der);
    }
    if (m->document != NULL) {
        registration_judge(a, m);
    }
    intent = intent_of(m, buf_span(&der));
    leaf_set_text(leaf, "rid", MADE_BUILT_IN);
    leaf_set_text(leaf, "serial", leaf_text(intent, "serial"));
    leaf_set_base64(leaf, "certificate", buf_span(&der));
    (void)made_tell(a, intent);
    (void)made_tell(a, leaf);
}
