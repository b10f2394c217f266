/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/proof.h"

#include <inttypes.h>
#include <string.h>

#include "base/ossl.h"

#define FIRST_LINE "c2sp.org/tlog-proof@v1\n"

enum { INDEX_DIGITS = 18, DECIMAL = 10 };

int
proof_format(struct span leaf, uint64_t index, const struct merkle_proof *path, struct span note,
             struct buf *out, struct err *e)
{
    CLEANUP(mem_cleanup) char *extra = base64_dup(leaf);
    CLEANUP(mem_cleanup)
    char *head = mem_printf(FIRST_LINE "extra %s\nindex %" PRIu64 "\n", extra, index);
    int result = buf_append_str(out, head, e);

    for (size_t i = 0; result == 0 && i < path->n; i++) {
        CLEANUP(mem_cleanup) char *hash = base64_dup(span_of(path->hashes[i].octets, MERKLE_HASH));
        CLEANUP(mem_cleanup) char *line = mem_printf("%s\n", hash);

        result = buf_append_str(out, line, e);
    }
    return result != 0 || buf_append_str(out, "\n", e) != 0 || buf_append(out, note, e) != 0 ? -1
                                                                                             : 0;
}

/* ---- reading ---- */

void
proof_free(struct proof *proof)
{
    leaf_free(proof->leaf);
    *proof = (struct proof){0};
}

/* The text of the next line, which ends with a line break, without what it begins with; owned. NULL
 * when it is another one. */
static char *
take_line(struct span *in, const char *begin)
{
    const uint8_t *end = in->n == 0 ? NULL : memchr(in->p, '\n', in->n);
    const size_t skip = strlen(begin);
    size_t n;
    char *text;

    if (end == NULL) {
        return NULL;
    }
    n = (size_t)(end - in->p);
    if (n < skip || memcmp(in->p, begin, skip) != 0 || memchr(in->p, '\0', n) != NULL) {
        return NULL;
    }
    text = mem_printf("%.*s", (int)(n - skip), (const char *)in->p + skip);
    *in = span_of(end + 1, in->n - n - 1);
    return text;
}

static int
take_index(struct span *in, uint64_t *out)
{
    CLEANUP(mem_cleanup) char *text = take_line(in, "index ");
    size_t n = text == NULL ? 0 : strspn(text, "0123456789");

    if (n == 0 || n > INDEX_DIGITS || text[n] != '\0' || (text[0] == '0' && n > 1)) {
        return -1;
    }
    *out = 0;
    for (size_t i = 0; i < n; i++) {
        *out = DECIMAL * *out + (uint64_t)(text[i] - '0');
    }
    return 0;
}

static int
take_octets(struct span *in, const char *begin, struct buf *out, struct err *e)
{
    CLEANUP(mem_cleanup) char *text = take_line(in, begin);

    return text == NULL ? err_set(e, ERR_INPUT, "no line \"%s...\"", begin)
                        : base64_parse(text, out, e);
}

/* The hashes, and the empty line behind them. */
static int
take_path(struct span *in, struct merkle_proof *path, struct err *e)
{
    while (in->n > 0 && in->p[0] != '\n') {
        CLEANUP(buf_free) struct buf hash = BUF_INIT(2 * MERKLE_HASH);

        if (path->n == MERKLE_PROOF_MAX || take_octets(in, "", &hash, e) != 0 ||
            hash.n != MERKLE_HASH) {
            return err_set(e, ERR_INPUT, "a line that is no hash, or too many of them");
        }
        memcpy(path->hashes[path->n++].octets, hash.p, MERKLE_HASH);
    }
    if (in->n == 0) {
        return err_set(e, ERR_INPUT, "no checkpoint");
    }
    *in = span_of(in->p + 1, in->n - 1);
    return 0;
}

static int
read_text(struct span in, struct proof *proof, struct buf *body, struct merkle_proof *path,
          struct span *note, struct err *e)
{
    const size_t first = strlen(FIRST_LINE);

    if (in.n > PROOF_MAX || in.n < first || memcmp(in.p, FIRST_LINE, first) != 0) {
        return err_set(e, ERR_INPUT, "its first line is not that of a C2SP tlog-proof");
    }
    in = span_of(in.p + first, in.n - first);
    if (take_octets(&in, "extra ", body, e) != 0) {
        return -1;
    }
    if (take_index(&in, &proof->index) != 0) {
        return err_set(e, ERR_INPUT, "no line \"index N\" behind its leaf");
    }
    if (take_path(&in, path, e) != 0) {
        return -1;
    }
    *note = in;
    return 0;
}

int
proof_open(const struct log_key *key, struct span text, struct proof *proof, struct err *e)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(LEAF_MAX + MERKLE_HASH);
    struct merkle_proof path = {0};
    struct merkle_hash hash;
    struct span note;

    if (read_text(text, proof, &body, &path, &note, e) != 0) {
        return err_wrap(e, "proof");
    }
    hash = merkle_leaf(buf_span(&body));
    if (checkpoint_open(key, note, &proof->checkpoint, e) != 0 ||
        merkle_verify_inclusion(proof->index, proof->checkpoint.size, &hash, &path,
                                &proof->checkpoint.root, e) != 0) {
        return -1;
    }
    memcpy(proof->key, key->id, sizeof(proof->key));
    proof->leaf = leaf_parse(buf_span(&body), e);
    return proof->leaf == NULL ? err_wrap(e, "the leaf of the proof") : 0;
}
