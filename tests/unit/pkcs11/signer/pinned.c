/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/pkcs11/signer/pinned.h"

#include <string.h>

#include "base/file.h"
#include "base/ossl.h"
#include "pkcs11/signer/der.h"
#include "tests/support/der_text.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/pkcs11/signer/scene.h"

/* The generator of P-384 (SEC 2 2.5.1). */
#define POINT_384                                                                                  \
    "04 aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a38"                          \
    "5502f25dbf55296c3a545e3872760ab7"                                                             \
    "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c0"                             \
    "0a60b1ce1d7e819d7a431d7c90ea0e5f"
#define RSA_KEY "30{30{06{2a864886f70d010101}0500}03{00 30{02{00 c1*384}02{010001}}}}"
#define CA_TRUE SCENE_CRITICAL("551d13", "30{0101ff}")
#define CA_USAGE SCENE_CRITICAL("551d0f", "03{0106}")
#define NAME(octets) "30{31{30{06{55040a}0c{" octets "}}}}"
#define SKI(octets) SCENE_EXTENSION("551d0e", "04{" octets "}")

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

char *pinned_dir;
char *pinned_conf;

static void
put(const char *name, struct span bytes)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", pinned_dir, name);

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

int
pinned_set_up(void **state)
{
    (void)state;
    pinned_dir = tmpdir_new();
    pinned_conf = mem_printf("%s/p.conf", pinned_dir);
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

int
pinned_tear_down(void **state)
{
    (void)state;
    mem_free(pinned_conf);
    tmpdir_remove(pinned_dir);
    return 0;
}

struct policy *
pinned_load(const struct row *row, struct err *e)
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
    return policy_load(pinned_conf, e);
}
