/* SPDX-License-Identifier: Apache-2.0 */
/* First messages before the RA, and its TLS, while memory is short inside OpenSSL: what is taken is
 * taken or refused, what is refused is never taken. */
#include <openssl/ssl.h>
#include <string.h>

#include "base/http/tls.h"
#include "tests/support/starve.h"
#include "tests/support/tmpdir.h"
#include "tests/support/web.h"
#include "tests/unit/ra/fixture.h"

enum { RUNS = 8 };

#define OTHER_NF(n) "1d5b94b1-35ad-49bb-b118-8e8fc24abf" n

static struct {
    struct fixture *f;
    EVP_PKEY *key;
    X509 *holder; /* a network function's, of ours */
    X509 *device; /* a registered one */
    X509 *pinned; /* one whose registration has another hash */
} w;

static int
make(void **state)
{
    static const char another[] =
        "{\"kind\":\"certificate\",\"sha256\":"
        "\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"}";
    char id[REGISTRATION_ID_SIZE];

    w.f = fixture_new(PKI_NOW);
    *state = w.f;
    w.key = pki_key("P-256");
    w.holder = fixture_certificate(w.f, NULL, w.key);
    w.device = fixture_device(w.f, "d1", w.key);
    w.pinned = fixture_device(w.f, "p1", w.key);
    fixture_register(w.f, &(struct fixture_registration){.reference = "amf-1"}, id);
    fixture_deliver(w.f, w.holder, id, "nf-tls");
    fixture_register(w.f,
                     &(struct fixture_registration){.proof = PROOF_VENDOR,
                                                    .certificate = w.device,
                                                    .instance = OTHER_NF("01")},
                     id);
    fixture_register(w.f,
                     &(struct fixture_registration){.proof = PROOF_CERTIFICATE,
                                                    .certificate = w.pinned,
                                                    .instance = OTHER_NF("02"),
                                                    .says = another},
                     id);
    return 0;
}

static int
drop(void **state)
{
    X509_free(w.holder);
    X509_free(w.device);
    X509_free(w.pinned);
    EVP_PKEY_free(w.key);
    return fixture_teardown(state);
}

/* ---- messages ---- */

DEFINE_CLEANUP(job_cleanup, struct job, job_free)

static int
message_is_judged(const void *arg, struct buf *out, struct err *e)
{
    const struct buf *message = arg;
    CLEANUP(job_cleanup) struct job *job = NULL;
    int result;

    starve_pause();
    job = fixture_job(w.f, buf_span(message));
    starve_resume();
    result = judge_form(job);
    starve_pause();
    if (result == 0) {
        fixture_known(job);
    }
    starve_resume();
    result = result != 0 || judge_requester(job) != 0 ? -1 : judge_request(job);
    *e = job->e;
    if (result != 0) {
        assert_int_not_equal(job->failure, CMP_NO_FAILURE);
        return -1;
    }
    return buf_append_str(out, job->profile, e) != 0 ||
                   buf_append_str(out, job->identity, e) != 0 ||
                   buf_append_str(out, job->registration.id, e) != 0 ||
                   buf_append(out, buf_span(&job->facts.enrolment.asked), e) != 0 ||
                   job->entry.n == 0
               ? -1
               : 0;
}

static void
nothing_is_taken_that_is_refused(void **state)
{
    struct fixture *f = *state;
    CLEANUP(x509_extension_cleanup)
    X509_EXTENSION *other = fixture_extension(NID_subject_alt_name, "DNS:smf.example");
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    const struct cmp_client_wish wish = {.subject = f->subject, .extensions = extensions};
    const struct cmp_client mac = fixture_mac(f, "amf-1");
    const struct cmp_client holder = fixture_signer(f, w.holder, w.key);
    const struct cmp_client device = fixture_signer(f, w.device, w.key);
    const struct cmp_client pinned = fixture_signer(f, w.pinned, w.key);
    const struct fixture_message broken = {.broken = true};
    const struct {
        const char *name;
        const struct cmp_client *client;
        enum cmp_body body;
        const struct fixture_message *how;
        bool names;
        const char *why; /* NULL: taken */
    } rows[] = {
        {"ir, MAC", &mac, CMP_IR, NULL, false, NULL},
        {"ir, MAC, broken", &mac, CMP_IR, &broken, false, "MAC"},
        {"ir, MAC, other names", &mac, CMP_IR, NULL, true, "subjectAltName"},
        {"ir, device", &device, CMP_IR, NULL, false, NULL},
        {"ir, device, broken", &device, CMP_IR, &broken, false, "does not verify"},
        {"ir, another is pinned", &pinned, CMP_IR, NULL, false, "pins another"},
        {"kur, holder", &holder, CMP_KUR, NULL, false, NULL},
        {"kur, device", &device, CMP_KUR, NULL, false, "not ours"},
    };
    size_t findings = 0;

    assert_true(sk_X509_EXTENSION_push(extensions, other) > 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free)
        struct buf body = fixture_body(f, rows[i].body, rows[i].names ? &wish : NULL);
        CLEANUP(buf_free)
        struct buf message = fixture_message(f, rows[i].client, buf_span(&body), rows[i].how, NULL);
        const struct starve sweep = {rows[i].name, message_is_judged, rows[i].why, &message, RUNS};

        findings += starve_sweep(&sweep, 1);
    }
    sk_X509_EXTENSION_free(extensions);
    assert_int_equal(findings, 0);
}

/* ---- TLS ---- */

/* What a client would meet: the certificate and its chain, and whose certificates are asked for. */
static int
tls_is_loaded(const void *arg, struct buf *out, struct err *e)
{
    struct tls *tls = *(struct tls *const *)arg;
    const time_t before = tls_not_after(tls);
    const STACK_OF(X509_NAME) * names;
    STACK_OF(X509) *chain = NULL;
    SSL *ssl;
    struct err ignored = {0};
    int facts[4];
    int result = tls_reload(tls, e);

    starve_pause();
    assert_true(result == 0 || tls_not_after(tls) == before);
    ssl = tls_accept(tls, e);
    assert_non_null(ssl);
    names = SSL_get_client_CA_list(ssl);
    (void)SSL_get0_chain_certs(ssl, &chain);
    facts[0] = SSL_get_verify_mode(ssl);
    facts[1] = sk_X509_NAME_num(names);
    facts[2] = sk_X509_num(chain);
    facts[3] =
        sk_X509_OBJECT_num(X509_STORE_get0_objects(SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl))));
    SSL_free(ssl);
    assert_ok(tls_reload(tls, &ignored), &ignored); /* so that nothing of the run is left in it */
    return result != 0 ? -1 : buf_append(out, span_of(facts, sizeof(facts)), e);
}

static void
tls_is_as_it_was_or_as_it_should_be(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *certificate = mem_printf("%s/server.pem", dir);
    CLEANUP(mem_cleanup) char *ca = mem_printf("%s/ca.pem", dir);
    const struct tls_options options = {.certificate = certificate,
                                        .credential = "server.key",
                                        .client = TLS_CLIENT_REQUIRE,
                                        .client_roots = {ca},
                                        .n_client_roots = 1};
    CLEANUP(tls_cleanup) struct tls *tls = NULL;
    const struct starve sweep = {"tls_reload", tls_is_loaded, NULL, &tls, RUNS};
    size_t findings;
    struct err e = {0};

    (void)state;
    web_files(dir);
    tls = tls_new(&options, &e);
    assert_non_null(tls);
    findings = starve_sweep(&sweep, 1);
    web_forget();
    assert_int_equal(findings, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_taken_that_is_refused),
        cmocka_unit_test(tls_is_as_it_was_or_as_it_should_be),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
