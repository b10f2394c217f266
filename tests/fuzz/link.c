/* SPDX-License-Identifier: Apache-2.0 */
/* A frame's content from a peer: what is accepted must be what encoding it again gives. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "ca/link/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(buf_free) struct buf again = BUF_INIT(LINK_FRAME_MAX);
    struct link_message m;
    struct err e = {0};

    if (link_decode(span_of(data, size), &m, &e) == 0) {
        assert(link_encode(&m, &again, &e) == 0);
        assert(span_equal(span_of(data, size), buf_span(&again)));
    } else {
        assert(e.code == ERR_INPUT);
    }
    return 0;
}
