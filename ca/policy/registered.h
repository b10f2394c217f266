/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registered.h - is a stored registration still what a registrar signed?
 *
 * A certificate says what its registration says, and the row could have been edited in the file. So
 * the registrar's signature is verified again before a registration is used, once in the life of
 * the process. Thread-safe. Private to nfpki-ca.
 */
#pragma once

#include "ca/policy/policy.h"
#include "ca/registration/batch.h"
#include "db/issuance/issuance.h"

struct registered;
void registered_free(struct registered *);
struct registered *registered_new(void) OWNED(registered_free);

/* Manifests of batches that verified: for whoever verifies a registration. */
struct batch_manifests *registered_manifests(struct registered *);

/* `row` is what was found under `id`: its CMS has this id, is signed by a registrar, and its
 * content is row->json; it was one by the record. ERR_DENIED. */
int registered_check(struct registered *, const struct policy *, const char *id,
                     const struct issuance_registration *row, struct err *e);
