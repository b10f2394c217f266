/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests of batches: their signature, and the few that verified lately. */
#include <pthread.h>
#include <string.h>

#include "base/validity.h"
#include "ca/registration/batch.h"
#include "ca/registration/envelope.h"

enum { SLOTS = 4, AGE_MAX_S = 60 };

struct slot {
    uint8_t key[SHA256_SIZE]; /* of the CMS */
    X509 *signer;             /* NULL: empty */
    time_t at;
    struct batch_manifest manifest;
};

struct batch_manifests {
    pthread_mutex_t lock;
    struct slot slots[SLOTS];
    size_t next;
};

struct batch_manifests *
batch_manifests_new(void)
{
    struct batch_manifests *c = mem_new(sizeof(*c));

    (void)pthread_mutex_init(&c->lock, NULL);
    return c;
}

void
batch_manifests_free(struct batch_manifests *c)
{
    if (c != NULL) {
        for (size_t i = 0; i < SLOTS; i++) {
            X509_free(c->slots[i].signer);
        }
        (void)pthread_mutex_destroy(&c->lock);
        mem_free(c);
    }
}

static bool
find(struct batch_manifests *c, const uint8_t key[SHA256_SIZE], time_t at,
     struct batch_manifest *out, X509 **signer)
{
    bool found = false;

    (void)pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < SLOTS && !found; i++) {
        const struct slot *s = &c->slots[i];

        if (s->signer != NULL && memcmp(s->key, key, SHA256_SIZE) == 0 && at - s->at <= AGE_MAX_S &&
            s->at - at <= AGE_MAX_S && validity_has(s->signer, at)) {
            *out = s->manifest;
            *signer = s->signer;
            (void)X509_up_ref(s->signer);
            found = true;
        }
    }
    (void)pthread_mutex_unlock(&c->lock);
    return found;
}

static void
keep(struct batch_manifests *c, const uint8_t key[SHA256_SIZE], time_t at,
     const struct batch_manifest *manifest, X509 *signer)
{
    struct slot *s;

    (void)pthread_mutex_lock(&c->lock);
    s = &c->slots[c->next];
    c->next = (c->next + 1) % SLOTS;
    X509_free(s->signer);
    memcpy(s->key, key, SHA256_SIZE);
    s->signer = signer;
    (void)X509_up_ref(signer);
    s->at = at;
    s->manifest = *manifest;
    (void)pthread_mutex_unlock(&c->lock);
}

int
batch_manifest_verify(struct span cms, X509 *issuing, X509 *root, time_t at,
                      struct batch_manifests *cache, struct batch_manifest *out, X509 **signer,
                      struct err *e)
{
    const struct envelope_rules rules = {
        .what = "manifest", .issuing = issuing, .root = root, .at = at};
    CLEANUP(envelope_cleanup) struct envelope *opened = NULL;
    uint8_t key[SHA256_SIZE];

    if (sha256(cms, key, e) != 0) {
        return -1;
    }
    if (cache != NULL && find(cache, key, at, out, signer)) {
        return 0;
    }
    opened = envelope_open(cms, &rules, e);
    if (opened == NULL || batch_manifest_parse(buf_span(&opened->content), out, e) != 0) {
        return -1;
    }
    if (cache != NULL) {
        keep(cache, key, at, out, opened->signer);
    }
    *signer = TAKE(opened->signer);
    return 0;
}
