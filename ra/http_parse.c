/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two stages see every byte: the scanner (http_scan.h) the raw header block, llhttp what it has
 * cleared. A refusal is final: after a framing error nobody knows where the next request begins
 * (RFC 9112 2.2, 6.3).
 *
 *   HEADER --blank line--> BODY --message complete--> COMPLETE --http_parser_next()--> HEADER
 *      \--------------------\------ any violation --> REFUSED
 */
#include "ra/http_parse.h"

#include <assert.h>
#include <ctype.h>
#include <llhttp.h>
#include <string.h>

#include "ra/http_fields.h"
#include "ra/http_scan.h"

struct http_parser {
    llhttp_t llhttp;
    enum http_state state;
    int status;
    struct http_scanner scanner;
    struct http_fields fields;
    bool in_trailer;
    size_t path_n;
    size_t query_n;
    bool in_query;
    bool resources; /* DELETE and a query are taken */
    bool continue_sent;
    size_t body_max;
    size_t message_octets; /* raw octets of the body with its framing */
    struct buf body;
    struct http_request request;
};

static struct http_parser *
parser_of(llhttp_t *llhttp)
{
    return llhttp->data;
}

/* Returns what makes llhttp stop. The first reason stays. */
static int
refuse(struct http_parser *p, int status)
{
    if (p->status == 0) {
        p->status = status;
    }
    return HPE_USER;
}

/* No escapes here either: ids, names and numbers need none. */
static int
take_query(struct http_parser *p, const char *at, size_t n)
{
    if (n > HTTP_QUERY_MAX - p->query_n) {
        return refuse(p, 414);
    }
    for (size_t i = 0; i < n; i++) {
        if (isalnum((unsigned char)at[i]) == 0 &&
            (at[i] == '\0' || strchr("-_=&", at[i]) == NULL)) {
            return refuse(p, 400);
        }
    }
    memcpy(p->request.query + p->query_n, at, n);
    p->query_n += n;
    p->request.query[p->query_n] = '\0';
    return 0;
}

static int
take_path(struct http_parser *p, const char *at, size_t n)
{
    if (n > HTTP_PATH_MAX - p->path_n) {
        return refuse(p, 414);
    }
    for (size_t i = 0; i < n; i++) {
        /* Our paths need no escapes and no query; one spelling of each path is enough. */
        if (at[i] <= ' ' || at[i] > '~' || strchr("%?#\\", at[i]) != NULL) {
            return refuse(p, 400);
        }
    }
    memcpy(p->request.path + p->path_n, at, n);
    p->path_n += n;
    p->request.path[p->path_n] = '\0';
    return 0;
}

static int
on_url(llhttp_t *llhttp, const char *at, size_t n)
{
    struct http_parser *p = parser_of(llhttp);
    const char *mark = p->resources && !p->in_query ? memchr(at, '?', n) : NULL;
    size_t before = mark == NULL ? n : (size_t)(mark - at);

    if (p->in_query) {
        return take_query(p, at, n);
    }
    if (take_path(p, at, before) != 0) {
        return HPE_USER;
    }
    p->in_query = mark != NULL;
    return mark == NULL ? 0 : take_query(p, mark + 1, n - before - 1);
}

static int
on_header_field(llhttp_t *llhttp, const char *at, size_t n)
{
    struct http_parser *p = parser_of(llhttp);

    if (p->in_trailer) {
        return refuse(p, 400); /* nobody needs trailers here, and they could hide a length */
    }
    http_fields_name(&p->fields, at, n);
    return 0;
}

static int
on_header_value(llhttp_t *llhttp, const char *at, size_t n)
{
    struct http_parser *p = parser_of(llhttp);
    int status = http_fields_value(&p->fields, at, n);

    return status == 0 ? 0 : refuse(p, status);
}

static int
on_header_value_complete(llhttp_t *llhttp)
{
    struct http_parser *p = parser_of(llhttp);
    int status = http_fields_end(&p->fields);

    return status == 0 ? 0 : refuse(p, status);
}

/* RFC 9112 3.2 (Host), 6.1 and 6.3 (framing). */
static int
check_framing(struct http_parser *p)
{
    const llhttp_t *llhttp = &p->llhttp;

    if (llhttp->http_major != 1 || llhttp->http_minor > 1) {
        return refuse(p, 505);
    }
    p->request.minor_0 = llhttp->http_minor == 0;
    if (p->fields.hosts > 1 || (p->fields.hosts == 0 && !p->request.minor_0)) {
        return refuse(p, 400);
    }
    if (p->fields.lengths > 1 || p->fields.codings > 1 ||
        (p->fields.lengths > 0 && p->fields.codings > 0)) {
        return refuse(p, 400);
    }
    if (p->fields.codings > 0 && p->request.minor_0) {
        return refuse(p, 400); /* RFC 9112 6.1: HTTP/1.0 has no codings */
    }
    return 0;
}

/* A body comes with POST, and with nothing else. */
static int
take_method(struct http_parser *p)
{
    const llhttp_t *llhttp = &p->llhttp;

    if (llhttp->method == HTTP_POST) {
        p->request.method = HTTP_METHOD_POST;
        return p->fields.lengths == 0 && p->fields.codings == 0 ? refuse(p, 411) : 0;
    }
    if (llhttp->method == HTTP_GET) {
        p->request.method = HTTP_METHOD_GET;
    } else if (llhttp->method == HTTP_DELETE && p->resources) {
        p->request.method = HTTP_METHOD_DELETE;
    } else {
        return refuse(p, 405);
    }
    return p->fields.codings > 0 || llhttp->content_length > 0 ? refuse(p, 400) : 0;
}

static int
check_headers(struct http_parser *p)
{
    if (check_framing(p) != 0) {
        return HPE_USER;
    }
    if (p->request.path[0] != '/') {
        return refuse(p, 400); /* absolute form is for proxies */
    }
    if (p->llhttp.upgrade != 0) {
        return refuse(p, 400);
    }
    if (take_method(p) != 0) {
        return HPE_USER;
    }
    return p->llhttp.content_length > p->body_max ? refuse(p, 413) : 0;
}

static int
on_headers_complete(llhttp_t *llhttp)
{
    struct http_parser *p = parser_of(llhttp);
    int result = check_headers(p);

    if (result != 0) {
        return -1;
    }
    p->in_trailer = true;
    memcpy(p->request.content_type, p->fields.content_type, sizeof(p->request.content_type));
    p->request.keep_alive = llhttp_should_keep_alive(llhttp) != 0;
    return 0;
}

static int
on_body(llhttp_t *llhttp, const char *at, size_t n)
{
    struct http_parser *p = parser_of(llhttp);
    struct err e;

    if (buf_append(&p->body, span_of(at, n), &e) != 0) {
        return refuse(p, 413);
    }
    return 0;
}

static int
on_chunk_header(llhttp_t *llhttp)
{
    struct http_parser *p = parser_of(llhttp);

    if (llhttp->content_length > p->body_max - p->body.n) {
        (void)refuse(p, 413);
        return -1;
    }
    return 0;
}

static int
on_chunk_extension(llhttp_t *llhttp, const char *at, size_t n)
{
    (void)at;
    (void)n;
    return refuse(parser_of(llhttp), 400);
}

static int
on_message_complete(llhttp_t *llhttp)
{
    struct http_parser *p = parser_of(llhttp);

    p->request.body = buf_span(&p->body);
    p->state = HTTP_COMPLETE;
    return HPE_PAUSED; /* one request in flight: the next one waits in the socket */
}

static void
reset(struct http_parser *p)
{
    llhttp_reset(&p->llhttp);
    p->state = HTTP_NEED_MORE;
    p->status = 0;
    p->scanner = (struct http_scanner){.in_header = true};
    p->fields = (struct http_fields){0};
    p->path_n = p->query_n = 0;
    p->in_query = false;
    p->in_trailer = false;
    p->continue_sent = false;
    p->message_octets = 0;
    memset(&p->request, 0, sizeof(p->request));
    buf_free(&p->body);
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_header_value_complete = on_header_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_chunk_header = on_chunk_header,
    .on_chunk_extension_name = on_chunk_extension,
    .on_message_complete = on_message_complete,
};

struct http_parser *
http_parser_new(size_t body_max)
{
    struct http_parser *p = mem_zalloc(1, sizeof(*p));

    llhttp_init(&p->llhttp, HTTP_REQUEST, &settings);
    p->llhttp.data = p;
    p->body_max = body_max;
    p->body = BUF_INIT(body_max);
    reset(p);
    return p;
}

void
http_parser_allow_resources(struct http_parser *p)
{
    p->resources = true;
}

void
http_parser_set_body_max(struct http_parser *p, size_t body_max)
{
    assert(!http_parser_has_begun(p));
    p->body_max = body_max;
    buf_free(&p->body);
    p->body = BUF_INIT(body_max);
}

void
http_parser_free(struct http_parser *p)
{
    if (p == NULL) {
        return;
    }
    buf_free(&p->body);
    mem_free(p);
}

/* What llhttp itself found wrong. */
static int
status_of_error(llhttp_errno_t error)
{
    if (error == HPE_INVALID_METHOD) {
        return 405;
    }
    if (error == HPE_INVALID_VERSION) {
        return 505;
    }
    return 400;
}

static enum http_state
execute(struct http_parser *p, struct span bytes, size_t *used)
{
    llhttp_errno_t error = llhttp_execute(&p->llhttp, (const char *)bytes.p, bytes.n);

    *used = bytes.n;
    if (p->status != 0) {
        return HTTP_REFUSED;
    }
    if (error == HPE_PAUSED && p->state == HTTP_COMPLETE) {
        const char *end = llhttp_get_error_pos(&p->llhttp);

        *used = (size_t)(end - (const char *)bytes.p);
        return HTTP_COMPLETE;
    }
    if (error != HPE_OK) {
        (void)refuse(p, status_of_error(error));
        return HTTP_REFUSED;
    }
    return HTTP_NEED_MORE;
}

enum http_state
http_parser_feed(struct http_parser *p, struct span bytes, size_t *used)
{
    size_t taken;

    assert(p->state == HTTP_NEED_MORE || p->state == HTTP_WANT_CONTINUE);
    *used = 0;
    p->state = HTTP_NEED_MORE;
    while (p->state == HTTP_NEED_MORE && *used < bytes.n) {
        struct span rest = span_of(bytes.p + *used, bytes.n - *used);
        bool header = p->scanner.in_header;
        size_t n = http_scanner_clear(&p->scanner, rest);

        if (!header) {
            p->message_octets += n;
            if (p->message_octets > p->body_max + HTTP_CHUNKED_FRAMING_MAX &&
                p->fields.codings > 0) {
                (void)refuse(p, 413);
            }
        }
        if (p->scanner.status != 0) {
            (void)refuse(p, p->scanner.status);
        }
        if (p->status != 0) {
            p->state = HTTP_REFUSED;
            break;
        }
        p->state = execute(p, span_of(rest.p, n), &taken);
        *used += taken;
        if (p->state == HTTP_NEED_MORE && header && !p->scanner.in_header && p->fields.expects &&
            !p->continue_sent && !p->request.minor_0 && *used == bytes.n) {
            p->continue_sent = true; /* RFC 9110 10.1.1; not when the body is here already */
            p->state = HTTP_WANT_CONTINUE;
        }
    }
    return p->state;
}

const struct http_request *
http_parser_request(const struct http_parser *p)
{
    assert(p->state == HTTP_COMPLETE);
    return &p->request;
}

int
http_parser_status(const struct http_parser *p)
{
    assert(p->state == HTTP_REFUSED && p->status != 0);
    return p->status;
}

bool
http_parser_has_begun(const struct http_parser *p)
{
    return p->scanner.header_octets > 0;
}

void
http_parser_next(struct http_parser *p)
{
    assert(p->state == HTTP_COMPLETE);
    reset(p);
}
