/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/daemon/crl_files.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "ca/cmp/message/der.h"

enum { TIME_SIZE = 15 };

#define SUFFIX ".crl"

void
crl_file_clear(struct crl_file *f)
{
    buf_free(&f->der);
    X509_NAME_free(f->issuer);
    f->issuer = NULL;
}

void
crl_files_free(struct crl_files *c)
{
    if (c != NULL) {
        for (size_t i = 0; i < c->n; i++) {
            crl_file_clear(&c->files[i]);
        }
        mem_free(c);
    }
}

/* Time (RFC 5280 5.1.2.4). */
static int
read_time(const struct der *time, time_t *out)
{
    const unsigned char *p = time->whole.p;
    ASN1_TIME *t =
        time->content.n > TIME_SIZE ? NULL : d2i_ASN1_TIME(NULL, &p, (long)time->whole.n);
    struct tm tm = {0};
    int ok = t != NULL && ASN1_TIME_to_tm(t, &tm) == 1;

    ASN1_TIME_free(t);
    *out = timegm(&tm);
    return ok == 1 ? 0 : -1;
}

/* CertificateList ::= SEQUENCE { tbsCertList SEQUENCE { version, signature, issuer, thisUpdate ...
 * (RFC 5280 5.1). Entries stay octets: there may be hundreds of thousands. */
int
crl_file_parse(struct crl_file *f, struct err *e)
{
    struct der list;
    struct der tbs;
    struct der version;
    struct der algorithm;
    struct der issuer;
    struct der time;
    struct der next;
    const unsigned char *p;

    if (!der_only(buf_span(&f->der), DER_SEQUENCE, &list) || !der_next(&list.content, &tbs) ||
        !der_next(&tbs.content, &version) || version.tag != DER_INTEGER ||
        !der_next(&tbs.content, &algorithm) || !der_next(&tbs.content, &issuer) ||
        issuer.tag != DER_SEQUENCE || !der_next(&tbs.content, &time)) {
        return err_set(e, ERR_INPUT, "not a CRL of version 2 in DER");
    }
    p = issuer.whole.p;
    f->issuer = d2i_X509_NAME(NULL, &p, (long)issuer.whole.n);
    if (f->issuer == NULL || read_time(&time, &f->this_update) != 0) {
        return ossl_err(e, ERR_INPUT, "issuer or thisUpdate of the CRL does not decode");
    }
    /* nextUpdate is optional in the syntax; what follows it is a SEQUENCE or [0]. */
    if (der_next(&tbs.content, &next) && next.tag != DER_SEQUENCE && next.tag != DER_CONTEXT &&
        read_time(&next, &f->next_update) != 0) {
        return ossl_err(e, ERR_INPUT, "nextUpdate of the CRL does not decode");
    }
    return 0;
}

int
crl_file_read(const char *dir, const char *name, struct crl_file *f, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", dir, name);

    assert(strlen(name) <= CRL_FILE_NAME_MAX);
    memcpy(f->name, name, strlen(name) + 1);
    f->der = BUF_INIT(CRL_FILE_SIZE_MAX);
    return file_read(path, &f->der, e);
}

static bool
is_crl_name(const char *name)
{
    size_t n = strlen(name);
    size_t suffix = sizeof(SUFFIX) - 1;

    return name[0] != '.' && n > suffix && n <= CRL_FILE_NAME_MAX &&
           strcmp(name + n - suffix, SUFFIX) == 0;
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(((const struct crl_file *)a)->name, ((const struct crl_file *)b)->name);
}

struct crl_files *
crl_files_read(const char *path, struct err *e)
{
    CLEANUP(crl_files_cleanup) struct crl_files *c = mem_new(sizeof(*c));
    DIR *dir = opendir(path);
    const struct dirent *entry;

    if (dir == NULL) {
        (void)err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
        return NULL;
    }
    while (c->n < CRL_FILES_MAX && (entry = readdir(dir)) != NULL) {
        struct crl_file *f = &c->files[c->n];

        if (!is_crl_name(entry->d_name)) {
            continue;
        }
        if (crl_file_read(path, entry->d_name, f, e) == 0 && crl_file_parse(f, e) == 0) {
            c->n++;
        } else {
            log_err(LOG_WARNING, "crl-unusable", e, "%s/%s", path, entry->d_name);
            crl_file_clear(f);
        }
    }
    (void)closedir(dir);
    qsort(c->files, c->n, sizeof(c->files[0]), by_name);
    return TAKE(c);
}

bool
crl_file_is_at(const struct crl_file *f, struct span uri)
{
    size_t n = strlen(f->name);

    return uri.n > n && uri.p[uri.n - n - 1] == '/' && memcmp(uri.p + uri.n - n, f->name, n) == 0;
}

bool
crl_file_is_of(const struct crl_file *f, const X509_NAME *issuer)
{
    return X509_NAME_cmp(f->issuer, issuer) == 0;
}
