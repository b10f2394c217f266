/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/cactl/scene.h"

#include <event2/event.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/link/admin.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

static void
on_call(void *arg, struct admin_call *call, const char *command, const json_t *request)
{
    struct cactl_scene *s = arg;
    const char *answer;
    struct err e = {0};

    (void)command;
    assert_true(s->n_asked < CACTL_CALLS_MAX);
    answer = s->answers[s->n_asked];
    s->asked[s->n_asked++] = json_deep_copy(request);
    if (answer == NULL) {
        (void)err_set(&e, s->refusal_code, "%s", s->refusal);
        admin_refuse(call, &e);
        return;
    }
    admin_answer(call, json_loads(answer, JSON_REJECT_DUPLICATES, NULL));
}

int
cactl_scene_setup(void **state)
{
    struct cactl_scene *s = mem_zalloc(1, sizeof(*s));
    struct err e = {0};

    s->dir = tmpdir_new();
    s->socket = mem_printf("%s/admin.sock", s->dir);
    s->base = event_base_new();
    s->server = admin_server_new(s->base, s->socket, on_call, s, &e);
    assert_non_null(s->server);
    s->stdin_fd = -1;
    s->passphrase_fd = -1;
    s->refusal = "no";
    s->refusal_code = ERR_DENIED;
    *state = s;
    return 0;
}

static void
forget_calls(struct cactl_scene *s)
{
    while (s->n_asked > 0) {
        json_decref(s->asked[--s->n_asked]);
    }
}

int
cactl_scene_teardown(void **state)
{
    struct cactl_scene *s = *state;

    forget_calls(s);
    admin_server_free(s->server);
    event_base_free(s->base);
    mem_free(s->socket);
    tmpdir_remove(s->dir);
    mem_free(s);
    return 0;
}

static void
slurp(const char *path, char text[CACTL_OUTPUT_MAX])
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(CACTL_OUTPUT_MAX - 1);
    struct err e = {0};

    assert_ok(file_read(path, &b, &e), &e);
    if (b.n > 0) {
        memcpy(text, b.p, b.n);
    }
    text[b.n] = '\0';
}

static void
add_files(posix_spawn_file_actions_t *actions, const struct cactl_scene *s, const char *out,
          const char *errors)
{
    assert_int_equal(posix_spawn_file_actions_init(actions), 0);
    if (s->stdin_fd >= 0) {
        assert_int_equal(posix_spawn_file_actions_adddup2(actions, s->stdin_fd, 0), 0);
    } else {
        assert_int_equal(posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0), 0);
    }
    assert_int_equal(
        posix_spawn_file_actions_addopen(actions, 1, out, O_WRONLY | O_CREAT | O_TRUNC, 0600), 0);
    assert_int_equal(
        posix_spawn_file_actions_addopen(actions, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0600),
        0);
    if (s->passphrase_fd >= 0) {
        assert_int_equal(posix_spawn_file_actions_adddup2(actions, s->passphrase_fd, 3), 0);
    }
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

/* Serves until the child is over. */
static int
serve(const struct cactl_scene *s, pid_t pid)
{
    const struct timeval pause = {.tv_usec = 2000};
    struct event *tick = event_new(s->base, -1, EV_PERSIST, on_tick, NULL);
    int status;

    assert_int_equal(event_add(tick, &pause), 0);
    while (waitpid(pid, &status, WNOHANG) == 0) {
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
    }
    event_free(tick);
    return status;
}

void
cactl_run(struct cactl_scene *s, const char *const *words)
{
    char *argv[CACTL_ARGS_MAX + 4] = {mem_strdup("nfpki-cactl"), mem_strdup("--socket"),
                                      mem_strdup(s->socket)};
    CLEANUP(mem_cleanup) char *out = mem_printf("%s/out", s->dir);
    CLEANUP(mem_cleanup) char *errors = mem_printf("%s/errors", s->dir);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    pid_t pid;
    int status;

    forget_calls(s);
    for (size_t i = 0; words[i] != NULL; i++) {
        assert_true(i < CACTL_ARGS_MAX);
        argv[i + 3] = mem_strdup(words[i]);
    }
    add_files(&actions, s, out, errors);
    /* No terminal of whoever runs the test. */
    assert_int_equal(posix_spawnattr_init(&attributes), 0);
    assert_int_equal(posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID), 0);
    assert_int_equal(
        posix_spawn(&pid, TEST_BINARY_DIR "/nfpki-cactl", &actions, &attributes, argv, environ), 0);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
    status = serve(s, pid);
    for (size_t i = 0; argv[i] != NULL; i++) {
        mem_free(argv[i]);
    }
    slurp(out, s->out);
    slurp(errors, s->errors);
    if (!WIFEXITED(status)) {
        fail_msg("ended by a signal: %s", s->errors);
    }
    s->status = WEXITSTATUS(status);
}

void
cactl_expect(const struct cactl_scene *s, const char *row, int status, const char *says)
{
    if (s->status != status ||
        (says == NULL ? s->errors[0] != '\0' : strstr(s->errors, says) == NULL)) {
        fail_msg("%s: status %d, \"%s\"", row, s->status, s->errors);
    }
}

char *
cactl_file(const struct cactl_scene *s, const char *name, struct span bytes)
{
    char *path = mem_printf("%s/%s", s->dir, name);
    struct err e = {0};

    assert_ok(file_write(path, bytes, 0600, &e), &e);
    return path;
}
