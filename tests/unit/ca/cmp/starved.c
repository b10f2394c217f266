/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that come in, while memory is short inside OpenSSL: read as they are or not at all, and
 * none that is refused is ever taken. */
#include "ca/cmp/certreq.h"
#include "ca/cmp/message/asked.h"
#include "ca/cmp/message/revoke.h"
#include "ca/cmp/protection/check.h"
#include "ca/cmp/protection/protect.h"
#include "ca/cmp/update.h"
#include "tests/support/starve.h"
#include "tests/unit/ca/cmp/fixture.h"

/* Octets, because OpenSSL keeps what it has found out in its objects. */
struct message {
    struct buf der;
    struct cmp_msg *msg;
};

static struct {
    struct world *w;
    X509 *other; /* of the device's subject, with another key */
    struct buf device;
    struct buf other_der;
    struct message mac;
    struct message pbmac1;
    struct message signature;
    struct message forged;      /* the last octet of its signature is another one */
    struct message other_kid;   /* its senderKID is not the signer's */
    struct message unpossessed; /* the proof of possession is broken */
    struct message p10;
    struct message kur;
    struct message rr;
    struct message certconf;
    struct message pollreq;
    struct message error;
    struct buf asked;
    X509 *dev; /* that the kur of the vectors is about */
} s;

static void
take(struct message *m, struct span der)
{
    struct err e = {0};

    m->der = BUF_INIT(CMP_NESTED_MAX);
    assert_ok(buf_set(&m->der, der, &e), &e);
    m->msg = parse_ok(buf_span(&m->der));
}

static void
take_vector(struct message *m, const char *name)
{
    CLEANUP(buf_free) struct buf der = {0};

    vector(name, &der);
    take(m, buf_span(&der));
}

static void
take_body(struct message *m, struct span body, const struct cmp_client *c, bool kid)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_NESTED_MAX);
    CLEANUP(buf_free) struct buf recipient = {0};
    CLEANUP(x509_name_cleanup) X509_NAME *name = NULL;
    struct cmp_header h;
    struct err e = {0};

    assert_ok(cmp_header_first(&h, &e), &e);
    assert_ok(cmp_client_header(c, &h, &name, &recipient, &e), &e);
    if (!kid) {
        h.sender_kid = SPAN_LITERAL("another key's");
    }
    assert_ok(cmp_client_seal(c, &h, body, &der, &e), &e);
    take(m, buf_span(&der));
}

static void
make_requests(void)
{
    CLEANUP(buf_free) struct buf der = {0};
    CLEANUP(buf_free) struct buf algorithm = BUF_INIT(1024);
    CLEANUP(cmp_certreq_cleanup) struct cmp_certreq *request = NULL;
    struct cmp_client c = s.w->mac;
    enum cmp_failure failure;
    struct span content;
    struct err e = {0};

    request_der(s.w, &s.w->mac, &der);
    take(&s.mac, buf_span(&der));
    content = cmp_msg_content(s.mac.msg);
    take(&s.unpossessed, buf_span(&der));
    cmp_msg_free(s.unpossessed.msg);
    s.unpossessed.der.p[content.p - cmp_msg_der(s.mac.msg).p + (ptrdiff_t)content.n - 1] ^= 1;
    s.unpossessed.msg = parse_ok(buf_span(&s.unpossessed.der));
    buf_free(&der);
    assert_ok(cmp_client_pbmac1(NID_hmacWithSHA256, 200, NID_hmacWithSHA256, &algorithm, &e), &e);
    c.algorithm = buf_span(&algorithm);
    request_der(s.w, &c, &der);
    take(&s.pbmac1, buf_span(&der));
    buf_free(&der);
    request_der(s.w, &s.w->signature, &der);
    take(&s.signature, buf_span(&der));
    take(&s.forged, buf_span(&der));
    cmp_msg_free(s.forged.msg);
    content = cmp_msg_protection(s.signature.msg);
    {
        uint8_t *at = memmem(s.forged.der.p, s.forged.der.n, content.p, content.n);

        at[content.n - 1] ^= 1;
    }
    s.forged.msg = parse_ok(buf_span(&s.forged.der));
    request = cmp_certreq_read(s.signature.msg, &failure, &e);
    assert_non_null(request);
    s.asked = BUF_INIT(CMP_MESSAGE_MAX);
    assert_ok(cmp_certreq_encode_asked(request, &s.asked, &e), &e);
}

/* A PKCS #10 that asks for a name. */
static void
make_p10(void)
{
    CLEANUP(x509_extension_cleanup)
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:a.example");
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    assert_ok(cmp_client_body_p10cr(s.w->key, s.w->subject, names, &body, &e), &e);
    take_body(&s.p10, buf_span(&body), &s.w->mac, true);
}

static void
make_bodies(void)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_NESTED_MAX);
    const ASN1_INTEGER *serial = X509_get0_serialNumber(s.w->device);
    struct err e = {0};

    assert_ok(cmp_client_body_rr(X509_get_issuer_name(s.w->device), serial, 1, &body, &e), &e);
    take_body(&s.rr, buf_span(&body), &s.w->mac, true);
    take_body(&s.other_kid, buf_span(&body), &s.w->signature, false);
    assert_ok(cmp_client_body_certconf(s.w->device, true, &body, &e), &e);
    take_body(&s.certconf, buf_span(&body), &s.w->mac, true);
    assert_ok(cmp_client_body_pollreq(0, &body, &e), &e);
    take_body(&s.pollreq, buf_span(&body), &s.w->mac, true);
    assert_ok(cmp_body_error(CMP_BAD_TIME, "late", &body, &e), &e);
    take_body(&s.error, buf_span(&body), &s.w->mac, true);
}

static int
make(void **state)
{
    struct err e = {0};

    (void)state;
    assert_int_equal(world_setup((void **)&s.w), 0);
    s.other = certificate_of(s.w->key, "device");
    s.device = s.other_der = BUF_INIT(CMP_MESSAGE_MAX);
    assert_ok(OSSL_ENCODE(X509, s.w->device, &s.device, &e), &e);
    assert_ok(OSSL_ENCODE(X509, s.other, &s.other_der, &e), &e);
    s.dev = vector_cert("dev.crt");
    make_p10();
    take_vector(&s.kur, "sig-kur.der");
    make_requests();
    make_bodies();
    return 0;
}

static int
drop(void **state)
{
    struct message *all[] = {&s.mac,       &s.pbmac1,      &s.signature, &s.forged,
                             &s.other_kid, &s.unpossessed, &s.p10,       &s.kur,
                             &s.rr,        &s.certconf,    &s.pollreq,   &s.error};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        cmp_msg_free(all[i]->msg);
        buf_free(&all[i]->der);
    }
    X509_free(s.other);
    X509_free(s.dev);
    buf_free(&s.device);
    buf_free(&s.other_der);
    buf_free(&s.asked);
    return world_teardown((void **)&s.w);
}

/* ---- the message ---- */

static int
message_is_parsed(const void *arg, struct buf *out, struct err *e)
{
    const struct message *m = arg;
    CLEANUP(cmp_msg_cleanup)
    struct cmp_msg *msg = cmp_msg_parse(buf_span(&m->der), CMP_NESTED_MAX, e);
    time_t at = 0;

    starve_pause();
    return msg == NULL || buf_append(out, cmp_msg_sender(msg), e) != 0 ||
                   buf_append(out, cmp_msg_recipient(msg), e) != 0 ||
                   buf_append(out, cmp_msg_sender_kid(msg), e) != 0 ||
                   buf_append(out, cmp_msg_transaction_id(msg), e) != 0 ||
                   buf_append(out, cmp_msg_sender_nonce(msg), e) != 0 ||
                   buf_append(out, cmp_msg_protection_alg(msg), e) != 0 ||
                   buf_append(out, cmp_msg_protection(msg), e) != 0 ||
                   buf_append(out, cmp_msg_content(msg), e) != 0 ||
                   buf_append(out, cmp_msg_extra(msg, 0), e) != 0 || !cmp_msg_time(msg, &at) ||
                   buf_append(out, span_of(&at, sizeof(at)), e) != 0
               ? -1
               : 0;
}

static int
sender_is_read(const void *arg, struct buf *out, struct err *e)
{
    const struct message *m = arg;
    CLEANUP(x509_name_cleanup) X509_NAME *name = cmp_msg_sender_name(m->msg, e);

    starve_pause();
    return name == NULL ? -1 : OSSL_ENCODE(X509_NAME, name, out, e);
}

static int
message_is_checked(const void *arg, struct buf *out, struct err *e)
{
    static const struct cmp_rules rules = {.bodies = UINT32_MAX, .time_required = true};
    const struct message *m = arg;
    enum cmp_failure failure;

    (void)out;
    return cmp_check_first(m->msg, &rules, &failure, e);
}

static int
mac_verifies(const struct message *m, const char *secret, struct err *e)
{
    enum cmp_failure failure;
    CLEANUP(cmp_mac_key_cleanup)
    struct cmp_mac_key *key =
        cmp_mac_key_new(cmp_msg_protection_alg(m->msg), span_str(secret), NULL, &failure, e);

    return key == NULL ? -1 : cmp_mac_verify(key, m->msg, &failure, e);
}

static int
mac_is_verified(const void *arg, struct buf *out, struct err *e)
{
    (void)out;
    return mac_verifies(arg, SECRET, e);
}

static int
mac_is_verified_with_another_secret(const void *arg, struct buf *out, struct err *e)
{
    (void)out;
    return mac_verifies(arg, SECRET "!", e);
}

static int
signature_verifies(const struct message *m, const struct buf *der, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *signer = NULL;
    enum cmp_failure failure;

    starve_pause();
    signer = certificate_parse(buf_span(der), e);
    assert_non_null(signer);
    starve_resume();
    return cmp_signature_verify(m->msg, signer, &failure, e);
}

static int
signature_is_verified(const void *arg, struct buf *out, struct err *e)
{
    (void)out;
    return signature_verifies(arg, &s.device, e);
}

static int
signature_is_verified_with_another_key(const void *arg, struct buf *out, struct err *e)
{
    (void)out;
    return signature_verifies(arg, &s.other_der, e);
}

static int
signer_is_found(const void *arg, struct buf *out, struct err *e)
{
    const struct message *m = arg;
    CLEANUP(x509_cleanup) X509 *signer = cmp_signer_parse(m->msg, e);

    starve_pause();
    return signer == NULL ? -1 : OSSL_ENCODE(X509, signer, out, e);
}

/* ---- requests ---- */

static int
request_is_read(const void *arg, struct buf *out, struct err *e)
{
    const struct message *m = arg;
    enum cmp_failure failure;
    CLEANUP(cmp_certreq_cleanup) struct cmp_certreq *r = cmp_certreq_read(m->msg, &failure, e);

    return r == NULL || buf_append(out, cmp_certreq_spki(r), e) != 0 ||
                   cmp_certreq_encode_asked(r, out, e) != 0 ||
                   cmp_certreq_check_pop(r, &failure, e) != 0
               ? -1
               : 0;
}

static int
wishes_are_granted(const void *arg, struct buf *out, struct err *e)
{
    bool granted;

    (void)arg;
    (void)out;
    if (cmp_asked_is_granted(buf_span(&s.asked), buf_span(&s.device), 0, &granted, e) != 0) {
        return -1;
    }
    return granted ? 0 : err_set(e, ERR_DENIED, "something else");
}

static int
update_is_checked(const void *arg, struct buf *out, struct err *e)
{
    X509 *const *old = arg;
    enum cmp_failure failure;
    CLEANUP(cmp_certreq_cleanup) struct cmp_certreq *r = cmp_certreq_read(s.kur.msg, &failure, e);

    (void)out;
    return r == NULL ? -1 : cmp_certreq_check_update(r, *old, &failure, e);
}

static int
revocation_is_read(const void *arg, struct buf *out, struct err *e)
{
    X509 *const *issuer = arg;
    enum cmp_failure failure;
    struct cmp_revreq r;

    if (cmp_revreq_read(s.rr.msg, X509_get_subject_name(*issuer), &r, &failure, e) != 0) {
        return -1;
    }
    return buf_append(out, span_of(r.serial, r.serial_size), e) != 0 || r.reason != 1 ? -1 : 0;
}

/* ---- other bodies ---- */

static int
confirmation_is_read(const void *arg, struct buf *out, struct err *e)
{
    X509 *const *certificate = arg;
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
    struct cmp_certconf conf;
    enum cmp_failure failure;

    return OSSL_ENCODE(X509, *certificate, &der, e) != 0 ||
                   cmp_certconf_read(s.certconf.msg, 0, &conf, &failure, e) != 0 ||
                   buf_append(out, span_of(conf.hash, conf.hash_size), e) != 0 ||
                   cmp_certconf_match(&conf, buf_span(&der), &failure, e) != 0
               ? -1
               : 0;
}

static int
poll_is_read(const void *arg, struct buf *out, struct err *e)
{
    enum cmp_failure failure;
    int id = 7;

    (void)arg;
    return cmp_pollreq_read(s.pollreq.msg, &id, &failure, e) != 0
               ? -1
               : buf_append(out, span_of(&id, sizeof(id)), e);
}

static int
error_is_read(const void *arg, struct buf *out, struct err *e)
{
    enum cmp_failure failure;
    struct cmp_status_info info = {0};

    (void)arg;
    return cmp_error_read(s.error.msg, &info, &failure, e) != 0 ||
                   buf_append(out, span_of(&info.failures, sizeof(info.failures)), e) != 0
               ? -1
               : buf_append_str(out, info.text, e);
}

static void
what_comes_in_is_right_or_refused(void **state)
{
    const struct starve rows[] = {
        {"cmp_msg_parse, MAC", message_is_parsed, NULL, &s.mac, 0},
        {"cmp_msg_parse, signature", message_is_parsed, NULL, &s.signature, 0},
        {"cmp_msg_sender_name", sender_is_read, NULL, &s.mac, 0},
        {"cmp_check_first, MAC", message_is_checked, NULL, &s.mac, 0},
        {"cmp_check_first, PBMAC1", message_is_checked, NULL, &s.pbmac1, 0},
        {"cmp_check_first, signature", message_is_checked, NULL, &s.signature, 0},
        {"cmp_mac_verify", mac_is_verified, NULL, &s.mac, 0},
        {"cmp_mac_verify, another secret", mac_is_verified_with_another_secret, "does not verify",
         &s.mac, 0},
        {"cmp_mac_verify, PBMAC1", mac_is_verified, NULL, &s.pbmac1, 0},
        {"cmp_mac_verify, PBMAC1, another secret", mac_is_verified_with_another_secret,
         "does not verify", &s.pbmac1, 0},
        {"cmp_signature_verify", signature_is_verified, NULL, &s.signature, 0},
        {"cmp_signature_verify, another key", signature_is_verified_with_another_key, "senderKID",
         &s.signature, 0},
        {"cmp_signature_verify, forged", signature_is_verified, "does not verify", &s.forged, 0},
        {"cmp_signature_verify, another senderKID", signature_is_verified, "senderKID",
         &s.other_kid, 0},
        {"cmp_signer_parse", signer_is_found, NULL, &s.signature, 0},
    };

    (void)state;
    assert_int_equal(starve_sweep(rows, ARRAY_LEN(rows)), 0);
}

static void
what_is_asked_for_is_read_right_or_refused(void **state)
{
    const struct starve rows[] = {
        {"cmp_certreq_read, ir", request_is_read, NULL, &s.mac, 0},
        {"cmp_certreq_read, p10cr", request_is_read, NULL, &s.p10, 0},
        {"cmp_certreq_read, not possessed", request_is_read, "does not verify", &s.unpossessed, 0},
        {"cmp_asked_is_granted, not", wishes_are_granted, "something else", NULL, 0},
        {"cmp_certreq_check_update", update_is_checked, NULL, &s.dev, 0},
        {"cmp_certreq_check_update, another", update_is_checked, "oldCertId", &s.w->device, 0},
        {"cmp_revreq_read", revocation_is_read, NULL, &s.w->device, 0},
        {"cmp_revreq_read, another issuer", revocation_is_read, "another issuer", &s.dev, 0},
        {"cmp_certconf_read", confirmation_is_read, NULL, &s.w->device, 0},
        {"cmp_certconf_read, another", confirmation_is_read, "certHash", &s.other, 0},
        {"cmp_pollreq_read", poll_is_read, NULL, NULL, 0},
        {"cmp_error_read", error_is_read, NULL, NULL, 0},
    };

    (void)state;
    assert_int_equal(starve_sweep(rows, ARRAY_LEN(rows)), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_in_is_right_or_refused),
        cmocka_unit_test(what_is_asked_for_is_read_right_or_refused),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
