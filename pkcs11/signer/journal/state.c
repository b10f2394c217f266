/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/signer/journal/state.h"

#include <inttypes.h>

void
journal_state_init(struct journal_state *s)
{
    *s = (struct journal_state){.again = again_new()};
}

void
journal_state_free(struct journal_state *s)
{
    again_free(s->again);
    marks_free(&s->marks);
    s->again = NULL;
}

int
journal_state_take(struct journal_state *s, const struct journal_attempt *a, uint64_t offset,
                   struct err *e)
{
    if (marks_add(&s->marks, a, offset, e) != 0) {
        return -1;
    }
    if (a->counts) {
        s->signatures = a->signatures;
        s->noted = a->signatures;
    }
    if (a->bare) {
        return 0;
    }
    switch (a->kind) {
    case 'K':
        s->checkpoint = a->checkpoint;
        s->has_checkpoint = true;
        break;
    case 'T':
        again_add_certificate(s->again, a->serial, a->hash);
        break;
    case 'L':
        again_add_crl(s->again, &a->crl);
        break;
    default:
        break;
    }
    return 0;
}

/* Of what was attempted before, and never fewer than once. */
static bool
may_be(const struct journal_state *s, uint64_t signatures)
{
    return s->noted <= signatures && signatures <= s->marks.lines;
}

int
journal_state_read(struct journal_state *s, char *line, const char *path, struct err *e)
{
    struct journal_attempt a;
    struct journal_count c;

    if (journal_count_parse(line, &c) && c.number == s->marks.lines && may_be(s, c.signatures)) {
        s->signatures = c.signatures;
        s->noted = c.signatures;
        return 0;
    }
    return journal_attempt_parse(line, &a) && a.number == s->marks.lines + 1 &&
                   (!a.counts || may_be(s, a.signatures))
               ? journal_state_take(s, &a, s->end, e)
               : err_set(e, ERR_STORE, "%s:%" PRIu64 ": not the attempt that belongs here", path,
                         s->lines);
}
