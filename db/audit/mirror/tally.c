/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/mirror/tally.h"

#include <stdio.h>
#include <string.h>

enum { DAY = 86400, DAYS_KEPT = 64, PROFILE_SIZE = 64 };

struct day {
    int64_t day;
    enum leaf_kind kind;
    int64_t reason;
    char profile[PROFILE_SIZE];
    int64_t n;
};

struct tally {
    struct sql *db;
    struct day days[DAYS_KEPT];
    size_t n;
    uint64_t span;
    time_t earliest, latest;
    bool has_span;
};

void
tally_free(struct tally *t)
{
    mem_free(t);
}

struct tally *
tally_new(struct sql *db)
{
    struct tally *t = mem_new(sizeof(*t));

    t->db = db;
    return t;
}

/* ---- days ---- */

static int
days_flush(struct tally *t, struct err *e)
{
    for (; t->n > 0; t->n--) {
        const struct day *d = &t->days[t->n - 1];

        if (sql_exec(t->db,
                     "INSERT INTO day(pending, day, kind, profile, reason, n) VALUES (1,?,?,?,?,?) "
                     "ON CONFLICT DO UPDATE SET n = n + excluded.n",
                     SQL_VALUES(sql_int(d->day), sql_int(d->kind), sql_text(d->profile),
                                sql_int(d->reason), sql_int(d->n)),
                     e) != 0) {
            return -1;
        }
    }
    return 0;
}

int
tally_day(struct tally *t, time_t at, enum leaf_kind kind, const char *profile, int64_t reason,
          struct err *e)
{
    struct day one = {
        .day = (at - (at % DAY + DAY) % DAY) / DAY, .kind = kind, .reason = reason, .n = 1};

    (void)snprintf(one.profile, sizeof(one.profile), "%s", profile);
    for (size_t i = 0; i < t->n; i++) {
        struct day *d = &t->days[i];

        if (d->kind == kind && d->day == one.day && d->reason == reason &&
            strcmp(d->profile, one.profile) == 0) {
            d->n++;
            return 0;
        }
    }
    if (t->n == DAYS_KEPT && days_flush(t, e) != 0) {
        return -1;
    }
    t->days[t->n++] = one;
    return 0;
}

/* ---- spans ---- */

static int
span_flush(struct tally *t, struct err *e)
{
    if (!t->has_span) {
        return 0;
    }
    t->has_span = false;
    return sql_exec(t->db,
                    "INSERT INTO span(n, earliest, latest) VALUES (?,?,?) ON CONFLICT DO UPDATE "
                    "SET earliest = min(earliest, excluded.earliest), latest = max(latest, "
                    "excluded.latest)",
                    SQL_VALUES(sql_int((int64_t)t->span), sql_int(t->earliest), sql_int(t->latest)),
                    e);
}

int
tally_time(struct tally *t, uint64_t index, time_t at, struct err *e)
{
    const uint64_t span = index / TALLY_SPAN;

    if (span != t->span && span_flush(t, e) != 0) {
        return -1;
    }
    t->earliest = !t->has_span || at < t->earliest ? at : t->earliest;
    t->latest = !t->has_span || at > t->latest ? at : t->latest;
    t->span = span;
    t->has_span = true;
    return 0;
}

int
tally_flush(struct tally *t, struct err *e)
{
    return days_flush(t, e) != 0 ? -1 : span_flush(t, e);
}
