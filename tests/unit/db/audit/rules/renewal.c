/* SPDX-License-Identifier: Apache-2.0 */
/* Updates and answers that are given again, leaf by leaf: what a CA cannot do unnoticed. */
#include "db/audit/rules/renewal.h"

#include "tests/support/test.h"
#include "tests/unit/db/audit/rules/steps.h"

enum { NOW = 1790000000 };

#define OLD "5a000000000000000000000000000001"
#define ONE "5a000000000000000000000000000002"
#define TWO "5a000000000000000000000000000003"
#define HERE "aabbccddeeff00112233445566778899"
#define THERE "00112233445566778899aabbccddeeff"

/* `other` is what an INTENT updates, and supersededBy of REVOKED. The registration is HERE, and the
 * rid is the serial twice, when they are not said. */
static int
check(void *rules, const struct audit_step *s, struct err *e)
{
    struct leaf *leaf = leaf_new(s->kind, NOW);
    CLEANUP(mem_cleanup) char *rid = mem_printf("%s%s", s->serial, s->serial);
    int result;

    leaf_set_text(leaf, "rid", s->rid != NULL ? s->rid : rid);
    leaf_set_text(leaf, "serial", s->serial);
    leaf_set_text(leaf, "registration", s->registration != NULL ? s->registration : HERE);
    if (s->other != NULL) {
        leaf_set_text(leaf, s->kind == LEAF_REVOKED ? "supersededBy" : "updates", s->other);
    }
    if (s->at != 0) {
        leaf_set_time(leaf, "messageTime", s->at);
    }
    result = audit_renewals_check(rules, leaf, e);
    leaf_free(leaf);
    return result;
}

static void
what_is_given_again_and_what_is_not(void **state)
{
    static const struct audit_story rows[] = {
        {"twice, each time to a newer one",
         {{LEAF_INTENT, ONE, OLD, NOW, NULL, NULL},
          {LEAF_ISSUED, ONE, NULL, 0, NULL, NULL},
          {LEAF_AGAIN, ONE, NULL, NOW + 1, NULL, NULL},
          {LEAF_AGAIN, ONE, NULL, NOW + 2, NULL, NULL},
          {LEAF_CONFIRMED, ONE, NULL, 0, NULL, NULL},
          {LEAF_REVOKED, OLD, ONE, 0, NULL, NULL}},
         NULL},
        {"to one that is not newer",
         {{LEAF_INTENT, ONE, OLD, NOW, NULL, NULL},
          {LEAF_ISSUED, ONE, NULL, 0, NULL, NULL},
          {LEAF_AGAIN, ONE, NULL, NOW, NULL, NULL}},
         "not newer"},
        {"to one that is not newer than the last",
         {{LEAF_INTENT, ONE, OLD, NOW, NULL, NULL},
          {LEAF_ISSUED, ONE, NULL, 0, NULL, NULL},
          {LEAF_AGAIN, ONE, NULL, NOW + 2, NULL, NULL},
          {LEAF_AGAIN, ONE, NULL, NOW + 1, NULL, NULL}},
         "not newer"},
        {"what said no time",
         {{LEAF_INTENT, ONE, OLD, 0, NULL, NULL},
          {LEAF_ISSUED, ONE, NULL, 0, NULL, NULL},
          {LEAF_AGAIN, ONE, NULL, NOW, NULL, NULL}},
         "not newer"},
        {"before it was issued",
         {{LEAF_INTENT, ONE, OLD, NOW, NULL, NULL}, {LEAF_AGAIN, ONE, NULL, NOW + 1, NULL, NULL}},
         "no update that waits"},
        {"an initial one",
         {{LEAF_INTENT, ONE, NULL, NOW, NULL, NULL},
          {LEAF_ISSUED, ONE, NULL, 0, NULL, NULL},
          {LEAF_AGAIN, ONE, NULL, NOW + 1, NULL, NULL}},
         "no update that waits"},
        {"after it was confirmed",
         {{LEAF_INTENT, ONE, OLD, NOW, NULL, NULL},
          {LEAF_ISSUED, ONE, NULL, 0, NULL, NULL},
          {LEAF_CONFIRMED, ONE, NULL, 0, NULL, NULL},
          {LEAF_AGAIN, ONE, NULL, NOW + 1, NULL, NULL}},
         "no update that waits"},
        {"after it was rejected",
         {{LEAF_INTENT, ONE, OLD, NOW, NULL, NULL},
          {LEAF_ISSUED, ONE, NULL, 0, NULL, NULL},
          {LEAF_REJECTED, ONE, NULL, 0, NULL, NULL},
          {LEAF_AGAIN, ONE, NULL, NOW + 1, NULL, NULL}},
         "no update that waits"},
        {"after it was revoked",
         {{LEAF_INTENT, ONE, OLD, NOW, NULL, NULL},
          {LEAF_ISSUED, ONE, NULL, 0, NULL, NULL},
          {LEAF_REVOKED, ONE, NULL, 0, NULL, NULL},
          {LEAF_AGAIN, ONE, NULL, NOW + 1, NULL, NULL}},
         "after it was revoked"},
        {"under another registration",
         {{LEAF_INTENT, ONE, OLD, NOW, NULL, NULL},
          {LEAF_ISSUED, ONE, NULL, 0, NULL, NULL},
          {LEAF_AGAIN, ONE, NULL, NOW + 1, THERE, NULL}},
         "another request or registration"},
        {"as another request's",
         {{LEAF_INTENT, ONE, OLD, NOW, NULL, NULL},
          {LEAF_ISSUED, ONE, NULL, 0, NULL, NULL},
          {LEAF_AGAIN, ONE, NULL, NOW + 1, NULL, TWO TWO}},
         "another request or registration"},
        {"two updates at a time",
         {{LEAF_INTENT, ONE, OLD, NOW, NULL, NULL},
          {LEAF_ISSUED, ONE, NULL, 0, NULL, NULL},
          {LEAF_INTENT, TWO, OLD, NOW + 1, NULL, NULL}},
         "a second update of serial " OLD},
        {"one in the place of the other",
         {{LEAF_INTENT, ONE, OLD, NOW, NULL, NULL},
          {LEAF_ISSUED, ONE, NULL, 0, NULL, NULL},
          {LEAF_REJECTED, ONE, NULL, 0, NULL, NULL},
          {LEAF_REVOKED, ONE, NULL, 0, NULL, NULL},
          {LEAF_INTENT, TWO, OLD, NOW + 1, NULL, NULL},
          {LEAF_ISSUED, TWO, NULL, 0, NULL, NULL},
          {LEAF_CONFIRMED, TWO, NULL, 0, NULL, NULL},
          {LEAF_REVOKED, OLD, TWO, 0, NULL, NULL}},
         NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct audit_renewals *r = audit_renewals_new();

        audit_story_tell(&rows[i], r, check);
        audit_renewals_free(r);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_given_again_and_what_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
