/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/witness/cosign.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/ossl.h"

enum { EVIDENCE_DIGITS = 16 };

/* Two runs at once might each sign another continuation of what both read. */
static int
take_lock(const char *state, int *fd, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s.lock", state);

    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (*fd < 0) {
        return err_errno(e, ERR_IO, errno, "open %s", path);
    }
    if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK ? err_set(e, ERR_BUSY, "%s: another run has it", path)
                                    : err_errno(e, ERR_IO, errno, "lock %s", path);
    }
    return 0;
}

/* Both notes, under a name that the refused one has always. */
static int
keep_evidence(const char *state, struct span earlier, struct span refused, const struct err *why,
              struct err *e)
{
    CLEANUP(mem_cleanup) char *path = NULL;
    CLEANUP(mem_cleanup) char *other = NULL;
    uint8_t hash[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];

    if (sha256(refused, hash, e) != 0) {
        return -1;
    }
    hex_format(span_of(hash, sizeof(hash)), hex);
    path = mem_printf("%s.refused-%.*s", state, EVIDENCE_DIGITS, hex);
    other = mem_printf("%s.earlier", path);
    if (file_write(other, earlier, 0644, e) != 0 || file_write(path, refused, 0644, e) != 0) {
        return err_wrap(e, "%s; and that could not be kept", why->text);
    }
    return err_set(e, ERR_CONFLICT, "%s; both notes are kept in %s and %s", why->text, path, other);
}

/* With what was signed last. */
static int
compare(const char *state, const struct witnessed_log *log, struct span note,
        struct cosign_result *result, struct err *e)
{
    CLEANUP(buf_free) struct buf earlier = BUF_INIT(NOTE_MAX);
    struct checkpoint checkpoint;
    struct err why = {0};

    if (file_read(state, &earlier, e) != 0) {
        result->first = e->code == ERR_NOTFOUND;
        return result->first ? 0 : -1;
    }
    if (checkpoint_open(log->key, buf_span(&earlier), &checkpoint, e) != 0) {
        return err_wrap(e, "%s is not a remembered checkpoint of this log", state);
    }
    result->earlier = checkpoint.size;
    if (log->consistent(log->arg, &checkpoint, &why) == 0) {
        return 0;
    }
    if (why.code == ERR_CONFLICT) {
        return keep_evidence(state, buf_span(&earlier), note, &why, e);
    }
    *e = why;
    return -1;
}

/* The note without what this key signed before, and with the new line behind the others. */
static int
add_line(const struct cosigner *c, const struct note *note, struct span line, struct buf *out,
         struct err *e)
{
    if (buf_append(out, note->text, e) != 0 || buf_append_str(out, "\n", e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < note->n; i++) {
        const struct note_line *other = &note->lines[i];
        CLEANUP(buf_free) struct buf blob = BUF_INIT(NOTE_MAX);

        if (note_line_decode(other, &blob, e) != 0) {
            return -1;
        }
        if (span_equal(other->name, span_str(c->name)) && memcmp(blob.p, c->id, NOTE_KEY_ID) == 0) {
            continue;
        }
        if (buf_append_str(out, NOTE_DASH, e) != 0 || buf_append(out, other->name, e) != 0 ||
            buf_append_str(out, " ", e) != 0 || buf_append(out, other->encoded, e) != 0 ||
            buf_append_str(out, "\n", e) != 0) {
            return -1;
        }
    }
    return buf_append(out, line, e);
}

int
cosign(const char *state, const struct witnessed_log *log, struct span octets,
       const struct cosigner *c, EVP_PKEY *key, struct buf *out, struct cosign_result *result,
       struct err *e)
{
    CLEANUP(fd_cleanup) int lock = -1;
    CLEANUP(buf_free) struct buf line = BUF_INIT(NOTE_MAX);
    struct note note;

    *result = (struct cosign_result){0};
    if (note_parse(octets, &note, e) != 0 || take_lock(state, &lock, e) != 0 ||
        compare(state, log, octets, result, e) != 0 || file_write(state, octets, 0644, e) != 0) {
        return -1;
    }
    return cosigner_sign(c, key, note.text, clock_now(), &line, e) != 0
               ? -1
               : add_line(c, &note, buf_span(&line), out, e);
}
