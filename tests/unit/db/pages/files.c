/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/db/pages/files.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/support/test.h"

enum { SIZE_LIMIT = 64 * 1024 * 1024 };

static const char *const behind[FILE_KINDS] = {"", "-wal", "-seal"};

void
files_free(struct files *files)
{
    for (size_t i = 0; i < FILE_KINDS; i++) {
        buf_free(&files->of[i]);
    }
}

struct files
files_read(const char *path)
{
    struct files files;
    struct err e = {0};

    for (size_t i = 0; i < FILE_KINDS; i++) {
        CLEANUP(mem_cleanup) char *name = mem_printf("%s%s", path, behind[i]);

        files.of[i] = BUF_INIT(SIZE_LIMIT);
        if (file_read(name, &files.of[i], &e) != 0) {
            assert_int_equal(e.code, ERR_NOTFOUND);
        }
    }
    return files;
}

void
files_write(const struct files *files, const char *path)
{
    CLEANUP(mem_cleanup) char *journal = mem_printf("%s-journal", path);
    struct err e = {0};

    (void)unlink(journal);
    for (size_t i = 0; i < FILE_KINDS; i++) {
        CLEANUP(mem_cleanup) char *name = mem_printf("%s%s", path, behind[i]);

        (void)unlink(name);
        if (files->of[i].n > 0) {
            assert_ok(file_write(name, buf_span(&files->of[i]), 0600, &e), &e);
        }
    }
}

void
files_flip(struct files *files, int kind, size_t at)
{
    assert_true(at < files->of[kind].n);
    files->of[kind].p[at] ^= 0x40;
}

void
files_put_back(struct files *files, int kind, size_t at, size_t n, const struct files *other)
{
    for (size_t i = at; i < at + n && i < files->of[kind].n && i < other->of[kind].n; i++) {
        files->of[kind].p[i] = other->of[kind].p[i];
    }
}

bool
files_frame(const struct files *files, size_t i, size_t *at, size_t *n)
{
    enum { BEGIN = 96, AT_LENGTH = 28, FIXED = 32 + 16 };
    const struct buf *wal = &files->of[FILE_WAL];

    *at = BEGIN;
    for (;; i--) {
        if (*at + FIXED > wal->n) {
            return false;
        }
        *n = FIXED;
        for (size_t k = 0, factor = (size_t)1 << 24; k < 4; k++, factor >>= 8) {
            *n += wal->p[*at + AT_LENGTH + k] * factor;
        }
        if (i == 0) {
            return *at + *n <= wal->n;
        }
        *at += *n;
    }
}
