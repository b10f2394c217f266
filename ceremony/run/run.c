/* SPDX-License-Identifier: Apache-2.0 */
#include "ceremony/run/run.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* ---- before anything changes ------------------------------------------------------------------
 */

static int
refuse_output(const struct definition *d, struct err *e)
{
    struct stat st;

    if (lstat(d->output, &st) == 0) {
        return err_set(e, ERR_CONFLICT, "output: %s exists; a bundle is written once", d->output);
    }
    return 0;
}

/* The token that will be initialised. */
static int
find_fresh(struct run *r, struct err *e)
{
    const char *label = r->d->token.label;
    struct token found;
    struct err absent = {0};

    if (module_find_token(r->module, label, NULL, &found, &absent) == 0 ||
        absent.code != ERR_NOTFOUND) {
        return err_set(e, ERR_CONFLICT, "token.expect: a token '%s' is there already", label);
    }
    if (module_find_free(r->module, &found, e) != 0) {
        return -1;
    }
    r->software = found.software;
    return 0;
}

static int
find_root(struct run *r, struct err *e)
{
    const struct token_plan *t = &r->d->token;
    struct token found;

    _Static_assert(sizeof(r->serial) == sizeof(r->state.token_serial), "a serial as it is shown");
    memcpy(r->serial, r->state.token_serial, sizeof(r->serial));
    if (t->serial[0] != '\0' && strcmp(t->serial, r->serial) != 0) {
        return err_set(e, ERR_DENIED, "token.serial: the register's root is on token %s",
                       r->serial);
    }
    if (module_find_token(r->module, t->label, r->serial, &found, e) != 0) {
        return -1;
    }
    r->software = found.software;
    return 0;
}

/* A token that the definition names. */
static int
find_named(struct run *r, struct err *e)
{
    const struct token_plan *t = &r->d->token;
    struct token found;

    _Static_assert(sizeof(r->serial) == sizeof(t->serial), "a serial as it is shown");
    memcpy(r->serial, t->serial, sizeof(r->serial));
    if (module_find_token(r->module, t->label, r->serial, &found, e) != 0) {
        return -1;
    }
    r->software = found.software;
    return 0;
}

static int
find_token(struct run *r, struct err *e)
{
    if (definition_makes_token(r->d)) {
        return find_fresh(r, e);
    }
    return definition_uses_root(r->d) ? find_root(r, e) : find_named(r, e);
}

static int
open_module(struct run *r, struct err *e)
{
    const struct token_plan *t = &r->d->token;

    r->module = module_open(t->module, t->config, e);
    if (r->module == NULL) {
        return -1;
    }
    if (find_token(r, e) != 0) {
        return -1;
    }
    if (r->rehearsal && !r->software) {
        return err_set(e, ERR_DENIED, "%s is no software token: a rehearsal never touches hardware",
                       t->module);
    }
    if (!r->rehearsal && r->software && !r->d->software_token_accepted) {
        return err_set(e, ERR_DENIED,
                       "%s is a software token, which is no place for a CA's key; the definition "
                       "does not say software_token_accepted = true",
                       t->module);
    }
    if (r->software && t->directory == NULL) {
        return err_set(e, ERR_INPUT,
                       "%s: token.directory is missing: SoftHSM does not sync its files, so this "
                       "program must",
                       r->d->path);
    }
    return 0;
}

static int
load_previous(struct run *r, struct err *e)
{
    if (r->d->prev == NULL) {
        return 0;
    }
    r->prev = bundle_load(r->d->prev, e);
    if (r->prev == NULL) {
        return err_wrap(e, "prev");
    }
    if (r->prev->rehearsal != r->rehearsal) {
        return err_set(e, ERR_DENIED,
                       "prev: a rehearsal and a production ceremony cannot follow "
                       "each other");
    }
    state_copy(&r->state, &r->prev->after);
    if (definition_uses_root(r->d) &&
        (r->state.root == NULL || strcmp(r->state.token_label, r->d->token.label) != 0)) {
        return err_set(e, ERR_DENIED, "token.label: the register's root is on token '%s'",
                       r->state.token_label);
    }
    return 0;
}

static int
refuse_credentials(struct run *r, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = NULL;
    bool fresh = definition_makes_token(r->d);
    bool there;

    if (!r->rehearsal) {
        return 0;
    }
    if (r->d->credentials == NULL) {
        return err_set(e, ERR_INPUT, "%s: credentials is missing: a rehearsal keeps its PINs there",
                       r->d->path);
    }
    path = mem_printf("%s/%s.pin", r->d->credentials, r->d->token.label);
    there = access(path, F_OK) == 0;
    if (there == fresh) {
        return err_set(e, fresh ? ERR_CONFLICT : ERR_NOTFOUND, "credentials: %s %s", path,
                       fresh ? "is there already" : "is not there");
    }
    return 0;
}

static int
open_transcript(struct run *r, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/" BUNDLE_TRANSCRIPT, r->d->output);
    CLEANUP(mem_cleanup) char *copy = mem_printf("%s/" BUNDLE_DEFINITION, r->d->output);
    CLEANUP(json_cleanup)
    json_t *header = json_pack("{s:s,s:s,s:s,s:o,s:o,s:b,s:b,s:s}", "format", TRANSCRIPT_FORMAT,
                               "id", r->d->id, "type", ceremony_type_name(r->d->type), "definition",
                               fact_of_hex(span_of(r->d->hash, SHA256_SIZE)), "prev",
                               r->prev == NULL ? json_string("none")
                                               : fact_of_hex(span_of(r->prev->head, SHA256_SIZE)),
                               "rehearsal", r->rehearsal ? 1 : 0, "software_token",
                               r->software ? 1 : 0, "tool", "nfpki-ceremony " NFPKI_VERSION);

    if (file_mkdirs(r->d->output, 0755, e) != 0 ||
        file_create(copy, buf_span(&r->d->text), 0644, e) != 0) {
        return -1;
    }
    r->recorder = recorder_open(path, header, e);
    return r->recorder == NULL ? -1 : 0;
}

static int
prepare(struct run *r, struct err *e)
{
    if (desk_open(&r->desk, r->rehearsal, e) != 0 || refuse_output(r->d, e) != 0 ||
        refuse_credentials(r, e) != 0 || load_previous(r, e) != 0 || open_module(r, e) != 0) {
        return -1;
    }
    return open_transcript(r, e);
}

/* ---- the steps --------------------------------------------------------------------------------
 */

static int
do_step(struct run *r, enum step_id id, struct err *e)
{
    switch (id) {
    case STEP_ENVIRONMENT:
        return run_environment(r, e);
    case STEP_PEOPLE:
        return run_people(r, e);
    case STEP_CLOCK:
        return run_clock(r, e);
    case STEP_DEFINITION:
        return run_definition(r, e);
    case STEP_PREVIOUS:
        return run_previous(r, e);
    case STEP_TOKEN:
        return run_token(r, e);
    case STEP_ACTIVATION:
        return run_activation(r, e);
    case STEP_KEYS:
        return run_keys(r, e);
    case STEP_KEY_CHECKS:
        return run_key_checks(r, e);
    case STEP_REQUESTS:
        return run_requests(r, e);
    case STEP_INCOMING:
        return run_incoming(r, e);
    case STEP_CERTIFICATE:
        return run_certificate(r, e);
    case STEP_CRL:
        return run_crl(r, e);
    case STEP_DEACTIVATION:
        return run_deactivation(r, e);
    case STEP_SEAL:
        return run_seal(r, e);
    }
    abort(); /* these are all */
}

static int
do_steps(struct run *r, struct err *e)
{
    size_t n = step_count(r->d->type);

    for (size_t i = 0; i < n; i++) {
        r->step = step_at(r->d->type, i);
        desk_say(&r->desk, "\nStep %zu of %zu: %s [%s]\n", i + 1, n, r->step->what, r->step->actor);
        if (r->step->no_undo != NULL) {
            desk_say(&r->desk, "  CANNOT BE UNDONE: %s\n", r->step->no_undo);
        }
        if (desk_check_stop(&r->desk, e) != 0 ||
            run_record(r, json_pack("{s:s,s:s}", "type", "step", "step", r->step->name), e) != 0 ||
            do_step(r, r->step->id, e) != 0) {
            return err_wrap(e, "step %s", r->step->name);
        }
    }
    return 0;
}

/* The bundle as everybody else will see it. */
static int
verify_own(struct run *r, struct err *e)
{
    CLEANUP(bundle_cleanup) struct bundle *b = bundle_load(r->d->output, e);

    if (b == NULL) {
        return -1;
    }
    if (r->prev != NULL && bundle_check_follows(b, r->prev, e) != 0) {
        return -1;
    }
    desk_say(&r->desk, "\nSealed and verified: %s\n", r->d->output);
    if (r->rehearsal) {
        desk_say(&r->desk, "REHEARSAL: NOT PRODUCTION\n");
    }
    if (r->software) {
        desk_say(&r->desk, "SOFTWARE TOKEN: NOT PRODUCTION\n");
    }
    return 0;
}

static enum run_status
stopped(struct run *r, const struct err *reason)
{
    const struct advice *advice = run_advice(r);
    struct err e = {0};

    (void)recorder_add(
        r->recorder, LEVEL_ATTENTION,
        json_pack("{s:s,s:s,s:s}", "type", "stopped", "reason", reason->text, "left", advice->text),
        &e);
    desk_say(&r->desk,
             "\nSTOPPED: %s\n%s\nToken: %s. Transcript so far: %s/" BUNDLE_TRANSCRIPT
             "\nThen start a new ceremony with a new output directory.\n",
             reason->text, advice->text, r->d->token.label, r->d->output);
    return advice->status;
}

static void
run_clear(struct run *r)
{
    session_close(r->session);
    module_close(r->module);
    recorder_close(r->recorder);
    bundle_free(r->prev);
    state_clear(&r->state);
    buf_free(&r->pin);
    buf_free(&r->subject_spki);
    for (size_t i = 0; i < ARRAY_LEN(r->keys); i++) {
        buf_free(&r->keys[i].spki);
    }
    json_decref(r->artifacts);
    desk_close(&r->desk);
}

enum run_status
run_ceremony(const struct definition *d, bool rehearsal)
{
    CLEANUP(run_clear) struct run r = {.d = d, .rehearsal = rehearsal, .left = LEFT_NOTHING};
    struct err e = {0};

    r.circumstances.rehearsal = rehearsal;
    r.pin = BUF_SECRET(255);
    r.subject_spki = BUF_INIT(PUBKEY_SPKI_MAX);
    for (size_t i = 0; i < ARRAY_LEN(r.keys); i++) {
        r.keys[i].spki = BUF_INIT(PUBKEY_SPKI_MAX);
    }
    r.artifacts = json_array();
    if (prepare(&r, &e) != 0) {
        (void)fprintf(stderr, "nfpki-ceremony: refused, nothing was changed: %s\n", e.text);
        return RUN_REFUSED;
    }
    if (r.software) {
        desk_say(&r.desk, "%s: software token, for rehearsals, tests and demonstrations only\n",
                 module_description(r.module));
    }
    if (do_steps(&r, &e) != 0 || verify_own(&r, &e) != 0) {
        return stopped(&r, &e);
    }
    return RUN_DONE;
}
