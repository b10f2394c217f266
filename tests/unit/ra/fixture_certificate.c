/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ra/fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/ossl.h"
#include "tests/support/forge.h"

X509 *
fixture_certificate_at(struct fixture *f, const char *instance, EVP_PKEY *key, int from, int days)
{
    CLEANUP(buf_free) struct buf spki = pki_spki(key);
    struct nf_identity nf = pki_nf();
    struct tbs_request request = pki_request(f->pki, &nf, buf_span(&spki));

    if (instance != NULL) {
        (void)snprintf(nf.instance_id, sizeof(nf.instance_id), "%s", instance);
    }
    request.not_before = f->now + (time_t)from * FIXTURE_DAY;
    request.not_after = request.not_before + (time_t)days * FIXTURE_DAY;
    return pki_issue(&request, f->pki->issuing_key);
}

X509 *
fixture_certificate(struct fixture *f, const char *instance, EVP_PKEY *key)
{
    return fixture_certificate_at(f, instance, key, 0, 30);
}

X509 *
fixture_device(struct fixture *f, const char *name, EVP_PKEY *key)
{
    CLEANUP(mem_cleanup) char *subject = mem_printf("O=Vendor/CN=%s", name);
    const struct forge forge = {.subject = subject,
                                .key = key,
                                .issuer = f->vendor,
                                .issuer_key = f->vendor_key,
                                .not_before = f->now - FIXTURE_DAY,
                                .not_after = f->now + (time_t)30 * FIXTURE_DAY,
                                .extensions = {FORGE_LEAF}};

    return forge_certificate(&forge);
}

struct delivering {
    struct requests_certificate certificate;
    struct requests_admission admission;
    uint8_t rid[REQUESTS_RID_SIZE];
};

/* One of the CA's answers to an entry. */
static int
answer(struct store_db *db, struct span rid,
       int (*verb)(struct store_db *, struct requests_asked *, struct err *), struct err *e)
{
    CLEANUP(requests_asked_clear) struct requests_asked asked = {0};

    return requests_asked_find(db, rid, 0, &asked, e) != 0 ? -1 : verb(db, &asked, e);
}

static int
verb_deliver(struct store_db *db, void *arg, struct err *e)
{
    const struct delivering *d = arg;
    CLEANUP(requests_asked_clear) struct requests_asked asked = {0};
    int64_t enrolment;
    uint64_t sequence;

    return requests_admit(db, &d->admission, &enrolment, &sequence, e) != 0 ||
                   requests_asked_find(db, d->admission.rid, 0, &asked, e) != 0
               ? -1
               : requests_issued(db, &asked, SPAN_LITERAL("certificate"), &d->certificate, e);
}

void
fixture_deliver(struct fixture *f, const X509 *x, const char *id, const char *profile)
{
    struct delivering d = {0};
    const ASN1_INTEGER *serial = X509_get0_serialNumber(x);

    fixture_hash_certificate(x, d.certificate.fingerprint);
    d.certificate.serial_size = (size_t)ASN1_STRING_length(serial);
    assert_true(d.certificate.serial_size <= sizeof(d.certificate.serial));
    memcpy(d.certificate.serial, ASN1_STRING_get0_data(serial), d.certificate.serial_size);
    d.certificate.not_after = f->now + (int64_t)30 * FIXTURE_DAY;
    d.rid[0] = 0xdd;
    d.rid[1] = (uint8_t)(++f->count >> 8);
    d.rid[2] = (uint8_t)f->count;
    d.admission = (struct requests_admission){
        .identity = "mac:delivered",
        .transaction_id = span_of(d.rid, CMP_NONCE_SIZE),
        .registration = id,
        .profile = profile,
        .body = CMP_IR,
        .implicit = true,
        .uncounted = true,
        .until = f->now + (int64_t)365 * FIXTURE_DAY,
        .rid = span_of(d.rid, sizeof(d.rid)),
        .message = SPAN_LITERAL("message"),
        .entry = SPAN_LITERAL("entry"),
    };
    fixture_call(f, verb_deliver, &d);
}

void
fixture_block(struct fixture *f, EVP_PKEY *key)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/blocked", f->dir);
    uint8_t hash[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];
    struct err e = {0};

    fixture_hash_key(key, hash);
    hex_format(span_of(hash, sizeof(hash)), hex);
    assert_ok(file_write(path, span_str(hex), 0600, &e), &e);
    blocked_keys_free(f->settings->blocked);
    f->settings->blocked = blocked_keys_load(path, &e);
    if (f->settings->blocked == NULL) {
        fail_msg("%s", e.text);
    }
}

struct enrolling {
    const struct fixture_enrolment *what;
    uint8_t rid[REQUESTS_RID_SIZE];
    uint8_t confirmation[REQUESTS_RID_SIZE];
    struct span certificate;
    int64_t until;
};

static int
enrol_sent(struct store_db *db, const struct fixture_enrolment *x, int64_t id, struct err *e)
{
    struct span nonce = span_of(x->was->recip_nonce, x->was->recip_nonce_size);

    if (x->nonce_before != NULL &&
        requests_sent(db, id, span_of(x->nonce_before, CMP_NONCE_SIZE), false, PKI_NOW, e) != 0) {
        return -1;
    }
    return requests_sent(db, id, nonce, x->state != REQUESTS_QUEUED, PKI_NOW, e);
}

static int
enrol_confirmed(struct store_db *db, const struct enrolling *in, int64_t id, struct err *e)
{
    struct span rid = span_of(in->confirmation, sizeof(in->confirmation));
    const struct requests_item item = {
        .rid = rid, .message = SPAN_LITERAL("message"), .entry = SPAN_LITERAL("entry")};
    uint64_t sequence;

    if (in->what->implicit) {
        return 0;
    }
    if (requests_admit_confirmation(db, id, !in->what->rejects, &item, &sequence, e) != 0) {
        return -1;
    }
    return in->what->state == REQUESTS_CONFIRMING ? 0 : answer(db, rid, requests_confirmed, e);
}

static int
refused(struct store_db *db, struct requests_asked *asked, struct err *e)
{
    return requests_refused(db, asked, CMP_NOT_AUTHORIZED, "refused", e);
}

static int
issued(struct store_db *db, struct span rid, struct span certificate, struct err *e)
{
    CLEANUP(requests_asked_clear) struct requests_asked asked = {0};
    struct requests_certificate c = {.serial_size = sizeof(c.serial), .not_after = INT64_MAX};

    if (sha256(certificate, c.fingerprint, e) != 0) {
        return -1;
    }
    memcpy(c.serial, c.fingerprint, sizeof(c.serial));
    return requests_asked_find(db, rid, 0, &asked, e) != 0
               ? -1
               : requests_issued(db, &asked, certificate, &c, e);
}

static int
verb_enrol(struct store_db *db, void *arg, struct err *e)
{
    const struct enrolling *in = arg;
    const struct fixture_enrolment *x = in->what;
    const struct requests_admission a = {
        .identity = x->identity,
        .transaction_id = span_of(x->was->transaction_id, CMP_NONCE_SIZE),
        .registration = x->registration,
        .profile = x->profile != NULL ? x->profile : "nf-tls",
        .body = (int)x->body,
        .cert_req_id = x->cert_req_id,
        .implicit = x->implicit,
        .uncounted = true,
        .until = in->until,
        .rid = span_of(in->rid, sizeof(in->rid)),
        .message = SPAN_LITERAL("message"),
        .entry = SPAN_LITERAL("entry"),
    };
    uint64_t sequence;
    int64_t id;

    if (requests_admit(db, &a, &id, &sequence, e) != 0) {
        return -1;
    }
    if (x->state == REQUESTS_REJECTED && x->certificate == NULL) {
        return answer(db, a.rid, refused, e);
    }
    if (x->state != REQUESTS_QUEUED &&
        (x->certificate != NULL ? issued(db, a.rid, in->certificate, e)
                                : answer(db, a.rid, requests_done, e)) != 0) {
        return -1;
    }
    if (x->state == REQUESTS_ANSWERED) {
        return 0;
    }
    if (enrol_sent(db, x, id, e) != 0) {
        return -1;
    }
    return x->state == REQUESTS_QUEUED || x->state == REQUESTS_SENT
               ? 0
               : enrol_confirmed(db, in, id, e);
}

void
fixture_enrol(struct fixture *f, const struct fixture_enrolment *x)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
    struct enrolling in = {.what = x, .until = f->now + (int64_t)365 * FIXTURE_DAY};
    struct err e = {0};

    f->count++;
    in.rid[0] = 0xee;
    in.rid[1] = (uint8_t)(f->count >> 8);
    in.rid[2] = (uint8_t)f->count;
    memcpy(in.confirmation, in.rid, sizeof(in.rid));
    in.confirmation[0] = 0xcc;
    if (x->certconf.n > 0) {
        assert_ok(sha256(x->certconf, in.confirmation, &e), &e);
    }
    if (x->certificate != NULL) {
        assert_ok(OSSL_ENCODE(X509, x->certificate, &der, &e), &e);
    }
    in.certificate = buf_span(&der);
    fixture_call(f, verb_enrol, &in);
}

static int
verb_revoked(struct store_db *db, void *arg, struct err *e)
{
    return requests_certificate_revoked(db, span_of(arg, SHA256_SIZE), e);
}

void
fixture_revoked(struct fixture *f, const X509 *x)
{
    uint8_t hash[SHA256_SIZE];

    fixture_hash_certificate(x, hash);
    fixture_call(f, verb_revoked, hash);
}

void
fixture_crl(struct fixture *f, X509 *revoked, int seconds)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/issuing.crl", f->settings->crl_dir);
    const struct forge_crl forge = {.issuer = f->pki->issuing,
                                    .issuer_key = f->pki->issuing_key,
                                    .this_update = f->now - FIXTURE_DAY,
                                    .next_update = seconds == FIXTURE_NO_END ? 0 : f->now + seconds,
                                    .revoked = revoked,
                                    .number = "1"};
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = forge_crl(&forge);

    forge_crl_write(crl, path);
}
