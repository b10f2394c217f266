/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/acknowledge/acknowledge.h"

#include <stdio.h>
#include <string.h>

#include "ca/daemon/record.h"
#include "ca/journals/journals.h"
#include "ca/registration/acknowledgement.h"
#include "ca/restore/approvals.h"
#include "ca/x509/serial.h"

struct acknowledging {
    const struct ca *ca;
    const struct acknowledge_options *options;
    struct acknowledgement text;
    char *written;
    bool made; /* the text, and no more is to be done */
    struct plan_approval approvals[2];
    time_t now;
    struct store_op op;
};

static void
acknowledging_free(struct acknowledging *a)
{
    plan_approval_free(&a->approvals[0]);
    plan_approval_free(&a->approvals[1]);
    mem_free(a->written);
}

/* ---- the line, and the record as it is ---- */

static void
name_line(struct acknowledgement *t, const struct unknown_line *u)
{
    t->of_log = u->of_log;
    t->signer = u->number;
    memcpy(t->key, u->key, sizeof(t->key));
    t->line = u->line.number;
    t->object = u->line.kind;
    memcpy(t->hash, u->line.hash, sizeof(t->hash));
    t->number = u->line.kind == SIGNER_CRL && !u->line.bare ? u->line.size : 0;
    t->has_serial = u->line.kind == SIGNER_CERTIFICATE && !u->line.bare;
    if (t->has_serial) {
        memcpy(t->serial, u->line.serial, sizeof(t->serial));
    }
}

static int
find(struct acknowledging *a, struct ca *ca, struct store_db *db, struct err *e)
{
    struct acknowledgement *t = &a->text;
    struct unknown_line unknown = {0};

    if (db != NULL &&
        (journals_unknown(ca, db, &unknown, e) != 0 || ledger_size(db, &t->leaves, e) != 0 ||
         ledger_root(db, t->leaves, t->root, e) != 0)) {
        return -1;
    }
    if (!unknown.found) {
        return err_set(e, ERR_NOTFOUND,
                       "each line of the journals belongs to something: there is "
                       "nothing to acknowledge, start nfpki-ca");
    }
    (void)snprintf(t->origin, sizeof(t->origin), "%s", ca->conf.log_origin);
    name_line(t, &unknown);
    return 0;
}

/* ---- what was signed ---- */

static int
check_approval(struct acknowledging *a, size_t i, struct err *e)
{
    struct plan_approval *approval = &a->approvals[i];
    const char *file = a->options->approvals[i];
    struct acknowledgement signed_text;

    if (plan_approval_read(file, ACKNOWLEDGEMENT_KIND, &a->ca->policy, a->now, approval, e) != 0) {
        return -1;
    }
    if (acknowledgement_parse(buf_span(&approval->text), &signed_text, e) != 0) {
        return err_wrap(e, "%s", file);
    }
    if (i == 0) {
        a->text.time = signed_text.time;
        memcpy(a->text.reason, signed_text.reason, sizeof(a->text.reason));
        a->written = acknowledgement_format(&a->text);
    }
    return span_equal(buf_span(&approval->text), span_str(a->written))
               ? 0
               : err_set(e, ERR_DENIED,
                         "%s: what was signed is not about line %llu of this state, or not the "
                         "same as the other approval: make a new text",
                         file, (unsigned long long)a->text.line);
}

/* Before anything is changed. */
static int
look(struct ca *ca, void *arg, struct store_db *db, struct err *e)
{
    struct acknowledging *a = arg;

    if (find(a, ca, db, e) != 0) {
        return -1;
    }
    if (a->options->approvals[0] == NULL) {
        a->text.time = a->now;
        (void)snprintf(a->text.reason, sizeof(a->text.reason), "%s", a->options->reason);
        a->written = acknowledgement_format(&a->text);
        a->made = true;
        return err_set(e, ERR_DENIED, "it was only read"); /* so that nothing is changed */
    }
    return check_approval(a, 0, e) != 0 || check_approval(a, 1, e) != 0
               ? -1
               : plan_approvals_check(db, a->approvals, e);
}

/* ---- the leaf ---- */

static int
run_append(struct store_op *op, struct store_db *db, struct err *e)
{
    const struct acknowledging *a = CONTAINER_OF(op, struct acknowledging, op);
    const struct acknowledgement *t = &a->text;
    uint8_t hash[SHA256_SIZE];
    const struct issuance_acknowledgement leaf = {
        .key = t->key,
        .line = t->line,
        .object = t->object,
        .hash = t->hash,
        .serial = span_of(t->serial, t->has_serial ? sizeof(t->serial) : 0),
        .number = t->number,
        .reason = t->reason,
        .plan = span_of(hash, sizeof(hash)),
        .officers = {{serial_of(a->approvals[0].officer), buf_span(&a->approvals[0].cms)},
                     {serial_of(a->approvals[1].officer), buf_span(&a->approvals[1].cms)}},
        .went_back_from = a->ca->went_back_from,
    };

    return sha256(span_str(a->written), hash, e) != 0 ? -1
                                                      : issuance_acknowledge(db, &leaf, a->now, e);
}

int
acknowledge_run(struct ca *ca, const struct acknowledge_options *options, char **text,
                struct err *e)
{
    CLEANUP(acknowledging_free)
    struct acknowledging a = {.ca = ca, .options = options, .now = clock_now()};

    if (options->approvals[0] == NULL && acknowledgement_reason_check(options->reason, e) != 0) {
        return -1;
    }
    if (ca_record_open(ca, look, &a, e) != 0 && !a.made) {
        return -1;
    }
    if (!a.made) {
        a.op = (struct store_op){.run = run_append};
        if (store_call(ca->store, &a.op, e) != 0) {
            return -1;
        }
        log_event(LOG_WARNING, "acknowledged",
                  "line %llu of the journal of signer %u of the %s key: two officers know of it; "
                  "start nfpki-ca",
                  (unsigned long long)a.text.line, a.text.signer + 1,
                  a.text.of_log ? "log" : "issuing");
    }
    *text = TAKE(a.written);
    return 0;
}
