/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registered.h - is a stored registration still what a registrar signed?
 *
 * A certificate says what its registration says, and the row could have been edited in the file. So
 * the registrar's signature is verified again before a registration is used, unless the life of the
 * process has seen it verified: at an earlier use, or when it was handed in. Thread-safe. Private
 * to nfpki-ca.
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

/* registration_verify() has just verified what `row` has: id, registrar and json. */
int registered_know(struct registered *, const struct issuance_registration *row, struct err *e);

/* `row` is what was found under `id`: its CMS has this id, is signed by a registrar, and its
 * content is row->json; it was one by the record. ERR_DENIED. */
int registered_check(struct registered *, const struct policy *, const char *id,
                     const struct issuance_registration *row, struct err *e);
