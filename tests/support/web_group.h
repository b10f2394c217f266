/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_group.h - what a whole program of tests about connections has: the files of web_files(), the
 * TLS of a server, and a client of it. For cmocka_run_group_tests().
 */
#pragma once

#include "base/http/tls.h"
#include "tests/support/web.h"

int web_group_set_up(void **state);
int web_group_tear_down(void **state);

/* A server on 127.0.0.1, over TLS when `secure`; options as of web_start(). */
void web_group_start(struct web *, const struct http_options *options, bool secure);
/* For visitor_new(); NULL when not `secure`. */
SSL_CTX *web_group_client(bool secure);
