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
/* The certificate is in line 12 when PATHS come before. */
#define TLS(more)                                                                                  \
    "tls \"a\" {\n"                                                                                \
    "\n"                                                                                           \
    "listen = {\"[::]:1\"}\n"                                                                      \
    "certificate = \"c.pem\"\n" more "}\n"
#define TLS_OTHER                                                                                  \
    "tls \"other\" {\nlisten = {\"127.0.0.1:2\"}\ncertificate = \"d.pem\"\ncredential = "          \
    "\"l\"\n}\n"
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
    assert_int_equal(s->trust.n, 1);
    assert_int_equal(s->trust.sets[0].purpose, TRUST_VENDOR);
    assert_int_equal(s->trust.sets[0].roots.n, 2);
    assert_string_equal(s->trust.sets[0].roots.items[0], root);
    assert_string_equal(s->trust.sets[0].roots.items[1], "/w.pem");
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
        {PATHS "tls \"a\" {\nlisten = {\"[::]:1\"}\ncredential = \"k\"\n}\n", "certificate"},
        {PATHS "tls \"a\" {\nlisten = {\"[::]:1\"}\ncertificate = \"c\"\n}\n", "credential"},
        {PATHS "tls \"a\" {\ncertificate = \"c\"\ncredential = \"k\"\n}\n", "listen"},
        {PATHS TLS("credential = \"/etc/key\"\n"), "conf:13: credential \"/etc/key\""},
        {PATHS TLS("credential = \"k\"\nclient_certificate = \"maybe\"\n"),
         "conf:14: client_certificate"},
        {PATHS TLS("credential = \"k\"\nclient_certificate = \"require\"\n"), "client_roots"},
        {PATHS TLS("credential = \"k\"\nclient_roots = {\"r.pem\"}\n"), "client_roots"},
        {PATHS TLS("credential = \"k\"\n") TLS("credential = \"k\"\n"), "duplicate"},
        {PATHS TLS("key = \"k\"\n"), "key"},
        {LISTEN PATHS "alias \"/a\" {\n}\n", "profile"},
        {LISTEN PATHS "alias \"/crl/x\" {\nprofile = \"nf-tls\"\n}\n", "conf:12: alias"},
        {LISTEN PATHS "alias \"/a\" {\nprofile = \"nf-tls\"\noperation = \"x\"\n}\n", "operation"},
        {LISTEN PATHS "alias \"/a\" {\nprofile = \"a\"\n}\nalias \"/a\" {\nprofile = \"b\"\n}\n",
         "duplicate"},
        {LISTEN PATHS "budget_address = \"10\"\n", "conf:10: option 'budget_address'"},
        {LISTEN PATHS "budget_registration = \"x\"\n", "budget_registration"},
        {LISTEN PATHS "budget_handshake = \"-1/1\"\n", "budget_handshake"},
        {LISTEN PATHS "requests_max = 0\n", "requests_max"},
        {LISTEN, "state_dir"},
        {LISTEN PATHS "workers = 0\n", "workers"},
        {LISTEN PATHS "admin_listen = {\"127.0.0.1:1\"}\n", "admin_tls_certificate"},
        {LISTEN PATHS "admin_listen = {\"127.0.0.1:1\"}\nadmin_tls_certificate = \"c\"\n",
         "admin_crls"},
        {LISTEN PATHS "admin_listen = {\"127.0.0.1:1\"}\nadmin_tls_certificate = \"c\"\n"
                      "admin_crls = {\"c\"}\nadmin_tls_credential = \"/k\"\n",
         "admin_tls_credential"},
        {LISTEN PATHS "pbm_max_iterations = 99\n", "pbm_max_iterations"},
        {LISTEN PATHS "cmp_strictness = \"rfc2510\"\n", "conf:10: cmp_strictness is \"rfc9483\""},
        {LISTEN PATHS TLS("credential = \"k\"\ncmp_strictness = \"lax\"\n"),
         "conf:15: cmp_strictness"},
        {LISTEN PATHS "plain \"old\" {\nlisten = {\"[::]:1\"}\ncmp_strictness = \"\"\n}\n",
         "conf:12: cmp_strictness"},
        {PATHS "plain \"old\" {\n}\n", "section 'plain' has no address to listen on"},
        {LISTEN PATHS "plain \"old\" {\nlisten = {\"x:1\"}\n}\n", "conf:11: option 'listen'"},
        {LISTEN PATHS "plain \"a\" {\nlisten = {\"[::]:1\"}\n}\nplain \"a\" {\n}\n", "duplicate"},
        {LISTEN PATHS "pbmac1_max_iterations = 99\n", "pbmac1_max_iterations"},
        {LISTEN PATHS "pbmac1_max_iterations = 1000001\n", "pbmac1_max_iterations"},
        {LISTEN PATHS "pbm_min_iterations = 501\npbmac1_max_iterations = 500\n",
         "above 'pbmac1_max_iterations'"},
        {LISTEN PATHS "pbm_min_iterations = 99\n", "pbm_min_iterations"},
        {LISTEN PATHS "pbm_min_iterations = 501\npbm_max_iterations = 500\n", "pbm_min_iterations"},
        {LISTEN PATHS "nonsense = 1\n", "nonsense"},
        {"listen = {\"\"}\n" PATHS, "listen"},
        {"listen = {\"localhost:8829\"}\n" PATHS, ":1: option 'listen': listen address"},
        {"listen = {\"192.0.2.1\"}\n" PATHS, "write a number and a port"},
        {PATHS "tls \"a\" {\nlisten = {\"ra.example:1\"}\ncertificate = \"c\"\n"
               "credential = \"k\"\n}\n",
         "write a number and a port"},
        {LISTEN PATHS "admin_listen = {\"127.0.0.1:x\"}\n", "option 'admin_listen'"},
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
listeners_paths_and_budgets_are_read(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *certificate = mem_printf("%s/c.pem", dir);
    CLEANUP(mem_cleanup) char *root = mem_printf("%s/r.pem", dir);
    CLEANUP(settings_cleanup) struct settings *s = NULL;
    struct tls_options tls;
    struct err e;

    (void)state;
    s = load(dir,
             PATHS TLS("credential = \"k.pem\"\nclient_certificate = \"optional\"\n"
                       "client_roots = {\"r.pem\", \"/s.pem\"}\n") TLS_OTHER
             "alias \"/a/b\" {\nprofile = \"nf-tls\"\n}\n"
             "alias \"/a/c\" {\nprofile = \"nf-tls\"\noperation = "
             "\"revocation\"\n}\n"
             "plain \"old\" {\nlisten = {\"[::]:2\"}\ncmp_strictness = \"rfc4210\"\n}\n"
             "plain \"new\" {\nlisten = {\"[::]:3\"}\n}\n"
             "budget_address = \"5/7\"\nbudget_registration = \"0\"\n",
             &e);
    if (s == NULL) {
        fail_msg("%s", e.text);
        return;
    }
    assert_int_equal(s->listen.n, 0);
    assert_int_equal(s->http.n_tls, 2);
    assert_string_equal(s->http.tls[0].listen.items[0], "[::]:1");
    tls = settings_tls_get(&s->http.tls[0]);
    assert_string_equal(tls.certificate, certificate);
    assert_string_equal(tls.credential, "k.pem");
    assert_int_equal(tls.client, TLS_CLIENT_OPTIONAL);
    assert_int_equal(tls.n_client_roots, 2);
    assert_string_equal(tls.client_roots[0], root);
    assert_string_equal(tls.client_roots[1], "/s.pem");
    assert_int_equal(s->http.tls[1].client, TLS_CLIENT_NONE);
    assert_int_equal(s->strictness, STRICTNESS_RFC9483);
    assert_int_equal(s->http.tls[0].strictness, STRICTNESS_RFC9483);
    assert_int_equal(s->http.n_plain, 2);
    assert_string_equal(s->http.plain[0].listen.items[0], "[::]:2");
    assert_int_equal(s->http.plain[0].strictness, STRICTNESS_RFC4210);
    assert_int_equal(s->http.plain[1].strictness, STRICTNESS_RFC9483);
    assert_int_equal(s->http.n_aliases, 2);
    assert_string_equal(s->http.aliases[0].path, "/a/b");
    assert_int_equal(s->http.aliases[0].body, -1);
    assert_int_equal(s->http.aliases[1].body, CMP_RR);
    assert_int_equal(s->http.by_address.burst, 7);
    assert_int_equal(s->http.by_registration.interval_us, 0);
    assert_int_equal(s->http.by_handshake.burst, 500);
    assert_int_equal(s->requests_max, 2048);
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
    /* as in ca/nfpki-ca.conf */
    assert_string_equal(s->crl_dir, "/var/lib/nfpki/crl");
    assert_string_equal(s->link, "/run/nfpki/link.sock");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relative_paths_are_taken_from_the_folder_of_the_file),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(listeners_paths_and_budgets_are_read),
        cmocka_unit_test(the_sample_configuration_is_a_good_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
