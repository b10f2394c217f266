/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key.h - the auditor's own key, in one file: the verifier key as its first line, which says under
 * which name it signs, and behind it the private key in PEM (PKCS #8, Ed25519).
 */
#pragma once

#include "base/tlog/cosigner.h"

/* Makes one of this name; the file, of 0600, must not be there yet (ERR_CONFLICT). */
int witness_key_make(const char *path, const char *name, struct cosigner *, struct err *e);
/* ERR_DENIED when others can read it; ERR_INPUT when the two are not of one key. NULL + e; freed
 * by EVP_PKEY_free(). */
EVP_PKEY *witness_key_load(const char *path, struct cosigner *, struct err *e)
    __attribute__((warn_unused_result));
