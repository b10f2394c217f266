/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever asks brings the candidates, with whatever names and keys he likes: what nobody vouches
 * for is left out first, so that no key of his is ever worked with. Then depth first; invariant:
 * stack[0] is the leaf, and stack[i + 1] has issued stack[i].
 */
#include "ca/x509/path/ways.h"

#include <assert.h>
#include <openssl/err.h>

struct search {
    const struct path_map *map;
    X509 *stack[PATH_LENGTH_MAX + 1];
    size_t next[PATH_LENGTH_MAX + 1]; /* the candidate to be tried then */
    size_t depth;
    int signatures; /* that may still be verified */
};

bool
path_is_link(X509 *untrusted)
{
    bool self_signed = X509_self_signed(untrusted, 0) == 1;

    ERR_clear_error();
    return !self_signed;
}

static X509 *
at(const struct path_map *map, size_t i)
{
    return i < map->n_anchors ? map->anchors[i] : map->untrusted[i - map->n_anchors];
}

bool
path_has_choice(const struct path_map *map)
{
    size_t n = map->n_anchors + map->n_untrusted;

    for (size_t i = 1; i < n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (X509_NAME_cmp(X509_get_subject_name(at(map, i)),
                              X509_get_subject_name(at(map, k))) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* RFC 4158 2.4.2: no subject with the same key twice. */
static bool
is_there(const struct search *s, X509 *certificate)
{
    for (size_t i = 0; i <= s->depth; i++) {
        if (X509_NAME_cmp(X509_get_subject_name(s->stack[i]), X509_get_subject_name(certificate)) ==
                0 &&
            EVP_PKEY_eq(X509_get0_pubkey(s->stack[i]), X509_get0_pubkey(certificate)) == 1) {
            return true;
        }
    }
    return false;
}

static bool
has_issued(X509 *issuer, X509 *certificate, int *signatures)
{
    EVP_PKEY *key = X509_get0_pubkey(issuer);

    if (key == NULL || X509_check_issued(issuer, certificate) != X509_V_OK || *signatures == 0) {
        return false;
    }
    (*signatures)--;
    return X509_verify(certificate, key) == 1;
}

/* ---- who is vouched for ---- */

/* By an anchor, or by somebody who is vouched for. */
static bool
is_vouched_for(const struct path_map *map, const bool *vouched, X509 *certificate, int *signatures)
{
    for (size_t i = 0; i < map->n_anchors + map->n_untrusted; i++) {
        if ((i < map->n_anchors || vouched[i - map->n_anchors]) &&
            has_issued(at(map, i), certificate, signatures)) {
            return true;
        }
    }
    return false;
}

/* In the order of the map. */
static size_t
find_vouched(const struct path_map *map, X509 *out[PATH_UNTRUSTED_MAX])
{
    bool vouched[PATH_UNTRUSTED_MAX] = {false};
    int signatures = PATH_VOUCHED_SIGNATURES_MAX;
    size_t n = 0;

    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < map->n_untrusted; i++) {
            if (!vouched[i] && path_is_link(map->untrusted[i]) &&
                is_vouched_for(map, vouched, map->untrusted[i], &signatures)) {
                vouched[i] = true;
                changed = true;
            }
        }
    }
    for (size_t i = 0; i < map->n_untrusted; i++) {
        if (vouched[i]) {
            out[n++] = map->untrusted[i];
        }
    }
    return n;
}

/* ---- the search ---- */

static struct path_way
way_of(const struct search *s, X509 *anchor)
{
    struct path_way way = {.n = s->depth, .anchor = anchor};

    for (size_t i = 0; i < s->depth; i++) {
        way.middle[i] = s->stack[i + 1];
    }
    return way;
}

/* Among candidates that are vouched for. */
static size_t
find(X509 *leaf, const struct path_map *map, struct path_way out[PATH_WAYS_MAX])
{
    struct search s = {.map = map, .stack = {leaf}, .signatures = PATH_WAYS_SIGNATURES_MAX};
    const size_t all = map->n_anchors + map->n_untrusted;
    size_t n = 0;

    for (bool done = false; !done && n < PATH_WAYS_MAX;) {
        const size_t i = s.next[s.depth]++;

        if (i >= all) {
            done = s.depth == 0;
            s.depth -= done ? 0 : 1;
        } else if (i < map->n_anchors) {
            if (has_issued(map->anchors[i], s.stack[s.depth], &s.signatures)) {
                out[n++] = way_of(&s, map->anchors[i]);
            }
        } else if (s.depth < PATH_LENGTH_MAX && !is_there(&s, at(map, i)) &&
                   has_issued(at(map, i), s.stack[s.depth], &s.signatures)) {
            s.depth++;
            s.stack[s.depth] = at(map, i);
            s.next[s.depth] = 0;
        }
    }
    return n;
}

size_t
path_find_ways(X509 *leaf, const struct path_map *map, struct path_way out[PATH_WAYS_MAX])
{
    X509 *vouched[PATH_UNTRUSTED_MAX];
    struct path_map known = {
        .anchors = map->anchors, .n_anchors = map->n_anchors, .untrusted = vouched};
    size_t n;

    assert(map->n_untrusted <= PATH_UNTRUSTED_MAX);
    known.n_untrusted = find_vouched(map, vouched);
    n = find(leaf, &known, out);
    ERR_clear_error();
    return n;
}
