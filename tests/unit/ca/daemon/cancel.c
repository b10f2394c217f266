/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a registration: on a registrar's signature, or by an officer at the CA. An RA that
 * lies ends nothing. */
#include <unistd.h>

#include "ca/link/admin.h"
#include "ca/registration/cancellation.h"
#include "ca/x509/serial.h"
#include "tests/unit/ca/daemon/nf.h"

enum { DAY = 24 * 60 * 60 };

/* It is as live as it was: its network function gets a certificate. */
static void
is_live(struct world *w, struct nf *n)
{
    X509_free(nf_enrol(w, n));
}

static void
is_refused(struct world *w, const char *id, struct span cms, const char *says)
{
    CLEANUP(answer_free) struct answer answer = {0};

    world_send_cancellation(w, id, cms);
    world_receive(w, &answer);
    nf_is_refused_for(&answer, CMP_NOT_AUTHORIZED, says);
}

static void
cannot_cancel(struct world *w, const struct nf *n, X509 *signer, EVP_PKEY *key, time_t at,
              const char *says)
{
    CLEANUP(buf_free) struct buf cms = world_cancellation(n->id, at, signer, key);

    is_refused(w, n->id, buf_span(&cms), says);
}

static void
an_ra_that_lies_ends_nothing(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
    CLEANUP(nf_free) struct nf other = nf_new(w, BY_MAC, 1);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *officer_key = pki_key("P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *gone_key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *officer = world_officer(w, "officer", "Alice", officer_key);
    CLEANUP(x509_cleanup) X509 *gone = world_officer(w, "registrar", "OAM 2", gone_key);
    CLEANUP(x509_cleanup) X509 *foreign = pki_issue_officer(w->pki, "registrar", gone_key);
    CLEANUP(buf_free)
    struct buf good = world_cancellation(n.id, clock_now(), w->registrar, w->registrar_key);
    CLEANUP(buf_free) struct buf registration = {0};
    const time_t now = clock_now();

    world_revoke(w, gone, "superseded");
    /* nobody signed it, or somebody who may not */
    is_refused(w, n.id, SPAN_LITERAL("{\"version\":1}"), "not signed");
    is_refused(w, n.id, SPAN_LITERAL("\x30\x00"), "not exactly one CMS");
    cannot_cancel(w, &n, w->ra, w->ra_key, now, "in this role");
    cannot_cancel(w, &n, officer, officer_key, now, "in this role");
    cannot_cancel(w, &n, gone, gone_key, now, "in this role");
    cannot_cancel(w, &n, foreign, gone_key, now, "signer");
    {
        CLEANUP(x509_cleanup) X509 *nf = nf_enrol(w, &other);

        cannot_cancel(w, &n, nf, other.key, now, "subjectAltName");
    }
    /* it is about another one, or something else was signed */
    is_refused(w, other.id, buf_span(&good), "another one");
    is_refused(w, n.id, buf_span(&n.cms), "cancellation");
    registration = world_registration(w, "b5f0a1de-5b0e-4a6c-9f5e-0d4f8f2f0009", 1, "1");
    is_refused(w, n.id, buf_span(&registration), "cancellation");
    good.p[good.n - 1] ^= 1;
    is_refused(w, n.id, buf_span(&good), "does not verify");
    /* the time */
    cannot_cancel(w, &n, w->registrar, w->registrar_key, now + (time_t)2 * CANCELLATION_SKEW_S,
                  "in the future");
    cannot_cancel(w, &n, w->registrar, w->registrar_key,
                  now - (time_t)(CANCELLATION_DAYS + 1) * DAY, "days ago");
    cannot_cancel(w, &n, w->registrar, w->registrar_key, now - (time_t)2 * CANCELLATION_SKEW_S,
                  "not yet when that was signed");
    is_live(w, &n);
    world_cancel(w, n.id);
}

/* What ended one registration says nothing about the next one of the same network function. */
static void
an_old_cancellation_does_not_end_what_follows(void **state)
{
    struct world *w = *state;
    char uuid[NF_INSTANCE_ID_SIZE];
    char first_id[CMP_REGISTRATION_ID_SIZE + 1];
    char second_id[CMP_REGISTRATION_ID_SIZE + 1];
    CLEANUP(buf_free) struct buf first = {0};
    CLEANUP(buf_free) struct buf second = {0};
    CLEANUP(buf_free) struct buf old = {0};
    CLEANUP(answer_free) struct answer answer = {0};

    nf_uuid(uuid);
    first = world_registration(w, uuid, 1, "{\"kind\":\"mac\"}");
    second = world_registration(w, uuid, 2, "{\"kind\":\"mac\"}");
    world_registration_id(buf_span(&first), first_id);
    world_registration_id(buf_span(&second), second_id);
    world_register(w, buf_span(&first), &answer);
    assert_int_equal(answer.m.type, LINK_REGISTERED);
    old = world_cancellation(first_id, clock_now(), w->registrar, w->registrar_key);
    world_send_cancellation(w, first_id, buf_span(&old));
    world_receive(w, &answer);
    assert_int_equal(answer.m.type, LINK_CANCELLED);
    world_register(w, buf_span(&second), &answer);
    assert_int_equal(answer.m.type, LINK_REGISTERED);
    is_refused(w, second_id, buf_span(&old), "another one");
    world_send_cancellation(w, first_id, buf_span(&old)); /* the same again: the same answer */
    world_receive(w, &answer);
    assert_int_equal(answer.m.type, LINK_CANCELLED);
    world_register(w, buf_span(&second), &answer);
    assert_int_equal(answer.m.type, LINK_REGISTERED); /* it is live still */
}

/* ---- who stands in the record ---- */

static void
the_record_says_who_ended_it(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf by_registrar = nf_new(w, BY_MAC, 1);
    CLEANUP(nf_free) struct nf by_officer = nf_new(w, BY_MAC, 1);
    CLEANUP(buf_free)
    struct buf cms =
        world_cancellation(by_registrar.id, clock_now(), w->registrar, w->registrar_key);
    CLEANUP(mem_cleanup) char *base64 = base64_dup(buf_span(&cms));
    CLEANUP(mem_cleanup) char *signed_member = mem_printf("\"cms\":\"%s\"", base64);
    CLEANUP(mem_cleanup) char *serial = hex_dup(serial_of(w->registrar));
    CLEANUP(mem_cleanup) char *registrar = mem_printf("\"registrar\":\"%s\"", serial);
    CLEANUP(mem_cleanup) char *person = mem_printf("\"by\":\"uid %u", (unsigned)geteuid());
    CLEANUP(answer_free) struct answer answer = {0};
    CLEANUP(admin_json_cleanup) json_t *done = NULL;
    CLEANUP(admin_json_cleanup) json_t *again = NULL;
    struct err e = {0};

    world_send_cancellation(w, by_registrar.id, buf_span(&cms));
    world_receive(w, &answer);
    assert_int_equal(answer.m.type, LINK_CANCELLED);
    X509_free(nf_enrol(w, &by_officer));
    done = world_ask(w, json_pack("{s:s,s:s}", "command", "cancel", "registration", by_officer.id),
                     &e);
    assert_non_null(done);
    assert_string_equal(json_string_value(json_object_get(done, "registration")), by_officer.id);
    assert_int_equal(json_integer_value(json_object_get(done, "revoked")), 1);
    assert_true(json_is_false(json_object_get(done, "already")));
    again = world_ask(w, json_pack("{s:s,s:s}", "command", "cancel", "registration", by_officer.id),
                      &e);
    assert_non_null(again);
    assert_true(json_is_true(json_object_get(again, "already")));
    assert_int_equal(world_stop(w), 0);
    assert_int_equal(world_leaves(w, "CANCEL", by_registrar.id, signed_member), 1);
    assert_int_equal(world_leaves(w, "CANCEL", by_registrar.id, registrar), 1);
    assert_int_equal(world_leaves(w, "CANCEL", by_officer.id, person), 1);
    world_start(w);
}

/* Newest first, and what has become of each. */
static void
an_officer_sees_what_is_registered(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 3);
    CLEANUP(admin_json_cleanup) json_t *before = NULL;
    CLEANUP(admin_json_cleanup) json_t *after = NULL;
    const json_t *first;
    struct err e = {0};

    X509_free(nf_enrol(w, &n));
    before = world_ask(w, json_pack("{s:s}", "command", "registrations"), &e);
    first = json_array_get(json_object_get(before, "registrations"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "id")), n.id);
    assert_string_equal(json_string_value(json_object_get(first, "state")), "live");
    assert_int_equal(json_integer_value(json_object_get(first, "certificates")), 3);
    assert_int_equal(json_integer_value(json_object_get(first, "used")), 1);
    world_cancel(w, n.id);
    after = world_ask(w, json_pack("{s:s}", "command", "registrations"), &e);
    first = json_array_get(json_object_get(after, "registrations"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "state")), "cancelled");
    assert_null(world_ask(w, json_pack("{s:s}", "command", "registration"), &e));
    assert_int_equal(e.code, ERR_INPUT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ra_that_lies_ends_nothing),
        cmocka_unit_test(an_old_cancellation_does_not_end_what_follows),
        cmocka_unit_test(the_record_says_who_ended_it),
        cmocka_unit_test(an_officer_sees_what_is_registered),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
