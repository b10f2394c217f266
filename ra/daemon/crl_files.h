/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crl_files.h - the CRLs of crl_dir, read as they are: who issued each, and when. Call from a
 * worker: it reads files. Their signatures are the business of those who use them.
 */
#pragma once

#include <time.h>

#include "base/ossl.h"

enum { CRL_FILES_MAX = 32, CRL_FILE_NAME_MAX = 64, CRL_FILE_SIZE_MAX = 16 * 1024 * 1024 };

struct crl_file {
    char name[CRL_FILE_NAME_MAX + 1]; /* "issuing.crl" */
    struct buf der;
    X509_NAME *issuer;
    time_t this_update;
    time_t next_update; /* 0: it has none */
};
struct crl_files {
    struct crl_file files[CRL_FILES_MAX];
    size_t n;
};
void crl_files_free(struct crl_files *);
DEFINE_CLEANUP(crl_files_cleanup, struct crl_files, crl_files_free)

/* dir/name, then what stands in it. ERR_NOTFOUND, ERR_IO, ERR_INPUT; crl_file_clear() in any case.
 */
int crl_file_read(const char *dir, const char *name, struct crl_file *, struct err *e);
int crl_file_parse(struct crl_file *, struct err *e);
void crl_file_clear(struct crl_file *);

/* All files NAME.crl that are a CRL in DER, by name; others are passed over with a warning in the
 * log. NULL: the folder cannot be read. */
struct crl_files *crl_files_read(const char *path, struct err *e) OWNED(crl_files_free);

/* Is it the one at this distribution point (a URI that ends in /NAME), or of this issuer? */
bool crl_file_is_at(const struct crl_file *, struct span uri);
bool crl_file_is_of(const struct crl_file *, const X509_NAME *issuer);
