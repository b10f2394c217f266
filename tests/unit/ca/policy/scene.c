/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/policy/scene.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "ca/x509/name.h"
#include "tests/support/der_edit.h"
#include "tests/support/forge.h"
#include "tests/support/tmpdir.h"
#include "tests/support/wrapper.h"

enum { SMALL = 4096 };

/* ---- who there is ---- */

static void
make_vendor(struct scene *s)
{
    const struct forge root = {.subject = "O=Vendor/CN=Vendor Root",
                               .key = s->vendor_key,
                               .not_before = PKI_NOW - SCENE_DAY,
                               .not_after = PKI_NOW + 365L * SCENE_DAY,
                               .extensions = {FORGE_CA}};
    struct forge device = {.subject = "O=Vendor/CN=device 1",
                           .key = s->device_key,
                           .issuer_key = s->vendor_key,
                           .not_before = PKI_NOW,
                           .not_after = SCENE_END,
                           .serial = "2000",
                           .extensions = {FORGE_LEAF}};

    s->vendor = forge_certificate(&root);
    device.issuer = s->vendor;
    s->device = forge_certificate(&device);
}

static struct trust *
make_trust(const struct scene *s)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/vendor.der", s->dir);
    struct trust_conf conf = {.n = 1};
    struct trust *trust;
    struct err e = {0};

    forge_certificate_write(s->vendor, path);
    conf.sets[0] = (struct trust_conf_set){.name = mem_strdup("vendor_roots"),
                                           .purpose = TRUST_VENDOR,
                                           .roots = {.items = {mem_strdup(path)}, .n = 1},
                                           .crl_policy = PATH_STATUS_NONE};
    trust = trust_new(s->pki->root, s->pki->issuing, &conf, &e);
    trust_conf_free(&conf);
    if (trust == NULL) {
        fail_msg("%s", e.text);
    }
    return trust;
}

static X509 *
issue_held(const struct scene *s)
{
    const struct nf_identity nf = pki_nf();
    CLEANUP(buf_free) struct buf spki = pki_spki(s->held_key);
    const struct tbs_request request = pki_request(s->pki, &nf, buf_span(&spki));

    return pki_issue(&request, s->pki->issuing_key);
}

int
scene_setup(void **state)
{
    struct scene *s = mem_zalloc(1, sizeof(*s));
    CLEANUP(buf_free) struct buf der = BUF_INIT(SMALL);
    struct err e = {0};

    s->dir = tmpdir_new();
    s->pki = pki_new("P-256", "P-256");
    s->ra_key = pki_key("P-256");
    s->ra = pki_issue_officer(s->pki, "ra-cmp", s->ra_key);
    s->ras[0] = (struct policy_ra){.certificate = s->ra, .der = BUF_INIT(SMALL)};
    assert_ok(OSSL_ENCODE(X509, s->ra, &s->ras[0].der, &e), &e);
    s->vendor_key = pki_key("P-256");
    s->device_key = pki_key("P-256");
    make_vendor(s);
    s->held_key = pki_key("P-256");
    s->held = issue_held(s);
    s->key = pki_key("P-256");
    s->algorithm = BUF_INIT(256);
    assert_ok(cmp_client_pbm(NID_sha256, 500, NID_hmacWithSHA256, &s->algorithm, &e), &e);
    s->policy = (struct policy){.issuing = s->pki->issuing,
                                .root = s->pki->root,
                                .issuing_key = X509_get0_pubkey(s->pki->issuing),
                                .name = X509_get_subject_name(s->pki->issuing),
                                .heads = cmp_heads_new(),
                                .trust = make_trust(s),
                                .stored_rules = {.stored = true},
                                .crl_url = "http://pki.example/crl/issuing.crl",
                                .registrar = *profile_by_name("registrar"),
                                .officer = *profile_by_name("officer")};
    assert_ok(OSSL_ENCODE(X509, s->pki->issuing, &der, &e), &e);
    assert_ok(sha256(buf_span(&der), s->policy.issuing_hash, &e), &e);
    *state = s;
    return 0;
}

int
scene_teardown(void **state)
{
    struct scene *s = *state;

    trust_free(s->policy.trust);
    cmp_heads_free(s->policy.heads);
    buf_free(&s->algorithm);
    buf_free(&s->ras[0].der);
    EVP_PKEY_free(s->key);
    X509_free(s->held);
    EVP_PKEY_free(s->held_key);
    X509_free(s->device);
    EVP_PKEY_free(s->device_key);
    X509_free(s->vendor);
    EVP_PKEY_free(s->vendor_key);
    X509_free(s->ra);
    EVP_PKEY_free(s->ra_key);
    pki_free(s->pki);
    tmpdir_remove(s->dir);
    mem_free(s);
    return 0;
}

/* ---- what they send ---- */

struct cmp_client
scene_client(const struct scene *s, const struct scene_request *r)
{
    return (struct cmp_client){.reference = r->reference != NULL ? r->reference : "reference",
                               .secret = SPAN_LITERAL("a secret that the RA alone has"),
                               .algorithm = buf_span(&s->algorithm),
                               .certificate = r->certificate,
                               .key = r->signs,
                               .profile = r->wish,
                               .time = r->made != 0       ? r->made
                                       : r->received != 0 ? r->received
                                                          : PKI_NOW,
                               .no_time = r->no_time};
}

/* Header and body alone. */
static struct buf
unprotected(const struct cmp_client *client, struct span body)
{
    CLEANUP(x509_name_cleanup) X509_NAME *name = NULL;
    CLEANUP(buf_free) struct buf recipient = {0};
    CLEANUP(buf_free) struct buf part = BUF_INIT(CMP_MESSAGE_MAX);
    struct buf out = BUF_INIT(CMP_MESSAGE_MAX);
    struct cmp_header h;
    struct err e = {0};

    assert_ok(cmp_header_first(&h, &e), &e);
    assert_ok(cmp_client_header(client, &h, &name, &recipient, &e), &e);
    assert_ok(cmp_build_part(&h, body, &part, &e), &e);
    assert_ok(cmp_build_finish(buf_span(&part), span_of(NULL, 0), NULL, 0, &out, &e), &e);
    return out;
}

struct buf
scene_message(const struct scene *s, const struct scene_request *r)
{
    const struct cmp_client client = scene_client(s, r);
    CLEANUP(buf_free) struct buf made = BUF_INIT(CMP_MESSAGE_MAX);
    struct span body = r->content;
    struct buf out = BUF_INIT(CMP_MESSAGE_MAX);
    struct cmp_client_state state;
    struct err e = {0};

    if (body.n == 0) {
        const X509 *named = r->subject_of != NULL ? r->subject_of : s->held;

        assert_ok(cmp_client_body_request(r->body, r->asked != NULL ? r->asked : s->key,
                                          X509_get_subject_name(named), &made, &e),
                  &e);
        body = buf_span(&made);
    }
    if (r->unprotected) {
        return unprotected(&client, body);
    }
    assert_ok(cmp_client_message(&client, r->goes_on == NULL, body,
                                 r->goes_on == NULL ? &state : r->goes_on, &out, &e),
              &e);
    if (r->edit != NULL) {
        struct buf edited = BUF_INIT(CMP_MESSAGE_MAX);

        assert_ok(der_edit(buf_span(&out), r->edit, r->with, &edited, &e), &e);
        buf_free(&out);
        return edited;
    }
    return out;
}

static struct cmp_queue_entry
entry_of(const struct scene_request *r)
{
    const bool is_signed = (r->certificate != NULL) != r->lies;
    struct cmp_queue_entry entry = {.assurance =
                                        is_signed ? CMP_ASSURANCE_SIGNATURE : CMP_ASSURANCE_MAC,
                                    .received_at = r->received != 0 ? r->received : PKI_NOW};

    (void)snprintf(entry.registration_id, sizeof(entry.registration_id), "%s",
                   r->registration != NULL ? r->registration : SCENE_REGISTRATION);
    (void)snprintf(entry.profile, sizeof(entry.profile), "%s",
                   r->profile != NULL ? r->profile : "nf-tls");
    return entry;
}

struct submit
scene_submit(const struct scene *s, const struct scene_request *r, struct span message, X509 *ra,
             EVP_PKEY *ra_key, X509 *ca)
{
    const struct submit_head head = {.ra = ra,
                                     .key = ra_key,
                                     .ca = ca != NULL ? ca : s->policy.issuing,
                                     .first = r->first != 0 ? r->first : 1,
                                     .time = r->received != 0 ? r->received : PKI_NOW};

    return submit_one(&head, entry_of(r), message, 1, SCENE_BATCH);
}

struct buf
scene_wrap(const struct scene *s, const struct scene_request *r, struct span message, X509 *ra,
           EVP_PKEY *ra_key, X509 *ca)
{
    CLEANUP(submit_free) struct submit submit = scene_submit(s, r, message, ra, ra_key, ca);

    return submit_der(&submit);
}

struct buf
scene_wrap_before(const struct scene *s, const struct scene_request *r, struct span message,
                  X509 *ra, EVP_PKEY *ra_key, const X509_NAME *ca)
{
    const struct cmp_queue_entry entry = entry_of(r);
    const struct wrapper by = wrapper_by(ra, ca != NULL ? ca : s->policy.name, PKI_NOW);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *inner = NULL;
    CLEANUP(buf_free) struct buf part = {0};
    struct err e = {0};

    inner = cmp_msg_parse(message, CMP_MESSAGE_MAX, &e);
    if (inner == NULL) {
        fail_msg("%s", e.text);
    }
    part = wrapper_part(&by, &entry, inner);
    return wrapper_sign(buf_span(&part), ra_key, ra);
}

struct cmp_queued *
scene_queued(const struct scene *s, const struct scene_request *r)
{
    CLEANUP(buf_free) struct buf message = scene_message(s, r);
    CLEANUP(buf_free)
    struct buf nested = scene_wrap(s, r, buf_span(&message), s->ra, s->ra_key, NULL);
    struct err e = {0};
    struct cmp_queued *q = cmp_queued_parse(buf_span(&nested), &e);

    if (q == NULL) {
        fail_msg("%s", e.text);
    }
    return q;
}

/* ---- what is registered ---- */

char *
scene_registration(const char *proof, const char *profiles, const char *more)
{
    char begin[TIME_TEXT_SIZE];
    char end[TIME_TEXT_SIZE];

    time_format(PKI_NOW, begin);
    time_format(SCENE_END, end);
    return mem_printf("{\"version\":1,\"nfInstanceId\":\"" SCENE_INSTANCE
                      "\",\"nfTypes\":[\"AMF\"],"
                      "\"fqdns\":[\"amf1.amf.5gc.mnc012.mcc345.3gppnetwork.org\"],"
                      "\"homeDomain\":\"5gc.mnc012.mcc345.3gppnetwork.org\",\"country\":\"SE\","
                      "\"profiles\":%s,\"notBefore\":\"%s\",\"notAfter\":\"%s\",\"proof\":%s%s}",
                      profiles, begin, end, proof, more);
}

static char *
fingerprint(const char *kind, struct span der)
{
    char hex[2 * SHA256_SIZE + 1];
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    assert_ok(sha256(der, hash, &e), &e);
    hex_format(span_of(hash, sizeof(hash)), hex);
    return mem_printf("{\"kind\":\"%s\",\"sha256\":\"%s\"}", kind, hex);
}

char *
scene_pins_certificate(X509 *certificate)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(SMALL);
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, certificate, &der, &e), &e);
    return fingerprint("certificate", buf_span(&der));
}

char *
scene_pins_key(EVP_PKEY *key)
{
    CLEANUP(buf_free) struct buf spki = pki_spki(key);

    return fingerprint("publicKey", buf_span(&spki));
}

char *
scene_of_vendor(X509 *certificate)
{
    CLEANUP(mem_cleanup) char *issuer = name_text(X509_get_issuer_name(certificate));
    CLEANUP(mem_cleanup) char *subject = name_text(X509_get_subject_name(certificate));

    return mem_printf("{\"kind\":\"vendor\",\"issuer\":\"%s\",\"subject\":\"%s\"}", issuer,
                      subject);
}
