/* SPDX-License-Identifier: Apache-2.0 */
/* Revocation requests (RFC 9483 4.2), and what an RA that lies could try with them. */
#include <signal.h>
#include <string.h>
#include <time.h>

#include "ca/link/admin.h"
#include "tests/support/kill.h"
#include "tests/unit/ca/daemon/holder.h"

enum { KILLS = 6, KEY_COMPROMISE = 1 };

struct rr {
    struct buf request;
    struct buf nested;
};

static void
rr_free(struct rr *r)
{
    buf_free(&r->request);
    buf_free(&r->nested);
}

/* Asked for with `signer`, under the registration of `of`. */
static struct rr
rr_new(struct world *w, const struct nf *of, X509 *signer, EVP_PKEY *key, X509 *target)
{
    const struct cmp_client client = {.certificate = signer, .key = key};
    struct rr r = {.request = BUF_INIT(CMP_MESSAGE_MAX)};
    struct cmp_client_state state;
    struct err e = {0};

    assert_ok(cmp_client_rr(&client, target, KEY_COMPROMISE, &state, &r.request, &e), &e);
    r.nested =
        world_wrap(w, buf_span(&r.request), of->id, CMP_ASSURANCE_SIGNATURE, w->ra_key, w->ra);
    return r;
}

static void
submit(struct world *w, struct rr *r, struct answer *answer)
{
    world_submit(w, buf_span(&r->request), buf_span(&r->nested), answer);
}

static void
is_refused(struct world *w, const struct nf *of, X509 *signer, EVP_PKEY *key, X509 *target,
           enum cmp_failure failure)
{
    CLEANUP(rr_free) struct rr r = rr_new(w, of, signer, key, target);
    CLEANUP(answer_free) struct answer answer = {0};

    submit(w, &r, &answer);
    nf_is_refused(&answer, failure);
}

static void
a_holder_revokes_its_own_and_the_crl_has_it_when_it_hears(void **state)
{
    struct world *w = *state;
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    CLEANUP(nf_free) struct nf n = holder_enrolled(w, 1, &certificate);
    CLEANUP(rr_free) struct rr r = rr_new(w, &n, certificate, n.key, certificate);
    CLEANUP(answer_free) struct answer answer = {0};

    submit(w, &r, &answer);
    assert_int_equal(answer.m.type, LINK_REVOKED);
    assert_true(world_crl_has(w, certificate));
    /* the same octets, now and after a restart; other octets are another request */
    submit(w, &r, &answer);
    assert_int_equal(answer.m.type, LINK_REVOKED);
    world_kill(w);
    world_start(w);
    submit(w, &r, &answer);
    assert_int_equal(answer.m.type, LINK_REVOKED);
    is_refused(w, &n, certificate, n.key, certificate, CMP_CERT_REVOKED);
}

static void
an_ra_and_a_registrar_revoke_for_a_network_function_and_never_for_us(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 2; i++) {
        CLEANUP(x509_cleanup) X509 *certificate = NULL;
        CLEANUP(nf_free) struct nf n = holder_enrolled(w, 1, &certificate);
        X509 *signer = i == 0 ? w->ra : w->registrar;
        EVP_PKEY *key = i == 0 ? w->ra_key : w->registrar_key;
        CLEANUP(rr_free) struct rr r = rr_new(w, &n, signer, key, certificate);
        CLEANUP(answer_free) struct answer answer = {0};

        is_refused(w, &n, signer, key, w->registrar, CMP_NOT_AUTHORIZED);
        is_refused(w, &n, signer, key, w->ra, CMP_NOT_AUTHORIZED);
        submit(w, &r, &answer);
        assert_int_equal(answer.m.type, LINK_REVOKED);
        assert_true(world_crl_has(w, certificate));
    }
}

static void
an_ra_that_lies_revokes_nothing(void **state)
{
    struct world *w = *state;
    CLEANUP(x509_cleanup) X509 *of_first = NULL;
    CLEANUP(x509_cleanup) X509 *of_second = NULL;
    CLEANUP(nf_free) struct nf first = holder_enrolled(w, 1, &of_first);
    CLEANUP(nf_free) struct nf second = holder_enrolled(w, 1, &of_second);
    CLEANUP(nf_free) struct nf vendor = nf_new(w, BY_VENDOR, 1);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *stranger = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *forged = pki_issue_officer(w->pki, "ra-cmp", stranger);
    CLEANUP(rr_free) struct rr r = rr_new(w, &first, of_first, first.key, of_first);
    CLEANUP(buf_free) struct buf message = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(answer_free) struct answer answer = {0};
    struct cmp_client_state s;
    struct err e = {0};

    /* a foreign serial number, whatever registration the RA names */
    is_refused(w, &first, of_first, first.key, of_second, CMP_NOT_AUTHORIZED);
    is_refused(w, &second, of_first, first.key, of_second, CMP_NOT_AUTHORIZED);
    /* with another key than the certificate's */
    is_refused(w, &first, of_first, second.key, of_first, CMP_BAD_MESSAGE_CHECK);
    /* with a vendor's certificate, and with one that says that it is an RA's */
    is_refused(w, &vendor, vendor.certificate, vendor.key, of_first, CMP_NOT_AUTHORIZED);
    is_refused(w, &first, forged, stranger, of_first, CMP_NOT_AUTHORIZED);
    /* what was never issued here */
    is_refused(w, &first, w->ra, w->ra_key, vendor.certificate, CMP_BAD_CERT_ID);
    /* by MAC */
    assert_ok(cmp_client_rr(&first.client, of_first, KEY_COMPROMISE, &s, &message, &e), &e);
    buf_free(&r.nested);
    r.nested = world_wrap(w, buf_span(&message), first.id, CMP_ASSURANCE_MAC, w->ra_key, w->ra);
    world_submit(w, buf_span(&message), buf_span(&r.nested), &answer);
    nf_is_refused(&answer, CMP_WRONG_INTEGRITY);
    /* and attested as signed */
    assert_ok(cmp_client_rr(&first.client, of_first, KEY_COMPROMISE, &s, &message, &e), &e);
    buf_free(&r.nested);
    r.nested =
        world_wrap(w, buf_span(&message), first.id, CMP_ASSURANCE_SIGNATURE, w->ra_key, w->ra);
    world_submit(w, buf_span(&message), buf_span(&r.nested), &answer);
    nf_is_refused(&answer, CMP_WRONG_INTEGRITY);
    assert_false(world_crl_has(w, of_first));
    assert_false(world_crl_has(w, of_second));
}

/* Killed at another moment each time: it is revoked once, and the CRL has it when it is said. */
static void
a_kill_at_any_moment_revokes_once(void **state)
{
    struct world *w = *state;

    for (unsigned i = 0; i < KILLS; i++) {
        CLEANUP(x509_cleanup) X509 *certificate = NULL;
        CLEANUP(nf_free) struct nf n = holder_enrolled(w, 1, &certificate);
        CLEANUP(rr_free) struct rr r = rr_new(w, &n, certificate, n.key, certificate);
        CLEANUP(answer_free) struct answer answer = {0};
        const struct timespec pause = {.tv_nsec = (long)i * 2 * 1000 * 1000};

        world_send_submit(w, buf_span(&r.request), buf_span(&r.nested));
        (void)nanosleep(&pause, NULL);
        world_kill(w);
        world_start_and_kill(w, i * 10);
        world_start(w);
        submit(w, &r, &answer);
        assert_int_equal(answer.m.type, LINK_REVOKED);
        assert_true(world_crl_has(w, certificate));
    }
}

static void
a_cancelled_registration_has_nothing_live(void **state)
{
    struct world *w = *state;
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    CLEANUP(nf_free) struct nf n = holder_enrolled(w, 1, &certificate);
    CLEANUP(answer_free) struct answer answer = {0};

    for (int i = 0; i < 2; i++) {
        world_send_cancel(w, n.id);
        world_receive(w, &answer);
        assert_int_equal(answer.m.type, LINK_CANCELLED);
        assert_true(world_crl_has(w, certificate));
    }
    is_refused(w, &n, certificate, n.key, certificate, CMP_CERT_REVOKED);
}

static json_int_t
status_of(struct world *w, const char *object, const char *member)
{
    CLEANUP(admin_json_cleanup) json_t *status = NULL;
    struct err e = {0};

    status = world_ask(w, json_pack("{s:s}", "command", "status"), &e);
    assert_non_null(status);
    return json_integer_value(json_object_get(json_object_get(status, object), member));
}

/* The intent is stored, the token hangs, the registration is cancelled, the token is there again:
 * nothing is issued, and the serial number that was to be signed is on the CRL. */
static void
a_cancel_ends_an_intent(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
    CLEANUP(answer_free) struct answer answer = {0};
    json_int_t certificates;
    json_int_t revoked;

    world_restart(w, "signer_timeout_ms = 500\n");
    certificates = status_of(w, "record", "certificates");
    revoked = status_of(w, "record", "revoked");
    (void)world_hold_signer(w, "issuing");
    world_submit(w, buf_span(&n.request), buf_span(&n.nested), &answer);
    assert_int_equal(answer.m.type, LINK_BUSY);
    assert_int_equal(status_of(w, "record", "open"), 1);
    world_send_cancel(w, n.id);
    world_receive(w, &answer);
    assert_int_equal(answer.m.type, LINK_CANCELLED);
    do {
        world_submit(w, buf_span(&n.request), buf_span(&n.nested), &answer);
    } while (answer.m.type == LINK_BUSY); /* until the signer is started anew */
    nf_is_refused(&answer, CMP_NOT_AUTHORIZED);
    assert_int_equal(status_of(w, "record", "open"), 0);
    assert_int_equal(status_of(w, "record", "certificates"), certificates);
    assert_int_equal(status_of(w, "record", "revoked"), revoked + 1);
    world_restart(w, "renewal_window = 0\n");
}

/* Cancelled while its request is on its way, at another moment each time, and killed: whatever was
 * issued is on the CRL in the end. */
static void
a_cancel_catches_what_is_on_its_way(void **state)
{
    struct world *w = *state;

    for (unsigned i = 0; i < 2 * KILLS; i++) {
        CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
        CLEANUP(answer_free) struct answer first = {0};
        CLEANUP(answer_free) struct answer second = {0};
        const struct answer *issued;
        const struct timespec pause = {.tv_nsec = (long)i * 1000 * 1000};

        world_send_submit(w, buf_span(&n.request), buf_span(&n.nested));
        (void)nanosleep(&pause, NULL);
        world_send_cancel(w, n.id);
        if (i % 2 == 0) {
            world_receive(w, &first);
            world_receive(w, &second);
        } else {
            world_kill(w);
            world_start(w);
            world_send_cancel(w, n.id);
            world_receive(w, &first);
            assert_int_equal(first.m.type, LINK_CANCELLED);
            world_submit(w, buf_span(&n.request), buf_span(&n.nested), &second);
        }
        issued = first.m.type == LINK_ISSUED ? &first : &second;
        if (issued->m.type == LINK_ISSUED) {
            CLEANUP(x509_cleanup) X509 *certificate = nf_issued(issued);

            assert_true(world_crl_has(w, certificate));
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_holder_revokes_its_own_and_the_crl_has_it_when_it_hears),
        cmocka_unit_test(an_ra_and_a_registrar_revoke_for_a_network_function_and_never_for_us),
        cmocka_unit_test(an_ra_that_lies_revokes_nothing),
        cmocka_unit_test(a_kill_at_any_moment_revokes_once),
        cmocka_unit_test(a_cancelled_registration_has_nothing_live),
        cmocka_unit_test(a_cancel_ends_an_intent),
        cmocka_unit_test(a_cancel_catches_what_is_on_its_way),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
