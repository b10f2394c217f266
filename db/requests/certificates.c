/* SPDX-License-Identifier: Apache-2.0 */
/* The table of certificates that were delivered. */
#include "db/requests/requests.h"

#include <string.h>

#include "base/ossl.h"

static int
certificate_find(struct store_db *db, const char *sql, struct span key,
                 struct requests_certificate *out, bool *found, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    memset(out, 0, sizeof(*out));
    if (store_query(db, &rows, sql, STORE_VALUES(store_blob(key)), e) != 0 ||
        store_next(&rows, found, e) != 0) {
        return -1;
    }
    if (!*found) {
        return 0;
    }
    if (row_copy_octets(&rows, 0, out->fingerprint, sizeof(out->fingerprint), e) != 0) {
        return -1;
    }
    out->serial_size = row_blob(&rows, 1).n;
    if (out->serial_size > sizeof(out->serial)) {
        return err_set(e, ERR_STORE, "certificate: a serial number of %zu octets",
                       out->serial_size);
    }
    memcpy(out->serial, row_blob(&rows, 1).p, out->serial_size);
    row_copy_text(&rows, 2, out->registration, sizeof(out->registration));
    row_copy_text(&rows, 3, out->profile, sizeof(out->profile));
    out->not_after = row_int(&rows, 4);
    out->revoked = row_int(&rows, 5) != 0;
    return 0;
}

#define COLUMNS                                                                                    \
    "SELECT c.fingerprint, serial, registration, profile, c.not_after, revoked OR closed FROM "    \
    "certificate c JOIN registration g ON g.id = c.registration "

int
requests_certificate_find(struct store_db *db, struct span fingerprint,
                          struct requests_certificate *out, bool *found, struct err *e)
{
    return certificate_find(db, COLUMNS "WHERE c.fingerprint = ?", fingerprint, out, found, e);
}

int
requests_certificate_by_serial(struct store_db *db, struct span serial,
                               struct requests_certificate *out, bool *found, struct err *e)
{
    return certificate_find(db, COLUMNS "WHERE serial = ?", serial, out, found, e);
}

int
requests_certificate_revoked(struct store_db *db, struct span fingerprint, struct err *e)
{
    return store_exec(db, "UPDATE certificate SET revoked = 1 WHERE fingerprint = ?",
                      STORE_VALUES(store_blob(fingerprint)), e);
}

/* The fingerprint in "cert:<hex>"; false for another identity. */
static bool
fingerprint_of(const char *identity, uint8_t out[SHA256_SIZE])
{
    static const char prefix[] = "cert:";
    struct err e;

    return strncmp(identity, prefix, sizeof(prefix) - 1) == 0 &&
           hex_parse(identity + sizeof(prefix) - 1, out, SHA256_SIZE, &e) == 0;
}

int
requests_signer_revoked(struct store_db *db, const struct requests_asked *asked, struct err *e)
{
    uint8_t fingerprint[SHA256_SIZE];

    return fingerprint_of(asked->identity, fingerprint)
               ? requests_certificate_revoked(db, span_of(fingerprint, sizeof(fingerprint)), e)
               : 0;
}

/* ---- all of them ---- */

static int
is_revoked(struct store_db *db, struct span der, bool *revoked, struct err *e)
{
    struct requests_certificate c;
    uint8_t fingerprint[SHA256_SIZE];
    bool found;

    if (sha256(der, fingerprint, e) != 0 ||
        requests_certificate_find(db, span_of(fingerprint, sizeof(fingerprint)), &c, &found, e) !=
            0) {
        return -1;
    }
    *revoked = found && c.revoked;
    return 0;
}

int
requests_held_each(struct store_db *db, int64_t after, int limit,
                   void (*visit)(void *arg, const struct requests_held *), void *arg, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;

    if (store_query(db, &rows,
                    "SELECT id, certificate, registration, profile, coalesce(accepted, 1) FROM "
                    "issued JOIN enrolment ON id = issued.enrolment WHERE issued.enrolment > ?1 "
                    "ORDER BY issued.enrolment LIMIT ?2",
                    STORE_VALUES(store_int(after), store_int(limit)), e) != 0) {
        return -1;
    }
    while (store_next(&rows, &row, e) == 0) {
        struct requests_held h;

        if (!row) {
            return 0;
        }
        h = (struct requests_held){.id = row_int(&rows, 0),
                                   .der = row_blob(&rows, 1),
                                   .registration = row_text(&rows, 2),
                                   .profile = row_text(&rows, 3)};
        if (is_revoked(db, h.der, &h.revoked, e) != 0) {
            return -1;
        }
        h.revoked = h.revoked || row_int(&rows, 4) == 0;
        visit(arg, &h);
    }
    return -1;
}
