/* SPDX-License-Identifier: Apache-2.0 */
/* What earlier versions wrote (tests/vectors/ledger) verifies for ever. */
#include "tests/support/test.h"

#include "db/audit/verify.h"

static const struct {
    const char *folder;
    uint64_t size;
    uint64_t kinds[LEAF_KINDS];
    size_t set_back; /* the clock was, and no START could say so */
} LEDGERS[] = {
    {"1/approval",
     59,
     {[LEAF_START] = 6,
      [LEAF_STOP] = 1,
      [LEAF_CONFIG] = 8,
      [LEAF_REGISTRATION] = 7,
      [LEAF_REQUEST] = 6,
      [LEAF_REFUSAL] = 2,
      [LEAF_INTENT] = 8,
      [LEAF_ISSUED] = 8,
      [LEAF_CONFIRMED] = 2,
      [LEAF_CRL] = 6,
      [LEAF_APPROVAL] = 5},
     0},
    {"1/renew_again",
     113,
     {[LEAF_START] = 3,
      [LEAF_STOP] = 1,
      [LEAF_CONFIG] = 4,
      [LEAF_REGISTRATION] = 6,
      [LEAF_REQUEST] = 17,
      [LEAF_REFUSAL] = 4,
      [LEAF_INTENT] = 19,
      [LEAF_ISSUED] = 19,
      [LEAF_CONFIRMED] = 6,
      [LEAF_REJECTED] = 7,
      [LEAF_REVOKED] = 11,
      [LEAF_CRL] = 14,
      [LEAF_AGAIN] = 2},
     0},
    {"1/revoke",
     101,
     {[LEAF_START] = 3,
      [LEAF_STOP] = 1,
      [LEAF_CONFIG] = 4,
      [LEAF_REGISTRATION] = 12,
      [LEAF_CANCEL] = 3,
      [LEAF_REQUEST] = 11,
      [LEAF_REFUSAL] = 1,
      [LEAF_INTENT] = 15,
      [LEAF_ISSUED] = 15,
      [LEAF_CONFIRMED] = 11,
      [LEAF_REVOKED] = 11,
      [LEAF_CRL] = 14},
     0},
    {"2/approval",
     71,
     {[LEAF_START] = 6,
      [LEAF_STOP] = 1,
      [LEAF_CONFIG] = 8,
      [LEAF_REGISTRATION] = 7,
      [LEAF_REQUEST] = 6,
      [LEAF_REFUSAL] = 2,
      [LEAF_INTENT] = 8,
      [LEAF_ISSUED] = 8,
      [LEAF_CONFIRMED] = 2,
      [LEAF_CRL] = 6,
      [LEAF_APPROVAL] = 5,
      [LEAF_CRL_INTENT] = 6,
      [LEAF_QUEUE_HEAD] = 6},
     0},
    {"2/renew_again",
     146,
     {[LEAF_START] = 3,
      [LEAF_STOP] = 1,
      [LEAF_CONFIG] = 4,
      [LEAF_REGISTRATION] = 6,
      [LEAF_REQUEST] = 17,
      [LEAF_REFUSAL] = 4,
      [LEAF_INTENT] = 19,
      [LEAF_ISSUED] = 19,
      [LEAF_CONFIRMED] = 6,
      [LEAF_REJECTED] = 7,
      [LEAF_REVOKED] = 11,
      [LEAF_CRL] = 14,
      [LEAF_AGAIN] = 2,
      [LEAF_CRL_INTENT] = 14,
      [LEAF_QUEUE_HEAD] = 19},
     0},
    {"2/revoke",
     126,
     {[LEAF_START] = 3,
      [LEAF_STOP] = 1,
      [LEAF_CONFIG] = 4,
      [LEAF_REGISTRATION] = 12,
      [LEAF_CANCEL] = 3,
      [LEAF_REQUEST] = 11,
      [LEAF_REFUSAL] = 1,
      [LEAF_INTENT] = 15,
      [LEAF_ISSUED] = 15,
      [LEAF_CONFIRMED] = 11,
      [LEAF_REVOKED] = 11,
      [LEAF_CRL] = 14,
      [LEAF_CRL_INTENT] = 14,
      [LEAF_QUEUE_HEAD] = 11},
     0},
    {"3/approval",
     76,
     {[LEAF_START] = 7,
      [LEAF_STOP] = 1,
      [LEAF_CONFIG] = 9,
      [LEAF_REGISTRATION] = 7,
      [LEAF_REQUEST] = 6,
      [LEAF_REFUSAL] = 2,
      [LEAF_INTENT] = 8,
      [LEAF_ISSUED] = 8,
      [LEAF_CONFIRMED] = 2,
      [LEAF_CRL] = 7,
      [LEAF_APPROVAL] = 5,
      [LEAF_CRL_INTENT] = 7,
      [LEAF_QUEUE_HEAD] = 6,
      [LEAF_SEALED] = 1},
     1},
    {"3/renew_again",
     147,
     {[LEAF_START] = 3,
      [LEAF_STOP] = 1,
      [LEAF_CONFIG] = 4,
      [LEAF_REGISTRATION] = 6,
      [LEAF_REQUEST] = 17,
      [LEAF_REFUSAL] = 4,
      [LEAF_INTENT] = 19,
      [LEAF_ISSUED] = 19,
      [LEAF_CONFIRMED] = 6,
      [LEAF_REJECTED] = 7,
      [LEAF_REVOKED] = 11,
      [LEAF_CRL] = 14,
      [LEAF_AGAIN] = 2,
      [LEAF_CRL_INTENT] = 14,
      [LEAF_QUEUE_HEAD] = 19,
      [LEAF_SEALED] = 1},
     0},
    {"3/revoke",
     131,
     {[LEAF_START] = 4,
      [LEAF_STOP] = 2,
      [LEAF_CONFIG] = 4,
      [LEAF_REGISTRATION] = 12,
      [LEAF_CANCEL] = 3,
      [LEAF_REQUEST] = 11,
      [LEAF_REFUSAL] = 1,
      [LEAF_INTENT] = 15,
      [LEAF_ISSUED] = 15,
      [LEAF_CONFIRMED] = 11,
      [LEAF_REVOKED] = 11,
      [LEAF_CRL] = 15,
      [LEAF_CRL_INTENT] = 15,
      [LEAF_QUEUE_HEAD] = 11,
      [LEAF_SEALED] = 1},
     0},
    {"6/refused",
     45,
     {[LEAF_START] = 2,
      [LEAF_CONFIG] = 4,
      [LEAF_REGISTRATION] = 8,
      [LEAF_CANCEL] = 2,
      [LEAF_REQUEST] = 3,
      [LEAF_REFUSAL] = 1,
      [LEAF_INTENT] = 5,
      [LEAF_ISSUED] = 5,
      [LEAF_CONFIRMED] = 3,
      [LEAF_CRL] = 2,
      [LEAF_CRL_INTENT] = 2,
      [LEAF_QUEUE_HEAD] = 3,
      [LEAF_SEALED] = 1,
      [LEAF_RA_REPORT] = 4},
     0},
    {"7/asked",
     77,
     {[LEAF_START] = 2,
      [LEAF_STOP] = 1,
      [LEAF_CONFIG] = 5,
      [LEAF_REGISTRATION] = 6,
      [LEAF_REQUEST] = 8,
      [LEAF_INTENT] = 10,
      [LEAF_ISSUED] = 10,
      [LEAF_CONFIRMED] = 8,
      [LEAF_REVOKED] = 2,
      [LEAF_CRL] = 4,
      [LEAF_CEREMONY] = 5,
      [LEAF_CRL_INTENT] = 4,
      [LEAF_QUEUE_HEAD] = 8,
      [LEAF_SEALED] = 1,
      [LEAF_RA_REPORT] = 3},
     0},
};

static void
a_ledger_of_before_verifies(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(LEDGERS); i++) {
        CLEANUP(mem_cleanup)
        char *dir = mem_printf("%s/vectors/ledger/%s", TEST_SOURCE_DIR, LEDGERS[i].folder);
        struct audit_figures figures;
        struct err e = {0};
        CLEANUP(audit_log_cleanup) struct audit_log *log = audit_open(dir, NULL, &e);

        if (log == NULL) {
            fail_msg("%s: %s", LEDGERS[i].folder, e.text);
        }
        assert_ok(audit_verify(log, NULL, NULL, NULL, &figures, &e), &e);
        assert_int_equal(audit_checkpoint(log)->size, LEDGERS[i].size);
        for (int kind = 0; kind < LEAF_KINDS; kind++) {
            assert_int_equal(figures.kinds[kind], LEDGERS[i].kinds[kind]);
        }
        assert_int_equal(figures.open, 0);
        assert_int_equal(figures.times.findings, 0);
        assert_int_equal(figures.times.taken, LEDGERS[i].set_back);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ledger_of_before_verifies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
