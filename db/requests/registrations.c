/* SPDX-License-Identifier: Apache-2.0 */
/* The table of registrations: written by nfpki-ractl's commands, read by every first message. */
#include "db/requests/requests.h"

#include <string.h>

#include "base/ossl.h"

enum { REGISTRATION_COLUMN_MAX = 32 * 1024, SEALED_MAX = 256 };

static struct store_value
blob_or_null(struct span bytes)
{
    return bytes.n == 0 ? store_null() : store_blob(bytes);
}

void
requests_registration_clear(struct requests_registration *r)
{
    buf_free(&r->cms);
    buf_free(&r->json);
    buf_free(&r->sealed);
    buf_free(&r->fingerprint);
    buf_free(&r->public_key);
    mem_free(r->issuer);
    mem_free(r->subject);
    memset(r, 0, sizeof(*r));
}

int
requests_register(struct store_db *db, const struct requests_registration *r, struct err *e)
{
    if (store_exec(db, "INSERT INTO signed (cms, json) VALUES (?, ?)",
                   STORE_VALUES(store_blob(buf_span(&r->cms)), store_blob(buf_span(&r->json))),
                   e) != 0) {
        return -1;
    }
    return store_exec(
        db,
        "INSERT INTO registration (id, signed, nf_instance, proof, reference, sealed, fingerprint, "
        "issuer, subject, not_after, certificates, registered, public_key) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        STORE_VALUES(store_text(r->id), store_int(store_last_id(db)), store_text(r->nf_instance),
                     store_int(r->proof), store_text(r->reference[0] != '\0' ? r->reference : NULL),
                     blob_or_null(buf_span(&r->sealed)), blob_or_null(buf_span(&r->fingerprint)),
                     store_text(r->issuer), store_text(r->subject), store_int(r->not_after),
                     store_int(r->certificates), store_int(r->registered),
                     blob_or_null(buf_span(&r->public_key))),
        e);
}

#define REGISTRATION_COLUMNS                                                                       \
    "id, nf_instance, cms, json, proof, reference, sealed, fingerprint, issuer, subject, "         \
    "not_after, certificates, used, cancelled, registered, public_key"

static int
registration_read(const struct store_rows *rows, struct requests_registration *out, struct err *e)
{
    requests_registration_clear(out);
    row_copy_text(rows, 0, out->id, sizeof(out->id));
    row_copy_text(rows, 1, out->nf_instance, sizeof(out->nf_instance));
    out->proof = (int)row_int(rows, 4);
    row_copy_text(rows, 5, out->reference, sizeof(out->reference));
    out->issuer = row_is_null(rows, 8) ? NULL : mem_strdup(row_text(rows, 8));
    out->subject = row_is_null(rows, 9) ? NULL : mem_strdup(row_text(rows, 9));
    out->not_after = row_int(rows, 10);
    out->certificates = (int)row_int(rows, 11);
    out->used = (int)row_int(rows, 12);
    out->cancelled = row_int(rows, 13) != 0;
    out->registered = row_int(rows, 14);
    if (row_copy_blob(rows, 2, REGISTRATION_COLUMN_MAX, &out->cms, e) != 0 ||
        row_copy_blob(rows, 3, REGISTRATION_COLUMN_MAX, &out->json, e) != 0 ||
        row_copy_blob(rows, 6, SEALED_MAX, &out->sealed, e) != 0 ||
        row_copy_blob(rows, 7, SHA256_SIZE, &out->fingerprint, e) != 0 ||
        row_copy_blob(rows, 15, SHA256_SIZE, &out->public_key, e) != 0) {
        return err_wrap(e, "registration %s", out->id);
    }
    return 0;
}

/* `sql` gives the columns of at most one. */
static int
registration_find(struct store_db *db, const char *sql, const struct store_value *values, size_t n,
                  struct requests_registration *out, bool *found, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    *found = false;
    if (store_query(db, &rows, sql, values, n, e) != 0 || store_next(&rows, found, e) != 0) {
        return -1;
    }
    return *found ? registration_read(&rows, out, e) : 0;
}

#define FIND                                                                                       \
    "SELECT " REGISTRATION_COLUMNS                                                                 \
    " FROM registration g LEFT JOIN signed ON signed.number = g.signed "

int
requests_registration_by_reference(struct store_db *db, struct span reference,
                                   struct requests_registration *out, bool *found, struct err *e)
{
    *found = false;
    if (reference.n == 0 || reference.n >= REQUESTS_REFERENCE_SIZE) {
        return 0; /* none of ours */
    }
    return registration_find(db, FIND "WHERE reference = CAST(? AS TEXT)",
                             STORE_VALUES(store_blob(reference)), out, found, e);
}

int
requests_registration_by_id(struct store_db *db, const char *id, struct requests_registration *out,
                            bool *found, struct err *e)
{
    return registration_find(db, FIND "WHERE id = ?", STORE_VALUES(store_text(id)), out, found, e);
}

int
requests_registration_by_signer(struct store_db *db, const struct requests_signer *signer,
                                struct requests_registration *out, bool *found, struct err *e)
{
    return registration_find(
        db,
        FIND
        "WHERE fingerprint = ?1 OR public_key = ?2 OR (issuer = ?3 AND subject = ?4) "
        "ORDER BY cancelled, used >= certificates, fingerprint IS NULL AND public_key IS NULL, "
        "registered DESC LIMIT 1",
        STORE_VALUES(store_blob(signer->fingerprint), store_blob(signer->public_key),
                     store_text(signer->issuer), store_text(signer->subject)),
        out, found, e);
}

int
requests_registration_proven(struct store_db *db, const struct requests_registration *r,
                             int64_t now, char other[REQUESTS_ID_SIZE], bool *found, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    *found = false;
    if (store_query(db, &rows,
                    "SELECT id FROM registration r WHERE (fingerprint = ?1 OR public_key = ?2 "
                    "OR (issuer = ?3 AND subject = ?4)) AND nf_instance <> ?5 AND cancelled = 0 "
                    "AND not_after >= ?6 AND NOT EXISTS (SELECT 1 FROM registration n "
                    "WHERE n.nf_instance = r.nf_instance AND n.rowid > r.rowid) LIMIT 1",
                    STORE_VALUES(blob_or_null(buf_span(&r->fingerprint)),
                                 blob_or_null(buf_span(&r->public_key)), store_text(r->issuer),
                                 store_text(r->subject), store_text(r->nf_instance),
                                 store_int(now)),
                    e) != 0 ||
        store_next(&rows, found, e) != 0) {
        return -1;
    }
    if (*found) {
        row_copy_text(&rows, 0, other, REQUESTS_ID_SIZE);
    }
    return 0;
}

const char *
requests_standing_name(enum requests_standing standing)
{
    static const char *const names[] = {[REQUESTS_OPEN] = "open",
                                        [REQUESTS_USED] = "used",
                                        [REQUESTS_EXPIRED] = "expired",
                                        [REQUESTS_CANCELLED] = "cancelled"};

    return names[standing];
}

enum requests_standing
requests_registration_standing(const struct requests_registration *r, int64_t now)
{
    if (r->cancelled) {
        return REQUESTS_CANCELLED;
    }
    if (r->not_after < now) {
        return REQUESTS_EXPIRED;
    }
    return r->used >= r->certificates ? REQUESTS_USED : REQUESTS_OPEN;
}

/* As requests_registration_standing() has it. */
#define STANDING                                                                                   \
    "CASE WHEN cancelled THEN 4 WHEN not_after < ?2 THEN 3 WHEN used >= certificates THEN 2 "      \
    "ELSE 1 END"
_Static_assert(REQUESTS_OPEN == 1 && REQUESTS_USED == 2 && REQUESTS_EXPIRED == 3 &&
                   REQUESTS_CANCELLED == 4,
               "the numbers in STANDING");

static int
begin_page(struct store_db *db, const struct requests_filter *f, struct store_rows *rows,
           struct err *e)
{
    CLEANUP(store_end) struct store_rows before = {0};
    bool there = true;

    if (f->after[0] != '\0' && (store_query(db, &before, "SELECT 1 FROM registration WHERE id = ?",
                                            STORE_VALUES(store_text(f->after)), e) != 0 ||
                                store_next(&before, &there, e) != 0)) {
        return -1;
    }
    if (!there) {
        return err_set(e, ERR_NOTFOUND, "no registration %s to begin behind", f->after);
    }
    return store_query(
        db, rows,
        "SELECT id, nf_instance, x'', x'', proof, reference, sealed, fingerprint, issuer, subject, "
        "not_after, certificates, used, cancelled, registered, public_key FROM registration "
        "WHERE (?1 = 0 OR ?1 = " STANDING ") AND (?3 = '' OR nf_instance = ?3) "
        "AND (?4 = '' OR (registered, id) < ((SELECT registered FROM registration WHERE id = ?4), "
        "?4)) ORDER BY registered DESC, id DESC LIMIT ?5",
        STORE_VALUES(store_int((int64_t)f->standing), store_int(f->now), store_text(f->nf_instance),
                     store_text(f->after), store_int(f->limit)),
        e);
}

int
requests_registration_by_instance(struct store_db *db, const char *nf_instance,
                                  struct requests_registration *out, bool *found, struct err *e)
{
    return registration_find(db,
                             FIND "WHERE nf_instance = ? ORDER BY cancelled, g.rowid DESC LIMIT 1",
                             STORE_VALUES(store_text(nf_instance)), out, found, e);
}

int
requests_registration_each(struct store_db *db, const struct requests_filter *filter,
                           void (*visit)(void *arg, const struct requests_registration *),
                           void *arg, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    CLEANUP(requests_registration_clear) struct requests_registration r = {0};
    bool row = false;

    if (begin_page(db, filter, &rows, e) != 0 || store_next(&rows, &row, e) != 0) {
        return -1;
    }
    while (row) {
        if (registration_read(&rows, &r, e) != 0) {
            return -1;
        }
        visit(arg, &r);
        if (store_next(&rows, &row, e) != 0) {
            return -1;
        }
    }
    return 0;
}

/* The first one behind `after`; *found is false at the end. */
static int
next_sealed(struct store_db *db, const char *after, char id[REQUESTS_ID_SIZE], struct buf *sealed,
            bool *found, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query(db, &rows,
                    "SELECT id, sealed FROM registration WHERE sealed IS NOT NULL AND id > ? "
                    "ORDER BY id LIMIT 1",
                    STORE_VALUES(store_text(after)), e) != 0 ||
        store_next(&rows, found, e) != 0) {
        return -1;
    }
    if (!*found) {
        return 0;
    }
    row_copy_text(&rows, 0, id, REQUESTS_ID_SIZE);
    return row_copy_blob(&rows, 1, SEALED_MAX, sealed, e);
}

int
requests_reseal(struct store_db *db, int limit, requests_convert *convert, void *arg, struct err *e)
{
    char after[REQUESTS_ID_SIZE] = "";
    bool found = true;

    for (int n = 0; found && (limit == 0 || n < limit); n++) {
        CLEANUP(buf_free) struct buf sealed = {0};
        CLEANUP(buf_free) struct buf again = BUF_INIT(SEALED_MAX);
        char id[REQUESTS_ID_SIZE];
        bool changed = false;

        if (next_sealed(db, after, id, &sealed, &found, e) != 0) {
            return -1;
        }
        if (!found) {
            break;
        }
        if (convert(arg, id, buf_span(&sealed), &again, &changed, e) != 0 ||
            (changed &&
             store_exec(db, "UPDATE registration SET sealed = ?2 WHERE id = ?1",
                        STORE_VALUES(store_text(id), store_blob(buf_span(&again))), e) != 0)) {
            return -1;
        }
        (void)memcpy(after, id, sizeof(after));
    }
    return 0;
}
