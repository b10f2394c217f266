/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing is signed that the pinned log does not have, whoever asks. */
#include "tests/support/test.h"

#include "pkcs11/signer/logged.h"

#include <string.h>

#include "base/ossl.h"
#include "pkcs11/signer/object.h"
#include "tests/unit/pkcs11/signer/scene.h"
#include "tests/unit/pkcs11/signer/scene_log.h"

enum { BEFORE = 5, BEHIND = 7 }; /* leaves around the one that is asked with */

/* The log that the policy pins, one of the same origin with another key, and one of the same key
 * with another origin; each has the same leaves. */
static struct {
    struct scene_log right, other_key, other_origin;
    struct policy *policy;
    struct buf tbs, other_tbs;
    char *leaf, *other_leaf;
    uint64_t index;
} world;

static void
fill(struct scene_log *log)
{
    for (int i = 0; i < BEFORE; i++) {
        (void)scene_log_add(log, SPAN_LITERAL("before"));
    }
    world.index = scene_log_add(log, span_str(world.leaf));
    for (int i = 0; i < BEHIND; i++) {
        (void)scene_log_add(log, SPAN_LITERAL("behind"));
    }
}

static int
setup(void **state)
{
    const struct scene_certificate right = {0};
    const struct scene_certificate other = {.serial = "02{7f 02*15}"};
    struct err e = {0};

    (void)state;
    world.tbs = BUF_INIT(OBJECT_CERTIFICATE_MAX);
    world.other_tbs = BUF_INIT(OBJECT_CERTIFICATE_MAX);
    scene_certificate(&right, &world.tbs);
    scene_certificate(&other, &world.other_tbs);
    world.leaf = scene_intent(buf_span(&world.tbs));
    world.other_leaf = scene_intent(buf_span(&world.other_tbs));
    scene_log_begin(&world.right, SCENE_LOG_ORIGIN);
    scene_log_begin(&world.other_key, SCENE_LOG_ORIGIN);
    scene_log_begin(&world.other_origin, "other.example");
    EVP_PKEY_free(world.other_origin.key);
    (void)EVP_PKEY_up_ref(world.right.key);
    world.other_origin.key = world.right.key;
    assert_ok(log_key_set(&world.other_origin.pinned, "other.example",
                          span_of(world.right.pinned.spki, world.right.pinned.spki_n), &e),
              &e);
    fill(&world.right);
    fill(&world.other_key);
    fill(&world.other_origin);
    world.policy = scene_policy(POLICY_CERTIFICATE_AUTHORITY);
    assert_ok(log_key_set(&world.policy->log, SCENE_LOG_ORIGIN,
                          span_of(world.right.pinned.spki, world.right.pinned.spki_n), &e),
              &e);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    policy_free(world.policy);
    scene_log_end(&world.right);
    scene_log_end(&world.other_key);
    scene_log_end(&world.other_origin);
    buf_free(&world.tbs);
    buf_free(&world.other_tbs);
    mem_free(world.leaf);
    mem_free(world.other_leaf);
    return 0;
}

struct row {
    const char *name;
    const struct scene_log *log;
    uint64_t size;  /* of the checkpoint; 0: all leaves */
    uint64_t index; /* that is claimed; 0: the right one */
    bool other_leaf, other_root, path_of_first;
    size_t note_cut, path_cut; /* octets less */
    int note_flip;             /* character of it from the end that is changed; 0: none */
    bool path_flip, path_more;
    enum err_code code;
    const char *reason; /* NULL: it is signed */
};

#define ALL (BEFORE + 1 + BEHIND)

static const struct row ROWS[] = {
    {.name = "right"},
    {.name = "an older checkpoint that covers it", .size = BEFORE + 3},
    {.name = "the oldest that covers it", .size = BEFORE + 1},
    {.name = "a checkpoint by another key",
     .log = &world.other_key,
     .code = ERR_DENIED,
     .reason = "evidence: checkpoint: not signed by the key "},
    {.name = "of another origin, by the right key",
     .log = &world.other_origin,
     .code = ERR_DENIED,
     .reason = "evidence: checkpoint: of another log than " SCENE_LOG_ORIGIN},
    {.name = "a signature of something else",
     .note_flip = 8,
     .code = ERR_DENIED,
     .reason = "evidence: the signature of the checkpoint is wrong"},
    {.name = "no line break at the end",
     .note_cut = 1,
     .code = ERR_INPUT,
     .reason = "evidence: checkpoint: signed note: the last line has no line break"},
    {.name = "a checkpoint that ends just before it",
     .size = BEFORE,
     .code = ERR_DENIED,
     .reason = "checkpoint: it covers 5 leaves, and not leaf 5"},
    {.name = "a leaf far behind",
     .index = UINT64_MAX,
     .code = ERR_DENIED,
     .reason = "checkpoint: it covers 13 leaves, and not leaf 18446744073709551615"},
    {.name = "a checkpoint with a root that the leaves do not give",
     .other_root = true,
     .code = ERR_DENIED,
     .reason = "path: inclusion: the proof leads to another root"},
    {.name = "another index",
     .index = BEFORE + 1,
     .code = ERR_DENIED,
     .reason = "path: inclusion: the proof leads to another root"},
    {.name = "the path of another leaf",
     .path_of_first = true,
     .code = ERR_DENIED,
     .reason = "path: inclusion: the proof leads to another root"},
    {.name = "a changed octet in the path",
     .path_flip = true,
     .code = ERR_DENIED,
     .reason = "path: inclusion: the proof leads to another root"},
    {.name = "a path without its last hash",
     .path_cut = MERKLE_HASH,
     .code = ERR_DENIED,
     .reason = "path: inclusion: the proof is too short"},
    {.name = "a path with one more",
     .path_more = true,
     .code = ERR_DENIED,
     .reason = "path: inclusion: the proof is too long"},
    {.name = "a path without its last octet",
     .path_cut = 1,
     .code = ERR_INPUT,
     .reason = "evidence: a checkpoint of"},
    {.name = "a leaf that is not there, right for the certificate",
     .other_leaf = true,
     .code = ERR_DENIED,
     .reason = "path: inclusion: the proof leads to another root"},
};

static void
make_evidence(const struct row *row, struct buf *out)
{
    const struct scene_log *log = row->log == NULL ? &world.right : row->log;
    const uint64_t size = row->size == 0 ? ALL : row->size;
    const struct merkle_hash root = {.octets = {1}};
    CLEANUP(buf_free) struct buf note = BUF_INIT(EVIDENCE_NOTE_MAX);
    CLEANUP(buf_free) struct buf path = BUF_INIT(EVIDENCE_PATH_MAX);
    struct evidence v = {.index = row->index == 0 ? world.index : row->index};
    struct err e = {0};

    scene_log_note(log, size, row->other_root ? &root : NULL, &note);
    if (row->note_flip > 0) {
        uint8_t *at = &note.p[note.n - 1 - (size_t)row->note_flip];

        *at = *at == 'A' ? 'B' : 'A'; /* base64 still */
    }
    if (size > world.index) {
        scene_log_path(log, row->path_of_first ? 0 : world.index, size, &path);
    }
    if (row->path_more) {
        assert_ok(buf_append(&path, span_of(root.octets, MERKLE_HASH), &e), &e);
    }
    if (row->path_flip) {
        path.p[path.n - 1] ^= 1;
    }
    v.note = span_of(note.p, note.n - row->note_cut);
    v.leaf = span_str(row->other_leaf ? world.other_leaf : world.leaf);
    v.path = buf_span(&path);
    assert_ok(evidence_encode(&v, out, &e), &e);
    buf_truncate(out, out->n - row->path_cut);
}

static void
only_what_the_pinned_log_has_is_signed(void **state)
{
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        CLEANUP(buf_free) struct buf evidence = BUF_INIT(EVIDENCE_MAX);
        const struct buf *tbs = ROWS[i].other_leaf ? &world.other_tbs : &world.tbs;
        struct err e = {0};

        make_evidence(&ROWS[i], &evidence);
        good += scene_expect(
            ROWS[i].name,
            logged_check_certificate(world.policy, buf_span(tbs), buf_span(&evidence), &e), &e,
            ROWS[i].code, ROWS[i].reason);
    }
    assert_int_equal(good, ARRAY_LEN(ROWS));
}

/* The last good checkpoint is not verified again, and no other is taken for it. */
static void
what_is_remembered_changes_no_verdict(void **state)
{
    const struct row right = {.name = "right"};
    const struct row older = {.name = "older", .size = BEFORE + 3};
    size_t good = 0;

    (void)state;
    world.policy->memo = mem_new(sizeof(*world.policy->memo));
    for (size_t i = 0; i < 3 * ARRAY_LEN(ROWS); i++) {
        const struct row *rows[] = {&right, &ROWS[i % ARRAY_LEN(ROWS)], &older};

        for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
            CLEANUP(buf_free) struct buf evidence = BUF_INIT(EVIDENCE_MAX);
            const struct buf *tbs = rows[k]->other_leaf ? &world.other_tbs : &world.tbs;
            struct err e = {0};

            make_evidence(rows[k], &evidence);
            good += scene_expect(
                rows[k]->name,
                logged_check_certificate(world.policy, buf_span(tbs), buf_span(&evidence), &e), &e,
                rows[k]->code, rows[k]->reason);
            good += scene_expect(
                rows[k]->name,
                logged_check_certificate(world.policy, buf_span(tbs), buf_span(&evidence), &e), &e,
                rows[k]->code, rows[k]->reason);
        }
    }
    assert_int_equal(good, 3 * ARRAY_LEN(ROWS) * 3 * 2);
    assert_true(world.policy->memo->n > 0);
    mem_free(world.policy->memo);
    world.policy->memo = NULL;
}

/* Of a log of one leaf the path is empty. */
static void
evidence_alone(struct span leaf, struct buf *evidence)
{
    struct scene_log log = {.key = world.right.key, .pinned = world.right.pinned};
    CLEANUP(buf_free) struct buf note = BUF_INIT(EVIDENCE_NOTE_MAX);
    struct evidence v = {.leaf = leaf};
    struct err failed = {0};

    (void)scene_log_add(&log, leaf);
    scene_log_note(&log, 1, NULL, &note);
    v.note = buf_span(&note);
    assert_ok(evidence_encode(&v, evidence, &failed), &failed);
}

static int
check_alone(struct span leaf, const struct buf *tbs, struct err *e)
{
    CLEANUP(buf_free) struct buf evidence = BUF_INIT(EVIDENCE_MAX);

    evidence_alone(leaf, &evidence);
    return logged_check_certificate(world.policy, buf_span(tbs), buf_span(&evidence), e);
}

/* `text` with $S and $T for the certificate's serial and hash, and $U for another's hash. */
static char *
with_members(const char *text)
{
    CLEANUP(mem_cleanup) char *all = mem_strdup("");
    const char *const serial = strstr(world.leaf, "\"serial\":\"") + 10;
    const char *const hash = strstr(world.leaf, "\"tbs\":\"") + 7;
    const char *const other = strstr(world.other_leaf, "\"tbs\":\"") + 7;

    for (; *text != '\0'; text++) {
        char *longer;

        if (*text == '$') {
            text++;
            longer = *text == 'S'   ? mem_printf("%s%.32s", all, serial)
                     : *text == 'T' ? mem_printf("%s%.64s", all, hash)
                                    : mem_printf("%s%.64s", all, other);
        } else {
            longer = mem_printf("%s%c", all, *text);
        }
        mem_free(all);
        all = longer;
    }
    return TAKE(all);
}

#define NO_LEAF "leaf: not a flat object with ascending names"
#define NO_INTENT "leaf: it is not an INTENT"
#define NO_SERIAL "leaf: its serial is another than the certificate's"
#define NO_TIMES "leaf: its notBefore or notAfter is another than the certificate's"
#define FROM "2026-02-01T00:00:00Z"
#define TO "2026-03-01T00:00:00Z"
#define TIMES(from, to) "\"notAfter\":\"" to "\",\"notBefore\":\"" from "\""
#define NO_TBS "leaf: its tbs is not the SHA-256 of this TBSCertificate"

static const struct {
    const char *name;
    const char *leaf;
    enum err_code code;
    const char *reason;
} LEAVES[] = {
    {"the least", "{\"kind\":\"INTENT\"," TIMES(FROM, TO) ",\"serial\":\"$S\",\"tbs\":\"$T\"}",
     ERR_NONE, NULL},
    {"numbers, truths and escapes beside it",
     "{\"a\":-12,\"aa\":0,\"b\":true,\"c\":false,\"d\":\"\\u001b\\n\\\"\",\"kind\":"
     "\"INTENT\"," TIMES(FROM, TO) ",\"serial\":\"$S\",\"tbs\":\"$T\",\"z\":\"\"}",
     ERR_NONE, NULL},

    {"another kind", "{\"kind\":\"ISSUED\",\"serial\":\"$S\",\"tbs\":\"$T\"}", ERR_DENIED,
     NO_INTENT},
    {"a longer kind", "{\"kind\":\"INTENTS\",\"serial\":\"$S\",\"tbs\":\"$T\"}", ERR_DENIED,
     NO_INTENT},
    {"no kind", "{\"serial\":\"$S\",\"tbs\":\"$T\"}", ERR_DENIED, NO_INTENT},
    {"a kind that is spelled with an escape",
     "{\"kind\":\"INTEN\\u0054\",\"serial\":\"$S\",\"tbs\":\"$T\"}", ERR_DENIED, NO_INTENT},
    {"a kind that is a number", "{\"kind\":1,\"serial\":\"$S\",\"tbs\":\"$T\"}", ERR_DENIED,
     NO_INTENT},
    {"another serial",
     "{\"kind\":\"INTENT\",\"serial\":\"7f020202020202020202020202020202\",\"tbs\":\"$T\"}",
     ERR_DENIED, NO_SERIAL},
    {"a serial with more", "{\"kind\":\"INTENT\",\"serial\":\"$S00\",\"tbs\":\"$T\"}", ERR_DENIED,
     NO_SERIAL},
    {"no serial", "{\"kind\":\"INTENT\",\"tbs\":\"$T\"}", ERR_DENIED, NO_SERIAL},
    {"another notBefore",
     "{\"kind\":\"INTENT\"," TIMES("2026-02-01T00:00:01Z", TO) ",\"serial\":\"$S\",\"tbs\":\"$T\"}",
     ERR_DENIED, NO_TIMES},
    {"another notAfter",
     "{\"kind\":\"INTENT\"," TIMES(FROM,
                                   "2026-02-28T23:59:59Z") ",\"serial\":\"$S\",\"tbs\":\"$T\"}",
     ERR_DENIED, NO_TIMES},
    {"no times", "{\"kind\":\"INTENT\",\"serial\":\"$S\",\"tbs\":\"$T\"}", ERR_DENIED, NO_TIMES},
    {"another certificate's hash", "{\"kind\":\"INTENT\",\"serial\":\"$S\",\"tbs\":\"$U\"}",
     ERR_DENIED, NO_TBS},
    {"no hash", "{\"kind\":\"INTENT\",\"serial\":\"$S\"}", ERR_DENIED, NO_TBS},

    {"nothing", "", ERR_INPUT, NO_LEAF},
    {"no object", "[]", ERR_INPUT, NO_LEAF},
    {"an empty object", "{}", ERR_INPUT, NO_LEAF},
    {"no end", "{\"kind\":\"INTENT\",\"serial\":\"$S\",\"tbs\":\"$T\"", ERR_INPUT, NO_LEAF},
    {"an octet behind", "{\"kind\":\"INTENT\",\"serial\":\"$S\",\"tbs\":\"$T\"}\n", ERR_INPUT,
     NO_LEAF},
    {"a comma at the end", "{\"kind\":\"INTENT\",\"serial\":\"$S\",\"tbs\":\"$T\",}", ERR_INPUT,
     NO_LEAF},
    {"a space", "{\"kind\": \"INTENT\",\"serial\":\"$S\",\"tbs\":\"$T\"}", ERR_INPUT, NO_LEAF},
    {"no colon", "{\"kind\",\"serial\":\"$S\",\"tbs\":\"$T\"}", ERR_INPUT, NO_LEAF},
    {"a name twice", "{\"kind\":\"INTENT\",\"serial\":\"$S\",\"tbs\":\"$U\",\"tbs\":\"$T\"}",
     ERR_INPUT, NO_LEAF},
    {"names that are not ascending", "{\"kind\":\"INTENT\",\"tbs\":\"$T\",\"serial\":\"$S\"}",
     ERR_INPUT, NO_LEAF},
    {"a name behind one that it begins",
     "{\"kinds\":1,\"kind\":\"INTENT\",\"serial\":\"$S\",\"tbs\":\"$T\"}", ERR_INPUT, NO_LEAF},
    {"an empty name", "{\"\":1,\"kind\":\"INTENT\",\"serial\":\"$S\",\"tbs\":\"$T\"}", ERR_INPUT,
     NO_LEAF},
    {"a name with an escape", "{\"\\u006bind\":\"INTENT\",\"serial\":\"$S\",\"tbs\":\"$T\"}",
     ERR_INPUT, NO_LEAF},
    {"an object inside",
     "{\"a\":{\"kind\":\"INTENT\"},\"kind\":\"INTENT\",\"serial\":\"$S\",\"tbs\":\"$T\"}",
     ERR_INPUT, NO_LEAF},
    {"null", "{\"a\":null,\"kind\":\"INTENT\",\"serial\":\"$S\",\"tbs\":\"$T\"}", ERR_INPUT,
     NO_LEAF},
    {"a fraction", "{\"a\":1.5,\"kind\":\"INTENT\",\"serial\":\"$S\",\"tbs\":\"$T\"}", ERR_INPUT,
     NO_LEAF},
    {"a leading zero", "{\"a\":01,\"kind\":\"INTENT\",\"serial\":\"$S\",\"tbs\":\"$T\"}", ERR_INPUT,
     NO_LEAF},
    {"a sign alone", "{\"a\":-,\"kind\":\"INTENT\",\"serial\":\"$S\",\"tbs\":\"$T\"}", ERR_INPUT,
     NO_LEAF},
    {"an escape that is none",
     "{\"a\":\"\\x\",\"kind\":\"INTENT\",\"serial\":\"$S\",\"tbs\":\"$T\"}", ERR_INPUT, NO_LEAF},
    {"an escape of three digits",
     "{\"a\":\"\\u12g4\",\"kind\":\"INTENT\",\"serial\":\"$S\",\"tbs\":\"$T\"}", ERR_INPUT,
     NO_LEAF},
    {"an escape at the end", "{\"a\":\"\\", ERR_INPUT, NO_LEAF},
    {"a text without end", "{\"a\":\"", ERR_INPUT, NO_LEAF},
    {"a control character", "{\"a\":\"\x1f\",\"kind\":\"INTENT\",\"serial\":\"$S\",\"tbs\":\"$T\"}",
     ERR_INPUT, NO_LEAF},
    {"another character than ASCII",
     "{\"a\":\"\x7f\",\"kind\":\"INTENT\",\"serial\":\"$S\",\"tbs\":\"$T\"}", ERR_INPUT, NO_LEAF},
};

static void
the_leaf_is_the_intent_of_this_certificate(void **state)
{
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(LEAVES); i++) {
        CLEANUP(mem_cleanup) char *leaf = with_members(LEAVES[i].leaf);
        struct err e = {0};

        good += scene_expect(LEAVES[i].name, check_alone(span_str(leaf), &world.tbs, &e), &e,
                             LEAVES[i].code, LEAVES[i].reason);
    }
    assert_int_equal(good, ARRAY_LEN(LEAVES));
}

/* `text` with the first `old` as `new`. */
static char *
edited(const char *text, const char *old, const char *new)
{
    const char *at = strstr(text, old);

    assert_non_null(at);
    return mem_printf("%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
}

/* Auditors see this leaf, and not the CRL. */
static void
the_leaf_of_a_crl_says_what_is_on_it(void **state)
{
    static const struct {
        const char *name;
        const char *old, *new;
        enum err_code code;
        const char *reason;
    } rows[] = {
        {"right", "{", "{", ERR_NONE, NULL},
        {"without what is nobody's business here", ",\"upTo\":7", "", ERR_NONE, NULL},
        {"of another CRL", "\"tbs\":\"", "\"tbs\":\"00", ERR_DENIED,
         "leaf: its tbs is not the SHA-256 of this TBSCertList"},
        {"of a certificate", "CRL-INTENT", "INTENT", ERR_DENIED, "leaf: it is not a CRL-INTENT"},
        {"no leaf", "{", "[", ERR_INPUT, NO_LEAF},
        {"another number", "\"number\":5", "\"number\":6", ERR_DENIED,
         "leaf: its number is not that of this TBSCertList"},
        {"a number as text", "\"number\":5", "\"number\":\"5\"", ERR_DENIED,
         "leaf: its number is not"},
        {"no number", "\"number\":5,", "", ERR_DENIED, "leaf: its number is not"},
        {"an entry less", "\"entries\":2", "\"entries\":1", ERR_DENIED,
         "leaf: its entries is not that of this TBSCertList"},
        {"another serial, date or reason", "\"revocations\":\"", "\"revocations\":\"00", ERR_DENIED,
         "leaf: its revocations is not that of this TBSCertList"},
        {"another thisUpdate", "\"thisUpdate\":\"2026-01-01T00:00:00Z",
         "\"thisUpdate\":\"2026-01-01T00:00:01Z", ERR_DENIED,
         "leaf: its thisUpdate is not that of this TBSCertList"},
        {"another nextUpdate", "\"nextUpdate\":\"2026-01-08T00:00:00Z",
         "\"nextUpdate\":\"2026-01-08T00:00:01Z", ERR_DENIED,
         "leaf: its nextUpdate is not that of this TBSCertList"},
    };
    const struct scene_crl right = {.number = "05",
                                    .entries = SCENE_ENTRY("05", "251231000000Z")
                                        SCENE_ENTRY("06", "251231000000Z")};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(mem_cleanup) char *leaf = NULL;
    size_t good = 0;

    (void)state;
    scene_crl(&right, &tbs);
    leaf = scene_crl_intent(buf_span(&tbs));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *text = edited(leaf, rows[i].old, rows[i].new);
        CLEANUP(buf_free) struct buf evidence = BUF_INIT(EVIDENCE_MAX);
        struct err e = {0};

        evidence_alone(span_str(text), &evidence);
        good += scene_expect(rows[i].name,
                             object_check(world.policy, SIGNER_CRL, buf_span(&tbs),
                                          buf_span(&evidence), NULL, NULL, &e),
                             &e, rows[i].code, rows[i].reason);
        evidence.p[8] ^= 1; /* the checkpoint's first line */
        assert_int_equal(object_check(world.policy, SIGNER_CRL, buf_span(&tbs), buf_span(&evidence),
                                      NULL, NULL, &e),
                         -1);
    }
    assert_int_equal(good, ARRAY_LEN(rows));
}

/* What the CA's own encoder makes, octet by octet less. */
static void
evidence_that_is_not_whole_is_refused(void **state)
{
    const struct row right = {.name = "right"};
    CLEANUP(buf_free) struct buf evidence = BUF_INIT(EVIDENCE_MAX);
    struct err e = {0};

    (void)state;
    make_evidence(&right, &evidence);
    for (size_t n = 0; n < evidence.n; n++) {
        assert_int_equal(logged_check_certificate(world.policy, buf_span(&world.tbs),
                                                  span_of(evidence.p, n), &e),
                         -1);
    }
    assert_ok(logged_check_certificate(world.policy, buf_span(&world.tbs), buf_span(&evidence), &e),
              &e);
}

/* The certificate is decoded before, so this is for who changes that order. */
static void
a_certificate_without_a_serial_is_refused(void **state)
{
    const struct {
        const char *name;
        struct span tbs;
        const char *reason;
    } rows[] = {
        {"nothing", SPAN_LITERAL(""), "TBSCertificate: not DER"},
        {"an empty one", SPAN_LITERAL("\x30\x00"), "version: not DER"},
        {"a version alone", SPAN_LITERAL("\x30\x02\xa0\x00"), "serialNumber: not DER"},
        {"a serial of one octet", SPAN_LITERAL("\x30\x05\xa0\x00\x02\x01\x41"),
         "serialNumber: 1 octets"},
        {"a serial of another type", SPAN_LITERAL("\x30\x04\xa0\x00\x04\x00"),
         "serialNumber: tag 0x04 where 0x02 belongs"},
    };
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct buf tbs = {.p = (uint8_t *)(uintptr_t)rows[i].tbs.p, .n = rows[i].tbs.n};
        struct err e = {0};

        good += scene_expect(rows[i].name, check_alone(span_str(world.leaf), &tbs, &e), &e,
                             ERR_INPUT, rows[i].reason);
    }
    assert_int_equal(good, ARRAY_LEN(rows));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_the_pinned_log_has_is_signed),
        cmocka_unit_test(what_is_remembered_changes_no_verdict),
        cmocka_unit_test(the_leaf_is_the_intent_of_this_certificate),
        cmocka_unit_test(the_leaf_of_a_crl_says_what_is_on_it),
        cmocka_unit_test(evidence_that_is_not_whole_is_refused),
        cmocka_unit_test(a_certificate_without_a_serial_is_refused),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
