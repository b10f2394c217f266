/* SPDX-License-Identifier: Apache-2.0 */
/* What the RA of rogue.h hands in, and what may be said to it. */
#include <string.h>

#include "tests/unit/ca/daemon/rogue_requests.h"

enum { SMALL = 4096, DAY = 24 * 60 * 60, KEY_COMPROMISE = 1 };

/* ---- certConf and rr ---- */

static void
confirm(struct rogue *r, struct rogue_frame *f, const struct rogue_nf *by,
        const struct rogue_nf *holder, struct cmp_client_state state)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(SMALL);
    struct err e = {0};

    assert_ok(cmp_client_body_certconf(holder->certificate, rogue_random(r, 2) == 0, &body, &e),
              &e);
    rogue_ask(r, f, by, holder,
              (struct scene_request){.content = buf_span(&body), .goes_on = &state});
}

static void
confirm_by_mac(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *holder = rogue_one_of(r, r->holders);

    confirm(r, f, rogue_one_of(r, r->secrets), holder, holder->nf.state);
}

static void
confirm_by_other(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *holder = rogue_one_of(r, r->holders);

    confirm(r, f, rogue_a_signed(r), holder, holder->nf.state);
}

static void
confirm_nothing(struct rogue *r, struct rogue_frame *f)
{
    struct cmp_client_state state = {.transaction_id = "0123456789abcde"};

    state.transaction_id[0] = (uint8_t)rogue_random(r, 256);
    confirm(r, f, rogue_one_of(r, r->secrets), rogue_one_of(r, r->holders), state);
}

static void
revoke(struct rogue *r, struct rogue_frame *f, struct scene_request q, const struct rogue_nf *by)
{
    const X509 *target = rogue_one_of(r, r->holders)->certificate;
    CLEANUP(buf_free) struct buf body = BUF_INIT(SMALL);
    struct err e = {0};

    while (target == q.certificate) {
        target = rogue_one_of(r, r->holders)->certificate;
    }
    assert_ok(cmp_client_body_rr(X509_get_issuer_name(target), X509_get0_serialNumber(target),
                                 KEY_COMPROMISE, &body, &e),
              &e);
    q.content = buf_span(&body);
    rogue_ask(r, f, by, by, q);
}

static void
revoke_by_mac(struct rogue *r, struct rogue_frame *f)
{
    revoke(r, f, (struct scene_request){0}, rogue_one_of(r, r->secrets));
}

static void
revoke_by_device(struct rogue *r, struct rogue_frame *f)
{
    revoke(r, f, (struct scene_request){0}, rogue_a_signed(r));
}

static void
revoke_others(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *holder = rogue_one_of(r, r->holders);

    revoke(r, f,
           (struct scene_request){.certificate = holder->certificate, .signs = holder->nf.key},
           holder);
}

/* ---- REGISTER and CANCEL ---- */

static void
hand_in(struct rogue_frame *f, enum link_type type, struct span id, struct span body)
{
    struct err e = {0};

    f->type = type;
    memcpy(f->id, id.p, id.n);
    f->id_n = id.n;
    f->body = BUF_INIT(LINK_REGISTER_MAX);
    assert_ok(buf_set(&f->body, body, &e), &e);
}

static void
enlist(struct rogue_frame *f, struct span cms)
{
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    assert_ok(sha256(cms, hash, &e), &e);
    hand_in(f, LINK_REGISTER, span_of(hash, sizeof(hash)), cms);
}

static char *
document(const char *proof)
{
    char uuid[NF_INSTANCE_ID_SIZE];
    char begin[TIME_TEXT_SIZE];
    char end[TIME_TEXT_SIZE];

    nf_uuid(uuid);
    time_format(clock_now() - 60, begin);
    time_format(clock_now() + DAY, end);
    return mem_printf("{\"version\":1,\"nfInstanceId\":\"%s\",\"nfTypes\":[\"AMF\"],"
                      "\"fqdns\":[\"" LIE_FQDN "\"],"
                      "\"homeDomain\":\"5gc.mnc012.mcc345.3gppnetwork.org\",\"country\":\"SE\","
                      "\"profiles\":[{\"name\":\"nf-tls\"}],\"notBefore\":\"%s\","
                      "\"notAfter\":\"%s\",\"certificates\":1000,\"proof\":%s}",
                      uuid, begin, end, proof);
}

static void
register_by_ra(struct rogue *r, struct rogue_frame *f)
{
    CLEANUP(mem_cleanup) char *json = document(MAC);
    CLEANUP(buf_free) struct buf cms = pki_cms(span_str(json), r->w->ra, r->w->ra_key);

    enlist(f, buf_span(&cms));
}

static void
register_altered(struct rogue *r, struct rogue_frame *f)
{
    CLEANUP(buf_free) struct buf cms = BUF_INIT(LINK_REGISTER_MAX);
    struct err e = {0};

    assert_ok(buf_set(&cms, buf_span(&rogue_one_of(r, r->secrets)->nf.cms), &e), &e);
    cms.p[rogue_random(r, (uint32_t)cms.n)] ^= (uint8_t)(1 + rogue_random(r, 255));
    enlist(f, buf_span(&cms));
}

static void
register_again(struct rogue *r, struct rogue_frame *f)
{
    enlist(f, buf_span(&rogue_one_of(r, r->secrets)->nf.cms));
}

static void
register_cancelled(struct rogue *r, struct rogue_frame *f)
{
    enlist(f, buf_span(&r->cancelled.nf.cms));
}

/* The registrar's own mistake, which an RA could have asked for. */
static void
register_same_proof(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *nf = rogue_one_of(r, r->certificates);
    CLEANUP(mem_cleanup) char *proof = scene_pins_certificate(nf->device);
    CLEANUP(mem_cleanup) char *json = document(proof);
    CLEANUP(buf_free)
    struct buf cms = pki_cms(span_str(json), r->w->registrar, r->w->registrar_key);

    enlist(f, buf_span(&cms));
}

static void
cancel(struct rogue_frame *f, const char *id, struct span cms)
{
    uint8_t octets[LINK_REGISTRATION_SIZE];
    struct err e = {0};

    assert_ok(hex_parse(id, octets, sizeof(octets), &e), &e);
    hand_in(f, LINK_CANCEL, span_of(octets, sizeof(octets)), cms);
}

static void
cancel_by_ra(struct rogue *r, struct rogue_frame *f)
{
    const char *id = rogue_one_of(r, r->keys)->nf.id;
    CLEANUP(buf_free)
    struct buf cms = world_cancellation(id, clock_now(), r->w->ra, r->w->ra_key);

    cancel(f, id, buf_span(&cms));
}

static void
cancel_elsewhere(struct rogue *r, struct rogue_frame *f)
{
    cancel(f, rogue_one_of(r, r->vendors)->nf.id, buf_span(&r->cancelled_cms));
}

/* ---- all of it ---- */

#define ISSUED                                                                                     \
    {                                                                                              \
        LINK_ISSUED, -1, NULL                                                                      \
    }
#define USED_UP                                                                                    \
    {                                                                                              \
        LINK_REFUSED, CMP_NOT_AUTHORIZED, "certificates were all issued"                           \
    }
#define REFUSED(failure, words)                                                                    \
    {                                                                                              \
        {                                                                                          \
            LINK_REFUSED, failure, words                                                           \
        }                                                                                          \
    }
#define DEFERRED(failure)                                                                          \
    {                                                                                              \
        {                                                                                          \
            LINK_DEFERRED, failure, NULL                                                           \
        }                                                                                          \
    }

const struct rogue_kind rogue_kinds[] = {
    {"signed, as it is", rogue_as_it_is, .wanted = {ISSUED, USED_UP}},
    {"signed, under a head of another chain", rogue_as_it_is, .damage = rogue_other_chain,
     .wanted = {ISSUED, USED_UP}},
    {"by a secret of the RA's", rogue_own_secret, .wanted = {ISSUED, USED_UP}},

    {"swapped: under another's registration", rogue_swapped,
     .wanted = REFUSED(CMP_SIGNER_NOT_TRUSTED, NULL)},
    {"swapped: signed, under a secret's", rogue_swapped_to_secret,
     .wanted = REFUSED(CMP_WRONG_INTEGRITY, NULL)},
    {"swapped: a MAC, under a signer's", rogue_swapped_to_signed,
     .wanted = REFUSED(CMP_WRONG_INTEGRITY, NULL)},
    {"swapped: signed, attested as a MAC", rogue_attested_mac,
     .wanted = REFUSED(CMP_WRONG_INTEGRITY, NULL)},
    {"swapped: a MAC, attested as signed", rogue_attested_signed,
     .wanted = REFUSED(CMP_WRONG_INTEGRITY, NULL)},
    {"swapped: under none", rogue_under_none, .wanted = REFUSED(CMP_NOT_AUTHORIZED, "no live")},
    {"swapped: under one that is cancelled", rogue_under_cancelled,
     .wanted = REFUSED(CMP_NOT_AUTHORIZED, "no live")},
    {"swapped: under one that is not open", rogue_not_open,
     .wanted = REFUSED(CMP_NOT_AUTHORIZED, "begins at")},
    {"swapped: another's update", rogue_others_update,
     .wanted = REFUSED(CMP_NOT_AUTHORIZED, "no live")},
    {"swapped: an update by MAC", rogue_update_by_mac,
     .wanted = REFUSED(CMP_WRONG_INTEGRITY, "kur")},
    {"swapped: for another profile", rogue_other_profile,
     .wanted = REFUSED(CMP_NOT_AUTHORIZED, "this profile")},

    {"withheld, until it was registered", rogue_withheld,
     .wanted = REFUSED(CMP_BAD_TIME, "messageTime is")},
    {"withheld, and dated back", rogue_withheld_dated_back,
     .wanted = REFUSED(CMP_BAD_TIME, "before the registration")},
    {"withheld, no messageTime, dated back", rogue_withheld_without_time,
     .wanted = REFUSED(CMP_BAD_TIME, "before the registration")},
    {"withheld for a day", rogue_kept_a_day, .wanted = REFUSED(CMP_BAD_TIME, "messageTime is")},
    {"ahead of its time", rogue_ahead, .wanted = REFUSED(CMP_BAD_TIME, "messageTime is")},
    {"received tomorrow", rogue_from_tomorrow, .wanted = DEFERRED(CMP_TIME_NOT_AVAILABLE)},

    {"widened: names, by a secret", rogue_widened,
     .wanted = REFUSED(CMP_NOT_AUTHORIZED, "subjectAltName")},
    {"widened: names, signed", rogue_widened_signed,
     .wanted = REFUSED(CMP_NOT_AUTHORIZED, "subjectAltName")},
    {"widened: another organization", rogue_other_organization,
     .wanted = REFUSED(CMP_NOT_AUTHORIZED, "the subject")},

    {"replayed: the same octets", rogue_once_more, .is_again = true},
    {"replayed: under another registration", rogue_once_more_elsewhere, .is_again = true},
    {"replayed: the transactionID", rogue_transaction_again,
     .wanted = REFUSED(CMP_TRANSACTION_ID_IN_USE, NULL)},
    {"another's key", rogue_others_key,
     .wanted = REFUSED(CMP_BAD_CERT_TEMPLATE, "certified to another")},
    {"a key that the RA vouches for", rogue_vouched_for,
     .wanted = REFUSED(CMP_NOT_AUTHORIZED, "raVerified")},
    {"no proof of possession", rogue_without_pop, .wanted = REFUSED(CMP_BAD_POP, "missing")},
    {"a proof of possession that is none", rogue_other_pop,
     .wanted = REFUSED(CMP_BAD_POP, "did not verify")},
    {"signed, and altered by an octet", rogue_altered,
     .wanted = {{LINK_REFUSED, -1, NULL}, {LINK_DEFERRED, -1, NULL}, ISSUED}},

    {"head: of another key", rogue_as_it_is, .damage = rogue_other_signer,
     .wanted = DEFERRED(CMP_BAD_MESSAGE_CHECK)},
    {"head: for another CA", rogue_as_it_is, .damage = rogue_other_ca,
     .wanted = DEFERRED(CMP_BAD_MESSAGE_CHECK)},
    {"head: over other entries", rogue_as_it_is, .damage = rogue_other_root,
     .wanted = DEFERRED(CMP_BAD_MESSAGE_CHECK)},
    {"head: another text", rogue_as_it_is, .damage = rogue_other_text,
     .wanted = DEFERRED(CMP_BAD_MESSAGE_CHECK)},
    {"head: by nobody's certificate", rogue_as_it_is, .damage = rogue_no_ra,
     .wanted = DEFERRED(CMP_SIGNER_NOT_TRUSTED)},
    {"entry: another way to the head", rogue_as_it_is, .damage = rogue_other_path,
     .wanted = DEFERRED(CMP_BAD_MESSAGE_CHECK)},
    {"entry: another place", rogue_as_it_is, .damage = rogue_other_index,
     .wanted = DEFERRED(CMP_BAD_MESSAGE_CHECK)},
    {"entry: another than was signed", rogue_as_it_is, .damage = rogue_other_entry,
     .wanted = DEFERRED(CMP_BAD_MESSAGE_CHECK)},
    {"entry: of another message", rogue_other_rid, .wanted = DEFERRED(CMP_BAD_DATA_FORMAT)},

    {"certConf: by MAC, of a signer", confirm_by_mac, .wanted = REFUSED(CMP_WRONG_INTEGRITY, NULL)},
    {"certConf: by somebody else", confirm_by_other,
     .wanted = REFUSED(CMP_BAD_MESSAGE_CHECK, NULL)},
    {"certConf: of nothing", confirm_nothing, .wanted = REFUSED(CMP_BAD_REQUEST, NULL)},
    {"rr: by MAC", revoke_by_mac, .wanted = REFUSED(CMP_WRONG_INTEGRITY, NULL)},
    {"rr: by a device", revoke_by_device, .wanted = REFUSED(CMP_NOT_AUTHORIZED, "rr is signed")},
    {"rr: for somebody else", revoke_others, .wanted = REFUSED(CMP_NOT_AUTHORIZED, NULL)},

    {"REGISTER: signed by the RA", register_by_ra, .wanted = REFUSED(CMP_NOT_AUTHORIZED, NULL)},
    {"REGISTER: altered", register_altered, .wanted = REFUSED(-1, NULL)},
    {"REGISTER: the same again", register_again, .wanted = {{LINK_REGISTERED, -1, NULL}}},
    {"REGISTER: what is cancelled", register_cancelled,
     .wanted = REFUSED(CMP_DUPLICATE_CERT_REQ, "cancelled")},
    {"REGISTER: a second of one proof", register_same_proof,
     .wanted = REFUSED(CMP_DUPLICATE_CERT_REQ, "the proof is that of the live registration")},
    {"CANCEL: signed by the RA", cancel_by_ra, .wanted = REFUSED(CMP_NOT_AUTHORIZED, NULL)},
    {"CANCEL: what was signed for another", cancel_elsewhere,
     .wanted = REFUSED(CMP_NOT_AUTHORIZED, NULL)},
};
const size_t rogue_n_kinds = ARRAY_LEN(rogue_kinds);
