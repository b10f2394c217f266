/* SPDX-License-Identifier: Apache-2.0 */
#include "db/ledger/messages.h"

#include <string.h>

#include "db/ledger/subject.h"

enum { LEAF_LENGTH = 2, LENGTH = 4 };

static const struct {
    const char *kind;
    enum leaf_kind number;
    const char *member;
    const char *unless; /* a leaf with this member names none */
} naming[] = {
    {"REQUEST", LEAF_REQUEST, "rid", NULL},         {"CONFIRMED", LEAF_CONFIRMED, "certConf", NULL},
    {"INTENT", LEAF_INTENT, "rid", "registration"}, /* else its REQUEST does */
    {"REFUSAL", LEAF_REFUSAL, "rid", NULL},         {"REJECTED", LEAF_REJECTED, "certConf", NULL},
    {"REVOKED", LEAF_REVOKED, "rr", NULL},          {"AGAIN", LEAF_AGAIN, "again", NULL},
};

static bool
take_hash(struct span hex, uint8_t hash[SHA256_SIZE])
{
    char text[2 * SHA256_SIZE + 1] = "";

    if (hex.n != sizeof(text) - 1) {
        return false;
    }
    memcpy(text, hex.p, hex.n);
    return hex_parse(text, hash, SHA256_SIZE, &(struct err){0}) == 0;
}

bool
message_named(struct span leaf, struct message *out)
{
    const struct span kind = subject_text(leaf, "kind");

    for (size_t i = 0; i < ARRAY_LEN(naming); i++) {
        if (span_equal(kind, span_str(naming[i].kind))) {
            *out = (struct message){.kind = naming[i].number};
            return take_hash(subject_text(leaf, naming[i].member), out->sha256) &&
                   (naming[i].unless == NULL || subject_text(leaf, naming[i].unless).n == 0);
        }
    }
    return false;
}

/* ---- a file beside its leaves ---- */

static int
take_leaf(struct messages *m, struct span *leaf, struct err *e)
{
    const size_t n =
        m->entries.n < LEAF_LENGTH ? 0 : (size_t)m->entries.p[0] << 8 | m->entries.p[1];

    if (n == 0 || m->entries.n - LEAF_LENGTH < n) {
        return err_set(e, ERR_INPUT, "entry %u is cut", m->at);
    }
    *leaf = span_of(m->entries.p + LEAF_LENGTH, n);
    m->entries = span_of(leaf->p + n, m->entries.n - LEAF_LENGTH - n);
    m->at++;
    return 0;
}

int
message_take(struct span *file, struct message *m, struct err *e)
{
    const uint8_t *p = file->p;
    uint8_t hash[SHA256_SIZE];
    size_t n;

    n = file->n < LENGTH ? SIZE_MAX
                         : (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
    if (n > MESSAGE_MAX || file->n - LENGTH < n) {
        return err_set(e, ERR_CRYPTO, "the message that entry %u names is cut", m->leaf);
    }
    m->octets = span_of(p + LENGTH, n);
    *file = span_of(p + LENGTH + n, file->n - LENGTH - n);
    if (n == 0) {
        return 0;
    }
    if (sha256(m->octets, hash, e) != 0) {
        return -1;
    }
    if (memcmp(hash, m->sha256, sizeof(hash)) != 0) {
        m->octets = span_of(NULL, 0);
        return err_set(e, ERR_CRYPTO, "the message that entry %u names is another one", m->leaf);
    }
    return 0;
}

int
messages_next(struct messages *m, struct message *out, bool *more, struct err *e)
{
    *more = false;
    while (m->entries.n > 0 && (m->to == 0 || m->at < m->to)) {
        struct span leaf;

        if (take_leaf(m, &leaf, e) != 0) {
            return -1;
        }
        if (message_named(leaf, out)) {
            *more = true;
            out->leaf = m->at - 1;
            return message_take(&m->file, out, e);
        }
    }
    return 0;
}

int
messages_put(struct buf *file, struct span octets, struct err *e)
{
    const uint8_t length[LENGTH] = {(uint8_t)(octets.n >> 24), (uint8_t)(octets.n >> 16),
                                    (uint8_t)(octets.n >> 8), (uint8_t)octets.n};

    if (octets.n > MESSAGE_MAX) {
        return err_set(e, ERR_INPUT, "a message of %zu octets, published are up to %d", octets.n,
                       MESSAGE_MAX);
    }
    return buf_append(file, span_of(length, sizeof(length)), e) != 0 ? -1
                                                                     : buf_append(file, octets, e);
}
