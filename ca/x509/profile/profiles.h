/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profiles.h - the profiles of network functions that an operator has in a file
 * (nfpki-profiles.conf.5), as a set. Without a file: the 3GPP ones of profile.h.
 *
 * Ownership: the set owns its profiles; pointers to them live as long as it does. Constant after
 * profiles_load(), shared by all threads. NULL is the built-in set everywhere here.
 */
#pragma once

#include "base/conf.h"
#include "base/ossl.h"
#include "ca/x509/profile/profile.h"

enum { PROFILES_MAX = 64 };

struct profiles;
void profiles_free(struct profiles *);
/* ERR_INPUT "file:line: ..." for everything that is not in form or that matrix.h forbids.
 */
struct profiles *profiles_load(const char *path, struct err *e) OWNED(profiles_free);
/* The file that a daemon's option `profiles` names; *out is NULL when it names none. */
int profiles_read(cfg_t *, struct profiles **out, struct err *e);
DEFINE_CLEANUP(profiles_cleanup, struct profiles, profiles_free)

/* A network function's profile of the set that is switched on; NULL when there is none. */
const struct profile *profiles_find(const struct profiles *, const char *name);
/* In the order of the file; NULL behind the end. */
const struct profile *profiles_at(const struct profiles *, size_t i);
/* SHA-256 of the file; of the built-in set: of no octets. */
int profiles_hash(const struct profiles *, uint8_t out[SHA256_SIZE], struct err *e);
