/* SPDX-License-Identifier: Apache-2.0 */
#include "ceremony/transcript/state.h"

#include <assert.h>
#include <string.h>

#include "ceremony/transcript/fact.h"

void
state_clear(struct state *s)
{
    X509_free(s->root);
    *s = (struct state){0};
}

void
state_copy(struct state *to, const struct state *from)
{
    state_clear(to);
    *to = *from;
    if (to->root != NULL) {
        assert(X509_up_ref(to->root) == 1);
    }
}

static json_t *
format_root(const struct state *s)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(TBS_MAX);
    struct err e;

    if (s->root == NULL) {
        return json_null();
    }
    if (OSSL_ENCODE(X509, s->root, &der, &e) != 0) {
        abort();
    }
    return json_pack("{s:o,s:s,s:s,s:o}", "certificate", fact_of_base64(buf_span(&der)),
                     "token_label", s->token_label, "token_serial", s->token_serial, "key_id",
                     fact_of_hex(span_of(s->key_id, sizeof(s->key_id))));
}

json_t *
state_format(const struct state *s)
{
    json_t *issued = json_array();
    json_t *revoked = json_array();

    for (size_t i = 0; i < s->n_issued; i++) {
        const struct issued *c = &s->issued[i];

        (void)json_array_append_new(
            issued,
            json_pack("{s:o,s:o,s:o}", "serial", fact_of_hex(span_of(c->serial, SERIAL_SIZE)),
                      "spki_sha256", fact_of_hex(span_of(c->spki_sha256, SHA256_SIZE)), "not_after",
                      fact_of_time(c->not_after)));
    }
    for (size_t i = 0; i < s->n_revoked; i++) {
        const struct crl_entry *r = &s->revoked[i];

        (void)json_array_append_new(
            revoked,
            json_pack("{s:o,s:o,s:s}", "serial", fact_of_hex(span_of(r->serial, r->serial_size)),
                      "time", fact_of_time(r->revoked_at), "reason", crl_reason_name(r->reason)));
    }
    return json_pack("{s:o,s:I,s:o,s:o,s:o}", "root", format_root(s), "crl_number",
                     (json_int_t)s->crl_number, "crl_this_update", fact_of_time(s->crl_this_update),
                     "issued", issued, "revoked", revoked);
}

static int
parse_root(const json_t *root, struct state *out, struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(TBS_MAX);
    const char *label = fact_text(root, "token_label");
    const char *serial = fact_text(root, "token_serial");

    if (json_is_null(root)) {
        return 0;
    }
    if (label[0] == '\0' || strlen(label) >= sizeof(out->token_label) || serial[0] == '\0' ||
        strlen(serial) >= sizeof(out->token_serial)) {
        return err_set(e, ERR_INPUT, "root: token_label or token_serial is missing or too long");
    }
    memcpy(out->token_label, label, strlen(label) + 1);
    memcpy(out->token_serial, serial, strlen(serial) + 1);
    if (fact_hex(root, "key_id", out->key_id, sizeof(out->key_id), e) != 0 ||
        fact_base64(root, "certificate", &der, e) != 0) {
        return -1;
    }
    out->root = certificate_parse(buf_span(&der), e);
    return out->root == NULL ? -1 : 0;
}

static int
parse_issued(const json_t *array, struct state *out, struct err *e)
{
    size_t i;
    json_t *entry;

    if (!json_is_array(array) || json_array_size(array) > STATE_ISSUED_MAX) {
        return err_set(e, ERR_INPUT, "issued: not a list of at most %d", STATE_ISSUED_MAX);
    }
    json_array_foreach(array, i, entry)
    {
        struct issued *c = &out->issued[out->n_issued];

        if (fact_hex(entry, "serial", c->serial, SERIAL_SIZE, e) != 0 ||
            fact_hex(entry, "spki_sha256", c->spki_sha256, SHA256_SIZE, e) != 0 ||
            fact_time(entry, "not_after", &c->not_after, e) != 0) {
            return err_wrap(e, "issued[%zu]", i);
        }
        out->n_issued++;
    }
    return 0;
}

static int
parse_revoked(const json_t *array, struct state *out, struct err *e)
{
    size_t i;
    json_t *entry;

    if (!json_is_array(array) || json_array_size(array) > DEFINITION_REVOKED_MAX) {
        return err_set(e, ERR_INPUT, "revoked: not a list of at most %d", DEFINITION_REVOKED_MAX);
    }
    json_array_foreach(array, i, entry)
    {
        struct crl_entry *r = &out->revoked[out->n_revoked];

        r->serial_size = SERIAL_SIZE;
        if (fact_hex(entry, "serial", r->serial, SERIAL_SIZE, e) != 0 ||
            fact_time(entry, "time", &r->revoked_at, e) != 0 ||
            crl_reason_parse(fact_text(entry, "reason"), &r->reason, e) != 0) {
            return err_wrap(e, "revoked[%zu]", i);
        }
        out->n_revoked++;
    }
    return 0;
}

int
state_parse(const json_t *json, struct state *out, struct err *e)
{
    json_int_t number;

    state_clear(out);
    if (parse_root(json_object_get(json, "root"), out, e) != 0 ||
        fact_number(json, "crl_number", &number, e) != 0 ||
        fact_time(json, "crl_this_update", &out->crl_this_update, e) != 0 ||
        parse_issued(json_object_get(json, "issued"), out, e) != 0 ||
        parse_revoked(json_object_get(json, "revoked"), out, e) != 0) {
        return err_wrap(e, "register");
    }
    out->crl_number = (uint64_t)number;
    return 0;
}

bool
state_equal(const struct state *a, const struct state *b)
{
    CLEANUP(json_cleanup) json_t *a_json = state_format(a);
    CLEANUP(json_cleanup) json_t *b_json = state_format(b);

    return json_equal(a_json, b_json) == 1;
}

int
state_root_spki(const struct state *s, struct buf *out, struct err *e)
{
    if (s->root == NULL) {
        return err_set(e, ERR_INPUT, "the previous ceremonies made no root: wrong bundle in prev");
    }
    return OSSL_ENCODE(X509_PUBKEY, X509_get_X509_PUBKEY(s->root), out, e);
}

int
state_add_issued(struct state *s, const uint8_t serial[SERIAL_SIZE], struct span spki,
                 time_t not_after, struct err *e)
{
    CLEANUP(buf_free) struct buf root = BUF_INIT(PUBKEY_SPKI_MAX);
    struct issued entry = {.not_after = not_after};

    memcpy(entry.serial, serial, SERIAL_SIZE);
    if (state_root_spki(s, &root, e) != 0 || sha256(spki, entry.spki_sha256, e) != 0) {
        return -1;
    }
    if (span_equal(buf_span(&root), spki)) {
        return err_set(e, ERR_CONFLICT, "the request carries the root's own key");
    }
    for (size_t i = 0; i < s->n_issued; i++) {
        if (memcmp(s->issued[i].serial, serial, SERIAL_SIZE) == 0) {
            return err_set(e, ERR_CONFLICT, "the serial number is in the register already");
        }
        /* A roll-over is to a new key: the old one's exposure must not be carried on. */
        if (memcmp(s->issued[i].spki_sha256, entry.spki_sha256, SHA256_SIZE) == 0) {
            return err_set(e, ERR_CONFLICT, "this key was certified before: make a new one");
        }
    }
    if (s->n_issued == STATE_ISSUED_MAX) {
        return err_set(e, ERR_INPUT, "the register is full (%d)", STATE_ISSUED_MAX);
    }
    s->issued[s->n_issued++] = entry;
    return 0;
}

static bool
is_issued(const struct state *s, const struct crl_entry *entry)
{
    for (size_t i = 0; i < s->n_issued; i++) {
        if (memcmp(s->issued[i].serial, entry->serial, SERIAL_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

static int
insert(struct state *s, const struct crl_entry *entry, struct err *e)
{
    CLEANUP(mem_cleanup) char *serial = hex_dup(span_of(entry->serial, entry->serial_size));
    size_t at = 0;

    if (!is_issued(s, entry)) {
        return err_set(e, ERR_INPUT, "serial %s: this root issued no such certificate", serial);
    }
    while (at < s->n_revoked && memcmp(s->revoked[at].serial, entry->serial, SERIAL_SIZE) < 0) {
        at++;
    }
    if (at < s->n_revoked && memcmp(s->revoked[at].serial, entry->serial, SERIAL_SIZE) == 0) {
        return err_set(e, ERR_CONFLICT, "serial %s is revoked already", serial);
    }
    if (s->n_revoked == DEFINITION_REVOKED_MAX) {
        return err_set(e, ERR_INPUT, "more than %d revocations", DEFINITION_REVOKED_MAX);
    }
    memmove(&s->revoked[at + 1], &s->revoked[at], (s->n_revoked - at) * sizeof(*entry));
    s->revoked[at] = *entry;
    s->n_revoked++;
    return 0;
}

int
state_add_revoked(struct state *s, const struct crl_entry *entries, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        if (insert(s, &entries[i], e) != 0) {
            return -1;
        }
    }
    return 0;
}
