/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What enrolments with certConf cost the thread that writes ra.db, with what sealing adds: all that
 * the RA asks of db/requests and tells it on the way of one, without a key and with one.
 *
 *   bench.requests FOLDER [ENROLMENTS [IN-A-COMMIT]]
 *
 * In FOLDER a database is made.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/ossl.h"
#include "db/requests/requests.h"

enum { CMS = 2600, JSON = 700, MESSAGE = 900, ENTRY = 120, DER = 750, US = 1000000 };

struct bench {
    long n;
    long group;
    bool seals;
    int64_t *ids; /* of enrolments: who has one does not look for it */
    uint8_t octets[CMS];
};

enum step_kind { REGISTER, KNOWN, ADMIT, ISSUED, SENT, LATER, CONFIRM, CONFIRMED, LAST, STEPS };

struct step {
    struct store_op op;
    const struct bench *bench;
    long from;
    long to;
    int which;
};

struct names {
    char id[REQUESTS_ID_SIZE];
    char nf[REQUESTS_NF_SIZE];
    char reference[REQUESTS_REFERENCE_SIZE];
    char identity[REQUESTS_IDENTITY_SIZE];
    uint8_t tid[16];
    uint8_t rid[REQUESTS_RID_SIZE];
    uint8_t conf[REQUESTS_RID_SIZE];
};

static struct names
names_of(long i)
{
    struct names n = {.id = ""};

    (void)snprintf(n.id, sizeof(n.id), "%032lx", (unsigned long)i * 2654435761UL);
    (void)snprintf(n.nf, sizeof(n.nf), "nf-%ld", i);
    (void)snprintf(n.reference, sizeof(n.reference), "r%ld", i);
    (void)snprintf(n.identity, sizeof(n.identity), "mac:r%ld", i);
    memcpy(n.tid, n.id + 16, sizeof(n.tid));
    memcpy(n.rid, n.id, sizeof(n.rid));
    memcpy(n.conf, n.id, sizeof(n.conf));
    n.conf[0] = '!';
    return n;
}

static int
stamp(void *arg, struct span text, uint8_t out[REQUESTS_STAMP_SIZE], struct err *e)
{
    (void)arg;
    return sha256(text, out, e);
}

static int
put_head(struct store_db *db, struct err *e)
{
    static const struct requests_author author = {.ra = {1}, .ca = {2}, .now = 1, .stamp = stamp};
    CLEANUP(requests_head_clear) struct requests_head head = {0};

    return requests_put_head(db, &author, &head, e);
}

static int
set(struct buf *b, const struct bench *bench, size_t n, struct err *e)
{
    *b = BUF_INIT(n);
    return buf_set(b, span_of(bench->octets, n), e);
}

static int
enlist(const struct bench *b, struct store_db *db, const struct names *n, struct err *e)
{
    CLEANUP(requests_registration_clear)
    struct requests_registration r = {.not_after = 9000000000, .certificates = 3, .registered = 1};

    memcpy(r.id, n->id, sizeof(r.id));
    memcpy(r.nf_instance, n->nf, sizeof(r.nf_instance));
    memcpy(r.reference, n->reference, sizeof(r.reference));
    return set(&r.cms, b, CMS, e) != 0 || set(&r.json, b, JSON, e) != 0 ||
                   set(&r.sealed, b, 64, e) != 0
               ? -1
               : requests_register(db, &r, e);
}

static int
find(struct store_db *db, const struct names *n, int64_t *id, struct err *e)
{
    CLEANUP(requests_enrolment_clear) struct requests_enrolment x = {0};
    CLEANUP(requests_registration_clear) struct requests_registration r = {0};
    enum requests_owner owner;
    bool found;

    if (requests_enrolment_find(db, n->identity, span_of(n->tid, sizeof(n->tid)), &x, &owner, e) !=
            0 ||
        requests_registration_by_id(db, x.registration, &r, &found, e) != 0) {
        return -1;
    }
    *id = x.id;
    return found ? 0 : err_set(e, ERR_NOTFOUND, "no enrolment of %s", n->identity);
}

static int
known(struct store_db *db, const struct names *n, struct err *e)
{
    CLEANUP(requests_registration_clear) struct requests_registration r = {0};
    bool found;

    return requests_is_seen(db, n->identity, span_of(n->tid, sizeof(n->tid)), &found, e) != 0
               ? -1
               : requests_registration_by_reference(db, span_str(n->reference), &r, &found, e);
}

static int
admit(const struct bench *b, struct store_db *db, const struct names *n, int64_t *id, struct err *e)
{
    const struct requests_admission a = {.identity = n->identity,
                                         .transaction_id = span_of(n->tid, sizeof(n->tid)),
                                         .registration = n->id,
                                         .profile = "nf-tls",
                                         .until = 1000,
                                         .rid = span_of(n->rid, sizeof(n->rid)),
                                         .message = span_of(b->octets, MESSAGE),
                                         .entry = span_of(b->octets, ENTRY)};
    uint64_t sequence;

    return requests_admit(db, &a, id, &sequence, e);
}

static int
issued(const struct bench *b, struct store_db *db, const struct names *n, struct err *e)
{
    struct requests_certificate c = {.serial_size = 16, .not_after = 9000000000};
    CLEANUP(requests_asked_clear) struct requests_asked asked = {0};

    memcpy(c.fingerprint, n->rid, sizeof(c.fingerprint));
    memcpy(c.serial, n->tid, sizeof(n->tid));
    return requests_asked_find(db, span_of(n->rid, sizeof(n->rid)), 0, &asked, e) != 0
               ? -1
               : requests_issued(db, &asked, span_of(b->octets, DER), &c, e);
}

static int
confirmed(struct store_db *db, const struct names *n, struct err *e)
{
    CLEANUP(requests_asked_clear) struct requests_asked asked = {0};

    return requests_asked_find(db, span_of(n->conf, sizeof(n->conf)), 0, &asked, e) != 0
               ? -1
               : requests_confirmed(db, &asked, e);
}

static int
confirm(const struct bench *b, struct store_db *db, const struct names *n, int64_t id,
        struct err *e)
{
    const struct requests_item item = {.rid = span_of(n->conf, sizeof(n->conf)),
                                       .message = span_of(b->octets, MESSAGE / 2),
                                       .entry = span_of(b->octets, ENTRY)};
    uint64_t sequence;

    return requests_admit_confirmation(db, id, true, &item, &sequence, e);
}

static int
step_one(const struct step *s, struct store_db *db, long i, struct err *e)
{
    const struct names n = names_of(i);
    int64_t *id = &s->bench->ids[i];

    switch ((enum step_kind)s->which) {
    case REGISTER:
        return enlist(s->bench, db, &n, e);
    case KNOWN:
        return known(db, &n, e);
    case ADMIT:
        return admit(s->bench, db, &n, id, e);
    case ISSUED:
        return issued(s->bench, db, &n, e);
    case SENT:
    case LAST:
        return requests_sent(db, *id, span_of(n.tid, s->which == SENT ? 15 : 14), s->which == SENT,
                             9, e);
    case LATER:
        return find(db, &n, id, e);
    case CONFIRM:
        return confirm(s->bench, db, &n, *id, e);
    case CONFIRMED:
        return confirmed(db, &n, e);
    case STEPS:
        break;
    }
    return -1;
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
    return s->which == ADMIT || s->which == CONFIRM ? put_head(db, e) : 0;
}

static double
cpu(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
measure(const struct bench *b, const char *path, double *us, struct err *e)
{
    static const uint8_t key[STORE_KEY_SIZE] = {1};
    const struct store_options options = {.path = path,
                                          .application = REQUESTS_APPLICATION,
                                          .schemas = {ra_migrations},
                                          .seal_key = b->seals ? span_of(key, sizeof(key))
                                                               : (struct span){0}};
    struct step s = {.op.run = run_step, .bench = b};
    CLEANUP(store_cleanup) struct store *store = NULL;
    double begun = 0;

    store = store_open(&options, e);
    if (store == NULL) {
        return -1;
    }
    for (int pass = 0; pass < 2; pass++) {
        begun = cpu();
        for (s.from = 0; s.from < b->n; s.from += b->group) {
            s.to = s.from + b->group < b->n ? s.from + b->group : b->n;
            for (s.which = pass; s.which < (pass == 0 ? 1 : STEPS); s.which++) {
                if (store_call(store, &s.op, e) != 0) {
                    return -1;
                }
            }
        }
    }
    *us = (cpu() - begun) * US / (double)b->n;
    return 0;
}

int
main(int argc, char **argv)
{
    struct bench b = {.n = argc > 2 ? strtol(argv[2], NULL, 10) : 2000,
                      .group = argc > 3 ? strtol(argv[3], NULL, 10) : 8};
    struct err e = {0};
    double us[2];

    b.ids = mem_zalloc((size_t)(b.n < 1 ? 1 : b.n), sizeof(*b.ids));
    if (argc < 2 || b.n < 1 || b.group < 1 || ossl_init(&e) != 0) {
        return 2;
    }
    for (int i = 0; i < 2; i++) {
        CLEANUP(mem_cleanup) char *path = mem_printf("%s/%d.db", argv[1], i);

        b.seals = i == 1;
        if (measure(&b, path, &us[i], &e) != 0) {
            (void)fprintf(stderr, "bench.requests: %s\n", e.text);
            return 1;
        }
    }
    printf("%ld enrolments, %ld in a commit: %.0f us of CPU each, sealed %.0f us (+%.0f)\n", b.n,
           b.group, us[0], us[1], us[1] - us[0]);
    mem_free(b.ids);
    return 0;
}
