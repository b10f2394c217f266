/* SPDX-License-Identifier: Apache-2.0 */
/* scene.h - a PKI and a key to certify, and what the lint says of a TBS. */
#pragma once

#include "ca/x509/lint/lint.h"
#include "tests/support/pki.h"

/* For cmocka: makes and drops them. */
int scene_make(void **state);
int scene_drop(void **state);
extern struct pki *scene_pki;
extern EVP_PKEY *scene_key;
extern struct buf scene_spki;

/* Fails the test unless the TBS is refused and the reason begins with this field. */
void scene_expect(struct span tbs, const struct tbs_request *, const char *field, const char *row);
