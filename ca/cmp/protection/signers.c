/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/protection/signers.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

/* One slot for each value of the first octet, modulo; a newer one takes it over. */
struct slot {
    uint8_t hash[SHA256_SIZE];
    X509 *certificate; /* NULL: free */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool keeps;
static struct slot slots[SIGNERS_KEPT];

static struct slot *
slot_of(const uint8_t hash[SHA256_SIZE])
{
    return &slots[hash[0] % SIGNERS_KEPT];
}

void
signers_keep(void)
{
    (void)pthread_mutex_lock(&lock);
    keeps = true;
    (void)pthread_mutex_unlock(&lock);
}

void
signers_forget(void)
{
    (void)pthread_mutex_lock(&lock);
    keeps = false;
    for (size_t i = 0; i < ARRAY_LEN(slots); i++) {
        X509_free(slots[i].certificate);
        slots[i] = (struct slot){0};
    }
    (void)pthread_mutex_unlock(&lock);
}

X509 *
signers_find(const uint8_t hash[SHA256_SIZE])
{
    const struct slot *slot = slot_of(hash);
    X509 *found = NULL;

    (void)pthread_mutex_lock(&lock);
    if (slot->certificate != NULL && memcmp(slot->hash, hash, SHA256_SIZE) == 0 &&
        X509_up_ref(slot->certificate) == 1) {
        found = slot->certificate;
    }
    (void)pthread_mutex_unlock(&lock);
    return found;
}

void
signers_add(const uint8_t hash[SHA256_SIZE], size_t der_n, X509 *certificate)
{
    struct slot *slot = slot_of(hash);
    X509 *before = NULL;

    if (der_n > SIGNERS_SIZE_MAX) {
        return;
    }
    (void)pthread_mutex_lock(&lock);
    if (keeps && X509_up_ref(certificate) == 1) {
        before = slot->certificate;
        memcpy(slot->hash, hash, SHA256_SIZE);
        slot->certificate = certificate;
    }
    (void)pthread_mutex_unlock(&lock);
    X509_free(before);
}
