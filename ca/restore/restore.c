/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps in a table, so that a test can end the program before each (tests/fault/restore.sh). All
 * but the last two change nothing but the copy; step_fold, before there is one, brings what is left
 * into one file and to this program's schema, as a start would.
 */
#include "ca/restore/restore.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "ca/daemon/record.h"
#include "ca/restore/state.h"

enum { NAME_OCTETS = 4 };

static void
restore_free(struct restore *r)
{
    for (size_t i = 0; i < ARRAY_LEN(r->approvals); i++) {
        plan_approval_free(&r->approvals[i]);
    }
    restore_close(r);
    buf_free(&r->on_trust);
    rebuild_free(r->rebuild);
    published_free(r->published);
    log_key_free(&r->key);
    newest_crl_free(&r->crl);
    previous_free(&r->previous);
    adoption_free(&r->adoption);
    work_free(&r->work);
    mem_free(r->text);
}

/* ---- what was signed, and what is published ---- */

static int
check_published(const struct restore *r, const struct checkpoint *has, struct err *e)
{
    if (has->size < r->last.size) {
        return err_set(e, ERR_STALE,
                       "leaves %" PRIu64 " to %" PRIu64
                       " were signed, and %s does not have them: take the newest copy of it; when "
                       "no copy has them, they are missing for good, and a new log begins, "
                       "nfpki-ca(8)",
                       has->size, r->last.size - 1, r->ca->conf.ledger_dir);
    }
    if (has->size > r->last.size) {
        return err_set(e, ERR_STALE,
                       "%s has a checkpoint over %" PRIu64
                       " leaves, the log signer's journal ends at %" PRIu64
                       ": put back the newest journal, nfpki-ca(8)",
                       r->ca->conf.ledger_dir, has->size, r->last.size);
    }
    return memcmp(has->root.octets, r->last.root, sizeof(r->last.root)) == 0
               ? 0
               : err_set(e, ERR_STALE, "%s has another history than what was signed",
                         r->ca->conf.ledger_dir);
}

static int
open_published(struct restore *r, struct err *e)
{
    r->published = published_open(r->ca->conf.ledger_dir, &r->key, e);
    if (r->published == NULL) {
        return -1;
    }
    r->plan.log = *published_checkpoint(r->published);
    return check_published(r, &r->plan.log, e);
}

/* The new log's key has signed nothing; what counts is what is published of the old one. */
static int
open_previous(struct restore *r, struct err *e)
{
    const struct restore_options *o = r->options;

    if (r->last.size > 0) {
        return err_set(e, ERR_CONFLICT,
                       "the log's key has signed %" PRIu64
                       " leaves: a new log has a new key, of the ceremony key-generate",
                       r->last.size);
    }
    if (previous_read(o->old_ledger, o->signed_head, &r->key, &r->previous, e) != 0) {
        return -1;
    }
    r->published = published_open(o->old_ledger, &r->previous.key, e);
    if (r->published == NULL) {
        return -1;
    }
    r->plan.log = *published_checkpoint(r->published);
    r->plan.previous = &r->previous;
    r->plan.origin = r->key.origin;
    r->last.size = r->plan.log.size;
    memcpy(r->last.root, r->plan.log.root.octets, sizeof(r->last.root));
    return 0;
}

static int
step_ask(struct restore *r, struct err *e)
{
    struct ca *ca = r->ca;
    const struct ledger_options options = {
        .dir = ca->conf.ledger_dir, .origin = ca->conf.log_origin, .spki = signer_spki(ca->log)};

    ca->ledger = ledger_new(&options, e);
    if (ca->ledger == NULL || ca_record_last(ca, &r->last, e) != 0 ||
        log_key_set(&r->key, ca->conf.log_origin, signer_spki(ca->log), e) != 0 ||
        newest_crl_read(ca, &r->crl, e) != 0) {
        return -1;
    }
    r->plan.crl_number = r->crl.number;
    memcpy(r->plan.crl_hash, r->crl.hash, sizeof(r->plan.crl_hash));
    if (r->options->adopt != NULL &&
        adoption_read(r->options->adopt, &ca->policy, &r->adoption, e) != 0) {
        return -1;
    }
    memcpy(r->plan.adopt_hash, r->adoption.hash, sizeof(r->plan.adopt_hash));
    return r->options->old_ledger != NULL ? open_previous(r, e) : open_published(r, e);
}

/* ---- the copy ---- */

/* What is left of it is whole, and its WAL in the file. */
static int
step_fold(struct restore *r, struct err *e)
{
    struct store_options options = ca_store_options(r->ca, r->ca->conf.database);
    struct store *store;

    options.finished = NULL;
    if (access(r->ca->conf.database, F_OK) != 0) {
        return ca_make_folder(r->ca->conf.state_dir, 0700, e);
    }
    store = store_open(&options, e);
    if (store == NULL) {
        return err_wrap(e, "what is left of the database: move it away to restore without it");
    }
    store_free(store);
    return 0;
}

static int
step_lock(struct restore *r, struct err *e)
{
    return work_lock(&r->work, e);
}

static int
step_copy(struct restore *r, struct err *e)
{
    return work_copy(&r->work, e);
}

/* ---- it takes its place ---- */

static int
step_close(struct restore *r, struct err *e)
{
    restore_close(r);
    return work_sync(&r->work, e);
}

static int
step_swap(struct restore *r, struct err *e)
{
    uint8_t hash[SHA256_SIZE];
    CLEANUP(mem_cleanup) char *name = NULL;
    CLEANUP(mem_cleanup) char *kept = NULL;

    if (sha256(span_str(r->text), hash, e) != 0) {
        return -1;
    }
    name = hex_dup(span_of(hash, NAME_OCTETS));
    kept = mem_printf("%s.before-%s", r->ca->conf.database, name);
    return work_swap(&r->work, kept, e);
}

static int
step_tell(struct restore *r, struct err *e)
{
    const struct restore_plan *p = &r->plan;

    (void)e;
    log_event(LOG_WARNING, "restored",
              "leaves %" PRIu64 " to %" PRIu64 " were read back: %" PRId64
              " registrations, %" PRId64 " certificates, %" PRId64 " revocations; start nfpki-ca",
              p->from, p->log.size - 1, p->back.registrations, p->back.certificates,
              p->back.revocations);
    return 0;
}

typedef int step(struct restore *, struct err *e);
static step *const PLAN[] = {step_ask,     step_fold, step_lock,   step_copy,
                             step_believe, step_read, step_compare};
static step *const DO[] = {step_officers, step_record, step_verify,
                           step_close,    step_swap,   step_tell};

static int
run_steps(struct restore *r, step *const *steps, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        if (steps[i](r, e) != 0) {
            return -1;
        }
    }
    return 0;
}

static int
make_plan(struct restore *r, struct err *e)
{
    r->plan.time = r->now;
    r->text = plan_format(&r->plan);
    restore_close(r);
    return work_remove(&r->work, e);
}

int
restore_run(struct ca *ca, const struct restore_options *options, char **plan, struct err *e)
{
    CLEANUP(restore_free)
    struct restore r = {.ca = ca,
                        .options = options,
                        .now = clock_now(),
                        .on_trust = BUF_INIT(ISSUANCE_ON_TRUST_MAX)};

    work_init(&r.work, ca->conf.database);
    if (run_steps(&r, PLAN, ARRAY_LEN(PLAN), e) != 0 ||
        (options->approvals[0] == NULL ? make_plan(&r, e) : run_steps(&r, DO, ARRAY_LEN(DO), e)) !=
            0) {
        return -1;
    }
    *plan = TAKE(r.text);
    return 0;
}
