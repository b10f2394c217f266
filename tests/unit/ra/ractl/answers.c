/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nfpki-ractl asks of registrations, and what it makes of the answers: lists, what is handed
 * in, imports. ra/ractl/ractl.c has the same program before a real daemon.
 */
#include "tests/support/test.h"
#include "tests/unit/ra/ractl/table.h"

/* ---- list, show ---- */

#define HEAD                                                                                       \
    "REGISTRATION                      NFINSTANCEID                          PROOF        STATE "  \
    "     USED\n"
#define NONE                                                                                       \
    "-                                 -                                     -            -     "  \
    "     0/0\n"

static void
a_list_is_asked_for_page_by_page(void **state)
{
    static const struct row rows[] = {
        {{"list"},
         {"{\"registrations\":[{\"id\":\"00112233445566778899aabbccddeeff\",\"nfInstanceId\":"
          "\"9c5b94b1-35ad-49bb-b118-8e8fc24abf80\",\"proof\":\"certificate\",\"state\":"
          "\"cancelled\",\"used\":1,\"certificates\":12}]}"},
         {"{\"command\":\"list\",\"limit\":1000}"},
         0,
         HEAD "00112233445566778899aabbccddeeff  9c5b94b1-35ad-49bb-b118-8e8fc24abf80  certificate "
              " cancelled  1/12\n",
         ""},
        {{"list"},
         {"{\"registrations\":[{}],\"next\":\"n1\"}", "{\"registrations\":[{},{}]}"},
         {"{\"command\":\"list\",\"limit\":1000}",
          "{\"after\":\"n1\",\"command\":\"list\",\"limit\":1000}"},
         0,
         HEAD NONE NONE NONE,
         ""},
        {{"list", "--limit", "5", "--state", "open", "--nf", "i"},
         {"{\"registrations\":[{},{},{}],\"next\":\"n1\"}",
          "{\"registrations\":[{},{}],\"next\":\"n2\"}"},
         {"{\"command\":\"list\",\"limit\":5,\"nfInstanceId\":\"i\",\"state\":\"open\"}",
          "{\"after\":\"n1\",\"command\":\"list\",\"limit\":2,\"nfInstanceId\":\"i\",\"state\":"
          "\"open\"}"},
         0,
         HEAD NONE NONE NONE NONE NONE,
         ""},
        {{"list", "--limit", "1"},
         {"{\"registrations\":[{}],\"next\":\"n\"}"},
         {"{\"command\":\"list\",\"limit\":1}"},
         0,
         HEAD NONE,
         ""},
        {{"list", "--limit", "999"},
         {"{\"registrations\":[]}"},
         {"{\"command\":\"list\",\"limit\":999}"},
         0,
         HEAD,
         ""},
        {{"list", "--limit", "1001"},
         {"{\"registrations\":[{}],\"next\":\"n\"}", "{\"registrations\":[{}]}"},
         {"{\"command\":\"list\",\"limit\":1000}",
          "{\"after\":\"n\",\"command\":\"list\",\"limit\":1000}"},
         0,
         HEAD NONE NONE,
         ""},
        {{"list", "--json"},
         {"{\"registrations\":[{\"id\":\"a\"}],\"next\":\"n\"}",
          "{\"registrations\":[{\"id\":\"b\"}]}"},
         {"{\"command\":\"list\",\"limit\":1000}",
          "{\"after\":\"n\",\"command\":\"list\",\"limit\":1000}"},
         0,
         "{\n  \"ok\": true,\n  \"registrations\": [\n    {\n      \"id\": \"a\"\n    },\n    {\n  "
         "    \"id\": \"b\"\n    }\n  ]\n}\n",
         ""},
        {{"list"},
         {"!input:no"},
         {"{\"command\":\"list\",\"limit\":1000}"},
         2,
         "",
         "nfpki-ractl: no\n"},
        {{"list"},
         {"{\"registrations\":[{}],\"next\":\"n\"}", "!io:gone"},
         {"{\"command\":\"list\",\"limit\":1000}",
          "{\"after\":\"n\",\"command\":\"list\",\"limit\":1000}"},
         1,
         HEAD NONE,
         "nfpki-ractl: is nfpki-ra running, and is this its admin_socket?: gone\n"},
        {{"show", "a"},
         {"{\"id\":\"a\",\"b\":1}"},
         {"{\"command\":\"show\",\"id\":\"a\"}"},
         0,
         "{\n  \"b\": 1,\n  \"id\": \"a\",\n  \"ok\": true\n}\n",
         ""},
        {{"--json", "show", "a"},
         {"{\"id\":\"a\"}"},
         {"{\"command\":\"show\",\"id\":\"a\"}"},
         0,
         "{\n  \"id\": \"a\",\n  \"ok\": true\n}\n",
         ""},
        {{"-j", "show", "a"},
         {"{\"id\":\"a\"}"},
         {"{\"command\":\"show\",\"id\":\"a\"}"},
         0,
         "{\n  \"id\": \"a\",\n  \"ok\": true\n}\n",
         ""},
        {{"--version"}, {NULL}, {NULL}, 0, "nfpki-ractl " NFPKI_VERSION "\n", ""},
        {{"-V"}, {NULL}, {NULL}, 0, "nfpki-ractl " NFPKI_VERSION "\n", ""},
        {{"-s", "@/nothing.sock", "show", "a"},
         {NULL},
         {NULL},
         1,
         "",
         "nfpki-ractl: is nfpki-ra running, and is this its admin_socket?: is the daemon running?: "
         "connect to @/nothing.sock: No such file or directory\n"},
        {{"show", "a"},
         {"!input:no"},
         {"{\"command\":\"show\",\"id\":\"a\"}"},
         2,
         "",
         "nfpki-ractl: no\n"},
    };

    table_run_all(*state, rows, ARRAY_LEN(rows));
}

/* ---- status ---- */

#define STATUS "{\"command\":\"status\"}"

static void
a_status_is_for_people_or_programs(void **state)
{
    static const struct row rows[] = {
        {{"status"},
         {"{\"version\":\"1.2\",\"seals\":{\"state\":\"sealed\",\"pages\":655},\"scrub\":{"
          "\"seen\":0,\"begun\":null,\"lastSeen\":650,\"lastEnded\":\"T1\",\"lastAge\":"
          "35},"
          "\"queue\":{\"open\":3,\"cancellations\":4},\"link\":{\"state\":\"up\",\"since\":\"T2\"},"
          "\"jobs\":5}"},
         {STATUS},
         0,
         "version    1.2\n"
         "ra.db      sealed, 655 pages\n"
         "scrub      at rest\n"
         "last pass  650 pages, ended T1, 35 s ago\n"
         "queue      3 requests and 4 cancellations wait for the CA\n"
         "CA         up since T2\n"
         "requests   5 under way\n",
         ""},
        {{"status"},
         {"{\"version\":\"1.2\",\"seals\":{\"state\":\"no key\",\"pages\":9},\"scrub\":{"
          "\"seen\":350,\"begun\":\"T3\",\"lastSeen\":0,\"lastEnded\":null,"
          "\"lastAge\":"
          "null},\"queue\":{\"open\":0,\"cancellations\":0},\"link\":{\"state\":\"down\",\"since\":"
          "\"T2\"},\"jobs\":0}"},
         {STATUS},
         0,
         "version    1.2\n"
         "ra.db      no key, 9 pages\n"
         "scrub      350 pages seen since T3\n"
         "last pass  none since the start\n"
         "queue      0 requests and 0 cancellations wait for the CA\n"
         "CA         down since T2\n"
         "requests   0 under way\n",
         ""},
        {{"status", "--json"},
         {"{\"jobs\":5}"},
         {STATUS},
         0,
         "{\n  \"jobs\": 5,\n  \"ok\": true\n}\n",
         ""},
        {{"status"}, {"!input:no"}, {STATUS}, 2, "", "nfpki-ractl: no\n"},
        {{"status"},
         {"!io:gone"},
         {STATUS},
         1,
         "",
         "nfpki-ractl: is nfpki-ra running, and is this its admin_socket?: gone\n"},
    };

    table_run_all(*state, rows, ARRAY_LEN(rows));
}

static void
what_cannot_be_written_is_a_failure(void **state)
{
    static const struct row rows[] = {
        {{"list"},
         {"{\"registrations\":[{}]}"},
         {"{\"command\":\"list\",\"limit\":1000}"},
         1,
         "",
         ""},
        {{"show", "a"}, {"{}"}, {"{\"command\":\"show\",\"id\":\"a\"}"}, 1, "", ""},
        {{"status"}, {"{}"}, {STATUS}, 1, "", ""},
        {{"status", "--json"}, {"{}"}, {STATUS}, 1, "", ""},
        {{"register", "@/hello"},
         {"{\"id\":\"a\"}"},
         {"{\"cms\":\"aGVsbG8=\",\"command\":\"register\"}"},
         1,
         "",
         ""},
        {{"cancel", "@/hello"},
         {"{\"id\":\"a\"}"},
         {"{\"cms\":\"aGVsbG8=\",\"command\":\"cancel\"}"},
         1,
         "",
         ""},
        {{"cancellation", "00112233445566778899aabbccddeeff"}, {NULL}, {NULL}, 1, "", ""},
        {{"bundle", "b"}, {"BUNDLE"}, {"{\"command\":\"bundle\",\"id\":\"b\"}"}, 1, "", ""},
        {{"--json", "bundle", "b"}, {"{}"}, {"{\"command\":\"bundle\",\"id\":\"b\"}"}, 1, "", ""},
        {{"import", "@/hello", "@/list"},
         {"{\"registrations\":0}"},
         {"{\"attachment\":8,\"command\":\"import\",\"manifest\":\"aGVsbG8=\"}+{\"a\":1}\n"},
         0, /* nothing was to be written */
         "",
         "0 registrations: 0 new, 0 known, 0 refused, 0 busy\n"},
        {{"import", "@/hello", "@/list"},
         {"{\"index\":1}\n{\"registrations\":1}"},
         {"{\"attachment\":8,\"command\":\"import\",\"manifest\":\"aGVsbG8=\"}+{\"a\":1}\n"},
         1,
         "",
         "1 registrations: 0 new, 0 known, 0 refused, 0 busy\n"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        table_run(*state, &rows[i], FULL);
    }
}

/* ---- register, cancel ---- */

static void
what_was_signed_is_handed_in_as_it_is(void **state)
{
    static const struct row rows[] = {
        {{"register", "@/hello"},
         {"{\"id\":\"a\",\"nfInstanceId\":\"b\",\"proof\":\"mac\",\"reference\":\"c\",\"secret\":"
          "\"d\"}"},
         {"{\"cms\":\"aGVsbG8=\",\"command\":\"register\"}"},
         0,
         "registration  a\nnfInstanceId  b\nproof         mac\nreference     c\nsecret        d\n",
         "The secret is shown this once.\n"},
        {{"register", "@/hello"},
         {"{\"id\":\"a\",\"proof\":\"vendor\"}"},
         {"{\"cms\":\"aGVsbG8=\",\"command\":\"register\"}"},
         0,
         "registration  a\nnfInstanceId  -\nproof         vendor\n",
         ""},
        {{"register", "--json", "@/hello"},
         {"{\"secret\":\"d\"}"},
         {"{\"cms\":\"aGVsbG8=\",\"command\":\"register\"}"},
         0,
         "{\n  \"ok\": true,\n  \"secret\": \"d\"\n}\n",
         ""},
        {{"register", "@/hello"},
         {"!input:no"},
         {"{\"cms\":\"aGVsbG8=\",\"command\":\"register\"}"},
         2,
         "",
         "nfpki-ractl: no\n"},
        {{"cancel", "@/hello"},
         {"{\"id\":\"a\"}"},
         {"{\"cms\":\"aGVsbG8=\",\"command\":\"cancel\"}"},
         0,
         "cancelled a\n",
         ""},
        {{"cancel", "@/hello", "--json"},
         {"{\"id\":\"a\"}"},
         {"{\"cms\":\"aGVsbG8=\",\"command\":\"cancel\"}"},
         0,
         "{\n  \"id\": \"a\",\n  \"ok\": true\n}\n",
         ""},
        {{"cancel", "@/hello"},
         {"!io:gone"},
         {"{\"cms\":\"aGVsbG8=\",\"command\":\"cancel\"}"},
         1,
         "",
         "nfpki-ractl: is nfpki-ra running, and is this its admin_socket?: gone\n"},
        {{"cancel", "@"}, {NULL}, {NULL}, 1, "", "nfpki-ractl: @ is not a regular file\n"},
    };

    table_run_all(*state, rows, ARRAY_LEN(rows));
}

/* ---- import ---- */

#define IMPORT "{\"attachment\":8,\"command\":\"import\",\"manifest\":\"aGVsbG8=\"}+{\"a\":1}\n"
#define ROW_NEW                                                                                    \
    "{\"index\":1,\"id\":\"a\",\"nfInstanceId\":\"b\",\"result\":\"registered\",\"reference\":"    \
    "\"c\",\"secret\":\"d\"}\n"
#define ROW_REFUSED                                                                                \
    "{\"index\":2,\"nfInstanceId\":\"e\",\"result\":\"refused\",\"reason\":\"f g\"}\n"
#define LINE_NEW                                                                                   \
    "     1  a                                 b                                     registered"
#define LINE_REFUSED                                                                               \
    "     2  -                                 e                                     refused   "   \
    "  f g\n"

static void
each_row_of_an_import_is_printed(void **state)
{
    struct table *s = *state;
    static const struct row rows[] = {
        {{"import", "@/hello", "@/list"},
         {ROW_NEW ROW_REFUSED "{\"registrations\":2,\"registered\":1,\"refused\":1}"},
         {IMPORT},
         1,
         LINE_NEW "  c  d\n" LINE_REFUSED,
         "2 registrations: 1 new, 0 known, 1 refused, 0 busy\n"},
        {{"import", "@/hello", "@/list"},
         {"{\"registrations\":3,\"known\":2,\"busy\":1}"},
         {IMPORT},
         1,
         "",
         "3 registrations: 0 new, 2 known, 0 refused, 1 busy\n"
         "The CA did not take all of them in time: import the same files again.\n"},
        {{"import", "--secrets", "@/secrets", "@/hello", "@/list"},
         {ROW_NEW ROW_REFUSED "{\"registrations\":2,\"registered\":2}"},
         {IMPORT},
         0,
         LINE_NEW "\n" LINE_REFUSED,
         "2 registrations: 2 new, 0 known, 0 refused, 0 busy\n"},
        {{"import", "@/hello", "@/list", "--secrets", "@/more", "--json"},
         {ROW_NEW ROW_REFUSED "{\"registrations\":2,\"registered\":2}"},
         {IMPORT},
         0,
         "{\"id\":\"a\",\"index\":1,\"nfInstanceId\":\"b\",\"result\":\"registered\"}\n"
         "{\"index\":2,\"nfInstanceId\":\"e\",\"reason\":\"f g\",\"result\":\"refused\"}\n",
         "2 registrations: 2 new, 0 known, 0 refused, 0 busy\n"},
        {{"--json", "import", "@/hello", "@/list"},
         {ROW_NEW "{\"registrations\":1,\"registered\":1}"},
         {IMPORT},
         0,
         "{\"id\":\"a\",\"index\":1,\"nfInstanceId\":\"b\",\"reference\":\"c\",\"result\":"
         "\"registered\",\"secret\":\"d\"}\n",
         "1 registrations: 1 new, 0 known, 0 refused, 0 busy\n"},
        {{"import", "--secrets", "@/secrets", "@/hello", "@/list"},
         {NULL},
         {NULL},
         1,
         "",
         "nfpki-ractl: @/secrets is there already: name a new file\n"},
        {{"import", "--secrets", "@/no/secrets", "@/hello", "@/list"},
         {NULL},
         {NULL},
         1,
         "",
         "nfpki-ractl: @/no/secrets: No such file or directory\n"},
        {{"import", "--secrets", "@/none", "@/hello", "@/list"},
         {ROW_REFUSED "{\"registrations\":1,\"refused\":1}"},
         {IMPORT},
         1,
         LINE_REFUSED,
         "1 registrations: 0 new, 0 known, 1 refused, 0 busy\n"},
        {{"import", "--secrets", "@/none", "@/hello", "@/list"},
         {ROW_NEW "!input:no"},
         {IMPORT},
         2,
         LINE_NEW "\n",
         "nfpki-ractl: no\n"},
        {{"import", "@/nothing", "@/list"},
         {NULL},
         {NULL},
         1,
         "",
         "nfpki-ractl: open @/nothing: No such file or directory\n"},
    };

    table_run_all(s, rows, ARRAY_LEN(rows));
    table_expect_file(
        s, "@/secrets",
        "{\"id\":\"a\",\"nfInstanceId\":\"b\",\"reference\":\"c\",\"secret\":\"d\"}\n");
    table_expect_file(
        s, "@/more",
        "{\"id\":\"a\",\"nfInstanceId\":\"b\",\"reference\":\"c\",\"secret\":\"d\"}\n");
    /* kept although the daemon went away in the middle: what was shown is shown once */
    table_expect_file(
        s, "@/none",
        "{\"id\":\"a\",\"nfInstanceId\":\"b\",\"reference\":\"c\",\"secret\":\"d\"}\n");
}

static void
secrets_that_cannot_be_kept_are_a_failure(void **state)
{
    static const struct row rows[] = {
        {{"import", "--secrets", "@/no-room", "@/hello", "@/list"},
         {ROW_NEW "{\"registrations\":1,\"registered\":1}"},
         {IMPORT},
         1,
         LINE_NEW "\n",
         "1 registrations: 1 new, 0 known, 0 refused, 0 busy\n"
         "nfpki-ractl: @/no-room could not be written whole: cancel what it lacks\n"},
    };

    table_run(*state, &rows[0], NO_ROOM);
    table_expect_file(*state, "@/no-room", "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_asked_for_page_by_page),
        cmocka_unit_test(a_status_is_for_people_or_programs),
        cmocka_unit_test(what_cannot_be_written_is_a_failure),
        cmocka_unit_test(what_was_signed_is_handed_in_as_it_is),
        cmocka_unit_test(each_row_of_an_import_is_printed),
        cmocka_unit_test(secrets_that_cannot_be_kept_are_a_failure),
    };

    return cmocka_run_group_tests(tests, table_set_up, table_tear_down);
}
