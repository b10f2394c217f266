/* SPDX-License-Identifier: Apache-2.0 */
/* What nfpki-ractl makes of a registration: manifests and bundles. */
#include <sys/stat.h>

#include "base/file.h"
#include "tests/support/test.h"
#include "tests/unit/ra/ractl/table.h"

enum { TEXT_MAX = 256 * 1024 };

/* ---- the program ---- */

static void
expect_folder(const struct table *s, const char *name)
{
    CLEANUP(mem_cleanup) char *path = table_placed(s, name);
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700); /* nobody else's: secrets are in it */
}

/* ---- manifest ---- */

#define DOCUMENT(profile)                                                                          \
    "{\"version\":1,\"nfInstanceId\":\"9c5b94b1-35ad-49bb-b118-8e8fc24abf80\",\"nfTypes\":["       \
    "\"AMF\"],\"fqdns\":[\"amf1.5gc.mnc012.mcc345.3gppnetwork.org\"],\"homeDomain\":"              \
    "\"5gc.mnc012.mcc345.3gppnetwork.org\",\"country\":\"SE\",\"profiles\":[{\"name\":\"" profile  \
    "\"}],\"notBefore\":\"2026-01-01T00:00:00Z\",\"notAfter\":\"2026-12-01T00:00:00Z\","           \
    "\"certificates\":1,\"proof\":{\"kind\":\"mac\"}}\n"

/* The operator's file of profiles: what is shipped, and one of his own. */
static void
put_profiles(const struct table *s)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);
    struct err e;

    assert_ok(file_read(TEST_SOURCE_DIR "/../ca/x509/nfpki-profiles.conf", &text, &e), &e);
    assert_ok(buf_append_str(&text, "profile \"own\" { extended_key_usage = {jwt} }\n", &e), &e);
    table_put(s, "@/profiles", buf_span(&text));
}

static void
a_manifest_goes_by_the_profiles_that_it_is_given(void **state)
{
    struct table *s = *state;
    static const struct row rows[] = {
        {{"manifest", "@/own"},
         {NULL},
         {NULL},
         2,
         "",
         "@/own:1: registrations[0].profiles[0].name: not a profile of network functions\n"},
        {{"manifest", "--profiles", "@/profiles", "@/own"},
         {NULL},
         {NULL},
         0,
         "{\"version\":1,\"batch\":{\"registrations\":1,\"root\":"
         "\"3f25b697bc259dfb5e6d9c1ab72bf4eebc8ecb538f4e5848d04a1dbc91405fee\"}}\n",
         ""},
        {{"manifest", "--profiles", "@/profiles", "@/lab"},
         {NULL},
         {NULL},
         0,
         "{\"version\":1,\"batch\":{\"registrations\":1,\"root\":"
         "\"f032a1d18a3cc0eafa6c044467f6003c3547bd6b277745108a41b376e7526ddb\"}}\n",
         ""},
        {{"manifest", "--profiles", "@/hello", "@/own"},
         {NULL},
         {NULL},
         2,
         "",
         "nfpki-ractl: @/hello:1: no such option 'hello'\n"},
        {{"manifest", "@/empty-list"},
         {NULL},
         {NULL},
         2,
         "",
         "nfpki-ractl: @/empty-list: no registration: one is expected on each line\n"},
    };

    put_profiles(s);
    table_put(s, "@/own", SPAN_LITERAL(DOCUMENT("own")));
    table_put(s, "@/lab", SPAN_LITERAL(DOCUMENT("free5gc-lab")));
    table_put(s, "@/empty-list", (struct span){0});
    table_run_all(s, rows, ARRAY_LEN(rows));
}

static void
the_first_twenty_that_are_wrong_are_told(void **state)
{
    struct table *s = *state;

    for (unsigned n = 20; n <= 21; n++) {
        CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);
        CLEANUP(buf_free) struct buf errors = BUF_INIT(TEXT_MAX);
        CLEANUP(mem_cleanup) char *all = NULL;
        struct err e;

        for (unsigned i = 0; i < n; i++) {
            CLEANUP(mem_cleanup)
            char *line = mem_printf("@/wrong:%u: registrations[%u].version: missing\n", i + 1, i);

            assert_ok(buf_append_str(&text, "{}\n", &e), &e);
            assert_ok(i < 20 ? buf_append_str(&errors, line, &e) : 0, &e);
        }
        assert_ok(n < 21 ? 0 : buf_append_str(&errors, "@/wrong: and 1 more\n", &e), &e);
        all = mem_printf("%.*s", (int)errors.n, (const char *)errors.p);
        table_put(s, "@/wrong", buf_span(&text));
        table_run(s, &(struct row){{"manifest", "@/wrong"}, {NULL}, {NULL}, 2, "", all}, GOOD);
    }
}

/* ---- bundle ---- */

static void
folder(const struct table *s, const char *name)
{
    CLEANUP(mem_cleanup) char *path = table_placed(s, name);

    assert_int_equal(mkdir(path, 0700), 0);
}

#define LIST "{\"command\":\"list\",\"limit\":1000,\"state\":\"open\"}"
#define ASK(id) "{\"command\":\"bundle\",\"id\":\"" id "\"}"

static void
all_bundles_are_made_of_all_pages(void **state)
{
    struct table *s = *state;
    static const struct row rows[] = {
        {{"bundle", "--all", "--output", "@/all", "--secrets", "@/two-secrets"},
         {"{\"registrations\":[{\"id\":\"b\",\"nfInstanceId\":\"i\"},{\"id\":\"c\"}],\"next\":"
          "\"n\"}",
          "BUNDLE", "!input:no such thing", "{\"registrations\":[{\"id\":\"d\"}]}", "BUNDLE"},
         {LIST, ASK("b"), ASK("c"),
          "{\"after\":\"n\",\"command\":\"list\",\"limit\":1000,\"state\":\"open\"}", ASK("d")},
         1,
         "",
         "nfpki-ractl: c: no such thing\n@/all: 2 bundles, 1 that could not be made\n"},
        {{"bundle", "--all", "--output", "@/empty"}, /* that is there */
         {"{\"registrations\":[]}"},
         {LIST},
         0,
         "",
         "@/empty: 0 bundles, 0 that could not be made\n"},
        {{"bundle", "--all", "--output", "@/gone"},
         {"!io:gone"},
         {LIST},
         1,
         "",
         "nfpki-ractl: is nfpki-ra running, and is this its admin_socket?: gone\n"},
        {{"bundle", "--all", "--output", "@/later"},
         {"{\"registrations\":[],\"next\":\"n\"}", "!input:no"},
         {LIST, "{\"after\":\"n\",\"command\":\"list\",\"limit\":1000,\"state\":\"open\"}"},
         2,
         "",
         "nfpki-ractl: no\n"},
        {{"bundle", "--all", "--output", "@/clash"},
         {"{\"registrations\":[{\"id\":\"index.jsonl\"}]}", "BUNDLE"},
         {LIST, ASK("index.jsonl")},
         1,
         "",
         "nfpki-ractl: create @/clash/index.jsonl: File exists\n"},
        {{"bundle", "--all", "--output", "@/keys", "--client", "cert-manager"},
         {"{\"registrations\":[{\"id\":\"b\"}]}", "KEY"},
         {LIST, ASK("b")},
         1,
         "",
         "nfpki-ractl: b: cert-manager makes its keys itself: register the network function by "
         "another proof than publicKey\n@/keys: 0 bundles, 1 that could not be made\n"},
        {{"bundle", "--all", "--output", "/proc/nfpki"},
         {NULL},
         {NULL},
         1,
         "",
         "nfpki-ractl: mkdir /proc/nfpki: No such file or directory\n"},
        {{"bundle", "--all", "--output", "@/twice"},
         {"{\"registrations\":[{\"id\":\"b\"},{\"id\":\"b\"}]}", "BUNDLE", "BUNDLE"},
         {LIST, ASK("b"), ASK("b")},
         1,
         "",
         "nfpki-ractl: b: create @/twice/b/bundle.sh: File exists\n"
         "@/twice: 1 bundles, 1 that could not be made\n"},
        {{"bundle", "--all", "--output", "@/hello"},
         {NULL},
         {NULL},
         1,
         "",
         "nfpki-ractl: @/hello: Not a directory\n"},
        {{"bundle", "--all", "--output", "@/full"},
         {NULL},
         {NULL},
         1,
         "",
         "nfpki-ractl: @/full is not empty: name a new folder\n"},
        {{"bundle", "--all", "--output", "@/other", "--profile", "nf-tls-client"},
         {"{\"registrations\":[{\"id\":\"b\"}]}", "BUNDLE"},
         {LIST, ASK("b")},
         1,
         "",
         "nfpki-ractl: b: profile nf-tls-client is not registered; see `nfpki-ractl show b`\n"
         "@/other: 0 bundles, 1 that could not be made\n"},
    };

    table_put(s, "@/two-secrets",
              SPAN_LITERAL("{\"id\":\"b\",\"secret\":\"s\"}\n"
                           "{\"id\":\"x\",\"secret\":\"t\"}")); /* no line end */
    folder(s, "@/empty");
    folder(s, "@/full");
    table_put(s, "@/full/a", SPAN_LITERAL("a"));
    table_run_all(s, rows, ARRAY_LEN(rows));
    expect_folder(s, "@/all");
    expect_folder(s, "@/all/b");
    table_expect_file(s, "@/all/b/secret.txt", "s");
    table_expect_file(s, "@/all/d/secret.txt", NULL);
    table_expect_file(s, "@/all/c/bundle.sh", NULL);
    table_expect_file(s, "@/all/index.jsonl",
                      "{\"file\":\"b/bundle.sh\",\"id\":\"b\",\"nfInstanceId\":\"i\",\"profile\":"
                      "\"nf-tls\",\"proof\":\"mac\",\"secret\":true}\n"
                      "{\"file\":\"d/bundle.sh\",\"id\":\"d\",\"nfInstanceId\":\"\",\"profile\":"
                      "\"nf-tls\",\"proof\":\"mac\",\"secret\":false}\n");
    table_expect_file(s, "@/empty/index.jsonl", "");
    table_expect_file(s, "@/gone/index.jsonl", NULL);
}

#define NO_SECRET                                                                                  \
    "no \"id\" and \"secret\": take the file that `nfpki-ractl import --secrets` wrote\n"

static void
secrets_are_what_import_wrote(void **state)
{
    struct table *s = *state;
    static const struct {
        const char *text;
        const char *line; /* the first that is wrong */
    } rows[] = {
        {"{\"id\":\"b\",\"secret\":\"s\"}\n{\"id\":\"b\"}\n", "2"},
        {"{\"secret\":\"s\"}", "1"},
        {"{\"id\":\"b\",\"secret\":\"\"}", "1"},
        {"{\"id\":\"b\",\"secret\":\"s\"}\n\n", "2"},
        {"{\"id\":\"b\",\"secret\":\"s\",\"secret\":\"t\"}\n", "1"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup)
        char *errors = mem_printf("nfpki-ractl: @/secrets-of-import:%s: " NO_SECRET, rows[i].line);
        const struct row row = {
            {"bundle", "--all", "--output", "@/never", "--secrets", "@/secrets-of-import"},
            {NULL},
            {NULL},
            2,
            "",
            errors};

        table_put(s, "@/secrets-of-import", span_str(rows[i].text));
        table_run(s, &row, GOOD);
    }
}

static void
one_bundle_is_saved_or_printed(void **state)
{
    struct table *s = *state;
    static const struct row rows[] = {
        {{"bundle", "--output", "@/one", "b"}, {"BUNDLE"}, {ASK("b")}, 0, "", "@/one/bundle.sh\n"},
        {{"bundle", "--revocation", "--output", "@/one", "b"},
         {"BUNDLE"},
         {ASK("b")},
         0,
         "",
         "@/one/revoke.sh\n"},
        {{"bundle", "--client", "cert-manager", "--output", "@/one", "b"},
         {"BUNDLE"},
         {ASK("b")},
         0,
         "",
         "@/one/bundle.yaml\n"},
        {{"bundle", "--output", "@/one", "b"},
         {"BUNDLE"},
         {ASK("b")},
         1,
         "",
         "nfpki-ractl: create @/one/bundle.sh: File exists\n"},
        {{"bundle", "--output", "@/hello/one", "b"},
         {"BUNDLE"},
         {ASK("b")},
         1,
         "",
         "nfpki-ractl: mkdir @/hello/one: Not a directory\n"},
        {{"bundle", "--client", "cert-manager", "b"},
         {"KEY"},
         {ASK("b")},
         2,
         "",
         "nfpki-ractl: cert-manager makes its keys itself: register the network function by "
         "another "
         "proof than publicKey\n"},
        {{"bundle", "--json", "b"},
         {"{\"id\":\"b\"}"},
         {ASK("b")},
         0,
         "{\n  \"id\": \"b\",\n  \"ok\": true\n}\n",
         ""},
        {{"bundle", "b"}, {"!input:no"}, {ASK("b")}, 2, "", "nfpki-ractl: no\n"},
        {{"bundle", "--profile", "x", "b"},
         {"BUNDLE"},
         {ASK("b")},
         2,
         "",
         "nfpki-ractl: profile x is not registered; see `nfpki-ractl show b`\n"},
    };

    table_run_all(s, rows, ARRAY_LEN(rows));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_manifest_goes_by_the_profiles_that_it_is_given),
        cmocka_unit_test(the_first_twenty_that_are_wrong_are_told),
        cmocka_unit_test(all_bundles_are_made_of_all_pages),
        cmocka_unit_test(secrets_are_what_import_wrote),
        cmocka_unit_test(one_bundle_is_saved_or_printed),
    };

    return cmocka_run_group_tests(tests, table_set_up, table_tear_down);
}
