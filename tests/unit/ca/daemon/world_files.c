/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/daemon/world_files.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/x509/name.h"
#include "ca/x509/serial.h"
#include "ca/x509/signed.h"
#include "ca/x509/tbs/crl.h"
#include "pkcs11/client/client.h"
#include "pkcs11/key.h"
#include "pkcs11/secret.h"
#include "tests/support/softhsm.h"

enum { DAY = 24 * 60 * 60, TEXT_MAX = 8192, POLICY_MAX = 16 * 1024 };

static void
write_text(const char *dir, const char *name, mode_t mode, const char *text)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", dir, name);
    struct err e = {0};

    assert_ok(file_write(path, span_str(text), mode, &e), &e);
}

static void
write_certificate(const char *dir, const char *name, X509 *certificate)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", dir, name);
    CLEANUP(buf_free) struct buf der = BUF_INIT(LINK_CERTIFICATE_MAX);
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, certificate, &der, &e), &e);
    assert_ok(file_write(path, buf_span(&der), 0644, &e), &e);
}

static void
write_public(const char *dir, const char *name, struct span spki)
{
    const unsigned char *p = spki.p;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)spki.n);
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", dir, name);
    CLEANUP(bio_cleanup) BIO *out = BIO_new_file(path, "w");

    assert_non_null(out);
    assert_int_equal(PEM_write_bio_PUBKEY(out, key), 1);
}

/* ---- tokens ---- */

static void
write_policy(const struct world *w, const char *name, const char *serial, struct span id,
             const char *tail)
{
    CLEANUP(mem_cleanup) char *hex = hex_dup(id);
    CLEANUP(mem_cleanup) char *file = mem_printf("%s.conf", name);
    CLEANUP(mem_cleanup)
    char *text = mem_printf("module = \"%s\"\nmodule_config = \"%s/softhsm2.conf\"\n"
                            "token = \"ca\"\nserial = \"%s\"\nkey_id = \"%s\"\n"
                            "public_key = \"%s.pub.pem\"\nattributes = \"%s-signing-v1\"\n"
                            "credential = \"ca.pin\"\njournal = \"%s/%s.journal\"\n%s",
                            SOFTHSM_MODULE, w->dir, serial, hex, name, name, w->dir, name, tail);

    write_text(w->dir, file, 0644, text);
}

/* As a thief in the CA's process has it. */
static void
take_seal_key(struct world *w, struct session *s, const uint8_t id[KEY_ID_SIZE])
{
    struct err e = {0};
    CLEANUP(secret_cleanup) struct secret *secret = secret_find(s, span_of(id, KEY_ID_SIZE), &e);
    CLEANUP(buf_free) struct buf key = BUF_SECRET(SECRET_MAC_SIZE);

    assert_non_null(secret);
    assert_ok(secret_mac(secret, SIGNER_SEAL_TEXT_CA, &key, &e), &e);
    assert_int_equal(key.n, sizeof(w->seal_key));
    memcpy(w->seal_key, key.p, key.n);
}

static void
make_tokens(struct world *w, struct buf *issuing, struct buf *log)
{
    struct err e = {0};
    struct module *m;
    struct session *s;
    struct token t;
    uint8_t issuing_id[KEY_ID_SIZE];
    uint8_t log_id[KEY_ID_SIZE];
    uint8_t seal_id[KEY_ID_SIZE];
    CLEANUP(mem_cleanup) char *seal_hex = NULL;
    CLEANUP(mem_cleanup) char *log_tail = NULL;

    softhsm_use(w->dir);
    m = module_open(SOFTHSM_MODULE, NULL, &e);
    assert_non_null(m);
    assert_ok(module_init_token(m, "ca", SPAN_LITERAL("12345678"), SPAN_LITERAL(WORLD_PIN), &t, &e),
              &e);
    s = session_open(m, "ca", t.serial, SESSION_READ_WRITE, &e);
    assert_non_null(s);
    assert_ok(session_login(s, SPAN_LITERAL(WORLD_PIN), &e), &e);
    assert_ok(key_generate(s, key_policy_find("issuing-signing-v1", &e), KEY_P256, "issuing",
                           issuing_id, issuing, &e),
              &e);
    assert_ok(
        key_generate(s, key_policy_find("log-signing-v1", &e), KEY_P256, "log", log_id, log, &e),
        &e);
    assert_ok(secret_generate(s, "seal", seal_id, &e), &e);
    take_seal_key(w, s, seal_id);
    session_close(s);
    module_close(m);
    write_public(w->dir, "issuing.pub.pem", buf_span(issuing));
    write_public(w->dir, "log.pub.pem", buf_span(log));
    write_policy(w, "issuing", t.serial, span_of(issuing_id, sizeof(issuing_id)),
                 "certificate_authority {\n issuer = \"issuing.der\"\n objects = {\"certificate\", "
                 "\"crl\"}\n max_validity = 1095\n max_crl_validity = 31\n}\n"
                 "ledger {\n origin = \"test.example/ca\"\n public_key = \"log.pub.pem\"\n}\n");
    seal_hex = hex_dup(span_of(seal_id, sizeof(seal_id)));
    log_tail = mem_printf("log {\n origin = \"test.example/ca\"\n}\nseal {\n key_id = \"%s\"\n}\n",
                          seal_hex);
    write_policy(w, "log", t.serial, span_of(log_id, sizeof(log_id)), log_tail);
}

/* ---- root and files ---- */

static X509 *
issue_issuing(const struct world *w, struct span spki)
{
    struct name subject;
    struct err e = {0};
    struct tbs_request request = {.profile = profile_by_name("issuing"),
                                  .issuer = w->pki->root,
                                  .subject = &subject,
                                  .spki = spki,
                                  .not_before = clock_now() - DAY,
                                  .not_after = clock_now() + (time_t)1000 * DAY,
                                  .crl_url = "http://pki.example/crl/root.crl"};

    assert_ok(name_set(&subject, "SE", "Example Operator", "Example Issuing", &e), &e);
    assert_ok(serial_new(request.serial, clock_now(), &e), &e);
    return pki_issue(&request, w->pki->root_key);
}

static void
write_root_crl(const struct world *w)
{
    const struct crl_request request = {.issuer = w->pki->root,
                                        .number = 1,
                                        .this_update = clock_now(),
                                        .next_update = clock_now() + (time_t)100 * DAY};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TEXT_MAX);
    CLEANUP(buf_free) struct buf der = BUF_INIT(TEXT_MAX);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/root.crl", w->dir);
    struct err e = {0};

    assert_ok(crl_build(&request, &tbs, &e), &e);
    signature = pki_sign(w->pki->root_key, buf_span(&tbs));
    assert_ok(signed_assemble(SIGNED_CRL, buf_span(&tbs), buf_span(&signature), w->pki->root_key,
                              &der, &e),
              &e);
    assert_ok(file_write(path, buf_span(&der), 0644, &e), &e);
}

void
world_configure(struct world *w, const char *more)
{
    CLEANUP(mem_cleanup)
    char *text =
        mem_printf("state_dir = \"state\"\nledger_dir = \"ledger\"\n"
                   "log_origin = \"test.example/ca\"\nissuing_certificate = \"issuing.der\"\n"
                   "root_certificate = \"root.der\"\nroot_crl = \"root.crl\"\n"
                   "signer_program = \"%s/nfpki-signer\"\nissuing_policy = \"issuing.conf\"\n"
                   "log_policy = \"log.conf\"\nlink_socket = \"link.sock\"\n"
                   "link_users = {\"%u\"}\nadmin_socket = \"admin.sock\"\ncrl_dir = \"crl\"\n"
                   "crl_url = \"http://pki.example/crl/issuing.crl\"\n"
                   "vendor_roots = {\"vendor.der\"}\n%s",
                   TEST_BINARY_DIR, (unsigned)geteuid(), more);

    write_text(w->dir, "nfpki-ca.conf", 0644, text);
}

/* ---- the daemon ---- */

void
world_signer_days(struct world *w, int days)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/issuing.conf", w->dir);
    CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);
    struct err e = {0};
    char *at;
    char number[8];

    assert_ok(file_read(path, &text, &e), &e);
    at = memmem(text.p, text.n, "max_validity = ", 15);
    assert_non_null(at);
    (void)snprintf(number, sizeof(number), "%-4d", days);
    memcpy(at + 15, number, 4);
    assert_ok(file_write(path, buf_span(&text), 0644, &e), &e);
}

static void
add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
    CLEANUP(x509_extension_cleanup) X509_EXTENSION *extension = NULL;
    X509V3_CTX ctx;

    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(x, extension, -1), 1);
}

X509 *
world_vendor(X509 *issuer, EVP_PKEY *issuer_key, EVP_PKEY *key, const char *common_name)
{
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);
    uint8_t serial[8] = {0x41, 1};
    struct err e = {0};

    assert_int_equal(X509_set_version(x, X509_VERSION_3), 1);
    assert_ok(random_bytes(serial + 1, sizeof(serial) - 1, &e), &e);
    assert_int_equal(ASN1_STRING_set(X509_get_serialNumber(x), serial, sizeof(serial)), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                                (const unsigned char *)common_name, -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(x, issuer == NULL ? name : X509_get_subject_name(issuer)),
                     1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), -1000));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), 100000));
    assert_int_equal(X509_set_pubkey(x, key), 1);
    add_extension(x, x, NID_subject_key_identifier, "hash");
    if (issuer == NULL) {
        add_extension(x, x, NID_basic_constraints, "critical,CA:TRUE");
        add_extension(x, x, NID_key_usage, "critical,keyCertSign");
    } else {
        add_extension(x, issuer, NID_authority_key_identifier, "keyid:always");
        add_extension(x, issuer, NID_key_usage, "critical,digitalSignature");
    }
    assert_true(X509_sign(x, issuer_key, EVP_sha256()) > 0);
    return x;
}

void
world_make_files(struct world *w)
{
    CLEANUP(buf_free) struct buf issuing = BUF_INIT(SPKI_MAX);
    CLEANUP(buf_free) struct buf log = BUF_INIT(SPKI_MAX);

    make_tokens(w, &issuing, &log);
    w->issuing = issue_issuing(w, buf_span(&issuing));
    write_certificate(w->dir, "issuing.der", w->issuing);
    write_certificate(w->dir, "root.der", w->pki->root);
    write_root_crl(w);
    w->vendor_key = pki_key("P-256");
    w->vendor = world_vendor(NULL, w->vendor_key, w->vendor_key, "Vendor Root");
    write_certificate(w->dir, "vendor.der", w->vendor);
    world_configure(w, "renewal_window = 0\n");
    write_text(w->dir, "ca.pin", 0600, WORLD_PIN "\n");
    (void)chmod(w->dir, 0755);
}

bool
world_crl_has(const struct world *w, X509 *certificate)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/crl/issuing.crl", w->dir);
    CLEANUP(buf_free) struct buf der = BUF_INIT(1024 * 1024);
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = NULL;
    X509_REVOKED *entry = NULL;
    const unsigned char *p;
    struct err e = {0};

    assert_ok(file_read(path, &der, &e), &e);
    p = der.p;
    crl = d2i_X509_CRL(NULL, &p, (long)der.n);
    assert_non_null(crl);
    assert_int_equal(X509_CRL_verify(crl, X509_get0_pubkey(w->issuing)), 1);
    return X509_CRL_get0_by_cert(crl, &entry, certificate) == 1;
}

void
world_has_seal_key(const struct world *w, bool has)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/log.conf", w->dir);
    CLEANUP(mem_cleanup) char *aside = mem_printf("%s/log.seal", w->dir);
    CLEANUP(buf_free) struct buf policy = BUF_INIT(POLICY_MAX);
    CLEANUP(buf_free) struct buf seal = BUF_INIT(POLICY_MAX);
    const char *section;
    struct err e = {0};

    assert_ok(file_read(path, &policy, &e), &e);
    assert_ok(buf_append(&policy, span_of("", 1), &e), &e);
    section = strstr((const char *)policy.p, "seal {");
    if ((section != NULL) == has) {
        return;
    }
    if (has) {
        buf_truncate(&policy, policy.n - 1);
        assert_ok(file_read(aside, &seal, &e), &e);
        assert_ok(buf_append(&policy, buf_span(&seal), &e), &e);
    } else {
        assert_ok(file_write(aside, span_str(section), 0644, &e), &e);
        buf_truncate(&policy, (size_t)(section - (const char *)policy.p));
    }
    assert_ok(file_write(path, buf_span(&policy), 0644, &e), &e);
}
