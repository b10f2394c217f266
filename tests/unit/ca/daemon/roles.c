/* SPDX-License-Identifier: Apache-2.0 */
/* Who may register, and who the RA is told that somebody is: by the record, whatever a certificate
 * or a row says. */
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "ca/x509/name.h"
#include "ca/x509/serial.h"
#include "ca/x509/signed.h"
#include "db/issuance/issuance.h"
#include "db/ledger/ledger.h"
#include "pkcs11/key.h"
#include "pkcs11/signer/journal/journal.h"
#include "pkcs11/signer/policy.h"
#include "tests/support/journal_open.h"
#include "tests/unit/ca/daemon/nf.h"

enum { DAY = 24 * 60 * 60 };

/* What certificates of registrars had before, beside clientAuth. */
#define OLD_REGISTRAR "2.25.146746973955696582463241471912985749617.2"

/* REGISTER of a new network function, signed by `signer`. */
static void
register_by(struct world *w, X509 *signer, EVP_PKEY *key, struct answer *answer)
{
    X509 *registrar = w->registrar;
    EVP_PKEY *registrar_key = w->registrar_key;
    char uuid[NF_INSTANCE_ID_SIZE];
    CLEANUP(buf_free) struct buf cms = {0};

    nf_uuid(uuid);
    w->registrar = signer;
    w->registrar_key = key;
    cms = world_registration(w, uuid, 1, "{\"kind\":\"mac\"}");
    w->registrar = registrar;
    w->registrar_key = registrar_key;
    world_register(w, buf_span(&cms), answer);
}

static void
cannot_register(struct world *w, X509 *signer, EVP_PKEY *key)
{
    CLEANUP(answer_free) struct answer answer = {0};

    register_by(w, signer, key, &answer);
    nf_is_refused(&answer, CMP_NOT_AUTHORIZED);
}

static void
can_register(struct world *w, X509 *signer, EVP_PKEY *key)
{
    CLEANUP(answer_free) struct answer answer = {0};

    register_by(w, signer, key, &answer);
    assert_int_equal(answer.m.type, LINK_REGISTERED);
}

static void
role_is(struct world *w, X509 *certificate, const char *role)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(LINK_CERTIFICATE_MAX);
    CLEANUP(answer_free) struct answer answer = {0};
    uint8_t hash[SHA256_SIZE] = {0};
    const struct link_message m = {.type = LINK_ROLE, .id = span_of(hash, sizeof(hash))};
    struct err e = {0};

    if (certificate != NULL) {
        assert_ok(OSSL_ENCODE(X509, certificate, &der, &e), &e);
        assert_ok(sha256(buf_span(&der), hash, &e), &e);
    }
    world_send(w, &m);
    world_receive(w, &answer);
    assert_int_equal(answer.m.type, LINK_ROLE_IS);
    assert_true(span_equal(answer.m.id, span_of(hash, sizeof(hash))));
    if (!span_equal(answer.m.phrase, span_str(role))) {
        fail_msg("%.*s instead of %s", (int)answer.m.phrase.n, (const char *)answer.m.phrase.p,
                 role);
    }
}

static void
only_the_record_makes_a_registrar(void **state)
{
    struct world *w = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *officer_key = pki_key("P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other_key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *officer = world_officer(w, "officer", "Alice", officer_key);
    CLEANUP(x509_cleanup) X509 *other = world_officer(w, "registrar", "OAM 2", other_key);
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
    CLEANUP(x509_cleanup) X509 *nf = nf_enrol(w, &n);

    cannot_register(w, officer, officer_key);
    cannot_register(w, w->ra, w->ra_key);
    cannot_register(w, nf, n.key);
    can_register(w, other, other_key);
    role_is(w, w->ra, "ra-cmp");
    role_is(w, officer, "officer");
    role_is(w, other, "registrar");
    role_is(w, nf, "none");
    role_is(w, w->issuing, "none");
    role_is(w, NULL, "none");
    world_revoke(w, other, "superseded");
    role_is(w, other, "none");
    cannot_register(w, other, other_key);
}

#define NO_TRIGGERS                                                                                \
    "DROP TRIGGER IF EXISTS certificate_fixed; DROP TRIGGER IF EXISTS request_fixed;"

/* Whoever can write the file makes registrars of everybody, in the rows. */
static void
an_edited_row_makes_nobody_a_registrar(void **state)
{
    struct world *w = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *officer = world_officer(w, "officer", "Bob", key);
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
    CLEANUP(x509_cleanup) X509 *nf = nf_enrol(w, &n);

    CLEANUP(mem_cleanup)
    char *edit =
        mem_printf("ATTACH '%s/kept.db' AS beside; PRAGMA beside.journal_mode = MEMORY;"
                   "CREATE TABLE beside.kept AS SELECT q.rid, c.request, c.profile, c.nf_instance "
                   "FROM certificate c JOIN request q ON q.rowid = c.request;" NO_TRIGGERS
                   "UPDATE certificate SET profile = 'registrar'",
                   w->dir);
    CLEANUP(mem_cleanup)
    char *mend =
        mem_printf("ATTACH '%s/kept.db' AS beside; PRAGMA beside.journal_mode = MEMORY;" NO_TRIGGERS
                   "UPDATE certificate SET profile = kept.profile, nf_instance = "
                   "kept.nf_instance FROM kept WHERE kept.request = certificate.request;"
                   "UPDATE request SET profile = kept.profile FROM kept WHERE kept.rid = "
                   "request.rid",
                   w->dir);

    assert_int_equal(world_stop(w), 0);
    world_edit_as_ca(w, edit);
    assert_true(world_is_edited(w));
    world_edit_as_ca(w,
                     NO_TRIGGERS "UPDATE request SET profile = 'registrar' WHERE serial NOT NULL");
    assert_true(world_is_edited(w));
    world_edit_as_ca(w, NO_TRIGGERS "UPDATE certificate SET nf_instance = NULL");
    assert_true(world_is_edited(w));
    world_edit_as_ca(w, mend);
    world_start(w);
    cannot_register(w, officer, key);
    cannot_register(w, w->ra, w->ra_key);
    cannot_register(w, nf, n.key);
    role_is(w, officer, "officer");
    role_is(w, w->ra, "ra-cmp");
    role_is(w, nf, "none");
    can_register(w, w->registrar, w->registrar_key);
}

/* ---- a certificate from before ---- */

struct old {
    struct store_op op;
    struct issuance_intent intent;
    struct span certificate; /* empty: intend */
};

static int
run_old(struct store_op *op, struct store_db *db, struct err *e)
{
    struct old *o = CONTAINER_OF(op, struct old, op);
    enum issuance_outcome outcome;
    uint64_t leaf;

    if (o->certificate.n > 0) {
        return issuance_issue(db, o->intent.rid, o->certificate, o->intent.now, &leaf, e);
    }
    return issuance_intend(db, &o->intent, &outcome, e);
}

static void
store(const struct world *w, struct old *o)
{
    o->op.run = run_old;
    world_call(w, &o->op);
}

/* The line that a signature has in the journal. */
static void
write_down(const struct policy *p, struct span tbs, const uint8_t serial[AGAIN_SERIAL])
{
    uint8_t key[SHA256_SIZE];
    uint8_t hash[SHA256_SIZE];
    struct journal *j;
    struct err e = {0};
    size_t torn;

    assert_ok(sha256(buf_span(&p->spki), key, &e), &e);
    assert_ok(sha256(tbs, hash, &e), &e);
    j = journal_open(p->journal, key, &torn, &e);
    assert_non_null(j);
    assert_ok(journal_add_certificate(j, hash, serial, &e), &e);
    assert_ok(journal_commit(j, &e), &e);
    journal_close(j);
}

/* By the key itself: the signer of today would want to see it in the ledger before. */
static void
sign(const struct world *w, struct span tbs, const uint8_t serial[AGAIN_SERIAL], struct buf *der)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/issuing.conf", w->dir);
    struct err e = {0};
    CLEANUP(policy_cleanup) struct policy *p = policy_load(path, &e);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    struct module *m;
    struct session *s;
    struct key *key;

    assert_non_null(p);
    m = module_open(p->module, p->module_config, &e);
    assert_non_null(m);
    s = session_open(m, p->token, p->serial, SESSION_READ_ONLY, &e);
    assert_non_null(s);
    assert_ok(session_login(s, SPAN_LITERAL(WORLD_PIN), &e), &e);
    key = key_find(s, key_policy_find(p->attributes, &e), span_of(p->key_id, sizeof(p->key_id)),
                   buf_span(&p->spki), &e);
    assert_non_null(key);
    write_down(p, tbs, serial);
    assert_ok(key_sign(key, tbs, &signature, &e), &e);
    key_free(key);
    session_close(s);
    module_close(m);
    assert_ok(signed_assemble(SIGNED_CERTIFICATE, tbs, buf_span(&signature),
                              X509_get0_pubkey(w->issuing), der, &e),
              &e);
}

static X509 *
old_registrar(struct world *w, EVP_PKEY *key)
{
    static const uint8_t rid[SHA256_SIZE] = {0x6f, 0x6c, 0x64};
    struct profile profile = *profile_by_name("registrar");
    CLEANUP(buf_free) struct buf spki = pki_spki(key);
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
    CLEANUP(buf_free) struct buf der = BUF_INIT(LINK_CERTIFICATE_MAX);
    uint8_t spki_hash[SHA256_SIZE];
    struct name subject;
    struct tbs_request t = {.profile = &profile,
                            .issuer = w->issuing,
                            .subject = &subject,
                            .spki = buf_span(&spki),
                            .not_before = clock_now() - DAY,
                            .not_after = clock_now() + (time_t)30 * DAY,
                            .crl_url = "http://pki.example/crl/issuing.crl"};
    struct old o = {.intent = {.rid = span_of(rid, sizeof(rid)),
                               .profile = "registrar",
                               .evidence = SPAN_LITERAL("PKCS #10"),
                               .spki_sha256 = span_of(spki_hash, sizeof(spki_hash)),
                               .not_before = t.not_before,
                               .judged = t.not_before,
                               .not_after = t.not_after,
                               .now = t.not_before}};
    struct err e = {0};

    profile.eku[0] = OLD_REGISTRAR;
    profile.eku[1] = EKU_CLIENT_AUTH;
    assert_ok(sha256(t.spki, spki_hash, &e), &e);
    assert_ok(serial_new(t.serial, clock_now(), &e), &e);
    assert_ok(name_set(&subject, "SE", "Example Operator", "OAM of last year", &e), &e);
    assert_ok(tbs_build(&t, &tbs, &e), &e);
    o.intent.serial = span_of(t.serial, sizeof(t.serial));
    o.intent.tbs = buf_span(&tbs);
    store(w, &o);
    sign(w, buf_span(&tbs), t.serial, &der);
    o.certificate = buf_span(&der);
    store(w, &o);
    return certificate_parse(buf_span(&der), &e);
}

static void
a_certificate_of_before_is_good_by_its_record(void **state)
{
    struct world *w = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *old = NULL;

    assert_int_equal(world_stop(w), 0);
    old = old_registrar(w, key);
    assert_non_null(old);
    world_start(w);
    role_is(w, old, "registrar");
    can_register(w, old, key);
}

/* ---- what leaves the CA ---- */

static void
no_arc_of_ours_is_in_a_new_certificate(void **state)
{
    static const char *const profiles[] = {"ra-cmp", "registrar", "officer"};
    CLEANUP(buf_free) struct buf arc = BUF_INIT(64);
    ASN1_OBJECT *oid = OBJ_txt2obj("2.25.146746973955696582463241471912985749617", 1);
    struct world *w = *state;
    struct err e = {0};

    assert_ok(buf_set(&arc, span_of(OBJ_get0_data(oid), OBJ_length(oid)), &e), &e);
    ASN1_OBJECT_free(oid);
    for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
        CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
        CLEANUP(x509_cleanup) X509 *x = world_officer(w, profiles[i], "Somebody", key);
        CLEANUP(buf_free) struct buf der = BUF_INIT(LINK_CERTIFICATE_MAX);
        int critical = -1;
        EXTENDED_KEY_USAGE *usage = X509_get_ext_d2i(x, NID_ext_key_usage, &critical, NULL);

        assert_ok(OSSL_ENCODE(X509, x, &der, &e), &e);
        assert_null(memmem(der.p, der.n, arc.p, arc.n));
        assert_int_equal(sk_ASN1_OBJECT_num(usage), i == 2 ? -1 : 1);
        if (i == 1) { /* clientAuth only */
            assert_int_equal(OBJ_obj2nid(sk_ASN1_OBJECT_value(usage, 0)), NID_client_auth);
        } else if (i == 2) { /* no TLS purpose: none at all */
            assert_int_equal(critical, -1);
        }
        EXTENDED_KEY_USAGE_free(usage);
    }
}

/* What an operator's own relying parties are told. */
static void
an_operator_adds_policies_of_its_own(void **state)
{
    struct world *w = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *officer_key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *registrar = NULL;
    CLEANUP(x509_cleanup) X509 *officer = NULL;
    CERTIFICATEPOLICIES *policies;
    char text[64];

    assert_int_equal(world_stop(w), 0);
    world_configure(w, "renewal_window = 0\nregistrar_policies = {\"2.25.1\"}\n");
    assert_true(world_start_fails(w));
    world_configure(w, "renewal_window = 0\nregistrar_policies = {\"1.3.6.1.4.1.99999.1.2\"}\n");
    world_start(w);
    registrar = world_officer(w, "registrar", "OAM 3", key);
    officer = world_officer(w, "officer", "Carol", officer_key);
    policies = X509_get_ext_d2i(registrar, NID_certificate_policies, NULL, NULL);
    assert_int_equal(sk_POLICYINFO_num(policies), 1);
    assert_true(OBJ_obj2txt(text, sizeof(text), sk_POLICYINFO_value(policies, 0)->policyid, 1) > 0);
    assert_string_equal(text, "1.3.6.1.4.1.99999.1.2");
    CERTIFICATEPOLICIES_free(policies);
    assert_int_equal(X509_get_ext_by_NID(officer, NID_certificate_policies, -1), -1);
    can_register(w, registrar, key);
    cannot_register(w, officer, officer_key);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_record_makes_a_registrar),
        cmocka_unit_test(no_arc_of_ours_is_in_a_new_certificate),
        cmocka_unit_test(a_certificate_of_before_is_good_by_its_record),
        cmocka_unit_test(an_edited_row_makes_nobody_a_registrar),
        cmocka_unit_test(an_operator_adds_policies_of_its_own),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
