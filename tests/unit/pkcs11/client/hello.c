/* SPDX-License-Identifier: Apache-2.0 */
/* The start of a signer and its self-test, with signers that say something else (fakesigner.c). */
#include "tests/support/test.h"

#include "pkcs11/client/hello.h"

#include <openssl/ec.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "pkcs11/client/client.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/pkcs11/signer/scene.h"

#define FAKE TEST_BINARY_DIR "/fakesigner"
#define HASH_31 "00112233445566778899aabbccddeeff00112233445566778899aabbccddee"
#define HASH HASH_31 "ff"
#define HEAD(type, detail) type detail "0000000000000009"
#define NONE "0000000000000000" /* signatures */

enum { TIMEOUT_MS = 60000 };

static char *dir;
static char *script;
static EVP_PKEY *key;
static char *spki;       /* hex */
static char *other_spki; /* of another key */
static char *proof;      /* signature of the self-test text, hex */

static char *
spki_of(EVP_PKEY *of)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(SPKI_MAX);
    struct err e = {0};

    assert_ok(OSSL_ENCODE(PUBKEY, of, &der, &e), &e);
    return hex_dup(buf_span(&der));
}

static int
setup(void **state)
{
    const struct span text = SIGNER_SELF_TEST_TEXT;
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other = EVP_EC_gen("P-256");
    uint8_t signature[SIGNATURE_MAX];
    size_t n = sizeof(signature);

    (void)state;
    dir = tmpdir_new();
    script = mem_printf("%s/script", dir);
    key = EVP_EC_gen("P-256");
    spki = spki_of(key);
    other_spki = spki_of(other);
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(ctx, signature, &n, text.p, text.n), 1);
    proof = hex_dup(span_of(signature, n));
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    EVP_PKEY_free(key);
    mem_free(spki);
    mem_free(other_spki);
    mem_free(proof);
    mem_free(script);
    tmpdir_remove(dir);
    return 0;
}

/* Writes the script; $K, $O and $P are the key, another key and the proof. */
static void
say(const char *text)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(32768);
    struct err e = {0};

    for (; *text != '\0'; text++) {
        if (*text != '$') {
            assert_ok(buf_append(&out, span_of(text, 1), &e), &e);
            continue;
        }
        text++;
        assert_ok(buf_append_str(&out,
                                 *text == 'K'   ? spki
                                 : *text == 'O' ? other_spki
                                                : proof,
                                 &e),
                  &e);
    }
    assert_ok(file_write(script, buf_span(&out), 0600, &e), &e);
}

static const struct {
    const char *name;
    const char *says;
    enum err_code code;
    const char *reason; /* NULL: it is greeted */
} HELLOS[] = {
    {"right", "send " HEAD("01", "00") "04" HASH NONE "$K\nstay", ERR_NONE, NULL},
    {"nothing", "", ERR_TOKEN, "gave no HELLO (see its log)"},
    {"half a frame", "raw 000000", ERR_TOKEN, "gave no HELLO"},
    {"a frame too long", "raw 0000400100", ERR_INPUT, "gave no HELLO"},
    {"a frame too short", "send 0100", ERR_INPUT, "a frame of 2 octets, 10 are the least"},
    {"an unknown type", "send " HEAD("07", "00"), ERR_INPUT, "a frame of unknown type 7"},
    {"an answer first", "send " HEAD("04", "00") "04" HASH NONE "$K\nstay", ERR_TOKEN,
     "the signer began with a frame of type 4"},
    {"version 0", "send " HEAD("01", "00") "00" HASH "$K\nstay", ERR_TOKEN,
     "the signer speaks another version"},
    {"version 1", "send " HEAD("01", "00") "01" HASH "$K\nstay", ERR_TOKEN,
     "the signer speaks another version"},
    {"version 5", "send " HEAD("01", "00") "05" HASH NONE "$K\nstay", ERR_TOKEN,
     "the signer speaks another version"},
    {"version 2, which tells nothing of its journal", "send " HEAD("01", "00") "02" HASH "$K\nstay",
     ERR_TOKEN, "the signer speaks another version"},
    {"no key", "send " HEAD("01", "00") "04" HASH NONE "\nstay", ERR_INPUT,
     "the signer's HELLO: a public key of 0 octets"},
    {"half a hash", "send " HEAD("01", "00") "04001122\nstay", ERR_TOKEN,
     "the signer speaks another version"},
    {"a hash without its last octet", "send " HEAD("01", "00") "04" HASH_31 "\nstay", ERR_TOKEN,
     "the signer speaks another version"},
    {"version 3, which does not count signatures", "send " HEAD("01", "00") "03" HASH "$K\nstay",
     ERR_TOKEN, "the signer speaks another version"},
    {"half a count", "send " HEAD("01", "00") "04" HASH "00000000\nstay", ERR_TOKEN,
     "the signer speaks another version"},
    {"more signatures than attempts", "send " HEAD("01", "00") "04" HASH "000000000000000a$K\nstay",
     ERR_TOKEN, "more signatures than attempts"},
    {"no hash", "send " HEAD("01", "00") "04\nstay", ERR_TOKEN,
     "the signer speaks another version"},
    {"nothing in it", "send " HEAD("01", "00") "\nstay", ERR_TOKEN,
     "the signer speaks another version"},
    {"a key with more behind it", "send " HEAD("01", "00") "04" HASH NONE "$K00\nstay", ERR_INPUT,
     "the signer's HELLO: "},
    {"input", "send " HEAD("02", "01") "68656c6c6f\nstay", ERR_INPUT, "hello"},
    {"I/O", "send " HEAD("02", "0a") "68656c6c6f\nstay", ERR_IO, "hello"},
    {"a PIN", "send " HEAD("02", "06") "68656c6c6f\nstay", ERR_PIN, "hello"},
    {"reason 0", "send " HEAD("02", "00") "68656c6c6f\nstay", ERR_TOKEN, "hello"},
    {"stale", "send " HEAD("02", "0b") "68656c6c6f\nstay", ERR_STALE, "hello"},
    {"reason 12", "send " HEAD("02", "0c") "68656c6c6f\nstay", ERR_TOKEN, "hello"},
};

static void
a_signer_that_begins_otherwise_is_not_one(void **state)
{
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(HELLOS); i++) {
        CLEANUP(buf_free) struct buf in = BUF_INIT(SIGNER_ANSWER_MAX);
        struct signer_hello hello = {.spki = BUF_INIT(SPKI_MAX)};
        struct child child = {.pid = -1, .fd = -1};
        struct err e = {0};
        int result;

        say(HELLOS[i].says);
        result = signer_greet(FAKE, script, -1, false, TIMEOUT_MS, &child, &in, &hello, &e);
        good += scene_expect(HELLOS[i].name, result, &e, HELLOS[i].code, HELLOS[i].reason);
        /* Nobody is left behind. */
        if (result == 0) {
            child_stop(&child, TIMEOUT_MS);
        }
        assert_int_equal(child.fd, -1);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
        buf_free(&hello.spki);
    }
    assert_int_equal(good, ARRAY_LEN(HELLOS));
}

static void
the_hello_is_what_was_said(void **state)
{
    static const struct {
        const char *detail;
        bool software;
    } rows[] = {{"00", false}, {"01", true}, {"02", false}, {"03", true}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup)
        char *says = mem_printf("send 01%s000000000000070904" HASH "0000000000000203$K\nstay",
                                rows[i].detail);
        CLEANUP(buf_free) struct buf in = BUF_INIT(SIGNER_ANSWER_MAX);
        struct signer_hello hello = {.spki = BUF_INIT(SPKI_MAX)};
        struct child child = {.pid = -1, .fd = -1};
        CLEANUP(mem_cleanup) char *seen = NULL;
        CLEANUP(mem_cleanup) char *hash = NULL;
        struct err e = {0};

        say(says);
        assert_ok(signer_greet(FAKE, script, -1, false, TIMEOUT_MS, &child, &in, &hello, &e), &e);
        assert_int_equal(hello.software, rows[i].software);
        assert_int_equal(hello.counts.attempts, 0x709);
        assert_int_equal(hello.counts.signatures, 0x203);
        assert_int_equal(hello.algorithm, KEY_P256);
        hash = hex_dup(span_of(hello.policy_hash, sizeof(hello.policy_hash)));
        assert_string_equal(hash, HASH);
        seen = hex_dup(buf_span(&hello.spki));
        assert_string_equal(seen, spki);
        child_stop(&child, TIMEOUT_MS);
        buf_free(&hello.spki);
    }
}

static void
a_program_that_is_not_there_is_told(void **state)
{
    CLEANUP(buf_free) struct buf in = BUF_INIT(SIGNER_ANSWER_MAX);
    struct signer_hello hello = {.spki = BUF_INIT(SPKI_MAX)};
    struct child child = {.pid = -1, .fd = -1};
    struct err e = {0};

    (void)state;
    say("stay");
    assert_err(signer_greet("/nonexistent", script, -1, false, TIMEOUT_MS, &child, &in, &hello, &e),
               ERR_NOTFOUND, &e);
    assert_non_null(strstr(e.text, "start /nonexistent"));
    /* One that says nothing and stays: the deadline ends it. */
    assert_err(signer_greet(FAKE, script, -1, false, 100, &child, &in, &hello, &e), ERR_TOKEN, &e);
    assert_non_null(strstr(e.text, "gave no HELLO"));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* The text of a reason is cut where there is no more room. */
static void
a_long_reason_is_cut(void **state)
{
    struct err e = {0};
    char text[sizeof(e.text) + 1];

    (void)state;
    memset(text, 'x', sizeof(text));
    for (size_t n = sizeof(e.text) - 2; n <= sizeof(text); n++) {
        const struct signer_frame frame = {
            .type = SIGNER_FAILED, .detail = 1, .bytes = span_of(text, n)};

        assert_int_equal(signer_reason(&frame, &e), -1);
        assert_int_equal(strlen(e.text), n < sizeof(e.text) ? n : sizeof(e.text) - 1);
    }
}

#define GREETS "expect --self-test\nsend " HEAD("01", "00") "04" HASH NONE "$K\n"

static const struct {
    const char *name;
    const char *says;
    enum err_code code;
    const char *reason;
    bool signed_text;
} PROOFS[] = {
    {"signed", GREETS "send " HEAD("06", "01") "$P", ERR_NONE, NULL, true},
    {"not signed", GREETS "send " HEAD("06", "00"), ERR_NONE, NULL, false},
    {"no HELLO", "", ERR_TOKEN, "gave no HELLO", false},
    {"nothing", GREETS, ERR_NOTFOUND, "", false},
    {"another frame", GREETS "send " HEAD("04", "01") "$P", ERR_TOKEN,
     "the signer answered with a frame of type 4", false},
    {"failed", GREETS "send " HEAD("02", "02") "6e6f", ERR_DENIED, "no", false},
    {"another key", "send " HEAD("01", "00") "04" HASH NONE "$O\nsend " HEAD("06", "00"),
     ERR_DENIED, "the fresh process found another public key", false},
    {"no signature", GREETS "send " HEAD("06", "01"), ERR_CRYPTO, "does not verify", false},
    {"half a signature", GREETS "send " HEAD("06", "01") "3006020101", ERR_CRYPTO,
     "does not verify", false},
    {"a detail that says nothing", GREETS "send " HEAD("06", "02"), ERR_CRYPTO, "does not verify",
     false},
};

static void
a_self_test_is_believed_when_it_proves_the_key(void **state)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(SPKI_MAX);
    struct err e = {0};
    size_t good = 0;

    (void)state;
    assert_ok(OSSL_ENCODE(PUBKEY, key, &der, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(PROOFS); i++) {
        bool signed_text = !PROOFS[i].signed_text;
        int result;

        say(PROOFS[i].says);
        result = signer_self_test(FAKE, script, -1, TIMEOUT_MS, buf_span(&der), &signed_text, &e);
        good += scene_expect(PROOFS[i].name, result, &e, PROOFS[i].code, PROOFS[i].reason) &&
                        (result != 0 || signed_text == PROOFS[i].signed_text)
                    ? 1
                    : 0;
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    }
    assert_int_equal(good, ARRAY_LEN(PROOFS));
    say(PROOFS[0].says);
    assert_ok(signer_self_test(FAKE, script, -1, 0, buf_span(&der), NULL, &e), &e);
}

/* A PIN through a descriptor is told by an option; without one, there is none. */
static void
the_descriptor_of_a_pin_is_passed_on(void **state)
{
    CLEANUP(buf_free) struct buf in = BUF_INIT(SIGNER_ANSWER_MAX);
    CLEANUP(fd_cleanup) int fd = memfd_create("pin", MFD_CLOEXEC);
    struct signer_hello hello = {.spki = BUF_INIT(SPKI_MAX)};
    struct child child = {.pid = -1, .fd = -1};
    struct err e = {0};

    (void)state;
    assert_int_equal(write(fd, "1234", 4), 4);
    say("expect --pin-fd\nexpect 4\nsend " HEAD("01", "00") "04" HASH NONE "$K\nstay");
    assert_ok(signer_greet(FAKE, script, fd, false, TIMEOUT_MS, &child, &in, &hello, &e), &e);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
    child_stop(&child, TIMEOUT_MS);
    assert_err(signer_greet(FAKE, script, -1, false, TIMEOUT_MS, &child, &in, &hello, &e),
               ERR_TOKEN, &e);
    say("expect --self-test\nsend " HEAD("01", "00") "04" HASH NONE "$K\nstay");
    assert_err(signer_greet(FAKE, script, -1, false, TIMEOUT_MS, &child, &in, &hello, &e),
               ERR_TOKEN, &e);
    buf_free(&hello.spki);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signer_that_begins_otherwise_is_not_one),
        cmocka_unit_test(the_hello_is_what_was_said),
        cmocka_unit_test(a_program_that_is_not_there_is_told),
        cmocka_unit_test(a_long_reason_is_cut),
        cmocka_unit_test(a_self_test_is_believed_when_it_proves_the_key),
        cmocka_unit_test(the_descriptor_of_a_pin_is_passed_on),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
