/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ignored.h - parts of a requested subject that no certificate of a network function has, and that
 * a profile may have left out without a word: the option `ignored` of nfpki-profiles.conf(5).
 *
 * A country and an organization are not among them: each certificate has those, so that another one
 * is another name. Pure.
 */
#pragma once

#include "base/ossl.h"

/* The bit of an attribute ("CN"); 0: none that can be ignored. */
unsigned ignored_bit(const char *attribute);
/* "CN, OU, ...", for an error. */
const char *ignored_list(void);

/* A copy of `asked` without the attributes of `bits` that `given` has none of; NULL when memory is
 * short. */
X509_NAME *ignored_leave_out(unsigned bits, const X509_NAME *asked, const X509_NAME *given)
    OWNED(X509_NAME_free);
