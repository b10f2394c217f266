/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file, all numbers in network order:
 *
 *   MAGIC, SHA-256 of the key (32), end (8), lines (8), attempts (8), chain over them (32),
 *   signatures (8), noted (8), has a checkpoint (1), its size (8), root (32),
 *   has a CRL (1), its number (8), thisUpdate (8), hash (32),
 *   certificates (8), of each serial number (16) and hash (32), oldest first,
 *   marks (8), of each offset (8) and chain (32), MAC (32)
 *
 * The MAC is over TEXT and the SHA-256 of all before it.
 */
#include "pkcs11/signer/journal/snapshot.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"

#define MAGIC "nfpki-signer journal snapshot 1\n"
#define TEXT "nfpki-signer: a snapshot of this journal, 1\n"

enum {
    NUMBER = 8,
    MARK = NUMBER + AGAIN_HASH,
    SNAPSHOT_MAX = 64 * 1024 * 1024, /* of some 400 million lines */
};

static int
make_mac(const struct snapshot_key *key, struct span octets, uint8_t mac[SNAPSHOT_MAC],
         struct err *e)
{
    uint8_t text[sizeof(TEXT) - 1 + SHA256_SIZE];

    memcpy(text, TEXT, sizeof(TEXT) - 1);
    return sha256(octets, text + sizeof(TEXT) - 1, e) != 0
               ? -1
               : key->make(key->arg, span_of(text, sizeof(text)), mac, e);
}

/* ---- out ---- */

static int
put(struct buf *out, const void *octets, size_t n, struct err *e)
{
    return buf_append(out, span_of(octets, n), e);
}

static int
put_number(struct buf *out, uint64_t number, struct err *e)
{
    uint8_t octets[NUMBER];

    for (size_t i = 0; i < NUMBER; i++) {
        octets[i] = (uint8_t)(number >> (8 * (NUMBER - 1 - i)));
    }
    return put(out, octets, sizeof(octets), e);
}

static int
put_head(struct buf *out, const uint8_t key_hash[AGAIN_HASH], const struct journal_state *s,
         struct err *e)
{
    const struct crl_head *crl = again_crl(s->again);
    const struct crl_head none = {0};
    const uint8_t has[] = {s->has_checkpoint, crl != NULL};

    crl = crl == NULL ? &none : crl;
    return put(out, MAGIC, sizeof(MAGIC) - 1, e) != 0 || put(out, key_hash, AGAIN_HASH, e) != 0 ||
                   put_number(out, s->end, e) != 0 || put_number(out, s->lines, e) != 0 ||
                   put_number(out, s->marks.lines, e) != 0 ||
                   put(out, s->marks.chain, AGAIN_HASH, e) != 0 ||
                   put_number(out, s->signatures, e) != 0 || put_number(out, s->noted, e) != 0 ||
                   put(out, &has[0], 1, e) != 0 || put_number(out, s->checkpoint.size, e) != 0 ||
                   put(out, s->checkpoint.root, AGAIN_HASH, e) != 0 ||
                   put(out, &has[1], 1, e) != 0 || put_number(out, crl->number, e) != 0 ||
                   put_number(out, (uint64_t)crl->this_update, e) != 0 ||
                   put(out, crl->hash, AGAIN_HASH, e) != 0
               ? -1
               : 0;
}

static int
put_certificate(void *arg, const uint8_t serial[AGAIN_SERIAL], const uint8_t hash[AGAIN_HASH],
                struct err *e)
{
    return put(arg, serial, AGAIN_SERIAL, e) != 0 ? -1 : put(arg, hash, AGAIN_HASH, e);
}

static int
put_marks(struct buf *out, const struct marks *m, struct err *e)
{
    int result = put_number(out, m->n, e);

    for (size_t i = 0; result == 0 && i < m->n; i++) {
        result = put_number(out, m->list[i].offset, e) != 0
                     ? -1
                     : put(out, m->list[i].chain, AGAIN_HASH, e);
    }
    return result;
}

int
snapshot_save(const char *path, const uint8_t key_hash[AGAIN_HASH], const struct journal_state *s,
              const struct snapshot_key *key, struct err *e)
{
    const size_t certificates = again_count(s->again);
    CLEANUP(buf_free) struct buf out = BUF_INIT(SNAPSHOT_MAX);
    uint8_t mac[SNAPSHOT_MAC];

    if (put_head(&out, key_hash, s, e) != 0 || put_number(&out, certificates, e) != 0 ||
        again_each(s->again, put_certificate, &out, e) != 0 || put_marks(&out, &s->marks, e) != 0) {
        return -1;
    }
    return make_mac(key, buf_span(&out), mac, e) != 0 || put(&out, mac, sizeof(mac), e) != 0
               ? -1
               : file_write(path, buf_span(&out), 0600, e);
}

/* ---- in: the MAC was right, so it is what was put out ---- */

static bool
get(struct span *in, void *out, size_t n)
{
    if (in->n < n) {
        return false;
    }
    memcpy(out, in->p, n);
    *in = span_of(in->p + n, in->n - n);
    return true;
}

static bool
get_number(struct span *in, uint64_t *out)
{
    uint8_t octets[NUMBER];

    *out = 0;
    if (!get(in, octets, sizeof(octets))) {
        return false;
    }
    for (size_t i = 0; i < NUMBER; i++) {
        *out = *out << 8 | octets[i];
    }
    return true;
}

static bool
get_head(struct span *in, struct journal_state *s)
{
    struct crl_head crl = {0};
    uint64_t this_update = 0;
    uint8_t has_checkpoint = 0;
    uint8_t has_crl = 0;
    bool whole = get_number(in, &s->end) && get_number(in, &s->lines) &&
                 get_number(in, &s->marks.lines) && get(in, s->marks.chain, AGAIN_HASH) &&
                 get_number(in, &s->signatures) && get_number(in, &s->noted) &&
                 get(in, &has_checkpoint, 1) && get_number(in, &s->checkpoint.size) &&
                 get(in, s->checkpoint.root, AGAIN_HASH) && get(in, &has_crl, 1) &&
                 get_number(in, &crl.number) && get_number(in, &this_update) &&
                 get(in, crl.hash, AGAIN_HASH);

    s->has_checkpoint = has_checkpoint != 0;
    crl.this_update = (int64_t)this_update;
    if (has_crl != 0) {
        again_add_crl(s->again, &crl);
    }
    return whole;
}

static bool
get_certificates(struct span *in, struct again *again)
{
    uint8_t serial[AGAIN_SERIAL];
    uint8_t hash[AGAIN_HASH];
    uint64_t n = 0;

    if (!get_number(in, &n)) {
        return false;
    }
    for (uint64_t i = 0; i < n; i++) {
        if (!get(in, serial, sizeof(serial)) || !get(in, hash, sizeof(hash))) {
            return false;
        }
        again_add_certificate(again, serial, hash);
    }
    return true;
}

static bool
get_marks(struct span *in, struct marks *m)
{
    uint64_t n = 0;

    if (!get_number(in, &n) || n != (m->lines + MARKS_EACH - 1) / MARKS_EACH || in->n != n * MARK) {
        return false;
    }
    m->list = n == 0 ? NULL : mem_grow(m->list, &m->capacity, (size_t)n, sizeof(m->list[0]));
    for (m->n = 0; m->n < n; m->n++) {
        if (!get_number(in, &m->list[m->n].offset) || !get(in, m->list[m->n].chain, AGAIN_HASH)) {
            return false;
        }
    }
    return true;
}

/* Without the MAC, which is right. */
static int
decode(struct span in, const uint8_t key_hash[AGAIN_HASH], struct journal_state *s, struct err *e)
{
    const size_t magic = sizeof(MAGIC) - 1;

    if (in.n < magic + AGAIN_HASH || memcmp(in.p, MAGIC, magic) != 0 ||
        memcmp(in.p + magic, key_hash, AGAIN_HASH) != 0) {
        return err_set(e, ERR_DENIED, "a snapshot of another version, or of another key");
    }
    in = span_of(in.p + magic + AGAIN_HASH, in.n - magic - AGAIN_HASH);
    return get_head(&in, s) && get_certificates(&in, s->again) && get_marks(&in, &s->marks)
               ? 0
               : err_set(e, ERR_DENIED, "a snapshot that is not whole");
}

static int
check_mac(const struct snapshot_key *key, struct span in, struct err *e)
{
    uint8_t mac[SNAPSHOT_MAC];

    if (in.n <= SNAPSHOT_MAC) {
        return err_set(e, ERR_DENIED, "a snapshot of %zu octets", in.n);
    }
    if (make_mac(key, span_of(in.p, in.n - SNAPSHOT_MAC), mac, e) != 0) {
        return -1;
    }
    return span_equal_secret(span_of(mac, sizeof(mac)),
                             span_of(in.p + in.n - SNAPSHOT_MAC, SNAPSHOT_MAC))
               ? 0
               : err_set(e, ERR_DENIED, "its MAC is not right: it was edited");
}

/* Always -1. It was made of lines that were on the disk, so no crash leaves such a journal. */
static int
other_journal(struct marks_file journal, const char *why, struct err *e)
{
    return err_set(e, ERR_STALE,
                   "%s is older than its snapshot, or another: %s; put back the newest journal, or "
                   "delete %s-snapshot if this one is meant",
                   journal.path, why, journal.path);
}

/* The last block of lines has that chain behind it which the state says, so all before it were
 * these; and the journal goes on there. */
static int
check_journal(const struct journal_state *s, struct marks_file journal, struct err *e)
{
    struct err why = {0};
    char before = '\0';

    if (pread(journal.fd, &before, 1, (off_t)s->end - 1) != 1 || before != '\n') {
        return other_journal(journal, "it has no line that ends where that was made", e);
    }
    if (s->marks.n > 0 && marks_check(&s->marks, journal, s->marks.n - 1, &why) != 0) {
        if (why.code != ERR_STORE) {
            *e = why;
            return -1;
        }
        return other_journal(journal, why.text, e);
    }
    return 0;
}

int
snapshot_load(const char *path, const uint8_t key_hash[AGAIN_HASH], struct marks_file journal,
              const struct snapshot_key *key, struct journal_state *out, struct err *e)
{
    CLEANUP(buf_free) struct buf octets = BUF_INIT(SNAPSHOT_MAX);
    CLEANUP(journal_state_free) struct journal_state s;

    journal_state_init(&s);
    if (file_read(path, &octets, e) != 0 || check_mac(key, buf_span(&octets), e) != 0 ||
        decode(span_of(octets.p, octets.n - SNAPSHOT_MAC), key_hash, &s, e) != 0 ||
        check_journal(&s, journal, e) != 0) {
        return -1;
    }
    journal_state_free(out);
    *out = s;
    s = (struct journal_state){0};
    return 0;
}
