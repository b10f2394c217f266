/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/tmpdir.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

char *
tmpdir_new(void)
{
    const char *base = getenv("TMPDIR");
    char *path = mem_printf("%s/nfpki-test-XXXXXX", base == NULL ? "/tmp" : base);

    if (mkdtemp(path) == NULL) {
        perror(path);
        abort();
    }
    return path;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void
tmpdir_remove(char *path)
{
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    mem_free(path);
}
