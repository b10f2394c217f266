/* SPDX-License-Identifier: Apache-2.0 */
/* Which TBSCertLists the key signs. */
#include "tests/support/test.h"

#include "pkcs11/signer/object.h"

#include "base/ossl.h"
#include "tests/support/der_text.h"
#include "tests/unit/pkcs11/signer/scene.h"

#define TIME(text) "17{'" text "'}"
#define NUMBER(octets) SCENE_EXTENSION("551d14", "02{" octets "}")
#define AUTHORITY(value) SCENE_EXTENSION("551d23", value)
#define ENTRY(serial, time, extensions) "30{02{" serial "}" TIME(time) extensions "}"
#define REASON SCENE_EXTENSION("551d15", "0a{01}")

#define AKI_REASON "authorityKeyIdentifier is not"
#define NUMBER_REASON "no cRLNumber of at most 20 octets"

struct row {
    const char *name;
    const char *version, *algorithm, *issuer, *from, *to; /* NULL: what is right */
    const char *entries;                                  /* NULL: none */
    const char *authority_key, *number;
    const char *more;   /* extensions */
    const char *behind; /* the TBSCertList */
    enum err_code code;
    const char *reason; /* NULL: it is signed */
};

static const struct row ROWS[] = {
    {.name = "right"},
    {.name = "indefinite length", .behind = "3080", .code = ERR_INPUT, .reason = "not DER"},
    {.name = "octets behind", .behind = "0500", .code = ERR_INPUT, .reason = "not a TBSCertList"},
    {.name = "no issuer", .issuer = "", .code = ERR_INPUT, .reason = "not a TBSCertList"},
    {.name = "an OCTET STRING in parts",
     .number = "30{06{551d14}24{04{02}04{0101}}}",
     .code = ERR_INPUT,
     .reason = "the TBSCertList does not encode to the same bytes again"},

    {.name = "no version", .version = "", .code = ERR_INPUT, .reason = "version: tag 0x30"},
    {.name = "version 1, spelled out",
     .version = "02{00}",
     .code = ERR_DENIED,
     .reason = "not a version 2 CRL"},
    {.name = "version 3", .version = "02{02}", .code = ERR_DENIED, .reason = "not a version 2 CRL"},
    {.name = "version 258",
     .version = "02{0101}",
     .code = ERR_DENIED,
     .reason = "not a version 2 CRL"},
    {.name = "algorithm of P-384",
     .algorithm = SCENE_P384,
     .code = ERR_DENIED,
     .reason = "the signature algorithm is not that of a P-256 key"},
    {.name = "algorithm of RSA",
     .algorithm = SCENE_RSA,
     .code = ERR_DENIED,
     .reason = "the signature algorithm is not that of a P-256 key"},
    {.name = "algorithm with parameters",
     .algorithm = "30{06{2a8648ce3d040302}0500}",
     .code = ERR_DENIED,
     .reason = "the signature algorithm is not that of a P-256 key"},
    {.name = "another issuer",
     .issuer = SCENE_NAME("Issuing CB"),
     .code = ERR_DENIED,
     .reason = "the issuer is not the subject"},
    {.name = "an empty issuer",
     .issuer = "30{}",
     .code = ERR_DENIED,
     .reason = "the issuer is not the subject"},

    {.name = "1 s", .to = TIME("260101000001Z")},
    {.name = "0 s",
     .to = TIME("260101000000Z"),
     .code = ERR_DENIED,
     .reason = "a CRL for 0 s, the policy allows 8640000 s"},
    {.name = "-1 s", .to = TIME("251231235959Z"), .code = ERR_DENIED, .reason = "a CRL for -1 s"},
    {.name = "as long as is allowed", .to = TIME("260411000000Z")},
    {.name = "1 s longer",
     .to = TIME("260411000001Z"),
     .code = ERR_DENIED,
     .reason = "a CRL for 8640001 s, the policy allows 8640000 s"},
    {.name = "no nextUpdate",
     .to = "",
     .code = ERR_INPUT,
     .reason = "thisUpdate and nextUpdate must be there"},
    {.name = "nextUpdate in month 13",
     .to = TIME("261301000000Z"),
     .code = ERR_INPUT,
     .reason = "thisUpdate and nextUpdate must be there"},
    {.name = "thisUpdate in month 13",
     .from = TIME("261301000000Z"),
     .code = ERR_INPUT,
     .reason = "thisUpdate and nextUpdate must be there"},

    {.name = "number 0", .number = NUMBER("00")},
    {.name = "number of 20 octets", .number = NUMBER("7f*20")},
    {.name = "number of 21 octets",
     .number = NUMBER("7f*21"),
     .code = ERR_DENIED,
     .reason = NUMBER_REASON},
    {.name = "no number", .number = "", .code = ERR_DENIED, .reason = NUMBER_REASON},
    {.name = "a number below 0",
     .number = NUMBER("ff"),
     .code = ERR_DENIED,
     .reason = NUMBER_REASON},
    {.name = "a number that cannot be decoded",
     .number = SCENE_EXTENSION("551d14", "04{01}"),
     .code = ERR_DENIED,
     .reason = NUMBER_REASON},
    {.name = "two numbers",
     .number = NUMBER("01") NUMBER("02"),
     .code = ERR_DENIED,
     .reason = NUMBER_REASON},

    {.name = "no AKI", .authority_key = "", .code = ERR_DENIED, .reason = AKI_REASON},
    {.name = "an AKI without an identifier",
     .authority_key = AUTHORITY("30{}"),
     .code = ERR_DENIED,
     .reason = AKI_REASON},
    {.name = "an AKI that cannot be decoded",
     .authority_key = AUTHORITY("0400"),
     .code = ERR_DENIED,
     .reason = AKI_REASON},
    {.name = "an AKI whose last octet differs",
     .authority_key = AUTHORITY(SCENE_AKI("a1*19 a3")),
     .code = ERR_DENIED,
     .reason = AKI_REASON},
    {.name = "an AKI with one octet less",
     .authority_key = AUTHORITY(SCENE_AKI("a1*19")),
     .code = ERR_DENIED,
     .reason = AKI_REASON},
    {.name = "an AKI with one octet more",
     .authority_key = AUTHORITY(SCENE_AKI("a1*19 a2 00")),
     .code = ERR_DENIED,
     .reason = AKI_REASON},

    {.name = "another extension",
     .more = SCENE_EXTENSION("2a03", "0500"),
     .code = ERR_DENIED,
     .reason = "an extension that this signer does not know: 1.2.3"},
    {.name = "octets behind the number",
     .number = SCENE_EXTENSION("551d14", "02{01}00"),
     .code = ERR_INPUT,
     .reason = "cRLNumber does not encode to the same octets again"},
    {.name = "octets behind the AKI",
     .authority_key = AUTHORITY(SCENE_AKI(SCENE_SKI) "0500"),
     .code = ERR_INPUT,
     .reason = "authorityKeyIdentifier does not encode to the same octets again"},
    {.name = "an entry with an invalidityDate",
     .entries =
         ENTRY("05", "251231000000Z", "30{" SCENE_EXTENSION("551d18", "18{'20251230000000Z'}") "}"),
     .code = ERR_DENIED,
     .reason = "entry 0: an extension that this signer does not know: 2.5.29.24"},
    {.name = "an entry with two reasons, behind one with one",
     .entries = ENTRY("05", "251231000000Z", "30{" REASON "}")
         ENTRY("06", "251231000000Z", "30{" REASON REASON "}"),
     .code = ERR_DENIED,
     .reason = "entry 1 has more than one extension"},
    {.name = "a serial number below 0",
     .entries = ENTRY("fb", "251231000000Z", ""),
     .code = ERR_DENIED,
     .reason = "entry 0 has a serial number below 0"},
    {.name = "an entry with another extension, behind one without",
     .entries = ENTRY("05", "251231000000Z", "")
         ENTRY("06", "251231000000Z", "30{" SCENE_EXTENSION("2a03", "0500") "}"),
     .code = ERR_DENIED,
     .reason = "entry 1: an extension that this signer does not know: 1.2.3"},
    {.name = "an entry with octets behind its reason",
     .entries = ENTRY("05", "251231000000Z", "30{" SCENE_EXTENSION("551d15", "0a{01}00") "}"),
     .code = ERR_INPUT,
     .reason = "entry 0: reasonCode does not encode to the same octets again"},
    {.name = "a delta",
     .more = SCENE_CRITICAL("551d1b", "0201 01"),
     .code = ERR_DENIED,
     .reason = "a delta, partial or indirect CRL"},
    {.name = "the first extension is critical",
     .authority_key = SCENE_CRITICAL("551d23", SCENE_AKI(SCENE_SKI)),
     .code = ERR_DENIED,
     .reason = "a delta, partial or indirect CRL"},
    {.name = "a partial CRL",
     .more = SCENE_CRITICAL("551d1c", "30{8101ff}"),
     .code = ERR_DENIED,
     .reason = "a delta, partial or indirect CRL"},

    {.name = "one revoked at thisUpdate", .entries = ENTRY("05", "260101000000Z", "")},
    {.name = "one revoked with a reason",
     .entries = ENTRY("05", "251231000000Z", "30{" REASON "}")},
    {.name = "one revoked after thisUpdate",
     .entries = ENTRY("05", "260101000001Z", ""),
     .code = ERR_DENIED,
     .reason = "entry 0 is revoked after thisUpdate"},
    {.name = "the second is revoked after thisUpdate",
     .entries = ENTRY("05", "251231000000Z", "") ENTRY("06", "260101000001Z", ""),
     .code = ERR_DENIED,
     .reason = "entry 1 is revoked after thisUpdate"},
    {.name = "one revoked in month 13",
     .entries = ENTRY("05", "251301000000Z", ""),
     .code = ERR_INPUT,
     .reason = "entry 0 has a revocationDate that is no time"},
    {.name = "an entry with a critical extension",
     .entries = ENTRY("05", "251231000000Z", "30{" SCENE_CRITICAL("2a03", "0500") "}"),
     .code = ERR_DENIED,
     .reason = "entry 0 has a critical extension"},
    {.name = "the extension of the second entry is critical",
     .entries = ENTRY("05", "251231000000Z", "")
         ENTRY("06", "251231000000Z", "30{" SCENE_CRITICAL("2a03", "0500") "}"),
     .code = ERR_DENIED,
     .reason = "entry 1 has a critical extension"},
};

static const char *
given(const char *text, const char *right)
{
    return text == NULL ? right : text;
}

static void
make_crl(const struct row *row, struct buf *out)
{
    CLEANUP(mem_cleanup)
    char *entries = row->entries == NULL ? mem_strdup("") : mem_printf("30{%s}", row->entries);
    CLEANUP(mem_cleanup)
    char *text =
        mem_printf("30{%s%s%s%s%s%s a0{30{%s%s%s}}}%s", given(row->version, "02{01}"),
                   given(row->algorithm, SCENE_P256), given(row->issuer, SCENE_ISSUER),
                   given(row->from, TIME("260101000000Z")), given(row->to, TIME("260108000000Z")),
                   entries, given(row->authority_key, AUTHORITY(SCENE_AKI(SCENE_SKI))),
                   given(row->number, NUMBER("01")), given(row->more, ""), given(row->behind, ""));

    der_text(text, out);
}

static void
a_crl_is_whole_and_direct_and_of_the_issuer(void **state)
{
    CLEANUP(policy_cleanup) struct policy *p = scene_policy(POLICY_CERTIFICATE_AUTHORITY);
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct err e = {0};

        make_crl(&ROWS[i], &tbs);
        good += scene_expect(ROWS[i].name, object_check_crl(p, buf_span(&tbs), NULL, &e), &e,
                             ROWS[i].code, ROWS[i].reason);
    }
    assert_int_equal(good, ARRAY_LEN(ROWS));
}

/* What the journal keeps of one. */
static void
number_and_time_are_told(void **state)
{
    static const struct {
        const char *name;
        const char *number, *from;
        uint64_t told;
        int64_t at;
        const char *reason;
    } rows[] = {
        {"right", NUMBER("05"), TIME("260101000000Z"), 5, SCENE_FROM, NULL},
        {"the greatest", NUMBER("7f ff*7"), TIME("260101000000Z"), INT64_MAX, SCENE_FROM, NULL},
        {"one greater", NUMBER("00 80 00*7"), TIME("260101000000Z"), 0, 0, "above 2^63-1"},
        {"far greater", NUMBER("7f*20"), TIME("260101000000Z"), 0, 0, "above 2^63-1"},
        {"before 1970", NUMBER("05"), TIME("691231235959Z"), 0, 0, "thisUpdate is before 1970"},
    };
    CLEANUP(policy_cleanup) struct policy *p = scene_policy(POLICY_CERTIFICATE_AUTHORITY);
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row row = {.number = rows[i].number, .from = rows[i].from};
        CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
        struct crl_head head = {0};
        uint8_t hash[SHA256_SIZE];
        struct err e = {0};

        make_crl(&row, &tbs);
        good += scene_expect(rows[i].name, object_crl_head(p, buf_span(&tbs), &head, &e), &e,
                             ERR_DENIED, rows[i].reason);
        if (rows[i].reason == NULL) {
            assert_true(head.number == rows[i].told && head.this_update == rows[i].at);
            assert_ok(sha256(buf_span(&tbs), hash, &e), &e);
            assert_memory_equal(head.hash, hash, sizeof(hash));
        }
    }
    assert_int_equal(good, ARRAY_LEN(rows));
}

/* SHA-256 of two lines, and of none. */
static void
what_its_leaf_must_say_is_told(void **state)
{
    static const struct {
        const char *entries;
        size_t n;
        const char *digest;
    } rows[] = {
        {NULL, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {ENTRY("05", "251231000000Z", "")
             ENTRY("06", "251230000000Z", "30{" SCENE_EXTENSION("551d15", "0a{01}") "}"),
         2, "e83125c9a134bcf38a0bba28a2d3840c1c2c223ca31b0ac3ce09686c503c4b70"},
    };
    CLEANUP(policy_cleanup) struct policy *p = scene_policy(POLICY_CERTIFICATE_AUTHORITY);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row row = {.entries = rows[i].entries, .number = NUMBER("0102")};
        CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
        CLEANUP(mem_cleanup) char *hex = NULL;
        struct crl_said said;
        struct err e = {0};

        make_crl(&row, &tbs);
        assert_ok(object_check_crl(p, buf_span(&tbs), &said, &e), &e);
        hex = hex_dup(span_of(said.revocations, sizeof(said.revocations)));
        assert_string_equal(hex, rows[i].digest);
        assert_int_equal(said.entries, rows[i].n);
        assert_int_equal(said.number, 258);
        assert_string_equal(said.this_update, "2026-01-01T00:00:00Z");
        assert_string_equal(said.next_update, "2026-01-08T00:00:00Z");
    }
}

/* What no leaf can say. */
static void
a_number_above_all_is_not_told(void **state)
{
    CLEANUP(policy_cleanup) struct policy *p = scene_policy(POLICY_CERTIFICATE_AUTHORITY);
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    const struct row row = {.number = NUMBER("00 80 00*7")};
    struct crl_said said;
    struct err e = {0};

    (void)state;
    make_crl(&row, &tbs);
    assert_err(object_check_crl(p, buf_span(&tbs), &said, &e), ERR_DENIED, &e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_its_leaf_must_say_is_told),
        cmocka_unit_test(a_number_above_all_is_not_told),
        cmocka_unit_test(number_and_time_are_told),
        cmocka_unit_test(a_crl_is_whole_and_direct_and_of_the_issuer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
