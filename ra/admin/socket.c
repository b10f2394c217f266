/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/admin/socket.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/ossl.h"
#include "ca/registration/batch.h"
#include "ra/admin/command.h"

static void
on_answer(void *arg, json_t *answer)
{
    admin_answer(arg, answer);
}

static void
on_row(void *arg, json_t *row)
{
    admin_row(arg, row);
}

static void
on_refusal(void *arg, const struct err *why)
{
    admin_refuse(arg, why);
}

/* A member that is text, within `size`; NULL when it is not there. */
static int
text_of(const json_t *request, const char *member, const char **out, struct err *e)
{
    const json_t *value = json_object_get(request, member);

    *out = json_string_value(value);
    return value == NULL || *out != NULL ? 0 : err_set(e, ERR_INPUT, "%s: must be text", member);
}

static int
take_cms(const json_t *request, const char *verb, struct command_request *out, struct err *e)
{
    const char *text;

    if (text_of(request, "cms", &text, e) != 0) {
        return -1;
    }
    if (text == NULL) {
        return err_set(e, ERR_INPUT, "%s: \"cms\" (base64) is missing", verb);
    }
    out->document = BUF_INIT(REGISTRATION_MAX);
    return base64_parse(text, &out->document, e) == 0 ? 0 : err_wrap(e, "%s", verb);
}

static int
take_document(const json_t *request, struct command_request *out, struct err *e)
{
    return take_cms(request, "register", out, e);
}

static int
take_cancellation(const json_t *request, struct command_request *out, struct err *e)
{
    return take_cms(request, "cancel", out, e);
}

static int
take_batch(const json_t *request, struct command_request *out, struct err *e)
{
    const char *text;

    if (text_of(request, "manifest", &text, e) != 0) {
        return -1;
    }
    if (text == NULL) {
        return err_set(e, ERR_INPUT, "import: \"manifest\" (base64) is missing");
    }
    out->manifest = BUF_INIT(2 * BATCH_MANIFEST_MAX);
    return base64_parse(text, &out->manifest, e) == 0 ? 0 : err_wrap(e, "import");
}

static int
take_id(const json_t *request, struct command_request *out, struct err *e)
{
    const char *text;

    return text_of(request, "id", &text, e) == 0 ? command_parse_id(text, out->id, e) : -1;
}

static int
take_filter(const json_t *request, struct command_request *out, struct err *e)
{
    const json_t *limit = json_object_get(request, "limit");
    const char *state;
    const char *after;
    const char *nf;

    if (text_of(request, "state", &state, e) != 0 || text_of(request, "after", &after, e) != 0 ||
        text_of(request, "nfInstanceId", &nf, e) != 0) {
        return -1;
    }
    if (limit != NULL && !json_is_integer(limit)) {
        return err_set(e, ERR_INPUT, "limit: must be a number");
    }
    return command_parse_filter(state, nf, after,
                                limit == NULL ? COMMAND_PAGE : json_integer_value(limit),
                                &out->filter, e);
}

static int
take_page(const json_t *request, struct command_request *out, struct err *e)
{
    return held_parse_page(json_object_get(request, "after"), json_object_get(request, "limit"),
                           &out->page, e);
}

static int
take_nothing(const json_t *request, struct command_request *out, struct err *e)
{
    (void)request;
    (void)out;
    (void)e;
    return 0;
}

static const struct verb {
    const char *name;
    enum command_kind kind;
    int (*take)(const json_t *request, struct command_request *out, struct err *e);
} verbs[] = {
    {"register", COMMAND_REGISTER, take_document},
    {"list", COMMAND_LIST, take_filter},
    {"show", COMMAND_SHOW, take_id},
    {"bundle", COMMAND_BUNDLE, take_id},
    {"cancel", COMMAND_CANCEL, take_cancellation},
    {"import", COMMAND_IMPORT, take_batch},
    {"certificates", COMMAND_HELD, take_page},
    {"status", COMMAND_STATUS, take_nothing},
};

void
register_handle(void *arg, struct admin_call *call, const char *command, const json_t *request)
{
    const struct command_door door = {
        .answer = on_answer, .refuse = on_refusal, .row = on_row, .arg = call};
    struct command_request r = {0};
    const struct verb *verb = NULL;
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        verb = strcmp(verbs[i].name, command) == 0 ? &verbs[i] : verb;
    }
    if (verb == NULL) {
        (void)err_set(&e, ERR_INPUT, "unknown command");
    } else if (verb->take(request, &r, &e) == 0) {
        r.kind = verb->kind;
        if (r.kind == COMMAND_IMPORT) {
            admin_take_attachment(call, &r.document);
        }
        (void)snprintf(r.who, sizeof(r.who), "%s", admin_who(call));
        command_run(arg, &r, &door);
        return;
    }
    log_err(LOG_WARNING, "command-refused", &e, "%s", admin_who(call));
    buf_free(&r.document);
    buf_free(&r.manifest);
    admin_refuse(call, &e);
}
