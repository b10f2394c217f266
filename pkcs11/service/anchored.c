/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/service/anchored.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/ossl.h"

struct anchored {
    struct session *session;
    uint8_t id[KEY_ID_SIZE];
    uint8_t run[ANCHOR_RUN_SIZE];
    bool found;
    bool ours;          /* `last` is of this run */
    struct anchor last; /* seen, or written */
    bool lost;
    struct err why;
};

void
anchored_free(struct anchored *a)
{
    mem_free(a);
}

/* ---- is it the newest still? ---- */

/* Always -1. */
static int
lose(struct anchored *a, bool found, const struct anchor *now, struct err *e)
{
    const char *token = session_token(a->session)->label;
    char run[2 * ANCHOR_RUN_SIZE + 1];
    char own[2 * ANCHOR_RUN_SIZE + 1];

    hex_format(span_of(now->run, sizeof(now->run)), run);
    hex_format(span_of(a->run, sizeof(a->run)), own);
    a->lost = true;
    if (!found) {
        (void)err_set(&a->why, ERR_STALE,
                      "token '%s' has lost what this signer wrote there (generation %" PRIu64
                      "): the token was put back to an older copy, or somebody else is logged in",
                      token, a->last.generation);
    } else if (now->generation < a->last.generation) {
        (void)err_set(&a->why, ERR_STALE,
                      "token '%s' was put back to an older copy: it has generation %" PRIu64
                      " after %" PRIu64,
                      token, now->generation, a->last.generation);
    } else {
        (void)err_set(
            &a->why, ERR_STALE,
            "another signer has taken this log over: token '%s' has generation %" PRIu64
            " of run %s, and this is run %s of generation %" PRIu64
            ". There are two CAs, on copies of one state: this one signs nothing any more",
            token, now->generation, run, own, a->last.generation);
    }
    log_err(LOG_ERROR, "anchor-lost", &a->why, "%s", "nothing is signed any more");
    *e = a->why;
    return -1;
}

static int
look(struct anchored *a, struct err *e)
{
    struct anchor now = {0};
    bool found;

    if (anchored_is_lost(a, e) != 0 || anchor_read(a->session, a->id, &found, &now, e) != 0) {
        return -1;
    }
    return found == a->found && anchor_equal(&now, &a->last) ? 0 : lose(a, found, &now, e);
}

int
anchored_is_lost(const struct anchored *a, struct err *e)
{
    if (a->lost) {
        *e = a->why;
    }
    return a->lost ? -1 : 0;
}

/* ---- writing ---- */

/* The first of this run: if another one runs still, it finds this, and stops. */
static void
tell_taken(const struct anchored *a, const struct anchor *next)
{
    char before[2 * ANCHOR_RUN_SIZE + 1] = "none";
    char own[2 * ANCHOR_RUN_SIZE + 1];

    if (a->ours) {
        return;
    }
    hex_format(span_of(next->run, sizeof(next->run)), own);
    if (a->found) {
        hex_format(span_of(a->last.run, sizeof(a->last.run)), before);
    }
    log_event(LOG_INFO, "anchor-taken",
              "token '%s' has generation %" PRIu64 " of run %s now; the run before was %s",
              session_token(a->session)->label, next->generation, own, before);
}

static int
write_next(struct anchored *a, uint64_t size, const uint8_t *root, struct err *e)
{
    struct anchor next = {.generation = a->last.generation + 1, .size = size};
    struct anchor newest = {0};
    size_t left = 0;

    memcpy(next.run, a->run, sizeof(next.run));
    memcpy(next.root, root, sizeof(next.root));
    if (anchor_write(a->session, a->id, &next, &newest, &left, e) != 0) {
        return err_wrap(e, "where the token cannot hold data objects the policy says "
                           "anchor = \"none\"");
    }
    if (!anchor_equal(&newest, &next)) {
        return lose(a, true, &newest, e);
    }
    if (left > 0) {
        log_event(LOG_WARNING, "anchor-not-destroyed",
                  "token '%s' has kept %zu older data objects: nothing more is written when there "
                  "are %d",
                  session_token(a->session)->label, left, (int)ANCHOR_OBJECTS_MAX);
    }
    tell_taken(a, &next);
    a->found = true;
    a->ours = true;
    a->last = next;
    return 0;
}

int
anchored_hold(struct anchored *a, struct err *e)
{
    const struct anchor was = a->last; /* without one: of no leaves */

    if (look(a, e) != 0) {
        return -1;
    }
    return a->ours ? 0 : write_next(a, was.size, was.root, e);
}

static bool
says(const struct anchor *a, const struct tree_head *head)
{
    return a->size == head->size && memcmp(a->root, head->root, sizeof(a->root)) == 0;
}

int
anchored_commit(struct anchored *a, const struct tree_head *head, struct anchor *now, struct err *e)
{
    if (look(a, e) != 0) {
        return -1;
    }
    if (head == NULL) { /* that this run has the log, as before its first checkpoint */
        if (!a->ours && write_next(a, a->last.size, a->last.root, e) != 0) {
            return -1;
        }
    } else if (!(a->ours && says(&a->last, head)) &&
               write_next(a, head->size, head->root, e) != 0) {
        return -1;
    }
    *now = a->last;
    return 0;
}

/* ---- start ---- */

static int
check_journal(const struct anchored *a, const struct journal *j, struct err *e)
{
    const struct tree_head *last = journal_checkpoint(j);
    const uint64_t ends = last == NULL ? 0 : last->size;
    struct tree_head known = {.size = a->last.size};
    char root[2 * sizeof(known.root) + 1];
    bool found;

    if (known.size == 0) {
        return 0; /* a run began, and came to no commit */
    }
    memcpy(known.root, a->last.root, sizeof(known.root));
    if (journal_has_checkpoint(j, &known, &found, e) != 0) {
        return -1;
    }
    if (found) {
        return 0;
    }
    hex_format(span_of(known.root, sizeof(known.root)), root);
    return ends < known.size
               ? err_set(e, ERR_STALE,
                         "token '%s' knows a checkpoint of %" PRIu64
                         " leaves, the journal ends at %" PRIu64
                         ": this is an older copy of the journal; put back the newest",
                         session_token(a->session)->label, known.size, ends)
               : err_set(e, ERR_STALE,
                         "token '%s' knows a checkpoint of %" PRIu64
                         " leaves with the root %s, which the journal does not have: it went on "
                         "from an older copy, and another CA has signed since",
                         session_token(a->session)->label, known.size, root);
}

struct anchored *
anchored_open(struct session *session, const uint8_t id[KEY_ID_SIZE], const struct journal *j,
              struct err *e)
{
    CLEANUP(anchored_cleanup) struct anchored *a = mem_new(sizeof(*a));

    a->session = session;
    memcpy(a->id, id, sizeof(a->id));
    if (random_bytes(a->run, sizeof(a->run), e) != 0 ||
        anchor_read(session, id, &a->found, &a->last, e) != 0 ||
        (a->found && check_journal(a, j, e) != 0)) {
        return NULL;
    }
    return TAKE(a);
}
