/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/weakness.h"

#include <openssl/rsa.h>

#include "tests/support/pki.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/ca/cmp/fixture.h"

static void
each_weakness_is_told_to_who_asks(void **state)
{
    static const struct {
        const char *vector;
        const char *begins;
    } rows[] = {
        {"exponent-3", "weak key: the RSA exponent must be odd"},
        {"small-factor", "weak key: the RSA modulus has a small factor"},
        {"roca", "weak key: its generator has the flaw ROCA"},
        {"close-primes", "weak key: the primes of the RSA modulus are too close"},
        {"prime", "weak key: the RSA modulus is a prime"},
        {"sound", NULL},
        {"P-521", "the public key is of a kind, a curve or a size"},
        {"RSA-1024", "the RSA key has fewer than 2048 bits"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(evp_pkey_cleanup)
        EVP_PKEY *key = strcmp(rows[i].vector, "P-521") == 0      ? EVP_EC_gen("P-521")
                        : strcmp(rows[i].vector, "RSA-1024") == 0 ? EVP_RSA_gen(1024)
                                                                  : pki_weak_key(rows[i].vector);
        CLEANUP(buf_free) struct buf spki = pki_spki(key);
        enum cmp_failure failure = CMP_NO_FAILURE;
        char told[PHRASE_SIZE];
        struct err e = {0};
        int result = weakness_check(buf_span(&spki), NULL, &failure, &e);

        if (rows[i].begins == NULL) {
            assert_int_equal(result, 0);
            continue;
        }
        phrase_tell(failure, &e, told);
        if (result == 0 || failure != CMP_BAD_CERT_TEMPLATE ||
            strncmp(told, rows[i].begins, strlen(rows[i].begins)) != 0) {
            fail_msg("%s: %s: %s", rows[i].vector, cmp_failure_name(failure), told);
        }
    }
}

static void
a_key_that_others_know_certifies_and_signs_nothing(void **state)
{
    struct world *w = *state;
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/blocked", dir);
    CLEANUP(blocked_keys_cleanup) struct blocked_keys *blocked = NULL;
    CLEANUP(buf_free) struct buf spki = pki_spki(w->device_key);
    CLEANUP(buf_free) struct buf other = pki_spki(w->key);
    CLEANUP(x509_cleanup) X509 *innocent = certificate_of(w->key, "device");
    enum cmp_failure failure = CMP_NO_FAILURE;
    uint8_t hash[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];
    char told[PHRASE_SIZE];
    struct err e = {0};

    assert_ok(sha256(buf_span(&spki), hash, &e), &e);
    hex_format(span_of(hash, sizeof(hash)), hex);
    assert_ok(file_write(path, span_str(hex), 0600, &e), &e);
    blocked = blocked_keys_load(path, &e);
    assert_non_null(blocked);

    assert_int_equal(weakness_check(buf_span(&spki), blocked, &failure, &e), -1);
    assert_int_equal(failure, CMP_BAD_CERT_TEMPLATE);
    phrase_tell(failure, &e, told);
    assert_non_null(strstr(told, "it is on the list of keys that others know"));
    assert_ok(weakness_check(buf_span(&other), blocked, &failure, &e), &e);

    assert_int_equal(weakness_check_signer(w->device, blocked, &failure, &e), -1);
    assert_int_equal(failure, CMP_SIGNER_NOT_TRUSTED);
    phrase_tell(failure, &e, told);
    assert_non_null(strstr(told, "the key that signs is on the list"));
    assert_ok(weakness_check_signer(innocent, blocked, &failure, &e), &e);
    assert_ok(weakness_check_signer(w->device, NULL, &failure, &e), &e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_weakness_is_told_to_who_asks),
        cmocka_unit_test(a_key_that_others_know_certifies_and_signs_nothing),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
