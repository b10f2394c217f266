/* SPDX-License-Identifier: Apache-2.0 */
/* The administrators' HTTPS door: who comes in, and what for. */
#include "ra/admin/api.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/http/http.h"
#include "ca/link/admin.h"
#include "ra/front/api_server.h"
#include "ra/queue/roles.h"
#include "tests/support/forge.h"
#include "tests/unit/ra/lot.h"

enum { DAY = 24 * 60 * 60 };

static struct {
    const char *role; /* that the CA says; NULL: the right one */
} ca;

static void
does(struct running *w, link_peer peer, const struct link_message *m)
{
    const struct link_message answer = {
        .type = LINK_ROLE_IS, .id = m->id, .phrase = span_str(ca.role == NULL ? "none" : ca.role)};

    if (m->type == LINK_ROLE && ca.role != NULL) {
        link_server_answer(w->ca, peer, &answer);
    } else {
        running_ca_does(w, peer, m);
    }
}

static int
reset(void **state)
{
    struct running *w = *state;

    (void)running_reset(state);
    memset(&ca, 0, sizeof(ca));
    w->ca_does = does;
    running_forget_roles(w);
    return 0;
}

static SSL_CTX *
client(X509 *certificate, EVP_PKEY *key)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    assert_non_null(ctx);
    if (certificate != NULL) {
        assert_int_equal(SSL_CTX_use_certificate(ctx, certificate), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
    }
    return ctx;
}

static struct heard
ask(struct running *w, SSL_CTX *tls, const char *method, const char *path, const char *type,
    struct span body)
{
    struct talk t = {.port = running_admin_port(w), .tls = tls, .request = BUF_INIT(1024 * 1024)};
    CLEANUP(mem_cleanup)
    char *head = mem_printf("%s %s HTTP/1.1\r\nHost: ra\r\nConnection: close\r\n%s%s%s"
                            "Content-Length: %zu\r\n\r\n",
                            method, path, type[0] == '\0' ? "" : "Content-Type: ", type,
                            type[0] == '\0' ? "" : "\r\n", body.n);
    struct err e = {0};

    assert_ok(buf_append_str(&t.request, head, &e), &e);
    assert_ok(buf_append(&t.request, body, &e), &e);
    running_do(w, talk_run, &t);
    buf_free(&t.request);
    return t.heard;
}

static void
is_problem(const struct heard *h, int status, const char *detail)
{
    CLEANUP(admin_json_cleanup)
    json_t *problem = json_loadb((const char *)h->body.p, h->body.n, 0, NULL);
    const char *text = json_string_value(json_object_get(problem, "detail"));

    if (h->status != status || text == NULL || strstr(text, detail) == NULL) {
        fail_msg("%d \"%s\" instead of %d \"%s\"", h->status, text == NULL ? "-" : text, status,
                 detail);
    }
    assert_true(heard_has(h, "Content-Type: application/problem+json"));
}

/* ---- who comes in ---- */

static void
each_role_may_do_its_part(void **state)
{
    struct running *w = *state;
    SSL_CTX *registrar = client(w->registrar, w->registrar_key);
    SSL_CTX *officer = client(w->officer, w->officer_key);
    CLEANUP(mem_cleanup) char *document = NULL;
    CLEANUP(buf_free) struct buf cms = {0};
    CLEANUP(heard_free) struct heard list = {0};
    CLEANUP(heard_free) struct heard made = {0};
    CLEANUP(heard_free) struct heard again = {0};
    CLEANUP(heard_free) struct heard head = {0};
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;
    CLEANUP(mem_cleanup) char *location = NULL;
    CLEANUP(mem_cleanup) char *path = NULL;
    CLEANUP(buf_free) struct buf cancellation = {0};
    const char *id;
    char instance[37];
    const char *const makes[] = {"/v1/registrations", "/v1/cancellations", "/v1/imports"};

    running_instance(instance);
    document = running_document(instance, "", 1);
    cms = running_signed(w, document);
    for (size_t i = 0; i < ARRAY_LEN(makes); i++) {
        CLEANUP(heard_free) struct heard h = {0};

        h = ask(w, officer, "POST", makes[i], i == 2 ? "application/x-ndjson" : "application/cms",
                buf_span(&cms));
        is_problem(&h, 403, "this takes a registrar's certificate");
    }
    for (size_t i = 0; i < 2; i++) {
        CLEANUP(heard_free) struct heard h = {0};
        CLEANUP(admin_json_cleanup) json_t *status = NULL;

        h = ask(w, i == 0 ? officer : registrar, "GET", "/v1/status", "", span_of(NULL, 0));
        assert_int_equal(h.status, 200);
        status = json_loadb((const char *)h.body.p, h.body.n, 0, NULL);
        assert_string_equal(json_string_value(json_object_get(status, "version")), NFPKI_VERSION);
    }
    list = ask(w, officer, "GET", "/v1/registrations", "", span_of(NULL, 0));
    assert_int_equal(list.status, 200);
    assert_true(heard_has(&list, "Cache-Control: no-store"));
    assert_false(heard_has(&list, "Location: /v1/registrations/"));
    made = ask(w, registrar, "POST", "/v1/registrations", "application/cms", buf_span(&cms));
    assert_int_equal(made.status, 201);
    answer = json_loadb((const char *)made.body.p, made.body.n, 0, NULL);
    id = json_string_value(json_object_get(answer, "id"));
    location = mem_printf("Location: /v1/registrations/%s", id);
    assert_true(heard_has(&made, location));
    again = ask(w, registrar, "POST", "/v1/registrations", "application/cms", buf_span(&cms));
    is_problem(&again, 409, "this file is registered already");
    path = mem_printf("/v1/registrations/%s", id);
    head = ask(w, officer, "GET", path, "", span_of(NULL, 0));
    assert_int_equal(head.status, 200);
    cancellation = running_cancellation(w, id);
    heard_free(&head);
    head =
        ask(w, registrar, "POST", "/v1/cancellations", "application/cms", buf_span(&cancellation));
    assert_int_equal(head.status, 200);
    SSL_CTX_free(registrar);
    SSL_CTX_free(officer);
}

static void
nobody_is_anybody_before_the_ca_has_said_so(void **state)
{
    struct running *w = *state;
    SSL_CTX *registrar = client(w->registrar, w->registrar_key);
    const struct {
        const char *role;
        int status;
        const char *why;
    } rows[] = {
        {"none", 401, "neither a registrar's nor an officer's certificate by the CA's record"},
        {"ra-cmp", 401, "neither a registrar's nor an officer's"},
        {"Registrar", 401, "neither a registrar's nor an officer's"},
    };
    CLEANUP(heard_free) struct heard away = {0};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(heard_free) struct heard h = {0};

        running_forget_roles(w);
        ca.role = rows[i].role;
        h = ask(w, registrar, "GET", "/v1/registrations", "", span_of(NULL, 0));
        is_problem(&h, rows[i].status, rows[i].why);
        assert_false(heard_has(&h, "Retry-After: 1"));
    }
    running_forget_roles(w);
    running_ca_goes(w);
    running_until(w, running_is_down);
    away = ask(w, registrar, "GET", "/v1/registrations", "", span_of(NULL, 0));
    is_problem(&away, 503, "the CA, which knows whose certificate this is, does not answer");
    assert_true(heard_has(&away, "Retry-After: 1"));
    SSL_CTX_free(registrar);
}

static void
who_has_no_certificate_of_a_person_is_not_asked_about(void **state)
{
    struct running *w = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *ra = running_officer(w, "ra-cmp", "RA 2", key);
    CLEANUP(member_free) struct member m = running_member(w);
    SSL_CTX *of_ra = client(ra, key);
    SSL_CTX *nobody = client(NULL, NULL);
    SSL_CTX *of_nf;
    CLEANUP(heard_free) struct heard without = {0};
    CLEANUP(heard_free) struct heard h = {0};
    CLEANUP(heard_free) struct heard nf = {0};

    member_enrols(w, &m);
    of_nf = client(m.certificate, m.key);
    w->asked[LINK_ROLE] = 0;
    without = ask(w, nobody, "GET", "/v1/registrations", "", span_of(NULL, 0));
    assert_int_equal(without.status, 0); /* the handshake fails */
    nf = ask(w, of_nf, "GET", "/v1/registrations", "", span_of(NULL, 0));
    is_problem(&nf, 401, "");
    h = ask(w, of_ra, "GET", "/v1/registrations", "", span_of(NULL, 0));
    if (h.status != 0) {
        is_problem(&h, 401, "");
    }
    assert_int_equal(w->asked[LINK_ROLE], 0);
    SSL_CTX_free(of_ra);
    SSL_CTX_free(of_nf);
    SSL_CTX_free(nobody);
}

/* ---- its CRLs ---- */

static void
write_crl(struct running *w, X509 *revoked, time_t until)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/issuing.crl", w->dir);
    X509_CRL *crl = forge_crl(&(struct forge_crl){.issuer = w->pki->issuing,
                                                  .issuer_key = w->pki->issuing_key,
                                                  .this_update = clock_now() - 3600,
                                                  .next_update = until,
                                                  .revoked = revoked,
                                                  .number = "2"});

    forge_crl_write(crl, path);
    X509_CRL_free(crl);
}

static void
without_a_good_crl_nobody_comes_in(void **state)
{
    struct running *w = *state;
    SSL_CTX *registrar = client(w->registrar, w->registrar_key);
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/issuing.crl", w->dir);
    struct err e = {0};
    const struct {
        const char *name;
        const char *why;
    } rows[] = {{"missing", "No such file or directory"},
                {"no CRL", "issuing.crl: not a CRL in DER"},
                {"stale", ""},
                {"revoked", "revoked"},
                {"good", NULL}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(heard_free) struct heard h = {0};

        (void)unlink(path);
        if (i == 1) {
            assert_ok(file_write(path, SPAN_LITERAL("hello"), 0644, &e), &e);
        } else if (i > 1) {
            write_crl(w, i == 3 ? w->registrar : NULL,
                      i == 2 ? clock_now() - 60 : clock_now() + DAY);
        }
        h = ask(w, registrar, "GET", "/v1/registrations", "", span_of(NULL, 0));
        if (rows[i].why != NULL) {
            is_problem(&h, 401, rows[i].why);
        } else {
            assert_int_equal(h.status, 200);
        }
    }
    SSL_CTX_free(registrar);
}

/* A newer CRL makes the RA ask the CA again. */
static void
what_the_ca_said_is_not_believed_beyond_a_newer_crl(void **state)
{
    struct running *w = *state;
    SSL_CTX *officer = client(w->officer, w->officer_key);

    for (int i = 0; i < 4; i++) {
        CLEANUP(heard_free) struct heard h = {0};

        if (i == 2) {
            write_crl(w, NULL, clock_now() + 2 * (time_t)DAY);
        }
        w->asked[LINK_ROLE] = 0;
        h = ask(w, officer, "GET", "/v1/registrations", "", span_of(NULL, 0));
        assert_int_equal(h.status, 200);
        /* each connection asks when it arrives; a request, when the CRLs have changed */
        assert_int_equal(w->asked[LINK_ROLE], i == 0 || i == 2 ? 2 : 1);
    }
    SSL_CTX_free(officer);
}

/* ---- how much ---- */

static void
what_is_too_long_is_refused(void **state)
{
    struct running *w = *state;
    SSL_CTX *registrar = client(w->registrar, w->registrar_key);
    SSL_CTX *officer = client(w->officer, w->officer_key);
    CLEANUP(mem_cleanup) char *octets = mem_zalloc(HTTP_BODY_MAX + 1, 1);
    const struct {
        const char *path;
        size_t n;
        int status;
        const char *why;
    } rows[] = {
        {"/v1/registrations", HTTP_BODY_MAX, 400, ""},
        {"/v1/registrations", HTTP_BODY_MAX + 1, 413, "what is signed has 32768 octets at most"},
        {"/v1/cancellations", HTTP_BODY_MAX + 1, 413, "what is signed has 32768 octets at most"},
    };
    CLEANUP(heard_free) struct heard h = {0};

    memset(octets, '0', HTTP_BODY_MAX + 1);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(heard_free) struct heard x = {0};

        x = ask(w, registrar, "POST", rows[i].path, "application/cms", span_of(octets, rows[i].n));
        is_problem(&x, rows[i].status, rows[i].why);
    }
    h = ask(w, officer, "POST", "/v1/registrations", "application/cms",
            span_of(octets, HTTP_BODY_MAX + 1)); /* who sends no batches may send less */
    assert_int_equal(h.status, 413);
    assert_int_equal(h.body.n, 0);
    SSL_CTX_free(registrar);
    SSL_CTX_free(officer);
}

static void
an_import_is_answered_with_its_rows(void **state)
{
    struct running *w = *state;
    SSL_CTX *registrar = client(w->registrar, w->registrar_key);
    CLEANUP(lot_free) struct lot l = lot_good(w, 2);
    CLEANUP(buf_free) struct buf body = BUF_INIT(64 * 1024);
    CLEANUP(mem_cleanup) char *base64 = base64_dup(buf_span(&l.manifest));
    CLEANUP(heard_free) struct heard h = {0};
    CLEANUP(heard_free) struct heard bad = {0};
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;
    struct err e = {0};

    assert_ok(buf_append_str(&body, "{\"manifest\":\"", &e), &e);
    assert_ok(buf_append_str(&body, base64, &e), &e);
    assert_ok(buf_append_str(&body, "\"}\n", &e), &e);
    assert_ok(buf_append(&body, buf_span(&l.text), &e), &e);
    h = ask(w, registrar, "POST", "/v1/imports", "application/x-ndjson", buf_span(&body));
    assert_int_equal(h.status, 200);
    answer = json_loadb((const char *)h.body.p, h.body.n, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(answer, "registrations")), 2);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(answer, "summary"), "registered")), 2);
    bad = ask(w, registrar, "POST", "/v1/imports", "application/x-ndjson", buf_span(&l.text));
    is_problem(&bad, 400, "manifest: the first line must be");
    SSL_CTX_free(registrar);
}

static void
what_is_not_there_is_said_as_http_says_it(void **state)
{
    struct running *w = *state;
    SSL_CTX *registrar = client(w->registrar, w->registrar_key);
    CLEANUP(heard_free) struct heard method = {0};
    CLEANUP(heard_free) struct heard path = {0};
    CLEANUP(heard_free) struct heard query = {0};

    method = ask(w, registrar, "DELETE", "/v1/registrations", "", span_of(NULL, 0));
    is_problem(&method, 405, "GET lists the registrations");
    assert_true(heard_has(&method, "Allow: GET, HEAD, POST"));
    path = ask(w, registrar, "GET", "/v2", "", span_of(NULL, 0));
    is_problem(&path, 404, "there are /v1/registrations");
    query = ask(w, registrar, "GET", "/v1/registrations?limit=0", "", span_of(NULL, 0));
    is_problem(&query, 400, "limit: must be 1..1000");
    tap_need("registrar CN=OAM");
    SSL_CTX_free(registrar);
}

/* ---- the door itself ---- */

static void
a_door_is_there_where_it_is_asked_for(void **state)
{
    struct running *w = *state;
    struct settings *s = w->settings;
    const size_t n = s->admin_listen.n;
    char *address = s->admin_listen.items[0];
    char *certificate = s->admin_tls_certificate;
    CLEANUP(mem_cleanup) char *taken = mem_printf("127.0.0.1:%u", running_admin_port(w));
    CLEANUP(mem_cleanup) char *said = NULL;
    static char nowhere[] = "/nonexistent/admin.pem";
    struct api_server *a;
    struct err e = {0};

    s->admin_listen.n = 0;
    s->admin_tls_certificate = NULL;
    a = api_server_new(&w->ra, &e);
    s->admin_listen.n = n;
    s->admin_tls_certificate = certificate;
    assert_non_null(a);
    assert_int_equal(api_server_port(a), 0);
    assert_true(api_server_is_idle(a));
    api_server_reload(a);
    api_server_stop(a);
    api_server_free(a);
    api_server_free(NULL);
    tap_mark();
    a = api_server_new(&w->ra, &e);
    assert_non_null(a);
    said = mem_printf("\"127.0.0.1:%u for administrators\"", api_server_port(a));
    tap_need(said);
    assert_true(api_server_is_idle(a));
    api_server_stop(a);
    api_server_free(a);
    s->admin_listen.items[0] = taken;
    a = api_server_new(&w->ra, &e);
    s->admin_listen.items[0] = address;
    assert_null(a);
    assert_int_equal(e.code, ERR_IO);
    s->admin_tls_certificate = nowhere;
    a = api_server_new(&w->ra, &e);
    s->admin_tls_certificate = certificate;
    assert_null(a);
    assert_int_equal(strncmp(e.text, "admin_listen: ", 14), 0);
    assert_non_null(strstr(e.text, nowhere));
}

static void
a_certificate_that_is_none_leaves_the_earlier_one(void **state)
{
    struct running *w = *state;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/admin.pem", w->dir);
    CLEANUP(buf_free) struct buf before = BUF_INIT(64 * 1024);
    SSL_CTX *registrar = client(w->registrar, w->registrar_key);
    CLEANUP(heard_free) struct heard h = {0};
    struct err e = {0};

    assert_ok(file_read(path, &before, &e), &e);
    api_server_reload(w->api);
    assert_false(tap_has("reload-failed"));
    assert_ok(file_write(path, SPAN_LITERAL("nothing"), 0600, &e), &e);
    api_server_reload(w->api);
    tap_need("admin_listen: the earlier certificate stays in use");
    assert_ok(file_write(path, buf_span(&before), 0600, &e), &e);
    h = ask(w, registrar, "GET", "/v1/registrations", "", span_of(NULL, 0));
    assert_int_equal(h.status, 200);
    SSL_CTX_free(registrar);
}

static void
what_is_no_request_of_an_administrator_is_logged(void **state)
{
    struct running *w = *state;
    SSL_CTX *registrar = client(w->registrar, w->registrar_key);
    SSL_CTX *nobody = client(NULL, NULL);
    CLEANUP(heard_free) struct heard method = {0};
    CLEANUP(heard_free) struct heard handshake = {0};

    method = ask(w, registrar, "PUT", "/v1/registrations", "", span_of(NULL, 0));
    assert_int_equal(method.status, 405);
    tap_need(": 405: a method that nothing here takes (RFC 9110 15.5.6)");
    tap_mark();
    handshake = ask(w, nobody, "GET", "/v1/registrations", "", span_of(NULL, 0));
    assert_int_equal(handshake.status, 0);
    tap_need("\"admin-refused\"");
    tap_need(": TLS: ");
    SSL_CTX_free(registrar);
    SSL_CTX_free(nobody);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_role_may_do_its_part, reset),
        cmocka_unit_test_setup(nobody_is_anybody_before_the_ca_has_said_so, reset),
        cmocka_unit_test_setup(who_has_no_certificate_of_a_person_is_not_asked_about, reset),
        cmocka_unit_test_setup(without_a_good_crl_nobody_comes_in, reset),
        cmocka_unit_test_setup(what_the_ca_said_is_not_believed_beyond_a_newer_crl, reset),
        cmocka_unit_test_setup(what_is_too_long_is_refused, reset),
        cmocka_unit_test_setup(an_import_is_answered_with_its_rows, reset),
        cmocka_unit_test_setup(what_is_not_there_is_said_as_http_says_it, reset),
        cmocka_unit_test_setup(a_door_is_there_where_it_is_asked_for, reset),
        cmocka_unit_test_setup(a_certificate_that_is_none_leaves_the_earlier_one, reset),
        cmocka_unit_test_setup(what_is_no_request_of_an_administrator_is_logged, reset),
    };

    return cmocka_run_group_tests(tests, running_setup, running_teardown);
}
