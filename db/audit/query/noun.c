/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/query/noun.h"

#include <string.h>

/* A + before a column: it is not what rows are looked up by. */
#define LIKE(what, parameter) what " LIKE " parameter " ESCAPE '\\'"
/* The serials of people or programs whom a parameter names, by serial or by a part of the subject.
 */
#define STAFF(role, parameter)                                                                     \
    "(SELECT serial FROM staff WHERE role = '" role "' AND (serial = " parameter                   \
    "_serial OR " LIKE("subject", parameter) "))"
#define REGISTERED_BY                                                                              \
    "(SELECT registration FROM registrations WHERE registrar IN " STAFF("registrar",               \
                                                                        ":registrar") ")"
#define ALLOWED(what, condition)                                                                   \
    "(SELECT r.registration FROM allowed a CROSS JOIN registration r ON a.registration = r.leaf "  \
    "WHERE a.type = '" what "' AND a.type <> 'profile' AND " condition ")"
#define OF_NF_TYPE "registration IN " ALLOWED("nfType", "a.value = :nf_type")
#define WITH_KEY "leaf IN (SELECT leaf FROM certificate WHERE spki_sha256 = :spki)"
#define OF_NF "registration IN (SELECT registration FROM registration WHERE nf = :nf)"
/* An RA attests from some leaf on nearly all of what is asked. */
#define RA STAFF("ra-cmp", ":ra")
#define SINCE_RA "leaf > (SELECT min(leaf) FROM queue_head WHERE ra IN " RA ")"
#define ATTESTED_BY                                                                                \
    "EXISTS (SELECT 1 FROM request a JOIN queue_head h ON h.head = a.head WHERE a.rid = "          \
    "certificates.rid AND h.ra IN " RA ") AND " SINCE_RA
#define DECIDERS                                                                                   \
    "(SELECT officer FROM decider WHERE officer = :officer_serial OR " LIKE("subject",             \
                                                                            ":officer") ")"
#define DECIDED_BY "(SELECT rid FROM approvals WHERE officer IN " DECIDERS ")"
/* From the first leaf that may be of such a time, to the last one (filter.c). */
#define SINCE(time)                                                                                \
    [FILTER_SINCE] = "+" time " >= :since AND leaf >= :since_leaf",                                \
    [FILTER_UNTIL] = "+" time " <= :until AND leaf < :until_leaf"
/* Live is what somebody can still use. */
#define STATUS_WORDS [FILTER_STATUS] = "pending|issued|confirmed|rejected|revoked|live|expired"
/* Profiles, of which an operator makes more, and NF types (TS 29.510 6.1.6.3.3, TS 29.571), which
 * are open. */
#define NF_PROFILES "nf-tls|nf-tls-client|nf-tls-server"
#define ALL_PROFILES NF_PROFILES "|ra-cmp|registrar|officer|adopted"
#define PROFILES_THERE [FILTER_PROFILE] = "SELECT DISTINCT profile FROM days"
#define NF_TYPES                                                                                   \
    [FILTER_NF_TYPE] =                                                                             \
        "5G_DDNMF|5G_EIR|AANF|ADRF|AF|AMF|AUSF|BSF|CBCF|CEF|CHF|DCCF|DRA|EASDF|GBA_BSF|GMLC|HSS|"  \
        "ICSCF|IMS_AS|LMF|MBSF|MBSTF|MB_SMF|MB_UPF|MFAF|MME|MNPF|N3IWF|NEF|NRF|NSACF|NSSAAF|NSSF|" \
        "NSWOF|NWDAF|PANF|PCF|PCSCF|PKMF|SCEF|SCP|SCSAS|SCSCF|SEPP|SMF|SMSF|SMS_GMSC|SMS_IWMSC|"   \
        "SOR_AF|SPAF|TSCTSF|UCMF|UDM|UDR|UDSF|UPF"
#define NF_TYPES_THERE                                                                             \
    [FILTER_NF_TYPE] =                                                                             \
        "SELECT DISTINCT value FROM allowed WHERE type = 'nfType' AND type <> 'profile'"
#define DONE "command || CASE outcome WHEN 'done' THEN '' ELSE ', ' || outcome END"
#define STATUSES                                                                                   \
    {                                                                                              \
        {"live", "+status IN ('issued', 'confirmed') AND not_after >= :now", true},                \
        {                                                                                          \
            "expired", "not_after < :now", true                                                    \
        }                                                                                          \
    }
/* Between the first START with it, and the first one with another behind the last. */
#define ISSUED_BY                                                                                  \
    "+issuer = :issuer AND leaf > (SELECT min(leaf) FROM operation WHERE issuer = :issuer) AND "   \
    "leaf < coalesce((SELECT min(leaf) FROM operation WHERE issuer <> :issuer AND leaf > (SELECT " \
    "max(leaf) FROM operation WHERE issuer = :issuer)), (SELECT accepted FROM position))"
#define EXPIRES "+status IN ('issued', 'confirmed') AND not_after BETWEEN :now AND :within"
#define BY "leaf IN (SELECT leaf FROM certificate WHERE by >= '' AND " LIKE("by", ":by") ")"
#define REVOKED_OF(what) "certificate IN (SELECT leaf FROM certificate WHERE " what ")"
/* Of certificates, by what their registrations are: a list of leaves is in the order of answers. */
#define UNDER(registrations)                                                                       \
    "leaf IN (SELECT c.leaf FROM " registrations " AS under CROSS JOIN certificate c ON "          \
    "c.registration = under.registration)"
#define COMMON(filter) (1U << (filter))

/* NOLINTBEGIN(bugprone-suspicious-missing-comma): SQL, in parts */
const struct noun nouns[] = {
    {
        .name = "certificates",
        .view = "certificates",
        .columns = {{"serial", "serial", COLUMN_PLAIN},
                    {"nfInstanceId", "nf", COLUMN_PLAIN},
                    {"profile", "profile", COLUMN_PLAIN},
                    {"status", "status", COLUMN_PLAIN},
                    {"expired", "not_after < :now", COLUMN_BOOL},
                    {"subject", "subject", COLUMN_PLAIN},
                    {"notBefore", "not_before", COLUMN_TIME},
                    {"notAfter", "not_after", COLUMN_TIME},
                    {"registration", "registration", COLUMN_PLAIN},
                    {"rid", "rid", COLUMN_PLAIN},
                    {"assurance", "assurance", COLUMN_PLAIN},
                    {"approvals", "approvals", COLUMN_PLAIN},
                    {"renews", "renews", COLUMN_PLAIN},
                    {"updates", "updates", COLUMN_PLAIN},
                    {"insteadOf", "instead_of", COLUMN_PLAIN},
                    {"profileFile", "profile_file", COLUMN_PLAIN},
                    {"messageTime", "message_time", COLUMN_TIME},
                    {"tbs", "tbs", COLUMN_PLAIN},
                    {"by", "by", COLUMN_PLAIN},
                    {"issuer", "issuer", COLUMN_PLAIN},
                    {"sha256", "sha256", COLUMN_PLAIN},
                    {"spki", "spki_sha256", COLUMN_PLAIN},
                    {"intendedAt", "intended_at", COLUMN_TIME},
                    {"issuedAt", "issued_at", COLUMN_TIME},
                    {"confirmedAt", "confirmed_at", COLUMN_TIME},
                    {"revokedAt", "revoked_at", COLUMN_TIME},
                    {"rejectedReason", "rejected_reason", COLUMN_PLAIN},
                    {"issued", "issued", COLUMN_PLAIN},
                    {"confirmed", "confirmed", COLUMN_PLAIN},
                    {"rejected", "rejected", COLUMN_PLAIN},
                    {"revoked", "revoked", COLUMN_PLAIN}},
        .shown = "serial,nfInstanceId,profile,status,notAfter",
        .sorted = "serial,nfInstanceId,profile,status,notAfter,registration,rid",
        .conditions = {[FILTER_NF] = "nf = :nf",
                       [FILTER_NF_TYPE] = UNDER(ALLOWED("nfType", "a.value = :nf_type")),
                       [FILTER_SERIAL] = "serial = :serial",
                       [FILTER_REQUEST] = "rid = :request",
                       [FILTER_REGISTRATION] = "registration = :registration",
                       [FILTER_SUBJECT] = LIKE("subject", ":subject"),
                       [FILTER_NAME] =
                           "leaf IN (SELECT leaf FROM names WHERE " LIKE("value", ":name") ")",
                       [FILTER_PROFILE] = "profile = :profile",
                       [FILTER_STATUS] = "status = :status",
                       [FILTER_REASON] = "serial IN (SELECT serial FROM revocations WHERE reason = "
                                         ":reason_number)",
                       SINCE("intended_at"),
                       [FILTER_REGISTRAR] = UNDER(REGISTERED_BY),
                       [FILTER_OFFICER] = "rid IN " DECIDED_BY,
                       [FILTER_RA] = ATTESTED_BY,
                       [FILTER_SPKI] = WITH_KEY,
                       [FILTER_ISSUER] = ISSUED_BY,
                       [FILTER_EXPIRES_WITHIN] = EXPIRES,
                       [FILTER_BY] = BY},
        .words = {STATUS_WORDS, NF_TYPES, [FILTER_PROFILE] = ALL_PROFILES},
        .there = {NF_TYPES_THERE, PROFILES_THERE},
        .statuses = STATUSES,
        .common = COMMON(FILTER_PROFILE) | COMMON(FILTER_STATUS),
    },
    {
        .name = "registrations",
        .view = "registrations",
        .columns = {{"registration", "registration", COLUMN_PLAIN},
                    {"nfInstanceId", "nf", COLUMN_PLAIN},
                    {"time", "time", COLUMN_TIME},
                    {"registrar", "registrar", COLUMN_PLAIN},
                    {"proof", "proof", COLUMN_PLAIN},
                    {"certificates", "certificates", COLUMN_PLAIN},
                    {"used", "used", COLUMN_PLAIN},
                    {"status", "status", COLUMN_PLAIN},
                    {"notBefore", "not_before", COLUMN_TIME},
                    {"notAfter", "not_after", COLUMN_TIME},
                    {"homeDomain", "home_domain", COLUMN_PLAIN},
                    {"supersedes", "supersedes", COLUMN_PLAIN},
                    {"batch", "batch", COLUMN_BOOL},
                    {"sha256", "sha256", COLUMN_PLAIN},
                    {"cancelled", "cancelled", COLUMN_PLAIN}},
        .shown = "registration,nfInstanceId,proof,used,certificates,status,notAfter",
        .sorted = "registration,nfInstanceId,registrar,notAfter",
        .conditions =
            {[FILTER_NF] = "nf = :nf",
             [FILTER_NF_TYPE] = OF_NF_TYPE,
             [FILTER_REGISTRATION] = "registration = :registration",
             [FILTER_NAME] = "registration IN " ALLOWED("fqdn", LIKE("a.value", ":name")),
             [FILTER_PROFILE] = "EXISTS (SELECT 1 FROM allowed a WHERE a.registration = leaf AND "
                                "a.type = 'profile' AND a.value = :profile)",
             [FILTER_STATUS] = "status = :status",
             SINCE("time"),
             [FILTER_REGISTRAR] = "registrar IN " STAFF("registrar", ":registrar"),
             [FILTER_EXPIRES_WITHIN] = "status = 'live' AND not_after BETWEEN :now AND :within",
             [FILTER_NEVER_USED] =
                 "leaf IN (SELECT leaf FROM registration WHERE first_use IS NULL UNION ALL SELECT "
                 "leaf FROM registration WHERE first_use >= (SELECT accepted FROM position))"},
        .words = {[FILTER_STATUS] = "live|cancelled|superseded|expired",
                  NF_TYPES,
                  [FILTER_PROFILE] = NF_PROFILES},
        .there = {NF_TYPES_THERE, [FILTER_PROFILE] =
                                      "SELECT DISTINCT value FROM allowed WHERE type = 'profile'"},
        .statuses = {{"live", "status = 'live' AND not_after >= :now", true},
                     {"expired", "status = 'live' AND not_after < :now", true},
                     {"cancelled",
                      "status = 'cancelled' AND leaf IN (SELECT leaf FROM registration WHERE "
                      "cancelled IS NOT NULL)",
                      false},
                     {"superseded",
                      "status = 'superseded' AND registration IN (SELECT supersedes FROM "
                      "registration WHERE supersedes IS NOT NULL)",
                      false}},
    },
    {
        .name = "requests",
        .view = "requests",
        .columns = {{"rid", "rid", COLUMN_PLAIN},
                    {"time", "time", COLUMN_TIME},
                    {"registration", "registration", COLUMN_PLAIN},
                    {"nfInstanceId", "nf", COLUMN_PLAIN},
                    {"profile", "profile", COLUMN_PLAIN},
                    {"assurance", "assurance", COLUMN_PLAIN},
                    {"approvals", "approvals", COLUMN_PLAIN},
                    {"made", "made", COLUMN_TIME},
                    {"madeBy", "made_by", COLUMN_PLAIN},
                    {"qseq", "qseq", COLUMN_PLAIN},
                    {"head", "head", COLUMN_PLAIN},
                    {"ra", "ra", COLUMN_PLAIN},
                    {"serial", "serial", COLUMN_PLAIN},
                    {"status", "status", COLUMN_PLAIN},
                    {"waited", "waited", COLUMN_PLAIN},
                    {"reason", "refused_reason", COLUMN_PLAIN}},
        .shown = "rid,time,nfInstanceId,profile,assurance,status,serial",
        .sorted = "rid,registration,profile,status",
        .conditions =
            {[FILTER_NF] = OF_NF,
             [FILTER_NF_TYPE] = OF_NF_TYPE,
             [FILTER_SERIAL] = "rid IN (SELECT rid FROM certificate WHERE serial = :serial) AND "
                               "+serial = :serial",
             [FILTER_REQUEST] = "rid = :request",
             [FILTER_REGISTRATION] = "registration = :registration",
             [FILTER_PROFILE] = "profile = :profile",
             [FILTER_STATUS] = "status = :status",
             [FILTER_REASON] =
                 "rid IN (SELECT rid FROM refusal WHERE " LIKE("reason", ":reason") ") AND " LIKE(
                     "refused_reason", ":reason"),
             SINCE("time"),
             [FILTER_REGISTRAR] = "registration IN " REGISTERED_BY,
             [FILTER_OFFICER] = "rid IN " DECIDED_BY,
             [FILTER_RA] =
                 "EXISTS (SELECT 1 FROM queue_head h WHERE h.head = requests.head AND h.ra IN " RA
                 ") AND " SINCE_RA},
        .words = {[FILTER_STATUS] = "refused|waiting|pending|issued|confirmed|rejected|revoked",
                  NF_TYPES,
                  [FILTER_PROFILE] = NF_PROFILES},
        .there = {NF_TYPES_THERE, PROFILES_THERE},
        .common = COMMON(FILTER_PROFILE) | COMMON(FILTER_STATUS),
    },
    {
        .name = "refusals",
        .view = "refusals",
        .several = true,
        .columns = {{"time", "time", COLUMN_TIME},
                    {"rid", "rid", COLUMN_PLAIN},
                    {"registration", "registration", COLUMN_PLAIN},
                    {"nfInstanceId", "nf", COLUMN_PLAIN},
                    {"failInfo", "fail_info", COLUMN_FAILURE},
                    {"reason", "reason", COLUMN_PLAIN},
                    {"place", "place", COLUMN_PLAIN},
                    {"count", "n", COLUMN_PLAIN}},
        .shown = "time,place,count,nfInstanceId,failInfo,reason,rid",
        .conditions = {[FILTER_NF] = OF_NF,
                       [FILTER_NF_TYPE] = OF_NF_TYPE,
                       [FILTER_REQUEST] = "rid = :request",
                       [FILTER_REGISTRATION] = "registration = :registration",
                       [FILTER_REASON] = LIKE("reason", ":reason"),
                       SINCE("time"),
                       [FILTER_REGISTRAR] = "registration IN " REGISTERED_BY,
                       [FILTER_PLACE] = "place = :place"},
        .words = {[FILTER_PLACE] = "CA|RA", NF_TYPES},
        .there = {NF_TYPES_THERE},
    },
    {
        .name = "revocations",
        .view = "revocations",
        .columns = {{"serial", "serial", COLUMN_PLAIN},
                    {"time", "time", COLUMN_TIME},
                    {"reason", "reason", COLUMN_REASON},
                    {"by", "by", COLUMN_PLAIN},
                    {"revocationDate", "date", COLUMN_TIME},
                    {"supersededBy", "superseded_by", COLUMN_PLAIN},
                    {"rr", "rr", COLUMN_PLAIN},
                    {"invalidityDate", "invalidity", COLUMN_TIME},
                    {"nfInstanceId", "nf", COLUMN_PLAIN},
                    {"profile", "profile", COLUMN_PLAIN},
                    {"subject", "subject", COLUMN_PLAIN},
                    {"registration", "registration", COLUMN_PLAIN},
                    {"notAfter", "not_after", COLUMN_TIME},
                    {"crl", "on_crl", COLUMN_PLAIN},
                    {"listed", "listed", COLUMN_TIME},
                    {"delay", "delay", COLUMN_PLAIN}},
        .shown = "serial,time,reason,by,nfInstanceId,crl,delay",
        .sorted = "serial,reason,profile",
        .conditions = {[FILTER_NF] = "nf = :nf",
                       [FILTER_NF_TYPE] = REVOKED_OF(OF_NF_TYPE),
                       [FILTER_SERIAL] = "serial = :serial",
                       [FILTER_REQUEST] = "rr = :request",
                       [FILTER_REGISTRATION] = "registration = :registration",
                       [FILTER_SUBJECT] = LIKE("subject", ":subject"),
                       [FILTER_PROFILE] = "profile = :profile",
                       [FILTER_REASON] = "reason = :reason_number",
                       SINCE("time"),
                       [FILTER_REGISTRAR] = REVOKED_OF("registration IN " REGISTERED_BY),
                       [FILTER_BY] = LIKE("by", ":by")},
        .words = {NF_TYPES, [FILTER_PROFILE] = ALL_PROFILES},
        .there = {NF_TYPES_THERE, PROFILES_THERE},
        .common = COMMON(FILTER_PROFILE) | COMMON(FILTER_REASON),
    },
    {
        .name = "approvals",
        .view = "approvals",
        .columns = {{"rid", "rid", COLUMN_PLAIN},
                    {"time", "time", COLUMN_TIME},
                    {"decision", "decision", COLUMN_PLAIN},
                    {"officer", "officer", COLUMN_PLAIN},
                    {"subject", "subject", COLUMN_PLAIN},
                    {"key", "key", COLUMN_PLAIN},
                    {"reason", "reason", COLUMN_PLAIN},
                    {"registration", "registration", COLUMN_PLAIN},
                    {"needed", "needed", COLUMN_PLAIN},
                    {"by", "by", COLUMN_PLAIN}},
        .shown = "time,rid,decision,officer,subject,reason",
        .sorted = "rid,decision,officer,key,registration",
        .conditions = {[FILTER_REQUEST] = "rid = :request",
                       [FILTER_REGISTRATION] = "registration = :registration",
                       [FILTER_SUBJECT] = LIKE("subject", ":subject"),
                       [FILTER_STATUS] = "decision = :status",
                       [FILTER_REASON] = LIKE("reason", ":reason"),
                       SINCE("time"),
                       [FILTER_OFFICER] = "officer IN " DECIDERS,
                       [FILTER_SPKI] = "key = :spki",
                       [FILTER_BY] = LIKE("by", ":by")},
        .words = {[FILTER_STATUS] = "approve|reject"},
        .common = COMMON(FILTER_STATUS),
    },
    {
        .name = "staff",
        .view = "staff",
        .columns = {{"serial", "serial", COLUMN_PLAIN},
                    {"role", "role", COLUMN_PLAIN},
                    {"subject", "subject", COLUMN_PLAIN},
                    {"status", "status", COLUMN_PLAIN},
                    {"expired", "not_after < :now", COLUMN_BOOL},
                    {"notBefore", "not_before", COLUMN_TIME},
                    {"notAfter", "not_after", COLUMN_TIME},
                    {"spki", "spki_sha256", COLUMN_PLAIN},
                    {"intendedAt", "intended_at", COLUMN_TIME},
                    {"issuedAt", "issued_at", COLUMN_TIME},
                    {"revokedAt", "revoked_at", COLUMN_TIME},
                    {"by", "by", COLUMN_PLAIN}},
        .shown = "serial,role,subject,status,notBefore,notAfter",
        .conditions = {[FILTER_SERIAL] = "serial = :serial",
                       [FILTER_SUBJECT] = LIKE("subject", ":subject"),
                       [FILTER_PROFILE] = "+role = :profile",
                       [FILTER_STATUS] = "+status = :status",
                       SINCE("intended_at"),
                       [FILTER_SPKI] = "spki_sha256 = :spki",
                       [FILTER_EXPIRES_WITHIN] =
                           "+status IN ('issued', 'confirmed') AND +not_after BETWEEN :now AND "
                           ":within",
                       [FILTER_BY] = LIKE("by", ":by")},
        .words = {STATUS_WORDS, [FILTER_PROFILE] = "ra-cmp|registrar|officer"},
        .there = {[FILTER_PROFILE] = "SELECT DISTINCT role FROM staff"},
        .statuses = {{"live", "+status IN ('issued', 'confirmed') AND +not_after >= :now", true},
                     {"expired", "+not_after < :now", true}},
    },
    {
        .name = "ceremonies",
        .view = "ceremonies",
        .columns = {{"name", "name", COLUMN_PLAIN},
                    {"time", "time", COLUMN_TIME},
                    {"type", "type", COLUMN_PLAIN},
                    {"production", "production", COLUMN_BOOL},
                    {"head", "head", COLUMN_PLAIN},
                    {"previous", "previous", COLUMN_PLAIN},
                    {"by", "by", COLUMN_PLAIN},
                    {"sha256", "sha256", COLUMN_PLAIN}},
        .shown = "time,name,type,production,head,sha256,by",
        .conditions =
            {[FILTER_NAME] = LIKE("name", ":name"), SINCE("time"), [FILTER_BY] = LIKE("by", ":by")},
    },
    {
        .name = "events",
        .view = "activity",
        .several = true,
        .columns = {{"time", "time", COLUMN_TIME},
                    {"role", "role", COLUMN_PLAIN},
                    {"actor", "actor", COLUMN_PLAIN},
                    {"person", "person", COLUMN_PLAIN},
                    {"action", "action", COLUMN_PLAIN},
                    {"object", "object", COLUMN_PLAIN},
                    {"text", "text", COLUMN_PLAIN}},
        .shown = "time,role,action,object,text,person",
        .conditions = {[FILTER_SERIAL] = "object = :serial",
                       [FILTER_REQUEST] = "object = :request",
                       [FILTER_REGISTRATION] = "object = :registration",
                       [FILTER_ACTION] = "action = :action",
                       SINCE("time"),
                       [FILTER_REGISTRAR] =
                           "role = 'registrar' AND actor IN " STAFF("registrar", ":registrar"),
                       [FILTER_OFFICER] = "role = 'officer' AND (actor IN " STAFF(
                           "officer", ":officer") " OR " LIKE("person", ":officer") ")",
                       [FILTER_BY] = LIKE("person", ":by"),
                       [FILTER_RA] = "role = 'ra' AND actor IN " STAFF("ra-cmp", ":ra")},
        .words = {[FILTER_ACTION] =
                      "register|cancel|request|request again|attest|refuse|approve|reject|intend|"
                      "issue|confirm|revoke|announce CRL|publish CRL|start|stop|recovered|sealed|"
                      "clock|configure|ceremony|restored|acknowledged|adopt"},
        .there = {[FILTER_ACTION] = "SELECT DISTINCT " DONE " FROM command UNION SELECT " DONE
                                    " FROM reported WHERE what = 'did'"},
    },
    {
        .name = "crls",
        .view = "crls",
        .columns = {{"number", "number", COLUMN_PLAIN},
                    {"time", "time", COLUMN_TIME},
                    {"thisUpdate", "this_update", COLUMN_TIME},
                    {"nextUpdate", "next_update", COLUMN_TIME},
                    {"entries", "entries", COLUMN_PLAIN},
                    {"sha256", "sha256", COLUMN_PLAIN},
                    {"upTo", "up_to", COLUMN_PLAIN},
                    {"late", "late", COLUMN_PLAIN}},
        .shown = "number,thisUpdate,nextUpdate,late,entries,sha256",
        .conditions = {SINCE("time")},
    },
    {
        .name = "changes",
        .view = "changes",
        .columns = {{"time", "time", COLUMN_TIME},
                    {"file", "file", COLUMN_PLAIN},
                    {"previous", "previous", COLUMN_PLAIN},
                    {"sha256", "sha256", COLUMN_PLAIN}},
        .shown = "time,file,previous,sha256",
        .conditions = {[FILTER_NAME] = LIKE("file", ":name"), SINCE("time")},
    },
    {
        .name = "findings",
        .view = "findings",
        .several = true,
        .columns = {{"severity", "severity", COLUMN_PLAIN},
                    {"code", "code", COLUMN_PLAIN},
                    {"text", "text", COLUMN_PLAIN},
                    {"foundBy", "found_by", COLUMN_PLAIN},
                    {"serial", "serial", COLUMN_PLAIN},
                    {"nfInstanceId", "nf", COLUMN_PLAIN},
                    {"profile", "profile", COLUMN_PLAIN}},
        .shown = "severity,code,serial,text",
        .conditions = {[FILTER_NF] = "nf = :nf",
                       [FILTER_SERIAL] = "serial = :serial",
                       [FILTER_NAME] = LIKE("code", ":name"),
                       [FILTER_PROFILE] = "+profile = :profile",
                       [FILTER_STATUS] = "severity = :status"},
        .words = {[FILTER_STATUS] = "error|warning|notice", [FILTER_PROFILE] = ALL_PROFILES},
        .there = {PROFILES_THERE},
    },
    {
        .name = "outages",
        .view = "outages",
        .several = true,
        .columns = {{"kind", "kind", COLUMN_PLAIN},
                    {"since", "since", COLUMN_TIME},
                    {"until", "until", COLUMN_TIME},
                    {"seconds", "seconds", COLUMN_PLAIN}},
        .shown = "kind,since,until,seconds",
        .conditions = {[FILTER_ACTION] = "kind = :action",
                       [FILTER_SINCE] = "since >= :since",
                       [FILTER_UNTIL] = "since <= :until"},
        .words = {[FILTER_ACTION] = "stop|crash|clock|crl"},
    },
};
/* NOLINTEND(bugprone-suspicious-missing-comma) */
const size_t n_nouns = sizeof(nouns) / sizeof(nouns[0]);

const struct noun *
noun_find(const char *name)
{
    for (size_t i = 0; i < n_nouns; i++) {
        if (strcmp(nouns[i].name, name) == 0) {
            return &nouns[i];
        }
    }
    return NULL;
}

bool
noun_is_sorted_by(const struct noun *noun, const char *column)
{
    const char *at = noun->sorted;

    if (strcmp(column, "leaf") == 0 || at == NULL) {
        return strcmp(column, "leaf") == 0 || !noun->several;
    }
    while (*at != '\0') {
        const size_t n = strcspn(at, ",");

        if (n == strlen(column) && strncmp(at, column, n) == 0) {
            return true;
        }
        at += n + (at[n] == ',');
    }
    return false;
}

const struct noun_column *
noun_column_find(const struct noun *noun, const char *name, size_t length)
{
    static const struct noun_column leaf = {"leaf", "leaf", COLUMN_PLAIN};

    if (length == strlen("leaf") && memcmp(name, "leaf", length) == 0) {
        return &leaf;
    }
    for (const struct noun_column *c = noun->columns; c->name != NULL; c++) {
        if (strlen(c->name) == length && memcmp(c->name, name, length) == 0) {
            return c;
        }
    }
    return NULL;
}
