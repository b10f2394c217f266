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
#include "db/audit/fetch/bring.h"
#include "db/audit/fetch/messages.h"

enum { SMALL_FILES = TLOG_POLICY_EACH, EVIDENCE_DIGITS = 16 };

static const mode_t folder_mode = 0755;
static const mode_t file_mode = 0644;

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
    const struct transfer_calls calls = {small_next, small_take, NULL, s};

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
    CLEANUP(mem_cleanup) char *path = bring_path(f, "log.vkey");
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
    CLEANUP(mem_cleanup) char *path = bring_path(f, "checkpoint");

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

/* Partial files of the earlier checkpoint, which nobody needs any more. */
static void
tidy(const struct fetch *f, uint64_t earlier, uint64_t now)
{
    for (int level = AUDIT_ENTRIES; level < AUDIT_LEVELS; level++) {
        struct plan_file old;
        struct plan_file new;

        if (plan_edge(earlier, level, &old) &&
            (!plan_edge(now, level, &new) || strcmp(old.name, new.name) != 0)) {
            CLEANUP(mem_cleanup) char *path = bring_path(f, old.name);

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
        if (bring_put(f, s->jobs[i].file.name, buf_span(&s->got[i]), e) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- all of it ---- */

/* It continues what the folder was: else the earlier checkpoint stays. */
static int
finish(const struct fetch *f, struct audit_log *log, const struct checkpoint *earlier,
       struct err *e)
{
    struct err why = {0};

    if (audit_consistency(log, earlier, &why) == 0) {
        return bring_put(f, "checkpoint", audit_note(log), e);
    }
    if (why.code == ERR_CONFLICT) {
        return refuse(f, audit_note(log), &why, e);
    }
    *e = why;
    return -1;
}

static int
fetch_all(const struct fetch *f, const struct log_key *key, struct fetch_result *result,
          struct err *e)
{
    CLEANUP(audit_log_cleanup) struct audit_log *log = NULL;
    CLEANUP(mem_cleanup) char *vkey = log_key_format(key);
    CLEANUP(small_free) struct small witnesses = {0};
    CLEANUP(buf_free) struct buf note = BUF_INIT(NOTE_MAX);
    CLEANUP(buf_free) struct buf earlier_note = BUF_INIT(NOTE_MAX);
    struct checkpoint earlier;
    struct checkpoint now;
    struct bring what;

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
        bring_put(f, "log.vkey", span_str(vkey), e) != 0) {
        return -1;
    }
    what = (struct bring){
        .f = f, .key = key, .note = buf_span(&note), .size = now.size, .earlier = earlier.size};
    log = bring_files(&what, &result->files, e);
    if (log == NULL || finish(f, log, &earlier, e) != 0 ||
        witnesses_put(f, key, &witnesses, e) != 0) {
        return -1;
    }
    tidy(f, earlier.size, now.size);
    return messages_bring(&what, log, result, e);
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
