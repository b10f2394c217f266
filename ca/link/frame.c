/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/link/frame.h"

#include <arpa/inet.h>
#include <event2/buffer.h>

int
frame_next(struct evbuffer *in, size_t max, bool *there, struct span *body, struct err *e)
{
    uint32_t head;
    size_t length;
    const uint8_t *p;

    *there = false;
    if (evbuffer_copyout(in, &head, sizeof(head)) != (ssize_t)sizeof(head)) {
        return 0;
    }
    length = ntohl(head);
    if (length == 0 || length > max) {
        return err_set(e, ERR_INPUT, "a frame of %zu octets, allowed are 1 to %zu", length, max);
    }
    if (evbuffer_get_length(in) < FRAME_HEAD + length) {
        return 0;
    }
    p = evbuffer_pullup(in, (ssize_t)(FRAME_HEAD + length));
    if (p == NULL) {
        return err_set(e, ERR_IO, "no memory for a frame");
    }
    *body = span_of(p + FRAME_HEAD, length);
    *there = true;
    return 0;
}

void
frame_drop(struct evbuffer *in, size_t body_size)
{
    (void)evbuffer_drain(in, FRAME_HEAD + body_size);
}

int
frame_put(struct evbuffer *out, struct span body, struct err *e)
{
    uint32_t head = htonl((uint32_t)body.n);

    if (evbuffer_expand(out, FRAME_HEAD + body.n) != 0 ||
        evbuffer_add(out, &head, sizeof(head)) != 0 || evbuffer_add(out, body.p, body.n) != 0) {
        return err_set(e, ERR_IO, "no memory for a frame");
    }
    return 0;
}
