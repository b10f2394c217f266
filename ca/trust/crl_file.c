/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/trust/crl_file.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "ca/x509/path/check.h"
#include "ca/x509/pem.h"

/* What tells one content of a path from another without reading it. */
struct mark {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec written;
    struct timespec changed; /* of the inode: a copy may bring an old time of writing */
};

struct crl_file {
    char *path;
    pthread_mutex_t lock; /* of what follows */
    bool read;
    struct mark mark;
    X509_CRL *crl; /* NULL: `why` */
    struct err why;
};

struct crl_file *
crl_file_new(const char *path)
{
    struct crl_file *f = mem_new(sizeof(*f));

    f->path = mem_strdup(path);
    (void)pthread_mutex_init(&f->lock, NULL);
    return f;
}

void
crl_file_free(struct crl_file *f)
{
    if (f != NULL) {
        X509_CRL_free(f->crl);
        (void)pthread_mutex_destroy(&f->lock);
        mem_free(f->path);
        mem_free(f);
    }
}

const char *
crl_file_path(const struct crl_file *f)
{
    return f->path;
}

static int
look(const char *path, struct mark *out, struct err *e)
{
    struct stat s;

    memset(out, 0, sizeof(*out)); /* compared as octets */
    if (stat(path, &s) != 0) {
        return err_errno(e, errno == ENOENT ? ERR_NOTFOUND : ERR_IO, errno, "cannot be read");
    }
    out->device = s.st_dev;
    out->inode = s.st_ino;
    out->size = s.st_size;
    out->written = s.st_mtim;
    out->changed = s.st_ctim;
    return 0;
}

static X509_CRL *
parse(const char *path, struct err *e)
{
    static const char *const labels[] = {"X509 CRL", NULL};
    CLEANUP(buf_free) struct buf bytes = BUF_INIT(CRL_FILE_MAX);
    CLEANUP(buf_free) struct buf der = BUF_INIT(CRL_FILE_MAX);
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = NULL;
    const unsigned char *p;

    if (file_read(path, &bytes, e) != 0 ||
        pem_unwrap(buf_span(&bytes), labels, "CRL", &der, e) != 0) {
        return NULL;
    }
    p = der.p;
    crl = d2i_X509_CRL(NULL, &p, (long)der.n);
    if (crl == NULL) {
        (void)ossl_err(e, ERR_INPUT, "not a CRL");
        return NULL;
    }
    if (p != der.p + der.n) {
        (void)err_set(e, ERR_INPUT, "octets behind the CRL");
        return NULL;
    }
    return path_check_crl(crl, e) == 0 ? TAKE(crl) : NULL;
}

/* With the lock. A file that changes while it is read is read again the next time, and so is one
 * that is no CRL: it may be one for which memory was short. */
static void
read_again(struct crl_file *f, const struct mark *before)
{
    struct mark after;
    struct err ignored;

    X509_CRL_free(f->crl);
    f->why = (struct err){0};
    f->crl = parse(f->path, &f->why);
    f->mark = *before;
    f->read = f->crl != NULL && look(f->path, &after, &ignored) == 0 &&
              memcmp(before, &after, sizeof(after)) == 0;
}

enum crl_file_state
crl_file_get(struct crl_file *f, X509_CRL **out, struct err *e)
{
    enum crl_file_state state = CRL_FILE_BAD;
    struct mark now;

    *out = NULL;
    (void)pthread_mutex_lock(&f->lock);
    if (look(f->path, &now, e) != 0) {
        state = e->code == ERR_NOTFOUND ? CRL_FILE_MISSING : CRL_FILE_BAD;
        f->read = false;
    } else {
        if (!f->read || memcmp(&f->mark, &now, sizeof(now)) != 0) {
            read_again(f, &now);
        }
        if (f->crl != NULL && X509_CRL_up_ref(f->crl) == 1) {
            *out = f->crl;
            state = CRL_FILE_GOOD;
        } else {
            *e = f->why;
        }
    }
    (void)pthread_mutex_unlock(&f->lock);
    return state;
}
