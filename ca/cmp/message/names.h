/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.h - the names that a request asks for, against the registered ones: one rule, by which the
 * RA refuses early and the CA believes no RA that did not. Pure.
 */
#pragma once

#include <openssl/x509v3.h>

#include "ca/cmp/message/failure.h"
#include "ca/x509/profile/nf.h"
#include "ca/x509/profile/profile.h"

/* Borrowed. */
struct cmp_names {
    const X509_NAME *subject;                    /* may be the NULL-DN */
    const STACK_OF(X509_EXTENSION) * extensions; /* may be NULL */
    bool is_update;                              /* of a kur */
};

/*
 * The certificate says what the registration says in any case; whoever asks for something else came
 * to the wrong place, or under somebody else's registration: notAuthorized. C and O of the subject
 * are the registered ones, each subjectAltName is one that the profile makes of the registration,
 * unless the profile replaces them (nfpki-profiles.conf(5), unregistered_names), which it does not
 * for a kur (RFC 9483 4.1.3).
 */
int cmp_names_check(const struct cmp_names *, const struct nf_identity *, const struct profile *,
                    enum cmp_failure *failure, struct err *e);
