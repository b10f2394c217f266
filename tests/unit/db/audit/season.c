/* SPDX-License-Identifier: Apache-2.0 */
/* A season of a CA with everything in it (tests/support/history): what `check` finds is known. */
#include <string.h>

#include "db/audit/check/record.h"
#include "db/audit/lint/judge.h"
#include "db/audit/verify.h"
#include "tests/support/history/history.h"
#include "tests/support/test.h"

struct checking {
    struct lint_judge *judge;
    struct record *record;
};

static void
look(void *arg, uint64_t index, const struct leaf *leaf)
{
    const struct checking *c = arg;

    lint_judge_leaf(c->judge, index, leaf);
    record_leaf(c->record, index, leaf);
}

/* How many findings of this kind there are; about that certificate (NULL: any). */
static size_t
count(const struct findings *f, const char *id, const char *serial)
{
    size_t n = 0;

    for (size_t i = 0; findings_at(f, i) != NULL; i++) {
        const struct finding *one = findings_at(f, i);

        n += strcmp(one->kind->id, id) == 0 &&
             (serial == NULL || (one->serial != NULL && strcmp(one->serial, serial) == 0));
    }
    return n;
}

static void
what_is_wrong_with_a_season_is_found(void **state)
{
    CLEANUP(history_end) struct history h;
    CLEANUP(findings_cleanup) struct findings *f = findings_new();
    CLEANUP(lint_table_cleanup) struct lint_table *table = NULL;
    CLEANUP(lint_judge_cleanup) struct lint_judge *judge = NULL;
    CLEANUP(record_cleanup) struct record *record = record_new(f);
    CLEANUP(audit_issuers_cleanup) struct audit_issuers *issuers = audit_issuers_new();
    CLEANUP(audit_log_cleanup) struct audit_log *log = NULL;
    struct checking c = {.record = record};
    struct history_told told;
    struct audit_figures figures;
    struct err e = {0};

    (void)state;
    history_begin(&h, 1768204800);
    history_tell(&h, &told);
    table = lint_table_new(&e);
    assert_non_null(table);
    judge = c.judge = lint_judge_new(table, f);
    assert_ok(lint_judge_issuer(judge, h.pki->issuing, &e), &e);
    assert_ok(audit_issuers_add(issuers, "issuing", h.pki->issuing, &e), &e);
    assert_ok(audit_issuers_add_crl(issuers, "crl", buf_span(&h.crl), &e), &e);
    assert_ok(record_crl(record, "crl", buf_span(&h.crl), &e), &e);
    log = audit_open(h.l.dir, NULL, &e);
    assert_non_null(log);
    assert_ok(audit_verify(log, issuers, look, &c, &figures, &e), &e);
    record_end(record);

    assert_int_equal(lint_judge_count(judge), figures.kinds[LEAF_ISSUED]);
    /* The profile file of this record is no file; people and signatures are judged. */
    assert_non_null(strstr(lint_judge_lack(judge, 0)->text, "--profiles"));
    assert_int_equal(count(f, "lint.signature.issuer", NULL), 0);
    assert_int_equal(count(f, "lint.ext.missing", NULL), 1);
    assert_int_equal(count(f, "lint.ext.missing", told.hostile->serial), 1);
    assert_int_equal(count(f, "lint.san.uuid", told.hostile_nf->serial), 1);
    assert_int_equal(count(f, "lint.key.owner", NULL), 1);
    assert_int_equal(count(f, "lint.key.owner", told.shared[1]), 1);
    assert_int_equal(count(f, "check.intent.open", NULL), 1);
    assert_int_equal(count(f, "check.intent.open", told.open), 1);
    assert_int_equal(count(f, "check.stop.missing", NULL), 1);
    assert_int_equal(count(f, "check.crl.late", told.superseded), 1);
    assert_int_equal(count(f, "check.crl.late", told.compromised), 0);
    assert_true(count(f, "check.crl.gap", NULL) > 0);
    assert_int_equal(count(f, "check.crl.content", NULL), 0);
    assert_int_equal(count(f, "check.journal.acknowledged", NULL), 1);
    assert_int_equal(count(f, "check.clock.set_back", NULL), 1);
    assert_int_equal(count(f, "check.registration.exceeded", NULL), 1);
    assert_int_equal(count(f, "check.registration.exceeded", told.greedy->serial), 1);
    assert_int_equal(count(f, "check.name.shared", NULL), 2);
    assert_int_equal(count(f, "check.name.shared", told.greedy->serial), 1);
    assert_int_equal(count(f, "check.registration.ended", NULL), 0);
    assert_int_equal(count(f, "check.key.compromised", NULL), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_with_a_season_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
