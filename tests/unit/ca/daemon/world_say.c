/* SPDX-License-Identifier: Apache-2.0 */
/* What is said to the CA of world.h, over its link and its admin socket. */
#include <openssl/pem.h>
#include <stdio.h>
#include <time.h>

#include "base/file.h"
#include "ca/link/admin.h"
#include "ca/registration/cancellation.h"
#include "ca/x509/serial.h"
#include "pkcs11/algorithm.h"
#include "tests/support/submit.h"
#include "tests/unit/ca/daemon/world.h"

enum { DAY = 24 * 60 * 60, TEXT_MAX = 8192 };

void
world_show_log(const struct world *w)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.log", w->dir);
    CLEANUP(buf_free) struct buf text = BUF_INIT(1024 * 1024);
    struct err e = {0};

    if (file_read(path, &text, &e) == 0) {
        (void)fwrite(text.p, 1, text.n, stderr);
    }
}

json_t *
world_ask(struct world *w, json_t *request, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/admin.sock", w->dir);
    json_t *answer = admin_ask(path, request, -1, e);

    json_decref(request);
    return answer;
}

char *
world_csr(EVP_PKEY *key)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(TEXT_MAX);
    CLEANUP(bio_cleanup) BIO *out = BIO_new(BIO_s_mem());
    struct err e = {0};
    char *text = NULL;
    long n;

    assert_ok(cmp_client_pkcs10(key, NULL, NULL, &der, &e), &e);
    assert_true(PEM_write_bio(out, "CERTIFICATE REQUEST", "", der.p, (long)der.n) > 0);
    n = BIO_get_mem_data(out, &text);
    return mem_printf("%.*s", (int)n, text);
}

X509 *
world_officer(struct world *w, const char *profile, const char *name, EVP_PKEY *key)
{
    CLEANUP(mem_cleanup) char *csr = world_csr(key);
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;
    struct err e = {0};
    const char *pem;
    X509 *certificate;

    answer = world_ask(w,
                       json_pack("{s:s,s:s,s:s,s:i,s:s}", "command", "issue", "profile", profile,
                                 "commonName", name, "days", 30, "csr", csr),
                       &e);
    if (answer == NULL) {
        world_show_log(w);
        fail_msg("issue: %s", e.text);
    }
    pem = json_string_value(json_object_get(answer, "certificate"));
    assert_non_null(pem);
    certificate = certificate_parse(span_str(pem), &e);
    assert_non_null(certificate);
    return certificate;
}

/* ---- registrations ---- */

struct buf
world_registration(struct world *w, const char *uuid, int certificates, const char *proof)
{
    char begin[TIME_TEXT_SIZE];
    char end[TIME_TEXT_SIZE];
    CLEANUP(mem_cleanup) char *json = NULL;

    time_format(clock_now() - 60, begin);
    time_format(clock_now() + DAY, end);
    json = mem_printf("{\"version\":1,\"nfInstanceId\":\"%s\",\"nfTypes\":[\"AMF\"],"
                      "\"fqdns\":[\"amf1.5gc.mnc012.mcc345.3gppnetwork.org\"],"
                      "\"homeDomain\":\"5gc.mnc012.mcc345.3gppnetwork.org\",\"country\":\"SE\","
                      "\"profiles\":[{\"name\":\"nf-tls\",\"maxValidityDays\":30}],"
                      "\"notBefore\":\"%s\",\"notAfter\":\"%s\",\"certificates\":%d,\"proof\":%s}",
                      uuid, begin, end, certificates, proof);
    return pki_cms(span_str(json), w->registrar, w->registrar_key);
}

struct buf
world_cancellation(const char *of, time_t at, X509 *signer, EVP_PKEY *key)
{
    struct cancellation c = {.time = at};
    CLEANUP(mem_cleanup) char *json = NULL;

    (void)snprintf(c.registration, sizeof(c.registration), "%s", of);
    json = cancellation_format(&c);
    return pki_cms(span_str(json), signer, key);
}

void
world_send_cancellation(struct world *w, const char *id, struct span cms)
{
    uint8_t octets[LINK_REGISTRATION_SIZE] = {0};
    const struct link_message m = {
        .type = LINK_CANCEL, .id = span_of(octets, sizeof(octets)), .body = cms};
    struct err e = {0};

    assert_ok(hex_parse(id, octets, sizeof(octets), &e), &e);
    world_send(w, &m);
}

void
world_send_cancel(struct world *w, const char *id)
{
    CLEANUP(buf_free)
    struct buf cms = world_cancellation(id, clock_now(), w->registrar, w->registrar_key);

    world_send_cancellation(w, id, buf_span(&cms));
}

void
world_registration_id(struct span cms, char id[CMP_REGISTRATION_ID_SIZE + 1])
{
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    assert_ok(sha256(cms, hash, &e), &e);
    hex_format(span_of(hash, CMP_REGISTRATION_ID_SIZE / 2), id);
}

void
world_register(struct world *w, struct span cms, struct answer *answer)
{
    uint8_t hash[SHA256_SIZE] = {0};
    const struct link_message m = {
        .type = LINK_REGISTER, .id = span_of(hash, sizeof(hash)), .body = cms};
    struct err e = {0};

    assert_ok(sha256(cms, hash, &e), &e);
    world_send(w, &m);
    world_receive(w, answer);
}

/* ---- link ---- */

void
answer_free(struct answer *a)
{
    buf_free(&a->octets);
}

void
world_send(struct world *w, const struct link_message *m)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(LINK_FRAME_MAX);
    struct err e = {0};

    assert_ok(link_encode(m, &body, &e), &e);
    assert_ok(frame_write(w->link, buf_span(&body), -1, &e), &e);
}

/* A checkpoint comes unasked, and is no answer. */
static int
read_answer(struct world *w, struct answer *answer, struct err *e)
{
    do {
        buf_free(&answer->octets);
        answer->octets = BUF_INIT(LINK_FRAME_MAX);
        if (frame_read(w->link, LINK_FRAME_MAX, &answer->octets, -1, e) != 0) {
            return -1;
        }
        assert_ok(link_decode(buf_span(&answer->octets), &answer->m, e), e);
        if (answer->m.type == LINK_CHECKPOINT) {
            assert_ok(buf_set(&w->remembered, answer->m.checkpoint, e), e);
        }
    } while (answer->m.type == LINK_CHECKPOINT);
    return 0;
}

void
world_receive(struct world *w, struct answer *answer)
{
    struct err e = {0};

    if (read_answer(w, answer, &e) != 0) {
        world_show_log(w);
        fail_msg("link: %s", e.text);
    }
}

bool
world_hung_up(struct world *w)
{
    CLEANUP(answer_free) struct answer answer = {0};
    struct err e = {0};

    return read_answer(w, &answer, &e) != 0;
}

enum { BATCH = 3 };

struct buf
world_wrap(struct world *w, struct span inner, const char *id, enum cmp_assurance assurance,
           EVP_PKEY *key, X509 *ra)
{
    struct cmp_queue_entry entry = {
        .assurance = assurance, .received_at = clock_now(), .profile = "nf-tls"};
    const struct submit_head head = {
        .ra = ra, .key = key, .ca = w->issuing, .first = w->sequence + 1, .time = clock_now()};
    CLEANUP(submit_free) struct submit submit = {0};

    w->sequence += BATCH;
    (void)snprintf(entry.registration_id, sizeof(entry.registration_id), "%s", id);
    submit = submit_one(&head, entry, inner, 1, BATCH);
    return submit_der(&submit);
}

void
world_send_submit(struct world *w, struct span inner, struct span nested)
{
    uint8_t rid[SHA256_SIZE] = {0};
    struct link_message m = {.type = LINK_SUBMIT, .id = span_of(rid, sizeof(rid)), .body = nested};
    struct err e = {0};

    assert_ok(sha256(inner, rid, &e), &e);
    world_send(w, &m);
}

void
world_submit(struct world *w, struct span inner, struct span nested, struct answer *answer)
{
    world_send_submit(w, inner, nested);
    world_receive(w, answer);
}

json_int_t
world_record(struct world *w, const char *what)
{
    CLEANUP(admin_json_cleanup) json_t *status = NULL;
    struct err e = {0};

    status = world_ask(w, json_pack("{s:s}", "command", "status"), &e);
    assert_non_null(status);
    return json_integer_value(json_object_get(json_object_get(status, "record"), what));
}

void
world_settle(struct world *w)
{
    for (json_int_t jobs = 0; jobs != 1;) { /* the question itself is one */
        CLEANUP(admin_json_cleanup) json_t *status = NULL;
        struct err e = {0};

        status = world_ask(w, json_pack("{s:s}", "command", "status"), &e);
        assert_non_null(status);
        jobs = json_integer_value(json_object_get(json_object_get(status, "link"), "jobs"));
    }
}

void
world_revoke(struct world *w, const X509 *certificate, const char *reason)
{
    CLEANUP(mem_cleanup) char *serial = hex_dup(serial_of(certificate));
    CLEANUP(admin_json_cleanup) json_t *done = NULL;
    struct err e = {0};

    done = world_ask(
        w, json_pack("{s:s,s:s,s:s}", "command", "revoke", "serial", serial, "reason", reason), &e);
    assert_non_null(done);
}

void
world_cancel(struct world *w, const char *id)
{
    CLEANUP(answer_free) struct answer answer = {0};

    world_send_cancel(w, id);
    world_receive(w, &answer);
    assert_int_equal(answer.m.type, LINK_CANCELLED);
}
