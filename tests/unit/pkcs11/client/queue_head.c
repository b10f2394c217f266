/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of an RA's queue, signed by the real nfpki-signer with a real token. */
#include "pkcs11/client/client.h"

#include <string.h>

#include "base/ossl.h"
#include "base/tlog/queue_head.h"
#include "tests/support/softhsm.h"
#include "tests/support/test.h"
#include "tests/unit/pkcs11/client/departure.h"
#include "tests/unit/pkcs11/client/world.h"

#define CMP(more) "cmp {\n sender = \"issuing.der\"\n bodies = {\"ip\"}\n" more "}"

static void
make_head(struct signer *s, struct buf *out)
{
    struct queue_head h = {.first = 1, .size = 1, .time = 1795467171};
    struct err e = {0};

    assert_ok(sha256(signer_spki(s), h.ra, &e), &e);
    assert_ok(queue_head_format(&h, out, &e), &e);
}

static void
a_head_is_signed_and_the_same_again(void **state)
{
    CLEANUP(buf_free) struct buf head = BUF_INIT(QUEUE_HEAD_TEXT_MAX);
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = NULL;
    uint8_t *digit;
    struct err e = {0};

    (void)state;
    world_write_policy(FAULTY, "issuing-signing-v1", CMP(" queue_heads = true\n"));
    s = world_start_well();
    make_head(s, &head);
    assert_ok(signer_sign(s, SIGNER_QUEUE_HEAD, buf_span(&head), &signature, &e), &e);
    world_verify(buf_span(&head), &signature);
    assert_ok(signer_sign(s, SIGNER_QUEUE_HEAD, buf_span(&head), &signature, &e), &e);
    assert_int_equal(signer_attempts(s), 2); /* and the journal has both */
    assert_err(signer_sign(s, SIGNER_CMP, buf_span(&head), &signature, &e), ERR_INPUT, &e);
    departure_make(NOTHING, &tbs);
    assert_err(signer_sign(s, SIGNER_QUEUE_HEAD, buf_span(&tbs), &signature, &e), ERR_INPUT, &e);
    assert_err(signer_sign_logged(s, SIGNER_QUEUE_HEAD, buf_span(&head), SPAN_LITERAL("evidence"),
                                  &signature, &e),
               ERR_INPUT, &e);
    digit = &head.p[sizeof("nfpki-queue-head/v1\nra ") - 1];
    *digit = *digit == '0' ? '1' : '0';
    assert_err(signer_sign(s, SIGNER_QUEUE_HEAD, buf_span(&head), &signature, &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "ra is not the key of this signer"));
    /* and reads what it wrote, at the next start */
    signer_free(TAKE(s));
    s = world_start_well();
    assert_int_equal(signer_attempts(s), 2);
    make_head(s, &head);
    assert_ok(signer_sign(s, SIGNER_QUEUE_HEAD, buf_span(&head), &signature, &e), &e);
}

/* As RAs of before had it. */
static void
no_head_is_signed_that_the_policy_does_not_name(void **state)
{
    static const char *const policies[] = {CMP(""), CMP(" queue_heads = false\n")};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
        CLEANUP(buf_free) struct buf head = BUF_INIT(QUEUE_HEAD_TEXT_MAX);
        CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
        CLEANUP(signer_cleanup) struct signer *s = NULL;
        struct err e = {0};

        world_write_policy(FAULTY, "issuing-signing-v1", policies[i]);
        s = world_start_well();
        make_head(s, &head);
        assert_err(signer_sign(s, SIGNER_QUEUE_HEAD, buf_span(&head), &signature, &e), ERR_DENIED,
                   &e);
        assert_non_null(strstr(e.text, "queue_heads: "));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_head_is_signed_and_the_same_again),
        TEST(no_head_is_signed_that_the_policy_does_not_name),
    };

    return cmocka_run_group_tests(tests, world_make, world_free);
}
