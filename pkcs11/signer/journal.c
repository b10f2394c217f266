/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/signer/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

#define FIRST_LINE "nfpki-signer-journal 1 "

enum {
    LINE_MAX_ = 256,
    PENDING_MAX = 64 * 1024,
    CRC_DIGITS = 8,
    LOCK_TRIES = 250, /* of 20 ms */
};

struct journal {
    char *path;
    int fd;
    uint64_t attempts;
    bool has_checkpoint;
    struct tree_head checkpoint;
    struct again *again;
    struct buf pending;
};

/* CRC-32 of ISO 3309, as gzip has it. */
static uint32_t
crc32(struct span bytes)
{
    static uint32_t table[256];
    uint32_t crc = ~0U;

    if (table[1] == 0) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t c = i;

            for (int k = 0; k < 8; k++) {
                c = (c & 1) != 0 ? 0xedb88320U ^ (c >> 1) : c >> 1;
            }
            table[i] = c;
        }
    }
    for (size_t i = 0; i < bytes.n; i++) {
        crc = table[(crc ^ bytes.p[i]) & 0xff] ^ (crc >> 8);
    }
    return ~crc;
}

void
journal_close(struct journal *j)
{
    if (j == NULL) {
        return;
    }
    fd_cleanup(&j->fd);
    buf_free(&j->pending);
    again_free(j->again);
    mem_free(j->path);
    mem_free(j);
}

/* "text crc": text and CRC agree; the CRC is cut off. */
static bool
take_crc(char *line)
{
    size_t n = strlen(line);
    char expected[CRC_DIGITS + 1];

    if (n < CRC_DIGITS + 2 || line[n - CRC_DIGITS - 1] != ' ') {
        return false;
    }
    (void)snprintf(expected, sizeof(expected), "%08" PRIx32,
                   crc32(span_of(line, n - CRC_DIGITS - 1)));
    if (strcmp(expected, line + n - CRC_DIGITS) != 0) {
        return false;
    }
    line[n - CRC_DIGITS - 1] = '\0';
    return true;
}

/* Takes the next word of *rest; NULL at the end. */
static char *
word(char **rest)
{
    return strsep(rest, " ");
}

static bool
is_kind(const char *text)
{
    return text != NULL && strlen(text) == 1 && strchr("TLKPS", text[0]) != NULL;
}

/* 20 digits. */
static bool
parse_number(const char *text, uint64_t *out)
{
    char expected[24];

    *out = strtoull(text, NULL, 10);
    (void)snprintf(expected, sizeof(expected), "%020" PRIu64, *out);
    return strcmp(text, expected) == 0;
}

static int
replay_checkpoint(struct journal *j, const char *size, const char *root)
{
    struct tree_head c = {0};
    struct err e = {0};

    if (root == NULL || hex_parse(root, c.root, sizeof(c.root), &e) != 0 ||
        !parse_number(size, &c.size)) {
        return -1;
    }
    j->checkpoint = c;
    j->has_checkpoint = true;
    return 0;
}

/* Signers of before wrote no serial number. */
static int
replay_certificate(struct journal *j, const uint8_t hash[32], const char *serial, const char *more)
{
    uint8_t octets[AGAIN_SERIAL];
    struct err e = {0};

    if (serial == NULL) {
        return 0;
    }
    if (more != NULL || hex_parse(serial, octets, sizeof(octets), &e) != 0) {
        return -1;
    }
    again_add_certificate(j->again, octets, hash);
    return 0;
}

/* Nor number and time. */
static int
replay_crl(struct journal *j, const uint8_t hash[32], const char *number, const char *this_update)
{
    struct crl_head head;
    uint64_t time;

    if (number == NULL) {
        return 0;
    }
    if (this_update == NULL || !parse_number(number, &head.number) ||
        !parse_number(this_update, &time) || time > INT64_MAX) {
        return -1;
    }
    head.this_update = (int64_t)time;
    memcpy(head.hash, hash, sizeof(head.hash));
    again_add_crl(j->again, &head);
    return 0;
}

/* What stands behind the hash. */
static int
replay_rest(struct journal *j, char kind, const uint8_t hash[32], const char *first,
            const char *second)
{
    switch (kind) {
    case 'K':
        return replay_checkpoint(j, first, second);
    case 'T':
        return replay_certificate(j, hash, first, second);
    case 'L':
        return replay_crl(j, hash, first, second);
    default:
        return first == NULL ? 0 : -1;
    }
}

static int
replay_attempt(struct journal *j, char *line)
{
    char *rest = line;
    const char *counter = word(&rest);
    const char *kind = word(&rest);
    const char *hash = word(&rest);
    const char *first = word(&rest);
    const char *second = word(&rest);
    uint8_t octets[32];
    struct err e = {0};
    char expected[24];

    (void)snprintf(expected, sizeof(expected), "%020" PRIu64, j->attempts + 1);
    if (rest != NULL || strcmp(counter, expected) != 0 || !is_kind(kind) || hash == NULL ||
        hex_parse(hash, octets, sizeof(octets), &e) != 0 ||
        replay_rest(j, kind[0], octets, first, second) != 0) {
        return -1;
    }
    j->attempts++;
    return 0;
}

/* "text crc\n" */
static char *
whole_line(const char *text)
{
    return mem_printf("%s %08" PRIx32 "\n", text, crc32(span_str(text)));
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

/* No line ends behind this: what a power cut leaves of an append, with octets missing or zero. */
static bool
nothing_follows(FILE *file)
{
    int c;

    do {
        c = fgetc(file);
    } while (c != EOF && c != '\n');
    return c == EOF;
}

/* What a power cut leaves of the very first append: its beginning, and zeros. Anything else is
 * somebody's file, which must not be written over. */
static bool
is_torn_first(FILE *file, const char *key)
{
    CLEANUP(mem_cleanup) char *text = first_text(key);
    CLEANUP(mem_cleanup) char *line = whole_line(text);
    size_t i = 0;
    int c;

    rewind(file);
    while ((c = fgetc(file)) != EOF && (c == 0 || (i < strlen(line) && c == line[i]))) {
        i++;
    }
    return c == EOF;
}

/* The octets of the next line, its line break among them; as many as there is room for. */
static size_t
next_line(FILE *file, char line[LINE_MAX_])
{
    size_t n = 0;
    int c = 0;

    while (n + 1 < LINE_MAX_ && c != '\n' && (c = fgetc(file)) != EOF) {
        line[n++] = (char)c;
    }
    line[n] = '\0';
    return n;
}

/* Reads all lines; *good gets the octets up to the end of the last whole one. */
static int
replay(struct journal *j, FILE *file, const char *key, off_t *good, struct err *e)
{
    char line[LINE_MAX_];
    uint64_t number = 0;

    *good = 0;
    for (size_t n; (n = next_line(file, line)) > 0; *good += (off_t)n) {
        bool whole = line[n - 1] == '\n';

        number++;
        if (whole) {
            line[n - 1] = '\0';
        }
        if (!whole && nothing_follows(file)) {
            if (number == 1 && ferror(file) == 0 && !is_torn_first(file, key)) {
                return not_a_journal(j, e);
            }
            break; /* never synced whole, so nothing was signed on it */
        }
        if (number == 1 && strncmp(line, FIRST_LINE, strlen(FIRST_LINE)) != 0) {
            return not_a_journal(j, e);
        }
        if (!whole || strlen(line) != n - 1 || !take_crc(line)) {
            return err_set(e, ERR_STORE,
                           "%s:%" PRIu64 ": damaged line; the record was changed, restore it from "
                           "a copy before this key signs again",
                           j->path, number);
        }
        if (number == 1) {
            if (strcmp(line + strlen(FIRST_LINE), key) != 0) {
                return err_set(e, ERR_DENIED, "%s is the journal of another key", j->path);
            }
        } else if (replay_attempt(j, line) != 0) {
            return err_set(e, ERR_STORE, "%s:%" PRIu64 ": not the attempt that belongs here",
                           j->path, number);
        }
    }
    return ferror(file) != 0 ? err_errno(e, ERR_IO, errno, "read %s", j->path) : 0;
}

static int
append_line(struct journal *j, const char *text, struct err *e)
{
    CLEANUP(mem_cleanup) char *line = whole_line(text);

    return buf_append_str(&j->pending, line, e);
}

static int
begin(struct journal *j, const char *key, struct err *e)
{
    CLEANUP(mem_cleanup) char *first = first_text(key);
    CLEANUP(mem_cleanup) char *path = mem_strdup(j->path);

    if (append_line(j, first, e) != 0 || journal_commit(j, e) != 0) {
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
    return good == 0 ? begin(j, key, e) : 0;
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

int
journal_add(struct journal *j, char kind, const uint8_t tbs_hash[32],
            const struct tree_head *checkpoint, struct err *e)
{
    CLEANUP(mem_cleanup) char *line = NULL;
    char hash[65];
    char root[65];

    hex_format(span_of(tbs_hash, 32), hash);
    if (checkpoint == NULL) {
        line = mem_printf("%020" PRIu64 " %c %s", j->attempts + 1, kind, hash);
    } else {
        hex_format(span_of(checkpoint->root, 32), root);
        line = mem_printf("%020" PRIu64 " %c %s %020" PRIu64 " %s", j->attempts + 1, kind, hash,
                          checkpoint->size, root);
    }
    if (append_line(j, line, e) != 0) {
        return -1;
    }
    j->attempts++;
    if (checkpoint != NULL) {
        j->checkpoint = *checkpoint;
        j->has_checkpoint = true;
    }
    return 0;
}

int
journal_add_certificate(struct journal *j, const uint8_t tbs_hash[32],
                        const uint8_t serial[AGAIN_SERIAL], struct err *e)
{
    CLEANUP(mem_cleanup) char *line = NULL;
    char hash[65];
    char hex[2 * AGAIN_SERIAL + 1];

    hex_format(span_of(tbs_hash, 32), hash);
    hex_format(span_of(serial, AGAIN_SERIAL), hex);
    line = mem_printf("%020" PRIu64 " T %s %s", j->attempts + 1, hash, hex);
    if (append_line(j, line, e) != 0) {
        return -1;
    }
    j->attempts++;
    again_add_certificate(j->again, serial, tbs_hash);
    return 0;
}

int
journal_add_crl(struct journal *j, const struct crl_head *head, struct err *e)
{
    CLEANUP(mem_cleanup) char *line = NULL;
    char hash[65];

    hex_format(span_of(head->hash, 32), hash);
    line = mem_printf("%020" PRIu64 " L %s %020" PRIu64 " %020" PRId64, j->attempts + 1, hash,
                      head->number, head->this_update);
    if (append_line(j, line, e) != 0) {
        return -1;
    }
    j->attempts++;
    again_add_crl(j->again, head);
    return 0;
}

int
journal_commit(struct journal *j, struct err *e)
{
    size_t done = 0;

    while (done < j->pending.n) {
        ssize_t n = write(j->fd, j->pending.p + done, j->pending.n - done);

        if (n < 0 && errno != EINTR) {
            return err_errno(e, ERR_IO, errno, "write %s", j->path);
        }
        done += n > 0 ? (size_t)n : 0;
    }
    buf_truncate(&j->pending, 0);
    return fdatasync(j->fd) == 0 ? 0 : err_errno(e, ERR_IO, errno, "sync %s", j->path);
}

const struct again *
journal_again(const struct journal *j)
{
    return j->again;
}

uint64_t
journal_attempts(const struct journal *j)
{
    return j->attempts;
}

const struct tree_head *
journal_checkpoint(const struct journal *j)
{
    return j->has_checkpoint ? &j->checkpoint : NULL;
}
