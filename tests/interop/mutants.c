/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mutants HOST PORT PATH SEED COUNT WARM PID,PID CREDENTIALS CORPUS...
 *
 * POSTs every file of the corpora and then COUNT mutants to a live RA: damaged files and requests,
 * two in one, and messages that are protected rightly, so that what is wrong in them is read by an
 * RA, or a CA, that has authenticated them. None of these may be good for a certificate.
 * CREDENTIALS is a folder: spent.{reference,secret} and pinned.{pem,key} of registrations that are
 * used up; open.{reference,secret} of one that is not, whose requests are for taken.key, another
 * NF's key. Every answer is a CMP message or an HTTP error, none brings a certificate, and the
 * processes stay alive. Prints how often what was answered, and the resident memory of the
 * processes after the corpora and WARM mutants and at the end: "rss PID KIB KIB". On failure the
 * message that did it is in ./failed.der.
 */
#include <errno.h>
#include <fts.h>
#include <openssl/pem.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/ossl.h"
#include "ca/cmp/der.h"
#include "tests/interop/mutate.h"
#include "tests/support/cmp_client.h"
#include "tests/support/http_client.h"

enum {
    TIMEOUT_MS = 60000,
    FILES_MAX = 8192,
    FILE_MAX = 256 * 1024,
    SENT_MAX = 192 * 1024,
    MESSAGE_MAX = 128 * 1024,
    PBM_COUNT = 100, /* the least that is allowed: time goes into parsing */
    PIDS = 2,
    TEXTS = 4,
    EXTRA = CMP_EXTRA_CERTS_MAX,
    STATUSES = 600
};

struct run {
    struct http_client http;
    const char *path;
    struct mutator random;
    pid_t pids[PIDS];
    struct buf *files;
    size_t n_files;
    struct cmp_client spent;
    struct cmp_client pinned;
    struct cmp_client open;
    EVP_PKEY *key; /* to be certified, and another NF's */
    struct buf algorithm;
    char *texts[TEXTS];
    size_t n_texts;
    size_t bodies[CMP_BODY_COUNT]; /* answers */
    size_t failures[CMP_FAILURE_COUNT];
    size_t statuses[STATUSES]; /* HTTP, without a CMP message */
    size_t again;              /* connections that the RA had closed before it read the request */
};

static void
fail(const char *what, struct span message, const char *why)
{
    FILE *f = fopen("failed.der", "wbe");

    if (f != NULL) {
        (void)fwrite(message.p, 1, message.n, f);
        (void)fclose(f);
    }
    (void)fprintf(stderr, "mutants: %s: %s (the message is in failed.der)\n", what, why);
    (void)fflush(NULL);
    _exit(1); /* what is still allocated is no leak */
}

static void
must(int result, const char *what, const struct err *e)
{
    if (result != 0) {
        (void)fprintf(stderr, "mutants: %s: %s\n", what, e->text);
        exit(1);
    }
}

/* What a CMP message says; it must not be a certificate. */
static void
count_answer(struct run *r, const char *what, struct span message, const struct cmp_msg *m)
{
    CLEANUP(cmp_client_answer_free)
    struct cmp_client_answer answer = {.body = cmp_msg_body(m),
                                       .certificate = BUF_INIT(CMP_MESSAGE_MAX)};
    struct err e = {0};

    r->bodies[answer.body]++;
    if (answer.body != CMP_IP && answer.body != CMP_CP && answer.body != CMP_KUP &&
        answer.body != CMP_ERROR) {
        return;
    }
    if (cmp_client_read_body(m, &answer, &e) != 0) {
        fail(what, message, e.text);
    }
    if (answer.certificate.n != 0) {
        fail(what, message, "the answer has a certificate");
    }
    for (int bit = 0; bit < CMP_FAILURE_COUNT; bit++) {
        r->failures[bit] += answer.status.failures >> bit & 1U;
    }
}

static void
send_one(struct run *r, const char *what, struct span message)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(MESSAGE_MAX);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *m = NULL;
    struct err e = {0};
    int status = 0;

    if (http_client_post(&r->http, r->path, message, &status, &body, &e) != 0) {
        r->again++;
        if (http_client_post(&r->http, r->path, message, &status, &body, &e) != 0) {
            fail(what, message, e.text);
        }
    }
    for (int i = 0; i < PIDS; i++) {
        if (kill(r->pids[i], 0) != 0) {
            fail(what, message, "a process is gone");
        }
    }
    m = cmp_msg_parse(buf_span(&body), CMP_MESSAGE_MAX, &e);
    if (m != NULL) {
        count_answer(r, what, message, m);
    } else if (status >= 400 && status < STATUSES) {
        r->statuses[status]++;
    } else {
        fail(what, message, "neither a CMP message nor an HTTP error");
    }
}

/* ---- corpora ---- */

static int
by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void
load(struct run *r, char **folders)
{
    FTS *tree = fts_open(folders, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    struct err e = {0};

    r->files = mem_zalloc(FILES_MAX, sizeof(*r->files));
    for (FTSENT *entry = NULL; tree != NULL && (entry = fts_read(tree)) != NULL;) {
        const char *suffix = strrchr(entry->fts_name, '.');

        if (entry->fts_info != FTS_F || r->n_files == FILES_MAX ||
            (suffix != NULL && (strcmp(suffix, ".md") == 0 || strcmp(suffix, ".xz") == 0))) {
            continue; /* says where the files are from, or holds them packed */
        }
        r->files[r->n_files] = BUF_INIT(FILE_MAX);
        must(file_read(entry->fts_path, &r->files[r->n_files], &e), entry->fts_path, &e);
        r->n_files++;
    }
    if (tree != NULL) {
        (void)fts_close(tree);
    }
}

static struct span
any_file(struct run *r)
{
    return buf_span(&r->files[mutator_below(&r->random, r->n_files)]);
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
request_body(struct run *r, struct buf *body)
{
    CLEANUP(x509_name_cleanup) X509_NAME *name = X509_NAME_new();
    struct err e = {0};

    must(name == NULL || X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                                    (const unsigned char *)"x", -1, -1, 0) != 1,
         "name", &e);
    must(cmp_client_body_request(CMP_IR, r->key, name, body, &e), "request", &e);
    if (mutator_below(&r->random, 4) == 0) {
        body->p[0] = (uint8_t)(DER_CONTEXT + mutator_below(&r->random, CMP_BODY_COUNT));
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
        fail("part", buf_span(&message), "no message");
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
choose(struct run *r, struct buf *body)
{
    struct span foreign = foreign_body(any_file(r));
    struct err e = {0};

    if (foreign.n == 0 || mutator_below(&r->random, 2) == 0) {
        request_body(r, body);
        return &r->open;
    }
    must(buf_set(body, foreign, &e), "body", &e);
    return mutator_below(&r->random, 2) == 0 ? &r->spent : &r->pinned;
}

static void
protected_mutant(struct run *r, struct buf *out)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf part = BUF_INIT(MESSAGE_MAX);
    CLEANUP(buf_free) struct buf mutant = BUF_INIT(MESSAGE_MAX);
    const struct cmp_client *as = choose(r, &body);
    struct span extra[EXTRA];
    size_t n_extra = 0;
    struct err e = {0};
    size_t header = make_part(as, buf_span(&body), &part);
    /* mostly in the body, so that the RA gets as far as reading it */
    size_t first = mutator_below(&r->random, 4) == 0 ? 1 : 1 + header;

    must(mutate_element(&r->random, buf_span(&part), first, any_file(r), &mutant, &e), "mutate",
         &e);
    if (mutator_below(&r->random, 8) == 0) {
        for (size_t n = mutator_below(&r->random, EXTRA); n_extra < n; n_extra++) {
            extra[n_extra] = any_file(r);
        }
    }
    if (cmp_client_protect(as, buf_span(&mutant), extra, n_extra, out, &e) != 0) {
        must(mutate_bits(&r->random, buf_span(&part), out, &e), "bits", &e); /* no ProtectedPart */
    }
}

/* A file or, as often, a request that is right until it is damaged. */
static struct span
victim(struct run *r, struct buf *own)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);

    if (mutator_below(&r->random, 2) == 0) {
        return any_file(r);
    }
    request_body(r, &body);
    request(mutator_below(&r->random, 2) == 0 ? &r->open : &r->pinned, buf_span(&body), own);
    return buf_span(own);
}

static void
mutant(struct run *r, size_t kind, struct buf *out)
{
    CLEANUP(buf_free) struct buf own = BUF_INIT(MESSAGE_MAX);
    struct mutator *m = &r->random;
    struct err e = {0};
    int result = 0;

    switch (kind % 10) {
    case 0:
        result = mutate_bits(m, victim(r, &own), out, &e);
        break;
    case 1:
        result = mutate_truncate(m, victim(r, &own), out, &e);
        break;
    case 2:
        result = mutate_length(m, victim(r, &own), out, &e);
        break;
    case 3:
        result = mutate_tag(m, victim(r, &own), out, &e);
        break;
    case 4:
        result = mutate_splice(m, victim(r, &own), any_file(r), out, &e);
        break;
    case 5:
        result = mutate_element(m, victim(r, &own), 0, any_file(r), out, &e);
        break;
    default:
        protected_mutant(r, out);
    }
    must(result, "mutate", &e);
}

/* ---- the whole ---- */

static long
resident_kib(pid_t pid)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "re");
    char line[256];
    long kib = -1;

    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        if (strncmp(line, "VmRSS:", 6) == 0) {
            kib = strtol(line + 6, NULL, 10);
        }
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    return kib;
}

static void
report(const struct run *r)
{
    for (int i = 0; i < CMP_BODY_COUNT; i++) {
        if (r->bodies[i] != 0) {
            (void)printf("answered %s: %zu\n", cmp_body_name((enum cmp_body)i), r->bodies[i]);
        }
    }
    for (int i = 0; i < CMP_FAILURE_COUNT; i++) {
        if (r->failures[i] != 0) {
            (void)printf("  %s: %zu\n", cmp_failure_name((enum cmp_failure)i), r->failures[i]);
        }
    }
    for (int i = 0; i < STATUSES; i++) {
        if (r->statuses[i] != 0) {
            (void)printf("answered HTTP %d alone: %zu\n", i, r->statuses[i]);
        }
    }
    (void)printf("connections opened again: %zu\n", r->again);
}

static void
run(struct run *r, size_t count, size_t warm)
{
    CLEANUP(buf_free) struct buf message = BUF_INIT(SENT_MAX);
    long before[PIDS];

    for (size_t i = 0; i < r->n_files; i++) {
        send_one(r, "a file of the corpora", buf_span(&r->files[i]));
    }
    for (size_t i = 0; i < count; i++) {
        char what[64];

        if (i == warm) {
            for (int p = 0; p < PIDS; p++) {
                before[p] = resident_kib(r->pids[p]);
            }
        }
        (void)snprintf(what, sizeof(what), "mutant %zu", i);
        buf_truncate(&message, 0);
        mutant(r, i, &message);
        send_one(r, what, buf_span(&message));
    }
    report(r);
    for (int p = 0; p < PIDS; p++) {
        (void)printf("rss %d %ld %ld\n", (int)r->pids[p], before[p], resident_kib(r->pids[p]));
    }
    (void)printf("%zu corpus files and %zu mutants\n", r->n_files, count);
}

/* The content of FOLDER/NAME without the end of its line. */
static char *
text_of(struct run *r, const char *folder, const char *name)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", folder, name);
    CLEANUP(buf_free) struct buf text = BUF_INIT(1024);
    struct err e = {0};

    must(file_read(path, &text, &e), path, &e);
    while (text.n > 0 && text.p[text.n - 1] == '\n') {
        buf_truncate(&text, text.n - 1);
    }
    r->texts[r->n_texts] = mem_printf("%.*s", (int)text.n, (const char *)text.p);
    return r->texts[r->n_texts++];
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
by_mac(struct run *r, const char *folder, const char *reference, const char *secret)
{
    return (struct cmp_client){.reference = text_of(r, folder, reference),
                               .secret = span_str(text_of(r, folder, secret)),
                               .algorithm = buf_span(&r->algorithm)};
}

static void
become(struct run *r, const char *folder)
{
    FILE *f = open_in(folder, "pinned.pem");
    struct err e = {0};

    r->algorithm = BUF_INIT(256);
    must(cmp_client_pbm(NID_sha256, PBM_COUNT, NID_hmacWithSHA256, &r->algorithm, &e), "PBM", &e);
    r->spent = by_mac(r, folder, "spent.reference", "spent.secret");
    r->open = by_mac(r, folder, "open.reference", "open.secret");
    r->pinned.certificate = PEM_read_X509(f, NULL, NULL, NULL);
    (void)fclose(f);
    must(r->pinned.certificate == NULL, "pinned.pem", &e);
    r->pinned.key = key_of(folder, "pinned.key");
    r->key = key_of(folder, "taken.key");
}

static void
release(struct run *r)
{
    for (size_t i = 0; i < r->n_files; i++) {
        buf_free(&r->files[i]);
    }
    mem_free(r->files);
    for (size_t i = 0; i < r->n_texts; i++) {
        mem_free(r->texts[i]);
    }
    buf_free(&r->algorithm);
    X509_free(r->pinned.certificate);
    EVP_PKEY_free(r->pinned.key);
    EVP_PKEY_free(r->key);
    http_client_close(&r->http);
}

int
main(int argc, char **argv)
{
    struct run r = {0};
    struct err e = {0};
    char *comma;

    if (argc < 10) {
        (void)fprintf(stderr, "usage: mutants HOST PORT PATH SEED COUNT WARM PID,PID CREDENTIALS "
                              "CORPUS...\n");
        return 2;
    }
    must(ossl_init(&e), "start", &e);
    r.http = (struct http_client){.host = argv[1],
                                  .port = (int)strtol(argv[2], NULL, 10),
                                  .fd = -1,
                                  .timeout_ms = TIMEOUT_MS};
    r.path = argv[3];
    r.random = mutator_new(strtoull(argv[4], NULL, 10));
    r.pids[0] = (pid_t)strtol(argv[7], &comma, 10);
    r.pids[1] = (pid_t)strtol(comma + 1, NULL, 10);
    become(&r, argv[8]);
    load(&r, argv + 9);
    run(&r, strtoul(argv[5], NULL, 10), strtoul(argv[6], NULL, 10));
    release(&r);
    OPENSSL_cleanup(); /* the random generators, which hang on locked memory */
    return 0;
}
