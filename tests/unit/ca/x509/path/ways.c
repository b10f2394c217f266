/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/path/ways.h"

#include "tests/support/forge.h"
#include "tests/support/test.h"

enum { AT = 1790000000, DAY = 24 * 60 * 60, LINKS = PATH_UNTRUSTED_MAX };

static X509 *
certificate(const char *subject, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
    const struct forge f = {.subject = subject,
                            .key = key,
                            .issuer = issuer,
                            .issuer_key = issuer_key,
                            .not_before = AT - DAY,
                            .not_after = AT + DAY,
                            .extensions = {FORGE_CA}};

    return forge_certificate(&f);
}

static void
what_is_self_signed_is_no_link(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *next = EVP_EC_gen("P-256");
    CLEANUP(x509_cleanup) X509 *root = certificate("CN=Root", key, NULL, NULL);
    CLEANUP(x509_cleanup) X509 *issued = certificate("CN=CA", next, root, key);
    CLEANUP(x509_cleanup) X509 *self_issued = certificate("CN=Root", next, root, key);

    (void)state;
    assert_false(path_is_link(root));
    assert_true(path_is_link(issued));
    assert_true(path_is_link(self_issued)); /* newWithOld of a roll-over */
}

static void
there_is_a_choice_where_two_have_one_name(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(x509_cleanup) X509 *a = certificate("CN=Root", key, NULL, NULL);
    CLEANUP(x509_cleanup) X509 *b = certificate("CN=CA", key, a, key);
    X509 *one[] = {b};
    X509 *two[] = {b, a};
    struct path_map map = {.anchors = &a, .n_anchors = 1, .untrusted = one, .n_untrusted = 1};

    (void)state;
    assert_false(path_has_choice(&map));
    map.untrusted = two;
    map.n_untrusted = 2;
    assert_true(path_has_choice(&map));
}

/* Sixteen CAs of one name and of as many keys, each of which could have issued the next ones: more
 * ways than anybody may follow. The steps of the ways that are found are true ones. */
static void
the_work_is_bounded(void **state)
{
    EVP_PKEY *keys[LINKS + 1];
    X509 *links[LINKS];
    CLEANUP(x509_cleanup) X509 *root = NULL;
    CLEANUP(x509_cleanup) X509 *leaf = NULL;
    struct path_way ways[PATH_WAYS_MAX];
    struct path_map map = {.anchors = &root, .n_anchors = 1, .untrusted = links};
    size_t n;

    (void)state;
    for (size_t i = 0; i < LINKS + 1; i++) {
        keys[i] = EVP_EC_gen("P-256");
    }
    root = certificate("CN=CA", keys[LINKS], NULL, NULL);
    for (size_t i = 0; i < LINKS; i++) {
        /* two of each: by the root, and by the one before */
        size_t k = i / 2;

        links[i] = i % 2 == 0 || k == 0 ? certificate("CN=CA", keys[k], root, keys[LINKS])
                                        : certificate("CN=CA", keys[k], links[i - 2], keys[k - 1]);
    }
    map.n_untrusted = LINKS;
    leaf = certificate("CN=leaf", keys[LINKS], links[LINKS - 1], keys[LINKS / 2 - 1]);
    n = path_find_ways(leaf, &map, ways);
    assert_true(n > 1 && n <= PATH_WAYS_MAX);
    for (size_t i = 0; i < n; i++) {
        X509 *below = leaf;

        assert_true(ways[i].n >= 1 && ways[i].n <= PATH_LENGTH_MAX);
        assert_ptr_equal(ways[i].anchor, root);
        for (size_t k = 0; k < ways[i].n; k++) {
            assert_int_equal(X509_verify(below, X509_get0_pubkey(ways[i].middle[k])), 1);
            below = ways[i].middle[k];
        }
        assert_int_equal(X509_verify(below, X509_get0_pubkey(root)), 1);
    }
    for (size_t i = 0; i < LINKS; i++) {
        X509_free(links[i]);
    }
    for (size_t i = 0; i < LINKS + 1; i++) {
        EVP_PKEY_free(keys[i]);
    }
}

/* Two that have issued each other lead nowhere, and not for ever. */
static void
a_circle_has_an_end(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *a_key = EVP_EC_gen("P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *b_key = EVP_EC_gen("P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(x509_cleanup) X509 *root = certificate("CN=Root", key, NULL, NULL);
    CLEANUP(x509_cleanup) X509 *a_self = certificate("CN=A", a_key, NULL, NULL);
    CLEANUP(x509_cleanup) X509 *b = certificate("CN=B", b_key, a_self, a_key);
    CLEANUP(x509_cleanup) X509 *a = certificate("CN=A", a_key, b, b_key);
    CLEANUP(x509_cleanup) X509 *leaf = certificate("CN=leaf", key, a, a_key);
    X509 *links[] = {a, b, a_self};
    const struct path_map map = {
        .anchors = &root, .n_anchors = 1, .untrusted = links, .n_untrusted = ARRAY_LEN(links)};
    struct path_way ways[PATH_WAYS_MAX];

    (void)state;
    assert_int_equal(path_find_ways(leaf, &map, ways), 0);
}

/* Without key identifiers, so that only a signature tells the keys apart. */
static X509 *
bare(const char *subject, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
    const struct forge f = {.subject = subject,
                            .key = key,
                            .issuer = issuer,
                            .issuer_key = issuer_key,
                            .not_before = AT - DAY,
                            .not_after = AT + DAY,
                            .extensions = {FORGE_CA},
                            .bare = true};

    return forge_certificate(&f);
}

/* Certificates that a stranger made by himself, each of which costs signatures with keys of his and
 * leads nowhere: they do not keep the true way from being found. */
static void
what_nobody_vouches_for_hides_nothing(void **state)
{
    enum { ABOVE = 3 };
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *own = EVP_EC_gen("P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other = EVP_EC_gen("P-256");
    CLEANUP(x509_cleanup) X509 *root = bare("CN=Root", key, NULL, NULL);
    CLEANUP(x509_cleanup) X509 *nobody = bare("CN=Nobody", other, NULL, NULL);
    CLEANUP(x509_cleanup) X509 *stranger = bare("CN=Stranger", other, nobody, other);
    CLEANUP(x509_cleanup) X509 *leaf = NULL;
    EVP_PKEY *keys[ABOVE];
    X509 *links[LINKS];
    struct path_map map = {
        .anchors = &root, .n_anchors = 1, .untrusted = links, .n_untrusted = LINKS};
    struct path_way ways[PATH_WAYS_MAX];

    (void)state;
    for (size_t i = 0; i < ABOVE; i++) {
        keys[i] = EVP_EC_gen("P-256");
        links[i] = bare("CN=Stranger", keys[i], nobody, other);
    }
    for (size_t i = ABOVE; i < LINKS - 1; i++) {
        links[i] = bare("CN=CA", own, stranger, other);
    }
    links[LINKS - 1] = bare("CN=CA", own, root, key);
    leaf = bare("CN=leaf", key, links[LINKS - 1], own);
    assert_int_equal(path_find_ways(leaf, &map, ways), 1);
    assert_int_equal(ways[0].n, 1);
    assert_ptr_equal(ways[0].middle[0], links[LINKS - 1]);
    for (size_t i = 0; i < ABOVE; i++) {
        EVP_PKEY_free(keys[i]);
    }
    for (size_t i = 0; i < LINKS; i++) {
        X509_free(links[i]);
    }
}

/* Two CAs that certify each other: no way goes through the same name and key twice. */
static void
no_way_goes_in_a_circle(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *root_key = EVP_EC_gen("P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *a_key = EVP_EC_gen("P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *b_key = EVP_EC_gen("P-256");
    CLEANUP(x509_cleanup) X509 *root = certificate("CN=Root", root_key, NULL, NULL);
    CLEANUP(x509_cleanup) X509 *a = certificate("CN=A", a_key, root, root_key);
    CLEANUP(x509_cleanup) X509 *b = certificate("CN=B", b_key, a, a_key);
    CLEANUP(x509_cleanup) X509 *a_by_b = certificate("CN=A", a_key, b, b_key);
    CLEANUP(x509_cleanup) X509 *leaf = certificate("CN=leaf", root_key, a, a_key);
    X509 *middle[] = {a_by_b, b, a};
    const struct path_map map = {
        .anchors = &root, .n_anchors = 1, .untrusted = middle, .n_untrusted = 3};
    struct path_way ways[PATH_WAYS_MAX];

    (void)state;
    assert_int_equal(path_find_ways(leaf, &map, ways), 1);
    assert_int_equal(ways[0].n, 1);
    assert_ptr_equal(ways[0].middle[0], a);
    assert_ptr_equal(ways[0].anchor, root);
}

/* The right key under another name has issued nothing, and a key that does not decode neither. */
static void
an_issuer_has_the_name_and_the_key(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *root_key = EVP_EC_gen("P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *a_key = EVP_EC_gen("P-256");
    CLEANUP(x509_cleanup) X509 *root = certificate("CN=Root", root_key, NULL, NULL);
    CLEANUP(x509_cleanup) X509 *a = certificate("CN=A", a_key, root, root_key);
    CLEANUP(x509_cleanup) X509 *other = certificate("CN=Other", a_key, root, root_key);
    CLEANUP(x509_cleanup) X509 *stranger = certificate("CN=A", root_key, root, root_key);
    CLEANUP(x509_cleanup) X509 *leaf = certificate("CN=leaf", root_key, a, a_key);
    const struct {
        X509 *middle[2];
        size_t n;
        size_t ways;
    } rows[] = {{{a, NULL}, 1, 1},  {{other, NULL}, 1, 0}, {{stranger, NULL}, 1, 0},
                {{other, a}, 2, 1}, {{a, stranger}, 2, 1}, {{NULL, NULL}, 0, 0}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        X509 *middle[2] = {rows[i].middle[0], rows[i].middle[1]};
        const struct path_map map = {
            .anchors = &root, .n_anchors = 1, .untrusted = middle, .n_untrusted = rows[i].n};
        struct path_way ways[PATH_WAYS_MAX];

        if (path_find_ways(leaf, &map, ways) != rows[i].ways) {
            fail_msg("row %zu", i);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_self_signed_is_no_link),
        cmocka_unit_test(there_is_a_choice_where_two_have_one_name),
        cmocka_unit_test(the_work_is_bounded),
        cmocka_unit_test(a_circle_has_an_end),
        cmocka_unit_test(what_nobody_vouches_for_hides_nothing),
        cmocka_unit_test(no_way_goes_in_a_circle),
        cmocka_unit_test(an_issuer_has_the_name_and_the_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
