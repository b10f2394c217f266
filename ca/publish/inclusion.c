/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/publish/inclusion.h"

#include "pkcs11/client/evidence.h"

int
inclusion_prove(struct store_db *db, uint64_t index, struct span note, uint64_t size,
                struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf leaf = BUF_INIT(EVIDENCE_LEAF_MAX);
    CLEANUP(buf_free) struct buf path = BUF_INIT(EVIDENCE_PATH_MAX);
    struct evidence v = {.note = note, .index = index};

    if (ledger_prove(db, index, size, &leaf, &path, e) != 0) {
        return -1;
    }
    v.leaf = buf_span(&leaf);
    v.path = buf_span(&path);
    buf_free(out);
    *out = BUF_INIT(EVIDENCE_MAX);
    return evidence_encode(&v, out, e);
}
