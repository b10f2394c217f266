/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tlog/cosigner.h"

#include <inttypes.h>
#include <string.h>

#include "base/ossl.h"

enum { SIGNATURE = 64, TIME = 8 };

/* 9999-12-31T23:59:59Z: what is later cannot be written as a date. */
#define TIME_LAST UINT64_C(253402300799)

/* ---- the key ---- */

static int
set_name(struct cosigner *c, const char *name, struct err *e)
{
    const size_t n = strnlen(name, sizeof(c->name));

    if (n == sizeof(c->name) || !note_is_name(span_of(name, n))) {
        return err_set(e, ERR_INPUT,
                       "the name of a witness has 1 to %d octets of UTF-8, no space and no '+'",
                       NOTE_NAME_MAX);
    }
    memcpy(c->name, name, n + 1);
    return 0;
}

static int
set_id(struct cosigner *c, struct err *e)
{
    CLEANUP(buf_free) struct buf all = BUF_INIT(NOTE_NAME_MAX + 2 + COSIGNER_KEY);
    const uint8_t type[] = {'\n', (uint8_t)c->type};
    uint8_t hash[SHA256_SIZE];

    if (buf_append_str(&all, c->name, e) != 0 ||
        buf_append(&all, span_of(type, sizeof(type)), e) != 0 ||
        buf_append(&all, span_of(c->key, COSIGNER_KEY), e) != 0 ||
        sha256(buf_span(&all), hash, e) != 0) {
        return -1;
    }
    memcpy(c->id, hash, NOTE_KEY_ID);
    return 0;
}

char *
cosigner_format(const struct cosigner *c)
{
    return note_key_format(c->name, c->id, (uint8_t)c->type, span_of(c->key, COSIGNER_KEY));
}

int
cosigner_parse(struct cosigner *c, struct span text, struct err *e)
{
    CLEANUP(buf_free) struct buf typed = BUF_INIT(NOTE_KEY_MAX);
    CLEANUP(mem_cleanup) char *name = note_key_split(text, &typed, e);
    CLEANUP(mem_cleanup) char *again = NULL;

    if (name == NULL || set_name(c, name, e) != 0) {
        return -1;
    }
    if (typed.n != 1 + COSIGNER_KEY ||
        (typed.p[0] != COSIGNER_PLAIN && typed.p[0] != COSIGNER_V1)) {
        return err_set(e, ERR_INPUT, "verifier key: not an Ed25519 key (type 0x01 or 0x04)");
    }
    c->type = typed.p[0] == COSIGNER_V1 ? COSIGNER_V1 : COSIGNER_PLAIN;
    memcpy(c->key, typed.p + 1, COSIGNER_KEY);
    if (set_id(c, e) != 0) {
        return -1;
    }
    again = cosigner_format(c);
    return note_key_is(text, again)
               ? 0
               : err_set(e, ERR_INPUT, "verifier key: the key id is not of this key");
}

int
cosigner_of(struct cosigner *c, const char *name, const EVP_PKEY *key, struct err *e)
{
    size_t n = COSIGNER_KEY;

    *c = (struct cosigner){.type = COSIGNER_V1};
    if (set_name(c, name, e) != 0) {
        return -1;
    }
    if (EVP_PKEY_is_a(key, "ED25519") != 1 || EVP_PKEY_get_raw_public_key(key, c->key, &n) != 1) {
        return ossl_err(e, ERR_INPUT, "not an Ed25519 key");
    }
    return set_id(c, e);
}

/* ---- signatures ---- */

static uint64_t
read_time(const uint8_t *p)
{
    uint64_t time = 0;

    for (int i = 0; i < TIME; i++) {
        time = time << 8 | p[i];
    }
    return time;
}

/* What is signed. */
static int
message(const struct cosigner *c, struct span text, uint64_t time, struct buf *out, struct err *e)
{
    CLEANUP(mem_cleanup) char *head = mem_printf("cosignature/v1\ntime %" PRIu64 "\n", time);

    return (c->type == COSIGNER_V1 && buf_append_str(out, head, e) != 0) ||
                   buf_append(out, text, e) != 0
               ? -1
               : 0;
}

static int
verify(const struct cosigner *c, struct span text, struct span blob, uint64_t *time, struct err *e)
{
    CLEANUP(buf_free) struct buf signed_octets = BUF_INIT(2 * NOTE_MAX);
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *ctx = NULL;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = NULL;
    const size_t before = c->type == COSIGNER_V1 ? TIME : 0;

    if (blob.n != before + SIGNATURE) {
        return err_set(e, ERR_CRYPTO, "the signature has %zu octets, not %zu", blob.n,
                       before + SIGNATURE);
    }
    *time = before == 0 ? 0 : read_time(blob.p);
    if (*time > TIME_LAST) {
        return err_set(e, ERR_CRYPTO, "its time is none");
    }
    if (message(c, text, *time, &signed_octets, e) != 0) {
        return -1;
    }
    key = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, c->key, COSIGNER_KEY);
    ctx = EVP_MD_CTX_new();
    if (key == NULL || ctx == NULL ||
        EVP_DigestVerifyInit_ex(ctx, NULL, NULL, NULL, NULL, key, NULL) != 1) {
        return ossl_err(e, ERR_CRYPTO, "verify a cosignature");
    }
    if (EVP_DigestVerify(ctx, blob.p + before, SIGNATURE, signed_octets.p, signed_octets.n) != 1) {
        (void)ossl_err(e, ERR_CRYPTO, "cosignature");
        return err_set(e, ERR_CRYPTO, "the signature is wrong");
    }
    return 0;
}

int
cosigner_verify(const struct cosigner *c, const struct note *note, struct cosigned *out,
                struct err *e)
{
    *out = (struct cosigned){0};
    for (size_t i = 0; i < note->n; i++) {
        CLEANUP(buf_free) struct buf blob = BUF_INIT(NOTE_MAX);
        uint64_t time;

        if (!span_equal(note->lines[i].name, span_str(c->name))) {
            continue;
        }
        if (note_line_decode(&note->lines[i], &blob, e) != 0) {
            return -1;
        }
        if (memcmp(blob.p, c->id, NOTE_KEY_ID) != 0) {
            continue;
        }
        if (verify(c, note->text, span_of(blob.p + NOTE_KEY_ID, blob.n - NOTE_KEY_ID), &time, e) !=
            0) {
            return err_wrap(e, "cosignature by the key %02x%02x%02x%02x", c->id[0], c->id[1],
                            c->id[2], c->id[3]);
        }
        if (!out->found || time > out->time) {
            *out = (struct cosigned){.found = true, .time = time, .line = note->lines[i]};
        }
    }
    return 0;
}

int
cosigner_sign(const struct cosigner *c, EVP_PKEY *key, struct span text, time_t now,
              struct buf *line, struct err *e)
{
    CLEANUP(buf_free) struct buf octets = BUF_INIT(2 * NOTE_MAX);
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    CLEANUP(mem_cleanup) char *formatted = NULL;
    uint8_t blob[TIME + SIGNATURE];
    size_t n = SIGNATURE;
    uint64_t time = (uint64_t)now;

    if (now < 0 || c->type != COSIGNER_V1) {
        return err_set(e, ERR_INPUT, "the clock is before 1970, or the key is for nothing dated");
    }
    for (int i = TIME - 1; i >= 0; i--, time >>= 8) {
        blob[i] = (uint8_t)time;
    }
    if (message(c, text, (uint64_t)now, &octets, e) != 0) {
        return -1;
    }
    if (ctx == NULL || EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, key, NULL) != 1 ||
        EVP_DigestSign(ctx, blob + TIME, &n, octets.p, octets.n) != 1) {
        return ossl_err(e, ERR_CRYPTO, "cosign");
    }
    if (verify(c, text, span_of(blob, sizeof(blob)), &time, e) != 0) {
        return err_wrap(e, "what was signed just now");
    }
    formatted = note_line_format(c->name, c->id, span_of(blob, sizeof(blob)));
    return buf_set(line, span_str(formatted), e);
}
