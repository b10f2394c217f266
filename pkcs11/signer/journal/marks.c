/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/signer/journal/marks.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "pkcs11/client/attempted.h"

enum { READ_SIZE = 16 * 1024 };

_Static_assert((int)AGAIN_HASH == (int)ATTEMPTED_HASH, "one hash");

void
marks_free(struct marks *m)
{
    mem_free(m->list);
    *m = (struct marks){0};
}

int
marks_add(struct marks *m, const struct journal_attempt *a, uint64_t offset, struct err *e)
{
    if (m->lines % MARKS_EACH == 0) {
        m->list = mem_grow(m->list, &m->capacity, m->n + 1, sizeof(m->list[0]));
        m->list[m->n].offset = offset;
        memcpy(m->list[m->n].chain, m->chain, sizeof(m->chain));
        m->n++;
    }
    m->lines++;
    return attempted_chain(m->chain, a->number, a->kind, a->hash, e);
}

/* ---- the file, from a mark on ---- */

struct reader {
    struct marks_file file;
    off_t at; /* of what is read next */
    char octets[READ_SIZE];
    size_t i, n;
};

static int
fill(struct reader *r, struct err *e)
{
    const ssize_t n = pread(r->file.fd, r->octets, sizeof(r->octets), r->at);

    if (n < 0) {
        return err_errno(e, ERR_IO, errno, "read %s", r->file.path);
    }
    r->at += n;
    r->i = 0;
    r->n = (size_t)n;
    return 0;
}

/* Without its line break. */
static int
next_line(struct reader *r, char line[JOURNAL_LINE_SIZE], struct err *e)
{
    for (size_t length = 0; length < JOURNAL_LINE_SIZE; length++) {
        if (r->i == r->n && fill(r, e) != 0) {
            return -1;
        }
        if (r->i == r->n) {
            break;
        }
        line[length] = r->octets[r->i++];
        if (line[length] == '\n') {
            line[length] = '\0';
            return 0;
        }
    }
    return err_set(e, ERR_STORE, "%s: a line of it is gone; the record was changed", r->file.path);
}

static int
next_attempt(struct reader *r, uint64_t number, struct journal_attempt *a, struct err *e)
{
    char line[JOURNAL_LINE_SIZE];
    struct journal_count count;
    bool whole;

    do {
        if (next_line(r, line, e) != 0) {
            return -1;
        }
        whole = journal_line_unseal(line);
    } while (whole && journal_count_parse(line, &count));
    return whole && journal_attempt_parse(line, a) && a->number == number
               ? 0
               : err_set(e, ERR_STORE,
                         "%s: attempt %" PRIu64 " is not where it was; the record was changed",
                         r->file.path, number);
}

/* Before line *number, the nearest mark's at or before `first`. */
static struct reader
at_mark(const struct marks *m, struct marks_file file, uint64_t first, uint64_t *number,
        uint8_t chain[AGAIN_HASH])
{
    const size_t mark = (size_t)((first - 1) / MARKS_EACH);

    *number = (uint64_t)mark * MARKS_EACH + 1;
    memcpy(chain, m->list[mark].chain, AGAIN_HASH);
    return (struct reader){.file = file, .at = (off_t)m->list[mark].offset};
}

int
marks_check(const struct marks *m, struct marks_file file, size_t mark, struct err *e)
{
    const bool is_last = mark + 1 == m->n;
    const uint64_t end = is_last ? m->lines : (uint64_t)(mark + 1) * MARKS_EACH;
    const uint8_t *wanted = is_last ? m->chain : m->list[mark + 1].chain;
    uint8_t chain[AGAIN_HASH];
    struct journal_attempt a;
    uint64_t number;
    struct reader r = at_mark(m, file, (uint64_t)mark * MARKS_EACH + 1, &number, chain);

    for (; number <= end; number++) {
        if (next_attempt(&r, number, &a, e) != 0 ||
            attempted_chain(chain, a.number, a.kind, a.hash, e) != 0) {
            return -1;
        }
    }
    return memcmp(chain, wanted, sizeof(chain)) == 0
               ? 0
               : err_set(e, ERR_STORE,
                         "%s: attempts up to %" PRIu64 " are not those that were made; the record "
                         "was changed",
                         file.path, end);
}

int
marks_chain(const struct marks *m, struct marks_file file, uint64_t first,
            uint8_t chain[AGAIN_HASH], struct err *e)
{
    struct journal_attempt a;
    struct reader r;
    uint64_t number;

    if (first > m->lines) {
        memcpy(chain, m->chain, AGAIN_HASH);
        return 0;
    }
    for (r = at_mark(m, file, first, &number, chain); number < first; number++) {
        if (next_attempt(&r, number, &a, e) != 0 ||
            attempted_chain(chain, a.number, a.kind, a.hash, e) != 0) {
            return -1;
        }
    }
    return 0;
}

int
marks_each(const struct marks *m, struct marks_file file, uint64_t first,
           bool (*visit)(void *arg, const struct journal_attempt *), void *arg, struct err *e)
{
    uint8_t ignored[AGAIN_HASH];
    struct journal_attempt a;
    struct reader r;
    uint64_t number;

    if (first > m->lines) {
        return 0;
    }
    for (r = at_mark(m, file, first, &number, ignored); number <= m->lines; number++) {
        if (next_attempt(&r, number, &a, e) != 0) {
            return -1;
        }
        if (number >= first && !visit(arg, &a)) {
            return 0;
        }
    }
    return 0;
}
