/* SPDX-License-Identifier: Apache-2.0 */
/* Renewal (RFC 9483 4.1.2 to 4.1.4), and what an RA that lies could try with it. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "tests/unit/ca/daemon/holder.h"

enum { KILLS = 8 };

static void
an_update_supersedes_when_it_is_confirmed_and_not_before(void **state)
{
    struct world *w = *state;
    CLEANUP(x509_cleanup) X509 *old = NULL;
    CLEANUP(nf_free) struct nf n = holder_enrolled(w, 1, &old);
    CLEANUP(nf_free) struct nf update = holder_asking(w, &n, CMP_KUR, old, n.key, NULL);
    CLEANUP(x509_cleanup) X509 *new = NULL;
    CLEANUP(answer_free) struct answer answer = {0};
    CLEANUP(answer_free) struct answer again = {0};

    holder_submit(w, &update, &answer);
    new = nf_issued(&answer);
    assert_int_equal(X509_NAME_cmp(X509_get_subject_name(new), X509_get_subject_name(old)), 0);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(new), update.key), 1);
    holder_is_live(w, &n, old, n.key);
    holder_confirm(w, &update, new, true, &again);
    assert_int_equal(again.m.type, LINK_CONFIRMED);
    holder_is_revoked(w, &n, old, n.key);
    holder_is_live(w, &n, new, update.key);
    /* the same octets get the same certificate still */
    holder_submit(w, &update, &again);
    assert_true(span_equal(answer.m.body, again.m.body));
}

static void
a_rejected_update_leaves_the_old_one_and_makes_room(void **state)
{
    struct world *w = *state;
    CLEANUP(x509_cleanup) X509 *old = NULL;
    CLEANUP(nf_free) struct nf n = holder_enrolled(w, 1, &old);
    CLEANUP(nf_free) struct nf first = holder_asking(w, &n, CMP_KUR, old, n.key, NULL);
    CLEANUP(nf_free) struct nf second = holder_asking(w, &n, CMP_KUR, old, n.key, NULL);
    CLEANUP(nf_free) struct nf third = holder_asking(w, &n, CMP_KUR, old, n.key, NULL);
    CLEANUP(x509_cleanup) X509 *rejected = NULL;
    CLEANUP(x509_cleanup) X509 *taken = NULL;
    CLEANUP(answer_free) struct answer answer = {0};

    holder_submit(w, &first, &answer);
    rejected = nf_issued(&answer);
    holder_is_refused(w, &second, CMP_DUPLICATE_CERT_REQ); /* the first one wins */
    holder_confirm(w, &first, rejected, false, &answer);
    assert_int_equal(answer.m.type, LINK_CONFIRMED);
    holder_is_live(w, &n, old, n.key);
    holder_is_revoked(w, &n, rejected, first.key);
    holder_submit(w, &third, &answer);
    taken = nf_issued(&answer);
    holder_confirm(w, &third, taken, true, &answer);
    assert_int_equal(answer.m.type, LINK_CONFIRMED);
    holder_is_revoked(w, &n, old, n.key);
}

static void
what_is_revoked_renews_nothing_and_confirms_nothing(void **state)
{
    struct world *w = *state;
    CLEANUP(x509_cleanup) X509 *old = NULL;
    CLEANUP(nf_free) struct nf n = holder_enrolled(w, 3, &old);
    CLEANUP(nf_free) struct nf update = holder_asking(w, &n, CMP_KUR, old, n.key, NULL);
    CLEANUP(nf_free) struct nf cr = holder_asking(w, &n, CMP_CR, old, n.key, NULL);
    CLEANUP(x509_cleanup) X509 *new = NULL;
    CLEANUP(answer_free) struct answer answer = {0};

    holder_submit(w, &update, &answer);
    new = nf_issued(&answer);
    world_revoke(w, old, "keyCompromise");
    /* whoever has the key of the old one must not end up with the new one */
    holder_confirm(w, &update, new, true, &answer);
    nf_is_refused(&answer, CMP_CERT_REVOKED);
    holder_is_refused(w, &cr, CMP_CERT_REVOKED);
    holder_is_revoked(w, &n, old, n.key);
}

static void
an_ra_that_lies_gets_nothing_out_of_renewal(void **state)
{
    struct world *w = *state;
    CLEANUP(x509_cleanup) X509 *of_first = NULL;
    CLEANUP(x509_cleanup) X509 *of_second = NULL;
    CLEANUP(nf_free) struct nf first = holder_enrolled(w, 1, &of_first);
    CLEANUP(nf_free) struct nf second = holder_enrolled(w, 1, &of_second);
    CLEANUP(nf_free)
    struct nf update = holder_asking(w, &first, CMP_KUR, of_first, first.key, NULL);
    CLEANUP(nf_free)
    struct nf stolen = holder_asking(w, &second, CMP_KUR, of_first, first.key, NULL);
    CLEANUP(nf_free) struct nf own = holder_asking(w, &first, CMP_KUR, w->ra, w->ra_key, NULL);
    CLEANUP(x509_cleanup) X509 *new = NULL;
    CLEANUP(buf_free) struct buf forged = {0};
    CLEANUP(buf_free) struct buf nested = {0};
    CLEANUP(answer_free) struct answer answer = {0};
    EVP_PKEY *right = update.client.key;

    /* under the registration of another network function */
    holder_is_refused(w, &stolen, CMP_NOT_AUTHORIZED);
    /* with the RA's own certificate */
    holder_is_refused(w, &own, CMP_NOT_AUTHORIZED);
    /* signed with another key than the certificate's */
    update.client.key = w->ra_key;
    holder_asks_again(w, &update, CMP_KUR, CMP_ASSURANCE_SIGNATURE);
    holder_is_refused(w, &update, CMP_BAD_MESSAGE_CHECK);
    /* attested as MAC */
    update.client.key = right;
    holder_asks_again(w, &update, CMP_KUR, CMP_ASSURANCE_MAC);
    holder_is_refused(w, &update, CMP_WRONG_INTEGRITY);
    holder_asks_again(w, &update, CMP_KUR, CMP_ASSURANCE_SIGNATURE);
    holder_submit(w, &update, &answer);
    new = nf_issued(&answer);
    /* superseded before the confirmation: a certConf that the RA made itself */
    update.client.key = w->ra_key;
    forged = holder_certconf(&update, new, true);
    nested = world_wrap(w, buf_span(&forged), update.id, CMP_ASSURANCE_SIGNATURE, w->ra_key, w->ra);
    world_submit(w, buf_span(&forged), buf_span(&nested), &answer);
    nf_is_refused(&answer, CMP_BAD_MESSAGE_CHECK);
    holder_is_live(w, &first, of_first, first.key);
}

/* By MAC a kur is nothing, whoever knows the secret. */
static void
a_kur_by_mac_is_refused(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 2);
    struct err e = {0};

    buf_free(&n.nested);
    assert_ok(cmp_client_request(&n.client, CMP_KUR, n.key, X509_get_subject_name(w->vendor),
                                 &n.state, &n.request, &e),
              &e);
    n.nested = world_wrap(w, buf_span(&n.request), n.id, CMP_ASSURANCE_MAC, w->ra_key, w->ra);
    holder_is_refused(w, &n, CMP_WRONG_INTEGRITY);
}

static void
a_holder_enrols_again_and_it_counts_unless_it_replaces(void **state)
{
    struct world *w = *state;
    CLEANUP(x509_cleanup) X509 *old = NULL;
    CLEANUP(nf_free) struct nf n = holder_enrolled(w, 2, &old);
    CLEANUP(nf_free) struct nf first = holder_asking(w, &n, CMP_CR, old, n.key, NULL);
    CLEANUP(nf_free) struct nf second = holder_asking(w, &n, CMP_CR, old, n.key, NULL);
    CLEANUP(answer_free) struct answer answer = {0};

    /* within the window and under the same profile: in the place of the old one, once */
    holder_submit(w, &first, &answer);
    X509_free(nf_issued(&answer));
    holder_is_refused(w, &second, CMP_DUPLICATE_CERT_REQ);
    holder_is_live(w, &n, old, n.key);
    /* out of the window: one more, up to what is registered */
    world_restart(w, "renewal_window = 66\n");
    nf_free(&first);
    first = holder_asking(w, &n, CMP_CR, old, n.key, NULL);
    holder_submit(w, &first, &answer);
    X509_free(nf_issued(&answer));
    nf_free(&second);
    second = holder_asking(w, &n, CMP_CR, old, n.key, NULL);
    holder_is_refused(w, &second, CMP_NOT_AUTHORIZED);
    world_restart(w, "renewal_window = 0\nreenrolment = \"refuse\"\n");
    nf_free(&second);
    second = holder_asking(w, &n, CMP_CR, old, n.key, NULL);
    holder_is_refused(w, &second, CMP_NOT_AUTHORIZED);
    world_restart(w, "renewal_window = 0\n");
}

/* RFC 9483 4.1.2: an ir may be signed with a certificate of this PKI. */
static void
an_ir_signed_with_a_live_certificate_gets_what_cr_would(void **state)
{
    struct world *w = *state;
    CLEANUP(x509_cleanup) X509 *old = NULL;
    CLEANUP(x509_cleanup) X509 *of_other = NULL;
    CLEANUP(nf_free) struct nf n = holder_enrolled(w, 2, &old);
    CLEANUP(nf_free) struct nf other = holder_enrolled(w, 1, &of_other);
    CLEANUP(nf_free) struct nf stolen = holder_asking(w, &other, CMP_IR, old, n.key, NULL);
    CLEANUP(nf_free) struct nf same = holder_asking(w, &n, CMP_IR, old, n.key, n.key);
    CLEANUP(nf_free) struct nf own = holder_asking(w, &n, CMP_IR, w->ra, w->ra_key, NULL);
    CLEANUP(nf_free) struct nf first = holder_asking(w, &n, CMP_IR, old, n.key, NULL);
    CLEANUP(nf_free) struct nf second = holder_asking(w, &n, CMP_IR, old, n.key, NULL);
    CLEANUP(answer_free) struct answer answer = {0};

    holder_is_refused(w, &stolen, CMP_NOT_AUTHORIZED); /* under another's registration */
    holder_is_refused(w, &own, CMP_NOT_AUTHORIZED);
    holder_is_refused(w, &same, CMP_BAD_CERT_TEMPLATE);
    /* in the place of the old one, once */
    holder_submit(w, &first, &answer);
    X509_free(nf_issued(&answer));
    holder_is_refused(w, &second, CMP_DUPLICATE_CERT_REQ);
    holder_is_live(w, &n, old, n.key);
    /* out of the window: one more, up to what is registered */
    world_restart(w, "renewal_window = 66\n");
    for (int i = 0; i < 2; i++) {
        CLEANUP(nf_free) struct nf more = holder_asking(w, &n, CMP_IR, old, n.key, NULL);

        holder_submit(w, &more, &answer);
        if (i == 0) {
            X509_free(nf_issued(&answer));
        } else {
            nf_is_refused(&answer, CMP_NOT_AUTHORIZED);
        }
    }
    world_restart(w, "renewal_window = 0\nreenrolment = \"refuse\"\n");
    nf_free(&second);
    second = holder_asking(w, &n, CMP_IR, old, n.key, NULL);
    holder_submit(w, &second, &answer);
    nf_is_refused(&answer, CMP_NOT_AUTHORIZED);
    assert_non_null(memmem(answer.m.phrase.p, answer.m.phrase.n, "ir is not accepted", 18));
    world_restart(w, "renewal_window = 0\n");
    world_revoke(w, old, "keyCompromise");
    nf_free(&second);
    second = holder_asking(w, &n, CMP_IR, old, n.key, NULL);
    holder_is_refused(w, &second, CMP_CERT_REVOKED);
}

/* The registration that pins what signs comes first, though that is a certificate of ours. */
static void
an_ir_is_first_of_all_for_the_registration_that_pins_its_certificate(void **state)
{
    struct world *w = *state;
    char uuid[NF_INSTANCE_ID_SIZE];
    CLEANUP(x509_cleanup) X509 *of_first = NULL;
    CLEANUP(nf_free) struct nf first = holder_enrolled(w, 1, &of_first);
    CLEANUP(nf_free) struct nf second = {.key = pki_key("P-256")};
    CLEANUP(nf_free) struct nf bootstrap = {0};
    CLEANUP(x509_cleanup) X509 *new = NULL;
    CLEANUP(answer_free) struct answer answer = {0};
    CLEANUP(mem_cleanup) char *proof = NULL;
    CLEANUP(buf_free) struct buf der = BUF_INIT(4096);
    uint8_t hash[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, of_first, &der, &e), &e);
    assert_ok(sha256(buf_span(&der), hash, &e), &e);
    hex_format(span_of(hash, sizeof(hash)), hex);
    proof = mem_printf("{\"kind\":\"certificate\",\"sha256\":\"%s\"}", hex);
    nf_uuid(uuid);
    second.cms = world_registration(w, uuid, 1, proof);
    world_registration_id(buf_span(&second.cms), second.id);
    world_register(w, buf_span(&second.cms), &answer);
    assert_int_equal(answer.m.type, LINK_REGISTERED);
    bootstrap = holder_asking(w, &second, CMP_IR, of_first, first.key, NULL);
    holder_submit(w, &bootstrap, &answer);
    new = nf_issued(&answer);
    holder_is_live(w, &first, of_first, first.key);
    holder_is_live(w, &second, new, bootstrap.key);
}

static void
too_early_says_from_when_and_the_same_key_needs_a_policy(void **state)
{
    struct world *w = *state;
    CLEANUP(x509_cleanup) X509 *old = NULL;
    CLEANUP(nf_free) struct nf n = holder_enrolled(w, 1, &old);
    CLEANUP(nf_free) struct nf early = holder_asking(w, &n, CMP_KUR, old, n.key, NULL);
    CLEANUP(nf_free) struct nf same = holder_asking(w, &n, CMP_KUR, old, n.key, n.key);
    CLEANUP(answer_free) struct answer answer = {0};

    world_restart(w, "renewal_window = 66\n");
    holder_submit(w, &early, &answer);
    nf_is_refused(&answer, CMP_NOT_AUTHORIZED);
    assert_non_null(memmem(answer.m.phrase.p, answer.m.phrase.n, "from 2", 6));
    world_restart(w, "renewal_window = 0\nallow_same_key_renewal = true\n");
    holder_submit(w, &same, &answer);
    X509_free(nf_issued(&answer));
    world_restart(w, "renewal_window = 0\n");
}

/* A network function that is registered by MAC under this uuid; `more` are further members. */
static struct nf
registered(struct world *w, const char *uuid, int certificates, const char *more,
           enum link_type expected)
{
    struct nf n = {.key = pki_key("P-256")};
    CLEANUP(mem_cleanup) char *proof = mem_printf(MAC "%s", more);
    CLEANUP(answer_free) struct answer answer = {0};
    struct err e = {0};

    n.algorithm = BUF_INIT(256);
    assert_ok(cmp_client_pbm(NID_sha256, 500, NID_hmacWithSHA256, &n.algorithm, &e), &e);
    n.cms = world_registration(w, uuid, certificates, proof);
    world_registration_id(buf_span(&n.cms), n.id);
    world_register(w, buf_span(&n.cms), &answer);
    if (answer.m.type != expected) {
        fail_msg("%s: %.*s", link_type_name(answer.m.type), (int)answer.m.phrase.n,
                 (const char *)answer.m.phrase.p);
    }
    n.client = (struct cmp_client){.reference = "reference",
                                   .secret = SPAN_LITERAL("a secret that the RA alone has"),
                                   .algorithm = buf_span(&n.algorithm),
                                   .key = n.key,
                                   .implicit_confirm = true};
    nf_request(w, &n);
    return n;
}

/* Keys are lost, and the operator registers the same network function again. */
static void
another_owner_comes_on_purpose_only(void **state)
{
    struct world *w = *state;
    char uuid[NF_INSTANCE_ID_SIZE];
    CLEANUP(nf_free) struct nf first = {0};
    CLEANUP(nf_free) struct nf second = {0};
    CLEANUP(mem_cleanup) char *supersedes = NULL;
    CLEANUP(x509_cleanup) X509 *old = NULL;
    CLEANUP(x509_cleanup) X509 *new = NULL;
    CLEANUP(answer_free) struct answer answer = {0};

    nf_uuid(uuid);
    first = registered(w, uuid, 1, "", LINK_REGISTERED);
    holder_submit(w, &first, &answer);
    old = nf_issued(&answer);
    {
        CLEANUP(nf_free) struct nf refused = registered(w, uuid, 2, "", LINK_REFUSED);
        CLEANUP(nf_free)
        struct nf wrong = registered(
            w, uuid, 1, ",\"supersedes\":\"00112233445566778899aabbccddeeff\"", LINK_REFUSED);

        assert_string_not_equal(refused.id, wrong.id);
    }
    supersedes = mem_printf(",\"supersedes\":\"%s\"", first.id);
    second = registered(w, uuid, 1, supersedes, LINK_REGISTERED);
    {
        /* whoever has the old key does not become the new owner */
        CLEANUP(nf_free)
        struct nf update = holder_asking(w, &second, CMP_KUR, old, first.key, NULL);

        holder_is_refused(w, &update, CMP_NOT_AUTHORIZED);
    }
    holder_submit(w, &second, &answer);
    new = nf_issued(&answer);
    holder_confirms(w, &second, new, true);
    holder_is_revoked(w, &second, old, first.key);
    holder_is_live(w, &second, new, second.key);
}

static void
wait_until_revoked(struct world *w, const struct nf *of, X509 *holder, EVP_PKEY *key)
{
    const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};
    bool revoked = false;

    while (!revoked) {
        CLEANUP(nf_free) struct nf probe = holder_asking(w, of, CMP_KUR, holder, key, key);
        CLEANUP(answer_free) struct answer answer = {0};

        (void)nanosleep(&pause, NULL);
        holder_submit(w, &probe, &answer);
        assert_int_equal(answer.m.type, LINK_REFUSED);
        revoked = answer.m.fail_info == CMP_CERT_REVOKED;
    }
}

/* The CA knows by itself when it is over; what was to be renewed lives on. */
static void
what_is_not_confirmed_in_time_is_revoked(void **state)
{
    static const char *const policies[] = {"revoke", "keep"};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
        CLEANUP(mem_cleanup)
        char *conf =
            mem_printf("renewal_window = 0\nconfirm_wait = 2\nunconfirmed = \"%s\"\n", policies[i]);
        CLEANUP(x509_cleanup) X509 *old = NULL;
        CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
        CLEANUP(nf_free) struct nf update = {0};
        CLEANUP(x509_cleanup) X509 *new = NULL;
        CLEANUP(answer_free) struct answer answer = {0};

        world_submit(w, buf_span(&n.request), buf_span(&n.nested), &answer);
        old = nf_issued(&answer);
        holder_confirms(w, &n, old, true);
        world_restart(w, conf);
        update = holder_asking(w, &n, CMP_KUR, old, n.key, NULL);
        holder_submit(w, &update, &answer);
        new = nf_issued(&answer);
        wait_until_revoked(w, &n, new, update.key);
        holder_is_live(w, &n, old, n.key);
        /* too late */
        holder_confirm(w, &update, new, true, &answer);
        nf_is_refused(&answer, CMP_CERT_CONFIRMED);
        world_restart(w, "renewal_window = 0\n");
    }
}

/* Killed at another moment each time: one certificate for one kur, and what it updates is
 * superseded exactly when the confirmation is in the record. */
static void
a_kill_at_any_moment_supersedes_exactly_what_is_confirmed(void **state)
{
    struct world *w = *state;

    for (unsigned i = 0; i < KILLS; i++) {
        CLEANUP(x509_cleanup) X509 *old = NULL;
        CLEANUP(nf_free) struct nf n = holder_enrolled(w, 1, &old);
        CLEANUP(nf_free) struct nf update = holder_asking(w, &n, CMP_KUR, old, n.key, NULL);
        CLEANUP(x509_cleanup) X509 *new = NULL;
        CLEANUP(answer_free) struct answer answer = {0};
        CLEANUP(buf_free) struct buf message = {0};
        CLEANUP(buf_free) struct buf nested = {0};
        const struct timespec pause = {.tv_nsec = (long)i * 2 * 1000 * 1000};

        world_send_submit(w, buf_span(&update.request), buf_span(&update.nested));
        (void)nanosleep(&pause, NULL);
        world_kill(w);
        world_start(w);
        holder_submit(w, &update, &answer);
        new = nf_issued(&answer);
        message = holder_certconf(&update, new, true);
        nested =
            world_wrap(w, buf_span(&message), update.id, CMP_ASSURANCE_SIGNATURE, w->ra_key, w->ra);
        world_send_submit(w, buf_span(&message), buf_span(&nested));
        (void)nanosleep(&pause, NULL);
        world_kill(w);
        world_start_and_kill(w, i * 10);
        world_start(w);
        world_submit(w, buf_span(&message), buf_span(&nested), &answer);
        assert_int_equal(answer.m.type, LINK_CONFIRMED);
        holder_is_revoked(w, &n, old, n.key);
        holder_is_live(w, &n, new, update.key);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_update_supersedes_when_it_is_confirmed_and_not_before),
        cmocka_unit_test(a_rejected_update_leaves_the_old_one_and_makes_room),
        cmocka_unit_test(what_is_revoked_renews_nothing_and_confirms_nothing),
        cmocka_unit_test(an_ra_that_lies_gets_nothing_out_of_renewal),
        cmocka_unit_test(a_kur_by_mac_is_refused),
        cmocka_unit_test(a_holder_enrols_again_and_it_counts_unless_it_replaces),
        cmocka_unit_test(an_ir_signed_with_a_live_certificate_gets_what_cr_would),
        cmocka_unit_test(an_ir_is_first_of_all_for_the_registration_that_pins_its_certificate),
        cmocka_unit_test(too_early_says_from_when_and_the_same_key_needs_a_policy),
        cmocka_unit_test(another_owner_comes_on_purpose_only),
        cmocka_unit_test(what_is_not_confirmed_in_time_is_revoked),
        cmocka_unit_test(a_kill_at_any_moment_supersedes_exactly_what_is_confirmed),
    };

    holder_time = clock_now(); /* nothing is newer than anything else */
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
