/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/daemon/acknowledging.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/registration/approval.h"
#include "tests/unit/ca/daemon/journal_lines.h"

enum {
    ARGUMENTS_MAX = 8,
    TAIL = 512 /* the reason is last */
};

static void
certify(struct acknowledging *s, enum who who, const char *profile, const char *name)
{
    s->people[who].key = pki_key("P-256");
    s->people[who].certificate = world_officer(s->w, profile, name, s->people[who].key);
}

int
acknowledging_setup(void **state)
{
    struct acknowledging *s = mem_zalloc(1, sizeof(*s));

    assert_int_equal(world_setup((void **)&s->w), 0);
    certify(s, ALICE, "officer", "Alice");
    certify(s, BOB, "officer", "Bob");
    certify(s, ALICE_AGAIN, "officer", "Alice");
    certify(s, EVE, "officer", "Eve");
    certify(s, OAM, "registrar", "OAM two");
    s->people[MALLORY].key = pki_key("P-256");
    s->people[MALLORY].certificate =
        world_vendor(NULL, s->people[MALLORY].key, s->people[MALLORY].key, "Alice");
    world_revoke(s->w, s->people[EVE].certificate, "keyCompromise");
    world_settle(s->w);
    assert_int_equal(world_stop(s->w), 0);
    *state = s;
    return 0;
}

int
acknowledging_teardown(void **state)
{
    struct acknowledging *s = *state;

    world_free(s->w);
    for (size_t i = 0; i < N_PEOPLE; i++) {
        EVP_PKEY_free(s->people[i].key);
        X509_free(s->people[i].certificate);
    }
    mem_free(s);
    return 0;
}

/* ---- programs ---- */

static void
in_child(const struct world *w, const char *program, const char *const *arguments, const char *out,
         const char *log)
{
    char *argv[ARGUMENTS_MAX + 2] = {mem_strdup(program)};

    for (size_t i = 0; arguments[i] != NULL; i++) {
        argv[i + 1] = mem_strdup(arguments[i]);
    }
    world_environment(w);
    (void)dup2(open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), STDOUT_FILENO);
    (void)dup2(open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), STDERR_FILENO);
    (void)execv(program, argv);
    _exit(127);
}

int
acknowledging_program(const struct world *w, const char *program, const char *const *arguments,
                      struct buf *out, struct buf *said)
{
    CLEANUP(mem_cleanup) char *to = mem_printf("%s.out", w->dir);
    CLEANUP(mem_cleanup) char *log = mem_printf("%s.log", w->dir);
    struct err e = {0};
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        in_child(w, program, arguments, to, log);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_ok(file_read(to, out, &e), &e);
    assert_ok(file_read(log, said, &e), &e);
    assert_ok(buf_append(out, span_of("", 1), &e), &e);
    assert_ok(buf_append(said, span_of("", 1), &e), &e);
    assert_int_equal(unlink(to), 0);
    assert_int_equal(unlink(log), 0);
    return WEXITSTATUS(status);
}

int
acknowledging_run(const struct world *w, const char *const more[4], struct buf *out,
                  struct buf *said)
{
    CLEANUP(mem_cleanup) char *conf = mem_printf("%s/nfpki-ca.conf", w->dir);
    const char *arguments[ARGUMENTS_MAX] = {"--acknowledge", "--config", conf,   more[0],
                                            more[1],         more[2],    more[3]};

    return acknowledging_program(w, TEST_BINARY_DIR "/nfpki-ca", arguments, out, said);
}

struct buf
acknowledging_text(const struct world *w, const char *reason)
{
    const char *const more[4] = {"--reason", reason};
    struct buf text = BUF_INIT(PROGRAM_OUTPUT_MAX);
    CLEANUP(buf_free) struct buf said = BUF_INIT(PROGRAM_OUTPUT_MAX);

    if (acknowledging_run(w, more, &text, &said) != 0) {
        const size_t skip = said.n > TAIL ? said.n - TAIL : 0;

        fail_msg("%s", (const char *)said.p + skip);
    }
    return text;
}

struct journal_attempt
acknowledging_add(const struct world *w, const char *key, char kind,
                  const struct journal_attempt *like)
{
    struct journal *j = lines_open(w, key);
    struct journal_attempt a = like != NULL ? *like : lines_newest(j, kind);
    struct err e = {0};

    if (like == NULL) {
        a.hash[31] ^= 1;
        a.crl.hash[31] ^= 1;
        a.crl.number += 5; /* so that the next one is above it */
    }
    lines_add(j, &a);
    assert_ok(journal_commit(j, &e), &e);
    journal_close(j);
    return a;
}

struct buf
acknowledging_cms(const struct acknowledging *s, enum who who, const char *text)
{
    const struct person *p = &s->people[who];
    struct buf cms = BUF_INIT(PROGRAM_OUTPUT_MAX);
    struct err e = {0};

    assert_ok(approval_sign(span_str(text), p->certificate, p->key, &cms, &e), &e);
    return cms;
}

char *
acknowledging_sign(const struct acknowledging *s, enum who who, const char *name, const char *text)
{
    char *path = mem_printf("%s-%s.p7s", s->w->dir, name);
    CLEANUP(buf_free) struct buf cms = acknowledging_cms(s, who, text);
    struct err e = {0};

    assert_ok(file_write(path, buf_span(&cms), 0644, &e), &e);
    return path;
}
