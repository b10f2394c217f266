/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/daemon/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/tlog/checkpoint.h"
#include "ca/daemon/published.h"
#include "ca/daemon/record.h"
#include "ca/daemon/seals.h"
#include "db/issuance/journal.h"
#include "db/issuance/scrub.h"
#include "db/store/schema.h"

enum { SHOWN_MAX = 20, VKEY_MAX = 4096 };

struct verifying {
    struct ca *ca;
    struct ledger_signed last;
    bool has_last;
    bool has_key;  /* the log's signer was asked for the one that seals */
    bool was_read; /* to its end */
    bool left_out; /* something was */
    uint64_t differences;
    struct issuance_figures figures;
    struct published_crl crl;
    bool has_crl; /* it could be read, or is not there */
};

static void
differs(void *arg, const char *what)
{
    struct verifying *v = arg;

    v->differences++;
    if (v->differences <= SHOWN_MAX) {
        (void)printf("difference: %s\n", what);
    } else if (v->differences == SHOWN_MAX + 1) {
        (void)printf("difference: there are more\n");
    }
}

static int
check_file(struct verifying *v, struct store_db *db, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row = true;

    if (store_query(db, &rows, "PRAGMA integrity_check", STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    while (store_next(&rows, &row, e) == 0) {
        if (!row) {
            return 0;
        }
        if (strcmp(row_text(&rows, 0), "ok") != 0) {
            CLEANUP(mem_cleanup) char *what = mem_printf("file: %s", row_text(&rows, 0));

            differs(v, what);
        }
    }
    return -1;
}

static void
left_out(struct verifying *v, const char *what, const char *why)
{
    (void)printf("not compared: %s: %s\n", what, why);
    v->left_out = true;
}

/* Each of them comes with what is read. */
static void
check_seals(struct verifying *v, struct store_db *db)
{
    struct err why = {0};

    if (ca_seals_check(v->ca, db, &why) != 0) {
        differs(v, why.text);
    } else if (store_seal_state(db) != STORE_SEALED) {
        (void)printf("pages are not sealed\n");
    }
}

/* The file first, then what its tables are, then what is in them: what cannot be read is no use to
 * the next. */
static int
verify(void *arg, struct store_db *db, struct err *e)
{
    static const struct store_migration *const schemas[STORE_SCHEMAS_MAX] = {ledger_migrations,
                                                                             issuance_migrations};
    struct verifying *v = arg;
    struct err why = {0};

    if (check_file(v, db, e) != 0 || store_check_schema(db, schemas, differs, v, e) != 0) {
        return -1;
    }
    if (v->ca->ledger != NULL &&
        ledger_check(v->ca->ledger, db, v->has_last ? &v->last : NULL, true, &why) != 0) {
        differs(v, why.text);
    }
    if (v->has_key) {
        check_seals(v, db);
    }
    if (issuance_verify(db, differs, v, &v->figures, e) != 0 ||
        issuance_journal_verify(db, differs, v, e) != 0 ||
        (v->has_crl && published_crl_verify(&v->crl, db, differs, v, e) != 0)) {
        return -1;
    }
    v->was_read = true;
    return err_set(e, ERR_DENIED, "it was only read"); /* so that nothing is changed */
}

/* ---- what the record was signed with ---- */

/* The log's key without its token: what lies in the folder of the ledger is its word alone. */
static int
read_key(const struct ca *ca, struct log_key *key, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/log.vkey", ca->conf.ledger_dir);
    CLEANUP(buf_free) struct buf text = BUF_INIT(VKEY_MAX);

    return file_read(path, &text, e) != 0 ? -1 : log_key_parse(key, buf_span(&text), e);
}

static int
new_ledger(struct ca *ca, struct span spki, struct err *e)
{
    const struct ledger_options options = {
        .dir = ca->conf.ledger_dir, .origin = ca->conf.log_origin, .spki = spki};

    ca->ledger = ledger_new(&options, e);
    return ca->ledger == NULL ? -1 : 0;
}

static void
find_ledger(struct verifying *v)
{
    CLEANUP(log_key_free) struct log_key key = {0};
    struct ca *ca = v->ca;
    const struct signer_options options = ca_signer_options(ca, &ca->conf.log);
    struct err e = {0};

    ca->log = signer_start(&options, &e); /* not patiently: somebody waits */

    if (ca->log != NULL) {
        v->has_key = ca_seals_key(ca, &e) == 0;
        if (!v->has_key) {
            left_out(v, "seals", e.text);
        }
        v->has_last = ca_record_last(ca, &v->last, &e) == 0;
        if (!v->has_last || new_ledger(ca, signer_spki(ca->log), &e) != 0) {
            left_out(v, "the ledger with what its key signed", e.text);
        }
        return;
    }
    left_out(v, "seals, and what the log's key signed last", e.text);
    if (read_key(ca, &key, &e) != 0 || new_ledger(ca, span_of(key.spki, key.spki_n), &e) != 0) {
        left_out(v, "entries of the ledger with its checkpoints", e.text);
    }
}

/* ---- what is out ---- */

/* Who else signed it is a difference; who should have must be known. */
static void
find_crl(struct verifying *v)
{
    const struct ca_conf *conf = &v->ca->conf;
    CLEANUP(buf_free) struct buf der = {0};
    CLEANUP(x509_cleanup) X509 *issuing = NULL;
    struct err e = {0};

    if (certificate_load_der(conf->issuing_certificate, LINK_CERTIFICATE_MAX, &issuing, &der, &e) !=
        0) {
        left_out(v, "the CRL that is out", e.text);
        return;
    }
    v->has_crl = published_crl_read(conf, issuing, &v->crl, &e) == 0;
    if (v->has_crl) {
        return;
    }
    if (e.code == ERR_CONFLICT) {
        differs(v, e.text);
    } else {
        left_out(v, "the CRL that is out", e.text);
    }
}

/* ---- the whole ---- */

static void
say(const struct verifying *v, int64_t ms)
{
    const struct issuance_figures *f = &v->figures;

    (void)printf("%s: %" PRIu64 " leaves, %" PRIu64 " rows and %" PRIu64
                 " pages compared in %" PRId64 ".%03" PRId64 " s: ",
                 v->ca->conf.database, f->leaves, f->rows, f->pages, ms / 1000, ms % 1000);
    if (v->differences == 0) {
        (void)printf("no difference\n");
    } else {
        (void)printf("%" PRIu64 " differences\n", v->differences);
    }
}

int
ca_verify(struct ca *ca, bool *agrees, struct err *e)
{
    struct verifying v = {.ca = ca};
    const struct ca_record_reader reader = {.look = verify, .tell = differs, .arg = &v};
    const int64_t from = clock_monotonic_ms();

    *agrees = false;
    if (access(ca->conf.database, R_OK) != 0) {
        return err_errno(e, ERR_NOTFOUND, errno, "%s", ca->conf.database);
    }
    ca->finished = tasks_new(e);
    if (ca->finished == NULL) {
        return -1;
    }
    find_ledger(&v);
    find_crl(&v);
    if (ca_record_read(ca, &reader, e) != 0 && !v.was_read) {
        published_crl_free(&v.crl);
        return -1;
    }
    published_crl_free(&v.crl);
    say(&v, clock_monotonic_ms() - from);
    *agrees = v.differences == 0 && !v.left_out;
    return 0;
}
