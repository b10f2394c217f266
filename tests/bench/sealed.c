/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What sealing costs the thread that writes ca.db: the rows of enrolments with certConf, of the
 * sizes that they have, written and looked at as db/issuance does, without a key and with one.
 *
 *   bench.sealed FOLDER [ENROLMENTS [OPERATIONS-IN-A-COMMIT [OWNERS [HISTORY]]]]
 *
 * In FOLDER a database is made. Fewer OWNERS than enrolments give each of them more rows. HISTORY
 * enrolments are there before, sealed as the rows of an older version are: what that takes is
 * printed, too, and what one pass over all seals takes at the end. Octets are all that is written,
 * to the WAL and from there to the file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/ossl.h"
#include "db/issuance/issuance.h"
#include "db/issuance/seals.h"
#include "db/ledger/ledger.h"

enum { CMS = 2600, JSON = 700, EVIDENCE = 3200, TBS = 600, DER = 750, US = 1000000 };

struct bench {
    long n;
    long group;
    long owners;
    long history;
    bool seals;
    uint8_t octets[EVIDENCE];
};

struct step {
    struct store_op op;
    const struct bench *bench;
    long from;
    long to;
    int which; /* 0 registration, 1 intent, 2 issued, 3 confirmed */
};

#define EXEC(db, sql, e, ...) store_exec((db), (sql), STORE_VALUES(__VA_ARGS__), (e))

struct names {
    char id[33];
    char nf[37];
    uint8_t rid[32];
    uint8_t conf[32];
    uint8_t serial[16];
};

static struct names
names_of(const struct bench *b, long i)
{
    struct names n = {.id = ""};

    (void)snprintf(n.id, sizeof(n.id), "%032lx", (unsigned long)i * 2654435761UL);
    (void)snprintf(n.nf, sizeof(n.nf), "nf-%ld", i % b->owners);
    memcpy(n.rid, n.id, sizeof(n.rid));
    memcpy(n.conf, n.id, sizeof(n.conf));
    n.conf[0] = '!';
    memcpy(n.serial, n.id + 16, sizeof(n.serial));
    return n;
}

static int
look(const struct bench *b, struct store_db *db, const struct sealed_table *table,
     struct store_value key, struct err *e)
{
    bool found;

    return b->seals ? sealed_row(db, table, &key, 1, &found, e) : 0;
}

static int
changes(const struct bench *b, struct store_db *db, const struct sealed_table *table,
        struct store_value key, struct err *e)
{
    return b->seals ? sealed_change(db, table, &key, 1, e) : 0;
}

static int
add_leaf(struct store_db *db, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_STOP, 1);
    uint64_t index;

    leaf_set_text(leaf, "reason", "a leaf");
    return ledger_append(db, leaf, &index, e);
}

static int
step_one(const struct step *s, struct store_db *db, long i, struct err *e)
{
    const struct bench *b = s->bench;
    const struct names n = names_of(b, i);
    const struct store_value id = store_text(n.id);
    const struct store_value rid = store_blob(span_of(n.rid, sizeof(n.rid)));
    const struct store_value serial = store_blob(span_of(n.serial, sizeof(n.serial)));
    const struct store_value conf = store_blob(span_of(n.conf, sizeof(n.conf)));

    switch (s->which) {
    case 0:
        return changes(b, db, &issuance_table_registration, id, e) != 0 ||
                       EXEC(db,
                            "INSERT INTO registration(id, cms, json, nf_instance, registrar, "
                            "not_before, not_after, certificates, registered, leaf, state) "
                            "VALUES(?1, ?2, ?3, ?4, ?5, 1, 2, 3, 4, 5, 2)",
                            e, id, store_blob(span_of(b->octets, CMS)),
                            store_blob(span_of(b->octets, JSON)), store_text(n.nf), serial) != 0
                   ? -1
                   : add_leaf(db, e);
    case 1:
        return look(b, db, &issuance_table_request, rid, e) != 0 ||
                       look(b, db, &issuance_table_registration, id, e) != 0 ||
                       (b->seals &&
                        sealed_owner(db, ISSUANCE_OWNER_NF, store_text(n.nf), e) != 0) ||
                       changes(b, db, &issuance_table_public_key, rid, e) != 0 ||
                       changes(b, db, &issuance_table_request, rid, e) != 0 ||
                       changes(b, db, &issuance_table_registration, id, e) != 0 ||
                       EXEC(db, "INSERT INTO public_key VALUES(?1, ?2)", e, rid,
                            store_text(n.nf)) != 0 ||
                       EXEC(db, "UPDATE registration SET used = used + 1 WHERE id = ?1", e, id) !=
                           0 ||
                       EXEC(db,
                            "INSERT INTO request(rid, state, registration, transaction_id, "
                            "profile, evidence, serial, tbs, created, leaf) VALUES(?1, 0, ?2, ?1, "
                            "'nf-tls', ?3, ?4, ?5, 1, 1)",
                            e, rid, id, store_blob(span_of(b->octets, EVIDENCE)), serial,
                            store_blob(span_of(b->octets, TBS))) != 0 ||
                       add_leaf(db, e) != 0
                   ? -1
                   : add_leaf(db, e);
    case 2:
        return changes(b, db, &issuance_table_request, rid, e) != 0 ||
                       changes(b, db, &issuance_table_certificate, serial, e) != 0 ||
                       EXEC(db, "UPDATE request SET state = 1, leaf = 2 WHERE rid = ?1", e, rid) !=
                           0 ||
                       EXEC(db,
                            "INSERT INTO certificate(serial, rid, der, nf_instance, profile, "
                            "not_after, issued) VALUES(?1, ?2, ?3, ?4, 'nf-tls', 1, 1)",
                            e, serial, rid, store_blob(span_of(b->octets, DER)),
                            store_text(n.nf)) != 0
                   ? -1
                   : add_leaf(db, e);
    default:
        return look(b, db, &issuance_table_certificate, serial, e) != 0 ||
                       changes(b, db, &issuance_table_request, rid, e) != 0 ||
                       changes(b, db, &issuance_table_confirmation, conf, e) != 0 ||
                       EXEC(db, "UPDATE request SET state = 3, leaf = 3 WHERE rid = ?1", e, rid) !=
                           0 ||
                       EXEC(db, "INSERT INTO confirmation VALUES(?1, ?2, 1, ?3, 1, 1)", e, conf,
                            rid, store_blob(span_of(b->octets, EVIDENCE / 4))) != 0
                   ? -1
                   : add_leaf(db, e);
    }
}

static int
run_step(struct store_op *op, struct store_db *db, struct err *e)
{
    struct step *s = CONTAINER_OF(op, struct step, op);

    for (long i = s->from; i < s->to; i++) {
        if (step_one(s, db, i, e) != 0) {
            return -1;
        }
    }
    return 0;
}

static int
run_begin(struct store_op *op, struct store_db *db, struct err *e)
{
    const struct step *s = CONTAINER_OF(op, struct step, op);
    enum sealed_state state;
    uint64_t rows;

    if (sealed_open(db, &state, e) != 0) {
        return -1;
    }
    return s->bench->seals && state == SEALED_NOT_YET ? sealed_begin(db, &rows, e) : 0;
}

static double
seconds(clockid_t clock)
{
    struct timespec t;

    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
stop(const struct err *e)
{
    (void)fprintf(stderr, "bench.sealed: %s\n", e->text);
    return 1;
}

/* A pass over all seals. */
static int
run_scrub(struct store_op *op, struct store_db *db, struct err *e)
{
    CLEANUP(sealed_cursor_free) struct sealed_cursor cursor = {0};
    bool end = false;

    (void)op;
    while (!end) {
        size_t seen;

        if (sealed_scrub(db, &cursor, 16, &seen, &end, e) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Octets that this process wrote. */
static double
written(void)
{
    FILE *io = fopen("/proc/self/io", "re");
    unsigned long long n = 0;

    if (io != NULL) {
        if (fscanf(io, "rchar: %*u wchar: %llu", &n) != 1) {
            n = 0;
        }
        (void)fclose(io);
    }
    return (double)n;
}

static struct store *
open_store(const struct bench *b, const char *path, struct sealed **sealed, struct err *e)
{
    static const uint8_t key[SEALED_KEY_SIZE] = {1};
    const struct sealed_options sealing = {.file = "ca.db",
                                           .program = "nfpki-ca",
                                           .token = "none",
                                           .key = b->seals ? span_of(key, sizeof(key))
                                                           : (struct span){0},
                                           .tables = issuance_tables,
                                           .n = ISSUANCE_TABLES,
                                           .leaves = ledger_size};
    struct store_options options = {.path = path,
                                    .application = 0x6e664341,
                                    .schemas = {ledger_migrations, issuance_migrations},
                                    .settle = sealed_settle};

    *sealed = sealed_new(&sealing, e);
    if (*sealed == NULL) {
        return NULL;
    }
    options.context = *sealed;
    return store_open(&options, e);
}

/* Enrolments from..to, in groups; `which` steps of each. */
static int
enrol(const struct bench *b, struct store *store, long from, long to, int first, int last,
      struct err *e)
{
    struct step s = {.op.run = run_step, .bench = b};

    for (long i = from; i < to; i += b->group) {
        s.from = i;
        s.to = i + b->group < to ? i + b->group : to;
        for (s.which = first; s.which <= last; s.which++) {
            if (store_call(store, &s.op, e) != 0) {
                return -1;
            }
        }
    }
    return 0;
}

/* What there was before rows were sealed. */
static int
make_history(const struct bench *with, const char *path, struct err *e)
{
    struct bench b = *with;
    CLEANUP(sealed_cleanup) struct sealed *sealed = NULL;
    CLEANUP(store_cleanup) struct store *store = NULL;
    struct step s = {.op.run = run_begin, .bench = &b};

    b.seals = false;
    b.group = 32; /* SQLite's own work grows with the square of a transaction */
    store = open_store(&b, path, &sealed, e);
    return store == NULL || store_call(store, &s.op, e) != 0
               ? -1
               : enrol(&b, store, 0, b.history, 0, 3, e);
}

static int
begin(const struct bench *b, struct store *store, const char *what, struct err *e)
{
    struct step s = {.op.run = run_begin, .bench = b};
    const double begun = seconds(CLOCK_MONOTONIC);

    if (store_call(store, &s.op, e) != 0) {
        return -1;
    }
    printf("%s: %.1f ms\n", what, (seconds(CLOCK_MONOTONIC) - begun) * 1000);
    return 0;
}

struct figures {
    double cpu; /* us for each enrolment */
    double octets;
};

static int
measure(const struct bench *b, const char *path, struct figures *f, struct err *e)
{
    CLEANUP(sealed_cleanup) struct sealed *sealed = NULL;
    CLEANUP(store_cleanup) struct store *store = NULL;
    struct store_op scrub = {.run = run_scrub};
    double begun;
    double before;

    if (make_history(b, path, e) != 0) {
        return -1;
    }
    store = open_store(b, path, &sealed, e);
    if (store == NULL || begin(b, store, b->seals ? "sealing" : "no seals", e) != 0 ||
        enrol(b, store, b->history, b->history + b->n, 0, 0, e) != 0) {
        return -1;
    }
    /* The first use of all looks at an owner's rows: */
    begun = seconds(CLOCK_MONOTONIC);
    if (enrol(b, store, b->history, b->history + 1, 1, 3, e) != 0) {
        return -1;
    }
    printf("the first: %.1f ms\n", (seconds(CLOCK_MONOTONIC) - begun) * 1000);
    begun = seconds(CLOCK_PROCESS_CPUTIME_ID);
    before = written();
    if (enrol(b, store, b->history + 1, b->history + b->n, 1, 3, e) != 0) {
        return -1;
    }
    f->cpu = (seconds(CLOCK_PROCESS_CPUTIME_ID) - begun) * US / (double)(b->n - 1);
    f->octets = (written() - before) / (double)(b->n - 1);
    store_free(store);
    sealed_free(sealed);
    sealed = NULL;
    store = open_store(b, path, &sealed, e);
    if (store == NULL || begin(b, store, "start", e) != 0) {
        return -1;
    }
    begun = seconds(CLOCK_MONOTONIC);
    if (store_call(store, &scrub, e) != 0) {
        return -1;
    }
    printf("a pass over all seals: %.0f ms\n", (seconds(CLOCK_MONOTONIC) - begun) * 1000);
    return 0;
}

int
main(int argc, char **argv)
{
    struct bench b = {.n = argc > 2 ? strtol(argv[2], NULL, 10) : 2000,
                      .group = argc > 3 ? strtol(argv[3], NULL, 10) : 8};
    struct figures f[2];
    struct err e = {0};

    b.owners = argc > 4 ? strtol(argv[4], NULL, 10) : b.n;
    b.history = argc > 5 ? strtol(argv[5], NULL, 10) : 0;
    if (argc < 2 || b.n < 2 || b.group < 1 || b.owners < 1 || b.history < 0 || ossl_init(&e) != 0) {
        return 2;
    }
    for (int i = 0; i < 2; i++) {
        CLEANUP(mem_cleanup) char *path = mem_printf("%s/%d.db", argv[1], i);

        b.seals = i == 1;
        if (measure(&b, path, &f[i], &e) != 0) {
            return stop(&e);
        }
    }
    printf("%ld enrolments, %ld in a commit, %ld owners, %ld before: %.0f us of CPU each and %.0f "
           "octets, sealed %.0f us (+%.0f) and %.0f octets (+%.0f)\n",
           b.n, b.group, b.owners, b.history, f[0].cpu, f[0].octets, f[1].cpu, f[1].cpu - f[0].cpu,
           f[1].octets, f[1].octets - f[0].octets);
    return 0;
}
