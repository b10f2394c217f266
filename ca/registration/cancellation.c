/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/registration/cancellation.h"

#include <jansson.h>

#include "ca/registration/envelope.h"

enum { DAY = 24 * 60 * 60 };

static void
json_cleanup(json_t **value)
{
    json_decref(*value);
}

/* ---- the document ---- */

char *
cancellation_format(const struct cancellation *c)
{
    char time[TIME_TEXT_SIZE];

    time_format(c->time, time);
    return mem_printf("{\"version\":1,\"cancel\":{\"registrationId\":\"%s\",\"time\":\"%s\"}}\n",
                      c->registration, time);
}

int
cancellation_parse(struct span json, struct cancellation *out, struct err *e)
{
    uint8_t id[(REGISTRATION_ID_SIZE - 1) / 2];
    const char *registration;
    json_error_t reason;
    const char *time;
    int version;
    CLEANUP(json_cleanup)
    json_t *object = json_loadb((const char *)json.p, json.n, JSON_REJECT_DUPLICATES, &reason);

    if (object == NULL) {
        return err_set(e, ERR_INPUT, "cancellation: not JSON: line %d: %s", reason.line,
                       reason.text);
    }
    if (json_unpack_ex(object, &reason, JSON_STRICT, "{s:i,s:{s:s,s:s}}", "version", &version,
                       "cancel", "registrationId", &registration, "time", &time) != 0) {
        return err_set(e, ERR_INPUT, "cancellation: %s", reason.text);
    }
    if (version != 1) {
        return err_set(e, ERR_INPUT, "version: must be 1");
    }
    if (hex_parse(registration, id, sizeof(id), e) != 0) {
        return err_set(e, ERR_INPUT, "cancel.registrationId: must be 32 hex digits");
    }
    if (time_parse(time, &out->time, e) != 0) {
        return err_set(e, ERR_INPUT, "cancel.time: must be a time like 2026-11-23T20:00:00Z");
    }
    hex_format(span_of(id, sizeof(id)), out->registration);
    return 0;
}

static int
check_window(const struct cancellation *c, time_t at, struct err *e)
{
    if (c->time > at + CANCELLATION_SKEW_S) {
        return err_set(e, ERR_DENIED,
                       "cancel.time: %lld s in the future: compare the registrar's clock",
                       (long long)(c->time - at));
    }
    return c->time >= at - (time_t)CANCELLATION_DAYS * DAY
               ? 0
               : err_set(e, ERR_DENIED, "cancel.time: more than %d days ago: sign a new one",
                         CANCELLATION_DAYS);
}

/* ---- the signature ---- */

static void
destroy(struct cancellation_signed **p)
{
    if (*p != NULL) {
        buf_free(&(*p)->cms);
        X509_free((*p)->signer);
        mem_free(*p);
        *p = NULL;
    }
}

void
cancellation_signed_free(struct cancellation_signed *cancellation)
{
    destroy(&cancellation);
}

struct cancellation_signed *
cancellation_verify(struct span cms, X509 *issuing, X509 *root, time_t at, struct err *e)
{
    const struct envelope_rules rules = {
        .what = "cancellation", .issuing = issuing, .root = root, .at = at};
    CLEANUP(envelope_cleanup) struct envelope *opened = envelope_open(cms, &rules, e);
    CLEANUP(destroy) struct cancellation_signed *out = NULL;

    if (opened == NULL) {
        return NULL;
    }
    if (opened->cms.n > CANCELLATION_CMS_MAX) {
        (void)err_set(e, ERR_INPUT, "cancellation: longer than %d octets", CANCELLATION_CMS_MAX);
        return NULL;
    }
    out = mem_new(sizeof(*out));
    if (cancellation_parse(buf_span(&opened->content), &out->content, e) != 0 ||
        check_window(&out->content, at, e) != 0) {
        return NULL;
    }
    buf_move(&out->cms, &opened->cms);
    out->signer = TAKE(opened->signer);
    return TAKE(out);
}
