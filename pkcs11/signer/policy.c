/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/signer/policy.h"

#include <openssl/pem.h>
#include <string.h>

#include "base/conf.h"
#include "base/file.h"
#include "base/ossl.h"

enum {
    PUBLIC_KEY_FILE_MAX = 8192,
    NAME_MAX_ = 4096,
    SECONDS_A_DAY = 86400,
    DAYS_MAX = 36500,
    KEY_IDENTIFIER_MAX = 64,
    DEADLINE_MIN_MS = 100,
    DEADLINE_MAX_MS = 600000,
};

/* PKIBody choices that an RA or CA may send (RFC 9810 5.1.2). Requests are not among them: a key
 * that answers must never be able to ask. */
static const struct {
    const char *name;
    unsigned int tag;
} BODIES[] = {
    {"ip", 1},       {"cp", 3},    {"kup", 8},    {"rp", 12},
    {"pkiconf", 19}, {"genp", 22}, {"error", 23}, {"pollRep", 26},
};

void
policy_free(struct policy *p)
{
    if (p == NULL) {
        return;
    }
    mem_free(p->module);
    mem_free(p->module_config);
    mem_free(p->token);
    mem_free(p->serial);
    buf_free(&p->spki);
    EVP_PKEY_free(p->public_key);
    mem_free(p->attributes);
    mem_free(p->credential);
    mem_free(p->journal);
    X509_free(p->issuer);
    buf_free(&p->issuer_name);
    buf_free(&p->issuer_ski);
    log_key_free(&p->log);
    mem_free(p->memo);
    mem_free(p->origin);
    buf_free(&p->sender_name);
    mem_free(p);
}

/* A SubjectPublicKeyInfo in DER; PEM becomes DER. */
static int
read_public_key(const char *path, struct buf *file, struct err *e)
{
    CLEANUP(bio_cleanup) BIO *bio = NULL;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = NULL;

    if (file_read(path, file, e) != 0) {
        return -1;
    }
    if (file->n > 0 && file->p[0] == '-') {
        bio = BIO_new_mem_buf(file->p, (int)file->n);
        key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
        buf_truncate(file, 0);
        if (key == NULL || OSSL_ENCODE(PUBKEY, key, file, e) != 0) {
            return ossl_err(e, ERR_INPUT, "%s: not a public key in PEM", path);
        }
    }
    return 0;
}

static int
load_public_key(struct policy *p, const char *path, struct err *e)
{
    CLEANUP(buf_free) struct buf file = BUF_INIT(PUBLIC_KEY_FILE_MAX);

    if (read_public_key(path, &file, e) != 0) {
        return -1;
    }
    p->public_key = key_public_parse(buf_span(&file), &p->algorithm, e);
    if (p->public_key == NULL) {
        return err_wrap(e, "%s", path);
    }
    return buf_set(&p->spki, buf_span(&file), e);
}

/* The certificate named in `option`; it must be the certificate of the pinned key. */
static X509 *
load_certificate(const struct policy *p, cfg_t *section, const char *option, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = conf_path(section, option, e);
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    CLEANUP(buf_free) struct buf spki = BUF_INIT(SPKI_MAX);

    if (path == NULL) {
        return NULL;
    }
    certificate = certificate_load(path, e);
    if (certificate == NULL ||
        OSSL_ENCODE(X509_PUBKEY, X509_get_X509_PUBKEY(certificate), &spki, e) != 0) {
        return NULL;
    }
    if (!span_equal(buf_span(&spki), buf_span(&p->spki))) {
        (void)conf_fault(section, option, e, "the public key of %s is not that of 'public_key'",
                         path);
        return NULL;
    }
    return TAKE(certificate);
}

static int
days(cfg_t *section, const char *option, time_t *out, struct err *e)
{
    long n = cfg_getint(section, option);

    if (n < 1 || n > DAYS_MAX) {
        return conf_fault(section, option, e, "'%s' must be 1 to %d days", option, DAYS_MAX);
    }
    *out = (time_t)n * SECONDS_A_DAY;
    return 0;
}

static int
asn1_time(const ASN1_TIME *t, time_t *out, struct err *e)
{
    struct tm tm;

    if (ASN1_TIME_to_tm(t, &tm) != 1) {
        return ossl_err(e, ERR_INPUT, "not a time");
    }
    *out = timegm(&tm);
    return 0;
}

/* What an end entity's key may be for; keyCertSign and cRLSign are not among them. */
static int
load_key_usage(struct policy *p, cfg_t *section, struct err *e)
{
    static const char *const names[] = {"digitalSignature", "nonRepudiation", "keyEncipherment"};

    for (unsigned int i = 0; i < cfg_size(section, "key_usage"); i++) {
        const char *text = cfg_getnstr(section, "key_usage", i);
        size_t bit = 0;

        while (bit < ARRAY_LEN(names) && strcmp(names[bit], text) != 0) {
            bit++;
        }
        if (bit == ARRAY_LEN(names)) {
            return conf_fault(section, "key_usage", e,
                              "key_usage '%.40s' cannot be allowed; possible are "
                              "digitalSignature, nonRepudiation, keyEncipherment",
                              text);
        }
        p->key_usage |= 1U << bit;
    }
    p->wildcard = cfg_getbool(section, "wildcard") == cfg_true;
    p->no_rev_avail = cfg_getbool(section, "no_rev_avail") == cfg_true;
    return 0;
}

static int
load_authority(struct policy *p, cfg_t *section, struct err *e)
{
    const ASN1_OCTET_STRING *ski;

    p->purpose = POLICY_CERTIFICATE_AUTHORITY;
    p->issuer = load_certificate(p, section, "issuer", e);
    if (p->issuer == NULL ||
        OSSL_ENCODE(X509_NAME, X509_get_subject_name(p->issuer), &p->issuer_name, e) != 0 ||
        asn1_time(X509_get0_notBefore(p->issuer), &p->issuer_not_before, e) != 0 ||
        asn1_time(X509_get0_notAfter(p->issuer), &p->issuer_not_after, e) != 0 ||
        days(section, "max_validity", &p->max_validity, e) != 0 ||
        days(section, "max_crl_validity", &p->max_crl_validity, e) != 0 ||
        load_key_usage(p, section, e) != 0) {
        return -1;
    }
    ski = X509_get0_subject_key_id(p->issuer);
    if (X509_check_ca(p->issuer) != 1 || ski == NULL || ASN1_STRING_length(ski) < 1 ||
        ASN1_STRING_length(ski) > KEY_IDENTIFIER_MAX) {
        return conf_fault(section, "issuer", e,
                          "'issuer' is not a CA certificate with a subjectKeyIdentifier of 1 to %d "
                          "octets",
                          KEY_IDENTIFIER_MAX);
    }
    if (cfg_size(section, "objects") == 0) {
        return conf_fault(section, "objects", e, "'objects' must list certificate, crl or both");
    }
    for (unsigned int i = 0; i < cfg_size(section, "objects"); i++) {
        const char *object = cfg_getnstr(section, "objects", i);

        if (strcmp(object, "certificate") == 0) {
            p->certificates = true;
        } else if (strcmp(object, "crl") == 0) {
            p->crls = true;
        } else {
            return conf_fault(section, "objects", e, "object '%.40s': use certificate or crl",
                              object);
        }
    }
    return buf_set(&p->issuer_ski,
                   span_of(ASN1_STRING_get0_data(ski), (size_t)ASN1_STRING_length(ski)), e);
}

static int
load_log(struct policy *p, cfg_t *section, struct err *e)
{
    const char *origin = conf_string(section, "origin", e);

    p->purpose = POLICY_LOG;
    if (origin == NULL) {
        return -1;
    }
    /* C2SP signed-note: no blanks or plus in a key name, and it is one line. */
    if (strlen(origin) > POLICY_ORIGIN_MAX || strpbrk(origin, " \t\r\n+") != NULL) {
        return conf_fault(section, "origin", e,
                          "'origin' must be one word of at most %d octets without '+'",
                          POLICY_ORIGIN_MAX);
    }
    p->origin = mem_strdup(origin);
    p->anchors = strcmp(cfg_getstr(section, "anchor"), "token") == 0;
    return p->anchors || strcmp(cfg_getstr(section, "anchor"), "none") == 0
               ? 0
               : conf_fault(section, "anchor", e, "'anchor' must be token or none");
}

static int
load_cmp(struct policy *p, cfg_t *section, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *sender = load_certificate(p, section, "sender", e);

    p->purpose = POLICY_CMP;
    if (sender == NULL ||
        OSSL_ENCODE(X509_NAME, X509_get_subject_name(sender), &p->sender_name, e) != 0) {
        return -1;
    }
    p->queue_heads = cfg_getbool(section, "queue_heads") == cfg_true;
    for (unsigned int i = 0; i < cfg_size(section, "bodies"); i++) {
        const char *body = cfg_getnstr(section, "bodies", i);
        uint32_t bit = 0;

        for (size_t k = 0; k < ARRAY_LEN(BODIES); k++) {
            bit |= strcmp(body, BODIES[k].name) == 0 ? 1U << BODIES[k].tag : 0;
        }
        if (bit == 0) {
            return conf_fault(section, "bodies", e,
                              "body '%.40s' cannot be allowed; possible are ip, cp, kup, rp, "
                              "pkiconf, genp, error, pollRep",
                              body);
        }
        p->bodies |= bit;
    }
    return 0;
}

static int
load_key_id(cfg_t *section, uint8_t out[POLICY_KEY_ID_SIZE], struct err *e)
{
    const char *id = conf_string(section, "key_id", e);

    if (id == NULL) {
        return -1;
    }
    return hex_parse(id, out, POLICY_KEY_ID_SIZE, e) == 0
               ? 0
               : conf_fault(section, "key_id", e, "'key_id' must be %d hexadecimal digits",
                            2 * POLICY_KEY_ID_SIZE);
}

static int
load_seal(struct policy *p, cfg_t *section, struct err *e)
{
    if (p->purpose == POLICY_SELF_TEST) {
        return conf_fault(section, NULL, e,
                          "section seal belongs to section certificate_authority, log or cmp");
    }
    p->seals = true;
    return load_key_id(section, p->seal_id, e);
}

/* Whose checkpoints show what may be signed. */
static int
load_ledger(struct policy *p, cfg_t *section, const char *file, struct err *e)
{
    CLEANUP(buf_free) struct buf spki = BUF_INIT(PUBLIC_KEY_FILE_MAX);
    CLEANUP(mem_cleanup) char *path = NULL;
    const char *origin;

    if (p->purpose != POLICY_CERTIFICATE_AUTHORITY) {
        return conf_fault(section, NULL, e,
                          "section ledger belongs to section certificate_authority");
    }
    origin = conf_string(section, "origin", e);
    path = origin == NULL ? NULL : conf_path(section, "public_key", e);
    if (path == NULL || read_public_key(path, &spki, e) != 0) {
        return -1;
    }
    if (log_key_set(&p->log, origin, buf_span(&spki), e) != 0) {
        return err_wrap(e, "%s: section ledger", file);
    }
    if (span_equal(buf_span(&spki), buf_span(&p->spki))) {
        return conf_fault(section, "public_key", e, "the log has a key of its own, not this one");
    }
    p->memo = mem_new(sizeof(*p->memo));
    return 0;
}

/* What goes with a purpose, or must. */
static int
load_beside(struct policy *p, cfg_t *cfg, const char *path, struct err *e)
{
    if (cfg_size(cfg, "seal") > 0 && load_seal(p, cfg_getsec(cfg, "seal"), e) != 0) {
        return -1;
    }
    if (cfg_size(cfg, "ledger") > 0) {
        return load_ledger(p, cfg_getsec(cfg, "ledger"), path, e);
    }
    return p->purpose != POLICY_CERTIFICATE_AUTHORITY
               ? 0
               : conf_fault(cfg, NULL, e,
                            "section ledger is missing: it names the log that has what is signed");
}

static int
load_purpose(struct policy *p, cfg_t *cfg, struct err *e)
{
    unsigned int authority = cfg_size(cfg, "certificate_authority");
    unsigned int log = cfg_size(cfg, "log");
    unsigned int cmp = cfg_size(cfg, "cmp");
    unsigned int self_test = cfg_size(cfg, "self_test");

    /* One key, one purpose: a signature for one must never be usable as another's. */
    if (authority + log + cmp + self_test != 1) {
        return conf_fault(cfg, NULL, e,
                          "exactly one of certificate_authority, log, cmp and self_test must be "
                          "there");
    }
    if (authority == 1) {
        return load_authority(p, cfg_getsec(cfg, "certificate_authority"), e);
    }
    if (log == 1) {
        return load_log(p, cfg_getsec(cfg, "log"), e);
    }
    if (cmp == 1) {
        return load_cmp(p, cfg_getsec(cfg, "cmp"), e);
    }
    p->purpose = POLICY_SELF_TEST;
    return 0;
}

static int
dup_string(cfg_t *cfg, const char *option, char **out, struct err *e)
{
    const char *value = conf_string(cfg, option, e);

    if (value == NULL) {
        return -1;
    }
    *out = mem_strdup(value);
    return 0;
}

static int
load_key(struct policy *p, cfg_t *cfg, struct err *e)
{
    CLEANUP(mem_cleanup) char *public_key = NULL;

    if (dup_string(cfg, "module", &p->module, e) != 0 ||
        dup_string(cfg, "token", &p->token, e) != 0 ||
        dup_string(cfg, "serial", &p->serial, e) != 0 ||
        dup_string(cfg, "attributes", &p->attributes, e) != 0 ||
        dup_string(cfg, "credential", &p->credential, e) != 0) {
        return -1;
    }
    if (strchr(p->credential, '/') != NULL) {
        return conf_fault(cfg, "credential", e, "'credential' is a name, not a path");
    }
    if (load_key_id(cfg, p->key_id, e) != 0) {
        return -1;
    }
    if (cfg_getstr(cfg, "module_config") != NULL) {
        p->module_config = conf_path(cfg, "module_config", e);
        if (p->module_config == NULL) {
            return -1;
        }
    }
    public_key = conf_path(cfg, "public_key", e);
    return public_key == NULL ? -1 : load_public_key(p, public_key, e);
}

/* Of a service. Started by a parent nobody else can come, and the parent has the deadline. */
static int
load_service(struct policy *p, cfg_t *cfg, struct err *e)
{
    long deadline = cfg_getint(cfg, "deadline_ms");

    if (deadline < DEADLINE_MIN_MS || deadline > DEADLINE_MAX_MS) {
        return conf_fault(cfg, "deadline_ms", e, "'deadline_ms' must be %d to %d", DEADLINE_MIN_MS,
                          DEADLINE_MAX_MS);
    }
    p->deadline_ms = (int)deadline;
    p->has_client = cfg_getstr(cfg, "client_user") != NULL;
    return p->has_client ? conf_user(cfg, "client_user", 0, &p->client, e) : 0;
}

struct policy *
policy_load(const char *path, struct err *e)
{
    /* libconfuse's type for the defaults of a list is not const. */
    char signature[] = "{digitalSignature}";
    char none[] = "{}";
    cfg_opt_t authority[] = {
        CFG_STR("issuer", NULL, CFGF_NONE),
        CFG_STR_LIST("objects", none, CFGF_NONE),
        CFG_INT("max_validity", 1095, CFGF_NONE),
        CFG_INT("max_crl_validity", 31, CFGF_NONE),
        CFG_STR_LIST("key_usage", signature, CFGF_NONE),
        CFG_BOOL("wildcard", cfg_false, CFGF_NONE),
        CFG_BOOL("no_rev_avail", cfg_false, CFGF_NONE),
        CFG_END(),
    };
    cfg_opt_t log[] = {
        CFG_STR("origin", NULL, CFGF_NONE),
        CFG_STR("anchor", "token", CFGF_NONE),
        CFG_END(),
    };
    cfg_opt_t cmp[] = {
        CFG_STR("sender", NULL, CFGF_NONE),
        CFG_STR_LIST("bodies", none, CFGF_NONE),
        CFG_BOOL("queue_heads", cfg_false, CFGF_NONE),
        CFG_END(),
    };
    cfg_opt_t seal[] = {CFG_STR("key_id", NULL, CFGF_NONE), CFG_END()};
    cfg_opt_t ledger[] = {
        CFG_STR("origin", NULL, CFGF_NONE),
        CFG_STR("public_key", NULL, CFGF_NONE),
        CFG_END(),
    };
    cfg_opt_t self_test[] = {CFG_END()};
    cfg_opt_t options[] = {
        CFG_STR("module", NULL, CFGF_NONE),
        CFG_STR("module_config", NULL, CFGF_NONE),
        CFG_STR("token", NULL, CFGF_NONE),
        CFG_STR("serial", NULL, CFGF_NONE),
        CFG_STR("key_id", NULL, CFGF_NONE),
        CFG_STR("public_key", NULL, CFGF_NONE),
        CFG_STR("attributes", NULL, CFGF_NONE),
        CFG_STR("credential", NULL, CFGF_NONE),
        CFG_STR("journal", NULL, CFGF_NONE),
        CFG_STR("client_user", NULL, CFGF_NONE),
        CFG_INT("deadline_ms", 8000, CFGF_NONE),
        CFG_SEC("certificate_authority", authority, CFGF_NODEFAULT),
        CFG_SEC("log", log, CFGF_NODEFAULT),
        CFG_SEC("cmp", cmp, CFGF_NODEFAULT),
        CFG_SEC("seal", seal, CFGF_NODEFAULT),
        CFG_SEC("ledger", ledger, CFGF_NODEFAULT),
        CFG_SEC("self_test", self_test, CFGF_NODEFAULT),
        CFG_END(),
    };
    CLEANUP(policy_cleanup) struct policy *p = mem_new(sizeof(*p));
    CLEANUP(conf_cleanup) cfg_t *cfg = conf_load(path, options, p->hash, e);

    p->spki = BUF_INIT(SPKI_MAX);
    p->issuer_name = BUF_INIT(NAME_MAX_);
    p->issuer_ski = BUF_INIT(KEY_IDENTIFIER_MAX);
    p->sender_name = BUF_INIT(NAME_MAX_);
    if (cfg == NULL || load_key(p, cfg, e) != 0 || load_purpose(p, cfg, e) != 0 ||
        load_beside(p, cfg, path, e) != 0 || load_service(p, cfg, e) != 0) {
        return NULL;
    }
    if (p->purpose != POLICY_SELF_TEST) {
        p->journal = conf_path(cfg, "journal", e);
        if (p->journal == NULL) {
            return NULL;
        }
    }
    return TAKE(p);
}
