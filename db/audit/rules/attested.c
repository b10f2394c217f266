/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/rules/attested.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "base/tlog/queue_head.h"
#include "db/audit/der/queue_entry.h"
#include "db/audit/rules/ra_signed.h"

enum {
    BUCKETS = 1 << 16,
    ATTESTED = 2,                /* the version of the record from which on there are heads, */
    MADE = 3,                    /* and REQUEST says when it was made */
    WINDOW_MAX_S = 24 * 60 * 60, /* of message_time_window, nfpki-ca.conf(5) */
    HEADS_STATE_MAX = 256 * 1024 * 1024
};

struct known {
    struct known *next;  /* in its bucket, by its hash */
    struct known *near;  /* and in the one of its first place */
    struct known *newer; /* recorded after it */
    uint8_t hash[SHA256_SIZE];
    struct queue_head head;
    time_t recorded;
    char *ra; /* serial */
};

struct audit_attested {
    struct audit_holders *ras;
    struct known *buckets[BUCKETS];
    struct known *places[BUCKETS];
    struct known *oldest, *newest;
    char issuer[2 * SHA256_SIZE + 1]; /* of the last START */
    int64_t version;                  /* of the record, at this leaf */
    size_t twice;
};

static void
known_free(struct known *k)
{
    mem_free(k->ra);
    mem_free(k);
}

void
audit_attested_free(struct audit_attested *a)
{
    if (a == NULL) {
        return;
    }
    while (a->oldest != NULL) {
        struct known *k = a->oldest;

        a->oldest = k->newer;
        known_free(k);
    }
    audit_holders_free(a->ras);
    mem_free(a);
}

struct audit_attested *
audit_attested_new(void)
{
    struct audit_attested *a = mem_new(sizeof(*a));

    a->ras = audit_holders_new("ra-cmp");
    return a;
}

size_t
audit_attested_twice(const struct audit_attested *a)
{
    return a->twice;
}

/* ---- heads ---- */

static struct known **
bucket_of(struct audit_attested *a, const uint8_t hash[SHA256_SIZE])
{
    return &a->buckets[(hash[0] << 8 | hash[1]) % BUCKETS];
}

/* Of an RA's queue as many places as a head may have are in one. */
static struct known **
places_of(struct audit_attested *a, const struct queue_head *h, uint64_t slot)
{
    return &a->places[(slot + ((uint64_t)h->ra[0] << 8 | h->ra[1])) % BUCKETS];
}

static struct known *
find(struct audit_attested *a, const uint8_t hash[SHA256_SIZE])
{
    struct known *k = *bucket_of(a, hash);

    while (k != NULL && memcmp(k->hash, hash, sizeof(k->hash)) != 0) {
        k = k->next;
    }
    return k;
}

static void
forget_before(struct audit_attested *a, time_t limit)
{
    while (a->oldest != NULL && a->oldest->recorded < limit) {
        struct known *k = a->oldest;
        struct known **p = bucket_of(a, k->hash);

        while (*p != k) {
            p = &(*p)->next;
        }
        *p = k->next;
        for (p = places_of(a, &k->head, k->head.first / QUEUE_HEAD_SIZE_MAX); *p != k;) {
            p = &(*p)->near;
        }
        *p = k->near;
        a->oldest = k->newer;
        a->newest = a->oldest == NULL ? NULL : a->newest;
        known_free(k);
    }
}

static bool
overlap(const struct queue_head *a, const struct queue_head *b)
{
    return memcmp(a->ra, b->ra, sizeof(a->ra)) == 0 && a->first < b->first + b->size &&
           b->first < a->first + a->size;
}

/* One that has a place in common begins in the slot of one of these places, or in the one before.
 */
static void
count_twice(struct audit_attested *a, const struct queue_head *h)
{
    const uint64_t last = (h->first + h->size - 1) / QUEUE_HEAD_SIZE_MAX;
    uint64_t slot = h->first / QUEUE_HEAD_SIZE_MAX;
    bool found = false;

    for (slot -= slot > 0 ? 1 : 0; slot <= last && !found; slot++) {
        for (const struct known *k = *places_of(a, h, slot); k != NULL && !found; k = k->near) {
            found = overlap(&k->head, h);
        }
    }
    a->twice += found ? 1 : 0;
}

static void
keep(struct audit_attested *a, struct known *k)
{
    struct known **bucket = bucket_of(a, k->hash);
    struct known **place = places_of(a, &k->head, k->head.first / QUEUE_HEAD_SIZE_MAX);

    k->next = *bucket; /* in front of the same head, recorded before */
    *bucket = k;
    k->near = *place;
    *place = k;
    if (a->newest == NULL) {
        a->oldest = k;
    } else {
        a->newest->newer = k;
    }
    a->newest = k;
}

static void
remember(struct audit_attested *a, const struct leaf *leaf, const struct queue_head *h,
         const uint8_t hash[SHA256_SIZE])
{
    struct known *k = mem_new(sizeof(*k));

    memcpy(k->hash, hash, sizeof(k->hash));
    k->head = *h;
    k->recorded = leaf_time(leaf);
    k->ra = mem_strdup(leaf_text(leaf, "ra"));
    keep(a, k);
}

static int
check_head(const struct audit_attested *a, const struct leaf *leaf, const struct queue_head *h,
           struct span text, struct err *e)
{
    const struct audit_ra_text t = {.what = "QUEUE-HEAD", .text = text, .key = h->ra, .ca = h->ca};

    return audit_ra_signed_check(a->ras, leaf, &t, a->issuer, e);
}

static int
head_check(struct audit_attested *a, const struct leaf *leaf, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(LEAF_MAX);
    uint8_t hash[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];
    struct queue_head h;

    if (base64_parse(leaf_text(leaf, "text"), &text, e) != 0 ||
        sha256(buf_span(&text), hash, e) != 0) {
        return -1;
    }
    if (queue_head_parse(buf_span(&text), &h, e) != 0) {
        e->code = ERR_CRYPTO;
        return err_wrap(e, "a QUEUE-HEAD that is none");
    }
    hex_format(span_of(hash, sizeof(hash)), hex);
    if (strcmp(hex, leaf_text(leaf, "head")) != 0) {
        return err_set(e, ERR_CRYPTO, "a QUEUE-HEAD under the name of another text");
    }
    if (check_head(a, leaf, &h, buf_span(&text), e) != 0) {
        return -1;
    }
    forget_before(a, leaf_time(leaf) - LEAF_HEAD_AGE_MAX);
    if (find(a, hash) == NULL) {
        count_twice(a, &h);
    }
    remember(a, leaf, &h, hash);
    return 0;
}

/* ---- what rests on them ---- */

/* The head that the leaf names; NULL + e. */
static const struct known *
rests_on(struct audit_attested *a, const struct leaf *leaf, const char *rid, struct err *e)
{
    const char *kind = leaf_kind_name(leaf_kind(leaf));
    const uint64_t place = (uint64_t)leaf_int(leaf, "qseq", 0);
    uint8_t hash[SHA256_SIZE];
    const struct known *k = NULL;

    if (hex_parse(leaf_text(leaf, "head"), hash, sizeof(hash), e) == 0) {
        k = find(a, hash);
    }
    if (k == NULL || leaf_time(leaf) - k->recorded > LEAF_HEAD_AGE_MAX) {
        (void)err_set(e, ERR_CRYPTO, "the %s %s rests on no QUEUE-HEAD of the day before", kind,
                      rid);
        return NULL;
    }
    if (audit_ra_good(a->ras, k->ra, leaf_time(leaf)) == NULL) {
        (void)err_set(e, ERR_CRYPTO,
                      "the %s %s rests on a QUEUE-HEAD by serial %s, which is no RA "
                      "then",
                      kind, rid, k->ra);
        return NULL;
    }
    if (place - k->head.first >= k->head.size) { /* what is before it is very far behind it */
        (void)err_set(e, ERR_CRYPTO,
                      "the %s %s has place %" PRIu64 ", which its QUEUE-HEAD has not", kind, rid,
                      place);
        return NULL;
    }
    return k;
}

/* The RA's word is in its entry; the requester's is at most a window from that. */
static int
check_made(const struct leaf *leaf, const char *rid, const struct audit_entry *entry, struct err *e)
{
    const char *by = leaf_text(leaf, "madeBy");
    time_t made;
    time_t apart;

    if (leaf_text(leaf, "made") == NULL || by == NULL) {
        return err_set(e, ERR_CRYPTO, "the REQUEST %s does not say when it was made", rid);
    }
    if (time_parse(leaf_text(leaf, "made"), &made, e) != 0) {
        return -1;
    }
    apart = made < entry->received ? entry->received - made : made - entry->received;
    return (strcmp(by, "ra") == 0 && apart == 0) ||
                   (strcmp(by, "requester") == 0 && apart <= WINDOW_MAX_S)
               ? 0
               : err_set(e, ERR_CRYPTO,
                         "the REQUEST %s was made at another time than its RA attested", rid);
}

static int
check_says(const struct audit_attested *a, const struct leaf *leaf, const char *rid,
           struct span der, struct err *e)
{
    struct audit_entry entry;

    if (audit_entry_read(der, &entry, e) != 0) {
        return err_wrap(e, "the REQUEST %s", rid);
    }
    if (strcmp(entry.rid, rid) != 0 ||
        strcmp(entry.registration, leaf_text(leaf, "registration")) != 0 ||
        strcmp(entry.assurance, leaf_text(leaf, "assurance")) != 0) {
        return err_set(e, ERR_CRYPTO, "the REQUEST %s says otherwise than its RA attested", rid);
    }
    return a->version < MADE ? 0 : check_made(leaf, rid, &entry, e);
}

static int
request_check(struct audit_attested *a, const struct leaf *leaf, struct err *e)
{
    CLEANUP(buf_free) struct buf entry = BUF_INIT(LEAF_MAX);
    CLEANUP(buf_free) struct buf path = BUF_INIT(LEAF_MAX);
    const char *rid = leaf_text(leaf, "rid");
    const struct known *k = rests_on(a, leaf, rid, e);

    if (k == NULL) {
        return -1;
    }
    if (leaf_text(leaf, "entry") == NULL) {
        return err_set(e, ERR_CRYPTO, "the REQUEST %s does not say what its RA attested", rid);
    }
    if (base64_parse(leaf_text(leaf, "entry"), &entry, e) != 0 ||
        (leaf_text(leaf, "path") != NULL && base64_parse(leaf_text(leaf, "path"), &path, e) != 0)) {
        return -1;
    }
    if (queue_head_covers(&k->head, buf_span(&entry),
                          (uint64_t)leaf_int(leaf, "qseq", 0) - k->head.first, buf_span(&path),
                          e) != 0) {
        return err_wrap(e, "the REQUEST %s is not under its QUEUE-HEAD", rid);
    }
    return check_says(a, leaf, rid, buf_span(&entry), e);
}

static const char *
rid_of(const struct leaf *leaf)
{
    return leaf_text(leaf, leaf_kind(leaf) == LEAF_AGAIN ? "again" : "rid");
}

static int
again_check(struct audit_attested *a, const struct leaf *leaf, struct err *e)
{
    return rests_on(a, leaf, leaf_text(leaf, "again"), e) == NULL ? -1 : 0;
}

static int
start_note(struct audit_attested *a, const struct leaf *leaf, struct err *e)
{
    (void)e;
    (void)snprintf(a->issuer, sizeof(a->issuer), "%s", leaf_text(leaf, "issuer"));
    return 0;
}

typedef int check_leaf(struct audit_attested *, const struct leaf *, struct err *);

/* The other kinds say nothing of a queue. */
static check_leaf *const CHECKS[LEAF_KINDS] = {
    [LEAF_START] = start_note,
    [LEAF_QUEUE_HEAD] = head_check,
    [LEAF_REQUEST] = request_check,
    [LEAF_AGAIN] = again_check,
};

int
audit_attested_check(struct audit_attested *a, int64_t version, const struct leaf *leaf,
                     struct err *e)
{
    const enum leaf_kind kind = leaf_kind(leaf);
    check_leaf *check = CHECKS[kind];

    a->version = version;
    if (audit_holders_note(a->ras, leaf, e) != 0) {
        return -1;
    }
    if (version < ATTESTED && kind == LEAF_QUEUE_HEAD) {
        return err_set(e, ERR_CRYPTO, "a QUEUE-HEAD in a record of version %" PRId64, version);
    }
    if ((kind == LEAF_REQUEST || kind == LEAF_AGAIN) && leaf_text(leaf, "head") == NULL) {
        return version < ATTESTED ? 0 /* the RA wrapped each by itself */
                                  : err_set(e, ERR_CRYPTO, "the %s %s names no QUEUE-HEAD",
                                            leaf_kind_name(kind), rid_of(leaf));
    }
    return check == NULL ? 0 : check(a, leaf, e);
}

/* ---- state ---- */

/* What is asked of one that was checked. */
/* There may be many: all of them are one text, of octets one behind the other. */
static int
put_number(struct buf *out, uint64_t n, struct err *e)
{
    uint8_t octets[sizeof(n)];

    for (size_t i = 0; i < sizeof(octets); i++) {
        octets[i] = (uint8_t)(n >> (8 * (sizeof(octets) - 1 - i)));
    }
    return buf_append(out, span_of(octets, sizeof(octets)), e);
}

static int
head_put(const struct known *k, struct buf *out, struct err *e)
{
    const uint8_t length = (uint8_t)strlen(k->ra);

    return strlen(k->ra) > UINT8_MAX ||
                   buf_append(out, span_of(k->hash, sizeof(k->hash)), e) != 0 ||
                   buf_append(out, span_of(k->head.ra, sizeof(k->head.ra)), e) != 0 ||
                   buf_append(out, span_of(k->head.root.octets, MERKLE_HASH), e) != 0 ||
                   put_number(out, k->head.first, e) != 0 ||
                   put_number(out, k->head.size, e) != 0 ||
                   put_number(out, (uint64_t)k->recorded, e) != 0 ||
                   buf_append(out, span_of(&length, 1), e) != 0
               ? -1
               : buf_append(out, span_str(k->ra), e);
}

static bool
take(struct span *in, void *out, size_t n)
{
    if (in->n < n) {
        return false;
    }
    memcpy(out, in->p, n);
    *in = span_of(in->p + n, in->n - n);
    return true;
}

static bool
take_number(struct span *in, uint64_t *out)
{
    uint8_t octets[sizeof(*out)];

    if (!take(in, octets, sizeof(octets))) {
        return false;
    }
    *out = 0;
    for (size_t i = 0; i < sizeof(octets); i++) {
        *out = *out << 8 | octets[i];
    }
    return true;
}

static bool
head_take(struct span *in, struct known *k)
{
    uint64_t recorded = 0;
    uint8_t length = 0;

    if (!take(in, k->hash, sizeof(k->hash)) || !take(in, k->head.ra, sizeof(k->head.ra)) ||
        !take(in, k->head.root.octets, MERKLE_HASH) || !take_number(in, &k->head.first) ||
        !take_number(in, &k->head.size) || !take_number(in, &recorded) || !take(in, &length, 1) ||
        in->n < length || k->head.size == 0) {
        return false;
    }
    k->recorded = (time_t)recorded;
    k->ra = mem_zalloc((size_t)length + 1, 1);
    return take(in, k->ra, length);
}

static void
heads_state(struct audit_attested *a, struct state *s)
{
    CLEANUP(buf_free) struct buf all = BUF_INIT(HEADS_STATE_MAX);
    struct span rest;
    struct err e;

    for (const struct known *k = s->saves ? a->oldest : NULL; k != NULL; k = k->newer) {
        if (head_put(k, &all, &e) != 0) {
            state_spoil(s);
            return;
        }
    }
    state_buf(s, "heads", &all, HEADS_STATE_MAX);
    rest = s->saves ? span_of(NULL, 0) : buf_span(&all);
    while (rest.n > 0) {
        struct known *one = mem_new(sizeof(*one));

        if (!head_take(&rest, one)) {
            known_free(one);
            state_spoil(s);
            return;
        }
        keep(a, one);
    }
}

void
audit_attested_state(struct audit_attested *a, struct state *s)
{
    audit_holders_state(a->ras, s);
    state_chars(s, "issuer", a->issuer, sizeof(a->issuer));
    state_int(s, "version", &a->version);
    state_size(s, "twice", &a->twice);
    heads_state(a, s);
}
