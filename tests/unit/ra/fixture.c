/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ra/fixture.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/ossl.h"
#include "ca/x509/name.h"
#include "ca/x509/pubkey.h"
#include "ra/secret/file_seal.h"
#include "ra/secret/seal.h"
#include "ra/start.h"
#include "tests/support/tmpdir.h"

enum { SEALED_MAX = 256, WORKERS = 1 };

static const uint8_t seal_key[SEAL_KEY_SIZE] = {5, 7, 11};

/* ---- life ---- */

static void
write_certificate(const struct fixture *f, X509 *x, const char *name)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", f->dir, name);

    forge_certificate_write(x, path);
}

static X509 *
forge_root(struct fixture *f, const char *name)
{
    const struct forge forge = {.subject = name,
                                .key = f->vendor_key,
                                .not_before = f->now - FIXTURE_DAY,
                                .not_after = f->now + (time_t)365 * FIXTURE_DAY,
                                .extensions = {FORGE_CA}};

    return forge_certificate(&forge);
}

/* A CRL with the serial number of FIXTURE_REVOKED in it. */
static void
revoke_strict(struct fixture *f)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/strict.crl", f->dir);
    CLEANUP(x509_cleanup) X509 *revoked = X509_new();
    struct forge_crl forge = {.issuer = f->strict,
                              .issuer_key = f->vendor_key,
                              .this_update = f->now - FIXTURE_DAY,
                              .next_update =
                                  f->now + (time_t)20 * 365 * FIXTURE_DAY, /* asked for today */
                              .revoked = revoked,
                              .number = "1"};
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = NULL;

    assert_int_equal(ASN1_INTEGER_set_int64(X509_get_serialNumber(revoked), FIXTURE_REVOKED), 1);
    crl = forge_crl(&forge);
    forge_crl_write(crl, path);
}

static void
make_keys(struct fixture *f)
{
    X509 *own;

    f->pki = pki_new_at("P-256", "P-256", f->now);
    f->ra_key = pki_key("P-256");
    f->key = pki_key("P-256");
    f->vendor_key = pki_key("P-256");
    f->vendor = forge_root(f, "O=Vendor/CN=Vendor Root");
    f->upstream = forge_root(f, "O=Partner/CN=Partner Root");
    f->strict = forge_root(f, "O=Strict/CN=Strict Root");
    own = pki_issue_officer(f->pki, "ra-cmp", f->ra_key);
    write_certificate(f, own, "ra.der");
    write_certificate(f, f->pki->root, "root.der");
    write_certificate(f, f->pki->issuing, "issuing.der");
    write_certificate(f, f->vendor, "vendor.der");
    write_certificate(f, f->upstream, "upstream.der");
    write_certificate(f, f->strict, "strict.der");
    revoke_strict(f);
    X509_free(own);
}

/* As an operator writes it. */
static void
load_settings(struct fixture *f)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/nfpki-ra.conf", f->dir);
    CLEANUP(mem_cleanup) char *crls = mem_printf("%s/crl", f->dir);
    CLEANUP(mem_cleanup)
    char *text = mem_printf("listen = {\"127.0.0.1:0\"}\n"
                            "state_dir = \"%s/state\"\n"
                            "link_socket = \"%s/link.sock\"\n"
                            "admin_socket = \"%s/admin.sock\"\n"
                            "signer_program = \"none\"\n"
                            "signer_policy = \"%s/signer.conf\"\n"
                            "ra_certificate = \"%s/ra.der\"\n"
                            "issuing_certificate = \"%s/issuing.der\"\n"
                            "root_certificate = \"%s/root.der\"\n"
                            "vendor_roots = {\"%s/vendor.der\"}\n"
                            "upstream_ra_roots = {\"%s/upstream.der\"}\n"
                            "trust \"strict\" { purpose = \"vendor\" roots = {\"%s/strict.der\"} "
                            "crls = {\"%s/strict.crl\"} crl_policy = \"require\" "
                            "crl_max_age_hours = 0 }\n"
                            "crl_dir = \"%s\"\n",
                            f->dir, f->dir, f->dir, f->dir, f->dir, f->dir, f->dir, f->dir, f->dir,
                            f->dir, f->dir, crls);
    struct err e = {0};

    assert_ok(file_mkdirs(crls, 0700, &e), &e);
    assert_ok(file_write(path, span_str(text), 0600, &e), &e);
    f->settings = settings_load(path, &e);
    if (f->settings == NULL) {
        fail_msg("%s", e.text);
    }
}

static void
on_finished(evutil_socket_t fd, short what, void *arg)
{
    const struct fixture *f = arg;

    (void)fd;
    (void)what;
    tasks_finish(f->ra.tasks);
}

static void
open_ra(struct fixture *f)
{
    CLEANUP(buf_free) struct buf key = BUF_SECRET(STORE_KEY_SIZE);
    struct store_options store = {.application = REQUESTS_APPLICATION, .schemas = {ra_migrations}};
    const EVP_MD *md;
    struct err e = {0};

    load_settings(f);
    assert_ok(ra_prepare(&f->ra, f->settings, &e), &e);
    assert_ok(pubkey_signature_algorithm(f->ra_key, &f->ra.credentials.algorithm, &md, &e), &e);
    f->ra.seal_key = BUF_SECRET(SEAL_KEY_SIZE);
    assert_ok(buf_set(&f->ra.seal_key, span_of(seal_key, sizeof(seal_key)), &e), &e);
    f->ra.base = event_base_new();
    f->ra.tasks = tasks_new(&e);
    assert_non_null(f->ra.base);
    assert_non_null(f->ra.tasks);
    f->finished =
        event_new(f->ra.base, tasks_fd(f->ra.tasks), EV_READ | EV_PERSIST, on_finished, f);
    assert_non_null(f->finished);
    assert_int_equal(event_add(f->finished, NULL), 0);
    f->ra.pool = pool_new(WORKERS, f->ra.tasks, &e);
    assert_non_null(f->ra.pool);
    assert_ok(file_mkdirs(f->settings->state, 0700, &e), &e);
    assert_ok(file_seal_key(&f->ra, &key, &e), &e);
    store.seal_key = buf_span(&key);
    store.path = f->settings->database;
    store.finished = f->ra.tasks;
    f->ra.store = store_open(&store, &e);
    if (f->ra.store == NULL) {
        fail_msg("%s", e.text);
    }
}

struct fixture *
fixture_new(time_t now)
{
    struct fixture *f = mem_zalloc(1, sizeof(*f));
    struct name subject;
    struct err e = {0};
    CLEANUP(buf_free) struct buf der = BUF_INIT(SEALED_MAX);
    const unsigned char *p;

    assert_ok(ossl_init(&e), &e);
    f->dir = tmpdir_new();
    f->now = now;
    make_keys(f);
    open_ra(f);
    f->pbm = BUF_INIT(SEALED_MAX);
    assert_ok(cmp_client_pbm(NID_sha256, 100, NID_hmacWithSHA256, &f->pbm, &e), &e);
    assert_ok(name_set(&subject, "SE", pki_nf().home_domain, NULL, &e), &e);
    assert_ok(name_encode(&subject, &der, &e), &e);
    p = der.p;
    f->subject = d2i_X509_NAME(NULL, &p, (long)der.n);
    assert_non_null(f->subject);
    return f;
}

void
fixture_free(struct fixture *f)
{
    event_free(f->finished);
    ra_close(&f->ra);
    settings_free(f->settings);
    pki_free(f->pki);
    EVP_PKEY_free(f->ra_key);
    EVP_PKEY_free(f->key);
    EVP_PKEY_free(f->vendor_key);
    X509_free(f->vendor);
    X509_free(f->upstream);
    X509_free(f->strict);
    X509_NAME_free(f->subject);
    buf_free(&f->pbm);
    tmpdir_remove(f->dir);
    mem_free(f);
    pool_contexts_free();
}

int
fixture_setup(void **state)
{
    *state = fixture_new(PKI_NOW);
    return 0;
}

int
fixture_setup_now(void **state)
{
    *state = fixture_new(clock_now());
    return 0;
}

int
fixture_teardown(void **state)
{
    fixture_free(*state);
    OPENSSL_cleanup(); /* the random generators, which hang on locked memory */
    return 0;
}

/* ---- who is registered ---- */

struct call {
    struct store_op op;
    int (*verb)(struct store_db *, void *, struct err *);
    void *arg;
};

static int
call_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct call *c = CONTAINER_OF(op, struct call, op);

    return c->verb(db, c->arg, e);
}

int
fixture_try(struct fixture *f, int (*verb)(struct store_db *, void *, struct err *), void *arg,
            struct err *e)
{
    struct call c = {.op.run = call_run, .verb = verb, .arg = arg};

    return store_call(f->ra.store, &c.op, e);
}

void
fixture_call(struct fixture *f, int (*verb)(struct store_db *, void *, struct err *), void *arg)
{
    struct err e = {0};

    assert_ok(fixture_try(f, verb, arg, &e), &e);
}

void
fixture_hash_certificate(const X509 *x, uint8_t out[SHA256_SIZE])
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, x, &der, &e), &e);
    assert_ok(sha256(buf_span(&der), out, &e), &e);
}

void
fixture_hash_key(EVP_PKEY *key, uint8_t out[SHA256_SIZE])
{
    CLEANUP(buf_free) struct buf spki = pki_spki(key);
    struct err e = {0};

    assert_ok(sha256(buf_span(&spki), out, &e), &e);
}

/* The proof of the document and of the row. */
static char *
proof_of(const struct fixture *f, const struct fixture_registration *r,
         struct requests_registration *row)
{
    uint8_t hash[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];
    struct err e = {0};

    row->proof = (int)r->proof;
    switch (r->proof) {
    case PROOF_MAC:
        (void)snprintf(row->reference, sizeof(row->reference), "%s", r->reference);
        assert_ok(seal_close(buf_span(&f->ra.seal_key), row->id, SPAN_LITERAL(FIXTURE_SECRET),
                             &row->sealed, &e),
                  &e);
        return mem_strdup("{\"kind\":\"mac\"}");
    case PROOF_CERTIFICATE:
        fixture_hash_certificate(r->certificate, hash);
        assert_ok(buf_set(&row->fingerprint, span_of(hash, sizeof(hash)), &e), &e);
        hex_format(span_of(hash, sizeof(hash)), hex);
        return mem_printf("{\"kind\":\"certificate\",\"sha256\":\"%s\"}", hex);
    case PROOF_PUBLIC_KEY:
        fixture_hash_key(r->key, hash);
        assert_ok(buf_set(&row->public_key, span_of(hash, sizeof(hash)), &e), &e);
        hex_format(span_of(hash, sizeof(hash)), hex);
        return mem_printf("{\"kind\":\"publicKey\",\"sha256\":\"%s\"}", hex);
    case PROOF_VENDOR:
        row->issuer = name_text(X509_get_issuer_name(r->certificate));
        row->subject = name_text(X509_get_subject_name(r->certificate));
        return mem_printf("{\"kind\":\"vendor\",\"issuer\":\"%s\",\"subject\":\"%s\"}", row->issuer,
                          row->subject);
    }
    fail();
    return NULL;
}

static char *
document_of(const struct fixture_registration *r, const struct requests_registration *row,
            time_t not_before, const char *proof)
{
    char from[TIME_TEXT_SIZE];
    char until[TIME_TEXT_SIZE];

    time_format(not_before, from);
    time_format((time_t)row->not_after, until);
    return mem_printf(
        "{\"version\":1,\"nfInstanceId\":\"%s\",\"nfTypes\":[\"AMF\"],\"fqdns\":[\"" FIXTURE_FQDN
        "\"],\"homeDomain\":\"%s\",\"country\":\"SE\",\"profiles\":[%s%s%s],\"notBefore\":\"%s\","
        "\"notAfter\":\"%s\",\"certificates\":%d,\"proof\":%s%s%s}",
        row->nf_instance, pki_nf().home_domain, r->profiles == NULL ? "{\"name\":\"nf-tls\"}" : "",
        r->profiles == NULL ? "" : r->profiles, "", from, until, row->certificates, proof,
        r->more == NULL ? "" : ",", r->more == NULL ? "" : r->more);
}

static int
verb_register(struct store_db *db, void *arg, struct err *e)
{
    return requests_register(db, arg, e);
}

struct cancelling {
    const char *id;
};

static int
verb_cancel(struct store_db *db, void *arg, struct err *e)
{
    const struct cancelling *c = arg;

    return requests_cancel(db, c->id, SPAN_LITERAL("cms"), "cancelled", e);
}

void
fixture_cancel(struct fixture *f, const char *id)
{
    fixture_call(f, verb_cancel, &(struct cancelling){.id = id});
}

void
fixture_register(struct fixture *f, const struct fixture_registration *r,
                 char id[REGISTRATION_ID_SIZE])
{
    CLEANUP(requests_registration_clear) struct requests_registration row = {0};
    CLEANUP(mem_cleanup) char *proof = NULL;
    CLEANUP(mem_cleanup) char *json = NULL;
    time_t from = r->not_before != 0 ? r->not_before : f->now - FIXTURE_DAY;
    struct err e = {0};

    row.cms = BUF_INIT(REGISTRATION_MAX);
    row.json = BUF_INIT(REGISTRATION_JSON_MAX);
    row.sealed = BUF_INIT(SEALED_MAX);
    row.fingerprint = BUF_INIT(SHA256_SIZE);
    row.public_key = BUF_INIT(SHA256_SIZE);
    (void)snprintf(row.id, sizeof(row.id), "%032x", ++f->count);
    (void)snprintf(row.nf_instance, sizeof(row.nf_instance), "%s",
                   r->instance != NULL ? r->instance : FIXTURE_NF);
    row.not_after = r->not_after != 0 ? r->not_after : f->now + (time_t)30 * FIXTURE_DAY;
    row.certificates = r->certificates != 0 ? r->certificates : 3;
    row.registered = (int64_t)f->count;
    proof = proof_of(f, r, &row);
    if (r->says != NULL) {
        mem_free(proof);
        proof = mem_strdup(r->says);
    }
    json = r->json != NULL ? mem_strdup(r->json) : document_of(r, &row, from, proof);
    assert_ok(buf_set(&row.cms, SPAN_LITERAL("cms"), &e), &e);
    assert_ok(buf_set(&row.json, span_str(json), &e), &e);
    fixture_call(f, verb_register, &row);
    memcpy(id, row.id, sizeof(row.id));
    if (r->cancelled) {
        fixture_cancel(f, id);
    }
}

/* ---- the loop ---- */

void
fixture_run_until(struct fixture *f, const bool *done)
{
    while (!*done) {
        assert_int_equal(event_base_loop(f->ra.base, EVLOOP_ONCE), 0);
    }
}
