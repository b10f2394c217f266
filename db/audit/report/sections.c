/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/report/sections.h"

#include "base/buf.h"

/* What became of certificates, in three parts that are all of them. */
#define LIVE_ENDED_REVOKED                                                                         \
    "sum(c.revoked IS NULL AND c.not_after >= :now), sum(c.revoked IS NULL AND c.not_after < "     \
    ":now), sum(c.revoked IS NOT NULL)"

/* Of what took so many seconds (`took`: step, w): half of each step within p50, 99 of 100 within
 * p99. Counted first: few seconds differ. */
#define QUANTILES                                                                                  \
    ", counted AS (SELECT step, w, count(*) AS n FROM took GROUP BY step, w), run AS (SELECT "     \
    "step, w, sum(n) OVER (PARTITION BY step ORDER BY w) AS upto, sum(n) OVER (PARTITION BY "      \
    "step) AS whole FROM counted) SELECT step, min(CASE WHEN upto * 2 >= whole THEN w END), "      \
    "min(CASE WHEN upto * 100 >= whole * 99 THEN w END), max(whole) FROM run GROUP BY step ORDER " \
    "BY step"

const struct section sections[] = {
    {"Findings",
     "counted",
     "What must be known of this record",
     "As verify counts it. None of it is a finding; all of it is asked about.",
     "Nothing is open, acknowledged, or dated back.",
     LOOK_TABLE,
     {{"What", AS_IS}, {"Number", AS_IS}, {"What it means", AS_IS}},
     "WITH meaning(name, what, text) AS (VALUES ('acknowledged', 'acknowledged', 'lines of a "
     "journal that belong to nothing in the record: a key of the CA may have signed what the "
     "record has not'), ('open', 'open intents', 'certificates announced, and not issued'), "
     "('waiting', 'unapproved', 'requests that wait for officers'), ('twice', 'queue twice', "
     "'places in the queue of an RA that it attested twice: it lost its queue, or its key is used "
     "twice'), ('back', 'times back', 'leaves that are dated before the one before them'), "
     "('most', 'seconds back', 'the most that one of them is dated back'), "
     "('taken', 'set back', 'leaves that are dated back by more than five minutes, where the "
     "record says that the clock is right again')) SELECT what, n, text "
     "FROM meaning JOIN figure USING (name) WHERE n > 0 ORDER BY name",
     NULL},
    {"Findings",
     "findings",
     "What people should look at",
     "Found by the rules while the record was verified.",
     "The rules of the record found nothing.",
     LOOK_TABLE,
     {{"Severity", AS_IS}, {"Code", AS_IS}, {"What", AS_IS}, {"Leaf", AS_SHOWN}},
     "SELECT severity, code, text, leaf FROM findings WHERE found_by = 'mirror' ORDER BY CASE "
     "severity WHEN 'error' THEN 0 "
     "WHEN 'warning' THEN 1 ELSE 2 END, leaf LIMIT 200",
     "findings"},

    {"Findings",
     "kept",
     "What lint and check found before",
     "When they were asked last over this mirror.",
     "Nothing, or they were not asked over this mirror.",
     LOOK_TABLE,
     {{"Severity", AS_IS},
      {"Code", AS_IS},
      {"What", AS_IS},
      {"Serial number", AS_SHOWN},
      {"Leaf", AS_SHOWN}},
     "SELECT severity, code, text, serial, leaf FROM findings WHERE found_by <> 'mirror' ORDER BY "
     "CASE severity WHEN 'error' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, leaf LIMIT 200",
     "findings"},

    {"Certificates",
     "issuance",
     "Issued, revoked, refused",
     "Leaves of each day. Refused is by the CA: what an RA refuses by itself is below, on its "
     "word.",
     "Nothing was issued, revoked or refused.",
     LOOK_RECORD,
     {{"From", AS_STEP}, {"Issued", AS_IS}, {"Revoked", AS_IS}, {"Refused", AS_IS}},
     "SELECT (time - :from) / :step AS step, sum(n * (kind = 'ISSUED')), sum(n * (kind = "
     "'REVOKED')), sum(n * (kind = 'REFUSAL')) FROM days WHERE kind IN ('ISSUED', 'REVOKED', "
     "'REFUSAL') GROUP BY step ORDER BY step",
     "events"},
    {"Certificates",
     "live",
     "Live certificates",
     "Issued, not expired and not revoked then.",
     "There was no certificate.",
     LOOK_AREA,
     {{"From", AS_STEP}, {"Live", AS_IS}},
     "SELECT * FROM (SELECT step, sum(n) OVER (ORDER BY step) FROM (SELECT step, sum(n) AS n FROM "
     "(SELECT (issued_at - :from) / :step AS step, 1 AS n FROM certificates WHERE issued IS NOT "
     "NULL UNION ALL SELECT (min(not_after, coalesce(revoked_at, not_after)) - :from) / :step + 1, "
     "-1 FROM certificates WHERE issued IS NOT NULL) GROUP BY step)) WHERE step < :steps ORDER BY "
     "step",
     "certificates?status=live"},
    {"Certificates",
     "expiry",
     "What ends in the next 90 days",
     "Live certificates by the day of their end. Another one counts when it is of the same network "
     "function and profile, lives longer and is not revoked.",
     "Nothing ends in the next 90 days.",
     LOOK_AHEAD,
     {{"Day", AS_STEP}, {"Without another one", AS_IS}, {"With another one", AS_IS}},
     "SELECT (not_after - :from) / :step AS step, sum(NOT another), sum(another) FROM (SELECT "
     "not_after, rejected, nf IS NOT NULL AND max(not_after) OVER (PARTITION BY nf, profile) > "
     "not_after AS another FROM certificates WHERE issued IS NOT NULL AND revoked IS NULL AND "
     "not_after >= :now) WHERE rejected IS NULL AND not_after < :now + 90 * 86400 GROUP BY step "
     "ORDER BY step",
     "certificates?expires-within=90&amp;sort=notAfter"},
    {"Certificates",
     "seconds",
     "How long requests took",
     "Seconds between the leaves REQUEST and ISSUED; what waited for officers is among them.",
     "No request came to a certificate.",
     LOOK_ROWS,
     {{"Took", AS_IS}, {"Certificates", AS_IS}},
     "SELECT CASE s WHEN 0 THEN 'within a second' WHEN 1 THEN '10 seconds' WHEN 2 THEN 'a minute' "
     "WHEN 3 "
     "THEN 'an hour' WHEN 4 THEN 'a day' ELSE 'longer' END, count(*) FROM (SELECT CASE WHEN w <= 1 "
     "THEN 0 WHEN w <= 10 THEN 1 WHEN w <= 60 THEN 2 WHEN w <= 3600 THEN 3 WHEN w <= 86400 THEN 4 "
     "ELSE 5 END AS s FROM (SELECT c.issued_at - q.time AS w FROM certificates c JOIN request q ON "
     "q.rid = c.rid WHERE c.issued IS NOT NULL)) GROUP BY s ORDER BY s",
     "requests"},
    {"Certificates",
     "issued-within",
     "From request to certificate, by day",
     "Seconds between the leaves REQUEST and ISSUED, by the day of the request: each bar goes from "
     "p50, within which half of them were issued, to p99, within which 99 of 100 were. The axis is "
     "logarithmic. What waited for officers is among them.",
     "No request came to a certificate.",
     LOOK_RANGES,
     {{"From", AS_STEP}, {"p50, seconds", AS_IS}, {"p99, seconds", AS_IS}, {"Certificates", AS_IS}},
     "WITH took AS (SELECT (q.time - :from) / :step AS step, c.issued_at - q.time AS w FROM "
     "certificate c JOIN request q ON q.rid = c.rid WHERE c.issued < (SELECT accepted FROM "
     "position))" QUANTILES,
     "requests"},
    {"Certificates",
     "decided-within",
     "From request to decision, by day",
     "Seconds between the leaves REQUEST and INTENT, or REFUSAL, by the day of the request, from "
     "p50 to p99, with a logarithmic axis. What waited for officers is among them; what waits "
     "still is not.",
     "No request was decided.",
     LOOK_RANGES,
     {{"From", AS_STEP}, {"p50, seconds", AS_IS}, {"p99, seconds", AS_IS}, {"Decisions", AS_IS}},
     "WITH took AS (SELECT (q.time - :from) / :step AS step, c.time - q.time AS w FROM "
     "certificate c JOIN request q ON q.rid = c.rid WHERE c.leaf < (SELECT accepted FROM position) "
     "UNION ALL SELECT (q.time - :from) / :step, f.time - q.time FROM refusal f JOIN request q ON "
     "q.rid = f.rid WHERE f.leaf < (SELECT accepted FROM position))" QUANTILES,
     "requests"},
    {"Certificates",
     "profiles",
     "By profile",
     "All certificates that were issued.",
     "Nothing was issued.",
     LOOK_ROWS,
     {{"Profile", AS_IS}, {"Live", AS_IS}, {"Expired", AS_IS}, {"Revoked", AS_IS}},
     "SELECT c.profile, " LIVE_ENDED_REVOKED
     " FROM certificates c WHERE c.issued IS NOT NULL GROUP BY c.profile ORDER BY count(*) DESC, "
     "c.profile",
     "certificates"},
    {"Certificates",
     "types",
     "By type of network function",
     "As their registrars signed it; one with several types counts under each.",
     "Nothing was issued to a network function whose type the record has.",
     LOOK_ROWS,
     {{"Type", AS_IS}, {"Live", AS_IS}, {"Expired", AS_IS}, {"Revoked", AS_IS}},
     "SELECT a.value, " LIVE_ENDED_REVOKED " FROM certificates c JOIN registration r ON "
     "r.registration = c.registration JOIN allowed a ON "
     "a.registration = r.leaf AND a.type = 'nfType' WHERE c.issued IS NOT NULL GROUP BY a.value "
     "ORDER BY count(*) DESC, a.value",
     "certificates"},
    {"Certificates",
     "unfinished",
     "Not finished",
     "Intents without a certificate, and certificates that nobody has confirmed a day later; the "
     "oldest 100.",
     "All were finished.",
     LOOK_TABLE,
     {{"Serial number", AS_SHOWN},
      {"Status", AS_IS},
      {"Intended", AS_TIME},
      {"Profile", AS_IS},
      {"Network function", AS_SHOWN},
      {"Ends", AS_TIME},
      {"Leaf", AS_SHOWN}},
     "SELECT serial, status, intended_at, profile, nf, not_after, leaf FROM certificates WHERE "
     "status = 'pending' OR (status = 'issued' AND nf IS NOT NULL AND issued_at < :now - 86400) "
     "ORDER BY leaf LIMIT 100",
     "certificates?status=pending"},

    {"Refusals and revocations",
     "refused",
     "Refusals by reason",
     "Names of PKIFailureInfo (RFC 9810 5.2.3).",
     "Nothing was refused.",
     LOOK_ROWS,
     {{"Reason", AS_FAIL_INFO}, {"At the CA", AS_IS}, {"At an RA", AS_IS}},
     "SELECT fail_info, sum(n * (place = 'CA')), sum(n * (place = 'RA')) FROM refusals GROUP BY "
     "fail_info ORDER BY sum(n) DESC, 1",
     "refusals"},
    {"Refusals and revocations",
     "revoked",
     "Revocations by reason",
     "Names of CRLReason (RFC 5280 5.3.1).",
     "Nothing was revoked.",
     LOOK_ROWS,
     {{"Reason", AS_CRL_REASON}, {"Revocations", AS_IS}},
     "SELECT reason, sum(n) FROM days WHERE kind = 'REVOKED' GROUP BY reason ORDER BY 2 DESC, 1",
     "revocations"},
    {"Refusals and revocations",
     "refusals",
     "Who was refused",
     "The newest 100.",
     "Nobody was refused.",
     LOOK_TABLE,
     {{"Time", AS_TIME},
      {"Reason", AS_FAIL_INFO},
      {"Text", AS_IS},
      {"At", AS_IS},
      {"Times", AS_IS},
      {"Network function", AS_SHOWN},
      {"Registration", AS_SHOWN},
      {"Leaf", AS_SHOWN}},
     "SELECT time, fail_info, reason, place, n, nf, registration, leaf FROM refusals ORDER BY leaf "
     "DESC LIMIT 100",
     "refusals?way=down"},
    {"Refusals and revocations",
     "revocations",
     "What was revoked",
     "The newest 100, and how long it took until a CRL had it.",
     "Nothing was revoked.",
     LOOK_TABLE,
     {{"Time", AS_TIME},
      {"Serial number", AS_SHOWN},
      {"Reason", AS_CRL_REASON},
      {"By", AS_IS},
      {"Profile", AS_IS},
      {"Subject", AS_IS},
      {"On CRL", AS_IS},
      {"Seconds", AS_IS},
      {"Leaf", AS_SHOWN}},
     "SELECT time, serial, reason, by, profile, subject, on_crl, delay, leaf FROM revocations "
     "ORDER "
     "BY leaf DESC LIMIT 100",
     "revocations?way=down"},

    {"People",
     "registrars",
     "Registrations by registrar",
     "Each rests on a registrar's signature, which was verified.",
     "Nothing was registered.",
     LOOK_ROWS,
     {{"Registrar", AS_IS}, {"Registrations", AS_IS}},
     "SELECT coalesce(max(s.subject), lower(hex(r.registrar))), count(DISTINCT r.leaf) FROM "
     "registration r LEFT JOIN certificate s ON s.serial = r.registrar WHERE r.leaf < (SELECT "
     "accepted FROM position) GROUP BY r.registrar ORDER BY 2 DESC, 1",
     "registrations"},
    {"People",
     "officers",
     "Decisions by officer",
     "Each is signed by the officer, and was verified.",
     "No officer decided anything.",
     LOOK_ROWS,
     {{"Officer", AS_IS}, {"Approved", AS_IS}, {"Rejected", AS_IS}},
     "SELECT max(subject), sum(decision = 'approve'), sum(decision <> 'approve') FROM approvals "
     "GROUP BY officer ORDER BY count(*) DESC, 1",
     "approvals"},
    {"People",
     "registrations",
     "Registrations by use",
     "What is left of what registrars allowed.",
     "Nothing was registered.",
     LOOK_ROWS,
     {{"State", AS_IS}, {"Registrations", AS_IS}},
     "SELECT CASE WHEN status <> 'live' THEN status WHEN used > certificates THEN 'used too often' "
     "WHEN used = certificates THEN 'used up' WHEN not_after < :now AND used = 0 THEN 'ended, "
     "never "
     "used' WHEN not_after < :now THEN 'ended, used in part' WHEN used = 0 THEN 'not used yet' "
     "ELSE "
     "'used in part' END AS state, count(*) FROM registrations GROUP BY state ORDER BY 2 DESC, 1",
     "registrations"},
    {"People",
     "waiting",
     "Requests that wait for officers",
     "The oldest 100.",
     "No request waits.",
     LOOK_TABLE,
     {{"Since", AS_TIME},
      {"Network function", AS_SHOWN},
      {"Profile", AS_IS},
      {"Needs", AS_IS},
      {"Request", AS_SHOWN},
      {"Leaf", AS_SHOWN}},
     "SELECT time, nf, profile, approvals, rid, leaf FROM requests WHERE status = 'waiting' ORDER "
     "BY "
     "leaf LIMIT 100",
     "requests?status=waiting"},
    {"People",
     "operators",
     "Who worked the CA and its RAs",
     "At their administrators' sockets, when no other leaf says so; the newest 100.",
     "The record says of nobody.",
     LOOK_TABLE,
     {{"Time", AS_TIME},
      {"Action", AS_IS},
      {"Who", AS_IS},
      {"On what", AS_SHOWN},
      {"Text", AS_IS},
      {"Leaf", AS_SHOWN}},
     "SELECT time, action, person, object, text, leaf FROM activity WHERE role = 'operator' ORDER "
     "BY "
     "leaf DESC LIMIT 100",
     "events?way=down"},
    {"People",
     "staff",
     "The CA's own people and programs",
     "Who has, or had, a certificate that belongs to no network function; the newest 200.",
     "Nobody has one.",
     LOOK_TABLE,
     {{"Role", AS_IS},
      {"Subject", AS_IS},
      {"Status", AS_IS},
      {"Serial number", AS_SHOWN},
      {"From", AS_TIME},
      {"Until", AS_TIME},
      {"Leaf", AS_SHOWN}},
     "SELECT role, subject, CASE WHEN status = 'issued' AND not_after < :now THEN 'expired' WHEN "
     "status = 'issued' THEN 'valid' ELSE status END, serial, not_before, not_after, leaf FROM "
     "staff "
     "ORDER BY leaf DESC LIMIT 200",
     "staff?way=down"},

    {"The CA at work",
     "calendar",
     "When it stood still",
     "How much of each day the CA was stopped, was away after what looks like a crash, or had no "
     "CRL in force: a strip that is full is the whole day. Below is each of them by itself.",
     "It never stood still.",
     LOOK_STRIPS,
     {{"From", AS_STEP},
      {"Stopped, seconds", AS_IS},
      {"Crashed, seconds", AS_IS},
      {"CRL late, seconds", AS_IS}},
     "WITH RECURSIVE gaps AS (SELECT kind, since, until, max(0, (since - :from) / :step) AS step "
     "FROM outages WHERE kind <> 'clock' AND until > since UNION ALL SELECT kind, since, until, "
     "step + 1 FROM gaps WHERE :from + (step + 1) * :step < until AND step + 1 < :steps), parts AS "
     "(SELECT step, kind, min(until, :from + (step + 1) * :step) - max(since, :from + step * "
     ":step) AS n FROM gaps) SELECT step, sum(n * (kind = 'stop')), sum(n * (kind = 'crash')), "
     "sum(n * (kind = 'crl')) FROM parts GROUP BY step ORDER BY step",
     "outages"},
    {"The CA at work",
     "crl-spans",
     "CRLs: from thisUpdate to nextUpdate",
     "The newest 50; a gap is where the next one came after nextUpdate.",
     "There is no CRL.",
     LOOK_SPANS,
     {{"CRL", AS_IS}, {"In force", AS_TIME}, {"Gap", AS_TIME}, {"Is a gap", AS_IS}},
     "SELECT * FROM (SELECT 'number ' || number, this_update, next_update, 0 FROM crls UNION ALL "
     "SELECT 'gap', since, until, 1 FROM outages WHERE kind = 'crl' ORDER BY 2 DESC LIMIT 50) "
     "ORDER "
     "BY 2",
     "crls"},
    {"The CA at work",
     "outages",
     "Gaps and restarts",
     "From a stop to the next start, what looks like a crash, a clock that went back, and CRLs "
     "that "
     "came late; the newest 100.",
     "There was none.",
     LOOK_TABLE,
     {{"What", AS_IS},
      {"Since", AS_TIME},
      {"Until", AS_TIME},
      {"Seconds", AS_IS},
      {"Leaf", AS_SHOWN}},
     "SELECT kind, since, until, seconds, leaf FROM outages ORDER BY leaf DESC LIMIT 100",
     "outages?way=down"},
    {"The CA at work",
     "crls",
     "CRLs",
     "The newest 100. Late is counted from nextUpdate of the one before; below zero it came in "
     "time.",
     "There is no CRL.",
     LOOK_TABLE,
     {{"Number", AS_IS},
      {"thisUpdate", AS_TIME},
      {"nextUpdate", AS_TIME},
      {"Entries", AS_IS},
      {"Seconds late", AS_IS},
      {"SHA-256", AS_IS},
      {"Leaf", AS_SHOWN}},
     "SELECT number, this_update, next_update, entries, late, sha256, leaf FROM crls ORDER BY leaf "
     "DESC LIMIT 100",
     "crls?way=down"},
    {"The CA at work",
     "operation",
     "Starts, stops, what happened to the record",
     "The newest 100.",
     "The record has none.",
     LOOK_TABLE,
     {{"Time", AS_TIME}, {"What", AS_IS}, {"Of", AS_IS}, {"Leaf", AS_SHOWN}},
     "SELECT time, action, text, leaf FROM activity WHERE action IN ('start', 'stop', 'recovered', "
     "'sealed', 'restored', 'acknowledged', 'clock') GROUP BY leaf ORDER BY leaf DESC LIMIT 100",
     "events?way=down"},
    {"The CA at work",
     "changes",
     "Changes of configuration",
     "Files by their SHA-256; the newest 100.",
     "None was changed.",
     LOOK_TABLE,
     {{"Time", AS_TIME},
      {"File", AS_IS},
      {"Before", AS_IS},
      {"SHA-256", AS_IS},
      {"Leaf", AS_SHOWN}},
     "SELECT time, file, previous, sha256, leaf FROM changes ORDER BY leaf DESC LIMIT 100",
     "changes?way=down"},
    {"The CA at work",
     "ceremonies",
     "Ceremonies",
     "By the head of their transcript, which its bundle has.",
     "The record has none.",
     LOOK_TABLE,
     {{"Time", AS_TIME},
      {"Name", AS_IS},
      {"Transcript", AS_IS},
      {"Bundle", AS_IS},
      {"Leaf", AS_SHOWN}},
     "SELECT time, name, head, sha256, leaf FROM ceremonies ORDER BY leaf DESC LIMIT 100",
     "ceremonies?way=down"},
};
const size_t n_sections = ARRAY_LEN(sections);
