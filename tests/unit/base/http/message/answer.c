/* SPDX-License-Identifier: Apache-2.0 */
/* Each answer as it goes over the wire, but for its date. */
#include "base/http/message/answer.h"

#include <event2/buffer.h>
#include <string.h>
#include <time.h>

#include "base/http/message/condition.h"
#include "tests/support/test.h"

static const char date[] = "\r\nDate: ";

static void
check(const struct http_answer *answer, bool last, const char *line, const char *rest)
{
    CLEANUP(mem_cleanup) char *start = mem_printf("HTTP/1.1 %s%s", line, date);
    struct evbuffer *out = evbuffer_new();
    time_t now = time(NULL);
    time_t said;
    char *text;

    assert_non_null(out);
    http_answer_write(answer, last, out);
    (void)evbuffer_add(out, "", 1);
    text = (char *)evbuffer_pullup(out, -1);
    if (strncmp(text, start, strlen(start)) != 0) {
        fail_msg("%s", text);
    }
    text += strlen(start);
    assert_string_equal(text + 29, rest);
    text[29] = '\0';
    assert_true(http_date_parse(text, &said));
    assert_in_range(said - now + 60, 0, 120);
    evbuffer_free(out);
}

#define BODY .body = SPAN_LITERAL("hello")

static void
an_answer_says_what_it_has_and_nothing_else(void **state)
{
    (void)state;
    check(&(struct http_answer){.status = 200}, false, "200 OK", "\r\nContent-Length: 0\r\n\r\n");
    check(&(struct http_answer){.status = 200, .content_type = "a/b", BODY}, false, "200 OK",
          "\r\nContent-Length: 5\r\nContent-Type: a/b\r\n\r\nhello");
    check(&(struct http_answer){.status = 200, .content_type = "a/b", .head = true, BODY}, false,
          "200 OK", "\r\nContent-Length: 5\r\nContent-Type: a/b\r\n\r\n");
    check(&(struct http_answer){.status = 200, .keep_alive = true}, false, "200 OK",
          "\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
    check(&(struct http_answer){.status = 200, .keep_alive = true}, true, "200 OK",
          "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    check(&(struct http_answer){.status = 201, .location = "/v1/x"}, false, "201 Created",
          "\r\nContent-Length: 0\r\nLocation: /v1/x\r\n\r\n");
    check(&(struct http_answer){.status = 405}, false, "405 Method Not Allowed",
          "\r\nContent-Length: 0\r\nAllow: GET, HEAD, POST\r\n\r\n");
    check(&(struct http_answer){.status = 405, .allow = "GET"}, false, "405 Method Not Allowed",
          "\r\nContent-Length: 0\r\nAllow: GET\r\n\r\n");
    check(&(struct http_answer){.status = 503, .retry_after = 1}, false, "503 Service Unavailable",
          "\r\nContent-Length: 0\r\nRetry-After: 1\r\n\r\n");
    check(&(struct http_answer){.status = 421, .fields = "A: b\r\nC: d\r\n"}, false,
          "421 Misdirected Request", "\r\nContent-Length: 0\r\nA: b\r\nC: d\r\n\r\n");
    check(&(struct http_answer){.status = 299}, false, "299 Unknown",
          "\r\nContent-Length: 0\r\n\r\n");
}

static void
a_cache_is_told_the_same_with_and_without_the_content(void **state)
{
    struct http_answer answer = {.status = 200,
                                 .etag = "abc",
                                 .last_modified = 784111777,
                                 .cache_control = "no-cache",
                                 BODY};

    (void)state;
#define VALIDATORS                                                                                 \
    "\r\nETag: \"abc\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nCache-Control: "         \
    "no-cache\r\n\r\n"
    check(&answer, false, "200 OK", "\r\nContent-Length: 5" VALIDATORS "hello");
    answer.status = 304;
    check(&answer, false, "304 Not Modified", VALIDATORS);
}

static void
on_release(const void *octets, size_t n, void *arg)
{
    unsigned *released = arg;

    assert_memory_equal(octets, "hello", n);
    (*released)++;
}

/* With what it is sent from, which is released once, however it ends. */
static void
a_body_that_is_not_copied_is_released(void **state)
{
    static const char empty[] = "\r\nContent-Length: 0\r\n\r\n";
    unsigned n = 0;
    struct http_answer answer = {.status = 200, .release = on_release, .arg = &n, BODY};

    (void)state;
    check(&answer, false, "200 OK", "\r\nContent-Length: 5\r\n\r\nhello");
    assert_int_equal(n, 1);
    answer.head = true;
    check(&answer, false, "200 OK", "\r\nContent-Length: 5\r\n\r\n");
    assert_int_equal(n, 2);
    answer = (struct http_answer){.status = 200, .release = on_release, .arg = &n};
    answer.body = span_of((const uint8_t *)"hello", 0);
    check(&answer, false, "200 OK", empty);
    assert_int_equal(n, 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_says_what_it_has_and_nothing_else),
        cmocka_unit_test(a_body_that_is_not_copied_is_released),
        cmocka_unit_test(a_cache_is_told_the_same_with_and_without_the_content),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
