/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay.c - feeds every file of the given directories (recursive) and files to a fuzz target,
 * once: a corpus as a regression test, with any compiler. Fails when there was nothing to feed.
 */
#include <fts.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The octets end where their memory ends, so that a sanitizer sees one read too many. */
static int
feed(const char *path, size_t size)
{
    FILE *f = fopen(path, "rbe");
    uint8_t *data = mem_zalloc(size == 0 ? 1 : size, 1);
    size_t n;

    if (f == NULL) {
        perror(path);
        mem_free(data);
        return -1;
    }
    n = fread(data, 1, size, f);
    (void)fclose(f);
    if (n != size) {
        (void)fprintf(stderr, "%s: read %zu of %zu octets\n", path, n, size);
        mem_free(data);
        return -1;
    }
    (void)printf("%s\n", path);
    (void)fflush(stdout);
    (void)LLVMFuzzerTestOneInput(data, size);
    mem_free(data);
    return 0;
}

int
main(int argc, char **argv)
{
    size_t fed = 0;
    FTS *tree;
    FTSENT *entry;

    if (argc < 2) {
        (void)fprintf(stderr, "usage: %s corpus...\n", argv[0]);
        return 2;
    }
    tree = fts_open(argv + 1, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (tree == NULL) {
        perror("fts_open");
        return 1;
    }
    while ((entry = fts_read(tree)) != NULL) {
        const char *suffix = strrchr(entry->fts_name, '.');

        if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS) {
            (void)fprintf(stderr, "%s: %s\n", entry->fts_path, strerror(entry->fts_errno));
            (void)fts_close(tree);
            return 1;
        }
        /* SOURCE.md says where the files are from; it is none of them. */
        if (entry->fts_info != FTS_F || (suffix != NULL && strcmp(suffix, ".md") == 0)) {
            continue;
        }
        if (feed(entry->fts_accpath, (size_t)entry->fts_statp->st_size) != 0) {
            (void)fts_close(tree);
            return 1;
        }
        fed++;
    }
    (void)fts_close(tree);
    (void)fprintf(stderr, "%zu inputs\n", fed);
    return fed == 0 ? 1 : 0;
}
