/* SPDX-License-Identifier: Apache-2.0 */
/* Secret keys: generated and checked as the pairs are, in the same steps. */
#include "ceremony/run/run.h"
#include "ceremony/run/self_check.h"
#include "pkcs11/secret.h"

static int
generate(struct run *r, size_t i, struct err *e)
{
    const char *label = r->d->secrets[i].label;
    const char *attributes = r->d->secrets[i].attributes;
    CLEANUP(secret_cleanup) struct secret *secret = NULL;

    if (run_intent(r, "C_GenerateKey",
                   json_pack("{s:s,s:s,s:s}", "token", r->d->token.label, "label", label,
                             "attributes", attributes),
                   e) != 0) {
        return -1;
    }
    r->left = LEFT_KEYGEN_OPEN;
    /* As it is on the medium: everything closed, synced and opened again before it counts. */
    if (secret_generate(r->session, label, r->secrets[i], e) != 0 || run_logout(r, e) != 0 ||
        run_login(r, e) != 0) {
        return -1;
    }
    secret = secret_find(r->session, span_of(r->secrets[i], KEY_ID_SIZE), e);
    if (secret == NULL) {
        return -1;
    }
    desk_say(&r->desk, "  secret key %s generated\n", label);
    if (run_done(r, "C_GenerateKey",
                 json_pack("{s:s,s:o}", "label", label, "id",
                           fact_of_hex(span_of(r->secrets[i], KEY_ID_SIZE))),
                 e) != 0) {
        return -1;
    }
    r->left = LEFT_KEY_UNPROVEN;
    return 0;
}

int
run_secrets(struct run *r, struct err *e)
{
    for (size_t i = 0; i < r->d->n_secrets; i++) {
        CLEANUP(mem_cleanup) char *word = plan_word_generate_secret(&r->d->secrets[i]);
        CLEANUP(mem_cleanup)
        char *question = mem_printf("Administrator: type '%s' to generate the secret key.", word);

        if (run_confirm(r, question, word, e) != 0 || generate(r, i, e) != 0) {
            return -1;
        }
    }
    return 0;
}

static int
on_attribute(void *context, const char *half, const char *attribute, const char *value,
             struct err *e)
{
    (void)e;
    (void)json_array_append_new(context, json_sprintf("%s %s %s", half, attribute, value));
    return 0;
}

static int
probe(struct run *r, struct secret *secret, const char *label, struct err *e)
{
    CLEANUP(json_cleanup) json_t *probes = json_array();
    int result = secret_probe(secret, run_probe_seen, probes, e);

    return run_record_probes(r, "secret key", label, probes, result, e);
}

static int
check(struct run *r, size_t i, struct err *e)
{
    const char *label = r->d->secrets[i].label;
    const char *attributes = r->d->secrets[i].attributes;
    struct span id = span_of(r->secrets[i], KEY_ID_SIZE);
    CLEANUP(secret_cleanup) struct secret *secret = secret_find(r->session, id, e);
    CLEANUP(json_cleanup) json_t *rows = json_array();
    CLEANUP(buf_free) struct buf mac = BUF_SECRET(SECRET_MAC_SIZE);

    if (secret == NULL || secret_read_back(secret, on_attribute, rows, e) != 0 ||
        run_record_rows(r, label, attributes, rows, e) != 0 || probe(r, secret, label, e) != 0 ||
        secret_mac(secret, self_check_text(), &mac, e) != 0 ||
        self_check_secret(&r->d->token, r->serial, attributes, id, buf_span(&mac),
                          buf_span(&r->pin), e) != 0) {
        return -1;
    }
    desk_say(&r->desk, "  secret key %s: found by a fresh process, which got the same MAC\n",
             label);
    return run_record(r,
                      json_pack("{s:s,s:s,s:s,s:b}", "type", "fresh-process", "label", label,
                                "result", "found", "signed", 1),
                      e);
}

int
run_secret_checks(struct run *r, struct err *e)
{
    for (size_t i = 0; i < r->d->n_secrets; i++) {
        if (check(r, i, e) != 0) {
            return err_wrap(e, "secret key %s", r->d->secrets[i].label);
        }
    }
    return 0;
}
