/* SPDX-License-Identifier: Apache-2.0 */
#include "ceremony/transcript/plan.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <string.h>

#include "base/validity.h"
#include "ca/x509/csr.h"
#include "ceremony/transcript/fact.h"

enum { DAY = 24 * 60 * 60 };

DEFINE_CLEANUP(kdf_cleanup, EVP_KDF, EVP_KDF_free)
DEFINE_CLEANUP(kdf_ctx_cleanup, EVP_KDF_CTX, EVP_KDF_CTX_free)

int
plan_subject(const struct name *subject, bool rehearsal, struct name *out, struct err *e)
{
    CLEANUP(mem_cleanup)
    char *cn = mem_printf("%s%s", rehearsal ? REHEARSAL_PREFIX : "", subject->common_name);

    return name_set(out, subject->country, subject->organization, cn, e);
}

int
plan_serial(const struct definition *d, const struct circumstances *c, uint8_t out[SERIAL_SIZE],
            struct err *e)
{
    CLEANUP(kdf_cleanup) EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    CLEANUP(kdf_ctx_cleanup) EVP_KDF_CTX *ctx = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
    CLEANUP(mem_cleanup) char *info = mem_printf("nfpki-ceremony-serial-v1 %s", d->id);
    char digest[] = "SHA256";
    uint8_t seed[2 * ENTROPY_SIZE];
    size_t n = sizeof(seed);
    OSSL_PARAM parameters[4];

    memcpy(seed, c->token_random, ENTROPY_SIZE);
    memcpy(seed + ENTROPY_SIZE, c->kernel_random, ENTROPY_SIZE);
    if (c->rehearsal) {
        memcpy(seed, d->hash, SHA256_SIZE);
        n = SHA256_SIZE;
    }
    parameters[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
    parameters[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, seed, n);
    parameters[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, strlen(info));
    parameters[3] = OSSL_PARAM_construct_end();
    if (ctx == NULL || EVP_KDF_derive(ctx, out, SERIAL_SIZE, parameters) != 1) {
        return ossl_err(e, ERR_CRYPTO, "HKDF");
    }
    serial_shape(out);
    return 0;
}

static bool
is_within_the_day(time_t begin, time_t now)
{
    return begin <= now && now - begin <= DAY;
}

/* A rehearsal takes the dates of a definition for its day, and its own time for those of another:
 * what it makes is then good for clocks that are behind, as the real one is. */
static time_t
rehearsed_begin(time_t begin, time_t now)
{
    return is_within_the_day(begin, now) ? begin : now;
}

/* A date in the future would be a certificate made ahead, one long past a back-dated one; and
 * nobody could use what has ended before it is signed. */
static int
check_dates(const char *begins, time_t begin, const char *ends, time_t end, time_t now,
            struct err *e)
{
    char text[TIME_TEXT_SIZE];

    time_format(now, text);
    if (!is_within_the_day(begin, now)) {
        return err_set(e, ERR_DENIED, "%s must lie within the day before now (%s)", begins, text);
    }
    return now <= end ? 0 : err_set(e, ERR_DENIED, "%s is over (now: %s)", ends, text);
}

static time_t
least(time_t a, time_t b)
{
    return a < b ? a : b;
}

static time_t
greatest(time_t a, time_t b)
{
    return a > b ? a : b;
}

int
plan_certificate(const struct definition *d, const struct circumstances *c, X509 *issuer,
                 struct span spki, struct name *subject, struct tbs_request *out, struct err *e)
{
    time_t until = d->certificate.not_after;

    *out = (struct tbs_request){
        .profile = profile_by_name(issuer == NULL ? "root" : "issuing"),
        .issuer = issuer,
        .subject = subject,
        .spki = spki,
        .not_before = d->certificate.not_before,
        .not_after = until,
        .crl_url = issuer == NULL ? NULL : d->certificate.crl_url,
        .rehearsal = c->rehearsal,
    };
    if (plan_subject(&d->certificate.subject, c->rehearsal, subject, e) != 0 ||
        plan_serial(d, c, out->serial, e) != 0) {
        return -1;
    }
    if (!c->rehearsal) {
        return check_dates("certificate.not_before", out->not_before, "certificate.not_after",
                           out->not_after, c->now, e);
    }
    until -= out->not_before;
    out->not_before = rehearsed_begin(out->not_before, c->now);
    if (issuer != NULL) {
        time_t from;
        time_t end;

        if (validity_read(issuer, &from, &end, e) != 0) {
            return -1;
        }
        out->not_before = greatest(from, out->not_before);
        until = least(until, end - out->not_before);
    }
    out->not_after = out->not_before + least(until, (time_t)REHEARSAL_DAYS_MAX * DAY - 1);
    return 0;
}

int
plan_crl(const struct definition *d, const struct circumstances *c, struct state *state,
         struct crl_request *out, struct err *e)
{
    time_t this_update = d->crl.this_update;
    time_t next_update = d->crl.next_update;
    time_t root_begin;
    time_t root_end;

    if (state->root == NULL) {
        return err_set(e, ERR_INPUT, "the previous ceremonies made no root: wrong bundle in prev");
    }
    if (validity_read(state->root, &root_begin, &root_end, e) != 0) {
        return -1;
    }
    if (c->rehearsal) {
        this_update = greatest(greatest(rehearsed_begin(this_update, c->now), root_begin),
                               state->crl_this_update + 1);
        next_update = this_update +
                      least(next_update - d->crl.this_update, (time_t)REHEARSAL_DAYS_MAX * DAY - 1);
    } else if (check_dates("crl.this_update", this_update, "crl.next_update", next_update, c->now,
                           e) != 0) {
        return -1;
    }
    if (this_update <= state->crl_this_update) {
        return err_set(e, ERR_DENIED, "crl.this_update is not after the previous CRL's");
    }
    if (c->rehearsal) {
        next_update = least(next_update, root_end);
    } else if (next_update > root_end) {
        return err_set(e, ERR_DENIED, "crl.next_update is past the end of the root's certificate");
    }
    if (state_add_revoked(state, d->crl.revoked, d->crl.n_revoked, e) != 0) {
        return -1;
    }
    /* A number that a stopped ceremony may have signed is never used for another CRL. */
    state->crl_number += 1 + (uint64_t)d->crl.skip;
    state->crl_this_update = this_update;
    *out = (struct crl_request){
        .issuer = state->root,
        .number = state->crl_number,
        .this_update = this_update,
        .next_update = next_update,
        .entries = state->revoked,
        .n_entries = state->n_revoked,
        .rehearsal = c->rehearsal,
    };
    return 0;
}

int
plan_csr(const struct key_plan *key, bool rehearsal, struct span spki, struct buf *out,
         struct err *e)
{
    struct name subject;

    if (plan_subject(&key->subject, rehearsal, &subject, e) != 0) {
        return -1;
    }
    return csr_info_build(&subject, spki, out, e);
}

char *
plan_word_initialise(const struct definition *d)
{
    return mem_printf("initialise %s", d->token.label);
}

char *
plan_word_generate(const struct key_plan *key)
{
    return mem_printf("generate %s", key->label);
}

char *
plan_word_generate_secret(const struct secret_plan *secret)
{
    return mem_printf("generate %s", secret->label);
}

char *
plan_word_sign(const uint8_t hash[SHA256_SIZE])
{
    CLEANUP(mem_cleanup) char *hex = hex_dup(span_of(hash, SHA256_SIZE));

    return mem_printf("sign %.16s", hex);
}

char *
plan_word_definition(const struct definition *d)
{
    return hex_dup(span_of(d->hash + SHA256_SIZE - 8, 8));
}

int
plan_head_text(const struct definition *d, bool rehearsal, bool software,
               const uint8_t head[SHA256_SIZE], const json_t *artifacts, struct buf *out,
               struct err *e)
{
    CLEANUP(mem_cleanup) char *head_hex = hex_dup(span_of(head, SHA256_SIZE));
    CLEANUP(mem_cleanup) char *hash_hex = hex_dup(span_of(d->hash, SHA256_SIZE));
    CLEANUP(mem_cleanup)
    char *text =
        mem_printf("nfpki ceremony %s\n%s%stype        %s\ndefinition  %s\nhead        %s\n", d->id,
                   rehearsal ? "REHEARSAL: NOT PRODUCTION\n" : "",
                   software ? "SOFTWARE TOKEN: NOT PRODUCTION\n" : "", ceremony_type_name(d->type),
                   hash_hex, head_hex);
    size_t i;
    json_t *artifact;

    if (buf_append_str(out, text, e) != 0) {
        return -1;
    }
    json_array_foreach(artifacts, i, artifact)
    {
        CLEANUP(mem_cleanup)
        char *line = mem_printf("artifact    %s  %s\n", fact_text(artifact, "sha256"),
                                fact_text(artifact, "file"));

        if (buf_append_str(out, line, e) != 0) {
            return -1;
        }
    }
    return buf_append_str(out, "\nI was present. This is a true record of the ceremony.\n", e);
}
