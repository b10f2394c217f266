/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tlog/queue_head.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ossl.h"

#define MAGIC "nfpki-queue-head/v1\n"

enum { HEX_SIZE = 2 * QUEUE_HEAD_ID + 1 };

/* ---- the text ---- */

static int
check(const struct queue_head *h, struct err *e)
{
    if (h->first == 0 || h->first > INT64_MAX - QUEUE_HEAD_SIZE_MAX) {
        return err_set(e, ERR_INPUT, "queue head: first is not 1 to 2^63");
    }
    if (h->size == 0 || h->size > QUEUE_HEAD_SIZE_MAX) {
        return err_set(e, ERR_INPUT, "queue head: size is not 1 to %d", QUEUE_HEAD_SIZE_MAX);
    }
    return h->time >= 0 && h->time <= QUEUE_HEAD_TIME_MAX
               ? 0
               : err_set(e, ERR_INPUT, "queue head: time is before 1970 or after 9999");
}

int
queue_head_format(const struct queue_head *h, struct buf *out, struct err *e)
{
    char ra[HEX_SIZE];
    char ca[HEX_SIZE];
    char root[HEX_SIZE];
    char previous[HEX_SIZE];
    char time[TIME_TEXT_SIZE];
    char text[QUEUE_HEAD_TEXT_MAX];
    int n;

    if (check(h, e) != 0) {
        return -1;
    }
    hex_format(span_of(h->ra, sizeof(h->ra)), ra);
    hex_format(span_of(h->ca, sizeof(h->ca)), ca);
    hex_format(span_of(h->root.octets, MERKLE_HASH), root);
    hex_format(span_of(h->previous, sizeof(h->previous)), previous);
    time_format(h->time, time);
    n = snprintf(text, sizeof(text),
                 MAGIC "ra %s\nca %s\nfirst %" PRIu64 "\nsize %" PRIu64 "\nroot %s\nprevious %s\n"
                       "time %s\n",
                 ra, ca, h->first, h->size, root, previous, time);
    return buf_set(out, span_of(text, (size_t)n), e);
}

/* The value of the line `name value`; *rest goes behind it. */
static const char *
take(char **rest, const char *name, struct err *e)
{
    const size_t n = strlen(name);
    char *line = *rest;
    char *end = strchr(line, '\n');

    if (end == NULL || strncmp(line, name, n) != 0 || line[n] != ' ') {
        (void)err_set(e, ERR_INPUT, "queue head: no line '%s' where it belongs", name);
        return NULL;
    }
    *end = '\0';
    *rest = end + 1;
    return line + n + 1;
}

static int
take_hash(char **rest, const char *name, uint8_t out[QUEUE_HEAD_ID], struct err *e)
{
    const char *value = take(rest, name, e);

    if (value == NULL) {
        return -1;
    }
    return hex_parse(value, out, QUEUE_HEAD_ID, e) == 0
               ? 0
               : err_set(e, ERR_INPUT, "queue head: %s is not %d hex digits", name,
                         2 * QUEUE_HEAD_ID);
}

static int
take_number(char **rest, const char *name, uint64_t *out, struct err *e)
{
    const char *value = take(rest, name, e);

    if (value == NULL) {
        return -1;
    }
    *out = strtoull(value, NULL, 10); /* what does not come out as it was is refused at the end */
    return 0;
}

static int
take_lines(char *rest, struct queue_head *h, struct err *e)
{
    const char *time;

    if (take_hash(&rest, "ra", h->ra, e) != 0 || take_hash(&rest, "ca", h->ca, e) != 0 ||
        take_number(&rest, "first", &h->first, e) != 0 ||
        take_number(&rest, "size", &h->size, e) != 0 ||
        take_hash(&rest, "root", h->root.octets, e) != 0 ||
        take_hash(&rest, "previous", h->previous, e) != 0) {
        return -1;
    }
    time = take(&rest, "time", e);
    if (time == NULL) {
        return -1;
    }
    return time_parse(time, &h->time, e) == 0 ? check(h, e) : err_wrap(e, "queue head: time");
}

int
queue_head_parse(struct span text, struct queue_head *h, struct err *e)
{
    CLEANUP(buf_free) struct buf again = BUF_INIT(QUEUE_HEAD_TEXT_MAX);
    const size_t magic = sizeof(MAGIC) - 1;
    char copy[QUEUE_HEAD_TEXT_MAX + 1];

    if (text.n <= magic || text.n > QUEUE_HEAD_TEXT_MAX || memcmp(text.p, MAGIC, magic) != 0) {
        return err_set(e, ERR_INPUT, "queue head: does not begin as one, or is too long");
    }
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    if (take_lines(copy + magic, h, e) != 0 || queue_head_format(h, &again, e) != 0) {
        return -1;
    }
    /* There is one way to write it. */
    return span_equal(buf_span(&again), text)
               ? 0
               : err_set(e, ERR_INPUT, "queue head: not written as it must be");
}

/* ---- the tree ---- */

static int
check_leaves(struct span leaves, struct err *e)
{
    return leaves.n > 0 && leaves.n % MERKLE_HASH == 0 &&
                   leaves.n / MERKLE_HASH <= QUEUE_HEAD_SIZE_MAX
               ? 0
               : err_set(e, ERR_INPUT, "queue head: %zu octets of leaf hashes", leaves.n);
}

static struct merkle_hash
leaf_at(struct span leaves, uint64_t index)
{
    struct merkle_hash out;

    memcpy(out.octets, leaves.p + index * MERKLE_HASH, MERKLE_HASH);
    return out;
}

/* The root over some of them, which are checked. */
static int
hash_leaves(struct span leaves, uint64_t from, uint64_t to, struct merkle_hash *out, struct err *e)
{
    struct merkle_edge edge = {0};

    for (uint64_t i = from; i < to; i++) {
        const struct merkle_hash leaf = leaf_at(leaves, i);

        if (merkle_append(&edge, &leaf, NULL, NULL, e) != 0) {
            return -1;
        }
    }
    *out = merkle_root(&edge);
    return 0;
}

/* Any full subtree: they are few enough to be hashed again. */
static int
get(void *arg, unsigned level, uint64_t index, struct merkle_hash *out, struct err *e)
{
    const struct span *leaves = arg;

    return hash_leaves(*leaves, index << level, (index + 1) << level, out, e);
}

int
queue_head_root(struct span leaves, struct merkle_hash *root, struct err *e)
{
    return check_leaves(leaves, e) != 0 ? -1
                                        : hash_leaves(leaves, 0, leaves.n / MERKLE_HASH, root, e);
}

int
queue_head_path(struct span leaves, uint64_t index, struct buf *path, struct err *e)
{
    struct merkle_proof proof;

    if (check_leaves(leaves, e) != 0 ||
        merkle_prove_inclusion(index, leaves.n / MERKLE_HASH, get, &leaves, &proof, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < proof.n; i++) {
        if (buf_append(path, span_of(proof.hashes[i].octets, MERKLE_HASH), e) != 0) {
            return -1;
        }
    }
    return 0;
}

int
queue_head_covers(const struct queue_head *h, struct span entry, uint64_t index, struct span path,
                  struct err *e)
{
    const struct merkle_hash leaf = merkle_leaf(entry);
    struct merkle_proof proof = {.n = path.n / MERKLE_HASH};

    if (path.n > QUEUE_HEAD_PATH_MAX || path.n % MERKLE_HASH != 0) {
        return err_set(e, ERR_CRYPTO, "queue entry: a path of %zu octets", path.n);
    }
    for (size_t i = 0; i < proof.n; i++) {
        memcpy(proof.hashes[i].octets, path.p + i * MERKLE_HASH, MERKLE_HASH);
    }
    return merkle_verify_inclusion(index, h->size, &leaf, &proof, &h->root, e) == 0
               ? 0
               : err_wrap(e, "queue entry");
}
