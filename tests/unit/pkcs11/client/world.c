/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/pkcs11/client/world.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "pkcs11/secret.h"
#include "tests/support/softhsm.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

#define SO_PIN SPAN_LITERAL("so-pin-0123456789")

struct world world;

static void
make_token(void)
{
    struct err e = {0};
    struct token t;
    struct module *m = module_open(SOFTHSM_MODULE, NULL, &e);
    struct session *s;

    assert_non_null(m);
    assert_ok(module_init_token(m, TOKEN, SO_PIN, USER_PIN, &t, &e), &e);
    s = session_open(m, TOKEN, t.serial, SESSION_READ_WRITE, &e);
    assert_non_null(s);
    assert_ok(session_login(s, USER_PIN, &e), &e);
    world.spki = BUF_INIT(SPKI_MAX);
    assert_ok(key_generate(s, key_policy_find("issuing-signing-v1", &e), world.algorithm, "issuing",
                           world.first_id, &world.spki, &e),
              &e);
    memcpy(world.serial, t.serial, sizeof(t.serial));
    session_close(s);
    module_close(m);
}

void
world_sign_dummy(X509 *x)
{
    assert_true(X509_sign(x, world.dummy, key_algorithm_digest(world.algorithm)) > 0);
}

void
world_add_extension(X509 *x, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&ctx, world.issuer, x, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(x, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

void
world_set_name(X509_NAME *name, const char *o)
{
    assert_int_equal(
        X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)o, -1, -1, 0),
        1);
}

uint8_t world_last_octet;

void
world_set_serial(X509 *x, size_t n, uint8_t first)
{
    uint8_t octets[20] = {first, 1, 2, 3, [4] = world_last_octet++};

    assert_int_equal(ASN1_STRING_set(X509_get_serialNumber(x), octets, (int)n), 1);
}

static void
make_issuer(void)
{
    struct err e = {0};
    enum key_algorithm algorithm;
    EVP_PKEY *key = key_public_parse(buf_span(&world.spki), &algorithm, &e);
    CLEANUP(buf_free) struct buf der = BUF_INIT(4096);
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/issuing.der", world.dir);

    world.issuer = X509_new();
    (void)X509_set_version(world.issuer, X509_VERSION_3);
    world_set_serial(world.issuer, 16, 0x41);
    world_set_name(X509_get_subject_name(world.issuer), "Issuing CA");
    world_set_name(X509_get_issuer_name(world.issuer), "Root CA");
    (void)X509_gmtime_adj(X509_getm_notBefore(world.issuer), -DAY);
    (void)X509_gmtime_adj(X509_getm_notAfter(world.issuer), (long)ISSUER_DAYS * DAY);
    assert_int_equal(X509_set_pubkey(world.issuer, key), 1);
    world_add_extension(world.issuer, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    world_add_extension(world.issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
    world_add_extension(world.issuer, NID_subject_key_identifier, "hash");
    world_sign_dummy(world.issuer);
    assert_ok(OSSL_ENCODE(X509, world.issuer, &der, &e), &e);
    assert_ok(file_write(path, buf_span(&der), 0600, &e), &e);
    EVP_PKEY_free(key);
}

void
world_write_policy(const char *module, const char *attributes, const char *purpose)
{
    struct err e = {0};
    char id[2 * KEY_ID_SIZE + 1];
    CLEANUP(mem_cleanup) char *text = NULL;

    hex_format(span_of(world.id, sizeof(world.id)), id);
    text = mem_printf("module = \"%s\"\nmodule_config = \"softhsm2.conf\"\ntoken = \"" TOKEN "\"\n"
                      "serial = \"%s\"\nkey_id = \"%s\"\npublic_key = \"key.spki\"\n"
                      "attributes = \"%s\"\ncredential = \"t.pin\"\njournal = \"%s\"\n%s\n",
                      module, world.serial, id, attributes,
                      world.second_journal ? "second" : "journal", purpose);
    assert_ok(file_write(world.policy, span_str(text), 0600, &e), &e);
}

void
world_write_pin(struct span pin)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/t.pin", world.dir);

    assert_ok(file_write(path, pin, 0600, &e), &e);
}

int
world_make(void **state)
{
    CLEANUP(mem_cleanup) char *log = NULL;
    struct err e = {0};

    (void)state;
    world.dir = tmpdir_new();
    log = mem_printf("%s/log.spki", world.dir);
    softhsm_use(world.dir);
    make_token();
    world.dummy = world.algorithm == KEY_RSA3072 ? EVP_RSA_gen(3072)
                  : world.algorithm == KEY_P384  ? EVP_EC_gen("P-384")
                                                 : EVP_EC_gen("P-256");
    scene_log_begin(&world.ledger, SCENE_LOG_ORIGIN);
    assert_ok(
        file_write(log, span_of(world.ledger.pinned.spki, world.ledger.pinned.spki_n), 0600, &e),
        &e);
    world.policy = mem_printf("%s/signer.conf", world.dir);
    world.journal = mem_printf("%s/journal", world.dir);
    make_issuer();
    return 0;
}

int
world_free(void **state)
{
    (void)state;
    X509_free(world.issuer);
    EVP_PKEY_free(world.dummy);
    scene_log_end(&world.ledger);
    buf_free(&world.spki);
    mem_free(world.policy);
    mem_free(world.journal);
    tmpdir_remove(world.dir);
    return 0;
}

int
world_setup(void **state)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *spki = mem_printf("%s/key.spki", world.dir);

    (void)state;
    (void)unsetenv("FAULTP11");
    (void)unlink(world.journal);
    memcpy(world.id, world.first_id, sizeof(world.id));
    assert_ok(file_write(spki, buf_span(&world.spki), 0600, &e), &e);
    world_write_pin(USER_PIN);
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", world.dir, 1), 0);
    world.second_journal = false;
    world_write_policy(FAULTY, "issuing-signing-v1", AUTHORITY);
    return 0;
}

int
world_teardown(void **state)
{
    (void)state;
    return unsetenv("FAULTP11");
}

struct signer *
world_start(struct tasks *finished, int timeout_ms, struct err *e)
{
    const struct signer_options options = {.program = TEST_BINARY_DIR "/nfpki-signer",
                                           .policy = world.policy,
                                           .pin_fd = -1,
                                           .timeout_ms = timeout_ms,
                                           .finished = finished};

    return signer_start(&options, e);
}

struct signer *
world_start_well(void)
{
    struct err e = {0};
    struct signer *s = world_start(NULL, 0, &e);

    if (s == NULL) {
        fail_msg("%s: %s", err_code_name(e.code), e.text);
    }
    return s;
}

void
world_verify(struct span tbs, const struct buf *signature)
{
    struct err e = {0};
    enum key_algorithm algorithm;
    EVP_PKEY *key = key_public_parse(buf_span(&world.spki), &algorithm, &e);

    assert_ok(key_public_verify(key, algorithm, tbs, buf_span(signature), &e), &e);
    EVP_PKEY_free(key);
}

void
world_make_secret(char id[2 * KEY_ID_SIZE + 1])
{
    struct err e = {0};
    uint8_t octets[KEY_ID_SIZE];
    struct module *m = module_open(SOFTHSM_MODULE, NULL, &e);
    struct session *s;

    assert_non_null(m);
    s = session_open(m, TOKEN, world.serial, SESSION_READ_WRITE, &e);
    assert_non_null(s);
    assert_ok(session_login(s, USER_PIN, &e), &e);
    assert_ok(secret_generate(s, "seal", octets, &e), &e);
    hex_format(span_of(octets, sizeof(octets)), id);
    session_close(s);
    module_close(m);
}
