/* SPDX-License-Identifier: Apache-2.0 */
/* A kup that got lost, and a network function that does not want what it gets. */
#include <string.h>
#include <time.h>

#include "db/issuance/renewal.h"
#include "tests/unit/ca/daemon/holder.h"

enum { KILLS = 6 };

/* A kur that is `later` seconds newer than the first. */
static struct nf
kur_at(struct world *w, const struct nf *of, X509 *holder, int later, EVP_PKEY *key)
{
    const time_t first = holder_time;
    struct nf n;

    holder_time = first + later;
    n = holder_asking(w, of, CMP_KUR, holder, of->key, key);
    holder_time = first;
    return n;
}

static void
says(struct world *w, struct nf *n, enum cmp_failure failure, const char *text)
{
    CLEANUP(answer_free) struct answer answer = {0};

    holder_submit(w, n, &answer);
    nf_is_refused_for(&answer, failure, text);
}

static char *
serial_text(const X509 *certificate)
{
    const ASN1_INTEGER *number = X509_get0_serialNumber(certificate);

    return hex_dup(span_of(ASN1_STRING_get0_data(number), (size_t)ASN1_STRING_length(number)));
}

static void
a_newer_kur_for_the_same_key_gets_the_same_certificate(void **state)
{
    struct world *w = *state;

    /* confirmed in the transaction of the one, then of the other */
    for (int by_second = 0; by_second <= 1; by_second++) {
        CLEANUP(x509_cleanup) X509 *old = NULL;
        CLEANUP(nf_free) struct nf n = holder_enrolled(w, 1, &old);
        CLEANUP(nf_free) struct nf first = kur_at(w, &n, old, 0, NULL);
        CLEANUP(nf_free) struct nf second = kur_at(w, &n, old, 1, first.key);
        CLEANUP(nf_free) struct nf third = kur_at(w, &n, old, 2, first.key);
        CLEANUP(x509_cleanup) X509 *new = nf_enrol(w, &first);
        CLEANUP(x509_cleanup) X509 *same = nf_enrol(w, &second);
        CLEANUP(answer_free) struct answer answer = {0};

        assert_int_equal(X509_cmp(new, same), 0);
        holder_is_live(w, &n, old, n.key);
        holder_confirm(w, by_second != 0 ? &second : &first, new, true, &answer);
        assert_int_equal(answer.m.type, LINK_CONFIRMED);
        holder_is_revoked(w, &n, old, n.key);
        holder_is_live(w, &n, new, first.key);
        /* the same octets get the same answer, and what is over is over */
        X509_free(nf_enrol(w, &second));
        holder_confirm(w, by_second != 0 ? &first : &second, new, false, &answer);
        nf_is_refused(&answer, CMP_CERT_CONFIRMED);
        holder_is_refused(w, &third, CMP_CERT_REVOKED);
        holder_is_live(w, &n, new, first.key);
    }
}

static void
what_is_not_newer_or_not_the_holders_gets_nothing_again(void **state)
{
    struct world *w = *state;
    CLEANUP(x509_cleanup) X509 *old = NULL;
    CLEANUP(x509_cleanup) X509 *of_other = NULL;
    CLEANUP(nf_free) struct nf n = holder_enrolled(w, 1, &old);
    CLEANUP(nf_free) struct nf other = holder_enrolled(w, 1, &of_other);
    CLEANUP(nf_free) struct nf held_back = kur_at(w, &n, old, -1, NULL);
    CLEANUP(nf_free) struct nf first = kur_at(w, &n, old, 0, NULL);
    CLEANUP(nf_free) struct nf same_time = kur_at(w, &n, old, 0, first.key);
    CLEANUP(nf_free) struct nf stranger = kur_at(w, &other, of_other, 1, first.key);
    CLEANUP(nf_free) struct nf misled = kur_at(w, &other, old, 1, first.key);
    CLEANUP(nf_free) struct nf forged = kur_at(w, &n, old, 1, first.key);
    CLEANUP(x509_cleanup) X509 *new = nf_enrol(w, &first);
    CLEANUP(mem_cleanup) char *serial = serial_text(new);

    says(w, &same_time, CMP_DUPLICATE_CERT_REQ, serial);
    says(w, &held_back, CMP_DUPLICATE_CERT_REQ, "newer messageTime");
    holder_is_refused(w, &stranger, CMP_BAD_CERT_TEMPLATE); /* the key of another */
    holder_is_refused(w, &misled, CMP_BAD_MESSAGE_CHECK);   /* signed with another key */
    /* made by the RA itself */
    forged.client.key = w->ra_key;
    holder_asks_again(w, &forged, CMP_KUR, CMP_ASSURANCE_SIGNATURE);
    holder_is_refused(w, &forged, CMP_BAD_MESSAGE_CHECK);
    holder_is_live(w, &n, new, first.key);
    holder_is_live(w, &n, old, n.key);
}

static void
another_key_takes_the_place_of_what_was_not_confirmed(void **state)
{
    struct world *w = *state;
    CLEANUP(x509_cleanup) X509 *old = NULL;
    CLEANUP(nf_free) struct nf n = holder_enrolled(w, 1, &old);
    CLEANUP(nf_free) struct nf first = kur_at(w, &n, old, 0, NULL);
    CLEANUP(nf_free) struct nf second = kur_at(w, &n, old, 1, NULL);
    CLEANUP(x509_cleanup) X509 *lost = nf_enrol(w, &first);
    CLEANUP(x509_cleanup) X509 *new = nf_enrol(w, &second);
    CLEANUP(answer_free) struct answer answer = {0};

    holder_is_revoked(w, &n, lost, first.key);
    holder_is_live(w, &n, old, n.key);
    /* whoever finds the lost one cannot have it confirmed */
    holder_confirm(w, &first, lost, true, &answer);
    nf_is_refused(&answer, CMP_CERT_CONFIRMED);
    assert_non_null(memmem(answer.m.phrase.p, answer.m.phrase.n, "revoked", 7));
    holder_confirm(w, &second, new, true, &answer);
    assert_int_equal(answer.m.type, LINK_CONFIRMED);
    holder_is_revoked(w, &n, old, n.key);
    holder_is_live(w, &n, new, second.key);
}

static void
who_wants_nothing_must_wait(void **state)
{
    struct world *w = *state;
    CLEANUP(x509_cleanup) X509 *old = NULL;
    CLEANUP(nf_free) struct nf n = holder_enrolled(w, 1, &old);
    CLEANUP(x509_cleanup) X509 *of_other = NULL;
    CLEANUP(nf_free) struct nf other = holder_enrolled(w, 1, &of_other);

    for (int i = 0; i <= ISSUANCE_UNWANTED_MAX; i++) {
        CLEANUP(nf_free) struct nf kur = kur_at(w, &n, old, i, NULL);
        CLEANUP(x509_cleanup) X509 *new = NULL;
        CLEANUP(answer_free) struct answer answer = {0};

        if (i == ISSUANCE_UNWANTED_MAX) {
            says(w, &kur, CMP_SYSTEM_UNAVAIL, "the next is possible from 2");
        } else {
            new = nf_enrol(w, &kur);
            holder_confirm(w, &kur, new, false, &answer);
            assert_int_equal(answer.m.type, LINK_CONFIRMED);
        }
    }
    holder_is_live(w, &n, old, n.key);
    {
        CLEANUP(nf_free) struct nf kur = kur_at(w, &other, of_other, 0, NULL);

        X509_free(nf_enrol(w, &kur)); /* nobody else waits */
    }
}

static void
a_kur_after_a_confirmed_cr_hears_of_its_successor(void **state)
{
    struct world *w = *state;
    CLEANUP(x509_cleanup) X509 *old = NULL;
    CLEANUP(nf_free) struct nf n = holder_enrolled(w, 2, &old);
    CLEANUP(nf_free) struct nf cr = holder_asking(w, &n, CMP_CR, old, n.key, NULL);
    CLEANUP(nf_free) struct nf kur = kur_at(w, &n, old, 1, NULL);
    CLEANUP(nf_free) struct nf later = kur_at(w, &n, old, 2, NULL);
    CLEANUP(x509_cleanup) X509 *new = nf_enrol(w, &cr);
    CLEANUP(mem_cleanup) char *serial = serial_text(new);
    CLEANUP(mem_cleanup) char *successor = mem_printf("sign with its successor %s", serial);
    CLEANUP(mem_cleanup) char *revoked = mem_printf("successor %s is revoked", serial);
    CLEANUP(answer_free) struct answer answer = {0};

    holder_confirm(w, &cr, new, true, &answer);
    assert_int_equal(answer.m.type, LINK_CONFIRMED);
    says(w, &kur, CMP_DUPLICATE_CERT_REQ, successor);
    world_revoke(w, new, "keyCompromise");
    says(w, &later, CMP_DUPLICATE_CERT_REQ, revoked);
}

static void
what_was_rejected_is_made_once_more_by_option_only(void **state)
{
    static const char *const confs[] = {"renewal_window = 0\n",
                                        "renewal_window = 0\nretry_rejected = true\n"};
    struct world *w = *state;

    for (int tries = 0; tries <= 1; tries++) {
        CLEANUP(nf_free) struct nf n = nf_new(w, BY_CERTIFICATE, 3);

        world_restart(w, confs[tries]);
        for (int i = 0; i <= tries + 1; i++) {
            CLEANUP(x509_cleanup) X509 *new = NULL;
            CLEANUP(answer_free) struct answer answer = {0};

            nf_request(w, &n);
            if (i == tries + 1) {
                says(w, &n, CMP_NOT_AUTHORIZED, "register it anew");
                continue;
            }
            new = nf_enrol(w, &n);
            holder_confirm(w, &n, new, false, &answer);
            assert_int_equal(answer.m.type, LINK_CONFIRMED);
        }
    }
    world_restart(w, confs[0]);
}

/* Killed at another moment each time: one certificate, whoever asks again. */
static void
a_kill_at_any_moment_gives_no_second_certificate(void **state)
{
    struct world *w = *state;

    for (unsigned i = 0; i < KILLS; i++) {
        CLEANUP(x509_cleanup) X509 *old = NULL;
        CLEANUP(nf_free) struct nf n = holder_enrolled(w, 1, &old);
        CLEANUP(nf_free) struct nf first = kur_at(w, &n, old, 0, NULL);
        CLEANUP(nf_free) struct nf second = kur_at(w, &n, old, 1, i % 2 == 0 ? first.key : NULL);
        CLEANUP(x509_cleanup) X509 *lost = nf_enrol(w, &first);
        CLEANUP(x509_cleanup) X509 *new = NULL;
        CLEANUP(answer_free) struct answer answer = {0};
        const struct timespec pause = {.tv_nsec = (long)i * 2 * 1000 * 1000};

        world_send_submit(w, buf_span(&second.request), buf_span(&second.nested));
        (void)nanosleep(&pause, NULL);
        world_kill(w);
        world_start_and_kill(w, i * 10);
        world_start(w);
        new = nf_enrol(w, &second);
        assert_int_equal(X509_cmp(new, lost) == 0, i % 2 == 0);
        holder_confirm(w, &second, new, true, &answer);
        assert_int_equal(answer.m.type, LINK_CONFIRMED);
        holder_is_revoked(w, &n, old, n.key);
        holder_is_live(w, &n, new, second.key);
        if (i % 2 != 0) {
            holder_is_revoked(w, &n, lost, first.key);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_newer_kur_for_the_same_key_gets_the_same_certificate),
        cmocka_unit_test(what_is_not_newer_or_not_the_holders_gets_nothing_again),
        cmocka_unit_test(another_key_takes_the_place_of_what_was_not_confirmed),
        cmocka_unit_test(who_wants_nothing_must_wait),
        cmocka_unit_test(a_kur_after_a_confirmed_cr_hears_of_its_successor),
        cmocka_unit_test(what_was_rejected_is_made_once_more_by_option_only),
        cmocka_unit_test(a_kill_at_any_moment_gives_no_second_certificate),
    };

    holder_time = clock_now();
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
