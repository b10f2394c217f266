/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever wants to keep an RA busy: ir protected by PBMAC1 with as many iterations as it takes, of
 * a known reference, with octets that are no MAC. It does not wait when it is told to.
 *
 *   bench.flood HOST PORT PATH REFERENCE ITERATIONS SECONDS CONNECTIONS ADDRESS...
 *
 * CONNECTIONS from each ADDRESS (127.0.0.2 ...), for SECONDS. Prints how many answers of which HTTP
 * status there were.
 */
#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ossl.h"
#include "tests/support/cmp_client.h"
#include "tests/support/http_client.h"

enum { MAC_SIZE = 32, TIMEOUT_MS = 120 * 1000, KINDS = 3 };

struct flood {
    const char *host;
    int port;
    const char *path;
    const char *reference;
    uint32_t iterations;
    int64_t until_ms;
    atomic_size_t answers[KINDS]; /* 200, 503, else */
};

struct source {
    struct flood *flood;
    const char *address;
    pthread_t thread;
};

static int
make(const struct flood *f, EVP_PKEY *key, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf algorithm = BUF_INIT(1024);
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf part = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf recipient = {0};
    CLEANUP(x509_name_cleanup) X509_NAME *name = NULL;
    struct cmp_client client = {.reference = f->reference, .secret = SPAN_LITERAL("none")};
    struct cmp_header header;
    uint8_t no_mac[MAC_SIZE];

    if (cmp_client_pbmac1(NID_hmacWithSHA256, f->iterations, NID_hmacWithSHA256, &algorithm, e) !=
            0 ||
        RAND_bytes(no_mac, sizeof(no_mac)) != 1) {
        return -1;
    }
    client.algorithm = buf_span(&algorithm);
    if (cmp_header_first(&header, e) != 0 ||
        cmp_client_header(&client, &header, &name, &recipient, e) != 0) {
        return -1;
    }
    header.algorithm = client.algorithm;
    return cmp_client_body_request(CMP_IR, key, NULL, &body, e) != 0 ||
                   cmp_build_part(&header, buf_span(&body), &part, e) != 0 ||
                   cmp_build_finish(buf_span(&part), span_of(no_mac, sizeof(no_mac)), NULL, 0, out,
                                    e) != 0
               ? -1
               : 0;
}

static void *
run(void *arg)
{
    const struct source *source = arg;
    struct flood *f = source->flood;
    struct http_client http = {.host = f->host,
                               .port = f->port,
                               .fd = -1,
                               .timeout_ms = TIMEOUT_MS,
                               .source = source->address};
    struct err e = {0};
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = cmp_client_key(&e);

    while (clock_monotonic_ms() < f->until_ms) {
        CLEANUP(buf_free) struct buf message = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(buf_free) struct buf answer = BUF_INIT(CMP_MESSAGE_MAX);
        int status = 0;

        if (make(f, key, &message, &e) != 0) {
            (void)fprintf(stderr, "bench.flood: %s\n", e.text);
            abort();
        }
        (void)http_client_post(&http, f->path, buf_span(&message), &status, &answer, &e);
        (void)atomic_fetch_add(&f->answers[status == 200 ? 0 : status == 503 ? 1 : 2], 1);
    }
    http_client_close(&http);
    return NULL;
}

int
main(int argc, char **argv)
{
    struct flood f = {0};
    struct source *sources;
    size_t per_address;
    size_t n;
    struct err e = {0};

    if (argc < 9 || ossl_init(&e) != 0) {
        (void)fputs("usage: bench.flood HOST PORT PATH REFERENCE ITERATIONS SECONDS CONNECTIONS "
                    "ADDRESS...\n",
                    stderr);
        return 2;
    }
    f.host = argv[1];
    f.port = (int)strtol(argv[2], NULL, 10);
    f.path = argv[3];
    f.reference = argv[4];
    f.iterations = (uint32_t)strtoul(argv[5], NULL, 10);
    f.until_ms = clock_monotonic_ms() + 1000 * strtol(argv[6], NULL, 10);
    per_address = strtoul(argv[7], NULL, 10);
    n = per_address * (size_t)(argc - 8);
    sources = mem_zalloc(n, sizeof(*sources));
    for (size_t i = 0; i < n; i++) {
        sources[i] = (struct source){.flood = &f, .address = argv[8 + i / per_address]};
        if (pthread_create(&sources[i].thread, NULL, run, &sources[i]) != 0) {
            abort();
        }
    }
    for (size_t i = 0; i < n; i++) {
        (void)pthread_join(sources[i].thread, NULL);
    }
    (void)printf("answered %zu\nrefused %zu\nbroken %zu\n", atomic_load(&f.answers[0]),
                 atomic_load(&f.answers[1]), atomic_load(&f.answers[2]));
    mem_free(sources);
    return 0;
}
