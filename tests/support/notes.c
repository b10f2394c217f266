/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/notes.h"

#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"

struct notes
notes_new(const char *origin)
{
    struct notes n = {.key = pki_key("P-256")};
    CLEANUP(buf_free) struct buf spki = pki_spki(n.key);
    struct err e = {0};

    assert_ok(log_key_set(&n.log, origin, buf_span(&spki), &e), &e);
    n.vkey = log_key_format(&n.log);
    return n;
}

void
notes_free(struct notes *n)
{
    EVP_PKEY_free(n->key);
    log_key_free(&n->log);
    mem_free(n->vkey);
    memset(n, 0, sizeof(*n));
}

struct buf
notes_sign(const struct notes *n, uint64_t size, uint8_t root)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(buf_free) struct buf signature = {0};
    struct buf note = BUF_INIT(CHECKPOINT_MAX);
    struct checkpoint c = {.size = size};
    struct err e = {0};

    (void)snprintf(c.origin, sizeof(c.origin), "%s", n->log.origin);
    memset(c.root.octets, root, sizeof(c.root.octets));
    assert_ok(checkpoint_text(&c, &text, &e), &e);
    signature = pki_sign(n->key, buf_span(&text));
    assert_ok(checkpoint_seal(&n->log, buf_span(&text), buf_span(&signature), &note, &e), &e);
    return note;
}
