/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/weak_key.h"

#include "base/file.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

static struct buf
spki_of_vector(const char *name)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_weak_key(name);

    return pki_spki(key);
}

static void
expect_weakness(const char *what, struct span spki, enum weakness wanted)
{
    struct err e = {0};
    enum weakness weakness = WEAKNESS_NONE;

    assert_err(weak_key_check(spki, NULL, &weakness, &e), ERR_INPUT, &e);
    if (weakness != wanted) {
        fail_msg("%s: %d", what, (int)weakness);
    }
}

static void
each_flaw_has_its_name(void **state)
{
    static const struct {
        const char *name;
        enum weakness weakness;
    } rows[] = {
        {"exponent-3", WEAKNESS_EXPONENT}, {"small-factor", WEAKNESS_SMALL_FACTOR},
        {"roca", WEAKNESS_ROCA},           {"close-primes", WEAKNESS_CLOSE_PRIMES},
        {"prime", WEAKNESS_PRIME},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf spki = spki_of_vector(rows[i].name);

        expect_weakness(rows[i].name, buf_span(&spki), rows[i].weakness);
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
    expect_weakness("P-521", buf_span(&a), WEAKNESS_KIND);
    expect_weakness("RSA-1024", buf_span(&b), WEAKNESS_SIZE);
}

static void
sound_keys_pass(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *ec = pki_key("P-384");
    CLEANUP(buf_free) struct buf a = pki_spki(ec);
    CLEANUP(buf_free) struct buf b = spki_of_vector("sound");
    enum weakness weakness = WEAKNESS_LISTED;
    struct err e = {0};

    (void)state;
    assert_ok(weak_key_check(buf_span(&a), NULL, &weakness, &e), &e);
    assert_int_equal(weakness, WEAKNESS_NONE);
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
    enum weakness weakness;
    struct err e = {0};

    (void)state;
    assert_ok(sha256(buf_span(&spki), hash, &e), &e);
    hex_format(span_of(hash, sizeof(hash)), hex);
    assert_ok(file_write(path, span_str(hex), 0600, &e), &e);
    b = blocked_keys_load(path, &e);
    assert_non_null(b);

    assert_err(weak_key_check(buf_span(&spki), b, &weakness, &e), ERR_INPUT, &e);
    assert_int_equal(weakness, WEAKNESS_LISTED);
    assert_ok(weak_key_check(buf_span(&fine), b, &weakness, &e), &e);
    assert_ok(weak_key_check(buf_span(&spki), NULL, &weakness, &e), &e);

    assert_err(weak_key_check_signer(signer, b, &e), ERR_DENIED, &e);
    assert_ok(weak_key_check_signer(innocent, b, &e), &e);
    assert_ok(weak_key_check_signer(signer, NULL, &e), &e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_flaw_has_its_name),
        cmocka_unit_test(keys_of_other_kinds_and_sizes_have_theirs),
        cmocka_unit_test(sound_keys_pass),
        cmocka_unit_test(the_operators_list_is_heeded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
