/* SPDX-License-Identifier: Apache-2.0 */
/* The real nfpki-signer with a real token, through its client. */
#include "tests/support/test.h"

#include "pkcs11/client/client.h"

#include <openssl/ec.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "pkcs11/client/hello.h"
#include "pkcs11/key.h"
#include "pkcs11/secret.h"
#include "tests/support/kill.h"
#include "tests/support/softhsm.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/pkcs11/signer/scene_log.h"

#define SO_PIN SPAN_LITERAL("so-pin-0123456789")
#define USER_PIN SPAN_LITERAL("user-pin-0123456789")
#define FAULTY TEST_BINARY_DIR "/faultp11.so"
#define TOKEN "Schl\xc3\xbcssel"
#define ROOT_A "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

enum { ISSUER_DAYS = 3650, DAY = 86400 };

static struct {
    char *dir;
    char serial[TOKEN_SERIAL_SIZE];
    uint8_t id[KEY_ID_SIZE]; /* in the policy */
    uint8_t first_id[KEY_ID_SIZE];
    struct buf spki;
    EVP_PKEY *dummy; /* signs in the place of the token to make a TBS */
    X509 *issuer;
    char *policy;
    char *journal;
    struct scene_log ledger;
} world;

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
    assert_ok(key_generate(s, key_policy_find("issuing-signing-v1", &e), KEY_P256, "issuing",
                           world.first_id, &world.spki, &e),
              &e);
    memcpy(world.serial, t.serial, sizeof(t.serial));
    session_close(s);
    module_close(m);
}

static void
add_extension(X509 *x, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&ctx, world.issuer, x, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(x, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static void
set_name(X509_NAME *name, const char *o)
{
    assert_int_equal(
        X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)o, -1, -1, 0),
        1);
}

/* Of the next certificate. */
static uint8_t last_octet;

static void
set_serial(X509 *x, size_t n, uint8_t first)
{
    uint8_t octets[20] = {first, 1, 2, 3, [4] = last_octet++};

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
    set_serial(world.issuer, 16, 0x41);
    set_name(X509_get_subject_name(world.issuer), "Issuing CA");
    set_name(X509_get_issuer_name(world.issuer), "Root CA");
    (void)X509_gmtime_adj(X509_getm_notBefore(world.issuer), -DAY);
    (void)X509_gmtime_adj(X509_getm_notAfter(world.issuer), (long)ISSUER_DAYS * DAY);
    assert_int_equal(X509_set_pubkey(world.issuer, key), 1);
    add_extension(world.issuer, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    add_extension(world.issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(world.issuer, NID_subject_key_identifier, "hash");
    assert_true(X509_sign(world.issuer, world.dummy, EVP_sha256()) > 0);
    assert_ok(OSSL_ENCODE(X509, world.issuer, &der, &e), &e);
    assert_ok(file_write(path, buf_span(&der), 0600, &e), &e);
    EVP_PKEY_free(key);
}

/* Writes the policy with this module and purpose section. */
static void
write_policy(const char *module, const char *attributes, const char *purpose)
{
    struct err e = {0};
    char id[2 * KEY_ID_SIZE + 1];
    CLEANUP(mem_cleanup) char *text = NULL;

    hex_format(span_of(world.id, sizeof(world.id)), id);
    text = mem_printf("module = \"%s\"\nmodule_config = \"softhsm2.conf\"\ntoken = \"" TOKEN "\"\n"
                      "serial = \"%s\"\nkey_id = \"%s\"\npublic_key = \"key.spki\"\n"
                      "attributes = \"%s\"\ncredential = \"t.pin\"\njournal = \"journal\"\n%s\n",
                      module, world.serial, id, attributes, purpose);
    assert_ok(file_write(world.policy, span_str(text), 0600, &e), &e);
}

#define LEDGER "ledger {\n origin = \"" SCENE_LOG_ORIGIN "\"\n public_key = \"log.spki\"\n}"
#define AUTHORITY                                                                                  \
    "certificate_authority {\n issuer = \"issuing.der\"\n max_validity = 100\n}\n" LEDGER
#define LOG "log {\n origin = \"log.example\"\n}"
#define CMP "cmp {\n sender = \"issuing.der\"\n bodies = {\"ip\", \"nested\"}\n}"

static void
write_pin(struct span pin)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/t.pin", world.dir);

    assert_ok(file_write(path, pin, 0600, &e), &e);
}

/* One token, with the one key, for all tests. */
static int
make_world(void **state)
{
    CLEANUP(mem_cleanup) char *log = NULL;
    struct err e = {0};

    (void)state;
    world.dir = tmpdir_new();
    log = mem_printf("%s/log.spki", world.dir);
    softhsm_use(world.dir);
    make_token();
    world.dummy = EVP_EC_gen("P-256");
    scene_log_begin(&world.ledger, SCENE_LOG_ORIGIN);
    assert_ok(
        file_write(log, span_of(world.ledger.pinned.spki, world.ledger.pinned.spki_n), 0600, &e),
        &e);
    world.policy = mem_printf("%s/signer.conf", world.dir);
    world.journal = mem_printf("%s/journal", world.dir);
    make_issuer();
    return 0;
}

static int
free_world(void **state)
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

/* Everything beside the token is as it was in the beginning. */
static int
setup(void **state)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *spki = mem_printf("%s/key.spki", world.dir);

    (void)state;
    (void)unsetenv("FAULTP11");
    (void)unlink(world.journal);
    memcpy(world.id, world.first_id, sizeof(world.id));
    assert_ok(file_write(spki, buf_span(&world.spki), 0600, &e), &e);
    write_pin(USER_PIN);
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", world.dir, 1), 0);
    write_policy(FAULTY, "issuing-signing-v1", AUTHORITY);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    return unsetenv("FAULTP11");
}

static struct signer *
start(struct tasks *finished, int timeout_ms, struct err *e)
{
    const struct signer_options options = {.program = TEST_BINARY_DIR "/nfpki-signer",
                                           .policy = world.policy,
                                           .pin_fd = -1,
                                           .timeout_ms = timeout_ms,
                                           .finished = finished};

    return signer_start(&options, e);
}

static struct signer *
start_well(void)
{
    struct err e = {0};
    struct signer *s = start(NULL, 0, &e);

    if (s == NULL) {
        fail_msg("%s: %s", err_code_name(e.code), e.text);
    }
    return s;
}

static void
verify(struct span tbs, const struct buf *signature)
{
    struct err e = {0};
    enum key_algorithm algorithm;
    EVP_PKEY *key = key_public_parse(buf_span(&world.spki), &algorithm, &e);

    assert_ok(key_public_verify(key, algorithm, tbs, buf_span(signature), &e), &e);
    EVP_PKEY_free(key);
}

/* What a certificate of the table departs in. */
enum departure {
    NOTHING,
    CA_TRUE,
    WRONG_ISSUER,
    SELF_ISSUED,
    TOO_LONG,
    BEYOND_ISSUER,
    SERIAL_SHORT,
    SERIAL_FORM,
    SERIAL_NEGATIVE,
    CERT_SIGN,
    NO_KEY_USAGE,
    NO_AKI,
    UNKNOWN_CRITICAL,
    WRONG_ALGORITHM,
    OWN_KEY,
    VERSION_1,
    TWICE,
    NO_PURPOSE,
    ANY_PURPOSE,
    OCSP_PURPOSE,
    POLICY_FOREIGN,
    POLICY_QUALIFIED,
    ENCIPHERMENT,
    WILDCARD,
    NO_POINT,
    NO_REV_AVAIL,
    NO_REV_AVAIL_AND_POINT,
    NO_REV_AVAIL_AND_OCSP,
    NO_REV_AVAIL_CRITICAL,
    NO_REV_AVAIL_VALUE,
};

/* Purposes, and where revocation is told. */
static void
make_purpose(X509 *x, enum departure d)
{
    const bool none = d == NO_REV_AVAIL || d == NO_REV_AVAIL_AND_OCSP ||
                      d == NO_REV_AVAIL_CRITICAL || d == NO_REV_AVAIL_VALUE;

    if (d != NO_PURPOSE) {
        add_extension(x, NID_ext_key_usage,
                      d == ANY_PURPOSE    ? "serverAuth,anyExtendedKeyUsage"
                      : d == OCSP_PURPOSE ? "serverAuth,OCSPSigning"
                                          : "serverAuth");
    }
    if (d == POLICY_FOREIGN || d == POLICY_QUALIFIED) {
        /* anyPolicy; and one with a cPSuri */
        add_extension(x, NID_certificate_policies,
                      d == POLICY_FOREIGN
                          ? "DER:30:08:30:06:06:04:55:1d:20:00"
                          : "DER:30:20:30:1e:06:08:2b:06:01:04:01:86:8d:1f:30:12:30:10:06:08:2b:06:"
                            "01:05:05:07:02:01:16:04:68:3a:2f:2f");
    }
    if (d != NO_POINT && !none) {
        add_extension(x, NID_crl_distribution_points, "URI:http://pki.example/crl/issuing.crl");
    }
    if (none || d == NO_REV_AVAIL_AND_POINT) {
        int nid = OBJ_txt2nid("2.5.29.56");

        nid = nid != NID_undef ? nid : OBJ_create("2.5.29.56", "noRevAvail", "noRevAvail");
        add_extension(x, nid,
                      d == NO_REV_AVAIL_CRITICAL ? "critical,DER:05:00"
                      : d == NO_REV_AVAIL_VALUE  ? "DER:04:00"
                                                 : "DER:05:00");
    }
    if (d == NO_REV_AVAIL_AND_OCSP) {
        add_extension(x, NID_info_access, "OCSP;URI:http://ocsp.example/");
    }
}

static void
make_extensions(X509 *x, enum departure d)
{
    if (d == VERSION_1) {
        return;
    }
    if (d != NO_KEY_USAGE) {
        add_extension(x, NID_key_usage,
                      d == CERT_SIGN      ? "critical,digitalSignature,keyCertSign"
                      : d == ENCIPHERMENT ? "critical,keyEncipherment"
                                          : "critical,digitalSignature");
    }
    if (d != NO_AKI) {
        add_extension(x, NID_authority_key_identifier, "keyid:always");
    }
    if (d == CA_TRUE) {
        add_extension(x, NID_basic_constraints, "critical,CA:TRUE");
    }
    if (d == UNKNOWN_CRITICAL) {
        add_extension(x, NID_name_constraints, "critical,permitted;DNS:example");
    }
    make_purpose(x, d);
    add_extension(x, NID_subject_alt_name,
                  d == WILDCARD ? "critical,DNS:*.sepp.example" : "critical,DNS:amf.example");
    if (d == TWICE) {
        add_extension(x, NID_subject_alt_name, "DNS:smf.example");
    }
}

static void
make_certificate(enum departure d, struct buf *tbs)
{
    CLEANUP(x509_cleanup) X509 *x = X509_new();
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *subject = EVP_EC_gen("P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *p384 = EVP_EC_gen("P-384");
    struct err e = {0};
    unsigned char *der = NULL;
    long days = d == TOO_LONG ? 101 : 100;
    int n;

    (void)X509_set_version(x, d == VERSION_1 ? X509_VERSION_1 : X509_VERSION_3);
    set_serial(x, d == SERIAL_SHORT ? 15 : 16, d == SERIAL_FORM ? 0x3f : 0x7f);
    if (d == SERIAL_NEGATIVE) {
        X509_get_serialNumber(x)->type = V_ASN1_NEG_INTEGER;
    }
    set_name(X509_get_issuer_name(x), d == WRONG_ISSUER ? "Other CA" : "Issuing CA");
    set_name(X509_get_subject_name(x), d == SELF_ISSUED ? "Issuing CA" : "5gc.example");
    (void)X509_gmtime_adj(X509_getm_notBefore(x),
                          d == BEYOND_ISSUER ? (ISSUER_DAYS - 99L) * DAY : 0);
    (void)X509_gmtime_adj(X509_getm_notAfter(x),
                          (d == BEYOND_ISSUER ? ISSUER_DAYS + 1L : days) * DAY);
    (void)X509_set_pubkey(x, d == OWN_KEY ? X509_get0_pubkey(world.issuer) : subject);
    make_extensions(x, d);
    if (d == WRONG_ALGORITHM) {
        assert_true(X509_sign(x, p384, EVP_sha384()) > 0);
    } else {
        assert_true(X509_sign(x, world.dummy, EVP_sha256()) > 0);
    }
    n = i2d_re_X509_tbs(x, &der);
    assert_true(n > 0);
    assert_ok(buf_set(tbs, span_of(der, (size_t)n), &e), &e);
    OPENSSL_free(der);
}

/* Announces it in the ledger before. */
static int
sign_certificate(struct signer *s, struct span tbs, struct buf *signature, struct err *e)
{
    CLEANUP(buf_free) struct buf evidence = BUF_INIT(EVIDENCE_MAX);

    scene_log_announce(&world.ledger, tbs, &evidence);
    return signer_sign_logged(s, SIGNER_CERTIFICATE, tbs, buf_span(&evidence), signature, e);
}

static void
a_certificate_on_policy_is_signed(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = start_well();

    (void)state;
    assert_true(signer_is_software(s));
    assert_true(signer_pid(s) > 0);
    assert_int_equal(signer_algorithm(s), KEY_P256);
    assert_true(span_equal(signer_spki(s), buf_span(&world.spki)));
    assert_int_equal(signer_attempts(s), 0);
    make_certificate(NOTHING, &tbs);
    assert_ok(sign_certificate(s, buf_span(&tbs), &signature, &e), &e);
    verify(buf_span(&tbs), &signature);
    assert_int_equal(signer_attempts(s), 1);
}

/* The signer's own table is signer/logged.c; this is that it is asked. */
static void
a_certificate_that_the_ledger_does_not_have_is_refused_and_not_journaled(void **state)
{
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf other = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(buf_free) struct buf evidence = BUF_INIT(EVIDENCE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = start_well();
    struct err e = {0};

    (void)state;
    make_certificate(NOTHING, &tbs);
    make_certificate(NOTHING, &other);
    assert_err(signer_sign(s, SIGNER_CERTIFICATE, buf_span(&tbs), &signature, &e), ERR_INPUT, &e);
    scene_log_announce(&world.ledger, buf_span(&other), &evidence);
    assert_err(signer_sign_logged(s, SIGNER_CERTIFICATE, buf_span(&tbs), buf_span(&evidence),
                                  &signature, &e),
               ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "leaf: its tbs is not"));
    assert_int_equal(signature.n, 0);
    signer_free(TAKE(s));
    s = start_well();
    assert_int_equal(signer_attempts(s), 0);
}

/* The parent's log and the ledger call it one, whatever stands between. */
static void
a_signer_behind_p11_kit_is_in_a_software_token(void **state)
{
    CLEANUP(signer_cleanup) struct signer *s = NULL;

    (void)state;
    write_policy(PROXY, "issuing-signing-v1", AUTHORITY);
    s = start_well();
    assert_true(signer_is_software(s));
}

static void
a_certificate_off_policy_is_refused_and_not_journaled(void **state)
{
    static const struct {
        enum departure departure;
        const char *reason;
    } rows[] = {
        {CA_TRUE, "CA:TRUE"},
        {WRONG_ISSUER, "issuer"},
        {SELF_ISSUED, "self-issued"},
        {TOO_LONG, "policy allows"},
        {BEYOND_ISSUER, "within the issuing"},
        {SERIAL_SHORT, "serial"},
        {SERIAL_FORM, "serial"},
        {SERIAL_NEGATIVE, "serial"},
        {CERT_SIGN, "keyCertSign"},
        {NO_KEY_USAGE, "keyUsage"},
        {NO_AKI, "authorityKeyIdentifier"},
        {UNKNOWN_CRITICAL, "critical extension"},
        {WRONG_ALGORITHM, "signature algorithm"},
        {OWN_KEY, "own key"},
        {VERSION_1, "version 3"},
        {TWICE, "twice"},
        {NO_PURPOSE, "no purpose"},
        {ANY_PURPOSE, "anyExtendedKeyUsage"},
        {OCSP_PURPOSE, "OCSPSigning"},
        {POLICY_FOREIGN, "certificatePolicies"},
        {POLICY_QUALIFIED, "certificatePolicies"},
        {ENCIPHERMENT, "keyUsage has a bit"},
        {WILDCARD, "wildcard"},
        {NO_POINT, "no cRLDistributionPoints"},
        {NO_REV_AVAIL, "no_rev_avail"},
    };
    CLEANUP(signer_cleanup) struct signer *s = start_well();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};
        CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
        CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);

        make_certificate(rows[i].departure, &tbs);
        assert_err(sign_certificate(s, buf_span(&tbs), &signature, &e), ERR_DENIED, &e);
        if (strstr(e.text, rows[i].reason) == NULL) {
            fail_msg("%s: %s", rows[i].reason, e.text);
        }
        assert_int_equal(signature.n, 0);
    }
    signer_free(TAKE(s));
    s = start_well();
    assert_int_equal(signer_attempts(s), 0);
}

static void
a_policy_can_allow_more_and_no_nonsense(void **state)
{
    static const struct {
        enum departure departure;
        bool signed_;
    } rows[] = {
        {ENCIPHERMENT, true},
        {WILDCARD, true},
        {NO_REV_AVAIL, true},
        {NO_POINT, false},
        {NO_REV_AVAIL_AND_POINT, false},
        {NO_REV_AVAIL_AND_OCSP, false},
        {NO_REV_AVAIL_CRITICAL, false},
        {NO_REV_AVAIL_VALUE, false},
        {ANY_PURPOSE, false},
        {CERT_SIGN, false},
    };
    CLEANUP(signer_cleanup) struct signer *s = NULL;

    (void)state;
    write_policy(FAULTY, "issuing-signing-v1",
                 "certificate_authority {\n issuer = \"issuing.der\"\n max_validity = 100\n"
                 "key_usage = {digitalSignature, keyEncipherment}\n wildcard = true\n"
                 "no_rev_avail = true\n}\n" LEDGER);
    s = start_well();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};
        CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
        CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);

        make_certificate(rows[i].departure, &tbs);
        if (rows[i].signed_) {
            assert_ok(sign_certificate(s, buf_span(&tbs), &signature, &e), &e);
        } else {
            assert_err(sign_certificate(s, buf_span(&tbs), &signature, &e), ERR_DENIED, &e);
        }
    }
}

static void
garbage_is_refused_and_the_signer_lives_on(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = start_well();
    pid_t pid = signer_pid(s);

    (void)state;
    make_certificate(NOTHING, &tbs);
    assert_err(sign_certificate(s, SPAN_LITERAL("garbage"), &signature, &e), ERR_INPUT, &e);
    assert_err(sign_certificate(s, span_of(tbs.p, tbs.n - 1), &signature, &e), ERR_INPUT, &e);
    assert_err(signer_sign(s, SIGNER_CRL, buf_span(&tbs), &signature, &e), ERR_INPUT, &e);
    assert_err(signer_sign(s, (enum signer_object)'X', buf_span(&tbs), &signature, &e), ERR_INPUT,
               &e);
    assert_err(sign_certificate(s, span_of(NULL, 0), &signature, &e), ERR_INPUT, &e);
    /* A digest instead of an object, and objects of other purposes. */
    assert_err(sign_certificate(s, span_of(world.id, 16), &signature, &e), ERR_INPUT, &e);
    assert_err(signer_sign(s, SIGNER_CHECKPOINT, SPAN_LITERAL("log.example\n1\n" ROOT_A "\n"),
                           &signature, &e),
               ERR_DENIED, &e);
    assert_err(signer_sign(s, SIGNER_CMP, buf_span(&tbs), &signature, &e), ERR_DENIED, &e);
    assert_ok(buf_append_str(&tbs, "x", &e), &e);
    assert_err(sign_certificate(s, buf_span(&tbs), &signature, &e), ERR_INPUT, &e);
    assert_int_equal(signer_pid(s), pid);
}

static void
an_encoding_that_hides_something_is_refused(void **state)
{
    static const uint8_t critical[] = {0x06, 0x03, 0x55, 0x1d, 0x11, 0x01, 0x01, 0xff};
    struct err e = {0};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = start_well();
    uint8_t *at;

    (void)state;
    make_certificate(NOTHING, &tbs);
    at = memmem(tbs.p, tbs.n, critical, sizeof(critical));
    assert_non_null(at);
    at[7] = 0x01; /* TRUE, but not its DER */
    assert_err(sign_certificate(s, buf_span(&tbs), &signature, &e), ERR_INPUT, &e);
    at[7] = 0x00; /* the default, spelled out: not DER (X.690 11.5) */
    assert_err(sign_certificate(s, buf_span(&tbs), &signature, &e), ERR_INPUT, &e);
}

static void
make_crl(const char *issuer, long days, bool number, bool critical, long revoked, struct buf *tbs)
{
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = X509_CRL_new();
    CLEANUP(x509_name_cleanup) X509_NAME *name = X509_NAME_new();
    CLEANUP(asn1_integer_cleanup) ASN1_INTEGER *one = ASN1_INTEGER_new();
    ASN1_TIME *t = ASN1_TIME_new();
    X509V3_CTX ctx;
    X509_EXTENSION *aki;
    time_t now = clock_now();
    struct err e = {0};
    unsigned char *der = NULL;
    int n;

    (void)X509_CRL_set_version(crl, X509_CRL_VERSION_2);
    set_name(name, issuer);
    (void)X509_CRL_set_issuer_name(crl, name);
    (void)X509_CRL_set1_lastUpdate(crl, X509_time_adj_ex(t, 0, 0, &now));
    (void)X509_CRL_set1_nextUpdate(crl, X509_time_adj_ex(t, (int)days, 0, &now));
    ASN1_TIME_free(t);
    (void)ASN1_INTEGER_set(one, 1);
    X509V3_set_ctx(&ctx, world.issuer, NULL, NULL, crl, 0);
    aki = X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier, "keyid:always");
    assert_int_equal(X509_CRL_add_ext(crl, aki, -1), 1);
    X509_EXTENSION_free(aki);
    if (number) {
        assert_int_equal(X509_CRL_add1_ext_i2d(crl, NID_crl_number, one, 0, 0), 1);
    }
    if (critical) {
        assert_int_equal(X509_CRL_add1_ext_i2d(crl, NID_delta_crl, one, 1, 0), 1);
    }
    {
        X509_REVOKED *entry = X509_REVOKED_new();
        ASN1_TIME *date = X509_time_adj_ex(NULL, 0, revoked, &now);

        assert_int_equal(X509_REVOKED_set_serialNumber(entry, one), 1);
        assert_int_equal(X509_REVOKED_set_revocationDate(entry, date), 1);
        assert_int_equal(X509_CRL_add0_revoked(crl, entry), 1);
        ASN1_TIME_free(date);
    }
    assert_true(X509_CRL_sign(crl, world.dummy, EVP_sha256()) > 0);
    n = i2d_re_X509_CRL_tbs(crl, &der);
    assert_true(n > 0);
    assert_ok(buf_set(tbs, span_of(der, (size_t)n), &e), &e);
    OPENSSL_free(der);
}

static int
sign_crl(struct signer *s, struct span tbs, struct buf *signature, struct err *e)
{
    CLEANUP(buf_free) struct buf evidence = BUF_INIT(EVIDENCE_MAX);

    scene_log_announce_crl(&world.ledger, tbs, &evidence);
    return signer_sign_logged(s, SIGNER_CRL, tbs, buf_span(&evidence), signature, e);
}

static void
a_crl_on_policy_is_signed_and_others_refused(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = start_well();

    (void)state;
    make_crl("Issuing CA", 7, true, false, 0, &tbs);
    assert_ok(sign_crl(s, buf_span(&tbs), &signature, &e), &e);
    verify(buf_span(&tbs), &signature);
    make_crl("Issuing CA", 32, true, false, 0, &tbs);
    assert_err(sign_crl(s, buf_span(&tbs), &signature, &e), ERR_DENIED, &e);
    make_crl("Root CA", 7, true, false, 0, &tbs);
    assert_err(sign_crl(s, buf_span(&tbs), &signature, &e), ERR_DENIED, &e);
    make_crl("Issuing CA", 7, false, false, 0, &tbs);
    assert_err(sign_crl(s, buf_span(&tbs), &signature, &e), ERR_DENIED, &e);
    make_crl("Issuing CA", 7, true, true, 0, &tbs);
    assert_err(sign_crl(s, buf_span(&tbs), &signature, &e), ERR_DENIED, &e);
    make_crl("Issuing CA", 7, true, false, 1, &tbs); /* revoked a second after thisUpdate */
    assert_err(sign_crl(s, buf_span(&tbs), &signature, &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "after thisUpdate"));
    make_crl("Issuing CA", 7, true, false, 0, &tbs); /* nobody has announced it */
    assert_err(signer_sign(s, SIGNER_CRL, buf_span(&tbs), &signature, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "evidence"));
}

/* The signer's own table is signer/again.c; this is that it remembers. */
static void
what_has_a_number_is_not_signed_otherwise_also_after_a_restart(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf first = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf second = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf crl = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf other_crl = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = start_well();

    (void)state;
    make_certificate(NOTHING, &first);
    last_octet--;
    make_certificate(NOTHING, &second); /* for another key */
    make_crl("Issuing CA", 7, true, false, 0, &crl);
    make_crl("Issuing CA", 8, true, false, 0, &other_crl);
    for (int round = 0; round < 2; round++) {
        assert_ok(sign_certificate(s, buf_span(&first), &signature, &e), &e);
        assert_err(sign_certificate(s, buf_span(&second), &signature, &e), ERR_DENIED, &e);
        assert_non_null(strstr(e.text, "again, with other octets"));
        assert_non_null(strstr(e.text, "serial number 7f010203"));
        assert_ok(sign_crl(s, buf_span(&crl), &signature, &e), &e);
        assert_err(sign_crl(s, buf_span(&other_crl), &signature, &e), ERR_DENIED, &e);
        assert_non_null(strstr(e.text, "CRL number 1 again, with other octets"));
        signer_free(TAKE(s));
        s = start_well();
        assert_int_equal(signer_attempts(s), 2 * (round + 1));
    }
}

/* The first `to` leaves, on top of the first `from`. */
static int
sign_log(struct signer *s, const struct scene_log *log, uint64_t from, uint64_t to, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(buf_free) struct buf evidence = BUF_INIT(GROWTH_MAX);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    struct checkpoint c = {.size = to, .root = scene_log_root(log, to)};

    memcpy(c.origin, log->pinned.origin, sizeof(c.origin));
    assert_ok(checkpoint_text(&c, &text, e), e);
    scene_log_growth(log, from, to, &evidence);
    if (signer_sign_logged(s, SIGNER_CHECKPOINT, buf_span(&text), buf_span(&evidence), &signature,
                           e) != 0) {
        return -1;
    }
    verify(buf_span(&text), &signature);
    return 0;
}

/* The signer's own table is signer/checkpoint.c; this is that it remembers. */
static void
a_log_never_rolls_back_or_forks_also_after_a_restart(void **state)
{
    struct err e = {0};
    struct scene_log log;
    struct scene_log other;
    CLEANUP(signer_cleanup) struct signer *s = NULL;

    (void)state;
    scene_log_begin(&log, "log.example");
    for (int i = 0; i < 12; i++) {
        (void)scene_log_add(&log, span_of(&i, sizeof(i)));
    }
    other = log;
    other.hashes[3].octets[0] ^= 1;
    write_policy(FAULTY, "issuing-signing-v1", LOG);
    s = start_well();
    assert_ok(sign_log(s, &log, 0, 0, &e), &e);
    assert_ok(sign_log(s, &log, 0, 10, &e), &e);
    assert_ok(sign_log(s, &log, 10, 10, &e), &e);
    for (int round = 0; round < 2; round++) {
        assert_err(sign_log(s, &log, 9, 9, &e), ERR_DENIED, &e);
        assert_non_null(strstr(e.text, "roll-back"));
        assert_err(sign_log(s, &other, 0, 10, &e), ERR_DENIED, &e);
        assert_non_null(strstr(e.text, "fork"));
        assert_err(sign_log(s, &other, 10, 12, &e), ERR_DENIED, &e);
        assert_non_null(strstr(e.text, "fork"));
        assert_err(sign_log(s, &log, 11, 12, &e), ERR_DENIED, &e);
        assert_non_null(strstr(e.text, "10 was signed last"));
        signer_free(TAKE(s));
        s = start_well();
    }
    assert_ok(sign_log(s, &log, 8, 12, &e), &e);
    scene_log_end(&log);
}

/* Appends tag, length (below 128) and content. */
static void
tlv(struct buf *out, uint8_t tag, struct span content)
{
    struct err e = {0};
    const uint8_t head[2] = {tag, (uint8_t)content.n};

    assert_true(content.n < 128);
    assert_ok(buf_append(out, span_of(head, 2), &e), &e);
    assert_ok(buf_append(out, content, &e), &e);
}

/* SEQUENCE { header { pvno, sender, recipient, [1] protectionAlg }, body [body] } */
static void
make_part(uint8_t body, const char *sender, bool algorithm, struct buf *out)
{
    struct err e = {0};
    CLEANUP(x509_name_cleanup) X509_NAME *name = X509_NAME_new();
    CLEANUP(buf_free) struct buf name_der = BUF_INIT(256);
    CLEANUP(buf_free) struct buf header = BUF_INIT(256);
    CLEANUP(buf_free) struct buf content = BUF_INIT(256);

    set_name(name, sender);
    assert_ok(OSSL_ENCODE(X509_NAME, name, &name_der, &e), &e);
    tlv(&header, 0x02, SPAN_LITERAL("\x02"));
    tlv(&header, 0xa4, buf_span(&name_der));
    tlv(&header, 0xa4, buf_span(&name_der));
    if (algorithm) {
        tlv(&header, 0xa1, key_algorithm_identifier(KEY_P256));
    }
    tlv(&header, 0xa4, SPAN_LITERAL("\x04\x01\x01"));
    tlv(&content, 0x30, buf_span(&header));
    tlv(&content, body, SPAN_LITERAL("\x30\x00"));
    buf_truncate(out, 0);
    tlv(out, 0x30, buf_span(&content));
}

static void
a_cmp_key_signs_answers_of_its_own_name_only(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf part = BUF_INIT(512);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = NULL;

    (void)state;
    write_policy(FAULTY, "issuing-signing-v1", CMP);
    s = start_well();
    make_part(0xa1, "Issuing CA", true, &part); /* ip */
    assert_ok(signer_sign(s, SIGNER_CMP, buf_span(&part), &signature, &e), &e);
    verify(buf_span(&part), &signature);
    make_part(0xb4, "Issuing CA", true, &part); /* nested */
    assert_ok(signer_sign(s, SIGNER_CMP, buf_span(&part), &signature, &e), &e);
    make_part(0xa0, "Issuing CA", true, &part); /* ir: a request */
    assert_err(signer_sign(s, SIGNER_CMP, buf_span(&part), &signature, &e), ERR_DENIED, &e);
    make_part(0xb3, "Issuing CA", true, &part); /* pkiconf: not in this policy */
    assert_err(signer_sign(s, SIGNER_CMP, buf_span(&part), &signature, &e), ERR_DENIED, &e);
    make_part(0xa1, "Somebody", true, &part);
    assert_err(signer_sign(s, SIGNER_CMP, buf_span(&part), &signature, &e), ERR_DENIED, &e);
    make_part(0xa1, "Issuing CA", false, &part);
    assert_err(signer_sign(s, SIGNER_CMP, buf_span(&part), &signature, &e), ERR_DENIED, &e);
    make_part(0x21, "Issuing CA", true, &part);
    assert_err(signer_sign(s, SIGNER_CMP, buf_span(&part), &signature, &e), ERR_INPUT, &e);
    make_certificate(NOTHING, &part);
    assert_err(sign_certificate(s, buf_span(&part), &signature, &e), ERR_DENIED, &e);
}

/* A secret key beside the pair; its identifier in hex. */
static void
make_secret(char id[2 * KEY_ID_SIZE + 1])
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

static void
a_seal_key_is_the_same_at_each_start_and_for_one_text_only(void **state)
{
    struct err e = {0};
    char id[2 * KEY_ID_SIZE + 1];
    CLEANUP(mem_cleanup) char *purpose = NULL;
    CLEANUP(buf_free) struct buf first = BUF_SECRET(SIGNATURE_MAX);
    CLEANUP(buf_free) struct buf again = BUF_SECRET(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = NULL;

    (void)state;
    make_secret(id);
    purpose = mem_printf(CMP "\nseal { key_id = \"%s\" }", id);
    write_policy(SOFTHSM_MODULE, "issuing-signing-v1", purpose);
    s = start_well();
    assert_ok(signer_seal_key(s, &first, &e), &e);
    assert_int_equal(first.n, 32);
    assert_err(signer_sign(s, SIGNER_SEAL, SPAN_LITERAL("another text"), &again, &e), ERR_DENIED,
               &e);
    signer_free(TAKE(s));
    s = start_well();
    assert_ok(signer_seal_key(s, &again, &e), &e);
    assert_true(span_equal(buf_span(&first), buf_span(&again)));
    signer_free(TAKE(s));
    /* a policy without the section, one for another purpose, one for a key that is not there */
    write_policy(SOFTHSM_MODULE, "issuing-signing-v1", CMP);
    s = start_well();
    assert_err(signer_seal_key(s, &again, &e), ERR_DENIED, &e);
    signer_free(TAKE(s));
    write_policy(SOFTHSM_MODULE, "issuing-signing-v1",
                 LOG "\nseal { key_id = \"00112233445566778899aabbccddeeff\" }");
    assert_null(start(NULL, 0, &e));
    assert_int_equal(e.code, ERR_INPUT);
    write_policy(SOFTHSM_MODULE, "issuing-signing-v1",
                 CMP "\nseal { key_id = \"00112233445566778899aabbccddeeff\" }");
    assert_null(start(NULL, 0, &e));
    assert_int_equal(e.code, ERR_NOTFOUND);
}

static size_t
journal_lines(void)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf journal = BUF_INIT(8192);
    size_t n = 0;

    assert_ok(file_read(world.journal, &journal, &e), &e);
    for (size_t i = 0; i < journal.n; i++) {
        n += journal.p[i] == '\n' ? 1 : 0;
    }
    return n;
}

static void
the_journal_has_the_line_before_the_token_signs(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(buf_free) struct buf journal = BUF_INIT(8192);
    CLEANUP(signer_cleanup) struct signer *s = NULL;
    uint8_t hash[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];

    (void)state;
    assert_int_equal(setenv("FAULTP11", "sign-fails", 1), 0);
    s = start_well();
    make_certificate(NOTHING, &tbs);
    assert_err(sign_certificate(s, buf_span(&tbs), &signature, &e), ERR_TOKEN, &e);
    assert_non_null(strstr(e.text, "CKR_DEVICE_ERROR"));
    assert_ok(sha256(buf_span(&tbs), hash, &e), &e);
    hex_format(span_of(hash, sizeof(hash)), hex);
    assert_ok(file_read(world.journal, &journal, &e), &e);
    assert_non_null(memmem(journal.p, journal.n, hex, strlen(hex)));
    /* The token is well again: the next job starts a new process, which counts on. */
    assert_int_equal(unsetenv("FAULTP11"), 0);
    assert_ok(sign_certificate(s, buf_span(&tbs), &signature, &e), &e);
    assert_int_equal(signer_attempts(s), 2);
}

static void
a_killed_or_hanging_signer_is_started_again(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = NULL;
    struct pollfd nothing = {.fd = -1};
    pid_t pid;

    (void)state;
    assert_int_equal(setenv("FAULTP11", "hang", 1), 0);
    s = start(NULL, 1500, &e);
    assert_non_null(s);
    assert_int_equal(unsetenv("FAULTP11"), 0);
    pid = signer_pid(s);
    make_certificate(NOTHING, &tbs);
    assert_err(sign_certificate(s, buf_span(&tbs), &signature, &e), ERR_TOKEN, &e);
    assert_int_equal(kill(pid, 0), -1);
    assert_ok(sign_certificate(s, buf_span(&tbs), &signature, &e), &e);
    assert_int_not_equal(signer_pid(s), pid);
    assert_int_equal(test_kill(signer_pid(s), SIGKILL), 0);
    /* Death may be noticed by the job that meets it; the one after that must succeed. */
    (void)poll(&nothing, 0, 50);
    if (sign_certificate(s, buf_span(&tbs), &signature, &e) != 0) {
        assert_int_equal(e.code, ERR_TOKEN);
        assert_ok(sign_certificate(s, buf_span(&tbs), &signature, &e), &e);
    }
    verify(buf_span(&tbs), &signature);
}

/* The parent is killed while its signer hangs in the token; this process inherits the signer. */
static void
a_hanging_signer_does_not_outlive_its_parent(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    pid_t signer = -1;
    pid_t parent;
    int ends[2];
    int status = 0;

    (void)state;
    make_certificate(NOTHING, &tbs);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(setenv("FAULTP11", "hang", 1), 0);
    parent = fork();
    if (parent == 0) {
        struct signer *s = start(NULL, 0, &e);

        signer = s == NULL ? -1 : signer_pid(s);
        if (write(ends[1], &signer, sizeof(signer)) == (ssize_t)sizeof(signer)) {
            (void)sign_certificate(s, buf_span(&tbs), &signature, &e);
        }
        _exit(1);
    }
    assert_int_equal(read(ends[0], &signer, sizeof(signer)), sizeof(signer));
    assert_true(signer > 0);
    while (journal_lines() < 2) { /* from then on the token hangs */
        (void)poll(NULL, 0, 10);
    }
    assert_int_equal(kill(parent, SIGKILL), 0);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    assert_int_equal(waitpid(signer, &status, 0), signer);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void
a_wrong_signature_of_the_token_does_not_leave(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = NULL;

    (void)state;
    assert_int_equal(setenv("FAULTP11", "bad-sign", 1), 0);
    s = start_well();
    make_certificate(NOTHING, &tbs);
    assert_err(sign_certificate(s, buf_span(&tbs), &signature, &e), ERR_CRYPTO, &e);
    assert_int_equal(signature.n, 0);
}

static void
a_signer_with_another_policy_is_not_accepted(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = start_well();
    struct pollfd nothing = {.fd = -1};

    (void)state;
    make_certificate(NOTHING, &tbs);
    write_policy(FAULTY, "issuing-signing-v1", AUTHORITY "\n# changed");
    assert_int_equal(test_kill(signer_pid(s), SIGKILL), 0);
    (void)poll(&nothing, 0, 50);
    for (int i = 0; i < 3; i++) {
        assert_err(sign_certificate(s, buf_span(&tbs), &signature, &e), ERR_TOKEN, &e);
    }
    assert_non_null(strstr(e.text, "another key or policy"));
}

static void
a_refused_pin_is_not_tried_again(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = start_well();
    struct pollfd nothing = {.fd = -1};

    (void)state;
    make_certificate(NOTHING, &tbs);
    write_pin(SPAN_LITERAL("wrong-pin"));
    assert_int_equal(test_kill(signer_pid(s), SIGKILL), 0);
    while (e.code != ERR_PIN) {
        assert_int_equal(sign_certificate(s, buf_span(&tbs), &signature, &e), -1);
    }
    write_pin(USER_PIN);
    (void)poll(&nothing, 0, 300); /* longer than the first pause */
    assert_err(sign_certificate(s, buf_span(&tbs), &signature, &e), ERR_PIN, &e);
}

static void
a_start_that_cannot_be_says_why(void **state)
{
    struct err e = {0};

    (void)state;
    write_pin(SPAN_LITERAL("wrong-pin"));
    assert_null(start(NULL, 0, &e));
    assert_int_equal(e.code, ERR_PIN);
    write_pin(USER_PIN);
    write_policy(FAULTY, "root-signing-v1", AUTHORITY);
    assert_null(start(NULL, 0, &e));
    assert_int_equal(e.code, ERR_DENIED);
    write_policy(FAULTY, "issuing-signing-v1", "self_test {}");
    assert_null(start(NULL, 0, &e));
    assert_int_equal(e.code, ERR_DENIED);
    write_policy(FAULTY, "issuing-signing-v1", AUTHORITY "\n" LOG);
    assert_null(start(NULL, 0, &e));
    assert_int_equal(e.code, ERR_INPUT);
    write_policy(FAULTY, "issuing-signing-v1",
                 "cmp {\n sender = \"issuing.der\"\n bodies = {\"ir\"}\n}");
    assert_null(start(NULL, 0, &e));
    assert_int_equal(e.code, ERR_INPUT);
    write_policy(FAULTY, "issuing-signing-v1", AUTHORITY);
    assert_int_equal(setenv("FAULTP11", "final-try no-login", 1), 0);
    assert_null(start(NULL, 0, &e));
    assert_int_equal(e.code, ERR_PIN);
    assert_int_equal(unsetenv("FAULTP11"), 0);
    assert_ok(file_write(world.journal, SPAN_LITERAL("damaged line\n"), 0600, &e), &e);
    assert_null(start(NULL, 0, &e));
    assert_int_equal(e.code, ERR_STORE);
}

static void
the_pin_may_come_through_a_descriptor(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(fd_cleanup) int fd = memfd_create("pin", MFD_CLOEXEC);
    const struct signer_options options = {
        .program = TEST_BINARY_DIR "/nfpki-signer", .policy = world.policy, .pin_fd = fd};
    CLEANUP(signer_cleanup) struct signer *s = NULL;
    struct pollfd nothing = {.fd = -1};

    (void)state;
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    assert_true(write(fd, USER_PIN.p, USER_PIN.n) > 0);
    s = signer_start(&options, &e);
    assert_non_null(s);
    assert_int_equal(test_kill(signer_pid(s), SIGKILL), 0);
    (void)poll(&nothing, 0, 50);
    make_certificate(NOTHING, &tbs);
    if (sign_certificate(s, buf_span(&tbs), &signature, &e) != 0) {
        assert_ok(sign_certificate(s, buf_span(&tbs), &signature, &e), &e);
    }
}

static void
a_fresh_process_proves_a_new_key(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf root = BUF_INIT(SPKI_MAX);
    CLEANUP(mem_cleanup) char *spki = mem_printf("%s/key.spki", world.dir);
    struct module *m;
    struct session *session;
    bool signed_text = false;

    (void)state;
    write_policy(SOFTHSM_MODULE, "issuing-signing-v1", "self_test {}");
    assert_ok(signer_self_test(TEST_BINARY_DIR "/nfpki-signer", world.policy, -1, 0,
                               buf_span(&world.spki), &signed_text, &e),
              &e);
    assert_true(signed_text);
    assert_err(signer_self_test(TEST_BINARY_DIR "/nfpki-signer", world.policy, -1, 0,
                                span_of(world.spki.p, world.spki.n - 1), &signed_text, &e),
               ERR_DENIED, &e);
    /* a token that does not sign says so, too */
    write_policy(FAULTY, "issuing-signing-v1", "self_test {}");
    assert_int_equal(setenv("FAULTP11", "sign-fails", 1), 0);
    assert_err(signer_self_test(TEST_BINARY_DIR "/nfpki-signer", world.policy, -1, 0,
                                buf_span(&world.spki), &signed_text, &e),
               ERR_TOKEN, &e);
    assert_non_null(strstr(e.text, "CKR_DEVICE_ERROR"));
    assert_int_equal(unsetenv("FAULTP11"), 0);
    m = module_open(SOFTHSM_MODULE, NULL, &e);
    session = session_open(m, TOKEN, world.serial, SESSION_READ_WRITE, &e);
    assert_ok(session_login(session, USER_PIN, &e), &e);
    assert_ok(key_generate(session, key_policy_find("root-signing-v1", &e), KEY_P384, "root",
                           world.id, &root, &e),
              &e);
    session_close(session);
    module_close(m);
    assert_ok(file_write(spki, buf_span(&root), 0600, &e), &e);
    write_policy(SOFTHSM_MODULE, "root-signing-v1", "self_test {}");
    assert_ok(signer_self_test(TEST_BINARY_DIR "/nfpki-signer", world.policy, -1, 0,
                               buf_span(&root), &signed_text, &e),
              &e);
    assert_false(signed_text);
}

/* Every frame but SIGN, and what is no frame: the parent is broken. */
static void
a_frame_that_is_no_job_ends_the_signer(void **state)
{
    static const struct {
        uint8_t octets[SIGNER_FRAME_HEAD];
        size_t n;
        const char *reason;
    } rows[] = {
        {{1}, SIGNER_FRAME_HEAD, "a frame of type 1 from the parent"},
        {{2}, SIGNER_FRAME_HEAD, "a frame of type 2 from the parent"},
        {{4}, SIGNER_FRAME_HEAD, "a frame of type 4 from the parent"},
        {{5}, SIGNER_FRAME_HEAD, "a frame of type 5 from the parent"},
        {{6}, SIGNER_FRAME_HEAD, "a frame of type 6 from the parent"},
        {{7}, SIGNER_FRAME_HEAD, "a frame of unknown type 7"},
        {{3}, SIGNER_FRAME_HEAD - 1, "a frame of 9 octets, 10 are the least"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf in = BUF_INIT(SIGNER_ANSWER_MAX);
        struct signer_hello hello = {.spki = BUF_INIT(SPKI_MAX)};
        struct child child = {.pid = -1, .fd = -1};
        struct signer_frame frame = {0};
        struct err e = {0};

        assert_ok(signer_greet(TEST_BINARY_DIR "/nfpki-signer", world.policy, -1, false,
                               SIGNER_TIMEOUT_MS, &child, &in, &hello, &e),
                  &e);
        assert_ok(frame_write(child.fd, span_of(rows[i].octets, rows[i].n), SIGNER_TIMEOUT_MS, &e),
                  &e);
        assert_ok(signer_read_frame(child.fd, SIGNER_TIMEOUT_MS, &in, &frame, &e), &e);
        assert_int_equal(frame.type, SIGNER_FAILED);
        assert_int_equal(frame.detail, ERR_INPUT);
        assert_true(span_equal(frame.bytes, span_str(rows[i].reason)));
        child_stop(&child, SIGNER_TIMEOUT_MS);
        buf_free(&hello.spki);
    }
    assert_int_equal(journal_lines(), 1); /* nothing was signed */
}

static int
run_signer(char *const argv[])
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        if (freopen("/dev/null", "w", stderr) != NULL) {
            (void)execv(argv[0], argv);
        }
        _exit(99);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void
options_that_it_does_not_know_are_misuse(void **state)
{
    char program[] = TEST_BINARY_DIR "/nfpki-signer";
    char policy[] = "--policy";
    char file[] = "/nonexistent";
    char pin_fd[] = "--pin-fd";
    char three[] = "3";
    char thousand[] = "1024";
    char words[] = "4x";
    char other[] = "--sign";
    char *const rows[][6] = {
        {program, NULL},
        {program, policy, NULL},
        {program, policy, file, file, NULL},
        {program, policy, file, other, NULL},
        {program, policy, file, pin_fd, three, NULL},
        {program, policy, file, pin_fd, thousand, NULL},
        {program, policy, file, pin_fd, words, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (run_signer(rows[i]) != 2) {
            fail_msg("row %zu", i);
        }
    }
}

enum { JOBS = 200 };

static int jobs_done;

static void
job_done(struct task *task)
{
    const struct signer_job *job = CONTAINER_OF(task, struct signer_job, task);

    if (job->result != 0) {
        fail_msg("%s", job->e.text);
    }
    verify(job->tbs, &job->signature);
    jobs_done++;
}

static void
many_jobs_come_back_through_the_loop(void **state)
{
    static struct signer_job jobs[JOBS];
    struct err e = {0};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf evidence = BUF_INIT(EVIDENCE_MAX);
    struct tasks *finished = tasks_new(&e);
    struct signer *s = start(finished, 0, &e);

    (void)state;
    assert_non_null(s);
    make_certificate(NOTHING, &tbs);
    scene_log_announce(&world.ledger, buf_span(&tbs), &evidence);
    jobs_done = 0;
    for (size_t i = 0; i < JOBS; i++) {
        jobs[i] = (struct signer_job){.task.done = job_done,
                                      .object = SIGNER_CERTIFICATE,
                                      .tbs = buf_span(&tbs),
                                      .evidence = buf_span(&evidence)};
        signer_submit(s, &jobs[i]);
    }
    while (jobs_done < JOBS) {
        struct pollfd p = {.fd = tasks_fd(finished), .events = POLLIN};

        (void)poll(&p, 1, -1);
        tasks_finish(finished);
    }
    assert_int_equal(signer_attempts(s), JOBS);
    signer_free(s);
    tasks_free(finished);
    for (size_t i = 0; i < JOBS; i++) {
        buf_free(&jobs[i].signature);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_certificate_on_policy_is_signed),
        TEST(a_certificate_that_the_ledger_does_not_have_is_refused_and_not_journaled),
        TEST(a_signer_behind_p11_kit_is_in_a_software_token),
        TEST(a_certificate_off_policy_is_refused_and_not_journaled),
        TEST(a_policy_can_allow_more_and_no_nonsense),
        TEST(garbage_is_refused_and_the_signer_lives_on),
        TEST(an_encoding_that_hides_something_is_refused),
        TEST(a_crl_on_policy_is_signed_and_others_refused),
        TEST(what_has_a_number_is_not_signed_otherwise_also_after_a_restart),
        TEST(a_log_never_rolls_back_or_forks_also_after_a_restart),
        TEST(a_cmp_key_signs_answers_of_its_own_name_only),
        TEST(a_seal_key_is_the_same_at_each_start_and_for_one_text_only),
        TEST(the_journal_has_the_line_before_the_token_signs),
        TEST(a_killed_or_hanging_signer_is_started_again),
        TEST(a_hanging_signer_does_not_outlive_its_parent),
        TEST(a_wrong_signature_of_the_token_does_not_leave),
        TEST(a_signer_with_another_policy_is_not_accepted),
        TEST(a_refused_pin_is_not_tried_again),
        TEST(a_start_that_cannot_be_says_why),
        TEST(the_pin_may_come_through_a_descriptor),
        TEST(a_fresh_process_proves_a_new_key),
        TEST(a_frame_that_is_no_job_ends_the_signer),
        TEST(options_that_it_does_not_know_are_misuse),
        TEST(many_jobs_come_back_through_the_loop),
    };

    return cmocka_run_group_tests(tests, make_world, free_world);
}
