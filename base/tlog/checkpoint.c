/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tlog/checkpoint.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"

/* C2SP signed-note: the type octet of ECDSA keys. */
enum { TYPE_ECDSA = 0x02, SIGNATURE_DER_MAX = 72 };

/* ---- what verified last ---- */

struct log_key_last {
    pthread_mutex_t lock;
    size_t n_text; /* 0: nothing yet */
    size_t n_signature;
    uint8_t text[CHECKPOINT_MAX];
    uint8_t signature[SIGNATURE_DER_MAX];
};

static struct log_key_last *
last_new(void)
{
    struct log_key_last *last = mem_new(sizeof(*last));

    (void)pthread_mutex_init(&last->lock, NULL);
    return last;
}

static void
last_free(struct log_key_last *last)
{
    if (last != NULL) {
        (void)pthread_mutex_destroy(&last->lock);
        mem_free(last);
    }
}

static bool
is_last(struct log_key_last *last, struct span text, struct span signature)
{
    bool same;

    (void)pthread_mutex_lock(&last->lock);
    same = last->n_text > 0 && span_equal(text, span_of(last->text, last->n_text)) &&
           span_equal(signature, span_of(last->signature, last->n_signature));
    (void)pthread_mutex_unlock(&last->lock);
    return same;
}

static void
remember(struct log_key_last *last, struct span text, struct span signature)
{
    if (text.n > sizeof(last->text) || signature.n > sizeof(last->signature)) {
        return;
    }
    (void)pthread_mutex_lock(&last->lock);
    memcpy(last->text, text.p, text.n);
    memcpy(last->signature, signature.p, signature.n);
    last->n_text = text.n;
    last->n_signature = signature.n;
    (void)pthread_mutex_unlock(&last->lock);
}

/* ---- the key ---- */

void
log_key_free(struct log_key *key)
{
    EVP_PKEY_free(key->key);
    last_free(key->last);
    *key = (struct log_key){0};
}

static int
check_origin(const char *origin, size_t n, struct err *e)
{
    if (n == 0 || n > ORIGIN_MAX) {
        return err_set(e, ERR_INPUT,
                       "the origin of the log has %zu characters, allowed are 1 to %d", n,
                       ORIGIN_MAX);
    }
    for (size_t i = 0; i < n; i++) {
        if (origin[i] <= ' ' || origin[i] > '~' || origin[i] == '+') {
            return err_set(e, ERR_INPUT,
                           "the origin of the log has a character other than printable ASCII, or a "
                           "space or '+'");
        }
    }
    return 0;
}

static bool
is_p256(EVP_PKEY *key)
{
    char group[32];

    return EVP_PKEY_is_a(key, "EC") == 1 &&
           EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
           strcmp(group, "prime256v1") == 0;
}

int
log_key_set(struct log_key *key, const char *origin, struct span spki, struct err *e)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *parsed = NULL;
    const unsigned char *p = spki.p;
    size_t n = strnlen(origin, ORIGIN_MAX + 1);
    uint8_t hash[SHA256_SIZE];

    if (check_origin(origin, n, e) != 0) {
        return -1;
    }
    if (spki.n > LOG_KEY_SPKI_MAX) {
        return err_set(e, ERR_INPUT, "the log key has %zu octets", spki.n);
    }
    parsed = d2i_PUBKEY(NULL, &p, (long)spki.n);
    if (parsed == NULL || p != spki.p + spki.n || !is_p256(parsed)) {
        return ossl_err(e, ERR_INPUT, "the log key is not a P-256 SubjectPublicKeyInfo");
    }
    if (sha256(spki, hash, e) != 0) {
        return -1;
    }
    log_key_free(key);
    memcpy(key->origin, origin, n + 1);
    memcpy(key->spki, spki.p, spki.n);
    key->spki_n = spki.n;
    memcpy(key->id, hash, LOG_KEY_ID);
    key->key = TAKE(parsed);
    key->last = last_new();
    return 0;
}

char *
log_key_format(const struct log_key *key)
{
    return note_key_format(key->origin, key->id, TYPE_ECDSA, span_of(key->spki, key->spki_n));
}

int
log_key_parse(struct log_key *key, struct span text, struct err *e)
{
    CLEANUP(mem_cleanup) char *again = NULL;
    CLEANUP(buf_free) struct buf typed = BUF_INIT(NOTE_KEY_MAX);
    CLEANUP(mem_cleanup) char *name = note_key_split(text, &typed, e);

    if (name == NULL) {
        return -1;
    }
    if (typed.n < 2 || typed.p[0] != TYPE_ECDSA) {
        return err_set(e, ERR_INPUT, "verifier key: not an ECDSA key (type 0x02)");
    }
    if (log_key_set(key, name, span_of(typed.p + 1, typed.n - 1), e) != 0) {
        return err_wrap(e, "verifier key");
    }
    /* The key id and every other octet must be what we would write. */
    again = log_key_format(key);
    if (!note_key_is(text, again)) {
        log_key_free(key);
        return err_set(e, ERR_INPUT, "verifier key: the key id is not of this key");
    }
    return 0;
}

int
checkpoint_text(const struct checkpoint *checkpoint, struct buf *out, struct err *e)
{
    CLEANUP(mem_cleanup) char *root = base64_dup(span_of(checkpoint->root.octets, MERKLE_HASH));
    CLEANUP(mem_cleanup)
    char *text = mem_printf("%s\n%" PRIu64 "\n%s\n", checkpoint->origin, checkpoint->size, root);

    return buf_set(out, span_str(text), e);
}

/* Cuts the line that begins at *rest; NULL when there is no line break behind it. */
static char *
next_line(char **rest)
{
    char *line = *rest;
    char *end = strchr(line, '\n');

    if (end == NULL) {
        return NULL;
    }
    *end = '\0';
    *rest = end + 1;
    return line;
}

static int
parse_size(const char *text, uint64_t *size)
{
    size_t n = strspn(text, "0123456789");
    uint64_t value = 0;

    /* 18 digits are below 2^62, more than a tree can hold. */
    if (n == 0 || n > 18 || text[n] != '\0' || (text[0] == '0' && n > 1)) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        value = 10 * value + (uint64_t)(text[i] - '0');
    }
    *size = value;
    return 0;
}

int
checkpoint_parse(struct span text, struct checkpoint *checkpoint, struct err *e)
{
    CLEANUP(mem_cleanup) char *copy = NULL;
    CLEANUP(buf_free) struct buf root = BUF_INIT(CHECKPOINT_MAX);
    char *rest;
    const char *origin;
    const char *size;
    const char *encoded;

    if (text.n == 0 || text.n > CHECKPOINT_MAX || memchr(text.p, '\0', text.n) != NULL) {
        return err_set(e, ERR_INPUT, "checkpoint: %zu octets", text.n);
    }
    copy = mem_printf("%.*s", (int)text.n, (const char *)text.p);
    rest = copy;
    origin = next_line(&rest);
    size = origin == NULL ? NULL : next_line(&rest);
    encoded = size == NULL ? NULL : next_line(&rest);
    if (encoded == NULL || *rest != '\0') {
        return err_set(e, ERR_INPUT, "checkpoint: not three lines");
    }
    if (check_origin(origin, strlen(origin), e) != 0) {
        return err_wrap(e, "checkpoint");
    }
    if (parse_size(size, &checkpoint->size) != 0) {
        return err_set(e, ERR_INPUT, "checkpoint: the second line is no size");
    }
    if (base64_parse(encoded, &root, e) != 0 || root.n != MERKLE_HASH) {
        return err_set(e, ERR_INPUT, "checkpoint: the third line is no root");
    }
    (void)snprintf(checkpoint->origin, sizeof(checkpoint->origin), "%s", origin);
    memcpy(checkpoint->root.octets, root.p, MERKLE_HASH);
    return 0;
}

static int
verify(const struct log_key *key, struct span text, struct span signature, struct err *e)
{
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *ctx = NULL;

    if (is_last(key->last, text, signature)) {
        return 0;
    }
    ctx = EVP_MD_CTX_new();
    if (ctx == NULL ||
        EVP_DigestVerifyInit_ex(ctx, NULL, "SHA2-256", NULL, NULL, key->key, NULL) != 1) {
        return ossl_err(e, ERR_CRYPTO, "verify a checkpoint");
    }
    if (EVP_DigestVerify(ctx, signature.p, signature.n, text.p, text.n) != 1) {
        (void)ossl_err(e, ERR_CRYPTO, "checkpoint");
        return err_set(e, ERR_CRYPTO, "the signature of the checkpoint is wrong");
    }
    remember(key->last, text, signature);
    return 0;
}

int
checkpoint_seal(const struct log_key *key, struct span text, struct span signature,
                struct buf *note, struct err *e)
{
    CLEANUP(mem_cleanup) char *line = NULL;
    struct checkpoint checkpoint;

    if (checkpoint_parse(text, &checkpoint, e) != 0) {
        return -1;
    }
    if (strcmp(checkpoint.origin, key->origin) != 0 || signature.n > SIGNATURE_DER_MAX) {
        return err_set(e, ERR_CRYPTO, "checkpoint: another origin, or no P-256 signature");
    }
    if (verify(key, text, signature, e) != 0) {
        return -1;
    }
    line = note_line_format(key->origin, key->id, signature);
    return buf_set(note, text, e) != 0 || buf_append_str(note, "\n", e) != 0 ||
                   buf_append_str(note, line, e) != 0
               ? -1
               : 0;
}

/* A line with this name that a key with this id has made, or claims to have. */
static int
line_signature(const struct log_key *key, const struct note_line *line, bool *is_own,
               struct buf *signature, struct err *e)
{
    buf_truncate(signature, 0);
    if (note_line_decode(line, signature, e) != 0) {
        return err_wrap(e, "checkpoint");
    }
    *is_own = span_equal(line->name, span_str(key->origin)) &&
              memcmp(signature->p, key->id, LOG_KEY_ID) == 0;
    buf_consume(signature, LOG_KEY_ID);
    return 0;
}

/* Others' lines are neither believed nor refused; each of this key must be right. */
static int
verify_lines(const struct log_key *key, const struct note *note, struct err *e)
{
    CLEANUP(buf_free) struct buf signature = BUF_INIT(NOTE_MAX);
    bool verified = false;

    for (size_t i = 0; i < note->n; i++) {
        bool is_own;

        if (line_signature(key, &note->lines[i], &is_own, &signature, e) != 0) {
            return -1;
        }
        if (is_own && verify(key, note->text, buf_span(&signature), e) != 0) {
            return -1;
        }
        verified = verified || is_own;
    }
    return verified
               ? 0
               : err_set(e, ERR_CRYPTO, "checkpoint: not signed by the key %02x%02x%02x%02x of %s",
                         key->id[0], key->id[1], key->id[2], key->id[3], key->origin);
}

int
checkpoint_open(const struct log_key *key, struct span octets, struct checkpoint *checkpoint,
                struct err *e)
{
    struct note note;

    if (note_parse(octets, &note, e) != 0) {
        return err_wrap(e, "checkpoint");
    }
    if (checkpoint_parse(note.text, checkpoint, e) != 0) {
        return -1;
    }
    if (strcmp(checkpoint->origin, key->origin) != 0) {
        return err_set(e, ERR_CRYPTO, "checkpoint: of another log than %s", key->origin);
    }
    return verify_lines(key, &note, e);
}

int
checkpoint_strip(const struct log_key *key, struct span octets, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf signature = BUF_INIT(NOTE_MAX);
    struct note note;

    if (note_parse(octets, &note, e) != 0) {
        return err_wrap(e, "checkpoint");
    }
    for (size_t i = 0; i < note.n; i++) {
        bool is_own;

        if (line_signature(key, &note.lines[i], &is_own, &signature, e) != 0) {
            return -1;
        }
        if (is_own) {
            return checkpoint_seal(key, note.text, buf_span(&signature), out, e);
        }
    }
    return err_set(e, ERR_CRYPTO, "checkpoint: not signed by %s", key->origin);
}
