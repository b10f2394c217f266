/* SPDX-License-Identifier: Apache-2.0 */
/* What the texts for all clients are made of. */
#include <openssl/pem.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ossl.h"
#include "ra/bundle/bundle.h"

const char *
bundle_member(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));

    return value == NULL ? "" : value;
}

void
bundle_add(struct bundle *b, const char *fmt, ...)
{
    va_list ap;
    char *line = NULL;

    va_start(ap, fmt);
    if (vasprintf(&line, fmt, ap) < 0) {
        abort();
    }
    va_end(ap);
    if (b->result == 0 && buf_append_str(&b->text, line, &b->e) != 0) {
        b->result = -1;
    }
    mem_free(line);
}

char *
bundle_quoted(const char *word)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(BUNDLE_TEXT_MAX);
    struct err e;

    (void)buf_append_str(&out, "'", &e);
    for (const char *p = word; *p != '\0'; p++) {
        (void)(*p == '\'' ? buf_append_str(&out, "'\\''", &e)
                          : buf_append(&out, span_of(p, 1), &e));
    }
    (void)buf_append_str(&out, "'", &e);
    return mem_printf("%.*s", (int)out.n, (const char *)out.p);
}

void
bundle_add_lines(struct bundle *b, const char *text, int indent)
{
    while (*text != '\0') {
        int n = (int)strcspn(text, "\n");

        bundle_add(b, "%*s%.*s\n", indent, "", n, text);
        text += n + (text[n] == '\n');
    }
}

void
bundle_add_pem(struct bundle *b, X509 *certificate, int indent)
{
    CLEANUP(bio_cleanup) BIO *bio = BIO_new(BIO_s_mem());
    CLEANUP(mem_cleanup) char *copy = NULL;
    char *text;
    long n;

    if (bio == NULL || PEM_write_bio_X509(bio, certificate) != 1) {
        b->result = ossl_err(&b->e, ERR_CRYPTO, "PEM");
        return;
    }
    n = BIO_get_mem_data(bio, &text);
    copy = mem_printf("%.*s", (int)n, text);
    bundle_add_lines(b, copy, indent);
}

bool
bundle_is_mac(const struct bundle *b)
{
    return strcmp(b->proof, "mac") == 0;
}

void
bundle_add_secret(struct bundle *b)
{
    bundle_add(b, "  [ -s secret.txt ] || { echo 'put the one-time secret into secret.txt' >&2; "
                  "exit 1; }\n");
}

void
bundle_add_genpkey(struct bundle *b, const char *before, const char *file)
{
    bundle_add(b, "  %sopenssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out %s\n",
               before, file);
}

void
bundle_add_key(struct bundle *b)
{
    if (bundle_is_mac(b)) {
        bundle_add_secret(b);
    } else if (strcmp(b->proof, "publicKey") == 0) {
        bundle_add(b,
                   "  # nf.key is the registered key: it is not made here.\n"
                   "  openssl req -x509 -new -key nf.key -subj %s -days 1 -addext "
                   "basicConstraints=critical,CA:FALSE -addext keyUsage=critical,"
                   "digitalSignature -out self.pem\n",
                   b->subject);
        return;
    } else {
        bundle_add(b, "  # initial.pem is the registered certificate, initial.key its key%s.\n",
                   strcmp(b->proof, "vendor") == 0 ? ", vendor-chain.pem\n  # the certificates up "
                                                     "to the vendor's root (without it)"
                                                   : "");
    }
    bundle_add_genpkey(b, "[ -s nf.key ] || ", "nf.key");
}
