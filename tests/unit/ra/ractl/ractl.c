/* SPDX-License-Identifier: Apache-2.0 */
/* nfpki-ractl as its user sees it: what it says, and the status that it ends with. */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/link/admin.h"
#include "tests/unit/ra/lot.h"

enum { ARGS_MAX = 12, OUTPUT_MAX = 1024 * 1024, SHORT_MAX = 512 };

struct said {
    int status;
    struct buf out; /* with a NUL behind it */
    struct buf errors;
};

static void
said_free(struct said *s)
{
    buf_free(&s->out);
    buf_free(&s->errors);
}

struct call {
    const char *args[ARGS_MAX];
    char *out;
    char *errors;
    int status;
};

/* No assertions: this is another thread than the test's. */
static void
run_program(void *arg)
{
    struct call *c = arg;
    posix_spawn_file_actions_t actions;
    char *argv[ARGS_MAX + 1] = {NULL};
    pid_t pid;

    for (size_t i = 0; i < ARGS_MAX && c->args[i] != NULL; i++) {
        argv[i] = (char *)(uintptr_t)c->args[i];
    }
    c->status = -1;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, 1, c->out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    (void)posix_spawn_file_actions_addopen(&actions, 2, c->errors, O_WRONLY | O_CREAT | O_TRUNC,
                                           0600);
    if (posix_spawn(&pid, TEST_BINARY_DIR "/nfpki-ractl", &actions, NULL, argv, environ) == 0 &&
        waitpid(pid, &c->status, 0) == pid) {
        c->status = WIFEXITED(c->status) ? WEXITSTATUS(c->status) : -1;
    }
    (void)posix_spawn_file_actions_destroy(&actions);
}

static struct buf
text_of(const char *path)
{
    struct buf b = BUF_INIT(OUTPUT_MAX);
    struct err e = {0};

    assert_ok(file_read(path, &b, &e), &e);
    assert_ok(buf_append(&b, span_of("", 1), &e), &e);
    return b;
}

/* `args` end with NULL; --socket is put in front of them. */
static struct said
ractl(struct running *w, const char *const *args)
{
    CLEANUP(mem_cleanup) char *socket = mem_printf("%s/admin.sock", w->dir);
    struct call c = {.args = {"nfpki-ractl", "--socket", socket},
                     .out = mem_printf("%s/out", w->dir),
                     .errors = mem_printf("%s/errors", w->dir)};
    struct said s;

    for (size_t i = 0; args[i] != NULL; i++) {
        assert_true(i + 4 < ARGS_MAX);
        c.args[i + 3] = args[i];
    }
    running_do(w, run_program, &c);
    s.status = c.status;
    s.out = text_of(c.out);
    s.errors = text_of(c.errors);
    mem_free(c.out);
    mem_free(c.errors);
    return s;
}

#define RACTL(w, ...) ractl((w), (const char *const[]){__VA_ARGS__, NULL})

static void
is(const struct said *s, int status, const char *out, const char *errors)
{
    if (s->status != status || strstr((const char *)s->out.p, out) == NULL ||
        strstr((const char *)s->errors.p, errors) == NULL) {
        fail_msg("%d \"%.300s\" \"%.300s\" instead of %d \"%s\" \"%s\"", s->status,
                 (const char *)s->out.p, (const char *)s->errors.p, status, out, errors);
    }
}

static size_t
lines_of(const struct buf *text)
{
    size_t lines = 0;

    for (size_t i = 0; i < text->n; i++) {
        lines += text->p[i] == '\n';
    }
    return lines;
}

/* A file of the test's own. */
static char *
put(struct running *w, const char *name, struct span octets)
{
    char *path = mem_printf("%s/%s", w->dir, name);
    struct err e = {0};

    assert_ok(file_write(path, octets, 0600, &e), &e);
    return path;
}

/* ---- what is no command ---- */

static void
a_command_that_is_none_ends_with_2(void **state)
{
    struct running *w = *state;
    static const char *const rows[][7] = {
        {"nonsense"},
        {"--nonsense"},
        {"--socket"},
        {"register"},
        {"register", "a", "b"},
        {"show"},
        {"show", "a", "b"},
        {"list", "a"},
        {"status", "a"},
        {"list", "--limit", "0"},
        {"list", "--limit", "-1"},
        {"list", "--limit", "1x"},
        {"list", "--nonsense"},
        {"cancellation"},
        {"cancellation", "a", "b"},
        {"cancel"},
        {"cancel", "a", "b"},
        {"manifest"},
        {"manifest", "a", "b"},
        {"manifest", "--profiles", "a"},
        {"manifest", "--profile", "a", "b"},
        {"import", "a"},
        {"import", "a", "b", "c"},
        {"import", "--nonsense", "a", "b"},
        {"bundle"},
        {"bundle", "a", "b"},
        {"bundle", "--all"},
        {"bundle", "--all", "--output", "d", "a"},
        {"bundle", "--all", "--output", "d", "--revocation"},
        {"bundle", "--all", "--output", "d", "--json"},
        {"bundle", "--secrets", "s", "a"},
        {"bundle", "--nonsense", "a"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(said_free) struct said s = ractl(w, rows[i]);

        if (s.status != 2 ||
            strstr((const char *)s.errors.p,
                   i == 0 ? "no such command: nonsense" : "usage: nfpki-ractl ") == NULL) {
            fail_msg("%s %s: %d %s", rows[i][0], rows[i][1] == NULL ? "" : rows[i][1], s.status,
                     (const char *)s.errors.p);
        }
    }
}

static void
help_is_printed_where_it_is_asked_for(void **state)
{
    struct running *w = *state;
    CLEANUP(said_free) struct said long_one = RACTL(w, "--help");
    CLEANUP(said_free) struct said short_one = RACTL(w, "-h");
    CLEANUP(said_free) struct said wrong = RACTL(w, "--nonsense");

    is(&long_one, 0, "usage: nfpki-ractl [--socket PATH] [--json] command", "");
    is(&short_one, 0, "usage: nfpki-ractl [--socket PATH] [--json] command", "");
    is(&wrong, 2, "", "usage: nfpki-ractl [--socket PATH] [--json] command");
}

static void
what_the_daemon_refuses_is_told(void **state)
{
    struct running *w = *state;
    CLEANUP(mem_cleanup) char *rubbish = put(w, "rubbish", SPAN_LITERAL("hello"));
    CLEANUP(said_free) struct said show = RACTL(w, "show", "00000000000000000000000000000000");
    CLEANUP(said_free) struct said id = RACTL(w, "show", "0");
    CLEANUP(said_free) struct said state_of = RACTL(w, "list", "--state", "any");
    CLEANUP(said_free) struct said nf = RACTL(w, "list", "--nf", "x");
    CLEANUP(said_free) struct said no_file = RACTL(w, "register", "/nonexistent");
    CLEANUP(said_free) struct said cms = RACTL(w, "register", rubbish);
    CLEANUP(said_free) struct said cancel = RACTL(w, "cancel", rubbish);
    CLEANUP(said_free) struct said words = RACTL(w, "cancellation", "0123");
    CLEANUP(said_free) struct said client = RACTL(w, "bundle", "--client", "nobody", "0");

    is(&show, 1, "", "no registration 00000000000000000000000000000000");
    is(&id, 2, "", "id: must be the 32 hexadecimal digits");
    is(&state_of, 2, "", "state: must be open, used, expired or cancelled");
    is(&nf, 2, "", "nfInstanceId: must be a UUID");
    is(&no_file, 1, "", "/nonexistent");
    is(&cms, 2, "", "registration");
    is(&cancel, 2, "", "cancellation");
    is(&words, 2, "", "0123: not the 32 hexadecimal digits of a registration");
    is(&client, 2, "", "no client \"nobody\"; there are openssl, ");
}

static void
without_a_daemon_it_asks_whether_it_runs(void **state)
{
    struct running *w = *state;
    CLEANUP(said_free)
    struct said s = RACTL(w, "--socket", "/nonexistent/admin.sock", "list");

    is(&s, 1, "", "is nfpki-ra running, and is this its admin_socket?");
}

/* ---- one ---- */

static void
one_registration_goes_its_way(void **state)
{
    struct running *w = *state;
    CLEANUP(mem_cleanup) char *document = NULL;
    CLEANUP(buf_free) struct buf cms = {0};
    CLEANUP(buf_free) struct buf of_cancellation = {0};
    CLEANUP(mem_cleanup) char *file = NULL;
    CLEANUP(mem_cleanup) char *cancellation = NULL;
    CLEANUP(said_free) struct said made = {0};
    CLEANUP(said_free) struct said again = {0};
    CLEANUP(said_free) struct said list = {0};
    CLEANUP(said_free) struct said json = {0};
    CLEANUP(said_free) struct said show = {0};
    CLEANUP(said_free) struct said words = {0};
    CLEANUP(said_free) struct said bundle = {0};
    CLEANUP(said_free) struct said revoke = {0};
    CLEANUP(said_free) struct said saved = {0};
    CLEANUP(mem_cleanup) char *output = NULL;
    CLEANUP(said_free) struct said profile = {0};
    CLEANUP(said_free) struct said cancelled = {0};
    CLEANUP(said_free) struct said after = {0};
    char instance[37];
    char id[33];

    running_instance(instance);
    document = running_document(instance, "", 1);
    cms = running_signed(w, document);
    file = put(w, "registration.p7m", buf_span(&cms));
    made = RACTL(w, "register", file);
    is(&made, 0, "secret        ", "The secret is shown this once.");
    memcpy(id, (const char *)made.out.p + strlen("registration  "), 32);
    id[32] = '\0';
    again = RACTL(w, "register", file);
    is(&again, 1, "", "this file is registered already as");
    list = RACTL(w, "list", "--state", "open", "--nf", instance);
    is(&list, 0, id, "");
    json = RACTL(w, "list", "--nf", instance, "--json");
    is(&json, 0, "\"registrations\": [", "");
    show = RACTL(w, "show", id);
    is(&show, 0, "\"registration\": {", "");
    words = RACTL(w, "cancellation", id);
    is(&words, 0, id, "");
    bundle = RACTL(w, "bundle", id);
    is(&bundle, 0, "#!/bin/sh -e", "");
    revoke = RACTL(w, "bundle", "--revocation", id);
    is(&revoke, 0, "# Revokes nf.pem for good", "");
    output = mem_printf("%s/one", w->dir);
    saved = RACTL(w, "bundle", "--output", output, id);
    is(&saved, 0, "", "one/bundle.sh");
    said_free(&saved);
    saved = RACTL(w, "bundle", "--output", output, id); /* what is there is left alone */
    is(&saved, 1, "", "bundle.sh");
    profile = RACTL(w, "bundle", "--profile", "nf-tls-client", id);
    is(&profile, 2, "", "profile nf-tls-client is not registered; see `nfpki-ractl show");
    of_cancellation = running_cancellation(w, id);
    cancellation = put(w, "cancellation.p7m", buf_span(&of_cancellation));
    cancelled = RACTL(w, "cancel", cancellation);
    is(&cancelled, 0, "cancelled ", "");
    after = RACTL(w, "bundle", id);
    is(&after, 1, "", "is cancelled: register the network function anew");
}

static void
a_list_is_as_long_as_asked_for(void **state)
{
    struct running *w = *state;
    static const struct {
        const char *limit;
        size_t lines;
    } rows[] = {{"1", 2}, {"2", 3}};

    for (int i = 0; i < 3; i++) {
        struct member m = running_member(w);

        member_free(&m);
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(said_free) struct said s = RACTL(w, "list", "--limit", rows[i].limit);

        is(&s, 0, "REGISTRATION", "");
        assert_int_equal(lines_of(&s.out), rows[i].lines);
    }
}

/* ---- many ---- */

/* The files of a lot. */
struct paths {
    char *text;
    char *manifest;
};

static struct paths
paths_new(struct running *w, const char *name, size_t n)
{
    CLEANUP(lot_free) struct lot l = lot_good(w, n);
    CLEANUP(mem_cleanup) char *manifest = mem_printf("%s.p7m", name);

    return (struct paths){.text = put(w, name, buf_span(&l.text)),
                          .manifest = put(w, manifest, buf_span(&l.manifest))};
}

static void
paths_free(struct paths *p)
{
    mem_free(p->text);
    mem_free(p->manifest);
}

static void
a_manifest_is_of_documents_that_are_good(void **state)
{
    struct running *w = *state;
    CLEANUP(paths_free) struct paths l = paths_new(w, "good", 2);
    CLEANUP(mem_cleanup) char *empty = put(w, "empty", span_of(NULL, 0));
    CLEANUP(mem_cleanup) char *bad = NULL;
    CLEANUP(buf_free) struct buf lines = BUF_INIT(OUTPUT_MAX);
    CLEANUP(said_free) struct said good = RACTL(w, "manifest", l.text);
    CLEANUP(said_free) struct said none = RACTL(w, "manifest", "/nonexistent");
    CLEANUP(said_free) struct said nothing = RACTL(w, "manifest", empty);
    CLEANUP(said_free) struct said profiles = RACTL(w, "manifest", "--profiles", empty, l.text);
    CLEANUP(said_free) struct said wrong = {0};
    CLEANUP(said_free) struct said many = {0};
    struct err e = {0};

    is(&good, 0, "\"registrations\":2", "");
    is(&none, 1, "", "/nonexistent");
    is(&nothing, 2, "", "empty");
    assert_int_not_equal(profiles.status, 0);
    assert_ok(buf_append_str(&lines, "{}\n", &e), &e);
    bad = put(w, "bad", buf_span(&lines));
    wrong = RACTL(w, "manifest", bad);
    is(&wrong, 2, "", "bad:1: registrations[0]");
    assert_null(strstr((const char *)wrong.errors.p, "more"));
    for (int i = 0; i < 21; i++) {
        assert_ok(buf_append_str(&lines, "{}\n", &e), &e);
    }
    mem_free(bad);
    bad = put(w, "bad", buf_span(&lines));
    many = RACTL(w, "manifest", bad);
    is(&many, 2, "", "bad: and 2 more");
    is(&many, 2, "", "bad:20: ");
    assert_null(strstr((const char *)many.errors.p, "bad:21: "));
}

static void
a_batch_is_imported_and_its_bundles_are_made(void **state)
{
    struct running *w = *state;
    CLEANUP(paths_free) struct paths l = paths_new(w, "batch", 3);
    CLEANUP(mem_cleanup) char *secrets = mem_printf("%s/secrets", w->dir);
    CLEANUP(mem_cleanup) char *output = mem_printf("%s/bundles", w->dir);
    CLEANUP(mem_cleanup) char *rubbish = put(w, "rubbish", SPAN_LITERAL("{\"id\":\"x\"}\n"));
    CLEANUP(mem_cleanup) char *other = mem_printf("%s/others", w->dir);
    CLEANUP(mem_cleanup) char *index = mem_printf("%s/index.jsonl", output);
    CLEANUP(said_free) struct said made = {0};
    CLEANUP(said_free) struct said again = {0};
    CLEANUP(said_free) struct said exists = {0};
    CLEANUP(said_free) struct said bundles = {0};
    CLEANUP(said_free) struct said twice = {0};
    CLEANUP(said_free) struct said json = {0};
    CLEANUP(said_free) struct said bad = {0};
    CLEANUP(said_free) struct said missing = {0};
    CLEANUP(said_free) struct said no_file = {0};
    CLEANUP(buf_free) struct buf text = {0};
    struct stat st;
    size_t lines = 0;

    running_sql(w, "UPDATE registration SET not_after = 1", STORE_NO_VALUES); /* those before */
    no_file = RACTL(w, "import", l.manifest, "/nonexistent");
    is(&no_file, 1, "", "/nonexistent");
    made = RACTL(w, "import", "--secrets", secrets, l.manifest, l.text);
    is(&made, 0, "registered", "3 registrations: 3 new, 0 known, 0 refused, 0 busy");
    assert_int_equal(stat(secrets, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    text = text_of(secrets);
    assert_int_equal(lines_of(&text), 3);
    exists = RACTL(w, "import", "--secrets", secrets, l.manifest, l.text);
    is(&exists, 1, "", "secrets is there already: name a new file");
    again = RACTL(w, "import", "--secrets", other, l.manifest, l.text);
    is(&again, 0, "known", "3 registrations: 0 new, 3 known");
    json = RACTL(w, "--json", "import", l.manifest, l.text);
    is(&json, 0, "\"result\":\"known\"", "");
    assert_int_equal(lines_of(&json.out), 3);
    assert_int_not_equal(stat(other, &st), 0); /* without a secret there is no file of them */
    bad = RACTL(w, "bundle", "--all", "--output", output, "--secrets", rubbish);
    is(&bad, 2, "", "rubbish:1: no \"id\" and \"secret\"");
    missing = RACTL(w, "bundle", "--all", "--output", output, "--secrets", "/nonexistent");
    is(&missing, 1, "", "/nonexistent");
    bundles = RACTL(w, "bundle", "--all", "--output", output, "--secrets", secrets);
    is(&bundles, 0, "", "3 bundles, 0 that could not be made");
    buf_free(&text);
    text = text_of(index);
    lines = 0;
    for (const char *p = strstr((const char *)text.p, "\"secret\":true"); p != NULL;
         p = strstr(p + 1, "\"secret\":true")) {
        lines++;
    }
    assert_int_equal(lines, 3);
    twice = RACTL(w, "bundle", "--all", "--output", output);
    is(&twice, 1, "", "bundles is not empty: name a new folder");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_command_that_is_none_ends_with_2, running_reset),
        cmocka_unit_test_setup(help_is_printed_where_it_is_asked_for, running_reset),
        cmocka_unit_test_setup(what_the_daemon_refuses_is_told, running_reset),
        cmocka_unit_test_setup(without_a_daemon_it_asks_whether_it_runs, running_reset),
        cmocka_unit_test_setup(one_registration_goes_its_way, running_reset),
        cmocka_unit_test_setup(a_list_is_as_long_as_asked_for, running_reset),
        cmocka_unit_test_setup(a_manifest_is_of_documents_that_are_good, running_reset),
        cmocka_unit_test_setup(a_batch_is_imported_and_its_bundles_are_made, running_reset),
    };

    return cmocka_run_group_tests(tests, running_setup, running_teardown);
}
