/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/daemon/world.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/link/admin.h"
#include "ca/link/frame.h"
#include "ca/registration/cancellation.h"
#include "ca/registration/registration.h"
#include "ca/x509/name.h"
#include "ca/x509/pubkey.h"
#include "ca/x509/serial.h"
#include "ca/x509/signed.h"
#include "ca/x509/tbs/crl.h"
#include "db/ledger/ledger.h"
#include "pkcs11/key.h"
#include "tests/support/kill.h"
#include "tests/support/softhsm.h"
#include "tests/support/tmpdir.h"

enum { DAY = 24 * 60 * 60, TEXT_MAX = 8192, NESTED_MAX = CMP_NESTED_MAX };

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
write_public(const char *dir, const char *name, struct span spki)
{
    const unsigned char *p = spki.p;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)spki.n);
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", dir, name);
    CLEANUP(bio_cleanup) BIO *out = BIO_new_file(path, "w");

    assert_non_null(out);
    assert_int_equal(PEM_write_bio_PUBKEY(out, key), 1);
}

/* ---- tokens ---- */

static void
write_policy(const struct world *w, const char *name, const char *serial, struct span id,
             const char *tail)
{
    CLEANUP(mem_cleanup) char *hex = hex_dup(id);
    CLEANUP(mem_cleanup) char *file = mem_printf("%s.conf", name);
    CLEANUP(mem_cleanup)
    char *text = mem_printf("module = \"%s\"\nmodule_config = \"%s/softhsm2.conf\"\n"
                            "token = \"ca\"\nserial = \"%s\"\nkey_id = \"%s\"\n"
                            "public_key = \"%s.pub.pem\"\nattributes = \"%s-signing-v1\"\n"
                            "credential = \"ca.pin\"\njournal = \"%s/%s.journal\"\n%s",
                            SOFTHSM_MODULE, w->dir, serial, hex, name, name, w->dir, name, tail);

    write_text(w->dir, file, 0644, text);
}

static void
make_tokens(const struct world *w, struct buf *issuing, struct buf *log)
{
    struct err e = {0};
    struct module *m;
    struct session *s;
    struct token t;
    uint8_t issuing_id[KEY_ID_SIZE];
    uint8_t log_id[KEY_ID_SIZE];

    softhsm_use(w->dir);
    m = module_open(SOFTHSM_MODULE, NULL, &e);
    assert_non_null(m);
    assert_ok(module_init_token(m, "ca", SPAN_LITERAL("12345678"), SPAN_LITERAL(WORLD_PIN), &t, &e),
              &e);
    s = session_open(m, "ca", t.serial, SESSION_READ_WRITE, &e);
    assert_non_null(s);
    assert_ok(session_login(s, SPAN_LITERAL(WORLD_PIN), &e), &e);
    assert_ok(key_generate(s, key_policy_find("issuing-signing-v1", &e), KEY_P256, "issuing",
                           issuing_id, issuing, &e),
              &e);
    assert_ok(
        key_generate(s, key_policy_find("log-signing-v1", &e), KEY_P256, "log", log_id, log, &e),
        &e);
    session_close(s);
    module_close(m);
    write_public(w->dir, "issuing.pub.pem", buf_span(issuing));
    write_public(w->dir, "log.pub.pem", buf_span(log));
    write_policy(w, "issuing", t.serial, span_of(issuing_id, sizeof(issuing_id)),
                 "certificate_authority {\n issuer = \"issuing.der\"\n objects = {\"certificate\", "
                 "\"crl\"}\n max_validity = 1095\n max_crl_validity = 31\n}\n"
                 "ledger {\n origin = \"test.example/ca\"\n public_key = \"log.pub.pem\"\n}\n");
    write_policy(w, "log", t.serial, span_of(log_id, sizeof(log_id)),
                 "log {\n origin = \"test.example/ca\"\n}\n");
}

/* ---- root and files ---- */

static X509 *
issue_issuing(const struct world *w, struct span spki)
{
    struct name subject;
    struct err e = {0};
    struct tbs_request request = {.profile = profile_by_name("issuing"),
                                  .issuer = w->pki->root,
                                  .subject = &subject,
                                  .spki = spki,
                                  .not_before = clock_now() - DAY,
                                  .not_after = clock_now() + (time_t)1000 * DAY,
                                  .crl_url = "http://pki.example/crl/root.crl"};

    assert_ok(name_set(&subject, "SE", "Example Operator", "Example Issuing", &e), &e);
    assert_ok(serial_new(request.serial, &e), &e);
    return pki_issue(&request, w->pki->root_key);
}

static void
write_root_crl(const struct world *w)
{
    const struct crl_request request = {.issuer = w->pki->root,
                                        .number = 1,
                                        .this_update = clock_now(),
                                        .next_update = clock_now() + (time_t)100 * DAY};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TEXT_MAX);
    CLEANUP(buf_free) struct buf der = BUF_INIT(TEXT_MAX);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/root.crl", w->dir);
    struct err e = {0};

    assert_ok(crl_build(&request, &tbs, &e), &e);
    signature = pki_sign(w->pki->root_key, buf_span(&tbs));
    assert_ok(signed_assemble(SIGNED_CRL, buf_span(&tbs), buf_span(&signature), w->pki->root_key,
                              &der, &e),
              &e);
    assert_ok(file_write(path, buf_span(&der), 0644, &e), &e);
}

void
world_configure(struct world *w, const char *more)
{
    CLEANUP(mem_cleanup)
    char *text =
        mem_printf("state_dir = \"state\"\nledger_dir = \"ledger\"\n"
                   "log_origin = \"test.example/ca\"\nissuing_certificate = \"issuing.der\"\n"
                   "root_certificate = \"root.der\"\nroot_crl = \"root.crl\"\n"
                   "signer_program = \"%s/nfpki-signer\"\nissuing_policy = \"issuing.conf\"\n"
                   "log_policy = \"log.conf\"\nlink_socket = \"link.sock\"\n"
                   "link_users = {\"%u\"}\nadmin_socket = \"admin.sock\"\ncrl_dir = \"crl\"\n"
                   "crl_url = \"http://pki.example/crl/issuing.crl\"\n"
                   "vendor_roots = {\"vendor.der\"}\n%s",
                   TEST_BINARY_DIR, (unsigned)geteuid(), more);

    write_text(w->dir, "nfpki-ca.conf", 0644, text);
}

/* ---- the daemon ---- */

static void
run_daemon(const struct world *w)
{
    CLEANUP(mem_cleanup) char *conf = mem_printf("%s/nfpki-ca.conf", w->dir);
    CLEANUP(mem_cleanup) char *log = mem_printf("%s/ca.log", w->dir);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

    (void)setenv("CREDENTIALS_DIRECTORY", w->dir, 1);
    /* LeakSanitizer does not look into OpenSSL's locked memory, where the workers' random
     * generators are: it would take what they hold for lost. */
    (void)setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
    (void)dup2(fd, STDERR_FILENO);
    (void)execl(TEST_BINARY_DIR "/nfpki-ca", "nfpki-ca", "--config", conf, (char *)NULL);
    _exit(127);
}

static void
show_log(const struct world *w)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.log", w->dir);
    CLEANUP(buf_free) struct buf text = BUF_INIT(1024 * 1024);
    struct err e = {0};

    if (file_read(path, &text, &e) == 0) {
        (void)fwrite(text.p, 1, text.n, stderr);
    }
}

static void
greet(struct world *w)
{
    const struct link_message hello = {.type = LINK_HELLO};
    CLEANUP(answer_free) struct answer welcome = {0};

    world_send(w, &hello);
    world_receive(w, &welcome);
    assert_int_equal(welcome.m.type, LINK_WELCOME);
    assert_true(welcome.m.software);
}

void
world_connect(struct world *w)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/link.sock", w->dir);
    struct err e = {0};

    w->link = unix_connect(path, true, &e);
    assert_true(w->link >= 0);
    greet(w);
}

void
world_start(struct world *w)
{
    const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/link.sock", w->dir);
    struct err e = {0};

    w->daemon = fork();
    if (w->daemon == 0) {
        run_daemon(w);
    }
    while ((w->link = unix_connect(path, true, &e)) < 0) {
        if (waitpid(w->daemon, NULL, WNOHANG) != 0) {
            show_log(w);
            fail_msg("nfpki-ca ended");
        }
        (void)nanosleep(&pause, NULL);
    }
    greet(w);
}

void
world_signer_days(struct world *w, int days)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/issuing.conf", w->dir);
    CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);
    struct err e = {0};
    char *at;
    char number[8];

    assert_ok(file_read(path, &text, &e), &e);
    at = memmem(text.p, text.n, "max_validity = ", 15);
    assert_non_null(at);
    (void)snprintf(number, sizeof(number), "%-4d", days);
    memcpy(at + 15, number, 4);
    assert_ok(file_write(path, buf_span(&text), 0644, &e), &e);
}

void
world_start_and_kill(struct world *w, unsigned ms)
{
    const struct timespec pause = {.tv_nsec = (long)ms * 1000 * 1000};

    w->daemon = fork();
    if (w->daemon == 0) {
        run_daemon(w);
    }
    (void)nanosleep(&pause, NULL);
    world_kill(w);
}

static void
hang_up(struct world *w)
{
    if (w->link >= 0) {
        (void)close(w->link);
        w->link = -1;
    }
}

/* -1 when there is none any more, as behind a test that failed. */
static int
end(const struct world *w, int sig)
{
    int status = -1;

    if (test_kill(w->daemon, sig) == 0) {
        (void)waitpid(w->daemon, &status, 0);
    }
    return status;
}

void
world_kill(struct world *w)
{
    (void)end(w, SIGKILL);
    w->daemon = -1;
    hang_up(w);
}

bool
world_start_fails(struct world *w)
{
    const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/link.sock", w->dir);
    struct err e = {0};
    int status = 0;

    (void)unlink(path);
    w->daemon = fork();
    if (w->daemon == 0) {
        run_daemon(w);
    }
    while (waitpid(w->daemon, &status, WNOHANG) == 0) {
        w->link = unix_connect(path, true, &e);
        if (w->link >= 0) { /* it opened */
            world_kill(w);
            return false;
        }
        (void)nanosleep(&pause, NULL);
    }
    w->daemon = -1;
    if (!WIFEXITED(status)) { /* it said why, and then fell over what is not there */
        show_log(w);
        fail_msg("nfpki-ca ended by signal %d", WTERMSIG(status));
    }
    return status != 0;
}

int
world_stop(struct world *w)
{
    return world_end(w, SIGTERM);
}

int
world_end(struct world *w, int signal)
{
    int status = end(w, signal);

    w->daemon = -1;
    hang_up(w);
    if (status != 0) {
        show_log(w);
    }
    return status;
}

json_t *
world_ask(struct world *w, json_t *request, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/admin.sock", w->dir);
    json_t *answer = admin_ask(path, request, -1, e);

    json_decref(request);
    return answer;
}

static char *
make_csr(EVP_PKEY *key)
{
    CLEANUP(x509_req_cleanup) X509_REQ *csr = X509_REQ_new();
    CLEANUP(bio_cleanup) BIO *out = BIO_new(BIO_s_mem());
    char *text = NULL;
    long n;

    assert_int_equal(X509_REQ_set_version(csr, X509_REQ_VERSION_1), 1);
    assert_int_equal(X509_REQ_set_pubkey(csr, key), 1);
    assert_true(X509_REQ_sign(csr, key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_bio_X509_REQ(out, csr), 1);
    n = BIO_get_mem_data(out, &text);
    return mem_printf("%.*s", (int)n, text);
}

X509 *
world_officer(struct world *w, const char *profile, const char *name, EVP_PKEY *key)
{
    CLEANUP(mem_cleanup) char *csr = make_csr(key);
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;
    struct err e = {0};
    const char *pem;
    X509 *certificate;

    answer = world_ask(w,
                       json_pack("{s:s,s:s,s:s,s:i,s:s}", "command", "issue", "profile", profile,
                                 "commonName", name, "days", 30, "csr", csr),
                       &e);
    if (answer == NULL) {
        show_log(w);
        fail_msg("issue: %s", e.text);
    }
    pem = json_string_value(json_object_get(answer, "certificate"));
    assert_non_null(pem);
    certificate = certificate_parse(span_str(pem), &e);
    assert_non_null(certificate);
    return certificate;
}

struct world *
world_new(void)
{
    CLEANUP(buf_free) struct buf issuing = BUF_INIT(SPKI_MAX);
    CLEANUP(buf_free) struct buf log = BUF_INIT(SPKI_MAX);
    struct world *w = mem_zalloc(1, sizeof(*w));

    w->dir = tmpdir_new();
    w->link = -1;
    w->daemon = -1;
    w->pki = pki_new("P-384", "P-256");
    make_tokens(w, &issuing, &log);
    w->issuing = issue_issuing(w, buf_span(&issuing));
    write_certificate(w->dir, "issuing.der", w->issuing);
    write_certificate(w->dir, "root.der", w->pki->root);
    write_root_crl(w);
    w->vendor_key = pki_key("P-256");
    w->vendor = world_vendor(NULL, w->vendor_key, w->vendor_key, "Vendor Root");
    write_certificate(w->dir, "vendor.der", w->vendor);
    world_configure(w, "renewal_window = 0\n");
    write_text(w->dir, "ca.pin", 0600, WORLD_PIN "\n");
    (void)chmod(w->dir, 0755);
    world_start(w);
    w->ra_key = pki_key("P-256");
    w->registrar_key = pki_key("P-256");
    w->ra = world_officer(w, "ra-cmp", "RA 1", w->ra_key);
    w->registrar = world_officer(w, "registrar", "OAM", w->registrar_key);
    return w;
}

void
world_free(struct world *w)
{
    if (w->daemon > 0) {
        world_kill(w);
    }
    hang_up(w);
    EVP_PKEY_free(w->ra_key);
    EVP_PKEY_free(w->registrar_key);
    X509_free(w->ra);
    X509_free(w->registrar);
    EVP_PKEY_free(w->vendor_key);
    X509_free(w->vendor);
    X509_free(w->issuing);
    pki_free(w->pki);
    tmpdir_remove(w->dir);
    mem_free(w);
}

static void
add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
    CLEANUP(x509_extension_cleanup) X509_EXTENSION *extension = NULL;
    X509V3_CTX ctx;

    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(x, extension, -1), 1);
}

X509 *
world_vendor(X509 *issuer, EVP_PKEY *issuer_key, EVP_PKEY *key, const char *common_name)
{
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);
    uint8_t serial[8] = {0x41, 1};
    struct err e = {0};

    assert_int_equal(X509_set_version(x, X509_VERSION_3), 1);
    assert_ok(random_bytes(serial + 1, sizeof(serial) - 1, &e), &e);
    assert_int_equal(ASN1_STRING_set(X509_get_serialNumber(x), serial, sizeof(serial)), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                                (const unsigned char *)common_name, -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(x, issuer == NULL ? name : X509_get_subject_name(issuer)),
                     1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), -1000));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), 100000));
    assert_int_equal(X509_set_pubkey(x, key), 1);
    add_extension(x, x, NID_subject_key_identifier, "hash");
    if (issuer == NULL) {
        add_extension(x, x, NID_basic_constraints, "critical,CA:TRUE");
        add_extension(x, x, NID_key_usage, "critical,keyCertSign");
    } else {
        add_extension(x, issuer, NID_authority_key_identifier, "keyid:always");
        add_extension(x, issuer, NID_key_usage, "critical,digitalSignature");
    }
    assert_true(X509_sign(x, issuer_key, EVP_sha256()) > 0);
    return x;
}

/* ---- registrations ---- */

struct buf
world_registration(struct world *w, const char *uuid, int certificates, const char *proof)
{
    char begin[TIME_TEXT_SIZE];
    char end[TIME_TEXT_SIZE];
    CLEANUP(mem_cleanup) char *json = NULL;

    time_format(clock_now() - 60, begin);
    time_format(clock_now() + DAY, end);
    json = mem_printf("{\"version\":1,\"nfInstanceId\":\"%s\",\"nfTypes\":[\"AMF\"],"
                      "\"fqdns\":[\"amf1.5gc.mnc012.mcc345.3gppnetwork.org\"],"
                      "\"homeDomain\":\"5gc.mnc012.mcc345.3gppnetwork.org\",\"country\":\"SE\","
                      "\"profiles\":[{\"name\":\"nf-tls\",\"maxValidityDays\":30}],"
                      "\"notBefore\":\"%s\",\"notAfter\":\"%s\",\"certificates\":%d,\"proof\":%s}",
                      uuid, begin, end, certificates, proof);
    return pki_cms(span_str(json), w->registrar, w->registrar_key);
}

struct buf
world_cancellation(const char *of, time_t at, X509 *signer, EVP_PKEY *key)
{
    struct cancellation c = {.time = at};
    CLEANUP(mem_cleanup) char *json = NULL;

    (void)snprintf(c.registration, sizeof(c.registration), "%s", of);
    json = cancellation_format(&c);
    return pki_cms(span_str(json), signer, key);
}

void
world_send_cancellation(struct world *w, const char *id, struct span cms)
{
    uint8_t octets[LINK_REGISTRATION_SIZE] = {0};
    const struct link_message m = {
        .type = LINK_CANCEL, .id = span_of(octets, sizeof(octets)), .body = cms};
    struct err e = {0};

    assert_ok(hex_parse(id, octets, sizeof(octets), &e), &e);
    world_send(w, &m);
}

void
world_send_cancel(struct world *w, const char *id)
{
    CLEANUP(buf_free)
    struct buf cms = world_cancellation(id, clock_now(), w->registrar, w->registrar_key);

    world_send_cancellation(w, id, buf_span(&cms));
}

void
world_registration_id(struct span cms, char id[CMP_REGISTRATION_ID_SIZE + 1])
{
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    assert_ok(sha256(cms, hash, &e), &e);
    hex_format(span_of(hash, CMP_REGISTRATION_ID_SIZE / 2), id);
}

void
world_register(struct world *w, struct span cms, struct answer *answer)
{
    uint8_t hash[SHA256_SIZE] = {0};
    const struct link_message m = {
        .type = LINK_REGISTER, .id = span_of(hash, sizeof(hash)), .body = cms};
    struct err e = {0};

    assert_ok(sha256(cms, hash, &e), &e);
    world_send(w, &m);
    world_receive(w, answer);
}

/* ---- link ---- */

void
answer_free(struct answer *a)
{
    buf_free(&a->octets);
}

void
world_send(struct world *w, const struct link_message *m)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(LINK_FRAME_MAX);
    struct err e = {0};

    assert_ok(link_encode(m, &body, &e), &e);
    assert_ok(frame_write(w->link, buf_span(&body), -1, &e), &e);
}

void
world_receive(struct world *w, struct answer *answer)
{
    struct err e = {0};

    buf_free(&answer->octets);
    answer->octets = BUF_INIT(LINK_FRAME_MAX);
    if (frame_read(w->link, LINK_FRAME_MAX, &answer->octets, -1, &e) != 0) {
        show_log(w);
        fail_msg("link: %s", e.text);
    }
    assert_ok(link_decode(buf_span(&answer->octets), &answer->m, &e), &e);
}

struct buf
world_wrap(struct world *w, struct span inner, const char *id, enum cmp_assurance assurance,
           EVP_PKEY *key, X509 *ra)
{
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *message = NULL;
    CLEANUP(buf_free) struct buf part = BUF_INIT(NESTED_MAX);
    CLEANUP(buf_free) struct buf der = BUF_INIT(LINK_CERTIFICATE_MAX);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    struct cmp_queue_entry entry = {.assurance = assurance, .received_at = clock_now()};
    const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(ra);
    struct cmp_wrapper wrapper = {
        .ra = X509_get_subject_name(ra),
        .ca = X509_get_subject_name(w->issuing),
        .sender_kid = span_of(ASN1_STRING_get0_data(ski), (size_t)ASN1_STRING_length(ski)),
        .algorithm = key_algorithm_identifier(KEY_P256),
        .time = clock_now()};
    struct buf out = BUF_INIT(NESTED_MAX);
    struct span certificate;
    struct err e = {0};

    (void)snprintf(entry.registration_id, sizeof(entry.registration_id), "%s", id);
    (void)snprintf(entry.profile, sizeof(entry.profile), "nf-tls");
    message = cmp_msg_parse(inner, CMP_MESSAGE_MAX, &e);
    assert_non_null(message);
    assert_ok(cmp_queue_build(&entry, message, &wrapper, &part, &e), &e);
    signature = pki_sign(key, buf_span(&part));
    assert_ok(OSSL_ENCODE(X509, ra, &der, &e), &e);
    certificate = buf_span(&der);
    assert_ok(cmp_build_finish(buf_span(&part), buf_span(&signature), &certificate, 1, &out, &e),
              &e);
    return out;
}

void
world_send_submit(struct world *w, struct span inner, struct span nested)
{
    static const uint8_t previous[LINK_PREVIOUS_SIZE];
    uint8_t rid[SHA256_SIZE] = {0};
    struct link_message m = {.type = LINK_SUBMIT,
                             .id = span_of(rid, sizeof(rid)),
                             .sequence = ++w->sequence,
                             .previous = span_of(previous, sizeof(previous)),
                             .body = nested};
    struct err e = {0};

    assert_ok(sha256(inner, rid, &e), &e);
    world_send(w, &m);
}

void
world_submit(struct world *w, struct span inner, struct span nested, struct answer *answer)
{
    world_send_submit(w, inner, nested);
    world_receive(w, answer);
}

void
world_restart(struct world *w, const char *more)
{
    assert_int_equal(world_stop(w), 0);
    world_configure(w, more);
    world_start(w);
}

json_int_t
world_record(struct world *w, const char *what)
{
    CLEANUP(admin_json_cleanup) json_t *status = NULL;
    struct err e = {0};

    status = world_ask(w, json_pack("{s:s}", "command", "status"), &e);
    assert_non_null(status);
    return json_integer_value(json_object_get(json_object_get(status, "record"), what));
}

void
world_settle(struct world *w)
{
    for (json_int_t jobs = 0; jobs != 1;) { /* the question itself is one */
        CLEANUP(admin_json_cleanup) json_t *status = NULL;
        struct err e = {0};

        status = world_ask(w, json_pack("{s:s}", "command", "status"), &e);
        assert_non_null(status);
        jobs = json_integer_value(json_object_get(json_object_get(status, "link"), "jobs"));
    }
}

void
world_revoke(struct world *w, const X509 *certificate, const char *reason)
{
    CLEANUP(mem_cleanup) char *serial = hex_dup(serial_of(certificate));
    CLEANUP(admin_json_cleanup) json_t *done = NULL;
    struct err e = {0};

    done = world_ask(
        w, json_pack("{s:s,s:s,s:s}", "command", "revoke", "serial", serial, "reason", reason), &e);
    assert_non_null(done);
}

void
world_cancel(struct world *w, const char *id)
{
    CLEANUP(answer_free) struct answer answer = {0};

    world_send_cancel(w, id);
    world_receive(w, &answer);
    assert_int_equal(answer.m.type, LINK_CANCELLED);
}

struct forged {
    struct store_op op;
    struct issuance_intent intent;
};

static int
run_forge(struct store_op *op, struct store_db *db, struct err *e)
{
    enum issuance_outcome outcome;

    if (issuance_intend(db, &CONTAINER_OF(op, struct forged, op)->intent, &outcome, e) != 0) {
        return -1;
    }
    return outcome == ISSUANCE_DONE ? 0
                                    : err_set(e, ERR_DENIED, "%s", issuance_outcome_text(outcome));
}

void
world_intend(struct world *w, const struct issuance_intent *intent)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/state/ca.db", w->dir);
    const struct store_options options = {.path = path,
                                          .application = STORE_APPLICATION('n', 'f', 'C', 'A'),
                                          .schemas = {ledger_migrations, issuance_migrations}};
    struct err e = {0};
    struct store *store = store_open(&options, &e);
    struct forged f = {.op = {.run = run_forge}, .intent = *intent};

    if (store == NULL) {
        fail_msg("%s", e.text);
    }
    assert_ok(store_call(store, &f.op, &e), &e);
    store_free(store);
}

int
world_setup(void **state)
{
    (void)signal(SIGPIPE, SIG_IGN);
    *state = world_new();
    return 0;
}

int
world_teardown(void **state)
{
    world_free(*state);
    return 0;
}
