/* SPDX-License-Identifier: Apache-2.0 */
/* Network functions, from their registration to their end. */
#include <stdio.h>
#include <string.h>

#include "ca/x509/serial.h"
#include "tests/support/history/asked.h"
#include "tests/support/history/private.h"
#include "tests/support/submit.h"
#include "tests/support/test.h"

enum { DAY = 86400, BEFORE = 300, DAYS = 45 };

/* ---- registrations ---- */

static char *
document(struct history *h, struct history_nf *nf, const char *proof, const char *supersedes)
{
    char pinned[HISTORY_HEX] = "";
    char from[TIME_TEXT_SIZE];
    char until[TIME_TEXT_SIZE];

    time_format(h->l.now, from);
    time_format(nf->until, until);
    if (strcmp(proof, "mac") != 0) {
        asked_pin(h, nf, proof, pinned);
    }
    return mem_printf(
        "{\"version\":1,\"nfInstanceId\":\"%s\",\"nfTypes\":[\"%s\"],\"fqdns\":[\"%s\"],"
        "\"homeDomain\":\"%s\",\"country\":\"SE\",\"profiles\":[{\"name\":\"nf-tls\","
        "\"maxValidityDays\":60},{\"name\":\"nf-tls-client\",\"maxValidityDays\":60}],"
        "\"notBefore\":\"%s\",\"notAfter\":\"%s\",\"certificates\":%d,"
        "\"proof\":{\"kind\":\"%s\"%s%s%s}%s%s%s}",
        nf->identity.instance_id, nf->identity.types[0], nf->identity.fqdns[0],
        nf->identity.home_domain, from, until, nf->certificates, proof,
        pinned[0] == '\0' ? "" : ",\"sha256\":\"", pinned, pinned[0] == '\0' ? "" : "\"",
        supersedes == NULL ? "" : ",\"supersedes\":\"", supersedes == NULL ? "" : supersedes,
        supersedes == NULL ? "" : "\"");
}

static void
registration(struct history *h, struct history_nf *nf, const struct history_person *registrar,
             const char *proof, const char *supersedes)
{
    CLEANUP(mem_cleanup) char *text = document(h, nf, proof, supersedes);
    CLEANUP(buf_free)
    struct buf cms = pki_cms(span_str(text), registrar->certificate, registrar->key);
    struct leaf *leaf = history_leaf(h, LEAF_REGISTRATION);
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    assert_ok(sha256(buf_span(&cms), hash, &e), &e);
    hex_format(span_of(hash, sizeof(hash) / 2), nf->registration);
    leaf_set_text(leaf, "registration", nf->registration);
    leaf_set_hex(leaf, "sha256", span_of(hash, sizeof(hash)));
    leaf_set_text(leaf, "nfInstanceId", nf->identity.instance_id);
    leaf_set_text(leaf, "registrar", registrar->serial);
    leaf_set_text(leaf, "proof", proof);
    leaf_set_int(leaf, "certificates", nf->certificates);
    leaf_set_time(leaf, "notBefore", leaf_time(leaf));
    leaf_set_time(leaf, "notAfter", nf->until);
    if (supersedes != NULL) {
        leaf_set_text(leaf, "supersedes", supersedes);
    }
    leaf_set_base64(leaf, "cms", buf_span(&cms));
    history_append(h, leaf);
}

struct history_nf *
history_register(struct history *h, const char *type, const char *name,
                 const struct history_person *registrar, const char *proof, int certificates,
                 int days)
{
    struct history_nf *nf = mem_new(sizeof(*nf));
    char lower[NF_TYPE_SIZE];

    assert_true(h->n_nfs < HISTORY_NFS);
    h->nfs[h->n_nfs++] = nf;
    *nf = (struct history_nf){.identity = pki_nf_of(type, NULL),
                              .certificates = certificates,
                              .until = h->l.now + (time_t)days * DAY};
    for (size_t i = 0; i < sizeof(lower); i++) {
        lower[i] = (char)(type[i] >= 'A' && type[i] <= 'Z' ? type[i] + ('a' - 'A') : type[i]);
        if (type[i] == '\0') {
            break;
        }
    }
    (void)snprintf(nf->identity.instance_id, sizeof(nf->identity.instance_id),
                   "%08zx-35ad-49bb-b118-8e8fc24abf80", 0x9c5b94b0 + h->n_nfs);
    (void)snprintf(nf->identity.fqdns[0], sizeof(nf->identity.fqdns[0]), "%s.%s.%s", name, lower,
                   nf->identity.home_domain);
    registration(h, nf, registrar, proof, NULL);
    return nf;
}

void
history_register_again(struct history *h, struct history_nf *nf,
                       const struct history_person *registrar, int days)
{
    char before[HISTORY_HEX];

    memcpy(before, nf->registration, sizeof(before));
    nf->until = h->l.now + (time_t)days * DAY;
    registration(h, nf, registrar, "mac", before);
}

void
history_cancel(struct history *h, const struct history_nf *nf,
               const struct history_person *registrar)
{
    CLEANUP(mem_cleanup)
    char *text =
        mem_printf("{\"version\":1,\"cancel\":{\"registrationId\":\"%s\"}}", nf->registration);
    struct leaf *leaf = history_leaf(h, LEAF_CANCEL);

    leaf_set_text(leaf, "registration", nf->registration);
    leaf_set_text(leaf, "registrar", registrar->serial);
    history_sign(registrar, text, leaf, "cms");
    history_append(h, leaf);
}

void
history_cancel_by(struct history *h, const struct history_nf *nf, const char *by,
                  const char *reason)
{
    struct leaf *leaf = history_leaf(h, LEAF_CANCEL);

    leaf_set_text(leaf, "registration", nf->registration);
    leaf_set_text(leaf, "by", by);
    leaf_set_text(leaf, "reason", reason);
    history_append(h, leaf);
}

/* ---- requests ---- */

static enum cmp_assurance
assurance_of(const struct history_nf *nf)
{
    return asked_by_signature(nf) ? CMP_ASSURANCE_SIGNATURE : CMP_ASSURANCE_MAC;
}

static const char *
assurance_text(const struct history_nf *nf)
{
    return asked_by_signature(nf) ? "signature" : "mac";
}

/* QUEUE-HEAD over this one and somebody else's, and what it says of this one. */
static struct submit
attest(struct history *h, const struct history_nf *nf, const char *profile, struct span message)
{
    const struct submit_head head = {.ra = h->ra->certificate,
                                     .key = h->ra->key,
                                     .ca = h->pki->issuing,
                                     .first = h->asked + 1,
                                     .time = h->l.now};
    struct cmp_queue_entry entries[2] = {{.assurance = assurance_of(nf), .received_at = h->l.now}};
    const struct span messages[2] = {message, span_str("of somebody else")};
    struct submit submits[2];
    struct submit_head mine = head;
    struct leaf *leaf;

    memcpy(entries[0].registration_id, nf->registration, sizeof(entries[0].registration_id));
    (void)snprintf(entries[0].profile, sizeof(entries[0].profile), "%s", profile);
    entries[1] = entries[0];
    memcpy(mine.previous, h->head, sizeof(h->head));
    submit_all(&mine, entries, messages, 2, submits);
    h->asked += 2;
    leaf = history_leaf(h, LEAF_QUEUE_HEAD);
    history_hash(leaf, "head", buf_span(&submits[0].head));
    leaf_set_base64(leaf, "text", buf_span(&submits[0].head));
    leaf_set_base64(leaf, "signature", buf_span(&submits[0].signature));
    leaf_set_text(leaf, "ra", h->ra->serial);
    {
        struct err e = {0};

        assert_ok(sha256(buf_span(&submits[0].head), h->head, &e), &e);
    }
    history_append(h, leaf);
    submit_free(&submits[1]);
    return submits[0];
}

void
history_request(struct history *h, struct history_nf *nf, const char *profile, int approvals)
{
    history_request_how(h, nf, &(struct history_how){.profile = profile, .approvals = approvals});
}

void
history_request_how(struct history *h, struct history_nf *nf, const struct history_how *how)
{
    const char *profile = how->profile == NULL ? "nf-tls" : how->profile;
    const int approvals = how->approvals;
    CLEANUP(buf_free) struct buf message = {0};
    CLEANUP(submit_free) struct submit s = {0};
    struct leaf *leaf;

    EVP_PKEY_free(nf->next_key);
    nf->next_key = how->key == NULL ? pki_key("P-256") : how->key;
    assert_true(how->key == NULL || EVP_PKEY_up_ref(how->key) == 1);
    if (how->updates != NULL || how->renews != NULL) {
        asked_as(nf, nf->certificate, nf->key);
    }
    nf->made = h->l.now - 1;
    message = asked_request(h, nf,
                            how->updates != NULL  ? CMP_KUR
                            : how->renews != NULL ? CMP_CR
                                                  : CMP_IR,
                            nf->next_key, nf->rid);
    s = attest(h, nf, profile, buf_span(&message));
    leaf = history_leaf(h, LEAF_REQUEST);
    leaf_set_text(leaf, "rid", nf->rid);
    leaf_set_text(leaf, "registration", nf->registration);
    leaf_set_text(leaf, "profile", profile);
    leaf_set_text(leaf, "assurance", assurance_text(nf));
    leaf_set_int(leaf, "qseq", (int64_t)h->asked - 1);
    if (approvals > 0) {
        leaf_set_int(leaf, "approvals", approvals);
    }
    leaf_set_hex(leaf, "head", span_of(h->head, sizeof(h->head)));
    leaf_set_base64(leaf, "entry", buf_span(&s.entry));
    leaf_set_base64(leaf, "path", buf_span(&s.path));
    leaf_set_time(leaf, "made", nf->made);
    leaf_set_text(leaf, "madeBy", "requester");
    history_append(h, leaf);
}

void
history_again(struct history *h, struct history_nf *nf)
{
    const time_t made = h->l.now - 1;
    char again[HISTORY_HEX];
    CLEANUP(buf_free) struct buf message = asked_request(h, nf, CMP_KUR, nf->key, again);
    struct submit s = attest(h, nf, "nf-tls", buf_span(&message));
    struct leaf *leaf = history_leaf(h, LEAF_AGAIN);

    submit_free(&s); /* an AGAIN names the head alone */
    leaf_set_text(leaf, "rid", nf->rid);
    leaf_set_text(leaf, "serial", nf->serial);
    leaf_set_text(leaf, "again", again);
    leaf_set_text(leaf, "registration", nf->registration);
    leaf_set_time(leaf, "messageTime", made);
    leaf_set_int(leaf, "qseq", (int64_t)h->asked - 1);
    leaf_set_hex(leaf, "head", span_of(h->head, sizeof(h->head)));
    history_append(h, leaf);
}

void
history_approve(struct history *h, const struct history_nf *nf, const struct history_person *p,
                const char *decision, const char *reason)
{
    CLEANUP(mem_cleanup)
    char *text = mem_printf("{\"version\":1,\"kind\":\"approval\",\"rid\":\"%s\","
                            "\"registration\":\"%s\",\"decision\":\"%s\"}",
                            nf->rid, nf->registration, decision);
    CLEANUP(buf_free) struct buf spki = pki_spki(p->key);
    struct leaf *leaf = history_leaf(h, LEAF_APPROVAL);

    leaf_set_text(leaf, "rid", nf->rid);
    leaf_set_text(leaf, "registration", nf->registration);
    leaf_set_text(leaf, "decision", decision);
    leaf_set_text(leaf, "officer", p->serial);
    history_hash(leaf, "key", buf_span(&spki));
    leaf_set_text(leaf, "subject", p->subject);
    if (reason != NULL) {
        leaf_set_text(leaf, "reason", reason);
    }
    leaf_set_text(leaf, "by", "uid 0 (root)");
    history_sign(p, text, leaf, "cms");
    history_append(h, leaf);
}

void
history_refuse(struct history *h, const struct history_nf *nf, int fail_info, const char *reason)
{
    struct leaf *leaf = history_leaf(h, LEAF_REFUSAL);

    leaf_set_text(leaf, "rid", nf->rid);
    leaf_set_text(leaf, "registration", nf->registration);
    leaf_set_int(leaf, "failInfo", fail_info);
    leaf_set_text(leaf, "reason", reason);
    history_append(h, leaf);
}

/* ---- certificates ---- */

static X509 *
certificate(struct history *h, const struct history_nf *nf, const struct history_how *how)
{
    CLEANUP(buf_free) struct buf spki = pki_spki(nf->key);
    struct tbs_request request = pki_request(h->pki, &nf->identity, buf_span(&spki));

    request.profile = profile_by_name(how->profile == NULL ? "nf-tls" : how->profile);
    request.not_before = h->l.now - BEFORE;
    request.not_after = h->l.now + (time_t)(how->days == 0 ? DAYS : how->days) * DAY;
    return pki_issue(&request, h->pki->issuing_key);
}

static void
set_if(struct leaf *leaf, const char *member, const char *text)
{
    if (text != NULL) {
        leaf_set_text(leaf, member, text);
    }
}

void
history_intend(struct history *h, struct history_nf *nf, struct history_how how)
{
    const int days = how.days == 0 ? DAYS : how.days;
    CLEANUP(mem_cleanup) char *updates = how.updates == NULL ? NULL : mem_strdup(how.updates);
    CLEANUP(mem_cleanup) char *renews = how.renews == NULL ? NULL : mem_strdup(how.renews);
    CLEANUP(mem_cleanup) char *instead = how.instead_of == NULL ? NULL : mem_strdup(how.instead_of);
    struct leaf *leaf;

    EVP_PKEY_free(nf->key);
    X509_free(nf->certificate);
    assert_non_null(nf->next_key);
    nf->key = nf->next_key;
    nf->next_key = NULL;
    nf->certificate =
        how.hostile ? history_hostile_certificate(h, nf->key, days) : certificate(h, nf, &how);
    hex_format(serial_of(nf->certificate), nf->serial);
    leaf = history_leaf(h, LEAF_INTENT);
    leaf_set_text(leaf, "profile", how.profile == NULL ? "nf-tls" : how.profile);
    leaf_set_text(leaf, "nfInstanceId", nf->identity.instance_id);
    leaf_set_text(leaf, "registration", nf->registration);
    leaf_set_text(leaf, "assurance", assurance_text(nf));
    if (how.approvals > 0) {
        leaf_set_int(leaf, "approvals", how.approvals);
    }
    set_if(leaf, "updates", updates);
    set_if(leaf, "renews", renews);
    set_if(leaf, "insteadOf", instead);
    history_hash(leaf, "profileFile", span_str("profiles"));
    if (updates != NULL || renews != NULL) {
        leaf_set_time(leaf, "messageTime", nf->made);
    }
    history_certificate(h, leaf, nf->rid, nf->certificate);
}

void
history_issued(struct history *h, struct history_nf *nf)
{
    history_certificate_issued(h, nf->rid, nf->certificate);
}

static struct leaf *
about(struct history *h, enum leaf_kind kind, const struct history_nf *nf)
{
    struct leaf *leaf = history_leaf(h, kind);

    leaf_set_text(leaf, "rid", nf->rid);
    leaf_set_text(leaf, "serial", nf->serial);
    return leaf;
}

void
history_confirm(struct history *h, struct history_nf *nf)
{
    struct leaf *leaf = about(h, LEAF_CONFIRMED, nf);
    char hash[HISTORY_HEX];

    asked_certconf(h, nf, true, hash);
    leaf_set_text(leaf, "certConf", hash);
    history_append(h, leaf);
}

void
history_reject(struct history *h, struct history_nf *nf, const char *reason, bool by_nf)
{
    char hash[HISTORY_HEX];
    struct leaf *leaf = about(h, LEAF_REJECTED, nf);

    leaf_set_text(leaf, "reason", reason);
    if (by_nf) {
        asked_certconf(h, nf, false, hash);
        leaf_set_text(leaf, "certConf", hash);
        leaf_set_text(leaf, "registration", nf->registration);
    }
    history_append(h, leaf);
}

static void
revoke(struct history *h, const char *serial, int reason, const char *by, const char *superseded_by,
       const char *rr)
{
    struct leaf *leaf = history_leaf(h, LEAF_REVOKED);
    struct crl_entry *entry = &h->revoked[h->n_revoked++];
    struct err e = {0};

    assert_true(h->n_revoked < HISTORY_REVOKED);
    *entry = (struct crl_entry){.serial_size = SERIAL_SIZE,
                                .revoked_at = leaf_time(leaf) - 60,
                                .reason = (enum crl_reason)reason};
    assert_ok(hex_parse(serial, entry->serial, SERIAL_SIZE, &e), &e);
    leaf_set_text(leaf, "serial", serial);
    leaf_set_int(leaf, "reason", reason);
    leaf_set_time(leaf, "revocationDate", entry->revoked_at);
    set_if(leaf, "by", by);
    set_if(leaf, "supersededBy", superseded_by);
    set_if(leaf, "rr", rr);
    history_append(h, leaf);
}

void
history_revoke(struct history *h, const char *serial, int reason, const char *by,
               const char *superseded_by)
{
    revoke(h, serial, reason, by, superseded_by, NULL);
}

void
history_give_back(struct history *h, struct history_nf *nf, X509 *certificate, EVP_PKEY *key,
                  int reason)
{
    char serial[HISTORY_HEX];
    char hash[HISTORY_HEX];

    hex_format(serial_of(certificate), serial);
    asked_as(nf, certificate, key);
    asked_rr(h, nf, certificate, reason, hash);
    revoke(h, serial, reason, NULL, NULL, hash);
}

void
history_enrol(struct history *h, struct history_nf *nf, struct history_how how)
{
    history_request_how(h, nf, &how);
    history_intend(h, nf, how);
    history_issued(h, nf);
    history_confirm(h, nf);
}

void
history_update(struct history *h, struct history_nf *nf)
{
    char before[HISTORY_HEX];

    memcpy(before, nf->serial, sizeof(before));
    history_enrol(h, nf, (struct history_how){.updates = before});
    history_revoke(h, before, 4, NULL, nf->serial);
}
