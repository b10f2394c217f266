/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/verify.h"

#include <inttypes.h>

#include "base/file.h"
#include "db/audit/rules/rules.h"

struct verifying {
    struct audit_rules *rules;
    struct audit_figures *figures;
    audit_leaf *each;
    void *arg;
};

static int
leaf_verify(void *arg, uint64_t index, const char *file, struct span body, struct err *e)
{
    struct verifying *v = arg;
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_parse(body, e);

    if (leaf == NULL || audit_rules_check(v->rules, leaf, e) != 0) {
        return err_wrap(e, "%s: leaf %" PRIu64, file, index);
    }
    v->figures->kinds[leaf_kind(leaf)]++;
    v->figures->newest = leaf_time(leaf);
    if (v->each != NULL) {
        v->each(v->arg, index, leaf);
    }
    return 0;
}

static int
log_walk(void *log, audit_each *each, void *arg, struct err *e)
{
    return audit_walk(log, each, arg, e);
}

int
audit_verify(struct audit_log *log, struct audit_issuers *issuers, audit_leaf *each, void *arg,
             struct audit_figures *figures, struct err *e)
{
    const struct audit_source source = {.walk = log_walk, .from = log};

    return audit_verify_source(&source, issuers, each, arg, figures, e);
}

int
audit_verify_source(const struct audit_source *source, struct audit_issuers *issuers,
                    audit_leaf *each, void *arg, struct audit_figures *figures, struct err *e)
{
    CLEANUP(audit_rules_cleanup) struct audit_rules *rules = audit_rules_new();
    struct verifying v = {.rules = rules, .figures = figures, .each = each, .arg = arg};

    *figures = (struct audit_figures){0};
    audit_rules_use(rules, issuers);
    if (source->walk(source->from, leaf_verify, &v, e) != 0 ||
        (issuers != NULL && audit_issuers_end(issuers, e) != 0)) {
        return -1;
    }
    figures->open = audit_rules_open(rules);
    figures->waiting = audit_rules_waiting(rules);
    figures->twice = audit_rules_twice(rules);
    figures->missing = audit_rules_missing(rules);
    figures->acknowledged = audit_rules_acknowledged(rules);
    figures->times = *audit_rules_times(rules);
    if (issuers != NULL) {
        figures->signatures = audit_issuers_count(issuers);
    }
    return 0;
}

int
audit_state_load(const char *path, const struct log_key *key, bool *known,
                 struct checkpoint *earlier, struct err *e)
{
    CLEANUP(buf_free) struct buf note = BUF_INIT(NOTE_MAX);

    *known = false;
    *earlier = (struct checkpoint){0};
    if (file_read(path, &note, e) != 0) {
        return e->code == ERR_NOTFOUND ? 0 : -1;
    }
    if (checkpoint_open(key, buf_span(&note), earlier, e) != 0) {
        return err_wrap(e, "%s is not a remembered checkpoint of this log", path);
    }
    *known = true;
    return 0;
}

int
audit_state_save(const char *path, struct span note, struct err *e)
{
    return file_write(path, note, 0644, e);
}
