/* SPDX-License-Identifier: Apache-2.0 */
/* What is at a path, and that nothing else is anywhere. */
#include "db/audit/serve/route.h"

#include <string.h>

#include "tests/support/test.h"

static void
each_path_is_for_something_or_nothing(void **state)
{
    static const struct {
        const char *path;
        bool found;
        enum route_kind kind;
        enum route_format format;
        const char *what; /* or the noun */
    } rows[] = {
        {"/", true, ROUTE_REPORT, ROUTE_HTML, ""},
        {"/help", true, ROUTE_HELP, ROUTE_HTML, ""},
        {"/show", true, ROUTE_SHOW, ROUTE_HTML, ""},
        {"/certificates", true, ROUTE_LIST, ROUTE_HTML, "certificates"},
        {"/events.csv", true, ROUTE_LIST, ROUTE_CSV, "events"},
        {"/findings.jsonl", true, ROUTE_LIST, ROUTE_JSONL, "findings"},
        {"/show/5A:01-x", true, ROUTE_SHOW, ROUTE_HTML, "5A:01-x"},
        {"/show/5a.json", true, ROUTE_SHOW, ROUTE_JSON, "5a"},
        {"/explain/5a", true, ROUTE_EXPLAIN, ROUTE_HTML, "5a"},
        {"/prove/17", true, ROUTE_PROVE, ROUTE_PROOF, "17"},
        {"", false, 0, 0, ""},
        {"//", false, 0, 0, ""},
        {"certificates", false, 0, 0, ""},
        {"/certificate", false, 0, 0, ""},
        {"/certificates.xml", false, 0, 0, ""},
        {"/certificates.csv.csv", false, 0, 0, ""},
        {"/certificates.csv.jsonl", false, 0, 0, ""},
        {"/.csv", false, 0, 0, ""},
        {"/certificates/", false, 0, 0, ""},
        {"/help/", false, 0, 0, ""},
        {"/show/", false, 0, 0, ""},
        {"/show/a/b", false, 0, 0, ""},
        {"/show/../x", false, 0, 0, ""},
        {"/show/.json", false, 0, 0, ""},
        {"/show/a'b", false, 0, 0, ""},
        {"/explain/5a.json", false, 0, 0, ""},
        {"/prove/", false, 0, 0, ""},
        {"/certificatescertificatescertificates", false, 0, 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct route route;

        print_message("row %s\n", rows[i].path);
        assert_int_equal(route_parse(rows[i].path, &route), rows[i].found);
        if (rows[i].found) {
            assert_int_equal(route.kind, rows[i].kind);
            assert_int_equal(route.format, rows[i].format);
            assert_string_equal(route.noun != NULL ? route.noun->name : route.what, rows[i].what);
        }
    }
}

static void
what_is_asked_about_has_its_limit(void **state)
{
    char path[6 + ROUTE_WHAT_MAX + 2] = "/show/";
    struct route route;

    (void)state;
    memset(path + 6, 'a', ROUTE_WHAT_MAX);
    assert_true(route_parse(path, &route));
    assert_int_equal(strlen(route.what), ROUTE_WHAT_MAX);
    path[6 + ROUTE_WHAT_MAX] = 'a';
    assert_false(route_parse(path, &route));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_path_is_for_something_or_nothing),
        cmocka_unit_test(what_is_asked_about_has_its_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
