/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ossl.h"

#include <openssl/err.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

static void
base64_takes_the_canonical_form_only(void **state)
{
    static const struct {
        const char *text;
        const char *reason;
    } bad[] = {
        {"Y", "base64: the length is not a multiple of 4"},
        {"YQ", "base64: the length is not a multiple of 4"},
        {"YWJ", "base64: the length is not a multiple of 4"},
        {" YQ==", "base64: the length is not a multiple of 4"},
        {"YR==", "base64: not in canonical form"},
        {"Y===", "base64: "},
        {"====", "base64: "},
        {"YWI=YWI=", "base64: "},
        {"YQ=\n", "base64: "},
        {"Y!==", "base64: a character outside the alphabet"},
        {"   YQ==", "base64: the length"},
        {" YQ=", "base64: "},
    };
    CLEANUP(buf_free) struct buf out = BUF_INIT(100);
    CLEANUP(mem_cleanup) char *text = base64_dup(SPAN_LITERAL("ab"));
    struct err e = {0};

    (void)state;
    assert_string_equal(text, "YWI=");
    assert_ok(base64_parse("YWI=", &out, &e), &e);
    assert_true(span_equal(buf_span(&out), SPAN_LITERAL("ab")));
    assert_ok(base64_parse("", &out, &e), &e);
    assert_int_equal(out.n, 2);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (base64_parse(bad[i].text, &out, &e) == 0 || strstr(e.text, bad[i].reason) == NULL) {
            fail_msg("%s: %s", bad[i].text, e.text);
        }
        assert_int_equal(e.code, ERR_INPUT);
        assert_int_equal(out.n, 2);
    }
}

static void
base64_goes_round_and_has_the_room_that_it_gets(void **state)
{
    static const uint8_t octets[] = {0, 1, 2, 0xfe, 0xff, 0x3f, 0xf0};

    (void)state;
    for (size_t n = 0; n <= sizeof(octets); n++) {
        CLEANUP(buf_free) struct buf out = BUF_INIT((n + 2) / 3 * 3);
        CLEANUP(buf_free) struct buf less = BUF_INIT(n < 3 ? 0 : (n + 2) / 3 * 3 - 1);
        CLEANUP(mem_cleanup) char *text = base64_dup(span_of(octets, n));
        struct err e = {0};

        assert_int_equal(strlen(text), (n + 2) / 3 * 4);
        assert_ok(base64_parse(text, &out, &e), &e);
        assert_true(span_equal(buf_span(&out), span_of(octets, n)));
        if (n > 0) {
            assert_err(base64_parse(text, &less, &e), ERR_INPUT, &e);
        }
    }
}

static void
times_go_round_and_impossible_dates_are_refused(void **state)
{
    static const struct {
        const char *text;
        const char *reason;
    } bad[] = {
        {"2026-02-30T00:00:00Z", "no such date"},
        {"2026-11-31T00:00:00Z", "no such date"},
        {"2026-11-23T20:00:60Z", "no such date"},
        {"2026-11-23T20:00:00", "not a time like 2026-11-23T20:00:00Z"},
        {"2026-11-23 20:00:00Z", "not a time like 2026-11-23T20:00:00Z"},
        {"2026-11-23T25:00:00Z", "not a time like 2026-11-23T20:00:00Z"},
        {"2026-11-23T20:00:00Zx", "not a time like 2026-11-23T20:00:00Z"},
        {"2026-11-23T20:00:0Z", "not a time like 2026-11-23T20:00:00Z"},
        {" 2026-1-23T20:00:00Z", "not a time like 2026-11-23T20:00:00Z"},
        {"2026- 1-23T20:00:00Z", "no such date"},
        {"", "not a time like 2026-11-23T20:00:00Z"},
    };
    char text[TIME_TEXT_SIZE];
    time_t t = 0;
    struct err e = {0};

    (void)state;
    assert_ok(time_parse("2026-11-23T20:00:00Z", &t, &e), &e);
    time_format(t, text);
    assert_string_equal(text, "2026-11-23T20:00:00Z");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (time_parse(bad[i].text, &t, &e) == 0 || e.code != ERR_INPUT ||
            (strcmp(e.text, bad[i].reason) != 0 && bad[i].text[0] != ' ' &&
             bad[i].text[5] != ' ')) {
            fail_msg("%s: %s", bad[i].text, e.text);
        }
    }
    assert_ok(time_parse("2024-02-29T23:59:59Z", &t, &e), &e);
    assert_int_equal(t, 1709251199);
}

static void
sha256_of_abc_is_the_published_value(void **state)
{
    uint8_t hash[SHA256_SIZE];
    char text[2 * SHA256_SIZE + 1];
    struct err e = {0};

    (void)state;
    assert_ok(sha256(SPAN_LITERAL("abc"), hash, &e), &e);
    hex_format(span_of(hash, sizeof(hash)), text);
    assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void
a_certificate_with_octets_behind_it_is_refused(void **state)
{
    static const uint8_t not_one[] = {0x30, 0x03, 0x02, 0x01, 0x01};
    struct err e = {0};

    (void)state;
    assert_null(certificate_parse(span_of(not_one, sizeof(not_one)), &e));
    assert_int_equal(e.code, ERR_INPUT);
    assert_null(certificate_parse(SPAN_LITERAL("hello"), &e));
    assert_non_null(strstr(e.text, "not an X.509 certificate in DER or PEM"));
    assert_null(certificate_parse(SPAN_LITERAL(""), &e));
    assert_null(certificate_load("/nonexistent.pem", &e));
    assert_int_equal(e.code, ERR_NOTFOUND);
}

static void
self_signed(struct buf *der)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(x509_cleanup) X509 *made = X509_new();
    struct err e = {0};

    assert_int_equal(X509_set_version(made, X509_VERSION_3), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(made), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(made), 60));
    assert_int_equal(X509_set_pubkey(made, key), 1);
    assert_true(X509_sign(made, key, EVP_sha256()) > 0);
    assert_ok(OSSL_ENCODE(X509, made, der, &e), &e);
}

static void
a_certificate_is_loaded_in_der_and_in_pem(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/c", dir);
    CLEANUP(buf_free) struct buf der = BUF_INIT(4096);
    CLEANUP(buf_free) struct buf more = BUF_INIT(4096);
    CLEANUP(buf_free) struct buf loaded = BUF_INIT(0);
    CLEANUP(mem_cleanup) char *base64 = NULL;
    CLEANUP(mem_cleanup) char *pem = NULL;
    CLEANUP(x509_cleanup) X509 *from_der = NULL;
    CLEANUP(x509_cleanup) X509 *from_pem = NULL;
    CLEANUP(x509_cleanup) X509 *both = NULL;
    struct err e = {0};

    (void)state;
    self_signed(&der);
    base64 = base64_dup(buf_span(&der));
    pem = mem_printf("-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n", base64);
    from_der = certificate_parse(buf_span(&der), &e);
    from_pem = certificate_parse(span_str(pem), &e);
    assert_non_null(from_der);
    assert_non_null(from_pem);
    assert_int_equal(X509_cmp(from_der, from_pem), 0);
    assert_ok(buf_set(&more, buf_span(&der), &e), &e);
    assert_ok(buf_append_str(&more, "x", &e), &e);
    assert_null(certificate_parse(buf_span(&more), &e));
    assert_string_equal(e.text, "octets behind the certificate");
    assert_null(certificate_parse_keyless(buf_span(&more), &e));
    assert_string_equal(e.text, "octets behind the certificate");
    assert_ok(file_write(path, span_str(pem), 0600, &e), &e);
    assert_ok(certificate_load_der(path, 4096, &both, &loaded, &e), &e);
    assert_true(span_equal(buf_span(&loaded), buf_span(&der)));
    X509_free(both);
    both = NULL;
    buf_free(&loaded);
    assert_err(certificate_load_der(path, der.n - 1, &both, &loaded, &e), ERR_INPUT, &e);
    assert_ok(file_write(path, SPAN_LITERAL("hello"), 0600, &e), &e);
    assert_null(certificate_load(path, &e));
    assert_non_null(strstr(e.text, "/c: not an X.509 certificate in DER or PEM"));
    X509_free(both);
    both = NULL;
    assert_err(certificate_load_der("/nonexistent", 4096, &both, &loaded, &e), ERR_NOTFOUND, &e);
}

/* 64 KiB. */
static void
a_file_of_a_certificate_has_its_largest_size(void **state)
{
    static char text[64 * 1024 + 1];
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/c", dir);
    struct err e = {0};

    (void)state;
    memset(text, ' ', sizeof(text));
    assert_ok(file_write(path, span_of(text, sizeof(text) - 1), 0600, &e), &e);
    assert_null(certificate_load(path, &e));
    assert_non_null(strstr(e.text, "not an X.509 certificate"));
    assert_ok(file_write(path, span_of(text, sizeof(text)), 0600, &e), &e);
    assert_null(certificate_load(path, &e));
    assert_non_null(strstr(e.text, "more than the allowed 65536 octets"));
}

/* The reason is the last one of OpenSSL's, and none is left for the next. */
static void
what_openssl_says_is_told_once(void **state)
{
    struct err e = {0};

    (void)state;
    ERR_clear_error();
    (void)ossl_err(&e, ERR_CRYPTO, "a %d", 1);
    assert_string_equal(e.text, "a 1");
    assert_int_equal(e.code, ERR_CRYPTO);
    assert_null(certificate_parse(SPAN_LITERAL("\x30"), &e));
    assert_non_null(strstr(e.text, "not an X.509 certificate in DER or PEM: "));
    assert_int_equal(ERR_peek_error(), 0);
}

static void
random_octets_are_others_each_time(void **state)
{
    uint8_t first[32] = {0};
    uint8_t second[32] = {0};
    struct err e = {0};

    (void)state;
    assert_ok(random_bytes(first, sizeof(first), &e), &e);
    assert_ok(random_bytes(second, sizeof(second), &e), &e);
    assert_memory_not_equal(first, second, sizeof(first));
    assert_memory_not_equal(first + 16, second + 16, 16);
}

static void
clocks_go_on(void **state)
{
    int64_t before = clock_monotonic_ms();
    time_t now = clock_now();
    struct timespec real = {0};

    (void)state;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &real), 0);
    assert_true(before / 1000 <= real.tv_sec && before > 0);
    assert_true(clock_monotonic_ms() >= before);
    assert_true(clock_now() >= now && now > 1700000000);
}

static void
a_public_key_comes_out_as_it_went_in(void **state)
{
    static const char *const kinds[][2] = {
        {"EC", "P-256"}, {"EC", "P-384"}, {"EC", "P-521"}, {"ED25519", NULL}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        CLEANUP(evp_pkey_cleanup)
        EVP_PKEY *key = kinds[i][1] != NULL ? EVP_EC_gen(kinds[i][1])
                                            : EVP_PKEY_Q_keygen(NULL, NULL, kinds[i][0]);
        CLEANUP(evp_pkey_cleanup) EVP_PKEY *parsed = NULL;
        CLEANUP(buf_free) struct buf spki = BUF_INIT(1024);
        CLEANUP(buf_free) struct buf again = BUF_INIT(1024);
        struct err e = {0};

        assert_ok(OSSL_ENCODE(PUBKEY, key, &spki, &e), &e);
        parsed = public_key_parse(buf_span(&spki), &e);
        assert_non_null(parsed);
        assert_int_equal(EVP_PKEY_eq(parsed, key), 1);
        assert_ok(OSSL_ENCODE(PUBKEY, parsed, &again, &e), &e);
        assert_true(span_equal(buf_span(&again), buf_span(&spki)));
        /* cut off, and with an octet behind it */
        assert_null(public_key_parse(span_of(spki.p, spki.n - 1), &e));
        assert_int_equal(e.code, ERR_INPUT);
        assert_ok(buf_append(&spki, SPAN_LITERAL("x"), &e), &e);
        assert_null(public_key_parse(buf_span(&spki), &e));
    }
}

static void
a_point_that_is_not_on_its_curve_is_no_public_key(void **state)
{
    static const char *const curves[] = {"P-256", "P-384"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen(curves[i]);
        CLEANUP(buf_free) struct buf spki = BUF_INIT(1024);
        struct err e = {0};

        assert_ok(OSSL_ENCODE(PUBKEY, key, &spki, &e), &e);
        spki.p[spki.n - 1] ^= 1;
        assert_null(public_key_parse(buf_span(&spki), &e));
        assert_int_equal(e.code, ERR_INPUT);
        memset(spki.p + spki.n - 64, 0, 64);
        assert_null(public_key_parse(buf_span(&spki), &e));
        memset(spki.p + spki.n - 64, 0xff, 64); /* coordinates beyond the field */
        assert_null(public_key_parse(buf_span(&spki), &e));
    }
}

static void
a_certificate_without_its_key_has_all_other_fields(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(x509_cleanup) X509 *made = X509_new();
    CLEANUP(x509_cleanup) X509 *parsed = NULL;
    CLEANUP(buf_free) struct buf der = BUF_INIT(4096);
    CLEANUP(buf_free) struct buf again = BUF_INIT(4096);
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(4096);
    CLEANUP(buf_free) struct buf tbs_again = BUF_INIT(4096);
    struct err e = {0};

    (void)state;
    assert_int_equal(X509_set_version(made, X509_VERSION_3), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(made), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(made), 60));
    assert_int_equal(X509_set_pubkey(made, key), 1);
    assert_true(X509_sign(made, key, EVP_sha256()) > 0);
    assert_ok(OSSL_ENCODE(X509, made, &der, &e), &e);

    parsed = certificate_parse_keyless(buf_span(&der), &e);
    assert_non_null(parsed);
    assert_null(X509_get0_pubkey(parsed));
    assert_ok(OSSL_ENCODE(X509, parsed, &again, &e), &e);
    assert_true(span_equal(buf_span(&again), buf_span(&der)));
    assert_ok(OSSL_ENCODE(re_X509_tbs, parsed, &tbs_again, &e), &e);
    assert_ok(OSSL_ENCODE(re_X509_tbs, made, &tbs, &e), &e);
    assert_true(span_equal(buf_span(&tbs), buf_span(&tbs_again)));

    assert_null(certificate_parse_keyless(span_of(der.p, der.n - 1), &e));
    assert_int_equal(e.code, ERR_INPUT);
    assert_non_null(strstr(e.text, "not an X.509 certificate in DER"));
    assert_ok(buf_append(&der, SPAN_LITERAL("x"), &e), &e);
    assert_null(certificate_parse_keyless(buf_span(&der), &e));
}

#define WITHOUT_MEMORY "--without-locked-memory"

/* In a process of its own: as a user who may lock nothing. */
static int
start_without_memory(void)
{
    const struct rlimit none = {0, 0};
    struct err e = {0};

    return setrlimit(RLIMIT_MEMLOCK, &none) == 0 && (geteuid() != 0 || setuid(65534) == 0) &&
                   ossl_init(&e) != 0 && e.code == ERR_CRYPTO &&
                   strstr(e.text, "no locked memory for secrets: raise RLIMIT_MEMLOCK") != NULL
               ? 0
               : 1;
}

static void
without_locked_memory_nothing_starts(void **state)
{
    int status = -1;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        (void)execl("/proc/self/exe", "unit.base.ossl", WITHOUT_MEMORY, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void
an_extension_is_found_wherever_it_stands(void **state)
{
    static const int nids[] = {NID_subject_alt_name, NID_basic_constraints, NID_key_usage};
    static const char *const values[] = {"DNS:a.example", "CA:FALSE", "digitalSignature"};
    CLEANUP(x509_cleanup) X509 *certificate = X509_new();

    (void)state;
    assert_false(ossl_has_extension(NULL, NID_key_usage));
    for (size_t i = 0; i < ARRAY_LEN(nids); i++) {
        CLEANUP(x509_extension_cleanup)
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nids[i], values[i]);

        assert_false(ossl_has_extension(X509_get0_extensions(certificate), nids[i]));
        assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
        for (size_t k = 0; k <= i; k++) {
            assert_true(ossl_has_extension(X509_get0_extensions(certificate), nids[k]));
        }
    }
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_takes_the_canonical_form_only),
        cmocka_unit_test(times_go_round_and_impossible_dates_are_refused),
        cmocka_unit_test(sha256_of_abc_is_the_published_value),
        cmocka_unit_test(a_certificate_with_octets_behind_it_is_refused),
        cmocka_unit_test(base64_goes_round_and_has_the_room_that_it_gets),
        cmocka_unit_test(a_certificate_is_loaded_in_der_and_in_pem),
        cmocka_unit_test(a_file_of_a_certificate_has_its_largest_size),
        cmocka_unit_test(what_openssl_says_is_told_once),
        cmocka_unit_test(random_octets_are_others_each_time),
        cmocka_unit_test(clocks_go_on),
        cmocka_unit_test(an_extension_is_found_wherever_it_stands),
        cmocka_unit_test(without_locked_memory_nothing_starts),
        cmocka_unit_test(a_public_key_comes_out_as_it_went_in),
        cmocka_unit_test(a_point_that_is_not_on_its_curve_is_no_public_key),
        cmocka_unit_test(a_certificate_without_its_key_has_all_other_fields),
    };
    struct err e = {0};
    int result;

    if (argc == 2 && strcmp(argv[1], WITHOUT_MEMORY) == 0) {
        return start_without_memory();
    }
    result = ossl_init(&e) != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
    OPENSSL_cleanup(); /* ossl_init() leaves it to the program */
    return result;
}
