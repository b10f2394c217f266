/* SPDX-License-Identifier: Apache-2.0 */
/* The pinned policy file: what each option may be, and where the file is wrong. */
#include "tests/support/test.h"

#include "pkcs11/signer/policy.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/ossl.h"
#include "pkcs11/signer/der.h"
#include "tests/support/der_text.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/pkcs11/signer/scene.h"

#define EC_KEY(curve, point) "30{30{06{2a8648ce3d0201}06{" curve "}}03{00 " point "}}"
#define P256 "2a8648ce3d030107"
/* The generator of P-256, and twice it (SEC 2 2.4.2); that of P-384 (2.5.1). */
#define POINT                                                                                      \
    "04 6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"                          \
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
#define POINT_2                                                                                    \
    "04 7cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978"                          \
    "07775510db8ed040293d9ac69f7430dbba7dade63ce982299e04b79d227873d1"
#define POINT_384                                                                                  \
    "04 aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a38"                          \
    "5502f25dbf55296c3a545e3872760ab7"                                                             \
    "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c0"                             \
    "0a60b1ce1d7e819d7a431d7c90ea0e5f"
#define KEY EC_KEY(P256, POINT)
#define RSA_KEY "30{30{06{2a864886f70d010101}0500}03{00 30{02{00 c1*384}02{010001}}}}"
#define CA_TRUE SCENE_CRITICAL("551d13", "30{0101ff}")
#define CA_USAGE SCENE_CRITICAL("551d0f", "03{0106}")
#define NAME(octets) "30{31{30{06{55040a}0c{" octets "}}}}"
#define SKI(octets) SCENE_EXTENSION("551d0e", "04{" octets "}")

#define LOG "log {\n origin = \"log.example\"\n}"
#define LEDGER_OF(origin, key) "ledger {\n origin = " origin "\n public_key = \"" key "\"\n}"
#define LEDGER LEDGER_OF("\"log.example\"", "log.spki")
#define BOTH " objects = {certificate, crl}\n "
#define ONLY(objects) "certificate_authority {\n issuer = \"issuer.der\"\n " objects "\n}"
#define ALONE(more) "certificate_authority {\n issuer = \"issuer.der\"" BOTH more "\n}"
#define AUTHORITY(more) ALONE(more) "\n" LEDGER
#define CMP(bodies) "cmp {\n sender = \"issuer.der\"\n bodies = " bodies "\n}"
#define ORIGIN_64 "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-0123456789"
#define ORIGIN_255                                                                                 \
    ORIGIN_64 ORIGIN_64 ORIGIN_64 "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-"         \
                                  "012345678"

/* The lines of a policy; line 10 begins the purpose. */
static const struct {
    const char *option;
    const char *line;
} LINES[] = {
    {"module", "module = \"/m.so\""},
    {"module_config", "module_config = \"m.conf\""},
    {"token", "token = \"t\""},
    {"serial", "serial = \"s\""},
    {"key_id", "key_id = \"000102030405060708090a0b0c0d0e0f\""},
    {"public_key", "public_key = \"key.spki\""},
    {"attributes", "attributes = \"a\""},
    {"credential", "credential = \"t.pin\""},
    {"journal", "journal = \"j\""},
};

struct row {
    const char *name;
    const char *option, *line; /* another line for this option; NULL: as above */
    const char *purpose;       /* NULL: LOG */
    const char *reason;        /* NULL: it is loaded; else ERR_INPUT, but for files */
    enum err_code code;        /* 0: ERR_INPUT */
};

static const struct row KEY_ROWS[] = {
    {.name = "right"},
    {"no module", "module", "", NULL, "/p.conf:12: option 'module' is missing", 0},
    {"an empty module", "module", "module = \"\"", NULL, "/p.conf:1: option 'module' is", 0},
    {"no token", "token", "", NULL, "/p.conf:12: option 'token' is missing", 0},
    {"no serial", "serial", "", NULL, "/p.conf:12: option 'serial' is missing", 0},
    {"no attributes", "attributes", "", NULL, "/p.conf:12: option 'attributes' is missing", 0},
    {"no credential", "credential", "", NULL, "/p.conf:12: option 'credential' is missing", 0},
    {"a credential in a folder", "credential", "credential = \"a/b\"", NULL,
     "/p.conf:8: 'credential' is a name, not a path", 0},
    {"an absolute credential", "credential", "credential = \"/\"", NULL,
     "/p.conf:8: 'credential' is a name, not a path", 0},
    {"no key_id", "key_id", "", NULL, "/p.conf:12: option 'key_id' is missing", 0},
    {"key_id of 31 digits", "key_id", "key_id = \"000102030405060708090a0b0c0d0e0\"", NULL,
     "/p.conf:5: 'key_id' must be 32 hexadecimal digits", 0},
    {"key_id of 33 digits", "key_id", "key_id = \"000102030405060708090a0b0c0d0e0f0\"", NULL,
     "/p.conf:5: 'key_id' must be 32 hexadecimal digits", 0},
    {"key_id of other characters", "key_id", "key_id = \"000102030405060708090a0b0c0d0e0g\"", NULL,
     "/p.conf:5: 'key_id' must be 32 hexadecimal digits", 0},
    {"no module_config", "module_config", "", NULL, NULL, 0},
    {"an empty module_config", "module_config", "module_config = \"\"", NULL,
     "/p.conf:2: option 'module_config' is missing or empty", 0},
    {"no public_key", "public_key", "", NULL, "/p.conf:12: option 'public_key' is missing", 0},
    {"no such public_key", "public_key", "public_key = \"none\"", NULL, "/none", ERR_NOTFOUND},
    {"public_key in PEM", "public_key", "public_key = \"key.pem\"", NULL, NULL, 0},
    {"public_key in bad PEM", "public_key", "public_key = \"bad.pem\"", NULL,
     "/bad.pem: not a public key in PEM", 0},
    {"an empty public_key", "public_key", "public_key = \"empty\"", NULL,
     "/empty: a public key of 0 octets", 0},
    {"octets behind public_key", "public_key", "public_key = \"behind\"", NULL,
     "/behind: the SubjectPublicKeyInfo is not in canonical form", 0},
    {"a public_key that is a certificate", "public_key", "public_key = \"issuer.der\"", NULL,
     "/issuer.der: not a DER SubjectPublicKeyInfo", 0},
    {"a public_key of 8192 octets", "public_key", "public_key = \"largest\"", NULL,
     "/largest: a public key of 8192 octets", 0},
    {"a public_key of 8193 octets", "public_key", "public_key = \"large\"", NULL,
     "/large: more than the allowed 8192 octets", 0},
    {"a public_key of one hyphen", "public_key", "public_key = \"hyphen\"", NULL,
     "/hyphen: not a public key in PEM", 0},
    {"a public_key that begins with a hyphen", "public_key", "public_key = \"hyphen-x\"", NULL,
     "/hyphen-x: not a public key in PEM", 0},
    {"no journal", "journal", "", NULL, "/p.conf:12: option 'journal' is missing", 0},
    {"an empty journal", "journal", "journal = \"\"", NULL, "option 'journal' is missing", 0},
    {"an unknown option", "module_config", "slot = 7", NULL, "/p.conf:2: no such option 'slot'", 0},
    {"an option twice", "module_config", "token = \"t\"", NULL,
     "/p.conf:3: option 'token' stands there twice", 0},
    {"an environment variable", "module_config", "module_config = \"${HOME}\"", NULL,
     "/p.conf:2: `$` is not allowed", 0},
};

static const struct row PURPOSE_ROWS[] = {
    {"no purpose", NULL, NULL, "", "/p.conf:10: exactly one of certificate_authority, log, cmp", 0},
    {"two purposes", NULL, NULL, LOG "\nself_test {}", "/p.conf:13: exactly one of", 0},
    {"authority and log", NULL, NULL, AUTHORITY("") "\n" LOG, "/p.conf:20: exactly one of", 0},
    {"log and CMP", NULL, NULL, LOG "\n" CMP("{}"), "/p.conf:16: exactly one of", 0},
    {"self-test", NULL, NULL, "self_test {}", NULL, 0},
    {"self-test without a journal", "journal", "", "self_test {}", NULL, 0},
    {"an option of a self-test", NULL, NULL, "self_test {\n a = 1\n}", "/p.conf:11: no such option",
     0},

    {"no origin", NULL, NULL, "log {\n}", "/p.conf:11: option 'origin' is missing", 0},
    {"origin of 255 octets", NULL, NULL, "log {\n origin = \"" ORIGIN_255 "\"\n}", NULL, 0},
    {"origin of 256 octets", NULL, NULL, "log {\n origin = \"" ORIGIN_255 "9\"\n}",
     "/p.conf:11: 'origin' must be one word of at most 255 octets without '+'", 0},
    {"origin with a blank", NULL, NULL, "log {\n origin = \"a b\"\n}", "/p.conf:11: 'origin' must",
     0},
    {"origin with a tab", NULL, NULL, "log {\n origin = \"a\\tb\"\n}", "/p.conf:11: 'origin' must",
     0},
    {"origin with a line break", NULL, NULL, "log {\n origin = \"a\\nb\"\n}",
     "/p.conf:11: 'origin' must", 0},
    {"origin with a carriage return", NULL, NULL, "log {\n origin = \"a\\rb\"\n}",
     "/p.conf:11: 'origin' must", 0},
    {"origin with a plus", NULL, NULL, "log {\n origin = \"a+\"\n}", "/p.conf:11: 'origin' must",
     0},

    {"authority", NULL, NULL, AUTHORITY(""), NULL, 0},
    {"no issuer", NULL, NULL, "certificate_authority {\n}",
     "/p.conf:11: option 'issuer' is missing", 0},
    {"no such issuer", NULL, NULL, "certificate_authority {\n issuer = \"none\"\n}", "/none",
     ERR_NOTFOUND},
    {"issuer that is no certificate", NULL, NULL,
     "certificate_authority {\n issuer = \"key.spki\"\n}", "/key.spki: ", 0},
    {"issuer of another key", NULL, NULL, "certificate_authority {\n issuer = \"other.der\"\n}",
     "/other.der is not that of 'public_key'", 0},
    {"issuer of another key, its line", NULL, NULL,
     "certificate_authority {\n issuer = \"other.der\"\n}", "/p.conf:11: the public key of ", 0},
    {"issuer that is no CA", NULL, NULL, "certificate_authority {\n issuer = \"leaf.der\"\n}",
     "/p.conf:11: 'issuer' is not a CA certificate", 0},
    {"issuer without a key identifier", NULL, NULL,
     "certificate_authority {\n issuer = \"no-ski.der\"\n}",
     "/p.conf:11: 'issuer' is not a CA certificate with a subjectKeyIdentifier", 0},
    {"a key identifier of 0 octets", NULL, NULL,
     "certificate_authority {\n issuer = \"ski-0.der\"\n}",
     "/p.conf:11: 'issuer' is not a CA certificate with a subjectKeyIdentifier of 1 to 64 octets",
     0},
    {"a key identifier of 1 octet", NULL, NULL,
     "certificate_authority {\n issuer = \"ski-1.der\"" BOTH "}\n" LEDGER, NULL, 0},
    {"a name of 4096 octets", NULL, NULL, "cmp {\n sender = \"name-4096.der\"\n}", NULL, 0},
    {"a sender's name of 4097 octets", NULL, NULL, "cmp {\n sender = \"name-4097.der\"\n}",
     "more than the allowed 4096 octets", 0},
    {"an issuer's name of 4097 octets", NULL, NULL,
     "certificate_authority {\n issuer = \"name-4097.der\"\n}", "more than the allowed 4096 octets",
     0},
    {"a key identifier of 64 octets", NULL, NULL,
     "certificate_authority {\n issuer = \"ski-64.der\"" BOTH "}\n" LEDGER, NULL, 0},
    {"a key identifier of 65 octets", NULL, NULL,
     "certificate_authority {\n issuer = \"ski-65.der\"\n}",
     "/p.conf:11: 'issuer' is not a CA certificate with a subjectKeyIdentifier of 1 to 64", 0},
    {"issuer from month 13", NULL, NULL, "certificate_authority {\n issuer = \"from-13.der\"\n}",
     "not a time", 0},
    {"issuer to month 13", NULL, NULL, "certificate_authority {\n issuer = \"to-13.der\"\n}",
     "not a time", 0},

    {"max_validity 0", NULL, NULL, AUTHORITY("max_validity = 0"),
     "/p.conf:12: 'max_validity' must be 1 to 36500 days", 0},
    {"max_validity -1", NULL, NULL, AUTHORITY("max_validity = -1"),
     "/p.conf:12: 'max_validity' must be", 0},
    {"max_validity 1", NULL, NULL, AUTHORITY("max_validity = 1"), NULL, 0},
    {"max_validity 36500", NULL, NULL, AUTHORITY("max_validity = 36500"), NULL, 0},
    {"max_validity 36501", NULL, NULL, AUTHORITY("max_validity = 36501"),
     "/p.conf:12: 'max_validity' must be", 0},
    {"max_validity that is no number", NULL, NULL, AUTHORITY("max_validity = ever"),
     "/p.conf:12: invalid integer value", 0},
    {"max_crl_validity 0", NULL, NULL, AUTHORITY("max_crl_validity = 0"),
     "/p.conf:12: 'max_crl_validity' must be 1 to 36500 days", 0},
    {"max_crl_validity 1", NULL, NULL, AUTHORITY("max_crl_validity = 1"), NULL, 0},
    {"max_crl_validity 36500", NULL, NULL, AUTHORITY("max_crl_validity = 36500"), NULL, 0},
    {"max_crl_validity 36501", NULL, NULL, AUTHORITY("max_crl_validity = 36501"),
     "/p.conf:12: 'max_crl_validity' must be", 0},
    {"an object that no authority signs", NULL, NULL,
     ONLY("objects = {crl, checkpoint}") "\n" LEDGER,
     "/p.conf:12: object 'checkpoint': use certificate or crl", 0},
    {"no objects", NULL, NULL, ONLY("max_validity = 1") "\n" LEDGER,
     "/p.conf:13: 'objects' must list certificate, crl or both", 0},
    {"an empty list of objects", NULL, NULL, ONLY("objects = {}") "\n" LEDGER,
     "/p.conf:13: 'objects' must list certificate, crl or both", 0},
    {"a longer object", NULL, NULL, ONLY("objects = {certificates}") "\n" LEDGER,
     "/p.conf:12: object 'certificates': use certificate or crl", 0},
    {"keyCertSign", NULL, NULL, AUTHORITY("key_usage = {digitalSignature, keyCertSign}"),
     "/p.conf:12: key_usage 'keyCertSign' cannot be allowed", 0},
    {"cRLSign", NULL, NULL, AUTHORITY("key_usage = {cRLSign}"),
     "/p.conf:12: key_usage 'cRLSign' cannot be allowed", 0},
    {"wildcard that is no boolean", NULL, NULL, AUTHORITY("wildcard = some"), "/p.conf:12: ", 0},
    {"an option of a log", NULL, NULL, AUTHORITY("origin = \"a\""), "/p.conf:12: no such option",
     0},

    {"no ledger", NULL, NULL, ALONE(""), "/p.conf:13: section ledger is missing", 0},
    {"no ledger, CRLs only", NULL, NULL, ONLY("objects = {crl}"),
     "/p.conf:13: section ledger is missing", 0},
    {"a ledger without origin", NULL, NULL, ALONE("") "\nledger {\n public_key = \"log.spki\"\n}",
     "/p.conf:16: option 'origin' is missing", 0},
    {"a ledger without a key", NULL, NULL, ALONE("") "\nledger {\n origin = \"log.example\"\n}",
     "/p.conf:16: option 'public_key' is missing", 0},
    {"a ledger's key in no file", NULL, NULL, ALONE("") "\n" LEDGER_OF("\"log.example\"", "none"),
     "/none", ERR_NOTFOUND},
    {"a ledger's key in bad PEM", NULL, NULL,
     ALONE("") "\n" LEDGER_OF("\"log.example\"", "bad.pem"), "/bad.pem: not a public key in PEM",
     0},
    {"a ledger's key on P-384", NULL, NULL,
     ALONE("") "\n" LEDGER_OF("\"log.example\"", "p384.spki"),
     "/p.conf: section ledger: the log key is not a P-256 SubjectPublicKeyInfo", 0},
    {"a ledger's origin with a plus", NULL, NULL, ALONE("") "\n" LEDGER_OF("\"a+b\"", "log.spki"),
     "/p.conf: section ledger: the origin of the log", 0},
    {"a ledger with this signer's own key", NULL, NULL,
     ALONE("") "\n" LEDGER_OF("\"log.example\"", "key.pem"),
     "/p.conf:16: the log has a key of its own, not this one", 0},
    {"a ledger of a log", NULL, NULL, LOG "\n" LEDGER,
     "section ledger belongs to section certificate_authority", 0},
    {"a ledger of CMP", NULL, NULL, CMP("{ip}") "\n" LEDGER,
     "section ledger belongs to section certificate_authority", 0},

    {"CMP", NULL, NULL, CMP("{ip}"), NULL, 0},
    {"no sender", NULL, NULL, "cmp {\n}", "/p.conf:11: option 'sender' is missing", 0},
    {"sender of another key", NULL, NULL, "cmp {\n sender = \"other.der\"\n}",
     "/p.conf:11: the public key of ", 0},
    {"a request", NULL, NULL, CMP("{ip, ir}"),
     "/p.conf:12: body 'ir' cannot be allowed; possible are ip, cp,", 0},
    {"a body in other letters", NULL, NULL, CMP("{IP}"), "/p.conf:12: body 'IP' cannot be", 0},
    {"a longer body", NULL, NULL, CMP("{ipx}"), "/p.conf:12: body 'ipx' cannot be", 0},

    {"seal", NULL, NULL, CMP("{ip}") "\nseal {\n key_id = \"f0e0102030405060708090a0b0c0d0e0\"\n}",
     NULL, 0},
    {"seal without a key", NULL, NULL, CMP("{ip}") "\nseal {\n}",
     "/p.conf:15: option 'key_id' is missing", 0},
    {"seal with 31 digits", NULL, NULL,
     CMP("{ip}") "\nseal {\n key_id = \"f0e0102030405060708090a0b0c0d0e\"\n}",
     "/p.conf:15: 'key_id' must be 32 hexadecimal digits", 0},
    {"seal of a log", NULL, NULL, LOG "\nseal {\n key_id = \"f0e0102030405060708090a0b0c0d0e0\"\n}",
     "section seal belongs to section cmp", 0},
    {"seal of an authority", NULL, NULL,
     AUTHORITY("") "\nseal {\n key_id = \"f0e0102030405060708090a0b0c0d0e0\"\n}",
     "section seal belongs to section cmp", 0},
    {"seal of a self-test", NULL, NULL,
     "self_test {}\nseal {\n key_id = \"f0e0102030405060708090a0b0c0d0e0\"\n}",
     "section seal belongs to section cmp", 0},
};

static char *dir;
static char *conf;

static void
put(const char *name, struct span bytes)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", dir, name);

    assert_ok(file_write(path, bytes, 0600, &e), &e);
}

static void
put_text(const char *name, const char *text)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(16384);

    der_text(text, &b);
    put(name, buf_span(&b));
}

/* The certificate of the key, but for what is there. */
static void
put_certificate(const char *name, struct scene_certificate c)
{
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf whole = BUF_INIT(8192);
    struct err e = {0};

    c.subject = c.subject == NULL ? SCENE_ISSUER : c.subject;
    c.key = c.key == NULL ? KEY : c.key;
    c.names = "";
    c.purposes = "";
    c.key_usage = CA_USAGE;
    c.basic_constraints = c.basic_constraints == NULL ? CA_TRUE : c.basic_constraints;
    c.more = c.more == NULL ? SKI(SCENE_SKI) : c.more;
    scene_certificate(&c, &tbs);
    assert_ok(der_wrap_signed(buf_span(&tbs), key_algorithm_identifier(KEY_P256), &whole, &e), &e);
    put(name, buf_span(&whole));
}

static void
put_pem(void)
{
    CLEANUP(buf_free) struct buf key = BUF_INIT(SPKI_MAX);
    CLEANUP(mem_cleanup) char *base64 = NULL;
    CLEANUP(mem_cleanup) char *text = NULL;
    CLEANUP(mem_cleanup) char *bad = NULL;

    der_text(KEY, &key);
    base64 = base64_dup(buf_span(&key));
    text = mem_printf("-----BEGIN PUBLIC KEY-----\n%.64s\n%s\n-----END PUBLIC KEY-----\n", base64,
                      base64 + 64);
    bad = mem_printf("-----BEGIN PUBLIC KEY-----\n%.64s\n-----END PUBLIC KEY-----\n", base64);
    put("key.pem", span_str(text));
    put("bad.pem", span_str(bad));
}

static int
setup(void **state)
{
    (void)state;
    dir = tmpdir_new();
    conf = mem_printf("%s/p.conf", dir);
    put_text("key.spki", KEY);
    put_text("log.spki", EC_KEY(P256, POINT_2));
    put_text("p384.spki", EC_KEY("2b81040022", POINT_384));
    put_text("rsa.spki", RSA_KEY);
    put_text("empty", "");
    put_text("behind", KEY "00");
    put_text("large", "30*8193");
    put_text("largest", "30*8192");
    put_text("hyphen", "2d");
    put_text("hyphen-x", "2d78");
    put_pem();
    put_certificate("issuer.der", (struct scene_certificate){.names = NULL});
    put_certificate("other.der", (struct scene_certificate){.key = EC_KEY(P256, POINT_2)});
    put_certificate("leaf.der", (struct scene_certificate){.basic_constraints = ""});
    put_certificate("no-ski.der", (struct scene_certificate){.more = ""});
    put_certificate("ski-0.der", (struct scene_certificate){.more = SKI("")});
    put_certificate("ski-1.der", (struct scene_certificate){.more = SKI("aa")});
    put_certificate("name-4096.der", (struct scene_certificate){.subject = NAME("61*4075")});
    put_certificate("name-4097.der", (struct scene_certificate){.subject = NAME("61*4076")});
    put_certificate("ski-64.der", (struct scene_certificate){.more = SKI("aa*64")});
    put_certificate("ski-65.der", (struct scene_certificate){.more = SKI("aa*65")});
    put_certificate("from-13.der", (struct scene_certificate){
                                       .validity = "30{17{'261301000000Z'}17{'260301000000Z'}}"});
    put_certificate("to-13.der", (struct scene_certificate){
                                     .validity = "30{17{'260201000000Z'}17{'261301000000Z'}}"});
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    mem_free(conf);
    tmpdir_remove(dir);
    return 0;
}

static struct policy *
load(const struct row *row, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(16384);
    struct err failed = {0};

    for (size_t i = 0; i < ARRAY_LEN(LINES); i++) {
        bool other = row->option != NULL && strcmp(row->option, LINES[i].option) == 0;

        assert_ok(buf_append_str(&text, other ? row->line : LINES[i].line, &failed), &failed);
        assert_ok(buf_append_str(&text, "\n", &failed), &failed);
    }
    assert_ok(buf_append_str(&text, row->purpose == NULL ? LOG : row->purpose, &failed), &failed);
    assert_ok(buf_append_str(&text, "\n", &failed), &failed);
    put("p.conf", buf_span(&text));
    return policy_load(conf, e);
}

static void
check(const struct row *rows, size_t n)
{
    size_t good = 0;

    for (size_t i = 0; i < n; i++) {
        struct err e = {0};
        CLEANUP(policy_cleanup) struct policy *p = load(&rows[i], &e);

        good += scene_expect(rows[i].name, p == NULL ? -1 : 0, &e,
                             rows[i].code == ERR_NONE ? ERR_INPUT : rows[i].code, rows[i].reason);
    }
    assert_int_equal(good, n);
}

static void
the_key_is_named_without_a_doubt(void **state)
{
    (void)state;
    check(KEY_ROWS, ARRAY_LEN(KEY_ROWS));
}

static void
a_key_has_one_purpose_within_its_limits(void **state)
{
    (void)state;
    check(PURPOSE_ROWS, ARRAY_LEN(PURPOSE_ROWS));
}

static void
path_is(const char *path, const char *name)
{
    CLEANUP(mem_cleanup) char *expected = mem_printf("%s/%s", dir, name);

    assert_string_equal(path, expected);
}

static void
what_stands_in_the_file_is_what_is_loaded(void **state)
{
    const struct row row = {.name = ""};
    struct err e = {0};
    CLEANUP(policy_cleanup) struct policy *p = load(&row, &e);
    CLEANUP(buf_free) struct buf key = BUF_INIT(SPKI_MAX);
    CLEANUP(buf_free) struct buf file = BUF_INIT(8192);
    uint8_t hash[SHA256_SIZE];

    (void)state;
    assert_non_null(p);
    assert_ok(file_read(conf, &file, &e), &e);
    assert_ok(sha256(buf_span(&file), hash, &e), &e);
    assert_memory_equal(p->hash, hash, sizeof(hash));
    assert_string_equal(p->module, "/m.so");
    path_is(p->module_config, "m.conf");
    path_is(p->journal, "j");
    assert_string_equal(p->token, "t");
    assert_string_equal(p->serial, "s");
    assert_string_equal(p->attributes, "a");
    assert_string_equal(p->credential, "t.pin");
    for (size_t i = 0; i < sizeof(p->key_id); i++) {
        assert_int_equal(p->key_id[i], i);
    }
    der_text(KEY, &key);
    assert_true(span_equal(buf_span(&p->spki), buf_span(&key)));
    assert_int_equal(p->algorithm, KEY_P256);
    assert_int_equal(p->purpose, POLICY_LOG);
    assert_string_equal(p->origin, "log.example");
    assert_false(p->certificates || p->crls || p->seals || p->wildcard || p->no_rev_avail);
    assert_int_equal(p->bodies, 0);
}

static void
the_algorithm_is_told_by_the_key(void **state)
{
    static const struct {
        const char *line;
        enum key_algorithm algorithm;
    } rows[] = {
        {"public_key = \"key.pem\"", KEY_P256},
        {"public_key = \"p384.spki\"", KEY_P384},
        {"public_key = \"rsa.spki\"", KEY_RSA3072},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row row = {.option = "public_key", .line = rows[i].line};
        struct err e = {0};
        CLEANUP(policy_cleanup) struct policy *p = load(&row, &e);

        if (p == NULL) {
            fail_msg("%s: %s", rows[i].line, e.text);
        }
        assert_int_equal(p->algorithm, rows[i].algorithm);
    }
}

static void
an_authority_has_what_its_section_says(void **state)
{
    static const struct {
        const char *more;
        bool certificates, crls, wildcard, no_rev_avail;
        unsigned key_usage;
        long days, crl_days;
    } rows[] = {
        {"", true, true, false, false, 1, 1095, 31},
        {"objects = {certificate}", true, false, false, false, 1, 1095, 31},
        {"objects = {crl}", false, true, false, false, 1, 1095, 31},
        {"wildcard = true", true, true, true, false, 1, 1095, 31},
        {"no_rev_avail = true", true, true, false, true, 1, 1095, 31},
        {"key_usage = {}", true, true, false, false, 0, 1095, 31},
        {"key_usage = {nonRepudiation}", true, true, false, false, 2, 1095, 31},
        {"key_usage = {keyEncipherment, digitalSignature}", true, true, false, false, 5, 1095, 31},
        {"max_validity = 2", true, true, false, false, 1, 2, 31},
        {"max_crl_validity = 3", true, true, false, false, 1, 1095, 3},
    };
    CLEANUP(buf_free) struct buf name = BUF_INIT(256);
    CLEANUP(buf_free) struct buf ski = BUF_INIT(64);
    CLEANUP(buf_free) struct buf log = BUF_INIT(SPKI_MAX);

    (void)state;
    der_text(EC_KEY(P256, POINT_2), &log);
    der_text(SCENE_ISSUER, &name);
    der_text(SCENE_SKI, &ski);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup)
        char *purpose =
            mem_printf("certificate_authority {\nissuer = \"issuer.der\"\n%s\n%s\n}\n" LEDGER,
                       strncmp(rows[i].more, "objects", 7) == 0 ? "" : BOTH, rows[i].more);
        const struct row row = {.purpose = purpose};
        struct err e = {0};
        CLEANUP(policy_cleanup) struct policy *p = load(&row, &e);

        if (p == NULL || p->certificates != rows[i].certificates || p->crls != rows[i].crls ||
            p->wildcard != rows[i].wildcard || p->no_rev_avail != rows[i].no_rev_avail ||
            p->key_usage != rows[i].key_usage || p->max_validity != rows[i].days * 86400 ||
            p->max_crl_validity != rows[i].crl_days * 86400) {
            fail_msg("row '%s': %s", rows[i].more, e.text);
            return;
        }
        assert_int_equal(p->purpose, POLICY_CERTIFICATE_AUTHORITY);
        assert_true(span_equal(buf_span(&p->issuer_name), buf_span(&name)));
        assert_true(span_equal(buf_span(&p->issuer_ski), buf_span(&ski)));
        assert_string_equal(p->log.origin, "log.example");
        assert_true(span_equal(span_of(p->log.spki, p->log.spki_n), buf_span(&log)));
        assert_int_equal(p->issuer_not_before, 1769904000); /* 2026-02-01 */
        assert_int_equal(p->issuer_not_after, 1772323200);  /* 2026-03-01 */
    }
}

/* The tags of PKIBody (RFC 9810 5.1.2). */
static void
a_body_allows_its_own_tag(void **state)
{
    static const struct {
        const char *bodies;
        uint32_t bits;
    } rows[] = {
        {"{}", 0},
        {"{ip}", 1U << 1},
        {"{cp}", 1U << 3},
        {"{kup}", 1U << 8},
        {"{rp}", 1U << 12},
        {"{pkiconf}", 1U << 19},
        {"{nested}", 1U << 20},
        {"{genp}", 1U << 22},
        {"{error}", 1U << 23},
        {"{pollRep}", 1U << 26},
        {"{ip, cp}", 1U << 1 | 1U << 3},
    };
    CLEANUP(buf_free) struct buf name = BUF_INIT(256);

    (void)state;
    der_text(SCENE_ISSUER, &name);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup)
        char *purpose =
            mem_printf("cmp {\n sender = \"issuer.der\"\n bodies = %s\n}", rows[i].bodies);
        const struct row row = {.purpose = purpose};
        struct err e = {0};
        CLEANUP(policy_cleanup) struct policy *p = load(&row, &e);

        if (p == NULL || p->bodies != rows[i].bits) {
            fail_msg("row '%s': %s", rows[i].bodies, e.text);
            return;
        }
        assert_int_equal(p->purpose, POLICY_CMP);
        assert_true(span_equal(buf_span(&p->sender_name), buf_span(&name)));
        assert_false(p->seals);
        assert_false(p->queue_heads); /* by default none */
    }
}

static void
the_seal_and_the_self_test_are_what_they_are(void **state)
{
    const struct row seal = {
        .purpose = CMP("{ip}") "\nseal {\n key_id = \"F0e0102030405060708090a0b0c0d0e1\"\n}"};
    const struct row self_test = {.option = "module_config", .line = "", .purpose = "self_test {}"};
    struct err e = {0};
    CLEANUP(policy_cleanup) struct policy *p = load(&seal, &e);

    (void)state;
    assert_non_null(p);
    assert_true(p->seals);
    assert_memory_equal(p->seal_id,
                        "\xf0\xe0\x10\x20\x30\x40\x50\x60\x70\x80\x90\xa0\xb0\xc0\xd0\xe1", 16);
    policy_free(TAKE(p));
    p = load(&self_test, &e);
    assert_non_null(p);
    assert_int_equal(p->purpose, POLICY_SELF_TEST);
    assert_null(p->journal);
    assert_null(p->module_config);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_is_named_without_a_doubt),
        cmocka_unit_test(a_key_has_one_purpose_within_its_limits),
        cmocka_unit_test(what_stands_in_the_file_is_what_is_loaded),
        cmocka_unit_test(the_algorithm_is_told_by_the_key),
        cmocka_unit_test(an_authority_has_what_its_section_says),
        cmocka_unit_test(a_body_allows_its_own_tag),
        cmocka_unit_test(the_seal_and_the_self_test_are_what_they_are),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
