/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/db/requests/whole.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/ossl.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

enum { DATABASE_MAX = 64 * 1024 * 1024, KUR = 7 };

const char *const whole_ids[WHOLE_REGISTRATIONS] = {
    ID, "11111111111111111111111111111111", "22222222222222222222222222222222",
    "33333333333333333333333333333333", "44444444444444444444444444444444"};
const char *const whole_nfs[WHOLE_REGISTRATIONS] = {"nf", "nf-1", "nf-2", "nf-3", "nf"};

static const struct registering registrations[WHOLE_REGISTRATIONS] = {
    {ID, "ref", "", NULL, 5, 1, NULL, "nf"},
    {"11111111111111111111111111111111", "", "fingerprint 1", NULL, 3, 2, NULL, "nf-1"},
    {"22222222222222222222222222222222", "", "", NULL, 3, 3, "key 2", "nf-2"},
    {"33333333333333333333333333333333", "", "", "CN=device", 3, 4, NULL, "nf-3"},
    {"44444444444444444444444444444444", "ref4", "", NULL, 1, 5, NULL, "nf"},
};

struct requests_signer
whole_signer(unsigned k)
{
    const struct registering *r = &registrations[k % WHOLE_REGISTRATIONS];

    return (struct requests_signer){.fingerprint = span_str(r->fingerprint),
                                    .public_key =
                                        span_str(r->public_key == NULL ? "" : r->public_key),
                                    .issuer = r->subject == NULL ? NULL : "CN=Vendor",
                                    .subject = r->subject};
}

const char *
whole_registration_of(unsigned n)
{
    return n == 6 ? whole_ids[1] : ID;
}

struct admitting
whole_admitting(unsigned n)
{
    static const char *const tids[WHOLE_MESSAGES] = {"t0", "t1", "t2", "t3", "t4",
                                                     "t5", "t6", "t7", "t8", "t9"};
    struct admitting in = verb_admitting(tids[n % WHOLE_MESSAGES], (uint8_t)n);

    in.identity = n == 6 ? "cert:00" : "mac:ref";
    in.uncounted = n > 2;
    return in;
}

const char *
whole_vkey(unsigned n)
{
    return n == 0 ? "log+0+key" : "log+1+key";
}

struct requests_certificate
whole_certificate(unsigned n)
{
    struct requests_certificate c = {.serial_size = 16, .not_after = 9000 + n};

    memset(c.fingerprint, (int)n + 1, sizeof(c.fingerprint));
    memset(c.serial, (int)n + 1, sizeof(c.serial));
    return c;
}

int
whole_admit(struct store_db *db, void *arg, struct err *e)
{
    struct admitting *in = arg;
    CLEANUP(requests_head_clear) struct requests_head head = {0};
    CLEANUP(buf_free) struct buf entry = verb_entry(in->rid);
    const struct requests_admission a = {
        .identity = in->identity,
        .transaction_id = span_str(in->tid),
        .registration = whole_registration_of((unsigned)(in->tid[1] - '0')),
        .profile = "nf-tls",
        .body = in->tid[1] == '1' ? KUR : 0,
        .uncounted = in->uncounted,
        .until = 1000,
        .rid = span_of(in->rid, sizeof(in->rid)),
        .message = span_str(in->message),
        .entry = buf_span(&entry),
        .target = SPAN_LITERAL("a serial number"),
        .asked = SPAN_LITERAL("asked"),
    };

    return requests_admit(db, &a, &in->enrolment, &in->sequence, e) != 0
               ? -1
               : requests_put_head(db, &verb_author, &head, e);
}

/* ---- how it becomes what it is ---- */

struct stepping {
    unsigned n;
    bool accepts;
    const char *text;
    uint64_t size;
};

static void
call(struct store *store, int (*run)(struct store_db *, void *, struct err *), void *arg)
{
    struct err e = {0};

    assert_ok(verb_call(store, run, arg, &e), &e);
}

static void
admit(struct store *store, unsigned n)
{
    struct admitting in = whole_admitting(n);

    call(store, whole_admit, &in);
}

static int
do_issued(struct store_db *db, void *arg, struct err *e)
{
    const struct stepping *s = arg;
    const struct admitting in = whole_admitting(s->n);
    const struct requests_certificate c = whole_certificate(s->n);
    CLEANUP(requests_asked_clear) struct requests_asked asked = {0};

    return verb_asked(db, span_of(in.rid, sizeof(in.rid)), &asked, e) != 0
               ? -1
               : requests_issued(db, &asked, span_str(in.message), &c, e);
}

static int
enrolment_id(struct store_db *db, unsigned n, int64_t *id, struct err *e)
{
    CLEANUP(requests_enrolment_clear) struct requests_enrolment x = {0};
    const struct admitting in = whole_admitting(n);
    enum requests_owner owner;

    if (requests_enrolment_find(db, in.identity, span_str(in.tid), &x, &owner, e) != 0) {
        return -1;
    }
    *id = x.id;
    return 0;
}

static int
do_sent(struct store_db *db, void *arg, struct err *e)
{
    const struct stepping *s = arg;
    int64_t id;

    return enrolment_id(db, s->n, &id, e) != 0
               ? -1
               : requests_sent(db, id, span_str(s->text), true, 100, e);
}

static int
do_confirmation(struct store_db *db, void *arg, struct err *e)
{
    const struct stepping *s = arg;
    CLEANUP(requests_head_clear) struct requests_head head = {0};
    struct admitting in = whole_admitting(s->n + 20);
    CLEANUP(buf_free) struct buf entry = verb_entry(in.rid);
    const struct requests_item item = {.rid = span_of(in.rid, sizeof(in.rid)),
                                       .message = span_str(in.message),
                                       .entry = buf_span(&entry)};
    uint64_t sequence;
    int64_t id;

    return enrolment_id(db, s->n, &id, e) != 0 ||
                   requests_admit_confirmation(db, id, s->accepts, &item, &sequence, e) != 0
               ? -1
               : requests_put_head(db, &verb_author, &head, e);
}

static int
do_confirmed(struct store_db *db, void *arg, struct err *e)
{
    const struct stepping *s = arg;
    const struct admitting in = whole_admitting(s->n + 20);

    return verb_answer(db, span_of(in.rid, sizeof(in.rid)), requests_confirmed, e);
}

static int
do_waiting(struct store_db *db, void *arg, struct err *e)
{
    const struct stepping *s = arg;
    const struct admitting in = whole_admitting(s->n);
    const struct requests_wait wait = {
        .check_after = 7, .phrase = "people", .again_at = 50, .until = 1100};

    CLEANUP(requests_asked_clear) struct requests_asked asked = {0};

    return verb_asked(db, span_of(in.rid, sizeof(in.rid)), &asked, e) != 0
               ? -1
               : requests_waiting(db, &asked, &wait, e);
}

static int
do_ask(struct store_db *db, void *arg, struct err *e)
{
    const struct stepping *s = arg;
    const struct admitting in = whole_admitting(s->n);
    const struct requests_admission a = {.identity = in.identity,
                                         .transaction_id = span_str(in.tid),
                                         .registration = ID,
                                         .profile = "nf-tls",
                                         .until = 1000};
    int64_t id;

    return requests_ask(db, &a, SPAN_LITERAL("a question"), &id, e);
}

static int
do_keep(struct store_db *db, void *arg, struct err *e)
{
    const struct stepping *s = arg;

    return requests_ca_log_keep(db, whole_vkey(s->n), s->size, span_str(s->text), e);
}

static int
do_cancel(struct store_db *db, void *arg, struct err *e)
{
    const struct stepping *s = arg;

    return requests_cancel(db, whole_ids[s->n], SPAN_LITERAL("signed"), "cancelled", e);
}

static void
step(struct store *store, int (*run)(struct store_db *, void *, struct err *), struct stepping s)
{
    call(store, run, &s);
}

static char nothing[] = "nothing";
static char nothing_else[] = "nothing else";

static void
first_part(struct store *store)
{
    for (size_t k = 0; k < WHOLE_REGISTRATIONS; k++) {
        struct registering in = registrations[k];

        call(store, verb_register, &in);
    }
    for (unsigned n = 1; n < 6; n++) {
        admit(store, n);
    }
    for (unsigned n = 1; n < 4; n++) {
        step(store, do_issued, (struct stepping){.n = n});
    }
    step(store, do_sent, (struct stepping){.n = 1, .text = "nonce 1"});
    step(store, do_confirmation, (struct stepping){.n = 1, .accepts = true});
    step(store, do_confirmed, (struct stepping){.n = 1});
    step(store, do_sent, (struct stepping){.n = 2, .text = "nonce 2"});
    step(store, do_waiting, (struct stepping){.n = 4});
    step(store, do_ask, (struct stepping){.n = 7});
    call(store, verb_remember, nothing);
    step(store, do_keep, (struct stepping){.n = 0, .size = 5, .text = "note 5"});
    step(store, do_keep, (struct stepping){.n = 1, .size = 7, .text = "note 7"});
}

static void
second_part(struct store *store)
{
    struct admitting in = whole_admitting(5);

    step(store, do_confirmation, (struct stepping){.n = 2});
    step(store, do_confirmed, (struct stepping){.n = 2});
    step(store, do_sent, (struct stepping){.n = 3, .text = "nonce 3"});
    call(store, verb_refused, in.rid);
    admit(store, 6);
    admit(store, 8);
    step(store, do_sent, (struct stepping){.n = 7, .text = "nonce 7"});
    step(store, do_cancel, (struct stepping){.n = 4});
    step(store, do_keep, (struct stepping){.n = 1, .size = 9, .text = "note 9"});
    call(store, verb_remember, nothing_else);
}

/* ---- for cmocka ---- */

static void
copy_file(const char *from, const char *to)
{
    CLEANUP(buf_free) struct buf octets = BUF_INIT(DATABASE_MAX);
    struct err e = {0};

    assert_ok(file_read(from, &octets, &e), &e);
    assert_ok(file_write(to, buf_span(&octets), 0600, &e), &e);
}

static void
copy(const char *from, const char *to)
{
    CLEANUP(mem_cleanup) char *seals = mem_printf("%s-seal", from);
    CLEANUP(mem_cleanup) char *copied = mem_printf("%s-seal", to);

    copy_file(from, to);
    copy_file(seals, copied);
}

int
whole_setup(void **state)
{
    struct whole *w = mem_zalloc(1, sizeof(*w));
    struct store *store;

    w->dir = tmpdir_new();
    w->path = mem_printf("%s/ra.db", w->dir);
    w->older = mem_printf("%s/older.db", w->dir);
    w->original = mem_printf("%s/original.db", w->dir);
    store = verb_store(w->dir);
    first_part(store);
    verb_end(store);
    copy(w->path, w->older);
    store = verb_store(w->dir);
    second_part(store);
    verb_end(store);
    copy(w->path, w->original);
    *state = w;
    return 0;
}

int
whole_teardown(void **state)
{
    struct whole *w = *state;

    tmpdir_remove(w->dir);
    mem_free(w->path);
    mem_free(w->older);
    mem_free(w->original);
    mem_free(w);
    return 0;
}
