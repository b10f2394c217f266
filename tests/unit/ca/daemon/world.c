/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/daemon/world.h"

#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/unix.h"
#include "ca/link/admin.h"
#include "tests/support/kill.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/ca/daemon/world_files.h"

/* ---- the daemon ---- */

/* Before what is there, such as support/slow.c. */
static void
preload(const char *library)
{
    const char *before = getenv("LD_PRELOAD");
    CLEANUP(mem_cleanup)
    char *all =
        mem_printf("%s%s%s", library, before == NULL ? "" : ":", before == NULL ? "" : before);

    (void)setenv("LD_PRELOAD", all, 1);
    (void)setenv("ASAN_OPTIONS", "detect_leaks=0:verify_asan_link_order=0", 1);
}

static void
set_clock(const char *differs)
{
    glob_t found = {0};

    if (glob("/usr/lib/*/faketime/libfaketime.so.1", 0, NULL, &found) != 0) {
        _exit(127);
    }
    preload(found.gl_pathv[0]);
    (void)setenv("FAKETIME", differs, 1);
    (void)setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1", 1);
}

void
world_environment(const struct world *w)
{
    (void)setenv("CREDENTIALS_DIRECTORY", w->dir, 1);
    /* LeakSanitizer does not look into OpenSSL's locked memory, where the workers' random
     * generators are: it would take what they hold for lost. */
    (void)setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
    if (w->breaks != NULL || w->lacks != NULL || w->once != NULL) {
        preload(TEST_BINARY_DIR "/breaksql.so");
        (void)setenv("BREAKSQL_RUN", w->breaks == NULL ? "" : w->breaks, 1);
        (void)setenv("BREAKSQL_LACKS", w->lacks == NULL ? "" : w->lacks, 1);
        (void)setenv("BREAKSQL_ONCE", w->once == NULL ? "" : w->once, 1);
    }
    if (w->clock != NULL) {
        set_clock(w->clock);
    }
    if (w->clock_file != NULL) { /* says it, and may say another one while it runs */
        set_clock("+0");
        (void)unsetenv("FAKETIME");
        (void)setenv("FAKETIME_TIMESTAMP_FILE", w->clock_file, 1);
        (void)setenv("FAKETIME_NO_CACHE", "1", 1);
    }
}

static void
run_daemon(const struct world *w)
{
    CLEANUP(mem_cleanup) char *conf = mem_printf("%s/nfpki-ca.conf", w->dir);
    CLEANUP(mem_cleanup) char *log = mem_printf("%s/ca.log", w->dir);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

    world_mend_triggers(w);
    world_environment(w);
    (void)dup2(fd, STDERR_FILENO);
    (void)execl(TEST_BINARY_DIR "/nfpki-ca", "nfpki-ca", "--config", conf, w->option, (char *)NULL);
    _exit(127);
}

static void
greet(struct world *w)
{
    struct link_message hello = {.type = LINK_HELLO};
    CLEANUP(answer_free) struct answer welcome = {0};
    struct err e = {0};

    if (w->remembers) {
        hello.checkpoint = buf_span(&w->remembered);
    }
    world_send(w, &hello);
    world_receive(w, &welcome);
    assert_int_equal(welcome.m.type, LINK_WELCOME);
    assert_true(welcome.m.software);
    assert_ok(buf_set(&w->remembered, welcome.m.checkpoint, &e), &e);
}

void
world_connect(struct world *w)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/link.sock", w->dir);
    struct err e = {0};

    w->link = unix_connect(path, true, &e);
    assert_true(w->link >= 0);
    greet(w);
}

void
world_start_silently(struct world *w)
{
    const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/link.sock", w->dir);
    struct err e = {0};

    w->daemon = fork();
    if (w->daemon == 0) {
        run_daemon(w);
    }
    while ((w->link = unix_connect(path, true, &e)) < 0) {
        if (waitpid(w->daemon, NULL, WNOHANG) != 0) {
            world_show_log(w);
            fail_msg("nfpki-ca ended");
        }
        (void)nanosleep(&pause, NULL);
    }
}

void
world_start(struct world *w)
{
    world_start_silently(w);
    greet(w);
}

void
world_start_and_kill(struct world *w, unsigned ms)
{
    const struct timespec pause = {.tv_nsec = (long)ms * 1000 * 1000};

    w->daemon = fork();
    if (w->daemon == 0) {
        run_daemon(w);
    }
    (void)nanosleep(&pause, NULL);
    world_kill(w);
}

static void
hang_up(struct world *w)
{
    if (w->link >= 0) {
        (void)close(w->link);
        w->link = -1;
    }
}

/* -1 when there is none any more, as behind a test that failed. */
static int
end(const struct world *w, int sig)
{
    int status = -1;

    if (test_kill(w->daemon, sig) == 0) {
        (void)waitpid(w->daemon, &status, 0);
    }
    return status;
}

/* It has been told to end with its parent, but hears nothing while it stands still. */
static void
let_go(struct world *w)
{
    if (w->held > 0) {
        (void)test_kill(w->held, SIGCONT); /* which harms nobody who has its number now */
        w->held = -1;
    }
}

pid_t
world_hold_signer(struct world *w, const char *key)
{
    CLEANUP(admin_json_cleanup) json_t *status = NULL;
    struct err e = {0};
    pid_t signer;

    let_go(w); /* of a test that failed */
    status = world_ask(w, json_pack("{s:s}", "command", "status"), &e);
    signer = (pid_t)json_integer_value(
        json_object_get(json_object_get(json_object_get(status, "signers"), key), "pid"));
    assert_int_equal(test_kill(signer, SIGSTOP), 0);
    w->held = signer;
    return signer;
}

void
world_kill(struct world *w)
{
    (void)end(w, SIGKILL);
    w->daemon = -1;
    hang_up(w);
}

int
world_run(struct world *w)
{
    int status = 0;

    w->daemon = fork();
    if (w->daemon == 0) {
        run_daemon(w);
    }
    assert_int_equal(waitpid(w->daemon, &status, 0), w->daemon);
    w->daemon = -1;
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

int
world_start_status(struct world *w)
{
    const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/link.sock", w->dir);
    struct err e = {0};
    int status = 0;

    (void)unlink(path);
    w->daemon = fork();
    if (w->daemon == 0) {
        run_daemon(w);
    }
    while (waitpid(w->daemon, &status, WNOHANG) == 0) {
        w->link = unix_connect(path, true, &e);
        if (w->link >= 0) { /* it opened */
            world_kill(w);
            return 0;
        }
        (void)nanosleep(&pause, NULL);
    }
    w->daemon = -1;
    if (!WIFEXITED(status)) { /* it said why, and then fell over what is not there */
        world_show_log(w);
        fail_msg("nfpki-ca ended by signal %d", WTERMSIG(status));
    }
    return WEXITSTATUS(status);
}

bool
world_start_fails(struct world *w)
{
    return world_start_status(w) != 0;
}

int
world_verify(const struct world *w, const char *credentials, struct buf *out)
{
    CLEANUP(mem_cleanup) char *conf = mem_printf("%s/nfpki-ca.conf", w->dir);
    CLEANUP(mem_cleanup) char *said = mem_printf("%s/verify.out", w->dir);
    struct err e = {0};
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        int fd = open(said, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        (void)setenv("CREDENTIALS_DIRECTORY", credentials, 1);
        (void)dup2(fd, STDOUT_FILENO);
        (void)dup2(fd, STDERR_FILENO);
        (void)execl(TEST_BINARY_DIR "/nfpki-ca", "nfpki-ca", "--verify", "--config", conf,
                    (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    buf_truncate(out, 0);
    assert_ok(file_read(said, out, &e), &e);
    assert_ok(buf_append(out, span_of("", 1), &e), &e);
    return WEXITSTATUS(status);
}

bool
world_is_edited(const struct world *w)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(VERIFY_OUTPUT_MAX);
    const int status = world_verify(w, w->dir, &out);
    char *rest = (char *)out.p;
    bool edited = false;

    for (const char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        const char *what = strncmp(line, "difference: ", 12) == 0 ? line + 12 : "trigger";

        edited = edited || (strncmp(what, "trigger", 7) != 0 && strncmp(what, "table", 5) != 0);
    }
    return status != 0 && edited;
}

int
world_stop(struct world *w)
{
    return world_end(w, SIGTERM);
}

int
world_end(struct world *w, int signal)
{
    int status = end(w, signal);

    w->daemon = -1;
    hang_up(w);
    if (status != 0) {
        world_show_log(w);
    }
    return status;
}

static struct world *
make(bool seals)
{
    struct world *w = mem_zalloc(1, sizeof(*w));

    w->dir = tmpdir_new();
    w->link = -1;
    w->daemon = -1;
    w->held = -1;
    w->remembered = BUF_INIT(LINK_CHECKPOINT_MAX);
    w->pki = pki_new("P-384", "P-256");
    world_make_files(w);
    world_has_seal_key(w, seals);
    world_start(w);
    w->ra_key = pki_key("P-256");
    w->registrar_key = pki_key("P-256");
    w->ra = world_officer(w, "ra-cmp", "RA 1", w->ra_key);
    w->registrar = world_officer(w, "registrar", "OAM", w->registrar_key);
    return w;
}

struct world *
world_new(void)
{
    return make(true);
}

struct world *
world_new_before_seals(void)
{
    return make(false);
}

void
world_free(struct world *w)
{
    if (w->daemon > 0) {
        world_kill(w);
    }
    let_go(w);
    hang_up(w);
    EVP_PKEY_free(w->ra_key);
    EVP_PKEY_free(w->registrar_key);
    X509_free(w->ra);
    X509_free(w->registrar);
    EVP_PKEY_free(w->vendor_key);
    X509_free(w->vendor);
    X509_free(w->issuing);
    pki_free(w->pki);
    buf_free(&w->remembered);
    tmpdir_remove(w->dir);
    mem_free(w->triggers);
    mem_free(w);
}

/* ---- link ---- */

void
world_restart(struct world *w, const char *more)
{
    assert_int_equal(world_stop(w), 0);
    world_configure(w, more);
    world_start(w);
}

int
world_setup(void **state)
{
    (void)signal(SIGPIPE, SIG_IGN);
    *state = world_new();
    return 0;
}

int
world_setup_before_seals(void **state)
{
    (void)signal(SIGPIPE, SIG_IGN);
    *state = world_new_before_seals();
    return 0;
}

int
world_teardown(void **state)
{
    world_free(*state);
    return 0;
}
