/* SPDX-License-Identifier: Apache-2.0 */
/* The clients of running.h: over HTTP, over the admin socket, and network functions. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ca/link/admin.h"
#include "ca/registration/cancellation.h"
#include "ra/front/api_server.h"
#include "ra/front/front.h"
#include "tests/unit/ra/running.h"

#define HOME "5gc.mnc012.mcc345.3gppnetwork.org"

enum {
    ANSWER_MAX = 4 * 1024 * 1024,
    DAY = 24 * 60 * 60,
    TIMEOUT_MS = 60 * 1000,
    PATIENCE_MS = 120 * 1000
};

/* ---- HTTP ---- */

void
heard_free(struct heard *h)
{
    buf_free(&h->octets);
}

void
talk_free(struct talk *t)
{
    buf_free(&t->request);
    heard_free(&t->heard);
}

bool
heard_has(const struct heard *h, const char *field)
{
    const char *text = (const char *)h->octets.p;
    const size_t n = h->body.p == NULL ? 0 : (size_t)(h->body.p - h->octets.p);
    CLEANUP(mem_cleanup) char *head = mem_printf("%.*s", (int)n, text == NULL ? "" : text);
    CLEANUP(mem_cleanup) char *wanted = mem_printf("\r\n%s\r\n", field);

    return strcasestr(head, wanted) != NULL;
}

static void
take_answer(struct heard *h)
{
    const uint8_t *end = h->octets.n == 0 ? NULL : memmem(h->octets.p, h->octets.n, "\r\n\r\n", 4);

    if (end == NULL || h->octets.n < 12 || memcmp(h->octets.p, "HTTP/1.1 ", 9) != 0) {
        h->status = 0;
        return;
    }
    h->status = (h->octets.p[9] - '0') * 100 + (h->octets.p[10] - '0') * 10 + h->octets.p[11] - '0';
    h->body = span_of(end + 4, h->octets.n - (size_t)(end + 4 - h->octets.p));
}

/* With as much of a body as its header says. */
static bool
is_whole(struct heard *h)
{
    const char *length;

    take_answer(h);
    if (h->status == 0) {
        return false;
    }
    length = memmem(h->octets.p, h->octets.n, "Content-Length: ", 16);
    return length != NULL && h->body.n >= strtoul(length + 16, NULL, 10);
}

static ssize_t
put(int fd, SSL *ssl, const uint8_t *p, size_t n)
{
    return ssl != NULL ? SSL_write(ssl, p, (int)n) : send(fd, p, n, MSG_NOSIGNAL);
}

/* No assertions: this is another thread than the test's. */
void
talk_run(void *arg)
{
    struct talk *t = arg;
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)t->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    SSL *ssl = t->tls == NULL ? NULL : SSL_new(t->tls);
    size_t done = 0;
    struct err e;

    t->heard.octets = BUF_INIT(ANSWER_MAX);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0 &&
        (ssl == NULL || (SSL_set_fd(ssl, fd) == 1 && SSL_connect(ssl) == 1))) {
        uint8_t octets[16384];
        ssize_t n = 1;

        while (n > 0 && done < t->request.n) {
            n = put(fd, ssl, t->request.p + done, t->request.n - done);
            done += n > 0 ? (size_t)n : 0;
        }
        do {
            n = ssl != NULL ? SSL_read(ssl, octets, sizeof(octets))
                            : recv(fd, octets, sizeof(octets), 0);
        } while (n > 0 && buf_append(&t->heard.octets, span_of(octets, (size_t)n), &e) == 0 &&
                 !(t->keeps_alive && is_whole(&t->heard)));
        take_answer(&t->heard);
    }
    SSL_free(ssl);
    if (fd >= 0) {
        (void)close(fd);
    }
}

struct talk
running_cmp(const struct running *w, const char *path, const char *more, struct span message)
{
    struct talk t = {.port = front_port(w->front), .request = BUF_INIT(256 * 1024)};
    CLEANUP(mem_cleanup)
    char *head = mem_printf("POST %s HTTP/1.1\r\nHost: ra\r\n%s"
                            "Content-Type: application/pkixcmp\r\nContent-Length: %zu\r\n\r\n",
                            path, more, message.n);
    struct err e = {0};

    assert_ok(buf_append_str(&t.request, head, &e), &e);
    assert_ok(buf_append(&t.request, message, &e), &e);
    return t;
}

unsigned
running_admin_port(const struct running *w)
{
    return api_server_port(w->api);
}

struct heard
running_post(struct running *w, struct span message)
{
    struct talk t = running_cmp(w, "/.well-known/cmp", "Connection: close\r\n", message);

    running_do(w, talk_run, &t);
    buf_free(&t.request);
    return t.heard;
}

/* ---- the admin socket ---- */

struct asking {
    char *path;
    json_t *request;
    struct span attachment;
    json_t *rows; /* NULL: without */
    json_t *answer;
    struct err e;
};

static void
on_row(void *arg, json_t *row)
{
    (void)json_array_append(arg, row);
}

static void
run_asking(void *arg)
{
    struct asking *a = arg;

    a->answer = a->rows == NULL ? admin_ask(a->path, a->request, TIMEOUT_MS, &a->e)
                                : admin_ask_rows(a->path, a->request, a->attachment, on_row,
                                                 a->rows, TIMEOUT_MS, &a->e);
}

static json_t *
ask(struct running *w, struct asking *a, struct err *e)
{
    a->path = mem_printf("%s/admin.sock", w->dir);
    running_do(w, run_asking, a);
    json_decref(a->request);
    mem_free(a->path);
    *e = a->e;
    return a->answer;
}

json_t *
running_ask(struct running *w, json_t *request, struct err *e)
{
    struct asking a = {.request = request};

    return ask(w, &a, e);
}

json_t *
running_ask_rows(struct running *w, json_t *request, struct span attachment, json_t **rows,
                 struct err *e)
{
    struct asking a = {.request = request, .attachment = attachment, .rows = json_array()};

    *rows = a.rows;
    return ask(w, &a, e);
}

/* ---- network functions ---- */

void
member_free(struct member *m)
{
    mem_free(m->reference);
    mem_free(m->secret);
    buf_free(&m->algorithm);
    EVP_PKEY_free(m->key);
    X509_free(m->certificate);
    buf_free(&m->message);
}

void
running_instance(char out[37])
{
    uint8_t o[16];
    char hex[33];
    struct err e = {0};

    assert_ok(random_bytes(o, sizeof(o), &e), &e);
    o[6] = (uint8_t)(0x40 | (o[6] & 0x0f));
    o[8] = (uint8_t)(0x80 | (o[8] & 0x3f));
    hex_format(span_of(o, sizeof(o)), hex);
    (void)snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
                   hex + 20);
}

char *
running_document(const char *instance, const char *proof, int certificates)
{
    char begin[TIME_TEXT_SIZE];
    char end[TIME_TEXT_SIZE];

    time_format(clock_now() - 60, begin);
    time_format(clock_now() + DAY, end);
    return mem_printf("{\"version\":1,\"nfInstanceId\":\"%s\",\"nfTypes\":[\"AMF\"],"
                      "\"fqdns\":[\"amf1.5gc.mnc012.mcc345.3gppnetwork.org\"],"
                      "\"homeDomain\":\"" HOME "\",\"country\":\"SE\","
                      "\"profiles\":[{\"name\":\"nf-tls\",\"maxValidityDays\":30}],"
                      "\"notBefore\":\"%s\",\"notAfter\":\"%s\",\"certificates\":%d,\"proof\":%s}",
                      instance, begin, end, certificates,
                      proof[0] == '\0' ? "{\"kind\":\"mac\"}" : proof);
}

struct buf
running_signed(const struct running *w, const char *document)
{
    return pki_cms(span_str(document), w->registrar, w->registrar_key);
}

struct buf
running_cancellation(const struct running *w, const char *id)
{
    struct cancellation c = {.time = clock_now()};
    CLEANUP(mem_cleanup) char *json = NULL;

    (void)snprintf(c.registration, sizeof(c.registration), "%s", id);
    json = cancellation_format(&c);
    return running_signed(w, json);
}

struct member
running_member(struct running *w)
{
    struct member m = {.key = pki_key("P-256")};
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;
    CLEANUP(mem_cleanup) char *document = NULL;
    CLEANUP(mem_cleanup) char *base64 = NULL;
    CLEANUP(buf_free) struct buf cms = {0};
    struct err e = {0};

    running_instance(m.instance);
    document = running_document(m.instance, "", 1);
    cms = running_signed(w, document);
    base64 = base64_dup(buf_span(&cms));
    answer = running_ask(w, json_pack("{s:s, s:s}", "command", "register", "cms", base64), &e);
    if (answer == NULL) {
        fail_msg("register: %s", e.text);
    }
    (void)snprintf(m.id, sizeof(m.id), "%s", json_string_value(json_object_get(answer, "id")));
    m.reference = mem_strdup(json_string_value(json_object_get(answer, "reference")));
    m.secret = mem_strdup(json_string_value(json_object_get(answer, "secret")));
    assert_true(w->n_known < ARRAY_LEN(w->known));
    memcpy(w->known[w->n_known].id, m.id, sizeof(m.id));
    memcpy(w->known[w->n_known++].instance, m.instance, sizeof(m.instance));
    m.algorithm = BUF_INIT(256);
    assert_ok(cmp_client_pbm(NID_sha256, 500, NID_hmacWithSHA256, &m.algorithm, &e), &e);
    m.client = (struct cmp_client){.reference = m.reference,
                                   .secret = span_str(m.secret),
                                   .algorithm = buf_span(&m.algorithm),
                                   .key = m.key};
    m.message = BUF_INIT(CMP_MESSAGE_MAX);
    return m;
}

X509_NAME *
member_name(void)
{
    X509_NAME *name = X509_NAME_new();
    const unsigned char *o = (const unsigned char *)HOME;

    assert_int_equal(
        X509_NAME_add_entry_by_txt(name, "C", MBSTRING_ASC, (const unsigned char *)"SE", -1, -1, 0),
        1);
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, o, -1, -1, 0), 1);
    return name;
}

void
member_requests(struct member *m, enum cmp_body body)
{
    CLEANUP(x509_name_cleanup) X509_NAME *name = member_name();
    struct err e = {0};

    assert_ok(cmp_client_request(&m->client, body, m->key, name, &m->state, &m->message, &e), &e);
}

void
member_says(struct member *m, bool first, struct span body)
{
    struct err e = {0};

    assert_ok(cmp_client_message(&m->client, first, body, &m->state, &m->message, &e), &e);
}

struct cmp_client_answer
member_asks(struct running *w, struct member *m)
{
    CLEANUP(heard_free) struct heard h = running_post(w, buf_span(&m->message));
    struct cmp_client_answer answer = {0};
    struct err e = {0};

    assert_int_equal(h.status, 200);
    assert_ok(cmp_client_read(&m->client, h.body, NULL, &m->state, &answer, &e), &e);
    return answer;
}

void
member_is_refused(struct running *w, struct member *m, enum cmp_body body, enum cmp_failure failure,
                  const char *phrase)
{
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = member_asks(w, m);

    if (a.body != body || a.status.failures != 1U << (unsigned)failure ||
        strstr(a.status.text, phrase) == NULL) {
        fail_msg("%s %#x \"%s\" instead of %s %s \"%s\"", cmp_body_name(a.body), a.status.failures,
                 a.status.text, cmp_body_name(body), cmp_failure_name(failure), phrase);
    }
}

void
member_enrols(struct running *w, struct member *m)
{
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer b = {0};
    struct err e = {0};

    member_requests(m, CMP_IR);
    a = member_asks(w, m);
    if (a.body != CMP_IP || a.certificate.n == 0) {
        fail_msg("%s: %s", cmp_body_name(a.body), a.status.text);
    }
    m->certificate = certificate_parse(buf_span(&a.certificate), &e);
    assert_non_null(m->certificate);
    assert_ok(cmp_client_certconf(&m->client, m->certificate, true, &m->state, &m->message, &e),
              &e);
    b = member_asks(w, m);
    assert_int_equal(b.body, CMP_PKICONF);
}

int64_t
running_state(struct running *w, const struct member *m)
{
    return running_number(w, "SELECT state FROM enrolment WHERE registration = ?",
                          STORE_VALUES(store_text(m->id)));
}

void
running_becomes(struct running *w, const struct member *m, enum requests_state state)
{
    const int64_t end = clock_monotonic_ms() + PATIENCE_MS;

    while (running_state(w, m) != (int64_t)state) {
        running_for(w, 2);
        if (clock_monotonic_ms() > end) {
            fail_msg("it stays in state %d", (int)running_state(w, m));
        }
    }
}
