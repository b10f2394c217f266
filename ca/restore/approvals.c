/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/restore/approvals.h"

#include <jansson.h>
#include <string.h>

#include "base/file.h"
#include "ca/registration/approval.h"
#include "ca/registration/envelope.h"
#include "ca/x509/serial.h"
#include "db/issuance/role.h"

enum { DAY = 24 * 60 * 60 };

static void
json_cleanup(json_t **value)
{
    json_decref(*value);
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
read_time(struct span text, const char *wanted, time_t now, time_t *out, struct err *e)
{
    CLEANUP(json_cleanup)
    json_t *object = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    const char *kind = json_string_value(json_object_get(object, "kind"));
    const char *time = json_string_value(json_object_get(object, "time"));

    if (kind == NULL || strcmp(kind, wanted) != 0 || time == NULL ||
        time_parse(time, out, e) != 0) {
        return err_set(e, ERR_INPUT, "what was signed is not the plan of a%s %s",
                       wanted[0] == 'a' ? "n" : "", wanted);
    }
    return *out <= now + PLAN_SKEW_S && now - *out <= (time_t)PLAN_DAYS * DAY
               ? 0
               : err_set(e, ERR_DENIED,
                         "the plan is of %s: more than %d days ago, or in the future; make a new "
                         "one",
                         time, PLAN_DAYS);
}

int
plan_approval_open(struct span cms, const char *kind, const struct policy *p, time_t at,
                   struct plan_approval *out, struct err *e)
{
    const struct envelope_rules rules = {
        .what = "approval", .issuing = p->issuing, .root = p->root, .at = at};
    CLEANUP(envelope_cleanup) struct envelope *opened = envelope_open(cms, &rules, e);

    if (opened == NULL || read_time(buf_span(&opened->content), kind, at, &out->time, e) != 0) {
        return -1;
    }
    buf_move(&out->cms, &opened->cms);
    buf_move(&out->text, &opened->content);
    out->officer = TAKE(opened->signer);
    return 0;
}

int
plan_approval_read(const char *path, const char *kind, const struct policy *p, time_t now,
                   struct plan_approval *out, struct err *e)
{
    CLEANUP(buf_free) struct buf octets = BUF_INIT((size_t)2 * ENVELOPE_MAX);

    if (file_read(path, &octets, e) != 0) {
        return -1;
    }
    return plan_approval_open(buf_span(&octets), kind, p, now, out, e) == 0
               ? 0
               : err_wrap(e, "%s", path);
}

/* `place` NULL: as it is now. */
static int
check_officer(struct store_db *db, const struct plan_approval *a, const uint64_t *place,
              struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(LINK_CERTIFICATE_MAX);
    CLEANUP(mem_cleanup) char *serial = hex_dup(serial_of(a->officer));
    enum issuance_role role;

    if (OSSL_ENCODE(X509, a->officer, &der, e) != 0 ||
        (place == NULL ? issuance_role_of(db, buf_span(&der), &role, e)
                       : issuance_role_before(db, buf_span(&der), *place, &role, e)) != 0) {
        return -1;
    }
    return role == ISSUANCE_OFFICER
               ? 0
               : err_set(e, ERR_DENIED,
                         "serial %s, which signed an approval, is no officer's by the record, "
                         "or is revoked",
                         serial);
}

static int
check_both(struct store_db *db, const struct plan_approval approvals[2], const uint64_t *place,
           struct err *e)
{
    if (approval_same_person(approvals[0].officer, approvals[1].officer)) {
        return err_set(e, ERR_DENIED, "both approvals are of one person: two officers must sign");
    }
    return check_officer(db, &approvals[0], place, e) != 0
               ? -1
               : check_officer(db, &approvals[1], place, e);
}

int
plan_approvals_check(struct store_db *db, const struct plan_approval approvals[2], struct err *e)
{
    return check_both(db, approvals, NULL, e);
}

int
plan_approvals_check_before(struct store_db *db, const struct plan_approval approvals[2],
                            uint64_t place, struct err *e)
{
    return check_both(db, approvals, &place, e);
}
