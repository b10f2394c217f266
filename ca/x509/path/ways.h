/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ways.h - the ways from a certificate to an anchor, where more than one may be tried.
 *
 * OpenSSL goes one way: it takes the first issuer that fits by name and key identifier, and does
 * not come back. In a roll-over several certificates have one name, some also one key, and the
 * first need not be the one that leads to an anchor (RFC 4158 2). Pure and thread-safe.
 */
#pragma once

#include "base/ossl.h"

/* Below the anchor: certificates in a path (the leaf not counted), candidates for them. */
enum { PATH_LENGTH_MAX = 6, PATH_UNTRUSTED_MAX = 16 };

enum {
    PATH_WAYS_MAX = 8,
    /* That are verified at most: to find out whom the anchors vouch for, and to find the ways. */
    PATH_VOUCHED_SIGNATURES_MAX = 128,
    PATH_WAYS_SIGNATURES_MAX = 32,
};

struct path_way {
    X509 *middle[PATH_LENGTH_MAX]; /* from the leaf's issuer on; all borrowed */
    size_t n;
    X509 *anchor;
};

/* What the leaf may lead through. */
struct path_map {
    X509 *const *anchors;
    size_t n_anchors;
    X509 *const *untrusted;
    size_t n_untrusted;
};

/* A self-signed certificate is an anchor or nothing: as a link of a path it would end it. */
bool path_is_link(X509 *untrusted);
/* Do two of them have one subject? If not there is one way at most, and OpenSSL finds it. */
bool path_has_choice(const struct path_map *);
/* At most PATH_UNTRUSTED_MAX untrusted. Only keys are used for which an anchor vouches in the end:
 * a stranger's certificates cost no more than the anchors' own keys do, and hide nothing. Each step
 * is right by names, key identifiers, keyUsage and signature; whether the whole is a good path is
 * for the verifier to say. No key comes twice. Returns how many there are in `out`. */
size_t path_find_ways(X509 *leaf, const struct path_map *, struct path_way out[PATH_WAYS_MAX]);
