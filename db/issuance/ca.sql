-- SPDX-License-Identifier: Apache-2.0
-- ca.db: what nfpki-ca knows. Migration 1 is the ledger's (ledger/ledger.sql). Every change of a row here is
-- in one transaction with its leaf there. Times are seconds since 1970.

-- migration 2

-- What a registrar signed (TS 33.310; ca/registration). state 0 live, 1 cancelled, 2 followed by another.
CREATE TABLE registration (
    id            TEXT PRIMARY KEY,
    cms           BLOB NOT NULL,
    json          BLOB NOT NULL,       -- its signed content
    nf_instance   TEXT NOT NULL,
    registrar     BLOB NOT NULL,       -- serial of the registrar's certificate
    not_before    INTEGER NOT NULL,
    not_after     INTEGER NOT NULL CHECK (not_after > not_before),
    certificates  INTEGER NOT NULL,
    used          INTEGER NOT NULL DEFAULT 0 CHECK (used >= 0 AND used <= certificates),
    state         INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 2),
    registered    INTEGER NOT NULL,
    leaf          INTEGER NOT NULL     -- of the newest state: answers wait until it is published
) STRICT;
-- One live owner of each nfInstanceId.
CREATE UNIQUE INDEX registration_live ON registration (nf_instance) WHERE state = 0;
CREATE TRIGGER registration_fixed BEFORE UPDATE OF id, cms, json, nf_instance, registrar, not_before,
    not_after, certificates, registered ON registration
BEGIN SELECT RAISE(ABORT, 'a registration does not change'); END;
CREATE TRIGGER registration_kept BEFORE DELETE ON registration
BEGIN SELECT RAISE(ABORT, 'a registration is kept'); END;

-- A public key belongs to who had it certified first.
CREATE TABLE public_key (
    sha256  BLOB PRIMARY KEY,          -- of the SubjectPublicKeyInfo
    owner   TEXT NOT NULL              -- nfInstanceId, or "infrastructure"
) STRICT, WITHOUT ROWID;

-- enum issuance_state
CREATE TABLE request (
    rid             BLOB PRIMARY KEY CHECK (length(rid) = 32),
    state           INTEGER NOT NULL CHECK (state BETWEEN 0 AND 5),
    registration    TEXT REFERENCES registration (id), -- NULL: an officer's request
    transaction_id  BLOB,
    cert_req_id     INTEGER,
    assurance       INTEGER,           -- 0 mac, attested by the RA; 1 signature, verified by us
    requester       BLOB,              -- SHA-256 of the certificate that protected the request
    profile         TEXT NOT NULL,
    evidence        BLOB NOT NULL,     -- signed by the RA around the NF's own octets; or PKCS #10
    queue_sequence  INTEGER,
    queue_previous  BLOB,
    serial          BLOB UNIQUE CHECK (length(serial) = 16),
    tbs             BLOB,
    not_after       INTEGER,
    fail_info       INTEGER,
    phrase          TEXT,
    created         INTEGER NOT NULL,
    leaf            INTEGER NOT NULL,  -- of the newest state: answers wait until it is published
    UNIQUE (registration, transaction_id)
) STRICT;
CREATE INDEX request_open ON request (created) WHERE state = 0;
CREATE TRIGGER request_fixed BEFORE UPDATE OF rid, registration, transaction_id, cert_req_id, assurance,
    requester, profile, evidence, serial, tbs, not_after, created ON request
BEGIN SELECT RAISE(ABORT, 'a request does not change'); END;
CREATE TRIGGER request_forward BEFORE UPDATE OF state ON request
    WHEN NOT ((old.state = 0 AND new.state IN (1, 5)) OR (old.state = 1 AND new.state IN (3, 4)))
BEGIN SELECT RAISE(ABORT, 'a request does not go back'); END;
CREATE TRIGGER request_kept BEFORE DELETE ON request
BEGIN SELECT RAISE(ABORT, 'a request is kept'); END;

CREATE TABLE certificate (
    serial       BLOB PRIMARY KEY,
    rid          BLOB NOT NULL UNIQUE REFERENCES request (rid),
    der          BLOB NOT NULL,
    nf_instance  TEXT,
    profile      TEXT NOT NULL,
    not_after    INTEGER NOT NULL,
    issued       INTEGER NOT NULL
) STRICT;
CREATE INDEX certificate_nf ON certificate (nf_instance) WHERE nf_instance IS NOT NULL;
CREATE INDEX certificate_infrastructure ON certificate (profile) WHERE nf_instance IS NULL;
CREATE TRIGGER certificate_fixed BEFORE UPDATE ON certificate
BEGIN SELECT RAISE(ABORT, 'a certificate does not change'); END;
CREATE TRIGGER certificate_kept BEFORE DELETE ON certificate
BEGIN SELECT RAISE(ABORT, 'a certificate is kept'); END;

-- Also of serials whose intent was given up after a signature may have been made.
CREATE TABLE revocation (
    serial     BLOB PRIMARY KEY,
    revoked    INTEGER NOT NULL,
    reason     INTEGER NOT NULL,       -- CRLReason, RFC 5280 5.3.1
    not_after  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TRIGGER revocation_fixed BEFORE UPDATE ON revocation
BEGIN SELECT RAISE(ABORT, 'what is revoked stays revoked'); END;
CREATE TRIGGER revocation_kept BEFORE DELETE ON revocation
BEGIN SELECT RAISE(ABORT, 'what is revoked stays revoked'); END;

-- certConf; answers are given again to the same octets.
CREATE TABLE confirmation (
    rid        BLOB PRIMARY KEY CHECK (length(rid) = 32),
    request    BLOB NOT NULL REFERENCES request (rid),
    accepted   INTEGER NOT NULL CHECK (accepted IN (0, 1)),
    evidence   BLOB NOT NULL,
    created    INTEGER NOT NULL,
    leaf       INTEGER NOT NULL
) STRICT;

-- A number is reserved before the signature is asked for, and never used again.
CREATE TABLE crl (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    this_update  INTEGER NOT NULL,
    next_update  INTEGER NOT NULL,
    entries      INTEGER,
    der          BLOB                  -- NULL: reserved, perhaps signed, never released
) STRICT;

CREATE TABLE setting (
    name   TEXT PRIMARY KEY,
    value  BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- migration 3

-- Is the same content there under another signature?
CREATE INDEX registration_nf ON registration (nf_instance);

-- migration 4

-- Requests whose profile demands officers' approvals. Open until the rid has a row in `request`.
CREATE TABLE pending (
    rid             BLOB PRIMARY KEY CHECK (length(rid) = 32),
    registration    TEXT NOT NULL REFERENCES registration (id),
    transaction_id  BLOB NOT NULL,
    profile         TEXT NOT NULL,
    assurance       INTEGER NOT NULL,
    requester       BLOB NOT NULL,     -- as in `request`; empty with a MAC
    spki_sha256     BLOB NOT NULL,
    evidence        BLOB NOT NULL,
    queue_sequence  INTEGER NOT NULL,
    queue_previous  BLOB NOT NULL,
    approvals       INTEGER NOT NULL CHECK (approvals > 0),
    created         INTEGER NOT NULL,
    expires         INTEGER NOT NULL CHECK (expires > created),
    leaf            INTEGER NOT NULL,
    open            INTEGER NOT NULL DEFAULT 1 CHECK (open IN (0, 1)),
    UNIQUE (registration, transaction_id)
) STRICT;
CREATE INDEX pending_open ON pending (registration, created) WHERE open = 1;
CREATE TRIGGER pending_fixed BEFORE UPDATE OF rid, registration, transaction_id, profile, assurance,
    requester, spki_sha256, evidence, queue_sequence, queue_previous, approvals, created, expires, leaf
    ON pending
BEGIN SELECT RAISE(ABORT, 'a pending request does not change'); END;
CREATE TRIGGER pending_forward BEFORE UPDATE OF open ON pending
    WHEN NOT (new.open = 0 AND EXISTS (SELECT 1 FROM request WHERE rid = old.rid))
BEGIN SELECT RAISE(ABORT, 'a pending request is closed by what became of it'); END;
CREATE TRIGGER pending_kept BEFORE DELETE ON pending
BEGIN SELECT RAISE(ABORT, 'a pending request is kept'); END;
CREATE TRIGGER pending_close AFTER INSERT ON request
BEGIN UPDATE pending SET open = 0 WHERE rid = new.rid; END;

-- What officers signed about them; a person decides the same once.
CREATE TABLE approval (
    rid         BLOB NOT NULL REFERENCES pending (rid),
    approves    INTEGER NOT NULL CHECK (approves IN (0, 1)),
    officer     BLOB NOT NULL REFERENCES certificate (serial),
    subject     TEXT NOT NULL,
    key_sha256  BLOB NOT NULL,
    cms         BLOB NOT NULL,
    created     INTEGER NOT NULL,
    leaf        INTEGER NOT NULL UNIQUE,
    UNIQUE (rid, approves, subject),
    UNIQUE (rid, approves, key_sha256)
) STRICT;
CREATE TRIGGER approval_fixed BEFORE UPDATE ON approval
BEGIN SELECT RAISE(ABORT, 'an approval does not change'); END;
CREATE TRIGGER approval_kept BEFORE DELETE ON approval
BEGIN SELECT RAISE(ABORT, 'an approval is kept'); END;
CREATE TRIGGER approval_open BEFORE INSERT ON approval
    WHEN NOT EXISTS (SELECT 1 FROM pending WHERE rid = new.rid AND open = 1)
BEGIN SELECT RAISE(ABORT, 'nothing waits for this approval'); END;

-- migration 5

-- A request that is signed with a certificate of ours. renews: the serial of that certificate when the
-- new one takes its place; it is no use of the registration then. is_update 1: by kur (RFC 9483 4.1.3),
-- so what it renews is superseded when the new one is confirmed. confirm: 0 implicitConfirm was asked
-- for, 1 a certConf is expected, 2 nothing replaces a certConf.
ALTER TABLE request ADD COLUMN renews BLOB CHECK (length(renews) = 16);
ALTER TABLE request ADD COLUMN is_update INTEGER NOT NULL DEFAULT 0 CHECK (is_update IN (0, 1));
ALTER TABLE request ADD COLUMN confirm INTEGER NOT NULL DEFAULT 0 CHECK (confirm BETWEEN 0 AND 2);
-- One renewal of a certificate at a time; what was rejected or given up makes room.
CREATE UNIQUE INDEX request_renews ON request (renews) WHERE renews IS NOT NULL AND state IN (0, 1, 3);
CREATE TRIGGER request_fixed_renewal BEFORE UPDATE OF renews, is_update, confirm ON request
BEGIN SELECT RAISE(ABORT, 'a request does not change'); END;

-- migration 6

-- rr (RFC 9483 4.2); answers are given again to the same octets.
CREATE TABLE revocation_request (
    rid       BLOB PRIMARY KEY CHECK (length(rid) = 32),
    serial    BLOB NOT NULL REFERENCES revocation (serial),
    evidence  BLOB NOT NULL,           -- signed by the RA around the requester's own octets
    created   INTEGER NOT NULL,
    leaf      INTEGER NOT NULL
) STRICT;
CREATE TRIGGER revocation_request_fixed BEFORE UPDATE ON revocation_request
BEGIN SELECT RAISE(ABORT, 'a revocation request does not change'); END;
CREATE TRIGGER revocation_request_kept BEFORE DELETE ON revocation_request
BEGIN SELECT RAISE(ABORT, 'a revocation request is kept'); END;

-- migration 7

-- SHA-256 of the file of profiles that an intent was made under; NULL for infrastructure and before.
ALTER TABLE request ADD COLUMN profile_file BLOB CHECK (profile_file IS NULL OR length(profile_file) = 32);
CREATE TRIGGER request_profile_file BEFORE UPDATE OF profile_file ON request
BEGIN SELECT RAISE(ABORT, 'a request does not change'); END;

-- migration 8

-- As in `request`: such a one holds no place of its registration.
ALTER TABLE pending ADD COLUMN renews BLOB CHECK (length(renews) = 16);
-- One renewal of a certificate waits at a time.
CREATE UNIQUE INDEX pending_renews ON pending (renews) WHERE renews IS NOT NULL AND open = 1;
CREATE TRIGGER pending_fixed_renewal BEFORE UPDATE OF renews ON pending
BEGIN SELECT RAISE(ABORT, 'a pending request does not change'); END;

-- migration 9

-- What waits for its certConf. What is not confirmed in time counts as rejected (RFC 9483 4.1.1).
CREATE INDEX request_unconfirmed ON request (confirm, created) WHERE state = 1 AND confirm > 0;
-- The registration of the same nfInstanceId that a registrar replaced with this one on purpose: what is
-- live under it is superseded when the first certificate under this one is confirmed.
ALTER TABLE registration ADD COLUMN supersedes TEXT;
CREATE TRIGGER registration_fixed_supersedes BEFORE UPDATE OF supersedes ON registration
BEGIN SELECT RAISE(ABORT, 'a registration does not change'); END;

-- migration 10

-- messageTime of a request; NULL: it had none. Of two requests for the place of one certificate the
-- newer one counts.
ALTER TABLE request ADD COLUMN message_time INTEGER;
CREATE TRIGGER request_fixed_message_time BEFORE UPDATE OF message_time ON request
BEGIN SELECT RAISE(ABORT, 'a request does not change'); END;
-- The newest that came to nothing, of each registration.
CREATE INDEX request_rejected ON request (registration, leaf) WHERE state = 4;
-- A kur that is answered with the certificate of an earlier one, whose answer got lost.
CREATE TABLE again (
    rid             BLOB PRIMARY KEY CHECK (length(rid) = 32),
    request         BLOB NOT NULL REFERENCES request (rid),
    registration    TEXT NOT NULL REFERENCES registration (id),
    transaction_id  BLOB NOT NULL,
    cert_req_id     INTEGER NOT NULL,
    message_time    INTEGER NOT NULL,
    evidence        BLOB NOT NULL,     -- signed by the RA around the NF's own octets
    queue_sequence  INTEGER NOT NULL,
    queue_previous  BLOB NOT NULL,
    created         INTEGER NOT NULL,
    leaf            INTEGER NOT NULL,
    UNIQUE (registration, transaction_id)
) STRICT;
CREATE INDEX again_request ON again (request);
CREATE TRIGGER again_fixed BEFORE UPDATE ON again
BEGIN SELECT RAISE(ABORT, 'what was asked again does not change'); END;
CREATE TRIGGER again_kept BEFORE DELETE ON again
BEGIN SELECT RAISE(ABORT, 'what was asked again is kept'); END;

-- migration 11

-- What a certificate is stands in the first INTENT with its serial number (db/issuance/role.c): in the
-- octets that the Merkle tree holds, and in no row. Leaves are compact JSON, where quotes within a text
-- are escaped: only a member is found so. (json_extract() is not for schemas that are not trusted.)
CREATE INDEX leaf_intent
    ON leaf (substr(CAST(body AS TEXT), instr(CAST(body AS TEXT), '"serial":"') + 10, 32))
    WHERE instr(CAST(body AS TEXT), '"kind":"INTENT"') > 0;

-- migration 12

-- From when the certificate of an intent is good: before `created`, when it was judged. NULL: at `created`.
ALTER TABLE request ADD COLUMN not_before INTEGER CHECK (not_before IS NULL OR not_before <= created);
CREATE TRIGGER request_not_before BEFORE UPDATE OF not_before ON request
BEGIN SELECT RAISE(ABORT, 'a request does not change'); END;

-- migration 13

-- The serial number of a certificate that its network function rejected, when this one is the further
-- try that policy allows: no use of the registration, once for each.
ALTER TABLE request ADD COLUMN instead_of BLOB CHECK (length(instead_of) = 16);
CREATE UNIQUE INDEX request_instead_of ON request (registration)
    WHERE instead_of IS NOT NULL AND state IN (0, 1, 3, 4);
CREATE TRIGGER request_fixed_instead_of BEFORE UPDATE OF instead_of ON request
BEGIN SELECT RAISE(ABORT, 'a request does not change'); END;
-- What came of the initial certificates of a profile, the newest last.
CREATE INDEX request_initial ON request (registration, profile, leaf)
    WHERE renews IS NULL AND state IN (1, 3, 4);
CREATE INDEX confirmation_rejected ON confirmation (request) WHERE accepted = 0;
CREATE TRIGGER confirmation_fixed BEFORE UPDATE ON confirmation
BEGIN SELECT RAISE(ABORT, 'a confirmation does not change'); END;
CREATE TRIGGER confirmation_kept BEFORE DELETE ON confirmation
BEGIN SELECT RAISE(ABORT, 'a confirmation is kept'); END;

-- migration 14

-- The date that each CRL has: before `revoked`, when it was recorded, since a CRL begins before it is
-- made. NULL: `revoked`.
ALTER TABLE revocation ADD COLUMN crl_date INTEGER CHECK (crl_date IS NULL OR crl_date <= revoked);

-- migration 15

-- From here on queue_previous is the SHA-256 of the text of the head that the RA signed and `evidence` is
-- under (base/tlog/queue_head.h), and queue_sequence is the place that it has there. In rows of before, and
-- of RAs of before, it is the hash of the entry before in the RA's queue, as the RA said it.
-- Which of these heads have a leaf QUEUE-HEAD that is a day old at most, and under which certificate.
CREATE TABLE queue_head (
    hash      BLOB PRIMARY KEY CHECK (length(hash) = 32),
    ra        BLOB NOT NULL CHECK (length(ra) = 16), -- serial
    recorded  INTEGER NOT NULL,
    leaf      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX queue_head_recorded ON queue_head (recorded);

-- migration 16

-- Who wrote the rows of the other tables: until pages were sealed (db/pages/pages.h).
CREATE TABLE seal (
    bucket  INTEGER NOT NULL,
    tbl     INTEGER NOT NULL,          -- struct sealed_table.number
    key     BLOB NOT NULL,
    leaf    INTEGER NOT NULL,          -- leaves in the record when it was sealed
    mac     BLOB NOT NULL CHECK (length(mac) = 32),
    PRIMARY KEY (bucket, tbl, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE seal_bucket (
    bucket  INTEGER PRIMARY KEY,
    nonce   BLOB NOT NULL CHECK (length(nonce) = 16),
    sum     BLOB NOT NULL CHECK (length(sum) = 32)
) STRICT;
CREATE TABLE seal_head (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    key_id  BLOB NOT NULL CHECK (length(key_id) = 32), -- which key it is; tells nothing about it
    nonce   BLOB NOT NULL CHECK (length(nonce) = 16),
    sum     BLOB NOT NULL CHECK (length(sum) = 32),
    leaf    INTEGER NOT NULL,          -- leaves in the record
    rows    INTEGER NOT NULL,          -- that are sealed
    mac     BLOB NOT NULL CHECK (length(mac) = 32)
) STRICT;

-- migration 17

-- From a row back to its leaf, where the row has no column `leaf`; only a member is found so, as with
-- leaf_intent.
CREATE INDEX leaf_issued
    ON leaf (substr(CAST(body AS TEXT), instr(CAST(body AS TEXT), '"serial":"') + 10, 32))
    WHERE instr(CAST(body AS TEXT), '"kind":"ISSUED"') > 0;
CREATE INDEX leaf_revoked
    ON leaf (substr(CAST(body AS TEXT), instr(CAST(body AS TEXT), '"serial":"') + 10, 32))
    WHERE instr(CAST(body AS TEXT), '"kind":"REVOKED"') > 0;
CREATE INDEX leaf_crl
    ON leaf (CAST(substr(CAST(body AS TEXT), instr(CAST(body AS TEXT), '"number":') + 9, 20) AS INTEGER))
    WHERE instr(CAST(body AS TEXT), '"kind":"CRL"') > 0;

-- migration 18

-- All rows of an owner were found by these, when rows had seals.
CREATE INDEX confirmation_request ON confirmation (request);
CREATE INDEX revocation_day ON revocation (not_after / 86400);

-- migration 19

-- How far the comparison of the rows with the record is (db/issuance/scrub.h).
CREATE TABLE scrub (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    position  BLOB NOT NULL,           -- of the pass that goes on, for this program on this machine
    begun     INTEGER NOT NULL,        -- the last whole pass; 0: there was none
    ended     INTEGER NOT NULL,
    leaves    INTEGER NOT NULL,        -- that there were at its beginning,
    requests  INTEGER NOT NULL         -- and the greatest rowid of a request
) STRICT;

-- migration 20

-- Leaf of its REVOKED; NULL: it is live. That a certificate is revoked stands in a row that must be there,
-- and not in whether there is one in `revocation`. An intent that was given up has no row here: its serial
-- number is revoked when its request is in state 5.
ALTER TABLE certificate ADD COLUMN revoked INTEGER;
DROP TRIGGER certificate_fixed;
UPDATE certificate SET revoked = (SELECT r.idx FROM leaf r
    WHERE instr(CAST(r.body AS TEXT), '"kind":"REVOKED"') > 0 AND
    substr(CAST(r.body AS TEXT), instr(CAST(r.body AS TEXT), '"serial":"') + 10, 32) = lower(hex(certificate.serial)));
CREATE TRIGGER certificate_fixed BEFORE UPDATE OF serial, rid, der, nf_instance, profile, not_after, issued
    ON certificate
BEGIN SELECT RAISE(ABORT, 'a certificate does not change'); END;
CREATE TRIGGER certificate_revoked BEFORE UPDATE OF revoked ON certificate
    WHEN old.revoked IS NOT NULL OR new.revoked IS NULL
BEGIN SELECT RAISE(ABORT, 'what is revoked stays revoked'); END;

-- migration 21

-- What it pins, in the form that ca/registration/proof.h has; NULL: a secret, which the RA makes.
ALTER TABLE registration ADD COLUMN proof TEXT;
UPDATE registration SET proof = CASE json_extract(CAST(json AS TEXT), '$.proof.kind')
    WHEN 'certificate' THEN 'certificate ' || lower(json_extract(CAST(json AS TEXT), '$.proof.sha256'))
    WHEN 'publicKey' THEN 'publicKey ' || lower(json_extract(CAST(json AS TEXT), '$.proof.sha256'))
    WHEN 'vendor' THEN 'vendor ' || json_extract(CAST(json AS TEXT), '$.proof.issuer') || char(10)
        || json_extract(CAST(json AS TEXT), '$.proof.subject')
    END WHERE json_valid(CAST(json AS TEXT));
-- Which live one has it. Not UNIQUE: a state of before may have two, and nothing is issued under them.
CREATE INDEX registration_proof ON registration (proof) WHERE state = 0 AND proof IS NOT NULL;
CREATE TRIGGER registration_fixed_proof BEFORE UPDATE OF proof ON registration
BEGIN SELECT RAISE(ABORT, 'a registration does not change'); END;

-- migration 22

-- Are there live registrations of before that pin the same? Since migration 21 no second one is taken, so
-- where there are none a start does not look for them.
INSERT INTO setting(name, value) SELECT 'shared-proofs', x'01' WHERE EXISTS (
    SELECT 1 FROM registration WHERE state = 0 AND proof IS NOT NULL GROUP BY proof HAVING count(*) > 1);

-- migration 23

-- How far the journal of each key of ours is compared with the record (db/issuance/journal.h). kind: 0 it signs
-- certificates and CRLs, 1 checkpoints. The chain is over all lines up to `compared`.
CREATE TABLE journal (
    key       BLOB PRIMARY KEY CHECK (length(key) = 32), -- SHA-256 of its SubjectPublicKeyInfo
    kind      INTEGER NOT NULL CHECK (kind IN (0, 1)),
    exempt    INTEGER NOT NULL CHECK (exempt >= 0),
    compared  INTEGER NOT NULL CHECK (compared >= exempt),
    chain     BLOB NOT NULL CHECK (length(chain) = 32),
    again     INTEGER NOT NULL DEFAULT 0,
    stored    INTEGER NOT NULL DEFAULT 0,
    checked   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- What has a line there: kind 0 a leaf INTENT or CRL-INTENT by its index, 1 a checkpoint by its size.
CREATE TABLE attempted (
    kind  INTEGER NOT NULL,
    at    INTEGER NOT NULL,
    PRIMARY KEY (kind, at)
) STRICT, WITHOUT ROWID;
-- The announcement of a CRL by its number, in the octets that the Merkle tree holds (as leaf_intent).
CREATE INDEX leaf_crl_intent
    ON leaf (CAST(substr(CAST(body AS TEXT), instr(CAST(body AS TEXT), '"number":') + 9, 19) AS INTEGER))
    WHERE instr(CAST(body AS TEXT), '"kind":"CRL-INTENT"') > 0;

-- migration 24

-- A registration is found by its leaf.
CREATE INDEX leaf_registration
    ON leaf (substr(CAST(body AS TEXT), instr(CAST(body AS TEXT), '"registration":"') + 16, 32))
    WHERE instr(CAST(body AS TEXT), '"kind":"REGISTRATION"') > 0;

-- migration 25

-- A line of a journal that two officers acknowledged, by the digest of what it is of (db/issuance/journal.h).
CREATE INDEX leaf_acknowledged
    ON leaf (substr(CAST(body AS TEXT), instr(CAST(body AS TEXT), '"sha256":"') + 10, 64))
    WHERE instr(CAST(body AS TEXT), '"kind":"ACKNOWLEDGED"') > 0;

-- migration 27

-- Of which CRLs the octets are still kept: the newest two. The leaf CRL has the hash of each.
CREATE INDEX crl_octets ON crl (number) WHERE length(der) > 0;

-- migration 28

-- How many there are is told without a look at all requests.
CREATE INDEX request_refused ON request (state) WHERE state = 2;

-- migration 29

-- Pages have seals (db/pages/pages.h), and rows none. So what is not there is known not to be.
DROP TABLE seal;
DROP TABLE seal_bucket;
DROP TABLE seal_head;
DROP INDEX revocation_day;
-- From when on, says the record (db/issuance/sealed.h).
CREATE INDEX leaf_sealed ON leaf (idx) WHERE kind = 'SEALED';

-- migration 32

-- Several signers of one key have a journal each, which is known by the signer's place in the configuration.
-- stored and checked are of the key, the same in all its rows.
ALTER TABLE journal RENAME TO journal_of_key;
CREATE TABLE journal (
    key       BLOB NOT NULL CHECK (length(key) = 32), -- SHA-256 of its SubjectPublicKeyInfo
    number    INTEGER NOT NULL CHECK (number >= 0), -- of the signer, from 0
    kind      INTEGER NOT NULL CHECK (kind IN (0, 1)),
    exempt    INTEGER NOT NULL CHECK (exempt >= 0),
    compared  INTEGER NOT NULL CHECK (compared >= exempt),
    chain     BLOB NOT NULL CHECK (length(chain) = 32),
    again     INTEGER NOT NULL DEFAULT 0,
    stored    INTEGER NOT NULL DEFAULT 0,
    checked   INTEGER NOT NULL,
    PRIMARY KEY (key, number)
) STRICT, WITHOUT ROWID;
INSERT INTO journal SELECT key, 0, kind, exempt, compared, chain, again, stored, checked FROM journal_of_key;
DROP TABLE journal_of_key;

-- migration 33

-- What an enrolment writes at a random place costs a page of the WAL and of the file, as soon as there are many. So:
-- certificates of a network function are those of the requests under its registrations,
DROP INDEX certificate_nf;
-- whether a profile was rejected last is asked of request_rejected first,
DROP INDEX request_initial;
-- and a confirmation is found by its leaf, which its request names, and which is its own.
DROP INDEX confirmation_request;
CREATE UNIQUE INDEX confirmation_leaf ON confirmation (leaf);

-- migration 34

-- What a certificate is stands elsewhere: its octets in its leaf ISSUED, its serial number in its request. The row says
-- where, so it needs no index of random values. Requests are never numbered anew: none of them goes.
ALTER TABLE certificate RENAME TO certificate_before;
CREATE TABLE certificate (
    request      INTEGER NOT NULL UNIQUE, -- rowid
    leaf         INTEGER NOT NULL,        -- ISSUED
    nf_instance  TEXT,
    profile      TEXT NOT NULL,
    not_after    INTEGER NOT NULL,
    issued       INTEGER NOT NULL,
    revoked      INTEGER                  -- leaf of its REVOKED; NULL: it is live
) STRICT;
INSERT INTO certificate SELECT q.rowid, l.idx, c.nf_instance, c.profile, c.not_after, c.issued, c.revoked
    FROM certificate_before c CROSS JOIN request q ON q.rid = c.rid CROSS JOIN leaf_subject s ON s.subject = c.serial
    CROSS JOIN leaf l ON l.idx = s.idx AND l.kind = 'ISSUED' ORDER BY c.rowid;
-- An officer's certificate is known by its request, too.
ALTER TABLE approval RENAME TO approval_before;
CREATE TABLE approval (
    rid         BLOB NOT NULL REFERENCES pending (rid),
    approves    INTEGER NOT NULL CHECK (approves IN (0, 1)),
    officer     BLOB NOT NULL REFERENCES request (serial),
    subject     TEXT NOT NULL,
    key_sha256  BLOB NOT NULL,
    cms         BLOB NOT NULL,
    created     INTEGER NOT NULL,
    leaf        INTEGER NOT NULL UNIQUE,
    UNIQUE (rid, approves, subject),
    UNIQUE (rid, approves, key_sha256)
) STRICT;
INSERT INTO approval SELECT * FROM approval_before ORDER BY rowid;
DROP TABLE approval_before;
-- Pages that become free are not overwritten, which would take all of them at once into memory.
PRAGMA secure_delete = FAST;
CREATE TRIGGER approval_fixed BEFORE UPDATE ON approval
BEGIN SELECT RAISE(ABORT, 'an approval does not change'); END;
CREATE TRIGGER approval_kept BEFORE DELETE ON approval
BEGIN SELECT RAISE(ABORT, 'an approval is kept'); END;
CREATE TRIGGER approval_open BEFORE INSERT ON approval
    WHEN NOT EXISTS (SELECT 1 FROM pending WHERE rid = new.rid AND open = 1)
BEGIN SELECT RAISE(ABORT, 'nothing waits for this approval'); END;
DROP TABLE certificate_before;
CREATE INDEX certificate_infrastructure ON certificate (profile) WHERE nf_instance IS NULL;
CREATE TRIGGER certificate_fixed BEFORE UPDATE OF request, leaf, nf_instance, profile, not_after, issued ON certificate
BEGIN SELECT RAISE(ABORT, 'a certificate does not change'); END;
CREATE TRIGGER certificate_revoked BEFORE UPDATE OF revoked ON certificate
    WHEN old.revoked IS NOT NULL OR new.revoked IS NULL
BEGIN SELECT RAISE(ABORT, 'what is revoked stays revoked'); END;
CREATE TRIGGER certificate_kept BEFORE DELETE ON certificate
BEGIN SELECT RAISE(ABORT, 'a certificate is kept'); END;
