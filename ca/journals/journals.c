/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of each key, on the loop:
 *
 *   REST --EACH_S--> [what was signed last, of the log] --> first step (store)
 *     ^                   --> lines (signer) --> step (store) --+
 *     +-- nothing is left --------------------------------------+-- again, or of the next signer
 *
 * A signer that does not answer is left out until the next time: when it comes back it is looked at
 * before it signs (look_again(), on its client's thread).
 */
#include "ca/journals/journals.h"

#include <event2/event.h>
#include <string.h>

#include "ca/journals/compare.h"
#include "db/store/batch.h"
#include "pkcs11/client/evidence.h"

enum { FIRST_S = 1, EACH_S = 10 };

struct watch {
    struct journals *all;
    struct compare compare;
    struct signer_job job;
    struct event *timer;
    uint8_t question[ATTEMPTED_QUESTION_SIZE];
};

struct journals {
    struct ca *ca;
    struct watch issuing;
    struct watch log;
};

/* ---- blocking: at start, and on a client's thread ---- */

static int
step_now(struct compare *c, struct err *e)
{
    c->op = (struct store_op){.run = compare_step};
    return c->looks != NULL ? compare_step(&c->op, c->looks, e)
                            : store_call(c->ca->store, &c->op, e);
}

static int
prepare(struct compare *c, struct err *e)
{
    struct signed_last last = {0};

    c->stored = ledger_stored(c->ca->ledger);
    if (compare_is_of_log(c) && signer_last(c->signer, &last, e) != 0) {
        return err_wrap(e, "signer %s", c->name);
    }
    c->last = last;
    return step_now(c, e);
}

static void
say_missed(const struct compare *c, struct err *e)
{
    log_err(LOG_WARNING, "journal-not-compared", e, "%s: at the stop", c->name);
    *e = (struct err){0};
}

/* `may_miss`: a signer that does not answer is left out. */
static int
compare_all(struct compare *c, bool may_miss, struct err *e)
{
    int result = prepare(c, e);

    while (result == 0 && c->more) {
        if (signer_attempted(c->signer, c->first, &c->answer, e) != 0) {
            if (!may_miss) {
                return err_wrap(e, "signer %s", c->name);
            }
            say_missed(c, e);
            compare_miss(c, &c->more);
        }
        result = c->more ? step_now(c, e) : 0;
    }
    return result;
}

/* Where nothing of it is kept. */
struct trial {
    struct ca *ca;
    struct store_db *db;
    struct unknown_line *unknown; /* NULL: it is logged */
};

static int
compare_now(struct ca *ca, bool of_log, const struct trial *trial, bool may_miss, struct err *e)
{
    struct compare c;
    int result;

    compare_begin(&c, ca, of_log);
    c.may_begin = true;
    c.looks = trial == NULL ? NULL : trial->db;
    c.unknown = trial == NULL ? NULL : trial->unknown;
    result = compare_all(&c, may_miss, e);
    compare_free(&c);
    return result;
}

/* It was restarted: its journal may be another one by now. */
static int
look_again(void *arg, struct signer *signer, struct err *e)
{
    struct compare c;
    int result;

    compare_begin_only(&c, arg, signer);
    result = compare_all(&c, false, e);
    compare_free(&c);
    if (result != 0 && (e->code == ERR_STALE || e->code == ERR_STORE)) {
        ca_die(e, "the journal of a signer that came back");
    }
    return result;
}

static int
look_at_both(void *arg, struct store_db *db, struct err *e)
{
    struct trial *t = arg;

    t->db = db;
    return compare_now(t->ca, true, t, false, e) != 0 ? -1 : compare_now(t->ca, false, t, false, e);
}

static int
look(struct ca *ca, struct store_db *db, struct unknown_line *unknown, struct err *e)
{
    struct trial trial = {.ca = ca, .unknown = unknown};

    return store_try(db, look_at_both, &trial, e);
}

int
journals_look(struct ca *ca, struct store_db *db, struct err *e)
{
    return db == NULL ? 0 /* what was signed is then more than what is there */
                      : look(ca, db, NULL, e);
}

int
journals_unknown(struct ca *ca, struct store_db *db, struct unknown_line *out, struct err *e)
{
    *out = (struct unknown_line){0};
    return look(ca, db, out, e) == 0 || out->found ? 0 : -1;
}

int
journals_open(struct ca *ca, struct err *e)
{
    if (compare_now(ca, true, NULL, false, e) != 0 || compare_now(ca, false, NULL, false, e) != 0) {
        return -1;
    }
    /* Not before: it begins nothing, so a connection that is lost meanwhile would find no row. */
    for (size_t i = 0; i < signer_pool_n(ca->issuing); i++) {
        signer_look(signer_pool_at(ca->issuing, i), look_again, ca);
    }
    signer_look(ca->log, look_again, ca);
    return 0;
}

void
journals_end(struct ca *ca)
{
    struct err e = {0};

    if (compare_now(ca, false, NULL, true, &e) != 0) {
        log_err(LOG_WARNING, "journal-not-compared", &e, "at the stop");
    }
}

/* ---- on the loop ---- */

static void
rest(struct watch *w, time_t seconds)
{
    const struct timeval pause = {.tv_sec = seconds};

    (void)event_add(w->timer, &pause);
}

static void
end(struct watch *w)
{
    compare_free(&w->compare);
    w->all->ca->jobs--;
    rest(w, EACH_S);
}

static void on_told(struct task *task);

static void
ask(struct watch *w, enum signer_object object, struct span question)
{
    w->job = (struct signer_job){.task = {.done = on_told}, .object = object, .tbs = question};
    signer_submit(w->compare.signer, &w->job);
}

static void
on_stepped(struct task *task)
{
    struct watch *w = CONTAINER_OF(task, struct watch, compare.op.task);

    if (w->compare.op.result != 0) {
        ca_die(&w->compare.op.e, "the journals");
    }
    if (!w->compare.more || w->all->ca->stopping) {
        end(w);
        return;
    }
    attempted_ask(w->compare.first, w->question);
    ask(w, SIGNER_ATTEMPTED, span_of(w->question, sizeof(w->question)));
}

static void
step(struct watch *w)
{
    w->compare.op = (struct store_op){.run = compare_step, .task = {.done = on_stepped}};
    store_submit(w->all->ca->store, &w->compare.op);
}

static void
on_told(struct task *task)
{
    struct watch *w = CONTAINER_OF(task, struct watch, job.task);
    struct compare *c = &w->compare;
    struct err e = {0};
    int result = w->job.result;
    bool more = true;

    if (result == 0) {
        result = w->job.object == SIGNER_LAST
                     ? signed_last_decode(buf_span(&w->job.signature), &c->last, &e)
                     : buf_set(&c->answer, buf_span(&w->job.signature), &e);
    } else {
        e = w->job.e;
    }
    buf_free(&w->job.signature);
    if (result != 0) {
        log_err(LOG_WARNING, "journal-not-compared", &e, "%s: again in %d s", c->name, EACH_S);
        compare_miss(c, &more);
    }
    if (more) {
        step(w);
    } else {
        end(w);
    }
}

static void
on_time(evutil_socket_t fd, short what, void *arg)
{
    struct watch *w = arg;
    struct ca *ca = w->all->ca;

    (void)fd;
    (void)what;
    if (ca->stopping) {
        return;
    }
    ca->jobs++;
    compare_begin(&w->compare, ca, w == &w->all->log);
    w->compare.stored = ledger_stored(ca->ledger);
    if (compare_is_of_log(&w->compare)) {
        ask(w, SIGNER_LAST, SIGNER_LAST_TEXT);
    } else {
        step(w);
    }
}

static void
watch(struct watch *w, struct journals *all)
{
    w->all = all;
    w->timer = ca_timer(all->ca, on_time, w);
    rest(w, FIRST_S);
}

struct journals *
journals_new(struct ca *ca)
{
    struct journals *all = mem_new(sizeof(*all));

    all->ca = ca;
    watch(&all->issuing, all);
    watch(&all->log, all);
    return all;
}

void
journals_free(struct journals *all)
{
    if (all == NULL) {
        return;
    }
    event_free(all->issuing.timer);
    event_free(all->log.timer);
    compare_free(&all->issuing.compare);
    compare_free(&all->log.compare);
    mem_free(all);
}

int
journals_row(struct store_db *db, const struct signer *signer, const struct ca_signer *conf,
             enum issuance_journal_kind kind, struct issuance_journal *row, struct err *e)
{
    bool found;

    *row = (struct issuance_journal){.number = conf->number, .kind = kind};
    return sha256(signer_spki(signer), row->key, e) != 0
               ? -1
               : issuance_journal_find(db, row, &found, e);
}
