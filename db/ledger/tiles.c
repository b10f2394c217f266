/* SPDX-License-Identifier: Apache-2.0 */
#include "db/ledger/tiles.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "db/ledger/messages.h"

enum { NAME_MAX_DIGITS = 7 * 5 + 1, DECIMAL = 10 };

static const mode_t folder_mode = 0755;
static const mode_t file_mode = 0644;

/* C2SP tlog-tiles: 1234067 is x001/x234/067. */
static void
format_index(uint64_t index, char out[NAME_MAX_DIGITS])
{
    char digits[24];
    int n = snprintf(digits, sizeof(digits), "%021" PRIu64, index); /* 7 groups of 3 */
    int first = 0;
    size_t at = 0;

    assert(n == 21);
    while (first < 18 && strncmp(digits + first, "000", 3) == 0) {
        first += 3;
    }
    for (int i = first; i < 21; i += 3) {
        at += (size_t)snprintf(out + at, NAME_MAX_DIGITS - at, "%s%.3s%s", i < 18 ? "x" : "",
                               digits + i, i < 18 ? "/" : "");
    }
}

static char *
full_path(const char *dir, int level, uint64_t index, const char *behind)
{
    char name[NAME_MAX_DIGITS];

    format_index(index, name);
    if (level < 0) {
        return mem_printf("%s/tile/%s/%s%s", dir, level == TILE_ENTRIES ? "entries" : "messages",
                          name, behind);
    }
    return mem_printf("%s/tile/%d/%s%s", dir, level, name, behind);
}

char *
tile_path(const char *dir, int level, uint64_t index, unsigned width)
{
    char partial[16] = "";

    assert(width >= 1 && width <= TILE_WIDTH);
    if (width < TILE_WIDTH) {
        (void)snprintf(partial, sizeof(partial), ".p/%u", width);
    }
    return full_path(dir, level, index, partial);
}

char *
tile_partials(const char *dir, int level, uint64_t index)
{
    return full_path(dir, level, index, ".p");
}

/* ---- folders whose content changed ---- */

struct folders {
    char **paths;
    size_t n;
    size_t capacity;
};

static void
folders_free(struct folders *f)
{
    for (size_t i = 0; i < f->n; i++) {
        mem_free(f->paths[i]);
    }
    mem_free(f->paths);
}

static void
folders_add(struct folders *f, const char *path)
{
    for (size_t i = 0; i < f->n; i++) {
        if (strcmp(f->paths[i], path) == 0) {
            return;
        }
    }
    f->paths = mem_grow(f->paths, &f->capacity, f->n + 1, sizeof(f->paths[0]));
    f->paths[f->n++] = mem_strdup(path);
}

static int
folders_sync(const struct folders *f, struct err *e)
{
    for (size_t i = 0; i < f->n; i++) {
        if (file_sync_dir(f->paths[i], e) != 0) {
            return -1;
        }
    }
    return 0;
}

static char *
parent_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL) {
        return mem_strdup(".");
    }
    return slash == path ? mem_strdup("/") : mem_printf("%.*s", (int)(slash - path), path);
}

/* Makes the folders between `dir` and `path` that are missing and remembers what must be synced:
 * all of them, for one that is there may be of a process that was killed before it synced it. */
static int
make_parents(const char *dir, const char *path, struct folders *changed, struct err *e)
{
    CLEANUP(mem_cleanup) char *folder = parent_of(path);

    if (strcmp(folder, dir) != 0 && make_parents(dir, folder, changed, e) != 0) {
        return -1;
    }
    if (access(folder, X_OK) != 0) {
        if (errno != ENOENT) {
            return err_errno(e, ERR_IO, errno, "open %s", folder);
        }
        /* The umask of the programs is 077, and what is published is for everybody. */
        if (mkdir(folder, folder_mode) != 0 || chmod(folder, folder_mode) != 0) {
            return err_errno(e, ERR_IO, errno, "mkdir %s", folder);
        }
    }
    folders_add(changed, folder);
    return 0;
}

/* ---- files ---- */

static int
write_all(int fd, struct span bytes)
{
    while (bytes.n > 0) {
        ssize_t n = write(fd, bytes.p, bytes.n);

        if (n < 0 && errno != EINTR) {
            return -1;
        }
        if (n > 0) {
            bytes = span_of(bytes.p + n, bytes.n - (size_t)n);
        }
    }
    return 0;
}

/* Through DIR/.new: one name, so that a crash leaves at most one file that nobody reads. */
static int
put_file(const char *dir, const char *path, struct span bytes, struct err *e)
{
    CLEANUP(mem_cleanup) char *temporary = mem_printf("%s/.new", dir);
    CLEANUP(fd_cleanup)
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, file_mode);

    if (fd < 0 || fchmod(fd, file_mode) != 0 || write_all(fd, bytes) != 0 || fsync(fd) != 0 ||
        rename(temporary, path) != 0) {
        return err_errno(e, ERR_IO, errno, "publish %s", path);
    }
    return 0;
}

static void
dir_cleanup(DIR **dir)
{
    if (*dir != NULL) {
        (void)closedir(*dir);
    }
}

/* A reader with an older checkpoint takes the beginning of the full tile instead. */
static int
remove_partials(const char *dir, int level, uint64_t index, struct err *e)
{
    CLEANUP(mem_cleanup) char *folder = tile_partials(dir, level, index);
    CLEANUP(dir_cleanup) DIR *open_folder = opendir(folder);
    const struct dirent *entry;

    if (open_folder == NULL) {
        return errno == ENOENT ? 0 : err_errno(e, ERR_IO, errno, "open %s", folder);
    }
    while ((entry = readdir(open_folder)) != NULL) {
        if (entry->d_name[0] != '.' && unlinkat(dirfd(open_folder), entry->d_name, 0) != 0) {
            return err_errno(e, ERR_IO, errno, "remove %s/%s", folder, entry->d_name);
        }
    }
    return rmdir(folder) == 0 ? 0 : err_errno(e, ERR_IO, errno, "remove %s", folder);
}

static bool
is_there(const char *path, int level, unsigned width)
{
    struct stat st;

    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
        return false;
    }
    return level == TILE_MESSAGES  ? true /* of leaves that name none it is empty */
           : level == TILE_ENTRIES ? st.st_size > 0
                                   : st.st_size == (off_t)width * MERKLE_HASH;
}

static bool
tile_is_there(const struct tiles_job *job, int level, uint64_t index, unsigned width)
{
    CLEANUP(mem_cleanup) char *path = tile_path(job->dir, level, index, width);

    return is_there(path, level, width);
}

static int
put_octets(const struct tiles_job *job, int level, uint64_t index, unsigned width,
           struct span octets, struct folders *changed, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = tile_path(job->dir, level, index, width);

    return make_parents(job->dir, path, changed, e) != 0 ? -1 : put_file(job->dir, path, octets, e);
}

static int
put_hashes(const struct tiles_job *job, int level, uint64_t index, unsigned width,
           struct folders *changed, struct err *e)
{
    CLEANUP(buf_free) struct buf bytes = BUF_INIT(TILE_FILE_MAX);

    return job->source.hashes(job->source.arg, (unsigned)level * 8, index * TILE_WIDTH, width,
                              &bytes, e) != 0
               ? -1
               : put_octets(job, level, index, width, buf_span(&bytes), changed, e);
}

/* What was published of them with the checkpoint before; a file that cannot be read is none. */
static void
read_before(const struct tiles_job *job, uint64_t index, struct buf *out)
{
    const uint64_t begin = index * TILE_WIDTH;

    if (job->from > begin) {
        const uint64_t width = job->from - begin;
        CLEANUP(mem_cleanup)
        char *path = tile_path(job->dir, TILE_MESSAGES, index,
                               width < TILE_WIDTH ? (unsigned)width : TILE_WIDTH);

        if (file_read(path, out, &(struct err){0}) != 0) {
            buf_truncate(out, 0);
        }
    }
}

static int
put_messages(const struct tiles_job *job, uint64_t index, unsigned width, struct span leaves,
             struct folders *changed, struct err *e)
{
    CLEANUP(buf_free) struct buf before = BUF_INIT(MESSAGES_FILE_MAX);
    CLEANUP(buf_free) struct buf bytes = BUF_INIT(MESSAGES_FILE_MAX);

    read_before(job, index, &before);
    return job->source.messages(job->source.arg, leaves, buf_span(&before), &bytes, e) != 0
               ? -1
               : put_octets(job, TILE_MESSAGES, index, width, buf_span(&bytes), changed, e);
}

/* The leaves, and what they name. */
static int
put_leaves(const struct tiles_job *job, uint64_t index, unsigned width, struct folders *changed,
           struct err *e)
{
    CLEANUP(buf_free) struct buf bytes = BUF_INIT(BUNDLE_FILE_MAX);

    if (job->source.leaves(job->source.arg, index * TILE_WIDTH, width, &bytes, e) != 0) {
        return -1;
    }
    if ((!job->only_missing || !tile_is_there(job, TILE_ENTRIES, index, width)) &&
        put_octets(job, TILE_ENTRIES, index, width, buf_span(&bytes), changed, e) != 0) {
        return -1;
    }
    return job->source.messages == NULL ||
                   (job->only_missing && tile_is_there(job, TILE_MESSAGES, index, width))
               ? 0
               : put_messages(job, index, width, buf_span(&bytes), changed, e);
}

static bool
is_whole(const struct tiles_job *job, int level, uint64_t index, unsigned width)
{
    return tile_is_there(job, level, index, width) &&
           (level != TILE_ENTRIES || job->source.messages == NULL ||
            tile_is_there(job, TILE_MESSAGES, index, width));
}

static int
put_tile(const struct tiles_job *job, int level, uint64_t index, unsigned width,
         struct folders *changed, struct err *e)
{
    if (job->only_missing && is_whole(job, level, index, width)) {
        return 0;
    }
    return level == TILE_ENTRIES ? put_leaves(job, index, width, changed, e)
                                 : put_hashes(job, level, index, width, changed, e);
}

/* The tiles of one level that have more hashes than before; *full is how many of them are full. */
static int
put_level(const struct tiles_job *job, int level, struct folders *changed, struct err *e)
{
    unsigned shift = level < 0 ? 0 : (unsigned)level * 8;
    uint64_t from = job->from >> shift;
    uint64_t to = job->to >> shift;

    for (uint64_t index = from / TILE_WIDTH; index * TILE_WIDTH < to; index++) {
        uint64_t left = to - index * TILE_WIDTH;
        unsigned width = left < TILE_WIDTH ? (unsigned)left : TILE_WIDTH;

        if (index * TILE_WIDTH + width > from &&
            put_tile(job, level, index, width, changed, e) != 0) {
            return -1;
        }
    }
    return 0;
}

static int
tidy_level(const struct tiles_job *job, int level, struct err *e)
{
    unsigned shift = level < 0 ? 0 : (unsigned)level * 8;
    uint64_t to = (job->to >> shift) / TILE_WIDTH;

    for (uint64_t index = (job->from >> shift) / TILE_WIDTH; index < to; index++) {
        if (remove_partials(job->dir, level, index, e) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Each partial file of messages has all that those before it have, and a message may be large. */
static int
tidy_messages(const struct tiles_job *job, struct err *e)
{
    const uint64_t index = job->to / TILE_WIDTH;
    CLEANUP(mem_cleanup) char *folder = tile_partials(job->dir, TILE_MESSAGES, index);
    CLEANUP(dir_cleanup) DIR *open_folder = opendir(folder);
    bool there[TILE_WIDTH] = {false};
    const struct dirent *entry;
    unsigned kept = 0;

    if (open_folder == NULL) {
        return errno == ENOENT ? 0 : err_errno(e, ERR_IO, errno, "open %s", folder);
    }
    while ((entry = readdir(open_folder)) != NULL) {
        char *end;
        const unsigned long width = strtoul(entry->d_name, &end, DECIMAL);

        if (*end == '\0' && width < TILE_WIDTH) {
            there[width] = true;
        }
    }
    for (unsigned width = (unsigned)(job->to % TILE_WIDTH); width > 0; width--) {
        CLEANUP(mem_cleanup) char *path = tile_path(job->dir, TILE_MESSAGES, index, width);

        kept += there[width] ? 1 : 0;
        if (there[width] && kept > TILE_MESSAGES_KEPT && unlink(path) != 0) {
            return err_errno(e, ERR_IO, errno, "remove %s", path);
        }
    }
    return 0;
}

int
tiles_publish(const struct tiles_job *job, struct err *e)
{
    CLEANUP(folders_free) struct folders changed = {0};
    CLEANUP(mem_cleanup) char *checkpoint = mem_printf("%s/checkpoint", job->dir);

    /* What is there is left alone and relied on, whoever brought it there. */
    if (job->only_missing && file_sync_all(job->dir, e) != 0) {
        return -1;
    }
    for (int level = TILE_ENTRIES; level < TILE_LEVELS; level++) {
        if (put_level(job, level, &changed, e) != 0) {
            return -1;
        }
    }
    if (folders_sync(&changed, e) != 0 || put_file(job->dir, checkpoint, job->note, e) != 0 ||
        file_sync_dir(job->dir, e) != 0) {
        return -1;
    }
    for (int level = TILE_MESSAGES; level < TILE_LEVELS; level++) {
        if (tidy_level(job, level, e) != 0) {
            return -1;
        }
    }
    return tidy_messages(job, e);
}

/* The tiles of one level that became full with the leaves behind `from`. */
static int
mend_level(const struct tiles_job *job, int level, struct folders *changed, size_t *put,
           struct err *e)
{
    const unsigned shift = level < 0 ? 0 : (unsigned)level * 8;
    const uint64_t to = (job->to >> shift) / TILE_WIDTH;

    for (uint64_t index = (job->from >> shift) / TILE_WIDTH; index < to; index++) {
        if (!is_whole(job, level, index, TILE_WIDTH)) {
            if (put_tile(job, level, index, TILE_WIDTH, changed, e) != 0) {
                return -1;
            }
            ++*put;
        }
    }
    return 0;
}

int
tiles_mend(const struct tiles_job *job, size_t *put, struct err *e)
{
    CLEANUP(folders_free) struct folders changed = {0};
    struct tiles_job missing = *job;

    *put = 0;
    missing.only_missing = true;
    for (int level = TILE_ENTRIES; level < TILE_LEVELS; level++) {
        if (mend_level(&missing, level, &changed, put, e) != 0) {
            return -1;
        }
    }
    if (folders_sync(&changed, e) != 0) {
        return -1;
    }
    for (int level = TILE_MESSAGES; level < TILE_LEVELS; level++) {
        if (tidy_level(job, level, e) != 0) {
            return -1;
        }
    }
    return 0;
}
