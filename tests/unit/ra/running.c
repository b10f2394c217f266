/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ra/running.h"

#include <event2/event.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "ca/x509/serial.h"
#include "pkcs11/client/client.h"
#include "pkcs11/key.h"
#include "pkcs11/secret.h"
#include "ra/admin/closing.h"
#include "ra/admin/socket.h"
#include "ra/front/api_server.h"
#include "ra/front/front.h"
#include "ra/queue/queue.h"
#include "ra/queue/roles.h"
#include "ra/secret/page_scrub.h"
#include "ra/start.h"
#include "tests/support/forge.h"
#include "tests/support/softhsm.h"
#include "tests/support/tmpdir.h"

enum { DAY = 24 * 60 * 60, PATIENCE_MS = 120 * 1000, SYNC_WAIT_MS = 60 * 1000 };

#define PIN "123456"

static const char *more_settings = "";

void
running_configure(const char *more)
{
    more_settings = more;
}

static bool heads_are_signed = true;

void
running_sign_no_heads(void)
{
    heads_are_signed = false;
}

static bool file_is_sealed;

void
running_seal_file(void)
{
    file_is_sealed = true;
}

/* ---- files ---- */

static void
write_text(const char *dir, const char *name, mode_t mode, const char *text)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", dir, name);
    struct err e = {0};

    assert_ok(file_write(path, span_str(text), mode, &e), &e);
}

static void
write_certificate(const char *dir, const char *name, X509 *certificate)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", dir, name);
    CLEANUP(buf_free) struct buf der = BUF_INIT(LINK_CERTIFICATE_MAX);
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, certificate, &der, &e), &e);
    assert_ok(file_write(path, buf_span(&der), 0644, &e), &e);
}

static void
write_pem(const char *dir, const char *name, EVP_PKEY *key, X509 *certificate, EVP_PKEY *public)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", dir, name);
    CLEANUP(bio_cleanup) BIO *out = BIO_new_file(path, "w");

    assert_non_null(out);
    if (key != NULL) {
        assert_int_equal(PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), 1);
    } else if (certificate != NULL) {
        assert_int_equal(PEM_write_bio_X509(out, certificate), 1);
    } else {
        assert_int_equal(PEM_write_bio_PUBKEY(out, public), 1);
    }
    (void)chmod(path, 0600);
}

static X509 *
issue(const struct running *w, const char *profile, const char *name, struct span spki)
{
    struct name subject;
    struct err e = {0};
    struct tbs_request request = {.profile = profile_by_name(profile),
                                  .issuer = w->pki->issuing,
                                  .subject = &subject,
                                  .spki = spki,
                                  .not_before = clock_now() - 60,
                                  .not_after = clock_now() + (time_t)30 * DAY,
                                  .crl_url = "http://pki.example/crl/issuing.crl"};

    assert_ok(name_set(&subject, "SE", "Example Operator", name, &e), &e);
    assert_ok(serial_new(request.serial, clock_now(), &e), &e);
    return pki_issue(&request, w->pki->issuing_key);
}

X509 *
running_officer(const struct running *w, const char *profile, const char *name, EVP_PKEY *key)
{
    CLEANUP(buf_free) struct buf spki = pki_spki(key);

    return issue(w, profile, name, buf_span(&spki));
}

/* The section of the policy; with a file otherwise, as in earlier times. */
static char *
make_seal(const struct running *w, struct session *s)
{
    CLEANUP(mem_cleanup) char *hex = NULL;
    uint8_t id[KEY_ID_SIZE];
    struct err e = {0};

    if (!file_is_sealed) {
        write_text(w->dir, "ra-seal-key", 0600, "0123456789abcdef0123456789abcdef");
        return mem_strdup("");
    }
    assert_ok(secret_generate(s, "seal", id, &e), &e);
    hex = hex_dup(span_of(id, sizeof(id)));
    return mem_printf("seal {\n key_id = \"%s\"\n}\n", hex);
}

/* The RA's token, certificate and the policy of its signer. */
static void
make_token(struct running *w)
{
    CLEANUP(buf_free) struct buf spki = BUF_INIT(SPKI_MAX);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *public = NULL;
    CLEANUP(mem_cleanup) char *text = NULL;
    CLEANUP(mem_cleanup) char *seal = NULL;
    char hex[2 * KEY_ID_SIZE + 1];
    uint8_t id[KEY_ID_SIZE];
    enum key_algorithm algorithm;
    struct err e = {0};
    struct module *m;
    struct session *s;
    struct token t;

    softhsm_use(w->dir);
    m = module_open(SOFTHSM_MODULE, NULL, &e);
    assert_non_null(m);
    assert_ok(module_init_token(m, "ra", SPAN_LITERAL("12345678"), SPAN_LITERAL(PIN), &t, &e), &e);
    s = session_open(m, "ra", t.serial, SESSION_READ_WRITE, &e);
    assert_non_null(s);
    assert_ok(session_login(s, SPAN_LITERAL(PIN), &e), &e);
    assert_ok(key_generate(s, key_policy_find("ra-signing-v1", &e), KEY_P256, "ra", id, &spki, &e),
              &e);
    seal = make_seal(w, s);
    session_close(s);
    module_close(m);
    w->certificate = issue(w, "ra-cmp", "RA 1", buf_span(&spki));
    write_certificate(w->dir, "ra.der", w->certificate);
    public = key_public_parse(buf_span(&spki), &algorithm, &e);
    write_pem(w->dir, "ra.pub.pem", NULL, NULL, public);
    hex_format(span_of(id, sizeof(id)), hex);
    text = mem_printf("module = \"%s\"\nmodule_config = \"softhsm2.conf\"\ntoken = \"ra\"\n"
                      "serial = \"%s\"\nkey_id = \"%s\"\npublic_key = \"ra.pub.pem\"\n"
                      "attributes = \"ra-signing-v1\"\ncredential = \"ra.pin\"\n"
                      "journal = \"ra.journal\"\ncmp {\n sender = \"ra.der\"\n bodies = {\"ip\", "
                      "\"cp\", \"kup\", \"rp\", \"pkiconf\", \"genp\", \"error\", "
                      "\"pollRep\"}\n queue_heads = %s\n}\n%s",
                      SOFTHSM_MODULE, t.serial, hex, heads_are_signed ? "true" : "false", seal);
    write_text(w->dir, "signer.conf", 0600, text);
    write_text(w->dir, "ra.pin", 0600, PIN "\n");
}

/* What administrators' clients see, and the CRLs that they are checked against. */
static void
make_admin(struct running *w)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    const time_t now = clock_now();
    X509 *server = forge_certificate(&(struct forge){.subject = "CN=admin",
                                                     .key = key,
                                                     .issuer_key = key,
                                                     .not_before = now - 60,
                                                     .not_after = now + DAY,
                                                     .extensions = {FORGE_LEAF}});
    CLEANUP(mem_cleanup) char *issuing = mem_printf("%s/issuing.crl", w->dir);
    CLEANUP(mem_cleanup) char *root = mem_printf("%s/root.crl", w->dir);
    X509_CRL *of_issuing = forge_crl(&(struct forge_crl){.issuer = w->pki->issuing,
                                                         .issuer_key = w->pki->issuing_key,
                                                         .this_update = now - 60,
                                                         .next_update = now + DAY,
                                                         .number = "1"});
    X509_CRL *of_root = forge_crl(&(struct forge_crl){.issuer = w->pki->root,
                                                      .issuer_key = w->pki->root_key,
                                                      .this_update = now - 60,
                                                      .next_update = now + DAY,
                                                      .number = "1"});

    forge_crl_write(of_issuing, issuing);
    forge_crl_write(of_root, root);
    write_pem(w->dir, "admin.pem", NULL, server, NULL);
    write_pem(w->dir, "admin-tls-key", key, NULL, NULL);
    X509_CRL_free(of_issuing);
    X509_CRL_free(of_root);
    X509_free(server);
}

static void
make_files(struct running *w)
{
    CLEANUP(mem_cleanup)
    char *text = mem_printf(
        "listen = {\"127.0.0.1:0\"}\nstate_dir = \"state\"\nlink_socket = \"link.sock\"\n"
        "admin_socket = \"admin.sock\"\nadmin_listen = {\"127.0.0.1:0\"}\n"
        "admin_tls_certificate = \"admin.pem\"\nadmin_crls = {\"issuing.crl\", \"root.crl\"}\n"
        "signer_program = \"%s/nfpki-signer\"\nsigner_policy = \"signer.conf\"\n"
        "ra_certificate = \"ra.der\"\nissuing_certificate = \"issuing.pem\"\n"
        "root_certificate = \"root.pem\"\ncrl_dir = \"crl\"\n"
        "public_url = {\"http://ra.example/.well-known/cmp\"}\nsync_wait = 60000\n%s",
        TEST_BINARY_DIR, more_settings);
    CLEANUP(mem_cleanup) char *crl_dir = mem_printf("%s/crl", w->dir);

    (void)setenv("CREDENTIALS_DIRECTORY", w->dir, 1);
    (void)mkdir(crl_dir, 0755);
    write_pem(w->dir, "issuing.pem", NULL, w->pki->issuing, NULL);
    write_pem(w->dir, "root.pem", NULL, w->pki->root, NULL);
    make_token(w);
    make_admin(w);
    write_text(w->dir, "nfpki-ra.conf", 0644, text);
}

/* ---- the loop ---- */

static void
on_tasks(evutil_socket_t fd, short what, void *arg)
{
    struct running *w = arg;

    (void)fd;
    (void)what;
    tasks_finish(w->ra.tasks);
}

static void
on_nothing(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

void
running_for(struct running *w, int ms)
{
    const struct timeval pause = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
    struct event *timer = evtimer_new(w->ra.base, on_nothing, NULL);
    const int64_t end = clock_monotonic_ms() + ms;

    do {
        (void)event_add(timer, &pause);
        assert_int_not_equal(event_base_loop(w->ra.base, EVLOOP_ONCE), -1);
    } while (clock_monotonic_ms() < end);
    event_free(timer);
}

void
running_until(struct running *w, bool (*is_so)(struct running *))
{
    const int64_t end = clock_monotonic_ms() + PATIENCE_MS;

    while (!is_so(w)) {
        running_for(w, 1);
        if (clock_monotonic_ms() > end) {
            fail_msg("it does not come to pass");
        }
    }
}

static bool
is_settled(struct running *w)
{
    return w->ra.jobs == 0 && w->ra.heads_asked == 0 && !closing_is_busy(w->ra.closing) &&
           (w->ra.page_scrub == NULL || !page_scrub_is_busy(w->ra.page_scrub)) &&
           (w->ra.queue == NULL || !queue_is_busy(w->ra.queue));
}

void
running_settle(struct running *w)
{
    running_until(w, is_settled);
}

bool
running_is_submitted(struct running *w)
{
    return w->asked[LINK_SUBMIT] > 0;
}

struct running_task {
    pthread_t thread;
    void (*work)(void *);
    void *arg;
    int over; /* atomic */
};

static void *
run_task(void *arg)
{
    struct running_task *t = arg;

    t->work(t->arg);
    __atomic_store_n(&t->over, 1, __ATOMIC_RELEASE);
    return NULL;
}

struct running_task *
running_begin(struct running *w, void (*work)(void *), void *arg)
{
    struct running_task *t = mem_zalloc(1, sizeof(*t));

    (void)w;
    t->work = work;
    t->arg = arg;
    assert_int_equal(pthread_create(&t->thread, NULL, run_task, t), 0);
    return t;
}

bool
running_is_over(const struct running_task *t)
{
    return __atomic_load_n(&t->over, __ATOMIC_ACQUIRE) != 0;
}

void
running_end(struct running *w, struct running_task *t)
{
    const int64_t end = clock_monotonic_ms() + PATIENCE_MS;

    while (!running_is_over(t)) {
        running_for(w, 1);
        if (clock_monotonic_ms() > end) {
            fail_msg("a client waits for ever");
        }
    }
    assert_int_equal(pthread_join(t->thread, NULL), 0);
    mem_free(t);
}

void
running_do(struct running *w, void (*work)(void *), void *arg)
{
    running_end(w, running_begin(w, work, arg));
}

/* ---- beginning and end ---- */

static void
on_up(void *arg)
{
    struct running *w = arg;

    w->ups++;
    closing_run(w->ra.closing);
}

static int
ask_ca(void *user, const struct link_message *m, ask_reply *reply, void *arg, struct err *e)
{
    const struct running *w = user;

    return queue_ask(w->ra.queue, m, reply, arg, e);
}

static void
open_services(struct running *w)
{
    const struct queue_options queue = {.ra = &w->ra, .up = on_up, .arg = w};
    const struct roles_options roles = {.base = w->ra.base, .ask = ask_ca, .user = w};
    struct err e = {0};

    w->tasks = event_new(w->ra.base, tasks_fd(w->ra.tasks), EV_READ | EV_PERSIST, on_tasks, w);
    assert_int_equal(event_add(w->tasks, NULL), 0);
    w->ra.closing = closing_new(&w->ra);
    w->ra.roles = roles_new(&roles);
    w->ra.page_scrub = page_scrub_new(&w->ra);
    page_scrub_stop(w->ra.page_scrub); /* no operation of the store that a test does not know of */
    w->front = front_new(&w->ra, &e);
    w->admin = admin_server_new(w->ra.base, w->settings->admin, register_handle, &w->ra, &e);
    w->api = api_server_new(&w->ra, &e);
    if (w->front == NULL || w->admin == NULL || w->api == NULL) {
        fail_msg("%s", e.text);
    }
    running_ca_comes(w);
    w->ra.queue = queue_new(&queue, &e);
    assert_non_null(w->ra.queue);
    running_until(w, running_is_up);
}

struct link_message
running_welcome(const struct running *w)
{
    return (struct link_message){.type = LINK_WELCOME,
                                 .body = buf_span(&w->ra.credentials.issuing_der),
                                 .root = buf_span(&w->ra.credentials.root_der),
                                 .checkpoint = buf_span(&w->note),
                                 .log_key = span_str(w->log.vkey)};
}

static struct running *
running_new(void)
{
    struct running *w = mem_zalloc(1, sizeof(*w));

    w->dir = tmpdir_new();
    w->pki = pki_new("P-256", "P-256");
    w->last = BUF_INIT(LINK_FRAME_MAX);
    w->shown = BUF_INIT(LINK_CHECKPOINT_MAX);
    w->log = notes_new("log.test/ca");
    w->note = notes_sign(&w->log, 1, 1);
    make_files(w);
    w->registrar_key = pki_key("P-256");
    w->registrar = running_officer(w, "registrar", "OAM", w->registrar_key);
    w->officer_key = pki_key("P-256");
    w->officer = running_officer(w, "officer", "Officer", w->officer_key);
    return w;
}

static void
running_free(struct running *w)
{
    X509_free(w->certificate);
    X509_free(w->registrar);
    X509_free(w->officer);
    EVP_PKEY_free(w->registrar_key);
    EVP_PKEY_free(w->officer_key);
    pki_free(w->pki);
    buf_free(&w->last);
    buf_free(&w->shown);
    buf_free(&w->note);
    notes_free(&w->log);
    tmpdir_remove(w->dir);
    mem_free(w);
}

int
running_files_setup(void **state)
{
    struct running *w = running_new();
    struct credentials *c = &w->ra.credentials;
    struct err e = {0};

    c->issuing_der = BUF_INIT(LINK_CERTIFICATE_MAX);
    c->root_der = BUF_INIT(LINK_CERTIFICATE_MAX);
    assert_ok(OSSL_ENCODE(X509, w->pki->issuing, &c->issuing_der, &e), &e);
    assert_ok(OSSL_ENCODE(X509, w->pki->root, &c->root_der, &e), &e);
    w->welcome = running_welcome(w);
    w->ra.base = event_base_new();
    *state = w;
    return 0;
}

int
running_files_teardown(void **state)
{
    struct running *w = *state;

    running_ca_goes(w);
    buf_free(&w->ra.credentials.issuing_der);
    buf_free(&w->ra.credentials.root_der);
    event_base_free(w->ra.base);
    running_free(w);
    return 0;
}

int
running_setup(void **state)
{
    struct running *w;
    CLEANUP(mem_cleanup) char *conf = NULL;
    struct err e = {0};

    tap_open();
    w = running_new();
    conf = mem_printf("%s/nfpki-ra.conf", w->dir);
    w->settings = settings_load(conf, &e);
    if (w->settings == NULL || ra_open(&w->ra, w->settings, &e) != 0) {
        fail_msg("%s", e.text);
    }
    w->welcome = running_welcome(w);
    w->welcome.software = true;
    open_services(w);
    tap_need("the CA's key is in software: for tests only"); /* when it comes first */
    *state = w;
    return 0;
}

int
running_teardown(void **state)
{
    struct running *w = *state;

    if (w == NULL) {
        return -1; /* running_setup() failed */
    }
    running_settle(w);
    running_ca_goes(w);
    running_until(w, running_is_down);
    (void)running_number(w, "SELECT 1", STORE_NO_VALUES); /* behind the last answer to be kept */
    running_for(w, 1);
    running_settle(w);
    page_scrub_free(w->ra.page_scrub);
    front_free(w->front);
    api_server_free(w->api);
    queue_free(w->ra.queue);
    roles_free(w->ra.roles);
    closing_free(w->ra.closing);
    admin_server_free(w->admin);
    event_free(w->tasks);
    ra_close(&w->ra);
    pool_contexts_free();
    settings_free(w->settings);
    running_free(w);
    return 0;
}

void
running_forget_roles(struct running *w)
{
    uint8_t other[SHA256_SIZE];
    struct err e = {0};

    assert_ok(random_bytes(other, sizeof(other), &e), &e);
    roles_note_crls(w->ra.roles, other);
}

int
running_reset(void **state)
{
    struct running *w = *state;

    running_settle(w);
    w->ca_does = NULL;
    w->ca_is_mute = false;
    w->open_max = 0;
    w->settings->sync_wait = SYNC_WAIT_MS;
    w->welcome = running_welcome(w);
    if (w->ca == NULL) {
        running_ca_comes(w);
    }
    running_until(w, running_is_up);
    memset(w->asked, 0, sizeof(w->asked));
    tap_mark();
    return 0;
}
