/* SPDX-License-Identifier: Apache-2.0 */
/* rows.h - what the files of rebuild.h share. Private to db/issuance/rebuild/. */
#pragma once

#include "base/ossl.h"
#include "db/issuance/rebuild/rebuild.h"

/* systemFailure, RFC 9810 5.2.3 */
enum { REBUILD_OCTETS_MAX = 64, REBUILD_FAILURE = 25 };

/* A hex member as octets; n 0 when it is missing. */
struct rebuild_octets {
    uint8_t octets[REBUILD_OCTETS_MAX];
    size_t n;
};
int rebuild_octets(const struct leaf *, const char *name, struct rebuild_octets *out,
                   struct err *e);
/* As a value: NULL when it is missing. Borrowed. */
struct store_value rebuild_value(const struct rebuild_octets *);
struct store_value rebuild_time(const struct leaf *, const char *name);
/* A base64 member; missing is of no octets. */
int rebuild_base64(const struct leaf *, const char *name, struct buf *out, struct err *e);
/* The statement before changed exactly one row. */
int rebuild_one(struct store_db *, const char *what, struct err *e);

/* ---- requests (requests.c) ---- */

struct rebuild_intent {
    uint8_t rid[ISSUANCE_RID_SIZE];
    struct leaf *leaf;
    uint64_t index;
    bool has_place;
    int64_t place; /* in the RA's queue */
    struct rebuild_octets head;
};
/* Intents of which nothing came yet, and the place in its RA's queue of the last REQUEST. */
struct rebuild_requests {
    struct rebuild_intent *open;
    size_t n, capacity;
    uint8_t last_rid[ISSUANCE_RID_SIZE];
    int64_t last_place;
    struct rebuild_octets last_head;
    const char *phrase; /* rebuild_source */
};
void rebuild_requests_free(struct rebuild_requests *);

int rebuild_request(struct rebuild_requests *, struct store_db *, const struct leaf *,
                    uint64_t index, struct err *e);
int rebuild_intent(struct rebuild_requests *, struct store_db *, const struct leaf *,
                   uint64_t index, struct err *e);
int rebuild_issued(struct rebuild_requests *, struct store_db *, const struct leaf *,
                   uint64_t index, struct err *e);
int rebuild_rejected(struct rebuild_requests *, struct store_db *, const struct leaf *,
                     uint64_t index, struct err *e);
/* Those of which nothing came become rows. */
int rebuild_requests_end(struct rebuild_requests *, struct store_db *, struct err *e);
/* The member rid. */
int rebuild_rid(const struct leaf *, uint8_t rid[ISSUANCE_RID_SIZE], struct err *e);
/* The request's one step from this state to that one. */
int rebuild_advance(struct store_db *, const uint8_t rid[ISSUANCE_RID_SIZE],
                    enum issuance_state from, enum issuance_state to, uint64_t index,
                    const char *what, struct err *e);

/* ---- what became of them (answers.c) ---- */

/* A row that says that its network function took it, or did not. */
int rebuild_confirmation(struct store_db *, const uint8_t rid[ISSUANCE_RID_SIZE], bool accepted,
                         const struct leaf *, uint64_t index, struct err *e);
int rebuild_confirmed(struct store_db *, const struct leaf *, uint64_t index, struct err *e);
int rebuild_refusal(const struct rebuild_requests *, struct store_db *, const struct leaf *,
                    uint64_t index, struct err *e);
int rebuild_again(struct store_db *, const struct leaf *, uint64_t index, struct err *e);
int rebuild_approval(struct store_db *, const struct leaf *, uint64_t index, struct err *e);
