/* SPDX-License-Identifier: Apache-2.0 */
/* The fresh process is this program again, which lies as it is told to; the one that tells the
 * truth is in unit.ceremony.run.run. */
#include "tests/support/test.h"

#include "ceremony/run/self_check.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "ceremony/transcript/fact.h"

enum { FRAME_MAX = 16 * 1024, WAIT_MS = 10 * 1000, MAC_SIZE = 32 };

#define LIE "SELF_CHECK_LIE"

static struct token_plan token = {.label = "root"};
static EVP_PKEY *key;
static struct buf spki = {.max = 1024};

/* In the fresh process. */
static int
lie(const char *text)
{
    CLEANUP(buf_free) struct buf request = BUF_INIT(FRAME_MAX);
    struct err e = {0};

    if (frame_read(3, FRAME_MAX, &request, WAIT_MS, &e) != 0) {
        return 1;
    }
    return text[0] == '\0' || frame_write(3, span_str(text), WAIT_MS, &e) == 0 ? 0 : 1;
}

static char *
found(const char *member, struct span value)
{
    CLEANUP(mem_cleanup) char *text = base64_dup(value);

    return mem_printf("{\"result\":\"found\",\"%s\":\"%s\"}", member, text);
}

static int
make(void **state)
{
    struct err e = {0};

    (void)state;
    token.module = mem_strdup("/x.so");
    key = EVP_EC_gen("P-256");
    return OSSL_ENCODE(PUBKEY, key, &spki, &e);
}

static int
drop(void **state)
{
    (void)state;
    mem_free(token.module);
    EVP_PKEY_free(key);
    buf_free(&spki);
    return 0;
}

static char *
signature_over(struct span text)
{
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t signature[256];
    size_t n = sizeof(signature);

    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(ctx, signature, &n, text.p, text.n), 1);
    return found("signature", span_of(signature, n));
}

static int
check(const char *policy, const char *answer, bool *signed_text, struct err *e)
{
    static const uint8_t id[KEY_ID_SIZE] = {1};
    int result;

    (void)setenv(LIE, answer, 1);
    result = self_check(&token, "0123", policy, span_of(id, sizeof(id)), buf_span(&spki),
                        SPAN_LITERAL("1234"), signed_text, e);
    (void)unsetenv(LIE);
    return result;
}

static void
a_key_counts_when_a_fresh_process_signs_with_it(void **state)
{
    CLEANUP(mem_cleanup) char *good = signature_over(self_check_text());
    CLEANUP(mem_cleanup) char *other = signature_over(SPAN_LITERAL("another text"));
    const struct {
        const char *policy;
        const char *answer;
        const char *reason; /* NULL: good */
    } rows[] = {
        {"issuing-signing-v1", good, NULL},
        {"issuing-signing-v1", other, "the fresh process's signature: "},
        {"issuing-signing-v1", "{\"result\":\"found\"}", "the fresh process's signature: "},
        {"issuing-signing-v1", "{\"result\":\"found\",\"signature\":\"?\"}", "signature: base64"},
        {"issuing-signing-v1", "{\"result\":\"failed\",\"reason\":\"it is dark\"}",
         "a fresh process did not find the key: it is dark"},
        {"issuing-signing-v1", "found", "a fresh process did not find the key"},
        {"issuing-signing-v1", "", "fresh process: peer closed"},
        {"unknown-v1", good, "attribute policy 'unknown-v1'"},
        /* the root key signs certificates and CRLs only */
        {"root-signing-v1", "{\"result\":\"found\"}", NULL},
        {"root-signing-v1", "{\"result\":\"failed\"}", "a fresh process did not find the key: "},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool signed_text = false;
        struct err e = {0};
        int result = check(rows[i].policy, rows[i].answer, &signed_text, &e);

        if ((result == 0) != (rows[i].reason == NULL) ||
            (rows[i].reason != NULL && strstr(e.text, rows[i].reason) == NULL)) {
            fail_msg("row %zu: %d, %s", i, result, e.text);
        }
        if (result == 0) {
            assert_int_equal(signed_text, strcmp(rows[i].policy, "root-signing-v1") != 0);
        }
    }
}

static void
a_secret_counts_when_a_fresh_process_gets_the_same_mac(void **state)
{
    static const uint8_t mac[MAC_SIZE] = {7};
    static const uint8_t other[MAC_SIZE] = {7, [MAC_SIZE - 1] = 1};
    CLEANUP(mem_cleanup) char *good = found("mac", span_of(mac, sizeof(mac)));
    CLEANUP(mem_cleanup) char *cut = found("mac", span_of(mac, sizeof(mac) - 1));
    CLEANUP(mem_cleanup) char *wrong = found("mac", span_of(other, sizeof(other)));
    const struct {
        const char *answer;
        const char *reason;
    } rows[] = {
        {good, NULL},
        {wrong, "a fresh process got another MAC of the same text"},
        {cut, "a fresh process got another MAC of the same text"},
        {"{\"result\":\"found\"}", "a fresh process got another MAC of the same text"},
        {"{\"result\":\"found\",\"mac\":\"?\"}", "mac: base64"},
        {"{\"result\":\"failed\",\"reason\":\"gone\"}",
         "a fresh process did not find the key: gone"},
        {"", "fresh process: peer closed"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};
        int result;

        (void)setenv(LIE, rows[i].answer, 1);
        result = self_check_secret(&token, "0123", "ca-seal-v1", span_of(mac, KEY_ID_SIZE),
                                   span_of(mac, sizeof(mac)), SPAN_LITERAL("1234"), &e);
        (void)unsetenv(LIE);
        if ((result == 0) != (rows[i].reason == NULL) ||
            (rows[i].reason != NULL && strstr(e.text, rows[i].reason) == NULL)) {
            fail_msg("row %zu: %d, %s", i, result, e.text);
        }
    }
}

/* The other end says why, whatever is wrong. */
static void
a_fresh_process_that_cannot_find_says_why(void **state)
{
    static const uint8_t id[KEY_ID_SIZE] = {1};
    bool signed_text = true;
    struct err e = {0};

    (void)state;
    assert_err(self_check(&token, "0123", "issuing-signing-v1", span_of(id, sizeof(id) - 1),
                          buf_span(&spki), SPAN_LITERAL("1234"), &signed_text, &e),
               ERR_TOKEN, &e);
    assert_non_null(strstr(e.text, "a fresh process did not find the key: id: 30 hex digits"));
    assert_err(self_check(&token, "0123", "issuing-signing-v1", span_of(id, sizeof(id)),
                          buf_span(&spki), SPAN_LITERAL(""), &signed_text, &e),
               ERR_TOKEN, &e);
    assert_non_null(strstr(e.text, "the secret 'pin' is empty"));
    assert_err(self_check(&token, "0123", "issuing-signing-v1", span_of(id, sizeof(id)),
                          buf_span(&spki), SPAN_LITERAL("1234"), &signed_text, &e),
               ERR_TOKEN, &e);
    assert_non_null(strstr(e.text, "PKCS #11 module /x.so"));
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_counts_when_a_fresh_process_signs_with_it),
        cmocka_unit_test(a_secret_counts_when_a_fresh_process_gets_the_same_mac),
        cmocka_unit_test(a_fresh_process_that_cannot_find_says_why),
    };
    struct err e = {0};
    int result;

    if (ossl_init(&e) != 0) {
        return 1;
    }
    if (argc == 2 && strcmp(argv[1], "--self-check") == 0) {
        return getenv(LIE) != NULL ? lie(getenv(LIE)) : self_check_main();
    }
    result = cmocka_run_group_tests(tests, make, drop);
    OPENSSL_cleanup();
    return result;
}
