/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/office/register.h"

#include <stdio.h>
#include <string.h>

#include "ca/policy/registered.h"
#include "ca/publish/checkpoint.h"
#include "ca/registration/proof.h"

struct registering {
    struct ca *ca;
    link_peer peer;
    uint8_t id[LINK_RID_SIZE];
    size_t id_size;
    struct task work;
    struct store_op op;
    struct release_item release;
    struct buf cms;
    struct registration_signed *verified;
    struct buf registrar;
    char *pins;
    struct issuance_registration row;
    enum link_type answer;
    enum issuance_outcome outcome;
    uint64_t leaf;
    time_t now;
    int result;
    struct err e;
};

static struct registering *
registering_new(struct ca *ca, link_peer peer, const struct link_message *m, enum link_type answer)
{
    struct registering *r = mem_new(sizeof(*r));

    r->ca = ca;
    r->peer = peer;
    memcpy(r->id, m->id.p, m->id.n); /* the link's limits: at most LINK_RID_SIZE */
    r->id_size = m->id.n;
    r->answer = answer;
    r->now = clock_now();
    ca->jobs++;
    return r;
}

static void
registering_free(struct registering *r)
{
    r->ca->jobs--;
    registration_signed_free(r->verified);
    issuance_registration_free(&r->row);
    buf_free(&r->registrar);
    buf_free(&r->cms);
    mem_free(r->pins);
    mem_free(r);
}

/* duplicateCertReq: something that is registered stands against it, not the registrar's right. */
static void
end_refused(struct registering *r, const char *phrase)
{
    const enum cmp_failure failure =
        r->e.code == ERR_CONFLICT ? CMP_DUPLICATE_CERT_REQ : CMP_NOT_AUTHORIZED;

    log_err(LOG_WARNING, "registration-refused", &r->e, "%s", link_type_name(r->answer));
    ca_answer_refused(r->ca, r->peer, span_of(r->id, r->id_size), (int)failure, phrase);
    registering_free(r);
}

static void
end_done(struct release_item *item)
{
    struct registering *r = CONTAINER_OF(item, struct registering, release);
    const struct link_message m = {.type = r->answer, .id = span_of(r->id, r->id_size)};

    ca_answer(r->ca, r->peer, &m);
    registering_free(r);
}

static void
wait_for_release(struct registering *r)
{
    r->release = (struct release_item){.leaf = r->leaf, .released = end_done};
    release_wait(r->ca->release, &r->release);
}

/* ---- REGISTER ---- */

static int
run_register(struct store_op *op, struct store_db *db, struct err *e)
{
    struct registering *r = CONTAINER_OF(op, struct registering, op);

    return issuance_register(db, &r->row, buf_span(&r->registrar), r->now, &r->outcome, e);
}

/* Something that is registered, or was, stands against it. */
static bool
is_conflict(enum issuance_outcome outcome)
{
    return outcome == ISSUANCE_OWNED || outcome == ISSUANCE_REPEATED ||
           outcome == ISSUANCE_SUPERSEDES_NOTHING || outcome == ISSUANCE_PROOF_SHARED ||
           outcome == ISSUANCE_KNOWN;
}

static void
explain(const struct registering *r, char phrase[LINK_PHRASE_MAX + 1])
{
    const struct issuance_registration *row = &r->row;
    const enum issuance_outcome outcome = r->outcome;

    if (outcome == ISSUANCE_PROOF_SHARED) {
        (void)snprintf(phrase, LINK_PHRASE_MAX + 1,
                       "the proof is that of the live registration %s: cancel that, or register "
                       "another proof",
                       row->proven);
    } else if (outcome == ISSUANCE_OWNED ||
               (outcome == ISSUANCE_SUPERSEDES_NOTHING && row->owner[0] != '\0')) {
        (void)snprintf(phrase, LINK_PHRASE_MAX + 1,
                       "nfInstanceId has the live registration %s: cancel that, or supersede it",
                       row->owner);
    } else {
        (void)snprintf(phrase, LINK_PHRASE_MAX + 1, "%s",
                       outcome == ISSUANCE_KNOWN ? "cancelled, or followed by another registration"
                                                 : issuance_outcome_text(outcome));
    }
}

static void
on_stored(struct task *task)
{
    struct registering *r = CONTAINER_OF(task, struct registering, op.task);
    char phrase[LINK_PHRASE_MAX + 1];

    ca_check_store(&r->op, "store a registration");
    if (r->outcome == ISSUANCE_DONE) {
        r->leaf = r->row.leaf;
        log_event(LOG_INFO, "registered", "%s for %s", r->row.id, r->row.nf_instance);
        wait_for_release(r);
        return;
    }
    /* Known: its leaf may wait for its checkpoint still. */
    if (r->outcome == ISSUANCE_KNOWN && r->row.state == ISSUANCE_LIVE) {
        r->leaf = r->row.leaf;
        wait_for_release(r);
        return;
    }
    (void)err_set(&r->e, is_conflict(r->outcome) ? ERR_CONFLICT : ERR_DENIED, "%s",
                  issuance_outcome_text(r->outcome));
    explain(r, phrase);
    end_refused(r, phrase);
}

static int
fill_row(struct registering *r, struct err *e)
{
    const struct registration_signed *v = r->verified;
    const struct registration *content = &v->content;
    const ASN1_INTEGER *serial = X509_get0_serialNumber(v->signer);
    struct issuance_registration *row = &r->row;

    (void)snprintf(row->id, sizeof(row->id), "%s", v->id);
    (void)snprintf(row->nf_instance, sizeof(row->nf_instance), "%s", content->nf.instance_id);
    row->proof = proof_kind_name(content->proof.kind);
    r->pins = proof_text(&content->proof);
    row->pins = r->pins;
    row->not_before = content->not_before;
    row->not_after = content->not_after;
    row->certificates = content->certificates;
    row->of_batch = v->of_batch;
    row->supersedes = content->supersedes[0] != '\0' ? content->supersedes : NULL;
    row->cms = BUF_INIT(REGISTRATION_MAX);
    row->json = BUF_INIT(REGISTRATION_JSON_MAX);
    row->registrar = BUF_INIT(32);
    r->registrar = BUF_INIT(LINK_CERTIFICATE_MAX);
    if (buf_set(&row->cms, buf_span(&v->cms), e) != 0 ||
        buf_set(&row->json, buf_span(&v->json), e) != 0 ||
        buf_set(&row->registrar,
                span_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)),
                e) != 0) {
        return -1;
    }
    return OSSL_ENCODE(X509, v->signer, &r->registrar, e);
}

static int
verify(struct registering *r, struct err *e)
{
    const struct policy *p = &r->ca->policy;
    uint8_t hash[SHA256_SIZE];

    r->verified = registration_verify(buf_span(&r->cms), p->issuing, p->root, r->now, &p->rules,
                                      registered_manifests(r->ca->registered), e);
    if (r->verified == NULL || sha256(buf_span(&r->verified->cms), hash, e) != 0) {
        return -1;
    }
    if (!span_equal(span_of(hash, sizeof(hash)), span_of(r->id, r->id_size))) {
        return err_set(e, ERR_INPUT, "the id is not the hash of the CMS in DER");
    }
    return fill_row(r, e) != 0 ? -1 : registered_know(r->ca->registered, &r->row, e);
}

static void
run_verify(struct task *task)
{
    struct registering *r = CONTAINER_OF(task, struct registering, work);

    r->result = verify(r, &r->e);
}

static void
on_verified(struct task *task)
{
    struct registering *r = CONTAINER_OF(task, struct registering, work);

    if (r->result != 0) {
        /* Our own words about the operator's own document: what is to be changed in it. */
        ca_printable(r->e.text);
        end_refused(r, r->e.code == ERR_CRYPTO ? "the signature does not verify" : r->e.text);
        return;
    }
    r->op = (struct store_op){.run = run_register, .task = {.done = on_stored}};
    store_submit(r->ca->store, &r->op);
}

void
register_submit(struct ca *ca, link_peer peer, const struct link_message *m)
{
    struct registering *r = registering_new(ca, peer, m, LINK_REGISTERED);

    r->cms = BUF_INIT(LINK_REGISTER_MAX);
    if (buf_set(&r->cms, m->body, &r->e) != 0) {
        ca_die(&r->e, "a registration"); /* the link's limit is ours */
    }
    r->work = (struct task){.run = run_verify, .done = on_verified};
    pool_submit(ca->pool, &r->work);
}
