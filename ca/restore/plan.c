/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/restore/plan.h"

#include <jansson.h>

#include "ca/registration/restore_plan.h"

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
    (void)json_object_set_new(object, "on trust", json_string(p->on_trust));
    if (p->previous != NULL) {
        add_previous(object, p);
    }
    text = json_dumps(object, JSON_INDENT(1));
    return text == NULL ? mem_strdup("") : mem_printf("%s\n", text);
}
