/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/client/protocol.h"

#include <string.h>

#include "pkcs11/client/attempted.h"
#include "pkcs11/client/client.h"

_Static_assert((int)ATTEMPTED_MAX == (int)SIGNER_ANSWER_MAX - (int)SIGNER_FRAME_HEAD,
               "an answer fits into its frame");

bool
signer_is_attempt(enum signer_object object)
{
    switch (object) {
    case SIGNER_CERTIFICATE:
    case SIGNER_CRL:
    case SIGNER_CHECKPOINT:
    case SIGNER_CMP:
    case SIGNER_QUEUE_HEAD:
    case SIGNER_RA_REPORT:
        return true;
    case SIGNER_LAST:
    case SIGNER_ANCHOR:
    case SIGNER_ATTEMPTED:
    case SIGNER_SEAL:
        break;
    }
    return false;
}

void
signer_number_put(uint8_t out[SIGNER_NUMBER_SIZE], uint64_t number)
{
    for (size_t i = 0; i < SIGNER_NUMBER_SIZE; i++) {
        out[i] = (uint8_t)(number >> (56 - 8 * i));
    }
}

uint64_t
signer_number_get(const uint8_t in[SIGNER_NUMBER_SIZE])
{
    uint64_t number = 0;

    for (size_t i = 0; i < SIGNER_NUMBER_SIZE; i++) {
        number = number << 8 | in[i];
    }
    return number;
}

static int
append_length(struct buf *out, size_t n, struct err *e)
{
    const uint8_t octets[SIGNER_OBJECT_LENGTH] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16),
                                                  (uint8_t)(n >> 8), (uint8_t)n};

    return buf_append(out, span_of(octets, sizeof(octets)), e);
}

int
signer_frame_encode(const struct signer_frame *frame, struct buf *out, struct err *e)
{
    uint8_t head[SIGNER_FRAME_HEAD];

    head[0] = (uint8_t)frame->type;
    head[1] = frame->detail;
    signer_number_put(head + 2, frame->number);
    if (buf_set(out, span_of(head, sizeof(head)), e) != 0 ||
        (frame->type == SIGNER_SIGN && append_length(out, frame->bytes.n, e) != 0) ||
        buf_append(out, frame->bytes, e) != 0) {
        return -1;
    }
    return frame->type == SIGNER_SIGN ? buf_append(out, frame->evidence, e) : 0;
}

/* Cuts what is behind the object off it. */
static int
split_sign(struct signer_frame *frame, struct err *e)
{
    struct span rest = frame->bytes;
    size_t n = 0;

    if (rest.n < SIGNER_OBJECT_LENGTH) {
        return err_set(e, ERR_INPUT, "a SIGN without the length of its object");
    }
    for (size_t i = 0; i < SIGNER_OBJECT_LENGTH; i++) {
        n = n << 8 | rest.p[i];
    }
    rest = span_of(rest.p + SIGNER_OBJECT_LENGTH, rest.n - SIGNER_OBJECT_LENGTH);
    if (n > rest.n) {
        return err_set(e, ERR_INPUT, "a SIGN whose object is longer than the frame");
    }
    frame->bytes = span_of(rest.p, n);
    frame->evidence = span_of(rest.p + n, rest.n - n);
    return 0;
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
    out->number = signer_number_get(body.p + 2);
    out->bytes = span_of(body.p + SIGNER_FRAME_HEAD, body.n - SIGNER_FRAME_HEAD);
    return out->type == SIGNER_SIGN ? split_sign(out, e) : 0;
}
