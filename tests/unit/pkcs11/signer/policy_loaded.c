/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in the pinned policy file is what the signer goes by. */
#include "tests/support/test.h"

#include <string.h>

#include "base/file.h"
#include "base/ossl.h"
#include "tests/support/der_text.h"
#include "tests/unit/pkcs11/signer/pinned.h"
#include "tests/unit/pkcs11/signer/scene.h"

static void
path_is(const char *path, const char *name)
{
    CLEANUP(mem_cleanup) char *expected = mem_printf("%s/%s", pinned_dir, name);

    assert_string_equal(path, expected);
}

static void
what_stands_in_the_file_is_what_is_loaded(void **state)
{
    const struct row row = {.name = ""};
    struct err e = {0};
    CLEANUP(policy_cleanup) struct policy *p = pinned_load(&row, &e);
    CLEANUP(buf_free) struct buf key = BUF_INIT(SPKI_MAX);
    CLEANUP(buf_free) struct buf file = BUF_INIT(8192);
    uint8_t hash[SHA256_SIZE];

    (void)state;
    assert_non_null(p);
    assert_ok(file_read(pinned_conf, &file, &e), &e);
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
    assert_true(p->anchors); /* unless it says none */
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
        CLEANUP(policy_cleanup) struct policy *p = pinned_load(&row, &e);

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
        CLEANUP(policy_cleanup) struct policy *p = pinned_load(&row, &e);

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
        CLEANUP(policy_cleanup) struct policy *p = pinned_load(&row, &e);

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
    CLEANUP(policy_cleanup) struct policy *p = pinned_load(&seal, &e);

    (void)state;
    assert_non_null(p);
    assert_true(p->seals);
    assert_memory_equal(p->seal_id,
                        "\xf0\xe0\x10\x20\x30\x40\x50\x60\x70\x80\x90\xa0\xb0\xc0\xd0\xe1", 16);
    policy_free(TAKE(p));
    p = pinned_load(&self_test, &e);
    assert_non_null(p);
    assert_int_equal(p->purpose, POLICY_SELF_TEST);
    assert_null(p->journal);
    assert_null(p->module_config);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stands_in_the_file_is_what_is_loaded),
        cmocka_unit_test(the_algorithm_is_told_by_the_key),
        cmocka_unit_test(an_authority_has_what_its_section_says),
        cmocka_unit_test(a_body_allows_its_own_tag),
        cmocka_unit_test(the_seal_and_the_self_test_are_what_they_are),
    };

    return cmocka_run_group_tests(tests, pinned_set_up, pinned_tear_down);
}
