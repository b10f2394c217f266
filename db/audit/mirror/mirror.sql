-- SPDX-License-Identifier: Apache-2.0
--
-- The auditor's own database of one log: what is in it was verified before it was written.
--
-- Octets (serial numbers, rids, hashes) are BLOB: hex(serial), WHERE serial = x'0a1b'. Times are
-- seconds since 1970. Each row has the index of the leaf that says it, in `leaf`, so that every
-- answer can be proven. A certificate has the leaves of its life: `leaf` is its INTENT.
--
-- Ask the views, not the tables: an import that is under way has rows beyond the size that was
-- accepted, and views end there. Views know no clock: whether a certificate has expired says
-- whoever asks, by not_after and the time of the question.
--
-- nfpki-audit changes this file; with anybody else's changes it answers what they made of it.

-- migration 1

-- What log this is. key_from: 'given' by a person, or 'ledger': what the folder itself said.
-- cosigned: so many of the first leaves had the quorum of the last run's --policy cosigned; NULL: no
-- run had one.
CREATE TABLE log (
  one       INTEGER PRIMARY KEY CHECK (one = 1),
  origin    TEXT NOT NULL,
  vkey      TEXT NOT NULL,
  key_from  TEXT NOT NULL CHECK (key_from IN ('given', 'ledger')),
  made_by   TEXT NOT NULL, -- version of nfpki-audit
  made      INTEGER NOT NULL,
  cosigned  INTEGER
) STRICT;

-- Where the import is. accepted: so many leaves are seen by the views; next: so many are here.
-- edge: the roots of the full subtrees over `next` leaves, largest first; rules: what the rules
-- remember of the first rules_at leaves.
CREATE TABLE position (
  one       INTEGER PRIMARY KEY CHECK (one = 1),
  accepted  INTEGER NOT NULL CHECK (accepted BETWEEN 0 AND next),
  next      INTEGER NOT NULL,
  edge      BLOB NOT NULL,
  rules     BLOB NOT NULL,
  rules_at  INTEGER NOT NULL CHECK (rules_at BETWEEN 0 AND next)
) STRICT;

-- Every checkpoint that was seen, whole, with all signatures.
CREATE TABLE checkpoint (
  id      INTEGER PRIMARY KEY,
  size    INTEGER NOT NULL,
  root    BLOB NOT NULL,
  note    BLOB NOT NULL,
  seen    INTEGER NOT NULL,
  source  TEXT NOT NULL,
  state   TEXT NOT NULL CHECK (state IN ('importing', 'accepted', 'refused'))
) STRICT;
CREATE INDEX checkpoint_size ON checkpoint (size);

-- What leaves name by its SHA-256, file by file of tile/messages/ (db/LEDGER.md): `width` leaves name
-- so many, of which so many are missing, and so many wrong: another message than the leaf names, or cut.
-- reason: why the file was not taken, or what is wrong first; it is looked for again. body: zstd, of
-- so many octets, in which what was good once stays.
CREATE TABLE message_file (
  n        INTEGER PRIMARY KEY,
  width    INTEGER NOT NULL,
  named    INTEGER NOT NULL,
  missing  INTEGER NOT NULL,
  reason   TEXT,
  wrong    INTEGER NOT NULL,
  octets   INTEGER NOT NULL,
  body     BLOB NOT NULL
) STRICT;
CREATE INDEX message_file_open ON message_file (n) WHERE reason IS NOT NULL;

-- Lines of others below an accepted checkpoint; whose they are was not verified here.
CREATE TABLE cosignature (
  checkpoint  INTEGER NOT NULL REFERENCES checkpoint (id),
  name        TEXT NOT NULL,
  key_id      BLOB NOT NULL,
  time        INTEGER, -- NULL: it has none
  line        TEXT NOT NULL
) STRICT;

-- What witnesses gave back, by the id of the key: each the whole note, of this log, over as many leaves
-- as it had then; taken with the policy that names them, and verified by who shows it.
CREATE TABLE witness_note (
  key_id  BLOB PRIMARY KEY,
  note    BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Every run of `mirror`. result: 'accepted', 'nothing new', 'rolled back', 'fork', 'broken'.
CREATE TABLE sync (
  id         INTEGER PRIMARY KEY,
  started    INTEGER NOT NULL,
  ended      INTEGER, -- NULL: it was interrupted, or is under way
  source     TEXT NOT NULL,
  from_size  INTEGER NOT NULL,
  to_size    INTEGER, -- of the source's checkpoint
  result     TEXT,
  reason     TEXT
) STRICT;

-- What the rules counted up to the accepted size: 'open' intents, requests 'waiting' for officers,
-- 'twice' attested places in RAs' queues, 'missing' reports of RAs, 'acknowledged' lines of journals,
-- leaves that go 'back' in time, by 'most' seconds, 'taken' by people or before they could be, and
-- 'findings' of these.
CREATE TABLE figure (
  name  TEXT PRIMARY KEY,
  n     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The names of the numbers in leaf.kind and day.kind.
CREATE TABLE kind (
  id    INTEGER PRIMARY KEY,
  name  TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE leaf (
  idx   INTEGER PRIMARY KEY,
  kind  INTEGER NOT NULL,
  time  INTEGER NOT NULL
) STRICT;

-- Between which times what the leaves idx / 1024 = n say is: the clock may go back, so what is asked
-- by time begins and ends at a span.
CREATE TABLE span (
  n         INTEGER PRIMARY KEY,
  earliest  INTEGER NOT NULL,
  latest    INTEGER NOT NULL
) STRICT;

-- The leaves idx / 256 = n themselves: each a length of 2 octets, big endian, and the body, all of
-- it one zstd frame. width: how many leaves; octets: how many before they were packed.
CREATE TABLE bundle (
  n       INTEGER PRIMARY KEY,
  width   INTEGER NOT NULL CHECK (width BETWEEN 1 AND 256),
  octets  INTEGER NOT NULL,
  body    BLOB NOT NULL
) STRICT;

-- Hashes of the tree's level 8 * level, 256 a row: those of level 0 are the leaves'.
CREATE TABLE tile (
  level   INTEGER NOT NULL,
  n       INTEGER NOT NULL,
  hashes  BLOB NOT NULL,
  PRIMARY KEY (level, n)
) STRICT, WITHOUT ROWID;

-- REGISTRATION. cancelled: the leaf of its CANCEL; first_use: of the first ISSUED under it.
CREATE TABLE registration (
  leaf          INTEGER PRIMARY KEY,
  time          INTEGER NOT NULL,
  registration  BLOB NOT NULL,
  sha256        BLOB NOT NULL,
  nf            TEXT NOT NULL COLLATE NOCASE, -- nfInstanceId
  registrar     BLOB NOT NULL,                -- serial of its certificate
  proof         TEXT NOT NULL,
  certificates  INTEGER NOT NULL,
  not_before    INTEGER NOT NULL,
  not_after     INTEGER NOT NULL,
  supersedes    BLOB,
  batch         INTEGER NOT NULL, -- 1: signed as one of many
  home_domain   TEXT,             -- what the registrar signed
  cancelled     INTEGER,
  first_use     INTEGER
) STRICT;

CREATE INDEX registration_id ON registration (registration);

-- What a registration allows, as its registrar signed it. type: 'nfType', 'fqdn', 'profile'.
CREATE TABLE allowed (
  registration  INTEGER NOT NULL REFERENCES registration (leaf),
  type          TEXT NOT NULL,
  value         TEXT NOT NULL COLLATE NOCASE,
  PRIMARY KEY (registration, type, value)
) STRICT, WITHOUT ROWID;

-- CANCEL
CREATE TABLE cancellation (
  leaf          INTEGER PRIMARY KEY,
  time          INTEGER NOT NULL,
  registration  BLOB NOT NULL,
  reason        TEXT,
  by            TEXT, -- an officer at the CA,
  registrar     BLOB  -- or the serial of the registrar that signed it
) STRICT;

-- REQUEST. status: as the view says, of the accepted leaves.
CREATE TABLE request (
  leaf          INTEGER PRIMARY KEY,
  time          INTEGER NOT NULL,
  status        TEXT NOT NULL DEFAULT 'waiting',
  rid           BLOB NOT NULL,
  registration  BLOB NOT NULL,
  profile       TEXT NOT NULL,
  assurance     TEXT NOT NULL,
  qseq          INTEGER NOT NULL,
  approvals     INTEGER, -- that it needs
  head          BLOB,
  made          INTEGER,
  made_by       TEXT
) STRICT;

-- AGAIN: an update's certificate, given once more to a newer request (again)
CREATE TABLE repeat (
  leaf          INTEGER PRIMARY KEY,
  time          INTEGER NOT NULL,
  rid           BLOB NOT NULL,
  serial        BLOB NOT NULL,
  again         BLOB NOT NULL,
  registration  BLOB NOT NULL,
  message_time  INTEGER NOT NULL,
  qseq          INTEGER NOT NULL,
  head          BLOB
) STRICT;

-- QUEUE-HEAD: what an RA signed
CREATE TABLE queue_head (
  leaf  INTEGER PRIMARY KEY,
  time  INTEGER NOT NULL,
  head  BLOB NOT NULL,
  ra    BLOB NOT NULL -- serial of its certificate
) STRICT;

-- REFUSAL. fail_info: bit of PKIFailureInfo.
CREATE TABLE refusal (
  leaf          INTEGER PRIMARY KEY,
  time          INTEGER NOT NULL,
  rid           BLOB NOT NULL,
  registration  BLOB,
  fail_info     INTEGER NOT NULL,
  reason        TEXT NOT NULL,
  place         TEXT NOT NULL -- 'CA', 'RA'
) STRICT;

-- APPROVAL
CREATE TABLE approval (
  leaf          INTEGER PRIMARY KEY,
  time          INTEGER NOT NULL,
  rid           BLOB NOT NULL,
  registration  BLOB NOT NULL,
  decision      TEXT NOT NULL, -- 'approve', 'reject'
  officer       BLOB NOT NULL, -- serial of the certificate
  key           BLOB NOT NULL, -- SHA-256 of its public key
  subject       TEXT NOT NULL,
  reason        TEXT,
  by            TEXT           -- who handed it in
) STRICT;

-- Who decided so far.
CREATE TABLE decider (
  officer  BLOB NOT NULL,
  subject  TEXT NOT NULL,
  PRIMARY KEY (officer, subject)
) STRICT, WITHOUT ROWID;

-- INTENT, and what became of it: issued, confirmed, rejected, revoked are leaves. Without nf and
-- registration it is of the CA's own people and programs, and its profile is their role.
-- updates, renews, instead_of: serials of certificates before it. status: as the view says, of the
-- accepted leaves.
CREATE TABLE certificate (
  leaf             INTEGER PRIMARY KEY,
  time             INTEGER NOT NULL,
  status           TEXT NOT NULL DEFAULT 'pending',
  serial           BLOB NOT NULL,
  rid              BLOB NOT NULL,
  profile          TEXT NOT NULL,
  nf               TEXT COLLATE NOCASE,
  registration     BLOB,
  assurance        TEXT,
  approvals        INTEGER,
  renews           BLOB,
  updates          BLOB,
  instead_of       BLOB,
  profile_file     BLOB,
  message_time     INTEGER,
  not_before       INTEGER NOT NULL,
  not_after        INTEGER NOT NULL,
  tbs              BLOB NOT NULL, -- SHA-256 of the TBSCertificate
  by               TEXT,          -- who asked, of the CA's own people and programs
  issuer           BLOB,          -- SHA-256 of the issuing certificate of the last START
  issued           INTEGER,
  issued_at        INTEGER,
  sha256           BLOB,          -- of the certificate
  spki_sha256      BLOB,
  subject          TEXT,          -- RFC 2253
  confirmed        INTEGER,
  confirmed_at     INTEGER,
  rejected         INTEGER,
  rejected_reason  TEXT,
  revoked          INTEGER,
  revoked_at       INTEGER
) STRICT;
CREATE INDEX certificate_serial ON certificate (serial);

-- The requests of which leaves that are not accepted yet say more than those that are.
CREATE TABLE changed (
  rid  BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- What a certificate says of whom it is. type: 'DNS', 'URI', 'IP', 'email', 'CN', 'other'.
CREATE TABLE name (
  certificate  INTEGER NOT NULL REFERENCES certificate (leaf),
  type         TEXT NOT NULL,
  value        TEXT NOT NULL COLLATE NOCASE,
  PRIMARY KEY (certificate, type, value)
) STRICT, WITHOUT ROWID;

-- REVOKED. reason: CRLReason.
CREATE TABLE revocation (
  leaf           INTEGER PRIMARY KEY,
  time           INTEGER NOT NULL,
  serial         BLOB NOT NULL,
  certificate    INTEGER, -- leaf of its INTENT; NULL: the record has none
  profile        TEXT,    -- of the certificate
  reason         INTEGER NOT NULL,
  by             TEXT,
  date           INTEGER NOT NULL, -- that CRLs have
  superseded_by  BLOB,
  rr             BLOB,
  invalidity     INTEGER
) STRICT;

-- CRL-INTENT, and the CRL that followed
CREATE TABLE crl_intent (
  leaf            INTEGER PRIMARY KEY,
  time            INTEGER NOT NULL,
  number          INTEGER NOT NULL,
  tbs             BLOB NOT NULL,
  this_update     INTEGER NOT NULL,
  next_update     INTEGER NOT NULL,
  entries         INTEGER NOT NULL,
  revocations     BLOB NOT NULL,
  up_to           INTEGER NOT NULL,
  expired_before  INTEGER
) STRICT;
CREATE INDEX crl_intent_number ON crl_intent (number);
CREATE TABLE crl (
  leaf         INTEGER PRIMARY KEY,
  time         INTEGER NOT NULL,
  number       INTEGER NOT NULL,
  sha256       BLOB NOT NULL,
  this_update  INTEGER NOT NULL,
  next_update  INTEGER NOT NULL,
  entries      INTEGER NOT NULL,
  tbs          BLOB,
  up_to        INTEGER -- it has what the leaves before that one revoke; NULL: version 1
) STRICT;

-- START, STOP, RECOVERED, SEALED, CLOCK. root, log_key: SHA-256 of the root certificate and of the log
-- key's SubjectPublicKeyInfo; expected: what the clock would have shown.
CREATE TABLE operation (
  leaf            INTEGER PRIMARY KEY,
  time            INTEGER NOT NULL,
  kind            INTEGER NOT NULL,
  program         TEXT,
  version         TEXT,
  config          BLOB,
  software_token  INTEGER,
  issuer          BLOB,
  record          INTEGER,
  clock_set_back  INTEGER,
  root            BLOB,
  log_key         BLOB,
  resumed         INTEGER,
  abandoned       INTEGER,
  expected        INTEGER,
  text            TEXT
) STRICT;

-- OPERATION: what somebody did at the CA's admin socket, where no other leaf says so. untold: so many
-- before it were too many to tell.
CREATE TABLE command (
  leaf     INTEGER PRIMARY KEY,
  time     INTEGER NOT NULL,
  command  TEXT NOT NULL,
  by       TEXT NOT NULL,
  outcome  TEXT NOT NULL, -- 'done', 'refused'
  object   ANY,
  reason   TEXT,
  untold   INTEGER
) STRICT;

-- RA-REPORT, and its lines. since, until: the time that it tells of.
CREATE TABLE report (
  leaf    INTEGER PRIMARY KEY,
  time    INTEGER NOT NULL,
  report  BLOB NOT NULL, -- SHA-256 of its text
  ra      BLOB NOT NULL, -- serial of the RA's certificate
  number  INTEGER,
  since   INTEGER,
  until   INTEGER
) STRICT;
-- what: 'start', 'stop', 'refused', 'others' (refused, too, and not told each), 'did'.
CREATE TABLE reported (
  leaf          INTEGER NOT NULL REFERENCES report (leaf),
  line          INTEGER NOT NULL, -- from 0
  what          TEXT NOT NULL,
  time          INTEGER NOT NULL, -- of what has none, the end of the report's
  n             INTEGER,          -- how many were refused
  fail_info     INTEGER,
  registration  BLOB,             -- NULL: the RA knew none
  version       TEXT,             -- start
  config        BLOB,             -- start: SHA-256 of the RA's configuration,
  profiles      BLOB,             -- and of its file of profiles
  command       TEXT,             -- did
  outcome       TEXT,
  object        ANY,
  text          TEXT,             -- why, or who
  PRIMARY KEY (leaf, line)
) STRICT, WITHOUT ROWID;

-- CONFIG
CREATE TABLE configuration (
  leaf      INTEGER PRIMARY KEY,
  time      INTEGER NOT NULL,
  file      TEXT NOT NULL,
  sha256    BLOB NOT NULL,
  previous  BLOB
) STRICT;

-- CEREMONY
CREATE TABLE ceremony (
  leaf    INTEGER PRIMARY KEY,
  time    INTEGER NOT NULL,
  head    BLOB NOT NULL, -- of its transcript
  name    TEXT NOT NULL,
  sha256  BLOB,          -- of the bundle
  type    TEXT,          -- 'root-generate', 'sub-issue', ...
  previous    BLOB,      -- head of the one that it follows
  production  INTEGER,   -- 0: a rehearsal, or a software token
  by      TEXT           -- who handed it in
) STRICT;

-- RESTORED and ACKNOWLEDGED: what two officers signed together. first, last: leaves that were read
-- back; key, line, object, serial, number: of a line of a signer's journal.
CREATE TABLE signed (
  leaf            INTEGER PRIMARY KEY,
  time            INTEGER NOT NULL,
  kind            INTEGER NOT NULL,
  officer         BLOB NOT NULL,
  second_officer  BLOB NOT NULL,
  plan            BLOB NOT NULL,
  record          INTEGER NOT NULL,
  clock_set_back  INTEGER,
  first           INTEGER,
  last            INTEGER,
  adopted         INTEGER,
  previous        TEXT, -- origin of the log before this one
  key             BLOB,
  line            INTEGER,
  object          TEXT,
  serial          BLOB,
  number          INTEGER,
  reason          TEXT
) STRICT;

-- ADOPTED. origin: 'certificate', 'crl'.
CREATE TABLE adoption (
  leaf    INTEGER PRIMARY KEY,
  time    INTEGER NOT NULL,
  serial  BLOB NOT NULL,
  origin  TEXT NOT NULL
) STRICT;

-- What people should look at. found_by: 'mirror', while it was imported; 'lint', 'check': who was
-- asked last over this mirror. certificate: the leaf of its INTENT.
CREATE TABLE finding (
  id           INTEGER PRIMARY KEY,
  found_by     TEXT NOT NULL,
  code         TEXT NOT NULL,
  severity     TEXT NOT NULL CHECK (severity IN ('error', 'warning', 'notice')),
  leaf         INTEGER NOT NULL,
  certificate  INTEGER,
  text         TEXT NOT NULL,
  UNIQUE (found_by, code, leaf, text)
) STRICT;

-- When 'lint' and 'check' were asked last over this mirror, and of which leaves they have judged all:
-- those from `first` up to, and without, `size`. What `check` judges, lint has judged, too.
CREATE TABLE judged (
  by     TEXT PRIMARY KEY CHECK (by IN ('lint', 'check')),
  time   INTEGER NOT NULL,
  first  INTEGER NOT NULL,
  size   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Counters: day is time / 86400, reason CRLReason or the bit of PKIFailureInfo, -1 where there is
-- none. pending 1: of leaves that are not accepted yet.
CREATE TABLE day (
  pending  INTEGER NOT NULL,
  day      INTEGER NOT NULL,
  kind     INTEGER NOT NULL,
  profile  TEXT NOT NULL,
  reason   INTEGER NOT NULL,
  n        INTEGER NOT NULL,
  PRIMARY KEY (pending, day, kind, profile, reason)
) STRICT, WITHOUT ROWID;

-- kind: 'stop', from a STOP to the next START; 'crash', from the last leaf to a START without a
-- STOP before it; 'clock', a leaf that is dated before the one before it by more than five minutes,
-- or a CLOCK;
-- 'crl', from the nextUpdate of a CRL to the next one. leaf: of its end.
CREATE TABLE gap (
  leaf   INTEGER NOT NULL,
  kind   TEXT NOT NULL,
  since  INTEGER NOT NULL,
  until  INTEGER NOT NULL,
  PRIMARY KEY (leaf, kind)
) STRICT, WITHOUT ROWID;

-- ---- what is asked ----

CREATE VIEW leaves AS
  SELECT l.idx AS leaf, k.name AS kind, l.time AS time,
    (SELECT substr(t.hashes, 1 + 32 * (l.idx % 256), 32) FROM tile t WHERE t.level = 0 AND t.n = l.idx / 256) AS hash
  FROM leaf l LEFT JOIN kind k ON k.id = l.kind
  WHERE l.idx < (SELECT accepted FROM position);

-- status: pending (intended, not issued yet), issued, confirmed, rejected (by its network function,
-- or given up), revoked. newest: the leaf of the newest fact. waited: seconds from request to
-- certificate.
CREATE VIEW certificates AS
  SELECT c.serial, c.profile, c.nf, c.subject,
    c.status, c.not_before, c.not_after, c.registration, c.rid, c.assurance, c.approvals,
    c.renews, c.updates, c.instead_of, c.profile_file, c.message_time, c.tbs, c.by, c.issuer,
    CASE WHEN c.issued < p.accepted THEN c.sha256 END AS sha256,
    CASE WHEN c.issued < p.accepted THEN c.spki_sha256 END AS spki_sha256,
    c.time AS intended_at,
    CASE WHEN c.issued < p.accepted THEN c.issued_at END AS issued_at,
    CASE WHEN c.confirmed < p.accepted THEN c.confirmed_at END AS confirmed_at,
    CASE WHEN c.revoked < p.accepted THEN c.revoked_at END AS revoked_at,
    CASE WHEN c.rejected < p.accepted THEN c.rejected_reason END AS rejected_reason,
    CASE WHEN c.issued < p.accepted THEN c.issued END AS issued,
    CASE WHEN c.confirmed < p.accepted THEN c.confirmed END AS confirmed,
    CASE WHEN c.rejected < p.accepted THEN c.rejected END AS rejected,
    CASE WHEN c.revoked < p.accepted THEN c.revoked END AS revoked,
    c.leaf
  FROM certificate c, position p
  WHERE c.leaf < p.accepted;

CREATE VIEW names AS
  SELECT n.type, n.value, c.serial, c.nf, c.leaf
  FROM name n JOIN certificate c ON c.leaf = n.certificate
  WHERE c.issued < (SELECT accepted FROM position);

-- status: live, cancelled, superseded. used: initial certificates that count as uses of it.
CREATE VIEW registrations AS
  SELECT r.registration, r.nf, r.time, r.registrar, r.proof, r.certificates,
    (SELECT count(*) FROM certificate c WHERE c.registration = r.registration AND c.updates IS NULL
      AND c.renews IS NULL AND c.instead_of IS NULL AND c.issued < p.accepted) AS used,
    r.not_before, r.not_after, r.supersedes, r.home_domain, r.batch, r.sha256,
    CASE WHEN r.cancelled < p.accepted THEN 'cancelled'
         WHEN EXISTS (SELECT 1 FROM registration s WHERE s.supersedes = r.registration
           AND s.leaf < p.accepted) THEN 'superseded'
         ELSE 'live' END AS status,
    CASE WHEN r.cancelled < p.accepted THEN r.cancelled END AS cancelled,
    CASE WHEN r.first_use < p.accepted THEN r.first_use END AS first_use,
    r.leaf
  FROM registration r, position p
  WHERE r.leaf < p.accepted;

-- What became of each: refused, waiting, pending, or the status of its certificate.
CREATE VIEW requests AS
  SELECT q.rid, q.time, q.registration, r.nf, q.profile, q.assurance, q.approvals, q.made, q.made_by,
    q.qseq, q.head, h.ra, c.serial,
    q.status,
    CASE WHEN c.issued < p.accepted THEN c.issued_at - q.time END AS waited,
    f.reason AS refused_reason, c.leaf AS certificate, q.leaf
  FROM request q JOIN position p
    LEFT JOIN registration r ON r.leaf =
      (SELECT max(leaf) FROM registration x WHERE x.registration = q.registration AND x.leaf < q.leaf)
    LEFT JOIN queue_head h ON h.leaf =
      (SELECT max(leaf) FROM queue_head x WHERE x.head = q.head AND x.leaf < q.leaf)
    LEFT JOIN certificate c ON c.leaf =
      (SELECT max(leaf) FROM certificate x WHERE x.rid = q.rid AND x.leaf < p.accepted)
    LEFT JOIN refusal f ON f.leaf =
      (SELECT max(leaf) FROM refusal x WHERE x.rid = q.rid AND x.leaf < p.accepted)
  WHERE q.leaf < p.accepted;

-- place: 'CA', each by itself; 'RA', as it reports them: n of them until that time.
CREATE VIEW refusals AS
  SELECT f.time, f.rid, f.registration, r.nf, f.fail_info, f.reason, f.place, CAST(1 AS INTEGER) AS n, f.leaf
  FROM refusal f LEFT JOIN registration r ON r.leaf =
    (SELECT max(leaf) FROM registration x WHERE x.registration = f.registration AND x.leaf < f.leaf)
  WHERE f.leaf < (SELECT accepted FROM position)
  UNION ALL
  SELECT f.time, CAST(NULL AS BLOB), f.registration, r.nf, f.fail_info,
    CAST(coalesce(f.text, 'others') AS TEXT), CAST('RA' AS TEXT), f.n, f.leaf
  FROM reported f LEFT JOIN registration r ON r.leaf =
    (SELECT max(leaf) FROM registration x WHERE x.registration = f.registration AND x.leaf < f.leaf)
  WHERE f.what IN ('refused', 'others') AND f.leaf < (SELECT accepted FROM position);

-- on_crl, listed: number and time of the first CRL that looked at it.
CREATE VIEW revocations AS
  SELECT v.serial, v.time, v.reason, v.by, v.date, v.superseded_by, v.rr, v.invalidity,
    c.nf, v.profile, c.subject, c.registration, c.not_after, v.certificate,
    l.number AS on_crl, l.time AS listed, l.time - v.time AS delay, v.leaf
  FROM revocation v
    LEFT JOIN certificate c ON c.leaf = v.certificate
    LEFT JOIN crl l ON l.leaf = (SELECT min(x.leaf) FROM crl x WHERE x.leaf > v.leaf
      AND x.leaf < (SELECT accepted FROM position) AND coalesce(x.up_to, x.leaf) > v.leaf)
  WHERE v.leaf < (SELECT accepted FROM position);

CREATE VIEW approvals AS
  SELECT a.rid, a.time, a.decision, a.officer, a.subject, a.key, a.reason, a.by, a.registration,
    q.approvals AS needed, a.leaf
  FROM approval a LEFT JOIN request q ON q.leaf =
    (SELECT max(leaf) FROM request x WHERE x.rid = a.rid AND x.leaf < a.leaf)
  WHERE a.leaf < (SELECT accepted FROM position);

-- The CA's own people and programs: each certificate that belongs to no network function, but for
-- those that a restore adopted, of which nobody knows whose they are (certificates, profile 'adopted').
CREATE VIEW staff AS
  SELECT serial, profile AS role, subject, status, not_before, not_after, spki_sha256, intended_at,
    issued_at, revoked_at, by, leaf
  FROM certificates WHERE nf IS NULL AND registration IS NULL AND profile <> 'adopted';

CREATE VIEW crls AS
  SELECT l.number, l.time, l.this_update, l.next_update, l.entries, l.sha256, l.up_to,
    (SELECT l.time - b.next_update FROM crl b WHERE b.leaf < l.leaf ORDER BY b.leaf DESC LIMIT 1)
      AS late, -- seconds behind nextUpdate of the one before; negative: in time
    l.leaf
  FROM crl l WHERE l.leaf < (SELECT accepted FROM position);

CREATE VIEW ceremonies AS
  SELECT name, time, type, production, head, previous, sha256, by, leaf FROM ceremony
  WHERE leaf < (SELECT accepted FROM position);

CREATE VIEW changes AS
  SELECT time, file, previous, sha256, leaf FROM configuration
  WHERE leaf < (SELECT accepted FROM position);

CREATE VIEW outages AS
  SELECT kind, since, until, until - since AS seconds, leaf FROM gap
  WHERE leaf < (SELECT accepted FROM position);

CREATE VIEW findings AS
  SELECT f.id, f.found_by, f.code, f.severity, f.text, c.serial, c.nf, c.profile, f.certificate, f.leaf
  FROM finding f LEFT JOIN certificate c ON c.leaf = f.certificate
  WHERE f.leaf < (SELECT accepted FROM position);

CREATE VIEW days AS
  SELECT d.day * 86400 AS time, k.name AS kind, d.profile, d.reason, d.n
  FROM day d JOIN kind k ON k.id = d.kind WHERE d.pending = 0;

-- Columns of all parts have one affinity each, by CAST where they have none: else SQLite makes all of
-- it before it looks for what is asked.
--
-- Who did what to what, all kinds of leaves in one. person: an officer, registrar or RA, by the
-- serial of the certificate in `actor` where the record has it; role: 'registrar', 'officer', 'ra',
-- 'nf', 'ca', 'operator' (at the CA's or, by the RA's word, at the RA's admin socket). object: a rid, serial or registration.
CREATE VIEW activity AS
  SELECT time, 'registrar' AS role, registrar AS actor, CAST(NULL AS TEXT) AS person, 'register' AS action,
    registration AS object, nf AS text, leaf
    FROM registration WHERE leaf < (SELECT accepted FROM position)
  UNION ALL
  SELECT time, CASE WHEN registrar IS NULL THEN 'officer' ELSE 'registrar' END, registrar, by,
    'cancel', registration, reason, leaf
    FROM cancellation WHERE leaf < (SELECT accepted FROM position)
  UNION ALL
  SELECT time, 'nf', CAST(NULL AS BLOB), CAST(NULL AS TEXT), 'request', rid, profile, leaf
    FROM request WHERE leaf < (SELECT accepted FROM position)
  UNION ALL
  SELECT time, 'nf', CAST(NULL AS BLOB), CAST(NULL AS TEXT), 'request again', again, CAST(hex(serial) AS TEXT), leaf
    FROM repeat WHERE leaf < (SELECT accepted FROM position)
  UNION ALL
  SELECT time, 'ra', ra, CAST(NULL AS TEXT), 'attest', head, CAST(NULL AS TEXT), leaf
    FROM queue_head WHERE leaf < (SELECT accepted FROM position)
  UNION ALL
  SELECT time, lower(place), CAST(NULL AS BLOB), CAST(NULL AS TEXT), 'refuse', rid, reason, leaf
    FROM refusal WHERE leaf < (SELECT accepted FROM position)
  UNION ALL
  SELECT time, 'officer', officer, subject, decision || '', rid, reason, leaf
    FROM approval WHERE leaf < (SELECT accepted FROM position)
  UNION ALL
  SELECT time, CASE WHEN by IS NULL THEN 'ca' ELSE 'operator' END, CAST(NULL AS BLOB), by, 'intend', serial, profile, leaf
    FROM certificate WHERE leaf < (SELECT accepted FROM position)
  UNION ALL
  SELECT issued_at, 'ca', CAST(NULL AS BLOB), CAST(NULL AS TEXT), 'issue', serial, profile, issued
    FROM certificate WHERE issued < (SELECT accepted FROM position)
  UNION ALL
  SELECT confirmed_at, 'nf', CAST(NULL AS BLOB), CAST(NULL AS TEXT), 'confirm', serial, profile, confirmed
    FROM certificate WHERE confirmed < (SELECT accepted FROM position)
  UNION ALL
  SELECT l.time, CASE WHEN c.issued IS NULL THEN 'ca' ELSE 'nf' END, CAST(NULL AS BLOB), CAST(NULL AS TEXT), 'reject', c.serial,
    c.rejected_reason, c.rejected
    FROM certificate c JOIN leaf l ON l.idx = c.rejected
    WHERE c.rejected < (SELECT accepted FROM position)
  UNION ALL
  SELECT time, CASE WHEN superseded_by IS NOT NULL THEN 'ca' WHEN rr IS NOT NULL THEN 'nf' ELSE
    'officer' END, CAST(NULL AS BLOB), by, 'revoke', serial, CAST('reason ' || reason AS TEXT), leaf
    FROM revocation WHERE leaf < (SELECT accepted FROM position)
  UNION ALL
  SELECT time, 'ca', CAST(NULL AS BLOB), CAST(NULL AS TEXT), 'announce CRL',
    CAST(NULL AS BLOB), CAST('number ' || number AS TEXT), leaf
    FROM crl_intent WHERE leaf < (SELECT accepted FROM position)
  UNION ALL
  SELECT time, 'ca', CAST(NULL AS BLOB), CAST(NULL AS TEXT), 'publish CRL',
    CAST(NULL AS BLOB), CAST('number ' || number AS TEXT), leaf
    FROM crl WHERE leaf < (SELECT accepted FROM position)
  UNION ALL
  SELECT o.time, 'ca', CAST(NULL AS BLOB), CAST(NULL AS TEXT), lower(k.name), CAST(NULL AS BLOB),
    CAST(coalesce(o.program || ' ' || o.version, o.text) AS TEXT), o.leaf
    FROM operation o JOIN kind k ON k.id = o.kind WHERE o.leaf < (SELECT accepted FROM position)
  UNION ALL
  SELECT time, 'ca', CAST(NULL AS BLOB), CAST(NULL AS TEXT), 'configure', sha256, file, leaf
    FROM configuration WHERE leaf < (SELECT accepted FROM position)
  UNION ALL
  SELECT time, CASE WHEN by IS NULL THEN 'ca' ELSE 'operator' END, CAST(NULL AS BLOB), by, 'ceremony', head, name, leaf
    FROM ceremony WHERE leaf < (SELECT accepted FROM position)
  UNION ALL
  SELECT s.time, 'officer', s.officer, CAST(NULL AS TEXT), lower(k.name), s.serial, s.reason, s.leaf
    FROM signed s JOIN kind k ON k.id = s.kind WHERE s.leaf < (SELECT accepted FROM position)
  UNION ALL
  SELECT s.time, 'officer', s.second_officer, CAST(NULL AS TEXT), lower(k.name), s.serial, s.reason, s.leaf
    FROM signed s JOIN kind k ON k.id = s.kind WHERE s.leaf < (SELECT accepted FROM position)
  UNION ALL
  SELECT time, 'ca', CAST(NULL AS BLOB), CAST(NULL AS TEXT), 'adopt', serial, origin, leaf
    FROM adoption WHERE leaf < (SELECT accepted FROM position)
  UNION ALL
  SELECT time, 'operator', CAST(NULL AS BLOB), by, command || CASE outcome WHEN 'done' THEN '' ELSE ', ' || outcome END,
    object, reason, leaf
    FROM command WHERE leaf < (SELECT accepted FROM position)
  UNION ALL
  SELECT l.time, 'ra', r.ra, CAST(NULL AS TEXT), CASE l.what WHEN 'others' THEN 'refuse' WHEN 'refused' THEN 'refuse' ELSE l.what
    END, CAST(coalesce(l.registration, l.config) AS BLOB),
    CAST(coalesce(l.version, l.n || ': ' || coalesce(l.text, 'others'), l.text) AS TEXT), l.leaf
    FROM reported l JOIN report r ON r.leaf = l.leaf
    WHERE l.what <> 'did' AND l.leaf < (SELECT accepted FROM position)
  UNION ALL
  SELECT l.time, 'operator', r.ra, l.text, l.command || CASE l.outcome WHEN 'done' THEN '' ELSE ', ' || l.outcome END,
    l.object, CAST(NULL AS TEXT), l.leaf
    FROM reported l JOIN report r ON r.leaf = l.leaf
    WHERE l.what = 'did' AND l.leaf < (SELECT accepted FROM position);
