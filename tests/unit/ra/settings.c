/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/settings.h"

#include <string.h>

#include "base/file.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

#define PATHS                                                                                      \
    "state_dir = \"state\"\nlink_socket = \"/run/l\"\nadmin_socket = \"a\"\n"                      \
    "signer_program = \"s\"\nsigner_policy = \"p\"\nra_certificate = \"c\"\n"                      \
    "issuing_certificate = \"i\"\nroot_certificate = \"r\"\n"
#define LISTEN "listen = {\"127.0.0.1:8829\"}\n"

static struct settings *
load(const char *dir, const char *text, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/nfpki-ra.conf", dir);

    assert_ok(file_write(path, span_str(text), 0600, e), e);
    return settings_load(path, e);
}

static void
relative_paths_are_taken_from_the_folder_of_the_file(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *database = mem_printf("%s/state/ra.db", dir);
    CLEANUP(mem_cleanup) char *root = mem_printf("%s/v.pem", dir);
    CLEANUP(settings_cleanup) struct settings *s = NULL;
    struct err e;

    (void)state;
    s = load(dir, LISTEN PATHS "vendor_roots = {\"v.pem\", \"/w.pem\"}\n", &e);
    if (s == NULL) {
        fail_msg("%s", e.text);
        return;
    }
    assert_string_equal(s->database, database);
    assert_string_equal(s->link, "/run/l");
    assert_int_equal(s->vendor_roots.n, 2);
    assert_string_equal(s->vendor_roots.items[0], root);
    assert_string_equal(s->vendor_roots.items[1], "/w.pem");
    assert_string_equal(s->listen.items[0], "127.0.0.1:8829");
    assert_int_equal(s->message_time_window, 300);
    assert_null(s->crl_dir);
    assert_int_equal(s->root_update.n, 0);
}

static void
what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *text;
        const char *word;
    } rows[] = {
        {PATHS, "listen"},
        {LISTEN, "state_dir"},
        {LISTEN PATHS "workers = 0\n", "workers"},
        {LISTEN PATHS "pbm_max_iterations = 99\n", "pbm_max_iterations"},
        {LISTEN PATHS "pbm_min_iterations = 99\n", "pbm_min_iterations"},
        {LISTEN PATHS "pbm_min_iterations = 501\npbm_max_iterations = 500\n", "pbm_min_iterations"},
        {LISTEN PATHS "nonsense = 1\n", "nonsense"},
        {"listen = {\"\"}\n" PATHS, "listen"},
    };
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(settings_cleanup) struct settings *s = load(dir, rows[i].text, &e);

        assert_null(s);
        assert_int_equal(e.code, ERR_INPUT);
        if (strstr(e.text, rows[i].word) == NULL) {
            fail_msg("\"%s\" does not name %s", e.text, rows[i].word);
        }
    }
}

static void
the_sample_configuration_is_a_good_one(void **state)
{
    CLEANUP(settings_cleanup) struct settings *s = NULL;
    struct err e;

    (void)state;
    s = settings_load(TEST_SOURCE_DIR "/../ra/nfpki-ra.conf", &e);
    if (s == NULL) {
        fail_msg("%s", e.text);
        return;
    }
    assert_string_equal(s->crl_dir, "/var/lib/nfpki-ca/crl");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relative_paths_are_taken_from_the_folder_of_the_file),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(the_sample_configuration_is_a_good_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
