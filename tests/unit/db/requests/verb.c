/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/db/requests/verb.h"

#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "tests/support/test.h"

struct store *
verb_try_store(const char *dir, struct err *e)
{
    static const uint8_t key[STORE_KEY_SIZE] = {7};
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ra.db", dir);
    const struct store_options options = {.path = path,
                                          .application = REQUESTS_APPLICATION,
                                          .schemas = {ra_migrations},
                                          .seal_key = span_of(key, sizeof(key))};

    return store_open(&options, e);
}

struct store *
verb_store(const char *dir)
{
    struct err e = {0};
    struct store *store = verb_try_store(dir, &e);

    if (store == NULL) {
        fail_msg("%s", e.text);
    }
    return store;
}

int
verb_scrub(struct store_db *db, void *arg, struct err *e)
{
    uint64_t page = 0;
    uint64_t seen;
    bool over;

    (void)arg;
    return store_scrub(db, &page, UINT64_MAX, &seen, &over, e);
}

void
verb_end(struct store *store)
{
    struct err e;

    assert_ok(verb_call(store, verb_scrub, NULL, &e), &e);
    store_free(store);
}

void
verb_end_cleanup(struct store **store)
{
    if (*store != NULL) {
        verb_end(*store);
    }
}

static void
fill(struct buf *b, const char *text)
{
    struct err e;

    *b = BUF_INIT(1024);
    assert_ok(buf_append_str(b, text, &e), &e);
}

int
verb_register(struct store_db *db, void *arg, struct err *e)
{
    const struct registering *in = arg;
    CLEANUP(requests_registration_clear) struct requests_registration r = {0};

    (void)snprintf(r.id, sizeof(r.id), "%s", in->id);
    (void)snprintf(r.nf_instance, sizeof(r.nf_instance), "%s", in->nf == NULL ? "nf" : in->nf);
    (void)snprintf(r.reference, sizeof(r.reference), "%s", in->reference);
    fill(&r.cms, "cms");
    fill(&r.json, "{}");
    fill(&r.sealed, in->reference[0] != '\0' ? "sealed" : "");
    fill(&r.fingerprint, in->fingerprint);
    fill(&r.public_key, in->public_key == NULL ? "" : in->public_key);
    if (in->subject != NULL) {
        r.issuer = mem_strdup("CN=Vendor");
        r.subject = mem_strdup(in->subject);
    }
    r.not_after = 5000;
    r.certificates = in->certificates;
    r.registered = in->registered;
    return requests_register(db, &r, e);
}

void
verb_registration(struct store *store, const char *id, const char *reference, int certificates)
{
    struct registering in = {id, reference, "", NULL, certificates, 1, NULL, NULL};
    struct err e;

    assert_ok(verb_call(store, verb_register, &in, &e), &e);
}

static int
stamp(void *arg, struct span text, uint8_t out[REQUESTS_STAMP_SIZE], struct err *e)
{
    (void)arg;
    return sha256(text, out, e);
}

const struct requests_author verb_author = {.ra = {1}, .ca = {2}, .now = 100, .stamp = stamp};

struct buf
verb_entry(const uint8_t rid[REQUESTS_RID_SIZE])
{
    struct buf entry = BUF_INIT(64);
    struct err e;

    assert_ok(buf_append_str(&entry, "entry ", &e), &e);
    assert_ok(buf_append(&entry, span_of(rid, REQUESTS_RID_SIZE), &e), &e);
    return entry;
}

int
verb_admit(struct store_db *db, void *arg, struct err *e)
{
    struct admitting *in = arg;
    CLEANUP(requests_head_clear) struct requests_head head = {0};
    CLEANUP(buf_free) struct buf entry = verb_entry(in->rid);
    const struct requests_admission a = {
        .identity = in->identity,
        .transaction_id = span_str(in->tid),
        .registration = ID,
        .profile = "nf-tls",
        .implicit = in->implicit,
        .uncounted = in->uncounted,
        .until = 1000,
        .rid = span_of(in->rid, sizeof(in->rid)),
        .nonce = in->nonce == NULL ? span_of(NULL, 0) : span_str(in->nonce),
        .message = span_str(in->message),
        .entry = buf_span(&entry),
        .asked = SPAN_LITERAL("asked"),
    };

    return requests_admit(db, &a, &in->enrolment, &in->sequence, e) != 0
               ? -1
               : requests_put_head(db, &verb_author, &head, e);
}

struct admitting
verb_admitting(const char *tid, uint8_t n)
{
    struct admitting in = {.identity = "mac:ref", .tid = tid};
    struct err e;

    (void)snprintf(in.message, sizeof(in.message), "message %d", n);
    assert_ok(sha256(span_str(in.message), in.rid, &e), &e);
    return in;
}

int
verb_find(struct store_db *db, void *arg, struct err *e)
{
    struct state_query *q = arg;

    return requests_enrolment_find(db, q->identity, span_str(q->tid), &q->out, &q->owner, e);
}

struct requests_enrolment
verb_enrolment(struct store *store, const char *tid)
{
    struct state_query q = {.tid = tid, .identity = "mac:ref"};
    struct err e;

    assert_ok(verb_call(store, verb_find, &q, &e), &e);
    assert_int_equal(q.owner, REQUESTS_SELF);
    return q.out;
}

void
verb_assert_state(struct store *store, const char *tid, enum requests_state state)
{
    CLEANUP(requests_enrolment_clear) struct requests_enrolment x = verb_enrolment(store, tid);

    assert_string_equal(requests_state_name(x.state), requests_state_name(state));
}

int
verb_asked(struct store_db *db, struct span rid, struct requests_asked *asked, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool found;

    if (store_query(db, &rows, "SELECT id FROM enrolment WHERE ? IN (rid, confirmation)",
                    STORE_VALUES(store_blob(rid)), e) != 0 ||
        store_next(&rows, &found, e) != 0) {
        return -1;
    }
    return requests_asked_find(db, rid, found ? row_int(&rows, 0) : 0, asked, e);
}

int
verb_answer(struct store_db *db, struct span rid,
            int (*answer)(struct store_db *, struct requests_asked *, struct err *), struct err *e)
{
    CLEANUP(requests_asked_clear) struct requests_asked asked = {0};

    return verb_asked(db, rid, &asked, e) != 0 ? -1 : answer(db, &asked, e);
}

int
verb_answer_issued(struct store_db *db, struct span rid, struct span certificate, struct err *e)
{
    CLEANUP(requests_asked_clear) struct requests_asked asked = {0};
    struct requests_certificate c = {.serial_size = sizeof(c.serial), .not_after = 9000};

    if (sha256(certificate, c.fingerprint, e) != 0) {
        return -1;
    }
    memcpy(c.serial, c.fingerprint, sizeof(c.serial));
    return verb_asked(db, rid, &asked, e) != 0 ? -1
                                               : requests_issued(db, &asked, certificate, &c, e);
}

int
verb_issued(struct store_db *db, void *arg, struct err *e)
{
    return verb_answer_issued(db, span_of(arg, REQUESTS_RID_SIZE), SPAN_LITERAL("certificate"), e);
}

int
verb_refused(struct store_db *db, void *arg, struct err *e)
{
    CLEANUP(requests_asked_clear) struct requests_asked asked = {0};

    return verb_asked(db, span_of(arg, REQUESTS_RID_SIZE), &asked, e) != 0
               ? -1
               : requests_refused(db, &asked, 23, "not allowed", e);
}

int
verb_sent(struct store_db *db, void *arg, struct err *e)
{
    const struct sending *s = arg;

    return requests_sent(db, s->enrolment, span_str(s->nonce), true, 100, e);
}

int
verb_remember(struct store_db *db, void *arg, struct err *e)
{
    return requests_remember(db, "mac:ref", span_str(arg), 1000, e);
}

int
verb_cancel(struct store_db *db, void *arg, struct err *e)
{
    return requests_cancel(db, arg, SPAN_LITERAL("signed"), "cancelled", e);
}
