/* SPDX-License-Identifier: Apache-2.0 */
/*
 * issuer.h - the issuing key without its signer: a line in its journal for each certificate, then
 * the token's signature. So it goes without evidence and without a process in between; the journal
 * is the signer's own, and nobody else has it open meanwhile.
 */
#pragma once

#include "base/ossl.h"

/* Where everything is in what ceremony/quickstart.sh makes; the PIN comes from
 * $CREDENTIALS_DIRECTORY. */
struct issuer;
void issuer_free(struct issuer *);
struct issuer *issuer_open(const char *pki, struct err *e) OWNED(issuer_free);
DEFINE_CLEANUP(issuer_cleanup, struct issuer, issuer_free)

/* Lines up to here are on disk after issuer_commit(). */
int issuer_announce(struct issuer *, struct span tbs, const uint8_t serial[16], struct err *e);
int issuer_commit(struct issuer *, struct err *e);
/* Of what was announced; `certificate` is replaced. */
int issuer_sign(struct issuer *, struct span tbs, struct buf *certificate, struct err *e);
