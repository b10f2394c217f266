/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "tests/support/softhsm.h"
#include "tests/unit/ceremony/run/rows.h"

enum { TEXT_MAX = 64 * 1024 };

static struct scene *scene;
static struct buf screen = {.max = TYPIST_OUTPUT_MAX};

static void
put(const char *name, const char *text)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", scene->dir, name);
    struct err e = {0};

    assert_ok(file_write(path, span_str(text), 0600, &e), &e);
}

static void
make_executable(const char *name)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", scene->dir, name);

    assert_int_equal(chmod(path, 0700), 0);
}

static int
hold(void **state)
{
    CLEANUP(mem_cleanup) char *empty = NULL;
    CLEANUP(mem_cleanup) char *tokens = NULL;
    struct err e = {0};

    (void)state;
    scene = scene_new();
    tokens = mem_printf("%s/no-tokens", scene->dir);
    empty = mem_printf("directories.tokendir = %s\nobjectstore.backend = file\n", tokens);
    assert_ok(file_mkdirs(tokens, 0700, &e), &e);
    put("empty.conf", empty);
    put("xyz", "xyz");
    scene_run(scene, scene_root(scene, "root", NULL));
    scene_run(scene, scene_keys(scene, "keys", NULL));
    scene_run(scene, scene_sub(scene, "sub", "root", "keys", NULL));
    scene_rehearse(scene, scene_root(scene, "rehearsed", NULL));
    return 0;
}

static int
drop(void **state)
{
    (void)state;
    buf_free(&screen);
    scene_free(scene);
    return 0;
}

/* ---- meanwhile --------------------------------------------------------------------------------
 */

static const char *name_now;  /* of the bundle, */
static const char *token_now; /* and of the token that it makes, or adds to */
static enum meanwhile meanwhile_now;

/* pkcs11-tool, logged in to the token. */
static void
tool(const char *arguments)
{
    CLEANUP(mem_cleanup)
    char *command =
        mem_printf("cd %s && pkcs11-tool --module " SOFTHSM_MODULE " --token-label %s --login "
                   "--pin " TYPIST_PIN " %s >/dev/null 2>&1",
                   scene->dir, token_now, arguments);
    char *argv[] = {mem_strdup("/bin/sh"), mem_strdup("-c"), command, NULL};
    CLEANUP(buf_free) struct buf out = BUF_INIT(TEXT_MAX);

    assert_int_equal(typist_run_alone(argv, &out), 0);
    mem_free(argv[0]);
    mem_free(argv[1]);
}

static void
into_bundle(const char *file, const char *text)
{
    CLEANUP(mem_cleanup) char *name = mem_printf("%s/%s", name_now, file);

    put(name, text);
}

static void
act(void)
{
    switch (meanwhile_now) {
    case NOTHING:
        break;
    case DATA_OBJECT:
        tool("--write-object xyz --type data --label x");
        break;
    case ANOTHER_PAIR:
        tool("--keypairgen --key-type EC:prime256v1 --label x --id 01");
        break;
    case ANOTHER_SECRET:
        tool("--keygen --key-type AES:32 --label x --id 01");
        break;
    case FILE_CERTIFICATE:
        into_bundle("root.cert.pem", "x");
        into_bundle("issuing.cert.pem", "x");
        into_bundle("issuing.csr.pem", "x");
        break;
    case FILE_SERIAL:
        into_bundle("root.serial", "x");
        into_bundle("keys.serial", "x");
        {
            CLEANUP(mem_cleanup) char *own = mem_printf("%s.serial", name_now);

            into_bundle(own, "x");
        }
        break;
    case FILE_DEFINITION:
        into_bundle("definition.conf", "x");
        break;
    }
}

/* ---- rows -------------------------------------------------------------------------------------
 */

static char *
define(const struct run_row *row, const char *name)
{
    struct change changes[SCENE_CHANGES_MAX] = {{0}};

    memcpy(changes, row->changes, sizeof(row->changes));
    if (row->fault != NULL) {
        size_t n = 0;

        while (changes[n].from != NULL) {
            n++;
        }
        changes[n].from = SOFTHSM_MODULE;
        changes[n].to = TEST_BINARY_DIR "/faultp11.so";
        assert_true(n < SCENE_CHANGES_MAX);
    }
    scene->times = row->times == NULL ? scene_usual_times : *row->times;
    switch (row->kind) {
    case ROOT:
        return scene_root(scene, name, changes);
    case KEYS:
        return scene_keys(scene, name, changes);
    case SUB:
        return scene_sub(scene, name, "root", "keys", changes);
    case CRL:
        return scene_crl(scene, name, "root", changes);
    case SECRET:
        return scene_secret(scene, name, "keys", changes);
    }
    return NULL;
}

static bool
play(const struct run_row *row, size_t i)
{
    CLEANUP(mem_cleanup) char *name = mem_printf("r%zu", i);
    CLEANUP(mem_cleanup) char *path = define(row, name);
    struct typed typed[ROW_TYPED_MAX];
    size_t n = 0;
    int status;

    memcpy(typed, row->typed, sizeof(typed));
    while (n < ROW_TYPED_MAX && typed[n].question != NULL) {
        n++;
    }
    name_now = name;
    token_now = row->kind == SECRET ? "keys" : name;
    meanwhile_now = row->meanwhile;
    typed[0].before = row->meanwhile == NOTHING ? NULL : act;
    (void)setenv("FAULTP11", row->fault == NULL ? "" : row->fault, 1);
    status = scene_hold(scene, row->command, path, typed, n, &screen);
    (void)unsetenv("FAULTP11");
    if (status != row->status || strstr((const char *)screen.p, row->says) == NULL ||
        (row->also != NULL && strstr((const char *)screen.p, row->also) == NULL)) {
        print_error("row %zu, %s: not %d, '%s', '%s' but %d: ...%s\n", i, row->what, row->status,
                    row->says, row->also == NULL ? "" : row->also, status,
                    screen.n < 700 ? (const char *)screen.p
                                   : (const char *)screen.p + screen.n - 700);
        return false;
    }
    return true;
}

static void
what_is_refused_or_stops_says_why_and_what_to_do(void **state)
{
    size_t wrong = 0;

    (void)state;
    for (size_t i = 0; i < n_run_rows; i++) {
        wrong += play(&run_rows[i], i) ? 0 : 1;
    }
    assert_int_equal(wrong, 0);
}

/* ---- the machine ------------------------------------------------------------------------------
 */

static bool
a_network_is_up(void)
{
    struct ifaddrs *all = NULL;
    bool up = false;

    assert_int_equal(getifaddrs(&all), 0);
    for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
        up = up || ((i->ifa_flags & IFF_UP) != 0 && (i->ifa_flags & IFF_LOOPBACK) == 0);
    }
    freeifaddrs(all);
    return up;
}

static bool
swap_is_on(void)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);
    const uint8_t *end;
    struct err e = {0};

    assert_ok(file_read("/proc/swaps", &text, &e), &e);
    end = memchr(text.p, '\n', text.n);
    return end != NULL && end + 1 < text.p + text.n;
}

/* The same in namespaces of its own, where the kernel lets us: there is no network, and the table
 * of swaps says what it shall. */
static bool
can_have_namespaces(void)
{
    char *argv[] = {mem_strdup("/bin/sh"), mem_strdup("-c"),
                    mem_strdup("unshare -Urmn mount --bind /proc/version /proc/swaps"), NULL};
    CLEANUP(buf_free) struct buf out = BUF_INIT(TEXT_MAX);
    bool can = typist_run_alone(argv, &out) == 0;

    for (size_t i = 0; i < ARRAY_LEN(argv); i++) {
        mem_free(argv[i]);
    }
    return can;
}

/* A ceremony that is not refused goes on to the people. */
static void
a_network_and_swap_must_be_accepted(void **state)
{
    static const struct typed nobody[] = {{.question = "Alice", .answer = "x"}};
    CLEANUP(mem_cleanup)
    char *with_swap = mem_printf("unshare -Urm %s/with-swap %s/swaps", scene->dir, scene->dir);
    CLEANUP(mem_cleanup)
    char *without = mem_printf("unshare -Urmn %s/with-swap %s/no-swaps", scene->dir, scene->dir);
    const struct {
        const char *accepted;
        const char *refused;
        const char *around;
        bool there;
        const char *reason;
    } rows[] = {
        {"network_accepted = true", "network_accepted = false", NULL, a_network_is_up(),
         "STOPPED: step environment: a network is up: switch it off"},
        {"swap_accepted = true", "swap_accepted = false", NULL, swap_is_on(),
         "STOPPED: step environment: swap space is on: run swapoff -a"},
        {"swap_accepted = true", "swap_accepted = false", with_swap, true,
         "STOPPED: step environment: swap space is on: run swapoff -a"},
        {"swap_accepted = true", "swap_accepted = true ", with_swap, false, ""},
        {"swap_accepted = true", "swap_accepted = false", without, false, ""},
        {"network_accepted = true", "network_accepted = false", without, false, ""},
    };
    size_t n = can_have_namespaces() ? ARRAY_LEN(rows) : 2;

    (void)state;
    put("swaps", "Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n");
    put("no-swaps", "Filename Type Size Used Priority\n");
    put("with-swap", "#!/bin/sh\nmount --bind \"$1\" /proc/swaps && shift && exec \"$@\"\n");
    make_executable("with-swap");
    scene->times = scene_usual_times;
    for (size_t i = 0; i < n; i++) {
        struct change changes[SCENE_CHANGES_MAX] = {{rows[i].accepted, rows[i].refused}};
        CLEANUP(mem_cleanup) char *name = mem_printf("machine-%zu", i);
        CLEANUP(mem_cleanup) char *path = scene_root(scene, name, changes);
        const char *reason =
            rows[i].there ? rows[i].reason : "STOPPED: step people: the answer was not 'alice'";

        scene->around = rows[i].around;
        assert_int_equal(scene_hold(scene, "run", path, nobody, 1, &screen), 2);
        scene->around = NULL;
        if (strstr((const char *)screen.p, reason) == NULL) {
            fail_msg("row %zu: not '%s' but %s", i, reason, (const char *)screen.p);
        }
    }
}

/* ---- what stays -------------------------------------------------------------------------------
 */

static void
transcript_of(const char *name, struct buf *out)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s/transcript.jsonl", scene->dir, name);
    struct err e = {0};

    assert_ok(file_read(path, out, &e), &e);
    assert_ok(buf_append(out, span_of("", 1), &e), &e);
}

/* It may be a PIN that was typed too early. */
static void
a_wrong_answer_is_recorded_as_such_and_not_itself(void **state)
{
    static const struct typed slip[] = {
        {.question = "to initialise the token", .answer = TYPIST_PIN}};
    CLEANUP(mem_cleanup) char *path = NULL;
    CLEANUP(buf_free) struct buf text = BUF_INIT(TYPIST_OUTPUT_MAX);

    (void)state;
    scene->times = scene_usual_times;
    path = scene_root(scene, "slip", NULL);
    assert_int_equal(scene_hold(scene, "run", path, slip, 1, &screen), 2);
    transcript_of("slip", &text);
    assert_null(strstr((const char *)text.p, TYPIST_PIN));
    assert_null(strstr((const char *)text.p, TYPIST_SO_PIN));
    assert_non_null(strstr((const char *)text.p, "\"answer\":\"(another answer)\""));
    assert_non_null(strstr((const char *)text.p, "\"lvl\":30"));
    assert_non_null(strstr((const char *)text.p, "\"type\":\"stopped\",\"reason\":\"step token: "));
}

static void
a_login_that_fails_is_recorded(void **state)
{
    static const struct typed wrong[] = {
        {.question = "User PIN of the token", .answer = "another"}};
    CLEANUP(mem_cleanup) char *path = NULL;
    CLEANUP(buf_free) struct buf text = BUF_INIT(TYPIST_OUTPUT_MAX);

    (void)state;
    scene->times = scene_usual_times;
    path = scene_sub(scene, "login", "root", "keys", NULL);
    assert_int_equal(scene_hold(scene, "run", path, wrong, 1, &screen), 2);
    transcript_of("login", &text);
    assert_non_null(strstr((const char *)text.p, "\"type\":\"login\",\"user\":\"user\","
                                                 "\"result\":\"failed\",\"reason\":\""));
    assert_null(strstr((const char *)text.p, "another"));
}

/* What a rehearsal makes up: 26 characters that nobody misreads, another for each. */
static void
a_rehearsal_s_pins_are_long_and_its_own(void **state)
{
    static const char *const names[] = {"rehearsed.pin", "rehearsed.so-pin"};
    char pins[ARRAY_LEN(names)][64];
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        CLEANUP(mem_cleanup) char *path = mem_printf("%s/credentials/%s", scene->dir, names[i]);
        CLEANUP(buf_free) struct buf pin = BUF_INIT(63);
        struct stat st;

        assert_ok(file_read(path, &pin, &e), &e);
        (void)snprintf(pins[i], sizeof(pins[i]), "%.*s", (int)pin.n, (const char *)pin.p);
        assert_int_equal(strlen(pins[i]), 26);
        assert_int_equal(strspn(pins[i], "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), 26);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
    }
    assert_string_not_equal(pins[0], pins[1]);
}

/* Also when somebody wrote its file with an editor, and with a copy of the definition's day. */
static void
a_rehearsal_goes_on_behind_a_rehearsal(void **state)
{
    static const struct change behind[SCENE_CHANGES_MAX] = {
        {"prev = \"root\"", "prev = \"rehearsed\""}, {"label = \"root\"", "label = \"rehearsed\""}};
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/credentials/rehearsed.pin", scene->dir);
    CLEANUP(buf_free) struct buf pin = BUF_INIT(64);
    CLEANUP(mem_cleanup) char *checked = NULL;
    struct err e = {0};

    (void)state;
    scene->times = scene_usual_times;
    assert_ok(file_read(path, &pin, &e), &e);
    assert_ok(buf_append_str(&pin, "\n", &e), &e);
    assert_ok(file_write(path, buf_span(&pin), 0600, &e), &e);
    scene_rehearse(scene, scene_crl(scene, "rehearsed-crl", "root", behind));
    checked = scene_crl(scene, "checked-crl", "root", behind);
    assert_int_equal(scene_hold(scene, "check", checked, NULL, 0, &screen), 0);
    assert_ok(file_write(path, SPAN_LITERAL("another"), 0600, &e), &e);
    assert_int_equal(scene_hold(scene, "rehearse", checked, NULL, 0, &screen), 2);
    assert_non_null(strstr((const char *)screen.p, "STOPPED: step activation: "));
}

static void
misuse_says_how_it_is_used(void **state)
{
    static const struct {
        const char *arguments[3];
        int status;
        const char *says;
    } rows[] = {
        {{NULL}, 4, "usage: nfpki-ceremony command"},
        {{"frobnicate"}, 4, "no such command: frobnicate"},
        {{"check"}, 4, "usage: nfpki-ceremony check DEFINITION"},
        {{"run"}, 4, "usage: nfpki-ceremony run DEFINITION"},
        {{"rehearse", "a", "b"}, 4, "usage: nfpki-ceremony rehearse DEFINITION"},
        {{"check", "/nonexistent"}, 1, "nfpki-ceremony: open /nonexistent"},
        {{"rehearse", "/nonexistent"}, 1, "nfpki-ceremony: open /nonexistent"},
        {{"help"}, 0, "usage: nfpki-ceremony command"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *argv[5] = {mem_strdup(TEST_BINARY_DIR "/nfpki-ceremony")};
        struct err e = {0};
        int status;

        for (size_t k = 0; k < 3 && rows[i].arguments[k] != NULL; k++) {
            argv[k + 1] = mem_strdup(rows[i].arguments[k]);
        }
        buf_truncate(&screen, 0);
        status = typist_run_alone(argv, &screen);
        assert_ok(buf_append(&screen, span_of("", 1), &e), &e);
        if (status != rows[i].status || strstr((const char *)screen.p, rows[i].says) == NULL) {
            fail_msg("row %zu: %d, %s", i, status, (const char *)screen.p);
        }
        for (size_t k = 0; k < ARRAY_LEN(argv); k++) {
            mem_free(argv[k]);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_refused_or_stops_says_why_and_what_to_do),
        cmocka_unit_test(a_network_and_swap_must_be_accepted),
        cmocka_unit_test(a_wrong_answer_is_recorded_as_such_and_not_itself),
        cmocka_unit_test(a_login_that_fails_is_recorded),
        cmocka_unit_test(a_rehearsal_s_pins_are_long_and_its_own),
        cmocka_unit_test(a_rehearsal_goes_on_behind_a_rehearsal),
        cmocka_unit_test(misuse_says_how_it_is_used),
    };
    struct err e = {0};
    int result = ossl_init(&e) != 0 ? 1 : cmocka_run_group_tests(tests, hold, drop);

    OPENSSL_cleanup();
    return result;
}
