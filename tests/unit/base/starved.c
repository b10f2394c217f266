/* SPDX-License-Identifier: Apache-2.0 */
/* base/ossl.h while memory is short inside OpenSSL; and that a sweep sees what it is for. */
#include <openssl/x509.h>
#include <string.h>

#include "base/ossl.h"
#include "tests/support/starve.h"
#include "tests/support/test.h"

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
    const struct starve rows[] = {
        {"ossl_encode", name_is_written, NULL, "x", 0},
        {"sha256", octets_are_hashed, NULL, NULL, 0},
    };

    (void)state;
    assert_int_equal(starve_sweep(rows, ARRAY_LEN(rows)), 0);
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
