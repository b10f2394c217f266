/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two stages see every byte of a header: the scanner (scan.h) the raw block, llhttp what it
 * has cleared. A body with a length goes through llhttp, a chunked one through chunks.h. A
 * refusal is final: after a framing error nobody knows where the next request begins (RFC
 * 9112 2.2, 6.3).
 *
 *   HEADER --blank line--> BODY or CHUNKS --message complete--> COMPLETE --http_parser_next()-->
 * HEADER
 *      \--------------------\------ any violation --> REFUSED
 */
#include "base/http/message/parse.h"

#include <assert.h>
#include <llhttp.h>
#include <string.h>

#include "base/http/message/chunks.h"
#include "base/http/message/fields.h"
#include "base/http/message/target.h"

struct http_parser {
    llhttp_t llhttp;
    enum http_state state;
    enum http_fault fault;
    struct http_scanner scanner;
    struct http_fields fields;
    char *target; /* of target_max octets, and their end */
    size_t target_max;
    size_t target_n;
    bool has_version; /* the request line was read to its end */
    bool resources;   /* DELETE and a query are taken */
    bool forms;       /* a query of a form is taken */
    bool chunked;     /* the header is done, and the rest is for `chunks` */
    struct http_chunks chunks;
    size_t body_max;
    struct buf body;
    struct http_request request;
};

static struct http_parser *
parser_of(llhttp_t *llhttp)
{
    return llhttp->data;
}

/* Returns what makes llhttp stop, when there is a fault. The first reason stays. */
static int
refuse(struct http_parser *p, enum http_fault fault)
{
    if (p->fault == HTTP_FAULT_NONE) {
        p->fault = fault;
    }
    return p->fault == HTTP_FAULT_NONE ? 0 : HPE_USER;
}

static int
on_url(llhttp_t *llhttp, const char *at, size_t n)
{
    struct http_parser *p = parser_of(llhttp);

    if (n > p->target_max - p->target_n) {
        return refuse(p, HTTP_FAULT_TARGET_LENGTH);
    }
    memcpy(p->target + p->target_n, at, n);
    p->target_n += n;
    p->target[p->target_n] = '\0';
    return 0;
}

static enum http_fault
take_method(struct http_parser *p)
{
    uint8_t method = p->llhttp.method;

    p->request.head = method == HTTP_HEAD;
    if (method == HTTP_POST) {
        p->request.method = HTTP_METHOD_POST;
    } else if (method == HTTP_GET || method == HTTP_HEAD) {
        p->request.method = HTTP_METHOD_GET;
    } else if (method == HTTP_DELETE && p->resources) {
        p->request.method = HTTP_METHOD_DELETE;
    } else {
        return HTTP_FAULT_METHOD; /* CONNECT and OPTIONS too, whose targets have other forms */
    }
    return HTTP_FAULT_NONE;
}

static int
on_url_complete(llhttp_t *llhttp)
{
    struct http_parser *p = parser_of(llhttp);

    return refuse(p, take_method(p)) != 0
               ? HPE_USER
               : refuse(p, http_target_parse(p->target,
                                             p->forms       ? HTTP_QUERY_FORM
                                             : p->resources ? HTTP_QUERY_PLAIN
                                                            : HTTP_QUERY_NONE,
                                             &p->request));
}

static int
on_version_complete(llhttp_t *llhttp)
{
    parser_of(llhttp)->has_version = true;
    return 0;
}

static int
on_header_field(llhttp_t *llhttp, const char *at, size_t n)
{
    http_fields_name(&parser_of(llhttp)->fields, at, n);
    return 0;
}

static int
on_header_value(llhttp_t *llhttp, const char *at, size_t n)
{
    struct http_parser *p = parser_of(llhttp);

    return refuse(p, http_fields_value(&p->fields, at, n));
}

static int
on_header_value_complete(llhttp_t *llhttp)
{
    struct http_parser *p = parser_of(llhttp);

    return refuse(p, http_fields_end(&p->fields));
}

/* RFC 9112 3.2 (Host), 6.1 and 6.3 (framing). */
static enum http_fault
check_framing(struct http_parser *p)
{
    const llhttp_t *llhttp = &p->llhttp;

    if (llhttp->http_major != 1 || llhttp->http_minor > 1) {
        return HTTP_FAULT_VERSION;
    }
    p->request.minor_0 = llhttp->http_minor == 0;
    if (p->fields.hosts == 0 && !p->request.minor_0) {
        return HTTP_FAULT_NO_HOST;
    }
    if (p->fields.hosts > 1) {
        return HTTP_FAULT_HOSTS;
    }
    if (p->fields.lengths > 0 && p->fields.codings > 0) {
        return HTTP_FAULT_FRAMINGS;
    }
    if (p->fields.lengths > 1) {
        return HTTP_FAULT_LENGTHS;
    }
    if (p->fields.codings > 1) {
        return HTTP_FAULT_CODINGS;
    }
    return p->fields.codings > 0 && p->request.minor_0 ? HTTP_FAULT_CODING_1_0 : HTTP_FAULT_NONE;
}

/* A body comes with POST, and with nothing else. */
static enum http_fault
check_content(const struct http_parser *p)
{
    if (p->request.method == HTTP_METHOD_POST) {
        if (p->fields.lengths == 0 && p->fields.codings == 0) {
            return HTTP_FAULT_NO_LENGTH;
        }
    } else if (p->fields.codings > 0 || p->llhttp.content_length > 0) {
        return HTTP_FAULT_CONTENT;
    }
    return p->llhttp.content_length > p->body_max ? HTTP_FAULT_CONTENT_SIZE : HTTP_FAULT_NONE;
}

static void
take_fields(struct http_parser *p)
{
    struct http_request *r = &p->request;

    memcpy(r->host, p->fields.host, sizeof(r->host));
    memcpy(r->content_type, p->fields.content_type, sizeof(r->content_type));
    memcpy(r->if_none_match, p->fields.if_none_match, sizeof(r->if_none_match));
    memcpy(r->if_modified_since, p->fields.if_modified_since, sizeof(r->if_modified_since));
    r->has_if_none_match = p->fields.has_if_none_match;
    r->is_embedded = p->fields.of_another && !(p->fields.navigates && p->fields.for_window);
    r->keep_alive = llhttp_should_keep_alive(&p->llhttp) != 0;
}

/* 1: llhttp is to expect no body, because it comes in chunks. */
static int
on_headers_complete(llhttp_t *llhttp)
{
    struct http_parser *p = parser_of(llhttp);

    if (refuse(p, check_framing(p)) != 0 || refuse(p, check_content(p)) != 0) {
        return -1;
    }
    llhttp->upgrade =
        0; /* RFC 9110 7.8: an offer that a server may ignore, and we speak nothing else */
    take_fields(p);
    p->chunked = p->fields.codings > 0;
    http_chunks_begin(&p->chunks, p->scanner.ignored);
    return p->chunked ? 1 : 0;
}

static int
on_body(llhttp_t *llhttp, const char *at, size_t n)
{
    struct http_parser *p = parser_of(llhttp);
    struct err e;

    return buf_append(&p->body, span_of(at, n), &e) != 0 ? refuse(p, HTTP_FAULT_CONTENT_SIZE) : 0;
}

static void
complete(struct http_parser *p)
{
    p->request.body = buf_span(&p->body);
    p->state = HTTP_COMPLETE;
}

static int
on_message_complete(llhttp_t *llhttp)
{
    struct http_parser *p = parser_of(llhttp);

    if (!p->chunked) {
        complete(p);
    }
    return HPE_PAUSED; /* one request in flight: the next one waits in the socket */
}

static void
reset(struct http_parser *p)
{
    llhttp_reset(&p->llhttp);
    p->state = HTTP_NEED_MORE;
    p->fault = HTTP_FAULT_NONE;
    http_scanner_begin(&p->scanner);
    p->fields = (struct http_fields){0};
    p->target_n = 0; /* on_url() ends what it writes */
    p->has_version = false;
    p->chunked = false;
    memset(&p->request, 0, sizeof(p->request));
    p->request.form = "";
    buf_free(&p->body);
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_url_complete = on_url_complete,
    .on_version_complete = on_version_complete,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_header_value_complete = on_header_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

static void
set_target_max(struct http_parser *p, size_t max)
{
    mem_free(p->target);
    p->target = mem_zalloc(max + 1, 1);
    p->target_max = max;
}

struct http_parser *
http_parser_new(size_t body_max)
{
    struct http_parser *p = mem_new(sizeof(*p));

    llhttp_init(&p->llhttp, HTTP_REQUEST, &settings);
    p->llhttp.data = p;
    p->body_max = body_max;
    p->body = BUF_INIT(body_max);
    set_target_max(p, HTTP_TARGET_MAX);
    reset(p);
    return p;
}

void
http_parser_allow_resources(struct http_parser *p)
{
    p->resources = true;
}

void
http_parser_allow_forms(struct http_parser *p)
{
    assert(!http_parser_has_begun(p));
    p->forms = true;
    set_target_max(p, HTTP_TARGET_FORM_MAX);
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
    mem_free(p->target);
    mem_free(p);
}

/* What llhttp itself found wrong. It names faults in lengths by what it met there. */
static enum http_fault
fault_of(const struct http_parser *p, llhttp_errno_t error)
{
    switch ((int)error) { /* the others are faults that have no name of their own */
    case HPE_INVALID_METHOD:
        return HTTP_FAULT_METHOD;
    case HPE_INVALID_VERSION:
        return HTTP_FAULT_VERSION;
    case HPE_INVALID_URL:
        return HTTP_FAULT_TARGET;
    case HPE_INVALID_CONTENT_LENGTH:
        return HTTP_FAULT_LENGTH;
    case HPE_UNEXPECTED_CONTENT_LENGTH:
        return p->fields.codings > 0 ? HTTP_FAULT_FRAMINGS : HTTP_FAULT_LENGTHS;
    case HPE_INVALID_TRANSFER_ENCODING:
        return p->fields.lengths > 0   ? HTTP_FAULT_FRAMINGS
               : p->fields.codings > 0 ? HTTP_FAULT_CODINGS
                                       : HTTP_FAULT_CODING;
    default:
        return p->has_version ? HTTP_FAULT_FIELD : HTTP_FAULT_REQUEST_LINE;
    }
}

static size_t
execute(struct http_parser *p, struct span bytes)
{
    llhttp_errno_t error = llhttp_execute(&p->llhttp, (const char *)bytes.p, bytes.n);

    if (error == HPE_PAUSED) {
        return (size_t)((const uint8_t *)llhttp_get_error_pos(&p->llhttp) - bytes.p);
    }
    if (error != HPE_OK) {
        (void)refuse(p, fault_of(p, error));
    }
    return bytes.n;
}

static size_t
take_chunks(struct http_parser *p, struct span bytes)
{
    size_t n = http_chunks_take(&p->chunks, bytes, &p->body);

    (void)refuse(p, p->chunks.fault);
    if (p->chunks.state == HTTP_CHUNKS_END) { /* which a fault outweighs: http_parser_feed() */
        complete(p);
    }
    return n;
}

/* What the scanner refuses llhttp never sees. */
static size_t
take_some(struct http_parser *p, struct span bytes)
{
    size_t n;

    if (p->chunked) {
        return take_chunks(p, bytes);
    }
    n = http_scanner_clear(&p->scanner, bytes);
    return refuse(p, p->scanner.fault) != 0 ? n : execute(p, span_of(bytes.p, n));
}

enum http_state
http_parser_feed(struct http_parser *p, struct span bytes, size_t *used)
{
    assert(p->state == HTTP_NEED_MORE || p->state == HTTP_WANT_CONTINUE);
    *used = 0;
    p->state = HTTP_NEED_MORE;
    while (p->state == HTTP_NEED_MORE && *used < bytes.n) {
        bool header = p->scanner.in_header;

        *used += take_some(p, span_of(bytes.p + *used, bytes.n - *used));
        if (p->fault != HTTP_FAULT_NONE) {
            p->state = HTTP_REFUSED;
        } else if (p->state == HTTP_NEED_MORE && header && !p->scanner.in_header &&
                   p->fields.expects && !p->request.minor_0 && *used == bytes.n) {
            /* RFC 9110 10.1.1; not when the body is here already */
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

enum http_fault
http_parser_fault(const struct http_parser *p)
{
    assert(p->state == HTTP_REFUSED && p->fault != HTTP_FAULT_NONE);
    return p->fault;
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
