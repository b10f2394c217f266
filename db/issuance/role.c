/* SPDX-License-Identifier: Apache-2.0 */
#include "db/issuance/role.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <string.h>

#include "db/issuance/rows.h"

enum { DER_MAX = 64 * 1024, SERIAL_OCTETS_MAX = 20 };

const char *
issuance_role_name(enum issuance_role role)
{
    switch (role) {
    case ISSUANCE_NOBODY:
        break;
    case ISSUANCE_RA:
        return "ra-cmp";
    case ISSUANCE_REGISTRAR:
        return "registrar";
    case ISSUANCE_OFFICER:
        return "officer";
    }
    return "none";
}

static enum issuance_role
role_of_profile(const char *profile)
{
    for (enum issuance_role r = ISSUANCE_RA; r <= ISSUANCE_OFFICER; r++) {
        if (strcmp(issuance_role_name(r), profile) == 0) {
            return r;
        }
    }
    return ISSUANCE_NOBODY;
}

/* ---- the certificate ---- */

struct element {
    int tag;
    struct span whole;
    struct span content;
};

static bool
take(struct span *rest, struct element *out)
{
    const unsigned char *p = rest->p;
    long length = 0;
    int class = 0;
    int form = rest->n == 0 || rest->n > DER_MAX
                   ? 0x80
                   : ASN1_get_object(&p, &length, &out->tag, &class, (long)rest->n);

    if ((form & 0x80) != 0 || length < 0) {
        ERR_clear_error();
        return false;
    }
    out->content = span_of(p, (size_t)length);
    out->whole = span_of(rest->p, (size_t)(p - rest->p) + (size_t)length);
    *rest = span_of(p + length, rest->n - out->whole.n);
    return true;
}

/* Certificate ::= SEQUENCE { tbsCertificate SEQUENCE { [0] version, serialNumber, ... (RFC 5280
 * 4.1). No more of it is read: what it is stands in the record. */
static bool
certificate_head(struct span der, struct span *tbs, struct span *serial)
{
    struct element certificate;
    struct element inner;
    struct element version;
    struct element number;

    if (!take(&der, &certificate) || der.n > 0 || certificate.tag != V_ASN1_SEQUENCE ||
        !take(&certificate.content, &inner) || inner.tag != V_ASN1_SEQUENCE ||
        !take(&inner.content, &version) || !take(&inner.content, &number) ||
        number.tag != V_ASN1_INTEGER || number.content.n == 0 ||
        number.content.n > SERIAL_OCTETS_MAX) {
        return false;
    }
    *tbs = inner.whole;
    *serial = number.content;
    return true;
}

/* ---- the record ---- */

/* The leaf, when its octets are those that its hash stands for. */
static int
leaf_read(const struct store_rows *rows, struct leaf **out, struct err *e)
{
    struct leaf *leaf = leaf_parse(row_blob(rows, 1), e);

    if (leaf == NULL || !span_equal(span_of(leaf_hash(leaf), LEAF_HASH_SIZE), row_blob(rows, 2))) {
        leaf_free(leaf);
        return err_set(e, ERR_STALE, "leaf %lld is not what its hash says",
                       (long long)row_int(rows, 0));
    }
    *out = leaf;
    return 0;
}

static bool
says(const struct leaf *leaf, const char *member, struct span octets)
{
    CLEANUP(mem_cleanup) char *hex = hex_dup(octets);
    const char *text = leaf_text(leaf, member);

    return text != NULL && strcmp(text, hex) == 0;
}

bool
issuance_serial_of(struct span der, struct span *serial)
{
    struct span tbs;

    return certificate_head(der, &tbs, serial);
}

bool
issuance_tbs_of(struct span der, struct span *tbs)
{
    struct span serial;

    return certificate_head(der, tbs, &serial);
}

/* The first INTENT with this serial number, *leaf NULL when there is none: one that was appended
 * later, to make something else of it, is not looked at. */
static int
intent_find(struct store_db *db, struct span serial, struct leaf **leaf, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;

    *leaf = NULL;
    if (store_query(db, &rows,
                    "SELECT l.idx, unpacked(l.body), l.hash FROM leaf_subject o JOIN leaf l ON "
                    "l.idx = o.idx "
                    "WHERE o.subject = ?1 AND l.kind = 'INTENT' ORDER BY o.idx LIMIT 1",
                    STORE_VALUES(store_blob(serial)), e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    return row ? leaf_read(&rows, leaf, e) : 0;
}

/* *leaf is the caller's to free: NULL for ISSUANCE_NOBODY. */
static int
recorded(struct store_db *db, struct span der, enum issuance_role *role, struct leaf **out,
         struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = NULL;
    uint8_t hash[SHA256_SIZE];
    struct span serial;
    struct span tbs;

    *role = ISSUANCE_NOBODY;
    *out = NULL;
    if (!certificate_head(der, &tbs, &serial)) {
        return 0;
    }
    if (sha256(tbs, hash, e) != 0 || intent_find(db, serial, &leaf, e) != 0) {
        return -1;
    }
    /* A network function's has a registration, whatever its profile is called. */
    if (leaf != NULL && leaf_kind(leaf) == LEAF_INTENT && says(leaf, "serial", serial) &&
        says(leaf, "tbs", span_of(hash, sizeof(hash))) && leaf_text(leaf, "registration") == NULL &&
        leaf_text(leaf, "nfInstanceId") == NULL) {
        *role = role_of_profile(leaf_text(leaf, "profile"));
        *out = *role == ISSUANCE_NOBODY ? NULL : TAKE(leaf);
    }
    return 0;
}

/* ---- the same, from memory ---- */

/* The few that stand for many requests: RAs and registrars. The first INTENT of a serial number
 * stays what it is, and so does its ISSUED: whether it is revoked is not here. */
enum { ROLES = 16 };

struct known {
    uint8_t certificate[SHA256_SIZE];
    uint8_t serial[ISSUANCE_SERIAL_SIZE];
    enum issuance_role role;
    bool is_issued; /* these octets are those of its leaf ISSUED, found by its row */
};

struct roles {
    unsigned next;
    struct known known[ROLES];
};

static const char whose; /* the memory is (store_memory) */

static struct known *
known_by_hash(struct store_db *db, const uint8_t certificate[SHA256_SIZE])
{
    struct roles *roles = store_memory(db, &whose, sizeof(*roles));

    for (size_t i = 0; i < ROLES; i++) {
        struct known *k = &roles->known[i];

        if (k->role != ISSUANCE_NOBODY && memcmp(k->certificate, certificate, SHA256_SIZE) == 0) {
            return k;
        }
    }
    return NULL;
}

static const struct known *
known_by_serial(struct store_db *db, struct span serial)
{
    const struct roles *roles = store_memory(db, &whose, sizeof(*roles));

    for (size_t i = 0; i < ROLES; i++) {
        const struct known *k = &roles->known[i];

        if (k->role != ISSUANCE_NOBODY && k->is_issued &&
            span_equal(span_of(k->serial, sizeof(k->serial)), serial)) {
            return k;
        }
    }
    return NULL;
}

/* *known NULL: it has no role. */
static int
know(struct store_db *db, struct span der, struct known **known, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = NULL;
    struct roles *roles = store_memory(db, &whose, sizeof(*roles));
    struct known new = {0};
    struct span serial;

    if (sha256(der, new.certificate, e) != 0) {
        return -1;
    }
    *known = known_by_hash(db, new.certificate);
    if (*known != NULL) {
        return 0;
    }
    if (recorded(db, der, &new.role, &leaf, e) != 0) {
        return -1;
    }
    if (new.role == ISSUANCE_NOBODY || !issuance_serial_of(der, &serial) ||
        serial.n != sizeof(new.serial)) {
        return 0;
    }
    memcpy(new.serial, serial.p, sizeof(new.serial));
    *known = &roles->known[roles->next];
    **known = new;
    roles->next = (roles->next + 1) % ROLES;
    return 0;
}

int
issuance_role_recorded(struct store_db *db, struct span der, enum issuance_role *role,
                       struct err *e)
{
    struct known *known;

    *role = ISSUANCE_NOBODY;
    if (know(db, der, &known, e) != 0) {
        return -1;
    }
    *role = known == NULL ? ISSUANCE_NOBODY : known->role;
    return 0;
}

/* The same of octets that are those of the leaf. */
static int
role_issued(struct store_db *db, struct span der, enum issuance_role *role, struct err *e)
{
    struct known *known;

    if (know(db, der, &known, e) != 0) {
        return -1;
    }
    *role = known == NULL ? ISSUANCE_NOBODY : known->role;
    if (known != NULL) {
        known->is_issued = true;
    }
    return 0;
}

/* Whatever rows say: the leaves. */
int
issuance_role_before(struct store_db *db, struct span der, uint64_t place, enum issuance_role *role,
                     struct err *e)
{
    struct span serial;
    struct span tbs;
    bool had;

    *role = ISSUANCE_NOBODY;
    if (!certificate_head(der, &tbs, &serial)) {
        return 0;
    }
    if (store_has_row(db,
                      "SELECT 1 FROM leaf_subject o JOIN leaf i ON i.idx = o.idx WHERE o.subject = "
                      "?1 AND i.kind = 'ISSUED' AND i.idx < ?2 AND NOT EXISTS (SELECT 1 FROM "
                      "leaf_subject p JOIN leaf r ON r.idx = p.idx WHERE p.subject = ?1 AND r.kind "
                      "= 'REVOKED' AND r.idx < ?2)",
                      STORE_VALUES(store_blob(serial), store_int((int64_t)place)), &had, e) != 0) {
        return -1;
    }
    return had ? issuance_role_recorded(db, der, role, e) : 0;
}

int
issuance_role_of_serial(struct store_db *db, struct span serial, enum issuance_role *role,
                        struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    const struct known *known = known_by_serial(db, serial);
    bool row;

    *role = known == NULL ? ISSUANCE_NOBODY : known->role;
    if (known != NULL) {
        return 0;
    }
    if (store_query(db, &rows,
                    "SELECT " ISSUANCE_DER " FROM request q JOIN " ISSUANCE_CERTIFICATE
                    "JOIN " ISSUANCE_ISSUED_LEAF "WHERE q.serial = ?1",
                    STORE_VALUES(store_blob(serial)), e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    return row ? role_issued(db, row_blob(&rows, 0), role, e) : 0;
}

/* Is there a row, live, and is this what its leaf has? */
static int
is_issued(struct store_db *db, struct span der, struct span serial, bool *is, struct err *e)
{
    uint8_t certificate[SHA256_SIZE];
    const struct known *known;

    if (sha256(der, certificate, e) != 0) {
        return -1;
    }
    known = known_by_hash(db, certificate);
    return known != NULL && known->is_issued
               ? store_has_row(db,
                               "SELECT 1 FROM request q JOIN " ISSUANCE_CERTIFICATE
                               "WHERE q.serial = ?1 AND c.revoked IS NULL",
                               STORE_VALUES(store_blob(serial)), is, e)
               : store_has_row(db,
                               "SELECT 1 FROM request q JOIN " ISSUANCE_CERTIFICATE
                               "JOIN " ISSUANCE_ISSUED_LEAF "WHERE q.serial = ?1 AND " ISSUANCE_DER
                               " = ?2 AND c.revoked IS NULL",
                               STORE_VALUES(store_blob(serial), store_blob(der)), is, e);
}

int
issuance_role_of(struct store_db *db, struct span der, enum issuance_role *role, struct err *e)
{
    struct span serial;
    bool row;

    *role = ISSUANCE_NOBODY;
    if (!issuance_serial_of(der, &serial)) {
        return 0;
    }
    if (is_issued(db, der, serial, &row, e) != 0) {
        return -1;
    }
    return row ? role_issued(db, der, role, e) : 0;
}

/* ---- by hash ---- */

/* RFC 5280 4.1.2.5: both ends belong to it. */
static int
check_validity(const struct leaf *leaf, time_t now, enum issuance_role *role, struct err *e)
{
    time_t from;
    time_t to;

    if (leaf == NULL) {
        return 0;
    }
    if (time_parse(leaf_text(leaf, "notBefore"), &from, e) != 0 ||
        time_parse(leaf_text(leaf, "notAfter"), &to, e) != 0) {
        return -1;
    }
    *role = from <= now && now <= to ? *role : ISSUANCE_NOBODY;
    return 0;
}

int
issuance_role_find(struct store_db *db, struct span wanted, time_t now, enum issuance_role *role,
                   struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row = true;

    *role = ISSUANCE_NOBODY;
    if (store_query(db, &rows,
                    "SELECT " ISSUANCE_DER " FROM certificate c JOIN " ISSUANCE_ISSUED_LEAF
                    "WHERE c.nf_instance IS NULL AND "
                    "c.not_after >= ?1 AND c.revoked IS NULL",
                    STORE_VALUES(store_int(now)), e) != 0) {
        return -1;
    }
    while (store_next(&rows, &row, e) == 0) {
        CLEANUP(leaf_cleanup) struct leaf *leaf = NULL;
        uint8_t hash[SHA256_SIZE];

        if (!row) {
            return 0;
        }
        if (sha256(row_blob(&rows, 0), hash, e) != 0) {
            return -1;
        }
        if (span_equal(span_of(hash, sizeof(hash)), wanted)) {
            return recorded(db, row_blob(&rows, 0), role, &leaf, e) != 0
                       ? -1
                       : check_validity(leaf, now, role, e);
        }
    }
    return -1;
}
