/* SPDX-License-Identifier: Apache-2.0 */
/* base/ossl.h while memory is short inside OpenSSL; and that a sweep sees what it is for. */
#include <openssl/x509.h>
#include <pthread.h>
#include <string.h>

#include "base/ossl.h"
#include "tests/support/starve.h"
#include "tests/support/test.h"

enum { KEY_SIZE = 91 }; /* SubjectPublicKeyInfo of P-256 */

static X509_NAME *
name_of(const char *text)
{
    X509_NAME *name = X509_NAME_new();

    if (name != NULL && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                   (const unsigned char *)text, -1, -1, 0) != 1) {
        X509_NAME_free(name);
        return NULL;
    }
    return name;
}

static int
name_is_written(const void *arg, struct buf *out, struct err *e)
{
    CLEANUP(x509_name_cleanup) X509_NAME *name = name_of(arg);

    return name == NULL ? ossl_err(e, ERR_CRYPTO, "name") : OSSL_ENCODE(X509_NAME, name, out, e);
}

static int
octets_are_hashed(const void *arg, struct buf *out, struct err *e)
{
    uint8_t hash[SHA256_SIZE];

    (void)arg;
    return sha256(SPAN_LITERAL("abc"), hash, e) == 0
               ? buf_append(out, span_of(hash, SHA256_SIZE), e)
               : -1;
}

static int
a_key_is_read(const void *arg, struct buf *out, struct err *e)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = public_key_parse(span_of(arg, KEY_SIZE), e);

    return key == NULL ? -1 : OSSL_ENCODE(PUBKEY, key, out, e);
}

/* ---- by a thread that has kept nothing yet, and ends ---- */

struct first {
    starve_run *run;
    const void *arg;
    struct buf *out;
    struct err *e;
    int result;
};

static void *
run_first(void *arg)
{
    struct first *f = arg;

    f->result = f->run(f->arg, f->out, f->e);
    OPENSSL_thread_stop();
    return NULL;
}

static int
in_a_thread(starve_run *run, const void *arg, struct buf *out, struct err *e)
{
    struct first f = {.run = run, .arg = arg, .out = out, .e = e};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, run_first, &f), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return f.result;
}

static int
octets_are_hashed_first(const void *arg, struct buf *out, struct err *e)
{
    return in_a_thread(octets_are_hashed, arg, out, e);
}

static int
a_key_is_read_first(const void *arg, struct buf *out, struct err *e)
{
    return in_a_thread(a_key_is_read, arg, out, e);
}

/* ---- each breaks the rule in its own way ---- */

static int
ignores(const void *arg, struct buf *out, struct err *e)
{
    CLEANUP(x509_name_cleanup) X509_NAME *name = X509_NAME_new();

    (void)arg;
    if (name == NULL) {
        return ossl_err(e, ERR_CRYPTO, "name");
    }
    (void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"x", -1, -1,
                                     0);
    return buf_append_str(out, X509_NAME_entry_count(name) == 1 ? "x" : "", e);
}

static int
is_silent(const void *arg, struct buf *out, struct err *e)
{
    CLEANUP(x509_name_cleanup) X509_NAME *name = name_of("x");

    (void)arg;
    (void)out;
    (void)e;
    return name == NULL ? -1 : 0;
}

static int
leaks(const void *arg, struct buf *out, struct err *e)
{
    CLEANUP(x509_name_cleanup) X509_NAME *name = name_of("x");
    unsigned char *der = NULL;
    ASN1_OBJECT *object = OBJ_txt2obj("1.2.3.4", 1);

    (void)arg;
    (void)out;
    if (name == NULL || object == NULL || i2d_X509_NAME(name, &der) <= 0) {
        return ossl_err(e, ERR_CRYPTO, "name"); /* without the object */
    }
    ASN1_OBJECT_free(object);
    OPENSSL_free(der);
    return 0;
}

static int
grants(const void *arg, struct buf *out, struct err *e)
{
    CLEANUP(x509_name_cleanup) X509_NAME *name = name_of("x");

    (void)arg;
    (void)out;
    return name != NULL ? err_set(e, ERR_DENIED, "x is not wanted") : 0;
}

static int
remembers(const void *arg, struct buf *out, struct err *e)
{
    static bool failed;
    CLEANUP(x509_name_cleanup) X509_NAME *name = name_of("x");

    (void)arg;
    failed = failed || name == NULL;
    return failed ? err_set(e, ERR_CRYPTO, "name") : buf_append_str(out, "x", e);
}

static int
needs_nothing(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    return buf_append_str(out, "x", e);
}

static void
what_breaks_the_rule_is_found(void **state)
{
    static const struct {
        struct starve sweep;
        const char *finding;
    } rows[] = {
        {{"ignores", ignores, NULL, NULL, 0}, "success with other octets"},
        {{"is silent", is_silent, NULL, NULL, 0}, "failure without a reason"},
        {{"leaks", leaks, NULL, NULL, 0}, "is never freed"},
        {{"grants", grants, "not wanted", NULL, 0}, "what is refused is granted"},
        {{"remembers", remembers, NULL, NULL, 0}, "fed again it says something else"},
        {{"needs nothing", needs_nothing, NULL, NULL, 0}, "allocates nothing"},
        {{"succeeds", name_is_written, "why", "x", 0}, "'why' is expected"},
        {{"fails", grants, NULL, NULL, 0}, "'success' is expected"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *finding = starve_find(&rows[i].sweep);

        if (finding == NULL || strstr(finding, rows[i].finding) == NULL) {
            fail_msg("%s: %s", rows[i].sweep.name, finding == NULL ? "nothing" : finding);
        }
    }
}

static void
each_call_is_right_or_fails(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(buf_free) struct buf spki = BUF_INIT(KEY_SIZE);
    struct err e = {0};

    (void)state;
    assert_ok(OSSL_ENCODE(PUBKEY, key, &spki, &e), &e);
    assert_int_equal(spki.n, KEY_SIZE);
    {
        const struct starve rows[] = {
            {"ossl_encode", name_is_written, NULL, "x", 0},
            {"sha256", octets_are_hashed, NULL, NULL, 0},
            {"sha256, the thread's first", octets_are_hashed_first, NULL, NULL, 0},
            {"public_key_parse", a_key_is_read, NULL, spki.p, 0},
            {"public_key_parse, the thread's first", a_key_is_read_first, NULL, spki.p, 0},
        };

        assert_int_equal(starve_sweep(rows, ARRAY_LEN(rows)), 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_breaks_the_rule_is_found),
        cmocka_unit_test(each_call_is_right_or_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
