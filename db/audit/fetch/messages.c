/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/fetch/messages.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/ledger/messages.h"

struct asking {
    const struct bring *what;
    struct audit_log *log;
    uint64_t at; /* the next file, of so many: */
    uint64_t files;
    uint64_t came;
    uint64_t wrong;
    uint64_t asked;
};

/* Beside one that is wrong: why. It is asked for again the next time. */
static char *
mark_of(const struct fetch *f, const char *name)
{
    CLEANUP(mem_cleanup) char *mark = mem_printf("%s.wrong", name);

    return bring_path(f, mark);
}

static void
name_file(uint64_t size, uint64_t index, struct plan_file *file)
{
    const uint64_t left = size - index * AUDIT_WIDTH;
    char name[AUDIT_NAME_MAX];

    audit_name(AUDIT_MESSAGES, index, name);
    *file = (struct plan_file){.level = AUDIT_MESSAGES,
                               .index = index,
                               .width = left < AUDIT_WIDTH ? (unsigned)left : AUDIT_WIDTH,
                               .max = MESSAGES_FILE_MAX};
    if (file->width == AUDIT_WIDTH) {
        (void)snprintf(file->name, sizeof(file->name), "%s", name);
    } else {
        (void)snprintf(file->name, sizeof(file->name), "%s.p/%u", name, file->width);
        (void)snprintf(file->whole, sizeof(file->whole), "%s", name);
    }
}

static bool
is_there(const struct fetch *f, const char *name)
{
    CLEANUP(mem_cleanup) char *path = bring_path(f, name);
    struct stat st;

    return name[0] != '\0' && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool
is_wrong(const struct fetch *f, const char *name)
{
    CLEANUP(mem_cleanup) char *mark = mark_of(f, name);

    return access(mark, F_OK) == 0;
}

/* transfer_calls */
static bool
next(void *arg, struct transfer_job *job)
{
    struct asking *a = arg;
    const struct fetch *f = a->what->f;

    while (a->at < a->files) {
        name_file(a->what->size, a->at++, &job->file);
        if (f->progress != NULL) {
            f->progress(f->arg, a->at, a->files);
        }
        if (is_wrong(f, job->file.name) ||
            (!is_there(f, job->file.name) && !is_there(f, job->file.whole))) {
            job->optional = true;
            a->asked++;
            return true;
        }
    }
    return false;
}

/* Octets that the leaves of this file name. */
static int
check(struct asking *a, const struct plan_file *file, bool whole, struct span octets, size_t *n,
      struct err *e)
{
    CLEANUP(buf_free) struct buf entries = BUF_INIT(PLAN_BUNDLE_MAX);
    struct messages m = {.file = octets, .to = file->width};
    char name[AUDIT_NAME_MAX];
    struct message message;
    bool full;
    bool more;

    if (audit_read_tile(a->log, AUDIT_ENTRIES, file->index, file->width, name, &full, &entries,
                        e) != 0) {
        return -1;
    }
    m.entries = buf_span(&entries);
    do {
        if (messages_next(&m, &message, &more, e) != 0) {
            e->code = ERR_INPUT; /* it is asked for again */
            return -1;
        }
    } while (more);
    *n = octets.n - m.file.n;
    return whole || m.file.n == 0 ? 0 : err_set(e, ERR_INPUT, "%zu octets too many", m.file.n);
}

/* Partial files of earlier checkpoints, which nobody needs once this one is there. */
static void
tidy(const struct fetch *f, const struct plan_file *file)
{
    char name[AUDIT_NAME_MAX];
    CLEANUP(mem_cleanup) char *path = NULL;
    CLEANUP(mem_cleanup) char *folder = NULL;

    audit_name(AUDIT_MESSAGES, file->index, name);
    path = bring_path(f, name);
    folder = mem_printf("%s.p", path);
    if (access(folder, F_OK) != 0) {
        return;
    }
    for (unsigned width = 1; width < file->width; width++) {
        CLEANUP(mem_cleanup) char *old = mem_printf("%s/%u", folder, width);
        CLEANUP(mem_cleanup) char *mark = mem_printf("%s.wrong", old);

        (void)unlink(old);
        (void)unlink(mark);
    }
    (void)rmdir(folder); /* when it is empty */
}

/* transfer_calls */
static int
take(void *arg, const struct transfer_job *job, bool whole, struct span octets, struct err *e)
{
    struct asking *a = arg;
    CLEANUP(mem_cleanup) char *mark = mark_of(a->what->f, job->file.name);
    size_t n;

    if (check(a, &job->file, whole, octets, &n, e) != 0 ||
        bring_put(a->what->f, job->file.name, span_of(octets.p, n), e) != 0) {
        return -1;
    }
    (void)unlink(mark);
    tidy(a->what->f, &job->file);
    a->came++;
    return 0;
}

/* transfer_calls: the log is whole all the same, and who reads the folder finds what is wrong. */
static int
keep_wrong(void *arg, const struct transfer_job *job, struct span octets, const struct err *why,
           struct err *e)
{
    struct asking *a = arg;
    CLEANUP(mem_cleanup) char *mark = mem_printf("%s.wrong", job->file.name);

    a->wrong++;
    return bring_put(a->what->f, mark, span_str(why->text), e) != 0
               ? -1
               : bring_put(a->what->f, job->file.name, octets, e);
}

int
messages_bring(const struct bring *what, struct audit_log *log, struct fetch_result *result,
               struct err *e)
{
    struct asking a = {
        .what = what, .log = log, .files = (what->size + AUDIT_WIDTH - 1) / AUDIT_WIDTH};
    const struct transfer_calls calls = {next, take, keep_wrong, &a};

    if (transfer_run(&what->f->from, &calls, e) != 0) {
        return -1;
    }
    result->files += a.came;
    result->messages_wrong = a.wrong;
    result->messages_absent = a.asked - a.came - a.wrong;
    return 0;
}
