-- SPDX-License-Identifier: Apache-2.0
-- ra.db: what nfpki-ra must not forget. The CA is the truth about certificates; what is lost here can
-- be asked again there. Times are seconds since 1970.

-- migration 1

-- What a registrar signed and the CA accepted. The secret of proof kind mac is sealed (ra/secret/seal.h).
CREATE TABLE registration (
    id            TEXT PRIMARY KEY,    -- 32 lower hex digits
    cms           BLOB NOT NULL,
    json          BLOB NOT NULL,       -- its signed content
    nf_instance   TEXT NOT NULL,
    proof         INTEGER NOT NULL,    -- enum proof_kind
    reference     TEXT UNIQUE,         -- proof mac: the senderKID
    sealed        BLOB,                -- proof mac: the secret
    fingerprint   BLOB,                -- proof certificate: SHA-256 of its DER
    issuer        TEXT,                -- proof vendor
    subject       TEXT,                -- proof vendor
    not_after     INTEGER NOT NULL,
    certificates  INTEGER NOT NULL,    -- initial ones that may be asked for
    used          INTEGER NOT NULL DEFAULT 0 CHECK (used >= 0 AND used <= certificates),
    cancelled     INTEGER NOT NULL DEFAULT 0 CHECK (cancelled IN (0, 1)),
    registered    INTEGER NOT NULL
) STRICT;
CREATE INDEX registration_fingerprint ON registration (fingerprint) WHERE fingerprint IS NOT NULL;
CREATE INDEX registration_vendor ON registration (issuer, subject) WHERE issuer IS NOT NULL;

-- Replay cache: every authenticated first message, whatever became of it (RFC 9483 3.5).
CREATE TABLE seen (
    identity        TEXT NOT NULL,     -- who asked: "mac:<reference>" or "cert:<fingerprint>"
    transaction_id  BLOB NOT NULL,
    until           INTEGER NOT NULL,
    PRIMARY KEY (identity, transaction_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX seen_until ON seen (until);

CREATE TABLE enrolment (
    id              INTEGER PRIMARY KEY,
    identity        TEXT NOT NULL,
    transaction_id  BLOB NOT NULL,
    registration    TEXT NOT NULL REFERENCES registration (id),
    profile         TEXT NOT NULL,
    body            INTEGER NOT NULL,  -- enum cmp_body of the first message
    cert_req_id     INTEGER NOT NULL,
    implicit        INTEGER NOT NULL CHECK (implicit IN (0, 1)), -- implicitConfirm is granted
    state           INTEGER NOT NULL CHECK (state BETWEEN 0 AND 6), -- enum requests_state
    nonce           BLOB,              -- the senderNonce of our last answer
    nonce_before    BLOB,              -- and of the one before it, which may be all that arrived
    certificate     BLOB,
    fail_info       INTEGER,           -- of a refusal
    phrase          TEXT,
    accepted        INTEGER,           -- certConf: 1 accepted, 0 rejected
    until           INTEGER NOT NULL,
    confirm_by      INTEGER,           -- SENT: when its certConf is overdue
    UNIQUE (identity, transaction_id)
) STRICT;
CREATE INDEX enrolment_transaction_id ON enrolment (transaction_id);
CREATE INDEX enrolment_confirm ON enrolment (confirm_by) WHERE state = 2;
CREATE INDEX enrolment_until ON enrolment (until);

-- What the CA is asked, in order; each entry chains the one before.
CREATE TABLE queue (
    sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
    rid        BLOB NOT NULL UNIQUE,   -- SHA-256 of the network function's message
    enrolment  INTEGER NOT NULL REFERENCES enrolment (id),
    nested     BLOB NOT NULL,          -- that message, wrapped and signed by the RA
    previous   BLOB NOT NULL,
    hash       BLOB NOT NULL,          -- SHA-256(previous || sequence, 8 octets || rid || nested)
    answered   INTEGER NOT NULL DEFAULT 0 CHECK (answered IN (0, 1))
) STRICT;
CREATE INDEX queue_open ON queue (sequence) WHERE answered = 0;
CREATE INDEX queue_enrolment ON queue (enrolment);

-- migration 2

-- Proof publicKey: SHA-256 of the SubjectPublicKeyInfo that protects the request and is asked for.
ALTER TABLE registration ADD COLUMN public_key BLOB;
CREATE INDEX registration_public_key ON registration (public_key) WHERE public_key IS NOT NULL;

-- migration 3

-- A first message that is no initial enrolment (kur, rr) takes none of the registered certificates.
ALTER TABLE enrolment ADD COLUMN uncounted INTEGER NOT NULL DEFAULT 0 CHECK (uncounted IN (0, 1));

-- migration 4

-- Pages of the list, newest first; and what a network function has.
CREATE INDEX registration_listed ON registration (registered, id);
CREATE INDEX registration_nf ON registration (nf_instance);

-- migration 5

-- The CA said that officers must approve first: what the client is told, and when the CA is asked again.
ALTER TABLE enrolment ADD COLUMN check_after INTEGER; -- seconds; phrase has the reason
ALTER TABLE queue ADD COLUMN again_at INTEGER NOT NULL DEFAULT 0;

-- migration 6

-- Certificates that were delivered: who signs with one of them is refused early when it is revoked.
-- The CA decides again, and knows revocations that nobody told us of.
CREATE TABLE certificate (
    fingerprint   BLOB PRIMARY KEY CHECK (length(fingerprint) = 32), -- SHA-256 of its DER
    serial        BLOB NOT NULL UNIQUE,
    registration  TEXT NOT NULL REFERENCES registration (id),
    profile       TEXT NOT NULL,
    not_after     INTEGER NOT NULL,
    revoked       INTEGER NOT NULL DEFAULT 0 CHECK (revoked IN (0, 1))
) STRICT, WITHOUT ROWID;
CREATE INDEX certificate_registration ON certificate (registration);
CREATE INDEX certificate_not_after ON certificate (not_after);

-- migration 7

-- rr: the serial number of the certificate that is meant.
ALTER TABLE enrolment ADD COLUMN target BLOB;

-- migration 8

-- 1: the CA said CANCELLED. What is cancelled and not closed is told to it at the next connection.
ALTER TABLE registration ADD COLUMN closed INTEGER NOT NULL DEFAULT 0 CHECK (closed IN (0, 1));
CREATE INDEX registration_closing ON registration (id) WHERE cancelled = 1 AND closed = 0;

-- migration 9

-- genm that waits (for a CRL): what is inside its body, asked again with each poll.
ALTER TABLE enrolment ADD COLUMN question BLOB;

-- migration 10

-- ir, cr, p10cr, kur: what was asked for besides the key, a CertTemplate (ca/cmp/message/asked.h). NULL:
-- nothing, or asked before this column was there. The answer says whether all of it was granted.
ALTER TABLE enrolment ADD COLUMN asked BLOB;

-- migration 11

-- What a registrar signed to end a registration: the CA is told with it, and takes nothing less. NULL:
-- nothing, or the CA does not take it.
ALTER TABLE registration ADD COLUMN cancellation BLOB;

-- migration 12

-- Has a certificate of this registration been rejected by its network function?
CREATE INDEX enrolment_rejected ON enrolment (registration) WHERE accepted = 0;

-- migration 13

-- Another wrapper around the same message, by a later certificate of the RA's; sent instead of `nested`,
-- which stays, for the chain is over it.
ALTER TABLE queue ADD COLUMN rewrapped BLOB;
-- 1: it says a time that had not come yet when the CA saw it, so it is wrapped anew.
ALTER TABLE queue ADD COLUMN untimely INTEGER NOT NULL DEFAULT 0 CHECK (untimely IN (0, 1));

-- migration 14

-- What is committed together for the CA has one head, and the RA signs that: one signature for all of
-- it. No signature is kept: the same text is signed again. The last head stays: the next one chains it.
CREATE TABLE head (
    first   INTEGER PRIMARY KEY CHECK (first > 0), -- sequence of its first entry
    text    BLOB NOT NULL,                         -- base/tlog/queue_head.h
    leaves  BLOB NOT NULL,                         -- the hash of each entry, 32 octets each
    stamp   BLOB NOT NULL CHECK (length(stamp) = 32) -- of the text, under the key that seals secrets
) STRICT;

-- What the CA is asked, in order.
CREATE TABLE queue_14 (
    sequence   INTEGER PRIMARY KEY,
    rid        BLOB NOT NULL UNIQUE,   -- SHA-256 of the network function's message
    enrolment  INTEGER NOT NULL REFERENCES enrolment (id),
    message    BLOB NOT NULL,          -- that message; or what `entry` says
    entry      BLOB,                   -- a leaf: QueueEntry (ca/cmp/queue.h). NULL: `message` is wrapped,
                                       -- by itself, as each was before this migration
    answered   INTEGER NOT NULL DEFAULT 0 CHECK (answered IN (0, 1)),
    again_at   INTEGER NOT NULL DEFAULT 0,
    -- 1: it says a time that had not come yet when the CA saw it, so it takes a new place.
    untimely   INTEGER NOT NULL DEFAULT 0 CHECK (untimely IN (0, 1))
) STRICT;
INSERT INTO queue_14 SELECT sequence, rid, enrolment, coalesce(rewrapped, nested), NULL, answered, again_at,
    untimely FROM queue;
DROP TABLE queue;
ALTER TABLE queue_14 RENAME TO queue;
CREATE INDEX queue_open ON queue (sequence) WHERE answered = 0;
CREATE INDEX queue_enrolment ON queue (enrolment);

-- A head goes with the last of its entries.
CREATE TRIGGER queue_left AFTER DELETE ON queue
BEGIN
    DELETE FROM head WHERE first = (SELECT max(first) FROM head WHERE first <= OLD.sequence)
    AND first < (SELECT max(first) FROM head) AND NOT EXISTS (SELECT 1 FROM queue
        WHERE sequence >= head.first AND sequence < head.first + length(head.leaves) / 32);
END;
CREATE TRIGGER queue_moved AFTER UPDATE OF sequence ON queue
BEGIN
    DELETE FROM head WHERE first = (SELECT max(first) FROM head WHERE first <= OLD.sequence)
    AND first < (SELECT max(first) FROM head) AND NOT EXISTS (SELECT 1 FROM queue
        WHERE sequence >= head.first AND sequence < head.first + length(head.leaves) / 32);
END;

-- migration 15

-- What the CA's log was when it was seen last: a CA that shows less later, or another tree, is an older
-- copy. The row that came last is of the log that counts now.
CREATE TABLE ca_log (
    id    INTEGER PRIMARY KEY AUTOINCREMENT,
    vkey  TEXT NOT NULL UNIQUE,                -- its verifier key
    size  INTEGER NOT NULL CHECK (size > 0),   -- of the newest checkpoint,
    note  BLOB NOT NULL                        -- which is this
) STRICT;
CREATE TRIGGER ca_log_forward BEFORE UPDATE ON ca_log WHEN new.vkey <> old.vkey OR new.size < old.size
BEGIN SELECT RAISE(ABORT, 'a log does not shrink'); END;
CREATE TRIGGER ca_log_kept BEFORE DELETE ON ca_log
BEGIN SELECT RAISE(ABORT, 'what was seen of a log is kept'); END;

-- migration 16

-- Where the queue ends, whatever is still in it: no sequence comes twice, and no head is without the one
-- before it.
CREATE TABLE queue_end (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    next  INTEGER NOT NULL CHECK (next > 0),   -- sequence of the next entry
    head  INTEGER                              -- first of the last head; NULL: there was none
) STRICT;
INSERT INTO queue_end SELECT 1, max(coalesce((SELECT max(sequence) + 1 FROM queue), 1),
    coalesce((SELECT first + length(leaves) / 32 FROM head ORDER BY first DESC LIMIT 1), 1)),
    (SELECT max(first) FROM head);
CREATE TRIGGER queue_end_forward BEFORE UPDATE ON queue_end WHEN new.next < old.next OR new.head < old.head
BEGIN SELECT RAISE(ABORT, 'no place in the queue comes twice'); END;
CREATE TRIGGER queue_end_kept BEFORE DELETE ON queue_end
BEGIN SELECT RAISE(ABORT, 'no place in the queue comes twice'); END;
-- A head goes with the last of its entries: db/requests/heads.c does it.
DROP TRIGGER queue_left;
DROP TRIGGER queue_moved;

-- migration 17

-- Who wrote the rows of the other tables: until pages were sealed (db/pages/pages.h).
CREATE TABLE seal (
    bucket  INTEGER NOT NULL,
    tbl     INTEGER NOT NULL,          -- struct sealed_table.number
    key     BLOB NOT NULL,
    leaf    INTEGER NOT NULL,          -- number of the commit that sealed it
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
    leaf    INTEGER NOT NULL,          -- commits that changed something
    rows    INTEGER NOT NULL,          -- that are sealed
    mac     BLOB NOT NULL CHECK (length(mac) = 32)
) STRICT;
-- All rows of an owner were found by these, when rows had seals.
CREATE INDEX enrolment_registration ON enrolment (registration);
CREATE INDEX registration_subject ON registration (substr(CAST(subject AS BLOB), 1, 500))
    WHERE subject IS NOT NULL;

-- migration 18

-- What it began, whose row must be there then. NULL: it came to nothing, or was seen before this migration.
ALTER TABLE seen ADD COLUMN enrolment INTEGER;

-- migration 19

-- Whose the rows are, the file itself says (db/pages/pages.h).
DROP TABLE seal;
DROP TABLE seal_bucket;
DROP TABLE seal_head;
DROP INDEX registration_subject;

-- migration 20

-- A certificate of a registration that the CA has closed is revoked, whatever this column says.
DROP INDEX certificate_registration;
-- The transaction that it was the answer to last. NULL: it was delivered before this migration.
ALTER TABLE certificate ADD COLUMN enrolment INTEGER;

-- Replay cache, as before; and who has which transaction.
CREATE TABLE seen_20 (
    transaction_id  BLOB NOT NULL,
    identity        TEXT NOT NULL,     -- who asked: "mac:<reference>" or "cert:<fingerprint>"
    until           INTEGER NOT NULL,  -- of one that came to nothing
    enrolment       INTEGER,           -- what it began, with which it goes. NULL: it came to nothing
    PRIMARY KEY (transaction_id, identity)
) STRICT, WITHOUT ROWID;
INSERT INTO seen_20 SELECT transaction_id, identity, until, id FROM enrolment WHERE identity <> '';
INSERT OR IGNORE INTO seen_20 SELECT transaction_id, identity, until, NULL FROM seen;
DROP TABLE seen;
ALTER TABLE seen_20 RENAME TO seen;
CREATE INDEX seen_until ON seen (until) WHERE enrolment IS NULL;

CREATE TABLE enrolment_20 (
    id              INTEGER PRIMARY KEY,
    identity        TEXT NOT NULL,     -- '': it was withdrawn, and nobody finds it
    transaction_id  BLOB NOT NULL,
    registration    TEXT NOT NULL REFERENCES registration (id),
    profile         TEXT NOT NULL,
    body            INTEGER NOT NULL,  -- enum cmp_body of the first message
    cert_req_id     INTEGER NOT NULL,
    implicit        INTEGER NOT NULL CHECK (implicit IN (0, 1)), -- implicitConfirm is granted
    uncounted       INTEGER NOT NULL CHECK (uncounted IN (0, 1)),
    state           INTEGER NOT NULL CHECK (state BETWEEN 0 AND 6), -- enum requests_state
    accepted        INTEGER,           -- certConf: 1 accepted, 0 rejected
    until           INTEGER NOT NULL,
    confirm_by      INTEGER,           -- SENT: when its certConf is overdue
    check_after     INTEGER,           -- seconds; phrase has the reason
    fail_info       INTEGER,           -- of a refusal
    phrase          TEXT,
    nonce           BLOB,              -- the senderNonce of our last answer
    nonce_before    BLOB,              -- and of the one before it, which may be all that arrived
    target          BLOB,              -- rr: the serial number of the certificate that is meant
    question        BLOB,              -- genm that waits
    asked           BLOB,              -- ir, cr, p10cr, kur: ca/cmp/message/asked.h
    sibling         INTEGER,           -- another with the same certificate; 0: the first. NULL: no other
    certificate     BLOB
) STRICT;
INSERT INTO enrolment_20 SELECT id, identity, transaction_id, registration, profile, body, cert_req_id,
    implicit, uncounted, state, accepted, until, confirm_by, check_after, fail_info, phrase, nonce,
    nonce_before, target, question, asked, NULL, certificate FROM enrolment;
-- What the CA was asked, for as long as its enrolment is here; and where it is in the queue, when it has no
-- answer yet.
CREATE TABLE asked (
    rid        BLOB PRIMARY KEY,       -- SHA-256 of the network function's message
    enrolment  INTEGER NOT NULL REFERENCES enrolment_20 (id),
    sequence   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO asked SELECT rid, enrolment, sequence FROM queue;
-- What the CA is asked, in order: what was answered leaves.
CREATE TABLE queue_20 (
    sequence   INTEGER PRIMARY KEY,
    rid        BLOB NOT NULL,
    enrolment  INTEGER NOT NULL,
    again_at   INTEGER NOT NULL DEFAULT 0,
    -- 1: it says a time that had not come yet when the CA saw it, so it takes a new place.
    untimely   INTEGER NOT NULL DEFAULT 0 CHECK (untimely IN (0, 1)),
    entry      BLOB,                   -- a leaf: QueueEntry (ca/cmp/queue.h). NULL: `message` is wrapped
    message    BLOB NOT NULL           -- the network function's; or what `entry` says
) STRICT;
INSERT INTO queue_20 SELECT sequence, rid, enrolment, again_at, untimely, entry, message FROM queue
    WHERE answered = 0;
DROP TABLE queue;
DROP TABLE enrolment;
ALTER TABLE enrolment_20 RENAME TO enrolment;
ALTER TABLE queue_20 RENAME TO queue;
CREATE INDEX enrolment_confirm ON enrolment (confirm_by) WHERE state = 2;
CREATE INDEX enrolment_until ON enrolment (until);
CREATE INDEX enrolment_rejected ON enrolment (registration) WHERE accepted = 0;
CREATE INDEX asked_enrolment ON asked (enrolment);

-- migration 21

-- Heads whose entries had all been answered, and were kept for their enrolments.
DELETE FROM head WHERE first IS NOT (SELECT head FROM queue_end) AND NOT EXISTS
    (SELECT 1 FROM queue WHERE sequence >= head.first AND sequence < head.first + length(head.leaves) / 32);

-- migration 22

-- What a registrar signed: written once, so that what changes is a short row beside it.
CREATE TABLE signed (
    number  INTEGER PRIMARY KEY,
    cms     BLOB NOT NULL,
    json    BLOB NOT NULL              -- its signed content
) STRICT;
INSERT INTO signed SELECT rowid, cms, json FROM registration;
ALTER TABLE registration ADD COLUMN signed INTEGER; -- its number
UPDATE registration SET signed = rowid;
ALTER TABLE registration DROP COLUMN cms;
ALTER TABLE registration DROP COLUMN json;

-- What was issued, likewise.
CREATE TABLE issued (
    enrolment    INTEGER PRIMARY KEY,
    certificate  BLOB NOT NULL
) STRICT;
INSERT INTO issued SELECT id, certificate FROM enrolment WHERE certificate IS NOT NULL;
ALTER TABLE enrolment DROP COLUMN certificate;

-- What the CA was asked is found by its enrolment; by itself as long as it has no answer.
ALTER TABLE enrolment ADD COLUMN rid BLOB;          -- SHA-256 of the first message. NULL: the CA was not asked
ALTER TABLE enrolment ADD COLUMN confirmation BLOB; -- of the certConf
UPDATE enrolment SET
    rid = (SELECT rid FROM asked WHERE asked.enrolment = enrolment.id ORDER BY sequence LIMIT 1),
    confirmation = (SELECT rid FROM asked WHERE asked.enrolment = enrolment.id ORDER BY sequence LIMIT 1 OFFSET 1);
DROP TABLE asked;
CREATE UNIQUE INDEX queue_rid ON queue (rid);
