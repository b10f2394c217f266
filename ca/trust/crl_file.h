/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crl_file.h - a CRL that somebody else replaces now and then: read again when it has changed.
 *
 * One CRL in DER or PEM. A file that is not a good CRL any more gives no CRL, not the one from
 * before; so replace it with rename(2). Threads: any may ask; a lock is held while it is read.
 */
#pragma once

#include "base/ossl.h"

enum { CRL_FILE_MAX = 8 * 1024 * 1024 };

enum crl_file_state {
    CRL_FILE_GOOD,
    CRL_FILE_MISSING, /* there is no such file */
    CRL_FILE_BAD,     /* it cannot be read, is no CRL, or not one in the form of RFC 5280 */
};

struct crl_file;
void crl_file_free(struct crl_file *);
/* Nothing is read yet. */
struct crl_file *crl_file_new(const char *path) OWNED(crl_file_free);

const char *crl_file_path(const struct crl_file *);
/* Looks at the file. CRL_FILE_GOOD: *out is the caller's, X509_CRL_free(). Else *out is NULL and
 * `e` says why, without the path. */
enum crl_file_state crl_file_get(struct crl_file *, X509_CRL **out, struct err *e);
