/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/rules/attested.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "db/audit/der/queue_entry.h"
#include "db/audit/rules/heads.h"
#include "db/audit/rules/ra_signed.h"

enum {
    ATTESTED = 2,                /* the version of the record from which on there are heads, */
    MADE = 3,                    /* and REQUEST says when it was made */
    WINDOW_MAX_S = 24 * 60 * 60, /* of message_time_window, nfpki-ca.conf(5) */
};

struct audit_attested {
    struct audit_holders *ras;
    struct audit_heads *heads;
    char issuer[2 * SHA256_SIZE + 1]; /* of the last START */
    int64_t version;                  /* of the record, at this leaf */
};

void
audit_attested_free(struct audit_attested *a)
{
    if (a == NULL) {
        return;
    }
    audit_heads_free(a->heads);
    audit_holders_free(a->ras);
    mem_free(a);
}

struct audit_attested *
audit_attested_new(void)
{
    struct audit_attested *a = mem_new(sizeof(*a));

    a->ras = audit_holders_new("ra-cmp");
    a->heads = audit_heads_new();
    return a;
}

size_t
audit_attested_twice(const struct audit_attested *a)
{
    return audit_heads_twice(a->heads);
}

/* ---- heads ---- */

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
    audit_heads_add(a->heads, &h, hash, leaf_time(leaf), leaf_text(leaf, "ra"));
    return 0;
}

/* ---- what rests on them ---- */

/* The head that the leaf names; NULL + e. */
static const struct audit_head *
rests_on(struct audit_attested *a, const struct leaf *leaf, const char *rid, struct err *e)
{
    const char *kind = leaf_kind_name(leaf_kind(leaf));
    const uint64_t place = (uint64_t)leaf_int(leaf, "qseq", 0);
    uint8_t hash[SHA256_SIZE];
    const struct audit_head *k = NULL;

    if (hex_parse(leaf_text(leaf, "head"), hash, sizeof(hash), e) == 0) {
        k = audit_heads_find(a->heads, hash);
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
    const struct audit_head *k = rests_on(a, leaf, rid, e);

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

void
audit_attested_state(struct audit_attested *a, struct state *s)
{
    audit_holders_state(a->ras, s);
    state_chars(s, "issuer", a->issuer, sizeof(a->issuer));
    state_int(s, "version", &a->version);
    audit_heads_state(a->heads, s);
}
