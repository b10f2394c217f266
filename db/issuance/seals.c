/* SPDX-License-Identifier: Apache-2.0 */
#include "db/issuance/seals.h"

#include "db/issuance/issuance.h"
#include "db/issuance/on_trust.h"
#include "db/ledger/ledger.h"

/* Numbers are in seals that are stored: none is ever given to another table. */

const struct sealed_table issuance_table_registration = {
    .number = 1,
    .name = "registration",
    .keys = 1,
    .owners = ISSUANCE_OWNER_NF,
    .row = "SELECT nf_instance, * FROM registration WHERE id = ?1",
    .of_owner = "SELECT id FROM registration WHERE nf_instance = ?1",
    .all = "SELECT id FROM registration ORDER BY id",
    .behind = "SELECT id FROM registration WHERE id > ?1 ORDER BY id",
};

/* What was refused (state 2, for ever) is nobody's but its own: no rule about a network function
 * reads it, and an RA that lies can have as many of them as it likes. */
const struct sealed_table issuance_table_request = {
    .number = 2,
    .name = "request",
    .keys = 1,
    .owners = ISSUANCE_OWNER_NF,
    .row = "SELECT CASE WHEN q.state = 2 THEN q.rid ELSE coalesce(g.nf_instance, q.rid) END, q.* "
           "FROM request q LEFT JOIN registration g ON g.id = q.registration WHERE q.rid = ?1",
    .of_owner = "SELECT q.rid FROM registration g JOIN request q ON q.registration = g.id WHERE "
                "g.nf_instance = ?1 AND q.state <> 2 UNION ALL SELECT rid FROM request WHERE rid = "
                "?1 AND (registration IS NULL OR state = 2)",
    .all = "SELECT rid FROM request ORDER BY rid",
    .behind = "SELECT rid FROM request WHERE rid > ?1 ORDER BY rid",
};

const struct sealed_table issuance_table_certificate = {
    .number = 3,
    .name = "certificate",
    .keys = 1,
    .owners = ISSUANCE_OWNER_NF,
    .row = "SELECT coalesce(nf_instance, rid), * FROM certificate WHERE serial = ?1",
    .of_owner = "SELECT serial FROM certificate WHERE nf_instance = ?1 UNION ALL SELECT serial "
                "FROM certificate WHERE rid = ?1 AND nf_instance IS NULL",
    .all = "SELECT serial FROM certificate ORDER BY serial",
    .behind = "SELECT serial FROM certificate WHERE serial > ?1 ORDER BY serial",
};

const struct sealed_table issuance_table_confirmation = {
    .number = 4,
    .name = "confirmation",
    .keys = 1,
    .owners = ISSUANCE_OWNER_NF,
    .row = "SELECT coalesce(g.nf_instance, c.request), c.* FROM confirmation c LEFT JOIN request q "
           "ON q.rid = c.request LEFT JOIN registration g ON g.id = q.registration WHERE c.rid = "
           "?1",
    .of_owner = "SELECT c.rid FROM registration g JOIN request q ON q.registration = g.id JOIN "
                "confirmation c ON c.request = q.rid WHERE g.nf_instance = ?1 UNION ALL SELECT "
                "c.rid FROM request q JOIN confirmation c ON c.request = q.rid WHERE q.rid = ?1 "
                "AND q.registration IS NULL",
    .all = "SELECT rid FROM confirmation ORDER BY rid",
    .behind = "SELECT rid FROM confirmation WHERE rid > ?1 ORDER BY rid",
};

const struct sealed_table issuance_table_pending = {
    .number = 5,
    .name = "pending",
    .keys = 1,
    .owners = ISSUANCE_OWNER_NF,
    .row = "SELECT g.nf_instance, p.* FROM pending p LEFT JOIN registration g ON g.id = "
           "p.registration WHERE p.rid = ?1",
    .of_owner = "SELECT p.rid FROM registration g JOIN pending p ON p.registration = g.id WHERE "
                "g.nf_instance = ?1",
    .all = "SELECT rid FROM pending ORDER BY rid",
    .behind = "SELECT rid FROM pending WHERE rid > ?1 ORDER BY rid",
};

const struct sealed_table issuance_table_approval = {
    .number = 6,
    .name = "approval",
    .keys = 1,
    .owners = ISSUANCE_OWNER_NF,
    .row = "SELECT g.nf_instance, a.* FROM approval a LEFT JOIN pending p ON p.rid = a.rid LEFT "
           "JOIN registration g ON g.id = p.registration WHERE a.leaf = ?1",
    .of_owner = "SELECT a.leaf FROM registration g JOIN pending p ON p.registration = g.id JOIN "
                "approval a ON a.rid = p.rid WHERE g.nf_instance = ?1",
    .all = "SELECT leaf FROM approval ORDER BY leaf",
    .behind = "SELECT leaf FROM approval WHERE leaf > ?1 ORDER BY leaf",
};

const struct sealed_table issuance_table_again = {
    .number = 7,
    .name = "again",
    .keys = 1,
    .owners = ISSUANCE_OWNER_NF,
    .row = "SELECT g.nf_instance, a.* FROM again a LEFT JOIN registration g ON g.id = "
           "a.registration WHERE a.rid = ?1",
    .of_owner = "SELECT a.rid FROM registration g JOIN again a ON a.registration = g.id WHERE "
                "g.nf_instance = ?1",
    .all = "SELECT rid FROM again ORDER BY rid",
    .behind = "SELECT rid FROM again WHERE rid > ?1 ORDER BY rid",
};

const struct sealed_table issuance_table_revocation = {
    .number = 8,
    .name = "revocation",
    .keys = 1,
    .owners = ISSUANCE_OWNER_DAY,
    .row = "SELECT not_after / 86400, * FROM revocation WHERE serial = ?1",
    .of_owner = "SELECT serial FROM revocation WHERE not_after / 86400 = ?1",
    .all = "SELECT serial FROM revocation ORDER BY serial",
    .behind = "SELECT serial FROM revocation WHERE serial > ?1 ORDER BY serial",
};

const struct sealed_table issuance_table_public_key = {
    .number = 9,
    .name = "public_key",
    .keys = 1,
    .owners = ISSUANCE_OWNER_PUBLIC_KEY,
    .by_key = true,
    .row = "SELECT NULL, * FROM public_key WHERE sha256 = ?1",
    .all = "SELECT sha256 FROM public_key ORDER BY sha256",
    .behind = "SELECT sha256 FROM public_key WHERE sha256 > ?1 ORDER BY sha256",
};

const struct sealed_table issuance_table_crl = {
    .number = 10,
    .name = "crl",
    .keys = 1,
    .owners = ISSUANCE_OWNER_CRL,
    .by_key = true,
    .row = "SELECT NULL, * FROM crl WHERE number = ?1",
    .all = "SELECT number FROM crl ORDER BY number",
    .behind = "SELECT number FROM crl WHERE number > ?1 ORDER BY number",
};

const struct sealed_table issuance_table_setting = {
    .number = 11,
    .name = "setting",
    .keys = 1,
    .owners = ISSUANCE_OWNER_SETTING,
    .by_key = true,
    .row = "SELECT NULL, * FROM setting WHERE name = ?1",
    .all = "SELECT name FROM setting ORDER BY name",
    .behind = "SELECT name FROM setting WHERE name > ?1 ORDER BY name",
};

const struct sealed_table issuance_table_queue_head = {
    .number = 12,
    .name = "queue_head",
    .keys = 1,
    .owners = ISSUANCE_OWNER_QUEUE_HEAD,
    .by_key = true,
    .row = "SELECT NULL, * FROM queue_head WHERE hash = ?1",
    .all = "SELECT hash FROM queue_head ORDER BY hash",
    .behind = "SELECT hash FROM queue_head WHERE hash > ?1 ORDER BY hash",
};

const struct sealed_table issuance_table_revocation_request = {
    .number = 13,
    .name = "revocation_request",
    .keys = 1,
    .owners = ISSUANCE_OWNER_REVOCATION_REQUEST,
    .by_key = true,
    .row = "SELECT NULL, * FROM revocation_request WHERE rid = ?1",
    .all = "SELECT rid FROM revocation_request ORDER BY rid",
    .behind = "SELECT rid FROM revocation_request WHERE rid > ?1 ORDER BY rid",
};

const struct sealed_table issuance_table_scrub = {
    .number = 14,
    .name = "scrub",
    .keys = 1,
    .owners = ISSUANCE_OWNER_SCRUB,
    .by_key = true,
    .row = "SELECT NULL, * FROM scrub WHERE one = ?1",
    .all = "SELECT one FROM scrub ORDER BY one",
    .behind = "SELECT one FROM scrub WHERE one > ?1 ORDER BY one",
};

const struct sealed_table issuance_table_journal = {
    .number = 15,
    .name = "journal",
    .keys = 1,
    .owners = ISSUANCE_OWNER_JOURNAL,
    .by_key = true,
    .row = "SELECT NULL, * FROM journal WHERE key = ?1",
    .all = "SELECT key FROM journal ORDER BY key",
    .behind = "SELECT key FROM journal WHERE key > ?1 ORDER BY key",
};

const struct sealed_table *const issuance_tables[ISSUANCE_TABLES] = {
    &issuance_table_registration,
    &issuance_table_request,
    &issuance_table_certificate,
    &issuance_table_confirmation,
    &issuance_table_pending,
    &issuance_table_approval,
    &issuance_table_again,
    &issuance_table_revocation,
    &issuance_table_public_key,
    &issuance_table_crl,
    &issuance_table_setting,
    &issuance_table_queue_head,
    &issuance_table_revocation_request,
    &issuance_table_scrub,
    &issuance_table_journal,
};

int
issuance_seal(struct store_db *db, time_t now, uint64_t *rows, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_SEALED, now);
    uint64_t counted;

    if (issuance_check(db, e) != 0 || issuance_settings_check(db, e) != 0 ||
        sealed_count(db, &counted, e) != 0) {
        return -1;
    }
    leaf_set_int(leaf, "rows", (int64_t)counted);
    return ledger_append(db, leaf, NULL, e) != 0 ? -1 : sealed_begin(db, rows, e);
}
