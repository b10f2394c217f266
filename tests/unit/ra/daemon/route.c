/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/daemon/route.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/test.h"

#define TYPE "application/pkixcmp"

static void
every_path_has_one_meaning(void **state)
{
    static const struct {
        enum http_method method;
        const char *path;
        const char *type;
        enum route_kind kind;
        int status;
        const char *profile;
        int body;
        const char *file;
    } rows[] = {
        {HTTP_METHOD_POST, "/.well-known/cmp", TYPE, ROUTE_CMP, 0, "", -1, ""},
        {HTTP_METHOD_POST, "/.well-known/cmp/", TYPE, ROUTE_CMP, 0, "", -1, ""},
        {HTTP_METHOD_POST, "/.well-known/cmp/p/nf-tls///", TYPE, ROUTE_CMP, 0, "nf-tls", -1, ""},
        {HTTP_METHOD_POST, "/.well-known/cmp/initialization", TYPE, ROUTE_CMP, 0, "", CMP_IR, ""},
        {HTTP_METHOD_POST, "/.well-known/cmp/p/nf-tls", TYPE, ROUTE_CMP, 0, "nf-tls", -1, ""},
        {HTTP_METHOD_POST, "/.well-known/cmp/p/nf-tls/keyupdate", TYPE, ROUTE_CMP, 0, "nf-tls",
         CMP_KUR, ""},
        {HTTP_METHOD_POST, "/.well-known/cmp", "text/plain", ROUTE_REFUSED, 415, "", 0, ""},
        {HTTP_METHOD_POST, "/.well-known/cmp", "", ROUTE_REFUSED, 415, "", 0, ""},
        {HTTP_METHOD_GET, "/.well-known/cmp", "", ROUTE_REFUSED, 405, "", 0, ""},
        {HTTP_METHOD_POST, "/.well-known/cmpx", TYPE, ROUTE_REFUSED, 404, "", 0, ""},
        {HTTP_METHOD_POST, "/.well-known/cmxx", TYPE, ROUTE_REFUSED, 404, "", 0, ""},
        {HTTP_METHOD_POST, "/.well-known/cmx", TYPE, ROUTE_REFUSED, 404, "", 0, ""},
        {HTTP_METHOD_POST, "/.well-known/cmpxinitialization", TYPE, ROUTE_REFUSED, 404, "", 0, ""},
        {HTTP_METHOD_POST, "/.well-known/cmp/pkcs10", TYPE, ROUTE_CMP, 0, "", CMP_P10CR, ""},
        {HTTP_METHOD_POST, "/.well-known/cmp/certification", TYPE, ROUTE_CMP, 0, "", CMP_CR, ""},
        {HTTP_METHOD_POST, "/.well-known/cmp/revocation", TYPE, ROUTE_CMP, 0, "", CMP_RR, ""},
        {HTTP_METHOD_POST, "/.well-known/cmp/getcrls", TYPE, ROUTE_CMP, 0, "", CMP_GENM, ""},
        {HTTP_METHOD_POST, "/.well-known/cmp/nested", TYPE, ROUTE_CMP, 0, "", CMP_NESTED, ""},
        {HTTP_METHOD_POST, "/.well-known/cmp/p/nf-tls/x", TYPE, ROUTE_REFUSED, 404, "", 0, ""},
        {HTTP_METHOD_GET, "/crlxissuing.crl", "", ROUTE_REFUSED, 404, "", 0, ""},
        {HTTP_METHOD_GET, "/crl/a.crl", "", ROUTE_CRL, 0, "", -1, "a.crl"},
        {HTTP_METHOD_GET, "/crl/a.crx", "", ROUTE_REFUSED, 404, "", 0, ""},
        {HTTP_METHOD_GET, "/crl/", "", ROUTE_REFUSED, 404, "", 0, ""},
        {HTTP_METHOD_POST, "/.well-known/cmp/p", TYPE, ROUTE_REFUSED, 404, "", 0, ""},
        {HTTP_METHOD_POST, "/.well-known/cmp/p/", TYPE, ROUTE_REFUSED, 404, "", 0, ""},
        {HTTP_METHOD_POST, "/.well-known/cmp/p/NF", TYPE, ROUTE_REFUSED, 404, "", 0, ""},
        {HTTP_METHOD_POST, "/.well-known/cmp/p/a.b", TYPE, ROUTE_REFUSED, 404, "", 0, ""},
        {HTTP_METHOD_POST, "/.well-known/cmp/initialization/", TYPE, ROUTE_REFUSED, 404, "", 0, ""},
        {HTTP_METHOD_POST, "/.well-known/cmp/nonsense", TYPE, ROUTE_REFUSED, 404, "", 0, ""},
        {HTTP_METHOD_POST, "/", TYPE, ROUTE_REFUSED, 404, "", 0, ""},
        {HTTP_METHOD_POST, "/ejbca/publicweb/cmp/nf", TYPE, ROUTE_CMP, 0, "nf-tls", -1, ""},
        {HTTP_METHOD_POST, "/ejbca/publicweb/cmp/renew", TYPE, ROUTE_CMP, 0, "nf-tls-client",
         CMP_KUR, ""},
        {HTTP_METHOD_POST, "/ejbca/publicweb/cmp/nf", "text/plain", ROUTE_REFUSED, 415, "", 0, ""},
        {HTTP_METHOD_GET, "/ejbca/publicweb/cmp/nf", "", ROUTE_REFUSED, 405, "", 0, ""},
        {HTTP_METHOD_POST, "/ejbca/publicweb/cmp/nf/", TYPE, ROUTE_REFUSED, 404, "", 0, ""},
        {HTTP_METHOD_POST, "/ejbca/publicweb/cmp/nf/x", TYPE, ROUTE_REFUSED, 404, "", 0, ""},
        {HTTP_METHOD_POST, "/ejbca/publicweb/cmp/NF", TYPE, ROUTE_REFUSED, 404, "", 0, ""},
        {HTTP_METHOD_POST, "/ejbca/publicweb/cmp", TYPE, ROUTE_REFUSED, 404, "", 0, ""},
        {HTTP_METHOD_GET, "/crl/issuing.crl", "", ROUTE_CRL, 0, "", -1, "issuing.crl"},
        {HTTP_METHOD_POST, "/crl/issuing.crl", "", ROUTE_REFUSED, 405, "", 0, ""},
        {HTTP_METHOD_GET, "/crl/.crl", "", ROUTE_REFUSED, 404, "", 0, ""},
        {HTTP_METHOD_GET, "/crl/../etc.crl", "", ROUTE_REFUSED, 404, "", 0, ""},
        {HTTP_METHOD_GET, "/crl/a/b.crl", "", ROUTE_REFUSED, 404, "", 0, ""},
        {HTTP_METHOD_GET, "/crl/passwd", "", ROUTE_REFUSED, 404, "", 0, ""},
        {HTTP_METHOD_GET, "/crl/issuing.crl.crl", "", ROUTE_REFUSED, 404, "", 0, ""},
        {HTTP_METHOD_GET, "/ledger/checkpoint", "", ROUTE_LEDGER, 0, "", -1, "checkpoint"},
        {HTTP_METHOD_GET, "/ledger/tile/0/x001/x234/067.p/255", "", ROUTE_LEDGER, 0, "", -1,
         "tile/0/x001/x234/067.p/255"},
        {HTTP_METHOD_POST, "/ledger/checkpoint", "", ROUTE_REFUSED, 405, "", 0, ""},
        {HTTP_METHOD_GET, "/ledger/", "", ROUTE_REFUSED, 404, "", 0, ""},
        {HTTP_METHOD_GET, "/ledger", "", ROUTE_REFUSED, 404, "", 0, ""},
        {HTTP_METHOD_GET, "/ledger/../checkpoint", "", ROUTE_REFUSED, 404, "", 0, ""},
    };

    struct route_alias aliases[2];
    struct err e;

    (void)state;
    assert_ok(route_alias_set(&aliases[0], "/ejbca/publicweb/cmp/nf", "nf-tls", NULL, &e), &e);
    assert_ok(route_alias_set(&aliases[1], "/ejbca/publicweb/cmp/renew", "nf-tls-client",
                              "keyupdate", &e),
              &e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_request request = {.method = rows[i].method};
        struct route route;

        (void)snprintf(request.path, sizeof(request.path), "%s", rows[i].path);
        (void)snprintf(request.content_type, sizeof(request.content_type), "%s", rows[i].type);
        route_find(&request, aliases, ARRAY_LEN(aliases), &route);
        if (route.kind != rows[i].kind || route.status != rows[i].status) {
            fail_msg("%s: kind %d, status %d", rows[i].path, (int)route.kind, route.status);
        }
        if (route.kind == ROUTE_CMP) {
            assert_string_equal(route.profile, rows[i].profile);
            assert_int_equal(route.body, rows[i].body);
        }
        if (route.kind == ROUTE_CRL || route.kind == ROUTE_LEDGER) {
            assert_string_equal(route.file, rows[i].file);
        }
    }
}

/* What is looked up has its limit, in our own paths and in an alias. */
static void
names_are_as_long_as_there_is_room(void **state)
{
    static const struct {
        const char *prefix;
        const char *suffix;
        int longest; /* letters between */
        enum route_kind kind;
    } rows[] = {
        {"/.well-known/cmp/p/", "", CMP_PROFILE_MAX, ROUTE_CMP},
        {"/.well-known/cmp/p/", "/keyupdate", CMP_PROFILE_MAX, ROUTE_CMP},
        {"/crl/", ".crl", ROUTE_FILE_MAX - 4, ROUTE_CRL},
    };
    char letters[HTTP_PATH_MAX + 1];
    struct route_alias alias;
    struct err e;

    (void)state;
    memset(letters, 'x', sizeof(letters));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (int more = 0; more <= 1; more++) {
            CLEANUP(mem_cleanup)
            char *path = mem_printf("%s%.*s%s", rows[i].prefix, rows[i].longest + more, letters,
                                    rows[i].suffix);
            struct http_request request = {.method = rows[i].kind == ROUTE_CRL ? HTTP_METHOD_GET
                                                                               : HTTP_METHOD_POST,
                                           .content_type = "application/pkixcmp"};
            struct route route;

            memcpy(request.path, path, strlen(path));
            route_find(&request, NULL, 0, &route);
            if (route.kind != (more == 0 ? rows[i].kind : ROUTE_REFUSED) ||
                route.status != (more == 0 ? 0 : 404)) {
                fail_msg("%s: kind %d, status %d", path, (int)route.kind, route.status);
            }
        }
    }
    for (int more = 0; more <= 1; more++) {
        CLEANUP(mem_cleanup) char *profile = mem_printf("%.*s", CMP_PROFILE_MAX + more, letters);
        CLEANUP(mem_cleanup) char *path = mem_printf("/%.*s", HTTP_PATH_MAX - 1 + more, letters);

        assert_int_equal(route_alias_set(&alias, "/cmp", profile, NULL, &e), more == 0 ? 0 : -1);
        assert_true(more == 0 || strstr(e.text, "cannot be the name of a profile") != NULL);
        assert_int_equal(route_alias_set(&alias, path, "nf-tls", NULL, &e), more == 0 ? 0 : -1);
        assert_true(more == 0 || strstr(e.text, "write a path of 2 to") != NULL);
    }
}

static void
a_name_is_of_small_letters_digits_and_hyphens(void **state)
{
    (void)state;
    for (unsigned c = 1; c < 256; c++) {
        const bool good =
            c < 128 && strchr("abcdefghijklmnopqrstuvwxyz0123456789-", (int)c) != NULL;
        struct http_request request = {.method = HTTP_METHOD_POST,
                                       .path = "/.well-known/cmp/p/x?x",
                                       .content_type = "application/pkixcmp"};
        struct route route;

        if (c == '/') {
            continue;
        }
        *strchr(request.path, '?') = (char)c;
        route_find(&request, NULL, 0, &route);
        if (route.kind != (good ? ROUTE_CMP : ROUTE_REFUSED)) {
            fail_msg("0x%02x: kind %d", c, (int)route.kind);
        }
    }
}

static void
an_alias_stands_for_nothing_that_is_ours(void **state)
{
    static const struct {
        const char *path;
        const char *profile;
        const char *operation;
        const char *word; /* NULL: good */
    } rows[] = {
        {"/cmp", "nf-tls", NULL, NULL},
        {"/.well-known2/x", "nf-tls", "initialization", NULL},
        {"/crls/x", "nf-tls", NULL, NULL},
        {"/..a/.b", "nf-tls", NULL, NULL},
        {"/x./a.", "nf-tls", NULL, NULL},
        {"/!~", "nf-tls", NULL, NULL},
        {"/x", "nf-tls", NULL, NULL},
        {"/a#b", "nf-tls", NULL, "#"},
        {"/a\\b", "nf-tls", NULL, "printable"},
        {"/a\x7f", "nf-tls", NULL, "printable"},
        {"/a\x80", "nf-tls", NULL, "printable"},
        {"/a\x1f", "nf-tls", NULL, "printable"},
        {"/a/.", "nf-tls", NULL, ". or .."},
        {"/a/..", "nf-tls", NULL, ". or .."},
        {"/", "nf-tls", NULL, "begins with /"},
        {"", "nf-tls", NULL, "begins with /"},
        {"cmp", "nf-tls", NULL, "begins with /"},
        {"/cmp/", "nf-tls", NULL, "does not end"},
        {"/a//b", "nf-tls", NULL, "begins with /"},
        {"/a/../crl/x", "nf-tls", NULL, ".."},
        {"/./crl", "nf-tls", NULL, ". or .."},
        {"/a%20b", "nf-tls", NULL, "%"},
        {"/a b", "nf-tls", NULL, "printable"},
        {"/a?b", "nf-tls", NULL, "?"},
        {"/.well-known/cmp", "nf-tls", NULL, ".well-known"},
        {"/.well-known/est", "nf-tls", NULL, ".well-known"},
        {"/.well-known", "nf-tls", NULL, ".well-known"},
        {"/crl/issuing.crl", "nf-tls", NULL, "/crl"},
        {"/crl", "nf-tls", NULL, "/crl"},
        {"/cmp", "NF", NULL, "NF"},
        {"/cmp", "", NULL, "profile"},
        {"/cmp", "nf-tls", "enrol", "enrol"},
        {"/cmp", "nf-tls", "", "operation"},
    };
    struct route_alias alias;
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int result = route_alias_set(&alias, rows[i].path, rows[i].profile, rows[i].operation, &e);

        if ((result == 0) != (rows[i].word == NULL) ||
            (result != 0 && strstr(e.text, rows[i].word) == NULL)) {
            fail_msg("%s: %s", rows[i].path, result == 0 ? "taken" : e.text);
        }
    }
}

static void
an_operation_takes_its_own_body_and_the_later_ones(void **state)
{
    const struct route any = {.kind = ROUTE_CMP, .body = -1};
    const struct route ir = {.kind = ROUTE_CMP, .body = CMP_IR};

    (void)state;
    assert_true(route_takes(&any, CMP_IR));
    assert_true(route_takes(&ir, CMP_IR));
    assert_false(route_takes(&ir, CMP_KUR));
    assert_true(route_takes(&ir, CMP_CERTCONF));
    assert_true(route_takes(&ir, CMP_POLLREQ));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_path_has_one_meaning),
        cmocka_unit_test(a_name_is_of_small_letters_digits_and_hyphens),
        cmocka_unit_test(names_are_as_long_as_there_is_room),
        cmocka_unit_test(an_alias_stands_for_nothing_that_is_ours),
        cmocka_unit_test(an_operation_takes_its_own_body_and_the_later_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
