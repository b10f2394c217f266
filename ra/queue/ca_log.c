/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/queue/ca_log.h"

#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/tlog/checkpoint.h"
#include "db/requests/requests.h"

/* What one commit keeps, while the next may be shown. */
struct keeping {
    struct store_op op;
    char *vkey;
    uint64_t size;
    struct buf note;
};

struct ca_log {
    struct ra *ra;
    struct log_key key; /* key.key NULL: not known yet */
    char *vkey;         /* the same as text */
    struct checkpoint seen;
    struct buf note; /* the same as it was signed */
    struct keeping keeping;
    bool busy;
};

/* ---- its key ---- */

static int
trim_key(struct buf *text, struct err *e)
{
    CLEANUP(log_key_free) struct log_key key = {0};

    if (log_key_parse(&key, buf_span(text), e) != 0) {
        return -1;
    }
    if (text->n > 0 && text->p[text->n - 1] == '\n') {
        buf_truncate(text, text->n - 1);
    }
    return 0;
}

int
ca_log_read_key(const char *path, struct buf *out, struct err *e)
{
    *out = BUF_INIT(REQUESTS_VKEY_MAX);
    return file_read(path, out, e) != 0 || trim_key(out, e) != 0 ? err_wrap(e, "log_key: %s", path)
                                                                 : 0;
}

static void
forget_key(struct ca_log *l)
{
    log_key_free(&l->key);
    mem_free(l->vkey);
    l->vkey = NULL;
}

/* From now on it is this log. */
static int
set_key(struct ca_log *l, struct span vkey, struct err *e)
{
    forget_key(l);
    l->vkey = mem_printf("%.*s", (int)vkey.n, (const char *)vkey.p);
    return log_key_parse(&l->key, vkey, e);
}

/* ---- ra.db ---- */

static int
run_keep(struct store_op *op, struct store_db *db, struct err *e)
{
    struct keeping *k = CONTAINER_OF(op, struct keeping, op);

    return requests_ca_log_keep(db, k->vkey, k->size, buf_span(&k->note), e);
}

static void keep(struct ca_log *l);

static void
on_kept(struct task *task)
{
    struct ca_log *l = CONTAINER_OF(task, struct ca_log, keeping.op.task);
    const uint64_t size = l->keeping.size;

    l->busy = false;
    mem_free(l->keeping.vkey);
    buf_free(&l->keeping.note);
    if (l->keeping.op.result != 0) {
        ra_fail(l->ra, &l->keeping.op.e);
    } else if (size < l->seen.size) {
        keep(l);
    }
}

static void
keep(struct ca_log *l)
{
    struct keeping *k = &l->keeping;
    struct err e = {0};

    if (l->busy) {
        return; /* on_kept() comes back */
    }
    l->busy = true;
    *k = (struct keeping){.op = {.run = run_keep, .task.done = on_kept},
                          .vkey = mem_strdup(l->vkey),
                          .size = l->seen.size,
                          .note = BUF_INIT(REQUESTS_NOTE_MAX)};
    (void)buf_set(&k->note, buf_span(&l->note), &e); /* of the same limit */
    store_submit(l->ra->store, &k->op);
}

struct loading {
    struct store_op op;
    const char *vkey;
    struct requests_ca_log found;
    bool is_found;
};

static int
run_load(struct store_op *op, struct store_db *db, struct err *e)
{
    struct loading *l = CONTAINER_OF(op, struct loading, op);

    return requests_ca_log_find(db, l->vkey, &l->found, &l->is_found, e);
}

static void
loading_cleanup(struct loading *l)
{
    requests_ca_log_clear(&l->found);
}

static int
load(struct ca_log *l, struct err *e)
{
    CLEANUP(loading_cleanup) struct loading loading = {.op = {.run = run_load}, .vkey = l->vkey};
    const struct requests_ca_log *found = &loading.found;

    if (store_call(l->ra->store, &loading.op, e) != 0) {
        return -1;
    }
    if (!loading.is_found) {
        return 0;
    }
    if (set_key(l, buf_span(&found->vkey), e) != 0 ||
        checkpoint_open(&l->key, buf_span(&found->note), &l->seen, e) != 0 ||
        buf_set(&l->note, buf_span(&found->note), e) != 0) {
        return err_wrap(e, "ra.db: what was seen of the CA's log");
    }
    return 0;
}

/* ---- what the CA shows ---- */

static int
check_log(struct ca_log *l, struct span vkey, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(REQUESTS_VKEY_MAX);

    if (vkey.n == 0 && l->key.key == NULL) {
        return err_set(e, ERR_INPUT, "no log is known yet");
    }
    if (vkey.n == 0) {
        return 0;
    }
    if (buf_set(&text, vkey, e) != 0 || trim_key(&text, e) != 0) {
        return -1;
    }
    if (l->key.key == NULL) {
        return set_key(l, buf_span(&text), e);
    }
    return span_equal(buf_span(&text), span_str(l->vkey))
               ? 0
               : err_set(e, ERR_DENIED,
                         "the CA shows the log %.*s, not %s: if it was begun by ceremony, name its "
                         "log.vkey in log_key",
                         (int)text.n, (const char *)text.p, l->vkey);
}

static int
check_growth(const struct ca_log *l, const struct checkpoint *shown, struct err *e)
{
    if (shown->size < l->seen.size) {
        return err_set(e, ERR_STALE,
                       "the CA's log has %" PRIu64 " leaves, and had %" PRIu64
                       " before: it is an older copy",
                       shown->size, l->seen.size);
    }
    if (shown->size == l->seen.size && !merkle_equal(&shown->root, &l->seen.root)) {
        return err_set(e, ERR_STALE,
                       "the CA's log has another root over %" PRIu64
                       " leaves than before: it is another history",
                       shown->size);
    }
    return 0;
}

int
ca_log_show(struct ca_log *l, struct span vkey, struct span note, struct err *e)
{
    const bool is_first = l->key.key == NULL;
    struct checkpoint shown;

    if (check_log(l, vkey, e) != 0 || checkpoint_open(&l->key, note, &shown, e) != 0) {
        if (is_first) {
            forget_key(l); /* nothing shows that this one has it */
        }
        return -1;
    }
    if (check_growth(l, &shown, e) != 0) {
        return -1;
    }
    if (shown.size == l->seen.size) {
        return 0;
    }
    l->seen = shown;
    if (buf_set(&l->note, note, e) != 0) {
        return -1;
    }
    keep(l);
    return 0;
}

struct span
ca_log_remembered(const struct ca_log *l)
{
    return buf_span(&l->note);
}

/* ---- life ---- */

bool
ca_log_is_busy(const struct ca_log *l)
{
    return l->busy;
}

struct ca_log *
ca_log_new(struct ra *ra, struct err *e)
{
    CLEANUP(ca_log_cleanup) struct ca_log *l = mem_new(sizeof(*l));
    const struct buf *pinned = &ra->credentials.log_key;

    l->ra = ra;
    l->note = BUF_INIT(REQUESTS_NOTE_MAX);
    if ((pinned->n > 0 && set_key(l, buf_span(pinned), e) != 0) || load(l, e) != 0) {
        return NULL;
    }
    return TAKE(l);
}

void
ca_log_free(struct ca_log *l)
{
    if (l != NULL) {
        forget_key(l);
        buf_free(&l->note);
        mem_free(l);
    }
}
