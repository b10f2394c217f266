/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/request/watchers.h"

#include <string.h>

enum { BUCKETS = 1024, WATCHERS_MAX = 16384 };

struct watcher {
    struct watcher *next;
    uint8_t rid[ISSUANCE_RID_SIZE];
    link_peer peer;
};

struct watchers {
    struct ca *ca;
    struct watcher *buckets[BUCKETS];
    size_t n;
};

static struct watcher **
place_of(struct watchers *w, const uint8_t *rid)
{
    /* A rid is a hash already. */
    struct watcher **at = &w->buckets[((unsigned)rid[0] << 8 | rid[1]) % BUCKETS];

    while (*at != NULL && memcmp((*at)->rid, rid, sizeof((*at)->rid)) != 0) {
        at = &(*at)->next;
    }
    return at;
}

void
watchers_add(struct watchers *w, struct span rid, link_peer peer)
{
    struct watcher **at = place_of(w, rid.p);

    if (*at == NULL && w->n < WATCHERS_MAX) { /* else it hears when it asks again */
        *at = mem_new(sizeof(**at));
        memcpy((*at)->rid, rid.p, sizeof((*at)->rid));
        w->n++;
    }
    if (*at != NULL) {
        (*at)->peer = peer;
    }
}

void
watchers_tell(struct watchers *w, link_peer answered, const struct link_message *m)
{
    struct watcher **at;
    struct watcher *watcher;

    if (m->id.n != ISSUANCE_RID_SIZE) {
        return;
    }
    at = place_of(w, m->id.p);
    watcher = *at;
    if (watcher == NULL) {
        return;
    }
    if (watcher->peer != answered && w->ca->link != NULL) {
        link_server_tell(w->ca->link, watcher->peer, m);
    }
    *at = watcher->next;
    w->n--;
    mem_free(watcher);
}

/* ---- life ---- */

struct watchers *
watchers_new(struct ca *ca)
{
    struct watchers *w = mem_new(sizeof(*w));

    w->ca = ca;
    return w;
}

void
watchers_free(struct watchers *w)
{
    if (w == NULL) {
        return;
    }
    for (size_t i = 0; i < BUCKETS; i++) {
        while (w->buckets[i] != NULL) {
            struct watcher *watcher = w->buckets[i];

            w->buckets[i] = watcher->next;
            mem_free(watcher);
        }
    }
    mem_free(w);
}
