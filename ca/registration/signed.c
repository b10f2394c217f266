/* SPDX-License-Identifier: Apache-2.0 */
/* What a registrar signed, alone or in a batch, and its names. */
#include "ca/registration/batch.h"
#include "ca/registration/envelope.h"
#include "ca/registration/registration.h"

_Static_assert((int)REGISTRATION_MAX == (int)ENVELOPE_MAX, "one limit");
_Static_assert((int)REGISTRATION_JSON_MAX == (int)ENVELOPE_CONTENT_MAX, "one limit");

enum { ID_OCTETS = (REGISTRATION_ID_SIZE - 1) / 2 };

static void
destroy(struct registration_signed **p)
{
    if (*p != NULL) {
        buf_free(&(*p)->cms);
        buf_free(&(*p)->json);
        X509_free((*p)->signer);
        mem_free(*p);
        *p = NULL;
    }
}

void
registration_signed_free(struct registration_signed *registration)
{
    destroy(&registration);
}

/* A document with a signature of its own. */
static int
open_single(struct span cms, X509 *issuing, X509 *root, time_t at, struct registration_signed *out,
            struct err *e)
{
    const struct envelope_rules rules = {
        .what = "registration", .issuing = issuing, .root = root, .at = at};
    CLEANUP(envelope_cleanup) struct envelope *opened = envelope_open(cms, &rules, e);

    if (opened == NULL) {
        return -1;
    }
    buf_move(&out->cms, &opened->cms);
    buf_move(&out->json, &opened->content);
    out->signer = TAKE(opened->signer);
    return 0;
}

/* One of many under the signature of their manifest. */
static int
open_element(struct span der, X509 *issuing, X509 *root, time_t at,
             struct batch_manifests *manifests, struct registration_signed *out, struct err *e)
{
    struct batch_element element;
    struct batch_manifest manifest;
    struct merkle_hash leaf;

    if (batch_element_parse(der, &element, e) != 0 ||
        batch_manifest_verify(element.manifest, issuing, root, at, manifests, &manifest,
                              &out->signer, e) != 0) {
        return -1;
    }
    leaf = merkle_leaf(element.document);
    if (merkle_verify_inclusion(element.index, manifest.registrations, &leaf, &element.path,
                                &manifest.root, e) != 0) {
        return err_wrap(e, "registration: not of the batch whose manifest was signed");
    }
    out->of_batch = true;
    out->cms = BUF_INIT(REGISTRATION_MAX);
    out->json = BUF_INIT(REGISTRATION_JSON_MAX);
    return buf_set(&out->cms, der, e) != 0 ? -1 : buf_set(&out->json, element.document, e);
}

struct registration_signed *
registration_verify(struct span bytes, X509 *issuing, X509 *root, time_t at,
                    const struct nf_rules *rules, struct batch_manifests *manifests, struct err *e)
{
    CLEANUP(destroy) struct registration_signed *out = mem_new(sizeof(*out));
    uint8_t hash[SHA256_SIZE];

    if ((batch_is_element(bytes) ? open_element(bytes, issuing, root, at, manifests, out, e)
                                 : open_single(bytes, issuing, root, at, out, e)) != 0 ||
        sha256(buf_span(&out->cms), hash, e) != 0 ||
        sha256(buf_span(&out->json), out->content_hash, e) != 0) {
        return NULL;
    }
    hex_format(span_of(hash, ID_OCTETS), out->id);
    if (registration_parse(buf_span(&out->json), rules, &out->content, e) != 0) {
        return NULL;
    }
    return TAKE(out);
}
