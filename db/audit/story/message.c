/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/story/message.h"

#include "db/audit/message/outline.h"

static const char *
body_of(enum leaf_kind kind, struct span octets)
{
    struct message_outline m;
    const char *name = NULL;

    if (kind == LEAF_INTENT) {
        return "PKCS #10";
    }
    if (message_outline_read(octets, &m, &(struct err){0}) == 0) {
        name = message_body_name(m.body);
    }
    return name == NULL ? "unknown" : name;
}

bool
story_message(struct mirror *mirror, const struct story_leaf *leaf, struct story_message *out)
{
    CLEANUP(buf_free) struct buf octets = BUF_INIT(MESSAGE_MAX);
    struct message named;

    if (!message_named(leaf_body(leaf->leaf), &named)) {
        return false;
    }
    *out = (struct story_message){.body = ""};
    hex_format(span_of(named.sha256, sizeof(named.sha256)), out->sha256);
    if (mirror_message(mirror, leaf->index, &octets, &out->why) == 0) {
        out->octets = octets.n;
        out->body = body_of(named.kind, buf_span(&octets));
    }
    return true;
}

char *
story_message_text(const struct story_message *m)
{
    return m->octets > 0 ? mem_printf("%s of %zu octets, as the leaf names it", m->body, m->octets)
                         : mem_printf("not there: %s", m->why.text);
}
