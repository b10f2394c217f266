/* SPDX-License-Identifier: Apache-2.0 */
#include "db/ledger/witnesses.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/file.h"

static const mode_t folder_mode = 0755;
static const mode_t file_mode = 0644;

/* What is published of a witness: nothing and 0 when it is none of this log's, or of another key's.
 */
static int
published(const struct ledger *ledger, const struct cosigner *c, const char *path, uint64_t *size,
          uint64_t *time, struct err *e)
{
    CLEANUP(buf_free) struct buf octets = BUF_INIT(NOTE_MAX);
    struct checkpoint checkpoint;
    struct cosigned cosigned;
    struct note note;

    *size = 0;
    *time = 0;
    if (file_read(path, &octets, e) != 0) {
        return e->code == ERR_NOTFOUND || e->code == ERR_INPUT ? 0 : -1;
    }
    if (checkpoint_open(ledger_key(ledger), buf_span(&octets), &checkpoint, e) != 0 ||
        note_parse(buf_span(&octets), &note, e) != 0 ||
        cosigner_verify(c, &note, &cosigned, e) != 0 || !cosigned.found) {
        return 0; /* whoever wrote it: it is replaced */
    }
    *size = checkpoint.size;
    *time = cosigned.time;
    return 0;
}

static int
publish(const struct ledger *ledger, const char *path, struct span octets,
        const struct note_line *line, struct err *e)
{
    CLEANUP(mem_cleanup) char *folder = mem_printf("%s/witness", ledger_dir(ledger));
    CLEANUP(buf_free) struct buf note = BUF_INIT(NOTE_MAX);
    CLEANUP(mem_cleanup)
    char *text = mem_printf(NOTE_DASH "%.*s %.*s\n", (int)line->name.n, (const char *)line->name.p,
                            (int)line->encoded.n, (const char *)line->encoded.p);

    if (checkpoint_strip(ledger_key(ledger), octets, &note, e) != 0 ||
        buf_append_str(&note, text, e) != 0 || file_mkdirs(folder, folder_mode, e) != 0) {
        return -1;
    }
    /* The umask of the programs is 077, and what is published is for everybody. */
    if (chmod(folder, folder_mode) != 0) {
        return err_errno(e, ERR_IO, errno, "%s", folder);
    }
    return file_write(path, buf_span(&note), file_mode, e);
}

static int
take(const struct ledger *ledger, struct span octets, const struct cosigner *c,
     const struct cosigned *cosigned, struct ledger_witnessed *w, struct err *e)
{
    CLEANUP(mem_cleanup)
    char *path = mem_printf("%s/witness/%02x%02x%02x%02x", ledger_dir(ledger), c->id[0], c->id[1],
                            c->id[2], c->id[3]);
    uint64_t size;
    uint64_t time;

    if (published(ledger, c, path, &size, &time, e) != 0) {
        return -1;
    }
    if (size > w->size || (size == w->size && time >= cosigned->time)) {
        w->older++;
        return 0;
    }
    w->kept++;
    return publish(ledger, path, octets, &cosigned->line, e);
}

int
ledger_witness(const struct ledger *ledger, struct store_db *db, struct span octets,
               const struct cosigner *witnesses, size_t n, struct ledger_witnessed *w,
               struct err *e)
{
    struct cosigned *found = mem_zalloc(n + 1, sizeof(found[0]));
    CLEANUP(mem_cleanup) struct cosigned *all = found;
    struct checkpoint checkpoint;
    struct note note;

    *w = (struct ledger_witnessed){0};
    if (ledger_has(ledger, db, octets, e) != 0 || note_parse(octets, &note, e) != 0 ||
        checkpoint_parse(note.text, &checkpoint, e) != 0) {
        return -1;
    }
    w->size = checkpoint.size;
    /* All of them are verified before any is published. */
    for (size_t i = 0; i < n; i++) {
        if (cosigner_verify(&witnesses[i], &note, &all[i], e) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (all[i].found && take(ledger, octets, &witnesses[i], &all[i], w, e) != 0) {
            return -1;
        }
    }
    return w->kept + w->older > 0
               ? 0
               : err_set(e, ERR_DENIED,
                         "the note has no line of a witness whom the configuration names");
}
