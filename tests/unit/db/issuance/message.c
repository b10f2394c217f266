/* SPDX-License-Identifier: Apache-2.0 */
/* What requests were made with, as it is published: out of the evidence, and without secrets. */
#include "db/issuance/message.h"

#include <string.h>

#include "db/ledger/messages.h"
#include "tests/unit/db/issuance/scene.h"

#define PEN "\x06\x09\x2b\x06\x01\x05\x05\x07\x05\x01"
#define REG_TOKEN PEN "\x01"
#define AUTHENTICATOR PEN "\x02"
#define ARCHIVE_OPTIONS PEN "\x04"
#define OLD_CERT_ID PEN "\x05"
#define CHALLENGE_PASSWORD "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07"

struct asked {
    struct message named;
    struct buf got;
};

static int
do_message(struct store_db *db, void *arg, struct err *e)
{
    struct asked *a = arg;

    return issuance_message(db, &a->named, &a->got, e);
}

/* Refused with this evidence, in which the message has this name. */
static bool
is_published(struct scene *s, struct span evidence, struct span message)
{
    struct asked a = {.named = {.kind = LEAF_REFUSAL}, .got = BUF_INIT(MESSAGE_MAX)};
    const struct octets o = scene_octets(1);
    struct refusing r = {.r = {.registration = s->id,
                               .ra_der = RA,
                               .profile = "nf-tls",
                               .evidence = evidence,
                               .queue_previous = span_of(o.key, sizeof(o.key)),
                               .fail_info = 2,
                               .phrase = "no",
                               .reason = "no",
                               .now = NOW}};
    struct err e = {0};
    bool there;

    assert_ok(sha256(message, a.named.sha256, &e), &e);
    r.r.rid = span_of(a.named.sha256, SHA256_SIZE);
    assert_ok(verb_call(s->store, do_refuse, &r, &e), &e);
    assert_int_equal(r.outcome, ISSUANCE_DONE);
    assert_ok(verb_call(s->store, do_message, &a, &e), &e);
    there = a.got.n > 0;
    assert_true(!there || span_equal(buf_span(&a.got), message));
    buf_free(&a.got);
    return there;
}

/* Alone, and in a Submission: SEQUENCE { INTEGER, OCTET STRING }. */
static void
a_message_with_a_secret_is_not_published(void **state)
{
    static const struct {
        const char *message;
        bool is_published;
    } rows[] = {
        {"asked", true},
        {"asked with " OLD_CERT_ID " as is right", true},
        {"asked with " REG_TOKEN "\x0c\x06secret", false},
        {"asked with " AUTHENTICATOR "\x0c\x06secret", false},
        {"asked with " ARCHIVE_OPTIONS, false},
        {CHALLENGE_PASSWORD "\x31\x08\x0c\x06secret", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct span message = span_str(rows[i].message);
        uint8_t submission[128] = {0x30, (uint8_t)(5 + message.n), 0x02, 0x01, 0x00,
                                   0x04, (uint8_t)message.n};

        memcpy(submission + 7, message.p, message.n);
        assert_int_equal(is_published(*state, message, message), rows[i].is_published);
        submission[7] ^= 1; /* another one */
        assert_int_equal(is_published(*state, span_of(submission, 7 + message.n),
                                      span_of(submission + 7, message.n)),
                         rows[i].is_published);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_message_with_a_secret_is_not_published, scene_setup,
                                        scene_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
