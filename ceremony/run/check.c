/* SPDX-License-Identifier: Apache-2.0 */
#include "ceremony/run/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "ceremony/bundle/bundle.h"
#include "ceremony/run/dummy.h"
#include "ceremony/run/run.h"

static int
check_root(const struct definition *d, const struct circumstances *c, struct err *e)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = dummy_key(d->keys[0].kind, e);
    CLEANUP(buf_free) struct buf spki = BUF_INIT(PUBKEY_SPKI_MAX);
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
    struct tbs_request plan;
    struct name subject;

    if (key == NULL || OSSL_ENCODE(PUBKEY, key, &spki, e) != 0 ||
        plan_certificate(d, c, NULL, buf_span(&spki), &subject, &plan, e) != 0 ||
        tbs_build(&plan, &tbs, e) != 0) {
        return -1;
    }
    return dummy_lint_certificate(buf_span(&tbs), &plan, key, e);
}

static int
check_issuing(const struct definition *d, const struct circumstances *c, const struct state *state,
              struct err *e)
{
    CLEANUP(buf_free) struct buf bytes = BUF_INIT(ARTIFACT_MAX);
    CLEANUP(buf_free) struct buf spki = BUF_INIT(PUBKEY_SPKI_MAX);
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
    CLEANUP(state_clear) struct state after = {0};
    struct tbs_request plan;
    struct name subject;

    state_copy(&after, state);
    if (run_read_request(d, c->rehearsal, &bytes, &spki, e) != 0 ||
        plan_certificate(d, c, state->root, buf_span(&spki), &subject, &plan, e) != 0 ||
        tbs_build(&plan, &tbs, e) != 0 ||
        state_add_issued(&after, plan.serial, plan.spki, plan.not_after, e) != 0) {
        return -1;
    }
    return dummy_lint_certificate(buf_span(&tbs), &plan, X509_get0_pubkey(state->root), e);
}

static int
check_crl(const struct definition *d, const struct circumstances *c, const struct state *state,
          struct err *e)
{
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(CRL_TBS_MAX);
    CLEANUP(state_clear) struct state after = {0};
    struct crl_request plan;

    state_copy(&after, state);
    if (plan_crl(d, c, &after, &plan, e) != 0 || crl_build(&plan, &tbs, e) != 0) {
        return -1;
    }
    return dummy_lint_crl(buf_span(&tbs), &plan, X509_get0_pubkey(after.root), e);
}

/* What is signed must be datable within the clock window: begin <= now < begin + 1 day. */
static int
check_window(const struct definition *d, const char *option, time_t begin, struct err *e)
{
    if (begin > d->clock.not_after || begin + 24 * 60 * 60 < d->clock.not_before) {
        return err_set(e, ERR_INPUT, "%s: %s never lies within the day before the clock window",
                       d->path, option);
    }
    return 0;
}

static int
check_object(const struct definition *d, const struct bundle *prev, bool rehearsal, struct err *e)
{
    static const struct state empty;
    const struct state *state = prev == NULL ? &empty : &prev->after;
    struct circumstances c = {.rehearsal = rehearsal};

    switch (d->type) {
    case ROOT_GENERATE:
        c.now = d->certificate.not_before;
        return check_window(d, "certificate.not_before", c.now, e) != 0 ? -1 : check_root(d, &c, e);
    case KEY_GENERATE:
    case SECRET_GENERATE:
        return 0;
    case SUB_ISSUE:
        /* In a rehearsal the dates are the day's, not the definition's. */
        c.now = rehearsal ? clock_now() : d->certificate.not_before;
        return check_window(d, "certificate.not_before", d->certificate.not_before, e) != 0
                   ? -1
                   : check_issuing(d, &c, state, e);
    case ROOT_CRL:
        c.now = rehearsal ? clock_now() : d->crl.this_update;
        return check_window(d, "crl.this_update", d->crl.this_update, e) != 0
                   ? -1
                   : check_crl(d, &c, state, e);
    }
    abort(); /* these are all */
}

static void
print_plan(const struct definition *d)
{
    CLEANUP(mem_cleanup) char *hash = hex_dup(span_of(d->hash, SHA256_SIZE));
    size_t n = step_count(d->type);

    (void)printf("ceremony    %s\ntype        %s\ncps         %s\nSHA-256     %s\n\n", d->id,
                 ceremony_type_name(d->type), d->cps, hash);
    for (size_t i = 0; i < d->n_people; i++) {
        (void)printf("%-14s%s (%s)\n", person_role_name(d->people[i].role), d->people[i].name,
                     d->people[i].id);
    }
    (void)printf("\n");
    for (size_t i = 0; i < n; i++) {
        const struct step *step = step_at(d->type, i);

        (void)printf("%2zu  [ ]  %s [%s]\n", i + 1, step->what, step->actor);
        if (step->no_undo != NULL) {
            (void)printf("         CANNOT BE UNDONE: %s\n", step->no_undo);
        }
    }
}

int
check_definition(const struct definition *d, struct err *e)
{
    CLEANUP(bundle_cleanup) struct bundle *prev = NULL;

    if (d->prev != NULL) {
        prev = bundle_load(d->prev, e);
        if (prev == NULL) {
            return err_wrap(e, "prev");
        }
    }
    /* Behind a rehearsal only a rehearsal can follow; a line that begins can be either. */
    if ((prev == NULL || !prev->rehearsal) && check_object(d, prev, false, e) != 0) {
        return -1;
    }
    if ((prev == NULL || prev->rehearsal) && check_object(d, prev, true, e) != 0) {
        return err_wrap(e, "rehearsal");
    }
    print_plan(d);
    return 0;
}
