/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/check/messages.h"

#include <inttypes.h>

enum { PUBLISHED = 7 /* version of the record from which on messages are */, WIDTH = 256 };

struct lint_messages {
    struct findings *findings;
    lint_messages_load *load;
    void *arg;
    int64_t version;
    struct buf octets; /* of the file of the leaf that came last, */
    struct span file;  /* from here on */
    struct err ends;   /* why it has no more that can be told apart; ERR_NONE: it has */
    bool end_is_told;  /* as a finding */
    struct message_count all;
    size_t missing; /* that should be there, of leaves that are judged; */
    uint64_t first; /* leaf that names the first */
};

static const struct finding_kind OTHER = {"check.message.other", SEVERITY_ERROR, "db/LEDGER.md"};
static const struct finding_kind ABSENT = {"check.message.missing", SEVERITY_WARNING,
                                           "db/LEDGER.md"};

void
lint_messages_free(struct lint_messages *l)
{
    if (l != NULL) {
        buf_free(&l->octets);
        mem_free(l);
    }
}

struct lint_messages *
lint_messages_new(struct findings *findings, lint_messages_load *load, void *arg)
{
    struct lint_messages *l = mem_new(sizeof(*l));

    l->findings = findings;
    l->load = load;
    l->arg = arg;
    l->version = 1;
    l->octets = BUF_INIT(MESSAGES_FILE_MAX);
    return l;
}

static void
next_file(struct lint_messages *l, uint64_t index)
{
    struct err e = {0};

    buf_truncate(&l->octets, 0);
    l->ends.code = ERR_NONE;
    l->end_is_told = false;
    if (l->load(l->arg, index / WIDTH, &l->octets, &e) != 0) {
        buf_truncate(&l->octets, 0);
        if (e.code != ERR_NOTFOUND) {
            l->ends = e;
        }
    }
    l->file = buf_span(&l->octets);
}

/* Is it there, or missing? Else that is said: of another one where its leaf is; once, at the first
 * leaf that is judged, when from somewhere on nothing can be told of the file. */
static bool
take(struct lint_messages *l, uint64_t index, struct message *named)
{
    const uint8_t *at = l->file.p;
    struct err e = {0};

    if (l->ends.code == ERR_NONE) {
        if (l->octets.n == 0 || message_take(&l->file, named, &e) == 0) {
            return true;
        }
        if (l->file.p != at) {
            findings_add(l->findings, &OTHER, index, NULL, "%s", e.text);
            return false;
        }
        l->ends = e;
    }
    if (!l->end_is_told && findings_wants(l->findings, index)) {
        findings_add(l->findings, &OTHER, index, NULL, "%s", l->ends.text);
        l->end_is_told = true;
    }
    return false;
}

static void
judge(struct lint_messages *l, uint64_t index, struct message *named)
{
    l->all.named++;
    named->leaf = (unsigned)(index % WIDTH);
    if (!take(l, index, named)) {
        l->all.wrong++;
        return;
    }
    l->all.missing += named->octets.n == 0 ? 1 : 0;
    if (named->octets.n == 0 && l->version >= PUBLISHED && findings_wants(l->findings, index)) {
        l->first = l->missing == 0 ? index : l->first;
        l->missing++;
    }
}

void
lint_messages_leaf(struct lint_messages *l, uint64_t index, const struct leaf *leaf)
{
    const enum leaf_kind kind = leaf_kind(leaf);
    struct message named;

    if (index % WIDTH == 0) {
        next_file(l, index);
    }
    if (kind == LEAF_START || kind == LEAF_RESTORED || kind == LEAF_ACKNOWLEDGED) {
        l->version = leaf_int(leaf, "record", 1);
    }
    if (message_named(leaf_body(leaf), &named)) {
        judge(l, index, &named);
    }
}

void
lint_messages_end(struct lint_messages *l)
{
    if (l->missing > 0) {
        findings_add(
            l->findings, &ABSENT, l->first, NULL,
            "%zu messages that leaves name from here on are not published (the CA does not "
            "have them, or they have a secret), or were not fetched",
            l->missing);
    }
}

struct message_count
lint_messages_count(const struct lint_messages *l)
{
    return l->all;
}
