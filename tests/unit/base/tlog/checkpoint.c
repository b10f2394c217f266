/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tlog/checkpoint.h"

#include <openssl/ec.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "tests/support/test.h"

static const char origin[] = "log.test/one";

struct fixture {
    EVP_PKEY *private;
    struct buf spki;
    struct log_key key;
    struct checkpoint checkpoint;
    struct buf text;
    struct buf signature;
    struct buf note;
};

static void
sign(EVP_PKEY *key, struct span text, struct buf *signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    struct err e = {0};
    uint8_t der[128];
    size_t n = sizeof(der);

    assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, "SHA2-256", NULL, NULL, key, NULL), 1);
    assert_int_equal(EVP_DigestSign(ctx, der, &n, text.p, text.n), 1);
    assert_ok(buf_set(signature, span_of(der, n), &e), &e);
    EVP_MD_CTX_free(ctx);
}

static int
set_up(void **state)
{
    struct fixture *f = mem_zalloc(1, sizeof(*f));
    struct err e = {0};

    f->spki = BUF_INIT(1024);
    f->text = BUF_INIT(CHECKPOINT_MAX);
    f->signature = BUF_INIT(128);
    f->note = BUF_INIT(CHECKPOINT_MAX);
    f->private = EVP_EC_gen("P-256");
    assert_ok(OSSL_ENCODE(PUBKEY, f->private, &f->spki, &e), &e);
    assert_ok(log_key_set(&f->key, origin, buf_span(&f->spki), &e), &e);
    f->checkpoint = (struct checkpoint){.size = 1234, .root = merkle_leaf(SPAN_LITERAL("x"))};
    memcpy(f->checkpoint.origin, origin, sizeof(origin));
    assert_ok(checkpoint_text(&f->checkpoint, &f->text, &e), &e);
    sign(f->private, buf_span(&f->text), &f->signature);
    assert_ok(checkpoint_seal(&f->key, buf_span(&f->text), buf_span(&f->signature), &f->note, &e),
              &e);
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    buf_free(&f->spki);
    buf_free(&f->text);
    buf_free(&f->signature);
    buf_free(&f->note);
    log_key_free(&f->key);
    EVP_PKEY_free(f->private);
    mem_free(f);
    return 0;
}

static void
a_note_has_the_form_of_c2sp(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(mem_cleanup)
    char *note = mem_printf("%.*s", (int)f->note.n, (const char *)f->note.p);
    static const char begin[] = "log.test/one\n1234\n";
    static const char line[] = "\n\n\xe2\x80\x94 log.test/one ";

    assert_memory_equal(note, begin, strlen(begin));
    assert_non_null(strstr(note, line));
    assert_int_equal(note[f->note.n - 1], '\n');
}

static void
a_note_that_was_sealed_opens(void **state)
{
    const struct fixture *f = *state;
    struct checkpoint opened;
    struct err e = {0};

    assert_ok(checkpoint_open(&f->key, buf_span(&f->note), &opened, &e), &e);
    assert_int_equal(opened.size, 1234);
    assert_string_equal(opened.origin, origin);
    assert_true(merkle_equal(&opened.root, &f->checkpoint.root));
}

static void
every_flipped_bit_of_a_note_is_refused(void **state)
{
    const struct fixture *f = *state;
    struct checkpoint opened;
    struct err e = {0};
    CLEANUP(buf_free) struct buf changed = BUF_INIT(CHECKPOINT_MAX);

    for (size_t i = 0; i < 8 * f->note.n; i++) {
        assert_ok(buf_set(&changed, buf_span(&f->note), &e), &e);
        changed.p[i / 8] = (uint8_t)(changed.p[i / 8] ^ 1U << i % 8);
        if (checkpoint_open(&f->key, buf_span(&changed), &opened, &e) == 0) {
            fail_msg("bit %zu of octet %zu", i % 8, i / 8);
        }
    }
    for (size_t n = 0; n < f->note.n; n++) {
        assert_int_equal(checkpoint_open(&f->key, span_of(f->note.p, n), &opened, &e), -1);
    }
    assert_ok(buf_set(&changed, buf_span(&f->note), &e), &e);
    assert_ok(buf_append_str(&changed, "\n", &e), &e);
    assert_int_equal(checkpoint_open(&f->key, buf_span(&changed), &opened, &e), -1);
}

/* The note with another signature line before and behind the log's. */
static char *
cosigned(const struct fixture *f, const char *before, const char *behind)
{
    const size_t text = f->text.n + 1;

    return mem_printf("%.*s%s%.*s%s", (int)text, (const char *)f->note.p, before,
                      (int)(f->note.n - text), (const char *)f->note.p + text, behind);
}

/* C2SP signed-note: unknown signatures are ignored, a known one that fails is the end. */
static void
a_checkpoint_that_others_signed_too_opens(void **state)
{
    static const char *const lines[] = {
        "",
        "\xe2\x80\x94 witness.example/w1 "
        "519lMgAAAABkGFDLBuRDazBLVac2NE+Y+IjbjQOcXLfF9CSDZVUIoS83rE1nFZsVE8YiWV6Ngr7lV8H6bdoBQGP/"
        "l73euDMQ9k+bBQ==\n",
        "\xe2\x80\x94 log.test/one AAAAAQE=\n", /* the same name with another key */
    };
    const struct fixture *f = *state;
    CLEANUP(buf_free) struct buf stripped = BUF_INIT(CHECKPOINT_MAX);
    struct checkpoint opened;
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        for (size_t k = 0; k < ARRAY_LEN(lines); k++) {
            CLEANUP(mem_cleanup) char *note = cosigned(f, lines[i], lines[k]);

            opened = (struct checkpoint){0};
            assert_ok(checkpoint_open(&f->key, span_str(note), &opened, &e), &e);
            assert_int_equal(opened.size, 1234);
            assert_ok(checkpoint_strip(&f->key, span_str(note), &stripped, &e), &e);
            assert_true(span_equal(buf_span(&stripped), buf_span(&f->note)));
        }
    }
}

static void
a_line_of_the_log_that_is_wrong_ends_it_beside_one_that_is_right(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(buf_free) struct buf wrong = BUF_INIT(256);
    CLEANUP(mem_cleanup) char *encoded = NULL;
    CLEANUP(mem_cleanup) char *line = NULL;
    CLEANUP(mem_cleanup) char *first = NULL;
    CLEANUP(mem_cleanup) char *last = NULL;
    struct checkpoint opened;
    struct err e = {0};

    assert_ok(buf_set(&wrong, span_of(f->key.id, LOG_KEY_ID), &e), &e);
    assert_ok(buf_append(&wrong, SPAN_LITERAL("0\x06\x02\x01\x01\x02\x01\x01"), &e), &e);
    encoded = base64_dup(buf_span(&wrong));
    line = mem_printf("\xe2\x80\x94 %s %s\n", origin, encoded);
    first = cosigned(f, line, "");
    last = cosigned(f, "", line);
    assert_err(checkpoint_open(&f->key, span_str(first), &opened, &e), ERR_CRYPTO, &e);
    assert_err(checkpoint_open(&f->key, span_str(last), &opened, &e), ERR_CRYPTO, &e);
    assert_non_null(strstr(e.text, "the signature of the checkpoint is wrong"));
}

static void
what_the_log_did_not_sign_is_not_stripped(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(mem_cleanup)
    char *others = mem_printf("%.*s\n\xe2\x80\x94 log.test/one AAAAAQE=\n", (int)f->text.n,
                              (const char *)f->text.p);
    CLEANUP(mem_cleanup)
    char *bad = mem_printf("%.*s\n\xe2\x80\x94 log.test/one AAAA\n", (int)f->text.n,
                           (const char *)f->text.p);
    CLEANUP(buf_free) struct buf out = BUF_INIT(CHECKPOINT_MAX);
    struct err e = {0};

    assert_err(checkpoint_strip(&f->key, span_str(others), &out, &e), ERR_CRYPTO, &e);
    assert_err(checkpoint_strip(&f->key, span_str(bad), &out, &e), ERR_INPUT, &e);
    assert_err(checkpoint_strip(&f->key, SPAN_LITERAL("x"), &out, &e), ERR_INPUT, &e);
}

static void
another_log_and_another_key_are_refused(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other = EVP_EC_gen("P-256");
    CLEANUP(buf_free) struct buf spki = BUF_INIT(1024);
    CLEANUP(log_key_free) struct log_key key = {0};
    CLEANUP(buf_free) struct buf note = BUF_INIT(CHECKPOINT_MAX);
    struct checkpoint opened;
    struct err e = {0};

    assert_ok(log_key_set(&key, "log.test/two", buf_span(&f->spki), &e), &e);
    assert_err(checkpoint_open(&key, buf_span(&f->note), &opened, &e), ERR_CRYPTO, &e);
    assert_ok(OSSL_ENCODE(PUBKEY, other, &spki, &e), &e);
    assert_ok(log_key_set(&key, origin, buf_span(&spki), &e), &e);
    assert_err(checkpoint_open(&key, buf_span(&f->note), &opened, &e), ERR_CRYPTO, &e);
    assert_err(checkpoint_seal(&key, buf_span(&f->text), buf_span(&f->signature), &note, &e),
               ERR_CRYPTO, &e);
}

/* The key of this log under the text of another: only a stolen or misused key can make it. */
/* What verified last is remembered for the key that verified it, and as it was. */
static void
what_verified_is_good_with_no_other_key_or_octet(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *stranger = EVP_EC_gen("P-256");
    CLEANUP(log_key_free) struct log_key key = {0};
    CLEANUP(buf_free) struct buf other = BUF_INIT(128);
    CLEANUP(buf_free) struct buf spki = BUF_INIT(1024);
    CLEANUP(buf_free) struct buf note = BUF_INIT(CHECKPOINT_MAX);
    const struct span text = buf_span(&f->text);
    const struct span ours = buf_span(&f->signature);
    struct err e = {0};

    assert_ok(log_key_set(&key, origin, buf_span(&f->spki), &e), &e);
    sign(stranger, text, &other);
    for (int i = 0; i < 2; i++) { /* before, and when ours is remembered */
        assert_err(checkpoint_seal(&key, text, buf_span(&other), &note, &e), ERR_CRYPTO, &e);
        assert_ok(checkpoint_seal(&key, text, ours, &note, &e), &e);
    }
    assert_err(checkpoint_seal(&key, text, span_of(ours.p, ours.n - 1), &note, &e), ERR_CRYPTO, &e);
    assert_ok(OSSL_ENCODE(PUBKEY, stranger, &spki, &e), &e);
    assert_ok(log_key_set(&key, origin, buf_span(&spki), &e), &e);
    assert_err(checkpoint_seal(&key, text, ours, &note, &e), ERR_CRYPTO, &e);
    assert_ok(checkpoint_seal(&key, text, buf_span(&other), &note, &e), &e);
}

static void
the_text_of_another_log_under_our_signature_is_refused(void **state)
{
    const struct fixture *f = *state;
    struct checkpoint other = f->checkpoint;
    struct checkpoint opened;
    CLEANUP(buf_free) struct buf text = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(buf_free) struct buf note = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(128);
    CLEANUP(mem_cleanup) char *encoded = NULL;
    CLEANUP(mem_cleanup) char *line = NULL;
    struct err e = {0};

    (void)snprintf(other.origin, sizeof(other.origin), "log.test/two");
    assert_ok(checkpoint_text(&other, &text, &e), &e);
    sign(f->private, buf_span(&text), &signature);
    assert_err(checkpoint_seal(&f->key, buf_span(&text), buf_span(&signature), &note, &e),
               ERR_CRYPTO, &e);
    assert_ok(buf_set(&note, span_of(f->key.id, LOG_KEY_ID), &e), &e);
    assert_ok(buf_append(&note, buf_span(&signature), &e), &e);
    encoded = base64_dup(buf_span(&note));
    line = mem_printf("\n\xe2\x80\x94 %s %s\n", origin, encoded);
    assert_ok(buf_set(&note, buf_span(&text), &e), &e);
    assert_ok(buf_append_str(&note, line, &e), &e);
    assert_err(checkpoint_open(&f->key, buf_span(&note), &opened, &e), ERR_CRYPTO, &e);
    assert_non_null(strstr(e.text, "another log"));
}

/* ---- the text ---- */

static const char root_text[] = "uP0dyz8xcBLzMRBTlZ2mLmKUJUHEpZ0vhPlUdL4v6Yk=";

/* `n` times this character. */
static char *
repeated(char c, size_t n)
{
    char *text = mem_zalloc(1, n + 1);

    memset(text, c, n);
    return text;
}

static void
a_text_that_is_no_checkpoint_is_refused(void **state)
{
    static const struct {
        const char *name;
        const char *form; /* %s is the root */
        const char *reason;
    } rows[] = {
        {"hexadecimal size", "log.test/one\n0x1\n%s\n", "no size"},
        {"zero in front of a size", "log.test/one\n01\n%s\n", "no size"},
        {"negative size", "log.test/one\n-1\n%s\n", "no size"},
        {"sign in front of a size", "log.test/one\n+1\n%s\n", "no size"},
        {"space in front of a size", "log.test/one\n 1\n%s\n", "no size"},
        {"empty size", "log.test/one\n\n%s\n", "no size"},
        {"19 digits", "log.test/one\n9999999999999999999\n%s\n", "no size"},
        {"no line break at the end", "log.test/one\n1\n%s", "not three lines"},
        {"two lines", "log.test/one\n1\n", "not three lines"},
        {"one line", "log.test/one\n", "not three lines"},
        {"no line", "log.test/one", "not three lines"},
        {"four lines", "log.test/one\n1\n%s\nmore\n", "not three lines"},
        {"carriage return", "log.test/one\r\n1\n%s\n", "printable ASCII"},
        {"space in the origin", "log test/one\n1\n%s\n", "printable ASCII"},
        {"plus in the origin", "log+one\n1\n%s\n", "printable ASCII"},
        {"DEL in the origin", "log\x7fone\n1\n%s\n", "printable ASCII"},
        {"empty origin", "\n1\n%s\n", "0 characters, allowed are 1 to 128"},
        {"empty root", "log.test/one\n1\n\n", "no root"},
        {"root of 3 octets", "log.test/one\n1\nAAAA\n", "no root"},
        {"root of 31 octets", "log.test/one\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n",
         "no root"},
        {"root of 33 octets", "log.test/one\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
         "no root"},
        {"no base64", "log.test/one\n1\n%s*\n", "no root"},
        {"nothing", "", "checkpoint: 0 octets"},
    };
    static const char *const good[] = {
        "log.test/one\n0\n%s\n",
        "l\n1\n%s\n",
        "log.test/one\n999999999999999999\n%s\n",
        "!~\n1\n%s\n",
    };
    struct checkpoint parsed;
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good) + ARRAY_LEN(rows); i++) {
        bool is_good = i < ARRAY_LEN(good);
        const char *form = is_good ? good[i] : rows[i - ARRAY_LEN(good)].form;
        const char *hole = strstr(form, "%s");
        CLEANUP(mem_cleanup)
        char *text = hole == NULL
                         ? mem_strdup(form)
                         : mem_printf("%.*s%s%s", (int)(hole - form), form, root_text, hole + 2);

        if (is_good) {
            assert_ok(checkpoint_parse(span_str(text), &parsed, &e), &e);
            continue;
        }
        assert_err(checkpoint_parse(span_str(text), &parsed, &e), ERR_INPUT, &e);
        if (strstr(e.text, rows[i - ARRAY_LEN(good)].reason) == NULL) {
            fail_msg("%s: %s", rows[i - ARRAY_LEN(good)].name, e.text);
        }
    }
}

static void
lengths_of_origins_texts_and_notes_have_their_limits(void **state)
{
    static const struct {
        const char *name;
        size_t origin;
        const char *reason; /* NULL: it is taken */
    } rows[] = {
        {"an origin of the limit", ORIGIN_MAX, NULL},
        {"an origin of one more", ORIGIN_MAX + 1, "129 characters, allowed are 1 to 128"},
        {"a text of the limit", CHECKPOINT_MAX - sizeof("\n1\n\n") - sizeof(root_text) + 2,
         "characters, allowed are 1 to 128"},
        {"a text of one more", CHECKPOINT_MAX - sizeof("\n1\n\n") - sizeof(root_text) + 3,
         "checkpoint: 2049 octets"},
    };
    const struct fixture *f = *state;
    CLEANUP(mem_cleanup) char *long_note = repeated('x', CHECKPOINT_MAX + 1);
    struct checkpoint parsed;
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *name = repeated('o', rows[i].origin);
        CLEANUP(mem_cleanup) char *text = mem_printf("%s\n1\n%s\n", name, root_text);

        if (rows[i].reason == NULL) {
            assert_ok(checkpoint_parse(span_str(text), &parsed, &e), &e);
            assert_string_equal(parsed.origin, name);
            continue;
        }
        assert_err(checkpoint_parse(span_str(text), &parsed, &e), ERR_INPUT, &e);
        if (strstr(e.text, rows[i].reason) == NULL) {
            fail_msg("%s: %s", rows[i].name, e.text);
        }
    }
    assert_err(checkpoint_parse(SPAN_LITERAL("a\0\n1\n"), &parsed, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "checkpoint: 5 octets");
    assert_err(checkpoint_open(&f->key, span_of(NULL, 0), &parsed, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "checkpoint: signed note: 0 octets, allowed are 1 to 65536");
    assert_err(checkpoint_open(&f->key, span_str(long_note), &parsed, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "checkpoint: signed note: no signature");
    assert_err(checkpoint_open(&f->key, SPAN_LITERAL("a\0\n\n"), &parsed, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "checkpoint: signed note: a control character");
}

/* ---- the signature line ---- */

/* What stands behind the text of the fixture. */
static void
signature_lines_of_another_form_are_refused(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(buf_free) struct buf right = BUF_INIT(256);
    CLEANUP(buf_free) struct buf padded = BUF_INIT(256);
    CLEANUP(mem_cleanup) char *encoded = NULL;
    CLEANUP(mem_cleanup) char *id_only = base64_dup(span_of(f->key.id, LOG_KEY_ID));
    CLEANUP(mem_cleanup) char *id_and_one = NULL;
    CLEANUP(mem_cleanup) char *too_long = NULL;
    struct err e = {0};

    assert_ok(buf_set(&right, span_of(f->key.id, LOG_KEY_ID), &e), &e);
    assert_ok(buf_append(&right, buf_span(&f->signature), &e), &e);
    encoded = base64_dup(buf_span(&right));
    id_and_one = base64_dup(span_of(right.p, LOG_KEY_ID + 1));
    assert_ok(buf_set(&padded, buf_span(&right), &e), &e);
    while (padded.n < LOG_KEY_ID + 73) {
        assert_ok(buf_append(&padded, SPAN_LITERAL("\0"), &e), &e);
    }
    too_long = base64_dup(buf_span(&padded));
    {
        const struct {
            const char *name;
            const char *before;
            const char *base64;
            const char *behind;
            const char *reason;
            enum err_code code;
        } rows[] = {
            {"another dash", "- log.test/one ", encoded, "\n", "without its dash", ERR_INPUT},
            {"another name", "\xe2\x80\x94 log.test/two ", encoded, "\n", "not signed by",
             ERR_CRYPTO},
            {"nothing", "", "", "", "no signature", ERR_INPUT},
            {"no line break", "\xe2\x80\x94 log.test/one ", encoded, "",
             "the last line has no line break", ERR_INPUT},
            {"another key", "\xe2\x80\x94 log.test/one ", "AAAAAQE=", "\n", "not signed by the key",
             ERR_CRYPTO},
            {"a second line", "\xe2\x80\x94 log.test/one ", encoded, "\nmore\n", "without its dash",
             ERR_INPUT},
            {"no base64", "\xe2\x80\x94 log.test/one ", encoded, "*\n", "signature line",
             ERR_INPUT},
            {"no signature", "\xe2\x80\x94 log.test/one ", id_only, "\n", "without a signature",
             ERR_INPUT},
            {"a signature of one octet", "\xe2\x80\x94 log.test/one ", id_and_one, "\n",
             "the signature of the checkpoint is wrong", ERR_CRYPTO},
            {"a signature of 73 octets", "\xe2\x80\x94 log.test/one ", too_long, "\n",
             "the signature of the checkpoint is wrong", ERR_CRYPTO},
        };
        struct checkpoint opened;

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            CLEANUP(mem_cleanup)
            char *note = mem_printf("%.*s\n%s%s%s", (int)f->text.n, (const char *)f->text.p,
                                    rows[i].before, rows[i].base64, rows[i].behind);

            assert_err(checkpoint_open(&f->key, span_str(note), &opened, &e), rows[i].code, &e);
            if (strstr(e.text, rows[i].reason) == NULL) {
                fail_msg("%s: %s", rows[i].name, e.text);
            }
        }
    }
}

static void
a_signature_that_is_too_long_or_of_a_bad_text_is_not_sealed(void **state)
{
    static const uint8_t octets[73];
    const struct fixture *f = *state;
    CLEANUP(buf_free) struct buf note = BUF_INIT(CHECKPOINT_MAX);
    struct err e = {0};

    assert_err(checkpoint_seal(&f->key, buf_span(&f->text), span_of(octets, 72), &note, &e),
               ERR_CRYPTO, &e);
    assert_string_equal(e.text, "the signature of the checkpoint is wrong");
    assert_err(checkpoint_seal(&f->key, buf_span(&f->text), span_of(octets, 73), &note, &e),
               ERR_CRYPTO, &e);
    assert_non_null(strstr(e.text, "no P-256 signature"));
    assert_err(checkpoint_seal(&f->key, SPAN_LITERAL("x"), buf_span(&f->signature), &note, &e),
               ERR_INPUT, &e);
    assert_string_equal(e.text, "checkpoint: not three lines");
    assert_int_equal(note.n, 0);
}

/* ---- keys ---- */

static void
a_text_that_is_no_verifier_key_is_refused(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(mem_cleanup) char *right = log_key_format(&f->key);
    CLEANUP(mem_cleanup) char *many = repeated('x', CHECKPOINT_MAX + 1);
    const char *plus = strchr(right, '+');
    const char *encoded = strchr(plus + 1, '+') + 1;
    CLEANUP(mem_cleanup) char *ed25519 = base64_dup(SPAN_LITERAL("\1\x30"));
    CLEANUP(mem_cleanup) char *type_only = base64_dup(SPAN_LITERAL("\2"));
    CLEANUP(mem_cleanup) char *no_key = base64_dup(SPAN_LITERAL("\2\x30"));
    CLEANUP(mem_cleanup) char *other_id = mem_printf("%s+00000000+%s", origin, encoded);
    CLEANUP(mem_cleanup) char *upper_id = mem_strdup(right);
    CLEANUP(mem_cleanup) char *two_breaks = mem_printf("%s\n", right);
    CLEANUP(mem_cleanup) char *as_ed25519 = mem_printf("%s+00000000+%s", origin, ed25519);
    CLEANUP(mem_cleanup) char *as_type = mem_printf("%s+00000000+%s", origin, type_only);
    CLEANUP(mem_cleanup) char *as_no_key = mem_printf("%s+00000000+%s", origin, no_key);
    CLEANUP(mem_cleanup) char *no_origin = mem_strdup(plus);
    CLEANUP(log_key_free) struct log_key key = {0};
    const struct {
        const char *name;
        struct span text;
        const char *reason;
    } rows[] = {
        {"nothing", span_of(NULL, 0), "not a verifier key: 0 octets"},
        {"the limit", span_of(many, CHECKPOINT_MAX), "no \"origin+keyid+key\""},
        {"one more", span_of(many, CHECKPOINT_MAX + 1), "not a verifier key: 2049 octets"},
        {"a zero octet", SPAN_LITERAL("a+b+\0"), "not a verifier key: 5 octets"},
        {"no plus", span_str("origin"), "no \"origin+keyid+key\""},
        {"one plus", span_str("origin+00000000"), "no \"origin+keyid+key\""},
        {"no base64", span_str("o+00000000+*"), "verifier key: "},
        {"no key", span_str("o+00000000+"), "not an ECDSA key"},
        {"a type alone", span_str(as_type), "not an ECDSA key"},
        {"a key of Ed25519", span_str(as_ed25519), "not an ECDSA key"},
        {"no SubjectPublicKeyInfo", span_str(as_no_key), "not a P-256 SubjectPublicKeyInfo"},
        {"no origin", span_str(no_origin), "0 characters, allowed are 1 to 128"},
        {"another key id", span_str(other_id), "the key id is not of this key"},
        {"a key id in capitals", span_str(upper_id), "the key id is not of this key"},
        {"two line breaks", span_str(two_breaks), "verifier key: "},
    };
    struct err e = {0};

    for (char *p = upper_id + strlen(origin) + 1; *p != '+'; p++) {
        /* one key in a hundred has no letter in its id: another digit is as wrong */
        *p = (char)(*p >= 'a' && *p <= 'f' ? *p - 'a' + 'A' : *p == '9' ? '0' : *p + 1);
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_err(log_key_parse(&key, rows[i].text, &e), ERR_INPUT, &e);
        if (strstr(e.text, rows[i].reason) == NULL) {
            fail_msg("%s: %s", rows[i].name, e.text);
        }
        assert_null(key.key); /* nothing of it is kept */
    }
}

static void
a_verifier_key_comes_back_as_it_was_written(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(mem_cleanup) char *text = log_key_format(&f->key);
    CLEANUP(log_key_free) struct log_key key = {0};
    uint8_t hash[SHA256_SIZE];
    char id[2 * LOG_KEY_ID + 1];
    struct checkpoint opened;
    struct err e = {0};

    assert_ok(sha256(buf_span(&f->spki), hash, &e), &e);
    hex_format(span_of(hash, LOG_KEY_ID), id);
    assert_memory_equal(text, origin, strlen(origin));
    assert_int_equal(text[strlen(origin)], '+');
    assert_memory_equal(text + strlen(origin) + 1, id, strlen(id));
    assert_ok(log_key_parse(&key, span_str(text), &e), &e);
    assert_ok(checkpoint_open(&key, buf_span(&f->note), &opened, &e), &e);
    assert_ok(log_key_parse(&key, span_of(text, strlen(text) - 1), &e), &e);
    for (size_t i = 0; i < 8 * (strlen(text) - 1); i++) {
        CLEANUP(mem_cleanup) char *changed = mem_strdup(text);
        bool in_origin = i / 8 < strlen(origin);

        changed[i / 8] = (char)(changed[i / 8] ^ 1 << i % 8);
        /* Another origin is another log's name, and then its notes are refused. */
        if (!in_origin && log_key_parse(&key, span_of(changed, strlen(text)), &e) == 0) {
            fail_msg("bit %zu of octet %zu", i % 8, i / 8);
        }
    }
}

static void
a_log_key_is_a_p256_key(void **state)
{
    const struct fixture *f = *state;
    static const uint8_t many[LOG_KEY_SPKI_MAX + 1];
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *p384 = EVP_EC_gen("P-384");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    CLEANUP(buf_free) struct buf secp384 = BUF_INIT(1024);
    CLEANUP(buf_free) struct buf edwards = BUF_INIT(1024);
    CLEANUP(buf_free) struct buf longer = BUF_INIT(1024);
    CLEANUP(log_key_free) struct log_key key = {0};
    struct err e = {0};

    assert_ok(OSSL_ENCODE(PUBKEY, p384, &secp384, &e), &e);
    assert_ok(OSSL_ENCODE(PUBKEY, ed25519, &edwards, &e), &e);
    assert_ok(buf_set(&longer, buf_span(&f->spki), &e), &e);
    assert_ok(buf_append(&longer, SPAN_LITERAL("\0"), &e), &e);
    {
        const struct {
            const char *name;
            struct span spki;
            const char *reason;
        } rows[] = {
            {"P-384", buf_span(&secp384), "not a P-256 SubjectPublicKeyInfo"},
            {"Ed25519", buf_span(&edwards), "not a P-256 SubjectPublicKeyInfo"},
            {"no DER", SPAN_LITERAL("no DER"), "not a P-256 SubjectPublicKeyInfo"},
            {"an octet behind", buf_span(&longer), "not a P-256 SubjectPublicKeyInfo"},
            {"nothing", span_of(NULL, 0), "not a P-256 SubjectPublicKeyInfo"},
            {"the limit", span_of(many, LOG_KEY_SPKI_MAX), "not a P-256 SubjectPublicKeyInfo"},
            {"one more", span_of(many, sizeof(many)), "the log key has 257 octets"},
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            assert_err(log_key_set(&key, origin, rows[i].spki, &e), ERR_INPUT, &e);
            if (strstr(e.text, rows[i].reason) == NULL) {
                fail_msg("%s: %s", rows[i].name, e.text);
            }
        }
    }
    assert_err(log_key_set(&key, "log test", buf_span(&f->spki), &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "printable ASCII"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_note_has_the_form_of_c2sp),
        cmocka_unit_test(a_note_that_was_sealed_opens),
        cmocka_unit_test(every_flipped_bit_of_a_note_is_refused),
        cmocka_unit_test(a_checkpoint_that_others_signed_too_opens),
        cmocka_unit_test(a_line_of_the_log_that_is_wrong_ends_it_beside_one_that_is_right),
        cmocka_unit_test(what_the_log_did_not_sign_is_not_stripped),
        cmocka_unit_test(another_log_and_another_key_are_refused),
        cmocka_unit_test(what_verified_is_good_with_no_other_key_or_octet),
        cmocka_unit_test(the_text_of_another_log_under_our_signature_is_refused),
        cmocka_unit_test(a_text_that_is_no_checkpoint_is_refused),
        cmocka_unit_test(lengths_of_origins_texts_and_notes_have_their_limits),
        cmocka_unit_test(signature_lines_of_another_form_are_refused),
        cmocka_unit_test(a_signature_that_is_too_long_or_of_a_bad_text_is_not_sealed),
        cmocka_unit_test(a_text_that_is_no_verifier_key_is_refused),
        cmocka_unit_test(a_verifier_key_comes_back_as_it_was_written),
        cmocka_unit_test(a_log_key_is_a_p256_key),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
