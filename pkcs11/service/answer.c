/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/service/answer.h"

#include "base/file.h"
#include "base/ossl.h"

enum {
    ANSWER_TIMEOUT_MS = 5000, /* the answers of a batch fit into the socket: nobody waits */
    WAITS_MS = 4,             /* since something left */
};

void
serve_gather(struct serve *s)
{
    s->gathers = true;
    s->left = clock_monotonic_ms();
}

static int
flush(struct serve *s, struct err *e)
{
    s->left = clock_monotonic_ms();
    if (s->frames.n == 0) {
        return 0;
    }
    s->its_fault = frames_write(s->fd, buf_span(&s->frames), ANSWER_TIMEOUT_MS, e) != 0;
    buf_truncate(&s->frames, 0);
    return s->its_fault ? -1 : 0;
}

/* With a token that takes long each leaves at once. */
int
serve_answer(struct serve *s, enum signer_frame_type type, uint8_t detail, uint64_t number,
             struct span bytes, struct err *e)
{
    struct signer_frame frame = {.type = type, .detail = detail, .number = number, .bytes = bytes};

    if (signer_frame_encode(&frame, &s->out, e) != 0 ||
        (s->frames.n + FRAME_LENGTH + s->out.n > s->frames.max && flush(s, e) != 0) ||
        frame_append(&s->frames, buf_span(&s->out), e) != 0) {
        return -1;
    }
    return s->gathers && clock_monotonic_ms() - s->left < WAITS_MS ? 0 : flush(s, e);
}

int
serve_end_gather(struct serve *s, struct err *e)
{
    s->gathers = false;
    return flush(s, e);
}
