/* SPDX-License-Identifier: Apache-2.0 */
/* A proof that needs the log key alone: written, checked, and refused when a bit of it is another.
 */
#include "db/audit/proof.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/ossl.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/program_scene.h"

static char *
write_certificate(const struct scene *s, const struct audit_enrolment *one)
{
    char *path = scene_path(s, "certificate.der");
    struct err e = {0};

    assert_ok(file_write(path, buf_span(&one->certificate), 0644, &e), &e);
    return path;
}

/* What `prove` said, in a file; mem_free() its name. */
static char *
prove(struct scene *s, const char *what)
{
    CLEANUP(mem_cleanup) char *key = scene_key(s);
    char *path = scene_path(s, "proof");
    struct err e = {0};

    assert_int_equal(RUN(s, "--ledger", s->l.dir, "--key", key, "prove", what), 0);
    assert_string_equal(s->errors, "");
    assert_ok(file_write(path, span_str(s->out), 0644, &e), &e);
    return path;
}

static void
a_holder_checks_the_proof_of_a_certificate_with_the_key_alone(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *key = scene_key(s);
    CLEANUP(mem_cleanup) char *proof = prove(s, s->confirmed.serial);
    CLEANUP(mem_cleanup) char *own = write_certificate(s, &s->confirmed);
    CLEANUP(mem_cleanup) char *serial = mem_printf("serial       %s", s->confirmed.serial);

    assert_int_equal(strncmp(s->out, "c2sp.org/tlog-proof@v1\nextra ", 29), 0);
    assert_int_equal(RUN(s, "--key", key, "check-proof", "--certificate", own, proof), 0);
    assert_says(s->out, serial);
    assert_says(s->out, "inclusion proof verified against checkpoint size 19 of ");
    assert_int_equal(RUN(s, "--key", key, "--json", "check-proof", proof), 0);
    assert_says(s->out, "\"verified\":true");
    assert_says(s->out, "\"kind\":\"ISSUED\"");
    mem_free(own);
    own = write_certificate(s, &s->issued);
    assert_int_equal(RUN(s, "--key", key, "check-proof", "--certificate", own, proof), 1);
    assert_says(s->errors, "/proof: it is not of ");
}

static void
any_leaf_has_a_proof(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *key = scene_key(s);
    CLEANUP(mem_cleanup) char *proof = prove(s, "0");

    assert_int_equal(RUN(s, "--key", key, "check-proof", proof), 0);
    assert_says(s->out, "leaf 0");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "--key", key, "prove", "19"), 3);
    assert_says(s->errors, "no leaf or issued certificate 19 in this ledger");
}

static void
misuse_says_what_to_do(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *key = scene_key(s);
    CLEANUP(mem_cleanup) char *proof = prove(s, "0");
    CLEANUP(mem_cleanup) char *nothing = scene_path(s, "nothing");

    assert_int_equal(RUN(s, "check-proof", proof), 2);
    assert_says(s->errors, "check-proof needs --key: a proof is as good as the log key");
    assert_int_equal(RUN(s, "--key", key, "check-proof"), 2);
    assert_int_equal(RUN(s, "--key", key, "--ledger", s->l.dir, "prove"), 2);
    assert_int_equal(RUN(s, "--key", key, "--ledger", s->l.dir, "prove", "no hex"), 2);
    assert_int_equal(RUN(s, "--key", key, "prove", "0"), 2); /* no ledger */
    assert_int_equal(RUN(s, "--key", key, "check-proof", nothing), 1);
    assert_says(s->errors, "nothing");
    assert_int_equal(RUN(s, "--key", nothing, "check-proof", proof), 2);
    assert_says(s->errors, "--key: ");
    assert_int_equal(RUN(s, "--key", key, "check-proof", "--certificate", key, proof), 2);
    assert_says(s->errors, "--certificate: ");
    assert_int_equal(RUN(s, "--key", key, "check-proof", key), 1);
    assert_says(s->errors, "log.vkey: proof: its first line is not that of a C2SP tlog-proof");
    assert_int_equal(RUN(s, "--key", key, "--ledger", "/nowhere", "prove", "0"), 2);
}

static void
key_read(const struct scene *s, struct log_key *out)
{
    CLEANUP(mem_cleanup) char *path = scene_key(s);
    CLEANUP(buf_free) struct buf text = BUF_INIT(CHECKPOINT_MAX);
    struct err e = {0};

    assert_ok(file_read(path, &text, &e), &e);
    assert_ok(log_key_parse(out, buf_span(&text), &e), &e);
}

static void
each_flipped_bit_is_refused(void **state)
{
    struct scene *s = *state;
    CLEANUP(log_key_free) struct log_key key = {0};
    struct span text;
    struct proof proof = {0};
    struct err e = {0};

    mem_free(prove(s, s->confirmed.serial)); /* which s->out has, too */
    key_read(s, &key);
    text = span_str(s->out);
    assert_ok(proof_open(&key, text, &proof, &e), &e);
    proof_free(&proof);
    for (size_t i = 0; i < 8 * text.n; i++) {
        s->out[i / 8] = (char)(s->out[i / 8] ^ 1 << i % 8);
        if (proof_open(&key, text, &proof, &e) == 0) {
            fail_msg("bit %zu of octet %zu", i % 8, i / 8);
        }
        proof_free(&proof);
        s->out[i / 8] = (char)(s->out[i / 8] ^ 1 << i % 8);
    }
    for (size_t n = 0; n < text.n; n++) {
        assert_int_equal(proof_open(&key, span_of(text.p, n), &proof, &e), -1);
    }
}

static void
another_form_is_refused(void **state)
{
    static const struct {
        const char *text;
        const char *says;
    } rows[] = {
        {"", "its first line"},
        {"c2sp.org/tlog-proof@v2\n", "its first line"},
        {"c2sp.org/tlog-proof@v1\n", "no line \"extra ...\""},
        {"c2sp.org/tlog-proof@v1\nindex 0\n", "no line \"extra ...\""},
        {"c2sp.org/tlog-proof@v1\nextra *\nindex 0\n", "base64"},
        {"c2sp.org/tlog-proof@v1\nextra AAAA\n", "no line \"index N\""},
        {"c2sp.org/tlog-proof@v1\nextra AAAA\nindex 01\n", "no line \"index N\""},
        {"c2sp.org/tlog-proof@v1\nextra AAAA\nindex -1\n", "no line \"index N\""},
        {"c2sp.org/tlog-proof@v1\nextra AAAA\nindex 1234567890123456789\n", "no line \"index N\""},
        {"c2sp.org/tlog-proof@v1\nextra AAAA\nindex 0\n", "no checkpoint"},
        {"c2sp.org/tlog-proof@v1\nextra AAAA\nindex 0\nAAAA\n", "a line that is no hash"},
        {"c2sp.org/tlog-proof@v1\nextra AAAA\nindex 0\n\n", "signed note: 0 octets"},
    };
    struct scene *s = *state;
    CLEANUP(log_key_free) struct log_key key = {0};
    CLEANUP(mem_cleanup) char *deep = mem_strdup("c2sp.org/tlog-proof@v1\nextra AAAA\nindex 0\n");
    const struct proof none = {0};
    struct proof proof = none;
    struct err e = {0};

    key_read(s, &key);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(proof_open(&key, span_str(rows[i].text), &proof, &e), -1);
        if (strstr(e.text, rows[i].says) == NULL) {
            fail_msg("%zu: %s", i, e.text);
        }
    }
    for (int i = 0; i <= MERKLE_PROOF_MAX; i++) {
        char *more = mem_printf("%sAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", deep);

        mem_free(deep);
        deep = more;
    }
    assert_int_equal(proof_open(&key, span_str(deep), &proof, &e), -1);
    assert_says(e.text, "or too many of them");
}

/* A log may have signed what is no leaf of ours. */
static void
what_is_no_leaf_is_refused(void **state)
{
    struct scene *s = *state;
    CLEANUP(log_key_free) struct log_key key = {0};
    CLEANUP(buf_free) struct buf text = BUF_INIT(PROOF_MAX);
    CLEANUP(buf_free) struct buf note = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(buf_free) struct buf spki = BUF_INIT(1024);
    CLEANUP(buf_free) struct buf head = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *own = EVP_EC_gen("P-256");
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    struct checkpoint c = {.origin = "x", .size = 1, .root = merkle_leaf(SPAN_LITERAL("{}"))};
    const struct merkle_proof path = {0};
    struct proof proof = {0};
    unsigned char der[128];
    size_t n = sizeof(der);
    struct err e = {0};

    (void)s;
    assert_ok(OSSL_ENCODE(PUBKEY, own, &spki, &e), &e);
    assert_ok(log_key_set(&key, "x", buf_span(&spki), &e), &e);
    assert_ok(checkpoint_text(&c, &head, &e), &e);
    assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, "SHA2-256", NULL, NULL, own, NULL), 1);
    assert_int_equal(EVP_DigestSign(ctx, der, &n, head.p, head.n), 1);
    assert_ok(checkpoint_seal(&key, buf_span(&head), span_of(der, n), &note, &e), &e);
    assert_ok(proof_format(SPAN_LITERAL("{}"), 0, &path, buf_span(&note), &text, &e), &e);
    assert_int_equal(proof_open(&key, buf_span(&text), &proof, &e), -1);
    assert_says(e.text, "the leaf of the proof: ");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(a_holder_checks_the_proof_of_a_certificate_with_the_key_alone),
        SCENE(any_leaf_has_a_proof),
        SCENE(misuse_says_what_to_do),
        SCENE(each_flipped_bit_is_refused),
        SCENE(another_form_is_refused),
        SCENE(what_is_no_leaf_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
