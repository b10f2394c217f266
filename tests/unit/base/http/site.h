/* SPDX-License-Identifier: Apache-2.0 */
/* site.h - a server of HTTPS with its files in a folder of its own, and who asks it. */
#pragma once

#include "base/http/tls.h"
#include "tests/support/web.h"

#define REQUEST SPAN_LITERAL("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")

struct site {
    char *dir;
    char *certificate;
    char *ca;
    struct tls_options options;
};

/* With files of web_files(); who asks clients for certificates trusts ca.pem. */
struct site site_new(enum tls_client client);
void site_cleanup(struct site *);
/* Fails the test when there is none; tls_free() it. */
struct tls *site_tls(const struct site *);
/* One request by `ctx`, which is freed: 1 when it was answered. */
unsigned site_ask(struct web *, SSL_CTX *ctx);

/* For cmocka_run_group_tests(). */
int site_set_up(void **state);
int site_tear_down(void **state);
