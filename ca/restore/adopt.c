/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/restore/adopt.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/file.h"
#include "base/validity.h"
#include "ca/x509/serial.h"
#include "db/issuance/rebuild/restored.h"
#include "db/issuance/role.h"

enum { ADOPT_FILE_MAX = 128 * 1024 * 1024 };

void
adoption_free(struct adoption *a)
{
    for (size_t i = 0; i < a->n; i++) {
        buf_free(&a->all[i].der);
    }
    mem_free(a->all);
}

/* By the issuing key, with a serial number as ours are. */
static int
take(struct adoption *a, X509 *certificate, const struct policy *p, struct err *e)
{
    const struct span serial = serial_of(certificate);
    struct adopted *one;

    if (a->n == ADOPT_MAX) {
        return err_set(e, ERR_INPUT, "more than %d certificates", ADOPT_MAX);
    }
    a->all = mem_grow(a->all, &a->capacity, a->n + 1, sizeof(a->all[0]));
    one = &a->all[a->n++];
    *one = (struct adopted){.der = BUF_INIT(LINK_CERTIFICATE_MAX)};
    if (X509_NAME_cmp(X509_get_issuer_name(certificate), p->name) != 0 ||
        X509_verify(certificate, p->issuing_key) != 1 || serial.n != sizeof(one->serial)) {
        ERR_clear_error();
        return err_set(e, ERR_DENIED, "not signed by the issuing key");
    }
    memcpy(one->serial, serial.p, serial.n);
    if (OSSL_ENCODE(X509, certificate, &one->der, e) != 0 ||
        validity_read(certificate, &one->not_before, &one->not_after, e) != 0) {
        return -1;
    }
    return issuance_tbs_of(buf_span(&one->der), &one->tbs)
               ? 0
               : err_set(e, ERR_INPUT, "it cannot be read");
}

int
adoption_read(const char *path, const struct policy *p, struct adoption *out, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(ADOPT_FILE_MAX);
    CLEANUP(bio_cleanup) BIO *in = NULL;

    if (file_read(path, &text, e) != 0 || sha256(buf_span(&text), out->hash, e) != 0) {
        return -1;
    }
    in = BIO_new_mem_buf(text.p, (int)text.n);
    for (;;) {
        CLEANUP(x509_cleanup)
        X509 *certificate = in == NULL ? NULL : PEM_read_bio_X509(in, NULL, NULL, NULL);

        if (certificate == NULL) {
            break;
        }
        if (take(out, certificate, p, e) != 0) {
            return err_wrap(e, "%s: certificate %zu", path, out->n);
        }
    }
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
        return ossl_err(e, ERR_INPUT, "%s: certificate %zu", path, out->n + 1);
    }
    ERR_clear_error();
    return out->n > 0 ? 0 : err_set(e, ERR_INPUT, "%s: no certificate in PEM", path);
}

static bool
is_before(const struct adoption *a, size_t n, const struct adopted *one)
{
    for (size_t i = 0; i < n; i++) {
        if (span_equal(buf_span(&a->all[i].der), buf_span(&one->der))) {
            return true;
        }
    }
    return false;
}

int
adoption_settle(struct adoption *a, struct store_db *db, struct err *e)
{
    size_t kept = 0;

    for (size_t i = 0; i < a->n; i++) {
        struct adopted *one = &a->all[i];
        bool known;
        bool intended;

        if (restored_certificate_find(db, span_of(one->serial, sizeof(one->serial)),
                                      buf_span(&one->der), &known, &intended, e) != 0) {
            return -1;
        }
        a->n_intended += intended ? 1 : 0;
        if (known || is_before(a, kept, one)) {
            buf_free(&one->der);
            continue;
        }
        if (kept != i) {
            a->all[kept] = *one;
            one->der = BUF_INIT(0);
        }
        kept++;
    }
    a->n = kept;
    return 0;
}

bool
adoption_has(const struct adoption *a, struct span serial)
{
    for (size_t i = 0; i < a->n; i++) {
        if (span_equal(span_of(a->all[i].serial, sizeof(a->all[i].serial)), serial)) {
            return true;
        }
    }
    return false;
}

int
adoption_take(const struct adoption *a, struct store_db *db, struct rebuild *r,
              struct issuance_when when, struct err *e)
{
    for (size_t i = 0; i < a->n; i++) {
        const struct adopted *one = &a->all[i];
        const struct restored_certificate c = {
            .serial = span_of(one->serial, sizeof(one->serial)),
            .der = buf_span(&one->der),
            .tbs = one->tbs,
            .not_before = one->not_before,
            .not_after = one->not_after,
            .when = when,
        };

        if (restored_adopt(db, r, &c, e) != 0) {
            return err_wrap(e, "certificate %zu to adopt", i + 1);
        }
    }
    return 0;
}
