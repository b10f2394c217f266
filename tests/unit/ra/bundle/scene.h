/* SPDX-License-Identifier: Apache-2.0 */
/* scene.h - what an RA says of a registration, for a bundle. */
#pragma once

#include <jansson.h>
#include <openssl/x509.h>

#define CMP_HTTP "http://ra.example/cmp"

struct scene {
    struct pki *pki;
    X509 *ra;
    char *root; /* base64 */
    char *issuing;
    char *of_ra;
};

/* For cmocka: *state is a struct scene. */
int scene_set_up(void **state);
int scene_tear_down(void **state);
/* mem_free() it. */
char *scene_base64(X509 *);
/* The registration with this proof, at an RA with this URL; the caller's. */
json_t *scene_answer(const struct scene *, const char *proof, const char *url);
