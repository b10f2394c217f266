/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What several signers of one key sign, against what their token does: N real nfpki-signer, each
 * with a journal of its own, and a pool over them as nfpki-ca has it.
 *
 *   bench.signers p256|p384|rsa3072 fast|slow N SECONDS
 *
 * The token is SoftHSM; "slow" makes each C_Sign wait 2 ms, as for one far away, so that as many
 * can be asked for at once. Prints "name value unit" lines.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "pkcs11/client/pool.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/pkcs11/client/departure.h"
#include "tests/unit/pkcs11/client/world.h"

enum { CERTIFICATES = 192, UNDER_WAY = 64, TOKEN_MS = 1000 };

struct object {
    struct buf tbs;
    struct buf evidence;
};

struct bench {
    struct signer_pool *pool;
    struct tasks *finished;
    struct object objects[CERTIFICATES];
    struct signer_job jobs[SIGNER_POOL_MAX * UNDER_WAY];
    int64_t end; /* when nothing more is asked for */
    unsigned long asked, signatures;
};

static struct bench bench;

/* ---- what is signed: announced, under one checkpoint as in life ---- */

static void
make_objects(void)
{
    CLEANUP(buf_free) struct buf note = BUF_INIT(EVIDENCE_NOTE_MAX);
    char *leaves[CERTIFICATES];
    struct err e = {0};

    for (size_t i = 0; i < CERTIFICATES; i++) {
        bench.objects[i].tbs = BUF_INIT(8192);
        bench.objects[i].evidence = BUF_INIT(EVIDENCE_MAX);
        departure_make(NOTHING, &bench.objects[i].tbs);
        leaves[i] = scene_intent(buf_span(&bench.objects[i].tbs));
        (void)scene_log_add(&world.ledger, span_str(leaves[i]));
    }
    scene_log_note(&world.ledger, world.ledger.n, NULL, &note);
    for (size_t i = 0; i < CERTIFICATES; i++) {
        CLEANUP(buf_free) struct buf path = BUF_INIT(EVIDENCE_PATH_MAX);
        struct evidence v = {.note = buf_span(&note), .index = i, .leaf = span_str(leaves[i])};

        scene_log_path(&world.ledger, i, world.ledger.n, &path);
        v.path = buf_span(&path);
        assert_ok(evidence_encode(&v, &bench.objects[i].evidence, &e), &e);
        mem_free(leaves[i]);
    }
}

/* ---- the token: C_SignInit and C_Sign, one after the other ---- */

static double
token_rate(void)
{
    struct err e = {0};
    struct module *m = module_open(FAULTY, NULL, &e);
    struct session *s =
        m == NULL ? NULL : session_open(m, TOKEN, world.serial, SESSION_READ_ONLY, &e);
    const CK_FUNCTION_LIST *f;
    struct key *key;
    CK_MECHANISM mechanism = {key_signing_mechanism(world.algorithm), NULL, 0};
    CK_BYTE input[67] = {1};
    const CK_ULONG n_input = world.algorithm == KEY_RSA3072 ? 51
                             : world.algorithm == KEY_P384  ? 48
                                                            : 32;
    unsigned long count = 0;
    int64_t start;
    double rate;

    assert_non_null(s);
    assert_ok(session_login(s, USER_PIN, &e), &e);
    f = module_functions(m);
    key = key_find(s, key_policy_find("issuing-signing-v1", &e), span_of(world.id, KEY_ID_SIZE),
                   buf_span(&world.spki), &e);
    assert_non_null(key);
    start = clock_monotonic_ms();
    while (clock_monotonic_ms() - start < TOKEN_MS) {
        CK_BYTE signature[512];
        CK_ULONG n = sizeof(signature);

        assert_int_equal(f->C_SignInit(session_handle(s), &mechanism, key_get_private(key)),
                         CKR_OK);
        assert_int_equal(f->C_Sign(session_handle(s), input, n_input, signature, &n), CKR_OK);
        count++;
    }
    rate = (double)count * 1000.0 / (double)(clock_monotonic_ms() - start);
    key_free(key);
    session_close(s);
    module_close(m);
    return rate;
}

/* ---- the signers ---- */

static void
start_signers(int n)
{
    struct err e = {0};

    bench.finished = tasks_new(&e);
    bench.pool = signer_pool_new();
    for (int i = 0; i < n; i++) {
        CLEANUP(mem_cleanup) char *journal = mem_printf("journal = \"%d.journal\"", i);
        CLEANUP(mem_cleanup) char *path = mem_printf("%s/%d.conf", world.dir, i);
        CLEANUP(buf_free) struct buf text = BUF_INIT(8192);
        CLEANUP(mem_cleanup) char *changed = NULL;
        char *at;
        char *policy = world.policy;
        struct signer *s;

        assert_ok(file_read(world.policy, &text, &e), &e);
        at = memmem(text.p, text.n, "journal = \"journal\"", 19);
        assert_non_null(at);
        changed = mem_printf("%.*s%s%.*s", (int)(at - (char *)text.p), (char *)text.p, journal,
                             (int)(text.n - (size_t)(at - (char *)text.p) - 19), at + 19);
        assert_ok(file_write(path, span_str(changed), 0600, &e), &e);
        world.policy = path;
        s = world_start(bench.finished, 0, &e);
        world.policy = policy;
        if (s == NULL || signer_pool_add(bench.pool, s, &e) != 0) {
            (void)fprintf(stderr, "bench.signers: %s\n", e.text);
            exit(1);
        }
    }
}

static void on_signed(struct task *task);

static void
submit(struct signer_job *job)
{
    const struct object *o = &bench.objects[bench.asked++ % CERTIFICATES];

    *job = (struct signer_job){.task = {.done = on_signed},
                               .object = SIGNER_CERTIFICATE,
                               .tbs = buf_span(&o->tbs),
                               .evidence = buf_span(&o->evidence)};
    signer_pool_submit(bench.pool, job);
}

static void
on_signed(struct task *task)
{
    struct signer_job *job = CONTAINER_OF(task, struct signer_job, task);
    const bool goes_on = clock_monotonic_ms() < bench.end;

    if (job->result != 0) {
        (void)fprintf(stderr, "bench.signers: %s\n", job->e.text);
        exit(1);
    }
    bench.signatures += goes_on ? 1 : 0;
    buf_free(&job->signature);
    if (goes_on) {
        submit(job);
    }
}

static void
settle(void)
{
    struct pollfd p = {.fd = tasks_fd(bench.finished), .events = POLLIN};

    while (clock_monotonic_ms() < bench.end) {
        (void)poll(&p, 1, 100);
        tasks_finish(bench.finished);
    }
    for (size_t i = 0; i < signer_pool_n(bench.pool); i++) {
        while (signer_waiting(signer_pool_at(bench.pool, i)) > 0) {
            (void)poll(&p, 1, 100);
            tasks_finish(bench.finished);
        }
    }
    tasks_finish(bench.finished);
}

static double
cpu_ms(int who)
{
    struct rusage u;

    (void)getrusage(who, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000.0 +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000.0;
}

static void
run(int n, int seconds)
{
    const size_t under_way = (size_t)n * UNDER_WAY;
    double parent;
    double rate;

    start_signers(n);
    parent = cpu_ms(RUSAGE_SELF);
    bench.end = clock_monotonic_ms() + (int64_t)seconds * 1000;
    for (size_t i = 0; i < under_way; i++) {
        submit(&bench.jobs[i]);
    }
    settle();
    parent = cpu_ms(RUSAGE_SELF) - parent;
    rate = (double)bench.signatures / (double)seconds;
    (void)printf("signatures %.0f /s\n", rate);
    (void)printf("client_cpu %.4f ms\n", parent / (double)bench.asked);
    signer_pool_free(bench.pool);
    (void)printf("signer_cpu %.4f ms\n", cpu_ms(RUSAGE_CHILDREN) / (double)bench.asked);
}

int
main(int argc, char **argv)
{
    static const char *const names[] = {"p256", "p384", "rsa3072"};
    double token;
    double rate;
    const int n = argc == 5 ? (int)strtol(argv[3], NULL, 10) : 0;
    const int seconds = argc == 5 ? (int)strtol(argv[4], NULL, 10) : 0;

    for (int i = 0; argc == 5 && i < (int)ARRAY_LEN(names); i++) {
        if (strcmp(argv[1], names[i]) == 0) {
            world.algorithm = (enum key_algorithm)i;
        }
    }
    if (n < 1 || n > SIGNER_POOL_MAX || seconds < 1) {
        (void)fprintf(stderr, "usage: bench.signers p256|p384|rsa3072 fast|slow N SECONDS\n");
        return 2;
    }
    if (world_make(NULL) != 0 || world_setup(NULL) != 0) {
        return 1;
    }
    if (strcmp(argv[2], "slow") == 0) {
        (void)setenv("FAULTP11", "slow", 1);
    }
    make_objects();
    token = token_rate();
    run(n, seconds);
    rate = (double)bench.signatures / (double)seconds;
    (void)printf("c_sign %.0f /s one session\n", token);
    if (strcmp(argv[2], "slow") == 0) {
        token *= n;
    }
    (void)printf("share %.1f %% of %.0f /s\n", 100.0 * rate / token, token);
    (void)world_teardown(NULL);
    for (size_t i = 0; i < CERTIFICATES; i++) {
        buf_free(&bench.objects[i].tbs);
        buf_free(&bench.objects[i].evidence);
    }
    tasks_free(bench.finished);
    return world_free(NULL);
}
