/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/rules/restored.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "base/tlog/checkpoint.h"
#include "db/audit/rules/acknowledged.h"
#include "db/audit/rules/ending.h"
#include "db/audit/rules/officers.h"

struct audit_restored {
    struct audit_holders *officers;
    struct merkle_edge edge; /* of the leaves before */
    int64_t to_adopt;        /* ADOPTED that the last RESTORED said, and did not come yet */
    char adopted[2 * AUDIT_SERIAL_MAX + 1]; /* serial of the leaf before, when it is ADOPTED */
};

void
audit_restored_free(struct audit_restored *r)
{
    if (r != NULL) {
        audit_holders_free(r->officers);
        mem_free(r);
    }
}

struct audit_restored *
audit_restored_new(void)
{
    struct audit_restored *r = mem_new(sizeof(*r));

    r->officers = audit_holders_new("officer");
    return r;
}

static bool
is_new_log(const struct leaf *leaf)
{
    return leaf_text(leaf, "previousCheckpoint") != NULL;
}

static int
place_check(const struct audit_restored *r, const struct leaf *leaf, struct err *e)
{
    const struct merkle_hash root = merkle_root(&r->edge);
    char hex[2 * MERKLE_HASH + 1];

    hex_format(span_of(root.octets, sizeof(root.octets)), hex);
    if (leaf_int(leaf, "to", -1) != (int64_t)r->edge.size ||
        leaf_int(leaf, "from", -1) >= leaf_int(leaf, "to", -1) + (is_new_log(leaf) ? 1 : 0)) {
        return err_set(e, ERR_CRYPTO,
                       "a RESTORED of leaves %" PRId64 " to %" PRId64 " behind %" PRIu64 " leaves",
                       leaf_int(leaf, "from", -1), leaf_int(leaf, "to", -1) - 1, r->edge.size);
    }
    return strcmp(hex, leaf_text(leaf, "root")) == 0
               ? 0
               : err_set(e, ERR_CRYPTO,
                         "a RESTORED has another root than the leaves that were read back");
}

/* The old log's key signed a checkpoint over the leaves before, and perhaps over more. */
static int
previous_check(const struct leaf *leaf, struct err *e)
{
    CLEANUP(buf_free) struct buf spki = BUF_INIT(LEAF_MAX);
    CLEANUP(buf_free) struct buf note = BUF_INIT(LEAF_MAX);
    CLEANUP(log_key_free) struct log_key key = {0};
    const char *origin = leaf_text(leaf, "previousOrigin");
    const char *octets = leaf_text(leaf, "previousKey");
    struct checkpoint checkpoint;
    char hex[2 * MERKLE_HASH + 1];

    if (origin == NULL || octets == NULL || leaf_text(leaf, "signedRoot") == NULL ||
        base64_parse(octets, &spki, e) != 0 ||
        base64_parse(leaf_text(leaf, "previousCheckpoint"), &note, e) != 0 ||
        log_key_set(&key, origin, buf_span(&spki), e) != 0 ||
        checkpoint_open(&key, buf_span(&note), &checkpoint, e) != 0) {
        return err_set(e, ERR_CRYPTO, "a RESTORED whose previous log is not named as it must be");
    }
    hex_format(span_of(checkpoint.root.octets, sizeof(checkpoint.root.octets)), hex);
    return (int64_t)checkpoint.size == leaf_int(leaf, "to", -1) &&
                   strcmp(hex, leaf_text(leaf, "root")) == 0 &&
                   leaf_int(leaf, "signed", -1) >= leaf_int(leaf, "to", -1)
               ? 0
               : err_set(e, ERR_CRYPTO,
                         "a RESTORED behind other leaves than the previous log's checkpoint has");
}

/* The plan that was signed is of these leaves. */
static int
plan_check(const void *arg, struct span content, const struct leaf *leaf, struct err *e)
{
    json_t *plan = json_loadb((const char *)content.p, content.n, JSON_REJECT_DUPLICATES, NULL);
    const char *kind = json_string_value(json_object_get(plan, "kind"));
    const json_t *log = json_object_get(plan, "log");
    const json_t *leaves = json_object_get(log, "leaves");
    const char *root = json_string_value(json_object_get(log, "root"));
    const bool fits = kind != NULL && strcmp(kind, "restore") == 0 && root != NULL &&
                      strcmp(root, leaf_text(leaf, "root")) == 0 && json_is_integer(leaves) &&
                      json_integer_value(leaves) == leaf_int(leaf, "to", -1);

    (void)arg;
    json_decref(plan);
    return fits ? 0
                : err_set(e, ERR_CRYPTO,
                          "the officers signed something else than what was restored");
}

static int
restored_check(const struct audit_restored *r, const struct leaf *leaf, struct err *e)
{
    return place_check(r, leaf, e) != 0 || (is_new_log(leaf) && previous_check(leaf, e) != 0)
               ? -1
               : audit_officers_check(r->officers, leaf, plan_check, NULL, e);
}

/* As many as RESTORED says, before anything else begins. */
static int
adopted_check(struct audit_restored *r, const struct leaf *leaf, struct err *e)
{
    const char *serial = leaf_text(leaf, "serial");

    if (r->to_adopt == 0 || strlen(serial) >= sizeof(r->adopted)) {
        return err_set(e, ERR_CRYPTO, "an ADOPTED for serial %s that no RESTORED speaks of",
                       serial);
    }
    r->to_adopt--;
    return 0;
}

static int
start_check(const struct audit_restored *r, struct err *e)
{
    return r->to_adopt == 0
               ? 0
               : err_set(e, ERR_CRYPTO, "a RESTORED that %" PRId64 " more ADOPTED must follow",
                         r->to_adopt);
}

/* What is adopted is not of the time of its leaf. */
static int
intent_check(const struct audit_restored *r, const struct leaf *leaf, struct err *e)
{
    const bool adopts = strcmp(leaf_text(leaf, "profile"), "adopted") == 0;

    return !adopts || audit_restored_adopts(r, leaf)
               ? 0
               : err_set(e, ERR_CRYPTO, "an INTENT of profile adopted without an ADOPTED");
}

bool
audit_restored_adopts(const struct audit_restored *r, const struct leaf *leaf)
{
    return r->adopted[0] != '\0' && strcmp(r->adopted, leaf_text(leaf, "serial")) == 0;
}

static int
kind_check(struct audit_restored *r, const struct leaf *leaf, struct err *e)
{
    const enum leaf_kind kind = leaf_kind(leaf);

    return kind == LEAF_RESTORED       ? restored_check(r, leaf, e)
           : kind == LEAF_ADOPTED      ? adopted_check(r, leaf, e)
           : kind == LEAF_START        ? start_check(r, e)
           : kind == LEAF_INTENT       ? intent_check(r, leaf, e)
           : kind == LEAF_ACKNOWLEDGED ? audit_acknowledged_check(r->officers, &r->edge, leaf, e)
                                       : 0;
}

int
audit_restored_check(struct audit_restored *r, const struct leaf *leaf, struct err *e)
{
    struct merkle_hash hash;

    if (kind_check(r, leaf, e) != 0 || audit_holders_note(r->officers, leaf, e) != 0) {
        return -1;
    }
    if (leaf_kind(leaf) == LEAF_RESTORED) {
        r->to_adopt = leaf_int(leaf, "adopted", 0);
    }
    (void)snprintf(r->adopted, sizeof(r->adopted), "%s",
                   leaf_kind(leaf) == LEAF_ADOPTED ? leaf_text(leaf, "serial") : "");
    memcpy(hash.octets, leaf_hash(leaf), sizeof(hash.octets));
    return merkle_append(&r->edge, &hash, NULL, NULL, e);
}

/* ---- state ---- */

static void
edge_state(struct merkle_edge *edge, struct state *s)
{
    uint64_t n = state_length(s, "subtrees", edge->n);

    state_number(s, "size", &edge->size);
    if (n > MERKLE_LEVELS || n != (uint64_t)__builtin_popcountll(edge->size)) {
        n = 0;
        state_spoil(s);
    }
    edge->n = (unsigned)n;
    for (size_t i = 0; i < n; i++) {
        struct state one = state_element(s, "subtrees", i);

        state_octets(&one, "hash", edge->subtrees[i].octets, MERKLE_HASH);
    }
}

void
audit_restored_state(struct audit_restored *r, struct state *s)
{
    struct state edge = state_object(s, "edge");

    audit_holders_state(r->officers, s);
    edge_state(&r->edge, &edge);
    state_int(s, "toAdopt", &r->to_adopt);
    state_chars(s, "adopted", r->adopted, sizeof(r->adopted));
}
