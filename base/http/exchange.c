/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http/exchange.h"

#include <assert.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

void
http_exchange_free(struct http_exchange *x)
{
    http_parser_free(x->parser);
    buf_free(&x->certificate);
    mem_free(x);
}

void
http_exchange_set_timer(struct http_exchange *x, int ms)
{
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

    (void)event_add(x->timer, &tv);
}

/* ---- queries ---- */

const struct http_request *
http_exchange_request(const struct http_exchange *x)
{
    return http_parser_request(x->parser);
}

const char *
http_exchange_peer(const struct http_exchange *x)
{
    return x->peer;
}

const struct http_address *
http_exchange_address(const struct http_exchange *x)
{
    return &x->address;
}

struct span
http_exchange_certificate(const struct http_exchange *x)
{
    return buf_span(&x->certificate);
}

const void *
http_exchange_tag(const struct http_exchange *x)
{
    return x->tag;
}

bool
http_exchange_is_dead(const struct http_exchange *x)
{
    return x->state == DEAD;
}

/* ---- answers ---- */

void
http_exchange_write(struct http_exchange *x, const struct http_answer *answer)
{
    const struct http_options *options = &x->all->options;
    struct http_answer whole = *answer;

    whole.fields = whole.fields != NULL ? whole.fields : options->fields;
    whole.allow = options->allow != NULL ? options->allow : whole.allow;
    http_answer_write(&whole, x->last, bufferevent_get_output(x->bev));
    x->state = WRITING;
    http_exchange_set_timer(x, x->all->options.idle_timeout_ms);
}

void
http_reply_with(struct http_exchange *x, const struct http_answer *answer)
{
    const struct http_request *request = http_parser_request(x->parser);
    struct http_answer whole = *answer;

    assert(x->state == IN_FLIGHT || x->state == DEAD);
    if (x->state == DEAD) {
        http_answer_release(answer);
        http_exchange_free(x);
        return;
    }
    x->all->n_in_flight--;
    x->last = x->last || answer->close;
    whole.head = request->head;
    whole.keep_alive = request->minor_0;
    http_exchange_write(x, &whole);
}

void
http_reply(struct http_exchange *x, int status, const char *content_type, struct span body)
{
    http_reply_with(
        x, &(struct http_answer){.status = status, .content_type = content_type, .body = body});
}

void
http_reply_busy(struct http_exchange *x, int retry_after, const char *content_type,
                struct span body)
{
    http_reply_with(x, &(struct http_answer){.status = 503,
                                             .retry_after = retry_after > 0 ? retry_after : 1,
                                             .content_type = content_type,
                                             .body = body});
}
