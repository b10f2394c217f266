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
#include "pkcs11/signer/journal/marks.h"
#include "pkcs11/signer/journal/torn.h"

#define FIRST_LINE "nfpki-signer-journal 1 "

enum {
    PENDING_MAX = 64 * 1024,
    LOCK_TRIES = 250, /* of 20 ms */
};

struct journal {
    char *path;
    int fd;
    bool has_checkpoint;
    struct tree_head checkpoint;
    struct again *again;
    struct marks marks;
    uint64_t signatures; /* that are known of, */
    uint64_t noted;      /* and those of them that the lines say */
    uint64_t end;        /* octets, with what is pending */
    struct buf pending;
    bool failed; /* what is on the disk is not known */
};

void
journal_close(struct journal *j)
{
    if (j == NULL) {
        return;
    }
    fd_cleanup(&j->fd);
    buf_free(&j->pending);
    again_free(j->again);
    marks_free(&j->marks);
    mem_free(j->path);
    mem_free(j);
}

/* What is true when this was attempted; its line begins at `offset`. */
static int
remember(struct journal *j, const struct journal_attempt *a, uint64_t offset, struct err *e)
{
    if (marks_add(&j->marks, a, offset, e) != 0) {
        return -1;
    }
    if (a->counts) {
        j->signatures = a->signatures;
        j->noted = a->signatures;
    }
    if (a->bare) {
        return 0;
    }
    switch (a->kind) {
    case 'K':
        j->checkpoint = a->checkpoint;
        j->has_checkpoint = true;
        break;
    case 'T':
        again_add_certificate(j->again, a->serial, a->hash);
        break;
    case 'L':
        again_add_crl(j->again, &a->crl);
        break;
    default:
        break;
    }
    return 0;
}

/* Of what was attempted before, and never fewer than once. */
static bool
may_be(const struct journal *j, uint64_t signatures)
{
    return j->noted <= signatures && signatures <= j->marks.lines;
}

static int
replay_attempt(struct journal *j, char *line, uint64_t number, off_t offset, struct err *e)
{
    struct journal_attempt a;
    struct journal_count c;

    if (journal_count_parse(line, &c) && c.number == j->marks.lines && may_be(j, c.signatures)) {
        j->signatures = c.signatures;
        j->noted = c.signatures;
        return 0;
    }
    return journal_attempt_parse(line, &a) && a.number == j->marks.lines + 1 &&
                   (!a.counts || may_be(j, a.signatures))
               ? remember(j, &a, (uint64_t)offset, e)
               : err_set(e, ERR_STORE, "%s:%" PRIu64 ": not the attempt that belongs here", j->path,
                         number);
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

/* Reads all lines; *good gets the octets up to the end of the last whole one. */
static int
replay(struct journal *j, FILE *file, const char *key, off_t *good, struct err *e)
{
    char line[JOURNAL_LINE_SIZE];
    uint64_t number = 0;

    *good = 0;
    for (size_t n; (n = next_line(file, line)) > 0; *good += (off_t)n) {
        bool whole = line[n - 1] == '\n';

        number++;
        if (whole) {
            line[n - 1] = '\0';
        }
        if (!whole && torn_tail(file)) {
            if (number == 1 && ferror(file) == 0 && !is_torn_first(file, key)) {
                return not_a_journal(j, e);
            }
            break; /* never synced whole, so nothing was signed on it */
        }
        if (number == 1 && strncmp(line, FIRST_LINE, strlen(FIRST_LINE)) != 0) {
            return not_a_journal(j, e);
        }
        if (!whole || strlen(line) != n - 1 || !journal_line_unseal(line)) {
            return err_set(e, ERR_STORE,
                           "%s:%" PRIu64 ": damaged line; the record was changed, restore it from "
                           "a copy before this key signs again",
                           j->path, number);
        }
        if (number == 1) {
            if (strcmp(line + strlen(FIRST_LINE), key) != 0) {
                return err_set(e, ERR_DENIED, "%s is the journal of another key", j->path);
            }
        } else if (replay_attempt(j, line, number, *good, e) != 0) {
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
    j->end += strlen(line);
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

static int
load(struct journal *j, const char *key, size_t *torn, struct err *e)
{
    struct stat st;
    int copy = fcntl(j->fd, F_DUPFD_CLOEXEC, 0);
    FILE *file = copy < 0 ? NULL : fdopen(copy, "r");
    off_t good = 0;
    int result;

    if (file == NULL || fstat(j->fd, &st) != 0) {
        return err_errno(e, ERR_IO, errno, "open %s", j->path);
    }
    result = replay(j, file, key, &good, e);
    (void)fclose(file);
    if (result != 0) {
        return -1;
    }
    *torn = (size_t)(st.st_size - good);
    if (*torn > 0 && (ftruncate(j->fd, good) != 0 || fsync(j->fd) != 0)) {
        return err_errno(e, ERR_IO, errno, "truncate %s", j->path);
    }
    j->end = (uint64_t)good;
    if (good == 0 && begin(j, key, e) != 0) {
        return -1;
    }
    return make_durable(j, good, e);
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
journal_open(const char *path, const uint8_t key_hash[32], size_t *torn, struct err *e)
{
    CLEANUP(journal_cleanup) struct journal *j = mem_new(sizeof(*j));
    char key[65];

    hex_format(span_of(key_hash, 32), key);
    j->path = mem_strdup(path);
    j->pending = BUF_INIT(PENDING_MAX);
    j->again = again_new();
    j->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (j->fd < 0) {
        (void)err_errno(e, ERR_IO, errno, "open %s", path);
        return NULL;
    }
    if (take_lock(j, e) != 0) {
        return NULL;
    }
    if (load(j, key, torn, e) != 0) {
        return NULL;
    }
    return TAKE(j);
}

static int
add(struct journal *j, struct journal_attempt a, struct err *e)
{
    CLEANUP(mem_cleanup) char *text = NULL;
    const uint64_t offset = j->end;

    a.number = j->marks.lines + 1;
    a.counts = true;
    a.signatures = j->signatures;
    text = journal_attempt_format(&a);
    return append_line(j, text, e) != 0 ? -1 : remember(j, &a, offset, e);
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
    j->failed = fdatasync(j->fd) != 0;
    return j->failed ? err_errno(e, ERR_IO, errno, "sync %s", j->path) : 0;
}

void
journal_signed(struct journal *j)
{
    j->signatures++;
}

uint64_t
journal_signatures(const struct journal *j)
{
    return j->signatures;
}

int
journal_end(struct journal *j, struct err *e)
{
    CLEANUP(mem_cleanup) char *text = NULL;

    if (j->failed || j->pending.n > 0 || j->noted == j->signatures) {
        return 0;
    }
    text = journal_count_format(
        &(struct journal_count){.number = j->marks.lines, .signatures = j->signatures});
    j->noted = j->signatures;
    return append_line(j, text, e) != 0 ? -1 : journal_commit(j, e);
}

const struct again *
journal_again(const struct journal *j)
{
    return j->again;
}

uint64_t
journal_attempts(const struct journal *j)
{
    return j->marks.lines;
}

int
journal_chain(const struct journal *j, uint64_t first, uint8_t chain[32], struct err *e)
{
    return marks_chain(&j->marks, (struct marks_file){j->fd, j->path}, first, chain, e);
}

int
journal_each(const struct journal *j, uint64_t first,
             bool (*visit)(void *arg, const struct journal_attempt *), void *arg, struct err *e)
{
    return marks_each(&j->marks, (struct marks_file){j->fd, j->path}, first, visit, arg, e);
}

const struct tree_head *
journal_checkpoint(const struct journal *j)
{
    return j->has_checkpoint ? &j->checkpoint : NULL;
}

int
journal_has_checkpoint(const struct journal *j, const struct tree_head *wanted, bool *found,
                       struct err *e)
{
    return look_back((struct marks_file){j->fd, j->path}, wanted, found, e);
}
