/* SPDX-License-Identifier: Apache-2.0 */
#include "ceremony/bundle/steps.h"

#include <stdlib.h>
#include <string.h>

#include "ceremony/transcript/fact.h"

static int
environment(struct verifier *v, struct err *e)
{
    const struct definition *d = v->bundle->definition;
    const json_t *fact = verifier_take(v, "host", e);
    uint8_t hash[SHA256_SIZE];

    if (fact == NULL) {
        return -1;
    }
    if (fact_hex(fact, "program_sha256", hash, sizeof(hash), e) != 0 ||
        fact_hex(fact, "module_sha256", hash, sizeof(hash), e) != 0) {
        return verifier_wrap(v, e);
    }
    if (v->bundle->rehearsal) {
        return 0;
    }
    if (json_array_size(json_object_get(fact, "network")) > 0 && !d->network_accepted) {
        return verifier_bad(v, e, "the machine had a network");
    }
    if (fact_is_true(fact, "swap") && !d->swap_accepted) {
        return verifier_bad(v, e, "the machine had swap space");
    }
    return 0;
}

static int
people(struct verifier *v, struct err *e)
{
    const struct definition *d = v->bundle->definition;

    for (size_t i = 0; i < d->n_people; i++) {
        const json_t *fact;

        if (verifier_take_prompt(v, d->people[i].id, e) != 0) {
            return -1;
        }
        fact = verifier_take(v, "person", e);
        if (fact == NULL) {
            return -1;
        }
        if (!fact_is(fact, "id", d->people[i].id) || !fact_is(fact, "name", d->people[i].name) ||
            !fact_is(fact, "role", person_role_name(d->people[i].role))) {
            return verifier_bad(v, e, "is not %s", d->people[i].id);
        }
    }
    return 0;
}

static int
clocks(struct verifier *v, struct err *e)
{
    const struct definition *d = v->bundle->definition;
    const json_t *prompt = verifier_take(v, "prompt", e);
    const json_t *fact = prompt == NULL ? NULL : verifier_take(v, "clock", e);
    time_t now;
    time_t witness;

    if (fact == NULL) {
        return -1;
    }
    if (fact_time(fact, "machine", &now, e) != 0) {
        return verifier_wrap(v, e);
    }
    v->bundle->circumstances.now = now;
    if (v->bundle->rehearsal) {
        return fact_is(prompt, "answer", REHEARSED_ANSWER)
                   ? 0
                   : verifier_bad(v, e, "the witness's time of a rehearsal is not marked");
    }
    if (fact_time(prompt, "answer", &witness, e) != 0) {
        return verifier_wrap(v, e);
    }
    if (witness - now > d->clock.skew_max || now - witness > d->clock.skew_max) {
        return verifier_bad(v, e, "the machine's clock and the witness's differ");
    }
    return 0;
}

static int
definition(struct verifier *v, struct err *e)
{
    const struct definition *d = v->bundle->definition;
    CLEANUP(mem_cleanup) char *word = plan_word_definition(d);
    uint8_t hash[SHA256_SIZE];
    const json_t *fact;

    if (verifier_take_prompt(v, word, e) != 0) {
        return -1;
    }
    fact = verifier_take(v, "definition", e);
    if (fact == NULL) {
        return -1;
    }
    if (fact_hex(fact, "sha256", hash, sizeof(hash), e) != 0) {
        return verifier_wrap(v, e);
    }
    return memcmp(hash, d->hash, sizeof(hash)) == 0
               ? 0
               : verifier_bad(v, e, "another definition was approved");
}

static int
previous(struct verifier *v, struct err *e)
{
    struct bundle *b = v->bundle;
    CLEANUP(state_clear) struct state empty = {0};
    const json_t *fact = verifier_take(v, "previous", e);
    const char *head = fact_text(transcript_header(b->transcript), "prev");

    if (fact == NULL) {
        return -1;
    }
    if (!fact_is(fact, "head", head)) {
        return verifier_bad(v, e, "another head than the header's");
    }
    if (state_parse(json_object_get(fact, "state"), &b->before, e) != 0) {
        return verifier_wrap(v, e);
    }
    if (!b->has_prev && !state_equal(&b->before, &empty)) {
        return verifier_bad(v, e, "a line that begins here has no register");
    }
    if (b->before.root == NULL && definition_uses_root(b->definition)) {
        return verifier_bad(v, e, "the register has no root");
    }
    state_copy(&b->after, &b->before);
    return 0;
}

static int
token(struct verifier *v, struct err *e)
{
    CLEANUP(mem_cleanup) char *word = plan_word_initialise(v->bundle->definition);
    const json_t *fact;
    const char *serial;

    if (verifier_take_prompt(v, word, e) != 0) {
        return -1;
    }
    fact = verifier_take(v, "p11.intent", e);
    if (fact == NULL) {
        return -1;
    }
    if (!fact_is(fact, "function", "C_InitToken") ||
        !fact_is(fact, "token", v->bundle->definition->token.label)) {
        return verifier_bad(v, e, "is not the initialisation of the token");
    }
    fact = verifier_take(v, "p11.done", e);
    if (fact == NULL) {
        return -1;
    }
    serial = fact_text(fact, "serial");
    if (!fact_is(fact, "function", "C_InitToken") || !fact_is(fact, "result", "CKR_OK") ||
        serial[0] == '\0' || strlen(serial) >= sizeof(v->token_serial)) {
        return verifier_bad(v, e, "does not tell the serial of the new token");
    }
    memcpy(v->token_serial, serial, strlen(serial) + 1);
    return 0;
}

static int
take_inventory(struct verifier *v, json_int_t *objects, json_int_t *private_keys, struct err *e)
{
    const json_t *fact = verifier_take(v, "p11.inventory", e);
    json_int_t unreadable = 0;

    if (fact == NULL) {
        return -1;
    }
    if (fact_number(fact, "objects", objects, e) != 0 ||
        fact_number(fact, "private_keys", private_keys, e) != 0 ||
        fact_number(fact, "unreadable", &unreadable, e) != 0) {
        return verifier_wrap(v, e);
    }
    return unreadable == 0 ? 0 : verifier_bad(v, e, "objects that cannot be read");
}

static int
check_token(struct verifier *v, const json_t *fact, struct err *e)
{
    const struct bundle *b = v->bundle;
    const struct token_plan *plan = &b->definition->token;
    bool fresh = definition_makes_token(b->definition);
    bool root = definition_uses_root(b->definition);
    const char *serial = fresh ? v->token_serial : root ? b->before.token_serial : plan->serial;

    if (!fact_is(fact, "label", plan->label) || !fact_is(fact, "serial", serial) ||
        (plan->serial[0] != '\0' && strcmp(plan->serial, serial) != 0) ||
        (root && strcmp(b->before.token_label, plan->label) != 0)) {
        return verifier_bad(v, e, "is not the token of the definition and the register");
    }
    /* SoftHSM names itself, whatever the flags say. */
    if (fact_is_true(fact, "software") != b->software ||
        (strcasestr(fact_text(fact, "manufacturer"), "softhsm") != NULL && !b->software)) {
        return verifier_bad(v, e, "the header says otherwise about a software token");
    }
    memcpy(v->token_serial, serial, strlen(serial) + 1);
    return 0;
}

static int
take_root_key(struct verifier *v, struct err *e)
{
    CLEANUP(buf_free) struct buf spki = BUF_INIT(PUBKEY_SPKI_MAX);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = NULL;
    enum pubkey_kind kind;

    if (state_root_spki(&v->bundle->before, &spki, e) != 0) {
        return -1;
    }
    key = pubkey_parse(buf_span(&spki), &kind, e);
    if (key == NULL) {
        return -1;
    }
    return verifier_take_attributes(v, "root", "root-signing-v1", kind, v->bundle->before.key_id,
                                    e);
}

static int
activation(struct verifier *v, struct err *e)
{
    struct circumstances *c = &v->bundle->circumstances;
    bool fresh = definition_makes_token(v->bundle->definition);
    const json_t *fact = verifier_take(v, "token", e);
    bool root = definition_uses_root(v->bundle->definition);

    if (fact == NULL || check_token(v, fact, e) != 0) {
        return -1;
    }
    fact = verifier_take(v, "login", e);
    if (fact == NULL) {
        return -1;
    }
    if (!fact_is(fact, "result", "CKR_OK")) {
        return verifier_bad(v, e, "did not succeed");
    }
    if (take_inventory(v, &v->objects, &v->private_keys, e) != 0) {
        return -1;
    }
    if (fresh ? v->objects != 0 : v->private_keys < 1) {
        return verifier_bad(v, e,
                            fresh  ? "a fresh token is empty"
                            : root ? "the root key is not there"
                                   : "there is no key");
    }
    if (root && take_root_key(v, e) != 0) {
        return -1;
    }
    fact = verifier_take(v, "entropy", e);
    if (fact == NULL) {
        return -1;
    }
    if (fact_hex(fact, "token", c->token_random, ENTROPY_SIZE, e) != 0 ||
        fact_hex(fact, "kernel", c->kernel_random, ENTROPY_SIZE, e) != 0) {
        return verifier_wrap(v, e);
    }
    return 0;
}

static int
deactivation(struct verifier *v, struct err *e)
{
    const struct definition *d = v->bundle->definition;
    json_int_t objects = 0;
    json_int_t private_keys = 0;
    bool fresh = definition_makes_token(d);
    /* A fresh token was empty, and on the root's nothing is made. */
    json_int_t made = 2 * (json_int_t)d->n_keys + (json_int_t)d->n_secrets;

    if (take_inventory(v, &objects, &private_keys, e) != 0) {
        return -1;
    }
    if (private_keys != (fresh ? (json_int_t)d->n_keys : v->private_keys) ||
        (!definition_uses_root(d) && objects != v->objects + made)) {
        return verifier_bad(v, e, "the token holds other objects than were made");
    }
    return 0;
}

/* Files that the others need: keys' public halves and identifiers, the token's serial. */
static int
take_public_files(struct verifier *v, struct err *e)
{
    const struct definition *d = v->bundle->definition;
    CLEANUP(mem_cleanup) char *serial_file = mem_printf("%s.serial", d->token.label);
    CLEANUP(mem_cleanup) char *serial = mem_printf("%s\n", v->token_serial);

    for (size_t i = 0; i < d->n_keys; i++) {
        CLEANUP(mem_cleanup) char *spki_file = mem_printf("%s.spki.pem", d->keys[i].label);
        CLEANUP(mem_cleanup) char *id_file = mem_printf("%s.id", d->keys[i].label);
        CLEANUP(mem_cleanup) char *hex = hex_dup(span_of(v->keys[i].id, sizeof(v->keys[i].id)));
        CLEANUP(mem_cleanup) char *id = mem_printf("%s\n", hex);

        if (verifier_take_artifact(v, spki_file, "PUBLIC KEY", buf_span(&v->keys[i].spki), e) !=
                0 ||
            verifier_take_artifact(v, id_file, "TEXT", span_str(id), e) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < d->n_secrets; i++) {
        CLEANUP(mem_cleanup) char *id_file = mem_printf("%s.id", d->secrets[i].label);
        CLEANUP(mem_cleanup) char *hex = hex_dup(span_of(v->secrets[i], sizeof(v->secrets[i])));
        CLEANUP(mem_cleanup) char *id = mem_printf("%s\n", hex);

        if (verifier_take_artifact(v, id_file, "TEXT", span_str(id), e) != 0) {
            return -1;
        }
    }
    return verifier_take_artifact(v, serial_file, "TEXT", span_str(serial), e);
}

static int
seal(struct verifier *v, struct err *e)
{
    struct bundle *b = v->bundle;
    CLEANUP(state_clear) struct state recorded = {0};
    CLEANUP(buf_free) struct buf root = BUF_INIT(TBS_MAX);
    const json_t *fact;

    if (take_public_files(v, e) != 0) {
        return -1;
    }
    if (b->definition->type == SUB_ISSUE || b->definition->type == ROOT_CRL) {
        if (OSSL_ENCODE(X509, b->before.root, &root, e) != 0 ||
            verifier_take_artifact(v, "root.cert.pem", "CERTIFICATE", buf_span(&root), e) != 0) {
            return -1;
        }
    }
    fact = verifier_take(v, "state", e);
    if (fact == NULL) {
        return -1;
    }
    if (state_parse(json_object_get(fact, "state"), &recorded, e) != 0) {
        return verifier_wrap(v, e);
    }
    if (!state_equal(&recorded, &b->after)) {
        return verifier_bad(v, e, "the register does not follow from the facts");
    }
    fact = verifier_take(v, "seal", e);
    if (fact == NULL) {
        return -1;
    }
    return json_equal(json_object_get(fact, "artifacts"), v->artifacts) == 1
               ? 0
               : verifier_bad(v, e, "seals other artifacts than were made");
}

int
verifier_step(struct verifier *v, enum step_id id, struct err *e)
{
    switch (id) {
    case STEP_ENVIRONMENT:
        return environment(v, e);
    case STEP_PEOPLE:
        return people(v, e);
    case STEP_CLOCK:
        return clocks(v, e);
    case STEP_DEFINITION:
        return definition(v, e);
    case STEP_PREVIOUS:
        return previous(v, e);
    case STEP_TOKEN:
        return token(v, e);
    case STEP_ACTIVATION:
        return activation(v, e);
    case STEP_KEYS:
        return verifier_keys(v, e) != 0 ? -1 : verifier_secrets(v, e);
    case STEP_KEY_CHECKS:
        return verifier_key_checks(v, e) != 0 ? -1 : verifier_secret_checks(v, e);
    case STEP_REQUESTS:
        return verifier_requests(v, e);
    case STEP_INCOMING:
        return verifier_incoming(v, e);
    case STEP_CERTIFICATE:
        return verifier_certificate(v, e);
    case STEP_CRL:
        return verifier_crl(v, e);
    case STEP_DEACTIVATION:
        return deactivation(v, e);
    case STEP_SEAL:
        return seal(v, e);
    }
    abort(); /* these are all */
}
