/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/signer/journal/look_back.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* Of one line, without its line break; false when it is no checkpoint's. */
static bool
checkpoint_of(const char *line, size_t n, struct tree_head *out)
{
    char text[JOURNAL_LINE_SIZE];
    struct journal_attempt a;

    if (n >= sizeof(text)) {
        return false;
    }
    memcpy(text, line, n);
    text[n] = '\0';
    if (!journal_line_unseal(text) || !journal_attempt_parse(text, &a) || a.kind != 'K') {
        return false;
    }
    *out = a.checkpoint;
    return true;
}

/* The lines were read at the open; sizes only grow. */
static bool
has(const char *text, size_t n, const struct tree_head *wanted)
{
    while (n > 0) {
        const char *before = memrchr(text, '\n', n - 1);
        size_t at = before == NULL ? 0 : (size_t)(before - text) + 1;
        struct tree_head head;

        if (checkpoint_of(text + at, n - 1 - at, &head)) {
            if (head.size < wanted->size) {
                return false;
            }
            if (head.size == wanted->size &&
                memcmp(head.root, wanted->root, sizeof(head.root)) == 0) {
                return true;
            }
        }
        n = at;
    }
    return false;
}

int
look_back(struct marks_file file, const struct tree_head *wanted, bool *found, struct err *e)
{
    struct stat st;
    void *text;

    if (fstat(file.fd, &st) != 0) {
        return err_errno(e, ERR_IO, errno, "stat %s", file.path);
    }
    text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, file.fd, 0);
    if (text == MAP_FAILED) {
        return err_errno(e, ERR_IO, errno, "map %s", file.path);
    }
    *found = has(text, (size_t)st.st_size, wanted);
    (void)munmap(text, (size_t)st.st_size);
    return 0;
}
