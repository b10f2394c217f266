/* SPDX-License-Identifier: Apache-2.0 */
/* The RA's own fault: nothing is decided, and nothing is in the record. */
#include <string.h>
#include <unistd.h>

#include "ca/link/admin.h"
#include "ca/x509/serial.h"
#include "tests/unit/ca/daemon/officer.h"

enum { HOUR = 3600 };

/* What stands in the place of generalInfo [8], which is the last of the wrapper's header: 1.2.3
 * and nothing; nothing at all; and twice the one entry is made below. */
#define OTHER_INFO SPAN_LITERAL("\xa8\x08\x30\x06\x30\x04\x06\x02\x2a\x03")
#define OTHER_ID                                                                                   \
    SPAN_LITERAL("\xa4\x12\x04\x10"                                                                \
                 "0123456789abcdef")

void
a_wrapper_that_is_not_right_decides_nothing(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf n = lie_nf(w, &(struct lie_terms){0});
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
        {.name = "for another CA",
         .ca = X509_get_subject_name(w->pki->root),
         .failure = CMP_BAD_MESSAGE_CHECK,
         .words = "queue entry: meant for another CA"},
        {.name = "another rid",
         .other_rid = true,
         .failure = CMP_BAD_DATA_FORMAT,
         .words = "the rid is not the hash of the message"},
        {.name = "received tomorrow",
         .request = {.received = clock_now() + HOUR},
         .failure = CMP_TIME_NOT_AVAILABLE,
         .words = "the clocks of RA and CA differ"},
        {.name = "another generalInfo",
         .damaged = "0.8",
         .by = OTHER_INFO,
         .failure = CMP_BAD_DATA_FORMAT,
         .words = "generalInfo is not exactly one id-nfpki-queueEntry"},
        {.name = "no generalInfo",
         .damaged = "0.8",
         .failure = CMP_BAD_DATA_FORMAT,
         .words = "generalInfo is not exactly one id-nfpki-queueEntry"},
        {.name = "another transactionID",
         .damaged = "0.6",
         .by = OTHER_ID,
         .failure = CMP_BAD_DATA_FORMAT,
         .words = "transactionID and senderNonce are not the inner message's"},
        {.name = "not signed",
         .damaged = "2",
         .failure = CMP_BAD_DATA_FORMAT,
         .words = "header of the wrapper is not as the RA makes it"},
        {.name = "without its certificate",
         .damaged = "3",
         .failure = CMP_BAD_DATA_FORMAT,
         .words = "header of the wrapper is not as the RA makes it"},
        {.name = "nothing inside",
         .damaged = "1",
         .by = SPAN_LITERAL("\xb4\x02\x30\x00"),
         .failure = CMP_BAD_DATA_FORMAT,
         .words = "queue entry: "},
    };

    world_revoke(w, revoked, "superseded");
    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        lies[i].of = &n;
    }
    lies_are_found_out(w, lies, ARRAY_LEN(lies));
    X509_free(lie_is_granted(w, &(struct lie){.name = "and it is heard", .of = &n}));
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
        uint8_t octet;

        assert_int_equal(write(w->link, rows[i].octets.p, rows[i].octets.n), rows[i].octets.n);
        if (read(w->link, &octet, 1) > 0) {
            fail_msg("%s: is answered", rows[i].name);
        }
        (void)close(w->link);
        world_connect(w);
        record_is_unchanged(w, rows[i].name, &before);
    }
    X509_free(lie_is_granted(w, &(struct lie){.name = "and it is heard", .of = &n}));
}
