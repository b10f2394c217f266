/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/weak_key.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

static struct buf
spki_of_vector(const char *name)
{
    CLEANUP(mem_cleanup)
    char *path = mem_printf("%s/vectors/weak-keys/%s.pem", TEST_SOURCE_DIR, name);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = NULL;
    FILE *file = fopen(path, "re");

    assert_non_null(file);
    key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    (void)fclose(file);
    assert_non_null(key);
    return pki_spki(key);
}

static void
expect_phrase(const char *what, struct span spki, const char *wanted)
{
    struct err e = {0};
    const char *phrase = NULL;

    assert_err(weak_key_check(spki, NULL, &phrase, &e), ERR_INPUT, &e);
    if (phrase == NULL || strstr(phrase, wanted) == NULL || strlen(phrase) > 128) {
        fail_msg("%s: %s", what, phrase == NULL ? "no phrase" : phrase);
    }
}

static void
each_flaw_has_its_phrase(void **state)
{
    static const struct {
        const char *name;
        const char *phrase;
    } rows[] = {
        {"exponent-3", "exponent must be odd"},
        {"small-factor", "small factor"},
        {"roca", "CVE-2017-15361"},
        {"close-primes", "too close"},
        {"prime", "is a prime"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf spki = spki_of_vector(rows[i].name);

        expect_phrase(rows[i].name, buf_span(&spki), rows[i].phrase);
    }
}

static void
keys_of_other_kinds_and_sizes_have_theirs(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *p521 = pki_key("P-521");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *small = pki_key("RSA-1024");
    CLEANUP(buf_free) struct buf a = pki_spki(p521);
    CLEANUP(buf_free) struct buf b = pki_spki(small);

    (void)state;
    expect_phrase("P-521", buf_span(&a), "neither P-256");
    expect_phrase("RSA-1024", buf_span(&b), "2048 to 8192 bits");
}

static void
sound_keys_pass(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *ec = pki_key("P-384");
    CLEANUP(buf_free) struct buf a = pki_spki(ec);
    CLEANUP(buf_free) struct buf b = spki_of_vector("sound");
    const char *phrase = "";
    struct err e = {0};

    (void)state;
    assert_ok(weak_key_check(buf_span(&a), NULL, &phrase, &e), &e);
    assert_null(phrase);
    assert_ok(weak_key_check(buf_span(&b), NULL, NULL, &e), &e);
}

static void
the_operators_list_is_heeded(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/blocked", dir);
    CLEANUP(blocked_keys_cleanup) struct blocked_keys *b = NULL;
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-256", "P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *listed = pki_key("P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *signer = pki_issue_officer(pki, "ra-cmp", listed);
    CLEANUP(x509_cleanup) X509 *innocent = pki_issue_officer(pki, "ra-cmp", other);
    CLEANUP(buf_free) struct buf spki = pki_spki(listed);
    CLEANUP(buf_free) struct buf fine = pki_spki(other);
    uint8_t hash[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];
    const char *phrase = NULL;
    struct err e = {0};

    (void)state;
    assert_ok(sha256(buf_span(&spki), hash, &e), &e);
    hex_format(span_of(hash, sizeof(hash)), hex);
    assert_ok(file_write(path, span_str(hex), 0600, &e), &e);
    b = blocked_keys_load(path, &e);
    assert_non_null(b);

    assert_err(weak_key_check(buf_span(&spki), b, &phrase, &e), ERR_INPUT, &e);
    assert_non_null(strstr(phrase, "keys that others know"));
    assert_ok(weak_key_check(buf_span(&fine), b, &phrase, &e), &e);
    assert_ok(weak_key_check(buf_span(&spki), NULL, &phrase, &e), &e);

    assert_err(weak_key_check_signer(signer, b, &phrase, &e), ERR_DENIED, &e);
    assert_non_null(strstr(phrase, "the key that signs"));
    assert_ok(weak_key_check_signer(innocent, b, &phrase, &e), &e);
    assert_ok(weak_key_check_signer(signer, NULL, &phrase, &e), &e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_flaw_has_its_phrase),
        cmocka_unit_test(keys_of_other_kinds_and_sizes_have_theirs),
        cmocka_unit_test(sound_keys_pass),
        cmocka_unit_test(the_operators_list_is_heeded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
