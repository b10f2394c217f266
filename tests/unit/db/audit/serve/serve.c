/* SPDX-License-Identifier: Apache-2.0 */
/* The pages of a record with everything in it, as a browser asks for them, and who else may ask. */
#include "db/audit/serve/serve.h"

#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "db/audit/mirror/mirror.h"
#include "db/audit/mirror/run.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/serve/site.h"

static void
each_page_has_what_it_is_for(void **state)
{
    CLEANUP(mem_cleanup) char *show = mem_printf("/show/%s", site_record.told.compromised);
    CLEANUP(mem_cleanup) char *json = mem_printf("/show/%s.json", site_record.told.compromised);
    CLEANUP(mem_cleanup) char *explain = mem_printf("/explain/%s", site_record.told.compromised);
    CLEANUP(mem_cleanup) char *prove = mem_printf("/prove/%s", site_record.told.compromised);
    CLEANUP(mem_cleanup)
    char *find = mem_printf("/certificates?serial=%s", site_record.told.compromised);
    CLEANUP(mem_cleanup)
    char *led = mem_printf("<a href=\"/show/%s\">", site_record.told.compromised);
    struct site site;

    (void)state;
    site_begin(&site, &(struct serve_options){.key_is_given = true});
    site_expect(&site, "/", 200, "The record is verified");
    site_expect(&site, "/help", 200, "expires-within");
    site_expect(&site, find, 200, led);
    site_expect(&site, "/events?way=down", 200, "rel=\"next\"");
    site_expect(&site, "/certificates?status=revoked&column=serial&column=profile", 200,
                "<p class=\"asked\">Status: <bdi>revoked</bdi>");
    site_expect(&site, "/certificates?as-of=2020-01-01&status=expired", 200,
                "no certificates like that");
    site_expect(&site, "/certificates?after=0", 200, ", up to the end");
    site_expect(&site, "/changes", 200, ": all of them");
    site_expect(&site, "/certificates.csv?status=revoked", 200, "filename=\"certificates.csv\"");
    site_expect(&site, "/certificates.jsonl", 200, "\"key\":{\"from\":\"given\"");
    site_expect(&site, show, 200, "was revoked: keyCompromise");
    site_expect(&site, "/show?q=Ada", 200, "What the record has about <bdi>Ada</bdi>");
    site_expect(&site, json, 200, "\"leaves\":[");
    site_expect(&site, explain, 200, "verified again");
    site_expect(&site, prove, 200, "c2sp.org/tlog-proof@v1");
    site_expect(&site, "/prove/0", 200, "filename=\"0.tlog-proof\"");
    site_end(&site);
}

static void
what_cannot_be_asked_is_refused_with_a_reason(void **state)
{
    static const struct {
        const char *path;
        int status;
        const char *has;
    } rows[] = {
        {"/nothing", 404, "Nothing is at this path"},
        {"/certificates?color=red", 400, "expires-within"},
        {"/certificates?status=happy", 400, "is one of"},
        {"/certificates?since=yesterday", 400, "YYYY-MM-DD"},
        {"/certificates?as-of=now", 400, "YYYY-MM-DD"},
        {"/certificates?rows=501", 400, "at most 500"},
        {"/certificates?rows=1x", 400, "at most 500"},
        {"/certificates?after=x", 400, "after is a number"},
        {"/certificates?after=0&sort=profile", 400, "no row of certificates has this leaf"},
        {"/certificates?way=left", 400, "up or down"},
        {"/certificates?sort=color", 400, "have no column color"},
        {"/certificates?column=color", 400, "have no column color"},
        {"/certificates?column=serial&column=serial", 400, "twice"},
        {"/certificates?rows=1&rows=2", 400, "asked twice"},
        {"/certificates?sort=subject", 400, "or by one of serial,nfInstanceId,profile"},
        {"/events?sort=time", 400, "in the order of their leaves"},
        {"/certificates?serial=%zz", 400, "two hexadecimal digits"},
        {"/?x=y", 400, "nothing behind ?"},
        {"/show", 400, "/show?q="},
        {"/show?what=x", 400, "/show?q="},
        {"/show/0?q=x", 400, "/show?q="},
        {"/show?q=nobody", 404, "nothing about that"},
        {"/show/999999", 404, ""},
        {"/explain/0", 400, "not one certificate or request"},
        {"/prove/nobody", 400, "a leaf by its index"},
        {"/prove/999999", 404, "no such leaf"},
        {"/prove/5a5a", 404, "no such leaf"},
    };
    CLEANUP(buf_free) struct buf long_path = BUF_INIT(8192);
    struct site site;
    struct err e = {0};

    (void)state;
    site_begin(&site, &(struct serve_options){.key_is_given = true});
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        site_expect(&site, rows[i].path, rows[i].status, rows[i].has);
    }
    assert_ok(buf_append_str(&long_path, "/certificates?", &e), &e);
    for (int i = 0; i < 90; i++) {
        assert_ok(buf_append_str(&long_path, "column=abcdefghijkl&", &e), &e);
    }
    assert_ok(buf_append(&long_path, SPAN_LITERAL("\0"), &e), &e);
    site_expect(&site, (const char *)long_path.p, 400, "too many columns");
    site_end(&site);
}

#define SITE(value) "\r\nSec-Fetch-Site: " value "\r\nSec-Fetch-Mode: "
#define DEST(value) "\r\nSec-Fetch-Dest: " value

/* Each answer, a refusal too, keeps everything out of the page. */
static void
nobody_else_gets_or_changes_anything(void **state)
{
    static const struct {
        const char *line;
        const char *host; /* up to the port */
        const char *rest; /* behind it */
        int status;
    } rows[] = {
        {"GET /", "rebound.example:", "", 421},
        {"GET /certificates", "localhost:1", "", 421},
        {"GET /", "localhost.:", "", 421},
        {"GET http://evil.example/help", "localhost:", "", 421},
        {"GET http://localhost/help", "localhost:", "", 421},
        {"POST /certificates", "localhost:", "\r\nContent-Length: 0", 405},
        {"POST /", "localhost:", "\r\nContent-Length: 2\r\n\r\nab", 413},
        {"PUT /", "localhost:", "", 405},
        {"DELETE /certificates", "localhost:", "", 405},
        {"GET /<script>", "localhost:", "", 404},
        {"GET /%41", "localhost:", "", 400},
        {"GET /help", "LOCALHOST:", "", 200},
        {"GET /", "localhost:", SITE("cross-site") "no-cors" DEST("image"), 403},
        {"GET /", "localhost:", SITE("same-site") "cors" DEST("empty"), 403},
        {"GET /", "localhost:", SITE("cross-site") "navigate" DEST("iframe"), 403},
        {"GET /", "localhost:", "\r\nSec-Fetch-Site: cross-site", 403},
        {"GET /help", "localhost:", SITE("cross-site") "navigate" DEST("document"), 200},
        {"GET /help", "localhost:", SITE("same-origin") "navigate" DEST("document"), 200},
        {"GET /help", "localhost:", SITE("none") "navigate" DEST("document"), 200},
        {"HEAD /help", "127.0.0.1:", "", 200},
    };
    static const char *const fields[] = {
        "Content-Security-Policy: default-src 'none'; style-src 'sha256-",
        "X-Content-Type-Options: nosniff\r\n",
        "Referrer-Policy: no-referrer\r\n",
        "Cross-Origin-Resource-Policy: same-origin\r\n",
        "Cache-Control: no-store\r\n",
    };
    struct site site;

    (void)state;
    site_begin(&site, &(struct serve_options){.key_is_given = true});
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup)
        char *request = mem_printf("%s HTTP/1.0\r\nHost: %s%u%s\r\n\r\n", rows[i].line,
                                   rows[i].host, serve_port(site.serve), rows[i].rest);
        CLEANUP(mem_cleanup) char *answer = site_say(&site, request);

        print_message("row %s", request);
        assert_int_equal(site_status(answer), rows[i].status);
        for (size_t k = 0; k < ARRAY_LEN(fields); k++) {
            assert_non_null(strstr(answer, fields[k]));
        }
        assert_null(strstr(answer, "Set-Cookie"));
        assert_null(strstr(answer, "<script"));
        if (rows[i].status == 405) {
            assert_non_null(strstr(answer, "Allow: GET, HEAD\r\n"));
        }
        if (request[0] == 'H') {
            assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
        }
    }
    site_end(&site);
}

/* HTTP/1.0 needs no Host; here it does. */
static void
who_says_no_name_is_not_answered(void **state)
{
    CLEANUP(mem_cleanup) char *answer = NULL;
    struct site site;

    (void)state;
    site_begin(&site, &(struct serve_options){.key_is_given = true});
    answer = site_say(&site, "GET / HTTP/1.0\r\n\r\n");
    assert_int_equal(site_status(answer), 421);
    site_end(&site);
}

/* A network function and people whose names would rather be something else. */
static void
hostile_names_are_text(void **state)
{
    static const char *const paths[] = {
        "/",
        "/certificates?column=subject&column=serial",
        "/staff",
        "/approvals",
        "/events",
        "/show?q=%3Cscript%3E",
        "/registrations",
        "/refusals",
        "/certificates?subject=%22%3E%3Cscript%3E%E2%80%AE",
    };
    CLEANUP(mem_cleanup) char *person = mem_printf("/show/%s", site_record.told.hostile->serial);
    CLEANUP(mem_cleanup)
    char *registration = mem_printf("/show/%s", site_record.told.hostile_nf->registration);
    struct site site;

    (void)state;
    site_begin(&site, &(struct serve_options){.key_is_given = false});
    for (size_t i = 0; i < ARRAY_LEN(paths) + 2; i++) {
        CLEANUP(mem_cleanup)
        char *answer = site_ask(&site, i < ARRAY_LEN(paths)    ? paths[i]
                                       : i == ARRAY_LEN(paths) ? person
                                                               : registration);

        assert_null(strstr(answer, "<script"));
        assert_null(strstr(answer, "\xe2\x80\xae"));
        assert_null(strchr(answer, '\x1b'));
        assert_null(strstr(answer, "javascript:"));
    }
    site_expect(&site, "/approvals", 200, "&lt;img src=http://x&gt;");
    site_expect(&site, "/refusals", 200, "\\u{202e}&lt;/script&gt;");
    site_expect(&site, paths[ARRAY_LEN(paths) - 1], 200, "\\u{202e}");
    site_expect(&site, "/", 200, "the log key came from the ledger itself");
    site_end(&site);
}

/* Wherever a page as of a time leads to is as of that time, and its files say so. */
static void
as_of_stays(void **state)
{
    static const char *const has[] = {
        "<a rel=\"next\" href=\"/certificates?as-of=2026-01-13&amp;rows=9&amp;after=",
        "<a href=\"/certificates?as-of=2026-01-13&amp;sort=serial&amp;rows=9\">",
        "<a href=\"/certificates.csv?as-of=2026-01-13&amp;rows=9\">",
        "<a href=\"/certificates.jsonl?as-of=2026-01-13&amp;rows=9\">",
        "placeholder=\"a time, as From; empty: now\" value=\"2026-01-13\"/>",
        "<p class=\"asked\">As of: <bdi>2026-01-13</bdi>. ",
    };
    struct site site;

    (void)state;
    site_begin(&site, &(struct serve_options){.key_is_given = true});
    for (size_t i = 0; i < ARRAY_LEN(has); i++) {
        site_expect(&site, "/certificates?as-of=2026-01-13&rows=9", 200, has[i]);
    }
    site_expect(&site, "/certificates.csv?as-of=2026-01-13T08:00:00Z", 200,
                "filename=\"certificates-as-of-2026-01-13T08-00-00Z.csv\"");
    site_expect(&site, "/certificates.jsonl?as-of=2026-01-13&column=expired", 200,
                "\"asOf\":\"2026-01-13T23:59:59Z\"");
    site_expect(&site, "/certificates.csv?as-of=%22", 400, "YYYY-MM-DD");
    site_end(&site);
}

/* From page to page by the links, and each row once, in either order and by a column. */
static void
pages_have_each_row_once(void **state)
{
    static const char *const begins[] = {
        "/certificates?rows=9&column=serial",
        "/certificates?rows=9&column=serial&way=down",
        "/certificates?rows=9&column=serial&sort=nfInstanceId",
        "/certificates?rows=9&column=serial&sort=nfInstanceId&way=down",
        "/certificates?rows=9&column=serial&sort=status&way=down",
        "/events?rows=50&column=object",
    };
    struct site site;

    (void)state;
    site_begin(&site, &(struct serve_options){.key_is_given = true});
    for (size_t i = 0; i < ARRAY_LEN(begins); i++) {
        CLEANUP(mem_cleanup) char *csv = NULL;
        CLEANUP(mem_cleanup) char *path = mem_strdup(begins[i]);
        size_t rows = 0;
        size_t wanted = 0;

        while (path != NULL) {
            CLEANUP(mem_cleanup) char *answer = site_ask(&site, path);
            const char *next = strstr(answer, "rel=\"next\" href=\"");

            assert_int_equal(site_status(answer), 200);
            for (const char *p = strstr(answer, "<tr><th scope=\"row\""); p != NULL;
                 p = strstr(p + 1, "<tr><th scope=\"row\"")) {
                rows++;
            }
            mem_free(path);
            path = NULL;
            if (next != NULL) {
                const char *from = strchr(next, '/');
                char *to;

                path = mem_zalloc(strlen(from) + 1, 1);
                to = path;
                for (; *from != '"'; from++) {
                    *to++ = *from;
                    from += strncmp(from, "&amp;", 5) == 0 ? 4 : 0;
                }
            }
        }
        csv = site_ask(&site, i + 1 == ARRAY_LEN(begins) ? "/events.csv?column=time"
                                                         : "/certificates.csv?column=notAfter");
        for (const char *p = strstr(csv, "\r\n\r\n") + 4; (p = strchr(p, '\n')) != NULL; p++) {
            wanted++;
        }
        print_message("row %s\n", begins[i]);
        assert_int_equal(rows, wanted - 1);
    }
    site_end(&site);
}

/* Each link to what the record has about something, once: leaves are there. */
static void
links_lead_to_pages(void **state)
{
    static const char *const paths[] = {
        "/", "/events?rows=500", "/events?rows=500&way=down", "/changes", "/crls", "/ceremonies",
    };
    CLEANUP(buf_free) struct buf seen = BUF_INIT(1 << 20);
    struct site site;
    struct err e = {0};
    unsigned n = 0;

    (void)state;
    assert_ok(buf_append(&seen, SPAN_LITERAL("\0"), &e), &e);
    site_begin(&site, &(struct serve_options){.key_is_given = true});
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        CLEANUP(mem_cleanup) char *answer = site_ask(&site, paths[i]);

        assert_int_equal(site_status(answer), 200);
        for (const char *p = answer; (p = strstr(p, "href=\"/show/")) != NULL; p++) {
            const char *path = p + sizeof("href=\"") - 1;
            const int octets = (int)strcspn(path, "\"");
            CLEANUP(mem_cleanup) char *link = mem_printf("%.*s\n", octets, path);

            if (strspn(path + sizeof("/show/") - 1, "0123456789") + sizeof("/show/") - 1 ==
                    (size_t)octets ||
                strstr((const char *)seen.p, link) != NULL) {
                continue;
            }
            buf_truncate(&seen, seen.n - 1);
            assert_ok(buf_append(&seen, span_of(link, strlen(link) + 1), &e), &e);
            link[octets] = '\0';
            site_expect(&site, link, 200, "Each leaf is proven");
            n++;
        }
    }
    assert_true(n > 20);
    site_end(&site);
}

#define ASKED TEST_SOURCE_DIR "/vectors/ledger/7/asked"

/* A root that was brought says who issued the certificate that a message was signed with. */
static void
a_vendor_is_believed_by_its_root(void **state)
{
    CLEANUP(mem_cleanup) char *file = mem_printf("%s/asked.db", site_record.folder);
    STACK_OF(X509) *vendors = sk_X509_new_null();
    CLEANUP(mirror_outcome_free) struct mirror_outcome outcome = {0};
    CLEANUP(mem_cleanup) char *list = NULL;
    struct site site;
    struct err e = {0};
    CLEANUP(audit_log_cleanup) struct audit_log *log = audit_open(ASKED, NULL, &e);
    X509 *root = certificate_load(ASKED "/vendor.pem", &e);
    struct mirror *m;
    unsigned verified = 0;

    (void)state;
    assert_ok(log == NULL || root == NULL ? -1 : 0, &e);
    assert_int_not_equal(sk_X509_push(vendors, root), 0);
    assert_ok(mirror_init(file, audit_key(log), true, &e), &e);
    m = mirror_open_writable(file, &e);
    assert_ok(m == NULL ? -1 : mirror_run(m, ASKED, NULL, NULL, &outcome, &e), &e);
    mirror_close(m);

    site_begin(&site, &(struct serve_options){.mirror = file, .vendors = vendors});
    list = site_ask(&site, "/certificates?column=serial");
    for (const char *p = list; (p = strstr(p, "href=\"/show/")) != NULL; p++) {
        const char *serial = p + sizeof("href=\"/show/") - 1;
        CLEANUP(mem_cleanup)
        char *path = mem_printf("/explain/%.*s", (int)strcspn(serial, "\""), serial);
        CLEANUP(mem_cleanup) char *answer = site_ask(&site, path);

        assert_null(strstr(answer, "give the vendor"));
        verified += strstr(answer, "was issued by the vendor, and was valid then") != NULL ? 1 : 0;
    }
    assert_true(verified > 0);
    site_end(&site);
    sk_X509_pop_free(vendors, X509_free);
}

static void
it_does_not_listen_to_others(void **state)
{
    struct err e = {0};
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_open(site_record.file, &e);
    struct serve_options options = {.mirror = site_record.file, .listen = "0.0.0.0:0"};

    (void)state;
    options.key = mirror_key(m);
    assert_null(serve_new(&options, &e));
    assert_int_equal(e.code, ERR_INPUT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_page_has_what_it_is_for),
        cmocka_unit_test(what_cannot_be_asked_is_refused_with_a_reason),
        cmocka_unit_test(nobody_else_gets_or_changes_anything),
        cmocka_unit_test(who_says_no_name_is_not_answered),
        cmocka_unit_test(hostile_names_are_text),
        cmocka_unit_test(as_of_stays),
        cmocka_unit_test(pages_have_each_row_once),
        cmocka_unit_test(links_lead_to_pages),
        cmocka_unit_test(a_vendor_is_believed_by_its_root),
        cmocka_unit_test(it_does_not_listen_to_others),
    };

    return cmocka_run_group_tests(tests, site_set_up, site_tear_down);
}
