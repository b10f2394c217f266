/* SPDX-License-Identifier: Apache-2.0 */
#include "db/issuance/scrub.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "db/ledger/subject.h"

enum { PAGES = 16 }; /* at once: far less than a step takes */

#define EDITED "the database does not agree with its record: it was edited"

/* ---- a pass ---- */

/* Of a leaf only the octets are in the tree. */
static int
check_leaf(struct store_db *db, const struct store_rows *rows, uint64_t index,
           struct issuance_scrub *s, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_parse(row_blob(rows, 0), e);

    if (leaf == NULL) {
        return -1;
    }
    if (leaf_time(leaf) != (time_t)row_int(rows, 2)) {
        return err_set(e, ERR_STALE, "it is of another kind or time than its row says");
    }
    if (subject_check_row(rows, row_blob(rows, 0), 1, 3, e) != 0) {
        return -1;
    }
    return compare_leaf(db, leaf, (int64_t)index, &s->seen, e) != 0
               ? -1
               : ledger_check_hashes(db, index, row_blob(rows, 0), e);
}

static int
one_leaf(struct store_db *db, struct issuance_scrub *s, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    const uint64_t index = s->leaf;

    if (store_query_one(db, &rows,
                        "SELECT unpacked(l.body), l.kind, l.time, o.subject FROM leaf l LEFT JOIN "
                        "leaf_subject o ON o.idx = l.idx WHERE l.idx = ?1",
                        STORE_VALUES(store_int((int64_t)index)), e) == 0) {
        s->leaf++;
        if (check_leaf(db, &rows, index, s, e) == 0) {
            return 0;
        }
    }
    (void)err_wrap(e, "leaf %" PRIu64, index);
    /* a leaf that is gone, or that is none */
    e->code = e->code == ERR_NOTFOUND || e->code == ERR_INPUT ? ERR_STALE : e->code;
    return -1;
}

/* With one row for each leaf, as many rows as leaves are exactly those. */
static int
check_count(const struct issuance_scrub *s, struct err *e)
{
    const int64_t expected = origin_expected(s->table, &s->seen);

    return expected < 0 || s->rows[s->table] == expected
               ? 0
               : err_set(e, ERR_STALE, "ca.db has %" PRId64 " rows in %s, and the record %" PRId64,
                         s->rows[s->table], origin_name(s->table), expected);
}

/* It moves on, whether the row agrees or not. */
static int
one_row(struct store_db *db, struct issuance_scrub *s, struct err *e)
{
    bool found;
    bool counts;
    int result;

    if (origin_next(db, s->table, &s->ends, &s->place, &found, &counts, e) != 0) {
        return -1;
    }
    if (found) {
        s->rows[s->table] += counts ? 1 : 0;
        return 0;
    }
    result = check_count(s, e);
    s->table++;
    memset(&s->place, 0, sizeof(s->place));
    return result;
}

static int
some_pages(struct store_db *db, struct issuance_scrub *s, size_t max, size_t *seen, bool *over,
           struct err *e)
{
    uint64_t pages;

    if (store_scrub(db, &s->page, max < PAGES ? max : PAGES, &pages, over, e) != 0) {
        return -1;
    }
    *seen = (size_t)pages;
    return 0;
}

/* A leaf, a row or a few pages more, `max` at most; *over when there is nothing left. */
static int
go_on(struct store_db *db, struct issuance_scrub *s, size_t max, size_t *seen, bool *over,
      struct err *e)
{
    *over = false;
    *seen = 1;
    if (s->leaf < s->ends.leaves) {
        return one_leaf(db, s, e);
    }
    return s->table < ORIGIN_TABLES ? one_row(db, s, e) : some_pages(db, s, max, seen, over, e);
}

static void
end(struct issuance_scrub *s, time_t now)
{
    const struct issuance_pass last = {.begun = s->begun,
                                       .ended = now,
                                       .leaves = s->ends.leaves,
                                       .requests = s->ends.rows[ORIGIN_REQUEST]};

    *s = (struct issuance_scrub){.last = last};
}

static int64_t
now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int
issuance_scrub_step(struct store_db *db, struct issuance_scrub *s, struct issuance_step *step,
                    struct err *e)
{
    const int64_t from = now_us();

    step->seen = 0;
    step->ended = false;
    if (s->begun == 0) {
        if (origin_ends_get(db, &s->ends, e) != 0) {
            return -1;
        }
        if (subject_check_end(db, s->ends.leaves, e) != 0) {
            return err_wrap(e, EDITED);
        }
        s->begun = step->now;
    }
    do {
        size_t seen;

        if (go_on(db, s, step->max - step->seen, &seen, &step->ended, e) != 0) {
            return err_wrap(e, EDITED);
        }
        step->seen += seen;
        step->took_us = now_us() - from;
    } while (!step->ended && step->seen < step->max && step->took_us < step->max_us);
    if (step->ended) {
        end(s, step->now);
    }
    return 0;
}

int
issuance_check(struct store_db *db, struct err *e)
{
    struct issuance_scrub s = {0};
    struct issuance_step whole = {.max = SIZE_MAX, .max_us = INT64_MAX, .now = clock_now()};

    return issuance_scrub_step(db, &s, &whole, e);
}

/* What is before a step, to see whether it got on. */
struct before {
    uint64_t leaf;
    enum origin_table table;
    struct origin_place place;
};

static bool
got_on(const struct before *b, const struct issuance_scrub *s)
{
    return s->leaf != b->leaf || s->table != b->table || s->place.row != b->place.row ||
           s->place.key_n != b->place.key_n ||
           memcmp(s->place.key, b->place.key, sizeof(s->place.key)) != 0;
}

int
issuance_verify(struct store_db *db, void (*differs)(void *arg, const char *what), void *arg,
                struct issuance_figures *f, struct err *e)
{
    struct issuance_scrub s = {.begun = clock_now()};
    bool over = false;

    *f = (struct issuance_figures){0};
    if (origin_ends_get(db, &s.ends, e) != 0) {
        return -1;
    }
    f->leaves = s.ends.leaves;
    if (subject_check_end(db, s.ends.leaves, e) != 0) {
        differs(arg, e->text);
        f->differences++;
    }
    while (!over) {
        const struct before before = {.leaf = s.leaf, .table = s.table, .place = s.place};
        size_t seen = 0;

        if (go_on(db, &s, SIZE_MAX, &seen, &over, e) != 0) {
            differs(arg, e->text);
            f->differences++;
            if (!got_on(&before, &s)) {
                return -1;
            }
        }
        if (before.table == ORIGIN_TABLES) {
            f->pages += seen;
        } else if (before.leaf == s.ends.leaves && s.table == before.table) {
            f->rows++;
        }
    }
    return 0;
}

int
issuance_scrub_decided(struct store_db *db, const struct issuance_scrub *s, int64_t *n,
                       struct err *e)
{
    struct origin_ends ends;

    if (origin_ends_get(db, &ends, e) != 0) {
        return -1;
    }
    /* Of requests none goes. */
    *n = ends.rows[ORIGIN_REQUEST] - s->last.requests;
    return 0;
}
