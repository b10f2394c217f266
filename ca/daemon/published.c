/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/daemon/published.h"

#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/ossl.h"
#include "ca/x509/tbs/crl.h"
#include "db/issuance/listed.h"

enum { ENVELOPE = 1024 }; /* around a TBSCertList */

void
published_crl_free(struct published_crl *p)
{
    mem_free(p->path);
    X509_CRL_free(p->crl);
    *p = (struct published_crl){0};
}

char *
published_crl_path(const struct ca_conf *conf)
{
    return mem_printf("%s/issuing.crl", conf->crl_dir);
}

static int
read_number(const X509_CRL *crl, uint64_t *number)
{
    CLEANUP(asn1_integer_cleanup)
    ASN1_INTEGER *value = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);

    return value != NULL && ASN1_INTEGER_get_uint64(number, value) == 1 && *number > 0 &&
                   *number <= INT64_MAX
               ? 0
               : -1;
}

int
published_crl_read(const struct ca_conf *conf, X509 *issuing, struct published_crl *out,
                   struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(CRL_TBS_MAX + ENVELOPE);
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = NULL;
    const unsigned char *p;

    out->path = published_crl_path(conf);
    out->number = 0;
    if (file_read(out->path, &der, e) != 0) {
        return e->code == ERR_NOTFOUND ? 0 : err_wrap(e, "the CRL that is out");
    }
    p = der.p;
    crl = d2i_X509_CRL(NULL, &p, (long)der.n);
    if (crl == NULL || p != der.p + der.n || read_number(crl, &out->number) != 0 ||
        X509_CRL_verify(crl, X509_get0_pubkey(issuing)) != 1) {
        return ossl_err(
            e, ERR_CONFLICT,
            "%s: not a CRL that %s signed: if no other CA publishes there, move it away", out->path,
            conf->issuing_certificate);
    }
    out->crl = TAKE(crl);
    return sha256(buf_span(&der), out->sha256, e);
}

int
published_crl_check(const struct published_crl *p, struct store_db *db, struct err *e)
{
    struct issuance_crl_stored stored = {0};

    if (p->number == 0) {
        return 0;
    }
    if (db != NULL && issuance_crl_find(db, p->number, &stored, e) != 0) {
        return -1;
    }
    if (p->number > stored.newest) {
        return err_set(e, ERR_STALE,
                       "ca.db is older than the CRL that is out: %s has number %" PRIu64
                       ", ca.db ends at %" PRIu64 ": put back the newest ca.db, nfpki-ca(8)",
                       p->path, p->number, stored.newest);
    }
    if (!stored.found || memcmp(stored.sha256, p->sha256, sizeof(p->sha256)) != 0) {
        return err_set(
            e, ERR_STALE,
            "ca.db has another history than the CRL that is out: %s has number %" PRIu64
            ", and ca.db another CRL with it, or none: do not start with it, nfpki-ca(8)",
            p->path, p->number);
    }
    return 0;
}

/* ---- all of it ---- */

/* What the record says, beside what the CRL has: both ascending. */
struct matching {
    const struct published_crl *out;
    void (*differs)(void *arg, const char *what);
    void *arg;
    STACK_OF(X509_REVOKED) * list; /* borrowed; NULL: none */
    int at;
};

static void
say(struct matching *m, struct span serial, const char *what)
{
    CLEANUP(mem_cleanup) char *hex = hex_dup(serial);
    CLEANUP(mem_cleanup)
    char *text = mem_printf("the CRL that is out, %s, number %" PRIu64 ": serial %s %s",
                            m->out->path, m->out->number, hex, what);

    m->differs(m->arg, text);
}

static struct span
serial_of(const X509_REVOKED *entry)
{
    const ASN1_INTEGER *serial = X509_REVOKED_get0_serialNumber(entry);

    return span_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial));
}

/* Shorter ones first. */
static int
compare_serials(struct span a, struct span b)
{
    return a.n != b.n ? (a.n < b.n ? -1 : 1) : a.n == 0 ? 0 : memcmp(a.p, b.p, a.n);
}

static bool
is_dated(const X509_REVOKED *entry, time_t date)
{
    return ASN1_TIME_cmp_time_t(X509_REVOKED_get0_revocationDate(entry), date) == 0;
}

/* RFC 5280 5.3.1: no reason is written as none. */
static int
reason_of(const X509_REVOKED *entry)
{
    ASN1_ENUMERATED *value = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
    const int reason = value == NULL ? CRL_UNSPECIFIED : (int)ASN1_ENUMERATED_get(value);

    ASN1_ENUMERATED_free(value);
    return reason;
}

/* The next of the CRL that is not before this one; NULL: there is none. */
static const X509_REVOKED *
advance(struct matching *m, const struct span *serial)
{
    while (m->list != NULL && m->at < sk_X509_REVOKED_num(m->list)) {
        const X509_REVOKED *entry = sk_X509_REVOKED_value(m->list, m->at);

        if (serial != NULL && compare_serials(serial_of(entry), *serial) >= 0) {
            return entry;
        }
        say(m, serial_of(entry), "is on it, and the record does not say so");
        m->at++;
    }
    return NULL;
}

static void
match(void *arg, struct span serial, time_t date, int reason)
{
    struct matching *m = arg;
    const X509_REVOKED *entry = advance(m, &serial);

    if (entry == NULL || compare_serials(serial_of(entry), serial) != 0) {
        say(m, serial, "is revoked, as the record says, and not on it");
        return;
    }
    if (!is_dated(entry, date) || reason_of(entry) != reason) {
        say(m, serial, "has another date or reason than the record says");
    }
    m->at++;
}

static int
match_all(const struct published_crl *p, struct store_db *db,
          void (*differs)(void *arg, const char *what), void *arg, struct err *e)
{
    struct matching m = {
        .out = p, .differs = differs, .arg = arg, .list = X509_CRL_get_REVOKED(p->crl)};
    bool announced;

    if (issuance_listed_each(db, p->number, match, &m, &announced, e) != 0) {
        return -1;
    }
    if (announced) {
        (void)advance(&m, NULL);
    }
    return 0;
}

int
published_crl_verify(const struct published_crl *p, struct store_db *db,
                     void (*differs)(void *arg, const char *what), void *arg, struct err *e)
{
    struct issuance_crl_stored stored = {0};
    struct err why = {0};

    if (issuance_crl_find(db, p->number, &stored, e) != 0) {
        return -1;
    }
    if (published_crl_check(p, db, &why) != 0) {
        differs(arg, why.text);
        return 0; /* of another state: its entries are, too */
    }
    if (p->number == 0 && stored.newest > 0) {
        CLEANUP(mem_cleanup)
        char *text =
            mem_printf("%s: there is none, and ca.db has number %" PRIu64, p->path, stored.newest);

        differs(arg, text);
    } else if (p->number < stored.newest) {
        CLEANUP(mem_cleanup)
        char *text = mem_printf("the CRL that is out, %s, has number %" PRIu64
                                ", and ca.db has %" PRIu64 ": it was put back, or nfpki-ca was "
                                "killed before it wrote it; a start makes the next",
                                p->path, p->number, stored.newest);

        differs(arg, text);
    }
    return p->number == 0 ? 0 : match_all(p, db, differs, arg, e);
}
