/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/registration/approval.h"

#include <jansson.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "ca/registration/envelope.h"
#include "ca/x509/name.h"

enum { DAY = 24 * 60 * 60 };

static void
json_cleanup(json_t **value)
{
    json_decref(*value);
}

/* ---- the document ---- */

char *
approval_format(const struct approval *a)
{
    CLEANUP(mem_cleanup) char *rid = hex_dup(span_of(a->rid, sizeof(a->rid)));
    CLEANUP(mem_cleanup) char *key = hex_dup(span_of(a->public_key, sizeof(a->public_key)));
    CLEANUP(json_cleanup) json_t *object = NULL;
    CLEANUP(mem_cleanup) char *text = NULL;
    char time[TIME_TEXT_SIZE];
    char expires[TIME_TEXT_SIZE];

    time_format(a->time, time);
    time_format(a->expires, expires);
    object = json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "version", 1, "kind",
                       "approval", "decision", a->approves ? "approve" : "reject", "rid", rid,
                       "registration", a->registration, "nfInstanceId", a->nf_instance, "profile",
                       a->profile, "publicKey", key, "time", time, "expires", expires);
    if (a->reason[0] != '\0') {
        (void)json_object_set_new(object, "reason", json_string(a->reason));
    }
    text = json_dumps(object, JSON_INDENT(1));
    return text == NULL ? mem_strdup("") : mem_printf("%s\n", text);
}

struct members {
    int version;
    const char *kind;
    const char *decision;
    const char *rid;
    const char *registration;
    const char *nf_instance;
    const char *profile;
    const char *public_key;
    const char *time;
    const char *expires;
    const char *reason;
};

static int
hex_member(const char *name, const char *text, uint8_t *out, size_t n, struct err *e)
{
    return hex_parse(text, out, n, e) == 0
               ? 0
               : err_set(e, ERR_INPUT, "%s: must be %zu hex digits", name, 2 * n);
}

static int
text_member(const char *name, const char *text, char *out, size_t size, struct err *e)
{
    size_t n = strlen(text);

    for (size_t i = 0; i < n; i++) {
        if (text[i] < 0x20 || text[i] > 0x7e) {
            return err_set(e, ERR_INPUT, "%s: must be printable ASCII", name);
        }
    }
    if (n == 0 || n >= size) {
        return err_set(e, ERR_INPUT, "%s: must have 1..%zu characters", name, size - 1);
    }
    (void)snprintf(out, size, "%s", text);
    return 0;
}

static int
time_member(const char *name, const char *text, time_t *out, struct err *e)
{
    return time_parse(text, out, e) == 0
               ? 0
               : err_set(e, ERR_INPUT, "%s: must be a time like 2026-11-23T20:00:00Z", name);
}

static int
values_read(const struct members *m, struct approval *out, struct err *e)
{
    uint8_t id[(REGISTRATION_ID_SIZE - 1) / 2];

    if (m->version != 1) {
        return err_set(e, ERR_INPUT, "version: must be 1");
    }
    if (strcmp(m->kind, "approval") != 0) {
        return err_set(e, ERR_INPUT, "kind: must be \"approval\"");
    }
    out->approves = strcmp(m->decision, "approve") == 0;
    if (!out->approves && strcmp(m->decision, "reject") != 0) {
        return err_set(e, ERR_INPUT, "decision: must be \"approve\" or \"reject\"");
    }
    if (hex_member("rid", m->rid, out->rid, sizeof(out->rid), e) != 0 ||
        hex_member("registration", m->registration, id, sizeof(id), e) != 0 ||
        hex_member("publicKey", m->public_key, out->public_key, sizeof(out->public_key), e) != 0 ||
        text_member("nfInstanceId", m->nf_instance, out->nf_instance, sizeof(out->nf_instance),
                    e) != 0 ||
        text_member("profile", m->profile, out->profile, sizeof(out->profile), e) != 0 ||
        time_member("time", m->time, &out->time, e) != 0 ||
        time_member("expires", m->expires, &out->expires, e) != 0) {
        return -1;
    }
    hex_format(span_of(id, sizeof(id)), out->registration);
    if (m->reason != NULL &&
        text_member("reason", m->reason, out->reason, sizeof(out->reason), e) != 0) {
        return -1;
    }
    if (out->expires <= out->time || out->expires - out->time > (time_t)APPROVAL_DAYS_MAX * DAY) {
        return err_set(e, ERR_INPUT, "expires: must be after time, by %d days at most",
                       APPROVAL_DAYS_MAX);
    }
    return 0;
}

int
approval_parse(struct span json, struct approval *out, struct err *e)
{
    json_error_t reason;
    CLEANUP(json_cleanup)
    json_t *object = json_loadb((const char *)json.p, json.n, JSON_REJECT_DUPLICATES, &reason);
    struct members m = {0};

    memset(out, 0, sizeof(*out));
    if (object == NULL) {
        return err_set(e, ERR_INPUT, "approval: not JSON: line %d: %s", reason.line, reason.text);
    }
    if (json_unpack_ex(object, &reason, JSON_STRICT,
                       "{s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s?s}", "version", &m.version,
                       "kind", &m.kind, "decision", &m.decision, "rid", &m.rid, "registration",
                       &m.registration, "nfInstanceId", &m.nf_instance, "profile", &m.profile,
                       "publicKey", &m.public_key, "time", &m.time, "expires", &m.expires, "reason",
                       &m.reason) != 0) {
        return err_set(e, ERR_INPUT, "approval: %s", reason.text);
    }
    return values_read(&m, out, e) == 0 ? 0 : err_wrap(e, "approval");
}

int
approval_binds(const struct approval *a, const struct approval *request, struct err *e)
{
    const char *other = NULL;

    if (memcmp(a->rid, request->rid, sizeof(a->rid)) != 0) {
        other = "rid";
    } else if (strcmp(a->registration, request->registration) != 0) {
        other = "registration";
    } else if (strcmp(a->nf_instance, request->nf_instance) != 0) {
        other = "nfInstanceId";
    } else if (strcmp(a->profile, request->profile) != 0) {
        other = "profile";
    } else if (memcmp(a->public_key, request->public_key, sizeof(a->public_key)) != 0) {
        other = "publicKey";
    }
    return other == NULL
               ? 0
               : err_set(e, ERR_DENIED,
                         "approval: %s is not that of the request: get its document again", other);
}

int
approval_check_window(const struct approval *a, time_t at, struct err *e)
{
    if (a->time > at + APPROVAL_SKEW_S) {
        return err_set(e, ERR_DENIED, "approval: time is in the future: compare the clocks");
    }
    if (a->expires <= at) {
        return err_set(e, ERR_DENIED, "approval: expired");
    }
    return 0;
}

/* ---- who ---- */

bool
approval_same_person(const X509 *a, const X509 *b)
{
    uint8_t key_a[SHA256_SIZE];
    uint8_t key_b[SHA256_SIZE];
    struct err e = {0};

    if (X509_NAME_cmp(X509_get_subject_name(a), X509_get_subject_name(b)) == 0) {
        return true;
    }
    /* What cannot be compared is not known to be another one. */
    return certificate_key_hash(a, key_a, &e) != 0 || certificate_key_hash(b, key_b, &e) != 0 ||
           memcmp(key_a, key_b, sizeof(key_a)) == 0;
}

/* ---- the signature ---- */

static void
destroy(struct approval_signed **p)
{
    if (*p != NULL) {
        buf_free(&(*p)->cms);
        X509_free((*p)->officer);
        mem_free((*p)->subject);
        mem_free(*p);
        *p = NULL;
    }
}

void
approval_signed_free(struct approval_signed *approval)
{
    destroy(&approval);
}

struct approval_signed *
approval_verify(struct span cms, X509 *issuing, X509 *root, time_t at, struct err *e)
{
    const struct envelope_rules rules = {
        .what = "approval", .issuing = issuing, .root = root, .at = at};
    CLEANUP(envelope_cleanup) struct envelope *opened = envelope_open(cms, &rules, e);
    CLEANUP(destroy) struct approval_signed *out = NULL;

    if (opened == NULL) {
        return NULL;
    }
    if (opened->cms.n > APPROVAL_CMS_MAX) {
        (void)err_set(e, ERR_INPUT, "approval: longer than %d octets", APPROVAL_CMS_MAX);
        return NULL;
    }
    out = mem_new(sizeof(*out));
    if (approval_parse(buf_span(&opened->content), &out->content, e) != 0 ||
        approval_check_window(&out->content, at, e) != 0 ||
        certificate_key_hash(opened->signer, out->key_hash, e) != 0) {
        return NULL;
    }
    buf_move(&out->cms, &opened->cms);
    out->officer = TAKE(opened->signer);
    out->subject = name_text(X509_get_subject_name(out->officer));
    if (strcmp(out->subject, NAME_UNWRITTEN) == 0) {
        (void)err_set(e, ERR_CRYPTO, "approval: the officer's name cannot be written");
        return NULL;
    }
    return TAKE(out);
}

int
approval_sign(struct span document, X509 *officer, EVP_PKEY *key, struct buf *cms, struct err *e)
{
    CLEANUP(bio_cleanup) BIO *content = BIO_new_mem_buf(document.p, (int)document.n);
    CLEANUP(cms_cleanup) CMS_ContentInfo *object = NULL;
    const unsigned flags = CMS_BINARY | CMS_NOSMIMECAP;

    if (X509_check_private_key(officer, key) != 1) {
        ERR_clear_error();
        return err_set(e, ERR_INPUT, "the key is not that of the certificate");
    }
    object = CMS_sign(NULL, NULL, NULL, content, flags | CMS_PARTIAL);
    if (object == NULL || CMS_add1_signer(object, officer, key, EVP_sha256(), flags) == NULL ||
        CMS_final(object, content, NULL, flags) != 1) {
        return ossl_err(e, ERR_CRYPTO, "sign the approval");
    }
    return OSSL_ENCODE(CMS_ContentInfo, object, cms, e);
}
