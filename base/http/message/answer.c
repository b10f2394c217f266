/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http/message/answer.h"

#include <event2/buffer.h>

#include "base/http/message/condition.h"
#include "base/ossl.h"

const char *
http_reason_phrase(int status)
{
    static const struct {
        int status;
        const char *text;
    } phrases[] = {
        {200, "OK"},
        {201, "Created"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {409, "Conflict"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };

    for (size_t i = 0; i < ARRAY_LEN(phrases); i++) {
        if (phrases[i].status == status) {
            return phrases[i].text;
        }
    }
    return "Unknown";
}

static void
write_date(const char *name, time_t when, struct evbuffer *out)
{
    char date[HTTP_DATE_MAX + 1];

    http_date_format(when, date);
    (void)evbuffer_add_printf(out, "%s: %s\r\n", name, date);
}

/* What a cache goes by (RFC 9110 15.4.5: a 304 says it, too). */
static void
write_validators(const struct http_answer *answer, struct evbuffer *out)
{
    if (answer->etag != NULL) {
        (void)evbuffer_add_printf(out, "ETag: \"%s\"\r\n", answer->etag);
    }
    if (answer->last_modified != 0) {
        write_date("Last-Modified", answer->last_modified, out);
    }
    if (answer->cache_control != NULL) {
        (void)evbuffer_add_printf(out, "Cache-Control: %s\r\n", answer->cache_control);
    }
}

void
http_answer_release(const struct http_answer *answer)
{
    if (answer->release != NULL) {
        answer->release(answer->body.p, answer->body.n, answer->arg);
    }
}

static void
write_body(const struct http_answer *answer, struct evbuffer *out)
{
    if (answer->release == NULL) {
        (void)evbuffer_add(out, answer->body.p, answer->body.n);
    } else if (answer->body.n == 0 || evbuffer_add_reference(out, answer->body.p, answer->body.n,
                                                             answer->release, answer->arg) != 0) {
        http_answer_release(answer);
    }
}

void
http_answer_write(const struct http_answer *answer, bool last, struct evbuffer *out)
{
    bool bodiless = answer->status == 304; /* RFC 9112 6.3 */

    (void)evbuffer_add_printf(out, "HTTP/1.1 %d %s\r\n", answer->status,
                              http_reason_phrase(answer->status));
    write_date("Date", clock_now(), out);
    if (!bodiless) {
        (void)evbuffer_add_printf(out, "Content-Length: %zu\r\n", answer->body.n);
    }
    if (answer->status == 405) {
        (void)evbuffer_add_printf(out, "Allow: %s\r\n",
                                  answer->allow == NULL ? "GET, HEAD, POST" : answer->allow);
    }
    if (answer->location != NULL) {
        (void)evbuffer_add_printf(out, "Location: %s\r\n", answer->location);
    }
    if (answer->retry_after > 0) {
        (void)evbuffer_add_printf(out, "Retry-After: %d\r\n", answer->retry_after);
    }
    write_validators(answer, out);
    if (answer->fields != NULL) {
        (void)evbuffer_add_printf(out, "%s", answer->fields);
    }
    if (last) {
        (void)evbuffer_add_printf(out, "Connection: close\r\n");
    } else if (answer->keep_alive) {
        (void)evbuffer_add_printf(out, "Connection: keep-alive\r\n");
    }
    if (answer->content_type != NULL) {
        (void)evbuffer_add_printf(out, "Content-Type: %s\r\n", answer->content_type);
    }
    (void)evbuffer_add(out, "\r\n", 2);
    if (answer->head || bodiless) {
        http_answer_release(answer);
    } else {
        write_body(answer, out);
    }
}
