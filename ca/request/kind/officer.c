/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/request/kind/officer.h"

#include <openssl/pem.h>
#include <string.h>

#include "ca/publish/operation.h"
#include "ca/request/kind/intent.h"
#include "ca/request/kind/refusal.h"

struct officer_facts {
    char *profile;
    char *common_name;
    int days;
};

static void
clear(void *facts)
{
    struct officer_facts *f = facts;

    mem_free(f->profile);
    mem_free(f->common_name);
}

static bool
is_intent(const struct request *r)
{
    return r->is_known && r->row.state == ISSUANCE_INTENT;
}

/* Nothing in the database shows that an officer asked, so an intent waits until the officer asks
 * again, or is given up when it is old. */
static int
look(struct request *r, struct store_db *db, enum request_stage *next, struct err *e)
{
    if (is_intent(r)) {
        return intent_look(r, db, next, e);
    }
    *next = STAGE_JUDGE;
    return 0;
}

static int
grant(struct request *r, time_t at)
{
    const struct officer_facts *f = r->facts;

    r->failure = CMP_NOT_AUTHORIZED;
    return policy_grant_officer(&r->ca->policy, buf_span(&r->asked), f->profile, f->common_name,
                                f->days, at, &r->grant, &r->e);
}

static enum request_stage
judge_intent(struct request *r)
{
    const struct issuance_request *row = &r->row;

    r->grant.request.not_before = row->not_before;
    if (grant(r, row->created) != 0 ||
        policy_same(&r->grant, span_of(row->serial, sizeof(row->serial)), buf_span(&row->tbs),
                    &r->e) != 0) {
        (void)err_wrap(&r->e, "this request was used before, for something else");
        return request_refuse(r);
    }
    return STAGE_LOG_INTENT;
}

static enum request_stage
judge(struct request *r)
{
    if (is_intent(r)) {
        return judge_intent(r);
    }
    if (grant(r, r->now) != 0) {
        return request_refuse(r);
    }
    return r->is_known ? intent_answer_again(r) : STAGE_INTEND;
}

static int
intend(struct request *r, struct store_db *db, enum request_stage *next, struct err *e)
{
    struct issuance_intent i = intent_of_grant(r);

    i.by = admin_who(r->call);
    return intent_store(r, db, &i, next, e);
}

/* ---- answer ---- */

static char *
pem_of(struct span der, struct err *e)
{
    CLEANUP(bio_cleanup) BIO *out = BIO_new(BIO_s_mem());
    CLEANUP(x509_cleanup) X509 *certificate = certificate_parse(der, e);
    char *text = NULL;
    long n;

    if (out == NULL || certificate == NULL || PEM_write_bio_X509(out, certificate) != 1) {
        (void)ossl_err(e, ERR_CRYPTO, "write PEM");
        return NULL;
    }
    n = BIO_get_mem_data(out, &text);
    return mem_printf("%.*s", (int)n, text);
}

static bool
is_named(struct span der, const char *common_name)
{
    struct err e = {0};
    CLEANUP(x509_cleanup) X509 *certificate = certificate_parse(der, &e);
    const X509_NAME *subject;
    const ASN1_STRING *value;
    int at;

    if (certificate == NULL) {
        return false;
    }
    subject = X509_get_subject_name(certificate);
    at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0) {
        return false;
    }
    value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    return span_equal(span_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)),
                      span_str(common_name));
}

static void
answer_issued(struct ca *ca, struct request *r)
{
    const struct officer_facts *f = r->facts;
    const struct issuance_request *row = &r->row;
    CLEANUP(mem_cleanup) char *serial = hex_dup(span_of(row->serial, sizeof(row->serial)));
    CLEANUP(mem_cleanup) char *pem = NULL;
    struct err e = {0};

    if (strcmp(row->profile, f->profile) != 0 || row->revoked ||
        !is_named(buf_span(&r->certificate), f->common_name)) {
        (void)err_set(&e, ERR_CONFLICT,
                      "this request was used before, for something else: make a new one");
    } else {
        pem = pem_of(buf_span(&r->certificate), &e);
    }
    if (pem == NULL) {
        operation_refuse(ca, r->call, &e);
    } else {
        admin_answer(r->call, json_pack("{s:s,s:s}", "certificate", pem, "serial", serial));
    }
}

static void
answer(struct ca *ca, struct request *r)
{
    struct err e = {0};

    if (r->call == NULL) { /* an old intent, at a start */
        return;
    }
    switch (r->outcome) {
    case OUTCOME_ISSUED:
        answer_issued(ca, r);
        return;
    case OUTCOME_REFUSED:
        if (r->e.code != ERR_NONE) {
            e = r->e;
        } else { /* found so */
            (void)err_set(&e, ERR_DENIED, "%s", r->phrase);
        }
        break;
    case OUTCOME_NONE:
    case OUTCOME_CONFIRMED:
    case OUTCOME_REVOKED:
    case OUTCOME_WAITING:
    case OUTCOME_BUSY:
    case OUTCOME_DEFERRED:
        (void)err_set(&e, ERR_BUSY, "the token does not sign now: see the log, try again");
        break;
    }
    operation_refuse(ca, r->call, &e);
}

const struct kind kind_officer = {
    .name = "",
    .size = sizeof(struct officer_facts),
    .closed = CMP_BAD_REQUEST,
    .look = look,
    .judge = judge,
    .intend = intend,
    .record = intent_issue,
    .refuse = intent_abandon,
    .answer = answer,
    .clear = clear,
};

void
request_be_officers(struct request *r, const char *profile, const char *common_name, int days)
{
    struct officer_facts *f;

    request_be(r, &kind_officer);
    f = r->facts;
    f->profile = mem_strdup(profile);
    f->common_name = mem_strdup(common_name);
    f->days = days;
}
