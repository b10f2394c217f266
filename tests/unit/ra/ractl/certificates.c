/* SPDX-License-Identifier: Apache-2.0 */
/* nfpki-ractl export-certificates: what it asks for, page by page, and what the file has. */
#include <unistd.h>

#include "base/file.h"
#include "tests/support/test.h"
#include "tests/unit/ra/ractl/table.h"

/* Of CN=x, from 2026-11-30T03:06:17Z on. */
#define DER                                                                                        \
    "MIIBbDCCAROgAwIBAgIUWUXfooKVfVqRHWbtKqkCGJTBDOAwCgYIKoZIzj0EAwIw"                             \
    "DDEKMAgGA1UEAwwBeDAeFw0yNjExMzAwMzA2MTdaFw0zNjExMjcwMzA2MTdaMAwx"                             \
    "CjAIBgNVBAMMAXgwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATCyrZsfd4wkJ8W"                             \
    "oejv4IJpKMXFeImJGJI18qSZLOi4UWpJ6ec326hnBlVKPnLEGhGjRAVyUZt370fg"                             \
    "/a8iW10Ao1MwUTAdBgNVHQ4EFgQUAWNeP/MxUGPkDjV5Pv8QumJDBGgwHwYDVR0j"                             \
    "BBgwFoAUAWNeP/MxUGPkDjV5Pv8QumJDBGgwDwYDVR0TAQH/BAUwAwEB/zAKBggq"                             \
    "hkjOPQQDAgNHADBEAiATOl/m0lbc8KiJBjMR/fBr0gwk86UYDCjCK0QA/ejgiAIg"                             \
    "ZH8BnSMr1ROGuxdICtiumifX6azHs4Dx3awxd/TuEvw="
/* One octet more. */
#define LONGER                                                                                     \
    "MIIBbDCCAROgAwIBAgIUWUXfooKVfVqRHWbtKqkCGJTBDOAwCgYIKoZIzj0EAwIw"                             \
    "DDEKMAgGA1UEAwwBeDAeFw0yNjExMzAwMzA2MTdaFw0zNjExMjcwMzA2MTdaMAwx"                             \
    "CjAIBgNVBAMMAXgwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATCyrZsfd4wkJ8W"                             \
    "oejv4IJpKMXFeImJGJI18qSZLOi4UWpJ6ec326hnBlVKPnLEGhGjRAVyUZt370fg"                             \
    "/a8iW10Ao1MwUTAdBgNVHQ4EFgQUAWNeP/MxUGPkDjV5Pv8QumJDBGgwHwYDVR0j"                             \
    "BBgwFoAUAWNeP/MxUGPkDjV5Pv8QumJDBGgwDwYDVR0TAQH/BAUwAwEB/zAKBggq"                             \
    "hkjOPQQDAgNHADBEAiATOl/m0lbc8KiJBjMR/fBr0gwk86UYDCjCK0QA/ejgiAIg"                             \
    "ZH8BnSMr1ROGuxdICtiumifX6azHs4Dx3awxd/TuEvwA"
#define PEM                                                                                        \
    "-----BEGIN CERTIFICATE-----\n"                                                                \
    "MIIBbDCCAROgAwIBAgIUWUXfooKVfVqRHWbtKqkCGJTBDOAwCgYIKoZIzj0EAwIw\n"                           \
    "DDEKMAgGA1UEAwwBeDAeFw0yNjExMzAwMzA2MTdaFw0zNjExMjcwMzA2MTdaMAwx\n"                           \
    "CjAIBgNVBAMMAXgwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATCyrZsfd4wkJ8W\n"                           \
    "oejv4IJpKMXFeImJGJI18qSZLOi4UWpJ6ec326hnBlVKPnLEGhGjRAVyUZt370fg\n"                           \
    "/a8iW10Ao1MwUTAdBgNVHQ4EFgQUAWNeP/MxUGPkDjV5Pv8QumJDBGgwHwYDVR0j\n"                           \
    "BBgwFoAUAWNeP/MxUGPkDjV5Pv8QumJDBGgwDwYDVR0TAQH/BAUwAwEB/zAKBggq\n"                           \
    "hkjOPQQDAgNHADBEAiATOl/m0lbc8KiJBjMR/fBr0gwk86UYDCjCK0QA/ejgiAIg\n"                           \
    "ZH8BnSMr1ROGuxdICtiumifX6azHs4Dx3awxd/TuEvw=\n"                                               \
    "-----END CERTIFICATE-----\n"

#define ROW(id, revoked)                                                                           \
    "{\"certificate\":\"" DER "\",\"registration\":\"" id                                          \
    "\",\"profile\":\"p\",\"revoked\":" revoked "}"
#define ASKS(after) "{\"after\":" after ",\"command\":\"certificates\",\"limit\":200}"

enum { FILE_MAX = 64 * 1024 };

static void
must_have(struct table *t, const char *name, const char *content)
{
    CLEANUP(mem_cleanup) char *path = table_placed(t, name);
    CLEANUP(buf_free) struct buf text = BUF_INIT(FILE_MAX);
    struct err e = {0};

    assert_ok(file_read(path, &text, &e), &e);
    if (!span_equal(buf_span(&text), span_str(content))) {
        fail_msg("%s: %.*s", name, (int)text.n, (const char *)text.p);
    }
}

static void
must_lack(struct table *t, const char *name)
{
    CLEANUP(mem_cleanup) char *path = table_placed(t, name);

    assert_int_equal(access(path, F_OK), -1);
}

static void
all_pages_are_one_file(void **state)
{
    static const struct row rows[] = {
        {{"export-certificates", "--output", "@/none.pem"},
         {"{\"certificates\":[]}"},
         {ASKS("0")},
         0,
         "",
         "@/none.pem: 0 certificates\n"},
        {{"export-certificates", "--output", "@/all.pem"},
         {"{\"certificates\":[" ROW("a", "false") "," ROW("b", "true") "],\"next\":7}",
          "{\"certificates\":[" ROW("c", "false") "]}"},
         {ASKS("0"), ASKS("7")},
         0,
         "",
         "@/all.pem: 3 certificates\n1 of them are revoked or rejected, as this RA knows: what is "
         "adopted of them is to be revoked again\n"},
        {{"export-certificates", "--since", "2026-11-30T03:06:17Z", "--output", "@/since.pem"},
         {"{\"certificates\":[" ROW("a", "false") "]}"},
         {ASKS("0")},
         0,
         "",
         "@/since.pem: 1 certificates\n"},
        {{"export-certificates", "--since", "2026-11-30T03:06:18Z", "--output", "@/later.pem"},
         {"{\"certificates\":[" ROW("a", "false") "]}"},
         {ASKS("0")},
         0,
         "",
         "@/later.pem: 0 certificates\n"},
    };
    struct table *t = *state;

    table_run_all(t, rows, ARRAY_LEN(rows));
    must_have(t, "@/none.pem", "");
    must_have(t, "@/all.pem",
              "# registration a, p\n" PEM "# registration b, p, revoked or rejected\n" PEM
              "# registration c, p\n" PEM);
    must_have(t, "@/since.pem", "# registration a, p\n" PEM);
    must_have(t, "@/later.pem", "");
}

static void
half_of_them_are_no_file(void **state)
{
    static const struct row rows[] = {
        {{"export-certificates", "--output", "@/half.pem"},
         {"{\"certificates\":[" ROW("a", "false") "],\"next\":7}", "!io:gone"},
         {ASKS("0"), ASKS("7")},
         1,
         "",
         "nfpki-ractl: is nfpki-ra running, and is this its admin_socket?: gone\n"},
        {{"export-certificates", "--output", "@/half.pem"},
         {"{\"certificates\":[{\"certificate\":\"" LONGER "\",\"registration\":\"a\"}]}"},
         {ASKS("0")},
         2,
         "",
         "nfpki-ractl: a certificate of registration a: octets behind the certificate\n"},
        {{"export-certificates", "--output", "@/half.pem"},
         {"{\"certificates\":[{\"certificate\":\"-\",\"registration\":\"a\"}]}"},
         {ASKS("0")},
         2,
         "",
         "nfpki-ractl: a certificate of registration a: base64: the length is not a "
         "multiple of 4\n"},
        {{"export-certificates", "--since", "yesterday", "--output", "@/half.pem"},
         {NULL},
         {NULL},
         2,
         "",
         "nfpki-ractl: --since: not a time like 2026-11-23T20:00:00Z\n"},
    };
    static const struct row again = {{"export-certificates", "--output", "@/there.pem"},
                                     {"{\"certificates\":[]}"},
                                     {ASKS("0")},
                                     1,
                                     "",
                                     "nfpki-ractl: create @/there.pem: File exists\n"};
    struct table *t = *state;

    table_run_all(t, rows, ARRAY_LEN(rows));
    must_lack(t, "@/half.pem");
    table_put(t, "@/there.pem", SPAN_LITERAL("there"));
    table_run(t, &again, GOOD);
    must_have(t, "@/there.pem", "there");
}

static void
what_is_not_understood_asks_nothing(void **state)
{
#define USAGE "usage: nfpki-ractl export-certificates [--since TIME] --output FILE\n"
    static const struct row rows[] = {
        {{"export-certificates"}, {NULL}, {NULL}, 2, "", USAGE},
        {{"export-certificates", "--output", "@/x", "more"}, {NULL}, {NULL}, 2, "", USAGE},
        {{"export-certificates", "--output", "@/x", "--json"}, {NULL}, {NULL}, 2, "", USAGE},
        {{"export-certificates", "--since", "2026-11-30T03:06:17Z"}, {NULL}, {NULL}, 2, "", USAGE},
    };

    table_run_all(*state, rows, ARRAY_LEN(rows));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_pages_are_one_file),
        cmocka_unit_test(half_of_them_are_no_file),
        cmocka_unit_test(what_is_not_understood_asks_nothing),
    };

    return cmocka_run_group_tests(tests, table_set_up, table_tear_down);
}
