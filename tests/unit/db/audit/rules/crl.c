/* SPDX-License-Identifier: Apache-2.0 */
/* A CA that can have any leaf and any CRL signed cannot leave a revocation out, add one or tell it
 * otherwise, but an auditor finds it. */
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "db/audit/verify.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/ledger.h"

enum { STEPS_MAX = 14, ENTRIES_MAX = 3, LAG = 300, LONG = 86400, T = 1800000000 };

struct on {
    char id;     /* of the certificate: a serial number of such octets */
    uint64_t at; /* the index of its REVOKED leaf, whose second that is */
    int reason;
    int date; /* seconds later than is recorded */
};

/* The leaf at index i is of the second T + i. */
struct step {
    enum { END, START, START_1, INTENT, REVOKED, OF_BEFORE, ANNOUNCED, CRL, OTHER } what;
    char id;       /* INTENT, REVOKED, OF_BEFORE (without a date) */
    int64_t value; /* INTENT: ends so late; REVOKED: dated so long before; ANNOUNCED: upTo */
    int64_t left;  /* ANNOUNCED: expiredBefore; 0: none */
    struct on on[ENTRIES_MAX];
};

struct row {
    const char *name;
    struct step steps[STEPS_MAX]; /* the last one is the one that is judged */
    const char *says;             /* NULL: nothing is wrong */
};

/* Leaf 0: version 2 of the record. 1 to 3: three certificates, of which `b` ends when the first CRL
 * begins. 4, 5: two are revoked. 6, 7: the first CRL, from second 4. */
#define BARE(x)                                                                                    \
    {                                                                                              \
        .what = x                                                                                  \
    }
#define INTENDS(x, end)                                                                            \
    {                                                                                              \
        .what = INTENT, .id = x, .value = end                                                      \
    }
#define REVOKES(x, before)                                                                         \
    {                                                                                              \
        .what = REVOKED, .id = x, .value = before                                                  \
    }
#define ONCE(x)                                                                                    \
    {                                                                                              \
        .what = OF_BEFORE, .id = x                                                                 \
    }
#define SIGNS(from)                                                                                \
    {                                                                                              \
        .what = CRL, .value = from                                                                 \
    }
#define TELLS(size, ended, ...)                                                                    \
    {                                                                                              \
        .what = ANNOUNCED, .value = size, .left = ended, .on = { __VA_ARGS__ }                     \
    }
#define BEGIN                                                                                      \
    BARE(START), INTENDS('a', LONG), INTENDS('b', 4), INTENDS('c', LONG), REVOKES('a', LAG),       \
        REVOKES('b', LAG)
#define ON_A                                                                                       \
    {                                                                                              \
        'a', 4, 1, 0                                                                               \
    }
#define ON_B                                                                                       \
    {                                                                                              \
        'b', 5, 1, 0                                                                               \
    }
#define ON_C                                                                                       \
    {                                                                                              \
        'c', 8, 1, 0                                                                               \
    }
#define FIRST BEGIN, TELLS(6, 0, ON_A, ON_B), SIGNS(4)
/* 8: the third one is revoked. */
#define SECOND FIRST, REVOKES('c', LAG)

static const struct row ROWS[] = {
    {"right", {SECOND, TELLS(9, 4, ON_A, ON_B, ON_C), SIGNS(5)}, NULL},
    {"no entries", {BARE(START), INTENDS('a', LONG), TELLS(2, 0, {0}), SIGNS(1)}, NULL},
    {"in the order of their serial numbers, whenever they were revoked",
     {BARE(START), INTENDS('c', LONG), INTENDS('a', LONG), INTENDS('b', LONG), REVOKES('c', LAG),
      REVOKES('b', LAG), TELLS(6, 0, {'b', 5, 1, 0}, {'c', 4, 1, 0}), SIGNS(4), REVOKES('a', LAG),
      TELLS(9, 4, {'a', 8, 1, 0}, {'b', 5, 1, 0}, {'c', 4, 1, 0})},
     NULL},
    {"revoked while it was made", {SECOND, TELLS(8, 4, ON_A, ON_B)}, NULL},
    {"what ended before a CRL is left out by the next",
     {BARE(START), INTENDS('a', LONG), INTENDS('b', 3), BARE(OTHER), REVOKES('a', LAG),
      REVOKES('b', LAG), TELLS(6, 0, ON_A, ON_B), SIGNS(4), TELLS(8, 4, ON_A)},
     NULL},
    {"and by all behind it",
     {BARE(START), INTENDS('a', LONG), INTENDS('b', 3), BARE(OTHER), REVOKES('a', LAG),
      REVOKES('b', LAG), TELLS(6, 0, ON_A, ON_B), SIGNS(4), TELLS(8, 4, ON_A), SIGNS(5),
      TELLS(10, 4, ON_A)},
     NULL},
    {"revoked after it was left out",
     {BARE(START), INTENDS('a', LONG), INTENDS('b', 3), BARE(OTHER), REVOKES('a', LAG), BARE(OTHER),
      TELLS(6, 0, ON_A), SIGNS(4), REVOKES('b', LAG), TELLS(9, 4, ON_A)},
     NULL},
    {"a revocation of before is dated by its leaf",
     {BARE(START_1), INTENDS('a', LONG), BARE(OTHER), BARE(OTHER), ONCE('a'), BARE(START),
      TELLS(6, 0, {'a', 4, 1, LAG})},
     NULL},
    {"a CRL of before was beyond its end, too",
     {BARE(START_1), INTENDS('a', LONG), INTENDS('b', 1), SIGNS(2), ONCE('a'), BARE(START),
      TELLS(6, 2, {'a', 4, 1, LAG})},
     NULL},

    {"one is left out",
     {BEGIN, TELLS(6, 0, ON_A)},
     "leaf 6: the CRL-INTENT for number 7 has 1 entries, and 2 certificates are revoked"},
    {"all are left out", {BEGIN, TELLS(6, 0, {0})}, "has 0 entries, and 2 certificates are"},
    {"one too many",
     {BEGIN, TELLS(6, 0, ON_A, ON_B, ON_C)},
     "has 3 entries, and 2 certificates are revoked"},
    {"one in the place of another",
     {BEGIN, TELLS(6, 0, ON_A, ON_C)},
     "leaf 6: the CRL-INTENT for number 7 has another certificate, date or reason than what is "
     "revoked"},
    {"another date",
     {BEGIN, TELLS(6, 0, ON_A, {'b', 5, 1, 1})},
     "has another certificate, date or reason"},
    {"another reason",
     {BEGIN, TELLS(6, 0, {'a', 4, 0, 0}, ON_B)},
     "has another certificate, date or reason"},
    {"in another order",
     {BEGIN, TELLS(6, 0, ON_B, ON_A)},
     "has another certificate, date or reason"},
    {"one that nobody intended",
     {BARE(START), REVOKES('x', LAG), TELLS(2, 0, {'x', 1, 1, 0})},
     "has 1 entries, and 0 certificates are revoked"},
    {"it does not look at what was there at the CRL before",
     {SECOND, TELLS(7, 0, ON_A, ON_B)},
     "leaf 9: the CRL-INTENT for number 10 looks at 7 leaves: at least 8 and at most 9 must it be"},
    {"nor at the CRL-INTENT before, of which nothing came",
     {BEGIN, TELLS(6, 0, ON_A, ON_B), REVOKES('c', LAG), TELLS(6, 0, ON_A, ON_B)},
     "looks at 6 leaves: at least 7 and at most 8 must it be"},
    {"it looks at itself",
     {BEGIN, TELLS(7, 0, ON_A, ON_B)},
     "looks at 7 leaves: at least 0 and at most 6 must it be"},
    {"a negative number of leaves", {BEGIN, TELLS(-1, 0, {0})}, "looks at -1 leaves"},
    {"what has ended stays until it was on a CRL beyond its end",
     {SECOND, TELLS(9, 5, ON_A, ON_C)},
     "the CRL-INTENT for number 10 leaves out what no CRL had beyond its end: all that ended "
     "before "
     "2027-01-15T08:00:05Z"},
    {"the first CRL leaves nothing out",
     {BEGIN, TELLS(6, 1, ON_A, ON_B)},
     "leaves out what no CRL had beyond its end"},
    {"it ended when that began, not before",
     {SECOND, TELLS(9, 4, ON_A, ON_C)},
     "has 2 entries, and 3 certificates are revoked"},
    {"what is left out does not come back",
     {SECOND, TELLS(9, 4, ON_A, ON_B, ON_C), SIGNS(5), TELLS(11, 3, ON_A, ON_B, ON_C)},
     "expiredBefore of the CRL-INTENT for number 12 goes back"},
    {"nor when it is not said any more",
     {SECOND, TELLS(9, 4, ON_A, ON_B, ON_C), SIGNS(5), TELLS(11, 0, ON_A, ON_B, ON_C)},
     "expiredBefore of the CRL-INTENT for number 12 goes back"},

    {"dated as it is recorded", {BARE(START), INTENDS('a', LONG), REVOKES('a', 0)}, NULL},
    {"as long before as may be",
     {BARE(START), INTENDS('a', LONG), REVOKES('a', LEAF_BACKDATE_MAX)},
     NULL},
    {"a second longer",
     {BARE(START), INTENDS('a', LONG), REVOKES('a', LEAF_BACKDATE_MAX + 1)},
     "the REVOKED for serial 61616161616161616161616161616161 is dated 2027-01-15T07:00:01Z, which "
     "is not when it was recorded"},
    {"dated later",
     {BARE(START), INTENDS('a', LONG), REVOKES('a', -1)},
     "which is not when it was recorded"},
    {"not dated",
     {BARE(START), INTENDS('a', LONG), ONCE('a')},
     "the REVOKED for serial 61616161616161616161616161616161 has no date"},
    {"revoked twice",
     {BEGIN, REVOKES('a', LAG)},
     "leaf 6: a second REVOKED for serial 61616161616161616161616161616161"},
    {"twice in a record of before",
     {BARE(START_1), INTENDS('a', LONG), ONCE('a'), ONCE('a')},
     "leaf 3: a second REVOKED for serial 6161"},
};

static void
serial_of(char id, char out[33])
{
    uint8_t octets[16];

    memset(octets, id, sizeof(octets));
    hex_format(span_of(octets, sizeof(octets)), out);
}

static void
set_hash(struct leaf *leaf, const char *name, const char *text)
{
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    assert_ok(sha256(span_str(text), hash, &e), &e);
    leaf_set_hex(leaf, name, span_of(hash, sizeof(hash)));
}

/* A CRL's number is one more than the index of its CRL-INTENT, its tbs the hash of nothing. */
static void
crl(struct leaf *leaf, uint64_t number, int64_t from, int64_t entries)
{
    leaf_set_int(leaf, "number", (int64_t)number);
    leaf_set_time(leaf, "thisUpdate", T + from);
    leaf_set_time(leaf, "nextUpdate", T + LONG);
    leaf_set_int(leaf, "entries", entries);
    set_hash(leaf, "tbs", "");
}

static void
announce(struct leaf *leaf, const struct step *s, const struct step *next, uint64_t at)
{
    CLEANUP(mem_cleanup) char *lines = mem_strdup("");
    int n = 0;

    for (; n < ENTRIES_MAX && s->on[n].id != 0; n++) {
        const struct on *on = &s->on[n];
        char date[TIME_TEXT_SIZE];
        char serial[33];
        char *longer;

        serial_of(on->id, serial);
        time_format((time_t)(T + on->at) - LAG + on->date, date);
        longer = mem_printf("%s%s %s %d\n", lines, serial, date, on->reason);
        mem_free(lines);
        lines = longer;
    }
    crl(leaf, at + 1, next->what == CRL ? next->value : 6, n);
    leaf_set_int(leaf, "upTo", s->value);
    set_hash(leaf, "revocations", lines);
    if (s->left != 0) {
        leaf_set_time(leaf, "expiredBefore", T + s->left);
    }
}

static void
start(struct leaf *leaf, bool is_2)
{
    leaf_set_text(leaf, "program", "nfpki-ca");
    leaf_set_text(leaf, "version", "1");
    set_hash(leaf, "config", "");
    set_hash(leaf, "issuer", "");
    leaf_set_bool(leaf, "softwareToken", true);
    if (is_2) {
        leaf_set_int(leaf, "record", 2);
    }
}

static void
about(struct leaf *leaf, const struct step *s, uint64_t at)
{
    char serial[33];

    serial_of(s->id, serial);
    leaf_set_text(leaf, "serial", serial);
    if (s->what == INTENT) {
        set_hash(leaf, "rid", serial);
        set_hash(leaf, "tbs", serial);
        leaf_set_text(leaf, "profile", "officer");
        leaf_set_time(leaf, "notBefore", (time_t)(T + at));
        leaf_set_time(leaf, "notAfter", T + s->value);
        return;
    }
    leaf_set_int(leaf, "reason", 1);
    if (s->what == REVOKED) {
        leaf_set_time(leaf, "revocationDate", (time_t)(T + at) - s->value);
    }
}

static void
append(struct audit_ledger *l, const struct row *row, size_t at)
{
    static const enum leaf_kind kinds[] = {
        [START] = LEAF_START,     [START_1] = LEAF_START,     [INTENT] = LEAF_INTENT,
        [REVOKED] = LEAF_REVOKED, [OF_BEFORE] = LEAF_REVOKED, [ANNOUNCED] = LEAF_CRL_INTENT,
        [CRL] = LEAF_CRL,         [OTHER] = LEAF_STOP,
    };
    const struct step *s = &row->steps[at];
    struct leaf *leaf;
    int n = 0;

    l->now = (time_t)(T + at);
    leaf = audit_ledger_leaf(l, kinds[s->what]);
    switch (s->what) {
    case START:
    case START_1:
        start(leaf, s->what == START);
        break;
    case INTENT:
    case REVOKED:
    case OF_BEFORE:
        about(leaf, s, at);
        break;
    case ANNOUNCED:
        announce(leaf, s, s + 1, at);
        break;
    case CRL:
        while (s[-1].what == ANNOUNCED && n < ENTRIES_MAX && s[-1].on[n].id != 0) {
            n++;
        }
        crl(leaf, at, s->value, n);
        set_hash(leaf, "sha256", "");
        break;
    case OTHER:
        leaf_set_text(leaf, "reason", "asked");
        break;
    case END:
        break;
    }
    assert_int_equal(audit_ledger_append(l, leaf), at);
}

static void
make(const struct row *row, struct audit_ledger *l)
{
    audit_ledger_begin(l);
    for (size_t i = 0; row->steps[i].what != END; i++) {
        append(l, row, i);
    }
    audit_ledger_publish(l);
}

static bool
is_said(const struct row *row)
{
    CLEANUP(audit_ledger_end) struct audit_ledger l;
    struct audit_figures figures;
    struct err e = {0};
    CLEANUP(audit_log_cleanup) struct audit_log *log = NULL;
    int result;
    bool good;

    make(row, &l);
    log = audit_open(l.dir, NULL, &e);
    assert_non_null(log);
    result = audit_verify(log, NULL, NULL, NULL, &figures, &e);
    good = row->says == NULL
               ? result == 0
               : result == -1 && e.code == ERR_CRYPTO && strstr(e.text, row->says) != NULL;
    if (!good) {
        print_error("row '%s': %s\n", row->name, result == 0 ? "nothing is said" : e.text);
    }
    return good;
}

static void
what_a_crl_has_is_what_was_revoked(void **state)
{
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        good += is_said(&ROWS[i]);
    }
    assert_int_equal(good, ARRAY_LEN(ROWS));
}

/* What `nfpki-audit verify` ends with, and what it says then. */
static void
audit(const struct audit_ledger *l, int status, const char *says)
{
    CLEANUP(mem_cleanup) char *errors = mem_printf("%s/errors", l->base);
    CLEANUP(buf_free) struct buf text = BUF_INIT(65536);
    struct err e = {0};
    const pid_t child = fork();
    int found;

    if (child == 0) {
        const int fd = open(errors, O_WRONLY | O_CREAT, 0600);

        (void)dup2(fd, STDOUT_FILENO);
        (void)dup2(fd, STDERR_FILENO);
        (void)execl(TEST_BINARY_DIR "/nfpki-audit", "nfpki-audit", "--ledger", l->dir, "verify",
                    (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &found, 0), child);
    assert_true(WIFEXITED(found));
    assert_int_equal(WEXITSTATUS(found), status);
    assert_ok(file_read(errors, &text, &e), &e);
    assert_non_null(memmem(text.p, text.n, says, strlen(says)));
}

static void
the_auditor_hears_of_a_crl_that_leaves_one_out(void **state)
{
    static const struct row right = {"right", {BEGIN, TELLS(6, 0, ON_A, ON_B), SIGNS(4)}, NULL};
    static const struct row wrong = {"wrong", {BEGIN, TELLS(6, 0, ON_A), SIGNS(4)}, NULL};
    CLEANUP(audit_ledger_end) struct audit_ledger good;
    CLEANUP(audit_ledger_end) struct audit_ledger bad;

    (void)state;
    make(&right, &good);
    audit(&good, 0, "verified: checkpoint, tiles and every leaf");
    make(&wrong, &bad);
    audit(&bad, 1,
          "NOT VERIFIED: tile/entries/000.p/8: leaf 6: the CRL-INTENT for number 7 has 1 entries, "
          "and "
          "2 certificates are revoked");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_auditor_hears_of_a_crl_that_leaves_one_out),
        cmocka_unit_test(what_a_crl_has_is_what_was_revoked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
