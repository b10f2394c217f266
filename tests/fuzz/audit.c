/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nfpki-audit reads that anybody may have written: a signed note, a proof around one, a
 * certificate's outline, a leaf, the message that somebody asked with, a file of those. What is
 * read is within what came, and written again it is the same.
 */
#include <assert.h>
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/ossl.h"
#include "db/audit/der/outline.h"
#include "db/audit/der/queue_entry.h"
#include "db/audit/message/outline.h"
#include "db/audit/proof.h"
#include "db/ledger/messages.h"
#include "db/ledger/plain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of a log that signed nothing here: P-256's generator. */
static const char vkey[] =
    "log.test/one+5cd252fb+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGsX0fLhLEJH+Lzm5WOkQP"
    "J3A32BLeszoPShOUXYmMKWT+NC4v4af5uO5+tKfA+eFivOM1drMV7Oy7ZAaDe/UfU=";

static bool
is_within(struct span part, struct span all)
{
    return part.n == 0 || (part.p >= all.p && part.p + part.n <= all.p + all.n);
}

static void
read_note(struct span octets)
{
    CLEANUP(buf_free) struct buf line = BUF_INIT(NOTE_MAX);
    struct note note;
    struct err e = {0};

    if (note_parse(octets, &note, &e) != 0) {
        assert(e.code == ERR_INPUT);
        return;
    }
    assert(note.n > 0 && note.n <= NOTE_SIGNATURES_MAX && is_within(note.text, octets));
    for (size_t i = 0; i < note.n; i++) {
        assert(is_within(note.lines[i].name, octets) && is_within(note.lines[i].encoded, octets));
        buf_truncate(&line, 0);
        if (note_line_decode(&note.lines[i], &line, &e) == 0) {
            CLEANUP(mem_cleanup) char *again = base64_dup(buf_span(&line));

            assert(line.n > NOTE_KEY_ID && span_equal(span_str(again), note.lines[i].encoded));
        }
    }
}

static void
read_proof(struct span octets)
{
    CLEANUP(log_key_free) struct log_key key = {0};
    CLEANUP(proof_free) struct proof proof = {0};
    struct err e = {0};

    if (log_key_parse(&key, span_str(vkey), &e) != 0) {
        abort();
    }
    assert(proof_open(&key, octets, &proof, &e) != 0); /* it signed none */
}

static void
read_der(struct span octets)
{
    struct audit_outline outline;
    struct audit_entry entry;
    struct err e = {0};

    if (audit_outline_read(octets, &outline, &e) == 0) {
        assert(is_within(outline.tbs, octets) && is_within(outline.serial, outline.tbs) &&
               is_within(outline.issuer, outline.tbs) && is_within(outline.subject, outline.tbs) &&
               is_within(outline.spki, outline.tbs) && outline.serial.n > 0);
    }
    (void)audit_entry_read(octets, &entry, &e);
}

/* What is plain is what the library writes (plain.h). */
static void
read_plain(struct span octets)
{
    struct plain *plain = plain_read(octets);
    json_t *object =
        plain == NULL ? NULL
                      : json_loadb((const char *)octets.p, octets.n, JSON_REJECT_DUPLICATES, NULL);
    char *again = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);

    assert(plain == NULL || (again != NULL && span_equal(span_str(again), octets) &&
                             plain_count(plain) == json_object_size(object)));
    free(again);
    json_decref(object);
    plain_free(plain);
}

static void
read_message(struct span octets)
{
    struct message_outline m;
    struct message_request request;
    struct message_confirmation confirmation;
    struct span serial = {0};
    struct err e = {0};

    if (message_outline_read(octets, &m, &e) != 0) {
        assert(e.code == ERR_CRYPTO);
        return;
    }
    assert(is_within(m.header, octets) && is_within(m.tagged_body, octets) &&
           is_within(m.content, m.tagged_body) && is_within(m.algorithm, m.header) &&
           is_within(m.transaction_id, m.header) && is_within(m.sender_nonce, m.header) &&
           is_within(m.protection, octets) && is_within(m.certificates, octets));
    if (message_request_read(m.content, &request, &e) == 0) {
        assert(is_within(request.request, m.content) && is_within(request.key, request.request) &&
               is_within(request.algorithm, m.content) && is_within(request.signature, m.content));
    }
    if (message_confirmation_read(m.content, &confirmation, &e) == 0) {
        assert(is_within(confirmation.hash, m.content) &&
               is_within(confirmation.algorithm, m.content));
    }
    if (message_revocation_read(m.content, &serial, &e) == 0) {
        assert(is_within(serial, m.content));
    }
}

/* Leaves behind a length of two octets, and the file beside them. */
static void
read_messages(struct span octets)
{
    const size_t n = octets.n < 2 ? SIZE_MAX : (size_t)octets.p[0] << 8 | octets.p[1];
    struct messages m;
    struct message message = {0};
    bool more = true;
    struct err e = {0};

    if (n == SIZE_MAX || n > octets.n - 2) {
        return;
    }
    m = (struct messages){.entries = span_of(octets.p + 2, n),
                          .file = span_of(octets.p + 2 + n, octets.n - 2 - n)};
    while (more) {
        CLEANUP(buf_free) struct buf again = BUF_INIT(4 + MESSAGE_MAX);
        const struct span file = m.file;

        if (messages_next(&m, &message, &more, &e) != 0) {
            assert(e.code == (more ? ERR_CRYPTO : ERR_INPUT));
            return;
        }
        if (more) {
            assert(is_within(message.octets, file) && message.leaf < m.at);
            assert(messages_put(&again, message.octets, &e) == 0);
            assert(span_equal(buf_span(&again), span_of(file.p, file.n - m.file.n)));
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span octets = span_of(data, size);

    read_note(octets);
    read_proof(octets);
    read_der(octets);
    read_plain(octets);
    read_message(octets);
    read_messages(octets);
    return 0;
}
