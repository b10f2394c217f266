/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/interop/credentials.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "tests/interop/verdict.h"

enum { PBM_COUNT = 500, TEXT_MAX = 256 };

static FILE *
open_in(const char *folder, const char *name)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", folder, name);
    FILE *f = fopen(path, "re");

    if (f == NULL) {
        verdict_stop(path, "cannot be opened");
    }
    return f;
}

static char *
text_of(const char *folder, const char *name)
{
    FILE *f = open_in(folder, name);
    char *text = mem_zalloc(1, TEXT_MAX);

    if (fgets(text, TEXT_MAX, f) == NULL) {
        verdict_stop(name, "empty");
    }
    (void)fclose(f);
    text[strcspn(text, "\n")] = '\0';
    return text;
}

X509 *
credentials_certificate(const char *folder, const char *name)
{
    FILE *f = open_in(folder, name);
    X509 *certificate = PEM_read_X509(f, NULL, NULL, NULL);

    (void)fclose(f);
    if (certificate == NULL) {
        verdict_stop(name, "no certificate");
    }
    return certificate;
}

struct cmp_client
credentials_client(const char *folder, const char *name)
{
    CLEANUP(mem_cleanup) char *certificate = mem_printf("%s.pem", name);
    CLEANUP(mem_cleanup) char *key = mem_printf("%s.key", name);
    FILE *f = open_in(folder, key);
    struct cmp_client c = {.certificate = credentials_certificate(folder, certificate),
                           .key = PEM_read_PrivateKey(f, NULL, NULL, NULL)};

    (void)fclose(f);
    if (c.key == NULL) {
        verdict_stop(key, "no key");
    }
    return c;
}

void
credentials_client_free(struct cmp_client *c)
{
    X509_free(c->certificate);
    EVP_PKEY_free(c->key);
}

void
credentials_mac_load(struct credentials_mac *m, const char *folder)
{
    struct err e = {0};

    m->reference = text_of(folder, "mac.reference");
    m->secret = text_of(folder, "mac.secret");
    m->algorithm = BUF_INIT(256);
    verdict_must(cmp_client_pbm(NID_sha256, PBM_COUNT, NID_hmacWithSHA256, &m->algorithm, &e),
                 "PBM", &e);
    m->client = (struct cmp_client){.reference = m->reference,
                                    .secret = span_str(m->secret),
                                    .algorithm = buf_span(&m->algorithm)};
}

void
credentials_mac_free(struct credentials_mac *m)
{
    buf_free(&m->algorithm);
    mem_free(m->reference);
    mem_free(m->secret);
}
