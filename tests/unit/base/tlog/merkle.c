/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tlog/merkle.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/ossl.h"
#include "tests/support/test.h"

enum { LEAVES = 300 };

/* The plain recursion of RFC 6962 2.1, as the other opinion. */
static struct merkle_hash leaves[LEAVES];

static struct merkle_hash
plain_root(uint64_t begin, uint64_t size)
{
    struct merkle_hash left;
    struct merkle_hash right;
    uint64_t k = 1;

    if (size == 1) {
        return leaves[begin];
    }
    while (2 * k < size) {
        k *= 2;
    }
    left = plain_root(begin, k);
    right = plain_root(begin + k, size - k);
    return merkle_node(&left, &right);
}

static int
get(void *arg, unsigned level, uint64_t index, struct merkle_hash *out, struct err *e)
{
    uint64_t size = (uint64_t)1 << level;

    (void)arg;
    if ((index + 1) * size > LEAVES) {
        return err_set(e, ERR_NOTFOUND, "no subtree %u/%llu", level, (unsigned long long)index);
    }
    *out = plain_root(index * size, size);
    return 0;
}

static int
make_leaves(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEAVES; i++) {
        leaves[i] = merkle_leaf(span_of(&i, sizeof(i)));
    }
    return 0;
}

static void
hex_is(const struct merkle_hash *hash, const char *hex)
{
    char text[2 * MERKLE_HASH + 1];

    hex_format(span_of(hash->octets, MERKLE_HASH), text);
    assert_string_equal(text, hex);
}

static void
hashes_are_those_of_rfc_6962(void **state)
{
    struct merkle_edge empty = {0};
    struct merkle_hash hash = merkle_root(&empty);
    struct merkle_hash l = merkle_leaf(SPAN_LITERAL("N123"));

    (void)state;
    hex_is(&hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    hash = merkle_leaf(SPAN_LITERAL(""));
    hex_is(&hash, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    hash = merkle_leaf(SPAN_LITERAL("L123456"));
    hex_is(&hash, "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56");
    assert_false(merkle_equal(&hash, &l));
}

struct completed {
    uint64_t n;
};

static int
check_completed(void *arg, unsigned level, uint64_t index, const struct merkle_hash *hash,
                struct err *e)
{
    struct completed *c = arg;
    struct merkle_hash expected;

    c->n++;
    assert_ok(get(NULL, level, index, &expected, e), e);
    assert_true(merkle_equal(&expected, hash));
    return 0;
}

static void
growing_leaf_by_leaf_gives_every_root_and_subtree(void **state)
{
    struct merkle_edge edge = {0};
    struct completed c = {0};
    struct err e = {0};

    (void)state;
    for (uint64_t i = 0; i < LEAVES; i++) {
        struct merkle_edge loaded;
        struct merkle_hash root;
        struct merkle_hash expected = plain_root(0, i + 1);

        assert_ok(merkle_append(&edge, &leaves[i], check_completed, &c, &e), &e);
        root = merkle_root(&edge);
        assert_true(merkle_equal(&root, &expected));
        assert_ok(merkle_edge_load(&loaded, i + 1, get, NULL, &e), &e);
        root = merkle_root(&loaded);
        assert_true(merkle_equal(&root, &expected));
    }
    assert_int_equal(c.n, 150 + 75 + 37 + 18 + 9 + 4 + 2 + 1);
}

static int
refuse_third(void *arg, unsigned level, uint64_t index, const struct merkle_hash *hash,
             struct err *e)
{
    (void)arg;
    (void)hash;
    return index == 1 || level > 1 ? err_set(e, ERR_STORE, "no room") : 0;
}

static void
a_failed_append_leaves_the_edge_as_it_was(void **state)
{
    struct merkle_edge edge = {0};
    struct merkle_edge before;
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_ok(merkle_append(&edge, &leaves[i], refuse_third, NULL, &e), &e);
    }
    before = edge;
    assert_err(merkle_append(&edge, &leaves[3], refuse_third, NULL, &e), ERR_STORE, &e);
    assert_memory_equal(&edge, &before, sizeof(edge));
}

static void
every_inclusion_proof_verifies_and_no_changed_one_does(void **state)
{
    struct err e = {0};

    (void)state;
    for (uint64_t size = 1; size <= 70; size++) {
        struct merkle_hash root = plain_root(0, size);

        for (uint64_t index = 0; index < size; index++) {
            struct merkle_proof proof;

            assert_ok(merkle_prove_inclusion(index, size, get, NULL, &proof, &e), &e);
            assert_ok(merkle_verify_inclusion(index, size, &leaves[index], &proof, &root, &e), &e);
            assert_err(merkle_verify_inclusion(index, size, &leaves[size], &proof, &root, &e),
                       ERR_CRYPTO, &e);
            for (size_t i = 0; i < proof.n; i++) {
                proof.hashes[i].octets[i % MERKLE_HASH] ^= 1;
                assert_err(merkle_verify_inclusion(index, size, &leaves[index], &proof, &root, &e),
                           ERR_CRYPTO, &e);
                proof.hashes[i].octets[i % MERKLE_HASH] ^= 1;
            }
            proof.n++;
            assert_err(merkle_verify_inclusion(index, size, &leaves[index], &proof, &root, &e),
                       ERR_CRYPTO, &e);
        }
    }
}

static void
every_consistency_proof_verifies_and_no_changed_one_does(void **state)
{
    struct err e = {0};

    (void)state;
    for (uint64_t to = 1; to <= 70; to++) {
        struct merkle_hash to_root = plain_root(0, to);

        for (uint64_t from = 1; from <= to; from++) {
            struct merkle_hash from_root = plain_root(0, from);
            struct merkle_proof proof;

            assert_ok(merkle_prove_consistency(from, to, get, NULL, &proof, &e), &e);
            assert_ok(merkle_verify_consistency(from, to, &proof, &from_root, &to_root, &e), &e);
            if (from == to) {
                continue;
            }
            assert_err(merkle_verify_consistency(from, to, &proof, &leaves[200], &to_root, &e),
                       ERR_CRYPTO, &e);
            assert_err(merkle_verify_consistency(from, to, &proof, &from_root, &leaves[200], &e),
                       ERR_CRYPTO, &e);
            proof.n--;
            assert_err(merkle_verify_consistency(from, to, &proof, &from_root, &to_root, &e),
                       ERR_CRYPTO, &e);
        }
    }
}

static void
what_is_not_in_the_tree_has_no_proof(void **state)
{
    struct merkle_proof proof;
    struct err e = {0};

    (void)state;
    assert_err(merkle_prove_inclusion(5, 5, get, NULL, &proof, &e), ERR_INPUT, &e);
    assert_err(merkle_prove_consistency(6, 5, get, NULL, &proof, &e), ERR_INPUT, &e);
    assert_err(merkle_prove_inclusion(0, LEAVES + 1, get, NULL, &proof, &e), ERR_NOTFOUND, &e);
}

/* ---- vectors of transparency-dev/merkle ---- */

/* Short roots ("don't care") are filled with zeros; our hashes have one size by their type. */
static struct merkle_hash
vector_hash(const json_t *value)
{
    CLEANUP(buf_free) struct buf bytes = BUF_INIT(256);
    struct merkle_hash hash = {0};
    struct err e = {0};

    if (json_string_length(value) > 0) {
        assert_ok(base64_parse(json_string_value(value), &bytes, &e), &e);
        memcpy(hash.octets, bytes.p, bytes.n < MERKLE_HASH ? bytes.n : MERKLE_HASH);
    }
    return hash;
}

/* False when the form alone is wrong: a hash of another size, or too many. */
static bool
vector_proof(const json_t *array, struct merkle_proof *proof)
{
    proof->n = 0;
    if (json_array_size(array) > MERKLE_PROOF_MAX) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *value = json_array_get(array, i);

        if (json_string_length(value) != 44) {
            return false;
        }
        proof->hashes[proof->n++] = vector_hash(value);
    }
    return true;
}

static uint64_t
vector_number(const json_t *vector, const char *name)
{
    return strtoull(json_string_value(json_object_get(vector, name)), NULL, 10);
}

static bool
consistency_holds(const json_t *vector)
{
    struct merkle_hash root1 = vector_hash(json_object_get(vector, "root1"));
    struct merkle_hash root2 = vector_hash(json_object_get(vector, "root2"));
    struct merkle_proof proof;
    struct err e = {0};

    return vector_proof(json_object_get(vector, "proof"), &proof) &&
           merkle_verify_consistency(vector_number(vector, "size1"), vector_number(vector, "size2"),
                                     &proof, &root1, &root2, &e) == 0;
}

static bool
inclusion_holds(const json_t *vector)
{
    struct merkle_hash root = vector_hash(json_object_get(vector, "root"));
    struct merkle_hash leaf = vector_hash(json_object_get(vector, "leafHash"));
    struct merkle_proof proof;
    struct err e = {0};

    return json_string_length(json_object_get(vector, "root")) == 44 &&
           json_string_length(json_object_get(vector, "leafHash")) == 44 &&
           vector_proof(json_object_get(vector, "proof"), &proof) &&
           merkle_verify_inclusion(vector_number(vector, "leafIdx"),
                                   vector_number(vector, "treeSize"), &leaf, &proof, &root,
                                   &e) == 0;
}

static void
run_vectors(const char *file, bool (*holds)(const json_t *), size_t expected)
{
    json_error_t reason;
    json_t *vectors = json_load_file(file, JSON_REJECT_DUPLICATES, &reason);

    if (vectors == NULL) {
        fail_msg("%s: %s", file, reason.text);
    }
    assert_int_equal(json_array_size(vectors), expected);
    for (size_t i = 0; i < json_array_size(vectors); i++) {
        const json_t *vector = json_array_get(vectors, i);
        bool want_error = json_is_true(json_object_get(vector, "wantErr"));

        if (holds(vector) == want_error) {
            fail_msg("%s: %s", json_string_value(json_object_get(vector, "name")),
                     want_error ? "was believed" : "was refused");
        }
    }
    json_decref(vectors);
}

static void
consistency_vectors_are_judged_right(void **state)
{
    (void)state;
    run_vectors(TEST_SOURCE_DIR "/vectors/merkle/consistency.json", consistency_holds, 98);
}

static void
inclusion_vectors_are_judged_right(void **state)
{
    (void)state;
    run_vectors(TEST_SOURCE_DIR "/vectors/merkle/inclusion.json", inclusion_holds, 98);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_rfc_6962),
        cmocka_unit_test(growing_leaf_by_leaf_gives_every_root_and_subtree),
        cmocka_unit_test(a_failed_append_leaves_the_edge_as_it_was),
        cmocka_unit_test(every_inclusion_proof_verifies_and_no_changed_one_does),
        cmocka_unit_test(every_consistency_proof_verifies_and_no_changed_one_does),
        cmocka_unit_test(what_is_not_in_the_tree_has_no_proof),
        cmocka_unit_test(consistency_vectors_are_judged_right),
        cmocka_unit_test(inclusion_vectors_are_judged_right),
    };

    return cmocka_run_group_tests(tests, make_leaves, NULL);
}
