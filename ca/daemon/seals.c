/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/daemon/seals.h"

#include <inttypes.h>

#include "db/issuance/on_trust.h"
#include "db/issuance/seals.h"
#include "db/ledger/ledger.h"

/* A log's signer from before has no such key. */
int
ca_seals_key(struct ca *ca, struct err *e)
{
    ca->seal_key = BUF_SECRET(SIGNATURE_MAX);
    if (signer_seal_key(ca->log, SIGNER_SEAL_TEXT_CA, &ca->seal_key, e) == 0) {
        return 0;
    }
    if (e->code != ERR_DENIED) {
        return err_wrap(e, "signer %s: the key that seals ca.db", ca_signer_name(&ca->conf.log));
    }
    log_event(LOG_WARNING, "no-seal-key",
              "%s has no section seal: make the key in the token of the log's key, see nfpki-ca(8)",
              ca_signer_name(&ca->conf.log));
    return 0;
}

int
ca_seals_new(struct ca *ca, struct err *e)
{
    const struct sealed_options options = {
        .file = "ca.db",
        .program = "nfpki-ca",
        .token = "the log's signer (section seal)",
        .key = buf_span(&ca->seal_key),
        .tables = issuance_tables,
        .n = ISSUANCE_TABLES,
        .leaves = ledger_size,
    };

    ca->seals = sealed_new(&options, e);
    return ca->seals == NULL ? -1 : 0;
}

void
ca_seals_free(struct ca *ca)
{
    sealed_free(ca->seals);
    ca->seals = NULL;
}

int
ca_seals_begin(struct store_db *db, time_t now, struct err *e)
{
    CLEANUP(buf_free) struct buf names = BUF_INIT(ISSUANCE_ON_TRUST_MAX);
    uint64_t rows;

    if (sealed_state(db) != SEALED_NOT_YET) {
        return 0;
    }
    if (issuance_on_trust(db, &names, e) != 0 || issuance_seal(db, now, &rows, e) != 0) {
        return err_wrap(e, "rows are not sealed");
    }
    if (names.n == 0) {
        log_event(LOG_INFO, "sealed", "%" PRIu64 " rows of before", rows);
        return 0;
    }
    log_event(LOG_WARNING, "sealed",
              "%" PRIu64 " rows of before; taken on trust, since no leaf has it: %.*s", rows,
              (int)names.n, (const char *)names.p);
    return 0;
}

json_t *
ca_seals_status(const struct store_db *db)
{
    return json_pack("{s:s,s:I}", "state", sealed_state_name(sealed_state(db)), "rows",
                     (json_int_t)sealed_rows(db));
}
