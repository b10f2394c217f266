/* SPDX-License-Identifier: Apache-2.0 */
#include "db/ledger/source.h"

#include "db/ledger/messages.h"
#include "db/ledger/rows.h"

static int
hashes(void *arg, unsigned level, uint64_t begin, uint64_t count, struct buf *out, struct err *e)
{
    const struct ledger_source *s = arg;

    return ledger_append_hashes(s->db, level, begin, count, out, e);
}

static int
leaves(void *arg, uint64_t begin, uint64_t count, struct buf *out, struct err *e)
{
    const struct ledger_source *s = arg;

    return ledger_append_leaves(s->db, begin, count, out, e);
}

/* The next one as it was published. What is not in a file, or not as its leaf says, is none; those
 * behind another one are there all the same. */
static int
next_published(struct messages *before, struct message *out, bool *more, struct err *e)
{
    return messages_next(before, out, more, e) == 0 || *more ? 0 : -1;
}

static int
messages(void *arg, struct span leaves_of, struct span before, struct buf *out, struct err *e)
{
    const struct ledger_source *s = arg;
    CLEANUP(buf_free) struct buf found = BUF_INIT(MESSAGE_MAX);
    struct messages m = {.entries = leaves_of, .file = before};
    struct message named;
    bool more;

    while (next_published(&m, &named, &more, e) == 0) {
        if (!more) {
            return 0;
        }
        if (named.octets.n == 0) {
            buf_truncate(&found, 0);
            if (s->message(s->db, &named, &found, e) != 0) {
                return -1;
            }
            named.octets = buf_span(&found);
        }
        if (messages_put(out, named.octets, e) != 0) {
            return -1;
        }
    }
    return -1;
}

struct tile_source
ledger_tile_source(struct ledger_source *s)
{
    return (struct tile_source){.hashes = hashes,
                                .leaves = leaves,
                                .messages = s->message == NULL ? NULL : messages,
                                .arg = s};
}
