/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/db/audit/program_scene.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/file.h"
#include "tests/support/test.h"

int
scene_begin(void **state)
{
    struct scene *s = mem_zalloc(1, sizeof(*s));

    audit_ledger_begin(&s->l);
    audit_ledger_enrol(&s->l, 1, false, &s->registrar);
    audit_ledger_register(&s->l, s->registrar.serial);
    audit_ledger_enrol(&s->l, 2, true, &s->revoked);
    (void)audit_ledger_about(&s->l, LEAF_CONFIRMED, &s->revoked);
    audit_ledger_enrol(&s->l, 3, true, &s->confirmed);
    audit_ledger_enrol(&s->l, 4, true, &s->rejected);
    audit_ledger_enrol(&s->l, 5, true, &s->issued);
    (void)audit_ledger_about(&s->l, LEAF_CONFIRMED, &s->confirmed);
    (void)audit_ledger_about(&s->l, LEAF_REJECTED, &s->rejected);
    (void)audit_ledger_about(&s->l, LEAF_REVOKED, &s->revoked);
    audit_ledger_publish(&s->l);
    *state = s;
    return 0;
}

int
scene_end(void **state)
{
    struct scene *s = *state;
    struct audit_enrolment *all[] = {&s->registrar, &s->revoked, &s->confirmed, &s->rejected,
                                     &s->issued};

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        buf_free(&all[i]->certificate);
    }
    audit_ledger_end(&s->l);
    mem_free(s);
    return 0;
}

static void
slurp(const char *path, char text[OUTPUT_MAX])
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(OUTPUT_MAX - 1);
    struct err e = {0};

    assert_ok(file_read(path, &b, &e), &e);
    memcpy(text, b.n == 0 ? (const uint8_t *)"" : b.p, b.n);
    text[b.n] = '\0';
}

/* Where the counters of a coverage build go: all that it gets of our environment. */
static char *
profile_file(void)
{
    const char *path = getenv("LLVM_PROFILE_FILE");

    return path == NULL ? NULL : mem_printf("LLVM_PROFILE_FILE=%s", path);
}

/* Runs it with these arguments (NULL ends them), gives its exit status. */
int
scene_run(struct scene *s, const char *const *args)
{
    char *argv[ARGS_MAX + 2] = {mem_strdup("nfpki-audit")};
    CLEANUP(mem_cleanup)
    char *given = mem_strdup(s->environment == NULL ? "NONE=" : s->environment);
    CLEANUP(mem_cleanup) char *profile = profile_file();
    char *const envp[] = {given, profile, NULL};
    CLEANUP(mem_cleanup) char *captured = mem_printf("%s/out", s->l.base);
    const char *out = s->out_path == NULL ? captured : s->out_path;
    CLEANUP(mem_cleanup) char *errors = mem_printf("%s/errors", s->l.base);
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status;

    for (size_t i = 0; args[i] != NULL; i++) {
        assert_true(i < ARGS_MAX);
        argv[i + 1] = mem_strdup(args[i]);
    }
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(
        posix_spawn_file_actions_addopen(&actions, 1, out, O_WRONLY | O_CREAT | O_TRUNC, 0600), 0);
    assert_int_equal(
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0600),
        0);
    assert_int_equal(posix_spawn(&pid, TEST_BINARY_DIR "/nfpki-audit", &actions, NULL, argv, envp),
                     0);
    (void)posix_spawn_file_actions_destroy(&actions);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    for (size_t i = 0; argv[i] != NULL; i++) {
        mem_free(argv[i]);
    }
    s->out[0] = '\0';
    if (s->out_path == NULL) {
        slurp(out, s->out);
    }
    slurp(errors, s->errors);
    if (!WIFEXITED(status)) {
        fail_msg("ended by a signal: %s", s->errors);
    }
    return WEXITSTATUS(status);
}
void
assert_says(const char *text, const char *wanted)
{
    if (strstr(text, wanted) == NULL) {
        fail_msg("no \"%s\" in:\n%s", wanted, text);
    }
}

char *
scene_path(const struct scene *s, const char *name)
{
    return mem_printf("%s/%s", s->l.base, name);
}

char *
scene_key(const struct scene *s)
{
    return mem_printf("%s/log.vkey", s->l.dir);
}
