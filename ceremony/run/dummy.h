/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dummy.h - the whole object once over under a throw-away key, before the real one signs: what is
 * wrong with a certificate must be seen while nothing is signed yet.
 */
#pragma once

#include "ca/x509/lint/lint.h"
#include "ca/x509/pubkey.h"
#include "ca/x509/signed.h"
#include "ca/x509/tbs/crl.h"

/* A new software key of this kind; the caller frees it with EVP_PKEY_free(). */
EVP_PKEY *dummy_key(enum pubkey_kind, struct err *e) __attribute__((warn_unused_result));

/*
 * Sign `tbs` with a throw-away key of the same kind as `like`, have OpenSSL parse the result, and
 * pass the TBS inside it (which is the same octets) to the linter.
 */
int dummy_lint_certificate(struct span tbs, const struct tbs_request *, EVP_PKEY *like,
                           struct err *e);
int dummy_lint_crl(struct span tbs, const struct crl_request *, EVP_PKEY *like, struct err *e);
