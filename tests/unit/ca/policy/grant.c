/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/policy/grant.h"

#include <string.h>

int
grant(const struct scene *s, const struct policy *policy, const struct grant_row *row,
      struct policy_grant *g, enum cmp_failure *failure, struct err *e)
{
    CLEANUP(mem_cleanup)
    char *json = row->json != NULL ? mem_strdup(row->json)
                                   : scene_registration(SCENE_MAC, SCENE_PROFILES, "");
    CLEANUP(cmp_queued_cleanup) struct cmp_queued *queued = scene_queued(s, &row->request);
    CLEANUP(x509_cleanup) X509 *requester = NULL;
    const struct policy_facts facts = {
        .json = span_str(json), .registered = row->registered, .holder = row->holder};

    *failure = CMP_BAD_ALG;
    return policy_grant_request(policy, queued, &facts, row->now != 0 ? row->now : PKI_NOW + HOUR,
                                g, &requester, failure, e);
}

void
grant_judge(const struct scene *s, const struct policy *policy, const struct grant_row *row)
{
    CLEANUP(policy_grant_free) struct policy_grant g = {0};
    enum cmp_failure failure;
    struct err e = {0};
    int result = grant(s, policy, row, &g, &failure, &e);

    if ((result == 0) != (row->failure == CMP_NO_FAILURE) || failure != row->failure ||
        (row->why != NULL && strstr(e.text, row->why) == NULL) ||
        (row->phrase != PHRASE_NONE && e.said != (int)row->phrase) ||
        (row->value != NULL && strncmp(e.value, row->value, strlen(row->value)) != 0)) {
        fail_msg("%s: %s: %s (%d, %s)", row->name, cmp_failure_name(failure), e.text, e.said,
                 e.value);
    }
    /* What is refused has no TBS, unless it is our own linter that did not like it. */
    if (result != 0) {
        assert_int_equal(g.tbs.n, 0);
    }
}

void
grant_judge_all(const struct scene *s, const struct policy *policy, const struct grant_row *rows,
                size_t n)
{
    for (size_t i = 0; i < n; i++) {
        grant_judge(s, policy, &rows[i]);
    }
}
