/* SPDX-License-Identifier: Apache-2.0 */
/* What a registrar signed: the content of an envelope, and its names. */
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

struct registration_signed *
registration_verify(struct span cms, X509 *issuing, X509 *root, time_t at,
                    const struct nf_rules *rules, struct err *e)
{
    const struct envelope_rules envelope = {.what = "registration",
                                            .purpose = PATH_REGISTRAR,
                                            .issuing = issuing,
                                            .root = root,
                                            .at = at};
    CLEANUP(envelope_cleanup) struct envelope *opened = envelope_open(cms, &envelope, e);
    CLEANUP(destroy) struct registration_signed *out = NULL;
    uint8_t hash[SHA256_SIZE];

    if (opened == NULL) {
        return NULL;
    }
    out = mem_zalloc(1, sizeof(*out));
    buf_move(&out->cms, &opened->cms);
    buf_move(&out->json, &opened->content);
    out->signer = TAKE(opened->signer);
    if (sha256(buf_span(&out->cms), hash, e) != 0 ||
        sha256(buf_span(&out->json), out->content_hash, e) != 0) {
        return NULL;
    }
    hex_format(span_of(hash, ID_OCTETS), out->id);
    if (registration_parse(buf_span(&out->json), rules, &out->content, e) != 0) {
        return NULL;
    }
    return TAKE(out);
}
