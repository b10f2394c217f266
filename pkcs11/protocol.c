/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/protocol.h"

#include <string.h>

int
signer_frame_encode(const struct signer_frame *frame, struct buf *out, struct err *e)
{
    uint8_t head[SIGNER_FRAME_HEAD];

    head[0] = (uint8_t)frame->type;
    head[1] = frame->detail;
    for (size_t i = 0; i < 8; i++) {
        head[2 + i] = (uint8_t)(frame->number >> (56 - 8 * i));
    }
    if (buf_set(out, span_of(head, sizeof(head)), e) != 0) {
        return -1;
    }
    return buf_append(out, frame->bytes, e);
}

int
signer_frame_decode(struct span body, struct signer_frame *out, struct err *e)
{
    memset(out, 0, sizeof(*out));
    if (body.n < SIGNER_FRAME_HEAD) {
        return err_set(e, ERR_INPUT, "a frame of %zu octets, %d are the least", body.n,
                       SIGNER_FRAME_HEAD);
    }
    if (body.p[0] < SIGNER_HELLO || body.p[0] > SIGNER_PROVED) {
        return err_set(e, ERR_INPUT, "a frame of unknown type %u", body.p[0]);
    }
    out->type = (enum signer_frame_type)body.p[0];
    out->detail = body.p[1];
    for (size_t i = 0; i < 8; i++) {
        out->number = out->number << 8 | body.p[2 + i];
    }
    out->bytes = span_of(body.p + SIGNER_FRAME_HEAD, body.n - SIGNER_FRAME_HEAD);
    return 0;
}
