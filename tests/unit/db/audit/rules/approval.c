/* SPDX-License-Identifier: Apache-2.0 */
/* Approvals that a CA claims to have, in ledgers that its log signed. */
#include "db/audit/rules/approval.h"

#include <openssl/ec.h>
#include <string.h>

#include "db/audit/der/certificate.h"
#include "db/audit/verify.h"
#include "tests/support/tbs_hash.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/ledger.h"

#define RID "ab00000000000000000000000000000000000000000000000000000000000000"
#define OTHER_RID "cd00000000000000000000000000000000000000000000000000000000000000"

enum { ENDED = 2, LATER = 1900000000 };

struct person {
    EVP_PKEY *key;
    X509 *certificate;
    char serial[33];
};

static struct person
person(uint8_t number, const char *name, EVP_PKEY *key)
{
    struct person p = {.key = key == NULL ? EVP_EC_gen("P-256") : key, .certificate = X509_new()};
    uint8_t octets[16] = {0x50, number};
    CLEANUP(bn_cleanup) BIGNUM *serial = BN_bin2bn(octets, sizeof(octets), NULL);
    X509_NAME *subject = X509_get_subject_name(p.certificate);

    if (key != NULL) {
        assert_int_equal(EVP_PKEY_up_ref(key), 1);
    }
    hex_format(span_of(octets, sizeof(octets)), p.serial);
    assert_int_equal(X509_set_version(p.certificate, X509_VERSION_3), 1);
    assert_non_null(BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(p.certificate)));
    assert_int_equal(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                                (const unsigned char *)name, -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(p.certificate, subject), 1);
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(p.certificate), 1));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(p.certificate), LATER));
    assert_int_equal(X509_set_pubkey(p.certificate, p.key), 1);
    assert_true(X509_sign(p.certificate, p.key, EVP_sha256()) > 0);
    return p;
}

/* Long before. */
static void
person_ends(struct person *p)
{
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(p->certificate), ENDED));
    assert_true(X509_sign(p->certificate, p->key, EVP_sha256()) > 0);
}

static void
person_free(struct person *p)
{
    EVP_PKEY_free(p->key);
    X509_free(p->certificate);
}

static void
intend(struct audit_ledger *l, const char *rid, const char *serial, const char *profile,
       const char *tbs, int approvals)
{
    struct leaf *leaf = audit_ledger_leaf(l, LEAF_INTENT);

    leaf_set_text(leaf, "rid", rid);
    leaf_set_text(leaf, "serial", serial);
    leaf_set_text(leaf, "profile", profile);
    leaf_set_text(leaf, "tbs", tbs);
    leaf_set_time(leaf, "notBefore", l->now - 300);
    leaf_set_time(leaf, "notAfter", l->now + 86400);
    if (approvals > 0) {
        leaf_set_int(leaf, "approvals", approvals);
    }
    (void)audit_ledger_append(l, leaf);
}

/* INTENT and ISSUED of the certificate of somebody of ours. */
static void
certify(struct audit_ledger *l, const struct person *p, const char *profile)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *tbs = test_tbs_hash(p->certificate);
    CLEANUP(buf_free) struct buf der = BUF_INIT(4096);
    struct leaf *leaf;

    assert_non_null(tbs);
    assert_ok(OSSL_ENCODE(X509, p->certificate, &der, &e), &e);
    intend(l, tbs, p->serial, profile, tbs, 0);
    leaf = audit_ledger_leaf(l, LEAF_ISSUED);
    leaf_set_text(leaf, "rid", tbs);
    leaf_set_text(leaf, "serial", p->serial);
    leaf_set_base64(leaf, "certificate", buf_span(&der));
    (void)audit_ledger_append(l, leaf);
}

static void
ask(struct audit_ledger *l, int approvals)
{
    struct leaf *leaf = audit_ledger_leaf(l, LEAF_REQUEST);

    leaf_set_text(leaf, "rid", RID);
    leaf_set_text(leaf, "registration", AUDIT_REGISTRATION);
    leaf_set_text(leaf, "profile", "nf-tls");
    leaf_set_text(leaf, "assurance", "mac");
    leaf_set_int(leaf, "qseq", 1);
    if (approvals > 0) {
        leaf_set_int(leaf, "approvals", approvals);
    }
    (void)audit_ledger_append(l, leaf);
}

/* `who` signs `signed_rid` and `signed_decision`; the leaf says RID and `decision`, by `as`. */
struct claim {
    const struct person *who;
    const struct person *as;
    const char *signed_rid;
    const char *signed_decision;
    const char *decision;
};

static void
claim(struct audit_ledger *l, const struct claim *c)
{
    CLEANUP(mem_cleanup)
    char *text = mem_printf("{\"version\":1,\"kind\":\"approval\",\"rid\":\"%s\","
                            "\"registration\":\"" AUDIT_REGISTRATION "\",\"decision\":\"%s\"}",
                            c->signed_rid, c->signed_decision);
    CLEANUP(bio_cleanup) BIO *content = BIO_new_mem_buf(text, -1);
    CLEANUP(cms_cleanup)
    CMS_ContentInfo *cms =
        CMS_sign(c->who->certificate, c->who->key, NULL, content, CMS_BINARY | CMS_NOSMIMECAP);
    CLEANUP(buf_free) struct buf der = BUF_INIT(8192);
    struct leaf *leaf = audit_ledger_leaf(l, LEAF_APPROVAL);
    struct err e = {0};

    assert_non_null(cms);
    assert_ok(OSSL_ENCODE(CMS_ContentInfo, cms, &der, &e), &e);
    leaf_set_text(leaf, "rid", RID);
    leaf_set_text(leaf, "registration", AUDIT_REGISTRATION);
    leaf_set_text(leaf, "decision", c->decision);
    leaf_set_text(leaf, "officer", c->as->serial);
    leaf_set_text(leaf, "key", RID);
    leaf_set_text(leaf, "subject", "CN=somebody");
    leaf_set_base64(leaf, "cms", buf_span(&der));
    (void)audit_ledger_append(l, leaf);
}

static void
approve(struct audit_ledger *l, const struct person *who)
{
    claim(l, &(struct claim){who, who, RID, "approve", "approve"});
}

static void
revoke(struct audit_ledger *l, const struct person *who)
{
    struct leaf *leaf = audit_ledger_leaf(l, LEAF_REVOKED);

    leaf_set_text(leaf, "serial", who->serial);
    leaf_set_int(leaf, "reason", 1);
    (void)audit_ledger_append(l, leaf);
}

static void
refuse(struct audit_ledger *l)
{
    struct leaf *leaf = audit_ledger_leaf(l, LEAF_REFUSAL);

    leaf_set_text(leaf, "rid", RID);
    leaf_set_int(leaf, "failInfo", 23);
    leaf_set_text(leaf, "reason", "no");
    (void)audit_ledger_append(l, leaf);
}

enum {
    TWO_OFFICERS,
    ONE_OFFICER,
    ONE_TWICE,
    NEW_KEY_OLD_NAME,
    NEW_NAME_OLD_KEY,
    BY_A_REGISTRAR,
    BY_ONE_THAT_ENDED,
    SIGNED_BY_ANOTHER,
    FOR_ANOTHER_REQUEST,
    A_REJECTION_TURNED_ROUND,
    REVOKED_BEFORE,
    REVOKED_BETWEEN,
    REJECTED,
    INTENT_DEMANDS_MORE,
    INTENT_DEMANDS_LESS,
    NEVER_WAITED,
    UNASKED,
    ASKED_TWICE,
    REFUSED,
    STILL_WAITING,
    N_ROWS,
};

static void
tell(struct audit_ledger *l, int row, const struct person people[4])
{
    const struct person *alice = &people[0];
    const struct person *bob = &people[1];
    const struct person *other = &people[2];
    const struct person *registrar = &people[3];

    certify(l, alice, "officer");
    certify(l, bob, "officer");
    certify(l, other, "officer");
    certify(l, registrar, "registrar");
    if (row == REVOKED_BEFORE) {
        revoke(l, alice);
    }
    if (row != UNASKED) {
        ask(l, row == NEVER_WAITED ? 0 : 2);
    }
    if (row == ASKED_TWICE) {
        ask(l, 2);
    }
    if (row == NEVER_WAITED) {
        intend(l, RID, "77", "nf-tls", RID, 2);
        return;
    }
    approve(l, alice);
    switch (row) {
    case ONE_OFFICER:
    case INTENT_DEMANDS_LESS:
        break;
    case ONE_TWICE:
        approve(l, alice);
        break;
    case NEW_KEY_OLD_NAME:
    case NEW_NAME_OLD_KEY:
        approve(l, other);
        break;
    case BY_A_REGISTRAR:
        approve(l, registrar);
        break;
    case SIGNED_BY_ANOTHER:
        claim(l, &(struct claim){alice, bob, RID, "approve", "approve"});
        break;
    case FOR_ANOTHER_REQUEST:
        claim(l, &(struct claim){bob, bob, OTHER_RID, "approve", "approve"});
        break;
    case A_REJECTION_TURNED_ROUND:
        claim(l, &(struct claim){bob, bob, RID, "reject", "approve"});
        break;
    default:
        approve(l, bob);
        break;
    }
    if (row == REVOKED_BETWEEN) {
        revoke(l, alice);
    }
    if (row == REJECTED) {
        claim(l, &(struct claim){bob, bob, RID, "reject", "reject"});
    }
    if (row == REFUSED) {
        refuse(l);
    } else if (row != STILL_WAITING) {
        intend(l, RID, "77", "nf-tls", RID,
               row == INTENT_DEMANDS_MORE   ? 3
               : row == INTENT_DEMANDS_LESS ? 1
                                            : 2);
    }
}

static void
nothing_is_intended_without_its_approvals_although_the_log_signed_it(void **state)
{
    static const char *const says[N_ROWS] = {
        [ONE_OFFICER] = "was intended with 1 of 2 approvals",
        [ONE_TWICE] = "was intended with 1 of 2 approvals",
        [NEW_KEY_OLD_NAME] = "was intended with 1 of 2 approvals",
        [NEW_NAME_OLD_KEY] = "was intended with 1 of 2 approvals",
        [BY_A_REGISTRAR] = "which is no officer",
        [BY_ONE_THAT_ENDED] = "which is no officer then",
        [SIGNED_BY_ANOTHER] = "does not verify",
        [FOR_ANOTHER_REQUEST] = "signed something else",
        [A_REJECTION_TURNED_ROUND] = "signed something else",
        [REVOKED_BEFORE] = "which is no officer",
        [REVOKED_BETWEEN] = "was intended with 1 of 2 approvals",
        [REJECTED] = "although an officer rejected it",
        [INTENT_DEMANDS_LESS] = "was intended with 1 of 2 approvals",
        [INTENT_DEMANDS_MORE] = "was intended with 2 of 3 approvals",
        [NEVER_WAITED] = "was intended with 0 of 2 approvals",
        [UNASKED] = "which does not wait for any",
        [ASKED_TWICE] = "a second REQUEST",
    };

    (void)state;
    for (int row = 0; row < N_ROWS; row++) {
        CLEANUP(audit_ledger_end) struct audit_ledger l;
        CLEANUP(audit_log_cleanup) struct audit_log *log = NULL;
        struct person people[4] = {person(1, "Alice", NULL), person(2, "Bob", NULL)};
        struct audit_figures figures;
        struct err e = {0};
        int result;

        people[2] =
            row == NEW_NAME_OLD_KEY ? person(3, "Carol", people[0].key) : person(3, "Alice", NULL);
        people[3] = person(4, "OAM", NULL);
        if (row == BY_ONE_THAT_ENDED) {
            person_ends(&people[1]);
        }
        audit_ledger_begin(&l);
        tell(&l, row, people);
        audit_ledger_publish(&l);
        log = audit_open(l.dir, NULL, &e);
        assert_non_null(log);
        result = audit_verify(log, NULL, NULL, NULL, &figures, &e);
        if (result != (says[row] == NULL ? 0 : -1) ||
            (says[row] != NULL && (e.code != ERR_CRYPTO || strstr(e.text, says[row]) == NULL))) {
            fail_msg("row %d: %d \"%s\"", row, result, e.text);
        }
        if (row == STILL_WAITING || row == REFUSED) {
            assert_int_equal(figures.waiting, row == STILL_WAITING ? 1 : 0);
        }
        for (size_t i = 0; i < ARRAY_LEN(people); i++) {
            person_free(&people[i]);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_intended_without_its_approvals_although_the_log_signed_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
