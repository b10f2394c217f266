/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/link/admin.h"
#include "ca/x509/name.h"
#include "ca/x509/pubkey.h"
#include "tests/support/kill.h"
#include "tests/unit/ca/daemon/nf.h"

enum { KILLS = 12 };

static void
the_same_request_gets_the_same_certificate(void **state)
{
    struct world *w = *state;

    for (int by = BY_MAC; by <= BY_VENDOR; by++) {
        CLEANUP(nf_free) struct nf n = nf_new(w, (enum proof_by)by, 1);
        CLEANUP(answer_free) struct answer first = {0};
        CLEANUP(answer_free) struct answer again = {0};
        CLEANUP(x509_cleanup) X509 *certificate = NULL;

        world_submit(w, buf_span(&n.request), buf_span(&n.nested), &first);
        certificate = nf_issued(&first);
        assert_int_equal(X509_verify(certificate, X509_get0_pubkey(w->issuing)), 1);
        assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(certificate), n.key), 1);
        world_submit(w, buf_span(&n.request), buf_span(&n.nested), &again);
        assert_true(span_equal(first.m.body, again.m.body));
    }
}

static void
a_used_up_registration_gives_nothing(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
    CLEANUP(answer_free) struct answer answer = {0};
    CLEANUP(answer_free) struct answer again = {0};

    world_submit(w, buf_span(&n.request), buf_span(&n.nested), &answer);
    X509_free(nf_issued(&answer));
    nf_request(w, &n);
    world_submit(w, buf_span(&n.request), buf_span(&n.nested), &answer);
    nf_is_refused(&answer, CMP_NOT_AUTHORIZED);
    world_submit(w, buf_span(&n.request), buf_span(&n.nested), &again);
    nf_is_refused(&again, CMP_NOT_AUTHORIZED);
}

/* How many the log has. */
static size_t
deferrals(const struct world *w)
{
    static const char line[] = "\"event\":\"deferred\"";
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.log", w->dir);
    CLEANUP(buf_free) struct buf text = BUF_INIT(1024 * 1024);
    struct err e = {0};
    const uint8_t *at;
    size_t n = 0;

    assert_ok(file_read(path, &text, &e), &e);
    at = text.p;
    while ((at = memmem(at, text.n - (size_t)(at - text.p), line, strlen(line))) != NULL) {
        at++;
        n++;
    }
    return n;
}

static void
what_no_known_ra_signed_decides_nothing(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *stranger = pki_issue_officer(w->pki, "ra-cmp", other);
    CLEANUP(buf_free)
    struct buf forged = world_wrap(w, buf_span(&n.request), n.id, CMP_ASSURANCE_MAC, other, w->ra);
    CLEANUP(buf_free)
    struct buf foreign =
        world_wrap(w, buf_span(&n.request), n.id, CMP_ASSURANCE_MAC, other, stranger);
    CLEANUP(buf_free)
    struct buf by_registrar = world_wrap(w, buf_span(&n.request), n.id, CMP_ASSURANCE_MAC,
                                         w->registrar_key, w->registrar);
    CLEANUP(answer_free) struct answer answer = {0};
    size_t before;

    world_submit(w, buf_span(&n.request), buf_span(&forged), &answer);
    nf_is_deferred(&answer, CMP_BAD_MESSAGE_CHECK, "signature of the RA");
    world_submit(w, buf_span(&n.request), buf_span(&foreign), &answer);
    nf_is_deferred(&answer, CMP_SIGNER_NOT_TRUSTED, "ended at 2026-10-21");
    world_submit(w, buf_span(&n.request), buf_span(&by_registrar), &answer);
    nf_is_deferred(&answer, CMP_SIGNER_NOT_TRUSTED, "no RA's");
    world_submit(w, buf_span(&n.request), span_of(n.nested.p, n.nested.n - 1), &answer);
    nf_is_deferred(&answer, CMP_BAD_DATA_FORMAT, "queue entry");
    /* one cause is logged once, however often it is met */
    before = deferrals(w);
    for (int i = 0; i < 3; i++) {
        world_submit(w, buf_span(&n.request), buf_span(&forged), &answer);
        nf_is_deferred(&answer, CMP_BAD_MESSAGE_CHECK, "signature of the RA");
    }
    assert_int_equal(deferrals(w), before + 1);
    world_submit(w, buf_span(&n.request), buf_span(&foreign), &answer);
    assert_int_equal(deferrals(w), before + 2);
    /* nothing of this was recorded: the right one is still issued */
    world_submit(w, buf_span(&n.request), buf_span(&n.nested), &answer);
    X509_free(nf_issued(&answer));
}

static void
an_ra_cannot_pass_off_a_request_as_another_ones(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf mac = nf_new(w, BY_MAC, 1);
    CLEANUP(nf_free) struct nf signer = nf_new(w, BY_CERTIFICATE, 1);
    CLEANUP(nf_free) struct nf other = nf_new(w, BY_CERTIFICATE, 1);
    CLEANUP(nf_free) struct nf vendor = nf_new(w, BY_VENDOR, 1);
    CLEANUP(answer_free) struct answer answer = {0};

    /* a request by MAC under a registration that pins a certificate */
    buf_free(&mac.nested);
    mac.nested =
        world_wrap(w, buf_span(&mac.request), signer.id, CMP_ASSURANCE_MAC, w->ra_key, w->ra);
    world_submit(w, buf_span(&mac.request), buf_span(&mac.nested), &answer);
    nf_is_refused(&answer, CMP_WRONG_INTEGRITY);
    /* a signed request of another network function */
    buf_free(&other.nested);
    other.nested = world_wrap(w, buf_span(&other.request), signer.id, CMP_ASSURANCE_SIGNATURE,
                              w->ra_key, w->ra);
    world_submit(w, buf_span(&other.request), buf_span(&other.nested), &answer);
    nf_is_refused(&answer, CMP_SIGNER_NOT_TRUSTED);
    /* names of the registered device, but not from the vendor */
    X509_free(vendor.certificate);
    vendor.certificate = world_vendor(w->ra, vendor.key, vendor.key, "device 1");
    assert_int_equal(X509_set_issuer_name(vendor.certificate, X509_get_subject_name(w->vendor)), 1);
    assert_true(X509_sign(vendor.certificate, vendor.key, EVP_sha256()) > 0);
    vendor.client.certificate = vendor.certificate;
    nf_request(w, &vendor);
    world_submit(w, buf_span(&vendor.request), buf_span(&vendor.nested), &answer);
    nf_is_refused(&answer, CMP_SIGNER_NOT_TRUSTED);
    /* a signed request, attested as MAC */
    buf_free(&signer.nested);
    signer.nested =
        world_wrap(w, buf_span(&signer.request), signer.id, CMP_ASSURANCE_MAC, w->ra_key, w->ra);
    world_submit(w, buf_span(&signer.request), buf_span(&signer.nested), &answer);
    nf_is_refused(&answer, CMP_WRONG_INTEGRITY);
}

static void
a_key_of_another_owner_is_refused(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf first = nf_new(w, BY_MAC, 1);
    CLEANUP(nf_free) struct nf second = nf_new(w, BY_MAC, 1);
    CLEANUP(answer_free) struct answer answer = {0};

    world_submit(w, buf_span(&first.request), buf_span(&first.nested), &answer);
    X509_free(nf_issued(&answer));
    EVP_PKEY_free(second.key);
    second.key = first.key;
    assert_int_equal(EVP_PKEY_up_ref(first.key), 1);
    nf_request(w, &second);
    world_submit(w, buf_span(&second.request), buf_span(&second.nested), &answer);
    nf_is_refused(&answer, CMP_BAD_CERT_TEMPLATE);
}

static void
registrations_have_one_owner_and_a_known_registrar(void **state)
{
    struct world *w = *state;
    CLEANUP(answer_free) struct answer answer = {0};
    CLEANUP(x509_cleanup) X509 *registrar = w->registrar;
    EVP_PKEY *registrar_key = w->registrar_key;
    char uuid[NF_INSTANCE_ID_SIZE];
    CLEANUP(buf_free) struct buf first = {0};
    CLEANUP(buf_free) struct buf second = {0};
    CLEANUP(buf_free) struct buf by_stranger = {0};
    char hex[CMP_REGISTRATION_ID_SIZE + 1];

    assert_int_equal(X509_up_ref(registrar), 1);
    nf_uuid(uuid);
    first = world_registration(w, uuid, 1, MAC);
    second = world_registration(w, uuid, 2, MAC);
    world_register(w, buf_span(&first), &answer);
    assert_int_equal(answer.m.type, LINK_REGISTERED);
    world_register(w, buf_span(&first), &answer);
    assert_int_equal(answer.m.type, LINK_REGISTERED);
    world_register(w, buf_span(&second), &answer);
    nf_is_refused(&answer, CMP_DUPLICATE_CERT_REQ);
    world_registration_id(buf_span(&first), hex);
    assert_non_null(memmem(answer.m.phrase.p, answer.m.phrase.n, hex, strlen(hex)));
    for (int i = 0; i < 2; i++) {
        world_send_cancel(w, hex);
        world_receive(w, &answer);
        assert_int_equal(answer.m.type, LINK_CANCELLED);
    }
    world_register(w, buf_span(&second), &answer);
    assert_int_equal(answer.m.type, LINK_REGISTERED);
    world_register(w, buf_span(&first), &answer);
    nf_is_refused_for(&answer, CMP_DUPLICATE_CERT_REQ,
                      "cancelled, or followed by another registration");
    /* not as the registrar signed it */
    second.p[second.n - 1] ^= 1;
    world_register(w, buf_span(&second), &answer);
    nf_is_refused_for(&answer, CMP_NOT_AUTHORIZED, "the signature does not verify");
    /* signed by an RA: not a registrar */
    nf_uuid(uuid);
    w->registrar = w->ra;
    w->registrar_key = w->ra_key;
    by_stranger = world_registration(w, uuid, 1, MAC);
    w->registrar = registrar;
    w->registrar_key = registrar_key;
    world_register(w, buf_span(&by_stranger), &answer);
    nf_is_refused(&answer, CMP_NOT_AUTHORIZED);
}

static void
wait_for_crl(struct world *w, X509 *certificate)
{
    const struct timespec pause = {.tv_nsec = 5 * 1000 * 1000};

    while (!world_crl_has(w, certificate)) {
        (void)nanosleep(&pause, NULL);
    }
}

static void
confirm(struct world *w, struct nf *n, X509 *certificate, bool accept, struct answer *answer)
{
    CLEANUP(buf_free) struct buf message = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf nested = {0};
    struct err e = {0};

    assert_ok(cmp_client_certconf(&n->client, certificate, accept, &n->state, &message, &e), &e);
    nested = world_wrap(w, buf_span(&message), n->id,
                        n->certificate == NULL ? CMP_ASSURANCE_MAC : CMP_ASSURANCE_SIGNATURE,
                        w->ra_key, w->ra);
    world_submit(w, buf_span(&message), buf_span(&nested), answer);
    if (answer->m.type == LINK_CONFIRMED) {
        CLEANUP(answer_free) struct answer again = {0};

        world_submit(w, buf_span(&message), buf_span(&nested), &again);
        assert_int_equal(again.m.type, LINK_CONFIRMED);
    }
}

static void
what_is_confirmed_stays_and_what_is_rejected_is_revoked(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 4; i++) {
        bool accept = (i & 1) != 0;
        CLEANUP(nf_free) struct nf n = nf_new(w, (i & 2) != 0 ? BY_VENDOR : BY_MAC, 1);
        CLEANUP(answer_free) struct answer issued = {0};
        CLEANUP(answer_free) struct answer answer = {0};
        CLEANUP(answer_free) struct answer again = {0};
        CLEANUP(x509_cleanup) X509 *certificate = NULL;
        CLEANUP(admin_json_cleanup) json_t *crl = NULL;
        struct err e = {0};

        world_submit(w, buf_span(&n.request), buf_span(&n.nested), &issued);
        certificate = nf_issued(&issued);
        /* first with another certificate's hash */
        if (accept) {
            confirm(w, &n, w->ra, true, &answer);
            nf_is_refused(&answer, CMP_BAD_CERT_ID);
        }
        confirm(w, &n, certificate, accept, &answer);
        assert_int_equal(answer.m.type, LINK_CONFIRMED);
        confirm(w, &n, certificate, !accept, &answer);
        nf_is_refused(&answer, CMP_CERT_CONFIRMED);
        /* and the request gets what it got */
        world_submit(w, buf_span(&n.request), buf_span(&n.nested), &again);
        assert_true(span_equal(again.m.body, issued.m.body));
        if (accept) {
            crl = world_ask(w, json_pack("{s:s}", "command", "crl"), &e);
            assert_non_null(crl);
            assert_false(world_crl_has(w, certificate));
        } else {
            wait_for_crl(w, certificate); /* made without being asked for */
        }
    }
}

static void
an_officer_revokes_an_ra_and_it_is_over(void **state)
{
    struct world *w = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *ra = world_officer(w, "ra-cmp", "RA 2", key);
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 2);
    CLEANUP(buf_free)
    struct buf nested = world_wrap(w, buf_span(&n.request), n.id, CMP_ASSURANCE_MAC, key, ra);
    const ASN1_INTEGER *number = X509_get0_serialNumber(ra);
    CLEANUP(mem_cleanup)
    char *serial =
        hex_dup(span_of(ASN1_STRING_get0_data(number), (size_t)ASN1_STRING_length(number)));
    CLEANUP(answer_free) struct answer answer = {0};
    struct err e = {0};

    world_submit(w, buf_span(&n.request), buf_span(&nested), &answer);
    X509_free(nf_issued(&answer));
    for (int i = 0; i < 2; i++) {
        CLEANUP(admin_json_cleanup)
        json_t *done = world_ask(w,
                                 json_pack("{s:s,s:s,s:s}", "command", "revoke", "serial", serial,
                                           "reason", "keyCompromise"),
                                 &e);

        assert_non_null(done);
        assert_int_equal(json_is_true(json_object_get(done, "already")), i == 1);
    }
    assert_true(world_crl_has(w, ra));
    nf_request(w, &n);
    buf_free(&nested);
    nested = world_wrap(w, buf_span(&n.request), n.id, CMP_ASSURANCE_MAC, key, ra);
    /* what its network functions send waits for another RA, or for another certificate of this one
     */
    world_submit(w, buf_span(&n.request), buf_span(&nested), &answer);
    nf_is_deferred(&answer, CMP_SIGNER_NOT_TRUSTED, "the RA's certificate is revoked");
    world_submit(w, buf_span(&n.request), buf_span(&n.nested), &answer);
    X509_free(nf_issued(&answer));
    assert_null(world_ask(w,
                          json_pack("{s:s,s:s,s:s}", "command", "revoke", "serial",
                                    "40000000000000000000000000000000", "reason", "superseded"),
                          &e));
    assert_int_equal(e.code, ERR_NOTFOUND);
}

/* Killed at another moment each time; then the same request gets one certificate, and always that.
 */
static void
a_kill_at_any_moment_loses_nothing_and_issues_nothing_twice(void **state)
{
    struct world *w = *state;

    for (unsigned i = 0; i < KILLS; i++) {
        CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
        CLEANUP(answer_free) struct answer answer = {0};
        CLEANUP(answer_free) struct answer again = {0};
        const struct timespec pause = {.tv_nsec = (long)i * 1000 * 1000};

        world_send_submit(w, buf_span(&n.request), buf_span(&n.nested));
        (void)nanosleep(&pause, NULL);
        world_kill(w);
        world_start_and_kill(w, i * 10);
        world_start(w);
        world_submit(w, buf_span(&n.request), buf_span(&n.nested), &answer);
        X509_free(nf_issued(&answer));
        world_kill(w);
        world_start(w);
        world_submit(w, buf_span(&n.request), buf_span(&n.nested), &again);
        assert_true(span_equal(answer.m.body, again.m.body));
    }
}

static void
it_ends_in_order_and_begins_again(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
    CLEANUP(answer_free) struct answer answer = {0};
    CLEANUP(admin_json_cleanup) json_t *status = NULL;
    struct err e = {0};

    assert_int_equal(world_stop(w), 0);
    world_start(w);
    assert_int_equal(world_end(w, SIGINT), 0);
    world_start(w);
    world_submit(w, buf_span(&n.request), buf_span(&n.nested), &answer);
    X509_free(nf_issued(&answer));
    status = world_ask(w, json_pack("{s:s}", "command", "status"), &e);
    assert_non_null(status);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(status, "record"), "open")),
                     0);
}

static json_int_t
revoked(struct world *w)
{
    CLEANUP(admin_json_cleanup) json_t *status = NULL;
    struct err e = {0};

    status = world_ask(w, json_pack("{s:s}", "command", "status"), &e);
    assert_non_null(status);
    return json_integer_value(json_object_get(json_object_get(status, "record"), "revoked"));
}

/* The serial number of what was to be signed goes on the CRL, in case that it was. */
static void
what_the_signer_refuses_is_given_up(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
    CLEANUP(answer_free) struct answer answer = {0};
    json_int_t before = revoked(w);

    assert_int_equal(world_stop(w), 0);
    world_signer_days(w, 1);
    world_start(w);
    for (int i = 0; i < 2; i++) {
        world_submit(w, buf_span(&n.request), buf_span(&n.nested), &answer);
        nf_is_refused(&answer, CMP_SYSTEM_FAILURE);
    }
    assert_int_equal(revoked(w), before + 1);
    assert_int_equal(world_stop(w), 0);
    world_signer_days(w, 1095);
    world_start(w);
    nf_request(w, &n);
    world_submit(w, buf_span(&n.request), buf_span(&n.nested), &answer);
    X509_free(nf_issued(&answer)); /* the use was given back */
}

/* The log says how many were finished, and how many given up. */
static void
recovered(struct world *w, const char *says)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.log", w->dir);
    CLEANUP(buf_free) struct buf text = BUF_INIT(1024 * 1024);
    struct err e = {0};

    assert_ok(file_read(path, &text, &e), &e);
    assert_non_null(memmem(text.p, text.n, says, strlen(says)));
}

static void
what_the_signer_refuses_after_a_restart_is_given_up(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf first = nf_new(w, BY_MAC, 1);
    CLEANUP(nf_free) struct nf second = nf_new(w, BY_MAC, 1);
    CLEANUP(answer_free) struct answer answer = {0};
    json_int_t before = revoked(w);

    assert_int_equal(world_stop(w), 0);
    nf_leave_intent(w, &first, 300);
    nf_leave_intent(w, &second, 300);
    world_signer_days(w, 1);
    world_start(w);
    recovered(w, "0 intents were finished, 2 given up");
    assert_int_equal(revoked(w), before + 2);
    world_submit(w, buf_span(&first.request), buf_span(&first.nested), &answer);
    nf_is_refused(&answer, CMP_SYSTEM_FAILURE);
    assert_int_equal(world_stop(w), 0);
    world_signer_days(w, 1095);
    nf_request(w, &first);
    nf_request(w, &second);
    nf_leave_intent(w, &first, 300);
    nf_leave_intent(w, &second, 300);
    world_start(w);
    recovered(w, "2 intents were finished, 0 given up");
    world_submit(w, buf_span(&first.request), buf_span(&first.nested), &answer);
    X509_free(nf_issued(&answer));
}

/* What the log's signer has not signed is not answered, though it is in the database: its signer
 * stands still meanwhile. */
static void
an_answer_waits_for_the_checkpoint_over_it(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
    CLEANUP(buf_free)
    struct buf nested = world_wrap(w, buf_span(&n.request), "00000000000000000000000000000000",
                                   CMP_ASSURANCE_MAC, w->ra_key, w->ra);
    CLEANUP(answer_free) struct answer a = {0};
    struct pollfd answered = {.fd = w->link, .events = POLLIN};
    json_int_t refused;
    int early;
    pid_t log;

    world_settle(w);
    refused = world_record(w, "refused");
    log = world_hold_signer(w, "log");
    world_send_submit(w, buf_span(&n.request), buf_span(&nested));
    while (world_record(w, "refused") == refused) {
        (void)usleep(1000);
    }
    /* whatever went on at once has gone on behind another question */
    refused = world_record(w, "refused") - refused;
    early = poll(&answered, 1, 0);
    assert_int_equal(test_kill(log, SIGCONT), 0);
    assert_int_equal(refused, 1);
    assert_int_equal(early, 0);
    world_receive(w, &a);
    assert_int_equal(a.m.type, LINK_REFUSED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_request_gets_the_same_certificate),
        cmocka_unit_test(a_used_up_registration_gives_nothing),
        cmocka_unit_test(what_no_known_ra_signed_decides_nothing),
        cmocka_unit_test(an_ra_cannot_pass_off_a_request_as_another_ones),
        cmocka_unit_test(a_key_of_another_owner_is_refused),
        cmocka_unit_test(registrations_have_one_owner_and_a_known_registrar),
        cmocka_unit_test(what_is_confirmed_stays_and_what_is_rejected_is_revoked),
        cmocka_unit_test(an_officer_revokes_an_ra_and_it_is_over),
        cmocka_unit_test(a_kill_at_any_moment_loses_nothing_and_issues_nothing_twice),
        cmocka_unit_test(what_the_signer_refuses_is_given_up),
        cmocka_unit_test(what_the_signer_refuses_after_a_restart_is_given_up),
        cmocka_unit_test(an_answer_waits_for_the_checkpoint_over_it),
        cmocka_unit_test(it_ends_in_order_and_begins_again),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
