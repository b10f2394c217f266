/* SPDX-License-Identifier: Apache-2.0 */
/* nfpki-ceremony-verify: lines of bundles, and what it says of each. */
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ossl.h"
#include "tests/support/softhsm.h"
#include "tests/unit/ceremony/bundle/forge.h"
#include "tests/unit/ceremony/scene.h"

enum { ARGUMENTS_MAX = 66, NAMES_MAX = 5 };

#define NOT_PRODUCTION 3

static struct scene *scene;

/* A bundle as "sub", with two changes. */
static void
forge(const char *name, const char *at, const char *value, const char *also, const char *also_value)
{
    CLEANUP(mem_cleanup) char *from = mem_printf("%s/sub", scene->dir);
    CLEANUP(mem_cleanup) char *to = mem_printf("%s/%s", scene->dir, name);
    CLEANUP(forge_cleanup) struct forge *f = forge_load(from, to);

    forge_edit(f, at, value);
    forge_edit(f, also, also_value);
    forge_write(f);
}

static int
hold(void **state)
{
    static const struct change hardware[SCENE_CHANGES_MAX] = {
        {SOFTHSM_MODULE, TEST_BINARY_DIR "/faultp11.so"}};

    (void)state;
    scene = scene_new();
    (void)setenv("FAULTP11", "vendor", 1);
    scene_run(scene, scene_root(scene, "root", hardware));
    scene_run(scene, scene_keys(scene, "keys", hardware));
    scene_run(scene, scene_sub(scene, "sub", "root", "keys", hardware));
    scene_run(scene, scene_crl(scene, "fork", "root", hardware));
    scene_run(scene, scene_crl(scene, "crl", "sub", hardware));
    (void)unsetenv("FAULTP11");
    scene_rehearse(scene, scene_root(scene, "rehearsed", NULL));
    scene_run(scene, scene_root(scene, "software", NULL));
    forge("other", "previous#0/state/crl_number", "5", "state#0/state/crl_number", "5");
    forge("near", "header/prev", "+", "previous#0/head", "+");
    return 0;
}

static int
drop(void **state)
{
    (void)state;
    scene_free(scene);
    return 0;
}

static int
verify(const char *const *names, size_t n, struct buf *out)
{
    char *argv[ARGUMENTS_MAX + 1] = {mem_strdup(TEST_BINARY_DIR "/nfpki-ceremony-verify")};
    struct err e = {0};
    int status;

    for (size_t i = 0; i < n; i++) {
        argv[i + 1] =
            names[i][0] == '-' ? mem_strdup(names[i]) : mem_printf("%s/%s", scene->dir, names[i]);
    }
    buf_truncate(out, 0);
    status = typist_run_alone(argv, out);
    assert_ok(buf_append(out, span_of("", 1), &e), &e);
    for (size_t i = 0; i <= n; i++) {
        mem_free(argv[i]);
    }
    return status;
}

static void
a_line_is_verified_from_its_oldest_bundle_on(void **state)
{
    static const struct {
        const char *names[NAMES_MAX];
        int status;
        const char *says;
    } rows[] = {
        {{"root"}, 0, "/root: verified: root, root-generate, "},
        {{"root", "sub", "crl"}, 0, "/crl: verified: crl, root-crl, "},
        {{"root", "keys", "sub", "crl"}, 0, "This shows that the record is whole"},
        {{"root", "fork"}, 0, "/fork: verified: "},
        {{"sub"}, 0, "which was not given: its register is taken as it says"},
        {{"rehearsed"}, NOT_PRODUCTION, "/rehearsed: NOT PRODUCTION: a rehearsal"},
        {{"software"}, NOT_PRODUCTION, "/software: NOT PRODUCTION: a software token"},
        {{"software", "root"}, NOT_PRODUCTION, "/root: verified"},
        {{"root", "software"}, NOT_PRODUCTION, "/root: verified"},
        {{"none-such"}, 1, "FAILED: open "},
        {
            {"root", "root"},
            1,
            "FAILED: ",
        },
        {{"root", "keys", "root"}, 1, "/root are the same bundle"},
        {{"root", "sub", "fork"}, 1, "both follow the same ceremony: a fork"},
        {{"root", "keys", "sub", "fork"}, 1, "/fork both follow the same ceremony: a fork"},
        {{"root", "crl"}, 1, "which is not among the bundles before it: give them all, the oldest"},
        {{"keys", "crl"}, 1, "which is not among the bundles before it"},
        {{"sub", "root"}, 0, "/root: verified"},
        /* another head by its last bit */
        {{"near"}, 0, "which was not given: its register is taken as it says"},
        {{"root", "near"}, 1, "which is not among the bundles before it"},
        {{"root", "sub", "near"}, 1, "which is not among the bundles before it"},
        {{"root", "other"}, 1, "/other: the register is not the one that "},
    };
    CLEANUP(buf_free) struct buf out = BUF_INIT(TYPIST_OUTPUT_MAX);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t n = 0;
        int status;

        while (n < NAMES_MAX && rows[i].names[n] != NULL) {
            n++;
        }
        status = verify(rows[i].names, n, &out);
        if (status != rows[i].status || strstr((const char *)out.p, rows[i].says) == NULL) {
            fail_msg("row %zu: not %d, '%s' but %d, %s", i, rows[i].status, rows[i].says, status,
                     (const char *)out.p);
        }
    }
}

static void
a_failure_is_no_line_of_what_verified(void **state)
{
    static const char *const names[] = {"root", "rehearsed", "none-such"};
    CLEANUP(buf_free) struct buf out = BUF_INIT(TYPIST_OUTPUT_MAX);

    (void)state;
    assert_int_equal(verify(names, ARRAY_LEN(names), &out), 1);
    assert_null(strstr((const char *)out.p, "This shows that the record is whole"));
    assert_null(strstr((const char *)out.p, "/none-such: verified"));
}

static void
it_takes_1_to_64_bundles_and_no_options(void **state)
{
    const char *names[ARGUMENTS_MAX] = {NULL};
    static const char *const option[] = {"--help"};
    CLEANUP(buf_free) struct buf out = BUF_INIT(TYPIST_OUTPUT_MAX);

    (void)state;
    for (size_t i = 0; i < ARGUMENTS_MAX; i++) {
        names[i] = "none-such";
    }
    assert_int_equal(verify(names, 0, &out), 2);
    assert_non_null(strstr((const char *)out.p, "usage: nfpki-ceremony-verify BUNDLE ..."));
    assert_int_equal(verify(option, 1, &out), 2);
    assert_int_equal(verify(names, 64, &out), 1);
    assert_int_equal(verify(names, 65, &out), 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_verified_from_its_oldest_bundle_on),
        cmocka_unit_test(a_failure_is_no_line_of_what_verified),
        cmocka_unit_test(it_takes_1_to_64_bundles_and_no_options),
    };
    struct err e = {0};
    int result = ossl_init(&e) != 0 ? 1 : cmocka_run_group_tests(tests, hold, drop);

    OPENSSL_cleanup();
    return result;
}
