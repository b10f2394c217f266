/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/protection/mac_algorithm.h"

#include <string.h>

#include "ca/cmp/message/der.h"
#include "ca/cmp/message/phrase.h"
#include "ca/cmp/protection/mac.h"
#include "tests/unit/ca/cmp/fixture.h"

static void
make(bool pbmac1, uint32_t count, struct buf *out)
{
    struct err e = {0};

    *out = BUF_INIT(1024);
    assert_ok(pbmac1 ? cmp_client_pbmac1(NID_hmacWithSHA256, count, NID_hmacWithSHA256, out, &e)
                     : cmp_client_pbm(NID_sha256, count, NID_hmacWithSHA256, out, &e),
              &e);
}

static void
each_kind_has_its_own_ceiling_and_says_it(void **state)
{
    static const struct {
        bool pbmac1;
        uint32_t count;
        struct cmp_mac_limits limits;
        const char *phrase; /* NULL: it is taken */
    } rows[] = {
        {true,
         99,
         {0},
         "PBMAC1 with 99 iterations, at least 100 are taken here: set the client so"},
        {true, 100, {0}, NULL},
        {true, 262144, {0}, NULL},
        {true, 300000, {0}, NULL},
        {true,
         300001,
         {0},
         "PBMAC1 with 300001 iterations, at most 300000 are taken here: set the client so"},
        {true, 1000000, {.pbmac1_max = 1000000}, NULL},
        {true,
         1000001,
         {.pbmac1_max = 1000000},
         "PBMAC1 with 1000001 iterations, at most 1000000 are taken here: set the client so"},
        {true, 300000, {.count_max = 500}, NULL}, /* the other kind's */
        {true,
         2147483647,
         {0},
         "PBMAC1 with 2147483647 iterations, at most 300000 are taken here: set the client so"},
        {true,
         99,
         {.count_min = 50},
         "PBMAC1 with 99 iterations, at least 100 are taken here: set the client so"},
        {true,
         999,
         {.count_min = 1000},
         "PBMAC1 with 999 iterations, at least 1000 are taken here: set the client so"},
        {true, 1000, {.count_min = 1000}, NULL},
        {false,
         99,
         {0},
         "PasswordBasedMac with 99 iterations, at least 100 are taken here: set the client so"},
        {false, 10000, {0}, NULL},
        {false,
         10001,
         {0},
         "PasswordBasedMac with 10001 iterations, at most 10000 are taken here: set the client so"},
        {false,
         10001,
         {.pbmac1_max = 1000000},
         "PasswordBasedMac with 10001 iterations, at most "
         "10000 are taken here: set the client so"},
        {false, 100000, {.count_max = 100000}, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf algorithm = {0};
        enum cmp_failure failure = CMP_NO_FAILURE;
        char told[PHRASE_SIZE];
        struct err e = {0};
        int result;

        make(rows[i].pbmac1, rows[i].count, &algorithm);
        result = cmp_mac_algorithm_check(buf_span(&algorithm), &rows[i].limits, &failure, &e);
        assert_int_equal(result, rows[i].phrase == NULL ? 0 : -1);
        assert_int_equal(failure, rows[i].phrase == NULL ? CMP_NO_FAILURE : CMP_BAD_ALG);
        if (rows[i].phrase != NULL) {
            phrase_tell(failure, &e, told);
            assert_string_equal(told, rows[i].phrase);
        }
    }
}

/* A count that no integer of ours holds, and one below zero. */
static void
a_count_out_of_all_bounds_is_a_bad_algorithm(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        CLEANUP(buf_free) struct buf algorithm = {0};
        enum cmp_failure failure = CMP_NO_FAILURE;
        char told[PHRASE_SIZE];
        struct err e = {0};
        size_t at = 0;

        /* INTEGER of four octets: it becomes negative, or its tag that of another type */
        make(true, 0x7f112233, &algorithm);
        while (memcmp(algorithm.p + at, "\x02\x04\x7f\x11\x22\x33", 6) != 0) {
            at++;
        }
        if (i == 0) {
            algorithm.p[at + 2] = 0xff;
        } else {
            algorithm.p[at] = 0x04;
        }
        assert_int_equal(cmp_mac_algorithm_check(buf_span(&algorithm), NULL, &failure, &e), -1);
        assert_int_equal(failure, CMP_BAD_ALG);
        phrase_tell(failure, &e, told);
        assert_string_equal(told, i == 0
                                      ? "PBMAC1 with -15654349 iterations, at least 100 are taken "
                                        "here: set the client so"
                                      : phrase_text(phrase_of_failure(CMP_BAD_ALG)));
    }
}

/* An arc that OpenSSL has no name for: SHA-1's HMAC has no second one among them. */
static void
functions_that_nobody_knows_are_bad_algorithms(void **state)
{
    /* id-sha256, hmacWithSHA256: their last octets, and others */
    static const struct {
        bool pbmac1;
        struct span oid;
        uint8_t last;
    } rows[] = {
        {false, {(const uint8_t *)"\x60\x86\x48\x01\x65\x03\x04\x02\x01", 9}, 0x7f},
        {false, {(const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x02\x09", 8}, 0x7f},
        {true, {(const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x02\x09", 8}, 0x7f},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf algorithm = {0};
        enum cmp_failure failure = CMP_NO_FAILURE;
        struct err e = {0};
        uint8_t *at;

        make(rows[i].pbmac1, 1000, &algorithm);
        assert_ok(cmp_mac_algorithm_check(buf_span(&algorithm), NULL, &failure, &e), &e);
        at = memmem(algorithm.p, algorithm.n, rows[i].oid.p, rows[i].oid.n);
        assert_non_null(at);
        at[rows[i].oid.n - 1] = rows[i].last;
        assert_int_equal(cmp_mac_algorithm_check(buf_span(&algorithm), NULL, &failure, &e), -1);
        assert_int_equal(failure, CMP_BAD_ALG);
        assert_string_equal(e.text, "hash or HMAC is not SHA-1 or SHA-2");
    }
}

static void
short_and_long_salts_are_bad_algorithms(void **state)
{
    (void)state;
    for (uint8_t n = 0; n <= 20; n++) {
        /* AlgorithmIdentifier { PBM, { salt[n], sha256, 500, hmac-sha1 } } */
        static const uint8_t tail[] = {0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,
                                       0x04, 0x02, 0x01, 0x02, 0x02, 0x01, 0xf4, 0x30, 0x0a, 0x06,
                                       0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x08, 0x01, 0x02};
        const uint8_t head[] = {0x30,
                                (uint8_t)(2 + 9 + 2 + 2 + n + sizeof(tail)),
                                0x06,
                                0x09,
                                0x2a,
                                0x86,
                                0x48,
                                0x86,
                                0xf6,
                                0x7d,
                                0x07,
                                0x42,
                                0x0d,
                                0x30,
                                (uint8_t)(2 + n + sizeof(tail)),
                                0x04,
                                n};
        const uint8_t salt[20] = {0};
        CLEANUP(buf_free) struct buf algorithm = BUF_INIT(1024);
        enum cmp_failure failure = CMP_NO_FAILURE;
        char told[PHRASE_SIZE];
        struct err e = {0};

        assert_ok(buf_append(&algorithm, span_of(head, sizeof(head)), &e), &e);
        if (n != 0) {
            assert_ok(buf_append(&algorithm, span_of(salt, n), &e), &e);
        }
        assert_ok(buf_append(&algorithm, span_of(tail, sizeof(tail)), &e), &e);
        assert_true((cmp_mac_algorithm_check(buf_span(&algorithm), &(struct cmp_mac_limits){0},
                                             &failure, &e) == 0) == (n >= CMP_MAC_SALT_MIN));
        assert_int_equal(failure, n >= CMP_MAC_SALT_MIN ? CMP_NO_FAILURE : CMP_BAD_ALG);
        if (n < CMP_MAC_SALT_MIN) {
            phrase_tell(failure, &e, told);
            assert_non_null(strstr(told, "octets, 8 to 128 are taken here"));
        }
    }
}

static void
the_work_is_iterations_times_blocks(void **state)
{
    static const struct {
        int prf;
        uint64_t steps;
    } rows[] = {
        {NID_hmacWithSHA1, 2000}, /* 32 octets of 20 each */
        {NID_hmacWithSHA224, 2000},
        {NID_hmacWithSHA256, 1000},
        {NID_hmacWithSHA512, 1000},
    };
    CLEANUP(buf_free) struct buf pbm = {0};
    struct cmp_mac_work work;
    struct cmp_mac_work other;
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf algorithm = BUF_INIT(1024);

        assert_ok(cmp_client_pbmac1(rows[i].prf, 1000, NID_hmacWithSHA256, &algorithm, &e), &e);
        assert_ok(cmp_mac_algorithm_work(buf_span(&algorithm), &work, &e), &e);
        assert_int_equal(work.steps, rows[i].steps);
        assert_true(work.kind < CMP_MAC_KINDS);
    }
    make(false, 500, &pbm);
    assert_ok(cmp_mac_algorithm_work(buf_span(&pbm), &other, &e), &e);
    assert_int_equal(other.steps, 500);
    assert_int_not_equal(other.kind, work.kind);
    /* whatever the count: a limit is another question */
    buf_free(&pbm);
    make(true, 2000000000, &pbm);
    assert_ok(cmp_mac_algorithm_work(buf_span(&pbm), &other, &e), &e);
    assert_int_equal(other.steps, 2000000000);
    assert_int_equal(cmp_mac_algorithm_work(SPAN_LITERAL("x"), &other, &e), -1);
    assert_int_equal(e.code, ERR_INPUT);
}

static void
a_long_key_costs_its_blocks(void **state)
{
    static const struct {
        int prf;
        uint32_t count;
        int key_size;
        bool good;
    } rows[] = {
        {NID_hmacWithSHA256, 300000, 15, false},  {NID_hmacWithSHA256, 300000, 16, true},
        {NID_hmacWithSHA1, 300000, 64, true},     /* four blocks */
        {NID_hmacWithSHA256, 300000, 160, true},  /* five */
        {NID_hmacWithSHA256, 300000, 161, false}, /* six */
        {NID_hmacWithSHA256, 10000, 4096, true},  /* 128 */
        {NID_hmacWithSHA256, 11719, 4096, false}, {NID_hmacWithSHA512, 20000, 4096, true},
        {NID_hmacWithSHA256, 1000, 4097, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf algorithm = BUF_INIT(1024);
        enum cmp_failure failure;
        struct err e = {0};

        assert_ok(cmp_client_pbmac1_key(rows[i].prf, rows[i].count, NID_hmacWithSHA256,
                                        rows[i].key_size, &algorithm, &e),
                  &e);
        if ((cmp_mac_algorithm_check(buf_span(&algorithm), NULL, &failure, &e) == 0) !=
            rows[i].good) {
            fail_msg("%u iterations, keyLength %d: %s", rows[i].count, rows[i].key_size, e.text);
        }
    }
}

static void
each_kind_of_work_can_be_done(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < CMP_MAC_KINDS; kind++) {
        const struct cmp_mac_work work = {.kind = kind, .steps = 100};
        struct cmp_mac_algorithm a;
        struct err e = {0};

        cmp_mac_algorithm_of_work(&work, &a);
        assert_true(a.pbmac1 == (kind >= CMP_MAC_KINDS / 2));
        assert_int_equal(a.count, 100);
        assert_ok(cmp_mac_work_do(&work, &e), &e);
    }
}

/* SEQUENCE of what follows; each of these is shorter than 128 octets. */
static void
wrap(uint8_t tag, struct span content, struct buf *out)
{
    struct err e = {0};

    assert_ok(der_append(out, tag, content, &e), &e);
}

#define OID_PBMAC1 "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0e"
#define OID_PBKDF2 "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c"
#define OID_SCRYPT "\x06\x09\x2b\x06\x01\x04\x01\xda\x47\x04\x0b"
/* AlgorithmIdentifier of HMAC with SHA-256, and of one with MD5 */
#define HMAC_SHA256 "\x30\x0c\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x09\x05\x00"
#define HMAC_MD5 "\x30\x0c\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x06\x05\x00"
#define SALT                                                                                       \
    "\x04\x08"                                                                                     \
    "12345678"
#define COUNT "\x02\x02\x01\xf4"

static void
parameters_of_pbmac1_are_pbkdf2_of_known_functions(void **state)
{
    const struct {
        const char *name;
        struct span kdf; /* its object identifier */
        struct span parameters;
        struct span mac;
        const char *says; /* NULL: good */
    } rows[] = {
        {"good", SPAN_LITERAL(OID_PBKDF2), SPAN_LITERAL(SALT COUNT HMAC_SHA256),
         SPAN_LITERAL(HMAC_SHA256), NULL},
        {"default prf, HMAC-SHA1", SPAN_LITERAL(OID_PBKDF2), SPAN_LITERAL(SALT COUNT),
         SPAN_LITERAL(HMAC_SHA256), NULL},
        {"scrypt", SPAN_LITERAL(OID_SCRYPT), SPAN_LITERAL(SALT COUNT HMAC_SHA256),
         SPAN_LITERAL(HMAC_SHA256), "key derivation of PBMAC1 is not PBKDF2"},
        {"salt of another source", SPAN_LITERAL(OID_PBKDF2),
         SPAN_LITERAL("\x30\x03\x06\x01\x2a" COUNT HMAC_SHA256), SPAN_LITERAL(HMAC_SHA256),
         "salt of PBKDF2 is not an OCTET STRING"},
        {"prf HMAC-MD5", SPAN_LITERAL(OID_PBKDF2), SPAN_LITERAL(SALT COUNT HMAC_MD5),
         SPAN_LITERAL(HMAC_SHA256), "hash or HMAC is not SHA-1 or SHA-2"},
        {"HMAC-MD5", SPAN_LITERAL(OID_PBKDF2), SPAN_LITERAL(SALT COUNT HMAC_SHA256),
         SPAN_LITERAL(HMAC_MD5), "hash or HMAC is not SHA-1 or SHA-2"},
        {"a count of nine octets", SPAN_LITERAL(OID_PBKDF2),
         SPAN_LITERAL(SALT "\x02\x09\x01zzzzzzzz" HMAC_SHA256), SPAN_LITERAL(HMAC_SHA256),
         "PBMAC1 with another count, 100 to 300000"},
        {"a keyLength of nine octets", SPAN_LITERAL(OID_PBKDF2),
         SPAN_LITERAL(SALT COUNT "\x02\x09\x01zzzzzzzz" HMAC_SHA256), SPAN_LITERAL(HMAC_SHA256),
         "PBMAC1 with another keyLength, 16 to 4096 octets"},
        {"a keyLength of 0", SPAN_LITERAL(OID_PBKDF2),
         SPAN_LITERAL(SALT COUNT "\x02\x01\x00" HMAC_SHA256), SPAN_LITERAL(HMAC_SHA256),
         "PBMAC1 with another keyLength, 16 to 4096 octets"},
        {"a salt of 7 octets", SPAN_LITERAL(OID_PBKDF2),
         SPAN_LITERAL("\x04\x07"
                      "1234567" COUNT HMAC_SHA256),
         SPAN_LITERAL(HMAC_SHA256), "PBMAC1 with a salt of 7 octets, 8 to 128"},
        {"parameters of another type", SPAN_LITERAL(OID_PBKDF2), SPAN_LITERAL("\x05\x00"),
         SPAN_LITERAL(HMAC_SHA256), "PBKDF2-params does not decode"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf parameters = BUF_INIT(1000);
        CLEANUP(buf_free) struct buf kdf = BUF_INIT(1000);
        CLEANUP(buf_free) struct buf both = BUF_INIT(1000);
        CLEANUP(buf_free) struct buf all = BUF_INIT(1000);
        CLEANUP(buf_free) struct buf algorithm = BUF_INIT(1000);
        CLEANUP(cmp_mac_key_cleanup) struct cmp_mac_key *key = NULL;
        enum cmp_failure failure = CMP_SYSTEM_FAILURE;
        struct err e = {0};

        assert_ok(buf_append(&kdf, rows[i].kdf, &e), &e);
        wrap(DER_SEQUENCE, rows[i].parameters, &parameters);
        assert_ok(buf_append(&kdf, buf_span(&parameters), &e), &e);
        wrap(DER_SEQUENCE, buf_span(&kdf), &both);
        assert_ok(buf_append(&both, rows[i].mac, &e), &e);
        assert_ok(buf_append(&all, SPAN_LITERAL(OID_PBMAC1), &e), &e);
        wrap(DER_SEQUENCE, buf_span(&both), &all);
        wrap(DER_SEQUENCE, buf_span(&all), &algorithm);
        (void)cmp_mac_algorithm_check(buf_span(&algorithm), NULL, &failure, &e);
        if (failure != (rows[i].says == NULL ? CMP_NO_FAILURE : CMP_BAD_ALG) ||
            (rows[i].says != NULL && strstr(e.text, rows[i].says) == NULL)) {
            fail_msg("%s: %s: %s", rows[i].name, cmp_failure_name(failure), e.text);
        }
        /* a key is derived of nothing else */
        failure = CMP_SYSTEM_FAILURE;
        key = cmp_mac_key_new(buf_span(&algorithm), SPAN_LITERAL(SECRET), NULL, &failure, &e);
        assert_int_equal(key != NULL, rows[i].says == NULL);
        assert_int_equal(failure, rows[i].says == NULL ? CMP_NO_FAILURE : CMP_BAD_ALG);
        cmp_mac_key_free(key);
        key = cmp_mac_key_random(buf_span(&algorithm), NULL, &failure, &e);
        assert_int_equal(key != NULL, rows[i].says == NULL);
        assert_int_equal(failure, rows[i].says == NULL ? CMP_NO_FAILURE : CMP_BAD_ALG);
    }
}

static void
a_salt_is_taken_up_to_its_limit(void **state)
{
    static const uint8_t zeros[CMP_MAC_SALT_MAX + 1];

    (void)state;
    for (size_t n = CMP_MAC_SALT_MAX; n <= CMP_MAC_SALT_MAX + 1; n++) {
        /* PBM { salt, sha256, 500, hmac-sha1 } */
        CLEANUP(buf_free) struct buf content = BUF_INIT(1000);
        CLEANUP(buf_free) struct buf all = BUF_INIT(1000);
        CLEANUP(buf_free) struct buf algorithm = BUF_INIT(1000);
        enum cmp_failure failure = CMP_SYSTEM_FAILURE;
        struct err e = {0};

        wrap(0x04, span_of(zeros, n), &content);
        assert_ok(buf_append(&content,
                             SPAN_LITERAL("\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01"
                                          "\x02\x02\x01\xf4"
                                          "\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x08\x01\x02"),
                             &e),
                  &e);
        assert_ok(
            buf_append(&all, SPAN_LITERAL("\x06\x09\x2a\x86\x48\x86\xf6\x7d\x07\x42\x0d"), &e), &e);
        wrap(DER_SEQUENCE, buf_span(&content), &all);
        wrap(DER_SEQUENCE, buf_span(&all), &algorithm);
        (void)cmp_mac_algorithm_check(buf_span(&algorithm), NULL, &failure, &e);
        assert_int_equal(failure, n <= CMP_MAC_SALT_MAX ? CMP_NO_FAILURE : CMP_BAD_ALG);
        if (n > CMP_MAC_SALT_MAX) {
            assert_non_null(strstr(e.text, "with a salt of 129 octets, 8 to 128"));
        }
    }
}

static bool
is_pbmac1(const struct buf *der)
{
    const unsigned char *p = der->p;
    CLEANUP(x509_algor_cleanup) X509_ALGOR *algorithm = d2i_X509_ALGOR(NULL, &p, (long)der->n);

    assert_non_null(algorithm);
    return cmp_mac_is_pbmac1(algorithm);
}

static void
what_is_no_mac_is_told_from_pbmac1(void **state)
{
    CLEANUP(buf_free) struct buf pbm = {0};
    CLEANUP(buf_free) struct buf pbmac1 = {0};
    enum cmp_failure failure = CMP_NO_FAILURE;
    struct err e = {0};

    (void)state;
    make(false, 500, &pbm);
    make(true, 500, &pbmac1);
    assert_false(is_pbmac1(&pbm));
    assert_true(is_pbmac1(&pbmac1));
    assert_false(cmp_mac_is_pbmac1(NULL));
    assert_int_equal(
        cmp_mac_algorithm_check(SPAN_LITERAL("\x30\x03\x06\x01\x2a"), NULL, &failure, &e), -1);
    assert_int_equal(failure, CMP_BAD_ALG);
    assert_string_equal(e.text, "protectionAlg is not a MAC that is accepted");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_has_its_own_ceiling_and_says_it),
        cmocka_unit_test(a_count_out_of_all_bounds_is_a_bad_algorithm),
        cmocka_unit_test(functions_that_nobody_knows_are_bad_algorithms),
        cmocka_unit_test(short_and_long_salts_are_bad_algorithms),
        cmocka_unit_test(the_work_is_iterations_times_blocks),
        cmocka_unit_test(a_long_key_costs_its_blocks),
        cmocka_unit_test(each_kind_of_work_can_be_done),
        cmocka_unit_test(parameters_of_pbmac1_are_pbkdf2_of_known_functions),
        cmocka_unit_test(a_salt_is_taken_up_to_its_limit),
        cmocka_unit_test(what_is_no_mac_is_told_from_pbmac1),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
