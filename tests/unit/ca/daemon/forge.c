/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who owns the RA, or can write the database files, wants a certificate that no registrar
 * registered. Each test is one way to try it.
 */
#include <openssl/cms.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/file.h"
#include "ca/link/admin.h"
#include "ca/registration/registration.h"
#include "ca/x509/pubkey.h"
#include "ca/x509/signed.h"
#include "ca/x509/tbs/tbs.h"
#include "db/issuance/issuance.h"
#include "tests/unit/ca/daemon/copies.h"
#include "tests/unit/ca/daemon/nf.h"

enum { DAY = 24 * 60 * 60 };

/* The same registration with the other of the two ECDSA signatures (r, s) and (r, n - s): whoever
 * has seen one can make it. */
static struct buf
vary(struct span cms)
{
    const unsigned char *p = cms.p;
    CMS_ContentInfo *c = d2i_CMS_ContentInfo(NULL, &p, (long)cms.n);
    ASN1_OCTET_STRING *signature =
        CMS_SignerInfo_get0_signature(sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(c), 0));
    const unsigned char *at = ASN1_STRING_get0_data(signature);
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, ASN1_STRING_length(signature));
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *curve = pki_key("P-256");
    BIGNUM *order = NULL;
    BIGNUM *other = BN_new();
    unsigned char *der = NULL;
    struct buf out = BUF_INIT(64 * 1024);
    struct err e = {0};
    int n;

    assert_non_null(sig);
    assert_int_equal(EVP_PKEY_get_bn_param(curve, "order", &order), 1);
    assert_int_equal(BN_sub(other, order, ECDSA_SIG_get0_s(sig)), 1);
    assert_int_equal(ECDSA_SIG_set0(sig, BN_dup(ECDSA_SIG_get0_r(sig)), other), 1);
    n = i2d_ECDSA_SIG(sig, &der);
    assert_true(n > 0);
    assert_int_equal(ASN1_STRING_set(signature, der, n), 1);
    assert_ok(OSSL_ENCODE(CMS_ContentInfo, c, &out, &e), &e);
    OPENSSL_free(der);
    BN_free(order);
    ECDSA_SIG_free(sig);
    CMS_ContentInfo_free(c);
    return out;
}

static void
a_registration_does_not_come_back_under_another_signature(void **state)
{
    struct world *w = *state;

    for (int cancelled = 0; cancelled <= 1; cancelled++) {
        CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
        CLEANUP(buf_free) struct buf varied = vary(buf_span(&n.cms));
        CLEANUP(answer_free) struct answer answer = {0};

        if (cancelled != 0) {
            world_cancel(w, n.id);
        } else {
            world_submit(w, buf_span(&n.request), buf_span(&n.nested), &answer);
            X509_free(nf_issued(&answer));
        }
        world_register(w, buf_span(&varied), &answer);
        nf_is_refused(&answer, CMP_DUPLICATE_CERT_REQ);
        world_registration_id(buf_span(&varied), n.id);
        nf_request(w, &n);
        world_submit(w, buf_span(&n.request), buf_span(&n.nested), &answer);
        nf_is_refused(&answer, CMP_NOT_AUTHORIZED);
    }
}

/* ---- what the RA may wrap ---- */

static void
an_ra_cannot_change_the_profile_that_was_asked_for(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
    CLEANUP(answer_free) struct answer refused = {0};
    CLEANUP(answer_free) struct answer issued = {0};

    /* The entry says nf-tls, whatever the certProfile inside. */
    n.client.profile = "nf-tls-client";
    nf_request(w, &n);
    world_submit(w, buf_span(&n.request), buf_span(&n.nested), &refused);
    nf_is_refused(&refused, CMP_NOT_AUTHORIZED);
    n.client.profile = "nf-tls";
    nf_request(w, &n);
    world_submit(w, buf_span(&n.request), buf_span(&n.nested), &issued);
    X509_free(nf_issued(&issued));
}

static void
only_a_first_message_and_its_confirmation_are_taken(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    assert_ok(cmp_client_body_request(CMP_IR, n.key, X509_get_subject_name(w->vendor), &body, &e),
              &e);
    for (int type = CMP_IR; type <= CMP_POLLREP; type++) {
        CLEANUP(x509_name_cleanup) X509_NAME *name = NULL;
        CLEANUP(buf_free) struct buf recipient = {0};
        CLEANUP(buf_free) struct buf message = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(buf_free) struct buf nested = {0};
        CLEANUP(answer_free) struct answer answer = {0};
        struct cmp_header h;

        if (type == CMP_IR || type == CMP_CR || type == CMP_P10CR) {
            continue;
        }
        body.p[0] = (uint8_t)(0xa0 | (unsigned)type);
        assert_ok(cmp_header_first(&h, &e), &e);
        assert_ok(cmp_client_header(&n.client, &h, &name, &recipient, &e), &e);
        assert_ok(cmp_client_seal(&n.client, &h, buf_span(&body), &message, &e), &e);
        nested = world_wrap(w, buf_span(&message), n.id, CMP_ASSURANCE_MAC, w->ra_key, w->ra);
        world_submit(w, buf_span(&message), buf_span(&nested), &answer);
        /* these two are signed with a certificate of ours, or nothing */
        nf_is_refused(&answer,
                      type == CMP_KUR || type == CMP_RR ? CMP_WRONG_INTEGRITY : CMP_BAD_REQUEST);
    }
    {
        CLEANUP(answer_free) struct answer answer = {0};

        world_submit(w, buf_span(&n.request), buf_span(&n.nested), &answer);
        X509_free(nf_issued(&answer)); /* nothing of that used the registration */
    }
}

/* A signed certConf cannot be made, nor taken over, by who owns the RA. */
static void
a_confirmation_is_the_network_functions_own(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf victim = nf_new(w, BY_CERTIFICATE, 1);
    CLEANUP(nf_free) struct nf other = nf_new(w, BY_CERTIFICATE, 1);
    CLEANUP(answer_free) struct answer answer = {0};
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    const struct cmp_client as[] = {other.client,
                                    {.reference = "reference",
                                     .secret = SPAN_LITERAL("a secret that the RA alone has"),
                                     .algorithm = buf_span(&victim.algorithm)}};
    struct err e = {0};

    world_submit(w, buf_span(&victim.request), buf_span(&victim.nested), &answer);
    certificate = nf_issued(&answer);
    for (size_t i = 0; i < ARRAY_LEN(as); i++) {
        CLEANUP(buf_free) struct buf message = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(buf_free) struct buf nested = {0};

        assert_ok(cmp_client_certconf(&as[i], certificate, false, &victim.state, &message, &e), &e);
        nested = world_wrap(w, buf_span(&message), victim.id,
                            i == 0 ? CMP_ASSURANCE_SIGNATURE : CMP_ASSURANCE_MAC, w->ra_key, w->ra);
        world_submit(w, buf_span(&message), buf_span(&nested), &answer);
        nf_is_refused(&answer, i == 0 ? CMP_BAD_MESSAGE_CHECK : CMP_WRONG_INTEGRITY);
    }
    {
        CLEANUP(buf_free) struct buf message = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(buf_free) struct buf nested = {0};

        assert_ok(
            cmp_client_certconf(&victim.client, certificate, true, &victim.state, &message, &e),
            &e);
        nested =
            world_wrap(w, buf_span(&message), victim.id, CMP_ASSURANCE_SIGNATURE, w->ra_key, w->ra);
        world_submit(w, buf_span(&message), buf_span(&nested), &answer);
        assert_int_equal(answer.m.type, LINK_CONFIRMED);
    }
}

/* ---- the file ---- */

#define NO_TRIGGERS                                                                                \
    "DROP TRIGGER registration_fixed; DROP TRIGGER registration_kept; DROP TRIGGER request_fixed;" \
    "DROP TRIGGER request_profile_file;"                                                           \
    "DROP TRIGGER request_forward; DROP TRIGGER request_kept; DROP TRIGGER revocation_kept;"       \
    "DROP TRIGGER leaf_stays; DROP TRIGGER leaf_remains; DROP TRIGGER certificate_fixed;"          \
    "DROP TRIGGER certificate_revoked; DROP TRIGGER revocation_fixed;"                             \
    "PRAGMA foreign_keys = OFF;"

static void
a_database_that_was_edited_is_not_started_with(void **state)
{
    static const char *const edits[] = {
        "UPDATE registration SET used = 0 WHERE used > 0",
        "UPDATE registration SET used = 0; UPDATE request SET state = 5 WHERE state IN (1, 3, 4)",
        "UPDATE registration SET used = 0; DELETE FROM request WHERE registration IS NOT NULL",
        "UPDATE registration SET state = 0 WHERE state = 1",
        "UPDATE registration SET certificates = 1000",
        "UPDATE certificate SET leaf = 0 WHERE profile = 'ra-cmp'",
        "UPDATE certificate SET revoked = NULL WHERE revoked IS NOT NULL",
        "UPDATE revocation SET not_after = 1",
        "DELETE FROM revocation",
        "UPDATE request SET registration = NULL",
        "UPDATE request SET profile_file = zeroblob(32) WHERE registration IS NOT NULL",
        ("UPDATE leaf SET body = CAST(replace(CAST(unpacked(body) AS TEXT), 'REVOKED', 'CANCEL') "
         "AS "
         "BLOB)"),
        ("UPDATE leaf SET body = CAST(replace(CAST(unpacked(body) AS TEXT), 'mac', 'mad') AS "
         "BLOB)"),
        "UPDATE leaf SET hash = zeroblob(32) WHERE idx = 3",
    };
    struct world *w = *state;
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
    CLEANUP(nf_free) struct nf gone = nf_new(w, BY_MAC, 1);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *ra = world_officer(w, "ra-cmp", "RA 3", key);
    const ASN1_INTEGER *number = X509_get0_serialNumber(ra);
    CLEANUP(mem_cleanup)
    char *serial =
        hex_dup(span_of(ASN1_STRING_get0_data(number), (size_t)ASN1_STRING_length(number)));
    CLEANUP(answer_free) struct answer answer = {0};
    CLEANUP(admin_json_cleanup) json_t *done = NULL;
    struct err e = {0};

    world_submit(w, buf_span(&n.request), buf_span(&n.nested), &answer);
    X509_free(nf_issued(&answer));
    world_cancel(w, gone.id);
    done = world_ask(
        w,
        json_pack("{s:s,s:s,s:s}", "command", "revoke", "serial", serial, "reason", "superseded"),
        &e);
    assert_non_null(done);
    assert_int_equal(world_stop(w), 0);
    world_keep(w);
    for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
        world_edit_as_ca(w, NO_TRIGGERS);
        world_edit_as_ca(w, edits[i]);
        print_message("%s\n", edits[i]);
        assert_true(world_is_edited(w));
        world_put_back(w);
    }
    world_start(w);
}

static void
an_edited_registration_gives_nothing(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
    CLEANUP(answer_free) struct answer answer = {0};

    assert_int_equal(world_stop(w), 0);
    world_edit_as_ca(w, NO_TRIGGERS);
    world_edit_as_ca(w,
                     "UPDATE registration SET json = CAST(replace(CAST(json AS TEXT), 'amf1.5gc', "
                     "'amf2.5gc') AS BLOB)");
    world_start(w);
    world_submit(w, buf_span(&n.request), buf_span(&n.nested), &answer);
    nf_is_refused(&answer, CMP_NOT_AUTHORIZED);
}

/* ---- intents that nobody asked for ---- */

/* The TBS of what the thief would like to have. */
static void
make_tbs(struct world *w, EVP_PKEY *key, bool officer, struct tbs_request *t, struct buf *tbs)
{
    CLEANUP(buf_free) struct buf spki = pki_spki(key);
    struct nf_identity nf = pki_nf();
    struct name subject;
    struct err e = {0};

    *t = (struct tbs_request){.profile = profile_by_name(officer ? "registrar" : "nf-tls"),
                              .issuer = w->issuing,
                              .nf = officer ? NULL : &nf,
                              .subject = officer ? &subject : NULL,
                              .spki = buf_span(&spki),
                              .not_before = clock_now(),
                              .not_after = clock_now() + (time_t)30 * DAY,
                              .crl_url = "http://pki.example/crl/issuing.crl"};
    assert_ok(serial_new(t->serial, clock_now(), &e), &e);
    assert_ok(name_set(&subject, "SE", "Example Operator", "Mallory", &e), &e);
    assert_ok(tbs_build(t, tbs, &e), &e);
}

static void
an_intent_that_no_signature_stands_behind_is_not_signed(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
    json_int_t before = world_record(w, "certificates");

    assert_int_equal(world_stop(w), 0);
    for (int officer = 0; officer <= 1; officer++) {
        CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
        CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
        CLEANUP(buf_free) struct buf ra = BUF_INIT(LINK_CERTIFICATE_MAX);
        static const uint8_t previous[SHA256_SIZE];
        uint8_t spki_hash[SHA256_SIZE] = {(uint8_t)officer};
        uint8_t rid[SHA256_SIZE] = {(uint8_t)officer};
        struct cmp_msg *message;
        struct tbs_request t;
        struct issuance_intent i = {0};
        char uuid[NF_INSTANCE_ID_SIZE] = {0};
        CLEANUP(registration_signed_cleanup) struct registration_signed *v = NULL;
        struct err e = {0};

        make_tbs(w, key, officer != 0, &t, &tbs);
        v = registration_verify(buf_span(&n.cms), w->issuing, w->pki->root, clock_now(), NULL, NULL,
                                &e);
        assert_non_null(v);
        memcpy(uuid, v->content.nf.instance_id, sizeof(uuid));
        assert_ok(OSSL_ENCODE(X509, w->ra, &ra, &e), &e);
        assert_ok(sha256(buf_span(&n.request), rid, &e), &e);
        rid[0] ^= (uint8_t)officer;
        message = cmp_msg_parse(buf_span(&n.request), CMP_MESSAGE_MAX, &e);
        i = (struct issuance_intent){.rid = span_of(rid, sizeof(rid)),
                                     .profile = t.profile->name,
                                     .evidence = buf_span(&n.nested),
                                     .spki_sha256 = span_of(spki_hash, sizeof(spki_hash)),
                                     .serial = span_of(t.serial, sizeof(t.serial)),
                                     .tbs = buf_span(&tbs),
                                     .not_before = t.not_before,
                                     .judged = t.not_before,
                                     .not_after = t.not_after,
                                     .certificates = 1,
                                     .now = clock_now()};
        if (officer == 0) {
            i.registration = n.id;
            i.ra_der = buf_span(&ra);
            i.nf_instance = uuid;
            i.transaction_id = cmp_msg_transaction_id(message);
            i.queue_previous = span_of(previous, sizeof(previous));
        }
        world_intend(w, &i);
        cmp_msg_free(message);
    }
    world_start(w);
    assert_int_equal(world_record(w, "certificates"), before);
    assert_int_equal(world_record(w, "open"), 1); /* the officer's waits for the officer */
    {
        CLEANUP(answer_free) struct answer answer = {0};

        world_submit(w, buf_span(&n.request), buf_span(&n.nested), &answer);
        nf_is_refused(&answer, CMP_SYSTEM_FAILURE);
        nf_request(w, &n);
        world_submit(w, buf_span(&n.request), buf_span(&n.nested), &answer);
        X509_free(nf_issued(&answer)); /* the use was given back */
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_registration_does_not_come_back_under_another_signature),
        cmocka_unit_test(an_ra_cannot_change_the_profile_that_was_asked_for),
        cmocka_unit_test(only_a_first_message_and_its_confirmation_are_taken),
        cmocka_unit_test(a_confirmation_is_the_network_functions_own),
        cmocka_unit_test(a_database_that_was_edited_is_not_started_with),
        cmocka_unit_test(an_intent_that_no_signature_stands_behind_is_not_signed),
        cmocka_unit_test(an_edited_registration_gives_nothing),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
