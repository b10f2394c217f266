/* SPDX-License-Identifier: Apache-2.0 */
/* nfpki-ceremony-verify - is what a line of ceremonies left behind whole and consistent? */
#include <stdio.h>
#include <string.h>

#include "base/proc.h"
#include "ceremony/bundle/bundle.h"

enum { BUNDLES_MAX = 64, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_NOT_PRODUCTION = 3 };

/* The bundle that `b` says it follows, among the first n. */
static const struct bundle *
find_previous(const struct bundle *b, struct bundle *const *bundles, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (memcmp(bundles[i]->head, b->prev_head, SHA256_SIZE) == 0) {
            return bundles[i];
        }
    }
    return NULL;
}

/* Two ceremonies behind one: somebody left something out. */
static int
check_fork(const struct bundle *b, struct bundle *const *bundles, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        if (memcmp(bundles[i]->head, b->head, SHA256_SIZE) == 0) {
            return err_set(e, ERR_CONFLICT, "%s and %s are the same bundle", bundles[i]->directory,
                           b->directory);
        }
        if (b->has_prev && bundles[i]->has_prev &&
            memcmp(bundles[i]->prev_head, b->prev_head, SHA256_SIZE) == 0) {
            return err_set(e, ERR_CONFLICT, "%s and %s both follow the same ceremony: a fork",
                           bundles[i]->directory, b->directory);
        }
    }
    return 0;
}

static int
check_line(const struct bundle *b, struct bundle *const *bundles, size_t n, struct err *e)
{
    CLEANUP(mem_cleanup) char *head = hex_dup(span_of(b->prev_head, SHA256_SIZE));
    const struct bundle *prev;

    if (check_fork(b, bundles, n, e) != 0) {
        return -1;
    }
    if (!b->has_prev) {
        return 0;
    }
    prev = find_previous(b, bundles, n);
    if (prev != NULL) {
        return bundle_check_follows(b, prev, e);
    }
    if (n > 0) {
        return err_set(e, ERR_NOTFOUND,
                       "%s follows %s, which is not among the bundles before it: give them all, "
                       "the oldest first",
                       b->directory, head);
    }
    (void)printf("%s: follows %s, which was not given: its register is taken as it says\n",
                 b->directory, head);
    return 0;
}

static void
print_bundle(const struct bundle *b)
{
    CLEANUP(mem_cleanup) char *head = hex_dup(span_of(b->head, SHA256_SIZE));

    (void)printf("%s: verified: %s, %s, %zu records, head %s\n", b->directory, b->definition->id,
                 ceremony_type_name(b->definition->type), transcript_count(b->transcript), head);
    if (b->rehearsal) {
        (void)printf("%s: NOT PRODUCTION: a rehearsal\n", b->directory);
    }
    if (b->software) {
        (void)printf("%s: NOT PRODUCTION: a software token\n", b->directory);
    }
}

static int
verify(char **directories, size_t n, struct bundle **bundles, bool *production, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        bundles[i] = bundle_load(directories[i], e);
        if (bundles[i] == NULL || check_line(bundles[i], bundles, i, e) != 0) {
            return -1;
        }
        print_bundle(bundles[i]);
        *production = *production && !bundles[i]->rehearsal && !bundles[i]->software;
    }
    return 0;
}

int
main(int argc, char **argv)
{
    struct bundle *bundles[BUNDLES_MAX] = {NULL};
    bool production = true;
    struct err e = {0};
    int result;

    if (argc < 2 || argc - 1 > BUNDLES_MAX || argv[1][0] == '-') {
        (void)fprintf(stderr,
                      "usage: nfpki-ceremony-verify BUNDLE ...\n\nVerifies up to %d bundles of "
                      "nfpki-ceremony, the oldest first.\n",
                      BUNDLES_MAX);
        return EXIT_USAGE;
    }
    if (proc_harden(&e) != 0 || ossl_init(&e) != 0) {
        (void)fprintf(stderr, "nfpki-ceremony-verify: %s\n", e.text);
        return EXIT_FAILED;
    }
    result = verify(argv + 1, (size_t)(argc - 1), bundles, &production, &e);
    for (size_t i = 0; i < BUNDLES_MAX; i++) {
        bundle_free(bundles[i]);
    }
    OPENSSL_cleanup();
    if (result != 0) {
        (void)fprintf(stderr, "nfpki-ceremony-verify: FAILED: %s\n", e.text);
        return EXIT_FAILED;
    }
    (void)printf("This shows that the record is whole and that everything signed follows from it; "
                 "not that the\nmachine told the truth: that rests on the people who were "
                 "present.\n");
    return production ? 0 : EXIT_NOT_PRODUCTION;
}
