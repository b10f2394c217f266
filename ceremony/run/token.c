/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/file.h"
#include "base/proc.h"
#include "ceremony/run/entropy.h"
#include "ceremony/run/run.h"

enum { PIN_LENGTH = 26, PIN_SIZE = 255 };

/* 130 random bits in Crockford's base32, which nobody misreads (the letters I, L, O, U are out). */
static int
make_pin(struct buf *out, struct err *e)
{
    static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    uint8_t random[PIN_LENGTH];
    int result = random_bytes(random, sizeof(random), e);

    buf_truncate(out, 0);
    for (size_t i = 0; result == 0 && i < sizeof(random); i++) {
        result = buf_append(out, span_of(&alphabet[random[i] & 31], 1), e);
    }
    OPENSSL_cleanse(random, sizeof(random));
    return result;
}

static char *
credential_path(const struct run *r, const char *suffix)
{
    return mem_printf("%s/%s%s", r->d->credentials, r->d->token.label, suffix);
}

static int
rehearsal_pin(const struct run *r, const char *suffix, struct buf *pin, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = credential_path(r, suffix);

    if (make_pin(pin, e) != 0 || file_mkdirs(r->d->credentials, 0700, e) != 0) {
        return -1;
    }
    return file_create(path, buf_span(pin), 0600, e);
}

/* Typed twice: a slip would lock everybody out of a key that does not exist yet. */
static int
typed_pin(const struct run *r, const char *whose, struct buf *pin, struct err *e)
{
    CLEANUP(buf_free) struct buf again = BUF_SECRET(PIN_SIZE);
    CLEANUP(mem_cleanup)
    char *first = mem_printf("New %s PIN of token %s", whose, r->d->token.label);
    CLEANUP(mem_cleanup) char *second = mem_printf("The same %s PIN again", whose);

    if (desk_secret(&r->desk, first, pin, e) != 0 ||
        desk_secret(&r->desk, second, &again, e) != 0) {
        return -1;
    }
    return span_equal_secret(buf_span(pin), buf_span(&again))
               ? 0
               : err_set(e, ERR_PIN, "the two are not the same");
}

static int
new_pins(struct run *r, struct buf *so, struct err *e)
{
    if (r->rehearsal) {
        return rehearsal_pin(r, ".so-pin", so, e) != 0 ? -1 : rehearsal_pin(r, ".pin", &r->pin, e);
    }
    if (typed_pin(r, "security officer's", so, e) != 0 || typed_pin(r, "user", &r->pin, e) != 0) {
        return -1;
    }
    /* Whoever holds one of the two must not hold the other. */
    return span_equal_secret(buf_span(so), buf_span(&r->pin))
               ? err_set(e, ERR_PIN, "the security officer's and the user PIN are the same")
               : 0;
}

int
run_token(struct run *r, struct err *e)
{
    CLEANUP(mem_cleanup) char *word = plan_word_initialise(r->d);
    CLEANUP(mem_cleanup)
    char *question = mem_printf("Administrator: type '%s' to initialise the token.", word);
    CLEANUP(buf_free) struct buf so = BUF_SECRET(PIN_SIZE);
    struct token token;

    if (new_pins(r, &so, e) != 0 || run_confirm(r, question, word, e) != 0 ||
        run_intent(r, "C_InitToken", json_pack("{s:s}", "token", r->d->token.label), e) != 0) {
        return -1;
    }
    r->left = LEFT_TOKEN_OPEN;
    if (module_init_token(r->module, r->d->token.label, buf_span(&so), buf_span(&r->pin), &token,
                          e) != 0 ||
        run_logout(r, e) != 0) {
        return -1;
    }
    memcpy(r->serial, token.serial, sizeof(r->serial));
    if (run_done(r, "C_InitToken",
                 json_pack("{s:s,s:s}", "token", token.label, "serial", token.serial), e) != 0) {
        return -1;
    }
    r->left = LEFT_TOKEN;
    desk_say(&r->desk, "  token %s has serial %s\n", token.label, token.serial);
    return 0;
}

int
run_logout(struct run *r, struct err *e)
{
    session_close(r->session);
    r->session = NULL;
    module_close(r->module);
    r->module = NULL;
    return key_sync(r->d->token.directory, e);
}

int
run_login(struct run *r, struct err *e)
{
    if (r->module == NULL) {
        r->module = module_open(r->d->token.module, r->d->token.config, e);
    }
    if (r->module == NULL) {
        return -1;
    }
    r->session =
        session_open(r->module, r->d->token.label, r->serial,
                     definition_makes_keys(r->d) ? SESSION_READ_WRITE : SESSION_READ_ONLY, e);
    return r->session == NULL ? -1 : session_login(r->session, buf_span(&r->pin), e);
}

/* The PIN once more: what the token was given must be what people can type. */
static int
activation_pin(struct run *r, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = NULL;

    if (!r->rehearsal) {
        return desk_secret(&r->desk, "User PIN of the token", &r->pin, e);
    }
    path = credential_path(r, ".pin");
    if (file_read(path, &r->pin, e) != 0) {
        return -1;
    }
    if (r->pin.n > 0 && r->pin.p[r->pin.n - 1] == '\n') {
        buf_truncate(&r->pin, r->pin.n - 1);
    }
    return 0;
}

static int
record_token(struct run *r, struct err *e)
{
    struct token token;

    if (module_find_token(r->module, r->d->token.label, r->serial, &token, e) != 0) {
        return -1;
    }
    if (token.software != r->software) {
        return err_set(e, ERR_DENIED, "token '%s', %s, is %s software token, unlike the one before",
                       token.label, token.model, token.software ? "a" : "no");
    }
    return run_record(r,
                      json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:b}", "type", "token", "label",
                                token.label, "serial", token.serial, "model", token.model,
                                "manufacturer", token.manufacturer, "firmware", token.firmware,
                                "software", r->software ? 1 : 0),
                      e);
}

static int
record_inventory(struct run *r, struct inventory *out, struct err *e)
{
    if (session_inventory(r->session, out, e) != 0) {
        return -1;
    }
    desk_say(&r->desk, "  the token holds %zu objects, %zu of them private keys\n", out->objects,
             out->private_keys);
    return run_record(
        r,
        json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "type", "p11.inventory", "objects",
                  (json_int_t)out->objects, "private_keys", (json_int_t)out->private_keys,
                  "public_keys", (json_int_t)out->public_keys, "secret_keys",
                  (json_int_t)out->secret_keys, "certificates", (json_int_t)out->certificates,
                  "data", (json_int_t)out->data, "unreadable", (json_int_t)out->unreadable),
        e);
}

static int
draw_entropy(struct run *r, struct err *e)
{
    CLEANUP(buf_free) struct buf first = BUF_INIT(ENTROPY_SAMPLE);
    CLEANUP(buf_free) struct buf second = BUF_INIT(ENTROPY_SAMPLE);
    struct entropy_statistics statistics;
    uint8_t *a = buf_extend(&first, ENTROPY_SAMPLE, e);
    uint8_t *b = buf_extend(&second, ENTROPY_SAMPLE, e);

    if (a == NULL || b == NULL || session_random(r->session, a, ENTROPY_SAMPLE, e) != 0 ||
        session_random(r->session, b, ENTROPY_SAMPLE, e) != 0 ||
        entropy_check(buf_span(&first), buf_span(&second), &statistics, e) != 0 ||
        session_random(r->session, r->circumstances.token_random, ENTROPY_SIZE, e) != 0 ||
        random_bytes(r->circumstances.kernel_random, ENTROPY_SIZE, e) != 0) {
        return -1;
    }
    return run_record(
        r,
        json_pack("{s:s,s:o,s:o,s:I,s:I,s:I}", "type", "entropy", "token",
                  fact_of_hex(span_of(r->circumstances.token_random, ENTROPY_SIZE)), "kernel",
                  fact_of_hex(span_of(r->circumstances.kernel_random, ENTROPY_SIZE)), "octets",
                  (json_int_t)ENTROPY_SAMPLE, "longest_run", (json_int_t)statistics.longest_run,
                  "most_in_window", (json_int_t)statistics.most_in_window),
        e);
}

static int
record_root_key(struct run *r, struct err *e)
{
    CLEANUP(key_cleanup) struct key *key = run_find_root(r, e);

    return key == NULL ? -1 : run_record_attributes(r, key, "root", e);
}

int
run_activation(struct run *r, struct err *e)
{
    bool fresh = definition_makes_token(r->d);

    if (r->module == NULL) {
        r->module = module_open(r->d->token.module, r->d->token.config, e);
    }
    if (r->module == NULL || record_token(r, e) != 0 || activation_pin(r, e) != 0) {
        return -1;
    }
    if (run_login(r, e) != 0) {
        struct err ignored;

        (void)recorder_add(r->recorder, LEVEL_ATTENTION,
                           json_pack("{s:s,s:s,s:s,s:s}", "type", "login", "user", "user", "result",
                                     "failed", "reason", e->text),
                           &ignored);
        return -1;
    }
    if (run_record(r,
                   json_pack("{s:s,s:s,s:s}", "type", "login", "user", "user", "result", "CKR_OK"),
                   e) != 0 ||
        record_inventory(r, &r->before, e) != 0) {
        return -1;
    }
    if (r->before.unreadable > 0 || (fresh && r->before.objects > 0)) {
        return err_set(e, ERR_TOKEN,
                       "the token holds objects that must not be there: %zu, %zu of "
                       "them unreadable",
                       r->before.objects, r->before.unreadable);
    }
    if (!fresh && r->before.private_keys == 0) {
        return err_set(e, ERR_TOKEN, "the token holds no private key: it is another one");
    }
    if (definition_uses_root(r->d) && record_root_key(r, e) != 0) {
        return -1;
    }
    return draw_entropy(r, e);
}

struct key *
run_find_root(struct run *r, struct err *e)
{
    const struct key_policy *policy = key_policy_find("root-signing-v1", e);
    CLEANUP(buf_free) struct buf spki = BUF_INIT(PUBKEY_SPKI_MAX);

    if (policy == NULL || state_root_spki(&r->state, &spki, e) != 0) {
        return NULL;
    }
    return key_find(r->session, policy, span_of(r->state.key_id, sizeof(r->state.key_id)),
                    buf_span(&spki), e);
}

static int
on_attribute(void *context, const char *half, const char *attribute, const char *value,
             struct err *e)
{
    json_t *rows = context;

    (void)e;
    (void)json_array_append_new(rows, json_sprintf("%s %s %s", half, attribute, value));
    return 0;
}

int
run_record_rows(struct run *r, const char *label, const char *policy, json_t *rows, struct err *e)
{
    desk_say(&r->desk, "  key %s: %zu attributes as %s wants them\n", label, json_array_size(rows),
             policy);
    return run_record(r,
                      json_pack("{s:s,s:s,s:s,s:O}", "type", "attributes", "label", label, "policy",
                                policy, "rows", rows),
                      e);
}

int
run_record_attributes(struct run *r, struct key *key, const char *label, struct err *e)
{
    CLEANUP(json_cleanup) json_t *rows = json_array();

    if (key_read_back(key, on_attribute, rows, e) != 0) {
        return -1;
    }
    return run_record_rows(r, label, key_policy_name(key_get_policy(key)), rows, e);
}

int
run_probe_seen(void *context, const char *probe, const char *ckr, bool refused, struct err *e)
{
    (void)e;
    (void)json_array_append_new(context, json_pack("{s:s,s:s,s:b}", "probe", probe, "result", ckr,
                                                   "refused", refused ? 1 : 0));
    return 0;
}

int
run_record_probes(struct run *r, const char *kind, const char *label, json_t *probes, int result,
                  struct err *e)
{
    struct err second = {0};

    /* Recorded in any case: a token that allowed something is evidence. */
    if (recorder_add(r->recorder, result == 0 ? LEVEL_NORMAL : LEVEL_ATTENTION,
                     json_pack("{s:s,s:s,s:O}", "type", "probes", "label", label, "probes", probes),
                     &second) != 0 &&
        result == 0) {
        *e = second;
        return -1;
    }
    desk_say(&r->desk, "  %s %s: %zu forbidden operations tried\n", kind, label,
             json_array_size(probes));
    return result;
}

/* Closed, synced and opened again: what is on the medium, not what the module remembers. */
int
run_deactivation(struct run *r, struct err *e)
{
    struct inventory inventory;
    size_t wanted = definition_makes_token(r->d) ? r->d->n_keys : r->before.private_keys;
    size_t secrets = r->before.secret_keys + r->d->n_secrets;

    if (run_logout(r, e) != 0 || run_login(r, e) != 0 || record_inventory(r, &inventory, e) != 0 ||
        session_logout(r->session, e) != 0 || run_logout(r, e) != 0) {
        return -1;
    }
    buf_free(&r->pin);
    if (inventory.private_keys != wanted || inventory.unreadable > 0) {
        return err_set(e, ERR_TOKEN, "the token holds %zu private keys where %zu must be",
                       inventory.private_keys, wanted);
    }
    if (inventory.secret_keys != secrets) {
        return err_set(e, ERR_TOKEN, "the token holds %zu secret keys where %zu must be",
                       inventory.secret_keys, secrets);
    }
    return 0;
}
