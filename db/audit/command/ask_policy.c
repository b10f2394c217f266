/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/command/ask_policy.h"

#include <stdio.h>

#include "base/file.h"
#include "db/audit/command/ask.h"

int
ask_policy(struct tlog_policy **policy)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(TLOG_POLICY_MAX);
    struct err e = {0};

    *policy = NULL;
    if (asked.policy == NULL) {
        return EXIT_VERIFIED;
    }
    if (file_read(asked.policy, &text, &e) != 0) {
        return ask_misuse(e.text);
    }
    *policy = tlog_policy_parse(buf_span(&text), &e);
    if (*policy == NULL) {
        (void)err_wrap(&e, "%s", asked.policy);
        return ask_misuse(e.text);
    }
    return EXIT_VERIFIED;
}

/* The ledger's own key, which the policy knows. */
static int
known_log(const struct tlog_policy *policy, struct log_key *key, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(NOTE_KEY_MAX);
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/log.vkey", asked.ledger);

    if (file_read(path, &text, e) != 0 || log_key_parse(key, buf_span(&text), e) != 0) {
        return err_wrap(e, "log.vkey");
    }
    return tlog_policy_has_log(policy, key)
               ? 0
               : err_set(e, ERR_CRYPTO, "log.vkey is the key of no log that %s names",
                         asked.policy);
}

int
ask_policy_ledger(const struct tlog_policy *policy, struct audit_log **log)
{
    CLEANUP(log_key_free) struct log_key key = {0};
    struct err e = {0};
    int status;

    if (policy == NULL || !tlog_policy_has_logs(policy) || asked.ledger == NULL) {
        return ask_ledger(log);
    }
    if (asked.key == NULL) {
        if (known_log(policy, &key, &e) != 0) {
            return ask_failed(&e);
        }
        *log = audit_open(asked.ledger, &key, &e);
        return *log == NULL ? ask_failed(&e) : EXIT_VERIFIED;
    }
    status = ask_ledger(log);
    if (status == EXIT_VERIFIED && !tlog_policy_has_log(policy, audit_key(*log))) {
        (void)err_set(&e, ERR_CRYPTO, "%s does not name this log", asked.policy);
        return ask_failed(&e);
    }
    return status;
}

static int
consistent(void *arg, const struct checkpoint *earlier, struct err *e)
{
    return audit_consistency(arg, earlier, e);
}

struct witnessed_log
ask_policy_view(struct audit_log *log)
{
    return (struct witnessed_log){.key = audit_key(log),
                                  .checkpoint = *audit_checkpoint(log),
                                  .consistent = consistent,
                                  .arg = log};
}

int
ask_policy_note(const struct tlog_policy *policy, size_t i, struct audit_log *log,
                char name[AUDIT_NAME_MAX], struct buf *note, bool *found, struct err *e)
{
    const struct cosigner *key = &tlog_policy_witness(policy, i)->key;
    int result;

    (void)snprintf(name, AUDIT_NAME_MAX, "witness/%02x%02x%02x%02x", key->id[0], key->id[1],
                   key->id[2], key->id[3]);
    result = audit_read(log, name, note, e);
    *found = result == 0;
    return result == 0 || e->code == ERR_NOTFOUND ? 0 : -1;
}

int
ask_policy_check(const struct tlog_policy *policy, struct audit_log *log, struct witnessed *w,
                 struct err *e)
{
    const struct witnessed_log view = ask_policy_view(log);

    *w = (struct witnessed){.policy = policy};
    if (witnessed_note(w, &view, audit_note(log), e) != 0) {
        return err_wrap(e, "checkpoint");
    }
    for (size_t i = 0; i < tlog_policy_witnesses(policy); i++) {
        CLEANUP(buf_free) struct buf note = BUF_INIT(NOTE_MAX);
        char name[AUDIT_NAME_MAX];
        bool found;

        if (ask_policy_note(policy, i, log, name, &note, &found, e) != 0) {
            return -1;
        }
        if (found && witnessed_note(w, &view, buf_span(&note), e) != 0) {
            return err_wrap(e, "%s", name);
        }
    }
    witnessed_judge(w, &view);
    return witnessed_check(w, e);
}
