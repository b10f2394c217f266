/* SPDX-License-Identifier: Apache-2.0 */
/* Whose registration it is: the RA names one, and the proof is another's; or the time is. */
#include <string.h>

#include "base/file.h"
#include "ca/cmp/message/phrase.h"
#include "tests/unit/ca/daemon/lie.h"

enum { KINDS = 4, PAIR = 2, HOUR = 3600 };

#define SAYS(phrase) .words = phrase_text(phrase)

/* A network function with a device that signs; NULL: a MAC. */
struct proven {
    struct nf nf;
    X509 *device;
};

static void
proven_free(struct proven *p)
{
    nf_free(&p->nf);
    X509_free(p->device);
}

/* Registered by this proof of its device; the JSON is freed. */
static struct nf
registered(struct world *w, EVP_PKEY *key, char *proof)
{
    struct nf n = lie_nf(w, &(struct lie_terms){.proof = proof});

    EVP_PKEY_free(n.key);
    assert_int_equal(EVP_PKEY_up_ref(key), 1);
    n.key = key;
    mem_free(proof);
    return n;
}

static struct proven
proven_by(struct world *w, enum proof_kind kind)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    char uuid[NF_INSTANCE_ID_SIZE];
    struct proven p = {0};

    if (kind == PROOF_MAC) {
        p.nf = lie_nf(w, &(struct lie_terms){0});
        return p;
    }
    nf_uuid(uuid);
    p.device = world_vendor(w->vendor, w->vendor_key, key, uuid);
    p.nf = registered(w, key,
                      kind == PROOF_CERTIFICATE ? scene_pins_certificate(p.device)
                      : kind == PROOF_VENDOR    ? scene_of_vendor(p.device)
                                                : scene_pins_key(key));
    return p;
}

/* What the CA says when this proof is used under the registration of that kind. */
static void
expect(struct lie *l, enum proof_kind by, enum proof_kind under)
{
    static const char *const pinned[] = {
        [PROOF_MAC] = "registered for MAC, but protected by a signature",
        [PROOF_CERTIFICATE] = "registration: pins another certificate",
        [PROOF_VENDOR] = "registration: names another vendor certificate",
        [PROOF_PUBLIC_KEY] = "registration: pins another public key",
    };

    if (by == PROOF_MAC || under == PROOF_MAC) {
        l->failure = CMP_WRONG_INTEGRITY;
        l->words = phrase_text(PHRASE_PROOF);
        l->reason = by == PROOF_MAC ? "protected by a MAC, but not registered or attested so"
                                    : pinned[under];
        return;
    }
    l->failure = CMP_SIGNER_NOT_TRUSTED;
    l->words = phrase_text(phrase_of_failure(CMP_SIGNER_NOT_TRUSTED));
    l->reason = pinned[under];
}

/* Each kind of proof under a registration of each kind that is another's. */
void
a_proof_is_not_another_registrations(void **state)
{
    struct world *w = *state;
    struct proven all[KINDS][PAIR];
    struct lie lies[KINDS * KINDS];
    size_t n = 0;

    for (int kind = 0; kind < KINDS; kind++) {
        for (size_t i = 0; i < PAIR; i++) {
            all[kind][i] = proven_by(w, (enum proof_kind)kind);
        }
    }
    for (int by = 0; by < KINDS; by++) {
        for (int under = 0; under < KINDS; under++) {
            const struct proven *p = &all[by][0];

            if (by == PROOF_MAC && under == PROOF_MAC) {
                continue; /* the RA has both secrets: whose it is, is its word */
            }
            lies[n] = (struct lie){.name = proof_kind_name((enum proof_kind)under),
                                   .of = &p->nf,
                                   .request = {.registration = all[under][1].nf.id,
                                               .certificate = p->device,
                                               .signs = p->device != NULL ? p->nf.key : NULL}};
            expect(&lies[n++], (enum proof_kind)by, (enum proof_kind)under);
        }
    }
    lies_are_found_out(w, lies, n);
    for (int kind = 0; kind < KINDS; kind++) {
        for (size_t i = 0; i < PAIR; i++) {
            const struct proven *p = &all[kind][i];

            /* and under its own it is granted */
            X509_free(lie_is_granted(
                w, &(struct lie){.name = proof_kind_name((enum proof_kind)kind),
                                 .of = &p->nf,
                                 .request = {.certificate = p->device,
                                             .signs = p->device != NULL ? p->nf.key : NULL}}));
            proven_free(&all[kind][i]);
        }
    }
}

/* ---- one proof, one registration ---- */

/* The REGISTER of another network function by this proof, and its answer. */
static void
register_another(struct world *w, const char *proof, struct answer *answer,
                 char id[CMP_REGISTRATION_ID_SIZE + 1])
{
    char uuid[NF_INSTANCE_ID_SIZE];
    CLEANUP(buf_free) struct buf cms = {0};

    nf_uuid(uuid);
    cms = world_registration(w, uuid, 1, proof);
    world_registration_id(buf_span(&cms), id);
    world_register(w, buf_span(&cms), answer);
}

void
a_second_registration_by_one_proof_is_refused(void **state)
{
    struct world *w = *state;

    for (int kind = PROOF_CERTIFICATE; kind <= PROOF_PUBLIC_KEY; kind++) {
        struct proven p = proven_by(w, (enum proof_kind)kind);
        CLEANUP(mem_cleanup)
        char *proof = kind == PROOF_CERTIFICATE ? scene_pins_certificate(p.device)
                      : kind == PROOF_VENDOR    ? scene_of_vendor(p.device)
                                                : scene_pins_key(p.nf.key);
        const struct record before = record_read(w);
        CLEANUP(answer_free) struct answer refused = {0};
        CLEANUP(answer_free) struct answer taken = {0};
        char id[CMP_REGISTRATION_ID_SIZE + 1];

        register_another(w, proof, &refused, id);
        nf_is_refused_for(&refused, CMP_DUPLICATE_CERT_REQ,
                          "the proof is that of the live registration ");
        nf_is_refused_for(&refused, CMP_DUPLICATE_CERT_REQ, p.nf.id);
        record_is_unchanged(w, proof_kind_name((enum proof_kind)kind), &before);
        world_cancel(w, p.nf.id);
        register_another(w, proof, &taken, id);
        assert_int_equal(taken.m.type, LINK_REGISTERED);
        world_cancel(w, id);
        proven_free(&p);
    }
}

/* As a version that did not look at it has left them, and migration 22 found them. */
static void
make_shared(struct world *w, const char *id, bool shared)
{
    CLEANUP(mem_cleanup)
    char *sql = mem_printf("UPDATE registration SET state = %d WHERE id = '%s'; %s",
                           shared ? ISSUANCE_LIVE : ISSUANCE_CANCELLED, id,
                           shared ? "INSERT INTO setting VALUES('shared-proofs', x'01')"
                                  : "DELETE FROM setting WHERE name = 'shared-proofs'");

    world_edit_as_ca(w, sql);
}

void
two_of_before_with_one_proof_are_named_at_a_start(void **state)
{
    struct world *w = *state;
    struct proven p = proven_by(w, PROOF_CERTIFICATE);
    CLEANUP(mem_cleanup) char *proof = scene_pins_certificate(p.device);
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.log", w->dir);
    CLEANUP(answer_free) struct answer taken = {0};
    CLEANUP(buf_free) struct buf log = BUF_INIT(8 * 1024 * 1024);
    const char *at;
    char id[CMP_REGISTRATION_ID_SIZE + 1];
    struct err e = {0};

    world_cancel(w, p.nf.id);
    register_another(w, proof, &taken, id);
    assert_int_equal(taken.m.type, LINK_REGISTERED);
    assert_int_equal(world_stop(w), 0);
    make_shared(w, p.nf.id, true);
    world_start(w);
    assert_ok(file_read(path, &log, &e), &e);
    assert_ok(buf_append(&log, SPAN_LITERAL("\0"), &e), &e);
    at = strstr((const char *)log.p, "\"proof-shared\"");
    assert_non_null(at);
    assert_non_null(strstr(at, p.nf.id));
    assert_non_null(strstr(at, id));
    world_kill(w);
    make_shared(w, p.nf.id, false);
    world_start(w);
    world_cancel(w, id);
    proven_free(&p);
}

/* One certificate may be pinned, be of a vendor, and have a key that is pinned. */
void
what_two_registrations_are_proven_by_gets_nothing(void **state)
{
    struct world *w = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *device = world_vendor(w->vendor, w->vendor_key, key, "twofold");
    CLEANUP(nf_free) struct nf pinned = registered(w, key, scene_pins_certificate(device));
    CLEANUP(nf_free) struct nf of_vendor = registered(w, key, scene_of_vendor(device));
    CLEANUP(nf_free) struct nf by_key = registered(w, key, scene_pins_key(key));
    const struct nf *const all[] = {&pinned, &of_vendor, &by_key};
    struct lie lies[ARRAY_LEN(all)];

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        lies[i] = (struct lie){.name = "twofold",
                               .of = all[i],
                               .request = {.certificate = device, .signs = key},
                               .failure = CMP_NOT_AUTHORIZED,
                               SAYS(PHRASE_PROOF_SHARED),
                               .reason = "another live registration has the same proof"};
    }
    lies_are_found_out(w, lies, ARRAY_LEN(all));
    world_cancel(w, pinned.id);
    lie_is_found_out(w, &lies[1]); /* two are still there */
    world_cancel(w, by_key.id);
    X509_free(lie_is_granted(w, &(struct lie){.name = "the one that is left",
                                              .of = &of_vendor,
                                              .request = {.certificate = device, .signs = key}}));
}

/* ---- time ---- */

/* The network function asked under a registration that is over; the RA kept it for the next one. */
void
what_was_kept_back_is_not_for_a_later_registration(void **state)
{
    struct world *w = *state;
    struct proven p = proven_by(w, PROOF_CERTIFICATE);
    const time_t then = clock_now() - HOUR;

    world_cancel(w, p.nf.id);
    {
        CLEANUP(nf_free)
        struct nf next = registered(w, p.nf.key, scene_pins_certificate(p.device));
        const struct scene_request asked = {.certificate = p.device, .signs = p.nf.key};
        struct lie lies[] = {
            {.name = "when it came, says the RA",
             .request = asked,
             .failure = CMP_BAD_TIME,
             .words = "made before the registration, which is of ",
             .reason = ", says the requester: before the registration, which is of "},
            {.name = "it came now, says the RA",
             .request = asked,
             .failure = CMP_BAD_TIME,
             .words = "messageTime is ",
             .reason = "when the RA says that it came: messageTime is off by -3"},
            {.name = "without a time, when it came",
             .request = asked,
             .failure = CMP_BAD_TIME,
             .words = "made before the registration, which is of ",
             .reason = ", says the RA: before the registration, which is of "},
        };

        lies[0].request.received = then;
        lies[1].request.made = then;
        lies[2].request.received = then;
        lies[2].request.no_time = true;
        for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
            lies[i].of = &next;
        }
        lies_are_found_out(w, lies, ARRAY_LEN(lies));
        X509_free(lie_is_granted(w, &(struct lie){.name = "anew", .of = &next, .request = asked}));
    }
    proven_free(&p);
}

static void
made_by(struct world *w, bool no_time, const char *whose)
{
    CLEANUP(nf_free) struct nf n = lie_nf(w, &(struct lie_terms){0});
    const struct lie lie = {.name = whose, .of = &n, .request = {.no_time = no_time}};
    CLEANUP(answer_free) struct answer answer = {0};
    uint8_t rid[SHA256_SIZE];

    lie_hand_in(w, &lie, rid);
    world_receive(w, &answer);
    assert_int_equal(answer.m.type, LINK_ISSUED);
    record_has_leaf(w, whose, span_of(rid, sizeof(rid)), LEAF_REQUEST, "madeBy", whose);
    record_has_leaf(w, whose, span_of(rid, sizeof(rid)), LEAF_REQUEST, "made", "Z");
}

void
the_record_says_whose_word_the_time_is(void **state)
{
    struct world *w = *state;

    made_by(w, false, "requester");
    made_by(w, true, "ra");
}

/* A rid has one answer, whatever registration the RA names with it next. */
void
what_was_answered_is_answered_so_elsewhere(void **state)
{
    struct world *w = *state;
    struct proven p = proven_by(w, PROOF_CERTIFICATE);
    struct proven other = proven_by(w, PROOF_CERTIFICATE);
    CLEANUP(buf_free) struct buf there = {0};
    CLEANUP(buf_free) struct buf here = {0};
    CLEANUP(answer_free) struct answer refused = {0};
    CLEANUP(answer_free) struct answer again = {0};

    p.nf.certificate = p.device;
    assert_int_equal(X509_up_ref(p.device), 1);
    p.nf.client.certificate = p.device;
    p.nf.client.key = p.nf.key;
    nf_request(w, &p.nf);
    there = world_wrap(w, buf_span(&p.nf.request), other.nf.id, CMP_ASSURANCE_SIGNATURE, w->ra_key,
                       w->ra);
    here =
        world_wrap(w, buf_span(&p.nf.request), p.nf.id, CMP_ASSURANCE_SIGNATURE, w->ra_key, w->ra);
    world_submit(w, buf_span(&p.nf.request), buf_span(&there), &refused);
    nf_is_refused(&refused, CMP_SIGNER_NOT_TRUSTED);
    world_submit(w, buf_span(&p.nf.request), buf_span(&here), &again);
    nf_is_refused(&again, CMP_SIGNER_NOT_TRUSTED);
    proven_free(&p);
    proven_free(&other);
}
