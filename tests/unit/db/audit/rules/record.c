/* SPDX-License-Identifier: Apache-2.0 */
/* Each START says which version the record has from there on, and the rules go by it. */
#include "tests/support/test.h"

#include "db/audit/rules/record.h"

#include <string.h>

#include "base/ossl.h"

enum { AT = 1795000000, STEPS_MAX = 5 };

struct step {
    enum {
        END,
        START_1, /* without a version, as the programs of its time wrote it */
        START_2,
        START_3,
        START_4,
        START_5,
        START_6,
        START_7,
        START_NEWER,
        INTENT,      /* number 5, of hash, from AT, 2 entries */
        INTENT_LESS, /* number 4 */
        INTENT_NEXT, /* number 6 */
        INTENT_BACK, /* number 6, from a second before */
        CRL,         /* as INTENT announces it */
        CRL_OLD,     /* the same without tbs */
        CRL_NUMBER,  /* another number */
        CRL_TBS,     /* another hash */
        CRL_ENTRIES,
        CRL_FROM,
        CRL_TO,
        SEALED_ROWS,
        SEALED_PAGES,
        ACKNOWLEDGED_3, /* which says that version */
        ACKNOWLEDGED,
        CONFIRMED,        /* by a certConf, which it names */
        CONFIRMED_OLD,    /* and does not */
        REJECTED,         /* the same */
        REJECTED_BY_TIME, /* by nobody */
        OTHER,
    } leaf;
};

static const struct {
    const char *name;
    struct step steps[STEPS_MAX]; /* the last is the one that is judged */
    enum err_code code;
    const char *reason; /* NULL: they keep the rules */
} ROWS[] = {
    {"version 1", {{START_1}, {CRL_OLD}}, ERR_NONE, NULL},
    {"no START at all", {{CRL_OLD}}, ERR_NONE, NULL},
    {"version 1, and then 2", {{START_1}, {CRL_OLD}, {START_2}, {INTENT}, {CRL}}, ERR_NONE, NULL},
    {"announced", {{START_2}, {INTENT}, {CRL}}, ERR_NONE, NULL},
    {"version 3", {{START_2}, {INTENT}, {CRL}, {START_3}, {INTENT_NEXT}}, ERR_NONE, NULL},
    {"announced, and something between", {{START_2}, {INTENT}, {OTHER}, {CRL}}, ERR_NONE, NULL},
    {"announced, and nothing came of it", {{START_2}, {INTENT}, {INTENT_NEXT}}, ERR_NONE, NULL},
    {"announced, and a start before it was signed",
     {{START_2}, {INTENT}, {START_2}, {CRL}},
     ERR_NONE,
     NULL},

    {"confirmed in version 6", {{START_6}, {CONFIRMED_OLD}}, ERR_NONE, NULL},
    {"confirmed in version 7", {{START_7}, {CONFIRMED}}, ERR_NONE, NULL},
    {"rejected in version 6", {{START_6}, {REJECTED_BY_TIME}}, ERR_NONE, NULL},
    {"rejected in version 7", {{START_7}, {REJECTED}, {REJECTED_BY_TIME}}, ERR_NONE, NULL},
    {"a certConf in version 6",
     {{START_6}, {CONFIRMED}},
     ERR_CRYPTO,
     "a CONFIRMED with a certConf in a record of version 6"},
    {"one that rejects, in version 6",
     {{START_6}, {REJECTED}},
     ERR_CRYPTO,
     "a REJECTED with a certConf in a record of version 6"},
    {"no certConf in version 7",
     {{START_7}, {CONFIRMED_OLD}},
     ERR_CRYPTO,
     "a CONFIRMED that names no certConf"},
    {"sealed", {{START_3}, {SEALED_ROWS}}, ERR_NONE, NULL},
    {"sealed, and again under another key",
     {{START_4}, {SEALED_ROWS}, {SEALED_ROWS}},
     ERR_NONE,
     NULL},
    {"sealed, rows and then pages",
     {{START_4}, {SEALED_ROWS}, {START_5}, {SEALED_PAGES}},
     ERR_NONE,
     NULL},
    {"sealed in version 2",
     {{START_2}, {SEALED_ROWS}},
     ERR_CRYPTO,
     "such a SEALED in a record of version 2"},
    {"pages in version 4",
     {{START_4}, {SEALED_PAGES}},
     ERR_CRYPTO,
     "such a SEALED in a record of version 4"},
    {"rows in version 5",
     {{START_5}, {SEALED_ROWS}},
     ERR_CRYPTO,
     "such a SEALED in a record of version 5"},

    {"acknowledged", {{START_3}, {ACKNOWLEDGED}}, ERR_NONE, NULL},
    {"acknowledged in version 3",
     {{START_3}, {ACKNOWLEDGED_3}},
     ERR_CRYPTO,
     "an ACKNOWLEDGED in a record of version 3"},
    {"older again behind that",
     {{START_3}, {ACKNOWLEDGED}, {START_3}},
     ERR_CRYPTO,
     "goes back from 7 to 3"},
    {"newer than this program", {{START_NEWER}}, ERR_INPUT, "this program knows up to "},
    {"an older program goes on",
     {{START_2}, {START_1}},
     ERR_CRYPTO,
     "the version of the record goes back from 2 to 1"},
    {"announced in version 1",
     {{START_1}, {INTENT}},
     ERR_CRYPTO,
     "a CRL-INTENT in a record of version 1"},
    {"not announced", {{START_2}, {CRL}}, ERR_CRYPTO, "CRL number 5 was signed without"},
    {"announced as before", {{START_2}, {CRL_OLD}}, ERR_CRYPTO, "CRL number 5 was signed without"},
    {"announced once, signed twice",
     {{START_2}, {INTENT}, {CRL}, {CRL}},
     ERR_CRYPTO,
     "CRL number 5 was signed without"},
    {"another number",
     {{START_2}, {INTENT}, {CRL_NUMBER}},
     ERR_CRYPTO,
     "CRL number 6 was signed without"},
    {"the one before the newest",
     {{START_2}, {INTENT}, {INTENT_NEXT}, {CRL}},
     ERR_CRYPTO,
     "CRL number 5 was signed without"},
    {"another hash",
     {{START_2}, {INTENT}, {CRL_TBS}},
     ERR_CRYPTO,
     "CRL number 5 was signed with another content"},
    {"no hash",
     {{START_2}, {INTENT}, {CRL_OLD}},
     ERR_CRYPTO,
     "CRL number 5 was signed with another content"},
    {"other entries",
     {{START_2}, {INTENT}, {CRL_ENTRIES}},
     ERR_CRYPTO,
     "CRL number 5 was signed with another content"},
    {"another thisUpdate",
     {{START_2}, {INTENT}, {CRL_FROM}},
     ERR_CRYPTO,
     "CRL number 5 was signed with another content"},
    {"another nextUpdate",
     {{START_2}, {INTENT}, {CRL_TO}},
     ERR_CRYPTO,
     "CRL number 5 was signed with another content"},
    {"the same number again",
     {{START_2}, {INTENT}, {INTENT}},
     ERR_CRYPTO,
     "the CRL-INTENT for number 5 is behind that for 5"},
    {"a smaller number",
     {{START_2}, {INTENT}, {CRL}, {INTENT_LESS}},
     ERR_CRYPTO,
     "the CRL-INTENT for number 4 is behind that for 5"},
    {"thisUpdate goes back",
     {{START_2}, {INTENT}, {CRL}, {INTENT_BACK}},
     ERR_CRYPTO,
     "thisUpdate of the CRL-INTENT for number 6 goes back"},
};

static struct leaf *
start(int64_t record, time_t at)
{
    struct leaf *leaf = leaf_new(LEAF_START, at);
    const uint8_t hash[SHA256_SIZE] = {1};

    leaf_set_text(leaf, "program", "nfpki-ca");
    leaf_set_text(leaf, "version", "1");
    leaf_set_hex(leaf, "config", span_of(hash, sizeof(hash)));
    leaf_set_bool(leaf, "softwareToken", true);
    leaf_set_hex(leaf, "issuer", span_of(hash, sizeof(hash)));
    if (record > 1) {
        leaf_set_int(leaf, "record", record);
    }
    return leaf;
}

static struct leaf *
crl(const struct step *step)
{
    const bool intent = step->leaf <= INTENT_BACK;
    struct leaf *leaf = leaf_new(intent ? LEAF_CRL_INTENT : LEAF_CRL, AT);
    const uint8_t hash[SHA256_SIZE] = {step->leaf == CRL_TBS ? 2 : 1};
    const bool next =
        step->leaf == INTENT_NEXT || step->leaf == INTENT_BACK || step->leaf == CRL_NUMBER;

    leaf_set_int(leaf, "number", step->leaf == INTENT_LESS ? 4 : next ? 6 : 5);
    leaf_set_time(leaf, "thisUpdate",
                  AT - (step->leaf == INTENT_BACK || step->leaf == CRL_FROM ? 1 : 0));
    leaf_set_time(leaf, "nextUpdate", AT + (step->leaf == CRL_TO ? 99 : 100));
    leaf_set_int(leaf, "entries", step->leaf == CRL_ENTRIES ? 3 : 2);
    if (step->leaf != CRL_OLD) {
        leaf_set_hex(leaf, "tbs", span_of(hash, sizeof(hash)));
    }
    leaf_set_hex(leaf, intent ? "revocations" : "sha256", span_of(hash, sizeof(hash)));
    if (intent) {
        leaf_set_int(leaf, "upTo", 7);
    }
    return leaf;
}

static struct leaf *
acknowledged(int64_t version, time_t at)
{
    static const char *const members[] = {"key", "sha256", "plan", "officer", "secondOfficer"};
    struct leaf *leaf = leaf_new(LEAF_ACKNOWLEDGED, at);

    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        leaf_set_text(leaf, members[i], "00");
    }
    leaf_set_text(leaf, "cms", "AAAA");
    leaf_set_text(leaf, "secondCms", "AAAA");
    leaf_set_text(leaf, "object", "T");
    leaf_set_text(leaf, "reason", "stolen");
    leaf_set_int(leaf, "line", 41);
    leaf_set_int(leaf, "record", version);
    return leaf;
}

static struct leaf *
restored(int64_t version, time_t at)
{
    static const char *const texts[] = {"root", "plan", "officer", "secondOfficer"};
    static const char *const numbers[] = {"from",        "to",     "registrations", "certificates",
                                          "revocations", "crls",   "abandoned",     "refused",
                                          "void",        "fromCrl"};
    struct leaf *leaf = leaf_new(LEAF_RESTORED, at);

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        leaf_set_text(leaf, texts[i], "00");
    }
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        leaf_set_int(leaf, numbers[i], 0);
    }
    leaf_set_text(leaf, "cms", "AAAA");
    leaf_set_text(leaf, "secondCms", "AAAA");
    leaf_set_int(leaf, "record", version);
    return leaf;
}

static struct leaf *
ended(const struct step *step)
{
    const bool confirmed = step->leaf == CONFIRMED || step->leaf == CONFIRMED_OLD;
    struct leaf *leaf = leaf_new(confirmed ? LEAF_CONFIRMED : LEAF_REJECTED, AT);

    leaf_set_text(leaf, "rid", "00");
    leaf_set_text(leaf, "serial", "00");
    if (!confirmed) {
        leaf_set_text(leaf, "reason", "not wanted");
    }
    if (step->leaf == CONFIRMED || step->leaf == REJECTED) {
        leaf_set_text(leaf, "certConf", "00");
    }
    return leaf;
}

static struct leaf *
leaf_of(const struct step *step)
{
    struct leaf *leaf;

    if (step->leaf == START_NEWER) {
        return start(LEAF_RECORD_VERSION + 1, AT);
    }
    if (step->leaf < START_NEWER) {
        return start((int64_t)step->leaf - START_1 + 1, AT);
    }
    if (step->leaf == SEALED_ROWS || step->leaf == SEALED_PAGES) {
        leaf = leaf_new(LEAF_SEALED, AT);
        leaf_set_int(leaf, step->leaf == SEALED_ROWS ? "rows" : "pages", 12);
        return leaf;
    }
    if (step->leaf == ACKNOWLEDGED || step->leaf == ACKNOWLEDGED_3) {
        return acknowledged(step->leaf == ACKNOWLEDGED ? LEAF_RECORD_VERSION : 3, AT);
    }
    if (step->leaf >= CONFIRMED && step->leaf <= REJECTED_BY_TIME) {
        return ended(step);
    }
    if (step->leaf != OTHER) {
        return crl(step);
    }
    leaf = leaf_new(LEAF_STOP, AT);
    leaf_set_text(leaf, "reason", "asked");
    return leaf;
}

static bool
keeps(size_t row)
{
    struct audit_record *r = audit_record_new();
    struct err e = {0};
    int result = 0;
    bool good = true;

    for (size_t i = 0; i < STEPS_MAX && ROWS[row].steps[i].leaf != END; i++) {
        CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_of(&ROWS[row].steps[i]);

        good = good && result == 0; /* it is the last one that is judged */
        assert_ok(leaf_seal(leaf, &e), &e);
        result = audit_record_check(r, leaf, &e);
    }
    audit_record_free(r);
    good = good && (ROWS[row].reason == NULL ? result == 0
                                             : result == -1 && e.code == ROWS[row].code &&
                                                   strstr(e.text, ROWS[row].reason) != NULL);
    if (!good) {
        print_error("row '%s': %s\n", ROWS[row].name, e.text);
    }
    return good;
}

static void
the_rules_go_by_the_version_of_the_record(void **state)
{
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        good += keeps(i);
    }
    assert_int_equal(good, ARRAY_LEN(ROWS));
}

/* ---- times ---- */

enum { B = LEAF_BACK_MAX, LEAVES_MAX = 6 };

/* A leaf, so much later than AT. */
struct dated {
    int version; /* of a START; 0: a STOP */
    int later;
    int back_from; /* START: AT and so much later is its clockSetBack; 0: it has none */
    enum { OF_START, OF_RESTORE, OF_ACKNOWLEDGEMENT } of; /* instead of a START */
};

static const struct {
    const char *name;
    struct dated leaves[LEAVES_MAX];
    size_t n;
    size_t back;
    int most;
    size_t taken;
    size_t findings;
    uint64_t first; /* leaf of the first finding */
} TIMES[] = {
    {"in order",
     {{4, 0, 0, OF_START}, {0, 0, 0, OF_START}, {0, 100000, 0, OF_START}},
     3,
     0,
     0,
     0,
     0,
     0},
    {"a little",
     {{4, 0, 0, OF_START}, {0, -B, 0, OF_START}, {0, -B, 0, OF_START}, {0, -B - 1, 0, OF_START}},
     4,
     2,
     B,
     0,
     0,
     0},
    {"much, in version 3",
     {{3, 0, 0, OF_START}, {0, -B - 1, 0, OF_START}, {4, 0, 0, OF_START}},
     3,
     1,
     B + 1,
     1,
     0,
     0},
    {"much, before any START", {{0, 9000, 0, OF_START}, {0, 0, 0, OF_START}}, 2, 1, 9000, 1, 0, 0},
    {"much, while it ran",
     {{4, 0, 0, OF_START}, {0, -B - 1, 0, OF_START}, {0, 0, 0, OF_START}},
     3,
     1,
     B + 1,
     0,
     1,
     1},
    {"twice",
     {{4, 0, 0, OF_START}, {0, -400, 0, OF_START}, {0, 0, 0, OF_START}, {0, -900, 0, OF_START}},
     4,
     2,
     900,
     0,
     2,
     1},
    {"at a START that says it",
     {{4, 0, 0, OF_START}, {0, 9000, 0, OF_START}, {4, 5, 9000, OF_START}},
     3,
     1,
     8995,
     1,
     0,
     0},
    {"at a RESTORED that says it",
     {{4, 0, 0, OF_START}, {0, 9000, 0, OF_START}, {4, 5, 9000, OF_RESTORE}, {4, 6, 0, OF_START}},
     4,
     1,
     8995,
     1,
     0,
     0},
    {"at an ACKNOWLEDGED that says it",
     {{4, 0, 0, OF_START},
      {0, 9000, 0, OF_START},
      {4, 5, 9000, OF_ACKNOWLEDGEMENT},
      {4, 6, 0, OF_START}},
     4,
     1,
     8995,
     1,
     0,
     0},
    {"at an ACKNOWLEDGED that does not",
     {{4, 0, 0, OF_START},
      {0, 9000, 0, OF_START},
      {4, 5, 0, OF_ACKNOWLEDGEMENT},
      {4, 6, 9000, OF_START}},
     4,
     1,
     8995,
     0,
     1,
     2},
    {"at one that does not",
     {{4, 0, 0, OF_START}, {0, 9000, 0, OF_START}, {4, 5, 0, OF_START}},
     3,
     1,
     8995,
     0,
     1,
     2},
    {"at what a START finished, and says",
     {{4, 0, 0, OF_START},
      {0, 9000, 0, OF_START},
      {0, 5, 0, OF_START},
      {0, 4, 0, OF_START},
      {4, 6, 9000, OF_START}},
     5,
     2,
     8995,
     1,
     0,
     0},
    {"said of another time",
     {{4, 0, 0, OF_START}, {0, 9000, 0, OF_START}, {4, 5, 9001, OF_START}},
     3,
     1,
     8995,
     0,
     1,
     2},
    {"said of what is before the START before",
     {{4, 0, 0, OF_START},
      {0, 9000, 0, OF_START},
      {0, 5, 0, OF_START},
      {4, 6, 0, OF_START},
      {4, 7, 9000, OF_START}},
     5,
     1,
     8995,
     0,
     1,
     2},
    {"said once of two",
     {{4, 0, 0, OF_START}, {0, 9000, 0, OF_START}, {0, 5000, 0, OF_START}, {4, 5, 5000, OF_START}},
     4,
     2,
     4995,
     1,
     1,
     2},
    {"said where nothing goes back",
     {{4, 0, 0, OF_START}, {4, 9001, 9000, OF_START}},
     2,
     0,
     0,
     0,
     0,
     0},
};

static struct leaf *
dated(const struct dated *d)
{
    struct leaf *leaf;

    if (d->version == 0) {
        leaf = leaf_new(LEAF_STOP, AT + d->later);
        leaf_set_text(leaf, "reason", "asked");
        return leaf;
    }
    leaf = d->of == OF_RESTORE           ? restored(d->version, AT + d->later)
           : d->of == OF_ACKNOWLEDGEMENT ? acknowledged(d->version, AT + d->later)
                                         : start(d->version, AT + d->later);
    if (d->back_from != 0) {
        leaf_set_time(leaf, "clockSetBack", AT + d->back_from);
    }
    return leaf;
}

static void
times_that_go_back_by_much_are_findings_unless_a_start_says_why(void **state)
{
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(TIMES); i++) {
        struct audit_record *r = audit_record_new();
        const struct audit_times *t = audit_record_times(r);
        struct err e = {0};

        for (size_t k = 0; k < TIMES[i].n; k++) {
            CLEANUP(leaf_cleanup) struct leaf *leaf = dated(&TIMES[i].leaves[k]);

            assert_ok(leaf_seal(leaf, &e), &e);
            assert_ok(audit_record_check(r, leaf, &e), &e);
        }
        if (t->back == TIMES[i].back && t->most == TIMES[i].most && t->taken == TIMES[i].taken &&
            t->findings == TIMES[i].findings &&
            (t->findings == 0 || t->found[0].leaf == TIMES[i].first)) {
            good++;
        } else {
            print_error("row '%s': %zu by %lld, %zu taken, %zu findings\n", TIMES[i].name, t->back,
                        (long long)t->most, t->taken, t->findings);
        }
        audit_record_free(r);
    }
    assert_int_equal(good, ARRAY_LEN(TIMES));
}

static void
more_findings_than_anybody_reads_are_counted(void **state)
{
    struct audit_record *r = audit_record_new();
    const struct audit_times *t = audit_record_times(r);
    struct err e = {0};

    (void)state;
    for (int i = 0; i <= AUDIT_TIMES_KEPT + 1; i++) {
        const struct dated d = {.version = i == 0 ? 4 : 0, .later = -1000 * i};
        CLEANUP(leaf_cleanup) struct leaf *leaf = dated(&d);

        assert_ok(leaf_seal(leaf, &e), &e);
        assert_ok(audit_record_check(r, leaf, &e), &e);
    }
    assert_int_equal(t->findings, AUDIT_TIMES_KEPT + 1);
    assert_int_equal(t->found[AUDIT_TIMES_KEPT - 1].leaf, AUDIT_TIMES_KEPT);
    audit_record_free(r);
}

static void
a_record_of_before_has_no_word_for_it(void **state)
{
    struct audit_record *r = audit_record_new();
    const struct dated d = {.version = 3, .back_from = 1};
    CLEANUP(leaf_cleanup) struct leaf *leaf = dated(&d);
    struct err e = {0};

    (void)state;
    assert_ok(leaf_seal(leaf, &e), &e);
    assert_int_equal(audit_record_check(r, leaf, &e), -1);
    assert_int_equal(e.code, ERR_CRYPTO);
    assert_string_equal(e.text, "a leaf START says clockSetBack in a record of version 3");
    audit_record_free(r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_that_go_back_by_much_are_findings_unless_a_start_says_why),
        cmocka_unit_test(more_findings_than_anybody_reads_are_counted),
        cmocka_unit_test(a_record_of_before_has_no_word_for_it),
        cmocka_unit_test(the_rules_go_by_the_version_of_the_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
