/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of one HTTP connection. The first octet says how they arrive, whole or in pieces, and
 * whether forms are taken. Both ways must give the same requests and the same refusal. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/http/message/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What came out, as one number. */
static unsigned
run(struct span bytes, size_t piece, bool forms)
{
    CLEANUP(http_parser_cleanup) struct http_parser *parser = http_parser_new(HTTP_BODY_MAX);
    unsigned digest = 0;
    size_t at = 0;

    if (forms) {
        http_parser_allow_forms(parser);
    }
    while (at < bytes.n) {
        size_t n = bytes.n - at < piece ? bytes.n - at : piece;
        size_t used = 0;
        enum http_state state = http_parser_feed(parser, span_of(bytes.p + at, n), &used);

        assert(used <= n);
        at += used;
        if (state == HTTP_COMPLETE) {
            const struct http_request *r = http_parser_request(parser);

            assert(r->body.n <= HTTP_BODY_MAX && r->path[0] == '/');
            digest = digest * 31 + (unsigned)r->body.n + (unsigned)r->method + 1 +
                     (unsigned)strlen(r->form) + (unsigned)strlen(r->host);
            for (size_t i = 0; i < r->body.n; i++) {
                digest = digest * 31 + r->body.p[i];
            }
            http_parser_next(parser);
        } else if (state == HTTP_REFUSED) {
            assert(http_fault_status(http_parser_fault(parser)) >= 400);
            return digest * 31 + 7;
        } else {
            assert(used == n);
        }
    }
    return digest;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t piece;

    if (size < 1) {
        return 0;
    }
    piece = data[0] % 64 + 1;
    if (run(span_of(data + 1, size - 1), size, data[0] >= 128) !=
        run(span_of(data + 1, size - 1), piece, data[0] >= 128)) {
        __builtin_trap();
    }
    return 0;
}
