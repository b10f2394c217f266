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
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/ossl.h"
#include "tests/interop/mutants_make.h"
#include "tests/support/http_client.h"

enum { TIMEOUT_MS = 60000, ANSWER_MAX = 128 * 1024, PIDS = 2, STATUSES = 600 };

struct run {
    struct http_client http;
    const char *path;
    pid_t pids[PIDS];
    struct material material;
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
    CLEANUP(buf_free) struct buf body = BUF_INIT(ANSWER_MAX);
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
    CLEANUP(buf_free) struct buf message = BUF_INIT(MATERIAL_MESSAGE_MAX);
    long before[PIDS] = {0};

    for (size_t i = 0; i < r->material.n_files; i++) {
        send_one(r, "a file of the corpora", buf_span(&r->material.files[i]));
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
        material_mutant(&r->material, i, &message);
        send_one(r, what, buf_span(&message));
    }
    report(r);
    for (int p = 0; p < PIDS; p++) {
        (void)printf("rss %d %ld %ld\n", (int)r->pids[p], before[p], resident_kib(r->pids[p]));
    }
    (void)printf("%zu corpus files and %zu mutants\n", r->material.n_files, count);
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
    if (ossl_init(&e) != 0) {
        (void)fprintf(stderr, "mutants: %s\n", e.text);
        return 1;
    }
    r.http = (struct http_client){.host = argv[1],
                                  .port = (int)strtol(argv[2], NULL, 10),
                                  .fd = -1,
                                  .timeout_ms = TIMEOUT_MS};
    r.path = argv[3];
    r.pids[0] = (pid_t)strtol(argv[7], &comma, 10);
    r.pids[1] = (pid_t)strtol(comma + 1, NULL, 10);
    material_read(&r.material, strtoull(argv[4], NULL, 10), argv[8], argv + 9);
    run(&r, strtoul(argv[5], NULL, 10), strtoul(argv[6], NULL, 10));
    material_free(&r.material);
    http_client_close(&r.http);
    OPENSSL_cleanup(); /* the random generators, which hang on locked memory */
    return 0;
}
