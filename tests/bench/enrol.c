/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many network functions that enrol at once: ir, ip, certConf, pkiConf over kept-alive connections.
 * All requests are prepared before the clock starts.
 *
 *   bench.enrol [-p] [-i] [-r RATE] [-o DIR] [-s CERT KEY | -S FILE] [-1 ITERATIONS] HOST PORT
 *               PATH CREDENTIALS COUNT CONNECTIONS
 *   bench.enrol -g FILE COUNT
 *
 * CREDENTIALS has lines "reference secret", used in turn; with -s requests are signed instead and
 * CREDENTIALS is not read, with -S each by the next identity (identity.h) of FILE, which -g makes.
 * -i asks for implicitConfirm: then it is ir and ip alone. -1 protects by PBMAC1 with so many
 * iterations. Who is answered 503 comes again when Retry-After says so, until it is enrolled; its
 * connection waits. -r begins RATE a second, whatever becomes of those before, as far as there are
 * connections, which do not wait; who is refused comes again up to a second later than it was told.
 * -p persists: a connection that breaks is made again and the transaction is carried on as RFC 9483
 * allows (resend, then poll), until it ends; for the kill loop. -o writes each certificate as
 * DIR/<n>.der. Prints "name value unit" lines; exit status 1 when a transaction did not end with a
 * confirmed certificate.
 */
#include <openssl/pem.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "tests/bench/identity.h"
#include "tests/bench/schedule.h"
#include "tests/support/cmp_client.h"
#include "tests/support/http_client.h"

enum {
    LINE_SIZE = 256,
    PBM_COUNT = 500,
    TRIES_MAX = 600,
    CREDENTIALS_MAX = 1 << 18,
    CONTEXTS = 16
};

struct transaction {
    struct cmp_client client;
    struct cmp_client_state state;
    struct buf algorithm;
    struct buf request;
    struct buf certificate;
    double ms;        /* of the try that was not refused */
    int64_t since_ms; /* when it was due first */
    int64_t until_ms; /* when it ended */
    size_t refusals;
    bool done;
    struct err e;
};

struct credential {
    char reference[LINE_SIZE];
    char secret[LINE_SIZE];
};

struct run {
    const char *host;
    int port;
    const char *path;
    const char *out;
    bool persist;
    bool implicit;
    unsigned rate;   /* a second; 0: as fast as they end */
    uint32_t pbmac1; /* iterations; 0: PasswordBasedMac */
    struct credential *credentials;
    size_t n_credentials;
    X509 *certificate;
    EVP_PKEY *key;
    struct identity *identities; /* one for each transaction; NULL: none */
    struct transaction *transactions;
    size_t count;
    size_t connections;
    /* One for each connection would be more random generators than the secure heap has room for. */
    OSSL_LIB_CTX *contexts[CONTEXTS];
    atomic_size_t joined;
    struct schedule *schedule;
    atomic_size_t refused;     /* answers 503 */
    atomic_size_t refused_max; /* the one that took longest: us */
    atomic_size_t late_max;    /* behind its time, for want of a connection: ms */
};

static void
pause_ms(long ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    (void)nanosleep(&t, NULL);
}

/* ---- before the clock starts ---- */

static int
load_credentials(const char *path, struct run *run, struct err *e)
{
    FILE *f = fopen(path, "re");

    if (f == NULL) {
        return err_set(e, ERR_IO, "cannot open %s", path);
    }
    run->credentials = mem_zalloc(CREDENTIALS_MAX, sizeof(*run->credentials));
    while (run->n_credentials < CREDENTIALS_MAX) {
        struct credential *c = &run->credentials[run->n_credentials];

        if (fscanf(f, "%255s %255s", c->reference, c->secret) != 2) {
            break;
        }
        run->n_credentials++;
    }
    (void)fclose(f);
    return run->n_credentials == 0 ? err_set(e, ERR_INPUT, "%s has no line", path) : 0;
}

static int
load_signer(const char *certificate, const char *key, struct run *run, struct err *e)
{
    CLEANUP(bio_cleanup) BIO *bio = BIO_new_file(key, "r");

    run->certificate = certificate_load(certificate, e);
    if (run->certificate == NULL) {
        return -1;
    }
    run->key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    return run->key == NULL ? ossl_err(e, ERR_INPUT, "%s: no private key", key) : 0;
}

static int
prepare(const struct run *run, size_t i, struct transaction *t, struct err *e)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = cmp_client_key(e);
    CLEANUP(x509_name_cleanup) X509_NAME *subject = X509_NAME_new();

    t->algorithm = BUF_INIT(1024);
    t->request = BUF_INIT(CMP_MESSAGE_MAX);
    t->certificate = BUF_INIT(CMP_MESSAGE_MAX);
    if (key == NULL || X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                                  (const unsigned char *)"nf", -1, -1, 0) != 1) {
        return -1;
    }
    t->client.implicit_confirm = run->implicit;
    if (run->identities != NULL) {
        t->client.certificate = run->identities[i].certificate;
        t->client.key = run->identities[i].key;
    } else if (run->certificate != NULL) {
        t->client.certificate = run->certificate;
        t->client.key = run->key;
    } else {
        const struct credential *c = &run->credentials[i % run->n_credentials];

        if ((run->pbmac1 != 0
                 ? cmp_client_pbmac1(NID_hmacWithSHA256, run->pbmac1, NID_hmacWithSHA256,
                                     &t->algorithm, e)
                 : cmp_client_pbm(NID_sha256, PBM_COUNT, NID_hmac_sha1, &t->algorithm, e)) != 0) {
            return -1;
        }
        t->client.reference = c->reference;
        t->client.secret = span_str(c->secret);
        t->client.algorithm = buf_span(&t->algorithm);
    }
    return cmp_client_request(&t->client, CMP_IR, key, subject, &t->state, &t->request, e);
}

/* ---- one transaction ---- */

static void
raise_to(atomic_size_t *max, size_t value)
{
    size_t before = atomic_load(max);

    while (before < value && !atomic_compare_exchange_weak(max, &before, value)) {
    }
}

static int64_t
now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Posts until there is an answer; without -p a broken connection ends the transaction. ERR_BUSY:
 * a first message was told to come again. */
static int
exchange(struct run *run, struct http_client *http, struct transaction *t, struct span message,
         struct cmp_client_answer *answer, struct err *e)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    int status = 0;

    for (int tries = 0;; tries++) {
        const int64_t start = now_us();
        const int result = http_client_post(http, run->path, message, &status, &body, e);

        if (result == 0 && status == 503 && !run->persist) {
            (void)atomic_fetch_add(&run->refused, 1);
            raise_to(&run->refused_max, (size_t)(now_us() - start));
            if (message.p == t->request.p) {
                t->refusals++;
                return err_set(e, ERR_BUSY, "HTTP status 503");
            }
            pause_ms(1000L * http->retry_after);
            continue;
        }
        if (result == 0 && body.n > 0) {
            break;
        }
        if (!run->persist || tries == TRIES_MAX) {
            return err_wrap(e, "HTTP status %d", status);
        }
        pause_ms(50);
    }
    cmp_client_answer_free(answer);
    return cmp_client_read(&t->client, buf_span(&body), NULL, &t->state, answer, e);
}

static bool
failed_with(const struct cmp_client_answer *a, enum cmp_failure failure)
{
    return a->body == CMP_ERROR && (a->status.failures >> failure & 1U) != 0;
}

static int
refused(const struct cmp_client_answer *a, struct err *e)
{
    return err_set(e, ERR_DENIED, "%s, status %d, failInfo bits %x: %s", cmp_body_name(a->body),
                   (int)a->status.status, a->status.failures, a->status.text);
}

/* ir until ip with a certificate: polls while the CA is not done, and after a lost answer. */
static int
obtain(struct run *run, struct http_client *http, struct transaction *t,
       struct cmp_client_answer *answer, struct err *e)
{
    CLEANUP(buf_free) struct buf message = BUF_INIT(CMP_MESSAGE_MAX);

    if (exchange(run, http, t, buf_span(&t->request), answer, e) != 0) {
        return -1;
    }
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        bool waiting = (answer->body == CMP_IP && answer->status.status == CMP_WAITING) ||
                       answer->body == CMP_POLLREP;
        bool lost = run->persist && (failed_with(answer, CMP_TRANSACTION_ID_IN_USE) ||
                                     failed_with(answer, CMP_SYSTEM_UNAVAIL));

        if (answer->body == CMP_IP && answer->certificate.n > 0) {
            return 0;
        }
        if (!waiting && !lost) {
            return refused(answer, e);
        }
        pause_ms(waiting && answer->check_after > 0 ? answer->check_after * 1000 : 100);
        if (lost) {
            t->state.recip_nonce_size = 0; /* an error is no part of the transaction */
        }
        if (cmp_client_pollreq(&t->client, 0, &t->state, &message, e) != 0 ||
            exchange(run, http, t, buf_span(&message), answer, e) != 0) {
            return -1;
        }
    }
    return err_set(e, ERR_BUSY, "polled %d times without a certificate", TRIES_MAX);
}

static int
confirm(struct run *run, struct http_client *http, struct transaction *t,
        struct cmp_client_answer *answer, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *certificate = certificate_parse(buf_span(&t->certificate), e);
    CLEANUP(buf_free) struct buf message = BUF_INIT(CMP_MESSAGE_MAX);

    if (certificate == NULL ||
        cmp_client_certconf(&t->client, certificate, true, &t->state, &message, e) != 0) {
        return -1;
    }
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        if (exchange(run, http, t, buf_span(&message), answer, e) != 0) {
            return -1;
        }
        if (answer->body == CMP_PKICONF ||
            (run->persist && failed_with(answer, CMP_CERT_CONFIRMED))) {
            return 0;
        }
        if (!run->persist || !failed_with(answer, CMP_SYSTEM_UNAVAIL)) {
            return refused(answer, e);
        }
        pause_ms(100);
    }
    return err_set(e, ERR_BUSY, "no pkiConf after %d tries", TRIES_MAX);
}

static int
enrol(struct run *run, struct http_client *http, struct transaction *t, struct err *e)
{
    struct cmp_client_answer answer = {.certificate = BUF_INIT(CMP_MESSAGE_MAX)};
    int result = obtain(run, http, t, &answer, e);

    if (result == 0) {
        result = buf_set(&t->certificate, buf_span(&answer.certificate), e);
    }
    if (result == 0 && !answer.implicit_confirm) {
        result = confirm(run, http, t, &answer, e);
    }
    cmp_client_answer_free(&answer);
    return result;
}

static void
come_again(struct run *run, size_t which, int64_t wait_ms)
{
    if (run->rate > 0) {
        schedule_again(run->schedule, which, wait_ms + (int64_t)(which * 617 % 1000));
    } else {
        pause_ms(wait_ms);
        schedule_again(run->schedule, which, 0);
    }
}

static void *
connection(void *arg)
{
    struct run *run = arg;
    struct http_client http = {.host = run->host, .port = run->port, .fd = -1, .timeout_ms = 60000};
    OSSL_LIB_CTX *libctx = run->contexts[atomic_fetch_add(&run->joined, 1) % CONTEXTS];
    OSSL_LIB_CTX *before = OSSL_LIB_CTX_set0_default(libctx);
    int64_t due;
    size_t i;

    while (schedule_take(run->schedule, &i, &due)) {
        struct transaction *t = &run->transactions[i];
        const int64_t start = now_us();

        if (t->refusals == 0) {
            t->since_ms = due;
        }
        raise_to(&run->late_max, (size_t)(start / 1000 - due));
        t->e = (struct err){0};
        t->done = enrol(run, &http, t, &t->e) == 0;
        t->ms = (double)(now_us() - start) / 1e3;
        if (!t->done && t->e.code == ERR_BUSY && t->refusals > 0) {
            come_again(run, i, 1000L * http.retry_after);
        } else {
            t->until_ms = now_us() / 1000;
            schedule_ended(run->schedule);
        }
    }
    http_client_close(&http);
    OPENSSL_thread_stop_ex(libctx);
    (void)OSSL_LIB_CTX_set0_default(before);
    return NULL;
}

/* ---- what came out ---- */

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* Of a run with -r: while they came, and all of it. */
static void
report_offered(const struct run *run, int64_t start_ms)
{
    const int64_t end_ms = start_ms + (int64_t)(run->count * 1000 / run->rate);
    double *ms = mem_zalloc(run->count, sizeof(*ms));
    size_t during = 0;
    size_t at_once = 0;

    for (size_t i = 0; i < run->count; i++) {
        const struct transaction *t = &run->transactions[i];

        during += t->done && t->until_ms <= end_ms;
        at_once += t->done && t->refusals == 0;
        ms[i] = (double)(t->until_ms - t->since_ms);
    }
    qsort(ms, run->count, sizeof(*ms), compare);
    (void)printf("offered %u /s\nduring %.0f /s\nat_once %zu\nrefusal_max %.1f ms\n"
                 "late_max %zu ms\nwhole_p50 %.0f ms\nwhole_p99 %.0f ms\nwhole_max %.0f ms\n",
                 run->rate, (double)during * 1e3 / (double)(end_ms - start_ms), at_once,
                 (double)atomic_load(&run->refused_max) / 1e3, atomic_load(&run->late_max),
                 ms[run->count / 2], ms[run->count * 99 / 100], ms[run->count - 1]);
    mem_free(ms);
}

static int
report(const struct run *run, double seconds)
{
    double *ms = mem_zalloc(run->count, sizeof(*ms));
    size_t ok = 0;

    for (size_t i = 0; i < run->count; i++) {
        const struct transaction *t = &run->transactions[i];
        struct err e = {0};

        if (!t->done) {
            if (ok + 10 > i) { /* the first few are enough to see what is wrong */
                (void)fprintf(stderr, "transaction %zu: %s\n", i, t->e.text);
            }
            continue;
        }
        ms[ok++] = t->ms;
        if (run->out != NULL) {
            CLEANUP(mem_cleanup) char *path = mem_printf("%s/%zu.der", run->out, i);

            if (file_write(path, buf_span(&t->certificate), 0644, &e) != 0) {
                (void)fprintf(stderr, "%s\n", e.text);
                return 1;
            }
        }
    }
    qsort(ms, ok, sizeof(*ms), compare);
    (void)printf("enrolled %zu of %zu\nseconds %.2f s\nrate %.0f /s\n", ok, run->count, seconds,
                 (double)ok / seconds);
    if (ok > 0) {
        (void)printf("p50 %.1f ms\np99 %.1f ms\n", ms[ok / 2], ms[ok * 99 / 100]);
    }
    mem_free(ms);
    return ok == run->count ? 0 : 1;
}

static double
cpu_us(void)
{
    struct rusage u;

    (void)getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static int
run_all(struct run *run)
{
    pthread_t *threads = mem_zalloc(run->connections, sizeof(*threads));
    double cpu = cpu_us();
    int64_t start;
    double seconds;

    for (size_t i = 0; i < CONTEXTS; i++) {
        run->contexts[i] = OSSL_LIB_CTX_new();
    }
    start = clock_monotonic_ms();
    run->schedule = schedule_new(run->count, run->rate);
    for (size_t i = 0; i < run->connections; i++) {
        if (pthread_create(&threads[i], NULL, connection, run) != 0) {
            abort();
        }
    }
    for (size_t i = 0; i < run->connections; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    mem_free(threads);
    for (size_t i = 0; i < CONTEXTS; i++) {
        OSSL_LIB_CTX_free(run->contexts[i]);
    }
    seconds = (double)(clock_monotonic_ms() - start) / 1000.0;
    cpu = cpu_us() - cpu;
    (void)printf("client %.0f us\nrefusals %zu\n", cpu / (double)run->count,
                 atomic_load(&run->refused));
    schedule_free(run->schedule);
    if (run->rate > 0) {
        report_offered(run, start);
    }
    return report(run, seconds);
}

static void
release(struct run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        struct transaction *t = &run->transactions[i];

        buf_free(&t->algorithm);
        buf_free(&t->request);
        buf_free(&t->certificate);
    }
    mem_free(run->transactions);
    mem_free(run->credentials);
    X509_free(run->certificate);
    EVP_PKEY_free(run->key);
    identities_free(run->identities, run->count);
    OPENSSL_cleanup();
}

static int
usage(void)
{
    (void)fprintf(stderr, "usage: bench.enrol [-p] [-i] [-r RATE] [-o DIR] [-s CERT KEY | -S FILE] "
                          "[-1 ITERATIONS] HOST PORT PATH CREDENTIALS COUNT CONNECTIONS\n"
                          "       bench.enrol -g FILE COUNT\n");
    return 2;
}

static int
complain(const struct err *e)
{
    (void)fprintf(stderr, "bench.enrol: %s\n", e->text);
    return 1;
}

struct arguments {
    const char *signer[2];
    const char *identities;
    int at; /* the first that is no option */
};

/* -1: go on; else the exit status. */
static int
parse_options(int argc, char **argv, struct run *run, struct arguments *a)
{
    int at = 1;

    for (; at < argc && argv[at][0] == '-'; at++) {
        if (strcmp(argv[at], "-p") == 0) {
            run->persist = true;
        } else if (strcmp(argv[at], "-i") == 0) {
            run->implicit = true;
        } else if (strcmp(argv[at], "-r") == 0 && at + 1 < argc) {
            run->rate = (unsigned)strtoul(argv[++at], NULL, 10);
        } else if (strcmp(argv[at], "-1") == 0 && at + 1 < argc) {
            run->pbmac1 = (uint32_t)strtoul(argv[++at], NULL, 10);
        } else if (strcmp(argv[at], "-o") == 0 && at + 1 < argc) {
            run->out = argv[++at];
        } else if (strcmp(argv[at], "-S") == 0 && at + 1 < argc) {
            a->identities = argv[++at];
        } else if (strcmp(argv[at], "-s") == 0 && at + 2 < argc) {
            a->signer[0] = argv[++at];
            a->signer[1] = argv[++at];
        } else {
            return usage();
        }
    }
    a->at = at;
    return argc - at == 6 ? -1 : usage();
}

static int
load(struct run *run, const struct arguments *a, const char *credentials, struct err *e)
{
    if (a->identities != NULL) {
        run->identities = identities_load(a->identities, run->count, e);
        return run->identities == NULL ? -1 : 0;
    }
    return a->signer[0] != NULL ? load_signer(a->signer[0], a->signer[1], run, e)
                                : load_credentials(credentials, run, e);
}

static int
generate(char **argv)
{
    struct err e = {0};
    int status = 0;

    if (ossl_init(&e) != 0 || identities_make(argv[2], strtoul(argv[3], NULL, 10), &e) != 0) {
        status = complain(&e);
    }
    OPENSSL_cleanup();
    return status;
}

int
main(int argc, char **argv)
{
    struct run run = {0};
    struct arguments a = {0};
    struct err e = {0};
    char **rest;
    int status;

    if (argc == 4 && strcmp(argv[1], "-g") == 0) {
        return generate(argv);
    }
    status = parse_options(argc, argv, &run, &a);
    if (status >= 0) {
        return status;
    }
    rest = argv + a.at;
    run.host = rest[0];
    run.port = (int)strtol(rest[1], NULL, 10);
    run.path = rest[2];
    run.count = strtoul(rest[4], NULL, 10);
    run.connections = strtoul(rest[5], NULL, 10);
    run.transactions = mem_zalloc(run.count + run.connections, sizeof(*run.transactions));
    if (ossl_init(&e) != 0 || load(&run, &a, rest[3], &e) != 0) {
        return complain(&e);
    }
    for (size_t i = 0; i < run.count; i++) {
        if (prepare(&run, i, &run.transactions[i], &e) != 0) {
            (void)err_wrap(&e, "prepare");
            return complain(&e);
        }
    }
    status = run_all(&run);
    release(&run);
    return status;
}
