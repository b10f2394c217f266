/* SPDX-License-Identifier: Apache-2.0 */
/* A profile that demands two officers' approvals, and everybody who would rather do with less. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/unix.h"
#include "ca/cmp/message/phrase.h"
#include "ca/link/admin.h"
#include "ca/registration/approval.h"
#include "ca/x509/serial.h"
#include "tests/unit/ca/daemon/desk.h"

enum { DAY = 24 * 60 * 60, KILLS = 8 };

static json_int_t
approved(struct desk *s, const struct nf *n)
{
    struct err e = {0};
    CLEANUP(admin_json_cleanup) json_t *answer = desk_pending(s, n, &e);

    assert_non_null(answer);
    return json_integer_value(
        json_object_get(json_array_get(json_object_get(answer, "pending"), 0), "approved"));
}

static void
is_refused(struct desk *s, const struct approval *a, X509 *officer, EVP_PKEY *key,
           enum err_code code, const char *says)
{
    struct err e = {0};
    CLEANUP(admin_json_cleanup) json_t *answer = desk_decide(s, a, officer, key, &e);

    if (answer != NULL || e.code != code || strstr(e.text, says) == NULL) {
        fail_msg("\"%s\" (%s) instead of \"%s\"", answer != NULL ? "done" : e.text,
                 err_code_name(e.code), says);
    }
}

static void
two_officers_let_it_go_on_and_the_ra_is_told_unasked(void **state)
{
    struct desk *s = *state;
    CLEANUP(nf_free) struct nf n = desk_nf(s);
    CLEANUP(answer_free) struct answer a = {0};
    CLEANUP(answer_free) struct answer again = {0};
    CLEANUP(x509_cleanup) X509 *certificate = NULL;

    desk_submit(s, &n, &a);
    desk_is_waiting(&a);
    desk_officer(s, &n, true, true, "waiting");
    desk_officer(s, &n, true, true, "waiting"); /* once more is not one more */
    assert_int_equal(approved(s, &n), 1);
    desk_submit(s, &n, &a);
    desk_is_waiting(&a);
    desk_officer(s, &n, false, true, "approved");
    world_receive(s->w, &a);
    certificate = nf_issued(&a);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(certificate), n.key), 1);
    desk_submit(s, &n, &again);
    assert_true(span_equal(a.m.body, again.m.body));
}

static json_int_t
number(const json_t *entry, const char *name)
{
    const json_t *value = json_object_get(entry, name);

    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

/* What a person sees before and after a decision, and what the decision is answered. */
static void
officers_are_shown_what_waits_and_who_has_decided(void **state)
{
    struct desk *s = *state;
    CLEANUP(nf_free) struct nf n = desk_nf(s);
    CLEANUP(answer_free) struct answer a = {0};
    struct approval approval = desk_document(s, &n);
    CLEANUP(mem_cleanup) char *serial = hex_dup(serial_of(s->alice));
    struct err e = {0};

    for (int decided = 0; decided <= 1; decided++) {
        CLEANUP(admin_json_cleanup)
        json_t *all = world_ask(s->w, json_pack("{s:s}", "command", "pending"), &e);
        CLEANUP(admin_json_cleanup) json_t *one = desk_pending(s, &n, &e);
        const json_t *entry = json_array_get(json_object_get(one, "pending"), 0);
        const json_t *decisions = json_object_get(entry, "decisions");
        size_t at = 0;

        /* the same stands in the list of all */
        while (!json_equal(json_array_get(json_object_get(all, "pending"), at), entry)) {
            at++;
            assert_true(at < json_array_size(json_object_get(all, "pending")));
        }
        assert_string_equal(desk_text(entry, "assurance"), "mac");
        assert_string_equal(desk_text(entry, "requester"), "");
        assert_string_equal(desk_text(entry, "homeDomain"), "5gc.mnc012.mcc345.3gppnetwork.org");
        assert_string_equal(desk_text(entry, "country"), "SE");
        assert_int_equal(json_array_size(json_object_get(entry, "nfTypes")), 1);
        assert_int_equal(json_array_size(json_object_get(entry, "fqdns")), 1);
        assert_int_equal(number(entry, "approvals"), 2);
        assert_int_equal(number(entry, "approved"), decided);
        assert_int_equal(number(entry, "missing"), 2 - decided);
        assert_int_equal(json_array_size(decisions), decided);
        if (decided == 0) {
            desk_officer(s, &n, true, true, "waiting");
        } else {
            const json_t *decision = json_array_get(decisions, 0);

            assert_string_equal(desk_text(decision, "serial"), serial);
            assert_string_equal(desk_text(decision, "decision"), "approve");
            assert_true(json_is_true(json_object_get(decision, "counts")));
            assert_int_equal(strlen(desk_text(decision, "time")), TIME_TEXT_SIZE - 1);
        }
    }
    for (int already = 0; already <= 1; already++) {
        CLEANUP(admin_json_cleanup)
        json_t *answer = desk_decide(s, &approval, already == 1 ? s->alice : s->bob,
                                     already == 1 ? s->alice_key : s->bob_key, &e);

        assert_non_null(answer);
        assert_string_equal(desk_text(answer, "decision"), "approve");
        assert_int_equal(number(answer, "approved"), 2);
        assert_int_equal(number(answer, "approvals"), 2);
        assert_true(json_is_boolean(json_object_get(answer, "already")));
        assert_int_equal(json_is_true(json_object_get(answer, "already")), already);
        if (already == 0) {
            world_receive(s->w, &a);
            X509_free(nf_issued(&a));
        } else {
            assert_string_equal(desk_text(answer, "state"), "closed");
        }
    }
    assert_null(desk_pending(s, &n, &e));
    assert_int_equal(e.code, ERR_NOTFOUND);
}

/* Its only certificate is issued: nothing waits for officers who could change nothing. */
static void
what_the_database_refuses_does_not_wait(void **state)
{
    struct desk *s = *state;
    CLEANUP(nf_free) struct nf n = desk_nf(s);
    CLEANUP(answer_free) struct answer a = {0};

    desk_officer(s, &n, true, true, "waiting");
    desk_officer(s, &n, false, true, "approved");
    world_receive(s->w, &a);
    X509_free(nf_issued(&a));
    nf_request(s->w, &n);
    desk_submit(s, &n, &a);
    nf_is_refused_for(&a, CMP_NOT_AUTHORIZED, phrase_text(PHRASE_USED_UP));
    desk_submit(s, &n, &a);
    nf_is_refused_for(&a, CMP_NOT_AUTHORIZED, phrase_text(PHRASE_USED_UP));
}

/* What another peer says about the same rid, and nobody signed, is that peer's alone. */
static void
a_refusal_that_nobody_stands_for_is_not_told(void **state)
{
    struct desk *s = *state;
    struct world *w = s->w;
    CLEANUP(nf_free) struct nf n = desk_nf(s);
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/link.sock", w->dir);
    CLEANUP(buf_free)
    struct buf forged =
        world_wrap(w, buf_span(&n.request), n.id, CMP_ASSURANCE_MAC, s->alice_key, w->ra);
    const struct link_message hello = {.type = LINK_HELLO};
    CLEANUP(answer_free) struct answer a = {0};
    int first = w->link;
    struct err e = {0};

    w->link = unix_connect(path, true, &e);
    assert_true(w->link >= 0);
    world_send(w, &hello);
    world_receive(w, &a);
    world_submit(w, buf_span(&n.request), buf_span(&forged), &a);
    nf_is_deferred(&a, CMP_BAD_MESSAGE_CHECK, "signature of the RA");
    (void)close(w->link);
    w->link = first;
    desk_officer(s, &n, true, true, "waiting");
    desk_officer(s, &n, false, true, "approved");
    world_receive(w, &a);
    X509_free(nf_issued(&a));
}

static void
what_waits_takes_none_of_the_links_places(void **state)
{
    enum { MANY = 3 };
    struct desk *s = *state;
    CLEANUP(answer_free) struct answer a = {0};
    struct nf all[MANY];

    for (size_t i = 0; i < MANY; i++) {
        all[i] = desk_nf(s);
    }
    for (size_t i = MANY; i > 0; i--) {
        desk_officer(s, &all[i - 1], true, false, "refused");
        world_receive(s->w, &a);
        nf_is_refused(&a, CMP_NOT_AUTHORIZED);
        nf_free(&all[i - 1]);
    }
}

static void
one_rejection_is_the_end(void **state)
{
    struct desk *s = *state;
    CLEANUP(nf_free) struct nf n = desk_nf(s);
    CLEANUP(answer_free) struct answer a = {0};
    struct approval late = desk_document(s, &n);

    desk_officer(s, &n, true, true, "waiting");
    desk_officer(s, &n, true, false, "refused"); /* on second thought */
    world_receive(s->w, &a);
    nf_is_refused(&a, CMP_NOT_AUTHORIZED);
    is_refused(s, &late, s->bob, s->bob_key, ERR_CONFLICT, "nothing waits");
    desk_submit(s, &n, &a);
    nf_is_refused(&a, CMP_NOT_AUTHORIZED);
    assert_true(span_equal(a.m.phrase, span_str(phrase_text(PHRASE_NOT_APPROVED))));
}

/* Whoever reaches the admin socket may hand in what he likes. */
static void
only_an_officers_approval_of_this_very_request_counts(void **state)
{
    struct desk *s = *state;
    struct world *w = s->w;
    CLEANUP(nf_free) struct nf n = desk_nf(s);
    CLEANUP(nf_free) struct nf other = desk_nf(s);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *foreign = pki_issue_officer(w->pki, "officer", key);
    CLEANUP(x509_cleanup) X509 *registrar_too = world_officer(w, "officer", "OAM", key);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other_key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *registrar = world_officer(w, "registrar", "OAM 2", other_key);
    CLEANUP(mem_cleanup) char *json = NULL;
    CLEANUP(buf_free) struct buf cms = BUF_INIT(APPROVAL_CMS_MAX);
    const struct approval good = desk_document(s, &n);
    const struct approval others = desk_document(s, &other);
    struct approval a = good;
    struct err e = {0};

    is_refused(s, &good, foreign, key, ERR_DENIED, "signer");
    /* ours, but no officers by the record */
    is_refused(s, &good, registrar, other_key, ERR_DENIED, "in this role");
    is_refused(s, &good, w->ra, w->ra_key, ERR_DENIED, "in this role");
    is_refused(s, &good, registrar_too, key, ERR_DENIED, "who registered");
    memcpy(a.rid, others.rid, sizeof(a.rid)); /* for another request */
    is_refused(s, &a, s->alice, s->alice_key, ERR_DENIED, "is not that of the request");
    a = good;
    memcpy(a.public_key, others.public_key, sizeof(a.public_key));
    is_refused(s, &a, s->alice, s->alice_key, ERR_DENIED, "publicKey");
    a = good;
    a.rid[0] ^= 1;
    is_refused(s, &a, s->alice, s->alice_key, ERR_NOTFOUND, "nothing waits");
    a = good;
    a.time = clock_now() - 2 * DAY;
    a.expires = clock_now() - DAY;
    is_refused(s, &a, s->alice, s->alice_key, ERR_DENIED, "expired");
    a = good;
    a.time = clock_now() + DAY;
    is_refused(s, &a, s->alice, s->alice_key, ERR_DENIED, "future");
    json = approval_format(&good);
    assert_ok(approval_sign(span_str(json), s->alice, s->alice_key, &cms, &e), &e);
    cms.p[cms.n - 1] ^= 1;
    assert_null(desk_hand_in(s, buf_span(&cms), &e));
    assert_int_equal(e.code, ERR_CRYPTO);
    assert_null(desk_hand_in(s, SPAN_LITERAL("nonsense"), &e));
    assert_int_equal(e.code, ERR_INPUT);
    assert_null(world_ask(w, json_pack("{s:s}", "command", "approve"), &e));
    assert_int_equal(e.code, ERR_INPUT);
    assert_int_equal(approved(s, &n), 0);
    assert_int_equal(approved(s, &other), 0);
}

static void
revoke_officer(struct desk *s, const X509 *certificate)
{
    const ASN1_INTEGER *number = X509_get0_serialNumber(certificate);
    CLEANUP(mem_cleanup)
    char *serial =
        hex_dup(span_of(ASN1_STRING_get0_data(number), (size_t)ASN1_STRING_length(number)));
    struct err e = {0};
    CLEANUP(admin_json_cleanup)
    json_t *answer = world_ask(s->w,
                               json_pack("{s:s,s:s,s:s}", "command", "revoke", "serial", serial,
                                         "reason", "cessationOfOperation"),
                               &e);

    assert_non_null(answer);
}

static void
a_revoked_officers_approval_does_not_count(void **state)
{
    struct desk *s = *state;
    CLEANUP(nf_free) struct nf n = desk_nf(s);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *carol = world_officer(s->w, "officer", "Carol", key);
    CLEANUP(answer_free) struct answer a = {0};
    struct err e = {0};
    struct approval approval = desk_document(s, &n);
    CLEANUP(admin_json_cleanup) json_t *answer = desk_decide(s, &approval, carol, key, &e);

    assert_non_null(answer);
    revoke_officer(s, carol);
    is_refused(s, &approval, carol, key, ERR_DENIED, "revoked");
    desk_officer(s, &n, true, true, "waiting");
    desk_submit(s, &n, &a);
    desk_is_waiting(&a);
    desk_officer(s, &n, false, true, "approved");
    world_receive(s->w, &a);
    X509_free(nf_issued(&a));
}

static void
what_is_no_longer_registered_is_refused_after_all(void **state)
{
    struct desk *s = *state;
    CLEANUP(nf_free) struct nf n = desk_nf(s);
    CLEANUP(answer_free) struct answer a = {0};
    bool cancelled = false;

    desk_officer(s, &n, true, true, "waiting");
    world_send_cancel(s->w, n.id);
    /* CANCELLED, and REFUSED for what waited, in any order */
    for (int i = 0; i < 2; i++) {
        world_receive(s->w, &a);
        if (a.m.type == LINK_CANCELLED) {
            cancelled = true;
        } else {
            nf_is_refused(&a, CMP_NOT_AUTHORIZED);
        }
    }
    assert_true(cancelled);
    desk_submit(s, &n, &a);
    nf_is_refused(&a, CMP_NOT_AUTHORIZED);
}

static void
a_kill_at_any_moment_loses_no_approval(void **state)
{
    struct desk *s = *state;
    struct world *w = s->w;

    for (unsigned i = 0; i < KILLS; i++) {
        CLEANUP(nf_free) struct nf n = desk_nf(s);
        CLEANUP(answer_free) struct answer a = {0};
        const struct timespec pause = {.tv_nsec = (long)i * 3 * 1000 * 1000};

        world_kill(w);
        world_start(w);
        desk_officer(s, &n, true, true, "waiting");
        world_kill(w);
        world_start(w);
        desk_submit(s, &n, &a); /* as an RA does with a new connection */
        desk_is_waiting(&a);
        assert_int_equal(approved(s, &n), 1);
        desk_officer(s, &n, false, true, "approved");
        (void)nanosleep(&pause, NULL);
        world_kill(w);
        world_start_and_kill(w, i * 10);
        world_start(w);
        desk_submit(s, &n, &a);
        while (a.m.type == LINK_BUSY) {
            desk_submit(s, &n, &a);
        }
        X509_free(nf_issued(&a));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_officers_let_it_go_on_and_the_ra_is_told_unasked),
        cmocka_unit_test(officers_are_shown_what_waits_and_who_has_decided),
        cmocka_unit_test(what_the_database_refuses_does_not_wait),
        cmocka_unit_test(a_refusal_that_nobody_stands_for_is_not_told),
        cmocka_unit_test(what_waits_takes_none_of_the_links_places),
        cmocka_unit_test(one_rejection_is_the_end),
        cmocka_unit_test(only_an_officers_approval_of_this_very_request_counts),
        cmocka_unit_test(a_revoked_officers_approval_does_not_count),
        cmocka_unit_test(what_is_no_longer_registered_is_refused_after_all),
        cmocka_unit_test(a_kill_at_any_moment_loses_no_approval),
    };

    return cmocka_run_group_tests(tests, desk_setup, desk_teardown);
}
