/* SPDX-License-Identifier: Apache-2.0 */
/* Requests for certificates that the RA of rogue.h hands in, and the heads that it puts them under.
 */
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/ca/daemon/rogue_requests.h"

enum { SMALL = 4096, HOUR = 3600, DAY = 24 * HOUR };

uint32_t
rogue_random(struct rogue *r, uint32_t n)
{
    r->random ^= r->random << 13;
    r->random ^= r->random >> 7;
    r->random ^= r->random << 17;
    return (uint32_t)(r->random >> 32) % n;
}

/* ---- who there is ---- */

const struct rogue_nf *
rogue_one_of(struct rogue *r, const struct rogue_nf group[ROGUE_GROUP])
{
    return &group[rogue_random(r, ROGUE_GROUP)];
}

const struct rogue_nf *
rogue_a_signed(struct rogue *r)
{
    const struct rogue_nf *const groups[] = {r->certificates, r->vendors, r->keys};

    return rogue_one_of(r, groups[rogue_random(r, ARRAY_LEN(groups))]);
}

static const struct rogue_nf *
another_signed(struct rogue *r, const struct rogue_nf *than)
{
    const struct rogue_nf *other = rogue_a_signed(r);

    while (other == than) {
        other = rogue_a_signed(r);
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
void
rogue_ask(const struct rogue *r, struct rogue_frame *f, const struct rogue_nf *by,
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

void
rogue_as_it_is(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *nf = rogue_a_signed(r);

    rogue_ask(r, f, nf, nf, (struct scene_request){0});
}

void
rogue_own_secret(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *nf = rogue_one_of(r, r->secrets);

    rogue_ask(r, f, nf, nf, (struct scene_request){0});
}

/* ---- swapped ---- */

void
rogue_swapped(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *nf = rogue_a_signed(r);

    rogue_ask(r, f, nf, another_signed(r, nf), (struct scene_request){0});
}

void
rogue_swapped_to_secret(struct rogue *r, struct rogue_frame *f)
{
    rogue_ask(r, f, rogue_a_signed(r), rogue_one_of(r, r->secrets), (struct scene_request){0});
}

void
rogue_swapped_to_signed(struct rogue *r, struct rogue_frame *f)
{
    rogue_ask(r, f, rogue_one_of(r, r->secrets), rogue_a_signed(r), (struct scene_request){0});
}

void
rogue_attested_mac(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *nf = rogue_a_signed(r);

    rogue_ask(r, f, nf, nf, (struct scene_request){.lies = true});
}

void
rogue_attested_signed(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *nf = rogue_one_of(r, r->secrets);

    rogue_ask(r, f, nf, nf, (struct scene_request){.lies = true});
}

void
rogue_under_none(struct rogue *r, struct rogue_frame *f)
{
    rogue_ask(r, f, rogue_a_signed(r), NULL,
              (struct scene_request){.registration = SCENE_REGISTRATION});
}

void
rogue_under_cancelled(struct rogue *r, struct rogue_frame *f)
{
    rogue_ask(r, f, &r->cancelled, &r->cancelled, (struct scene_request){0});
}

void
rogue_not_open(struct rogue *r, struct rogue_frame *f)
{
    rogue_ask(r, f, &r->unopened, &r->unopened, (struct scene_request){0});
}

/* Another network function's certificate, renewed under this one's registration. */
void
rogue_others_update(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *holder = rogue_one_of(r, r->holders);

    rogue_ask(r, f, holder, rogue_a_signed(r),
              (struct scene_request){.body = CMP_KUR,
                                     .certificate = holder->certificate,
                                     .signs = holder->nf.key,
                                     .asked = r->stranger,
                                     .subject_of = holder->certificate});
}

void
rogue_update_by_mac(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *nf = rogue_one_of(r, r->secrets);

    rogue_ask(r, f, nf, nf, (struct scene_request){.body = CMP_KUR});
}

void
rogue_other_profile(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *nf = rogue_a_signed(r);

    rogue_ask(r, f, nf, nf, (struct scene_request){.profile = "nf-tls-client"});
}

/* ---- withheld ---- */

void
rogue_withheld(struct rogue *r, struct rogue_frame *f)
{
    rogue_ask(r, f, &r->later, &r->later, (struct scene_request){.made = r->begun - HOUR});
}

void
rogue_withheld_dated_back(struct rogue *r, struct rogue_frame *f)
{
    rogue_ask(r, f, &r->later, &r->later, (struct scene_request){.received = r->begun - HOUR});
}

void
rogue_withheld_without_time(struct rogue *r, struct rogue_frame *f)
{
    rogue_ask(r, f, &r->later, &r->later,
              (struct scene_request){.received = r->begun - HOUR, .no_time = true});
}

void
rogue_kept_a_day(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *nf = rogue_a_signed(r);

    rogue_ask(r, f, nf, nf, (struct scene_request){.made = clock_now() - DAY});
}

void
rogue_ahead(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *nf = rogue_a_signed(r);

    rogue_ask(r, f, nf, nf, (struct scene_request){.made = clock_now() + HOUR});
}

void
rogue_from_tomorrow(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *nf = rogue_a_signed(r);

    rogue_ask(r, f, nf, nf, (struct scene_request){.received = clock_now() + HOUR});
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
    rogue_ask(r, f, nf, nf, (struct scene_request){.content = buf_span(&body)});
}

static const char *
foreign_name(struct rogue *r)
{
    static const char *const names[] = {
        "DNS:evil.example", "DNS:" LIE_FQDN ",DNS:evil.example", "IP:192.0.2.1",
        "URI:urn:uuid:9c5b94b1-35ad-49bb-b118-8e8fc24abf80", "email:a@evil.example"};

    return names[rogue_random(r, ARRAY_LEN(names))];
}

void
rogue_widened(struct rogue *r, struct rogue_frame *f)
{
    widen(r, f, rogue_one_of(r, r->secrets), r->w->vendor, foreign_name(r));
}

void
rogue_widened_signed(struct rogue *r, struct rogue_frame *f)
{
    widen(r, f, rogue_a_signed(r), r->w->vendor, foreign_name(r));
}

void
rogue_other_organization(struct rogue *r, struct rogue_frame *f)
{
    widen(r, f, rogue_one_of(r, r->secrets), r->w->registrar, "DNS:" LIE_FQDN);
}

/* ---- replayed, and other keys ---- */

void
rogue_once_more(struct rogue *r, struct rogue_frame *f)
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

void
rogue_once_more_elsewhere(struct rogue *r, struct rogue_frame *f)
{
    rogue_once_more(r, f);
    (void)snprintf(f->entry.registration_id, sizeof(f->entry.registration_id), "%s",
                   rogue_a_signed(r)->nf.id);
}

void
rogue_transaction_again(struct rogue *r, struct rogue_frame *f)
{
    struct cmp_client_state state = r->busy.nf.state;

    rogue_ask(r, f, &r->busy, &r->busy,
              (struct scene_request){.asked = r->stranger, .goes_on = &state});
}

void
rogue_others_key(struct rogue *r, struct rogue_frame *f)
{
    rogue_ask(r, f, &r->busy, &r->busy,
              (struct scene_request){.asked = rogue_one_of(r, r->holders)->nf.key});
}

void
rogue_vouched_for(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *nf = rogue_one_of(r, r->secrets);

    rogue_ask(r, f, nf, nf,
              (struct scene_request){.edit = "1.0.0.1", .with = SPAN_LITERAL("\x80\x00")});
}

void
rogue_without_pop(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *nf = rogue_one_of(r, r->secrets);

    rogue_ask(r, f, nf, nf, (struct scene_request){.edit = "1.0.0.1"});
}

void
rogue_other_pop(struct rogue *r, struct rogue_frame *f)
{
    const struct rogue_nf *nf = rogue_one_of(r, r->secrets);

    rogue_ask(r, f, nf, nf,
              (struct scene_request){
                  .edit = "1.0.0.1.1",
                  .with = SPAN_LITERAL("\x03\x09\x00\x30\x06\x02\x01\x01\x02\x01\x01")});
}

/* One octet that is none of the network function's, under a head over what it is then. */
void
rogue_altered(struct rogue *r, struct rogue_frame *f)
{
    rogue_as_it_is(r, f);
    f->message.p[rogue_random(r, (uint32_t)f->message.n)] ^= (uint8_t)(1 + rogue_random(r, 255));
}

/* ---- entries and heads ---- */

void
rogue_other_rid(struct rogue *r, struct rogue_frame *f)
{
    rogue_as_it_is(r, f);
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

void
rogue_other_chain(struct rogue *r, struct submit *s)
{
    struct queue_head h = head_of(s);

    h.first = 1 + rogue_random(r, 1000);
    h.previous[0] = (uint8_t)rogue_random(r, 256);
    submit_sign(s, &h, r->w->ra_key);
}

void
rogue_other_signer(struct rogue *r, struct submit *s)
{
    const struct queue_head h = head_of(s);

    submit_sign(s, &h, r->stranger);
}

void
rogue_other_ca(struct rogue *r, struct submit *s)
{
    struct queue_head h = head_of(s);

    h.ca[rogue_random(r, sizeof(h.ca))] ^= 1;
    submit_sign(s, &h, r->w->ra_key);
}

void
rogue_other_root(struct rogue *r, struct submit *s)
{
    struct queue_head h = head_of(s);

    h.root.octets[rogue_random(r, MERKLE_HASH)] ^= 1;
    submit_sign(s, &h, r->w->ra_key);
}

void
rogue_other_text(struct rogue *r, struct submit *s)
{
    struct queue_head h = head_of(s);
    struct err e = {0};

    h.first += 1 + rogue_random(r, 9);
    assert_ok(queue_head_format(&h, &s->head, &e), &e);
}

void
rogue_other_path(struct rogue *r, struct submit *s)
{
    if (s->path.n == 0) { /* it is alone there */
        s->index = 1;
        return;
    }
    s->path.p[rogue_random(r, (uint32_t)s->path.n)] ^= 1;
}

void
rogue_other_index(struct rogue *r, struct submit *s)
{
    (void)r;
    s->index ^= 1;
}

void
rogue_other_entry(struct rogue *r, struct submit *s)
{
    struct cmp_queue_entry entry;
    struct err e = {0};

    assert_ok(cmp_queue_entry_decode(buf_span(&s->entry), &entry, &e), &e);
    (void)snprintf(entry.registration_id, sizeof(entry.registration_id), "%s", r->unopened.nf.id);
    submit_entry(s, entry);
}

void
rogue_no_ra(struct rogue *r, struct submit *s)
{
    struct err e = {0};

    s->certificate.n = 0;
    assert_ok(OSSL_ENCODE(X509, r->w->vendor, &s->certificate, &e), &e);
}
