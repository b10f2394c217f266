/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/witness/witnessed.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

int
witnessed_note(struct witnessed *w, const struct witnessed_log *log, struct span octets,
               struct err *e)
{
    struct checkpoint checkpoint;
    struct note note;

    if (checkpoint_open(log->key, octets, &checkpoint, e) != 0 ||
        note_parse(octets, &note, e) != 0) {
        return -1;
    }
    if (checkpoint.size <= log->checkpoint.size && log->consistent(log->arg, &checkpoint, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < tlog_policy_witnesses(w->policy); i++) {
        struct witnessed_by *by = &w->by[i];
        struct cosigned cosigned;

        if (cosigner_verify(&tlog_policy_witness(w->policy, i)->key, &note, &cosigned, e) != 0) {
            return -1;
        }
        if (!cosigned.found) {
            continue;
        }
        if (checkpoint.size > log->checkpoint.size) {
            by->beyond = checkpoint.size;
        } else if (!by->found || checkpoint.size >= by->size) {
            by->time = by->found && checkpoint.size == by->size && by->time > cosigned.time
                           ? by->time
                           : cosigned.time;
            by->size = checkpoint.size;
            by->found = true;
        }
    }
    return 0;
}

void
witnessed_judge(struct witnessed *w, const struct witnessed_log *log)
{
    const size_t n = tlog_policy_witnesses(w->policy);
    bool cosigned[TLOG_POLICY_EACH] = {false};

    w->met = tlog_policy_met(w->policy, cosigned); /* it asks for nobody */
    w->size = w->met ? log->checkpoint.size : 0;
    for (size_t i = 0; i < n; i++) {
        const uint64_t size = w->by[i].size;

        if (!w->by[i].found || (w->met && size <= w->size)) {
            continue;
        }
        for (size_t k = 0; k < n; k++) {
            cosigned[k] = w->by[k].found && w->by[k].size >= size;
        }
        if (tlog_policy_met(w->policy, cosigned)) {
            w->met = true;
            w->size = size;
        }
    }
}

int
witnessed_check(const struct witnessed *w, struct err *e)
{
    CLEANUP(mem_cleanup) char *missing = mem_strdup("");
    CLEANUP(mem_cleanup) char *quorum = mem_zalloc(1, TEXT_SHOWN_SIZE(TLOG_POLICY_MAX));

    if (w->met) {
        return 0;
    }
    for (size_t i = 0; i < tlog_policy_witnesses(w->policy); i++) {
        const struct tlog_witness *witness = tlog_policy_witness(w->policy, i);
        const struct span name = span_str(witness->name);
        CLEANUP(mem_cleanup) char *shown = mem_zalloc(1, TEXT_SHOWN_SIZE(name.n));
        CLEANUP(mem_cleanup) char *longer = NULL;

        if (w->by[i].found) {
            continue;
        }
        text_show(name, shown);
        longer = mem_printf("%s%s%s%s", missing, missing[0] == '\0' ? "" : ", ", shown,
                            w->by[i].beyond > 0 ? " (but a newer one than is here)" : "");
        mem_free(missing);
        missing = TAKE(longer);
    }
    text_show(span_str(tlog_policy_quorum(w->policy)), quorum);
    return err_set(e, ERR_DENIED,
                   "the quorum \"%s\" of the policy has not cosigned this log: missing: %s", quorum,
                   missing);
}
