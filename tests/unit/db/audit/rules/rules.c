/* SPDX-License-Identifier: Apache-2.0 */
/* What a CA that can have anything signed by its log can still not do unnoticed. */
#include "db/audit/rules/rules.h"

#include <string.h>

#include "db/audit/der/certificate.h"
#include "db/audit/status.h"
#include "db/audit/verify.h"
#include "tests/support/tbs_hash.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/ledger.h"

/* The certificates' notBefore; they last a day. */
enum { FROM = 1800000000 };

static int
verify(const struct audit_ledger *l, struct err *e)
{
    struct audit_figures figures;
    CLEANUP(audit_log_cleanup) struct audit_log *log = audit_open(l->dir, NULL, e);

    return log == NULL ? -1 : audit_verify(log, NULL, NULL, NULL, &figures, e);
}

static void
assert_named(const struct err *e, const char *name)
{
    if (strstr(e->text, name) == NULL) {
        fail_msg("\"%s\" does not name \"%s\"", e->text, name);
    }
}

static void
intend_for(struct audit_ledger *l, const char *rid, const char *serial, const char *tbs,
           time_t from, time_t until)
{
    struct leaf *leaf = audit_ledger_leaf(l, LEAF_INTENT);

    leaf_set_text(leaf, "rid", rid);
    leaf_set_text(leaf, "serial", serial);
    leaf_set_text(leaf, "profile", "registrar");
    leaf_set_text(leaf, "tbs", tbs);
    leaf_set_time(leaf, "notBefore", from);
    leaf_set_time(leaf, "notAfter", until);
    (void)audit_ledger_append(l, leaf);
}

static void
intend(struct audit_ledger *l, const char *rid, const char *serial, const char *tbs)
{
    intend_for(l, rid, serial, tbs, l->now - 300, l->now + 86400);
}

static void
issue(struct audit_ledger *l, const char *rid, const char *serial, struct span certificate)
{
    struct leaf *leaf = audit_ledger_leaf(l, LEAF_ISSUED);

    leaf_set_text(leaf, "rid", rid);
    leaf_set_text(leaf, "serial", serial);
    leaf_set_base64(leaf, "certificate", certificate);
    (void)audit_ledger_append(l, leaf);
}

/* SHA-256 of the content of the certificate. */
static char *
tbs_of(const struct audit_enrolment *enrolment)
{
    const unsigned char *p = enrolment->certificate.p;
    CLEANUP(x509_cleanup) X509 *certificate = d2i_X509(NULL, &p, (long)enrolment->certificate.n);

    assert_non_null(certificate);
    return test_tbs_hash(certificate);
}

/* The log signs whatever the CA writes: these ledgers are whole, and yet tell of a wrong. */
enum wrong {
    NOTHING_WRONG,
    NO_INTENT,
    OTHER_CONTENT,
    OTHER_REQUEST,
    OTHER_SERIAL,
    TWO_INTENTS,
    NO_CERTIFICATE,
    GIVEN_UP,
    ISSUED_BEFORE,
};

static void
append_wrong(struct audit_ledger *l, enum wrong wrong, const struct audit_enrolment *one)
{
    static const char other_serial[] = "5affffffffffffffffffffffffffffff";
    static const char other[] = AUDIT_REGISTRATION AUDIT_REGISTRATION;
    CLEANUP(mem_cleanup) char *tbs = tbs_of(one);
    const char *serial = wrong == OTHER_SERIAL ? other_serial : one->serial;

    if (wrong != NO_INTENT) {
        intend(l, wrong == OTHER_REQUEST ? other : one->rid, serial,
               wrong == OTHER_CONTENT ? other : tbs);
    }
    if (wrong == TWO_INTENTS) {
        intend(l, other, serial, tbs);
    }
    if (wrong == GIVEN_UP) {
        (void)audit_ledger_about(l, LEAF_REJECTED, one);
    }
    issue(l, one->rid, serial,
          wrong == NO_CERTIFICATE ? SPAN_LITERAL("x") : buf_span(&one->certificate));
    if (wrong == ISSUED_BEFORE) {
        intend(l, other, serial, tbs);
    }
}

static void
a_certificate_that_was_not_intended_is_named_although_the_log_signed_it(void **state)
{
    static const struct {
        enum wrong wrong;
        const char *says;
    } rows[] = {
        {NOTHING_WRONG, NULL},
        {NO_INTENT, "tile/entries/000.p/3: leaf 2: serial 5a000107000000000000000000000000 was "
                    "issued without an INTENT before"},
        {OTHER_CONTENT, "leaf 3: serial 5a000107000000000000000000000000 was issued with another "
                        "content than its INTENT says"},
        {OTHER_REQUEST, "leaf 3: serial 5a000107000000000000000000000000 was issued with another "
                        "content than its INTENT says"},
        {OTHER_SERIAL, "leaf 3: the certificate has serial 5a000107000000000000000000000000, its "
                       "ISSUED leaf 5affff"},
        {TWO_INTENTS, "leaf 3: a second INTENT for serial 5a0001"},
        {NO_CERTIFICATE, "leaf 3: what was issued is not one certificate"},
        {GIVEN_UP, "leaf 4: serial 5a000107000000000000000000000000 was issued without an INTENT"},
        {ISSUED_BEFORE, "leaf 4: an INTENT for serial 5a000107000000000000000000000000, which was "
                        "issued before"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(audit_ledger_end) struct audit_ledger l;
        struct audit_enrolment one;
        struct audit_enrolment another;
        struct err e = {0};

        audit_ledger_begin(&l);
        audit_ledger_enrol(&l, 2, false, &another);
        X509_free(audit_ledger_certify(&l, 1, false, &one));
        append_wrong(&l, rows[i].wrong, &one);
        audit_ledger_publish(&l);
        if (rows[i].says == NULL) {
            assert_ok(verify(&l, &e), &e);
        } else {
            assert_err(verify(&l, &e), ERR_CRYPTO, &e);
            assert_named(&e, rows[i].says);
        }
        buf_free(&one.certificate);
        buf_free(&another.certificate);
    }
}

/* What a kur renews is superseded directly behind its confirmation, and nothing else is. */
enum order { IN_ORDER, UNCONFIRMED, TOO_LATE, ANOTHER_ONE };

static void
about(struct audit_ledger *l, enum leaf_kind kind, const char *serial)
{
    struct leaf *leaf = audit_ledger_leaf(l, kind);

    leaf_set_text(leaf, "rid", AUDIT_REGISTRATION AUDIT_REGISTRATION);
    leaf_set_text(leaf, "serial", serial);
    (void)audit_ledger_append(l, leaf);
}

static void
append_update(struct audit_ledger *l, enum order order, const char *old)
{
    static const char new[] = "5affffffffffffffffffffffffffffff";
    static const char other[] = "5a0000000000000000000000000000aa";
    struct leaf *leaf = audit_ledger_leaf(l, LEAF_INTENT);

    leaf_set_text(leaf, "rid", AUDIT_REGISTRATION AUDIT_REGISTRATION);
    leaf_set_text(leaf, "serial", new);
    leaf_set_text(leaf, "profile", "nf-tls");
    leaf_set_text(leaf, "tbs", AUDIT_REGISTRATION AUDIT_REGISTRATION);
    leaf_set_time(leaf, "notBefore", l->now - 300);
    leaf_set_time(leaf, "notAfter", l->now + 86400);
    leaf_set_text(leaf, "updates", old);
    (void)audit_ledger_append(l, leaf);
    if (order != UNCONFIRMED) {
        about(l, LEAF_CONFIRMED, new);
    }
    if (order == TOO_LATE) {
        about(l, LEAF_CONFIRMED, other);
    }
    leaf = audit_ledger_leaf(l, LEAF_REVOKED);
    leaf_set_text(leaf, "serial", order == ANOTHER_ONE ? other : old);
    leaf_set_int(leaf, "reason", 4);
    leaf_set_text(leaf, "supersededBy", new);
    (void)audit_ledger_append(l, leaf);
}

/* From version 2 of the record on. */
static void
begin_2(struct audit_ledger *l)
{
    struct leaf *leaf = audit_ledger_leaf(l, LEAF_START);

    leaf_set_text(leaf, "program", "nfpki-ca");
    leaf_set_text(leaf, "version", "1");
    leaf_set_text(leaf, "config", AUDIT_REGISTRATION AUDIT_REGISTRATION);
    leaf_set_text(leaf, "issuer", AUDIT_REGISTRATION AUDIT_REGISTRATION);
    leaf_set_bool(leaf, "softwareToken", true);
    leaf_set_int(leaf, "record", 2);
    (void)audit_ledger_append(l, leaf);
}

static void
what_lives_longer_or_shorter_than_was_intended_is_named(void **state)
{
    static const struct {
        int from, until;      /* off the certificate's */
        bool no_time, before; /* before: in a record of version 1 */
        const char *says;
    } rows[] = {
        {0, 0, false, false, NULL},
        {-1, 1, false, true, NULL},
        {-1, 0, false, false,
         "leaf 4: serial 5a000107000000000000000000000000 was issued with "
         "another validity than its INTENT says"},
        {0, -1, false, false, "another validity than its INTENT says"},
        {0, 1, false, false, "another validity than its INTENT says"},
        {0, 0, true, false, "another validity than its INTENT says"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(audit_ledger_end) struct audit_ledger l;
        CLEANUP(mem_cleanup) char *tbs = NULL;
        struct audit_enrolment one;
        struct audit_enrolment another;
        struct err e = {0};

        audit_ledger_begin(&l);
        l.no_time = rows[i].no_time;
        audit_ledger_enrol(&l, 2, false, &another);
        X509_free(audit_ledger_certify(&l, 1, false, &one));
        if (!rows[i].before) {
            begin_2(&l);
        }
        tbs = tbs_of(&one);
        intend_for(&l, one.rid, one.serial, tbs, FROM + rows[i].from, FROM + 86400 + rows[i].until);
        issue(&l, one.rid, one.serial, buf_span(&one.certificate));
        audit_ledger_publish(&l);
        if (rows[i].says == NULL) {
            assert_ok(verify(&l, &e), &e);
        } else {
            assert_err(verify(&l, &e), ERR_CRYPTO, &e);
            assert_named(&e, rows[i].says);
        }
        buf_free(&one.certificate);
        buf_free(&another.certificate);
    }
}

static void
what_was_superseded_without_a_confirmation_is_named(void **state)
{
    static const char *const says[] = {
        [IN_ORDER] = NULL,
        [UNCONFIRMED] = "serial 5a000107000000000000000000000000 was superseded by "
                        "5affffffffffffffffffffffffffffff before that was confirmed",
        [TOO_LATE] = "before that was confirmed",
        [ANOTHER_ONE] = "serial 5a0000000000000000000000000000aa was superseded by "
                        "5affffffffffffffffffffffffffffff, which updates another one",
    };

    (void)state;
    for (int order = IN_ORDER; order <= ANOTHER_ONE; order++) {
        CLEANUP(audit_ledger_end) struct audit_ledger l;
        struct audit_enrolment one;
        struct err e = {0};

        audit_ledger_begin(&l);
        audit_ledger_enrol(&l, 1, false, &one);
        append_update(&l, (enum order)order, one.serial);
        audit_ledger_publish(&l);
        if (says[order] == NULL) {
            assert_ok(verify(&l, &e), &e);
        } else {
            assert_err(verify(&l, &e), ERR_CRYPTO, &e);
            assert_named(&e, says[order]);
        }
        buf_free(&one.certificate);
    }
}

/* A leaf's own time is that of its append, so what was back-dated shows. */
static void
what_begins_long_before_it_was_recorded_is_named(void **state)
{
    static const struct {
        time_t before;
        bool good;
    } rows[] = {
        {0, true},   {300, true},    {LEAF_BACKDATE_MAX, true},
        {-1, false}, {86400, false}, {365L * 86400, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(audit_ledger_end) struct audit_ledger l;
        struct leaf *leaf;
        time_t recorded;
        struct err e = {0};

        audit_ledger_begin(&l);
        recorded = l.now;
        leaf = audit_ledger_leaf(&l, LEAF_INTENT);
        leaf_set_text(leaf, "rid", AUDIT_REGISTRATION AUDIT_REGISTRATION);
        leaf_set_text(leaf, "serial", "5affffffffffffffffffffffffffffff");
        leaf_set_text(leaf, "profile", "registrar");
        leaf_set_text(leaf, "tbs", AUDIT_REGISTRATION AUDIT_REGISTRATION);
        leaf_set_time(leaf, "notBefore", recorded - rows[i].before);
        leaf_set_time(leaf, "notAfter", recorded + 86400);
        (void)audit_ledger_append(&l, leaf);
        audit_ledger_publish(&l);
        if (rows[i].good) {
            assert_ok(verify(&l, &e), &e);
        } else {
            assert_err(verify(&l, &e), ERR_CRYPTO, &e);
            assert_named(&e, "the INTENT for serial 5affffffffffffffffffffffffffffff begins at");
        }
    }
}

static void
nothing_comes_after_a_revocation(void **state)
{
    (void)state;
    for (int kind = 0; kind < LEAF_KINDS; kind++) {
        assert_int_equal(audit_status_next(AUDIT_REVOKED, (enum leaf_kind)kind), AUDIT_REVOKED);
    }
    assert_int_equal(audit_status_next(AUDIT_PENDING, LEAF_REVOKED), AUDIT_REVOKED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_that_was_not_intended_is_named_although_the_log_signed_it),
        cmocka_unit_test(what_lives_longer_or_shorter_than_was_intended_is_named),
        cmocka_unit_test(what_was_superseded_without_a_confirmation_is_named),
        cmocka_unit_test(what_begins_long_before_it_was_recorded_is_named),
        cmocka_unit_test(nothing_comes_after_a_revocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
