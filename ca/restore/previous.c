/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/restore/previous.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/ossl.h"

enum { DECIMAL = 10 };

void
previous_free(struct previous *p)
{
    log_key_free(&p->key);
    buf_free(&p->note);
}

static int
read_key(const char *dir, struct log_key *out, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/log.vkey", dir);
    CLEANUP(buf_free) struct buf text = BUF_INIT(CHECKPOINT_MAX);

    return file_read(path, &text, e) != 0                ? -1
           : log_key_parse(out, buf_span(&text), e) != 0 ? err_wrap(e, "%s", path)
                                                         : 0;
}

static int
read_checkpoint(const char *dir, struct previous *p, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/checkpoint", dir);
    CLEANUP(buf_free) struct buf note = BUF_INIT(NOTE_MAX); /* witnesses may have signed, too */

    p->note = BUF_INIT(CHECKPOINT_MAX);
    if (file_read(path, &note, e) != 0) {
        return -1;
    }
    return checkpoint_open(&p->key, buf_span(&note), &p->published, e) != 0 ||
                   checkpoint_strip(&p->key, buf_span(&note), &p->note, e) != 0
               ? err_wrap(e, "%s", path)
               : 0;
}

static int
parse_head(const char *text, struct previous *p, struct err *e)
{
    CLEANUP(buf_free) struct buf root = BUF_INIT((size_t)2 * MERKLE_HASH);
    char *end = NULL;

    errno = 0;
    p->signed_size = text[0] >= '0' && text[0] <= '9' ? strtoull(text, &end, DECIMAL) : 0;
    if (errno != 0 || p->signed_size == 0 || *end != ':' || base64_parse(end + 1, &root, e) != 0 ||
        root.n != MERKLE_HASH) {
        return err_set(e, ERR_INPUT,
                       "--signed %s: what a start says of the log signer's journal is wanted, "
                       "SIZE:ROOT",
                       text);
    }
    memcpy(p->signed_root.octets, root.p, MERKLE_HASH);
    return 0;
}

/* What was published was signed. */
static int
check_heads(const struct previous *p, const struct log_key *key, struct err *e)
{
    if (strcmp(p->key.origin, key->origin) == 0 ||
        span_equal(span_of(p->key.spki, p->key.spki_n), span_of(key->spki, key->spki_n))) {
        return err_set(e, ERR_CONFLICT,
                       "the new log has the old one's key or origin: make a key by the ceremony "
                       "key-generate, and give it another log_origin");
    }
    if (p->signed_size < p->published.size) {
        return err_set(e, ERR_INPUT,
                       "--signed: %" PRIu64 " leaves, and %" PRIu64 " are published: take the "
                       "last line of the old log signer's journal",
                       p->signed_size, p->published.size);
    }
    return p->signed_size > p->published.size || merkle_equal(&p->signed_root, &p->published.root)
               ? 0
               : err_set(e, ERR_INPUT, "--signed: another root than the published checkpoint");
}

int
previous_read(const char *dir, const char *signed_head, const struct log_key *key,
              struct previous *out, struct err *e)
{
    return read_key(dir, &out->key, e) != 0 || read_checkpoint(dir, out, e) != 0 ||
                   parse_head(signed_head, out, e) != 0
               ? -1
               : check_heads(out, key, e);
}
