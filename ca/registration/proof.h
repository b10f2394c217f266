/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proof.h - what a registration pins and what signs a request, as texts of one form: when two
 * registrations that are live have the same one, nothing but an RA's word says under which of them
 * a signed request was made. So the CA takes no second one, and asks again at each request.
 *
 *   certificate <SHA-256 of its DER>    publicKey <SHA-256 of the SubjectPublicKeyInfo>
 *   vendor <issuer> LF <subject>
 *
 * ca.sql (migration 21) makes the same texts. Pure.
 */
#pragma once

#include "ca/registration/registration.h"

/* NULL: a secret, which the RA makes: no two are the same, and the CA knows none. mem_free() it. */
char *proof_text(const struct proof *) OWNED(mem_free);

/* What a certificate that signs can be registered as; proof_shown_free() it. */
struct proof_shown {
    char *certificate;
    char *public_key;
    char *vendor;
};
void proof_shown_free(struct proof_shown *);
int proof_shown_by(X509 *, struct proof_shown *out, struct err *e);
