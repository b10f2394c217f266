/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tlog/cosigner.h"

#include <string.h>

#include "base/ossl.h"
#include "tests/support/test.h"

#define DASH "\xe2\x80\x94 "
#define BODY "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
#define KEY "witness.example/w1+e75f6532+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
#define LINE                                                                                       \
    DASH "witness.example/w1 "                                                                     \
         "519lMgAAAABkGFDLBuRDazBLVac2NE+Y+"                                                       \
         "IjbjQOcXLfF9CSDZVUIoS83rE1nFZsVE8YiWV6Ngr7lV8H6bdoBQGP/l73"                              \
         "euDMQ9k+bBQ==\n"
enum { TIME = 1679315147 };

/* The private key of the vector: 00 01 .. 1f. */
static EVP_PKEY *
private_key(void)
{
    uint8_t seed[32];

    for (size_t i = 0; i < sizeof(seed); i++) {
        seed[i] = (uint8_t)i;
    }
    return EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, seed, sizeof(seed));
}

static void
parse(struct cosigner *c, const char *text)
{
    struct err e = {0};

    assert_ok(cosigner_parse(c, span_str(text), &e), &e);
}

static void
note_of(const char *text, struct note *note)
{
    struct err e = {0};

    assert_ok(note_parse(span_str(text), note, &e), &e);
}

static void
the_vector_of_the_format_is_made_and_verified(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = private_key();
    CLEANUP(buf_free) struct buf line = BUF_INIT(NOTE_MAX);
    CLEANUP(mem_cleanup) char *formatted = NULL;
    struct cosigner c;
    struct cosigner made;
    struct cosigned seen;
    struct note note;
    struct err e = {0};

    (void)state;
    parse(&c, KEY "\n");
    assert_int_equal(c.type, COSIGNER_V1);
    formatted = cosigner_format(&c);
    assert_string_equal(formatted, KEY "\n");
    assert_ok(cosigner_of(&made, "witness.example/w1", key, &e), &e);
    assert_memory_equal(made.id, c.id, sizeof(c.id));
    assert_memory_equal(made.key, c.key, sizeof(c.key));
    note_of(BODY "\n" LINE, &note);
    assert_ok(cosigner_verify(&c, &note, &seen, &e), &e);
    assert_true(seen.found);
    assert_int_equal(seen.time, TIME);
    assert_ok(cosigner_sign(&made, key, SPAN_LITERAL(BODY), TIME, &line, &e), &e);
    assert_true(span_equal(buf_span(&line), SPAN_LITERAL(LINE)));
}

/* The example at the end of C2SP signed-note. */
static void
a_plain_signature_has_no_time(void **state)
{
    struct cosigner c;
    struct cosigned seen;
    struct note note;
    struct err e = {0};

    (void)state;
    parse(&c, "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
    assert_int_equal(c.type, COSIGNER_PLAIN);
    note_of("This is an example message.\n\n" DASH "example.com/foo "
            "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72In"
            "eyaQM=\n",
            &note);
    assert_ok(cosigner_verify(&c, &note, &seen, &e), &e);
    assert_true(seen.found);
    assert_int_equal(seen.time, 0);
}

static void
others_lines_are_passed_over_and_own_ones_must_be_right(void **state)
{
    static const struct {
        const char *what;
        const char *lines;
        int found; /* -1: refused */
    } rows[] = {
        {"another name", DASH "witness.example/w2 519lMgAAAAA=\n", 0},
        {"another key of that name", DASH "witness.example/w1 AAAAAQAAAAA=\n", 0},
        {"with others", DASH "a 519lMgAAAAA=\n" LINE DASH "b AAAAAQAAAAA=\n", 1},
        {"twice", LINE LINE, 1},
        {"too short", DASH "witness.example/w1 519lMgAAAAA=\n", -1},
        {"a good one and one too short", LINE DASH "witness.example/w1 519lMgAAAAA=\n", -1},
        {"no base64", DASH "witness.example/w1 519lMgAAAA\n", -1},
        {"of another time",
         DASH
         "witness.example/w1 "
         "519lMgAAAABkGFDMBuRDazBLVac2NE+Y+IjbjQOcXLfF9CSDZVUIoS83rE1nFZsVE8YiWV6Ngr7lV8H6bdoBQ"
         "GP/l73euDMQ9k+bBQ==\n",
         -1},
        {"of a time that is none",
         DASH
         "witness.example/w1 "
         "519lMv///////////wRDazBLVac2NE+Y+IjbjQOcXLfF9CSDZVUIoS83rE1nFZsVE8YiWV6Ngr7lV8H6bdoBQ"
         "GP/l73euDMQ9k+bBQ==\n",
         -1},
    };
    struct cosigner c;

    (void)state;
    parse(&c, KEY);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *text = mem_printf(BODY "\n%s", rows[i].lines);
        struct cosigned seen;
        struct note note;
        struct err e = {0};
        int result;

        note_of(text, &note);
        result = cosigner_verify(&c, &note, &seen, &e);
        if (result != (rows[i].found < 0 ? -1 : 0) ||
            (result == 0 && seen.found != (rows[i].found == 1))) {
            fail_msg("%s: %d %s", rows[i].what, result, e.text);
        }
    }
}

/* One octet of the text, of the name or of the key. */
static void
a_signature_is_of_its_text(void **state)
{
    CLEANUP(mem_cleanup) char *text = mem_strdup(BODY "\n" LINE);
    struct cosigner c;
    struct err e = {0};

    (void)state;
    parse(&c, KEY);
    for (size_t i = 0; i + 1 < strlen(BODY); i++) {
        struct cosigned seen;
        struct note note;

        if (text[i] == '\n') {
            continue;
        }
        text[i] ^= 1;
        if (text[i] == '\x7f' || text[i] < ' ') {
            text[i] ^= 1;
            continue;
        }
        note_of(text, &note);
        assert_err(cosigner_verify(&c, &note, &seen, &e), ERR_CRYPTO, &e);
        assert_non_null(strstr(e.text, "key e75f6532: the signature is wrong"));
        text[i] ^= 1;
    }
}

static void
the_newest_of_several_signatures_counts(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = private_key();
    CLEANUP(buf_free) struct buf line = BUF_INIT(NOTE_MAX);
    CLEANUP(mem_cleanup) char *text = NULL;
    struct cosigner c;
    struct cosigned seen;
    struct note note;
    struct err e = {0};

    (void)state;
    parse(&c, KEY);
    assert_ok(cosigner_sign(&c, key, SPAN_LITERAL(BODY), TIME + 5, &line, &e), &e);
    text = mem_printf(BODY "\n%.*s" LINE, (int)line.n, (const char *)line.p);
    note_of(text, &note);
    assert_ok(cosigner_verify(&c, &note, &seen, &e), &e);
    assert_int_equal(seen.time, TIME + 5);
}

static void
what_is_no_key_of_a_witness(void **state)
{
    static const struct {
        const char *text;
        const char *reason;
    } rows[] = {
        {"", "not a verifier key"},
        {"witness.example/w1", "not a verifier key"},
        {"w1+e75f6532", "not a verifier key"},
        {"witness.example/w2+e75f6532+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", "key id"},
        {"witness.example/w1+E75F6532+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", "key id"},
        {KEY "\n\n", "verifier key"},
        {KEY " ", "verifier key"},
        {"witness.example/w1+e75f6532+BgOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", "0x04"},
        {"witness.example/w1+e75f6532+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTE=", "0x04"},
        {"witness.example/w1+e75f6532+BA==", "0x04"},
        {"witness.example/w1+e75f6532+", "0x04"},
        {"+e75f6532+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", "1 to 128 octets"},
        {"w 1+e75f6532+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", "no space"},
        {"w\xc2\xa0+e75f6532+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", "no space"},
        {"w\xff+e75f6532+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", "UTF-8"},
    };
    struct cosigner c;
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_err(cosigner_parse(&c, span_str(rows[i].text), &e), ERR_INPUT, &e);
        if (strstr(e.text, rows[i].reason) == NULL) {
            fail_msg("row %zu: %s", i, e.text);
        }
    }
}

static void
what_cannot_cosign(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = private_key();
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other = EVP_EC_gen("P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *strange = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    CLEANUP(buf_free) struct buf line = BUF_INIT(NOTE_MAX);
    char longest[NOTE_NAME_MAX + 2] = "";
    struct cosigner c;
    struct err e = {0};

    (void)state;
    assert_err(cosigner_of(&c, "w", other, &e), ERR_INPUT, &e);
    assert_err(cosigner_of(&c, "a b", key, &e), ERR_INPUT, &e);
    assert_err(cosigner_of(&c, "a+b", key, &e), ERR_INPUT, &e);
    assert_err(cosigner_of(&c, "", key, &e), ERR_INPUT, &e);
    memset(longest, 'a', NOTE_NAME_MAX + 1);
    assert_err(cosigner_of(&c, longest, key, &e), ERR_INPUT, &e);
    longest[NOTE_NAME_MAX] = '\0';
    assert_ok(cosigner_of(&c, longest, key, &e), &e);
    assert_err(cosigner_sign(&c, key, SPAN_LITERAL(BODY), -1, &line, &e), ERR_INPUT, &e);
    /* the name of one, the key of another */
    assert_err(cosigner_sign(&c, strange, SPAN_LITERAL(BODY), TIME, &line, &e), ERR_CRYPTO, &e);
    assert_int_equal(line.n, 0);
    assert_err(cosigner_sign(&c, other, SPAN_LITERAL(BODY), TIME, &line, &e), ERR_CRYPTO, &e);
    parse(&c, "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
    assert_err(cosigner_sign(&c, key, SPAN_LITERAL(BODY), TIME, &line, &e), ERR_INPUT, &e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vector_of_the_format_is_made_and_verified),
        cmocka_unit_test(a_plain_signature_has_no_time),
        cmocka_unit_test(others_lines_are_passed_over_and_own_ones_must_be_right),
        cmocka_unit_test(a_signature_is_of_its_text),
        cmocka_unit_test(the_newest_of_several_signatures_counts),
        cmocka_unit_test(what_is_no_key_of_a_witness),
        cmocka_unit_test(what_cannot_cosign),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
