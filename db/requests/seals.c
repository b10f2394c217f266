/* SPDX-License-Identifier: Apache-2.0 */
#include "db/requests/seals.h"

/* Numbers are in seals that are stored: none is ever given to another table. */

/* Which is the newest of a network function, the rowid says. */
const struct sealed_table requests_table_registration = {
    .number = 1,
    .name = "registration",
    .keys = 1,
    .owners = REQUESTS_OWNER_NF,
    .row = "SELECT nf_instance, rowid, * FROM registration WHERE id = ?1",
    .of_owner = "SELECT id FROM registration WHERE nf_instance = ?1",
    .all = "SELECT id FROM registration ORDER BY id",
    .behind = "SELECT id FROM registration WHERE id > ?1 ORDER BY id",
};

/* As in the index registration_subject. */
#define SUBJECT "substr(CAST(subject AS BLOB), 1, 500)"
_Static_assert(REQUESTS_PIN_SUBJECT_MAX == 500, "the number in SUBJECT");

const struct sealed_table requests_table_pin = {
    .number = 2,
    .name = "pin of registration",
    .keys = 1,
    .owners = REQUESTS_OWNER_PIN,
    .row = "SELECT coalesce(reference, fingerprint, public_key, " SUBJECT "), id, reference, "
           "fingerprint, public_key, issuer, subject FROM registration WHERE id = ?1",
    .of_owner = "SELECT id FROM registration WHERE reference = ?1 UNION ALL "
                "SELECT id FROM registration WHERE fingerprint = ?1 UNION ALL "
                "SELECT id FROM registration WHERE public_key = ?1 UNION ALL "
                "SELECT id FROM registration WHERE subject IS NOT NULL AND " SUBJECT " = ?1",
    .all = "SELECT r.id FROM registration r ORDER BY r.id",
    .behind = "SELECT r.id FROM registration r WHERE r.id > ?1 ORDER BY r.id",
};

const struct sealed_table requests_table_enrolment = {
    .number = 3,
    .name = "enrolment",
    .keys = 1,
    .owners = REQUESTS_OWNER_NF,
    .row = "SELECT g.nf_instance, x.* FROM enrolment x LEFT JOIN registration g ON g.id = "
           "x.registration WHERE x.id = ?1",
    .of_owner = "SELECT x.id FROM registration g JOIN enrolment x ON x.registration = g.id WHERE "
                "g.nf_instance = ?1",
    .all = "SELECT id FROM enrolment ORDER BY id",
    .behind = "SELECT id FROM enrolment WHERE id > ?1 ORDER BY id",
};

const struct sealed_table requests_table_certificate = {
    .number = 4,
    .name = "certificate",
    .keys = 1,
    .owners = REQUESTS_OWNER_NF,
    .row = "SELECT g.nf_instance, c.* FROM certificate c LEFT JOIN registration g ON g.id = "
           "c.registration WHERE c.fingerprint = ?1",
    .of_owner = "SELECT c.fingerprint FROM registration g JOIN certificate c ON c.registration = "
                "g.id WHERE g.nf_instance = ?1",
    .all = "SELECT fingerprint FROM certificate ORDER BY fingerprint",
    .behind = "SELECT fingerprint FROM certificate WHERE fingerprint > ?1 ORDER BY fingerprint",
};

/* Its place in the queue changes, what it is about does not. */
const struct sealed_table requests_table_queue = {
    .number = 5,
    .name = "queue",
    .keys = 1,
    .owners = REQUESTS_OWNER_NF,
    .row = "SELECT g.nf_instance, q.* FROM queue q LEFT JOIN enrolment x ON x.id = q.enrolment "
           "LEFT JOIN registration g ON g.id = x.registration WHERE q.rid = ?1",
    .of_owner = "SELECT q.rid FROM registration g JOIN enrolment x ON x.registration = g.id JOIN "
                "queue q ON q.enrolment = x.id WHERE g.nf_instance = ?1",
    .all = "SELECT rid FROM queue ORDER BY rid",
    .behind = "SELECT rid FROM queue WHERE rid > ?1 ORDER BY rid",
};

const struct sealed_table requests_table_seen = {
    .number = 6,
    .name = "seen",
    .keys = 2,
    .owners = REQUESTS_OWNER_SEEN,
    .by_key = true,
    .row = "SELECT NULL, * FROM seen WHERE identity = ?1 AND transaction_id = ?2",
    .all = "SELECT identity, transaction_id FROM seen ORDER BY identity, transaction_id",
    .behind = "SELECT identity, transaction_id FROM seen WHERE (identity, transaction_id) > (?1, "
              "?2) ORDER BY identity, transaction_id",
};

const struct sealed_table requests_table_head = {
    .number = 7,
    .name = "head",
    .keys = 1,
    .owners = REQUESTS_OWNER_HEAD,
    .by_key = true,
    .row = "SELECT NULL, * FROM head WHERE first = ?1",
    .all = "SELECT first FROM head ORDER BY first",
    .behind = "SELECT first FROM head WHERE first > ?1 ORDER BY first",
};

const struct sealed_table requests_table_queue_end = {
    .number = 8,
    .name = "queue_end",
    .keys = 1,
    .owners = REQUESTS_OWNER_QUEUE_END,
    .by_key = true,
    .row = "SELECT NULL, * FROM queue_end WHERE one = ?1",
    .all = "SELECT one FROM queue_end ORDER BY one",
    .behind = "SELECT one FROM queue_end WHERE one > ?1 ORDER BY one",
};

const struct sealed_table requests_table_ca_log = {
    .number = 9,
    .name = "ca_log",
    .keys = 1,
    .owners = REQUESTS_OWNER_CA_LOG,
    .row = "SELECT 1, * FROM ca_log WHERE id = ?1",
    .of_owner = "SELECT id FROM ca_log WHERE ?1 = 1",
    .all = "SELECT id FROM ca_log ORDER BY id",
    .behind = "SELECT id FROM ca_log WHERE id > ?1 ORDER BY id",
};

const struct sealed_table *const requests_tables[REQUESTS_TABLES] = {
    &requests_table_registration, &requests_table_pin,       &requests_table_enrolment,
    &requests_table_certificate,  &requests_table_queue,     &requests_table_seen,
    &requests_table_head,         &requests_table_queue_end, &requests_table_ca_log,
};

int
requests_is_new(struct store_db *db, bool *is_new, struct err *e)
{
    uint64_t rows;

    *is_new = false;
    if (sealed_count(db, &rows, e) != 0) {
        return -1;
    }
    return rows != 1 ? 0
                     : store_has_row(db,
                                     "SELECT 1 FROM queue_end WHERE one = 1 AND next = 1 AND head "
                                     "IS NULL",
                                     STORE_NO_VALUES, is_new, e);
}
