/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/registration/acknowledgement.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static void
json_cleanup(json_t **value)
{
    json_decref(*value);
}

static bool
is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e) {
            return false;
        }
    }
    return true;
}

int
acknowledgement_reason_check(const char *reason, struct err *e)
{
    const size_t n = strlen(reason);

    return n > 0 && n <= ACKNOWLEDGEMENT_REASON_MAX && is_printable(reason)
               ? 0
               : err_set(e, ERR_INPUT,
                         "a reason of 1 to %d characters of printable ASCII is wanted: what was "
                         "found out about the line",
                         ACKNOWLEDGEMENT_REASON_MAX);
}

static char *
signer_name(const struct acknowledgement *a)
{
    return a->of_log        ? mem_strdup("log")
           : a->signer == 0 ? mem_strdup("issuing")
                            : mem_printf("issuing %u", a->signer + 1);
}

static bool
take_signer(struct acknowledgement *a, const char *name)
{
    a->of_log = strcmp(name, "log") == 0;
    for (a->signer = 0; !a->of_log && a->signer < ACKNOWLEDGEMENT_SIGNERS; a->signer++) {
        CLEANUP(mem_cleanup) char *of_it = signer_name(a);

        if (strcmp(name, of_it) == 0) {
            return true;
        }
    }
    return a->of_log;
}

char *
acknowledgement_format(const struct acknowledgement *a)
{
    CLEANUP(mem_cleanup) char *root = hex_dup(span_of(a->root, sizeof(a->root)));
    CLEANUP(mem_cleanup) char *key = hex_dup(span_of(a->key, sizeof(a->key)));
    CLEANUP(mem_cleanup) char *hash = hex_dup(span_of(a->hash, sizeof(a->hash)));
    CLEANUP(mem_cleanup)
    char *serial = hex_dup(span_of(a->serial, a->has_serial ? sizeof(a->serial) : 0));
    CLEANUP(mem_cleanup) char *signer = signer_name(a);
    const char object[] = {a->object, '\0'};
    CLEANUP(json_cleanup) json_t *value = NULL;
    CLEANUP(mem_cleanup) char *text = NULL;
    char time[TIME_TEXT_SIZE];

    time_format(a->time, time);
    value = json_pack("{s:i,s:s,s:s,s:{s:s,s:I,s:s},s:s,s:s,s:I,s:s,s:s,s:s,s:I,s:s}", "version", 1,
                      "kind", ACKNOWLEDGEMENT_KIND, "time", time, "log", "origin", a->origin,
                      "leaves", (json_int_t)a->leaves, "root", root, "signer", signer, "key", key,
                      "line", (json_int_t)a->line, "object", object, "sha256", hash, "serial",
                      serial, "number", (json_int_t)a->number, "reason", a->reason);
    text = value == NULL ? NULL : json_dumps(value, JSON_INDENT(1));
    return text == NULL ? mem_strdup("") : mem_printf("%s\n", text);
}

struct members {
    int version;
    const char *kind, *time, *origin, *root, *signer, *key, *object, *hash, *serial, *reason;
    json_int_t leaves, line, number;
};

static int
check(const struct members *m, struct acknowledgement *out, struct err *e)
{
    struct err why = {0};
    const char *bad = NULL;

    if (m->version != 1 || strcmp(m->kind, ACKNOWLEDGEMENT_KIND) != 0) {
        bad = "version and kind";
    } else if (time_parse(m->time, &out->time, &why) != 0) {
        bad = "time";
    } else if (strlen(m->origin) >= sizeof(out->origin) || !is_printable(m->origin)) {
        bad = "log.origin";
    } else if (m->leaves < 0 || hex_parse(m->root, out->root, sizeof(out->root), &why) != 0) {
        bad = "log";
    } else if (!take_signer(out, m->signer)) {
        bad = "signer";
    } else if (hex_parse(m->key, out->key, sizeof(out->key), &why) != 0) {
        bad = "key";
    } else if (m->line < 1 || strlen(m->object) != 1 || !is_printable(m->object)) {
        bad = "line and object";
    } else if (hex_parse(m->hash, out->hash, sizeof(out->hash), &why) != 0) {
        bad = "sha256";
    } else if (m->serial[0] != '\0' &&
               hex_parse(m->serial, out->serial, sizeof(out->serial), &why) != 0) {
        bad = "serial";
    } else if (m->number < 0) {
        bad = "number";
    }
    return bad == NULL ? acknowledgement_reason_check(m->reason, e)
                       : err_set(e, ERR_INPUT, "acknowledgement: %s: not as it is written", bad);
}

int
acknowledgement_parse(struct span json, struct acknowledgement *out, struct err *e)
{
    json_error_t why;
    CLEANUP(json_cleanup)
    json_t *value = json_loadb((const char *)json.p, json.n, JSON_REJECT_DUPLICATES, &why);
    struct members m = {0};

    *out = (struct acknowledgement){0};
    if (value == NULL ||
        json_unpack_ex(value, &why, JSON_STRICT,
                       "{s:i,s:s,s:s,s:{s:s,s:I,s:s!},s:s,s:s,s:I,s:s,s:s,s:s,s:I,s:s}", "version",
                       &m.version, "kind", &m.kind, "time", &m.time, "log", "origin", &m.origin,
                       "leaves", &m.leaves, "root", &m.root, "signer", &m.signer, "key", &m.key,
                       "line", &m.line, "object", &m.object, "sha256", &m.hash, "serial", &m.serial,
                       "number", &m.number, "reason", &m.reason) != 0) {
        return err_set(e, ERR_INPUT, "acknowledgement: %s", why.text);
    }
    if (check(&m, out, e) != 0) {
        return -1;
    }
    (void)snprintf(out->origin, sizeof(out->origin), "%s", m.origin);
    (void)snprintf(out->reason, sizeof(out->reason), "%s", m.reason);
    out->leaves = (uint64_t)m.leaves;
    out->line = (uint64_t)m.line;
    out->object = m.object[0];
    out->number = (uint64_t)m.number;
    out->has_serial = m.serial[0] != '\0';
    return 0;
}

static const char *
what_is(char object)
{
    switch (object) {
    case 'T':
        return "a certificate";
    case 'L':
        return "a CRL";
    case 'K':
        return "a checkpoint";
    default:
        return "something that this key does not sign";
    }
}

char *
acknowledgement_show(struct span json, struct err *e)
{
    CLEANUP(mem_cleanup) char *root = NULL;
    CLEANUP(mem_cleanup) char *key = NULL;
    CLEANUP(mem_cleanup) char *hash = NULL;
    CLEANUP(mem_cleanup) char *serial = NULL;
    struct acknowledgement a;
    CLEANUP(mem_cleanup) char *signer = NULL;
    char time[TIME_TEXT_SIZE];

    if (acknowledgement_parse(json, &a, e) != 0) {
        return NULL;
    }
    time_format(a.time, time);
    signer = signer_name(&a);
    root = hex_dup(span_of(a.root, sizeof(a.root)));
    key = hex_dup(span_of(a.key, sizeof(a.key)));
    hash = hex_dup(span_of(a.hash, sizeof(a.hash)));
    serial = a.has_serial ? hex_dup(span_of(a.serial, sizeof(a.serial))) : mem_strdup("none");
    return mem_printf("Acknowledgement of a line that belongs to nothing in the ledger, made %s\n"
                      "  ledger       %s: %" PRIu64 " leaves, root %s\n"
                      "  signer       %s, of the key with SHA-256 %s\n"
                      "  line         %" PRIu64 " of its journal: %s may have been signed\n"
                      "  SHA-256      %s\n"
                      "  serial       %s\n"
                      "  CRL number   %" PRIu64 "\n"
                      "  reason       %s\n",
                      time, a.origin, a.leaves, root, signer, key, a.line, what_is(a.object), hash,
                      serial, a.number, a.reason);
}
