/* SPDX-License-Identifier: Apache-2.0 */
/* go_back.h - SQL that makes a ca.db of today one of an earlier migration. */
#pragma once

/* Certificates had their octets, which nothing reads that comes after, and officers were known by
 * them. */
#define GO_BACK_TO_33                                                                              \
    "ALTER TABLE certificate RENAME TO certificate_now;"                                           \
    "CREATE TABLE certificate (serial BLOB PRIMARY KEY, rid BLOB NOT NULL UNIQUE REFERENCES "      \
    "request (rid), der BLOB NOT NULL, nf_instance TEXT, profile TEXT NOT NULL, not_after "        \
    "INTEGER NOT NULL, issued INTEGER NOT NULL, revoked INTEGER) STRICT;"                          \
    "INSERT INTO certificate SELECT q.serial, q.rid, x'01', c.nf_instance, c.profile, "            \
    "c.not_after, c.issued, c.revoked FROM certificate_now c JOIN request q ON q.rowid = "         \
    "c.request ORDER BY c.rowid; DROP TABLE certificate_now;"                                      \
    "CREATE INDEX certificate_infrastructure ON certificate (profile) WHERE nf_instance IS NULL;"  \
    "CREATE TRIGGER certificate_kept BEFORE DELETE ON certificate "                                \
    "BEGIN SELECT RAISE(ABORT, 'a certificate is kept'); END;"                                     \
    "ALTER TABLE approval RENAME TO approval_now;"                                                 \
    "CREATE TABLE approval (rid BLOB NOT NULL REFERENCES pending (rid), approves INTEGER NOT "     \
    "NULL, officer BLOB NOT NULL REFERENCES certificate (serial), subject TEXT NOT NULL, "         \
    "key_sha256 BLOB NOT NULL, cms BLOB NOT NULL, created INTEGER NOT NULL, leaf INTEGER NOT "     \
    "NULL UNIQUE) STRICT; INSERT INTO approval SELECT * FROM approval_now; "                       \
    "DROP TABLE approval_now; CREATE TRIGGER approval_kept BEFORE DELETE ON approval "             \
    "BEGIN SELECT RAISE(ABORT, 'an approval is kept'); END;"                                       \
    "PRAGMA user_version = 33;"

#define GO_BACK_TO_32                                                                              \
    GO_BACK_TO_33                                                                                  \
    "CREATE INDEX certificate_nf ON certificate (nf_instance) WHERE nf_instance IS NOT NULL;"      \
    "CREATE INDEX request_initial ON request (registration, profile, leaf)"                        \
    " WHERE renews IS NULL AND state IN (1, 3, 4);"                                                \
    "CREATE INDEX confirmation_request ON confirmation (request);"                                 \
    "DROP INDEX confirmation_leaf; PRAGMA user_version = 32;"
