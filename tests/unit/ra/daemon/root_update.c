/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/daemon/root_update.h"

#include <string.h>

#include "base/file.h"
#include "tests/support/forge.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

enum { DAY = 24 * 60 * 60 };

struct roots {
    char *dir;
    EVP_PKEY *old_key;
    EVP_PKEY *new_key;
    X509 *old; /* the root that goes */
    X509 *new_with_new;
    X509 *new_with_old;
    X509 *old_with_new;
    X509 *leaf; /* of the new key, signed by the new one */
};

static X509 *
make(const struct roots *r, const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key,
     bool ca)
{
    struct forge f = {.subject = name,
                      .key = key,
                      .issuer = issuer,
                      .issuer_key = issuer_key,
                      .not_before = PKI_NOW,
                      .not_after = PKI_NOW + DAY,
                      .extensions = {FORGE_CA}};

    (void)r;
    if (!ca) {
        f.extensions[0] = "basicConstraints=critical,CA:FALSE";
        f.extensions[1] = "keyUsage=critical,digitalSignature";
    }
    return forge_certificate(&f);
}

static int
set_up(void **state)
{
    struct roots *r = mem_zalloc(1, sizeof(*r));

    r->dir = tmpdir_new();
    r->old_key = pki_key("P-256");
    r->new_key = pki_key("P-256");
    r->old = make(r, "CN=Old", r->old_key, NULL, r->old_key, true);
    r->new_with_new = make(r, "CN=New", r->new_key, NULL, r->new_key, true);
    r->new_with_old = make(r, "CN=New", r->new_key, r->old, r->old_key, true);
    r->old_with_new = make(r, "CN=Old", r->old_key, r->new_with_new, r->new_key, true);
    r->leaf = make(r, "CN=Leaf", r->new_key, r->new_with_new, r->new_key, false);
    *state = r;
    return 0;
}

static int
tear_down(void **state)
{
    struct roots *r = *state;

    X509_free(r->old);
    X509_free(r->new_with_new);
    X509_free(r->new_with_old);
    X509_free(r->old_with_new);
    X509_free(r->leaf);
    EVP_PKEY_free(r->old_key);
    EVP_PKEY_free(r->new_key);
    tmpdir_remove(r->dir);
    mem_free(r);
    return 0;
}

/* The files of a row, in its order; NULL: one that is not there. */
static void
write_files(const struct roots *r, X509 *const *certificates, size_t n, struct settings_list *out)
{
    *out = (struct settings_list){.n = n};
    for (size_t i = 0; i < n; i++) {
        out->items[i] = mem_printf("%s/%zu.der", r->dir, i);
        if (certificates[i] != NULL) {
            forge_certificate_write(certificates[i], out->items[i]);
        }
    }
}

static void
three_certificates_hang_together(void **state)
{
    const struct roots *r = *state;
    X509 *broken = X509_dup(r->old_with_new);
    const struct {
        const char *name;
        size_t n;
        X509 *certificates[4];
        const char *why; /* NULL: taken */
    } rows[] = {
        {"good", 3, {r->new_with_new, r->new_with_old, r->old_with_new}, NULL},
        {"none", 0, {NULL}, NULL},
        {"one", 1, {r->new_with_new}, "three files are needed, newWithNew, newWithOld, oldWithNew"},
        {"two", 2, {r->new_with_new, r->new_with_old}, "three files are needed"},
        {"four",
         4,
         {r->new_with_new, r->new_with_old, r->old_with_new, r->old},
         "three files are needed"},
        {"a leaf first",
         3,
         {r->leaf, r->new_with_old, r->old_with_new},
         "0.der is not a CA certificate"},
        {"a leaf second",
         3,
         {r->new_with_new, r->leaf, r->old_with_new},
         "1.der is not a CA certificate"},
        {"a leaf last",
         3,
         {r->new_with_new, r->new_with_old, r->leaf},
         "1.der is not signed by the key of"},
        {"the old root first",
         3,
         {r->old, r->new_with_old, r->old_with_new},
         "not about the same key"},
        {"newWithOld first",
         3,
         {r->new_with_old, r->new_with_old, r->old_with_new},
         "0.der is not signed by the key of"},
        {"newWithNew second",
         3,
         {r->new_with_new, r->new_with_new, r->old_with_new},
         "1.der is not signed by the key of"},
        {"oldWithNew second",
         3,
         {r->new_with_new, r->old_with_new, r->old_with_new},
         "are not about the same key"},
        {"the old root last",
         3,
         {r->new_with_new, r->new_with_old, r->old},
         "2.der is not signed by the key of"},
        {"a spoilt signature",
         3,
         {r->new_with_new, r->new_with_old, broken},
         "2.der is not signed by the key of"},
    };
    const ASN1_BIT_STRING *signature;
    uint8_t *last;

    X509_get0_signature(&signature, NULL, broken);
    last = (uint8_t *)(uintptr_t)ASN1_STRING_get0_data(signature);
    last[ASN1_STRING_length(signature) - 1] ^= 1;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(settings_list_clear) struct settings_list files;
        CLEANUP(root_update_free) struct root_update u;
        struct err e = {0};
        int result;

        write_files(r, rows[i].certificates, rows[i].n, &files);
        result = root_update_load(&files, &u, &e);
        if ((result == 0) != (rows[i].why == NULL) ||
            (result != 0 && (e.code != ERR_INPUT || strstr(e.text, rows[i].why) == NULL ||
                             strncmp(e.text, "root_update: ", 13) != 0)) ||
            u.there != (rows[i].why == NULL && rows[i].n > 0)) {
            fail_msg("%s: %s", rows[i].name, e.text);
        }
    }
    X509_free(broken);
}

static void
a_file_that_is_none_is_named(void **state)
{
    const struct roots *r = *state;
    X509 *const certificates[] = {r->new_with_new, r->new_with_old, r->old_with_new};
    CLEANUP(settings_list_clear) struct settings_list files;
    CLEANUP(root_update_free) struct root_update u;
    struct err e = {0};

    write_files(r, certificates, 3, &files);
    assert_ok(file_write(files.items[2], SPAN_LITERAL("hello"), 0644, &e), &e);
    assert_int_equal(root_update_load(&files, &u, &e), -1);
    assert_int_equal(strncmp(e.text, "root_update: ", 13), 0);
    assert_non_null(strstr(e.text, "2.der"));
    assert_false(u.there);
}

static void
an_update_is_for_who_has_the_old_root(void **state)
{
    const struct roots *r = *state;
    X509 *const certificates[] = {r->new_with_new, r->new_with_old, r->old_with_new};
    CLEANUP(settings_list_clear) struct settings_list files;
    CLEANUP(root_update_free) struct root_update u;
    const struct root_update none = {0};
    struct err e = {0};

    write_files(r, certificates, 3, &files);
    assert_ok(root_update_load(&files, &u, &e), &e);
    assert_true(root_update_is_for(&u, NULL)); /* who does not say which it has */
    assert_true(root_update_is_for(&u, r->old));
    assert_true(root_update_is_for(&u, r->old_with_new)); /* it is the key that counts */
    assert_false(root_update_is_for(&u, r->new_with_new));
    assert_false(root_update_is_for(&none, NULL));
    assert_false(root_update_is_for(&none, r->old));
    assert_true(u.there);
    assert_true(u.new_with_new.n > 0 && u.new_with_old.n > 0 && u.old_with_new.n > 0);
    root_update_free(&u);
    assert_false(root_update_is_for(&u, NULL)); /* when it is gone it is for nobody */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_certificates_hang_together),
        cmocka_unit_test(a_file_that_is_none_is_named),
        cmocka_unit_test(an_update_is_for_who_has_the_old_root),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
