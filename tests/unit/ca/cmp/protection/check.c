/* SPDX-License-Identifier: Apache-2.0 */
/* One change to a good header each: what it is worth in a first message and in a later one. */
#include "ca/cmp/protection/check.h"

#include "ca/cmp/message/phrase.h"
#include "ca/cmp/protection/protect.h"
#include "tests/support/der_edit.h"
#include "tests/unit/ca/cmp/fixture.h"
#include "tests/unit/ca/cmp/protection/rules.h"

/* One change to a good header. */
enum change {
    NOTHING,
    PVNO_1,
    PVNO_3,
    PVNO_4,
    NO_TRANSACTION_ID,
    SHORT_TRANSACTION_ID,
    NO_SENDER_NONCE,
    SHORT_SENDER_NONCE,
    RECIP_NONCE,
    NO_TIME,
    EARLY,
    ALMOST_EARLY,
    LATE,
    ALMOST_LATE,
    NO_SENDER_KID,
    CONFIRM_WAIT,
    IMPLICIT_CONFIRM,
    EVIL_IMPLICIT_CONFIRM,
    BARE_IMPLICIT_CONFIRM,
    IMPLICIT_CONFIRM_AND_WAIT,
    OTHER_INFO,
    OLD_TRANSACTION_ID,
    SHORTER_TRANSACTION_ID,
    OLD_SENDER_NONCE,
    SHORTER_SENDER_NONCE,
    LONG_SENDER_NONCE,
};

static const struct {
    const char *name;
    enum change change;
    enum cmp_failure first; /* as an ir */
    enum cmp_failure later; /* as a certConf with recipNonce */
} rows[] = {
    {"good", NOTHING, CMP_NO_FAILURE, CMP_NO_FAILURE},
    {"pvno 1", PVNO_1, CMP_UNSUPPORTED_VERSION, CMP_UNSUPPORTED_VERSION},
    {"pvno 3", PVNO_3, CMP_NO_FAILURE, CMP_NO_FAILURE},
    {"pvno 4", PVNO_4, CMP_UNSUPPORTED_VERSION, CMP_UNSUPPORTED_VERSION},
    {"no transactionID", NO_TRANSACTION_ID, CMP_BAD_DATA_FORMAT, CMP_BAD_DATA_FORMAT},
    {"short transactionID", SHORT_TRANSACTION_ID, CMP_BAD_DATA_FORMAT, CMP_BAD_DATA_FORMAT},
    {"no senderNonce", NO_SENDER_NONCE, CMP_BAD_SENDER_NONCE, CMP_BAD_SENDER_NONCE},
    {"short senderNonce", SHORT_SENDER_NONCE, CMP_BAD_SENDER_NONCE, CMP_BAD_SENDER_NONCE},
    {"recipNonce the other way", RECIP_NONCE, CMP_BAD_RECIPIENT_NONCE, CMP_BAD_RECIPIENT_NONCE},
    {"no messageTime", NO_TIME, CMP_BAD_TIME, CMP_BAD_TIME},
    {"301 s early", EARLY, CMP_BAD_TIME, CMP_BAD_TIME},
    {"300 s early", ALMOST_EARLY, CMP_NO_FAILURE, CMP_NO_FAILURE},
    {"301 s late", LATE, CMP_BAD_TIME, CMP_BAD_TIME},
    {"300 s late", ALMOST_LATE, CMP_NO_FAILURE, CMP_NO_FAILURE},
    {"no senderKID", NO_SENDER_KID, CMP_BAD_MESSAGE_CHECK, CMP_BAD_MESSAGE_CHECK},
    /* harmless where it means nothing */
    {"confirmWaitTime", CONFIRM_WAIT, CMP_NO_FAILURE, CMP_NO_FAILURE},
    {"implicitConfirm", IMPLICIT_CONFIRM, CMP_NO_FAILURE, CMP_NO_FAILURE},
    {"unknown generalInfo", OTHER_INFO, CMP_NO_FAILURE, CMP_NO_FAILURE},
    {"implicitConfirm with a value", EVIL_IMPLICIT_CONFIRM, CMP_BAD_DATA_FORMAT,
     CMP_BAD_DATA_FORMAT},
    {"implicitConfirm without NULL", BARE_IMPLICIT_CONFIRM, CMP_BAD_DATA_FORMAT,
     CMP_BAD_DATA_FORMAT},
    {"implicitConfirm with confirmWaitTime", IMPLICIT_CONFIRM_AND_WAIT, CMP_BAD_REQUEST,
     CMP_BAD_REQUEST},
    {"transactionID of 8 octets", OLD_TRANSACTION_ID, CMP_BAD_DATA_FORMAT, CMP_BAD_DATA_FORMAT},
    {"transactionID of 7 octets", SHORTER_TRANSACTION_ID, CMP_BAD_DATA_FORMAT, CMP_BAD_DATA_FORMAT},
    {"senderNonce of 8 octets", OLD_SENDER_NONCE, CMP_BAD_SENDER_NONCE, CMP_BAD_SENDER_NONCE},
    {"senderNonce of 7 octets", SHORTER_SENDER_NONCE, CMP_BAD_SENDER_NONCE, CMP_BAD_SENDER_NONCE},
    {"senderNonce of 255 octets", LONG_SENDER_NONCE, CMP_NO_FAILURE, CMP_NO_FAILURE},
};

static const time_t now = 1795467171;

static void
apply(enum change change, bool first, struct cmp_header *h)
{
    static const uint8_t nonce[CMP_NONCE_SIZE] = "0123456789abcde";
    static const uint8_t long_nonce[CMP_NONCE_MAX] = {1};

    h->time = now;
    if (!first) {
        h->recip_nonce = span_of(nonce, sizeof(nonce));
    }
    switch (change) {
    case NOTHING:
        break;
    case PVNO_1:
        h->pvno = 1;
        break;
    case PVNO_3:
        h->pvno = 3;
        break;
    case PVNO_4:
        h->pvno = 4;
        break;
    case NO_TRANSACTION_ID:
        h->transaction_id = span_of(NULL, 0);
        break;
    case SHORT_TRANSACTION_ID:
        h->transaction_id.n = CMP_NONCE_SIZE - 1;
        break;
    case NO_SENDER_NONCE:
        h->sender_nonce = span_of(NULL, 0);
        break;
    case SHORT_SENDER_NONCE:
        h->sender_nonce.n = CMP_NONCE_SIZE - 1;
        break;
    case RECIP_NONCE:
        h->recip_nonce = first ? span_of(nonce, sizeof(nonce)) : span_of(NULL, 0);
        break;
    case NO_TIME:
        h->time = 0;
        break;
    case EARLY:
        h->time = now - 301;
        break;
    case ALMOST_EARLY:
        h->time = now - 300;
        break;
    case LATE:
        h->time = now + 301;
        break;
    case ALMOST_LATE:
        h->time = now + 300;
        break;
    case NO_SENDER_KID:
        h->sender_kid = span_of(NULL, 0);
        break;
    case CONFIRM_WAIT:
        h->confirm_wait = now;
        break;
    case IMPLICIT_CONFIRM:
        h->implicit_confirm = true;
        break;
    case EVIL_IMPLICIT_CONFIRM:
        h->info_oid = CMP_OID_IMPLICIT_CONFIRM;
        h->info_value = span_of("\x02\x01\x00", 3);
        break;
    case BARE_IMPLICIT_CONFIRM:
        h->info_oid = CMP_OID_IMPLICIT_CONFIRM;
        break;
    case IMPLICIT_CONFIRM_AND_WAIT:
        h->confirm_wait = now;
        h->info_oid = CMP_OID_IMPLICIT_CONFIRM;
        h->info_value = span_of("\x05\x00", 2);
        break;
    case OLD_TRANSACTION_ID:
        h->transaction_id.n = CMP_OLD_NONCE_MIN;
        break;
    case SHORTER_TRANSACTION_ID:
        h->transaction_id.n = CMP_OLD_NONCE_MIN - 1;
        break;
    case OLD_SENDER_NONCE:
        h->sender_nonce.n = CMP_OLD_NONCE_MIN;
        break;
    case SHORTER_SENDER_NONCE:
        h->sender_nonce.n = CMP_OLD_NONCE_MIN - 1;
        break;
    case LONG_SENDER_NONCE:
        h->sender_nonce = span_of(long_nonce, sizeof(long_nonce));
        break;
    case OTHER_INFO:
        h->info_oid = "1.2.3.4";
        h->info_value = span_of("\x02\x01\x00", 3);
        break;
    }
}

static struct cmp_msg *
message(const struct world *w, const struct cmp_client *c, enum change change, bool first)
{
    CLEANUP(x509_name_cleanup) X509_NAME *name = NULL;
    CLEANUP(buf_free) struct buf recipient = {0};
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    struct cmp_header h;
    struct err e = {0};

    assert_ok(cmp_header_first(&h, &e), &e);
    assert_ok(cmp_client_header(c, &h, &name, &recipient, &e), &e);
    apply(change, first, &h);
    if (first) {
        assert_ok(cmp_client_body_request(CMP_IR, w->key, w->subject, &body, &e), &e);
    } else {
        assert_ok(cmp_client_body_certconf(w->device, true, &body, &e), &e);
    }
    return sealed(c, &h, buf_span(&body));
}

static void
each_fault_of_a_header_gives_its_failinfo(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (int later = 0; later <= 1; later++) {
            CLEANUP(cmp_msg_cleanup)
            struct cmp_msg *msg = message(w, &w->mac, rows[i].change, later == 0);
            enum cmp_failure expected = later == 0 ? rows[i].first : rows[i].later;
            enum cmp_failure failure = CMP_SYSTEM_FAILURE;
            struct err e = {0};
            int result = later == 0 ? cmp_check_first(msg, &rules, &failure, &e)
                                    : cmp_check_later(msg, &rules, &failure, &e);

            if (result == 0) {
                result = cmp_check_time(msg, now, 300, 300, &failure, &e);
            }

            if (failure != expected || (result == 0) != (expected == CMP_NO_FAILURE)) {
                fail_msg("%s, %s: %s, expected %s: %s", rows[i].name,
                         later == 0 ? "first" : "later", cmp_failure_name(failure),
                         cmp_failure_name(expected), e.text);
            }
        }
    }
}

/* What a listener of "rfc4210" takes: exactly the rows that say so, and one flag for each. */
static void
an_old_client_is_taken_where_it_may_come(void **state)
{
    struct world *w = *state;
    static const struct {
        enum change change;
        struct cmp_lenience old;
    } single[] = {
        {OLD_TRANSACTION_ID, {.short_ids = true}},
        {OLD_SENDER_NONCE, {.short_ids = true}},
        {BARE_IMPLICIT_CONFIRM, {.implicit_without_null = true}},
        {NO_TIME, {.no_time = true}},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = message(w, &w->mac, rows[i].change, true);
        const bool taken =
            rows[i].change == NO_TIME || rows[i].change == SHORT_TRANSACTION_ID ||
            rows[i].change == SHORT_SENDER_NONCE || rows[i].change == OLD_TRANSACTION_ID ||
            rows[i].change == OLD_SENDER_NONCE || rows[i].change == BARE_IMPLICIT_CONFIRM;
        const enum cmp_failure expected = taken ? CMP_NO_FAILURE : rows[i].first;
        struct cmp_rules old = rules;
        enum cmp_failure failure = CMP_SYSTEM_FAILURE;
        struct err e = {0};

        old.old = cmp_lenience_rfc4210;
        if (cmp_check_first(msg, &old, &failure, &e) == 0) {
            (void)cmp_check_time(msg, now, 300, 300, &failure, &e);
        }
        if (failure != expected) {
            fail_msg("%s: %s, expected %s", rows[i].name, cmp_failure_name(failure),
                     cmp_failure_name(expected));
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(single); i++) {
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = message(w, &w->mac, single[i].change, true);
        struct cmp_rules old = rules;
        enum cmp_failure failure;
        struct err e = {0};

        old.old = single[i].old;
        assert_ok(cmp_check_first(msg, &old, &failure, &e), &e);
    }
}

/* With a MAC it says which secret, and is needed by all; with a signature its certificate does. */
static void
a_signature_without_senderkid_is_an_old_client_s(void **state)
{
    struct world *w = *state;
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = message(w, &w->signature, NO_SENDER_KID, true);
    struct cmp_rules old = rules;
    enum cmp_failure failure = CMP_NO_FAILURE;
    struct err e = {0};

    assert_ok(cmp_check_first(msg, &rules, &failure, &e), &e);
    assert_int_equal(cmp_check_signer(msg, &rules, w->device, &failure, &e), -1);
    assert_int_equal(failure, CMP_BAD_MESSAGE_CHECK);
    old.old.no_sender_kid = true;
    assert_ok(cmp_check_signer(msg, &old, w->device, &failure, &e), &e);
    assert_ok(cmp_signature_verify(msg, w->device, &failure, &e), &e);
}

static void
absent_time_passes_where_the_rules_allow_it(void **state)
{
    struct world *w = *state;
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = message(w, &w->mac, NO_TIME, true);
    struct cmp_rules lax = rules;
    enum cmp_failure failure;
    struct err e = {0};

    lax.time_required = false;
    assert_ok(cmp_check_first(msg, &lax, &failure, &e), &e);
}

static void
the_phrase_says_by_how_much_the_clocks_differ(void **state)
{
    static const struct {
        enum change change;
        const char *phrase;
    } clocks[] = {
        {EARLY, "messageTime is 301 s behind the time here: set the clock"},
        {LATE, "messageTime is 301 s ahead of the time here: set the clock"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = message(w, &w->mac, clocks[i].change, true);
        char phrase[PHRASE_SIZE];
        enum cmp_failure failure;
        struct err e = {0};

        assert_int_equal(cmp_check_time(msg, now, 300, 300, &failure, &e), -1);
        assert_int_equal(failure, CMP_BAD_TIME);
        phrase_tell(failure, &e, phrase);
        assert_string_equal(phrase, clocks[i].phrase);
        /* each way has its own limit */
        assert_int_equal(cmp_check_time(msg, now, i == 0 ? 301 : 0, i == 0 ? 0 : 301, &failure, &e),
                         0);
    }
}

static void
recip_nonce_must_be_our_last_one(void **state)
{
    struct world *w = *state;
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = message(w, &w->mac, NOTHING, false);
    enum cmp_failure failure;
    struct err e = {0};
    uint8_t nonce[CMP_NONCE_SIZE] = "0123456789abcde";

    assert_ok(cmp_check_recip_nonce(msg, span_of(nonce, sizeof(nonce)), &failure, &e), &e);
    nonce[15] ^= 1;
    assert_int_equal(cmp_check_recip_nonce(msg, span_of(nonce, sizeof(nonce)), &failure, &e), -1);
    assert_int_equal(failure, CMP_BAD_RECIPIENT_NONCE);
    assert_int_equal(cmp_check_recip_nonce(msg, span_of(nonce, 0), &failure, &e), -1);
}

/* RFC 9483 3.1: a directoryName, whatever protects the message. */
static void
a_sender_of_another_kind_is_refused(void **state)
{
    const struct {
        const char *name;
        struct span sender;
        bool good;
    } senders[] = {
        {"directoryName", SPAN_LITERAL("\xa4\x02\x30\x00"), true},
        {"otherName", SPAN_LITERAL("\xa0\x07\x06\x01\x2a\xa0\x02\x05\x00"), false},
        {"rfc822Name",
         SPAN_LITERAL("\x81\x03"
                      "a@b"),
         false},
        {"dNSName",
         SPAN_LITERAL("\x82\x03"
                      "amf"),
         false},
        {"x400Address", SPAN_LITERAL("\xa3\x02\x30\x00"), false},
        {"ediPartyName", SPAN_LITERAL("\xa5\x05\xa1\x03\x0c\x01x"), false},
        {"URI",
         SPAN_LITERAL("\x86\x03"
                      "a:b"),
         false},
        {"iPAddress", SPAN_LITERAL("\x87\x04\x0a\x00\x00\x01"), false},
        {"registeredID", SPAN_LITERAL("\x88\x01\x2a"), false},
        {"directoryName that is no Name", SPAN_LITERAL("\xa4\x02\x05\x00"), false},
    };
    struct world *w = *state;
    const struct cmp_client *clients[] = {&w->mac, &w->signature};

    for (size_t k = 0; k < ARRAY_LEN(clients); k++) {
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = message(w, clients[k], NOTHING, true);

        for (size_t i = 0; i < ARRAY_LEN(senders); i++) {
            CLEANUP(buf_free) struct buf changed = BUF_INIT(CMP_MESSAGE_MAX);
            CLEANUP(cmp_msg_cleanup) struct cmp_msg *other = NULL;
            enum cmp_failure failure = CMP_SYSTEM_FAILURE;
            struct err e = {0};

            assert_ok(der_edit(cmp_msg_der(msg), "0.1", senders[i].sender, &changed, &e), &e);
            other = parse_ok(buf_span(&changed));
            (void)cmp_check_first(other, &rules, &failure, &e);
            if (failure != (senders[i].good ? CMP_NO_FAILURE : CMP_BAD_MESSAGE_CHECK) ||
                (!senders[i].good && strcmp(e.text, "sender is not a directoryName") != 0)) {
                fail_msg("%s: %s: %s", senders[i].name, cmp_failure_name(failure), e.text);
            }
        }
    }
}

/* A certificate without subjectKeyIdentifier has none that could be repeated (RFC 9483 3.1). */
static void
a_signer_without_key_identifier_needs_none(void **state)
{
    struct world *w = *state;
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = message(w, &w->signature, NO_SENDER_KID, true);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *with = message(w, &w->signature, NOTHING, true);
    CLEANUP(x509_cleanup) X509 *bare = X509_dup(w->device);
    enum cmp_failure failure = CMP_SYSTEM_FAILURE;
    struct err e = {0};

    X509_EXTENSION_free(
        X509_delete_ext(bare, X509_get_ext_by_NID(bare, NID_subject_key_identifier, -1)));
    assert_ok(cmp_check_signer(msg, &rules, bare, &failure, &e), &e);
    assert_int_equal(failure, CMP_NO_FAILURE);
    assert_ok(cmp_check_signer(with, &rules, w->device, &failure, &e), &e);
    assert_int_equal(cmp_check_signer(msg, &rules, w->device, &failure, &e), -1);
    assert_int_equal(failure, CMP_BAD_MESSAGE_CHECK);
}

static void
the_nonce_that_comes_back_is_ours(void **state)
{
    struct world *w = *state;
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = message(w, &w->mac, NOTHING, false);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *without = message(w, &w->mac, RECIP_NONCE, false);
    const struct {
        const char *nonce;
        size_t n;
        bool good;
    } nonces[] = {
        {"0123456789abcde", CMP_NONCE_SIZE, true},
        {"0123456789abcde", CMP_NONCE_SIZE - 1, false},
        {"0123456789abcdx", CMP_NONCE_SIZE, false},
        {"x123456789abcde", CMP_NONCE_SIZE, false},
        {"", 0, false},
    };
    enum cmp_failure failure = CMP_SYSTEM_FAILURE;
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_LEN(nonces); i++) {
        (void)cmp_check_recip_nonce(msg, span_of(nonces[i].nonce, nonces[i].n), &failure, &e);
        assert_int_equal(failure, nonces[i].good ? CMP_NO_FAILURE : CMP_BAD_RECIPIENT_NONCE);
    }
    /* nothing is not equal to nothing */
    assert_int_equal(cmp_check_recip_nonce(without, span_of(NULL, 0), &failure, &e), -1);
    assert_int_equal(failure, CMP_BAD_RECIPIENT_NONCE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_of_a_header_gives_its_failinfo),
        cmocka_unit_test(an_old_client_is_taken_where_it_may_come),
        cmocka_unit_test(a_signature_without_senderkid_is_an_old_client_s),
        cmocka_unit_test(absent_time_passes_where_the_rules_allow_it),
        cmocka_unit_test(the_phrase_says_by_how_much_the_clocks_differ),
        cmocka_unit_test(recip_nonce_must_be_our_last_one),
        cmocka_unit_test(a_sender_of_another_kind_is_refused),
        cmocka_unit_test(a_signer_without_key_identifier_needs_none),
        cmocka_unit_test(the_nonce_that_comes_back_is_ours),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
