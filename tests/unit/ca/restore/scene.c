/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/restore/scene.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/support/tmpdir.h"

enum { MAX_ARGUMENTS = 8, TAIL = 512 /* of what was said, the reason last */ };

/* ---- what happens in a day ---- */

static void
live(struct world *w, const char *name)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *officer = NULL;

    world_start(w);
    officer = world_officer(w, "officer", name, key);
    world_revoke(w, officer, "keyCompromise");
    world_settle(w);
    assert_int_equal(world_stop(w), 0);
}

int
scene_setup(void **state)
{
    struct scene *s = mem_zalloc(1, sizeof(*s));

    assert_int_equal(world_setup((void **)&s->w), 0);
    s->yesterday = tmpdir_new();
    s->today = tmpdir_new();
    s->elsewhere = tmpdir_new();
    s->further = tmpdir_new();
    s->alice_key = pki_key("P-256");
    s->alice = world_officer(s->w, "officer", "Alice", s->alice_key);
    s->bob_key = pki_key("P-256");
    s->bob = world_officer(s->w, "officer", "Bob", s->bob_key);
    world_settle(s->w);
    assert_int_equal(world_stop(s->w), 0);
    copy_parts(s->w->dir, s->yesterday, ALL | TOKEN);
    live(s->w, "Eve");
    copy_parts(s->w->dir, s->elsewhere, ALL | TOKEN);
    live(s->w, "Mallory");
    copy_parts(s->w->dir, s->further, ALL | TOKEN);
    copy_parts(s->yesterday, s->w->dir, ALL | TOKEN);
    live(s->w, "Carol");
    live(s->w, "Dave");
    copy_parts(s->w->dir, s->today, ALL | TOKEN);
    *state = s;
    return 0;
}

int
scene_teardown(void **state)
{
    struct scene *s = *state;

    world_free(s->w);
    EVP_PKEY_free(s->alice_key);
    X509_free(s->alice);
    EVP_PKEY_free(s->bob_key);
    X509_free(s->bob);
    tmpdir_remove(s->yesterday);
    tmpdir_remove(s->today);
    tmpdir_remove(s->elsewhere);
    tmpdir_remove(s->further);
    mem_free(s);
    return 0;
}

/* ---- the program ---- */

static void
in_child(const struct world *w, const char *const *arguments, const char *out, const char *log)
{
    CLEANUP(mem_cleanup) char *conf = mem_printf("%s/nfpki-ca.conf", w->dir);
    const char *const head[] = {"nfpki-ca", "--restore", "--config", conf};
    char *argv[ARRAY_LEN(head) + MAX_ARGUMENTS + 1] = {0};

    for (size_t i = 0; i < ARRAY_LEN(head); i++) {
        argv[i] = mem_strdup(head[i]);
    }
    for (size_t i = 0; arguments[i] != NULL; i++) {
        argv[ARRAY_LEN(head) + i] = mem_strdup(arguments[i]);
    }
    world_environment(w);
    (void)dup2(open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), STDOUT_FILENO);
    (void)dup2(open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), STDERR_FILENO);
    (void)execv(TEST_BINARY_DIR "/nfpki-ca", argv);
    _exit(127);
}

int
scene_restore(const struct world *w, const char *const *arguments, struct buf *plan,
              struct buf *said)
{
    CLEANUP(mem_cleanup) char *out = mem_printf("%s/restore.out", w->dir);
    CLEANUP(mem_cleanup) char *log = mem_printf("%s/restore.log", w->dir);
    struct err e = {0};
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        in_child(w, arguments, out, log);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_ok(file_read(out, plan, &e), &e);
    assert_ok(file_read(log, said, &e), &e);
    assert_ok(buf_append(plan, span_of("", 1), &e), &e);
    assert_ok(buf_append(said, span_of("", 1), &e), &e);
    return WEXITSTATUS(status);
}

void
scene_is_refused(const struct world *w, const char *row, const char *const *arguments,
                 const char *says)
{
    CLEANUP(buf_free) struct buf plan = BUF_INIT(OUTPUT_MAX);
    CLEANUP(buf_free) struct buf said = BUF_INIT(OUTPUT_MAX);
    const int status = scene_restore(w, arguments, &plan, &said);

    if (status == 0 || plan.n != 1 || strstr((const char *)said.p, says) == NULL) {
        const size_t skip = said.n > TAIL ? said.n - TAIL : 0;

        fail_msg("%s: status %d, no \"%s\" in:\n%s", row, status, says,
                 (const char *)said.p + skip);
    }
}

char *
scene_path(const struct scene *s, const char *name)
{
    return mem_printf("%s/%s", s->w->dir, name);
}

void
scene_put(const struct scene *s, const char *name, struct span octets)
{
    CLEANUP(mem_cleanup) char *path = scene_path(s, name);
    struct err e = {0};

    assert_ok(file_write(path, octets, 0644, &e), &e);
}

void
scene_sign(const struct scene *s, const char *name, const char *text, X509 *signer, EVP_PKEY *key)
{
    CLEANUP(buf_free) struct buf cms = pki_cms(span_str(text), signer, key);

    scene_put(s, name, buf_span(&cms));
}

void
scene_approve(const struct scene *s)
{
    static const char *const none[] = {NULL};
    CLEANUP(mem_cleanup) char *first = scene_path(s, "first.p7s");
    CLEANUP(mem_cleanup) char *second = scene_path(s, "second.p7s");
    const char *const approvals[] = {"--approval", first, "--approval", second, NULL};
    CLEANUP(buf_free) struct buf plan = BUF_INIT(OUTPUT_MAX);
    CLEANUP(buf_free) struct buf done = BUF_INIT(OUTPUT_MAX);
    CLEANUP(buf_free) struct buf said = BUF_INIT((size_t)2 * OUTPUT_MAX);

    if (scene_restore(s->w, none, &plan, &said) != 0) {
        fail_msg("no plan: %s", (const char *)said.p);
    }
    scene_sign(s, "first.p7s", (const char *)plan.p, s->alice, s->alice_key);
    scene_sign(s, "second.p7s", (const char *)plan.p, s->bob, s->bob_key);
    said.n = 0;
    if (scene_restore(s->w, approvals, &done, &said) != 0) {
        fail_msg("not restored: %s", (const char *)said.p);
    }
    assert_string_equal((const char *)done.p, (const char *)plan.p);
}

void
scene_lose_the_day(const struct scene *s)
{
    copy_parts(s->today, s->w->dir, ALL | TOKEN);
    copy_parts(s->yesterday, s->w->dir, STATE);
}
