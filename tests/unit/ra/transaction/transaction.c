/* SPDX-License-Identifier: Apache-2.0 */
/* What a network function hears when it begins a transaction; what is kept of it. */
#include "ra/transaction/transaction.h"

#include <openssl/cmp.h>
#include <string.h>

#include "ca/cmp/message/body.h"
#include "ca/cmp/protection/protect.h"
#include "ra/daemon/budget.h"
#include "tests/support/forge.h"
#include "tests/unit/ra/transaction/talking.h"

/* ---- what a test wants to know ---- */

static void
spend(struct budget *budget, struct span key, int n)
{
    for (int i = 0; i < n; i++) {
        assert_int_equal(budget_take(budget, key, clock_monotonic_ms()), 0);
    }
}

/* ---- a CA that ---- */

static void
issues_to_somebody_else(struct running *w, link_peer peer, const struct link_message *m)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(LINK_CERTIFICATE_MAX);
    struct link_message issued = {.type = LINK_ISSUED, .id = m->id};
    struct err e = {0};

    if (m->type != LINK_SUBMIT) {
        running_ca_does(w, peer, m);
        return;
    }
    assert_ok(OSSL_ENCODE(X509, w->officer, &der, &e), &e);
    issued.body = buf_span(&der);
    link_server_answer(w->ca, peer, &issued);
}

/* ---- the way ---- */

static void
an_enrolment_goes_its_way(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    member_enrols(w, &m);
    assert_int_equal(w->asked[LINK_SUBMIT], 2);
}

static void
a_request_that_is_repeated_is_somebodys_copy_and_costs_nothing(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    member_requests(&m, CMP_IR);
    talking_hears(w, &m, CMP_IP);
    assert_int_equal(talking_tokens_left(w, &m), TALKING_BURST - 1);
    m.state.sender_nonce_size = CMP_NONCE_SIZE;
    member_is_refused(w, &m, CMP_ERROR, CMP_TRANSACTION_ID_IN_USE, "transactionID");
    assert_int_equal(talking_tokens_left(w, &m), TALKING_BURST - 1);
    assert_int_equal(w->asked[LINK_SUBMIT], 1);
}

/* Other octets, the same transactionID. */
static void
a_transaction_id_is_used_once(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(x509_name_cleanup) X509_NAME *name = member_name();
    struct err e = {0};

    member_requests(&m, CMP_IR);
    talking_hears(w, &m, CMP_IP);
    assert_ok(cmp_client_body_request(CMP_IR, m.key, name, &body, &e), &e);
    m.state.recip_nonce_size = 0;
    member_says(&m, false, buf_span(&body));
    member_is_refused(w, &m, CMP_ERROR, CMP_TRANSACTION_ID_IN_USE, "transactionID");
}

static void
what_is_refused_to_the_registered_one_is_remembered(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    assert_ok(cmp_client_body_request(CMP_IR, m.key, X509_get_subject_name(w->officer), &body, &e),
              &e);
    member_says(&m, true, buf_span(&body));
    member_is_refused(w, &m, CMP_IP, CMP_NOT_AUTHORIZED, "the subject is not the registered one");
    assert_int_equal(talking_tokens_left(w, &m), TALKING_BURST - 1);
    member_is_refused(w, &m, CMP_ERROR, CMP_TRANSACTION_ID_IN_USE, "transactionID");
    assert_int_equal(talking_tokens_left(w, &m), TALKING_BURST - 1);
    assert_int_equal(w->asked[LINK_SUBMIT], 0);
}

/* Anybody could have sent it: the registered one does not pay, and it is not remembered. */
static void
what_nobody_is_proven_to_have_sent_is_not_remembered(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    struct span right = m.client.secret;
    CLEANUP(heard_free) struct heard unproven = {0};
    CLEANUP(heard_free) struct heard proven = {0};

    m.client.secret = SPAN_LITERAL("a wrong secret");
    member_requests(&m, CMP_IR);
    for (int i = 0; i < 2; i++) {
        struct cmp_client_state s = m.state;

        m.client.secret = right;
        member_is_refused(w, &m, CMP_ERROR, CMP_BAD_MESSAGE_CHECK, "");
        m.state = s;
    }
    assert_int_equal(talking_tokens_left(w, &m), TALKING_BURST);
    unproven = running_post(w, buf_span(&m.message));
    assert_int_equal(talking_protection_of(unproven.body), CMP_PROTECTION_SIGNATURE);
    member_requests(&m, CMP_IR);
    proven = running_post(w, buf_span(&m.message));
    assert_int_equal(talking_protection_of(proven.body), CMP_PROTECTION_MAC);
}

static void
what_is_not_of_now_is_neither_remembered_nor_paid_for(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    m.client.time = clock_now() - 3600;
    member_requests(&m, CMP_IR);
    for (int i = 0; i < 2; i++) {
        member_is_refused(w, &m, CMP_ERROR, CMP_BAD_TIME, "messageTime is");
    }
    assert_int_equal(talking_tokens_left(w, &m), TALKING_BURST);
}

static void
who_begins_too_much_waits(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(heard_free) struct heard h = {0};

    spend(w->ra.by_registration, span_str(m.id), TALKING_BURST - 1);
    member_requests(&m, CMP_IR);
    talking_hears(w, &m, CMP_IP);
    member_requests(&m, CMP_IR);
    h = running_post(w, buf_span(&m.message));
    talking_is_busy(&h, &m, CMP_SYSTEM_UNAVAIL, "too many transactions were begun", NULL);
    assert_non_null(memmem(h.octets.p, h.octets.n, "\r\nRetry-After: 3", 16)); /* 3600 or so */
    assert_int_equal(w->asked[LINK_SUBMIT], 1);
}

static void
a_second_certificate_is_not_registered(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    member_enrols(w, &m);
    member_requests(&m, CMP_IR);
    member_is_refused(w, &m, CMP_IP, CMP_NOT_AUTHORIZED,
                      "the registration's certificates were all issued");
    member_is_refused(w, &m, CMP_ERROR, CMP_TRANSACTION_ID_IN_USE, "transactionID");
}

static void
implicit_confirmation_is_granted_where_it_is_asked_for_and_allowed(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(member_free) struct member other = running_member(w);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer b = {0};
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer c = {0};
    struct err e = {0};

    m.client.implicit_confirm = true;
    member_requests(&m, CMP_IR);
    a = member_asks(w, &m);
    assert_int_equal(a.body, CMP_IP);
    assert_true(a.implicit_confirm);
    w->settings->implicit_confirm = false;
    other.client.implicit_confirm = true;
    member_requests(&other, CMP_IR);
    b = member_asks(w, &other);
    w->settings->implicit_confirm = true;
    assert_false(b.implicit_confirm);
    /* a kur is never (RFC 9483 4.1.3) */
    m.certificate = certificate_parse(buf_span(&a.certificate), &e);
    m.client.certificate = m.certificate;
    member_requests(&m, CMP_KUR);
    m.key = TAKE(m.key);
    c = member_asks(w, &m);
    assert_int_equal(c.body, CMP_KUP);
    assert_false(c.implicit_confirm);
}

/* ---- no transaction ---- */

static void
what_is_no_message_of_anybody_is_answered_with_a_signed_error(void **state)
{
    struct running *w = *state;
    CLEANUP(heard_free) struct heard h = {0};
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *answer = NULL;
    struct cmp_status_info said;
    enum cmp_failure failure;
    struct err e = {0};

    h = running_post(w, SPAN_LITERAL("hello"));
    assert_int_equal(h.status, 200);
    answer = cmp_msg_parse(h.body, CMP_MESSAGE_MAX, &e);
    assert_non_null(answer);
    assert_int_equal(cmp_msg_body(answer), CMP_ERROR);
    assert_ok(cmp_error_read(answer, &said, &failure, &e), &e);
    assert_int_equal(said.failures, 1U << CMP_BAD_DATA_FORMAT);
    assert_ok(cmp_signature_verify(answer, w->certificate, &failure, &e), &e);
}

/* ---- how it is answered ---- */

/* Which certificates stand in an answer, in this order. */
static void
check_extra(struct span answer, X509 *const *certificates, size_t n)
{
    const unsigned char *p = answer.p;
    OSSL_CMP_MSG *msg = d2i_OSSL_CMP_MSG(NULL, &p, (long)answer.n);
    CLEANUP(buf_free) struct buf all = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    assert_non_null(msg);
    OSSL_CMP_MSG_free(msg);
    for (size_t i = 0; i < n; i++) {
        assert_ok(OSSL_ENCODE(X509, certificates[i], &all, &e), &e);
    }
    assert_true(answer.n > all.n);
    assert_memory_equal(answer.p + answer.n - all.n, all.p, all.n);
}

static size_t
count(struct span in, X509 *certificate)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};
    size_t n = 0;

    assert_ok(OSSL_ENCODE(X509, certificate, &der, &e), &e);
    for (size_t i = 0; i + der.n <= in.n; i++) {
        n += memcmp(in.p + i, der.p, der.n) == 0;
    }
    return n;
}

/* RFC 9483 3.3, 4.1.1, 4.1.3. */
static void
an_answer_brings_the_certificates_that_its_reader_needs(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(heard_free) struct heard ip = {0};
    CLEANUP(heard_free) struct heard kup = {0};
    CLEANUP(member_free) struct member n = running_member(w);
    X509 *by_mac[] = {w->pki->issuing, w->pki->root};
    X509 *by_signature[] = {w->certificate, w->pki->issuing, w->pki->root};

    member_requests(&m, CMP_IR);
    ip = running_post(w, buf_span(&m.message));
    check_extra(ip.body, by_mac, 2);
    assert_int_equal(count(ip.body, w->certificate), 0);
    assert_int_equal(count(ip.body, w->pki->root), 2); /* caPubs, too */
    member_enrols(w, &n);
    n.client.certificate = n.certificate;
    member_requests(&n, CMP_KUR);
    kup = running_post(w, buf_span(&n.message));
    check_extra(kup.body, by_signature, 3);
    assert_int_equal(count(kup.body, w->pki->root), 1); /* no caPubs */
}

/* The certificate says what is registered; who asked for something else is told so. */
static void
what_was_not_granted_is_said(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer as_asked = {0};
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer otherwise = {0};
    CLEANUP(member_free) struct member n = running_member(w);

    member_requests(&m, CMP_IR);
    as_asked = member_asks(w, &m);
    assert_int_equal(as_asked.status.status, CMP_ACCEPTED);
    w->ca_does = issues_to_somebody_else;
    member_requests(&n, CMP_IR);
    otherwise = member_asks(w, &n);
    assert_int_equal(otherwise.status.status, CMP_GRANTED_WITH_MODS);
}

#define TEST(name) cmocka_unit_test_setup(name, running_reset)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_enrolment_goes_its_way),
        TEST(a_request_that_is_repeated_is_somebodys_copy_and_costs_nothing),
        TEST(a_transaction_id_is_used_once),
        TEST(what_is_refused_to_the_registered_one_is_remembered),
        TEST(what_nobody_is_proven_to_have_sent_is_not_remembered),
        TEST(what_is_not_of_now_is_neither_remembered_nor_paid_for),
        TEST(who_begins_too_much_waits),
        TEST(a_second_certificate_is_not_registered),
        TEST(implicit_confirmation_is_granted_where_it_is_asked_for_and_allowed),
        TEST(what_is_no_message_of_anybody_is_answered_with_a_signed_error),
        TEST(an_answer_brings_the_certificates_that_its_reader_needs),
        TEST(what_was_not_granted_is_said),
    };

    return cmocka_run_group_tests(tests, talking_setup, running_teardown);
}
