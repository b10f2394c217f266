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
