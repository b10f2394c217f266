/* SPDX-License-Identifier: Apache-2.0 */
/* Names and values in pieces as small as a parser may give them, and as long as they may be. */
#include "base/http/message/fields.h"

#include <string.h>

#include "tests/support/test.h"

/* One field line; its pieces are `step` octets. */
static enum http_fault
add(struct http_fields *f, const char *name, const char *value, size_t step)
{
    size_t n = strlen(name);

    for (size_t at = 0; at < n; at += step) {
        http_fields_name(f, name + at, n - at < step ? n - at : step);
    }
    n = strlen(value);
    for (size_t at = 0; at < n; at += step) {
        enum http_fault fault = http_fields_value(f, value + at, n - at < step ? n - at : step);

        if (fault != HTTP_FAULT_NONE) {
            return fault;
        }
    }
    return http_fields_end(f);
}

/* So many octets 'a'. */
static const char *
letters(size_t n)
{
    static char text[2048];

    assert_true(n < sizeof(text));
    memset(text, 'a', n);
    text[n] = '\0';
    return text;
}

static void
each_name_counts_for_itself(void **state)
{
    (void)state;
    for (size_t step = 1; step < 20; step += 18) {
        struct http_fields f = {0};

        assert_int_equal(add(&f, "HOST", "x", step), HTTP_FAULT_NONE);
        assert_int_equal(f.hosts, 1);
        assert_int_equal(f.lengths + f.codings + f.types + f.dates, 0);
        assert_int_equal(add(&f, "content-Length", "5", step), HTTP_FAULT_NONE);
        assert_int_equal(f.lengths, 1);
        assert_int_equal(add(&f, "Transfer-Encoding", "Chunked", step), HTTP_FAULT_NONE);
        assert_int_equal(f.codings, 1);
        assert_false(f.expects);
        assert_int_equal(add(&f, "Expect", "100-Continue", step), HTTP_FAULT_NONE);
        assert_true(f.expects);
        assert_int_equal(add(&f, "Content-Type", "Application/PKIXCMP ; a=b", step),
                         HTTP_FAULT_NONE);
        assert_string_equal(f.content_type, "application/pkixcmp");
        assert_int_equal(add(&f, "X-Host", "x", step), HTTP_FAULT_NONE);
        assert_int_equal(add(&f, "Hos", "x", step), HTTP_FAULT_NONE);
        assert_int_equal(f.hosts, 1);
        assert_int_equal(add(&f, "Host", "", step), HTTP_FAULT_NONE);
        assert_int_equal(f.hosts, 2);
    }
}

static void
what_follows_a_name_of_ours_makes_another_of_it(void **state)
{
    struct http_fields f = {0};

    (void)state;
    http_fields_name(&f, "Host", 4);
    http_fields_name(&f, letters(100), 100);
    assert_int_equal(http_fields_value(&f, letters(1000), 1000), HTTP_FAULT_NONE);
    assert_int_equal(http_fields_end(&f), HTTP_FAULT_NONE);
    assert_int_equal(f.hosts, 0);
    assert_int_equal(add(&f, "Host", "x", 4), HTTP_FAULT_NONE); /* and is forgotten with it */
    assert_int_equal(f.hosts, 1);
    http_fields_name(&f, letters(HTTP_FIELD_NAME_MAX), HTTP_FIELD_NAME_MAX);
    assert_int_equal(http_fields_end(&f), HTTP_FAULT_NONE);
    assert_int_equal(f.hosts, 1);
}

static void
values_end_at_their_limits(void **state)
{
    static const struct {
        const char *name;
        size_t n;
        enum http_fault fault;
    } rows[] = {
        {"Host", HTTP_FIELD_VALUE_MAX, HTTP_FAULT_NONE},
        {"Host", HTTP_FIELD_VALUE_MAX + 1, HTTP_FAULT_HEADER_SIZE},
        {"Content-Type", HTTP_CONTENT_TYPE_MAX, HTTP_FAULT_NONE},
        {"Content-Type", HTTP_CONTENT_TYPE_MAX + 1, HTTP_FAULT_TYPE},
        {"Content-Type", HTTP_FIELD_VALUE_MAX + 1, HTTP_FAULT_HEADER_SIZE},
        {"If-None-Match", HTTP_FIELD_VALUE_MAX + 1, HTTP_FAULT_NONE},
        {"If-Modified-Since", HTTP_FIELD_VALUE_MAX + 1, HTTP_FAULT_NONE},
        {"Sec-Fetch-Site", HTTP_FIELD_VALUE_MAX + 1, HTTP_FAULT_NONE},
        {"X", HTTP_FIELD_VALUE_MAX + 1, HTTP_FAULT_NONE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t step = 1; step <= 1000; step += 999) {
            struct http_fields f = {0};

            if (add(&f, rows[i].name, letters(rows[i].n), step) != rows[i].fault) {
                fail_msg("row %zu in pieces of %zu", i, step);
            }
        }
    }
}

/* Any line that names another origin; what is too long, or no word of ours, is another. */
static void
another_origin_is_one(void **state)
{
    static const struct {
        const char *value;
        bool another;
    } rows[] = {{"same-origin", false},
                {"none", false},
                {"same-site", true},
                {"cross-site", true},
                {"same-origi", true},
                {"nones", true},
                {"", true},
                {"Same-Origin", true},
                {NULL, true}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *value =
            rows[i].value == NULL ? letters(HTTP_FIELD_VALUE_MAX + 1) : rows[i].value;
        struct http_fields f = {0};

        assert_int_equal(add(&f, "Sec-Fetch-Site", value, 99), HTTP_FAULT_NONE);
        assert_int_equal(f.of_another, rows[i].another);
        assert_int_equal(add(&f, "Sec-Fetch-Site", "none", 99), HTTP_FAULT_NONE);
        assert_int_equal(f.of_another, rows[i].another);
        assert_false(f.navigates || f.for_window);
        assert_int_equal(add(&f, "sec-fetch-mode", "navigate", 99), HTTP_FAULT_NONE);
        assert_int_equal(add(&f, "sec-fetch-dest", "document", 99), HTTP_FAULT_NONE);
        assert_true(f.navigates && f.for_window);
    }
}

static void
a_second_type_is_refused(void **state)
{
    struct http_fields f = {0};

    (void)state;
    assert_int_equal(add(&f, "Content-Type", "a/b", 99), HTTP_FAULT_NONE);
    assert_int_equal(add(&f, "Content-Type", "a/b", 99), HTTP_FAULT_TYPE);
}

static void
tags_are_one_list_as_long_as_all_are_kept(void **state)
{
    struct http_fields f = {0};

    (void)state;
    assert_int_equal(add(&f, "If-None-Match", "\"a\"", 99), HTTP_FAULT_NONE);
    assert_true(f.has_if_none_match);
    assert_string_equal(f.if_none_match, "\"a\"");
    /* with the comma exactly as many as there may be */
    assert_int_equal(add(&f, "If-None-Match", letters(HTTP_CONDITION_MAX - 4), 99),
                     HTTP_FAULT_NONE);
    assert_int_equal(strlen(f.if_none_match), HTTP_CONDITION_MAX);
    assert_memory_equal(f.if_none_match, "\"a\",aaa", 7);
    assert_int_equal(add(&f, "If-None-Match", "", 99), HTTP_FAULT_NONE);
    assert_string_equal(f.if_none_match, "");
    assert_int_equal(add(&f, "If-None-Match", "\"b\"", 99), HTTP_FAULT_NONE);
    assert_string_equal(f.if_none_match, ""); /* and stays lost */
    assert_true(f.has_if_none_match);

    f = (struct http_fields){0};
    assert_int_equal(add(&f, "If-None-Match", "\"a\"", 99), HTTP_FAULT_NONE);
    assert_int_equal(add(&f, "If-None-Match", letters(HTTP_CONDITION_MAX - 3), 99),
                     HTTP_FAULT_NONE);
    assert_string_equal(f.if_none_match, "");

    f = (struct http_fields){0}; /* too long in pieces: the beginning is not the list */
    assert_int_equal(add(&f, "If-None-Match", letters(HTTP_FIELD_VALUE_MAX + 50), 100),
                     HTTP_FAULT_NONE);
    assert_true(f.has_if_none_match);
    assert_string_equal(f.if_none_match, "");
}

static void
there_is_one_date_or_none(void **state)
{
    struct http_fields f = {0};

    (void)state;
    assert_int_equal(add(&f, "If-Modified-Since", letters(HTTP_DATE_MAX), 99), HTTP_FAULT_NONE);
    assert_string_equal(f.if_modified_since, letters(HTTP_DATE_MAX));
    assert_int_equal(add(&f, "If-Modified-Since", "now", 99), HTTP_FAULT_NONE);
    assert_string_equal(f.if_modified_since, "");
    assert_false(f.has_if_none_match);

    f = (struct http_fields){0};
    assert_int_equal(add(&f, "If-Modified-Since", letters(HTTP_DATE_MAX + 1), 99), HTTP_FAULT_NONE);
    assert_string_equal(f.if_modified_since, "");

    f = (struct http_fields){0};
    http_fields_name(&f, "If-Modified-Since", 17);
    assert_int_equal(http_fields_value(&f, "now", 3), HTTP_FAULT_NONE);
    assert_int_equal(http_fields_value(&f, letters(1000), 1000), HTTP_FAULT_NONE);
    assert_int_equal(http_fields_end(&f), HTTP_FAULT_NONE);
    assert_string_equal(f.if_modified_since, "");
}

static void
what_is_not_understood_is_refused(void **state)
{
    static const struct {
        const char *name;
        const char *value;
        enum http_fault fault;
    } rows[] = {
        {"Transfer-Encoding", "chunke", HTTP_FAULT_CODING},
        {"Transfer-Encoding", "", HTTP_FAULT_CODING},
        {"Expect", "100-continued", HTTP_FAULT_EXPECT},
        {"Expect", "", HTTP_FAULT_EXPECT},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_fields f = {0};

        assert_int_equal(add(&f, rows[i].name, rows[i].value, 99), rows[i].fault);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_name_counts_for_itself),
        cmocka_unit_test(what_follows_a_name_of_ours_makes_another_of_it),
        cmocka_unit_test(values_end_at_their_limits),
        cmocka_unit_test(another_origin_is_one),
        cmocka_unit_test(a_second_type_is_refused),
        cmocka_unit_test(tags_are_one_list_as_long_as_all_are_kept),
        cmocka_unit_test(there_is_one_date_or_none),
        cmocka_unit_test(what_is_not_understood_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
