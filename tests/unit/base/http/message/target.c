/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http/message/target.h"

#include <string.h>

#include "tests/support/test.h"

static void
a_path_is_found_in_each_form(void **state)
{
    static const struct {
        const char *text;
        enum http_fault fault;
        const char *path;
        const char *query;
    } rows[] = {
        {"/a/b", HTTP_FAULT_NONE, "/a/b", ""},
        {"/a?b=c", HTTP_FAULT_NONE, "/a", "b=c"},
        {"http://x/a", HTTP_FAULT_NONE, "/a", ""},
        {"HTTPS://ra.example:8443/a", HTTP_FAULT_NONE, "/a", ""},
        {"http://192.0.2.1:80/a", HTTP_FAULT_NONE, "/a", ""},
        {"http://[2001:db8::1]:80/a", HTTP_FAULT_NONE, "/a", ""},
        {"http://[2001:db8::1]/a", HTTP_FAULT_NONE, "/a", ""},
        {"http://x:/a", HTTP_FAULT_NONE, "/a", ""},
        {"http://x", HTTP_FAULT_NONE, "/", ""},
        {"http://x?b=c", HTTP_FAULT_NONE, "/", "b=c"},
        {"http://x/a?b=c", HTTP_FAULT_NONE, "/a", "b=c"},
        {"http://x//a", HTTP_FAULT_NONE, "//a", ""},
        {"", HTTP_FAULT_TARGET, "", ""},
        {"*", HTTP_FAULT_TARGET, "", ""},
        {"x:443", HTTP_FAULT_TARGET, "", ""},
        {"a/b", HTTP_FAULT_TARGET, "", ""},
        {"ftp://x/a", HTTP_FAULT_TARGET, "", ""},
        {"http:/x/a", HTTP_FAULT_TARGET, "", ""},
        {"http:///a", HTTP_FAULT_TARGET, "", ""},
        {"http://:80/a", HTTP_FAULT_TARGET, "", ""},
        {"http://u@x/a", HTTP_FAULT_TARGET, "", ""},
        {"http://u:p@x/a", HTTP_FAULT_TARGET, "", ""},
        {"http://x:8a/a", HTTP_FAULT_TARGET, "", ""},
        {"http://x:80", HTTP_FAULT_NONE, "/", ""},
        {"http://x:80a", HTTP_FAULT_TARGET, "", ""},
        {"http://[::1]:80a/a", HTTP_FAULT_TARGET, "", ""},
        {"http://[::1]", HTTP_FAULT_NONE, "/", ""},
        {"http://[::1]:", HTTP_FAULT_NONE, "/", ""},
        {"http://[::1", HTTP_FAULT_TARGET, "", ""},
        {"http://[", HTTP_FAULT_TARGET, "", ""},
        {"http://[/]", HTTP_FAULT_TARGET, "", ""},
        {"http://[a", HTTP_FAULT_TARGET, "", ""},
        {"http://[a/]", HTTP_FAULT_TARGET, "", ""},
        {"http://a%20b/a", HTTP_FAULT_NONE, "/a", ""},
        {"http://", HTTP_FAULT_TARGET, "", ""},
        {"http:/", HTTP_FAULT_TARGET, "", ""},
        {"https:/x/a", HTTP_FAULT_TARGET, "", ""},
        {"httpx://x/a", HTTP_FAULT_TARGET, "", ""},
        {"http:/ax/a", HTTP_FAULT_TARGET, "", ""},
        {"https:/ax/a", HTTP_FAULT_TARGET, "", ""},
        {"/!~", HTTP_FAULT_NONE, "/!~", ""},
        {"/a b", HTTP_FAULT_TARGET_CHARACTER, "", ""},
        {"/a\x7f", HTTP_FAULT_TARGET_CHARACTER, "", ""},
        {"/a\x80", HTTP_FAULT_TARGET_CHARACTER, "", ""},
        {"/a\xff", HTTP_FAULT_TARGET_CHARACTER, "", ""},
        {"/a\x1f", HTTP_FAULT_TARGET_CHARACTER, "", ""},
        {"/?b=c-d_e&F9=Z", HTTP_FAULT_NONE, "/", "b=c-d_e&F9=Z"},
        {"/?b=c?", HTTP_FAULT_TARGET_CHARACTER, "", ""},
        {"/?b=c/", HTTP_FAULT_TARGET_CHARACTER, "", ""},
        {"/?b=c#", HTTP_FAULT_TARGET_CHARACTER, "", ""},
        {"/?b=\xe9", HTTP_FAULT_TARGET_CHARACTER, "", ""},
        {"http://x:80:80/a", HTTP_FAULT_TARGET, "", ""},
        {"http://[2001:db8::1/a", HTTP_FAULT_TARGET, "", ""},
        {"http://[]/a", HTTP_FAULT_TARGET, "", ""},
        {"http://[::1]x/a", HTTP_FAULT_TARGET, "", ""},
        {"http://x\\y/a", HTTP_FAULT_TARGET, "", ""},
        {"http://x#a", HTTP_FAULT_TARGET_CHARACTER, "", ""},
        {"http://x/a%41", HTTP_FAULT_TARGET_CHARACTER, "", ""},
        {"/a#b", HTTP_FAULT_TARGET_CHARACTER, "", ""},
        {"/a\\b", HTTP_FAULT_TARGET_CHARACTER, "", ""},
        {"/a?b=%41", HTTP_FAULT_TARGET_CHARACTER, "", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_request r = {.path = ""};
        enum http_fault fault;

        memset(r.path, 'x', sizeof(r.path) - 1); /* of an earlier request */
        memset(r.query, 'x', rows[i].query[0] == '\0' ? 0 : sizeof(r.query) - 1);
        fault = http_target_parse(rows[i].text, HTTP_QUERY_PLAIN, &r);

        if (fault != rows[i].fault) {
            fail_msg("%s: %s", rows[i].text, http_fault_reason(fault));
        }
        if (fault == HTTP_FAULT_NONE) {
            assert_string_equal(r.path, rows[i].path);
            assert_string_equal(r.query, rows[i].query);
            assert_int_equal(r.is_absolute, rows[i].text[0] != '/');
        }
    }
}

static void
a_query_is_refused_where_none_is(void **state)
{
    struct http_request r = {.path = ""};

    (void)state;
    assert_int_equal(http_target_parse("/a?b", HTTP_QUERY_NONE, &r), HTTP_FAULT_TARGET_CHARACTER);
    assert_int_equal(http_target_parse("http://x?b", HTTP_QUERY_NONE, &r),
                     HTTP_FAULT_TARGET_CHARACTER);
}

static void
an_authority_has_its_limit(void **state)
{
    char text[400] = "http://";
    struct http_request r = {.path = ""};

    (void)state;
    memset(text + 7, 'a', HTTP_AUTHORITY_MAX);
    text[7 + HTTP_AUTHORITY_MAX] = '/';
    assert_int_equal(http_target_parse(text, HTTP_QUERY_NONE, &r), HTTP_FAULT_NONE);
    text[7 + HTTP_AUTHORITY_MAX] = 'a';
    text[8 + HTTP_AUTHORITY_MAX] = '/';
    assert_int_equal(http_target_parse(text, HTTP_QUERY_NONE, &r), HTTP_FAULT_TARGET);
}

/* "/aaa?bbb" */
static enum http_fault
parse_long(size_t path, size_t query)
{
    char text[1024] = "";
    struct http_request r = {.path = ""};
    enum http_fault fault;

    assert_true(path + 1 + query < sizeof(text));
    memset(text, 'a', path);
    text[0] = '/';
    text[path] = '?';
    memset(text + path + 1, 'b', query);
    fault = http_target_parse(text, HTTP_QUERY_PLAIN, &r);
    if (fault == HTTP_FAULT_NONE) {
        assert_int_equal(strlen(r.path), path);
        assert_int_equal(strlen(r.query), query);
    }
    return fault;
}

static void
path_and_query_end_at_their_limits(void **state)
{
    (void)state;
    assert_int_equal(parse_long(HTTP_PATH_MAX, HTTP_QUERY_MAX), HTTP_FAULT_NONE);
    assert_int_equal(parse_long(HTTP_PATH_MAX + 1, 0), HTTP_FAULT_TARGET_LENGTH);
    assert_int_equal(parse_long(1, HTTP_QUERY_MAX + 1), HTTP_FAULT_TARGET_LENGTH);
}

/* Whoever reads it undoes its escapes. */
static void
a_form_is_taken_where_forms_are(void **state)
{
    static const struct {
        const char *text;
        enum http_fault fault;
        const char *form;
    } rows[] = {
        {"/a?b=%41+*.c&d=:@/?'", HTTP_FAULT_NONE, "b=%41+*.c&d=:@/?'"},
        {"/a?", HTTP_FAULT_NONE, ""},
        {"/a", HTTP_FAULT_NONE, NULL},
        {"/%61?b", HTTP_FAULT_TARGET_CHARACTER, NULL},
        {"/a?b=<", HTTP_FAULT_TARGET_CHARACTER, NULL},
        {"/a?b=\"", HTTP_FAULT_TARGET_CHARACTER, NULL},
        {"/a?b=#", HTTP_FAULT_TARGET_CHARACTER, NULL},
        {"/a?b=\xe9", HTTP_FAULT_TARGET_CHARACTER, NULL},
        {"/a?b=\\", HTTP_FAULT_TARGET_CHARACTER, NULL},
    };
    char text[3 + HTTP_FORM_MAX + 2] = "/a?";
    struct http_request r = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        r = (struct http_request){0};
        print_message("row %s\n", rows[i].text);
        assert_int_equal(http_target_parse(rows[i].text, HTTP_QUERY_FORM, &r), rows[i].fault);
        assert_true(rows[i].form == NULL ? r.form == NULL : strcmp(r.form, rows[i].form) == 0);
    }
    memset(text + 3, 'x', HTTP_FORM_MAX);
    assert_int_equal(http_target_parse(text, HTTP_QUERY_FORM, &r), HTTP_FAULT_NONE);
    text[3 + HTTP_FORM_MAX] = 'x';
    assert_int_equal(http_target_parse(text, HTTP_QUERY_FORM, &r), HTTP_FAULT_TARGET_LENGTH);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_found_in_each_form),
        cmocka_unit_test(a_query_is_refused_where_none_is),
        cmocka_unit_test(an_authority_has_its_limit),
        cmocka_unit_test(path_and_query_end_at_their_limits),
        cmocka_unit_test(a_form_is_taken_where_forms_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
