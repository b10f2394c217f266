/* SPDX-License-Identifier: Apache-2.0 */
/* The wrapper of an RA, at the times that matter and with one thing wrong each time. */
#include "ca/policy/policy.h"

#include <string.h>

#include "tests/unit/ca/policy/scene.h"

enum { APART = 5 * 60, ROOM = 4096 };

static void
is_refused(const char *name, struct cmp_queued *q, enum cmp_failure failure, const struct err *e,
           enum cmp_failure wanted, const char *why)
{
    if (q != NULL || failure != wanted || strstr(e->text, why) == NULL) {
        fail_msg("%s: %s: %s, not %s", name, q != NULL ? "opened" : cmp_failure_name(failure),
                 e->text, why);
    }
}

static void
opens(const struct scene *s, const char *name, const struct scene_request *r, time_t now,
      const char *why)
{
    CLEANUP(buf_free) struct buf message = scene_message(s, r);
    CLEANUP(buf_free)
    struct buf nested = scene_wrap(s, r, buf_span(&message), s->ra, s->ra_key, NULL);
    CLEANUP(cmp_queued_cleanup) struct cmp_queued *q = NULL;
    uint8_t rid[SHA256_SIZE];
    enum cmp_failure failure = CMP_BAD_ALG;
    struct err e = {0};

    assert_ok(sha256(buf_span(&message), rid, &e), &e);
    q = policy_open(&s->policy, buf_span(&nested), span_of(rid, sizeof(rid)), s->ras,
                    ARRAY_LEN(s->ras), now, &failure, &e);
    if (why == NULL) {
        if (q == NULL) {
            fail_msg("%s: %s", name, e.text);
        }
        assert_int_equal(failure, CMP_NO_FAILURE);
        assert_true(span_equal(cmp_msg_der(cmp_queued_inner(q)), buf_span(&message)));
        return;
    }
    is_refused(name, q, failure, &e,
               strstr(why, "clocks of RA and CA") != NULL ? CMP_TIME_NOT_AVAILABLE
                                                          : CMP_SIGNER_NOT_TRUSTED,
               why);
}

static void
an_ra_is_heard_within_its_certificates_time(void **state)
{
    const struct scene *s = *state;
    const struct {
        const char *name;
        time_t now;
        const char *why; /* NULL: it is opened */
    } rows[] = {
        {"a second before it begins", PKI_NOW - 1,
         "begins at 2026-09-21T14:13:20Z, and here it is 2026-09-21T14:13:19Z: compare the clocks"},
        {"when it begins", PKI_NOW, NULL},
        {"when it ends", SCENE_END, NULL},
        {"a second after it ended", SCENE_END + 1,
         "the RA's certificate ended at 2026-10-21T14:13:20Z: nfpki-cactl issue ra-cmp"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct scene_request r = {.received = PKI_NOW - 1};

        opens(s, rows[i].name, &r, rows[i].now, rows[i].why);
    }
}

static void
what_comes_from_the_future_waits(void **state)
{
    const struct scene *s = *state;
    const time_t now = PKI_NOW + 1000;
    const struct {
        const char *name;
        time_t received;
        const char *why;
    } rows[] = {
        {"long ago", PKI_NOW - 1000L * SCENE_DAY, NULL},
        {"now", now, NULL},
        {"as far ahead as clocks may be apart", now + APART, NULL},
        {"a second more", now + APART + 1,
         "received 301 s from now: the clocks of RA and CA differ, compare them"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct scene_request r = {.received = rows[i].received};

        opens(s, rows[i].name, &r, now, rows[i].why);
    }
}

/* Wrapped by somebody whom the list has not: why it is not heard. */
static void
only_a_listed_ra_is_heard(void **state)
{
    const struct scene *s = *state;
    const struct scene_request r = {0};
    CLEANUP(buf_free) struct buf message = scene_message(s, &r);
    CLEANUP(x509_cleanup) X509 *former = pki_issue_officer(s->pki, "ra-cmp", s->ra_key);
    CLEANUP(x509_cleanup) X509 *registrar = pki_issue_officer(s->pki, "registrar", s->key);
    const struct {
        const char *name;
        X509 *ra;
        EVP_PKEY *key;
        time_t now;
        const char *why;
    } rows[] = {
        {"revoked, or superseded by another with the same key", former, s->ra_key, PKI_NOW,
         "is revoked, or no RA's: nfpki-cactl issue ra-cmp"},
        {"the same in its last second", former, s->ra_key, SCENE_END, "is revoked, or no RA's"},
        {"of another profile", registrar, s->key, PKI_NOW, "is revoked, or no RA's"},
        {"a network function's", s->held, s->held_key, PKI_NOW, "is revoked, or no RA's"},
        {"of another CA", s->device, s->device_key, PKI_NOW,
         "the RA's certificate is of another CA: check ra_certificate"},
        {"ended, and another's", s->device, s->device_key, SCENE_END + 1, "is of another CA"},
    };
    uint8_t rid[SHA256_SIZE];
    struct err e = {0};

    assert_ok(sha256(buf_span(&message), rid, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free)
        struct buf nested = scene_wrap(s, &r, buf_span(&message), rows[i].ra, rows[i].key, NULL);
        enum cmp_failure failure = CMP_BAD_ALG;
        struct cmp_queued *q = policy_open(&s->policy, buf_span(&nested), span_of(rid, sizeof(rid)),
                                           s->ras, ARRAY_LEN(s->ras), rows[i].now, &failure, &e);

        is_refused(rows[i].name, q, failure, &e, CMP_SIGNER_NOT_TRUSTED, rows[i].why);
    }
}

/* The second of two is found, and an empty list has nobody. */
static void
every_listed_ra_is_heard(void **state)
{
    const struct scene *s = *state;
    const struct scene_request r = {0};
    CLEANUP(buf_free) struct buf message = scene_message(s, &r);
    CLEANUP(buf_free)
    struct buf nested = scene_wrap(s, &r, buf_span(&message), s->ra, s->ra_key, NULL);
    CLEANUP(x509_cleanup) X509 *other = pki_issue_officer(s->pki, "ra-cmp", s->key);
    struct policy_ra ras[2] = {{.certificate = other, .der = BUF_INIT(ROOM)}, s->ras[0]};
    CLEANUP(cmp_queued_cleanup) struct cmp_queued *q = NULL;
    enum cmp_failure failure;
    uint8_t rid[SHA256_SIZE];
    struct err e = {0};

    assert_ok(sha256(buf_span(&message), rid, &e), &e);
    assert_ok(OSSL_ENCODE(X509, other, &ras[0].der, &e), &e);
    q = policy_open(&s->policy, buf_span(&nested), span_of(rid, sizeof(rid)), ras, 2, PKI_NOW,
                    &failure, &e);
    assert_non_null(q);
    for (size_t n = 0; n <= 1; n++) { /* nobody, and the other one */
        struct cmp_queued *none =
            policy_open(&s->policy, buf_span(&nested), span_of(rid, sizeof(rid)), ras, n, PKI_NOW,
                        &failure, &e);

        is_refused("listed last", none, failure, &e, CMP_SIGNER_NOT_TRUSTED,
                   "is revoked, or no RA's");
    }
    buf_free(&ras[0].der);
}

static void
the_rid_is_the_hash_of_what_is_inside(void **state)
{
    const struct scene *s = *state;
    const struct scene_request r = {0};
    CLEANUP(buf_free) struct buf message = scene_message(s, &r);
    CLEANUP(buf_free)
    struct buf nested = scene_wrap(s, &r, buf_span(&message), s->ra, s->ra_key, NULL);
    const struct {
        const char *name;
        size_t n;
        size_t flip; /* octet; SHA256_SIZE: none */
    } rows[] = {
        {"none", 0, SHA256_SIZE},
        {"an octet too few", SHA256_SIZE - 1, SHA256_SIZE},
        {"an octet too many", SHA256_SIZE + 1, SHA256_SIZE},
        {"another first octet", SHA256_SIZE, 0},
        {"another last octet", SHA256_SIZE, SHA256_SIZE - 1},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t rid[SHA256_SIZE + 1] = {0};
        enum cmp_failure failure = CMP_BAD_ALG;
        struct cmp_queued *q;
        struct err e = {0};

        assert_ok(sha256(buf_span(&message), rid, &e), &e);
        rid[rows[i].flip] ^= 1;
        q = policy_open(&s->policy, buf_span(&nested), span_of(rid, rows[i].n), s->ras,
                        ARRAY_LEN(s->ras), PKI_NOW, &failure, &e);
        is_refused(rows[i].name, q, failure, &e, CMP_BAD_DATA_FORMAT,
                   "the rid is not the hash of the message");
    }
}

/* ---- what is not as an RA makes it ---- */

enum damage { NO_SUBMISSION, CUT, OTHER_KEY, OTHER_CA, UNREADABLE_RA };

static struct buf
damaged(const struct scene *s, enum damage what, bool before, struct span message)
{
    const struct scene_request r = {0};
    EVP_PKEY *key = what == OTHER_KEY ? s->key : s->ra_key;
    X509 *ca = what == OTHER_CA ? s->pki->root : NULL;
    struct buf out = before ? scene_wrap_before(s, &r, message, s->ra, key,
                                                ca != NULL ? X509_get_subject_name(ca) : NULL)
                            : scene_wrap(s, &r, message, s->ra, key, ca);
    struct err e = {0};

    switch (what) {
    case NO_SUBMISSION:
        assert_ok(buf_set(&out, message, &e), &e);
        break;
    case CUT:
        buf_truncate(&out, out.n - 1);
        break;
    case UNREADABLE_RA: { /* its version is no INTEGER any more */
        uint8_t *at = memmem(out.p, out.n, s->ras[0].der.p, s->ras[0].der.n);

        assert_non_null(at);
        at[10] = 0x04;
        break;
    }
    case OTHER_KEY:
    case OTHER_CA:
        break;
    }
    return out;
}

static void
what_is_not_right_is_the_ras_fault(void **state)
{
    const struct scene *s = *state;
    const struct scene_request r = {0};
    CLEANUP(buf_free) struct buf message = scene_message(s, &r);
    static const struct {
        const char *name;
        enum damage what;
        bool before;
        enum cmp_failure failure;
        const char *why;
    } rows[] = {
        {"neither of both forms", NO_SUBMISSION, false, CMP_BAD_DATA_FORMAT,
         "queue entry: not a nested message of pvno 2"},
        {"cut off", CUT, false, CMP_BAD_DATA_FORMAT, "queue entry: "},
        {"signed with another key", OTHER_KEY, false, CMP_BAD_MESSAGE_CHECK,
         "queue entry: signature of the RA"},
        {"for another CA", OTHER_CA, false, CMP_BAD_MESSAGE_CHECK,
         "queue entry: meant for another CA"},
        {"a certificate that is none", UNREADABLE_RA, false, CMP_SIGNER_NOT_TRUSTED,
         "the RA's certificate cannot be read"},
        {"before: cut off", CUT, true, CMP_BAD_DATA_FORMAT, "queue entry: "},
        {"before: signed with another key", OTHER_KEY, true, CMP_BAD_MESSAGE_CHECK,
         "queue entry: signature of the RA"},
        {"before: for another CA", OTHER_CA, true, CMP_BAD_MESSAGE_CHECK,
         "queue entry: meant for another CA"},
        {"before: a certificate that is none", UNREADABLE_RA, true, CMP_SIGNER_NOT_TRUSTED,
         "the RA's certificate cannot be read"},
    };
    uint8_t rid[SHA256_SIZE];
    struct err e = {0};

    assert_ok(sha256(buf_span(&message), rid, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free)
        struct buf out = damaged(s, rows[i].what, rows[i].before, buf_span(&message));
        enum cmp_failure failure = CMP_BAD_ALG;
        struct cmp_queued *q = policy_open(&s->policy, buf_span(&out), span_of(rid, sizeof(rid)),
                                           s->ras, ARRAY_LEN(s->ras), PKI_NOW, &failure, &e);

        is_refused(rows[i].name, q, failure, &e, rows[i].failure, rows[i].why);
    }
}

/* As ca.db has them of before; the head is none's. */
static void
a_wrapper_of_before_is_opened(void **state)
{
    const struct scene *s = *state;
    const struct scene_request r = {0};
    CLEANUP(buf_free) struct buf message = scene_message(s, &r);
    CLEANUP(buf_free)
    struct buf out = scene_wrap_before(s, &r, buf_span(&message), s->ra, s->ra_key, NULL);
    CLEANUP(cmp_queued_cleanup) struct cmp_queued *q = NULL;
    struct cmp_queued *none;
    enum cmp_failure failure = CMP_BAD_ALG;
    uint8_t rid[SHA256_SIZE];
    struct err e = {0};

    assert_ok(sha256(buf_span(&message), rid, &e), &e);
    q = policy_open(&s->policy, buf_span(&out), span_of(rid, sizeof(rid)), s->ras,
                    ARRAY_LEN(s->ras), PKI_NOW, &failure, &e);
    if (q == NULL) {
        fail_msg("%s", e.text);
    }
    assert_null(cmp_queued_submission(q));
    assert_int_equal(cmp_queued_sequence(q), 0);
    assert_int_equal(cmp_queued_head_hash(q).n, 0);
    rid[0] ^= 1;
    none = policy_open(&s->policy, buf_span(&out), span_of(rid, sizeof(rid)), s->ras,
                       ARRAY_LEN(s->ras), PKI_NOW, &failure, &e);
    is_refused("another rid", none, failure, &e, CMP_BAD_DATA_FORMAT,
               "the rid is not the hash of the message");
}

/* A head that was verified before is known; its certificate is judged each time all the same. */
static void
a_known_head_is_no_way_around_the_certificate(void **state)
{
    const struct scene *s = *state;
    const struct scene_request r = {.received = PKI_NOW - 1};

    opens(s, "first", &r, PKI_NOW, NULL);
    opens(s, "again", &r, PKI_NOW, NULL);
    opens(s, "a second after it ended", &r, SCENE_END + 1, "the RA's certificate ended at");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ra_is_heard_within_its_certificates_time),
        cmocka_unit_test(what_comes_from_the_future_waits),
        cmocka_unit_test(only_a_listed_ra_is_heard),
        cmocka_unit_test(every_listed_ra_is_heard),
        cmocka_unit_test(the_rid_is_the_hash_of_what_is_inside),
        cmocka_unit_test(what_is_not_right_is_the_ras_fault),
        cmocka_unit_test(a_wrapper_of_before_is_opened),
        cmocka_unit_test(a_known_head_is_no_way_around_the_certificate),
    };

    return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
