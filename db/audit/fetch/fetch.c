/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/fetch/fetch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"

enum { SMALL_FILES = TLOG_POLICY_EACH, EVIDENCE_DIGITS = 16 };

static const mode_t folder_mode = 0755;
static const mode_t file_mode = 0644;

static char *
path_of(const struct fetch *f, const char *name)
{
    return mem_printf("%s/%s", f->dir, name);
}

/* ---- a few small files, which are kept in memory ---- */

struct small {
    struct transfer_job jobs[SMALL_FILES];
    struct buf got[SMALL_FILES]; /* empty: it is not there */
    size_t n;
    size_t asked;
};

static void
small_free(struct small *s)
{
    for (size_t i = 0; i < s->n; i++) {
        buf_free(&s->got[i]);
    }
}

static struct transfer_job *
small_add(struct small *s, size_t max)
{
    struct transfer_job *job = &s->jobs[s->n];

    *job = (struct transfer_job){.file = {.max = max}, .fresh = true};
    s->got[s->n++] = BUF_INIT(max);
    return job;
}

static bool
small_next(void *arg, struct transfer_job *job)
{
    struct small *s = arg;

    if (s->asked == s->n) {
        return false;
    }
    *job = s->jobs[s->asked++];
    return true;
}

static int
small_take(void *arg, const struct transfer_job *job, bool whole, struct span octets, struct err *e)
{
    struct small *s = arg;

    (void)whole;
    for (size_t i = 0; i < s->n; i++) {
        if (strcmp(s->jobs[i].file.name, job->file.name) == 0) {
            return octets.n == 0 ? err_set(e, ERR_INPUT, "it is empty")
                                 : buf_set(&s->got[i], octets, e);
        }
    }
    return 0;
}

static int
small_run(const struct fetch *f, struct small *s, struct err *e)
{
    const struct transfer_calls calls = {small_next, small_take, s};

    return transfer_run(&f->from, &calls, e);
}

static int
small_one(const struct fetch *f, const char *name, size_t max, struct buf *out, struct err *e)
{
    CLEANUP(small_free) struct small s = {0};

    (void)snprintf(small_add(&s, max)->file.name, PLAN_NAME_MAX, "%s", name);
    if (small_run(f, &s, e) != 0) {
        return -1;
    }
    return buf_set(out, buf_span(&s.got[0]), e);
}

/* ---- the key, and the checkpoint ---- */

static int
key_of(const struct fetch *f, struct log_key *key, enum fetch_key *from, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = path_of(f, "log.vkey");
    CLEANUP(mem_cleanup) char *given = f->key == NULL ? NULL : log_key_format(f->key);
    CLEANUP(buf_free) struct buf text = BUF_INIT(NOTE_KEY_MAX);
    const bool kept = file_read(path, &text, e) == 0;

    if (!kept && e->code != ERR_NOTFOUND) {
        return -1;
    }
    *from = kept ? FETCH_KEY_KEPT : FETCH_KEY_FIRST;
    if (given != NULL) {
        if (kept && !span_equal(buf_span(&text), span_str(given))) {
            return err_set(e, ERR_CRYPTO, "%s is not the trusted key", path);
        }
        *from = FETCH_KEY_GIVEN;
        return log_key_parse(key, span_str(given), e);
    }
    if ((!kept && small_one(f, "log.vkey", NOTE_KEY_MAX, &text, e) != 0) ||
        log_key_parse(key, buf_span(&text), e) != 0) {
        return err_wrap(e, "log.vkey");
    }
    if (f->policy != NULL && tlog_policy_has_logs(f->policy)) {
        *from = FETCH_KEY_GIVEN;
    }
    return 0;
}

static int
policy_check_log(const struct fetch *f, const struct log_key *key, struct err *e)
{
    return f->policy == NULL || !tlog_policy_has_logs(f->policy) ||
                   tlog_policy_has_log(f->policy, key)
               ? 0
               : err_set(e, ERR_CRYPTO, "the policy does not name this log");
}

/* What the folder has so far; *size is 0 when it has nothing. */
static int
earlier_of(const struct fetch *f, const struct log_key *key, struct buf *note,
           struct checkpoint *earlier, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = path_of(f, "checkpoint");

    *earlier = (struct checkpoint){0};
    if (file_read(path, note, e) != 0) {
        return e->code == ERR_NOTFOUND ? 0 : -1;
    }
    return checkpoint_open(key, buf_span(note), earlier, e) == 0 ? 0 : err_wrap(e, "%s", path);
}

/* Both are signed by the log: together they prove what it did. */
static int
refuse(const struct fetch *f, struct span note, const struct err *why, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = NULL;
    uint8_t hash[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];

    if (sha256(note, hash, e) != 0) {
        return -1;
    }
    hex_format(span_of(hash, sizeof(hash)), hex);
    path = mem_printf("%s/checkpoint.refused-%.*s", f->dir, EVIDENCE_DIGITS, hex);
    if (file_write(path, note, file_mode, e) != 0) {
        return err_wrap(e, "%s; and that could not be kept", why->text);
    }
    return err_set(e, ERR_CONFLICT, "%s; it is kept in %s", why->text, path);
}

static int
compare(const struct fetch *f, struct span note, const struct checkpoint *now,
        const struct checkpoint *earlier, struct err *e)
{
    struct err why = {0};

    if (now->size < earlier->size) {
        (void)err_set(&why, ERR_CONFLICT,
                      "the source is behind, or was rolled back: its checkpoint covers %" PRIu64
                      " leaves, that of the folder %" PRIu64,
                      now->size, earlier->size);
        return refuse(f, note, &why, e);
    }
    if (now->size == earlier->size && earlier->size > 0 &&
        !merkle_equal(&now->root, &earlier->root)) {
        (void)err_set(&why, ERR_CONFLICT,
                      "fork: the source has another root for the %" PRIu64 " leaves of the folder",
                      now->size);
        return refuse(f, note, &why, e);
    }
    return 0;
}

/* ---- tiles and entries ---- */

struct bringing {
    const struct fetch *f;
    struct plan plan;
    uint64_t done;
    uint64_t all;
    uint64_t came;
};

static void
told(struct bringing *b)
{
    b->done++;
    if (b->f->progress != NULL) {
        b->f->progress(b->f->arg, b->done, b->all);
    }
}

static bool
is_there(const struct fetch *f, const struct plan_file *file, const char *name, unsigned width)
{
    CLEANUP(mem_cleanup) char *path = path_of(f, name);
    struct stat st;

    if (name[0] == '\0' || stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
        return false;
    }
    return file->level == AUDIT_ENTRIES ? st.st_size > 0 : st.st_size == (off_t)width * MERKLE_HASH;
}

static bool
tile_next(void *arg, struct transfer_job *job)
{
    struct bringing *b = arg;

    while (plan_next(&b->plan, &job->file)) {
        if (!is_there(b->f, &job->file, job->file.whole, AUDIT_WIDTH) &&
            !is_there(b->f, &job->file, job->file.name, job->file.width)) {
            return true;
        }
        told(b);
    }
    return false;
}

static int
put(const struct fetch *f, const char *name, struct span octets, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = path_of(f, name);
    CLEANUP(mem_cleanup) char *folder = mem_strdup(path);
    char *slash = strrchr(folder, '/');

    *slash = '\0';
    return file_mkdirs(folder, folder_mode, e) != 0 ? -1 : file_write(path, octets, file_mode, e);
}

static int
tile_take(void *arg, const struct transfer_job *job, bool whole, struct span octets, struct err *e)
{
    struct bringing *b = arg;
    const unsigned width = whole ? (unsigned)AUDIT_WIDTH : job->file.width;

    if (plan_check(&job->file, width, octets, e) != 0 ||
        put(b->f, whole ? job->file.whole : job->file.name, octets, e) != 0) {
        return -1;
    }
    b->came++;
    told(b);
    return 0;
}

static int
bring(const struct fetch *f, uint64_t size, struct fetch_result *result, struct err *e)
{
    struct bringing b = {.f = f, .all = plan_count(size)};
    const struct transfer_calls calls = {tile_next, tile_take, &b};

    plan_begin(&b.plan, size);
    if (transfer_run(&f->from, &calls, e) != 0) {
        return -1;
    }
    result->files += b.came;
    return 0;
}

/* Partial files of the earlier checkpoint, which nobody needs any more. */
static void
tidy(const struct fetch *f, uint64_t earlier, uint64_t now)
{
    for (int level = AUDIT_ENTRIES; level < AUDIT_LEVELS; level++) {
        struct plan_file old;
        struct plan_file new;

        if (plan_edge(earlier, level, &old) &&
            (!plan_edge(now, level, &new) || strcmp(old.name, new.name) != 0)) {
            CLEANUP(mem_cleanup) char *path = path_of(f, old.name);

            (void)unlink(path);
            *strrchr(path, '/') = '\0';
            (void)rmdir(path); /* when it is empty */
        }
    }
}

/* ---- what witnesses gave back ---- */

static int
witnesses_ask(const struct fetch *f, struct small *s, struct err *e)
{
    const size_t n = f->policy == NULL ? 0 : tlog_policy_witnesses(f->policy);

    for (size_t i = 0; i < n; i++) {
        const struct cosigner *key = &tlog_policy_witness(f->policy, i)->key;
        struct transfer_job *job = small_add(s, NOTE_MAX);

        job->optional = true;
        (void)snprintf(job->file.name, PLAN_NAME_MAX, "witness/%02x%02x%02x%02x", key->id[0],
                       key->id[1], key->id[2], key->id[3]);
    }
    return n == 0 ? 0 : small_run(f, s, e);
}

static int
witnesses_put(const struct fetch *f, const struct log_key *key, const struct small *s,
              struct err *e)
{
    for (size_t i = 0; i < s->n; i++) {
        struct checkpoint checkpoint;

        if (s->got[i].n == 0) {
            continue;
        }
        if (checkpoint_open(key, buf_span(&s->got[i]), &checkpoint, e) != 0) {
            return err_wrap(e, "%s", s->jobs[i].file.name);
        }
        if (put(f, s->jobs[i].file.name, buf_span(&s->got[i]), e) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- all of it ---- */

/* The folder as it is now continues what it was: else the earlier checkpoint is put back. */
static int
finish(const struct fetch *f, const struct log_key *key, struct span note, struct span earlier_note,
       const struct checkpoint *earlier, struct err *e)
{
    CLEANUP(audit_log_cleanup) struct audit_log *log = NULL;
    struct err why = {0};
    struct err ignored;

    if (put(f, "checkpoint", note, e) != 0) {
        return -1;
    }
    if (earlier->size == 0) {
        return 0;
    }
    log = audit_open(f->dir, key, &why);
    if (log != NULL && audit_consistency(log, earlier, &why) == 0) {
        return 0;
    }
    (void)put(f, "checkpoint", earlier_note, &ignored);
    if (log != NULL && why.code == ERR_CONFLICT) {
        return refuse(f, note, &why, e);
    }
    *e = why;
    return -1;
}

static int
fetch_all(const struct fetch *f, const struct log_key *key, struct fetch_result *result,
          struct err *e)
{
    CLEANUP(mem_cleanup) char *vkey = log_key_format(key);
    CLEANUP(small_free) struct small witnesses = {0};
    CLEANUP(buf_free) struct buf note = BUF_INIT(NOTE_MAX);
    CLEANUP(buf_free) struct buf earlier_note = BUF_INIT(NOTE_MAX);
    struct checkpoint earlier;
    struct checkpoint now;

    /* What witnesses saw is asked for first: then it is of this checkpoint or before. */
    if (earlier_of(f, key, &earlier_note, &earlier, e) != 0 ||
        witnesses_ask(f, &witnesses, e) != 0 ||
        small_one(f, "checkpoint", NOTE_MAX, &note, e) != 0 ||
        checkpoint_open(key, buf_span(&note), &now, e) != 0) {
        return -1;
    }
    result->size = now.size;
    result->earlier = earlier.size;
    if (compare(f, buf_span(&note), &now, &earlier, e) != 0 ||
        put(f, "log.vkey", span_str(vkey), e) != 0 || bring(f, now.size, result, e) != 0 ||
        finish(f, key, buf_span(&note), buf_span(&earlier_note), &earlier, e) != 0 ||
        witnesses_put(f, key, &witnesses, e) != 0) {
        return -1;
    }
    tidy(f, earlier.size, now.size);
    return 0;
}

int
fetch_folder(const struct fetch *f, struct fetch_result *result, struct err *e)
{
    CLEANUP(log_key_free) struct log_key key = {0};

    *result = (struct fetch_result){0};
    if (transfer_url(f->from.url, e) != 0 || file_mkdirs(f->dir, folder_mode, e) != 0 ||
        key_of(f, &key, &result->key_from, e) != 0 || policy_check_log(f, &key, e) != 0) {
        return -1;
    }
    memcpy(result->key, key.id, LOG_KEY_ID);
    return fetch_all(f, &key, result, e);
}
