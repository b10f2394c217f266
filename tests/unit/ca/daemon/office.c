/* SPDX-License-Identifier: Apache-2.0 */
/* What officers ask of the daemon, over its admin socket. */
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/link/admin.h"
#include "ca/link/frame.h"
#include "tests/support/kill.h"
#include "tests/unit/ca/daemon/nf.h"

static json_t *
ask(struct world *w, const char *command)
{
    struct err e = {0};
    json_t *answer = world_ask(w, json_pack("{s:s}", "command", command), &e);

    if (answer == NULL) {
        fail_msg("%s: %s", command, e.text);
    }
    return answer;
}

static const char *
text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text == NULL ? "" : text;
}

/* What the list says of this one. */
static const json_t *
entry_of(const json_t *list, const char *id, size_t *at)
{
    for (*at = 0; *at < json_array_size(list); ++*at) {
        if (strcmp(text_of(json_array_get(list, *at), "id"), id) == 0) {
            return json_array_get(list, *at);
        }
    }
    fail_msg("%s is not listed", id);
    return NULL;
}

static void
registrations_are_listed_newest_first_with_their_use_and_state(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf used = nf_new(w, BY_MAC, 1);
    CLEANUP(nf_free) struct nf fresh = nf_new(w, BY_MAC, 3);
    CLEANUP(nf_free) struct nf gone = nf_new(w, BY_MAC, 1);
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;
    const struct {
        const char *id;
        int certificates;
        int used;
        const char *state;
    } rows[] = {
        {gone.id, 1, 0, "cancelled"},
        {fresh.id, 3, 0, "live"},
        {used.id, 1, 1, "live"},
    };
    const json_t *list;

    X509_free(nf_enrol(w, &used));
    world_cancel(w, gone.id);
    answer = ask(w, "registrations");
    list = json_object_get(answer, "registrations");
    assert_int_equal(json_array_size(list), world_record(w, "registrations"));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t at;
        const json_t *entry = entry_of(list, rows[i].id, &at);

        assert_int_equal(at, i);
        assert_int_equal(json_integer_value(json_object_get(entry, "certificates")),
                         rows[i].certificates);
        assert_int_equal(json_integer_value(json_object_get(entry, "used")), rows[i].used);
        assert_string_equal(text_of(entry, "state"), rows[i].state);
        assert_int_equal(strlen(text_of(entry, "nfInstanceId")), 36);
        assert_int_equal(strlen(text_of(entry, "notAfter")), TIME_TEXT_SIZE - 1);
    }
}

static void
status_counts_what_there_is(void **state)
{
    struct world *w = *state;
    CLEANUP(admin_json_cleanup) json_t *before = ask(w, "status");
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
    CLEANUP(admin_json_cleanup) json_t *after = NULL;
    const json_t *was = json_object_get(before, "record");
    const json_t *is;
    const json_t *signers;
    static const char *const one_more[] = {"registrations", "certificates"};

    X509_free(nf_enrol(w, &n));
    after = ask(w, "status");
    is = json_object_get(after, "record");
    signers = json_object_get(after, "signers");
    for (size_t i = 0; i < ARRAY_LEN(one_more); i++) {
        assert_int_equal(json_integer_value(json_object_get(is, one_more[i])),
                         json_integer_value(json_object_get(was, one_more[i])) + 1);
    }
    assert_int_equal(json_integer_value(json_object_get(is, "open")), 0);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(after, "link"), "peers")),
                     1);
    assert_true(json_integer_value(json_object_get(json_object_get(after, "link"), "jobs")) >=
                1); /* the question itself */
    assert_true(json_is_false(json_object_get(after, "rehearsal")));
    assert_true(json_is_true(json_object_get(json_object_get(signers, "issuing"), "software")));
    assert_true(json_integer_value(json_object_get(json_object_get(signers, "log"), "pid")) > 1);
    assert_string_equal(text_of(after, "version"), NFPKI_VERSION);
}

static void
each_crl_has_the_next_number(void **state)
{
    struct world *w = *state;
    CLEANUP(admin_json_cleanup) json_t *one = ask(w, "crl");
    CLEANUP(admin_json_cleanup) json_t *two = ask(w, "crl");

    assert_int_equal(json_integer_value(json_object_get(two, "crlNumber")),
                     json_integer_value(json_object_get(one, "crlNumber")) + 1);
}

static void
what_is_no_command_is_refused(void **state)
{
    static const char *const commands[] = {"", "Status", "status ", "shutdown", "REGISTRATIONS"};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        struct err e = {0};

        assert_null(world_ask(w, json_pack("{s:s}", "command", commands[i]), &e));
        assert_int_equal(e.code, ERR_INPUT);
        assert_string_equal(e.text, "unknown command");
    }
}

/* ---- a daemon that stops ---- */

static int
connect_to(const struct world *w)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/admin.sock", w->dir);
    struct err e = {0};
    int fd = unix_connect(path, true, &e);

    assert_true(fd >= 0);
    return fd;
}

static void
say(int fd, const char *text)
{
    struct err e = {0};

    assert_ok(frame_write(fd, span_str(text), -1, &e), &e);
}

static void
hear(int fd, const char *wanted)
{
    CLEANUP(buf_free) struct buf answer = BUF_INIT(1024 * 1024);
    struct err e = {0};

    assert_ok(frame_read(fd, 1024 * 1024, &answer, -1, &e), &e);
    if (memmem(answer.p, answer.n, wanted, strlen(wanted)) == NULL) {
        fail_msg("no \"%s\" in %.*s", wanted, (int)answer.n, (const char *)answer.p);
    }
}

/* A CRL waits for the signer, which is held, when the daemon is told to stop. */
static void
a_daemon_that_stops_ends_what_it_began_and_begins_nothing(void **state)
{
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
    struct world *w = *state;
    CLEANUP(admin_json_cleanup) json_t *status = ask(w, "status");
    pid_t signer = (pid_t)json_integer_value(
        json_object_get(json_object_get(json_object_get(status, "signers"), "issuing"), "pid"));
    CLEANUP(fd_cleanup) int waiting = connect_to(w);
    CLEANUP(fd_cleanup) int later = connect_to(w);
    json_int_t jobs = 0;

    assert_int_equal(test_kill(signer, SIGSTOP), 0);
    say(waiting, "{\"command\":\"crl\"}");
    while (jobs < 3) { /* the asking, the CRL, and the question how many */
        CLEANUP(admin_json_cleanup) json_t *now = ask(w, "status");

        jobs = json_integer_value(json_object_get(json_object_get(now, "link"), "jobs"));
        (void)nanosleep(&pause, NULL);
    }
    assert_int_equal(test_kill(w->daemon, SIGTERM), 0);
    for (;;) { /* until it noticed */
        CLEANUP(buf_free) struct buf answer = BUF_INIT(64 * 1024);
        struct err e = {0};

        say(later, "{\"command\":\"status\"}");
        assert_ok(frame_read(later, 64 * 1024, &answer, -1, &e), &e);
        if (memmem(answer.p, answer.n, "\"error\"", 7) != NULL) {
            assert_non_null(memmem(answer.p, answer.n, "the daemon is stopping", 22));
            assert_non_null(memmem(answer.p, answer.n, "\"busy\"", 6));
            break;
        }
        (void)nanosleep(&pause, NULL);
    }
    assert_int_equal(test_kill(signer, SIGCONT), 0);
    hear(waiting, "\"crlNumber\":");
    assert_int_equal(world_stop(w), 0);
    world_start(w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registrations_are_listed_newest_first_with_their_use_and_state),
        cmocka_unit_test(status_counts_what_there_is),
        cmocka_unit_test(each_crl_has_the_next_number),
        cmocka_unit_test(what_is_no_command_is_refused),
        cmocka_unit_test(a_daemon_that_stops_ends_what_it_began_and_begins_nothing),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
