/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/web_group.h"

#include "base/mem.h"
#include "base/ossl.h"
#include "base/proc.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

static char *dir;
static struct tls *tls;
static SSL_CTX *client;

int
web_group_set_up(void **state)
{
    CLEANUP(mem_cleanup) char *certificate = NULL;
    struct tls_options options = {.credential = "server.key"};
    struct err e;

    (void)state;
    assert_ok(proc_harden(&e), &e); /* SIGPIPE */
    assert_ok(ossl_init(&e), &e);
    dir = tmpdir_new();
    web_files(dir);
    certificate = mem_printf("%s/server.pem", dir);
    options.certificate = certificate;
    tls = tls_new(&options, &e);
    if (tls == NULL) {
        print_error("%s\n", e.text);
        return -1;
    }
    client = web_client(dir, NULL);
    return 0;
}

int
web_group_tear_down(void **state)
{
    (void)state;
    SSL_CTX_free(client);
    tls_free(tls);
    tmpdir_cleanup(&dir);
    web_forget();
    OPENSSL_cleanup();
    return 0;
}

void
web_group_start(struct web *web, const struct http_options *options, bool secure)
{
    web_start(web, options, "127.0.0.1:0", secure ? tls : NULL);
}

SSL_CTX *
web_group_client(bool secure)
{
    return secure ? client : NULL;
}
