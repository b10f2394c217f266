/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As who owns the parent's end of the socket: a hundred and fifty thousand frames, right ones,
 * wrong ones, and right ones with some octets changed. What is let through is in the log.
 */
#include "tests/support/test.h"

#include "pkcs11/client/protocol.h"

#include <string.h>

#include "base/ossl.h"
#include "base/tlog/queue_head.h"
#include "pkcs11/signer/object.h"
#include "tests/unit/pkcs11/signer/scene.h"
#include "tests/unit/pkcs11/signer/scene_log.h"

enum { FRAMES = 34000, ANNOUNCED = 8, SILENT = 4, ALL = ANNOUNCED + SILENT, LEAVES = 40 };
/* The leaf of a lie has the right hash, and something else on the CRL. */
enum { LIES = 4, CRLS = ALL + LIES, LIFE = 6 /* CRLs that a signer is asked for */ };

static struct {
    struct scene_log log;
    struct policy *authority, *logger;
    struct buf tbs[ALL];
    struct buf evidence[ALL]; /* of a silent one: what it would be, in a log that is not pinned */
    struct buf crl[CRLS];     /* numbers and times ascend, some are the same, one time is not */
    struct buf crl_evidence[CRLS];
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

static void
make_crl(int i)
{
    CLEANUP(mem_cleanup) char *number = mem_printf("%02x", (unsigned)(1 + i * 2 / 3));
    CLEANUP(mem_cleanup) char *from = mem_printf("2601010000%02dZ", i == 6 ? 0 : i * 3 / 4);
    const struct scene_crl c = {.number = number,
                                .from = from,
                                .entries = i % 3 == 0   ? NULL
                                           : i % 3 == 1 ? SCENE_ENTRY("05", "251231000000Z")
                                                        : SCENE_ENTRY("05", "251231000000Z")
                                                              SCENE_ENTRY("06", "251231000000Z")};

    world.crl[i] = BUF_INIT(8192);
    world.crl_evidence[i] = BUF_INIT(EVIDENCE_MAX);
    scene_crl(&c, &world.crl[i]);
}

/* Its leaf, with the first digit behind this member's name as another one. */
static void
announce_lie(int i)
{
    static const char *const members[LIES] = {"\"number\":", "\"thisUpdate\":\"",
                                              "\"entries\":", "\"revocations\":\""};
    CLEANUP(mem_cleanup) char *leaf = scene_crl_intent(buf_span(&world.crl[i]));
    const char *member = members[i - ALL];
    char *at = strstr(leaf, member) + strlen(member);

    *at = *at == '1' ? '2' : '1';
    scene_log_announce_leaf(&world.log, leaf, &world.crl_evidence[i]);
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
    for (int i = 0; i < CRLS; i++) {
        make_crl(i);
        if (i >= ALL) {
            announce_lie(i);
        } else {
            scene_log_announce_crl(i < ANNOUNCED ? &world.log : &other, buf_span(&world.crl[i]),
                                   &world.crl_evidence[i]);
        }
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
    for (int i = 0; i < CRLS; i++) {
        buf_free(&world.crl[i]);
        buf_free(&world.crl_evidence[i]);
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
is_announced(struct span object, const struct buf *announced)
{
    for (int i = 0; i < ANNOUNCED; i++) {
        if (span_equal(object, buf_span(&announced[i]))) {
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
            assert_true(is_announced(object, world.tbs));
            through++;
        }
    }
    assert_in_range(through, FRAMES / 20, FRAMES / 2); /* it is not that all are refused */
}

/* As the signer that remembers: at most one more than the last is let through. */
static bool
goes_on(struct again *again, struct span object, struct crl_head *head)
{
    struct err e = {0};

    if (object_crl_head(world.authority, object, head, &e) != 0 ||
        again_check_crl(again, head, SCENE_FROM + 60, &e) != 0) {
        return false;
    }
    again_add_crl(again, head);
    return true;
}

static void
no_crl_is_let_through_that_the_log_does_not_have_or_that_goes_back(void **state)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(SIGNER_FRAME_MAX);
    struct again *again = again_new();
    struct crl_head last = {0};
    size_t through = 0;

    (void)state;
    for (int i = 0; i < FRAMES; i++) {
        const size_t which = below(CRLS);
        const struct signer_frame frame = {
            .type = SIGNER_SIGN,
            .detail = 'L',
            .bytes = buf_span(&world.crl[which]),
            .evidence = buf_span(&world.crl_evidence[below(3) == 0 ? below(CRLS) : which])};
        struct tree_head none;
        struct crl_head head;
        struct span object = {0};
        struct err e = {0};

        if (i % LIFE == 0) {
            again_free(again);
            again = again_new();
            last = (struct crl_head){0};
        }
        assert_ok(signer_frame_encode(&frame, &out, &e), &e);
        spoil(&out);
        if (is_let_through(world.authority, &out, NULL, &none, &object)) {
            assert_true(is_announced(object, world.crl));
            if (goes_on(again, object, &head)) {
                assert_true(head.number >= last.number && head.this_update >= last.this_update);
                assert_true(head.number > last.number ||
                            memcmp(head.hash, last.hash, sizeof(head.hash)) == 0);
                last = head;
                through++;
            }
        }
    }
    again_free(again);
    assert_in_range(through, FRAMES / 20, FRAMES / 2);
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

/* The head of an RA's queue, of the signer's key or of another's, as a head or as something else.
 */
static void
make_head(const struct policy *p, struct buf *text)
{
    struct queue_head h = {.first = 1 + below(1000),
                           .size = 1 + below(QUEUE_HEAD_SIZE_MAX),
                           .time = (time_t)below(1U << 31)};
    struct err e = {0};

    assert_ok(sha256(buf_span(&p->spki), h.ra, &e), &e);
    h.ra[0] ^= (uint8_t)(below(4) == 0 ? 1 : 0);
    h.root.octets[0] = (uint8_t)below(256);
    assert_ok(queue_head_format(&h, text, &e), &e);
}

static void
no_head_is_let_through_but_of_the_signers_own_key(void **state)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(SIGNER_FRAME_MAX);
    CLEANUP(buf_free) struct buf text = BUF_INIT(QUEUE_HEAD_TEXT_MAX);
    CLEANUP(policy_cleanup) struct policy *ra = scene_policy(POLICY_CMP);
    uint8_t own[SHA256_SIZE];
    size_t through = 0;
    struct err e = {0};

    (void)state;
    ra->queue_heads = true;
    assert_ok(sha256(buf_span(&ra->spki), own, &e), &e);
    for (int i = 0; i < FRAMES; i++) {
        struct tree_head head;
        struct span object = {0};

        make_head(ra, &text);
        assert_ok(signer_frame_encode(&(struct signer_frame){.type = SIGNER_SIGN,
                                                             .detail = below(5) == 0 ? 'P' : 'Q',
                                                             .bytes = buf_span(&text)},
                                      &out, &e),
                  &e);
        spoil(&out);
        if (is_let_through(ra, &out, NULL, &head, &object)) {
            struct queue_head h;

            assert_ok(queue_head_parse(object, &h, &e), &e);
            assert_memory_equal(h.ra, own, sizeof(own));
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
        cmocka_unit_test(no_crl_is_let_through_that_the_log_does_not_have_or_that_goes_back),
        cmocka_unit_test(no_checkpoint_is_let_through_but_of_leaves_that_are_there),
        cmocka_unit_test(no_head_is_let_through_but_of_the_signers_own_key),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
