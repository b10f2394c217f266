/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weakness.h - the keys of a request, the one that it asks for and the one that signs it: what is
 * weak about them (ca/x509/weak_key.h), in the words for who sent it. RA and CA ask the same. Pure.
 */
#pragma once

#include "ca/cmp/message/phrase.h"
#include "ca/x509/weak_key.h"

/* 0, or -1 with badCertTemplate and why; systemFailure when it could not be found out. */
int weakness_check(struct span spki, const struct blocked_keys *, enum cmp_failure *failure,
                   struct err *e);
/* The same with signerNotTrusted. */
int weakness_check_signer(const X509 *signer, const struct blocked_keys *,
                          enum cmp_failure *failure, struct err *e);
