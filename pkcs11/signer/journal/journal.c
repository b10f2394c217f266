/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/signer/journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "pkcs11/signer/journal/look_back.h"
#include "pkcs11/signer/journal/snapshot.h"
#include "pkcs11/signer/journal/torn.h"

#define FIRST_LINE "nfpki-signer-journal 1 "

enum {
    PENDING_MAX = 64 * 1024,
    LOCK_TRIES = 250, /* of 20 ms */
};

struct journal {
    char *path;
    char *snapshot; /* its path */
    int fd;
    uint8_t key_hash[AGAIN_HASH];
    struct snapshot_key key;
    uint64_t kept;              /* attempts that the snapshot knows of */
    size_t scrubbed;            /* marks behind which the lines were looked at again */
    struct journal_state state; /* with what is pending */
    struct buf pending;
    bool failed; /* what is on the disk is not known, or not what it was: nothing more is kept */
};

void
journal_close(struct journal *j)
{
    if (j == NULL) {
        return;
    }
    fd_cleanup(&j->fd);
    buf_free(&j->pending);
    journal_state_free(&j->state);
    mem_free(j->path);
    mem_free(j->snapshot);
    mem_free(j);
}

static struct marks_file
file_of(const struct journal *j)
{
    return (struct marks_file){j->fd, j->path};
}

static char *
first_text(const char *key)
{
    return mem_printf("%s%s", FIRST_LINE, key);
}

static int
not_a_journal(const struct journal *j, struct err *e)
{
    return err_set(e, ERR_STORE,
                   "%s is not a journal of nfpki-signer: look what 'journal' of the policy names",
                   j->path);
}

static bool
is_torn_first(FILE *file, const char *key)
{
    CLEANUP(mem_cleanup) char *text = first_text(key);

    return torn_first(file, text);
}

/* The octets of the next line, its line break among them; as many as there is room for. */
static size_t
next_line(FILE *file, char line[JOURNAL_LINE_SIZE])
{
    size_t n = 0;
    int c = 0;

    while (n + 1 < JOURNAL_LINE_SIZE && c != '\n' && (c = fgetc(file)) != EOF) {
        line[n++] = (char)c;
    }
    line[n] = '\0';
    return n;
}

/* The first line of the file. */
static int
check_first(const struct journal *j, const char *line, const char *key, struct err *e)
{
    return strcmp(line + strlen(FIRST_LINE), key) == 0
               ? 0
               : err_set(e, ERR_DENIED, "%s is the journal of another key", j->path);
}

/* Reads all lines behind the state's, which gets them; it ends behind the last whole one. */
static int
replay(struct journal *j, FILE *file, const char *key, struct err *e)
{
    struct journal_state *s = &j->state;
    char line[JOURNAL_LINE_SIZE];

    for (size_t n; (n = next_line(file, line)) > 0; s->end += n) {
        bool whole = line[n - 1] == '\n';

        s->lines++;
        if (whole) {
            line[n - 1] = '\0';
        }
        if (!whole && torn_tail(file)) {
            if (s->lines == 1 && ferror(file) == 0 && !is_torn_first(file, key)) {
                return not_a_journal(j, e);
            }
            s->lines--;
            break; /* never synced whole, so nothing was signed on it */
        }
        if (s->lines == 1 && strncmp(line, FIRST_LINE, strlen(FIRST_LINE)) != 0) {
            return not_a_journal(j, e);
        }
        if (!whole || strlen(line) != n - 1 || !journal_line_unseal(line)) {
            return err_set(e, ERR_STORE,
                           "%s:%" PRIu64 ": damaged line; the record was changed, restore it from "
                           "a copy before this key signs again",
                           j->path, s->lines);
        }
        if ((s->lines == 1 ? check_first(j, line, key, e)
                           : journal_state_read(s, line, j->path, e)) != 0) {
            return -1;
        }
    }
    return ferror(file) != 0 ? err_errno(e, ERR_IO, errno, "read %s", j->path) : 0;
}

static int
append_line(struct journal *j, const char *text, struct err *e)
{
    CLEANUP(mem_cleanup) char *line = journal_line_seal(text);

    if (buf_append_str(&j->pending, line, e) != 0) {
        return -1;
    }
    j->state.end += strlen(line);
    j->state.lines++;
    return 0;
}

static int
begin(struct journal *j, const char *key, struct err *e)
{
    CLEANUP(mem_cleanup) char *first = first_text(key);

    return append_line(j, first, e) != 0 ? -1 : journal_commit(j, e);
}

static int
write_again(const struct journal *j, off_t at, size_t n, struct err *e)
{
    CLEANUP(buf_free) struct buf tail = BUF_INIT(PENDING_MAX);
    uint8_t *octets = buf_extend(&tail, n, e);

    if (octets == NULL) {
        return -1;
    }
    /* With O_APPEND Linux writes at the end, wherever it was told to. */
    if (pread(j->fd, octets, n, at) != (ssize_t)n || fcntl(j->fd, F_SETFL, 0) != 0 ||
        pwrite(j->fd, octets, n, at) != (ssize_t)n || fcntl(j->fd, F_SETFL, O_APPEND) != 0) {
        return err_errno(e, ERR_IO, errno, "write %s again", j->path);
    }
    return fdatasync(j->fd) == 0 ? 0 : err_errno(e, ERR_IO, errno, "sync %s", j->path);
}

/*
 * What was read up to here may be in the kernel's memory alone: lines whose sync failed are marked
 * clean there, and no later sync brings them to the disk. They are of the last commit, for behind a
 * failure the process ends and the next one comes here first: so that much is written once more,
 * the same octets in the same place.
 */
static int
make_durable(const struct journal *j, off_t good, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_strdup(j->path);
    const size_t n = good < PENDING_MAX ? (size_t)good : PENDING_MAX;

    if (n > 0 && write_again(j, good - (off_t)n, n, e) != 0) {
        return -1;
    }
    return file_sync_dir(dirname(path), e);
}

/* What is not believed is as good as none; but one that is believed, and knows of lines that are
 * not there, is proof that they were. */
static int
resume(struct journal *j, struct err *not_believed, struct err *e)
{
    if (j->key.make == NULL) {
        return 0;
    }
    if (snapshot_load(j->snapshot, j->key_hash, file_of(j), &j->key, &j->state, not_believed) ==
        0) {
        j->kept = j->state.marks.lines;
    } else if (not_believed->code == ERR_STALE) {
        *e = *not_believed;
        return -1;
    }
    return 0;
}

static int
read_lines(struct journal *j, const char *key, struct err *e)
{
    int copy = fcntl(j->fd, F_DUPFD_CLOEXEC, 0);
    FILE *file = copy < 0 ? NULL : fdopen(copy, "r");
    int result;

    if (file == NULL || fseeko(file, (off_t)j->state.end, SEEK_SET) != 0) {
        return err_errno(e, ERR_IO, errno, "open %s", j->path);
    }
    result = replay(j, file, key, e);
    (void)fclose(file);
    return result;
}

int
journal_load(struct journal *j, const uint8_t key_hash[32], const struct snapshot_key *key,
             size_t *torn, struct err *not_believed, struct err *e)
{
    struct stat st;
    char hex[65];
    off_t good;

    *not_believed = (struct err){0};
    hex_format(span_of(key_hash, 32), hex);
    memcpy(j->key_hash, key_hash, sizeof(j->key_hash));
    if (key != NULL) {
        j->key = *key;
    }
    if (resume(j, not_believed, e) != 0 || read_lines(j, hex, e) != 0) {
        return -1;
    }
    good = (off_t)j->state.end;
    if (fstat(j->fd, &st) != 0) {
        return err_errno(e, ERR_IO, errno, "open %s", j->path);
    }
    *torn = (size_t)(st.st_size - good);
    if (*torn > 0 && (ftruncate(j->fd, good) != 0 || fsync(j->fd) != 0)) {
        return err_errno(e, ERR_IO, errno, "truncate %s", j->path);
    }
    if (good == 0 && begin(j, hex, e) != 0) {
        return -1;
    }
    if (make_durable(j, good, e) != 0) {
        return -1;
    }
    j->failed = false;
    return 0;
}

/* A signer whose parent was killed may still be ending its last batch: it is waited for. */
static int
take_lock(const struct journal *j, struct err *e)
{
    const struct timespec step = {.tv_nsec = 20 * 1000 * 1000};

    for (int tries = 0; flock(j->fd, LOCK_EX | LOCK_NB) != 0; tries++) {
        if (errno != EWOULDBLOCK) {
            return err_errno(e, ERR_IO, errno, "lock %s", j->path);
        }
        if (tries == LOCK_TRIES) {
            return err_set(e, ERR_CONFLICT,
                           "%s: another signer has this journal: stop the daemon that started it",
                           j->path);
        }
        (void)nanosleep(&step, NULL);
    }
    return 0;
}

struct journal *
journal_claim(const char *path, struct err *e)
{
    CLEANUP(journal_cleanup) struct journal *j = mem_new(sizeof(*j));

    j->path = mem_strdup(path);
    j->snapshot = mem_printf("%s-snapshot", path);
    j->pending = BUF_INIT(PENDING_MAX);
    j->failed = true; /* until it is read */
    journal_state_init(&j->state);
    j->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (j->fd < 0) {
        (void)err_errno(e, ERR_IO, errno, "open %s", path);
        return NULL;
    }
    return take_lock(j, e) != 0 ? NULL : TAKE(j);
}

static int
add(struct journal *j, struct journal_attempt a, struct err *e)
{
    CLEANUP(mem_cleanup) char *text = NULL;
    const uint64_t offset = j->state.end;

    a.number = j->state.marks.lines + 1;
    a.counts = true;
    a.signatures = j->state.signatures;
    text = journal_attempt_format(&a);
    return append_line(j, text, e) != 0 ? -1 : journal_state_take(&j->state, &a, offset, e);
}

int
journal_add(struct journal *j, char kind, const uint8_t tbs_hash[32],
            const struct tree_head *checkpoint, struct err *e)
{
    struct journal_attempt a = {.kind = kind, .bare = checkpoint == NULL};

    memcpy(a.hash, tbs_hash, sizeof(a.hash));
    if (checkpoint != NULL) {
        a.checkpoint = *checkpoint;
    }
    return add(j, a, e);
}

int
journal_add_certificate(struct journal *j, const uint8_t tbs_hash[32],
                        const uint8_t serial[AGAIN_SERIAL], struct err *e)
{
    struct journal_attempt a = {.kind = 'T'};

    memcpy(a.hash, tbs_hash, sizeof(a.hash));
    memcpy(a.serial, serial, sizeof(a.serial));
    return add(j, a, e);
}

int
journal_add_crl(struct journal *j, const struct crl_head *head, struct err *e)
{
    struct journal_attempt a = {.kind = 'L', .crl = *head};

    memcpy(a.hash, head->hash, sizeof(a.hash));
    return add(j, a, e);
}

int
journal_commit(struct journal *j, struct err *e)
{
    size_t done = 0;

    while (done < j->pending.n) {
        ssize_t n = write(j->fd, j->pending.p + done, j->pending.n - done);

        if (n < 0 && errno != EINTR) {
            j->failed = true;
            return err_errno(e, ERR_IO, errno, "write %s", j->path);
        }
        done += n > 0 ? (size_t)n : 0;
    }
    buf_truncate(&j->pending, 0);
    if (fdatasync(j->fd) != 0) {
        j->failed = true;
        return err_errno(e, ERR_IO, errno, "sync %s", j->path);
    }
    return 0;
}

void
journal_signed(struct journal *j)
{
    j->state.signatures++;
}

uint64_t
journal_signatures(const struct journal *j)
{
    return j->state.signatures;
}

int
journal_end(struct journal *j, struct err *e)
{
    CLEANUP(mem_cleanup) char *text = NULL;

    if (j->failed || j->pending.n > 0 || j->state.noted == j->state.signatures) {
        return 0;
    }
    text = journal_count_format(
        &(struct journal_count){.number = j->state.marks.lines, .signatures = j->state.signatures});
    j->state.noted = j->state.signatures;
    return append_line(j, text, e) != 0 ? -1 : journal_commit(j, e);
}

const struct again *
journal_again(const struct journal *j)
{
    return j->state.again;
}

uint64_t
journal_attempts(const struct journal *j)
{
    return j->state.marks.lines;
}

int
journal_chain(const struct journal *j, uint64_t first, uint8_t chain[32], struct err *e)
{
    return marks_chain(&j->state.marks, file_of(j), first, chain, e);
}

int
journal_each(const struct journal *j, uint64_t first,
             bool (*visit)(void *arg, const struct journal_attempt *), void *arg, struct err *e)
{
    return marks_each(&j->state.marks, file_of(j), first, visit, arg, e);
}

const struct tree_head *
journal_checkpoint(const struct journal *j)
{
    return j->state.has_checkpoint ? &j->state.checkpoint : NULL;
}

int
journal_has_checkpoint(const struct journal *j, const struct tree_head *wanted, bool *found,
                       struct err *e)
{
    return look_back(file_of(j), wanted, found, e);
}

/* ---- snapshots ---- */

int
journal_keep(struct journal *j, uint64_t each, struct err *e)
{
    if (j->key.make == NULL || j->failed || j->pending.n > 0 ||
        j->state.marks.lines - j->kept < each) {
        return 0;
    }
    j->kept = j->state.marks.lines; /* also when it fails: not again at once */
    return snapshot_save(j->snapshot, j->key_hash, &j->state, &j->key, e);
}

int
journal_scrub(struct journal *j, size_t marks, struct err *e)
{
    const struct marks *m = &j->state.marks;

    for (size_t i = 0; i < marks && m->n > 0; i++) {
        j->scrubbed = j->scrubbed < m->n ? j->scrubbed : 0;
        if (marks_check(m, file_of(j), j->scrubbed, e) != 0) {
            j->failed = true;
            (void)unlink(j->snapshot); /* so that the next start reads all of it */
            return -1;
        }
        j->scrubbed++;
    }
    return 0;
}
