/* SPDX-License-Identifier: Apache-2.0 */
/* What the RA of rogue.h hands in, and what may be said to it. */
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "ca/cmp/message/phrase.h"
#include "tests/support/der_edit.h"
#include "tests/unit/ca/daemon/rogue.h"

enum { SMALL = 4096, HOUR = 3600, DAY = 24 * HOUR, KEY_COMPROMISE = 1 };

uint32_t
rogue_random(struct rogue *r, uint32_t n)
{
    r->random ^= r->random << 13;
    r->random ^= r->random >> 7;
    r->random ^= r->random << 17;
    return (uint32_t)(r->random >> 32) % n;
}

/* ---- who there is ---- */

static const struct rogue_nf *
one_of(struct rogue *r, const struct rogue_nf group[ROGUE_GROUP])
{
    return &group[rogue_random(r, ROGUE_GROUP)];
}

static const struct rogue_nf *
a_signed(struct rogue *r)
{
    const struct rogue_nf *const groups[] = {r->certificates, r->vendors, r->keys};

    return one_of(r, groups[rogue_random(r, ARRAY_LEN(groups))]);
}

static const struct rogue_nf *
another_signed(struct rogue *r, const struct rogue_nf *than)
{
    const struct rogue_nf *other = a_signed(r);

    while (other == than) {
        other = a_signed(r);
    }
    return other;
}

/* ---- what they send ---- */

static struct scene
view(const struct rogue *r, const struct rogue_nf *by)
{
    return (struct scene){
        .key = by->nf.key,
        .algorithm = {.p = by->nf.algorithm.p, .n = by->nf.algorithm.n},
        .held = r->w->vendor,
        .policy = {.name = X509_get_subject_name(r->w->issuing), .issuing = r->w->issuing}};
}

/* A request as `by` proves itself, that the RA puts under the registration of `under`. */
static void
ask(const struct rogue *r, struct rogue_frame *f, const struct rogue_nf *by,
    const struct rogue_nf *under, struct scene_request q)
{
    const struct scene s = view(r, by);

    if (q.certificate == NULL && by->device != NULL) {
        q.certificate = by->device;
        q.signs = by->nf.key;
    }
    if (q.received == 0) {
        q.received = clock_now();
    }
    f->type = LINK_SUBMIT;
    f->message = scene_message(&s, &q);
    f->entry = (struct cmp_queue_entry){.assurance = (q.certificate != NULL) != q.lies
                                                         ? CMP_ASSURANCE_SIGNATURE
                                                         : CMP_ASSURANCE_MAC,
                                        .received_at = q.received};
    (void)snprintf(f->entry.registration_id, sizeof(f->entry.registration_id), "%s",
                   q.registration != NULL ? q.registration : under->nf.id);
    (void)snprintf(f->entry.profile, sizeof(f->entry.profile), "%s",
                   q.profile != NULL ? q.profile : "nf-tls");
}

static void
as_it_is(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *nf = a_signed(r);

    ask(r, f, nf, nf, (struct scene_request){0});
}

static void
own_secret(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *nf = one_of(r, r->secrets);

    ask(r, f, nf, nf, (struct scene_request){0});
}

/* ---- swapped ---- */

static void
swapped(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *nf = a_signed(r);

    ask(r, f, nf, another_signed(r, nf), (struct scene_request){0});
}

static void
swapped_to_secret(struct rogue *r, struct rogue_frame *f)
{
    ask(r, f, a_signed(r), one_of(r, r->secrets), (struct scene_request){0});
}

static void
swapped_to_signed(struct rogue *r, struct rogue_frame *f)
{
    ask(r, f, one_of(r, r->secrets), a_signed(r), (struct scene_request){0});
}

static void
attested_mac(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *nf = a_signed(r);

    ask(r, f, nf, nf, (struct scene_request){.lies = true});
}

static void
attested_signed(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *nf = one_of(r, r->secrets);

    ask(r, f, nf, nf, (struct scene_request){.lies = true});
}

static void
under_none(struct rogue *r, struct rogue_frame *f)
{
    ask(r, f, a_signed(r), NULL, (struct scene_request){.registration = SCENE_REGISTRATION});
}

static void
under_cancelled(struct rogue *r, struct rogue_frame *f)
{
    ask(r, f, &r->cancelled, &r->cancelled, (struct scene_request){0});
}

static void
not_open(struct rogue *r, struct rogue_frame *f)
{
    ask(r, f, &r->unopened, &r->unopened, (struct scene_request){0});
}

/* Another network function's certificate, renewed under this one's registration. */
static void
others_update(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *holder = one_of(r, r->holders);

    ask(r, f, holder, a_signed(r),
        (struct scene_request){.body = CMP_KUR,
                               .certificate = holder->certificate,
                               .signs = holder->nf.key,
                               .asked = r->stranger,
                               .subject_of = holder->certificate});
}

static void
update_by_mac(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *nf = one_of(r, r->secrets);

    ask(r, f, nf, nf, (struct scene_request){.body = CMP_KUR});
}

static void
other_profile(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *nf = a_signed(r);

    ask(r, f, nf, nf, (struct scene_request){.profile = "nf-tls-client"});
}

/* ---- withheld ---- */

static void
withheld(struct rogue *r, struct rogue_frame *f)
{
    ask(r, f, &r->later, &r->later, (struct scene_request){.made = r->begun - HOUR});
}

static void
withheld_dated_back(struct rogue *r, struct rogue_frame *f)
{
    ask(r, f, &r->later, &r->later, (struct scene_request){.received = r->begun - HOUR});
}

static void
withheld_without_time(struct rogue *r, struct rogue_frame *f)
{
    ask(r, f, &r->later, &r->later,
        (struct scene_request){.received = r->begun - HOUR, .no_time = true});
}

static void
kept_a_day(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *nf = a_signed(r);

    ask(r, f, nf, nf, (struct scene_request){.made = clock_now() - DAY});
}

static void
ahead(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *nf = a_signed(r);

    ask(r, f, nf, nf, (struct scene_request){.made = clock_now() + HOUR});
}

static void
from_tomorrow(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *nf = a_signed(r);

    ask(r, f, nf, nf, (struct scene_request){.received = clock_now() + HOUR});
}

/* ---- widened ---- */

static void
widen(struct rogue *r, struct rogue_frame *f, const struct rogue_nf *nf, const X509 *subject_of,
      const char *alt_names)
{
    CLEANUP(x509_extension_cleanup)
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alt_names);
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    const struct cmp_client_wish wish = {.subject = X509_get_subject_name(subject_of),
                                         .extensions = extensions};
    CLEANUP(buf_free) struct buf body = BUF_INIT(SMALL);
    struct err e = {0};

    assert_true(sk_X509_EXTENSION_push(extensions, extension) > 0);
    assert_ok(cmp_client_body_wish(CMP_IR, nf->nf.key, &wish, &body, &e), &e);
    sk_X509_EXTENSION_free(extensions);
    ask(r, f, nf, nf, (struct scene_request){.content = buf_span(&body)});
}

static const char *
foreign_name(struct rogue *r)
{
    static const char *const names[] = {
        "DNS:evil.example", "DNS:" LIE_FQDN ",DNS:evil.example", "IP:192.0.2.1",
        "URI:urn:uuid:9c5b94b1-35ad-49bb-b118-8e8fc24abf80", "email:a@evil.example"};

    return names[rogue_random(r, ARRAY_LEN(names))];
}

static void
widened(struct rogue *r, struct rogue_frame *f)
{
    widen(r, f, one_of(r, r->secrets), r->w->vendor, foreign_name(r));
}

static void
widened_signed(struct rogue *r, struct rogue_frame *f)
{
    widen(r, f, a_signed(r), r->w->vendor, foreign_name(r));
}

static void
other_organization(struct rogue *r, struct rogue_frame *f)
{
    widen(r, f, one_of(r, r->secrets), r->w->registrar, "DNS:" LIE_FQDN);
}

/* ---- replayed, and other keys ---- */

static void
once_more(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_kept *k = &r->kept[r->next_again++ % r->n_kept];
    struct err e = {0};

    f->type = LINK_SUBMIT;
    f->message = BUF_INIT(CMP_MESSAGE_MAX);
    assert_ok(buf_set(&f->message, buf_span(&k->message), &e), &e);
    f->entry = k->entry;
    f->entry.received_at = clock_now();
    f->again = k;
}

static void
once_more_elsewhere(struct rogue *r, struct rogue_frame *f)
{
    once_more(r, f);
    (void)snprintf(f->entry.registration_id, sizeof(f->entry.registration_id), "%s",
                   a_signed(r)->nf.id);
}

static void
transaction_again(struct rogue *r, struct rogue_frame *f)
{
    struct cmp_client_state state = r->busy.nf.state;

    ask(r, f, &r->busy, &r->busy, (struct scene_request){.asked = r->stranger, .goes_on = &state});
}

static void
others_key(struct rogue *r, struct rogue_frame *f)
{
    ask(r, f, &r->busy, &r->busy, (struct scene_request){.asked = one_of(r, r->holders)->nf.key});
}

static void
vouched_for(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *nf = one_of(r, r->secrets);

    ask(r, f, nf, nf, (struct scene_request){.edit = "1.0.0.1", .with = SPAN_LITERAL("\x80\x00")});
}

static void
without_pop(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *nf = one_of(r, r->secrets);

    ask(r, f, nf, nf, (struct scene_request){.edit = "1.0.0.1"});
}

static void
other_pop(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *nf = one_of(r, r->secrets);

    ask(r, f, nf, nf,
        (struct scene_request){.edit = "1.0.0.1.1",
                               .with =
                                   SPAN_LITERAL("\x03\x09\x00\x30\x06\x02\x01\x01\x02\x01\x01")});
}

/* One octet that is none of the network function's, under a head over what it is then. */
static void
altered(struct rogue *r, struct rogue_frame *f)
{
    as_it_is(r, f);
    f->message.p[rogue_random(r, (uint32_t)f->message.n)] ^= (uint8_t)(1 + rogue_random(r, 255));
}

/* ---- entries and heads ---- */

static void
other_rid(struct rogue *r, struct rogue_frame *f)
{
    as_it_is(r, f);
    f->other_rid = true;
}

static struct queue_head
head_of(const struct submit *s)
{
    struct queue_head h;
    struct err e = {0};

    assert_ok(queue_head_parse(buf_span(&s->head), &h, &e), &e);
    return h;
}

static void
other_chain(struct rogue *r, struct submit *s)
{
    struct queue_head h = head_of(s);

    h.first = 1 + rogue_random(r, 1000);
    h.previous[0] = (uint8_t)rogue_random(r, 256);
    submit_sign(s, &h, r->w->ra_key);
}

static void
other_signer(struct rogue *r, struct submit *s)
{
    const struct queue_head h = head_of(s);

    submit_sign(s, &h, r->stranger);
}

static void
other_ca(struct rogue *r, struct submit *s)
{
    struct queue_head h = head_of(s);

    h.ca[rogue_random(r, sizeof(h.ca))] ^= 1;
    submit_sign(s, &h, r->w->ra_key);
}

static void
other_root(struct rogue *r, struct submit *s)
{
    struct queue_head h = head_of(s);

    h.root.octets[rogue_random(r, MERKLE_HASH)] ^= 1;
    submit_sign(s, &h, r->w->ra_key);
}

static void
other_text(struct rogue *r, struct submit *s)
{
    struct queue_head h = head_of(s);
    struct err e = {0};

    h.first += 1 + rogue_random(r, 9);
    assert_ok(queue_head_format(&h, &s->head, &e), &e);
}

static void
other_path(struct rogue *r, struct submit *s)
{
    if (s->path.n == 0) { /* it is alone there */
        s->index = 1;
        return;
    }
    s->path.p[rogue_random(r, (uint32_t)s->path.n)] ^= 1;
}

static void
other_index(struct rogue *r, struct submit *s)
{
    (void)r;
    s->index ^= 1;
}

static void
other_entry(struct rogue *r, struct submit *s)
{
    struct cmp_queue_entry entry;
    struct err e = {0};

    assert_ok(cmp_queue_entry_decode(buf_span(&s->entry), &entry, &e), &e);
    (void)snprintf(entry.registration_id, sizeof(entry.registration_id), "%s", r->unopened.nf.id);
    submit_entry(s, entry);
}

static void
no_ra(struct rogue *r, struct submit *s)
{
    struct err e = {0};

    s->certificate.n = 0;
    assert_ok(OSSL_ENCODE(X509, r->w->vendor, &s->certificate, &e), &e);
}

/* ---- certConf and rr ---- */

static void
confirm(struct rogue *r, struct rogue_frame *f, const struct rogue_nf *by,
        const struct rogue_nf *holder, struct cmp_client_state state)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(SMALL);
    struct err e = {0};

    assert_ok(cmp_client_body_certconf(holder->certificate, rogue_random(r, 2) == 0, &body, &e),
              &e);
    ask(r, f, by, holder, (struct scene_request){.content = buf_span(&body), .goes_on = &state});
}

static void
confirm_by_mac(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *holder = one_of(r, r->holders);

    confirm(r, f, one_of(r, r->secrets), holder, holder->nf.state);
}

static void
confirm_by_other(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *holder = one_of(r, r->holders);

    confirm(r, f, a_signed(r), holder, holder->nf.state);
}

static void
confirm_nothing(struct rogue *r, struct rogue_frame *f)
{
    struct cmp_client_state state = {.transaction_id = "0123456789abcde"};

    state.transaction_id[0] = (uint8_t)rogue_random(r, 256);
    confirm(r, f, one_of(r, r->secrets), one_of(r, r->holders), state);
}

static void
revoke(struct rogue *r, struct rogue_frame *f, struct scene_request q, const struct rogue_nf *by)
{
    const X509 *target = one_of(r, r->holders)->certificate;
    CLEANUP(buf_free) struct buf body = BUF_INIT(SMALL);
    struct err e = {0};

    while (target == q.certificate) {
        target = one_of(r, r->holders)->certificate;
    }
    assert_ok(cmp_client_body_rr(X509_get_issuer_name(target), X509_get0_serialNumber(target),
                                 KEY_COMPROMISE, &body, &e),
              &e);
    q.content = buf_span(&body);
    ask(r, f, by, by, q);
}

static void
revoke_by_mac(struct rogue *r, struct rogue_frame *f)
{
    revoke(r, f, (struct scene_request){0}, one_of(r, r->secrets));
}

static void
revoke_by_device(struct rogue *r, struct rogue_frame *f)
{
    revoke(r, f, (struct scene_request){0}, a_signed(r));
}

static void
revoke_others(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *holder = one_of(r, r->holders);

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

    assert_ok(buf_set(&cms, buf_span(&one_of(r, r->secrets)->nf.cms), &e), &e);
    cms.p[rogue_random(r, (uint32_t)cms.n)] ^= (uint8_t)(1 + rogue_random(r, 255));
    enlist(f, buf_span(&cms));
}

static void
register_again(struct rogue *r, struct rogue_frame *f)
{
    enlist(f, buf_span(&one_of(r, r->secrets)->nf.cms));
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
    const struct rogue_nf *nf = one_of(r, r->certificates);
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
    const char *id = one_of(r, r->keys)->nf.id;
    CLEANUP(buf_free)
    struct buf cms = world_cancellation(id, clock_now(), r->w->ra, r->w->ra_key);

    cancel(f, id, buf_span(&cms));
}

static void
cancel_elsewhere(struct rogue *r, struct rogue_frame *f)
{
    cancel(f, one_of(r, r->vendors)->nf.id, buf_span(&r->cancelled_cms));
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
    {"signed, as it is", as_it_is, .wanted = {ISSUED, USED_UP}},
    {"signed, under a head of another chain", as_it_is, .damage = other_chain,
     .wanted = {ISSUED, USED_UP}},
    {"by a secret of the RA's", own_secret, .wanted = {ISSUED, USED_UP}},

    {"swapped: under another's registration", swapped,
     .wanted = REFUSED(CMP_SIGNER_NOT_TRUSTED, NULL)},
    {"swapped: signed, under a secret's", swapped_to_secret,
     .wanted = REFUSED(CMP_WRONG_INTEGRITY, NULL)},
    {"swapped: a MAC, under a signer's", swapped_to_signed,
     .wanted = REFUSED(CMP_WRONG_INTEGRITY, NULL)},
    {"swapped: signed, attested as a MAC", attested_mac,
     .wanted = REFUSED(CMP_WRONG_INTEGRITY, NULL)},
    {"swapped: a MAC, attested as signed", attested_signed,
     .wanted = REFUSED(CMP_WRONG_INTEGRITY, NULL)},
    {"swapped: under none", under_none, .wanted = REFUSED(CMP_NOT_AUTHORIZED, "no live")},
    {"swapped: under one that is cancelled", under_cancelled,
     .wanted = REFUSED(CMP_NOT_AUTHORIZED, "no live")},
    {"swapped: under one that is not open", not_open,
     .wanted = REFUSED(CMP_NOT_AUTHORIZED, "begins at")},
    {"swapped: another's update", others_update, .wanted = REFUSED(CMP_NOT_AUTHORIZED, "no live")},
    {"swapped: an update by MAC", update_by_mac, .wanted = REFUSED(CMP_WRONG_INTEGRITY, "kur")},
    {"swapped: for another profile", other_profile,
     .wanted = REFUSED(CMP_NOT_AUTHORIZED, "this profile")},

    {"withheld, until it was registered", withheld,
     .wanted = REFUSED(CMP_BAD_TIME, "messageTime is")},
    {"withheld, and dated back", withheld_dated_back,
     .wanted = REFUSED(CMP_BAD_TIME, "before the registration")},
    {"withheld, no messageTime, dated back", withheld_without_time,
     .wanted = REFUSED(CMP_BAD_TIME, "before the registration")},
    {"withheld for a day", kept_a_day, .wanted = REFUSED(CMP_BAD_TIME, "messageTime is")},
    {"ahead of its time", ahead, .wanted = REFUSED(CMP_BAD_TIME, "messageTime is")},
    {"received tomorrow", from_tomorrow, .wanted = DEFERRED(CMP_TIME_NOT_AVAILABLE)},

    {"widened: names, by a secret", widened,
     .wanted = REFUSED(CMP_NOT_AUTHORIZED, "subjectAltName")},
    {"widened: names, signed", widened_signed,
     .wanted = REFUSED(CMP_NOT_AUTHORIZED, "subjectAltName")},
    {"widened: another organization", other_organization,
     .wanted = REFUSED(CMP_NOT_AUTHORIZED, "the subject")},

    {"replayed: the same octets", once_more, .is_again = true},
    {"replayed: under another registration", once_more_elsewhere, .is_again = true},
    {"replayed: the transactionID", transaction_again,
     .wanted = REFUSED(CMP_TRANSACTION_ID_IN_USE, NULL)},
    {"another's key", others_key, .wanted = REFUSED(CMP_BAD_CERT_TEMPLATE, "certified to another")},
    {"a key that the RA vouches for", vouched_for,
     .wanted = REFUSED(CMP_NOT_AUTHORIZED, "raVerified")},
    {"no proof of possession", without_pop, .wanted = REFUSED(CMP_BAD_POP, "missing")},
    {"a proof of possession that is none", other_pop,
     .wanted = REFUSED(CMP_BAD_POP, "did not verify")},
    {"signed, and altered by an octet", altered,
     .wanted = {{LINK_REFUSED, -1, NULL}, {LINK_DEFERRED, -1, NULL}, ISSUED}},

    {"head: of another key", as_it_is, .damage = other_signer,
     .wanted = DEFERRED(CMP_BAD_MESSAGE_CHECK)},
    {"head: for another CA", as_it_is, .damage = other_ca,
     .wanted = DEFERRED(CMP_BAD_MESSAGE_CHECK)},
    {"head: over other entries", as_it_is, .damage = other_root,
     .wanted = DEFERRED(CMP_BAD_MESSAGE_CHECK)},
    {"head: another text", as_it_is, .damage = other_text,
     .wanted = DEFERRED(CMP_BAD_MESSAGE_CHECK)},
    {"head: by nobody's certificate", as_it_is, .damage = no_ra,
     .wanted = DEFERRED(CMP_SIGNER_NOT_TRUSTED)},
    {"entry: another way to the head", as_it_is, .damage = other_path,
     .wanted = DEFERRED(CMP_BAD_MESSAGE_CHECK)},
    {"entry: another place", as_it_is, .damage = other_index,
     .wanted = DEFERRED(CMP_BAD_MESSAGE_CHECK)},
    {"entry: another than was signed", as_it_is, .damage = other_entry,
     .wanted = DEFERRED(CMP_BAD_MESSAGE_CHECK)},
    {"entry: of another message", other_rid, .wanted = DEFERRED(CMP_BAD_DATA_FORMAT)},

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
