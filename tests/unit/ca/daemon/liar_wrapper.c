/* SPDX-License-Identifier: Apache-2.0 */
/* The RA's own fault: nothing is decided, and nothing is in the record. */
#include <string.h>
#include <unistd.h>

#include "ca/link/admin.h"
#include "ca/x509/serial.h"
#include "tests/unit/ca/daemon/officer.h"

enum { HOUR = 3600 };

/* ---- what is not so ---- */

static void
twist_index(const struct lie *l, struct submit *s)
{
    (void)l;
    s->index++;
}

/* The other entries of the batch have the same octets as one another: this is the way of one. */
static void
twist_path(const struct lie *l, struct submit *s)
{
    const struct merkle_hash own = merkle_leaf(buf_span(&s->entry));

    (void)l;
    memcpy(s->path.p, own.octets, MERKLE_HASH);
}

/* Says more than was committed. */
static void
twist_entry(const struct lie *l, struct submit *s)
{
    struct cmp_queue_entry entry;
    struct err e = {0};

    assert_ok(cmp_queue_entry_decode(buf_span(&s->entry), &entry, &e), &e);
    if (l->other->registration_id[0] != '\0') {
        memcpy(entry.registration_id, l->other->registration_id, sizeof(entry.registration_id));
    }
    if (l->other->profile[0] != '\0') {
        memcpy(entry.profile, l->other->profile, sizeof(entry.profile));
    }
    if (l->other->assurance != CMP_ASSURANCE_MAC) {
        entry.assurance = l->other->assurance;
    }
    entry.received_at += l->other->received_at;
    entry.rid[0] = (uint8_t)(entry.rid[0] ^ l->other->rid[0]);
    submit_entry(s, entry);
}

/* The head's text, but for one thing, under the signature of the true one. */
static void
twist_text(const struct lie *l, struct submit *s)
{
    struct queue_head h;
    struct err e = {0};

    assert_ok(queue_head_parse(buf_span(&s->head), &h, &e), &e);
    h.first += l->head.first;
    h.size += l->head.size;
    h.time += l->head.time;
    h.previous[0] = (uint8_t)(h.previous[0] ^ l->head.previous[0]);
    h.root.octets[0] = (uint8_t)(h.root.octets[0] ^ l->head.root.octets[0]);
    assert_ok(queue_head_format(&h, &s->head, &e), &e);
}

/* It is of the RA, says the text; but another key has signed it. */
static void
twist_signer(const struct lie *l, struct submit *s)
{
    struct queue_head h;
    struct err e = {0};

    assert_ok(queue_head_parse(buf_span(&s->head), &h, &e), &e);
    submit_sign(s, &h, l->of->key);
}

/* Of another head of the same RA. */
static void
twist_signature(const struct lie *l, struct submit *s)
{
    struct err e = {0};

    assert_ok(buf_set(&s->signature, l->by, &e), &e);
}

/* Not as it must be written, and signed so. */
static void
twist_form(const struct lie *l, struct submit *s)
{
    struct err e = {0};

    assert_ok(buf_append_str(&s->head, "and more\n", &e), &e);
    buf_free(&s->signature);
    s->signature = pki_sign(l->ra_key, buf_span(&s->head));
}

/* The certificate of another RA that is good, too. */
static void
twist_certificate(const struct lie *l, struct submit *s)
{
    struct err e = {0};

    assert_ok(buf_set(&s->certificate, l->by, &e), &e);
}

static void
found_out(struct world *w, struct lie *lies, size_t n)
{
    CLEANUP(nf_free) struct nf of = lie_nf(w, &(struct lie_terms){0});

    for (size_t i = 0; i < n; i++) {
        lies[i].of = &of;
    }
    lies_are_found_out(w, lies, n);
    X509_free(lie_is_granted(w, &(struct lie){.name = "and it is heard", .of = &of}));
}

void
an_ra_that_is_none_decides_nothing(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf holder = lie_nf(w, &(struct lie_terms){0});
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *revoked = world_officer(w, "ra-cmp", "RA 2", key);
    CLEANUP(x509_cleanup) X509 *forged = pki_issue_officer(w->pki, "ra-cmp", key);
    CLEANUP(x509_cleanup)
    X509 *certificate = lie_is_granted(w, &(struct lie){.name = "holder", .of = &holder});
    struct lie lies[] = {
        {.name = "a revoked RA",
         .ra = revoked,
         .ra_key = key,
         .failure = CMP_SIGNER_NOT_TRUSTED,
         .words = "the RA's certificate is revoked, or no RA's"},
        {.name = "a registrar",
         .ra = w->registrar,
         .ra_key = w->registrar_key,
         .failure = CMP_SIGNER_NOT_TRUSTED,
         .words = "the RA's certificate is revoked, or no RA's"},
        {.name = "a network function",
         .ra = certificate,
         .ra_key = holder.key,
         .failure = CMP_SIGNER_NOT_TRUSTED,
         .words = "the RA's certificate is revoked, or no RA's"},
        {.name = "an RA of a CA with the same name, long ago",
         .ra = forged,
         .ra_key = key,
         .failure = CMP_SIGNER_NOT_TRUSTED,
         .words = "the RA's certificate ended at "},
        {.name = "a vendor",
         .ra = w->vendor,
         .ra_key = w->vendor_key,
         .failure = CMP_SIGNER_NOT_TRUSTED,
         .words = "the RA's certificate is of another CA"},
        {.name = "with another key than its certificate's",
         .ra_key = key,
         .failure = CMP_BAD_MESSAGE_CHECK,
         .words = "queue entry: signature of the RA"},
        {.name = "another rid",
         .other_rid = true,
         .failure = CMP_BAD_DATA_FORMAT,
         .words = "the rid is not the hash of the message"},
        {.name = "received tomorrow",
         .request = {.received = clock_now() + HOUR},
         .failure = CMP_TIME_NOT_AVAILABLE,
         .words = "the clocks of RA and CA differ"},
    };

    world_revoke(w, revoked, "superseded");
    found_out(w, lies, ARRAY_LEN(lies));
}

#define UNDER "queue entry: not under the head that the RA signed"
#define SIGNATURE "queue entry: signature of the RA: signature does not verify"

void
an_entry_that_the_ra_did_not_sign_decides_nothing(void **state)
{
    struct world *w = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *second = world_officer(w, "ra-cmp", "RA 4", key);
    CLEANUP(buf_free) struct buf second_der = BUF_INIT(CMP_RA_CERTIFICATE_MAX);
    CLEANUP(submit_free)
    struct submit another = submit_one(
        &(struct submit_head){
            .ra = w->ra, .key = w->ra_key, .ca = w->issuing, .first = 1, .time = clock_now()},
        (struct cmp_queue_entry){.registration_id = SCENE_REGISTRATION, .profile = "nf-tls"},
        SPAN_LITERAL("another message"), 0, 1);
    const struct cmp_queue_entry widened[] = {
        {.assurance = CMP_ASSURANCE_SIGNATURE},
        {.profile = "nf-tls-server"},
        {.registration_id = SCENE_REGISTRATION},
        {.received_at = -1},
        {.rid = {1}},
    };
    struct lie lies[] = {
        {.name = "index off by one", .twist = twist_index, .words = UNDER},
        {.name = "path of another entry", .twist = twist_path, .words = UNDER},
        {.name = "another assurance", .twist = twist_entry, .other = &widened[0], .words = UNDER},
        {.name = "another profile", .twist = twist_entry, .other = &widened[1], .words = UNDER},
        {.name = "another registration",
         .twist = twist_entry,
         .other = &widened[2],
         .words = UNDER},
        {.name = "received before", .twist = twist_entry, .other = &widened[3], .words = UNDER},
        {.name = "of another message",
         .twist = twist_entry,
         .other = &widened[4],
         .failure = CMP_BAD_DATA_FORMAT,
         .words = "queue entry: the entry's rid is not the hash of the message"},
        {.name = "another first", .twist = twist_text, .head = {.first = 1}, .words = SIGNATURE},
        {.name = "another time", .twist = twist_text, .head = {.time = 1}, .words = SIGNATURE},
        {.name = "another previous",
         .twist = twist_text,
         .head = {.previous = {1}},
         .words = SIGNATURE},
        {.name = "another size", .twist = twist_text, .head = {.size = 1}, .words = SIGNATURE},
        {.name = "a size without it",
         .twist = twist_text,
         .head = {.size = (uint64_t)-2},
         .words = UNDER},
        {.name = "another root", .twist = twist_text, .head = {.root = {{1}}}, .words = UNDER},
        {.name = "signed by a network function", .twist = twist_signer, .words = SIGNATURE},
        {.name = "the signature of another head",
         .twist = twist_signature,
         .by = buf_span(&another.signature),
         .words = SIGNATURE},
        {.name = "another RA's certificate",
         .twist = twist_certificate,
         .by = buf_span(&second_der),
         .words = "queue entry: the head names another key than that of the RA's certificate"},
        {.name = "for another CA",
         .ca = w->pki->root,
         .words = "queue entry: meant for another CA"},
        {.name = "a text that is not as it must be",
         .twist = twist_form,
         .ra_key = w->ra_key,
         .failure = CMP_BAD_DATA_FORMAT,
         .words = "queue head: not written as it must be"},
        {.name = "no signature",
         .damaged = "6",
         .by = SPAN_LITERAL("\x04\x00"),
         .failure = CMP_BAD_DATA_FORMAT,
         .words = "queue entry: submission: signature of 0 octets"},
        {.name = "no head",
         .damaged = "5",
         .failure = CMP_BAD_DATA_FORMAT,
         .words = "queue entry: submission: "},
        {.name = "version 1",
         .damaged = "0",
         .by = SPAN_LITERAL("\x02\x01\x01"),
         .failure = CMP_BAD_DATA_FORMAT,
         .words = "queue entry: submission: version is not 2"},
        {.name = "no message",
         .damaged = "1",
         .by = SPAN_LITERAL("\x04\x02\x30\x00"),
         .failure = CMP_BAD_DATA_FORMAT,
         .words = "queue entry: the entry's rid is not the hash of the message"},
    };
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, second, &second_der, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        if (lies[i].twist == twist_certificate) {
            lies[i].by = buf_span(&second_der);
        }
        if (lies[i].failure == 0) {
            lies[i].failure = CMP_BAD_MESSAGE_CHECK;
        }
    }
    found_out(w, lies, ARRAY_LEN(lies));
}

/* Two network functions under one head, which is verified once. */
void
all_entries_of_one_head_are_heard(void **state)
{
    enum { N = 2 };
    struct world *w = *state;
    const struct submit_head head = {.ra = w->ra,
                                     .key = w->ra_key,
                                     .ca = w->issuing,
                                     .first = w->sequence + 1,
                                     .time = clock_now()};
    struct nf nfs[N];
    struct buf messages[N];
    struct span spans[N];
    struct cmp_queue_entry entries[N];
    struct submit submits[N];
    struct record before;

    w->sequence += N;
    for (size_t i = 0; i < N; i++) {
        nfs[i] = lie_nf(w, &(struct lie_terms){0});
        messages[i] = lie_message(w, &nfs[i]);
        spans[i] = buf_span(&messages[i]);
        entries[i] = (struct cmp_queue_entry){.profile = "nf-tls", .received_at = clock_now()};
        memcpy(entries[i].registration_id, nfs[i].id, sizeof(entries[i].registration_id));
    }
    submit_all(&head, entries, spans, N, submits);
    before = record_read(w);
    for (size_t i = 0; i < N; i++) {
        CLEANUP(buf_free) struct buf der = submit_der(&submits[i]);
        CLEANUP(answer_free) struct answer answer = {0};

        world_submit(w, spans[i], buf_span(&der), &answer);
        assert_int_equal(answer.m.type, LINK_ISSUED);
        submit_free(&submits[i]);
        buf_free(&messages[i]);
        nf_free(&nfs[i]);
    }
    record_changed(w, "of one head", &before,
                   (const struct record_change[]){{RECORD_LEAVES, 1 + 3L * N}, /* one QUEUE-HEAD */
                                                  {RECORD_REQUESTS, N},
                                                  {RECORD_INTENTS, N},
                                                  {RECORD_CERTIFICATES, N},
                                                  {RECORD_PUBLIC_KEYS, N},
                                                  {RECORD_USED, N},
                                                  {RECORD_FIGURES, 0}});
}

/* ---- as RAs of before did it ---- */

/* However right it is: nobody makes it any more. */
void
a_wrapper_of_before_decides_nothing(void **state)
{
    struct world *w = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    struct lie lies[] = {
        {.name = "a wrapper"},
        {.name = "with another key than its certificate's", .ra_key = key},
        {.name = "not signed", .damaged = "2"},
    };

    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        lies[i].before = true;
        lies[i].failure = CMP_BAD_DATA_FORMAT;
        lies[i].words = "no Submission of version 2: the RA and the CA are of different versions";
    }
    found_out(w, lies, ARRAY_LEN(lies));
}

/* ---- an RA that is revoked when the CA has begun with what it signed ---- */

enum { SENT = 40 };

/* Which of them are in that state is chance; so it goes on until some were. */
static bool
is_revoked_meanwhile(struct world *w, const struct nf *n)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *ra = world_officer(w, "ra-cmp", "RA 3", key);
    CLEANUP(mem_cleanup) char *serial = hex_dup(serial_of(ra));
    const struct lie lie = {.name = "under a registration that nobody made",
                            .of = n,
                            .ra = ra,
                            .ra_key = key,
                            .request = {.registration = SCENE_REGISTRATION}};
    CLEANUP(admin_json_cleanup) json_t *revoked = NULL;
    const struct record before = record_read(w);
    int64_t refused = 0;
    bool meanwhile = false;
    int officer = -1;

    for (int i = 0; i < SENT; i++) {
        uint8_t rid[SHA256_SIZE];

        if (i == SENT / 2) {
            officer = officer_sends(w, json_pack("{s:s,s:s,s:s}", "command", "revoke", "serial",
                                                 serial, "reason", "keyCompromise"));
        }
        lie_hand_in(w, &lie, rid);
    }
    for (int i = 0; i < SENT; i++) {
        CLEANUP(answer_free) struct answer a = {0};

        world_receive(w, &a);
        if (a.m.type == LINK_REFUSED) {
            refused++;
            continue;
        }
        assert_int_equal(a.m.type, LINK_DEFERRED);
        assert_int_equal(a.m.fail_info, CMP_SIGNER_NOT_TRUSTED);
        meanwhile = meanwhile || memmem(a.m.phrase.p, a.m.phrase.n, "is revoked: nfpki-cactl",
                                        strlen("is revoked: nfpki-cactl")) != NULL;
    }
    revoked = officer_hears(officer);
    assert_non_null(json_object_get(revoked, "crlNumber"));
    record_changed(
        w, "revoked meanwhile", &before,
        (const struct record_change[]){{RECORD_LEAVES, refused + 3}, /* REVOKED, CRL-INTENT, CRL */
                                       {RECORD_REQUESTS, refused},
                                       {RECORD_REFUSED, refused},
                                       {RECORD_REVOCATIONS, 1},
                                       {RECORD_CRLS, 1},
                                       {RECORD_FIGURES, 0}});
    return meanwhile;
}

void
an_ra_that_is_revoked_meanwhile_decides_nothing(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf n = lie_nf(w, &(struct lie_terms){0});

    while (!is_revoked_meanwhile(w, &n)) {
    }
}

/* ---- registrations ---- */

void
a_registration_comes_under_its_own_id(void **state)
{
    struct world *w = *state;
    char uuid[NF_INSTANCE_ID_SIZE];
    CLEANUP(buf_free) struct buf cms = {0};
    const struct record before = record_read(w);
    CLEANUP(answer_free) struct answer answer = {0};

    nf_uuid(uuid);
    cms = world_registration(w, uuid, 1, MAC);
    for (size_t i = 0; i < SHA256_SIZE; i += SHA256_SIZE - 1) { /* the first and the last octet */
        uint8_t id[SHA256_SIZE];
        const struct link_message m = {
            .type = LINK_REGISTER, .id = span_of(id, sizeof(id)), .body = buf_span(&cms)};
        struct err e = {0};

        assert_ok(sha256(buf_span(&cms), id, &e), &e);
        id[i] ^= 1;
        world_send(w, &m);
        world_receive(w, &answer);
        nf_is_refused_for(&answer, CMP_NOT_AUTHORIZED, "the id is not the hash of the CMS in DER");
        record_is_unchanged(w, "another id", &before);
    }
    world_register(w, buf_span(&cms), &answer);
    assert_int_equal(answer.m.type, LINK_REGISTERED);
}

/* ---- on the link itself ---- */

void
what_is_too_long_or_no_message_ends_the_connection(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf n = lie_nf(w, &(struct lie_terms){0});
    const struct record before = record_read(w);
    const struct {
        const char *name;
        struct span octets;
    } rows[] = {
        {"a frame of an octet more than may be", SPAN_LITERAL("\x00\x02\x00\x01")},
        {"a frame of nothing", SPAN_LITERAL("\x00\x00\x00\x00")},
        {"no message", SPAN_LITERAL("\x00\x00\x00\x02\x30\x00")},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(write(w->link, rows[i].octets.p, rows[i].octets.n), rows[i].octets.n);
        if (!world_hung_up(w)) {
            fail_msg("%s: is answered", rows[i].name);
        }
        (void)close(w->link);
        world_connect(w);
        record_is_unchanged(w, rows[i].name, &before);
    }
    X509_free(lie_is_granted(w, &(struct lie){.name = "and it is heard", .of = &n}));
}
