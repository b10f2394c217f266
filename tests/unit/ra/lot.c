/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ra/lot.h"

#include "ca/registration/batch.h"

struct lot
lot_new(size_t n, size_t bad, X509 *signer, EVP_PKEY *key)
{
    struct lot l = {.text = BUF_INIT(BATCH_OCTETS_MAX)};
    CLEANUP(batch_cleanup) struct batch *batch = NULL;
    CLEANUP(mem_cleanup) char *manifest = NULL;
    struct err e = {0};

    for (size_t i = 0; i < n; i++) {
        CLEANUP(mem_cleanup) char *document = NULL;
        char instance[37];

        running_instance(instance);
        document = running_document(i == bad ? "not-a-uuid" : instance, "", 1);
        assert_ok(buf_append_str(&l.text, document, &e), &e);
        assert_ok(buf_append_str(&l.text, "\n", &e), &e);
    }
    batch = batch_new(buf_span(&l.text), &e);
    assert_non_null(batch);
    manifest = batch_manifest_format(batch);
    l.manifest = pki_cms(span_str(manifest), signer, key);
    return l;
}

struct lot
lot_good(const struct running *w, size_t n)
{
    return lot_new(n, SIZE_MAX, w->registrar, w->registrar_key);
}

void
lot_free(struct lot *l)
{
    buf_free(&l->text);
    buf_free(&l->manifest);
}
