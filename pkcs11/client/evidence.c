/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/client/evidence.h"

#include <string.h>

#include "pkcs11/client/client.h"

enum { LENGTH = 4, INDEX = 8 };

static int
append_number(struct buf *out, uint64_t number, size_t n_octets, struct err *e)
{
    uint8_t octets[INDEX];

    for (size_t i = 0; i < n_octets; i++) {
        octets[i] = (uint8_t)(number >> 8 * (n_octets - 1 - i));
    }
    return buf_append(out, span_of(octets, n_octets), e);
}

static int
append_counted(struct buf *out, struct span bytes, struct err *e)
{
    return append_number(out, bytes.n, LENGTH, e) != 0 ? -1 : buf_append(out, bytes, e);
}

static int
check_sizes(const struct evidence *v, struct err *e)
{
    if (v->note.n > EVIDENCE_NOTE_MAX || v->leaf.n > EVIDENCE_LEAF_MAX ||
        v->path.n > EVIDENCE_PATH_MAX || v->path.n % EVIDENCE_HASH != 0) {
        return err_set(e, ERR_INPUT,
                       "evidence: a checkpoint of %zu, a leaf of %zu, a path of %zu "
                       "octets",
                       v->note.n, v->leaf.n, v->path.n);
    }
    return 0;
}

int
growth_encode(const struct growth *g, struct buf *out, struct err *e)
{
    buf_truncate(out, 0);
    return append_number(out, g->from, INDEX, e) != 0 ? -1 : buf_append(out, g->hashes, e);
}

int
signed_last_encode(const struct signed_last *last, struct buf *out, struct err *e)
{
    buf_truncate(out, 0);
    return append_number(out, last->size, INDEX, e) != 0
               ? -1
               : buf_append(out, span_of(last->root, sizeof(last->root)), e);
}

int
evidence_encode(const struct evidence *v, struct buf *out, struct err *e)
{
    buf_truncate(out, 0);
    if (check_sizes(v, e) != 0 || append_counted(out, v->note, e) != 0 ||
        append_number(out, v->index, INDEX, e) != 0 || append_counted(out, v->leaf, e) != 0) {
        return -1;
    }
    return buf_append(out, v->path, e);
}

static bool
take_number(struct span *in, size_t n_octets, uint64_t *number)
{
    *number = 0;
    if (in->n < n_octets) {
        return false;
    }
    for (size_t i = 0; i < n_octets; i++) {
        *number = *number << 8 | in->p[i];
    }
    *in = span_of(in->p + n_octets, in->n - n_octets);
    return true;
}

static bool
take_counted(struct span *in, struct span *bytes)
{
    uint64_t n;

    if (!take_number(in, LENGTH, &n) || n > in->n) {
        return false;
    }
    *bytes = span_of(in->p, n);
    *in = span_of(in->p + n, in->n - n);
    return true;
}

int
evidence_decode(struct span in, struct evidence *v, struct err *e)
{
    if (!take_counted(&in, &v->note) || !take_number(&in, INDEX, &v->index) ||
        !take_counted(&in, &v->leaf)) {
        return err_set(e, ERR_INPUT, "evidence: not a checkpoint, an index, a leaf and a path");
    }
    v->path = in;
    return check_sizes(v, e);
}

int
growth_decode(struct span in, struct growth *g, struct err *e)
{
    if (!take_number(&in, INDEX, &g->from) || in.n % EVIDENCE_HASH != 0) {
        return err_set(e, ERR_INPUT, "evidence: not a size and whole hashes");
    }
    g->hashes = in;
    return 0;
}

int
signed_last_decode(struct span in, struct signed_last *last, struct err *e)
{
    if (!take_number(&in, INDEX, &last->size) || in.n != EVIDENCE_HASH) {
        return err_set(e, ERR_INPUT, "the signer's last checkpoint: not a size and a hash");
    }
    memcpy(last->root, in.p, EVIDENCE_HASH);
    return 0;
}

int
signer_anchored_encode(const struct signer_anchored *a, struct buf *out, struct err *e)
{
    buf_truncate(out, 0);
    return append_number(out, a->generation, INDEX, e) != 0 ? -1
                                                            : append_number(out, a->size, INDEX, e);
}

int
signer_anchored_decode(struct span in, struct signer_anchored *a, struct err *e)
{
    if (!take_number(&in, INDEX, &a->generation) || !take_number(&in, INDEX, &a->size) ||
        in.n != 0) {
        return err_set(e, ERR_INPUT, "the signer's anchor: not two numbers");
    }
    return 0;
}
