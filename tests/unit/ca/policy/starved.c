/* SPDX-License-Identifier: Apache-2.0 */
/* What the CA decides, while memory is short inside OpenSSL: what it would grant is granted or not
 * decided, and what it would refuse is never granted. */
#include <string.h>

#include "ca/cmp/message/der.h"
#include "ca/policy/confirmation.h"
#include "ca/policy/revocation.h"
#include "ca/x509/lint/lint.h"
#include "ca/x509/serial.h"
#include "tests/support/der_edit.h"
#include "tests/support/starve.h"
#include "tests/unit/ca/policy/grant.h"

enum { RUNS = 8, ALL = 1024, KEY_COMPROMISE = 1 };

static struct scene *s;

static int
make(void **state)
{
    (void)state;
    return scene_setup((void **)&s);
}

static int
drop(void **state)
{
    (void)state;
    return scene_teardown((void **)&s);
}

/* ---- requests ---- */

struct asked {
    struct cmp_queued *queued;
    const char *json;
    const struct issuance_holder *holder;
};

/* The serial number is another one each time: what was linted is made again with the same one. */
static int
grant_out(const struct policy_grant *g, struct buf *out, struct err *e)
{
    struct tbs_request again = g->request;

    assert_ok(lint_tbs(buf_span(&g->tbs), &g->request, e), e);
    memset(again.serial, 0x41, sizeof(again.serial));
    return buf_append(out, span_of(g->spki_sha256, SHA256_SIZE), e) == 0 ? tbs_build(&again, out, e)
                                                                         : -1;
}

static int
request_is_judged(const void *arg, struct buf *out, struct err *e)
{
    const struct asked *a = arg;
    CLEANUP(policy_grant_free) struct policy_grant g = {0};
    CLEANUP(x509_cleanup) X509 *requester = NULL;
    const struct policy_facts facts = {.json = span_str(a->json), .holder = a->holder};
    enum cmp_failure failure = CMP_NO_FAILURE;

    if (policy_grant_request(&s->policy, a->queued, &facts, PKI_NOW + HOUR, &g, &requester,
                             &failure, e) != 0) {
        assert_int_not_equal(failure, CMP_NO_FAILURE);
        return -1;
    }
    starve_pause();
    return requester != NULL && OSSL_ENCODE(X509, requester, out, e) != 0 ? -1
                                                                          : grant_out(&g, out, e);
}

/* A PKCS #10 request of somebody who says to be an SMF, too. */
static struct buf
of_smf(void)
{
    CLEANUP(x509_extension_cleanup)
    X509_EXTENSION *types =
        X509V3_EXT_conf(NULL, NULL, "1.3.6.1.5.5.7.1.34", "DER:30:05:16:03:53:4d:46");
    struct buf out = BUF_INIT(SMALL);
    struct err e = {0};

    assert_ok(cmp_client_body_p10cr(s->key, X509_get_subject_name(s->held), types, &out, &e), &e);
    return out;
}

#define BY_DEVICE .certificate = s->device, .signs = s->device_key
#define BY_HELD .certificate = s->held, .signs = s->held_key

static void
what_is_not_granted_is_never(void **state)
{
    CLEANUP(mem_cleanup) char *of_vendor = scene_of_vendor(s->device);
    CLEANUP(mem_cleanup) char *of_another = scene_pins_certificate(s->held);
    CLEANUP(buf_free) struct buf smf = of_smf();
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *large = pki_key("P-521");
    const struct issuance_holder holder = {.nf_instance = SCENE_INSTANCE,
                                           .profile = "nf-tls",
                                           .registration = SCENE_REGISTRATION,
                                           .governs = SCENE_REGISTRATION};
    const struct {
        const char *name;
        struct scene_request request;
        const char *proof;
        const struct issuance_holder *holder;
        const char *why; /* NULL: granted */
    } rows[] = {
        {"ir, MAC", {.body = CMP_IR}, SCENE_MAC, NULL, NULL},
        {"ir, vendor", {BY_DEVICE}, of_vendor, NULL, NULL},
        {"kur, held", {.body = CMP_KUR, BY_HELD}, SCENE_MAC, &holder, NULL},
        {"another certificate is pinned", {BY_DEVICE}, of_another, NULL, "registration"},
        {"a vendor's, with a MAC", {.body = CMP_IR}, of_vendor, NULL, "registered"},
        {"signed, with another key",
         {.certificate = s->device, .signs = s->key},
         of_vendor,
         NULL,
         "does not verify"},
        {"a MAC attested as a signature", {.lies = true}, SCENE_MAC, NULL, ""},
        {"held, unknown to the record", {.body = CMP_KUR, BY_HELD}, SCENE_MAC, NULL, ""},
        {"not possessed",
         {.edit = "1.0.0.1.1",
          .with = SPAN_LITERAL("\x03\x09\x00\x30\x06\x02\x01\x01\x02\x01\x01")},
         SCENE_MAC,
         NULL,
         "does not verify"},
        {"another NF type",
         {.body = CMP_P10CR, .content = buf_span(&smf)},
         SCENE_MAC,
         NULL,
         "NF type"},
        {"a key of another kind", {.asked = large}, SCENE_MAC, NULL, "public key"},
        {"another profile", {.profile = "nf-tls-client"}, SCENE_MAC, NULL, "nf-tls-client"},
    };
    size_t findings = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup)
        char *json = scene_registration(rows[i].proof, SCENE_PROFILES, "");
        CLEANUP(cmp_queued_cleanup) struct cmp_queued *queued = scene_queued(s, &rows[i].request);
        const struct asked a = {queued, json, rows[i].holder};
        const struct starve sweep = {rows[i].name, request_is_judged, rows[i].why, &a, RUNS};

        findings += starve_sweep(&sweep, 1);
    }
    assert_int_equal(findings, 0);
}

/* ---- which certificate of ours signs ---- */

/* Of any other reason than memory, that nobody's is said. */
static int
holder_is_told(const void *arg, struct buf *out, struct err *e)
{
    uint8_t serial[ISSUANCE_SERIAL_SIZE] = {0};
    struct span der;

    if (policy_holder_serial(&s->policy, arg, serial, &der, e) != 0) {
        assert_int_equal(e->code, ERR_BUSY);
        return -1;
    }
    return buf_append(out, der, e) != 0 ? -1 : buf_append(out, span_of(serial, sizeof(serial)), e);
}

/* Behind another one, as clients send it that put their chain first. */
static struct buf
behind_another(struct span message)
{
    CLEANUP(buf_free) struct buf both = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf list = BUF_INIT(CMP_MESSAGE_MAX);
    struct buf out = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, s->pki->issuing, &both, &e), &e);
    assert_ok(OSSL_ENCODE(X509, s->held, &both, &e), &e);
    assert_ok(der_append(&list, DER_SEQUENCE, buf_span(&both), &e), &e);
    assert_ok(der_edit(message, "3.0", buf_span(&list), &out, &e), &e);
    return out;
}

static void
a_holder_is_never_taken_for_a_stranger(void **state)
{
    const struct {
        const char *name;
        struct scene_request request;
        bool behind;
    } rows[] = {
        {"ours", {.body = CMP_KUR, BY_HELD}, false},
        {"ours, behind another", {.body = CMP_KUR, BY_HELD}, true},
        {"a vendor's", {BY_DEVICE}, false},
        {"none", {BY_HELD, .edit = "3.0.0", .with = SPAN_LITERAL("\x30\x00")}, false},
    };
    size_t findings = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf message = scene_message(s, &rows[i].request);
        CLEANUP(buf_free)
        struct buf other = rows[i].behind ? behind_another(buf_span(&message)) : (struct buf){0};
        struct err e = {0};
        CLEANUP(cmp_msg_cleanup)
        struct cmp_msg *m =
            cmp_msg_parse(buf_span(rows[i].behind ? &other : &message), CMP_MESSAGE_MAX, &e);
        const struct starve sweep = {rows[i].name, holder_is_told, NULL, m, ALL};

        assert_non_null(m);
        findings += starve_sweep(&sweep, 1);
    }
    assert_int_equal(findings, 0);
}

/* ---- what an RA sends on ---- */

struct wrapped {
    struct buf nested;
    uint8_t rid[SHA256_SIZE];
};

static int
entry_is_opened(const void *arg, struct buf *out, struct err *e)
{
    const struct wrapped *w = arg;
    enum cmp_failure failure;
    CLEANUP(cmp_queued_cleanup)
    struct cmp_queued *q =
        policy_open(&s->policy, buf_span(&w->nested), span_of(w->rid, SHA256_SIZE), s->ras,
                    ARRAY_LEN(s->ras), PKI_NOW + HOUR, &failure, e);

    return q == NULL ? -1 : buf_append(out, cmp_msg_der(cmp_queued_inner(q)), e);
}

/* Wrapped as before: without memory for a hash of a tree the program ends (base/tlog/merkle.c), and
 * what is else in a Submission is tests/unit/ca/cmp/starved_build.c's. */
static void
an_entry_that_is_not_an_ras_is_never_opened(void **state)
{
    const struct scene_request r = {.body = CMP_IR};
    CLEANUP(buf_free) struct buf message = scene_message(s, &r);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    struct wrapped good = {0};
    struct wrapped forged = {0};
    struct wrapped another = {0};
    const struct starve rows[] = {
        {"policy_open", entry_is_opened, NULL, &good, RUNS},
        {"policy_open, forged", entry_is_opened, "verify", &forged, RUNS},
        {"policy_open, another message", entry_is_opened, "", &another, RUNS},
    };
    size_t findings;
    struct err e = {0};

    (void)state;
    assert_ok(sha256(buf_span(&message), good.rid, &e), &e);
    memcpy(forged.rid, good.rid, SHA256_SIZE);
    good.nested = scene_wrap_before(s, &r, buf_span(&message), s->ra, s->ra_key, NULL);
    another.nested = scene_wrap_before(s, &r, buf_span(&message), s->ra, s->ra_key, NULL);
    forged.nested = scene_wrap_before(s, &r, buf_span(&message), s->ra, key, NULL);
    findings = starve_sweep(rows, ARRAY_LEN(rows));
    buf_free(&good.nested);
    buf_free(&forged.nested);
    buf_free(&another.nested);
    assert_int_equal(findings, 0);
}

/* ---- what the key has signed ---- */

struct sealed {
    const struct policy_grant *grant;
    struct buf tbs;
    struct buf signature;
};

static int
certificate_is_sealed(const void *arg, struct buf *out, struct err *e)
{
    const struct sealed *c = arg;
    CLEANUP(buf_free) struct buf certificate = {0};

    return policy_seal(&s->policy, buf_span(&c->tbs), buf_span(&c->signature), c->grant,
                       &certificate, e) == 0
               ? buf_append(out, buf_span(&certificate), e)
               : -1;
}

/* Asked by an officer; `out` is all zero before. */
static void
grant_officer(struct policy_grant *out)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(SMALL);
    struct err e = {0};

    assert_ok(cmp_client_pkcs10(s->key, NULL, NULL, &der, &e), &e);
    assert_ok(policy_grant_officer(&s->policy, buf_span(&der), "registrar", "OAM", 30,
                                   PKI_NOW + HOUR, out, &e),
              &e);
}

static void
what_is_not_as_decided_is_never_sealed(void **state)
{
    CLEANUP(policy_grant_free) struct policy_grant g = {0};
    struct sealed good = {.grant = &g, .tbs = BUF_INIT(TBS_MAX)};
    struct sealed forged = {.grant = &g, .tbs = BUF_INIT(TBS_MAX)};
    struct sealed another = {.grant = &g, .tbs = BUF_INIT(TBS_MAX)};
    struct tbs_request longer;
    const struct starve rows[] = {
        {"policy_seal", certificate_is_sealed, NULL, &good, 0},
        {"policy_seal, forged", certificate_is_sealed, "verify", &forged, 0},
        {"policy_seal, a day longer", certificate_is_sealed, "lint", &another, 0},
    };
    size_t findings;
    struct err e = {0};

    (void)state;
    grant_officer(&g);
    longer = g.request;
    longer.not_after += SCENE_DAY;
    assert_ok(buf_append(&good.tbs, buf_span(&g.tbs), &e), &e);
    assert_ok(buf_append(&forged.tbs, buf_span(&g.tbs), &e), &e);
    assert_ok(tbs_build(&longer, &another.tbs, &e), &e);
    good.signature = pki_sign(s->pki->issuing_key, buf_span(&good.tbs));
    forged.signature = pki_sign(s->key, buf_span(&good.tbs));
    another.signature = pki_sign(s->pki->issuing_key, buf_span(&another.tbs));
    findings = starve_sweep(rows, ARRAY_LEN(rows));
    buf_free(&good.tbs);
    buf_free(&good.signature);
    buf_free(&forged.tbs);
    buf_free(&forged.signature);
    buf_free(&another.tbs);
    buf_free(&another.signature);
    assert_int_equal(findings, 0);
}

/* ---- confirmations and revocations ---- */

struct confirmed {
    struct cmp_queued *first;
    struct cmp_queued *queued;
    bool by_mac;
};

static int
confirmation_is_judged(const void *arg, struct buf *out, struct err *e)
{
    const struct confirmed *c = arg;
    CLEANUP(buf_free) struct buf held = BUF_INIT(CMP_MESSAGE_MAX);
    struct cmp_certconf conf;
    enum cmp_failure failure;

    (void)out;
    return OSSL_ENCODE(X509, s->held, &held, e) != 0
               ? -1
               : confirmation_judge(c->queued, c->first, c->by_mac, 0, buf_span(&held), &conf,
                                    &failure, e);
}

static void
what_does_not_confirm_never_does(void **state)
{
    const struct {
        const char *name;
        struct scene_request first;
        struct scene_request certconf;
        const X509 *about;
        const char *why; /* NULL: it confirms */
    } rows[] = {
        {"MAC", {.body = CMP_IR}, {.body = CMP_CERTCONF}, s->held, NULL},
        {"signed", {BY_DEVICE}, {BY_DEVICE}, s->held, NULL},
        {"another certificate", {.body = CMP_IR}, {.body = CMP_CERTCONF}, s->device, "certHash"},
        {"signed by another", {BY_DEVICE}, {BY_HELD}, s->held, ""},
        {"signed with another key",
         {BY_DEVICE},
         {.certificate = s->device, .signs = s->key},
         s->held,
         "does not verify"},
    };
    size_t findings = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(cmp_queued_cleanup) struct cmp_queued *first = scene_queued(s, &rows[i].first);
        CLEANUP(cmp_queued_cleanup) struct cmp_queued *queued = NULL;
        CLEANUP(buf_free) struct buf body = BUF_INIT(SMALL);
        struct cmp_client_state state_of = {.recip_nonce_size = CMP_NONCE_SIZE};
        struct scene_request certconf = rows[i].certconf;
        struct confirmed c = {.first = first, .by_mac = rows[i].first.certificate == NULL};
        const struct starve sweep = {rows[i].name, confirmation_is_judged, rows[i].why, &c, RUNS};
        struct err e = {0};

        assert_ok(cmp_client_body_certconf(rows[i].about, true, &body, &e), &e);
        memcpy(state_of.transaction_id, cmp_msg_transaction_id(cmp_queued_inner(first)).p,
               CMP_NONCE_SIZE);
        certconf.content = buf_span(&body);
        certconf.body = CMP_CERTCONF;
        certconf.goes_on = &state_of;
        queued = scene_queued(s, &certconf);
        c.queued = queued;
        findings += starve_sweep(&sweep, 1);
    }
    assert_int_equal(findings, 0);
}

static int
revocation_is_judged(const void *arg, struct buf *out, struct err *e)
{
    CLEANUP(mem_cleanup) char *by = NULL;
    enum cmp_failure failure;

    return revocation_judge(arg, &by, &failure, e) != 0 ? -1 : buf_append_str(out, by, e);
}

static void
what_may_not_be_revoked_never_is(void **state)
{
    const struct {
        const char *name;
        struct scene_request request;
        bool ours;
        bool other_key;
        const char *why; /* NULL: revoked */
    } rows[] = {
        {"its own", {BY_HELD}, true, false, NULL},
        {"forged", {.certificate = s->held, .signs = s->key}, true, false, "verify"},
        {"unknown to the record", {BY_HELD}, false, false, ""},
        {"a stranger's", {BY_DEVICE}, false, false, ""},
        {"another key", {BY_HELD}, true, true, "another key"},
    };
    struct issuance_holder holder = {.nf_instance = SCENE_INSTANCE, .profile = "nf-tls"};
    struct issuance_target target = {
        .not_after = SCENE_END, .nf_instance = SCENE_INSTANCE, .certificate = BUF_INIT(SMALL)};
    struct cmp_revreq asked = {.reason = KEY_COMPROMISE, .serial_size = ISSUANCE_SERIAL_SIZE};
    CLEANUP(buf_free) struct buf body = BUF_INIT(SMALL);
    size_t findings = 0;
    struct err e = {0};

    (void)state;
    memcpy(holder.serial, serial_of(s->held).p, ISSUANCE_SERIAL_SIZE);
    memcpy(asked.serial, serial_of(s->held).p, ISSUANCE_SERIAL_SIZE);
    assert_ok(OSSL_ENCODE(X509, s->held, &target.certificate, &e), &e);
    assert_ok(cmp_client_body_rr(X509_get_issuer_name(s->held), X509_get0_serialNumber(s->held),
                                 KEY_COMPROMISE, &body, &e),
              &e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct scene_request r = rows[i].request;
        CLEANUP(cmp_queued_cleanup) struct cmp_queued *queued = NULL;
        struct revocation_question q = {.asked = &asked,
                                        .malformed = CMP_NO_FAILURE,
                                        .holder = rows[i].ours ? &holder : NULL,
                                        .target = &target,
                                        .trust = s->policy.trust,
                                        .now = PKI_NOW + 1};
        const struct starve sweep = {rows[i].name, revocation_is_judged, rows[i].why, &q, RUNS};

        r.content = buf_span(&body);
        queued = scene_queued(s, &r);
        q.queued = queued;
        asked.has_key = rows[i].other_key;
        findings += starve_sweep(&sweep, 1);
    }
    issuance_target_free(&target);
    assert_int_equal(findings, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_granted_is_never),
        cmocka_unit_test(a_holder_is_never_taken_for_a_stranger),
        cmocka_unit_test(an_entry_that_is_not_an_ras_is_never_opened),
        cmocka_unit_test(what_is_not_as_decided_is_never_sealed),
        cmocka_unit_test(what_does_not_confirm_never_does),
        cmocka_unit_test(what_may_not_be_revoked_never_is),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
