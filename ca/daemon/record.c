/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/daemon/record.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/daemon/published.h"
#include "ca/daemon/seals.h"
#include "db/issuance/journal.h"
#include "db/issuance/message.h"
#include "db/issuance/scrub.h"
#include "db/store/schema.h"

enum { APPLICATION = 0x6e664341 }; /* "nfCA" */

static const struct store_migration *const schemas[STORE_SCHEMAS_MAX] = {ledger_migrations,
                                                                         issuance_migrations};

int
ca_make_folder(const char *path, mode_t mode, struct err *e)
{
    if (file_mkdirs(path, mode, e) != 0) {
        return -1;
    }
    /* The umask keeps others out of whatever is not meant for them; these are what it says. */
    return chmod(path, mode) == 0 ? 0 : err_errno(e, ERR_IO, errno, "chmod %s", path);
}

int
ca_record_last(struct ca *ca, struct ledger_signed *out, struct err *e)
{
    struct signed_last last;

    if (signer_last(ca->log, &last, e) != 0) {
        return err_wrap(e, "signer %s", ca_signer_name(&ca->conf.log));
    }
    out->size = last.size;
    memcpy(out->root, last.root, sizeof(out->root));
    return 0;
}

struct guard {
    struct ca *ca;
    ca_record_look *look;
    void *arg;
    struct ledger_signed last;
    struct published_crl crl;
    bool suspect; /* a process that ended has found something */
    bool judged;
};

static void
guard_cleanup(struct guard *guard)
{
    published_crl_free(&guard->crl);
}

int
ca_record_check_clock(struct ca *ca, struct store_db *db, struct err *e)
{
    const time_t now = clock_now();
    time_t last = 0;

    if (db != NULL && ledger_last_time(db, &last, e) != 0) {
        return -1;
    }
    if (last - now <= LEAF_BACK_MAX) {
        return 0;
    }
    if (!ca->conf.clock_set_back) {
        return err_set(e, ERR_DENIED,
                       "the clock is %lld s behind the last leaf: set it right, or wait; when it "
                       "was ahead before and is right now, see clock_set_back in nfpki-ca.conf(5)",
                       (long long)(last - now));
    }
    ca->went_back_from = last;
    log_event(LOG_WARNING, "clock-set-back",
              "the clock is %lld s behind the last leaf, and clock_set_back takes it: the ledger "
              "says so",
              (long long)(last - now));
    return 0;
}

/* ---- rows ---- */

/* Do the rows say what the leaves say? Of a sealed file each page is compared when it is read, and
 * all of them by the scrub, whose find is what is compared again here. */
static int
compare(struct store_db *db, bool suspect, struct err *e)
{
    return store_seal_state(db) == STORE_SEALED && !suspect ? 0 : issuance_check(db, e);
}

int
ca_record_check_schema(struct store_db *db, struct err *e)
{
    return store_require_schema(db, schemas, "ca.db", "nfpki-ca --verify tells all of it", e);
}

/* Lines of the issuing key's journals: what the signers say, and of signers that are not named any
 * more what was compared. */
static int
count_attempts(const struct ca *ca, struct store_db *db, uint64_t *attempts, struct err *e)
{
    struct issuance_journal j = {.kind = ISSUANCE_JOURNAL_OBJECTS};
    size_t known;

    if (sha256(signer_spki(signer_pool_first(ca->issuing)), j.key, e) != 0 ||
        issuance_journal_known(db, j.key, &known, attempts, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < ca->conf.n_issuing; i++) {
        bool found;

        j.number = ca->conf.issuing[i].number;
        if (issuance_journal_find(db, &j, &found, e) != 0) {
            return -1;
        }
        *attempts -= found ? j.compared : 0;
    }
    *attempts += signer_pool_attempts(ca->issuing);
    return 0;
}

/* Every signature that is stored was attempted; so journals that know of fewer are not those of
 * this key, or one was put back to an older copy. */
static int
check_attempts(const struct ca *ca, struct store_db *db, struct err *e)
{
    uint64_t attempts;
    uint64_t stored;

    if (issuance_signatures(db, &stored, e) != 0 || count_attempts(ca, db, &attempts, e) != 0) {
        return -1;
    }
    return attempts >= stored
               ? 0
               : err_set(e, ERR_STALE,
                         "%s: the journal has %llu attempts, but %llu signatures are stored: the "
                         "journal is not this key's, or an older copy of it",
                         ca_signer_name(&ca->conf.issuing[0]), (unsigned long long)attempts,
                         (unsigned long long)stored);
}

/* With tables that are this program's. */
static int
judge(struct guard *guard, struct store_db *db, struct err *e)
{
    guard->judged = true;
    return ca_record_check_schema(db, e) != 0 || compare(db, guard->suspect, e) != 0 ||
                   check_attempts(guard->ca, db, e) != 0
               ? -1
               : guard->look(guard->ca, guard->arg, db, e);
}

/* Of a database from before a migration there is more to come. */
static int
admit(void *arg, struct store_db *db, struct err *e)
{
    struct guard *guard = arg;

    if (ledger_check(guard->ca->ledger, db, &guard->last, guard->suspect, e) != 0 ||
        (db != NULL && ca_seals_check(guard->ca, db, e) != 0) ||
        published_crl_check(&guard->crl, db, e) != 0 ||
        ca_record_check_clock(guard->ca, db, e) != 0) {
        return -1;
    }
    return db == NULL             ? guard->look(guard->ca, guard->arg, NULL, e)
           : store_is_current(db) ? judge(guard, db, e)
                                  : 0;
}

/* A database that is not there is not made to be refused. */
static int
check_missing(const struct ca *ca, struct guard *guard, struct err *e)
{
    bool missing = access(ca->conf.database, F_OK) != 0 && errno == ENOENT;

    return missing ? admit(guard, NULL, e) : 0;
}

struct store_options
ca_store_options(const struct ca *ca, const char *path)
{
    return (struct store_options){.path = path,
                                  .application = APPLICATION,
                                  .schemas = {ledger_migrations, issuance_migrations},
                                  .finished = ca->finished,
                                  .integrity_check = true,
                                  .seal_key = buf_span(&ca->seal_key)};
}

static int
open_store(struct ca *ca, struct guard *guard, struct err *e)
{
    struct store_options options = ca_store_options(ca, ca->conf.database);

    options.admit = admit;
    options.admit_arg = guard;
    if (check_missing(ca, guard, e) != 0 || ca_make_folder(ca->conf.state_dir, 0700, e) != 0) {
        return -1;
    }
    ca->store = store_open(&options, e);
    return ca->store == NULL ? -1 : 0;
}

struct judge_op {
    struct store_op op;
    struct guard *guard;
};

static int
run_judge(struct store_op *op, struct store_db *db, struct err *e)
{
    return judge(CONTAINER_OF(op, struct judge_op, op)->guard, db, e);
}

/* What a process that ended has found. */
static char *
mark_of(const struct ca *ca)
{
    return mem_printf("%s-edited", ca->conf.database);
}

int
ca_record_suspect(const struct ca *ca, const struct err *why, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mark_of(ca);
    CLEANUP(mem_cleanup) char *text = mem_printf("%s\n", why->text);

    return file_write(path, span_str(text), 0600, e);
}

/* When it was not by admit; and then nothing is suspect. */
static int
judge_late(struct ca *ca, struct guard *guard, struct err *e)
{
    CLEANUP(mem_cleanup) char *mark = mark_of(ca);
    struct judge_op o = {.op = {.run = run_judge}, .guard = guard};

    if (!guard->judged && store_call(ca->store, &o.op, e) != 0) {
        return -1;
    }
    return guard->suspect && unlink(mark) != 0 ? err_errno(e, ERR_IO, errno, "%s", mark) : 0;
}

/* After a kill, or when the folder was put back to an older copy. */
static void
tell_unpublished(const struct ledger *ledger)
{
    const uint64_t from = ledger_found(ledger);
    const uint64_t to = ledger_stored(ledger);

    if (from < to) {
        log_event(LOG_WARNING, "published-late",
                  "leaves %llu to %llu were stored, and not published before this start",
                  (unsigned long long)from, (unsigned long long)to - 1);
    }
}

int
ca_record_open(struct ca *ca, ca_record_look *look, void *arg, struct err *e)
{
    const struct ledger_options options = {.dir = ca->conf.ledger_dir,
                                           .origin = ca->conf.log_origin,
                                           .spki = signer_spki(ca->log),
                                           .message = issuance_message};
    CLEANUP(guard_cleanup) struct guard guard = {.ca = ca, .look = look, .arg = arg};
    CLEANUP(mem_cleanup) char *mark = mark_of(ca);

    guard.suspect = access(mark, F_OK) == 0;
    ca->ledger = ledger_new(&options, e);
    return ca->ledger == NULL || ca_record_last(ca, &guard.last, e) != 0 ||
                   published_crl_read(&ca->conf, ca->policy.issuing, &guard.crl, e) != 0 ||
                   open_store(ca, &guard, e) != 0 || judge_late(ca, &guard, e) != 0
               ? -1
               : ca_seals_begin(ca, e);
}

int
ca_record_publish(struct ca *ca, struct err *e)
{
    if (ca_make_folder(ca->conf.crl_dir, 0755, e) != 0 ||
        ledger_start(ca->ledger, ca->store, e) != 0) {
        return -1;
    }
    tell_unpublished(ca->ledger);
    return 0;
}

int
ca_record_read(struct ca *ca, const struct ca_record_reader *reader, struct err *e)
{
    struct store_options options = ca_store_options(ca, ca->conf.database);

    options.integrity_check = false;
    options.admit = reader->look;
    options.admit_arg = reader->arg;
    options.tell = reader->tell;
    options.tell_arg = reader->arg;
    ca->store = store_open(&options, e);
    return ca->store == NULL ? -1 : 0;
}
