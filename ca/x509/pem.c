/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/pem.h"

#include <openssl/pem.h>
#include <string.h>

#include "base/ossl.h"
#include "ca/x509/der.h"

static bool
is_blank(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] != ' ' && p[i] != '\t' && p[i] != '\r' && p[i] != '\n') {
            return false;
        }
    }
    return true;
}

static bool
is_one_of(const char *label, const char *const *labels)
{
    for (; *labels != NULL; labels++) {
        if (strcmp(*labels, label) == 0) {
            return true;
        }
    }
    return false;
}

int
pem_unwrap(struct span bytes, const char *const *labels, const char *what, struct buf *out,
           struct err *e)
{
    CLEANUP(bio_cleanup) BIO *bio = NULL;
    char *label = NULL;
    char *header = NULL;
    unsigned char *data = NULL;
    long n = 0;
    int result;

    if (bytes.n > 0 && bytes.p[0] == DER_SEQUENCE) {
        return buf_append(out, bytes, e);
    }
    if (bytes.n > INT32_MAX) {
        return err_set(e, ERR_INPUT, "%s: too long", what);
    }
    bio = BIO_new_mem_buf(bytes.n == 0 ? "" : (const void *)bytes.p, (int)bytes.n);
    if (PEM_read_bio(bio, &label, &header, &data, &n) != 1) {
        return ossl_err(e, ERR_INPUT, "%s: neither DER nor PEM", what);
    }
    if (!is_one_of(label, labels) || header[0] != '\0') {
        result = err_set(e, ERR_INPUT, "%s: the PEM block is not labelled %s", what, labels[0]);
    } else {
        char *rest;
        long left = BIO_get_mem_data(bio, &rest);

        result = is_blank(rest, (size_t)left)
                     ? buf_append(out, span_of(data, (size_t)n), e)
                     : err_set(e, ERR_INPUT, "%s: something behind the PEM block", what);
    }
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_free(data);
    return result;
}
