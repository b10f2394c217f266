-- SPDX-License-Identifier: Apache-2.0
-- The record inside ca.db: rows are added at the end and never changed (RFC 6962 2.1, C2SP tlog-tiles).
-- migration 1
CREATE TABLE leaf (
  idx  INTEGER PRIMARY KEY,
  kind TEXT    NOT NULL,
  time INTEGER NOT NULL,
  body BLOB    NOT NULL CHECK (length(body) BETWEEN 1 AND 65535),
  hash BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;

-- Roots of full subtrees: level 1 holds pairs of leaves, level n holds 2^n leaves.
CREATE TABLE node (
  level INTEGER NOT NULL CHECK (level BETWEEN 1 AND 62),
  idx   INTEGER NOT NULL CHECK (idx >= 0),
  hash  BLOB    NOT NULL CHECK (length(hash) = 32),
  PRIMARY KEY (level, idx)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoint (
  size INTEGER PRIMARY KEY CHECK (size > 0),
  root BLOB NOT NULL CHECK (length(root) = 32),
  note TEXT NOT NULL
) STRICT;

CREATE TRIGGER leaf_grows BEFORE INSERT ON leaf
WHEN NEW.idx IS NOT (SELECT coalesce(max(idx) + 1, 0) FROM leaf)
BEGIN SELECT RAISE(ABORT, 'the record grows at its end only'); END;
CREATE TRIGGER leaf_stays BEFORE UPDATE ON leaf
BEGIN SELECT RAISE(ABORT, 'the record is never changed'); END;
CREATE TRIGGER leaf_remains BEFORE DELETE ON leaf
BEGIN SELECT RAISE(ABORT, 'the record is never deleted'); END;

CREATE TRIGGER node_is_new BEFORE INSERT ON node
WHEN EXISTS (SELECT 1 FROM node WHERE level = NEW.level AND idx = NEW.idx)
BEGIN SELECT RAISE(ABORT, 'the record is never changed'); END;
CREATE TRIGGER node_stays BEFORE UPDATE ON node
BEGIN SELECT RAISE(ABORT, 'the record is never changed'); END;
CREATE TRIGGER node_remains BEFORE DELETE ON node
BEGIN SELECT RAISE(ABORT, 'the record is never deleted'); END;

CREATE TRIGGER checkpoint_grows BEFORE INSERT ON checkpoint
WHEN NEW.size <= (SELECT coalesce(max(size), 0) FROM checkpoint)
  OR NEW.size > (SELECT coalesce(max(idx) + 1, 0) FROM leaf)
BEGIN SELECT RAISE(ABORT, 'a checkpoint covers more than the last one'); END;
CREATE TRIGGER checkpoint_stays BEFORE UPDATE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'the record is never changed'); END;
CREATE TRIGGER checkpoint_remains BEFORE DELETE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'the record is never deleted'); END;

-- migration 26

-- What leaves are found by, whose kinds subject.h has: the value of a member. In place of indexes on
-- expressions over the octets, each of which was computed for each leaf that was appended.
CREATE TABLE leaf_subject (
  idx     INTEGER PRIMARY KEY,
  subject ANY NOT NULL               -- octets, or a number
) STRICT;
INSERT INTO leaf_subject
WITH
  said(idx, kind, text) AS (
    SELECT idx, kind, CAST(body AS TEXT) FROM leaf
    WHERE kind IN ('INTENT', 'ISSUED', 'REVOKED', 'REGISTRATION', 'ACKNOWLEDGED', 'CRL', 'CRL-INTENT')
  ),
  at(idx, number, value) AS (
    SELECT idx, kind IN ('CRL', 'CRL-INTENT'), substr(text, CASE kind
      WHEN 'REGISTRATION' THEN instr(text, '"registration":"') + 16
      WHEN 'ACKNOWLEDGED' THEN instr(text, '"sha256":"') + 10
      WHEN 'CRL' THEN instr(text, '"number":') + 9
      WHEN 'CRL-INTENT' THEN instr(text, '"number":') + 9
      ELSE instr(text, '"serial":"') + 10 END, 129)
    FROM said
  )
SELECT idx, iif(number, CAST(value AS INTEGER), unhex(substr(value, 1, instr(value, '"') - 1))) FROM at
ORDER BY idx;
CREATE INDEX leaf_by_subject ON leaf_subject (subject);
CREATE TRIGGER leaf_subject_new BEFORE INSERT ON leaf_subject
WHEN NEW.idx IS NOT (SELECT max(idx) FROM leaf)
BEGIN SELECT RAISE(ABORT, 'the record grows at its end only'); END;
CREATE TRIGGER leaf_subject_stays BEFORE UPDATE ON leaf_subject
BEGIN SELECT RAISE(ABORT, 'the record is never changed'); END;
CREATE TRIGGER leaf_subject_remains BEFORE DELETE ON leaf_subject
BEGIN SELECT RAISE(ABORT, 'the record is never deleted'); END;
DROP INDEX leaf_intent;
DROP INDEX leaf_issued;
DROP INDEX leaf_revoked;
DROP INDEX leaf_crl;
DROP INDEX leaf_crl_intent;
DROP INDEX leaf_registration;
DROP INDEX leaf_acknowledged;

-- migration 30

-- What values are packed with (db/store/packed.h): from here on the bodies of leaves, and octets of ca.sql.
CREATE TABLE dictionary (
  id     INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 16777215),
  kind   TEXT NOT NULL,
  octets BLOB NOT NULL
) STRICT;
CREATE INDEX dictionary_kind ON dictionary (kind, id);
CREATE TRIGGER dictionary_stays BEFORE UPDATE ON dictionary
BEGIN SELECT RAISE(ABORT, 'what is packed with it needs it'); END;
CREATE TRIGGER dictionary_remains BEFORE DELETE ON dictionary
BEGIN SELECT RAISE(ABORT, 'what is packed with it needs it'); END;

-- migration 31

-- In place of `node`: what was a row in each level's right end is octets at one end. Every trailing 1 of a
-- leaf's index is a subtree that it completes: their roots, the smallest first.
CREATE TABLE completed (
  idx    INTEGER PRIMARY KEY CHECK (idx & 1),
  hashes BLOB NOT NULL CHECK (length(hashes) BETWEEN 32 AND 62 * 32 AND length(hashes) % 32 = 0)
) STRICT;
INSERT INTO completed SELECT at, unhex(group_concat(hex(hash), ''))
  FROM (SELECT ((idx + 1) << level) - 1 AS at, hash FROM node ORDER BY at, level) GROUP BY at ORDER BY at;
DROP TABLE node;
CREATE TRIGGER completed_new BEFORE INSERT ON completed
WHEN NEW.idx IS NOT (SELECT max(idx) FROM leaf)
BEGIN SELECT RAISE(ABORT, 'the record grows at its end only'); END;
CREATE TRIGGER completed_stays BEFORE UPDATE ON completed
BEGIN SELECT RAISE(ABORT, 'the record is never changed'); END;
CREATE TRIGGER completed_remains BEFORE DELETE ON completed
BEGIN SELECT RAISE(ABORT, 'the record is never deleted'); END;
