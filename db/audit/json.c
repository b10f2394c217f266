/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>

#include "base/ossl.h"
#include "base/text.h"
#include "db/audit/json.h"
#include "db/audit/print.h"

int
json_say(FILE *out, const json_t *value, struct err *e)
{
    if (value == NULL ||
        json_dumpf(value, out, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII) != 0 ||
        fputc('\n', out) == EOF) {
        return err_set(e, ERR_IO, "JSON could not be written");
    }
    return 0;
}

/* Octets that need not be UTF-8. */
static char *
shown(const char *text)
{
    const struct span octets = span_str(text);
    char *out = mem_zalloc(1, TEXT_SHOWN_SIZE(octets.n));

    text_show(octets, out);
    return out;
}

static json_t *
key_json(const uint8_t id[LOG_KEY_ID], bool given)
{
    char hex[2 * LOG_KEY_ID + 1];

    hex_format(span_of(id, LOG_KEY_ID), hex);
    return json_pack("{s:s, s:s}", "id", hex, "from", given ? "given" : "from the ledger");
}

json_t *
json_key(const struct log_key *key, bool given)
{
    return key_json(key->id, given);
}

json_t *
json_messages(const struct message_count *m)
{
    return json_pack("{s:I, s:I, s:I, s:I}", "named", (json_int_t)m->named, "there",
                     (json_int_t)(m->named - m->missing - m->wrong), "missing",
                     (json_int_t)m->missing, "wrong", (json_int_t)m->wrong);
}

json_t *
json_basis(const struct checkpoint *checkpoint, const struct log_key *key, bool given)
{
    CLEANUP(mem_cleanup) char *root = base64_dup(span_of(checkpoint->root.octets, MERKLE_HASH));

    return json_pack("{s:s, s:I, s:s, s:o}", "origin", checkpoint->origin, "size",
                     (json_int_t)checkpoint->size, "root", root, "key", key_json(key->id, given));
}

/* What an answer about a folder rests on. */
static json_t *
checkpoint_json(const struct audit_log *log)
{
    return json_basis(audit_checkpoint(log), audit_key(log), audit_key_is_given(log));
}

static json_t *
times_json(const struct audit_times *t)
{
    json_t *found = json_array();

    for (size_t i = 0; i < t->findings && i < AUDIT_TIMES_KEPT; i++) {
        const struct audit_time_back *b = &t->found[i];
        char at[TIME_TEXT_SIZE];
        char before[TIME_TEXT_SIZE];

        time_format(b->at, at);
        time_format(b->before, before);
        (void)json_array_append_new(found, json_pack("{s:I, s:s, s:s}", "leaf", (json_int_t)b->leaf,
                                                     "time", at, "before", before));
    }
    return json_pack("{s:I, s:I, s:I, s:I, s:o}", "back", (json_int_t)t->back, "most",
                     (json_int_t)t->most, "setBack", (json_int_t)t->taken, "findings",
                     (json_int_t)t->findings, "found", found);
}

static json_t *
witnesses_json(const struct witnessed *w)
{
    json_t *all = json_array();

    for (size_t i = 0; i < tlog_policy_witnesses(w->policy); i++) {
        const struct tlog_witness *witness = tlog_policy_witness(w->policy, i);
        const struct witnessed_by *by = &w->by[i];
        CLEANUP(mem_cleanup) char *name = shown(witness->name);
        char id[2 * NOTE_KEY_ID + 1];
        char time[TIME_TEXT_SIZE] = "";
        json_t *one;

        hex_format(span_of(witness->key.id, NOTE_KEY_ID), id);
        one = json_pack("{s:s, s:s, s:s, s:b}", "witness", name, "name", witness->key.name, "id",
                        id, "cosigned", by->found);
        if (by->found) {
            (void)json_object_set_new(one, "size", json_integer((json_int_t)by->size));
        }
        if (by->time > 0) {
            time_format((time_t)by->time, time);
            (void)json_object_set_new(one, "time", json_string(time));
        }
        if (by->beyond > 0) {
            (void)json_object_set_new(one, "beyond", json_integer((json_int_t)by->beyond));
        }
        (void)json_array_append_new(all, one);
    }
    return all;
}

int
audit_json_verdict(FILE *out, const struct audit_log *log, const struct audit_verdict *verdict,
                   struct err *e)
{
    const struct audit_figures *figures = verdict->figures;
    CLEANUP(json_cleanup)
    json_t *root =
        json_pack("{s:b, s:o, s:I, s:I, s:I, s:I}", "verified", 1, "checkpoint",
                  checkpoint_json(log), "openIntents", (json_int_t)figures->open,
                  "waitingForApproval", (json_int_t)figures->waiting, "queueTwice",
                  (json_int_t)figures->twice, "reportsMissing", (json_int_t)figures->missing);
    json_t *kinds = json_object();
    char newest[TIME_TEXT_SIZE];

    for (int kind = 0; kind < LEAF_KINDS; kind++) {
        (void)json_object_set_new(kinds, leaf_kind_name((enum leaf_kind)kind),
                                  json_integer((json_int_t)figures->kinds[kind]));
    }
    (void)json_object_set_new(root, "leaves", kinds);
    (void)json_object_set_new(root, "acknowledged",
                              json_integer((json_int_t)figures->acknowledged));
    (void)json_object_set_new(root, "messages", json_messages(&verdict->messages));
    (void)json_object_set_new(root, "times", times_json(&figures->times));
    (void)json_object_set_new(root, "signatures",
                              json_pack("{s:I, s:I, s:I}", "verified",
                                        (json_int_t)figures->signatures.verified, "unverified",
                                        (json_int_t)figures->signatures.unverified, "crls",
                                        (json_int_t)figures->signatures.crls));
    if (figures->newest != 0) {
        time_format(figures->newest, newest);
        (void)json_object_set_new(root, "lastLeaf", json_string(newest));
    }
    if (verdict->state != NULL && verdict->known) {
        (void)json_object_set_new(root, "consistentWith",
                                  json_integer((json_int_t)verdict->earlier));
    }
    if (verdict->witnessed != NULL) {
        const struct witnessed *w = verdict->witnessed;
        CLEANUP(mem_cleanup) char *quorum = shown(tlog_policy_quorum(w->policy));

        (void)json_object_set_new(root, "witnessed",
                                  json_pack("{s:s, s:I, s:o}", "quorum", quorum, "size",
                                            (json_int_t)w->size, "witnesses", witnesses_json(w)));
    }
    if (verdict->certificate) {
        (void)json_object_set_new(root, "certificate",
                                  json_pack("{s:I, s:s}", "leaf", (json_int_t)verdict->leaf,
                                            "status", audit_status_name(verdict->status)));
    }
    return json_say(out, root, e);
}

int
audit_json_failure(FILE *out, const struct err *reason, struct err *e)
{
    CLEANUP(json_cleanup)
    json_t *root = json_pack("{s:b, s:s}", "verified", 0, "reason", reason->text);

    return json_say(out, root, e);
}

int
audit_json_proof(FILE *out, const struct proof *proof, struct err *e)
{
    const struct checkpoint *checkpoint = &proof->checkpoint;
    const struct span body = leaf_body(proof->leaf);
    CLEANUP(mem_cleanup) char *base64 = base64_dup(span_of(checkpoint->root.octets, MERKLE_HASH));
    CLEANUP(json_cleanup)
    json_t *root = json_pack(
        "{s:b, s:I, s:o, s:{s:s, s:I, s:s, s:o}}", "verified", 1, "index", (json_int_t)proof->index,
        "leaf", json_loadb((const char *)body.p, body.n, JSON_REJECT_DUPLICATES, NULL),
        "checkpoint", "origin", checkpoint->origin, "size", (json_int_t)checkpoint->size, "root",
        base64, "key", key_json(proof->key, true));

    return json_say(out, root, e);
}
