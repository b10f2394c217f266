/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/journals/compare.h"

#include <stdio.h>
#include <string.h>

#include "base/tlog/checkpoint.h"

void
compare_free(struct compare *c)
{
    buf_free(&c->answer);
}

/* ---- the signers of the key ---- */

static size_t
signers(const struct compare *c)
{
    return compare_is_of_log(c) || c->only ? c->at + 1 : c->ca->conf.n_issuing;
}

/* Its first step is next. */
static void
turn_to(struct compare *c, size_t at)
{
    const struct ca *ca = c->ca;
    const bool is_log = compare_is_of_log(c);
    const struct ca_signer *conf = is_log ? &ca->conf.log : &ca->conf.issuing[at];

    c->at = at;
    c->signer = is_log ? ca->log : signer_pool_at(ca->issuing, at);
    c->name = ca_signer_name(conf);
    c->row.number = conf->number;
    c->attempts = signer_attempts(c->signer);
    buf_truncate(&c->answer, 0);
}

void
compare_begin(struct compare *c, struct ca *ca, bool of_log)
{
    *c = (struct compare){.ca = ca,
                          .answer = BUF_INIT(ATTEMPTED_MAX),
                          .row.kind =
                              of_log ? ISSUANCE_JOURNAL_CHECKPOINTS : ISSUANCE_JOURNAL_OBJECTS};
    turn_to(c, 0);
}

void
compare_begin_only(struct compare *c, struct ca *ca, const struct signer *signer)
{
    compare_begin(c, ca, signer == ca->log);
    for (size_t i = 1; c->signer != signer; i++) {
        turn_to(c, i);
    }
    c->only = signer != ca->log && ca->conf.n_issuing > 1;
}

bool
compare_is_of_log(const struct compare *c)
{
    return c->row.kind == ISSUANCE_JOURNAL_CHECKPOINTS;
}

void
compare_miss(struct compare *c, bool *more)
{
    c->misses = true;
    *more = c->at + 1 < signers(c) && !c->searches;
    if (*more) {
        turn_to(c, c->at + 1);
    }
}

/* ---- a line ---- */

static int
checkpoint_belongs(struct compare *c, struct store_db *db, const struct attempted *a, bool *belongs,
                   struct err *e)
{
    struct checkpoint checkpoint = {.size = a->size};
    CLEANUP(buf_free) struct buf text = BUF_INIT(CHECKPOINT_MAX);
    uint8_t hash[SHA256_SIZE];
    uint64_t size;

    *belongs = false;
    if (ledger_size(db, &size, e) != 0) {
        return -1;
    }
    if (a->bare || a->size == 0 || a->size > size) {
        return 0;
    }
    (void)snprintf(checkpoint.origin, sizeof(checkpoint.origin), "%s", c->ca->conf.log_origin);
    if (ledger_root(db, a->size, checkpoint.root.octets, e) != 0 ||
        checkpoint_text(&checkpoint, &text, e) != 0 || sha256(buf_span(&text), hash, e) != 0) {
        return -1;
    }
    *belongs = memcmp(hash, a->hash, sizeof(hash)) == 0 &&
               memcmp(checkpoint.root.octets, a->root, sizeof(a->root)) == 0;
    return *belongs ? issuance_journal_checkpoint(db, &c->row, a->size, e) : 0;
}

static int
line_belongs(struct compare *c, struct store_db *db, const struct attempted *a, bool *belongs,
             struct err *e)
{
    *belongs = false;
    if (compare_is_of_log(c)) {
        return a->kind == SIGNER_CHECKPOINT ? checkpoint_belongs(c, db, a, belongs, e) : 0;
    }
    if (a->bare) {
        return 0;
    }
    return a->kind == SIGNER_CERTIFICATE
               ? issuance_journal_certificate(db, &c->row, a->hash, a->serial, belongs, e)
           : a->kind == SIGNER_CRL ? issuance_journal_crl(db, &c->row, a->hash, a->size, belongs, e)
                                   : 0;
}

static const char *
what_is(char kind)
{
    return kind == SIGNER_CERTIFICATE  ? "a certificate"
           : kind == SIGNER_CRL        ? "a CRL"
           : kind == SIGNER_CHECKPOINT ? "a checkpoint"
                                       : "something that this key does not sign";
}

static int
foreign(const struct compare *c, const struct attempted *a, struct err *e)
{
    CLEANUP(mem_cleanup) char *hash = hex_dup(span_of(a->hash, sizeof(a->hash)));
    CLEANUP(mem_cleanup) char *serial = hex_dup(span_of(a->serial, sizeof(a->serial)));
    const bool has_serial = a->kind == SIGNER_CERTIFICATE && !a->bare;

    if (c->unknown != NULL) {
        *c->unknown = (struct unknown_line){
            .found = true, .of_log = compare_is_of_log(c), .number = c->row.number, .line = *a};
        memcpy(c->unknown->key, c->row.key, sizeof(c->unknown->key));
        return err_set(e, ERR_STALE, "%s: line %llu", c->name, (unsigned long long)a->number);
    }
    log_event(LOG_ERROR, "journal-line-unknown",
              "%s: line %llu, kind %c, SHA-256 %s%s%s: this key may have signed %s that the record "
              "has not: nfpki-ca(8), Journals",
              c->name, (unsigned long long)a->number, a->kind, hash,
              has_serial ? ", serial number " : "", has_serial ? serial : "", what_is(a->kind));
    return err_set(e, ERR_STALE,
                   "%s: line %llu of the journal belongs to nothing in the record: %s with SHA-256 "
                   "%s may have been signed: nfpki-ca(8), Journals",
                   c->name, (unsigned long long)a->number, what_is(a->kind), hash);
}

/* ---- the journal ---- */

static int
other_journal(const struct compare *c, struct err *e)
{
    return err_set(e, ERR_STALE,
                   "%s: the journal has other lines up to %llu than when they were compared: it is "
                   "another, or was edited: put back the newest journal, nfpki-ca(8)",
                   c->name, (unsigned long long)c->row.compared);
}

static int
older_journal(const struct compare *c, uint64_t lines, struct err *e)
{
    const uint64_t known = c->attempts > c->row.compared ? c->attempts : c->row.compared;

    return err_set(e, ERR_STALE,
                   "%s: the journal is older than ca.db: it has %llu lines, and had %llu: put back "
                   "the newest journal, nfpki-ca(8)",
                   c->name, (unsigned long long)lines, (unsigned long long)known);
}

/* What the log was asked for last is of this record, and not before what is stored as signed. */
static int
check_last(const struct compare *c, struct store_db *db, struct err *e)
{
    uint8_t root[LEAF_HASH_SIZE];
    uint64_t size;

    if (c->last.size < c->stored) {
        return err_set(e, ERR_STALE,
                       "%s: the log signer's journal is older than ca.db: it ends at %llu; ca.db "
                       "has a signed checkpoint over %llu: put back the newest journal, "
                       "nfpki-ca(8)",
                       c->name, (unsigned long long)c->last.size, (unsigned long long)c->stored);
    }
    if (ledger_size(db, &size, e) != 0) {
        return -1;
    }
    if (c->last.size > size) {
        return err_set(e, ERR_STALE,
                       "%s: ca.db is older than what was signed: %llu leaves; the log signer's "
                       "journal ends at %llu: put back the newest ca.db, nfpki-ca(8)",
                       c->name, (unsigned long long)size, (unsigned long long)c->last.size);
    }
    if (c->last.size == 0) {
        return 0;
    }
    if (ledger_root(db, c->last.size, root, e) != 0) {
        return -1;
    }
    return memcmp(root, c->last.root, sizeof(root)) == 0
               ? 0
               : err_set(e, ERR_STALE,
                         "%s: the log signer's last checkpoint, over %llu leaves, has another root "
                         "than ca.db: nfpki-ca(8)",
                         c->name, (unsigned long long)c->last.size);
}

/* ---- steps ---- */

/* What a signer that is not named signs meanwhile is not compared. */
static int
say_left_out(const struct compare *c, struct store_db *db, size_t known, struct err *e)
{
    struct issuance_journal row = c->row;
    bool found;

    for (size_t at = 0; at < signers(c); at++) {
        row.number = compare_is_of_log(c) ? c->row.number : c->ca->conf.issuing[at].number;
        if (issuance_journal_find(db, &row, &found, e) != 0) {
            return -1;
        }
        known -= found ? 1 : 0;
    }
    if (known > 0) {
        log_event(LOG_WARNING, "journals-left-out",
                  "ca.db knows %zu journals of the issuing key whose signers are not named: no "
                  "further line of them is compared",
                  known);
    }
    return 0;
}

/* Nothing of the signers was asked yet: all that is stored has its line when they answer. */
static int
begin_round(struct compare *c, struct store_db *db, struct err *e)
{
    uint64_t size;
    size_t known;
    uint64_t lines;

    if ((compare_is_of_log(c) && check_last(c, db, e) != 0) || ledger_size(db, &size, e) != 0 ||
        issuance_journal_known(db, c->row.key, &known, &lines, e) != 0) {
        return -1;
    }
    c->up_to = compare_is_of_log(c) ? c->stored : size;
    c->is_first = known == 0;
    c->begun = true;
    return c->may_begin && c->looks == NULL ? say_left_out(c, db, known, e) : 0;
}

/* What is there of the first that is compared of a key is from before journals were. Of another
 * one all lines are compared; and one that was emptied has a row, which says how many it had. */
static int
begin_new(struct compare *c, struct err *e)
{
    if (!c->may_begin) {
        return err_set(e, ERR_STALE, "%s: ca.db says no more how far the journal is compared",
                       c->name);
    }
    c->row.compared = c->is_first ? c->attempts : 0;
    if (!c->is_first && c->attempts > 0 && c->looks == NULL) {
        log_event(LOG_WARNING, "journal-compared-whole",
                  "%s: number %u of its key is new here, and its journal has %llu lines: all of "
                  "them are compared",
                  c->name, c->row.number + 1, (unsigned long long)c->attempts);
    }
    return 0;
}

static int
first_step(struct compare *c, struct store_db *db, struct err *e)
{
    bool found;

    if (sha256(signer_spki(c->signer), c->row.key, e) != 0 ||
        (!c->begun && begin_round(c, db, e) != 0) ||
        issuance_journal_find(db, &c->row, &found, e) != 0 || (!found && begin_new(c, e) != 0)) {
        return -1;
    }
    c->first = c->row.compared + 1;
    c->more = true;
    return 0;
}

static int
begin(struct compare *c, struct store_db *db, const struct attempted_page *page, struct err *e)
{
    c->row.exempt = page->first - 1;
    memcpy(c->row.chain, page->chain, sizeof(c->row.chain));
    if (c->row.exempt > 0 && c->looks == NULL) {
        log_event(LOG_WARNING, "journal-lines-exempt",
                  "%s: %llu lines are from before journals were compared, and are not", c->name,
                  (unsigned long long)c->row.exempt);
    }
    return issuance_journal_begin(db, &c->row, e);
}

/* Of a line that belongs to nothing else. */
static int
is_acknowledged(struct compare *c, struct store_db *db, const struct attempted *a, bool *belongs,
                struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = NULL;
    uint64_t place;

    if (issuance_journal_acknowledged(db, &c->row, a->number, a->kind, a->hash, &leaf, &place, e) !=
        0) {
        return -1;
    }
    *belongs = leaf != NULL;
    return leaf == NULL ? 0 : c->ca->believes_acknowledged(c->ca, db, leaf, place, e);
}

static int
take_lines(struct compare *c, struct store_db *db, struct attempted_page *page, struct err *e)
{
    struct attempted a;
    bool belongs;
    bool there;

    while (attempted_next(page, &a, &there, e) == 0) {
        if (!there) {
            return 0;
        }
        if (line_belongs(c, db, &a, &belongs, e) != 0 ||
            (!belongs && is_acknowledged(c, db, &a, &belongs, e) != 0)) {
            return -1;
        }
        if (!belongs) {
            return foreign(c, &a, e);
        }
        c->row.compared = a.number;
        if (attempted_chain(c->row.chain, a.number, a.kind, a.hash, e) != 0) {
            return -1;
        }
    }
    return -1;
}

/* ---- what is stored without a line ---- */

static bool
is_wanted(const struct compare *c, const struct issuance_journal_wanted *w,
          const struct attempted *a)
{
    if (a->bare) {
        return false;
    }
    if (compare_is_of_log(c)) {
        return a->kind == SIGNER_CHECKPOINT && a->size == w->number;
    }
    return w->is_crl ? a->kind == SIGNER_CRL && a->size == w->number
                     : a->kind == SIGNER_CERTIFICATE &&
                           memcmp(a->serial, w->serial, sizeof(w->serial)) == 0;
}

/* Somebody took the row out. Always -1. */
static int
lacks_row(const struct compare *c, uint64_t line, struct err *e)
{
    return err_set(e, ERR_STALE,
                   "%s: table attempted of ca.db lacks the row of %s %lld, though line %llu of the "
                   "journal is of it: somebody wrote ca.db, nfpki-ca(8), Journals",
                   c->name, compare_is_of_log(c) ? "the checkpoint over" : "what is signed by leaf",
                   (long long)c->missing, (unsigned long long)line);
}

/* Always -1. */
static int
lacks_line(const struct compare *c, struct err *e)
{
    return err_set(e, ERR_STALE,
                   compare_is_of_log(c)
                       ? "%s: ca.db has a checkpoint over %lld leaves for which the journal has no "
                         "line: it was not signed by this signer, or somebody wrote ca.db, "
                         "nfpki-ca(8), Journals"
                       : "%s: what leaf %lld has as signed has no line in the journal: it was not "
                         "signed by this signer, or somebody wrote ca.db, nfpki-ca(8), Journals",
                   c->name, (long long)c->missing);
}

/* Which signer has the line? Begins with the lines of the first. */
static int
search_from(struct compare *c, struct store_db *db, size_t at, struct err *e)
{
    bool found;

    turn_to(c, at);
    c->more = true;
    if (issuance_journal_find(db, &c->row, &found, e) != 0) {
        return -1;
    }
    c->first = c->row.exempt + 1;
    return 0;
}

/* All lines that were compared come once more: this comparison ends with what is found. */
static int
search_step(struct compare *c, struct store_db *db, struct err *e)
{
    struct attempted_page page;
    struct attempted a;
    bool there = true;

    if (attempted_open(buf_span(&c->answer), c->first, &page, e) != 0) {
        return -1;
    }
    while (there) {
        if (attempted_next(&page, &a, &there, e) != 0) {
            return -1;
        }
        if (there && is_wanted(c, &c->wanted, &a)) {
            return lacks_row(c, a.number, e);
        }
    }
    if (page.next != c->first && page.next <= page.lines) {
        c->first = page.next;
        return 0;
    }
    return c->at + 1 < signers(c) ? search_from(c, db, c->at + 1, e) : lacks_line(c, e);
}

/* When no line is left: has everything that is stored its line? */
static int
take_stored(struct compare *c, struct store_db *db, struct err *e)
{
    if (c->only || c->misses) {
        return 0;
    }
    if (issuance_journal_stored(db, &c->row, c->up_to, &c->more, &c->missing, e) != 0) {
        return -1;
    }
    if (c->missing < 0) {
        return 0;
    }
    c->searches = true;
    return issuance_journal_wanted(db, &c->row, c->missing, &c->wanted, e);
}

/* Lines, or what is stored, of this answer. */
static int
take_answer(struct compare *c, struct store_db *db, struct attempted_page *page, struct err *e)
{
    if (page->first == c->row.compared + 1) { /* else somebody else was quicker */
        if (memcmp(page->chain, c->row.chain, sizeof(page->chain)) != 0) {
            return other_journal(c, e);
        }
        if (take_lines(c, db, page, e) != 0) {
            return -1;
        }
    }
    c->first = c->row.compared + 1;
    c->more = c->row.compared < page->lines;
    return c->more || c->at + 1 < signers(c) ? 0 : take_stored(c, db, e);
}

static int
next_step(struct compare *c, struct store_db *db, struct err *e)
{
    struct attempted_page page;
    struct issuance_journal before;
    bool found;

    if (attempted_open(buf_span(&c->answer), c->first, &page, e) != 0 ||
        issuance_journal_find(db, &c->row, &found, e) != 0) {
        return -1;
    }
    if (page.is_short || page.lines < c->attempts) {
        return older_journal(c, page.lines, e);
    }
    if (!found && begin(c, db, &page, e) != 0) {
        return -1;
    }
    before = c->row;
    if (take_answer(c, db, &page, e) != 0) {
        return -1;
    }
    if (c->searches) {
        return search_from(c, db, 0, e); /* nothing of this is kept */
    }
    if ((before.compared != c->row.compared || before.checked != c->row.checked) &&
        issuance_journal_save(db, &c->row, e) != 0) {
        return -1;
    }
    if (!c->more && c->at + 1 < signers(c)) {
        turn_to(c, c->at + 1);
        return first_step(c, db, e);
    }
    return 0;
}

int
compare_step(struct store_op *op, struct store_db *db, struct err *e)
{
    struct compare *c = CONTAINER_OF(op, struct compare, op);

    return c->answer.n == 0 ? first_step(c, db, e)
           : c->searches    ? search_step(c, db, e)
                            : next_step(c, db, e);
}
