/* SPDX-License-Identifier: Apache-2.0 */
#include "ceremony/run/run.h"
#include "ceremony/run/self_check.h"

/* The key as it is on the medium: everything closed, synced and opened again before it counts. */
static struct key *
find_again(struct run *r, size_t i, struct err *e)
{
    const struct key_policy *policy = key_policy_find(r->d->keys[i].attributes, e);

    return policy == NULL ? NULL
                          : key_find(r->session, policy, span_of(r->keys[i].id, KEY_ID_SIZE),
                                     buf_span(&r->keys[i].spki), e);
}

static int
generate(struct run *r, size_t i, struct err *e)
{
    const struct key_plan *plan = &r->d->keys[i];
    const struct key_policy *policy = key_policy_find(plan->attributes, e);
    CLEANUP(key_cleanup) struct key *key = NULL;
    enum key_algorithm algorithm;

    if (policy == NULL || key_algorithm_parse(plan->algorithm, &algorithm, e) != 0 ||
        run_intent(r, "C_GenerateKeyPair",
                   json_pack("{s:s,s:s,s:s,s:s}", "token", r->d->token.label, "label", plan->label,
                             "algorithm", plan->algorithm, "attributes", plan->attributes),
                   e) != 0) {
        return -1;
    }
    r->left = LEFT_KEYGEN_OPEN;
    if (key_generate(r->session, policy, algorithm, plan->label, r->keys[i].id, &r->keys[i].spki,
                     e) != 0 ||
        run_logout(r, e) != 0 || run_login(r, e) != 0) {
        return -1;
    }
    key = find_again(r, i, e);
    if (key == NULL) {
        return -1;
    }
    desk_say(&r->desk, "  key %s (%s) generated\n", plan->label, plan->algorithm);
    if (run_done(r, "C_GenerateKeyPair",
                 json_pack("{s:s,s:o,s:o}", "label", plan->label, "id",
                           fact_of_hex(span_of(r->keys[i].id, KEY_ID_SIZE)), "spki",
                           fact_of_base64(buf_span(&r->keys[i].spki))),
                 e) != 0) {
        return -1;
    }
    r->left = LEFT_KEY_UNPROVEN;
    return 0;
}

int
run_keys(struct run *r, struct err *e)
{
    for (size_t i = 0; i < r->d->n_keys; i++) {
        CLEANUP(mem_cleanup) char *word = plan_word_generate(&r->d->keys[i]);
        CLEANUP(mem_cleanup)
        char *question = mem_printf("Administrator: type '%s' to generate the %s key.", word,
                                    r->d->keys[i].algorithm);

        if (run_confirm(r, question, word, e) != 0 || generate(r, i, e) != 0) {
            return -1;
        }
    }
    return run_secrets(r, e);
}

static int
probe(struct run *r, struct key *key, const char *label, struct err *e)
{
    CLEANUP(json_cleanup) json_t *probes = json_array();
    int result = key_probe(key, run_probe_seen, probes, e);

    return run_record_probes(r, "key", label, probes, result, e);
}

static int
check_key(struct run *r, size_t i, struct err *e)
{
    const struct key_plan *plan = &r->d->keys[i];
    CLEANUP(key_cleanup) struct key *key = find_again(r, i, e);
    bool signed_text = false;

    if (key == NULL || run_record_attributes(r, key, plan->label, e) != 0 ||
        probe(r, key, plan->label, e) != 0 ||
        self_check(&r->d->token, r->serial, plan->attributes, span_of(r->keys[i].id, KEY_ID_SIZE),
                   buf_span(&r->keys[i].spki), buf_span(&r->pin), &signed_text, e) != 0) {
        return -1;
    }
    desk_say(&r->desk, "  key %s: found by a fresh process%s\n", plan->label,
             signed_text ? ", which signed with it" : "");
    return run_record(r,
                      json_pack("{s:s,s:s,s:s,s:b}", "type", "fresh-process", "label", plan->label,
                                "result", "found", "signed", signed_text ? 1 : 0),
                      e);
}

int
run_key_checks(struct run *r, struct err *e)
{
    for (size_t i = 0; i < r->d->n_keys; i++) {
        if (check_key(r, i, e) != 0) {
            return err_wrap(e, "key %s", r->d->keys[i].label);
        }
    }
    if (run_secret_checks(r, e) != 0) {
        return -1;
    }
    r->left = LEFT_KEYS;
    return 0;
}
