/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/interop/mutants_make.h"

#include <fts.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/ossl.h"
#include "ca/cmp/message/der.h"

enum {
    FILES_MAX = 8192,
    FILE_MAX = 256 * 1024,
    MESSAGE_MAX = 128 * 1024,
    PBM_COUNT = 100, /* the least that is allowed: time goes into parsing */
    EXTRA = CMP_EXTRA_CERTS_MAX
};

static void
must(int result, const char *what, const struct err *e)
{
    if (result != 0) {
        (void)fprintf(stderr, "mutants: %s: %s\n", what, e->text);
        exit(1);
    }
}

/* ---- corpora ---- */

static int
by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void
load(struct material *m, char **folders)
{
    FTS *tree = fts_open(folders, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    struct err e = {0};

    m->files = mem_zalloc(FILES_MAX, sizeof(*m->files));
    for (FTSENT *entry = NULL; tree != NULL && (entry = fts_read(tree)) != NULL;) {
        const char *suffix = strrchr(entry->fts_name, '.');

        if (entry->fts_info != FTS_F || m->n_files == FILES_MAX ||
            (suffix != NULL && (strcmp(suffix, ".md") == 0 || strcmp(suffix, ".xz") == 0))) {
            continue; /* says where the files are from, or holds them packed */
        }
        m->files[m->n_files] = BUF_INIT(FILE_MAX);
        must(file_read(entry->fts_path, &m->files[m->n_files], &e), entry->fts_path, &e);
        m->n_files++;
    }
    if (tree != NULL) {
        (void)fts_close(tree);
    }
}

static struct span
any_file(struct material *m)
{
    return buf_span(&m->files[mutator_below(&m->random, m->n_files)]);
}

/* ---- messages that are protected rightly ---- */

/* The body of a file that has the form of a message; empty when it has not. */
static struct span
foreign_body(struct span file)
{
    struct der message;
    struct der header;
    struct der body;

    if (!der_next(&file, &message) || !der_next(&message.content, &header) ||
        !der_next(&message.content, &body) || body.tag < DER_CONTEXT) {
        return (struct span){0};
    }
    return body.whole;
}

static void
request_body(struct material *m, struct buf *body)
{
    CLEANUP(x509_name_cleanup) X509_NAME *name = X509_NAME_new();
    struct err e = {0};

    must(name == NULL || X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                                    (const unsigned char *)"x", -1, -1, 0) != 1,
         "name", &e);
    must(cmp_client_body_request(CMP_IR, m->key, name, body, &e), "request", &e);
    if (mutator_below(&m->random, 4) == 0) {
        body->p[0] = (uint8_t)(DER_CONTEXT + mutator_below(&m->random, CMP_BODY_COUNT));
    }
}

static void
request(const struct cmp_client *as, struct span body, struct buf *message)
{
    CLEANUP(buf_free) struct buf recipient = {0};
    CLEANUP(x509_name_cleanup) X509_NAME *name = NULL;
    struct cmp_header h;
    struct err e = {0};

    must(cmp_header_first(&h, &e), "header", &e);
    must(cmp_client_header(as, &h, &name, &recipient, &e), "header", &e);
    must(cmp_client_seal(as, &h, body, message, &e), "seal", &e);
}

/* ProtectedPart of a request of this client, and how many elements its header has. */
static size_t
make_part(const struct cmp_client *as, struct span body, struct buf *part)
{
    CLEANUP(buf_free) struct buf message = BUF_INIT(MESSAGE_MAX);
    struct err e = {0};
    struct span in;
    struct der outer;
    struct der header;

    request(as, body, &message);
    in = buf_span(&message);
    if (!der_next(&in, &outer) || !der_next(&outer.content, &header)) {
        must(-1, "part", &e);
    }
    must(der_append(part, DER_SEQUENCE,
                    span_of(header.whole.p, header.whole.n + body.n), /* they are neighbours */
                    &e),
         "part", &e);
    return mutate_elements(header.whole);
}

/* Whose request, and what it asks: the body of a file may be somebody's right request, so it goes
 * with credentials that are used up. */
static const struct cmp_client *
choose(struct material *m, struct buf *body)
{
    struct span foreign = foreign_body(any_file(m));
    struct err e = {0};

    if (foreign.n == 0 || mutator_below(&m->random, 2) == 0) {
        request_body(m, body);
        return &m->open;
    }
    must(buf_set(body, foreign, &e), "body", &e);
    return mutator_below(&m->random, 2) == 0 ? &m->spent : &m->pinned;
}

static void
protected_mutant(struct material *m, struct buf *out)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf part = BUF_INIT(MESSAGE_MAX);
    CLEANUP(buf_free) struct buf mutant = BUF_INIT(MESSAGE_MAX);
    const struct cmp_client *as = choose(m, &body);
    struct span extra[EXTRA];
    size_t n_extra = 0;
    struct err e = {0};
    size_t header = make_part(as, buf_span(&body), &part);
    /* mostly in the body, so that the RA gets as far as reading it */
    size_t first = mutator_below(&m->random, 4) == 0 ? 1 : 1 + header;

    must(mutate_element(&m->random, buf_span(&part), first, any_file(m), &mutant, &e), "mutate",
         &e);
    if (mutator_below(&m->random, 8) == 0) {
        for (size_t n = mutator_below(&m->random, EXTRA); n_extra < n; n_extra++) {
            extra[n_extra] = any_file(m);
        }
    }
    if (cmp_client_protect(as, buf_span(&mutant), extra, n_extra, out, &e) != 0) {
        must(mutate_bits(&m->random, buf_span(&part), out, &e), "bits", &e); /* no ProtectedPart */
    }
}

/* A file or, as often, a request that is right until it is damaged. */
static struct span
victim(struct material *m, struct buf *own)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);

    if (mutator_below(&m->random, 2) == 0) {
        return any_file(m);
    }
    request_body(m, &body);
    request(mutator_below(&m->random, 2) == 0 ? &m->open : &m->pinned, buf_span(&body), own);
    return buf_span(own);
}

void
material_mutant(struct material *m, size_t kind, struct buf *out)
{
    CLEANUP(buf_free) struct buf own = BUF_INIT(MESSAGE_MAX);
    struct mutator *r = &m->random;
    struct err e = {0};
    int result = 0;

    switch (kind % 10) {
    case 0:
        result = mutate_bits(r, victim(m, &own), out, &e);
        break;
    case 1:
        result = mutate_truncate(r, victim(m, &own), out, &e);
        break;
    case 2:
        result = mutate_length(r, victim(m, &own), out, &e);
        break;
    case 3:
        result = mutate_tag(r, victim(m, &own), out, &e);
        break;
    case 4:
        result = mutate_splice(r, victim(m, &own), any_file(m), out, &e);
        break;
    case 5:
        result = mutate_element(r, victim(m, &own), 0, any_file(m), out, &e);
        break;
    default:
        protected_mutant(m, out);
    }
    must(result, "mutate", &e);
}

/* ---- credentials ---- */

/* The content of FOLDER/NAME without the end of its line. */
static char *
text_of(struct material *m, const char *folder, const char *name)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", folder, name);
    CLEANUP(buf_free) struct buf text = BUF_INIT(1024);
    struct err e = {0};

    must(file_read(path, &text, &e), path, &e);
    while (text.n > 0 && text.p[text.n - 1] == '\n') {
        buf_truncate(&text, text.n - 1);
    }
    m->texts[m->n_texts] = mem_printf("%.*s", (int)text.n, (const char *)text.p);
    return m->texts[m->n_texts++];
}

static FILE *
open_in(const char *folder, const char *name)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", folder, name);
    FILE *f = fopen(path, "re");

    if (f == NULL) {
        perror(path);
        exit(1);
    }
    return f;
}

static EVP_PKEY *
key_of(const char *folder, const char *name)
{
    FILE *f = open_in(folder, name);
    EVP_PKEY *key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
    struct err e = {0};

    (void)fclose(f);
    must(key == NULL, name, &e);
    return key;
}

static struct cmp_client
by_mac(struct material *m, const char *folder, const char *reference, const char *secret)
{
    return (struct cmp_client){.reference = text_of(m, folder, reference),
                               .secret = span_str(text_of(m, folder, secret)),
                               .algorithm = buf_span(&m->algorithm)};
}

static void
become(struct material *m, const char *folder)
{
    FILE *f = open_in(folder, "pinned.pem");
    struct err e = {0};

    m->algorithm = BUF_INIT(256);
    must(cmp_client_pbm(NID_sha256, PBM_COUNT, NID_hmacWithSHA256, &m->algorithm, &e), "PBM", &e);
    m->spent = by_mac(m, folder, "spent.reference", "spent.secret");
    m->open = by_mac(m, folder, "open.reference", "open.secret");
    m->pinned.certificate = PEM_read_X509(f, NULL, NULL, NULL);
    (void)fclose(f);
    must(m->pinned.certificate == NULL, "pinned.pem", &e);
    m->pinned.key = key_of(folder, "pinned.key");
    m->key = key_of(folder, "taken.key");
}

void
material_read(struct material *m, uint64_t seed, const char *credentials, char **folders)
{
    m->random = mutator_new(seed);
    become(m, credentials);
    load(m, folders);
}

void
material_free(struct material *m)
{
    for (size_t i = 0; i < m->n_files; i++) {
        buf_free(&m->files[i]);
    }
    mem_free(m->files);
    for (size_t i = 0; i < m->n_texts; i++) {
        mem_free(m->texts[i]);
    }
    buf_free(&m->algorithm);
    X509_free(m->pinned.certificate);
    EVP_PKEY_free(m->pinned.key);
    EVP_PKEY_free(m->key);
}
