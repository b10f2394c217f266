/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that we send, and the entries of the queue, while memory is short inside OpenSSL: the
 * same octets or none. */
#include "base/oid.h"
#include "ca/cmp/queue.h"
#include "tests/support/pki.h"
#include "tests/support/starve.h"
#include "tests/support/wrapper.h"
#include "tests/unit/ca/cmp/fixture.h"

enum { AT = 1790000000 };

static const uint8_t ecdsa_sha256[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                       0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};

static struct {
    struct world *w;
    X509 *other; /* of the RA's subject, with another key */
    struct buf certificate;
    struct buf other_der;
    struct buf body;
    struct buf part;
    struct cmp_msg *inner;
    struct cmp_mac_key *key;
    struct buf pbmac1;
    struct buf queued;
    struct buf forged;
    struct buf leaf;
    struct buf signature; /* of a text, by the RA */
} s;

static const struct cmp_queue_entry entry = {.registration_id = "0123456789abcdef0123456789abcdef",
                                             .assurance = CMP_ASSURANCE_MAC,
                                             .profile = "nf-tls",
                                             .received_at = AT};

/* The RA is the fixture's device; the CA is named "nf". */
static void
make_queued(void)
{
    const struct wrapper by = wrapper_by(s.w->device, s.w->subject, AT);
    CLEANUP(buf_free) struct buf part = wrapper_part(&by, &entry, s.inner);
    CLEANUP(buf_free) struct buf signature = pki_sign(s.w->device_key, buf_span(&part));
    struct span extra = buf_span(&s.certificate);
    struct err e = {0};

    s.queued = wrapper_sign(buf_span(&part), s.w->device_key, s.w->device);
    signature.p[signature.n - 1] ^= 1;
    s.forged = BUF_INIT(CMP_NESTED_MAX);
    assert_ok(cmp_build_finish(buf_span(&part), buf_span(&signature), &extra, 1, &s.forged, &e),
              &e);
}

static int
make(void **state)
{
    CLEANUP(buf_free) struct buf der = {0};
    enum cmp_failure failure;
    struct err e = {0};

    (void)state;
    assert_int_equal(world_setup((void **)&s.w), 0);
    s.other = certificate_of(s.w->key, "device");
    s.certificate = s.other_der = s.body = s.part = BUF_INIT(CMP_MESSAGE_MAX);
    assert_ok(OSSL_ENCODE(X509, s.w->device, &s.certificate, &e), &e);
    assert_ok(OSSL_ENCODE(X509, s.other, &s.other_der, &e), &e);
    request_der(s.w, &s.w->mac, &der);
    s.inner = parse_ok(buf_span(&der));
    s.key = cmp_mac_key_new(buf_span(&s.w->pbm), SPAN_LITERAL(SECRET), NULL, &failure, &e);
    assert_non_null(s.key);
    assert_ok(
        cmp_body_issued(CMP_IP, 0, CMP_ACCEPTED, buf_span(&s.certificate), NULL, 0, &s.body, &e),
        &e);
    assert_ok(cmp_msg_protected_part(s.inner, &s.part, &e), &e);
    s.pbmac1 = BUF_INIT(1024);
    assert_ok(cmp_client_pbmac1(NID_hmacWithSHA256, 200, NID_hmacWithSHA512, &s.pbmac1, &e), &e);
    make_queued();
    s.leaf = BUF_INIT(CMP_QUEUE_ENTRY_MAX);
    assert_ok(cmp_queue_entry_encode(&entry, &s.leaf, &e), &e);
    s.signature = pki_sign(s.w->device_key, SPAN_LITERAL("a text"));
    return 0;
}

static int
drop(void **state)
{
    (void)state;
    X509_free(s.other);
    buf_free(&s.certificate);
    buf_free(&s.other_der);
    buf_free(&s.body);
    buf_free(&s.part);
    buf_free(&s.pbmac1);
    buf_free(&s.queued);
    buf_free(&s.forged);
    buf_free(&s.leaf);
    buf_free(&s.signature);
    cmp_msg_free(s.inner);
    cmp_mac_key_free(s.key);
    return world_teardown((void **)&s.w);
}

/* ---- bodies ---- */

static int
issued(const void *arg, struct buf *out, struct err *e)
{
    const struct span ca = buf_span(&s.other_der);

    (void)arg;
    return cmp_body_issued(CMP_IP, 0, CMP_GRANTED_WITH_MODS, buf_span(&s.certificate), &ca, 1, out,
                           e);
}

static int
waiting(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    return cmp_body_waiting(CMP_CP, 0, out, e);
}

static int
rejected(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    return cmp_body_rejected(CMP_KUP, 0, CMP_BAD_POP, NULL, out, e);
}

static int
revoked(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    return cmp_body_revoked(out, e);
}

static int
not_revoked(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    return cmp_body_not_revoked(CMP_BAD_CERT_ID, "no such certificate", out, e);
}

static int
pollrep(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    return cmp_body_pollrep(0, 10, "soon", out, e);
}

static int
error(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    return cmp_body_error(CMP_BAD_TIME, NULL, out, e);
}

static int
error_waiting(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    return cmp_body_error_waiting(out, e);
}

/* ---- messages ---- */

static struct cmp_header
header(void)
{
    static const uint8_t id[CMP_NONCE_SIZE] = {1, 2, 3};

    return (struct cmp_header){.pvno = 2,
                               .sender = s.w->subject,
                               .recipient = cmp_msg_sender(s.inner),
                               .time = AT,
                               .algorithm = span_of(ecdsa_sha256, sizeof(ecdsa_sha256)),
                               .sender_kid = SPAN_LITERAL("kid"),
                               .transaction_id = span_of(id, sizeof(id)),
                               .sender_nonce = span_of(id, sizeof(id)),
                               .recip_nonce = span_of(id, sizeof(id)),
                               .confirm_wait = AT + 60,
                               .info_oid = NFPKI_OID_QUEUE_ENTRY,
                               .info_value = SPAN_LITERAL("\x05\x00")};
}

static int
part(const void *arg, struct buf *out, struct err *e)
{
    const struct cmp_header h = header();

    (void)arg;
    return cmp_build_part(&h, buf_span(&s.body), out, e);
}

static int
message(const void *arg, struct buf *out, struct err *e)
{
    const struct cmp_header h = header();
    const struct span extra = buf_span(&s.certificate);

    (void)arg;
    return cmp_build_mac(&h, buf_span(&s.body), s.key, &extra, 1, out, e);
}

static int
mac(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    return cmp_mac_make(s.key, buf_span(&s.part), out, e);
}

/* With what is derived: a key that is none would protect, too. */
static int
derived(const void *arg, struct buf *out, struct err *e)
{
    const struct buf *algorithm = arg;
    enum cmp_failure failure;
    CLEANUP(cmp_mac_key_cleanup)
    struct cmp_mac_key *key =
        cmp_mac_key_new(buf_span(algorithm), SPAN_LITERAL(SECRET), NULL, &failure, e);

    starve_pause();
    return key == NULL ? -1 : cmp_mac_make(key, buf_span(&s.part), out, e);
}

static int
general_name(const void *arg, struct buf *out, struct err *e)
{
    (void)arg;
    return cmp_general_name(s.w->subject, out, e);
}

/* ---- the queue ---- */

struct verification {
    const struct buf *der;
    const struct buf *ra;
    bool another_ca;
};

static int
entry_is_verified(const void *arg, struct buf *out, struct err *e)
{
    const struct verification *v = arg;
    CLEANUP(cmp_queued_cleanup) struct cmp_queued *q = cmp_queued_parse(buf_span(v->der), e);
    CLEANUP(x509_cleanup) X509 *ra = NULL;
    struct cmp_parties with = {.ca = s.w->subject};
    const struct cmp_queue_entry *found;

    if (q == NULL) {
        return -1;
    }
    starve_pause();
    ra = certificate_parse(buf_span(v->ra), e);
    assert_non_null(ra);
    starve_resume();
    with.ra = ra;
    if (v->another_ca) {
        with.ca = X509_get_subject_name(ra);
    }
    if (cmp_queued_verify(q, &with, e) != 0) {
        return -1;
    }
    found = cmp_queued_entry(q);
    return buf_append_str(out, found->registration_id, e) != 0 ||
                   buf_append_str(out, found->profile, e) != 0 ||
                   buf_append(out, span_of(&found->assurance, sizeof(found->assurance)), e) != 0 ||
                   buf_append(out, span_of(&found->received_at, sizeof(found->received_at)), e) !=
                       0 ||
                   buf_append(out, cmp_msg_der(cmp_queued_inner(q)), e) != 0
               ? -1
               : 0;
}

static int
leaf_is_encoded(const void *arg, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_QUEUE_ENTRY_MAX);

    (void)arg;
    return cmp_queue_entry_encode(&entry, &der, e) != 0 ? -1 : buf_append(out, buf_span(&der), e);
}

static int
leaf_is_decoded(const void *arg, struct buf *out, struct err *e)
{
    struct cmp_queue_entry found;

    (void)arg;
    return cmp_queue_entry_decode(buf_span(&s.leaf), &found, e) != 0 ||
                   buf_append(out, span_of(found.rid, sizeof(found.rid)), e) != 0
               ? -1
               : buf_append_str(out, found.registration_id, e);
}

/* Each time as if it were the first. */
static int
head_is_verified(const void *arg, struct buf *out, struct err *e)
{
    const struct buf *signature = arg;
    struct cmp_heads *heads;
    int result;

    (void)out;
    starve_pause();
    heads = cmp_heads_new();
    starve_resume();
    result = cmp_heads_verify(heads, s.w->device, SPAN_LITERAL("a text"), buf_span(signature), e);
    cmp_heads_free(heads);
    return result;
}

static void
what_is_sent_is_right_or_not_sent(void **state)
{
    const struct starve rows[] = {
        {"cmp_body_issued", issued, NULL, NULL, 0},
        {"cmp_body_waiting", waiting, NULL, NULL, 0},
        {"cmp_body_rejected", rejected, NULL, NULL, 0},
        {"cmp_body_revoked", revoked, NULL, NULL, 0},
        {"cmp_body_not_revoked", not_revoked, NULL, NULL, 0},
        {"cmp_body_pollrep", pollrep, NULL, NULL, 0},
        {"cmp_body_error", error, NULL, NULL, 0},
        {"cmp_body_error_waiting", error_waiting, NULL, NULL, 0},
        {"cmp_build_part", part, NULL, NULL, 0},
        {"cmp_build_mac", message, NULL, NULL, 0},
        {"cmp_mac_make", mac, NULL, NULL, 0},
        {"cmp_mac_key_new", derived, NULL, &s.w->pbm, 0},
        {"cmp_mac_key_new, PBMAC1", derived, NULL, &s.pbmac1, 0},
        {"cmp_general_name", general_name, NULL, NULL, 0},
    };

    (void)state;
    assert_int_equal(starve_sweep(rows, ARRAY_LEN(rows)), 0);
}

static void
an_entry_is_right_or_refused(void **state)
{
    static const struct verification good = {&s.queued, &s.certificate, false};
    static const struct verification forged = {&s.forged, &s.certificate, false};
    static const struct verification another_ra = {&s.queued, &s.other_der, false};
    static const struct verification another_ca = {&s.queued, &s.certificate, true};
    static const struct starve rows[] = {
        {"cmp_queued_verify", entry_is_verified, NULL, &good, 0},
        {"cmp_queued_verify, forged", entry_is_verified, "does not verify", &forged, 0},
        {"cmp_queued_verify, another RA", entry_is_verified, "RA", &another_ra, 0},
        {"cmp_queued_verify, another CA", entry_is_verified, "", &another_ca, 0},
        {"cmp_queue_entry_encode", leaf_is_encoded, NULL, NULL, 0},
        {"cmp_queue_entry_decode", leaf_is_decoded, NULL, NULL, 0},
        {"cmp_heads_verify", head_is_verified, NULL, &s.signature, 0},
        {"cmp_heads_verify, forged", head_is_verified, "does not verify", &s.leaf, 0},
    };

    (void)state;
    assert_int_equal(starve_sweep(rows, ARRAY_LEN(rows)), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sent_is_right_or_not_sent),
        cmocka_unit_test(an_entry_is_right_or_refused),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
