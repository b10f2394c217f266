/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/db/issuance/whole.h"

#include <string.h>

#include "base/file.h"
#include "db/issuance/journal.h"
#include "db/issuance/life/approval.h"
#include "db/issuance/rows.h"
#include "db/issuance/scrub.h"

#define UUID_3 "b5f0a1de-5b0e-4a6c-9f5e-0d4f8f2f0003"

enum { FILE_MAX = 16 * 1024 * 1024, NUMBERS = 256 };

const uint8_t whole_key[STORE_KEY_SIZE] = {7};

static const char *const uuids[WHOLE_IDS] = {UUID_1, UUID_2, UUID_3};
static struct octets all[NUMBERS];

static const struct octets *
octets(uint8_t n)
{
    all[n] = scene_octets(n);
    return &all[n];
}

struct span
whole_rid(uint8_t n)
{
    return span_of(octets(n)->rid, ISSUANCE_RID_SIZE);
}

struct span
whole_serial(uint8_t n)
{
    return span_of(octets(n)->serial, ISSUANCE_SERIAL_SIZE);
}

struct span
whole_der(uint8_t n)
{
    return scene_certificate(n);
}

const struct issuance_attested *
whole_attested(int head)
{
    static struct issuance_attested attested[2];

    attested[head] = (struct issuance_attested){.entry = SPAN_LITERAL("entry"),
                                                .head = head == 0 ? SPAN_LITERAL("head")
                                                                  : SPAN_LITERAL("another"),
                                                .signature = SPAN_LITERAL("x")};
    return &attested[head];
}

struct span
whole_head(int head)
{
    return whole_rid((uint8_t)(240 + head));
}

struct intend
whole_asks(const struct whole *w, int k, uint8_t n)
{
    static const uint8_t transactions[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP";
    struct intend i = scene_nf(octets(n), w->ids[k], span_of(&transactions[n % 52], 1));

    i.intent.nf_instance = uuids[k];
    i.intent.certificates = k == 1 ? 9 : 2;
    i.intent.confirm = ISSUANCE_EXPECTED;
    i.intent.tbs = scene_tbs(whole_der(n));
    i.intent.requester = whole_rid(n);
    i.intent.message_time = NOW;
    i.intent.profile_file = whole_rid(250);
    return i;
}

struct issuance_decision
whole_decision(uint8_t n, uint8_t officer, bool approves)
{
    return (struct issuance_decision){.rid = whole_rid(n),
                                      .approves = approves,
                                      .officer = whole_serial(officer),
                                      .officer_der = whole_der(officer),
                                      .subject = officer == 202 ? "CN=Alice" : "CN=Bob",
                                      .key_sha256 = whole_rid(officer),
                                      .cms = SPAN_LITERAL("CMS"),
                                      .reason = "",
                                      .by = "uid 0 (root)",
                                      .fail_info = 23,
                                      .phrase = "not approved",
                                      .now = NOW};
}

struct issuance_journal
whole_journal(int kind)
{
    return (struct issuance_journal){.key = {(uint8_t)(kind + 1)},
                                     .kind = (enum issuance_journal_kind)kind,
                                     .exempt = 1,
                                     .compared = 5,
                                     .checked = 3};
}

static void
copy_file(const char *from, const char *to)
{
    CLEANUP(buf_free) struct buf bytes = BUF_INIT(FILE_MAX);
    struct err e = {0};

    assert_ok(file_read(from, &bytes, &e), &e);
    assert_ok(file_write(to, buf_span(&bytes), 0600, &e), &e);
}

void
whole_copy(const char *from, const char *to)
{
    CLEANUP(mem_cleanup) char *seals = mem_printf("%s-seal", from);
    CLEANUP(mem_cleanup) char *copied = mem_printf("%s-seal", to);

    copy_file(from, to);
    copy_file(seals, copied);
}

/* ---- steps ---- */

static void
call(const struct whole *w, int (*verb)(struct store_db *, void *, struct err *), void *arg)
{
    struct err e = {0};

    assert_ok(verb_call(w->s->store, verb, arg, &e), &e);
}

static void
intend(const struct whole *w, struct intend i)
{
    call(w, do_intend, &i);
    assert_int_equal(i.outcome, ISSUANCE_DONE);
}

static void
issue(const struct whole *w, uint8_t n)
{
    struct issue x = {.rid = whole_rid(n), .certificate = whole_der(n)};

    call(w, do_issue, &x);
}

static void
enrol(const struct whole *w, int k, uint8_t n)
{
    intend(w, whole_asks(w, k, n));
    issue(w, n);
}

static void
confirm(const struct whole *w, uint8_t n, bool accepted)
{
    struct confirming c = {.c = {.rid = whole_rid((uint8_t)(n + 100)),
                                 .ra_der = RA,
                                 .request = whole_rid(n),
                                 .accepted = accepted,
                                 .evidence = SPAN_LITERAL("certConf"),
                                 .reason = "does not fit",
                                 .when = WHEN}};

    call(w, do_confirm, &c);
    assert_int_equal(c.outcome, ISSUANCE_DONE);
}

static void
revoke(const struct whole *w, uint8_t n)
{
    struct revoking r = {.serial = whole_serial(n)};

    call(w, do_revoke, &r);
    assert_int_equal(r.outcome, ISSUANCE_DONE);
}

static int
do_asked(struct store_db *db, void *arg, struct err *e)
{
    const uint8_t *n = arg;
    const struct issuance_asked a = {.rid = whole_rid((uint8_t)(*n + 100)),
                                     .ra_der = RA,
                                     .holder = whole_serial(*n),
                                     .serial = whole_serial(*n),
                                     .reason = SUPERSEDED,
                                     .by = "itself",
                                     .evidence = SPAN_LITERAL("rr"),
                                     .when = WHEN};
    enum issuance_outcome outcome;
    uint64_t leaf;

    if (issuance_revoke_asked(db, &a, &leaf, &outcome, e) != 0) {
        return -1;
    }
    assert_int_equal(outcome, ISSUANCE_DONE);
    return 0;
}

static int
do_pend(struct store_db *db, void *arg, struct err *e)
{
    struct intend *i = arg;
    uint64_t leaf;

    return issuance_pend(db, &i->intent, NOW + 1000, &leaf, &i->outcome, e);
}

static int
do_decide(struct store_db *db, void *arg, struct err *e)
{
    CLEANUP(issuance_pending_free) struct issuance_pending after = {0};
    enum issuance_outcome outcome;
    uint64_t leaf;

    if (issuance_decide(db, arg, &leaf, &after, &outcome, e) != 0) {
        return -1;
    }
    assert_int_equal(outcome, ISSUANCE_DONE);
    return 0;
}

static void
pend(const struct whole *w, uint8_t n, int approvals)
{
    struct intend i = whole_asks(w, 1, n);
    struct issuance_decision d = whole_decision(n, 202, true);

    i.intent.approvals = approvals;
    call(w, do_pend, &i);
    assert_int_equal(i.outcome, ISSUANCE_DONE);
    call(w, do_decide, &d);
}

/* A kur of 11. */
static struct intend
renews(const struct whole *w, uint8_t n)
{
    struct intend i = whole_asks(w, 1, n);

    i.intent.holder = whole_serial(11);
    i.intent.renews = whole_serial(11);
    i.intent.is_update = true;
    i.intent.confirm = ISSUANCE_REQUIRED;
    i.intent.message_time = NOW + n;
    i.intent.attested = whole_attested(1);
    i.intent.queue_previous = whole_head(1);
    return i;
}

static int
do_again(struct store_db *db, void *arg, struct err *e)
{
    const struct intend *i = arg;
    struct issuance_former former;
    uint64_t index;
    bool found;

    if (issuance_former_find(db, whole_serial(11), &former, &found, e) != 0) {
        return -1;
    }
    assert_true(found);
    return issuance_append_again(db, &i->intent, &former, &index, e);
}

static const char *const settings[] = {"profiles", "config"};

static int
do_setting(struct store_db *db, void *arg, struct err *e)
{
    CLEANUP(buf_free) struct buf before = BUF_INIT(64);
    const int *i = arg;
    bool changed;
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_CONFIG, NOW);
    uint64_t index;

    leaf_set_text(leaf, "file", settings[*i % 2]);
    leaf_set_hex(leaf, "sha256", span_of(i, sizeof(*i)));
    return issuance_setting(db, settings[*i % 2], span_of(i, sizeof(*i)), &before, &changed, e) != 0
               ? -1
               : ledger_append(db, leaf, &index, e);
}

struct step_of_crl {
    uint64_t number; /* 0: reserves and intends */
};

static int
do_crl(struct store_db *db, void *arg, struct err *e)
{
    static const uint8_t digest[SHA256_SIZE] = {1};
    struct step_of_crl *step = arg;
    struct issuance_crl crl = {.number = step->number,
                               .tbs = SPAN_LITERAL("TBS"),
                               .up_to = 1,
                               .digest = span_of(digest, sizeof(digest)),
                               .now = NOW};
    uint64_t leaf;

    if (step->number != 0) {
        return issuance_crl_store(db, &crl, SPAN_LITERAL("CRL"), &leaf, e);
    }
    if (issuance_crl_reserve(db, NOW - 300, NOW + 3600, &crl.number, e) != 0) {
        return -1;
    }
    step->number = crl.number;
    return issuance_crl_intend(db, &crl, &leaf, e);
}

/* Of the scrub: no pass has ended. */
static int
do_position(struct store_db *db, void *arg, struct err *e)
{
    const struct issuance_scrub none = {0};

    (void)arg;
    return issuance_scrub_store(db, &none, e);
}

/* Of the two kinds of keys; two checkpoints have their line. */
/* Of values enough that one is made. */
static int
do_dictionary(struct store_db *db, void *arg, struct err *e)
{
    CLEANUP(buf_free) struct buf packed = {0};
    uint8_t value[1000] = {'{'};

    (void)arg;
    for (int i = 0; i < 100; i++) {
        if (packed_make(db, "STOP", span_of(value, sizeof(value)), &packed, e) != 0) {
            return -1;
        }
    }
    return 0;
}

static int
do_journals(struct store_db *db, void *arg, struct err *e)
{
    (void)arg;
    for (int k = 0; k < 2; k++) {
        struct issuance_journal j = whole_journal(k);

        if (issuance_journal_begin(db, &j, e) != 0) {
            return -1;
        }
        for (uint64_t size = 1; k == 1 && size <= 2; size++) {
            if (issuance_journal_checkpoint(db, &j, size, e) != 0) {
                return -1;
            }
        }
        if (issuance_journal_save(db, &j, e) != 0) {
            return -1;
        }
    }
    return 0;
}

static void
registers(struct whole *w, int k, const char *cms, int certificates)
{
    struct registering r = scene_registration(uuids[k], cms, certificates);

    call(w, do_register, &r);
    assert_int_equal(r.outcome, ISSUANCE_DONE);
    memcpy(w->ids[k], r.row.id, sizeof(w->ids[k]));
    if (k == 2) {
        call(w, do_cancel, &r);
        assert_int_equal(r.outcome, ISSUANCE_DONE);
    }
    issuance_registration_free(&r.row);
}

static void
refuse(const struct whole *w, uint8_t n)
{
    struct refusing x = {.r = {.rid = whole_rid(n),
                               .registration = w->ids[1],
                               .ra_der = RA,
                               .profile = "nf-tls",
                               .evidence = SPAN_LITERAL("asked"),
                               .queue_sequence = 7,
                               .queue_previous = whole_rid(n),
                               .fail_info = 2,
                               .phrase = "no",
                               .reason = "no",
                               .now = NOW}};

    call(w, do_refuse, &x);
    assert_int_equal(x.outcome, ISSUANCE_DONE);
}

/* Of the registrations: 0 has 1 (issued) and 2 (an intent); 1 has 11 (confirmed), 12 (rejected), 13
 * (refused), 14 (given up), 15 and 16 (wait), 17 and 21 (revoked by rr), 18 (renews 11, and answers
 * 19 and 20, too), 22 (an intent); 2 is cancelled. 202 to 204 are officers, 203 is revoked. */
static void
first_part(struct whole *w)
{
    struct intend i = whole_asks(w, 0, 1);
    struct step_of_crl crl = {0};
    struct issue given_up = {.rid = whole_rid(14)};
    const uint8_t asked[] = {17, 21};

    for (uint8_t n = 202; n <= 204; n++) {
        scene_issue(w->s->store, n, "officer", whole_der(n));
    }
    registers(w, 1, "second", 9);
    registers(w, 2, "third", 1);
    i.intent.attested = whole_attested(0);
    i.intent.queue_previous = whole_head(0);
    intend(w, i);
    issue(w, 1);
    intend(w, whole_asks(w, 0, 2));
    enrol(w, 1, 11);
    confirm(w, 11, true);
    refuse(w, 13);
    intend(w, whole_asks(w, 1, 14));
    call(w, do_abandon, &given_up);
    pend(w, 15, 1);
    pend(w, 16, 2);
    for (size_t k = 0; k < ARRAY_LEN(asked); k++) {
        uint8_t n = asked[k];

        enrol(w, 1, n);
        call(w, do_asked, &n);
    }
    intend(w, renews(w, 18));
    issue(w, 18);
    for (uint8_t n = 19; n <= 20; n++) {
        i = renews(w, n);
        call(w, do_again, &i);
    }
    intend(w, whole_asks(w, 1, 22));
    i = whole_asks(w, 1, 12);
    i.intent.profile = "nf-other";
    intend(w, i);
    issue(w, 12);
    confirm(w, 12, false);
    revoke(w, 203);
    for (int k = 0; k < 2; k++) {
        crl.number = 0;
        call(w, do_crl, &crl);
        call(w, do_crl, &crl);
        call(w, do_setting, &k);
    }
    crl.number = 0;
    call(w, do_crl, &crl); /* announced */
    call(w, do_position, NULL);
    call(w, do_dictionary, NULL);
    call(w, do_journals, NULL);
}

static void
second_part(struct whole *w)
{
    struct intend approved = whole_asks(w, 1, 15);
    struct step_of_crl crl = {.number = 3};
    int setting = 2;

    issue(w, 2);
    confirm(w, 1, true);
    call(w, do_setting, &setting);
    call(w, do_crl, &crl);
    crl.number = 0;
    call(w, do_crl, &crl);
    revoke(w, 204);
    approved.intent.approvals = 1;
    intend(w, approved);
    issue(w, 15);
}

static void
close_store(struct whole *w)
{
    store_free(w->s->store);
    w->s->store = NULL;
}

int
whole_setup(void **state)
{
    struct whole *w = mem_zalloc(1, sizeof(*w));
    struct err e = {0};

    assert_int_equal(scene_setup(state), 0);
    w->s = *state;
    w->path = mem_printf("%s/ca.db", w->s->dir);
    w->older = mem_printf("%s/older.db", w->s->dir);
    w->original = mem_printf("%s/original.db", w->s->dir);
    memcpy(w->ids[0], w->s->id, sizeof(w->ids[0]));
    scene_reopen(w->s, whole_key);
    assert_ok(store_seal(w->s->store, &e), &e);
    first_part(w);
    close_store(w);
    whole_copy(w->path, w->older);
    scene_reopen(w->s, whole_key);
    second_part(w);
    close_store(w);
    whole_copy(w->path, w->original);
    *state = w;
    return 0;
}

int
whole_teardown(void **state)
{
    struct whole *w = *state;

    *state = w->s;
    (void)scene_teardown(state);
    mem_free(w->path);
    mem_free(w->older);
    mem_free(w->original);
    mem_free(w);
    return 0;
}
