/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/base/http/site.h"

#include <string.h>

#include "base/ossl.h"
#include "base/proc.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

struct site
site_new(enum tls_client client)
{
    struct site s = {.dir = tmpdir_new()};

    web_files(s.dir);
    s.certificate = mem_printf("%s/server.pem", s.dir);
    s.ca = mem_printf("%s/ca.pem", s.dir);
    s.options = (struct tls_options){
        .certificate = s.certificate, .credential = "server.key", .client = client};
    if (client != TLS_CLIENT_NONE) {
        s.options.client_roots[s.options.n_client_roots++] = s.ca;
    }
    return s;
}

void
site_cleanup(struct site *s)
{
    tmpdir_cleanup(&s->dir);
    mem_free(s->certificate);
    mem_free(s->ca);
}

struct tls *
site_tls(const struct site *s)
{
    struct err e;
    struct tls *tls = tls_new(&s->options, &e);

    if (tls == NULL) {
        fail_msg("%s", e.text);
    }
    return tls;
}

unsigned
site_ask(struct web *web, SSL_CTX *ctx)
{
    struct visitor v = visitor_new(web, ctx);
    char heard[64] = "";

    SSL_CTX_free(ctx);
    if (v.fd < 0) {
        return 0;
    }
    visitor_say(&v, REQUEST);
    visitor_hear(&v, 1, heard, sizeof(heard)); /* TLS 1.3: a refused client hears of it here */
    visitor_close(&v);
    return strcmp(heard, "200") == 0;
}

int
site_set_up(void **state)
{
    struct err e;

    (void)state;
    assert_ok(proc_harden(&e), &e); /* SIGPIPE */
    assert_ok(ossl_init(&e), &e);
    return 0;
}

int
site_tear_down(void **state)
{
    (void)state;
    web_forget();
    OPENSSL_cleanup();
    return 0;
}
