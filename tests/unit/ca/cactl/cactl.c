/* SPDX-License-Identifier: Apache-2.0 */
/* nfpki-cactl(8): what each command asks and prints, and what it refuses without asking. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/test.h"
#include "tests/unit/ca/cactl/scene.h"

#define PEM "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"

static const char *
member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text == NULL ? "" : text;
}

static void
what_is_no_command_is_misuse_and_asks_nothing(void **state)
{
    static const struct {
        const char *words[CACTL_ARGS_MAX];
        const char *usage;
    } rows[] = {
        {{NULL}, "usage: nfpki-cactl"},
        {{"statu"}, "no such command: statu"},
        {{"--nonsense", "status"}, "usage: nfpki-cactl"},
        {{"--socket"}, "usage: nfpki-cactl"},
        {{"status", "more"}, "usage: nfpki-cactl status"},
        {{"crl", "more"}, "usage: nfpki-cactl crl"},
        {{"registrations", "more"}, "usage: nfpki-cactl registrations"},
        {{"issue"}, "usage: nfpki-cactl issue"},
        {{"issue", "--subject-cn", "N", "--days", "1", "f"}, "usage: nfpki-cactl issue"},
        {{"issue", "--profile", "officer", "--days", "1", "f"}, "usage: nfpki-cactl issue"},
        {{"issue", "--profile", "officer", "--subject-cn", "N", "f"}, "usage: nfpki-cactl issue"},
        {{"issue", "--profile", "officer", "--subject-cn", "N", "--days", "0", "f"},
         "usage: nfpki-cactl issue"},
        {{"issue", "--profile", "officer", "--subject-cn", "N", "--days", "-1", "f"},
         "usage: nfpki-cactl issue"},
        {{"issue", "--profile", "officer", "--subject-cn", "N", "--days", "1d", "f"},
         "usage: nfpki-cactl issue"},
        {{"issue", "--profile", "officer", "--subject-cn", "N", "--days", "", "f"},
         "usage: nfpki-cactl issue"},
        {{"issue", "--profile", "officer", "--subject-cn", "N", "--days", "1"},
         "usage: nfpki-cactl issue"},
        {{"issue", "--profile", "officer", "--subject-cn", "N", "--days", "1", "f", "g"},
         "usage: nfpki-cactl issue"},
        {{"issue", "--profil", "officer", "--subjectcn", "N", "--days", "1", "f"},
         "usage: nfpki-cactl issue"},
        {{"revoke", "ab"}, "usage: nfpki-cactl revoke"},
        {{"revoke", "--reason", "keyCompromise"}, "usage: nfpki-cactl revoke"},
        {{"revoke", "--reason", "keyCompromise", "ab", "cd"}, "usage: nfpki-cactl revoke"},
        {{"revoke", "--because", "keyCompromise", "ab"}, "usage: nfpki-cactl revoke"},
        {{"cancel"}, "usage: nfpki-cactl cancel"},
        {{"witness"}, "usage: nfpki-cactl witness"},
        {{"witness", "add"}, "usage: nfpki-cactl witness"},
        {{"witness", "remove", "f"}, "usage: nfpki-cactl witness"},
        {{"witness", "add", "f", "g"}, "usage: nfpki-cactl witness"},
        {{"ceremony"}, "usage: nfpki-cactl ceremony"},
        {{"ceremony", "add"}, "usage: nfpki-cactl ceremony"},
        {{"ceremony", "list", "b"}, "usage: nfpki-cactl ceremony"},
        {{"ceremony", "add", "b", "c"}, "usage: nfpki-cactl ceremony"},
        {{"cancel", "ab", "cd"}, "usage: nfpki-cactl cancel"},
        {{"pending", "ab", "cd"}, "usage: nfpki-cactl pending"},
        {{"pending", "--certificate", "f"}, "usage: nfpki-cactl pending"},
        {{"pending", "--key", "f"}, "usage: nfpki-cactl pending"},
        {{"pending", "--signed", "f"}, "usage: nfpki-cactl pending"},
        {{"pending", "--reason", "r"}, "usage: nfpki-cactl pending"},
        {{"pending", "--decision", "approve"}, "usage: nfpki-cactl pending"},
        {{"pending", "--documents"}, "usage: nfpki-cactl pending"},
        {{"pending", "--document", "ab", "cd"}, "usage: nfpki-cactl pending"},
        {{"approve", "--key", "k", "ab"}, "usage: nfpki-cactl approve"},
        {{"approve", "--certificate", "c", "ab"}, "usage: nfpki-cactl approve"},
        {{"approve", "--certificate", "c", "--key", "k"}, "usage: nfpki-cactl approve"},
        {{"approve", "--certificate", "c", "--key", "k", "--json", "ab"},
         "usage: nfpki-cactl approve"},
        {{"approve", "--certificate", "c", "--key", "k", "--document", "ab"},
         "usage: nfpki-cactl approve"},
        {{"reject", "--certificate", "c", "--key", "k", "--decision", "reject", "ab"},
         "usage: nfpki-cactl reject"},
        {{"approve", "--certificate", "c", "--key", "k", "--passphrase-fd", "x", "ab"},
         "usage: nfpki-cactl approve"},
        {{"approve", "--certificate", "c", "--key", "k", "--passphrase-fd", "", "ab"},
         "usage: nfpki-cactl approve"},
        {{"approve", "--certificate", "c", "--key", "k", "--passphrase-fd", "-1", "ab"},
         "usage: nfpki-cactl approve"},
        {{"approve", "--signed", "f", "ab"}, "usage: nfpki-cactl approve"},
        {{"approve", "--signed", "f", "--key", "k"}, "usage: nfpki-cactl approve"},
        {{"approve", "--signed", "f", "--certificate", "c"}, "usage: nfpki-cactl approve"},
        {{"reject", "--signed", "f", "--reason", "r"}, "usage: nfpki-cactl reject"},
        {{"sign", "--key", "k", "--out", "o", "d"}, "usage: nfpki-cactl sign"},
        {{"sign", "--certificate", "c", "--out", "o", "d"}, "usage: nfpki-cactl sign"},
        {{"sign", "--certificate", "c", "--key", "k", "d"}, "usage: nfpki-cactl sign"},
        {{"sign", "--certificate", "c", "--key", "k", "--out", "o"}, "usage: nfpki-cactl sign"},
        {{"sign", "--certificate", "c", "--key", "k", "--out", "o", "d", "d"},
         "usage: nfpki-cactl sign"},
        {{"sign", "--certificate", "c", "--key", "k", "--out", "o", "--passphrase-fd", "x", "d"},
         "usage: nfpki-cactl sign"},
        {{"sign", "--certificate", "c", "--key", "k", "--out", "o", "--reason", "r", "d"},
         "usage: nfpki-cactl sign"},
        {{"sign", "--show", "--key", "k", "d"}, "usage: nfpki-cactl sign"},
        {{"sign", "--show", "--certificate", "c", "d"}, "usage: nfpki-cactl sign"},
        {{"sign", "--show", "--out", "o", "d"}, "usage: nfpki-cactl sign"},
        {{"sign", "--show"}, "usage: nfpki-cactl sign"},
    };
    struct cactl_scene *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        cactl_run(s, rows[i].words);
        cactl_expect(s, rows[i].words[0] == NULL ? "nothing" : rows[i].words[0], 2, rows[i].usage);
        assert_int_equal(s->n_asked, 0);
        assert_string_equal(s->out, "");
    }
}

static void
each_command_asks_its_question_and_prints_the_answer(void **state)
{
    static const struct {
        const char *words[CACTL_ARGS_MAX];
        const char *answer;
        const char *asks;
        const char *prints;
    } rows[] = {
        {{"status"},
         "{\"b\":1,\"a\":2}",
         "{\"command\":\"status\"}",
         "{\n  \"a\": 2,\n  \"b\": 1\n}\n"},
        {{"crl"}, "{\"crlNumber\":7}", "{\"command\":\"crl\"}", "{\n  \"crlNumber\": 7\n}\n"},
        {{"registrations"},
         "{\"registrations\":[{\"id\":\"ab\",\"state\":\"live\"}]}",
         "{\"command\":\"registrations\"}",
         "{\n  \"registrations\": [\n    {\n      \"id\": \"ab\",\n      \"state\": \"live\"\n    "
         "}\n  ]\n}\n"},
        {{"revoke", "ab", "--reason", "keyCompromise"},
         "{\"crlNumber\":8}",
         "{\"command\":\"revoke\",\"reason\":\"keyCompromise\",\"serial\":\"ab\"}",
         "{\n  \"crlNumber\": 8\n}\n"},
        {{"cancel", "cd"},
         "{\"revoked\":0}",
         "{\"command\":\"cancel\",\"registration\":\"cd\"}",
         "{\n  \"revoked\": 0\n}\n"},
        {{"pending"}, "{\"pending\":[]}", "{\"command\":\"pending\"}", ""},
        {{"pending", "--json"}, "{\"pending\":[]}", "{\"command\":\"pending\"}", "[]\n"},
    };
    struct cactl_scene *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *asked = NULL;

        s->answers[0] = rows[i].answer;
        cactl_run(s, rows[i].words);
        cactl_expect(s, rows[i].words[0], 0, NULL);
        assert_int_equal(s->n_asked, 1);
        asked = json_dumps(s->asked[0], JSON_COMPACT | JSON_SORT_KEYS);
        assert_string_equal(asked, rows[i].asks);
        assert_string_equal(s->out, rows[i].prints);
    }
}

static void
a_refusal_of_the_daemon_is_printed_and_is_the_status(void **state)
{
    static const struct {
        const char *words[CACTL_ARGS_MAX];
        enum err_code code;
        int status;
    } rows[] = {
        {{"status"}, ERR_BUSY, 1},
        {{"registrations"}, ERR_DENIED, 1},
        {{"revoke", "ab", "--reason", "x"}, ERR_INPUT, 2},
        {{"cancel", "cd"}, ERR_NOTFOUND, 1},
        {{"pending", "ab"}, ERR_NOTFOUND, 1},
        {{"pending", "--document", "ab"}, ERR_NOTFOUND, 1},
        {{"approve", "--certificate", "c", "--key", "k", "ab"}, ERR_NOTFOUND, 1},
    };
    struct cactl_scene *s = *state;

    s->answers[0] = NULL;
    s->refusal = "because I say so";
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        s->refusal_code = rows[i].code;
        cactl_run(s, rows[i].words);
        cactl_expect(s, rows[i].words[0], rows[i].status, "nfpki-cactl: because I say so\n");
        assert_string_equal(s->out, "");
    }
}

static void
a_daemon_that_is_not_there_is_asked_about(void **state)
{
    struct cactl_scene *s = *state;

    CACTL_RUN(s, "--socket", "/nonexistent", "status");
    cactl_expect(s, "another socket", 1, "is the daemon running?");
    assert_int_equal(s->n_asked, 0);
    CACTL_RUN(s, "--socket", "", "status");
    cactl_expect(s, "no path", 2, "a socket's path has 1 to 107 octets");
}

/* ---- witness ---- */

static void
a_note_is_handed_in_from_a_file_or_from_standard_input(void **state)
{
    struct cactl_scene *s = *state;
    static const char note[] = "a\n\n\xe2\x80\x94 w AAAAAQE=\n";
    CLEANUP(mem_cleanup) char *path = cactl_file(s, "note", span_str(note));
    CLEANUP(mem_cleanup) char *no_text = cactl_file(s, "octets", SPAN_LITERAL("\xff\n"));
    CLEANUP(mem_cleanup) char *empty = cactl_file(s, "empty", SPAN_LITERAL(""));

    s->answers[0] = "{\"published\":1}";
    CACTL_RUN(s, "witness", "add", path);
    cactl_expect(s, "a file", 0, NULL);
    assert_string_equal(member(s->asked[0], "command"), "witness");
    assert_string_equal(member(s->asked[0], "note"), note);
    assert_string_equal(s->out, "{\n  \"published\": 1\n}\n");
    s->stdin_fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(s->stdin_fd >= 0);
    CACTL_RUN(s, "witness", "add", "-");
    cactl_expect(s, "standard input", 0, NULL);
    assert_string_equal(member(s->asked[0], "note"), note);
    (void)close(s->stdin_fd);
    s->stdin_fd = -1;
    CACTL_RUN(s, "witness", "add", empty);
    cactl_expect(s, "nothing", 0, NULL);
    CACTL_RUN(s, "witness", "add", no_text);
    cactl_expect(s, "no text", 2, "not the text of a signed note");
    CACTL_RUN(s, "witness", "add", "/nonexistent");
    cactl_expect(s, "no file", 1, "/nonexistent");
}

/* ---- ceremony ---- */

static void
a_bundle_is_named_by_its_whole_path(void **state)
{
    struct cactl_scene *s = *state;

    s->answers[0] = "{\"already\":false}";
    CACTL_RUN(s, "ceremony", "add", "/usr/../usr/");
    cactl_expect(s, "a folder", 0, NULL);
    assert_string_equal(member(s->asked[0], "command"), "ceremony");
    assert_string_equal(member(s->asked[0], "bundle"), "/usr");
    assert_string_equal(s->out, "{\n  \"already\": false\n}\n");
    CACTL_RUN(s, "ceremony", "add", "/nonexistent");
    cactl_expect(s, "nothing", 1, "/nonexistent");
}

/* ---- issue ---- */

static void
issue_hands_the_request_in_as_it_is(void **state)
{
    struct cactl_scene *s = *state;
    CLEANUP(mem_cleanup) char *path = cactl_file(s, "csr.pem", SPAN_LITERAL(PEM));

    s->answers[0] = "{\"certificate\":\"PEM of it\\n\"}";
    CACTL_RUN(s, "issue", "--profile", "officer", "--subject-cn", "Alice", "--days", "30", path);
    cactl_expect(s, "issue", 0, NULL);
    assert_string_equal(s->out, "PEM of it\n");
    assert_string_equal(member(s->asked[0], "command"), "issue");
    assert_string_equal(member(s->asked[0], "profile"), "officer");
    assert_string_equal(member(s->asked[0], "commonName"), "Alice");
    assert_string_equal(member(s->asked[0], "csr"), PEM);
    assert_int_equal(json_integer_value(json_object_get(s->asked[0], "days")), 30);
}

static void
a_file_that_is_no_request_is_not_sent(void **state)
{
    struct cactl_scene *s = *state;
    static char large[32 * 1024 + 1];
    const struct {
        const char *name;
        struct span bytes; /* none: there is no file */
        int status;
        const char *says;
    } rows[] = {
        {"not there", span_of(NULL, 0), 1, "csr.none: No such file"},
        {"DER", SPAN_LITERAL("\x30\x03\x02\x01\x01"), 2,
         "not PEM: convert it with openssl req -inform DER"},
        {"one octet too long", span_of(large, sizeof(large)), 2, "csr"},
    };

    memset(large, 'A', sizeof(large));
    memcpy(large, PEM, strlen(PEM));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup)
        char *path = rows[i].bytes.n == 0 ? mem_printf("%s/csr.none", s->dir)
                                          : cactl_file(s, "csr", rows[i].bytes);

        CACTL_RUN(s, "issue", "--profile", "officer", "--subject-cn", "A", "--days", "1", path);
        cactl_expect(s, rows[i].name, rows[i].status, rows[i].says);
        assert_int_equal(s->n_asked, 0);
    }
    {
        CLEANUP(mem_cleanup) char *path = cactl_file(s, "csr", span_of(large, sizeof(large) - 1));

        s->answers[0] = "{\"certificate\":\"\"}";
        CACTL_RUN(s, "issue", "--profile", "officer", "--subject-cn", "A", "--days", "1", path);
        cactl_expect(s, "as long as may be", 0, NULL);
    }
    memset(large + strlen(PEM), '\n', sizeof(large) - strlen(PEM));
    {
        CLEANUP(mem_cleanup) char *path = cactl_file(s, "csr", span_of(large, sizeof(large) - 1));

        CACTL_RUN(s, "issue", "--profile", "officer", "--subject-cn", "A", "--days", "1", path);
        cactl_expect(s, "twice as long when escaped", 2, "the request is too long");
        assert_int_equal(s->n_asked, 0);
    }
}

#define SCENE(test) cmocka_unit_test_setup_teardown(test, cactl_scene_setup, cactl_scene_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(what_is_no_command_is_misuse_and_asks_nothing),
        SCENE(each_command_asks_its_question_and_prints_the_answer),
        SCENE(a_refusal_of_the_daemon_is_printed_and_is_the_status),
        SCENE(a_daemon_that_is_not_there_is_asked_about),
        SCENE(a_note_is_handed_in_from_a_file_or_from_standard_input),
        SCENE(a_bundle_is_named_by_its_whole_path),
        SCENE(issue_hands_the_request_in_as_it_is),
        SCENE(a_file_that_is_no_request_is_not_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
