/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As who owns the parent's end of the socket: a hundred thousand frames, right ones, wrong ones,
 * and right ones with some octets changed. What is let through is in the log.
 */
#include "tests/support/test.h"

#include "pkcs11/client/protocol.h"

#include <string.h>

#include "base/ossl.h"
#include "pkcs11/signer/object.h"
#include "tests/unit/pkcs11/signer/scene.h"
#include "tests/unit/pkcs11/signer/scene_log.h"

enum { FRAMES = 50000, ANNOUNCED = 8, SILENT = 4, ALL = ANNOUNCED + SILENT, LEAVES = 40 };

static struct {
    struct scene_log log;
    struct policy *authority, *logger;
    struct buf tbs[ALL];
    struct buf evidence[ALL]; /* of a silent one: what it would be, in a log that is not pinned */
    uint64_t random;
} world;

/* xorshift64*: the same frames each time. */
static size_t
below(size_t n)
{
    world.random ^= world.random >> 12;
    world.random ^= world.random << 25;
    world.random ^= world.random >> 27;
    return (size_t)((world.random * 2685821657736338717ULL) >> 33) % n;
}

static void
make_tbs(int i)
{
    CLEANUP(mem_cleanup) char *serial = mem_printf("02{7f 01*14 %02x}", (unsigned)i);
    const struct scene_certificate c = {.serial = serial};

    world.tbs[i] = BUF_INIT(OBJECT_CERTIFICATE_MAX);
    world.evidence[i] = BUF_INIT(EVIDENCE_MAX);
    scene_certificate(&c, &world.tbs[i]);
}

static int
setup(void **state)
{
    struct scene_log other;
    struct err e = {0};

    (void)state;
    world.random = 0x6e66706b69;
    scene_log_begin(&world.log, SCENE_LOG_ORIGIN);
    scene_log_begin(&other, SCENE_LOG_ORIGIN);
    for (int i = 0; i < ALL; i++) {
        make_tbs(i);
        scene_log_announce(i < ANNOUNCED ? &world.log : &other, buf_span(&world.tbs[i]),
                           &world.evidence[i]);
    }
    while (world.log.n < LEAVES) {
        (void)scene_log_add(&world.log, span_of(&world.log.n, sizeof(world.log.n)));
    }
    scene_log_end(&other);
    world.authority = scene_policy(POLICY_CERTIFICATE_AUTHORITY);
    assert_ok(log_key_set(&world.authority->log, SCENE_LOG_ORIGIN,
                          span_of(world.log.pinned.spki, world.log.pinned.spki_n), &e),
              &e);
    world.logger = scene_policy(POLICY_LOG);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    for (int i = 0; i < ALL; i++) {
        buf_free(&world.tbs[i]);
        buf_free(&world.evidence[i]);
    }
    policy_free(world.authority);
    policy_free(world.logger);
    scene_log_end(&world.log);
    return 0;
}

/* Changes, drops or adds a few octets, or nothing. */
static void
spoil(struct buf *frame)
{
    for (size_t n = below(4); n > 0 && frame->n > 0; n--) {
        uint8_t *at = &frame->p[SIGNER_FRAME_HEAD + below(frame->n - SIGNER_FRAME_HEAD)];

        switch (below(4)) {
        case 0:
            *at = (uint8_t)below(256);
            break;
        case 1:
            *at ^= (uint8_t)(1U << below(8));
            break;
        case 2:
            buf_truncate(frame, frame->n - below(3));
            break;
        default:
            at[0] ^= at[1 - (at == &frame->p[frame->n - 1] ? 1 : 0)];
            break;
        }
    }
}

/* As nfpki-signer reads it. *object is what would be signed. */
static bool
is_let_through(const struct policy *p, const struct buf *frame, const struct tree_head *last,
               struct tree_head *head, struct span *object)
{
    struct signer_frame sign;
    struct err e = {0};

    if (signer_frame_decode(buf_span(frame), &sign, &e) != 0 || sign.type != SIGNER_SIGN) {
        return false;
    }
    *object = sign.bytes;
    return object_check(p, sign.detail, sign.bytes, sign.evidence, last, head, &e) == 0;
}

static bool
is_announced(struct span object)
{
    for (int i = 0; i < ANNOUNCED; i++) {
        if (span_equal(object, buf_span(&world.tbs[i]))) {
            return true;
        }
    }
    return false;
}

static void
no_certificate_is_let_through_that_the_log_does_not_have(void **state)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(SIGNER_FRAME_MAX);
    size_t through = 0;

    (void)state;
    for (int i = 0; i < FRAMES; i++) {
        const size_t which = below(ALL);
        const struct signer_frame frame = {
            .type = SIGNER_SIGN,
            .detail = 'T',
            .bytes = buf_span(&world.tbs[which]),
            .evidence = buf_span(&world.evidence[below(3) == 0 ? below(ALL) : which])};
        struct tree_head head;
        struct span object = {0};
        struct err e = {0};

        assert_ok(signer_frame_encode(&frame, &out, &e), &e);
        spoil(&out);
        if (is_let_through(world.authority, &out, NULL, &head, &object)) {
            assert_true(is_announced(object));
            through++;
        }
    }
    assert_in_range(through, FRAMES / 20, FRAMES / 2); /* it is not that all are refused */
}

/* "log.example" with a size and a root, which may be those of another size. */
static void
make_text(uint64_t size, uint64_t root_of, struct buf *text)
{
    struct checkpoint c = {.origin = "log.example", .size = size};
    struct err e = {0};

    c.root = scene_log_root(&world.log, root_of);
    assert_ok(checkpoint_text(&c, text, &e), &e);
}

static void
no_checkpoint_is_let_through_but_of_leaves_that_are_there(void **state)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(SIGNER_FRAME_MAX);
    CLEANUP(buf_free) struct buf text = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(buf_free) struct buf growth = BUF_INIT(GROWTH_MAX);
    size_t through = 0;

    (void)state;
    for (int i = 0; i < FRAMES; i++) {
        const uint64_t signed_size = below(LEAVES + 1);
        const uint64_t from = below(3) == 0 ? below(LEAVES + 1) : below(signed_size + 1);
        const uint64_t to = from + below(LEAVES + 1 - from);
        const struct merkle_hash root = scene_log_root(&world.log, signed_size);
        struct tree_head last = {.size = signed_size};
        struct tree_head head = {0};
        struct span object = {0};
        struct err e = {0};

        memcpy(last.root, root.octets, MERKLE_HASH);
        make_text(below(9) == 0 ? below(LEAVES + 1) : to, below(9) == 0 ? below(LEAVES + 1) : to,
                  &text);
        scene_log_growth(&world.log, from, to, &growth);
        assert_ok(signer_frame_encode(&(struct signer_frame){.type = SIGNER_SIGN,
                                                             .detail = 'K',
                                                             .bytes = buf_span(&text),
                                                             .evidence = buf_span(&growth)},
                                      &out, &e),
                  &e);
        spoil(&out);
        if (is_let_through(world.logger, &out, &last, &head, &object)) {
            struct checkpoint c;

            /* The signed text says what was computed. Up to what was signed before, these are the
             * log's own leaves; behind it they are whatever the parent says. */
            assert_ok(checkpoint_parse(object, &c, &e), &e);
            assert_true(c.size == head.size && c.size >= signed_size);
            assert_memory_equal(c.root.octets, head.root, MERKLE_HASH);
            if (c.size == signed_size) {
                assert_memory_equal(head.root, last.root, MERKLE_HASH);
            }
            through++;
        }
    }
    assert_in_range(through, FRAMES / 20, FRAMES / 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_certificate_is_let_through_that_the_log_does_not_have),
        cmocka_unit_test(no_checkpoint_is_let_through_but_of_leaves_that_are_there),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
