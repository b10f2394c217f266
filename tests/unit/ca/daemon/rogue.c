/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An RA that somebody else owns, with its genuine key, hands in frame after frame: nothing is
 * issued but what genuine proofs allow, and each refusal has a name. ROGUE_FRAMES says how many, in
 * place of a sample; ROGUE_SEED which, in place of the one that is always the same.
 */
#include "tests/unit/ca/daemon/rogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE = 2000, SEED = 20261129, BATCH = 32, TABLE_MAX = 512, REASON_MAX = 512 };

/* ---- what came of it ---- */

struct line {
    const struct rogue_kind *kind;
    enum link_type type;
    unsigned fail_info;
    char words[LINK_PHRASE_MAX + 1]; /* before what it says to do */
    size_t n;
};

static struct {
    struct line lines[TABLE_MAX];
    size_t n;
    size_t issued;  /* for the first time */
    size_t refused; /* and recorded */
} table;

/* Times and registrations are no names of a refusal. */
static void
cut_value(char *words)
{
    size_t n = strcspn(words, "0123456789");

    while (words[n] != '\0' && n > 0 && words[n - 1] != ' ') {
        n--;
    }
    words[n] = '\0';
}

static void
count(const struct rogue_kind *kind, const struct link_message *m)
{
    struct line l = {.kind = kind, .type = m->type, .fail_info = m->fail_info};
    const char *colon = m->phrase.n > 0 ? memchr(m->phrase.p, ':', m->phrase.n) : NULL;
    const size_t said = colon != NULL ? (size_t)(colon - (const char *)m->phrase.p) : m->phrase.n;
    size_t i = 0;

    (void)snprintf(l.words, sizeof(l.words), "%.*s", (int)said, (const char *)m->phrase.p);
    cut_value(l.words);
    while (i < table.n && (table.lines[i].kind != kind || table.lines[i].type != l.type ||
                           (l.type != LINK_ISSUED && table.lines[i].fail_info != l.fail_info) ||
                           strcmp(table.lines[i].words, l.words) != 0)) {
        i++;
    }
    if (i == table.n) {
        assert_true(table.n < TABLE_MAX);
        table.lines[table.n++] = l;
    }
    table.lines[i].n++;
}

static void
show(void)
{
    size_t all = 0;

    for (size_t k = 0; k < rogue_n_kinds; k++) {
        for (size_t i = 0; i < table.n; i++) {
            const struct line *l = &table.lines[i];
            const bool says = l->type == LINK_REFUSED || l->type == LINK_DEFERRED;

            if (l->kind == &rogue_kinds[k]) {
                all += l->n;
                print_message("%7zu  %-38s %-10s %-18s %.60s\n", l->n, l->kind->name,
                              link_type_name(l->type),
                              says ? cmp_failure_name((enum cmp_failure)l->fail_info) : "",
                              says ? l->words : "");
            }
        }
    }
    print_message("%7zu  frames: %zu certificates, %zu refusals in the record\n", all, table.issued,
                  table.refused);
}

/* ---- and what the record says of it ---- */

struct reason {
    int failure;
    char words[REASON_MAX];
    size_t n;
};

static struct {
    struct reason list[TABLE_MAX];
    size_t n;
    size_t leaves;
} reasons;

static void
count_reason(void *arg, int failure, const char *text)
{
    struct reason r = {.failure = failure};
    size_t i = 0;

    (void)arg;
    assert_true(failure >= 0 && text != NULL && text[0] != '\0');
    (void)snprintf(r.words, sizeof(r.words), "%s", text);
    cut_value(r.words);
    while (i < reasons.n &&
           (reasons.list[i].failure != failure || strcmp(reasons.list[i].words, r.words) != 0)) {
        i++;
    }
    if (i == reasons.n) {
        assert_true(reasons.n < TABLE_MAX);
        reasons.list[reasons.n++] = r;
    }
    reasons.list[i].n++;
    reasons.leaves++;
}

static void
show_reasons(struct world *w)
{
    record_each_refusal(w, count_reason, NULL);
    for (size_t i = 0; i < reasons.n; i++) {
        print_message("%7zu  REFUSAL %-18s %.90s\n", reasons.list[i].n,
                      cmp_failure_name((enum cmp_failure)reasons.list[i].failure),
                      reasons.list[i].words);
    }
    assert_int_equal(reasons.leaves, table.refused);
}

static void
fail_frame(const struct rogue *r, const struct rogue_kind *kind, const struct link_message *m)
{
    world_show_log(r->w);
    fail_msg("%s: %s, %s: %.*s", kind->name, link_type_name(m->type),
             cmp_failure_name((enum cmp_failure)m->fail_info), (int)m->phrase.n,
             (const char *)m->phrase.p);
}

static struct rogue_nf *
registered_as(struct rogue *r, const char *id)
{
    struct rogue_nf *const groups[] = {r->certificates, r->vendors, r->keys, r->secrets,
                                       r->holders};

    for (size_t g = 0; g < ARRAY_LEN(groups); g++) {
        for (size_t i = 0; i < ROGUE_GROUP; i++) {
            if (strcmp(groups[g][i].nf.id, id) == 0) {
                return &groups[g][i];
            }
        }
    }
    return NULL; /* under the others nothing is to be issued */
}

/* The key of the network function that is registered so, no more often than is registered. */
static void
check_certificate(struct rogue *r, const struct rogue_kind *kind, const struct rogue_frame *f,
                  const struct link_message *m)
{
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    struct rogue_nf *n = registered_as(r, f->entry.registration_id);
    struct err e = {0};

    certificate = certificate_parse(m->body, &e);
    if (n == NULL || certificate == NULL ||
        EVP_PKEY_eq(X509_get0_pubkey(certificate), n->nf.key) != 1 || ++n->got > n->may) {
        fail_frame(r, kind, m);
    }
    table.issued++;
}

static bool
is_wanted(const struct rogue_kind *kind, const struct link_message *m)
{
    for (size_t i = 0; i < ROGUE_WANTED_MAX && kind->wanted[i].type != 0; i++) {
        const char *words = kind->wanted[i].words;

        if (m->type == kind->wanted[i].type &&
            (kind->wanted[i].failure < 0 || m->fail_info == (unsigned)kind->wanted[i].failure) &&
            (words == NULL || memmem(m->phrase.p, m->phrase.n, words, strlen(words)) != NULL)) {
            return true;
        }
    }
    return false;
}

static bool
is_same(const struct rogue_kept *k, const struct link_message *m)
{
    return m->type == k->type &&
           (m->type == LINK_ISSUED ? span_equal(m->body, buf_span(&k->certificate))
                                   : m->fail_info == k->fail_info);
}

static void
keep(struct rogue *r, const struct rogue_frame *f, const struct link_message *m)
{
    struct rogue_kept *k =
        &r->kept[r->n_kept < ROGUE_KEPT ? r->n_kept++ : rogue_random(r, ROGUE_KEPT)];
    struct err e = {0};

    buf_free(&k->message);
    buf_free(&k->certificate);
    k->message = BUF_INIT(CMP_MESSAGE_MAX);
    k->certificate = BUF_INIT(LINK_CERTIFICATE_MAX);
    assert_ok(buf_set(&k->message, buf_span(&f->message), &e), &e);
    assert_ok(buf_set(&k->certificate, m->body, &e), &e);
    k->entry = f->entry;
    k->type = m->type;
    k->fail_info = m->fail_info;
}

/* For the first time, and for ever. */
static bool
is_decided(const struct rogue_frame *f, const struct link_message *m)
{
    return f->type == LINK_SUBMIT && f->again == NULL &&
           (m->type == LINK_ISSUED || m->type == LINK_REFUSED);
}

static void
judge(struct rogue *r, const struct rogue_kind *kind, const struct rogue_frame *f,
      const struct link_message *m)
{
    count(kind, m);
    if (f->again != NULL ? !is_same(f->again, m) : !is_wanted(kind, m)) {
        fail_frame(r, kind, m);
    }
    if (!is_decided(f, m)) {
        return;
    }
    if (m->type == LINK_ISSUED) {
        check_certificate(r, kind, f, m);
    } else {
        table.refused++;
    }
}

/* ---- a batch of them ---- */

static const struct rogue_kind *
pick(struct rogue *r)
{
    const struct rogue_kind *kind = &rogue_kinds[rogue_random(r, (uint32_t)rogue_n_kinds)];

    while (kind->is_again && r->n_kept < ROGUE_KEPT / 2) {
        kind = &rogue_kinds[rogue_random(r, (uint32_t)rogue_n_kinds)];
    }
    return kind;
}

/* What is to be under one head. */
static void
commit(struct rogue *r, const struct rogue_kind *const kinds[], struct rogue_frame *frames,
       size_t n)
{
    const struct submit_head head = {.ra = r->w->ra,
                                     .key = r->w->ra_key,
                                     .ca = r->w->issuing,
                                     .first = r->w->sequence + 1,
                                     .time = clock_now()};
    struct cmp_queue_entry entries[BATCH];
    struct span messages[BATCH];
    struct submit submits[BATCH];
    size_t at[BATCH];
    size_t m = 0;
    struct err e = {0};

    for (size_t i = 0; i < n; i++) {
        if (frames[i].type == LINK_SUBMIT) {
            entries[m] = frames[i].entry;
            messages[m] = buf_span(&frames[i].message);
            at[m++] = i;
        }
    }
    if (m == 0) {
        return;
    }
    submit_all(&head, entries, messages, m, submits);
    r->w->sequence += m;
    for (size_t k = 0; k < m; k++) {
        struct rogue_frame *f = &frames[at[k]];

        if (kinds[at[k]]->damage != NULL) {
            kinds[at[k]]->damage(r, &submits[k]);
        }
        f->body = submit_der(&submits[k]);
        assert_ok(sha256(messages[k], f->id, &e), &e);
        f->id[0] ^= f->other_rid ? 1 : 0;
        f->id_n = sizeof(f->id);
        submit_free(&submits[k]);
    }
}

static void
hear(struct rogue *r, const struct rogue_kind *const kinds[], struct rogue_frame *frames, size_t n)
{
    struct answer answers[BATCH];
    bool heard[BATCH] = {false};

    memset(answers, 0, sizeof(answers));
    for (size_t i = 0; i < n; i++) {
        struct answer answer = {0};
        size_t k = 0;

        world_receive(r->w, &answer);
        while (k < n &&
               (heard[k] || !span_equal(answer.m.id, span_of(frames[k].id, frames[k].id_n)))) {
            k++;
        }
        assert_true(k < n);
        heard[k] = true;
        answers[k] = answer;
        judge(r, kinds[k], &frames[k], &answer.m);
    }
    for (size_t k = 0; k < n; k++) {
        if (is_decided(&frames[k], &answers[k].m) && rogue_random(r, 8) == 0) {
            keep(r, &frames[k], &answers[k].m);
        }
        answer_free(&answers[k]);
    }
}

static void
run_batch(struct rogue *r, size_t n)
{
    const struct rogue_kind *kinds[BATCH];
    struct rogue_frame frames[BATCH];

    memset(frames, 0, sizeof(frames));
    for (size_t i = 0; i < n; i++) {
        kinds[i] = pick(r);
        kinds[i]->make(r, &frames[i]);
    }
    commit(r, kinds, frames, n);
    for (size_t i = 0; i < n; i++) {
        const struct link_message m = {.type = frames[i].type,
                                       .id = span_of(frames[i].id, frames[i].id_n),
                                       .body = buf_span(&frames[i].body)};

        world_send(r->w, &m);
    }
    hear(r, kinds, frames, n);
    for (size_t i = 0; i < n; i++) {
        buf_free(&frames[i].body);
        buf_free(&frames[i].message);
    }
}

static uint64_t
number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static void
nothing_is_issued_but_what_proofs_allow(void **state)
{
    struct rogue *r = *state;
    const size_t frames = number("ROGUE_FRAMES", SAMPLE);
    const uint64_t seed = number("ROGUE_SEED", SEED);
    const struct record before = record_read(r->w);
    const time_t begun = clock_now();

    assert_true(seed != 0);
    r->random = seed;
    print_message("ROGUE_SEED=%llu ROGUE_FRAMES=%zu\n", (unsigned long long)seed, frames);
    for (size_t done = 0; done < frames; done += BATCH) {
        run_batch(r, frames - done < BATCH ? frames - done : BATCH);
    }
    show();
    show_reasons(r->w);
    print_message("%lld s\n", (long long)(clock_now() - begun));
    {
        /* The rest of the record is as it was: no registration, no end of one, no revocation. */
        const struct record now = record_read(r->w);
        struct record_change changes[] = {
            {RECORD_LEAVES, now.figures[RECORD_LEAVES] - before.figures[RECORD_LEAVES]},
            {RECORD_REQUESTS, (int64_t)(table.issued + table.refused)},
            {RECORD_REFUSED, (int64_t)table.refused},
            {RECORD_INTENTS, (int64_t)table.issued},
            {RECORD_CERTIFICATES, (int64_t)table.issued},
            {RECORD_PUBLIC_KEYS, (int64_t)table.issued},
            {RECORD_USED, (int64_t)table.issued},
            {RECORD_FIGURES, 0}};

        record_changed(r->w, "afterwards", &before, changes);
    }
    assert_int_equal(world_stop(r->w), 0);
    world_start(r->w); /* which compares the rows with the leaves */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_issued_but_what_proofs_allow),
    };

    return cmocka_run_group_tests(tests, rogue_setup, rogue_teardown);
}
