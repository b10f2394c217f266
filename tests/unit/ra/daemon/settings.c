/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/daemon/settings.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

#define PATHS_WITHOUT                                                                              \
    "state_dir = \"state\"\nlink_socket = \"/run/l\"\nadmin_socket = \"a\"\n"                      \
    "ra_certificate = \"c\"\nissuing_certificate = \"i\"\nroot_certificate = \"r\"\n"
#define PATHS PATHS_WITHOUT "signer_program = \"s\"\nsigner_policy = \"p\"\n"
/* The certificate is in line 12 when PATHS come before. */
#define TLS(more)                                                                                  \
    "tls \"a\" {\n"                                                                                \
    "\n"                                                                                           \
    "listen = {\"[::]:1\"}\n"                                                                      \
    "certificate = \"c.pem\"\n" more "}\n"
#define TLS_OTHER                                                                                  \
    "tls \"other\" {\nlisten = {\"127.0.0.1:2\"}\ncertificate = \"d.pem\"\ncredential = "          \
    "\"l\"\n}\n"
#define EIGHT_GONE "\"\", \"\", \"\", \"\", \"\", \"\", \"\", \"\", "
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
    s = load(dir,
             LISTEN PATHS "vendor_roots = {\"v.pem\", \"/w.pem\"}\n"
                          "admin_crls = {\"v.pem\"}\nupstream_ra_roots = {\"v.pem\"}\n"
                          "log_key = \"v.pem\"\n",
             &e);
    if (s == NULL) {
        fail_msg("%s", e.text);
        return;
    }
    assert_string_equal(s->database, database);
    assert_string_equal(s->link, "/run/l");
    assert_string_equal(s->admin_crls.items[0], root);
    assert_int_equal(s->trust.n, 2);
    assert_string_equal(s->trust.sets[1].roots.items[0], root);
    assert_int_equal(s->trust.sets[0].purpose, TRUST_VENDOR);
    assert_int_equal(s->trust.sets[0].roots.n, 2);
    assert_string_equal(s->trust.sets[0].roots.items[0], root);
    assert_string_equal(s->trust.sets[0].roots.items[1], "/w.pem");
    assert_string_equal(s->listen.items[0], "127.0.0.1:8829");
    assert_int_equal(s->message_time_window, 300);
    assert_false(s->message_time_required);
    assert_true(s->implicit_confirm);
    assert_null(s->public_tls_root);
    assert_string_equal(s->log_key, root);
    assert_null(s->admin_tls_certificate);
    assert_null(s->crl_dir);
    assert_int_equal(s->root_update.n, 0);
}

static void
a_signer_is_started_or_a_service(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *policy = mem_printf("%s/p", dir);
    CLEANUP(mem_cleanup) char *socket = mem_printf("%s/r.sock", dir);
    CLEANUP(settings_cleanup) struct settings *started = NULL;
    CLEANUP(settings_cleanup) struct settings *service = NULL;
    struct err e;

    (void)state;
    started = load(dir, LISTEN PATHS, &e);
    service = load(dir, LISTEN PATHS_WITHOUT "signer_socket = \"r.sock\"\n", &e);
    assert_non_null(started);
    assert_non_null(service);
    assert_string_equal(settings_signer_name(started), policy);
    assert_int_equal(started->n_signers, 1);
    assert_non_null(started->signer);
    assert_false(started->signer_listens);
    assert_string_equal(settings_signer_name(service), socket);
    assert_int_equal(service->n_signers, 1);
    assert_null(service->signer);
    assert_true(service->signer_listens);
}

/* Of one that is gone its place is empty. */
static void
several_signers_of_the_key(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *socket = mem_printf("%s/r.sock", dir);
    CLEANUP(settings_cleanup) struct settings *s = NULL;
    struct err e;

    (void)state;
    s = load(dir, LISTEN PATHS_WITHOUT "signer_socket = {\"r.sock\", \"\", \"/s\"}\n", &e);
    assert_non_null(s);
    assert_int_equal(s->n_signers, 2);
    assert_string_equal(s->signers[0], socket);
    assert_string_equal(s->signers[1], "/s");
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
        {LISTEN PATHS "beginning_max = 1793\n",
         "conf:10: option 'beginning_max' is above seven eighths of 'requests_max', 1792"},
        {LISTEN PATHS "beginning_max = 200\nrequests_max = 200\n",
         "conf:10: option 'beginning_max' is above seven eighths of 'requests_max', 175"},
        {LISTEN, "conf:1: option 'state_dir' is missing or empty"},
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
        {LISTEN PATHS "signer_socket = \"s\"\n",
         "conf:10: signer_socket: signer_policy is there, too"},
        {LISTEN PATHS_WITHOUT "signer_socket = \"\"\n",
         "option 'signer_socket' is missing or empty"},
        {LISTEN PATHS_WITHOUT "signer_socket = {\"\", \"\"}\n",
         "option 'signer_socket' is missing or empty"},
        {LISTEN PATHS_WITHOUT "signer_socket = {\"/s\", \"\", \"/s\"}\n",
         "signer_socket: \"/s\" is there twice"},
        {LISTEN PATHS_WITHOUT "signer_socket = {" EIGHT_GONE EIGHT_GONE EIGHT_GONE EIGHT_GONE
                              "\"s\"}\n",
         "signer_socket: at most 32"},
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
             "budget_address = \"5/7\"\nbudget_registration = \"0\"\n"
             "message_time_required = true\nimplicit_confirm = false\n",
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
    assert_true(s->http.aliases[0].line > 0);
    assert_int_equal(s->http.aliases[1].line - s->http.aliases[0].line, 3);
    assert_int_equal(s->http.by_address.burst, 7);
    assert_int_equal(s->http.by_registration.interval_us, 0);
    assert_int_equal(s->http.by_handshake.burst, 500);
    assert_int_equal(s->requests_max, 2048);
    assert_int_equal(s->beginning_max, 256);
    assert_true(s->message_time_required);
    assert_false(s->implicit_confirm);
}

/* Who has few places in a file of before keeps some for what goes on, too. */
static void
a_rest_is_for_what_goes_on(void **state)
{
    static const struct {
        const char *text;
        int beginning;
    } rows[] = {
        {"requests_max = 200\n", 175}, {"requests_max = 293\n", 256},
        {"requests_max = 292\n", 256}, {"requests_max = 291\n", 255},
        {"requests_max = 1\n", 1},     {"requests_max = 200\nbeginning_max = 175\n", 175},
    };
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *text = mem_printf(LISTEN PATHS "%s", rows[i].text);
        CLEANUP(settings_cleanup) struct settings *s = load(dir, text, &e);

        assert_non_null(s);
        assert_int_equal(s->beginning_max, rows[i].beginning);
    }
}

/* Started in the folder of the file, which is named without one. */
static void
paths_of_a_file_that_is_here_are_here(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(settings_cleanup) struct settings *s = NULL;
    CLEANUP(settings_cleanup) struct settings *here = NULL;
    CLEANUP(fd_cleanup) int before = open(".", O_PATH | O_CLOEXEC);
    struct err e = {0};

    (void)state;
    s = load(dir,
             LISTEN PATHS
             "vendor_roots = {\"v.pem\"}\ncrl_dir = \"crl\"\nledger_dir = \"ledger\"\n",
             &e);
    assert_non_null(s);
    assert_int_equal(chdir(dir), 0);
    here = settings_load("nfpki-ra.conf", &e);
    assert_int_equal(fchdir(before), 0);
    assert_non_null(here);
    assert_string_equal(here->trust.sets[0].roots.items[0], "v.pem");
    assert_string_equal(here->crl_dir, "crl");
    assert_string_equal(here->ledger_dir, "ledger");
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

/* ---- limits ---- */

/* Where the option stands: PATHS and LISTEN are nine lines. */
static void
is_refused(const char *dir, const char *text, const char *why, const char *row)
{
    struct err e = {0};
    CLEANUP(settings_cleanup) struct settings *s = load(dir, text, &e);

    if (s != NULL || e.code != ERR_INPUT || strstr(e.text, why) == NULL) {
        fail_msg("%s: \"%s\" instead of \"%s\"", row, s != NULL ? "taken" : e.text, why);
    }
}

static void
every_number_has_its_limits(void **state)
{
    static const struct {
        const char *option;
        int least;
        int most;
        size_t at;        /* in struct settings */
        const char *with; /* so that another option does not stand against it */
    } rows[] = {
        {"message_time_window", 1, 86400, offsetof(struct settings, message_time_window), ""},
        {"pbm_min_iterations", 100, 1000000, offsetof(struct settings, pbm_min_iterations),
         "pbm_max_iterations = 1000000\npbmac1_max_iterations = 1000000\n"},
        {"pbm_max_iterations", 100, 1000000, offsetof(struct settings, pbm_max_iterations), ""},
        {"pbmac1_max_iterations", 100, 1000000, offsetof(struct settings, pbmac1_max_iterations),
         ""},
        {"confirm_wait", 1, 7 * 86400, offsetof(struct settings, confirm_wait), ""},
        {"sync_wait", 0, 60000, offsetof(struct settings, sync_wait), ""},
        {"workers", 1, 64, offsetof(struct settings, workers), ""},
        {"expired_renewal_days", 0, 366, offsetof(struct settings, expired_renewal_days), ""},
        {"requests_max", 1, 65536, offsetof(struct settings, requests_max), ""},
        {"beginning_max", 1, 57344, offsetof(struct settings, beginning_max),
         "\nrequests_max = 65536\n"},
        {"crl_max_age", 0, 86400, offsetof(struct settings, crl_max_age), ""},
    };
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const int values[] = {rows[i].least - 1, rows[i].least, rows[i].most, rows[i].most + 1};
        CLEANUP(mem_cleanup)
        char *why = mem_printf("nfpki-ra.conf:%d: option '%s' must be %d..%d",
                               rows[i].with[0] == '\0' ? 10 : 12, rows[i].option, rows[i].least,
                               rows[i].most);

        for (size_t k = 0; k < ARRAY_LEN(values); k++) {
            CLEANUP(mem_cleanup)
            char *text =
                mem_printf(LISTEN PATHS "%s%s = %d\n", rows[i].with, rows[i].option, values[k]);
            CLEANUP(settings_cleanup) struct settings *s = NULL;

            if (k == 0 || k == 3) {
                is_refused(dir, text, why, rows[i].option);
                continue;
            }
            s = load(dir, text, &e);
            if (s == NULL ||
                *(const int *)(const void *)((const char *)s + rows[i].at) != values[k]) {
                fail_msg("%s = %d: %s", rows[i].option, values[k], s == NULL ? e.text : "");
            }
        }
    }
}

/* n values "x" of a list. */
static char *
list_of(const char *option, const char *value, size_t n)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(4096);
    struct err e = {0};

    assert_ok(buf_append_str(&out, option, &e), &e);
    assert_ok(buf_append_str(&out, " = {", &e), &e);
    for (size_t i = 0; i < n; i++) {
        assert_ok(buf_append_str(&out, i == 0 ? "\"" : ",\"", &e), &e);
        assert_ok(buf_append_str(&out, value, &e), &e);
        assert_ok(buf_append_str(&out, "\"", &e), &e);
    }
    assert_ok(buf_append_str(&out, "}\n", &e), &e);
    return mem_printf("%.*s", (int)out.n, (const char *)out.p);
}

static void
every_list_has_its_limit(void **state)
{
    static const struct {
        const char *option;
        const char *value;
        const char *before;
        const char *after;
    } rows[] = {
        {"listen", "127.0.0.1:1", PATHS, ""},
        {"root_update", "r.pem", LISTEN PATHS, ""},
        {"admin_listen", "127.0.0.1:1",
         LISTEN PATHS "admin_tls_certificate = \"c\"\nadmin_crls = {\"c\"}\n", ""},
        {"admin_crls", "c.crl", LISTEN PATHS, ""},
        {"public_url", "http://ra.example/cmp", LISTEN PATHS, ""},
        {"listen", "127.0.0.1:1", PATHS "plain \"a\" {\n", "}\n"},
        {"listen", "127.0.0.1:1", PATHS "tls \"a\" {\ncertificate = \"c\"\ncredential = \"k\"\n",
         "}\n"},
        {"client_roots", "r.pem",
         PATHS "tls \"a\" {\nlisten = {\"[::]:1\"}\ncertificate = \"c\"\ncredential = \"k\"\n"
               "client_certificate = \"require\"\n",
         "}\n"},
    };
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *most = list_of(rows[i].option, rows[i].value, SETTINGS_LIST_MAX);
        CLEANUP(mem_cleanup)
        char *more = list_of(rows[i].option, rows[i].value, SETTINGS_LIST_MAX + 1);
        CLEANUP(mem_cleanup) char *empty = list_of(rows[i].option, "", 1);
        CLEANUP(mem_cleanup)
        char *good = mem_printf("%s%s%s", rows[i].before, most, rows[i].after);
        CLEANUP(mem_cleanup) char *bad = mem_printf("%s%s%s", rows[i].before, more, rows[i].after);
        CLEANUP(mem_cleanup)
        char *void_one = mem_printf("%s%s%s", rows[i].before, empty, rows[i].after);
        CLEANUP(mem_cleanup)
        char *why = mem_printf(": option '%s' has more than 16 values", rows[i].option);
        CLEANUP(mem_cleanup)
        char *why_empty = mem_printf(": option '%s' has an empty value", rows[i].option);
        CLEANUP(settings_cleanup) struct settings *s = load(dir, good, &e);

        if (s == NULL) {
            fail_msg("%s: %s", rows[i].option, e.text);
        }
        is_refused(dir, bad, why, rows[i].option);
        is_refused(dir, void_one, why_empty, rows[i].option);
    }
}

/* So many sections, named "0", "1", ... */
static char *
sections_of(const char *format, size_t n)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(64 * 1024);
    struct err e = {0};

    assert_ok(buf_append_str(&out, LISTEN PATHS, &e), &e);
    for (size_t i = 0; i < n; i++) {
        char name[40];

        (void)snprintf(name, sizeof(name), "\"/%zu\" {\n", i);
        assert_ok(buf_append_str(&out, format, &e), &e);
        assert_ok(buf_append_str(&out, name, &e), &e);
        assert_ok(buf_append_str(&out,
                                 format[0] == 'a'   ? "profile = \"nf-tls\"\n"
                                 : format[0] == 't' ? "listen = {\"[::]:1\"}\ncertificate = \"c\"\n"
                                                      "credential = \"k\"\n"
                                                    : "listen = {\"[::]:1\"}\n",
                                 &e),
                  &e);
        assert_ok(buf_append_str(&out, "}\n", &e), &e);
    }
    return mem_printf("%.*s", (int)out.n, (const char *)out.p);
}

static void
every_section_has_its_limit(void **state)
{
    static const struct {
        const char *section;
        size_t most;
        const char *why;
    } rows[] = {
        {"tls ", SETTINGS_TLS_MAX, "more than 8 sections 'tls'"},
        {"plain ", SETTINGS_PLAIN_MAX, "more than 8 sections 'plain'"},
        {"alias ", ROUTE_ALIASES_MAX, "aliases"},
    };
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *good = sections_of(rows[i].section, rows[i].most);
        CLEANUP(mem_cleanup) char *bad = sections_of(rows[i].section, rows[i].most + 1);
        CLEANUP(settings_cleanup) struct settings *s = load(dir, good, &e);

        if (s == NULL || (i == 0   ? s->http.n_tls
                          : i == 1 ? s->http.n_plain
                                   : s->http.n_aliases) != rows[i].most) {
            fail_msg("%s: %s", rows[i].section, s == NULL ? e.text : "too few");
        }
        is_refused(dir, bad, rows[i].why, rows[i].section);
    }
}

static void
what_an_option_may_not_say_is_said_with_its_line(void **state)
{
#define ADMIN                                                                                      \
    LISTEN PATHS "admin_listen = {\"127.0.0.1:1\"}\nadmin_tls_certificate = \"c\"\n"               \
                 "admin_crls = {\"c\"}\n"
    static const struct {
        const char *text;
        const char *why; /* NULL: taken */
    } rows[] = {
        {PATHS, "conf:8: neither option 'listen' nor a section 'tls' or 'plain': nobody could ask"},
        {PATHS "plain \"a\" {\nlisten = {\"[::]:1\"}\n}\n", NULL},
        {LISTEN PATHS "public_url = {\"ftp://ra.example/cmp\"}\n",
         "conf:10: option 'public_url': write http"},
        {LISTEN PATHS "public_url = {\"http://a.b:1\"}\n", NULL},
        {LISTEN PATHS "public_url = {\"http://a.bc\"}\n",
         "conf:10: option 'public_url': write http"},
        {LISTEN PATHS "public_url = {\"http://a.bcd\"}\n", NULL},
        {LISTEN PATHS "public_url = {\"http://ra.example/\"}\n",
         "conf:10: option 'public_url': write http"},
        {LISTEN PATHS "public_url = {\"http:/ra.example/c\"}\n",
         "conf:10: option 'public_url': write http"},
        {LISTEN PATHS "public_url = {\"https:/ra.example/c\"}\n",
         "conf:10: option 'public_url': write http"},
        {LISTEN PATHS "public_url = {\"http://ra.example/a b\"}\n",
         "conf:10: option 'public_url': write http"},
        {LISTEN PATHS "public_url = {\"http://ra.example/c\", \"http://x\"}\n",
         "conf:10: option 'public_url': write http"},
        {LISTEN PATHS "public_url = {\"https://ra.example/c\"}\n",
         "conf:10: option 'public_url' has https: name the anchor of our TLS certificate in "
         "'public_tls_root'"},
        {LISTEN PATHS "public_url = {\"https://ra.example/c\"}\npublic_tls_root = \"\"\n",
         "conf:10: option 'public_url' has https"},
        {LISTEN PATHS "public_url = {\"https://ra.example/c\"}\npublic_tls_root = \"r\"\n", NULL},
        {LISTEN PATHS "public_tls_root = \"\"\n", NULL},
        {ADMIN, NULL},
        {ADMIN "admin_tls_credential = \"\"\n", "conf:13: option 'admin_tls_credential' is a name"},
        {ADMIN "admin_tls_credential = \"a/b\"\n",
         "conf:13: option 'admin_tls_credential' is a name"},
        {LISTEN PATHS "admin_listen = {\"127.0.0.1:1\"}\nadmin_tls_certificate = \"c\"\n",
         "conf:10: option 'admin_crls' is missing: name the CRLs of the issuing CA and of the "
         "root"},
        {LISTEN PATHS "admin_listen = {\"127.0.0.1\"}\n", "conf:10: option 'admin_listen': listen"},
        {LISTEN PATHS "crl_dir = \"\"\nledger_dir = \"\"\nlog_key = \"\"\n", NULL},
        {LISTEN PATHS "pbm_min_iterations = 500\npbm_max_iterations = 499\n",
         "conf:10: option 'pbm_min_iterations' is above 'pbm_max_iterations'"},
        {LISTEN PATHS "pbm_min_iterations = 500\npbm_max_iterations = 500\n"
                      "pbmac1_max_iterations = 500\n",
         NULL},
        {LISTEN PATHS "pbm_min_iterations = 500\npbmac1_max_iterations = 499\n",
         "conf:10: option 'pbm_min_iterations' is above 'pbmac1_max_iterations'"},
        {LISTEN PATHS TLS("credential = \"k\"\nclient_certificate = \"optional\"\n"),
         "conf:15: client_certificate and client_roots go together"},
        {LISTEN PATHS TLS("credential = \"k\"\nclient_roots = {\"r\"}\n"),
         "client_certificate and client_roots go together"},
        {LISTEN PATHS TLS("credential = \"k\"\nclient_certificate = \"none\"\n"), NULL},
        {LISTEN PATHS TLS("credential = \"k\"\nclient_certificate = \"\"\n"),
         "client_certificate is \"none\", \"optional\" or \"require\""},
        {LISTEN PATHS TLS("credential = \"k\"\nclient_roots = {\"\"}\n"),
         "option 'client_roots' has an empty value"},
        {LISTEN PATHS "alias \"/a\" {\nprofile = \"NF\"\n}\n",
         "conf:12: alias \"/a\": \"NF\" cannot be the name of a profile"},
        {LISTEN PATHS "alias \"a\" {\nprofile = \"nf-tls\"\n}\n", "alias \"a\": write a path of 2"},
        {LISTEN PATHS "budget_address = \"\"\n", "conf:10: option 'budget_address':"},
    };
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(settings_cleanup) struct settings *s = NULL;

        if (rows[i].why != NULL) {
            is_refused(dir, rows[i].text, rows[i].why, rows[i].text + strlen(PATHS));
            continue;
        }
        s = load(dir, rows[i].text, &e);
        if (s == NULL) {
            fail_msg("%s: %s", rows[i].text + strlen(PATHS), e.text);
            return;
        }
        assert_null(s->crl_dir); /* what is empty is not there */
        assert_null(s->ledger_dir);
        assert_null(s->log_key);
        assert_int_equal(s->public_tls_root != NULL,
                         strstr(rows[i].text, "_root = \"r\"\n") != NULL &&
                             strstr(rows[i].text, "https") != NULL);
        if (s->admin_listen.n > 0) {
            assert_string_equal(s->admin_tls_credential, "admin-tls-key");
        }
    }
}

static void
every_path_must_be_there(void **state)
{
    static const char *const options[] = {
        "state_dir",     "link_socket",    "admin_socket",        "signer_program",
        "signer_policy", "ra_certificate", "issuing_certificate", "root_certificate"};
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        CLEANUP(mem_cleanup) char *text = mem_strdup(LISTEN PATHS);
        char *at = strstr(text, options[i]);

        at[0] = '#';
        is_refused(dir, text, options[i], options[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relative_paths_are_taken_from_the_folder_of_the_file),
        cmocka_unit_test(a_rest_is_for_what_goes_on),
        cmocka_unit_test(paths_of_a_file_that_is_here_are_here),
        cmocka_unit_test(a_signer_is_started_or_a_service),
        cmocka_unit_test(several_signers_of_the_key),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(listeners_paths_and_budgets_are_read),
        cmocka_unit_test(the_sample_configuration_is_a_good_one),
        cmocka_unit_test(every_number_has_its_limits),
        cmocka_unit_test(every_list_has_its_limit),
        cmocka_unit_test(every_section_has_its_limit),
        cmocka_unit_test(what_an_option_may_not_say_is_said_with_its_line),
        cmocka_unit_test(every_path_must_be_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
