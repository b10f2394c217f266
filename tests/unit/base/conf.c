/* SPDX-License-Identifier: Apache-2.0 */
#include "base/conf.h"

#include <string.h>

#include "base/file.h"
#include "base/ossl.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

static cfg_opt_t part[] = {CFG_INT("size", 0, CFGF_NONE), CFG_INT("width", 0, CFGF_NONE),
                           CFG_END()};
static char a_list[] = "{one, two}";
static cfg_opt_t options[] = {
    CFG_STR_LIST("defaults", a_list, CFGF_NONE),
    CFG_STR("name", NULL, CFGF_NONE),
    CFG_INT("days", 1, CFGF_NONE),
    CFG_STR_LIST("list", NULL, CFGF_NODEFAULT),
    CFG_SEC("part", part, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
    CFG_END(),
};

static cfg_t *
load(const char *dir, const char *text, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/x.conf", dir);

    assert_ok(file_write(path, span_str(text), 0600, e), e);
    return conf_load(path, options, NULL, e);
}

static void
values_are_read_and_paths_start_at_the_file(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *expected = mem_printf("%s/sub/f", dir);
    CLEANUP(mem_cleanup) char *path = NULL;
    CLEANUP(conf_cleanup) cfg_t *cfg = NULL;
    struct err e = {0};

    (void)state;
    cfg = load(dir, "# costs $5\nname = \"sub/f\"\ndays = 3\n", &e);
    assert_non_null(cfg);
    assert_int_equal(cfg_getint(cfg, "days"), 3);
    path = conf_path(cfg, "name", &e);
    assert_string_equal(path, expected);
}

static void
what_is_wrong_is_refused_with_its_line(void **state)
{
    static const struct {
        const char *text;
        const char *reason;
    } rows[] = {
        {"name = a\ndayz = 3\n", "x.conf:2: no such option 'dayz'"},
        {"days = three\n", "x.conf:1: "},
        {"days = 3\n\nname = a\ndays = 4\n", "x.conf:4: option 'days' stands there twice"},
        {"defaults = {a}\ndefaults = {c}\n", "x.conf:2: option 'defaults' stands there twice"},
        {"list = {a, b}\nlist = {c}\n", "x.conf:2: option 'list' stands there twice"},
        {"part \"a\" {\n size = 1\n size = 2\n}\n", "x.conf:3: option 'size' stands there twice"},
        {"list = {a}\nlist += {c}\n", "x.conf:2: option 'list' stands there twice"},
        {"part \"a\" {}\npart \"a\" {}\n", "x.conf:2: found duplicate title 'a'"},
        {"name = \"${HOME}\"\n", ":1: `$`"},
        {"name = a\n include(\"other.conf\")\n", ":2: include"},
        {"name = {", "x.conf"},
        {"# one $\n# two\nname = 'a # \\' b' # \"three\n\ndayz = 1\n",
         "x.conf:5: no such option 'dayz'"},
        {"name = \"a $x\"\n", ":1: `$`"},
        {"name = a\n// two\n", ":2: a comment begins with #"},
        {"name = a /* one */\n", ":1: a comment begins with #"},
        {"name = a\n\tinclude(\"other.conf\")\n", ":2: include is not allowed"},
        {"include", ":1: include is not allowed"},
        {"list = {{{{{{{{{", "x.conf:1: nested too deep"},
        {"days = 1\npart \"a\" {}\n}\n", "x.conf:3: "},
        {"name = 'a\n$'\n", ":2: `$` is not allowed: write the value out"},
        {"name = \"a\\\"\n$\"\n", ":2: `$` is not allowed"},
        {"name = \"a\\\\\" # $\ndayz = 1\n", "x.conf:2: no such option 'dayz'"},
        {"name=a\nname=b\n", "x.conf:2: option 'name' stands there twice"},
        {"part a {size=1}\npart b {size=1}\npart c {size=1 size=2}\n",
         "x.conf:3: option 'size' stands there twice"},
    };
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};

        if (load(dir, rows[i].text, &e) != NULL || strstr(e.text, rows[i].reason) == NULL) {
            fail_msg("%s: %s", rows[i].text, e.text);
        }
        assert_int_equal(e.code, ERR_INPUT);
    }
}

static void
what_is_not_wrong_is_taken(void **state)
{
    static const char *const rows[] = {
        "",
        "name = includes\n",
        "# name = a\nname = b\n",
        "name = 'a # b'\n# '\ndays = 2\n",
        "name = 'a // b /* c */'\n",
        "name = http://x/y\n",
        "part a {size = 1}\npart b {size = 1}\n",
        "list = {a, b}\ndefaults = {a, b}\n",
        "days=1\npart days {size=1}\n",
    };
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};
        CLEANUP(conf_cleanup) cfg_t *cfg = load(dir, rows[i], &e);

        if (cfg == NULL) {
            fail_msg("row %zu (%s): %s", i, rows[i], e.text);
        }
    }
}

static void
octets_are_counted_and_none_is_nul(void **state)
{
    static char text[CONF_FILE_MAX + 1];
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/x.conf", dir);
    struct err e = {0};

    (void)state;
    memset(text, '\n', sizeof(text));
    memcpy(text, "days = 7", 8);
    for (size_t more = 0; more < 2; more++) {
        CLEANUP(conf_cleanup) cfg_t *loaded = NULL;
        CLEANUP(conf_cleanup) cfg_t *parsed = NULL;

        assert_ok(file_write(path, span_of(text, CONF_FILE_MAX + more), 0600, &e), &e);
        loaded = conf_load(path, options, NULL, &e);
        assert_int_equal(loaded == NULL, more);
        parsed = conf_parse("x.conf", span_of(text, CONF_FILE_MAX + more), options, &e);
        assert_int_equal(parsed == NULL, more);
        assert_int_equal(parsed == NULL ? 7 : cfg_getint(parsed, "days"), 7);
    }
    assert_string_equal(e.text, "x.conf: more than the allowed 65536 octets");
    assert_null(conf_parse("x.conf", SPAN_LITERAL("days = 7\n\0"), options, &e));
    assert_string_equal(e.text, "x.conf:2: a NUL octet");
    assert_null(conf_parse("x.conf", SPAN_LITERAL("days = 7 # \0\n"), options, &e));
    assert_string_equal(e.text, "x.conf:1: a NUL octet");
}

static void
the_hash_is_that_of_the_file(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/x.conf", dir);
    CLEANUP(conf_cleanup) cfg_t *cfg = NULL;
    uint8_t hash[SHA256_SIZE];
    uint8_t wanted[SHA256_SIZE];
    struct err e = {0};

    (void)state;
    assert_ok(sha256(SPAN_LITERAL("days = 7 # seven\n"), wanted, &e), &e);
    assert_ok(file_write(path, SPAN_LITERAL("days = 7 # seven\n"), 0600, &e), &e);
    cfg = conf_load(path, options, hash, &e);
    assert_non_null(cfg);
    assert_memory_equal(hash, wanted, sizeof(hash));
    assert_null(conf_load("/nonexistent.conf", options, hash, &e));
    assert_int_equal(e.code, ERR_NOTFOUND);
}

static void
a_fault_of_a_value_is_told_with_its_line(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(conf_cleanup) cfg_t *cfg = NULL;
    CLEANUP(mem_cleanup) char *where = NULL;
    struct err e = {0};
    cfg_t *section;

    (void)state;
    cfg = load(dir,
               "# a\nname = \"days = 1\"\nlist = {a,\n b,\n c}\npart \"p\" {\n  size = 3\n}\ndays "
               "= 2\npart q "
               "{size = 1}\n",
               &e);
    assert_non_null(cfg);
    assert_int_equal(conf_line(cfg, "name"), 2);
    assert_int_equal(conf_line(cfg, "list"), 5);
    assert_int_equal(cfg_size(cfg, "list"), 3);
    assert_int_equal(conf_line(cfg, "days"), 9);
    section = cfg_getnsec(cfg, "part", 0);
    assert_int_equal(conf_line(section, "size"), 7);
    /* what is not there is missed at the end of its section */
    assert_int_equal(conf_line(section, "width"), 8);
    assert_int_equal(conf_fault(section, "size", &e, "size %d: too much", 3), -1);
    where = mem_printf("%s/x.conf:7: size 3: too much", dir);
    assert_string_equal(e.text, where);
    assert_int_equal(e.code, ERR_INPUT);
}

static void
a_missing_value_is_named(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = NULL;
    CLEANUP(conf_cleanup) cfg_t *cfg = NULL;
    struct err e = {0};

    (void)state;
    cfg = load(dir, "days = 3\n", &e);
    assert_non_null(cfg);
    assert_null(conf_string(cfg, "name", &e));
    assert_non_null(strstr(e.text, "x.conf:1: option 'name' is missing or empty"));
    assert_null(conf_path(cfg, "name", &e));
    conf_free(cfg);
    cfg = load(dir, "days = 3\n\n# no name", &e);
    assert_null(conf_string(cfg, "name", &e));
    assert_non_null(strstr(e.text, "x.conf:3: option 'name' is missing or empty"));
    conf_free(cfg);
    cfg = load(dir, "days = 3\nname = \"\"\npart p {size = 1}\n", &e);
    assert_null(conf_string(cfg, "name", &e));
    assert_non_null(strstr(e.text, "x.conf:2: option 'name' is missing or empty"));
    conf_free(cfg);
    cfg = load(dir, "name = /a/b\n", &e);
    assert_string_equal(conf_string(cfg, "name", &e), "/a/b");
    path = conf_path(cfg, "name", &e);
    assert_string_equal(path, "/a/b");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read_and_paths_start_at_the_file),
        cmocka_unit_test(what_is_wrong_is_refused_with_its_line),
        cmocka_unit_test(what_is_not_wrong_is_taken),
        cmocka_unit_test(octets_are_counted_and_none_is_nul),
        cmocka_unit_test(the_hash_is_that_of_the_file),
        cmocka_unit_test(a_fault_of_a_value_is_told_with_its_line),
        cmocka_unit_test(a_missing_value_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
