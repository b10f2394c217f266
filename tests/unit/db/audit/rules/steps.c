/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/db/audit/rules/steps.h"

#include <string.h>

#include "tests/support/test.h"

void
audit_story_tell(const struct audit_story *s, void *rules, audit_step_check *check)
{
    struct err e = {0};
    int result = 0;

    print_message("%s\n", s->name);
    for (size_t i = 0; i < AUDIT_STEPS_MAX && s->steps[i].serial != NULL; i++) {
        assert_int_equal(result, 0);
        result = check(rules, &s->steps[i], &e);
    }
    if (s->says == NULL) {
        assert_ok(result, &e);
    } else {
        assert_int_equal(result, -1);
        assert_int_equal(e.code, ERR_CRYPTO);
        assert_non_null(strstr(e.text, s->says));
    }
}
