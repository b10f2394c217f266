/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

enum { LONG = 5000 };

static char out[32768];

/* What is written to stderr between the two. */
static int
begin(int ends[2])
{
    int before = dup(STDERR_FILENO);

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    return before;
}

static const char *
end(int ends[2], int before)
{
    ssize_t n;

    assert_int_equal(dup2(before, STDERR_FILENO), STDERR_FILENO);
    (void)close(before);
    (void)close(ends[1]);
    n = read(ends[0], out, sizeof(out) - 1);
    (void)close(ends[0]);
    out[n > 0 ? n : 0] = '\0';
    return out;
}

static const char *
logged(enum log_level least, enum log_level level, const char *text)
{
    int ends[2];
    int before = begin(ends);

    log_open("unit", least);
    log_event(level, "tested", "%s", text);
    return end(ends, before);
}

static void
a_line_is_one_object_with_time_level_program_and_event(void **state)
{
    const char *line = logged(LOG_INFO, LOG_WARNING, "hello");
    char *tail = mem_printf("\"level\":\"warning\",\"program\":\"unit\",\"pid\":%ld,"
                            "\"event\":\"tested\",\"text\":\"hello\"}\n",
                            (long)getpid());

    (void)state;
    assert_int_equal(strncmp(line, "{\"time\":\"20", 11), 0);
    assert_non_null(strstr(line, "Z\","));
    assert_string_equal(strstr(line, "\"level\""), tail);
    mem_free(tail);
}

static void
octets_of_a_peer_neither_end_the_line_nor_reach_a_terminal(void **state)
{
    char all[256];
    const char *line;
    size_t breaks = 0;

    (void)state;
    for (size_t i = 0; i < 255; i++) {
        all[i] = (char)(i + 1);
    }
    all[255] = '\0';
    line = logged(LOG_INFO, LOG_INFO, all);
    for (const char *p = line; *p != '\0'; p++) {
        breaks += *p == '\n' ? 1 : 0;
        assert_true(*p == '\n' || (*p >= 0x20 && *p < 0x7f));
    }
    assert_int_equal(breaks, 1);
    assert_non_null(strstr(line, "\\u000a"));
    assert_non_null(strstr(line, "\\u001b"));
    assert_non_null(strstr(line, "\\u00ff"));
    line = logged(LOG_INFO, LOG_INFO, "\",\"event\":\"forged\\");
    assert_non_null(strstr(line, "\"text\":\"\\\",\\\"event\\\":\\\"forged\\\\\"}\n"));
}

static void
characters_of_utf_8_keep_their_meaning(void **state)
{
    (void)state;
    assert_non_null(strstr(logged(LOG_INFO, LOG_INFO, "Schl\xc3\xbcssel \xf0\x9f\x94\x91 \xc3"),
                           "\"text\":\"Schl\\u00fcssel \\ud83d\\udd11 \\u00c3\"}\n"));
}

static void
a_long_text_is_cut_and_the_line_still_ends(void **state)
{
    char text[LONG + 1];
    const char *line;
    size_t n;

    (void)state;
    memset(text, 1, LONG); /* six octets each in the line */
    text[LONG] = '\0';
    line = logged(LOG_INFO, LOG_INFO, text);
    n = strlen(line);
    assert_true(n > LONG && n < sizeof(out) - 1);
    assert_string_equal(line + n - 9, "\\u0001\"}\n");
    for (n = 0; (line = strstr(line, "\\u0001")) != NULL; n++) {
        line++;
    }
    assert_int_equal(n, 2047); /* octets of the text */
}

static void
less_than_the_least_level_is_not_written(void **state)
{
    (void)state;
    assert_string_equal(logged(LOG_WARNING, LOG_INFO, "x"), "");
    assert_non_null(strstr(logged(LOG_WARNING, LOG_ERROR, "x"), "\"level\":\"error\""));
    for (int least = LOG_DEBUG; least <= LOG_ERROR; least++) {
        static const char *const names[] = {"debug", "info", "warning", "error"};

        for (int level = LOG_DEBUG; level <= LOG_ERROR; level++) {
            CLEANUP(mem_cleanup)
            char *wanted = mem_printf("\"level\":\"%s\"", names[level - LOG_DEBUG]);
            const char *line = logged((enum log_level)least, (enum log_level)level, "x");

            if (level < least) {
                assert_string_equal(line, "");
            } else {
                assert_non_null(strstr(line, wanted));
            }
        }
    }
}

static void
a_reason_comes_with_its_code(void **state)
{
    struct err e = {0};
    int ends[2];
    int before = begin(ends);
    const char *line;

    (void)state;
    log_open("unit", LOG_INFO);
    (void)err_set(&e, ERR_DENIED, "no \n entry");
    log_err(LOG_ERROR, "refused", &e, "door %d", 3);
    line = end(ends, before);
    assert_non_null(strstr(line, "\"event\":\"refused\",\"code\":\"denied\","
                                 "\"text\":\"door 3: no \\u000a entry\"}\n"));
    before = begin(ends);
    log_err(LOG_ERROR, "refused", &e, "%s", "");
    assert_non_null(strstr(end(ends, before), "\"text\":\"no \\u000a entry\"}\n"));
    before = begin(ends);
    log_err(LOG_DEBUG, "refused", &e, "door");
    assert_string_equal(end(ends, before), "");
}

static void
characters_beyond_the_first_plane_have_two_halves(void **state)
{
    (void)state;
    assert_non_null(strstr(logged(LOG_INFO, LOG_INFO,
                                  "\xef\xbf\xbf \xf0\x90\x80\x80 "
                                  "\xf4\x8f\xbf\xbf"),
                           "\"text\":\"\\uffff \\ud800\\udc00 \\udbff\\udfff\"}\n"));
    assert_non_null(
        strstr(logged(LOG_INFO, LOG_INFO, "\x1f\x20\x7e\x7f"), "\"text\":\"\\u001f ~\\u007f\"}\n"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_one_object_with_time_level_program_and_event),
        cmocka_unit_test(octets_of_a_peer_neither_end_the_line_nor_reach_a_terminal),
        cmocka_unit_test(characters_of_utf_8_keep_their_meaning),
        cmocka_unit_test(a_long_text_is_cut_and_the_line_still_ends),
        cmocka_unit_test(less_than_the_least_level_is_not_written),
        cmocka_unit_test(characters_beyond_the_first_plane_have_two_halves),
        cmocka_unit_test(a_reason_comes_with_its_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
