/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/base/http/visits.h"

#include <poll.h>
#include <string.h>

#include "tests/support/test.h"

struct visitor
visit(const struct web *web, bool secure)
{
    struct visitor v = visitor_new(web, web_group_client(secure));

    assert_true(v.fd >= 0);
    return v;
}

void
visit_row(const struct web *web, bool secure, const struct row *row)
{
    struct visitor v = visit(web, secure);
    unsigned answers = 1;
    char heard[64];

    for (const char *c = row->expected; *c != '\0'; c++) {
        answers += *c == ',';
    }
    visitor_say(&v, row->bytes);
    /* One more than expected when the connection should stay open is not waited for; a refusal must
     * also close, which the read to the end shows. */
    visitor_hear(&v, strchr(row->expected, '!') != NULL ? 99 : answers, heard, sizeof(heard));
    if (strcmp(heard, row->expected) != 0) {
        fail_msg("%s%s: expected %s, got %s", row->name, secure ? " (TLS)" : "", row->expected,
                 heard);
    }
    visitor_close(&v);
}

void
visit_expect(struct visitor *v, const char *expected)
{
    char heard[64];

    visitor_hear(v, 1, heard, sizeof(heard));
    assert_string_equal(heard, expected);
}

void
visit_trickle(struct visitor *v)
{
    bool closed = false;

    while (!closed) {
        struct pollfd p = {.fd = v->fd, .events = POLLIN};
        char octet;

        visitor_say(v, SPAN_LITERAL("a"));
        closed = poll(&p, 1, 20) == 1 && visitor_read(v, &octet, 1) <= 0;
    }
}

void
visit_wait_for_the_end(struct visitor *v)
{
    char octets[4096];

    while (visitor_read(v, octets, sizeof(octets)) > 0) {
    }
}

void
visit_read_all(struct visitor *v, char *text, size_t size)
{
    size_t at = 0;
    int n;

    memset(text, 0, size);
    while (at < size - 1 && (n = visitor_read(v, text + at, size - 1 - at)) > 0) {
        at += (size_t)n;
    }
}
