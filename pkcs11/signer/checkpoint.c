/* SPDX-License-Identifier: Apache-2.0 */
/* A log that never shows two histories: the size only grows, and one size has one root. */
#include <string.h>

#include "base/ossl.h"
#include "pkcs11/signer/object.h"

enum { SIZE_DIGITS_MAX = 19, ROOT_BASE64 = 44 };

/* Takes the line up to the next line break. */
static int
next_line(struct span *text, struct span *line, struct err *e)
{
    const uint8_t *end = text->n == 0 ? NULL : memchr(text->p, '\n', text->n);

    if (end == NULL) {
        return err_set(e, ERR_INPUT, "a checkpoint has three lines, each with its line break");
    }
    *line = span_of(text->p, (size_t)(end - text->p));
    *text = span_of(end + 1, text->n - line->n - 1);
    return 0;
}

/* Decimal without leading zeros (C2SP tlog-checkpoint). */
static int
parse_size(struct span line, uint64_t *out, struct err *e)
{
    *out = 0;
    if (line.n == 0 || line.n > SIZE_DIGITS_MAX || (line.n > 1 && line.p[0] == '0')) {
        return err_set(e, ERR_INPUT, "the size of a checkpoint is a decimal without leading zeros");
    }
    for (size_t i = 0; i < line.n; i++) {
        if (line.p[i] < '0' || line.p[i] > '9') {
            return err_set(e, ERR_INPUT, "the size of a checkpoint is a decimal number");
        }
        *out = *out * 10 + (uint64_t)(line.p[i] - '0');
    }
    return 0;
}

static int
parse_root(struct span line, uint8_t root[32], struct err *e)
{
    CLEANUP(buf_free) struct buf decoded = BUF_INIT(64);
    char text[ROOT_BASE64 + 1];

    if (line.n != ROOT_BASE64 || memchr(line.p, '\0', line.n) != NULL) {
        return err_set(e, ERR_INPUT, "the root hash of a checkpoint is base64 of 32 octets");
    }
    memcpy(text, line.p, line.n);
    text[line.n] = '\0';
    if (base64_parse(text, &decoded, e) != 0) {
        return err_wrap(e, "root hash");
    }
    if (decoded.n != 32) {
        return err_set(e, ERR_INPUT, "the root hash of a checkpoint is base64 of 32 octets");
    }
    memcpy(root, decoded.p, 32);
    return 0;
}

int
object_check_checkpoint(const struct policy *p, struct span text, const struct tree_head *last,
                        struct tree_head *out, struct err *e)
{
    struct span origin;
    struct span size;
    struct span root;

    if (next_line(&text, &origin, e) != 0 || next_line(&text, &size, e) != 0 ||
        next_line(&text, &root, e) != 0 || parse_size(size, &out->size, e) != 0 ||
        parse_root(root, out->root, e) != 0) {
        return -1;
    }
    if (text.n != 0) {
        return err_set(e, ERR_INPUT, "a checkpoint with extension lines is not signed");
    }
    if (!span_equal(origin, span_str(p->origin))) {
        return err_set(e, ERR_DENIED, "the origin is not '%s'", p->origin);
    }
    if (last == NULL) {
        return 0;
    }
    if (out->size < last->size) {
        return err_set(e, ERR_DENIED, "roll-back: size %llu after %llu",
                       (unsigned long long)out->size, (unsigned long long)last->size);
    }
    if (out->size == last->size && memcmp(out->root, last->root, sizeof(out->root)) != 0) {
        return err_set(e, ERR_DENIED, "fork: another root for size %llu",
                       (unsigned long long)out->size);
    }
    return 0;
}
