/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/service/anchored.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/ossl.h"

struct anchored {
    struct session *session;
    const struct journal *journal;
    uint8_t id[KEY_ID_SIZE];
    uint8_t run[ANCHOR_RUN_SIZE];
    bool found;
    bool ours;                       /* `last` is of this run */
    struct anchor last;              /* seen, or written */
    uint8_t before[ANCHOR_RUN_SIZE]; /* the run that was found, */
    bool has_before;
    /* Checkpoints that went out; of no leaves: none. */
    struct tree_head signed_last;
    struct tree_head built; /* the last one that a later one extends */
    int64_t ahead;          /* since when `built` is newer than `last` */
    /* Writes that are asked for: */
    int left;
    int64_t counted; /* since when there is one more each ANCHORED_EACH_MS; 0: none was done */
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

static struct tree_head
head_of(const struct anchor *a)
{
    struct tree_head head = {.size = a->size};

    memcpy(head.root, a->root, sizeof(head.root));
    return head;
}

/* The run before this one wrote it, late: see anchored.h. */
static int
is_late(const struct anchored *a, const struct anchor *now, bool *late, struct err *e)
{
    const struct tree_head head = head_of(now);

    *late = a->has_before && memcmp(now->run, a->before, sizeof(a->before)) == 0 &&
            now->generation >= a->last.generation;
    return !*late || head.size == 0 ? 0 : journal_has_checkpoint(a->journal, &head, late, e);
}

static int write_next(struct anchored *a, const struct tree_head *, struct err *e);

/* Ours is behind it then, with what is known by either. */
static int
take_late(struct anchored *a, const struct anchor *now, struct err *e)
{
    const struct tree_head head = head_of(now->size > a->last.size ? now : &a->last);

    log_event(LOG_WARNING, "anchor-late",
              "token '%s': what the run before had begun to write came late (generation %" PRIu64
              ")",
              session_token(a->session)->label, now->generation);
    if (!a->ours) { /* what is there at its start, still */
        a->last = *now;
        return 0;
    }
    a->last.generation = now->generation;
    return write_next(a, &head, e);
}

static int
look(struct anchored *a, struct err *e)
{
    struct anchor now = {0};
    bool found;
    bool late = false;

    if (anchored_is_lost(a, e) != 0 || anchor_read(a->session, a->id, &found, &now, e) != 0) {
        return -1;
    }
    if (found == a->found && anchor_equal(&now, &a->last)) {
        return 0;
    }
    if (found && is_late(a, &now, &late, e) != 0) {
        return -1;
    }
    return late ? take_late(a, &now, e) : lose(a, found, &now, e);
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
write_next(struct anchored *a, const struct tree_head *head, struct err *e)
{
    struct anchor next = {.generation = a->last.generation + 1, .size = head->size};
    struct anchor newest = {0};
    size_t left = 0;

    memcpy(next.run, a->run, sizeof(next.run));
    memcpy(next.root, head->root, sizeof(next.root));
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
anchored_hold(struct anchored *a, int64_t now, struct err *e)
{
    struct tree_head was;

    if (look(a, e) != 0) {
        return -1;
    }
    if (a->built.size > a->last.size && now - a->ahead >= ANCHORED_LAG_MS) {
        return write_next(a, &a->built, e);
    }
    was = head_of(&a->last); /* without one: of no leaves */
    return a->ours ? 0 : write_next(a, &was, e);
}

void
anchored_signs(struct anchored *a, const struct tree_head *head, int64_t now)
{
    const bool was_ahead = a->built.size > a->last.size;

    if (head->size <= a->signed_last.size) {
        return; /* once more, as after a crash */
    }
    a->built = a->signed_last;
    a->signed_last = *head;
    if (!was_ahead) {
        a->ahead = now;
    }
}

/* May it be written, as it is asked? */
static bool
may_write(struct anchored *a, int64_t now)
{
    const int64_t more = a->counted == 0 ? 0 : (now - a->counted) / ANCHORED_EACH_MS;

    if (a->counted == 0 || a->left + more >= ANCHORED_BURST) {
        a->left = ANCHORED_BURST;
        a->counted = now;
    } else {
        a->left += (int)more;
        a->counted += more * ANCHORED_EACH_MS;
    }
    if (a->left == 0) {
        return false;
    }
    a->left--;
    return true;
}

static bool
says(const struct anchor *a, const struct tree_head *head)
{
    return a->size == head->size && memcmp(a->root, head->root, sizeof(a->root)) == 0;
}

int
anchored_commit(struct anchored *a, const struct tree_head *head, int64_t now, struct anchor *is,
                struct err *e)
{
    if (look(a, e) != 0) {
        return -1;
    }
    if (head == NULL) { /* that this run has the log, as before its first checkpoint */
        const struct tree_head was = head_of(&a->last);

        if (!a->ours && write_next(a, &was, e) != 0) {
            return -1;
        }
    } else if (!(a->ours && says(&a->last, head)) && may_write(a, now) &&
               write_next(a, head, e) != 0) {
        return -1;
    }
    *is = a->last;
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
    const struct tree_head *last = journal_checkpoint(j);

    a->session = session;
    a->journal = j;
    if (last != NULL) {
        a->signed_last = *last;
    }
    memcpy(a->id, id, sizeof(a->id));
    if (random_bytes(a->run, sizeof(a->run), e) != 0 ||
        anchor_read(session, id, &a->found, &a->last, e) != 0 ||
        (a->found && check_journal(a, j, e) != 0)) {
        return NULL;
    }
    a->has_before = a->found;
    memcpy(a->before, a->last.run, sizeof(a->before));
    return TAKE(a);
}
