/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/restore/plan.h"

#include <jansson.h>
#include <string.h>

#include "base/file.h"
#include "ca/registration/envelope.h"
#include "ca/registration/restore_plan.h"

enum { DAY = 24 * 60 * 60 };

static void
json_cleanup(json_t **value)
{
    json_decref(*value);
}

static void
add_adopted(json_t *object, const struct restore_plan *p)
{
    CLEANUP(mem_cleanup) char *hash = hex_dup(span_of(p->adopt_hash, sizeof(p->adopt_hash)));

    (void)json_object_set_new(
        object, "adopted",
        json_pack("{s:I,s:s}", "certificates", (json_int_t)p->adopted, "sha256", hash));
}

static void
add_previous(json_t *object, const struct restore_plan *p)
{
    CLEANUP(mem_cleanup)
    char *root = hex_dup(span_of(p->previous->signed_root.octets, MERKLE_HASH));

    (void)json_object_set_new(object, "new log",
                              json_pack("{s:s,s:I,s:s}", "origin", p->origin, "signed",
                                        (json_int_t)p->previous->signed_size, "root", root));
}

char *
plan_format(const struct restore_plan *p)
{
    CLEANUP(mem_cleanup) char *from = hex_dup(span_of(p->from_root.octets, MERKLE_HASH));
    CLEANUP(mem_cleanup) char *to = hex_dup(span_of(p->log.root.octets, MERKLE_HASH));
    CLEANUP(mem_cleanup) char *crl = hex_dup(span_of(p->crl_hash, sizeof(p->crl_hash)));
    CLEANUP(json_cleanup) json_t *object = NULL;
    CLEANUP(mem_cleanup) char *text = NULL;
    char time[TIME_TEXT_SIZE];

    time_format(p->time, time);
    object = json_pack(
        "{s:i,s:s,s:s,s:{s:I,s:s},s:{s:s,s:I,s:s},s:{s:I,s:s},s:{s:I,s:I,s:I,s:I},s:I,s:I,s:I,s:I}",
        "version", 1, "kind", RESTORE_PLAN_KIND, "time", time, "database", "leaves",
        (json_int_t)p->from, "root", from, "log", "origin", p->log.origin, "leaves",
        (json_int_t)p->log.size, "root", to, "crl", "number", (json_int_t)p->crl_number, "sha256",
        crl, "read back", "registrations", (json_int_t)p->back.registrations, "certificates",
        (json_int_t)p->back.certificates, "revocations", (json_int_t)p->back.revocations, "crls",
        (json_int_t)p->back.crls, "given up", (json_int_t)p->abandoned, "refused",
        (json_int_t)p->refused, "void", (json_int_t)p->voided, "from the CRL",
        (json_int_t)p->from_crl);
    add_adopted(object, p);
    if (p->previous != NULL) {
        add_previous(object, p);
    }
    text = json_dumps(object, JSON_INDENT(1));
    return text == NULL ? mem_strdup("") : mem_printf("%s\n", text);
}

void
plan_approval_free(struct plan_approval *a)
{
    buf_free(&a->cms);
    buf_free(&a->text);
    X509_free(a->officer);
    a->officer = NULL;
}

static int
read_time(struct span text, time_t now, time_t *out, struct err *e)
{
    CLEANUP(json_cleanup)
    json_t *object = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    const char *kind = json_string_value(json_object_get(object, "kind"));
    const char *time = json_string_value(json_object_get(object, "time"));

    if (kind == NULL || strcmp(kind, RESTORE_PLAN_KIND) != 0 || time == NULL ||
        time_parse(time, out, e) != 0) {
        return err_set(e, ERR_INPUT, "what was signed is not the plan of a restore");
    }
    return *out <= now + PLAN_SKEW_S && now - *out <= (time_t)PLAN_DAYS * DAY
               ? 0
               : err_set(e, ERR_DENIED,
                         "the plan is of %s: more than %d days ago, or in the future; make a new "
                         "one",
                         time, PLAN_DAYS);
}

int
plan_approval_read(const char *path, const struct policy *p, time_t now, struct plan_approval *out,
                   struct err *e)
{
    const struct envelope_rules rules = {
        .what = "approval", .issuing = p->issuing, .root = p->root, .at = now};
    CLEANUP(buf_free) struct buf octets = BUF_INIT((size_t)2 * ENVELOPE_MAX);
    CLEANUP(envelope_cleanup) struct envelope *opened = NULL;

    if (file_read(path, &octets, e) != 0) {
        return -1;
    }
    opened = envelope_open(buf_span(&octets), &rules, e);
    if (opened == NULL || read_time(buf_span(&opened->content), now, &out->time, e) != 0) {
        return err_wrap(e, "%s", path);
    }
    buf_move(&out->cms, &opened->cms);
    buf_move(&out->text, &opened->content);
    out->officer = TAKE(opened->signer);
    return 0;
}
