/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/daemon/root_update.h"

enum { NEW_WITH_NEW, NEW_WITH_OLD, OLD_WITH_NEW, FILES };

void
root_update_free(struct root_update *u)
{
    buf_free(&u->new_with_new);
    buf_free(&u->new_with_old);
    buf_free(&u->old_with_new);
    buf_free(&u->old_spki);
    u->there = false;
}

static void
release(X509 *(*certificates)[FILES])
{
    for (size_t i = 0; i < FILES; i++) {
        X509_free((*certificates)[i]);
    }
}

static int
spki_of(const X509 *certificate, struct buf *out, struct err *e)
{
    *out = BUF_INIT(4096);
    return OSSL_ENCODE(X509_PUBKEY, X509_get_X509_PUBKEY(certificate), out, e);
}

/* The certificate is about this key and signed by that one. */
static int
check(const struct settings_list *files, size_t i, X509 *const *certificates, size_t subject,
      size_t signer, struct err *e)
{
    X509 *certificate = certificates[i];
    EVP_PKEY *key = X509_get0_pubkey(certificates[signer]);

    if (X509_check_ca(certificate) != 1) {
        return err_set(e, ERR_INPUT, "root_update: %s is not a CA certificate", files->items[i]);
    }
    if (EVP_PKEY_eq(X509_get0_pubkey(certificate), X509_get0_pubkey(certificates[subject])) != 1) {
        return err_set(e, ERR_INPUT, "root_update: %s and %s are not about the same key",
                       files->items[i], files->items[subject]);
    }
    if (key == NULL || X509_verify(certificate, key) != 1) {
        return ossl_err(e, ERR_INPUT, "root_update: %s is not signed by the key of %s",
                        files->items[i], files->items[signer]);
    }
    return 0;
}

static int
encode(X509 *const *certificates, struct root_update *out, struct err *e)
{
    struct buf *const to[FILES] = {&out->new_with_new, &out->new_with_old, &out->old_with_new};

    for (size_t i = 0; i < FILES; i++) {
        *to[i] = BUF_INIT(64 * 1024);
        if (OSSL_ENCODE(X509, certificates[i], to[i], e) != 0) {
            return -1;
        }
    }
    return spki_of(certificates[OLD_WITH_NEW], &out->old_spki, e);
}

int
root_update_load(const struct settings_list *files, struct root_update *out, struct err *e)
{
    CLEANUP(release) X509 *certificates[FILES] = {NULL};

    *out = (struct root_update){0};
    if (files->n == 0) {
        return 0;
    }
    if (files->n != FILES) {
        return err_set(e, ERR_INPUT,
                       "root_update: three files are needed, newWithNew, newWithOld, oldWithNew");
    }
    for (size_t i = 0; i < FILES; i++) {
        certificates[i] = certificate_load(files->items[i], e);
        if (certificates[i] == NULL) {
            return err_wrap(e, "root_update");
        }
    }
    if (check(files, NEW_WITH_NEW, certificates, NEW_WITH_NEW, NEW_WITH_NEW, e) != 0 ||
        check(files, NEW_WITH_OLD, certificates, NEW_WITH_NEW, OLD_WITH_NEW, e) != 0 ||
        check(files, OLD_WITH_NEW, certificates, OLD_WITH_NEW, NEW_WITH_NEW, e) != 0) {
        return -1;
    }
    if (encode(certificates, out, e) != 0) {
        root_update_free(out);
        return -1;
    }
    out->there = true;
    return 0;
}

bool
root_update_is_for(const struct root_update *u, const X509 *root)
{
    CLEANUP(buf_free) struct buf spki = {0};
    struct err e;

    if (!u->there || root == NULL) {
        return u->there;
    }
    return spki_of(root, &spki, &e) == 0 && span_equal(buf_span(&spki), buf_span(&u->old_spki));
}
