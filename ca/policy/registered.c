/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/policy/registered.h"

#include <pthread.h>
#include <string.h>

#include "ca/x509/serial.h"

/* What verified: one slot for each value of the first octets; a newer one takes it over. */
enum { SLOTS = 16384 };

struct registered {
    pthread_mutex_t lock;
    uint8_t slots[SLOTS][SHA256_SIZE];
    struct batch_manifests *manifests;
};

struct registered *
registered_new(void)
{
    struct registered *r = mem_new(sizeof(*r));

    (void)pthread_mutex_init(&r->lock, NULL);
    r->manifests = batch_manifests_new();
    return r;
}

void
registered_free(struct registered *r)
{
    if (r != NULL) {
        batch_manifests_free(r->manifests);
        (void)pthread_mutex_destroy(&r->lock);
        mem_free(r);
    }
}

struct batch_manifests *
registered_manifests(struct registered *r)
{
    return r->manifests;
}

static uint8_t *
slot_of(struct registered *r, const uint8_t key[SHA256_SIZE])
{
    return r->slots[((unsigned)key[0] << 8 | key[1]) % SLOTS];
}

static bool
is_remembered(struct registered *r, const uint8_t key[SHA256_SIZE])
{
    bool found;

    (void)pthread_mutex_lock(&r->lock);
    found = memcmp(slot_of(r, key), key, SHA256_SIZE) == 0;
    (void)pthread_mutex_unlock(&r->lock);
    return found;
}

static void
remember(struct registered *r, const uint8_t key[SHA256_SIZE])
{
    (void)pthread_mutex_lock(&r->lock);
    memcpy(slot_of(r, key), key, SHA256_SIZE);
    (void)pthread_mutex_unlock(&r->lock);
}

/* Of registrar, id and content, each with where it ends; the id is the hash of the CMS, so this is
 * what was verified. */
static int
key_of(const char *id, const struct issuance_registration *row, uint8_t key[SHA256_SIZE],
       struct err *e)
{
    CLEANUP(buf_free)
    struct buf all = BUF_INIT(1 + UINT8_MAX + REGISTRATION_ID_SIZE + REGISTRATION_JSON_MAX);
    const uint8_t n = (uint8_t)row->registrar.n;

    if (row->registrar.n > UINT8_MAX) {
        return err_set(e, ERR_DENIED, "a serial number of %zu octets", row->registrar.n);
    }
    return buf_append(&all, span_of(&n, 1), e) != 0 ||
                   buf_append(&all, buf_span(&row->registrar), e) != 0 ||
                   buf_append(&all, span_of((const uint8_t *)id, strlen(id) + 1), e) != 0 ||
                   buf_append(&all, buf_span(&row->json), e) != 0
               ? -1
               : sha256(buf_span(&all), key, e);
}

int
registered_know(struct registered *r, const struct issuance_registration *row, struct err *e)
{
    uint8_t key[SHA256_SIZE];

    if (key_of(row->id, row, key, e) != 0) {
        return -1;
    }
    remember(r, key);
    return 0;
}

int
registered_check(struct registered *r, const struct policy *p, const char *id,
                 const struct issuance_registration *row, struct err *e)
{
    CLEANUP(registration_signed_cleanup) struct registration_signed *v = NULL;
    struct span json = buf_span(&row->json);
    uint8_t key[SHA256_SIZE];

    if (key_of(id, row, key, e) != 0) {
        return -1;
    }
    if (!row->by_registrar) {
        return err_set(e, ERR_DENIED,
                       "the stored registration is not by a registrar's certificate");
    }
    if (is_remembered(r, key)) {
        return 0;
    }
    /* At the time when it was taken in: the registrar's certificate may have expired since. */
    v = registration_verify(buf_span(&row->cms), p->issuing, p->root, row->registered,
                            &p->stored_rules, r->manifests, e);
    if (v == NULL) {
        e->code = ERR_DENIED;
        return err_wrap(e, "the stored registration is not what a registrar signed");
    }
    /* Whose role was found in the record is who signed. */
    if (strcmp(v->id, id) != 0 || !span_equal(buf_span(&v->json), json) ||
        !span_equal(serial_of(v->signer), buf_span(&row->registrar))) {
        return err_set(e, ERR_DENIED, "the stored registration is not what a registrar signed");
    }
    remember(r, key);
    return 0;
}
