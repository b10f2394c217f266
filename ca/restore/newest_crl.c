/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/restore/newest_crl.h"

#include "base/file.h"
#include "ca/trust/crl_file.h"
#include "db/issuance/rebuild/restored.h"

void
newest_crl_free(struct newest_crl *c)
{
    buf_free(&c->der);
    X509_CRL_free(c->crl);
    c->crl = NULL;
}

static int
read_number(struct newest_crl *c, struct err *e)
{
    CLEANUP(asn1_integer_cleanup)
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(c->crl, NID_crl_number, NULL, NULL);

    return number != NULL && ASN1_INTEGER_get_uint64(&c->number, number) == 1
               ? 0
               : ossl_err(e, ERR_CRYPTO, "a CRL without a number");
}

int
newest_crl_read(const struct ca *ca, struct newest_crl *out, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/issuing.crl", ca->conf.crl_dir);
    const unsigned char *p;

    out->der = BUF_INIT(CRL_FILE_MAX);
    if (file_read(path, &out->der, e) != 0) {
        return e->code == ERR_NOTFOUND ? 0 : -1;
    }
    p = out->der.p;
    out->crl = d2i_X509_CRL(NULL, &p, (long)out->der.n);
    if (out->crl == NULL || p != out->der.p + out->der.n ||
        X509_CRL_verify(out->crl, ca->policy.issuing_key) != 1) {
        return ossl_err(e, ERR_CRYPTO, "%s: not a CRL that the issuing key signed", path);
    }
    return read_number(out, e) != 0 || sha256(buf_span(&out->der), out->hash, e) != 0
               ? err_wrap(e, "%s", path)
               : 0;
}

/* An entry that is not revoked in the record. */
struct missing {
    X509_REVOKED *entry;
    struct span serial;
    bool known; /* the record has this number */
};
typedef int visit_missing(void *arg, struct store_db *, const struct missing *, struct err *);

static int
each_missing(const struct newest_crl *c, struct store_db *db, visit_missing *visit, void *arg,
             struct err *e)
{
    STACK_OF(X509_REVOKED) *all = c->crl == NULL ? NULL : X509_CRL_get_REVOKED(c->crl);

    for (int i = 0; i < sk_X509_REVOKED_num(all); i++) {
        struct missing m = {.entry = sk_X509_REVOKED_value(all, i)};
        const ASN1_INTEGER *serial = X509_REVOKED_get0_serialNumber(m.entry);
        bool revoked;

        m.serial = span_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial));
        if (restored_crl_entry(db, m.serial, &m.known, &revoked, e) != 0 ||
            (!revoked && visit(arg, db, &m, e) != 0)) {
            return -1;
        }
    }
    return 0;
}

struct counting {
    const struct adoption *adoption;
    int64_t n, unknown;
};

static int
count(void *arg, struct store_db *db, const struct missing *m, struct err *e)
{
    struct counting *counting = arg;

    (void)db;
    (void)e;
    counting->n++;
    counting->unknown += m->known || adoption_has(counting->adoption, m->serial) ? 0 : 1;
    return 0;
}

int
newest_crl_missing(const struct newest_crl *c, struct store_db *db, const struct adoption *adoption,
                   int64_t *n, int64_t *unknown, struct err *e)
{
    struct counting counting = {.adoption = adoption};

    if (each_missing(c, db, count, &counting, e) != 0) {
        return -1;
    }
    *n = counting.n;
    *unknown = counting.unknown;
    return 0;
}

/* RFC 5280 5.3.1: without a reason it is unspecified. */
static int
reason_of(X509_REVOKED *one)
{
    ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(one, NID_crl_reason, NULL, NULL);
    const int value = reason == NULL ? 0 : (int)ASN1_ENUMERATED_get(reason);

    ASN1_ENUMERATED_free(reason);
    return value;
}

struct revoking {
    struct rebuild *rebuild;
    struct issuance_when when;
    time_t not_after; /* of the issuing certificate: nothing of ours is good longer */
};

static int
revoke(void *arg, struct store_db *db, const struct missing *m, struct err *e)
{
    const struct revoking *v = arg;
    const struct restored_certificate unknown = {.serial = m->serial,
                                                 .tbs = span_of("", 0),
                                                 .not_before = v->when.now,
                                                 .not_after = v->not_after,
                                                 .reason = reason_of(m->entry),
                                                 .when = v->when};

    return m->known ? restored_revoke(db, m->serial, reason_of(m->entry), v->when, e)
                    : restored_adopt(db, v->rebuild, &unknown, e);
}

static int
time_of(const ASN1_TIME *text, time_t *out, struct err *e)
{
    struct tm tm;

    if (text == NULL || ASN1_TIME_to_tm(text, &tm) != 1) {
        return ossl_err(e, ERR_CRYPTO, "a CRL without its times");
    }
    *out = timegm(&tm);
    return 0;
}

int
newest_crl_take(const struct newest_crl *c, struct store_db *db, struct rebuild *rebuild,
                time_t not_after, struct issuance_when when, struct err *e)
{
    struct revoking revoking = {.rebuild = rebuild, .when = when, .not_after = not_after};
    struct restored_crl known = {.number = c->number, .sha256 = span_of(c->hash, sizeof(c->hash))};

    if (c->crl == NULL) {
        return 0;
    }
    return each_missing(c, db, revoke, &revoking, e) != 0 ||
                   time_of(X509_CRL_get0_lastUpdate(c->crl), &known.this_update, e) != 0 ||
                   time_of(X509_CRL_get0_nextUpdate(c->crl), &known.next_update, e) != 0
               ? -1
               : restored_crl_known(db, &known, e);
}
