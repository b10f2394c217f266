/* SPDX-License-Identifier: Apache-2.0 */
/* Which ProtectedParts of CMP the key signs. */
#include "tests/support/test.h"

#include "pkcs11/signer/object.h"

#include "tests/support/der_text.h"
#include "tests/unit/pkcs11/signer/scene.h"

#define SENDER "a4{" SCENE_NAME("RA") "}"
#define RECIPIENT "a4{" SCENE_NAME("5gc.example") "}"
#define ALGORITHM "a1{" SCENE_P256 "}"
/* senderKID, transactionID, senderNonce, ... generalInfo */
#define FIELD(number) "a" number "{04{01}}"

struct row {
    const char *name;
    const char *pvno, *sender, *recipient, *fields, *body; /* NULL: what is right */
    const char *header;                                    /* whole; NULL: of those above */
    const char *outer;                                     /* NULL: the tag of a SEQUENCE */
    const char *behind;                                    /* the body, in the sequence */
    const char *after;                                     /* the sequence */
    enum err_code code;
    const char *reason; /* NULL: it is signed */
};

static const struct row ROWS[] = {
    {.name = "right"},
    {.name = "a SET",
     .outer = "31",
     .code = ERR_INPUT,
     .reason = "ProtectedPart: tag 0x31 where 0x30 belongs"},
    {.name = "a header that is a SET",
     .header = "31{}",
     .code = ERR_INPUT,
     .reason = "PKIHeader: tag 0x31 where 0x30 belongs"},
    {.name = "octets behind the body",
     .behind = "0500",
     .code = ERR_INPUT,
     .reason = "octets behind the ProtectedPart"},
    {.name = "an octet behind the body",
     .behind = "00",
     .code = ERR_INPUT,
     .reason = "octets behind the ProtectedPart"},
    {.name = "octets behind the ProtectedPart",
     .after = "0500",
     .code = ERR_INPUT,
     .reason = "octets behind the ProtectedPart"},
    {.name = "an octet behind the ProtectedPart",
     .after = "00",
     .code = ERR_INPUT,
     .reason = "octets behind the ProtectedPart"},

    {.name = "cmp2021", .pvno = "02{03}"},
    {.name = "cmp1999", .pvno = "02{01}", .code = ERR_DENIED, .reason = "pvno is neither"},
    {.name = "pvno 4", .pvno = "02{04}", .code = ERR_DENIED, .reason = "pvno is neither"},
    {.name = "pvno 0", .pvno = "02{00}", .code = ERR_DENIED, .reason = "pvno is neither"},
    {.name = "pvno of no octets", .pvno = "02{}", .code = ERR_DENIED, .reason = "pvno is neither"},
    {.name = "pvno of two octets",
     .pvno = "02{0200}",
     .code = ERR_DENIED,
     .reason = "pvno is neither"},
    {.name = "no pvno", .pvno = "", .code = ERR_INPUT, .reason = "PKIHeader: pvno: tag 0xa4"},
    {.name = "empty header", .header = "30{}", .code = ERR_INPUT, .reason = "PKIHeader: pvno"},

    {.name = "another sender",
     .sender = "a4{" SCENE_NAME("RB") "}",
     .code = ERR_DENIED,
     .reason = "the sender is not the subject"},
    {.name = "the NULL-DN as sender",
     .sender = "a4{30{}}",
     .code = ERR_DENIED,
     .reason = "the sender is not the subject"},
    {.name = "octets behind the sender's name",
     .sender = "a4{" SCENE_NAME("RA") "0500}",
     .code = ERR_DENIED,
     .reason = "the sender is not the subject"},
    {.name = "a dNSName as sender",
     .sender = "82{'ra.example'}",
     .code = ERR_INPUT,
     .reason = "PKIHeader: sender: tag 0x82 where 0xa4 belongs"},
    {.name = "no recipient",
     .recipient = "",
     .fields = "",
     .code = ERR_INPUT,
     .reason = "PKIHeader: recipient: not DER"},
    {.name = "a recipient of another kind", .recipient = "82{'nf.example'}"},

    {.name = "every field",
     .fields = FIELD("0") ALGORITHM FIELD("2") FIELD("3") FIELD("4") FIELD("5") FIELD("6")
         FIELD("7") FIELD("8")},
    {.name = "no field", .fields = "", .code = ERR_DENIED, .reason = "no protectionAlg"},
    {.name = "no protectionAlg",
     .fields = FIELD("0") FIELD("2"),
     .code = ERR_DENIED,
     .reason = "no protectionAlg"},
    {.name = "the first field twice",
     .fields = FIELD("0") FIELD("0") ALGORITHM,
     .code = ERR_INPUT,
     .reason = "tag 0xa0 out of order"},
    {.name = "protectionAlg twice",
     .fields = ALGORITHM ALGORITHM,
     .code = ERR_INPUT,
     .reason = "tag 0xa1 out of order"},
    {.name = "the last field twice",
     .fields = ALGORITHM FIELD("8") FIELD("8"),
     .code = ERR_INPUT,
     .reason = "tag 0xa8 out of order"},
    {.name = "transactionID before senderKID",
     .fields = ALGORITHM FIELD("4") FIELD("2"),
     .code = ERR_INPUT,
     .reason = "tag 0xa2 out of order"},
    {.name = "messageTime behind protectionAlg",
     .fields = ALGORITHM FIELD("0"),
     .code = ERR_INPUT,
     .reason = "tag 0xa0 out of order"},
    {.name = "a field behind the last",
     .fields = ALGORITHM FIELD("9"),
     .code = ERR_INPUT,
     .reason = "tag 0xa9 out of order"},
    {.name = "a tag before the first",
     .fields = "9f00" ALGORITHM,
     .code = ERR_INPUT,
     .reason = "not DER"},
    {.name = "a universal tag",
     .fields = "0500" ALGORITHM,
     .code = ERR_INPUT,
     .reason = "tag 0x05 out of order"},
    {.name = "a primitive context tag",
     .fields = "8100" ALGORITHM,
     .code = ERR_INPUT,
     .reason = "tag 0x81 out of order"},
    {.name = "half a field", .fields = ALGORITHM "a2", .code = ERR_INPUT, .reason = "not DER"},

    {.name = "protectionAlg of P-384",
     .fields = "a1{" SCENE_P384 "}",
     .code = ERR_DENIED,
     .reason = "protectionAlg is not that of a P-256 key"},
    {.name = "protectionAlg of RSA",
     .fields = "a1{" SCENE_RSA "}",
     .code = ERR_DENIED,
     .reason = "protectionAlg is not that of a P-256 key"},
    {.name = "PasswordBasedMac",
     .fields = "a1{30{06{2a864886f67d07420d}30{}}}",
     .code = ERR_DENIED,
     .reason = "protectionAlg is not that of a P-256 key"},
    {.name = "protectionAlg with parameters",
     .fields = "a1{30{06{2a8648ce3d040302}0500}}",
     .code = ERR_DENIED,
     .reason = "protectionAlg is not that of a P-256 key"},
    {.name = "octets behind the algorithm",
     .fields = "a1{" SCENE_P256 "0500}",
     .code = ERR_DENIED,
     .reason = "protectionAlg is not that of a P-256 key"},
    {.name = "an OID as protectionAlg",
     .fields = "a1{06{2a8648ce3d040302}}",
     .code = ERR_INPUT,
     .reason = "protectionAlg: tag 0x06 where 0x30 belongs"},
    {.name = "an empty protectionAlg",
     .fields = "a1{}",
     .code = ERR_INPUT,
     .reason = "protectionAlg: not DER"},
    {.name = "a header that is not DER within",
     .fields = ALGORITHM "a8{30{0482}}",
     .code = ERR_INPUT,
     .reason = "PKIHeader: element: not DER"},

    {.name = "a body of which nobody looks within", .body = "a3{3004 ffffffff}"},
    {.name = "a request",
     .body = "a0{30{}}",
     .code = ERR_DENIED,
     .reason = "the policy does not allow PKIBody [0]"},
    {.name = "cr",
     .body = "a2{30{}}",
     .code = ERR_DENIED,
     .reason = "the policy does not allow PKIBody [2]"},
    {.name = "nested",
     .body = "b4{30{}}",
     .code = ERR_DENIED,
     .reason = "the policy does not allow PKIBody [20]"},
    {.name = "the greatest number",
     .body = "be{30{}}",
     .code = ERR_DENIED,
     .reason = "the policy does not allow PKIBody [30]"},
    {.name = "a number of two octets",
     .body = "bf21{30{}}",
     .code = ERR_INPUT,
     .reason = "PKIBody"},
    {.name = "a primitive body",
     .body = "81{3000}",
     .code = ERR_INPUT,
     .reason = "PKIBody has tag 0x81"},
    {.name = "a universal body",
     .body = "21{3000}",
     .code = ERR_INPUT,
     .reason = "PKIBody has tag 0x21"},
    {.name = "a private body",
     .body = "e1{3000}",
     .code = ERR_INPUT,
     .reason = "PKIBody has tag 0xe1"},
    {.name = "no body", .body = "", .code = ERR_INPUT, .reason = "PKIBody: not DER"},
    {.name = "an empty body", .body = "a1{}", .code = ERR_INPUT, .reason = "PKIBody: not DER"},
    {.name = "a body that does not parse",
     .body = "a1{308000}",
     .code = ERR_INPUT,
     .reason = "PKIBody: not DER"},
    {.name = "a body longer than what is there",
     .body = "a1{3001}",
     .code = ERR_INPUT,
     .reason = "PKIBody: not DER"},
    {.name = "two elements in the body",
     .body = "a1{3000 3000}",
     .code = ERR_INPUT,
     .reason = "octets behind the body"},
    {.name = "an octet behind the element in the body",
     .body = "a1{3000 00}",
     .code = ERR_INPUT,
     .reason = "octets behind the body"},
};

static const char *
given(const char *text, const char *right)
{
    return text == NULL ? right : text;
}

static void
make_part(const struct row *row, struct buf *out)
{
    CLEANUP(mem_cleanup)
    char *header =
        mem_printf("30{%s%s%s%s}", given(row->pvno, "02{02}"), given(row->sender, SENDER),
                   given(row->recipient, RECIPIENT), given(row->fields, ALGORITHM));
    CLEANUP(mem_cleanup)
    char *text =
        mem_printf("%s{%s%s%s}%s", given(row->outer, "30"), given(row->header, header),
                   given(row->body, "a1{30{}}"), given(row->behind, ""), given(row->after, ""));

    der_text(text, out);
}

static void
a_key_that_answers_says_what_its_policy_allows_and_nothing_unclear(void **state)
{
    CLEANUP(policy_cleanup) struct policy *p = scene_policy(POLICY_CMP);
    CLEANUP(buf_free) struct buf part = BUF_INIT(OBJECT_CMP_MAX);
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct err e = {0};

        make_part(&ROWS[i], &part);
        good += scene_expect(ROWS[i].name, object_check_cmp(p, buf_span(&part), &e), &e,
                             ROWS[i].code, ROWS[i].reason);
    }
    assert_int_equal(good, ARRAY_LEN(ROWS));
}

/* Of all 31 bodies that a tag of one octet can name. */
static void
each_body_needs_its_own_bit(void **state)
{
    CLEANUP(policy_cleanup) struct policy *p = scene_policy(POLICY_CMP);
    CLEANUP(buf_free) struct buf part = BUF_INIT(OBJECT_CMP_MAX);

    (void)state;
    for (unsigned number = 0; number < 31; number++) {
        CLEANUP(mem_cleanup) char *body = mem_printf("%02x{30{}}", 0xa0 | number);
        const struct row row = {.body = body};
        struct err e = {0};

        make_part(&row, &part);
        p->bodies = 1U << number;
        assert_ok(object_check_cmp(p, buf_span(&part), &e), &e);
        p->bodies = ~p->bodies;
        assert_err(object_check_cmp(p, buf_span(&part), &e), ERR_DENIED, &e);
    }
}

static void
the_algorithm_is_that_of_the_key(void **state)
{
    static const struct {
        enum key_algorithm algorithm;
        const char *fields;
    } rows[] = {
        {KEY_P256, "a1{" SCENE_P256 "}"},
        {KEY_P384, "a1{" SCENE_P384 "}"},
        {KEY_RSA3072, "a1{" SCENE_RSA "}"},
    };
    CLEANUP(policy_cleanup) struct policy *p = scene_policy(POLICY_CMP);
    CLEANUP(buf_free) struct buf part = BUF_INIT(OBJECT_CMP_MAX);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows) * ARRAY_LEN(rows); i++) {
        const struct row row = {.fields = rows[i % ARRAY_LEN(rows)].fields};
        struct err e = {0};

        p->algorithm = rows[i / ARRAY_LEN(rows)].algorithm;
        make_part(&row, &part);
        if (i / ARRAY_LEN(rows) == i % ARRAY_LEN(rows)) {
            assert_ok(object_check_cmp(p, buf_span(&part), &e), &e);
        } else {
            assert_err(object_check_cmp(p, buf_span(&part), &e), ERR_DENIED, &e);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_that_answers_says_what_its_policy_allows_and_nothing_unclear),
        cmocka_unit_test(each_body_needs_its_own_bit),
        cmocka_unit_test(the_algorithm_is_that_of_the_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
